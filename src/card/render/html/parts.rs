//! Cards, clauses with their evidence, queries, lists.

use std::sync::Arc;

use super::tag::{Html, el, say, tag};
use super::{Place, titled};
use crate::card::render::view::{self, Anchor, Badge, EVIDENCE_FOLDED, LISTED, Numbered, Piece, Section, Told, View};
use crate::card::response::{Because, Evidence, Hunt};
use crate::diag::Wire;

/// A phase with its cards.
pub fn section<'a>(view: &View<'a>, section: &Section<'a>, told: &mut Told<'a>, place: Place) -> Html {
    let cards: Vec<Html> = if section.cards.is_empty() {
        vec![el("p", "nothing", [Html::fixed(view::NOTHING)])]
    } else {
        section.cards.iter().map(|n| card(view, *n, told, place)).collect()
    };
    titled(section.anchor, section.title, section.question, cards, place)
}

fn card<'a>(view: &View<'a>, numbered: Numbered<'a>, told: &mut Told<'a>, place: Place) -> Html {
    let card = numbered.card;
    let badges = view::badges(card).into_iter().map(|b| {
        let class = match b {
            Badge::Status(_) => "chip good",
            Badge::AskFirst => "chip warn",
            Badge::Unavailable => "chip",
        };
        Html::all([say("span", class, b.word()), Html::fixed(" ")])
    });
    let (entities, more) = view::targets(card);
    let mut on: Vec<Html> =
        entities.iter().map(|e| el("li", "", [Html::fixed("on "), el("b", "", [say("bdi", "", &e.name)]), say("code", "id", &e.id)])).collect();
    if on.is_empty() {
        on.push(Html::fixed("<li>on the incident as a whole</li>"));
    }
    if more > 0 {
        on.push(say("li", "nothing", &view::and_more(more)));
    }
    let what = el("div", "what", [say(place.heading(2), "act", &card.title), Html::all(badges), el("ul", "on", on)]);
    let stat = |name: &str, n: u8| el("span", "", [say("span", "", name), Html::fixed(" "), say("b", "", &n.to_string())]);
    let rank = el("p", "rank", [stat("priority", card.priority), stat("confidence", card.confidence)]);
    let top = el("div", "top", [say("span", "num", &numbered.number.to_string()), what, rank]);

    let (mut notes, mut rows, mut origin) = (Vec::new(), Vec::new(), Vec::new());
    for row in view.rows(card) {
        let lines: Vec<Html> = row.lines.iter().map(|l| pieces(l, ", ", place)).collect();
        match row.label {
            "Unavailable" | "Ask first" => {
                let class = if row.label == "Unavailable" { "note off" } else { "note" };
                notes.push(el("p", class, [el("b", "", [Html::fixed(row.label)]), Html::fixed(": ")].into_iter().chain(lines)));
            }
            // What an analyst may skip, and an author looks for.
            "Action" | "Maps to" | "Source" => origin.push(el("span", "", [Html::fixed(row.label), Html::fixed(" "), Html::join(lines, "; ")])),
            label => {
                rows.push(el("dt", "", [Html::fixed(label)]));
                rows.push(el("dd", "", [Html::join(lines, "<br>")]));
            }
        }
    }
    let text =
        el("div", "", [el("p", "", [Html::prose(&card.why)]), because(&card.because, place.heading(3), told, &format!("card {}", numbered.number))]);
    let body = el("div", "body", [text, el("dl", "rows", rows)]);
    let class = if view::is_unavailable(card) { "card off" } else { "card" };
    tag("article")
        .class(class)
        .id(&place.to(Anchor::Card(numbered.number)))
        .of([top].into_iter().chain(notes).chain([body, el("p", "origin", origin)]))
}

/// Ids, sentences and links in a line.
pub fn pieces(all: &[Piece], between: &'static str, place: Place) -> Html {
    let parts = all.iter().map(|piece| match piece {
        Piece::Code(t) => say("code", "", t),
        Piece::Prose(t) => Html::prose(t),
        Piece::Link(anchor, t) => tag("a").to(&place.to(*anchor)).of([Html::text(t)]),
    });
    Html::join(parts, between)
}

/// Clauses, each with its evidence folded away. On paper it is open the first time, and referred to afterwards.
pub fn because<'a>(all: &'a [Arc<Because>], heading: &'static str, told: &mut Told<'a>, here: &str) -> Html {
    if all.is_empty() {
        return Html::none();
    }
    let clauses = all.iter().map(|b| {
        if b.evidence.is_empty() {
            return el("p", "plainly", [Html::prose(view::sentence(b))]);
        }
        let (shown, left) = view::shown(b, EVIDENCE_FOLDED);
        let count = view::counted(b.evidence.len(), "piece of evidence", "pieces of evidence");
        let mut items: Vec<Html> = shown.iter().map(|e| evidence(e, told)).collect();
        items.extend(view::left_out(b, left).map(|t| say("li", "", &t)));
        let before = told.before(b, here);
        let see = before.as_deref().map_or_else(Html::none, |p| say("span", "see", &format!("evidence: see {p}")));
        let summary = el("summary", "", [Html::prose(view::sentence(b)), Html::fixed(" "), say("span", "count", &count), see]);
        el("details", if before.is_some() { "again" } else { "" }, [summary, el("ul", "proof", items)])
    });
    el("div", "because", [say(heading, "", "Because")].into_iter().chain(clauses))
}

fn evidence<'a>(e: &'a Evidence, told: &Told<'a>) -> Html {
    let e = view::evidence(e, told);
    let verb = match (e.edge, &e.object) {
        (true, _) => format!("{} →", view::words(e.verb)),
        (false, Some(_)) => format!("{} =", view::words(e.verb)),
        (false, None) => format!("{} is", view::words(e.verb)),
    };
    let object = match (e.edge, e.object.as_deref()) {
        (_, Some(o)) => say("code", "", o),
        (true, None) => Html::fixed("<span class=\"absent\">nothing recorded</span>"),
        (false, None) => Html::fixed("<span class=\"absent\">not recorded</span>"),
    };
    let how = if e.how.is_empty() { Html::none() } else { say("span", "how", &e.how) };
    el("li", "", [say("code", "", e.subject), Html::fixed(" "), say("span", "verb", &verb), Html::fixed(" "), object, how])
}

/// A query to be copied.
pub fn hunt(view: &View<'_>, hunt: &Hunt, number: usize, place: Place) -> Html {
    let cards = view.hunt_cards(hunt);
    let belongs = if cards.is_empty() { Html::none() } else { Html::all([Html::fixed("for "), pieces(&cards, "; ", place)]) };
    let what = el("div", "what", [say(place.heading(2), "act", &hunt.title), el("p", "on", [belongs])]);
    let rank = el("p", "rank", [say("span", "", hunt.language), say("code", "", &hunt.id)]);
    let top = el("div", "top", [say("span", "num", &number.to_string()), what, rank]);
    let query = el("pre", "", [say("code", "", hunt.query.trim_end_matches('\n'))]);
    tag("article").class("query").id(&place.to(Anchor::Query(number))).of([top, query])
}

/// The first items of a list, and how many more there are.
pub fn listed(items: impl Iterator<Item = Html>, all: usize) -> Html {
    let mut shown: Vec<Html> = items.take(LISTED).collect();
    let left = all.saturating_sub(shown.len());
    if left > 0 {
        shown.push(say("li", "nothing", &view::and_more(left)));
    }
    el("ul", "list", shown)
}

/// A diagnostic as an item of a list.
pub fn diagnostic(d: &Wire) -> Html {
    let place = view::diagnostic_place(d).join(", ");
    let at = if place.is_empty() { Html::none() } else { el("span", "help", [Html::fixed("at "), say("code", "", &place)]) };
    let help = d.help.as_deref().map_or_else(Html::none, |h| el("span", "help", [Html::fixed("help: "), Html::prose(h)]));
    el("li", "", [say("b", "", &view::diagnostic_word(d)), Html::fixed(": "), Html::prose(&d.message), at, help])
}
