//! The line by which a plugin says where it listens.

use super::HandshakeError;

/// Environment variable that tells a plugin that a host started it.
pub const COOKIE_VARIABLE: &str = "PACKER_PLUGIN_MAGIC_COOKIE";

/// Value of [`COOKIE_VARIABLE`].
pub const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Environment variables with the range of TCP ports, and the values hosts give them.
pub const PORT_VARIABLES: [(&str, &str); 2] = [
    ("PACKER_PLUGIN_MIN_PORT", "10000"),
    ("PACKER_PLUGIN_MAX_PORT", "25000"),
];

/// The longest first line, in bytes with its end.
pub const MAX_LINE: usize = 4096;

/// The version of the protocol.
const MAJOR: &str = "5";
const MINOR: &str = "0";

/// Where a plugin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Kind of socket.
    pub network: Network,
    /// Path, or address and port.
    pub address: String,
}

/// Kind of a plugin's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A path.
    Unix,
    /// Address and port.
    Tcp,
}

impl Handshake {
    /// Reads the line; white space around it does not count.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`], for anything but version 5.0 with a socket this crate knows.
    pub fn parse(line: &str) -> Result<Self, HandshakeError> {
        let line = line.trim();
        let parts: Vec<&str> = line.splitn(4, '|').collect();
        let malformed = || HandshakeError::Malformed {
            line: line.chars().take(80).collect(),
        };
        let [major, minor, network, address] = parts[..] else {
            let known = matches!(parts[..], [_, "unix" | "tcp", _]);
            return Err(if known {
                HandshakeError::TooOld
            } else {
                malformed()
            });
        };
        let number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        if !number(major) || !number(minor) {
            return Err(malformed());
        }
        if major != MAJOR || minor != MINOR {
            return Err(HandshakeError::Version {
                major: major.to_owned(),
                minor: minor.to_owned(),
            });
        }
        let network = match network {
            "unix" => Network::Unix,
            "tcp" => Network::Tcp,
            _ => return Err(malformed()),
        };
        if address.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            network,
            address: address.to_owned(),
        })
    }
}

/// The line, with its end.
impl std::fmt::Display for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let network = match self.network {
            Network::Unix => "unix",
            Network::Tcp => "tcp",
        };
        writeln!(f, "{MAJOR}|{MINOR}|{network}|{}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::{Handshake, HandshakeError, Network};

    #[test]
    fn a_line_is_read_and_written() {
        for line in [
            "5|0|unix|/tmp/packer-plugin1\n",
            "5|0|tcp|127.0.0.1:10000\n",
        ] {
            let read = Handshake::parse(line).expect("it is valid");
            assert_eq!(read.to_string(), line);
        }
        let read = Handshake::parse("  5|0|unix|/a|b \r\n").expect("it is valid");
        assert_eq!(read.network, Network::Unix);
        assert_eq!(read.address, "/a|b");
    }

    #[test]
    fn other_versions_are_told_apart_from_noise() {
        let read = |line| Handshake::parse(line).expect_err("it is refused");
        assert_eq!(read("5|unix|/tmp/x"), HandshakeError::TooOld);
        for line in ["6|0|unix|/x", "5|1|unix|/x", "4|0|unix|/x"] {
            assert!(
                matches!(read(line), HandshakeError::Version { .. }),
                "{line}"
            );
        }
        for line in ["", "hello", "5|0|pipe|/x", "5|0|unix|", "a|b|c|d", "|||"] {
            assert!(
                matches!(read(line), HandshakeError::Malformed { .. }),
                "{line}"
            );
        }
    }
}
