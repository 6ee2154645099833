//! Patterns in RE2's syntax, as Go reads it, written as the `regex` crate reads them.
//!
//! The two agree on most of it; here is what one has and the other has not: classes such as `\d`
//! are ASCII, a brace that counts nothing and a bracket in a class are plain characters, `\Q…\E`
//! quotes, and operators on sets of characters, doubled repetitions and the flag `x` do not exist.

use std::iter::Peekable;
use std::str::Chars;

/// The most times that something may be repeated, all repetitions around it multiplied.
const MOST_REPEATS: u32 = 1000;
/// The names between `[:` and `:]`.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// `pattern` for the `regex` crate, or what is wrong with it.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Reader {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        operand: Operand::Missing,
        groups: Vec::new(),
        repeats: 1,
    };
    while let Some(character) = reader.next() {
        reader.one(character)?;
    }
    match reader.groups.is_empty() {
        true => Ok(reader.out),
        false => Err(format!("missing closing ): `{pattern}`")),
    }
}

/// What a repetition would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// Nothing: the pattern or a group begins here.
    Missing,
    /// Something, repeated at most so often within itself.
    There(u32),
    /// Something that is repeated already.
    Repeated(u32),
}

struct Reader<'p> {
    rest: &'p str,
    out: String,
    operand: Operand,
    /// The repeats of what was read before each open group.
    groups: Vec<u32>,
    /// The most repeats of anything in the group at hand.
    repeats: u32,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn literal(&mut self, character: char) {
        push_literal(character, &mut self.out);
        self.operand = Operand::There(1);
    }

    fn plain(&mut self, text: &str) {
        self.out.push_str(text);
        self.operand = Operand::There(1);
    }

    fn one(&mut self, character: char) -> Result<(), String> {
        match character {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '(' => return self.group(),
            ')' => {
                let outer = self.groups.pop().ok_or("unexpected )")?;
                self.out.push(')');
                self.operand = Operand::There(self.repeats);
                self.repeats = self.repeats.max(outer);
            }
            '|' => {
                self.out.push('|');
                self.operand = Operand::Missing;
            }
            '*' | '+' | '?' => return self.repetition(&character.to_string(), 1),
            '{' => match counted(self.rest) {
                Some((length, most)) => {
                    let text = format!("{{{}", &self.rest[..length]);
                    if most.is_none_or(|most| most > MOST_REPEATS) {
                        return Err(format!("invalid repeat count: `{text}`"));
                    }
                    self.rest = &self.rest[length..];
                    return self.repetition(&text, most.unwrap_or(1).max(1));
                }
                None => self.literal('{'),
            },
            '.' | '^' | '$' => self.plain(character.encode_utf8(&mut [0; 4])),
            other => self.literal(other),
        }
        Ok(())
    }

    fn repetition(&mut self, text: &str, times: u32) -> Result<(), String> {
        let inner = match self.operand {
            Operand::Missing => {
                return Err(format!("missing argument to repetition operator: `{text}`"));
            }
            Operand::Repeated(_) => {
                return Err(format!("invalid nested repetition operator: `{text}`"));
            }
            Operand::There(inner) => inner,
        };
        let repeats = inner.saturating_mul(times);
        if repeats > MOST_REPEATS {
            return Err(format!("invalid repeat count: `{text}`"));
        }
        self.out.push_str(text);
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            self.out.push('?');
        }
        self.repeats = self.repeats.max(repeats);
        self.operand = Operand::Repeated(repeats);
        Ok(())
    }

    /// Behind an opening parenthesis.
    fn group(&mut self) -> Result<(), String> {
        self.operand = Operand::Missing;
        let Some(after) = self.rest.strip_prefix('?') else {
            return self.open("(", 0);
        };
        let name = after.strip_prefix("P<").or(after.strip_prefix('<'));
        if let Some((name, _)) = name.and_then(|text| text.split_once('>')) {
            let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                return Err(format!("invalid named capture: `(?P<{name}>`"));
            }
            let length = self.rest.find('>').unwrap_or(0) + 1;
            return self.open(&format!("(?P<{name}>"), length);
        }
        let end = after.find([')', ':']).unwrap_or(after.len());
        let flags = &after[..end];
        let known = flags
            .chars()
            .all(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-'));
        let complete =
            end < after.len() && flags.matches('-').count() <= 1 && !flags.ends_with('-');
        if !known || !complete {
            let shown: String = after
                .chars()
                .take(flags.chars().count().clamp(1, 3))
                .collect();
            return Err(format!("invalid or unsupported Perl syntax: `(?{shown}`"));
        }
        if after[end..].starts_with(':') {
            return self.open(&format!("(?{flags}:"), end + 2);
        }
        if !flags.is_empty() {
            self.out.push_str(&format!("(?{flags})"));
        }
        self.rest = &after[end + 1..];
        Ok(())
    }

    fn open(&mut self, text: &str, length: usize) -> Result<(), String> {
        self.out.push_str(text);
        self.rest = &self.rest[length..];
        self.groups.push(self.repeats);
        self.repeats = 1;
        Ok(())
    }

    /// Behind a backslash outside of classes.
    fn escape(&mut self) -> Result<(), String> {
        let Some(character) = self.next() else {
            return Err("trailing backslash at end of expression".to_owned());
        };
        match character {
            'A' | 'z' => self.plain(&format!("\\{character}")),
            'b' | 'B' => self.plain(&format!("(?-u:\\{character})")),
            'Q' => {
                let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                for character in quoted.chars() {
                    self.literal(character);
                }
                self.rest = after;
            }
            other => {
                let (text, rest) = character_or_class(other, self.rest)?;
                self.rest = rest;
                self.plain(&text.outside());
            }
        }
        Ok(())
    }

    /// Behind an opening bracket.
    fn class(&mut self) -> Result<(), String> {
        let whole = self.rest;
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(character) = self.next() else {
                return Err(format!("missing closing ]: `[{whole}`"));
            };
            match character {
                ']' if !first => break,
                '[' if self.rest.starts_with(':') && self.rest[1..].contains(":]") => {
                    self.named_class()?;
                }
                other => self.members(other)?,
            }
            first = false;
        }
        self.plain("]");
        Ok(())
    }

    fn named_class(&mut self) -> Result<(), String> {
        let (name, after) = self.rest[1..].split_once(":]").unwrap_or_default();
        if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range: `[:{name}:]`"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = after;
        Ok(())
    }

    /// One character or class within brackets, or a range of characters.
    fn members(&mut self, character: char) -> Result<(), String> {
        let low = match self.member(character)? {
            Member::Character(low) => low,
            Member::Class(text) => {
                self.out.push_str(&text);
                return Ok(());
            }
        };
        push_literal(low, &mut self.out);
        let Some(after) = self
            .rest
            .strip_prefix('-')
            .filter(|text| !text.starts_with(']'))
        else {
            return Ok(());
        };
        self.rest = after;
        let next = self.next().ok_or("missing closing ]")?;
        match self.member(next)? {
            Member::Character(high) if high >= low => {
                self.out.push('-');
                push_literal(high, &mut self.out);
                Ok(())
            }
            _ => Err(format!("invalid character class range: `{low}-{next}`")),
        }
    }

    fn member(&mut self, character: char) -> Result<Member, String> {
        if character != '\\' {
            return Ok(Member::Character(character));
        }
        let Some(escaped) = self.next() else {
            return Err("trailing backslash at end of expression".to_owned());
        };
        let (member, rest) = character_or_class(escaped, self.rest)?;
        self.rest = rest;
        Ok(member)
    }
}

enum Member {
    Character(char),
    /// As the `regex` crate writes it; it can stand in brackets.
    Class(String),
}

impl Member {
    fn outside(&self) -> String {
        match self {
            Self::Class(text) => text.clone(),
            Self::Character(character) => {
                let mut text = String::new();
                push_literal(*character, &mut text);
                text
            }
        }
    }
}

/// Braces around a count: bytes up to the closing one, and the larger number, `None` when it is
/// too large or smaller than the other.
fn counted(text: &str) -> Option<(usize, Option<u32>)> {
    let inside = &text[..text.find('}')?];
    let (low, high) = match inside.split_once(',') {
        Some((low, "")) => (low, low),
        Some(both) => both,
        None => (inside, inside),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(low) || !digits(high) {
        return None;
    }
    let (low, high): (Option<u32>, Option<u32>) = (low.parse().ok(), high.parse().ok());
    let most = high.filter(|high| low.is_some_and(|low| low <= *high));
    Some((inside.len() + 1, most))
}

/// What `\character` stands for, with `rest` behind it, and what is behind that.
fn character_or_class(character: char, rest: &str) -> Result<(Member, &str), String> {
    let class = |text: &str| Ok((Member::Class(text.to_owned()), rest));
    let one = |character: char| Ok((Member::Character(character), rest));
    match character {
        'd' => class("[0-9]"),
        'D' => class("[^0-9]"),
        'w' => class("[0-9A-Za-z_]"),
        'W' => class("[^0-9A-Za-z_]"),
        's' => class("[\\t\\n\\f\\r ]"),
        'S' => class("[^\\t\\n\\f\\r ]"),
        'p' | 'P' => property(character, rest),
        'a' => one('\u{7}'),
        'f' => one('\u{c}'),
        'n' => one('\n'),
        'r' => one('\r'),
        't' => one('\t'),
        'v' => one('\u{b}'),
        'x' => hexadecimal(rest),
        '0'..='7' => octal(character, rest),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => one(other),
        other => Err(format!("invalid escape sequence: `\\{other}`")),
    }
}

fn property(letter: char, rest: &str) -> Result<(Member, &str), String> {
    let problem = || format!("invalid character class range: `\\{letter}{rest}`");
    let (name, after) = match rest.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(problem)?,
        None => {
            let end = rest.chars().next().map_or(0, char::len_utf8);
            rest.split_at(end)
        }
    };
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphabetic()) {
        return Err(problem());
    }
    let letter = if negated == (letter == 'p') { 'P' } else { 'p' };
    Ok((Member::Class(format!("\\{letter}{{{name}}}")), after))
}

fn hexadecimal(rest: &str) -> Result<(Member, &str), String> {
    let (digits, after) = match rest.strip_prefix('{') {
        Some(braced) => braced.split_once('}').unwrap_or(("", "")),
        None => rest.split_at_checked(2).unwrap_or(("", "")),
    };
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = valid
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten();
    match code.and_then(char::from_u32) {
        Some(character) => Ok((Member::Character(character), after)),
        None => Err("invalid escape sequence: `\\x`".to_owned()),
    }
}

/// Up to three digits from 0; one digit alone would refer back, which RE2 cannot.
fn octal(first: char, rest: &str) -> Result<(Member, &str), String> {
    let mut code = first.to_digit(8).unwrap_or(0);
    let mut after: Peekable<Chars<'_>> = rest.chars().peekable();
    let mut length = 0;
    while length < 2 {
        let Some(digit) = after.peek().and_then(|c| c.to_digit(8)) else {
            break;
        };
        code = code * 8 + digit;
        length += 1;
        after.next();
    }
    if first != '0' && length == 0 {
        return Err(format!("invalid escape sequence: `\\{first}`"));
    }
    let character = char::from_u32(code).unwrap_or('\0');
    Ok((Member::Character(character), &rest[length..]))
}

fn push_literal(character: char, out: &mut String) {
    out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    // The crate escapes what has a meaning outside of brackets; `&`, `~` and `-` it does, too.
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let translated = translate(pattern).expect("a pattern");
        let compiled = regex::Regex::new(&translated);
        let compiled = compiled.unwrap_or_else(|error| panic!("{pattern}: {translated}: {error}"));
        let found = compiled.find(text).map(|found| found.as_str());
        assert_eq!(found, expected, "{pattern} as {translated}");
    }

    fn check_error(pattern: &str, expected: &str) {
        let found = translate(pattern).expect_err(pattern);
        assert!(found.contains(expected), "{pattern}: {found}");
    }

    #[test]
    fn classes_are_ascii() {
        check(r"\w+", "äbc1", Some("bc1"));
        check(r"[\w]", "ß", None);
        check(r"[^\d\s]", "1 x", Some("x"));
        check(r"\bb", "äb", Some("b"));
        check(r"\D", "٣", Some("٣"));
        check(r"\S", "\u{b}", Some("\u{b}"));
    }

    #[test]
    fn what_counts_nothing_is_text() {
        check("a{2", "a{2", Some("a{2"));
        check("a{,2}", "a{,2}", Some("a{,2}"));
        check("x{1,2}?", "xx", Some("x"));
        check("]}", "]}", Some("]}"));
        check("{", "{", Some("{"));
    }

    #[test]
    fn brackets_hold_characters_and_ranges_only() {
        check("[]a]+", "]a", Some("]a"));
        check("[^]]", "]x", Some("x"));
        check("[a&&b]+", "a&b", Some("a&b"));
        check("[[a]", "[", Some("["));
        check("[a-]+", "a-b", Some("a-"));
        check("[[:alpha:]_]+", "1ab_", Some("ab_"));
        check(r"[\x41-\x{43}]", "xB", Some("B"));
        check_error("[b-a]", "invalid character class range");
        check_error("[a--b]", "invalid character class range");
        check_error("[[:foo:]]", "invalid character class range");
        check_error("[a", "missing closing ]");
    }

    #[test]
    fn quotes_and_escapes_stand_for_characters() {
        check(r"\Qa.b\E+", "xa.bb", Some("a.bb"));
        check(r"\<", "a<", Some("<"));
        check(r"\07", "\u{7}", Some("\u{7}"));
        check(r"\p{^Greek}\pL", "αab", Some("ab"));
        check_error(r"\1", "invalid escape sequence");
        check_error(r"\u0061", "invalid escape sequence");
        check_error(r"\Z", "invalid escape sequence");
        check_error("\\", "trailing backslash");
    }

    #[test]
    fn groups_and_flags_are_those_of_re2() {
        check("(?i)A(?-i:b)", "aB ab", Some("ab"));
        check("(?P<x>a)(?<y>b)", "ab", Some("ab"));
        check("(?U)a+", "aa", Some("a"));
        check_error("(?x)a", "unsupported Perl syntax");
        check_error("(?=a)", "unsupported Perl syntax");
        check_error("(a", "missing closing )");
        check_error("a)", "unexpected )");
    }

    #[test]
    fn repetitions_are_neither_doubled_nor_huge() {
        check("a??b", "ab", Some("ab"));
        check_error("a**", "invalid nested repetition");
        check_error("a++", "invalid nested repetition");
        check_error("*", "missing argument");
        check_error("(|*)", "missing argument");
        check_error("x{1001}", "invalid repeat count");
        check_error("x{2,1}", "invalid repeat count");
        check_error("((a{100}){100}){100}", "invalid repeat count");
    }
}
