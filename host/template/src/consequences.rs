//! Which problems follow from others.

use host_diag::{Diagnostic, Diagnostics, SourceMap};

use crate::Template;
use crate::hcl::offers;
use crate::model::Components;

/// Problems with something that is not there.
const ABSENT: [&str; 7] = [
    "Unsupported attribute",
    "Invalid index",
    "failed to prepare execution graph",
    "Missing build block",
    "missing source reference",
    "Missing required argument",
    "Missing key",
];

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
    let mut kept = Diagnostics::new();
    for problem in problems {
        let unset = damaged && problem.summary.starts_with("Unset variable");
        let follows = unset
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

fn seems_missing(problem: &Diagnostic, sources: &SourceMap) -> bool {
    let summary = problem.summary.as_str();
    let of_source = summary.starts_with("Unknown source ") && !summary.contains(" type ");
    if !of_source && !ABSENT.contains(&summary) {
        return false;
    }
    let Some(span) = problem.subject else {
        return true;
    };
    let text = sources.text(span.file);
    let place = text.get(span.start as usize..span.end as usize);
    let name = place.and_then(|place| {
        let mut words = place.rsplit(|c: char| !is_word(c));
        words.find(|word| !word.is_empty())
    });
    name.is_none_or(|name| is_declared_somewhere(name, sources))
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
