//! What is not used, and why.

use std::io;
use std::path::PathBuf;

use crate::description::DescribeFailure;
use crate::error::ClientError;
use crate::tree::NameProblem;

/// An executable that cannot be used, and why.
#[derive(Debug)]
pub struct Rejected {
    /// The executable.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why an executable cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It declares a need that kiln does not know.
    #[error("it declares the need `{0}`, which this version of kiln does not know")]
    Need(String),
    /// It may not be executed.
    #[error("file is not executable")]
    NotExecutable,
    /// It cannot be read.
    #[error("file cannot be read")]
    Unreadable(#[source] io::Error),
    /// A folder that comes earlier has a plugin of the same name.
    #[error("`{}` has the same name and comes first", .0.display())]
    Shadowed(PathBuf),
    /// Its name says that it is of no use here.
    #[error(transparent)]
    Name(#[from] NameProblem),
    /// There is no file with its checksum.
    #[error("there is no file `{}` with its SHA-256; install it again", .0.display())]
    NoChecksum(PathBuf),
    /// The file with its checksum has none.
    #[error("`{}` does not begin with a SHA-256 in hexadecimal; install it again", .0.display())]
    BadChecksum(PathBuf),
    /// It is not what was installed.
    #[error(
        "its SHA-256 is {found}, and `{}` has {expected}: it is not what was installed; install \
         it again",
        file.display()
    )]
    Changed {
        /// The file with the checksum.
        file: PathBuf,
        /// What is in that.
        expected: String,
        /// The checksum of the executable.
        found: String,
    },
    /// It does not answer `describe`.
    #[error("it does not describe itself")]
    Packer(#[from] DescribeFailure),
    /// It is of another version than its name says.
    #[error("its name says version {named}, the plugin itself says {described}")]
    Version {
        /// By its name.
        named: String,
        /// By itself.
        described: String,
    },
    /// It speaks another version of the protocol than its name says.
    #[error(
        "its name says version {named} of the plugin protocol, the plugin itself says {described}"
    )]
    Api {
        /// By its name.
        named: String,
        /// By itself.
        described: String,
    },
    /// The version is no release, and only releases are wanted.
    #[error("it is a prerelease, and -ignore-prerelease-plugins leaves these alone")]
    Prerelease,
    /// The version is not one that the template asks for.
    #[error("the template asks for version `{0}`")]
    Constraint(String),
    /// The lock file has another version.
    #[error("the lock file has version {0}; `kiln init -upgrade` changes that")]
    LockedVersion(String),
    /// The lock file has another checksum.
    #[error(
        "its SHA-256 is {found}, and the lock file has {expected}; when that is as it should be, \
         `kiln init -force` installs what the lock file has"
    )]
    LockedHash {
        /// What the lock file has.
        expected: String,
        /// The checksum of the executable.
        found: String,
    },
    /// A plugin made for Packer needs kiln's bridge.
    #[error("`kiln-plugin-packer`, which runs plugins made for Packer, is not beside kiln")]
    NoBridge,
    /// A shared library needs kiln's loader.
    #[error("`kiln-plugin-dylib`, which loads plugins that are libraries, is not beside kiln")]
    NoLoader,
    /// It does not say what it offers.
    #[error("it does not describe itself")]
    Undescribed(#[source] ClientError),
    /// It speaks another version of the protocol.
    #[error(transparent)]
    Protocol(crate::handshake::HandshakeError),
    /// It offers nothing this host knows.
    #[error("it offers no component")]
    Empty,
}

impl Rejected {
    /// The reason with everything behind it, in one line.
    #[must_use]
    pub fn report(&self) -> String {
        self.reason.report()
    }
}

impl Reason {
    /// The reason with everything behind it, in one line.
    #[must_use]
    pub fn report(&self) -> String {
        crate::error::chain(self)
    }

    /// Whether somebody still writes the executable, so that it cannot be started yet.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        // A plugin that is confined is started by kiln itself, which says why it could not.
        let says_so = |text: &str| text.contains("(os error 26)");
        match self {
            Self::Packer(DescribeFailure::Start(error))
            | Self::Undescribed(ClientError::Spawn { source: error, .. }) => {
                error.kind() == io::ErrorKind::ExecutableFileBusy
            }
            Self::Packer(DescribeFailure::Status { stderr, .. }) => says_so(stderr),
            Self::Undescribed(error) => error.log_tail().iter().any(|line| says_so(line)),
            _ => false,
        }
    }
}
