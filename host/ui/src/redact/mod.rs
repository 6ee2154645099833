//! Keeping secrets out of outputs.

mod encoded;
mod forms;
mod quoted;
mod readings;

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};

use self::forms::forms;
use self::readings::readings;

/// What is shown in place of a secret.
const PLACEHOLDER: &str = "<sensitive>";
/// A line at least this long may have been cut, in the middle of a secret.
const CUT_LINE_BYTES: usize = 1000;
/// So much of a secret at the end of a cut line is replaced; less than this gives nothing away.
const CUT_SECRET_BYTES: usize = 6;

/// Replaces every known secret in a text: the whole value and each of its lines, plain or in the
/// forms that programs write text in (JSON, shells, URLs, HTML, base64, hexadecimal). Clones share
/// what they know.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    secrets: HashSet<String>,
    forms: BTreeSet<String>,
    search: Search,
}

#[derive(Default)]
enum Search {
    /// There are no secrets.
    #[default]
    Nothing,
    /// Secrets came since the last search.
    Stale,
    For(AhoCorasick),
    /// The secrets are too many to be searched for; nothing is shown then.
    Broken,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("forms", &self.forms.len())
            .finish()
    }
}

impl Redactor {
    /// Adds a secret. Empty text is no secret, nor is a line of a longer one without any letter or
    /// digit, such as a lone brace.
    pub fn add(&self, secret: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !state.secrets.insert(secret.to_owned()) {
            return;
        }
        let whole = secret.trim_end_matches(['\r', '\n']);
        let telling = |line: &&str| line.chars().any(char::is_alphanumeric);
        let lines = whole.lines().filter(telling);
        let before = state.forms.len();
        for text in std::iter::once(whole).chain(lines) {
            state.forms.extend(forms(text));
        }
        if state.forms.len() != before {
            state.search = Search::Stale;
        }
    }

    /// Whether there is no secret, so that every text is clean.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        matches!(state.search, Search::Nothing)
    }

    /// The text without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !matches!(state.search, Search::Stale) {
            return state.clean(text);
        }
        drop(state);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.refresh();
        state.clean(text)
    }
}

impl State {
    fn refresh(&mut self) {
        if !matches!(self.search, Search::Stale) {
            return;
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.forms);
        self.search = search.map_or(Search::Broken, Search::For);
    }

    fn clean(&self, text: &str) -> String {
        let search = match &self.search {
            Search::Nothing => return text.to_owned(),
            Search::Stale | Search::Broken => return PLACEHOLDER.to_owned(),
            Search::For(search) => search,
        };
        let clean = without(text, &places(search, text));
        if clean.len() < CUT_LINE_BYTES {
            return clean;
        }
        let lines: Vec<String> = clean.split('\n').map(|line| self.uncut(line)).collect();
        lines.join("\n")
    }

    /// A long line without the first part of a secret at its end.
    fn uncut(&self, line: &str) -> String {
        if line.len() >= CUT_LINE_BYTES {
            let longest = self.forms.iter().map(String::len).max().unwrap_or(0);
            let first = line.len().saturating_sub(longest);
            for at in first..=line.len().saturating_sub(CUT_SECRET_BYTES) {
                if line.is_char_boundary(at) && self.begins_form(&line[at..]) {
                    return format!("{}{PLACEHOLDER}", &line[..at]);
                }
            }
        }
        line.to_owned()
    }

    fn begins_form(&self, part: &str) -> bool {
        let from = std::ops::Bound::Included(part);
        let mut following = self
            .forms
            .range::<str, _>((from, std::ops::Bound::Unbounded));
        following.next().is_some_and(|form| form.starts_with(part))
    }
}

/// Where secrets stand in a text, in order and apart from each other.
fn places(search: &AhoCorasick, text: &str) -> Vec<Range<usize>> {
    let plain = search.find_iter(text).map(|found| found.range());
    let mut all: Vec<Range<usize>> = plain.collect();
    for reading in readings(text) {
        let found = search.find_iter(&reading.bytes);
        all.extend(found.map(|found| reading.place(found.range())));
    }
    all.sort_by_key(|place| place.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for place in all {
        match apart.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

fn without(text: &str, places: &[Range<usize>]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for place in places {
        clean.push_str(&text[done..place.start]);
        clean.push_str(PLACEHOLDER);
        done = place.end;
    }
    clean.push_str(&text[done..]);
    clean
}

#[cfg(test)]
mod tests;
