//! The few shapes of the protocol that are read, and what is said when something is wrong.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::source::SourceFile;

/// The message is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The message is no request.
pub const INVALID_REQUEST: i32 = -32600;
/// Nobody answers to this method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters do not fit the method.
pub const INVALID_PARAMS: i32 = -32602;
/// The client has not said `initialize` yet.
pub const NOT_INITIALIZED: i32 = -32002;
/// The request was taken back.
pub const CANCELLED: i32 = -32800;
/// The request is understood and cannot be done.
pub const FAILED: i32 = -32803;

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// One of the codes of this file.
    pub code: i32,
    /// What is wrong, for people.
    pub message: String,
}

impl Error {
    /// With this code and sentence.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A request that is understood and cannot be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message)
    }
}

/// What a capability answers.
pub type Answer = Result<Value, Error>;

/// Parameters of a known shape, or the error that says what is wrong with them.
pub fn params<'d, T: Deserialize<'d>>(value: &'d Value) -> Result<T, Error> {
    T::deserialize(value).map_err(|e| Error::new(INVALID_PARAMS, format!("the parameters do not fit: {e}")))
}

/// How a client counts the columns of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// In bytes.
    Utf8,
    /// In units of two bytes, as the protocol does unless agreed otherwise.
    #[default]
    Utf16,
    /// In characters.
    Utf32,
}

impl Encoding {
    /// The one that both sides know, cheapest first.
    pub fn agree(offered: &[String]) -> Self {
        let knows = |word: &str| offered.iter().any(|o| o == word);
        if knows("utf-8") {
            Self::Utf8
        } else if knows("utf-32") && !knows("utf-16") {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    /// Its name in the protocol.
    pub fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// A place in a text: line and column from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, counted as agreed.
    pub character: u32,
}

/// From one place to another.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Span {
    /// The first place.
    pub start: Position,
    /// One past the last.
    pub end: Position,
}

/// A document by its address.
#[derive(Debug, Deserialize)]
pub struct DocumentId {
    /// The address.
    pub uri: String,
}

/// A document and a place in it: the parameters of most requests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct At {
    /// The document.
    pub text_document: DocumentId,
    /// The place.
    pub position: Position,
}

/// The parameters of requests about a whole document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    /// The document.
    pub text_document: DocumentId,
}

/// The byte of a place; the end of its line, or of the text, where the place lies behind it.
pub fn byte(file: &SourceFile, at: Position, encoding: Encoding) -> usize {
    let Some(start) = file.line_start((at.line as usize).saturating_add(1)) else { return file.text.len() };
    let line = file.text.get(start..).and_then(|t| t.split('\n').next()).unwrap_or("");
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut left = at.character as usize;
    for (n, c) in line.char_indices() {
        let units = encoding.units(c);
        if left < units {
            return start.saturating_add(n);
        }
        left = left.saturating_sub(units);
    }
    start.saturating_add(line.len())
}

/// The place of a byte.
pub fn position(file: &SourceFile, byte: usize, encoding: Encoding) -> Position {
    let byte = u32::try_from(byte.min(file.text.len())).unwrap_or(u32::MAX);
    let line = file.line_column(byte).0;
    let start = file.line_start(line).unwrap_or(0);
    let units = file.text.get(start..byte as usize).map_or(0, |t| t.chars().map(|c| encoding.units(c)).sum::<usize>());
    Position { line: u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX), character: u32::try_from(units).unwrap_or(u32::MAX) }
}

/// A range of bytes as the protocol writes it.
pub fn range(file: &SourceFile, bytes: Range<usize>, encoding: Encoding) -> Value {
    let place = |b: usize| {
        let p = position(file, b, encoding);
        json!({ "line": p.line, "character": p.character })
    };
    json!({ "start": place(bytes.start), "end": place(bytes.end.max(bytes.start)) })
}

/// The address of a path: `file:///…`. What is no absolute path is an address already.
pub fn uri_of(path: &str) -> String {
    if !path.starts_with('/') && !path.get(1..3).is_some_and(|t| t == ":\\" || t == ":/") {
        return path.to_owned();
    }
    let mut out = String::from("file://");
    let path = path.replace('\\', "/");
    if !path.starts_with('/') {
        out.push('/');
    }
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => out.push(b as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// The path of a `file:` address; other addresses stand for themselves.
pub fn path_of(uri: &str) -> String {
    let Some(rest) = uri.strip_prefix("file://") else { return uri.to_owned() };
    // A host may stand before the path; `localhost` and none are this machine.
    let rest = rest.find('/').and_then(|n| rest.get(n..)).unwrap_or(rest);
    let mut bytes = Vec::new();
    let mut all = rest.bytes();
    while let Some(b) = all.next() {
        let hex = |s: &std::str::Bytes<'_>| -> Option<u8> {
            let mut s = s.clone();
            let (a, b) = (char::from(s.next()?).to_digit(16)?, char::from(s.next()?).to_digit(16)?);
            u8::try_from(a.checked_mul(16)?.checked_add(b)?).ok()
        };
        match (b, hex(&all)) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                all.nth(1);
            }
            (b, _) => bytes.push(b),
        }
    }
    let path = String::from_utf8_lossy(&bytes).into_owned();
    // `/c:/x` is `c:/x`.
    match path.get(1..3) {
        Some(drive) if drive.ends_with(':') && drive.starts_with(|c: char| c.is_ascii_alphabetic()) => path.trim_start_matches('/').to_owned(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_agreed() {
        let file = SourceFile::new("x", "a\n\u{1F600}é=1\r\n");
        let at = file.text.find('=').unwrap_or(0);
        for (encoding, column) in [(Encoding::Utf8, 6), (Encoding::Utf16, 3), (Encoding::Utf32, 2)] {
            let p = position(&file, at, encoding);
            assert_eq!((p.line, p.character), (1, column));
            assert_eq!(byte(&file, p, encoding), at);
        }
        let end = byte(&file, Position { line: 1, character: 99 }, Encoding::Utf16);
        assert_eq!(file.text.get(end..), Some("\r\n"), "a place behind the line is its end");
        assert_eq!(byte(&file, Position { line: 9, character: 0 }, Encoding::Utf16), file.text.len());
    }

    #[test]
    fn addresses_and_paths_go_both_ways() {
        for path in ["/a/b c/ü%.yaml", "/x"] {
            assert_eq!(path_of(&uri_of(path)), path);
        }
        assert_eq!(uri_of("/a b"), "file:///a%20b");
        assert_eq!(path_of("file:///c%3A/x.yaml"), "c:/x.yaml");
        assert_eq!(path_of("untitled:Untitled-1"), "untitled:Untitled-1");
        assert_eq!(path_of("file:///a%zz%4"), "/a%zz%4");
    }
}
