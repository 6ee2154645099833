//! Declarations of input variables.

use host_diag::{Diagnostic, Diagnostics, Shown, Span};
use host_eval::{Scope, Type, Value, convert, describe, evaluate};
use host_syntax::ast::{Attribute, Block, Body, Expr, ExprKind};
use host_syntax::{AttributeRule, BlockRule, ContentSchema, parse_expression};
use indexmap::IndexMap;

use crate::hcl::validation::{Validation, read_validation};
use crate::hcl::{literal, scope};

/// An input variable with every value it was given.
#[derive(Debug)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Where it is declared: the block's header, or the attribute in `variables`.
    pub(crate) span: Span,
    /// How the declaration reads: `variable "x"`.
    pub(crate) header: String,
    /// What values are converted to; `Dynamic` when anything goes.
    pub(crate) ty: Type,
    pub(crate) sensitive: bool,
    /// Every value, the one that counts last.
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) validations: Vec<Validation>,
    /// Whether a value was given that cannot be used; it has been reported.
    pub(crate) broken: bool,
}

/// A value a variable was given.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
    pub(crate) span: Span,
}

/// Where a value comes from, in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Default,
    Environment,
    ValueFile,
    CommandLine,
    /// The block that calls the module.
    Module,
}

impl Origin {
    /// The word Packer has for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "env",
            Self::ValueFile => "varfile",
            Self::CommandLine => "cmd",
            Self::Module => "module",
        }
    }
}

impl Variable {
    /// The value that counts, marked when the variable is sensitive; unknown when there is none.
    pub(crate) fn value(&self) -> Value {
        let value = match self.assignments.last() {
            Some(assignment) if !self.broken => assignment.value.clone(),
            _ => Value::unknown(self.ty.without_optional()),
        };
        value.marked_like(self.sensitive)
    }

    /// `value`, which it was given, as messages show it.
    pub(crate) fn shown(&self, value: &Value) -> Shown {
        Shown {
            expression: format!("var.{}", self.name),
            value: describe(&value.clone().marked_like(self.sensitive)),
        }
    }

    /// The place to mark for a value that stands at `span`: a secret would be shown with its place.
    pub(crate) fn place_of(&self, span: Span) -> Span {
        match self.sensitive {
            true => self.span,
            false => span,
        }
    }

    /// Whether text from outside is taken as it is, rather than read as an expression.
    pub(crate) fn takes_text(&self) -> bool {
        matches!(self.ty, Type::String | Type::Number | Type::Dynamic)
    }

    /// Adds a value; one that does not fit is reported with `summary`.
    pub(crate) fn assign(
        &mut self,
        value: Value,
        origin: Origin,
        span: Span,
        summary: &str,
        problems: &mut Diagnostics,
    ) {
        let shown = self.shown(&value);
        match convert(value, &self.ty) {
            Ok(value) => self.assignments.push(Assignment {
                value,
                origin,
                span,
            }),
            Err(error) => {
                self.broken = true;
                problems.push(
                    Diagnostic::error(summary)
                        .detail(format!(
                            "The value for `{}` does not fit its type `{}`: {error}.",
                            self.name, self.ty
                        ))
                        .values(&[shown])
                        .at(self.place_of(span))
                        .related(self.span, "the variable is declared here"),
                );
            }
        }
    }
}

/// All input variables in the order of their declarations.
pub(crate) type Variables = IndexMap<String, Variable>;

/// Adds a variable; a second one of its name is an error.
pub(crate) fn declare(variable: Variable, variables: &mut Variables, problems: &mut Diagnostics) {
    if let Some(first) = variables.get(&variable.name) {
        problems.push(
            Diagnostic::error("Duplicate variable")
                .detail(format!(
                    "A variable named `{}` has already been declared.",
                    variable.name
                ))
                .at(variable.span)
                .related(first.span, "the first declaration is here"),
        );
        return;
    }
    variables.insert(variable.name.clone(), variable);
}

/// Reads a `variables` block, where each attribute declares a variable.
pub(crate) fn read_group(
    block: &Block,
    scope: &Scope,
    variables: &mut Variables,
    problems: &mut Diagnostics,
) {
    let (attributes, found) = block.body.just_attributes();
    problems.extend(scope::in_block(found, &block.header_text()));
    for attribute in &attributes {
        let mut variable = blank(
            &attribute.name.name,
            attribute.name.span,
            block.header_text(),
        );
        read_default(&mut variable, attribute, false, scope, problems);
        declare(variable, variables, problems);
    }
}

/// Reads a `variable` block.
pub(crate) fn read_variable(
    block: &Block,
    scope: &Scope,
    variables: &mut Variables,
    problems: &mut Diagnostics,
) {
    let header = block.header_text();
    let Some(label) = block.labels.first() else {
        return;
    };
    if !literal::is_identifier(&label.name) {
        problems.push(
            Diagnostic::error("Invalid variable name")
                .detail(format!(
                    "`{}` is no name: it has to start with a letter or `_` and go on with letters, \
                     digits, `_` and `-`.",
                    label.name
                ))
                .at(label.span)
                .context(header),
        );
        return;
    }
    let (content, found) = block.body.content(&schema());
    let mut found = found;
    let mut variable = blank(&label.name, block.header, header.clone());
    let attribute = |name: &str| content.attributes.iter().find(|a| a.name.name == name);
    let mut typed = false;
    if let Some(attribute) = attribute("type") {
        match declared_type(&attribute.expr, &block.body) {
            Ok(ty) => (variable.ty, typed) = (ty, true),
            Err(problems) => {
                found.extend(problems);
                variable.broken = true;
            }
        }
    }
    if let Some(attribute) = attribute("description") {
        literal::literal_text(attribute, &mut found);
    }
    if let Some(attribute) = attribute("sensitive") {
        let sensitive = literal::boolean(attribute, &scope::empty(), &mut found);
        variable.sensitive = sensitive.unwrap_or(false);
    }
    if let Some(attribute) = attribute("default") {
        read_default(&mut variable, attribute, typed, scope, &mut found);
    }
    for block in &content.blocks {
        variable
            .validations
            .extend(read_validation(block, &label.name, &mut found));
    }
    problems.extend(scope::in_block(found, &header));
    declare(variable, variables, problems);
}

fn schema() -> ContentSchema {
    let optional = |name: &str| AttributeRule {
        name: name.into(),
        required: false,
    };
    ContentSchema {
        attributes: ["type", "default", "description", "sensitive"]
            .map(optional)
            .into(),
        blocks: vec![BlockRule {
            kind: "validation".into(),
            labels: Vec::new(),
        }],
    }
}

fn blank(name: &str, span: Span, header: String) -> Variable {
    Variable {
        name: name.to_owned(),
        span,
        header,
        ty: Type::Dynamic,
        sensitive: false,
        assignments: Vec::new(),
        validations: Vec::new(),
        broken: false,
    }
}

/// Evaluates the default. Without a stated type it also decides what later values have to be.
fn read_default(
    variable: &mut Variable,
    attribute: &Attribute,
    typed: bool,
    scope: &Scope,
    problems: &mut Diagnostics,
) {
    let (value, found) = evaluate(&attribute.expr, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed {
        variable.broken = true;
        return;
    }
    if !typed && !is_empty_collection(&value) {
        variable.ty = value.ty.clone();
    }
    let summary = "Invalid default value for variable";
    variable.assign(
        value,
        Origin::Default,
        attribute.expr.span,
        summary,
        problems,
    );
}

/// `{}` or `[]`, which say nothing about what is meant to go in.
fn is_empty_collection(value: &Value) -> bool {
    value.as_sequence().is_some_and(<[Value]>::is_empty)
        || value
            .as_mapping()
            .is_some_and(std::collections::BTreeMap::is_empty)
}

/// The type that `expr` states. In JSON it is text that holds the expression.
fn declared_type(expr: &Expr, body: &Body) -> Result<Type, Diagnostics> {
    if let (ExprKind::String(text), Body::Json(_)) = (&expr.kind, body) {
        let offset = expr.span.start as usize + 1;
        let (inner, problems) = parse_expression(expr.span.file, offset, text);
        return match inner {
            Some(inner) if !problems.iter().any(Diagnostic::is_error) => type_of(&inner),
            _ => Err(problems),
        };
    }
    type_of(expr)
}

fn type_of(expr: &Expr) -> Result<Type, Diagnostics> {
    let (ty, problems) = host_eval::parse_type(expr);
    if problems.iter().any(Diagnostic::is_error) {
        Err(problems)
    } else {
        Ok(ty)
    }
}
