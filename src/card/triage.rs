//! The triage suggestion, from what the source decided and what the rules say.

use std::collections::BTreeSet;

use super::evidence;
use super::response::{Because, Considered, Triage, TriageSource};
use crate::eval::because;
use crate::eval::{Evaluation, failure};
use crate::model::{AlertIx, Classification};
use crate::playbook::PlaybookSet;
use crate::playbook::set::Playbook;
use crate::script::expr::{Expr, Node};
use crate::script::{Cx, Value};

/// What one playbook says.
struct Opinion {
    classification: Classification,
    determination: Option<String>,
    confidence: u8,
    why: String,
    because: Vec<Because>,
    alerts: BTreeSet<AlertIx>,
    source: TriageSource,
    playbook: String,
}

/// The triage of an incident.
pub fn triage(set: &PlaybookSet, cx: &mut Cx<'_>, evaluation: &mut Evaluation) -> Triage {
    let mut opinions: Vec<Opinion> = Vec::new();
    let mut others: Vec<Opinion> = Vec::new();
    let mut missing = Vec::new();
    for m in &evaluation.matched {
        let Some(p) = set.playbooks.get(m.playbook) else { continue };
        if m.arms.is_empty() {
            cx.aside(|cx| lacking(cx, p, &mut missing));
        }
        for (n, arm) in m.arms.iter().filter_map(|a| p.triage.get(*a)).enumerate() {
            let why = match arm.why.render(cx, &[]) {
                Ok(t) => t,
                Err(stop) => {
                    evaluation.diagnostics.push(failure(p, None, &stop));
                    continue;
                }
            };
            let mut reasons = Vec::new();
            if let Some(when) = arm.when.as_ref().filter(|_| n == 0) {
                cx.aside(|cx| because::clauses(cx, when, &[], &mut reasons));
            }
            let place = set.sources.place(arm.span);
            let opinion = Opinion {
                classification: arm.classification,
                determination: arm.determination.clone(),
                confidence: arm.confidence,
                why,
                alerts: evidence::alerts(cx.facts, &reasons),
                because: cx.aside(|cx| evidence::because(cx, &reasons, |name| unsaid(p, name))),
                source: TriageSource {
                    origin: "rules",
                    playbook: Some(p.id.to_string()),
                    file: Some(place.file.to_string()),
                    line: Some(place.line),
                },
                playbook: p.id.to_string(),
            };
            // A playbook says what its first arm says; what further arms would say was considered.
            if n == 0 { opinions.push(opinion) } else { others.push(opinion) }
        }
    }
    let order = |all: &mut Vec<Opinion>| {
        all.sort_by(|a, b| {
            (a.classification, std::cmp::Reverse(a.confidence), &a.playbook).cmp(&(b.classification, std::cmp::Reverse(b.confidence), &b.playbook))
        });
    };
    order(&mut opinions);
    let mut chosen = combined(&opinions);
    // Everything else that was said or could be, best first.
    let considered = |mut opinions: Vec<Opinion>, skip: usize| -> Vec<Considered> {
        let mut all: Vec<Opinion> = opinions.drain(..).skip(skip).chain(others).collect();
        order(&mut all);
        all.into_iter()
            .map(|o| Considered {
                classification: o.classification,
                determination: o.determination,
                confidence: o.confidence,
                why: o.why,
                source: o.source,
            })
            .collect()
    };
    if let Some(decided) = cx.facts.incident.classification {
        let i = cx.facts.incident;
        let whose = if i.determination.is_some() { "classification and determination" } else { "classification" };
        return Triage {
            classification: decided,
            determination: i.determination.clone(),
            confidence: 100,
            why: format!("the incident already carries this {whose}: a decision that was taken in its source"),
            because: Vec::new(),
            source: TriageSource { origin: "source", ..TriageSource::default() },
            considered: considered(opinions, 0),
            missing: Vec::new(),
        };
    }
    match chosen.take() {
        Some((mut t, own)) => {
            t.considered = considered(opinions, usize::from(own));
            if t.classification == Classification::Undetermined {
                t.missing = missing;
            }
            t
        }
        None => {
            if evaluation.matched.is_empty() {
                missing.push("no playbook covers what its alerts say".to_owned());
            }
            missing.sort();
            missing.dedup();
            Triage {
                classification: Classification::Undetermined,
                determination: None,
                confidence: 0,
                why: "nothing in the incident decides it".to_owned(),
                because: Vec::new(),
                source: TriageSource { origin: "none", ..TriageSource::default() },
                considered: Vec::new(),
                missing,
            }
        }
    }
}

/// The best opinion, or what two true positives on separate evidence are together. The flag says whether it is the
/// first opinion itself.
fn combined(opinions: &[Opinion]) -> Option<(Triage, bool)> {
    let first = opinions.first()?;
    let mut t = Triage {
        classification: first.classification,
        determination: first.determination.clone(),
        confidence: first.confidence,
        why: first.why.clone(),
        because: first.because.clone(),
        source: first.source.clone(),
        considered: Vec::new(),
        missing: Vec::new(),
    };
    if first.classification != Classification::TruePositive {
        return Some((t, true));
    }
    let other = opinions.iter().skip(1).find(|o| {
        o.classification == Classification::TruePositive
            && o.determination != first.determination
            && o.determination.as_deref() != Some("multi_stage_attack")
            && first.determination.as_deref() != Some("multi_stage_attack")
            && !o.alerts.is_empty()
            && !first.alerts.is_empty()
            && o.alerts.is_disjoint(&first.alerts)
    });
    let Some(other) = other else { return Some((t, true)) };
    t.determination = Some("multi_stage_attack".into());
    t.why = format!("{}; and, on other alerts, {}", first.why, other.why);
    t.because.extend(other.because.iter().cloned());
    Some((t, false))
}

/// What is not so in a playbook that matched and decided nothing: the sentences of the clauses that do not hold.
fn lacking(cx: &mut Cx<'_>, p: &Playbook, out: &mut Vec<String>) {
    for arm in &p.triage {
        if let Some(when) = &arm.when {
            failing(cx, when, &[], out);
        }
    }
}

fn failing(cx: &mut Cx<'_>, e: &Expr, params: &[Value], out: &mut Vec<String>) {
    match &e.node {
        Node::And(all) | Node::Or(all) => all.iter().for_each(|x| failing(cx, x, params, out)),
        Node::Clause(c, args) if args.is_empty() => {
            if !cx.holds(e, params).unwrap_or(true)
                && let Some(Ok(text)) = c.fail.as_ref().map(|t| t.render(cx, &[]))
                && !out.contains(&text)
            {
                out.push(text);
            }
        }
        _ => {}
    }
}

/// The sentence for a clause whose author gave none.
pub fn unsaid(p: &Playbook, name: &str) -> String {
    if name == "when" {
        return format!("a test of `{}` holds", p.id);
    }
    if name == "for" {
        return format!("`{}` picks it out", p.id);
    }
    format!("`{}` counts it among \u{201c}{}\u{201d}", p.id, name.replace('_', " "))
}
