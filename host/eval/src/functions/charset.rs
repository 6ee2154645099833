//! Character sets by their registered names.
//!
//! The names are those of the IANA registry, in either case; those that browsers have besides are
//! not, and neither are code pages of IBM, which nothing here can write.

use encoding_rs::Encoding;

use super::FunctionError;

/// A way to write text as bytes.
pub(super) enum Charset {
    /// With a mark of the byte order in front or not.
    Utf16 { big_endian: bool, mark: bool },
    /// Seven bits.
    Ascii,
    /// One of [`encoding_rs`], which has the letters of Windows where ISO 8859 has controls.
    WithControls(&'static Encoding),
    /// One of [`encoding_rs`], as it is.
    Other(&'static Encoding),
}

/// Names in small letters, beginning with the one that the library knows.
const NAMES: [&[&str]; 40] = [
    &["big5", "csbig5"],
    &["euc-kr", "cseuckr"],
    &[
        "euc-jp",
        "cseucpkdfmtjapanese",
        "extended_unix_code_packed_format_for_japanese",
    ],
    &["gb18030", "csgb18030"],
    &["gbk", "cp936", "csgbk", "ms936", "windows-936"],
    &["ibm866", "866", "cp866", "csibm866"],
    &["iso-2022-jp", "csiso2022jp"],
    &[
        "iso-8859-10",
        "csisolatin6",
        "iso-ir-157",
        "iso_8859-10:1992",
        "l6",
        "latin6",
    ],
    &["iso-8859-13", "csiso885913"],
    &[
        "iso-8859-14",
        "csiso885914",
        "iso-celtic",
        "iso-ir-199",
        "iso_8859-14",
        "iso_8859-14:1998",
        "l8",
        "latin8",
    ],
    &["iso-8859-15", "csiso885915", "iso_8859-15", "latin-9"],
    &[
        "iso-8859-16",
        "csiso885916",
        "iso-ir-226",
        "iso_8859-16",
        "iso_8859-16:2001",
        "l10",
        "latin10",
    ],
    &[
        "iso-8859-1",
        "cp819",
        "csisolatin1",
        "ibm819",
        "iso-ir-100",
        "iso_8859-1",
        "iso_8859-1:1987",
        "l1",
        "latin1",
    ],
    &[
        "iso-8859-2",
        "csisolatin2",
        "iso-ir-101",
        "iso_8859-2",
        "iso_8859-2:1987",
        "l2",
        "latin2",
    ],
    &[
        "iso-8859-3",
        "csisolatin3",
        "iso-ir-109",
        "iso_8859-3",
        "iso_8859-3:1988",
        "l3",
        "latin3",
    ],
    &[
        "iso-8859-4",
        "csisolatin4",
        "iso-ir-110",
        "iso_8859-4",
        "iso_8859-4:1988",
        "l4",
        "latin4",
    ],
    &[
        "iso-8859-5",
        "csisolatincyrillic",
        "cyrillic",
        "iso-ir-144",
        "iso_8859-5",
        "iso_8859-5:1988",
    ],
    &["iso-8859-6-e", "csiso88596e", "iso_8859-6-e"],
    &["iso-8859-6-i", "csiso88596i", "iso_8859-6-i"],
    &[
        "iso-8859-6",
        "arabic",
        "asmo-708",
        "csisolatinarabic",
        "ecma-114",
        "iso-ir-127",
        "iso_8859-6",
        "iso_8859-6:1987",
    ],
    &[
        "iso-8859-7",
        "csisolatingreek",
        "ecma-118",
        "elot_928",
        "greek",
        "greek8",
        "iso-ir-126",
        "iso_8859-7",
        "iso_8859-7:1987",
    ],
    &["iso-8859-8-e", "csiso88598e", "iso_8859-8-e"],
    &["iso-8859-8-i", "csiso88598i", "iso_8859-8-i"],
    &[
        "iso-8859-8",
        "csisolatinhebrew",
        "hebrew",
        "iso-ir-138",
        "iso_8859-8",
        "iso_8859-8:1988",
    ],
    &[
        "iso-8859-9",
        "csisolatin5",
        "iso-ir-148",
        "iso_8859-9",
        "iso_8859-9:1989",
        "l5",
        "latin5",
    ],
    &["koi8-r", "cskoi8r"],
    &["koi8-u", "cskoi8u"],
    &["shift_jis", "csshiftjis", "ms_kanji"],
    &["utf-8", "csutf8"],
    &["macintosh", "csmacintosh", "mac"],
    &["windows-1250", "cswindows1250"],
    &["windows-1251", "cswindows1251"],
    &["windows-1252", "cswindows1252"],
    &["windows-1253", "cswindows1253"],
    &["windows-1254", "cswindows1254"],
    &["windows-1255", "cswindows1255"],
    &["windows-1256", "cswindows1256"],
    &["windows-1257", "cswindows1257"],
    &["windows-1258", "cswindows1258"],
    &["windows-874", "cswindows874"],
];

const ASCII: [&str; 10] = [
    "us-ascii",
    "ansi_x3.4-1968",
    "ansi_x3.4-1986",
    "cp367",
    "csascii",
    "ibm367",
    "iso-ir-6",
    "iso646-us",
    "iso_646.irv:1991",
    "us",
];

/// The character set of a name, which is the second argument of a call.
pub(super) fn charset(name: &str) -> Result<Charset, FunctionError> {
    let wanted = name.trim().to_ascii_lowercase();
    let utf16 = |big_endian, mark| Charset::Utf16 { big_endian, mark };
    Ok(match wanted.as_str() {
        "utf-16le" | "csutf16le" => utf16(false, false),
        "utf-16be" | "csutf16be" => utf16(true, false),
        "utf-16" | "csutf16" => utf16(true, true),
        ascii if ASCII.contains(&ascii) => Charset::Ascii,
        other => {
            let names = NAMES.iter().find(|names| names.contains(&other));
            let label = names.and_then(|names| names.first());
            let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
            let encoding = encoding.ok_or_else(|| {
                FunctionError::call_at(
                    1,
                    format!("{name:?} is not a supported IANA encoding name or alias"),
                )
            })?;
            match label.copied() {
                Some("iso-8859-1" | "iso-8859-9") => Charset::WithControls(encoding),
                _ => Charset::Other(encoding),
            }
        }
    })
}

/// Whether a byte is a control character of ISO 8859.
fn is_control(byte: u8) -> bool {
    (0x80..=0x9f).contains(&byte)
}

/// Writes text; `None` when a character has no place in `encoding` or among its controls.
pub(super) fn encode_with_controls(text: &str, encoding: &'static Encoding) -> Option<Vec<u8>> {
    let one = |character: char| {
        if let Ok(byte) = u8::try_from(u32::from(character))
            && is_control(byte)
        {
            return Some(byte);
        }
        let mut space = [0; 4];
        let (bytes, _, failed) = encoding.encode(character.encode_utf8(&mut space));
        let byte = *bytes.first()?;
        (!failed && !is_control(byte)).then_some(byte)
    };
    text.chars().map(one).collect()
}

/// Reads text.
pub(super) fn decode_with_controls(bytes: &[u8], encoding: &'static Encoding) -> String {
    let mut text = String::new();
    for byte in bytes {
        if is_control(*byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&encoding.decode_without_bom_handling(&[*byte]).0);
        }
    }
    text
}
