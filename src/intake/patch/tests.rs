use serde_json::{Value, json};

use super::apply;
use crate::intake::native::write;
use crate::intake::read_value;

fn incident() -> Value {
    let given = json!({
        "schema": "guided-response/incident/1", "id": "INC-1", "severity": "high", "status": "active",
        "alerts": [
            {"id": "a-1", "title": "one", "first": "2026-01-12T09:30:00Z", "entities": [{"ref": "user:ada@contoso.com", "roles": ["victim"]}, "url:https://bad.example/a"]},
            {"id": "a-2", "title": "two", "severity": "medium", "entities": ["user:ada@contoso.com", "ip:203.0.113.7"]}],
        "entities": [{"id": "user:ada@contoso.com", "aliases": ["S-1-5-21-1-2-3-1001"], "properties": {"risk": "low"}}],
        "relations": [
            {"from": "user:ada@contoso.com", "relation": "clicked", "to": "url:https://bad.example/a", "alerts": ["a-1"]},
            {"from": "user:ada@contoso.com", "relation": "signed_in_from", "to": "ip:203.0.113.7", "alerts": ["a-1", "a-2"]}],
    });
    write(&read_value(&given).unwrap().incident)
}

fn changed(ops: Value) -> Value {
    let mut i = incident();
    apply(&mut i, ops.as_array().unwrap()).unwrap();
    // What a patch leaves is an incident, and reading it settles it.
    write(&read_value(&i).unwrap().incident)
}

fn refused(op: Value) -> String {
    let mut i = incident();
    let before = i.clone();
    let mut why = apply(&mut i, &[op]).unwrap_err();
    assert_eq!(i, before, "a patch that fails changes nothing");
    assert_eq!(why.len(), 1);
    why.remove(0)
}

fn ids(i: &Value, list: &str) -> Vec<String> {
    i[list].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

fn entity(i: &Value, id: &str) -> Value {
    i["entities"].as_array().unwrap().iter().find(|e| e["id"] == id).unwrap().clone()
}

fn relations(i: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    i["relations"].as_array().unwrap().iter().map(|r| format!("{} {} {}", text(&r["from"]), text(&r["relation"]), text(&r["to"]))).collect()
}

#[test]
fn set_merges_deep_and_null_removes() {
    let i = changed(json!([
        {"op": "set", "incident": {"severity": "low", "extra": {"team": "blue"}}},
        {"op": "set", "alert": "A-2", "to": {"severity": null, "detector": "d-1", "techniques": ["T1078.004"]}},
        {"op": "set", "entity": "S-1-5-21-1-2-3-1001", "to": {"verdict": "malicious", "properties": {"risk": "high", "department": "finance"}}},
    ]));
    assert_eq!((&i["severity"], &i["extra"]["team"]), (&json!("low"), &json!("blue")));
    assert_eq!((&i["alerts"][1]["severity"], &i["alerts"][1]["detectors"]), (&Value::Null, &json!(["d-1"])));
    let ada = entity(&i, "user:ada@contoso.com");
    assert_eq!(
        (&ada["verdict"], &ada["properties"]["risk"], &ada["properties"]["department"]),
        (&json!("malicious"), &json!("high"), &json!("finance"))
    );
    let i = changed(json!([{"op": "set", "entity": "user:ada@contoso.com", "to": {"properties": {"risk": null}}}]));
    assert_eq!(entity(&i, "user:ada@contoso.com")["properties"].get("risk"), None);
}

#[test]
fn a_part_that_is_not_set_is_played_nowhere() {
    let i = changed(json!([{"op": "set", "entity": "user:ada@contoso.com", "to": {"roles": ["compromised"]}}]));
    assert_eq!(entity(&i, "user:ada@contoso.com")["roles"], json!(["compromised"]));
    assert_eq!(i["alerts"][0]["entities"][1]["roles"], json!([]));
}

#[test]
fn what_only_a_removed_alert_brought_goes_with_it() {
    let i = changed(json!([{"op": "remove", "alert": "a-1"}]));
    assert_eq!(ids(&i, "alerts"), ["a-2"]);
    assert_eq!(ids(&i, "entities"), ["ip:203.0.113.7", "user:ada@contoso.com"]);
    assert_eq!(relations(&i), ["user:ada@contoso.com signed_in_from ip:203.0.113.7"]);
}

#[test]
fn things_are_added_and_named() {
    let i = changed(json!([
        {"op": "add", "alert": {"id": "a-3", "title": "three", "first": "2026-01-12T11:00:00Z", "entities": [{"ref": "device:d1.contoso.com"}]}},
        {"op": "add", "entity": {"id": "url:https://new.example/x", "verdict": "malicious"}},
        {"op": "add", "relation": {"from": "ada@contoso.com", "relation": "clicked", "to": "url:https://new.example/x", "alerts": ["a-3"]}},
        {"op": "add", "alert": "a-2", "entity": {"ref": "ada@contoso.com", "roles": ["compromised"]}},
    ]));
    assert!(relations(&i).contains(&"user:ada@contoso.com clicked url:https://new.example/x".to_owned()));
    assert!(relations(&i).contains(&"url:https://new.example/x in_domain domain:new.example".to_owned()), "what follows from an entity follows");
    assert!(ids(&i, "entities").contains(&"device:d1.contoso.com".to_owned()));
    let clicked = i["relations"].as_array().unwrap().iter().find(|r| r["to"] == "url:https://new.example/x" && r["relation"] == "clicked").unwrap();
    assert_eq!(clicked["first"], "2026-01-12T11:00:00Z", "a relation happens when its alert does");
    let ada = i["alerts"][1]["entities"].as_array().unwrap().iter().find(|r| r["ref"] == "user:ada@contoso.com").unwrap().clone();
    assert_eq!(ada["roles"], json!(["compromised"]));
}

#[test]
fn things_are_removed() {
    let i = changed(json!([{"op": "remove", "entity": "ip:203.0.113.7"}]));
    assert!(!i.to_string().contains("203.0.113.7"));
    let i = changed(json!([{"op": "remove", "relation": {"from": "ada@contoso.com", "relation": "clicked", "to": "https://bad.example/a"}}]));
    assert!(!relations(&i).iter().any(|r| r.contains("clicked")));
    let i = changed(json!([{"op": "remove", "alert": "a-1", "entity": "ada@contoso.com"}]));
    assert_eq!(relations(&i), ["url:https://bad.example/a in_domain domain:bad.example", "user:ada@contoso.com signed_in_from ip:203.0.113.7"]);
}

#[test]
fn what_an_alert_reported_goes_with_it() {
    let mut i = incident();
    let e = i["entities"].as_array_mut().unwrap().iter_mut().find(|e| e["id"] == "user:ada@contoso.com").unwrap();
    e["properties"]["risk"] = json!("high");
    e["history"] = json!({"risk": [{"at": "2026-01-12T08:00:00Z", "alert": "a-2", "value": "medium"}, {"at": "2026-01-12T09:00:00Z", "alert": "a-1", "value": "high"}]});
    let mut one = i.clone();
    apply(&mut one, &[json!({"op": "remove", "alert": "a-1"})]).unwrap();
    let after = write(&read_value(&one).unwrap().incident);
    assert_eq!(entity(&after, "user:ada@contoso.com")["properties"]["risk"], "medium", "what was reported before holds again");
    // What is set takes the place of all reports.
    apply(&mut i, &[json!({"op": "set", "entity": "user:ada@contoso.com", "to": {"properties": {"risk": "low"}}})]).unwrap();
    let after = write(&read_value(&i).unwrap().incident);
    assert_eq!(entity(&after, "user:ada@contoso.com")["history"]["risk"], json!([{"at": "2026-01-12T09:00:00Z", "alert": "a-1", "value": "low"}]));
}

#[test]
fn a_flag_that_was_ever_true_can_be_set_to_false() {
    let mut i = json!({"schema": "guided-response/incident/1", "id": "x", "alerts": [{"id": "a-1", "title": "t"}, {"id": "a-2", "title": "t"}],
        "entities": [{"id": "email:m1", "kind": "email", "settled": true, "name": "m", "properties": {"was_delivered": true},
            "history": {"was_delivered": [{"alert": "a-1", "value": true}, {"alert": "a-2", "value": false}]}}]});
    let holds = |i: &Value| {
        let read = read_value(i).unwrap().incident;
        let facts = crate::script::Facts::new(&read, &[], None);
        facts.prop(crate::model::EntityIx(0), crate::model::Prop::named("was_delivered").unwrap()).cloned()
    };
    assert_eq!(holds(&i), Some(crate::model::PropValue::Bool(true)));
    apply(&mut i, &[json!({"op": "set", "entity": "email:m1", "to": {"properties": {"was_delivered": false}}})]).unwrap();
    assert_eq!(holds(&i), Some(crate::model::PropValue::Bool(false)));
}

#[test]
fn operations_of_rfc_6902_work_on_places() {
    let i = changed(json!([
        {"op": "test", "path": "/alerts/0/id", "value": "a-1"},
        {"op": "replace", "path": "/alerts/0/title", "value": "uno"},
        {"op": "add", "path": "/tags/-", "value": "vip"},
        {"op": "copy", "from": "/alerts/0/title", "path": "/description"},
        {"op": "move", "from": "/alerts/1/severity", "path": "/alerts/0/severity"},
        {"op": "remove", "path": "/relations/0"},
        {"op": "add", "path": "/extra/a~1b", "value": "x"},
    ]));
    assert_eq!((&i["alerts"][0]["title"], &i["description"], &i["tags"]), (&json!("uno"), &json!("uno"), &json!(["vip"])));
    assert_eq!((&i["alerts"][0]["severity"], &i["extra"]["a/b"]), (&json!("medium"), &json!("x")));
}

#[test]
fn every_mistake_is_said_with_what_would_be_right() {
    for (op, why) in [
        (json!("remove a-1"), "an operation is a map such as `{op: remove, alert: a-3}`"),
        (json!({"alert": "a-1"}), "an operation without `op`: it is one of `set`, `add`, `remove`, `replace`, `test`, `move`, `copy`"),
        (json!({"op": "remvoe", "alert": "a-1"}), "`remvoe` is no operation; did you mean `remove`?"),
        (json!({"op": "remove", "alert": "a-9"}), "there is no alert `a-9`; did you mean `a-1`?"),
        (json!({"op": "remove", "alert": "zzzzzzzz"}), "there is no alert `zzzzzzzz`; the incident has `a-1`, `a-2`"),
        (json!({"op": "remove", "alert": "a-1", "entitty": "x"}), "`entitty` does not belong to this operation: there are `alert`"),
        (
            json!({"op": "set", "entity": "bo", "to": {}}),
            "there is no entity `bo`; the incident has `domain:bad.example`, `ip:203.0.113.7`, `url:https://bad.example/a`, `user:ada@contoso.com`",
        ),
        (
            json!({"op": "set", "entity": "user:ada@contoso.co", "to": {}}),
            "there is no entity `user:ada@contoso.co`; did you mean `user:ada@contoso.com`?",
        ),
        (json!({"op": "set", "entity": "ada@contoso.com"}), "`to` says what is to be set, as in `to: {severity: low}`"),
        (
            json!({"op": "set", "entity": "ada@contoso.com", "to": {"properties": {"rsik": "high"}}}),
            "a user has no property `rsik`; did you mean `risk`?",
        ),
        (
            json!({"op": "set", "entity": "ada@contoso.com", "to": {"properties": {"risk": "hihg"}}}),
            "`risk` is a level: informational, low, medium, high or critical; `null` takes it away",
        ),
        (
            json!({"op": "set", "entity": "ada@contoso.com", "to": {"verdict": "evil"}}),
            "`evil` is no word for `verdict`: there are `no_threats_found`, `unknown`, `suspicious`, `malicious`",
        ),
        (
            json!({"op": "set", "entity": "ada@contoso.com", "to": {"malicious": true}}),
            "`malicious` of an entity is not set this way: set `verdict: malicious`",
        ),
        (
            json!({"op": "set", "alert": "a-1", "to": {"signals": ["x"]}}),
            "`signals` of an alert is not set this way: playbooks derive it; set what they look at: `detectors`, `title`, `category`",
        ),
        (json!({"op": "set", "alert": "a-1", "to": {"titel": "x"}}), "an alert has no `titel`; did you mean `title`?"),
        (json!({"op": "set", "incident": {"severity": "hgih"}}), "`hgih` is no word for `severity`; did you mean `high`?"),
        (json!({"op": "set", "incident": {"created": "soon"}}), "`created` is a moment such as `2026-01-12T09:30:00Z`"),
        (
            json!({"op": "set", "incident": {"alerts": []}}),
            "`alerts` of an incident is not set this way: `add`, `set` and `remove` with `alert` change them one by one",
        ),
        (json!({"op": "add", "alert": {"title": "x"}}), "an alert that is added has an `id`"),
        (json!({"op": "add", "alert": {"id": "a-1"}}), "there is an alert `a-1` already: `set` changes it"),
        (json!({"op": "add", "entity": {"id": "usr:x"}}), "`usr:x` does not begin with a kind of entity; did you mean `user:…`?"),
        (json!({"op": "add", "entity": {"id": "user:ada@contoso.com"}}), "there is an entity `user:ada@contoso.com` already: `set` changes it"),
        (
            json!({"op": "add", "relation": {"from": "ada@contoso.com", "relation": "cliked", "to": "url:https://x.example/"}}),
            "`cliked` is no relation; did you mean `clicked`?",
        ),
        (
            json!({"op": "add", "relation": {"from": "ada@contoso.com", "relation": "clicked", "to": "ip:203.0.113.7"}}),
            "`clicked` cannot lead from a user to a ip",
        ),
        (
            json!({"op": "remove", "relation": {"from": "ada@contoso.com", "relation": "clicked", "to": "url:https://x.example/"}}),
            "no relation leads from `user:ada@contoso.com` by `clicked` to `url:https://x.example/`",
        ),
        (json!({"op": "remove", "alert": "a-2", "entity": "https://bad.example/a"}), "the alert `a-2` does not name `url:https://bad.example/a`"),
        (json!({"op": "replace"}), "`replace` needs a `path`, such as `/alerts/0/severity`"),
        (json!({"op": "replace", "path": "/alerts/7/title", "value": 1}), "there is nothing at `/alerts/7`: the list has 2 items, counted from 0"),
        (json!({"op": "replace", "path": "/severty", "value": 1}), "there is nothing at `/severty`; did you mean `severity`?"),
        (json!({"op": "replace", "path": "alerts", "value": 1}), "`alerts` is no place: it begins with `/`"),
        (json!({"op": "test", "path": "/severity", "value": "low"}), "`/severity` is `\"high\"`, not `\"low\"`"),
        (json!({"op": "add", "path": "/alerts/9", "value": {}}), "`9` is no position in a list of 2: `-` is its end"),
        (json!({"op": "move", "from": "/alerts", "path": "/alerts/0"}), "nothing can be moved into itself"),
        (json!({"op": "remove", "path": ""}), "the whole incident cannot be taken away"),
        (json!({"op": "set", "path": "/a"}), "`set` has no `path`: it names `incident`, `alert` or `entity`; `replace` has one"),
    ] {
        assert_eq!(refused(op.clone()), why, "{op}");
    }
}

#[test]
fn all_mistakes_are_told_with_their_numbers() {
    let ops = [json!({"op": "remove", "alert": "a-1"}), json!({"op": "remove", "alert": "a-1"}), json!({"op": "x"})];
    let why = apply(&mut incident(), &ops).unwrap_err();
    assert!(why.len() == 2 && why[0].starts_with("operation 2: there is no alert `a-1`") && why[1].starts_with("operation 3: `x`"), "{why:?}");
}

#[test]
fn copies_of_copies_end() {
    let ops: Vec<Value> = (0..60).map(|n| json!({"op": "copy", "from": "", "path": format!("/extra/c{n}")})).collect();
    let why = apply(&mut incident(), &ops).unwrap_err();
    assert!(why.iter().any(|w| w.contains("grows to more than")), "{why:?}");
    let many = vec![json!({"op": "test", "path": "/id", "value": "INC-1"}); super::OPERATIONS + 1];
    assert!(apply(&mut incident(), &many).unwrap_err()[0].contains("at most 1000"));
}
