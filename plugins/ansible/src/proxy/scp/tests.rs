//! Which calls of `scp` are served, and how.

use super::*;
use kiln_sdk::communicator::{Memory, Scripted, Stored};

#[test]
fn copies_of_single_files_are_served_and_nothing_else() {
    let check = |command: &str, expected: Option<Request>| {
        assert_eq!(Request::parse(command), expected, "{command}");
    };
    let sink = |path: &str| Some(Request::Sink(path.to_owned()));
    let source = |path: &str| Some(Request::Source(path.to_owned()));
    check("scp -t /tmp/x", sink("/tmp/x"));
    check("/usr/bin/scp -v -p -t -- /tmp/x", sink("/tmp/x"));
    check("scp -qtd '/tmp/a b'", sink("/tmp/a b"));
    check(r"scp -t '/tmp/it'\''s'", sink("/tmp/it's"));
    check(r#"scp -f "/tmp/a\"b""#, source("/tmp/a\"b"));
    check(r"scp -f /tmp/a\ b", source("/tmp/a b"));
    check("scp -f -- -x", source("-x"));
    check("scp -r -t /tmp/x", None);
    check("scp -t /tmp/*", None);
    check("scp -t $HOME", None);
    check("scp -t /a; reboot", None);
    check("scp -t /a /b", None);
    check("scp -t 'unfinished", None);
    check("scp /a /b", None);
    check("scp -t", None);
    check("scpx -t /a", None);
    check("ls", None);
    check("", None);
}

/// Serves `request`; what the client said and heard.
async fn serve_with(machine: &Memory, request: Request, said: &[u8]) -> (Ending, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut client, input) = duplex(1 << 20);
    let (output, mut heard) = duplex(1 << 20);
    let (errors, _) = duplex(1 << 10);
    client.write_all(said).await.expect("there is room");
    drop(client);
    let streams = Streams {
        input,
        output,
        errors,
    };
    let ending = serve(machine, folder.path(), &request, streams).await;
    let mut all = Vec::new();
    heard.read_to_end(&mut all).await.expect("it is over");
    (ending, all)
}

#[tokio::test]
async fn a_file_comes_with_its_mode_into_a_file_or_a_folder() {
    let machine = Memory::new();
    machine.script("test -d", [Scripted::status(1)]);
    let said = b"T1 0 1 0\nC0755 5 name\nhello\0C0644 1 two\nx\0";
    let (ending, heard) = serve_with(&machine, Request::Sink("/tmp/it's".into()), said).await;
    assert_eq!((ending, heard), (Ending::Status(0), vec![0; 6]));
    let stored = machine.stored();
    assert_eq!(stored["/tmp/it's"], Stored::File(0o644, "x".into()));

    machine.script("test -d '/tmp/folder'", [Scripted::status(0)]);
    let said = b"C0755 5 a b\nhello\0";
    let (ending, _) = serve_with(&machine, Request::Sink("/tmp/folder".into()), said).await;
    assert_eq!(ending, Ending::Status(0));
    let stored = machine.stored();
    assert_eq!(
        stored["/tmp/folder/a b"],
        Stored::File(0o755, "hello".into())
    );
}

#[tokio::test]
async fn a_client_that_lies_gets_an_error_and_nothing_is_written() {
    let check = async |said: &[u8], expected: &str| {
        let machine = Memory::new();
        machine.script("test -d", [Scripted::status(0)]);
        let (ending, heard) = serve_with(&machine, Request::Sink("/tmp".into()), said).await;
        assert_eq!(ending, Ending::Status(1));
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(heard.contains(expected), "{heard:?}");
    };
    check(b"C0644 5 ../../etc/passwd\nhello\0", "protocol error").await;
    check(b"C0644 x name\n", "protocol error").await;
    check(b"rubbish\n", "protocol error").await;
    check(b"C0644 50 name\nhello", "the file ended early").await;
    check(b"D0755 0 name\n", "protocol error").await;
}

#[tokio::test]
async fn what_the_guest_refuses_the_client_hears() {
    let machine = Memory::new();
    machine.script("test -d", [Scripted::status(1)]);
    machine.fail_uploads(1);
    let said = b"C0644 5 name\nhello\0";
    let (ending, heard) = serve_with(&machine, Request::Sink("/x".into()), said).await;
    assert_eq!(ending, Ending::Status(1));
    assert!(String::from_utf8_lossy(&heard).contains("\u{2}scp: cannot reach the machine"));
    let (ending, heard) = serve_with(&machine, Request::Source("/none".into()), b"\0").await;
    assert_eq!(ending, Ending::Status(1));
    assert!(String::from_utf8_lossy(&heard).contains("no such file"));
}

#[tokio::test]
async fn a_file_goes_with_its_size() {
    let machine = Memory::new();
    machine.store("/etc/a b", Stored::File(0o600, "hello".into()));
    let request = Request::Source("/etc/a b".into());
    let (ending, heard) = serve_with(&machine, request, b"\0\0\0").await;
    assert_eq!(ending, Ending::Status(0));
    assert_eq!(heard, b"C0644 5 a b\nhello\0");
}
