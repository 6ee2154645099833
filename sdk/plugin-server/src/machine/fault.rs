//! Errors of a communicator as statuses, and back without loss of meaning.

use std::time::Duration;

use sdk_communicator::CommunicatorError;
use tonic::metadata::{KeyAndValueRef, MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// What was under way.
const OPERATION: &str = "kiln-operation-bin";
/// What was seen, said, or which communicator.
const DETAIL: &str = "kiln-detail-bin";
/// Milliseconds.
const LIMIT: &str = "kiln-limit-bin";
/// Longest text that travels, in bytes; the headers of HTTP/2 are limited.
const TEXT_BYTES: usize = 2048;

/// The status for an error.
pub(super) fn to_status(error: &CommunicatorError) -> Status {
    let (code, operation, detail) = match error {
        CommunicatorError::Unreachable { seen } => (Code::Unavailable, "", seen.clone()),
        CommunicatorError::Broken { operation, seen } => {
            (Code::Aborted, operation.as_str(), seen.clone())
        }
        CommunicatorError::Refused { operation, message } => (
            Code::FailedPrecondition,
            operation.as_str(),
            message.clone(),
        ),
        CommunicatorError::Io { operation, source } => {
            (Code::DataLoss, operation.as_str(), source.to_string())
        }
        CommunicatorError::Unsupported {
            operation,
            communicator,
        } => (
            Code::Unimplemented,
            operation.as_str(),
            communicator.clone(),
        ),
        CommunicatorError::Timeout { operation, .. } => {
            (Code::DeadlineExceeded, operation.as_str(), String::new())
        }
        // A kind of error that came later: its text is all there is to say.
        other => (Code::Unknown, "", other.to_string()),
    };
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(
        OPERATION,
        MetadataValue::from_bytes(cut(operation).as_bytes()),
    );
    metadata.insert_bin(DETAIL, MetadataValue::from_bytes(cut(&detail).as_bytes()));
    if let CommunicatorError::Timeout { limit, .. } = error {
        let millis = limit.as_millis().to_string();
        metadata.insert_bin(LIMIT, MetadataValue::from_bytes(millis.as_bytes()));
    }
    Status::with_metadata(code, cut(&error.to_string()), metadata)
}

/// The error of a status; `operation` is what the caller had asked for.
pub(super) fn from_status(status: &Status, operation: &str) -> CommunicatorError {
    let Some(detail) = text(status, DETAIL) else {
        return transport(status, operation);
    };
    let operation = text(status, OPERATION).unwrap_or_else(|| operation.to_owned());
    match status.code() {
        Code::Unavailable => CommunicatorError::Unreachable { seen: detail },
        Code::FailedPrecondition => CommunicatorError::Refused {
            operation,
            message: detail,
        },
        Code::DataLoss => CommunicatorError::Io {
            operation,
            source: std::io::Error::other(detail),
        },
        Code::Unimplemented => CommunicatorError::Unsupported {
            operation,
            communicator: detail,
        },
        Code::DeadlineExceeded => CommunicatorError::Timeout {
            operation,
            limit: text(status, LIMIT)
                .and_then(|millis| millis.parse().ok())
                .map_or(Duration::ZERO, Duration::from_millis),
        },
        _ => CommunicatorError::Broken {
            operation,
            seen: detail,
        },
    }
}

/// Whether the other side said this itself; otherwise the way there broke.
pub(super) fn is_answer(status: &Status) -> bool {
    status
        .metadata()
        .iter()
        .any(|entry| matches!(entry, KeyAndValueRef::Binary(key, _) if key.as_str() == DETAIL))
}

/// The builder's process itself could not be asked.
fn transport(status: &Status, operation: &str) -> CommunicatorError {
    CommunicatorError::Broken {
        operation: operation.to_owned(),
        seen: format!("the builder's process: {}", status.message()),
    }
}

fn text(status: &Status, key: &str) -> Option<String> {
    let bytes = status.metadata().get_bin(key)?.to_bytes().ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The beginning of a text that is too long.
fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sdk_communicator::CommunicatorError;
    use tonic::Status;

    use super::{from_status, to_status};

    fn check(error: &CommunicatorError) {
        let back = from_status(&to_status(error), "something else");
        assert_eq!(
            format!("{back:?}").replace("Custom", ""),
            format!("{error:?}").replace("Custom", "")
        );
    }

    #[test]
    fn errors_keep_their_meaning() {
        let operation = || "upload of /tmp/ä".to_owned();
        check(&CommunicatorError::Unreachable {
            seen: "refused\nno route".to_owned(),
        });
        check(&CommunicatorError::Broken {
            operation: operation(),
            seen: "reset".to_owned(),
        });
        check(&CommunicatorError::Refused {
            operation: operation(),
            message: "full".to_owned(),
        });
        check(&CommunicatorError::Timeout {
            operation: operation(),
            limit: Duration::from_secs(5),
        });
        let communicator = "none".to_owned();
        check(&CommunicatorError::Unsupported {
            operation: operation(),
            communicator,
        });
        let source = std::io::Error::other("disk");
        check(&CommunicatorError::Io {
            operation: operation(),
            source,
        });
    }

    #[test]
    fn trouble_on_the_way_is_a_broken_connection() {
        let error = from_status(&Status::unavailable("no socket"), "download of /x");
        let text = "the connection broke during download of /x: the builder's process: no socket";
        assert_eq!(error.to_string(), text);
    }
}
