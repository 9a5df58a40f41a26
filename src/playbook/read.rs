//! Reading a map of a file: known keys, wanted shapes, and all that is wrong at once.

use std::fmt::Display;
use std::sync::LazyLock;

use super::holds::Key;
use super::mend;
use super::yaml::{Node, Style, Yaml};
use crate::diag::{Diagnostic, codes, nearby, nearest};
use crate::source::{Scalar, Sources, Span};

/// Collects what is wrong while files are read.
pub struct Reader<'a> {
    /// The files.
    pub sources: &'a Sources,
    /// What is wrong.
    pub out: Vec<Diagnostic>,
}

impl Reader<'static> {
    /// For what is known to be right, or what is told elsewhere.
    pub fn quiet() -> Self {
        static NONE: LazyLock<Sources> = LazyLock::new(Sources::default);
        Self { sources: &NONE, out: Vec::new() }
    }
}

impl<'a> Reader<'a> {
    /// Reports something.
    pub fn report(&mut self, d: Diagnostic) {
        self.out.push(d);
    }

    /// Reports an error at a place.
    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.out.push(Diagnostic::error(code, span, message));
    }

    /// Reports an error at a place, with what to do.
    pub fn error_help(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.out.push(Diagnostic::error(code, span, message).help(help));
    }

    /// The entries of a map with known keys; unknown, repeated and missing ones are reported.
    pub fn keys<'n>(&mut self, node: &'n Node, what: &str, keys: &[Key]) -> Fields<'n> {
        let Yaml::Map(entries) = &node.yaml else {
            self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a map of keys and values; this is {}", node.what()));
            return Fields { entries: &[], bad: true };
        };
        self.plain_node(node);
        let mut seen: Vec<&str> = Vec::with_capacity(entries.len());
        for (n, (k, _)) in entries.iter().enumerate() {
            let Some(name) = k.scalar().map(|s| &*s.text) else {
                self.error(codes::UNKNOWN_KEY, k.span, format!("a key of {what} is a word; this is {}", k.what()));
                continue;
            };
            if seen.contains(&name) {
                self.repeated(entries, n, format!("the key `{name}` stands twice"));
            }
            seen.push(name);
            if !keys.iter().any(|known| known.name == name) {
                let known: Vec<&str> = keys.iter().map(|k| k.name).collect();
                let near = nearby(name, known.iter().copied());
                let d = Diagnostic::error(codes::UNKNOWN_KEY, k.span, format!("{what} has no key `{name}`"));
                let place = k.scalar().map_or(k.span, Scalar::inner);
                let d = d.did_you_mean(place, near.first().copied(), format!("its keys are {}", known.join(", ")));
                // Nothing else can be meant if one word alone is near, and it is not there yet.
                let certain = matches!(near.as_slice(), [one] if node.get(one).is_none());
                self.out.push(if certain { d.safe() } else { d });
            }
        }
        for k in keys.iter().filter(|k| k.required && !seen.contains(&k.name)) {
            let span = Span { end: node.span.start.saturating_add(1).min(node.span.end), ..node.span };
            let d = Diagnostic::error(codes::MISSING_KEY, span, format!("{what} needs `{}`", k.name)).help(format!("`{}`: {}", k.name, k.doc));
            let fix = if k.name == "format" { mend::second_line(self.sources, node, "format: 1") } else { None };
            self.out.push(fix.into_iter().fold(d, Diagnostic::fix));
        }
        Fields { entries, bad: false }
    }

    /// A key that stands in an earlier entry as well.
    fn repeated(&mut self, entries: &[(Node, Node)], n: usize, message: String) {
        let Some((key, _)) = entries.get(n) else { return };
        let same = |k: &Node| k.scalar().zip(key.scalar()).is_some_and(|(a, b)| a.text == b.text);
        let first = entries.iter().find(|(k, _)| same(k)).map_or(key.span, |(k, _)| k.span);
        let d = Diagnostic::error(codes::DUPLICATE_KEY, key.span, message).at(first, "first here");
        self.out.push(match mend::without_repeated(self.sources, entries, n) {
            Some(fix) => d.help("both say the same: one is enough").fix(fix),
            None => d.help("make one of the two, or take one out"),
        });
    }

    /// A node without tag, anchor or alias.
    pub fn plain_node(&mut self, node: &Node) -> bool {
        self.plain(node, false)
    }

    fn plain(&mut self, node: &Node, expression: bool) -> bool {
        if let Some((what, span)) = node.odd.as_deref().copied() {
            let d = Diagnostic::error(codes::NOT_PLAIN, span, format!("{what} stands here"));
            self.in_quotes(d, expression, "write the value out; playbooks have no tags, anchors and aliases");
            return false;
        }
        true
    }

    /// Reports something where YAML did not read what is meant, with the quoted form.
    fn in_quotes(&mut self, d: Diagnostic, expression: bool, otherwise: &str) {
        let value = d.labels.first().and_then(|l| mend::Value::at(self.sources, l.span));
        self.out.push(match value {
            Some(v) => d.help(format!("put all of `{}:` in quotes", v.key)).fix(v.quoted(expression)),
            None if otherwise.is_empty() => d,
            None => d.help(otherwise),
        });
    }

    /// Text.
    pub fn text<'n>(&mut self, node: &'n Node, what: impl Display) -> Option<&'n Scalar> {
        if !self.plain_node(node) {
            return None;
        }
        match &node.yaml {
            Yaml::Scalar(s, _) if !node.is_empty() => Some(s),
            Yaml::Map(_) => {
                let d = Diagnostic::error(codes::WRONG_SHAPE, node.span, format!("{what} is text; this is {}", node.what()));
                self.in_quotes(d, false, "");
                None
            }
            _ => {
                self.error_help(
                    codes::WRONG_SHAPE,
                    node.span,
                    format!("{what} is text; this is {}", node.what()),
                    "write one text, in quotes if it begins with a sign",
                );
                None
            }
        }
    }

    /// An expression: text that YAML did not cut or read as something else.
    pub fn expression<'n>(&mut self, node: &'n Node, what: impl Display) -> Option<&'n Scalar> {
        let s = match &node.yaml {
            _ if node.odd.is_some() => {
                self.plain(node, true);
                return None;
            }
            Yaml::Scalar(s, Style::Plain) if self.cut_by_comment(node.span) => {
                let d = Diagnostic::error(codes::NOT_PLAIN, s.span, format!("{what} is cut at ` #`, where YAML begins a comment"));
                self.in_quotes(d, true, "put the expression in quotes");
                return None;
            }
            Yaml::Scalar(s, _) if !node.is_empty() => s,
            _ if node.is_empty() => {
                self.error_help(codes::NOT_PLAIN, node.span, format!("{what} is empty"), "leave the key out, or write an expression in quotes");
                return None;
            }
            _ => {
                let d = Diagnostic::error(codes::WRONG_SHAPE, node.span, format!("{what} is an expression; YAML reads this as {}", node.what()));
                self.in_quotes(d, true, "put the expression in quotes");
                return None;
            }
        };
        Some(s)
    }

    fn cut_by_comment(&self, span: Span) -> bool {
        let Some(file) = self.sources.get(span.file) else { return false };
        let rest = file.text.get(span.end as usize..).and_then(|t| t.lines().next()).unwrap_or("");
        rest.trim_start().starts_with('#')
    }

    /// A whole number in a range.
    pub fn number(&mut self, node: &Node, what: impl Display, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let s = self.text(node, &what)?;
        match s.text.trim().parse::<i64>() {
            Ok(n) if range.contains(&n) => Some(n),
            _ => {
                let message = format!("{what} is a whole number from {} to {}; this is `{}`", range.start(), range.end(), s.text);
                self.error_help(codes::WRONG_SHAPE, s.span, message, "write a number without quotes and points, within that range");
                None
            }
        }
    }

    /// True or false.
    pub fn flag(&mut self, node: &Node, what: impl Display) -> Option<bool> {
        let s = self.text(node, &what)?;
        match &*s.text {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let message = format!("{what} is `true` or `false`; this is `{other}`");
                self.error(codes::WRONG_SHAPE, s.span, message);
                None
            }
        }
    }

    /// A list of texts; one text alone is a list of one.
    pub fn texts<'n>(&mut self, node: &'n Node, what: impl Display) -> Vec<&'n Scalar> {
        if !self.plain_node(node) {
            return Vec::new();
        }
        match &node.yaml {
            Yaml::List(items) => items.iter().filter_map(|i| self.text(i, format_args!("an item of {what}"))).collect(),
            Yaml::Scalar(s, _) if !node.is_empty() => vec![s],
            Yaml::Scalar(..) => Vec::new(),
            Yaml::Map(_) => {
                self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a list; this is a map"));
                Vec::new()
            }
        }
    }

    /// The items of a list; nothing where nothing is written.
    pub fn list<'n>(&mut self, node: &'n Node, what: impl Display) -> &'n [Node] {
        if !self.plain_node(node) || node.is_empty() {
            return &[];
        }
        match &node.yaml {
            Yaml::List(items) => items,
            _ => {
                self.error_help(codes::WRONG_SHAPE, node.span, format!("{what} is a list; this is {}", node.what()), "begin each item with `- `");
                &[]
            }
        }
    }

    /// Whether a text can be an id that expressions use; told if not.
    pub fn name_id(&mut self, id: &Scalar) -> bool {
        self.id(id, crate::script::lower::is_name(&id.text), "ids are snake case and not words that Rhai keeps for itself")
    }

    /// Whether a text can be the id of a playbook, library or action; told if not.
    pub fn dotted_id(&mut self, id: &Scalar) -> bool {
        let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        self.id(id, id.text.split('.').all(part), "ids are lower case, with dots and `_`")
    }

    fn id(&mut self, id: &Scalar, ok: bool, help: &str) -> bool {
        if !ok {
            self.error_help(codes::BAD_ID, id.span, format!("`{}` cannot be an id", id.text), help);
        }
        ok
    }

    /// The entries of a map whose keys are ids; repeated ones are reported.
    pub fn ids<'n>(&mut self, node: &'n Node, what: impl Display) -> Vec<(&'n Scalar, &'n Node)> {
        if !self.plain_node(node) || node.is_empty() {
            return Vec::new();
        }
        let Yaml::Map(entries) = &node.yaml else {
            self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a map from ids; this is {}", node.what()));
            return Vec::new();
        };
        let mut all: Vec<(&Scalar, &Node)> = Vec::new();
        for (n, (k, v)) in entries.iter().enumerate() {
            let Some(s) = self.text(k, "an id") else { continue };
            if all.iter().any(|(known, _)| known.text == s.text) {
                self.repeated(entries, n, format!("`{}` stands twice", s.text));
                continue;
            }
            all.push((s, v));
        }
        all
    }

    /// A word out of a vocabulary.
    pub fn word<'w>(&mut self, s: &Scalar, what: &str, known: &[&'w str]) -> Option<&'w str> {
        if let Some(w) = known.iter().find(|w| **w == &*s.text) {
            return Some(w);
        }
        let d = Diagnostic::error(codes::UNKNOWN_WORD, s.span, format!("`{}` is not {what}", s.text));
        self.out.push(d.did_you_mean(s.inner(), nearest(&s.text, known.iter().copied()), format!("it is one of {}", known.join(", "))));
        None
    }
}

/// The entries of a map whose keys were checked.
pub struct Fields<'n> {
    entries: &'n [(Node, Node)],
    /// Whether it was no map at all.
    pub bad: bool,
}

impl<'n> Fields<'n> {
    /// The entries of a map whose keys were checked before.
    pub fn checked(node: &'n Node) -> Self {
        Self { entries: node.entries(), bad: false }
    }

    /// The value of a key, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.raw(name).filter(|v| !v.is_empty() || v.odd.is_some())
    }

    /// The value of a key, even if nothing is written there.
    pub fn raw(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == name)).map(|(_, v)| v)
    }
}
