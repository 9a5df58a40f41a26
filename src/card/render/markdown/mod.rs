//! The answer for a ticket or a pull request.

mod md;

pub use md::Md;

use std::sync::Arc;

use super::view::{self, EVIDENCE_SHOWN, LISTED, Numbered, Piece, Row, Section, Told, View};
use crate::card::response::{Because, Evidence, Hunt, Response, Triage};

/// Blocks, with an empty line between two.
#[derive(Default)]
struct Page(Vec<Md>);

impl Page {
    fn block(&mut self, block: Md) {
        self.0.push(block);
    }

    fn list(&mut self, items: Vec<Md>) {
        if !items.is_empty() {
            self.0.push(Md::join(items, "\n"));
        }
    }
}

/// The answers, one after another.
pub fn page(responses: &[Response]) -> String {
    let mut page = Page::default();
    if responses.is_empty() {
        page.block(Md::fixed("There is no incident."));
    }
    for (response, n) in responses.iter().zip(1usize..) {
        if n > 1 {
            page.block(Md::fixed("---"));
        }
        incident(&mut page, response);
    }
    Md::join(page.0, "\n\n").into_string() + "\n"
}

fn incident(page: &mut Page, response: &Response) {
    let view = View::new(response);
    let mut told = Told::new(response);
    let facts = |parts: Vec<String>| Md::join(parts.iter().map(|p| Md::text(p)), " · ");
    page.block(Md::fixed("# ").and(Md::text(&response.incident.title)));
    // Two blanks at the end of a line are a line break.
    page.block(Md::join([facts(view::about(&response.incident)), facts(view::contents(&response.incident))], "  \n"));

    page.block(Md::fixed("## Triage"));
    triage(page, &response.triage, &mut told);
    for section in &view.sections {
        cards(page, &view, section, &mut told);
    }
    if !response.hunts.is_empty() {
        page.block(Md::fixed("## Hunting queries"));
        for (h, n) in response.hunts.iter().zip(1usize..) {
            hunt(page, &view, h, n);
        }
    }
    let alerts = &response.incident.unrecognised_alerts;
    if !alerts.is_empty() {
        page.block(Md::fixed("## Alerts that no signal knows"));
        page.block(Md::text(view::UNRECOGNISED));
        let line = |a: &crate::card::response::UnrecognisedAlert| Md::fixed("- ").and(named(&a.title, &a.id));
        page.list(capped(alerts.iter().map(line), alerts.len()));
    }
    if !response.diagnostics.is_empty() {
        page.block(Md::fixed("## Diagnostics"));
        page.list(capped(response.diagnostics.iter().map(diagnostic), response.diagnostics.len()));
    }
    page.block(Md::fixed("---"));
    page.block(Md::fixed(view::LEGEND));
    page.block(Md::text(&view::closing(response.engine, &response.playbooks)));
    let skipped = &response.playbooks.skipped;
    let line = |s: &crate::card::response::Skipped| Md::fixed("- skipped ").and(Md::code(&s.file)).and(Md::fixed(": ")).and(Md::text(&s.reason));
    page.list(capped(skipped.iter().map(line), skipped.len()));
}

fn triage<'a>(page: &mut Page, triage: &'a Triage, told: &mut Told<'a>) {
    let said = Md::text(&view::verdict(triage.classification, triage.determination.as_deref())).bold();
    page.block(said.and(Md::fixed(" (confidence ")).and(Md::number(triage.confidence.into())).and(Md::fixed(")")));
    page.block(Md::text(&triage.why));
    because(page, &triage.because, told, "triage");
    let considered = triage.considered.iter().map(|c| {
        let said = format!("{} (confidence {}): {}", view::verdict(c.classification, c.determination.as_deref()), c.confidence, c.why);
        Md::fixed("* **Considered**: ").and(Md::text(&said))
    });
    let source = Row { label: "Source", lines: vec![view::triage_source(&triage.source)] };
    page.list(considered.chain([row(&source)]).collect());
    if !triage.missing.is_empty() {
        page.block(Md::fixed(view::missing_heading(triage)).and(Md::fixed(":")));
        page.list(triage.missing.iter().map(|m| Md::fixed("- ").and(Md::text(m))).collect());
    }
}

fn cards<'a>(page: &mut Page, view: &View<'a>, section: &Section<'a>, told: &mut Told<'a>) {
    page.block(Md::fixed("## ").and(Md::fixed(section.title)));
    if section.cards.is_empty() {
        page.block(Md::fixed(view::NOTHING));
    }
    for n in &section.cards {
        card(page, view, *n, told);
    }
}

fn card<'a>(page: &mut Page, view: &View<'a>, numbered: Numbered<'a>, told: &mut Told<'a>) {
    let card = numbered.card;
    let mut title = Md::fixed("### ").and(Md::number(numbered.number)).and(Md::fixed(". ")).and(Md::text(&card.title));
    for badge in view::badges(card) {
        title = title.and(Md::fixed(" — ")).and(Md::fixed(badge.word()));
    }
    page.block(title);

    let (entities, more) = view::targets(card);
    let mut on: Vec<Md> = entities.iter().map(|e| named(&e.name, &e.id)).collect();
    if on.is_empty() {
        on.push(Md::fixed("the incident as a whole"));
    }
    if more > 0 {
        on.push(Md::text(&view::and_more(more)));
    }
    let rank = format!("priority {}, confidence {}", card.priority, card.confidence);
    page.block(Md::join([Md::fixed("On ").and(Md::join(on, ", ")), Md::text(&rank)], "  \n"));
    page.block(Md::text(&card.why));
    because(page, &card.because, told, &format!("card {}", numbered.number));
    page.list(view.rows(card).iter().map(row).collect());
}

/// "**Ada Moreno** (`user:ada@contoso.com`)".
fn named(name: &str, id: &str) -> Md {
    Md::text(name).and(Md::fixed(" (")).and(Md::code(id)).and(Md::fixed(")"))
}

fn row(row: &Row) -> Md {
    let lines = row.lines.iter().map(|line| Md::join(line.iter().map(piece), ", "));
    // Another marker than that of the clauses above: the two lists stay two.
    Md::fixed("* ").and(Md::fixed(row.label).bold()).and(Md::fixed(": ")).and(Md::join(lines, "; "))
}

fn piece(piece: &Piece) -> Md {
    match piece {
        Piece::Code(t) => Md::code(t),
        Piece::Prose(t) | Piece::Link(_, t) => Md::text(t),
    }
}

fn because<'a>(page: &mut Page, all: &'a [Arc<Because>], told: &mut Told<'a>, here: &str) {
    if all.is_empty() {
        return;
    }
    page.block(Md::fixed("Because"));
    let mut items = Vec::new();
    for b in all {
        let sentence = Md::fixed("- ").and(Md::text(view::sentence(b)));
        if let Some(place) = told.before(b, here) {
            items.push(sentence.and(Md::fixed(" (evidence: see ")).and(Md::text(&place)).and(Md::fixed(")")));
            continue;
        }
        items.push(sentence);
        let (shown, left) = view::shown(b, EVIDENCE_SHOWN);
        items.extend(shown.iter().map(|e| evidence(e, told)));
        items.extend(view::left_out(b, left).map(|t| Md::fixed("  - ").and(Md::text(&t))));
    }
    page.list(items);
}

fn evidence<'a>(e: &'a Evidence, told: &Told<'a>) -> Md {
    let e = view::evidence(e, told);
    let subject = Md::fixed("  - ").and(Md::code(e.subject)).and(Md::fixed(" — ")).and(Md::text(e.verb));
    let said = match (e.edge, e.object.as_deref()) {
        (true, Some(o)) => subject.and(Md::fixed(" → ")).and(Md::code(o)),
        (true, None) => subject.and(Md::fixed(" → nothing recorded")),
        (false, Some(o)) => subject.and(Md::fixed(" = ")).and(Md::code(o)),
        (false, None) => subject.and(Md::fixed(" is not recorded")),
    };
    if e.how.is_empty() { said } else { said.and(Md::fixed(" (")).and(Md::text(&e.how)).and(Md::fixed(")")) }
}

fn hunt(page: &mut Page, view: &View<'_>, hunt: &Hunt, number: usize) {
    page.block(Md::fixed("### Query ").and(Md::number(number)).and(Md::fixed(". ")).and(Md::text(&hunt.title)));
    let cards = view.hunt_cards(hunt);
    let belongs = if cards.is_empty() { Md::default() } else { Md::fixed(", for ").and(Md::join(cards.iter().map(piece), "; ")) };
    page.block(Md::code(&hunt.id).and(belongs));
    page.block(Md::block(hunt.language, &hunt.query));
}

fn diagnostic(d: &crate::diag::Wire) -> Md {
    let mut said = Md::fixed("- ").and(Md::text(&view::diagnostic_word(d)).bold()).and(Md::fixed(": ")).and(Md::text(&d.message));
    let place = view::diagnostic_place(d);
    if !place.is_empty() {
        said = said.and(Md::fixed(" at ")).and(Md::join(place.iter().map(|p| Md::code(p)), ", "));
    }
    match &d.help {
        Some(help) => said.and(Md::fixed("; help: ")).and(Md::text(help)),
        None => said,
    }
}

/// The first items of a list, and how many more there are.
fn capped(items: impl Iterator<Item = Md>, all: usize) -> Vec<Md> {
    let mut shown: Vec<Md> = items.take(LISTED).collect();
    let left = all.saturating_sub(shown.len());
    if left > 0 {
        shown.push(Md::fixed("- ").and(Md::text(&view::and_more(left))));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::card::render::sample;
    use crate::diag::human::hidden;

    #[test]
    fn it_reads_as_a_ticket() {
        let text = page(&[sample::response()]);
        assert!(text.starts_with("# Credential phishing link clicked, then a sign-in from an unfamiliar address\n\nINC-2041 · high severity"));
        assert!(text.contains("\n### 2. Quarantine message — completed\n"));
        assert!(text.contains("\n### 4. Isolate device — unavailable\n"));
        assert!(text.contains("* **Unavailable**: policy: a domain controller"));
        assert!(text.contains("* **After**: card 1, Revoke sessions\n"));
        assert!(text.contains("  - `user:ada@contoso.com` — clicked → `url:https://sign-in.example.net/session/renew?id=4821`"));
        assert!(text.contains("\n```kql\nEmailEvents\n"));
    }

    #[test]
    fn hostile_text_makes_no_structure() {
        let (mine, theirs) = (page(&[sample::response()]), page(&[sample::hostile()]));
        assert!(!theirs.chars().any(|c| c != '\n' && hidden(c)));
        let headings = |text: &str| text.lines().filter(|l| l.starts_with('#') && !l.starts_with("# heading")).count();
        assert_eq!(headings(&mine), headings(&theirs));
        // The query alone has more than one line of hostile text, inside a fence that is longer than its backticks.
        let fence = theirs.lines().find(|l| l.ends_with("kql")).unwrap().trim_end_matches("kql");
        assert_eq!(fence, "````");
        let outside: String = theirs.split(fence).enumerate().filter(|(n, _)| n % 2 == 0).map(|(_, part)| part).collect();
        assert!(!theirs.contains("\n```\n") && !outside.contains("\n# heading"));
    }

    #[test]
    fn outside_code_nothing_links_or_is_html() {
        let theirs = page(&[sample::hostile()]);
        for line in theirs.lines().filter(|l| l.starts_with("# ") || l.starts_with("## ") || l.starts_with("### ")) {
            let prose = outside_spans(line);
            assert!(!prose.contains("https://") && !prose.contains('@') && !prose.contains('<') && !prose.contains(" ]("), "{prose}");
        }
    }

    /// What a reader of CommonMark sees as text: code spans are taken out.
    fn outside_spans(line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            out.push_str(&rest[..at]);
            if out.ends_with('\\') {
                out.push('`');
                rest = &rest[at + 1..];
                continue;
            }
            let run = rest[at..].chars().take_while(|c| *c == '`').count();
            let body = &rest[at + run..];
            let closing = body.find(&"`".repeat(run)).expect("a span is closed");
            rest = &body[closing + run..];
        }
        out + rest
    }
}
