//! Captured bytes for tests.

/// The bytes that stand in `testdata/NAME.hex`. Files without `go_` before their name were captured
/// between a Packer host and a plugin; the others were written with Go's own libraries.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = format!("{}/testdata/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the vector is there");
    hex::decode(text.split_whitespace().collect::<String>()).expect("the vector is hexadecimal")
}
