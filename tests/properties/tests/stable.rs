//! The properties with a few hundred inputs each, and with all examples; the fuzz targets try more.

use std::path::{Path, PathBuf};

use arbitrary::Unstructured;
use kiln_properties::{
    boot_command, eval, generate, go_template, layout, syntax, template, upgrade,
};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use proptest::strategy::Strategy;

/// Text made of the words that the languages are made of.
fn hcl() -> impl Strategy<Value = String> {
    const WORDS: [&str; 66] = [
        "a",
        "b-c",
        " ",
        "\n",
        "\r\n",
        "\t",
        "=",
        "==",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "${",
        "%{",
        "~",
        "~}",
        "$${",
        "<<E\n",
        "<<-E\n",
        "\nE\n",
        "  E\n",
        "if ",
        "for ",
        "in ",
        "else",
        "endif",
        "endfor",
        ",",
        ":",
        "?",
        ".",
        "...",
        "=>",
        "*",
        "-",
        "!",
        "&&",
        "1",
        "2.5",
        "\\n",
        "\\u00e9",
        "\\",
        "#",
        "//",
        "/*",
        "*/",
        "é",
        "日",
        "\u{FEFF}",
        "'",
        "null",
        "true",
        "::",
        "a = 1\n",
        "b {\n}\n",
        "c \"d\" {\n",
        "build {\n",
        "source \"null\" \"n\" {\n",
        "variable \"v\" {\n",
        "default = ",
        "locals {\n",
        "var.v",
        "dynamic \"disk\" {\n",
    ];
    words(&WORDS)
}

fn json() -> impl Strategy<Value = String> {
    const WORDS: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        " ",
        "\n",
        "null",
        "true",
        "1",
        "-2.5e3",
        "\\u00e9",
        "\\ud800",
        "é",
        "//",
        "'",
        "/*",
        "\"builders\":",
        "\"provisioners\":",
        "\"post-processors\":",
        "\"variables\":",
        "\"type\":",
        "\"null\"",
        "\"qemu\"",
        "\"shell\"",
        "\"inline\":",
        "\"{{user `a`}}\"",
        "\"{{isotime}}\"",
        "\"{{build `Host`}}\"",
        "\"override\":",
        "\"only\":",
        "\"iso_checksum_type\":",
        "\"sensitive-variables\":",
        "{\"a\":\"b\"}",
        "[{}]",
        "[[{}]]",
        "\"iso_checksum_url\":",
        "\"name\":",
    ];
    words(&WORDS)
}

fn yaml() -> impl Strategy<Value = String> {
    const WORDS: [&str; 40] = [
        "a",
        ": ",
        "\n",
        "  ",
        "    ",
        "- ",
        "-\n",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "#",
        " # c\n",
        "\"",
        "'",
        "\\u00e9",
        "&x ",
        "*x",
        "<<: ",
        "!!str ",
        "!t ",
        "|\n",
        "|-\n",
        ">+2\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "é",
        "null",
        "~",
        "true",
        "012",
        "1e3",
        "0x1f",
        ".inf",
        "{{user `a`}}",
        "builders:\n",
    ];
    words(&WORDS)
}

fn go() -> impl Strategy<Value = String> {
    const WORDS: [&str; 40] = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        ".",
        ".Name",
        ".List",
        ".Map",
        "$",
        "$x",
        ":=",
        "=",
        "|",
        "(",
        ")",
        "\"a\"",
        "`a`",
        "'c'",
        "1",
        "-2.5",
        "0x1f",
        "range ",
        "if ",
        "with ",
        "else",
        "end",
        "define \"t\"",
        "template \"t\" ",
        "printf \"%v %5.2f %q\"",
        "index ",
        "user ",
        "isotime ",
        "upper ",
        "len ",
        "eq ",
        "and ",
        "/* c */",
        "break",
        "x",
    ];
    words(&WORDS)
}

fn keys() -> impl Strategy<Value = String> {
    const WORDS: [&str; 22] = [
        "<",
        ">",
        "wait",
        "<wait>",
        "<wait5>",
        "<wait1m2.5s>",
        "<wait-1s>",
        "<wait99999999999999999999>",
        "<wait2562047h>",
        "<enter>",
        "<f12>",
        "<leftCtrlOn>",
        "<leftCtrlOff>",
        "<aOn>",
        "<AOff>",
        "On>",
        "a",
        "Z",
        "é",
        "~",
        "\n",
        "<<",
    ];
    words(&WORDS)
}

fn words(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop::sample::select(words);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hcl_is_read(text in hcl()) {
        syntax::check_hcl(&text);
        layout::check(&text);
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        syntax::check_hcl(&text);
        syntax::check_json(&text);
        syntax::check_yaml(&text);
        boot_command::check(&text);
        go_template::check(&text);
    }

    #[test]
    fn json_is_read(text in json()) {
        syntax::check_json(&text);
        upgrade::check(&text);
    }

    #[test]
    fn yaml_is_read(text in yaml()) {
        syntax::check_yaml(&text);
    }

    #[test]
    fn expressions_are_evaluated(bytes in bytes()) {
        eval::check(&generate::expression(&mut Unstructured::new(&bytes)).expect("an expression"));
    }

    #[test]
    fn go_templates_are_rendered(text in go()) {
        go_template::check(&text);
    }

    #[test]
    fn boot_commands_are_typed(text in keys()) {
        boot_command::check(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn templates_are_planned(bytes in bytes()) {
        template::check_hcl(&generate::template(&mut Unstructured::new(&bytes)).expect("a template"));
    }

    #[test]
    fn broken_templates_are_refused(text in hcl()) {
        template::check_hcl(&text);
    }

    #[test]
    fn legacy_templates_are_planned(text in json()) {
        template::check_legacy(&text);
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The folders with templates: the examples, and those people really use where they are at hand.
fn folders() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("it lies two folders deep");
    let corpus = std::env::var_os("KILN_CORPUS")
        .map_or_else(|| project.join("../shared/corpus"), PathBuf::from);
    [
        project.join("tests/examples"),
        project.join("host/syntax/testdata"),
        project.join("plugins"),
        corpus,
    ]
    .into_iter()
    .filter(|folder| folder.is_dir())
    .collect()
}

#[test]
fn what_people_wrote_has_all_properties() {
    let (mut count, mut broken) = (0, Vec::new());
    for path in folders().iter().flat_map(|folder| files(folder)) {
        let name = path.to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let check: &[fn(&str)] = match name.rsplit('.').next() {
            Some("hcl") => &[syntax::check_hcl, layout::check, template::check_hcl],
            Some("json") => &[syntax::check_json, upgrade::check, template::check_legacy],
            Some("yaml" | "yml") => &[syntax::check_yaml],
            Some("tmpl" | "template") => &[go_template::check],
            _ => continue,
        };
        count += 1;
        if std::panic::catch_unwind(|| check.iter().for_each(|check| check(&text))).is_err() {
            broken.push(name);
        }
    }
    assert_eq!(broken, Vec::<String>::new(), "these break a property");
    assert!(count >= 10, "only {count} files were there");
}
