//! The body of an answer: read to its end, and unpacked.
//!
//! Here is what a server may do with a body that programs are used to. Not here: which server is
//! asked, and what for.

use std::error::Error;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, Version};

/// The longest body that is read, in MiB. It becomes a value of the template, and a message to the
/// host has 16 MiB at most.
const LIMIT_MIB: usize = 15;
/// The longest body that is read to be unpacked, in MiB: what does not pack grows a little.
const PACKED_LIMIT_MIB: usize = LIMIT_MIB + 1;

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("it broke off")]
    BrokeOff(#[source] reqwest::Error),
    #[error("it says that it is gzip, and is not")]
    NotGzip(#[source] io::Error),
    #[error(
        "it is longer than {LIMIT_MIB} MiB, too long for a value of a template; a provisioner can \
         download it instead"
    )]
    TooLong,
}

/// A body as the server meant it.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// The headers of the answer that speak of this body. Those about its packed form are gone.
    pub(crate) headers: HeaderMap,
}

impl Body {
    /// Reads the body of `answer`.
    ///
    /// # Errors
    ///
    /// A [`BodyError`] when the connection breaks, the body is too long, or no gzip although the
    /// answer says so.
    ///
    /// # Source
    ///
    /// Go's HTTP client, which Packer asks with: gzip is unpacked. Differs: also when the template
    /// asked for gzip itself, because a value is text.
    pub(crate) async fn read(mut answer: Response) -> Result<Self, BodyError> {
        let mut headers = answer.headers().clone();
        let encoding = headers.get(CONTENT_ENCODING);
        let packed = encoding.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let limit_mib = if packed { PACKED_LIMIT_MIB } else { LIMIT_MIB };
        let mut bytes = received(&mut answer, limit_mib << 20).await?;
        // Nothing is not packed: an answer to HEAD only says how its body would be.
        if packed && !bytes.is_empty() {
            bytes = unpacked(&bytes)?;
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        Ok(Self { bytes, headers })
    }
}

async fn received(answer: &mut Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let ends_with_connection = ends_with_connection(answer);
    loop {
        match answer.chunk().await {
            Ok(Some(part)) if bytes.len() + part.len() > limit => return Err(BodyError::TooLong),
            Ok(Some(part)) => bytes.extend_from_slice(&part),
            Ok(None) => return Ok(bytes),
            Err(error) if ends_with_connection && is_bare_end(&error) => return Ok(bytes),
            Err(error) => return Err(BodyError::BrokeOff(error.without_url())),
        }
    }
}

/// Whether nothing but the end of the connection says where the body ends.
///
/// # Source
///
/// RFC 9112, section 6.3, rule 8.
fn ends_with_connection(answer: &Response) -> bool {
    let told = |name| answer.headers().contains_key(name);
    answer.version() <= Version::HTTP_11 && !told(CONTENT_LENGTH) && !told(TRANSFER_ENCODING)
}

/// Whether a connection ended without TLS's own farewell, which many servers do not send.
fn is_bare_end(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut causes = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::UnexpectedEof)
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
    let limit = LIMIT_MIB << 20;
    let mut unpacked = Vec::new();
    // One byte more tells a body that just fits from one that does not.
    MultiGzDecoder::new(bytes)
        .take(limit as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(BodyError::NotGzip)?;
    match unpacked.len() > limit {
        true => Err(BodyError::TooLong),
        false => Ok(unpacked),
    }
}
