//! One self-contained page for a browser or a printer: no script, nothing from elsewhere.

mod parts;
mod tag;
#[cfg(test)]
mod tests;

use tag::{Html, el, say, tag};

use super::view::{self, Anchor, LISTED, Told, View};
use crate::card::response::{Headline, Response, Triage};
use crate::model::{Classification, Level};

const HEAD: &str = "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<meta name=\"referrer\" content=\"no-referrer\"><meta name=\"robots\" content=\"noindex\">";

/// What the parts of one incident need to know of the page that they are on.
#[derive(Clone, Copy)]
struct Place {
    /// The number of the incident, from 1.
    incident: usize,
    /// The level of its heading, from 1.
    level: usize,
}

impl Place {
    /// The heading that is `below` levels under that of the incident.
    fn heading(self, below: usize) -> &'static str {
        ["h1", "h2", "h3", "h4", "h5"].get(self.level.saturating_add(below).saturating_sub(1)).copied().unwrap_or("h6")
    }

    fn anchor(self, name: &str) -> String {
        format!("i{}-{name}", self.incident)
    }

    fn to(self, anchor: Anchor) -> String {
        match anchor {
            Anchor::Card(n) => self.anchor(&format!("card-{n}")),
            Anchor::Query(n) => self.anchor(&format!("query-{n}")),
        }
    }
}

/// The page; with several incidents it starts with a table of them.
pub fn page(responses: &[Response]) -> String {
    let title = match responses {
        [] => "Guided response".to_owned(),
        [one] => format!("{} · guided response", one.incident.title),
        several => format!("Guided response to {} incidents", several.len()),
    };
    let level = if responses.len() == 1 { 1 } else { 2 };
    let mut body = vec![
        tag("a").class("skip").to("main").of([Html::fixed("Skip to the incident")]),
        Html::fixed("<header class=\"brand\"><p><b>Guided response</b> Recommendations with their evidence. Nothing was carried out.</p></header>"),
    ];
    let incidents = responses.iter().zip(1usize..).map(|(r, n)| incident(r, Place { incident: n, level }));
    let contents = if responses.len() == 1 { Html::none() } else { contents(responses) };
    body.push(tag("main").id("main").of([contents].into_iter().chain(incidents)));
    if let Some(first) = responses.first() {
        body.push(footer(first));
    }
    let page = [
        Html::fixed("<!doctype html>\n<html lang=\"en\"><head>"),
        Html::fixed(HEAD),
        say("title", "", &title),
        Html::fixed("<style>"),
        Html::fixed(include_str!("page.css")),
        Html::fixed("</style></head>\n"),
        el("body", "", body),
        Html::fixed("</html>\n"),
    ];
    Html::all(page).into_string()
}

/// A table of the incidents on the page.
fn contents(responses: &[Response]) -> Html {
    if responses.is_empty() {
        return el("div", "all", [Html::fixed("<h1 class=\"title\">There is no incident.</h1>")]);
    }
    let rows = responses.iter().zip(1usize..).map(|(r, n)| {
        let link = tag("a").to(&format!("i{n}-top")).of([Html::text(&r.incident.title)]);
        let verdict = view::verdict(r.triage.classification, r.triage.determination.as_deref());
        let cells = [
            el("td", "", [link, say("code", "", &r.incident.id)]),
            el("td", "", [severity(&r.incident)]),
            say("td", "", &verdict),
            say("td", "", &r.cards.len().to_string()),
        ];
        el("tr", "", cells)
    });
    let head = Html::fixed(
        "<thead><tr><th scope=\"col\">Incident</th><th scope=\"col\">Severity</th><th scope=\"col\">Triage</th><th scope=\"col\">Cards</th></tr></thead>",
    );
    let title = format!("{} incidents", responses.len());
    el("div", "all", [say("h1", "title", &title), el("table", "contents", [head, el("tbody", "", rows)])])
}

fn severity(incident: &Headline) -> Html {
    let Some(level) = incident.severity else { return Html::none() };
    let class = match level {
        Level::Critical | Level::High => "chip bad",
        Level::Medium => "chip warn",
        Level::Low | Level::Informational => "chip",
    };
    say("span", class, &format!("{level} severity"))
}

fn incident(response: &Response, place: Place) -> Html {
    let view = View::new(response);
    let mut told = Told::new(response);
    let mut main = vec![triage(&response.triage, &mut told, place)];
    main.extend(view.sections.iter().map(|s| parts::section(&view, s, &mut told, place)));
    if !response.hunts.is_empty() {
        let hunts = response.hunts.iter().zip(1usize..).map(|(h, n)| parts::hunt(&view, h, n, place));
        main.push(titled("hunts", "Hunting queries", "What to search for; read a query before you run it.", hunts, place));
    }
    let alerts = &response.incident.unrecognised_alerts;
    if !alerts.is_empty() {
        let items = alerts.iter().map(|a| el("li", "", [say("span", "", &a.title), say("code", "id", &a.id)]));
        main.push(titled("alerts", "Alerts that no signal knows", view::UNRECOGNISED, [parts::listed(items, alerts.len())], place));
    }
    let diagnostics = &response.diagnostics;
    if !diagnostics.is_empty() {
        let items = diagnostics.iter().map(parts::diagnostic);
        main.push(titled("diagnostics", "Diagnostics", "What went wrong or was left out.", [parts::listed(items, diagnostics.len())], place));
    }
    let frame = el("div", "frame", [side(response, &view, place), el("div", "", main)]);
    tag("article").class("incident").id(&place.anchor("top")).of([headline(&response.incident, place), frame])
}

fn headline(incident: &Headline, place: Place) -> Html {
    let chips = incident.types.iter().take(LISTED).map(|t| say("span", "chip", &format!("{} {}", view::words(&t.id), t.score)));
    let about = view::about(incident).into_iter().filter(|p| !p.ends_with(" severity") || incident.severity.is_none());
    let counts = view::contents(incident).into_iter().take(2);
    let facts = about.chain(counts).map(|f| say("span", "", &f));
    el(
        "header",
        "",
        [
            say(place.heading(0), "title", &incident.title),
            el("div", "facts", facts),
            el("div", "types", [severity(incident)].into_iter().chain(chips)),
        ],
    )
}

/// Where to go on the page; left out on paper.
fn side(response: &Response, view: &View<'_>, place: Place) -> Html {
    let part = |name: &str, title: &str| el("li", "", [tag("a").class("part").to(&place.anchor(name)).of([Html::text(title)])]);
    let line = |anchor: Anchor, n: usize, title: &str, badge: Html| {
        el("li", "", [tag("a").to(&place.to(anchor)).of([say("span", "n", &n.to_string()), el("span", "", [Html::text(title), badge])])])
    };
    let mut items = vec![part("triage", "Triage")];
    for section in &view.sections {
        items.push(part(section.anchor, section.title));
        for n in section.cards.iter().take(LISTED) {
            // Several cards may have the same title: the name of the entity tells them apart.
            let name = n.card.entity.iter().map(|e| el("bdi", "", [Html::text(&e.name)]));
            let small = name.chain(view::badges(n.card).first().map(|b| Html::fixed(b.word())));
            let small = el("small", "", [Html::join(small, " · ")]);
            items.push(line(Anchor::Card(n.number), n.number, &n.card.title, small));
        }
    }
    if !response.hunts.is_empty() {
        items.push(part("hunts", "Hunting queries"));
        items.extend(response.hunts.iter().zip(1usize..).take(LISTED).map(|(h, n)| line(Anchor::Query(n), n, &h.title, Html::none())));
    }
    if !response.incident.unrecognised_alerts.is_empty() {
        items.push(part("alerts", "Unknown alerts"));
    }
    if !response.diagnostics.is_empty() {
        items.push(part("diagnostics", "Diagnostics"));
    }
    tag("nav").class("side").label("On this page").of([el("ul", "", items)])
}

/// A section with a heading.
fn titled(anchor: &str, title: &str, question: &str, parts: impl IntoIterator<Item = Html>, place: Place) -> Html {
    let head = el("div", "head", [say(place.heading(1), "name", title), say("p", "ask", question)]);
    tag("section").id(&place.anchor(anchor)).of([head].into_iter().chain(parts))
}

fn triage<'a>(triage: &'a Triage, told: &mut Told<'a>, place: Place) -> Html {
    let class = match triage.classification {
        Classification::TruePositive => "panel bad",
        Classification::Undetermined => "panel warn",
        Classification::Informational => "panel",
        Classification::FalsePositive => "panel good",
    };
    let said = el(
        "div",
        "",
        [say("p", "said", &view::verdict(triage.classification, triage.determination.as_deref())), el("p", "why", [Html::prose(&triage.why)])],
    );
    let bar = tag("span").class("bar").decoration().of([tag("i").share(triage.confidence).of([Html::none()])]);
    let meter = el("p", "meter", [Html::fixed("confidence "), say("b", "", &triage.confidence.to_string()), Html::fixed(" of 100"), bar]);
    let mut panel = vec![el("div", "verdict", [said, meter]), parts::because(&triage.because, place.heading(2), told, "triage")];
    let mut rows = vec![];
    for c in &triage.considered {
        let what = format!("{} (confidence {}): {}", view::verdict(c.classification, c.determination.as_deref()), c.confidence, c.why);
        rows.push(say("dd", "", &what));
    }
    if let Some(first) = rows.first_mut() {
        *first = Html::all([Html::fixed("<dt>Considered</dt>"), first.clone()]);
    }
    rows = rows.into_iter().enumerate().map(|(n, r)| if n == 0 { r } else { Html::all([Html::fixed("<dt></dt>"), r]) }).collect();
    rows.push(Html::fixed("<dt>Source</dt>"));
    rows.push(el("dd", "", [parts::pieces(&view::triage_source(&triage.source), ", ", place)]));
    if !triage.missing.is_empty() {
        let items = triage.missing.iter().map(|m| say("li", "plainly", m));
        panel.push(el("div", "because", [say("p", "sub", view::missing_heading(triage)), el("ul", "", items)]));
    }
    panel.push(el("dl", "rows wide", rows));
    titled("triage", "Triage", "Is it real?", [el("div", class, panel)], place)
}

fn footer(response: &Response) -> Html {
    let skipped = &response.playbooks.skipped;
    let items = skipped.iter().map(|s| el("li", "", [say("code", "", &s.file), Html::fixed(": "), Html::prose(&s.reason)]));
    let list = if skipped.is_empty() { Html::none() } else { el("ul", "", [Html::fixed("<li>Skipped</li>")].into_iter().chain(items.take(LISTED))) };
    el("footer", "", [el("p", "", [Html::fixed(view::LEGEND)]), say("p", "", &view::closing(response.engine, &response.playbooks)), list])
}
