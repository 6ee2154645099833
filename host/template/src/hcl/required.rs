//! Which required plugins are there.
//!
//! A plugin is known by the last part of its source, and its components bear that name: the plugin
//! `github.com/hashicorp/amazon` has `amazon-ebs` and `amazon-ami`. So a requirement is met when
//! some component is called so, whoever wrote it and whatever its version: kiln's own components
//! stand for the plugins of the same name, and have versions of their own.

use host_diag::Diagnostic;

use crate::hcl::packer_block::RequiredPlugin;
use crate::model::{ComponentKind, Components};

/// Every kind of component.
const KINDS: [ComponentKind; 4] = [
    ComponentKind::Builder,
    ComponentKind::Provisioner,
    ComponentKind::PostProcessor,
    ComponentKind::DataSource,
];

/// Whether the plugin with this source would be where a component called `component` comes from.
pub(crate) fn offers(source: &str, component: &str) -> bool {
    let plugin = source.rsplit('/').next().unwrap_or(source);
    let rest = component.strip_prefix(plugin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The required plugins that nothing in `components` stands for, in one problem.
pub(crate) fn missing_plugins(
    required: &[RequiredPlugin],
    components: &dyn Components,
) -> Option<Diagnostic> {
    let known: Vec<String> = KINDS
        .iter()
        .flat_map(|kind| components.names(*kind))
        .collect();
    let missing = |plugin: &&RequiredPlugin| !known.iter().any(|name| offers(&plugin.source, name));
    let missing: Vec<&RequiredPlugin> = required.iter().filter(missing).collect();
    let (first, others) = missing.split_first()?;
    let names: Vec<String> = missing
        .iter()
        .map(|plugin| format!("`{}` ({})", plugin.source, plugin.version))
        .collect();
    let problem = Diagnostic::error("Missing plugins")
        .detail(format!(
            "No bundled or installed plugin stands for what this template requires: {}.",
            names.join(", ")
        ))
        .at(first.span)
        .context("packer")
        .hint(
            "Put kiln's plugin of that name (`kiln-plugin-NAME`) beside the program or into \
             `libexec/kiln`; plugins made for Packer itself cannot be used."
                .to_owned(),
        )
        .hint("Where nothing of it is needed here, take it out of `required_plugins`.".to_owned());
    Some(others.iter().fold(problem, |problem, plugin| {
        problem.related(plugin.span, format!("`{}` is missing, too", plugin.source))
    }))
}
