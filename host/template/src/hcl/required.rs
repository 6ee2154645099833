//! Which required plugins are there.
//!
//! A plugin is known by the last part of its source, and its components bear that name: the plugin
//! `github.com/hashicorp/amazon` has `amazon-ebs` and `amazon-ami`. Where only names are known, a
//! requirement is met when some component is called so. kiln's own components stand for the plugins
//! of the same name, and have versions of their own.

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

/// Whether some component in `components` is called after the plugin.
pub(crate) fn stands_for(
    components: &(impl Components + ?Sized),
    required: &RequiredPlugin,
) -> bool {
    let mut names = KINDS.iter().flat_map(|kind| components.names(*kind));
    names.any(|name| offers(&required.source, &name))
}

/// The required plugins that are not there, in one problem.
pub(crate) fn missing_plugins(
    required: &[RequiredPlugin],
    components: &dyn Components,
) -> Option<Diagnostic> {
    let missing: Vec<(&RequiredPlugin, Vec<String>)> = required
        .iter()
        .filter_map(|plugin| Some((plugin, components.missing_plugin(plugin)?)))
        .collect();
    let ((first, _), others) = missing.split_first()?;
    let names: Vec<String> = missing
        .iter()
        .map(|(plugin, _)| format!("`{}` ({})", plugin.source, plugin.version))
        .collect();
    let mut detail = format!(
        "No installed plugin is what this template requires: {}.",
        names.join(", ")
    );
    let instead: Vec<&String> = missing.iter().flat_map(|(_, instead)| instead).collect();
    if !instead.is_empty() {
        detail.push_str(" These were found, and will not do:");
    }
    for line in &instead {
        detail.push_str(&format!("\n  {line}"));
    }
    let problem = Diagnostic::error("Missing plugins")
        .detail(detail)
        .at(first.span)
        .context("packer")
        .hint(match instead.is_empty() {
            true => "Run `kiln init TEMPLATE`, which installs them.".to_owned(),
            false => {
                "Run `kiln init TEMPLATE`, which installs them, with what is said above where \
                      that asks for more."
                    .to_owned()
            }
        })
        .hint("Where nothing of it is needed here, take it out of `required_plugins`.".to_owned());
    Some(others.iter().fold(problem, |problem, (plugin, _)| {
        problem.related(plugin.span, format!("`{}` is missing, too", plugin.source))
    }))
}
