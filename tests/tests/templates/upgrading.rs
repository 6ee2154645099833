//! Every legacy template of the corpus goes through `hcl2_upgrade`, and the result plans to the
//! same builds with the same options.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use host_diag::{Diagnostic, Diagnostics, SourceMap, render_text};
use host_eval::{Value, ValueKind};
use host_plan::{Offered, PlannedBuild, PlannedComponent};
use host_template::{ComponentKind, Components, Configured, LoadOptions, Schema, load};
use kiln_tests::kiln::program_folder;
use regex::Regex;

use crate::corpus::{self, Variant};

/// Why an option may differ whose variable's default is computed.
const COMPUTED: &str = "the default of a variable in it is computed, so that the variable became a \
                        local, which values from outside do not set, as in Packer 1.16";

/// Options that differ, and why they may; each still occurs.
const DIFFERENCES: [(&str, &str); 4] = [
    ("http_directory", COMPUTED),
    ("extra_arguments", COMPUTED),
    (
        "source_ami",
        "the data source amazon-ami finds it, which is not read for a plan",
    ),
    (
        "source_ami_filter",
        "its place is in the data source amazon-ami",
    ),
];

/// No plugin at all: every component takes any option.
struct Nothing;

#[async_trait]
impl Components for Nothing {
    fn schema(&self, _kind: ComponentKind, _name: &str) -> Option<&Schema> {
        None
    }

    fn names(&self, _kind: ComponentKind) -> Vec<String> {
        Vec::new()
    }

    async fn read_data(&self, _: &str, _: &Configured, _: bool) -> (Value, Diagnostics) {
        (Value::dynamic(), Diagnostics::new())
    }
}

/// Options that differ.
#[derive(Debug, Default)]
struct Found {
    known: BTreeSet<&'static str>,
    unknown: BTreeSet<String>,
}

/// Builds of a template, with the user variables of a legacy one.
struct Planned {
    builds: Vec<PlannedBuild>,
    user: BTreeMap<String, String>,
}

async fn plan(options: &LoadOptions) -> Result<Planned> {
    let mut sources = SourceMap::default();
    let offered = Offered::new(&Nothing);
    let (template, mut problems) = load(options, &mut sources);
    let mut planned = Planned {
        builds: Vec::new(),
        user: BTreeMap::new(),
    };
    if let Some(mut template) = template {
        problems.extend(template.initialize(&offered, false).await);
        let (builds, found) = template.builds(&offered);
        problems.extend(found);
        if let Some(build) = builds.first() {
            planned.user.clone_from(&build.user_variables);
        }
        let (builds, found) = host_plan::plan(&builds, &offered, &sources);
        problems.extend(found);
        planned.builds = builds;
    }
    let wrong = problems.iter().any(Diagnostic::is_error);
    ensure!(!wrong, "{}", render_text(&problems, &sources));
    Ok(planned)
}

fn options(folder: &Path, path: &str) -> LoadOptions {
    LoadOptions {
        path: path.to_owned(),
        working_dir: folder.to_path_buf(),
        core_version: "1.16.0".to_owned(),
        started_at_unix_nanos: 1_700_000_000_000_000_000,
        ..LoadOptions::default()
    }
}

/// A value as both languages have it: legacy templates know texts where HCL2 knows numbers.
fn show(value: &Value) -> String {
    match &value.kind {
        ValueKind::Unknown => "?".to_owned(),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(bool) => bool.to_string(),
        ValueKind::Number(number) => number.normalized().to_plain_string(),
        ValueKind::String(text) => without_time(text),
        ValueKind::Sequence(items) => {
            // One block is an object in JSON, and a list of one in HCL2; one text is a list of it.
            match items.as_slice() {
                [] => String::new(),
                [one] => show(one),
                items => format!(
                    "[{}]",
                    items.iter().map(show).collect::<Vec<_>>().join(", ")
                ),
            }
        }
        ValueKind::Mapping(entries) => {
            let entry = |(key, value)| format!("{key}={}", show(value));
            format!(
                "{{{}}}",
                entries.iter().map(entry).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// The text without times: `timestamp` counts seconds in JSON, and is a date in HCL2.
fn without_time(text: &str) -> String {
    static TIMES: LazyLock<Regex> = LazyLock::new(|| {
        let all = r"20\d{12}|17000\d{5}|20\d\d-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\dZ";
        Regex::new(all).expect("the pattern is written here")
    });
    TIMES.replace_all(text, "TIME").into_owned()
}

/// A text of a legacy template that only its component can render, with the user variables in it
/// replaced: what `hcl2_upgrade` makes of it, as the component will see it.
fn with_variables(text: &str, user: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in user {
        for call in [format!("user `{name}`"), format!("user \"{name}\"")] {
            for whole in [format!("{{{{{call}}}}}"), format!("{{{{ {call} }}}}")] {
                text = text.replace(&whole, value);
            }
            text = text.replace(&call, &format!("`{value}`"));
        }
    }
    static UNSET: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\{\{ *user [`\x22][^`\x22]*[`\x22] *\}\}").expect("it is written here")
    });
    let text = UNSET.replace_all(&text, "");
    without_time(&text.replace("{{isotime}}", "TIME"))
}

fn compare(
    old: &PlannedComponent,
    new: &PlannedComponent,
    user: &BTreeMap<String, String>,
    found: &mut Found,
) {
    assert_eq!(old.type_name, new.type_name);
    let empty = BTreeMap::new();
    let before = old.options.as_mapping().unwrap_or(&empty);
    let after = new.options.as_mapping().unwrap_or(&empty);
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let text = |options: &BTreeMap<String, Value>| options.get(name).map(show);
        let before = text(before).map(|text| with_variables(&text, user));
        let after = text(after);
        if before == after {
            continue;
        }
        if let Some((known, _)) = DIFFERENCES.iter().find(|(known, _)| known == name) {
            found.known.insert(known);
        } else {
            found.unknown.insert(format!(
                "{} `{name}`:\n      {before:?}\n      {after:?}",
                old.header
            ));
        }
    }
}

fn compare_builds(
    old: &[PlannedBuild],
    new: &[PlannedBuild],
    user: &BTreeMap<String, String>,
) -> Result<Found> {
    let mut found = Found::default();
    ensure!(
        old.len() == new.len(),
        "{} builds became {}",
        old.len(),
        new.len()
    );
    for old in old {
        // `type.name` or `name` there, always `type.name` here.
        let name = old
            .name
            .split_once('.')
            .map_or(&*old.name, |(_, name)| name);
        let kind = &old.source.type_name;
        let named = format!("{kind}.{name}");
        let same_kind = |new: &&PlannedBuild| &new.source.type_name == kind;
        let new = new
            .iter()
            .find(|new| new.name == named)
            .or_else(|| new.iter().find(same_kind))
            .with_context(|| format!("the build `{}` is gone", old.name))?;
        compare(&old.source, &new.source, user, &mut found);
        let types = |build: &PlannedBuild| -> Vec<String> {
            let provisioners = build.provisioners.iter();
            let chains = build.post_processors.iter();
            let chains = chains.map(|chain| {
                let names = chain.iter().map(|one| one.component.type_name.as_str());
                names.collect::<Vec<_>>().join("+")
            });
            provisioners
                .map(|one| one.component.type_name.clone())
                .chain(chains)
                .collect()
        };
        ensure!(
            types(old) == types(new),
            "{:?} became {:?}",
            types(old),
            types(new)
        );
        for (old, new) in old.provisioners.iter().zip(&new.provisioners) {
            compare(&old.component, &new.component, user, &mut found);
        }
        let members = |build: &'_ PlannedBuild| build.post_processors.len();
        ensure!(members(old) == members(new), "chains differ");
        let old = old.post_processors.iter().flatten();
        for (old, new) in old.zip(new.post_processors.iter().flatten()) {
            compare(&old.component, &new.component, user, &mut found);
        }
    }
    Ok(found)
}

async fn check(variant: &Variant, upgraded: &Path) -> Result<Found> {
    let mut before = options(&variant.folder, &variant.template);
    before.variable_files = variant.files.iter().map(Into::into).collect();
    before.variables.clone_from(&variant.values);
    let old = plan(&before).await?;
    // Values of files are templates there and plain here, so that what they came to is passed.
    let mut after = options(&variant.folder, &upgraded.to_string_lossy());
    let text = std::fs::read_to_string(upgraded)?;
    let declared = text.lines().filter_map(|line| {
        let name = line.strip_prefix("variable \"")?;
        name.strip_suffix("\" {")
    });
    after.variables = declared
        .map(|name| {
            // A user variable that nobody sets is empty there.
            let value = old.user.get(name).cloned().unwrap_or_default();
            (name.to_owned(), value)
        })
        .collect();
    let new = plan(&after).await?;
    compare_builds(&old.builds, &new.builds, &old.user)
}

#[tokio::test]
async fn upgraded_templates_plan_to_the_same_builds() -> Result<()> {
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    let results = tempfile::tempdir()?;
    let (mut templates, mut variants, mut failures) = (BTreeMap::new(), 0, Vec::new());
    let mut known = BTreeSet::new();
    for variant in corpus::variants(&folder)? {
        if variant.project != "image-builder" {
            continue;
        }
        let count = templates.len();
        let upgraded = templates
            .entry(variant.template.clone())
            .or_insert_with(|| results.path().join(format!("{count}.pkr.hcl")));
        if !upgraded.exists() {
            let output = Command::new(program_folder().join("kiln"))
                .arg("hcl2_upgrade")
                .arg(format!("-output-file={}", upgraded.display()))
                .arg(&variant.template)
                .current_dir(&variant.folder)
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            // Types no plugin offers are said, and taken over as they are.
            let done = text.contains("Successfully created") && upgraded.exists();
            ensure!(done, "{}: {text}", variant.template);
        }
        variants += 1;
        match check(&variant, upgraded).await {
            Ok(found) => {
                known.extend(found.known);
                let unknown: Vec<String> = found.unknown.into_iter().collect();
                if !unknown.is_empty() {
                    let unknown = unknown.join("\n    ");
                    failures.push(format!("{}\n    {unknown}", variant.name()));
                }
            }
            Err(error) => failures.push(format!("{}\n    {error:#}", variant.name())),
        }
    }
    println!(
        "image-builder: {} templates upgraded, {variants} variants compared, {} failed",
        templates.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for (option, reason) in DIFFERENCES {
        println!("differs: `{option}`: {reason}");
        assert!(
            known.contains(option),
            "`{option}` does not differ any more"
        );
    }
    Ok(())
}
