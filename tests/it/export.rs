//! An incident written in our own format and read again is the same incident.

use guided_response::intake::native::write;
use guided_response::intake::{self, Read, read_value};
use guided_response::model::Incident;

use crate::oracle::random_incident;
use crate::random::{Random, count};
use crate::support::path;
use crate::whole::{answer, fixtures, real, shipped_set, telling_incident};

/// The incident as text, to compare.
fn all_of(i: &Incident) -> String {
    format!("{i:#?}")
}

fn same(name: &str, read: &Read) {
    let written = write(&read.incident);
    let again = read_value(&written).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let (one, two) = (all_of(&read.incident), all_of(&again.incident));
    if one != two {
        let line = one.lines().zip(two.lines()).position(|(a, b)| a != b).unwrap_or_default();
        let around = |t: &str| t.lines().skip(line.saturating_sub(12)).take(60).collect::<Vec<_>>().join("\n");
        panic!("{name}: line {line}\n--- before\n{}\n--- after\n{}", around(&one), around(&two));
    }
    assert_eq!(written, write(&again.incident), "{name}: written twice");
    let (before, after) = (answer(shipped_set(), read), answer(shipped_set(), &again));
    assert_eq!(before.triage, after.triage, "{name}");
    assert_eq!(before.cards, after.cards, "{name}");
    assert_eq!(before.hunts, after.hunts, "{name}");
}

#[test]
fn fixtures_and_real_incidents_are_written_and_read_unchanged() {
    let mut read = 0;
    for p in fixtures().into_iter().chain(real()) {
        let Ok(all) = intake::read(&std::fs::read(&p).unwrap(), None) else { continue };
        for r in &all {
            same(&p.display().to_string(), r);
            read += 1;
        }
    }
    for r in guided_response::runtime::incidents::read(&path("tests/data/incidents/sentinel-tables"), None).unwrap() {
        same("sentinel-tables", &r);
    }
    for n in ["incident_134", "incident_322", "incident_38"] {
        let folder = path("../shared/data/sentinel-excytin").join(n);
        if folder.is_dir() {
            for r in guided_response::runtime::incidents::read(&folder, None).unwrap() {
                same(n, &r);
                read += 1;
            }
        }
    }
    assert!(read > 10, "{read}");
}

#[test]
fn random_incidents_are_written_and_read_unchanged() {
    for seed in 0..count("ENGINE_WRITTEN", 60) as u64 {
        let mut r = Random::new(seed);
        let json = if seed % 2 == 0 { telling_incident(&mut r) } else { random_incident(&mut r) };
        same(&format!("seed {seed}"), &read_value(&json).unwrap());
    }
}

/// Entities that share an id and are kept apart stay apart, and case matters where it does.
#[test]
fn what_was_kept_apart_stays_apart() {
    let json = serde_json::json!({"schema": "guided-response/incident/1", "id": "x", "alerts": [
        {"id": "a-1", "title": "t", "first": "2026-01-12T09:30:00Z", "entities": ["url:https://h.example/A", {"ref": "url:https://h.example/a", "roles": ["victim"], "record": true}]}],
        "entities": [
            {"id": "url:https://h.example/A"}, {"id": "url:https://h.example/a"},
            {"id": "user:a", "aliases": ["sid:S-1-5-21-1-2-3-1001", "aad:11111111-1111-1111-1111-111111111111"]},
            {"id": "user:b", "aliases": ["sid:S-1-5-21-1-2-3-1001", "aad:22222222-2222-2222-2222-222222222222"]}]});
    let read = read_value(&json).unwrap();
    assert_eq!(read.incident.entities.len(), 5, "two addresses, their domain, two users");
    same("apart", &read);
    let alert = &read.incident.alerts[0];
    assert_eq!(alert.named.len(), 1, "one is held, the others are named");
}

/// Nothing that only rules may say is read: a signal, a verdict of a list's tag, a playbook's word.
#[test]
fn an_incident_cannot_claim_what_rules_say() {
    let json = serde_json::json!({"schema": "guided-response/incident/1", "id": "x", "signals": ["ransomware_activity"],
        "alerts": [{"id": "a-1", "title": "t", "signals": ["ransomware_activity"], "entities": ["user:ada@example.com"]}],
        "entities": [{"id": "user:ada@example.com", "kind": "user", "settled": true, "signals": ["ransomware_activity"], "malicious": true}]});
    let read = read_value(&json).unwrap();
    let (facts, _) = guided_response::eval::facts(shipped_set(), &read.incident, None);
    assert!(facts.signals().is_empty());
    assert_eq!(read.incident.entities[0].verdict.word(), "unknown");
}

#[test]
fn a_value_must_be_one_incident() {
    let refused = |v: serde_json::Value| read_value(&v).unwrap_err().diagnostic.message.clone();
    assert!(refused(serde_json::json!([])).contains("empty list"));
    assert!(refused(serde_json::json!([{"id": "a", "alerts": []}, {"id": "b", "alerts": []}])).contains("no incident"));
    assert!(refused(serde_json::json!({"schema": "guided-response/incident/9"})).contains("another version"));
    assert!(refused(serde_json::json!(7)).contains("a number"));
    assert_eq!(read_value(&serde_json::json!({"id": "a", "severity": "low"})).unwrap().incident.id.as_ref(), "a", "the format need not be said");
}
