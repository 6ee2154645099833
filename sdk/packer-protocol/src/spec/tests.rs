use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use sdk_config::{Primitive, Type, Value, ValueKind};

use super::{
    Blocks, BlocksShape, Encoding, LabelledShape, Spec, SpecError, from_schema, output_from_schema,
    read_body, to_schema,
};
use crate::testing::vector;
use crate::value::{CtyType, Typed};

fn attribute(name: &str, ty: CtyType, required: bool) -> (String, Spec) {
    let spec = Spec::Attribute {
        name: name.to_owned(),
        ty,
        required,
    };
    (name.to_owned(), spec)
}

fn object(parts: impl IntoIterator<Item = (String, Spec)>) -> Spec {
    Spec::Object(parts.into_iter().collect())
}

fn blocks(name: &str, nested: Spec, range: [u32; 2], shape: BlocksShape) -> Spec {
    Spec::Blocks(Blocks {
        name: name.to_owned(),
        nested: Box::new(nested),
        min: range[0],
        max: range[1],
        shape,
    })
}

/// One required text.
fn simple() -> Spec {
    object([attribute("name", CtyType::String, true)])
}

/// Everything that plugins use.
fn rich() -> Spec {
    let k = || object([attribute("k", CtyType::String, false)]);
    let one = Spec::Block {
        name: "one".to_owned(),
        nested: Box::new(k()),
        required: false,
    };
    object([
        attribute("name", CtyType::String, true),
        attribute("count", CtyType::Number, false),
        attribute("on", CtyType::Bool, false),
        attribute("list", CtyType::list(CtyType::String), false),
        attribute("map", CtyType::map(CtyType::Number), false),
        ("one".to_owned(), one),
        (
            "tag".to_owned(),
            blocks("tag", k(), [0, 0], BlocksShape::List),
        ),
    ])
}

fn check_read(name: &str, encoding: Encoding, wanted: &Spec) {
    let read = Spec::decode(&vector(name), encoding).expect("a captured description");
    assert_eq!(&read, wanted, "{name}");
    let again = read.encode(encoding).expect("what was read can be written");
    assert_eq!(
        &Spec::decode(&again, encoding).expect("what was written"),
        wanted
    );
}

#[test]
fn captured_descriptions_are_read() {
    check_read("spec_name.gob", Encoding::Gob, &simple());
    check_read("spec_name_definitions_first.gob", Encoding::Gob, &simple());
    check_read("spec_name.protobuf", Encoding::Protobuf, &simple());
    check_read("spec_rich.gob", Encoding::Gob, &rich());
    check_read("spec_rich.protobuf", Encoding::Protobuf, &rich());
    check_read("go_spec_empty.gob", Encoding::Gob, &object([]));
}

#[test]
fn what_is_written_is_byte_for_byte_what_go_accepts() {
    let check = |name: &str, encoding| {
        let written = simple().encode(encoding).expect("a description");
        assert_eq!(hex::encode(written), hex::encode(vector(name)));
    };
    check("spec_name_definitions_first.gob", Encoding::Gob);
    check("spec_name.protobuf", Encoding::Protobuf);
    let empty = object([])
        .encode(Encoding::Protobuf)
        .expect("a description");
    assert_eq!(empty, [0x0a, 0]);
}

#[test]
fn every_kind_that_go_writes_is_read() {
    let x = |ty| object([attribute("x", ty, false)]);
    let types = BTreeMap::from([
        ("a".to_owned(), CtyType::String),
        ("b".to_owned(), CtyType::list(CtyType::Number)),
    ]);
    let optional = CtyType::Object {
        attributes: types,
        optional: ["b".to_owned()].into(),
    };
    let fixed = Typed {
        ty: CtyType::object(BTreeMap::from([
            ("n".to_owned(), CtyType::Number),
            ("z".to_owned(), CtyType::String),
        ])),
        value: [
            ("n", Value::new(ValueKind::Number("1.5".to_owned()))),
            ("z", Value::null()),
        ]
        .into_iter()
        .collect(),
    };
    let none = Typed {
        ty: CtyType::String,
        value: Value::from("none"),
    };
    let set = CtyType::Set(Box::new(CtyType::map(CtyType::String)));
    let deeper = x(CtyType::map(CtyType::Number));
    let deeper = blocks("deeper", deeper, [2, 0], BlocksShape::List);
    let wanted = object([
        attribute("object", optional, false),
        attribute(
            "tuple",
            CtyType::Tuple(vec![CtyType::String, CtyType::Bool]),
            false,
        ),
        attribute("set", set, false),
        attribute(
            "lists",
            CtyType::list(CtyType::list(CtyType::String)),
            false,
        ),
        (
            "blockset".to_owned(),
            blocks("blockset", x(CtyType::Number), [1, 300], BlocksShape::Set),
        ),
        (
            "blockmap".to_owned(),
            Spec::LabelledBlocks {
                name: "blockmap".to_owned(),
                labels: vec!["key".to_owned(), "other".to_owned()],
                nested: Box::new(x(CtyType::Number)),
                shape: LabelledShape::Map,
            },
        ),
        (
            "label".to_owned(),
            Spec::BlockLabel {
                index: 1,
                name: "label".to_owned(),
            },
        ),
        (
            "default".to_owned(),
            Spec::Default {
                primary: Box::new(attribute("default", CtyType::String, false).1),
                default: Box::new(Spec::Literal(none)),
            },
        ),
        (
            "pair".to_owned(),
            Spec::Tuple(vec![
                attribute("first", CtyType::String, false).1,
                attribute("second", CtyType::Bool, false).1,
            ]),
        ),
        ("fixed".to_owned(), Spec::Literal(fixed)),
        (
            "deep".to_owned(),
            Spec::Block {
                name: "deep".to_owned(),
                nested: Box::new(object([("deeper".to_owned(), deeper)])),
                required: true,
            },
        ),
    ]);
    check_read("go_spec_all_kinds.gob", Encoding::Gob, &wanted);
}

/// Types that descriptions carry in `encoding`.
fn types(encoding: Encoding) -> impl Strategy<Value = CtyType> {
    let leaf = prop_oneof![
        Just(CtyType::String),
        Just(CtyType::Number),
        Just(CtyType::Bool)
    ];
    leaf.prop_recursive(4, 12, 3, move |inner| {
        let usual = prop_oneof![
            inner.clone().prop_map(CtyType::list),
            inner.clone().prop_map(CtyType::map)
        ];
        if encoding == Encoding::Protobuf {
            return usual.boxed();
        }
        let names = prop::collection::btree_map("[a-c]{0,2}", inner.clone(), 0..3);
        prop_oneof![
            usual,
            inner
                .clone()
                .prop_map(|element| CtyType::Set(Box::new(element))),
            prop::collection::vec(inner, 0..3).prop_map(CtyType::Tuple),
            (names, any::<bool>()).prop_map(|(attributes, optional)| CtyType::Object {
                optional: attributes.keys().filter(|_| optional).cloned().collect(),
                attributes,
            }),
        ]
        .boxed()
    })
}

fn specs(encoding: Encoding) -> impl Strategy<Value = Spec> {
    let leaf = ("[a-z_]{0,6}", types(encoding), any::<bool>())
        .prop_map(|(name, ty, required)| attribute(&name, ty, required).1);
    let part = leaf.prop_recursive(4, 40, 5, move |inner| {
        let parts = prop::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..4);
        let nested = parts.prop_map(Spec::Object);
        let one =
            ("[a-z]{0,4}", nested.clone(), any::<bool>()).prop_map(|(name, nested, required)| {
                Spec::Block {
                    name,
                    nested: Box::new(nested),
                    required,
                }
            });
        let many = ("[a-z]{0,4}", nested.clone())
            .prop_map(|(name, nested)| blocks(&name, nested, [0, 0], BlocksShape::List));
        if encoding == Encoding::Protobuf {
            return prop_oneof![one, many].boxed();
        }
        let set = ("[a-z]{0,4}", nested, any::<u32>(), any::<u32>()).prop_map(
            |(name, nested, min, max)| blocks(&name, nested, [min, max], BlocksShape::Set),
        );
        let default = (inner.clone(), inner.clone()).prop_map(|(primary, default)| Spec::Default {
            primary: Box::new(primary),
            default: Box::new(default),
        });
        let tuple = prop::collection::vec(inner, 0..3).prop_map(Spec::Tuple);
        prop_oneof![one, many, set, default, tuple].boxed()
    });
    prop::collection::btree_map("[a-z_]{0,8}", part, 0..6).prop_map(Spec::Object)
}

proptest! {
    #[test]
    fn gob_keeps_every_description(spec in specs(Encoding::Gob)) {
        let bytes = spec.encode(Encoding::Gob).expect("gob has a form for it");
        prop_assert_eq!(Spec::decode(&bytes, Encoding::Gob).expect("it was just written"), spec);
    }

    #[test]
    fn protobuf_keeps_every_description(spec in specs(Encoding::Protobuf)) {
        let bytes = spec.encode(Encoding::Protobuf).expect("protobuf has a form for it");
        prop_assert_eq!(Spec::decode(&bytes, Encoding::Protobuf).expect("it was just written"), spec);
    }

    #[test]
    fn one_changed_byte_gives_a_description_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for (name, encoding) in [("spec_rich.gob", Encoding::Gob), ("spec_rich.protobuf", Encoding::Protobuf)] {
            let mut bytes = vector(name);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            drop(Spec::decode(&bytes, encoding));
        }
    }
}

#[test]
fn descriptions_that_nest_without_end_are_refused() {
    let mut spec = simple();
    for _ in 0..40 {
        spec = object([(
            "deep".to_owned(),
            Spec::Block {
                name: "deep".to_owned(),
                nested: Box::new(spec),
                required: false,
            },
        )]);
    }
    for encoding in [Encoding::Gob, Encoding::Protobuf] {
        let problem = match spec.encode(encoding) {
            Ok(bytes) => Spec::decode(&bytes, encoding).expect_err("too deep"),
            Err(problem) => problem,
        };
        let deep = matches!(
            problem,
            SpecError::TooDeep { .. } | SpecError::Gob(_) | SpecError::Protobuf(_)
        );
        assert!(deep, "{problem:?}");
    }
}

#[test]
fn what_an_encoding_cannot_say_is_refused() {
    let check = |spec: Spec, encoding, wanted: &str| {
        let problem = spec.encode(encoding).expect_err("there is no form");
        let source = std::error::Error::source(&problem).map(ToString::to_string);
        assert_eq!(source.unwrap_or_else(|| problem.to_string()), wanted);
    };
    let set = CtyType::Set(Box::new(CtyType::String));
    let with = |ty| object([attribute("x", ty, false)]);
    check(
        with(set),
        Encoding::Protobuf,
        "protobuf cannot describe the type `set(string)`",
    );
    check(
        with(CtyType::Dynamic),
        Encoding::Gob,
        "gob cannot carry a value of type `any`",
    );
    check(
        Spec::Tuple(Vec::new()),
        Encoding::Gob,
        "gob cannot describe anything but an object",
    );
    let too_long = Spec::decode(&vec![0; super::MAX_BYTES + 1], Encoding::Gob);
    assert!(matches!(too_long, Err(SpecError::TooLarge { .. })));
}

#[test]
fn a_broken_part_is_named() {
    let check = |hex: &str, wanted: &str| {
        let bytes = hex::decode(hex).expect("hexadecimal");
        let problem = Spec::decode(&bytes, Encoding::Protobuf).expect_err("broken");
        assert_eq!(problem.to_string(), wanted);
    };
    // An attribute `name` without a type, one of an unknown type, and an attribute at the top.
    check(
        "0a140a120a046e616d65120a12080a046e616d651801",
        "the description of options has a part `name` that is without a type",
    );
    check(
        "0a150a130a016e120e120c0a016e12070a050a036374792e",
        "the description of options is broken",
    );
    check(
        "1200",
        "the description of options has a part `` that is no object",
    );
}

#[test]
fn a_description_becomes_kilns_schema() {
    let mut parts = match rich() {
        Spec::Object(parts) => parts,
        other => panic!("{other:?}"),
    };
    parts.extend([attribute("packer_debug", CtyType::Bool, false)]);
    let results = object([attribute("found", CtyType::list(CtyType::String), false)]);
    let schema = to_schema(&Spec::Object(parts), Some(&results)).expect("a body of options");
    let attributes: Vec<String> = schema
        .attributes
        .iter()
        .map(|one| format!("{} {} {} {}", one.name, one.ty, one.required, one.late))
        .collect();
    let wanted = [
        "count number false false",
        "list list(string) false true",
        "map map(number) false false",
        "name string true true",
        "on bool false false",
    ];
    assert_eq!(attributes, wanted);
    let nested: Vec<(&str, bool, usize)> = schema
        .blocks
        .iter()
        .map(|block| {
            (
                block.name.as_str(),
                block.repeated,
                block.schema.attributes.len(),
            )
        })
        .collect();
    assert_eq!(nested, [("one", false, 1), ("tag", true, 1)]);
    assert_eq!(schema.outputs[0].name, "found");
    let text = Type::Primitive(Primitive::String);
    assert_eq!(schema.outputs[0].ty, Type::List(Box::new(text)));
}

#[test]
fn kilns_schema_becomes_a_description_that_both_encodings_carry() {
    let schema = to_schema(&rich(), None).expect("a body of options");
    let spec = from_schema(&schema);
    for encoding in [Encoding::Gob, Encoding::Protobuf] {
        let bytes = spec.encode(encoding).expect("only types that both have");
        assert_eq!(
            Spec::decode(&bytes, encoding).expect("it was just written"),
            spec
        );
    }
    let Spec::Object(parts) = spec else {
        panic!("an object")
    };
    let names: Vec<&str> = parts.keys().map(String::as_str).collect();
    let wanted = [
        "count",
        "list",
        "map",
        "name",
        "on",
        "one",
        "packer_build_name",
        "packer_builder_type",
        "packer_core_version",
        "packer_debug",
        "packer_force",
        "packer_on_error",
        "packer_sensitive_variables",
        "packer_user_variables",
        "tag",
    ];
    assert_eq!(names, wanted);
    let output = output_from_schema(&schema.attributes);
    assert_eq!(
        output.value_type().to_string(),
        "object({count = number, list = list(string), map = map(number), name = string, on = bool})"
    );
}

fn body(entries: &[(&str, Value)]) -> Value {
    entries.iter().cloned().collect()
}

#[test]
fn options_become_the_value_that_the_description_wants() {
    let options = body(&[
        ("name", Value::from(5_u64)),
        ("count", Value::from("7")),
        ("list", Value::from(vec![Value::from(true)])),
        ("one", Value::from(vec![body(&[("k", Value::from("v"))])])),
        (
            "tag",
            Value::from(vec![body(&[]), body(&[("k", Value::unknown())])]),
        ),
    ]);
    let typed = read_body(&rich(), &options).expect("the options fit");
    assert_eq!(typed.ty, rich().value_type());
    let wanted = body(&[
        ("name", Value::from("5")),
        ("count", Value::from(7_u64)),
        ("on", Value::null()),
        ("list", Value::from(vec![Value::from("true")])),
        ("map", Value::null()),
        ("one", body(&[("k", Value::from("v"))])),
        (
            "tag",
            Value::from(vec![
                body(&[("k", Value::null())]),
                body(&[("k", Value::unknown())]),
            ]),
        ),
    ]);
    assert_eq!(typed.value, wanted);
}

#[test]
fn every_problem_of_options_is_told_with_its_place() {
    let options = body(&[
        ("cuont", Value::from(1_u64)),
        ("count", Value::from("many")),
        ("one", Value::from(vec![body(&[]), body(&[])])),
        ("tag", Value::from(vec![body(&[("j", Value::from("v"))])])),
    ]);
    let problems = read_body(&rich(), &options).expect_err("nothing fits");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let wanted = [
        "`count` is not a number",
        "`name` is not set, but it is required",
        "`one` is not one block, but 2 of them",
        "`tag[0].j` is not an option of this component",
        "`cuont` is not an option of this component",
    ];
    assert_eq!(problems, wanted);
}

#[test]
fn rare_kinds_read_their_options() {
    let k = || object([attribute("k", CtyType::String, false)]);
    let spec = object([
        (
            "maps".to_owned(),
            Spec::LabelledBlocks {
                name: "maps".to_owned(),
                labels: vec!["label".to_owned()],
                nested: Box::new(k()),
                shape: LabelledShape::Map,
            },
        ),
        (
            "free".to_owned(),
            Spec::BlockAttributes {
                name: "free".to_owned(),
                element: CtyType::String,
                required: false,
            },
        ),
        (
            "other".to_owned(),
            Spec::Default {
                primary: Box::new(attribute("given", CtyType::String, false).1),
                default: Box::new(Spec::Literal(Typed {
                    ty: CtyType::String,
                    value: Value::from("none"),
                })),
            },
        ),
    ]);
    let options = body(&[
        ("maps", body(&[("a", body(&[("k", Value::from("v"))]))])),
        ("free", body(&[("x", Value::from(1_u64))])),
    ]);
    let typed = read_body(&spec, &options).expect("the options fit");
    let wanted = body(&[
        ("maps", body(&[("a", body(&[("k", Value::from("v"))]))])),
        ("free", body(&[("x", Value::from("1"))])),
        ("other", Value::from("none")),
    ]);
    assert_eq!(typed.value, wanted);
    let schema = to_schema(&spec, None).expect("a body of options");
    assert_eq!(schema.attributes.len(), 2);
    assert!(schema.blocks[0].schema.open);
}
