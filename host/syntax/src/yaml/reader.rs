//! Structure: from the parser's events to the tree.

use std::collections::HashMap;

use host_diag::{Diagnostic, Diagnostics, FileId, Span};
use saphyr_parser::{Event, Parser, ScalarStyle, Span as Extent, StrInput, Tag};

use super::budget::{Anchored, Budget};
use super::complaint::Stumble;
use super::mapping::Members;
use super::places::Places;
use super::scalar::{Refusal, Wanted, resolve, shown};
use super::{MOST_BYTES, call};
use crate::json::{Kind, Member, Value};

/// Sequences and mappings that may be inside of each other.
const MOST_NESTING: usize = 200;

/// Problems reported of one document before reading stops.
const MOST_DIAGNOSTICS: usize = 50;

const MARK: char = '\u{FEFF}';

/// Reading cannot go on; why has been reported.
struct Stop;

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    places: Places<'t>,
    anchors: HashMap<usize, Anchored>,
    budget: Budget,
    depth: usize,
    /// Byte behind the last scalar or bracket.
    end: usize,
    diagnostics: Diagnostics,
}

pub(super) fn read(file: FileId, text: &str) -> (Option<Value>, Diagnostics) {
    if text.len() > MOST_BYTES {
        let detail = format!(
            "A YAML file may have {} MiB; this one has {} bytes.",
            MOST_BYTES >> 20,
            text.len()
        );
        return (
            None,
            vec![Diagnostic::error("File too large").detail(detail)],
        );
    }
    let offset = if text.starts_with(MARK) {
        MARK.len_utf8()
    } else {
        0
    };
    let mut reader = Reader {
        file,
        text,
        parser: Parser::new_from_str(&text[offset..]),
        places: Places::new(text, offset),
        anchors: HashMap::new(),
        budget: Budget::new(),
        depth: 0,
        end: offset,
        diagnostics: Diagnostics::new(),
    };
    let value = reader.document().ok();
    (value, reader.diagnostics)
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Value, Stop> {
        let mut found = None;
        loop {
            let (event, extent) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if found.is_some() => {
                    let span = self.span(&extent);
                    let problem = Diagnostic::error("Several YAML documents").detail(
                        "`---` begins another document; a file holds one template and nothing \
                         else.",
                    );
                    return self.stop(problem.at(span));
                }
                Event::DocumentStart(_) => {
                    let (event, extent) = self.next()?;
                    found = Some(self.node(event, &extent)?);
                }
                _ => {}
            }
        }
        match found {
            Some(Value {
                kind: Kind::Null,
                span,
            }) if span.start == span.end => self.empty(),
            Some(value) => Ok(value),
            None => self.empty(),
        }
    }

    fn empty(&mut self) -> Result<Value, Stop> {
        let span = Span::new(self.file, 0, 0);
        self.stop(
            Diagnostic::error("Empty YAML document")
                .detail("There is nothing in it, or nothing but blanks and comments.")
                .at(span)
                .hint("Write `{}` for a document without keys.".to_owned()),
        )
    }

    fn next(&mut self) -> Result<(Event<'t>, Extent), Stop> {
        let error = match self.parser.next_event() {
            Some(Ok(next)) => return Ok(next),
            Some(Err(error)) => error,
            None => return Ok((Event::StreamEnd, Extent::default())),
        };
        let stumble = Stumble {
            file: self.file,
            text: self.text,
            sound: self.end,
            at: self.places.byte(error.marker().index()),
            info: error.info(),
        };
        let problem = stumble.complain();
        let last = self.diagnostics.last();
        if last.is_some_and(|last| last.subject == problem.subject) {
            return Err(Stop);
        }
        self.stop(problem)
    }

    fn span(&self, extent: &Extent) -> Span {
        let start = self.places.byte(extent.start.index());
        let end = self.places.byte(extent.end.index()).max(start);
        Span::new(self.file, start, end)
    }

    /// Reports a mistake that can be read over.
    fn report(&mut self, problem: Diagnostic) -> Result<(), Stop> {
        self.diagnostics.push(problem);
        self.go_on()
    }

    /// Stops reading when too much is wrong.
    fn go_on(&mut self) -> Result<(), Stop> {
        if self.diagnostics.len() < MOST_DIAGNOSTICS {
            return Ok(());
        }
        self.diagnostics.push(
            Diagnostic::error("Too many errors")
                .detail("Reading stopped here; there may be more problems in this file."),
        );
        Err(Stop)
    }

    /// Reports a mistake behind which nothing can be made out.
    fn stop<T>(&mut self, problem: Diagnostic) -> Result<T, Stop> {
        self.report(problem)?;
        Err(Stop)
    }

    /// The value that starts with `event`.
    fn node(&mut self, event: Event<'t>, extent: &Extent) -> Result<Value, Stop> {
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, extent),
            Event::Scalar(text, style, anchor, tag) => {
                let has_properties = anchor > 0 || tag.is_some();
                let span = self.scalar_span(extent, style, has_properties);
                let wanted = tag.as_deref().map(Wanted::of).transpose();
                let kind = wanted.and_then(|wanted| resolve(text, style, wanted));
                (anchor, self.sound(kind, span)?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), Wanted::Sequence, extent)?;
                (anchor, self.nested(extent, Self::sequence)?)
            }
            Event::MappingStart(anchor, tag) => {
                let bracket = self.bracket(extent);
                if let Some(call) = bracket.and_then(|at| call::at(self.text, at)) {
                    return self.unquoted(call);
                }
                self.tag(tag.as_deref(), Wanted::Mapping, extent)?;
                (anchor, self.nested(extent, Self::mapping)?)
            }
            _ => {
                let span = self.span(extent);
                let problem = Diagnostic::error("Missing YAML value");
                return self.stop(problem.detail("A value is expected here.").at(span));
            }
        };
        if anchor > 0 {
            let anchored = Anchored::new(value.clone());
            self.spend(&anchored, value.span)?;
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    /// The place of a scalar, without an anchor and a tag before it and blanks behind it.
    fn scalar_span(&mut self, extent: &Extent, style: ScalarStyle, has_properties: bool) -> Span {
        let span = self.span(extent);
        let (mut start, end) = (span.start as usize, span.end as usize);
        while has_properties && self.text[start..end].starts_with(['&', '!']) {
            let property = self.text[start..end].find(char::is_whitespace);
            let rest = &self.text[start + property.unwrap_or(end - start)..end];
            start = end - rest.trim_start().len();
        }
        let written = &self.text[start..end];
        let blank = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => "",
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => " \t\r\n",
        };
        let length = written.trim_end_matches(|c| blank.contains(c)).len();
        self.end = self.end.max(start + length);
        Span::new(self.file, start, start + length)
    }

    /// A value, or null with a report.
    fn sound(&mut self, kind: Result<Kind, Refusal>, span: Span) -> Result<Value, Stop> {
        let kind = match kind {
            Ok(kind) => kind,
            Err((summary, detail)) => {
                self.report(Diagnostic::error(summary).detail(detail).at(span))?;
                Kind::Null
            }
        };
        Ok(Value { kind, span })
    }

    /// Where the bracket of a sequence or mapping stands, when it has one.
    fn bracket(&self, extent: &Extent) -> Option<usize> {
        let span = self.span(extent);
        let at = (span.end as usize).checked_sub(1)?;
        let is_bracket = matches!(self.text.as_bytes()[at], b'[' | b'{');
        (span.end > span.start && is_bracket).then_some(at)
    }

    /// Checks the tag of a sequence or mapping.
    fn tag(&mut self, tag: Option<&Tag>, fitting: Wanted, extent: &Extent) -> Result<(), Stop> {
        let (summary, detail) = match tag.map(Wanted::of) {
            None => return Ok(()),
            Some(Ok(wanted)) if wanted == fitting => return Ok(()),
            Some(Ok(_)) => {
                let what = match fitting {
                    Wanted::Sequence => "list",
                    _ => "mapping",
                };
                (
                    "Wrong YAML tag",
                    format!("The tag does not fit the {what} behind it."),
                )
            }
            Some(Err(refusal)) => refusal,
        };
        let span = self.span(extent);
        self.report(Diagnostic::error(summary).detail(detail).at(span))
    }

    fn alias(&mut self, anchor: usize, extent: &Extent) -> Result<Value, Stop> {
        let span = self.span(extent);
        self.end = self.end.max(span.end as usize);
        let Some(anchored) = self.anchors.remove(&anchor) else {
            let problem = Diagnostic::error("Alias inside of what it stands for").detail(
                "The anchor that this alias names is still open here, so it would hold itself.",
            );
            return self.stop(problem.at(span));
        };
        if self.depth + anchored.height > MOST_NESTING {
            return self.too_deep(span);
        }
        self.spend(&anchored, span)?;
        let value = anchored.value.clone();
        self.anchors.insert(anchor, anchored);
        Ok(value)
    }

    fn spend(&mut self, anchored: &Anchored, span: Span) -> Result<(), Stop> {
        if self.budget.spend(anchored).is_some() {
            return Ok(());
        }
        let problem = Diagnostic::error("Too much behind aliases")
            .detail("Anchors and aliases multiply this document beyond what a template can need.");
        self.stop(problem.at(span))
    }

    fn too_deep<T>(&mut self, span: Span) -> Result<T, Stop> {
        let detail = format!("More than {MOST_NESTING} lists and mappings are open here.");
        let problem = Diagnostic::error("Nesting too deep").detail(detail);
        self.stop(problem.at(span))
    }

    /// A sequence or mapping; its place ends with its bracket, or with the last thing in it.
    fn nested(
        &mut self,
        extent: &Extent,
        read: fn(&mut Self) -> Result<(Kind, Extent), Stop>,
    ) -> Result<Value, Stop> {
        let bracket = self.bracket(extent);
        let start = bracket.unwrap_or(self.span(extent).end as usize);
        self.depth += 1;
        if self.depth > MOST_NESTING {
            return self.too_deep(Span::new(self.file, start, start + 1));
        }
        self.end = self.end.max(start);
        let (kind, close) = read(self)?;
        self.depth -= 1;
        if bracket.is_some() {
            let close = self.span(&close);
            self.end = self.end.max(close.end as usize);
        }
        let span = Span::new(self.file, start, self.end);
        Ok(Value { kind, span })
    }

    fn sequence(&mut self) -> Result<(Kind, Extent), Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, extent) => return Ok((Kind::Array(items), extent)),
                (event, extent) => items.push(self.node(event, &extent)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<(Kind, Extent), Stop> {
        let mut members = Members::default();
        loop {
            let (event, extent) = self.next()?;
            if event == Event::MappingEnd {
                let members = members.finish(&mut self.diagnostics);
                return Ok((Kind::Object(members), extent));
            }
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, &extent)?;
            let (event, extent) = self.next()?;
            let value = self.node(event, &extent)?;
            if merges {
                members.merge(value, key.span, &mut self.diagnostics);
                self.go_on()?;
                continue;
            }
            let key_span = key.span;
            match key.kind {
                Kind::String(key) => {
                    let member = Member {
                        key,
                        key_span,
                        value,
                    };
                    members.add(member, &mut self.diagnostics);
                    self.go_on()?;
                }
                other => self.report(wrong_key(&other, key_span, self.text))?,
            }
        }
    }

    /// Reports a template call that was read as a mapping, and goes behind it.
    fn unquoted(&mut self, call: std::ops::Range<usize>) -> Result<Value, Stop> {
        let mut open = 1;
        while open > 0 {
            match self.next()?.0 {
                Event::MappingStart(..) | Event::SequenceStart(..) => open += 1,
                Event::MappingEnd | Event::SequenceEnd => open -= 1,
                _ => {}
            }
        }
        self.end = self.end.max(call.end);
        let value = Value {
            kind: Kind::String(self.text[call.clone()].to_owned()),
            span: Span::new(self.file, call.start, call.end),
        };
        self.report(call::complaint(self.file, self.text, call))?;
        Ok(value)
    }
}

fn wrong_key(key: &Kind, span: Span, text: &str) -> Diagnostic {
    let what = match key {
        Kind::Null => "nothing",
        Kind::Bool(_) => "a bool",
        Kind::Number(_) => "a number",
        Kind::String(_) => "text",
        Kind::Array(_) => "a list",
        Kind::Object(_) => "a mapping",
    };
    let problem = Diagnostic::error("Key is no text")
        .detail(format!("A key must be text, and this one is {what}."))
        .at(span);
    let written = &text[span.start as usize..span.end as usize];
    match key {
        Kind::Bool(_) | Kind::Number(_) => {
            problem.hint(format!("Put it in quotes: \"{}\".", shown(written)))
        }
        _ => problem,
    }
}
