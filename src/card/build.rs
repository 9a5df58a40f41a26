//! From what holds to cards: merged, guarded, ordered; and the hunts that belong to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::evidence::{self, entity_ref};
use super::kql;
use super::response::{Availability, Because, Card, CardSource, Hunt, Status, Triage};
use super::triage::unsaid;
use crate::diag::{Diagnostic, Severity, codes};
use crate::eval::because;
use crate::eval::{Evaluation, Hit, failure};
use crate::model::{Classification, EntityIx, Kind, Phase, Time};
use crate::playbook::PlaybookSet;
use crate::playbook::set::{Action, CardRule, HuntRule, Playbook, QueryPart, Target};
use crate::script::expr::{Expr, Node};
use crate::script::{Cx, Stop, Value};

/// What cards are made for.
pub struct For<'a> {
    /// The permissions of who asks; `None`: all of them.
    pub permissions: Option<(&'a str, BTreeSet<String>)>,
    /// The day by which exceptions expire.
    pub today: Time,
}

/// What makes two cards one: the action, what it is about, its parameters.
type Identity = (Arc<str>, Vec<EntityIx>, BTreeMap<Arc<str>, String>);

/// What holds a card back from some of its targets: a guard of the action, an exception of the playbook.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    guard: Option<String>,
    exception: Option<String>,
}

struct Draft {
    /// The earliest of the phases that its sources give it.
    phase: Phase,
    action: Arc<Action>,
    held: Held,
    title: String,
    why: String,
    because: Vec<Arc<Because>>,
    priority: u8,
    confidence: u8,
    sources: BTreeSet<CardSource>,
    /// Playbook and card of each source, with the exception that holds it back there.
    from: Vec<(usize, usize, Option<String>)>,
}

/// The cards and hunts of an evaluation.
pub fn build(set: &PlaybookSet, cx: &mut Cx<'_>, evaluation: &mut Evaluation, triage: &Triage, who: &For<'_>) -> (Vec<Card>, Vec<Hunt>) {
    let mut drafts: BTreeMap<Identity, Draft> = BTreeMap::new();
    let mut known = Known::new();
    let mut failures = Vec::new();
    for m in &evaluation.matched {
        let Some(p) = set.playbooks.get(m.playbook) else { continue };
        for hit in &m.hits {
            let Some(rule) = p.cards.get(hit.card) else { continue };
            for (held, targets) in groups(cx, p, rule, hit, who.today, &mut failures) {
                if let Err(stop) = add(set, cx, (m.playbook, p), (hit.card, rule), &targets, held, &mut drafts, &mut known) {
                    failures.push(failure(p, Some(rule), &stop));
                }
            }
        }
    }
    evaluation.diagnostics.extend(failures);
    let ids: BTreeMap<&Identity, String> = drafts.keys().map(|k| (k, id(cx, k))).collect();
    let after = after(set, &drafts, &ids);
    // What is done is read from source state alone: nothing that a signal or a list says counts.
    let bare = drafts.values().any(|d| d.action.done_when.is_some()).then(|| cx.facts.bare());
    let mut plain = bare.as_ref().map(|bare| Cx::new(bare, set.questions));
    let mut hunts = Hunts::default();
    let mut cards: Vec<Card> = Vec::new();
    for (key, draft) in &drafts {
        let card_id = ids.get(key).cloned().unwrap_or_default();
        for (p, c, _) in &draft.from {
            let found = set.playbooks.get(*p).and_then(|p| Some((p, p.cards.get(*c)?)));
            if let Some((p, rule)) = found
                && let Some(h) = rule.hunt.as_ref().and_then(|h| p.hunts.get(h))
            {
                hunts.add(cx, p, h, &key.1, Some(&card_id), &mut evaluation.diagnostics);
            }
        }
        cards.push(card(
            cx,
            plain.as_mut(),
            key,
            draft,
            &card_id,
            after.get(key).cloned().unwrap_or_default(),
            triage,
            who,
            &mut evaluation.diagnostics,
        ));
    }
    // A hunt without parameter belongs to its playbook, whatever its cards.
    for p in evaluation.all().into_iter().filter_map(|n| set.playbooks.get(n)) {
        for h in p.hunts.values().filter(|h| h.with.is_none() && !p.cards.iter().any(|c| c.hunt.as_ref() == Some(&h.id))) {
            hunts.add(cx, p, h, &[], None, &mut evaluation.diagnostics);
        }
    }
    let hunts = hunts.finish();
    let mut of_card: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for h in &hunts {
        h.cards.iter().for_each(|c| of_card.entry(c).or_default().push(&h.id));
    }
    for c in &mut cards {
        c.hunts = of_card.remove(c.id.as_str()).into_iter().flatten().map(str::to_owned).collect();
    }
    (ordered(cards), hunts)
}

/// The targets of a hit in groups by what holds them back, so that one target's guard or exception neither spares nor
/// blocks another one.
fn groups(cx: &mut Cx<'_>, p: &Playbook, rule: &CardRule, hit: &Hit, today: Time, failures: &mut Vec<Diagnostic>) -> BTreeMap<Held, Vec<EntityIx>> {
    let params = params_value(&rule.params);
    let mut groups: BTreeMap<Held, Vec<EntityIx>> = BTreeMap::new();
    if hit.targets.is_empty() {
        let guard = guard(cx, p, rule, Value::Incident, &params, failures);
        groups.insert(Held { guard, exception: None }, Vec::new());
    }
    for t in &hit.targets {
        let guard = guard(cx, p, rule, Value::Entity(*t), &params, failures);
        let held = Held { guard, exception: exception(cx, p, rule, *t, today) };
        groups.entry(held).or_default().push(*t);
    }
    groups
}

/// The guard that speaks against a target.
fn guard(cx: &mut Cx<'_>, p: &Playbook, rule: &CardRule, target: Value, params: &Value, failures: &mut Vec<Diagnostic>) -> Option<String> {
    let given = [target, params.clone()];
    rule.action.never.iter().find_map(|g| match cx.holds(&g.test, &given) {
        Ok(false) => None,
        Ok(true) => Some(g.why.render(cx, &given).unwrap_or_else(|_| "a guard of the action speaks against it".into())),
        // A guard that cannot be asked is taken to speak against it.
        Err(stop) => {
            failures.push(failure(p, Some(rule), &stop));
            Some("a guard of the action could not be checked".into())
        }
    })
}

#[expect(clippy::too_many_arguments, reason = "what a card is made of, each from another place")]
fn add(
    set: &PlaybookSet,
    cx: &mut Cx<'_>,
    (pn, p): (usize, &Playbook),
    (cn, rule): (usize, &CardRule),
    targets: &[EntityIx],
    held: Held,
    drafts: &mut BTreeMap<Identity, Draft>,
    known: &mut Known,
) -> Result<(), Stop> {
    let params: Vec<Value> = match &rule.target {
        Target::Incident => Vec::new(),
        Target::Each(..) => targets.first().copied().map(Value::Entity).into_iter().collect(),
        Target::All(..) => vec![Value::list(targets.iter().copied().map(Value::Entity))],
    };
    let why = rule.why.render(cx, &params)?;
    let title = rule.title.as_ref().map_or_else(|| Ok(rule.action.title.clone()), |t| t.render(cx, &params))?;
    let because = cx.aside(|cx| reasons(cx, (pn, p), rule, targets, known));
    let place = set.sources.place(rule.span);
    let source = CardSource {
        playbook: p.id.to_string(),
        card: rule.id.to_string(),
        version: p.version.clone(),
        file: place.file.to_string(),
        line: place.line,
    };
    let exception = held.exception.clone();
    let key = (rule.action.id.clone(), targets.to_vec(), rule.params.clone());
    match drafts.get_mut(&key) {
        None => {
            let draft = Draft {
                phase: rule.phase,
                action: rule.action.clone(),
                held,
                title,
                why,
                because,
                priority: rule.priority,
                confidence: rule.confidence,
                sources: BTreeSet::from([source]),
                from: vec![(pn, cn, exception)],
            };
            drafts.insert(key, draft);
        }
        Some(d) => {
            // The reason of the most urgent source is told first.
            if (rule.priority, rule.confidence) > (d.priority, d.confidence) {
                d.why = why;
                d.title = title;
            }
            d.phase = d.phase.min(rule.phase);
            d.priority = d.priority.max(rule.priority);
            d.confidence = d.confidence.max(rule.confidence);
            add_fresh(&mut d.because, because);
            d.sources.insert(source);
            d.from.push((pn, cn, exception));
        }
    }
    Ok(())
}

/// What speaks for clauses that are about no target, by playbook and question: it is the same for every target, and looked
/// at once.
type Known = HashMap<(usize, *const Expr), Vec<Arc<Because>>>;

/// Adds the reasons that are not there before.
fn add_fresh(to: &mut Vec<Arc<Because>>, all: Vec<Arc<Because>>) {
    let before = to.len();
    for b in all {
        if !to.iter().take(before).any(|known| *known == b) {
            to.push(b);
        }
    }
}

/// Why a card is about this, each reason once.
fn reasons(cx: &mut Cx<'_>, (pn, p): (usize, &Playbook), rule: &CardRule, targets: &[EntityIx], known: &mut Known) -> Vec<Arc<Because>> {
    let mut out = cx.passing(|cx| {
        let mut list = Vec::new();
        because::card(cx, &rule.target, None, targets, &mut list);
        evidence::because(cx, &list, |name| unsaid(p, name))
    });
    // As the question was asked: of a list as a whole, also where its items stand on several cards.
    let params = match &rule.target {
        Target::Incident => Vec::new(),
        Target::Each(..) => vec![targets.first().copied().map_or(Value::Absent, Value::Entity)],
        Target::All(_, list) => vec![cx.value(list, &[]).unwrap_or(Value::Absent)],
    };
    let parts = match rule.when.as_ref() {
        Some(Expr { node: Node::And(all), .. }) => all.as_slice(),
        when => when.map_or(&[][..], std::slice::from_ref),
    };
    for part in parts {
        let look = |cx: &mut Cx<'_>| {
            cx.passing(|cx| {
                let mut reasons = Vec::new();
                because::clauses(cx, part, &params, &mut reasons);
                evidence::because(cx, &reasons, |name| unsaid(p, name))
            })
        };
        let all = if part.free == 0 {
            let question = if let Node::Clause(clause, _) = &part.node { &clause.body } else { part };
            known.entry((pn, std::ptr::from_ref(question))).or_insert_with(|| look(cx)).clone()
        } else {
            look(cx)
        };
        add_fresh(&mut out, all);
    }
    out
}

/// The exception that holds a card back from a target, as a sentence.
pub(super) fn exception(cx: &Cx<'_>, p: &Playbook, rule: &CardRule, target: EntityIx, today: Time) -> Option<String> {
    let e = cx.facts.entity(target)?;
    let about = |x: &&crate::playbook::set::Exception| {
        x.expires > today
            && (x.cards.is_empty() || x.cards.contains(&rule.id))
            && x.who.iter().any(|(kind, ids)| *kind == e.kind && ids.iter().any(|id| e.is_known_as(id)))
    };
    p.exceptions.iter().find(about).map(|x| format!("exception `{}`: {} (until {})", x.id, x.reason, x.until))
}

/// Parameters as expressions see them.
pub(super) fn params_value(params: &BTreeMap<Arc<str>, String>) -> Value {
    Value::Map(params.iter().map(|(k, v)| (k.clone(), Value::text(v))).collect())
}

/// The id of a card: the same for the same action on the same things of the same incident.
fn id(cx: &Cx<'_>, (action, targets, params): &Identity) -> String {
    let mut h = blake3::Hasher::new();
    let mut part = |t: &str| {
        h.update(&u64::try_from(t.len()).unwrap_or(u64::MAX).to_le_bytes()).update(t.as_bytes());
    };
    part(&cx.facts.incident.id);
    part(action);
    for t in targets {
        part(cx.facts.entity(*t).map_or("", |e| &e.id));
    }
    for (k, v) in params {
        part(k);
        part(v);
    }
    short(&h)
}

fn short(h: &blake3::Hasher) -> String {
    h.finalize().to_hex().get(..12).unwrap_or("").to_owned()
}

/// How many cards one card may be told to come after, where they are about other things than it is.
const AFTER: usize = 20;

/// For each card, the ids of those that come before: the same playbook's cards of that id, about the same thing where
/// there is such a one.
fn after(set: &PlaybookSet, drafts: &BTreeMap<Identity, Draft>, ids: &BTreeMap<&Identity, String>) -> BTreeMap<Identity, Vec<String>> {
    let mut by_rule: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
    let mut by_target: BTreeMap<(usize, &str, &[EntityIx]), &str> = BTreeMap::new();
    let rule_of = |p: &usize, c: &usize| set.playbooks.get(*p).and_then(|p| p.cards.get(*c));
    for (key, d) in drafts {
        let id = ids.get(key).map_or("", String::as_str);
        for (p, c, _) in &d.from {
            if let Some(rule) = rule_of(p, c) {
                by_rule.entry((*p, &rule.id)).or_default().push(id);
                by_target.insert((*p, &rule.id, &key.1), id);
            }
        }
    }
    let mut out = BTreeMap::new();
    for (key, d) in drafts {
        let own = ids.get(key).map_or("", String::as_str);
        let mut before: BTreeSet<&str> = BTreeSet::new();
        for (p, c, _) in &d.from {
            for a in rule_of(p, c).into_iter().flat_map(|r| &r.after) {
                match by_target.get(&(*p, &**a, &key.1[..])) {
                    Some(same) => {
                        before.insert(same);
                    }
                    None => before.extend(by_rule.get(&(*p, &**a)).into_iter().flatten().take(AFTER)),
                }
            }
        }
        out.insert(key.clone(), before.into_iter().filter(|id| *id != own).map(str::to_owned).collect());
    }
    out
}

#[expect(clippy::too_many_arguments, reason = "one call site; the parts come from several places")]
fn card(
    cx: &mut Cx<'_>,
    plain: Option<&mut Cx<'_>>,
    key: &Identity,
    d: &Draft,
    id: &str,
    after: Vec<String>,
    triage: &Triage,
    who: &For<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Card {
    let (_, targets, params) = key;
    let phase = &d.phase;
    let entities: Vec<_> = targets.iter().filter_map(|t| entity_ref(cx.facts, *t)).collect();
    let (entity, entities) = if entities.len() == 1 { (entities.into_iter().next(), Vec::new()) } else { (None, entities) };
    let confirm_first = (matches!(phase, Phase::Containment | Phase::Remediation)
        && matches!(triage.classification, Classification::Informational | Classification::FalsePositive))
    .then(|| {
        let what = triage.determination.as_deref().map_or(triage.classification.word().to_owned(), |d| format!("{} ({d})", triage.classification));
        format!("triage says {}: {}; ask before you apply it", what.replace('_', " "), triage.why)
    });
    let availability = availability(d, who);
    let status = if plain.is_some_and(|plain| done(plain, d, targets, diagnostics)) { Status::Completed } else { Status::Recommended };
    Card {
        id: id.to_owned(),
        phase: *phase,
        action: d.action.id.to_string(),
        title: d.title.clone(),
        params: params.iter().map(|(k, v)| (k.to_string(), serde_json::Value::from(v.as_str()))).collect(),
        entity,
        entities,
        why: d.why.clone(),
        because: d.because.clone(),
        priority: d.priority,
        confidence: d.confidence,
        status,
        confirm_first,
        availability,
        permissions: d.action.permissions.clone(),
        impact: d.action.impact.to_owned(),
        effects: d.action.effects.clone(),
        prerequisites: d.action.prerequisites.clone(),
        blast_radius: radius(cx, targets),
        undo: d.action.undo.as_ref().map(ToString::to_string),
        after,
        hunts: Vec::new(),
        d3fend: d.action.d3fend.clone(),
        react: d.action.react.clone(),
        origin: "rules",
        sources: d.sources.iter().cloned().collect(),
    }
}

fn availability(d: &Draft, who: &For<'_>) -> Availability {
    let no = |cause, need| Availability { state: "unavailable", cause: Some(cause), need: Some(need) };
    if let Some(why) = &d.held.guard {
        return no("policy", why.clone());
    }
    // Another playbook's card without an exception keeps it available.
    if d.from.iter().all(|(_, _, x)| x.is_some())
        && let Some((_, _, Some(why))) = d.from.first()
    {
        return no("exception", why.clone());
    }
    if let Some((name, have)) = &who.permissions {
        let lacking: Vec<&str> = d.action.permissions.iter().filter(|p| !have.contains(*p)).map(String::as_str).collect();
        if !lacking.is_empty() {
            return no("permission", format!("`{name}` lacks {}", lacking.join(", ")));
        }
    }
    Availability { state: "available", cause: None, need: None }
}

/// Whether the source's typed state says that it was done, for everything that the card is about.
fn done(cx: &mut Cx<'_>, d: &Draft, targets: &[EntityIx], diagnostics: &mut Vec<Diagnostic>) -> bool {
    let Some(test) = &d.action.done_when else { return false };
    let values: Vec<Value> = if targets.is_empty() { vec![Value::Incident] } else { targets.iter().copied().map(Value::Entity).collect() };
    values.iter().all(|v| match cx.holds(test, std::slice::from_ref(v)) {
        Ok(b) => b,
        Err(stop) => {
            let (span, message) = stop.parts();
            let mut x =
                Diagnostic::new(codes::EVALUATION, Severity::Warning, format!("`done_when` of `{}` could not be decided: {message}", d.action.id));
            x = x.at(span.unwrap_or(d.action.span), "");
            diagnostics.push(x);
            false
        }
    })
}

/// Relations that tell how far an action reaches: the relation, whether it leaves, and the words for one and many.
const REACH: &[(&str, bool, &str, &str)] = &[
    ("owns", true, "thing that it owns", "things that it owns"),
    ("logged_on", true, "device that it was logged on to", "devices that it was logged on to"),
    ("logged_on", false, "account that was logged on", "accounts that were logged on"),
    ("has_ip", false, "device or name with this address", "devices or names with this address"),
    ("signed_in_from", false, "account that signed in from it", "accounts that signed in from it"),
    ("connected_to", false, "thing that connected to it", "things that connected to it"),
    ("clicked", false, "account that followed it", "accounts that followed it"),
    ("visited", false, "device that opened it", "devices that opened it"),
    ("links_to", false, "message that links to it", "messages that link to it"),
    ("in_domain", false, "address in it", "addresses in it"),
    ("on", true, "device that it lies on", "devices that it lies on"),
    ("image", false, "process that runs it", "processes that run it"),
    ("child_of", false, "process that it started", "processes that it started"),
    ("consented_to", false, "account that consented", "accounts that consented"),
    ("ran_on", false, "process or setting on it in this incident", "processes or settings on it in this incident"),
];

/// How far it reaches, as far as this incident tells.
fn radius(cx: &Cx<'_>, targets: &[EntityIx]) -> Vec<String> {
    let graph = &cx.facts.graph;
    let mut reached: Vec<(usize, EntityIx)> = Vec::new();
    for t in targets {
        for (leaves, around) in [(true, graph.leaving(*t, false)), (false, graph.arriving(*t, false))] {
            for r in around.into_iter().filter_map(|x| graph.edge(x)) {
                let rows = REACH.iter().enumerate().filter(|(_, (name, out, ..))| *out == leaves && *name == r.rel.spec().name);
                reached.extend(rows.map(|(n, _)| (n, if leaves { r.to } else { r.from })));
            }
        }
    }
    reached.sort_unstable();
    reached.dedup();
    let mut out = Vec::new();
    for found in reached.chunk_by(|a, b| a.0 == b.0) {
        let Some((_, _, one, many)) = found.first().and_then(|(n, _)| REACH.get(*n)) else { continue };
        match found.len() {
            1 => out.push(format!("1 {one}")),
            n => out.push(format!("{n} {many}")),
        }
    }
    for t in targets {
        if let Some(e) = cx.facts.entity(*t)
            && e.kind == Kind::MailCluster
            && let Some(n) = crate::model::Prop::named("email_count").and_then(|p| e.prop(p))
        {
            out.push(format!("{n} messages"));
        }
    }
    out
}

/// By phase, priority, confidence and id, with `after` respected within a phase.
fn ordered(mut cards: Vec<Card>) -> Vec<Card> {
    cards.sort_by(|a, b| {
        let key = |c: &Card| (c.phase, std::cmp::Reverse(c.priority), std::cmp::Reverse(c.confidence));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    let position: BTreeMap<&str, usize> = cards.iter().enumerate().map(|(n, c)| (c.id.as_str(), n)).collect();
    let phase = |n: &usize| cards.get(*n).map(|c| c.phase);
    let before: Vec<BTreeSet<usize>> = cards
        .iter()
        .enumerate()
        .map(|(n, c)| c.after.iter().filter_map(|a| position.get(a.as_str()).copied()).filter(|m| *m != n && phase(m) == Some(c.phase)).collect())
        .collect();
    let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, all) in before.iter().enumerate() {
        all.iter().for_each(|m| followers.entry(*m).or_default().push(n));
    }
    let mut waits: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut left: BTreeSet<usize> = (0..cards.len()).collect();
    let mut ready: BTreeSet<usize> = left.iter().copied().filter(|n| waits.get(*n) == Some(&0)).collect();
    let mut order = Vec::with_capacity(cards.len());
    while let Some(first) = left.first().copied() {
        // The first card that waits for nothing; merged cards may wait for one another, then priority decides.
        let next = ready.first().copied().filter(|n| phase(n) == phase(&first)).unwrap_or(first);
        ready.remove(&next);
        left.remove(&next);
        order.push(next);
        for f in followers.get(&next).into_iter().flatten() {
            if let Some(w) = waits.get_mut(*f) {
                *w = w.saturating_sub(1);
                if *w == 0 && left.contains(f) {
                    ready.insert(*f);
                }
            }
        }
    }
    let mut slots: Vec<Option<Card>> = cards.into_iter().map(Some).collect();
    order.into_iter().filter_map(|n| slots.get_mut(n).and_then(Option::take)).collect()
}

#[derive(Default)]
struct Hunts {
    all: BTreeMap<(String, String), (Hunt, BTreeSet<String>)>,
}

impl Hunts {
    fn add(&mut self, cx: &mut Cx<'_>, p: &Playbook, h: &HuntRule, targets: &[EntityIx], card: Option<&str>, out: &mut Vec<Diagnostic>) {
        let groups: Vec<Vec<Value>> = if h.with.is_some() { targets.iter().map(|t| vec![Value::Entity(*t)]).collect() } else { vec![Vec::new()] };
        for params in groups {
            match written(cx, h, &params) {
                Ok((title, query, cut)) => {
                    if cut {
                        let d = Diagnostic::new(
                            codes::HUNT,
                            Severity::Note,
                            format!("a value in the hunt `{title}` was cut to {} bytes or {} items", kql::TEXT_BYTES, kql::LIST_ITEMS),
                        );
                        out.push(about(d, p, h));
                    }
                    let mut hash = blake3::Hasher::new();
                    hash.update(query.as_bytes());
                    let entry = self.all.entry((query.clone(), title.clone())).or_insert_with(|| {
                        (Hunt { id: short(&hash), title, language: "kql", query, cards: Vec::new(), rules: Vec::new() }, BTreeSet::new())
                    });
                    entry.1.extend(card.map(str::to_owned));
                    if !entry.0.rules.iter().any(|r| **r == *h.id) {
                        entry.0.rules.push(h.id.to_string());
                    }
                }
                Err(Why::Lacks(what)) => {
                    let d = Diagnostic::new(
                        codes::HUNT,
                        Severity::Note,
                        format!("the hunt `{}` of `{}` is not written: {what} is not recorded", h.id, p.id),
                    );
                    out.push(about(d, p, h));
                }
                Err(Why::Stop(stop)) => {
                    let (span, message) = stop.parts();
                    let d = Diagnostic::new(codes::EVALUATION, Severity::Error, format!("the hunt `{}` of `{}` is left out: {message}", h.id, p.id));
                    out.push(about(span.into_iter().fold(d, |d, s| d.at(s, "")), p, h));
                }
            }
        }
    }

    fn finish(self) -> Vec<Hunt> {
        let mut all: Vec<Hunt> = self.all.into_values().map(|(h, cards)| Hunt { cards: cards.into_iter().collect(), ..h }).collect();
        all.sort_by(|a, b| (&a.title, &a.id).cmp(&(&b.title, &b.id)));
        all.dedup_by(|a, b| {
            let same = a.query == b.query;
            if same {
                b.rules.append(&mut a.rules);
            }
            same
        });
        all
    }
}

fn about(d: Diagnostic, p: &Playbook, h: &HuntRule) -> Diagnostic {
    let mut d = d.at(h.span, "");
    d.about = Some((p.id.to_string(), None));
    d
}

enum Why {
    Lacks(String),
    Stop(Stop),
}

/// Title and query with every placeholder as one literal.
fn written(cx: &mut Cx<'_>, h: &HuntRule, params: &[Value]) -> Result<(String, String, bool), Why> {
    let mut query = String::new();
    let mut cut = false;
    for part in &h.parts {
        match part {
            QueryPart::Text(t) => query.push_str(t),
            QueryPart::Literal(e, source) => {
                let v = cx.value(e, params).map_err(Why::Stop)?;
                let l = kql::literal(&v).ok_or_else(|| Why::Lacks(format!("`{source}`")))?;
                cut |= l.cut;
                query.push_str(&l.text);
            }
        }
    }
    let title = h.title.render(cx, params).map_err(Why::Stop)?;
    Ok((title, query.trim_end().to_owned(), cut))
}
