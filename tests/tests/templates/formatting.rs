//! `fmt` against the reference formatter.
//!
//! `formatted.txt` has one line for each HCL2 file of the corpus: the SHA-256 of what the reference
//! (`hclwrite.Format` of github.com/hashicorp/hcl/v2 2.25.0) makes of it, whether that is the file
//! itself, and its path. It was written by a Go program of one loop around that function.

use std::process::Command;

use anyhow::{Context, Result};
use kiln_tests::kiln::program_folder;
use sha2::{Digest, Sha256};

use crate::corpus;

#[test]
fn fmt_agrees_with_the_reference_on_every_file() -> Result<()> {
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    let (mut same, mut changed) = (0, 0);
    for line in include_str!("formatted.txt").lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().with_context(|| line.to_owned());
        let (digest, verdict, path) = (word()?, word()?, word()?);
        let path = folder.join(path);
        let check = Command::new(program_folder().join("kiln"))
            .args(["fmt", "-check", "-write=false"])
            .arg(&path)
            .output()?;
        let expected = if verdict == "same" { 0 } else { 3 };
        assert_eq!(check.status.code(), Some(expected), "{}", path.display());
        let formatted = Command::new(program_folder().join("kiln"))
            .args(["fmt", "-"])
            .stdin(std::fs::File::open(&path)?)
            .output()?;
        let found = hex::encode(Sha256::digest(&formatted.stdout));
        assert_eq!(found, digest, "{}", path.display());
        *(if verdict == "same" {
            &mut same
        } else {
            &mut changed
        }) += 1;
    }
    println!("fmt: {same} files are canonical, {changed} are not, as the reference says");
    Ok(())
}

#[test]
fn the_reference_knows_every_file() -> Result<()> {
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    let mut found = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl") {
                found += 1;
            }
        }
    }
    assert_eq!(found, include_str!("formatted.txt").lines().count());
    Ok(())
}
