//! The mini Debian build, start to finish, beside Debian's packer.

use anyhow::{Result, bail};
use kiln_tests::{fixture, kiln};

use crate::measure::{measure, median, peers, print, seconds};

/// Measures `runs` builds with each program.
///
/// # Errors
///
/// When a tool is missing or a build fails.
pub fn install(runs: usize) -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        bail!("the fixture's tools are missing")
    };
    let template = kiln::project().join("tests/examples/mini-debian/mini.json");
    let mut walls = [Vec::new(), Vec::new()];
    print(
        "| run | program | wall s | typing s | waiting for SSH s | converting s | peak MiB | without QEMU MiB |",
    );
    print("|---|---|---|---|---|---|---|---|");
    for run in 1..=runs {
        for (index, (name, program)) in peers()?.into_iter().enumerate() {
            let folder = tempfile::tempdir()?;
            let fixture = format!("fixture={}", fixture.display());
            let template = template.display().to_string();
            let words = [
                "build",
                "-color=false",
                "-var",
                &fixture,
                "-var",
                "output=out",
                &template,
            ];
            let measured = measure(&program, &words, folder.path())?;
            let typing = measured.between("Typing the boot command", "to connect: ");
            let waiting = measured.between("to connect: ", "Connected to SSH!");
            let converting = measured.between("Converting hard drive", "Running post-processor");
            print(&format!(
                "| {run} | {name} | {} | {} | {} | {} | {} | {} |",
                seconds(measured.wall),
                seconds(typing),
                seconds(waiting),
                seconds(converting),
                measured.peak_kib.0 >> 10,
                measured.peak_kib.1 >> 10
            ));
            walls[index].push(measured.wall);
        }
    }
    let [packer, own] = walls.map(median);
    print(&format!(
        "\nkiln / packer wall: {:.2}",
        own.as_secs_f64() / packer.as_secs_f64()
    ));
    Ok(())
}
