//! What can go wrong when plugins are installed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host_diag::Fault;
use host_plugin_client::Reason;
use host_plugin_client::tree::Platform;

/// A plugin could not be installed, removed or listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A file or folder could not be used.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was attempted, for example `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lock file is not what kiln writes.
    #[error(
        "`{}` is damaged: {problem}; restore it, or remove it and run `kiln init`",
        path.display()
    )]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An address is none that can be used.
    #[error("`{address}` cannot be used: {problem}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No origin can have plugins of this source.
    #[error(
        "`{source_address}` cannot be downloaded: only sources of the form github.com/OWNER/NAME \
         can; use a mirror (-mirror), or install a file with `kiln plugins install -path FILE \
         {source_address}`"
    )]
    Unreachable {
        /// The source.
        source_address: String,
    },
    /// The client for the web could not be made.
    #[error("cannot prepare downloads")]
    Client(#[source] reqwest::Error),
    /// A server cannot be reached, or the connection broke.
    #[error("cannot read `{url}`")]
    Web {
        /// What was asked for.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// A server does not give what was asked for.
    #[error("cannot read `{url}`: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: reqwest::StatusCode,
    },
    /// GitHub has had enough of us.
    #[error(
        "GitHub answers no more requests from here{}; set PACKER_GITHUB_API_TOKEN to a token of \
         yours, with which it answers many more",
        until(reset.as_ref())
    )]
    RateLimit {
        /// When it will again, as text.
        reset: Option<String>,
    },
    /// Another server has had enough of us.
    #[error("cannot read `{url}`: the server takes no more requests from here{}", until(reset.as_ref()))]
    TooMany {
        /// Where.
        url: String,
        /// When it will again, as text.
        reset: Option<String>,
    },
    /// GitHub does not accept the token.
    #[error("GitHub does not accept the token in PACKER_GITHUB_API_TOKEN; set another, or none")]
    Token,
    /// An archive that was not there when its version was locked.
    #[error(
        "`{archive}` is not in the lock file, which has other archives of the same version; if it is \
         all right, `kiln init -upgrade` locks it"
    )]
    NotLocked {
        /// Its file name.
        archive: String,
    },
    /// A server sends too much.
    #[error("`{url}` has more than {limit} bytes, which is too much for what it should be")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// A download ended early, several times.
    #[error("`{url}` breaks off after {received} bytes; run the command again to go on from there")]
    Cut {
        /// What was asked for.
        url: String,
        /// What is there.
        received: u64,
    },
    /// A list is not in the form it should have.
    #[error("`{url}` is not what it should be: {problem}")]
    Form {
        /// The list.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The list of checksums has no valid signature.
    #[error("the signature of `{url}` does not hold: {problem}")]
    Signature {
        /// The list.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The keys for signatures cannot be used.
    #[error("`{}` has no keys that can be used: {problem}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file is not the one that was published.
    #[error("`{what}` has the SHA-256 {found}, and {by} has {expected}: it is not used")]
    Changed {
        /// The file.
        what: String,
        /// Who says what it should be.
        by: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An archive is not one of a plugin.
    #[error("`{archive}` cannot be used: {problem}")]
    Archive {
        /// The archive.
        archive: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The plugin is not what it was published as.
    #[error("`{plugin}` cannot be used")]
    Plugin {
        /// What it was published as.
        plugin: String,
        /// What is wrong with it.
        source: Box<Reason>,
    },
    /// A plugin says that it is a prerelease.
    #[error(
        "`{plugin}` says that it is version {version}, a prerelease; only releases are installed"
    )]
    Prerelease {
        /// What it was published as.
        plugin: String,
        /// What it says.
        version: String,
    },
    /// There is no version that will do.
    #[error(
        "no version of `{source_address}` can be installed{} on {platform}:{}",
        wanted.as_ref().map(|wanted| format!(" that is {wanted}")).unwrap_or_default(),
        lines(tried)
    )]
    NoVersion {
        /// The plugin.
        source_address: String,
        /// What was asked for.
        wanted: Option<String>,
        /// Where it has to run.
        platform: Platform,
        /// What was tried, and why it will not do.
        tried: Vec<String>,
    },
    /// Another process installs the same thing, and does not end.
    #[error("another process has been working on `{}` for {} s", path.display(), waited.as_secs())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The file that is to be installed has no version that can be installed.
    #[error("`{}` is version `{version}`; versions such as 1.2.3 and 1.2.3-dev can be installed", path.display())]
    LocalVersion {
        /// The file.
        path: PathBuf,
        /// What it says.
        version: String,
    },
}

fn until(reset: Option<&String>) -> String {
    reset.map_or_else(String::new, |reset| format!(" until {reset}"))
}

fn lines(lines: &[String]) -> String {
    match lines {
        [] => " nothing is published".to_owned(),
        lines => lines.iter().map(|line| format!("\n  {line}")).collect(),
    }
}

impl InstallError {
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    /// Who can mend it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::File { .. }
            | Self::Client(_)
            | Self::Web { .. }
            | Self::Status { .. }
            | Self::RateLimit { .. }
            | Self::TooMany { .. }
            | Self::Cut { .. }
            | Self::Busy { .. } => Fault::Environment,
            Self::Changed { .. }
            | Self::NotLocked { .. }
            | Self::Archive { .. }
            | Self::Plugin { .. }
            | Self::Prerelease { .. }
            | Self::Signature { .. }
            | Self::Form { .. } => Fault::Plugin,
            _ => Fault::User,
        }
    }

    /// Whether the next origin may do better: the server was not reached, or does not have it.
    pub(crate) fn is_of_server(&self) -> bool {
        matches!(
            self,
            Self::Web { .. } | Self::Status { .. } | Self::Cut { .. }
        )
    }

    /// Whether the server does not have what was asked for.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status.as_u16(), 404 | 410),
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// The error with all its causes in one line.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Some libraries repeat their source in their own text.
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}
