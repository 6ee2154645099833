//! `kiln plugins package`: a plugin as `plugins install` takes it and as releases are published.
//!
//! In the output folder are then, with the names that GitHub releases of plugins have, the archive
//! for this platform, the list of checksums of all archives of the version that are there, and a
//! manifest. Packaging on each platform into the same folder gives a whole release.

mod archive;
mod build;
mod judge;
mod manifest;

use std::path::{Path, PathBuf};

use host_plugin_client::OwnWords;
use host_plugin_client::tree::{Family, FileName, Platform};
use host_template::Version;
use host_ui::Ui;

use self::build::Built;
use self::manifest::Manifest;
use crate::arguments::PackageArguments;
use crate::commands::build::{failure_text, usage};
use crate::exit;
use crate::world::World;

/// The folder of releases in a crate.
const OUTPUT: &str = "dist";

/// Builds, checks and writes.
pub async fn run(world: &World, ui: &Ui, arguments: &PackageArguments) -> u8 {
    let folder = match arguments.words.as_slice() {
        [] => world.working_dir.clone(),
        [folder] => world.working_dir.join(folder),
        [_, more, ..] => {
            let message = format!("`{more}` is too much: only the crate's folder is expected.");
            return usage(ui, &message, "plugins package");
        }
    };
    match Box::pin(package(world, ui, arguments, &folder)).await {
        Ok(files) => {
            for file in files {
                ui.say(&file.display().to_string());
            }
            exit::DONE
        }
        Err(problems) => {
            for problem in problems {
                ui.error(&problem);
            }
            exit::FAILED
        }
    }
}

async fn package(
    world: &World,
    ui: &Ui,
    arguments: &PackageArguments,
    folder: &Path,
) -> Result<Vec<PathBuf>, Vec<String>> {
    let one = |problem: String| vec![problem];
    let built = match &arguments.binary {
        Some(binary) => Built::given(&world.working_dir.join(binary)).map_err(one)?,
        None => Box::pin(build::build(ui, folder)).await.map_err(one)?,
    };
    let said = Box::pin(OwnWords::of(&built.executable, &world.settings())).await;
    let said = said.map_err(|error| one(failure_text(&error)))?;
    let judged = judge::judge(&built, &said)?;
    for warning in judged.warnings {
        ui.say(&format!("Warning: {warning}"));
    }
    let output = match &arguments.output {
        Some(output) => world.working_dir.join(output),
        None => folder.join(OUTPUT),
    };
    let names = Names::of(&said.name, &judged.version);
    let manifest = Manifest::of(&said);
    let broken = manifest.breaks_promises(&output, &judged.version);
    if !broken.is_empty() {
        return Err(broken);
    }
    names
        .write(&output, folder, &built.executable, &manifest)
        .map_err(one)
}

/// The names of the files of a release.
struct Names {
    executable: FileName,
    /// `kiln-plugin-NAME_vVERSION`.
    stem: String,
}

impl Names {
    fn of(name: &str, version: &Version) -> Self {
        Self {
            stem: format!("{}{name}_v{version}", Family::Kiln.prefix()),
            executable: FileName {
                family: Family::Kiln,
                name: name.to_owned(),
                version: version.clone(),
                api: Family::Kiln.api(),
                platform: Platform::current(),
            },
        }
    }

    /// Writes the files of the release, and gives their paths.
    fn write(
        &self,
        output: &Path,
        folder: &Path,
        executable: &Path,
        manifest: &Manifest,
    ) -> Result<Vec<PathBuf>, String> {
        let inner = self.executable.to_string();
        let bare = inner.strip_suffix(self.executable.platform.executable_suffix());
        let archive = output.join(format!("{}.zip", bare.unwrap_or(&inner)));
        let wrong = |path: &Path, error: std::io::Error| {
            format!("cannot write `{}`: {error}", path.display())
        };
        std::fs::create_dir_all(output).map_err(|error| wrong(output, error))?;
        let bytes = archive::archive(executable, &inner, folder)?;
        if std::fs::read(&archive).is_ok_and(|old| old != bytes) {
            return Err(format!(
                "`{}` exists already, with other content. What was published must not change: \
                 raise the version, or remove the file when it was never published.",
                archive.display()
            ));
        }
        archive::replace(&archive, &bytes).map_err(|error| wrong(&archive, error))?;
        let manifest_file = output.join(format!("{}_manifest.json", self.stem));
        archive::replace(&manifest_file, manifest.text().as_bytes())
            .map_err(|error| wrong(&manifest_file, error))?;
        let sums = output.join(format!("{}_SHA256SUMS", self.stem));
        let list = archive::sums(output, &format!("{}_", self.stem))
            .map_err(|error| format!("cannot read `{}`: {error}", output.display()))?;
        archive::replace(&sums, list.as_bytes()).map_err(|error| wrong(&sums, error))?;
        Ok(vec![archive, manifest_file, sums])
    }
}
