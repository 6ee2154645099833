//! What is read from answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use roxmltree::{Document, Node};
use sdk_communicator::Output;

use crate::error::AttemptError;

/// What a command printed, and how it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) output: Vec<Output>,
    pub(crate) state: State,
}

/// How a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Running,
    /// It has ended with this status; the guest may not know it.
    Done(Option<u32>),
}

/// Reads `text` as XML.
pub(super) fn document(text: &str) -> Result<Document<'_>, AttemptError> {
    Document::parse(text).map_err(|error| AttemptError::Protocol(error.to_string()))
}

fn find<'a>(document: &'a Document<'_>, name: &str) -> Option<Node<'a, 'a>> {
    let mut all = document.descendants();
    all.find(|node| node.tag_name().name() == name)
}

fn missing(what: &str) -> AttemptError {
    AttemptError::Protocol(format!("it has no {what}"))
}

/// The shell that was made.
pub(crate) fn shell_id(text: &str) -> Result<String, AttemptError> {
    let document = document(text)?;
    let selector = document.descendants().find(|node| {
        node.tag_name().name() == "Selector" && node.attribute("Name") == Some("ShellId")
    });
    let node = selector.or_else(|| find(&document, "ShellId"));
    let id = node.and_then(|node| node.text());
    id.map(|id| id.trim().to_owned())
        .ok_or_else(|| missing("ShellId"))
}

/// The command that was started.
pub(crate) fn command_id(text: &str) -> Result<String, AttemptError> {
    let document = document(text)?;
    let id = find(&document, "CommandId").and_then(|node| node.text());
    id.map(|id| id.trim().to_owned())
        .ok_or_else(|| missing("CommandId"))
}

/// The largest envelope the service takes, in bytes.
pub(crate) fn envelope_limit(text: &str) -> Result<u32, AttemptError> {
    let document = document(text)?;
    let kilobytes = find(&document, "MaxEnvelopeSizekb").and_then(|node| node.text());
    let kilobytes: Option<u32> = kilobytes.and_then(|text| text.trim().parse().ok());
    let kilobytes = kilobytes.ok_or_else(|| missing("MaxEnvelopeSizekb"))?;
    Ok(kilobytes.saturating_mul(1024))
}

/// What a command printed since the last time.
pub(crate) fn received(text: &str) -> Result<Received, AttemptError> {
    let document = document(text)?;
    if find(&document, "ReceiveResponse").is_none() {
        return Err(missing("ReceiveResponse"));
    }
    let mut received = Received {
        output: Vec::new(),
        state: State::Running,
    };
    for node in document.descendants() {
        match node.tag_name().name() {
            "Stream" => received.output.extend(output(node)?),
            "CommandState" => received.state = state(node),
            _ => {}
        }
    }
    Ok(received)
}

fn output(node: Node<'_, '_>) -> Result<Option<Output>, AttemptError> {
    let text: String = node
        .text()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| AttemptError::Protocol(format!("output of a command: {error}")))?;
    let bytes = Bytes::from(bytes);
    Ok(match node.attribute("Name") {
        Some("stdout") => Some(Output::Stdout(bytes)),
        Some("stderr") => Some(Output::Stderr(bytes)),
        _ => None,
    })
}

fn state(node: Node<'_, '_>) -> State {
    let state = node.attribute("State").unwrap_or_default();
    if !state.ends_with("/Done") {
        return State::Running;
    }
    let code = node
        .children()
        .find(|child| child.tag_name().name() == "ExitCode")
        .and_then(|code| code.text());
    let code: Option<i64> = code.and_then(|code| code.trim().parse().ok());
    // Windows prints what the process returned as a signed or as an unsigned number.
    let code = code.and_then(|code| {
        let signed = i32::try_from(code).ok().map(i32::cast_unsigned);
        signed.or_else(|| u32::try_from(code).ok())
    });
    State::Done(code)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sdk_communicator::Output;

    use super::{State, envelope_limit, received, shell_id};

    fn check_state(inside: &str, expected: State) {
        let text = format!(
            "<s:Envelope xmlns:s='s' xmlns:r='r'><s:Body><r:ReceiveResponse>\
             <r:Stream Name='stdout' CommandId='1'>aGk=\r\n</r:Stream>\
             <r:Stream Name='stderr' End='true'/>{inside}</r:ReceiveResponse></s:Body></s:Envelope>"
        );
        let received = received(&text).expect("it is read");
        assert_eq!(received.state, expected, "{inside}");
        assert_eq!(received.output, [Output::Stdout(Bytes::from_static(b"hi"))]);
    }

    #[test]
    fn the_state_says_whether_and_how_a_command_ended() {
        let state = |name: &str, code: &str| {
            format!(
                "<r:CommandState CommandId='1' State='http://x/CommandState/{name}'>{code}</r:CommandState>"
            )
        };
        let code = |code: &str| format!("<r:ExitCode>{code}</r:ExitCode>");
        check_state("", State::Running);
        check_state(&state("Running", ""), State::Running);
        check_state(&state("Done", &code("0")), State::Done(Some(0)));
        check_state(&state("Done", &code("-1")), State::Done(Some(u32::MAX)));
        check_state(
            &state("Done", &code("4294967295")),
            State::Done(Some(u32::MAX)),
        );
        check_state(&state("Done", ""), State::Done(None));
        check_state(&state("Done", &code("x")), State::Done(None));
    }

    #[test]
    fn what_is_missing_is_said() {
        for text in ["<a/>", "<s:Envelope xmlns:s='s'/>"] {
            assert!(received(text).is_err());
            assert!(shell_id(text).is_err());
            assert!(envelope_limit(text).is_err());
        }
        assert!(shell_id("no XML").is_err());
        // A document type could make a small answer huge.
        assert!(shell_id("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").is_err());
    }
}
