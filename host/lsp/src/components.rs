//! The components of builds against the schemas of their plugins, as far as that goes without
//! starting one.

use host_diag::{Diagnostic, Diagnostics, nearest};
use host_eval::Value;
use host_template::{
    AttributeSchema, Build, Component, Components, Configured, Generated, PathStep, Schema,
};

/// Everything wrong with the components of `builds`; what several builds share is listed once.
pub(crate) fn check(builds: &[Build], components: &dyn Components) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for component in builds.iter().flat_map(all) {
        let Some(schema) = components.schema(component.kind, &component.type_name) else {
            continue;
        };
        let (configured, mut found) = component.configure(schema, &Generated::Later);
        choices(&configured, &configured.value, schema, &[], &mut found);
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// The components of a build.
fn all(build: &Build) -> impl Iterator<Item = &Component> {
    let provisioners = build.provisioners.iter().chain(&build.error_cleanup);
    let processors = build.post_processors.iter().flatten();
    std::iter::once(&build.source)
        .chain(provisioners.map(|plan| &plan.component))
        .chain(processors.map(|plan| &plan.component))
}

/// Words that an option does not take. The plugin would say the same, so the words are its.
fn choices(
    configured: &Configured,
    value: &Value,
    schema: &Schema,
    path: &[PathStep],
    problems: &mut Diagnostics,
) {
    let Some(entries) = value.as_mapping() else {
        return;
    };
    let below = |step: PathStep| -> Vec<PathStep> { path.iter().cloned().chain([step]).collect() };
    for option in schema
        .attributes
        .iter()
        .filter(|one| !one.choices.is_empty())
    {
        let Some(value) = entries.get(&option.name) else {
            continue;
        };
        let one = [value.clone()];
        let items = value.as_sequence().unwrap_or(&one).iter();
        let texts = items
            .filter(|item| !item.sensitive)
            .filter_map(Value::as_str);
        for text in texts.filter(|text| !is_taken(text, option)) {
            let path = below(PathStep::Attribute(option.name.clone()));
            problems.push(not_a_choice(configured, &path, text, option));
        }
    }
    for block in &schema.blocks {
        let Some(value) = entries.get(&block.name) else {
            continue;
        };
        let path = below(PathStep::Attribute(block.name.clone()));
        match value.as_sequence().filter(|_| block.repeated) {
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    let mut path = path.clone();
                    path.push(PathStep::Index(index));
                    choices(configured, item, &block.schema, &path, problems);
                }
            }
            None => choices(configured, value, &block.schema, &path, problems),
        }
    }
}

/// Whether a text is a choice, or nothing that can be judged yet: unset, or made of what is unknown.
fn is_taken(text: &str, option: &AttributeSchema) -> bool {
    text.is_empty() || text.contains('<') || option.choices.iter().any(|choice| choice == text)
}

fn not_a_choice(
    configured: &Configured,
    path: &[PathStep],
    text: &str,
    option: &AttributeSchema,
) -> Diagnostic {
    let choices = option.choices.iter();
    let list: Vec<String> = choices
        .clone()
        .map(|choice| format!("`{choice}`"))
        .collect();
    let near = nearest(text, choices.map(String::as_str));
    let problem = Diagnostic::error("Invalid choice")
        .detail(format!(
            "`{}` is one of {}, not `{text}`.",
            option.name,
            list.join(", ")
        ))
        .context(configured.header.clone())
        .hint(near.map(|near| format!("Did you mean `{near}`?")));
    match configured.span(path) {
        Some(span) => problem.at(span),
        None => problem,
    }
}
