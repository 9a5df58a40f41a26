//! Whatever is typed, wherever the cursor is: the server answers, in time, and stays.

use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::client::Client;

/// How many edits are made; the long run makes more.
fn edits() -> usize {
    std::env::var("ENGINE_LSP_EDITS").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

/// How long one answer may take, in a build that is not optimised, on a machine that does other things too.
const BOUND_SECONDS: u64 = 20;

#[test]
fn random_edits_never_stop_the_server() {
    let seed = std::env::var("ENGINE_LSP_SEED").ok().and_then(|n| n.parse::<u8>().ok()).unwrap_or(7);
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let mut rng = runner.new_rng();
    let mut next = |below: usize| -> usize { (proptest::prelude::Rng::next_u32(&mut rng) as usize) % below.max(1) };
    let mut c = Client::usual("wild");
    c.request("workspace/executeCommand", json!({ "command": "engine.pinIncident", "arguments": ["example.json"] })).unwrap();
    let files = ["account.yaml", "people.yaml", "signals.yaml", "overlay.yaml", "lists.yaml"];
    let mut texts: Vec<String> = files.iter().map(|f| c.open(f)).collect();
    let pieces = [
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "\n",
        "\n  ",
        "- ",
        "|",
        "|u| ",
        ".",
        "user.",
        "(",
        ")",
        "&& ",
        "{user}",
        "#",
        "\u{1F600}",
        "é",
        "\u{0}",
        "\t",
        "`${",
        "lists.",
        "*a",
        "!x",
        "---\n",
        "users.filter(|u| u.",
        "has_signal(\"",
        "\r\n",
        "..",
        "''",
        "\\",
        "\u{2028}",
    ];
    let mut slowest = 0;
    for n in 0..edits() {
        let which = next(files.len());
        let text = &mut texts[which];
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let at = if chars.is_empty() { 0 } else { chars[next(chars.len())].0 };
        let removed: usize = text[at..].chars().take(next(4) * next(8)).map(char::len_utf8).sum();
        let piece = pieces[next(pieces.len())];
        let position = |t: &str, b: usize| {
            let before = &t[..b];
            let column: usize = before.rsplit('\n').next().unwrap().chars().map(char::len_utf16).sum();
            json!({ "line": before.matches('\n').count(), "character": column })
        };
        let range = json!({ "start": position(text, at), "end": position(text, at + removed) });
        // A place between the two characters of a line end is no place for a client.
        if text[at..].starts_with('\n') && text[..at].ends_with('\r') || text[..at + removed].ends_with('\r') {
            continue;
        }
        text.replace_range(at..at + removed, piece);
        let cursor = position(text, at + piece.len());
        let (text, file) = (text.clone(), files[which]);
        c.change(file, json!([{ "range": range, "text": piece }]));
        let uri = c.uri(file);
        let place = json!({ "textDocument": { "uri": uri }, "position": cursor, "newName": "renamed", "context": { "includeDeclaration": true, "diagnostics": [] } });
        let whole = json!({ "textDocument": { "uri": uri }, "options": {}, "range": { "start": { "line": 0, "character": 0 }, "end": cursor }, "context": { "diagnostics": [] } });
        for (method, params) in [
            ("completion", &place),
            ("hover", &place),
            ("definition", &place),
            ("references", &place),
            ("documentHighlight", &place),
            ("signatureHelp", &place),
            ("prepareRename", &place),
            ("rename", &place),
            ("documentSymbol", &whole),
            ("inlayHint", &whole),
            ("codeAction", &whole),
            ("formatting", &whole),
        ] {
            let start = Instant::now();
            if let Err(e) = c.request(&format!("textDocument/{method}"), params.clone()) {
                assert_eq!(e["code"], -32803, "edit {n}, {method} on {text:?}: {e}");
            }
            let took = start.elapsed();
            slowest = slowest.max(took.as_millis());
            assert!(took.as_secs() < BOUND_SECONDS, "edit {n}, {method} took {took:?} on {text:?}");
        }
        // Now and then from the beginning, so that texts do not rot away.
        if n % 25 == 24 {
            for (f, t) in files.iter().zip(&mut texts) {
                *t = c.text(f);
                c.change(f, json!([{ "text": t.clone() }]));
            }
        }
    }
    eprintln!("slowest answer: {slowest} ms");
    // After all of it the server has the same text as the client, and says the same of it.
    for (f, t) in files.iter().zip(&mut texts) {
        *t = c.text(f);
        c.change(f, json!([{ "text": t.clone() }]));
    }
    let version = c.change("account.yaml", json!([{ "text": texts[0] }]));
    let errors: Vec<Value> = c.diagnostics("account.yaml", version).into_iter().filter(|d| d["severity"] == 1).collect();
    assert_eq!(errors, Vec::<Value>::new());
    assert_eq!(c.stop(), 0);
}

#[test]
fn huge_documents_are_answered_and_not_read() {
    let mut c = Client::usual("huge");
    let huge = format!("playbook: acme.huge\ndescription: >\n{}", "  a word and another one\n".repeat(400_000));
    c.open_with("huge.yaml", &huge);
    let found = c.diagnostics("huge.yaml", 1);
    assert_eq!(found[0]["code"], "GR111", "the limit of a file");
    let at = json!({ "textDocument": { "uri": c.uri("huge.yaml") }, "position": { "line": 399_999, "character": 4 } });
    for method in ["hover", "completion", "definition"] {
        c.request(&format!("textDocument/{method}"), at.clone()).unwrap();
    }
    // The others are looked at as before.
    c.open("account.yaml");
    assert!(c.diagnostics("account.yaml", 1).iter().all(|d| d["severity"] != 1));
    assert_eq!(c.stop(), 0);
}
