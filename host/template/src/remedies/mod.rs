//! What to do about problems whose title says all that is needed to know it.
//!
//! Hints that depend on the case, such as the nearest name, are given where a problem is found;
//! nothing is added to those that have one.

mod calls;
mod language;

use host_diag::{Diagnostic, Diagnostics};

use self::language::LANGUAGE;

/// What to do about a component that is not known.
const OFFERED: &str =
    "Write one of the names that are known, or install the plugin that offers it.";

/// What stands in front of a title that is about text that is no YAML.
const YAML: &str = "Failed to parse file as YAML template: ";

/// The start of a title, and what to do. The first that fits counts.
const REMEDIES: &[(&str, &str)] = &[
    // Files and values from outside.
    (
        "Could not find any config file",
        "Name a file or folder with templates: `*.pkr.hcl`, `*.pkr.json`, `*.json` or `*.pkr.yaml`.",
    ),
    (
        "Could not guess format of",
        "Rename the file so that it ends in `.pkrvars.hcl` or `.pkrvars.json`.",
    ),
    (
        "Failed to read file",
        "Check its path, and that you may read it.",
    ),
    (
        "Cannot read hcl directory",
        "Check that the folder exists and that you may read it.",
    ),
    (
        "Undefined -var variable",
        "Declare it with a `variable` block, or take the flag away.",
    ),
    (
        "Undefined variable",
        "Declare it with a `variable` block, or take the value away.",
    ),
    (
        "Variable declaration in a .pkrvar file",
        "Move the block to a file of the template, or write `name = value`.",
    ),
    (
        "Invalid argument value for -var variable",
        "Give a value of that type; lists and maps are written as in the template.",
    ),
    (
        "Invalid value for variable",
        "Give a value of that type, or change the `type` of the variable.",
    ),
    // Versions and plugins.
    (
        "Unsupported Packer Core version",
        "Use a version that meets the condition, or change `required_version`.",
    ),
    (
        "Invalid version constraint",
        "Write conditions such as `>= 1.8.0`, several of them separated by commas.",
    ),
    (
        "Invalid plugin requirement",
        "Write `name = { source = \"github.com/hashicorp/name\", version = \">= 1.0.0\" }`.",
    ),
    (
        "Invalid required_plugins object",
        "Remove everything but `source` and `version`.",
    ),
    (
        "No version constraint was set",
        "Add `version = \">= 1.0.0\"`.",
    ),
    (
        "No source was set",
        "Add `source = \"github.com/hashicorp/name\"`.",
    ),
    (
        "Invalid source reference",
        "Write type and name of a source: `source.null.example`.",
    ),
    (
        "Invalid source",
        "Write where the plugin comes from: `github.com/hashicorp/name`.",
    ),
    (
        "Invalid plugin local name",
        "Write the name in lower-case letters, such as `qemu`.",
    ),
    // Declarations.
    ("Duplicate required_plugin", "Remove one of the two."),
    ("Duplicate argument", "Remove one of the two."),
    ("Duplicate ", "Rename or remove one of the two."),
    ("Attribute redefined", "Remove one of the two."),
    ("Invalid variable name", "Rename it: `base_image`, say."),
    ("Invalid local name", "Rename it: `base_image`, say."),
    ("Invalid data ", "Rename it: `base_image`, say."),
    (
        "Extraneous label for build",
        "Give it a name within: `name = \"…\"`.",
    ),
    ("Extraneous label", "Remove the label."),
    (
        "Variables not allowed",
        "Write the value itself here; what is made of others belongs into a local.",
    ),
    (
        "Function calls not allowed",
        "Write the value itself here; what is computed belongs into a local.",
    ),
    (
        "Invalid type specification",
        "Types are `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})` \
         and `tuple([…])`.",
    ),
    (
        "Invalid default value for variable",
        "Change the default, or the `type` of the variable.",
    ),
    (
        "Invalid default value for optional attribute",
        "Change the default, or the attribute's type.",
    ),
    (
        "Invalid variable validation condition",
        "Write a condition of the variable's own value.",
    ),
    (
        "Invalid variable validation result",
        "Write a comparison, or another expression that is true or false.",
    ),
    (
        "Invalid reference in variable validation",
        "Compare the variable itself with fixed values.",
    ),
    (
        "Invalid validation error message",
        "Write a sentence such as \"The size must not be negative.\"",
    ),
    (
        "Invalid value for default variable",
        "Change the default, or the condition.",
    ),
    (
        "Invalid value for env variable",
        "Change the value in the environment.",
    ),
    (
        "Invalid value for varfile variable",
        "Change the value in the file.",
    ),
    (
        "Invalid value for cmd variable",
        "Pass another value with `-var`.",
    ),
    (
        "Invalid value for module variable",
        "Pass another value in the `module` block.",
    ),
    // Builds and what they use.
    (
        "Only one error-cleanup-provisioner",
        "Move what both do to one of them.",
    ),
    (
        "Only one hcp_packer_registry",
        "Remove all but one of the blocks.",
    ),
    (
        "Build block level hcp_packer_registry",
        "Move the block out of the build.",
    ),
    (
        "only one of 'only' or 'except'",
        "Remove one of the two arguments.",
    ),
    (
        "provisioner's override block must be",
        "Write `override = { NAME = { … } }`, with the name of a source.",
    ),
    (
        "Invalid dynamic for_each value",
        "Give it a list, a set, a map or an object.",
    ),
    (
        "Invalid dynamic block labels",
        "Set `labels` to a list with as many texts as the block has labels.",
    ),
    ("Missing argument", "Set it, or take the block away."),
    // Names and indexes in expressions.
    (
        "failed to process local",
        "Write the name of a local behind it: `local.name`.",
    ),
    (
        "failed to process datasource",
        "Write type and name of a data source behind it: `data.http.name`.",
    ),
    (
        "Invalid index",
        "Test first whether it is there: `try(LIST[0], DEFAULT)` or `lookup(MAP, KEY, DEFAULT)`.",
    ),
    (
        "Missing map element",
        "Test first whether it is there: `lookup(MAP, KEY, DEFAULT)`.",
    ),
    ("Attempt to ", "Give it a value, or use `try(…, DEFAULT)`."),
    (
        "Iteration over non-iterable value",
        "Give it a list, a set, a map or an object; a single value in brackets is a list.",
    ),
    (
        "Null condition",
        "Compare with null first: `x != null && x`.",
    ),
    // Instances, modules and the registry.
    (
        "Invalid count argument",
        "Give it a number such as `3`; `CONDITION ? 1 : 0` makes it a switch.",
    ),
    (
        "Invalid for_each argument",
        "Give it a map or an object, or a list of names.",
    ),
    (
        "Invalid combination of ",
        "Remove one of the two arguments.",
    ),
    (
        "Invalid instance key",
        "Rename it, or make the names of other parts: `{ for item in … : item.name => item }`.",
    ),
    (
        "Invalid module source",
        "Name the folder of a template on this machine, such as `./base`.",
    ),
    ("Conflicting registry labels", "Remove `labels`."),
    // Legacy templates.
    (
        "This template requires Packer version",
        "Use a version that is new enough, or lower \"min_packer_version\".",
    ),
    (
        "Unknown YAML anchor",
        "Write the anchor in front of the value it is meant to stand for, above this line.",
    ),
    (
        "unknown configuration key",
        "Remove it, or look it up: it may belong into another section.",
    ),
    // Whatever else has the form of these.
    ("Unknown source type", OFFERED),
    (
        "Unknown source ",
        "Declare it with a `source` block, or write one of the names that are known.",
    ),
    (
        "Unknown module",
        "Declare it with a `module` block, or write one of the names that are known.",
    ),
    ("Unknown ", OFFERED),
    (
        "Unsupported ",
        "Remove it, or look it up: it may belong into another block.",
    ),
];

/// The end of what does not fit, and what does.
const FITTING: [(&str, &str); 9] = [
    ("a bool is required", "Write `true` or `false`."),
    ("bool required", "Write `true` or `false`."),
    ("a number is required", "Write a number, such as `2`."),
    ("number required", "Write a number, such as `2`."),
    (
        "list of list of string required",
        "Write lists in a list: `[[\"a\", \"b\"], [\"c\"]]`.",
    ),
    ("list of ", "Write brackets around it, even for one: `[…]`."),
    ("map of ", "Write names and values in braces."),
    ("object required", "Write names and values in braces."),
    ("string required", "Write one text in double quotes."),
];

/// What a legacy document has to hold somewhere, and how that is written.
const SHAPES: [(&str, &str); 5] = [
    (
        "an object is needed",
        "Write an object that says what it is: `{\"type\": \"…\"}`.",
    ),
    ("has to be a list", "Put it between `[` and `]`."),
    ("has to be an object", "Put it between `{` and `}`."),
    ("has to be a bool", "Write true or false, without quotes."),
    ("has to be a text", "Put it between double quotes."),
];

/// Patterns of the command line; what they select from stands in the detail.
const PATTERNS: [&str; 4] = [
    "Invalid -only pattern",
    "Invalid -except pattern",
    "an 'only' option was passed",
    "an 'except' option was passed",
];

/// What the template engine says, without its guess of the name that was meant, and this as a hint.
pub(crate) fn without_question(message: &str) -> (&str, Option<String>) {
    match message.split_once("; did you mean ") {
        Some((message, near)) => (message, Some(format!("Did you mean {near}"))),
        None => (message, None),
    }
}

/// `problems`, those without a hint with what helps in general.
pub(crate) fn with_remedies(mut problems: Diagnostics) -> Diagnostics {
    for problem in problems.iter_mut().filter(|one| one.hints.is_empty()) {
        problem.hints.extend(remedy(problem));
    }
    problems
}

fn remedy(problem: &Diagnostic) -> Option<String> {
    let (summary, detail) = (problem.summary.as_str(), problem.detail.as_str());
    if let Some(hint) = particular(summary, detail) {
        return Some(hint);
    }
    // What asks a question tells its own way out.
    if [summary, detail].iter().any(|text| asks(text)) {
        return None;
    }
    // What is no YAML is told with the name of the form in front.
    let title = summary.strip_prefix(YAML).unwrap_or(summary);
    let start = |(start, _): &&(&str, &str)| title.starts_with(start);
    let shape = |(part, _): &&(&str, &str)| summary.contains(part);
    let known = REMEDIES
        .iter()
        .chain(LANGUAGE)
        .find(start)
        .or_else(|| SHAPES.iter().find(shape));
    known.map(|(_, remedy)| (*remedy).to_owned())
}

fn asks(text: &str) -> bool {
    text.contains("did you mean") || text.contains("Did you mean")
}

/// What to do where the detail tells which of several mistakes it is.
fn particular(summary: &str, detail: &str) -> Option<String> {
    if PATTERNS.iter().any(|start| summary.starts_with(start)) {
        return Some("Name builds by their whole names, or with `*`: `*.qemu.*`.".to_owned());
    }
    let hint = match summary {
        "Missing required argument" => {
            let name = detail.split('"').nth(1)?;
            return Some(format!("Add `{name} = …` to the block."));
        }
        "failed to prepare execution graph" => match detail.contains("missing in template") {
            true => "Declare it, or correct its name.",
            false => "Take out one of the references that lead back here.",
        },
        "Failed to render template call" => calls::remedy(detail),
        "Incorrect attribute value type" | "Unsuitable value type" | "Invalid operand" => {
            let reason = detail.rsplit(": ").next()?;
            let known = FITTING.iter().find(|(start, _)| reason.starts_with(start));
            known.map(|(_, remedy)| *remedy)?
        }
        _ if summary.starts_with("error interpolating default value") => calls::remedy(summary),
        _ if summary.starts_with("Failed to initialize build") => match detail {
            _ if asks(detail) => return None,
            _ if detail.contains("no installed plugin offers it") => OFFERED,
            _ if detail.contains("is not a whole number.") => "Write a number, such as `3`.",
            _ => calls::remedy(detail),
        },
        _ if summary.starts_with("Error reading variables in") => {
            match detail.starts_with("The file cannot be read") {
                true => "Check the path that `-var-file` names.",
                false => "Write an object of texts: `{\"name\": \"value\"}`.",
            }
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
