use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::private_folder::socket_folder;

/// Starts a shell script as a plugin and gives the error it ends with.
async fn refused(script: &str) -> ClientError {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("kiln-plugin-odd");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let sockets = socket_folder(root.path()).unwrap();
    let folder = PrivateFolder::inside(sockets.path(), &crate::isolation::Isolation::default());
    Process::start(owner_of(path), folder).await.unwrap_err()
}

#[tokio::test]
async fn a_plugin_that_dies_at_once_is_quoted() {
    let error = refused("echo 'cannot find libfoo' >&2; exit 3").await;
    assert_eq!(
        error.report(),
        "plugin `odd` died while it should start: exit status: 3\nIts last log lines:\n  cannot \
         find libfoo"
    );
}

#[tokio::test]
async fn a_plugin_killed_by_a_signal_names_it() {
    let error = refused("kill -9 $$").await;
    assert!(error.to_string().contains("signal: 9"), "{error}");
}

#[tokio::test]
async fn another_line_is_no_handshake() {
    let error = refused("echo hello; cat >/dev/null").await;
    assert_eq!(
        error.report(),
        "plugin `odd` printed a wrong handshake: `hello` is not a handshake: expected value at \
         line 1 column 1"
    );
}

#[tokio::test]
async fn closed_output_is_no_handshake() {
    let error = refused("exec >&-; cat >/dev/null").await;
    assert!(
        error
            .report()
            .ends_with("it closed its standard output without a word"),
        "{error}"
    );
}

#[tokio::test]
async fn a_huge_line_is_no_handshake() {
    let error = refused("head -c 10000000 /dev/zero | tr '\\0' x; echo; cat >/dev/null").await;
    assert!(error.report().len() < 1000);
    assert!(matches!(error, ClientError::BadHandshake { .. }));
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_an_error() {
    let error = refused(
        "printf '{\"kiln_plugin\":1,\"protocol_majors\":[1],\"features\":[],\"socket\":\"%s/x\"}\\n' \
         $KILN_PLUGIN_DIR; cat >/dev/null",
    )
    .await;
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn the_environment_has_cookie_token_and_folder() {
    let error = refused(
        "echo \"${KILN_PLUGIN_COOKIE:+c} ${#KILN_PLUGIN_TOKEN} ${KILN_PLUGIN_DIR##*/}\" >&2; exit 1",
    )
    .await;
    let line = &error.log_tail()[0];
    assert!(line.starts_with("c 64 kiln-"), "{line}");
}

#[tokio::test]
async fn whatever_a_dead_plugin_had_started_ends_with_it() {
    let error = refused("sleep 1000 & echo $! >&2; exit 1").await;
    let pid = error.log_tail()[0].parse().unwrap();
    let pid = Pid::from_raw(pid).unwrap();
    // The signal was sent; the kernel may still be clearing up, or nobody may have waited for it.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let gone = state.map_or(true, |text| !text.contains(") S "));
    assert!(gone);
}
