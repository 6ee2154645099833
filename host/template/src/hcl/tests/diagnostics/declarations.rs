//! Rows: files, versions, plugins, and what is declared.

use super::table::{Row, around, plugin};
use crate::testing::Case;

pub(super) const ROWS: &[Row] = &[
    // Files.
    Row {
        case: || Case::with_files(&[("main.hcl", "")], "."),
        found: &[(
            "Could not find any config file in .",
            "",
            "",
            "Rename the file, or pass `-config-type=json` for a legacy JSON template.",
        )],
    },
    Row {
        case: || around("").var_file("x.txt"),
        found: &[(
            "Could not guess format of x.txt",
            "",
            "",
            "Rename the file so that it ends in `.pkrvars.hcl` or `.pkrvars.json`.",
        )],
    },
    // Versions and plugins.
    Row {
        case: || around("packer { required_version = \">= 2.0\" }"),
        found: &[(
            "main.pkr.hcl 1:29-37 Unsupported Packer Core version",
            "\">= 2.0\"",
            "",
            "Relax `required_version`, or use a program of a version that meets it.",
        )],
    },
    Row {
        case: || around("packer { required_version = \"banana\" }"),
        found: &[(
            "main.pkr.hcl 1:29-37 Invalid version constraint",
            "\"banana\"",
            "",
            "Write conditions such as `>= 1.8.0`, several of them separated by commas.",
        )],
    },
    Row {
        case: || {
            around("variable \"v\" { default = \">= 1\" }\npacker { required_version = var.v }")
        },
        found: &[(
            "main.pkr.hcl 2:29-34 Invalid version constraint",
            "var.v",
            "",
            "Write conditions such as `>= 1.8.0`, several of them separated by commas.",
        )],
    },
    Row {
        case: || plugin("a = \">= 1\""),
        found: &[(
            "main.pkr.hcl 3:5-11 Invalid plugin requirement",
            "\">= 1\"",
            "",
            "Write `name = { source = \"github.com/hashicorp/name\", version = \">= 1.0.0\" }`.",
        )],
    },
    Row {
        case: || plugin("a = { source = \"github.com/x/null\", version = \">= 1\", x = 1 }"),
        found: &[(
            "main.pkr.hcl 3:5-62 Invalid required_plugins object",
            "{ source = \"github.com/x/null\", version = \">= 1\", x = 1 }",
            "",
            "Remove everything but `source` and `version`.",
        )],
    },
    Row {
        case: || plugin("a = { source = \"github.com/x/null\" }"),
        found: &[(
            "main.pkr.hcl 3:5-37 No version constraint was set",
            "{ source = \"github.com/x/null\" }",
            "",
            "Add `version = \">= 1.0.0\"`.",
        )],
    },
    Row {
        case: || plugin("a = { version = \">= 1\" }"),
        found: &[(
            "main.pkr.hcl 3:5-25 No source was set",
            "{ version = \">= 1\" }",
            "",
            "Add `source = \"github.com/hashicorp/name\"`.",
        )],
    },
    Row {
        case: || plugin("a = { source = \"null\", version = \">= 1\" }"),
        found: &[(
            "main.pkr.hcl 3:5-42 Invalid source",
            "{ source = \"null\", version = \">= 1\" }",
            "",
            "Write where the plugin comes from: `github.com/hashicorp/name`.",
        )],
    },
    Row {
        case: || plugin("a = { source = \"github.com/x/null\", version = \">= 1-dev\" }"),
        found: &[(
            "main.pkr.hcl 3:5-59 Invalid version constraint",
            "{ source = \"github.com/x/null\", version = \">= 1-dev\" }",
            "",
            "Write conditions such as `>= 1.8.0`, several of them separated by commas.",
        )],
    },
    Row {
        case: || plugin("A = { source = \"github.com/x/null\", version = \">= 1\" }"),
        found: &[(
            "main.pkr.hcl 3:1-2 Invalid plugin local name",
            "A",
            "",
            "Write the name in lower-case letters, such as `qemu`.",
        )],
    },
    Row {
        case: || {
            plugin(
                "a = { source = \"github.com/x/null\", version = \">= 1\" }\n}\nrequired_plugins {\na = { source = \"github.com/x/null\", version = \">= 1\" }",
            )
        },
        found: &[(
            "main.pkr.hcl 6:1-2 Duplicate required_plugin.\"a\" block",
            "a",
            "",
            "Remove one of the two.",
        )],
    },
    Row {
        case: || plugin("a = { source = \"github.com/x/nothing\", version = \">= 1\" }"),
        found: &[(
            "main.pkr.hcl 3:1-2 Missing plugins",
            "a",
            "",
            "Run `kiln init TEMPLATE`, which installs them. | Where nothing of it is needed here, take it out of `required_plugins`.",
        )],
    },
    // Declarations.
    Row {
        case: || around("variable \"a\" { default = 1 }\nvariable \"a\" { default = 1 }"),
        found: &[(
            "main.pkr.hcl 2:1-13 Duplicate variable",
            "variable \"a\"",
            "",
            "Rename or remove one of the two.",
        )],
    },
    Row {
        case: || around("variable \"1a\" { default = 1 }"),
        found: &[(
            "main.pkr.hcl 1:10-14 Invalid variable name",
            "\"1a\"",
            "",
            "Rename it: `base_image`, say.",
        )],
    },
    Row {
        case: || around("local \"1a\" { expression = 1 }"),
        found: &[(
            "main.pkr.hcl 1:1-11 Invalid local name",
            "local \"1a\"",
            "",
            "Rename it: `base_image`, say.",
        )],
    },
    Row {
        case: || around("locals { a = 1 }\nlocal \"a\" { expression = 1 }"),
        found: &[(
            "main.pkr.hcl 2:1-10 Duplicate local definition",
            "local \"a\"",
            "",
            "Rename or remove one of the two.",
        )],
    },
    Row {
        case: || around("variable \"a\" {\n  type    = number\n  default = \"x\"\n}"),
        found: &[(
            "main.pkr.hcl 3:13-16 Invalid default value for variable",
            "\"x\"",
            "Here `var.a` is \"x\".",
            "Change the default, or the `type` of the variable.",
        )],
    },
    Row {
        case: || around("variable \"a\" {\n  type = strng\n}"),
        found: &[(
            "main.pkr.hcl 2:10-15 Invalid type specification",
            "strng",
            "",
            "Did you mean `string`?",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type    = object({ b = optional(number, \"x\") })\n  default = {}\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 2:43-46 Invalid default value for optional attribute",
            "\"x\"",
            "",
            "Change the default, or the attribute's type.",
        )],
    },
    Row {
        case: || around("data \"echo\" \"1a\" { text = \"x\" }"),
        found: &[(
            "main.pkr.hcl 1:13-17 Invalid data resource name",
            "\"1a\"",
            "",
            "Rename it: `base_image`, say.",
        )],
    },
    Row {
        case: || around("data \"1x\" \"a\" { text = \"x\" }"),
        found: &[(
            "main.pkr.hcl 1:6-10 Invalid data source name",
            "\"1x\"",
            "",
            "Rename it: `base_image`, say.",
        )],
    },
    Row {
        case: || {
            around("data \"echo\" \"a\" { text = \"x\" }\ndata \"echo\" \"a\" { text = \"x\" }")
        },
        found: &[(
            "main.pkr.hcl 2:1-16 Duplicate data block",
            "data \"echo\" \"a\"",
            "",
            "Rename or remove one of the two.",
        )],
    },
];
