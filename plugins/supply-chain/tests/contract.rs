//! The contract of plugin processes, kept by this one.

use kiln_sdk_test_kit::process;

#[tokio::test]
async fn the_process_keeps_the_contract() {
    process::check(env!("CARGO_BIN_EXE_kiln-plugin-supply-chain")).await;
}
