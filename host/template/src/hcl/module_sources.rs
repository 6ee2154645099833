//! The sources of modules, for the builds of their callers: `module.NAME.TYPE.SOURCE`.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Diagnostic, nearest};

use crate::hcl::build::SourceUse;
use crate::hcl::source::{Sources, Target};
use crate::hcl::template::HclTemplate;
use crate::model::Components;

/// What stands before the name of a module.
const MODULE: &str = "module.";

/// Finds sources of modules, and of modules in them.
pub(crate) struct ModuleSources<'a> {
    root: &'a HclTemplate,
    components: Option<&'a dyn Components>,
    /// By path: `module.a.module.b.`.
    read: HashMap<String, Arc<SourcesOf<'a>>>,
}

/// The sources of a module.
pub(crate) struct SourcesOf<'a> {
    pub(crate) template: &'a HclTemplate,
    pub(crate) sources: Sources,
    /// What stands before their names where they are used: `module.a.`.
    pub(crate) path: String,
}

/// What a reference stands for, with the module it is in.
pub(crate) type Found<'a> = (Target, Option<Arc<SourcesOf<'a>>>);

impl<'a> ModuleSources<'a> {
    pub(crate) fn new(root: &'a HclTemplate, components: Option<&'a dyn Components>) -> Self {
        Self {
            root,
            components,
            read: HashMap::new(),
        }
    }

    /// What a reference stands for. `own` are the sources of the template that refers to it.
    ///
    /// # Errors
    ///
    /// When there is no such module. Whether there is such a source is left to the caller.
    pub(crate) fn targets(
        &mut self,
        used: &SourceUse,
        own: &Sources,
    ) -> Result<Vec<Found<'a>>, Box<Diagnostic>> {
        let modules = &self.root.modules;
        let claimed = module_name(&used.text).is_some_and(|(name, _)| {
            // Without modules the word means nothing, and `x.TYPE.NAME` is a source whatever x is.
            let known = modules.iter().any(|module| module.block.name == name);
            known || (!modules.is_empty() && own.get(&used.key).is_none())
        });
        if !claimed {
            let targets = own.targets(used).into_iter();
            return Ok(targets.map(|target| (target, None)).collect());
        }
        let (mut template, mut rest) = (self.root, used.text.as_str());
        while let Some((name, more)) = module_name(rest) {
            let found = template.modules.iter().find(|m| m.block.name == name);
            template = &found
                .ok_or_else(|| no_module(template, name, used))?
                .template;
            rest = more;
        }
        let path = &used.text[..used.text.len() - rest.len()];
        let components = self.components;
        let from = self.read.entry(path.to_owned()).or_insert_with(|| {
            // The problems of the module's blocks are reported with its own builds.
            let (blocks, _) = template.blocks(components);
            Arc::new(SourcesOf {
                template,
                sources: blocks.sources,
                path: path.to_owned(),
            })
        });
        let within = used.within(rest);
        if within.key.name.is_empty() {
            return Err(incomplete(used));
        }
        let targets = from.sources.targets(&within).into_iter();
        Ok(targets
            .map(|target| (target, Some(Arc::clone(from))))
            .collect())
    }
}

/// The name of the module that a reference starts with, and what follows it.
fn module_name(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(MODULE)?.split_once('.')
}

fn incomplete(used: &SourceUse) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("Invalid source reference")
            .detail(format!("`{}` names no source of the module.", used.text))
            .at(used.span)
            .hint("Write `module.NAME.TYPE.SOURCE`.".to_owned()),
    )
}

fn no_module(template: &HclTemplate, name: &str, used: &SourceUse) -> Box<Diagnostic> {
    let names = || template.modules.iter().map(|m| m.block.name.as_str());
    let known: Vec<&str> = names().collect();
    Box::new(
        Diagnostic::error(format!("Unknown module {name}"))
            .detail(format!(
                "`{}` names a source of a module. Modules known there: {}",
                used.text,
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ))
            .at(used.span)
            .hint(nearest(name, names()).map(|near| format!("Did you mean `{near}`?"))),
    )
}
