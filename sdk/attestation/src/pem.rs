//! PEM blocks in a text.
//!
//! # Source
//!
//! RFC 7468, read leniently: text around blocks is skipped, as `openssl` writes some.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::KeyError;

/// A block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind `BEGIN`.
    pub(crate) label: String,
    /// Its content.
    pub(crate) der: Vec<u8>,
    /// Whether it has the headers of OpenSSL's old way to encrypt.
    pub(crate) old_encryption: bool,
}

/// Every block, in order.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, KeyError> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let begin = line.strip_prefix("-----BEGIN ");
        let Some(label) = begin.and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let damaged = |reason: &str| KeyError::Damaged {
            label: label.to_owned(),
            reason: reason.to_owned(),
        };
        let mut base64 = String::new();
        let mut old_encryption = false;
        loop {
            match lines.next() {
                None => return Err(damaged(&format!("`{end}` is missing"))),
                Some(line) if line == end => break,
                Some(line) if line.contains(':') => old_encryption |= line.contains("ENCRYPTED"),
                Some(line) => base64.push_str(line),
            }
        }
        let der = match old_encryption {
            // Whether that is base64 does not matter: it cannot be read.
            true => Vec::new(),
            false => STANDARD
                .decode(&base64)
                .map_err(|error| damaged(&error.to_string()))?,
        };
        blocks.push(Block {
            label: label.to_owned(),
            der,
            old_encryption,
        });
    }
    if blocks.is_empty() {
        return Err(KeyError::NotPem);
    }
    Ok(blocks)
}
