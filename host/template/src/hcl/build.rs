//! `build` blocks.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, Value, evaluate, references};
use host_syntax::ast::{Attribute, Body, Expr, ExprKind};
use host_syntax::json;
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::hcl::bound::{BoundBlock, BoundBody, Contents};
use crate::hcl::dynamic::expand;
use crate::hcl::instances::{ARGUMENTS, Reading};
use crate::hcl::literal;
use crate::hcl::members::{Member, Step, members};
use crate::hcl::post_processor::{PostProcessorBlock, read_chain};
use crate::hcl::provisioner::{ProvisionerBlock, meta_schema};
use crate::hcl::registry::check_registry;
use crate::hcl::scope::{self, add_new, extended, in_block};
use crate::hcl::source::{SourceKey, read_reference};
use crate::model::ComponentKind;
use crate::values::UNKNOWN_TEXT;

/// A `build` block.
#[derive(Debug)]
pub(crate) struct BuildBlock {
    /// Empty when it has none.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) uses: Vec<SourceUse>,
    /// Whether a source block in it stands for no source at all.
    pub(crate) has_empty_use: bool,
    pub(crate) provisioners: Vec<Member<ProvisionerBlock>>,
    pub(crate) error_cleanup: Option<ProvisionerBlock>,
    pub(crate) post_processors: Vec<Vec<Member<PostProcessorBlock>>>,
    pub(crate) header: String,
    pub(crate) span: Span,
}

/// A source that a build uses, with what it adds to it.
#[derive(Debug)]
pub(crate) struct SourceUse {
    /// The reference as it reads.
    pub(crate) text: String,
    pub(crate) key: SourceKey,
    /// The name in the build, when the build gives one.
    pub(crate) name: Option<String>,
    pub(crate) addition: Option<Arc<BoundBody>>,
    pub(crate) span: Span,
    /// Which of several it is, when the build uses the source more than once.
    pub(crate) instance: Option<UseInstance>,
}

/// One of the uses that a nested source block with `for_each` or `count` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UseInstance {
    pub(crate) key: String,
    /// Whether the block's `name` is made of the key, so that it is the whole name.
    pub(crate) is_named: bool,
}

impl SourceUse {
    /// Whether it says more than the name in the build.
    pub(crate) fn adds_options(&self) -> bool {
        let body = self.addition.as_ref().map(|addition| &*addition.body);
        let own = self.ignored();
        match body {
            None => false,
            Some(Body::Native(body)) => {
                let named = |attribute: &Attribute| own.contains(&&*attribute.name.name);
                !body.blocks.is_empty() || !body.attributes.iter().all(named)
            }
            Some(Body::Json(value)) => match &value.kind {
                json::Kind::Object(members) => members
                    .iter()
                    .any(|member| member.key != "//" && !own.contains(&&*member.key)),
                _ => true,
            },
        }
    }

    /// What of its addition is no option.
    pub(crate) fn ignored(&self) -> &'static [&'static str] {
        match self.instance {
            Some(_) => &["name", "for_each", "count"],
            None => &["name"],
        }
    }

    /// The same use of the source called `text` in a module.
    pub(crate) fn within(&self, text: &str) -> Self {
        let bare = text.strip_prefix("source.").unwrap_or(text);
        let (type_name, name) = bare.split_once('.').unwrap_or((bare, ""));
        Self {
            text: text.to_owned(),
            key: SourceKey {
                type_name: type_name.to_owned(),
                name: name.to_owned(),
            },
            name: self.name.clone(),
            addition: self.addition.clone(),
            span: self.span,
            instance: self.instance.clone(),
        }
    }
}

fn schema() -> ContentSchema {
    let attribute = |name: &str| AttributeRule {
        name: name.into(),
        required: false,
    };
    let block = |kind: &str, labels: &[&str]| BlockRule {
        kind: kind.into(),
        labels: labels.iter().map(|&label| label.into()).collect(),
    };
    ContentSchema {
        attributes: ["name", "description", "sources"]
            .into_iter()
            .chain(ARGUMENTS)
            .map(attribute)
            .collect(),
        blocks: vec![
            block("source", &["reference"]),
            block("provisioner", &["type"]),
            block("error-cleanup-provisioner", &["type"]),
            block("post-processor", &["type"]),
            block("post-processors", &[]),
            block("hcp_packer_registry", &[]),
        ],
    }
}

/// What a `build` block holds, the same for all of its instances.
pub(crate) struct BuildContents {
    /// Dynamic blocks are still there.
    contents: Contents,
    /// Whether something of it could not be read.
    failed: bool,
}

impl BuildContents {
    pub(crate) fn of(block: &BoundBlock, problems: &mut Diagnostics) -> Self {
        let mut found = Diagnostics::new();
        let contents = block.body.collapsed_content(&schema(), &mut found);
        let failed = found.iter().any(Diagnostic::is_error);
        problems.extend(in_block(found, &block.header_text()));
        Self { contents, failed }
    }
}

/// Reads a `build` block, or an instance of it, that holds `content`. Blocks in it keep their
/// bodies; nothing of them is evaluated but meta-arguments.
pub(crate) fn read_build(
    block: &BoundBlock,
    BuildContents { contents, failed }: &BuildContents,
    base: &Scope,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) -> BuildBlock {
    let mut found = Diagnostics::new();
    let outer = block.body.scope(base);
    let name = contents
        .attribute("name")
        .map(|a| known_text(a, &outer, &mut found));
    let name = match (name.unwrap_or_default(), &block.instance) {
        (name, None) => name,
        (name, Some(key)) if name.is_empty() => key.clone(),
        (name, Some(key)) => format!("{name}.{key}"),
    };
    let description = contents.attribute("description");
    let description = description
        .map(|a| known_text(a, &outer, &mut found))
        .unwrap_or_default();
    let mut build = BuildBlock {
        description,
        uses: Vec::new(),
        has_empty_use: false,
        provisioners: Vec::new(),
        error_cleanup: None,
        post_processors: Vec::new(),
        header: block.header_text(),
        span: block.header,
        name,
    };
    if let Some(attribute) = contents.attribute("sources") {
        build.uses = read_sources(attribute, &outer, &mut found);
    }
    let scope = extended(base, [("build", build_name(&build.name))]);
    let bindings = block.body.bindings.as_ref();
    let blocks = contents.blocks.clone();
    for inner in expand(blocks, bindings, &schema(), base, &mut found) {
        read_inner(inner, (base, &scope), &mut build, reading, &mut found);
    }
    let sources_follow = contents.attributes.iter().any(|attribute| {
        attribute.name.name == "sources" && evaluate(&attribute.expr, &outer).0.contains_unknown()
    });
    let explained =
        sources_follow || build.has_empty_use || *failed || found.iter().any(Diagnostic::is_error);
    if build.uses.is_empty() && !explained {
        found.push(
            Diagnostic::error("missing source reference")
                .detail("A build block has to use at least one source.")
                .at(block.header)
                .hint("Add `sources = [\"source.TYPE.NAME\"]` to it.".to_owned()),
        );
    }
    add_new(in_block(found, &build.header), problems);
    build
}

/// `build` in expressions, before there is a machine.
pub(crate) fn build_name(name: &str) -> Value {
    Value::object_of([("name", Value::string(name))])
}

/// Reads a block in a build block. `base` is what dynamic blocks can see, `scope` what the others
/// can.
fn read_inner(
    inner: BoundBlock,
    (base, scope): (&Scope, &Scope),
    build: &mut BuildBlock,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) {
    match inner.kind.name.as_str() {
        "source" => read_uses(inner, scope, build, reading, problems),
        "provisioner" => {
            let made = members(inner, scope, reading, problems);
            build.provisioners.extend(made);
        }
        "error-cleanup-provisioner" => {
            if !refuse_instances(&inner, reading, problems) {
                read_cleanup(inner, scope, build, problems);
            }
        }
        "post-processor" => {
            let made = members(inner, scope, reading, problems);
            build
                .post_processors
                .extend(made.into_iter().map(|member| vec![member]));
        }
        "post-processors" => {
            let chain = read_chain(&inner, (base, scope), reading, problems);
            if !chain.is_empty() {
                build.post_processors.push(chain);
            }
        }
        _ => {
            problems.push(
                Diagnostic::warning("Build block level hcp_packer_registry are deprecated")
                    .detail("The block belongs at the top level of the template.")
                    .at(inner.header),
            );
            check_registry(&inner, base, problems);
        }
    }
}

/// There is only one error-cleanup-provisioner, and so no instances of it. Whether it asks for some.
fn refuse_instances(block: &BoundBlock, reading: &Reading<'_>, problems: &mut Diagnostics) -> bool {
    let asked = reading.arguments(block, Some(ComponentKind::Provisioner));
    for argument in &asked {
        problems.push(
            Diagnostic::error("Unsupported argument")
                .detail(format!(
                    "A build runs at most one error-cleanup-provisioner, so it takes no `{}`.",
                    argument.name.name
                ))
                .at(argument.name.span)
                .context(block.header_text()),
        );
    }
    !asked.is_empty()
}

fn read_cleanup(
    block: BoundBlock,
    scope: &Scope,
    build: &mut BuildBlock,
    problems: &mut Diagnostics,
) {
    if let Some(first) = &build.error_cleanup {
        problems.push(
            Diagnostic::error("Only one error-cleanup-provisioner is allowed")
                .detail("A build runs at most one of them.")
                .at(block.header)
                .related(first.span, "the first one is here"),
        );
        return;
    }
    build.error_cleanup = Some(ProvisionerBlock::read(block, scope, problems));
}

/// The text of an attribute; what is not known yet reads `<unknown>`.
fn known_text(attribute: &Attribute, scope: &Scope, problems: &mut Diagnostics) -> String {
    let value = literal::converted(attribute, &host_eval::Type::String, scope, problems);
    match value {
        Some(value) if value.is_unknown() => UNKNOWN_TEXT.to_owned(),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    }
}

fn read_sources(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Vec<SourceUse> {
    let mut uses = Vec::new();
    for (text, span) in source_texts(&attribute.expr, scope, problems) {
        if let Some(key) = read_reference(&text, span, problems) {
            uses.push(SourceUse {
                text,
                key,
                name: None,
                addition: None,
                span,
                instance: None,
            });
        }
    }
    uses
}

/// The texts of a `sources` list, each with the closest place there is.
fn source_texts(expr: &Expr, scope: &Scope, problems: &mut Diagnostics) -> Vec<(String, Span)> {
    let parts: Vec<&Expr> = match &expr.kind {
        ExprKind::Tuple(parts) => parts.iter().collect(),
        _ => vec![expr],
    };
    let whole = !matches!(expr.kind, ExprKind::Tuple(_));
    let mut texts = Vec::new();
    for part in parts {
        let (value, found) = evaluate(part, scope);
        let failed = found.iter().any(Diagnostic::is_error);
        problems.extend(found);
        if failed {
            continue;
        }
        let items = match value.as_sequence() {
            None if whole && !value.is_unknown() => {
                problems.push(
                    Diagnostic::error("Unsuitable value type")
                        .detail(format!(
                            "Unsuitable value for \"sources\": list of string required, but have {}.",
                            value.ty.friendly_name()
                        ))
                        .at(part.span)
                        .hint("Write brackets around it: `sources = [\"source.TYPE.NAME\"]`.".to_owned()),
                );
                continue;
            }
            Some(items) if whole => items.to_vec(),
            _ => vec![value],
        };
        for item in items.iter().filter(|item| !item.is_unknown()) {
            match item.as_str() {
                Some(text) => texts.push((text.to_owned(), part.span)),
                None => problems.push(
                    Diagnostic::error("Invalid source reference")
                        .detail("`sources` is a list of texts such as `\"source.null.example\"`.")
                        .at(part.span),
                ),
            }
        }
    }
    texts
}

/// A nested `source` block: a use with additions, or one for each of its instances.
fn read_uses(
    block: BoundBlock,
    scope: &Scope,
    build: &mut BuildBlock,
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) {
    let before = problems.len();
    let header = block.header_text();
    let instances = reading.instances(block, Some(ComponentKind::Builder), scope, problems);
    build.has_empty_use |= instances.is_empty() && problems.len() == before;
    // What is wrong with the block itself is wrong in each of its instances.
    let mut found = Diagnostics::new();
    let uses: Vec<(SourceUse, Option<Span>)> = instances
        .into_iter()
        .filter_map(|one| read_use(one, &mut found))
        .collect();
    found.extend(same_name(&uses).map(|problem| problem.context(header)));
    build.uses.extend(uses.into_iter().map(|(used, _)| used));
    add_new(found, problems);
}

/// What is wrong when two instances of a block are called the same, by names of their own: what one
/// of them makes would replace what the other one made.
fn same_name(uses: &[(SourceUse, Option<Span>)]) -> Option<Diagnostic> {
    let mut seen = HashMap::new();
    for (used, place) in uses {
        let named = used.instance.as_ref().filter(|instance| instance.is_named);
        let (Some(UseInstance { key, .. }), Some(name), Some(place)) = (named, &used.name, place)
        else {
            continue;
        };
        if let Some(first) = seen.insert(name.as_str(), key.as_str()) {
            let problem = Diagnostic::error("Duplicate instance name")
                .detail(format!(
                    "The instances {first:?} and {key:?} are both called {name:?}."
                ))
                .at(*place)
                .hint(
                    "Use `each.key` or `count.index` in it: no two instances share them."
                        .to_owned(),
                );
            return Some(problem);
        }
    }
    None
}

/// A nested `source` block, or an instance of it, and where its name stands.
fn read_use(block: BoundBlock, problems: &mut Diagnostics) -> Option<(SourceUse, Option<Span>)> {
    let header = block.header_text();
    let mut found = Diagnostics::new();
    let key = read_reference(block.label(0), block.header, &mut found);
    let content = block
        .body
        .partial_content(&meta_schema(&["name"]), &mut found);
    let attribute = content.attribute("name");
    let name = attribute.and_then(|a| {
        // Nothing but what is bound around it.
        let bound = block.body.scope(&scope::empty());
        literal::text(a, &bound, &mut found)
    });
    let is_named = attribute.is_some_and(|a| {
        let used = references(&a.expr);
        used.iter()
            .any(|one| matches!(&*one.root, "each" | "count"))
    });
    problems.extend(in_block(found, &header));
    let key = key?;
    let instance = block.instance.clone();
    let place = attribute.map(|a| a.expr.span);
    let used = SourceUse {
        text: block.label(0).to_owned(),
        key,
        name,
        span: block.header,
        addition: Some(Arc::new(block.body)),
        instance: instance.map(|key| UseInstance { key, is_named }),
    };
    Some((used, place))
}

/// None of the sources of `block` has an instance.
pub(crate) fn nothing_to_build(block: &BuildBlock) -> Diagnostic {
    Diagnostic::warning("Build block without sources")
        .detail("None of the sources it names has an instance: their for_each or count is empty.")
        .at(block.span)
        .context(block.header.clone())
}

/// A build sets options of a source that is a module's.
pub(crate) fn module_source_changed(used: &SourceUse, block: &BuildBlock) -> Diagnostic {
    Diagnostic::error("Unsupported argument")
        .detail("A build can give a module's source another name, but no options.")
        .at(used.span)
        .context(block.header.clone())
        .hint(
            "Make the option a variable of the module, and set it in the module block.".to_owned(),
        )
}
