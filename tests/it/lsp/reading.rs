//! What an author is told while reading: diagnostics, documentation, values, where things are.

use serde_json::{Value, json};

use super::client::{Client, behind, slice};

fn hover(c: &mut Client, file: &str, marked: &str) -> String {
    let answer = c.ask("textDocument/hover", file, marked).unwrap();
    answer["contents"]["value"].as_str().unwrap_or("nothing").to_owned()
}

/// Where a definition leads: the file, and the line there.
fn leads(c: &mut Client, file: &str, marked: &str) -> Vec<(String, String)> {
    let answer = c.ask("textDocument/definition", file, marked).unwrap();
    let all = match answer {
        Value::Null => Vec::new(),
        Value::Array(all) => all,
        one => vec![one],
    };
    all.iter()
        .map(|l| {
            let path = l["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let line = text.lines().nth(l["range"]["start"]["line"].as_u64().unwrap() as usize).unwrap_or("").trim().to_owned();
            (path.rsplit('/').next().unwrap().to_owned(), line)
        })
        .collect()
}

#[test]
fn what_is_wrong_is_told_as_check_says_it() {
    let mut c = Client::usual("diagnostics");
    let text = c.open("account.yaml");
    assert!(c.diagnostics("account.yaml", 1).iter().all(|d| d["severity"] != 1));
    // Two files broken in two ways: each keeps its own errors.
    c.open_with("people.yaml", "library: acme_people\nbind: [\n");
    let broken = text.replace("user in lost", "user in nobody").replace("action: user.revoke_sessions", "action: user.revoke_session");
    let version = c.change("account.yaml", json!([{ "text": broken }]));
    let all = c.diagnostics("account.yaml", version);
    assert_eq!(c.diagnostics("people.yaml", 1)[0]["code"], "GR101");
    let action = all.iter().find(|d| slice(&broken, &d["range"]) == "user.revoke_session").expect("the action");
    assert_eq!((action["code"].as_str(), action["severity"].as_u64(), action["source"].as_str()), (Some("GR302"), Some(1), Some("engine")));
    assert!(action["message"].as_str().unwrap().contains("did you mean `user.revoke_sessions`?"), "{action}");
    assert!(action["data"]["explain"].as_str().unwrap().ends_with("--explain GR302"));
    assert!(all.iter().any(|d| slice(&broken, &d["range"]) == "nobody"));
    // What a test expects is looked at as well.
    let version = c.change("account.yaml", json!([{ "text": text.replace("no_cards: [reset]", "no_cards: [resett]") }]));
    c.change("people.yaml", json!([{ "text": c.text("people.yaml") }]));
    let _ = version;
    let all = c.diagnostics("account.yaml", version);
    assert!(all.iter().any(|d| d["message"].as_str().unwrap().contains("resett")), "{all:?}");
    // A second place is told with its address.
    let twice = text.replace("  partners:", "  someone_lost:");
    let version = c.change("account.yaml", json!([{ "text": twice }]));
    let all = c.diagnostics("account.yaml", version);
    let double = all.iter().find(|d| d["code"] == "GR108").expect("declared twice");
    assert_eq!(double["relatedInformation"][0]["location"]["uri"], c.uri("account.yaml"));
    assert_eq!(c.stop(), 0);
}

#[test]
fn hover_says_what_keys_functions_and_names_are() {
    let mut c = Client::usual("hover");
    let text = c.text("account.yaml");
    let said = |c: &mut Client, words: &str, nth: usize| hover(c, "account.yaml", &behind(&text, words, nth));
    for (words, nth, wanted) in [
        ("\nmat", 0, "what must be in the incident"),
        ("user.revoke_sess", 0, "permissions"),
        ("acme_cli", 0, "Someone followed a link that Acme knows"),
        ("clickers.fil", 0, "the items for which the closure holds"),
        ("d.in_li", 0, "in_list"),
        ("\"acme_part", 0, "list `acme_partners`"),
        ("partners: 'doma", 0, "list of domain"),
        ("where UserPrincipalName =~ {user.up", 0, "user principal name"),
        ("when: tak", 0, "condition **taken**"),
        ("when: taken(us", 0, "**user**: user"),
        ("when: someone_lo", 0, "condition **someone_lost**"),
        ("  lo", 0, "**lost**: list of user"),
        ("use: [acme_peo", 0, "Whose accounts are whose"),
        ("expect: { ca", 0, "these cards at least"),
    ] {
        let said = said(&mut c, words, nth);
        assert!(said.contains(wanted), "{words}: {said}");
    }
    let technique = text.replace("signals: [acme_click, url_clicked]", "techniques: [T1566§]");
    assert!(hover(&mut c, "account.yaml", &technique).contains("Phishing"));
    let relation = c.text("people.yaml");
    assert!(hover(&mut c, "people.yaml", &behind(&relation, "u.out(\"clic", 0)).contains("followed the link"));
    // In a playbook that does not load there is documentation too.
    let broken = text.replace("when: taken(user) && someone_lost", "when: taken(user) && nonsense && user.ups§n");
    assert_eq!(hover(&mut c, "account.yaml", &broken), "nothing");
    let broken = text.replace("when: taken(user) && someone_lost", "when: taken(user) && nonsense && user.up§n");
    assert!(hover(&mut c, "account.yaml", &broken).contains("user principal name"));
}

#[test]
fn conditions_and_bindings_show_their_value_on_the_pinned_incident() {
    let mut c = Client::usual("pinned");
    let text = c.text("account.yaml");
    assert!(!hover(&mut c, "account.yaml", &behind(&text, "when: tak", 0)).contains("it holds"));
    let pin =
        |c: &mut Client, arguments: Value| c.request("workspace/executeCommand", json!({ "command": "engine.pinIncident", "arguments": arguments }));
    assert_eq!(pin(&mut c, json!(["no/such.json"])).unwrap_err()["code"], -32803);
    assert_eq!(pin(&mut c, json!([])).unwrap_err()["code"], -32602);
    assert!(pin(&mut c, json!(["example.json", "INC-999"])).unwrap_err()["message"].as_str().unwrap().contains("holds no incident"));
    assert!(pin(&mut c, json!(["example.json"])).unwrap()["id"].is_string());
    let said = hover(&mut c, "account.yaml", &behind(&text, "when: tak", 0));
    assert!(said.contains("it holds for Ada") && said.contains("not for Bo"), "{said}");
    assert!(said.contains("pass: Ada followed a link") && said.contains("fail: Bo followed no link"), "{said}");
    let said = hover(&mut c, "account.yaml", &behind(&text, "when: someone_lo", 0));
    assert!(said.contains("it holds\n\npass:"), "{said}");
    let said = hover(&mut c, "account.yaml", &behind(&text, "for: user in lo", 0));
    assert!(said.contains("it is Ada"), "{said}");
    let said = hover(&mut c, "account.yaml", &behind(&text, "partners: 'doma", 0));
    assert!(said.contains("it is"), "{said}");
    // Another playbook text, another value, without anything being saved.
    let other = text.replace("lost: clickers.filter(|u| taken(u))", "lost: clickers.filter(|u| !taken(u))");
    let said = hover(&mut c, "account.yaml", &behind(&other, "for: user in lo", 0));
    assert!(said.contains("it is none"), "{said}");
    c.request("workspace/executeCommand", json!({ "command": "engine.unpinIncident" })).unwrap();
    assert!(!hover(&mut c, "account.yaml", &behind(&text, "for: user in lo", 0)).contains("it is"));
    // The options pin as well.
    let mut c = Client::start("pinned_first", json!({}), json!({ "incident": "example.json" }));
    assert!(hover(&mut c, "account.yaml", &behind(&text, "for: user in lo", 0)).contains("it is Ada"));
}

#[test]
fn definitions_are_found_across_files() {
    let mut c = Client::usual("definition");
    let text = c.text("account.yaml");
    for (words, nth, file, line) in [
        ("for: user in lo", 0, "account.yaml", "lost: clickers.filter(|u| taken(u))"),
        ("when: someone_lo", 0, "account.yaml", "someone_lost:"),
        ("'😀 {lo", 0, "account.yaml", "lost: clickers.filter(|u| taken(u))"),
        ("when: tak", 0, "people.yaml", "taken:"),
        ("lost: click", 0, "people.yaml", "clickers: 'users.filter(|u| u.out(\"clicked\").len() > 0)'"),
        ("use: [acme_peo", 0, "people.yaml", "library: acme_people"),
        ("signals: [acme_cl", 0, "signals.yaml", "acme_click:"),
        ("has_signal(\"acme_cl", 0, "signals.yaml", "acme_click:"),
        ("in_list(\"acme_par", 0, "lists.yaml", "acme_partners: { kind: domain, values: [partner.example], tag: acme-partner }"),
        ("after: [rev", 0, "account.yaml", "- id: revoke"),
        ("cards: [rev", 0, "account.yaml", "- id: revoke"),
        ("no_cards: [res", 0, "account.yaml", "- id: reset"),
        ("revoke: [someone_l", 0, "account.yaml", "someone_lost:"),
        ("hunt: sign", 0, "account.yaml", "sign_ins:"),
        // Parameters lead to where they are declared.
        ("when: taken(us", 0, "account.yaml", "for: user in lost"),
        ("|u| taken(u", 0, "account.yaml", "lost: clickers.filter(|u| taken(u))"),
    ] {
        let found = leads(&mut c, "account.yaml", &behind(&text, words, nth));
        assert_eq!(found, [(file.to_owned(), line.to_owned())], "{words}");
    }
    let overlay = c.text("overlay.yaml");
    assert_eq!(leads(&mut c, "overlay.yaml", &behind(&overlay, "overlay: acme.acc", 0))[0].1, "playbook: acme.account");
    assert_eq!(leads(&mut c, "overlay.yaml", &behind(&overlay, "containment.rev", 0))[0].1, "- id: revoke");
    // What ships is shown in a copy, or as a document that is no file.
    let shipped = leads(&mut c, "account.yaml", &behind(&text, "action: user.revoke_se", 0));
    assert_eq!(shipped, [("user.yaml".to_owned(), "user.revoke_sessions:".to_owned())]);
    let mut c = Client::start("contents", json!({ "workspace": { "textDocumentContent": {} } }), json!({}));
    let found = c.ask("textDocument/definition", "account.yaml", &behind(&text, "action: user.revoke_se", 0)).unwrap();
    let uri = found[0]["uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("guided-response:/"), "{uri}");
    let content = c.request("workspace/textDocumentContent", json!({ "uri": uri })).unwrap();
    assert!(content["text"].as_str().unwrap().contains("user.revoke_sessions:"));
    assert_eq!(c.request("workspace/textDocumentContent", json!({ "uri": "guided-response:/../../etc/passwd" })).unwrap_err()["code"], -32803);
}

#[test]
fn references_and_highlights_name_every_place() {
    let mut c = Client::usual("references");
    let text = c.open("account.yaml");
    let (_, position) = super::client::place(&behind(&text, "when: someone_lo", 0));
    let at = |c: &Client, declared: bool| json!({ "textDocument": { "uri": c.uri("account.yaml") }, "position": position, "context": { "includeDeclaration": declared } });
    let (with, without) = (at(&c, true), at(&c, false));
    // Declared, in the triage, in a card, in a test.
    assert_eq!(c.request("textDocument/references", with).unwrap().as_array().unwrap().len(), 4);
    assert_eq!(c.request("textDocument/references", without.clone()).unwrap().as_array().unwrap().len(), 3);
    let all = c.request("textDocument/documentHighlight", without).unwrap();
    let kinds: Vec<u64> = all.as_array().unwrap().iter().map(|h| h["kind"].as_u64().unwrap()).collect();
    assert_eq!(kinds, [3, 2, 2, 2]);
    assert!(all.as_array().unwrap().iter().all(|h| slice(&text, &h["range"]) == "someone_lost"));
}

#[test]
fn the_outline_has_sections_and_what_stands_in_them() {
    let mut c = Client::usual("outline");
    c.open("account.yaml");
    let uri = c.uri("account.yaml");
    let all = c.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } })).unwrap();
    assert_eq!(all[0]["name"], "acme.account");
    let sections = all[0]["children"].as_array().unwrap();
    let below = |name: &str| -> Vec<String> {
        let s = sections.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("{name}"));
        s["children"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(below("bind"), ["lost", "partners"]);
    assert_eq!(below("conditions"), ["someone_lost"]);
    assert_eq!(below("containment"), ["revoke"]);
    assert_eq!(below("hunts"), ["sign_ins"]);
    assert_eq!(below("exceptions"), ["red_team"]);
    assert_eq!(below("tests"), ["clicked"]);
    let found = c.request("workspace/symbol", json!({ "query": "acme" })).unwrap();
    let names: Vec<&str> = found.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    for name in ["acme.account", "acme_people", "acme_click", "acme_partners"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // Editors without nesting get a flat list.
    let mut c = Client::start("flat", json!({}), json!({}));
    c.open("account.yaml");
    let flat = c.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": c.uri("account.yaml") } })).unwrap();
    assert!(flat.as_array().unwrap().iter().any(|s| s["name"] == "revoke" && s["containerName"] == "containment"));
}

#[test]
fn types_of_bindings_and_parameters_of_functions_are_shown() {
    let mut c = Client::usual("inlay");
    let text = c.open("account.yaml");
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 999, "character": 0 } });
    let hints = c.request("textDocument/inlayHint", json!({ "textDocument": { "uri": c.uri("account.yaml") }, "range": all })).unwrap();
    let shown: Vec<&str> = hints.as_array().unwrap().iter().map(|h| h["label"].as_str().unwrap()).collect();
    assert_eq!(shown, [" (list of user)", " (list of domain)"]);
    let help = |c: &mut Client, with: &str| {
        c.ask("textDocument/signatureHelp", "account.yaml", &text.replace("when: taken(user) && someone_lost", with)).unwrap()
    };
    let then = help(&mut c, "when: 'user.then(\"clicked\", §'");
    assert_eq!(then["activeParameter"], 1);
    assert!(then["signatures"][0]["label"].as_str().unwrap().contains("then("), "{then}");
    let own = help(&mut c, "when: taken(§");
    assert_eq!(own["signatures"][0]["label"], "taken(user: user)");
    assert_eq!(help(&mut c, "when: some§"), Value::Null);
}
