//! hcl-edit's tree to ours.

use std::ops::Range;

use hcl_edit::expr::{
    BinaryOperator, Expression, ForExpr as EditFor, FuncCall, Object, ObjectKey, Traversal,
    TraversalOperator, UnaryOperator,
};
use hcl_edit::{Decorated, Ident as EditIdent, Span as _};
use host_diag::{Diagnostic, Span};

use super::expression::{ExpressionReader, Place};
use super::mask::Lifted;
use crate::ast::{BinaryOp, Expr, ExprKind, ForExpr, Ident, ObjectItem, SplatStep, UnaryOp};

/// The conversion of one expression.
pub(super) struct Conversion<'r, 't> {
    pub reader: &'r mut ExpressionReader<'t>,
    /// Byte of the text at which the expression begins.
    pub base: usize,
    /// Items of objects that were taken out.
    pub lifted: &'r [Lifted],
}

impl Conversion<'_, '_> {
    /// Converts an expression; `None` means that an error was reported.
    pub(super) fn expr(&mut self, expr: &Expression) -> Option<Expr> {
        let range = expr.span().unwrap_or(0..0);
        let span = self.span(&range);
        let levels = match expr {
            Expression::Traversal(traversal) => 1 + traversal.operators.len(),
            _ => 1,
        };
        let (base, lifted) = (self.base, self.lifted);
        self.reader.deeper(levels, span, |reader| {
            Conversion {
                reader,
                base,
                lifted,
            }
            .inside(expr, range, span)
        })
    }

    fn inside(&mut self, expr: &Expression, range: Range<usize>, span: Span) -> Option<Expr> {
        let kind = match expr {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(**value),
            Expression::Number(_) => self.number(&range),
            Expression::Variable(name) => ExprKind::Variable(name.as_str().to_owned()),
            Expression::String(_)
            | Expression::StringTemplate(_)
            | Expression::HeredocTemplate(_) => {
                let token = self.reader.token_at(self.base + range.start)?;
                return self.reader.string(token);
            }
            Expression::Array(items) => ExprKind::Tuple(
                items
                    .iter()
                    .map(|item| self.expr(item))
                    .collect::<Option<_>>()?,
            ),
            Expression::Object(object) => self.object(object, &range)?,
            Expression::Parenthesis(parens) => ExprKind::Parens(self.boxed(parens.inner())?),
            Expression::Conditional(conditional) => ExprKind::Conditional(
                self.boxed(&conditional.cond_expr)?,
                self.boxed(&conditional.true_expr)?,
                self.boxed(&conditional.false_expr)?,
            ),
            Expression::FuncCall(call) => self.call(call, &range)?,
            Expression::Traversal(traversal) => return self.traversal(traversal),
            Expression::UnaryOp(operation) => {
                let operator = match operation.operator.value() {
                    UnaryOperator::Neg => UnaryOp::Negate,
                    UnaryOperator::Not => UnaryOp::Not,
                };
                ExprKind::Unary(operator, self.boxed(&operation.expr)?)
            }
            Expression::BinaryOp(operation) => ExprKind::Binary(
                binary_operator(*operation.operator.value()),
                self.boxed(&operation.lhs_expr)?,
                self.boxed(&operation.rhs_expr)?,
            ),
            Expression::ForExpr(for_expr) => ExprKind::For(Box::new(self.for_expr(for_expr)?)),
        };
        Some(Expr { kind, span })
    }

    fn boxed(&mut self, expr: &Expression) -> Option<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn span(&self, range: &Range<usize>) -> Span {
        self.reader
            .origin
            .span(self.base + range.start, self.base + range.end)
    }

    fn source(&self, range: &Range<usize>) -> &str {
        &self.reader.text[self.base + range.start..self.base + range.end]
    }

    fn ident(&self, ident: &Decorated<EditIdent>, fallback: Range<usize>) -> Ident {
        let range = ident.span().unwrap_or(fallback);
        Ident {
            name: ident.as_str().to_owned(),
            span: self.span(&range),
        }
    }

    /// A number; hcl-edit makes the minus before it a part of it.
    fn number(&self, range: &Range<usize>) -> ExprKind {
        let text = self.source(range);
        let Some(digits) = text.strip_prefix('-') else {
            return ExprKind::Number(text.to_owned());
        };
        let digits = digits.trim_start();
        let place = range.end - digits.len()..range.end;
        let number = Expr {
            kind: ExprKind::Number(digits.to_owned()),
            span: self.span(&place),
        };
        ExprKind::Unary(UnaryOp::Negate, Box::new(number))
    }

    fn object(&mut self, object: &Object, range: &Range<usize>) -> Option<ExprKind> {
        let mut items = Vec::with_capacity(object.len());
        for (key, value) in object.iter() {
            let key = match key {
                ObjectKey::Ident(word) => {
                    let place = word.span().unwrap_or(range.start..range.start + 1);
                    self.bare_key(&place)
                }
                ObjectKey::Expression(Expression::Null(_) | Expression::Bool(_)) => {
                    self.bare_key(&key.span().unwrap_or(range.start..range.start + 1))
                }
                ObjectKey::Expression(expr) => {
                    self.expr(expr).and_then(|key| self.checked_key(key))
                }
            };
            let value = self.expr(value.expr());
            items.push(ObjectItem {
                key: key?,
                value: value?,
            });
        }
        let open = self.base + range.start;
        for item in self.lifted.iter().filter(|item| item.object == open) {
            let key = self.lifted_key(item)?;
            let value = self.reader.whole(item.value.clone(), Place::Attribute)?;
            items.push(ObjectItem { key, value });
        }
        items.sort_by_key(|item| item.key.span.start);
        Some(ExprKind::Object(items))
    }

    fn bare_key(&self, place: &Range<usize>) -> Option<Expr> {
        let name = self.source(place).trim().to_owned();
        let span = self.span(&(place.start..place.start + name.len()));
        Some(Expr {
            kind: ExprKind::String(name),
            span,
        })
    }

    /// A key that is read on its own, where a bare word stands for itself too.
    fn lifted_key(&mut self, item: &Lifted) -> Option<Expr> {
        let key = self.reader.whole(item.key.clone(), Place::Attribute)?;
        let kind = match key.kind {
            ExprKind::Variable(name) => ExprKind::String(name),
            ExprKind::Null => ExprKind::String("null".to_owned()),
            ExprKind::Bool(value) => ExprKind::String(value.to_string()),
            kind => kind,
        };
        self.checked_key(Expr { kind, ..key })
    }

    fn checked_key(&mut self, key: Expr) -> Option<Expr> {
        if !matches!(key.kind, ExprKind::GetAttr(..)) {
            return Some(key);
        }
        self.reader.diagnostics.push(
            Diagnostic::error("Ambiguous attribute key")
                .detail("A name with dots is either a reference or a text.")
                .hint("put it in parentheses for the reference, in quotes for the text".to_owned())
                .at(key.span),
        );
        None
    }

    fn call(&mut self, call: &FuncCall, range: &Range<usize>) -> Option<ExprKind> {
        let words = call
            .name
            .namespace
            .iter()
            .chain(std::iter::once(&call.name.name));
        let name = words
            .map(|word| word.as_str())
            .collect::<Vec<_>>()
            .join("::");
        let first = call.name.namespace.first().unwrap_or(&call.name.name);
        let start = first.span().map_or(range.start, |place| place.start);
        let end = call
            .name
            .name
            .span()
            .map_or(start + name.len(), |place| place.end);
        let name = Ident {
            name,
            span: self.span(&(start..end)),
        };
        let args = call
            .args
            .iter()
            .map(|arg| self.expr(arg))
            .collect::<Option<_>>()?;
        Some(ExprKind::Call {
            name,
            args,
            expand: call.args.expand_final(),
        })
    }

    fn for_expr(&mut self, for_expr: &EditFor) -> Option<ForExpr> {
        let intro = &for_expr.intro;
        let ident = |this: &Self, ident: &Decorated<EditIdent>| this.ident(ident, 0..0);
        let optional = |this: &mut Self, expr: Option<&Expression>| match expr {
            Some(expr) => this.expr(expr).map(Some),
            None => Some(None),
        };
        Some(ForExpr {
            key: intro.key_var.as_ref().map(|name| ident(self, name)),
            value: ident(self, &intro.value_var),
            collection: self.expr(&intro.collection_expr)?,
            key_result: optional(self, for_expr.key_expr.as_ref())?,
            result: self.expr(&for_expr.value_expr)?,
            condition: optional(
                self,
                for_expr.cond.as_ref().map(|condition| &condition.expr),
            )?,
            group: for_expr.grouping,
        })
    }

    fn traversal(&mut self, traversal: &Traversal) -> Option<Expr> {
        let mut target = self.expr(&traversal.expr)?;
        let mut rest = &traversal.operators[..];
        while let [operator, behind @ ..] = rest {
            let place = operator.span().unwrap_or(0..0);
            rest = behind;
            let mut span = target.span.to(self.span(&place));
            let kind = match operator.value() {
                TraversalOperator::AttrSplat(_) => {
                    let count = self.attribute_steps(rest)?;
                    let steps = self.steps(&rest[..count])?;
                    span = count
                        .checked_sub(1)
                        .map_or(span, |last| self.up_to(span, &rest[last]));
                    rest = &rest[count..];
                    ExprKind::AttrSplat(Box::new(target), steps)
                }
                TraversalOperator::FullSplat(_) => {
                    let steps = self.steps(rest)?;
                    span = rest.last().map_or(span, |last| self.up_to(span, last));
                    rest = &[];
                    ExprKind::FullSplat(Box::new(target), steps)
                }
                TraversalOperator::GetAttr(name) => {
                    ExprKind::GetAttr(Box::new(target), self.step_name(name, &place))
                }
                TraversalOperator::Index(key) => {
                    ExprKind::Index(Box::new(target), Box::new(self.expr(key)?))
                }
                TraversalOperator::LegacyIndex(index) => ExprKind::Index(
                    Box::new(target),
                    Box::new(self.legacy_index(**index, &place)),
                ),
            };
            target = Expr { kind, span };
        }
        Some(target)
    }

    fn up_to(&self, span: Span, operator: &Decorated<TraversalOperator>) -> Span {
        operator
            .span()
            .map_or(span, |place| span.to(self.span(&place)))
    }

    fn step_name(&self, name: &Decorated<EditIdent>, place: &Range<usize>) -> Ident {
        let start = place.end.saturating_sub(name.as_str().len());
        Ident {
            name: name.as_str().to_owned(),
            span: self.span(&(start..place.end)),
        }
    }

    fn legacy_index(&self, index: u64, place: &Range<usize>) -> Expr {
        let digits = self
            .source(place)
            .trim_start_matches('.')
            .trim_start()
            .len();
        let span = self.span(&(place.end - digits..place.end));
        Expr {
            kind: ExprKind::Number(index.to_string()),
            span,
        }
    }

    /// How many steps behind `.*` belong to it: names and old indexes, no brackets.
    fn attribute_steps(&mut self, rest: &[Decorated<TraversalOperator>]) -> Option<usize> {
        let belongs = |operator: &&Decorated<TraversalOperator>| {
            matches!(
                operator.value(),
                TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_)
            )
        };
        let count = rest.iter().take_while(belongs).count();
        if let Some(next) = rest.get(count)
            && matches!(next.value(), TraversalOperator::AttrSplat(_))
        {
            let span = self.span(&next.span().unwrap_or(0..0));
            self.reader.diagnostics.push(
                Diagnostic::error("Nested splat expression not allowed")
                    .detail("Behind `.*` there may be no second `.*`.")
                    .hint("use `[*]` for both".to_owned())
                    .at(span),
            );
            return None;
        }
        Some(count)
    }

    fn steps(&mut self, mut rest: &[Decorated<TraversalOperator>]) -> Option<Vec<SplatStep>> {
        let mut steps = Vec::new();
        while let [operator, behind @ ..] = rest {
            let place = operator.span().unwrap_or(0..0);
            rest = behind;
            steps.push(match operator.value() {
                TraversalOperator::GetAttr(name) => SplatStep::Attr(self.step_name(name, &place)),
                TraversalOperator::Index(key) => SplatStep::Index(self.expr(key)?),
                TraversalOperator::LegacyIndex(index) => {
                    SplatStep::Index(self.legacy_index(**index, &place))
                }
                TraversalOperator::AttrSplat(_) => {
                    let count = self.attribute_steps(rest)?;
                    let inner = self.steps(&rest[..count])?;
                    rest = &rest[count..];
                    SplatStep::AttrSplat(inner)
                }
                TraversalOperator::FullSplat(_) => {
                    let inner = self.steps(rest)?;
                    rest = &[];
                    SplatStep::FullSplat(inner)
                }
            });
        }
        Some(steps)
    }
}

fn binary_operator(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Modulo,
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::LessEq => BinaryOp::LessEqual,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::GreaterEq => BinaryOp::GreaterEqual,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}
