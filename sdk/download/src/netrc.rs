//! User names and passwords for hosts, from the file curl and others use too.

use std::path::PathBuf;

/// A login for one host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("password", &"<sensitive>")
            .finish()
    }
}

/// The login for `host` in `$NETRC` or `~/.netrc`; nothing when there is no such file.
pub(crate) fn login(host: &str) -> Option<Login> {
    let path = std::env::var_os("NETRC")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".netrc")))?;
    find(&std::fs::read_to_string(path).ok()?, host)
}

fn find(text: &str, host: &str) -> Option<Login> {
    // A macro is text up to an empty line, not words of ours.
    let words: Vec<&str> = text
        .split("\n\n")
        .flat_map(|part| {
            part.split("macdef")
                .next()
                .unwrap_or_default()
                .split_whitespace()
        })
        .collect();
    let (mut matched, mut user, mut password) = (false, None, None);
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let value = words.get(index + 1).copied().unwrap_or_default();
        match *word {
            "machine" | "default" => {
                if matched {
                    break;
                }
                matched = *word == "default" || value.eq_ignore_ascii_case(host);
                index += usize::from(*word == "machine");
            }
            "login" | "password" | "account" => {
                if matched && *word == "login" {
                    user = Some(value.to_owned());
                } else if matched && *word == "password" {
                    password = Some(value.to_owned());
                }
                index += 1;
            }
            _ => {}
        }
        index += 1;
    }
    matched.then(|| {
        Some(Login {
            user: user?,
            password: password.unwrap_or_default(),
        })
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let found = find(text, "a.test");
        let found = found
            .as_ref()
            .map(|login| (login.user.as_str(), login.password.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_the_machine_or_the_default() {
        check("machine a.test login me password pw", Some(("me", "pw")));
        check(
            "machine b.test\nlogin x password y\nmachine a.test\n  login me\n  password pw\n",
            Some(("me", "pw")),
        );
        check(
            "machine b.test login x password y\ndefault login any password all",
            Some(("any", "all")),
        );
        check("machine b.test login x password y", None);
        check(
            "macdef init\nmachine a.test login x password y\n\nmachine a.test login me password pw",
            Some(("me", "pw")),
        );
    }

    #[test]
    fn a_password_is_not_printed() {
        let login = find("machine a.test login me password pw", "a.test").expect("found");
        assert!(!format!("{login:?}").contains("pw"));
    }
}
