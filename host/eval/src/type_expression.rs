//! Type constraints: `list(object({ name = string, size = optional(number, 10) }))`.

use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_syntax::ast::ObjectItem;
use host_syntax::{Expr, ExprKind, parse_expression};

use crate::convert::convert;
use crate::evaluate::evaluate;
use crate::functions::FunctionSet;
use crate::scope::Scope;
use crate::types::{ObjectType, Type};
use crate::value::Value;

const SUMMARY: &str = "Invalid type specification";
const NAMES: [&str; 10] = [
    "any", "bool", "list", "map", "number", "object", "optional", "set", "string", "tuple",
];

/// Reads a type constraint. After an error the type is [`Type::Dynamic`] there. A quoted constraint
/// is read as well, as JSON knows no other way to write one.
#[must_use]
pub fn parse_type(expr: &Expr) -> (Type, Diagnostics) {
    let mut reader = Reader {
        diagnostics: Vec::new(),
    };
    let ty = reader.read(expr);
    (ty, reader.diagnostics)
}

struct Reader {
    diagnostics: Diagnostics,
}

impl Reader {
    fn fail(&mut self, span: Span, detail: impl Into<String>) -> Type {
        self.diagnostics
            .push(Diagnostic::error(SUMMARY).detail(detail).at(span));
        Type::Dynamic
    }

    fn read(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Variable(name) => self.keyword(name, expr.span),
            ExprKind::Call {
                name,
                args,
                expand: false,
            } => self.constructor(&name.name, name.span, args, expr.span),
            ExprKind::Parens(inner) => self.read(inner),
            ExprKind::String(text) => self.quoted(text, expr.span),
            _ => self.fail(
                expr.span,
                "A type specification is either a primitive type keyword (bool, number, string) or \
                 a complex type constructor call, like list(string).",
            ),
        }
    }

    fn quoted(&mut self, text: &str, span: Span) -> Type {
        let offset = usize::try_from(span.start).unwrap_or(0) + 1;
        match parse_expression(span.file, offset, text) {
            (Some(expr), problems)
                if problems.is_empty() && !matches!(expr.kind, ExprKind::String(_)) =>
            {
                self.read(&expr)
            }
            _ => self.fail(span, format!("`{text}` is not a type.")),
        }
    }

    fn keyword(&mut self, name: &str, span: Span) -> Type {
        match name {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "any" => Type::Dynamic,
            "list" | "set" | "map" => self.fail(
                span,
                format!(
                    "The {name} type constructor requires one argument specifying the element \
                     type, like {name}(string)."
                ),
            ),
            "object" => self.fail(
                span,
                "The object type constructor requires one argument specifying the attribute types, \
                 like object({ name = string }).",
            ),
            "tuple" => self.fail(
                span,
                "The tuple type constructor requires one argument specifying the element types, \
                 like tuple([string, number]).",
            ),
            _ => self.unknown(name, span, "type keyword"),
        }
    }

    fn unknown(&mut self, name: &str, span: Span, what: &str) -> Type {
        let close = nearest(name, NAMES);
        self.diagnostics.push(
            Diagnostic::error(SUMMARY)
                .detail(format!("\"{name}\" is not a {what}."))
                .at(span)
                .hint(close.map(|name| format!("Did you mean `{name}`?"))),
        );
        Type::Dynamic
    }

    fn constructor(&mut self, name: &str, name_span: Span, args: &[Expr], span: Span) -> Type {
        match (name, args) {
            ("list", [element]) => Type::list(self.read(element)),
            ("set", [element]) => Type::set(self.read(element)),
            ("map", [element]) => Type::map(self.read(element)),
            ("object", [attributes]) => self.object(attributes),
            ("tuple", [elements]) => self.tuple(elements),
            ("list" | "set" | "map" | "object" | "tuple", _) => self.fail(
                span,
                format!(
                    "The {name} type constructor takes one argument, not {}.",
                    args.len()
                ),
            ),
            ("string" | "number" | "bool" | "any", _) => {
                self.fail(span, format!("The type {name} takes no arguments."))
            }
            ("optional", _) => self.fail(
                name_span,
                "The word optional is valid only around the type of an object's attribute.",
            ),
            _ => self.unknown(name, name_span, "type constructor"),
        }
    }

    fn tuple(&mut self, elements: &Expr) -> Type {
        match &elements.kind {
            ExprKind::Tuple(elements) => {
                Type::Tuple(elements.iter().map(|element| self.read(element)).collect())
            }
            _ => self.fail(
                elements.span,
                "The tuple type constructor takes a list of types, like tuple([string, number]).",
            ),
        }
    }

    fn object(&mut self, attributes: &Expr) -> Type {
        let ExprKind::Object(items) = &attributes.kind else {
            return self.fail(
                attributes.span,
                "The object type constructor takes a map of attribute types, like object({ name = \
                 string }).",
            );
        };
        let mut object = ObjectType::default();
        for item in items {
            self.attribute(item, &mut object);
        }
        Type::Object(object)
    }

    fn attribute(&mut self, item: &ObjectItem, object: &mut ObjectType) {
        let name = match &item.key.kind {
            ExprKind::String(name) | ExprKind::Variable(name) => name.clone(),
            _ => {
                self.fail(
                    item.key.span,
                    "An attribute name of an object type is a plain word.",
                );
                return;
            }
        };
        let ty = match &item.value.kind {
            ExprKind::Call {
                name: word,
                args,
                expand: false,
            } if word.name == "optional" => self.optional(&name, args, item.value.span, object),
            _ => self.read(&item.value),
        };
        if object.attributes.insert(name.clone(), ty).is_some() {
            self.fail(
                item.key.span,
                format!("The attribute \"{name}\" is there twice."),
            );
        }
    }

    fn optional(&mut self, name: &str, args: &[Expr], span: Span, object: &mut ObjectType) -> Type {
        let (ty, default) = match args {
            [ty] => (self.read(ty), None),
            [ty, default] => {
                let ty = self.read(ty);
                let default = self.default(default, &ty);
                (ty, default)
            }
            _ => {
                return self.fail(
                    span,
                    "The word optional takes the type of the attribute and maybe its default, like \
                     optional(string, \"x\").",
                );
            }
        };
        object.optional.insert(name.to_owned(), default);
        ty
    }

    fn default(&mut self, expr: &Expr, ty: &Type) -> Option<Value> {
        let scope = Scope {
            variables: Arc::default(),
            functions: FunctionSet::None,
            settings: Arc::default(),
        };
        let (value, diagnostics) = evaluate(expr, &scope);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(diagnostics);
        if failed {
            return None;
        }
        match convert(value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error("Invalid default value for optional attribute")
                        .detail(format!(
                            "This default is not of the attribute's type: {error}."
                        ))
                        .at(expr.span),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_kit::expression;

    use super::parse_type;

    fn check(text: &str, expected: &str) {
        let (ty, problems) = parse_type(&expression(text));
        assert!(problems.is_empty(), "{text}: {problems:?}");
        assert_eq!(ty.to_string(), expected, "{text}");
    }

    fn check_error(text: &str, expected: &str) {
        let (_, problems) = parse_type(&expression(text));
        let [problem] = problems.as_slice() else {
            panic!("{text}: {problems:?}")
        };
        let said = format!("{}: {}", problem.summary, problem.detail);
        assert!(said.contains(expected), "{text}: {said}");
    }

    #[test]
    fn reads_constraints() {
        check("string", "string");
        check("list(any)", "list(any)");
        check("map(set(number))", "map(set(number))");
        check("tuple([string, bool])", "tuple([string, bool])");
        check(
            r#"object({a = string, b = optional(list(string), ["x"]), c = optional(number)})"#,
            "object({a = string, b = optional(list(string)), c = optional(number)})",
        );
        check(r#""list(string)""#, "list(string)");
    }

    #[test]
    fn says_what_is_wrong() {
        check_error(
            "strng",
            "Invalid type specification: \"strng\" is not a type keyword.",
        );
        check_error("list", "requires one argument");
        check_error("list()", "takes one argument, not 0");
        check_error("string(number)", "takes no arguments");
        check_error(
            "optional(string)",
            "valid only around the type of an object's attribute",
        );
        check_error("object([])", "takes a map of attribute types");
        check_error("tuple(string)", "takes a list of types");
        check_error("5", "primitive type keyword");
        check_error("\"some text\"", "is not a type");
        check_error(
            r#"object({a = optional(number, "x")})"#,
            "Invalid default value for optional attribute",
        );
        check_error(
            "object({a = optional(number, var.x)})",
            "Variables not allowed",
        );
    }
}
