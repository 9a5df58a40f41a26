//! The conversation itself: beginning, end, what is not understood, how texts are kept alike.

use serde_json::{Value, json};

use super::client::{Client, behind, place, slice, workspace};

#[test]
fn a_conversation_begins_and_ends_in_order() {
    let root = workspace("order");
    let mut c = Client::bare(&root);
    assert_eq!(c.request("textDocument/hover", json!({})).unwrap_err()["code"], -32002);
    let told = c.request("initialize", json!({ "capabilities": {}, "rootUri": format!("file://{}", root.display()) })).unwrap();
    assert_eq!(told["serverInfo"]["name"], "engine");
    assert_eq!(told["capabilities"]["positionEncoding"], "utf-16");
    for provider in [
        "hoverProvider",
        "definitionProvider",
        "referencesProvider",
        "documentSymbolProvider",
        "documentFormattingProvider",
        "workspaceSymbolProvider",
    ] {
        assert_eq!(told["capabilities"][provider], true, "{provider}");
    }
    assert_eq!(c.request("initialize", json!({ "capabilities": {} })).unwrap_err()["code"], -32600);
    assert_eq!(c.request("shutdown", Value::Null), Ok(Value::Null));
    assert_eq!(c.request("textDocument/hover", json!({})).unwrap_err()["code"], -32600);
    c.notify("exit", Value::Null);
    assert_eq!(c.code(), 0);
}

#[test]
fn an_exit_without_shutdown_and_a_client_that_dies_end_the_process() {
    let mut c = Client::usual("exit");
    c.notify("exit", Value::Null);
    assert_eq!(c.code(), 1);
    let mut c = Client::usual("dies");
    c.stdin = None;
    assert_eq!(c.code(), 1);
    let mut c = Client::usual("dies_later");
    c.request("shutdown", Value::Null).unwrap();
    c.stdin = None;
    assert_eq!(c.code(), 0);
}

#[test]
fn what_is_not_understood_is_told_and_the_conversation_goes_on() {
    let mut c = Client::usual("nonsense");
    c.diagnostics("account.yaml", 0);
    let code = |c: &mut Client, raw: &[u8]| {
        c.send_raw(raw);
        loop {
            let m = c.next_message();
            if m.get("error").is_some() {
                assert_eq!(m["id"], Value::Null);
                return m["error"]["code"].as_i64().unwrap();
            }
        }
    };
    assert_eq!(code(&mut c, b"Content-Length: 5\r\n\r\n{nope"), -32700);
    assert_eq!(code(&mut c, b"Content-Length: 2\r\n\r\n[]"), -32600);
    assert_eq!(code(&mut c, b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc"), -32700);
    assert_eq!(code(&mut c, b"Content-Length: many\r\n\r\n"), -32700);
    assert_eq!(c.request("textDocument/unheardOf", json!({})).unwrap_err()["code"], -32601);
    assert_eq!(c.request("textDocument/hover", json!({ "position": 3 })).unwrap_err()["code"], -32602);
    assert_eq!(c.request("textDocument/hover", json!([1, 2])).unwrap_err()["code"], -32602);
    // Documents that nobody opened, and places that are nowhere.
    let nowhere = json!({ "textDocument": { "uri": "file:///no/such.yaml" }, "position": { "line": 9, "character": 9 } });
    for method in ["hover", "definition", "documentHighlight", "prepareRename", "signatureHelp"] {
        assert_eq!(c.request(&format!("textDocument/{method}"), nowhere.clone()), Ok(Value::Null), "{method}");
    }
    assert_eq!(c.request("textDocument/completion", nowhere).unwrap()["items"], json!([]));
    let far = json!({ "textDocument": { "uri": c.uri("account.yaml") }, "position": { "line": 4_000_000_000u32, "character": 4_000_000_000u32 } });
    assert_eq!(c.request("textDocument/hover", far), Ok(Value::Null));
    c.notify("textDocument/didChange", json!({ "textDocument": { "uri": "file:///no/such.yaml", "version": 2 }, "contentChanges": [] }));
    c.notify("unheard/of", json!({}));
    assert_eq!(c.stop(), 0);
}

#[test]
fn a_request_that_was_taken_back_is_not_answered_with_a_result() {
    let mut c = Client::usual("cancel");
    // All three arrive together, so that the second is known when the first is looked at.
    let one = |v: Value| {
        let t = v.to_string();
        format!("Content-Length: {}\r\n\r\n{t}", t.len())
    };
    let at = json!({ "textDocument": { "uri": c.uri("account.yaml") }, "position": { "line": 0, "character": 0 } });
    let slow = one(json!({ "jsonrpc": "2.0", "id": "slow", "method": "workspace/symbol", "params": { "query": "" } }));
    let hover = one(json!({ "jsonrpc": "2.0", "id": "h", "method": "textDocument/hover", "params": at }));
    let cancel = one(json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "h" } }));
    c.send_raw(format!("{slow}{hover}{cancel}").as_bytes());
    loop {
        let m = c.next_message();
        if m["id"] == "h" {
            assert_eq!(m["error"]["code"], -32800);
            break;
        }
    }
    assert_eq!(c.stop(), 0);
}

#[test]
fn places_are_counted_as_agreed() {
    for (offered, agreed) in
        [(json!(["utf-8", "utf-16"]), "utf-8"), (json!(["utf-32"]), "utf-32"), (json!(["utf-16"]), "utf-16"), (json!([]), "utf-16")]
    {
        let root = workspace(agreed);
        let mut c = Client::bare(&root);
        let params = json!({ "capabilities": { "general": { "positionEncodings": offered } }, "rootUri": c.uri("") });
        assert_eq!(c.request("initialize", params).unwrap()["capabilities"]["positionEncoding"], agreed);
        c.notify("initialized", json!({}));
        let text = c.open("account.yaml");
        // `😀 {lost}` stands behind a character of four bytes and two units.
        let line = text.lines().position(|l| l.contains("😀 {lost}")).unwrap();
        let before = text.lines().nth(line).unwrap().split("lost").next().unwrap();
        let column = match agreed {
            "utf-8" => before.len(),
            "utf-32" => before.chars().count(),
            _ => before.chars().map(char::len_utf16).sum(),
        };
        let at = json!({ "textDocument": { "uri": c.uri("account.yaml") }, "position": { "line": line, "character": column } });
        let hover = c.request("textDocument/hover", at).unwrap();
        assert_eq!(hover["range"]["start"]["character"], column, "{agreed}");
        assert_eq!(hover["range"]["end"]["character"], column + 4, "{agreed}");
    }
}

#[test]
fn edits_in_parts_leave_the_text_that_the_editor_has() {
    let mut c = Client::usual("parts");
    let text = c.open("account.yaml");
    assert!(c.diagnostics("account.yaml", 1).iter().all(|d| d["severity"] != 1), "fine at first");
    // Behind the emoji, so that a wrong count would hit another word.
    let (_, from) = place(&behind(&text, "pass: '😀 {", 0));
    let to = json!({ "line": from["line"], "character": from["character"].as_u64().unwrap() + 4 });
    let version = c.change("account.yaml", json!([{ "range": { "start": from, "end": to }, "text": "lots" }]));
    let found = c.diagnostics("account.yaml", version);
    let text = text.replacen("😀 {lost}", "😀 {lots}", 1);
    let error = found.iter().find(|d| d["code"] == "GR203").expect("an unknown name");
    assert_eq!(slice(&text, &error["range"]), "lots");
    // Several changes at once, each over what the one before it left.
    let (_, end) = place(&behind(&text, "😀 {lots", 0));
    let version = c.change(
        "account.yaml",
        json!([
            { "range": { "start": from, "end": end }, "text": "" },
            { "range": { "start": from, "end": from }, "text": "lo" },
            { "range": { "start": { "line": from["line"], "character": from["character"].as_u64().unwrap() + 2 },
                         "end": { "line": from["line"], "character": from["character"].as_u64().unwrap() + 2 } }, "text": "st" },
        ]),
    );
    assert!(c.diagnostics("account.yaml", version).iter().all(|d| d["severity"] != 1), "mended");
}

#[test]
fn folders_and_files_come_and_go() {
    let mut c = Client::start("folders", json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } }), json!({}));
    c.diagnostics("account.yaml", 0);
    assert!(c.asked.iter().any(|m| m["method"] == "client/registerCapability"), "it asks to be told of changes on disk");
    // A file that appears on disk.
    std::fs::write(c.root.join("new.yaml"), "library: acme_new\nbind: { x: nobody }\n").unwrap();
    // YAML that is no playbook is left alone.
    std::fs::write(c.root.join("ci.yaml"), "jobs: [a, b]\n").unwrap();
    let uri = c.uri("new.yaml");
    c.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 1 }] }));
    assert_eq!(c.diagnostics("new.yaml", 0)[0]["code"], "GR203");
    assert!(!c.published.contains_key(&c.uri("ci.yaml")));
    // And goes again: what was told of it is taken back.
    std::fs::remove_file(c.root.join("new.yaml")).unwrap();
    c.published.clear();
    c.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 3 }] }));
    assert_eq!(c.diagnostics("new.yaml", 0), Vec::<Value>::new());
    // Another folder.
    let other = c.root.join("other folder");
    std::fs::create_dir_all(&other).unwrap();
    let far = std::env::temp_dir().join(format!("engine lsp far {}", std::process::id()));
    std::fs::create_dir_all(&far).unwrap();
    std::fs::write(far.join("far.yaml"), "library: acme_far\nbind: { x: nobody }\n").unwrap();
    let folder = json!({ "uri": format!("file://{}", far.display().to_string().replace(' ', "%20")), "name": "far" });
    c.notify("workspace/didChangeWorkspaceFolders", json!({ "event": { "added": [folder], "removed": [] } }));
    let uri = format!("{}/far.yaml", folder["uri"].as_str().unwrap());
    let until = std::time::Instant::now() + super::client::PATIENCE;
    while !c.published.contains_key(&uri) {
        assert!(std::time::Instant::now() < until);
        c.request("workspace/symbol", json!({ "query": "zz" })).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    std::fs::remove_dir_all(&far).unwrap();
}
