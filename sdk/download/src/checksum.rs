//! Checksums: how templates write them, and computing them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// The hash functions a checksum can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5, 32 hexadecimal digits.
    Md5,
    /// SHA-1, 40 hexadecimal digits.
    Sha1,
    /// SHA-256, 64 hexadecimal digits.
    Sha256,
    /// SHA-512, 128 hexadecimal digits.
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name templates use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Hexadecimal digits of a checksum.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let plain = name.to_ascii_lowercase().replace('-', "");
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == plain)
    }

    fn of_length(digits: usize) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.digits() == digits)
    }
}

/// A checksum; its text form is `sha256:` and lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    hex: String,
}

/// Text that is no checksum.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumError {
    /// There is none.
    #[error("it is empty; use `none` to build without verification")]
    Empty,
    /// The type is not known.
    #[error("`{0}` is not a checksum type; use md5, sha1, sha256, sha512, file or none")]
    Type(String),
    /// The digits are not hexadecimal.
    #[error("`{0}` is not hexadecimal")]
    Digits(String),
    /// There are too many or too few digits.
    #[error("it has {found} hexadecimal digits, {name} needs {expected}", name = algorithm.name(), expected = algorithm.digits())]
    Length {
        /// The type it should have.
        algorithm: Algorithm,
        /// Digits found.
        found: usize,
    },
    /// The type cannot be told from the number of digits.
    #[error(
        "{0} hexadecimal digits fit no checksum type: md5 has 32, sha1 40, sha256 64, sha512 128"
    )]
    Untyped(usize),
    /// Looks like a URL of an image, not of a checksum.
    #[error("`{0}` ends in .iso, so it is an image and not a checksum")]
    Image(String),
    /// The checksum file does not speak of the image.
    #[error("`{file}` has no checksum for {wanted}; it lists {listed}")]
    NotListed {
        /// The checksum file.
        file: String,
        /// Names that were looked for.
        wanted: String,
        /// Names it has.
        listed: String,
    },
}

impl Checksum {
    /// Reads `sha256:HEX`, or hexadecimal digits whose number tells the type.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ChecksumError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ChecksumError::Empty);
        }
        match text.split_once(':') {
            Some((name, digits)) => {
                let algorithm =
                    Algorithm::named(name).ok_or_else(|| ChecksumError::Type(name.to_owned()))?;
                Self::new(algorithm, digits)
            }
            None => {
                hexadecimal(text)?;
                let algorithm =
                    Algorithm::of_length(text.len()).ok_or(ChecksumError::Untyped(text.len()))?;
                Self::new(algorithm, text)
            }
        }
    }

    /// A checksum of a known type.
    ///
    /// # Errors
    ///
    /// [`ChecksumError::Digits`] and [`ChecksumError::Length`].
    pub fn new(algorithm: Algorithm, digits: &str) -> Result<Self, ChecksumError> {
        hexadecimal(digits)?;
        if digits.len() != algorithm.digits() {
            return Err(ChecksumError::Length {
                algorithm,
                found: digits.len(),
            });
        }
        Ok(Self {
            algorithm,
            hex: digits.to_ascii_lowercase(),
        })
    }

    /// Its type.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The checksum of a file, by the same hash function. `watch` hears of the bytes read so far
    /// and ends the work by returning an error.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or what `watch` returns.
    pub fn of_file(
        &self,
        path: &Path,
        watch: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = Hasher::new(self.algorithm);
        let mut buffer = vec![0; 1 << 18];
        let mut read = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(Self {
                    algorithm: self.algorithm,
                    hex: hasher.finish(),
                });
            }
            hasher.update(&buffer[..count]);
            read += count as u64;
            watch(read)?;
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

/// What `iso_checksum` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChecksumSpec {
    /// Nothing is verified.
    None,
    /// This checksum.
    Known(Checksum),
    /// The one that a checksum file has for the image; a path or URL.
    File(String),
}

impl ChecksumSpec {
    /// Reads the option: `none`, `HEX`, `TYPE:HEX` or `file:PATH-or-URL`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, ChecksumError> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        if text.to_ascii_lowercase().ends_with(".iso") {
            return Err(ChecksumError::Image(text.to_owned()));
        }
        match text.strip_prefix("file:") {
            Some("") => Err(ChecksumError::Empty),
            Some(place) => Ok(Self::File(place.to_owned())),
            None => Checksum::parse(text).map(Self::Known),
        }
    }
}

/// The SHA-1 of a text in hexadecimal digits, the name of things in the cache.
pub(crate) fn sha1_hex(text: &str) -> String {
    hex::encode(Sha1::digest(text.as_bytes()))
}

fn hexadecimal(text: &str) -> Result<(), ChecksumError> {
    if text.is_empty() {
        return Err(ChecksumError::Empty);
    }
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(ChecksumError::Digits(text.to_owned()))
}

enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Md5(hasher) => hex::encode(hasher.finalize()),
            Self::Sha1(hasher) => hex::encode(hasher.finalize()),
            Self::Sha256(hasher) => hex::encode(hasher.finalize()),
            Self::Sha512(hasher) => hex::encode(hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match ChecksumSpec::parse(text) {
            Ok(ChecksumSpec::None) => "none".to_owned(),
            Ok(ChecksumSpec::Known(checksum)) => checksum.to_string(),
            Ok(ChecksumSpec::File(place)) => format!("file {place}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn reads_every_form() {
        check("none", "none");
        check(
            "D41D8CD98F00B204E9800998ECF8427E",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
        );
        check(
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        );
        check(&"a".repeat(64), &format!("sha256:{}", "a".repeat(64)));
        check(
            &format!("SHA-512:{}", "0".repeat(128)),
            &format!("sha512:{}", "0".repeat(128)),
        );
        check("file:./SHA256SUMS", "file ./SHA256SUMS");
        check(
            "file:https://example.test/sums",
            "file https://example.test/sums",
        );
    }

    #[test]
    fn says_what_is_wrong() {
        check("", "it is empty; use `none` to build without verification");
        check(
            "sha3:00",
            "`sha3` is not a checksum type; use md5, sha1, sha256, sha512, file or none",
        );
        check("sha1:00", "it has 2 hexadecimal digits, sha1 needs 40");
        check("abcdeg", "`abcdeg` is not hexadecimal");
        check(
            "abcd",
            "4 hexadecimal digits fit no checksum type: md5 has 32, sha1 40, sha256 64, sha512 128",
        );
        check(
            "file:https://example.test/a.iso",
            "`file:https://example.test/a.iso` ends in .iso, so it is an image and not a checksum",
        );
    }

    #[test]
    fn computes_with_the_type_it_has() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").expect("file is made");
        for expected in [
            "md5:900150983cd24fb0d6963f7d28e17f72",
            "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ] {
            let checksum = Checksum::parse(expected).expect("a good checksum");
            let found = checksum.of_file(&path, &mut |_| Ok(())).expect("readable");
            assert_eq!(found.to_string(), expected);
        }
    }
}
