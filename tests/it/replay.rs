//! `engine replay`: totals that merge in any order, agreement as counted by hand, a corpus that is streamed.

use std::path::Path;
use std::process::{Command, Output};

use guided_response::playbook::{Compiler, PlaybookSet, compile};
use guided_response::runtime::corpus::Corpus;
use guided_response::runtime::playbooks::shipped;
use guided_response::tester::replay::{Asker, Counter, Past, Recall, Totals, same_ground};
use guided_response::{eval, intake};
use serde_json::{Value, json};

use crate::random::{Random, count};
use crate::support::{file, path};
use crate::whole::{shipped_set, telling_incident};

/// What the tests of replay and diff ask.
pub const PLAYBOOK: &str = "playbook: test.spread
format: 1
version: 1.0.0
title: Something spreads
status: experimental
owner: soc@example.com
bind:
  hit: 'devices.filter(|d| d.has_role(\"hit\"))'
conditions:
  spreads:
    if: 'hit.len() > 2'
    pass: it spreads
    fail: it does not spread
  seen:
    if: 'hit.len() > 0'
  machine_hit:
    with: device
    if: 'device.has_role(\"hit\")'
triage:
  - { classify: true_positive, determination: malware, confidence: 90, when: spreads, why: it spreads }
  - { classify: false_positive, confidence: 60, when: 'seen && !spreads', why: one machine alone }
containment:
  - { id: isolate, action: device.isolate, for: device in devices, when: machine_hit(device), why: it is hit, priority: 80, confidence: 80 }
investigation:
  - { id: look, action: device.collect_package, for: device in hit, when: spreads, why: look at it, priority: 50, confidence: 50 }
";

/// An action file for them.
pub const ACTIONS: &str = "actions:
  device.isolate: { title: Isolate device, phase: containment, kinds: [device], permissions: [response:manage], impact: high }
  device.collect_package: { title: Collect package, phase: investigation, kinds: [device], permissions: [response:manage], impact: low }
";

pub fn set() -> PlaybookSet {
    let set = compile(&[file("actions.yaml", ACTIONS), file("spread.yaml", PLAYBOOK)]);
    assert!(set.skipped.is_empty(), "{:?}", set.diagnostics);
    set
}

/// An incident with so many machines, so many of them hit, and what was recorded of it.
pub fn incident(id: &str, machines: usize, hit: usize, recorded: Option<&str>) -> Value {
    let ids: Vec<String> = (0..machines).map(|n| format!("device:m{n}")).collect();
    let refs: Vec<Value> = ids.iter().enumerate().map(|(n, i)| json!({"ref": i, "roles": if n < hit { vec!["hit"] } else { vec![] }})).collect();
    json!({"schema": "guided-response/incident/1", "id": id, "title": "t", "severity": "high", "created": "2026-01-12T09:30:00Z",
        "alerts": [{"id": "a-1", "title": "Odd thing 17 on srv-4", "severity": "high", "entities": refs}],
        "entities": ids.iter().map(|i| json!({"id": i, "kind": "device", "name": i})).collect::<Vec<_>>(),
        "classification": recorded, "determination": null})
}

fn context() -> guided_response::card::Context {
    guided_response::card::Context { now: None, today: "2026-06-01T00:00:00Z".parse().unwrap(), actor: None, input: Vec::new(), only: None }
}

fn totals(set: &PlaybookSet, v: &Value, at: u64) -> Totals {
    let read = intake::read(v.to_string().as_bytes(), None).unwrap().remove(0);
    Totals::of(set, &read.incident, &context(), at)
}

pub fn engine(args: &[&str], stdin: &[u8], folder: &Path) -> Output {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
        .args(args)
        .current_dir(folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = to.write_all(&bytes);
    });
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    out
}

pub fn document(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// A fresh folder below the target folder.
pub fn fresh(name: &str) -> std::path::PathBuf {
    let folder = path("target/tmp").join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A folder with the playbook and the actions.
pub fn playbooks(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("spread.yaml"), PLAYBOOK).unwrap();
    std::fs::write(folder.join("actions.yaml"), ACTIONS).unwrap();
}

#[test]
fn totals_merge_in_any_order_and_grouping() {
    let mut r = Random::new(71);
    for _ in 0..count("ENGINE_MERGES", 6) {
        let recorded = [None, Some("true_positive"), Some("false_positive"), Some("informational")];
        let mut all: Vec<Totals> = (0..12)
            .map(|n| {
                let mut v = telling_incident(&mut r);
                v["classification"] = r.pick(&recorded).map_or(Value::Null, Value::from);
                totals(shipped_set(), &v, n)
            })
            .collect();
        let mut one = Totals::default();
        all.iter().for_each(|t| one.merge(t.clone()));
        r.shuffle(&mut all);
        let (left, right) = all.split_at(r.below(12));
        let mut two = Totals::default();
        for half in [right, left] {
            let mut sum = Totals::default();
            half.iter().for_each(|t| sum.merge(t.clone()));
            two.merge(sum);
        }
        assert_eq!(one, two);
        assert_eq!(one.incidents, 12);
    }
}

#[test]
fn agreement_is_as_counted_by_hand() {
    let set = set();
    let mut t = Totals::default();
    // Said: 3 hit: true positive (90); 1 or 2 hit: false positive (60); none: undetermined.
    let corpus = [
        ("true_positive", 3),
        ("true_positive", 4),
        ("true_positive", 1),
        ("true_positive", 0),
        ("false_positive", 1),
        ("false_positive", 3),
        ("informational", 2),
    ];
    for (n, (recorded, hit)) in corpus.iter().enumerate() {
        t.merge(totals(&set, &incident(&format!("i{n}"), 5, *hit, Some(recorded)), n as u64));
    }
    t.merge(totals(&set, &incident("open", 5, 3, None), 9));
    let r = serde_json::to_value(t.report(&set, 60, 5)).unwrap();
    let a = &r["agreement"];
    assert_eq!((a["recorded"].clone(), a["decided"].clone(), a["abstained"].clone()), (json!(7), json!(6), json!(1)));
    assert_eq!((a["coverage"].clone(), a["precision"].clone()), (json!(85.7), json!(50.0)));
    assert_eq!(
        a["matrix"],
        json!([
            {"recorded": "true_positive", "said": "true_positive", "incidents": 2},
            {"recorded": "true_positive", "said": "undetermined", "incidents": 1},
            {"recorded": "true_positive", "said": "false_positive", "incidents": 1},
            {"recorded": "informational", "said": "false_positive", "incidents": 1},
            {"recorded": "false_positive", "said": "true_positive", "incidents": 1},
            {"recorded": "false_positive", "said": "false_positive", "incidents": 1},
        ])
    );
    // True positive: 2 of 3 said, 2 of 4 recorded, F1 4/7. False positive: 1 of 3, 1 of 2, F1 2/5. Informational: none said.
    let class = |n: usize| (a["classes"][n]["precision"].clone(), a["classes"][n]["recall"].clone(), a["classes"][n]["f1"].clone());
    assert_eq!(class(0), (json!(66.7), json!(50.0), json!(57.1)));
    assert_eq!(class(1), (Value::Null, json!(0.0), json!(0.0)));
    assert_eq!(class(2), (json!(33.3), json!(50.0), json!(40.0)));
    assert_eq!(a["macro_f1"], json!(32.4));
    // From 90 on: 2 of 3 are right; with those from 60 on, 3 of 6 only.
    assert_eq!(a["at_precision"], json!({"wanted": 60, "confidence": 90, "precision": 66.7, "coverage": 42.9}));
    assert_eq!(a["disagreements"].as_array().unwrap().len(), 3);
    // Clauses: `spreads` and `seen` once an incident; `machine_hit` once a machine, 17 of 40 of them hit.
    let p = &r["playbooks"][0];
    let clause = |id: &str| p["conditions"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone();
    assert_eq!(clause("spreads"), json!({"id": "spreads", "asked": 8, "held": 4, "share": 50.0}));
    assert_eq!(clause("seen"), json!({"id": "seen", "asked": 8, "held": 7, "share": 87.5}));
    assert_eq!(clause("machine_hit"), json!({"id": "machine_hit", "asked": 40, "held": 17, "share": 42.5}));
    assert_eq!(p["cards"][0], json!({"id": "isolate", "action": "device.isolate", "incidents": 7, "share": 87.5, "cards": 17}));
    assert_eq!(r["unrecognised"]["titles"], json!([{"text": "odd thing * on *", "count": 8}]));
}

#[test]
fn a_corpus_in_every_shape_gives_the_same() {
    let folder = fresh("replay");
    playbooks(&folder.join("pb"));
    let all: Vec<Value> = (0..6).map(|n| incident(&format!("i{n}"), 4, n % 4, Some("true_positive"))).collect();
    let lines: String = all.iter().map(|v| format!("{v}\n")).collect();
    std::fs::write(folder.join("lines.jsonl"), &lines).unwrap();
    std::fs::write(folder.join("list.json"), serde_json::to_string_pretty(&all).unwrap()).unwrap();
    let many = folder.join("many/deep");
    std::fs::create_dir_all(&many).unwrap();
    for (n, v) in all.iter().enumerate() {
        std::fs::write(many.join(format!("{n}.json")), v.to_string()).unwrap();
    }
    let run = |incidents: &str, stdin: &str| {
        let out = engine(&["replay", "--incidents", incidents, "--playbooks", "pb", "--no-shipped"], stdin.as_bytes(), &folder);
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains("6 incidents in ") && said.contains(" a second"), "{said}");
        document(&out)
    };
    let wanted = run("lines.jsonl", "");
    assert_eq!(wanted["incidents"], 6);
    assert_eq!(run("list.json", ""), wanted);
    assert_eq!(run("many", ""), wanted);
    assert_eq!(run("-", &lines), wanted);
    assert_eq!(run("-", &serde_json::to_string(&all).unwrap()), wanted);

    // Broken lines are counted and named; the others are read.
    let broken = lines.replacen("{\"alerts\"", "{\"alerts\" x", 1) + "not json\n\n{\"a\": 1}\n";
    std::fs::write(folder.join("broken.jsonl"), broken).unwrap();
    let out = engine(&["replay", "--incidents", "broken.jsonl", "--playbooks", "pb", "--no-shipped", "--format", "json"], b"", &folder);
    let r = document(&out);
    assert_eq!((r["incidents"].clone(), r["unread"]["count"].clone()), (json!(5), json!(3)));
    assert_eq!(r["unread"]["codes"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 3);
    let names: Vec<&str> = r["unread"]["first"].as_array().unwrap().iter().map(|x| x["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["broken.jsonl:1", "broken.jsonl:7", "broken.jsonl:9"]);
    let none = engine(&["replay", "--incidents", "nowhere", "--playbooks", "pb"], b"", &folder);
    assert_eq!(none.status.code(), Some(3));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A stream without end in sight: only what is being worked on is in memory.
#[test]
fn a_long_file_is_read_piece_by_piece() {
    let folder = fresh("stream");
    let one = incident("i", 3, 1, None).to_string();
    let n = count("ENGINE_STREAM", 20_000);
    let mut text = String::from("[");
    for k in 0..n {
        text.push_str(if k == 0 { "" } else { ",\n" });
        text.push_str(&one);
    }
    text.push(']');
    std::fs::write(folder.join("long.json"), &text).unwrap();
    let begun = Corpus::at(&folder.join("long.json")).unwrap();
    let mut seen = 0;
    for item in begun {
        assert_eq!(item.name, format!("{}[{seen}]", folder.join("long.json").display()));
        seen += 1;
        if seen % 1000 == 0 {
            assert_eq!(item.read(None).unwrap().len(), 1);
        }
    }
    assert_eq!(seen, n);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What a playbook could be edited to: the words that are there, and others in their place.
const EDITS: &[(&str, &str)] = &[
    ("&&", "||"),
    ("||", "&&"),
    (".some(", ".all("),
    ("> 0", "> 1"),
    ("priority: ", "priority: 1 # "),
    ("confidence: ", "confidence: 1"),
    ("true_positive", "false_positive"),
    ("match:", "match: # "),
    ("    when:", "    # when:"),
    ("why: ", "why: edited "),
    ("users", "alerts"),
    ("malicious", "suspicious"),
    ("*", "* *"),
];

/// Two ways to the same figures: from what is remembered, and all of it anew.
#[test]
fn what_is_remembered_after_an_edit_is_what_a_new_replay_says() {
    for seed in 0..count("ENGINE_RECALLS", 2) {
        let mut r = Random::new(900 + seed as u64);
        let past: Vec<Past> = (0..24)
            .map(|at| {
                let mut v = telling_incident(&mut r);
                v["classification"] = r.pick(&[None, Some("true_positive"), Some("false_positive")]).map_or(Value::Null, Value::from);
                Past { at, incident: intake::read(v.to_string().as_bytes(), None).unwrap().remove(0).incident }
            })
            .collect();
        let originals = shipped();
        let mut files = originals.clone();
        let mut compiler = Compiler::default();
        let mut set = compiler.compile(&files);
        let mut edits = 0;
        let (mut asked, mut spared) = (0, 0);
        while edits < 30 {
            let ground = set.clone();
            let facts: Vec<_> = past.iter().map(|p| eval::facts(&ground, &p.incident, None).0).collect();
            let mut recall = Recall::new(&past, &facts);
            while same_ground(&ground, &set) && edits < 30 {
                let now = set.clone();
                let mut turn = recall.turn(&now);
                (asked, spared) = (asked + turn.new, spared + (turn.all - turn.new));
                let mut asker = Asker::new(&turn);
                let mut heard: Vec<_> = (0..past.len()).filter_map(|n| recall.ask(&turn, &mut asker, n)).collect();
                drop(asker);
                r.shuffle(&mut heard);
                heard.into_iter().for_each(|h| recall.hear(&mut turn, h));
                let remembered = recall.settle(turn);
                let mut counter = Counter::new(&now);
                past.iter().for_each(|p| counter.add(&p.incident, &context(), p.at));
                assert_eq!(remembered, counter.finish(), "seed {seed}, edit {edits}");
                // One file is edited, put back as it was, or taken away; mostly a playbook.
                for _ in 0..1 + r.below(2) {
                    let n = r.below(files.len());
                    let text = &mut files[n].text;
                    if !text.contains("\nplaybook:") && !text.starts_with("playbook:") && r.chance(90) {
                        continue;
                    }
                    if r.chance(30) {
                        *text = originals[n].text.clone();
                    } else {
                        let (from, to) = r.pick(EDITS);
                        let places: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
                        if !places.is_empty() {
                            let at = *r.pick(&places);
                            text.replace_range(at..at + from.len(), to);
                        }
                    }
                    set = compiler.compile(&files);
                }
                edits += 1;
            }
        }
        assert!(asked > 0 && spared > 10 * asked, "{asked} asked, {spared} spared");
    }
}
