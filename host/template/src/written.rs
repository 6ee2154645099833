//! Where the value of an option comes from, for messages.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Shown, Span};
use host_eval::{Scope, Value, describe, values_in};
use host_syntax::{Expr, ExprKind};

use crate::model::PathStep;

/// The expression of an option, with what it sees.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) expr: Expr,
    pub(crate) scope: Arc<Scope>,
}

impl Written {
    /// What the names in the part at `span` come to.
    fn values(&self, span: Span) -> Vec<Shown> {
        values_in(part_at(&self.expr, span), &self.scope)
    }

    /// Whether nothing in it has a name.
    fn is_literal(&self) -> bool {
        matches!(
            self.expr.kind,
            ExprKind::String(_) | ExprKind::Number(_) | ExprKind::Bool(_) | ExprKind::Null
        )
    }
}

/// What the value of one option is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The expression; `None` in legacy templates, and when there are no names in it.
    written: Option<Written>,
    /// A text with template calls, and what was rendered of it.
    call: Option<Shown>,
    /// Whether the option is one for secrets.
    secret: bool,
}

impl Origin {
    /// `secret` when the option is one for secrets: no value in it is told then.
    pub(crate) fn new(written: Option<Written>, secret: bool) -> Self {
        Self {
            written: written.filter(|written| !written.is_literal()),
            call: None,
            secret,
        }
    }

    /// The same, when `text` was rendered to `value`.
    pub(crate) fn rendered(&mut self, text: &str, value: &Value) {
        if value.as_str() != Some(text) {
            self.call = Some(Shown {
                expression: format!("{text:?}"),
                value: describe(value),
            });
        }
    }

    /// What the names in the part at `span` come to; never a sensitive value.
    pub(crate) fn values(&self, span: Option<Span>) -> Vec<Shown> {
        let written = self.written.as_ref().zip(span);
        let mut values = written.map_or_else(Vec::new, |(written, span)| written.values(span));
        values.extend(self.call.clone());
        if self.secret {
            for shown in &mut values {
                shown.value = "a sensitive value".to_owned();
            }
        }
        values
    }

    fn is_empty(&self) -> bool {
        self.written.is_none() && self.call.is_none()
    }
}

/// What the values of options are made of, by their paths.
#[derive(Clone, Debug, Default)]
pub struct Origins(HashMap<Vec<PathStep>, Origin>);

impl Origins {
    pub(crate) fn insert(&mut self, path: &[PathStep], origin: Origin) {
        if !origin.is_empty() {
            self.0.insert(path.to_vec(), origin);
        }
    }

    /// What the names at `span`, the place of `path`, come to.
    pub(crate) fn values(&self, path: &[PathStep], span: Option<Span>) -> Vec<Shown> {
        let origin = (0..=path.len()).find_map(|length| self.0.get(&path[..length]));
        origin.map_or_else(Vec::new, |origin| origin.values(span))
    }
}

/// The part of a written-out list or object that stands at `span`; else all of it.
fn part_at(expr: &Expr, span: Span) -> &Expr {
    let encloses = |part: &&Expr| part.span.start <= span.start && span.end <= part.span.end;
    let part = match &expr.kind {
        ExprKind::Parens(inner) => Some(&**inner),
        ExprKind::Tuple(parts) => parts.iter().find(encloses),
        ExprKind::Object(items) => items.iter().map(|item| &item.value).find(encloses),
        _ => None,
    };
    part.filter(encloses)
        .map_or(expr, |part| part_at(part, span))
}

#[cfg(test)]
mod tests {
    use host_diag::Shown;

    use crate::model::{Generated, PathStep};
    use crate::testing::{Case, FakeComponents, block_on};
    use crate::{ComponentKind, Components, load};

    /// `text` is a template with one build; its source's values at `path` read as `expected`.
    #[track_caller]
    fn check(case: &Case, path: &[PathStep], expected: &[(&str, &str)]) {
        let components = FakeComponents::new();
        let (template, problems) = load(&case.options, &mut host_diag::SourceMap::default());
        let mut template = template.unwrap_or_else(|| panic!("{problems:?}"));
        let problems = block_on(template.initialize(&components, true));
        assert!(problems.is_empty(), "{problems:?}");
        let (builds, problems) = template.builds(&components);
        assert!(problems.is_empty(), "{problems:?}");
        let schema = components.schema(ComponentKind::Builder, "machine");
        let source = &builds[0].source;
        let generated = Generated::Names(Vec::new());
        let (configured, problems) = source.configure(schema.expect("known"), &generated);
        assert!(problems.is_empty(), "{problems:?}");
        let expected: Vec<Shown> = expected
            .iter()
            .map(|(expression, value)| Shown {
                expression: (*expression).to_owned(),
                value: (*value).to_owned(),
            })
            .collect();
        assert_eq!(configured.values(path), expected);
    }

    fn hcl(options: &str) -> Case {
        Case::hcl(&format!(
            "variable \"n\" {{ default = 2 }}\nvariable \"s\" {{\n  default = \"hidden-text\"\n  \
             sensitive = true\n}}\nsource \"machine\" \"m\" {{\n{options}\n}}\n\
             build {{ sources = [\"machine.m\"] }}\n"
        ))
    }

    fn option(name: &str) -> PathStep {
        PathStep::Attribute(name.to_owned())
    }

    #[test]
    fn an_option_tells_what_its_names_come_to() {
        let case = hcl("memory = var.n * 2\ncommands = [\"a\", \"${var.n}\", var.s]\nurl = \"x\"");
        check(&case, &[option("memory")], &[("var.n", "2")]);
        let item = |index| [option("commands"), PathStep::Index(index)];
        check(&case, &item(0), &[]);
        check(&case, &item(1), &[("var.n", "2")]);
        check(&case, &item(2), &[("var.s", "a sensitive value")]);
        check(&case, &[option("url")], &[]);
        check(&case, &[option("headless")], &[]);
        check(&case, &[], &[]);
    }

    #[test]
    fn options_of_blocks_tell_their_own() {
        let case = hcl("disk { size = 1 }\ndisk { size = var.n }");
        let size = |index| [option("disk"), PathStep::Index(index), option("size")];
        check(&case, &size(0), &[]);
        check(&case, &size(1), &[("var.n", "2")]);
    }

    #[test]
    fn an_option_for_secrets_tells_none() {
        let case = hcl("password = \"x${var.n}\"");
        check(
            &case,
            &[option("password")],
            &[("var.n", "a sensitive value")],
        );
    }

    #[test]
    fn a_rendered_text_tells_what_became_of_it() {
        let case = hcl("url = \"{{ upper `a` }}\"\nboot = [\"{{ .HTTPIP }}\"]");
        check(&case, &[option("url")], &[("\"{{ upper `a` }}\"", "\"A\"")]);
        check(&case, &[option("boot")], &[]);
        let legacy = "{\"variables\": {\"n\": \"two\", \"s\": \"hidden-text\"}, \"sensitive-variables\": \
                      [\"s\"], \"builders\": [{\"type\": \"machine\", \"url\": \"{{user `n`}}\", \
                      \"password\": \"{{user `n`}}\", \"tags\": {\"a\": \"x\"}}]}";
        let case = Case::legacy(legacy);
        check(&case, &[option("url")], &[("\"{{user `n`}}\"", "\"two\"")]);
        check(
            &case,
            &[option("password")],
            &[("\"{{user `n`}}\"", "a sensitive value")],
        );
        check(&case, &[option("tags")], &[]);
    }
}
