//! An incident that the author has pinned: what bindings and conditions are on it.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::protocol::{Answer, Error, INVALID_PARAMS};
use super::server::Server;
use super::snapshot::Snapshot;
use super::workspace::below;
use crate::card::render::Md;
use crate::eval;
use crate::model::{Incident, Kind};
use crate::playbook::speech::Speech;
use crate::runtime;
use crate::script::{Condition, Cx, Expr, Stop, Value};

/// Pins an incident: its path, and its id where the file holds several.
pub const PIN: &str = "engine.pinIncident";
/// Takes the pin away.
pub const UNPIN: &str = "engine.unpinIncident";
/// For how many entities, or pairs of them, a condition is asked.
const ASKED: usize = 500;

/// A pinned incident.
#[derive(Debug)]
pub struct Pinned {
    path: PathBuf,
    id: Option<String>,
    incident: Incident,
}

/// Parameters of `workspace/executeCommand`.
#[derive(Debug, Deserialize)]
pub struct Command {
    command: String,
    #[serde(default)]
    arguments: Vec<Json>,
}

/// `workspace/executeCommand`
pub fn command(server: &mut Server, p: &Command) -> Answer {
    match p.command.as_str() {
        PIN => {
            let text = |n: usize| p.arguments.get(n).and_then(Json::as_str).map(str::to_owned);
            let path = text(0).ok_or_else(|| Error::new(INVALID_PARAMS, format!("`{PIN}` takes the path of an incident")))?;
            let path = below(server.workspace.roots.first(), &[super::protocol::path_of(&path)]);
            let pinned = Pinned::open(path.into_iter().next().unwrap_or_default(), text(1))?;
            let said = json!({ "id": *pinned.incident.id, "title": *pinned.incident.title });
            server.pinned = Some(pinned);
            Ok(said)
        }
        UNPIN => {
            server.pinned = None;
            Ok(Json::Null)
        }
        other => Err(Error::new(INVALID_PARAMS, format!("there is no command `{other}`"))),
    }
}

impl Pinned {
    /// Reads the incident at the first of these paths.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        Self::open(paths.first().cloned().unwrap_or_default(), None)
    }

    fn open(path: PathBuf, id: Option<String>) -> Result<Self, Error> {
        let all = runtime::incidents::read_named(&path).map_err(|d| Error::failed(format!("{}: {}", path.display(), d.message)))?;
        let known: Vec<String> = all.iter().map(|r| r.incident.id.to_string()).collect();
        let found = all.into_iter().map(|r| r.incident).find(|i| id.as_ref().is_none_or(|id| **id == *i.id));
        match found {
            Some(incident) => Ok(Self { path, id, incident }),
            None => Err(Error::failed(match id {
                Some(id) => format!("{} holds no incident `{id}`; it holds {}", path.display(), known.join(", ")),
                None => format!("{} holds no incident", path.display()),
            })),
        }
    }

    /// Reads the incident again; while its file cannot be read the old one stays.
    pub fn read_again(&mut self) {
        if let Ok(new) = Self::open(self.path.clone(), self.id.clone()) {
            *self = new;
        }
    }

    fn head(&self) -> String {
        format!("\n\n---\non {} ", Md::code(&self.incident.id).into_string())
    }

    fn asked<T>(&self, snapshot: &Snapshot, questions: usize, ask: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let (facts, _) = eval::facts(&snapshot.set, &self.incident, None);
        ask(&mut Cx::new(&facts, questions))
    }

    /// What a binding is on the incident.
    pub fn binding(&self, snapshot: &Snapshot, speech: &Speech, e: &Expr) -> String {
        let value = self.asked(snapshot, speech.questions(), |cx| cx.value(e, &[]).map(|v| shown(cx, &v)));
        match value {
            Ok(v) => format!("{}it is {v}", self.head()),
            Err(stop) => format!("{}{}", self.head(), failed(&stop)),
        }
    }

    /// All entities of a kind on the incident.
    pub fn collection(&self, snapshot: &Snapshot, kind: Kind) -> String {
        let value = self.asked(snapshot, 0, |cx| {
            let all = cx.facts.of_kind(kind);
            shown(cx, &all)
        });
        format!("{}it is {value}", self.head())
    }

    /// For whom a condition holds on the incident.
    pub fn condition(&self, snapshot: &Snapshot, speech: &Speech, c: &Condition) -> String {
        let said = self.asked(snapshot, speech.questions(), |cx| holds(cx, c));
        match said {
            Ok(said) => format!("{}{said}", self.head()),
            Err(stop) => format!("{}{}", self.head(), failed(&stop)),
        }
    }
}

fn failed(stop: &Stop) -> String {
    format!("it fails: {}", Md::text(&stop.parts().1).into_string())
}

fn shown(cx: &Cx<'_>, v: &Value) -> String {
    let text = Md::text(&cx.display(v)).into_string();
    match v {
        Value::List(all) if all.len() > 1 => format!("{} items: {text}", all.len()),
        _ => text,
    }
}

fn holds(cx: &mut Cx<'_>, c: &Condition) -> Result<String, Stop> {
    if c.params.is_empty() {
        let holds = cx.holds(&c.body, &[])?;
        return Ok(format!("it {}{}", if holds { "holds" } else { "does not hold" }, sentence(cx, c, holds, &[])));
    }
    let mut combinations: Vec<Vec<Value>> = vec![Vec::new()];
    let mut left_out = false;
    for (_, kind) in &c.params {
        let all = cx.facts.of_kind(*kind);
        let next = combinations.iter().flat_map(|front| all.items().iter().map(|e| front.iter().cloned().chain([e.clone()]).collect::<Vec<_>>()));
        let next: Vec<Vec<Value>> = next.take(ASKED.saturating_add(1)).collect();
        left_out |= next.len() > ASKED;
        combinations = next.into_iter().take(ASKED).collect();
    }
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for params in combinations {
        let holds = cx.holds(&c.body, &params)?;
        let side = if holds { &mut yes } else { &mut no };
        side.push(params);
    }
    let some = |cx: &Cx<'_>, all: &[Vec<Value>]| {
        let items = all.iter().map(|p| {
            if let [one] = p.as_slice() { one.clone() } else { Value::text(&p.iter().map(|v| cx.display(v)).collect::<Vec<_>>().join(" with ")) }
        });
        Md::text(&cx.display(&Value::list(items))).into_string()
    };
    let kinds: Vec<&str> = c.params.iter().map(|(_, k)| k.word()).collect();
    let mut said = match (yes.is_empty(), no.is_empty()) {
        (true, true) => format!("there is no {} to ask it for", kinds.join(" with a ")),
        (true, false) => format!("it holds for none; not for {}", some(cx, &no)),
        (false, true) => format!("it holds for {}, which are all", some(cx, &yes)),
        (false, false) => format!("it holds for {}; not for {}", some(cx, &yes), some(cx, &no)),
    };
    if left_out {
        said.push_str(&format!(" (the first {ASKED} were asked)"));
    }
    for (side, holds) in [(&yes, true), (&no, false)] {
        if let Some(first) = side.first() {
            said.push_str(&sentence(cx, c, holds, first));
        }
    }
    Ok(said)
}

/// The sentence of a condition.
fn sentence(cx: &mut Cx<'_>, c: &Condition, holds: bool, params: &[Value]) -> String {
    let template = if holds { &c.pass } else { &c.fail };
    match template.as_ref().map(|t| t.render(cx, params)) {
        Some(Ok(text)) => format!("\n\n{} {}", if holds { "pass:" } else { "fail:" }, Md::text(&text).into_string()),
        _ => String::new(),
    }
}
