//! The `checksum` post-processor: a file of digests beside the artifact.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kiln_sdk::config::template_data;
use kiln_sdk::go_template::Data;
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, Meter, PostProcessed, PostProcessor,
    Prepared, RunContext, Template, Value,
};
use sha2::Digest;
use sha2::digest::DynDigest;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes the digests of an artifact's files into a file that the ordinary tools
/// (`sha256sum -c`, …) accept.
#[derive(Debug, Clone, Config)]
pub struct ChecksumConfig {
    /// Which digests to compute: `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`. One file is
    /// written for each.
    #[config(default = ["md5"])]
    pub checksum_types: Vec<String>,
    /// Path of the file, a template that can use `{{.BuildName}}`, `{{.BuilderType}}`,
    /// `{{.ChecksumType}}` and the machine's values. Lines are appended when the file exists.
    #[config(default = "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum")]
    pub output: Template,
}

/// The post-processor.
pub struct Checksum;

impl PostProcessor for Checksum {
    type Config = ChecksumConfig;

    fn prepare(&self, config: &mut ChecksumConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Vec::new();
        for name in &config.checksum_types {
            if digester(name).is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Unrecognized checksum type: {name}"),
                        format!("`{name}` is not a digest this post-processor can compute."),
                    )
                    .on("checksum_types")
                    .hint("Use md5, sha1, sha224, sha256, sha384 or sha512."),
                );
            }
        }
        if let Err(error) = kiln_sdk::go_template::check(&config.output.0) {
            diagnostics
                .push(Diagnostic::error("Invalid output template", error.to_string()).on("output"));
        }
        diagnostics.into()
    }

    /// # Source
    ///
    /// Packer's `checksum`: the lines, the names, and that an artifact without files gets none.
    /// Differs: each file is read once, whatever the number of digests, and nothing is written
    /// before all of them are known.
    async fn post_process(
        &self,
        cx: RunContext,
        config: ChecksumConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let kinds = config.checksum_types;
        let outputs = kinds
            .iter()
            .map(|kind| output_path(&config.output, kind, &generated, cx.build()))
            .collect::<Result<Vec<_>, _>>()?;
        let files = input.files.clone();
        let cancel = cx.cancel().clone();
        let total = files.iter().filter_map(|file| file.metadata().ok());
        let total = total.map(|facts| facts.len()).sum();
        let meter = Meter::bytes(&cx, format!("computing {}", kinds.join(", ")), Some(total));
        let work = tokio::task::spawn_blocking(move || {
            if files.is_empty() {
                return Ok(Vec::new());
            }
            let mut read = |bytes: usize| {
                meter.add(bytes as u64);
                !cancel.is_cancelled()
            };
            let texts = lines(&kinds, &files, &mut read)?;
            append_all(outputs.into_iter().zip(texts))
        });
        let written = work.await.map_err(|error| Failure::from_error(&error))??;
        Ok(PostProcessed {
            artifact: Some(artifact(input, written)),
            keep_input: true,
            force_keep_input: true,
        })
    }
}

/// The files of `input` and those that were `written` beside them.
fn artifact(input: Artifact, written: Vec<PathBuf>) -> Artifact {
    let mut files = input.files;
    files.extend(written.iter().cloned());
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    Artifact {
        builder_id: "packer.post-processor.checksum".to_owned(),
        description: format!("Created artifact from files: {}", names.join(", ")),
        files,
        destroy: written,
        state: Value::null(),
        ..Artifact::default()
    }
}

/// The path of the file for one kind of digest.
fn output_path(
    template: &Template,
    kind: &str,
    generated: &Value,
    build: &BuildInfo,
) -> Result<PathBuf, Failure> {
    let mut entries = match template_data(generated) {
        Data::Map(entries) => entries,
        _ => BTreeMap::new(),
    };
    for (name, value) in [
        ("BuildName", build.source_name.as_str()),
        ("BuilderType", build.builder_type.as_str()),
        ("ChecksumType", kind),
    ] {
        entries.insert(name.to_owned(), value.into());
    }
    template
        .render(&Data::Map(entries), &build.template_context_with(generated))
        .map(PathBuf::from)
        .map_err(|error| Failure::new(format!("cannot render `output`: {error}")).on("output"))
}

/// Is told how many bytes were read, and says whether to go on.
type Watch<'a> = dyn FnMut(usize) -> bool + 'a;

/// For each kind of digest the lines of all files.
fn lines(
    kinds: &[String],
    files: &[PathBuf],
    read: &mut Watch<'_>,
) -> Result<Vec<String>, Failure> {
    let mut texts = vec![String::new(); kinds.len()];
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        for (text, digest) in texts.iter_mut().zip(digests(kinds, file, read)?) {
            text.push_str(&format!("{digest}\t{name}\n"));
        }
    }
    Ok(texts)
}

/// Appends each text to its file, all or none; tells which files were not there before.
fn append_all(texts: impl Iterator<Item = (PathBuf, String)>) -> Result<Vec<PathBuf>, Failure> {
    let mut done: Vec<Appended> = Vec::new();
    for (path, text) in texts {
        done.push(Appended::about_to(path));
        let appended = done.last().map_or(Ok(()), |last| last.write(&text));
        if let Err(failure) = appended {
            for one in done.iter().rev() {
                one.take_back();
            }
            return Err(failure);
        }
    }
    let new = done.into_iter().filter(|one| one.before.is_none());
    Ok(new.map(|one| one.path).collect())
}

/// A file that lines are appended to.
struct Appended {
    path: PathBuf,
    /// Its length before, in bytes; `None` when there was no file.
    before: Option<u64>,
    /// The folders that were missing, the innermost first.
    folders: Vec<PathBuf>,
}

impl Appended {
    fn about_to(path: PathBuf) -> Self {
        let before = path.metadata().ok().map(|facts| facts.len());
        let folders = path.ancestors().skip(1);
        let folders = folders
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned)
            .collect();
        Self {
            path,
            before,
            folders,
        }
    }

    /// The whole text goes out in one write.
    fn write(&self, text: &str) -> Result<(), Failure> {
        let failed = |action: &str, error: std::io::Error| {
            Failure::new(format!(
                "cannot {action} checksum file `{}`: {error}",
                self.path.display()
            ))
            .on("output")
        };
        if let Some(parent) = self.path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| failed("create the folder of", error))?;
        }
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed("write", error))
    }

    /// Takes back what was appended; it matters less than what went wrong before.
    fn take_back(&self) {
        let gone = match self.before {
            None => std::fs::remove_file(&self.path),
            Some(before) => std::fs::OpenOptions::new()
                .write(true)
                .open(&self.path)
                .and_then(|file| file.set_len(before)),
        };
        if let Err(error) = gone
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "half a checksum file stays");
        }
        for folder in &self.folders {
            // Somebody else may have put something there meanwhile.
            if std::fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

/// What computes a digest of that kind; `None` when there is no such kind.
fn digester(kind: &str) -> Option<Box<dyn DynDigest>> {
    Some(match kind {
        "md5" => Box::new(md5::Md5::new()),
        "sha1" => Box::new(sha1::Sha1::new()),
        "sha224" => Box::new(sha2::Sha224::new()),
        "sha256" => Box::new(sha2::Sha256::new()),
        "sha384" => Box::new(sha2::Sha384::new()),
        "sha512" => Box::new(sha2::Sha512::new()),
        _ => return None,
    })
}

/// Lower-case hexadecimal digests of a file's content, which is read once.
fn digests(kinds: &[String], path: &Path, read: &mut Watch<'_>) -> Result<Vec<String>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot read `{}` to compute its checksum: {error}",
            path.display()
        ))
    };
    let mut digesters = Vec::new();
    for kind in kinds {
        let unknown = || Failure::new(format!("Unrecognized checksum type: {kind}"));
        digesters.push(digester(kind).ok_or_else(unknown)?);
    }
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if !read(count) {
            return Err(Failure::cancelled());
        }
        if count == 0 {
            let digests = digesters.into_iter().map(DynDigest::finalize);
            return Ok(digests.map(hex::encode).collect());
        }
        for digester in &mut digesters {
            digester.update(&buffer[..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn write(path: &Path, kind: &str, file: &Path) -> Result<Vec<PathBuf>, Failure> {
        let texts = lines(&kinds(&[kind]), &[file.to_owned()], &mut |_| true)?;
        append_all([path.to_owned()].into_iter().zip(texts))
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        let found = digests(&kinds(&["md5", "sha1", "sha256"]), &file, &mut |_| true).unwrap();
        let expected = [
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_appended_with_the_base_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        let output = folder.path().join("sums/out");
        let written = write(&output, "md5", &file).unwrap();
        assert_eq!(written, std::slice::from_ref(&output));
        assert!(write(&output, "md5", &file).unwrap().is_empty());
        let line = "900150983cd24fb0d6963f7d28e17f72\tabc\n";
        assert_eq!(std::fs::read_to_string(output).unwrap(), line.repeat(2));
    }

    #[test]
    fn what_cannot_be_written_whole_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("old"), "before\n").unwrap();
        std::fs::create_dir(place("folder")).unwrap();
        let texts =
            ["old", "new/deep/sums", "folder"].map(|name| (place(name), format!("for {name}\n")));
        let error = append_all(texts.into_iter()).unwrap_err();
        assert!(error.message.contains("folder`"), "{error}");
        assert_eq!(std::fs::read_to_string(place("old")).unwrap(), "before\n");
        assert!(!place("new").exists());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = digests(&kinds(&["md5"]), Path::new("no-such"), &mut |_| true).unwrap_err();
        assert!(error.message.contains("`no-such`"), "{error}");
    }
}
