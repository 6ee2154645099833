//! Single files by the old copy protocol of `scp`, served with the communicator.
//!
//! Copies of folders and commands that only a shell understands go to the guest's own `scp`.

use std::path::Path;

use kiln_sdk::Communicator;
use kiln_sdk::communicator::{Command, Exit, FileTarget, capture};
use kiln_sdk::staging::quote;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};

use super::channel::{Ending, Streams};

/// The longest line of the protocol that is read, in bytes.
const LINE_BYTES: usize = 16 << 10;
/// Bytes of a file that may be on their way.
const BUFFER: usize = 256 << 10;

/// What a call of `scp` on the far side is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `-t`: files come to this path.
    Sink(String),
    /// `-f`: this file goes.
    Source(String),
}

impl Request {
    /// Reads a command; `None` when it is none that is served here.
    pub fn parse(command: &str) -> Option<Self> {
        let mut words = split(command)?.into_iter();
        let program = words.next()?;
        if program != "scp" && !program.ends_with("/scp") {
            return None;
        }
        let mut request: Option<fn(String) -> Self> = None;
        let mut path = None;
        let mut options = true;
        for word in words {
            match word.strip_prefix('-') {
                Some("-") if options => options = false,
                Some(letters) if options && !letters.is_empty() => {
                    for letter in letters.chars() {
                        match letter {
                            't' => request = Some(Self::Sink),
                            'f' => request = Some(Self::Source),
                            'v' | 'p' | 'q' | 'd' => {}
                            _ => return None,
                        }
                    }
                }
                _ if path.is_none() => path = Some(word),
                _ => return None,
            }
        }
        Some(request?(path.filter(|path| !path.is_empty())?))
    }
}

/// The words of a command as a POSIX shell reads them; `None` when more than quoting is in it.
fn split(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        '$' | '`' => return None,
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            '$' | '`' | '*' | '?' | '[' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '#' | '{'
            | '\n' => return None,
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

/// Why a copy ended early.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The client is gone or does not keep to the protocol.
    #[error("the client of scp broke off")]
    Client(#[from] std::io::Error),
    /// The client says something that is not understood.
    #[error("protocol error: {0:?}")]
    Protocol(String),
    /// The guest refused.
    #[error("{0}")]
    Guest(String),
}

/// Serves one call.
pub async fn serve(
    machine: &dyn Communicator,
    spool: &Path,
    request: &Request,
    streams: Streams,
) -> Ending {
    let Streams {
        mut input,
        mut output,
        errors: _errors,
    } = streams;
    let copied = match request {
        Request::Sink(path) => sink(machine, path, &mut input, &mut output).await,
        Request::Source(path) => source(machine, spool, path, &mut input, &mut output).await,
    };
    match copied {
        Ok(()) => Ending::Status(0),
        Err(error) => {
            tracing::debug!(%error, "a copy through the ssh proxy failed");
            let message = error.to_string().replace('\n', " ");
            // 2 says that nothing more comes. The client may be gone already.
            let fatal = format!("\u{2}scp: {message}\n");
            drop(output.write_all(fatal.as_bytes()).await);
            Ending::Status(1)
        }
    }
}

async fn sink(
    machine: &dyn Communicator,
    path: &str,
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<(), CopyError> {
    let look = Command::new(format!("test -d {}", quote::posix(path)));
    let looked = capture(machine, look).await;
    let folder = looked.is_ok_and(|captured| captured.exit == Exit::Code(0)) && path.len() > 1
        || path.ends_with('/');
    output.write_all(&[0]).await?;
    while let Some(line) = read_line(input).await? {
        match line.chars().next() {
            // Times; the transports have none.
            Some('T') => output.write_all(&[0]).await?,
            Some('C') => {
                let (mode, size, name) = header(&line)?;
                let path = if folder {
                    format!("{}/{name}", path.trim_end_matches('/'))
                } else {
                    path.to_owned()
                };
                output.write_all(&[0]).await?;
                let target = FileTarget {
                    path,
                    mode,
                    size: Some(size),
                };
                receive(machine, target, size, input).await?;
                answer(input).await?;
                output.write_all(&[0]).await?;
            }
            _ => return Err(CopyError::Protocol(line)),
        }
    }
    Ok(())
}

/// `Cmmmm length name`.
fn header(line: &str) -> Result<(u32, u64, String), CopyError> {
    let read = || {
        let mut parts = line.get(1..)?.splitn(3, ' ');
        let mode = u32::from_str_radix(parts.next()?, 8).ok()?;
        let size = parts.next()?.parse().ok()?;
        let name = parts.next()?;
        let safe = !name.is_empty() && name != "." && name != ".." && !name.contains('/');
        safe.then(|| (mode & 0o7777, size, name.to_owned()))
    };
    read().ok_or_else(|| CopyError::Protocol(line.to_owned()))
}

async fn receive(
    machine: &dyn Communicator,
    target: FileTarget,
    size: u64,
    input: &mut (impl AsyncRead + Unpin),
) -> Result<(), CopyError> {
    let (mut near, far) = duplex(BUFFER);
    let feed = async {
        let mut rest = input.take(size);
        // When the guest refuses, what still comes is read and dropped to keep in step.
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = rest.read(&mut buffer).await?;
            if count == 0 {
                break;
            }
            if near.write_all(&buffer[..count]).await.is_err() {
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
                break;
            }
        }
        drop(near);
        Ok::<u64, std::io::Error>(rest.limit())
    };
    let (missing, uploaded) = tokio::join!(feed, machine.upload(target, Box::new(far)));
    if missing? > 0 {
        return Err(CopyError::Protocol("the file ended early".to_owned()));
    }
    uploaded
        .map(drop)
        .map_err(|error| CopyError::Guest(kiln_sdk::Failure::from_error(&error).message))
}

async fn source(
    machine: &dyn Communicator,
    spool: &Path,
    path: &str,
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<(), CopyError> {
    let file = tempfile::tempfile_in(spool)?;
    let sink = tokio::fs::File::from_std(file.try_clone()?);
    // The size goes first, and transports only know it afterwards.
    let size = machine
        .download(path, Box::new(sink))
        .await
        .map_err(|error| CopyError::Guest(kiln_sdk::Failure::from_error(&error).message))?;
    let mut file = tokio::fs::File::from_std(file);
    tokio::io::AsyncSeekExt::rewind(&mut file).await?;
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path);
    answer(input).await?;
    let header = format!("C0644 {size} {name}\n");
    output.write_all(header.as_bytes()).await?;
    answer(input).await?;
    tokio::io::copy(&mut file.take(size), output).await?;
    output.write_all(&[0]).await?;
    answer(input).await
}

/// What the other side says to what came last: zero is fine.
async fn answer(input: &mut (impl AsyncRead + Unpin)) -> Result<(), CopyError> {
    match input.read_u8().await? {
        0 => Ok(()),
        _ => Err(CopyError::Guest(
            read_line(input).await?.unwrap_or_default(),
        )),
    }
}

/// A line without its end; `None` at the end of the input.
async fn read_line(input: &mut (impl AsyncRead + Unpin)) -> Result<Option<String>, CopyError> {
    let mut line = Vec::new();
    loop {
        match input.read_u8().await {
            Ok(b'\n') => break,
            Ok(byte) => line.push(byte),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && line.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        if line.len() > LINE_BYTES {
            return Err(CopyError::Protocol("a line that does not end".to_owned()));
        }
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| CopyError::Protocol("a name that is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests;
