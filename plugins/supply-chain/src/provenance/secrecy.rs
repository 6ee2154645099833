//! Keeps secrets out of what is attested.

use std::collections::BTreeMap;

use kiln_sdk::{Value, ValueKind};

/// What stands in place of a secret.
///
/// # Source
///
/// Packer's text for sensitive variables.
pub const REDACTED: &str = "[sensitive value redacted]";

/// Parts of names of variables that hold secrets, whatever the template says of them.
const TELLING: [&str; 12] = [
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "private_key",
    "privatekey",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
];
/// The same as whole words, because they are also parts of harmless ones.
const TELLING_WORDS: [&str; 2] = ["pat", "pass"];

/// Values that must not be told.
#[derive(Debug, Default)]
pub struct Secrecy {
    secrets: Vec<String>,
}

impl Secrecy {
    /// The build's secrets, and those among the machine's values.
    pub fn new(secrets: &[String], generated: &Value) -> Self {
        let mut all: Vec<String> = secrets.to_vec();
        if let ValueKind::Map(entries) = &generated.kind {
            let sensitive = entries.values().filter(|value| value.sensitive);
            all.extend(sensitive.filter_map(|value| Some(value.as_str()?.to_owned())));
        }
        all.retain(|secret| !secret.is_empty());
        Self { secrets: all }
    }

    /// The variables with what is secret replaced: values that hold a secret, and values whose
    /// names say that they are one. Of URLs only the place is left.
    pub fn variables(&self, variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let told = variables.iter().map(|(name, value)| {
            let value = match is_telling(name) || self.holds(value) {
                true => REDACTED.to_owned(),
                false => places(value),
            };
            (name.clone(), value)
        });
        told.collect()
    }

    /// The text, or what stands in its place when it holds a secret.
    pub fn text(&self, text: &str) -> String {
        match self.holds(text) {
            true => REDACTED.to_owned(),
            false => text.to_owned(),
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.secrets
            .iter()
            .any(|secret| text.contains(secret.as_str()))
    }
}

/// Whether a variable's name says that its value is secret.
fn is_telling(name: &str) -> bool {
    let lower = name.to_lowercase().replace('-', "_");
    let words = words(name);
    let mut words = words.iter().map(String::as_str);
    TELLING.iter().any(|part| lower.contains(part))
        || words.any(|word| TELLING_WORDS.contains(&word) || is_about_access(word))
}

/// Whether a word is about authentication, and not about an author.
fn is_about_access(word: &str) -> bool {
    word.contains("auth") && (!word.starts_with("author") || word.starts_with("authori"))
}

/// The words of a name such as `GITHUB_PAT`, `github-pat` or `githubPat`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (after_small && letter.is_uppercase()) {
            words.push(String::new());
        }
        after_small = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// The text with no more of its URLs than scheme, server and path: user, password and query may be
/// secret. What cannot be taken apart for certain is replaced as a whole.
pub fn places(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let ends = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        let (url, next) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let Some(place) = place(url) else {
            return REDACTED.to_owned();
        };
        told.push_str(&format!("{before}://{place}"));
        rest = next;
    }
    told + rest
}

/// Server and path of what follows a scheme; nothing when that may hold a password that no URL can
/// have unquoted.
fn place(url: &str) -> Option<String> {
    let (server, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
    let (_, server) = server.rsplit_once('@').unwrap_or(("", server));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let port = match server.rsplit_once(']') {
        Some((_, behind)) => behind.strip_prefix(':'),
        None => server.split_once(':').map(|(_, port)| port),
    };
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let certain = port.is_none_or(|port| is_number(port) && !path.contains('@'));
    certain.then(|| format!("{server}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_by_value_and_by_name() {
        let generated: Value = [
            ("Host", Value::from("10.0.0.1")),
            ("Password", Value::from("hunter2").sensitive()),
            ("SSHPrivateKey", Value::from("").sensitive()),
        ]
        .into_iter()
        .collect();
        let secrecy = Secrecy::new(&["s3cret".to_owned(), String::new()], &generated);
        let told = |name: &str, value: &str| {
            let variables = [(name.to_owned(), value.to_owned())].into();
            secrecy.variables(&variables)[name].clone()
        };
        assert_eq!(told("region", "eu"), "eu");
        assert_eq!(told("host", "10.0.0.1"), "10.0.0.1");
        assert_eq!(told("url", "https://u:s3cret@h"), REDACTED);
        assert_eq!(told("login", "hunter2"), REDACTED);
        assert_eq!(told("db_Password", "x"), REDACTED);
        assert_eq!(told("API-KEY", "x"), REDACTED);
        assert_eq!(secrecy.text("git+https://h/s3cret"), REDACTED);
    }

    #[test]
    fn names_tell_what_is_secret() {
        for name in [
            "github_pat",
            "githubPat",
            "GITHUB-PAT",
            "dbPwd",
            "smtp_passw",
            "db_pass",
            "oauth",
            "http_authorization",
            "registry-auth",
            "credentials",
            "awsAccessKey",
        ] {
            assert!(is_telling(name), "{name}");
        }
        for name in [
            "path",
            "pattern",
            "patch_level",
            "author",
            "compass",
            "region",
        ] {
            assert!(!is_telling(name), "{name}");
        }
    }

    #[test]
    fn of_urls_only_the_place_is_told() {
        for (text, told) in [
            (
                "https://bob:hunter2@reg.example/x?token=zzz",
                "https://reg.example/x",
            ),
            ("https://ghp_abc@h/r.git#main", "https://h/r.git"),
            ("https://h:8443/a/b", "https://h:8443/a/b"),
            ("http://[::1]:80/a?b", "http://[::1]:80/a"),
            (
                "git+https://h/r@refs/heads/main",
                "git+https://h/r@refs/heads/main",
            ),
            ("a http://u:p@h/ and http://i?k", "a http://h/ and http://i"),
            (r#"["https://u:p@h/x","y"]"#, r#"["https://h/x","y"]"#),
            ("no URL: a@b?c", "no URL: a@b?c"),
            ("https://u:p/w@h/", REDACTED),
            ("https://u:1/2@h/", REDACTED),
            ("https://u:p@a,https://u:q@b", REDACTED),
        ] {
            assert_eq!(places(text), told);
        }
    }
}
