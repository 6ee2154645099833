use std::collections::BTreeMap;
use std::time::Duration;

use super::Field;
use crate::{GoDuration, Path, Secret, Value, ValueKind};

fn number(text: &str) -> Value {
    Value::new(ValueKind::Number(text.to_owned()))
}

fn check<T: Field + std::fmt::Debug>(value: &Value, expected: &str) {
    let mut diagnostics = Vec::new();
    let read = T::read(value, &Path::attribute("option"), &mut diagnostics);
    let got = match read {
        Some(read) if diagnostics.is_empty() => format!("{read:?}"),
        Some(_) => "both a value and problems".to_owned(),
        None => diagnostics
            .iter()
            .map(|it| format!("{}: {}", it.path, it.detail))
            .collect(),
    };
    assert_eq!(got, expected, "{value:?}");
}

#[test]
fn text_is_made_of_numbers_and_bools() {
    check::<String>(&"a".into(), "\"a\"");
    check::<String>(&number("10"), "\"10\"");
    check::<String>(&true.into(), "\"true\"");
    check::<String>(&Value::null(), "\"\"");
    check::<String>(
        &Value::empty_map(),
        "option: `option` takes text, not a map.",
    );
}

#[test]
fn bools_are_read_from_words_and_numbers() {
    check::<bool>(&"true".into(), "true");
    check::<bool>(&"0".into(), "false");
    check::<bool>(&number("1"), "true");
    check::<bool>(
        &"yes".into(),
        "option: `option` takes `true` or `false`, not the text `yes`.",
    );
    check::<Option<bool>>(&"".into(), "None");
    check::<Option<bool>>(&"false".into(), "Some(false)");
}

#[test]
fn numbers_are_read_from_text_and_stay_in_range() {
    check::<u16>(&"8000".into(), "8000");
    check::<u16>(&number("1e3"), "1000");
    check::<i64>(&"-3".into(), "-3");
    check::<f64>(&"1.5".into(), "1.5");
    check::<u16>(
        &number("70000"),
        "option: `option` takes a whole number from 0 to 65535, not the number `70000`.",
    );
    check::<u32>(
        &"many".into(),
        "option: `option` takes a whole number from 0 to 4294967295, not the text `many`.",
    );
}

#[test]
fn durations_are_text_or_nanoseconds() {
    check::<Duration>(&"1m30s".into(), "90s");
    check::<Duration>(&number("1000000"), "1ms");
    check::<GoDuration>(&"-1s".into(), "GoDuration { nanos: -1000000000 }");
    check::<Duration>(
        &"10".into(),
        "option: `option` takes a duration, not the text `10`.",
    );
    check::<Duration>(
        &"-1s".into(),
        "option: `option` takes a duration that is not negative, not the text `-1s`.",
    );
}

#[test]
fn one_value_is_a_list_of_one_and_text_is_split_at_commas() {
    check::<Vec<u16>>(&number("1"), "[1]");
    check::<Vec<String>>(&"a,b".into(), "[\"a\", \"b\"]");
    check::<Vec<String>>(&"".into(), "[]");
    check::<Vec<Vec<String>>>(
        &vec![Value::from(vec!["-m".into(), number("512")])].into(),
        "[[\"-m\", \"512\"]]",
    );
}

#[test]
fn every_bad_item_is_reported_with_its_place() {
    check::<Vec<u16>>(
        &vec!["x".into(), number("2"), "y".into()].into(),
        "option[0]: `option[0]` takes a whole number from 0 to 65535, not the text `x`.\
         option[2]: `option[2]` takes a whole number from 0 to 65535, not the text `y`.",
    );
}

#[test]
fn several_maps_are_merged() {
    let first: Value = [("a", "1"), ("b", "2")].into_iter().collect();
    let second: Value = [("b", "3")].into_iter().collect();
    check::<BTreeMap<String, u16>>(&vec![first, second].into(), "{\"a\": 1, \"b\": 3}");
    check::<BTreeMap<String, u16>>(
        &"x".into(),
        "option: `option` takes a map, not the text `x`.",
    );
}

#[test]
fn values_not_known_yet_become_placeholders() {
    check::<String>(&Value::unknown(), "\"<unknown>\"");
    check::<u16>(&Value::unknown(), "0");
    check::<u16>(&"<unknown>".into(), "0");
    check::<bool>(&"<unknown>".into(), "false");
    check::<Duration>(&Value::unknown(), "0ns");
    check::<Vec<String>>(&Value::unknown(), "[]");
    check::<BTreeMap<String, String>>(&Value::unknown(), "{}");
}

#[test]
fn problems_do_not_quote_secrets() {
    check::<Secret<u16>>(
        &"hunter2".into(),
        "option: `option` takes a whole number from 0 to 65535, not a string.",
    );
    check::<Vec<u16>>(
        &Value::from("hunter2").sensitive(),
        "option[0]: `option[0]` takes a whole number from 0 to 65535, not a string.",
    );
    check::<Secret<String>>(&"hunter2".into(), "<sensitive>");
}
