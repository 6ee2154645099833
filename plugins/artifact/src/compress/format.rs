//! Which archive and compression a name asks for.

/// How several files become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// They do not: there is one file only.
    None,
    /// Tar.
    Tar,
    /// Zip, which compresses by itself.
    Zip,
}

/// How bytes become fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// They do not.
    None,
    /// Gzip, on all cores.
    Gzip,
    /// Blocked gzip, on all cores.
    Bgzf,
    /// LZ4 frames.
    Lz4,
    /// XZ, on all cores.
    Xz,
    /// Bzip2.
    Bzip2,
    /// Zstandard, on all cores.
    Zstd,
}

impl Compression {
    fn of_suffix(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "gz" => Self::Gzip,
            "bgzf" => Self::Bgzf,
            "lz4" => Self::Lz4,
            "xz" => Self::Xz,
            "bz2" | "bzip2" => Self::Bzip2,
            "zst" | "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// The name in messages; `None` for no compression.
    pub fn packer_name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("pgzip"),
            Self::Bgzf => Some("bgzf"),
            Self::Lz4 => Some("lz4"),
            Self::Xz => Some("xz"),
            Self::Bzip2 => Some("bzip2"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Container and compression together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How several files become one.
    pub container: Container,
    /// How bytes become fewer.
    pub compression: Compression,
}

impl Format {
    /// Whether `format`, the option, names something that can be written.
    pub fn is_known(format: &str) -> bool {
        let last = format.rsplit('.').next().unwrap_or_default();
        matches!(last, "tar" | "zip") || Compression::of_suffix(last).is_some()
    }

    /// What the raw (not rendered) `output` and the `format` option ask for; a gzipped tar when they
    /// ask for nothing known.
    ///
    /// # Source
    ///
    /// Packer looks at the last two groups of a dot and `[a-z0-9]+` anywhere in the raw text; `zst`
    /// and `bz2` are ours.
    pub fn detect(output: &str, format: &str) -> Self {
        let text = if format.is_empty() {
            output.to_owned()
        } else {
            format!("{output}.{format}")
        };
        let suffixes = suffixes(&text);
        let last = suffixes.last().map_or("", String::as_str);
        let before = suffixes.iter().rev().nth(1).map_or("", String::as_str);
        let compression = match last {
            "tar" => {
                return Self {
                    container: Container::Tar,
                    compression: Compression::None,
                };
            }
            "zip" => {
                return Self {
                    container: Container::Zip,
                    compression: Compression::None,
                };
            }
            _ => Compression::of_suffix(last),
        };
        match compression {
            Some(compression) if before == "tar" => Self {
                container: Container::Tar,
                compression,
            },
            Some(compression) => Self {
                container: Container::None,
                compression,
            },
            None => Self {
                container: Container::Tar,
                compression: Compression::Gzip,
            },
        }
    }
}

/// Every `.word` of lower-case letters and digits in the text, in order, without the dot.
fn suffixes(text: &str) -> Vec<String> {
    text.split('.')
        .skip(1)
        .map(|piece| {
            piece
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_chooses_the_format_and_the_option_goes_before_it() {
        use Compression as C;
        use Container as K;
        for (output, format, container, compression) in [
            (
                "packer_{{.BuildName}}_{{.BuilderType}}",
                "",
                K::Tar,
                C::Gzip,
            ),
            ("out/image", "", K::Tar, C::Gzip),
            ("image.tar.gz", "", K::Tar, C::Gzip),
            ("image.tar", "", K::Tar, C::None),
            ("image.zip", "", K::Zip, C::None),
            ("image.gz", "", K::None, C::Gzip),
            ("image.tar.zst", "", K::Tar, C::Zstd),
            ("{{.BuildName}}.xz", "", K::None, C::Xz),
            ("image", "tar.lz4", K::Tar, C::Lz4),
            ("image.gz", "zip", K::Zip, C::None),
            ("image.unknown", "", K::Tar, C::Gzip),
        ] {
            assert_eq!(
                Format::detect(output, format),
                Format {
                    container,
                    compression
                },
                "{output} {format}"
            );
        }
    }
}
