//! Ids of things that exist.

use super::{Item, What};
use crate::lsp::docs;
use crate::lsp::snapshot::Snapshot;
use crate::playbook::holds::Of;
use crate::playbook::yaml::Node;

/// The ids of this sort; what a playbook alone knows is read from its own tree.
pub(super) fn of(snapshot: &Snapshot, of: Of, tree: Option<&Node>) -> Vec<Item> {
    if let Some(words) = of.closed() {
        let what = if of == Of::Technique { What::Reference } else { What::EnumMember };
        return words
            .into_iter()
            .map(|w| Item::new(w, what, detail(of, w)).doc(if of == Of::Technique { String::new() } else { doc(snapshot, of, w) }))
            .collect();
    }
    let set = &snapshot.set;
    let plain = |all: Vec<String>, what: &str| -> Vec<Item> { all.into_iter().map(|n| Item::new(n, What::Reference, what)).collect() };
    match of {
        Of::Signal => {
            let title = |id: &str| set.signals.iter().find(|s| &*s.id == id).map(|s| s.title.clone()).unwrap_or_default();
            snapshot.declared(of).iter().map(|id| Item::new(&**id, What::Reference, title(id)).doc(doc(snapshot, of, id))).collect()
        }
        Of::Action => {
            let title = |id: &str| set.actions.get(id).map(|a| format!("{} ({})", a.title, a.phase.word())).unwrap_or_default();
            snapshot.declared(of).iter().map(|id| Item::new(&**id, What::Reference, title(id)).doc(doc(snapshot, of, id))).collect()
        }
        Of::Type => {
            let title = |id: &str| set.types.iter().find(|t| &*t.id == id).map(|t| t.title.clone()).unwrap_or_default();
            snapshot.declared(of).iter().map(|id| Item::new(&**id, What::Reference, title(id))).collect()
        }
        Of::List | Of::Library | Of::Playbook => {
            snapshot.declared(of).iter().map(|id| Item::new(&**id, What::Reference, "").doc(doc(snapshot, of, id))).collect()
        }
        Of::Thing => {
            let mut all: Vec<String> = snapshot.declared(Of::Playbook).iter().map(ToString::to_string).collect();
            for (of, prefix) in [(Of::Library, "library"), (Of::Signal, "signals"), (Of::List, "lists"), (Of::Type, "incident_types")] {
                all.extend(snapshot.declared(of).iter().map(|id| format!("{prefix}.{id}")));
            }
            plain(all, "")
        }
        Of::Card | Of::Wanted => cards(tree).into_iter().map(|(id, action)| Item::new(id, What::Reference, action)).collect(),
        Of::Hunt => plain(map_keys(tree, "hunts"), "a hunt"),
        Of::Test => plain(tests(tree), "a test"),
        Of::Condition | Of::Clause => {
            let mut all = map_keys(tree, "conditions");
            if of == Of::Clause {
                all.extend(["match", "for", "when"].map(str::to_owned));
            }
            for library in tree.and_then(|t| t.get("use")).map(texts).unwrap_or_default() {
                all.extend(snapshot.library(&library).and_then(|f| f.tree.as_ref()).map(|t| map_keys(Some(t), "conditions")).unwrap_or_default());
            }
            plain(all, "a condition")
        }
        Of::Permission => {
            let mut all: Vec<String> = set.actions.values().flat_map(|a| a.permissions.iter().cloned()).collect();
            all.extend(set.permissions.roles.values().flatten().cloned());
            all.sort();
            all.dedup();
            plain(all, "a permission")
        }
        Of::Role => plain(set.permissions.roles.keys().cloned().collect(), "a role"),
        Of::Path => paths(snapshot, tree),
        _ => Vec::new(),
    }
}

fn detail(of: Of, word: &str) -> String {
    match of {
        Of::Technique => crate::model::technique::technique(word).map(|t| t.name.to_owned()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn doc(snapshot: &Snapshot, of: Of, id: &str) -> String {
    docs::named(snapshot, of, id).unwrap_or_default()
}

/// The parts that signals give.
pub(super) fn roles(snapshot: &Snapshot) -> Vec<Item> {
    let mut all: Vec<String> = snapshot.set.signals.iter().flat_map(|s| &s.says).flat_map(|s| s.roles.iter().map(|r| r.1.clone())).collect();
    all.extend(["victim", "attacker", "compromised"].map(str::to_owned));
    all.sort();
    all.dedup();
    all.into_iter().map(|r| Item::new(r, What::EnumMember, "a role")).collect()
}

/// The tags that lists and signals give.
pub(super) fn tags(snapshot: &Snapshot) -> Vec<Item> {
    let mut all: Vec<String> = snapshot.set.lists.iter().filter_map(|l| l.tag.as_ref()).map(ToString::to_string).collect();
    all.extend(snapshot.set.signals.iter().flat_map(|s| &s.says).flat_map(|s| s.tags.iter().map(|t| t.1.clone())));
    all.sort();
    all.dedup();
    all.into_iter().map(|t| Item::new(t, What::EnumMember, "a tag")).collect()
}

/// The texts of a list, or the one that stands alone.
pub(super) fn texts(node: &Node) -> Vec<String> {
    let all = if node.scalar().is_some() { std::slice::from_ref(node) } else { node.items() };
    all.iter().filter_map(Node::scalar).map(|s| s.text.to_string()).collect()
}

/// The cards of a playbook with their actions.
pub(super) fn cards(tree: Option<&Node>) -> Vec<(String, String)> {
    let text = |n: &Node, key: &str| n.get(key).and_then(Node::scalar).map(|s| s.text.to_string());
    ["containment", "investigation", "remediation"]
        .into_iter()
        .filter_map(|section| tree?.get(section))
        .flat_map(Node::items)
        .filter_map(|c| Some((text(c, "id")?, text(c, "action").unwrap_or_default())))
        .filter(|(id, _)| !id.contains(crate::lsp::cursor::MARKER))
        .collect()
}

fn map_keys(tree: Option<&Node>, section: &str) -> Vec<String> {
    let all = tree.and_then(|t| t.get(section)).map(Node::entries).unwrap_or_default();
    all.iter().filter_map(|(k, _)| k.scalar()).map(|s| s.text.to_string()).collect()
}

fn tests(tree: Option<&Node>) -> Vec<String> {
    let all = tree.and_then(|t| t.get("tests")).map(Node::items).unwrap_or_default();
    all.iter().filter_map(|t| t.get("name")).filter_map(Node::scalar).map(|s| s.text.to_string()).collect()
}

/// Where an overlay can lead.
fn paths(snapshot: &Snapshot, tree: Option<&Node>) -> Vec<Item> {
    let id = tree.and_then(|t| t.get("overlay")).and_then(Node::scalar).map(|s| s.text.to_string()).unwrap_or_default();
    let target = snapshot.files.values().find(|f| &*f.names.kind == "playbook" && *f.names.id == *id).and_then(|f| f.tree.as_ref());
    let mut all = Vec::new();
    for section in ["containment", "investigation", "remediation"] {
        for card in target.and_then(|t| t.get(section)).map(Node::items).unwrap_or_default() {
            let Some(id) = card.get("id").and_then(Node::scalar) else { continue };
            all.push(format!("{section}.{}", id.text));
            for key in ["priority", "confidence", "when"] {
                all.push(format!("{section}.{}.{key}", id.text));
            }
        }
    }
    for section in ["bind", "conditions", "hunts"] {
        all.extend(map_keys(target, section).into_iter().map(|k| format!("{section}.{k}")));
    }
    all.into_iter().map(|p| Item::new(p, What::Reference, "")).collect()
}
