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
const TELLING: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "private_key",
    "api_key",
    "apikey",
    "access_key",
    "privatekey",
];

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
    /// names say that they are one.
    pub fn variables(&self, variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let told = variables.iter().map(|(name, value)| {
            let lower = name.to_lowercase().replace('-', "_");
            let telling = TELLING.iter().any(|part| lower.contains(part));
            let value = match telling || self.holds(value) {
                true => REDACTED.to_owned(),
                false => value.clone(),
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
}
