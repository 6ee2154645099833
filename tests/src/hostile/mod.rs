//! Templates made to break the program: what they are, and what it has to say of each.
//!
//! The process tests check what is said and how much memory that takes; the benchmark measures
//! the time.

mod deep;
mod exponential;
mod files;
mod large;
mod legacy;

use std::fs;
use std::path::Path;

/// A template made to break the program.
#[derive(Debug)]
pub struct Case {
    /// What is nasty about it.
    pub name: String,
    /// Writes its files into the working folder.
    pub files: Files,
    /// The commands to run, each as words.
    pub commands: Vec<Vec<&'static str>>,
    /// Text that the output of each has; none for a template that is all right.
    pub says: Vec<String>,
}

/// The files of a case.
#[derive(Debug)]
pub enum Files {
    /// One with this name and text.
    One(&'static str, String),
    /// Whatever this makes.
    Made(fn(&Path)),
}

impl Case {
    /// Writes its files into `folder`.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn write(&self, folder: &Path) {
        match &self.files {
            Files::One(name, text) => fs::write(folder.join(name), text).expect("a file"),
            Files::Made(make) => make(folder),
        }
    }
}

/// A build that does nothing.
const NOTHING: &str =
    "source \"null\" \"n\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.n\"]\n}\n";
const MIB: usize = 1 << 20;
const DEEP: usize = 100_000;
/// Just below the largest file that is read.
const LARGE: usize = 15 * MIB;

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    deep::deep(&mut cases);
    large::large(&mut cases);
    exponential::exponential(&mut cases);
    legacy::legacy(&mut cases);
    files::no_files(&mut cases);
    cases
}

/// An HCL2 template whose only local is `value`; `validate` says `says` of it.
fn local(name: &str, value: impl Into<String>, says: &[&str]) -> Case {
    hcl(
        name,
        format!("locals {{\n  x = {}\n}}\n{NOTHING}", value.into()),
        says,
    )
}

fn hcl(name: &str, text: String, says: &[&str]) -> Case {
    Case {
        name: name.to_owned(),
        files: Files::One("t.pkr.hcl", text),
        commands: vec![vec!["validate", "t.pkr.hcl"]],
        says: says.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// The same with every command that reads HCL2.
fn everywhere(case: Case) -> Case {
    Case {
        commands: vec![
            vec!["validate", "t.pkr.hcl"],
            vec!["inspect", "t.pkr.hcl"],
            vec!["fmt", "-check", "t.pkr.hcl"],
        ],
        ..case
    }
}

fn json(name: &str, text: String, says: &[&str]) -> Case {
    Case {
        files: Files::One("t.json", text),
        commands: vec![vec!["validate", "t.json"]],
        ..hcl(name, String::new(), says)
    }
}

/// The same with every command that reads legacy JSON.
fn everywhere_json(case: Case) -> Case {
    Case {
        commands: vec![
            vec!["validate", "t.json"],
            vec!["inspect", "t.json"],
            vec!["fix", "t.json"],
            vec!["hcl2_upgrade", "t.json"],
        ],
        ..case
    }
}
