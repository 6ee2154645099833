use std::collections::BTreeMap;

use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use sdk_config::{Value, ValueKind};

use super::number::{self, Form};
use super::{
    Configs, CoreVariables, CtyType, Element, Typed, ValueError, conform, fill_unknown,
    native_from_msgpack, native_to_msgpack,
};
use crate::Kind;
use crate::testing::vector;

fn number(text: &str) -> Value {
    Value::new(ValueKind::Number(text.to_owned()))
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from(items.into_iter().collect::<Vec<_>>())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect()
}

fn object<const N: usize>(attributes: [(&str, CtyType); N]) -> CtyType {
    let attributes = attributes.into_iter();
    CtyType::object(attributes.map(|(name, ty)| (name.to_owned(), ty)).collect())
}

fn set(element: CtyType) -> CtyType {
    CtyType::Set(Box::new(element))
}

/// The value of the captured answers of a data source.
fn captured() -> Typed {
    Typed {
        ty: object([
            ("count", CtyType::Number),
            ("frac", CtyType::Number),
            ("list", CtyType::list(CtyType::String)),
            ("map", CtyType::map(CtyType::Number)),
            ("name", CtyType::String),
            ("nul", CtyType::String),
            ("on", CtyType::Bool),
            (
                "tup",
                CtyType::Tuple(vec![CtyType::String, CtyType::Number]),
            ),
        ]),
        value: map([
            ("count", number("42")),
            ("frac", number("1.5")),
            ("list", list([Value::from("a"), Value::from("b")])),
            ("map", map([("k", number("1"))])),
            ("name", Value::from("n")),
            ("nul", Value::null()),
            ("on", Value::from(true)),
            ("tup", list([Value::from("a"), number("-1")])),
        ]),
    }
}

#[test]
fn captured_answers_are_read_and_written() {
    let gob = Typed::from_gob(&vector("value_object.gob")).expect("a captured value");
    assert_eq!(gob, captured());
    let msgpack = vector("value_object.msgpack");
    assert_eq!(
        Typed::from_msgpack(&msgpack).expect("a captured value"),
        captured()
    );
    let written = captured().to_msgpack().expect("it is of its type");
    assert_eq!(hex::encode(written), hex::encode(msgpack));
    let written = captured().to_gob().expect("it is of its type");
    assert_eq!(
        Typed::from_gob(&written).expect("it was just written"),
        captured()
    );
}

#[test]
fn captured_gob_values_are_read() {
    let check = |name: &str, ty: CtyType, value: Value| {
        let typed = Typed { ty, value };
        let read = Typed::from_gob(&vector(name)).expect("a captured value");
        assert_eq!(read, typed, "{name}");
        let again = typed.to_gob().expect("it is of its type");
        assert_eq!(Typed::from_gob(&again).expect("it was just written"), typed);
    };
    check("value_string_hi.gob", CtyType::String, Value::from("hi"));
    check("value_number_0.gob", CtyType::Number, number("0"));
    check("value_number_2_5.gob", CtyType::Number, number("-2.5"));
    check(
        "value_null_of_the_empty_object_type.gob",
        object([]),
        Value::null(),
    );
    check("value_empty_object.gob", object([]), Value::empty_map());
    let one = list([Value::from("a")]);
    check("value_set_string_a.gob", set(CtyType::String), one);
}

/// What `go_mixed` holds.
fn mixed() -> Typed {
    Typed {
        ty: object([
            ("set", set(CtyType::Number)),
            ("objects", set(object([("a", CtyType::String)]))),
            ("empty", CtyType::list(CtyType::map(CtyType::Bool))),
            ("nothing", CtyType::list(CtyType::String)),
            ("text", CtyType::String),
            ("tuple", CtyType::Tuple(Vec::new())),
            ("emptyset", set(CtyType::String)),
        ]),
        value: map([
            ("set", list([number("1"), number("3")])),
            ("objects", list([map([("a", Value::from("ä\n\""))])])),
            ("empty", list([])),
            ("nothing", Value::null()),
            ("text", Value::from("x".repeat(300))),
            ("tuple", list([])),
            ("emptyset", list([])),
        ]),
    }
}

/// What `go_numbers` holds.
fn numbers() -> Typed {
    let texts = [
        "0",
        "-129",
        "65536",
        "4611686018427387904",
        "0.1",
        &format!("-0.{}25", "0".repeat(299)),
        &format!("1{}", "0".repeat(300)),
        "0.1",
        "123456789012345678901234567890.125",
        "10000000000000000000000000000000000000000",
        "9223372036854775808",
    ];
    Typed {
        ty: CtyType::Tuple(vec![CtyType::Number; texts.len()]),
        value: list(texts.into_iter().map(number)),
    }
}

#[test]
fn values_that_go_wrote_are_read() {
    for (name, wanted) in [("go_mixed", mixed()), ("go_numbers", numbers())] {
        let bytes = |encoding| vector(&format!("{name}.{encoding}"));
        let gob = Typed::from_gob(&bytes("gob")).expect("a value");
        let msgpack = Typed::from_msgpack(&bytes("msgpack")).expect("a value");
        let json = Typed::from_json(&bytes("json")).expect("a value");
        for mut read in [gob, msgpack, json] {
            // Sets have no order.
            if let ValueKind::Map(entries) = &mut read.value.kind
                && let Some(set) = entries.get_mut("set")
                && let ValueKind::List(items) = &mut set.kind
            {
                items.sort_by_key(|item| format!("{item:?}"));
            }
            assert_eq!(read, wanted, "{name}");
        }
        let gob = wanted.to_gob().expect("it is of its type");
        assert_eq!(Typed::from_gob(&gob).expect("it was just written"), wanted);
    }
    let json = String::from_utf8(vector("go_mixed.json")).expect("text");
    assert_eq!(mixed().to_json().expect("it is known"), json);
    let msgpack = mixed().to_msgpack().expect("it is of its type");
    assert_eq!(
        hex::encode(msgpack),
        hex::encode(vector("go_mixed.msgpack"))
    );
}

#[test]
fn unknown_values_are_read_with_whatever_is_known_of_them() {
    let read = Typed::from_msgpack(&vector("go_unknown.msgpack")).expect("a value");
    let wanted = map([
        ("plain", Value::unknown()),
        ("dynamic", Value::unknown()),
        ("prefix", Value::unknown()),
        ("range", Value::unknown()),
        ("length", Value::unknown()),
    ]);
    assert_eq!(read.value, wanted);
    let again = read
        .to_msgpack()
        .expect("msgpack has a form for unknown values");
    assert_eq!(
        Typed::from_msgpack(&again).expect("it was just written"),
        read
    );
    let gob = read.to_gob().expect_err("gob has none").to_string();
    assert_eq!(gob, "gob cannot carry a value of type `any`");
    let plain = Typed {
        ty: CtyType::String,
        value: Value::unknown(),
    };
    let gob = plain.to_gob().expect_err("gob has none").to_string();
    assert_eq!(gob, "gob cannot carry a value that is not known yet");
    let json = plain.to_json().expect_err("JSON has none").to_string();
    assert_eq!(json, "JSON cannot carry a value that is not known yet");
    // A refined value that is known to be null.
    let null = [
        0x92, 0xc4, 8, b'"', b's', b't', b'r', b'i', b'n', b'g', b'"', 0xc7, 3, 12, 0x81, 1, 0xc3,
    ];
    assert_eq!(
        Typed::from_msgpack(&null).expect("a value").value,
        Value::null()
    );
}

#[test]
fn a_part_of_any_type_has_its_own() {
    let ty = object([("a", CtyType::Dynamic), ("b", CtyType::String)]);
    let bytes = vector("go_inner_dynamic.msgpack");
    let read = Typed::from_msgpack_as(&ty, &bytes).expect("a value");
    let own = object([("a", CtyType::list(CtyType::Bool)), ("b", CtyType::String)]);
    assert_eq!(read.ty, own);
    assert_eq!(
        read.value,
        map([("a", list([Value::from(true)])), ("b", Value::from("x"))])
    );
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ValueError>) -> String {
    let problem = result.expect_err("it is broken");
    let source = std::error::Error::source(&problem).map(|source| format!(": {source}"));
    format!("{problem}{}", source.unwrap_or_default())
}

#[test]
fn broken_msgpack_is_refused() {
    let check = |bytes: &[u8], wanted: &str| {
        assert_eq!(refusal(Typed::from_msgpack(bytes)), wanted);
    };
    let typed = |ty: &str, value: &[u8]| {
        let length = u8::try_from(ty.len()).expect("a short type");
        [&[0x92, 0xc4, length], ty.as_bytes(), value].concat()
    };
    check(&[], "msgpack data has no valid value at byte 0");
    check(
        &[0x93],
        "msgpack data has no valid pair of type and value at byte 1",
    );
    check(
        &typed("\"number\"", &[0xa1, b'x']),
        "`x` is no number that can be carried",
    );
    check(&typed("\"bool\"", &[1]), "the value is not bool");
    check(
        &typed("[\"list\",\"bool\"]", &[0x92, 0xc3, 1]),
        "`[1]` is not bool",
    );
    check(
        &typed("[\"object\",{\"a\":\"bool\"}]", &[0x80]),
        "the value is not object({a = bool})",
    );
    check(
        &typed("\"text\"", &[0xc0]),
        "`\"text\"` is no type of template values",
    );
    // A list of 2^32 - 1 items that are not there.
    check(
        &typed("[\"list\",\"bool\"]", &[0xdd, 0xff, 0xff, 0xff, 0xff]),
        "msgpack data has no valid value at byte 23",
    );
    check(
        &typed("\"string\"", &[0xc0, 0xc0]),
        "msgpack data has no valid end of the value at byte 12",
    );
    let nested = typed("\"dynamic\"", &[]).repeat(super::MAX_DEPTH + 2);
    check(&nested, "values nest deeper than 64 levels");
}

#[test]
fn broken_json_is_refused() {
    let check = |text: &str, wanted: &str| {
        let refusal = refusal(Typed::from_json(text.as_bytes()));
        assert!(refusal.starts_with(wanted), "{refusal}");
    };
    check(
        "{\"value\":,\"type\":\"string\"}",
        "not valid JSON of a template value: expected value",
    );
    check(
        "{\"value\":1}",
        "not valid JSON of a template value: missing field `type`",
    );
    check(
        "{\"value\":{\"a\":[1]},\"type\":[\"map\",\"string\"]}",
        "`a` is not string",
    );
    check(
        "{\"value\":{\"b\":1},\"type\":[\"object\",{}]}",
        "`b` is not expected here",
    );
    check(
        "{\"value\":1e99999999999,\"type\":\"number\"}",
        "`1e99999999999` is no number",
    );
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let ty = format!("{}\"string\"{}", "[\"list\",".repeat(100), "]".repeat(100));
    check(
        &format!("{{\"value\":{deep},\"type\":{ty}}}"),
        "values nest deeper than 64 levels",
    );
    let ty = format!(
        "{}\"string\"{}",
        "[\"list\",".repeat(10_000),
        "]".repeat(10_000)
    );
    check(
        &format!("{{\"value\":null,\"type\":{ty}}}"),
        "not valid JSON of a template value: recursion",
    );
}

#[test]
fn numbers_in_gob_are_goldens_of_go() {
    let check = |text: &str, hex: &str| {
        assert_eq!(
            hex::encode(number::to_big_float(text).expect("a number")),
            hex,
            "{text}"
        );
        let bytes = hex::decode(hex).expect("hexadecimal");
        assert_eq!(number::from_big_float(&bytes).expect("a number"), text);
    };
    check("42", "010a0000004000000006a800000000000000");
    check("1.5", "010a0000003500000001c000000000000000");
    check("0", "010800000040");
    check("-2.5", "010b0000003500000002a000000000000000");
    let refused = |hex: &str| {
        let bytes = hex::decode(hex).expect("hexadecimal");
        refusal(number::from_big_float(&bytes))
    };
    assert_eq!(
        refused("010c00000035"),
        "`infinity` is no number that can be carried"
    );
    for broken in [
        "",
        "02",
        "010a000000400000",
        "010affffffff00000006a800000000000000",
        "010a000000407fffffffa800000000000000",
    ] {
        assert_eq!(
            refused(broken),
            "`a number as bytes` is no number that can be carried"
        );
    }
}

#[test]
fn a_number_has_the_fewest_digits_that_are_it_at_its_precision() {
    // 0.1 at 24, 53 and 64 bits, and 2^100 at 53.
    let check = |hex: &str, wanted: &str| {
        let bytes = hex::decode(hex).expect("hexadecimal");
        assert_eq!(number::from_big_float(&bytes).expect("a number"), wanted);
    };
    check("010a00000018fffffffdcccccd0000000000", "0.1");
    check("010a00000035fffffffdccccccccccccd000", "0.1");
    check("010a00000040fffffffdcccccccccccccccd", "0.1");
    check(
        "010a00000035000000658000000000000000",
        "1267650600228229400000000000000",
    );
}

#[test]
fn numbers_take_the_smallest_exact_form() {
    let check = |text: &str, wanted: Form| {
        assert_eq!(number::form(text).expect("a number"), wanted);
    };
    check("1e3", Form::Int(1000));
    check("-0", Form::Int(0));
    check("9223372036854775807", Form::Int(i64::MAX));
    check(
        "9223372036854775808",
        Form::Float(9_223_372_036_854_775_808.0),
    );
    check("0.5", Form::Float(0.5));
    check("0.1", Form::Text("0.1".to_owned()));
    check(
        "9223372036854775809",
        Form::Text("9223372036854775809".to_owned()),
    );
    for text in [
        "",
        "ten",
        "1_000",
        "NaN",
        "inf",
        "0x10",
        "1e5000",
        "1e99999999999999999999",
    ] {
        assert!(number::form(text).is_err(), "{text}");
    }
}

fn leaf_types() -> impl Strategy<Value = CtyType> {
    prop_oneof![
        Just(CtyType::String),
        Just(CtyType::Number),
        Just(CtyType::Bool)
    ]
}

fn types() -> impl Strategy<Value = CtyType> {
    leaf_types().prop_recursive(3, 12, 3, |inner| {
        let attributes = prop::collection::btree_map("[a-c]{1,2}", inner.clone(), 0..3);
        prop_oneof![
            inner.clone().prop_map(CtyType::list),
            inner.clone().prop_map(CtyType::map),
            inner.clone().prop_map(set),
            prop::collection::vec(inner, 0..3).prop_map(CtyType::Tuple),
            attributes.prop_map(CtyType::object),
        ]
    })
}

fn decimals() -> impl Strategy<Value = String> {
    let float = any::<f64>().prop_filter("finite", |float| float.is_finite());
    prop_oneof![
        any::<i64>().prop_map(|int| int.to_string()),
        float.prop_map(|float| number::float_text(float).expect("it is finite")),
        "-?[1-9][0-9]{0,60}\\.[0-9]{0,40}[1-9]",
    ]
}

/// A value of a type.
fn values_of(ty: CtyType) -> proptest::strategy::BoxedStrategy<Value> {
    let known = match ty {
        CtyType::Dynamic => Just(Value::null()).boxed(),
        CtyType::String => ".{0,40}".prop_map(Value::from).boxed(),
        CtyType::Bool => any::<bool>().prop_map(Value::from).boxed(),
        CtyType::Number => decimals().prop_map(|text| number(&text)).boxed(),
        CtyType::List(element) => prop::collection::vec(values_of(*element), 0..4)
            .prop_map(list)
            .boxed(),
        CtyType::Set(element) => prop::collection::vec(values_of(*element), 0..2)
            .prop_map(list)
            .boxed(),
        CtyType::Map(element) => prop::collection::btree_map(".{0,5}", values_of(*element), 0..4)
            .prop_map(Value::from)
            .boxed(),
        CtyType::Tuple(elements) => {
            let elements: Vec<_> = elements.into_iter().map(values_of).collect();
            elements.prop_map(list).boxed()
        }
        CtyType::Object { attributes, .. } => {
            let (names, types): (Vec<String>, Vec<CtyType>) = attributes.into_iter().unzip();
            let values: Vec<_> = types.into_iter().map(values_of).collect();
            values
                .prop_map(move |values| names.iter().cloned().zip(values).collect())
                .boxed()
        }
    };
    prop_oneof![9 => known, 1 => Just(Value::null())].boxed()
}

fn typed() -> impl Strategy<Value = Typed> {
    types().prop_flat_map(|ty| {
        values_of(ty.clone()).prop_map(move |value| Typed {
            ty: ty.clone(),
            value,
        })
    })
}

proptest! {
    #[test]
    fn every_encoding_keeps_every_value(typed in typed()) {
        let gob = typed.to_gob().expect("it is of its type");
        prop_assert_eq!(&Typed::from_gob(&gob).expect("it was just written"), &typed);
        let msgpack = typed.to_msgpack().expect("it is of its type");
        prop_assert_eq!(&Typed::from_msgpack(&msgpack).expect("it was just written"), &typed);
        let json = typed.to_json().expect("it is known");
        prop_assert_eq!(&Typed::from_json(json.as_bytes()).expect("it was just written"), &typed);
    }

    #[test]
    fn decimals_survive_binary_fractions(text in decimals()) {
        let bytes = number::to_big_float(&text).expect("a number");
        prop_assert_eq!(number::from_big_float(&bytes).expect("it was just written"), text);
    }

    #[test]
    fn one_changed_byte_gives_a_value_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let change = |mut bytes: Vec<u8>| {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        };
        drop(Typed::from_gob(&change(vector("go_mixed.gob"))));
        drop(Typed::from_gob(&change(vector("go_numbers.gob"))));
        drop(Typed::from_msgpack(&change(vector("go_mixed.msgpack"))));
        drop(Typed::from_json(&change(vector("go_mixed.json"))));
        drop(native_from_msgpack(&change(vector("go_mixed.msgpack"))));
    }

    #[test]
    fn plain_data_keeps_what_go_has_types_for(typed in typed()) {
        let exact = |value: &Value| native_from_msgpack(&native_to_msgpack(value));
        let once = exact(&typed.value).expect("it was just written");
        prop_assert_eq!(exact(&once).expect("it was just written"), once);
        prop_assert!(native_to_msgpack(&Value::null()) == [0xc0]);
    }
}

#[test]
fn values_are_converted_as_templates_do() {
    let check = |value: Value, ty: CtyType, wanted: Result<Value, &str>| {
        let converted = conform(&value, &ty).map(|typed| typed.value);
        assert_eq!(
            converted.map_err(|problem| problem.to_string()),
            wanted.map_err(str::to_owned)
        );
    };
    check(number("1e2"), CtyType::String, Ok(Value::from("100")));
    check(Value::from("010"), CtyType::Number, Ok(number("10")));
    check(Value::from("1"), CtyType::Bool, Ok(Value::from(true)));
    check(Value::from(true), CtyType::String, Ok(Value::from("true")));
    check(
        Value::from("maybe"),
        CtyType::Bool,
        Err("the value is not true or false"),
    );
    check(
        Value::from("a").sensitive(),
        CtyType::String,
        Ok(Value::from("a").sensitive()),
    );
    let twice = list([Value::from("a"), Value::from("a")]);
    check(twice, set(CtyType::String), Ok(list([Value::from("a")])));
    let optional = CtyType::Object {
        attributes: BTreeMap::from([
            ("a".to_owned(), CtyType::Bool),
            ("b".to_owned(), CtyType::Bool),
        ]),
        optional: ["b".to_owned()].into(),
    };
    let given = map([("a", Value::from("true")), ("c", number("1"))]);
    let wanted = map([("a", Value::from(true)), ("b", Value::null())]);
    check(given, optional.clone(), Ok(wanted));
    check(map([]), optional, Err("`a` is not set, but it is wanted"));
    let any = conform(&list([number("1")]), &CtyType::Dynamic).expect("any value will do");
    assert_eq!(any.ty, CtyType::Tuple(vec![CtyType::Number]));
}

#[test]
fn unknown_values_are_replaced_by_their_type() {
    let ty = object([
        ("b", CtyType::Bool),
        ("l", CtyType::list(CtyType::String)),
        ("m", CtyType::map(CtyType::String)),
        ("n", CtyType::Number),
        ("o", object([("x", CtyType::String)])),
        ("s", CtyType::String),
    ]);
    let unknown = map([
        ("b", Value::unknown()),
        ("l", Value::unknown()),
        ("m", map([("k", Value::unknown())])),
        ("n", Value::unknown()),
        ("o", Value::unknown()),
        ("s", Value::unknown().sensitive()),
    ]);
    let wanted = map([
        ("b", Value::from(false)),
        ("l", list([])),
        ("m", map([("k", Value::from("<unknown>"))])),
        ("n", number("0")),
        ("o", map([("x", Value::null())])),
        ("s", Value::from("<unknown>").sensitive()),
    ]);
    assert_eq!(fill_unknown(&unknown, &ty), wanted);
}

fn core() -> CoreVariables {
    CoreVariables {
        build_name: "b".to_owned(),
        builder_type: "t".to_owned(),
        core_version: "1.16.0".to_owned(),
        debug: false,
        force: true,
        on_error: "ask".to_owned(),
        template_path: "t.json".to_owned(),
        user_variables: BTreeMap::from([("v".to_owned(), "w".to_owned())]),
        sensitive_variables: vec!["v".to_owned()],
    }
}

/// The list as it arrives on the other side.
fn received(configs: &Configs) -> Configs {
    let elements = configs.0.iter().map(|element| {
        let bytes = element.to_msgpack().expect("nothing in it is unknown");
        Element::from_msgpack(&bytes).expect("it was just written")
    });
    Configs(elements.collect())
}

#[test]
fn options_of_hcl_templates_arrive() {
    let options = Typed {
        ty: object([("name", CtyType::String), ("count", CtyType::Number)]),
        value: map([("name", Value::unknown()), ("count", Value::null())]),
    };
    let overrides = map([("name", Value::from("other"))]);
    let configs = Configs::hcl(Kind::Provisioner, &core(), &options, Some(&overrides));
    assert_eq!(configs.0.len(), 3);
    let got = received(&configs).merge();
    assert!(got.typed && got.facts_to_come.is_empty());
    assert_eq!(got.options, overrides);
    let wanted = CoreVariables {
        template_path: String::new(),
        user_variables: BTreeMap::new(),
        ..core()
    };
    assert_eq!(got.core, wanted);
    let builder = Configs::hcl(Kind::Builder, &core(), &options, None);
    assert_eq!(
        received(&builder).merge().options,
        map([("name", Value::from("<unknown>"))])
    );
    let source = Configs::hcl(Kind::Datasource, &core(), &options, None);
    assert_eq!(source.0.len(), 1);
}

#[test]
fn options_of_json_templates_arrive() {
    let options = map([("name", Value::from("{{user `v`}}")), ("n", number("2"))]);
    let facts = ["SourceAMI".to_owned()];
    let configs = Configs::json(Kind::PostProcessor, &core(), &options, None, &facts);
    let got = received(&configs).merge();
    assert!(!got.typed && got.facts_to_come.contains(&"ID".to_owned()));
    assert_eq!((got.options, got.core), (options.clone(), core()));
    let Some(Element::Native(last)) = configs.0.last() else {
        panic!("the facts come last")
    };
    let fact = last.get("SourceAMI").and_then(Value::as_str);
    let wanted = "Build_SourceAMI. To set this dynamically in the Packer template, you must use the `build` function";
    assert_eq!(fact, Some(wanted));
    let builder = Configs::json(Kind::Builder, &core(), &Value::null(), None, &[]);
    assert_eq!(builder.0.len(), 2);
    assert_eq!(received(&builder).merge().options, map([]));
}

#[test]
fn the_options_of_a_captured_preparation_are_read() {
    let json = concat!(
        r#"{"value":{"count":3,"list":["a"],"map":{"x":1},"name":"n","on":null,"one":{"k":"v"},"tag":[]},"#,
        r#""type":["object",{"count":"number","list":["list","string"],"map":["map","number"],"#,
        r#""name":"string","on":"bool","one":["object",{"k":"string"}],"#,
        r#""tag":["list",["object",{"k":"string"}]]}]}"#,
    );
    let typed = Typed::from_json(json.as_bytes()).expect("a value");
    assert_eq!(typed.value.get("count"), Some(&number("3")));
    assert_eq!(typed.to_json().expect("it is known"), json);
}

#[test]
fn plain_data_is_read_as_go_writes_it() {
    let check = |hex: &str, wanted: Value| {
        let bytes = hex::decode(hex).expect("hexadecimal");
        assert_eq!(native_from_msgpack(&bytes).expect("a value"), wanted);
    };
    // The captured answer of an artifact, and its point in time.
    check(
        "85a54d79566172a176a16e2aa36e6567fda162c4027879a166cb3ff8000000000000",
        map([
            ("MyVar", Value::from("v")),
            ("n", number("42")),
            ("neg", number("-3")),
            ("b", Value::from("xy")),
            ("f", number("1.5")),
        ]),
    );
    check("d7ff000000146553f100", number("1700000000"));
    check("d6ff6553f100", number("1700000000"));
    check("c70cff00000005000000006553f100", number("1700000000"));
    check("ca3fc00000", number("1.5"));
    check("cfffffffffffffffff", number("18446744073709551615"));
}
