//! The plugins in `tests/plugins`, which are made without kiln's SDK, and a host that has them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::kiln::{Finished, Kiln, program_folder, project};
use crate::tools;
use crate::trial::link;

/// The `.proto` files.
const PROTOS: [&str; 3] = ["value", "communicator", "plugin"];
/// What `tests/setup` makes: a Python with grpcio, and the generators for Go.
const PYTHON: &str = "target/plugins/venv/bin/python";
const GENERATORS: &str = "target/plugins/bin";

/// A host in a folder of its own, with some plugins besides the bundled ones.
#[derive(Debug)]
pub struct Host {
    /// The world it runs in.
    pub kiln: Kiln,
    folder: TempDir,
}

impl Host {
    /// The host with the bundled plugins.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let programs = program_folder();
        let folder = tempfile::Builder::new()
            .prefix("host-")
            .tempdir_in(&programs)?;
        let plugins = folder.path().join("libexec/kiln");
        std::fs::create_dir_all(&plugins)?;
        std::fs::create_dir_all(folder.path().join("bin"))?;
        link(&programs.join("kiln"), &folder.path().join("bin/kiln"))?;
        for entry in std::fs::read_dir(&programs)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("kiln-plugin-") && path.extension().is_none() {
                link(&path, &plugins.join(name.as_ref()))?;
            }
        }
        let kiln = Kiln::new();
        Ok(Self { kiln, folder })
    }

    /// Gives it one more plugin, an executable or a library, under its own file name.
    ///
    /// # Errors
    ///
    /// When that cannot be copied.
    pub fn add(&self, plugin: &Path) -> Result<()> {
        let name = plugin.file_name().context("a plugin is a file")?;
        std::fs::copy(plugin, self.folder.path().join("libexec/kiln").join(name))?;
        Ok(())
    }

    /// Runs `kiln WORDS`.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn run(&self, words: &[&str]) -> Result<Finished> {
        let mut command = Command::new(self.folder.path().join("bin/kiln"));
        command.args(words);
        let running = self.kiln.start_command(command)?;
        running.finish(std::time::Duration::from_secs(300))
    }
}

/// The plugin in Python; `None` when what it needs is not there, which has been said.
///
/// # Errors
///
/// When it cannot be made.
pub fn python(folder: &Path) -> Result<Option<PathBuf>> {
    let python = project().join(PYTHON);
    if !python.is_file() {
        tools::missing("grpcio for Python; run tests/setup");
        return Ok(None);
    }
    let generated = folder.join("generated");
    std::fs::create_dir_all(&generated)?;
    generate(
        &python,
        &[
            format!("--python_out={}", generated.display()),
            format!("--grpc_python_out={}", generated.display()),
        ],
    )?;
    let (source, path) = (
        project().join("tests/plugins/python/main.py"),
        folder.join("kiln-plugin-python"),
    );
    let script = format!(
        "#!/bin/sh\nPYTHONDONTWRITEBYTECODE=1 PYTHONPATH='{}' exec '{}' '{}'\n",
        generated.display(),
        python.display(),
        source.display()
    );
    std::fs::write(&path, script)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(Some(path))
}

/// The plugin in Go; `None` when what it needs is not there, which has been said.
///
/// # Errors
///
/// When it cannot be made.
pub fn go(folder: &Path) -> Result<Option<PathBuf>> {
    let (python, generators) = (project().join(PYTHON), project().join(GENERATORS));
    if !python.is_file() || !generators.join("protoc-gen-go-grpc").is_file() {
        tools::missing("the generators for Go; run tests/setup");
        return Ok(None);
    }
    let source = folder.join("source");
    std::fs::create_dir_all(&source)?;
    for entry in std::fs::read_dir(project().join("tests/plugins/go"))? {
        let path = entry?.path();
        std::fs::copy(&path, source.join(path.file_name().unwrap_or_default()))?;
    }
    let mut arguments = Vec::new();
    for name in ["go", "go-grpc"] {
        arguments.push(format!(
            "--plugin=protoc-gen-{name}={}",
            generators.join(format!("protoc-gen-{name}")).display()
        ));
        arguments.push(format!("--{name}_out={}", source.display()));
        arguments.push(format!("--{name}_opt=module=kiln.example/goplugin"));
        for proto in PROTOS {
            arguments.push(format!(
                "--{name}_opt=Mkiln/plugin/v1/{proto}.proto=kiln.example/goplugin/wire"
            ));
        }
    }
    generate(&python, &arguments)?;
    let path = folder.join("kiln-plugin-go");
    // The modules were fetched by tests/setup; tests use no network.
    let built = Command::new("/usr/bin/go")
        .args(["build", "-buildvcs=false", "-o"])
        .arg(&path)
        .arg(".")
        .current_dir(&source)
        .envs([
            ("GOPROXY", "off"),
            ("GOFLAGS", "-mod=mod"),
            ("GOTOOLCHAIN", "local"),
        ])
        .output()?;
    let said = String::from_utf8_lossy(&built.stderr);
    ensure!(built.status.success(), "go build failed:\n{said}");
    Ok(Some(path))
}

/// The library in C.
///
/// # Errors
///
/// When it cannot be compiled.
pub fn c(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("kiln-plugin-c.so");
    let shown = |path: &Path| path.display().to_string();
    tools::output(
        "cc",
        &[
            "-std=c11",
            "-D_GNU_SOURCE",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-shared",
            "-fPIC",
            "-I",
            &shown(&project().join("plugins/dylib/include")),
            "-o",
            &shown(&path),
            &shown(&project().join("tests/plugins/c/sample.c")),
        ],
    )?;
    Ok(path)
}

fn generate(python: &Path, arguments: &[String]) -> Result<()> {
    let protos = project().join("proto/proto");
    let mut words = vec!["-m".to_owned(), "grpc_tools.protoc".to_owned()];
    words.push(format!("-I{}", protos.display()));
    words.extend(arguments.iter().cloned());
    words.extend(PROTOS.map(|proto| format!("kiln/plugin/v1/{proto}.proto")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    tools::output(&python.display().to_string(), &words).map(drop)
}
