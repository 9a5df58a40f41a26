//! The tree of a file beside the table of keys: what each place holds, and the expressions with what they may speak of.

use std::ops::Range;
use std::sync::Arc;

use crate::model::{Kind, Kinds};
use crate::playbook::holds::{Holds, Key, Of};
use crate::playbook::keys;
use crate::playbook::speech::Speech;
use crate::playbook::yaml::{Node, Yaml};
use crate::script::template::{self, Raw};
use crate::script::{Ty, parse};
use crate::source::Scalar;

/// A step from a map or list to what stands in it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'n> {
    /// The map or list.
    pub from: &'n Node,
    /// The key, in a map.
    pub key: Option<&'n Scalar>,
}

/// A place of a file.
#[derive(Clone, Debug)]
pub struct Place<'n> {
    /// The way to it from the top.
    pub path: Vec<Step<'n>>,
    /// What stands there.
    pub node: &'n Node,
    /// What belongs there.
    pub holds: Holds,
    /// What belongs into the map or list that it stands in.
    pub within: Holds,
    /// Whether it is a key of a map and not a value.
    pub is_key: bool,
    /// The row of the table for the key, or for the key whose value it is.
    pub row: Option<&'static Key>,
}

/// The first key of a tree.
pub fn first_key(tree: &Node) -> Option<&Scalar> {
    tree.entries().first().and_then(|(k, _)| k.scalar())
}

/// Looks at every place of a file: keys, maps, lists and scalars, from the top down.
pub fn walk<'n>(tree: &'n Node, see: &mut dyn FnMut(&Place<'n>)) {
    let holds = first_key(tree).and_then(|k| keys::file(&k.text)).map_or(Holds::Any, |f| Holds::Map(f.keys));
    let mut path = Vec::new();
    descend(tree, (holds, Holds::Any), None, &mut path, see);
}

fn descend<'n>(
    node: &'n Node,
    (holds, within): (Holds, Holds),
    row: Option<&'static Key>,
    path: &mut Vec<Step<'n>>,
    see: &mut dyn FnMut(&Place<'n>),
) {
    let holds = chosen(holds, node);
    see(&Place { path: path.clone(), node, holds, within, is_key: false, row });
    match &node.yaml {
        Yaml::Scalar(..) => {}
        Yaml::Map(entries) => {
            for (k, v) in entries {
                let name = k.scalar();
                path.push(Step { from: node, key: name });
                let (of_key, of_value, row) = match (holds, name) {
                    (Holds::Map(all), Some(name)) => {
                        let row = all.iter().find(|r| r.name == &*name.text);
                        (Holds::Any, row.map_or(Holds::Any, |r| r.holds), row)
                    }
                    (Holds::MapOf(of, inner), _) => (Holds::New(of), *inner, row),
                    _ => (Holds::Any, Holds::Any, None),
                };
                see(&Place { path: path.clone(), node: k, holds: of_key, within: holds, is_key: true, row });
                descend(v, (of_value, holds), row, path, see);
                path.pop();
            }
        }
        Yaml::List(items) => {
            let inner = match holds {
                Holds::ListOf(inner) => *inner,
                Holds::Texts => Holds::Text,
                Holds::Ids(of) => Holds::Id(of),
                _ => Holds::Any,
            };
            for item in items {
                path.push(Step { from: node, key: None });
                descend(item, (inner, holds), row, path, see);
                path.pop();
            }
        }
    }
}

/// Of two shapes the one that what is written has.
fn chosen(holds: Holds, node: &Node) -> Holds {
    match holds {
        Holds::Either(a, b) => {
            let fits = |h: &Holds| match (h, &node.yaml) {
                (Holds::Map(_) | Holds::MapOf(..), Yaml::Map(_))
                | (Holds::ListOf(_), Yaml::List(_))
                | (Holds::Texts | Holds::Ids(_), Yaml::List(_)) => true,
                (Holds::Map(_) | Holds::MapOf(..) | Holds::ListOf(_), _) => false,
                (_, Yaml::Scalar(..)) => true,
                _ => false,
            };
            chosen(if fits(a) || !fits(b) { *a } else { *b }, node)
        }
        Holds::Texts if node.scalar().is_some() => Holds::Text,
        Holds::Ids(of) if node.scalar().is_some() => Holds::Id(of),
        h => h,
    }
}

/// The innermost place that holds a byte.
pub fn locate(tree: &Node, byte: usize) -> Option<Place<'_>> {
    let mut found: Option<Place<'_>> = None;
    walk(tree, &mut |p| {
        let (start, end) = (p.node.span.start as usize, p.node.span.end as usize);
        if start <= byte && byte <= end {
            found = Some(p.clone());
        }
    });
    found
}

impl<'n> Place<'n> {
    /// The key at a depth of the way from the top.
    pub fn key(&self, depth: usize) -> Option<&'n str> {
        self.path.get(depth).and_then(|s| s.key).map(|k| &*k.text)
    }

    /// The map that holds the keys of this place: the condition, card, hunt, action or signal that stands third from the top.
    pub fn owner(&self) -> Option<&'n Node> {
        self.path.get(2).map(|s| s.from)
    }

    /// The expressions that stand here: each as a range of bytes of the decoded text.
    pub fn expressions(&self) -> Vec<Range<usize>> {
        let Some(s) = self.node.scalar().filter(|_| !self.is_key) else { return Vec::new() };
        let whole = 0..s.text.len();
        match self.holds {
            Holds::Expression | Holds::Test => vec![whole],
            Holds::Target => s.text.split_once(" in ").map(|(name, _)| name.len().saturating_add(4)..s.text.len()).into_iter().collect(),
            Holds::Sentence | Holds::Query => template::split(&s.text)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|raw| match raw {
                    Raw::Expr(range) => Some(range),
                    Raw::Text(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The names of the parameters that expressions here have, with the place of each in the file, outermost first.
    pub fn parameters(&self) -> Vec<(Arc<str>, crate::source::Span)> {
        let Some(owner) = self.owner() else { return Vec::new() };
        match self.key(0) {
            Some("conditions" | "hunts") if self.key(2) != Some("with") => match owner.get("with") {
                Some(n) if n.scalar().is_some() => n.scalar().map(|s| (s.text.clone(), s.span)).into_iter().collect(),
                Some(n) => n.entries().iter().filter_map(|(k, _)| k.scalar()).map(|s| (s.text.clone(), s.span)).collect(),
                None => Vec::new(),
            },
            Some("containment" | "investigation" | "remediation") if !matches!(self.key(2), Some("for" | "for_all")) => {
                let target = owner.get("for").or_else(|| owner.get("for_all")).and_then(Node::scalar);
                let name = target.and_then(|s| s.text.split_once(" in ").map(|(name, _)| (s, name)));
                name.map(|(s, name)| (Arc::from(name.trim()), s.place(0, name.len()))).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The parameters that expressions here have, with their types, outermost first.
    pub fn locals(&self, speech: &Speech, action_kinds: &dyn Fn(&str) -> Option<Kinds>) -> Vec<(Arc<str>, Ty)> {
        let owner = self.owner();
        let entity = |n: Option<&Node>| n.and_then(Node::scalar).and_then(|s| kind(&s.text)).map_or(Ty::Entity(Kinds::ANY), Ty::entity);
        match self.key(0) {
            Some("signals") => vec![("alert".into(), Ty::Alert)],
            Some("actions") => self.guard_locals(),
            Some("conditions" | "hunts") => {
                let with = owner.and_then(|o| o.get("with"));
                self.parameters()
                    .into_iter()
                    .map(|(name, _)| {
                        let ty = entity(with.filter(|n| n.scalar().is_some()).or_else(|| with.and_then(|n| n.get(&name))));
                        (name, ty)
                    })
                    .collect()
            }
            _ => self
                .parameters()
                .into_iter()
                .map(|(name, _)| {
                    let all = owner.is_some_and(|o| o.get("for").is_none());
                    let target = owner.and_then(|o| o.get("for").or_else(|| o.get("for_all"))).and_then(Node::scalar);
                    let list = target.and_then(|s| s.text.split_once(" in ")).and_then(|(_, list)| speech.type_of(list, &[]));
                    let item = match list {
                        Some(Ty::List(of)) => *of,
                        _ => {
                            let action = owner.and_then(|o| o.get("action")).and_then(Node::scalar);
                            Ty::Entity(action.and_then(|a| action_kinds(&a.text)).unwrap_or(Kinds::ANY))
                        }
                    };
                    (name, if all { Ty::list(item) } else { item })
                })
                .collect(),
        }
    }

    /// `target` and `params` of an action.
    fn guard_locals(&self) -> Vec<(Arc<str>, Ty)> {
        let Some(action) = self.owner() else { return Vec::new() };
        let words = action.get("kinds").map(|n| if n.scalar().is_some() { std::slice::from_ref(n) } else { n.items() }).unwrap_or_default();
        let kinds = words.iter().filter_map(Node::scalar).filter_map(|s| kind(&s.text)).fold(Kinds::NONE, |all, k| all.or(Kinds::one(k)));
        let target = if kinds.is_none() { Ty::Incident } else { Ty::Entity(kinds) };
        let params = action.get("params").map(|n| n.entries()).unwrap_or_default();
        let params: Vec<(Arc<str>, Ty)> = params.iter().filter_map(|(k, _)| k.scalar()).map(|s| (s.text.clone(), Ty::Text)).collect();
        let target = (Arc::from("target"), target);
        if self.key(2) == Some("done_when") { vec![target] } else { vec![target, (Arc::from("params"), Ty::Map(params.into()))] }
    }
}

/// The kind of this name.
pub fn kind(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|k| k.word() == word)
}

/// What an id is one of, with bindings and conditions taken together: they share their names.
pub fn space(of: Of) -> Of {
    match of {
        Of::Condition | Of::Clause => Of::Binding,
        Of::Wanted => Of::Card,
        of => of,
    }
}

/// The first word of a text, as a range of its bytes.
pub fn first_word(text: &str) -> Range<usize> {
    let start = parse::skip_blanks(text, 0).unwrap_or(0);
    let end = text.get(start..).and_then(|t| t.find(char::is_whitespace)).map_or(text.len(), |n| start.saturating_add(n));
    start..end
}
