//! Rows of legacy JSON: options of components, and what only YAML can have.

use super::table::Row;
use crate::testing::Case;

/// The options of a machine.
fn machine(options: &str) -> Case {
    Case::legacy(&format!(
        "{{\"variables\": {{\"n\": \"two\", \"s\": \"hidden-text\"}}, \"sensitive-variables\": [\"s\"],\n\
         \"builders\": [{{\"type\": \"machine\",\n{options}}}]}}"
    ))
}

fn yaml(text: &str) -> Case {
    Case::with_files(&[("t.pkr.yaml", text)], "t.pkr.yaml")
}

pub(super) const ROWS: &[Row] = &[
    // Options.
    Row {
        case: || machine("\"memroy\": 5, \"iso_md5\": \"x\""),
        found: &[
            (
                "template.json 3:1-9 unknown configuration key: '\"memroy\"'",
                "\"memroy\"",
                "",
                "Did you mean \"memory\"?",
            ),
            (
                "template.json 3:14-23 Deprecated configuration key: 'iso_md5'. Please call `packer fix` against your template",
                "\"iso_md5\"",
                "",
                "Use `iso_checksum` instead.",
            ),
        ],
    },
    Row {
        case: || {
            machine(
                "\"memory\": \"{{user `n`}}\", \"headless\": \"{{user `s`}}\", \"commands\": [{}]",
            )
        },
        found: &[
            (
                "template.json 3:11-25 Incorrect attribute value type",
                "\"{{user `n`}}\"",
                "Here `\"{{user `n`}}\"` is \"two\".",
                "Write a number, such as `2`.",
            ),
            (
                "template.json 3:39-53 Incorrect attribute value type",
                "\"{{user `s`}}\"",
                "Here `\"{{user `s`}}\"` is a sensitive value.",
                "Write `true` or `false`.",
            ),
            (
                "template.json 3:68-70 Incorrect attribute value type",
                "{}",
                "",
                "Write one text in double quotes.",
            ),
        ],
    },
    Row {
        case: || machine("\"url\": \"{{user `m`}}{{env `HOME`}}\""),
        found: &[
            (
                "warning: template.json 3:9-21 undefined user variable: m",
                "{{user `m`}}",
                "",
                "Declare `m` in \"variables\".",
            ),
            (
                "template.json 3:21-35 Failed to render template call",
                "{{env `HOME`}}",
                "",
                "Read it in the default of a variable, and use the variable here.",
            ),
        ],
    },
    Row {
        case: || machine("\"url\": \"{{build `ID`}}\", \"tags\": {\"a\": \"{{lowr `X`}}\"}"),
        found: &[
            (
                "template.json 3:9-23 Failed to render template call",
                "{{build `ID`}}",
                "",
                "Use it in provisioners and post-processors: the machine is there only then.",
            ),
            (
                "template.json 3:41-53 Failed to render template call",
                "{{lowr `X`}}",
                "",
                "Did you mean \"lower\"?",
            ),
        ],
    },
    Row {
        case: || machine("\"disk\": [{}, 5]"),
        found: &[
            (
                "template.json 3:10-12 Missing required argument",
                "{}",
                "",
                "Add `size = …` to the block.",
            ),
            (
                "template.json 3:14-15 Incorrect attribute value type",
                "5",
                "",
                "Put it between `{` and `}`.",
            ),
        ],
    },
    // YAML.
    Row {
        case: || {
            yaml(
                "builders:\n- type: machine\n  memroy: 5\n  memory: '{{user `n`}}'\nvariables: {n: two}\nprovisionrs: []\n",
            )
        },
        found: &[
            (
                "t.pkr.yaml 6:1-12 Failed to parse file as YAML template: Unknown root level key in template: 'provisionrs'",
                "provisionrs",
                "",
                "Did you mean `provisioners`?",
            ),
            (
                "t.pkr.yaml 3:3-9 unknown configuration key: '\"memroy\"'",
                "memroy",
                "",
                "Did you mean \"memory\"?",
            ),
            (
                "t.pkr.yaml 4:11-25 Incorrect attribute value type",
                "'{{user `n`}}'",
                "Here `\"{{user `n`}}\"` is \"two\".",
                "Write a number, such as `2`.",
            ),
        ],
    },
    Row {
        case: || {
            yaml(
                "builders:\n- type: machine\n  memory: 1\n  memory: 2\n  <<: 5\n  headless: maybe\n",
            )
        },
        found: &[
            (
                "t.pkr.yaml 4:3-9 Failed to parse file as YAML template: Duplicate key `memory`",
                "memory",
                "",
                "Rename or remove one of the two.",
            ),
            (
                "t.pkr.yaml 5:7-8 Failed to parse file as YAML template: Wrong value of a merge key",
                "5",
                "",
                "Write an alias of a mapping behind `<<:`, or a list of such aliases.",
            ),
            (
                "t.pkr.yaml 6:13-18 Incorrect attribute value type",
                "maybe",
                "",
                "Write `true` or `false`.",
            ),
        ],
    },
    Row {
        case: || yaml("builders:\n- type: \"null\"\n name: a\n"),
        found: &[(
            "t.pkr.yaml 3:2-3 Failed to parse file as YAML template: Invalid YAML",
            "n",
            "",
            "Begin entries of one mapping or list in the same column, each as `name: value` or `- item`.",
        )],
    },
    Row {
        case: || yaml("builders:\n\t- type: \"null\"\n"),
        found: &[(
            "t.pkr.yaml 2:1-3 Failed to parse file as YAML template: Tab in indentation",
            "\t-",
            "",
            "Replace each tab with two spaces.",
        )],
    },
    Row {
        case: || yaml("description: one: two\nbuilders: [{type: \"null\"}]\n"),
        found: &[(
            "t.pkr.yaml 1:14-22 Failed to parse file as YAML template: Colon in text without quotes",
            "one: two",
            "",
            "Write 'one: two'.",
        )],
    },
    Row {
        case: || yaml("builders:\n- type: machine\n  url: {{user `a`}}\n"),
        found: &[(
            "t.pkr.yaml 3:8-20 Failed to parse file as YAML template: Template call without quotes",
            "{{user `a`}}",
            "",
            "Write '{{user `a`}}'.",
        )],
    },
    Row {
        case: || yaml("builders:\n- type: machine\n  url: \"{{user \"a\"}}\"\n"),
        found: &[(
            "t.pkr.yaml 3:9-21 Failed to parse file as YAML template: Double quotes inside of double quotes",
            "{{user \"a\"}}",
            "",
            "Write the call's text with back quotes: {{ user `name` }}; or put single quotes around all of it.",
        )],
    },
    Row {
        case: || yaml("builders: *all\n"),
        found: &[(
            "t.pkr.yaml 1:11-12 Failed to parse file as YAML template: Unknown YAML anchor",
            "*",
            "",
            "Write the anchor in front of the value it is meant to stand for, above this line.",
        )],
    },
    Row {
        case: || yaml("builders: &all\n- type: machine\n  commands: *all\n"),
        found: &[(
            "t.pkr.yaml 3:13-17 Failed to parse file as YAML template: Alias inside of what it stands for",
            "*all",
            "",
            "Write out what is meant in the place of the alias.",
        )],
    },
    Row {
        case: || yaml("# nothing\n"),
        found: &[(
            "t.pkr.yaml 1:1-1 Failed to parse file as YAML template: Empty YAML document",
            "",
            "",
            "Write `{}` for a document without keys.",
        )],
    },
    Row {
        case: || yaml("builders: [{type: \"null\"}]\n---\nbuilders: []\n"),
        found: &[(
            "t.pkr.yaml 2:1-4 Failed to parse file as YAML template: Several YAML documents",
            "---",
            "",
            "Put each template in a file of its own, and take `---` out.",
        )],
    },
    Row {
        case: || yaml("builders: [{type: \"null\"}]\n? [a]\n: b\n"),
        found: &[(
            "t.pkr.yaml 2:3-6 Failed to parse file as YAML template: Key is no text",
            "[a]",
            "",
            "Put the key between quotes.",
        )],
    },
    Row {
        case: || yaml("builders: [{type: null}]\n"),
        found: &[(
            "t.pkr.yaml 1:19-23 Failed to parse file as YAML template: builder 1: missing 'type'",
            "null",
            "",
            "Without quotes, null means nothing; write \"null\" for the builder of that name.",
        )],
    },
];
