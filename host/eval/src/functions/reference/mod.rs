//! Every function against the Go libraries that Packer 1.16.0 has its functions from.
//!
//! `testdata/functions.txt` holds calls and what those libraries make of them; its first lines say
//! which versions. A result is a type and a value; `?` is a value that is not known yet, `*` one that
//! is another one each time. Where kiln differs, a row of [`differences`] says why.

mod differences;
mod show;
mod values;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_diag::{Diagnostic, FileId};
use host_syntax::parse_expression;

use crate::{FunctionSet, Scope, Settings, evaluate};

use differences::{Case, ROWS};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The variables, and files relative to `testdata/files`.
fn scope() -> Scope {
    let settings = Settings {
        base_dir: testdata().join("files"),
        ..Settings::default()
    };
    Scope::new(FunctionSet::All, Arc::new(settings)).with_variable("var", values::variables())
}

fn outcome(call: &str, scope: &Scope) -> String {
    let (expression, problems) = parse_expression(FileId(0), 0, call);
    assert!(problems.is_empty(), "{call}: {problems:?}");
    let expression = expression.expect("an expression without problems is there");
    let (value, problems) = evaluate(&expression, scope);
    if problems.iter().any(Diagnostic::is_error) {
        return "error".to_owned();
    }
    show::shown(&value)
}

#[test]
fn functions_are_those_of_packer() {
    let table =
        std::fs::read_to_string(testdata().join("functions.txt")).expect("the table can be read");
    let scope = scope();
    let mut applied = vec![0; ROWS.len()];
    let (mut calls, mut unlisted) = (0, String::new());
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (call, expected) = line.split_once('\t').expect(line);
        calls += 1;
        let actual = outcome(call, &scope);
        let same = match expected.strip_suffix('*') {
            Some(ty) => actual.starts_with(ty),
            None => actual == expected,
        };
        if same {
            continue;
        }
        let case = Case {
            call,
            expected,
            actual: &actual,
        };
        match ROWS.iter().position(|row| row.applies(&case)) {
            Some(row) => applied[row] += 1,
            None => writeln!(unlisted, "{call}\t{expected}\t{actual}").expect("memory"),
        }
    }
    println!("{calls} calls, {} differ", applied.iter().sum::<usize>());
    for (row, count) in ROWS.iter().zip(&applied) {
        println!("  {count} times: {}", row.reason);
    }
    assert!(unlisted.is_empty(), "not listed:\n{unlisted}");
    for (row, count) in ROWS.iter().zip(&applied) {
        assert!(*count > 0, "does not differ any more: {}", row.reason);
    }
}
