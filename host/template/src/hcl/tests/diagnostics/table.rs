//! A row of the tables of what can be wrong, and the templates that many rows begin with.

use super::super::complete;
use crate::testing::Case;

/// A template, and all that is found wrong with it.
pub(super) struct Row {
    pub(super) case: fn() -> Case,
    pub(super) found: &'static [Found],
}

/// Place and title (`main.pkr.hcl 3:5-8 Title`, the title alone for what is in no file), the source
/// that is marked, what is said of values, and what to do.
pub(super) type Found = (&'static str, &'static str, &'static str, &'static str);

/// `text` before a source and a build that are fine.
pub(super) fn around(text: &str) -> Case {
    Case::hcl(&complete(text))
}

/// `text` in a build block, on line 4.
pub(super) fn in_build(text: &str) -> Case {
    let source = "source \"null\" \"a\" {}\n";
    Case::hcl(&format!(
        "{source}build {{\n  sources = [\"null.a\"]\n{text}\n}}\n"
    ))
}

/// `entry` in `required_plugins`, on line 3.
pub(super) fn plugin(entry: &str) -> Case {
    around(&format!("packer {{\nrequired_plugins {{\n{entry}\n}}\n}}"))
}

/// A template with a number, `a`.
pub(super) fn number() -> Case {
    around("variable \"a\" {\n  type    = number\n  default = 1\n}")
}

/// The same with a file of values.
pub(super) fn values(text: &str) -> Case {
    let template = complete("variable \"a\" {\n  type    = number\n  default = 1\n}");
    let files = [("main.pkr.hcl", template.as_str()), ("v.pkrvars.hcl", text)];
    Case::with_files(&files, "main.pkr.hcl").var_file("v.pkrvars.hcl")
}

pub(super) fn undeclared() -> Case {
    let mut case = values("b = 1\n");
    case.options.warn_undeclared = true;
    case
}

/// A template with a number that has to be positive, beside a file of values.
pub(super) fn positive() -> Case {
    let template = complete(
        "variable \"a\" {\n  type    = number\n  default = 1\n  validation {\n    \
         condition     = var.a > 0\n    error_message = \"Too small.\"\n  }\n}",
    );
    Case::with_files(
        &[("main.pkr.hcl", &template), ("v.pkrvars.hcl", "a = 0\n")],
        "main.pkr.hcl",
    )
}
