use std::collections::BTreeMap;

use host_eval::Value;

use super::{check_configurations, check_problems, configurations};
use crate::testing::{Case, FakeComponents, show};
use crate::{Components, Generated, PathStep};

fn machine(body: &str) -> String {
    format!("source \"machine\" \"a\" {{\n{body}\n}}\nbuild {{ sources = [\"machine.a\"] }}\n")
}

fn script(body: &str) -> String {
    format!(
        "source \"null\" \"a\" {{}}\nbuild {{\n  name = \"n\"\n  sources = [\"null.a\"]\n  provisioner \"script\" {{\n{body}\n  }}\n}}\n"
    )
}

fn check_machine(body: &str, expected: &str) {
    check_configurations(&machine(body), &[expected]);
}

fn check_machine_problems(body: &str, expected: &[&str]) {
    check_problems(&machine(body), expected);
}

#[test]
fn options_become_what_the_schema_asks_for() {
    check_machine("memory = \"1024\"", "{memory = 1024}");
    check_machine("url = 5", "{url = \"5\"}");
    check_machine("headless = \"true\"", "{headless = true}");
    check_machine(
        "tags = { a = 1, b = true }",
        "{tags = {a = \"1\", b = \"true\"}}",
    );
    check_machine("commands = [\"a\", 1]", "{commands = [\"a\", \"1\"]}");
    check_machine("wait = \"5m\"", "{wait = \"5m\"}");
    check_machine("url = null", "{}");
}

#[test]
fn nested_blocks_are_lists_or_objects() {
    check_machine(
        "disk { size = 1 }\ndisk {\n size = \"2\"\n format = \"raw\"\n}\nboot_disk { size = 3 }",
        "{boot_disk = {size = 3}, disk = [{size = 1}, {format = \"raw\", size = 2}]}",
    );
    check_machine_problems(
        "boot_disk { size = 3 }\nboot_disk { size = 3 }",
        &["error main.pkr.hcl:3: Duplicate boot_disk block"],
    );
    check_machine_problems(
        "disk {}",
        &["error main.pkr.hcl:2: Missing required argument"],
    );
}

#[test]
fn a_block_written_as_an_argument_is_refused() {
    check_machine_problems(
        "disk = { size = 1 }",
        &["error main.pkr.hcl:2: Unsupported argument"],
    );
}

#[test]
fn what_does_not_fit_is_reported_where_it_is() {
    check_machine_problems(
        "memory = \"much\"",
        &["error main.pkr.hcl:2: Incorrect attribute value type"],
    );
    check_machine_problems(
        "commands = \"a\"",
        &["error main.pkr.hcl:2: Incorrect attribute value type"],
    );
    check_machine_problems(
        "commands = [\n\"a\",\n[]\n]",
        &["error main.pkr.hcl:4: Incorrect attribute value type"],
    );
    check_machine_problems("memry = 1", &["error main.pkr.hcl:2: Unsupported argument"]);
    check_machine_problems("ram = 1", &["warning main.pkr.hcl:2: Deprecated option"]);
    check_problems(
        &script("env = []"),
        &["error main.pkr.hcl:5: Missing required argument"],
    );
}

#[test]
fn a_failing_expression_gives_one_problem() {
    check_machine_problems(
        "memory = local.nope + 1",
        &["error main.pkr.hcl:2: Unsupported attribute"],
    );
}

#[test]
fn bodies_see_the_names_of_their_place() {
    check_machine(
        "url = \"${source.type}.${source.name}\"",
        "{url = \"machine.a\"}",
    );
    check_machine_problems(
        "url = build.name",
        &["error main.pkr.hcl:2: Unknown variable"],
    );
    let text = script("script = \"${build.name} ${source.name} ${build.ID} ${build.Custom}\"");
    check_configurations(&text, &["{}", "{script = \"n a <unknown> <unknown>\"}"]);
    check_problems(
        &script("script = build.Nope"),
        &["error main.pkr.hcl:6: Unsupported attribute"],
    );
}

#[test]
fn nested_sources_add_but_do_not_change() {
    let text = |addition: &str| {
        format!(
            "source \"machine\" \"a\" {{\n  memory = 1\n  disk {{ size = 1 }}\n}}\nbuild {{\n  source \
             \"machine.a\" {{\n    name = \"b\"\n    {addition}\n  }}\n}}\n"
        )
    };
    check_configurations(
        &text("url = source.name\n    disk { size = 2 }"),
        &["{disk = [{size = 1}, {size = 2}], memory = 1, url = \"b\"}"],
    );
    check_problems(
        &text("memory = 2"),
        &["error main.pkr.hcl:8: Duplicate argument"],
    );
}

#[test]
fn overrides_are_for_local_names() {
    let text = "source \"null\" \"a\" {}\nbuild {\n  sources = [\"null.a\"]\n  source \"null.a\" { name = \"b\" }\n  \
                provisioner \"script\" {\n    script = \"plain\"\n    override = {\n      b = { script = \"special\" }\n    }\n  }\n}\n";
    check_configurations(
        text,
        &["{}", "{script = \"plain\"}", "{}", "{script = \"special\"}"],
    );
    check_problems(
        &text
            .replace("special\"", "x\", nope = 1")
            .replace("b\" }\n", "a2\" }\n")
            .replace("b = {", "a2 = {"),
        &["error main.pkr.hcl:7: Unsupported argument"],
    );
}

#[test]
fn go_template_calls_are_rendered_except_in_late_options() {
    check_machine(
        "url = \"{{ build_name }}-{{ upper `x` }}\"",
        "{url = \"a-X\"}",
    );
    check_machine(
        "tags = { a = \"{{ build_type }}\" }",
        "{tags = {a = \"machine\"}}",
    );
    check_machine("memory = \"{{ print 5 }}\"", "{memory = 5}");
    check_machine("boot = [\"{{ .HTTPIP }}\"]", "{boot = [\"{{ .HTTPIP }}\"]}");
    check_machine("url = \"{{ .Nothing }}\"", "{url = \"<no value>\"}");
    check_machine_problems(
        "url = \"{{ user `x` }}\"",
        &["error main.pkr.hcl:2: Failed to render template call"],
    );
    check_machine_problems(
        "commands = [\n\"a\",\n\"{{ nope }}\"]",
        &["error main.pkr.hcl:4: Failed to render template call"],
    );
    check_configurations(
        &script("script = \"{{ build `ID` }}\""),
        &["{}", "{script = \"{{.ID}}\"}"],
    );
}

#[test]
fn marks_stay_on_what_secrets_went_into() {
    let text = "variable \"p\" {\n  sensitive = true\n  default = \"hush\"\n}\n".to_owned()
        + &machine("url = \"x-${var.p}-{{ build_name }}\"\npassword = \"open\"");
    check_configurations(&text, &["{password = (\"open\"), url = (\"x-hush-a\")}"]);
}

#[test]
fn unknown_data_becomes_placeholders() {
    let text = "data \"echo\" \"d\" { text = \"7\" }\n".to_owned()
        + &machine(
            "url = \"x${data.echo.d.result}\"\nmemory = data.echo.d.result\ncommands = [data.echo.d.result]",
        );
    let outcome = Case::hcl(&text).without_data().run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    assert_eq!(
        configurations(&outcome.builds),
        ["{commands = [\"<unknown>\"], memory = 0, url = \"<unknown>\"}"]
    );
    check_configurations(&text, &["{commands = [\"7\"], memory = 7, url = \"x7\"}"]);
}

#[test]
fn values_of_the_machine_replace_placeholders_at_run_time() {
    let outcome = Case::hcl(&script("script = \"${build.ID} {{ build `ID` }}\"")).run();
    let component = &outcome.builds[0].provisioners[0].component;
    let components = FakeComponents::new();
    let schema = components
        .schema(component.kind, &component.type_name)
        .expect("known");
    let values = BTreeMap::from([("ID".to_owned(), Value::string("i-1"))]);
    let (configured, problems) = component.configure(schema, &Generated::Values(values));
    assert_eq!(problems, []);
    assert_eq!(show(&configured.value), "{script = \"i-1 i-1\"}");
}

#[test]
fn spans_lead_to_the_parts_of_a_configuration() {
    let text =
        machine("tags = {\n  a = \"1\"\n  b = \"2\"\n}\ndisk { size = 1 }\ndisk {\n  size = 2\n}");
    let outcome = Case::hcl(&text).run();
    let components = FakeComponents::new();
    let component = &outcome.builds[0].source;
    let schema = components
        .schema(component.kind, &component.type_name)
        .expect("known");
    let (configured, _) = component.configure(schema, &Generated::Names(Vec::new()));
    let check = |path: &[PathStep], expected: &str| {
        let span = configured.span(path).expect("a place");
        assert_eq!(&text[span.start as usize..span.end as usize], expected);
    };
    let attribute = |name: &str| PathStep::Attribute(name.to_owned());
    check(&[attribute("tags"), PathStep::Key("b".to_owned())], "\"2\"");
    check(
        &[attribute("disk"), PathStep::Index(1), attribute("size")],
        "2",
    );
    check(&[attribute("nothing")], "source \"machine\" \"a\"");
    assert_eq!(configured.header, "source \"machine\" \"a\"");
}

#[test]
fn open_schemas_hand_everything_over() {
    let text = "source \"open\" \"a\" {\n  x = [1, \"a\"]\n  y = null\n  part \"label\" { z = \"{{ build_name }}\" }\n  \
                part \"other\" {}\n}\nbuild { sources = [\"open.a\"] }\n";
    check_configurations(text, &["{part = [{z = \"a\"}, {}], x = [1, \"a\"]}"]);
}

#[test]
fn values_of_the_machine_keep_their_marks() {
    let outcome = Case::hcl(&script(
        "script = \"{{ build `Password` }}\"\nenv = [build.Password, \"{{ build `ID` }}\"]",
    ))
    .run();
    let component = &outcome.builds[0].provisioners[0].component;
    let components = FakeComponents::new();
    let schema = components
        .schema(component.kind, &component.type_name)
        .expect("known");
    let values = BTreeMap::from([
        ("ID".to_owned(), Value::string("i-1")),
        (
            "Password".to_owned(),
            Value::string("hush").with_sensitive(),
        ),
    ]);
    let (configured, problems) = component.configure(schema, &Generated::Values(values));
    assert_eq!(problems, []);
    assert_eq!(
        show(&configured.value),
        "{env = [(\"hush\"), \"i-1\"], script = (\"hush\")}"
    );
}

#[test]
fn only_the_addition_has_a_local_name() {
    let text = "source \"open\" \"a\" {\n  name = \"own\"\n}\nbuild {\n  source \"open.a\" {\n    name = \"b\"\n    x = 1\n  }\n}\n";
    check_configurations(text, &["{name = \"own\", x = 1}"]);
}
