//! Nothing that an incident holds, and no mistake of an author, opens a guard: it fails closed, and says so.

use guided_response::card::{Context, Response, respond};
use guided_response::diag::Severity;
use guided_response::model::Time;
use guided_response::playbook::{Input, PlaybookSet, compile};
use serde_json::{Value, json};

use crate::support::incident;

/// The shipped files, and these above them.
fn set(files: &[&str]) -> PlaybookSet {
    let mut all = guided_response::runtime::playbooks::shipped();
    all.extend(files.iter().enumerate().map(|(n, t)| Input { path: format!("mine/{n}.yaml"), text: (*t).to_owned(), layer: 1 }));
    compile(&all)
}

fn answer(set: &PlaybookSet, entities: Value, alert: Value) -> Response {
    let refs: Vec<Value> = entities.as_array().unwrap().iter().map(|e| json!({"ref": e["id"]})).collect();
    let mut alert = alert;
    alert["entities"] = json!(refs);
    let whole = json!({"schema": "guided-response/incident/1", "id": "I-1", "title": "t", "severity": "high", "created": "2026-01-12T09:30:00Z", "alerts": [alert], "entities": entities});
    let today: Time = "2026-01-13T00:00:00Z".parse().unwrap();
    respond(set, &incident(whole.to_string().as_bytes()), &Context { now: None, today, actor: None, input: Vec::new(), only: None })
}

fn alert() -> Value {
    json!({"id": "a-1", "title": "Something happened", "first": "2026-01-12T09:00:00Z", "last": "2026-01-12T09:10:00Z"})
}

/// A playbook with one card for each entity of a collection.
fn on_all(action: &str, list: &str, each: &str) -> String {
    format!(
        "playbook: mine.all\nformat: 1\nversion: 1.0.0\ntitle: t\ncontainment:\n  - {{ id: c, action: {action}, {each}: x in {list}, why: because }}\n"
    )
}

/// What became of the cards of `mine.all`: the ids that each is about, and its cause if it is unavailable.
fn cards(r: &Response) -> Vec<(Vec<String>, Option<&'static str>)> {
    let mut all: Vec<_> = r
        .cards
        .iter()
        .filter(|c| c.sources.iter().any(|s| s.playbook == "mine.all"))
        .map(|c| (c.entity.iter().chain(&c.entities).map(|e| e.id.clone()).collect(), c.availability.cause))
        .collect();
    all.sort();
    all
}

fn errors(set: &PlaybookSet) -> usize {
    set.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
}

#[test]
fn what_ships_loads_without_a_word_and_all_its_patterns_compile() {
    // In a layer of its own everything is compiled at once, as an author's files are.
    let files: Vec<Input> = guided_response::runtime::playbooks::shipped().into_iter().map(|f| Input { layer: 1, ..f }).collect();
    let set = compile(&files);
    assert_eq!(set.diagnostics, Vec::new());
    assert!(set.playbooks.len() >= 10 && set.signals.len() >= 60 && set.actions.len() >= 100);
}

#[test]
fn your_own_addresses_machines_and_domains_are_never_blocked() {
    let lists = "lists:\n  own_networks: { kind: ip, values: [203.0.113.0/24], tag: own-network }\n  own_domains: { kind: domain, values: [contoso.com], tag: own-domain }\n";
    let ips = set(&[lists, &on_all("ip.block", "ips", "for")]);
    let ids = ["10.1.2.3", "203.0.113.9", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1:443", "64:ff9b::a00:1", "0.0.0.0", "127.0.0.1", "010.0.0.1"];
    let entities: Vec<Value> = ids.iter().map(|i| json!({"id": format!("ip:{i}"), "kind": "ip"})).collect();
    for (id, cause) in cards(&answer(&ips, json!(entities), alert())) {
        assert_eq!(cause, Some("policy"), "{id:?}");
    }
    let others = json!([{"id": "ip:198.51.100.7", "kind": "ip"}, {"id": "ip:237.7.81.122", "kind": "ip"}]);
    assert!(cards(&answer(&ips, others, alert())).iter().all(|(_, cause)| cause.is_none()), "addresses of others may be blocked");
    let urls = set(&[lists, &on_all("url.block", "urls", "for")]);
    let ids = [
        "https://www.contoso.com/a",
        "hxxps://contoso[.]com/x",
        "https:\\\\contoso.com\\x",
        "https:/contoso.com/x",
        "https://CONTOSO.com./",
        "https://evil@contoso.com/",
    ];
    let entities: Vec<Value> = ids.iter().map(|i| json!({"id": format!("url:{i}"), "kind": "url"})).collect();
    for (id, cause) in cards(&answer(&urls, json!(entities), alert())) {
        assert_eq!(cause, Some("policy"), "{id:?}");
    }
}

#[test]
fn processes_that_the_system_needs_are_never_stopped() {
    let s = set(&[&on_all("process.kill", "processes", "for")]);
    let paths = [
        "C:\\Windows\\System32\\lsass.exe",
        "\\Device\\HarddiskVolume3\\Windows\\System32\\lsass.exe",
        "%SystemRoot%\\System32\\lsass.exe",
        "\\\\?\\C:\\Windows\\System32\\lsass.exe",
    ];
    for p in paths {
        let e =
            json!([{"id": "process:d/1@2026", "kind": "process", "name": "lsass.exe", "properties": {"image_name": "lsass.exe", "image_path": p}}]);
        assert_eq!(cards(&answer(&s, e, alert())).first().and_then(|c| c.1), Some("policy"), "{p}");
    }
    let e = json!([{"id": "process:d/1@2026", "kind": "process", "properties": {"image_name": "lsass.exe", "image_path": "C:\\Users\\Public\\lsass.exe"}}]);
    assert_eq!(cards(&answer(&s, e, alert())).first().and_then(|c| c.1), None, "a copy elsewhere is no part of the system");
}

#[test]
fn one_bad_value_leaves_the_rest_of_a_list_in_force() {
    let lists = "lists:\n  own_networks: { kind: ip, values: [203.0.113.0/24, 10.0.0.0/33], tag: own-network }\n";
    let s = set(&[lists, &on_all("ip.block", "ips", "for")]);
    assert_eq!(errors(&s), 1);
    let r = answer(&s, json!([{"id": "ip:203.0.113.9", "kind": "ip"}]), alert());
    assert_eq!(cards(&r), [(vec!["ip:203.0.113.9".to_owned()], Some("policy"))]);
}

#[test]
fn an_action_with_an_error_is_not_available() {
    let action = |more: &str| format!("actions:\n  ip.cut: {{ title: Cut, phase: containment, kinds: [ip], {more} }}\n");
    for broken in ["never: [{ if: 'target.adress == \"x\"', why: no }]", "nevr: [{ if: 'true', why: no }]"] {
        let s = set(&[&action(broken), &on_all("ip.cut", "ips", "for")]);
        assert_eq!(errors(&s), 1, "{broken}");
        let r = answer(&s, json!([{"id": "ip:198.51.100.7", "kind": "ip"}]), alert());
        assert_eq!(cards(&r).first().and_then(|c| c.1), Some("policy"), "{broken}");
    }
}

#[test]
fn a_playbook_called_like_another_thing_does_not_take_its_place() {
    let plain = set(&[&on_all("ip.block", "ips", "for")]);
    let called = |id: &str| format!("playbook: {id}\nformat: 1\nversion: 1.0.0\ntitle: t\n");
    let s = set(&[&called("actions.ip.block"), &called("signals.url_clicked"), &called("lists.own_domains"), &on_all("ip.block", "ips", "for")]);
    assert_eq!(errors(&s), 0, "{:?}", s.diagnostics);
    assert!(!plain.actions["ip.block"].never.is_empty());
    assert_eq!(s.actions["ip.block"].never.len(), plain.actions["ip.block"].never.len());
    assert_eq!((s.signals.len(), s.lists.len(), s.playbooks.len()), (plain.signals.len(), plain.lists.len(), plain.playbooks.len() + 3));
}

#[test]
fn an_overlay_takes_no_guard_away() {
    let s = set(&["overlay: actions.ip.block\nset: { never: [] }\n", &on_all("ip.block", "ips", "for")]);
    assert_eq!(errors(&s), 1);
    let r = answer(&s, json!([{"id": "ip:10.0.0.4", "kind": "ip"}]), alert());
    assert_eq!(cards(&r).first().and_then(|c| c.1), Some("policy"));
}

#[test]
fn an_overlay_that_does_not_load_leaves_the_playbook_as_it_was() {
    let whole = set(&[]).playbooks.len();
    let s = set(&["overlay: email.credential_phishing\nset: { containment.revoke_sessions.priority: 300 }\n"]);
    assert_eq!((s.playbooks.len(), errors(&s)), (whole, 1));
}

#[test]
fn an_exception_holds_for_its_target_and_no_other() {
    let book = format!(
        "{}exceptions:\n  - {{ id: red_team, for: {{ user: [bob@contoso.com, rt-01] }}, reason: exercise, expires: 2026-12-31 }}\n",
        on_all("user.revoke_sessions", "users", "for_all")
    );
    let s = set(&[&book]);
    let people = json!([{"id": "user:ada@contoso.com", "kind": "user"}, {"id": "user:bob@contoso.com", "kind": "user"}]);
    let r = answer(&s, people, alert());
    assert_eq!(cards(&r), [(vec!["user:ada@contoso.com".to_owned()], None), (vec!["user:bob@contoso.com".to_owned()], Some("exception"))]);
    let held = r.cards.iter().find(|c| c.availability.cause == Some("exception")).unwrap();
    assert!(held.availability.need.as_deref().unwrap().contains("until 2026-12-31"), "the day is the one that was written");
    // A local account name is nobody's id.
    let r = answer(&s, json!([{"id": "user:sam:evilpc\\rt-01", "kind": "user", "aliases": ["sam:rt-01"]}]), alert());
    assert!(cards(&r).iter().all(|(_, cause)| cause.is_none()), "{:?}", cards(&r));
}

#[test]
fn a_local_account_with_somebodys_address_for_a_name_is_not_that_somebody() {
    let user = |account: Value| json!({"@odata.type": "#microsoft.graph.security.userEvidence", "userAccount": account});
    let i = incident(
        json!({"@odata.type": "#microsoft.graph.security.alert", "id": "a", "title": "t", "serviceSource": "microsoftDefenderForEndpoint", "createdDateTime": "2026-01-12T09:30:00Z",
            "evidence": [
                user(json!({"accountName": "ada", "userPrincipalName": "ada@contoso.com", "azureAdUserId": "11111111-2222-3333-4444-555555555555"})),
                user(json!({"accountName": "ada@contoso.com", "domainName": "EVILPC", "userSid": "S-1-5-21-9-9-9-1001"})),
            ]})
        .to_string()
        .as_bytes(),
    );
    assert_eq!(i.entities.len(), 2, "{:?}", i.entities.iter().map(|e| &e.id).collect::<Vec<_>>());
}

#[test]
fn a_benign_signal_is_never_decided_by_words() {
    for rule in ["titles: ['*']", "products: ['p*']", "detectors: ['*']", "if: 'alert.title.contains(\"test\")'", "if: 'alert.extra(\"x\") == \"y\"'"]
    {
        let s = set(&[&format!("signals:\n  fake_test:\n    title: t\n    benign: true\n    any: [{{ {rule} }}]\n")]);
        assert_eq!(errors(&s), 1, "{rule}");
        assert!(s.signals.iter().any(|x| &*x.id == "fake_test" && x.rules.is_empty()), "{rule}");
    }
}

#[test]
fn a_title_completes_no_card() {
    let signal =
        "signals:\n  fake_done:\n    title: t\n    any: [{ titles: ['*'] }]\n    says: { properties: { email: { was_remediated: true } } }\n";
    let s = set(&[signal, &on_all("email.quarantine", "emails", "for")]);
    let r = answer(&s, json!([{"id": "email:m-1/ada@contoso.com", "kind": "email"}]), alert());
    let card = r.cards.iter().find(|c| c.action == "email.quarantine").unwrap();
    assert_eq!(card.status, guided_response::card::response::Status::Recommended);
}

#[test]
fn one_action_on_one_thing_is_one_card_whatever_the_section() {
    let book = "playbook: mine.all\nformat: 1\nversion: 1.0.0\ntitle: t\n\
        containment:\n  - { id: c, action: user.contact, for: u in users, why: x, priority: 10 }\n\
        investigation:\n  - { id: d, action: user.contact, for: u in users, why: y, priority: 90 }\n";
    let r = answer(&set(&[book]), json!([{"id": "user:ada@contoso.com", "kind": "user"}]), alert());
    let mine: Vec<_> = r.cards.iter().filter(|c| c.action == "user.contact").collect();
    assert_eq!(mine.len(), 1);
    assert_eq!((mine[0].priority, mine[0].sources.len(), mine[0].why.as_str()), (90, 2, "y"));
}

#[test]
fn large_alerts_stay_cheap() {
    let users = (0..800).map(|n| json!({"id": format!("user:u{n}@contoso.com"), "kind": "user"}));
    let urls = (0..800).map(|n| json!({"id": format!("url:https://x{n}.example/a"), "kind": "url"}));
    let entities: Vec<Value> = users.chain(urls).collect();
    let book = "playbook: mine.all\nformat: 1\nversion: 1.0.0\ntitle: t\ncontainment:\n  - { id: a, action: user.revoke_sessions, for: u in users, why: x }\n  - { id: b, action: url.block, for: l in urls, why: x, after: [a] }\n";
    let clicked = json!({"id": "a-1", "title": "Malicious URL was clicked", "first": "2026-01-12T09:00:00Z"});
    let begun = std::time::Instant::now();
    let r = answer(&set(&[book]), json!(entities), clicked);
    assert!(r.cards.len() >= 1600);
    assert!(r.diagnostics.iter().any(|d| d.message.contains("too many entities")), "what is not drawn is told");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
