//! Values and expressions as messages name them.

use host_diag::Shown;
use host_syntax::{Expr, ExprKind};

use crate::number;
use crate::value::{Value, ValueKind};

/// Longest text of a value that a message shows, in characters.
const LONGEST_SHOWN: usize = 60;

/// What each expression that is more than a literal comes to: `var.size` and `"big"`.
pub(super) fn involved(pairs: &[(&Expr, &Value)]) -> Vec<Shown> {
    let mut said: Vec<Shown> = Vec::new();
    for (expr, value) in pairs {
        if let Some(expression) = traversal_text(expr) {
            let shown = Shown {
                expression,
                value: describe(value),
            };
            if !said.contains(&shown) {
                said.push(shown);
            }
        }
    }
    said
}

/// What a value is, in a few words; never the text of a sensitive one.
#[must_use]
pub fn describe(value: &Value) -> String {
    if value.sensitive {
        return "a sensitive value".to_owned();
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    match &value.kind {
        ValueKind::Unknown if value.ty == crate::Type::Dynamic => {
            "a value that is not known yet".to_owned()
        }
        ValueKind::Unknown => format!("a {} that is not known yet", value.ty.friendly_name()),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(value) => shortened(&number::text(value)),
        ValueKind::String(text) => format!("{:?}", shortened(text)),
        ValueKind::Sequence(elements) => {
            let name = value.ty.friendly_name();
            format!("a {name} with {}", counted(elements.len(), "element"))
        }
        ValueKind::Mapping(elements) => {
            let what = if matches!(value.ty, crate::Type::Map(_)) {
                "element"
            } else {
                "attribute"
            };
            let name = value.ty.friendly_name();
            let article = if name.starts_with('o') { "an" } else { "a" };
            format!("{article} {name} with {}", counted(elements.len(), what))
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The text of a traversal: `var.disks[0].size`; `None` for other expressions.
pub(super) fn traversal_text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(name.clone()),
        ExprKind::GetAttr(target, name) => {
            Some(format!("{}.{}", traversal_text(target)?, name.name))
        }
        ExprKind::Index(target, key) => {
            let key = match &key.kind {
                ExprKind::String(text) => format!("{text:?}"),
                ExprKind::Number(text) => text.clone(),
                _ => traversal_text(key)?,
            };
            Some(format!("{}[{key}]", traversal_text(target)?))
        }
        ExprKind::Parens(inner) => traversal_text(inner),
        _ => None,
    }
}
