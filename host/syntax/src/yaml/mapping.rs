//! Members of a mapping: repeated keys and what `<<` merges.

use std::collections::{HashMap, HashSet};

use host_diag::{Diagnostic, Diagnostics, Span};

use super::scalar::shown;
use crate::json::{Kind, Member, Value};

/// The members of a mapping as they are read.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: Vec<Member>,
    /// Where each key stands first.
    places: HashMap<String, Span>,
    /// What `<<` merges, and which member it stands in front of.
    merged: Option<(Value, Span, usize)>,
}

impl Members {
    /// Adds a member; a key that is there already is an error.
    pub(super) fn add(&mut self, member: Member, problems: &mut Diagnostics) {
        if let Some(first) = self.places.get(&member.key) {
            problems.push(duplicate(&member.key, member.key_span, *first));
            return;
        }
        self.places.insert(member.key.clone(), member.key_span);
        self.members.push(member);
    }

    /// Adds what a `<<` at `place` merges.
    pub(super) fn merge(&mut self, value: Value, place: Span, problems: &mut Diagnostics) {
        if let Some((_, first, _)) = &self.merged {
            let problem = duplicate("<<", place, *first);
            problems.push(problem.hint("Merge several: `<<: [*one, *two]`.".to_owned()));
            return;
        }
        self.merged = Some((value, place, self.members.len()));
    }

    /// All members in order: a mapping's own ones count more than merged ones, and of these earlier
    /// ones more than later ones.
    pub(super) fn finish(self, problems: &mut Diagnostics) -> Vec<Member> {
        let Self {
            mut members,
            places,
            merged,
        } = self;
        let Some((value, place, position)) = merged else {
            return members;
        };
        let sources = match value.kind {
            Kind::Array(items) => items,
            _ => vec![value],
        };
        let mut known: HashSet<String> = places.into_keys().collect();
        let mut more = Vec::new();
        for source in sources {
            let Kind::Object(inner) = source.kind else {
                problems.push(
                    Diagnostic::error("Wrong value of a merge key")
                        .detail("`<<` merges a mapping, or a list of mappings.")
                        .at(source.span)
                        .related(place, "merged here"),
                );
                continue;
            };
            more.extend(
                inner
                    .into_iter()
                    .filter(|one| known.insert(one.key.clone())),
            );
        }
        let position = position.min(members.len());
        members.splice(position..position, more);
        members
    }
}

fn duplicate(key: &str, place: Span, first: Span) -> Diagnostic {
    Diagnostic::error(format!("Duplicate key `{}`", shown(key)))
        .detail("A key can stand only once in a mapping.")
        .at(place)
        .related(first, "the first one is here")
}
