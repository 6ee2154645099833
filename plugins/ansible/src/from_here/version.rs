//! The version of Ansible.

/// A version; the default is that of an Ansible that was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
}

impl Default for Version {
    fn default() -> Self {
        Self { major: 2, minor: 0 }
    }
}

impl Version {
    /// Reads what `ansible-playbook --version` says: `ansible-playbook 2.9.6` or
    /// `ansible-playbook [core 2.14.18]`, possibly after warnings.
    pub fn parse(text: &str) -> Option<Self> {
        text.lines()
            .filter(|line| line.contains("ansible"))
            .find_map(|line| line.split([' ', '[', ']']).find_map(number))
    }

    /// Whether its inventories have variables without `ssh` in their names.
    ///
    /// # Source
    ///
    /// Ansible 2.0. Differs from Packer: an Ansible that was not asked counts as one of today.
    pub fn has_plain_names(self) -> bool {
        self.major >= 2
    }
}

fn number(word: &str) -> Option<Version> {
    let mut parts = word.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some(Version { major, minor })
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_of_all_times_are_read() {
        let check = |text: &str, expected: Option<(u32, u32)>| {
            let read = Version::parse(text).map(|version| (version.major, version.minor));
            assert_eq!(read, expected, "{text}");
        };
        check(
            "ansible-playbook [core 2.14.18]\n  config file = None",
            Some((2, 14)),
        );
        check("ansible-playbook 2.9.6\n", Some((2, 9)));
        check("ansible-playbook 1.6.0", Some((1, 6)));
        check("warning: 3.5 is old\nansible-playbook 2.9.6", Some((2, 9)));
        check("command not found", None);
        assert!(Version::default().has_plain_names());
        assert!(!Version { major: 1, minor: 9 }.has_plain_names());
    }
}
