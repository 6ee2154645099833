//! Structure: values, arrays, objects.

use host_diag::{Diagnostic, Diagnostics, FileId, Span};

use super::{Kind, Member, Value};

/// Arrays and objects that may be open at once.
const MOST_NESTING: usize = 200;

/// Problems reported of one document before reading stops.
const MOST_DIAGNOSTICS: usize = 50;

/// Values one document may have; each takes some hundred bytes.
const MOST_VALUES: usize = 1_000_000;

/// Reading cannot go on; why has been reported.
pub(super) struct Stop;

pub(super) struct Reader<'t> {
    file: FileId,
    pub(super) text: &'t str,
    pub(super) at: usize,
    depth: usize,
    /// Values begun so far.
    values: usize,
    diagnostics: Diagnostics,
}

pub(super) fn read(file: FileId, text: &str) -> (Option<Value>, Diagnostics) {
    let mut reader = Reader {
        file,
        text,
        at: 0,
        depth: 0,
        values: 0,
        diagnostics: Diagnostics::new(),
    };
    if text.starts_with('\u{FEFF}') {
        reader.at = '\u{FEFF}'.len_utf8();
    }
    let value = reader.document().ok();
    (value, reader.diagnostics)
}

/// What separates the elements of an array or the members of an object.
enum Next {
    Element,
    Closed,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Stop> {
        if u32::try_from(self.text.len()).is_err() {
            return self.stop(
                "File too large",
                "A file of 4 GiB or more cannot be read.",
                0,
                0,
            );
        }
        self.skip_blanks()?;
        if self.peek().is_none() {
            return self.stop(
                "Missing JSON value",
                "The document is empty.",
                self.at,
                self.at,
            );
        }
        let is_container = matches!(self.peek(), Some(b'{' | b'['));
        let value = self.value()?;
        self.skip_blanks()?;
        // Where the text is no JSON from its start, all of it follows from that.
        let is_other_text = !is_container && !self.diagnostics.is_empty();
        if self.peek().is_some() && !is_other_text {
            return self.stop(
                "Extra text after JSON document",
                "A document is one value, and it ends before this; look for a bracket too many.",
                self.at,
                self.at + self.character_length(),
            );
        }
        Ok(value)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn character_length(&self) -> usize {
        self.rest().chars().next().map_or(0, char::len_utf8)
    }

    /// Reports a mistake that can be read over.
    pub(super) fn report(
        &mut self,
        summary: &str,
        detail: impl Into<String>,
        start: usize,
        end: usize,
    ) -> Result<(), Stop> {
        let span = self.span(start, end);
        self.diagnostics
            .push(Diagnostic::error(summary).detail(detail).at(span));
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
    pub(super) fn stop<T>(
        &mut self,
        summary: &str,
        detail: impl Into<String>,
        start: usize,
        end: usize,
    ) -> Result<T, Stop> {
        self.report(summary, detail, start, end)?;
        Err(Stop)
    }

    fn skip_blanks(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/' | b'#') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// Reports a comment and goes behind it.
    fn comment(&mut self) -> Result<(), Stop> {
        let rest = self.rest();
        let length = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            return self.stop(
                "Invalid JSON value",
                "A `/` has no meaning here.",
                self.at,
                self.at + 1,
            );
        };
        let start = self.at;
        self.at += length;
        self.report(
            "Comment in JSON",
            "JSON has no comments; where the format allows it, write a member such as `\"//\": \"text\"`.",
            start,
            start + length,
        )
    }

    fn value(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        self.values += 1;
        if self.values > MOST_VALUES {
            let detail =
                format!("A document may have {MOST_VALUES} values; here they are exceeded.");
            return self.stop(
                "File too large",
                detail,
                start,
                start + self.character_length(),
            );
        }
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"' | b'\'') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b',' | b']' | b'}' | b':') | None => {
                return self.stop(
                    "Missing JSON value",
                    "A value is expected here.",
                    start,
                    start + self.character_length(),
                );
            }
            Some(_) => self.word()?,
        };
        Ok(Value {
            kind,
            span: self.span(start, self.at),
        })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind, Stop>) -> Result<Kind, Stop> {
        self.depth += 1;
        if self.depth > MOST_NESTING {
            let detail = format!("More than {MOST_NESTING} arrays and objects are open here.");
            return self.stop("Nesting too deep", detail, self.at, self.at + 1);
        }
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn array(&mut self) -> Result<Kind, Stop> {
        let open = self.at;
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(elements));
        }
        loop {
            if self.peek().is_none() {
                return self.unclosed(open, b']', "array");
            }
            elements.push(self.value()?);
            if let Next::Closed = self.separator(open, b']', "array")? {
                return Ok(Kind::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Kind, Stop> {
        let open = self.at;
        self.at += 1;
        let mut members = Vec::new();
        self.skip_blanks()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            if self.peek().is_none() {
                return self.unclosed(open, b'}', "object");
            }
            members.push(self.member()?);
            if let Next::Closed = self.separator(open, b'}', "object")? {
                return Ok(Kind::Object(members));
            }
        }
    }

    fn member(&mut self) -> Result<Member, Stop> {
        let start = self.at;
        let key = match self.peek() {
            Some(b'"' | b'\'') => self.string()?,
            _ => self.bare_key()?,
        };
        let key_span = self.span(start, self.at);
        self.skip_blanks()?;
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(b'=') => {
                self.at += 1;
                self.report(
                    "Missing colon",
                    "A key is followed by a colon, not by `=`.",
                    self.at - 1,
                    self.at,
                )?;
            }
            _ => {
                let end = self.at + self.character_length();
                return self.stop(
                    "Missing colon",
                    format!("The key `{key}` is followed by a colon and a value."),
                    self.at,
                    end,
                );
            }
        }
        self.skip_blanks()?;
        Ok(Member {
            key,
            key_span,
            value: self.value()?,
        })
    }

    fn bare_key(&mut self) -> Result<String, Stop> {
        let start = self.at;
        let length = self.word_length();
        if length == 0 {
            let end = start + self.character_length();
            return self.stop(
                "Missing JSON key",
                "A key in double quotes is expected here.",
                start,
                end,
            );
        }
        self.at += length;
        let key = self.text[start..self.at].to_owned();
        self.report(
            "Key without quotes",
            format!("The key `{key}` must be in double quotes."),
            start,
            self.at,
        )?;
        Ok(key)
    }

    fn word_length(&self) -> usize {
        let rest = self.rest();
        rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')))
            .unwrap_or(rest.len())
    }

    /// Behind an element: a comma and another element, or the closing bracket.
    fn separator(&mut self, open: usize, close: u8, what: &str) -> Result<Next, Stop> {
        let end = self.at;
        self.skip_blanks()?;
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(Next::Closed)
            }
            Some(b',') => self.behind_comma(close, what),
            Some(
                b'"' | b'\'' | b'{' | b'[' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_',
            ) => {
                self.report(
                    "Missing comma",
                    format!("A comma is expected here, before the next part of the {what}."),
                    end,
                    end,
                )?;
                Ok(Next::Element)
            }
            None => self.unclosed(open, close, what),
            Some(_) => {
                let end = self.at + self.character_length();
                self.stop(
                    "Missing comma",
                    format!("A comma or the end of the {what} is expected here."),
                    self.at,
                    end,
                )
            }
        }
    }

    /// The text ends within the bracket at `open`.
    fn unclosed<T>(&mut self, open: usize, close: u8, what: &str) -> Result<T, Stop> {
        let close = char::from(close);
        let detail = format!("This {what} has no closing bracket; `{close}` is missing.");
        self.stop("Unclosed JSON bracket", detail, open, open + 1)
    }

    fn behind_comma(&mut self, close: u8, what: &str) -> Result<Next, Stop> {
        let comma = self.at;
        self.at += 1;
        self.skip_blanks()?;
        if self.peek() != Some(close) {
            return Ok(Next::Element);
        }
        self.report(
            "Trailing comma",
            format!("The last part of an {what} has no comma behind it; remove this one."),
            comma,
            comma + 1,
        )?;
        self.at += 1;
        Ok(Next::Closed)
    }

    fn number(&mut self) -> Result<Kind, Stop> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let number = rest[..length].to_owned();
        let start = self.at;
        self.at += length;
        if !is_number(number.as_bytes()) {
            self.report(
                "Invalid JSON number",
                format!(
                    "`{}` is not a number as JSON writes them.",
                    shortened(&number)
                ),
                start,
                self.at,
            )?;
            return Ok(Kind::Null);
        }
        Ok(Kind::Number(number))
    }

    fn word(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        let length = self.word_length();
        let word = self.rest()[..length].to_owned();
        if length == 0 {
            let end = start + self.character_length();
            return self.stop(
                "Invalid JSON value",
                "This is not the start of a value.",
                start,
                end,
            );
        }
        self.at += length;
        match word.as_str() {
            "null" => return Ok(Kind::Null),
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            _ => {}
        }
        let detail = match word.to_ascii_lowercase().as_str() {
            lower @ ("true" | "false" | "null") => {
                format!("`{word}` is written `{lower}` in JSON.")
            }
            "none" | "nil" | "undefined" => format!("`{word}` is written `null` in JSON."),
            _ => format!(
                "`{}` is not a JSON value; text must be in double quotes.",
                shortened(&word)
            ),
        };
        self.report("Invalid JSON keyword", detail, start, self.at)?;
        Ok(Kind::Null)
    }
}

fn is_number(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let digits = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = digits(bytes);
    if whole == 0 || (whole > 1 && bytes[0] == b'0') {
        return false;
    }
    let mut rest = &bytes[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            _ => exponent,
        };
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// So much of a text as fits into a message.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(40).chain(['…']).collect()
}
