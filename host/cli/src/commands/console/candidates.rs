//! What can stand at the cursor of a console's line.

use host_eval::{FunctionDoc, Scope, Value, ValueKind, functions};

use super::session::Session;

/// Commands, which are lines of their own.
const COMMANDS: [&str; 3] = ["exit", "help", "variables"];
/// Words of the language that are values.
const WORDS: [&str; 3] = ["false", "null", "true"];
/// The byte at which the word before the cursor begins, and everything it can become, sorted.
pub(super) fn candidates(session: &Session, line: &str, cursor: usize) -> (usize, Vec<String>) {
    let before = line.get(..cursor).unwrap_or(line);
    let (start, mut found) = match session.scope() {
        Some(scope) => of_expression(scope, before),
        None => of_template_text(session, before),
    };
    let typed = &before[start..];
    found.retain(|candidate| candidate.starts_with(typed));
    found.sort_unstable();
    found.dedup();
    (start, found)
}

fn of_expression(scope: &Scope, before: &str) -> (usize, Vec<String>) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start = word_start(before, is_part);
    let word = &before[start..];
    let names = |functions: &'static [FunctionDoc]| functions.iter().map(|one| one.name);
    if before.trim_start().strip_prefix("help ").is_some() {
        let all = names(functions()).chain(["functions"]);
        return (start, all.map(str::to_owned).collect());
    }
    if let Some((path, last)) = word.rsplit_once('.') {
        let start = start + word.len() - last.len();
        return (start, attributes(scope, path));
    }
    let mut found: Vec<String> = names(functions())
        .filter(|name| *name != "env")
        .chain(["type"])
        .map(|name| format!("{name}("))
        .collect();
    let roots = scope.variables.keys();
    found.extend(roots.map(|root| format!("{root}.")));
    found.extend(WORDS.map(str::to_owned));
    if before[..start].trim().is_empty() {
        found.extend(COMMANDS.map(str::to_owned));
    }
    (start, found)
}

/// Names behind `path` and a dot. Keys of a sensitive value may be secrets, too.
fn attributes(scope: &Scope, path: &str) -> Vec<String> {
    let mut steps = path.split('.');
    let root = steps.next().unwrap_or_default();
    let root: Option<&Value> = scope.variables.get(root).map(|value| &**value);
    let found = steps.try_fold(root, |value, step| Some(Some(member(value?, step)?)));
    match found.flatten() {
        Some(value) if !value.sensitive => match &value.kind {
            ValueKind::Mapping(members) => {
                let names = members.keys().filter(|name| is_name(name));
                names.cloned().collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match &value.kind {
        ValueKind::Mapping(members) if !value.sensitive => members.get(name),
        _ => None,
    }
}

/// Whether a key can stand behind a dot.
fn is_name(key: &str) -> bool {
    let mut characters = key.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|next| next.is_alphanumeric() || matches!(next, '_' | '-'))
}

fn of_template_text(session: &Session, before: &str) -> (usize, Vec<String>) {
    if !before.contains("{{") {
        let start = before.len() - before.trim_start().len();
        return (start, COMMANDS.map(str::to_owned).to_vec());
    }
    let start = word_start(before, |c| c.is_alphanumeric() || c == '_');
    let outside = before.rfind("}}") > before.rfind("{{");
    if outside {
        return (start, Vec::new());
    }
    let call = before[..start].trim_end_matches(['`', '"', ' ']);
    if call.ends_with("user") && call.len() < start {
        return (start, session.user_variables());
    }
    let names = sdk_go_template::function_names().iter();
    (start, names.map(|&name| name.to_owned()).collect())
}

/// Where the run of characters that `is_part` takes begins, at the end of `text`.
fn word_start(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    let parts = text.char_indices().rev();
    parts
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use host_diag::SourceMap;
    use host_plugin_client::Registry;
    use host_template::{ConfigType, LoadOptions};

    use super::*;

    fn session(config_type: ConfigType) -> Session {
        let folder = tempfile::tempdir().expect("a folder");
        let (name, text) = match config_type {
            ConfigType::Json => (
                "t.json",
                r#"{"variables": {"region": "x"}, "builders": [{"type": "null"}]}"#,
            ),
            ConfigType::Hcl2 => (
                "t.pkr.hcl",
                "variable \"tags\" {\n  default = { owner = { name = \"x\" }, \"a b\" = {} }\n}\n\
                 variable \"token\" {\n  default = { key = \"k\" }\n  sensitive = true\n}\n",
            ),
        };
        std::fs::write(folder.path().join(name), text).expect("a file");
        let options = LoadOptions {
            path: name.to_owned(),
            config_type,
            environment: BTreeMap::new(),
            working_dir: folder.path().to_owned(),
            ..LoadOptions::default()
        };
        let (template, problems) = host_template::load(&options, &mut SourceMap::default());
        let mut template = template.unwrap_or_else(|| panic!("{problems:?}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let problems = runtime.block_on(template.initialize(&Registry::default(), true));
        assert!(problems.is_empty(), "{problems:?}");
        Session::new(template)
    }

    fn check(config_type: ConfigType, line: &str, expected: &[&str]) {
        let (start, found) = candidates(&session(config_type), line, line.len());
        let whole: Vec<String> = found
            .iter()
            .map(|found| format!("{}{found}", &line[..start]))
            .collect();
        assert_eq!(whole, expected, "{line}");
    }

    #[test]
    fn expressions_are_completed_from_functions_and_values() {
        let hcl = |line: &str, expected: &[&str]| check(ConfigType::Hcl2, line, expected);
        hcl("uppe", &["upper("]);
        hcl("[1, pat", &["[1, path.", "[1, pathexpand("]);
        hcl("tru", &["true"]);
        hcl("exi", &["exit"]);
        hcl("1 + exi", &[]);
        hcl("help uppe", &["help upper"]);
        hcl("help funct", &["help functions"]);
    }

    #[test]
    fn attributes_are_completed_unless_they_are_sensitive() {
        let hcl = |line: &str, expected: &[&str]| check(ConfigType::Hcl2, line, expected);
        hcl("var.t", &["var.tags", "var.token"]);
        hcl("upper(var.tags.", &["upper(var.tags.owner"]);
        hcl("var.tags.owner.n", &["var.tags.owner.name"]);
        hcl("var.token.", &[]);
        hcl("nosuch.", &[]);
    }

    #[test]
    fn template_calls_are_completed_inside_braces_only() {
        let json = |line: &str, expected: &[&str]| check(ConfigType::Json, line, expected);
        json("{{ timest", &["{{ timestamp"]);
        json("{{ user `", &["{{ user `region"]);
        json("{{ pwd }} tim", &[]);
        json("var", &["variables"]);
    }
}
