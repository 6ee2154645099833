//! Go's template language.

use std::collections::{BTreeMap, BTreeSet};

use sdk_go_template::{BuildValues, Context, Data, check as check_syntax, render};

/// Longest output, in bytes.
const LONGEST_OUTPUT: usize = 16 << 20;

/// Any text renders within limits, or fails with a place in it; what is no template fails.
///
/// # Panics
///
/// When that is not so.
pub fn check(text: &str) {
    let sound = check_syntax(text).is_ok();
    for context in [Context::default(), full_context()] {
        match render(text, &data(), &context) {
            Ok(output) => {
                assert!(sound, "rendered, but no template");
                assert!(output.len() <= LONGEST_OUTPUT.max(text.len()));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn data() -> Data {
    let list: Data = vec![Data::Int(3), Data::from("b"), Data::Float(0.5), Data::Null].into();
    let map: Data = [("k", "v"), ("l", "w")].into_iter().collect();
    let entries: [(&str, Data); 5] = [
        ("Name", "kiln".into()),
        ("Count", Data::Int(7)),
        ("Ready", true.into()),
        ("List", list),
        ("Map", map),
    ];
    entries.into_iter().collect()
}

fn full_context() -> Context {
    let texts = |pairs: [(&str, &str); 2]| -> BTreeMap<String, String> {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        pairs.into_iter().map(pair).collect()
    };
    Context {
        build_name: Some("name".to_owned()),
        build_type: Some("type".to_owned()),
        template_dir: Some("/t".to_owned()),
        working_dir: "/w".to_owned(),
        core_version: "1.2.3".to_owned(),
        started_at_unix_nanos: 1_795_187_045_678_000_000,
        user: texts([("a", "1"), ("b", "{{user `a`}}")]),
        build: BuildValues::Placeholders(BTreeSet::from(["Host".to_owned()])),
        env: Some(texts([("HOME", "/h"), ("USER", "u")])),
        ..Context::default()
    }
}
