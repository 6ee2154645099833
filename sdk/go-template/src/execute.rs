//! Renders a syntax tree.

use std::borrow::Cow;

use crate::context::Context;
use crate::data::Data;
use crate::error::TemplateError;
use crate::function::{self, CallError};
use crate::tree::{Binding, Branches, Command, Node, Operand, OperandKind, Pipeline, Tree};

/// How many bytes a template may render to.
pub(crate) const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// How many nodes one rendering may visit.
const MAX_STEPS: usize = 1_000_000;
/// How deep blocks and template calls may nest while rendering.
const MAX_DEPTH: usize = 200;

/// Refuses the first call of a function that is not `known`.
pub(crate) fn check_names(tree: &Tree, known: &dyn Fn(&str) -> bool) -> Result<(), TemplateError> {
    match tree.calls.iter().find(|call| !known(&call.name)) {
        None => Ok(()),
        Some(call) => Err(TemplateError::new(
            call.offset,
            function::unknown(&call.name),
        )),
    }
}

/// Renders `tree` with `data` as its dot.
pub(crate) fn execute(
    tree: &Tree,
    data: &Data,
    context: &Context,
) -> Result<String, TemplateError> {
    let known = |name: &str| {
        let custom = context.custom.as_ref();
        function::NAMES.contains(&name) || custom.is_some_and(|custom| custom.may_define(name))
    };
    check_names(tree, &known)?;
    let mut run = Run {
        tree,
        context,
        output: String::new(),
        variables: vec![("$".to_owned(), data.clone())],
        steps: 0,
        depth: 0,
    };
    run.list(&tree.root, data)?;
    Ok(run.output)
}

struct Run<'a> {
    tree: &'a Tree,
    context: &'a Context,
    output: String,
    /// Innermost last; the first one of a template call is `$`.
    variables: Vec<(String, Data)>,
    steps: usize,
    depth: usize,
}

/// Where rendering goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl Run<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Data) -> Result<Flow, TemplateError> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Data) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => self.write(text, 0)?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.write(&print(&value), pipeline.offset)?;
                }
            }
            Node::If(branches) => {
                return self.scoped(branches.condition.offset, |run| {
                    if run.pipeline(&branches.condition, dot)?.is_true() {
                        run.list(&branches.body, dot)
                    } else {
                        run.list(&branches.otherwise, dot)
                    }
                });
            }
            Node::With(branches) => {
                return self.scoped(branches.condition.offset, |run| {
                    let value = run.pipeline(&branches.condition, dot)?;
                    if value.is_true() {
                        run.list(&branches.body, &value)
                    } else {
                        run.list(&branches.otherwise, dot)
                    }
                });
            }
            Node::Range(branches) => {
                return self.scoped(branches.condition.offset, |run| run.range(branches, dot));
            }
            Node::Template {
                name,
                argument,
                offset,
            } => {
                self.template(name, argument.as_ref(), *offset, dot)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// Runs `work` one level deeper and forgets the variables it declared.
    fn scoped<T>(
        &mut self,
        offset: usize,
        work: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting while rendering");
            return Err(TemplateError::new(offset, message));
        }
        let variables = self.variables.len();
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        self.variables.truncate(variables);
        result
    }

    fn step(&mut self, offset: usize) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let message = format!("more than {MAX_STEPS} steps while rendering");
            return Err(TemplateError::new(offset, message));
        }
        Ok(())
    }

    fn write(&mut self, text: &str, offset: usize) -> Result<(), TemplateError> {
        if self.output.len() + text.len() > MAX_OUTPUT_BYTES {
            return Err(too_large(offset));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn range(&mut self, branches: &Branches, dot: &Data) -> Result<Flow, TemplateError> {
        let condition = &branches.condition;
        // The variables of a range are set for each item, not to the whole.
        let value = self.commands(condition, dot)?;
        for name in condition.variables.iter().filter(|_| !value.is_true()) {
            self.bind(name, condition.binding, value.clone());
        }
        let items: Box<dyn Iterator<Item = (Data, Data)>> = match value {
            Data::Null => Box::new(std::iter::empty()),
            Data::List(items) => Box::new((0_i64..).map(Data::Int).zip(items)),
            Data::Map(entries) => Box::new(
                entries
                    .into_iter()
                    .map(|(key, value)| (Data::String(key), value)),
            ),
            Data::Int(count) if condition.variables.len() > 1 => {
                let message = format!("can't use {count} to iterate over more than one variable");
                return Err(TemplateError::new(condition.offset, message));
            }
            Data::Int(count) => {
                Box::new((0..count).map(|number| (Data::Int(number), Data::Int(number))))
            }
            other => {
                let message = format!(
                    "range cannot iterate over a value of type {}",
                    other.type_name()
                );
                return Err(TemplateError::new(condition.offset, message));
            }
        };
        let mut empty = true;
        for (key, item) in items {
            empty = false;
            self.step(condition.offset)?;
            let scope = self.variables.len();
            match condition.variables.as_slice() {
                [] => {}
                [name] => self.bind(name, condition.binding, item.clone()),
                [first, second, ..] => {
                    self.bind(first, condition.binding, key);
                    self.bind(second, condition.binding, item.clone());
                }
            }
            let flow = self.list(&branches.body, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        if empty {
            self.list(&branches.otherwise, dot)
        } else {
            Ok(Flow::Next)
        }
    }

    fn template(
        &mut self,
        name: &str,
        argument: Option<&Pipeline>,
        offset: usize,
        dot: &Data,
    ) -> Result<(), TemplateError> {
        self.step(offset)?;
        let tree = self.tree;
        let Some(nodes) = tree.defined.get(name) else {
            return Err(TemplateError::new(
                offset,
                format!("template {name:?} is not defined"),
            ));
        };
        let value = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Data::Null,
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), value.clone())]);
        let result = self.scoped(offset, |run| run.list(nodes, &value));
        self.variables = outer;
        result.map(drop)
    }

    fn bind(&mut self, name: &str, binding: Binding, value: Data) {
        if binding == Binding::Assign
            && let Some((_, slot)) = self
                .variables
                .iter_mut()
                .rev()
                .find(|(known, _)| known == name)
        {
            *slot = value;
            return;
        }
        self.variables.push((name.to_owned(), value));
    }

    /// The value of a pipeline, which is also given to its variables.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Data) -> Result<Data, TemplateError> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.bind(name, pipeline.binding, value.clone());
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Data) -> Result<Data, TemplateError> {
        self.step(pipeline.offset)?;
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        Ok(value.expect("the parser refuses an empty pipeline"))
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Data,
        piped: Option<Data>,
    ) -> Result<Data, TemplateError> {
        let (first, arguments) = command
            .operands
            .split_first()
            .expect("the parser refuses an empty command");
        if let OperandKind::Function(name) = &first.kind
            && first.fields.is_empty()
        {
            return self.call(name, first.offset, arguments, dot, piped);
        }
        if !arguments.is_empty() || piped.is_some() {
            return Err(TemplateError::new(
                first.offset,
                "cannot give an argument to a non-function",
            ));
        }
        if matches!(first.kind, OperandKind::Nil) {
            return Err(TemplateError::new(first.offset, "nil is not a command"));
        }
        self.operand(first, dot)
    }

    fn operand(&mut self, operand: &Operand, dot: &Data) -> Result<Data, TemplateError> {
        let value = match &operand.kind {
            OperandKind::Nil => Cow::Owned(Data::Null),
            OperandKind::Literal(value) => Cow::Owned(value.clone()),
            OperandKind::Dot => Cow::Borrowed(dot),
            OperandKind::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                Cow::Borrowed(found.map_or(&Data::Null, |(_, value)| value))
            }
            OperandKind::Function(name) => {
                Cow::Owned(self.call(name, operand.offset, &[], dot, None)?)
            }
            OperandKind::Parenthesised(pipeline) => {
                let scope = pipeline.offset;
                Cow::Owned(self.nested(scope, |run| run.pipeline(pipeline, dot))?)
            }
        };
        let mut found: &Data = &value;
        for name in &operand.fields {
            found = match found {
                Data::Map(entries) => entries.get(name).unwrap_or(&Data::Null),
                Data::Null => &Data::Null,
                other => {
                    let message =
                        format!("cannot evaluate field {name} in type {}", other.type_name());
                    return Err(TemplateError::new(operand.offset, message));
                }
            };
        }
        Ok(found.clone())
    }

    /// Like [`Self::scoped`], but variables stay: Go scopes them to the block, not the parentheses.
    fn nested<T>(
        &mut self,
        offset: usize,
        work: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting while rendering");
            return Err(TemplateError::new(offset, message));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    fn call(
        &mut self,
        name: &str,
        offset: usize,
        arguments: &[Operand],
        dot: &Data,
        piped: Option<Data>,
    ) -> Result<Data, TemplateError> {
        self.step(offset)?;
        if name == "and" || name == "or" {
            return self.short_circuit(name, offset, arguments, dot, piped);
        }
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for operand in arguments {
            values.push(self.operand(operand, dot)?);
        }
        values.extend(piped);
        let result = function::call(name, &values, self.context).map_err(|err| {
            let message = match err {
                CallError::Unknown => function::unknown(name),
                CallError::Failed(reason) => format!("error calling {name}: {reason}"),
            };
            TemplateError::new(offset, message)
        })?;
        match &result {
            Data::String(text) if text.len() > MAX_OUTPUT_BYTES => Err(too_large(offset)),
            _ => Ok(result),
        }
    }

    /// The first argument that settles it, or the last one; later ones are not evaluated.
    fn short_circuit(
        &mut self,
        name: &str,
        offset: usize,
        arguments: &[Operand],
        dot: &Data,
        piped: Option<Data>,
    ) -> Result<Data, TemplateError> {
        let mut last = None;
        for operand in arguments {
            let value = self.operand(operand, dot)?;
            if value.is_true() == (name == "or") {
                return Ok(value);
            }
            last = Some(value);
        }
        piped.or(last).ok_or_else(|| {
            TemplateError::new(
                offset,
                format!("wrong number of args for {name}: want at least 1 got 0"),
            )
        })
    }
}

fn print(value: &Data) -> String {
    match value {
        Data::Null => "<no value>".to_owned(),
        Data::String(text) => text.clone(),
        other => function::display(other),
    }
}

fn too_large(offset: usize) -> TemplateError {
    let message = format!("the result is larger than {} MiB", MAX_OUTPUT_BYTES >> 20);
    TemplateError::new(offset, message)
}
