//! Sealed messages as bodies of HTTP requests and answers.
//!
//! # Source
//!
//! MS-WSMV, section 2.2.9.1.

use super::ntlm::{NtlmLogin, SIGNATURE_BYTES};
use crate::error::AttemptError;

/// Value of `Content-Type` of what [`seal`] makes.
pub(super) const CONTENT_TYPE: &str = "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-\
                                       session-encrypted\";boundary=\"Encrypted Boundary\"";

const BOUNDARY: &[u8] = b"--Encrypted Boundary";

/// Seals `message`, a SOAP envelope.
pub(super) fn seal(login: &mut NtlmLogin, message: &[u8]) -> Result<Vec<u8>, AttemptError> {
    let (signature, data) = login.seal(message)?;
    let head = format!(
        "--Encrypted Boundary\r\n\
         \tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
         \tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={}\r\n\
         --Encrypted Boundary\r\n\
         \tContent-Type: application/octet-stream\r\n",
        message.len()
    );
    let mut body = Vec::with_capacity(head.len() + data.len() + 64);
    body.extend_from_slice(head.as_bytes());
    let length = u32::try_from(signature.len()).unwrap_or_default();
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&signature);
    body.extend_from_slice(&data);
    body.extend_from_slice(BOUNDARY);
    body.extend_from_slice(b"--\r\n");
    Ok(body)
}

/// Opens what the server sealed: one message, or several that belong together.
pub(super) fn unseal(login: &mut NtlmLogin, body: &[u8]) -> Result<Vec<u8>, AttemptError> {
    let mut message = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(part) = next_part(rest)? {
        message.extend(login.unseal(part.signature, part.data)?);
        rest = part.rest;
    }
    Ok(message)
}

struct Part<'a> {
    signature: &'a [u8],
    data: &'a [u8],
    rest: &'a [u8],
}

/// The first sealed message of `body`; none when only the end is left.
fn next_part(body: &[u8]) -> Result<Option<Part<'_>>, AttemptError> {
    let broken = || AttemptError::Protocol("a sealed answer is cut off or misshapen".to_owned());
    let after = |text: &[u8]| -> Option<usize> {
        let at = body.windows(text.len()).position(|window| {
            window
                .iter()
                .zip(text)
                .all(|(one, other)| one.eq_ignore_ascii_case(other))
        })?;
        Some(at + text.len())
    };
    let Some(at) = after(b";Length=") else {
        let end = [BOUNDARY, b"--"].concat();
        let only_end = body.is_empty() || body.starts_with(&end);
        return if only_end { Ok(None) } else { Err(broken()) };
    };
    let digits: String = body[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .take(10)
        .map(|&byte| char::from(byte))
        .collect();
    let length: usize = digits.parse().map_err(|_| broken())?;
    let start = after(b"application/octet-stream\r\n").ok_or_else(broken)?;
    let sealed = &body[start..];
    let (size, sealed) = sealed.split_first_chunk::<4>().ok_or_else(broken)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| broken())?;
    if size != SIGNATURE_BYTES {
        return Err(broken());
    }
    let (signature, sealed) = sealed.split_at_checked(size).ok_or_else(broken)?;
    let (data, rest) = sealed.split_at_checked(length).ok_or_else(broken)?;
    Ok(Some(Part {
        signature,
        data,
        rest,
    }))
}

#[cfg(test)]
mod tests {
    use super::next_part;

    fn body(length: &str, data: &[u8]) -> Vec<u8> {
        let mut body = format!(
            "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
             \tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n\
             --Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        )
        .into_bytes();
        body.extend([16, 0, 0, 0]);
        body.extend([7; 16]);
        body.extend(data);
        body
    }

    #[test]
    fn a_message_may_hold_the_boundary() {
        let data = b"x--Encrypted Boundary--y";
        let mut whole = body("24", data);
        whole.extend(b"--Encrypted Boundary--\r\n");
        let part = next_part(&whole).unwrap().unwrap();
        assert_eq!(part.data, data);
        assert!(next_part(part.rest).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_off_or_lies_about_its_length_is_refused() {
        assert!(next_part(&body("25", b"x")).is_err());
        assert!(next_part(&body("99999999999", b"x")).is_err());
        assert!(next_part(&body("-1", b"x")).is_err());
        assert!(next_part(b"<html>").is_err());
        let whole = body("1", b"x");
        for end in 1..whole.len() {
            assert!(next_part(&whole[..end]).is_err(), "cut at {end}");
        }
    }
}
