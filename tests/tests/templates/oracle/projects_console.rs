//! The expressions of well-known projects, one after the other in both consoles.
//!
//! A console gets a template of the project's variables and locals, and of the values that the
//! project documents. Heredocs are left out: the console of 1.6.6 takes expressions of one line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use host_diag::{FileId, Span};
use host_syntax::ast::NativeBody;
use host_syntax::{Body, TokenKind, parse_hcl, tokens};
use kiln_tests::tools::installed;

use super::console::Console;
use super::programs::World;
use super::table::{Known, compare, explained};
use crate::corpus::{self, Variant};

/// How many expressions one process gets.
const BATCH: usize = 400;

const TABLE: &[Known] = &[
    Known {
        pattern: "  kiln: .*<sensitive>",
        since: "kiln",
        reason: "a text that something sensitive went into is hidden as a whole; Packer hides what \
                 equals a sensitive value, and shows empty ones",
    },
    Known {
        pattern: "  kiln: .*<unknown>",
        since: "Packer 1.7",
        reason: "there are data sources, and what they give is not known without their blocks; the \
                 name `data` means nothing to 1.6.6, and `try` goes on",
    },
];

/// What the files of a template say.
#[derive(Default)]
struct Sources {
    /// The blocks that a console needs.
    declarations: String,
    /// All expressions, each on a line of its own.
    expressions: BTreeSet<String>,
    /// How many there are with heredocs.
    left_out: usize,
}

impl Sources {
    fn read(variant: &Variant) -> Result<Self> {
        let mut sources = Self::default();
        let path = variant.folder.join(&variant.template);
        if path.is_dir() {
            for name in corpus::names(&path, |name| name.ends_with(".pkr.hcl"))? {
                sources.file(&path.join(name))?;
            }
        } else {
            sources.file(&path)?;
        }
        Ok(sources)
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).context(path.display().to_string())?;
        let (body, _) = parse_hcl(FileId(0), &text);
        let Some(Body::Native(body)) = body else {
            return Ok(());
        };
        for block in &body.blocks {
            if matches!(block.kind.name.as_str(), "variable" | "locals") {
                self.declarations.push_str(part(&text, block.span));
                self.declarations.push('\n');
            }
        }
        self.body(&body, &text);
        Ok(())
    }

    fn body(&mut self, body: &NativeBody, text: &str) {
        for attribute in &body.attributes {
            match one_line(part(text, attribute.expr.span)) {
                Some(line) => {
                    self.expressions.insert(line);
                }
                None => self.left_out += 1,
            }
        }
        for block in &body.blocks {
            if let Body::Native(inner) = &block.body {
                self.body(inner, text);
            }
        }
    }
}

fn part(text: &str, span: Span) -> &str {
    let at = |byte: u32| usize::try_from(byte).expect("a file of the corpus is small");
    &text[at(span.start)..at(span.end)]
}

/// The expression without line breaks and comments; `None` when it has a heredoc.
fn one_line(expression: &str) -> Option<String> {
    let mut line = String::new();
    let mut braces: Vec<bool> = Vec::new();
    let mut last = TokenKind::Comma;
    let mut end = 0;
    for token in tokens(expression) {
        let gap = &expression[end..token.start];
        end = token.end;
        match token.kind {
            TokenKind::OpenHeredoc => return None,
            TokenKind::Comment => continue,
            // The items of an object may stand without commas.
            TokenKind::Newline => {
                let item_ends = !matches!(last, TokenKind::OpenBrace | TokenKind::Comma);
                line.push_str(if braces.last() == Some(&true) && item_ends {
                    ", "
                } else {
                    " "
                });
                if item_ends && braces.last() == Some(&true) {
                    last = TokenKind::Comma;
                }
                continue;
            }
            TokenKind::OpenBrace => braces.push(true),
            TokenKind::OpenBracket
            | TokenKind::OpenParen
            | TokenKind::OpenInterpolation
            | TokenKind::OpenDirective => {
                braces.push(false);
            }
            TokenKind::CloseBrace
            | TokenKind::CloseBracket
            | TokenKind::CloseParen
            | TokenKind::CloseTemplate => {
                braces.pop();
            }
            _ => {}
        }
        line.push_str(gap);
        line.push_str(token.text(expression));
        last = token.kind;
    }
    Some(line)
}

#[test]
fn consoles_say_the_same_of_the_expressions_of_projects() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    // A template with values that make another system of it has the same expressions.
    let mut first: BTreeMap<String, Variant> = BTreeMap::new();
    for variant in corpus::variants(&folder)? {
        if variant.project != "image-builder" {
            let name = format!("{} {}", variant.project, variant.template);
            first.entry(name).or_insert(variant);
        }
    }
    let (mut found, mut total, mut accepted, mut left_out) = (Vec::new(), 0, 0, 0);
    for variant in first.values() {
        let sources = Sources::read(variant)?;
        left_out += sources.left_out;
        let world = World::new()?;
        world.write("t.pkr.hcl", &sources.declarations)?;
        let files = variant.files.iter().map(|file| {
            let file = variant.folder.join(file);
            format!("-var-file={}", file.display())
        });
        let values = variant.values.iter();
        let values = values.map(|(name, value)| format!("-var={name}={value}"));
        let words = files.chain(values).chain(["t.pkr.hcl".to_owned()]);
        let console = Console {
            world: &world,
            words: words.collect(),
        };
        let expressions = sources.expressions.iter().map(String::as_str);
        let numbered: Vec<(usize, &str)> = expressions.enumerate().collect();
        for batch in numbered.chunks(BATCH) {
            let answers = console.ask(batch)?;
            accepted += answers.packer.len();
            for (number, input) in batch {
                let (ours, theirs) = (answers.kiln.get(number), answers.packer.get(number));
                compare(input, ours, theirs, &mut found);
            }
        }
        total += numbered.len();
    }
    println!(
        "oracle: {} templates of projects, {total} expressions, {accepted} accepted by packer, {} \
         differ; {left_out} heredocs left out",
        first.len(),
        found.len()
    );
    explained(&found, TABLE)
}
