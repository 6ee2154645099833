use super::super::Cursor;
use super::super::tests::{described, shape};
use super::*;

fn check_shape(kind: Kind, text: &str, expected: &str) {
    assert_eq!(shape(&Outline::of(text, kind).items), expected, "{text:?}");
}

/// `|` is the cursor.
fn check(kind: Kind, text: &str, expected: &str) {
    let at = text.find('|').expect("a cursor");
    let without = text.replacen('|', "", 1);
    let outline = Outline::of(&without, kind);
    let found = described(outline.cursor(&without, at), &without);
    assert_eq!(found, expected, "{text:?}");
}

fn native(text: &str, expected: &str) {
    check(Kind::TemplateJson, text, expected);
}

fn json(text: &str, expected: &str) {
    check(Kind::LegacyJson, text, expected);
}

fn yaml(text: &str, expected: &str) {
    check(Kind::LegacyYaml, text, expected);
}

#[test]
fn keys_are_blocks_with_labels() {
    check_shape(
        Kind::TemplateJson,
        r#"{ "source": { "qemu": { "a": { "x": 1, "y": { "z": 2 } }, "b": [{}] } },
             "build": [{ "sources": ["s"], "provisioner": [{ "shell": { "inline": ["i"] } }] }],
             "locals": { "l": { "m": 1 } } }"#,
        "source[qemu,a]{x= y[]{z=}} source[qemu,b]{} source[qemu] source[] \
         build[]{sources= provisioner[shell]{inline=} provisioner[]} locals[]{l=}",
    );
}

#[test]
fn sections_are_blocks_with_types() {
    let expected = "variables[]{v=} builders[qemu]{type= boot_wait= vnc[]{a=}} \
                    provisioners[shell]{inline= type= override[]{q[]{x=}}} \
                    post-processors= post-processors[compress]{type=}";
    check_shape(
        Kind::LegacyJson,
        r#"{ "variables": { "v": "" },
             "builders": [{ "type": "qemu", "boot_wait": "1s", "vnc": { "a": 1 } }],
             "provisioners": [{ "inline": ["a"], "type": "shell", "override": { "q": { "x": 1 } } }],
             "post-processors": ["manifest", [{ "type": "compress" }]] }"#,
        expected,
    );
    check_shape(
        Kind::LegacyYaml,
        "# a comment\nvariables:\n  v: ''\nbuilders:\n  - type: qemu\n    boot_wait: 1s # so long\n    \
         vnc: {a: 1}\nprovisioners:\n- inline:\n  - |\n    echo \"a: b\"\n  - b\n  type: shell\n  override:\n    \
         q:\n      x: 1\npost-processors:\n  - manifest\n  - - type: compress\n",
        expected,
    );
}

#[test]
fn keys_are_found_with_their_quotes() {
    native("{ | }", "item 0 \"\"");
    native("{ \"sou|\" }", "item 0 \"\\\"sou\\\"\"");
    native("{\n  \"sou|\n}", "item 0 \"\\\"sou\"");
    native("{ \"a\": 1, b| }", "item 0 \"b\"");
    native(
        "{ \"build\": { \"name\": \"n\",\n  \"|\" } }",
        "item 1 \"\\\"\\\"\"",
    );
    native(
        "{ \"source\": { \"qemu\": { \"a\": {\n  |\n} } } }",
        "item 1 \"\"",
    );
    json(
        "{ \"builders\": [{ \"type\": \"qemu\", | }] }",
        "item 1 \"\"",
    );
    json(
        "{ \"builders\": [{ \"type\": \"qemu\", \"disk|\": 1 }] }",
        "item 1 \"\\\"disk\\\"\"",
    );
    json("{ \"builders\": [ | ] }", "bare builders \"\"");
}

#[test]
fn keys_of_yaml_are_found_by_their_column() {
    yaml("|", "item 0 \"\"");
    yaml("buil|", "item 0 \"buil\"");
    yaml("builders:\n  - type: qemu\n    |\n", "item 1 \"\"");
    yaml("builders:\n  - type: qemu\n    disk|\n", "item 1 \"disk\"");
    yaml("builders:\n  - type: qemu\n|\n", "item 0 \"\"");
    yaml("builders:\n  - |\n", "item 1 \"\"");
    yaml("builders:\n  - ty|\n", "item 1 \"ty\"");
    yaml(
        "builders:\n- type: qemu\n- |\nprovisioners: []\n",
        "item 1 \"\"",
    );
    yaml("builders:\n  - type: qemu\n    # |\n", "nowhere");
    yaml("builders:\n  - {type: qemu, |}\n", "item 1 \"\"");
    yaml("builders:\n  - type: qemu\n      |\n", "nowhere");
}

#[test]
fn labels_are_found_whole_or_half() {
    native("{ \"source\": { | } }", "label source 0 \"\" false");
    native(
        "{ \"source\": { \"qe|\" } }",
        "label source 0 \"\\\"qe\\\"\" false",
    );
    native(
        "{ \"source\": { \"qemu\": { \"|\": {} } } }",
        "label source 1 \"\\\"\\\"\" false",
    );
    native(
        "{ \"build\": { \"provisioner\": [ { \"sh|\": {} } ] } }",
        "label provisioner 0 \"\\\"sh\\\"\" false",
    );
    native(
        "{ \"source\": { \"qemu\": { \"a\": {} },\n  | } }",
        "label source 0 \"\" false",
    );
}

#[test]
fn values_are_found_with_and_without_quotes() {
    native(
        "{ \"build\": { \"sources\": [\"source.|\"] } }",
        "text sources \"source.\"",
    );
    native("{ \"build\": { \"sources\": [ | ] } }", "bare sources \"\"");
    native(
        "{ \"locals\": { \"a\": \"x ${var.|}\" } }",
        "code a [\"var\"] \"\"",
    );
    native(
        "{ \"locals\": { \"a\": \"${join(\\\",\\\", local.b|)}\" } }",
        "code a [\"local\"] \"b\"",
    );
    native("{ \"locals\": { \"a\": tr| } }", "bare a \"tr\"");
    json("{ \"builders\": [{ \"type\": \"|\" }] }", "text type \"\"");
    json("{ \"builders\": [{ \"type\": \"qe|\n", "text type \"qe\"");
    json("{ \"builders\": [{ \"type\": | }] }", "bare type \"\"");
    json(
        "{ \"post-processors\": [\"man|\"] }",
        "text post-processors \"man\"",
    );
    json(
        "{ \"provisioners\": [{ \"inline\": [\"echo ${A} |\"] }] }",
        "text inline \"echo ${A} \"",
    );
    yaml("builders:\n  - type: |\n", "bare type \"\"");
    yaml("builders:\n  - type: qe|\n    a: b\n", "bare type \"qe\"");
    yaml("builders:\n  - type: \"|\"\n", "text type \"\"");
    yaml(
        "provisioners:\n  - type: shell\n    only:\n      - a\n      - |\n",
        "bare only \"\"",
    );
    yaml("provisioners:\n  - only: [a, |]\n", "bare only \"\"");
    yaml(
        "post-processors:\n  - man|\n",
        "bare post-processors \"man\"",
    );
}

#[test]
fn calls_and_their_arguments_are_found() {
    let calls = [
        ("{{ |", "call \"\""),
        ("{{us| }}", "call \"us\""),
        ("a {{ user `|` }} b", "argument user \"\""),
        ("{{user `na|me`}}", "argument user \"name\""),
        ("{{ build `I|", "argument build \"I\""),
        ("{{ user `x` | up|", "call \"up\""),
        ("{{ .HTT|P }}", "argument  \"HTTP\""),
    ];
    for (text, expected) in calls {
        // A pipe would be taken for the cursor.
        let text = text.replace(" | ", " ¦ ");
        json(
            &format!("{{ \"builders\": [{{ \"vm_name\": \"{text}\" }}] }}"),
            expected,
        );
        yaml(&format!("builders:\n  - vm_name: \"{text}\"\n"), expected);
    }
    json(
        "{ \"builders\": [{ \"vm_name\": \"{{ user \\\"na|me\\\" }}\" }] }",
        "argument user \"name\"",
    );
    json("{ \"a\": \"{{user `x`}} |\" }", "text a \"{{user `x`}} \"");
}

#[test]
fn names_of_variables_are_found_in_calls() {
    let text = "{{user `a`}} {{ upper (user \"b\") }} {{user \\\"c\\\"}} {{ users `d` }} user `e` {{user `f";
    let names: Vec<&str> = user_calls(text, &(0..text.len()))
        .into_iter()
        .map(|range| &text[range])
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn any_prefix_of_a_file_is_read_without_panic_at_every_cursor() {
    let json = "{ \"é\": { \"a\": [1, {\"b\": \"${f(\\\"😀\\\", {c = 1})} {{user `ü`}}\"}], } }\n";
    let broken = "{“é”: ‘a’, \"b\": 😀 \"c\": “foo”, \"d\": [ü, “\"x ${“😀”} \"]}\n";
    let yaml =
        "é:\n  - a: [1, {b: \"😀\", 'c': d}]\n    <<: &x !y |\n      {{user `ü`}}\n  -\n- \"q\n";
    for (kind, text) in [
        (Kind::TemplateJson, json),
        (Kind::LegacyJson, json),
        (Kind::ValuesJson, json),
        (Kind::LegacyYaml, yaml),
        (Kind::ValuesYaml, yaml),
        (Kind::LegacyYaml, json),
        (Kind::LegacyJson, yaml),
        (Kind::TemplateJson, broken),
        (Kind::LegacyJson, broken),
        (Kind::ValuesJson, broken),
        (Kind::LegacyYaml, broken),
        (Kind::TemplateJson, yaml),
    ] {
        let ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
        for end in ends {
            let part = &text[..end];
            let outline = Outline::of(part, kind);
            for at in (0..=end).filter(|at| part.is_char_boundary(*at)) {
                drop(described(outline.cursor(part, at), part));
            }
        }
    }
}

#[test]
fn deep_nesting_is_read_in_reasonable_depth() {
    for (kind, text) in [
        (Kind::TemplateJson, "[{\"a\":".repeat(50_000)),
        (Kind::LegacyYaml, "- ".repeat(50_000)),
        (Kind::LegacyYaml, "[{a: ".repeat(50_000)),
    ] {
        let outline = Outline::of(&text, kind);
        drop(described(outline.cursor(&text, text.len()), &text));
    }
}

#[test]
fn a_cursor_in_a_call_keeps_the_value_it_is_in() {
    let text = "builders:\n  - vm_name: \"{{user `x`}}\"\n";
    let outline = Outline::of(text, Kind::LegacyYaml);
    let found = outline.cursor(text, text.find('x').expect("the name"));
    assert!(matches!(found, Cursor::Value { attribute, .. } if attribute.name == "vm_name"));
}
