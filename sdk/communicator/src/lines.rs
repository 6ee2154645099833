//! From the bytes a command prints to lines for people.

use crate::Output;

/// The longest line that is put together, in bytes; longer ones are cut into pieces of this size.
const LINE_BYTES: usize = 1024 * 1024;

/// A line of what a command printed, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// From standard output.
    Stdout(String),
    /// From standard error.
    Stderr(String),
}

/// Puts lines together, for each stream on its own.
///
/// White space at the end goes; of a line that was overwritten with carriage returns the last
/// version stays; bytes that are not UTF-8 become replacement characters; empty lines are kept.
///
/// # Source
///
/// Packer's handling of remote output.
#[derive(Debug, Default)]
pub struct LineSplitter {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl LineSplitter {
    /// Adds what arrived; returns the lines it completed.
    pub fn push(&mut self, output: &Output) -> Vec<Line> {
        match output {
            Output::Stdout(bytes) => complete(&mut self.stdout, bytes, Line::Stdout),
            Output::Stderr(bytes) => complete(&mut self.stderr, bytes, Line::Stderr),
        }
    }

    /// The lines that never got an end, once the command has ended.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        let rest = |bytes: Vec<u8>| (!bytes.is_empty()).then(|| clean(&bytes));
        let stdout = rest(self.stdout).map(Line::Stdout);
        stdout
            .into_iter()
            .chain(rest(self.stderr).map(Line::Stderr))
            .collect()
    }
}

fn complete(partial: &mut Vec<u8>, mut bytes: &[u8], line: fn(String) -> Line) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
        partial.extend_from_slice(&bytes[..end]);
        lines.push(line(clean(partial)));
        partial.clear();
        bytes = &bytes[end + 1..];
    }
    partial.extend_from_slice(bytes);
    if partial.len() > LINE_BYTES {
        lines.push(line(clean(partial)));
        partial.clear();
    }
    lines
}

fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    text.rsplit('\r').next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Line, LineSplitter};
    use crate::Output;

    fn check(pieces: &[&[u8]], expected: &[&str]) {
        let mut splitter = LineSplitter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            lines.extend(splitter.push(&Output::Stdout(Bytes::copy_from_slice(piece))));
        }
        lines.extend(splitter.finish());
        let expected: Vec<Line> = expected
            .iter()
            .map(|text| Line::Stdout((*text).to_owned()))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn joins_pieces_and_flushes_the_last_line() {
        check(&[b"on", b"e\ntw", b"o"], &["one", "two"]);
        check(&[b"a\n\nb\n"], &["a", "", "b"]);
        check(&[], &[]);
    }

    #[test]
    fn keeps_the_last_version_of_an_overwritten_line() {
        check(&[b"10%\r50%\r100%\n"], &["100%"]);
        check(&[b"windows\r\n"], &["windows"]);
        check(&[b"10%\r20%"], &["20%"]);
        check(&[b"tail  \t\n"], &["tail"]);
    }

    #[test]
    fn replaces_bytes_that_are_not_text_and_joins_split_characters() {
        check(&[b"a\xffb\n"], &["a\u{fffd}b"]);
        check(&[b"\xc3", b"\xa9\n"], &["é"]);
    }

    #[test]
    fn streams_do_not_mix() {
        let mut splitter = LineSplitter::default();
        assert!(
            splitter
                .push(&Output::Stdout(Bytes::from_static(b"out")))
                .is_empty()
        );
        let lines = splitter.push(&Output::Stderr(Bytes::from_static(b"err\n")));
        assert_eq!(lines, [Line::Stderr("err".to_owned())]);
        assert_eq!(splitter.finish(), [Line::Stdout("out".to_owned())]);
    }

    #[test]
    fn a_line_without_end_does_not_grow_for_ever() {
        let mut splitter = LineSplitter::default();
        let piece = Output::Stdout(Bytes::from(vec![b'x'; 700 * 1024]));
        assert!(splitter.push(&piece).is_empty());
        assert_eq!(splitter.push(&piece).len(), 1);
        assert!(splitter.finish().is_empty());
    }
}
