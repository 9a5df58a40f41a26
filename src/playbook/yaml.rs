//! YAML as a tree whose every node knows its place, also inside quoted and block scalars.

use granit_parser::{Event, Parser, ScalarStyle};

use super::front::before_tests;
use super::limits;
use super::mend::Value;
use crate::diag::{Diagnostic, codes};
use crate::source::scalar::{Quote, Scalar};
use crate::source::{FileId, SourceFile, Span};

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// As a block, `|` or `>`.
    Block,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    /// Text.
    Scalar(Scalar, Style),
    /// A list.
    List(Vec<Node>),
    /// Keys with values, in order.
    Map(Vec<(Node, Node)>),
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it holds.
    pub yaml: Yaml,
    /// Where it stands.
    pub span: Span,
    /// A tag, anchor or alias at it: what, and where. Playbooks have none of them.
    pub odd: Odd,
}

/// A tag, anchor or alias: what, and where. Hardly any node has one, so that it stands elsewhere.
pub type Odd = Option<Box<(&'static str, Span)>>;

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.yaml {
            Yaml::Scalar(s, _) => Some(s),
            _ => None,
        }
    }

    /// Whether nothing was written: `key:` alone, `~` or `null`.
    pub fn is_empty(&self) -> bool {
        matches!(&self.yaml, Yaml::Scalar(s, Style::Plain) if matches!(&*s.text, "" | "~" | "null"))
    }

    /// The entries, if it is a map.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.yaml {
            Yaml::Map(all) => all,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.scalar().is_some_and(|s| &*s.text == key)).map(|(_, v)| v)
    }

    /// The items, if it is a list.
    pub fn items(&self) -> &[Node] {
        match &self.yaml {
            Yaml::List(all) => all,
            _ => &[],
        }
    }

    /// What it is, for messages.
    pub fn what(&self) -> &'static str {
        match &self.yaml {
            Yaml::Scalar(..) if self.is_empty() => "nothing",
            Yaml::Scalar(..) => "one value",
            Yaml::List(_) => "a list",
            Yaml::Map(_) => "a map",
        }
    }
}

/// All of a node in its file: with the bracket that closes a list or map in one line, which its own place leaves out.
pub fn whole(file: &SourceFile, node: &Node) -> Span {
    let open = file.text.get(node.span.start as usize..).and_then(|t| t.chars().next());
    let (last, close) = match (&node.yaml, open) {
        (Yaml::List(items), Some('[')) => (items.last(), ']'),
        (Yaml::Map(entries), Some('{')) => (entries.last().map(|(_, v)| v), '}'),
        (Yaml::List(items), _) => return items.last().map_or(node.span, |n| Span { end: whole(file, n).end, ..node.span }),
        (Yaml::Map(entries), _) => return entries.last().map_or(node.span, |(_, v)| Span { end: whole(file, v).end, ..node.span }),
        _ => return node.span,
    };
    let mut at = last.map_or((node.span.start as usize).saturating_add(1), |n| whole(file, n).end as usize);
    // Between the last item and the bracket there are blanks, a comma and remarks.
    while let Some(rest) = file.text.get(at..) {
        match rest.chars().next() {
            Some(c) if c == close => return Span::new(node.span.file, node.span.start as usize, at.saturating_add(1)),
            Some('#') => at = at.saturating_add(rest.find('\n').unwrap_or(rest.len())),
            Some(c) => at = at.saturating_add(c.len_utf8()),
            None => break,
        }
    }
    node.span
}

/// Parses a file. What is wrong is reported; the tree is what could be read, if anything.
pub fn parse(id: FileId, file: &SourceFile, out: &mut Vec<Diagnostic>) -> Option<Node> {
    parse_front(id, file, &file.text, out)
}

/// Parses a file without the `tests:` at its end, which change no answer and are most of a well-tested file.
pub fn parse_rules(id: FileId, file: &SourceFile, out: &mut Vec<Diagnostic>) -> Option<Node> {
    if let Some(front) = before_tests(&file.text) {
        let mut wrong = Vec::new();
        if let Some(tree) = parse_front(id, file, front, &mut wrong).filter(|_| wrong.is_empty()) {
            return Some(tree);
        }
    }
    parse(id, file, out)
}

/// Parses the front of a file, up to all of it.
fn parse_front(id: FileId, file: &SourceFile, text: &str, out: &mut Vec<Diagnostic>) -> Option<Node> {
    if file.text.len() > limits::FILE_BYTES {
        out.push(Diagnostic::error(codes::LIMIT, Span::top(id), format!("the file is larger than {} KiB", limits::FILE_BYTES >> 10)));
        return None;
    }
    let mut tree = Builder::new(id, &file.text);
    let mut documents = 0usize;
    let options = granit_parser::options! { emit_unresolved_aliases: true, flow_nesting_limit: limits::FILE_DEPTH, block_nesting_limit: limits::FILE_DEPTH, emit_comments: false };
    let mut parser = Parser::new_from_str_with_options(text, options);
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                let done = matches!(event, Event::StreamEnd);
                if let Err(d) = take(&mut tree, event, &span, &mut documents) {
                    out.push(*d);
                    return None;
                }
                if done {
                    break;
                }
            }
            Some(Err(e)) => {
                let at = byte(text, e.marker());
                let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| at.saturating_add(n));
                let mut d = Diagnostic::error(
                    codes::YAML,
                    Span::new(id, at, end.min(text.get(at..).and_then(|t| t.chars().next()).map_or(at, |c| at.saturating_add(c.len_utf8()))).max(at)),
                    format!("this is not YAML: {}", e.info()),
                );
                if let Some(help) = yaml_help(text, at, &e.info()) {
                    d = d.help(help);
                }
                out.push(Value::quotable(file, id, at).into_iter().fold(d, Diagnostic::fix));
                return None;
            }
        }
    }
    tree.root
}

/// What to do where a text is no YAML: mostly an expression or sentence wants quotes.
fn yaml_help(text: &str, at: usize, why: &str) -> Option<String> {
    let from = text.get(..at)?.rfind('\n').map_or(0, |n| n.saturating_add(1));
    let line = text.get(from..)?.lines().next().unwrap_or("");
    let before = text.get(..from)?.trim_end().rsplit('\n').next().unwrap_or("");
    let begins = text.get(from..at)?.trim().is_empty();
    if text.get(from..).is_some_and(|l| l.trim_start_matches(' ').starts_with('\t')) {
        return Some("indent with blanks, not with tabs".into());
    }
    if why.contains("quote") {
        return Some("a quote that opens must close; between '…', a quote itself is written twice".into());
    }
    // What goes wrong at the beginning of a line was begun above it.
    let lines = if begins { [before, ""] } else { [line, before] };
    let quoted = lines.into_iter().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        let value = value.trim();
        let word = key.trim_start_matches(['-', ' ', '{']).trim();
        let whole =
            [('"', '"'), ('\'', '\''), ('[', ']'), ('{', '}')].iter().any(|(open, close)| value.starts_with(*open) && value.ends_with(*close));
        let starts = value.starts_with(['"', '\'', '[', '{', '|', '>', '*', '&', '!', '%', '@', '`']) && !whole;
        let colon = why.contains("mapping values") && value.contains(": ");
        ((starts || colon) && !word.is_empty() && !word.contains(['"', '\'']))
            .then(|| format!("if this is an expression or a sentence, put all of it in quotes: {word}: '{}'", value.replace('\'', "''")))
    });
    quoted.or_else(|| begins.then(|| "the keys of one map begin in the same column, and its items too".into()))
}

/// The byte that a mark stands at.
pub(super) fn byte(text: &str, mark: &granit_parser::Marker) -> usize {
    if let Some(b) = mark.byte_offset() {
        return b.min(text.len());
    }
    text.char_indices().nth(mark.index()).map_or(text.len(), |(n, _)| n)
}

/// Hands an event of the parser to the tree.
fn take(tree: &mut Builder<'_>, event: Event<'_>, at: &granit_parser::Span, documents: &mut usize) -> Result<(), Box<Diagnostic>> {
    let place = |s: &granit_parser::Span| Span::new(tree.id, byte(tree.text, &s.start), byte(tree.text, &s.end));
    let span = place(at);
    // A tag or anchor at a node, with its place.
    let odd = |anchor: usize, tag: bool| match (tag, anchor) {
        (true, _) => Some(Box::new(("a tag (`!…`)", at.tag_span().map_or(span, |t| place(&t))))),
        (false, 0) => None,
        (false, _) => Some(Box::new(("an anchor (`&…`)", span))),
    };
    match event {
        Event::DocumentStart(..) => {
            *documents = documents.saturating_add(1);
            if *documents > 1 {
                return Err(Box::new(
                    Diagnostic::error(codes::YAML, span, "a file holds one document").help("put the second one into a file of its own"),
                ));
            }
            Ok(())
        }
        Event::Alias(_) | Event::UnresolvedAlias(_) => tree.node(Node {
            yaml: Yaml::Scalar(Scalar::plain(tree.id, "", span.start as usize), Style::Plain),
            span,
            odd: Some(Box::new(("an alias (`*…`)", span))),
        }),
        Event::Scalar(value, style, anchor, tag) => {
            let (style, quote) = match style {
                ScalarStyle::Plain => (Style::Plain, Quote::None),
                ScalarStyle::SingleQuoted => (Style::Quoted, Quote::Single),
                ScalarStyle::DoubleQuoted => (Style::Quoted, Quote::Double),
                ScalarStyle::Literal | ScalarStyle::Folded => (Style::Block, Quote::None),
            };
            let odd = odd(anchor, tag.is_some());
            tree.scalar(&value, style, quote, span, odd)
        }
        Event::SequenceStart(_, anchor, tag) => {
            let odd = odd(anchor, tag.is_some());
            tree.list(span, odd)
        }
        Event::MappingStart(_, anchor, tag) => {
            let odd = odd(anchor, tag.is_some());
            tree.map(span, odd)
        }
        Event::SequenceEnd | Event::MappingEnd => tree.end(span),
        _ => Ok(()),
    }
}

/// A list or map that is not at its end.
struct Open {
    map: bool,
    start: usize,
    odd: Odd,
    /// How many nodes stand before those in it.
    before: usize,
}

/// A tree that grows event by event.
pub(super) struct Builder<'a> {
    id: FileId,
    text: &'a str,
    /// How many nodes there were.
    count: usize,
    stack: Vec<Open>,
    /// The nodes of all that is open; of a map, keys and values in turn.
    nodes: Vec<Node>,
    root: Option<Node>,
}

impl<'a> Builder<'a> {
    /// A tree of this text.
    pub fn new(id: FileId, text: &'a str) -> Self {
        Self { id, text, count: 0, stack: Vec::new(), nodes: Vec::new(), root: None }
    }

    /// The whole tree.
    pub fn root(self) -> Option<Node> {
        self.root
    }

    /// A list begins.
    pub fn list(&mut self, span: Span, odd: Odd) -> Result<(), Box<Diagnostic>> {
        self.open(false, span, odd)
    }

    /// A map begins.
    pub fn map(&mut self, span: Span, odd: Odd) -> Result<(), Box<Diagnostic>> {
        self.open(true, span, odd)
    }

    /// The innermost list or map ends.
    pub fn end(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let end = if self.nodes.len() > open.before { self.nodes.last() } else { None }.map_or(span.end, |n| n.span.end.max(span.start));
        let mut inside = self.nodes.drain(open.before..);
        let yaml = if open.map {
            let mut entries = Vec::with_capacity(inside.len() / 2);
            while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
                entries.push((key, value));
            }
            Yaml::Map(entries)
        } else {
            Yaml::List(inside.by_ref().collect())
        };
        drop(inside);
        self.node(Node { yaml, span: Span::new(self.id, open.start, end as usize), odd: open.odd })
    }

    /// A text.
    pub fn scalar(&mut self, value: &str, style: Style, quote: Quote, span: Span, odd: Odd) -> Result<(), Box<Diagnostic>> {
        let raw = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
        let start = span.start as usize;
        let scalar = match style {
            Style::Plain if raw == value => Scalar::plain(self.id, value, start).spanning(span),
            Style::Plain | Style::Block => Scalar::aligned(value, span, raw, start, quote),
            Style::Quoted => {
                let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
                Scalar::aligned(value, span, inner, start.saturating_add(1), quote)
            }
        };
        self.node(Node { yaml: Yaml::Scalar(scalar, style), span, odd })
    }

    fn open(&mut self, map: bool, span: Span, odd: Odd) -> Result<(), Box<Diagnostic>> {
        if self.stack.len() >= limits::FILE_DEPTH {
            return Err(Box::new(Diagnostic::error(codes::LIMIT, span, format!("the file nests more than {} deep", limits::FILE_DEPTH))));
        }
        self.stack.push(Open { map, start: span.start as usize, odd, before: self.nodes.len() });
        Ok(())
    }

    fn node(&mut self, node: Node) -> Result<(), Box<Diagnostic>> {
        self.count = self.count.saturating_add(1);
        if self.count > limits::FILE_NODES {
            return Err(Box::new(Diagnostic::error(codes::LIMIT, node.span, format!("the file holds more than {} values", limits::FILE_NODES))));
        }
        if self.stack.is_empty() {
            self.root = Some(node);
        } else {
            self.nodes.push(node);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, key: &str) -> String {
        let file = SourceFile::new("x", text);
        let tree = parse(FileId(0), &file, &mut Vec::new()).unwrap();
        let span = whole(&file, tree.get(key).unwrap());
        text[span.start as usize..span.end as usize].to_owned()
    }

    #[test]
    fn tests_at_the_end_are_left_for_those_who_run_them() {
        assert_eq!(before_tests("a: 1\ntests:\n- b\n  # c\n\n"), Some("a: 1\n"));
        for whole in ["tests: []\n", "a: 1\ntests: []\nb: 2\n", "a: 1\ntests:x\n", "a: |\n  tests:\n", "a: 1\ntests: []\n---\nb: 1\n"] {
            assert_eq!(before_tests(whole), None, "{whole}");
        }
        let read = |text: &str| {
            let mut out = Vec::new();
            let tree = parse_rules(FileId(0), &SourceFile::new("x", text), &mut out);
            (tree.is_some_and(|t| t.get("tests").is_none()), out.len())
        };
        assert_eq!(read("a: 1\ntests: [\n"), (true, 0));
        assert_eq!(read("a: [\ntests: [\n"), (false, 1));
    }

    #[test]
    fn the_whole_of_a_list_ends_with_its_bracket() {
        assert_eq!(shown("a: [b, {c: [d]} ,  # ]\n  ]\nx: 1\n", "a"), "[b, {c: [d]} ,  # ]\n  ]");
        assert_eq!(shown("a: []\nx: 1\n", "a"), "[]");
        assert_eq!(shown("a: { b: { }, c: 'x}' }\n", "a"), "{ b: { }, c: 'x}' }");
        assert_eq!(shown("a:\n  - b\n  - [c]\nx: 1\n", "a"), "- b\n  - [c]");
        assert_eq!(shown("a:\n  b: 1\n  c: {d: [e]}\nx: 1\n", "a"), "b: 1\n  c: {d: [e]}");
    }
}
