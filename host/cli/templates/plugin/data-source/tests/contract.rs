//! The contract of plugin processes, kept by this one.

#[tokio::test]
async fn the_process_keeps_the_contract() {
    kiln_sdk_test_kit::process::check(env!("CARGO_BIN_EXE_kiln-plugin-myplugin")).await;
}
