//! Files of variables: JSON objects of texts.

use std::collections::BTreeMap;
use std::path::Path;

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_syntax::json::{self, Kind};

use crate::legacy::parse::kind_name;
use crate::options::LoadOptions;

/// The values of all files and of the command line; later ones win.
pub(crate) fn given_values(
    options: &LoadOptions,
    sources: &mut SourceMap,
    problems: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    for path in &options.variable_files {
        read_file(options, path, &mut given, sources, problems);
    }
    given.extend(options.variables.iter().cloned());
    given
}

fn read_file(
    options: &LoadOptions,
    path: &Path,
    given: &mut BTreeMap<String, String>,
    sources: &mut SourceMap,
    problems: &mut Diagnostics,
) {
    let name = path.display().to_string();
    let failure = || Diagnostic::error(format!("Error reading variables in '{name}'"));
    let text = match host_syntax::read_file(&options.working_dir.join(path)) {
        Ok(text) => text,
        Err(error) => {
            problems.push(failure().detail(format!("The file cannot be read: {error}.")));
            return;
        }
    };
    let file = sources.add(name.as_str(), text);
    let (root, found) = json::parse(file, sources.text(file));
    let Some(root) = root.filter(|_| !found.iter().any(Diagnostic::is_error)) else {
        problems.extend(found.into_iter().map(|problem| {
            let error = failure().detail(format!("{}: {}", problem.summary, problem.detail));
            match problem.subject {
                Some(span) => error.at(span),
                None => error,
            }
        }));
        return;
    };
    let Kind::Object(members) = &root.kind else {
        problems.push(
            failure()
                .detail("An object of texts is needed.")
                .at(root.span),
        );
        return;
    };
    for member in members {
        match &member.value.kind {
            Kind::String(text) => {
                given.insert(member.key.clone(), text.clone());
            }
            // Packer reads null as empty text here.
            Kind::Null => {
                given.insert(member.key.clone(), String::new());
            }
            other => problems.push(
                failure()
                    .detail(format!(
                        "`{}` has to be a text, not {}.",
                        member.key,
                        kind_name(other)
                    ))
                    .at(member.value.span)
                    .hint(Some("Put it between double quotes.".to_owned())),
            ),
        }
    }
}
