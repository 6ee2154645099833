//! `module` and `output` blocks: a folder of templates as a part of another.
//!
//! A module block names a folder and gives values to the variables of the template in it:
//!
//! ```hcl
//! module "base" {
//!   source = "./base"
//!   size   = 20
//! }
//! ```
//!
//! The folder is a template of its own: it has variables, locals, data sources, sources and builds,
//! and `path.root` is the folder, so that one which is built by itself works unchanged. It sees
//! nothing of its caller, no `PKR_VAR_` variables and no files of values. Its `output` blocks are
//! `module.base.NAME` for the caller; its builds run with `base.` before their names; its sources
//! can be used in builds as `module.base.TYPE.NAME`. Here are reading and loading of these blocks;
//! `graph` and `evaluation` order and compute them, `plan` makes builds of them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span, nearest};
use host_eval::{Scope, Value, evaluate};
use host_syntax::ast::{Attribute, Block, Expr};
use host_syntax::{AttributeRule, ContentSchema};

use crate::hcl::assignments::ENVIRONMENT_PREFIX;
use crate::hcl::literal;
use crate::hcl::scope::{empty, in_block};
use crate::hcl::template::{Caller, HclTemplate, load_called};
use crate::hcl::variables::Origin;
use crate::options::LoadOptions;

/// How deep modules may call each other.
const DEPTH_LIMIT: usize = 16;
/// Most modules of a template: when each calls two, there are soon more than any machine can hold.
const LIMIT: usize = 1_000;

/// A module block that was read, but whose folder was not.
#[derive(Debug)]
pub(crate) struct ModuleBlock {
    pub(crate) name: String,
    pub(crate) source: String,
    source_span: Span,
    pub(crate) inputs: Vec<Attribute>,
    pub(crate) header: String,
    pub(crate) span: Span,
}

/// Where loading is.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The folders from the first template to the one that is loaded.
    folders: Vec<PathBuf>,
    /// Modules loaded so far.
    loaded: usize,
    /// Whether modules call each other without end, or nearly so; that was said.
    endless: bool,
}

impl Chain {
    /// Notes the folder of the first template.
    pub(crate) fn start(&mut self, folder: &Path) {
        // A folder that cannot be found has been reported, or has nothing to call.
        self.folders.extend(folder.canonicalize());
    }

    /// Why no module may be loaded from `folder`, if that is so.
    fn refuses(&self, block: &ModuleBlock, folder: &PathBuf) -> Option<Diagnostic> {
        // The first folder is that of the template itself.
        if self.folders.contains(folder) || self.folders.len() > DEPTH_LIMIT {
            return Some(endless(block, &self.folders, folder));
        }
        (self.loaded == LIMIT).then(|| too_many(block))
    }
}

/// A module with the template in its folder.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) block: ModuleBlock,
    pub(crate) template: HclTemplate,
}

/// An `output` block.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    expr: Expr,
    sensitive: bool,
    span: Span,
    header: String,
}

/// Reads a `module` block.
pub(crate) fn read_module(
    block: &Block,
    seen: &mut HashMap<String, Span>,
    problems: &mut Diagnostics,
) -> Option<ModuleBlock> {
    let label = block.labels.first()?;
    let header = block.header_text();
    let mut found = Diagnostics::new();
    check_name(("Invalid module name", &label.name, label.span), &mut found);
    check_twice(("module", &label.name, block.header), seen, &mut found);
    let (attributes, more) = block.body.just_attributes();
    found.extend(more);
    let (own, inputs): (Vec<Attribute>, Vec<Attribute>) = attributes
        .into_iter()
        .partition(|attribute| matches!(&*attribute.name.name, "source" | "for_each" | "count"));
    let mut source = None;
    for attribute in &own {
        if attribute.name.name == "source" {
            let text = literal::text(attribute, &empty(), &mut found);
            source = text.map(|text| (text, attribute.expr.span));
        } else {
            found.push(
                Diagnostic::error("Unsupported argument")
                    .detail(format!(
                        "A module block takes no `{}`.",
                        attribute.name.name
                    ))
                    .at(attribute.name.span)
                    .hint(
                        "Write one module block for each, or repeat sources in the module."
                            .to_owned(),
                    ),
            );
        }
    }
    if source.is_none() && !found.iter().any(Diagnostic::is_error) {
        found.push(
            Diagnostic::error("Missing required argument")
                .detail("A module block has to say which folder it stands for.")
                .at(block.header)
                .hint("Add `source = \"./folder\"`.".to_owned()),
        );
    }
    problems.extend(in_block(found, &header));
    let (source, source_span) = source?;
    Some(ModuleBlock {
        name: label.name.clone(),
        source,
        source_span,
        inputs,
        header,
        span: block.header,
    })
}

/// Reads an `output` block.
pub(crate) fn read_output(
    block: &Block,
    seen: &mut HashMap<String, Span>,
    problems: &mut Diagnostics,
) -> Option<Output> {
    let label = block.labels.first()?;
    let header = block.header_text();
    let rule = |name: &str| AttributeRule {
        name: name.to_owned(),
        required: name == "value",
    };
    let schema = ContentSchema {
        attributes: ["value", "description", "sensitive"].map(rule).into(),
        blocks: Vec::new(),
    };
    let (content, mut found) = block.body.content(&schema);
    check_name(("Invalid output name", &label.name, label.span), &mut found);
    check_twice(("output", &label.name, block.header), seen, &mut found);
    let attribute = |name: &str| content.attributes.iter().find(|a| a.name.name == name);
    if let Some(attribute) = attribute("description") {
        literal::literal_text(attribute, &mut found);
    }
    let sensitive = attribute("sensitive")
        .and_then(|attribute| literal::boolean(attribute, &empty(), &mut found));
    problems.extend(in_block(found, &header));
    Some(Output {
        name: label.name.clone(),
        expr: attribute("value")?.expr.clone(),
        sensitive: sensitive.unwrap_or(false),
        span: block.header,
        header,
    })
}

fn check_name((summary, name, span): (&str, &str, Span), problems: &mut Diagnostics) {
    if !literal::is_identifier(name) {
        let detail = format!(
            "`{name}` is no name: it has to start with a letter or `_` and go on with letters, \
             digits, `_` and `-`."
        );
        problems.push(Diagnostic::error(summary).detail(detail).at(span));
    }
}

fn check_twice(
    (kind, name, span): (&str, &str, Span),
    seen: &mut HashMap<String, Span>,
    problems: &mut Diagnostics,
) {
    match seen.get(name) {
        Some(first) => problems.push(
            Diagnostic::error(format!("Duplicate {kind} block"))
                .detail(format!("There is already a {kind} called `{name}`."))
                .at(span)
                .related(*first, "the first one is here"),
        ),
        None => {
            seen.insert(name.to_owned(), span);
        }
    }
}

/// Loads the templates that `blocks` name; `base_dir` is the folder of the template they are in.
pub(crate) fn load_modules(
    (blocks, base_dir): (Vec<ModuleBlock>, &str),
    options: &LoadOptions,
    chain: &mut Chain,
    sources: &mut SourceMap,
) -> (Vec<Module>, Diagnostics) {
    let (mut modules, mut problems) = (Vec::new(), Diagnostics::new());
    for block in blocks {
        if chain.endless {
            break;
        }
        let path = Path::new(base_dir).join(&block.source);
        let folder = options.working_dir.join(&path);
        let folder = match folder.canonicalize() {
            Ok(folder) if folder.is_dir() && is_path(&block.source) => folder,
            found => {
                problems.push(not_a_folder(&block, &path, found.err()));
                continue;
            }
        };
        let problem = chain.refuses(&block, &folder);
        if let Some(problem) = problem {
            chain.endless = true;
            problems.push(problem);
            break;
        }
        chain.loaded += 1;
        let called = LoadOptions {
            path: short(&path, &options.working_dir, &folder),
            variables: Vec::new(),
            variable_files: Vec::new(),
            environment: options
                .environment
                .iter()
                .filter(|(name, _)| !name.starts_with(ENVIRONMENT_PREFIX))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            only: Vec::new(),
            except: Vec::new(),
            ..options.clone()
        };
        let caller = Caller {
            span: block.span,
            name: block.name.clone(),
        };
        chain.folders.push(folder);
        let (template, found) = load_called(&called, Some(caller), chain, sources);
        chain.folders.pop();
        problems.extend(found.into_iter().map(|problem| match problem.subject {
            Some(_) => problem,
            None => problem.at(block.source_span).context(block.header.clone()),
        }));
        if let Some(template) = template {
            check_inputs(&block, &template, &mut problems);
            modules.push(Module { block, template });
        }
    }
    (modules, problems)
}

/// Whether a source is a path and not an address of something to download.
fn is_path(source: &str) -> bool {
    source.starts_with("./")
        || source.starts_with("../")
        || matches!(source, "." | "..")
        || Path::new(source).is_absolute()
}

fn not_a_folder(block: &ModuleBlock, path: &Path, error: Option<std::io::Error>) -> Diagnostic {
    let detail = match error {
        _ if !is_path(&block.source) => format!(
            "`{}` is no path: the folder of a module is named as `./folder`, `../folder` or with \
             its absolute path.",
            block.source
        ),
        Some(error) => format!("The folder `{}` cannot be read: {error}.", clean(path)),
        None => format!("`{}` is not a folder.", clean(path)),
    };
    Diagnostic::error("Invalid module source")
        .detail(detail)
        .at(block.source_span)
        .context(block.header.clone())
}

fn endless(block: &ModuleBlock, chain: &[PathBuf], folder: &Path) -> Diagnostic {
    let folders = chain.iter().map(PathBuf::as_path).chain([folder]);
    let names: Vec<String> = folders.map(|folder| folder.display().to_string()).collect();
    let what = if chain.iter().any(|known| known == folder) {
        "A module cannot contain itself"
    } else {
        "Modules are nested too deeply"
    };
    Diagnostic::error("Invalid module source")
        .detail(format!("{what}: {}.", names.join(" -> ")))
        .at(block.source_span)
        .context(block.header.clone())
}

fn too_many(block: &ModuleBlock) -> Diagnostic {
    Diagnostic::error("Too many modules")
        .detail(format!(
            "A template with everything it calls has at most {LIMIT} modules."
        ))
        .at(block.span)
        .context(block.header.clone())
}

/// The path without its `folder/..`, when that leads to the same folder.
fn short(path: &Path, working_dir: &Path, folder: &Path) -> String {
    let mut parts = PathBuf::new();
    for part in path.components() {
        let back = matches!(part, Component::ParentDir)
            && matches!(parts.components().next_back(), Some(Component::Normal(_)));
        if back {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    // A link on the way leads elsewhere.
    let found = working_dir.join(&parts).canonicalize();
    let same = found.is_ok_and(|found| found == folder);
    clean(if same { &parts } else { path })
}

/// The path without `./` at its start and in it.
fn clean(path: &Path) -> String {
    let parts: PathBuf = path.components().collect();
    let parts = parts.strip_prefix(".").unwrap_or(&parts);
    match parts.to_string_lossy() {
        empty if empty.is_empty() => ".".to_owned(),
        text => text.into_owned(),
    }
}

fn check_inputs(block: &ModuleBlock, template: &HclTemplate, problems: &mut Diagnostics) {
    for input in &block.inputs {
        let name = &input.name.name;
        if template.variables.contains_key(name) {
            continue;
        }
        let near = nearest(name, template.variables.keys().map(String::as_str));
        problems.push(
            Diagnostic::error("Unsupported argument")
                .detail(format!(
                    "The template in `{}` declares no variable `{name}`.",
                    template.options.path
                ))
                .at(input.name.span)
                .context(block.header.clone())
                .hint(near.map(|near| format!("Did you mean `{near}`?"))),
        );
    }
}

/// Gives the variables of a module the values its caller has for them.
pub(crate) fn assign_inputs(module: &mut Module, scope: &Scope) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for input in &module.block.inputs {
        let Some(variable) = module.template.variables.get_mut(&input.name.name) else {
            continue;
        };
        let (value, found) = evaluate(&input.expr, scope);
        let failed = found.iter().any(Diagnostic::is_error);
        problems.extend(found);
        if failed {
            variable.broken = true;
            continue;
        }
        variable.sensitive |= value.sensitive;
        let (span, summary) = (input.expr.span, "Invalid value for variable");
        variable.assign(value, Origin::Module, span, summary, &mut problems);
    }
    in_block(problems, &module.block.header)
}

/// The values of a template's outputs.
pub(crate) fn compute_outputs(outputs: &[Output], scope: &Scope) -> (Value, Diagnostics) {
    let (mut values, mut problems) = (BTreeMap::new(), Diagnostics::new());
    for output in outputs {
        let (value, found) = evaluate(&output.expr, scope);
        problems.extend(in_block(found, &output.header));
        if value.contains_sensitive() && !output.sensitive {
            problems.push(
                Diagnostic::warning("Sensitive output")
                    .detail(format!(
                        "The value of `{}` comes from something sensitive and stays so.",
                        output.name
                    ))
                    .at(output.span)
                    .context(output.header.clone())
                    .hint("Say so with `sensitive = true`.".to_owned()),
            );
        }
        values.insert(output.name.clone(), value.marked_like(output.sensitive));
    }
    (Value::object(values), problems)
}
