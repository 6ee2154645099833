use super::{check_problems, complete, problems};
use crate::testing::{Case, show};

/// The value of `local.x` when the template has `text`.
fn check_local(text: &str, expected: &str) {
    check_case(Case::hcl(&complete(text)), expected);
}

fn check_case(case: Case, expected: &str) {
    let outcome = case.run();
    assert_eq!(outcome.problems, [""; 0], "details: {:#?}", outcome.details);
    let scope = outcome
        .template
        .expect("a template")
        .console_scope()
        .expect("HCL2");
    assert_eq!(
        show(scope.variables["local"].get("x").expect("local x")),
        expected
    );
}

fn declared(variable: &str) -> Case {
    Case::hcl(&complete(&format!("{variable}\nlocals {{ x = var.v }}")))
}

#[test]
fn order_in_the_file_does_not_matter() {
    check_local(
        "locals { x = local.y }\nlocals { y = local.z }\nlocals { z = 1 }",
        "1",
    );
    check_local(
        "locals { x = data.echo.a.result }\ndata \"echo\" \"a\" { text = local.t }\nlocals { t = \"hi\" }",
        "\"hi\"",
    );
    check_local(
        "locals {\n x = data.echo.b.result\n}\ndata \"echo\" \"b\" { text = \"${data.echo.a.result}!\" }\ndata \"echo\" \"a\" { text = \"hi\" }",
        "\"hi!\"",
    );
}

#[test]
fn values_from_outside_have_an_order_of_precedence() {
    let text = complete("variable \"v\" { default = \"default\" }\nlocals { x = var.v }");
    let files = [
        ("main.pkr.hcl", text.as_str()),
        ("b.pkrvars.hcl", "v = \"file\""),
        ("c.pkrvars.json", "{\"v\": \"later file\"}"),
    ];
    let case = || Case::with_files(&files, ".");
    check_case(case(), "\"default\"");
    check_case(case().env("PKR_VAR_v", "env"), "\"env\"");
    check_case(
        case().env("PKR_VAR_v", "env").var_file("b.pkrvars.hcl"),
        "\"file\"",
    );
    check_case(
        case().var_file("b.pkrvars.hcl").var_file("c.pkrvars.json"),
        "\"later file\"",
    );
    check_case(
        case()
            .var("v", "one")
            .var("v", "two")
            .var_file("b.pkrvars.hcl"),
        "\"two\"",
    );
}

#[test]
fn automatic_files_only_count_for_folders() {
    let text = complete("variable \"v\" { default = \"default\" }\nlocals { x = var.v }");
    let files = [
        ("main.pkr.hcl", text.as_str()),
        ("a.auto.pkrvars.hcl", "v = \"hcl\""),
        ("a.auto.pkrvars.json", "{\"v\": \"json\"}"),
    ];
    check_case(Case::with_files(&files, "."), "\"json\"");
    check_case(Case::with_files(&files, "main.pkr.hcl"), "\"default\"");
    check_case(
        Case::with_files(&files, ".").env("PKR_VAR_v", "env"),
        "\"json\"",
    );
}

#[test]
fn text_from_outside_is_read_by_the_type_of_the_variable() {
    check_case(
        declared("variable \"v\" { type = string }").var("v", "[1]"),
        "\"[1]\"",
    );
    check_case(
        declared("variable \"v\" { type = number }").var("v", "12"),
        "12",
    );
    check_case(declared("variable \"v\" {}").var("v", "true"), "\"true\"");
    check_case(
        declared("variable \"v\" { type = bool }").var("v", "true"),
        "true",
    );
    check_case(
        declared("variable \"v\" { default = false }").var("v", "true"),
        "true",
    );
    let list = declared("variable \"v\" { type = list(string) }");
    check_case(list.var("v", "[\"a\", \"b\"]"), "[\"a\", \"b\"]");
    check_case(
        declared("variable \"v\" { default = [] }").var("v", "[1]"),
        "\"[1]\"",
    );
}

#[test]
fn values_that_do_not_fit_are_reported_where_they_are() {
    let list = || declared("variable \"v\" { type = list(string) }");
    assert_eq!(
        list().var("v", "a").run().problems,
        ["error <value for var.v from arguments>:1: Invalid argument value for -var variable"]
    );
    assert_eq!(
        list().env("PKR_VAR_v", "1").run().problems,
        ["error <value for var.v from env>:1: Invalid value for variable"]
    );
    check_problems(
        &complete("variable \"v\" {\n  type = number\n  default = \"x\"\n}"),
        &["error main.pkr.hcl:3: Invalid default value for variable"],
    );
}

#[test]
fn a_losing_value_is_checked_too() {
    let case = declared("variable \"v\" { type = number }")
        .env("PKR_VAR_v", "x")
        .var("v", "1");
    assert_eq!(case.run().problems.len(), 1);
}

#[test]
fn undeclared_names_are_errors_on_the_command_line_only() {
    let text = complete("variable \"disk\" { default = 1 }");
    let outcome = Case::hcl(&text).var("dusk", "1").run();
    assert_eq!(outcome.problems, ["error: Undefined -var variable"]);
    assert_eq!(
        Case::hcl(&text).env("PKR_VAR_other", "1").run().problems,
        [""; 0]
    );
    let files = [
        ("main.pkr.hcl", text.as_str()),
        ("v.pkrvars.hcl", "\nother = 1"),
    ];
    let mut case = Case::with_files(&files, ".").var_file("v.pkrvars.hcl");
    assert_eq!(case.run().problems, [""; 0]);
    case.options.warn_undeclared = true;
    assert_eq!(
        case.run().problems,
        ["warning v.pkrvars.hcl:2: Undefined variable"]
    );
}

#[test]
fn value_files_are_checked_for_form() {
    let text = complete("");
    let case = |name: &str, content: &str| {
        let files = [("main.pkr.hcl", text.as_str()), (name, content)];
        Case::with_files(&files, ".").var_file(name).run().problems
    };
    assert_eq!(
        case("v.txt", ""),
        ["error: Could not guess format of v.txt"]
    );
    assert_eq!(
        case("v.pkrvars.hcl", "variable \"x\" {}"),
        ["error v.pkrvars.hcl:1: Variable declaration in a .pkrvar file"]
    );
    assert_eq!(case("v.hcl", "x = var.y").len(), 1);
    assert_eq!(
        Case::hcl(&text).var_file("none.hcl").run().problems,
        ["error: Failed to read file"]
    );
}

#[test]
fn every_unset_variable_is_reported_at_its_block() {
    check_problems(
        &complete("variable \"a\" {}\nvariable \"b\" {}\nlocals { x = upper(var.a) }"),
        &[
            "error main.pkr.hcl:1: Unset variable \"a\"",
            "error main.pkr.hcl:2: Unset variable \"b\"",
        ],
    );
    check_problems(&complete("variable \"a\" { default = null }"), &[]);
}

#[test]
fn declarations_are_checked() {
    let cases = [
        (
            "variable \"a\" {}\nvariables { a = 1 }",
            2,
            "Duplicate variable",
        ),
        (
            "variable \"1a\" { default = 1 }",
            1,
            "Invalid variable name",
        ),
        (
            "variable \"a\" {\n type = strang\n default = 1\n}",
            2,
            "Invalid type specification",
        ),
        (
            "locals { a = 1 }\nlocal \"a\" { expression = 2 }",
            2,
            "Duplicate local definition",
        ),
        (
            "data \"echo\" \"a\" { text = \"\" }\ndata \"echo\" \"a\" { text = \"\" }",
            2,
            "Duplicate data block",
        ),
    ];
    for (text, line, summary) in cases {
        let expected = format!("error main.pkr.hcl:{line}: {summary}");
        assert!(
            problems(&complete(text)).contains(&expected),
            "{:?}",
            problems(&complete(text))
        );
    }
}

#[test]
fn defaults_can_call_env_and_nothing_else() {
    let case = declared("variable \"v\" { default = env(\"HERE\") }");
    let outcome = case.env("HERE", "there").run();
    assert!(outcome.template.is_some(), "{:?}", outcome.problems);
    check_problems(
        &complete("variable \"v\" { default = upper(\"a\") }"),
        &["error main.pkr.hcl:1: Call to unknown function"],
    );
}

#[test]
fn validations_see_the_variable_and_judge_its_value() {
    let variable = |condition: &str, message: &str| {
        complete(&format!(
            "variable \"v\" {{\n  default = \"a\"\n  validation {{\n    condition = {condition}\n    \
             error_message = \"{message}\"\n  }}\n}}"
        ))
    };
    check_problems(&variable("length(var.v) == 1", "Must be short."), &[]);
    check_problems(
        &variable("length(var.v) > 1", "Must be long."),
        &["error main.pkr.hcl:2: Invalid value for default variable"],
    );
    check_problems(
        &variable("var.w == 1", "Must be."),
        &["error main.pkr.hcl:4: Invalid reference in variable validation"],
    );
    check_problems(
        &variable("var.v != \"\"", "no sentence"),
        &["error main.pkr.hcl:5: Invalid validation error message"],
    );
    check_problems(
        &variable("null", "Must be."),
        &["error main.pkr.hcl:4: Invalid variable validation condition"],
    );
    let outcome = Case::hcl(&variable("var.v == \"a\"", "Must be a."))
        .var("v", "b")
        .run();
    assert_eq!(
        outcome.problems,
        ["error <value for var.v from arguments>:1: Invalid value for cmd variable"]
    );
    assert_eq!(outcome.details, ["Must be a."]);
}

#[test]
fn cycles_and_missing_names_are_explained_without_cascades() {
    let outcome = Case::hcl(&complete(
        "locals {\n  a = local.b\n  b = local.c\n  c = local.a\n  x = upper(local.a)\n}",
    ))
    .run();
    assert_eq!(
        outcome.problems,
        ["error main.pkr.hcl:2: failed to prepare execution graph"]
    );
    assert_eq!(
        outcome.details,
        ["cycle: local.a -> local.b -> local.c -> local.a"]
    );

    let outcome = Case::hcl(&complete("locals {\n  x = local.miss\n  y = local.x\n}")).run();
    assert_eq!(
        outcome.problems,
        ["error main.pkr.hcl:2: failed to prepare execution graph"]
    );
    assert_eq!(
        outcome.details,
        [
            "could not get dependency \"local.miss\" for \"local.x\", \"local.miss\" missing in template"
        ]
    );
    check_problems(
        &complete("locals { x = var.miss }"),
        &["error main.pkr.hcl:1: Unsupported attribute"],
    );
    check_problems(
        &complete("locals { x = local.x }"),
        &["error main.pkr.hcl:1: failed to prepare execution graph"],
    );
}

#[test]
fn data_sources_are_checked_but_not_run_on_request() {
    let text = complete("data \"echo\" \"a\" { text = \"hi\" }\nlocals { x = data.echo.a.result }");
    check_case(Case::hcl(&text), "\"hi\"");
    check_case(Case::hcl(&text).without_data(), "unknown");
    check_problems(
        &complete("data \"eco\" \"a\" { text = \"hi\" }"),
        &["error main.pkr.hcl:1: Unknown data type eco"],
    );
    check_problems(
        &complete("data \"echo\" \"a\" {}"),
        &["error main.pkr.hcl:1: Missing required argument"],
    );
    check_problems(
        &complete(
            "data \"echo\" \"a\" { text = \"fail\" }\nlocals { x = upper(data.echo.a.result) }",
        ),
        &["error main.pkr.hcl:1: the echo is broken"],
    );
}

#[test]
fn several_problems_are_all_reported() {
    check_problems(
        &complete(
            "variable \"a\" {}\nlocals {\n  x = upper()\n  y = nope(1)\n}\ndata \"no\" \"a\" {}",
        ),
        &[
            "error main.pkr.hcl:1: Unset variable \"a\"",
            "error main.pkr.hcl:6: Unknown data type no",
            "error main.pkr.hcl:3: Not enough function arguments",
            "error main.pkr.hcl:4: Call to unknown function",
        ],
    );
}

#[test]
fn path_and_packer_are_known() {
    let text = complete("locals { x = \"${path.root} ${packer.version}\" }");
    check_case(Case::hcl(&text), "\". 1.16.0\"");
    let text = complete("locals { x = file(\"f.txt\") }");
    let case = Case::with_files(&[("t/main.pkr.hcl", &text), ("t/f.txt", "content")], "t");
    assert_eq!(case.run().problems, [""; 0]);
    check_case(case, "\"content\"");
    check_local("locals { x = path.cwd != \"\" }", "true");
}

#[test]
fn secrets_are_collected_line_by_line() {
    let text = complete(
        "variable \"p\" {\n  sensitive = true\n  default = \"hush\"\n}\nlocal \"key\" {\n  \
         sensitive = true\n  expression = \"one\\ntwo\"\n}\nlocals { x = \"${var.p}!\" }",
    );
    let template = Case::hcl(&text).run().template.expect("a template");
    let secrets = template.secrets();
    for expected in ["hush", "one", "two", "one\ntwo", "hush!"] {
        assert!(
            secrets.iter().any(|secret| secret == expected),
            "{expected:?} not in {secrets:?}"
        );
    }
}

#[test]
fn inspect_prints_packers_form() {
    let text = "variable \"b\" { default = \"x\\ny\" }\nvariable \"a\" {}\nvariable \"s\" {\n  \
                sensitive = true\n  default = \"hush\"\n}\nlocals { l = [\"one\"] }\n\
                source \"null\" \"a\" {}\nbuild {\n  name = \"first\"\n  description = \"About\"\n  \
                sources = [\"null.a\"]\n  provisioner \"script\" {\n    name = \"n\"\n    script = \"\"\n  }\n  \
                post-processors {\n    post-processor \"pack\" {}\n    post-processor \"list\" {}\n  }\n}\n\
                build { sources = [\"null.a\"] }\n";
    let template = Case::hcl(text).run().template.expect("a template");
    let (printed, machine) = template.inspect();
    assert_eq!(machine, []);
    let expected = "Packer Inspect: HCL2 mode\n\n> input-variables:\n\nvar.a: \"<unknown>\"\n\
                    var.b: \"x\\ny\"\nvar.s: \"<sensitive>\"\n\n> local-variables:\n\n\
                    local.l: \"[\\n  \\\"one\\\",\\n]\"\n\n> builds:\n\n  > first:\n\n  \
                    > Description: About\n\n    sources:\n\n      null.a\n\n    provisioners:\n\n      \
                    script.n\n\n    post-processors:\n\n      0:\n        pack\n        list\n\n  \
                    > <unnamed build 1>:\n\n    sources:\n\n      null.a\n\n    provisioners:\n\n      \
                    <no provisioner>\n\n    post-processors:\n\n      <no post-processor>\n";
    assert_eq!(printed, expected);
}
