//! The blocks of a template's files, sorted by what they declare.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_syntax::ast::{Block, Body, Expr};
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::hcl::bound::BoundBody;
use crate::hcl::dynamic::dynamic_rule;
use crate::hcl::literal;
use crate::hcl::module::{ModuleBlock, Output, read_module, read_output};
use crate::hcl::scope::{empty, in_block, of_defaults};
use crate::hcl::variables::{Variables, read_group, read_variable};
use crate::options::LoadOptions;

/// A local value that is not computed yet.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    pub(crate) sensitive: bool,
    pub(crate) span: Span,
    pub(crate) header: String,
}

/// A data source that is not read yet.
#[derive(Debug)]
pub(crate) struct DataBlock {
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) body: BoundBody,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
}

/// What the files declare.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) packer: Vec<Block>,
    pub(crate) variables: Variables,
    pub(crate) locals: Vec<Local>,
    pub(crate) data: Vec<DataBlock>,
    pub(crate) modules: Vec<ModuleBlock>,
    pub(crate) outputs: Vec<Output>,
    /// `source`, `build`, `hcp_packer_registry` and `dynamic` blocks in order: they are read when
    /// values are known.
    pub(crate) pending: Vec<Block>,
}

/// The blocks that can stand in a file, those that wait for values among them.
pub(crate) fn root_schema() -> ContentSchema {
    let mut blocks: Vec<BlockRule> = [
        ("packer", &[][..]),
        ("variable", &["name"]),
        ("variables", &[]),
        ("local", &["name"]),
        ("locals", &[]),
        ("data", &["type", "name"]),
        ("module", &["name"]),
        ("output", &["name"]),
        ("communicator", &["type", "name"]),
    ]
    .into_iter()
    .map(|(kind, labels)| rule(kind, labels))
    .collect();
    blocks.extend(pending_schema().blocks);
    blocks.push(dynamic_rule());
    ContentSchema {
        attributes: Vec::new(),
        blocks,
    }
}

/// The blocks that wait for values.
pub(crate) fn pending_schema() -> ContentSchema {
    let blocks = vec![
        rule("source", &["type", "name"]),
        rule("build", &[]),
        rule("hcp_packer_registry", &[]),
    ];
    ContentSchema {
        attributes: Vec::new(),
        blocks,
    }
}

fn rule(kind: &str, labels: &[&str]) -> BlockRule {
    BlockRule {
        kind: kind.into(),
        labels: labels.iter().map(|&label| label.into()).collect(),
    }
}

/// Sorts the blocks of `bodies`.
pub(crate) fn declarations(bodies: &[Body], options: &LoadOptions) -> (Declarations, Diagnostics) {
    let (mut declared, mut problems) = (Declarations::default(), Diagnostics::new());
    let schema = root_schema();
    let mut blocks = Vec::new();
    for body in bodies {
        let (content, found) = body.content(&schema);
        problems.extend(found);
        blocks.extend(content.blocks);
    }
    let scope = of_defaults(options);
    let mut local_spans = HashMap::new();
    let mut data_spans = HashMap::new();
    let (mut module_spans, mut output_spans) = (HashMap::new(), HashMap::new());
    for block in blocks {
        match block.kind.name.as_str() {
            "packer" => declared.packer.push(block),
            "variable" => read_variable(&block, &scope, &mut declared.variables, &mut problems),
            "variables" => read_group(&block, &scope, &mut declared.variables, &mut problems),
            "local" | "locals" => {
                for local in read_locals(&block, &mut problems) {
                    declare_local(local, &mut declared.locals, &mut local_spans, &mut problems);
                }
            }
            "data" => {
                let data = read_data(block, &mut data_spans, &mut problems);
                declared.data.extend(data);
            }
            "module" => {
                let module = read_module(&block, &mut module_spans, &mut problems);
                declared.modules.extend(module);
            }
            "output" => {
                let output = read_output(&block, &mut output_spans, &mut problems);
                declared.outputs.extend(output);
            }
            "communicator" => {}
            _ => declared.pending.push(block),
        }
    }
    (declared, problems)
}

fn read_locals(block: &Block, problems: &mut Diagnostics) -> Vec<Local> {
    let header = block.header_text();
    let mut found = Diagnostics::new();
    let mut locals = Vec::new();
    if let Some(label) = block.labels.first() {
        locals.extend(read_local(block, &label.name, &mut found));
    } else {
        let (attributes, more) = block.body.just_attributes();
        found.extend(more);
        locals.extend(attributes.into_iter().map(|attribute| Local {
            name: attribute.name.name,
            expr: attribute.expr,
            sensitive: false,
            span: attribute.name.span,
            header: header.clone(),
        }));
    }
    problems.extend(in_block(found, &header));
    locals
}

fn read_local(block: &Block, name: &str, problems: &mut Diagnostics) -> Option<Local> {
    let schema = ContentSchema {
        attributes: vec![
            AttributeRule {
                name: "expression".into(),
                required: true,
            },
            AttributeRule {
                name: "sensitive".into(),
                required: false,
            },
        ],
        blocks: Vec::new(),
    };
    let (content, found) = block.body.content(&schema);
    problems.extend(found);
    let attribute = |name: &str| content.attributes.iter().find(|a| a.name.name == name);
    let sensitive = attribute("sensitive")
        .and_then(|attribute| literal::boolean(attribute, &empty(), problems))
        .unwrap_or(false);
    let (name, expr) = (name.to_owned(), attribute("expression")?.expr.clone());
    Some(Local {
        name,
        expr,
        sensitive,
        span: block.header,
        header: block.header_text(),
    })
}

fn declare_local(
    local: Local,
    locals: &mut Vec<Local>,
    seen: &mut HashMap<String, Span>,
    problems: &mut Diagnostics,
) {
    if !literal::is_identifier(&local.name) {
        problems.push(invalid_name("Invalid local name", &local.name, local.span));
        return;
    }
    if let Some(first) = seen.get(&local.name) {
        problems.push(
            Diagnostic::error("Duplicate local definition")
                .detail(format!(
                    "A local named `{}` has already been defined.",
                    local.name
                ))
                .at(local.span)
                .related(*first, "the first definition is here"),
        );
        return;
    }
    seen.insert(local.name.clone(), local.span);
    locals.push(local);
}

fn read_data(
    block: Block,
    seen: &mut HashMap<(String, String), Span>,
    problems: &mut Diagnostics,
) -> Option<DataBlock> {
    let header = block.header_text();
    let [type_label, name_label] = block.labels.as_slice() else {
        return None;
    };
    for (label, summary) in [
        (type_label, "Invalid data source name"),
        (name_label, "Invalid data resource name"),
    ] {
        if !literal::is_identifier(&label.name) {
            problems.push(invalid_name(summary, &label.name, label.span).context(header));
            return None;
        }
    }
    let key = (type_label.name.clone(), name_label.name.clone());
    if let Some(first) = seen.get(&key) {
        problems.push(
            Diagnostic::error("Duplicate data block")
                .detail(format!("There is already a {header} block."))
                .at(block.header)
                .related(*first, "the first one is here"),
        );
        return None;
    }
    let (type_name, name) = key.clone();
    seen.insert(key, block.header);
    let (span, type_span) = (block.header, type_label.span);
    let body = BoundBody {
        body: Arc::new(block.body),
        bindings: None,
    };
    Some(DataBlock {
        type_name,
        name,
        body,
        header,
        span,
        type_span,
    })
}

fn invalid_name(summary: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(summary)
        .detail(format!(
            "`{name}` is no name: it has to start with a letter or `_` and go on with letters, \
             digits, `_` and `-`."
        ))
        .at(span)
}
