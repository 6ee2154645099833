use super::{configurations, names};
use crate::testing::{Case, Outcome};

const MODULE: &str = r#"
variable "size" { type = number }
variable "token" {
  default   = "none"
  sensitive = true
}
locals { doubled = var.size * 2 }
source "machine" "disk" { memory = local.doubled }
build { sources = ["machine.disk"] }
output "doubled" { value = local.doubled }
output "where" { value = path.root }
"#;

fn run(main: &str, more: &[(&str, &str)]) -> Outcome {
    let mut files = vec![("main.pkr.hcl", main), ("base/base.pkr.hcl", MODULE)];
    files.extend(more);
    Case::with_files(&files, ".").run()
}

fn check_problems(main: &str, more: &[(&str, &str)], expected: &[&str]) {
    let outcome = run(main, more);
    assert_eq!(
        outcome.problems, expected,
        "details: {:#?}",
        outcome.details
    );
}

#[test]
fn a_module_has_inputs_outputs_builds_and_sources() {
    let outcome = run(
        "locals { size = 4 }\n\
         module \"base\" {\n source = \"./base\"\n size = local.size + 1\n}\n\
         source \"machine\" \"own\" { url = \"${module.base.doubled} ${module.base.where}\" }\n\
         build { sources = [\"machine.own\", \"module.base.machine.disk\", \
         \"module.base.source.machine.disk\"] }",
        &[],
    );
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    let expected = [
        "machine.own",
        "machine.disk",
        "machine.disk",
        "base.machine.disk",
    ];
    assert_eq!(names(&outcome.builds), expected);
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{url = \"10 base\"}",
            "{memory = 10}",
            "{memory = 10}",
            "{memory = 10}",
        ]
    );
}

#[test]
fn modules_nest_and_depend_on_each_other_in_any_order() {
    let outcome = run(
        "module \"two\" {\n source = \"./base\"\n size = module.one.doubled\n}\n\
         module \"one\" {\n source = \"./outer\"\n}\n",
        &[(
            "outer/o.pkr.hcl",
            "module \"inner\" {\n source = \"../base\"\n size = 1\n}\n\
             output \"doubled\" { value = module.inner.doubled }",
        )],
    );
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    let expected = ["two.machine.disk", "one.inner.machine.disk"];
    assert_eq!(names(&outcome.builds), expected);
    assert_eq!(
        configurations(&outcome.builds),
        ["{memory = 4}", "{memory = 2}"]
    );
}

#[test]
fn a_module_sees_nothing_of_its_caller() {
    let files = [
        ("main.pkr.hcl", "module \"base\" { source = \"./base\" }"),
        ("base/base.pkr.hcl", MODULE),
        ("base/x.auto.pkrvars.hcl", "size = 9"),
    ];
    let outcome = Case::with_files(&files, ".").env("PKR_VAR_size", "7").run();
    let expected = ["error base/base.pkr.hcl:2: Unset variable \"size\""];
    assert_eq!(outcome.problems, expected);
}

#[test]
fn secrets_that_go_into_a_module_stay_secrets() {
    let outcome = run(
        "variable \"key\" {\n default = \"hush-hush\"\n sensitive = true\n}\n\
         module \"base\" {\n source = \"./base\"\n size = 1\n token = var.key\n}",
        &[],
    );
    let template = outcome.template.expect("it loads");
    assert!(template.secrets().contains(&"hush-hush".to_owned()));
}

#[test]
fn wrong_calls_are_explained() {
    let call = |inner: &str| format!("module \"base\" {{\n{inner}\n}}");
    check_problems(
        &call("source = \"./base\"\nsize = 1\nsise = 2"),
        &[],
        &["error main.pkr.hcl:4: Unsupported argument"],
    );
    check_problems(
        &call("source = \"./base\"\nsize = \"big\""),
        &[],
        &["error main.pkr.hcl:3: Invalid value for variable"],
    );
    check_problems(
        &call("source = \"./bass\""),
        &[],
        &["error main.pkr.hcl:2: Invalid module source"],
    );
    check_problems(
        &call("source = \"github.com/x/y\""),
        &[],
        &["error main.pkr.hcl:2: Invalid module source"],
    );
    check_problems(
        &call(""),
        &[],
        &["error main.pkr.hcl:1: Missing required argument"],
    );
    check_problems(
        &call("source = \"./base\"\ncount = 2"),
        &[],
        &["error main.pkr.hcl:3: Unsupported argument"],
    );
    check_problems(
        &call("source = \"./loop\""),
        &[(
            "loop/l.pkr.hcl",
            "module \"again\" { source = \"../loop\" }",
        )],
        &["error loop/l.pkr.hcl:1: Invalid module source"],
    );
    check_problems(
        "locals { x = module.base.doubled }\nmodule \"base\" {\n source = \"./base\"\n size = \
         local.x\n}",
        &[],
        &["error main.pkr.hcl:1: failed to prepare execution graph"],
    );
    check_problems(
        "locals { x = module.bass.doubled }\nmodule \"base\" {\n source = \"./base\"\n size = 1\n}",
        &[],
        &["error main.pkr.hcl:1: failed to prepare execution graph"],
    );
    check_problems(
        "module \"base\" {\n source = \"./base\"\n size = 1\n}\nbuild {\n source \
         \"module.base.machine.disk\" { memory = 1 }\n}",
        &[],
        &["error main.pkr.hcl:6: Unsupported argument"],
    );
}
