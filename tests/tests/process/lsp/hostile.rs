//! What no editor should send.

use anyhow::Result;
use kiln_tests::Kiln;
use serde_json::{Value, json};

use super::client::{Client, uri};

#[test]
fn what_is_no_message_does_not_end_the_session() -> Result<()> {
    let kiln = Kiln::new();
    let mut client = Client::new(&kiln)?;
    client.send_raw(b"garbage\r\n\r\nContent-Length: -3\r\n\r\n\xff\xfe\r\n")?;
    client.send_raw(b"Content-Length: 99999999999999999\r\n\r\n")?;
    assert_eq!(client.message()?["error"]["code"], -32600);
    client.send_raw(b"Content-Length: 3\r\n\r\n{\xff}")?;
    let problem = client.message()?;
    assert_eq!(
        (&problem["id"], &problem["error"]["code"]),
        (&Value::Null, &json!(-32700))
    );
    client.send_raw(b"Content-Length: 2\r\n\r\n[]")?;
    assert_eq!(client.message()?["error"]["code"], -32600);
    let unknown = client.answer("textDocument/inlayHint", json!({}))?;
    assert_eq!(unknown["error"]["code"], -32601);
    let wrong = client.answer("textDocument/hover", json!({ "position": 1 }))?;
    assert_eq!(wrong["error"]["code"], -32602);
    client.notify("textDocument/didOpen", json!([1]))?;
    client.notify("$/what", json!(null))?;
    let unopened = json!({
        "textDocument": { "uri": "file:///nowhere/t.pkr.hcl" },
        "position": { "line": 4294967295_u32, "character": 4294967295_u32 },
    });
    assert_eq!(client.request("textDocument/hover", unopened)?, Value::Null);
    assert_eq!(client.shut_down()?.code(), Some(0));
    Ok(())
}

#[test]
fn a_document_larger_than_any_template_is_refused_and_the_rest_works() -> Result<()> {
    let kiln = Kiln::new();
    let huge = kiln.write("huge.pkr.hcl", "");
    let mut client = Client::new(&kiln)?;
    let line = "locals { x = \"${var.y}\" }\n";
    client.open(&huge, "packer", &line.repeat(50_000_000 / line.len()))?;
    let problems = client.problems(&huge)?;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let message = problems[0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("larger than 16 MiB"), "{message}");
    let found = client.at("textDocument/completion", &huge, (5, 20))?;
    assert_eq!(found.as_array().map(Vec::len), Some(0), "{found}");
    let change = json!([{ "range": { "start": { "line": 9, "character": 0 },
        "end": { "line": 9_999_999, "character": 0 } }, "text": "" }]);
    client.change(&huge, 2, change)?;
    let small = kiln.work().join("small/t.pkr.hcl");
    assert!(
        client
            .labels(&small, "buil|")?
            .contains(&"build".to_owned())
    );
    Ok(())
}

#[test]
fn a_deep_document_is_told_and_does_not_end_the_server() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.write("t.pkr.hcl", "");
    let mut client = Client::new(&kiln)?;
    client.open(&path, "packer", &format!("a = {}", "[".repeat(300_000)))?;
    assert_eq!(client.problems(&path)?.len(), 1);
    client.replace(&path, 2, &"a {\n".repeat(200_000))?;
    assert_eq!(client.problems(&path)?.len(), 1);
    let params = json!({ "textDocument": { "uri": uri(&path) } });
    client.request("textDocument/documentSymbol", params)?;
    assert_eq!(client.shut_down()?.code(), Some(0));
    Ok(())
}

#[test]
fn exit_codes_tell_whether_the_session_ended_properly() -> Result<()> {
    let kiln = Kiln::new();
    let mut client = Client::new(&kiln)?;
    client.notify("exit", Value::Null)?;
    assert_eq!(client.wait()?.code(), Some(1));
    assert_eq!(Client::new(&kiln)?.hang_up()?.code(), Some(1));
    let mut client = Client::start(&kiln)?;
    let early = client.answer("textDocument/hover", json!({}))?;
    assert_eq!(early["error"]["code"], -32002);
    client.request("initialize", json!({ "capabilities": {} }))?;
    client.request("shutdown", Value::Null)?;
    let late = client.answer("textDocument/hover", json!({}))?;
    assert_eq!(late["error"]["code"], -32600);
    client.notify("exit", Value::Null)?;
    assert_eq!(client.wait()?.code(), Some(0));
    Ok(())
}
