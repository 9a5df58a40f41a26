//! A client: it starts the program, sends framed messages and reads what comes back.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::path;

/// How long an answer may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server with a workspace of its own.
pub struct Client {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub root: PathBuf,
    messages: Receiver<Value>,
    next: i64,
    /// The last diagnostics of each document.
    pub published: BTreeMap<String, Value>,
    /// Requests of the server.
    pub asked: Vec<Value>,
    versions: BTreeMap<String, i64>,
}

/// The files of `tests/data/lsp` in a folder of their own.
pub fn workspace(name: &str) -> PathBuf {
    let root = std::env::temp_dir().join(format!("engine-lsp-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    for entry in std::fs::read_dir(path("tests/data/lsp")).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, root.join(from.file_name().unwrap())).unwrap();
    }
    std::fs::copy(path("tests/data/incidents/example.json"), root.join("example.json")).unwrap();
    root
}

impl Client {
    /// A server that has not been told anything yet.
    pub fn bare(root: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", root.join(".cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (send, messages) = channel();
        std::thread::spawn(move || {
            let mut from = BufReader::new(stdout);
            while let Some(m) = read(&mut from) {
                if send.send(m).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, root: root.to_owned(), messages, next: 0, published: BTreeMap::new(), asked: Vec::new(), versions: BTreeMap::new() }
    }

    /// A server with this workspace, initialised; `more` goes into the parameters.
    pub fn start(name: &str, capabilities: Value, options: Value) -> Self {
        let root = workspace(name);
        let mut client = Self::bare(&root);
        let folder = json!({ "uri": client.uri(""), "name": "acme" });
        let params = json!({
            "processId": null, "rootUri": null, "capabilities": capabilities,
            "workspaceFolders": [folder], "initializationOptions": options,
        });
        client.request("initialize", params).unwrap();
        client.notify("initialized", json!({}));
        client
    }

    /// As most editors are.
    pub fn usual(name: &str) -> Self {
        let capabilities = json!({ "textDocument": {
            "completion": { "completionItem": { "snippetSupport": true } },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
        }});
        Self::start(name, capabilities, json!({}))
    }

    /// The address of a file of the workspace.
    pub fn uri(&self, file: &str) -> String {
        let root = self.root.to_string_lossy().into_owned();
        if file.is_empty() { format!("file://{root}") } else { format!("file://{root}/{file}") }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The next message, with notifications taken aside.
    pub fn next_message(&mut self) -> Value {
        let m = self.messages.recv_timeout(PATIENCE).expect("the server says something in time");
        assert_eq!(m["jsonrpc"], "2.0");
        m
    }

    fn set_aside(&mut self, m: Value) {
        if m["method"] == "textDocument/publishDiagnostics" {
            let uri = m["params"]["uri"].as_str().unwrap().to_owned();
            self.published.insert(uri, m["params"].clone());
        } else {
            self.asked.push(m);
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let m = self.next_message();
            if m.get("method").is_none() && m["id"] == id {
                return match m.get("error") {
                    Some(e) => Err(e.clone()),
                    None => Ok(m["result"].clone()),
                };
            }
            self.set_aside(m);
        }
    }

    /// The text of a file of the workspace, as it was at the start.
    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.root.join(file)).unwrap()
    }

    /// Opens a file with this text.
    pub fn open_with(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.versions.insert(uri.clone(), 1);
        self.notify("textDocument/didOpen", json!({ "textDocument": { "uri": uri, "languageId": "yaml", "version": 1, "text": text } }));
    }

    pub fn open(&mut self, file: &str) -> String {
        let text = self.text(file);
        self.open_with(file, &text);
        text
    }

    /// Changes an open file, whole or in parts; gives its version.
    pub fn change(&mut self, file: &str, changes: Value) -> i64 {
        let uri = self.uri(file);
        let version = self.versions.entry(uri.clone()).or_insert(1);
        *version += 1;
        let version = *version;
        self.notify("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": changes }));
        version
    }

    /// The diagnostics of a file once those of this version (or any, for 0) were told.
    pub fn diagnostics(&mut self, file: &str, version: i64) -> Vec<Value> {
        let uri = self.uri(file);
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(p) = self.published.get(&uri)
                && (version == 0 || p["version"].as_i64() == Some(version))
            {
                return p["diagnostics"].as_array().unwrap().clone();
            }
            assert!(Instant::now() < until, "no diagnostics of {file}");
            let m = self.next_message();
            self.set_aside(m);
        }
    }

    /// A request about a place: the text with `§` where the cursor is, which becomes the text of the file.
    pub fn ask(&mut self, method: &str, file: &str, marked: &str) -> Result<Value, Value> {
        let (text, position) = place(marked);
        if self.versions.contains_key(&self.uri(file)) {
            self.change(file, json!([{ "text": text }]));
        } else {
            self.open_with(file, &text);
        }
        let uri = self.uri(file);
        self.request(method, json!({ "textDocument": { "uri": uri }, "position": position }))
    }

    /// Ends as an editor does; the exit code.
    pub fn stop(mut self) -> i32 {
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null));
        self.notify("exit", Value::Null);
        self.code()
    }

    /// The exit code, once the program ends by itself.
    pub fn code(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().expect("no signal ended it");
            }
            assert!(Instant::now() < until, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// The text without its mark, and the place of the mark counted in UTF-16.
pub fn place(marked: &str) -> (String, Value) {
    let at = marked.find('§').expect("a mark");
    let before = &marked[..at];
    let line = before.matches('\n').count();
    let column: usize = before.rsplit('\n').next().unwrap().chars().map(char::len_utf16).sum();
    (marked.replacen('§', "", 1), json!({ "line": line, "character": column }))
}

/// A text with the mark behind the `nth` time that some words stand there.
pub fn behind(text: &str, words: &str, nth: usize) -> String {
    let (at, found) = text.match_indices(words).nth(nth).unwrap_or_else(|| panic!("`{words}` stands there"));
    let end = at + found.len();
    format!("{}§{}", &text[..end], &text[end..])
}

/// The text of a range.
pub fn slice(text: &str, range: &Value) -> String {
    let at = |p: &Value| {
        let (line, column) = (p["line"].as_u64().unwrap() as usize, p["character"].as_u64().unwrap() as usize);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = 0;
        let mut end = start;
        for c in text[start..].chars() {
            if units >= column {
                break;
            }
            units += c.len_utf16();
            end += c.len_utf8();
        }
        end
    };
    text[at(&range["start"])..at(&range["end"])].to_owned()
}

/// A text with the edits of a workspace edit for one document.
pub fn edited(text: &str, edits: &[Value]) -> String {
    let mut all: Vec<(usize, usize, String)> = edits
        .iter()
        .map(|e| {
            let upto = |p: &Value| slice(text, &json!({ "start": { "line": 0, "character": 0 }, "end": p })).len();
            (upto(&e["range"]["start"]), upto(&e["range"]["end"]), e["newText"].as_str().unwrap().to_owned())
        })
        .collect();
    all.sort();
    let mut out = text.to_owned();
    for (from, to, new) in all.into_iter().rev() {
        out.replace_range(from..to, &new);
    }
    out
}

/// The labels of a completion.
pub fn labels(answer: &Value) -> Vec<String> {
    answer["items"].as_array().unwrap().iter().map(|i| i["label"].as_str().unwrap().to_owned()).collect()
}

fn read(from: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        length = line.strip_prefix("Content-Length: ").expect("only a length stands in the header").parse().unwrap();
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("standard output carries the protocol alone"))
}
