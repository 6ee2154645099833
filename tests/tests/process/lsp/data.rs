//! Templates in JSON and YAML in an editor.

use anyhow::Result;
use kiln_tests::Kiln;
use serde_json::{Value, json};

use super::client::{Client, uri};
use super::{only, range};

/// Whether all of these are offered.
fn offers(labels: &[String], wanted: &[&str]) -> bool {
    wanted
        .iter()
        .all(|wanted| labels.iter().any(|label| label == wanted))
}

fn snippets(kiln: &Kiln) -> Result<Client> {
    let item = json!({ "completionItem": { "snippetSupport": true } });
    Client::with(kiln, json!({ "textDocument": { "completion": item } }))
}

fn hover(client: &mut Client, path: &std::path::Path, place: (u32, u32)) -> Result<String> {
    let found = client.at("textDocument/hover", path, place)?;
    let text = found["contents"]["value"].as_str();
    Ok(text.unwrap_or_default().to_owned())
}

#[test]
fn keys_and_labels_of_json_are_completed() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("v.pkr.hcl", "variable \"size\" {}\nlocals { disk = 1 }\n");
    kiln.write(
        "s.pkr.json",
        r#"{ "source": { "null": { "other": {} } }, "locals": { "here": 1 } }"#,
    );
    let path = kiln.work().join("new.pkr.json");
    let mut client = Client::new(&kiln)?;
    let mut labels = |text: &str| client.labels(&path, text);
    assert!(offers(
        &labels("{ \"sou|\" }")?,
        &["source", "build", "locals"]
    ));
    assert!(offers(
        &labels("{ \"source\": { \"|\" } }")?,
        &["qemu", "null"]
    ));
    assert!(offers(
        &labels("{ \"build\": { \"provisioner\": [{ \"|\": {} }] } }")?,
        &["shell", "file"]
    ));
    let options =
        labels("{ \"source\": { \"null\": { \"x\": { \"ssh_host\": \"h\", \"|\" } } } }")?;
    assert!(
        offers(&options, &["communicator", "for_each"]),
        "{options:?}"
    );
    assert!(!offers(&options, &["ssh_host"]), "set already");
    let meta = labels("{ \"build\": { \"provisioner\": { \"shell\": {\n  |\n} } } }")?;
    assert!(offers(&meta, &["inline", "pause_before"]), "{meta:?}");
    assert_eq!(
        labels("{ \"build\": { \"sources\": [\"source.|\"] } }")?,
        ["source.null.other"]
    );
    let choices = "{ \"build\": { \"provisioner\": { \"file\": { \"direction\": \"|\" } } } }";
    assert_eq!(labels(choices)?, ["download", "upload"]);
    let locals = labels("{ \"locals\": { \"x\": \"a ${local.|}\" } }")?;
    assert_eq!(locals, ["disk", "here", "x"]);
    assert_eq!(
        labels("{ \"locals\": { \"x\": \"${upper(\\\"a\\\")} ${var.|\" } }")?,
        ["size"]
    );
    assert!(offers(
        &labels("{ \"locals\": { \"x\": \"${up|}\" } }")?,
        &["upper"]
    ));
    assert_eq!(
        labels("{ \"locals\": { \"x\": up| } }")?,
        [""; 0],
        "no code"
    );
    Ok(())
}

#[test]
fn what_is_written_in_json_has_its_quotes_once_and_its_comma() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.work().join("t.pkr.json");
    let mut client = snippets(&kiln)?;
    let text = "{ \"data\": { \"http\": { \"p\": {\n  \"u|\"\n  \"method\": \"GET\"\n} } } }";
    let found = client.completions(&path, text)?;
    let url = only_named(&found, "url");
    assert_eq!(url["textEdit"]["range"], range((1, 2), (1, 5)));
    assert_eq!(url["textEdit"]["newText"], "\"url\": \"$0\",");
    assert_eq!(url["filterText"], "\"url\"");

    let found = client.completions(&path, "{ \"data\": { \"http\": { \"p\": { u| } } } }")?;
    assert_eq!(
        only_named(&found, "url")["textEdit"]["newText"],
        "\"url\": \"$0\""
    );
    let found = client.completions(&path, "{ so| }")?;
    assert_eq!(
        only_named(&found, "source")["textEdit"]["newText"],
        "\"source\": {\n\t\"${1:name}\": {\n\t\t\"${2:name}\": {\n\t\t\t$0\n\t\t}\n\t}\n}"
    );
    let found = client.completions(&path, "{ \"source\": { \"qe|\": {} } }")?;
    assert_eq!(
        only_named(&found, "qemu")["textEdit"]["newText"],
        "\"qemu\""
    );
    Ok(())
}

fn only_named<'a>(found: &'a [Value], name: &str) -> &'a Value {
    let named: Vec<&Value> = found.iter().filter(|one| one["label"] == name).collect();
    assert_eq!(named.len(), 1, "{found:#?}");
    named[0]
}

#[test]
fn legacy_templates_are_completed() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.work().join("t.json");
    let mut client = Client::new(&kiln)?;
    let mut labels = |text: &str| client.labels(&path, text);
    assert!(offers(
        &labels("{ \"buil|\" }")?,
        &["builders", "variables"]
    ));
    assert!(offers(
        &labels("{ \"builders\": [{ \"type\": \"|\" }] }")?,
        &["qemu", "null"]
    ));
    let options = labels("{ \"builders\": [{ \"type\": \"null\", | }] }")?;
    assert!(offers(&options, &["communicator", "name"]), "{options:?}");
    assert!(!offers(&options, &["for_each"]) && !offers(&options, &["type"]));
    let meta = labels("{ \"provisioners\": [{ \"type\": \"shell\",\n  |\n}] }")?;
    assert!(
        offers(&meta, &["inline", "pause_before", "override"]),
        "{meta:?}"
    );
    let names =
        "{ \"builders\": [{ \"type\": \"null\", \"name\": \"n\" }, { \"type\": \"qemu\" }], ";
    assert_eq!(
        labels(&format!(
            "{names}\"provisioners\": [{{ \"only\": [\"|\"] }}] }}"
        ))?,
        ["n", "qemu"]
    );
    assert!(offers(
        &labels("{ \"post-processors\": [\"|\"] }")?,
        &["manifest"]
    ));
    let variables = "{ \"variables\": { \"size\": \"1\" }, \"builders\": [{ \"type\": \"qemu\", ";
    assert_eq!(
        labels(&format!(
            "{variables}\"vm_name\": \"a-{{{{ user `|` }}}}\" }}] }}"
        ))?,
        ["size"]
    );
    let calls = labels(&format!("{variables}\"vm_name\": \"{{{{ iso|\" }}] }}"))?;
    assert!(offers(&calls, &["isotime", "user"]), "{calls:?}");
    Ok(())
}

#[test]
fn yaml_templates_are_completed() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.work().join("t.pkr.yaml");
    let mut client = snippets(&kiln)?;
    let mut labels = |text: &str| client.labels(&path, text);
    assert!(offers(&labels("buil|")?, &["builders", "variables"]));
    assert!(offers(
        &labels("builders:\n  - type: |\n")?,
        &["qemu", "null"]
    ));
    let options = labels("builders:\n  - type: null\n    ssh_host: h\n    |\n")?;
    assert!(offers(&options, &["communicator"]), "{options:?}");
    assert!(!offers(&options, &["ssh_host"]), "set already");
    assert!(offers(
        &labels("builders:\n  - type: \"null\"\n|\n")?,
        &["provisioners"]
    ));
    assert_eq!(
        labels("provisioners:\n  - type: file\n    direction: d|\n")?,
        ["download", "upload"]
    );
    assert_eq!(
        labels("builders:\n- type: null\n  name: n\nprovisioners:\n- only:\n  - |\n")?,
        ["n"]
    );
    assert_eq!(
        labels("variables:\n  size: '1'\nbuilders:\n  - vm_name: \"{{ user `|` }}\"\n")?,
        ["size"]
    );
    let found = client.completions(&path, "provisioners:\n  - type: shell\n    inl|\n")?;
    let inline = only_named(&found, "inline");
    assert_eq!(inline["textEdit"]["range"], range((2, 4), (2, 7)));
    assert_eq!(inline["textEdit"]["newText"], "inline:\n\t- $0");
    Ok(())
}

#[test]
fn variables_of_a_legacy_template_are_told_found_and_renamed() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.work().join("t.pkr.yml");
    let text = "variables:\n  size: '512'\n  secret: hush\nsensitive-variables: [secret]\nbuilders:\n  - \
                type: \"null\"\n    communicator: \"{{ user `size` }}{{user `secret`}}\"\n";
    let mut client = Client::new(&kiln)?;
    client.open(&path, "yaml", text)?;
    let size = hover(&mut client, &path, (6, 32))?;
    assert!(size.contains("size") && size.contains("'512'"), "{size}");
    let secret = hover(&mut client, &path, (6, 50))?;
    assert!(
        secret.contains("sensitive") && !secret.contains("hush"),
        "{secret}"
    );
    assert!(hover(&mut client, &path, (5, 13))?.contains("**null** (builder)"));
    assert!(hover(&mut client, &path, (6, 8))?.contains("**communicator** (string"));
    let found = client.at("textDocument/definition", &path, (6, 32))?;
    let place = json!([{ "uri": uri(&path), "range": range((1, 2), (1, 6)) }]);
    assert_eq!(found, place);
    let params = json!({
        "textDocument": { "uri": uri(&path) },
        "position": { "line": 1, "character": 3 },
        "newName": "mib",
    });
    let edit = client.request("textDocument/rename", params)?;
    let edits = edit["changes"][uri(&path)].as_array().map(Vec::len);
    assert_eq!(edits, Some(2), "{edit}");
    Ok(())
}

#[test]
fn definitions_lead_from_json_to_hcl() -> Result<()> {
    let kiln = Kiln::new();
    let variables = kiln.write("v.pkr.hcl", "variable \"size\" {}\n");
    let text = "{ \"locals\": {\n  \"x\": \"${var.size}\"\n} }\n";
    let path = kiln.write("t.pkr.json", text);
    let mut client = Client::new(&kiln)?;
    client.open(&path, "json", text)?;
    let found = client.at("textDocument/definition", &path, (1, 15))?;
    let place = json!([{ "uri": uri(&variables), "range": range((0, 10), (0, 14)) }]);
    assert_eq!(found, place);
    let symbols = client.request(
        "textDocument/documentSymbol",
        json!({ "textDocument": { "uri": uri(&path) } }),
    )?;
    assert_eq!(symbols[0]["name"], "locals", "{symbols}");
    let format = json!({
        "textDocument": { "uri": uri(&path) },
        "options": { "tabSize": 8, "insertSpaces": false },
    });
    assert_eq!(
        client.request("textDocument/formatting", format)?,
        Value::Null
    );
    Ok(())
}

#[test]
fn yaml_templates_are_checked_by_themselves() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.write("t.pkr.yaml", "");
    let mut client = Client::new(&kiln)?;
    client.open(
        &path,
        "yaml",
        "builders:\n  - type: \"null\"\n    comunicator: none\n",
    )?;
    let problems = client.problems(&path)?;
    let start = &only(&problems)["range"]["start"];
    assert_eq!(*start, json!({ "line": 2, "character": 4 }));
    Ok(())
}
