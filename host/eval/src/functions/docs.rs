//! What every function is for: its signature and a line of reference.
//!
//! The signatures come from the tables that calls are checked with, so that they cannot be wrong.

use std::sync::LazyLock;

use crate::types::Type;

use super::{Function, FunctionSet, Parameter, find, function_names};

/// A function as documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called: `join(separator: string, lists: list of string...) -> string`.
    pub signature: String,
    /// What it returns, a sentence or two.
    pub doc: &'static str,
}

static ALL: LazyLock<Vec<FunctionDoc>> = LazyLock::new(|| {
    let names = function_names().into_iter();
    names
        .map(|name| FunctionDoc {
            name,
            signature: signature_of(name),
            doc: doc_of(name),
        })
        .collect()
});

/// Every function with its documentation, sorted by name; `env` is among them, though only the
/// defaults of variables can call it.
#[must_use]
pub fn functions() -> &'static [FunctionDoc] {
    &ALL
}

fn signature_of(name: &str) -> String {
    match name {
        "can" => return "can(expression) -> bool".to_owned(),
        "convert" => return "convert(value: any, type) -> any".to_owned(),
        "try" => return "try(expressions...) -> any".to_owned(),
        _ => {}
    }
    find(name, FunctionSet::All)
        .or_else(|| find(name, FunctionSet::EnvOnly))
        .map(signature)
        .unwrap_or_default()
}

/// How a function is called, with the types of its parameters and of its result.
pub(crate) fn signature(function: &Function) -> String {
    let one =
        |parameter: &Parameter| format!("{}: {}", parameter.name, type_name(parameter.kind.ty()));
    let fixed = function.parameters.iter().map(one);
    let more = function
        .variadic
        .iter()
        .map(|parameter| format!("{}...", one(parameter)));
    let parameters: Vec<String> = fixed.chain(more).collect();
    let result = type_name(function.result.in_general());
    format!("{}({}) -> {result}", function.name, parameters.join(", "))
}

fn type_name(ty: Type) -> String {
    match ty {
        Type::Dynamic => "any".to_owned(),
        Type::List(item) if matches!(*item, Type::Dynamic) => "list".to_owned(),
        Type::Set(item) if matches!(*item, Type::Dynamic) => "set".to_owned(),
        other => other.friendly_name(),
    }
}

/// The line of reference; empty for a name that is no function.
fn doc_of(name: &str) -> &'static str {
    DOCS.binary_search_by_key(&name, |entry| entry.0)
        .map_or("", |at| DOCS[at].1)
}

/// Sorted by name.
const DOCS: &[(&str, &str)] = &[
    ("abs", "The number without its sign."),
    (
        "abspath",
        "The path as an absolute one, without `.` and `..`.",
    ),
    (
        "alltrue",
        "Whether every element is true; true for an empty list.",
    ),
    (
        "anytrue",
        "Whether at least one element is true; false for an empty list.",
    ),
    ("base64decode", "The text that the Base64 text stands for."),
    ("base64encode", "The text in Base64."),
    ("base64gzip", "The text compressed with gzip, in Base64."),
    ("basename", "The last part of a path."),
    (
        "bcrypt",
        "A bcrypt hash of the text, with a new salt each time; the second argument is the cost (10 by default).",
    ),
    (
        "can",
        "Whether the expression can be evaluated without an error.",
    ),
    (
        "ceil",
        "The smallest whole number that is not smaller than the number.",
    ),
    ("chomp", "The text without the line breaks at its end."),
    (
        "chunklist",
        "The list cut into lists of at most that many elements.",
    ),
    (
        "cidrhost",
        "The address of host number `hostnum` in a network such as `10.0.0.0/8`.",
    ),
    (
        "cidrnetmask",
        "The netmask of an IPv4 network such as `10.0.0.0/8`.",
    ),
    (
        "cidrsubnet",
        "A network inside another: the prefix gets `newbits` longer, `netnum` says which one of those it is.",
    ),
    (
        "cidrsubnets",
        "Networks that follow one another inside another one, one for each number of bits the prefix gets longer.",
    ),
    (
        "coalesce",
        "The first argument that is neither null nor an empty text.",
    ),
    ("coalescelist", "The first list that is not empty."),
    ("compact", "The list without its empty texts."),
    (
        "concat",
        "The elements of all lists, one list after the other.",
    ),
    ("contains", "Whether the value is among the elements."),
    (
        "convert",
        "The value converted to a type, as in `convert(\"5\", number)`.",
    ),
    (
        "csvdecode",
        "CSV text as a list of objects; the first line names the attributes.",
    ),
    ("dirname", "The path without its last part."),
    (
        "distinct",
        "The list without repeated elements; the first of them stays.",
    ),
    (
        "element",
        "The element at an index that starts again from the beginning when it is too large.",
    ),
    ("endswith", "Whether the text ends with `suffix`."),
    (
        "env",
        "The value of a variable of the environment, empty when it is not set. Only the default of a variable can call it.",
    ),
    ("file", "The content of a file, which has to be UTF-8 text."),
    ("filebase64", "The content of a file in Base64."),
    ("fileexists", "Whether there is a file at the path."),
    (
        "fileset",
        "The files below a folder that match a pattern such as `**/*.sh`, relative to the folder.",
    ),
    ("flatten", "The elements of all nested lists in one list."),
    (
        "floor",
        "The largest whole number that is not larger than the number.",
    ),
    (
        "format",
        "Text with values put in, as in `format(\"%s-%03d\", name, 7)`.",
    ),
    (
        "formatdate",
        "A timestamp in a format such as `YYYY-MM-DD hh:mm:ss`.",
    ),
    (
        "formatlist",
        "A text for each element of the lists that are given as values, made as `format` makes it.",
    ),
    (
        "indent",
        "The text with that many spaces in front of every line but the first.",
    ),
    (
        "index",
        "The position of the value in a list, counted from 0; an error when it is not there.",
    ),
    (
        "join",
        "The elements of lists of texts in one text, with the separator between them.",
    ),
    ("jsondecode", "The value that a JSON text stands for."),
    ("jsonencode", "The value as JSON text."),
    ("keys", "The keys of a map or object, sorted."),
    (
        "legacy_isotime",
        "The time of the start in Go's layout such as `2006-01-02`, RFC 3339 without one; kept for older templates, use `timestamp` and `formatdate`.",
    ),
    (
        "legacy_strftime",
        "The time of the start in a format such as `%Y-%m-%d`; kept for older templates, use `timestamp` and `formatdate`.",
    ),
    (
        "length",
        "The number of elements of a collection, or of characters of a text.",
    ),
    ("log", "The logarithm of a number to a base."),
    (
        "lookup",
        "The element of a map with that key, the default when there is none.",
    ),
    ("lower", "The text in small letters."),
    ("max", "The largest of the numbers."),
    ("md5", "The MD5 sum of the text, in hexadecimal."),
    (
        "merge",
        "The entries of all maps or objects; of entries with one key the last stays.",
    ),
    ("min", "The smallest of the numbers."),
    (
        "parseint",
        "The whole number that a text stands for in a base from 2 to 62.",
    ),
    (
        "pathexpand",
        "The path with `~` at its start replaced by the home folder.",
    ),
    ("pow", "The number raised to a power."),
    (
        "range",
        "The numbers from the start (0 unless given) up to the limit, which is left out, in steps (1 unless given): `range(limit)`, `range(start, limit)`, `range(start, limit, step)`.",
    ),
    (
        "regex",
        "The first match of a pattern in a text: the match, or its groups when the pattern has any; an error when there is none.",
    ),
    (
        "regex_replace",
        "The text with every match of a pattern replaced; `$1` or `${name}` in the replacement stands for a group.",
    ),
    (
        "regexall",
        "All matches of a pattern in a text, each as `regex` returns one.",
    ),
    (
        "replace",
        "The text with every occurrence of a text replaced; `/…/` makes a pattern of what is searched for.",
    ),
    ("reverse", "The elements in reverse order."),
    (
        "rfc3339_parse",
        "The parts of an RFC 3339 timestamp: `year`, `month`, `day`, `hour`, `unix` and more.",
    ),
    (
        "rsadecrypt",
        "The text that a Base64 cipher text stands for, decrypted with an RSA private key in PEM form.",
    ),
    (
        "setintersection",
        "The elements that are in all of the sets.",
    ),
    (
        "setproduct",
        "All combinations of one element of each collection.",
    ),
    ("setunion", "The elements that are in any of the sets."),
    ("sha1", "The SHA-1 sum of the text, in hexadecimal."),
    ("sha256", "The SHA-256 sum of the text, in hexadecimal."),
    ("sha512", "The SHA-512 sum of the text, in hexadecimal."),
    (
        "signum",
        "-1 for negative numbers, 0 for 0, 1 for positive ones.",
    ),
    (
        "slice",
        "The elements from the first index up to the second, which is left out.",
    ),
    ("sort", "The texts in alphabetical order."),
    ("split", "The parts of a text between separators."),
    ("startswith", "Whether the text starts with `prefix`."),
    ("strcontains", "Whether `substr` occurs in the text."),
    ("strrev", "The characters of the text in reverse order."),
    (
        "substr",
        "The characters from an offset on, at most that many; -1 as length takes all that are left.",
    ),
    ("sum", "The sum of the numbers of a list."),
    (
        "templatefile",
        "The content of a file as a template, rendered with the variables of an object.",
    ),
    (
        "textdecodebase64",
        "The text that Base64 bytes stand for in an encoding such as `UTF-16LE`.",
    ),
    (
        "textencodebase64",
        "The text in an encoding such as `UTF-16LE`, in Base64.",
    ),
    (
        "timeadd",
        "A timestamp moved by a duration such as `1h30m` or `-10m`.",
    ),
    (
        "timestamp",
        "The time of the start, in RFC 3339 form and UTC.",
    ),
    (
        "title",
        "The text with the first letter of each word as a capital.",
    ),
    (
        "trim",
        "The text without any of the characters of the second argument at its start and end.",
    ),
    ("trimprefix", "The text without a prefix, if it has it."),
    (
        "trimspace",
        "The text without white space at its start and end.",
    ),
    ("trimsuffix", "The text without a suffix, if it has it."),
    (
        "try",
        "The value of the first expression that can be evaluated without an error.",
    ),
    (
        "unix_timestamp_parse",
        "The parts of a time in seconds since 1970 UTC: `year`, `month`, `day`, `hour`, `rfc3339` and more.",
    ),
    ("upper", "The text in capital letters."),
    (
        "urlencode",
        "The text with everything escaped that has a meaning in a URL.",
    ),
    ("uuidv4", "A new random UUID."),
    (
        "uuidv5",
        "The UUID of a name in a namespace: a UUID, or `dns`, `url`, `oid` or `x500`.",
    ),
    (
        "values",
        "The values of a map or object, in the order of its sorted keys.",
    ),
    ("yamldecode", "The value that a YAML text stands for."),
    ("yamlencode", "The value as YAML text."),
    ("zipmap", "A map of a list of keys and a list of values."),
];

#[cfg(test)]
mod tests {
    use super::{DOCS, functions};
    use crate::function_names;

    #[test]
    fn every_function_has_a_line_and_every_line_a_function() {
        let documented: Vec<&str> = DOCS.iter().map(|entry| entry.0).collect();
        assert_eq!(documented, function_names());
    }

    #[test]
    fn every_line_is_a_sentence() {
        for function in functions() {
            assert!(
                function.doc.ends_with('.'),
                "{}: {:?}",
                function.name,
                function.doc
            );
        }
    }

    #[test]
    fn signatures_name_parameters_and_types() {
        let signature = |name: &str| {
            let found = functions().iter().find(|function| function.name == name);
            found
                .map(|function| function.signature.clone())
                .unwrap_or_default()
        };
        assert_eq!(signature("upper"), "upper(str: string) -> string");
        assert_eq!(
            signature("join"),
            "join(separator: string, lists: list of string...) -> string"
        );
        assert_eq!(signature("try"), "try(expressions...) -> any");
        assert_eq!(signature("env"), "env(key: string) -> string");
        assert_eq!(signature("timestamp"), "timestamp() -> string");
    }
}
