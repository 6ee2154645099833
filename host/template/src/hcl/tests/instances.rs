use super::{check_configurations, check_problems, configurations, names};
use crate::testing::{Case, Outcome};

const EACH: &str = "source \"machine\" \"m\" {\n  for_each = { b = 2, a = 1 }\n  url = \
                    \"${each.key}-${each.value}-${source.name}\"\n}\n";

fn run(text: &str) -> Outcome {
    let outcome = Case::hcl(text).run();
    assert_eq!(outcome.problems, [""; 0], "details: {:#?}", outcome.details);
    outcome
}

fn check_names(text: &str, expected: &[&str]) {
    assert_eq!(names(&run(text).builds), expected, "{text}");
}

#[test]
fn each_source_instance_is_a_build_with_a_stable_name() {
    let outcome = run(&format!(
        "{EACH}build {{ sources = [\"source.machine.m\"] }}"
    ));
    assert_eq!(names(&outcome.builds), ["machine.m.a", "machine.m.b"]);
    assert_eq!(
        configurations(&outcome.builds),
        ["{url = \"a-1-m.a\"}", "{url = \"b-2-m.b\"}",]
    );
    assert_eq!(outcome.builds[1].source_name, "m.b");
    check_names(
        &format!("{EACH}build {{ sources = [\"machine.m.b\"] }}"),
        &["machine.m.b"],
    );
    check_names(
        &format!("{EACH}build {{\n source \"machine.m\" {{ name = \"x\" }}\n}}"),
        &["machine.x.a", "machine.x.b"],
    );
    check_names(
        &format!("{EACH}build {{\n source \"source.machine.m.a\" {{ name = \"x\" }}\n}}"),
        &["machine.x"],
    );
}

#[test]
fn count_numbers_instances_and_sets_name_them() {
    check_names(
        "source \"machine\" \"m\" { count = 2 }\nbuild { sources = [\"machine.m\"] }",
        &["machine.m.0", "machine.m.1"],
    );
    check_names(
        "source \"machine\" \"m\" { for_each = [\"y\", \"x\"] }\nbuild { sources = \
         [\"machine.m\"] }",
        &["machine.m.y", "machine.m.x"],
    );
    check_names(
        "source \"machine\" \"m\" {}\nbuild {\n for_each = { a = 1, b = 2 }\n name = \
         \"n\"\n sources = [\"machine.m\"]\n}\nbuild {\n count = 1\n sources = [\"machine.m\"]\n}",
        &["n.a.machine.m", "n.b.machine.m", "0.machine.m"],
    );
}

#[test]
fn provisioners_and_post_processors_run_once_for_each_key() {
    check_configurations(
        "source \"machine\" \"m\" {}\nbuild {\n sources = [\"machine.m\"]\n provisioner \"script\" {\n  \
         count = 2\n  script = \"step ${count.index} ${build.name}\"\n  max_retries = \
         count.index\n }\n post-processors {\n  post-processor \"pack\" {\n   for_each = \
         [\"p\", \"q\"]\n   output = each.value\n  }\n }\n}",
        &[
            "{}",
            "{script = \"step 0 \"}",
            "{script = \"step 1 \"}",
            "{output = \"p\"}",
            "{output = \"q\"}",
        ],
    );
}

#[test]
fn filters_and_overrides_name_one_instance_or_all() {
    let text = format!(
        "{EACH}build {{\n sources = [\"machine.m\"]\n provisioner \"script\" {{\n  only = \
         [\"machine.m.a\"]\n  script = \"one\"\n }}\n provisioner \"script\" {{\n  only = \
         [\"machine.m\"]\n  script = \"all\"\n  override = {{ m = {{ script = \"group\" }}, \
         \"m.b\" = {{ script = \"own\" }} }}\n }}\n}}"
    );
    let outcome = run(&text);
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{url = \"a-1-m.a\"}",
            "{script = \"one\"}",
            "{script = \"group\"}",
            "{url = \"b-2-m.b\"}",
            "{script = \"own\"}",
        ]
    );
    let only = Case::hcl(&format!("{EACH}build {{ sources = [\"machine.m\"] }}")).only("*.b");
    assert_eq!(names(&only.run().builds), ["machine.m.b"]);
}

#[test]
fn nothing_to_make_is_a_warning() {
    check_problems(
        "source \"machine\" \"m\" { count = 0 }\nbuild { sources = [\"machine.m\"] }",
        &["warning main.pkr.hcl:2: Build block without sources"],
    );
}

#[test]
fn wrong_arguments_are_explained_once() {
    let check = |argument: &str, expected: &str| {
        let text = format!(
            "variable \"secret\" {{\n default = {{ a = 1 }}\n sensitive = true\n}}\n\
             source \"machine\" \"m\" {{\n {argument}\n}}\nbuild {{ sources = [\"machine.m\"] }}"
        );
        check_problems(&text, &[expected]);
    };
    check(
        "for_each = [1]",
        "error main.pkr.hcl:6: Invalid for_each argument",
    );
    check(
        "for_each = null",
        "error main.pkr.hcl:6: Invalid for_each argument",
    );
    check(
        "for_each = var.secret",
        "error main.pkr.hcl:6: Invalid for_each argument",
    );
    check("count = -1", "error main.pkr.hcl:6: Invalid count argument");
    check(
        "count = 1.5",
        "error main.pkr.hcl:6: Invalid count argument",
    );
    check(
        "count = \"x\"",
        "error main.pkr.hcl:6: Invalid count argument",
    );
    check(
        "for_each = { \"a b\" = 1 }",
        "error main.pkr.hcl:6: Invalid instance key",
    );
    check(
        "count = 1\n for_each = {}",
        "error main.pkr.hcl:7: Invalid combination of \"count\" and \"for_each\"",
    );
    check_problems(
        &format!("{EACH}build {{ sources = [\"machine.m.c\"] }}"),
        &["error main.pkr.hcl:5: Unknown source machine.m.c"],
    );
}

#[test]
fn data_that_is_not_read_yet_makes_one_instance() {
    let case = Case::hcl(
        "data \"echo\" \"d\" { text = \"k\" }\nsource \"machine\" \"m\" {\n for_each = \
         [data.echo.d.result]\n url = each.value\n}\nbuild { sources = [\"machine.m\"] }",
    );
    let outcome = case.without_data().run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(names(&outcome.builds), ["machine.m.<unknown>"]);
}
