//! Options, in the form a plugin is prepared with.

use kiln_sdk::{BuildInfo, Diagnostic, Diagnostics, OnError, Value};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::spec::{Spec, read_body};
use sdk_packer_protocol::value::{Configs, CoreVariables, ValueError};

/// The list a component is prepared with.
pub(crate) fn configs(
    kind: Kind,
    spec: &Spec,
    options: &Value,
    build: &BuildInfo,
) -> Result<Configs, Diagnostics> {
    let core = core_variables(build);
    if !core.template_path.is_empty() {
        return Ok(Configs::json(kind, &core, options, None, &[]));
    }
    let typed = read_body(spec, options);
    let typed = typed.map_err(|problems| problems.iter().map(problem).collect::<Diagnostics>())?;
    Ok(Configs::hcl(kind, &core, &typed, None))
}

fn core_variables(build: &BuildInfo) -> CoreVariables {
    let on_error = match build.on_error {
        OnError::Cleanup => "cleanup",
        OnError::Abort => "abort",
        OnError::Ask => "ask",
        OnError::RunCleanupProvisioner => "run-cleanup-provisioner",
    };
    CoreVariables {
        build_name: build.source_name.clone(),
        builder_type: build.builder_type.clone(),
        core_version: build.core_version.clone(),
        debug: build.debug,
        force: build.force,
        on_error: on_error.to_owned(),
        template_path: build.template_path.to_string_lossy().into_owned(),
        user_variables: build.user_variables.clone(),
        sensitive_variables: Vec::new(),
    }
}

fn problem(error: &ValueError) -> Diagnostic {
    let diagnostic = Diagnostic::error("Unusable option", format!("{error}."));
    match error {
        ValueError::Mismatch { path, .. } => diagnostic.at(path.clone()),
        _ => diagnostic,
    }
}

/// A plugin's refusal, on the option it names when it names exactly one.
pub(crate) fn refusal(message: &str, spec: &Spec) -> Diagnostic {
    let detail = message.trim_end().trim_end_matches('.');
    let diagnostic =
        Diagnostic::error("The plugin refuses the configuration", format!("{detail}."));
    let Spec::Object(parts) = spec else {
        return diagnostic;
    };
    let words = |name: &str| {
        let word = |character: char| character.is_alphanumeric() || character == '_';
        message
            .split(|character| !word(character))
            .any(|it| it == name)
    };
    let mut named = parts
        .keys()
        .filter(|name| name.contains('_') && words(name));
    match (named.next(), named.next()) {
        (Some(name), None) => diagnostic.on(name),
        _ => diagnostic,
    }
}

/// A plugin's warning.
pub(crate) fn warning(message: &str) -> Diagnostic {
    let detail = message.trim_end().trim_end_matches('.');
    Diagnostic::warning("The plugin warns", format!("{detail}."))
}

#[cfg(test)]
mod tests {
    use kiln_sdk::{BuildInfo, Path, Value};
    use sdk_packer_protocol::Kind;
    use sdk_packer_protocol::spec::Spec;
    use sdk_packer_protocol::value::{CtyType, Element};

    use super::{configs, refusal};

    fn spec() -> Spec {
        Spec::attributes([("disk_size", CtyType::Number), ("name", CtyType::String)])
    }

    #[test]
    fn options_of_hcl_templates_are_typed_and_those_of_json_templates_are_not() {
        let options: Value = [("name", "n")].into_iter().collect();
        let mut build = BuildInfo::default();
        let list = configs(Kind::Builder, &spec(), &options, &build).expect("they fit");
        assert!(matches!(
            list.0[..],
            [Element::Native(_), Element::Typed(_)]
        ));
        build.template_path = "/t.json".into();
        let list = configs(Kind::Builder, &spec(), &options, &build).expect("they fit");
        assert_eq!(list.0[0], Element::Native(options));
    }

    #[test]
    fn a_wrong_type_names_its_option() {
        let options: Value = [("disk_size", "much")].into_iter().collect();
        let problems = configs(Kind::Builder, &spec(), &options, &BuildInfo::default());
        let problems = problems.expect_err("it is refused");
        assert_eq!(problems[0].path, Path::attribute("disk_size"));
    }

    #[test]
    fn a_refusal_that_names_one_option_is_about_it() {
        let told = refusal(
            "1 error(s) occurred:\n\n* `disk_size` must be set.",
            &spec(),
        );
        assert_eq!(told.path, Path::attribute("disk_size"));
        assert_eq!(refusal("no", &spec()).path, Path::default());
    }
}
