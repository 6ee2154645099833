//! The call around the cursor.

use host_eval::FunctionDoc;
use host_syntax::{Token, TokenKind};
use lsp_types::{
    Documentation, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
};

use crate::documents::Document;

/// The signature of the function whose arguments the cursor is in, with the one it is at.
pub(crate) fn help(document: &Document, at: usize) -> Option<SignatureHelp> {
    let (name, argument) = call_around(&document.text, &document.outline().tokens, at)?;
    let function = host_eval::functions().iter().find(|one| one.name == name)?;
    let parameters = parameters(function);
    let last = parameters.len().checked_sub(1);
    // Further arguments are those of the last parameter, when it takes several.
    let active = match last {
        Some(last) if argument > last && parameters[last].ends_with("...") => Some(last),
        Some(last) if argument <= last => Some(argument),
        _ => None,
    };
    let active = active.and_then(|active| u32::try_from(active).ok());
    let labels = parameters.into_iter().map(|label| ParameterInformation {
        label: ParameterLabel::Simple(label),
        documentation: None,
    });
    Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label: function.signature.clone(),
            documentation: Some(Documentation::String(function.doc.to_owned())),
            parameters: Some(labels.collect()),
            active_parameter: active,
        }],
        active_signature: Some(0),
        active_parameter: active,
    })
}

/// `name: type` of each parameter.
fn parameters(function: &FunctionDoc) -> Vec<String> {
    let inner = function
        .signature
        .split_once('(')
        .map_or("", |(_, rest)| rest);
    let inner = inner.rsplit_once(") ->").map_or("", |(inner, _)| inner);
    let parts = inner.split(", ").filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Name of the function and position of the argument that byte `at` is in.
fn call_around<'t>(text: &'t str, tokens: &[Token], at: usize) -> Option<(&'t str, usize)> {
    let count = tokens.partition_point(|token| token.end <= at && token.start < at);
    let (mut depth, mut commas) = (0_usize, 0_usize);
    for index in (0..count).rev() {
        let kind = tokens[index].kind;
        if kind.is_closer() {
            depth += 1;
        } else if kind.closer().is_some() && depth > 0 {
            depth -= 1;
        } else if kind.closer().is_some() {
            let before = index.checked_sub(1).map(|before| tokens[before]);
            match before {
                Some(name) if kind == TokenKind::OpenParen && name.kind == TokenKind::Ident => {
                    return Some((name.text(text), commas));
                }
                // Out of a string or another bracket, which is one argument.
                _ => commas = 0,
            }
        } else if kind == TokenKind::Comma && depth == 0 {
            commas += 1;
        } else if kind == TokenKind::Newline && depth == 0 && starts_item(tokens, index) {
            return None;
        }
    }
    None
}

/// Whether an attribute begins behind token `at`, so that no call reaches over it.
fn starts_item(tokens: &[Token], at: usize) -> bool {
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    kind(at + 1) == Some(TokenKind::Ident) && kind(at + 2) == Some(TokenKind::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Kind;

    /// The function and the parameter at `|`.
    fn check(text: &str, expected: Option<(&str, Option<u32>)>) {
        let at = text.find('|').expect("a cursor");
        let document = Document::new(Kind::Template, text.replacen('|', "", 1));
        let found = help(&document, at);
        let found = found.as_ref().map(|help| {
            let label = help.signatures[0]
                .label
                .split('(')
                .next()
                .unwrap_or_default();
            (label, help.active_parameter)
        });
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn the_innermost_call_and_its_argument_are_found() {
        check("a = replace(|", Some(("replace", Some(0))));
        check("a = replace(\"x\", |)", Some(("replace", Some(1))));
        check(
            "a = replace(f(1, 2), [3, |4], 5)",
            Some(("replace", Some(1))),
        );
        check(
            "a = upper(replace(\"a\", \"b\", \"c\")|)",
            Some(("upper", Some(0))),
        );
        check("a = \"${join(\",\", [|])}\"", Some(("join", Some(1))));
        check("a = concat([1], [2], [3], |)", Some(("concat", Some(0))));
        check("a = upper(1, |)", Some(("upper", None)));
    }

    #[test]
    fn outside_of_calls_there_is_nothing() {
        check("a = (1 + |2)", None);
        check("a = upper(x)|", None);
        check("a = upper(\nb = |1", None);
        check("a = nothing(|)", None);
    }
}
