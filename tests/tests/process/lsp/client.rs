//! A small client of the Language Server Protocol, which drives the real program.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kiln_tests::Kiln;
use serde_json::{Value, json};

/// The longest that anything is waited for.
const LIMIT: Duration = Duration::from_secs(120);

/// A session with `kiln lsp`.
pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: mpsc::Receiver<Value>,
    /// Problems that were published and not asked for yet, in order.
    published: Vec<Value>,
    next_id: i64,
}

impl Client {
    /// Starts the server and nothing else.
    pub fn start(kiln: &Kiln) -> Result<Self> {
        let mut command = Command::new(kiln_tests::kiln::program_folder().join("kiln"));
        command.arg("lsp").arg("--stdio");
        kiln.surround(&mut command);
        let mut child = command
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the server")?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("no standard output")?;
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            input,
            messages,
            published: Vec::new(),
            next_id: 0,
        })
    }

    /// Starts the server and agrees with it on these capabilities.
    pub fn with(kiln: &Kiln, capabilities: Value) -> Result<Self> {
        let mut client = Self::start(kiln)?;
        let params = json!({ "processId": null, "rootUri": null, "capabilities": capabilities });
        client.request("initialize", params)?;
        client.notify("initialized", json!({}))?;
        Ok(client)
    }

    /// Starts the server and agrees with it on nothing in particular.
    pub fn new(kiln: &Kiln) -> Result<Self> {
        Self::with(kiln, json!({}))
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let input = self.input.as_mut().context("the input was closed")?;
        input.write_all(bytes)?;
        Ok(input.flush()?)
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let text = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes())
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// Sends a request and gives the whole answer, error or result.
    pub fn answer(&mut self, method: &str, params: Value) -> Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let message = self.message()?;
            if message["id"] == json!(id) {
                return Ok(message);
            }
        }
    }

    /// Sends a request and gives its result.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        let mut answer = self.answer(method, params)?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        Ok(answer["result"].take())
    }

    /// The next message; problems are kept.
    pub fn message(&mut self) -> Result<Value> {
        let message = self
            .messages
            .recv_timeout(LIMIT)
            .context("the server says nothing")?;
        if message["method"] == "textDocument/publishDiagnostics" {
            self.published.push(message["params"].clone());
        }
        Ok(message)
    }

    /// Opens a file of the working folder with a text, which need not be that on disk.
    pub fn open(&mut self, path: &Path, language: &str, text: &str) -> Result<()> {
        let document =
            json!({ "uri": uri(path), "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }))
    }

    /// Replaces the whole text of an open file.
    pub fn replace(&mut self, path: &Path, version: i64, text: &str) -> Result<()> {
        self.change(path, version, json!([{ "text": text }]))
    }

    /// Changes an open file.
    pub fn change(&mut self, path: &Path, version: i64, changes: Value) -> Result<()> {
        let document = json!({ "uri": uri(path), "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.notify("textDocument/didChange", params)
    }

    /// Closes a file.
    pub fn close(&mut self, path: &Path) -> Result<()> {
        let params = json!({ "textDocument": { "uri": uri(path) } });
        self.notify("textDocument/didClose", params)
    }

    /// The next problems that are published for a file.
    pub fn problems(&mut self, path: &Path) -> Result<Vec<Value>> {
        let uri = uri(path);
        loop {
            let position = self
                .published
                .iter()
                .position(|one| one["uri"] == uri.as_str());
            if let Some(position) = position {
                let published = self.published.remove(position);
                return Ok(published["diagnostics"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default());
            }
            self.message()?;
        }
    }

    /// Asks about a place: line and column from zero.
    pub fn at(&mut self, method: &str, path: &Path, (line, column): (u32, u32)) -> Result<Value> {
        let mut params = json!({
            "textDocument": { "uri": uri(path) },
            "position": { "line": line, "character": column },
        });
        if method == "textDocument/references" {
            params["context"] = json!({ "includeDeclaration": true });
        }
        self.request(method, params)
    }

    /// What can be written at the cursor, which `|` stands for in `text`. The file is opened with it
    /// first; give each call a file of its own.
    pub fn completions(&mut self, path: &Path, text: &str) -> Result<Vec<Value>> {
        let at = text.find('|').context("no cursor")?;
        let (before, after) = (&text[..at], &text[at + 1..]);
        self.open(path, "packer", &format!("{before}{after}"))?;
        let line = before.matches('\n').count();
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .encode_utf16()
            .count();
        let place = (u32::try_from(line)?, u32::try_from(column)?);
        let found = self.at("textDocument/completion", path, place)?;
        self.close(path)?;
        let mut found = found.as_array().cloned().unwrap_or_default();
        found.sort_by_key(|one| one["sortText"].as_str().map(str::to_owned));
        Ok(found)
    }

    /// The labels of [`Client::completions`], in the order they are shown.
    pub fn labels(&mut self, path: &Path, text: &str) -> Result<Vec<String>> {
        let found = self.completions(path, text)?.into_iter();
        let labels = found.filter_map(|one| one["label"].as_str().map(str::to_owned));
        Ok(labels.collect())
    }

    /// Ends the session as an editor does.
    pub fn shut_down(mut self) -> Result<ExitStatus> {
        self.request("shutdown", Value::Null)?;
        self.notify("exit", Value::Null)?;
        self.wait()
    }

    /// Closes the input.
    pub fn hang_up(mut self) -> Result<ExitStatus> {
        self.input = None;
        self.wait()
    }

    /// Waits for the server's end.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > LIMIT {
                bail!("the server does not end");
            }
            // Its output ends with it, or a message comes; either is waited for.
            drop(self.messages.recv_timeout(Duration::from_millis(20)));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address of a file.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).ok()?;
    serde_json::from_slice(&content).ok()
}
