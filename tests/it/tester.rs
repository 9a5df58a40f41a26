//! `engine test`: what a test expects is held against what came, at its place and with the reason; coverage counts both
//! outcomes of each clause; changes of conditions are noticed or listed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use guided_response::playbook::{Input, PlaybookSet, compile, tests};
use guided_response::runtime::playbooks::shipped;
use guided_response::tester::coverage::Coverage;
use guided_response::tester::report::{Case, Suite, Verdict, junit::junit};
use guided_response::tester::test::{Outcome, Wish, run};
use serde_json::Value;

use crate::support::path;

/// A playbook with everything that a test can expect. Line numbers in the tests below count from the top of the file:
/// its head has 39 lines.
const HEAD: &str = r#"playbook: acme.clicked
format: 1
version: 1.0.0
title: Someone followed a link
match: { signals: [url_clicked] }
bind:
  lured: 'users.filter(|u| u.has_role("victim") && u.out("clicked").len() > 0)'
conditions:
  used:
    with: user
    if: 'user.has_role("compromised") || user.edges("signed_in_from").some(|e| e.to.suspicious)'
    pass: '{user} is used by someone else'
    fail: 'nobody else uses {user}'
triage:
  - { classify: true_positive, determination: compromised_account, confidence: 90, when: 'lured.some(|u| used(u))', why: an account is used }
  - { classify: true_positive, determination: phishing, confidence: 70, when: 'lured.len() > 0', why: a link was followed }
containment:
  - { id: revoke, action: user.revoke_sessions, for: user in lured, when: used(user), why: '{user} is used by someone else' }
  - { id: block, action: url.block, for_all: links in urls, why: 'an alert speaks of {links}' }
  - { id: disable, action: user.disable, for: user in users, when: 'user.account_status == "disabled" && !used(user)', why: 'done' }
investigation:
  - { id: look, action: incident.list_victims, when: 'alerts.len() > 1', why: 'several alerts' }
  - { id: ask, action: user.contact, for: user in lured, why: 'ask {user}', hunt: mails }
hunts:
  mails:
    title: Mail to {user}
    with: user
    kql: 'EmailEvents | where RecipientEmailAddress =~ {user.upn}'
exceptions:
  - { id: red_team, cards: [ask], for: { user: [bo@example.com] }, reason: CHG-1, expires: 2026-12-31 }
tests:
  - name: base
    given:
      schema: guided-response/incident/1
      id: INC-1
      alerts: [{ id: a-1, title: Malicious URL was clicked, last: "2026-01-12T09:00:00Z", entities: [{ ref: "user:ada@example.com" }, { ref: "url:https://example.net/a" }] }]
      entities: [{ id: "user:ada@example.com", kind: user, aliases: [S-1-5-21-1-2-3-1001], properties: { upn: ada@example.com } }, { id: "url:https://example.net/a", kind: url }]
    expect:
      triage: true_positive phishing
"#;

fn set(text: &str) -> PlaybookSet {
    let mut files = shipped();
    files.push(Input { path: "own/p.yaml".to_owned(), text: text.to_owned(), layer: 1 });
    let set = compile(&files);
    assert!(!set.diagnostics.iter().any(|d| d.labels.iter().any(|l| &*set.sources.place(l.span).file == "own/p.yaml")), "{:?}", set.diagnostics);
    set
}

fn own(set: &PlaybookSet) -> &guided_response::playbook::Playbook {
    set.playbooks.iter().find(|p| &*p.id == "acme.clicked").unwrap()
}

/// Runs the tests of the playbook with more of them; by name.
fn outcomes(more: &str) -> (PlaybookSet, BTreeMap<String, Outcome>) {
    let set = set(&format!("{HEAD}{more}"));
    let (all, wrong) = tests(&set.sources, own(&set));
    assert!(wrong.is_empty(), "{wrong:?}");
    let none = |_: &str, _: &str| unreachable!("no test names a file");
    let done = all.iter().map(|t| (t.name.to_string(), run(&set, own(&set), t, &none, Wish::Why))).collect();
    (set, done)
}

/// One failed expectation: its key, its line and column, its message, its help, and its other labels.
struct Told {
    key: &'static str,
    at: (usize, usize),
    message: String,
    help: String,
    labels: Vec<String>,
}

/// What fails of a test that starts from the first one.
fn fails(expect: &str) -> Vec<Told> {
    changed("[]", expect)
}

fn changed(patch: &str, expect: &str) -> Vec<Told> {
    let (set, done) = outcomes(&format!("  - {{ name: x, from: base, patch: {patch}, expect: {{ {expect} }} }}\n"));
    let told = done["x"].failures.iter().map(|f| {
        let at = set.sources.place(f.diagnostic.labels[0].span);
        Told {
            key: f.key,
            at: (at.line, at.column),
            message: f.diagnostic.message.clone(),
            help: f.diagnostic.help.clone().unwrap_or_default(),
            labels: f.diagnostic.labels.iter().skip(1).map(|l| l.text.clone()).collect(),
        }
    });
    told.collect()
}

/// The one failure.
fn one(expect: &str) -> Told {
    let mut all = fails(expect);
    assert_eq!(all.len(), 1, "{expect}: {:?}", all.iter().map(|t| &t.message).collect::<Vec<_>>());
    let told = all.remove(0);
    // Every failure is drawn on the test's own line, from the expectation on.
    assert_eq!(told.at.0, 40);
    assert!(told.at.1 > 40);
    told
}

#[test]
fn what_comes_passes() {
    let (_, base) = outcomes("");
    assert!(base["base"].failures.is_empty(), "{:?}", base["base"].failures);
    for expect in [
        "triage: true_positive",
        "triage: true_positive phishing, confidence: 70, matched: true",
        "cards: [ask, block]",
        "cards: [ask user:ada@example.com, \"ask S-1-5-21-1-2-3-1001\", \"ask ADA@example.com\", \"block url:https://example.net/a\"]",
        "only_cards: [ask user:ada@example.com, block]",
        "no_cards: [revoke, \"look\", disable user:ada@example.com]",
        "failed: { revoke: [used], revoke user:ada@example.com: [used, when], look: [when], disable: [when] }",
        "hunts: [mails, Mail to, mail TO ada]",
        "diagnostics: []",
    ] {
        let all = fails(expect);
        assert!(all.is_empty(), "{expect}: {:?}", all.iter().map(|t| (&t.message, &t.help)).collect::<Vec<_>>());
    }
}

#[test]
fn what_differs_is_told_at_its_place_with_the_reason() {
    let t = one("triage: true_positive compromised_account");
    assert_eq!((t.key, t.message.as_str()), ("triage", "triage is `true_positive phishing`, not `true_positive compromised_account`"));
    assert!(t.labels.iter().any(|l| l.contains("nobody else uses ada@example.com")), "{:?}", t.labels);
    assert!(t.help.contains("has no `signed_in_from`"), "{}", t.help);
    assert!(one("triage: false_positive").help.contains("no arm"));
    let t = one("confidence: 71");
    assert_eq!((t.key, t.message.as_str()), ("confidence", "the confidence of triage is 70, not 71"));
    let t = one("matched: false");
    assert_eq!((t.key, t.message.as_str()), ("matched", "`acme.clicked` matches this incident"));

    let t = one("cards: [revoke user:ada@example.com]");
    assert_eq!((t.key, t.message.as_str()), ("cards", "the card `revoke user:ada@example.com` is not there"));
    assert!(t.labels.iter().any(|l| l.contains("nobody else uses ada@example.com")), "{:?}", t.labels);
    assert!(t.help.contains("has no `signed_in_from`"), "{}", t.help);
    // The entity is not in the list of `for`.
    let all = changed("[{ op: add, entity: { id: \"user:bo@example.com\" } }]", "cards: [ask user:bo@example.com]");
    assert!(all[0].labels.iter().any(|l| l.contains("is not in `lured`")), "{:?}", all[0].labels);
    assert!(all[0].labels.iter().any(|l| l.contains("is there as `ask user:ada@example.com`")), "{:?}", all[0].labels);
    let t = one("cards: [\"ask user:adaa@example.com\"]");
    assert_eq!(t.message, "the incident of this test has no entity `user:adaa@example.com`");
    assert_eq!(t.help, "did you mean `user:ada@example.com`?");

    let t = one("only_cards: [ask]");
    assert_eq!((t.key, t.message.as_str()), ("only_cards", "the card `block url:https://example.net/a` is there and was not expected"));
    let t = one("no_cards: [ask]");
    assert_eq!((t.key, t.message.as_str()), ("no_cards", "the card `ask user:ada@example.com` is there"));
    assert!(t.help.contains("roles = victim"), "{}", t.help);

    assert_eq!(one("failed: { ask: [for] }").message, "the card `ask user:ada@example.com` is there");
    let t = one("failed: { revoke: [\"!used\"] }");
    assert_eq!(t.message, "the card `revoke` is not there, but not because of `!used`");
    assert_eq!(t.help, "what fails is `used`, `when`");
    let t = one("hunts: [Mail from]");
    assert_eq!((t.key, t.message.as_str()), ("hunts", "the hunt `Mail from` was not written"));
    assert!(t.help.contains("Mail to"), "{}", t.help);
    let t = one("diagnostics: [GR802]");
    assert_eq!((t.key, t.message.as_str()), ("diagnostics", "no diagnostic `GR802` came"));
    let t = one("unavailable: [ask]");
    assert_eq!((t.key, t.message.as_str()), ("unavailable", "the card `ask user:ada@example.com` is there, but is available"));
    let t = one("completed: [ask]");
    assert_eq!((t.key, t.message.as_str()), ("completed", "the card `ask user:ada@example.com` is there, but is not completed"));
    assert!(t.help.contains("has no `done_when`"), "{}", t.help);
}

#[test]
fn patches_change_the_incident_that_a_test_starts_from() {
    let none = |patch: &str, expect: &str| {
        let all = changed(patch, expect);
        assert!(all.is_empty(), "{patch} {expect}: {:?}", all.iter().map(|t| (&t.message, &t.help, &t.labels)).collect::<Vec<_>>());
    };
    none("[{ op: remove, alert: a-1 }]", "matched: false");
    none(
        "[{ op: set, entity: S-1-5-21-1-2-3-1001, to: { roles: [compromised] } }]",
        "triage: true_positive compromised_account, confidence: 90, cards: [revoke]",
    );
    none("[{ op: set, entity: user:ada@example.com, to: { properties: { account_status: disabled } } }]", "completed: [disable]");
    none("[{ op: set, entity: user:ada@example.com, to: { properties: { upn: null } } }]", "hunts: [Mail to]");
    // The exception is in force on the day of the incident, whatever day it is now; and not on a later `now`.
    let bo = "[{ op: add, entity: { id: \"user:bo@example.com\", roles: [victim] } }, { op: add, alert: a-1, entity: { ref: \"user:bo@example.com\" } }, { op: add, relation: { from: \"user:bo@example.com\", relation: clicked, to: \"url:https://example.net/a\", alerts: [a-1] } }]";
    none(bo, "unavailable: [ask user:bo@example.com], cards: [ask user:ada@example.com]");
    let later = format!(
        "  - {{ name: x, from: base, patch: {bo}, expect: {{ unavailable: [ask user:bo@example.com] }} }}\n  - {{ name: y, from: x, now: 2027-01-02, expect: {{ unavailable: [ask user:bo@example.com] }} }}\n  - {{ name: z, from: y, expect: {{ cards: [ask user:bo@example.com], unavailable: [] }} }}\n"
    );
    let (_, done) = outcomes(&later);
    assert!(done["x"].failures.is_empty());
    assert_eq!(done["y"].failures[0].diagnostic.message, "the card `ask user:bo@example.com` is there, but is available");
    // Patches of the tests on the way hold too.
    assert!(done["z"].failures.is_empty());
    // What cannot be applied is told where it is written.
    let all = changed("[{ op: remove, alert: a-9 }]", "matched: true");
    assert_eq!((all[0].key, all[0].at.0), ("incident", 40));
    assert_eq!(all[0].message, "the incident cannot be changed so: there is no alert `a-9`; did you mean `a-1`?");
}

#[test]
fn wrong_tests_are_told_and_left_out() {
    let cases = [
        ("  - { name: base, from: base, expect: { } }\n", "GR108", "two tests are called `base`", "base, from"),
        ("  - { name: x, from: bse, expect: { matched: true } }\n", "GR302", "there is no test `bse` in this file", "bse"),
        ("  - { name: x, from: x, expect: { matched: true } }\n", "GR304", "`x` starts from itself", "x, expect"),
        ("  - { name: x, expect: { matched: true } }\n", "GR104", "this test has no incident", "x, expect"),
        ("  - { name: x, from: base, incident: a.json, expect: { matched: true } }\n", "GR105", "a test has `incident` or `from`, not both", "base"),
        ("  - { name: x, given: [a], expect: { matched: true } }\n", "GR105", "`given` is an incident in our own format; this is a list", "[a]"),
        ("  - { name: x, from: base, expect: { card: [ask] } }\n", "GR102", "`expect` has no key `card`", "card:"),
        ("  - { name: x, from: base, expects: { matched: true } }\n", "GR102", "a test has no key `expects`", "expects"),
        ("  - { name: x, from: base, expect: { cards: [asks] } }\n", "GR302", "there is no card `asks` in this playbook", "asks"),
        (
            "  - { name: x, from: base, expect: { cards: [look user:ada] } }\n",
            "GR303",
            "the card `look` is about the incident, not about an entity",
            "look user",
        ),
        ("  - { name: x, from: base, expect: { failed: { ask: [usd] } } }\n", "GR302", "there is no condition `usd` in this playbook", "usd"),
        ("  - { name: x, from: base, expect: { hunts: [my_mails] } }\n", "GR302", "there is no hunt `my_mails` in this playbook", "my_mails"),
        ("  - { name: x, from: base, expect: { diagnostics: [GR999] } }\n", "GR302", "there is no code `GR999`", "GR999"),
        ("  - { name: x, from: base, expect: { triage: true_postive } }\n", "GR109", "`true_postive` is not a classification", "true_postive"),
        ("  - { name: x, from: base, expect: { confidence: 101 } }\n", "GR105", "`confidence` is a whole number from 0 to 100; this is `101`", "101"),
        ("  - { name: x, from: base, now: soon, expect: { matched: true } }\n", "GR209", "`soon` is not a moment", "soon"),
        (
            "  - { name: x, from: base, expect: { matched: false, cards: [ask] } }\n",
            "GR105",
            "a playbook that does not match gives nothing: `cards` cannot be expected beside `matched: false`",
            "[ask]",
        ),
        (
            "  - { name: x, given: { id: I, entities: [{ id: \"user:a@b.c\", properties: { upnn: x } }] }, expect: { matched: false } }\n",
            "GR904",
            "a user has no property `upnn`, so it is kept as a field; did you mean `upn`?",
            "upnn",
        ),
        ("  - { name: x, from: base, expect: { } }\n", "GR105", "this test expects nothing, so it cannot fail", "{ }"),
    ];
    for (more, code, message, place) in cases {
        let column = more.rfind(place).unwrap() + 1;
        let set = set(&format!("{HEAD}{more}"));
        let (all, wrong) = tests(&set.sources, own(&set));
        let said: Vec<_> = wrong.iter().map(|d| (d.code, d.message.as_str(), set.sources.place(d.labels[0].span))).collect();
        assert!(said.iter().any(|(c, m, p)| (*c, *m, p.line, p.column) == (code, message, 40, column)), "{more}{said:?}");
        let error = wrong.iter().any(|d| d.severity == guided_response::diag::Severity::Error);
        assert_eq!(all.len(), if error { 1 } else { 2 }, "{more}");
    }
    // A circle of several is told once for each.
    let set =
        set(&format!("{HEAD}  - {{ name: x, from: y, expect: {{ matched: true }} }}\n  - {{ name: y, from: x, expect: {{ matched: true }} }}\n"));
    let (all, wrong) = tests(&set.sources, own(&set));
    assert_eq!((all.len(), wrong.len()), (1, 2), "{wrong:?}");
}

#[test]
fn long_ways_and_many_changes_end() {
    let mut long = HEAD.to_owned();
    let ops = vec!["{ op: set, incident: { severity: low } }"; 20].join(", ");
    for n in 0..100 {
        let from = if n == 0 { "base".to_owned() } else { format!("t{}", n - 1) };
        long.push_str(&format!("  - {{ name: t{n}, from: {from}, patch: [{ops}], expect: {{ matched: true }} }}\n"));
    }
    let set = set(&long);
    let (all, wrong) = tests(&set.sources, own(&set));
    assert_eq!((all.len(), wrong.len()), (51, 50));
    assert!(wrong.iter().all(|d| d.code == "GR111"), "{wrong:?}");
}

/// A folder that goes away, and the program in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("engine-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn engine(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_engine")).arg("test").args(args).current_dir(&self.0).output().unwrap()
    }

    /// The document, and the exit code.
    fn json(&self, args: &[&str]) -> (Value, i32) {
        let out = self.engine(args);
        let json = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
        (json, out.status.code().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_command_counts_tests_and_ends_as_it_should() {
    let more = "  - { name: broken, from: base, expect: { triage: false_positive } }\n  - { name: later, from: base, todo: waits for CHG-2, expect: { cards: [revoke] } }\n  - { name: done, from: base, todo: true, expect: { cards: [ask] } }\n";
    let f = Folder::new("counts").with("pb/p.yaml", &format!("{HEAD}{more}")).with(
        "pb/none.yaml",
        "playbook: acme.none\nformat: 1\nversion: 1.0.0\ntitle: Nothing\ninvestigation:\n  - { id: ask, action: user.contact, for: user in users, why: ask }\n",
    );
    let (doc, exit) = f.json(&["pb"]);
    assert_eq!(exit, 1);
    assert_eq!((&doc["schema"], &doc["passed"], &doc["failed"], &doc["todo"]), (&"guided-response/test/1".into(), &2.into(), &1.into(), &1.into()));
    let tests = doc["playbooks"][0]["tests"].as_array().unwrap();
    let verdicts: Vec<&str> = tests.iter().map(|t| t["outcome"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["passed", "failed", "todo", "done"]);
    assert_eq!(tests[1]["failures"][0]["expectation"], "triage");
    assert_eq!(tests[1]["failures"][0]["line"], 40);
    // One test that passes is fine; a playbook without tests is a failure where that is asked for.
    assert_eq!(f.json(&["pb", "-k", "BASE"]).1, 0);
    assert_eq!(f.json(&["pb", "-k", "acme.none"]).1, 0);
    assert_eq!(f.json(&["pb", "-k", "acme.none", "--fail-on-missing"]).1, 1);
    assert_eq!(f.engine(&["pb", "-k", "no such test"]).status.code(), Some(3));
    assert_eq!(f.engine(&["nowhere"]).status.code(), Some(2));
    // Twice the same bytes.
    assert_eq!(f.engine(&["pb"]).stdout, f.engine(&["pb"]).stdout);
    let human = said(&f.engine(&["pb", "--format", "human"]).stdout);
    assert!(human.contains("✗ acme.clicked  1 of 4 tests failed, 1 to do"), "{human}");
    assert!(human.contains("– acme.none     no tests"), "{human}");
    assert!(human.contains("✗ broken") && human.contains("p.yaml:40:") && human.contains("– done passes, and says `todo`"), "{human}");
    // A file that does not load: the others are tested, and the run ends with 2.
    let f = f.with("pb/bad.yaml", "playbook: acme.bad\nformat: 1\n");
    let (doc, exit) = f.json(&["pb"]);
    assert_eq!((exit, doc["passed"].as_u64()), (2, Some(2)));
}

#[test]
fn incidents_come_from_files_beside_the_playbook() {
    let incident = std::fs::read_to_string(path("tests/data/incidents/graph-phishing-clicked.json")).unwrap();
    let head = "playbook: acme.users\nformat: 1\nversion: 1.0.0\ntitle: Users\ninvestigation:\n  - { id: ask, action: user.contact, for: user in users, why: ask }\ntests:\n";
    let tests = "  - { name: a, incident: fixtures/i.json, expect: { cards: [ask] } }\n  - { name: b, from: a, patch: [{ op: set, incident: { severity: low } }], expect: { cards: [ask] } }\n  - { name: c, incident: fixtures/none.json, expect: { cards: [ask] } }\n  - { name: d, incident: fixtures/two.json, expect: { cards: [ask] } }\n";
    let two = format!("[{incident},{}]", incident.replacen("\"id\": \"", "\"id\": \"9", 1));
    let f = Folder::new("files")
        .with("pb/deep/p.yaml", &format!("{head}{tests}"))
        .with("pb/deep/fixtures/i.json", &incident)
        .with("pb/deep/fixtures/two.json", &two);
    let (doc, exit) = f.json(&["pb"]);
    let tests = doc["playbooks"][0]["tests"].as_array().unwrap();
    let verdicts: Vec<&str> = tests.iter().map(|t| t["outcome"].as_str().unwrap()).collect();
    assert_eq!((verdicts, exit), (vec!["passed", "passed", "failed", "failed"], 1), "{doc:#}");
    assert_eq!(tests[2]["failures"][0]["expectation"], "incident");
    assert_eq!((&tests[2]["failures"][0]["code"], &tests[2]["failures"][0]["line"]), (&"GR112".into(), &10.into()));
    assert_eq!(tests[3]["failures"][0]["message"], "a test is about one incident; this holds 2");
}

/// Whether a text is well-formed XML: every element is closed in turn, attributes are quoted, and there is nothing that
/// XML 1.0 does not have. Gives the elements with their attributes.
fn xml(text: &str) -> Vec<String> {
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("it begins as XML does");
    let mut open: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    assert!(text.chars().all(|c| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)), "characters");
    let sound = |t: &str| {
        for (at, _) in t.match_indices('&') {
            let entity = &t[at + 1..at + 1 + t[at + 1..].find(';').expect("a reference ends")];
            assert!(["amp", "lt", "gt", "quot", "#39", "#10"].contains(&entity), "{entity}");
        }
    };
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        assert!(!before.contains('>'));
        sound(before);
        let end = tag.find('>').expect("a tag ends");
        let inner = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inner.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        sound(inner);
        let name = inner.split([' ', '/']).next().unwrap();
        let attributes = inner[name.len()..].trim_end_matches('/');
        assert_eq!(attributes.matches('"').count() % 2, 0, "{attributes}");
        assert!(!attributes.contains('<'));
        all.push(inner.to_owned());
        if !inner.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    all
}

#[test]
fn junit_is_xml_whatever_an_incident_holds() {
    let hostile = "  - name: \"<b>&\\\"'\\e[31m\\0 \\u202e\"\n    from: base\n    patch: [{ op: set, entity: user:ada@example.com, to: { name: \"]]><x a='\\e[2J\\uFFFF\" } }]\n    expect: { no_cards: [ask], triage: false_positive }\n  - { name: later, from: base, todo: \"not <yet>\", expect: { cards: [revoke] } }\n";
    let set = set(&format!("{HEAD}{hostile}"));
    let playbook = own(&set);
    let (all, wrong) = tests(&set.sources, playbook);
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut suite = Suite::new(&set, playbook, all.len(), Vec::new());
    let none = |_: &str, _: &str| unreachable!("no test names a file");
    suite.cases = all.into_iter().map(|test| Case { outcome: run(&set, playbook, &test, &none, Wish::Why), test }).collect();
    assert_eq!(suite.count(Verdict::Failed), 1);
    let elements = xml(&junit(&[suite], &set.sources));
    assert!(elements[0].starts_with("testsuites name=\"engine test\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{}", elements[0]);
    assert_eq!(elements.iter().filter(|e| e.starts_with("testcase ")).count(), 3);
    assert_eq!(elements.iter().filter(|e| e.starts_with("failure ")).count(), 1);
    assert!(elements.iter().any(|e| e == "skipped message=\"not &lt;yet&gt;\"/"), "{elements:?}");
    // What the program writes is the same document.
    let f = Folder::new("junit").with("p.yaml", &format!("{HEAD}{hostile}"));
    let out = f.engine(&["p.yaml", "--format", "junit"]);
    assert_eq!((xml(&said(&out.stdout)).len(), out.status.code()), (elements.len(), Some(1)));
}

/// A playbook whose clauses can be counted by hand.
const SMALL: &str = r#"playbook: acme.clicked
format: 1
version: 1.0.0
title: Small
bind:
  odd: 'users.filter(|u| u.suspicious && u.name != "Bo")'
  idle: 'users.filter(|u| u.malicious)'
conditions:
  two: { if: 'users.len() > 1', pass: there are two, fail: there is one }
  always: { if: '1 < 2', pass: so it is, fail: so it is not }
triage:
  - { classify: true_positive, confidence: 50, when: 'two && always', why: two }
containment:
  - { id: stop, action: user.disable, for: user in odd, why: '{user} is odd' }
  - { id: ask, action: user.contact, for: user in users, when: 'user.suspicious || two', why: ask }
tests:
  - name: one odd user
    given: { id: I, entities: [{ id: "user:a@x.example", name: Ada, verdict: suspicious }] }
    expect: { triage: undetermined, only_cards: [stop user:a@x.example, ask user:a@x.example] }
"#;

fn coverage(text: &str) -> (Coverage, PlaybookSet) {
    let set = set(text);
    let playbook = own(&set);
    let (all, _) = tests(&set.sources, playbook);
    let mut coverage = Coverage::new(&set, &[playbook], &|_| false);
    let none = |_: &str, _: &str| unreachable!("no test names a file");
    for t in &all {
        let outcome = run(&set, playbook, t, &none, Wish::Clauses);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        coverage.add(&outcome.observed);
    }
    (coverage, set)
}

#[test]
fn coverage_counts_both_outcomes_of_each_clause() {
    let (c, set) = coverage_of_small("");
    let unit = &c.units[0];
    let rows: Vec<(usize, String, bool, bool)> =
        unit.clauses.iter().map(|s| (set.sources.place(s.clause.span).line, s.clause.what.to_string(), s.held > 0, s.failed > 0)).collect();
    let row = |line: usize, what: &str, held: bool, failed: bool| (line, what.to_owned(), held, failed);
    assert_eq!(
        rows,
        [
            row(6, "operand", true, false),
            row(6, "test of each item", true, false),
            row(6, "operand", true, false),
            row(9, "`two`", false, true),
            row(12, "operand", false, true),
            row(12, "`when` of triage arm 1", false, true),
            row(14, "list of `stop`", true, false),
            row(15, "operand", true, false),
            row(15, "`when` of `ask`", true, false),
            row(15, "operand", false, false),
        ],
        "{rows:?}"
    );
    // A condition that is always the same, and a binding that nothing uses, are no gaps.
    let left: Vec<(usize, &str)> = unit.left_out.iter().map(|(s, why)| (set.sources.place(*s).line, *why)).collect();
    assert_eq!(left, [(7, "nothing in the playbook uses it"), (10, "it is always the same"), (12, "it is always the same")]);
    assert_eq!((unit.share().seen, unit.share().of), (9, 20));
    assert_eq!(unit.share().to_string(), "45.0 %");
}

fn coverage_of_small(more: &str) -> (Coverage, PlaybookSet) {
    coverage(&format!("{SMALL}{more}"))
}

#[test]
fn coverage_can_be_whole() {
    let more = r#"  - name: two that nobody suspects
    given: { id: I, entities: [{ id: "user:a@x.example", name: Ada }, { id: "user:b@x.example", name: Bo, verdict: suspicious }] }
    expect: { triage: true_positive, only_cards: [ask user:a@x.example, ask user:b@x.example] }
  - name: nobody suspects the only one
    given: { id: I, entities: [{ id: "user:a@x.example", name: Ada }] }
    expect: { triage: undetermined, only_cards: [] }
"#;
    let (c, _) = coverage_of_small(more);
    let gaps: Vec<String> = c.units[0].clauses.iter().filter(|s| s.held == 0 || s.failed == 0).map(|s| s.clause.what.to_string()).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
    assert_eq!((c.share().hundredths(), c.share().of), (10_000, 20));
    let f = Folder::new("threshold").with("p.yaml", &format!("{SMALL}{more}"));
    assert_eq!(f.engine(&["p.yaml", "--threshold", "100"]).status.code(), Some(0));
    let f = f.with("p.yaml", SMALL);
    assert_eq!(f.engine(&["p.yaml", "--threshold", "45"]).status.code(), Some(0));
    assert_eq!(f.engine(&["p.yaml", "--threshold", "45.1"]).status.code(), Some(1));
    assert_eq!(f.engine(&["p.yaml", "--threshold", "101"]).status.code(), Some(3));
    let page = said(&f.engine(&["p.yaml", "--coverage", "--format", "human"]).stdout);
    assert!(page.contains(" 12  -|   - { classify: true_positive, confidence: 50, when: 'two && always', why: two }"), "{page}");
    assert!(page.contains(" ^^^ never true") && page.contains(" ^^^^^^ left out: it is always the same"), "{page}");
    let (doc, _) = f.json(&["p.yaml", "--coverage"]);
    let clauses = doc["coverage"]["files"][0]["clauses"].as_array().unwrap();
    assert_eq!((clauses.len(), &clauses[0]["place"]["line"], &clauses[0]["held"]), (10, &6.into(), &1.into()));
}

#[test]
fn a_library_is_covered_by_all_that_use_it() {
    let library = "library: acme_lib\ntitle: Lib\nconditions:\n  odd: { with: user, if: 'user.suspicious', pass: odd, fail: not odd }\n  lone: { if: 'users.len() == 1', pass: one, fail: more }\n";
    let book = |id: &str, verdict: &str, expect: &str| {
        format!(
            "playbook: acme.{id}\nformat: 1\nversion: 1.0.0\ntitle: T\nuse: [acme_lib]\ninvestigation:\n  - {{ id: ask, action: user.contact, for: user in users, when: odd(user), why: ask }}\ntests:\n  - {{ name: t, given: {{ id: I, entities: [{{ id: \"user:a@x.example\", verdict: {verdict} }}] }}, expect: {{ only_cards: {expect} }} }}\n"
        )
    };
    let f =
        Folder::new("library").with("l.yaml", library).with("a.yaml", &book("a", "suspicious", "[ask]")).with("b.yaml", &book("b", "unknown", "[]"));
    let (doc, exit) = f.json(&[".", "--coverage"]);
    let files = doc["coverage"]["files"].as_array().unwrap();
    assert_eq!((files.len(), exit), (3, 0));
    let lib = &files[2];
    assert_eq!((&lib["library"], lib["seen"].as_u64(), lib["of"].as_u64()), (&"acme_lib".into(), Some(2), Some(2)));
    assert_eq!(lib["left_out"][0]["why"], "no playbook uses it");
    assert_eq!((files[0]["seen"].as_u64(), files[1]["seen"].as_u64()), (Some(1), Some(1)));
    // A change in the library is noticed by the tests of any playbook that uses it.
    let (doc, _) = f.json(&[".", "--mutate"]);
    let lib = &doc["mutation"]["files"][2];
    assert_eq!(
        (&lib["library"], lib["conditions"]["killed"].as_u64(), lib["conditions"]["survived"].as_u64()),
        (&"acme_lib".into(), Some(1), Some(0))
    );
}

#[test]
fn the_document_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path("schemas/test.schema.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let f = Folder::new("schema").with("p.yaml", SMALL).with("q.yaml", &format!("{HEAD}  - {{ name: x, from: base, todo: later, expect: {{ cards: [revoke] }} }}\n  - {{ name: y, from: base, expect: {{ cards: [revoke] }} }}\n").replace("acme.clicked", "acme.other"));
    for args in [vec!["."], vec![".", "--coverage"], vec![".", "--coverage", "--mutate"]] {
        let (doc, _) = f.json(&args);
        let wrong: Vec<String> = validator.iter_errors(&doc).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!((doc.get("coverage").is_some(), doc.get("mutation").is_some()), (args.len() > 1, args.len() > 2));
    }
}

/// Survivors of a mutation, as "line: from -> to".
fn survivors(doc: &Value) -> Vec<String> {
    let list = doc["mutation"]["files"][0]["survivors"].as_array().unwrap();
    list.iter().map(|s| format!("{}: {} -> {}", s["place"]["line"], s["from"].as_str().unwrap(), s["to"].as_str().unwrap())).collect()
}

#[test]
fn what_the_tests_do_not_notice_survives() {
    let head = "playbook: acme.clicked\nformat: 1\nversion: 1.0.0\ntitle: Small\nmatch: { entities: [user], severity: low }\ninvestigation:\n";
    let card = "  - { id: ask, action: user.contact, for: user in users, when: 'user.suspicious && user.alerts.len() < 3', why: ask }\n";
    let given = |verdict: &str, alerts: usize| {
        let list: Vec<String> = (0..alerts).map(|n| format!("{{ id: a-{n}, severity: high, entities: [\"user:a@x.example\"] }}")).collect();
        format!("{{ id: I, severity: high, alerts: [{}], entities: [{{ id: \"user:a@x.example\", verdict: {verdict} }}] }}", list.join(", "))
    };
    let tests = format!(
        "tests:\n  - {{ name: some, given: {}, expect: {{ cards: [ask] }} }}\n  - {{ name: many, given: {}, expect: {{ no_cards: [ask] }} }}\n",
        given("suspicious", 1),
        given("suspicious", 5)
    );
    let f = Folder::new("mutate").with("p.yaml", &format!("{head}{card}{tests}"));
    let (doc, exit) = f.json(&["p.yaml", "--mutate"]);
    assert_eq!(exit, 0);
    // Noticed: both operands and the whole negated, the sign turned, the second operand left out. Not noticed: the borders
    // of the number, and that the verdict matters.
    assert_eq!(survivors(&doc), ["5: user -> ", "5: low -> ", "7: user.suspicious && -> ", "7: < -> <=", "7: 3 -> 4", "7: 3 -> 2",], "{doc:#}");
    let score = &doc["mutation"]["conditions"];
    assert_eq!((score["killed"].as_u64(), score["survived"].as_u64()), (Some(5), Some(4)), "{doc:#}");
    assert_eq!(doc["mutation"]["match"]["survived"], 2);
    assert_eq!(doc["mutation"]["files"][0]["survivors"][2]["asked_by"], serde_json::json!(["some", "many"]));
    assert_eq!(f.engine(&["p.yaml", "--mutation-threshold", "55"]).status.code(), Some(0));
    assert_eq!(f.engine(&["p.yaml", "--mutation-threshold", "56"]).status.code(), Some(1));
    let page = said(&f.engine(&["p.yaml", "--mutate", "--format", "human"]).stdout);
    assert!(page.contains("^ `<` → `<=`: not noticed by “some”, “many”"), "{page}");
    // With the tests that were missing, all are noticed; so is the order of running them no matter.
    let more = format!(
        "  - {{ name: two, given: {}, expect: {{ cards: [ask] }} }}\n  - {{ name: three, given: {}, expect: {{ no_cards: [ask] }} }}\n  - {{ name: calm, given: {}, expect: {{ matched: true, no_cards: [ask] }} }}\n",
        given("suspicious", 2),
        given("suspicious", 3),
        given("unknown", 1)
    );
    let f = f.with("p.yaml", &format!("{head}{card}{tests}{more}"));
    let (doc, _) = f.json(&["p.yaml", "--mutate"]);
    assert_eq!(survivors(&doc), ["5: user -> ", "5: low -> "]);
    assert_eq!(doc["mutation"]["conditions"]["percent"], 100.0);
    assert_eq!(f.engine(&["p.yaml", "--mutate"]).stdout, f.engine(&["p.yaml", "--mutate"]).stdout);
}

#[test]
fn words_of_every_vocabulary_are_changed_in_every_spelling() {
    // In plain, quoted and block scalars; what does not compile, or asks the same, does not count.
    let text = r#"playbook: acme.clicked
format: 1
version: 1.0.0
title: Words
bind:
  near: >
    users.filter(|u| u.has_signal("url_clicked")
      && u.out("clicked").len() > 0)
  late: "users.filter(|u| u.then(\"clicked\", \"signed_in_from\", \"2h\").some(|p| p.second.to.in_list(\"own_networks\")))"
conditions:
  bad:
    with: user
    if: |
      user.has_role("victim") || user.verdict == "malicious" || incident.severity >= "high"
    pass: bad
    fail: good
investigation:
  - { id: ask, action: user.contact, for: user in near + late, when: bad(user), why: ask }
tests:
  - name: t
    given: { id: I, severity: low, entities: [{ id: "user:a@x.example" }] }
    expect: { only_cards: [] }
"#;
    let f = Folder::new("words").with("p.yaml", text);
    let (doc, _) = f.json(&["p.yaml", "--mutate"]);
    let all = survivors(&doc);
    for wanted in [
        "7: \"url_clicked\" -> \"user_ran_pasted_command\"",
        "8: && -> ||",
        "8: > -> >=",
        "9: \"2h\" -> \"4h\"",
        "9: some -> all",
        "9: second -> first",
        "14: \"victim\" -> \"attacker\"",
        "14: \"malicious\" -> \"no_threats_found\"",
        "14: \"high\" -> \"critical\"",
        "14: \"high\" -> \"medium\"",
        "14: == -> !=",
    ] {
        assert!(all.iter().any(|s| s == wanted), "{wanted}: {all:#?}");
    }
    assert!(all.iter().any(|s| s.starts_with("8: \"clicked\" -> ")), "{all:#?}");
    assert!(all.iter().any(|s| s.starts_with("9: \"own_networks\" -> ")), "{all:#?}");
}

#[test]
fn update_writes_what_came_and_nothing_else() {
    let more = r#"  - name: one   # the first
    from: base
    expect:
      triage: false_positive   # as the manager says
      confidence: 1
      cards:
        # who to ask
        - ask user:ada@example.com   # she clicked
        - revoke user:ada@example.com   # gone
        - block
      no_cards: [ask, disable]   # flow
      hunts: [Mail to, Mail from]
      failed: { ask: [for], revoke: [used, "!used"] }
  - { name: two, from: base, expect: { only_cards: [ask, look], diagnostics: [GR802], unavailable: [ask] } }
  - { name: three, from: base, expect: { matched: false } }
  - { name: four, from: base, todo: yes, expect: { triage: false_positive } }
"#;
    let f = Folder::new("update").with("p.yaml", &format!("{HEAD}{more}"));
    assert_eq!(f.engine(&["--update"]).status.code(), Some(3));
    let before = f.text("p.yaml");
    let out = f.engine(&["p.yaml", "--update", "--format", "human"]);
    assert_eq!(out.status.code(), Some(0), "{}{}", said(&out.stdout), said(&out.stderr));
    assert!(said(&out.stdout).contains("-      confidence: 1\n"), "{}", said(&out.stdout));
    let wanted = r#"  - name: one   # the first
    from: base
    expect:
      triage: true_positive phishing   # as the manager says
      confidence: 70
      cards:
        # who to ask
        - ask user:ada@example.com   # she clicked
        - block
      no_cards: [disable]   # flow
      hunts: [Mail to]
      failed: { revoke: [used] }
  - { name: two, from: base, expect: { only_cards: [ask, block url:https://example.net/a], diagnostics: [], unavailable: [] } }
  - { name: three, from: base, expect: { matched: true } }
  - { name: four, from: base, todo: yes, expect: { triage: false_positive } }
"#;
    assert_eq!(f.text("p.yaml"), format!("{HEAD}{wanted}"));
    // Again there is nothing to write.
    let out = f.engine(&["p.yaml", "--update"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(!said(&out.stderr).contains("updated"));
    // Where standard output is a document, the difference goes to standard error.
    let f = f.with("p.yaml", &before);
    let out = f.engine(&["p.yaml", "--update", "--format", "json"]);
    assert!(serde_json::from_slice::<Value>(&out.stdout).is_ok() && said(&out.stderr).contains("+++ p.yaml"));
    assert_eq!(f.text("p.yaml"), format!("{HEAD}{wanted}"));
}

#[test]
fn watching_runs_again_after_an_edit() {
    use std::io::Read as _;
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let f = Folder::new("watch").with("p.yaml", HEAD);
    let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
        .args(["test", ".", "--watch", "--format", "human"])
        .current_dir(&f.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n) = out.read(&mut buffer) {
            if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut seen = String::new();
    let mut wait = |wanted: &str| {
        let end = Instant::now() + Duration::from_secs(60);
        while !seen.contains(wanted) {
            assert!(Instant::now() < end, "{wanted} does not come: {seen}");
            if let Ok(more) = receive.recv_timeout(Duration::from_millis(200)) {
                seen.push_str(&String::from_utf8_lossy(&more));
            }
        }
        seen.clear();
    };
    wait("✓ acme.clicked");
    std::fs::write(f.0.join("p.yaml"), HEAD.replace("triage: true_positive phishing", "triage: false_positive")).unwrap();
    wait("triage is `true_positive phishing`, not `false_positive`");
    std::fs::write(f.0.join("p.yaml"), HEAD).unwrap();
    wait("✓ acme.clicked");
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    assert_eq!(f.engine(&["--watch"]).status.code(), Some(3));
}

#[test]
fn all_that_ships_passes_its_tests() {
    let set = compile(&shipped());
    let none = |_: &str, _: &str| unreachable!("what ships names no file");
    let mut count = 0;
    for playbook in &set.playbooks {
        let (all, wrong) = tests(&set.sources, playbook);
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(all.len() > 1, "{} has too few tests", playbook.id);
        for t in &all {
            let outcome = run(&set, playbook, t, &none, Wish::Why);
            // Seeing how each clause comes out changes nothing.
            let watched = run(&set, playbook, t, &none, Wish::Clauses);
            assert_eq!(outcome.got, watched.got, "{}: {}", playbook.id, t.name);
            assert!(outcome.failures.is_empty(), "{}: {}: {:?}", playbook.id, t.name, outcome.failures);
            count += 1;
        }
    }
    println!("{count} tests");
}

#[test]
fn a_playbook_that_lacks_a_part_of_its_library_does_not_run_without_it() {
    let library = "library: acme_lib\ntitle: Lib\nconditions:\n  odd: { with: user, if: 'user.nmae == \"x\"', pass: odd, fail: not odd }\n  lone: { if: 'users.len() == 1', pass: one, fail: more }\n";
    let book = |id: &str, when: &str| {
        format!(
            "playbook: acme.{id}\nformat: 1\nversion: 1.0.0\ntitle: T\nuse: [acme_lib]\ncontainment:\n  - {{ id: stop, action: user.disable, for: user in users, when: {when}, why: stop }}\ninvestigation:\n  - {{ id: ask, action: user.contact, for: user in users, why: ask }}\n"
        )
    };
    let mut files = shipped();
    for (name, text) in [("l.yaml", library.to_owned()), ("a.yaml", book("a", "odd(user)")), ("b.yaml", book("b", "lone"))] {
        files.push(Input { path: name.to_owned(), text, layer: 1 });
    }
    let set = compile(&files);
    assert!(set.playbooks.iter().all(|p| &*p.id != "acme.a"));
    assert!(set.playbooks.iter().any(|p| &*p.id == "acme.b" && p.cards.len() == 2));
    let told: Vec<(String, usize)> = set.diagnostics.iter().map(|d| (d.message.clone(), set.sources.place(d.labels[0].span).line)).collect();
    assert!(told.iter().any(|(m, line)| m == "something that this playbook uses does not load in the library `acme_lib`" && *line == 5), "{told:?}");
    assert!(set.skipped.iter().any(|(file, _)| file == "a.yaml"), "{:?}", set.skipped);
}
