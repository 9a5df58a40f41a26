//! A page for a terminal.

mod page;

pub use page::{Page, Style};

use super::Look;
use super::view::{self, Badge, EVIDENCE_SHOWN, LISTED, Numbered, Piece, Row, Section, Told, View};
use crate::card::response::{Because, Evidence, Hunt, Response, Triage};

/// The column that a card's text starts at.
const INDENT: usize = 5;
/// The width of a card's labels.
const LABEL: usize = 13;

/// What stands above and below a query.
const FENCE: &str = "────────────────────────";

/// The answers, one page after another.
pub fn page(responses: &[Response], look: Look) -> String {
    let mut page = Page::new(look);
    if responses.is_empty() {
        page.flow(0, &[(Style::Plain, "There is no incident.")]);
    }
    for (response, n) in responses.iter().zip(1usize..) {
        if responses.len() > 1 {
            if n > 1 {
                page.gap();
            }
            page.rule(&format!("INCIDENT {n} OF {}", responses.len()));
            page.gap();
        }
        incident(&mut page, response);
    }
    page.finish()
}

fn incident(page: &mut Page, response: &Response) {
    let view = View::new(response);
    let mut told = Told::new(response);
    page.flow(0, &[(Style::Bold, &response.incident.title)]);
    page.flow(0, &[(Style::Plain, &view::about(&response.incident).join(" · "))]);
    page.flow(0, &[(Style::Plain, &view::contents(&response.incident).join(" · "))]);

    page.heading("Triage", "Is it real?");
    triage(page, &response.triage, &mut told);
    for section in &view.sections {
        cards(page, &view, section, &mut told);
    }
    if !response.hunts.is_empty() {
        page.heading("Hunting queries", "What to search for; read a query before you run it.");
        for (h, n) in response.hunts.iter().zip(1usize..) {
            hunt(page, &view, h, n);
        }
    }
    unrecognised(page, response);
    diagnostics(page, response);

    page.gap();
    page.rule("");
    page.flow(0, &[(Style::Dim, view::LEGEND)]);
    page.flow(0, &[(Style::Dim, &view::closing(response.engine, &response.playbooks))]);
    for s in response.playbooks.skipped.iter().take(LISTED) {
        page.hang(2, 4, &[(Style::Dim, "skipped "), (Style::Id, &s.file), (Style::Dim, ": "), (Style::Dim, &s.reason)]);
    }
    more(page, 2, response.playbooks.skipped.len());
}

fn triage<'a>(page: &mut Page, triage: &'a Triage, told: &mut Told<'a>) {
    page.gap();
    let said = view::verdict(triage.classification, triage.determination.as_deref());
    page.ends(2, 2, &[(Style::Bold, &said)], &format!("confidence {}", triage.confidence));
    page.flow(2, &[(Style::Plain, &triage.why)]);
    if !triage.because.is_empty() {
        page.gap();
        page.flow(2, &[(Style::Dim, "Because")]);
    }
    for b in &triage.because {
        clause(page, 2, b, told, "triage");
    }
    if !triage.considered.is_empty() {
        page.gap();
    }
    for c in &triage.considered {
        let said = format!("{} (confidence {}): {}", view::verdict(c.classification, c.determination.as_deref()), c.confidence, c.why);
        page.labelled(2, (Style::Dim, "Considered"), LABEL, &[(Style::Plain, &said)]);
    }
    if !triage.missing.is_empty() {
        page.gap();
        page.flow(2, &[(Style::Dim, view::missing_heading(triage))]);
        for m in &triage.missing {
            page.hang(2, 4, &[(Style::Dim, "- "), (Style::Plain, m)]);
        }
    }
    page.gap();
    let source = view::triage_source(&triage.source);
    row(page, 2, &Row { label: "Source", lines: vec![source] }, Style::Dim);
}

fn cards<'a>(page: &mut Page, view: &View<'a>, section: &Section<'a>, told: &mut Told<'a>) {
    page.heading(section.title, section.question);
    if section.cards.is_empty() {
        page.gap();
        page.flow(2, &[(Style::Plain, view::NOTHING)]);
    }
    for n in &section.cards {
        card(page, view, *n, told);
    }
}

fn card<'a>(page: &mut Page, view: &View<'a>, numbered: Numbered<'a>, told: &mut Told<'a>) {
    let card = numbered.card;
    let number = format!("{:>3}  ", numbered.number);
    let mut title = vec![(if view::is_unavailable(card) { Style::Plain } else { Style::Bold }, card.title.clone())];
    for badge in view::badges(card) {
        let style = match badge {
            Badge::Status(_) => Style::Good,
            Badge::AskFirst | Badge::Unavailable => Style::Warn,
        };
        title.push((style, format!("  [{}]", badge.word())));
    }
    let spans: Vec<(Style, &str)> = title.iter().map(|(s, t)| (*s, t.as_str())).collect();
    page.gap();
    page.numbered(&number, &spans, &format!("priority {}, confidence {}", card.priority, card.confidence));

    let (entities, more) = view::targets(card);
    for e in &entities {
        page.hang(
            INDENT,
            INDENT.saturating_add(2),
            &[(Style::Plain, "on "), (Style::Bold, &e.name), (Style::Plain, " ("), (Style::Id, &e.id), (Style::Plain, ")")],
        );
    }
    if entities.is_empty() {
        page.flow(INDENT, &[(Style::Plain, "on the incident as a whole")]);
    }
    if more > 0 {
        page.flow(INDENT, &[(Style::Dim, &view::and_more(more))]);
    }
    page.gap();
    page.flow(INDENT, &[(Style::Plain, &card.why)]);
    if !card.because.is_empty() {
        page.gap();
        page.flow(INDENT, &[(Style::Dim, "Because")]);
    }
    let here = format!("card {}", numbered.number);
    for b in &card.because {
        clause(page, INDENT, b, told, &here);
    }
    page.gap();
    for r in view.rows(card) {
        let style = match r.label {
            "Unavailable" | "Ask first" => Style::Warn,
            _ => Style::Dim,
        };
        row(page, INDENT, &r, style);
    }
}

fn row(page: &mut Page, indent: usize, row: &Row, style: Style) {
    let mut label = row.label;
    for line in &row.lines {
        let mut spans = Vec::new();
        pieces(line, ", ", &mut spans);
        page.labelled(indent, (style, label), LABEL, &spans);
        label = "";
    }
}

fn pieces<'p>(all: &'p [Piece], between: &'static str, spans: &mut Vec<(Style, &'p str)>) {
    for (n, piece) in all.iter().enumerate() {
        if n > 0 {
            spans.push((Style::Plain, between));
        }
        spans.push(match piece {
            Piece::Code(t) => (Style::Id, t),
            Piece::Prose(t) | Piece::Link(_, t) => (Style::Plain, t),
        });
    }
}

/// A clause with its evidence; where that was shown already, with the place where.
fn clause<'a>(page: &mut Page, indent: usize, b: &'a Because, told: &mut Told<'a>, here: &str) {
    let deeper = indent.saturating_add(2);
    if let Some(place) = told.before(b, here) {
        let remark = format!("  (evidence: see {place})");
        page.hang(indent, deeper, &[(Style::Dim, "- "), (Style::Plain, view::sentence(b)), (Style::Dim, &remark)]);
        return;
    }
    page.hang(indent, deeper, &[(Style::Dim, "- "), (Style::Plain, view::sentence(b))]);
    let (shown, left) = view::shown(b, EVIDENCE_SHOWN);
    for e in shown {
        evidence(page, deeper.saturating_add(2), e, told);
    }
    if let Some(more) = view::left_out(b, left) {
        page.flow(deeper.saturating_add(2), &[(Style::Dim, &more)]);
    }
}

fn evidence<'a>(page: &mut Page, indent: usize, e: &'a Evidence, told: &Told<'a>) {
    let e = view::evidence(e, told);
    let how = if e.how.is_empty() { String::new() } else { format!("  ({})", e.how) };
    let verb = match (e.edge, &e.object) {
        (true, _) => format!(" —{}→ ", e.verb),
        (false, Some(_)) => format!(" — {} = ", e.verb),
        (false, None) => format!(" — {} is ", e.verb),
    };
    let object = match (e.edge, e.object.as_deref()) {
        (_, Some(o)) => (Style::Plain, o),
        (true, None) => (Style::Dim, "nothing recorded"),
        (false, None) => (Style::Dim, "not recorded"),
    };
    page.hang(indent, indent.saturating_add(2), &[(Style::Id, e.subject), (Style::Plain, &verb), object, (Style::Dim, &how)]);
}

fn hunt(page: &mut Page, view: &View<'_>, hunt: &Hunt, number: usize) {
    page.gap();
    page.numbered(&format!("{number:>3}  "), &[(Style::Bold, &hunt.title)], &format!("{}, {}", hunt.language, hunt.id));
    let cards = view.hunt_cards(hunt);
    if !cards.is_empty() {
        let mut spans = vec![(Style::Plain, "for ")];
        pieces(&cards, "; ", &mut spans);
        page.flow(INDENT, &spans);
    }
    page.gap();
    page.flow(INDENT, &[(Style::Dim, FENCE)]);
    page.verbatim(INDENT, &hunt.query);
    page.flow(INDENT, &[(Style::Dim, FENCE)]);
}

fn unrecognised(page: &mut Page, response: &Response) {
    let alerts = &response.incident.unrecognised_alerts;
    if alerts.is_empty() {
        return;
    }
    page.heading("Alerts that no signal knows", view::UNRECOGNISED);
    page.gap();
    for a in alerts.iter().take(LISTED) {
        page.hang(2, 4, &[(Style::Dim, "- "), (Style::Plain, &a.title), (Style::Plain, " ("), (Style::Id, &a.id), (Style::Plain, ")")]);
    }
    more(page, 2, alerts.len());
}

fn diagnostics(page: &mut Page, response: &Response) {
    if response.diagnostics.is_empty() {
        return;
    }
    page.heading("Diagnostics", "What went wrong or was left out.");
    page.gap();
    for d in response.diagnostics.iter().take(LISTED) {
        page.hang(2, 4, &[(Style::Warn, &view::diagnostic_word(d)), (Style::Plain, ": "), (Style::Plain, &d.message)]);
        let place = view::diagnostic_place(d).join(", ");
        if !place.is_empty() {
            page.hang(4, 6, &[(Style::Dim, "at "), (Style::Id, &place)]);
        }
        if let Some(help) = &d.help {
            page.hang(4, 6, &[(Style::Dim, "help: "), (Style::Plain, help)]);
        }
    }
    more(page, 2, response.diagnostics.len());
}

fn more(page: &mut Page, indent: usize, all: usize) {
    let left = all.saturating_sub(LISTED);
    if left > 0 {
        page.flow(indent, &[(Style::Dim, &view::and_more(left))]);
    }
}

#[cfg(test)]
mod tests;
