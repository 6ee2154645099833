use host_diag::SourceMap;

use super::{check_problems, complete, problems};
use crate::testing::Case;
use crate::{ConfigType, load};

fn check_files(files: &[(&str, &str)], path: &str, expected: &[&str]) {
    let outcome = Case::with_files(files, path).run();
    assert_eq!(
        outcome.problems, expected,
        "details: {:#?}",
        outcome.details
    );
}

const BUILD: (&str, &str) = (
    "z.pkr.hcl",
    "source \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }\n",
);

#[test]
fn a_folder_gives_all_its_files_and_a_file_only_itself() {
    let uses = ("a.pkr.hcl", "locals { x = var.x }\n");
    let declares = ("b.pkr.hcl", "variable \"x\" { default = 1 }\n");
    check_files(&[BUILD, uses, declares], ".", &[]);
    check_files(
        &[BUILD, uses, declares],
        "a.pkr.hcl",
        &["error a.pkr.hcl:1: Unsupported attribute"],
    );
}

#[test]
fn hidden_and_backup_files_are_left_alone() {
    let broken = "this is no template";
    check_files(
        &[
            BUILD,
            (".x.pkr.hcl", broken),
            ("x.pkr.hcl~", broken),
            ("#x.pkr.hcl#", broken),
        ],
        ".",
        &[],
    );
}

#[test]
fn json_files_of_a_folder_are_read_too() {
    let json = r#"{
      "//": "a comment",
      "variable": {"x": {"type": "list(string)", "default": ["a"]}},
      "locals": {"y": "${upper(var.x[0])}"},
      "build": {"sources": ["null.a"], "provisioner": {"script": {"script": "${local.y}"}}}
    }"#;
    check_files(
        &[
            ("a.pkr.json", json),
            ("b.pkr.hcl", "source \"null\" \"a\" {}\n"),
        ],
        ".",
        &[],
    );
}

#[test]
fn a_folder_without_templates_is_an_error() {
    check_files(
        &[("main.hcl", "")],
        ".",
        &["error: Could not find any config file in ."],
    );
}

#[test]
fn another_suffix_is_no_hcl_template() {
    let mut case = Case::with_files(&[("main.hcl", "")], "main.hcl");
    case.options.config_type = ConfigType::Hcl2;
    assert_eq!(
        case.run().problems,
        ["error: Could not find any config file in main.hcl"]
    );
}

#[test]
fn a_missing_path_is_named() {
    let outcome = Case::with_files(&[], "nowhere").run();
    assert!(
        outcome.problems[0].starts_with("error: \"nowhere\": "),
        "{:?}",
        outcome.problems
    );
}

#[test]
fn hcl_cannot_come_from_standard_input() {
    let mut case = Case::with_files(&[], "-");
    case.options.config_type = ConfigType::Hcl2;
    let (template, found) = load(&case.options, &mut SourceMap::default());
    assert!(template.is_none());
    assert_eq!(
        found[0].summary,
        "HCL2 templates cannot be read from standard input"
    );
}

#[test]
fn syntax_errors_of_all_files_are_reported() {
    let outcome = Case::with_files(
        &[("a.pkr.hcl", "locals {\n x = \n}\n"), ("b.pkr.hcl", "}\n")],
        ".",
    )
    .run();
    let files: Vec<&str> = outcome
        .problems
        .iter()
        .map(|line| line.split(':').next().unwrap_or(""))
        .collect();
    assert!(
        files.contains(&"error a.pkr.hcl") && files.contains(&"error b.pkr.hcl"),
        "{files:?}"
    );
}

#[test]
fn unknown_top_level_blocks_are_refused_and_communicators_ignored() {
    check_problems(
        &complete("sorce \"null\" \"b\" {}"),
        &["error main.pkr.hcl:1: Unsupported block type"],
    );
    check_problems(&complete("communicator \"ssh\" \"b\" {}"), &[]);
    check_problems(
        &complete("x = 1"),
        &["error main.pkr.hcl:1: Unsupported argument"],
    );
}

#[test]
fn required_version_suppresses_other_errors() {
    check_problems(
        "packer {\n  required_version = \">= 2.0\"\n}\nvariable \"1x\" {}\n",
        &["error main.pkr.hcl:2: Unsupported Packer Core version"],
    );
    check_problems(
        &complete("packer { required_version = \"~> 1.8, < 2\" }"),
        &[],
    );
    check_problems(
        &complete("packer { required_version = \"banana\" }"),
        &["error main.pkr.hcl:1: Invalid version constraint"],
    );
    check_problems(
        &complete("packer { required_version = var.x }"),
        &["error main.pkr.hcl:1: Invalid version constraint"],
    );
}

#[test]
fn required_plugins_are_kept_and_checked() {
    let text = complete(
        "packer {\n  required_plugins {\n    qemu = { source = \"github.com/hashicorp/qemu\", \
         version = \">= 1.0\" }\n  }\n}",
    );
    let outcome = Case::hcl(&text).run();
    assert_eq!(outcome.problems, [""; 0]);
    let template = outcome.template.expect("a template");
    let plugin = &template.required_plugins()[0];
    assert_eq!(
        (plugin.name.as_str(), plugin.source.as_str()),
        ("qemu", "github.com/hashicorp/qemu")
    );

    let plugin = |text: &str| complete(&format!("packer {{\n required_plugins {{\n{text}\n}}\n}}"));
    let cases = [
        ("a = \">= 1\"", "Invalid plugin requirement"),
        (
            "a = { source = \"github.com/x/a\" }",
            "No version constraint was set",
        ),
        ("a = { version = \">= 1\" }", "No source was set"),
        (
            "a = { source = \"a\", version = \">= 1\" }",
            "Invalid source",
        ),
        (
            "a = { source = \"github.com/x/a\", version = \">= 1-dev\" }",
            "Invalid version constraint",
        ),
        (
            "a = { source = \"github.com/x/a\", version = \">= 1\", x = 1 }",
            "Invalid required_plugins object",
        ),
        (
            "A = { source = \"github.com/x/a\", version = \">= 1\" }",
            "Invalid plugin local name",
        ),
    ];
    for (text, summary) in cases {
        assert_eq!(
            problems(&plugin(text)),
            [format!("error main.pkr.hcl:3: {summary}")],
            "{text}"
        );
    }
}

#[test]
fn the_same_plugin_name_twice_is_an_error() {
    let block = "packer {\n required_plugins {\n  a = { source = \"github.com/x/a\", version = \">= 1\" }\n }\n}\n";
    check_problems(
        &complete(&format!("{block}{block}")),
        &["error main.pkr.hcl:8: Duplicate required_plugin.\"a\" block"],
    );
}

#[test]
fn a_template_without_build_is_incomplete() {
    check_problems("locals { a = 1 }", &["error: Missing build block"]);
}
