//! An HCL2 template from files to values.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span};
use host_eval::Scope;
use indexmap::IndexMap;

use crate::hcl::assignments::assign_all;
use crate::hcl::bound::BoundBlock;
use crate::hcl::build::{BuildBlock, BuildContents, read_build};
use crate::hcl::declarations::{DataBlock, Local, declarations, pending_schema};
use crate::hcl::dynamic::expand;
use crate::hcl::evaluation;
use crate::hcl::files::{parse, select};
use crate::hcl::instances::Reading;
use crate::hcl::module::{Chain, Module, Output, load_modules};
use crate::hcl::packer_block::{
    RequiredPlugin, UNSUPPORTED_VERSION, check_core_version, required_plugins,
};
use crate::hcl::registry::check_registry;
use crate::hcl::source::Sources;
use crate::hcl::variables::Variables;
use crate::model::{ComponentKind, Components};
use crate::options::LoadOptions;

/// An HCL2 template.
#[derive(Debug)]
pub(crate) struct HclTemplate {
    pub(crate) options: LoadOptions,
    /// `path.root`, as the user wrote it.
    pub(crate) base_dir: String,
    pub(crate) variables: Variables,
    pub(crate) locals: Vec<Local>,
    pub(crate) data: Vec<DataBlock>,
    pub(crate) modules: Vec<Module>,
    pub(crate) outputs: Vec<Output>,
    /// Of this template and its modules.
    pub(crate) required_plugins: Vec<RequiredPlugin>,
    /// Who calls it, when it is a module.
    pub(crate) caller: Option<Caller>,
    /// Whether some of the text could not be read.
    pub(crate) damaged: bool,
    /// Blocks that are read when values are known.
    pub(crate) pending: Vec<BoundBlock>,
    /// Variables, locals and data; empty until the template is initialised.
    pub(crate) scope: Option<Scope>,
    /// Values of locals by name.
    pub(crate) local_values: IndexMap<String, host_eval::Value>,
    /// Values of outputs by name; an empty object until the template is initialised.
    pub(crate) output_values: host_eval::Value,
}

/// The block that calls a module.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// What the pending blocks amount to.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) sources: Sources,
    /// A block with `for_each` or `count` stands here once for each instance.
    pub(crate) builds: Vec<BuildBlock>,
    /// Place and header of `build` blocks that have no instance.
    pub(crate) empty: Vec<(Span, String)>,
}

impl Blocks {
    /// Adds the build that `block` describes, or every instance of it.
    fn add_build(
        &mut self,
        block: BoundBlock,
        scope: &Scope,
        reading: &mut Reading<'_>,
        problems: &mut Diagnostics,
    ) {
        let mut found = Diagnostics::new();
        let contents = BuildContents::of(&block, &mut found);
        let header = (block.header, block.header_text());
        let made = reading.instances(block, None, scope, &mut found);
        if made.is_empty() {
            self.empty.push(header);
        }
        for block in &made {
            let build = read_build(block, &contents, scope, reading, &mut found);
            self.builds.push(build);
        }
        problems.extend(found);
    }
}

/// Adds the source that `block` describes, or every instance of it.
fn declare(
    block: BoundBlock,
    scope: &Scope,
    sources: &mut Sources,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) {
    let kind = Some(ComponentKind::Builder);
    let mut made = reading.instances(block.clone(), kind, scope, problems);
    match made.as_slice() {
        [one] if one.instance.is_none() => {
            sources.declare(made.remove(0), problems);
        }
        _ => sources.declare_instances(&block, made, problems),
    }
}

/// Reads the files of a template and the values of its variables.
pub(crate) fn load(
    options: &LoadOptions,
    sources: &mut SourceMap,
) -> (Option<HclTemplate>, Diagnostics) {
    let (template, problems) = load_for_check(options, sources);
    let fine = !problems.iter().any(Diagnostic::is_error);
    (template.filter(|_| fine), problems)
}

/// As [`load`], but what could be read comes back with errors, too: there may be more to find.
pub(crate) fn load_for_check(
    options: &LoadOptions,
    sources: &mut SourceMap,
) -> (Option<HclTemplate>, Diagnostics) {
    load_called(options, None, &mut Chain::default(), sources)
}

/// Reads the files of a template, or of a module that `caller` calls, as far as they can be read.
pub(crate) fn load_called(
    options: &LoadOptions,
    caller: Option<Caller>,
    chain: &mut Chain,
    sources: &mut SourceMap,
) -> (Option<HclTemplate>, Diagnostics) {
    let mut problems = Diagnostics::new();
    let mut selection = select(options, &mut problems);
    if caller.is_some() {
        // A module's values come from its caller only.
        selection.values.clear();
    }
    let mut bodies = Vec::new();
    for (name, form) in &selection.configuration {
        bodies.extend(parse(options, name, *form, sources, &mut problems));
    }
    let damaged = problems.iter().any(Diagnostic::is_error);
    if bodies.is_empty() && damaged {
        return (None, problems);
    }
    let (mut declared, found) = declarations(&bodies, options);
    let version_problems = check_core_version(&declared.packer, &options.core_version);
    let unsupported = |problem: &Diagnostic| problem.summary == UNSUPPORTED_VERSION;
    if version_problems.iter().any(unsupported) {
        // A template for another version may well look wrong; that is not worth telling.
        problems.extend(version_problems);
        return (None, problems);
    }
    problems.extend(version_problems);
    problems.extend(found);
    let (mut plugins, found) = required_plugins(&declared.packer);
    problems.extend(found);
    problems.extend(assign_all(
        options,
        &selection.values,
        &mut declared.variables,
        sources,
    ));
    if caller.is_none() && !declared.modules.is_empty() {
        chain.start(&options.working_dir.join(&selection.base_dir));
    }
    let called = (declared.modules, &*selection.base_dir);
    let (modules, found) = load_modules(called, options, chain, sources);
    problems.extend(found);
    for module in &modules {
        plugins.extend(module.template.required_plugins.iter().cloned());
    }
    let template = HclTemplate {
        options: options.clone(),
        base_dir: selection.base_dir,
        variables: declared.variables,
        locals: declared.locals,
        data: declared.data,
        modules,
        outputs: declared.outputs,
        caller,
        required_plugins: plugins,
        damaged,
        pending: declared
            .pending
            .into_iter()
            .map(|block| BoundBlock::plain(block, None))
            .collect(),
        scope: None,
        local_values: IndexMap::new(),
        output_values: host_eval::Value::object(std::collections::BTreeMap::new()),
    };
    (Some(template), problems)
}

impl HclTemplate {
    /// What expressions outside of builds can see.
    pub(crate) fn scope(&self) -> Scope {
        match &self.scope {
            Some(scope) => scope.clone(),
            None => evaluation::variable_scope(self),
        }
    }

    /// Reads sources and builds.
    pub(crate) fn blocks(&self, components: Option<&dyn Components>) -> (Blocks, Diagnostics) {
        let (mut blocks, mut problems) = (Blocks::default(), Diagnostics::new());
        let scope = self.scope();
        let pending = self.pending.clone();
        let expanded = expand(pending, None, &pending_schema(), &scope, &mut problems);
        let mut reading = Reading::new(components);
        let mut registry = None;
        for block in expanded {
            match block.kind.name.as_str() {
                "source" => {
                    let sources = &mut blocks.sources;
                    declare(block, &scope, sources, &mut reading, &mut problems);
                }
                "build" => blocks.add_build(block, &scope, &mut reading, &mut problems),
                _ => {
                    if let Some(first) = registry {
                        problems.push(
                            Diagnostic::error("Only one hcp_packer_registry is allowed")
                                .at(block.header)
                                .related(first, "the first one is here"),
                        );
                    }
                    registry = registry.or(Some(block.header));
                    check_registry(&block, &scope, &mut problems);
                }
            }
        }
        if reading.exhausted() {
            // Nobody should wait for what could be made of the rest.
            blocks.builds.clear();
        }
        (blocks, problems)
    }

    /// Data sources as expressions name them; those of modules have the module's name before.
    pub(crate) fn data_sources(&self) -> Vec<String> {
        let own = self.data.iter();
        let own = own.map(|data| format!("data.{}.{}", data.type_name, data.name));
        let modules = self.modules.iter().flat_map(|module| {
            let names = module.template.data_sources().into_iter();
            names.map(|name| format!("module.{}.{name}", module.block.name))
        });
        own.chain(modules).collect()
    }

    /// Absolute folder of the template.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        let folder = self.options.working_dir.join(&self.base_dir);
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// What the console can see: everything but data.
    pub(crate) fn console_scope(&self) -> Scope {
        let mut scope = self.scope();
        Arc::make_mut(&mut scope.variables).remove("data");
        scope
    }

    /// Name and printed value of every variable and local, sorted within their kind.
    pub(crate) fn console_variables(&self) -> Vec<(String, String)> {
        let variables = self.variables.values();
        let mut inputs: Vec<(String, String)> = variables
            .map(|variable| (format!("var.{}", variable.name), printed(&variable.value())))
            .collect();
        inputs.sort();
        let locals = self.local_values.iter();
        let mut locals: Vec<(String, String)> = locals
            .map(|(name, value)| (format!("local.{name}"), printed(value)))
            .collect();
        locals.sort();
        inputs.extend(locals);
        inputs
    }

    /// Every variable that is not sensitive and has a value.
    pub(crate) fn public_variables(&self) -> BTreeMap<String, String> {
        let values = self.variables.values().map(|variable| {
            let value = variable.value();
            (variable.name.clone(), value)
        });
        values
            .filter(|(_, value)| {
                !value.contains_sensitive() && !value.contains_unknown() && !value.is_null()
            })
            .map(|(name, value)| match value.as_str() {
                Some(text) => (name, text.to_owned()),
                None => (name, printed(&value)),
            })
            .collect()
    }

    /// The plain text of everything marked sensitive.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        for variable in self.variables.values() {
            let value = variable.value();
            crate::values::collect_secrets(&value, value.sensitive, &mut found);
        }
        let scope = self.scope();
        for name in ["local", "data", "module"] {
            if let Some(value) = scope.variables.get(name) {
                crate::values::collect_secrets(value, value.sensitive, &mut found);
            }
        }
        let modules = self.modules.iter();
        found.extend(modules.flat_map(|module| module.template.secrets()));
        found
    }
}

/// A value as the console prints it.
pub(crate) fn printed(value: &host_eval::Value) -> String {
    if value.sensitive {
        "<sensitive>".to_owned()
    } else {
        host_eval::console_text(value)
    }
}
