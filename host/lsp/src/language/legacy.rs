//! What legacy templates, in JSON and YAML, have: sections, keys of entries, template calls.

use host_template::ComponentKind;

use super::{Entry, FILTER, entry};

/// The keys of the top level.
pub(crate) const ROOT: &[Entry] = &[
    entry(
        "builders",
        "list of objects",
        "Machine images to make: each has the `type` of its builder and the builder's options.",
    ),
    entry(
        "provisioners",
        "list of objects",
        "What changes the machines, in order.",
    ),
    entry(
        "post-processors",
        "list of objects",
        "What works on the images; a list in the list is a chain.",
    ),
    entry(
        "error-cleanup-provisioner",
        "object",
        "Runs in the machine when a build failed, before the machine goes.",
    ),
    entry(
        "variables",
        "object",
        "Values from outside, by name, with their defaults; `null` has to be given.",
    ),
    entry(
        "sensitive-variables",
        "list of string",
        "Variables whose values are kept out of every output.",
    ),
    entry("description", "string", "What the template is for."),
    entry(
        "min_packer_version",
        "string",
        "The oldest version of Packer that will do.",
    ),
];

const TYPE: Entry = entry("type", "string", "Which component it is.");

const BUILDER: &[Entry] = &[
    TYPE,
    entry(
        "name",
        "string",
        "The name of the build; its type unless given.",
    ),
];

const PROVISIONER: &[Entry] = &[
    TYPE,
    FILTER[0],
    FILTER[1],
    entry(
        "override",
        "object",
        "Options for single builders, by the name of the builder.",
    ),
    entry(
        "pause_before",
        "duration",
        "Wait so long before it, for example `10s`.",
    ),
    entry("timeout", "duration", "Give up on a try after so long."),
    entry("max_retries", "number", "Further tries after a failure."),
];

const POST_PROCESSOR: &[Entry] = &[
    TYPE,
    FILTER[0],
    FILTER[1],
    entry("name", "string", "A name for it, for `-except`."),
    entry(
        "keep_input_artifact",
        "bool",
        "Whether what it is made from stays.",
    ),
];

/// The kind of the components of a section.
pub(crate) fn of_section(name: &str) -> Option<ComponentKind> {
    Some(match name {
        "builders" => ComponentKind::Builder,
        "provisioners" | "error-cleanup-provisioner" => ComponentKind::Provisioner,
        "post-processors" => ComponentKind::PostProcessor,
        _ => return None,
    })
}

/// The keys of an entry of a section that are no options of the component.
pub(crate) fn arguments(kind: ComponentKind) -> &'static [Entry] {
    match kind {
        ComponentKind::Builder => BUILDER,
        ComponentKind::Provisioner => PROVISIONER,
        ComponentKind::PostProcessor => POST_PROCESSOR,
        ComponentKind::DataSource => &[],
    }
}

/// The functions of template calls, with how they are called.
pub(crate) const CALLS: &[Entry] = &[
    entry("user", "user `name`", "The value of a user variable."),
    entry(
        "env",
        "env `NAME`",
        "A variable of the environment; only in `variables`.",
    ),
    entry(
        "build",
        "build `ID`",
        "A value of the machine that is built; in provisioners and post-processors.",
    ),
    entry("build_name", "build_name", "The name of the build."),
    entry("build_type", "build_type", "The type of the builder."),
    entry("template_dir", "template_dir", "The template's folder."),
    entry("pwd", "pwd", "The folder the command runs in."),
    entry(
        "packer_version",
        "packer_version",
        "The version of Packer whose behaviour this is.",
    ),
    entry(
        "timestamp",
        "timestamp",
        "The start of the run, in seconds since 1970.",
    ),
    entry(
        "isotime",
        "isotime [layout]",
        "The start of the run, in UTC, in RFC 3339 or a layout of Go such as `2006-01-02`.",
    ),
    entry(
        "strftime",
        "strftime format",
        "The start of the run, in UTC, in a format such as `%Y-%m-%d`.",
    ),
    entry("uuid", "uuid", "A new random UUID."),
    entry(
        "clean_resource_name",
        "clean_resource_name text",
        "The text without what names of images cannot have.",
    ),
    entry("lower", "lower text", "The text in small letters."),
    entry("upper", "upper text", "The text in capital letters."),
    entry(
        "replace",
        "replace old new count text",
        "The text with so many occurrences replaced.",
    ),
    entry(
        "replace_all",
        "replace_all old new text",
        "The text with every occurrence replaced.",
    ),
    entry(
        "split",
        "split text separator index",
        "The part at an index, from 0, of a text cut at a separator.",
    ),
    entry(
        "sed",
        "sed expression text",
        "The text after a sed expression.",
    ),
    entry("printf", "printf format values…", "Values in a format."),
    entry("print", "print values…", "Values as a text."),
    entry("println", "println values…", "Values as a line."),
    entry("len", "len value", "How long it is."),
    entry("index", "index value keys…", "An element of a list or map."),
    entry("slice", "slice value from to", "A part of a text or list."),
    entry("eq", "eq a b", "Whether they are the same."),
    entry("ne", "ne a b", "Whether they differ."),
    entry("lt", "lt a b", "Whether a is less than b."),
    entry("le", "le a b", "Whether a is b or less."),
    entry("gt", "gt a b", "Whether a is more than b."),
    entry("ge", "ge a b", "Whether a is b or more."),
    entry("and", "and a b", "The first that is empty, or the last."),
    entry("or", "or a b", "The first that is not empty, or the last."),
    entry("not", "not a", "Whether it is empty."),
    entry("html", "html text", "The text as HTML has it."),
    entry("js", "js text", "The text as JavaScript has it."),
    entry("urlquery", "urlquery text", "The text as a query has it."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_a_function_of_the_engine() {
        // Those need a service that is not there, or a function as a value.
        let left_out = [
            "aws_secretsmanager",
            "aws_secretsmanager_raw",
            "call",
            "consul_key",
            "vault",
        ];
        let mut named: Vec<&str> = CALLS.iter().map(|call| call.name).collect();
        named.extend(left_out);
        named.sort_unstable();
        assert_eq!(named, sdk_go_template::function_names());
    }
}
