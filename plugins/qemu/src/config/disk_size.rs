//! Sizes of virtual disks as templates write them.

/// The size of the primary disk, as `qemu-img` reads it: digits and a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiskSize(String);

/// What an unset size becomes, 40 GiB.
const DEFAULT: &str = "40960M";

impl DiskSize {
    /// Reads the option `disk_size`: digits and at most one of `b k m g t` in either case; a bare
    /// number counts MiB. Empty and `0` are the default. `None` when it is none of these.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if matches!(text, "" | "0") {
            return Some(Self(DEFAULT.to_owned()));
        }
        let digits = text.trim_end_matches(|sign: char| "bkmgtBKMGT".contains(sign));
        let unit_length = text.len() - digits.len();
        let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match (numeric, unit_length) {
            (true, 0) => Some(Self(format!("{text}M"))),
            (true, 1) => Some(Self(text.to_owned())),
            _ => None,
        }
    }

    /// As `qemu-img` takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            DiskSize::parse(text).as_ref().map(DiskSize::as_str),
            expected,
            "{text}"
        );
    }

    #[test]
    fn reads_sizes_as_packer_does() {
        check("", Some("40960M"));
        check("0", Some("40960M"));
        check("8192", Some("8192M"));
        check("10G", Some("10G"));
        check("512k", Some("512k"));
        check("1000b", Some("1000b"));
        check("10GB", None);
        check("1.5G", None);
        check("G", None);
        check("ten", None);
    }
}
