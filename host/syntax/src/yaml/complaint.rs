//! Words for text that is not YAML.

use host_diag::{Diagnostic, FileId, Span};

use super::call;
use super::scalar::shown;

/// What the parser stumbled over.
#[derive(Debug)]
pub(super) struct Stumble<'t> {
    pub(super) file: FileId,
    pub(super) text: &'t str,
    /// The end of what was read without a problem.
    pub(super) sound: usize,
    /// Where it stopped.
    pub(super) at: usize,
    /// Its own words.
    pub(super) info: &'t str,
}

impl Stumble<'_> {
    /// The problem, its place and a way out.
    pub(super) fn complain(&self) -> Diagnostic {
        let from = self.sound.min(self.at);
        if let Some(call) = call::unquoted(self.text, from..self.at) {
            return call::complaint(self.file, self.text, call);
        }
        let known = self.tab().or_else(|| self.inner_quotes());
        if let Some(problem) = known
            .or_else(|| self.inner_colon())
            .or_else(|| self.missing_colon())
        {
            return problem;
        }
        let (summary, detail) = self.words();
        if let Some(escape) = self.wrong_escape() {
            let letter = self.text[escape..].chars().nth(1);
            let length = 1 + letter.map_or(0, char::len_utf8);
            let span = Span::new(self.file, escape, escape + length);
            return Diagnostic::error(summary).detail(detail).at(span);
        }
        let end = self.text[self.at..]
            .chars()
            .next()
            .filter(|letter| !matches!(letter, '\n' | '\r'))
            .map_or(self.at, |letter| self.at + letter.len_utf8());
        let span = Span::new(self.file, self.at, end);
        Diagnostic::error(summary).detail(detail).at(span)
    }

    /// The bytes of the line that `at` is on.
    fn line(&self, at: usize) -> std::ops::Range<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |end| at + end);
        start..end
    }

    /// A tab among the blanks that a line begins with.
    fn tab(&self) -> Option<Diagnostic> {
        // A tab is noticed when the line before it has been put together.
        let next = (self.line(self.at).end + 1).min(self.text.len());
        let lines = self.line(self.sound.min(self.at)).start..self.line(next).end;
        let is_meant = self.info.contains("tab");
        let mut start = lines.start;
        for line in self.text[lines].split_inclusive('\n') {
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            let is_empty = line.trim().is_empty();
            if let Some(tab) = line[..blanks].find('\t').filter(|_| is_meant || !is_empty) {
                // What stands behind is marked too, since blanks alone cannot be seen.
                let seen = line[blanks..].chars().next().filter(|_| !is_empty);
                let end = start + blanks + seen.map_or(0, char::len_utf8);
                let span = Span::new(self.file, start + tab, end);
                let problem = Diagnostic::error("Tab in indentation")
                    .detail("YAML is indented with spaces; a tab cannot stand here.")
                    .at(span);
                return Some(problem.hint("Replace each tab with two spaces.".to_owned()));
            }
            start += line.len();
        }
        None
    }

    /// A call with double quotes in text that has them around it too.
    fn inner_quotes(&self) -> Option<Diagnostic> {
        let range = self.line(self.at);
        let line = &self.text[range.clone()];
        let open = line.find('"')?;
        let close = open + 1 + line[open + 1..].find('"')?;
        let inside = &line[open + 1..close];
        let call = inside
            .rfind("{{")
            .filter(|&at| !inside[at..].contains("}}"))?;
        let end = line[close..]
            .find("}}")
            .map_or(line.trim_end().len(), |end| close + end + 2);
        let start = range.start + open + 1 + call;
        let span = Span::new(self.file, start, range.start + end);
        let problem = Diagnostic::error("Double quotes inside of double quotes")
            .detail("The text ends at the first double quote inside of the template call.");
        Some(
            problem.at(span).hint(
                "Write the call's text with back quotes: {{ user `name` }}; or put single quotes \
             around all of it."
                    .to_owned(),
            ),
        )
    }

    /// A value that goes on behind a colon of its own.
    fn inner_colon(&self) -> Option<Diagnostic> {
        if !self.info.contains("mapping values are not allowed") {
            return None;
        }
        let range = self.line(self.at);
        let (key, _) = self.text[range.start..self.at].split_once(": ")?;
        let rest = &self.text[range.start + key.len() + 1..range.end];
        let rest = rest.split(" #").next().unwrap_or(rest);
        let value = rest.trim();
        let is_bracketed = key.contains(['[', '{']);
        if is_bracketed || value.starts_with(['"', '\'', '[', '{', '&', '*', '!']) {
            return None;
        }
        let start = range.start + key.len() + 1 + (rest.len() - rest.trim_start().len());
        let span = Span::new(self.file, start, start + value.len());
        let problem = Diagnostic::error("Colon in text without quotes")
            .detail("Text that has a colon with a blank behind it must be in quotes.")
            .at(span);
        let quoted = shown(&value.replace('\'', "''"));
        Some(problem.hint(format!("Write '{quoted}'.")))
    }

    /// A key above, in the same column, whose colon is missing or has no blank behind it; to YAML
    /// it is text that goes on here.
    fn missing_colon(&self) -> Option<Diagnostic> {
        if !self.info.contains("mapping values are not allowed") {
            return None;
        }
        let here = self.line(self.at);
        let above = self.line(here.start.checked_sub(1)?);
        let column = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
        let line = self.text[above.clone()].trim_end();
        let indented = column(line);
        if self.text[here.start..self.at].contains(": ")
            || indented != column(&self.text[here.clone()])
        {
            return None;
        }
        let entry = &line[indented..];
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let end = entry
            .find(|letter| !is_name(letter))
            .filter(|&end| end > 0)?;
        let (key, rest) = entry.split_at(end);
        let (summary, detail, value) = match rest.strip_prefix(':') {
            Some(value) if value.starts_with([' ', '/']) || value.is_empty() => return None,
            Some(value) => (
                "Missing blank behind a colon",
                "A colon separates a key from its value only with a blank behind it.",
                value,
            ),
            None if rest.starts_with(' ') && !rest.contains(": ") && !rest.ends_with(':') => (
                "Missing colon",
                "A key is separated from its value by a colon and a blank.",
                rest.trim_start(),
            ),
            None => return None,
        };
        let start = above.start + indented;
        let span = Span::new(self.file, start, start + entry.len());
        let problem = Diagnostic::error(summary).detail(detail).at(span);
        Some(problem.hint(format!("Write `{key}: {}`.", shown(value))))
    }

    /// The escape between double quotes that is none.
    fn wrong_escape(&self) -> Option<usize> {
        let rest = &self.text[self.at..self.line(self.at).end];
        if !self.info.contains("unknown escape character") {
            return None;
        }
        let mut letters = rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            let known = |next: char| "0abt\tnvfre \"/\\N_LPxuU".contains(next);
            if letter == '\\' && !letters.next().is_some_and(|(_, next)| known(next)) {
                return Some(self.at + at);
            }
        }
        None
    }

    /// Summary and detail.
    fn words(&self) -> (&'static str, String) {
        let info = self.info;
        let has = |part: &str| info.contains(part);
        let detail = if has("recursion limit") {
            return (
                "Nesting too deep",
                "Too many lists and mappings are open here.".into(),
            );
        } else if has("unknown anchor") {
            return (
                "Unknown YAML anchor",
                "This alias stands for an anchor (`&name`) that does not come before it.".into(),
            );
        } else if has("mapping values are not allowed") || has("illegal placement of ':'") {
            "A colon with a blank behind it begins a value, which cannot stand here. Text that has \
             one must be in quotes; and keys of one mapping begin in the same column."
        } else if has("unexpected character") {
            "Text cannot begin with this character; put it in quotes."
        } else if has("indentation in quoted scalar") {
            "The text that begins with this quote has no closing quote, or goes on in a line that is \
             indented too little."
        } else if has("found unexpected end of stream") || has("unexpected eof") {
            "The text that was begun with a quote has no closing quote."
        } else if has("invalid trailing content") {
            "Behind the closing quote only a comment, a comma or a bracket may follow. A double \
             quote inside of double quotes is written `\\\"`, a single one inside of single quotes \
             `''`."
        } else if has("unknown escape character") || has("hexadecimal") || has("escape code") {
            "Between double quotes a backslash begins an escape, and this is none. Write two \
             backslashes, or put single quotes around the text."
        } else if has("flow mapping, did not find") || has("flow sequence, expected") {
            "A comma or the closing bracket is expected here. Text that begins with `{` or `[` must \
             be in quotes."
        } else if has("did not find expected key") || has("expected '-' indicator") {
            "This line does not belong to what stands above it: entries of one mapping or list \
             begin in the same column."
        } else if has("simple key expect") {
            "A key is followed by a colon and a blank."
        } else if has("block sequence entries") || has("only valid inside a block") {
            "An entry of a list (`- `) cannot stand here; it begins on a line of its own."
        } else if has("indentation") || has("indented") {
            "This line is indented too little or too much."
        } else if has("expected node content") || has("misplaced bracket") {
            "A value is expected here."
        } else {
            return ("Invalid YAML", format!("The text is not YAML: {info}."));
        };
        ("Invalid YAML", detail.to_owned())
    }
}
