//! Base64, gzip, character sets, and escapes for URLs.

use std::io::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::value::Value;

use super::arguments::text;
use super::charset::{Charset, charset, decode_with_controls, encode_with_controls};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

const STRING: ResultType = ResultType::Is(Kind::String);
const ONE: &[Parameter] = &[Parameter::new("str", Kind::String)];
const WITH_ENCODING: &[Parameter] = &[
    Parameter::new("string", Kind::String),
    Parameter::new("encoding", Kind::String),
];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base64encode", ONE, STRING, |_, args| {
        Ok(Value::string(STANDARD.encode(text(&args, 0))))
    }),
    Function::new("base64decode", ONE, STRING, |_, args| {
        String::from_utf8(decode(&args, 0)?)
            .map(Value::string)
            .map_err(|_| {
                FunctionError::call_at(
                    0,
                    "the result of decoding the provided string is not valid UTF-8",
                )
            })
    }),
    Function::new("base64gzip", ONE, STRING, base64_gzip),
    Function::new("textencodebase64", WITH_ENCODING, STRING, |_, args| {
        let bytes = encode_text(text(&args, 0), text(&args, 1))?;
        Ok(Value::string(STANDARD.encode(bytes)))
    }),
    Function::new("textdecodebase64", WITH_ENCODING, STRING, |_, args| {
        decode_text(&decode(&args, 0)?, text(&args, 1)).map(Value::string)
    }),
    Function::new("urlencode", ONE, STRING, |_, args| {
        Ok(Value::string(url_encode(text(&args, 0))))
    }),
];

/// The bytes that base64 text stands for; line breaks in it are ignored.
pub(super) fn decode(args: &[Value], at: usize) -> Result<Vec<u8>, FunctionError> {
    let text: String = text(args, at)
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    // As Go, bits that the last character has to spare may have any value.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    LENIENT.decode(text).map_err(|error| {
        FunctionError::call_at(at, format!("failed to decode base64 data: {error}"))
    })
}

fn base64_gzip(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    // Compressing takes much longer than copying.
    context.limits.spend(text(&args, 0).len() / 16)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let zipped = encoder
        .write_all(text(&args, 0).as_bytes())
        .and_then(|()| encoder.finish());
    let zipped =
        zipped.map_err(|error| FunctionError::new(format!("failed to compress: {error}")))?;
    Ok(Value::string(STANDARD.encode(zipped)))
}

fn encode_text(text: &str, name: &str) -> Result<Vec<u8>, FunctionError> {
    let problem = || {
        FunctionError::call_at(
            0,
            format!("the given string contains characters that cannot be represented in {name}"),
        )
    };
    match charset(name)? {
        Charset::Utf16 { big_endian, mark } => {
            let units = mark
                .then_some(0xfeff)
                .into_iter()
                .chain(text.encode_utf16());
            let bytes = |unit: u16| {
                if big_endian {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            };
            Ok(units.flat_map(bytes).collect())
        }
        Charset::WithControls(encoding) => encode_with_controls(text, encoding).ok_or_else(problem),
        Charset::Ascii if text.is_ascii() => Ok(text.as_bytes().to_vec()),
        Charset::Ascii => Err(problem()),
        Charset::Other(encoding) => match encoding.encode(text) {
            (_, _, true) => Err(problem()),
            (bytes, _, false) => Ok(bytes.into_owned()),
        },
    }
}

fn decode_text(bytes: &[u8], name: &str) -> Result<String, FunctionError> {
    let problem = || {
        FunctionError::call_at(
            0,
            format!("the given string contains symbols that are not defined for {name}"),
        )
    };
    match charset(name)? {
        Charset::Utf16 { big_endian, mark } => {
            if !bytes.len().is_multiple_of(2) {
                return Err(problem());
            }
            let pairs = || bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
            let (big_endian, skip) = match pairs().next() {
                Some([0xff, 0xfe]) if mark => (false, 1),
                Some([0xfe, 0xff]) if mark => (true, 1),
                _ => (big_endian, 0),
            };
            let unit = |pair| {
                if big_endian {
                    u16::from_be_bytes(pair)
                } else {
                    u16::from_le_bytes(pair)
                }
            };
            let units: Vec<u16> = pairs().skip(skip).map(unit).collect();
            String::from_utf16(&units).map_err(|_| problem())
        }
        Charset::WithControls(encoding) => Ok(decode_with_controls(bytes, encoding)),
        Charset::Ascii if bytes.is_ascii() => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        Charset::Ascii => Err(problem()),
        Charset::Other(encoding) => encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(problem),
    }
}

/// As in the query of a URL: a space becomes `+`.
fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
