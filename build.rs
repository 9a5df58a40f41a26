//! Reads the playbooks that ship when the program is built, so that it need not parse their YAML each time it starts: the
//! events of the parser are kept as bytes, and `src/playbook/shipped.rs` turns them into the same trees.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "what is wrong here stops the build")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use granit_parser::{Event, Marker, Parser, ScalarStyle};

#[path = "src/playbook/front.rs"]
mod front;

fn main() {
    println!("cargo::rerun-if-changed=playbooks");
    println!("cargo::rerun-if-changed=src/playbook/front.rs");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is")).join("playbooks");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    let mut files = Vec::new();
    walk(&root, "", &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for (n, (name, path)) in files.iter().enumerate() {
        let text = fs::read_to_string(path).expect("a playbook can be read");
        let front = front::before_tests(&text).unwrap_or(&text);
        fs::write(out.join(format!("{n}.events")), events(path, front, false)).expect("the folder can be written");
        fs::write(out.join(format!("{n}.head")), events(path, front, true)).expect("the folder can be written");
        let hash = blake3::hash(text.as_bytes());
        writeln!(
            table,
            "Shipped {{ path: concat!(shipped_prefix!(), {name:?}), text: include_str!({path:?}), hash: {:?}, events: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{n}.events\")), head: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{n}.head\")) }},",
            hash.as_bytes()
        )
        .expect("a text can be written");
    }
    table.push(']');
    fs::write(out.join("shipped.rs"), table).expect("the folder can be written");
}

/// The files below a folder, each with its name: `signals/email.yaml`.
fn walk(folder: &Path, above: &str, into: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = format!("{above}{}", path.file_name().expect("an entry has a name").to_string_lossy());
        if path.is_dir() {
            walk(&path, &format!("{name}/"), into);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            into.push((name, path));
        }
    }
}

/// What the parser says of a text: for each event a mark, its first byte and its length, and for a scalar its text. Of the
/// head, only the keys of a playbook that say whether it matches, and whatever it builds on.
fn events(path: &Path, text: &str, head: bool) -> Vec<u8> {
    const HEAD: &[&str] = &["playbook", "title", "version", "status", "match", "use"];
    let mut out = Vec::new();
    // How deep the parser is, whether a key of the file comes next, and whether what follows it is kept.
    let (mut depth, mut key, mut kept) = (0usize, true, true);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let odd = || panic!("{}: playbooks that ship have no tags, anchors and aliases", path.display());
        let (mark, value) = match &event {
            Event::Scalar(value, style, 0, None) => {
                let mark = match style {
                    ScalarStyle::Plain => b'p',
                    ScalarStyle::SingleQuoted => b's',
                    ScalarStyle::DoubleQuoted => b'd',
                    ScalarStyle::Literal | ScalarStyle::Folded => b'b',
                };
                (mark, Some(value))
            }
            Event::SequenceStart(_, 0, None) => (b'[', None),
            Event::MappingStart(_, 0, None) => (b'{', None),
            Event::SequenceEnd | Event::MappingEnd => (b'.', None),
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => odd(),
            _ => continue,
        };
        depth -= usize::from(mark == b'.');
        if depth == 1 {
            if key {
                kept = !head || value.is_some_and(|v| HEAD.contains(&&**v));
            }
            // A list or map is a value as a whole: it ends here, too.
            key = if matches!(mark, b'[' | b'{') { false } else { !key };
        }
        let inside = depth > 0;
        depth += usize::from(matches!(mark, b'[' | b'{'));
        if inside && !kept {
            continue;
        }
        let byte = |mark: &Marker| mark.byte_offset().expect("a text has bytes");
        let (start, end) = (byte(&span.start), byte(&span.end));
        out.push(mark);
        number(start, &mut out);
        number(end.checked_sub(start).expect("an end is behind its start"), &mut out);
        if let Some(value) = value {
            number(value.len(), &mut out);
            out.extend(value.as_bytes());
        }
    }
    out
}

/// A number, seven bits a byte, the lowest first.
fn number(mut n: usize, out: &mut Vec<u8>) {
    while n > 0x7f {
        out.push(u8::try_from(n & 0x7f).expect("seven bits") | 0x80);
        n >>= 7;
    }
    out.push(u8::try_from(n).expect("seven bits"));
}
