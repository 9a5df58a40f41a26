//! Alerts, signals and ATT&CK.

use super::{items, kind, table, text};
use crate::model::technique::covers;
use crate::model::{Alert, AlertIx};
use crate::script::eval::Cx;
use crate::script::facts::Facts;
use crate::script::trace::{AlertHolds, Seen};
use crate::script::value::Value;

fn alert(args: &[Value], n: usize) -> Option<AlertIx> {
    match args.get(n) {
        Some(Value::Alert(a)) => Some(*a),
        _ => None,
    }
}

/// The technique of an alert that is the wanted one or below it.
pub(crate) fn technique_of<'a>(a: &'a Alert, wanted: &str) -> Option<&'a str> {
    a.techniques.iter().map(|t| &**t).find(|t| covers(wanted, t))
}

/// Whether an alert has something of this name.
pub(crate) fn alert_has(facts: &Facts<'_>, ix: AlertIx, what: AlertHolds, name: &str) -> bool {
    let alert = facts.incident.alert(ix);
    match what {
        AlertHolds::Signal => facts.said.get(ix.0 as usize).is_some_and(|s| s.contains(name)),
        AlertHolds::Technique => alert.is_some_and(|a| technique_of(a, name).is_some()),
        AlertHolds::Tactic => alert.is_some_and(|a| serves(a, name).is_some()),
        AlertHolds::Extra => alert.is_some_and(|a| a.extra.contains_key(name)),
    }
}

/// Whether any of the alerts has something of the name that the second argument gives; the first that has is evidence.
fn among(cx: &mut Cx<'_>, alerts: impl IntoIterator<Item = AlertIx>, args: &[Value], what: AlertHolds) -> Value {
    let Some(Value::Text(wanted)) = args.get(1) else { return false.into() };
    let found = alerts.into_iter().find(|ix| alert_has(cx.facts, *ix, what, wanted));
    if let Some(ix) = found {
        cx.note(|| Seen::AlertHas(ix, what, wanted.clone()));
    }
    found.is_some().into()
}

fn every<'a>(cx: &Cx<'a>) -> impl Iterator<Item = AlertIx> + use<'a> {
    cx.facts.incident.alerts().map(|(ix, _)| ix)
}

fn in_list(args: &[Value]) -> Vec<AlertIx> {
    items(args, 0).iter().filter_map(|v| if let Value::Alert(a) = v { Some(*a) } else { None }).collect()
}

table! { "Alerts and ATT&CK":
    Alert.has_technique(id: Technique) -> Bool, "Whether the alert names the technique or one of its sub-techniques.", r#"alerts.some(|a| a.has_technique("T1566"))"# => "true", |cx, a| Ok(among(cx, alert(a, 0), a, AlertHolds::Technique));
    Incident.has_technique(id: Technique) -> Bool, "Whether any alert names the technique or one of its sub-techniques.", r#"incident.has_technique("T1204")"# => "true", |cx, a| {
        let all = every(cx);
        Ok(among(cx, all, a, AlertHolds::Technique))
    };
    Alert.has_tactic(id: Tactic) -> Bool, "Whether the alert serves the tactic, by its own word or by its techniques.", r#"alerts.some(|a| a.has_tactic("initial-access"))"# => "true", |cx, a| Ok(among(cx, alert(a, 0), a, AlertHolds::Tactic));
    Incident.has_tactic(id: Tactic) -> Bool, "Whether any alert serves the tactic.", r#"incident.has_tactic("impact")"# => "false", |cx, a| {
        let all = every(cx);
        Ok(among(cx, all, a, AlertHolds::Tactic))
    };
    Alert.has_signal(id: Signal) -> Bool, "Whether the alert says this.", r#"alerts.some(|a| a.has_signal("url_clicked"))"# => "true", |cx, a| Ok(among(cx, alert(a, 0), a, AlertHolds::Signal));
    Incident.has_signal(id: Signal) -> Bool, "Whether any alert says this.", r#"incident.has_signal("url_clicked")"# => "true", |cx, a| {
        let all = every(cx);
        Ok(among(cx, all, a, AlertHolds::Signal))
    };
    Alerts.having(id: Signal) -> Alerts, "The alerts that say this.", r#"alerts.having("url_clicked").len()"# => "1", |cx, a| {
        let Some(Value::Text(wanted)) = a.get(1) else { return Ok(Value::list([])) };
        let all: Vec<AlertIx> = in_list(a).into_iter().filter(|ix| alert_has(cx.facts, *ix, AlertHolds::Signal, wanted)).collect();
        for ix in &all {
            cx.note(|| Seen::AlertHas(*ix, AlertHolds::Signal, wanted.clone()));
        }
        Ok(Value::list(all.into_iter().map(Value::Alert)))
    };
    Alert.entities(kind: KindName) -> OfKind, "The entities of this kind that the alert names.", r#"alerts.first().entities("url").len()"# => "1", |cx, a| {
        let wanted = kind(a, 1);
        let all = alert(a, 0).and_then(|ix| cx.facts.incident.alert(ix)).map(|al| al.entities.keys().copied().collect::<Vec<_>>()).unwrap_or_default();
        Ok(Value::list(all.into_iter().filter(|e| cx.facts.entity(*e).map(|e| e.kind) == wanted).map(Value::Entity)))
    };
    Alert.extra(key: Text) -> Text ? true, "A field of the source that has no place of its own; nested keys are joined by a dot.", r#"alerts.first().extra("rule")"# => "\"mail-7\"", |cx, a| {
        let (Some(ix), Some(Value::Text(key))) = (alert(a, 0), a.get(1)) else { return Ok(Value::Absent) };
        let found = cx.facts.incident.alert(ix).and_then(|al| al.extra.get(&**key));
        if found.is_some() {
            cx.note(|| Seen::AlertHas(ix, AlertHolds::Extra, key.clone()));
        }
        Ok(found.map(|v| Value::text(v)).into())
    };
    Free.entities(kind: KindName) -> OfKind, "All entities of a kind; `users` is short for `entities(\"user\")`.", r#"entities("user").len()"# => "2", |cx, a| {
        Ok(kind(a, 0).map_or_else(|| Value::list([]), |k| cx.facts.of_kind(k)))
    };
    Text.is_technique(id: Technique) -> Bool, "Whether it is the technique or one of its sub-techniques.", r#""T1566.002".is_technique("T1566")"# => "true", |_, a| Ok(covers(text(a, 1), text(a, 0)).into());
}

/// The word or technique by which an alert serves a tactic.
pub(crate) fn serves<'a>(a: &'a Alert, wanted: &str) -> Option<&'a str> {
    let by_word = a.tactics.iter().map(|t| &**t).find(|t| *t == wanted);
    let serves = |t: &&str| crate::model::technique::technique(t).is_some_and(|t| t.tactics.split(',').any(|x| x == wanted));
    by_word.or_else(|| a.techniques.iter().map(|t| &**t).find(serves))
}
