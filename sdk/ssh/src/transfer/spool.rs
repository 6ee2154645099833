//! Content whose size must be known before it is sent.

use std::io::SeekFrom;

use sdk_communicator::{CommunicatorError, Reader};
use tokio::io::AsyncSeekExt;

use super::local;

/// `source` and its size; of unknown size it goes through a temporary file first.
pub(super) async fn sized(
    mut source: Reader,
    size: Option<u64>,
) -> Result<(Reader, u64), CommunicatorError> {
    if let Some(size) = size {
        return Ok((source, size));
    }
    let fail = |source| local("keeping an upload in a temporary file", source);
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(fail)?);
    let size = tokio::io::copy(&mut source, &mut file)
        .await
        .map_err(fail)?;
    file.seek(SeekFrom::Start(0)).await.map_err(fail)?;
    Ok((Box::new(file), size))
}
