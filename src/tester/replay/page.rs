//! The report for people.

use super::report::{AgreementReport, CLASSES, Counted, Report};
use crate::model::Classification;
use crate::tester::sheet::{Bit, Sheet};
use crate::tester::tally::{UnreadReport, shown};

/// For a terminal.
pub fn text(report: &Report, colour: bool) -> String {
    sheet(report).to_text(colour)
}

/// For a pull request or ticket.
pub fn markdown(report: &Report) -> String {
    sheet(report).to_markdown()
}

/// `true positive`.
pub fn words(c: Classification) -> String {
    c.word().replace('_', " ")
}

fn n(n: u64) -> Bit {
    Bit::text(n.to_string())
}

/// How many of what was not read are named on a page.
const UNREAD: usize = 5;

/// What was not read, in a few lines.
pub fn unread(sheet: &mut Sheet, unread: &UnreadReport) {
    if unread.count == 0 {
        return;
    }
    let mut inner = Sheet::default();
    let codes: Vec<String> = unread.codes.iter().map(|(c, n)| format!("{c}: {n}")).collect();
    inner.say(codes.join(", "));
    inner.list(unread.first.iter().take(UNREAD).map(|u| vec![Bit::code(&u.name), Bit::text(&u.reason)]).collect());
    let more = unread.count.saturating_sub(u64::try_from(unread.first.len().min(UNREAD)).unwrap_or(u64::MAX));
    if more > 0 {
        inner.say(format!("and {more} more"));
    }
    sheet.fold(format!("{} could not be read as an incident", unread.count), inner);
}

fn sheet(r: &Report) -> Sheet {
    let mut s = Sheet::default();
    s.heading(2, "Replay");
    let matched = r.playbooks.iter().filter(|p| p.matched > 0).count();
    s.say(format!(
        "{} incidents read, {} not; {matched} of {} playbooks matched at least once; {} of {} alerts are not known by any signal ({}).",
        r.incidents,
        r.unread.count,
        r.playbooks.len(),
        r.unrecognised.unrecognised,
        r.unrecognised.alerts,
        shown(r.unrecognised.share),
    ));
    unread(&mut s, &r.unread);
    if let Some(a) = &r.agreement {
        agreement(&mut s, a);
    } else {
        s.heading(3, "Agreement");
        s.say("No incident carries a classification, so there is nothing to agree with.");
    }
    s.heading(3, "Playbooks");
    let fired = r.playbooks.iter().filter(|p| p.matched > 0).map(|p| {
        let share = Bit::text(shown(p.share));
        vec![Bit::code(&p.id), n(p.matched), share, n(p.decided), n(p.with_cards)]
    });
    s.table(&["Playbook", "Matched", "Of all", "Decided", "With cards"], fired.collect());
    never(&mut s, r);
    let mut cards = Sheet::default();
    let rows = r.playbooks.iter().filter(|p| p.matched > 0).flat_map(|p| {
        p.cards
            .iter()
            .map(|c| vec![Bit::code(format!("{}/{}", p.id, c.id)), Bit::code(&c.action), n(c.incidents), Bit::text(shown(c.share)), n(c.cards)])
    });
    cards.table(&["Card", "Action", "Incidents", "Of matched", "Cards"], rows.collect());
    s.fold("Cards of the playbooks that matched", cards);
    let mut clauses = Sheet::default();
    let rows = r.playbooks.iter().flat_map(|p| {
        let asked = p.conditions.iter().filter(|c| c.asked > 0);
        asked.map(|c| vec![Bit::code(format!("{}/{}", p.id, c.id)), n(c.asked), n(c.held), Bit::text(shown(c.share))])
    });
    clauses.table(&["Condition", "Asked", "Held", "Share"], rows.collect());
    s.fold("Conditions, asked once for each thing that they are asked about", clauses);
    if !r.unrecognised.titles.is_empty() {
        s.heading(3, "What to write next");
        s.say("Alerts that no signal knows, by title; a word with a number stands as *.");
        counted(&mut s, "Title", &r.unrecognised.titles, r.unrecognised.left);
    }
    if !r.failures.is_empty() {
        s.heading(3, "Questions that could not be answered");
        counted(&mut s, "Message", &r.failures, 0);
    }
    s
}

fn counted(s: &mut Sheet, what: &'static str, all: &[Counted], left: u64) {
    s.table(&[what, "Count"], all.iter().map(|c| vec![Bit::code(&c.text), n(c.count)]).collect());
    if left > 0 {
        s.say(format!("and {left} with other titles"));
    }
}

fn never(s: &mut Sheet, r: &Report) {
    let mut fold = |what: String, all: &[String]| {
        let mut inner = Sheet::default();
        inner.list(all.iter().map(|id| vec![Bit::code(id)]).collect());
        s.fold(what, inner);
    };
    fold(format!("{} playbooks never matched", r.never.playbooks.len()), &r.never.playbooks);
    fold(format!("{} cards never came, though their playbook matched", r.never.cards.len()), &r.never.cards);
    fold(format!("{} conditions were asked and never held", r.never.conditions.len()), &r.never.conditions);
}

fn agreement(s: &mut Sheet, a: &AgreementReport) {
    s.heading(3, "Agreement with what was recorded");
    s.say(format!(
        "{} incidents carry a classification. Asked without it, the rules decide {} of them (coverage {}) and leave {} undetermined{}.",
        a.recorded,
        a.decided,
        shown(a.coverage),
        a.abstained,
        a.precision.map_or_else(String::new, |p| format!("; {p} of the decisions are as recorded")),
    ));
    let at = &a.at_precision;
    s.say(match at.confidence {
        Some(c) => format!(
            "At a precision of {} % or more: decisions from confidence {c} on, coverage {} (precision {}).",
            at.wanted,
            shown(at.coverage),
            shown(at.precision)
        ),
        None => format!("No confidence reaches a precision of {} %.", at.wanted),
    });
    let said = [Classification::TruePositive, Classification::Informational, Classification::FalsePositive, Classification::Undetermined];
    let cell = |r: Classification, s: Classification| a.matrix.iter().find(|c| c.recorded == r && c.said == s).map_or(0, |c| c.incidents);
    let rows = CLASSES.iter().map(|r| {
        let mut row = vec![Bit::text(words(*r))];
        row.extend(said.iter().map(|s| n(cell(*r, *s))));
        row
    });
    s.table(&["Recorded \\ said", "true positive", "informational", "false positive", "undetermined"], rows.collect());
    let rows = a.classes.iter().map(|c| {
        let mut row = vec![Bit::text(words(c.classification)), n(c.recorded), n(c.said)];
        row.extend([c.precision, c.recall, c.f1].map(|x| Bit::text(shown(x))));
        row
    });
    s.table(&["Classification", "Recorded", "Said", "Precision", "Recall", "F1"], rows.collect());
    s.say(format!(
        "Macro F1 {}. Where the classification agrees and both name a determination, {} of {} are the same. A record is what somebody decided, which is not always right.",
        shown(a.macro_f1),
        a.determinations.same,
        a.determinations.compared
    ));
    let mut inner = Sheet::default();
    let rows = a.disagreements.iter().map(|d| {
        let who = d.playbook.clone().map_or_else(|| Bit::text("–"), Bit::code);
        vec![Bit::code(&d.incident), Bit::text(words(d.recorded)), Bit::text(format!("{} ({})", words(d.said), d.confidence)), who, Bit::text(&d.why)]
    });
    inner.table(&["Incident", "Recorded", "Said", "Playbook", "Why"], rows.collect());
    if a.disagreements_left > 0 {
        inner.say(format!("and {} more", a.disagreements_left));
    }
    s.fold("Decisions that are not as recorded", inner);
}
