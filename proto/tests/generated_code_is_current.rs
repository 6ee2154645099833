//! The committed code is what the `.proto` files give.

use std::path::{Path, PathBuf};

const FILES: [&str; 3] = [
    "kiln/plugin/v1/value.proto",
    "kiln/plugin/v1/plugin.proto",
    "kiln/plugin/v1/communicator.proto",
];
const GENERATED: &str = "kiln.plugin.v1.rs";

fn generate(into: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let descriptors = protox::compile(FILES, [root]).expect("the .proto files compile");
    tonic_prost_build::configure()
        .bytes(".")
        .emit_rerun_if_changed(false)
        .out_dir(into)
        .compile_fds(descriptors)
        .expect("code can be generated");
}

#[test]
fn generated_code_is_current() {
    let committed: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/gen")
        .join(GENERATED);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    generate(folder.path());
    let fresh = std::fs::read_to_string(folder.path().join(GENERATED)).expect("code was written");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&committed, &fresh).expect("the committed code can be written");
    }
    let current = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        current == fresh,
        "src/gen/{GENERATED} is not current; run UPDATE_GENERATED=1 cargo test -p plugin-wire"
    );
}
