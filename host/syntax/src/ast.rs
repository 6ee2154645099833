//! The tree both forms of HCL become.

use host_diag::Span;

use crate::json;

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The word.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// What is between the braces of a block, or in a file.
#[derive(Clone, Debug)]
pub enum Body {
    /// HCL's own syntax.
    Native(NativeBody),
    /// JSON: what is an attribute and what is a block depends on the schema it is read with.
    Json(json::Value),
}

/// A body in HCL's own syntax.
#[derive(Clone, Debug)]
pub struct NativeBody {
    /// In order; a name occurs once.
    pub attributes: Vec<Attribute>,
    /// In order, of all kinds.
    pub blocks: Vec<Block>,
    /// The text between the braces.
    pub span: Span,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Ident,
    /// The expression.
    pub expr: Expr,
    /// The whole line or lines.
    pub span: Span,
}

/// `kind "label" "label" { body }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// The first word.
    pub kind: Ident,
    /// The labels, without quotes.
    pub labels: Vec<Ident>,
    /// What is between the braces.
    pub body: Body,
    /// From the kind to the last label.
    pub header: Span,
    /// From the kind to the closing brace.
    pub span: Span,
}

impl Block {
    /// The header as it reads: `source "qemu" "debian"`.
    #[must_use]
    pub fn header_text(&self) -> String {
        let mut text = self.kind.name.clone();
        for label in &self.labels {
            text.push_str(&format!(" {:?}", label.name));
        }
        text
    }
}

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// Decimal text as written.
    Number(String),
    /// Text without interpolation, escapes resolved.
    String(String),
    /// A quoted template or heredoc with interpolation or directives. A template that is one single
    /// interpolation is unwrapped by evaluation, not here.
    Template(Vec<TemplatePart>),
    /// `[a, b]`.
    Tuple(Vec<Expr>),
    /// `{ a = b }`.
    Object(Vec<ObjectItem>),
    /// A name at the start of a traversal: `var`, `each`, ….
    Variable(String),
    /// `target.name`.
    GetAttr(Box<Expr>, Ident),
    /// `target[key]`, also the legacy `target.0`.
    Index(Box<Expr>, Box<Expr>),
    /// `target.*` and the traversal behind it, applied to each element.
    AttrSplat(Box<Expr>, Vec<SplatStep>),
    /// `target[*]` and the traversal behind it, applied to each element.
    FullSplat(Box<Expr>, Vec<SplatStep>),
    /// `name(args)`; `expand` when the last argument ends in `...`.
    Call {
        /// The function.
        name: Ident,
        /// Its arguments.
        args: Vec<Expr>,
        /// Whether the last argument is a list that gives the rest.
        expand: bool,
    },
    /// `condition ? yes : no`.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `!x`, `-x`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `[for …]` and `{for …}`.
    For(Box<ForExpr>),
    /// `(x)`.
    Parens(Box<Expr>),
}

/// A step behind a splat.
#[derive(Clone, Debug)]
pub enum SplatStep {
    /// `.name`.
    Attr(Ident),
    /// `[key]`, also the legacy `.0`.
    Index(Expr),
    /// A nested `.*` and the steps behind it, applied to each element of what was found so far.
    AttrSplat(Vec<SplatStep>),
    /// A nested `[*]` and the steps behind it, applied to each element of what was found so far.
    FullSplat(Vec<SplatStep>),
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text, escapes resolved, heredoc indent and trim markers already applied.
    Literal(String, Span),
    /// `${expression}`.
    Interpolation(Expr),
    /// `%{ if condition }…%{ else }…%{ endif }`.
    If {
        /// The condition.
        condition: Expr,
        /// When true.
        yes: Vec<TemplatePart>,
        /// When false.
        no: Vec<TemplatePart>,
    },
    /// `%{ for key, value in collection }…%{ endfor }`.
    For {
        /// Name for the key, when given.
        key: Option<Ident>,
        /// Name for the value.
        value: Ident,
        /// What is walked.
        collection: Expr,
        /// What is repeated.
        body: Vec<TemplatePart>,
    },
}

/// `key = value` in an object. A bare word as key is [`ExprKind::String`] when `bare`.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: Expr,
}

/// A `for` expression.
#[derive(Clone, Debug)]
pub struct ForExpr {
    /// Name for the key or index, when given.
    pub key: Option<Ident>,
    /// Name for the value.
    pub value: Ident,
    /// What is walked.
    pub collection: Expr,
    /// `None` for `[for …]`; the key expression for `{for …}`.
    pub key_result: Option<Expr>,
    /// The value expression.
    pub result: Expr,
    /// The condition behind `if`.
    pub condition: Option<Expr>,
    /// Whether `...` groups values by key.
    pub group: bool,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`.
    Not,
    /// `-`.
    Negate,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like what it does")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}
