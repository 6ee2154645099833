//! The ISO options.

use std::path::PathBuf;

use sdk_component::{Failure, RunContext};
use sdk_config::{Diagnostic, Diagnostics};
use sdk_config_derive::Config;

use crate::cache::Target;
use crate::checksum::{Checksum, ChecksumSpec};
use crate::checksum_file;
use crate::download::{Download, Downloaded, names};
use crate::error::{DownloadError, chain};
use crate::source::{Place, Source};

/// The installation image a machine starts from.
///
/// # Source
///
/// Packer options of the same names. Differs: a checksum file on the web is read when the build
/// runs, so that checking a template needs no network.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub struct IsoConfig {
    /// Checksum of the image: `none`, hexadecimal digits whose number tells the type, `TYPE:HEX`
    /// with `md5`, `sha1`, `sha256` or `sha512`, or `file:` with the path or URL of a checksum
    /// file. Required unless nothing shall be verified.
    pub iso_checksum: String,
    /// URL or path of the image. Local files are used in place.
    pub iso_url: String,
    /// URLs or paths of the image, tried in order. Use either this or `iso_url`.
    pub iso_urls: Vec<String>,
    /// Where to keep the image: a file, or a folder when the path has no extension. Unset for the
    /// shared cache.
    pub iso_target_path: PathBuf,
    /// Extension of the image in the cache.
    #[config(default = "iso")]
    pub iso_target_extension: String,
}

impl IsoConfig {
    /// Checks and completes the options. Afterwards `iso_urls` holds all sources, and
    /// `iso_checksum` is `none`, `TYPE:HEX`, or `file:` with a URL that only the run reads.
    pub fn prepare(&mut self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        self.prepare_urls(&mut diagnostics);
        self.prepare_checksum(&mut diagnostics);
        self.iso_target_extension = match self.iso_target_extension.trim_start_matches('.') {
            "" => "iso".to_owned(),
            extension => extension.to_lowercase(),
        };
        diagnostics
    }

    /// Gets the image. `what` names it in messages, usually `ISO`.
    ///
    /// # Errors
    ///
    /// See [`Download::run`]; the failure tells which of these options is to blame.
    pub async fn download(&self, cx: &RunContext, what: &str) -> Result<Downloaded, Failure> {
        let run = async {
            let checksum = ChecksumSpec::parse(&self.iso_checksum)?;
            self.job(cx, what, checksum).run(cx).await
        };
        run.await.map_err(|error| self.blamed(error))
    }

    fn job(&self, cx: &RunContext, what: &str, checksum: ChecksumSpec) -> Download {
        Download {
            what: what.to_owned(),
            urls: self.iso_urls.clone(),
            checksum,
            target: Target {
                cache_dir: cx.build().cache_dir.clone(),
                path: self.iso_target_path.clone(),
                extension: self.iso_target_extension.clone(),
            },
        }
    }

    /// The failure, with the option it comes from.
    fn blamed(&self, error: DownloadError) -> Failure {
        let last = match &error {
            DownloadError::AllFailed { tried, .. } => tried.last().map(|tried| &tried.error),
            error => Some(error),
        };
        let (option, hint) = match last {
            Some(DownloadError::Mismatch { .. }) => (
                "iso_checksum",
                "Make sure that the source is the image you want, and set `iso_checksum` to what \
                 its publisher says of it.",
            ),
            Some(DownloadError::Checksum { .. } | DownloadError::ChecksumFile { .. }) => (
                "iso_checksum",
                "Write `TYPE:DIGITS`, or `file:` with the path or URL of a checksum file that lists \
                 the image.",
            ),
            Some(DownloadError::Environment { .. } | DownloadError::Client { .. }) => {
                return error.into();
            }
            Some(DownloadError::DiskFull { .. } | DownloadError::Locked { .. }) => {
                return error.into();
            }
            _ => (
                self.url_option(),
                "Check that it can be had from here; relative paths start at the folder the build \
                 was started in.",
            ),
        };
        Failure::from(error).on(option).hint(hint)
    }

    /// The option that the template names the sources with.
    fn url_option(&self) -> &'static str {
        match self.iso_url.is_empty() {
            true => "iso_urls",
            false => "iso_url",
        }
    }

    fn prepare_urls(&mut self, diagnostics: &mut Diagnostics) {
        match (self.iso_url.is_empty(), self.iso_urls.is_empty()) {
            (true, true) => diagnostics.push(
                Diagnostic::error(
                    "Image source is missing",
                    "One of `iso_url` or `iso_urls` must be specified.",
                )
                .on("iso_url"),
            ),
            (false, false) => diagnostics.push(
                Diagnostic::error(
                    "Image source is given twice",
                    "Only one of `iso_url` or `iso_urls` must be specified.",
                )
                .on("iso_urls"),
            ),
            (false, true) => self.iso_urls = vec![self.iso_url.clone()],
            (true, false) => {}
        }
        let option = self.url_option();
        let refused: Vec<String> = self
            .iso_urls
            .iter()
            .filter_map(|url| {
                Source::parse(url)
                    .err()
                    .map(|error| format!("{}.", sentence(&chain(&error))))
            })
            .collect();
        if refused.is_empty() {
            return;
        }
        let detail = refused.join(" ");
        let problem = if refused.len() == self.iso_urls.len() {
            Diagnostic::error("Image source is not usable", detail)
        } else {
            Diagnostic::warning("One of the image sources is not usable", detail)
        };
        diagnostics.push(problem.on(option));
    }

    fn prepare_checksum(&mut self, diagnostics: &mut Diagnostics) {
        let refused = |detail: String| {
            Diagnostic::error("Checksum of the image is not usable", detail).on("iso_checksum")
        };
        if self.iso_checksum.trim().is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    "Checksum of the image is missing",
                    "A checksum must be specified in `iso_checksum`.",
                )
                .on("iso_checksum")
                .hint("set `iso_checksum = \"none\"` to build without verifying the image"),
            );
            return;
        }
        match ChecksumSpec::parse(&self.iso_checksum) {
            Ok(ChecksumSpec::None) => {
                "none".clone_into(&mut self.iso_checksum);
                diagnostics.push(
                    Diagnostic::warning(
                        "Image is not verified",
                        "With `none`, nobody notices a download that was cut off or changed on its way.",
                    )
                    .on("iso_checksum"),
                );
            }
            Ok(ChecksumSpec::Known(checksum)) => self.iso_checksum = checksum.to_string(),
            Ok(ChecksumSpec::File(place)) => match self.listed_in(&place) {
                Ok(Some(checksum)) => self.iso_checksum = checksum.to_string(),
                Ok(None) => {}
                Err(error) => diagnostics.push(refused(format!("{}.", sentence(&chain(&error))))),
            },
            Err(error) => {
                let text = &self.iso_checksum;
                diagnostics.push(refused(format!("`{text}`: {error}.")));
            }
        }
    }

    /// The checksum that a local checksum file has; nothing for one on the web.
    fn listed_in(&self, place: &str) -> Result<Option<Checksum>, DownloadError> {
        let Place::Local(path) = Source::parse(place)?.place else {
            return Ok(None);
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| DownloadError::ChecksumFile {
                url: place.to_owned(),
                source: Box::new(DownloadError::file("read", &path, source)),
            })?;
        Ok(Some(checksum_file::find(
            &text,
            &names(&self.iso_urls),
            place,
        )?))
    }
}

/// `text` with a capital first letter.
fn sentence(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(signs).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn iso(checksum: &str, url: &str) -> IsoConfig {
        IsoConfig {
            iso_checksum: checksum.into(),
            iso_url: url.into(),
            ..IsoConfig::default()
        }
    }

    fn check(mut config: IsoConfig, expected: &[&str]) -> IsoConfig {
        let found: Vec<String> = config
            .prepare()
            .iter()
            .map(|problem| problem.path.to_string())
            .collect();
        assert_eq!(found, expected, "{config:?}");
        config
    }

    #[test]
    fn completes_what_is_good() {
        let config = check(iso(&MD5.to_uppercase(), "https://a.test/x.iso"), &[]);
        assert_eq!(config.iso_checksum, format!("md5:{MD5}"));
        assert_eq!(config.iso_urls, ["https://a.test/x.iso"]);
        assert_eq!(config.iso_target_extension, "iso");
        let mut config = iso(MD5, "x");
        config.iso_target_extension = "QCOW2".into();
        assert_eq!(check(config, &[]).iso_target_extension, "qcow2");
    }

    #[test]
    fn wants_exactly_one_kind_of_source() {
        check(iso(MD5, ""), &["iso_url"]);
        let mut config = iso(MD5, "a");
        config.iso_urls = vec!["b".into()];
        check(config, &["iso_urls"]);
    }

    #[test]
    fn wants_a_checksum_and_warns_without_one() {
        check(iso("", "a"), &["iso_checksum"]);
        check(iso("nonsense", "a"), &["iso_checksum"]);
        check(iso("https://a.test/x.iso", "a"), &["iso_checksum"]);
        let mut config = iso("none", "a");
        let problems = config.prepare();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].severity, sdk_config::Severity::Warning);
    }

    #[test]
    fn reads_a_local_checksum_file_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sums = folder.path().join("SUMS");
        std::fs::write(&sums, format!("{MD5}  x.iso\n")).expect("file is made");
        let place = format!("file:{}", sums.display());
        let config = check(iso(&place, "https://a.test/x.iso"), &[]);
        assert_eq!(config.iso_checksum, format!("md5:{MD5}"));
        let config = check(
            iso(
                &format!("file:file://{}", sums.display()),
                "https://a.test/x.iso",
            ),
            &[],
        );
        assert_eq!(config.iso_checksum, format!("md5:{MD5}"));
        check(iso(&place, "https://a.test/other.iso"), &["iso_checksum"]);
        check(iso("file:/nonexistent/SUMS", "a"), &["iso_checksum"]);
    }

    #[test]
    fn leaves_a_checksum_file_on_the_web_to_the_run() {
        let config = check(iso("file:https://a.test/SUMS", "https://a.test/x.iso"), &[]);
        assert_eq!(config.iso_checksum, "file:https://a.test/SUMS");
    }

    #[test]
    fn refuses_sources_it_cannot_use() {
        check(iso(MD5, "git::https://a.test/x"), &["iso_url"]);
        let mut config = iso(MD5, "");
        config.iso_urls = vec!["s3::x".into(), "https://a.test/x.iso".into()];
        let problems = config.prepare();
        assert_eq!(problems[0].severity, sdk_config::Severity::Warning);
    }
}
