//! The loop: messages in, answers out. One thread does all the work; another only reads.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::documents::Change;
use super::protocol::{Answer, CANCELLED, DocumentId, Encoding, Error, INVALID_REQUEST, METHOD_NOT_FOUND, NOT_INITIALIZED, Whole, params, path_of};
use super::wire::{self, Incoming};
use super::workspace::{Settings, Workspace, below};
use super::{actions, completion, diagnostics, format, hover, inlay, navigation, outline, pinned, rename, shipped, signature};

/// How long the server waits after an edit before it tells what is wrong: a burst of edits is looked at once.
const PAUSE: Duration = Duration::from_millis(40);
/// How long it waits at most while messages keep coming.
const PATIENCE: Duration = Duration::from_millis(300);

/// How the conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As the protocol says: `shutdown`, then `exit`.
    Orderly,
    /// The client went away, or said `exit` without `shutdown`.
    Abruptly,
}

/// What the client can do, as far as it matters here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// Whether it takes snippets as completions.
    pub snippets: bool,
    /// Whether it asks for the contents of documents that are no files.
    pub contents: bool,
    /// Whether a nested outline is understood.
    pub nested: bool,
    /// Whether it can be asked to watch files.
    pub watches: bool,
}

/// The server.
#[derive(Default)]
pub struct Server {
    /// How columns are counted.
    pub encoding: Encoding,
    /// What the client can do.
    pub client: Client,
    /// The files.
    pub workspace: Workspace,
    /// The incident whose values are shown.
    pub pinned: Option<pinned::Pinned>,
    initialized: bool,
    stopping: bool,
    published: BTreeMap<String, Value>,
    asked: u32,
    /// Since when something has changed that the client was not told of.
    untold: Option<Instant>,
}

/// Serves one client until it goes.
pub fn serve(from: &Receiver<Incoming>, to: &mut impl Write) -> std::io::Result<Ended> {
    let mut server = Server::default();
    let mut queue: VecDeque<Incoming> = VecDeque::new();
    loop {
        // What has come in already is taken together, so that a request that was taken back is seen.
        queue.extend(from.try_iter());
        if server.untold.is_some_and(|since| since.elapsed() > PATIENCE) {
            for message in server.publish() {
                wire::write(to, &message)?;
            }
        }
        let next = match queue.pop_front() {
            Some(m) => m,
            None if server.untold.is_some() => match from.recv_timeout(PAUSE) {
                Ok(m) => m,
                Err(RecvTimeoutError::Timeout) => {
                    for message in server.publish() {
                        wire::write(to, &message)?;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            },
            None => match from.recv() {
                Ok(m) => m,
                Err(_) => break,
            },
        };
        match next {
            Incoming::Request(id, method, params) => {
                let taken_back = |m: &Incoming| matches!(m, Incoming::Notification(n, p) if n == "$/cancelRequest" && p.get("id") == Some(&id));
                let result = if queue.iter().any(taken_back) {
                    Err(Error::new(CANCELLED, "the request was taken back"))
                } else {
                    server.request(&method, &params)
                };
                if let Err(e) = &result {
                    tracing::debug!(method, code = e.code, "{}", e.message);
                }
                wire::write(to, &wire::answer(&id, result))?;
            }
            Incoming::Notification(method, _) if method == "exit" => {
                return Ok(if server.stopping { Ended::Orderly } else { Ended::Abruptly });
            }
            Incoming::Notification(method, params) => {
                for message in server.notification(&method, &params) {
                    wire::write(to, &message)?;
                }
            }
            Incoming::Response => {}
            Incoming::Malformed(e) => wire::write(to, &wire::answer(&Value::Null, Err(e)))?,
        }
    }
    Ok(if server.stopping { Ended::Orderly } else { Ended::Abruptly })
}

#[derive(Deserialize)]
struct Folder {
    uri: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    playbooks: Vec<String>,
    incident: Option<String>,
    shipped: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialize {
    #[serde(default)]
    root_uri: Option<String>,
    #[serde(default)]
    workspace_folders: Option<Vec<Folder>>,
    #[serde(default)]
    initialization_options: Option<Options>,
    #[serde(default)]
    capabilities: Value,
}

#[derive(Deserialize)]
struct Opened {
    uri: String,
    version: i64,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidOpen {
    text_document: Opened,
}

#[derive(Deserialize)]
struct Versioned {
    uri: String,
    version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidChange {
    text_document: Versioned,
    content_changes: Vec<Change>,
}

#[derive(Deserialize)]
struct FoldersEvent {
    added: Vec<Folder>,
    removed: Vec<Folder>,
}

#[derive(Deserialize)]
struct DidChangeFolders {
    event: FoldersEvent,
}

impl Server {
    fn request(&mut self, method: &str, given: &Value) -> Answer {
        match method {
            "initialize" if self.initialized => return Err(Error::new(INVALID_REQUEST, "the server is initialized already")),
            "initialize" => return self.initialize(params(given)?),
            _ if !self.initialized => return Err(Error::new(NOT_INITIALIZED, "the first request is `initialize`")),
            _ if self.stopping => return Err(Error::new(INVALID_REQUEST, "after `shutdown` nothing is answered")),
            "shutdown" => {
                self.stopping = true;
                return Ok(Value::Null);
            }
            _ => {}
        }
        match method {
            "textDocument/completion" => completion::complete(self, &params(given)?),
            "textDocument/hover" => hover::hover(self, &params(given)?),
            "textDocument/signatureHelp" => signature::signature(self, &params(given)?),
            "textDocument/definition" => navigation::definition(self, &params(given)?),
            "textDocument/references" => navigation::references(self, &params(given)?),
            "textDocument/documentHighlight" => navigation::highlight(self, &params(given)?),
            "textDocument/prepareRename" => rename::prepare(self, &params(given)?),
            "textDocument/rename" => rename::rename(self, &params(given)?),
            "textDocument/documentSymbol" => outline::document(self, &params::<Whole>(given)?),
            "workspace/symbol" => outline::workspace(self, &params(given)?),
            "textDocument/formatting" => format::document(self, &params::<Whole>(given)?),
            "textDocument/codeAction" => actions::actions(self, &params(given)?),
            "textDocument/inlayHint" => inlay::hints(self, &params(given)?),
            "workspace/textDocumentContent" => shipped::content(&params::<DocumentId>(given)?),
            "workspace/executeCommand" => pinned::command(self, &params(given)?),
            _ => Err(Error::new(METHOD_NOT_FOUND, format!("there is no method `{method}`"))),
        }
    }

    fn initialize(&mut self, given: Initialize) -> Answer {
        let has = |pointer: &str| given.capabilities.pointer(pointer);
        let yes = |pointer: &str| has(pointer).and_then(Value::as_bool) == Some(true);
        self.client = Client {
            snippets: yes("/textDocument/completion/completionItem/snippetSupport"),
            contents: has("/workspace/textDocumentContent").is_some_and(Value::is_object),
            nested: yes("/textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            watches: yes("/workspace/didChangeWatchedFiles/dynamicRegistration"),
        };
        let encodings: Vec<String> = has("/general/positionEncodings").and_then(|v| Vec::deserialize(v).ok()).unwrap_or_default();
        self.encoding = Encoding::agree(&encodings);
        let folders = given.workspace_folders.unwrap_or_default();
        self.workspace.roots = folders.iter().map(|f| PathBuf::from(path_of(&f.uri))).collect();
        if self.workspace.roots.is_empty() {
            self.workspace.roots.extend(given.root_uri.iter().map(|u| PathBuf::from(path_of(u))));
        }
        let options = given.initialization_options.unwrap_or_default();
        let root = self.workspace.roots.first().cloned();
        self.workspace.settings = Settings { playbooks: below(root.as_ref(), &options.playbooks), no_shipped: options.shipped == Some(false) };
        self.workspace.touch_disk();
        self.pinned = options.incident.and_then(|i| match pinned::Pinned::read(&below(root.as_ref(), &[i])) {
            Ok(pinned) => Some(pinned),
            Err(e) => {
                tracing::warn!("{}", e.message);
                None
            }
        });
        self.initialized = true;
        self.untold = Some(Instant::now());
        Ok(json!({
            "serverInfo": { "name": "engine", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": {
                "positionEncoding": self.encoding.word(),
                "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
                "completionProvider": { "triggerCharacters": [".", "\"", "{", "(", "|", ":", " ", "-", "["], "resolveProvider": false },
                "hoverProvider": true,
                "signatureHelpProvider": { "triggerCharacters": ["(", ","] },
                "definitionProvider": true,
                "referencesProvider": true,
                "documentHighlightProvider": true,
                "renameProvider": { "prepareProvider": true },
                "documentSymbolProvider": true,
                "workspaceSymbolProvider": true,
                "documentFormattingProvider": true,
                "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"] },
                "inlayHintProvider": true,
                "executeCommandProvider": { "commands": [pinned::PIN, pinned::UNPIN] },
                "workspace": {
                    "workspaceFolders": { "supported": true, "changeNotifications": true },
                    "textDocumentContent": { "schemes": [shipped::SCHEME] },
                },
            },
        }))
    }

    fn notification(&mut self, method: &str, given: &Value) -> Vec<Value> {
        if !self.initialized {
            return Vec::new();
        }
        match self.notified(method, given) {
            Ok(messages) => messages,
            Err(e) => {
                tracing::warn!(method, "{}", e.message);
                Vec::new()
            }
        }
    }

    fn notified(&mut self, method: &str, given: &Value) -> Result<Vec<Value>, Error> {
        match method {
            "initialized" if self.client.watches => return Ok(vec![self.watch()]),
            "textDocument/didOpen" => {
                let p: DidOpen = params(given)?;
                self.workspace.documents.open(&p.text_document.uri, p.text_document.version, &p.text_document.text);
                self.workspace.touch();
            }
            "textDocument/didChange" => {
                let p: DidChange = params(given)?;
                let open = self.workspace.documents.change(&p.text_document.uri, p.text_document.version, p.content_changes, self.encoding);
                if !open {
                    return Err(Error::failed(format!("`{}` is not open", p.text_document.uri)));
                }
                self.workspace.touch();
            }
            "textDocument/didClose" => {
                let p: Whole = params(given)?;
                self.workspace.documents.close(&p.text_document.uri);
                self.workspace.touch_disk();
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                if let Some(p) = &mut self.pinned {
                    p.read_again();
                }
                if method != "textDocument/didSave" {
                    self.workspace.touch_disk();
                }
            }
            "workspace/didChangeWorkspaceFolders" => {
                let p: DidChangeFolders = params(given)?;
                let gone: Vec<PathBuf> = p.event.removed.iter().map(|f| PathBuf::from(path_of(&f.uri))).collect();
                self.workspace.roots.retain(|r| !gone.contains(r));
                for folder in p.event.added.iter().map(|f| PathBuf::from(path_of(&f.uri))) {
                    if !self.workspace.roots.contains(&folder) {
                        self.workspace.roots.push(folder);
                    }
                }
                self.workspace.touch_disk();
            }
            _ => return Ok(Vec::new()),
        }
        self.untold.get_or_insert_with(Instant::now);
        Ok(Vec::new())
    }

    /// Asks the client to tell when a file changes.
    fn watch(&mut self) -> Value {
        self.asked = self.asked.saturating_add(1);
        json!({
            "jsonrpc": "2.0", "id": format!("watch-{}", self.asked), "method": "client/registerCapability",
            "params": { "registrations": [{
                "id": "files", "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": [{ "globPattern": "**/*.{yaml,yml}" }] },
            }] },
        })
    }

    /// What the client does not know yet of what is wrong.
    fn publish(&mut self) -> Vec<Value> {
        self.untold = None;
        self.workspace.snapshot();
        let now = diagnostics::all(self);
        let mut out = Vec::new();
        for (uri, params) in &now {
            if self.published.get(uri) != Some(params) {
                out.push(wire::notification("textDocument/publishDiagnostics", params.clone()));
            }
        }
        for uri in self.published.keys().filter(|u| !now.contains_key(*u)) {
            out.push(wire::notification("textDocument/publishDiagnostics", json!({ "uri": uri, "diagnostics": [] })));
        }
        self.published = now;
        out
    }
}
