//! What an explanation says, line by line.

use crate::card::render::view::{self, Told};
use crate::card::response::{EntityRef, Names};
use crate::card::why::{ArmWhy, Became, CardsWhy, ClauseWhy, EntityWhy, Explanation, KeyWhy, PlaybookWhy, Step, key_sentence};
use crate::eval::why::Outcome;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words, from wherever they come.
    Words(String),
    /// An expression or a value in a sentence: to be taken literally.
    Code(String),
    /// An id that stands by itself.
    Id(String),
    /// What a reader looks for.
    Strong(String),
    /// What a reader may skip.
    Dim(String),
    /// It is so.
    Good(&'static str),
    /// It is not.
    Bad(&'static str),
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A heading: 1 for the incident, 2 for a playbook, 3 for a card.
    Head(usize, Vec<Piece>),
    /// A paragraph.
    Text(Vec<Piece>),
    /// A point of a list, so deep.
    Point(usize, Vec<Piece>),
}

/// How many clauses deep a page goes.
const DEEP: usize = 7;
/// How many things that a test looked at a page shows.
const EVIDENCE: usize = 4;
/// How many values, keys or other playbooks a page names.
const LISTED: usize = 40;
/// How many words of a `match` a page names.
const WORDS: usize = 8;

fn words(t: impl Into<String>) -> Piece {
    Piece::Words(t.into())
}

fn code(t: impl Into<String>) -> Piece {
    Piece::Code(t.into())
}

fn id(t: impl Into<String>) -> Piece {
    Piece::Id(t.into())
}

/// A sentence whose backticks mark what is to be taken literally.
fn prose(text: &str) -> Vec<Piece> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().checked_rem(2) == Some(0) {
        return vec![words(text)];
    }
    let piece = |(n, t): (usize, &str)| if n.checked_rem(2) == Some(0) { words(t) } else { code(t) };
    parts.into_iter().enumerate().filter(|(_, t)| !t.is_empty()).map(piece).collect()
}

fn mark(outcome: Outcome) -> Piece {
    match outcome {
        Outcome::Pass => Piece::Good("✓"),
        Outcome::Fail => Piece::Bad("✗"),
        Outcome::Error => Piece::Bad("✗ error"),
    }
}

/// The lines of an explanation.
pub fn lines(e: &Explanation) -> Vec<Line> {
    let mut o = Outline { out: Vec::new(), names: &e.names, full: e.asked.full };
    let mut about = vec![words("Why the answer to "), Piece::Strong(if e.title.is_empty() { e.incident.clone() } else { e.title.clone() })];
    about.extend([words(" (incident "), id(&e.incident), words(") is what it is")]);
    o.out.push(Line::Head(1, about));
    if !e.asked.entities.is_empty() {
        let mut line = vec![words("Asked for ")];
        for (n, x) in e.asked.entities.iter().enumerate() {
            if n > 0 {
                line.push(words(", "));
            }
            line.extend(named(x));
        }
        o.out.push(Line::Text(line));
    }
    for p in &e.playbooks {
        o.playbook(p);
    }
    if e.playbooks.is_empty() {
        o.out.push(Line::Text(vec![words("No playbook matches this incident.")]));
    }
    if !e.others.is_empty() {
        o.out.push(Line::Head(2, vec![words("Playbooks that are no candidates")]));
        // What the incident has is said once, not with every playbook that wants something else.
        let mut told: Vec<&str> = Vec::new();
        for k in e.others.iter().map(|p| &p.key) {
            if !told.contains(&k.key) {
                told.push(k.key);
                o.out.push(Line::Text(prose(&has(k))));
            }
        }
        for p in e.others.iter().take(LISTED) {
            let mut line = vec![id(&p.playbook), words(": ")];
            line.extend(prose(&wants(&p.key)));
            o.out.push(Line::Point(0, line));
        }
        o.more(0, e.others.len().saturating_sub(LISTED));
    }
    if !o.full {
        let hint = "For the whole tree of clauses and the smallest change that would flip a card, ask about one: \
                    `engine explain --incident … PLAYBOOK/CARD`, or with `--entity ID`; `--all` shows everything.";
        o.out.push(Line::Text(prose(hint)));
    }
    o.out.push(Line::Text(vec![Piece::Dim(
        "✓ is as it must be, ✗ is not. What a change would do was tried on this incident, not guessed.".to_owned(),
    )]));
    o.out
}

fn cut(all: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = all.iter().take(WORDS).cloned().collect();
    if all.len() > WORDS {
        kept.push(format!("{} more", all.len().saturating_sub(WORDS)));
    }
    kept
}

fn key(k: &KeyWhy) -> String {
    key_sentence(k.key, &cut(&k.wanted), &cut(&k.found))
}

/// What a key wants, without what the incident has.
fn wants(k: &KeyWhy) -> String {
    let whole = key(k);
    whole.split_once(", the incident has ").map_or(whole.clone(), |(wants, _)| wants.to_owned())
}

/// What the incident has for a key.
fn has(k: &KeyWhy) -> String {
    let all = cut(&k.found).iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match (k.found.is_empty(), k.key) {
        (true, key) => format!("The incident has no {key}."),
        (false, "entities") => format!("Of the entities that are wanted the incident has {all}."),
        (false, key) => format!("The incident's {key}: {all}."),
    }
}

fn named(e: &EntityRef) -> Vec<Piece> {
    if e.name.is_empty() || e.id.ends_with(&e.name) {
        return vec![id(&e.id)];
    }
    vec![Piece::Strong(e.name.clone()), words(" ("), id(&e.id), words(")")]
}

struct Outline<'o> {
    out: Vec<Line>,
    names: &'o Names,
    full: bool,
}

impl Outline<'_> {
    fn more(&mut self, depth: usize, n: usize) {
        if n > 0 {
            self.out.push(Line::Point(depth, vec![Piece::Dim(view::and_more(n))]));
        }
    }

    fn playbook(&mut self, p: &PlaybookWhy) {
        self.out.push(Line::Head(2, vec![words("Playbook "), id(&p.id), words(": "), words(&p.title)]));
        self.out.push(Line::Text(vec![Piece::Dim(format!("version {}, {}:{}", p.version, p.file, p.line))]));
        let says = if p.outcome == Outcome::Pass {
            "It is a candidate: every key of its match holds."
        } else {
            "It is no candidate, so none of its cards can be there."
        };
        self.out.push(Line::Text(vec![words(if p.keys.is_empty() { "It is a candidate for every incident." } else { says })]));
        for k in &p.keys {
            let mut line = vec![mark(k.outcome), words(" ")];
            match k.outcome {
                Outcome::Pass => {
                    let both: Vec<String> = k.found.iter().filter(|f| k.key == "techniques" || k.wanted.contains(f)).take(WORDS).cloned().collect();
                    line.push(words(format!("{}: ", k.key)));
                    line.push(id(if both.is_empty() { k.found.join(", ") } else { both.join(", ") }));
                }
                _ => line.extend(prose(&key(k))),
            }
            self.out.push(Line::Point(0, line));
        }
        if self.full && !p.values.is_empty() {
            self.out.push(Line::Text(vec![words("Its values:")]));
            for v in p.values.iter().take(LISTED) {
                let value = v.error.as_ref().map_or_else(|| v.value.clone(), |e| format!("error: {e}"));
                self.out.push(Line::Point(0, vec![id(&v.name), words(" is "), words(value)]));
            }
            self.more(0, p.values.len().saturating_sub(LISTED));
        }
        if !p.triage.is_empty() {
            self.out.push(Line::Text(vec![words("Its triage, of which the first that holds counts:")]));
            for a in &p.triage {
                self.arm(a);
            }
        }
        for c in &p.cards {
            self.card(c);
        }
    }

    fn arm(&mut self, a: &ArmWhy) {
        let said = view::verdict(a.classification, a.determination.as_deref());
        let mut line = vec![mark(a.outcome), words(" "), Piece::Strong(said), words(format!(", confidence {}", a.confidence))];
        if a.decides {
            line.push(words(": this is what it says"));
        }
        self.out.push(Line::Point(0, line));
        if let Some(when) = &a.when {
            self.clause(1, when, false);
        }
    }

    fn card(&mut self, c: &CardsWhy) {
        let mut head = vec![words("Card "), id(&c.card), words(": "), words(&c.title), words(format!(" ({})", c.phase))];
        if let Some(list) = &c.list {
            head.extend([words(", for "), code(list)]);
        }
        self.out.push(Line::Head(3, head));
        for e in &c.entities {
            self.entity(e);
        }
        self.more(0, c.more);
    }

    fn entity(&mut self, e: &EntityWhy) {
        let mut line = vec![match e.outcome {
            Became::Shown => Piece::Good("SHOWN"),
            Became::Unavailable => Piece::Bad("SHOWN, UNAVAILABLE"),
            Became::NotShown => Piece::Bad("NOT SHOWN"),
        }];
        line.push(words(" "));
        if let Some(x) = &e.entity {
            line.push(words("for "));
            line.extend(named(x));
            line.push(words(": "));
        } else {
            line.push(words("— "));
        }
        line.extend(prose(&e.text));
        if let Some(card) = &e.card {
            line.extend([words(" (id "), id(&card.id), words(")")]);
        }
        self.out.push(Line::Point(0, line));
        if !self.full {
            return;
        }
        if let Some(l) = &e.listed {
            self.clause(1, l, true);
        }
        if let Some(w) = &e.when {
            self.out.push(Line::Point(1, vec![mark(w.outcome), words(" "), Piece::Strong("when".to_owned()), words(" "), code(&w.source)]));
            self.clause(2, w, true);
        }
        for g in &e.guards {
            self.out.push(Line::Point(1, vec![Piece::Bad("guard"), words(" "), code(&g.source)]));
            self.clause(2, g, true);
        }
        if let Some(x) = &e.exception {
            self.out.push(Line::Point(1, vec![Piece::Bad("held back"), words(" by the "), words(x)]));
        }
        for p in &e.paths {
            self.out.push(Line::Point(1, self.path(p)));
        }
        self.flips(e);
    }

    fn flips(&mut self, e: &EntityWhy) {
        let verb = match (e.outcome, e.card.as_ref().is_some_and(|c| !c.also.is_empty())) {
            (Became::NotShown, _) => "would appear if",
            (_, false) => "would go if",
            (_, true) => "would no longer come from this playbook if",
        };
        for f in &e.flips {
            let mut line = vec![words(format!("This card {verb} "))];
            line.extend(prose(&f.text));
            self.out.push(Line::Point(1, line));
        }
        if let Some(note) = &e.flips_note {
            let mut line = vec![Piece::Dim("Note: ".to_owned())];
            line.extend(prose(note));
            self.out.push(Line::Point(1, line));
        }
    }

    /// A way through the graph, in one line.
    fn path(&self, way: &[Step]) -> Vec<Piece> {
        let name = |id: &str| Piece::Id(self.names.get(id).unwrap_or(id).to_owned());
        let mut line = vec![words("path ")];
        for (n, s) in way.iter().enumerate() {
            if n == 0 {
                line.push(name(&s.from));
            }
            line.push(words(if s.along { format!(" —{}→ ", s.relation) } else { format!(" ←{}— ", s.relation) }));
            line.push(name(&s.to));
        }
        line
    }

    /// A clause and what it is made of. What passes is told in short unless `whole`.
    fn clause(&mut self, depth: usize, c: &ClauseWhy, whole: bool) {
        // Below what passes, what passes speaks for it; below what fails, what fails.
        let speaks = |b: &&ClauseWhy| b.outcome == c.outcome || c.outcome == Outcome::Error || c.how == "all" || b.how == "list";
        let shows = depth < DEEP && (whole || c.outcome != Outcome::Pass);
        let below: Vec<&ClauseWhy> = c.below.iter().filter(speaks).filter(|_| shows).collect();
        let junction = matches!(c.how, "all" | "any") && c.text.is_empty() && c.name.is_none() && c.of.is_none();
        // That all of what follows must be so goes without saying; so does a choice of one.
        if junction && !below.is_empty() && (c.how == "all" || below.len() == 1) {
            return below.into_iter().for_each(|b| self.clause(depth, b, whole));
        }
        let mut line = vec![mark(c.outcome), words(" ")];
        if let Some(of) = &c.of {
            line.extend([Piece::Strong(of.clone()), words(": ")]);
        }
        if let Some(name) = &c.name {
            if !c.wanted {
                line.push(words("not "));
            }
            line.extend([id(name), words(": ")]);
        }
        match (c.text.is_empty(), c.how) {
            (false, _) => line.extend(prose(&c.text)),
            (true, "any") if !below.is_empty() => line.push(words("any of this:")),
            (true, "all") if !below.is_empty() => line.push(words("all of this:")),
            (true, _) => line.push(code(&c.source)),
        }
        if !c.wanted && c.how == "condition" {
            line.push(words(if c.outcome == Outcome::Pass { " (which must not hold, and does not)" } else { " (which must not hold)" }));
        }
        self.out.push(Line::Point(depth, line));
        if depth >= DEEP {
            return;
        }
        let deeper = depth.saturating_add(1);
        if below.is_empty() && whole {
            self.evidence(deeper, c);
        }
        below.into_iter().for_each(|b| self.clause(deeper, b, whole));
        self.more(deeper, c.more);
    }

    /// What a test looked at.
    fn evidence(&mut self, depth: usize, c: &ClauseWhy) {
        let told = Told::named(self.names);
        for e in c.evidence.iter().take(EVIDENCE) {
            let e = view::evidence(e, &told);
            let mut line = vec![Piece::Id(e.subject.to_owned())];
            match (e.edge, e.object.as_deref()) {
                (true, Some(o)) => line.extend([words(format!(" —{}→ ", e.verb)), id(o)]),
                (true, None) => line.push(words(format!(" —{}→ nothing recorded", e.verb))),
                (false, Some(o)) => line.extend([words(format!(" has {} ", view::words(e.verb))), id(o)]),
                (false, None) => line.push(words(format!(" has no {} recorded", view::words(e.verb)))),
            }
            if !e.how.is_empty() {
                line.push(Piece::Dim(format!(" ({})", e.how)));
            }
            self.out.push(Line::Point(depth, line));
        }
        self.more(depth, c.evidence.len().saturating_sub(EVIDENCE));
    }
}
