//! The titles, and the templates that make them happen.

use super::super::complete;
use crate::testing::Case;

/// A template, and all that is found wrong with it.
pub(super) struct Row {
    pub(super) case: fn() -> Case,
    pub(super) found: &'static [Found],
}

/// Place and title (`main.pkr.hcl 3:5-8 Title`, the title alone for what is in no file), the source
/// that is marked, what is said of values, and what to do.
pub(super) type Found = (&'static str, &'static str, &'static str, &'static str);

/// `text` before a source and a build that are fine.
fn around(text: &str) -> Case {
    Case::hcl(&complete(text))
}

/// `text` in a build block, on line 4.
fn in_build(text: &str) -> Case {
    let source = "source \"null\" \"a\" {}\n";
    Case::hcl(&format!(
        "{source}build {{\n  sources = [\"null.a\"]\n{text}\n}}\n"
    ))
}

/// `entry` in `required_plugins`, on line 3.
fn plugin(entry: &str) -> Case {
    around(&format!("packer {{\nrequired_plugins {{\n{entry}\n}}\n}}"))
}

/// A template with a number, `a`.
fn number() -> Case {
    around("variable \"a\" {\n  type    = number\n  default = 1\n}")
}

/// The same with a file of values.
fn values(text: &str) -> Case {
    let template = complete("variable \"a\" {\n  type    = number\n  default = 1\n}");
    let files = [("main.pkr.hcl", template.as_str()), ("v.pkrvars.hcl", text)];
    Case::with_files(&files, "main.pkr.hcl").var_file("v.pkrvars.hcl")
}

fn undeclared() -> Case {
    let mut case = values("b = 1\n");
    case.options.warn_undeclared = true;
    case
}

/// A template with a number that has to be positive, beside a file of values.
fn positive() -> Case {
    let template = complete(
        "variable \"a\" {\n  type    = number\n  default = 1\n  validation {\n    \
         condition     = var.a > 0\n    error_message = \"Too small.\"\n  }\n}",
    );
    Case::with_files(
        &[("main.pkr.hcl", &template), ("v.pkrvars.hcl", "a = 0\n")],
        "main.pkr.hcl",
    )
}

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
            "Put kiln's plugin of that name (`kiln-plugin-NAME`) beside the program or into `libexec/kiln`; plugins made for Packer itself cannot be used. | Where nothing of it is needed here, take it out of `required_plugins`.",
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
    // Values from outside.
    Row {
        case: || number().var("a", "x"),
        found: &[(
            "<value for var.a from arguments> 1:1-2 Invalid argument value for -var variable",
            "x",
            "Here `var.a` is \"x\".",
            "Give a value of that type; lists and maps are written as in the template.",
        )],
    },
    Row {
        case: || number().env("PKR_VAR_a", "x"),
        found: &[(
            "<value for var.a from env> 1:1-2 Invalid value for variable",
            "x",
            "Here `var.a` is \"x\".",
            "Give a value of that type, or change the `type` of the variable.",
        )],
    },
    Row {
        case: || number().var("b", "x"),
        found: &[(
            "Undefined -var variable",
            "",
            "",
            "Declare it with `variable \"b\" {}`.",
        )],
    },
    Row {
        case: || values("variable \"a\" {}\n"),
        found: &[(
            "v.pkrvars.hcl 1:1-13 Variable declaration in a .pkrvar file",
            "variable \"a\"",
            "",
            "Move the block to a file of the template, or write `name = value`.",
        )],
    },
    Row {
        case: || values("a = []\n"),
        found: &[(
            "v.pkrvars.hcl 1:5-7 Invalid value for variable",
            "[]",
            "Here `var.a` is a tuple with 0 elements.",
            "Give a value of that type, or change the `type` of the variable.",
        )],
    },
    Row {
        case: undeclared,
        found: &[(
            "warning: v.pkrvars.hcl 1:1-6 Undefined variable",
            "b = 1",
            "",
            "Declare it with a `variable` block, or take the value away.",
        )],
    },
    Row {
        case: || around("variable \"a\" {}"),
        found: &[(
            "main.pkr.hcl 1:1-13 Unset variable \"a\"",
            "variable \"a\"",
            "",
            "Pass `-var a=…` or a value file, set PKR_VAR_a, or give it a default.",
        )],
    },
    // Validations.
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = var.a + 1\n    error_message = \"Wrong.\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 5:17-26 Invalid variable validation result",
            "var.a + 1",
            "",
            "Write a comparison, or another expression that is true or false.",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = var.a == 1 ? null : true\n    error_message = \"Wrong.\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 5:17-41 Invalid variable validation result",
            "var.a == 1 ? null : true",
            "",
            "Write a comparison, or another expression that is true or false.",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = true\n    error_message = \"Wrong.\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 5:17-21 Invalid variable validation condition",
            "true",
            "",
            "Write a condition of the variable's own value.",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = var.b == 1\n    error_message = \"Wrong.\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 5:17-22 Invalid reference in variable validation",
            "var.b",
            "",
            "Compare the variable itself with fixed values.",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = var.a > 0\n    error_message = \"wrong\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 6:21-28 Invalid validation error message",
            "\"wrong\"",
            "",
            "Write a sentence such as \"The size must not be negative.\"",
        )],
    },
    Row {
        case: || {
            around(
                "variable \"a\" {\n  type = number\n  default = 1\n  validation {\n    condition = var.a > 1\n    error_message = \"More is needed.\"\n  }\n}",
            )
        },
        found: &[(
            "main.pkr.hcl 3:13-14 Invalid value for default variable",
            "1",
            "Here `var.a` is 1.",
            "Change the default, or the condition.",
        )],
    },
    Row {
        case: || positive().env("PKR_VAR_a", "0"),
        found: &[(
            "<value for var.a from env> 1:1-2 Invalid value for env variable",
            "0",
            "Here `var.a` is 0.",
            "Change the value in the environment.",
        )],
    },
    Row {
        case: || positive().var("a", "0"),
        found: &[(
            "<value for var.a from arguments> 1:1-2 Invalid value for cmd variable",
            "0",
            "Here `var.a` is 0.",
            "Pass another value with `-var`.",
        )],
    },
    Row {
        case: || positive().var_file("v.pkrvars.hcl"),
        found: &[(
            "v.pkrvars.hcl 1:5-6 Invalid value for varfile variable",
            "0",
            "Here `var.a` is 0.",
            "Change the value in the file.",
        )],
    },
    // Locals and data.
    Row {
        case: || around("locals {\n  a = local.b\n  c = local.c\n}"),
        found: &[
            (
                "main.pkr.hcl 2:7-14 failed to prepare execution graph",
                "local.b",
                "",
                "Declare it, or correct its name.",
            ),
            (
                "main.pkr.hcl 3:3-4 failed to prepare execution graph",
                "c",
                "",
                "Take out one of the references that lead back here.",
            ),
        ],
    },
    Row {
        case: || around("locals {\n  a = local.b\n  b = local.a\n}"),
        found: &[(
            "main.pkr.hcl 2:3-4 failed to prepare execution graph",
            "a",
            "",
            "Take out one of the references that lead back here.",
        )],
    },
    Row {
        case: || around("locals { a = local }"),
        found: &[(
            "main.pkr.hcl 1:14-19 failed to process local dependency",
            "local",
            "",
            "Write the name of a local behind it: `local.name`.",
        )],
    },
    Row {
        case: || around("locals { a = data.echo }"),
        found: &[(
            "main.pkr.hcl 1:14-23 failed to process datasource dependency",
            "data.echo",
            "",
            "Write type and name of a data source behind it: `data.http.name`.",
        )],
    },
    Row {
        case: || around("data \"ech\" \"a\" {}\nlocals { a = data.ech.a.x }"),
        found: &[(
            "main.pkr.hcl 1:6-11 Unknown data type ech",
            "\"ech\"",
            "",
            "Did you mean `echo`?",
        )],
    },
    Row {
        case: || around("locals { a = var.x }"),
        found: &[(
            "main.pkr.hcl 1:18-19 Unsupported attribute",
            "x",
            "",
            "Declare it: `variable \"x\" { … }`.",
        )],
    },
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
                "variable \"n\" { default = \"two\" }\nvariable \"s\" {\n  default   = \"hidden-text\"\n  sensitive = true\n}\nsource \"machine\" \"m\" {\n  url = \"{{ nope }}\"\n}\nbuild { sources = [\"machine.m\"] }\n",
            )
        },
        found: &[(
            "main.pkr.hcl 7:9-21 Failed to render template call",
            "\"{{ nope }}\"",
            "",
            "Did you mean \"ne\"?",
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
        case: || Case::legacy("{\"builders\": [{\"type\": \"null\", \"name\": \"{{ nope }}\"}]}"),
        found: &[(
            "template.json 1:41-51 Failed to initialize build \"{{ nope }}\"",
            "{{ nope }}",
            "",
            "The name cannot be rendered: function \"nope\" not defined; did you mean \"ne\"?",
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

/// What Packer calls things that can be wrong, in the order of its documentation.
pub(super) const TITLES: &[&str] = &[
    "Could not find any config file in",
    "Cannot read hcl directory",
    "Could not find current working directory",
    "Could not guess format of",
    "Unsupported Packer Core version",
    "Invalid version constraint",
    "Invalid plugin requirement",
    "Invalid required_plugins object",
    "Invalid required_plugins syntax",
    "No version constraint was set",
    "No source was set",
    "Invalid source",
    "Failed to parse source",
    "Invalid plugin local name",
    "Duplicate required_plugin.",
    "Missing plugins",
    "Failed to list installation for",
    "Error discovering plugin",
    "Failed to discover installed plugins",
    "Duplicate variable",
    "Invalid variable name",
    "Invalid local name",
    "Duplicate local definition",
    "Invalid default value for variable",
    "Invalid value for variable",
    "Invalid argument value for -var variable",
    "Undefined variable",
    "Undefined -var variable",
    "Variable declaration in a .pkrvar file",
    "Unset variable",
    "Invalid variable validation condition",
    "Invalid variable validation result",
    "Invalid reference in variable validation",
    "Invalid validation error message",
    "Invalid value for default variable",
    "Invalid value for env variable",
    "Invalid value for varfile variable",
    "Invalid value for cmd variable",
    "Invalid type specification",
    "Invalid default value for optional attribute",
    "Duplicate data block",
    "Invalid data source name",
    "Invalid data resource name",
    "Unknown data type",
    "failed to start datasource plugin",
    "empty value",
    "failed to prepare execution graph",
    "failed to process datasource dependency",
    "failed to process local dependency",
    "failed to register datasource dependency",
    "failed to register local dependency",
    "unsupported DAG node type",
    "Max datasource recursion depth exceeded.",
    "Max local recursion depth exceeded.",
    "failed to get local variable",
    "failed to extract dependency name from traversal ref",
    "Duplicate source block",
    "Invalid source reference",
    "missing source reference",
    "Unknown source null.b",
    "Unknown source type",
    "Failed to load source type",
    "Missing build block",
    "Unknown provisioner type",
    "Unknown post-processor type",
    "Unknown error-cleanup-provisioner type",
    "Only one error-cleanup-provisioner is allowed",
    "Only one hcp_packer_registry is allowed",
    "Multiple HCP Packer registry block declaration",
    "Build block level hcp_packer_registry are deprecated",
    "only one of 'only' or 'except' may be specified",
    "provisioner's override block must be an HCL object",
    "Failed to parse pause_before duration",
    "Failed to parse timeout duration",
    "failed loading",
    "Failed loading",
    "Failed preparing provisioner-block",
    "Failed preparing post-processor-block",
    "Preparing packer core build",
    "Invalid -only pattern",
    "Invalid -except pattern",
    "an 'only' option",
    "an 'except' option",
    "No builds to run",
    "HCP authentication information required",
    "HCP authentication check failed",
    "Bucket name required",
    "Version initialization failed",
    "Multiple build blocks",
    "Build name conflicts",
    "Invalid HCP datasources",
    "HCP: populating version failed",
    "HCP: fetching enforced provisioners failed",
    "Failed to parse enforced block",
    "Failed to start enforced provisioner",
    "Failed to prepare enforced provisioner",
    "hcp: failed to start build",
    "publishing build metadata to HCP Packer for",
    "produced an artifact that cannot be pushed to HCP Packer",
    "Failed to initialize build",
    "Failed to prepare build",
    "Warning when preparing build",
    "Interpolation error",
    "encountered an error while formatting",
];

/// Titles that cannot come up here, or not while a template is read, and why.
pub(super) const ABSENT: &[(&str, &str)] = &[
    (
        "Cannot read hcl directory",
        "Whoever runs tests may be one who may read every folder.",
    ),
    (
        "Could not find current working directory",
        "The program ends before it reads a template when it has no working directory.",
    ),
    (
        "Invalid required_plugins syntax",
        "`Invalid plugin requirement` and `Invalid required_plugins object` tell of every shape.",
    ),
    (
        "Failed to parse source",
        "`Invalid source` tells of every source that is not one.",
    ),
    (
        "Failed to list installation for",
        "There are no installations of plugins to be listed; they lie beside the program.",
    ),
    (
        "Error discovering plugin",
        "A plugin that cannot be asked what it offers is told of in the log and offers nothing.",
    ),
    ("Failed to discover installed plugins", "As above."),
    (
        "failed to start datasource plugin",
        "`Data source \"x\" failed` tells of every failure of one.",
    ),
    (
        "empty value",
        "The protocol has no data source without a value.",
    ),
    (
        "failed to register datasource dependency",
        "The graph takes every dependency; what it cannot take is a cycle, which has its own words.",
    ),
    ("failed to register local dependency", "As above."),
    (
        "unsupported DAG node type",
        "The type of nodes is closed; there is no other.",
    ),
    (
        "Max datasource recursion depth exceeded.",
        "Sequential evaluation is the graph's, so that cycles are named instead.",
    ),
    ("Max local recursion depth exceeded.", "As above."),
    ("failed to get local variable", "As above."),
    (
        "failed to extract dependency name from traversal ref",
        "As above.",
    ),
    (
        "Failed to load source type",
        "A plugin is launched when a component is checked: `Failed to check source …`.",
    ),
    (
        "failed loading",
        "As above: `Failed to check provisioner …`.",
    ),
    (
        "Failed loading",
        "As above: `Failed to check post-processor …`.",
    ),
    (
        "Failed preparing provisioner-block",
        "What a component finds wrong is told with its own title, at the option it is about.",
    ),
    ("Failed preparing post-processor-block", "As above."),
    ("Preparing packer core build", "As above."),
    ("Failed to prepare build", "As above."),
    ("Warning when preparing build", "As above."),
    (
        "Multiple HCP Packer registry block declaration",
        "`Only one hcp_packer_registry is allowed` tells of it wherever the second one stands.",
    ),
    (
        "HCP authentication information required",
        "There is no HCP registry here: the block is read and checked, and nothing is sent.",
    ),
    ("HCP authentication check failed", "As above."),
    ("Bucket name required", "As above."),
    ("Version initialization failed", "As above."),
    ("Multiple build blocks", "As above."),
    ("Build name conflicts", "As above."),
    ("Invalid HCP datasources", "As above."),
    ("HCP: populating version failed", "As above."),
    ("HCP: fetching enforced provisioners failed", "As above."),
    ("Failed to parse enforced block", "As above."),
    ("Failed to start enforced provisioner", "As above."),
    ("Failed to prepare enforced provisioner", "As above."),
    ("hcp: failed to start build", "As above."),
    ("publishing build metadata to HCP Packer for", "As above."),
    (
        "produced an artifact that cannot be pushed to HCP Packer",
        "As above.",
    ),
    (
        "No builds to run",
        "A matter of the command `build`; the process tests have it.",
    ),
    (
        "Interpolation error",
        "A matter of the command `console`; the process tests have it.",
    ),
    (
        "encountered an error while formatting",
        "A matter of the command `fmt`; the process tests have it.",
    ),
];
