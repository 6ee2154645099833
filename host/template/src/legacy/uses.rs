//! Uses of user variables that do not exist: they render as nothing, which is rarely meant.

use std::collections::BTreeMap;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_syntax::json::{Kind, Member, Value};

use crate::legacy::template::LegacyTemplate;

/// Most other places that are named with a problem.
const MOST_PLACES: usize = 5;

/// A warning for each variable that options, names or retries ask for and nobody declares or gives.
pub(crate) fn undefined_variables(template: &LegacyTemplate) -> Diagnostics {
    let mut search = Search {
        template,
        found: BTreeMap::new(),
    };
    let sections = &template.document.sections;
    for builder in &sections.builders {
        search.text(&builder.name, builder.name_span);
        search.members(&builder.options);
    }
    for provisioner in sections.provisioners.iter().chain(&sections.error_cleanup) {
        search.members(&provisioner.options);
        for over in provisioner.overrides.values() {
            search.members(&over.options);
        }
        if let Some((text, span)) = &provisioner.max_retries {
            search.text(text, *span);
        }
    }
    for post_processor in sections.post_processors.iter().flatten() {
        search.members(&post_processor.options);
    }
    let mut found: Vec<_> = search.found.into_iter().collect();
    found.sort_by_key(|(_, places)| places[0].start);
    let warnings = found.into_iter();
    warnings
        .map(|(name, places)| warning(template, &name, &places))
        .collect()
}

struct Search<'a> {
    template: &'a LegacyTemplate,
    /// Places by variable.
    found: BTreeMap<String, Vec<Span>>,
}

impl Search<'_> {
    fn members(&mut self, members: &[Member]) {
        members.iter().for_each(|member| self.value(&member.value));
    }

    fn value(&mut self, value: &Value) {
        match &value.kind {
            Kind::String(text) => self.text(text, value.span),
            Kind::Array(items) => items.iter().for_each(|item| self.value(item)),
            Kind::Object(members) => self.members(members),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, span: Span) {
        if !text.contains("{{") {
            return;
        }
        // Mistakes of syntax are reported where the text is rendered.
        for call in sdk_go_template::calls(text).unwrap_or_default() {
            let Some(Some(name)) = call.arguments.first().filter(|_| call.name == "user") else {
                continue;
            };
            let template = self.template;
            let is_declared = template.document.variables.contains_key(name);
            if is_declared || template.given.contains_key(name) {
                continue;
            }
            let place = template.texts.action(span, text, call.offset);
            let places = self.found.entry(name.clone()).or_default();
            // An alias brings the same place again.
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
}

fn warning(template: &LegacyTemplate, name: &str, places: &[Span]) -> Diagnostic {
    let mut problem = Diagnostic::warning(format!("undefined user variable: {name}"))
        .detail("No variable of this name is declared or given, so the call gives empty text.")
        .at(places[0]);
    for place in places.iter().skip(1).take(MOST_PLACES) {
        problem = problem.related(*place, "it is used here too");
    }
    let known = template.document.variables.keys().map(String::as_str);
    problem.hint(match nearest(name, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Declare `{name}` in \"variables\"."),
    })
}
