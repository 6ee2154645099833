//! Archives and compressed files that hold one file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::error::DownloadError;

/// How a downloaded file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Archive {
    /// Compressed, nothing else.
    Plain(Compression),
    /// A tar, possibly compressed, with one file in it.
    Tar(Option<Compression>),
    /// A zip with one file in it.
    Zip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// Longer endings first, so that `x.tar.gz` is a tar.
const ENDINGS: [(&str, Archive); 15] = [
    (".tar.gz", Archive::Tar(Some(Compression::Gzip))),
    (".tgz", Archive::Tar(Some(Compression::Gzip))),
    (".tar.bz2", Archive::Tar(Some(Compression::Bzip2))),
    (".tbz2", Archive::Tar(Some(Compression::Bzip2))),
    (".tar.xz", Archive::Tar(Some(Compression::Xz))),
    (".txz", Archive::Tar(Some(Compression::Xz))),
    (".tar.zst", Archive::Tar(Some(Compression::Zstd))),
    (".tzst", Archive::Tar(Some(Compression::Zstd))),
    (".tar", Archive::Tar(None)),
    (".gz", Archive::Plain(Compression::Gzip)),
    (".bz2", Archive::Plain(Compression::Bzip2)),
    (".xz", Archive::Plain(Compression::Xz)),
    (".zst", Archive::Plain(Compression::Zstd)),
    (".zstd", Archive::Plain(Compression::Zstd)),
    (".zip", Archive::Zip),
];

impl Archive {
    /// What a file name says about its packing.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        ENDINGS
            .iter()
            .find(|(ending, _)| name.ends_with(ending))
            .map(|(_, archive)| *archive)
    }

    /// Unpacks the one file in `from` to `to`. Blocks; ends early when `cancel` is cancelled.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Archive`] when it is damaged or holds more or less than one file,
    /// [`DownloadError::DiskFull`] when there is no room. `to` is removed then.
    pub(crate) fn unpack(
        self,
        from: &Path,
        to: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), DownloadError> {
        let result = self.unpack_into(from, to, cancel);
        if result.is_err()
            && let Err(error) = std::fs::remove_file(to)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %to.display(), %error, "an unfinished file stays");
        }
        result
    }

    fn unpack_into(
        self,
        from: &Path,
        to: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), DownloadError> {
        let file = File::open(from).map_err(|source| DownloadError::file("open", from, source))?;
        let copy = Copy { from, to, cancel };
        match self {
            Self::Plain(compression) => copy.all(&mut opened(Some(compression), file, from)?),
            Self::Tar(compression) => copy.only_file_of_tar(opened(compression, file, from)?),
            Self::Zip => copy.only_file_of_zip(file),
        }
    }
}

fn opened(
    compression: Option<Compression>,
    file: File,
    path: &Path,
) -> Result<Box<dyn Read>, DownloadError> {
    let file = BufReader::with_capacity(1 << 17, file);
    Ok(match compression {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some(Compression::Bzip2) => Box::new(pbz2::DecoderReader::new(file)),
        Some(Compression::Xz) => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        Some(Compression::Zstd) => Box::new(
            zstd::stream::read::Decoder::with_buffer(file)
                .map_err(|source| DownloadError::file("read", path, source))?,
        ),
    })
}

struct Copy<'a> {
    from: &'a Path,
    to: &'a Path,
    cancel: &'a CancellationToken,
}

impl Copy<'_> {
    fn all(&self, reader: &mut dyn Read) -> Result<(), DownloadError> {
        let mut out = File::create(self.to)
            .map_err(|source| DownloadError::file("create", self.to, source))?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            if self.cancel.is_cancelled() {
                return Err(DownloadError::Cancelled);
            }
            let count = reader
                .read(&mut buffer)
                .map_err(|error| self.damaged(&error.to_string()))?;
            if count == 0 {
                return Ok(());
            }
            io::Write::write_all(&mut out, &buffer[..count])
                .map_err(|source| DownloadError::file("write", self.to, source))?;
        }
    }

    fn only_file_of_tar(&self, reader: Box<dyn Read>) -> Result<(), DownloadError> {
        let mut archive = tar::Archive::new(reader);
        let entries = archive
            .entries()
            .map_err(|error| self.damaged(&error.to_string()))?;
        let mut found = false;
        for entry in entries {
            let mut entry = entry.map_err(|error| self.damaged(&error.to_string()))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            if found {
                return Err(self.damaged("it holds more than one file"));
            }
            found = true;
            self.all(&mut entry)?;
        }
        if found {
            Ok(())
        } else {
            Err(self.damaged("it holds no file"))
        }
    }

    fn only_file_of_zip(&self, file: File) -> Result<(), DownloadError> {
        let mut archive = zip::ZipArchive::new(BufReader::new(file))
            .map_err(|error| self.damaged(&error.to_string()))?;
        let names: Vec<String> = archive
            .file_names()
            .filter(|name| !name.ends_with('/'))
            .map(str::to_owned)
            .collect();
        let [name] = names.as_slice() else {
            return Err(self.damaged(&format!("it holds {} files, not one", names.len())));
        };
        let mut entry = archive
            .by_name(name)
            .map_err(|error| self.damaged(&error.to_string()))?;
        self.all(&mut entry)
    }

    fn damaged(&self, problem: &str) -> DownloadError {
        DownloadError::Archive {
            path: self.from.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(packer: &[&str], extension: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (raw, packed) = (
            folder.path().join("d"),
            folder.path().join(format!("d.{extension}")),
        );
        std::fs::write(&raw, "content").expect("file is made");
        let made = std::process::Command::new(packer[0])
            .args(&packer[1..])
            .current_dir(folder.path())
            .stdout(File::create(&packed).expect("file is made"))
            .status();
        if made.is_err() {
            skipped(packer[0]);
            return;
        }
        let out = folder.path().join("out");
        let archive = Archive::of_name(extension_of(&packed)).expect("a known ending");
        archive
            .unpack(&packed, &out, &CancellationToken::new())
            .expect("it unpacks");
        assert_eq!(
            std::fs::read_to_string(&out).expect("readable"),
            "content",
            "{extension}"
        );
    }

    fn skipped(program: &str) {
        eprintln!("SKIPPED a check of unpacking: {program} is not installed");
    }

    fn extension_of(path: &Path) -> &str {
        path.file_name()
            .and_then(|name| name.to_str())
            .expect("a plain name")
    }

    #[test]
    fn unpacks_what_the_usual_tools_pack() {
        check(&["gzip", "-c", "d"], "gz");
        check(&["bzip2", "-c", "d"], "bz2");
        check(&["xz", "-c", "d"], "xz");
        check(&["zstd", "-c", "d"], "zst");
        check(&["tar", "-c", "d"], "tar");
        check(&["tar", "-cz", "d"], "tar.gz");
        check(&["tar", "-cj", "d"], "tbz2");
        check(&["tar", "-cJ", "d"], "txz");
        check(&["zip", "-q", "-", "d"], "zip");
    }

    #[test]
    fn a_file_that_ends_too_early_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (packed, out) = (folder.path().join("packed"), folder.path().join("out"));
        let content: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(folder.path().join("d"), content).expect("file is made");
        for (tool, compression) in [
            ("gzip", Compression::Gzip),
            ("bzip2", Compression::Bzip2),
            ("xz", Compression::Xz),
            ("zstd", Compression::Zstd),
        ] {
            let made = std::process::Command::new(tool)
                .args(["-c", "d"])
                .current_dir(folder.path())
                .output();
            let Ok(made) = made else {
                skipped(tool);
                continue;
            };
            for missing in [1, 9, made.stdout.len() / 2] {
                let part = &made.stdout[..made.stdout.len() - missing];
                std::fs::write(&packed, part).expect("file is made");
                let result =
                    Archive::Plain(compression).unpack(&packed, &out, &CancellationToken::new());
                assert!(
                    matches!(result, Err(DownloadError::Archive { .. })),
                    "{tool}, {missing} bytes missing: {result:?}"
                );
                assert!(!out.exists());
            }
        }
    }

    #[test]
    fn more_than_one_file_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let packed = folder.path().join("d.tar");
        let mut builder = tar::Builder::new(File::create(&packed).expect("file is made"));
        for name in ["a", "b"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            header.set_cksum();
            builder
                .append_data(&mut header, name, &b"x"[..])
                .expect("appended");
        }
        builder.finish().expect("finished");
        let out = folder.path().join("out");
        let error = Archive::Tar(None)
            .unpack(&packed, &out, &CancellationToken::new())
            .expect_err("two files");
        assert!(error.to_string().contains("more than one file"), "{error}");
        assert!(!out.exists());
    }

    #[test]
    fn a_damaged_file_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (packed, out) = (folder.path().join("d.gz"), folder.path().join("out"));
        std::fs::write(&packed, "no gzip at all").expect("file is made");
        let error = Archive::Plain(Compression::Gzip)
            .unpack(&packed, &out, &CancellationToken::new())
            .expect_err("damaged");
        assert!(matches!(error, DownloadError::Archive { .. }), "{error}");
        assert!(!out.exists());
    }
}
