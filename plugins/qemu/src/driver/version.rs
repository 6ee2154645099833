//! QEMU's version.

/// The version of QEMU, as far as the command line depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// First number.
    pub(crate) major: u32,
    /// As QEMU tells it, for example `7.2.22`.
    pub(crate) text: String,
}

impl Version {
    /// Reads the answer to `-version`; the first number with a point in it counts.
    pub(crate) fn parse(answer: &str) -> Option<Self> {
        let text = answer
            .split(|sign: char| !(sign.is_ascii_digit() || sign == '.'))
            .find(|word| {
                word.contains('.') && word.starts_with(|sign: char| sign.is_ascii_digit())
            })?
            .trim_end_matches('.');
        Some(Self {
            major: text.split('.').next()?.parse().ok()?,
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, expected: Option<(u32, &str)>) {
        let found = Version::parse(answer);
        let found = found
            .as_ref()
            .map(|version| (version.major, version.text.as_str()));
        assert_eq!(found, expected, "{answer}");
    }

    #[test]
    fn reads_what_qemu_answers() {
        check(
            "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)",
            Some((7, "7.2.22")),
        );
        check(
            "QEMU emulator version 10.0.0\nCopyright (c) 2003-2025",
            Some((10, "10.0.0")),
        );
        check("QEMU emulator version 1.7.1, Copyright", Some((1, "1.7.1")));
        check("command not found", None);
    }
}
