use super::{check_problems, names};
use crate::Build;
use crate::testing::Case;

const SOURCES: &str = "source \"null\" \"a\" {}\nsource \"null\" \"b\" {}\n";

fn planned(text: &str) -> Vec<Build> {
    let outcome = Case::hcl(&format!("{SOURCES}{text}")).run();
    assert_eq!(outcome.problems, [""; 0], "details: {:#?}", outcome.details);
    outcome.builds
}

fn check_names(text: &str, expected: &[&str]) {
    assert_eq!(names(&planned(text)), expected);
}

#[test]
fn names_come_from_build_type_and_local_name() {
    check_names(
        "build { sources = [\"source.null.a\", \"null.b\"] }",
        &["null.a", "null.b"],
    );
    check_names(
        "build {\n  name = \"x\"\n  sources = [\"null.a\"]\n}",
        &["x.null.a"],
    );
    check_names(
        "build {\n  name = \"x\"\n  source \"null.a\" { name = \"c\" }\n  sources = [\"null.b\"]\n}",
        &["x.null.b", "x.null.c"],
    );
    check_names(
        "variable \"n\" { default = \"v\" }\nlocals { all = [\"null.a\", \"null.b\"] }\n\
         build {\n  name = var.n\n  sources = local.all\n}",
        &["v.null.a", "v.null.b"],
    );
}

#[test]
fn a_local_name_does_not_change_the_name_scripts_see() {
    let builds = planned("build {\n  source \"null.a\" { name = \"c\" }\n}");
    assert_eq!(
        (builds[0].name.as_str(), builds[0].source_name.as_str()),
        ("null.c", "a")
    );
}

#[test]
fn wrong_sources_are_explained() {
    let check =
        |build: &str, expected: &[&str]| check_problems(&format!("{SOURCES}{build}"), expected);
    check(
        "build { sources = [\"null\"] }",
        &["error main.pkr.hcl:3: Invalid source reference"],
    );
    check(
        "build { sources = [\"null.c\"] }",
        &["error main.pkr.hcl:3: Unknown source null.c"],
    );
    check(
        "build {}",
        &["error main.pkr.hcl:3: missing source reference"],
    );
    check(
        "source \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }",
        &["error main.pkr.hcl:3: Duplicate source block"],
    );
    check(
        "source \"nul\" \"a\" {}\nbuild { sources = [\"nul.a\"] }",
        &["error main.pkr.hcl:3: Unknown source type nul"],
    );
    check(
        "build { sources = [null] }",
        &["error main.pkr.hcl:3: Invalid source reference"],
    );
}

#[test]
fn unused_sources_are_never_looked_at() {
    check_problems(
        "source \"null\" \"a\" {}\nsource \"nothing\" \"b\" { x = nope() }\nbuild { sources = [\"null.a\"] }",
        &[],
    );
}

#[test]
fn unknown_components_are_reported_once_for_each_block() {
    check_problems(
        &format!(
            "{SOURCES}build {{\n  sources = [\"null.a\", \"null.b\"]\n  provisioner \"scrpt\" {{}}\n  \
             post-processor \"pak\" {{}}\n  error-cleanup-provisioner \"x\" {{}}\n}}"
        ),
        &[
            "error main.pkr.hcl:5: Unknown provisioner type \"scrpt\"",
            "error main.pkr.hcl:7: Unknown error-cleanup-provisioner type \"x\"",
            "error main.pkr.hcl:6: Unknown post-processor type \"pak\"",
        ],
    );
}

#[test]
fn only_and_except_inside_the_template_are_exact_names() {
    let builds = planned(
        "build {\n  sources = [\"null.a\", \"null.b\"]\n  provisioner \"script\" {\n    only = [\"null.a\"]\n    \
         script = \"1\"\n  }\n  provisioner \"script\" {\n    except = [\"null.a\"]\n    script = \"2\"\n  }\n  \
         provisioner \"script\" {\n    only = [\"null.*\"]\n    script = \"3\"\n  }\n  \
         post-processors {\n    post-processor \"pack\" {}\n    post-processor \"list\" { only = [\"null.b\"] }\n  }\n}",
    );
    let counts: Vec<(usize, usize)> = builds
        .iter()
        .map(|build| (build.provisioners.len(), build.post_processors[0].len()))
        .collect();
    assert_eq!(counts, [(1, 1), (1, 2)]);
}

#[test]
fn meta_arguments_are_read() {
    let builds = planned(
        "build {\n  name = \"n\"\n  sources = [\"null.a\"]\n  provisioner \"script\" {\n    script = \"\"\n    \
         pause_before = \"${length(build.name)}0s\"\n    timeout = \"1m\"\n    max_retries = \"3\"\n    \
         continue_on_error = true\n  }\n  post-processor \"pack\" {\n    name = \"p\"\n    \
         keep_input_artifact = false\n  }\n  error-cleanup-provisioner \"script\" { script = \"\" }\n}",
    );
    let plan = &builds[0].provisioners[0];
    let seconds = |duration: Option<std::time::Duration>| duration.map(|d| d.as_secs());
    assert_eq!(
        (seconds(plan.pause_before), seconds(plan.timeout)),
        (Some(10), Some(60))
    );
    assert_eq!((plan.max_retries, plan.continue_on_error), (3, true));
    let packed = &builds[0].post_processors[0][0];
    assert_eq!(
        (packed.name.as_str(), packed.keep_input_artifact),
        ("p", Some(false))
    );
    assert!(builds[0].error_cleanup.is_some());
}

#[test]
fn wrong_meta_arguments_are_reported_where_they_are() {
    let check = |argument: &str, expected: &[&str]| {
        let text = format!(
            "{SOURCES}build {{\n  sources = [\"null.a\"]\n  provisioner \"script\" {{\n    script = \"\"\n    \
             {argument}\n  }}\n}}"
        );
        check_problems(&text, expected);
    };
    check(
        "pause_before = \"soon\"",
        &["error main.pkr.hcl:7: Failed to parse pause_before duration"],
    );
    check(
        "timeout = \"5\"",
        &["error main.pkr.hcl:7: Failed to parse timeout duration"],
    );
    check(
        "max_retries = -1",
        &["error main.pkr.hcl:7: Unsuitable value type"],
    );
    check(
        "override = \"x\"",
        &["error main.pkr.hcl:7: provisioner's override block must be an HCL object"],
    );
    check(
        "only = [\"null.a\"]\n    except = [\"null.b\"]",
        &["error main.pkr.hcl:8: only one of 'only' or 'except' may be specified"],
    );
}

#[test]
fn only_one_cleanup_is_allowed() {
    let block = "  error-cleanup-provisioner \"script\" { script = \"\" }\n";
    check_problems(
        &format!("{SOURCES}build {{\n  sources = [\"null.a\"]\n{block}{block}}}"),
        &["error main.pkr.hcl:6: Only one error-cleanup-provisioner is allowed"],
    );
}

#[test]
fn registry_blocks_are_accepted_once() {
    check_problems(
        &format!(
            "{SOURCES}build {{\n  sources = [\"null.a\"]\n  hcp_packer_registry {{ bucket_name = \"abc\" }}\n}}"
        ),
        &["warning main.pkr.hcl:5: Build block level hcp_packer_registry are deprecated"],
    );
    check_problems(
        &format!(
            "{SOURCES}build {{ sources = [\"null.a\"] }}\nhcp_packer_registry {{}}\nhcp_packer_registry {{ bucket_name = \"a\" }}"
        ),
        &[
            "error main.pkr.hcl:5: Only one hcp_packer_registry is allowed",
            "error main.pkr.hcl:5: Unsuitable value type",
        ],
    );
}

const TWO: &str = "build {\n  name = \"x\"\n  sources = [\"null.a\", \"null.b\"]\n  post-processors {\n    \
                   post-processor \"pack\" {}\n    post-processor \"list\" { name = \"manifest\" }\n    \
                   post-processor \"pack\" { name = \"last\" }\n  }\n}\n";

fn check_filter(case: Case, expected: &[&str], problems: &[&str]) {
    let outcome = case.run();
    assert_eq!(names(&outcome.builds), expected);
    assert_eq!(outcome.problems, problems);
}

fn two() -> Case {
    Case::hcl(&format!("{SOURCES}{TWO}"))
}

const ONLY_WARNING: &str =
    "warning: an 'only' option was passed, but not all matches were found for the given build.";
const EXCEPT_WARNING: &str = "warning: an 'except' option was passed, but did not match any build.";

#[test]
fn only_and_except_on_the_command_line_are_globs_over_full_names() {
    check_filter(two().only("x.null.a"), &["x.null.a"], &[]);
    check_filter(two().only("*.a"), &["x.null.a"], &[]);
    check_filter(two().only("x.*"), &["x.null.a", "x.null.b"], &[]);
    check_filter(two().only("null.a"), &[], &[ONLY_WARNING]);
    check_filter(two().except("*.a"), &["x.null.b"], &[]);
    check_filter(
        two().except("nope"),
        &["x.null.a", "x.null.b"],
        &[EXCEPT_WARNING],
    );
}

#[test]
fn one_broad_pattern_hides_a_useless_one() {
    check_filter(
        two().only("x.*").only("nope"),
        &["x.null.a", "x.null.b"],
        &[],
    );
}

#[test]
fn except_cuts_chains_at_a_post_processor() {
    let outcome = two().except("manifest").run();
    assert_eq!(outcome.problems, [""; 0]);
    let chain: Vec<&str> = outcome.builds[0].post_processors[0]
        .iter()
        .map(|member| member.component.type_name.as_str())
        .collect();
    assert_eq!(chain, ["pack"]);
    let outcome = two().except("pack").run();
    assert!(outcome.builds[0].post_processors.is_empty());
}

#[test]
fn malformed_patterns_are_errors() {
    let outcome = two().only("x.[a").run();
    assert!(
        outcome.problems[0].starts_with("error: Invalid -only pattern x.[a: "),
        "{:?}",
        outcome.problems
    );
}

#[test]
fn builds_can_be_planned_when_values_are_missing() {
    let text = format!(
        "variable \"n\" {{}}\nlocals {{ all = [var.n] }}\n{SOURCES}build {{\n  name = var.n\n  \
         sources = local.all\n  provisioner \"script\" {{\n    script = var.n\n    timeout = var.n\n  }}\n}}"
    );
    let mut outcome = Case::hcl(&text).run();
    assert_eq!(
        outcome.problems,
        ["error main.pkr.hcl:1: Unset variable \"n\""]
    );
    let template = outcome.template.take().expect("a template");
    let (builds, problems) = template.builds(&crate::testing::FakeComponents::new());
    assert_eq!((builds.len(), problems), (0, vec![]));
}
