//! What an author is helped with while writing: completion, rename, formatting, quick fixes.

use serde_json::{Value, json};

use super::client::{Client, behind, edited, labels, place, slice};

/// The completions where `§` stands in the playbook with one text put in place of another.
fn complete(c: &mut Client, from: &str, to: &str) -> Value {
    let text = c.text("account.yaml");
    assert!(text.contains(from), "{from}");
    c.ask("textDocument/completion", "account.yaml", &text.replacen(from, to, 1)).unwrap()
}

fn has(answer: &Value, wanted: &[&str], unwanted: &[&str]) {
    let all = labels(answer);
    for w in wanted {
        assert!(all.iter().any(|l| l == w), "`{w}` is missing in {all:?}");
    }
    for w in unwanted {
        assert!(!all.iter().any(|l| l == w), "`{w}` is offered in {all:?}");
    }
}

const WHEN: &str = "when: taken(user) && someone_lost";

#[test]
fn keys_are_offered_where_they_belong() {
    let mut c = Client::usual("keys");
    has(&complete(&mut c, "triage:\n", "§\ntriage:\n"), &["description", "status", "investigation"], &["playbook", "bind", "pass"]);
    has(
        &complete(&mut c, "  signals: [acme_click, url_clicked]\n", "  signals: [acme_click, url_clicked]\n  §\n"),
        &["types", "techniques", "severity"],
        &["signals", "bind"],
    );
    has(&complete(&mut c, "    hunt: sign_ins\n", "    pri§\n"), &["priority", "params", "hunt"], &["action", "id", "kql"]);
    has(&complete(&mut c, "    fail: nobody followed a link\n", "    §\n"), &["fail", "with"], &["pass", "if"]);
    has(&complete(&mut c, "reason: a test,", "reason: a test, own§,"), &["owner"], &["reason"]);
    has(&complete(&mut c, "no_cards: [reset]", "only§: [reset]"), &["only_cards", "completed"], &["cards"]);
    has(&c.ask("textDocument/completion", "fresh.yaml", "§").unwrap(), &["playbook", "library", "signals", "overlay"], &["title"]);
    // A card with all that it needs, as a snippet.
    let card = complete(&mut c, "remediation:\n", "investigation:\n  - §\nremediation:\n");
    let item = card["items"].as_array().unwrap().iter().find(|i| i["label"] == "new card").expect("a new card").clone();
    assert_eq!(item["insertTextFormat"], 2);
    assert!(item["textEdit"]["newText"].as_str().unwrap().contains("action: ${2:action}"));
    // Editors without snippets get plain text.
    let mut c = Client::start("plain", json!({}), json!({}));
    let card = complete(&mut c, "remediation:\n", "investigation:\n  - §\nremediation:\n");
    assert!(
        card["items"].as_array().unwrap().iter().all(|i| i["insertTextFormat"] == 1 && !i["textEdit"]["newText"].as_str().unwrap().contains("${"))
    );
}

#[test]
fn values_are_offered_from_what_exists() {
    let mut c = Client::usual("values");
    has(&complete(&mut c, "format: 1", "status: §\nformat: 1"), &["experimental", "stable", "deprecated"], &[]);
    has(&complete(&mut c, "[acme_click, url_clicked]", "[acme_click, §]"), &["url_clicked", "password_spray"], &["acme_click"]);
    has(&complete(&mut c, "  signals: [acme_click, url_clicked]", "  types: [§"), &["phishing"], &[]);
    let technique = complete(&mut c, "  signals: [acme_click, url_clicked]", "  techniques: [T156§]");
    let item = technique["items"].as_array().unwrap().iter().find(|i| i["label"] == "T1566").expect("a technique").clone();
    assert_eq!(item["detail"], "Phishing");
    has(&complete(&mut c, "  signals: [acme_click, url_clicked]", "  entities: [§]"), &["user", "email"], &["users"]);
    has(&complete(&mut c, "  signals: [acme_click, url_clicked]", "  severity: §"), &["low", "critical"], &[]);
    has(&complete(&mut c, "use: [acme_people]", "use: [§]"), &["identity", "mail", "acme_people"], &[]);
    let action = complete(&mut c, "action: user.revoke_sessions", "action: user.§");
    has(&action, &["user.disable", "user.revoke_sessions"], &[]);
    let item = action["items"].as_array().unwrap().iter().find(|i| i["label"] == "user.disable").unwrap().clone();
    assert!(item["detail"].as_str().unwrap().contains("containment"), "{item}");
    // The whole id is replaced, dots included.
    let (text, _) = place(&c.text("account.yaml").replacen("action: user.revoke_sessions", "action: user.§", 1));
    assert_eq!(slice(&text, &item["textEdit"]["range"]), "user.");
    has(&complete(&mut c, "classify: true_positive", "classify: §"), &["true_positive", "undetermined"], &[]);
    has(&complete(&mut c, "determination: phishing", "determination: §"), &["phishing", "compromised_account"], &[]);
    has(&complete(&mut c, "after: [revoke]", "after: [§]"), &["revoke", "reset"], &[]);
    has(&complete(&mut c, "hunt: sign_ins", "hunt: §"), &["sign_ins"], &[]);
    has(&complete(&mut c, "with: { user: user }", "with: { user: § }"), &["user", "device"], &[]);
    has(&complete(&mut c, "cards: [revoke user:ada@contoso.com]", "cards: [§]"), &["revoke", "reset"], &[]);
    has(&complete(&mut c, "failed: { revoke: [someone_lost] }", "failed: { revoke: [§] }"), &["someone_lost", "taken", "when"], &[]);
    let overlay = c.text("overlay.yaml");
    has(
        &c.ask("textDocument/completion", "overlay.yaml", &overlay.replace("overlay: acme.account", "overlay: §")).unwrap(),
        &["acme.account", "lists.acme_partners"],
        &[],
    );
    has(
        &c.ask("textDocument/completion", "overlay.yaml", &format!("{overlay}disable: [§]\n")).unwrap(),
        &["containment.revoke", "hunts.sign_ins"],
        &[],
    );
    let signals = c.text("signals.yaml");
    has(
        &c.ask("textDocument/completion", "signals.yaml", &signals.replace("roles: { user: victim }", "roles: { §: victim }")).unwrap(),
        &["user", "device"],
        &[],
    );
    has(
        &c.ask("textDocument/completion", "actions.yaml", "actions:\n  acme.call:\n    title: Call\n    phase: §\n    kinds: [user]\n").unwrap(),
        &["containment"],
        &[],
    );
    has(&c.ask("textDocument/completion", "actions.yaml", "actions:\n  acme.call:\n    permissions: [§]\n").unwrap(), &["response:manage"], &[]);
}

#[test]
fn members_are_offered_by_the_type_before_the_dot() {
    let mut c = Client::usual("members");
    let when = |c: &mut Client, to: &str| complete(c, WHEN, to);
    // The rest of the line is broken, or missing, or there is nothing but the dot.
    has(&when(&mut c, "when: user.§"), &["upn", "department", "risk", "has_role", "out", "malicious"], &["fqdn", "sender", "filter"]);
    has(&when(&mut c, "when: 'taken(user) && user.up§ && (('"), &["upn"], &["fqdn"]);
    has(&when(&mut c, "when: \"users.filter(|u| u.§"), &["upn"], &["fqdn", "filter"]);
    has(&when(&mut c, "when: lost.§"), &["filter", "some", "len", "map"], &["upn"]);
    has(&when(&mut c, "when: 'user.out(\"clicked\").some(|x| x.§)'"), &["url", "host"], &["upn", "fqdn"]);
    has(&when(&mut c, "when: 'user.edges(\"clicked\").some(|e| e.to.§)'"), &["url"], &["upn"]);
    has(&when(&mut c, "when: 'emails.some(|m| users.some(|u| m.§))'"), &["sender"], &["upn"]);
    has(&when(&mut c, "when: incident.§"), &["severity", "types", "last_activity"], &["upn"]);
    has(&when(&mut c, "when: 'alerts.first().§'"), &["title", "has_technique"], &["upn"]);
    has(&when(&mut c, "when: 'user.in_list(\"x\") || lists.§'"), &["own_domains", "acme_partners"], &["upn"]);
    // Methods with their arguments as places to fill in.
    let methods = when(&mut c, "when: user.ou§");
    let out = methods["items"].as_array().unwrap().iter().find(|i| i["label"] == "out").unwrap().clone();
    assert!(out["textEdit"]["newText"].as_str().unwrap().starts_with("out(\"${1:"), "{out}");
    assert!(out["documentation"]["value"].as_str().unwrap().contains("Gives"));
}

#[test]
fn names_and_ids_are_offered_inside_expressions_and_sentences() {
    let mut c = Client::usual("names");
    let when = |c: &mut Client, to: &str| complete(c, WHEN, to);
    has(&when(&mut c, "when: §"), &["user", "lost", "clickers", "taken", "someone_lost", "users", "incident", "lists", "known"], &["upn", "u"]);
    has(&when(&mut c, "when: 'lost.some(|u| tak§)'"), &["u", "user", "taken"], &[]);
    has(&complete(&mut c, "for: user in lost\n    when", "for: user in §\n    when"), &["lost", "clickers", "users"], &["user"]);
    has(&complete(&mut c, "'the password of {user} may be known'", "'the password of {§} may be known'"), &["user", "lost"], &[]);
    has(&complete(&mut c, "'the password of {user} may be known'", "'the password of {user} and {user.§"), &["upn"], &["fqdn"]);
    has(&complete(&mut c, "=~ {user.upn}", "=~ {user.§}"), &["upn", "object_id"], &["fqdn"]);
    has(&complete(&mut c, "=~ {user.upn}", "=~ {incident.§"), &["last_activity"], &["upn"]);
    // In the sentence itself, outside of the braces, there is nothing to offer.
    assert_eq!(labels(&complete(&mut c, "'the password of {user} may be known'", "'the password§ of {user} may be known'")), Vec::<String>::new());
    // Relations that can leave the kind, or arrive at it.
    has(&when(&mut c, "when: 'user.out(\"§\").len() > 0'"), &["clicked", "signed_in_from", "owns"], &["sent_to", "has_ip"]);
    has(&when(&mut c, "when: 'user.into(\"§"), &["sent_by", "ran_as"], &["clicked"]);
    has(&when(&mut c, "when: 'user.then(\"clicked\", \"§\", \"2h\").len() > 0'"), &["signed_in_from"], &["has_ip"]);
    has(&when(&mut c, "when: 'user.has_signal(\"§\")'"), &["acme_click", "url_clicked"], &["user"]);
    has(&when(&mut c, "when: 'user.in_list(\"§\")'"), &["acme_partners", "own_domains"], &[]);
    has(&when(&mut c, "when: 'user.has_role(\"§\")'"), &["victim", "compromised"], &[]);
    has(&when(&mut c, "when: 'user.has_tag(\"§\")'"), &["acme-partner"], &[]);
    has(&when(&mut c, "when: 'alerts.some(|a| a.has_technique(\"§\"))'"), &["T1566"], &[]);
    has(&when(&mut c, "when: 'user.related(\"§\").len() > 0'"), &["device"], &["devices"]);
    has(&when(&mut c, "when: 'user.risk >= \"§\"'"), &["low", "critical"], &[]);
    // `target` and `params` of guards, `alert` of signals.
    let guard = |test: &str| {
        format!(
            "actions:\n  acme.call:\n    title: Call\n    phase: investigation\n    kinds: [device]\n    params: {{ how: {{ default: phone }} }}\n    never: [{{ if: '{test}', why: no }}]\n"
        )
    };
    has(&c.ask("textDocument/completion", "actions.yaml", &guard("target.§")).unwrap(), &["fqdn", "isolation"], &["upn"]);
    has(&c.ask("textDocument/completion", "actions.yaml", &guard("params.§")).unwrap(), &["how"], &["fqdn"]);
    let signal = "signals:\n  acme_x:\n    title: X\n    any:\n      - if: 'alert.§'\n";
    has(&c.ask("textDocument/completion", "other.yaml", signal).unwrap(), &["title", "has_technique"], &["upn"]);
}

#[test]
fn completion_works_while_the_rest_of_the_file_is_broken() {
    let mut c = Client::usual("broken");
    let text = c.text("account.yaml");
    let broken = text.replace("exceptions:\n", "exceptions: [\n").replacen(WHEN, "when: user.§", 1);
    c.open("account.yaml");
    has(&c.ask("textDocument/completion", "account.yaml", &broken).unwrap(), &["upn"], &["fqdn"]);
    let broken = text.replace("exceptions:\n", "exceptions: [\n").replacen(WHEN, "when: §", 1);
    has(&c.ask("textDocument/completion", "account.yaml", &broken).unwrap(), &["lost", "taken"], &[]);
}

/// The files after a rename.
fn renamed(c: &mut Client, file: &str, marked: &str, name: &str) -> Result<Vec<(String, String)>, Value> {
    let (text, position) = place(marked);
    c.open_with(file, &text);
    let uri = c.uri(file);
    let at = json!({ "textDocument": { "uri": uri }, "position": position, "newName": name });
    let answer = c.request("textDocument/rename", at)?;
    let mut all = Vec::new();
    for (uri, edits) in answer["changes"].as_object().unwrap() {
        let name = uri.rsplit('/').next().unwrap().to_owned();
        let old = c.text(&name);
        all.push((name, edited(&old, edits.as_array().unwrap())));
    }
    Ok(all)
}

#[test]
fn a_rename_reaches_every_place_and_the_files_still_load() {
    for (name, file, words, new, changed) in [
        ("binding", "account.yaml", "for: user in lo", "stolen", vec![("account.yaml", 6)]),
        ("library_binding", "people.yaml", "  click", "followers", vec![("account.yaml", 1), ("people.yaml", 2)]),
        ("condition", "account.yaml", "when: someone_lo", "any_lost", vec![("account.yaml", 4)]),
        ("library_condition", "account.yaml", "when: tak", "caught", vec![("account.yaml", 2), ("people.yaml", 1)]),
        ("card", "account.yaml", "after: [rev", "cut_off", vec![("account.yaml", 5), ("overlay.yaml", 1)]),
        ("hunt", "account.yaml", "hunt: sign", "logons", vec![("account.yaml", 2)]),
        ("signal", "account.yaml", "has_signal(\"acme_cl", "acme_follow", vec![("account.yaml", 2), ("signals.yaml", 1)]),
        ("list", "lists.yaml", "  acme_par", "acme_friends", vec![("account.yaml", 1), ("lists.yaml", 1)]),
        ("playbook", "overlay.yaml", "overlay: acme.acc", "acme.lost_account", vec![("account.yaml", 1), ("overlay.yaml", 1)]),
        ("library", "account.yaml", "use: [acme_peo", "acme_staff", vec![("account.yaml", 1), ("people.yaml", 1)]),
    ] {
        let mut c = Client::usual(&format!("rename_{name}"));
        let text = c.text(file);
        let all = renamed(&mut c, file, &behind(&text, words, 0), new).unwrap_or_else(|e| panic!("{name}: {e}"));
        let counts: Vec<(&str, usize)> = all.iter().map(|(f, t)| (f.as_str(), t.matches(new).count())).collect();
        assert_eq!(counts, changed, "{name}");
        for (f, text) in &all {
            std::fs::write(c.root.join(f), text).unwrap();
        }
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_engine")).arg("check").arg(&c.root).output().unwrap();
        assert_ne!(out.status.code(), Some(2), "{name}: {}", String::from_utf8_lossy(&out.stdout));
    }
}

#[test]
fn a_name_that_is_not_possible_is_refused() {
    let mut c = Client::usual("refused");
    let text = c.text("account.yaml");
    let at = behind(&text, "for: user in lo", 0);
    for (name, why) in [
        ("Lost", "snake case"),
        ("in", "Rhai"),
        ("users", "every playbook has"),
        ("someone_lost", "something else"),
        ("clickers", "something else"),
        ("a b", "snake case"),
        ("", "snake case"),
    ] {
        let e = renamed(&mut c, "account.yaml", &at, name).unwrap_err();
        assert_eq!(e["code"], -32803);
        assert!(e["message"].as_str().unwrap().contains(why), "{name}: {e}");
    }
    // What ships, what is nothing, and a parameter that would hide the new name.
    let ships = c.ask("textDocument/prepareRename", "account.yaml", &behind(&text, "action: user.revoke_se", 0)).unwrap_err();
    assert!(ships["message"].as_str().unwrap().contains("ships with the program"));
    assert_eq!(c.ask("textDocument/prepareRename", "account.yaml", &behind(&text, "format: ", 0)), Ok(Value::Null));
    let hidden = renamed(&mut c, "account.yaml", &behind(&text, "when: someone_lo", 0), "user").unwrap_err();
    assert!(hidden["message"].as_str().unwrap().contains("something else"), "{hidden}");
    let range = c.ask("textDocument/prepareRename", "account.yaml", &at).unwrap();
    assert_eq!((slice(&text, &range["range"]).as_str(), range["placeholder"].as_str()), ("lost", Some("lost")));
}

#[test]
fn formatting_writes_the_canonical_form() {
    let mut c = Client::usual("format");
    let text = c.text("account.yaml").replace("  lost: clickers", "  lost:    clickers").replace("use: [acme_people]", "use:   [ acme_people ]");
    c.open_with("account.yaml", &text);
    let params = json!({ "textDocument": { "uri": c.uri("account.yaml") }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = c.request("textDocument/formatting", params.clone()).unwrap();
    let new = edited(&text, edits.as_array().unwrap());
    assert!(new.contains("  lost: clickers") && new.contains("use: [acme_people]"), "{new}");
    assert_eq!(guided_response::playbook::format::format("account.yaml", &text).unwrap(), new);
    c.change("account.yaml", json!([{ "text": new }]));
    assert_eq!(c.request("textDocument/formatting", params.clone()).unwrap(), json!([]), "nothing is left to do");
    c.change("account.yaml", json!([{ "text": "playbook: [" }]));
    assert_eq!(c.request("textDocument/formatting", params).unwrap_err()["code"], -32803);
}

#[test]
fn quick_fixes_mend_what_is_wrong() {
    let mut c = Client::usual("fixes");
    let text = c
        .text("account.yaml")
        .replace("action: user.revoke_sessions", "action: user.revoke_session")
        .replace("use: [acme_people]", "use: [acme_people]\nstatos: test");
    c.open_with("account.yaml", &text);
    let version = c.change("account.yaml", json!([{ "text": text }]));
    let told = c.diagnostics("account.yaml", version);
    let wrong = told.iter().find(|d| slice(&text, &d["range"]) == "user.revoke_session").expect("the action");
    let ask = |c: &mut Client, only: Value| {
        let params =
            json!({ "textDocument": { "uri": c.uri("account.yaml") }, "range": wrong["range"], "context": { "diagnostics": [wrong], "only": only } });
        c.request("textDocument/codeAction", params).unwrap()
    };
    let found = ask(&mut c, json!(["quickfix"]));
    let fix = found.as_array().unwrap().iter().find(|a| a["kind"] == "quickfix").unwrap_or_else(|| panic!("{found}")).clone();
    let uri = c.uri("account.yaml");
    let new = edited(&text, fix["edit"]["changes"][&uri].as_array().unwrap());
    assert!(new.contains("action: user.revoke_sessions\n"), "{fix}");
    assert_eq!(fix["diagnostics"][0]["code"], "GR302");
    assert!(fix["isPreferred"].is_boolean());
    assert!(ask(&mut c, json!(["refactor"])).as_array().unwrap().is_empty());
}
