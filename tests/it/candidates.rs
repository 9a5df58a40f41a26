//! The index finds just the playbooks whose `match:` holds: compared with asking each of them, as edits change one after
//! another.

use guided_response::eval;
use guided_response::model::technique::base;
use guided_response::playbook::set::Match;
use guided_response::playbook::{Compiler, Input};
use guided_response::script::Facts;

use crate::random::Random;
use crate::support::{file, incident};

const RARE: &[&str] = &["s0", "s1", "s2", "never"];
const MANY: usize = 5_000;
const TECHNIQUES: &[&str] = &["T1566", "T1566.002", "T1059", "T1059.001", "T1003", "T1078"];

fn page(r: &mut Random, n: usize) -> Input {
    let mut asked = String::new();
    let mut some = |r: &mut Random, key: &str, chance: usize, all: &[&str]| {
        if r.chance(chance) {
            let words: Vec<&str> = (0..=r.below(2)).map(|_| *r.pick(all)).collect();
            asked.push_str(&format!("  {key}: [{}]\n", words.join(", ")));
        }
    };
    // Most ask for what hardly any incident says.
    let signals: &[&str] = if r.below(200) > 0 { &["never"] } else { RARE };
    some(r, "signals", 100, signals);
    some(r, "types", 5, &["t0", "t1"]);
    some(r, "techniques", 60, TECHNIQUES);
    some(r, "entities", 30, &["user", "device", "ip"]);
    if r.chance(30) {
        asked.push_str(&format!("  severity: {}\n", r.pick(&["low", "medium", "high"])));
    }
    let asked = if asked.is_empty() { asked } else { format!("match:\n{asked}") };
    let text =
        format!("playbook: a.p{n:05}\nformat: 1\nversion: 1.0.0\ntitle: T\nstatus: test\nowner: soc@example.com\ndescription: A playbook.\n{asked}");
    file(&format!("{n:05}.yaml"), &text)
}

fn holds(m: &Match, facts: &Facts<'_>) -> bool {
    let types = m.types.is_empty() || facts.types.iter().any(|(t, _)| m.types.contains(t));
    let signals = m.signals.is_empty() || facts.signals().iter().any(|s| m.signals.contains(s));
    let asked = |t: &str| m.techniques.iter().any(|a| a == t || a == base(t));
    let techniques = m.techniques.is_empty() || facts.techniques().iter().any(|t| asked(t));
    types && signals && techniques && m.entities.iter().all(|k| facts.has_kind(*k)) && m.severity <= facts.incident.severity
}

#[test]
fn candidates_are_those_whose_match_holds() {
    let mut r = Random::new(11);
    let signals: String = RARE.iter().map(|s| format!("  {s}:\n    title: T\n    any:\n      - detectors: [d.{s}]\n")).collect();
    let types = "incident_types:\n  t0:\n    title: T\n    any:\n      - { signals: [s0], weight: 50 }\n  t1:\n    title: T\n    any:\n      - { signals: [s1], weight: 50 }\n";
    let mut files = vec![file("signals.yaml", &format!("signals:\n{signals}")), file("types.yaml", types)];
    files.extend((0..MANY).map(|n| page(&mut r, n)));
    let mut compiler = Compiler::default();
    let mut set = compiler.compile(&files);
    let incidents: Vec<_> = (0..30)
        .map(|n| {
            let severity = r.pick(&["low", "medium", "high"]);
            let alerts: Vec<String> = (0..r.below(4))
                .map(|a| {
                    format!(
                        r#"{{ "id": "a{a}", "title": "t", "detectors": ["d.{}"], "techniques": ["{}"], "entities": {{ "user:u{a}": "" }} }}"#,
                        r.pick(&RARE[..3 + usize::from(n < 5)]),
                        r.pick(TECHNIQUES)
                    )
                })
                .collect();
            let text = format!(
                r#"{{ "schema": "guided-response/incident/1", "id": "i{n}", "title": "t", "severity": "{severity}", "entities": [{{ "id": "device:d", "kind": "device" }}], "alerts": [{}] }}"#,
                alerts.join(", ")
            );
            incident(text.as_bytes())
        })
        .collect();
    let mut found = 0;
    for round in 0..20 {
        assert_eq!(set.playbooks.len(), MANY, "{:?}", set.diagnostics.first());
        for i in &incidents {
            let (facts, _) = eval::facts(&set, i, None);
            let wanted: Vec<usize> = (0..MANY).filter(|n| holds(&set.playbooks[*n].matching, &facts)).collect();
            assert_eq!(set.index.find(&facts).map(|(n, _)| n).collect::<Vec<_>>(), wanted, "round {round}, incident {}", i.id);
            found += wanted.len();
        }
        for _ in 0..10 {
            let n = r.below(MANY);
            compiler.put(&page(&mut r, n));
        }
        set = compiler.set();
    }
    assert!(found > 1_000, "{found}");
}
