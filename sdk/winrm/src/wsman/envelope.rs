//! Envelopes that are sent.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a request asks for.
pub(crate) enum Request<'a> {
    /// A new shell with pipes for input and output.
    CreateShell,
    /// The end of a shell and of all that runs in it.
    DeleteShell {
        /// Which.
        shell: &'a str,
    },
    /// A command, as `cmd.exe` reads it.
    Command {
        /// In which shell.
        shell: &'a str,
        /// The line.
        line: &'a str,
        /// Whether input will be sent.
        input: Input,
    },
    /// Input for a command.
    Send {
        /// In which shell.
        shell: &'a str,
        /// Which.
        command: &'a str,
        /// The bytes.
        data: &'a [u8],
        /// Whether more comes.
        end: End,
    },
    /// What a command has printed, and whether it has ended.
    Receive {
        /// In which shell.
        shell: &'a str,
        /// Which.
        command: &'a str,
    },
    /// The end of a command.
    Terminate {
        /// In which shell.
        shell: &'a str,
        /// Which.
        command: &'a str,
    },
    /// The service's own limits.
    GetConfig,
}

/// Whether a command gets input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// None: its input is a console that stays silent.
    Console,
    /// A pipe.
    Pipe,
}

/// Whether input ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// More comes.
    No,
    /// This is the last of it.
    Yes,
}

/// How an envelope is addressed.
pub(crate) struct Envelope<'a> {
    /// Address of the service.
    pub(crate) to: &'a str,
    /// How long the service may take.
    pub(crate) limit: Duration,
    /// The largest envelope the answer may be, in bytes.
    pub(crate) answer_bytes: u32,
}

const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";

impl Request<'_> {
    fn action(&self) -> String {
        match self {
            Self::CreateShell => format!("{TRANSFER}/Create"),
            Self::DeleteShell { .. } => format!("{TRANSFER}/Delete"),
            Self::GetConfig => format!("{TRANSFER}/Get"),
            Self::Command { .. } => format!("{SHELL}/Command"),
            Self::Send { .. } => format!("{SHELL}/Send"),
            Self::Receive { .. } => format!("{SHELL}/Receive"),
            Self::Terminate { .. } => format!("{SHELL}/Signal"),
        }
    }

    fn resource(&self) -> String {
        match self {
            Self::GetConfig => "http://schemas.microsoft.com/wbem/wsman/1/config".to_owned(),
            _ => format!("{SHELL}/cmd"),
        }
    }

    fn shell(&self) -> Option<&str> {
        match self {
            Self::CreateShell | Self::GetConfig => None,
            Self::DeleteShell { shell }
            | Self::Command { shell, .. }
            | Self::Send { shell, .. }
            | Self::Receive { shell, .. }
            | Self::Terminate { shell, .. } => Some(shell),
        }
    }

    fn options(&self) -> Vec<(&'static str, &'static str)> {
        match self {
            // 65001 is UTF-8.
            Self::CreateShell => vec![("WINRS_NOPROFILE", "FALSE"), ("WINRS_CODEPAGE", "65001")],
            Self::Command { input, .. } => {
                let console = match input {
                    Input::Console => "TRUE",
                    Input::Pipe => "FALSE",
                };
                vec![
                    ("WINRS_CONSOLEMODE_STDIN", console),
                    ("WINRS_SKIP_CMD_SHELL", "FALSE"),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn body(&self) -> String {
        match self {
            Self::CreateShell => "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams>\
                                  <rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
                .to_owned(),
            Self::DeleteShell { .. } | Self::GetConfig => String::new(),
            Self::Command { line, .. } => format!(
                "<rsp:CommandLine><rsp:Command>{}</rsp:Command></rsp:CommandLine>",
                escape(line)
            ),
            Self::Send {
                command, data, end, ..
            } => format!(
                "<rsp:Send><rsp:Stream Name=\"stdin\" CommandId=\"{}\"{}>{}</rsp:Stream></rsp:Send>",
                escape(command),
                match end {
                    End::Yes => " End=\"true\"",
                    End::No => "",
                },
                STANDARD.encode(data)
            ),
            Self::Receive { command, .. } => format!(
                "<rsp:Receive><rsp:DesiredStream CommandId=\"{}\">stdout stderr\
                 </rsp:DesiredStream></rsp:Receive>",
                escape(command)
            ),
            Self::Terminate { command, .. } => format!(
                "<rsp:Signal CommandId=\"{}\"><rsp:Code>{SHELL}/signal/terminate</rsp:Code>\
                 </rsp:Signal>",
                escape(command)
            ),
        }
    }
}

impl Envelope<'_> {
    /// The whole text of an envelope with `request`.
    pub(crate) fn write(&self, request: &Request<'_>) -> String {
        let body = request.body();
        let mut text = String::with_capacity(body.len() + 2048);
        text.push_str(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
             xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
             xmlns:p=\"http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd\" \
             xmlns:rsp=\"http://schemas.microsoft.com/wbem/wsman/1/windows/shell\"><s:Header>",
        );
        let message = uuid::Uuid::new_v4();
        text.push_str(&format!(
            "<a:To>{}</a:To><a:ReplyTo><a:Address s:mustUnderstand=\"true\">\
             http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>\
             </a:ReplyTo><w:MaxEnvelopeSize s:mustUnderstand=\"true\">{}</w:MaxEnvelopeSize>\
             <a:MessageID>uuid:{message}</a:MessageID>\
             <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
             <p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\"/>\
             <w:OperationTimeout>PT{}S</w:OperationTimeout>\
             <w:ResourceURI s:mustUnderstand=\"true\">{}</w:ResourceURI>\
             <a:Action s:mustUnderstand=\"true\">{}</a:Action>",
            escape(self.to),
            self.answer_bytes,
            self.limit.as_secs(),
            request.resource(),
            request.action()
        ));
        if let Some(shell) = request.shell() {
            text.push_str(&format!(
                "<w:SelectorSet><w:Selector Name=\"ShellId\">{}</w:Selector></w:SelectorSet>",
                escape(shell)
            ));
        }
        let options = request.options();
        if !options.is_empty() {
            text.push_str("<w:OptionSet>");
            for (name, value) in options {
                text.push_str(&format!("<w:Option Name=\"{name}\">{value}</w:Option>"));
            }
            text.push_str("</w:OptionSet>");
        }
        text.push_str("</s:Header><s:Body>");
        text.push_str(&body);
        text.push_str("</s:Body></s:Envelope>");
        text
    }
}

/// `text` as content or attribute of XML. Characters XML cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{End, Envelope, Input, Request, escape};

    fn check(request: &Request<'_>, expected: &[&str]) {
        let envelope = Envelope {
            to: "http://h:5985/wsman",
            limit: Duration::from_secs(20),
            answer_bytes: 153_600,
        };
        let text = envelope.write(request);
        let document = roxmltree::Document::parse(&text).expect("it is XML");
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "Envelope");
        for part in expected {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn requests_are_whole_documents_with_their_actions() {
        let (shell, command) = ("S-1", "C-1");
        check(
            &Request::CreateShell,
            &[
                "/transfer/Create</a:Action>",
                "shell/cmd</w:ResourceURI>",
                ">65001<",
                "PT20S",
            ],
        );
        check(
            &Request::Command {
                shell,
                line: "echo \"a\" & <b>\n",
                input: Input::Pipe,
            },
            &[
                "<w:Selector Name=\"ShellId\">S-1<",
                "echo &quot;a&quot; &amp; &lt;b&gt;&#10;",
                "Name=\"WINRS_CONSOLEMODE_STDIN\">FALSE<",
            ],
        );
        let data = b"hi";
        let send = Request::Send {
            shell,
            command,
            data,
            end: End::Yes,
        };
        check(&send, &["CommandId=\"C-1\" End=\"true\">aGk=<"]);
        check(&Request::Receive { shell, command }, &[">stdout stderr<"]);
        check(
            &Request::Terminate { shell, command },
            &["shell/signal/terminate<"],
        );
        check(
            &Request::DeleteShell { shell },
            &["/transfer/Delete<", "<s:Body></s:Body>"],
        );
        check(&Request::GetConfig, &["wsman/1/config<"]);
    }

    #[test]
    fn characters_xml_cannot_hold_are_replaced() {
        assert_eq!(escape("a\u{1}b\0"), "a\u{fffd}b\u{fffd}");
        assert_eq!(escape("<&>\"é"), "&lt;&amp;&gt;&quot;é");
    }
}
