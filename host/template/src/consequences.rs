//! Which problems follow from others.

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span};

use crate::Template;
use crate::hcl::offers;
use crate::load::is_of_value;
use crate::model::Components;

/// Problems with something that is not there.
const ABSENT: [&str; 6] = [
    "Unsupported attribute",
    "Invalid index",
    "failed to prepare execution graph",
    "Missing build block",
    "missing source reference",
    "Missing key",
];

/// What is said of a block without an argument that it needs.
const MISSING: &str = "Missing required argument";

/// Variables without a value.
const UNSET: [&str; 2] = ["Unset variable", "required variable not set"];

/// What references begin with.
const ROOTS: [&str; 5] = ["data", "local", "module", "source", "var"];

/// `problems` without those that are there only because of others, and without repetitions.
///
/// After errors in its text, something may be missing from a template (`incomplete`), so what is
/// only missing is not told, unless its name stands nowhere else. A component that a missing plugin
/// would have is told of with that plugin.
#[must_use]
pub fn without_consequences(
    problems: Diagnostics,
    incomplete: bool,
    (template, components): (Option<&Template>, Option<&dyn Components>),
    sources: &SourceMap,
) -> Diagnostics {
    let damaged = template.is_some_and(Template::is_damaged);
    let missing = missing_sources(template, components);
    let values_lost = problems.iter().any(|one| loses_values(one, sources));
    let misspelt = misspelt(&problems);
    let mut kept = Diagnostics::new();
    for problem in problems {
        let summary = problem.summary.as_str();
        let without_value = UNSET.iter().any(|start| summary.starts_with(start));
        let unset = summary == MISSING || without_value;
        let follows = (damaged && unset)
            || (values_lost && without_value)
            || misspelt.iter().any(|one| one.repeats(&problem))
            || (incomplete && seems_missing(&problem, sources))
            || missing.iter().any(|source| is_of_plugin(&problem, source))
            || kept
                .iter()
                .any(|known: &Diagnostic| known.repeats(&problem));
        if !follows {
            kept.push(problem);
        }
    }
    kept
}

/// Sources of the required plugins that are not there.
fn missing_sources(
    template: Option<&Template>,
    components: Option<&dyn Components>,
) -> Vec<String> {
    let (Some(template), Some(components)) = (template, components) else {
        return Vec::new();
    };
    let plugins = template.required_plugins().iter();
    let missing = plugins.filter(|plugin| {
        crate::hcl::missing_plugins(std::slice::from_ref(plugin), components).is_some()
    });
    missing.map(|plugin| plugin.source.clone()).collect()
}

/// Whether a component is unknown because the plugin with this source is not there.
fn is_of_plugin(problem: &Diagnostic, source: &str) -> bool {
    let summary = &problem.summary;
    let is_unknown = summary.starts_with("Unknown ") && summary.contains(" type ");
    let name = summary.rsplit(' ').next().unwrap_or_default();
    is_unknown && offers(source, name.trim_matches('"'))
}

/// What is told of as missing only because its name is misspelt: the last block before the misspelt
/// name that lacks what it probably means.
fn misspelt(problems: &[Diagnostic]) -> Vec<Diagnostic> {
    let missing = |name: &str, at: Span| {
        let quoted = format!("\"{name}\"");
        let lacks = problems.iter().filter(|one| {
            let before = |span: Span| span.file == at.file && span.start <= at.start;
            let lacks = match one.summary.as_str() {
                MISSING => one.detail.contains(&quoted),
                "missing source reference" => name == "sources",
                summary => name == "default" && summary.starts_with(UNSET[0]),
            };
            lacks && one.subject.is_some_and(before)
        });
        lacks
            .max_by_key(|one| one.subject.map(|span| span.start))
            .cloned()
    };
    let unknown = problems.iter().filter_map(meant);
    unknown
        .filter_map(|(name, at)| missing(&name, at))
        .collect()
}

/// The argument that a misspelt one probably means, and where that stands.
fn meant(problem: &Diagnostic) -> Option<(String, Span)> {
    let unknown = [
        "Unsupported ",
        "Extraneous JSON",
        "unknown configuration key",
    ];
    let starts = |start: &&str| problem.summary.starts_with(start);
    let hint = problem
        .hints
        .first()
        .filter(|_| unknown.iter().any(starts))?;
    let (_, near) = hint.split_once("id you mean ")?;
    let name = near.split(['`', '"']).nth(1)?;
    Some((name.to_owned(), problem.subject?))
}

/// Whether a file of values could not be read, or not all of it.
fn loses_values(problem: &Diagnostic, sources: &SourceMap) -> bool {
    let unread = ["Failed to read file", "Error reading variables in"];
    let is_of_values = |span: Span| {
        let name = sources.name(span.file);
        let is_template = name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json");
        (name.ends_with(".hcl") || name.ends_with(".pkrvars.json")) && !is_template
    };
    let placed = problem.subject.is_some_and(is_of_values);
    problem.is_error()
        && (unread
            .iter()
            .any(|start| problem.summary.starts_with(start))
            || (placed && !is_of_value(problem)))
}

fn seems_missing(problem: &Diagnostic, sources: &SourceMap) -> bool {
    let summary = problem.summary.as_str();
    let of_source = summary.starts_with("Unknown source ") && !summary.contains(" type ");
    if !of_source && !ABSENT.contains(&summary) {
        return false;
    }
    let Some(span) = problem.subject else {
        return true;
    };
    if summary == "missing source reference" {
        return is_declared_somewhere("sources", sources);
    }
    let text = sources.text(span.file);
    let place = text.get(span.start as usize..span.end as usize);
    // A reference is marked with what is read of the thing: `module.base.image`.
    let missing = problem.detail.strip_suffix("\" missing in template");
    let missing = missing.and_then(|detail| detail.rsplit('"').next());
    let words = missing.or(place).unwrap_or_default();
    let words = words.split(|c: char| !is_word(c));
    let mut names = words.filter(|word| !word.is_empty() && !ROOTS.contains(word));
    names.all(|name| is_declared_somewhere(name, sources))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// Whether a name stands where something could be declared by it: in quotes, or before `=`.
fn is_declared_somewhere(name: &str, sources: &SourceMap) -> bool {
    sources.texts().any(|text| {
        text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = &text[at + name.len()..];
            let quoted = before == Some('"') && after.starts_with('"');
            let word = before.is_none_or(|c| c.is_whitespace() || c == '{');
            quoted || (word && after.trim_start_matches([' ', '\t']).starts_with('='))
        })
    })
}
