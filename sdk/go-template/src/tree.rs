//! The syntax tree of a template.

use std::collections::BTreeMap;

use crate::data::Data;

/// A whole template: its own text and the templates it defines.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) root: Vec<Node>,
    pub(crate) defined: BTreeMap<String, Vec<Node>>,
    /// Every function that is named.
    pub(crate) calls: Vec<crate::Call>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Text(String),
    /// Printed unless it sets a variable.
    Action(Pipeline),
    If(Branches),
    With(Branches),
    Range(Branches),
    Template {
        name: String,
        argument: Option<Pipeline>,
        offset: usize,
    },
    Break,
    Continue,
}

#[derive(Debug)]
pub(crate) struct Branches {
    pub(crate) condition: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) offset: usize,
    /// Names with their dollar sign.
    pub(crate) variables: Vec<String>,
    pub(crate) binding: Binding,
    pub(crate) commands: Vec<Command>,
}

/// What a pipeline does with the variables in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    Declare,
    Assign,
}

#[derive(Debug)]
pub(crate) struct Command {
    /// Never empty.
    pub(crate) operands: Vec<Operand>,
}

#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) offset: usize,
    pub(crate) kind: OperandKind,
    /// Field names that follow it: `.A.B`.
    pub(crate) fields: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum OperandKind {
    Dot,
    Nil,
    Literal(Data),
    Variable(String),
    Function(String),
    Parenthesised(Box<Pipeline>),
}
