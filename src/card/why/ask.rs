//! What is asked about: a card of the answer by its id, a card or playbook by its name, an entity by any of its ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::card::Response;
use crate::diag::nearest;
use crate::model::{EntityIx, Incident};
use crate::playbook::PlaybookSet;

/// A question about an answer.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The id of a card of the answer, a playbook, `playbook/card`, or a card's id alone.
    pub what: Option<String>,
    /// An entity, by its id or any alias.
    pub entity: Option<String>,
    /// Whether every card and entity is explained in full.
    pub all: bool,
}

/// What a question stands for.
pub(super) struct Wanted {
    /// Playbooks by position, with the cards that are meant; nothing: all of it.
    pub playbooks: BTreeMap<usize, Option<BTreeSet<usize>>>,
    /// Entities.
    pub entities: Vec<EntityIx>,
    /// Whether the smallest changes are looked for.
    pub flips: bool,
}

impl Ask {
    pub(super) fn resolve(&self, set: &PlaybookSet, answer: &Response, incident: &Incident) -> Result<Wanted, String> {
        let mut wanted = Wanted { playbooks: BTreeMap::new(), entities: Vec::new(), flips: self.what.is_some() || self.entity.is_some() };
        if let Some(id) = &self.entity {
            wanted.entities = entities(incident, id)?;
        }
        let Some(what) = self.what.as_deref().map(str::trim) else { return Ok(wanted) };
        if let Some(card) = answer.cards.iter().find(|c| c.id == what) {
            for s in &card.sources {
                if let Some((n, p)) = set.playbooks.iter().enumerate().find(|(_, p)| *p.id == *s.playbook) {
                    let cards = wanted.playbooks.entry(n).or_insert_with(|| Some(BTreeSet::new()));
                    cards.iter_mut().for_each(|all| all.extend(p.cards.iter().position(|c| *c.id == *s.card)));
                }
            }
            if wanted.entities.is_empty() {
                let ids: BTreeSet<&str> = card.entity.iter().chain(&card.entities).map(|e| e.id.as_str()).collect();
                wanted.entities = incident.entities().filter(|(_, e)| ids.contains(e.id.as_ref())).map(|(ix, _)| ix).collect();
            }
            return Ok(wanted);
        }
        // A whole playbook at once is read first; what would flip each of its cards is asked card by card.
        let (playbook, card) = match what.rsplit_once('/') {
            Some((p, c)) => (Some(p), Some(c)),
            None if set.playbooks.iter().any(|p| *p.id == *what) => {
                wanted.flips = self.entity.is_some();
                (Some(what), None)
            }
            None => (None, Some(what)),
        };
        for (n, p) in set.playbooks.iter().enumerate().filter(|(_, p)| playbook.is_none_or(|id| *p.id == *id)) {
            match card {
                None => {
                    wanted.playbooks.insert(n, None);
                }
                Some(id) => {
                    let cards: BTreeSet<usize> = p.cards.iter().enumerate().filter(|(_, c)| *c.id == *id).map(|(n, _)| n).collect();
                    if !cards.is_empty() {
                        wanted.playbooks.insert(n, Some(cards));
                    }
                }
            }
        }
        if wanted.playbooks.is_empty() { Err(unknown(set, what, playbook, card)) } else { Ok(wanted) }
    }
}

fn unknown(set: &PlaybookSet, what: &str, playbook: Option<&str>, card: Option<&str>) -> String {
    let ids = || set.playbooks.iter().map(|p| &*p.id);
    let hint = |near: Option<String>| near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    match (playbook, card) {
        (Some(p), Some(c)) => match set.playbooks.iter().find(|x| *x.id == *p) {
            Some(known) => {
                let near = nearest(c, known.cards.iter().map(|c| &*c.id)).map(|c| format!("{p}/{c}"));
                format!("the playbook `{p}` has no card `{c}`{}", hint(near))
            }
            None => format!("no playbook is called `{p}`{}", hint(nearest(p, ids()).map(|p| format!("{p}/{c}")))),
        },
        _ if what.len() == 12 && what.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("the answer to this incident has no card `{what}`: `engine run` shows the ids of those that it has")
        }
        _ => {
            let cards = set.playbooks.iter().flat_map(|p| p.cards.iter().map(|c| &*c.id));
            format!("no playbook and no card is called `{what}`{}", hint(nearest(what, ids().chain(cards)).map(str::to_owned)))
        }
    }
}

fn entities(incident: &Incident, id: &str) -> Result<Vec<EntityIx>, String> {
    let exact: Vec<EntityIx> = incident.entities().filter(|(_, e)| *e.id == *id.trim()).map(|(ix, _)| ix).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let known: Vec<EntityIx> =
        incident.entities().filter(|(_, e)| e.id.eq_ignore_ascii_case(id.trim()) || e.is_known_as(id)).map(|(ix, _)| ix).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let near = nearest(id, incident.entities.iter().map(|e| e.id.as_ref()));
    Err(match near {
        Some(n) => format!("the incident has no entity `{id}`; did you mean `{n}`?"),
        None => format!("the incident has no entity `{id}`: `engine graph` shows those that it has"),
    })
}
