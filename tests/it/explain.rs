//! `engine explain`: what it says is so, what it offers works, and asking why changes no answer.

use std::collections::BTreeSet;

use guided_response::card::flip::{Asked, Bench};
use guided_response::card::render::Look;
use guided_response::card::render::explain::{ExplainFormat, render};
use guided_response::card::why::{Ask, Became, ClauseWhy, Explanation, explain};
use guided_response::card::{Context, respond};
use guided_response::diag::human::hidden;
use guided_response::eval::why::{self, Outcome};
use guided_response::eval::{self, evaluate};
use guided_response::intake::native::write;
use guided_response::intake::{self, patch, read_value};
use guided_response::model::{Incident, Time};
use guided_response::playbook::set::Target;
use guided_response::playbook::{PlaybookSet, compile};
use guided_response::script::{Cx, Expr, Value};

use crate::oracle::{random_incident, random_tests};
use crate::random::{Random, count};
use crate::schemas::{closed, schemas, validator};
use crate::support::{EXAMPLE_LISTS, EXAMPLE_SET, file, path, written};
use crate::whole::{fixtures, real, shipped_set, telling_incident};

fn context() -> Context {
    let today: Time = "2026-06-01T00:00:00Z".parse().unwrap();
    Context { now: None, today, actor: None, input: Vec::new(), only: None }
}

fn random(seed: u64) -> Incident {
    read_value(&telling_incident(&mut Random::new(seed))).unwrap().incident
}

/// The fixtures, what is real where it is there, and some random incidents.
fn incidents(many: u64) -> Vec<(String, Incident)> {
    let mut all = Vec::new();
    for p in fixtures().into_iter().chain(real()) {
        let read = intake::read(&std::fs::read(&p).unwrap(), None).unwrap_or_default();
        all.extend(read.into_iter().map(|r| (p.display().to_string(), r.incident)));
    }
    for n in ["incident_134", "incident_322", "incident_38"] {
        let folder = path("../shared/data/sentinel-excytin").join(n);
        if folder.is_dir() {
            let read = guided_response::runtime::incidents::read(&folder, None).unwrap();
            all.extend(read.into_iter().map(|r| (n.to_owned(), r.incident)));
        }
    }
    all.extend((0..many).map(|seed| (format!("seed {seed}"), random(seed))));
    all
}

fn whole(set: &PlaybookSet, incident: &Incident) -> Explanation {
    explain(set, incident, &context(), &Ask { all: true, ..Ask::default() }).unwrap()
}

/// That what a clause is follows from what it is made of.
fn consistent(c: &ClauseWhy, at: &str) {
    let parts: Vec<Outcome> = c.below.iter().map(|b| b.outcome).collect();
    let sound = match (c.how, c.outcome) {
        _ if parts.contains(&Outcome::Error) || parts.is_empty() || c.more > 0 => true,
        ("all", Outcome::Pass) => parts.iter().all(|o| *o == Outcome::Pass),
        ("all", Outcome::Fail) => parts.contains(&Outcome::Fail),
        ("any", Outcome::Pass) => parts.contains(&Outcome::Pass),
        ("any", Outcome::Fail) => parts.iter().all(|o| *o == Outcome::Fail),
        ("condition", outcome) => parts == [outcome],
        _ => true,
    };
    assert!(sound, "{at}: {c:#?}");
    assert!(!c.source.is_empty(), "{at}: {c:#?}");
    c.below.iter().for_each(|b| consistent(b, at));
}

#[test]
fn every_card_is_explained_and_every_reason_is_true() {
    let set = shipped_set();
    let (mut shown, mut missing) = (0, 0);
    for (name, incident) in incidents(count("ENGINE_EXPLAIN", 25) as u64) {
        let answer = respond(set, &incident, &context());
        let e = whole(set, &incident);
        let (facts, _) = eval::facts(set, &incident, None);
        let mut cx = Cx::new(&facts, set.questions);
        let mut explained: BTreeSet<(String, String, String)> = BTreeSet::new();
        for p in &e.playbooks {
            let playbook = set.playbooks.iter().find(|x| *x.id == *p.id).unwrap();
            assert_eq!(p.outcome == Outcome::Pass, eval::unmatched(&playbook.matching, &facts).is_none());
            assert_eq!(p.outcome == Outcome::Pass, p.keys.iter().all(|k| k.outcome == Outcome::Pass), "{name} {}", p.id);
            assert!(p.triage.iter().filter(|a| a.decides).count() <= 1);
            for card in &p.cards {
                let rule = playbook.cards.iter().find(|c| *c.id == *card.card).unwrap();
                for w in &card.entities {
                    let at = format!("{name} {}/{} {:?}", p.id, card.card, w.entity);
                    w.listed.iter().chain(&w.when).for_each(|c| consistent(c, &at));
                    let about = w.entity.as_ref().map(|x| incident.entities().find(|(_, y)| *y.id == *x.id).unwrap().0);
                    if let Some(c) = &w.card {
                        shown += 1;
                        assert!(w.reason.is_none() && w.outcome != Became::NotShown, "{at}");
                        assert_eq!(answer.cards[c.number - 1].id, c.id, "{at}");
                        assert!(w.when.iter().chain(&w.listed).all(|t| t.outcome == Outcome::Pass), "{at}: {w:#?}");
                        let entity = w.entity.as_ref().map_or_else(String::new, |x| x.id.clone());
                        explained.insert((c.id.clone(), format!("{}/{}", p.id, card.card), entity));
                        continue;
                    }
                    missing += 1;
                    assert!(!w.text.is_empty(), "{at}");
                    let list = match &rule.target {
                        Target::Incident => Value::Absent,
                        Target::Each(_, l) | Target::All(_, l) => cx.value(l, &[]).unwrap_or(Value::Absent),
                    };
                    let decided = why::card(&set.sources, &mut cx, rule, about);
                    match w.reason {
                        Some("match") => assert_eq!(p.outcome, Outcome::Fail, "{at}"),
                        Some("kind") => assert!(!decided.fits, "{at}"),
                        Some("for") => {
                            assert!(
                                about.map_or(list.items().is_empty(), |a| !list.items().iter().any(|x| x.same(&Value::Entity(a)))),
                                "{at}: {list:?}"
                            );
                        }
                        Some("when") => {
                            let params = match (&rule.target, about) {
                                (Target::All(..), _) => vec![list],
                                (_, a) => a.map(Value::Entity).into_iter().collect(),
                            };
                            assert!(!cx.holds(rule.when.as_ref().unwrap(), &params).unwrap(), "{at}");
                            assert!(!decided.failed_clauses().is_empty(), "{at}");
                        }
                        Some("error") => assert!(decided.error.is_some() || !answer.diagnostics.is_empty(), "{at}: {w:#?}"),
                        other => panic!("{at}: {other:?}"),
                    }
                    if about.is_some() || !matches!(rule.target, Target::Each(..)) {
                        assert!(!decided.holds || p.outcome != Outcome::Pass || w.reason == Some("error"), "{at}: {w:#?}");
                    }
                }
            }
        }
        // Every card of the answer is explained for each of its sources and entities.
        for c in &answer.cards {
            for s in &c.sources {
                let source = format!("{}/{}", s.playbook, s.card);
                let single = c.entity.iter().filter(|_| matches!(rule_of(set, &s.playbook, &s.card), Target::Each(..))).map(|e| e.id.clone()).next();
                let key = (c.id.clone(), source, single.unwrap_or_default());
                assert!(explained.contains(&key), "{name}: {key:?} is not explained");
            }
        }
        for o in &e.others {
            assert_eq!(o.key.outcome, Outcome::Fail);
            assert!(set.playbooks.iter().any(|p| *p.id == *o.playbook && eval::unmatched(&p.matching, &facts) == Some(o.key.key)), "{name} {o:?}");
        }
    }
    println!("{shown} shown, {missing} not shown");
    assert!(shown > 50 && missing > 200, "{shown} {missing}");
}

fn rule_of<'s>(set: &'s PlaybookSet, playbook: &str, card: &str) -> &'s Target {
    let p = set.playbooks.iter().find(|p| *p.id == *playbook).unwrap();
    &p.cards.iter().find(|c| *c.id == *card).unwrap().target
}

/// Whether the answer of one playbook has a card about an entity.
fn in_answer(set: &PlaybookSet, incident: &Incident, playbook: &str, card: &str, about: Option<&str>) -> bool {
    let answer = respond(set, incident, &Context { only: Some(playbook.to_owned()), ..context() });
    answer.cards.iter().any(|c| {
        c.sources.iter().any(|s| s.playbook == playbook && s.card == card)
            && about.is_none_or(|id| c.entity.iter().chain(&c.entities).any(|e| e.id == id))
    })
}

/// Every change that is offered for some cards of an incident, tried from outside: how many cards were asked about, and for
/// how many there was one.
fn flips(set: &PlaybookSet, name: &str, incident: &Incident, r: &mut Random, many: usize) -> (usize, usize) {
    let written = write(incident);
    let mut bench = Bench::new(incident, usize::MAX);
    let (facts, _) = eval::facts(set, incident, None);
    let mut cx = Cx::new(&facts, set.questions);
    let mut cases = Vec::new();
    for p in &set.playbooks {
        for rule in &p.cards {
            match &rule.target {
                Target::Each(..) => {
                    cases.extend(why::candidates(&mut cx, rule, true).into_iter().map(|e| (p, rule, facts.entity(e).map(|x| x.id.as_ref()))))
                }
                _ => cases.push((p, rule, None)),
            }
        }
    }
    r.shuffle(&mut cases);
    let (mut asked, mut found) = (0, 0);
    for (p, rule, about) in cases.into_iter().take(many) {
        let was = in_answer(set, incident, &p.id, &rule.id, about);
        let offered = bench.flips(Asked { set, playbook: p, rule, about, now: None }, !was);
        asked += 1;
        found += usize::from(!offered.flips.is_empty());
        assert!(offered.flips.len() <= 3);
        for f in &offered.flips {
            let mut changed = written.clone();
            patch::apply(&mut changed, &f.ops).unwrap_or_else(|e| panic!("{name} {}/{}: {e:?}\n{:?}", p.id, rule.id, f.ops));
            let after = read_value(&changed).unwrap().incident;
            assert_eq!(in_answer(set, &after, &p.id, &rule.id, about), !was, "{name} {}/{} {about:?}: {}\n{:?}", p.id, rule.id, f.text(), f.ops);
            assert!(!f.text().is_empty());
        }
    }
    (asked, found)
}

#[test]
fn every_smallest_change_flips_the_card() {
    let set = shipped_set();
    let (mut asked, mut found) = (0, 0);
    for seed in 0..count("ENGINE_FLIPS", 6) as u64 {
        let (a, f) = flips(set, &format!("seed {seed}"), &random(seed), &mut Random::new(seed), 10);
        asked += a;
        found += f;
    }
    for name in ["graph-phishing-clicked.json", "graph-ransomware.json"] {
        let incident = intake::read(&std::fs::read(path("tests/data/incidents").join(name)).unwrap(), None).unwrap().remove(0).incident;
        let (a, f) = flips(set, name, &incident, &mut Random::new(7), 12);
        asked += a;
        found += f;
    }
    println!("{found} of {asked} cards have a change");
    assert!(found * 2 > asked, "for most cards there is a change: {found} of {asked}");
}

/// A playbook of random tests, over the lists and signals of the examples.
fn random_set(seed: u64) -> PlaybookSet {
    let tests = random_tests(seed, 8);
    let quoted = |t: &str| format!("'{}'", t.replace('\'', "''"));
    let mut text = "playbook: random\nformat: 1\nversion: 1.0.0\ntitle: Random\nbind:\n".to_owned();
    text.push_str(&format!("  some_users: {}\n", quoted(&format!("users.filter(|person| {} || person.malicious)", tests[0]))));
    text.push_str("conditions:\n");
    text.push_str(&format!("  first_test: {{ if: {}, pass: it is so, fail: it is not so }}\n", quoted(&tests[1])));
    text.push_str(&format!("  of_user: {{ with: user, if: {} }}\n", quoted(&format!("user.suspicious || {}", tests[2]))));
    text.push_str("triage:\n");
    text.push_str(&format!(
        "  - {{ classify: true_positive, confidence: 50, when: {}, why: so }}\n",
        quoted(&format!("first_test || !({})", tests[3]))
    ));
    text.push_str("containment:\n");
    for (n, test) in tests.iter().skip(4).enumerate() {
        let when = format!("({test}) && (first_test || of_user(user))");
        text.push_str(&format!("  - {{ id: card_{n}, action: user.watch, for: user in some_users, when: {}, why: so }}\n", quoted(&when)));
    }
    let actions = "actions:\n  user.watch: { title: Watch, phase: containment, kinds: [user] }\n";
    compile(&[file("signals.yaml", EXAMPLE_SET), file("lists.yaml", EXAMPLE_LISTS), file("actions.yaml", actions), file("random.yaml", &text)])
}

/// Every expression that decides something, with its parameters.
fn deciding<'s>(set: &'s PlaybookSet, cx: &mut Cx<'_>) -> Vec<(&'s Expr, Vec<Value>)> {
    let mut out: Vec<(&Expr, Vec<Value>)> = Vec::new();
    for p in &set.playbooks {
        out.extend(p.triage.iter().filter_map(|a| a.when.as_ref()).map(|w| (w, Vec::new())));
        for c in &p.cards {
            match &c.target {
                Target::Incident => out.extend(c.when.iter().map(|w| (w, Vec::new()))),
                Target::Each(_, list) => {
                    out.push((list, Vec::new()));
                    let all = cx.value(list, &[]).unwrap_or(Value::Absent);
                    out.extend(c.when.iter().flat_map(|w| all.items().iter().map(move |v| (w, vec![v.clone()]))));
                }
                Target::All(_, list) => {
                    out.push((list, Vec::new()));
                    let all = cx.value(list, &[]).unwrap_or(Value::Absent);
                    out.extend(c.when.iter().map(|w| (w, vec![all.clone()])));
                }
            }
        }
    }
    out
}

fn agrees(set: &PlaybookSet, name: &str, incident: &Incident) -> usize {
    let (facts, _) = eval::facts(set, incident, None);
    let mut cx = Cx::new(&facts, set.questions);
    let all = deciding(set, &mut cx);
    for (e, params) in &all {
        let plain = Cx::new(&facts, set.questions).value(e, params);
        let fresh = Cx::new(&facts, set.questions).traced(e, params).0;
        let warm = cx.traced(e, params).0;
        let after = cx.value(e, params);
        for other in [&fresh, &warm, &after] {
            assert_eq!(format!("{plain:?}"), format!("{other:?}"), "{name}: {:?}", set.sources.text(e.span));
        }
    }
    // Asking why changes no answer: the cards that hold are those that are explained to hold.
    let holding = |cx: &mut Cx<'_>| format!("{:?}", evaluate(set, cx, None));
    let before = holding(&mut Cx::new(&facts, set.questions));
    for p in &set.playbooks {
        for rule in &p.cards {
            for e in why::candidates(&mut cx, rule, true) {
                why::card(&set.sources, &mut cx, rule, Some(e));
            }
        }
    }
    assert_eq!(before, holding(&mut cx), "{name}");
    all.len()
}

#[test]
fn tracing_changes_no_answer() {
    let mut asked = 0;
    for (name, incident) in incidents(count("ENGINE_TRACED", 25) as u64) {
        asked += agrees(shipped_set(), &name, &incident);
    }
    let (mut compiled, mut random_asked) = (0, 0);
    for seed in 0..count("ENGINE_TRACED", 25) as u64 {
        let set = random_set(seed);
        compiled += set.playbooks.len();
        for n in 0..3 {
            let incident = read_value(&random_incident(&mut Random::new(seed * 31 + n))).unwrap().incident;
            random_asked += agrees(&set, &format!("random playbook {seed}, incident {n}"), &incident);
        }
    }
    println!("{asked} questions of what ships, {random_asked} of {compiled} random playbooks");
    assert!(asked > 500 && random_asked > 50 && compiled > 10, "{asked} {random_asked} {compiled}");
}

#[test]
fn trees_of_random_playbooks_are_sound() {
    for seed in 0..count("ENGINE_EXPLAIN", 25) as u64 {
        let set = random_set(seed);
        let incident = read_value(&random_incident(&mut Random::new(seed + 500))).unwrap().incident;
        let e = whole(&set, &incident);
        for w in e.playbooks.iter().flat_map(|p| &p.cards).flat_map(|c| &c.entities) {
            w.listed.iter().chain(&w.when).for_each(|c| consistent(c, &format!("random playbook {seed}")));
        }
    }
}

const GUARDED: &str = r#"playbook: acme.guarded
format: 1
version: 1.0.0
title: Guarded
match: { severity: medium }
bind:
  risky: 'users.filter(|u| u.risk >= "high")'
conditions:
  is_risky:
    with: user
    if: 'user.risk >= "high"'
    pass: '{user} is at risk'
    fail: '{user} is at no great risk'
containment:
  - { id: stop, action: user.stop, for: user in users, when: is_risky(user), why: 'stop {user}' }
  - { id: stop_again, action: user.stop, for: user in risky, why: 'stop {user} again' }
  - { id: look, action: user.look, for_all: people in risky, why: 'look at {people}' }
exceptions:
  - { id: red_team, cards: [look], for: { user: [cy@example.com] }, reason: CHG-1, expires: 2027-01-01 }
"#;

const ACTIONS: &str = r#"actions:
  user.stop:
    title: Stop
    phase: containment
    kinds: [user]
    permissions: [response:manage]
    never: [{ if: 'target.has_tag("vip")', why: '{target} is not stopped' }]
  user.look: { title: Look, phase: investigation, kinds: [user] }
permissions:
"#;

fn guarded() -> (PlaybookSet, Incident) {
    let actions = ACTIONS.trim_end_matches("permissions:\n");
    let roles = "permissions:\n  roles: { reader: [security_data:read] }\n";
    let set = compile(&[file("actions.yaml", actions), file("guarded.yaml", GUARDED), file("roles.yaml", roles)]);
    assert!(set.diagnostics.iter().all(|d| d.severity != guided_response::diag::Severity::Error), "{:?}", set.diagnostics);
    let user = |id: &str, risk: &str, tags: &[&str]| serde_json::json!({"id": format!("user:{id}@example.com"), "name": id, "tags": tags, "properties": {"risk": risk}});
    let incident = serde_json::json!({"schema": "guided-response/incident/1", "id": "I-1", "title": "t", "severity": "high",
        "entities": [user("ada", "high", &[]), user("bo", "low", &[]), user("cy", "high", &["vip"]), {"id": "ip:203.0.113.7"}]});
    (set, read_value(&incident).unwrap().incident)
}

fn text_of(e: &Explanation) -> String {
    render(std::slice::from_ref(e), ExplainFormat::Text, &Look { width: 120, colour: false })
}

fn ask(what: &str, entity: Option<&str>) -> Ask {
    Ask { what: Some(what.to_owned()), entity: entity.map(str::to_owned), all: false }
}

#[test]
fn each_reason_has_its_sentence() {
    let (set, incident) = guarded();
    let said = |what: &str, entity: &str, context: &Context| {
        let e = explain(&set, &incident, context, &ask(what, Some(entity))).unwrap();
        let w = &e.playbooks[0].cards[0].entities[0];
        (w.outcome, w.reason, w.text.clone(), w.flips.iter().map(|f| f.text.clone()).collect::<Vec<_>>())
    };
    let (became, reason, text, flips) = said("acme.guarded/stop", "bo@example.com", &context());
    assert_eq!((became, reason, text.as_str()), (Became::NotShown, Some("when"), "bo is at no great risk"));
    assert_eq!(flips, ["`user:bo@example.com` had risk `high`"]);
    let (_, reason, text, flips) = said("stop_again", "bo@example.com", &context());
    assert_eq!((reason, text.as_str()), (Some("for"), "bo is not in `risky`: `u.risk` is low, needs at least high"));
    assert_eq!(flips, ["`user:bo@example.com` had risk `high`"]);
    let (became, _, text, _) = said("stop", "ada@example.com", &context());
    assert_eq!(
        (became, text.as_str()),
        (Became::Shown, "it is card 1 of the answer; `acme.guarded/stop_again` recommends the same, so they are one card")
    );
    let (became, _, text, _) = said("stop", "cy@example.com", &context());
    assert_eq!(became, Became::Unavailable);
    assert!(text.contains("unavailable: a guard of the action speaks against it: cy is not stopped"), "{text}");
    let (became, _, text, _) = said("look", "cy@example.com", &context());
    assert!(became == Became::Unavailable && text.contains("exception `red_team`: CHG-1"), "{text}");
    let reader = Context { actor: Some(("reader".to_owned(), BTreeSet::from(["security_data:read".to_owned()]))), ..context() };
    let (became, _, text, _) = said("stop", "ada@example.com", &reader);
    assert!(became == Became::Unavailable && text.contains("`reader` lacks response:manage"), "{text}");
    let (became, reason, text, _) = said("stop", "ip:203.0.113.7", &context());
    assert_eq!((became, reason, text.as_str()), (Became::NotShown, Some("kind"), "the action `user.stop` does not apply to a ip"));
    let mut low = write(&incident);
    patch::apply(&mut low, &[serde_json::json!({"op": "set", "incident": {"severity": "low"}})]).unwrap();
    let low = read_value(&low).unwrap().incident;
    let e = explain(&set, &low, &context(), &ask("acme.guarded/stop", Some("ada@example.com"))).unwrap();
    let w = &e.playbooks[0].cards[0].entities[0];
    assert_eq!(w.text, "the playbook is no candidate: it wants a severity of at least medium, the incident has low");
    assert_eq!(w.flips.iter().map(|f| f.text.as_str()).collect::<Vec<_>>(), ["the incident had the severity `medium`"]);
}

#[test]
fn a_clause_says_what_it_is_and_what_it_needs() {
    let (set, incident) = guarded();
    let e = explain(&set, &incident, &context(), &ask("acme.guarded/stop", Some("bo@example.com"))).unwrap();
    let text = text_of(&e);
    assert!(text.contains("✗ is_risky: bo is at no great risk"), "{text}");
    assert!(text.contains("✗ `user.risk` is low, needs at least high"), "{text}");
    assert!(text.contains("This card would appear if `user:bo@example.com` had risk `high`"), "{text}");
    let (facts, _) = eval::facts(&set, &incident, None);
    let mut cx = Cx::new(&facts, set.questions);
    let rule = |n: usize| &set.playbooks[0].cards[n];
    let bo = facts.incident.entities().find(|(_, e)| &*e.name == "bo").unwrap().0;
    assert_eq!(why::card(&set.sources, &mut cx, rule(0), Some(bo)).failed_clauses(), ["is_risky"]);
    assert_eq!(why::card(&set.sources, &mut cx, rule(1), Some(bo)).failed_clauses(), ["for"]);
}

#[test]
fn what_is_asked_for_wrongly_is_said() {
    let (set, incident) = guarded();
    let refused = |what: &str, entity: Option<&str>| explain(&set, &incident, &context(), &ask(what, entity)).unwrap_err();
    assert_eq!(refused("acme.guarded/stopp", None), "the playbook `acme.guarded` has no card `stopp`; did you mean `acme.guarded/stop`?");
    assert_eq!(refused("acme.gaurded", None), "no playbook and no card is called `acme.gaurded`; did you mean `acme.guarded`?");
    assert!(refused("0123456789ab", None).starts_with("the answer to this incident has no card `0123456789ab`"));
    assert!(refused("stop", Some("user:ad@example.com")).contains("did you mean `user:ada@example.com`?"));
}

#[test]
fn explanations_and_written_incidents_fit_their_schemas() {
    let (explained, written) = (validator(&closed(schemas()["explain"].clone())), validator(&schemas()["incident"]));
    let (guarded_set, guarded_incident) = guarded();
    let mut pages = vec![explain(&guarded_set, &guarded_incident, &context(), &ask("stop", None)).unwrap()];
    for (_, incident) in incidents(3) {
        pages.push(whole(shipped_set(), &incident));
        let document = write(&incident);
        assert!(written.is_valid(&document), "{:?}", written.iter_errors(&document).next().map(|e| e.to_string()));
    }
    for e in pages {
        let document = serde_json::to_value(&e).unwrap();
        assert!(explained.is_valid(&document), "{:?}", explained.iter_errors(&document).next().map(|e| e.to_string()));
    }
}

#[test]
fn the_command_ends_as_it_should() {
    let engine = |args: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_engine")).current_dir(path("")).args(args).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let incident = "tests/data/incidents/graph-phishing-clicked.json";
    let (code, out, _) = engine(&["explain", "--incident", incident, "email.credential_phishing/block_links"]);
    assert!(code == Some(0) && out.starts_with("{\n  \"schema\": \"guided-response/explain/1\""), "in a pipe it is JSON: {out}");
    let (code, out, err) = engine(&["explain", "--incident", incident, "email.credential_phising"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("did you mean `email.credential_phishing`?"), "{err}");
    let (code, out, _) = engine(&["explain", "--incident", incident, "--as", "nobody_like_this"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
}

#[test]
fn hostile_names_steer_nothing() {
    let (set, incident) = guarded();
    let mut hostile = write(&incident);
    let name = "x\u{1b}[2J`](http://evil.example)<script>\n# head\u{202e}`";
    hostile["title"] = name.into();
    for e in hostile["entities"].as_array_mut().unwrap() {
        e["name"] = name.into();
    }
    let hostile = read_value(&hostile).unwrap().incident;
    for what in [None, Some("acme.guarded".to_owned()), Some("stop".to_owned())] {
        let e = explain(&set, &hostile, &context(), &Ask { what, entity: None, all: true }).unwrap();
        let all = std::slice::from_ref(&e);
        for format in [ExplainFormat::Text, ExplainFormat::Json, ExplainFormat::Markdown] {
            let page = render(all, format, &Look { width: 100, colour: false });
            assert!(!page.chars().any(|c| c != '\n' && hidden(c)), "{page}");
        }
        let page = render(all, ExplainFormat::Markdown, &Look::default());
        for line in page.lines() {
            assert!(!line.starts_with("# head") && !outside_code(line).contains("<script>") && !outside_code(line).contains("]("), "{line}");
        }
    }
}

/// A line of Markdown without its code spans.
fn outside_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        if at > 0 && rest.as_bytes()[at - 1] == b'\\' {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        out.push_str(&rest[..at]);
        let run = rest[at..].chars().take_while(|c| *c == '`').count();
        let fence = "`".repeat(run);
        let Some(end) = rest[at + run..].find(&fence) else { break };
        rest = &rest[at + run + end + run..];
    }
    out + rest
}

#[test]
fn the_pages_of_explain_are_as_they_were() {
    let set = shipped_set();
    let bytes = std::fs::read(path("tests/data/incidents/graph-phishing-clicked.json")).unwrap();
    let incident = intake::read(&bytes, None).unwrap().remove(0).incident;
    let look = Look { width: 100, colour: false };
    let all = [explain(set, &incident, &context(), &Ask::default()).unwrap()];
    let card = [explain(set, &incident, &context(), &ask("email.credential_phishing/block_address", None)).unwrap()];
    written(
        "tests/data/explain",
        &[
            ("overview.txt", render(&all, ExplainFormat::Text, &look)),
            ("card.txt", render(&card, ExplainFormat::Text, &look)),
            ("card.md", render(&card, ExplainFormat::Markdown, &look)),
            ("card.json", render(&card, ExplainFormat::Json, &look)),
        ],
    );
}
