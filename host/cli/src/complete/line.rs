//! Command lines as shells write them.

/// A command line without the program's name.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Words before the one at the cursor.
    pub(super) before: Vec<String>,
    /// The word at the cursor, up to the cursor; often empty.
    pub(super) current: Word,
    /// Words behind it.
    pub(super) after: Vec<String>,
}

/// A word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// As it is written.
    raw: String,
    /// What it means.
    pub(super) text: String,
    /// The quote that is still open at its end.
    quote: Option<char>,
}

impl Line {
    /// Splits a line, `cursor` characters into which the cursor stands.
    pub(super) fn read(line: &str, cursor: usize) -> Self {
        let end = line
            .char_indices()
            .nth(cursor)
            .map_or(line.len(), |(at, _)| at);
        let (before, after) = line.split_at(end);
        let mut words = words(before).0.into_iter();
        // The name of the program.
        words.next();
        let mut before: Vec<Word> = words.collect();
        let current = before.pop().unwrap_or_default();
        let mut after = after;
        if !after.starts_with(char::is_whitespace) {
            // The rest of the word at the cursor stays what it is, and is no word of its own.
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            after = &after[end..];
        }
        let after = match current.quote {
            // Where that quote ends, only the shell knows.
            Some(_) => Vec::new(),
            None => words_of_command(after),
        };
        Self {
            before: before.into_iter().map(|word| word.text).collect(),
            current,
            after,
        }
    }
}

fn words_of_command(text: &str) -> Vec<String> {
    let (words, ends_in_blank) = words(text);
    let mut words: Vec<String> = words.into_iter().map(|word| word.text).collect();
    if ends_in_blank {
        words.pop();
    }
    words
}

/// The words up to the end of the command; a blank at the end begins one more, which is empty.
fn words(text: &str) -> (Vec<Word>, bool) {
    let mut words = vec![Word::default()];
    let mut in_word = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is one word at least");
        match (word.quote, character) {
            (None, ' ' | '\t' | '\n') => {
                if in_word {
                    words.push(Word::default());
                }
                in_word = false;
                continue;
            }
            (None, ';' | '|' | '&') => return (words, !in_word),
            (None, '\'' | '"') => word.quote = Some(character),
            (Some(quote), other) if quote == other => word.quote = None,
            (None | Some('"'), '\\') => {
                word.raw.push(character);
                if let Some(next) = characters.next() {
                    word.raw.push(next);
                    word.text.push(next);
                }
                in_word = true;
                continue;
            }
            _ => word.text.push(character),
        }
        word.raw.push(character);
        in_word = true;
    }
    (words, !in_word)
}

impl Word {
    /// How the shell must be told of `candidate`, which begins with this word's text: quoted like
    /// the word, and without what the shell does not replace.
    pub(super) fn written(&self, candidate: &str, replaced: Option<&str>) -> Option<String> {
        let Some(replaced) = replaced else {
            return Some(self.quoted(candidate));
        };
        // The separator at which bash ended the word before may be all it gives.
        let replaced = replaced.trim_start_matches(['=', ':']);
        let kept = match self.raw.strip_suffix(replaced) {
            Some(kept) => meaning(kept),
            None => self.text.strip_suffix(replaced)?.to_owned(),
        };
        // A quote that the kept part opens is closed by the shell.
        let rest = candidate.strip_prefix(&kept)?;
        Some(self.quoted(rest))
    }

    fn quoted(&self, text: &str) -> String {
        if self.quote.is_some() {
            return text.to_owned();
        }
        let mut quoted = String::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            let home = character == '~' && at > 0;
            if home || " \t'\"\\$`()<>;&|*?[]#!{}".contains(character) {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        quoted
    }
}

fn meaning(raw: &str) -> String {
    let (words, _) = words(raw);
    let first = words.into_iter().next();
    first.map(|word| word.text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Line {
        let cursor = line.chars().position(|c| c == '¦');
        Line::read(&line.replace('¦', ""), cursor.unwrap_or(usize::MAX))
    }

    fn check(line: &str, before: &[&str], current: &str, after: &[&str]) {
        let found = read(line);
        assert_eq!(found.before, before, "{line}");
        assert_eq!(found.current.text, current, "{line}");
        assert_eq!(found.after, after, "{line}");
    }

    #[test]
    fn lines_are_split_at_the_cursor() {
        check("kiln", &[], "", &[]);
        check("kiln ", &[], "", &[]);
        check("kiln bu", &[], "bu", &[]);
        check("kiln build ", &["build"], "", &[]);
        check("kiln bu¦ild -force x", &[], "bu", &["-force", "x"]);
        check("kiln build ¦ x.json", &["build"], "", &["x.json"]);
        check("kiln ü ¦x.json y", &["ü"], "", &["y"]);
        check("kiln build ¦ -x | less", &["build"], "", &["-x"]);
    }

    #[test]
    fn quotes_are_read_as_shells_do() {
        check(
            "kiln -var 'a b' \"c d\" e\\ f",
            &["-var", "a b", "c d"],
            "e f",
            &[],
        );
        check("kiln -var 'a b", &["-var"], "a b", &[]);
        check("kiln '' x", &[""], "x", &[]);
    }

    fn written(line: &str, replaced: Option<&str>, candidate: &str, expected: Option<&str>) {
        let found = read(line).current.written(candidate, replaced);
        assert_eq!(found.as_deref(), expected, "{line} {candidate}");
    }

    #[test]
    fn candidates_are_written_as_the_shell_replaces_them() {
        written("kiln bu", None, "build", Some("build"));
        written("kiln bu", Some("bu"), "build", Some("build"));
        written(
            "kiln -on-error=cl",
            None,
            "-on-error=cleanup",
            Some("-on-error=cleanup"),
        );
        written(
            "kiln -on-error=cl",
            Some("cl"),
            "-on-error=cleanup",
            Some("cleanup"),
        );
        written(
            "kiln -on-error=",
            Some(""),
            "-on-error=cleanup",
            Some("cleanup"),
        );
        written(
            "kiln -on-error=",
            Some("="),
            "-on-error=cleanup",
            Some("cleanup"),
        );
        written("kiln -x", Some("y"), "-xy", None);
    }

    #[test]
    fn candidates_are_quoted_as_the_word_is() {
        written("kiln a", None, "a b.json", Some("a\\ b.json"));
        written("kiln 'a", None, "a b.json", Some("a b.json"));
        written("kiln 'a", Some("a"), "a b.json", Some("a b.json"));
        written("kiln a\\ b", Some("a\\ b"), "a b.json", Some("a\\ b.json"));
        written("kiln ~/a", None, "~/a.json", Some("~/a.json"));
    }
}
