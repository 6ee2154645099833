//! HCL2 templates as text, and what becomes of them.

mod builds;
mod components;
mod diagnostics;
mod dynamic_blocks;
mod instances;
mod loading;
mod modules;
mod values;

use crate::testing::{Case, FakeComponents, configure_all};

/// Wraps `text` in a template that is otherwise complete.
fn complete(text: &str) -> String {
    format!("{text}\nsource \"null\" \"a\" {{}}\nbuild {{ sources = [\"source.null.a\"] }}\n")
}

/// The problems of a template, as lines.
fn problems(text: &str) -> Vec<String> {
    Case::hcl(text).run().problems
}

fn check_problems(text: &str, expected: &[&str]) {
    let outcome = Case::hcl(text).run();
    assert_eq!(
        outcome.problems, expected,
        "details: {:#?}",
        outcome.details
    );
}

/// The configurations of every component of every build.
fn check_configurations(text: &str, expected: &[&str]) {
    let outcome = Case::hcl(text).run();
    assert_eq!(outcome.problems, [""; 0], "details: {:#?}", outcome.details);
    assert_eq!(configurations(&outcome.builds), expected);
}

fn configurations(builds: &[crate::Build]) -> Vec<String> {
    let components = FakeComponents::new();
    let all = builds
        .iter()
        .flat_map(|build| configure_all(build, &components));
    all.map(|(value, _)| value).collect()
}

fn names(builds: &[crate::Build]) -> Vec<&str> {
    builds.iter().map(|build| build.name.as_str()).collect()
}
