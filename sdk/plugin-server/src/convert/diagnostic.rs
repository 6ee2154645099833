//! Problems and failures.

use plugin_wire::v1 as wire;
use plugin_wire::v1::path_step::Step;
use sdk_component::Failure;
use sdk_config::{Diagnostic, PathStep, Severity};

pub(crate) fn diagnostic_to_wire(diagnostic: Diagnostic) -> wire::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => wire::diagnostic::Severity::Error,
        Severity::Warning => wire::diagnostic::Severity::Warning,
    };
    wire::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        path: diagnostic.path.0.into_iter().map(step).collect(),
        hint: diagnostic.hint,
    }
}

fn step(step: PathStep) -> wire::PathStep {
    let step = match step {
        PathStep::Attribute(name) => Step::Attribute(name),
        PathStep::Index(number) => Step::Index(number as u64),
        PathStep::Key(key) => Step::Key(key),
    };
    wire::PathStep { step: Some(step) }
}

pub(crate) fn failure_to_wire(failure: Failure) -> wire::Failure {
    wire::Failure {
        message: failure.message,
        cancelled: failure.cancelled,
        diagnostics: failure
            .diagnostics
            .into_iter()
            .map(diagnostic_to_wire)
            .collect(),
    }
}
