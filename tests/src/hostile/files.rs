//! Files that are none, or too many.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Case, Files, NOTHING, hcl};

pub(super) fn no_files(cases: &mut Vec<Case>) {
    let commands = |names: [&'static str; 2]| {
        let hcl = [
            vec!["validate", names[0]],
            vec!["inspect", names[0]],
            vec!["fmt", names[0]],
        ];
        let json = [
            vec!["validate", names[1]],
            vec!["fix", names[1]],
            vec!["hcl2_upgrade", names[1]],
        ];
        [hcl, json].concat()
    };
    let mut made = |name: &str, make: fn(&Path), says: &[&str]| {
        cases.push(Case {
            files: Files::Made(make),
            commands: commands(["t.pkr.hcl", "t.json"]),
            ..hcl(name, String::new(), says)
        });
    };
    let too_large = ["larger than 16 MiB"];
    made(
        "a device without an end",
        |folder| both(folder, |path| symlink("/dev/zero", path)),
        &too_large,
    );
    made(
        "a file of 100 MB",
        |folder| both(folder, |path| fs::File::create(path)?.set_len(100 << 20)),
        &too_large,
    );
    made(
        "a link to itself",
        |folder| both(folder, |path| symlink(path, path)),
        &["symbolic links"],
    );
    made(
        "nothing but zeros",
        |folder| both(folder, |path| fs::write(path, [0; 100])),
        &["line 1"],
    );
    made(
        "bytes that are no text",
        |folder| both(folder, |path| fs::write(path, b"a\n\xff\n")),
        &["UTF-8", "line 2"],
    );
    made("no file", |_| {}, &["No such file"]);
    other_files(cases);
}

/// Files that only HCL2 has, and folders.
fn other_files(cases: &mut Vec<Case>) {
    cases.push(Case {
        files: Files::Made(|folder| {
            fs::write(folder.join("t.pkr.hcl"), NOTHING).expect("a file");
            fs::File::create(folder.join("v.pkrvars.hcl"))
                .and_then(|file| file.set_len(1 << 40))
                .expect("a sparse file");
        }),
        commands: vec![vec!["validate", "-var-file=v.pkrvars.hcl", "t.pkr.hcl"]],
        ..hcl(
            "a file of variables of 1 TB",
            String::new(),
            &["v.pkrvars.hcl", "larger than 16 MiB"],
        )
    });
    cases.push(Case {
        files: Files::Made(|folder| {
            for at in 0..20_000 {
                fs::write(
                    folder.join(format!("f{at}.pkr.hcl")),
                    format!("locals {{\n  x{at} = 1\n}}\n"),
                )
                .expect("a file");
            }
        }),
        commands: vec![vec!["validate", "."]],
        ..hcl("20,000 files", String::new(), &["build block"])
    });
    cases.push(Case {
        files: Files::Made(|folder| {
            for name in ["t.pkr.hcl", "t.json"] {
                fs::create_dir(folder.join(name)).expect("a folder");
            }
        }),
        commands: vec![vec!["validate", "t.pkr.hcl"], vec!["validate", "t.json"]],
        ..hcl(
            "folders",
            String::new(),
            &["Could not find any config file"],
        )
    });
}

/// Makes the template of either language.
fn both(folder: &Path, make: impl Fn(&Path) -> std::io::Result<()>) {
    for name in ["t.pkr.hcl", "t.json"] {
        make(&folder.join(name)).expect("a file");
    }
}
