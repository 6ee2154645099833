//! The functions of the template language.
//!
//! Each family has a file with a table of its functions; here is what a table says of a function,
//! and the search by name. `try`, `can` and `convert` look at expressions and are in `evaluate`.
//! What converts arguments, waits for unknown ones and carries marks is there too, so that a
//! function sees plain values of its parameters' types.

mod absent;
mod arguments;
mod charset;
mod cidr;
mod collections;
mod crypto;
mod csv_text;
mod date_format;
mod docs;
mod encoding;
mod environment;
mod error;
mod files;
mod fileset;
mod foreseen;
mod format;
mod format_verbs;
mod go_layout;
mod json;
mod logic;
mod maps;
mod numeric;
mod re2;
mod regexes;
mod sets;
mod signature;
mod strftime;
mod strings;
mod text_parts;
mod time;
mod time_parse;
mod yaml;
mod yaml_decode;
mod yaml_scalar;

#[cfg(test)]
mod go_tests;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use absent::why_not_available;
pub(crate) use docs::signature;
pub use docs::{FunctionDoc, functions};
pub(crate) use error::{Blame, FunctionError};
pub(crate) use signature::{
    Context, Function, Kind, Marks, Nulls, Outcome, Parameter, ResultType, Unknowns,
};

/// Which functions an expression may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FunctionSet {
    /// All but `env`.
    #[default]
    All,
    /// `env` alone, for defaults of variables.
    EnvOnly,
    /// None.
    None,
}

/// Functions that are called with expressions instead of values.
const LAZY: [&str; 3] = ["can", "convert", "try"];

static TABLE: LazyLock<BTreeMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let families: [&'static [Function]; 18] = [
        cidr::FUNCTIONS,
        collections::FUNCTIONS,
        crypto::FUNCTIONS,
        csv_text::FUNCTIONS,
        encoding::FUNCTIONS,
        files::FUNCTIONS,
        fileset::FUNCTIONS,
        format::FUNCTIONS,
        json::FUNCTIONS,
        logic::FUNCTIONS,
        maps::FUNCTIONS,
        numeric::FUNCTIONS,
        regexes::FUNCTIONS,
        sets::FUNCTIONS,
        strings::FUNCTIONS,
        text_parts::FUNCTIONS,
        time::FUNCTIONS,
        yaml::FUNCTIONS,
    ];
    families
        .iter()
        .flat_map(|family| family.iter())
        .map(|entry| (entry.name, entry))
        .collect()
});

/// The function called `name` in `set`.
pub(crate) fn find(name: &str, set: FunctionSet) -> Option<&'static Function> {
    match set {
        FunctionSet::All => TABLE.get(name).copied(),
        FunctionSet::EnvOnly => environment::FUNCTIONS
            .iter()
            .find(|entry| entry.name == name),
        FunctionSet::None => None,
    }
}

/// The names that can be called in `set`, sorted.
pub(crate) fn names_in(set: FunctionSet) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = match set {
        FunctionSet::All => TABLE.keys().copied().chain(LAZY).collect(),
        FunctionSet::EnvOnly => environment::FUNCTIONS
            .iter()
            .map(|entry| entry.name)
            .collect(),
        FunctionSet::None => Vec::new(),
    };
    names.sort_unstable();
    names
}

/// The names of all functions, sorted; `env` is among them, though only the defaults of variables
/// can call it.
#[must_use]
pub fn function_names() -> Vec<&'static str> {
    let mut names = names_in(FunctionSet::All);
    names.extend(names_in(FunctionSet::EnvOnly));
    names.sort_unstable();
    names
}
