//! Checking a template with one plugin installed, and with fifty.

use std::path::Path;

use anyhow::{Context, Result};
use kiln_tests::releases::{PLATFORM, sha256};

use crate::measure::{kiln_program, measure, median, peers, print};

/// Numbers of installed plugins.
const COUNTS: [usize; 2] = [1, 50];

/// Measures `validate` of a template that needs no plugin, beside Debian's packer, and of one that
/// needs one of those installed, which packer 1.6 cannot say.
///
/// # Errors
///
/// When a tool is missing or a command fails.
pub fn plugins(runs: usize) -> Result<()> {
    print("| case | program | plugins | wall s | CPU s | wall ratio | CPU ratio |");
    print("|---|---|---|---|---|---|---|");
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    for (folder, count) in folders.iter().zip(COUNTS) {
        install(folder.path(), count)?;
    }
    let peers = peers()?;
    let kiln = peers
        .last()
        .cloned()
        .context("kiln is among the programs")?;
    let mut cases = Vec::new();
    for peer in peers {
        cases.push(("a template that needs none", peer, "small.json"));
    }
    cases.push(("a template that needs one of them", kiln, "needs.pkr.hcl"));
    for (case, (name, program), template) in cases {
        let mut base: Option<(f64, f64)> = None;
        for (folder, count) in folders.iter().zip(COUNTS) {
            let words = ["validate", template];
            drop(measure(&program, &words, folder.path())?);
            let mut all = Vec::new();
            for _ in 0..runs.max(9) {
                all.push(measure(&program, &words, folder.path())?);
            }
            let wall = median(all.iter().map(|m| m.wall).collect()).as_secs_f64();
            // A tick is 10 ms, so that only the sum of many runs tells.
            let total: f64 = all.iter().map(|m| m.processor.as_secs_f64()).sum();
            let cpu = total / f64::from(u32::try_from(all.len()).unwrap_or(u32::MAX));
            let (base_wall, base_cpu) = *base.get_or_insert((wall, cpu.max(0.001)));
            let (wall_ratio, cpu_ratio) = (wall / base_wall, cpu / base_cpu);
            print(&format!(
                "| {case} | {name} | {count} | {wall:.3} | {cpu:.3} | {wall_ratio:.2} | {cpu_ratio:.2} |"
            ));
        }
    }
    Ok(())
}

/// A home folder with templates and `count` plugins, for kiln and for packer 1.6.
fn install(home: &Path, count: usize) -> Result<()> {
    let small = r#"{"builders": [{"type": "null", "communicator": "none"}]}"#;
    std::fs::write(home.join("small.json"), small)?;
    let needs = "packer {\n  required_plugins {\n    trial = { source = \"example.com/tests/trial\", \
                 version = \"~> 0.1\" }\n  }\n}\nsource \"trial\" \"t\" {\n  actions = []\n}\n\
                 build {\n  sources = [\"trial.t\"]\n}\n";
    std::fs::write(home.join("needs.pkr.hcl"), needs)?;
    let tree = home.join(".packer.d/plugins");
    let program = kiln_program()?.with_file_name("trial_plugin");
    let sum = sha256(&std::fs::read(&program)?);
    for number in 0..count {
        let name = match number {
            0 => "trial".to_owned(),
            number => format!("p{number}"),
        };
        let folder = tree.join(format!("example.com/tests/{name}"));
        std::fs::create_dir_all(&folder)?;
        let version = env!("CARGO_PKG_VERSION");
        let file = format!("kiln-plugin-{name}_v{version}_k1_{PLATFORM}");
        std::fs::copy(&program, folder.join(&file))?;
        std::fs::write(folder.join(format!("{file}_SHA256SUM")), &sum)?;
        std::fs::copy(&program, tree.join(format!("packer-builder-{name}")))?;
    }
    Ok(())
}
