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

#[test]
fn sources_of_modules_in_modules_can_be_used() {
    let inner = "source \"machine\" \"deep\" {\n count = 2\n url = path.root\n}";
    let files = [
        (
            "outer/o.pkr.hcl",
            "module \"inner\" { source = \"../inner\" }",
        ),
        ("inner/i.pkr.hcl", inner),
    ];
    let outcome = run(
        "module \"outer\" { source = \"./outer\" }\nbuild {\n name = \"n\"\n sources = \
         [\"module.outer.module.inner.machine.deep.1\"]\n source \
         \"module.outer.module.inner.machine.deep\" { name = \"x\" }\n}",
        &files,
    );
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    let expected = ["n.machine.deep.1", "n.machine.x.0", "n.machine.x.1"];
    assert_eq!(names(&outcome.builds), expected);
    assert_eq!(configurations(&outcome.builds)[0], "{url = \"inner\"}");
}

#[test]
fn references_into_modules_are_explained() {
    let check = |reference: &str, expected: &str| {
        check_problems(
            &format!(
                "module \"base\" {{\n source = \"./base\"\n size = 1\n}}\nbuild {{ sources = \
                 [\"{reference}\"] }}"
            ),
            &[],
            &[&format!("error main.pkr.hcl:5: {expected}")],
        );
    };
    check("module.bass.machine.disk", "Unknown module bass");
    check("module.base.module.x.machine.disk", "Unknown module x");
    check(
        "module.base.machine.dsk",
        "Unknown source module.base.machine.dsk",
    );
    check("module.base.machine", "Invalid source reference");
}

#[test]
fn the_word_module_means_nothing_without_modules() {
    let text = "locals { module = { a = [for module in [{ x = 1 }] : module.x] } }\n\
                source \"machine\" \"m\" {\n url = \"${{ module = 3 }.module} ${local.module.a[0]}\"\n}\n\
                build { sources = [\"module.machine.m\"] }";
    let outcome = Case::hcl(text).run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(configurations(&outcome.builds), ["{url = \"3 1\"}"]);
}

#[test]
fn json_templates_are_modules_and_call_them() {
    let files = [
        (
            "main.pkr.json",
            r#"{
  "locals": {"n": 21},
  "module": {"j": {"source": "./j", "size": "${local.n}"}},
  "output": {"twice": {"value": "${module.j.twice}"}},
  "source": {"machine": {"m": {"memory": "${module.j.twice}"}}},
  "build": {"sources": ["machine.m", "module.j.machine.m"]}
}"#,
        ),
        (
            "j/j.pkr.json",
            r#"{
  "variable": {"size": {"type": "number"}},
  "source": {"machine": {"m": {"memory": "${var.size}"}}},
  "output": {"twice": {"value": "${var.size * 2}", "description": "Two of them."}}
}"#,
        ),
    ];
    let outcome = Case::with_files(&files, ".").run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    let expected = ["{memory = 42}", "{memory = 21}"];
    assert_eq!(configurations(&outcome.builds), expected);
}

#[test]
fn data_sources_of_modules_are_read() {
    let module = "variable \"text\" {}\ndata \"echo\" \"e\" { text = var.text }\n\
                  source \"machine\" \"m\" { url = data.echo.e.result }\n\
                  build { sources = [\"machine.m\"] }\n\
                  output \"read\" { value = data.echo.e.result }";
    let main = "data \"echo\" \"first\" { text = \"t\" }\nmodule \"d\" {\n source = \"./d\"\n text = \
                data.echo.first.result\n}\nsource \"machine\" \"m\" {\n for_each = [module.d.read]\n \
                url = each.key\n}\nbuild { sources = [\"machine.m\"] }";
    let files = [("main.pkr.hcl", main), ("d/d.pkr.hcl", module)];
    let case = Case::with_files(&files, ".");
    let outcome = case.run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    let expected = ["{url = \"t\"}", "{url = \"t\"}"];
    assert_eq!(configurations(&outcome.builds), expected);
    assert_eq!(names(&outcome.builds), ["machine.m.t", "d.machine.m"]);
    let template = outcome.template.expect("it loads");
    let expected = ["data.echo.first", "module.d.data.echo.e"];
    assert_eq!(template.data_sources(), expected);
    let outcome = case.without_data().run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
}

#[test]
fn what_modules_require_counts() {
    let call = "module \"p\" { source = \"./p\" }";
    let required = "packer {\n required_plugins {\n  x = {\n   version = \">= 1.0.0\"\n   source = \
                    \"github.com/a/x\"\n  }\n }\n}\nsource \"machine\" \"m\" {}\n\
                    build { sources = [\"machine.m\"] }";
    let outcome = run(call, &[("p/p.pkr.hcl", required)]);
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(
        outcome.template.expect("it loads").required_plugins().len(),
        1
    );
    let outcome = run(
        call,
        &[("p/p.pkr.hcl", "packer {\n required_version = \">= 99\"\n}")],
    );
    assert!(
        outcome.problems[0].starts_with("error p/p.pkr.hcl:2: "),
        "{:?}",
        outcome.problems
    );
}

#[test]
fn outputs_keep_secrets() {
    let files = [(
        "s/s.pkr.hcl",
        "variable \"v\" {\n default = \"plain-word\"\n}\nvariable \"key\" {\n default = \
         \"deep-secret\"\n sensitive = true\n}\noutput \"marked\" {\n value = var.v\n sensitive = \
         true\n}\noutput \"leak\" { value = \"<${var.key}>\" }",
    )];
    let outcome = run(
        "module \"s\" { source = \"./s\" }\nsource \"machine\" \"m\" { url = \"${module.s.marked} \
         ${module.s.leak}\" }\nbuild { sources = [\"machine.m\"] }",
        &files,
    );
    assert_eq!(
        outcome.problems,
        ["warning s/s.pkr.hcl:12: Sensitive output"]
    );
    let expected = ["{url = (\"plain-word <deep-secret>\")}"];
    assert_eq!(configurations(&outcome.builds), expected);
    let secrets = outcome.template.expect("it loads").secrets();
    for secret in ["plain-word", "deep-secret", "<deep-secret>"] {
        assert!(secrets.iter().any(|known| known == secret), "{secrets:?}");
    }
}

#[test]
fn a_folder_without_templates_is_told_at_the_call() {
    let case = Case::with_files(
        &[
            ("main.pkr.hcl", "module \"m\" {\n source = \"./m\"\n}"),
            ("m/old.json", "{}"),
        ],
        ".",
    );
    let expected = ["error main.pkr.hcl:2: Could not find any config file in m"];
    assert_eq!(case.run().problems, expected);
}

#[test]
fn modules_without_end_are_refused() {
    let text = |n: usize, calls: usize| {
        let call = |i| format!("module \"m{i}\" {{ source = \"../f{}\" }}\n", n + 1);
        (
            format!("f{n}/m.pkr.hcl"),
            (0..calls).map(call).collect::<String>(),
        )
    };
    let check = |calls: usize, depth: usize, expected: &str| {
        let mut files: Vec<(String, String)> = (0..depth).map(|n| text(n, calls)).collect();
        files.push((format!("f{depth}/m.pkr.hcl"), "locals { x = 1 }".to_owned()));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let outcome = Case::with_files(&files, "f0").run();
        assert_eq!(outcome.problems, [expected], "{:#?}", outcome.details);
    };
    check(1, 17, "error f16/m.pkr.hcl:1: Invalid module source");
    check(1, 16, "error: Missing build block");
    check(2, 12, "error f10/m.pkr.hcl:2: Too many modules");
}

#[test]
fn inspect_shows_modules_and_outputs() {
    let outcome = run(
        "module \"base\" {\n source = \"./base\"\n size = 2\n}\noutput \"z\" { value = \
         module.base.doubled }\noutput \"a\" { value = \"x\" }\nbuild { sources = \
         [\"module.base.machine.disk\"] }",
        &[],
    );
    let (printed, _) = outcome.template.expect("it loads").inspect();
    let build = |name: &str| {
        format!(
            "\n  > {name}:\n\n    sources:\n\n      machine.disk\n\n    provisioners:\n\n      <no \
             provisioner>\n\n    post-processors:\n\n      <no post-processor>\n"
        )
    };
    let expected = format!(
        "\n> modules:\n\nmodule.base: ./base\n\n> outputs:\n\noutput.a: \"x\"\noutput.z: \
         \"4\"\n\n> builds:\n{}{}",
        build("<unnamed build 0>"),
        build("base.<unnamed build 0>")
    );
    assert!(printed.ends_with(&expected), "{printed}");
}
