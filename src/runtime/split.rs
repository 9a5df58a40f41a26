//! Cuts a stream into lines or into the elements of a JSON array, so that a file larger than memory can be read.

use std::io::{self, BufRead, Read};

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It was longer than allowed, and was passed over.
    TooLong,
    /// The stream ends inside of it.
    Broken(&'static str),
}

/// The next line without its end; `None` at the end of the stream.
pub fn line(from: &mut impl BufRead, most: usize) -> io::Result<Option<Piece>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    if from.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() > most {
        drop(bytes);
        pass_over(from)?;
        return Ok(Some(Piece::TooLong));
    }
    Ok(Some(Piece::Bytes(bytes)))
}

/// Goes to the end of a line without keeping it.
fn pass_over(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let (used, done) = match from.fill_buf()? {
            [] => return Ok(()),
            buffer => match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at.saturating_add(1), true),
                None => (buffer.len(), false),
            },
        };
        from.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Where a JSON text stands after some bytes: how deep, and whether inside a text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nesting {
    depth: usize,
    text: bool,
    escaped: bool,
}

impl Nesting {
    /// After one more byte.
    pub fn take(&mut self, byte: u8) {
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// Whether nothing is open.
    pub fn is_flat(&self) -> bool {
        self.depth == 0 && !self.text
    }
}

/// The next element of an array whose opening bracket was read already; `None` after its closing one.
pub fn element(from: &mut impl BufRead, most: usize) -> io::Result<Option<Piece>> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut nesting = Nesting::default();
    let mut too_long = false;
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Some(Piece::Broken("the list is not closed: was it cut off?")));
        }
        let mut used = 0usize;
        let mut end = None;
        for b in buffer {
            if nesting.is_flat() && matches!(b, b',' | b']') {
                end = Some(*b);
                break;
            }
            used = used.saturating_add(1);
            nesting.take(*b);
            if bytes.len() < most {
                bytes.push(*b);
            } else {
                too_long = true;
            }
        }
        // The closing bracket stays, so that the next call finds it alone.
        let last = end == Some(b']') && bytes.iter().all(u8::is_ascii_whitespace);
        from.consume(if end == Some(b',') || last { used.saturating_add(1) } else { used });
        if last {
            return Ok(None);
        }
        if end.is_some() {
            return Ok(Some(if too_long { Piece::TooLong } else { Piece::Bytes(bytes) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, element, line};
    use std::io::BufReader;

    fn elements(text: &str, buffer: usize) -> Vec<Piece> {
        let mut from = BufReader::with_capacity(buffer, text.as_bytes());
        let mut all = Vec::new();
        while let Some(p) = element(&mut from, 12).unwrap() {
            let broken = matches!(p, Piece::Broken(_));
            all.push(p);
            if broken {
                break;
            }
        }
        all
    }

    #[test]
    fn elements_are_cut_whatever_the_buffer() {
        for buffer in 1..20 {
            let text = |t: &str| Piece::Bytes(t.as_bytes().to_vec());
            let all = elements("{\"a\":[1,2]}, \"x,]\\\"\" ,[{}] ] tail", buffer);
            assert_eq!(all, [text("{\"a\":[1,2]}"), text(" \"x,]\\\"\" "), text("[{}] ")]);
            assert_eq!(elements(" ]", buffer), []);
            assert_eq!(elements("{\"long\": \"0123456789\"}, 1]", buffer), [Piece::TooLong, text(" 1")]);
            assert!(matches!(elements("1, {", buffer).as_slice(), [Piece::Bytes(_), Piece::Broken(_)]));
        }
    }

    #[test]
    fn lines_that_are_too_long_are_passed_over() {
        let mut from = BufReader::with_capacity(3, "ab\n0123456789\n\nend".as_bytes());
        let mut all = Vec::new();
        while let Some(p) = line(&mut from, 5).unwrap() {
            all.push(p);
        }
        let text = |t: &str| Piece::Bytes(t.as_bytes().to_vec());
        assert_eq!(all, [text("ab"), Piece::TooLong, text(""), text("end")]);
    }
}
