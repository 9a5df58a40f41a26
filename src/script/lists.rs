//! Named lists of values: names, domains, networks, hashes, patterns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::glob::Glob;
use super::network::Net;
use crate::model::{Entity, Kind, PropValue};
use crate::source::Span;

/// What the values of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Addresses and networks.
    Ip,
    /// Domains; each covers what is below it.
    Domain,
    /// URLs, whole; a trailing `*` covers what begins with it.
    Url,
    /// Hashes of files.
    Hash,
    /// File and program names.
    Name,
    /// Globs over names, paths and command lines.
    Pattern,
    /// Ids or aliases of entities of this kind.
    Entity(Kind),
    /// Plain words, compared as they are.
    Text,
}

impl ListKind {
    /// Reads the `kind:` of a list.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "ip" => Self::Ip,
            "domain" => Self::Domain,
            "url" => Self::Url,
            "hash" => Self::Hash,
            "name" => Self::Name,
            "pattern" => Self::Pattern,
            "text" => Self::Text,
            other => Self::Entity(Kind::ALL.iter().copied().find(|k| k.word() == other)?),
        })
    }

    /// The words that `kind:` takes.
    pub fn words() -> Vec<&'static str> {
        ["ip", "domain", "url", "hash", "name", "pattern", "text"].into_iter().chain(Kind::ALL.iter().map(|k| k.word())).collect()
    }
}

/// A list, compiled.
#[derive(Clone, Debug)]
pub struct NamedList {
    /// Its id.
    pub id: Arc<str>,
    /// What it holds.
    pub kind: ListKind,
    /// The tag that an entity in it gets.
    pub tag: Option<Arc<str>>,
    /// Where it is declared.
    pub span: Span,
    /// How many values it has.
    pub len: usize,
    words: BTreeSet<String>,
    starts: Vec<String>,
    nets: Vec<Net>,
    globs: Vec<Glob>,
}

impl NamedList {
    /// Compiles a list of the values that fit its kind; gives the positions of those that do not.
    pub fn compile(id: &str, kind: ListKind, values: &[&str], tag: Option<&str>, span: Span) -> (Self, Vec<usize>) {
        let mut wrong = Vec::new();
        let mut list = Self {
            id: id.into(),
            kind,
            tag: tag.map(Into::into),
            span,
            len: values.len(),
            words: BTreeSet::new(),
            starts: Vec::new(),
            nets: Vec::new(),
            globs: Vec::new(),
        };
        for (n, value) in values.iter().enumerate() {
            let value = value.trim();
            match kind {
                ListKind::Ip => match Net::parse(value) {
                    Some(net) => list.nets.push(net),
                    None => wrong.push(n),
                },
                ListKind::Pattern => list.globs.push(Glob::new(value)),
                ListKind::Url if value.ends_with('*') => list.starts.push(value.trim_end_matches('*').to_lowercase()),
                ListKind::Domain => {
                    list.words.insert(value.trim_start_matches("*.").trim_matches('.').to_lowercase());
                }
                _ if value.contains('*') && kind == ListKind::Name => list.globs.push(Glob::new(value)),
                _ => {
                    list.words.insert(value.to_lowercase());
                }
            }
        }
        (list, wrong)
    }

    /// Whether a text is in it.
    pub fn has_text(&self, text: &str) -> bool {
        let lower = text.trim().to_lowercase();
        match self.kind {
            ListKind::Ip => lower.parse().is_ok_and(|ip| self.nets.iter().any(|n| n.holds(ip))),
            ListKind::Domain => {
                let host = crate::intake::net::host_of(&lower).unwrap_or_default();
                let mut rest = host.as_str();
                loop {
                    if self.words.contains(rest) {
                        return true;
                    }
                    match rest.split_once('.') {
                        Some((_, up)) => rest = up,
                        None => return false,
                    }
                }
            }
            _ => self.words.contains(&lower) || self.starts.iter().any(|s| lower.starts_with(s)) || self.globs.iter().any(|g| g.fits(&lower)),
        }
    }

    /// Whether an entity is in it, by what the list's kind compares.
    pub fn has_entity(&self, e: &Entity) -> bool {
        let text = |name: &str| e.text(name);
        let any = |names: &[&str]| names.iter().filter_map(|n| text(n)).any(|t| self.has_text(t));
        match self.kind {
            ListKind::Ip => e.kind == Kind::Ip && any(&["address"]),
            ListKind::Domain => match e.kind {
                Kind::Domain => self.has_text(e.id.split_once(':').map_or("", |(_, d)| d)),
                Kind::Url => any(&["host"]),
                Kind::Email => text("sender").and_then(|s| s.rsplit_once('@')).is_some_and(|(_, d)| self.has_text(d)),
                Kind::Mailbox => text("address").and_then(|s| s.rsplit_once('@')).is_some_and(|(_, d)| self.has_text(d)),
                Kind::User => text("upn").and_then(|s| s.rsplit_once('@')).is_some_and(|(_, d)| self.has_text(d)),
                Kind::Device => any(&["fqdn"]),
                _ => false,
            },
            ListKind::Url => e.kind == Kind::Url && any(&["url"]),
            ListKind::Hash => e.kind == Kind::File && any(&["sha256", "sha1", "md5"]),
            ListKind::Name => match e.kind {
                Kind::File => self.has_text(&e.name),
                Kind::Process => any(&["image_name"]),
                _ => false,
            },
            ListKind::Pattern => {
                self.has_text(&e.name)
                    || e.props.values().filter_map(|r| r.last()).any(|r| matches!(&r.value, PropValue::Text(t) if self.has_text(t)))
            }
            ListKind::Entity(kind) => e.kind == kind && self.words.iter().any(|w| e.is_known_as(w)),
            ListKind::Text => self.has_text(&e.name),
        }
    }
}
