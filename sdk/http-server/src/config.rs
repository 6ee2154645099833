//! The option group of builders that serve files to their machine.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use sdk_config::{Diagnostic, Diagnostics, Path, PathStep};
use sdk_config_derive::Config;

const DEFAULT_FIRST_PORT: u16 = 8000;
const DEFAULT_LAST_PORT: u16 = 9000;

/// What to serve to the machine over HTTP, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Config)]
pub struct HttpConfig {
    /// Folder to serve, with everything below it. Symbolic links that lead out of it are refused.
    pub http_directory: PathBuf,
    /// Texts to serve by path; each path begins with `/`. Not together with `http_directory`.
    pub http_content: BTreeMap<String, String>,
    /// First port that may be chosen. Zero counts as the default.
    #[config(default = 8000)]
    pub http_port_min: u16,
    /// Last port that may be chosen, itself included. Zero counts as the default.
    #[config(default = 9000)]
    pub http_port_max: u16,
    /// Address to listen at. By default `0.0.0.0`, every IPv4 address of this computer, or `::`
    /// when `http_network_protocol` is `tcp6`.
    pub http_bind_address: String,
    /// Network interface whose address the machine is told, for builders that look it up. Not
    /// together with `http_bind_address`.
    pub http_interface: String,
    /// Protocol to listen with.
    #[config(default = "tcp", choices("tcp", "tcp4", "tcp6", "unix", "unixpacket"))]
    pub http_network_protocol: String,
}

impl HttpConfig {
    /// Problems that can be seen before the build runs; whether the folder exists is not one.
    #[must_use]
    pub fn prepare(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if self.has_directory() && !self.http_content.is_empty() {
            let detail = "Only one of `http_directory` and `http_content` can be set.";
            let problem = Diagnostic::error("Two things to serve", detail).on("http_content");
            diagnostics.push(problem.hint("put the texts into files of the folder"));
        }
        if self.ports().is_empty() {
            let (first, last) = self.ports().into_inner();
            let detail =
                format!("`http_port_min` ({first}) is greater than `http_port_max` ({last}).");
            diagnostics.push(Diagnostic::error("Invalid port range", detail).on("http_port_min"));
        }
        if !self.http_bind_address.is_empty() && !self.http_interface.is_empty() {
            let detail = "Only one of `http_bind_address` and `http_interface` can be set.";
            diagnostics
                .push(Diagnostic::error("Two places to listen", detail).on("http_interface"));
        }
        if self.is_socket_file() {
            let protocol = &self.http_network_protocol;
            let detail = format!("No machine can reach a server with protocol `{protocol}`.");
            diagnostics.push(
                Diagnostic::warning("Unreachable HTTP server", detail)
                    .on("http_network_protocol")
                    .hint("use `tcp`"),
            );
        }
        for key in self.http_content.keys().filter(|key| !key.starts_with('/')) {
            let path = Path::attribute("http_content").then(PathStep::Key(key.clone()));
            let detail = format!("No request asks for `{key}`, because paths begin with `/`.");
            diagnostics.push(
                Diagnostic::warning("Unreachable content", detail)
                    .at(path)
                    .hint(format!("write `/{key}`")),
            );
        }
        diagnostics
    }

    /// Whether there is anything to serve; without it no server starts and the port is 0.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.has_directory() || !self.http_content.is_empty()
    }

    /// Ports that may be chosen.
    #[must_use]
    pub fn ports(&self) -> RangeInclusive<u16> {
        let or = |port: u16, default: u16| if port == 0 { default } else { port };
        or(self.http_port_min, DEFAULT_FIRST_PORT)..=or(self.http_port_max, DEFAULT_LAST_PORT)
    }

    /// Address to listen at, as text.
    #[must_use]
    pub fn bind_address(&self) -> &str {
        match (
            self.http_bind_address.as_str(),
            self.http_network_protocol.as_str(),
        ) {
            ("", "tcp6") => "::",
            ("", _) => "0.0.0.0",
            (address, _) => address,
        }
    }

    pub(crate) fn has_directory(&self) -> bool {
        !self.http_directory.as_os_str().is_empty()
    }

    pub(crate) fn is_socket_file(&self) -> bool {
        self.http_network_protocol.starts_with("unix")
    }
}

#[cfg(test)]
mod tests {
    use sdk_config::{Severity, Value, decode};

    use super::HttpConfig;

    fn check(entries: Vec<(&str, Value)>, expected: &[&str]) {
        let value: Value = entries.into_iter().collect();
        let (config, _) = decode::<HttpConfig>(&value).expect("decodes");
        let got: Vec<String> = config
            .prepare()
            .iter()
            .map(|problem| {
                let mark = if problem.severity == Severity::Error {
                    "E"
                } else {
                    "W"
                };
                format!("{mark} {}: {}", problem.path, problem.summary)
            })
            .collect();
        assert_eq!(got, expected);
    }

    fn content(key: &str) -> Value {
        [(key, "text")].into_iter().collect()
    }

    #[test]
    fn rules_are_checked() {
        check(vec![], &[]);
        check(
            vec![
                ("http_directory", "d".into()),
                ("http_content", content("/a")),
            ],
            &["E http_content: Two things to serve"],
        );
        check(
            vec![
                ("http_port_min", 9u16.into()),
                ("http_port_max", 8u16.into()),
            ],
            &["E http_port_min: Invalid port range"],
        );
        check(
            vec![("http_port_min", 9001u16.into())],
            &["E http_port_min: Invalid port range"],
        );
        check(
            vec![
                ("http_port_min", 0u16.into()),
                ("http_port_max", 0u16.into()),
            ],
            &[],
        );
        check(
            vec![
                ("http_bind_address", "127.0.0.1".into()),
                ("http_interface", "eth0".into()),
            ],
            &["E http_interface: Two places to listen"],
        );
        check(
            vec![
                ("http_network_protocol", "unix".into()),
                ("http_content", content("a")),
            ],
            &[
                "W http_network_protocol: Unreachable HTTP server",
                "W http_content[\"a\"]: Unreachable content",
            ],
        );
    }

    #[test]
    fn addresses_and_ports_have_defaults() {
        let read = |entries: Vec<(&str, Value)>| {
            let value: Value = entries.into_iter().collect();
            decode::<HttpConfig>(&value).expect("decodes").0
        };
        assert_eq!(read(vec![]).ports(), 8000..=9000);
        assert_eq!(read(vec![]).bind_address(), "0.0.0.0");
        assert!(!read(vec![]).is_needed());
        let six = read(vec![("http_network_protocol", "tcp6".into())]);
        assert_eq!(six.bind_address(), "::");
    }
}
