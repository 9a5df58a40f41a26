//! Reading a map of a file: known keys, wanted shapes, and all that is wrong at once.

use super::yaml::{Node, Style, Yaml};
use crate::diag::{Diagnostic, codes, nearest};
use crate::source::{Scalar, Sources, Span};

/// A key of a file: its name, whether it must be there, and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds, in a sentence.
    pub doc: &'static str,
}

/// A key that may be there.
pub const fn may(name: &'static str, doc: &'static str) -> Key {
    Key { name, required: false, doc }
}

/// A key that must be there.
pub const fn must(name: &'static str, doc: &'static str) -> Key {
    Key { name, required: true, doc }
}

/// Collects what is wrong while files are read.
pub struct Reader<'a> {
    /// The files.
    pub sources: &'a Sources,
    /// What is wrong.
    pub out: Vec<Diagnostic>,
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
        let mut seen: Vec<&str> = Vec::new();
        for (k, _) in entries {
            let Some(name) = k.scalar().map(|s| &*s.text) else {
                self.error(codes::UNKNOWN_KEY, k.span, format!("a key of {what} is a word; this is {}", k.what()));
                continue;
            };
            if seen.contains(&name) {
                self.error(codes::DUPLICATE_KEY, k.span, format!("the key `{name}` stands twice"));
            }
            seen.push(name);
            if !keys.iter().any(|known| known.name == name) {
                let mut d = Diagnostic::error(codes::UNKNOWN_KEY, k.span, format!("{what} has no key `{name}`"));
                d = match nearest(name, keys.iter().map(|k| k.name)) {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d.help(format!("its keys are {}", keys.iter().map(|k| k.name).collect::<Vec<_>>().join(", "))),
                };
                self.out.push(d);
            }
        }
        for k in keys.iter().filter(|k| k.required && !seen.contains(&k.name)) {
            let span = Span { end: node.span.start.saturating_add(1).min(node.span.end), ..node.span };
            self.out.push(Diagnostic::error(codes::MISSING_KEY, span, format!("{what} needs `{}`", k.name)).help(format!("`{}`: {}", k.name, k.doc)));
        }
        Fields { entries, bad: false }
    }

    /// A node without tag, anchor or alias.
    pub fn plain_node(&mut self, node: &Node) -> bool {
        if let Some((what, span)) = node.odd {
            let help = self.quoted(span).unwrap_or_else(|| "write the value out; playbooks have no tags, anchors and aliases".into());
            self.error_help(codes::NOT_PLAIN, span, format!("{what} stands here"), help);
            return false;
        }
        true
    }

    /// The quoted form of what stands at a place.
    fn quoted(&self, span: Span) -> Option<String> {
        let file = self.sources.get(span.file)?;
        let (line, column) = file.line_column(span.start);
        let start = file.line_start(line)?;
        quoted_form(file.text.get(start..)?.lines().next()?, column)
    }

    /// Text.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        if !self.plain_node(node) {
            return None;
        }
        match &node.yaml {
            Yaml::Scalar(s, _) if !node.is_empty() => Some(s),
            Yaml::Map(_) => {
                let d = Diagnostic::error(codes::WRONG_SHAPE, node.span, format!("{what} is text; this is {}", node.what()));
                let d = if let Some(help) = self.quoted(node.span) { d.help(help) } else { d };
                self.out.push(d);
                None
            }
            _ => {
                self.error(codes::WRONG_SHAPE, node.span, format!("{what} is text; this is {}", node.what()));
                None
            }
        }
    }

    /// An expression: text that YAML did not cut or read as something else.
    pub fn expression<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        let s = match &node.yaml {
            _ if node.odd.is_some() => {
                self.plain_node(node);
                return None;
            }
            Yaml::Scalar(s, Style::Plain) if self.cut_by_comment(node.span) => {
                let help = self.quoted(node.span).unwrap_or_else(|| "put the expression in quotes".into());
                self.error_help(codes::NOT_PLAIN, s.span, format!("{what} is cut at ` #`, where YAML begins a comment"), help);
                return None;
            }
            Yaml::Scalar(s, _) if !node.is_empty() => s,
            _ if node.is_empty() => {
                self.error_help(codes::NOT_PLAIN, node.span, format!("{what} is empty"), "leave the key out, or write an expression in quotes");
                return None;
            }
            _ => {
                let d = Diagnostic::error(codes::WRONG_SHAPE, node.span, format!("{what} is an expression; YAML reads this as {}", node.what()));
                let d = if let Some(help) = self.quoted(node.span) { d.help(help) } else { d.help("put the expression in quotes") };
                self.out.push(d);
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
    pub fn number(&mut self, node: &Node, what: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let s = self.text(node, what)?;
        match s.text.trim().parse::<i64>() {
            Ok(n) if range.contains(&n) => Some(n),
            _ => {
                let message = format!("{what} is a whole number from {} to {}; this is `{}`", range.start(), range.end(), s.text);
                self.error(codes::WRONG_SHAPE, s.span, message);
                None
            }
        }
    }

    /// True or false.
    pub fn flag(&mut self, node: &Node, what: &str) -> Option<bool> {
        let s = self.text(node, what)?;
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
    pub fn texts<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Scalar> {
        if !self.plain_node(node) {
            return Vec::new();
        }
        match &node.yaml {
            Yaml::List(items) => items.iter().filter_map(|i| self.text(i, &format!("an item of {what}"))).collect(),
            Yaml::Scalar(s, _) if !node.is_empty() => vec![s],
            Yaml::Scalar(..) => Vec::new(),
            Yaml::Map(_) => {
                self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a list; this is a map"));
                Vec::new()
            }
        }
    }

    /// The items of a list; nothing where nothing is written.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        if !self.plain_node(node) || node.is_empty() {
            return &[];
        }
        match &node.yaml {
            Yaml::List(items) => items,
            _ => {
                self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a list; this is {}", node.what()));
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
    pub fn ids<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n Scalar, &'n Node)> {
        if !self.plain_node(node) || node.is_empty() {
            return Vec::new();
        }
        let Yaml::Map(entries) = &node.yaml else {
            self.error(codes::WRONG_SHAPE, node.span, format!("{what} is a map from ids; this is {}", node.what()));
            return Vec::new();
        };
        let mut all: Vec<(&Scalar, &Node)> = Vec::new();
        for (k, v) in entries {
            let Some(s) = self.text(k, "an id") else { continue };
            if all.iter().any(|(known, _)| known.text == s.text) {
                self.error(codes::DUPLICATE_KEY, s.span, format!("`{}` stands twice", s.text));
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
        let help =
            nearest(&s.text, known.iter().copied()).map_or_else(|| format!("it is one of {}", known.join(", ")), |k| format!("did you mean `{k}`?"));
        self.error_help(codes::UNKNOWN_WORD, s.span, format!("`{}` is not {what}", s.text), help);
        None
    }
}

/// `key: 'the whole of it'` for a line where YAML read something else; `column` (from 1) is where it went wrong.
fn quoted_form(line: &str, column: usize) -> Option<String> {
    let inside_map = line.trim_start().trim_start_matches("- ").starts_with('{');
    // In a one-line map, the key is the last one before the place, and its value ends at the next key or brace.
    let before: String = line.chars().take(column.saturating_sub(1)).collect();
    let start = if inside_map { before.rfind(": ") } else { line.find(": ") }?;
    let (front, value) = line.split_at_checked(start)?;
    let key = front.rsplit(['{', ',', ' ']).next()?.trim();
    let mut value = value.get(2..)?.trim();
    if inside_map {
        let is_key = |text: &str| text.split_once(':').is_some_and(|(k, _)| !k.is_empty() && k.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let next = value.match_indices(", ").find(|(at, _)| value.get(at.saturating_add(2)..).is_some_and(is_key));
        value = match next {
            Some((at, _)) => value.get(..at).unwrap_or(value),
            None => value.strip_suffix('}').unwrap_or(value).trim_end(),
        };
    }
    (!value.is_empty() && !key.is_empty()).then(|| format!("put all of it in quotes: {key}: '{}'", value.replace('\'', "''")))
}

/// The entries of a map whose keys were checked.
pub struct Fields<'n> {
    entries: &'n [(Node, Node)],
    /// Whether it was no map at all.
    pub bad: bool,
}

impl<'n> Fields<'n> {
    /// The value of a key, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.raw(name).filter(|v| !v.is_empty() || v.odd.is_some())
    }

    /// The value of a key, even if nothing is written there.
    pub fn raw(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == name)).map(|(_, v)| v)
    }
}

#[cfg(test)]
mod tests {
    use super::quoted_form;

    #[test]
    fn the_quoted_form_is_that_of_the_value_alone() {
        let form = |line: &str, column: usize| quoted_form(line, column).unwrap_or_default();
        assert_eq!(form("    when: !risky(user) && x", 11), "put all of it in quotes: when: '!risky(user) && x'");
        assert_eq!(form("  - { id: c, when: !user.malicious, why: x }", 20), "put all of it in quotes: when: '!user.malicious'");
        assert_eq!(form("  - { id: c, why: {u} did it }", 19), "put all of it in quotes: why: '{u} did it'");
        assert_eq!(form("    if: x == 'a #b' && y", 9), "put all of it in quotes: if: 'x == ''a #b'' && y'");
    }
}
