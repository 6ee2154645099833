//! Rows: sources, builds, and options of components.

use super::table::{Row, around, in_build};
use crate::testing::Case;

pub(super) const ROWS: &[Row] = &[
    // Sources and builds.
    Row {
        case: || Case::hcl("source \"null\" \"a\" {}\n"),
        found: &[(
            "Missing build block",
            "",
            "",
            "Add `build { sources = [\"source.TYPE.NAME\"] }`.",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "source \"null\" \"a\" {}\nsource \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 2:1-18 Duplicate source block",
            "source \"null\" \"a\"",
            "",
            "Rename or remove one of the two.",
        )],
    },
    Row {
        case: || Case::hcl("source \"null\" \"a\" {}\nbuild { sources = [\"null\"] }\n"),
        found: &[(
            "main.pkr.hcl 2:20-26 Invalid source reference",
            "\"null\"",
            "",
            "Write type and name of a source: `source.null.example`.",
        )],
    },
    Row {
        case: || Case::hcl("source \"null\" \"a\" {}\nbuild { sources = [\"null.b\"] }\n"),
        found: &[(
            "main.pkr.hcl 2:20-28 Unknown source null.b",
            "\"null.b\"",
            "",
            "Did you mean `null.a`?",
        )],
    },
    Row {
        case: || Case::hcl("source \"null\" \"a\" {}\nbuild { sources = \"null.a\" }\n"),
        found: &[(
            "main.pkr.hcl 2:19-27 Unsuitable value type",
            "\"null.a\"",
            "",
            "Write brackets around it: `sources = [\"source.TYPE.NAME\"]`.",
        )],
    },
    Row {
        case: || Case::hcl("build {}\n"),
        found: &[(
            "main.pkr.hcl 1:1-6 missing source reference",
            "build",
            "",
            "Add `sources = [\"source.TYPE.NAME\"]` to it.",
        )],
    },
    Row {
        case: || Case::hcl("source \"nul\" \"a\" {}\nbuild { sources = [\"nul.a\"] }\n"),
        found: &[(
            "main.pkr.hcl 1:8-13 Unknown source type nul",
            "\"nul\"",
            "",
            "did you mean \"null\"?",
        )],
    },
    Row {
        case: || {
            Case::hcl("source \"quite-other\" \"a\" {}\nbuild { sources = [\"quite-other.a\"] }\n")
        },
        found: &[(
            "main.pkr.hcl 1:8-21 Unknown source type quite-other",
            "\"quite-other\"",
            "",
            "Write one of the names that are known, or install the plugin that offers it.",
        )],
    },
    Row {
        case: || {
            in_build(
                "provisioner \"scrip\" {}\npost-processor \"pac\" {}\nerror-cleanup-provisioner \"quite-other\" {}",
            )
        },
        found: &[
            (
                "main.pkr.hcl 4:13-20 Unknown provisioner type \"scrip\"",
                "\"scrip\"",
                "",
                "Did you mean `script`?",
            ),
            (
                "main.pkr.hcl 6:27-40 Unknown error-cleanup-provisioner type \"quite-other\"",
                "\"quite-other\"",
                "",
                "Write one of the names that are known, or install the plugin that offers it.",
            ),
            (
                "main.pkr.hcl 5:16-21 Unknown post-processor type \"pac\"",
                "\"pac\"",
                "",
                "Did you mean `pack`?",
            ),
        ],
    },
    Row {
        case: || {
            in_build(
                "error-cleanup-provisioner \"script\" {\n  script = \"x\"\n}\nerror-cleanup-provisioner \"script\" {\n  script = \"x\"\n}\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:1-35 Only one error-cleanup-provisioner is allowed",
            "error-cleanup-provisioner \"script\"",
            "",
            "Move what both do to one of them.",
        )],
    },
    Row {
        case: || around("hcp_packer_registry {}\nhcp_packer_registry {}"),
        found: &[(
            "main.pkr.hcl 2:1-20 Only one hcp_packer_registry is allowed",
            "hcp_packer_registry",
            "",
            "Remove all but one of the blocks.",
        )],
    },
    Row {
        case: || in_build("hcp_packer_registry {}"),
        found: &[(
            "warning: main.pkr.hcl 4:1-20 Build block level hcp_packer_registry are deprecated",
            "hcp_packer_registry",
            "",
            "Move the block out of the build.",
        )],
    },
    // Arguments of a build's blocks.
    Row {
        case: || {
            in_build(
                "provisioner \"script\" {\n  script = \"x\"\nonly = [\"null.a\"]\nexcept = [\"null.a\"]\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 7:1-20 only one of 'only' or 'except' may be specified",
            "except = [\"null.a\"]",
            "",
            "Remove one of the two arguments.",
        )],
    },
    Row {
        case: || in_build("provisioner \"script\" {\n  script = \"x\"\noverride = 1\n}"),
        found: &[(
            "main.pkr.hcl 6:12-13 provisioner's override block must be an HCL object",
            "1",
            "",
            "Write `override = { NAME = { … } }`, with the name of a source.",
        )],
    },
    Row {
        case: || in_build("provisioner \"script\" {\n  script = \"x\"\npause_before = \"x\"\n}"),
        found: &[(
            "main.pkr.hcl 6:16-19 Failed to parse pause_before duration",
            "\"x\"",
            "",
            "Write numbers with units, such as `10s`, `5m` or `1h30m`.",
        )],
    },
    Row {
        case: || in_build("provisioner \"script\" {\n  script = \"x\"\ntimeout = \"x\"\n}"),
        found: &[(
            "main.pkr.hcl 6:11-14 Failed to parse timeout duration",
            "\"x\"",
            "",
            "Write numbers with units, such as `10s`, `5m` or `1h30m`.",
        )],
    },
    // Options of components, with the values that are involved.
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  memroy = 5\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:3-9 Unsupported argument",
            "memroy",
            "",
            "did you mean `memory`?",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  memory = var.n\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:12-17 Incorrect attribute value type",
            "var.n",
            "Here `var.n` is \"two\".",
            "Write a number, such as `2`.",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  memory = var.s\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:12-17 Incorrect attribute value type",
            "var.s",
            "Here `var.s` is a sensitive value.",
            "Write a number, such as `2`.",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nlocals { x = 5 }\nsource \"machine\" \"m\" {\n  headless = \"${var.n} ${local.x}\"\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 8:14-35 Incorrect attribute value type",
            "\"${var.n} ${local.x}\"",
            "Here `var.n` is \"two\" and `local.x` is 5.",
            "Write `true` or `false`.",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  commands = var.n\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:14-19 Incorrect attribute value type",
            "var.n",
            "Here `var.n` is \"two\".",
            "Write brackets around it, even for one: `[…]`.",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  url = \"{{ lowr }}\"\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:9-21 Failed to render template call",
            "\"{{ lowr }}\"",
            "",
            "Did you mean \"lower\"?",
        )],
    },
    Row {
        case: || {
            Case::hcl(
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  disk {}\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:3-7 Missing required argument",
            "disk",
            "",
            "Add `size = …` to the block.",
        )],
    },
    // Patterns of the command line.
    Row {
        case: || around("").only("[a"),
        found: &[(
            "Invalid -only pattern [a: unclosed character class; missing ']'",
            "",
            "",
            "Name builds by their whole names, or with `*`: `*.qemu.*`.",
        )],
    },
    Row {
        case: || around("").except("[a"),
        found: &[(
            "Invalid -except pattern [a: unclosed character class; missing ']'",
            "",
            "",
            "Name builds by their whole names, or with `*`: `*.qemu.*`.",
        )],
    },
    Row {
        case: || around("").only("nul.*").only("null.*"),
        found: &[(
            "warning: an 'only' option was passed, but not all matches were found for the given build.",
            "",
            "",
            "Name builds by their whole names, or with `*`: `*.qemu.*`.",
        )],
    },
    Row {
        case: || around("").except("nul.*"),
        found: &[(
            "warning: an 'except' option was passed, but did not match any build.",
            "",
            "",
            "Name builds by their whole names, or with `*`: `*.qemu.*`.",
        )],
    },
    // Legacy templates.
    Row {
        case: || Case::legacy("{\"builders\": [{\"type\": \"null\", \"name\": \"{{ lowr }}\"}]}"),
        found: &[(
            "template.json 1:41-51 Failed to initialize build \"{{ lowr }}\"",
            "{{ lowr }}",
            "",
            "The name cannot be rendered: function \"lowr\" not defined; did you mean \"lower\"?",
        )],
    },
    Row {
        case: || {
            Case::legacy(
                "{\"varibles\": {}, \"builders\": [{\"type\": \"machine\", \"memroy\": 5, \"memory\": \"{{user `n`}}\"}],\n\"variables\": {\"n\": \"two\"}}",
            )
        },
        found: &[
            (
                "template.json 1:2-12 Failed to parse file as legacy JSON template: Unknown root level key in template: 'varibles'",
                "\"varibles\"",
                "",
                "Did you mean `variables`?",
            ),
            (
                "template.json 1:51-59 unknown configuration key: '\"memroy\"'",
                "\"memroy\"",
                "",
                "Did you mean \"memory\"?",
            ),
            (
                "template.json 1:74-88 Incorrect attribute value type",
                "\"{{user `n`}}\"",
                "Here `\"{{user `n`}}\"` is \"two\".",
                "Write a number, such as `2`.",
            ),
        ],
    },
];
