//! The `checksum` post-processor: a file of digests beside the artifact.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kiln_sdk::go_template::Data;
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Template, Value,
};
use sha2::Digest;

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
    /// Path of the file, a template that can use `{{.BuildName}}`, `{{.BuilderType}}` and
    /// `{{.ChecksumType}}`. Lines are appended when the file exists.
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
            if Algorithm::parse(name).is_none() {
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

    async fn post_process(
        &self,
        cx: RunContext,
        config: ChecksumConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let mut written = Vec::new();
        for name in &config.checksum_types {
            let algorithm = Algorithm::parse(name)
                .ok_or_else(|| Failure::new(format!("Unrecognized checksum type: {name}")))?;
            let output = output_path(&config.output, name, cx.build())?;
            let existed = output.exists();
            let (files, path) = (input.files.clone(), output.clone());
            let cancel = cx.cancel().clone();
            let work = tokio::task::spawn_blocking(move || {
                let stopped = || cancel.is_cancelled();
                write_checksums(algorithm, &files, &path, &stopped)
            });
            work.await.map_err(|error| Failure::from_error(&error))??;
            if !existed && !written.contains(&output) {
                written.push(output);
            }
        }
        let mut artifact = Artifact {
            builder_id: "packer.post-processor.checksum".to_owned(),
            ..input.clone()
        };
        artifact.files.extend(written.iter().cloned());
        artifact.destroy = written;
        artifact.description = format!(
            "Created artifact from files: {}",
            artifact
                .files
                .iter()
                .map(|f| f.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        );
        artifact.id = String::new();
        artifact.state = Value::null();
        Ok(PostProcessed {
            artifact: Some(artifact),
            keep_input: true,
            force_keep_input: true,
        })
    }
}

/// The path of the file for one kind of digest.
fn output_path(template: &Template, kind: &str, build: &BuildInfo) -> Result<PathBuf, Failure> {
    let data: Data = [
        ("BuildName", build.source_name.as_str()),
        ("BuilderType", build.builder_type.as_str()),
        ("ChecksumType", kind),
    ]
    .into_iter()
    .collect();
    template
        .render(&data, &build.template_context())
        .map(PathBuf::from)
        .map_err(|error| Failure::new(format!("cannot render `output`: {error}")))
}

/// Appends a line per file to `output`; the whole text goes out in one write.
fn write_checksums(
    algorithm: Algorithm,
    files: &[PathBuf],
    output: &Path,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let mut text = String::new();
    for file in files {
        let digest = algorithm.digest(file, stopped)?;
        let name = file
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        text.push_str(&format!("{digest}\t{name}\n"));
    }
    let failed = |action: &str, error: std::io::Error| {
        Failure::new(format!(
            "cannot {action} checksum file `{}`: {error}",
            output.display()
        ))
    };
    if let Some(parent) = output.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed("create the folder of", error))?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(output)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| failed("write", error))
}

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// Lower-case hexadecimal digest of a file's content.
    fn digest(self, path: &Path, stopped: &dyn Fn() -> bool) -> Result<String, Failure> {
        match self {
            Self::Md5 => digest_file::<md5::Md5>(path, stopped),
            Self::Sha1 => digest_file::<sha1::Sha1>(path, stopped),
            Self::Sha224 => digest_file::<sha2::Sha224>(path, stopped),
            Self::Sha256 => digest_file::<sha2::Sha256>(path, stopped),
            Self::Sha384 => digest_file::<sha2::Sha384>(path, stopped),
            Self::Sha512 => digest_file::<sha2::Sha512>(path, stopped),
        }
    }
}

fn digest_file<D: Digest>(path: &Path, stopped: &dyn Fn() -> bool) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot read `{}` to compute its checksum: {error}",
            path.display()
        ))
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut digest = D::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        if stopped() {
            return Err(Failure::cancelled());
        }
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        for (name, digest) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "sha256",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            let algorithm = Algorithm::parse(name).unwrap();
            assert_eq!(
                algorithm.digest(&file, &|| false).unwrap(),
                digest,
                "{name}"
            );
        }
    }

    #[test]
    fn lines_are_appended_with_the_base_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        let output = folder.path().join("sums/out");
        for _ in 0..2 {
            write_checksums(
                Algorithm::Md5,
                std::slice::from_ref(&file),
                &output,
                &|| false,
            )
            .unwrap();
        }
        let line = "900150983cd24fb0d6963f7d28e17f72\tabc\n";
        assert_eq!(std::fs::read_to_string(output).unwrap(), line.repeat(2));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Algorithm::Md5
            .digest(Path::new("no-such"), &|| false)
            .unwrap_err();
        assert!(error.message.contains("`no-such`"), "{error}");
    }
}
