//! The report for people: a summary first, then tables, long lists folded.

use super::CardHow;
use super::report::{Answers, CardRow, ExampleRow, PlaybookRow, Report};
use super::semantic::{Bump, How, PartChange};
use crate::diag::human::counted;
use crate::model::Classification;
use crate::tester::replay::{unread, words};
use crate::tester::sheet::{Bit, Sheet};

/// For a terminal.
pub fn text(report: &Report, colour: bool) -> String {
    sheet(report).to_text(colour)
}

/// For a pull request.
pub fn markdown(report: &Report) -> String {
    sheet(report).to_markdown()
}

fn n(n: u64) -> Bit {
    Bit::text(n.to_string())
}

fn sheet(r: &Report) -> Sheet {
    let mut s = Sheet::default();
    s.heading(2, "Playbook comparison");
    s.para(vec![Bit::text("From"), Bit::code(&r.old.name), Bit::text("to"), Bit::code(&r.new.name)]);
    s.list(summary(r).into_iter().map(|t| vec![Bit::text(t)]).collect());
    for set in [&r.old, &r.new] {
        let mut inner = Sheet::default();
        inner.list(set.skipped.iter().map(|(file, why)| vec![Bit::code(file), Bit::text(why)]).collect());
        s.fold(format!("{} files of {} do not load", set.skipped.len(), set.name), inner);
    }
    versions(&mut s, r);
    if let Some(a) = &r.answers {
        unread(&mut s, &a.unread);
        triage(&mut s, a);
        cards(&mut s, a, CardHow::Lost, "Cards lost");
        cards(&mut s, a, CardHow::Gained, "Cards gained");
        cards(&mut s, a, CardHow::Changed, "Cards changed");
    }
    written(&mut s, r);
    s
}

fn summary(r: &Report) -> Vec<String> {
    let mut out = Vec::new();
    let how = |how: How| r.playbooks.iter().filter(|p| p.how == how).count();
    let shared = if r.shared.is_empty() { String::new() } else { format!("; shared definitions that differ: {}", r.shared.len()) };
    out.push(format!("playbooks: {} changed, {} added, {} removed{shared}", how(How::Changed), how(How::Added), how(How::Removed)));
    match &r.answers {
        None => out.push("no incidents were given, so the answers were not compared".to_owned()),
        Some(a) => {
            out.push(format!("incidents: {} of {} get another answer", a.differ, a.incidents));
            out.push(format!("triage: {} classified otherwise", a.reclassified));
            out.push(format!("cards: {} lost, {} gained, {} changed", a.cards.lost, a.cards.gained, a.cards.changed));
            if a.hunts != super::report::CardCounts::default() {
                out.push(format!("hunts: {} lost, {} gained, {} changed", a.hunts.lost, a.hunts.gained, a.hunts.changed));
            }
        }
    }
    out
}

fn versions(s: &mut Sheet, r: &Report) {
    let two: Vec<&PlaybookRow> = r.playbooks.iter().filter(|p| p.suggested.is_some()).collect();
    if two.is_empty() {
        return;
    }
    s.heading(3, "Versions");
    let rows = two.iter().map(|p| {
        let word = |b: Option<Bump>| Bit::text(b.map_or("backwards", Bump::word));
        let enough = if p.actual >= p.suggested { "yes" } else { "no" };
        let versions = format!("{} -> {}", p.from.as_deref().unwrap_or("–"), p.to.as_deref().unwrap_or("–"));
        vec![Bit::code(&p.id), Bit::text(versions), word(p.actual), word(p.suggested), Bit::text(enough), Bit::text(p.because.join("; "))]
    });
    s.table(&["Playbook", "Version", "Actual", "Suggested", "Enough", "Because"], rows.collect());
}

fn triage(s: &mut Sheet, a: &Answers) {
    s.heading(3, "Triage");
    let all = [Classification::TruePositive, Classification::Undetermined, Classification::Informational, Classification::FalsePositive];
    let cell = |x: Classification, y: Classification| a.matrix.iter().find(|c| c.old == x && c.new == y).map_or(0, |c| c.incidents);
    let rows = all.iter().map(|x| std::iter::once(Bit::text(words(*x))).chain(all.iter().map(|y| n(cell(*x, *y)))).collect());
    s.table(&["Old \\ new", "true positive", "undetermined", "informational", "false positive"], rows.collect());
    let (other, same): (Vec<_>, Vec<_>) =
        a.triage.iter().partition(|t| (t.from.classification, &t.from.determination) != (t.to.classification, &t.to.determination));
    for t in other {
        let what = format!("{} -> {}: {}, as", t.from.words(), t.to.words(), counted(t.count, "incident"));
        s.para(std::iter::once(Bit::text(what)).chain(why(&t.why)).collect());
        examples(s, &t.examples, t.left);
    }
    let mut inner = Sheet::default();
    for t in &same {
        let what = format!("{} -> {}: {}:", t.from.words(), t.to.words(), counted(t.count, "incident"));
        inner.para(std::iter::once(Bit::text(what)).chain(why(&t.why)).collect());
        examples(&mut inner, &t.examples, t.left);
    }
    s.fold("Same classification, with another confidence, text or evidence", inner);
}

/// Reasons are the author's words: taken literally.
fn why(all: &[String]) -> Vec<Bit> {
    all.iter().map(Bit::code).collect()
}

/// More examples than so many are folded away.
const OPEN: usize = 3;

fn examples(s: &mut Sheet, all: &[ExampleRow], left: u64) {
    let line = |e: &ExampleRow| {
        let mut line = vec![Bit::code(&e.incident)];
        line.extend(e.entities.iter().take(5).map(Bit::code));
        if e.entities.len() > 5 {
            line.push(Bit::text(format!("and {} more", e.entities.len().saturating_sub(5))));
        }
        if !e.detail.is_empty() {
            line.push(Bit::text(e.detail.join("; ")));
        }
        line
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    let more = (left > 0).then(|| format!("and {left} more, which were counted and not kept"));
    if lines.len() <= OPEN {
        s.list(lines);
        more.into_iter().for_each(|m| s.say(m));
        return;
    }
    let mut inner = Sheet::default();
    inner.list(lines);
    more.into_iter().for_each(|m| inner.say(m));
    s.fold(format!("{} incidents", u64::try_from(all.len()).unwrap_or(u64::MAX).saturating_add(left)), inner);
}

fn cards(s: &mut Sheet, a: &Answers, how: CardHow, heading: &str) {
    let all: Vec<&CardRow> = a.card_changes.iter().filter(|c| c.how == how).collect();
    if all.is_empty() {
        return;
    }
    s.heading(3, heading);
    for c in all {
        let mut line = vec![Bit::code(c.sources.join(", ")), Bit::code(&c.action), Bit::text(format!("{}:", counted(c.count, "card")))];
        line.extend(why(&c.why));
        s.para(line);
        examples(s, &c.examples, c.left);
    }
}

fn written(s: &mut Sheet, r: &Report) {
    s.heading(3, "What was written");
    if r.playbooks.is_empty() && r.shared.is_empty() {
        s.say("Both mean the same.");
    }
    for p in &r.playbooks {
        let versions = match (&p.from, &p.to) {
            (Some(a), Some(b)) if a != b => format!("changed, {a} -> {b}"),
            _ => p.how.word().to_owned(),
        };
        s.para(vec![Bit::code(&p.id), Bit::text(versions)]);
        s.list(p.parts.iter().map(part).collect());
    }
    let mut inner = Sheet::default();
    inner.list(r.shared.iter().map(part).collect());
    s.fold(format!("Shared definitions: signals, actions, lists, incident types, libraries, permissions ({})", r.shared.len()), inner);
}

fn part(p: &PartChange) -> Vec<Bit> {
    let mut line = vec![Bit::text(p.part)];
    line.extend(p.id.iter().map(Bit::code));
    line.push(Bit::text(p.how.word()));
    line.extend(p.fields.iter().map(|f| Bit::code(f.words())));
    line
}
