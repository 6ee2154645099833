//! The language server.

mod client;
mod data;
mod hostile;
mod neovim;

use anyhow::Result;
use kiln_tests::Kiln;
use kiln_tests::kiln::program_folder;
use serde_json::{Value, json};

use client::{Client, uri};

fn range(start: (u32, u32), end: (u32, u32)) -> Value {
    json!({
        "start": { "line": start.0, "character": start.1 },
        "end": { "line": end.0, "character": end.1 },
    })
}

/// The problem, which has to be the only one.
fn only(problems: &[Value]) -> &Value {
    assert_eq!(problems.len(), 1, "{problems:#?}");
    &problems[0]
}

const WRONG: &str =
    "source \"null\" \"a\" {\n  comunicator = \"none\"\n}\nbuild {\n  sources = [\"null.a\"]\n}\n";

#[test]
fn a_wrong_option_is_told_in_its_place_and_is_gone_when_repaired() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.write("t.pkr.hcl", "build {}\n");
    let mut client = Client::new(&kiln)?;
    client.open(&path, "packer", WRONG)?;
    let problems = client.problems(&path)?;
    let problem = only(&problems);
    assert_eq!(problem["range"], range((1, 2), (1, 13)));
    assert_eq!(problem["severity"], 1);
    assert_eq!(problem["source"], "kiln");
    let message = problem["message"].as_str().unwrap_or_default();
    assert!(message.contains("communicator"), "{message}");

    let insert = json!([{ "range": range((1, 5), (1, 5)), "text": "m" }]);
    client.change(&path, 2, insert)?;
    assert_eq!(client.problems(&path)?, Vec::<Value>::new());

    client.replace(&path, 3, "build {\n")?;
    assert_eq!(client.problems(&path)?.len(), 1);
    client.close(&path)?;
    assert_eq!(client.problems(&path)?, Vec::<Value>::new());
    assert_eq!(client.shut_down()?.code(), Some(0));
    // No plugin ran, so there is no folder of a run.
    assert!(!kiln.root().join("home/.local/state/kiln/runs").exists());
    Ok(())
}

#[test]
fn the_whole_folder_is_checked_with_open_files_before_those_on_disk() -> Result<()> {
    let kiln = Kiln::new();
    let build = "build {\n  sources = [\"null.a\"]\n}\nlocals { x = var.missing }\n";
    let first = kiln.write("a.pkr.hcl", build);
    let second = kiln.write("b.pkr.hcl", "");
    let mut client = Client::with(
        &kiln,
        json!({ "textDocument": { "publishDiagnostics": { "relatedInformation": true } } }),
    )?;
    client.open(&first, "packer", build)?;
    assert_eq!(client.problems(&first)?.len(), 2, "no source, no variable");
    let text = "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nvariable \"missing\" {}\n";
    client.open(&second, "packer", text)?;
    assert_eq!(
        client.problems(&first)?,
        Vec::<Value>::new(),
        "unset is no error"
    );

    client.replace(&second, 2, &format!("{text}variable \"missing\" {{}}\n"))?;
    let problems = client.problems(&second)?;
    let related = &only(&problems)["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], uri(&second));
    assert_eq!(related["location"]["range"]["start"]["line"], 3);
    Ok(())
}

#[test]
fn a_word_that_an_option_does_not_take_is_told_without_the_plugin() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.write("t.pkr.hcl", "");
    let mut client = Client::new(&kiln)?;
    let text = "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.a\"]\n  \
         provisioner \"file\" {\n    source = \"a\"\n    destination = \"b\"\n    direction = \"dowload\"\n  }\n}\n";
    client.open(&path, "packer", text)?;
    let problems = client.problems(&path)?;
    let problem = only(&problems);
    assert_eq!(problem["range"], range((8, 16), (8, 25)));
    let message = problem["message"].as_str().unwrap_or_default();
    assert!(message.contains("Did you mean `download`?"), "{message}");
    Ok(())
}

#[test]
fn positions_count_utf16_or_bytes_as_agreed() -> Result<()> {
    let text = "variable \"x\" {\n  default = \"😀é\" + nothing\n}\n";
    for (encodings, expected) in [
        (json!(["utf-16"]), ((1, 20), (1, 27))),
        (json!(["utf-8", "utf-16"]), ((1, 23), (1, 30))),
    ] {
        let kiln = Kiln::new();
        let path = kiln.write("t.pkr.hcl", "");
        let general = json!({ "general": { "positionEncodings": encodings } });
        let mut client = Client::with(&kiln, general)?;
        client.open(&path, "packer", text)?;
        let problems = client.problems(&path)?;
        let found = problems
            .iter()
            .any(|one| one["range"] == range(expected.0, expected.1));
        assert!(found, "{problems:#?}");
    }
    Ok(())
}

#[test]
fn values_are_checked_against_the_template_above_them() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", "variable \"size\" {\n  type = number\n}\n");
    let path = kiln.write("values/big.pkrvars.hcl", "");
    let mut client = Client::new(&kiln)?;
    client.open(&path, "packer", "size = \"five\"\nsiez = 2\n")?;
    let problems = client.problems(&path)?;
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert_eq!(problems[0]["range"], range((0, 7), (0, 13)));
    assert_eq!(problems[1]["severity"], 2);
    assert_eq!(client.labels(&path, "|")?, ["size"]);
    Ok(())
}

#[test]
fn json_templates_are_checked_when_they_are_called_templates() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.write("t.json", "{}");
    let text =
        "{\n  \"builders\": [{\n    \"type\": \"null\", \"comunicator\": \"none\"\n  }]\n}\n";
    let mut client = Client::new(&kiln)?;
    client.open(&path, "packer", text)?;
    let problems = client.problems(&path)?;
    assert_eq!(
        only(&problems)["range"]["start"],
        json!({ "line": 2, "character": 20 })
    );
    let other = kiln.write("j/t.pkr.json", "{}");
    client.open(&other, "json", "{ \"sorce\": {} }\n")?;
    assert_eq!(client.problems(&other)?.len(), 1);
    Ok(())
}

#[test]
fn half_typed_text_is_completed() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "v.pkr.hcl",
        "variable \"size\" {\n  default = 1\n}\nlocals { disk = 2 }\ndata \"http\" \"page\" { url = \"\" }\nsource \"null\" \"other\" {}\n",
    );
    let path = kiln.work().join("new.pkr.hcl");
    let mut client = Client::new(&kiln)?;
    let mut labels = |text: &str| client.labels(&path, text);
    assert!(labels("sour|")?.contains(&"source".to_owned()));
    assert!(labels("source \"|")?.contains(&"qemu".to_owned()));
    assert!(labels("build {\n  provisioner \"|\" {\n  }\n}\n")?.contains(&"shell".to_owned()));
    assert!(labels("data \"|\n")?.contains(&"http".to_owned()));
    let options = labels("source \"null\" \"x\" {\n  ssh_host = \"h\"\n  |\n")?;
    assert!(options.contains(&"communicator".to_owned()), "{options:?}");
    assert!(!options.contains(&"ssh_host".to_owned()), "set already");
    let meta = labels("build {\n  provisioner \"shell\" {\n    pa|\n")?;
    assert!(meta.contains(&"pause_before".to_owned()) && meta.contains(&"inline".to_owned()));
    assert_eq!(labels("locals {\n  x = var.|\n")?, ["size"]);
    assert_eq!(labels("locals {\n  x = \"a ${local.|\n")?, ["disk", "x"]);
    assert_eq!(
        labels("locals {\n  x = data.http.page.b|\n")?
            .first()
            .map(String::as_str),
        Some("body")
    );
    assert_eq!(
        labels("build {\n  sources = [\"source.|\n}\n")?,
        ["source.null.other"]
    );
    assert!(labels("locals {\n  x = up|\n")?.contains(&"upper".to_owned()));
    assert!(labels("locals { x = path.| }")?.contains(&"root".to_owned()));
    let choices = labels("build {\n  provisioner \"file\" {\n    direction = \"|\"\n  }\n}\n")?;
    assert_eq!(choices, ["download", "upload"]);
    assert_eq!(labels("# sour|")?, [""; 0]);
    Ok(())
}

#[test]
fn required_options_come_first_and_only_what_is_typed_is_replaced() -> Result<()> {
    let kiln = Kiln::new();
    let path = kiln.work().join("t.pkr.hcl");
    let mut client = Client::with(
        &kiln,
        json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } }),
    )?;
    let text = "data \"http\" \"p\" {\n  # 😀\n  u|\n}\n";
    let found = client.completions(&path, text)?;
    assert_eq!(found[0]["label"], "url", "{:#?}", found[0]);
    assert_eq!(found[0]["textEdit"]["range"], range((2, 2), (2, 3)));
    assert_eq!(found[0]["textEdit"]["newText"], "url = \"$0\"");
    assert_eq!(found[0]["insertTextFormat"], 2);
    assert!(
        found[0]["detail"]
            .as_str()
            .unwrap_or_default()
            .contains("required")
    );
    let found = client.completions(&path, "locals { x = uppe| }")?;
    let upper = found.iter().find(|one| one["label"] == "upper");
    assert_eq!(
        upper.map(|one| &one["detail"]),
        Some(&json!("upper(str: string) -> string"))
    );
    Ok(())
}

const TEMPLATE: &str = "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.a\"]\n  provisioner \"shell-local\" {\n    inline = [\"echo ${var.secret} ${upper(local.name)}\"]\n  }\n}\n";

fn opened(kiln: &Kiln) -> Result<(Client, std::path::PathBuf, std::path::PathBuf)> {
    let declared = "variable \"secret\" {\n  description = \"Who knows\"\n  default     = \"hush-hush\"\n  sensitive   = true\n}\nlocals {\n  name = \"n\"\n}\n";
    let variables = kiln.write("variables.pkr.hcl", declared);
    let path = kiln.write("t.pkr.hcl", TEMPLATE);
    let mut client = Client::new(kiln)?;
    client.open(&path, "packer", TEMPLATE)?;
    Ok((client, path, variables))
}

#[test]
fn hover_says_what_it_is_and_no_secret() -> Result<()> {
    let kiln = Kiln::new();
    let (mut client, path, _) = opened(&kiln)?;
    let mut hover = |place: (u32, u32)| -> Result<String> {
        let found = client.at("textDocument/hover", &path, place)?;
        Ok(found["contents"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    };
    let variable = hover((6, 28))?;
    assert!(
        variable.contains("Who knows") && variable.contains("sensitive"),
        "{variable}"
    );
    assert!(!variable.contains("hush"), "{variable}");
    assert!(hover((6, 40))?.contains("upper(str: string)"));
    assert!(hover((6, 48))?.contains("name = \"n\"") || hover((6, 48))?.contains("value = \"n\""));
    assert!(hover((1, 4))?.contains("**communicator** (string"));
    assert!(hover((0, 9))?.contains("**null** (builder)"));
    assert!(hover((4, 4))?.contains("**sources**"));
    Ok(())
}

#[test]
fn definitions_references_and_renames_go_across_files() -> Result<()> {
    let kiln = Kiln::new();
    let (mut client, path, variables) = opened(&kiln)?;
    let found = client.at("textDocument/definition", &path, (6, 28))?;
    let expected = json!([{ "uri": uri(&variables), "range": range((0, 10), (0, 16)) }]);
    assert_eq!(found, expected);
    let found = client.at("textDocument/definition", &path, (4, 20))?;
    assert_eq!(
        found,
        json!([{ "uri": uri(&path), "range": range((0, 15), (0, 16)) }])
    );
    let found = client.at("textDocument/references", &path, (6, 49))?;
    let places: Vec<&Value> = found
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["range"])
        .collect();
    assert_eq!(places, [&range((6, 2), (6, 6)), &range((6, 48), (6, 52))]);
    let params = json!({
        "textDocument": { "uri": uri(&path) },
        "position": { "line": 0, "character": 15 },
        "newName": "b",
    });
    let edit = client.request("textDocument/rename", params)?;
    let edits = &edit["changes"][uri(&path)];
    let ranges: Vec<&Value> = edits
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["range"])
        .collect();
    assert_eq!(ranges, [&range((0, 15), (0, 16)), &range((4, 26), (4, 27))]);
    let params = json!({
        "textDocument": { "uri": uri(&path) },
        "position": { "line": 0, "character": 15 },
        "newName": "no name",
    });
    let refused = client.answer("textDocument/rename", params)?;
    assert_eq!(refused["error"]["code"], -32803);
    Ok(())
}

#[test]
fn symbols_folding_and_formatting_are_those_of_the_open_text() -> Result<()> {
    let kiln = Kiln::new();
    let (mut client, path, _) = opened(&kiln)?;
    let document = json!({ "textDocument": { "uri": uri(&path) } });
    let symbols = client.request("textDocument/documentSymbol", document.clone())?;
    let names: Vec<&Value> = symbols
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["source \"null\" \"a\"", "build"]);
    assert_eq!(
        symbols[1]["children"][1]["name"],
        "provisioner \"shell-local\""
    );
    let folds = client.request("textDocument/foldingRange", document)?;
    assert_eq!(folds.as_array().map(Vec::len), Some(3), "{folds}");

    let format = json!({
        "textDocument": { "uri": uri(&path) },
        "options": { "tabSize": 8, "insertSpaces": false },
    });
    client.replace(
        &path,
        2,
        &TEMPLATE.replace("  communicator =", "communicator  ="),
    )?;
    let edits = client.request("textDocument/formatting", format.clone())?;
    let edit =
        json!([{ "range": range((1, 0), (2, 0)), "newText": "  communicator = \"none\"\n" }]);
    assert_eq!(edits, edit);
    client.replace(&path, 3, "a = [\n")?;
    assert_eq!(
        client.request("textDocument/formatting", format)?,
        Value::Null
    );
    Ok(())
}

#[test]
fn modules_are_completed_and_followed() -> Result<()> {
    let kiln = Kiln::new();
    let inner = kiln.write(
        "base/m.pkr.hcl",
        "variable \"size\" {}\noutput \"disk\" {\n  value = var.size\n}\n",
    );
    let text = "module \"m\" {\n  source = \"./base\"\n  size   = 1\n}\nlocals {\n  x = module.m.disk\n}\n";
    let path = kiln.write("t.pkr.hcl", text);
    let mut client = Client::new(&kiln)?;
    let other = kiln.work().join("u.pkr.hcl");
    kiln.write("t.pkr.hcl", text);
    assert_eq!(
        client.labels(&other, "locals {\n  y = module.m.|\n")?,
        ["disk"]
    );
    client.open(&path, "packer", text)?;
    let found = client.at("textDocument/definition", &path, (5, 16))?;
    assert_eq!(
        found,
        json!([{ "uri": uri(&inner), "range": range((1, 8), (1, 12)) }])
    );
    let found = client.at("textDocument/definition", &path, (2, 3))?;
    assert_eq!(
        found,
        json!([{ "uri": uri(&inner), "range": range((0, 10), (0, 14)) }])
    );
    Ok(())
}

#[test]
fn an_installed_plugin_is_known_to_the_templates_that_need_it() -> Result<()> {
    let kiln = Kiln::new();
    let plugin = program_folder().join("trial_plugin");
    let words = ["plugins", "install", "-path"];
    let words = [
        &words[..],
        &[&*plugin.to_string_lossy()],
        &["example.com/tests/trial"],
    ];
    drop(kiln.run(&words.concat())?.success());
    let path = kiln.work().join("t.pkr.hcl");
    let text = |version: &str, option: &str| {
        format!(
            "packer {{\n  required_plugins {{\n    trial = {{\n      source  = \"example.com/tests/trial\"\n      \
             version = \"{version}\"\n    }}\n  }}\n}}\nsource \"trial\" \"t\" {{\n  {option}\n}}\nbuild {{\n  \
             sources = [\"trial.t\"]\n}}\n"
        )
    };
    let mut client = Client::new(&kiln)?;
    client.open(&path, "packer", &text(">= 0.1.0", "acktions = []"))?;
    let problems = client.problems(&path)?;
    let message = only(&problems)["message"].to_string();
    assert!(message.contains("`actions`"), "{message}");
    client.replace(&path, 2, &text(">= 0.1.0", "actions = []"))?;
    assert_eq!(client.problems(&path)?, Vec::<Value>::new());
    let found = client.at("textDocument/completion", &path, (9, 2))?;
    let found = found.as_array().cloned().unwrap_or_default();
    assert!(
        found.iter().any(|one| one["label"] == "actions"),
        "{found:?}"
    );
    // A version that nobody installed is told where it is asked for.
    client.replace(&path, 3, &text(">= 7.0.0", "actions = []"))?;
    let problems = client.problems(&path)?;
    let message = only(&problems)["message"].to_string();
    assert!(message.contains("example.com/tests/trial"), "{message}");
    assert_eq!(client.shut_down()?.code(), Some(0));
    Ok(())
}
