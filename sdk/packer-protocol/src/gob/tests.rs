use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::{Definition, GobError, MAX_DEPTH, TypeId, Types, Value, decode, encode};

fn types() -> (Types<'static>, TypeId) {
    let mut types = Types::new();
    let list = types.define("[]interface {}", Definition::List(TypeId::INTERFACE));
    let map = Definition::Map(TypeId::STRING, TypeId::INTERFACE);
    let map = types.define("map[string]interface {}", map);
    let opaque = types.define("Opaque", Definition::Opaque);
    let fields = vec![
        ("Number", TypeId::INT),
        ("Count", TypeId::UINT),
        ("Share", TypeId::FLOAT),
        ("Flag", TypeId::BOOL),
        ("Raw", TypeId::BYTES),
        ("Text", TypeId::STRING),
        ("Any", TypeId::INTERFACE),
    ];
    let structure = types.define("Structure", Definition::Struct(fields));
    types.register("list", list);
    types.register("map", map);
    types.register("opaque", opaque);
    types.register("structure", structure);
    types.register("int", TypeId::INT);
    types.register("string", TypeId::STRING);
    (types, structure)
}

/// Contents of an interface.
fn contents() -> impl Strategy<Value = Value<'static>> {
    let interface = |name, value| Value::Interface(name, Box::new(value));
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<i64>().prop_map(move |number| interface("int", Value::Int(number))),
        prop_oneof![Just(""), Just("text"), Just("ä\u{0}\n")]
            .prop_map(move |text| interface("string", Value::String(text))),
        vec(any::<u8>(), 0..300)
            .prop_map(move |bytes| interface("opaque", Value::Opaque(bytes.into()))),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let key = prop_oneof![Just("a"), Just("b"), Just("")].prop_map(Value::String);
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(move |list| interface("list", Value::List(list))),
            vec((key, inner.clone()), 0..6).prop_map(move |map| interface("map", Value::Map(map))),
            (any::<i64>(), any::<f64>(), inner).prop_map(move |(number, share, any)| {
                let fields = vec![
                    ("Number", Value::Int(number)),
                    ("Count", Value::Uint(number.unsigned_abs())),
                    (
                        "Share",
                        Value::Float(if share.is_nan() { 0.5 } else { share }),
                    ),
                    ("Flag", Value::Bool(true)),
                    ("Raw", Value::Bytes(b"raw")),
                    ("Any", any),
                ];
                interface("structure", Value::Struct(fields))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(any in contents(), number in any::<i64>()) {
        let (types, structure) = types();
        let value = Value::Struct(vec![("Number", Value::Int(number)), ("Any", any)]);
        let bytes = encode(&types, structure, &value).expect("the value is of its type");
        prop_assert_eq!(decode(&bytes), Ok(value));
    }

    #[test]
    fn any_bytes_end_in_a_value_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        drop(decode(&bytes));
    }

    #[test]
    fn one_changed_byte_ends_in_a_value_or_an_error(any in contents(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (types, structure) = types();
        let value = Value::Struct(vec![("Any", any)]);
        let mut bytes = encode(&types, structure, &value).expect("the value is of its type");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(decode(&bytes));
    }
}

fn refusal(bytes: &[u8]) -> String {
    decode(bytes).expect_err("the bytes are broken").to_string()
}

#[test]
fn every_cut_is_seen() {
    let (types, structure) = types();
    let value = Value::Struct(vec![
        ("Number", Value::Int(-300)),
        ("Raw", Value::Bytes(b"bytes")),
    ]);
    let bytes = encode(&types, structure, &value).expect("the value is of its type");
    for end in 0..bytes.len() {
        let problem = decode(&bytes[..end]).expect_err("the end is missing");
        assert!(
            matches!(problem, GobError::Truncated { .. }),
            "{end}: {problem}"
        );
    }
}

#[test]
fn a_huge_length_is_refused_at_once() {
    // One list of 2^62 interfaces.
    let mut types = Types::new();
    let list = types.define("", Definition::List(TypeId::INTERFACE));
    let mut bytes = encode(&types, list, &Value::List(Vec::new())).expect("a list");
    bytes.pop();
    bytes.extend([0xf8, 0x40, 0, 0, 0, 0, 0, 0, 0]);
    assert!(
        refusal(&bytes).starts_with("gob data ends at byte"),
        "{}",
        refusal(&bytes)
    );
    // A text of 2^64 - 1 bytes.
    let text = [
        4, 12, 0, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    assert!(
        refusal(&text).starts_with("gob data ends at byte"),
        "{}",
        refusal(&text)
    );
}

#[test]
fn lists_of_themselves_are_refused() {
    let mut types = Types::new();
    let list = types.define("", Definition::List(Types::nth(0)));
    let mut value = Value::List(Vec::new());
    for _ in 1..MAX_DEPTH {
        value = Value::List(vec![value]);
    }
    let bytes = encode(&types, list, &value).expect("as deep as may be");
    assert_eq!(decode(&bytes), Ok(value));
    let deeper = [bytes.as_slice(), &[1; 4000]].concat();
    let end = bytes.len() - 1;
    let mut deeper = deeper;
    deeper[end] = 1;
    assert!(
        refusal(&deeper).contains("nests deeper than 100 levels"),
        "{}",
        refusal(&deeper)
    );
}

#[test]
fn too_many_values_are_refused() {
    let mut types = Types::new();
    let list = types.define("", Definition::List(TypeId::BOOL));
    let many = Value::List(vec![Value::Bool(true); super::MAX_VALUES + 1]);
    let bytes = encode(&types, list, &many).expect("a list");
    assert_eq!(
        decode(&bytes),
        Err(GobError::TooMany {
            limit: super::MAX_VALUES
        })
    );
}

#[test]
fn a_type_that_is_not_defined_is_refused() {
    // Message of 3 bytes: type 70, mark, value.
    assert_eq!(
        refusal(&[4, 0xff, 140, 0, 0]),
        "gob data uses type 70 at byte 4, which it does not define"
    );
}

#[test]
fn the_exit_message_of_any_process_is_read() {
    let definition = "2cff8b0301010f436f6d6d616e6446696e697368656401ff8c000101010a457869745374617475730104000000";
    let check = |value: &str, wanted: Option<i64>| {
        let bytes = hex::decode(format!("{definition}{value}")).expect("hexadecimal");
        let read = decode(&bytes).expect("a message");
        assert_eq!(read.field("ExitStatus"), wanted.map(Value::Int).as_ref());
    };
    check("03ff8c00", None);
    check("05ff8c010e00", Some(7));
    check("07ff8c01fe025800", Some(300));
    check("08ff8c01fd46327400", Some(2_300_218));
}

#[test]
fn a_value_of_another_type_is_not_written() {
    let (types, structure) = types();
    let check = |value: Value<'_>, wanted: &str| {
        let problem = encode(&types, structure, &value).expect_err("it does not fit");
        assert_eq!(problem.to_string(), wanted);
    };
    check(
        Value::Nil,
        "a value cannot be written as gob type 68: a struct is wanted",
    );
    check(
        Value::Struct(vec![("Number", Value::Bool(true))]),
        "a value cannot be written as gob type 2: a number is wanted",
    );
    check(
        Value::Struct(vec![("Nowhere", Value::Int(1))]),
        "a value cannot be written as gob type 68: fields in order is wanted",
    );
    check(
        Value::Struct(vec![(
            "Any",
            Value::Interface("unheard of", Box::new(Value::Nil)),
        )]),
        "a value cannot be written as gob type 8: a registered name is wanted",
    );
}
