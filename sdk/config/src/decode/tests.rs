use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sdk_config_derive::Config;

use crate::{
    Config as _, GoDuration, Secret, Severity, Template, Value, ValueKind, decode, deprecated,
};

const FALLBACK: u64 = 3;

/// A machine to build.
///
/// It has two paragraphs.
#[derive(Config, Debug)]
struct Machine {
    /// Its name.
    #[config(required)]
    name: String,
    /// Kind of machine.
    #[config(name = "type", default = "small", choices("small", "large"))]
    kind: String,
    /// First port.
    #[config(default = 8000)]
    port: u16,
    /// How long to wait.
    #[config(default = "5m")]
    timeout: Duration,
    /// Pause; negative ones mean none.
    #[config(default = "-1s")]
    pause: GoDuration,
    /// Kinds of sum.
    #[config(default = ["md5", "sha1"])]
    sums: Vec<String>,
    /// How often.
    #[config(default = FALLBACK)]
    tries: u64,
    /// Another name.
    alias: Option<String>,
    /// Password.
    password: Secret<String>,
    /// What to type.
    boot: Vec<Template>,
    /// Size.
    #[config(deprecated = "use `port` instead")]
    size: Option<u64>,
    #[config(flatten)]
    folder: Folder,
    /// The boot firmware.
    #[config(block)]
    firmware: Option<Firmware>,
    /// Network cards.
    #[config(blocks)]
    network: Vec<Firmware>,
}

#[derive(Config, Debug)]
struct Folder {
    /// Where things go.
    directory: PathBuf,
}

#[derive(Config, Debug)]
struct Firmware {
    /// File.
    #[config(required)]
    file: String,
    /// Slot.
    #[config(default = 1)]
    slot: u16,
    /// Old name of `slot`.
    #[config(deprecated = "use `slot`")]
    #[expect(dead_code, reason = "only whether it is set matters here")]
    old_slot: u16,
}

/// Anything goes.
#[derive(Config, Debug)]
struct Open {
    #[config(rest)]
    rest: BTreeMap<String, Value>,
    /// Known.
    known: bool,
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect()
}

fn number(text: &str) -> Value {
    Value::new(ValueKind::Number(text.to_owned()))
}

/// Every problem as `path: summary: detail (hint)`, one a line.
fn problems(value: &Value) -> String {
    let problems = match decode::<Machine>(value) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    let lines: Vec<String> = problems
        .iter()
        .map(|it| {
            let mark = if it.severity == Severity::Error {
                ""
            } else {
                "warning: "
            };
            let hint = if it.hint.is_empty() {
                String::new()
            } else {
                format!(" ({})", it.hint)
            };
            format!("{mark}{}: {}: {}{hint}", it.path, it.summary, it.detail)
        })
        .collect();
    lines.join("\n")
}

#[test]
fn options_that_are_not_set_have_their_defaults() {
    let value = map([
        ("name", "a".into()),
        ("type", Value::null()),
        ("directory", "/x".into()),
    ]);
    let (machine, warnings) = decode::<Machine>(&value).expect("there is one");
    assert_eq!(warnings, []);
    assert_eq!(machine.kind, "small");
    assert_eq!(machine.port, 8000);
    assert_eq!(machine.timeout, Duration::from_secs(300));
    assert_eq!(
        machine.pause,
        GoDuration {
            nanos: -1_000_000_000
        }
    );
    assert_eq!(machine.sums, ["md5", "sha1"]);
    assert_eq!(machine.tries, 3);
    assert!(machine.password.is_empty() && machine.boot.is_empty() && machine.size.is_none());
    assert!(machine.firmware.is_none() && machine.network.is_empty());
    assert_eq!(machine.folder.directory, PathBuf::from("/x"));
}

#[test]
fn an_empty_option_is_one_that_is_not_set() {
    let value = map([
        ("name", "a".into()),
        ("type", "".into()),
        ("port", "".into()),
        ("timeout", "".into()),
        ("sums", Vec::<Value>::new().into()),
        ("tries", "".into()),
        ("alias", "".into()),
        ("size", "".into()),
    ]);
    let (machine, _) = decode::<Machine>(&value).expect("there is one");
    assert_eq!(machine.kind, "small");
    assert_eq!(machine.port, 8000);
    assert_eq!(machine.timeout, Duration::from_secs(300));
    assert_eq!(machine.sums, ["md5", "sha1"]);
    assert_eq!(machine.tries, 3);
    assert_eq!((machine.alias, machine.size), (None, None));
    let zero = map([("name", "a".into()), ("port", number("0"))]);
    let (machine, _) = decode::<Machine>(&zero).expect("there is one");
    assert_eq!(machine.port, 0, "a number is what it is");
}

#[test]
fn every_problem_is_reported_with_its_path() {
    let value = map([
        ("type", "smal".into()),
        ("port", "many".into()),
        ("prot", number("1")),
        ("firmware", map([("slot", number("-1"))])),
        (
            "network",
            vec![map([("file", "a".into())]), map([("fil", "b".into())])].into(),
        ),
    ]);
    let expected = "\
type: Invalid choice: `type` is one of `small`, `large`, not `smal`. (did you mean `small`?)
name: Missing required argument: The argument `name` is required, but it is not set.
port: Wrong type of value: `port` takes a whole number from 0 to 65535, not the text `many`.
firmware.file: Missing required argument: The argument `firmware.file` is required, but it is not set.
firmware.slot: Wrong type of value: `firmware.slot` takes a whole number from 0 to 65535, not the number `-1`.
network[1].file: Missing required argument: The argument `network[1].file` is required, but it is not set.
network[1].fil: Unknown configuration key: unknown configuration key: '\"fil\"' (did you mean `file`?)
prot: Unknown configuration key: unknown configuration key: '\"prot\"' (did you mean `port`?)";
    let got = problems(&value);
    let mut got: Vec<&str> = got.lines().collect();
    let mut expected: Vec<&str> = expected.lines().collect();
    got.sort_unstable();
    expected.sort_unstable();
    assert_eq!(got, expected);
}

#[test]
fn deprecated_options_work_and_only_who_asks_is_warned() {
    let body = || map([("file", "f".into()), ("old_slot", number("2"))]);
    let value = map([
        ("name", "a".into()),
        ("size", number("4")),
        ("firmware", vec![body()].into()),
        ("network", vec![map([("file", "f".into())]), body()].into()),
    ]);
    assert_eq!(problems(&value), "");
    assert_eq!(
        decode::<Machine>(&value).expect("there is one").0.size,
        Some(4)
    );
    let warnings = deprecated(&Machine::schema(), &value);
    let found: Vec<String> = warnings.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(found, ["size", "firmware.old_slot", "network[1].old_slot"]);
    assert_eq!(warnings[0].severity, Severity::Warning);
    assert_eq!(warnings[0].hint, "use `port` instead");
    let unset = map([("size", Value::null()), ("firmware", Value::null())]);
    assert_eq!(deprecated(&Machine::schema(), &unset), []);
}

#[test]
fn options_that_hosts_add_are_ignored() {
    let value = map([("name", "a".into()), ("packer_build_name", "b".into())]);
    assert_eq!(problems(&value), "");
    let nested = map([
        ("name", "a".into()),
        (
            "firmware",
            map([("file", "f".into()), ("packer_debug", true.into())]),
        ),
    ]);
    assert!(problems(&nested).contains("firmware.packer_debug"));
}

#[test]
fn values_not_known_yet_are_accepted() {
    let unknown = Value::unknown;
    let value = map([
        ("name", unknown()),
        ("type", unknown()),
        ("port", unknown()),
        ("timeout", "<unknown>".into()),
        ("sums", unknown()),
        ("network", unknown()),
    ]);
    let (machine, _) = decode::<Machine>(&value).expect("there is one");
    assert_eq!(
        (machine.name.as_str(), machine.kind.as_str()),
        ("<unknown>", "<unknown>")
    );
    assert_eq!(
        (machine.port, machine.timeout),
        (8000, Duration::from_secs(300))
    );
    assert!(machine.network.is_empty());
}

#[test]
fn blocks_are_read_from_maps_and_lists() {
    let body = map([("file", "f".into())]);
    let value = map([
        ("name", "a".into()),
        ("firmware", vec![body.clone()].into()),
        ("network", body.clone()),
    ]);
    let (machine, _) = decode::<Machine>(&value).expect("there is one");
    assert_eq!(machine.firmware.expect("there is one").slot, 1);
    assert_eq!(machine.network[0].file, "f");
    let twice = map([
        ("name", "a".into()),
        ("firmware", vec![body.clone(), body].into()),
    ]);
    assert!(problems(&twice).contains("firmware: Duplicate block"));
}

#[test]
fn an_open_configuration_takes_what_it_does_not_name() {
    let value = map([
        ("known", true.into()),
        ("x", "y".into()),
        ("packer_debug", true.into()),
    ]);
    let (open, _) = decode::<Open>(&value).expect("there is one");
    assert!(open.known);
    assert_eq!(open.rest.keys().collect::<Vec<_>>(), ["x"]);
    assert!(Open::schema().open);
}

#[test]
fn the_schema_says_what_the_struct_says() {
    let schema = Machine::schema();
    assert_eq!(schema.doc, "A machine to build.\n\nIt has two paragraphs.");
    let password = schema
        .attributes
        .iter()
        .find(|it| it.name == "password")
        .expect("there is one");
    assert!(password.sensitive);
    let boot = schema
        .attributes
        .iter()
        .find(|it| it.name == "boot")
        .expect("there is one");
    assert!(boot.late);
    assert_eq!(boot.ty.to_string(), "list(string)");
    assert!(schema.blocks[1].repeated && !schema.blocks[0].repeated);
}
