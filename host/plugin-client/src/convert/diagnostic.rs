//! Diagnostics: from a path in the configuration to a place in the template.

use host_diag::{Diagnostic, Diagnostics};
use host_template::{Configured, PathStep};
use plugin_wire::v1 as wire;
use plugin_wire::v1::diagnostic::Severity;
use plugin_wire::v1::path_step::Step;

/// The diagnostics of a plugin about `config`.
pub(crate) fn diagnostics_from_wire(
    messages: Vec<wire::Diagnostic>,
    config: &Configured,
) -> Diagnostics {
    messages
        .into_iter()
        .map(|message| diagnostic(message, config))
        .collect()
}

fn diagnostic(message: wire::Diagnostic, config: &Configured) -> Diagnostic {
    let path: Vec<PathStep> = message
        .path
        .into_iter()
        .filter_map(|step| step.step)
        .map(path_step)
        .collect();
    let is_warning = Severity::try_from(message.severity) == Ok(Severity::Warning);
    let blank = if is_warning {
        Diagnostic::warning
    } else {
        Diagnostic::error
    };
    let mut read = blank(message.summary).detail(message.detail);
    read.subject = config.span(&path);
    read.values = config.values(&path);
    if !config.header.is_empty() {
        read.context = Some(config.header.clone());
    }
    read.hint((!message.hint.is_empty()).then_some(message.hint))
}

fn path_step(step: Step) -> PathStep {
    match step {
        Step::Attribute(name) => PathStep::Attribute(name),
        Step::Index(index) => PathStep::Index(usize::try_from(index).unwrap_or(usize::MAX)),
        Step::Key(key) => PathStep::Key(key),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use host_diag::{FileId, Span};
    use host_eval::Value;

    use super::*;

    fn config() -> Configured {
        let span = |start| Span::new(FileId(0), start, start + 1);
        let attribute = |name: &str| PathStep::Attribute(name.to_owned());
        let spans = HashMap::from([
            (vec![attribute("disk")], span(10)),
            (vec![attribute("disk"), PathStep::Index(1)], span(20)),
        ]);
        Configured {
            value: Value::dynamic(),
            spans,
            header_span: Some(span(1)),
            header: "source \"qemu\" \"x\"".to_owned(),
            ..Configured::default()
        }
    }

    fn check(path: Vec<Step>, start: u32) {
        let message = wire::Diagnostic {
            severity: Severity::Warning.into(),
            summary: "Odd".into(),
            detail: "It is odd.".into(),
            path: path
                .into_iter()
                .map(|step| wire::PathStep { step: Some(step) })
                .collect(),
            hint: String::new(),
        };
        let read = diagnostics_from_wire(vec![message], &config());
        assert!(!read[0].is_error());
        assert_eq!(read[0].subject.map(|span| span.start), Some(start));
        assert_eq!(read[0].context.as_deref(), Some("source \"qemu\" \"x\""));
        assert!(read[0].hints.is_empty());
    }

    #[test]
    fn paths_become_places() {
        check(vec![], 1);
        check(vec![Step::Attribute("disk".into())], 10);
        check(vec![Step::Attribute("disk".into()), Step::Index(1)], 20);
        check(vec![Step::Attribute("disk".into()), Step::Index(2)], 10);
        check(vec![Step::Attribute("other".into())], 1);
    }
}
