//! Many incidents from a folder, a file or standard input, as a stream: what is read is bounded, however long it is.
//!
//! A file of JSON Lines is cut at its lines, a JSON array of incidents at its elements; each piece is read by itself.
//! Anything else is read whole, as `run` reads it. What cannot be read is an item too, so that it can be counted and named.

use std::fs;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::incidents::{bounded, from_yaml};
use super::split::{self, Nesting, Piece};
use crate::diag::{Diagnostic, Severity, codes};
use crate::intake::{self, Read, Source, limits};
use crate::model::level::squash;

/// What is read of a corpus at once, to be turned into incidents on another thread.
#[derive(Debug)]
pub struct Item {
    /// Where it stands: a path, with `:LINE` or `[ELEMENT]` where the file holds several.
    pub name: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Json(Vec<u8>),
    Yaml(Vec<u8>),
    Tables(Vec<(String, Vec<u8>)>),
    Unread(Box<Diagnostic>),
}

impl Item {
    /// The incidents of the item, or why there is none. `hint` is the format, where it is not to be recognised.
    pub fn read(self, hint: Option<Source>) -> Result<Vec<Read>, Box<Diagnostic>> {
        let read = |bytes: &[u8]| intake::read(bytes, hint).map_err(|r| r.diagnostic);
        match self.content {
            Content::Json(bytes) => read(&bytes),
            Content::Yaml(bytes) => read(&from_yaml(&bytes).map_err(|e| Box::new(Diagnostic::new(codes::NOT_JSON, Severity::Error, e)))?),
            Content::Tables(files) => intake::read_tables(&files).map_err(|r| r.diagnostic),
            Content::Unread(d) => Err(d),
        }
    }

    /// Roughly how many bytes it holds.
    fn size(&self) -> usize {
        let held = match &self.content {
            Content::Json(b) | Content::Yaml(b) => b.len(),
            Content::Tables(files) => files.iter().map(|(_, b)| b.len()).fold(0, usize::saturating_add),
            Content::Unread(_) => 0,
        };
        held.saturating_add(1 << 10)
    }

    fn unread(name: String, d: Diagnostic) -> Self {
        Self { name, content: Content::Unread(Box::new(d)) }
    }

    fn of(name: String, piece: Piece) -> Self {
        match piece {
            Piece::Bytes(bytes) => Self { name, content: Content::Json(bytes) },
            Piece::TooLong => {
                let d = Diagnostic::new(
                    codes::INPUT_LIMIT,
                    Severity::Error,
                    format!("longer than {} MiB, which is the most that one incident may have", limits::BYTES >> 20),
                );
                Self::unread(name, d)
            }
            Piece::Broken(why) => Self::unread(name, Diagnostic::new(codes::NOT_JSON, Severity::Error, why)),
        }
    }
}

/// The items of a corpus, in order: files by name, lines and elements as they stand.
pub struct Corpus {
    open: Option<Open>,
    /// Folders and files that are still to be walked; the last one is next.
    left: Vec<(PathBuf, usize)>,
}

impl Corpus {
    /// The corpus at a path: a folder, a file, or `-` for standard input.
    ///
    /// # Errors
    /// If there is nothing there that can be opened.
    pub fn at(path: &Path) -> Result<Self, Box<Diagnostic>> {
        let unreadable = |e: io::Error| Box::new(super::unreadable(path, &e));
        if path.as_os_str() == "-" {
            let from = Box::new(BufReader::with_capacity(1 << 16, io::stdin()));
            return Ok(Self { open: Some(Open::new("-", "", from).map_err(unreadable)?), left: Vec::new() });
        }
        fs::metadata(path).map_err(unreadable)?;
        Ok(Self { open: None, left: vec![(path.to_owned(), 0)] })
    }

    /// What a path holds: a file to be read piece by piece, or more paths; an item if it is known at once.
    fn visit(&mut self, path: &Path, depth: usize) -> io::Result<Option<Item>> {
        let name = path.display().to_string();
        if !fs::metadata(path)?.is_dir() {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
            self.open = Some(Open::new(&name, &extension, Box::new(BufReader::with_capacity(1 << 16, fs::File::open(path)?)))?);
            return Ok(None);
        }
        let mut entries: Vec<PathBuf> = fs::read_dir(path)?.filter_map(Result::ok).map(|e| e.path()).collect();
        entries.retain(|p| p.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.')));
        entries.sort();
        let tables: Vec<PathBuf> =
            if entries.iter().any(|p| is_table(p)) { entries.iter().filter(|p| p.is_file()).cloned().collect() } else { Vec::new() };
        // A link to a folder is not followed, so that a walk ends.
        let folder = |p: &PathBuf| depth < 32 && fs::symlink_metadata(p).is_ok_and(|m| m.is_dir());
        let wanted = |p: &PathBuf| folder(p) || tables.is_empty() && p.is_file() && has_extension(p, &["json", "jsonl", "ndjson", "yaml", "yml"]);
        self.left.extend(entries.iter().filter(|p| wanted(p)).rev().map(|p| (p.clone(), depth.saturating_add(1))));
        if tables.is_empty() { Ok(None) } else { exports(name, &tables).map(Some) }
    }
}

impl Iterator for Corpus {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(open) = &mut self.open {
                match open.next() {
                    Some(item) => return Some(item),
                    None => self.open = None,
                }
            }
            let (path, depth) = self.left.pop()?;
            match self.visit(&path, depth) {
                Ok(None) => {}
                Ok(Some(item)) => return Some(item),
                Err(e) => return Some(Item::unread(path.display().to_string(), super::unreadable(&path, &e))),
            }
        }
    }
}

/// The items of a corpus with their positions, several at a time: threads that meet for every small item wait for one
/// another more than they work.
pub struct Batches<I> {
    items: std::iter::Zip<std::ops::RangeFrom<u64>, I>,
}

/// How much is taken at once, in bytes.
const BATCH: usize = 256 << 10;

impl<I: Iterator<Item = Item>> Batches<I> {
    /// The items in batches.
    pub fn of(items: I) -> Self {
        Self { items: (0..).zip(items) }
    }
}

impl<I: Iterator<Item = Item>> Iterator for Batches<I> {
    type Item = Vec<(u64, Item)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Vec::new();
        let mut bytes = 0usize;
        while bytes < BATCH
            && let Some((at, item)) = self.items.next()
        {
            bytes = bytes.saturating_add(item.size());
            batch.push((at, item));
        }
        (!batch.is_empty()).then_some(batch)
    }
}

fn has_extension(path: &Path, any: &[&str]) -> bool {
    path.extension().is_some_and(|e| any.iter().any(|x| e.eq_ignore_ascii_case(x)))
}

/// Whether a file is an export of the table SecurityIncident or SecurityAlert, by its name.
fn is_table(path: &Path) -> bool {
    let stem = path.file_stem().map(|s| squash(&s.to_string_lossy())).unwrap_or_default();
    path.is_file() && has_extension(path, &["json", "jsonl", "ndjson"]) && (stem.starts_with("securityincident") || stem.starts_with("securityalert"))
}

/// A folder of table exports, as one item.
fn exports(name: String, files: &[PathBuf]) -> io::Result<Item> {
    let mut all = Vec::new();
    let mut total = 0usize;
    for path in files.iter().filter(|p| has_extension(p, &["json", "jsonl", "ndjson"])) {
        let bytes = bounded(fs::File::open(path)?)?;
        total = total.saturating_add(bytes.len());
        if total > limits::BYTES {
            let d = Diagnostic::new(codes::INPUT_LIMIT, Severity::Error, format!("the tables are larger than {} MiB", limits::BYTES >> 20));
            return Ok(Item::unread(name, d.help("export one incident at a time")));
        }
        all.push((path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), bytes));
    }
    Ok(Item { name, content: Content::Tables(all) })
}

type Stream = Box<dyn BufRead + Send>;

/// How a file is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Whole,
    WholeYaml,
    Lines,
    Elements,
    Done,
}

/// A file that is being read.
struct Open {
    name: String,
    from: Stream,
    cut: Cut,
    /// How many pieces were taken.
    taken: usize,
}

/// How much of a file is looked at to see how it is cut, in bytes.
const PEEK: u64 = 64 << 10;

impl Open {
    fn new(name: &str, extension: &str, mut from: Stream) -> io::Result<Self> {
        let mut head = Vec::new();
        from.by_ref().take(PEEK).read_to_end(&mut head)?;
        if head.starts_with(&[0xef, 0xbb, 0xbf]) {
            head.drain(..3);
        }
        let cut = match extension {
            "yaml" | "yml" => Cut::WholeYaml,
            "jsonl" | "ndjson" => Cut::Lines,
            _ => cut(&head),
        };
        if cut == Cut::Elements {
            // The bracket is no part of an element.
            let start = head.iter().position(|b| *b == b'[').map_or(0, |n| n.saturating_add(1));
            head.drain(..start);
        }
        Ok(Self { name: name.to_owned(), from: Box::new(io::Cursor::new(head).chain(from)), cut, taken: 0 })
    }

    fn next(&mut self) -> Option<Item> {
        match self.step() {
            Ok(item) => item,
            Err(e) => {
                self.cut = Cut::Done;
                Some(Item::unread(self.name.clone(), super::unreadable(Path::new(&self.name), &e)))
            }
        }
    }

    fn step(&mut self) -> io::Result<Option<Item>> {
        match self.cut {
            Cut::Done => Ok(None),
            Cut::Whole | Cut::WholeYaml => {
                let bytes = bounded(&mut self.from)?;
                let content = if self.cut == Cut::WholeYaml { Content::Yaml(bytes) } else { Content::Json(bytes) };
                self.cut = Cut::Done;
                Ok(Some(Item { name: self.name.clone(), content }))
            }
            Cut::Lines => loop {
                let Some(piece) = split::line(&mut self.from, limits::BYTES)? else { return Ok(None) };
                self.taken = self.taken.saturating_add(1);
                if !matches!(&piece, Piece::Bytes(b) if b.trim_ascii().is_empty()) {
                    return Ok(Some(Item::of(format!("{}:{}", self.name, self.taken), piece)));
                }
            },
            Cut::Elements => {
                let Some(piece) = split::element(&mut self.from, limits::BYTES)? else {
                    self.cut = Cut::Done;
                    // An empty list is no corpus: the reader says so.
                    return Ok((self.taken == 0).then(|| Item { name: self.name.clone(), content: Content::Json(b"[]".to_vec()) }));
                };
                if self.taken == 0
                    && let Piece::Bytes(first) = &piece
                    && !intake::stands_alone(first)
                {
                    return self.together(first.clone()).map(Some);
                }
                if matches!(piece, Piece::Broken(_)) {
                    self.cut = Cut::Done;
                }
                let name = format!("{}[{}]", self.name, self.taken);
                self.taken = self.taken.saturating_add(1);
                Ok(Some(Item::of(name, piece)))
            }
        }
    }

    /// A list of alerts or rows: what belongs together is told by all of them, so it is read whole.
    fn together(&mut self, first: Vec<u8>) -> io::Result<Item> {
        self.cut = Cut::Done;
        let mut all = vec![b'['];
        all.extend(first);
        while let Some(piece) = split::element(&mut self.from, limits::BYTES)? {
            let Piece::Bytes(more) = piece else { return Ok(Item::of(self.name.clone(), piece)) };
            if all.len().saturating_add(more.len()) > limits::BYTES {
                return Ok(Item::of(self.name.clone(), Piece::TooLong));
            }
            all.push(b',');
            all.extend(more);
        }
        all.push(b']');
        Ok(Item { name: self.name.clone(), content: Content::Json(all) })
    }
}

/// How a file is cut, by how it begins.
fn cut(head: &[u8]) -> Cut {
    let head = head.trim_ascii_start();
    let Some(first) = head.first() else { return Cut::Whole };
    let line = head.split(|b| *b == b'\n').next().unwrap_or(head);
    let mut nesting = Nesting::default();
    line.iter().for_each(|b| nesting.take(*b));
    let rest = head.get(line.len()..).unwrap_or(&[]).trim_ascii_start();
    // The first line is a document and another one follows, or the second one begins a document: a line each.
    let lines = !rest.is_empty() && (nesting.is_flat() || *first != b'[' && head.get(line.len().saturating_add(1)) == Some(&b'{'));
    match first {
        _ if lines => Cut::Lines,
        b'[' => Cut::Elements,
        // A first line that goes on beyond what is looked at is a document.
        b'{' if line.len() == head.len() && !nesting.is_flat() => Cut::Lines,
        _ => Cut::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Open, cut};

    #[test]
    fn a_file_is_cut_by_how_it_begins() {
        for (text, wanted) in [
            ("", Cut::Whole),
            ("{\n  \"id\": 1\n}\n", Cut::Whole),
            ("{\"id\": 1}\n", Cut::Whole),
            ("{\"id\": 1}\n\n{\"id\": 2}\n", Cut::Lines),
            ("{\"id\": \n{\"id\": 2}\n", Cut::Lines),
            ("nothing\n{\"id\": 2}\n", Cut::Lines),
            (" [{\"id\": 1}]", Cut::Elements),
            ("[\n{\"id\": 1}]", Cut::Elements),
            ("[{\"id\": 1},\n{\"id\": 2}]", Cut::Elements),
            ("[1]\n[2]\n", Cut::Lines),
            ("nothing", Cut::Whole),
        ] {
            assert_eq!(cut(text.as_bytes()), wanted, "{text:?}");
        }
    }

    #[test]
    fn alerts_of_a_list_stay_together_and_incidents_come_one_by_one() {
        let names = |text: &'static str| {
            let mut open = Open::new("x", "json", Box::new(text.as_bytes())).unwrap();
            std::iter::from_fn(move || open.next()).map(|i| (i.name.clone(), i.read(None).map_or(0, |r| r.len()))).collect::<Vec<_>>()
        };
        let incident = r#"[{"schema": "guided-response/incident/1", "id": "a", "alerts": []}, {"schema": "guided-response/incident/1", "id": "b", "alerts": []}, 7]"#;
        assert_eq!(names(incident), [("x[0]".to_owned(), 1), ("x[1]".to_owned(), 1), ("x[2]".to_owned(), 0)]);
        let alerts = r##"[{"@odata.type": "#microsoft.graph.security.alert", "id": "1", "incidentId": "9", "title": "t", "evidence": []}, {"id": "2", "incidentId": "9", "title": "u", "evidence": []}]"##;
        assert_eq!(names(alerts).len(), 1);
        assert_eq!(names("[]"), [("x".to_owned(), 0)]);
        assert_eq!(names("\u{feff}[ ]"), [("x".to_owned(), 0)]);
    }
}
