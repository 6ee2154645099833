//! Creates the disks.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kiln_sdk::{Failure, Meter, RunContext};

use crate::config::QemuConfig;
use crate::driver::{Driver, DriverError};

const BLOCK: usize = 1 << 20;

/// The paths of all disks, the primary one first.
pub(crate) fn disk_paths(config: &QemuConfig, output: &Path) -> Vec<PathBuf> {
    let name = &config.vm_name;
    let further = (1..=config.disk_additional_size.len()).map(|index| format!("{name}-{index}"));
    std::iter::once(name.clone())
        .chain(further)
        .map(|file| output.join(file))
        .collect()
}

/// Creates every disk: empty ones, or the primary one from `image` when it is a disk image.
pub(crate) async fn create_disks<D: Driver>(
    cx: &RunContext,
    driver: &D,
    config: &QemuConfig,
    image: &Path,
    output: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let disks = disk_paths(config, output);
    let tool = Tool { cx, driver };
    cx.say("Creating required virtual machine disks").await;
    let primary = config.primary_size();
    let sizes = std::iter::once(primary.as_str())
        .chain(config.disk_additional_size.iter().map(String::as_str));
    for (index, (disk, size)) in disks.iter().zip(sizes).enumerate() {
        if index == 0 && config.disk_image && !config.use_backing_file {
            copy_image(&tool, config, image, disk).await?;
            continue;
        }
        let backing = index == 0 && config.use_backing_file;
        let backing = if backing {
            Some((image, tool.format(image).await?))
        } else {
            None
        };
        tool.run(create_arguments(config, disk, size, backing), disk)
            .await?;
    }
    if config.disk_image && !config.skip_resize_disk {
        let mut arguments = words(&["resize", "-f", &config.format]);
        arguments.extend(config.image_tool().resize);
        arguments.extend([disks[0].display().to_string(), primary.as_str().to_owned()]);
        tool.run(arguments, &disks[0]).await.map_err(shrunk)?;
    }
    Ok(disks)
}

fn create_arguments(
    config: &QemuConfig,
    disk: &Path,
    size: &str,
    backing: Option<(&Path, String)>,
) -> Vec<String> {
    let mut arguments = words(&["create", "-f", &config.format]);
    if let Some((image, format)) = backing {
        arguments.extend(["-b".to_owned(), absolute(image), "-F".to_owned(), format]);
    }
    arguments.extend(config.image_tool().create);
    arguments.extend([disk.display().to_string(), size.to_owned()]);
    arguments
}

/// A backing file's path is read relative to the disk that names it.
fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

/// Copies a disk image; one of another format is converted.
async fn copy_image<D: Driver>(
    tool: &Tool<'_, D>,
    config: &QemuConfig,
    image: &Path,
    disk: &Path,
) -> Result<(), Failure> {
    let same = image
        .extension()
        .is_some_and(|extension| extension == config.format.as_str());
    if !same {
        let (from, to) = (image.display().to_string(), disk.display().to_string());
        let arguments = words(&["convert", "-p", "-O", &config.format, &from, &to]);
        return tool.run(arguments, disk).await;
    }
    let cx = tool.cx;
    cx.say("Copying hard drive...").await;
    let (from, to, cancel) = (image.to_owned(), disk.to_owned(), cx.cancel().clone());
    let meter = Meter::bytes(cx, "copying the disk image", None);
    let copied = tokio::task::spawn_blocking(move || {
        copy_sparse(&from, &to, &mut |done, total| {
            meter.set_total(Some(total));
            meter.at(done);
            if cancel.is_cancelled() {
                Err(std::io::ErrorKind::Interrupted.into())
            } else {
                Ok(())
            }
        })
    })
    .await;
    if cx.cancel().is_cancelled() {
        return Err(Failure::cancelled());
    }
    let copied = copied.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    copied.map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => Failure::from_error(&DriverError::DiskFull {
            place: disk.display().to_string(),
        }),
        _ => Failure::new(format!(
            "cannot copy `{}` to `{}`: {error}",
            image.display(),
            disk.display()
        )),
    })
}

/// Copies a file and leaves out blocks of zeros, so that a sparse image stays small.
fn copy_sparse(
    from: &Path,
    to: &Path,
    watch: &mut dyn FnMut(u64, u64) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut source = std::fs::File::open(from)?;
    let total = source.metadata()?.len();
    let mut target = std::fs::File::create(to)?;
    let mut buffer = vec![0; BLOCK];
    let mut done = 0;
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return target.set_len(done);
        }
        let block = &buffer[..count];
        if block.iter().all(|byte| *byte == 0) {
            target.seek(SeekFrom::Current(i64::try_from(count).unwrap_or_default()))?;
        } else {
            target.write_all(block)?;
        }
        done += count as u64;
        watch(done, total)?;
    }
}

fn shrunk(failure: Failure) -> Failure {
    if failure.message.contains("--shrink") {
        let advice = "the disk image is larger than `disk_size`: set a larger `disk_size`, or \
                      `skip_resize_disk = true` to keep its size";
        return Failure::new(format!("{}\n{advice}", failure.message));
    }
    failure
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `qemu-img` for this run.
pub(crate) struct Tool<'a, D> {
    pub(crate) cx: &'a RunContext,
    pub(crate) driver: &'a D,
}

impl<D: Driver> Tool<'_, D> {
    /// Runs it; `disk` is what it writes.
    async fn run(&self, arguments: Vec<String>, disk: &Path) -> Result<(), Failure> {
        let result = self.try_run(&arguments, disk).await?;
        result
            .map(drop)
            .map_err(|error| Failure::from_error(&error))
    }

    /// Runs it, and leaves its own failures to the caller.
    pub(crate) async fn try_run(
        &self,
        arguments: &[String],
        disk: &Path,
    ) -> Result<Result<String, DriverError>, Failure> {
        let verb = arguments.first().map_or("", String::as_str);
        let meter = Meter::percent(self.cx, format!("qemu-img {verb}"));
        let mut progress = |percent| meter.at(percent);
        let result = self
            .cx
            .until_cancelled(self.driver.image_tool(arguments, &mut progress))
            .await?;
        Ok(result.map_err(|error| error.on(&disk.display().to_string())))
    }

    /// The format of an image, from its header.
    async fn format(&self, image: &Path) -> Result<String, Failure> {
        let arguments = words(&["info", "--output=json", &image.display().to_string()]);
        let answer = self.try_run(&arguments, image).await?;
        let answer = answer.map_err(|error| Failure::from_error(&error))?;
        let facts: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
        match facts["format"].as_str() {
            Some(format) => Ok(format.to_owned()),
            None => Err(Failure::new(format!(
                "`qemu-img info` does not tell the format of `{}`",
                image.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_equal_and_sparse() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let mut content = vec![0; 3 * BLOCK + 17];
        content[2 * BLOCK + 5] = 1;
        std::fs::write(&from, &content).expect("written");
        copy_sparse(&from, &to, &mut |_, _| Ok(())).expect("copied");
        assert_eq!(std::fs::read(&to).expect("readable"), content);
        use std::os::unix::fs::MetadataExt;
        assert!(std::fs::metadata(&to).expect("there").blocks() * 512 <= 2 * BLOCK as u64);
    }
}
