//! Messages on standard input and output: a header with the length, then JSON.
//!
//! What is no message does not end the session: it is told, and reading goes on behind it.

use std::io::{self, BufRead, Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};

/// Longest message that is read, in bytes; an editor sends whole documents as one.
const LONGEST_MESSAGE: usize = 256 << 20;
/// Longest line of a header.
const LONGEST_HEADER: u64 = 4096;
/// The header that counts, in small letters.
const LENGTH_HEADER: &str = "content-length:";

/// The codes of JSON-RPC and the protocol that are used here.
pub(crate) mod code {
    pub(crate) const PARSE_ERROR: i32 = -32700;
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    pub(crate) const INVALID_PARAMS: i32 = -32602;
    pub(crate) const INTERNAL_ERROR: i32 = -32603;
    pub(crate) const NOT_INITIALIZED: i32 = -32002;
    pub(crate) const CANCELLED: i32 = -32800;
    pub(crate) const REQUEST_FAILED: i32 = -32803;
}

/// A message as it came: a request has `id` and `method`, a notification only `method`, the answer
/// to a request of ours only `id`.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    #[serde(default)]
    pub(crate) id: Option<Value>,
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) params: Value,
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Message),
    /// Something that is no message; the code and text say why.
    Malformed(i32, String),
}

/// The next message; `None` at the end of the input.
///
/// # Errors
///
/// When reading fails.
pub(crate) fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = read_header(input)? else {
        return Ok(None);
    };
    if length > LONGEST_MESSAGE {
        // Its content is read as headers, which are skipped up to the next one that is sound.
        let text = format!("A message of {length} bytes is longer than {LONGEST_MESSAGE}.");
        return Ok(Some(Incoming::Malformed(code::INVALID_REQUEST, text)));
    }
    let mut content = Vec::new();
    input
        .by_ref()
        .take(length as u64)
        .read_to_end(&mut content)?;
    if content.len() < length {
        return Ok(None);
    }
    Ok(Some(message_of(&content)))
}

fn message_of(content: &[u8]) -> Incoming {
    let value = match serde_json::from_slice::<Value>(content) {
        Ok(value) => value,
        Err(error) => return Incoming::Malformed(code::PARSE_ERROR, error.to_string()),
    };
    let invalid = |text: String| Incoming::Malformed(code::INVALID_REQUEST, text);
    if !value.is_object() {
        return invalid("A message is an object.".to_owned());
    }
    match serde_json::from_value::<Message>(value) {
        Ok(message) if message.id.is_some() || message.method.is_some() => {
            Incoming::Message(message)
        }
        Ok(_) => invalid("The message has neither a method nor an id.".to_owned()),
        Err(error) => invalid(error.to_string()),
    }
}

/// The length that the next header gives; lines that are no header are skipped. `None` at the end of
/// the input.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<usize>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        let read = input
            .by_ref()
            .take(LONGEST_HEADER)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            if length.is_some() {
                return Ok(length);
            }
            continue;
        }
        // Garbage may stand before a header on its line.
        let lower = line.to_ascii_lowercase();
        if let Some(at) = lower.rfind(LENGTH_HEADER) {
            length = line[at + LENGTH_HEADER.len()..].trim().parse().ok();
        }
    }
}

/// Writes one message.
///
/// # Errors
///
/// When writing fails.
pub(crate) fn write(output: &mut impl Write, message: &Value) -> io::Result<()> {
    let text = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

/// The answer to request `id`.
pub(crate) fn answer(id: &Value, result: Result<Value, (i32, String)>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => json!({
            "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message },
        }),
    }
}

/// A notification.
pub(crate) fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(incoming) = read(&mut bytes).expect("reading memory") {
            found.push(match incoming {
                Incoming::Message(message) => message.method.unwrap_or_default(),
                Incoming::Malformed(code, _) => code.to_string(),
            });
        }
        found
    }

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    #[test]
    fn messages_are_read_behind_everything_that_is_none() {
        let good = framed(r#"{"method":"good"}"#);
        assert_eq!(all(good.as_bytes()), ["good"]);
        let text = format!("garbage\nContent-Length: x\r\n\r\n{}{good}", framed("{"));
        assert_eq!(all(text.as_bytes()), ["-32700", "good"]);
        let text = format!("{}{}{good}", framed("[1]"), framed("{}"));
        assert_eq!(all(text.as_bytes()), ["-32600", "-32600", "good"]);
        let short = format!("Content-Length: 2\r\n\r\n{{}}:rest {good}");
        assert_eq!(all(short.as_bytes()), ["-32600", "good"]);
        let huge = format!("Content-Length: 99999999999999\r\n\r\nabc\n{good}");
        assert_eq!(all(huge.as_bytes()), ["-32600", "good"]);
    }

    #[test]
    fn bytes_that_are_no_text_and_half_messages_are_no_message() {
        assert_eq!(all(b"Content-Length: 2\r\n\r\n\xff\xfe"), ["-32700"]);
        assert_eq!(all(b"Content-Length: 20\r\n\r\n{}"), [""; 0]);
        assert_eq!(all(b"\xff\xff\n\n"), [""; 0]);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, &notification("é", json!({}))).expect("writing memory");
        assert_eq!(all(&bytes), ["é"]);
    }
}
