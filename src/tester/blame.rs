//! Why something is not there: the clauses that stand in its way, as `explain` finds them, in short.

use std::collections::BTreeSet;

use crate::eval::why::{self, Clause, How, Outcome};
use crate::model::EntityIx;
use crate::playbook::set::{Arm, CardRule, Target};
use crate::script::Cx;
use crate::script::trace::Seen;
use crate::source::{Sources, Span};

/// A clause that stands in the way.
#[derive(Clone, Debug)]
pub(super) struct Blame {
    /// What the card would be about.
    pub about: Option<EntityIx>,
    /// What it is, and what it must be.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What was looked at.
    pub seen: Vec<Seen>,
}

/// Of how many entities a card is asked.
const ASKED: usize = 64;

/// Why a card is not there; for one entity, where one is given. With the names of the clauses that fail.
pub(super) fn card(sources: &Sources, cx: &mut Cx<'_>, rule: &CardRule, about: Option<EntityIx>) -> (Vec<Blame>, BTreeSet<String>) {
    let whom: Vec<Option<EntityIx>> = match (&rule.target, about) {
        (_, Some(e)) => vec![Some(e)],
        (Target::Each(..), None) => {
            let listed = why::candidates(cx, rule, false);
            let all = if listed.is_empty() { why::candidates(cx, rule, true) } else { listed };
            all.into_iter().take(ASKED).map(Some).collect()
        }
        (_, None) => vec![None],
    };
    let (mut out, mut names) = (Vec::new(), BTreeSet::new());
    for about in &whom {
        let w = why::card(sources, cx, rule, *about);
        if w.holds {
            continue;
        }
        names.extend(w.failed_clauses());
        // Of what is not in the list, `when` says nothing.
        let listed = w.listed.filter(|l| l.outcome != Outcome::Pass);
        match listed.as_ref().or(w.when.as_ref()) {
            Some(tree) => collect(tree, *about, &mut out),
            None if !w.fits => {
                let text = format!("the action `{}` does not apply to it", rule.action.id);
                out.push(Blame { about: *about, text, span: rule.span, seen: Vec::new() });
            }
            None => {}
        }
    }
    if let (Target::Each(_, list), true) = (&rule.target, whom.is_empty()) {
        names.insert("for".to_owned());
        out.push(Blame { about: None, text: "holds nobody here".to_owned(), span: list.span, seen: Vec::new() });
    }
    if !names.is_empty() && !names.contains("for") {
        names.insert("when".to_owned());
    }
    (out, names)
}

/// Why an arm of triage does not hold.
pub(super) fn arm(sources: &Sources, cx: &mut Cx<'_>, arm: &Arm) -> Vec<Blame> {
    let mut out = Vec::new();
    if let Some(tree) = why::arm(sources, cx, arm) {
        collect(&tree, None, &mut out);
    }
    out
}

/// The clauses that decide: those of a `&&` or `||` that are not as they must be, and of a list the test that leaves out.
fn collect(c: &Clause, about: Option<EntityIx>, out: &mut Vec<Blame>) {
    if c.outcome == Outcome::Pass {
        return;
    }
    let failing = || c.below.iter().filter(|b| b.outcome != Outcome::Pass);
    match c.how {
        How::All | How::Any if failing().next().is_some() => failing().for_each(|b| collect(b, about, out)),
        _ => {
            let mut seen = c.seen.clone();
            if seen.is_empty() {
                failing().for_each(|b| looked(b, &mut seen));
            }
            out.push(Blame { about, text: c.text.clone(), span: c.span, seen });
            if c.how == How::List {
                failing().for_each(|b| collect(b, about, out));
            }
        }
    }
}

fn looked(c: &Clause, seen: &mut Vec<Seen>) {
    seen.extend(c.seen.iter().cloned());
    c.below.iter().filter(|b| b.outcome != Outcome::Pass).for_each(|b| looked(b, seen));
}
