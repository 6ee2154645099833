//! Requirements files of Ansible Galaxy: what they ask for, and the calls that install it.

/// What a requirements file asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether roles are among it.
    pub roles: bool,
    /// Whether collections are among it.
    pub collections: bool,
}

impl Wanted {
    /// Reads a requirements file. The old form, a bare list, holds roles.
    ///
    /// # Source
    ///
    /// Packer: a line that begins with `roles:` or `collections:`.
    pub fn read(text: &str) -> Self {
        let has = |key: &str| text.lines().any(|line| line.starts_with(key));
        let collections = has("collections:");
        Self {
            roles: has("roles:") || !collections,
            collections,
        }
    }
}

/// How things are installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Install<'a> {
    /// The requirements file, as the call sees it.
    pub file: &'a str,
    /// Where roles go; empty for Galaxy's own place.
    pub roles_path: &'a str,
    /// Where collections go; empty for Galaxy's own place.
    pub collections_path: &'a str,
    /// Whether what is there is installed again.
    pub force: bool,
    /// Whether its dependencies are too.
    pub force_with_dependencies: bool,
}

impl Install<'_> {
    /// The arguments of each call of `ansible-galaxy` that is needed: roles, then collections.
    pub fn calls(&self, wanted: Wanted) -> Vec<Vec<String>> {
        let roles = self.call(&["install", "-r", self.file], self.roles_path);
        let collections = self.call(
            &["collection", "install", "-r", self.file],
            self.collections_path,
        );
        [(wanted.roles, roles), (wanted.collections, collections)]
            .into_iter()
            .filter_map(|(wanted, call)| wanted.then_some(call))
            .collect()
    }

    fn call(&self, words: &[&str], path: &str) -> Vec<String> {
        let mut words = words.to_vec();
        if self.force {
            words.push("-f");
        }
        if self.force_with_dependencies {
            words.push("--force-with-deps");
        }
        if !path.is_empty() {
            words.extend(["-p", path]);
        }
        words.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirements_file_asks_for_roles_collections_or_both() {
        let check = |text: &str, roles: bool, collections: bool| {
            assert_eq!(Wanted::read(text), Wanted { roles, collections }, "{text}");
        };
        check("---\n- src: a.b\n", true, false);
        check("---\nroles:\n  - a.b\n", true, false);
        check("collections:\n  - a.b\n", false, true);
        check("roles: []\ncollections:\n- a.b\n", true, true);
    }

    #[test]
    fn each_kind_is_a_call_of_its_own() {
        let install = Install {
            file: "r.yml",
            roles_path: "/roles",
            collections_path: "/collections",
            force: true,
            force_with_dependencies: true,
        };
        let both = Wanted {
            roles: true,
            collections: true,
        };
        let calls: Vec<String> = install
            .calls(both)
            .iter()
            .map(|call| call.join(" "))
            .collect();
        assert_eq!(
            calls,
            [
                "install -r r.yml -f --force-with-deps -p /roles",
                "collection install -r r.yml -f --force-with-deps -p /collections",
            ]
        );
        let plain = Install {
            file: "r.yml",
            ..Install::default()
        };
        assert_eq!(plain.calls(Wanted::read("")), [["install", "-r", "r.yml"]]);
    }
}
