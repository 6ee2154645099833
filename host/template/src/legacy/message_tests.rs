//! Messages about wrong legacy templates: their places, remedies, and that one mistake is told once.

use host_diag::{Diagnostic, SourceMap};

use crate::load;
use crate::testing::{Case, FakeComponents, block_on};

const NULL: &str = "\"builders\": [{\"type\": \"null\"}]";

/// Everything wrong with a template up to its plan: `line marked: summary | hint`.
fn problems(case: &Case) -> Vec<String> {
    let components = &FakeComponents::new();
    let mut sources = SourceMap::default();
    let (template, mut problems) = load(&case.options, &mut sources);
    if let Some(mut template) = template {
        problems.extend(block_on(template.initialize(components, true)));
        let (builds, found) = template.builds(components);
        problems.extend(found);
        for build in builds {
            let configured = crate::testing::configure_all(&build, components);
            let found = configured.into_iter().flat_map(|(_, problems)| problems);
            problems.extend(found.map(|(_, problem)| problem));
        }
    }
    let line = |problem: &Diagnostic| {
        let place = problem.subject.map_or_else(String::new, |span| {
            let (line, _) = sources.position(span.file, span.start);
            let text = sources.text(span.file);
            format!("{line} {}: ", &text[span.start as usize..span.end as usize])
        });
        let hints: String = problem
            .hints
            .iter()
            .map(|hint| format!(" | {hint}"))
            .collect();
        format!("{place}{}{hints}", problem.summary)
    };
    problems.iter().map(line).collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(problems(&Case::legacy(text)), expected, "{text}");
}

fn check_yaml(text: &str, expected: &[&str]) {
    let case = Case::with_files(&[("t.pkr.yaml", text)], "t.pkr.yaml");
    assert_eq!(problems(&case), expected, "{text}");
}

#[test]
fn undefined_variables_in_defaults_are_marked_with_the_nearest_name() {
    check(
        &format!(
            "{{\"variables\": {{\"name\": \"x\",\n\"b\": \"\\t{{{{user `nmae`}}}}\"}}, {NULL}}}"
        ),
        &[
            "2 {{user `nmae`}}: error interpolating default value for 'b': undefined user variable: \
           nmae | Did you mean `name`?",
        ],
    );
}

#[test]
fn cycles_of_variables_are_told_once_with_all_places() {
    let text = format!(
        "{{\"variables\": {{\"a\": \"{{{{user `b`}}}}\",\n\"b\": \"{{{{user `a`}}}}\",\n\
         \"c\": \"{{{{user `a`}}}}\"}}, {NULL}}}"
    );
    check(
        &text,
        &[
            "1 {{user `b`}}: error interpolating default value for 'a': it needs its own value | \
           Give one of them a value that uses none of the others.",
        ],
    );
}

#[test]
fn what_follows_from_another_mistake_is_not_told() {
    // A variable without value makes no option wrong and no other variable either.
    check(
        "{\"variables\": {\"m\": null, \"n\": \"{{user `m`}}\"}, \"builders\": [{\"type\": \"machine\",\n\
         \"memory\": \"{{user `n`}}\", \"memry\": 1}]}",
        &[
            "1 \"m\": required variable not set: m | Give it with `-var 'm=…'` or in a file with \
             `-var-file`.",
            "2 \"memry\": unknown configuration key: '\"memry\"' | Did you mean \"memory\"?",
        ],
    );
    // A builder that cannot be read may be the one that is named.
    check(
        "{\"builders\": [{\"name\": \"x\"}], \"provisioners\": [{\"type\": \"script\", \"only\": [\"x\"]}]}",
        &[
            "1 \"name\": Failed to parse file as legacy JSON template: builder 1: missing 'type' | \
           Add a \"type\" such as \"shell\".",
        ],
    );
    // An unknown type leaves builds, but not none.
    check(
        "{\"builders\": [{\"type\": \"machin\"}]}",
        &["1 \"machin\": Failed to initialize build \"machin\""],
    );
}

#[test]
fn a_mistake_that_builds_share_is_told_once() {
    let text = "{\"builders\": [{\"type\": \"null\"}, {\"type\": \"null\", \"name\": \"b\"}, {\"type\": \"null\", \"name\": \"c\"}],\
                \"provisioners\": [{\"type\": \"scrip\"}]}";
    check(text, &["1 \"scrip\": Failed to initialize build \"b\""]);
    assert_eq!(
        Case::legacy(text).run().details,
        ["Did you mean to use \"script\"? The same holds for build `c`, `null`."]
    );
}

#[test]
fn mistakes_of_all_kinds_are_told_in_one_run() {
    check(
        "{\"bilders\": [],\n\"variables\": {\"a\": 1, \"b\": \"{{uper `x`}}\"},\n\
         \"builders\": [{\"type\": \"null\"}],\n\
         \"provisioners\": [{\"type\": \"script\", \"except\": [\"nul\", \"null.null\"]}]}",
        &[
            "1 \"bilders\": Failed to parse file as legacy JSON template: Unknown root level key in \
             template: 'bilders' | Did you mean `builders`?",
            "2 1: Failed to parse file as legacy JSON template: variable a: the default has to be a \
             text or null, not a number | Put it between double quotes.",
            "4 \"nul\": provisioner 1: 'except' specified builder 'nul' not found | Did you mean \
             `null`?",
            "4 \"null.null\": provisioner 1: 'except' specified builder 'null.null' not found | Did \
             you mean `null`?",
            "2 {{uper `x`}}: error interpolating default value for 'b': function \"uper\" not \
             defined | Did you mean \"upper\"?",
        ],
    );
}

#[test]
fn calls_are_marked_inside_of_their_text_escapes_or_not() {
    check(
        "{\"builders\": [{\"type\": \"machine\",\n\
         \"url\": \"a\\tb {{lowr \\\"x\\\"}} c\"}]}",
        &["2 {{lowr \\\"x\\\"}}: Failed to render template call | Did you mean \"lower\"?"],
    );
    check(
        "{\"builders\": [{\"type\": \"machine\", \"commands\": [\"x\",\n\"{{upper `a`}}{{split `a` `b` 3}}\"]}]}",
        &[
            "2 {{split `a` `b` 3}}: Failed to render template call | Compare with how it is called: \
             {{ upper `text` }}, {{ split `a-b` `-` 0 }}, {{ replace_all `-` `_` `text` }}.",
        ],
    );
    check(
        "{\"builders\": [{\"type\": \"null\", \"name\": \"x{{env `HOME`}}\"}]}",
        &[
            "1 {{env `HOME`}}: Failed to initialize build \"x{{env `HOME`}}\" | Read it in the \
             default of a variable, and use the variable here.",
        ],
    );
    check(
        &format!(
            "{{\"provisioners\": [{{\"type\": \"script\", \"script\": \"\", \"max_retries\": \"{{{{x}}}}\"}}], {NULL}}}"
        ),
        &[
            "1 {{x}}: Failed to initialize build \"null\" | Write braces that are meant literally \
             as `{{ \"{{\" }}`.",
        ],
    );
}

#[test]
fn uses_of_variables_that_nobody_declares_are_warned_of() {
    let text = "{\"variables\": {\"url\": \"\"}, \"builders\": [{\"type\": \"machine\",\n\
                \"url\": \"{{user `ulr`}}{{user `given`}}\", \"commands\": [\"{{user `ulr`}}\"]}]}";
    assert_eq!(
        problems(&Case::legacy(text).var("given", "x")),
        ["2 {{user `ulr`}}: undefined user variable: ulr | Did you mean `url`?"]
    );
    check(
        &format!(
            "{{\"variables\": {{\"pass\": \"\"}}, \"sensitive-variables\": [\"pas\"], {NULL}}}"
        ),
        &["1 \"pas\": undefined sensitive variable: pas | Did you mean `pass`?"],
    );
}

#[test]
fn builders_whose_rendered_names_are_the_same_are_refused() {
    check(
        "{\"variables\": {\"n\": \"x\"}, \"builders\": [{\"type\": \"null\", \"name\": \"x\"},\n\
         {\"type\": \"null\", \"name\": \"{{user `n`}}\"}]}",
        &[
            "2 \"{{user `n`}}\": builder with name 'x' already exists | Give each of them a \"name\" \
           of its own.",
        ],
    );
}

#[test]
fn the_values_of_sensitive_variables_are_not_shown() {
    let text =
        format!("{{\"sensitive-variables\": [\"s\"], \"variables\": {{\"s\": 4711}}, {NULL}}}");
    check(
        &text,
        &[
            "Failed to parse file as legacy JSON template: variable s: the default has to be a text \
           or null, not a number | Put it between double quotes.",
        ],
    );
    let text =
        format!("{{\"sensitive-variables\": [\"s\"], \"variables\": {{\"s\": \"\"}}, {NULL}}}");
    let files = [
        ("template.json", text.as_str()),
        ("v.json", "{\"s\": 4711}"),
    ];
    let case = Case::with_files(&files, "template.json").var_file("v.json");
    assert_eq!(
        problems(&case),
        ["Error reading variables in 'v.json' | Put it between double quotes."]
    );
    let text = format!(
        "{{\"sensitive-variables\": [\"s\"], \"variables\": {{\"s\": \"hush{{{{no}}}}\"}}, {NULL}}}"
    );
    let template = Case::legacy(&text).run().template.expect("a template");
    assert_eq!(template.secrets(), ["hush{{no}}"]);
}

#[test]
fn mistakes_of_json_are_told_with_what_to_do() {
    let outcome = Case::legacy("{'_a': \"1\", // x\n\"builders\": [{}],}").run();
    // What the text says is clear all the same, so the rest is checked, too.
    assert_eq!(outcome.problems.len(), 4, "{:?}", outcome.problems);
    assert!(
        outcome.problems[3].contains("missing 'type'"),
        "{:?}",
        outcome.problems
    );
    assert!(
        outcome.details[0].contains("`.pkr.hcl`"),
        "{:?}",
        outcome.details
    );
    assert_eq!(
        outcome.details[1..3],
        [
            "Original error: Comment in JSON: JSON has no comments; write a root key such as \
             `\"_comment\": \"text\"`. (line 1, column 13)",
            "Original error: Trailing comma: The last part of an object has no comma behind it; \
             remove this one. (line 2, column 17)",
        ]
    );
}

#[test]
fn yaml_templates_are_like_json_with_their_own_places() {
    let yaml = "# about\n_shared: &machine {type: machine, memory: 1024}\nvariables:\n  url: http://x # y\n\
                builders:\n- <<: *machine\n  name: a\n  url: '{{user `url`}}'\n- <<: *machine\n  name: b\n  headless: true\n\
                provisioners:\n- type: script\n  only: [b]\n  script: |\n    one\n    two\n";
    let case = Case::with_files(&[("t.pkr.yml", yaml)], "t.pkr.yml");
    let outcome = case.run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    let components = FakeComponents::new();
    let shown: Vec<String> = outcome
        .builds
        .iter()
        .flat_map(|build| crate::testing::configure_all(build, &components))
        .map(|(value, _)| value)
        .collect();
    assert_eq!(
        shown,
        [
            "{memory = 1024, url = \"http://x\"}",
            "{headless = true, memory = 1024}",
            "{script = \"one\\ntwo\\n\"}",
        ]
    );
    check_yaml(
        "builders:\n- type: machine\n  memry: 1\n  url: >-\n    a\n    {{nope}}\n- type: machin\n",
        &[
            "7 machin: Failed to initialize build \"machin\"",
            "3 memry: unknown configuration key: '\"memry\"' | Did you mean \"memory\"?",
            "6 {{nope}}: Failed to render template call | Write braces that are meant literally as `{{ \"{{\" }}`.",
        ],
    );
    check_yaml(
        "builders:\n- type: null\nbilders: 1\nvariables: {a: 1}\n",
        &[
            "3 bilders: Failed to parse file as YAML template: Unknown root level key in template: \
             'bilders' | Did you mean `builders`?",
            "4 1: Failed to parse file as YAML template: variable a: the default has to be a text \
             or null, not a number | Put it between double quotes.",
            "2 null: Failed to parse file as YAML template: builder 1: missing 'type' | Without \
             quotes, null means nothing; write \"null\" for the builder of that name.",
        ],
    );
    check_yaml(
        "builders:\n- type: machine\n  url: {{user `x`}}\n",
        &[
            "3 {{user `x`}}: Failed to parse file as YAML template: Template call without quotes | \
           Write '{{user `x`}}'.",
        ],
    );
}

#[test]
fn text_that_yaml_takes_for_something_else_is_told_how_to_be_written() {
    check_yaml(
        "builders:\n- type: machine\n  commands:\n  - it's: x\n  memory: {a: 1}\n",
        &[
            "4 it's: x: Incorrect attribute value type | To YAML, a colon with a blank behind it makes \
             a mapping; put the text in quotes: 'it''s: x'.",
            "5 {a: 1}: Incorrect attribute value type | Write a number, such as `2`.",
        ],
    );
    check_yaml(
        "source \"machine\" \"x\" {\n  memory = 1\n}\n",
        &[
            "1 s: Failed to parse file as YAML template: the template has to be an object, not a text \
             | A template consists of keys such as `builders:`, each on a line of its own.",
        ],
    );
}

#[test]
fn files_of_variables_may_be_yaml() {
    let template = "variables: {a: '1', b: '2'}\nbuilders: [{type: machine, url: '{{user `a`}}{{user `b`}}'}]\n";
    let files = [
        ("t.pkr.yaml", template),
        ("v.yaml", "a: x # y\n"),
        ("w.json", "{\"b\": \"z\"}"),
    ];
    let case = Case::with_files(&files, "t.pkr.yaml")
        .var_file("v.yaml")
        .var_file("w.json");
    let outcome = case.run();
    assert_eq!(
        outcome.builds[0].user_variables["a"], "x",
        "{:?}",
        outcome.problems
    );
    let files = [("t.pkr.yaml", template), ("v.yml", "a: 1\na: 2\n")];
    let case = Case::with_files(&files, "t.pkr.yaml").var_file("v.yml");
    assert_eq!(
        problems(&case),
        ["2 a: Error reading variables in 'v.yml' | Rename or remove one of the two."]
    );
}

#[test]
fn a_folder_of_yaml_templates_says_to_name_one() {
    let case = Case::with_files(&[("x/t.pkr.yaml", "a: 1")], "x");
    assert_eq!(
        problems(&case),
        ["Could not find any config file in x | Name the YAML template itself: `x/t.pkr.yaml`."]
    );
    let files = [("x/t.pkr.yaml", "a: 1"), ("x/s.pkr.yml", "a: 1")];
    let case = Case::with_files(&files, "x");
    assert_eq!(
        problems(&case),
        [
            "Could not find any config file in x | Name one of the YAML templates: `x/s.pkr.yml`, \
             `x/t.pkr.yaml`."
        ]
    );
}
