//! Alerts, entities and relations of an incident that is a tree of values, and what hangs on each.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::json::shown;
use super::{Done, words};
use crate::diag::nearest;
use crate::model::{Kind, Rel};

/// The incident that is changed.
pub(super) struct Doc<'d> {
    pub(super) incident: &'d mut Value,
}

/// An entity that an id stands for.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its id.
    pub(super) id: String,
    /// What it is.
    pub(super) kind: Kind,
}

/// The text at a key.
pub(super) fn text<'v>(v: &'v Value, key: &str) -> Option<&'v str> {
    v.get(key)?.as_str()
}

/// The items of the list at a key.
pub(super) fn items<'v>(v: &'v Value, key: &str) -> &'v [Value] {
    v.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The list at a key.
pub(super) fn list_mut<'v>(v: &'v mut Value, key: &str) -> Option<&'v mut Vec<Value>> {
    v.get_mut(key)?.as_array_mut()
}

fn same(a: &str, b: &str) -> bool {
    a.trim() == b.trim() || a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// The id that an alert's reference to an entity names.
fn reference(v: &Value) -> Option<&str> {
    v.as_str().or_else(|| text(v, "ref")).or_else(|| text(v, "id"))
}

/// Whether an entity has an alias that `id` names, with or without namespace or kind; host names identify nobody.
fn known_as(entity: &Value, kind: Kind, id: &str) -> bool {
    items(entity, "aliases").iter().filter_map(Value::as_str).any(|a| match a.split_once(':') {
        Some((ns, value)) => {
            !["host", "sam", "record", "nmid"].contains(&ns) && (same(a, id) || same(value, id) || same(&format!("{kind}:{value}"), id))
        }
        None => same(a, id) || same(&format!("{kind}:{a}"), id),
    })
}

fn some_of(all: &[&str]) -> String {
    let shown_ids: Vec<String> = all.iter().take(8).map(|id| format!("`{}`", shown(id))).collect();
    let more = all.len().saturating_sub(8);
    if more > 0 { format!("{} and {more} more", shown_ids.join(", ")) } else { shown_ids.join(", ") }
}

impl Doc<'_> {
    /// The position of an alert.
    pub(super) fn alert(&self, id: &str) -> Result<usize, String> {
        let alerts = items(self.incident, "alerts");
        let at = |exact: bool| alerts.iter().position(|a| text(a, "id").is_some_and(|t| if exact { t == id } else { same(t, id) }));
        at(true).or_else(|| at(false)).ok_or_else(|| {
            let known: Vec<&str> = alerts.iter().filter_map(|a| text(a, "id")).collect();
            match nearest(id, known.iter().copied()) {
                _ if known.is_empty() => format!("there is no alert `{}`: the incident has none", shown(id)),
                Some(near) => format!("there is no alert `{}`; did you mean `{}`?", shown(id), shown(near)),
                None => format!("there is no alert `{}`; the incident has {}", shown(id), some_of(&known)),
            }
        })
    }

    /// The entity that an id or alias stands for, listed or only named by an alert or relation.
    pub(super) fn entity(&self, id: &str) -> Result<Found, String> {
        let kind = |e: &Value, id: &str| text(e, "kind").and_then(Kind::parse).or_else(|| words::kind_of(id, None).ok()).unwrap_or(Kind::Other);
        let listed: Vec<(&str, &Value)> = items(self.incident, "entities").iter().filter_map(|e| Some((text(e, "id")?, e))).collect();
        let found = |(own, e): (&str, &Value)| Found { id: own.to_owned(), kind: kind(e, own) };
        if let Some(hit) = listed.iter().find(|(own, _)| *own == id).or_else(|| listed.iter().find(|(own, _)| same(own, id))) {
            return Ok(found(*hit));
        }
        let by_alias: Vec<(&str, &Value)> = listed.iter().copied().filter(|(own, e)| known_as(e, kind(e, own), id)).collect();
        match by_alias.as_slice() {
            [one] => return Ok(found(*one)),
            [] => {}
            several => {
                let ids: Vec<&str> = several.iter().map(|(own, _)| *own).collect();
                return Err(format!("`{}` stands for several entities: {}", shown(id), some_of(&ids)));
            }
        }
        let named = items(self.incident, "alerts").iter().flat_map(|a| items(a, "entities")).filter_map(reference);
        let related = items(self.incident, "relations").iter().flat_map(|r| [text(r, "from"), text(r, "to")]).flatten();
        if let Some(own) = named.chain(related).find(|own| same(own, id)) {
            return Ok(Found { id: own.to_owned(), kind: kind(&Value::Null, own) });
        }
        let known: Vec<&str> = listed.iter().map(|(own, _)| *own).collect();
        Err(match nearest(id, known.iter().copied()) {
            _ if known.is_empty() => format!("there is no entity `{}`: the incident lists none", shown(id)),
            Some(near) => format!("there is no entity `{}`; did you mean `{}`?", shown(id), shown(near)),
            None => format!("there is no entity `{}`; the incident has {}", shown(id), some_of(&known)),
        })
    }

    /// Adds to a list of the incident.
    pub(super) fn push(&mut self, key: &str, value: Value) {
        if let Value::Object(all) = &mut *self.incident {
            let slot = all.entry(key.to_owned()).or_insert_with(|| json!([]));
            match slot {
                Value::Array(list) => list.push(value),
                other => *other = json!([value]),
            }
        }
    }

    /// Merges into a listed entity; one that is only named is listed from now on.
    pub(super) fn merge_entity(&mut self, found: &Found, to: &Value) {
        if let Some(e) = list_mut(self.incident, "entities").and_then(|all| all.iter_mut().find(|e| text(e, "id").is_some_and(|id| id == found.id))) {
            super::merge(e, to);
            return;
        }
        let mut made = json!({"id": found.id, "kind": found.kind});
        super::merge(&mut made, to);
        self.push("entities", made);
    }

    /// Takes every part that is not one of these away from an entity, in all alerts.
    pub(super) fn keep_roles(&mut self, id: &str, kept: &BTreeSet<String>) {
        for alert in list_mut(self.incident, "alerts").into_iter().flatten() {
            for r in list_mut(alert, "entities").into_iter().flatten().filter(|r| reference(r).is_some_and(|own| same(own, id))) {
                if let Some(roles) = list_mut(r, "roles") {
                    roles.retain(|role| role.as_str().is_some_and(|role| kept.contains(&words::role(role))));
                }
            }
        }
    }

    /// A relation with the ids of its ends and alerts settled.
    pub(super) fn relation(&self, given: &Map<String, Value>) -> Result<Value, String> {
        const KEYS: &[&str] = &["from", "relation", "to", "alerts", "first", "last"];
        if let Some(k) = given.keys().find(|k| !KEYS.contains(&k.as_str())) {
            return Err(format!("`{}` does not belong to a relation{}", shown(k), words::near(k, KEYS)));
        }
        let (from, rel, to) = self.ends(given)?;
        let (a, b) = (from.kind, to.kind);
        if !(rel.spec().from.has(a) && rel.spec().to.has(b)) {
            return Err(format!("`{}` cannot lead from a {a} to a {b}", rel.spec().name));
        }
        let mut out = json!({"from": from.id, "relation": rel.spec().name, "to": to.id});
        let mut alerts = Vec::new();
        for id in given.get("alerts").map(words::texts).unwrap_or_default() {
            let n = self.alert(&id)?;
            alerts.extend(items(self.incident, "alerts").get(n).and_then(|a| text(a, "id")).map(str::to_owned));
        }
        if let Value::Object(out) = &mut out {
            out.insert("alerts".to_owned(), json!(alerts));
            for key in ["first", "last"] {
                if let Some(t) = given.get(key).filter(|t| !t.is_null()) {
                    words::time(key, t)?;
                    out.insert(key.to_owned(), t.clone());
                }
            }
        }
        Ok(out)
    }

    fn ends(&self, given: &Map<String, Value>) -> Result<(Found, Rel, Found), String> {
        let part = |key: &str| {
            given.get(key).and_then(Value::as_str).ok_or_else(|| format!("a relation has `{key}`, as in `{{from: …, relation: clicked, to: …}}`"))
        };
        let (from, name, to) = (part("from")?, part("relation")?, part("to")?);
        let Some(rel) = Rel::named(name) else {
            return Err(format!("`{}` is no relation{}", shown(name), nearest_relation(name)));
        };
        let end = |id: &str| match self.entity(id) {
            Ok(found) => Ok(found),
            // One that begins with its kind comes to be by being named.
            Err(why) => words::kind_of(id, None).map(|kind| Found { id: id.to_owned(), kind }).map_err(|_| why),
        };
        Ok((end(from)?, rel, end(to)?))
    }

    /// Lets an alert name an entity.
    pub(super) fn refer(&mut self, alert: usize, id: &str, with: &Value) {
        let Some(Value::Object(alert)) = list_mut(self.incident, "alerts").and_then(|all| all.get_mut(alert)) else { return };
        let Value::Array(all) = alert.entry("entities").or_insert_with(|| json!([])) else { return };
        let mut roles = with.get("roles").map(words::texts).unwrap_or_default();
        let mut record = with.get("record").and_then(Value::as_bool).unwrap_or(false);
        all.retain(|r| {
            let twice = reference(r).is_some_and(|own| same(own, id));
            if twice {
                roles.extend(r.get("roles").map(words::texts).unwrap_or_default());
                record |= r.get("record").and_then(Value::as_bool).unwrap_or(false);
            }
            !twice
        });
        let mut made = json!({"ref": id, "roles": roles});
        if let (true, Some(made)) = (record, made.as_object_mut()) {
            made.insert("record".to_owned(), json!(true));
        }
        all.push(made);
    }

    /// Lets an alert no longer name an entity: its part in it, what only it related it to, what it reported of it.
    pub(super) fn unrefer(&mut self, n: usize, found: &Found) -> Done {
        let id = items(self.incident, "alerts").get(n).and_then(|a| text(a, "id")).unwrap_or_default().to_owned();
        let mut gone = false;
        if let Some(all) = list_mut(self.incident, "alerts").and_then(|all| all.get_mut(n)).and_then(|a| list_mut(a, "entities")) {
            let before = all.len();
            all.retain(|r| reference(r).is_none_or(|own| !same(own, &found.id)));
            gone = all.len() < before;
        }
        if !gone {
            return Err(format!("the alert `{}` does not name `{}`", shown(&id), shown(&found.id)));
        }
        self.forget(&id, &|r| [text(r, "from"), text(r, "to")].into_iter().flatten().any(|end| same(end, &found.id)));
        for e in list_mut(self.incident, "entities").into_iter().flatten().filter(|e| text(e, "id").is_some_and(|own| own == found.id)) {
            forget_reports(e, &id);
        }
        Ok(())
    }

    /// Takes an alert away from the relations that are meant; one that no alert gives any more goes.
    fn forget(&mut self, alert: &str, meant: &dyn Fn(&Value) -> bool) {
        if let Some(all) = list_mut(self.incident, "relations") {
            all.retain_mut(|r| {
                if !meant(r) || !items(r, "alerts").iter().any(|a| a.as_str().is_some_and(|a| same(a, alert))) {
                    return true;
                }
                if let Some(alerts) = list_mut(r, "alerts") {
                    alerts.retain(|a| a.as_str().is_none_or(|a| !same(a, alert)));
                    return !alerts.is_empty();
                }
                true
            });
        }
    }

    /// Takes an alert out, with the relations and entities that only it brought, and what it reported.
    pub(super) fn remove_alert(&mut self, n: usize) {
        let Some(alerts) = list_mut(self.incident, "alerts").filter(|all| n < all.len()) else { return };
        let removed = alerts.remove(n);
        let id = text(&removed, "id").unwrap_or_default().to_owned();
        let mut brought: BTreeSet<String> = items(&removed, "entities").iter().filter_map(reference).map(|r| r.trim().to_lowercase()).collect();
        let ends = |doc: &Value| -> BTreeSet<String> {
            items(doc, "relations").iter().flat_map(|r| [text(r, "from"), text(r, "to")]).flatten().map(|t| t.trim().to_lowercase()).collect()
        };
        let before = ends(self.incident);
        self.forget(&id, &|_| true);
        let after = ends(self.incident);
        // What hung on its relations alone came with it.
        brought.extend(before.difference(&after).cloned());
        for r in items(self.incident, "alerts").iter().flat_map(|a| items(a, "entities")).filter_map(reference) {
            brought.remove(&r.trim().to_lowercase());
        }
        let gone: Vec<Found> = items(self.incident, "entities")
            .iter()
            .filter_map(|e| text(e, "id"))
            .filter(|own| brought.contains(&own.trim().to_lowercase()))
            .map(|own| Found { id: own.to_owned(), kind: Kind::Other })
            .collect();
        gone.iter().for_each(|found| self.remove_entity(found));
        for e in list_mut(self.incident, "entities").into_iter().flatten() {
            forget_reports(e, &id);
        }
    }

    /// Takes an entity out, with its relations and wherever an alert names it.
    pub(super) fn remove_entity(&mut self, found: &Found) {
        if let Some(all) = list_mut(self.incident, "entities") {
            all.retain(|e| text(e, "id").is_none_or(|own| own != found.id));
        }
        // Ids of paths may differ in case alone.
        let twin = items(self.incident, "entities").iter().filter_map(|e| text(e, "id")).any(|own| same(own, &found.id));
        let is = |own: &str| if twin { own == found.id } else { same(own, &found.id) };
        for alert in list_mut(self.incident, "alerts").into_iter().flatten() {
            if let Some(all) = list_mut(alert, "entities") {
                all.retain(|r| reference(r).is_none_or(|own| !is(own)));
            }
        }
        if let Some(all) = list_mut(self.incident, "relations") {
            all.retain(|r| ![text(r, "from"), text(r, "to")].into_iter().flatten().any(is));
        }
    }

    /// Takes a relation out.
    pub(super) fn remove_relation(&mut self, given: &Map<String, Value>) -> Done {
        const KEYS: &[&str] = &["from", "relation", "to"];
        if let Some(k) = given.keys().find(|k| !KEYS.contains(&k.as_str())) {
            return Err(format!("`{}` does not name a relation{}", shown(k), words::near(k, KEYS)));
        }
        let (from, rel, to) = self.ends(given)?;
        let is = |r: &Value| {
            let end = |key: &str, wanted: &Found| text(r, key).is_some_and(|own| same(own, &wanted.id));
            text(r, "relation").is_some_and(|name| Rel::named(name) == Some(rel)) && end("from", &from) && end("to", &to)
        };
        if let Some(all) = list_mut(self.incident, "relations") {
            let before = all.len();
            all.retain(|r| !is(r));
            if all.len() < before {
                return Ok(());
            }
        }
        Err(format!("no relation leads from `{}` by `{}` to `{}`", shown(&from.id), rel.spec().name, shown(&to.id)))
    }
}

fn nearest_relation(name: &str) -> String {
    nearest(name, crate::model::kind::RELATIONS.iter().map(|r| r.name)).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

/// Drops what an alert reported of an entity's properties; what was reported before holds again.
fn forget_reports(entity: &mut Value, alert: &str) {
    let Some(history) = entity.get_mut("history").and_then(Value::as_object_mut) else { return };
    let mut holds: Vec<(String, Option<Value>)> = Vec::new();
    for (name, reports) in history.iter_mut() {
        let Value::Array(all) = reports else { continue };
        let now = |all: &[Value]| {
            let ever = all.iter().find(|r| name.starts_with("was_") && r.get("value") == Some(&Value::Bool(true)));
            ever.or(all.last()).and_then(|r| r.get("value")).cloned()
        };
        let before = now(all);
        let count = all.len();
        all.retain(|r| text(r, "alert").is_none_or(|a| !same(a, alert)));
        if all.len() < count {
            holds.push((name.clone(), before));
            holds.push((name.clone(), now(all)));
        }
    }
    history.retain(|_, reports| reports.as_array().is_none_or(|all| !all.is_empty()));
    let Some(properties) = entity.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for pair in holds.chunks_exact(2) {
        let [(name, before), (_, after)] = pair else { continue };
        // What a patch has set stays.
        if properties.get(name) != before.as_ref() {
            continue;
        }
        match after {
            Some(v) => properties.insert(name.clone(), v.clone()),
            None => properties.remove(name),
        };
    }
}
