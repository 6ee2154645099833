//! A command line: to be run, and to be shown without secrets.

use kiln_sdk::program::Program;
use kiln_sdk::staging::quote;

const MASK: &str = "*****";
/// Words in the name of a variable that say that its value is a secret.
const SECRET_WORDS: [&str; 4] = ["password", "passwd", "secret", "token"];

/// A call of Ansible or one of its programs.
pub struct CommandLine {
    pub program: String,
    pub arguments: Vec<String>,
    /// Variables added to the environment; later ones win.
    pub environment: Vec<(String, String)>,
}

impl CommandLine {
    /// The program to run.
    pub fn program(&self) -> Program {
        let program = Program::new(&self.program).args(&self.arguments);
        let pairs = self.environment.iter();
        pairs.fold(program, |program, (name, value)| program.env(name, value))
    }

    /// The command as a shell would read it, with its environment. Values whose names speak of a
    /// secret, and every text in `secrets`, are masked.
    ///
    /// # Source
    ///
    /// Packer masks values of names with `password` and `secret`.
    pub fn shown(&self, secrets: &[&str]) -> String {
        let environment = self.environment.iter();
        let mut words: Vec<String> = environment
            .map(|(name, value)| {
                let value = if speaks_of_secret(name) {
                    MASK.to_owned()
                } else {
                    masked(value, secrets)
                };
                format!("{name}={}", quote::posix_when_needed(&value))
            })
            .collect();
        words.push(quote::posix_when_needed(&self.program));
        for argument in &self.arguments {
            words.push(quote::posix_when_needed(&masked(argument, secrets)));
        }
        words.join(" ")
    }
}

fn speaks_of_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// One argument: everything after the first name that speaks of a secret is masked, because nobody
/// knows where a value ends; so are known secrets wherever they are.
fn masked(argument: &str, secrets: &[&str]) -> String {
    let mut text = argument.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, MASK);
    }
    let lower = text.to_ascii_lowercase();
    let first = SECRET_WORDS
        .iter()
        .filter_map(|word| lower.find(word))
        .min();
    let value = first.and_then(|at| Some(at + lower[at..].find(['=', ':'])? + 1));
    match value {
        Some(at) => format!("{}{MASK}", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let check = |argument: &str, expected: &str| {
            let call = CommandLine {
                program: "ansible-playbook".to_owned(),
                arguments: vec![argument.to_owned()],
                environment: Vec::new(),
            };
            let shown = call.shown(&["hunter2"]);
            assert_eq!(shown, format!("ansible-playbook {expected}"));
        };
        check("-vv", "-vv");
        check("ansible_port=22", "ansible_port=22");
        check("ansible_password=x y", "'ansible_password=*****'");
        check("--extra-vars=my_Secret=x", "'--extra-vars=my_Secret=*****'");
        check("{\"db_password\": \"x\"}", "'{\"db_password\":*****'");
        check(
            "a=1 become_password='b c' d=2",
            "'a=1 become_password=*****'",
        );
        check("plain=hunter2", "'plain=*****'");
        check("--ask-vault-password", "--ask-vault-password");
        check("it's", r"'it'\''s'");
    }

    #[test]
    fn variables_with_secrets_are_masked_by_name() {
        let call = CommandLine {
            program: "x".to_owned(),
            arguments: Vec::new(),
            environment: vec![
                ("API_TOKEN".to_owned(), "abc".to_owned()),
                ("ANSIBLE_FORCE_COLOR".to_owned(), "1".to_owned()),
            ],
        };
        assert_eq!(call.shown(&[]), "API_TOKEN='*****' ANSIBLE_FORCE_COLOR=1 x");
    }
}
