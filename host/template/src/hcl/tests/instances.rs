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

#[test]
fn json_templates_have_instances_too() {
    let files = [(
        "main.pkr.json",
        r#"{
  "variable": {"sizes": {"default": {"s": 1, "l": 2}}},
  "source": {"machine": {"m": {
    "for_each": "${var.sizes}", "memory": "${each.value}", "url": "${each.key}"
  }}},
  "build": [{
    "sources": ["machine.m"],
    "provisioner": [{"script": {
      "for_each": {"a": 1}, "only": ["machine.m.l"], "script": "${each.key}"
    }}, {"script": {"count": 1, "script": "${count.index}"}}]
  }]
}"#,
    )];
    let outcome = Case::with_files(&files, ".").run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(names(&outcome.builds), ["machine.m.l", "machine.m.s"]);
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{memory = 2, url = \"l\"}",
            "{script = \"a\"}",
            "{script = \"0\"}",
            "{memory = 1, url = \"s\"}",
            "{script = \"0\"}",
        ]
    );
}

#[test]
fn dynamic_blocks_in_an_instance_see_what_it_binds() {
    check_configurations(
        "source \"machine\" \"m\" {\n for_each = { two = [1, 2], none = [] }\n dynamic \"disk\" {\n  \
         for_each = each.value\n  content {\n   size = disk.value\n   format = each.key\n  }\n }\n}\n\
         build { sources = [\"machine.m\"] }",
        &[
            "{}",
            "{disk = [{format = \"two\", size = 1}, {format = \"two\", size = 2}]}",
        ],
    );
}

#[test]
fn inner_instances_hide_outer_ones() {
    check_configurations(
        "source \"machine\" \"m\" {}\nbuild {\n for_each = { out = 1 }\n sources = \
         [\"machine.m\"]\n source \"machine.m\" {\n  name = \"x-${each.key}\"\n  url = each.key\n \
         }\n provisioner \"script\" {\n  script = each.key\n }\n provisioner \"script\" {\n  \
         for_each = { \"${each.key} in\" = each.value }\n  script = each.key\n }\n}",
        &[
            "{}",
            "{script = \"out\"}",
            "{script = \"out in\"}",
            "{url = \"out\"}",
            "{script = \"out\"}",
            "{script = \"out in\"}",
        ],
    );
}

#[test]
fn steps_may_follow_from_the_source() {
    let outcome = run(&format!(
        "{EACH}build {{\n sources = [\"machine.m\"]\n provisioner \"script\" {{\n  for_each = \
         source.name == \"m.a\" ? {{ \"for a\" = source.type }} : {{}}\n  script = \
         \"${{each.key}} ${{each.value}}\"\n }}\n post-processor \"pack\" {{\n  count = source.name \
         == \"m.b\" ? 2 : 0\n  output = count.index\n }}\n}}"
    ));
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{url = \"a-1-m.a\"}",
            "{script = \"for a machine\"}",
            "{url = \"b-2-m.b\"}",
            "{output = \"0\"}",
            "{output = \"1\"}",
        ]
    );
    let step = &outcome.builds[0].provisioners[0].component;
    assert_eq!(step.header, "provisioner \"script\" [\"for a\"]");
    assert_eq!(step.instance.as_deref(), Some("for a"));
    check_problems(
        &format!(
            "{EACH}build {{\n sources = [\"machine.m\"]\n provisioner \"script\" {{\n  count = \
             source.nam\n  script = \"\"\n }}\n}}"
        ),
        &["error main.pkr.hcl:8: Unsupported attribute"],
    );
}

#[test]
fn names_may_have_dots_and_dashes_and_steps_any_key() {
    let odd = "source \"machine\" \"m\" { for_each = { \"22.04\" = 1, \"a-b_c\" = 2 } }\n";
    check_names(
        &format!("{odd}build {{ sources = [\"machine.m\", \"source.machine.m.22.04\"] }}"),
        &["machine.m.22.04", "machine.m.a-b_c", "machine.m.22.04"],
    );
    check_configurations(
        "source \"machine\" \"m\" {}\nbuild {\n sources = [\"machine.m\"]\n provisioner \"script\" \
         {\n  for_each = { \"a b/\\n\" = 1 }\n  script = each.key\n }\n}",
        &["{}", "{script = \"a b/\\n\"}"],
    );
}

#[test]
fn an_option_of_the_component_stays_its_own() {
    check_configurations(
        "source \"fleet\" \"f\" {\n count = 3\n for_each = { a = \"b\" }\n}\nbuild { sources = \
         [\"fleet.f\"] }",
        &["{count = 3, for_each = {a = \"b\"}}"],
    );
}

#[test]
fn empty_builds_are_a_warning() {
    check_problems(
        "source \"machine\" \"m\" {}\nbuild {\n for_each = {}\n sources = [\"machine.m\"]\n}",
        &["warning main.pkr.hcl:2: Build block without instances"],
    );
}

#[test]
fn secrets_are_no_keys_but_may_be_values() {
    let secret = "variable \"s\" {\n default = \"hush-hush\"\n sensitive = true\n}\n";
    check_problems(
        &format!(
            "{secret}source \"machine\" \"m\" {{\n for_each = [\"a\", var.s]\n}}\nbuild {{ sources \
             = [\"machine.m\"] }}"
        ),
        &["error main.pkr.hcl:6: Invalid for_each argument"],
    );
    check_configurations(
        &format!(
            "{secret}source \"machine\" \"m\" {{\n for_each = {{ a = var.s }}\n url = \
             each.value\n}}\nbuild {{ sources = [\"machine.m\"] }}"
        ),
        &["{url = (\"hush-hush\")}"],
    );
}

#[test]
fn names_and_blocks_are_used_where_they_make_sense() {
    let build = "build { sources = [\"machine.m\"] }";
    check_problems(
        &format!("source \"machine\" \"m\" {{\n url = each.key\n}}\n{build}"),
        &["error main.pkr.hcl:2: Unknown variable"],
    );
    check_problems(
        &format!(
            "source \"machine\" \"m\" {{ count = 2 }}\nsource \"machine\" \"m\" {{}}\n{build}"
        ),
        &["error main.pkr.hcl:2: Duplicate source block"],
    );
    check_problems(
        &format!(
            "source \"machine\" \"m\" {{}}\nsource \"machine\" \"m\" {{ count = 0 }}\n{build}"
        ),
        &["error main.pkr.hcl:2: Duplicate source block"],
    );
    check_problems(
        "source \"machine\" \"m\" {}\nbuild {\n sources = [\"machine.m\"]\n \
         error-cleanup-provisioner \"script\" {\n  count = 2\n  script = \"\"\n }\n}",
        &["error main.pkr.hcl:5: Unsupported argument"],
    );
    check_problems(
        &format!("source \"machine\" \"m\" {{ for_each = [\"a\", \"a\"] }}\n{build}"),
        &["error main.pkr.hcl:1: Duplicate instance key"],
    );
    check_problems(
        &format!("source \"machine\" \"m\" {{ count = 10001 }}\n{build}"),
        &["error main.pkr.hcl:1: Invalid count argument"],
    );
}

#[test]
fn a_mistake_in_a_build_block_is_reported_once() {
    check_problems(
        "source \"machine\" \"m\" {}\nbuild {\n count = 3\n sources = [\"machine.m\"]\n nme = \
         1\n provisioner \"script\" {\n  count = 2\n  script = \"\"\n  max_retries = \
         var.nope\n }\n}",
        &[
            "error main.pkr.hcl:5: Unsupported argument",
            "error main.pkr.hcl:9: Unsupported attribute",
        ],
    );
}

#[test]
fn a_number_that_is_not_known_yet_makes_one_instance() {
    let case = Case::hcl(
        "data \"echo\" \"d\" { text = \"2\" }\nsource \"machine\" \"m\" {\n count = \
         data.echo.d.result\n memory = count.index\n}\nbuild { sources = [\"machine.m\"] }",
    );
    assert_eq!(names(&case.run().builds), ["machine.m.0", "machine.m.1"]);
    let outcome = case.without_data().run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(names(&outcome.builds), ["machine.m.<unknown>"]);
}

#[test]
fn inspect_shows_instances() {
    let template = run(&format!(
        "{EACH}build {{\n sources = [\"machine.m\"]\n provisioner \"script\" {{\n  count = 2\n  \
         script = \"\"\n }}\n provisioner \"script\" {{\n  for_each = {{ (source.name) = 1 }}\n  \
         script = \"\"\n }}\n}}"
    ));
    let (printed, _) = template.template.expect("it loads").inspect();
    let expected = "  > <unnamed build 0>:\n\n    sources:\n\n      machine.m.a\n\n      \
                    machine.m.b\n\n    provisioners:\n\n      script\n      script\n      \
                    script\n\n    post-processors:\n\n      <no post-processor>\n";
    assert!(printed.ends_with(expected), "{printed}");
}

#[test]
fn a_source_block_in_a_build_stands_for_several() {
    let outcome = run(
        "source \"machine\" \"m\" { url = \"u\" }\nbuild {\n source \"source.machine.m\" {\n  for_each = \
         { b = 2, a = 1 }\n  memory = each.value\n }\n provisioner \"script\" {\n  only = \
         [\"machine.m.b\"]\n  script = \"one\"\n }\n provisioner \"script\" {\n  only = \
         [\"machine.m\"]\n  script = \"all\"\n  override = { \"m.a\" = { script = \"own\" } }\n }\n}",
    );
    assert_eq!(names(&outcome.builds), ["machine.m.a", "machine.m.b"]);
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{memory = 1, url = \"u\"}",
            "{script = \"own\"}",
            "{memory = 2, url = \"u\"}",
            "{script = \"one\"}",
            "{script = \"all\"}",
        ]
    );
    let source = &outcome.builds[0].source;
    assert_eq!(source.instance.as_deref(), Some("a"));
    check_names(
        "source \"machine\" \"m\" {}\nbuild {\n source \"machine.m\" { count = 2 }\n}",
        &["machine.m.0", "machine.m.1"],
    );
}

#[test]
fn names_of_instances_in_a_build_come_from_the_block_or_its_key() {
    let named = |name: &str| {
        format!(
            "source \"machine\" \"m\" {{}}\nbuild {{\n source \"machine.m\" {{\n  for_each = [\"a\", \
             \"b\"]\n  name = {name}\n }}\n}}"
        )
    };
    check_names(&named("\"x\""), &["machine.x.a", "machine.x.b"]);
    check_names(&named("\"x-${each.key}\""), &["machine.x-a", "machine.x-b"]);
    check_names(
        &format!(
            "{EACH}build {{\n source \"machine.m\" {{ count = 2 }}\n source \"machine.m.b\" {{\n  for_each = \
             [\"k\"]\n  name = \"x\"\n }}\n}}"
        ),
        &[
            "machine.m.a.0",
            "machine.m.b.0",
            "machine.m.a.1",
            "machine.m.b.1",
            "machine.x.k",
        ],
    );
    let all = run(&format!(
        "{EACH}build {{\n source \"machine.m\" {{ count = 1 }}\n provisioner \"script\" {{\n  only = \
         [\"machine.m.b\"]\n  script = \"b\"\n }}\n provisioner \"script\" {{\n  except = \
         [\"machine.m\"]\n  script = \"never\"\n }}\n}}"
    ));
    let only: Vec<usize> = all
        .builds
        .iter()
        .map(|one| one.provisioners.len())
        .collect();
    assert_eq!(only, [0, 1]);
}

#[test]
fn two_instances_in_a_build_have_two_names() {
    let named = |for_each: &str, name: &str| {
        format!(
            "source \"machine\" \"m\" {{}}\nbuild {{\n source \"machine.m\" {{\n  for_each = \
             {for_each}\n  name = \"{name}\"\n }}\n}}"
        )
    };
    check_names(
        &named("{ a = 1, b = 2 }", "x${each.value}"),
        &["machine.x1", "machine.x2"],
    );
    let text = named("{ a = 1, b = 2, c = 1 }", "x${each.value}");
    let outcome = Case::hcl(&text).run();
    assert_eq!(
        outcome.problems,
        ["error main.pkr.hcl:5: Duplicate instance name"]
    );
    assert_eq!(
        outcome.details,
        [r#"The instances "a" and "c" are both called "x1"."#]
    );
    // Two blocks may use a source under one name, as in Packer.
    check_names(
        "source \"machine\" \"m\" {}\nbuild {\n source \"machine.m\" { name = \"x\" }\n source \
         \"machine.m\" { name = \"x\" }\n}",
        &["machine.x", "machine.x"],
    );
}

#[test]
fn wrong_instances_in_a_build_are_explained_once() {
    let nested = |arguments: &str| {
        format!(
            "source \"machine\" \"m\" {{}}\nbuild {{\n source \"machine.m\" {{\n  {arguments}\n }}\n}}"
        )
    };
    check_problems(
        &nested("count = 0"),
        &["warning main.pkr.hcl:2: Build block without sources"],
    );
    check_problems(
        &nested("for_each = [1]"),
        &["error main.pkr.hcl:4: Invalid for_each argument"],
    );
    check_problems(
        &nested("for_each = [\"a b\"]"),
        &["error main.pkr.hcl:4: Invalid instance key"],
    );
    check_problems(
        &nested("count = 1\n  memroy = 1"),
        &["error main.pkr.hcl:5: Unsupported argument"],
    );
    check_problems(
        &nested("for_each = source.name"),
        &["error main.pkr.hcl:4: Unknown variable"],
    );
    check_configurations(
        "source \"fleet\" \"f\" {}\nbuild {\n source \"fleet.f\" { count = 3 }\n}",
        &["{count = 3}"],
    );
}

#[test]
fn a_module_s_source_is_used_several_times_without_options() {
    let files = [
        (
            "main.pkr.hcl",
            "module \"b\" { source = \"./b\" }\nbuild {\n source \"module.b.machine.m\" {\n  \
             for_each = [\"x\", \"y\"]\n }\n}\n",
        ),
        ("b/b.pkr.hcl", "source \"machine\" \"m\" {}\n"),
    ];
    let outcome = Case::with_files(&files, ".").run();
    assert_eq!(outcome.problems, [""; 0], "{:#?}", outcome.details);
    assert_eq!(names(&outcome.builds), ["machine.m.x", "machine.m.y"]);
}
