//! Calls and answers as bytes.

use std::io;

use rmp::Marker;
use rmpv::{Utf8String, Value as Wire};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest value of a message, in bytes.
pub const MAX_MESSAGE: usize = 64 << 20;

/// How deep the values of a message may nest.
const MAX_DEPTH: usize = 100;

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Service and method, for example `Builder.Run`.
    pub method: String,
    /// Which call of the stream, from zero.
    pub sequence: u64,
    /// The argument.
    pub argument: Wire,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// As in the request.
    pub method: String,
    /// As in the request.
    pub sequence: u64,
    /// The result, or what went wrong.
    pub outcome: Result<Wire, String>,
}

impl Request {
    /// The bytes of the call.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let header = map([
            ("ServiceMethod", self.method.as_str().into()),
            ("Seq", self.sequence.into()),
        ]);
        both(&header, &self.argument)
    }

    /// Reads one call; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// Of the stream, and when what comes is no call or too long. Nothing after it can be read.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let Some((header, argument)) = pair(stream).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            method: text(&header, "ServiceMethod")?,
            sequence: number(&header, "Seq")?,
            argument,
        }))
    }
}

impl Response {
    /// The bytes of the answer.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let error = self.outcome.as_ref().err();
        let header = map([
            ("ServiceMethod", self.method.as_str().into()),
            ("Seq", self.sequence.into()),
            ("Error", error.map_or("", String::as_str).into()),
        ]);
        match &self.outcome {
            Ok(result) => both(&header, result),
            Err(_) => both(&header, &Wire::Map(Vec::new())),
        }
    }

    /// Reads one answer; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// Of the stream, and when what comes is no answer or too long. Nothing after it can be read.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let Some((header, body)) = pair(stream).await? else {
            return Ok(None);
        };
        let error = text(&header, "Error")?;
        Ok(Some(Self {
            method: text(&header, "ServiceMethod")?,
            sequence: number(&header, "Seq")?,
            outcome: if error.is_empty() {
                Ok(body)
            } else {
                Err(error)
            },
        }))
    }
}

/// A map with text keys.
pub(crate) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Wire)>) -> Wire {
    let entries = entries.into_iter();
    Wire::Map(entries.map(|(key, value)| (key.into(), value)).collect())
}

/// The bytes of one value.
///
/// # Panics
///
/// Never: memory takes every write.
#[must_use]
pub fn bytes_of(value: &Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).expect("memory takes every write");
    bytes
}

/// The entry of a map; null when it is missing, as Go reads structures.
pub(crate) fn field<'a>(map: &'a Wire, key: &str) -> &'a Wire {
    static MISSING: Wire = Wire::Nil;
    let Wire::Map(entries) = map else {
        return &MISSING;
    };
    let found = entries.iter().find(|(name, _)| as_text(name) == Some(key));
    found.map_or(&MISSING, |(_, value)| value)
}

/// Text, also when it came as bytes.
pub(crate) fn as_text(value: &Wire) -> Option<&str> {
    match value {
        Wire::String(text) => text.as_str(),
        Wire::Binary(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Text as Go may hold it: what is no UTF-8 is replaced; null is empty.
pub(crate) fn lossy_text(value: &Wire) -> Option<String> {
    match value {
        Wire::Nil => Some(String::new()),
        Wire::String(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        Wire::Binary(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

fn both(header: &Wire, body: &Wire) -> Vec<u8> {
    let mut bytes = bytes_of(header);
    rmpv::encode::write_value(&mut bytes, body).expect("memory takes every write");
    bytes
}

fn text(header: &Wire, key: &str) -> io::Result<String> {
    lossy_text(field(header, key)).ok_or_else(|| invalid("header of a message"))
}

fn number(header: &Wire, key: &str) -> io::Result<u64> {
    let number = field(header, key).as_u64();
    number.ok_or_else(|| invalid("header of a message"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a valid {what}"))
}

async fn pair(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Wire, Wire)>> {
    let Some(header) = value(stream).await? else {
        return Ok(None);
    };
    if !matches!(header, Wire::Map(_)) {
        return Err(invalid("header of a message"));
    }
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let body = value(stream).await?.ok_or_else(cut)?;
    Ok(Some((header, body)))
}

/// Reads one value; `None` when the stream ends before it.
async fn value(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Wire>> {
    let mut bytes = Vec::new();
    // Values still to come; those of a list or map are known by its length.
    let mut missing: usize = 1;
    while missing > 0 {
        let first = match stream.read_u8().await {
            Ok(first) => first,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && bytes.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        bytes.push(first);
        let (payload, inner) = shape(first, stream, &mut bytes).await?;
        missing = missing - 1 + inner;
        // Every value takes a byte at least.
        let least = bytes.len().saturating_add(payload).saturating_add(missing);
        if least > MAX_MESSAGE {
            return Err(invalid("message: it is too long"));
        }
        let start = bytes.len();
        bytes.resize(start + payload, 0);
        stream.read_exact(&mut bytes[start..]).await?;
    }
    let read = rmpv::decode::read_value_with_max_depth(&mut bytes.as_slice(), MAX_DEPTH);
    read.map(Some).map_err(|_| invalid("message"))
}

/// How many bytes and how many values follow a marker; lengths are read and kept in `bytes`.
async fn shape(
    first: u8,
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> io::Result<(usize, usize)> {
    let width = match Marker::from_u8(first) {
        Marker::Str8 | Marker::Bin8 | Marker::Ext8 => 1,
        Marker::Str16 | Marker::Bin16 | Marker::Ext16 | Marker::Array16 | Marker::Map16 => 2,
        Marker::Str32 | Marker::Bin32 | Marker::Ext32 | Marker::Array32 | Marker::Map32 => 4,
        _ => 0,
    };
    let start = bytes.len();
    bytes.resize(start + width, 0);
    stream.read_exact(&mut bytes[start..]).await?;
    let length = bytes[start..]
        .iter()
        .fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte));
    Ok(match Marker::from_u8(first) {
        Marker::FixStr(length) => (length.into(), 0),
        Marker::FixArray(length) => (0, length.into()),
        Marker::FixMap(length) => (0, 2 * usize::from(length)),
        Marker::Array16 | Marker::Array32 => (0, length),
        Marker::Map16 | Marker::Map32 => (0, length.saturating_mul(2)),
        Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => (length + 1, 0),
        Marker::U8 | Marker::I8 => (1, 0),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => (2, 0),
        Marker::FixExt2 => (3, 0),
        Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
        Marker::FixExt4 => (5, 0),
        Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
        Marker::FixExt8 => (9, 0),
        Marker::FixExt16 => (17, 0),
        _ => (length, 0),
    })
}

/// Text for the wire.
pub(crate) fn wire_text(text: impl Into<String>) -> Wire {
    Wire::String(Utf8String::from(text.into()))
}
