//! After any sequence of edits, the compiler that remembers gives what a new one would give.

use std::collections::BTreeMap;

use guided_response::card::{Context, respond};
use guided_response::diag::human;
use guided_response::model::Incident;
use guided_response::playbook::{Compiler, Input, PlaybookSet, compile};

use crate::random::{Random, count};
use crate::support::{example, incident, path};

/// A whole small world: what each kind of file may hold. `N` is a number, `P`, `L`, `S`, `A`, `T` and `K` are ids out of
/// few, so that files meet: they declare the same, replace one another, name what is there and what is not.
const KINDS: &[(&str, &str)] = &[
    (
        "playbook",
        r#"playbook: P
format: 1
version: 1.N.0
title: A title N
use: [K]
match: { signals: [S], severity: low }
bind:
  people: users.filter(|u| u.name != "N" && !u.in_list("L"))
conditions:
  busy:
    with: user
    if: user.alerts.len() > 0 && user.name.len() > N && !user.name.matches("x{N}")
    pass: "{user} did something"
    fail: "{user} did nothing"
triage:
  - { classify: true_positive, determination: phishing, confidence: N, when: "people.some(|u| busy(u))", why: "{people} did something" }
containment:
  - { id: first, action: A, for: user in people, when: busy(user), why: "{user} is one of {people}", priority: N }
investigation:
  - { id: second, action: A, for: user in users, why: N times }
"#,
    ),
    (
        "playbook with a library",
        r#"playbook: P
format: 1
version: 1.N.1
title: Another title
use: [K, K]
match: { types: [T], entities: [user] }
triage:
  - { classify: informational, confidence: N, when: "shared_N", why: as it is }
remediation:
  - { id: third, action: A, for: user in known_N, why: "{user} is known", confidence: N, after: [fourth] }
  - { id: fourth, action: A, for: user in users, why: "all of them, N" }
"#,
    ),
    (
        "library",
        "library: K\ntitle: Shared N\nbind:\n  known_a: users.filter(|u| u.name != \"N\")\n  known_N: users\nconditions:\n  shared_a: { if: \"known_a.len() > 1\", pass: there are N, fail: there are not }\n  shared_N: { if: \"alerts.having(\\\"S\\\").len() > 0\", pass: said, fail: not said }\n",
    ),
    (
        "signals",
        "signals:\n  S:\n    title: Signal N\n    any: [{ titles: [\"malicious url was clicked\", \"*N*\"] }]\n    says: { relations: [\"user clicked url\"] }\n  extra_N:\n    title: Another\n    any: [{ titles: [\"sign-in from*\"] }, { if: 'alert.entities(\"user\").len() > N' }]\n",
    ),
    (
        "lists",
        "lists:\n  L: { kind: user, values: [bo@contoso.com, \"x{N}@contoso.com\"], tag: tagged-N }\n  other_N: { kind: ip, values: [203.0.113.0/24] }\n",
    ),
    (
        "actions",
        r#"actions:
  A:
    title: Do it, N
    phase: containment
    kinds: [user]
    permissions: ["p:N"]
    impact: high
    undo: user.two
    never:
      - { if: 'target.in_list("L")', why: "{target} is on the list, N" }
  user.two:
    title: Take it back
    phase: remediation
    kinds: [user]
    permissions: ["p:2"]
"#,
    ),
    (
        "incident types",
        "incident_types:\n  T:\n    title: Type N\n    any:\n      - { signals: [S], weight: 60 }\n      - { if: 'users.len() > N', weight: N }\n",
    ),
    ("permissions", "permissions:\n  roles: { responder: [\"p:N\", \"p:2\"], role_N: [\"p:1\"] }\n  users: { ada@contoso.com: [responder] }\n"),
    ("overlay of a playbook", "overlay: P\nbase: ^1.0\nset: { containment.first.priority: N, title: Changed N }\n"),
    ("overlay that breaks", "overlay: P\nset: { containment.first.when: \"nothing_N\" }\n"),
    ("overlay that takes away", "overlay: P\ndisable: [investigation.second]\n"),
    ("overlay of a list", "overlay: lists.L\nadd: { values: [ada@contoso.com] }\n"),
    ("overlay of a signal", "overlay: signals.S\nset: { title: Changed N }\n"),
    ("overlay of a library", "overlay: library.K\nset: { bind.known_a: users }\n"),
    ("overlay of an action", "overlay: actions.A\nset: { title: no }\n"),
    ("remarks", "# nothing yet, N\n"),
    ("nothing", ""),
    ("no kind", "playbok: P\ntitle: N\n"),
    ("a list", "- N\n- P\n"),
    ("not YAML", "playbook: P\n  title: [N\n"),
];

const IDS: &[(char, &[&str])] = &[
    ('P', &["one", "two", "three.a", "three.b"]),
    ('L', &["friends", "foes", "frends"]),
    ('S', &["clicked", "signed_in", "cliked"]),
    ('A', &["user.one", "user.two", "user.three"]),
    ('T', &["phish", "malware"]),
    ('K', &["base", "more", "nowhere"]),
];

/// The text of a file of some kind.
fn text(r: &mut Random) -> String {
    // Half of the files are of the kinds that make a set.
    let kind = if r.chance(60) { r.below(8) } else { r.below(KINDS.len()) };
    filled(r, KINDS[kind].1, 80)
}

/// A pattern with ids and numbers in it, the usual ones with this chance.
fn filled(r: &mut Random, pattern: &str, usual: usize) -> String {
    let mut out = String::new();
    let all: Vec<char> = pattern.chars().collect();
    for (n, c) in all.iter().enumerate() {
        let alone = |n: Option<usize>| n.and_then(|n| all.get(n)).is_none_or(|c| !c.is_alphanumeric());
        let (before, after) = (alone(n.checked_sub(1)) || all[n - 1] == '_' || all[n - 1] == 'x', alone(Some(n + 1)));
        match IDS.iter().find(|(id, _)| id == c) {
            Some((_, ids)) if before && after => {
                // The first is the usual one.
                let id = if r.chance(usual) { ids[0] } else { r.pick(ids) };
                out.push_str(id);
            }
            _ if *c == 'N' && before && after => out.push_str(&(if usual == 100 { 0 } else { r.below(3) }).to_string()),
            _ => out.push(*c),
        }
    }
    out
}

/// Files of every kind that make a set which answers.
fn good(r: &mut Random) -> Vec<Input> {
    let mut all = Vec::new();
    for (n, (_, pattern)) in KINDS.iter().enumerate().take(8) {
        let text = filled(r, pattern, 100);
        // The second playbook is another one.
        let text = if n == 1 { text.replacen("playbook: one", "playbook: two", 1) } else { text };
        all.push(Input { path: format!("a/{n}.yaml"), text, layer: 1 });
    }
    all
}

/// A text after a small accident.
fn broken(r: &mut Random, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = r.below(chars.len());
    let lines: Vec<&str> = text.lines().collect();
    match r.below(7) {
        0 => chars[..at].iter().collect(),
        1 => lines.iter().enumerate().filter(|(n, _)| *n != at % lines.len().max(1)).map(|(_, l)| format!("{l}\n")).collect(),
        2 => lines.iter().enumerate().map(|(n, l)| if n == at % lines.len().max(1) { format!("{l}\n{l}\n") } else { format!("{l}\n") }).collect(),
        3 => chars[..at].iter().chain(&['é', ':', ' ', '"']).chain(&chars[at..]).collect(),
        4 => format!("\u{feff}{text}"),
        5 => format!("# a line more\n{text}"),
        _ => text.replacen("user", "usr", 1),
    }
}

/// All that can be seen of a set, with its answers.
fn seen(set: &PlaybookSet, incidents: &[Incident]) -> Vec<(String, String)> {
    let mut all = vec![
        ("revision".to_owned(), set.revision.clone()),
        ("skipped".to_owned(), format!("{:#?}", set.skipped)),
        (
            "diagnostics".to_owned(),
            serde_json::to_string_pretty(&set.diagnostics.iter().map(|d| d.to_wire(&set.sources)).collect::<Vec<_>>()).unwrap(),
        ),
        ("drawn".to_owned(), human::render(&set.diagnostics, &set.sources, false)),
        ("files".to_owned(), set.sources.iter().map(|(_, f)| format!("{}\n{}\n", f.path, f.text)).collect()),
        ("playbooks".to_owned(), set.playbooks.iter().map(|p| format!("{} {} {}\n", p.id, p.version, set.sources.place(p.span).file)).collect()),
        ("lists".to_owned(), set.lists.iter().map(|l| format!("{} {:?}\n", l.id, set.sources.place(l.span))).collect()),
        ("signals".to_owned(), set.signals.iter().map(|s| format!("{} {:?}\n", s.id, set.sources.place(s.span))).collect()),
        ("actions".to_owned(), set.actions.values().map(|a| format!("{} {:?}\n", a.id, set.sources.place(a.span))).collect()),
        ("types".to_owned(), set.types.iter().map(|t| format!("{} {}\n", t.id, t.title)).collect()),
        ("permissions".to_owned(), format!("{:?}", set.permissions)),
        ("index".to_owned(), format!("{:?}", set.index)),
    ];
    let today = guided_response::model::time::time("2026-02-01").unwrap();
    for (n, i) in incidents.iter().enumerate() {
        let actor = set.permissions.of("responder").filter(|_| n % 2 == 1).map(|p| ("responder".to_owned(), p));
        let answer = respond(set, i, &Context { now: None, today, actor, input: Vec::new(), only: None });
        all.push((format!("the answer to {}", i.id), serde_json::to_string_pretty(&answer).unwrap()));
    }
    all
}

fn difference(a: &str, b: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let n = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let part = |v: &[&str]| v[n.saturating_sub(3).min(v.len())..(n + 6).min(v.len())].join("\n");
    format!("at line {}\n--- one who remembers\n{}\n--- a new one\n{}", n + 1, part(&a), part(&b))
}

/// Runs one sequence of edits; counts the steps at which the set loads in full, the steps with a card, and the steps at
/// which the number of places for answers shows that something was kept.
fn sequence(seed: u64, steps: usize, start: &[Input], incidents: &[Incident]) -> (usize, usize, usize) {
    let mut r = Random::new(seed);
    let mut files: BTreeMap<(usize, String), String> = start.iter().map(|i| ((i.layer, i.path.clone()), i.text.clone())).collect();
    let (mut whole, mut single) = (Compiler::default(), Compiler::default());
    start.iter().for_each(|i| {
        single.put(i);
    });
    let (mut full, mut cards, mut kept) = (0, 0, 0);
    for step in 0..steps {
        if step % 6 == 0 {
            // Another branch is checked out: that of the beginning.
            let before = std::mem::take(&mut files);
            for i in start {
                files.insert((i.layer, i.path.clone()), i.text.clone());
                single.put(i);
            }
            before.keys().filter(|name| !files.contains_key(*name)).for_each(|(layer, path)| single.remove(*layer, path));
        }
        for _ in 0..=r.below(2) {
            let mut names: Vec<_> = files.keys().filter(|(layer, _)| *layer > 0).cloned().collect();
            r.shuffle(&mut names);
            let new = (1 + r.below(2), format!("{}/{}.yaml", r.pick(&["a", "b"]), r.below(9)));
            let put = match (r.below(14), names.first()) {
                (12.., Some(name)) if !start.is_empty() => {
                    // A file of the beginning is mended.
                    let i = r.pick(start);
                    if i.layer == 0 { (name.clone(), text(&mut r)) } else { ((i.layer, i.path.clone()), i.text.clone()) }
                }
                (0 | 1, Some(name)) => {
                    files.remove(name);
                    single.remove(name.0, &name.1);
                    continue;
                }
                (2, Some(name)) => {
                    let text = files.remove(name).unwrap();
                    single.remove(name.0, &name.1);
                    (new, text)
                }
                (3..=5, Some(name)) => (name.clone(), broken(&mut r, &files[name])),
                (6..=8, Some(name)) => (name.clone(), text(&mut r)),
                _ => (new, text(&mut r)),
            };
            files.insert(put.0.clone(), put.1.clone());
            single.put(&Input { layer: put.0.0, path: put.0.1, text: put.1 });
        }
        let inputs: Vec<Input> = files.iter().map(|((layer, path), text)| Input { path: path.clone(), text: text.clone(), layer: *layer }).collect();
        let fresh = compile(&inputs);
        let wanted = seen(&fresh, incidents);
        for (how, set) in [("all files given", whole.compile(&inputs)), ("edits given", single.set())] {
            kept += usize::from(set.questions > fresh.questions);
            for ((what, got), (_, want)) in seen(&set, incidents).iter().zip(&wanted) {
                assert!(got == want, "seed {seed}, step {step}, {how}, {what}: {}", difference(got, want));
            }
        }
        full += usize::from(fresh.skipped.is_empty());
        cards += usize::from(wanted.iter().any(|(_, t)| t.contains("\"priority\"")));
    }
    (full, cards, kept)
}

#[test]
fn edits_one_after_another_give_what_a_new_start_gives() {
    let incidents = [example(), incident(&std::fs::read(path("tests/data/incidents/graph-phishing-clicked.json")).unwrap())];
    let (mut full, mut cards, mut kept) = (0, 0, 0);
    let runs = count("ENGINE_RELOADS", 12);
    for seed in 0..runs as u64 {
        // Some begin with nothing, most with a set that answers.
        let start = if seed % 4 == 0 { Vec::new() } else { good(&mut Random::new(seed)) };
        let first = compile(&start);
        assert_eq!(first.skipped, [], "{}", human::render(&first.diagnostics, &first.sources, false));
        let made = sequence(seed, 60, &start, &incidents);
        (full, cards, kept) = (full + made.0, cards + made.1, kept + made.2);
    }
    println!("{} steps: {full} load in full, {cards} answer with cards, {kept} times places were kept", runs * 60);
    assert!(full > runs && cards > runs * 5 && kept > runs, "the edits are of too few kinds: {full} {cards} {kept}");
}

#[test]
fn edits_beside_what_ships_give_what_a_new_start_gives() {
    let incidents = [example(), incident(&std::fs::read(path("tests/data/incidents/graph-phishing-clicked.json")).unwrap())];
    let shipped = guided_response::runtime::playbooks::shipped();
    for seed in 0..count("ENGINE_RELOADS", 12).div_ceil(12) as u64 {
        sequence(seed, 12, &shipped, &incidents);
    }
}

/// Playbooks of which each asks something of its own, and something that all ask.
pub fn many(n: usize) -> Vec<Input> {
    let mut all: Vec<Input> = guided_response::runtime::playbooks::shipped();
    all.extend((0..n).map(|k| Input { path: format!("many/{:03}/p{k:05}.yaml", k / 100), text: one_of_many(k, 50), layer: 1 }));
    all
}

/// One of them.
pub fn one_of_many(k: usize, priority: usize) -> String {
    format!(
        r#"playbook: many.p{k:05}
format: 1
version: 1.0.0
title: Number {k}
status: experimental
owner: soc@example.com
description: >
  One of many.
match:
  signals: [{signal}]
  entities: [user]
bind:
  people: users.filter(|u| u.malicious || u.has_signal("{signal}"))
  marked: people.filter(|u| u.name != "nobody {k}" && !u.has_role("attacker"))
conditions:
  busy:
    with: user
    if: user.alerts.len() > {few} || user.edges("clicked").some(|e| e.to.malicious)
    pass: "{{user}} did something"
    fail: "{{user}} did nothing that is recorded"
  several:
    if: marked.len() > {few} && emails.count(|m| m.subject.contains("number {k}")) >= 0
    pass: "{{marked}} were seen"
    fail: nobody was seen
triage:
  - {{ classify: true_positive, determination: phishing, confidence: {few}, when: "several && marked.some(|u| busy(u))", why: "{{marked}} did something" }}
containment:
  - {{ id: revoke, action: user.revoke_sessions, for: user in marked, when: busy(user), why: "{{user}} is one of {{people}}", priority: {priority}, confidence: 60 }}
"#,
        signal = ["url_clicked", "malicious_email_delivered", "inbox_rule_created", "password_spray"][k % 4],
        few = k % 7,
    )
}

/// How long an edit takes among many files; in a release build the number that the documentation gives.
#[test]
fn an_edit_among_many_files_takes_little() {
    let n = count("ENGINE_MANY", 300);
    let mut inputs = many(n);
    let mut compiler = Compiler::default();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = std::time::Instant::now();
        work();
        let took = begun.elapsed();
        println!("{n} playbooks: {what} {:.2} ms", took.as_secs_f64() * 1000.0);
        took
    };
    let mut set = None;
    let first = timed("the first set", &mut || set = Some(compiler.compile(&inputs)));
    assert_eq!(set.as_ref().unwrap().skipped, []);
    let mut edits = Vec::new();
    for round in 0..5 {
        let at = inputs.len() - 1 - round * 7;
        inputs[at].text = one_of_many(n - 1 - round * 7, 60 + round);
        edits.push(timed("an edit of one", &mut || {
            assert!(compiler.put(&inputs[at]));
            set = Some(compiler.set());
        }));
    }
    timed("the same, given all files", &mut || {
        inputs.last_mut().unwrap().text = one_of_many(n - 1, 77);
        set = Some(compiler.compile(&inputs));
    });
    for (what, kind) in [("a file of lists", "lists:"), ("a file of signals", "signals:"), ("a file of actions", "actions:")] {
        let at = inputs.iter().position(|i| i.text.lines().any(|l| l == kind)).unwrap();
        inputs[at].text.push_str("# a remark\n");
        timed(&format!("an edit of {what}"), &mut || {
            compiler.put(&inputs[at]);
            set = Some(compiler.set());
        });
    }
    let fresh = compile(&inputs);
    let set = set.unwrap();
    assert_eq!((&set.revision, set.playbooks.len()), (&fresh.revision, fresh.playbooks.len()));
    edits.sort();
    assert!(edits[2] * 10 < first, "an edit takes {:?}, all files {first:?}", edits[2]);
}
