//! Where expressions stand in a file, and how its text is changed there.

use std::ops::Range;
use std::sync::Arc;

use crate::playbook::yaml::{self, Node, Style, Yaml, whole};
use crate::source::{FileId, Scalar, SourceFile, Span};

/// An expression as it is written.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The text that holds it.
    scalar: Scalar,
    style: Style,
    /// Where it begins in that text: behind `NAME in` of a `for`.
    start: usize,
    /// What it belongs to, in words.
    pub owner: String,
    /// The binding or condition that it is, if it is one.
    pub name: Option<Arc<str>>,
    /// Whether it is true or false as a whole.
    pub test: bool,
}

impl Site {
    /// The expression.
    pub fn text(&self) -> &str {
        self.scalar.text.get(self.start..).unwrap_or("")
    }

    /// Where a range of it stands in the file.
    pub fn place(&self, range: &Range<usize>) -> Span {
        self.scalar.place(self.start.saturating_add(range.start), self.start.saturating_add(range.end))
    }

    /// The change of the file that puts another text in place of a range of it.
    pub fn edit(&self, range: &Range<usize>, new: &str) -> Option<(Span, String)> {
        if self.style == Style::Block {
            // A block holds text as it is.
            return Some((self.place(range), new.to_owned()));
        }
        let (from, to) = (self.start.saturating_add(range.start), self.start.saturating_add(range.end));
        let (front, back) = (self.scalar.text.get(..from)?, self.scalar.text.get(to..)?);
        Some((self.scalar.span, serde_json::to_string(&format!("{front}{new}{back}")).ok()?))
    }
}

/// An entry of `match:` that can be left out.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it stands.
    pub span: Span,
    /// What is left out.
    pub text: String,
    /// The key of `match:`.
    pub key: String,
    /// The change of the file.
    pub edit: (Span, String),
}

/// The expressions of a playbook's or library's file, and the entries of its `match:`.
pub(super) fn of(id: FileId, file: &SourceFile) -> (Vec<Site>, Vec<Entry>) {
    let Some(tree) = yaml::parse(id, file, &mut Vec::new()) else { return (Vec::new(), Vec::new()) };
    let mut sites = Vec::new();
    let mut add = |node: Option<&Node>, owner: String, name: Option<&Scalar>, test: bool, list: bool| {
        let Some(Yaml::Scalar(scalar, style)) = node.map(|n| &n.yaml) else { return };
        let start = if list { scalar.text.find(" in ").map(|n| n.saturating_add(4)) } else { Some(0) };
        let Some(start) = start else { return };
        sites.push(Site { scalar: scalar.clone(), style: *style, start, owner, name: name.map(|s| s.text.clone()), test });
    };
    let entries = |key: &str| tree.get(key).map(Node::entries).unwrap_or_default();
    let items = |key: &str| tree.get(key).map(Node::items).unwrap_or_default();
    for (name, node) in entries("bind") {
        let Some(s) = name.scalar() else { continue };
        add(Some(node), format!("`{}`", s.text), Some(s), false, false);
    }
    for (name, node) in entries("conditions") {
        let Some(s) = name.scalar() else { continue };
        add(node.get("if"), format!("`{}`", s.text), Some(s), true, false);
    }
    for (n, arm) in (1usize..).zip(items("triage")) {
        add(arm.get("when"), format!("`when` of triage arm {n}"), None, true, false);
    }
    for card in ["containment", "investigation", "remediation"].into_iter().flat_map(items) {
        let id = card.get("id").and_then(Node::scalar).map_or("", |s| &s.text);
        for key in ["for", "for_all"] {
            add(card.get(key), format!("`{key}` of `{id}`"), None, false, true);
        }
        add(card.get("when"), format!("`when` of `{id}`"), None, true, false);
    }
    (sites, tree.get("match").map(|n| left_out(file, n)).unwrap_or_default())
}

/// The entries of `match:`, each with the change that leaves it out.
fn left_out(file: &SourceFile, node: &Node) -> Vec<Entry> {
    let mut all = Vec::new();
    for (k, v) in node.entries() {
        let Some(key) = k.scalar().map(|s| s.text.to_string()) else { continue };
        if let Some(s) = v.scalar() {
            // `severity` alone holds no list: without it, any severity will do.
            let none = if key == "severity" { "informational" } else { "[]" };
            if *s.text != *none {
                all.push(Entry { span: s.span, text: s.text.to_string(), key, edit: (v.span, none.to_owned()) });
            }
            continue;
        }
        let texts: Vec<&Scalar> = v.items().iter().filter_map(Node::scalar).collect();
        for (n, s) in texts.iter().enumerate() {
            let others: Vec<&str> = texts.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, s)| &*s.text).collect();
            if let Ok(list) = serde_json::to_string(&others) {
                all.push(Entry { span: s.span, text: s.text.to_string(), key: key.clone(), edit: (whole(file, v), list) });
            }
        }
    }
    all
}
