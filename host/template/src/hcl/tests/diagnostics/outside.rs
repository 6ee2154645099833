//! Rows: values from outside, validations, locals and data.

use super::table::{Row, around, number, positive, undeclared, values};

pub(super) const ROWS: &[Row] = &[
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
];
