//! Legacy templates as text, and what becomes of them.

use std::collections::BTreeMap;

use host_eval::Value;

use crate::testing::{Case, FakeComponents, configure_all, show};
use crate::{Build, Components, Generated};

const FAILURE: &str = "Failed to parse file as legacy JSON template: ";

fn configurations(builds: &[Build]) -> Vec<String> {
    let components = FakeComponents::new();
    let all = builds
        .iter()
        .flat_map(|build| configure_all(build, &components));
    all.map(|(value, _)| value).collect()
}

fn check_configurations(case: &Case, expected: &[&str]) {
    let outcome = case.run();
    assert_eq!(outcome.problems, [""; 0], "details: {:#?}", outcome.details);
    assert_eq!(configurations(&outcome.builds), expected);
}

fn check_problems(text: &str, expected: &[&str]) {
    let outcome = Case::legacy(text).run();
    assert_eq!(
        outcome.problems, expected,
        "details: {:#?}",
        outcome.details
    );
}

/// A problem with the shape of the document at `line`.
fn check_shape(text: &str, line: usize, message: &str) {
    check_problems(
        text,
        &[&format!("error template.json:{line}: {FAILURE}{message}")],
    );
}

/// A template with one machine whose options are `options`.
fn machine(options: &str) -> Case {
    Case::legacy(&format!(
        "{{\"variables\": {{\"v\": \"value\", \"s\": \"hush\", \"list\": \"a,b\", \"empty\": \"\"}},\n\
         \"sensitive-variables\": [\"s\"],\n\
         \"builders\": [{{\"type\": \"machine\",\n{options}}}]}}"
    ))
}

fn check_machine(options: &str, expected: &str) {
    check_configurations(&machine(options), &[expected]);
}

#[test]
fn text_that_is_not_json_is_explained_with_its_place() {
    let outcome = Case::legacy("{\n  \"a\": }").run();
    assert!(
        outcome.problems[0].starts_with(&format!("error template.json:2: {FAILURE}")),
        "{:?}",
        outcome.problems
    );
    assert!(
        outcome.details[0].contains("Original error: "),
        "{:?}",
        outcome.details
    );
    assert!(
        outcome.details[0].contains("(line 2, column "),
        "{:?}",
        outcome.details
    );
}

#[test]
fn root_keys_are_checked() {
    let builders = "\"builders\": [{\"type\": \"null\"}]";
    check_problems(
        &format!("{{\"_comment\": \"x\", \"push\": {{}}, {builders}}}"),
        &[],
    );
    check_problems("{\"Builders\": [{\"Type\": \"null\"}]}", &[]);
    check_shape(
        &format!("{{\n\"bilders\": [],\n{builders}}}"),
        2,
        "Unknown root level key in template: 'bilders'",
    );
    check_shape(
        &format!("{{\n\"_c\": 1, {builders}}}"),
        2,
        "the comment '_c' has to be a text, not a number",
    );
    check_shape(
        &format!("{{\n\"description\": 1, {builders}}}"),
        2,
        "'description' has to be a text, not a number",
    );
}

#[test]
fn duplicate_keys_are_errors_at_any_depth() {
    check_shape(
        "{\"builders\": [{\"type\": \"null\",\n\"x\": {\"a\": 1,\n\"a\": 2}}]}",
        3,
        "template has duplicate field: a",
    );
}

#[test]
fn entries_need_types_and_builders_distinct_names() {
    check_shape("{\"builders\": [\n{}]}", 2, "builder 1: missing 'type'");
    check_shape(
        "{\"builders\": [{\"type\": \"null\"},\n{\"type\": \"null\"}]}",
        2,
        "builder 2: builder with name 'null' already exists",
    );
    let rest = "\"builders\": [{\"type\": \"null\"}]";
    check_shape(
        &format!("{{\"provisioners\": [\n{{}}], {rest}}}"),
        2,
        "provisioner 1: missing 'type'",
    );
    check_shape(
        &format!("{{\"post-processors\": [\"list\", [\"list\",\n{{}}]], {rest}}}"),
        2,
        "post-processor 2.2: type is required",
    );
    check_shape(
        &format!("{{\"post-processors\": [[[\"list\"]]], {rest}}}"),
        1,
        "post-processor 1.1: an object is needed, not a list",
    );
    check_shape(
        &format!(
            "{{\"provisioners\": [{{\"type\": \"script\",\n\"pause_before\": \"soon\"}}], {rest}}}"
        ),
        2,
        "provisioner 1: 'pause_before' has to be a duration such as `10s`",
    );
}

#[test]
fn variables_have_text_or_null_as_default() {
    check_shape(
        "{\"variables\": {\n\"a\": 1}, \"builders\": [{\"type\": \"null\"}]}",
        2,
        "variable a: the default has to be a text or null, not a number",
    );
    check_problems(
        "{\"variables\": {\"a\": null,\n\"b\": null}, \"builders\": [{\"type\": \"null\"}]}",
        &[
            "error template.json:1: required variable not set: a",
            "error template.json:2: required variable not set: b",
        ],
    );
    let case = Case::legacy("{\"variables\": {\"a\": null}, \"builders\": [{\"type\": \"null\"}]}");
    assert_eq!(case.var("a", "").run().problems, [""; 0]);
}

#[test]
fn missing_builders_and_unknown_names_are_listed() {
    check_problems(
        "{}",
        &["error template.json:1: at least one builder must be defined"],
    );
    check_problems(
        "{\"builders\": [{\"type\": \"null\"}], \"provisioners\": [{\"type\": \"script\", \"script\": \"\",\n\"only\": [\"x\"]}]}",
        &["error template.json:2: provisioner 1: 'only' specified builder 'x' not found"],
    );
}

#[test]
fn entries_are_counted_with_those_that_cannot_be_read() {
    let named = "{\"type\": \"list\",\n\"only\": [\"x\"]}";
    check_problems(
        &format!(
            "{{\"builders\": [{{\"type\": \"null\"}}], \"provisioners\": [{{}}, {named}],\n\
             \"post-processors\": [{{}}, \"list\", [{{}}, {named}]]}}"
        ),
        &[
            &format!("error template.json:1: {FAILURE}provisioner 1: missing 'type'"),
            &format!("error template.json:3: {FAILURE}post-processor 1.1: type is required"),
            &format!("error template.json:3: {FAILURE}post-processor 3.1: type is required"),
            "error template.json:2: provisioner 2: 'only' specified builder 'x' not found",
            "error template.json:4: post-processor 3.2: 'only' specified builder 'x' not found",
        ],
    );
}

#[test]
fn the_oldest_version_that_will_do_is_compared() {
    let builders = "\"builders\": [{\"type\": \"null\"}]";
    check_problems(
        &format!("{{\"min_packer_version\": \"1.2.0\", {builders}}}"),
        &[],
    );
    check_problems(
        &format!("{{\n\"min_packer_version\": \"1.17.0\", {builders}}}"),
        &[
            "error template.json:2: This template requires Packer version 1.17.0 or higher; using 1.16.0",
        ],
    );
}

#[test]
fn user_variables_are_rendered_in_any_order() {
    let text = "{\"variables\": {\"a\": \"{{user `b`}}!\", \"b\": \"{{user `c`}}{{env `HERE`}}\", \"c\": \"x\"},\
                \"builders\": [{\"type\": \"machine\", \"url\": \"{{user `a`}}\"}]}";
    check_configurations(&Case::legacy(text).env("HERE", "y"), &["{url = \"xy!\"}"]);
    check_configurations(
        &Case::legacy(text).var("c", "{{upper `z`}}"),
        &["{url = \"Z!\"}"],
    );
}

#[test]
fn variable_files_come_before_the_command_line() {
    let text = "{\"variables\": {\"a\": \"1\"}, \"builders\": [{\"type\": \"machine\", \"url\": \"{{user `a`}}\"}]}";
    let files = [
        ("template.json", text),
        ("v.json", "{\"a\": \"2\"}"),
        ("w.json", "{\"a\": \"3\", \"other\": \"\"}"),
    ];
    let case = || {
        Case::with_files(&files, "template.json")
            .var_file("v.json")
            .var_file("w.json")
    };
    check_configurations(&case(), &["{url = \"3\"}"]);
    check_configurations(&case().var("a", "4"), &["{url = \"4\"}"]);
    let files = [("template.json", text), ("v.json", "{\"a\": null}")];
    check_configurations(
        &Case::with_files(&files, "template.json").var_file("v.json"),
        &["{url = \"\"}"],
    );
    let files = [("template.json", text), ("v.json", "{\n\"a\": 2}")];
    let outcome = Case::with_files(&files, "template.json")
        .var_file("v.json")
        .run();
    assert_eq!(
        outcome.problems,
        ["error v.json:2: Error reading variables in 'v.json'"]
    );
}

#[test]
fn variables_that_need_themselves_or_nothing_known_are_errors() {
    check_problems(
        "{\"variables\": {\"a\": \"{{user `a`}}\"}, \"builders\": [{\"type\": \"null\"}]}",
        &[
            "error template.json:1: error interpolating default value for 'a': it needs its own value",
        ],
    );
    let outcome = Case::legacy(
        "{\"variables\": {\"a\": \"{{user `b`}}\"}, \"builders\": [{\"type\": \"null\"}]}",
    )
    .run();
    assert!(
        outcome.problems[0].contains("undefined user variable: b"),
        "{:?}",
        outcome.problems
    );
}

#[test]
fn fields_in_variables_are_left_for_the_component() {
    let text = "{\"variables\": {\"cmd\": \"{{.Vars}} sh {{ .Path }}\"}, \"builders\": [{\"type\": \"null\"}],\
                \"provisioners\": [{\"type\": \"script\", \"script\": \"x\", \"execute\": \"{{user `cmd`}}\"}]}";
    let outcome = Case::legacy(text).run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    assert_eq!(
        outcome.builds[0].user_variables["cmd"],
        "{{.Vars}} sh {{ .Path }}"
    );
}

#[test]
fn options_are_read_weakly() {
    check_machine(
        "\"memory\": \"1024\", \"headless\": \"true\"",
        "{headless = true, memory = 1024}",
    );
    check_machine(
        "\"headless\": 1, \"url\": 10",
        "{headless = true, url = \"10\"}",
    );
    check_machine("\"commands\": \"a,b\"", "{commands = [\"a\", \"b\"]}");
    check_machine(
        "\"commands\": \"{{user `list`}}\"",
        "{commands = [\"a\", \"b\"]}",
    );
    check_machine("\"commands\": 5", "{commands = [\"5\"]}");
    check_machine("\"memory\": \"{{user `empty`}}\"", "{memory = 0}");
    check_machine("\"wait\": 5", "{wait = 5}");
    check_machine(
        "\"Url\": \"x\", \"tags\": {\"a\": 1}",
        "{tags = {a = \"1\"}, url = \"x\"}",
    );
    check_machine("\"url\": null", "{}");
    check_machine("\"disk\": {\"size\": 1}", "{disk = [{size = 1}]}");
    check_machine(
        "\"disk\": [{\"size\": 1}, {\"size\": \"2\"}]",
        "{disk = [{size = 1}, {size = 2}]}",
    );
    check_machine("\"boot_disk\": {\"size\": 1}", "{boot_disk = {size = 1}}");
}

#[test]
fn calls_are_rendered_and_secrets_marked() {
    check_machine(
        "\"url\": \"{{user `v`}}/{{build_name}}\"",
        "{url = \"value/machine\"}",
    );
    check_machine("\"url\": \"{{user `s`}}\"", "{url = (\"hush\")}");
    check_machine(
        "\"commands\": [\"{{user `s`}}\", \"{{user `v`}}\"]",
        "{commands = [(\"hush\"), \"value\"]}",
    );
    check_machine(
        "\"boot\": [\"{{ .HTTPIP }}{{user `v`}}\"]",
        "{boot = [\"{{ .HTTPIP }}{{user `v`}}\"]}",
    );
    let template = machine("\"url\": \"\"").run().template.expect("a template");
    assert_eq!(template.secrets(), ["hush"]);
}

#[test]
fn wrong_options_are_reported_where_they_are() {
    let check = |options: &str, expected: &str| {
        assert_eq!(machine(options).run().problems, [expected]);
    };
    check(
        "\"memry\": 1",
        "error template.json:4: unknown configuration key: '\"memry\"'",
    );
    check(
        "\"memory\":\n \"much\"",
        "error template.json:5: Incorrect attribute value type",
    );
    check(
        "\"disk\": 1",
        "error template.json:4: Incorrect attribute value type",
    );
    check(
        "\"disk\": {}",
        "error template.json:4: Missing required argument",
    );
    check(
        "\"url\": \"{{env `X`}}\"",
        "error template.json:4: Failed to render template call",
    );
    check("\"ram\": 1", "warning template.json:4: Deprecated option");
    check(
        "\"ssh_wait_timeout\": \"1m\"",
        "error template.json:4: Deprecated configuration key: 'ssh_wait_timeout'. Please call \
         `packer fix` against your template",
    );
}

const TWO: &str = "{\"variables\": {\"n\": \"two\"}, \"builders\": [\n\
    {\"type\": \"null\", \"name\": \"{{user `n`}}\"}, {\"type\": \"null\", \"name\": \"one\"}, {\"type\": \"null\"}],\n\
    \"provisioners\": [{\"type\": \"script\", \"script\": \"a\", \"only\": [\"one\"]},\n\
    {\"type\": \"script\", \"script\": \"b\", \"pause_before\": \"1s\", \"max_retries\": \"{{user `r`}}\",\n\
     \"override\": {\"one\": {\"script\": \"c\"}}}],\n\
    \"error-cleanup-provisioner\": {\"type\": \"script\", \"script\": \"d\"},\n\
    \"post-processors\": [\"list\", [{\"type\": \"pack\", \"name\": \"p\", \"keep_input_artifact\": true}, \"list\"]]}";

fn names(builds: &[Build]) -> Vec<(&str, &str)> {
    builds
        .iter()
        .map(|build| (build.name.as_str(), build.source_name.as_str()))
        .collect()
}

#[test]
fn builds_are_sorted_by_their_rendered_names() {
    let outcome = Case::legacy(TWO).var("r", "").run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    assert_eq!(
        names(&outcome.builds),
        [("null", "null"), ("null.one", "one"), ("null.two", "two")]
    );
}

#[test]
fn filters_are_exact_plain_names() {
    let run = |case: Case| {
        let builds = case.run().builds;
        builds
            .iter()
            .map(|build| build.source_name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(run(Case::legacy(TWO).only("two")), ["two"]);
    assert_eq!(run(Case::legacy(TWO).only("{{user `n`}}")), ["two"]);
    assert_eq!(run(Case::legacy(TWO).only("null.one")), [""; 0]);
    assert_eq!(run(Case::legacy(TWO).only("*")), [""; 0]);
    assert_eq!(run(Case::legacy(TWO).except("one")), ["null", "two"]);
}

#[test]
fn sections_become_the_parts_of_a_build() {
    let outcome = Case::legacy(TWO).var("r", "2").only("one").run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    let build = &outcome.builds[0];
    assert_eq!(
        configurations(&outcome.builds),
        [
            "{}",
            "{script = \"a\"}",
            "{script = \"c\"}",
            "{script = \"d\"}",
            "{}",
            "{}",
            "{}",
        ]
    );
    assert_eq!(build.provisioners[1].max_retries, 2);
    assert_eq!(
        build.provisioners[1].pause_before,
        Some(std::time::Duration::from_secs(1))
    );
    let chains: Vec<Vec<&str>> = build
        .post_processors
        .iter()
        .map(|chain| chain.iter().map(|member| member.name.as_str()).collect())
        .collect();
    assert_eq!(chains, [vec!["list"], vec!["p", "list"]]);
    assert_eq!(build.post_processors[1][0].keep_input_artifact, Some(true));
}

#[test]
fn except_cuts_chains() {
    let outcome = Case::legacy(TWO).except("p").run();
    assert_eq!(outcome.builds[0].post_processors.len(), 1);
}

#[test]
fn unknown_components_name_what_was_probably_meant() {
    let outcome = Case::legacy("{\"builders\": [\n{\"type\": \"nul\"}]}").run();
    assert_eq!(
        outcome.problems,
        ["error template.json:2: Failed to initialize build \"nul\""]
    );
    assert_eq!(outcome.details, ["Did you mean to use \"null\"?"]);
}

#[test]
fn values_of_the_machine_are_rendered_back_until_they_are_known() {
    let outcome = Case::legacy(
        "{\"builders\": [{\"type\": \"null\"}], \"provisioners\": [{\"type\": \"script\", \"script\": \"{{build `ID`}}\"}]}",
    )
    .run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    let components = FakeComponents::new();
    let component = &outcome.builds[0].provisioners[0].component;
    let schema = components
        .schema(component.kind, &component.type_name)
        .expect("known");
    let (configured, _) = component.configure(schema, &Generated::Names(Vec::new()));
    assert_eq!(show(&configured.value), "{script = \"{{.ID}}\"}");
    let values = BTreeMap::from([("ID".to_owned(), Value::string("i-1"))]);
    let (configured, _) = component.configure(schema, &Generated::Values(values));
    assert_eq!(show(&configured.value), "{script = \"i-1\"}");
}

#[test]
fn the_folder_of_the_template_is_known() {
    let case =
        Case::legacy("{\"builders\": [{\"type\": \"machine\", \"url\": \"{{template_dir}}\"}]}");
    let folder = case.folder().to_string_lossy().into_owned();
    check_configurations(&case, &[&format!("{{url = {folder:?}}}")]);
    let build = &case.run().builds[0];
    assert_eq!(build.template_path, case.folder().join("template.json"));
}

#[test]
fn inspect_prints_packers_form() {
    let text = "{\"description\": \"About\", \"variables\": {\"must\": null, \"b\": \"1\", \"secret\": \"hush\"},\
                \"sensitive-variables\": [\"secret\"], \"builders\": [{\"type\": \"null\", \"name\": \"other\"}, {\"type\": \"null\"}],\
                \"provisioners\": [{\"type\": \"script\"}]}";
    let template = Case::legacy(text).run().template.expect("a template");
    let (printed, machine) = template.inspect();
    let expected = "Packer Inspect: JSON mode\nDescription:\n\nAbout\n\nRequired variables:\n\n  must\n\n\
                    Optional variables and their defaults:\n\n  b      = 1\n  secret = <sensitive>\n\n\
                    Builders:\n\n  null \n  other (null)\n\nProvisioners:\n\n  script\n\nNote: ";
    assert!(printed.starts_with(expected), "{printed}");
    let machine: Vec<String> = machine
        .iter()
        .map(|(kind, arguments)| format!("{kind},{}", arguments.join(",")))
        .collect();
    assert_eq!(
        machine,
        [
            "template-variable,must,,1",
            "template-variable,b,1,0",
            "template-variable,secret,<sensitive>,0",
            "template-builder,null,null",
            "template-builder,other,null",
            "template-provisioner,script",
        ]
    );
}

#[test]
fn the_console_renders_lines() {
    let template = machine("\"url\": \"\"").run().template.expect("a template");
    let rendered = template
        .render("{{user `v`}}")
        .expect("legacy")
        .expect("renders");
    assert_eq!(rendered, "value");
    assert!(template.console_scope().is_none());
}
