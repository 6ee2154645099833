//! What an expression refers to.

use host_diag::Span;
use host_syntax::ast::{SplatStep, TemplatePart};
use host_syntax::{Expr, ExprKind};

/// A traversal from a root name: `var.disk_size`, `data.http.page.body`, `local.tags["a"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The root name.
    pub root: String,
    /// The attribute names behind it, up to the first step that is not a constant name.
    pub path: Vec<String>,
    /// The whole traversal.
    pub span: Span,
}

/// Every reference in `expr` to a name that is not bound inside it (by `for`), in the order they
/// stand there. The type in `convert(value, type)` has none.
#[must_use]
pub fn references(expr: &Expr) -> Vec<Reference> {
    let mut walk = Walk::default();
    walk.expression(expr);
    walk.found
}

/// The traversals that [`references`] tells of, as expressions.
pub(crate) fn traversals(expr: &Expr) -> Vec<&Expr> {
    let mut walk = Walk::default();
    walk.expression(expr);
    walk.traversals
}

#[derive(Default)]
struct Walk<'e> {
    bound: Vec<&'e str>,
    found: Vec<Reference>,
    traversals: Vec<&'e Expr>,
}

impl<'e> Walk<'e> {
    fn expression(&mut self, expr: &'e Expr) {
        match &expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(elements) => elements.iter().for_each(|expr| self.expression(expr)),
            ExprKind::Object(items) => {
                for item in items {
                    self.expression(&item.key);
                    self.expression(&item.value);
                }
            }
            ExprKind::Variable(_) | ExprKind::GetAttr(..) | ExprKind::Index(..) => {
                self.traversal(expr);
            }
            ExprKind::AttrSplat(source, steps) | ExprKind::FullSplat(source, steps) => {
                self.expression(source);
                self.splat_steps(steps);
            }
            ExprKind::Call { name, args, .. } => {
                let values = if name.name == "convert" {
                    args.len().min(1)
                } else {
                    args.len()
                };
                args[..values].iter().for_each(|expr| self.expression(expr));
            }
            ExprKind::Conditional(condition, yes, no) => {
                [condition, yes, no]
                    .into_iter()
                    .for_each(|expr| self.expression(expr));
            }
            ExprKind::Unary(_, operand) | ExprKind::Parens(operand) => self.expression(operand),
            ExprKind::Binary(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
            ExprKind::For(inner) => {
                self.expression(&inner.collection);
                let bound = self.bound.len();
                self.bound
                    .extend(inner.key.as_ref().map(|name| name.name.as_str()));
                self.bound.push(&inner.value.name);
                inner
                    .key_result
                    .iter()
                    .for_each(|expr| self.expression(expr));
                self.expression(&inner.result);
                inner
                    .condition
                    .iter()
                    .for_each(|expr| self.expression(expr));
                self.bound.truncate(bound);
            }
        }
    }

    fn splat_steps(&mut self, steps: &'e [SplatStep]) {
        for step in steps {
            match step {
                SplatStep::Attr(_) => {}
                SplatStep::Index(key) => self.expression(key),
                SplatStep::AttrSplat(steps) | SplatStep::FullSplat(steps) => {
                    self.splat_steps(steps);
                }
            }
        }
    }

    fn parts(&mut self, parts: &'e [TemplatePart]) {
        for part in parts {
            match part {
                TemplatePart::Literal(..) => {}
                TemplatePart::Interpolation(expr) => self.expression(expr),
                TemplatePart::If { condition, yes, no } => {
                    self.expression(condition);
                    self.parts(yes);
                    self.parts(no);
                }
                TemplatePart::For {
                    key,
                    value,
                    collection,
                    body,
                } => {
                    self.expression(collection);
                    let bound = self.bound.len();
                    self.bound
                        .extend(key.as_ref().map(|name| name.name.as_str()));
                    self.bound.push(&value.name);
                    self.parts(body);
                    self.bound.truncate(bound);
                }
            }
        }
    }

    /// Records the traversal that ends here, and what its indexes refer to.
    fn traversal(&mut self, expr: &'e Expr) {
        let mut steps = Vec::new();
        let mut keys = Vec::new();
        let mut at = expr;
        let root = loop {
            match &at.kind {
                ExprKind::GetAttr(target, name) => {
                    steps.push(Some(name.name.clone()));
                    at = target;
                }
                ExprKind::Index(target, key) => {
                    steps.push(match &key.kind {
                        ExprKind::String(name) => Some(name.clone()),
                        _ => None,
                    });
                    keys.push(&**key);
                    at = target;
                }
                ExprKind::Parens(inner) => at = inner,
                ExprKind::Variable(name) => break Some(name),
                _ => break None,
            }
        };
        match root {
            Some(root) if !self.bound.contains(&root.as_str()) => {
                self.traversals.push(expr);
                let path = steps.into_iter().rev().map_while(|step| step).collect();
                self.found.push(Reference {
                    root: root.clone(),
                    path,
                    span: expr.span,
                });
            }
            Some(_) => {}
            None => self.expression(at),
        }
        keys.into_iter().rev().for_each(|key| self.expression(key));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_kit::expression;

    use super::references;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = references(&expression(text))
            .iter()
            .map(|found| {
                let path: String = found.path.iter().map(|name| format!(".{name}")).collect();
                format!("{}{path}", found.root)
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn follows_constant_names() {
        check("var.a.b", &["var.a.b"]);
        check(r#"local.tags["a b"].c[0].d"#, &["local.tags.a b.c"]);
        check("local.m[var.k].x", &["local.m", "var.k"]);
        check("data.http.page[*].body", &["data.http.page"]);
        check("(var.a).b", &["var.a.b"]);
        check("[1, true, \"x\", null]", &[]);
    }

    #[test]
    fn looks_everywhere() {
        check(
            r#"a ? "${b}%{ if c }${d}%{ endif }" : [f(e, {(g) = h}), !i, j + k]"#,
            &["a", "b", "c", "d", "e", "g", "h", "i", "j", "k"],
        );
    }

    #[test]
    fn leaves_out_bound_names() {
        check("[for k, v in a : k + v + b if v > c]", &["a", "b", "c"]);
        check("{for v in v : v => w...}", &["v", "w"]);
        check(r#""%{ for x in a }${x.y}${z}%{ endfor }""#, &["a", "z"]);
    }

    #[test]
    fn takes_no_type_for_a_variable() {
        check("convert(a, list(string))", &["a"]);
    }
}
