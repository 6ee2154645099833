//! Where a file can come from.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::checksum::Checksum;
use crate::error::DownloadError;
use crate::unpack::Archive;

/// A source as a template names it, understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub(crate) place: Place,
    /// How to unpack it, told by its extension.
    pub(crate) archive: Option<Archive>,
    /// What a `checksum=` in the query asks for.
    pub(crate) checksum: Option<Checksum>,
    /// As the template has it, without a password; for messages.
    pub(crate) shown: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    Web(Url),
    Local(PathBuf),
}

impl Source {
    /// Reads a URL or path. `checksum`, `archive` and `filename` in the query are for us and not
    /// for the server.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Unsupported`] and [`DownloadError::Url`].
    pub(crate) fn parse(text: &str) -> Result<Self, DownloadError> {
        let unsupported = |scheme: &str| DownloadError::Unsupported {
            url: text.to_owned(),
            scheme: scheme.to_owned(),
        };
        let plain = match text.split_once("::") {
            Some((getter, rest)) if is_word(getter) => match getter {
                "http" | "https" | "file" => rest,
                other => return Err(unsupported(other)),
            },
            _ => text,
        };
        match plain.split_once("://") {
            Some((scheme, rest)) if is_word(scheme) => match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => Self::web(plain),
                "file" => Self::local(&unescaped(
                    rest.strip_prefix("localhost/")
                        .map_or(rest, |_| rest.trim_start_matches("localhost")),
                )),
                other => Err(unsupported(other)),
            },
            _ => Self::local(plain),
        }
    }

    /// The last component of its path, which checksum files know it by.
    pub(crate) fn file_name(&self) -> String {
        match &self.place {
            Place::Web(url) => unescaped(
                url.path()
                    .rsplit('/')
                    .find(|part| !part.is_empty())
                    .unwrap_or_default(),
            ),
            Place::Local(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        }
    }

    fn web(text: &str) -> Result<Self, DownloadError> {
        let bad = |problem: String| DownloadError::Url {
            url: text.to_owned(),
            problem,
        };
        let mut url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
        let query = Query::take(url.query().unwrap_or_default());
        if url.query().is_some() {
            url.set_query(query.rest.as_deref());
        }
        let mut shown = url.clone();
        if shown.password().is_some() && shown.set_password(Some("xxxxx")).is_err() {
            return Err(bad("a password is not possible here".to_owned()));
        }
        let archive = query.archive(url.path());
        let checksum = query.checksum()?;
        Ok(Self {
            place: Place::Web(url),
            archive,
            checksum,
            shown: shown.into(),
        })
    }

    fn local(text: &str) -> Result<Self, DownloadError> {
        if text.is_empty() {
            return Err(DownloadError::Url {
                url: String::new(),
                problem: "it is empty".to_owned(),
            });
        }
        let (path, query) = match text.rsplit_once('?') {
            // A file name may hold a question mark.
            Some((path, query)) if !Path::new(text).exists() => (path, query),
            _ => (text, ""),
        };
        let query = Query::take(query);
        let (archive, checksum) = (query.archive(path), query.checksum()?);
        Ok(Self {
            place: Place::Local(PathBuf::from(path)),
            archive,
            checksum,
            shown: path.to_owned(),
        })
    }
}

/// The parts of a query that are for us, and the rest.
#[derive(Default)]
struct Query {
    checksum: Option<String>,
    archive: Option<String>,
    rest: Option<String>,
}

impl Query {
    fn take(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("checksum", value)) => query.checksum = Some(unescaped(value)),
                Some(("archive", value)) => query.archive = Some(unescaped(value)),
                Some(("filename", _)) => {}
                _ => rest.push(part),
            }
        }
        query.rest = (!rest.is_empty()).then(|| rest.join("&"));
        query
    }

    fn archive(&self, path: &str) -> Option<Archive> {
        match self.archive.as_deref() {
            Some("false" | "0") => None,
            Some(extension) if extension != "true" && extension != "1" => {
                Archive::of_name(&format!("a.{extension}"))
            }
            _ => Archive::of_name(path),
        }
    }

    fn checksum(&self) -> Result<Option<Checksum>, DownloadError> {
        Ok(self.checksum.as_deref().map(Checksum::parse).transpose()?)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `text` with `%41` read as `A`; what is no escape stays.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let escape = bytes.get(index + 1..index + 3).filter(|_| *byte == b'%');
        match escape.and_then(|digits| hex::decode(digits).ok()) {
            Some(decoded) => {
                plain.extend(decoded);
                index += 3;
            }
            None => {
                plain.push(*byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match Source::parse(text) {
            Ok(source) => {
                let place = match &source.place {
                    Place::Web(url) => format!("web {url}"),
                    Place::Local(path) => format!("local {}", path.display()),
                };
                let archive = source
                    .archive
                    .map(|archive| format!(" {archive:?}"))
                    .unwrap_or_default();
                let sum = source
                    .checksum
                    .as_ref()
                    .map(|sum| format!(" {sum}"))
                    .unwrap_or_default();
                format!("{place}{archive}{sum} ({})", source.file_name())
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tells_web_from_local() {
        check(
            "https://a.test/x/d.iso",
            "web https://a.test/x/d.iso (d.iso)",
        );
        check(
            "http::http://a.test/d.iso?a=b",
            "web http://a.test/d.iso?a=b (d.iso)",
        );
        check("file:///iso/d%20e.iso", "local /iso/d e.iso (d e.iso)");
        check("./d.iso", "local ./d.iso (d.iso)");
    }

    #[test]
    fn takes_its_own_parameters_out_of_the_query() {
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        check(
            &format!("https://a.test/d.iso?token=1&checksum=md5:{md5}&archive=false"),
            &format!("web https://a.test/d.iso?token=1 md5:{md5} (d.iso)"),
        );
        check(
            &format!("/x/d.iso?checksum={md5}"),
            &format!("local /x/d.iso md5:{md5} (d.iso)"),
        );
    }

    #[test]
    fn archives_are_told_by_extension_unless_turned_off() {
        check(
            "https://a.test/d.img.xz",
            "web https://a.test/d.img.xz Plain(Xz) (d.img.xz)",
        );
        check(
            "https://a.test/d.img.xz?archive=false",
            "web https://a.test/d.img.xz (d.img.xz)",
        );
        check(
            "https://a.test/d.tgz",
            "web https://a.test/d.tgz Tar(Some(Gzip)) (d.tgz)",
        );
        check(
            "https://a.test/latest?archive=zip",
            "web https://a.test/latest Zip (latest)",
        );
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        for (text, scheme) in [
            ("git::https://a.test/x.git", "git"),
            ("s3::https://s3.test/x", "s3"),
            ("gcs::https://x", "gcs"),
            ("hg::http://x", "hg"),
            ("smb://host/share/x.iso", "smb"),
            ("ftp://a.test/x.iso", "ftp"),
        ] {
            check(
                text,
                &format!(
                    "`{text}` cannot be downloaded: `{scheme}` sources are not supported, only http, https and local files"
                ),
            );
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let source = Source::parse("https://me:secret@a.test/x.iso").expect("a good url");
        assert!(!source.shown.contains("secret"), "{}", source.shown);
    }
}
