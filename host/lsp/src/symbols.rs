//! What files declare, and where it is used.

use std::ops::Range;

use host_syntax::{Token, TokenKind};

use crate::outline::{Attribute, Block, Item, Outline, attributes, blocks, user_calls};

/// Most characters of an expression that are shown.
const LONGEST_SHOWN: usize = 400;

/// Kinds of things with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Variable,
    Local,
    Data,
    Source,
    Module,
    Output,
    /// An entry of `builders` in a legacy template.
    Builder,
}

/// Something with a name.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) kind: SymbolKind,
    /// `TYPE.NAME` for data sources and sources.
    pub(crate) name: String,
    /// Index of the file.
    pub(crate) file: usize,
    /// Where the name stands; the last part of it for data sources and sources.
    pub(crate) name_range: Range<usize>,
    /// What is known of it: `type`, `default`, `description`, `source`, `value`, as written. Values
    /// of sensitive ones are not there.
    facts: Vec<(&'static str, String)>,
    pub(crate) sensitive: bool,
}

impl Declaration {
    /// What is known of it by name.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        let found = self.facts.iter().find(|(fact, _)| *fact == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// A place that uses something.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) kind: SymbolKind,
    pub(crate) name: String,
    pub(crate) file: usize,
    /// The whole reference: `var.x`.
    pub(crate) range: Range<usize>,
    /// Its last part.
    pub(crate) name_range: Range<usize>,
}

/// What a template's file declares.
pub(crate) fn declarations(file: usize, text: &str, outline: &Outline) -> Vec<Declaration> {
    let mut found = Vec::new();
    for block in blocks(&outline.items) {
        let kind = match (block.kind.as_str(), block.labels.len()) {
            ("variable", 1) => SymbolKind::Variable,
            ("local", 1) => SymbolKind::Local,
            ("data", 2) => SymbolKind::Data,
            ("source", 2) => SymbolKind::Source,
            ("module", 1) => SymbolKind::Module,
            ("output", 1) => SymbolKind::Output,
            ("builders", _) => {
                found.extend(builder(file, text, outline, block));
                continue;
            }
            ("variables", _) => {
                found.extend(group(file, text, block, SymbolKind::Variable));
                continue;
            }
            ("locals", _) => {
                found.extend(group(file, text, block, SymbolKind::Local));
                continue;
            }
            _ => continue,
        };
        found.extend(declaration(file, text, block, kind));
    }
    if outline.kind.is_legacy() {
        hide_secrets(text, outline, &mut found);
    }
    found
}

/// The texts that a legacy template has in the value of a root key.
fn root_texts<'o>(outline: &'o Outline, name: &str) -> impl Iterator<Item = &'o Token> {
    let found = attributes(&outline.items).find(|one| one.name == name);
    let tokens = found.map_or(&[][..], |found| outline.tokens_of(found));
    tokens
        .iter()
        .filter(|token| token.kind == TokenKind::QuotedText)
}

/// Takes the values of sensitive variables of a legacy template out.
fn hide_secrets(text: &str, outline: &Outline, found: &mut [Declaration]) {
    for token in root_texts(outline, "sensitive-variables") {
        let name = token.text(text);
        let mut named = found
            .iter_mut()
            .filter(|one| one.kind == SymbolKind::Variable && one.name == name);
        for declaration in &mut named {
            declaration.sensitive = true;
            declaration.facts = vec![("default", "(sensitive)".to_owned())];
        }
    }
}

/// A builder of a legacy template; without a name it has that of its type.
fn builder(file: usize, text: &str, outline: &Outline, block: &Block) -> Option<Declaration> {
    let named = block
        .attribute("name")
        .or_else(|| block.attribute("type"))?;
    let mut tokens = outline.tokens_of(named).iter();
    let token = tokens.find(|token| token.kind == TokenKind::QuotedText)?;
    Some(Declaration {
        kind: SymbolKind::Builder,
        name: token.text(text).to_owned(),
        file,
        name_range: token.start..token.end,
        facts: Vec::new(),
        sensitive: false,
    })
}

fn declaration(file: usize, text: &str, block: &Block, kind: SymbolKind) -> Option<Declaration> {
    let labels: Vec<&str> = block
        .labels
        .iter()
        .map(|label| label.text.as_str())
        .collect();
    let shown = |name: &str| {
        block
            .attribute(name)
            .map(|attribute| written(text, attribute))
    };
    let sensitive = shown("sensitive").is_some_and(|text| text != "false");
    let mut facts = Vec::new();
    for name in ["type", "description", "source"] {
        facts.extend(shown(name).map(|text| (name, text)));
    }
    if !sensitive {
        facts.extend(shown("default").map(|text| ("default", text)));
        let value = shown("expression").or_else(|| shown("value"));
        facts.extend(value.map(|text| ("value", text)));
    } else if block.attribute("default").is_some() {
        facts.push(("default", "(sensitive)".to_owned()));
    }
    Some(Declaration {
        kind,
        name: labels.join("."),
        file,
        name_range: block.labels.last()?.range.clone(),
        facts,
        sensitive,
    })
}

/// The attributes of a `variables` or `locals` block.
fn group(file: usize, text: &str, block: &Block, kind: SymbolKind) -> Vec<Declaration> {
    let fact = match kind {
        SymbolKind::Variable => "default",
        _ => "value",
    };
    attributes(block.items())
        .map(|attribute| Declaration {
            kind,
            name: attribute.name.clone(),
            file,
            name_range: attribute.name_range.clone(),
            facts: vec![(fact, written(text, attribute))],
            sensitive: false,
        })
        .collect()
}

/// An expression as it reads, cut when it is long.
fn written(text: &str, attribute: &Attribute) -> String {
    let range = &attribute.value;
    let value = text[range.clone()].trim();
    // In JSON and YAML the range ends where the content does.
    let closer = value.chars().next().and_then(closer_of);
    let closes = closer.is_some_and(|closer| {
        !(value.len() > 1 && value.ends_with(closer)) && text[range.end..].starts_with(closer)
    });
    let end = range.end + usize::from(closes);
    let value = text[range.start..end].trim();
    match value.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// What closes what this character opens.
fn closer_of(opener: char) -> Option<char> {
    Some(match opener {
        '"' | '\'' => opener,
        '[' => ']',
        '{' => '}',
        _ => return None,
    })
}

/// What the values in a file of values are for.
pub(crate) fn values_usages(file: usize, outline: &Outline) -> Vec<Usage> {
    attributes(&outline.items)
        .map(|attribute| Usage {
            kind: SymbolKind::Variable,
            name: attribute.name.clone(),
            file,
            range: attribute.name_range.clone(),
            name_range: attribute.name_range.clone(),
        })
        .collect()
}

/// What a template's file uses.
pub(crate) fn usages(file: usize, text: &str, outline: &Outline) -> Vec<Usage> {
    if outline.kind.is_legacy() {
        return legacy_usages(file, text, outline);
    }
    let mut found = references(file, text, &outline.tokens);
    for block in blocks(&outline.items).filter(|block| block.kind == "build") {
        in_build(file, text, outline, block.items(), &mut found);
    }
    found
}

/// Variables in template calls, and builders by name.
fn legacy_usages(file: usize, text: &str, outline: &Outline) -> Vec<Usage> {
    let usage = |kind: SymbolKind, range: Range<usize>| Usage {
        kind,
        name: text[range.clone()].to_owned(),
        file,
        name_range: range.clone(),
        range,
    };
    let texts = |tokens: &[Token]| -> Vec<Range<usize>> {
        let texts = tokens
            .iter()
            .filter(|token| token.kind == TokenKind::QuotedText);
        texts.map(|token| token.start..token.end).collect()
    };
    let mut found = Vec::new();
    for content in texts(&outline.tokens) {
        let names = user_calls(text, &content).into_iter();
        found.extend(names.map(|range| usage(SymbolKind::Variable, range)));
    }
    let secrets = root_texts(outline, "sensitive-variables");
    found.extend(secrets.map(|token| usage(SymbolKind::Variable, token.start..token.end)));
    for entry in blocks(&outline.items).filter(|block| block.kind != "builders") {
        for name in ["only", "except"] {
            let list = entry.attribute(name);
            let names = list.map_or_else(Vec::new, |list| texts(outline.tokens_of(list)));
            let names = names.into_iter();
            found.extend(names.map(|range| usage(SymbolKind::Builder, range)));
        }
        let overrides = blocks(entry.items()).filter(|block| block.kind == "override");
        for name in overrides.flat_map(|block| blocks(block.items())) {
            found.push(usage(SymbolKind::Builder, name.kind_range.clone()));
        }
    }
    found
}

/// `var.x` and the like.
fn references(file: usize, text: &str, tokens: &[Token]) -> Vec<Usage> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let starts = at == 0 || tokens[at - 1].kind != TokenKind::Dot;
        if token.kind != TokenKind::Ident || !starts {
            continue;
        }
        let (kind, parts) = match token.text(text) {
            "var" => (SymbolKind::Variable, 1),
            "local" => (SymbolKind::Local, 1),
            "module" => (SymbolKind::Module, 1),
            "data" => (SymbolKind::Data, 2),
            _ => continue,
        };
        let mut names = Vec::new();
        for part in 0..parts {
            let (dot, name) = (tokens.get(at + 1 + 2 * part), tokens.get(at + 2 + 2 * part));
            match (dot, name) {
                (Some(dot), Some(name))
                    if dot.kind == TokenKind::Dot && name.kind == TokenKind::Ident =>
                {
                    names.push(*name);
                }
                _ => break,
            }
        }
        let Some(last) = names.last().filter(|_| names.len() == parts) else {
            continue;
        };
        let words: Vec<&str> = names.iter().map(|name| name.text(text)).collect();
        found.push(Usage {
            kind,
            name: words.join("."),
            file,
            range: token.start..last.end,
            name_range: last.start..last.end,
        });
    }
    found
}

/// References to sources, which are texts.
fn in_build(file: usize, text: &str, outline: &Outline, items: &[Item], found: &mut Vec<Usage>) {
    let lists = attributes(items);
    for list in lists.filter(|one| matches!(&*one.name, "sources" | "only" | "except")) {
        let texts = outline.tokens_of(list).iter();
        for token in texts.filter(|token| token.kind == TokenKind::QuotedText) {
            found.extend(source_usage(file, text, token.start..token.end));
        }
    }
    for block in blocks(items) {
        if block.kind == "source" {
            let label = block.labels.first();
            found.extend(label.and_then(|label| source_usage(file, text, label.range.clone())));
        }
        in_build(file, text, outline, block.items(), found);
    }
}

/// `source.TYPE.NAME` or `TYPE.NAME`; what may follow is the key of an instance.
fn source_usage(file: usize, text: &str, range: Range<usize>) -> Option<Usage> {
    let whole = &text[range.clone()];
    let bare = whole.strip_prefix("source.").unwrap_or(whole);
    let (type_name, rest) = bare.split_once('.')?;
    let name = rest.split('.').next().unwrap_or(rest);
    let start = range.start + (whole.len() - bare.len()) + type_name.len() + 1;
    Some(Usage {
        kind: SymbolKind::Source,
        name: format!("{type_name}.{name}"),
        file,
        name_range: start..start + name.len(),
        range,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Kind;

    const TEXT: &str = r#"
variable "size" {
  type    = number
  default = 5
}
variable "password" {
  default   = "hush"
  sensitive = true
}
locals { disk = var.size * 2 }
source "null" "a" {}
build {
  sources = ["source.null.a", "null.a"]
  provisioner "shell" {
    only   = ["null.a"]
    inline = ["${local.disk} ${data.http.page.body} ${module.m.x} ${build.var.x}"]
  }
}
"#;

    #[test]
    fn declarations_have_what_is_known_of_them() {
        let outline = Outline::of(TEXT, Kind::Template);
        let found = declarations(0, TEXT, &outline);
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["size", "password", "disk", "null.a"]);
        assert_eq!(found[0].fact("type"), Some("number"));
        assert_eq!(found[0].fact("default"), Some("5"));
        assert_eq!(found[1].fact("default"), Some("(sensitive)"));
        assert_eq!(found[2].fact("value"), Some("var.size * 2"));
        assert_eq!(&TEXT[found[3].name_range.clone()], "a");
    }

    #[test]
    fn usages_are_found_in_code_and_in_lists_of_sources() {
        let outline = Outline::of(TEXT, Kind::Template);
        let found = usages(0, TEXT, &outline);
        let names: Vec<(&str, &str)> = found
            .iter()
            .map(|one| (&TEXT[one.range.clone()], &TEXT[one.name_range.clone()]))
            .collect();
        let expected = [
            ("var.size", "size"),
            ("local.disk", "disk"),
            ("data.http.page", "page"),
            ("module.m", "m"),
            ("source.null.a", "a"),
            ("null.a", "a"),
            ("null.a", "a"),
        ];
        assert_eq!(names, expected);
    }
}
