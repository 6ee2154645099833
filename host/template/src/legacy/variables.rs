//! User variables: defaults and given values are templates that may use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use sdk_go_template::{Context, CustomFunctions, Data, TemplateError, calls, render};

use crate::legacy::template::LegacyTemplate;
use crate::remedies::without_question;
use crate::render::UserVariables;

/// A value as it is written, and where.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// `None` for what the command line gives.
    pub(crate) span: Option<Span>,
}

/// What is known of the variables while they are rendered.
#[derive(Debug, Default)]
struct State {
    rendered: BTreeMap<String, String>,
    /// Those that have no value, because something is wrong with them or what they need.
    broken: BTreeSet<String>,
    /// The variable that the current one asked for and that has to be rendered first.
    needs: Option<String>,
    /// The variable that the current one asked for and that does not exist.
    undefined: Option<String>,
}

/// `{{user}}` while not all variables are known.
#[derive(Debug)]
struct Lookup {
    texts: BTreeMap<String, Text>,
    state: Mutex<State>,
}

impl Lookup {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CustomFunctions for Lookup {
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>> {
        if name != "user" {
            return None;
        }
        let [Data::String(wanted)] = args else {
            return Some(Err("user takes the name of one variable".to_owned()));
        };
        let mut state = self.state();
        if let Some(text) = state.rendered.get(wanted) {
            return Some(Ok(Data::String(text.clone())));
        }
        if state.broken.contains(wanted) || self.texts.contains_key(wanted) {
            state.needs = Some(wanted.clone());
            return Some(Err(format!("variable {wanted} is not known yet")));
        }
        state.undefined = Some(wanted.clone());
        Some(Err(format!("undefined user variable: {wanted}")))
    }

    fn may_define(&self, _name: &str) -> bool {
        false
    }
}

/// Renders all variables. Those that cannot be rendered are without value; what is wrong only
/// because of another variable is not reported.
pub(crate) fn render_variables(template: &LegacyTemplate) -> (UserVariables, Diagnostics) {
    let declared = &template.document.variables;
    let mut texts: BTreeMap<String, Text> = BTreeMap::new();
    let mut state = State::default();
    for (name, variable) in declared {
        match &variable.default {
            Some(default) => drop(texts.insert(name.clone(), default.clone())),
            // Whatever uses it waits for its value; that it is missing is told elsewhere.
            None => drop(state.broken.insert(name.clone())),
        }
    }
    for (name, given) in &template.given {
        state.broken.remove(name);
        texts.insert(name.clone(), given.clone());
    }
    let names: Vec<String> = texts.keys().cloned().collect();
    let lookup = Arc::new(Lookup {
        texts,
        state: Mutex::new(state),
    });
    let custom: Arc<dyn CustomFunctions> = Arc::<Lookup>::clone(&lookup);
    let run = Run {
        template,
        context: Context {
            env: Some(template.options.environment.clone()),
            custom: Some(custom),
            ..template.context()
        },
        lookup: &lookup,
    };
    let mut problems = Diagnostics::new();
    for name in names {
        run.settle(name, &mut problems);
    }
    let state = std::mem::take(&mut *lookup.state());
    let named = template.document.sensitive.iter();
    let sensitive = named.map(|name| name.text.clone()).collect();
    let user = UserVariables {
        values: state.rendered,
        sensitive: with_dependents(&lookup.texts, sensitive),
        broken: state.broken,
    };
    (user, problems)
}

struct Run<'a> {
    template: &'a LegacyTemplate,
    context: Context,
    lookup: &'a Lookup,
}

impl Run<'_> {
    /// Renders a variable, and before it all that it needs.
    fn settle(&self, name: String, problems: &mut Diagnostics) {
        // Each of these needs the next one.
        let mut waiting = vec![name];
        while let Some(name) = waiting.last().cloned() {
            let is_known = {
                let state = self.lookup.state();
                state.rendered.contains_key(&name) || state.broken.contains(&name)
            };
            if is_known {
                waiting.pop();
                continue;
            }
            let text = &self.lookup.texts[&name];
            let data = Data::Map(BTreeMap::new());
            let result = render(&protect_fields(&text.text), &data, &self.context);
            let mut state = self.lookup.state();
            let (needs, undefined) = (state.needs.take(), state.undefined.take());
            let error = match (result, needs) {
                (Ok(text), _) => {
                    state.rendered.insert(name, text);
                    continue;
                }
                (Err(_), Some(needed)) if state.broken.contains(&needed) => {
                    state.broken.insert(name);
                    continue;
                }
                (Err(_), Some(needed)) => {
                    match waiting.iter().position(|one| *one == needed) {
                        Some(start) => {
                            problems.push(self.cycle(&waiting[start..]));
                            state.broken.extend(waiting[start..].iter().cloned());
                        }
                        None => waiting.push(needed),
                    }
                    continue;
                }
                (Err(error), None) => error,
            };
            state.broken.insert(name.clone());
            problems.push(self.failure(&name, text, &error, undefined.as_deref()));
        }
    }

    fn failure(
        &self,
        name: &str,
        text: &Text,
        error: &TemplateError,
        undefined: Option<&str>,
    ) -> Diagnostic {
        let reason = match undefined {
            Some(wanted) => format!("undefined user variable: {wanted}"),
            None => error.message.clone(),
        };
        let (reason, question) = without_question(&reason);
        let summary = format!("error interpolating default value for '{name}': {reason}");
        let mut problem = Diagnostic::error(summary).hint(question);
        let mut sensitive = self.template.document.sensitive.iter();
        if let Some(declared) = self.template.document.variables.get(name)
            && sensitive.any(|one| one.text == name)
        {
            // The place in the value would be shown with the value.
            let problem = problem.at(declared.span);
            return problem.hint(undefined.map(|wanted| self.declare(wanted)));
        }
        match (text.span, undefined) {
            (Some(span), Some(wanted)) => {
                problem = problem.at(self.call(span, &text.text, wanted));
            }
            (Some(span), None) => {
                // What is protected moves the places behind it.
                let offset = match protect_fields(&text.text) == text.text {
                    true => error.offset,
                    false => text.text.find("{{").unwrap_or_default(),
                };
                problem = problem.at(self.template.texts.action(span, &text.text, offset));
            }
            (None, _) => problem = problem.detail("The value is the one that `-var` gives."),
        }
        match undefined {
            Some(wanted) => problem.hint(self.declare(wanted)),
            None => problem,
        }
    }

    /// What to do about a variable that does not exist.
    fn declare(&self, wanted: &str) -> String {
        let known = self.template.document.variables.keys();
        match nearest(wanted, known.map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Declare `{wanted}` in \"variables\"."),
        }
    }

    fn cycle(&self, names: &[String]) -> Diagnostic {
        let name = &names[0];
        let mut chain = format!("`{name}`");
        for next in names.iter().skip(1).chain([name]) {
            chain.push_str(&format!(" needs `{next}`, which"));
        }
        let chain = chain.trim_end_matches(", which");
        let summary =
            format!("error interpolating default value for '{name}': it needs its own value");
        let mut problem = Diagnostic::error(summary)
            .detail(format!("{chain}."))
            .hint("Give one of them a value that uses none of the others.".to_owned());
        for (index, one) in names.iter().enumerate() {
            let text = &self.lookup.texts[one];
            let needed = &names[(index + 1) % names.len()];
            let Some(span) = text.span else { continue };
            let place = self.call(span, &text.text, needed);
            if problem.subject.is_none() {
                problem = problem.at(place);
            } else {
                problem = problem.related(place, format!("`{one}` needs `{needed}`"));
            }
        }
        problem
    }

    /// Where the text at `span` asks for the variable `wanted`.
    fn call(&self, span: Span, text: &str, wanted: &str) -> Span {
        let found = calls(text).ok().and_then(|calls| {
            calls.into_iter().find(|call| {
                call.name == "user" && call.arguments.first() == Some(&Some(wanted.to_owned()))
            })
        });
        match found {
            Some(call) => self.template.texts.action(span, text, call.offset),
            None => span,
        }
    }
}

/// Names that are sensitive themselves, or made of a variable that is.
fn with_dependents(
    texts: &BTreeMap<String, Text>,
    mut sensitive: BTreeSet<String>,
) -> BTreeSet<String> {
    if sensitive.is_empty() {
        return sensitive;
    }
    let uses: Vec<(&String, Vec<String>)> = texts
        .iter()
        .filter(|(_, text)| text.text.contains("{{"))
        .map(|(name, text)| (name, used(&text.text)))
        .collect();
    loop {
        let before = sensitive.len();
        for (name, used) in &uses {
            if used.iter().any(|one| sensitive.contains(one)) {
                sensitive.insert((*name).clone());
            }
        }
        if sensitive.len() == before {
            return sensitive;
        }
    }
}

/// The variables that a text asks for by name.
fn used(text: &str) -> Vec<String> {
    let calls = calls(text).unwrap_or_default();
    let users = calls.into_iter().filter(|call| call.name == "user");
    users
        .filter_map(|call| call.arguments.into_iter().next().flatten())
        .collect()
}
/// Turns `{{ .Field }}` into a call that renders as itself: such fields are for the component that
/// uses the variable, not for the variable.
fn protect_fields(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, call) = rest.split_at(start);
        result.push_str(before);
        let Some(end) = call.find("}}").map(|end| end + 2) else {
            rest = call;
            break;
        };
        let (call, after) = call.split_at(end);
        let inner = call[2..end - 2].trim_matches('-').trim();
        let is_field = inner.strip_prefix('.').is_some_and(|field| {
            !field.is_empty()
                && field
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        });
        if is_field {
            result.push_str("{{`");
            result.push_str(call);
            result.push_str("`}}");
        } else {
            result.push_str(call);
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::protect_fields;

    #[test]
    fn only_plain_fields_are_protected() {
        assert_eq!(protect_fields("a {{ .Vars }} b"), "a {{`{{ .Vars }}`}} b");
        assert_eq!(
            protect_fields("{{.A}}{{user `x`}}"),
            "{{`{{.A}}`}}{{user `x`}}"
        );
        assert_eq!(protect_fields("{{ . }} {{"), "{{ . }} {{");
    }
}
