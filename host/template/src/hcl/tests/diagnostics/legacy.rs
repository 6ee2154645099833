//! Rows of legacy JSON: the text, the root, variables and sections; and the titles of JSON and YAML.

use super::table::Row;
use crate::testing::Case;

/// `text` in a template that is otherwise complete, on line 2.
fn around(text: &str) -> Case {
    Case::legacy(&format!(
        "{{\"builders\": [{{\"type\": \"null\"}}],\n{text}}}"
    ))
}

/// A template with a file of values.
fn values(text: &str) -> Case {
    let template = "{\"variables\": {\"a\": \"\"}, \"builders\": [{\"type\": \"null\"}]}";
    let files = [("t.json", template), ("v.json", text)];
    Case::with_files(&files, "t.json").var_file("v.json")
}

pub(super) const ROWS: &[Row] = &[
    // The text.
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"null\"}],}"),
        found: &[(
            "template.json 1:32-33 Failed to parse file as legacy JSON template: the text is not JSON",
            ",",
            "",
            "Take the comma out. | See https://developer.hashicorp.com/packer/docs/templates.",
        )],
    },
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"null\"},\n\"variables\": {}"),
        found: &[(
            "template.json 2:12-13 Failed to parse file as legacy JSON template: the text is not JSON",
            ":",
            "",
            "Write `,` here, or the bracket that closes what is before. | See https://developer.hashicorp.com/packer/docs/templates.",
        )],
    },
    Row {
        case: || Case::legacy("{builders: [{'type': \"null\" \"name\": 'a'} // one\n]}"),
        found: &[
            (
                "template.json 1:2-10 Failed to parse file as legacy JSON template: the text is not JSON",
                "builders",
                "",
                "Put it between double quotes. | See https://developer.hashicorp.com/packer/docs/templates.",
            ),
            (
                "template.json 1:14-15 Failed to parse file as legacy JSON template: the text is not JSON",
                "'",
                "",
                "Write `\"` instead of `'`.",
            ),
            (
                "template.json 1:28-28 Failed to parse file as legacy JSON template: the text is not JSON",
                "",
                "",
                "Write `,` here, or the bracket that closes what is before.",
            ),
            (
                "template.json 1:37-38 Failed to parse file as legacy JSON template: the text is not JSON",
                "'",
                "",
                "Write `\"` instead of `'`.",
            ),
            (
                "template.json 1:42-48 Failed to parse file as legacy JSON template: the text is not JSON",
                "// one",
                "",
                "Take it out, or make it the value of a key: `\"_comment\": \"text\"`.",
            ),
        ],
    },
    Row {
        case: || Case::legacy("[]"),
        found: &[(
            "template.json 1:1-2 Failed to parse file as legacy JSON template: the template has to be an object, not a list",
            "[",
            "",
            "Put all of it between `{` and `}`: `{\"builders\": […]}`.",
        )],
    },
    Row {
        case: || around("\"builders\": []"),
        found: &[(
            "template.json 2:1-11 Failed to parse file as legacy JSON template: template has duplicate field: builders",
            "\"builders\"",
            "",
            "Remove one of them.",
        )],
    },
    // The root.
    Row {
        case: || around("\"min_packer_version\": \"99.0.0\""),
        found: &[(
            "template.json 2:23-31 This template requires Packer version 99.0.0 or higher; using 1.16.0",
            "\"99.0.0\"",
            "",
            "Use a version that is new enough, or lower \"min_packer_version\".",
        )],
    },
    Row {
        case: || around("\"min_packer_version\": \"new\""),
        found: &[(
            "template.json 2:23-28 min_version is invalid: `>= new` is not a version condition such as `>= 1.8.0`",
            "\"new\"",
            "",
            "Write a version such as `1.7.0`.",
        )],
    },
    Row {
        case: || around("\"_comment\": 5, \"description\": []"),
        found: &[
            (
                "template.json 2:13-14 Failed to parse file as legacy JSON template: the comment '_comment' has to be a text, not a number",
                "5",
                "",
                "Put it between double quotes.",
            ),
            (
                "template.json 2:31-33 Failed to parse file as legacy JSON template: 'description' has to be a text, not a list",
                "[]",
                "",
                "Put it between double quotes.",
            ),
        ],
    },
    Row {
        case: || Case::legacy("{\"builders\": []}"),
        found: &[(
            "template.json 1:2-12 at least one builder must be defined",
            "\"builders\"",
            "",
            "Add a root key such as \"builders\": [{\"type\": \"null\"}].",
        )],
    },
    Row {
        case: || Case::legacy("{\"builders\": {\"type\": \"null\"}}"),
        found: &[(
            "template.json 1:14-30 Failed to parse file as legacy JSON template: 'builders' has to be a list, not an object",
            "{\"type\": \"null\"}",
            "",
            "Put it between `[` and `]`.",
        )],
    },
    // Variables.
    Row {
        case: || around("\"variables\": {\"a\": 1, \"b\": true}"),
        found: &[
            (
                "template.json 2:20-21 Failed to parse file as legacy JSON template: variable a: the default has to be a text or null, not a number",
                "1",
                "",
                "Put it between double quotes.",
            ),
            (
                "template.json 2:28-32 Failed to parse file as legacy JSON template: variable b: the default has to be a text or null, not a bool",
                "true",
                "",
                "Put it between double quotes.",
            ),
        ],
    },
    Row {
        case: || around("\"variables\": {\"a\": null}"),
        found: &[(
            "template.json 2:15-18 required variable not set: a",
            "\"a\"",
            "",
            "Give it with `-var 'a=…'` or in a file with `-var-file`.",
        )],
    },
    Row {
        case: || around("\"variables\": {\"name\": \"\", \"b\": \"{{user `nmae`}}\"}"),
        found: &[(
            "template.json 2:33-48 error interpolating default value for 'b': undefined user variable: nmae",
            "{{user `nmae`}}",
            "",
            "Did you mean `name`?",
        )],
    },
    Row {
        case: || around("\"variables\": {\"a\": \"{{user `b`}}\",\n\"b\": \"{{user `a`}}\"}"),
        found: &[(
            "template.json 2:21-33 error interpolating default value for 'a': it needs its own value",
            "{{user `b`}}",
            "",
            "Give one of them a value that uses none of the others.",
        )],
    },
    Row {
        case: || around("\"variables\": {\"a\": \"{{ upper `x` }\", \"b\": \"{{ uper `x` }}\"}"),
        found: &[
            (
                "template.json 2:21-35 error interpolating default value for 'a': unexpected character `}` in action",
                "{{ upper `x` }",
                "",
                "End the call with two braces: {{ .Name }}.",
            ),
            (
                "template.json 2:44-58 error interpolating default value for 'b': function \"uper\" not defined",
                "{{ uper `x` }}",
                "",
                "Did you mean \"upper\"?",
            ),
        ],
    },
    Row {
        case: || {
            around("\"variables\": {\"a\": \"{{ vault `x` `y` }}\", \"b\": \"{{ sed `x` `y` }}\"}")
        },
        found: &[
            (
                "template.json 2:21-40 error interpolating default value for 'a': error calling vault: vault is not available here; give the value with -var",
                "{{ vault `x` `y` }}",
                "",
                "Pass it with `-var`.",
            ),
            (
                "template.json 2:49-66 error interpolating default value for 'b': error calling sed: the function sed was removed; use replace, replace_all or a provisioner",
                "{{ sed `x` `y` }}",
                "",
                "Use `replace` or `replace_all`.",
            ),
        ],
    },
    Row {
        case: || around("\"variables\": {\"token\": \"\"}, \"sensitive-variables\": [\"tokn\"]"),
        found: &[(
            "warning: template.json 2:53-59 undefined sensitive variable: tokn",
            "\"tokn\"",
            "",
            "Did you mean `token`?",
        )],
    },
    Row {
        case: || values("{\"a\": 5}"),
        found: &[(
            "v.json 1:7-8 Error reading variables in 'v.json'",
            "5",
            "",
            "Put it between double quotes.",
        )],
    },
    Row {
        case: || values("{\"a\": \"x\",}"),
        found: &[(
            "v.json 1:10-11 Error reading variables in 'v.json'",
            ",",
            "",
            "Take the comma out.",
        )],
    },
    // Sections.
    Row {
        case: || Case::legacy("{\"builders\": [{\"name\": \"a\"}, \"null\"]}"),
        found: &[
            (
                "template.json 1:16-22 Failed to parse file as legacy JSON template: builder 1: missing 'type'",
                "\"name\"",
                "",
                "Add a \"type\" such as \"shell\".",
            ),
            (
                "template.json 1:30-36 Failed to parse file as legacy JSON template: builder 2: an object is needed, not a text",
                "\"null\"",
                "",
                "Write an object that says what it is: `{\"type\": \"…\"}`.",
            ),
        ],
    },
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"null\"},\n{\"type\": \"null\"}]}"),
        found: &[(
            "template.json 2:10-16 Failed to parse file as legacy JSON template: builder 2: builder with name 'null' already exists",
            "\"null\"",
            "",
            "Give each of them a \"name\" of its own.",
        )],
    },
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"nul\"}]}"),
        found: &[(
            "template.json 1:24-29 Failed to initialize build \"nul\"",
            "\"nul\"",
            "",
            "Did you mean to use \"null\"?",
        )],
    },
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"quite-other\"}]}"),
        found: &[(
            "template.json 1:24-37 Failed to initialize build \"quite-other\"",
            "\"quite-other\"",
            "",
            "Write one of the names that are known, or install the plugin that offers it.",
        )],
    },
    Row {
        case: || {
            around(
                "\"provisioners\": [{\"type\": \"script\", \"script\": \"x\", \"only\": [\"nul\"], \"except\": [\"b\"]}]",
            )
        },
        found: &[
            (
                "template.json 2:80-83 provisioner 1: only one of 'only' or 'except' may be specified",
                "\"b\"",
                "",
                "Remove one of them.",
            ),
            (
                "template.json 2:61-66 provisioner 1: 'only' specified builder 'nul' not found",
                "\"nul\"",
                "",
                "Did you mean `null`?",
            ),
            (
                "template.json 2:80-83 provisioner 1: 'except' specified builder 'b' not found",
                "\"b\"",
                "",
                "The builders here are `null`.",
            ),
        ],
    },
    Row {
        case: || {
            around(
                "\"provisioners\": [{\"type\": \"script\", \"script\": \"x\", \"override\": {\"nul\": {}, \"null\": 1}}]",
            )
        },
        found: &[
            (
                "template.json 2:84-85 Failed to parse file as legacy JSON template: provisioner 1: the override for 'null' has to be an object, not a number",
                "1",
                "",
                "Put it between `{` and `}`.",
            ),
            (
                "template.json 2:65-70 provisioner 1: override 'nul' doesn't exist",
                "\"nul\"",
                "",
                "Did you mean `null`?",
            ),
        ],
    },
    Row {
        case: || {
            around(
                "\"provisioners\": [{\"type\": \"script\", \"script\": \"x\", \"pause_before\": \"soon\", \"timeout\": true}]",
            )
        },
        found: &[
            (
                "template.json 2:68-74 Failed to parse file as legacy JSON template: provisioner 1: 'pause_before' has to be a duration such as `10s`",
                "\"soon\"",
                "",
                "Write a number with a unit: `ns`, `us`, `ms`, `s`, `m` or `h`.",
            ),
            (
                "template.json 2:87-91 Failed to parse file as legacy JSON template: provisioner 1: 'timeout' has to be a duration such as `10s`",
                "true",
                "",
                "Write a number with a unit: `ns`, `us`, `ms`, `s`, `m` or `h`.",
            ),
        ],
    },
    Row {
        case: || {
            around(
                "\"provisioners\": [{\"type\": \"script\", \"script\": \"x\", \"max_retries\": \"many\"}]",
            )
        },
        found: &[(
            "template.json 2:67-73 Failed to initialize build \"null\"",
            "\"many\"",
            "",
            "Write a number, such as `3`.",
        )],
    },
    Row {
        case: || around("\"provisioners\": [{\"type\": \"scrip\"}]"),
        found: &[(
            "template.json 2:27-34 Failed to initialize build \"null\"",
            "\"scrip\"",
            "",
            "Did you mean to use \"script\"?",
        )],
    },
    Row {
        case: || around("\"provisioners\": [{\"type\": \"script\"}]"),
        found: &[(
            "template.json 2:27-35 Missing required argument",
            "\"script\"",
            "",
            "Add `script = …` to the block.",
        )],
    },
    Row {
        case: || around("\"post-processors\": [{\"name\": \"x\"}, [\"pack\", [\"pack\"]], 5]"),
        found: &[
            (
                "template.json 2:22-28 Failed to parse file as legacy JSON template: post-processor 1.1: type is required",
                "\"name\"",
                "",
                "Add a \"type\" such as \"compress\".",
            ),
            (
                "template.json 2:45-53 Failed to parse file as legacy JSON template: post-processor 2.2: an object is needed, not a list",
                "[\"pack\"]",
                "",
                "Write an object that says what it is: `{\"type\": \"…\"}`.",
            ),
            (
                "template.json 2:56-57 Failed to parse file as legacy JSON template: post-processor 3.1: an object is needed, not a number",
                "5",
                "",
                "Write an object that says what it is: `{\"type\": \"…\"}`.",
            ),
        ],
    },
    Row {
        case: || {
            around(
                "\"post-processors\": [{\"type\": \"pack\", \"keep_input_artifact\": \"true\"}, \"pak\"]",
            )
        },
        found: &[
            (
                "template.json 2:61-67 Failed to parse file as legacy JSON template: post-processor 1.1: 'keep_input_artifact' has to be a bool, not a text",
                "\"true\"",
                "",
                "Write true or false, without quotes.",
            ),
            (
                "template.json 2:70-75 Failed to initialize build \"null\"",
                "\"pak\"",
                "",
                "Did you mean to use \"pack\"?",
            ),
        ],
    },
    Row {
        case: || around("\"error-cleanup-provisioner\": [{\"type\": \"script\"}]"),
        found: &[(
            "template.json 2:30-50 Failed to parse file as legacy JSON template: error-cleanup-provisioner: an object is needed, not a list",
            "[{\"type\": \"script\"}]",
            "",
            "Write an object that says what it is: `{\"type\": \"…\"}`.",
        )],
    },
];

/// What Packer says of a template in JSON, and what YAML adds.
pub(super) const TITLES: &[&str] = &[
    "Failed to parse file as legacy JSON template: the text is not JSON",
    "Failed to parse file as legacy JSON template: template has duplicate field",
    "Failed to parse file as legacy JSON template: Unknown root level key in template",
    "This template requires Packer version",
    "min_version is invalid",
    "at least one builder must be defined",
    "required variable not set",
    "undefined sensitive variable",
    "undefined user variable",
    "error interpolating default value for",
    "Error reading variables in",
    "unknown configuration key",
    "Deprecated configuration key",
    "Failed to parse file as YAML template: Invalid YAML",
    "Failed to parse file as YAML template: Tab in indentation",
    "Failed to parse file as YAML template: Colon in text without quotes",
    "Failed to parse file as YAML template: Double quotes inside of double quotes",
    "Failed to parse file as YAML template: Template call without quotes",
    "Failed to parse file as YAML template: Unknown YAML anchor",
    "Failed to parse file as YAML template: Alias inside of what it stands for",
    "Failed to parse file as YAML template: Wrong value of a merge key",
    "Failed to parse file as YAML template: Duplicate key",
    "Failed to parse file as YAML template: Empty YAML document",
    "Failed to parse file as YAML template: Several YAML documents",
    "Failed to parse file as YAML template: Key is no text",
    "Failed to parse file as YAML template: Unknown root level key in template",
];
