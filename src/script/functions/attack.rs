//! Alerts, signals and ATT&CK.

use super::{items, kind, table, text};
use crate::model::technique::covers;
use crate::model::{Alert, AlertIx};
use crate::script::eval::Cx;
use crate::script::trace::Seen;
use crate::script::value::Value;

fn alert(args: &[Value], n: usize) -> Option<AlertIx> {
    match args.get(n) {
        Some(Value::Alert(a)) => Some(*a),
        _ => None,
    }
}

fn technique_of(a: &Alert, wanted: &str) -> Option<String> {
    a.techniques.iter().find(|t| covers(wanted, t)).map(ToString::to_string)
}

/// Whether any of the alerts satisfies a test that gives what was found; the finding is evidence.
fn among(
    cx: &mut Cx<'_>,
    alerts: impl IntoIterator<Item = AlertIx>,
    field: &'static str,
    test: impl Fn(&Cx<'_>, AlertIx, &Alert) -> Option<String>,
) -> Value {
    for ix in alerts {
        if let Some(found) = cx.facts.incident.alert(ix).and_then(|a| test(cx, ix, a)) {
            cx.note(|| Seen::Alert { alert: ix, field, value: found });
            return true.into();
        }
    }
    false.into()
}

fn every(cx: &Cx<'_>) -> Vec<AlertIx> {
    cx.facts.incident.alerts().map(|(ix, _)| ix).collect()
}

fn in_list(args: &[Value]) -> Vec<AlertIx> {
    items(args, 0).iter().filter_map(|v| if let Value::Alert(a) = v { Some(*a) } else { None }).collect()
}

fn says(cx: &mut Cx<'_>, alerts: Vec<AlertIx>, wanted: &str) -> Value {
    among(cx, alerts, "signals", |cx, ix, _| cx.facts.signals_of(ix).any(|s| **s == *wanted).then(|| wanted.to_owned()))
}

table! { "Alerts and ATT&CK":
    Alert.has_technique(id: Technique) -> Bool, "Whether the alert names the technique or one of its sub-techniques.", r#"alerts.some(|a| a.has_technique("T1566"))"# => "true", |cx, a| {
        let wanted = text(a, 1).to_owned();
        Ok(among(cx, alert(a, 0), "techniques", |_, _, al| technique_of(al, &wanted)))
    };
    Incident.has_technique(id: Technique) -> Bool, "Whether any alert names the technique or one of its sub-techniques.", r#"incident.has_technique("T1204")"# => "true", |cx, a| {
        let wanted = text(a, 1).to_owned();
        let all = every(cx);
        Ok(among(cx, all, "techniques", |_, _, al| technique_of(al, &wanted)))
    };
    Alert.has_tactic(id: Tactic) -> Bool, "Whether the alert serves the tactic, by its own word or by its techniques.", r#"alerts.some(|a| a.has_tactic("initial-access"))"# => "true", |cx, a| {
        let wanted = text(a, 1).to_owned();
        Ok(among(cx, alert(a, 0), "tactics", |_, _, al| serves(al, &wanted)))
    };
    Incident.has_tactic(id: Tactic) -> Bool, "Whether any alert serves the tactic.", r#"incident.has_tactic("impact")"# => "false", |cx, a| {
        let wanted = text(a, 1).to_owned();
        let all = every(cx);
        Ok(among(cx, all, "tactics", |_, _, al| serves(al, &wanted)))
    };
    Alert.has_signal(id: Signal) -> Bool, "Whether the alert says this.", r#"alerts.some(|a| a.has_signal("url_clicked"))"# => "true", |cx, a| {
        let wanted = text(a, 1).to_owned();
        Ok(says(cx, alert(a, 0).into_iter().collect(), &wanted))
    };
    Incident.has_signal(id: Signal) -> Bool, "Whether any alert says this.", r#"incident.has_signal("url_clicked")"# => "true", |cx, a| {
        let wanted = text(a, 1).to_owned();
        let all = every(cx);
        Ok(says(cx, all, &wanted))
    };
    Alerts.having(id: Signal) -> Alerts, "The alerts that say this.", r#"alerts.having("url_clicked").len()"# => "1", |cx, a| {
        let wanted = text(a, 1).to_owned();
        let all: Vec<AlertIx> = in_list(a).into_iter().filter(|ix| cx.facts.signals_of(*ix).any(|s| **s == *wanted)).collect();
        for ix in &all {
            cx.note(|| Seen::Alert { alert: *ix, field: "signals", value: wanted.clone() });
        }
        Ok(Value::list(all.into_iter().map(Value::Alert)))
    };
    Alert.entities(kind: KindName) -> OfKind, "The entities of this kind that the alert names.", r#"alerts.first().entities("url").len()"# => "1", |cx, a| {
        let wanted = kind(a, 1);
        let all = alert(a, 0).and_then(|ix| cx.facts.incident.alert(ix)).map(|al| al.entities.keys().copied().collect::<Vec<_>>()).unwrap_or_default();
        Ok(Value::list(all.into_iter().filter(|e| cx.facts.entity(*e).map(|e| e.kind) == wanted).map(Value::Entity)))
    };
    Alert.extra(key: Text) -> Text ? true, "A field of the source that has no place of its own; nested keys are joined by a dot.", r#"alerts.first().extra("rule")"# => "\"mail-7\"", |cx, a| {
        let found = alert(a, 0).and_then(|ix| cx.facts.incident.alert(ix)).and_then(|al| al.extra.get(text(a, 1))).cloned();
        if let (Some(ix), Some(v)) = (alert(a, 0), &found) {
            cx.note(|| Seen::Alert { alert: ix, field: "extra", value: v.clone() });
        }
        Ok(found.into())
    };
    Free.entities(kind: KindName) -> OfKind, "All entities of a kind; `users` is short for `entities(\"user\")`.", r#"entities("user").len()"# => "2", |cx, a| {
        Ok(kind(a, 0).map_or_else(|| Value::list([]), |k| cx.facts.of_kind(k)))
    };
    Text.is_technique(id: Technique) -> Bool, "Whether it is the technique or one of its sub-techniques.", r#""T1566.002".is_technique("T1566")"# => "true", |_, a| Ok(covers(text(a, 1), text(a, 0)).into());
}

fn serves(a: &Alert, wanted: &str) -> Option<String> {
    let by_word = a.tactics.iter().find(|t| ***t == *wanted).map(ToString::to_string);
    by_word.or_else(|| {
        a.techniques
            .iter()
            .find(|t| crate::model::technique::technique(t).is_some_and(|t| t.tactics.split(',').any(|x| x == wanted)))
            .map(ToString::to_string)
    })
}
