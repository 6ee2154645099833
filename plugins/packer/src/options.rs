//! Options, in the form a plugin is prepared with.

use std::collections::BTreeSet;

use kiln_sdk::{BuildInfo, Diagnostic, Diagnostics, OnError, Value, ValueKind};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::spec::{Spec, read_body};
use sdk_packer_protocol::value::{Configs, CoreVariables, ValueError, common_names};

/// The list a component is prepared with.
pub(crate) fn configs(
    kind: Kind,
    spec: &Spec,
    options: &Value,
    build: &BuildInfo,
) -> Result<Configs, Diagnostics> {
    let core = core_variables(build);
    if !core.template_path.is_empty() {
        let named = named_facts(options);
        return Ok(Configs::json(kind, &core, options, None, &named));
    }
    let typed = read_body(spec, options);
    let typed = typed.map_err(|problems| problems.iter().map(problem).collect::<Diagnostics>())?;
    Ok(Configs::hcl(kind, &core, &typed, None))
}

/// The facts of the machine that template calls in `options` ask for. A plugin refuses those it has
/// not been told of, and what a builder adds to the common ones is known to the host alone, which
/// has looked at them already.
fn named_facts(options: &Value) -> Vec<String> {
    let mut named = BTreeSet::new();
    collect_facts(options, &mut named);
    for name in common_names() {
        named.remove(name);
    }
    named.into_iter().collect()
}

fn collect_facts(value: &Value, named: &mut BTreeSet<String>) {
    match &value.kind {
        ValueKind::String(text) => {
            // A plugin says itself what is wrong with a broken template.
            let calls = kiln_sdk::go_template::calls(text).unwrap_or_default();
            let facts = calls.into_iter().filter(|call| call.name == "build");
            named.extend(facts.filter_map(|call| call.arguments.into_iter().next().flatten()));
        }
        ValueKind::List(items) => items.iter().for_each(|item| collect_facts(item, named)),
        ValueKind::Map(entries) => entries.values().for_each(|item| collect_facts(item, named)),
        _ => {}
    }
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
    use sdk_packer_protocol::value::{CtyType, Element, placeholder};

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
    fn what_only_a_builder_gives_is_announced_to_plugins_of_json_templates() {
        let build = BuildInfo {
            template_path: "/t.json".into(),
            ..BuildInfo::default()
        };
        let nested: Value = [("key", "{{ build `Fruit` }} {{build `ID`}} {{oops")]
            .into_iter()
            .collect();
        let mut options: Value = [("name", "{{ build `Tree` | upper }}")]
            .into_iter()
            .collect();
        options.insert("tags", vec![nested]);
        let list = configs(Kind::Provisioner, &spec(), &options, &build).expect("they fit");
        let Some(Element::Native(facts)) = list.0.last() else {
            panic!("the facts come last: {list:?}");
        };
        assert_eq!(facts.get("Tree"), Some(&Value::from(placeholder("Tree"))));
        assert!(facts.get("ID").is_some());
        assert_eq!(facts.get("Fruit"), None, "a broken template names nothing");
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
