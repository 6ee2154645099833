//! Which archive and compression a name asks for.

use kiln_sdk::archive::{Compression, Container};

fn of_suffix(suffix: &str) -> Option<Compression> {
    Some(match suffix {
        "gz" => Compression::Gzip,
        "bgzf" => Compression::Bgzf,
        "lz4" => Compression::Lz4,
        "xz" => Compression::Xz,
        "bz2" | "bzip2" => Compression::Bzip2,
        "zst" | "zstd" => Compression::Zstd,
        _ => return None,
    })
}

/// The name of a compression in messages; `None` for none.
pub fn packer_name(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("pgzip"),
        Compression::Bgzf => Some("bgzf"),
        Compression::Lz4 => Some("lz4"),
        Compression::Xz => Some("xz"),
        Compression::Bzip2 => Some("bzip2"),
        Compression::Zstd => Some("zstd"),
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
    /// Whether the two options name a format at their end.
    pub fn is_known(output: &str, format: &str) -> bool {
        let suffixes = suffixes(&text(output, format));
        suffixes.last().is_some_and(|last| {
            matches!(last.as_str(), "tar" | "zip" | "tgz") || of_suffix(last).is_some()
        })
    }

    /// What the raw (not rendered) `output` and the `format` option ask for; a gzipped tar when they
    /// ask for nothing known.
    ///
    /// # Source
    ///
    /// Packer looks at the last two groups of a dot and `[a-z0-9]+` anywhere in the raw text; `zst`
    /// and `bz2` are ours.
    pub fn detect(output: &str, format: &str) -> Self {
        let suffixes = suffixes(&text(output, format));
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
            _ => of_suffix(last),
        };
        match compression {
            Some(compression) if before == "tar" => Self {
                container: Container::Tar,
                compression,
            },
            Some(compression) => Self {
                container: Container::Single,
                compression,
            },
            None => Self {
                container: Container::Tar,
                compression: Compression::Gzip,
            },
        }
    }
}

/// The text that names the format.
fn text(output: &str, format: &str) -> String {
    match format {
        "" => output.to_owned(),
        format => format!("{output}.{format}"),
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
            ("image.gz", "", K::Single, C::Gzip),
            ("image.tar.zst", "", K::Tar, C::Zstd),
            ("{{.BuildName}}.xz", "", K::Single, C::Xz),
            ("image", "tar.lz4", K::Tar, C::Lz4),
            ("image.gz", "zip", K::Zip, C::None),
            ("image.unknown", "", K::Tar, C::Gzip),
            ("image.gz", "rar", K::Tar, C::Gzip),
            ("image", "tgz", K::Tar, C::Gzip),
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

    #[test]
    fn only_a_name_at_the_end_is_a_known_format() {
        for (output, format, known) in [
            ("image", "tar.gz", true),
            ("image", "tgz", true),
            ("image", "bzip2", true),
            ("image.gz", "rar", false),
            ("image", "TAR.GZ", false),
            ("image", "gz.", true),
            ("image", "", false),
        ] {
            assert_eq!(Format::is_known(output, format), known, "{output} {format}");
        }
    }
}
