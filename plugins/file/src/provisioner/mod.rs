//! The `file` provisioner: moves files and folders into and out of the machine.

mod counted;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::communicator::{Command, Exit, FileTarget, Reader, capture, tree};
use kiln_sdk::config::{Path as OptionPath, PathStep};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostic, Diagnostics, Draft, Failure, Prepared,
    Provisioner, RunContext, Value,
};

use self::counted::Counted;

/// Uploads to or downloads from the machine.
#[derive(Debug, Clone, Config)]
pub struct FileConfig {
    /// Text to upload as a file.
    pub content: String,
    /// File or folder to move. A folder arrives as a folder of its name in `destination`; when it is
    /// uploaded with a trailing slash, only its content does. A folder to download needs that slash.
    pub source: String,
    /// Files and folders to move.
    pub sources: Vec<String>,
    /// Where to. With a trailing slash (or backslash) it is a folder and files keep their names.
    #[config(required)]
    pub destination: String,
    /// `upload` or `download`.
    #[config(default = "upload", choices("upload", "download"))]
    pub direction: String,
    /// Whether sources are made during the build, so that they need not exist when the template is
    /// checked.
    pub generated: bool,
}

impl FileConfig {
    /// What is moved, each with the place that names it.
    fn sources(&self) -> Vec<(OptionPath, &String)> {
        let one = std::iter::once((OptionPath::attribute("source"), &self.source));
        let several = self.sources.iter().enumerate().map(|(index, source)| {
            let place = OptionPath::attribute("sources").then(PathStep::Index(index));
            (place, source)
        });
        one.filter(|(_, source)| !source.is_empty())
            .chain(several)
            .collect()
    }

    fn downloads(&self) -> bool {
        self.direction == "download"
    }
}

/// The provisioner.
pub struct FileProvisioner;

impl Provisioner for FileProvisioner {
    type Config = FileConfig;

    fn prepare(&self, config: &mut FileConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Diagnostics::new();
        let kinds = [
            ("content", !config.content.is_empty()),
            ("source", !config.source.is_empty()),
            ("sources", !config.sources.is_empty()),
        ];
        let set: Vec<&str> = kinds
            .iter()
            .filter(|kind| kind.1)
            .map(|kind| kind.0)
            .collect();
        if let [_, second, ..] = set.as_slice() {
            diagnostics.push(
                Diagnostic::error(
                    "More than one kind of source",
                    format!(
                        "Only one of content, source and sources may be set, not {}.",
                        set.join(" and ")
                    ),
                )
                .on(second),
            );
        }
        if !config.sources.is_empty() && !is_folder(&config.destination) && config.sources.len() > 1
        {
            diagnostics.push(
                Diagnostic::error(
                    "Destination must be a folder",
                    format!("`{}` cannot take several sources.", config.destination),
                )
                .on("destination")
                .hint("End it with a slash."),
            );
        }
        if !config.downloads() && !config.generated {
            check_sources(config, &mut diagnostics);
        }
        diagnostics.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: FileConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        let work = async {
            if config.downloads() {
                download_all(&cx, &config, machine.as_ref()).await
            } else {
                let links = links(&generated);
                upload_all(&cx, &config, links, machine.as_ref()).await
            }
        };
        cx.until_cancelled(work).await?
    }
}

fn check_sources(config: &FileConfig, diagnostics: &mut Diagnostics) {
    for (place, source) in config.sources() {
        if let Err(error) = std::fs::metadata(source) {
            diagnostics.push(
                Diagnostic::error(
                    format!("Bad source '{source}': {error}"),
                    "What is uploaded must exist when the template is checked.",
                )
                .at(place)
                .hint("If the build makes it, set `generated = true`."),
            );
        }
    }
}

/// What becomes of the links in folders that are uploaded.
///
/// # Source
///
/// Packer uploads what they point to; only `docker cp` keeps them.
fn links(generated: &Value) -> tree::Symlinks {
    let communicator = generated.get("ConnType").and_then(Value::as_str);
    match communicator {
        Some(name) if name.starts_with("docker") => tree::Symlinks::Keep,
        _ => tree::Symlinks::Follow,
    }
}

async fn upload_all(
    cx: &RunContext,
    config: &FileConfig,
    links: tree::Symlinks,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    if !config.content.is_empty() {
        let file = content_file(&cx.build().run_dir, &config.content)?;
        return upload(cx, file.path(), &config.destination, links, machine).await;
    }
    for (place, source) in config.sources() {
        let path = Path::new(source);
        let sent = upload(cx, path, &config.destination, links, machine).await;
        // What else can fail is between this machine and the other.
        sent.map_err(|failure| match std::fs::File::open(path) {
            Ok(_) => failure,
            Err(_) => failure.at(place),
        })?;
    }
    Ok(())
}

fn content_file(folder: &Path, content: &str) -> Result<tempfile::NamedTempFile, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot write `content` into `{}`: {error}",
            folder.display()
        ))
    };
    let mut file = tempfile::Builder::new()
        .prefix("pkr-file-content")
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(content.as_bytes())
        .and_then(|()| file.flush())
        .map_err(failed)?;
    Ok(file)
}

async fn upload(
    cx: &RunContext,
    source: &Path,
    destination: &str,
    links: tree::Symlinks,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    let shown = source.display().to_string();
    let failed = |error: std::io::Error| Failure::new(format!("cannot read `{shown}`: {error}"));
    cx.say(format!("Uploading {shown} => {destination}")).await;
    let metadata = tokio::fs::metadata(source).await.map_err(failed)?;
    if metadata.is_dir() {
        return upload_folder(source, destination, links, machine).await;
    }
    let target = if is_folder(destination) {
        format!("{destination}{}", base_name(&shown))
    } else {
        destination.to_owned()
    };
    let file = tokio::fs::File::open(source).await.map_err(failed)?;
    let mode = PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    let label = format!("uploading {}", base_name(&shown));
    let reader: Reader = Box::new(Counted::new(file, cx, label, metadata.len()));
    let target = FileTarget {
        path: target,
        mode,
        size: Some(metadata.len()),
    };
    machine
        .upload(target, reader)
        .await
        .map(drop)
        .map_err(|error| Failure::from_error(&error))
}

async fn upload_folder(
    source: &Path,
    destination: &str,
    links: tree::Symlinks,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    let shown = source.display().to_string();
    let target = if shown.ends_with('/') {
        destination.to_owned()
    } else {
        let folder = destination.trim_end_matches(['/', '\\']);
        format!("{folder}/{}", base_name(&shown))
    };
    let options = tree::ReadOptions {
        symlinks: links,
        ..tree::ReadOptions::default()
    };
    let entries = tree::read_local(source, options);
    machine
        .upload_tree(&target, entries)
        .await
        .map(drop)
        .map_err(|error| Failure::from_error(&error))
}

async fn download_all(
    cx: &RunContext,
    config: &FileConfig,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    for (place, source) in config.sources() {
        let done = download_source(cx, source, &config.destination, machine).await;
        // A failure that is about this machine's side tells its own option.
        done.map_err(|failure| match failure.diagnostics.is_empty() {
            true => failure.at(place),
            false => failure,
        })?;
    }
    Ok(())
}

async fn download_source(
    cx: &RunContext,
    source: &str,
    destination: &str,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    cx.say(format!("Downloading {source} => {destination}"))
        .await;
    if source.contains(['*', '?', '[']) {
        return download_matches(cx, source, Path::new(destination), machine).await;
    }
    if is_folder(source) {
        // Packer's `scp -r` brings the folder itself.
        let target = match guest_name(source) {
            "" | "." | ".." => PathBuf::from(destination),
            name => Path::new(destination).join(name),
        };
        return download_folder(source, &target, machine).await;
    }
    let target = match destination.ends_with('/') {
        true => PathBuf::from(format!("{destination}{}", guest_name(source))),
        false => PathBuf::from(destination),
    };
    download(cx, source, &target, machine).await
}

/// Downloads everything a pattern matches in the guest into the folder `destination`.
async fn download_matches(
    cx: &RunContext,
    pattern: &str,
    destination: &Path,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    let command = format!(
        "for path in {}; do if [ -d \"$path\" ]; then printf '%s/\\n' \"$path\"; \
         elif [ -e \"$path\" ]; then printf '%s\\n' \"$path\"; fi; done",
        quote_around_wildcards(pattern)
    );
    let listed = capture(machine, Command::new(command))
        .await
        .map_err(|error| Failure::from_error(&error))?;
    if listed.truncated {
        let why = "the list of files is too long; name folders with a slash at the end instead";
        return Err(Failure::new(format!("cannot download `{pattern}`: {why}")));
    }
    if listed.exit != Exit::Code(0) {
        let seen = listed.stderr.trim();
        return Err(Failure::new(format!(
            "cannot list `{pattern}` in the machine: {seen}"
        )));
    }
    let mut found = false;
    for path in listed.stdout.lines().filter(|line| !line.is_empty()) {
        found = true;
        let name = safe_name(path)?;
        if path.ends_with('/') {
            download_folder(path, &destination.join(name), machine).await?;
        } else {
            download(cx, path, &destination.join(name), machine).await?;
        }
    }
    if found {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "nothing in the machine matches `{pattern}`"
        )))
    }
}

/// The last part of a path the guest told, which must be a plain name.
fn safe_name(path: &str) -> Result<&str, Failure> {
    let name = guest_name(path);
    if matches!(name, "" | "." | "..") {
        return Err(Failure::new(format!(
            "the machine lists `{path}`, which has no usable name"
        )));
    }
    Ok(name)
}

/// The pattern as a shell word: everything but the wildcards is quoted.
fn quote_around_wildcards(pattern: &str) -> String {
    let mut word = String::new();
    for character in pattern.chars() {
        match character {
            '*' | '?' | '[' | ']' | '-' | '/' | '.' | '_' | '!' | '~' => word.push(character),
            _ if character.is_alphanumeric() => word.push(character),
            '\'' => word.push_str("\"'\""),
            _ => {
                word.push('\'');
                word.push(character);
                word.push('\'');
            }
        }
    }
    word
}

async fn download_folder(
    source: &str,
    destination: &Path,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    let entries = machine
        .download_tree(source, &[])
        .await
        .map_err(|error| Failure::from_error(&error))?;
    tree::write_local(entries, destination)
        .await
        .map(drop)
        .map_err(|error| Failure::from_error(&error))
}

/// Downloads beside the target first, so that a half file never has its name. A target that exists
/// keeps its permissions, and links to it stay; one that is no file, such as a pipe, is written to.
async fn download(
    cx: &RunContext,
    source: &str,
    target: &Path,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write `{}`: {error}", target.display())).on("destination")
    };
    let label = format!("downloading {}", guest_name(source));
    let counted = |file| Box::new(Counted::new(file, cx, label.clone(), 0));
    let existing = target.canonicalize().ok();
    let facts = existing.as_deref().and_then(|path| path.metadata().ok());
    if let Some(facts) = &facts
        && !facts.is_file()
        && !facts.is_dir()
    {
        let file = tokio::fs::OpenOptions::new()
            .write(true)
            .open(target)
            .await
            .map_err(failed)?;
        let read = machine.download(source, counted(file)).await;
        return read.map(drop).map_err(|error| Failure::from_error(&error));
    }
    let target = existing.as_deref().unwrap_or(target);
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
    let mode = facts.map_or(0o644, |facts| {
        PermissionsExt::mode(&facts.permissions()) & 0o777
    });
    let draft = Draft::of(cx, target).await?;
    let downloaded = match draft.create(mode) {
        Ok(file) => {
            let file = tokio::fs::File::from_std(file);
            let done = machine.download(source, counted(file)).await;
            done.map_err(|error| Failure::from_error(&error))
        }
        Err(error) => Err(failed(error)),
    };
    let named = downloaded.and_then(|_| draft.persist().map_err(failed));
    draft.end().await;
    named
}

/// Whether a path in the machine says that it is a folder, in Windows' way, too.
fn is_folder(path: &str) -> bool {
    path.ends_with(['/', '\\'])
}

/// The last part of a path in the machine, which may be one of Windows.
fn guest_name(path: &str) -> &str {
    let is_windows = path.get(1..2) == Some(":") || !path.contains('/');
    let separators: &[char] = if is_windows { &['/', '\\'] } else { &['/'] };
    let path = path.trim_end_matches(separators);
    path.rsplit(separators).next().unwrap_or(path)
}

/// The last part of a path on this machine.
fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

#[cfg(test)]
mod tests;
