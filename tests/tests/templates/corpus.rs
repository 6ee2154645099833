//! Where the projects are, and how each documents that its templates are used.
//!
//! They are looked for in the folder that `KILN_CORPUS` names, else in `../shared/corpus` beside
//! the checkout. Without them the tests here say so and, with `CI=true`, fail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kiln_tests::project;
use kiln_tests::tools::missing;
use serde_json::Value;

/// Files beside the values that are none, with what they are. Each is checked to be refused.
pub const NO_VALUES: [(&str, &str); 1] = [(
    "packer/azure/sku-template.json",
    "the body of a request to a marketplace",
)];

/// One way a project builds one of its templates.
#[derive(Debug)]
pub struct Variant {
    /// Name of the project.
    pub project: &'static str,
    /// Folder the paths are relative to.
    pub folder: PathBuf,
    /// The template.
    pub template: String,
    /// Files of values, in order.
    pub files: Vec<String>,
    /// Values that the project asks its user for.
    pub values: Vec<(String, String)>,
}

impl Variant {
    /// The flags for the values.
    pub fn flags(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| format!("-var-file={file}"));
        let values = self
            .values
            .iter()
            .map(|(name, value)| format!("-var={name}={value}"));
        files.chain(values).collect()
    }

    /// The name failures are listed by.
    pub fn name(&self) -> String {
        let last = self.files.last().map_or("", String::as_str);
        format!("{} {} {last}", self.project, self.template)
    }
}

/// The folder with the projects; `None` (said loudly) when it is not there.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("KILN_CORPUS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| project().join("../shared/corpus"));
    if folder.is_dir() {
        return Some(folder);
    }
    missing("the template corpus (set KILN_CORPUS to its folder)");
    None
}

/// Every way the projects build their templates.
pub fn variants(corpus: &Path) -> Result<Vec<Variant>> {
    let mut all = bento(&corpus.join("chef+bento"))?;
    all.extend(runner_images(&corpus.join("actions+runner-images"))?);
    all.extend(image_builder(
        &corpus.join("kubernetes-sigs+image-builder/images/capi"),
    )?);
    Ok(all)
}

/// Names in a folder that `keep` likes, sorted.
pub fn names(folder: &Path, keep: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if keep(&name) {
            names.insert(name);
        }
    }
    Ok(names.into_iter().collect())
}

/// One template folder, and one file of values for each system.
fn bento(folder: &Path) -> Result<Vec<Variant>> {
    let mut all = Vec::new();
    for system in names(&folder.join("os_pkrvars"), |_| true)? {
        let path = format!("os_pkrvars/{system}");
        for file in names(&folder.join(&path), |name| name.ends_with(".pkrvars.hcl"))? {
            all.push(Variant {
                project: "bento",
                folder: folder.to_path_buf(),
                template: "packer_templates".to_owned(),
                files: vec![format!("{path}/{file}")],
                values: Vec::new(),
            });
        }
    }
    Ok(all)
}

/// One folder for all images of a system, chosen by `image_os`; for macOS one file for each image.
fn runner_images(folder: &Path) -> Result<Vec<Variant>> {
    let mut all = Vec::new();
    for system in names(&folder.join("images"), |_| true)? {
        let templates = format!("images/{system}/templates");
        let path = folder.join(&templates);
        if !path.is_dir() {
            continue;
        }
        let builds = names(&path, |name| name.starts_with("build."))?;
        if builds.is_empty() {
            for file in names(&path, |name| name.ends_with(".pkr.hcl"))? {
                let template = format!("{templates}/{file}");
                let values = required(&path.join(&file))?;
                all.push(runner(folder, template, values));
            }
        }
        let mut asked = BTreeSet::new();
        for file in names(&path, |name| name.starts_with("variable."))? {
            asked.extend(required(&path.join(&file))?);
        }
        for file in names(&path, |name| name.starts_with("locals."))? {
            for image in image_names(&std::fs::read_to_string(path.join(&file))?) {
                let mut values: Vec<(String, String)> = asked.iter().cloned().collect();
                values.retain(|(name, _)| name != "image_os");
                values.push(("image_os".to_owned(), image));
                all.push(runner(folder, templates.clone(), values));
            }
        }
    }
    Ok(all)
}

/// The keys of the map of images: lines such as `"ubuntu24" = {`.
fn image_names(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix("\" = {"))
        .map(str::to_owned)
        .collect()
}

fn runner(folder: &Path, template: String, values: Vec<(String, String)>) -> Variant {
    Variant {
        project: "runner-images",
        folder: folder.to_path_buf(),
        template,
        files: Vec::new(),
        values,
    }
}

/// The variables of a file that have no default, with something to fill them.
fn required(file: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(file)?;
    let mut asked = Vec::new();
    let mut current: Option<(String, bool)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("variable \"") {
            let name = rest.split('"').next().unwrap_or_default();
            current = Some((name.to_owned(), false));
        } else if line.trim_start().starts_with("default") {
            current = current.map(|(name, _)| (name, true));
        }
        if line.trim_end().ends_with('}')
            && let Some((name, has_default)) = current.take()
            && !has_default
        {
            asked.push((name, "example".to_owned()));
        }
    }
    Ok(asked)
}

/// Files of values for all, then one for the system, then the template.
fn image_builder(folder: &Path) -> Result<Vec<Variant>> {
    let mut all = Vec::new();
    for platform in names(&folder.join("packer"), |_| true)? {
        let path = format!("packer/{platform}");
        if !folder.join(&path).is_dir() || platform == "config" || platform == "files" {
            continue;
        }
        let files = names(&folder.join(&path), |name| {
            name.ends_with(".json") || name.ends_with(".json.tmpl")
        })?;
        let files = files.into_iter().filter(|name| {
            let path = format!("{path}/{name}");
            !NO_VALUES.iter().any(|(known, _)| *known == path)
        });
        let (templates, values): (Vec<String>, Vec<String>) =
            files.partition(|name| name.starts_with("packer") && !name.contains("common"));
        let (shared, systems): (Vec<String>, Vec<String>) = values
            .into_iter()
            .partition(|name| name.starts_with("packer"));
        for template in templates {
            let windows = template.contains("windows");
            let fits = |name: &&String| name.contains("windows") == windows;
            let mut fitting: Vec<Option<&String>> = systems.iter().filter(fits).map(Some).collect();
            if fitting.is_empty() {
                fitting.push(None);
            }
            for system in fitting {
                let mut files = common_values(folder, windows)?;
                files.extend(shared.iter().map(|name| format!("{path}/{name}")));
                files.extend(system.map(|name| format!("{path}/{name}")));
                let template = format!("{path}/{template}");
                let values = unset(folder, &template, &files)?;
                all.push(Variant {
                    project: "image-builder",
                    folder: folder.to_path_buf(),
                    template,
                    files,
                    values,
                });
            }
        }
    }
    Ok(all)
}

fn common_values(folder: &Path, windows: bool) -> Result<Vec<String>> {
    let path = if windows {
        "packer/config/windows"
    } else {
        "packer/config"
    };
    let names = names(&folder.join(path), |name| name.ends_with(".json"))?;
    Ok(names
        .into_iter()
        .map(|name| format!("{path}/{name}"))
        .collect())
}

/// Variables that are asked for (default null, or used in values of others) and that no file sets,
/// with something to fill them: what the project's Makefile and its user set.
fn unset(folder: &Path, template: &str, files: &[String]) -> Result<Vec<(String, String)>> {
    let read = |path: &str| -> Result<Value> {
        let text = std::fs::read_to_string(folder.join(path))?;
        serde_json::from_str(&text).with_context(|| path.to_owned())
    };
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    let declared = read(template)?;
    let own = declared["variables"].as_object().into_iter().flatten();
    values.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    let required: Vec<String> = values
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name.clone())
        .collect();
    for file in files {
        let file = read(file)?;
        let more = file.as_object().into_iter().flatten();
        values.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut asked: BTreeSet<String> = required.into_iter().collect();
    asked.retain(|name| values.get(name).is_none_or(Value::is_null));
    for (own, value) in &values {
        let text = value.as_str().unwrap_or_default();
        let used = text.split("{{").skip(1).filter_map(|part| {
            let call = part.split("}}").next()?.trim().strip_prefix("user")?;
            Some(call.trim().trim_matches(['`', '"']).to_owned())
        });
        asked.extend(used.filter(|name| name == own || !values.contains_key(name)));
    }
    let fill = |name| (name, "example".to_owned());
    Ok(asked.into_iter().map(fill).collect())
}
