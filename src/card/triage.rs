//! The triage suggestion, from what the source decided and what the rules say.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::evidence;
use super::response::{Because, Considered, Triage, TriageSource};
use crate::diag::Diagnostic;
use crate::eval::because::{self, Reason};
use crate::eval::{Evaluation, Matched, failure};
use crate::model::{AlertIx, Classification};
use crate::playbook::PlaybookSet;
use crate::playbook::set::{Arm, Playbook};
use crate::script::expr::{Expr, Node};
use crate::script::{Cx, Value};

/// What one playbook says.
struct Opinion<'p> {
    playbook: &'p Playbook,
    arm: &'p Arm,
    why: String,
}

impl Opinion<'_> {
    /// The clauses behind it, with what they looked at.
    fn reasons<'r>(&'r self, cx: &mut Cx<'_>) -> Vec<Reason<'r>> {
        let mut reasons = Vec::new();
        if let Some(when) = &self.arm.when {
            cx.aside(|cx| because::clauses(cx, when, &[], &mut reasons));
        }
        reasons
    }

    fn because(&self, cx: &mut Cx<'_>, reasons: &[Reason<'_>]) -> Vec<Arc<Because>> {
        cx.aside(|cx| evidence::because(cx, reasons, |name| unsaid(self.playbook, name)))
    }

    fn source(&self, set: &PlaybookSet) -> TriageSource {
        let place = set.sources.place(self.arm.span);
        TriageSource { origin: "rules", playbook: Some(self.playbook.id.to_string()), file: Some(place.file.to_string()), line: Some(place.line) }
    }
}

/// What is said first of all: an opinion, or two that are more together.
struct Chosen<'o, 'p> {
    first: &'o Opinion<'p>,
    /// What it rests on, where that had to be looked at.
    reasons: Option<Vec<Reason<'o>>>,
    /// A true positive of another determination, on separate evidence.
    other: Option<(&'o Opinion<'p>, Vec<Reason<'o>>)>,
}

impl Chosen<'_, '_> {
    fn determination(&self) -> Option<String> {
        if self.other.is_some() { Some("multi_stage_attack".into()) } else { self.first.arm.determination.clone() }
    }

    fn why(&self) -> String {
        match &self.other {
            Some((other, _)) => format!("{}; and, on other alerts, {}", self.first.why, other.why),
            None => self.first.why.clone(),
        }
    }
}

/// What the rules say an incident is, and no more: for those who count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it is.
    pub classification: Classification,
    /// Of which kind, if known.
    pub determination: Option<String>,
    /// 0–100.
    pub confidence: u8,
    /// The playbook that says so.
    pub playbook: Option<Arc<str>>,
    /// Why, in a sentence.
    pub why: String,
}

/// What the rules say an incident is, whatever its source decided.
pub fn verdict(set: &PlaybookSet, cx: &mut Cx<'_>, evaluation: &Evaluation) -> Verdict {
    let (opinions, _) = opinions(set, cx, &evaluation.matched, true, &mut Vec::new());
    match choose(cx, &opinions) {
        Some(chosen) => Verdict {
            classification: chosen.first.arm.classification,
            determination: chosen.determination(),
            confidence: chosen.first.arm.confidence,
            playbook: Some(chosen.first.playbook.id.clone()),
            why: chosen.why(),
        },
        None => {
            Verdict { classification: Classification::Undetermined, determination: None, confidence: 0, playbook: None, why: UNDECIDED.to_owned() }
        }
    }
}

const UNDECIDED: &str = "nothing in the incident decides it";

/// What the playbooks say, best first: what each says first of all, and what else it would say.
fn opinions<'p>(
    set: &'p PlaybookSet,
    cx: &mut Cx<'_>,
    matched: &[Matched],
    first_alone: bool,
    failures: &mut Vec<Diagnostic>,
) -> (Vec<Opinion<'p>>, Vec<Opinion<'p>>) {
    let (mut opinions, mut others) = (Vec::new(), Vec::new());
    for m in matched {
        let Some(playbook) = set.playbooks.get(m.playbook) else { continue };
        let arms = m.arms.iter().filter_map(|a| playbook.triage.get(*a)).enumerate();
        for (n, arm) in arms.take(if first_alone { 1 } else { usize::MAX }) {
            match arm.why.render(cx, &[]) {
                Ok(why) if n == 0 => opinions.push(Opinion { playbook, arm, why }),
                Ok(why) => others.push(Opinion { playbook, arm, why }),
                Err(stop) => failures.push(failure(playbook, None, &stop)),
            }
        }
    }
    opinions.sort_by(better);
    (opinions, others)
}

/// The order of opinions, best first.
fn better(a: &Opinion<'_>, b: &Opinion<'_>) -> Ordering {
    let key = |o: &Opinion<'_>| (o.arm.classification, std::cmp::Reverse(o.arm.confidence));
    key(a).cmp(&key(b)).then_with(|| a.playbook.id.cmp(&b.playbook.id))
}

/// The best opinion, or what two true positives on separate evidence are together.
fn choose<'o, 'p>(cx: &mut Cx<'_>, opinions: &'o [Opinion<'p>]) -> Option<Chosen<'o, 'p>> {
    let (first, rest) = opinions.split_first()?;
    let mut chosen = Chosen { first, reasons: None, other: None };
    let stages = |o: &Opinion<'_>| o.arm.determination.as_deref() == Some("multi_stage_attack");
    if first.arm.classification != Classification::TruePositive || stages(first) {
        return Some(chosen);
    }
    let rivals =
        rest.iter().filter(|o| o.arm.classification == Classification::TruePositive && o.arm.determination != first.arm.determination && !stages(o));
    let mut own: BTreeSet<AlertIx> = BTreeSet::new();
    for rival in rivals {
        if chosen.reasons.is_none() {
            let reasons = cx.deciding(|cx| first.reasons(cx));
            own = evidence::alerts(cx, &reasons);
            chosen.reasons = Some(reasons);
        }
        if own.is_empty() {
            break;
        }
        let reasons = |cx: &mut Cx<'_>| cx.deciding(|cx| rival.reasons(cx));
        // There may be many rivals, and one at most is kept.
        let alerts = cx.passing(|cx| {
            let reasons = reasons(cx);
            evidence::alerts(cx, &reasons)
        });
        if !alerts.is_empty() && alerts.is_disjoint(&own) {
            chosen.other = Some((rival, reasons(cx)));
            break;
        }
    }
    Some(chosen)
}

/// The triage of an incident.
pub fn triage(set: &PlaybookSet, cx: &mut Cx<'_>, evaluation: &mut Evaluation) -> Triage {
    let (opinions, others) = opinions(set, cx, &evaluation.matched, false, &mut evaluation.diagnostics);
    // Everything else that was said or could be, best first.
    let considered = |skip: usize| -> Vec<Considered> {
        let mut all: Vec<&Opinion<'_>> = opinions.iter().skip(skip).chain(&others).collect();
        all.sort_by(|a, b| better(a, b));
        all.into_iter()
            .map(|o| Considered {
                classification: o.arm.classification,
                determination: o.arm.determination.clone(),
                confidence: o.arm.confidence,
                why: o.why.clone(),
                source: o.source(set),
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
            considered: considered(0),
            missing: Vec::new(),
        };
    }
    // What would decide it is of interest only while nothing does.
    let missing = |cx: &mut Cx<'_>| {
        let mut out = Vec::new();
        let without = evaluation.matched.iter().filter(|m| m.arms.is_empty()).map(|m| m.playbook);
        for p in without.chain(evaluation.quiet()).filter_map(|n| set.playbooks.get(n)) {
            cx.aside(|cx| lacking(cx, p, &mut out));
        }
        out
    };
    let Some(chosen) = choose(cx, &opinions) else {
        let mut missing = missing(cx);
        if evaluation.matched.is_empty() && evaluation.quiet.is_empty() {
            missing.push("no playbook covers what its alerts say".to_owned());
        }
        missing.sort();
        missing.dedup();
        return Triage {
            classification: Classification::Undetermined,
            determination: None,
            confidence: 0,
            why: UNDECIDED.to_owned(),
            because: Vec::new(),
            source: TriageSource { origin: "none", ..TriageSource::default() },
            considered: Vec::new(),
            missing,
        };
    };
    let first = chosen.first;
    let (determination, why) = (chosen.determination(), chosen.why());
    let reasons = chosen.reasons.unwrap_or_else(|| first.reasons(cx));
    let mut because = first.because(cx, &reasons);
    if let Some((other, reasons)) = &chosen.other {
        because.extend(other.because(cx, reasons));
    }
    Triage {
        classification: first.arm.classification,
        determination,
        confidence: first.arm.confidence,
        why,
        because,
        source: first.source(set),
        considered: considered(usize::from(chosen.other.is_none())),
        missing: if first.arm.classification == Classification::Undetermined { missing(cx) } else { Vec::new() },
    }
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
