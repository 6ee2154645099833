//! Why a request to a WinRM service fails, and what to do about it.

use std::time::Duration;

use crate::wsman::Fault;

/// The service refused the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFailure {
    /// Who tried.
    pub user: String,
    /// How it was tried: `basic` or `NTLM`; empty when nothing fitted.
    pub tried: String,
    /// What the service offers, for example `Negotiate, Kerberos`.
    pub offered: Vec<String>,
    /// Whether the connection was plain HTTP.
    pub plain: bool,
}

impl std::fmt::Display for LoginFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let has = |name: &str| {
            self.offered
                .iter()
                .any(|offer| offer.eq_ignore_ascii_case(name))
        };
        let ntlm = has("Negotiate") || has("NTLM");
        let offered = match self.offered.as_slice() {
            [] => "nothing".to_owned(),
            some => some.join(", "),
        };
        if self.tried.is_empty() {
            return write!(
                f,
                "the guest offers no login that kiln knows ({offered}); allow Negotiate or Basic in \
                 its winrm/config/service/auth"
            );
        }
        write!(
            f,
            "the guest refused the {} login of `{}` (401); it offers {offered}",
            self.tried, self.user
        )?;
        if self.tried == "basic" && !has("Basic") {
            f.write_str("; basic authentication is off there")?;
            if self.plain {
                f.write_str(", or it does not allow unencrypted traffic (AllowUnencrypted=false)")?;
            }
            if ntlm {
                f.write_str(": set `winrm_use_ntlm = true`")?;
            }
            return Ok(());
        }
        f.write_str(
            "; check `winrm_username` and `winrm_password`, and that the user is an administrator",
        )
    }
}

/// One request failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// The machine has no address yet.
    #[error("no address yet: {0}")]
    NoAddress(String),
    /// Nothing listens.
    #[error("connection refused")]
    Refused,
    /// The address cannot be reached.
    #[error("cannot reach it: {0}")]
    Unreachable(String),
    /// The connection was accepted, but no answer came.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// The connection was closed before the answer was complete.
    #[error("the connection was closed before an answer: {0}")]
    Closed(String),
    /// Something else than HTTP answered.
    #[error(
        "what answers does not speak HTTP ({0}): `winrm_port` leads to something else, or the port \
         is for HTTPS and `winrm_use_ssl` is not set"
    )]
    NotHttp(String),
    /// TLS could not be agreed on.
    #[error("TLS: {0}")]
    Tls(String),
    /// The proxy did not let us through.
    #[error("proxy: {0}")]
    Proxy(String),
    /// The login was refused.
    #[error("{0}")]
    Login(LoginFailure),
    /// HTTP answered, but not as WinRM does.
    #[error("HTTP status {status}{}", hint(*.status))]
    Status {
        /// HTTP status code.
        status: u16,
    },
    /// The service answered with a fault.
    #[error("{0}")]
    Fault(Fault),
    /// NTLM failed on this side.
    #[error("NTLM: {0}")]
    Ntlm(String),
    /// The answer is not what the protocol says.
    #[error("the answer is not understood: {0}")]
    Protocol(String),
}

fn hint(status: u16) -> &'static str {
    match status {
        404 | 405 => {
            ": a web server answers, but not WinRM; `winrm_port` or `winrm_host` leads elsewhere"
        }
        400 => ": the port may be for HTTPS; then set `winrm_use_ssl = true`",
        407 => ": the proxy wants a login; set `winrm_no_proxy = true` to go around it",
        503 => ": the service is there but does not work yet",
        _ => "",
    }
}

impl AttemptError {
    /// Whether the connection is to blame, so that a new one may help.
    pub(crate) fn is_connection(&self) -> bool {
        matches!(
            self,
            Self::NoAddress(_)
                | Self::Refused
                | Self::Unreachable(_)
                | Self::Silent(_)
                | Self::Closed(_)
                | Self::Proxy(_)
                | Self::Status { status: 503 }
        )
    }

    /// A few words that stand for all failures of this kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no address yet",
            Self::Refused => "connection refused",
            Self::Unreachable(_) => "unreachable",
            Self::Silent(_) => "no answer",
            Self::Closed(_) => "closed early",
            Self::NotHttp(_) => "answered by something that is not HTTP",
            Self::Tls(_) => "TLS failed",
            Self::Proxy(_) => "refused by the proxy",
            Self::Login(_) => "login refused",
            Self::Status { .. } => "answered by something that is not WinRM",
            Self::Fault(_) => "WinRM fault",
            Self::Ntlm(_) => "NTLM failed",
            Self::Protocol(_) => "answer not understood",
        }
    }

    /// How long to wait before the next attempt to connect.
    pub(crate) fn pause(&self) -> Duration {
        match self {
            Self::Refused | Self::Unreachable(_) | Self::Closed(_) | Self::NoAddress(_) => {
                Duration::from_millis(500)
            }
            Self::Silent(_) | Self::Proxy(_) => Duration::from_secs(1),
            // Windows locks accounts after a few refusals, often ten in ten minutes.
            Self::Login(_) => Duration::from_secs(15),
            _ => Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LoginFailure;

    fn check(tried: &str, offered: &[&str], plain: bool, expected: &str) {
        let failure = LoginFailure {
            user: "packer".to_owned(),
            tried: tried.to_owned(),
            offered: offered.iter().map(|&offer| offer.to_owned()).collect(),
            plain,
        };
        let text = failure.to_string();
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_refused_login_says_what_to_change() {
        let wrong =
            "refused the basic login of `packer` (401); it offers Basic; check `winrm_username`";
        check("basic", &["Basic"], true, wrong);
        check(
            "basic",
            &["Negotiate", "Kerberos"],
            true,
            "AllowUnencrypted=false): set `winrm_use_ntlm = true`",
        );
        check(
            "basic",
            &["Negotiate"],
            false,
            "is off there: set `winrm_use_ntlm = true`",
        );
        check(
            "",
            &["Kerberos"],
            true,
            "no login that kiln knows (Kerberos)",
        );
        check(
            "NTLM",
            &["Negotiate"],
            true,
            "check `winrm_username` and `winrm_password`",
        );
    }
}
