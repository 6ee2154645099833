//! The token that every request carries.

use plugin_wire::handshake::{AUTHORIZATION, BEARER};
use rand::RngCore;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Bytes of a token before they become hexadecimal.
const TOKEN_BYTES: usize = 32;

/// A token nobody can guess.
pub(crate) fn random_token() -> String {
    let mut bytes = [0_u8; TOKEN_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// Refuses requests without the right token.
#[derive(Clone)]
pub(crate) struct Check {
    expected: Vec<u8>,
}

impl Check {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            expected: format!("{BEARER}{token}").into_bytes(),
        }
    }
}

impl Interceptor for Check {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let given = request
            .metadata()
            .get(AUTHORIZATION)
            .map(MetadataValue::as_bytes);
        if given.is_some_and(|given| same(given, &self.expected)) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("the token is missing or wrong"))
        }
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b));
    (std::hint::black_box(difference) == 0) & (left.len() == right.len())
}

/// Adds the token to requests.
#[derive(Clone)]
pub(crate) struct Bearer {
    value: MetadataValue<Ascii>,
}

impl Bearer {
    /// `None` when the token has characters that metadata cannot carry.
    pub(crate) fn new(token: &str) -> Option<Self> {
        let mut value: MetadataValue<Ascii> = format!("{BEARER}{token}").parse().ok()?;
        value.set_sensitive(true);
        Some(Self { value })
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert(AUTHORIZATION, self.value.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::{random_token, same};

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(same(b"abc", b"abc"));
        for wrong in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!same(wrong, b"abc"), "{wrong:?}");
        }
    }

    #[test]
    fn tokens_differ() {
        let (one, other) = (random_token(), random_token());
        assert!(one != other && one.len() == 64);
    }
}
