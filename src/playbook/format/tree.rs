//! A file as the formatter sees it: how each value was written, and which comment belongs to what.

use granit_parser::{Event, Parser, ScalarStyle};

use super::super::limits;
use super::super::yaml::byte;

/// The file cannot be laid out anew without doubt: it is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsure(pub &'static str);

/// A comment.
#[derive(Clone, Debug)]
pub(super) struct Note {
    /// From its `#` on.
    pub text: String,
    /// Whether an empty line stands above it.
    pub blank: bool,
    /// Blanks between it and what it stands behind.
    pub gap: usize,
    at: usize,
}

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    pub start: usize,
    pub end: usize,
    pub body: Body,
}

/// How a value is written.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing.
    Null,
    /// Text, and what it says.
    Scalar(ScalarStyle, String),
    /// Entries or items, one below the other.
    Block(Group),
    /// `{…}` or `[…]`; the flag says that comments stand inside.
    Flow(Group, bool),
}

/// Entries of a map, or items of a list.
#[derive(Debug)]
pub(super) struct Group {
    pub list: bool,
    pub children: Vec<Child>,
    /// Comments below the last of them.
    pub foot: Vec<Note>,
    /// The column of its keys or dashes, from 0.
    column: usize,
}

/// An entry of a map, or an item of a list.
#[derive(Debug)]
pub(super) struct Child {
    pub key: Option<Node>,
    pub value: Node,
    /// Where its key or dash stands.
    pub start: usize,
    /// Whether an empty line stands above its key or dash.
    pub blank: bool,
    /// Comments above it.
    pub lead: Vec<Note>,
    /// The comment behind its key.
    pub head: Option<Note>,
    /// The comment behind its value.
    pub tail: Option<Note>,
    /// Comments below a key that holds nothing.
    pub inner: Vec<Note>,
}

/// A file.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    pub text: &'t str,
    /// Comments above `---`; nothing if there is no such line.
    pub prologue: Option<Vec<Note>>,
    pub root: Node,
    /// The texts of all comments, sorted.
    pub comments: Vec<String>,
}

impl Tree<'_> {
    /// The column of a place, in bytes from 0.
    pub fn column(&self, at: usize) -> usize {
        column(self.text, at)
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |n| n.saturating_add(1))
}

fn column(text: &str, at: usize) -> usize {
    at.saturating_sub(line_start(text, at))
}

/// Whether the line above the one of this place is empty.
fn blank_above(text: &str, at: usize) -> bool {
    let above = text.get(..line_start(text, at)).and_then(|t| t.strip_suffix('\n'));
    above.is_some_and(|t| t.rsplit('\n').next().unwrap_or("").trim().is_empty())
}

impl Node {
    fn is_empty(&self) -> bool {
        matches!(self.body, Body::Null)
    }

    /// What a scalar says.
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Scalar(_, text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a file that `yaml::parse` has read without error.
pub(super) fn read(text: &str) -> Result<Tree<'_>, Unsure> {
    let options =
        granit_parser::options! { emit_unresolved_aliases: true, flow_nesting_limit: limits::FILE_DEPTH, block_nesting_limit: limits::FILE_DEPTH };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let (mut stack, mut root, mut notes): (Vec<Open>, Option<Node>, Vec<Note>) = (Vec::new(), None, Vec::new());
    let mut document = None;
    while let Some(next) = parser.next_event() {
        let Ok((event, span)) = next else { return Err(Unsure("it is not YAML")) };
        let (start, end) = (byte(text, &span.start), byte(text, &span.end));
        let done = match event {
            Event::StreamEnd => break,
            Event::DocumentStart(explicit, _) => {
                if text.get(..start).is_some_and(|t| t.lines().any(|l| l.starts_with('%'))) {
                    return Err(Unsure("it has directives (`%…`)"));
                }
                if explicit {
                    let rest = text.get(start..).and_then(|t| t.lines().next()).unwrap_or("");
                    if rest.trim_end() != "---" {
                        return Err(Unsure("something stands behind `---`"));
                    }
                    document = Some(start);
                }
                continue;
            }
            Event::DocumentEnd => {
                if text.get(start..end).is_some_and(|t| !t.is_empty()) {
                    return Err(Unsure("it has a line `...`"));
                }
                continue;
            }
            Event::Comment(..) => {
                let raw = text.get(start..end).unwrap_or("");
                let before = text.get(line_start(text, start)..start).unwrap_or("");
                let gap = before.len().saturating_sub(before.trim_end().len());
                notes.push(Note { text: raw.trim_end().to_owned(), blank: blank_above(text, start), gap, at: start });
                continue;
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => return Err(Unsure("it has aliases (`*…`)")),
            Event::Scalar(_, _, anchor, ref tag) | Event::SequenceStart(_, anchor, ref tag) | Event::MappingStart(_, anchor, ref tag)
                if anchor != 0 || tag.is_some() =>
            {
                return Err(Unsure("it has tags or anchors"));
            }
            Event::Scalar(value, style, ..) => {
                let body = if start == end && style == ScalarStyle::Plain { Body::Null } else { Body::Scalar(style, value.into_owned()) };
                Some(Node { start, end, body })
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let list = matches!(event, Event::SequenceStart(..));
                // A block has no token of its own; a map without braces inside a list of `[…]` has none either.
                let flow = start < end || stack.last().is_some_and(|o| o.flow);
                stack.push(Open { list, flow, start, key: None, children: Vec::new() });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => stack.pop().map(|o| o.close(text, end)),
            _ => None,
        };
        let Some(node) = done else { continue };
        match stack.last_mut() {
            Some(open) => open.take(text, node),
            None => root = Some(node),
        }
    }
    let mut root = root.ok_or(Unsure("it holds nothing"))?;
    let mut comments: Vec<String> = notes.iter().map(|n| n.text.clone()).collect();
    comments.sort();
    let mut prologue = document.map(|_| Vec::new());
    for note in notes {
        match (&mut prologue, document) {
            (Some(all), Some(at)) if note.at < at => all.push(note),
            _ => place(text, &mut root, note)?,
        }
    }
    Ok(Tree { text, prologue, root, comments })
}

/// A collection that is being read.
struct Open {
    list: bool,
    flow: bool,
    start: usize,
    key: Option<Node>,
    children: Vec<Child>,
}

impl Open {
    fn take(&mut self, text: &str, node: Node) {
        let (key, value) = match (self.list, self.key.take()) {
            (true, _) => (None, node),
            (false, None) => {
                self.key = Some(node);
                return;
            }
            (false, key) => (key, node),
        };
        let start = match (&key, self.list && !self.flow) {
            (Some(k), _) => k.start,
            (None, true) => dash(text, value.start),
            (None, false) => value.start,
        };
        // What goes on behind a dash has the empty line of its dash.
        let alone = text.get(line_start(text, start)..start).is_some_and(|t| t.trim().is_empty());
        let blank = alone && blank_above(text, start);
        self.children.push(Child { key, value, start, blank, lead: Vec::new(), head: None, tail: None, inner: Vec::new() });
    }

    fn close(self, text: &str, end: usize) -> Node {
        // Of a block the parser tells where its parent is; its own place is that of its first key or dash.
        let start = self.children.first().filter(|_| !self.flow).map_or(self.start, |c| c.start);
        let end = if self.flow { end } else { self.children.last().map_or(start, |c| c.value.end.max(c.start)) };
        let group = Group { list: self.list, children: self.children, foot: Vec::new(), column: column(text, start) };
        Node { start, end, body: if self.flow { Body::Flow(group, false) } else { Body::Block(group) } }
    }
}

/// The dash of the item that begins here: on its line, or on one above it with only comments between.
pub(in crate::playbook) fn dash(text: &str, item: usize) -> usize {
    let mut start = line_start(text, item);
    let mut line = text.get(start..item).unwrap_or("");
    loop {
        let said = if line.trim_start().starts_with('#') { "" } else { line.split(" #").next().unwrap_or("").trim_end() };
        if said.ends_with('-') {
            return start.saturating_add(said.len()).saturating_sub(1);
        }
        if !said.is_empty() || start == 0 {
            return item;
        }
        let above = line_start(text, start.saturating_sub(1));
        line = text.get(above..start).unwrap_or("").trim_end_matches('\n');
        start = above;
    }
}

/// Gives a comment to what it speaks of.
fn place(text: &str, root: &mut Node, note: Note) -> Result<(), Unsure> {
    let Body::Block(group) = &mut root.body else { return Err(Unsure("it is no map")) };
    let own_line = text.get(line_start(text, note.at)..note.at).is_some_and(|t| t.trim().is_empty());
    if own_line {
        let column = column(text, note.at);
        own(group, note, column);
        Ok(())
    } else {
        behind(group, note)
    }
}

/// A comment on a line of its own belongs to what comes next in its group; below the last one, to the group that it is
/// indented like.
fn own(group: &mut Group, note: Note, column: usize) {
    let next = group.children.iter().position(|c| c.start > note.at);
    let middle = next.unwrap_or(group.children.len());
    let (before, after) = group.children.split_at_mut(middle);
    let (Some(last), next) = (before.last_mut(), after.first_mut()) else {
        match after.first_mut() {
            Some(first) => first.lead.push(note),
            None => group.foot.push(note),
        }
        return;
    };
    let inside = note.at < last.value.end;
    let deeper = column > group.column;
    match &mut last.value.body {
        Body::Block(inner) if inside || deeper => own(inner, note, column),
        Body::Flow(_, noted) if inside && note.at > last.value.start => *noted = true,
        Body::Flow(..) | Body::Scalar(..) if inside => last.lead.push(note),
        Body::Null if deeper => last.inner.push(note),
        _ => match next {
            Some(next) => next.lead.push(note),
            None => group.foot.push(note),
        },
    }
}

/// A comment behind something stays on its line.
fn behind(group: &mut Group, note: Note) -> Result<(), Unsure> {
    let Some(child) = group.children.iter_mut().rev().find(|c| c.start < note.at) else {
        return Err(Unsure("a comment stands where none is expected"));
    };
    let before = note.at < child.value.start && !child.value.is_empty();
    let slot = match &mut child.value.body {
        Body::Block(inner) if !before => return behind(inner, note),
        Body::Flow(_, noted) if !before && note.at < child.value.end => {
            *noted = true;
            return Ok(());
        }
        _ if before && child.key.is_none() => {
            child.lead.push(note);
            return Ok(());
        }
        _ if before => &mut child.head,
        _ => &mut child.tail,
    };
    match slot {
        Some(_) => Err(Unsure("two comments stand behind one thing")),
        None => {
            *slot = Some(note);
            Ok(())
        }
    }
}
