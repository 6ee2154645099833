//! Facts, as variables of Puppet's environment.

use std::collections::BTreeMap;

use kiln_sdk::staging::{BuildFacts, GuestOs, quote};

/// All facts, sorted by name: the build's, then the template's, which win.
pub fn collect(build: &BuildFacts, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let build = build.variables().into_iter();
    let mut facts: BTreeMap<String, String> = build
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    facts.extend(own.clone());
    facts
}

/// The facts as the guest's shell sets them: `FACTER_name='value'` for a POSIX shell,
/// `SET "FACTER_name=value"` for `cmd.exe`.
///
/// # Source
///
/// Packer's `FacterVars`. Differs: sorted, and a quote in a value arrives.
pub fn text(facts: &BTreeMap<String, String>, os: GuestOs) -> String {
    let words: Vec<String> = facts
        .iter()
        .map(|(name, value)| match os {
            GuestOs::Unix => format!("FACTER_{name}={}", quote::posix(value)),
            GuestOs::Windows => format!("SET \"FACTER_{name}={value}\""),
        })
        .collect();
    match os {
        GuestOs::Unix => words.join(" "),
        GuestOs::Windows => words.join(" & "),
    }
}
