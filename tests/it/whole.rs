//! The whole product: the same things in another order, under other file names, or asked twice give the same bytes; what
//! one playbook does takes nothing away from another.

use std::collections::BTreeSet;
use std::path::PathBuf;

use guided_response::card::{Context, Response, respond};
use guided_response::eval;
use guided_response::intake::{self, Read};
use guided_response::model::Time;
use guided_response::playbook::{Input, PlaybookSet, compile};
use guided_response::runtime::playbooks::shipped;
use guided_response::script::Cx;
use serde_json::Value;

use crate::oracle::random_incident;
use crate::random::{Random, count};
use crate::support::{file, path};

/// The set that ships, compiled once.
pub fn shipped_set() -> &'static PlaybookSet {
    static SET: std::sync::OnceLock<PlaybookSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| compile(&shipped()))
}

/// The answer to one incident that was read, on a fixed day.
pub fn answer(set: &PlaybookSet, read: &Read) -> Response {
    let today: Time = "2026-06-01T00:00:00Z".parse().unwrap();
    respond(set, &read.incident, &Context { now: None, today, actor: None, input: read.diagnostics.clone(), only: None })
}

fn bytes(set: &PlaybookSet, read: &Read) -> String {
    serde_json::to_string_pretty(&answer(set, read)).unwrap()
}

/// An incident with the things in its own vocabulary that the shipped playbooks look for.
pub fn telling_incident(r: &mut Random) -> Value {
    let titles = [
        "Malicious URL was clicked",
        "Email messages containing malicious URL removed after delivery",
        "Ransomware activity",
        "Mimikatz credential theft tool",
        "Suspicious inbox manipulation rule",
        "Password spray attack",
        "Unfamiliar sign-in properties",
        "Web shell detected",
    ];
    let mut v = random_incident(r);
    for a in v["alerts"].as_array_mut().unwrap() {
        if r.chance(80) {
            a["title"] = (*r.pick(&titles)).into();
        }
    }
    v
}

/// Puts the items of the lists whose order says nothing, and the keys of every object, in another order.
fn shuffled(v: &Value, r: &mut Random, lists: &[&str]) -> String {
    fn walk(v: &Value, under: &str, r: &mut Random, lists: &[&str], out: &mut String) {
        match v {
            Value::Object(all) => {
                let mut keys: Vec<&String> = all.keys().collect();
                r.shuffle(&mut keys);
                out.push('{');
                for (n, k) in keys.into_iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::to_string(k).unwrap());
                    out.push(':');
                    walk(&all[k], k, r, lists, out);
                }
                out.push('}');
            }
            Value::Array(all) => {
                let mut order: Vec<&Value> = all.iter().collect();
                if lists.contains(&under) {
                    r.shuffle(&mut order);
                }
                out.push('[');
                for (n, x) in order.into_iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    walk(x, "", r, lists, out);
                }
                out.push(']');
            }
            other => out.push_str(&other.to_string()),
        }
    }
    let mut out = String::new();
    walk(v, "", r, lists, &mut out);
    out
}

/// What differs first between two answers.
fn difference(a: &str, b: &str) -> String {
    let line = a.lines().zip(b.lines()).position(|(x, y)| x != y).unwrap_or(a.lines().count().min(b.lines().count()));
    let around = |t: &str| t.lines().skip(line.saturating_sub(6)).take(10).collect::<Vec<_>>().join("\n");
    format!("line {line}\n--- one\n{}\n--- other\n{}", around(a), around(b))
}

/// The lists of each format whose order means nothing.
const UNORDERED: &[&str] = &["alerts", "entities", "relations", "evidence", "value", "tags", "techniques", "mitreTechniques", "roles", "aliases"];

pub fn fixtures() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(path("tests/data/incidents"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

/// Incidents of real products, where the folder with them lies beside the repository.
pub fn real() -> Vec<PathBuf> {
    fn walk(folder: &std::path::Path, out: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for p in entries.filter_map(Result::ok).map(|e| e.path()) {
            if p.is_dir() {
                walk(&p, out);
            } else if p.extension().is_some_and(|e| e == "json") {
                out.push(p);
            }
        }
    }
    let mut all = Vec::new();
    for folder in ["sentinel-excytin", "microsoft-docs", "msgraph-security", "sentinel-arm", "ocsf", "stix", "vendor-min"] {
        walk(&path("../shared/data").join(folder), &mut all);
    }
    all.sort();
    if all.is_empty() {
        println!("skipped: ../shared/data is not there");
    }
    all
}

#[test]
fn the_order_of_things_in_an_incident_does_not_matter() {
    let set = shipped_set();
    let mut cards = 0;
    for seed in 0..count("ENGINE_WHOLE", 150) as u64 {
        let mut r = Random::new(seed);
        let json = telling_incident(&mut r);
        let one = intake::read(json.to_string().as_bytes(), None).unwrap().remove(0);
        cards += answer(set, &one).cards.len();
        let first = bytes(set, &one);
        assert_eq!(first, bytes(set, &one), "seed {seed}: two runs differ");
        for _ in 0..3 {
            let text = shuffled(&json, &mut r, UNORDERED);
            let two = intake::read(text.as_bytes(), None).unwrap().remove(0);
            let second = bytes(set, &two);
            // A remark about the input names the place where it stands, which moved.
            assert!(without_paths(&first) == without_paths(&second), "seed {seed}: {}\n{json}", difference(&first, &second));
        }
    }
    assert!(cards > 50, "only {cards} cards: the incidents tell too little");
}

/// The answer without the places of the input that its remarks name.
fn without_paths(answer: &str) -> Vec<String> {
    let mut v: Value = serde_json::from_str(answer).unwrap();
    let mut remarks: Vec<String> = Vec::new();
    for d in v["diagnostics"].as_array_mut().unwrap() {
        d.as_object_mut().unwrap().remove("path");
        remarks.push(d.to_string());
    }
    v["diagnostics"] = Value::Null;
    remarks.sort();
    remarks.push(v.to_string());
    remarks
}

#[test]
fn the_order_of_things_in_files_does_not_matter() {
    let set = shipped_set();
    let (mut read, mut refused) = (0, 0);
    for p in fixtures().into_iter().chain(real()) {
        let text = std::fs::read(&p).unwrap();
        let Ok(all) = intake::read(&text, None) else {
            refused += 1;
            continue;
        };
        let Ok(json) = serde_json::from_slice::<Value>(&text) else { continue };
        read += 1;
        let mut before: Vec<Vec<String>> = all.iter().map(|r| without_paths(&bytes(set, r))).collect();
        assert!(before == all.iter().map(|r| without_paths(&bytes(set, r))).collect::<Vec<_>>(), "{}: two runs differ", p.display());
        before.sort();
        let mut r = Random::new(read);
        for _ in 0..2 {
            let moved = shuffled(&json, &mut r, UNORDERED);
            let again = intake::read(moved.as_bytes(), None).unwrap_or_else(|e| panic!("{}: {e:?}", p.display()));
            let mut after: Vec<Vec<String>> = again.iter().map(|r| without_paths(&bytes(set, r))).collect();
            after.sort();
            for (a, b) in before.iter().zip(&after) {
                let (x, y) = (pretty(a), pretty(b));
                assert!(x == y, "{}: {}", p.display(), difference(&x, &y));
            }
            assert_eq!(before.len(), after.len(), "{}", p.display());
        }
    }
    println!("{read} files read, {refused} refused");
    assert!(read >= 1);
}

fn pretty(parts: &[String]) -> String {
    parts.iter().map(|p| serde_json::to_string_pretty(&serde_json::from_str::<Value>(p).unwrap()).unwrap()).collect::<Vec<_>>().join("\n")
}

/// The answer without what says in which file a card stands.
fn without_files(answer: &Response) -> String {
    fn strip(v: &mut Value) {
        match v {
            Value::Object(all) => {
                if all.contains_key("playbook") || all.contains_key("code") || all.contains_key("reason") {
                    all.remove("file");
                }
                all.values_mut().for_each(strip);
            }
            Value::Array(all) => all.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut v = serde_json::to_value(answer).unwrap();
    strip(&mut v);
    serde_json::to_string_pretty(&v).unwrap()
}

#[test]
fn the_order_and_names_of_playbook_files_do_not_matter() {
    let files = shipped();
    let incidents: Vec<Read> =
        (0..25).map(|seed| intake::read(telling_incident(&mut Random::new(seed)).to_string().as_bytes(), None).unwrap().remove(0)).collect();
    let before: Vec<String> = incidents.iter().map(|i| bytes(shipped_set(), i)).collect();
    let plain: Vec<String> = incidents.iter().map(|i| without_files(&answer(shipped_set(), i))).collect();
    for seed in 0..count("ENGINE_FILES", 4) as u64 {
        let mut r = Random::new(seed);
        let mut moved = files.clone();
        r.shuffle(&mut moved);
        let set = compile(&moved);
        for (i, first) in incidents.iter().zip(&before) {
            let second = bytes(&set, i);
            assert!(*first == second, "order, seed {seed}: {}", difference(first, &second));
        }
        for f in &mut moved {
            f.path = format!("{:08x}.yaml", r.next() as u32);
        }
        let set = compile(&moved);
        for (i, first) in incidents.iter().zip(&plain) {
            let second = without_files(&answer(&set, i));
            assert!(*first == second, "names, seed {seed}: {}", difference(first, &second));
        }
    }
}

/// What a card is, apart from what other playbooks add to it.
fn identities(r: &Response) -> BTreeSet<String> {
    let v = serde_json::to_value(&r.cards).unwrap();
    v.as_array().unwrap().iter().map(|c| format!("{} {} {}", c["id"], c["action"], c["entity"]["id"])).collect()
}

const EXTRA: &str = r#"playbook: added.by_test
format: 1
version: 1.0.0
title: A playbook that a team adds
match: { entities: [user] }
triage:
  - { classify: informational, determination: confirmed_activity, confidence: 99, why: the team says so }
containment:
  - { id: fails, action: user.revoke_sessions, for: user in users, when: "9223372036854775807 + users.len() > 0", why: never shown }
  - { id: holds, action: user.revoke_sessions, for: user in users, why: a reason of the team, priority: 99 }
investigation:
  - { id: fails_too, action: user.review_sign_ins, for: user in users, when: "[1][users.len() + 5] == 1", why: never shown }
"#;

#[test]
fn a_playbook_takes_no_card_from_another_and_a_card_that_fails_none_at_all() {
    let mut files = shipped();
    let text = EXTRA.replace("user.review_sign_ins", &some_user_action());
    files.push(Input { layer: 1, ..file("extra.yaml", &text) });
    let with = compile(&files);
    let skipped: Vec<_> = with.skipped.iter().filter(|s| s.0.contains("extra")).collect();
    assert!(skipped.is_empty(), "{skipped:?}");
    let (mut added, mut failed) = (0, 0);
    for seed in 0..count("ENGINE_WHOLE", 150) as u64 {
        let i = intake::read(telling_incident(&mut Random::new(seed)).to_string().as_bytes(), None).unwrap().remove(0);
        let (before, after) = (answer(shipped_set(), &i), answer(&with, &i));
        let (old, new) = (identities(&before), identities(&after));
        assert!(old.is_subset(&new), "seed {seed}: lost {:?}", old.difference(&new).collect::<Vec<_>>());
        let users = i.incident.entities.iter().filter(|e| e.kind == guided_response::model::Kind::User).count();
        if users == 0 {
            continue;
        }
        added += new.len() - old.len();
        let v = serde_json::to_value(&after).unwrap();
        for card in ["fails", "fails_too"] {
            let told = v["diagnostics"].as_array().unwrap().iter().filter(|d| d["playbook"] == "added.by_test" && d["card"] == card).count();
            assert_eq!(told, 1, "seed {seed}: `{card}` failed and is not told once");
            failed += told;
        }
        let holds = v["cards"].as_array().unwrap().iter().filter(|c| c["sources"].as_array().unwrap().iter().any(|s| s["card"] == "holds")).count();
        assert_eq!(holds, users, "seed {seed}: the card beside those that fail is there for each user");
    }
    assert!(added > 20 && failed > 20, "{added} cards added, {failed} failures");
}

/// An action of the catalogue for users that is not `user.revoke_sessions` and needs no parameter.
fn some_user_action() -> String {
    let all = &shipped_set().actions;
    let fits = |a: &guided_response::playbook::set::Action| {
        a.kinds.has(guided_response::model::Kind::User)
            && a.phase == guided_response::model::Phase::Investigation
            && a.params.values().all(|p| p.default.is_some())
    };
    all.values().find(|a| fits(a)).expect("an action to investigate a user").id.to_string()
}

/// Most playbooks are done with once one question about the incident is asked. While tests are observed that is not asked,
/// and everything else is.
#[test]
fn what_is_asked_first_hides_nothing() {
    let closed = [
        "ips.some(|i| i.internal && i.name != 'x')",
        "ips.some(|i| i.internal)",
        "!ips.some(|i| i.malicious || i.internal)",
        "users.all(|u| u.risk >= 'low' && u.name != 'x')",
        "users.some(|u| devices.some(|d| d.name != u.name))",
        "alerts.some(|a| a.severity >= 'medium' && a.entities('user').some(|u| u.name != 'x'))",
        "alerts.count(|a| a.severity >= 'medium') >= 1",
        "incident.severity >= 'medium'",
        "clause",
        "!clause && users.some(|u| u.name != 'x' && u.risk >= 'low')",
        "clause || incident.severity >= 'high' && alerts.len() >= 2",
    ];
    let action = "actions:\n  u.look:\n    title: T\n    phase: investigation\n    kinds: [user, incident]\n    permissions: [a:b]\n";
    let mut files = vec![file("actions.yaml", action)];
    for (n, when) in closed.iter().enumerate() {
        let when = when.replace('\'', "\"");
        let card = |id: &str, target: &str| format!("  - {{ id: {id}, action: u.look, {target}when: '{when}', why: w, priority: 10 }}\n");
        let parts = [
            format!("investigation:\n{}", card("one_by_one", "for: user in users, ")),
            format!("investigation:\n{}", card("together", "for_all: people in users, ")),
            format!("investigation:\n{}", card("whole", "")),
            format!(
                "triage:\n  - {{ classify: true_positive, confidence: 80, when: '{when}', why: w }}\ninvestigation:\n{}",
                card("one_by_one", "for: user in users, ")
            ),
        ];
        for (p, part) in parts.iter().enumerate() {
            files.push(file(
                &format!("p{n}{p}.yaml"),
                &format!(
                    "playbook: a.p{n:02}{p}\nformat: 1\nversion: 1.0.0\ntitle: T\nstatus: test\nowner: soc@example.com\ndescription: D.\nconditions:\n  clause: {{ if: 'ips.some(|i| i.internal && i.name.len() > 1)', pass: p, fail: f }}\n{part}"
                ),
            ));
        }
    }
    let set = compile(&files);
    assert_eq!(set.playbooks.len(), closed.len() * 4, "{:?}", set.diagnostics);
    let mut r = Random::new(5);
    let mut held = BTreeSet::new();
    for _ in 0..60 {
        let read = intake::read(random_incident(&mut r).to_string().as_bytes(), None).unwrap().pop().unwrap();
        let (facts, _) = eval::facts(&set, &read.incident, None);
        let holds = |observed: bool| -> BTreeSet<(usize, String)> {
            let mut cx = Cx::new(&facts, set.questions);
            if observed {
                cx.observe();
            }
            let found = eval::evaluate(&set, &mut cx, None);
            assert_eq!(found.diagnostics, []);
            found.matched.iter().map(|m| (m.playbook, format!("{:?} {:?}", m.arms, m.hits))).collect()
        };
        let (asked_first, all) = (holds(false), holds(true));
        assert_eq!(asked_first, all);
        held.extend(all.into_iter().map(|(n, _)| n));
    }
    assert_eq!(held.len(), set.playbooks.len(), "each holds now and then");
}

/// A question that runs out of its budget is not kept: clauses that each ask the one before twice would ask it again and
/// again.
#[test]
fn what_is_beyond_its_budget_asks_nothing_more() {
    let first = "  c00: { if: 'users.some(|a| users.some(|b| users.some(|c| a.name == b.name && b.name != c.name && c.name == a.name)))', pass: p, fail: f }\n";
    let others: String = (1..30).map(|n| format!("  c{n:02}: {{ if: 'c{m:02} || c{m:02}', pass: p, fail: f }}\n", m = n - 1)).collect();
    let page = format!(
        "playbook: a.b\nformat: 1\nversion: 1.0.0\ntitle: T\nstatus: test\nowner: soc@example.com\ndescription: D.\nconditions:\n{first}{others}investigation:\n  - {{ id: one, action: u.look, when: c29, why: w, priority: 10 }}\n"
    );
    let action = "actions:\n  u.look:\n    title: T\n    phase: investigation\n    kinds: [incident]\n    permissions: [a:b]\n";
    let set = compile(&[file("actions.yaml", action), file("p.yaml", &page)]);
    assert_eq!(set.playbooks.len(), 1, "{:?}", set.diagnostics);
    let users: Vec<Value> = (0..400).map(|n| serde_json::json!({ "id": format!("user:u{n}"), "kind": "user", "name": format!("u{n}") })).collect();
    let text = serde_json::json!({ "schema": "guided-response/incident/1", "id": "i", "title": "t", "entities": users, "alerts": [] }).to_string();
    let read = intake::read(text.as_bytes(), None).unwrap().pop().unwrap();
    let (facts, _) = eval::facts(&set, &read.incident, None);
    let found = eval::evaluate(&set, &mut Cx::new(&facts, set.questions), None);
    assert!(found.matched.is_empty());
    assert_eq!(found.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["GR801"]);
}
