//! Puppet's command line.

use kiln_sdk::staging::{GuestOs, Sudo, quote};

/// A call of Puppet.
#[derive(Clone, Debug)]
pub struct Call {
    pub os: GuestOs,
    pub sudo: Sudo,
    pub working_directory: String,
    /// As [`crate::facts::text`] writes them; may be empty.
    pub facts: String,
    /// Folder of the program; may be empty.
    pub folder: String,
    /// `apply` or `agent`, and what always follows it.
    pub verb: &'static str,
    /// Options with a value; those with an empty one are left out.
    pub options: Vec<(&'static str, String)>,
    /// The template's arguments, as the shell reads them; may be empty.
    pub extra: String,
    /// The last argument; may be empty.
    pub target: String,
}

impl Call {
    /// The command for the guest's shell.
    ///
    /// # Source
    ///
    /// Packer's commands. Differs: every path is one word whatever is in it, and facts are set after
    /// `sudo`, so that they arrive also where it starts with a clean environment.
    pub fn command(&self) -> String {
        match self.os {
            GuestOs::Unix => self.unix(),
            GuestOs::Windows => self.windows(),
        }
    }

    fn unix(&self) -> String {
        let mut words = vec![
            "cd".to_owned(),
            quote::posix_when_needed(&self.working_directory),
        ];
        words.push("&&".to_owned());
        match (self.sudo, self.facts.is_empty()) {
            (Sudo::Use, true) => words.push("sudo -E".to_owned()),
            (Sudo::Use, false) => words.push(format!("sudo -E env {}", self.facts)),
            (Sudo::Avoid, _) => words.push(self.facts.clone()),
        }
        words.push(quote::posix_when_needed(&self.program()));
        words.push(self.verb.to_owned());
        for (name, value) in self.given() {
            words.push(format!("{name}={}", quote::posix(value)));
        }
        words.push(self.extra.clone());
        if !self.target.is_empty() {
            words.push(quote::posix_when_needed(&self.target));
        }
        joined(words)
    }

    fn windows(&self) -> String {
        let quoted = |text: &str| {
            if text.contains(' ') {
                format!("\"{text}\"")
            } else {
                text.to_owned()
            }
        };
        let mut words = vec![format!("cd {} &&", quoted(&self.working_directory))];
        if !self.facts.is_empty() {
            words.push(format!("{} &&", self.facts));
        }
        words.push(quoted(&self.program()));
        words.push(self.verb.to_owned());
        for (name, value) in self.given() {
            words.push(format!("{name}=\"{value}\""));
        }
        words.push(self.extra.clone());
        words.push(quoted(&self.target));
        joined(words)
    }

    fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let options = self.options.iter();
        options
            .map(|(name, value)| (*name, value.as_str()))
            .filter(|(_, value)| !value.is_empty())
    }

    /// The program, where it is.
    pub fn program(&self) -> String {
        program(&self.folder)
    }
}

/// The program in `folder`, or where the guest finds it.
pub fn program(folder: &str) -> String {
    match folder.trim_end_matches('/') {
        "" => "puppet".to_owned(),
        folder => format!("{folder}/puppet"),
    }
}

fn joined(words: Vec<String>) -> String {
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
