//! From tokens to the syntax tree.

use crate::Call;
use crate::data::Data;
use crate::error::TemplateError;
use crate::lexer::{Keyword, Token, TokenKind, tokens};
use crate::tree::{Binding, Branches, Command, Node, Operand, OperandKind, Pipeline, Tree};

/// How deep actions and parentheses may nest.
const MAX_DEPTH: usize = 200;

/// Reads a whole template.
pub(crate) fn parse(text: &str) -> Result<Tree, TemplateError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        end: text.len(),
        variables: vec!["$".to_owned()],
        depth: 0,
        range_depth: 0,
        tree: Tree::default(),
    };
    let (root, ending) = parser.list()?;
    if let Some((keyword, offset)) = ending {
        let message = format!(
            "unexpected {{{{{}}}}}: no block is open here",
            keyword.text()
        );
        return Err(TemplateError::new(offset, message));
    }
    parser.tree.root = root;
    Ok(parser.tree)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    /// Variables in scope, with their dollar sign.
    variables: Vec<String>,
    depth: usize,
    range_depth: usize,
    tree: Tree,
}

/// The `{{end}}` or `{{else` a list of nodes stopped at; `None` at the end of the text.
type Ending = Option<(Keyword, usize)>;

impl Parser {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn offset(&self) -> usize {
        self.tokens
            .get(self.at)
            .map_or(self.end, |token| token.offset)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(&TokenKind::Space) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &str) -> TemplateError {
        let found = match self.peek() {
            None => "the end of the text".to_owned(),
            Some(kind) => kind.describe(),
        };
        TemplateError::new(self.offset(), format!("unexpected {found} in {place}"))
    }

    fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting");
            return Err(TemplateError::new(self.offset(), message));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    fn close(&mut self, place: &str) -> Result<(), TemplateError> {
        self.skip_spaces();
        if self.peek() != Some(&TokenKind::Close) {
            return Err(self.unexpected(place));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads nodes up to `{{end}}`, `{{else` or the end of the text.
    fn list(&mut self) -> Result<(Vec<Node>, Ending), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(token) = self.next() {
            if let TokenKind::Text(text) = token.kind {
                nodes.push(Node::Text(text));
                continue;
            }
            self.skip_spaces();
            let Some(TokenKind::Keyword(keyword)) = self.peek().cloned() else {
                nodes.push(Node::Action(self.pipeline("an action", 0)?));
                self.close("an action")?;
                continue;
            };
            self.at += 1;
            if matches!(keyword, Keyword::End | Keyword::Else) {
                return Ok((nodes, Some((keyword, token.offset))));
            }
            let node = self.deeper(|parser| parser.keyword(keyword, token.offset))?;
            nodes.extend(node);
        }
        Ok((nodes, None))
    }

    fn keyword(&mut self, keyword: Keyword, open: usize) -> Result<Option<Node>, TemplateError> {
        Ok(Some(match keyword {
            Keyword::If => Node::If(self.branches(keyword, open)?),
            Keyword::With => Node::With(self.branches(keyword, open)?),
            Keyword::Range => Node::Range(self.branches(keyword, open)?),
            Keyword::Template => self.template(open)?,
            Keyword::Block => self.block(open)?,
            Keyword::Define => {
                self.define(open)?;
                return Ok(None);
            }
            Keyword::Break | Keyword::Continue => {
                if self.range_depth == 0 {
                    let message = format!("{{{{{}}}}} outside of {{{{range}}}}", keyword.text());
                    return Err(TemplateError::new(open, message));
                }
                self.close(keyword.text())?;
                if keyword == Keyword::Break {
                    Node::Break
                } else {
                    Node::Continue
                }
            }
            Keyword::End | Keyword::Else => unreachable!("a list stops at these keywords"),
        }))
    }

    /// Reads the rest of `{{if`, `{{with` or `{{range` up to its end.
    fn branches(&mut self, keyword: Keyword, open: usize) -> Result<Branches, TemplateError> {
        let scope = self.variables.len();
        let most = if keyword == Keyword::Range { 2 } else { 1 };
        let condition = self.pipeline(keyword.text(), most)?;
        self.close(keyword.text())?;
        self.range_depth += usize::from(keyword == Keyword::Range);
        let (body, ending) = self.list()?;
        self.range_depth -= usize::from(keyword == Keyword::Range);
        let otherwise = match self.ended(keyword, open, ending)? {
            Keyword::Else => self.otherwise(keyword, open)?,
            _ => {
                self.close("end")?;
                Vec::new()
            }
        };
        self.variables.truncate(scope);
        Ok(Branches {
            condition,
            body,
            otherwise,
        })
    }

    fn ended(
        &self,
        keyword: Keyword,
        open: usize,
        ending: Ending,
    ) -> Result<Keyword, TemplateError> {
        let missing = || {
            let message = format!("no {{{{end}}}} for this {{{{{}}}}}", keyword.text());
            TemplateError::new(open, message)
        };
        ending.map(|(keyword, _)| keyword).ok_or_else(missing)
    }

    /// Reads what follows `{{else`, including a chained `{{else if` with its own branches.
    fn otherwise(&mut self, keyword: Keyword, open: usize) -> Result<Vec<Node>, TemplateError> {
        self.skip_spaces();
        let here = self.offset();
        if let Some(TokenKind::Keyword(chained @ (Keyword::If | Keyword::With))) =
            self.peek().cloned()
            && (chained == keyword)
        {
            self.at += 1;
            let node = self.deeper(|parser| parser.keyword(chained, here))?;
            return Ok(node.into_iter().collect());
        }
        self.close("else")?;
        let (nodes, ending) = self.list()?;
        match self.ended(keyword, open, ending)? {
            Keyword::End => self.close("end")?,
            _ => {
                let offset = ending.map_or(open, |(_, offset)| offset);
                return Err(TemplateError::new(
                    offset,
                    "expected {{end}}, found {{else}}",
                ));
            }
        }
        Ok(nodes)
    }

    fn template(&mut self, offset: usize) -> Result<Node, TemplateError> {
        let name = self.template_name("template")?;
        self.skip_spaces();
        let argument = if self.peek() == Some(&TokenKind::Close) {
            None
        } else {
            Some(self.pipeline("template", 0)?)
        };
        self.close("template")?;
        Ok(Node::Template {
            name,
            argument,
            offset,
        })
    }

    fn template_name(&mut self, place: &str) -> Result<String, TemplateError> {
        self.skip_spaces();
        if let Some(TokenKind::Literal(Data::String(name))) = self.peek().cloned() {
            self.at += 1;
            return Ok(name);
        }
        Err(self.unexpected(&format!(
            "{place}: expected the quoted name of a template, found it"
        )))
    }

    fn define(&mut self, open: usize) -> Result<(), TemplateError> {
        if self.depth > 1 {
            return Err(TemplateError::new(
                open,
                "{{define}} inside of another block",
            ));
        }
        let name = self.template_name("define")?;
        self.close("define")?;
        self.body(Keyword::Define, name, open)
    }

    fn block(&mut self, open: usize) -> Result<Node, TemplateError> {
        let name = self.template_name("block")?;
        let argument = Some(self.pipeline("block", 0)?);
        self.close("block")?;
        self.body(Keyword::Block, name.clone(), open)?;
        Ok(Node::Template {
            name,
            argument,
            offset: open,
        })
    }

    /// Reads the body of a defined template, which sees no variable of its surroundings.
    fn body(&mut self, keyword: Keyword, name: String, open: usize) -> Result<(), TemplateError> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.range_depth);
        let (nodes, ending) = self.list()?;
        if self.ended(keyword, open, ending)? != Keyword::End {
            return Err(TemplateError::new(
                open,
                "unexpected {{else}} in a template definition",
            ));
        }
        self.close("end")?;
        self.variables = outer;
        self.range_depth = ranges;
        // An empty definition gives way to one that is not, as in Go.
        let blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
        let is_blank = |nodes: &[Node]| nodes.iter().all(blank);
        match self.tree.defined.get(&name) {
            Some(_) if is_blank(&nodes) => {}
            Some(known) if !is_blank(known) => {
                let message = format!("multiple definition of template {name:?}");
                return Err(TemplateError::new(open, message));
            }
            _ => drop(self.tree.defined.insert(name, nodes)),
        }
        Ok(())
    }

    /// Reads a pipeline with up to `most` extra variables; leaves the token that ends it.
    fn pipeline(&mut self, place: &str, most: usize) -> Result<Pipeline, TemplateError> {
        self.skip_spaces();
        let offset = self.offset();
        let (variables, binding) = self.variables_in_front(most.max(1))?;
        let mut commands = Vec::new();
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(TokenKind::Close | TokenKind::RightParen) => break,
                _ => commands.push(self.command(place, commands.len())?),
            }
        }
        if commands.is_empty() {
            return Err(TemplateError::new(
                offset,
                format!("missing value for {place}"),
            ));
        }
        if binding == Binding::Declare {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline {
            offset,
            variables,
            binding,
            commands,
        })
    }

    /// Reads `$x :=`, `$x =` or, in a range, `$i, $x :=`.
    fn variables_in_front(&mut self, most: usize) -> Result<(Vec<String>, Binding), TemplateError> {
        let start = self.at;
        let mut names = Vec::new();
        while let Some(TokenKind::Variable(name)) = self.peek().cloned() {
            let offset = self.offset();
            self.at += 1;
            self.skip_spaces();
            names.push((name, offset));
            match self.peek() {
                Some(TokenKind::Comma) if names.len() < most => {
                    self.at += 1;
                    self.skip_spaces();
                }
                Some(TokenKind::Comma) => {
                    return Err(TemplateError::new(offset, "too many variables in front"));
                }
                Some(TokenKind::Declare) => {
                    self.at += 1;
                    let names = names.into_iter().map(|(name, _)| name).collect();
                    return Ok((names, Binding::Declare));
                }
                Some(TokenKind::Assign) => {
                    self.at += 1;
                    for (name, offset) in &names {
                        self.known(name, *offset)?;
                    }
                    let names = names.into_iter().map(|(name, _)| name).collect();
                    return Ok((names, Binding::Assign));
                }
                _ => break,
            }
        }
        if names.len() > 1 {
            return Err(self.unexpected("range"));
        }
        self.at = start;
        Ok((Vec::new(), Binding::Declare))
    }

    fn known(&self, name: &str, offset: usize) -> Result<(), TemplateError> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(TemplateError::new(
            offset,
            format!("undefined variable `{name}`"),
        ))
    }

    /// Reads one command of a pipeline and the `|` after it.
    fn command(&mut self, place: &str, stage: usize) -> Result<Command, TemplateError> {
        let start = self.offset();
        let mut operands: Vec<Operand> = Vec::new();
        loop {
            self.skip_spaces();
            let Some(operand) = self.operand()? else {
                break;
            };
            operands.push(operand);
            if !matches!(self.peek(), Some(TokenKind::Space)) {
                break;
            }
        }
        if let Some((first, arguments)) = operands.split_first()
            && matches!(first.kind, OperandKind::Function(_))
        {
            self.give_arguments(first.offset, arguments);
        }
        let Some(first) = operands.first() else {
            return Err(match self.peek() {
                Some(TokenKind::Pipe) => TemplateError::new(start, "empty command"),
                _ => self.unexpected(place),
            });
        };
        let constant = matches!(first.kind, OperandKind::Literal(_) | OperandKind::Dot if first.fields.is_empty());
        let nil = matches!(first.kind, OperandKind::Nil);
        if stage > 0 && (constant || nil) {
            let message = format!("non-executable command in pipeline stage {}", stage + 1);
            return Err(TemplateError::new(first.offset, message));
        }
        if self.peek() == Some(&TokenKind::Pipe) {
            // Go takes a pipe with nothing behind it for the end of the pipeline.
            self.at += 1;
        } else if !matches!(self.peek(), Some(TokenKind::Close | TokenKind::RightParen)) {
            return Err(self.unexpected(place));
        }
        Ok(Command { operands })
    }

    /// Notes that a function is named.
    fn named(&mut self, name: String, offset: usize) {
        self.tree.calls.push(Call {
            name,
            arguments: Vec::new(),
            offset,
        });
    }

    /// Notes the arguments of the function named at `offset`.
    fn give_arguments(&mut self, offset: usize, arguments: &[Operand]) {
        let written = |operand: &Operand| match &operand.kind {
            OperandKind::Literal(Data::String(text)) => Some(text.clone()),
            _ => None,
        };
        // Calls in parentheses among the arguments come behind it; the search is short.
        let mut calls = self.tree.calls.iter_mut().rev();
        if let Some(call) = calls.find(|call| call.offset == offset) {
            call.arguments = arguments.iter().map(written).collect();
        }
    }

    /// Reads one operand and the fields after it; `None` when none starts here.
    fn operand(&mut self) -> Result<Option<Operand>, TemplateError> {
        let offset = self.offset();
        let mut fields = Vec::new();
        let kind = match self.peek().cloned() {
            Some(TokenKind::Literal(value)) => OperandKind::Literal(value),
            Some(TokenKind::Nil) => OperandKind::Nil,
            Some(TokenKind::Dot) => OperandKind::Dot,
            Some(TokenKind::Field(name)) => {
                fields.push(name);
                OperandKind::Dot
            }
            Some(TokenKind::Variable(name)) => {
                self.known(&name, offset)?;
                OperandKind::Variable(name)
            }
            Some(TokenKind::Identifier(name)) => {
                self.named(name.clone(), offset);
                OperandKind::Function(name)
            }
            Some(TokenKind::LeftParen) => {
                self.at += 1;
                let inner = self.deeper(|parser| parser.pipeline("parentheses", 0))?;
                if self.peek() != Some(&TokenKind::RightParen) {
                    return Err(self.unexpected("parentheses"));
                }
                OperandKind::Parenthesised(Box::new(inner))
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let takes_fields = !matches!(kind, OperandKind::Literal(_) | OperandKind::Nil)
            && !matches!(kind, OperandKind::Dot if fields.is_empty());
        while let Some(TokenKind::Field(name)) = self.peek().cloned() {
            if !takes_fields {
                return Err(TemplateError::new(
                    self.offset(),
                    "unexpected `.` after a constant or another `.`",
                ));
            }
            fields.push(name);
            self.at += 1;
        }
        Ok(Some(Operand {
            offset,
            kind,
            fields,
        }))
    }
}
