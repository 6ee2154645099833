//! Small templates and many small builds, beside Debian's packer.

use anyhow::Result;

use crate::measure::{measure, median, peers, print};

/// Measures every case with each program, at least three times.
///
/// # Errors
///
/// When a tool is missing or a command fails.
pub fn startup(runs: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let small = r#"{"builders": [{"type": "null", "communicator": "none"}]}"#;
    std::fs::write(path("small.json"), small)?;
    let builders: Vec<String> = (0..50)
        .map(|n| format!(r#"{{"type": "null", "name": "n{n}", "communicator": "none"}}"#))
        .collect();
    let local = r#"{"type": "shell-local", "command": "true"}"#;
    let many = format!(
        r#"{{"builders": [{}], "provisioners": [{local}]}}"#,
        builders.join(",")
    );
    std::fs::write(path("many.json"), many)?;
    let blocks = vec![local; 30].join(",");
    let long = format!(
        r#"{{"builders": [{{"type": "null", "communicator": "none"}}], "provisioners": [{blocks}]}}"#
    );
    std::fs::write(path("long.json"), long)?;
    let cases: [(&str, Vec<String>); 4] = [
        ("version", vec!["version".into()]),
        (
            "validate, one source",
            vec!["validate".into(), path("small.json")],
        ),
        (
            "50 null builds, 1 shell-local each",
            vec!["build".into(), path("many.json")],
        ),
        (
            "30 shell-local blocks on one null build",
            vec!["build".into(), path("long.json")],
        ),
    ];
    print("| case | program | wall s | CPU s | peak MiB | wall ratio | CPU ratio | memory ratio |");
    print("|---|---|---|---|---|---|---|---|");
    for (case, words) in cases {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut base: Option<(f64, f64, f64)> = None;
        for (name, program) in peers()? {
            drop(measure(&program, &words, folder.path())?);
            let mut all = Vec::new();
            for _ in 0..runs.max(3) {
                all.push(measure(&program, &words, folder.path())?);
            }
            let wall = median(all.iter().map(|m| m.wall).collect()).as_secs_f64();
            let cpu = median(all.iter().map(|m| m.processor).collect()).as_secs_f64();
            let memory = all.iter().map(|m| m.peak_kib.0).max().unwrap_or(0);
            let memory = f64::from(u32::try_from(memory).unwrap_or(u32::MAX)) / 1024.0;
            let ratio = base.map_or_else(String::new, |base| {
                format!(
                    "{:.2} | {:.2} | {:.2}",
                    wall / base.0,
                    cpu / base.1,
                    memory / base.2
                )
            });
            let ratio = if ratio.is_empty() {
                "1 | 1 | 1".to_owned()
            } else {
                ratio
            };
            print(&format!(
                "| {case} | {name} | {wall:.3} | {cpu:.3} | {memory:.0} | {ratio} |"
            ));
            base.get_or_insert((wall, cpu.max(0.001), memory.max(0.001)));
        }
    }
    Ok(())
}
