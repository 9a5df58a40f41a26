//! An expression as words and signs, also while it is being typed and nothing parses: what stands before a dot, which
//! closures are open, in which argument of which function a place lies, and which names are asked for.

use std::ops::Range;

use crate::script::functions::{self, CLOSURES, Pat};
use crate::script::parse::{held, skip_blanks, token_end};

/// A word, number, text or sign: its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// An expression with its tokens.
#[derive(Debug)]
pub struct Tokens<'a> {
    /// The text.
    pub text: &'a str,
    /// The tokens in order.
    pub all: Vec<Token>,
}

/// A call that is open at a place.
#[derive(Debug)]
pub struct Open {
    /// The position of the function's name, if a name stands before the bracket.
    pub name: Option<usize>,
    /// The parameters of a closure that began in it.
    pub closure: Vec<usize>,
    /// Which argument it is in, from 0.
    pub argument: usize,
    bracket: char,
}

/// What an expression names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A binding, condition, collection or the like.
    Name(&'a str),
    /// A text that a function reads as the id of something.
    Word(Pat, &'a str),
}

impl<'a> Tokens<'a> {
    /// The tokens of a text.
    pub fn of(text: &'a str) -> Self {
        let mut all = Vec::new();
        let mut at = 0;
        while let Some(start) = skip_blanks(text, at) {
            let end = token_end(text, start).max(start.saturating_add(1));
            all.push(Token { start, end });
            at = end;
        }
        Self { text, all }
    }

    /// The text of a token.
    pub fn word(&self, n: usize) -> &'a str {
        self.all.get(n).and_then(|t| self.text.get(t.start..t.end)).unwrap_or("")
    }

    /// The text of the token before one.
    fn before(&self, n: usize) -> &'a str {
        n.checked_sub(1).map_or("", |n| self.word(n))
    }

    /// Whether a token is a word.
    pub fn is_word(&self, n: usize) -> bool {
        self.word(n).starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    /// Whether a token stands behind a dot.
    pub fn is_member(&self, n: usize) -> bool {
        matches!(self.before(n), "." | "?.")
    }

    /// The token that holds a byte, or ends at it.
    pub fn at(&self, byte: usize) -> Option<usize> {
        let n = self.all.partition_point(|t| t.start <= byte).checked_sub(1)?;
        let t = self.all.get(n)?;
        // Between two tokens that touch, the word is meant and not the sign.
        if t.start == byte && !self.is_word(n) {
            let before = n.checked_sub(1)?;
            if self.all.get(before).is_some_and(|b| b.end == byte) && self.is_word(before) {
                return Some(before);
            }
        }
        (byte <= t.end).then_some(n)
    }

    /// What stands before the dot that is token `dot`: its bytes.
    pub fn receiver(&self, dot: usize) -> Option<Range<usize>> {
        let mut n = dot.checked_sub(1)?;
        loop {
            match self.word(n) {
                ")" | "]" => {
                    n = self.opening(n)?;
                    // A call's name, or what is indexed, belongs to it.
                    match n.checked_sub(1) {
                        Some(b) if self.is_word(b) || self.word(b) == ")" || self.word(b) == "]" => {
                            n = b;
                            if !self.is_word(b) {
                                continue;
                            }
                        }
                        _ => {}
                    }
                }
                w if self.is_word(n) || w.starts_with(['"', '`']) || w.starts_with(|c: char| c.is_ascii_digit()) => {}
                _ => return None,
            }
            if !self.is_member(n) {
                break;
            }
            n = n.checked_sub(2)?;
        }
        Some(self.all.get(n)?.start..self.all.get(dot.checked_sub(1)?)?.end)
    }

    /// The bracket that the one at `n` closes.
    fn opening(&self, n: usize) -> Option<usize> {
        let mut depth = 0usize;
        for k in (0..=n).rev() {
            match self.word(k) {
                ")" | "]" | "}" => depth = depth.saturating_add(1),
                "(" | "[" | "{" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(k);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The brackets that are open before a byte, outermost first.
    pub fn open(&self, byte: usize) -> Vec<Open> {
        let mut all: Vec<Open> = Vec::new();
        let mut n = 0;
        while self.all.get(n).is_some_and(|t| t.end <= byte) {
            match self.word(n) {
                w @ ("(" | "[" | "{") => {
                    let name = n.checked_sub(1).filter(|b| w == "(" && self.is_word(*b));
                    all.push(Open { name, closure: Vec::new(), argument: 0, bracket: w.chars().next().unwrap_or('(') });
                }
                ")" | "]" | "}" => {
                    all.pop();
                }
                "," => {
                    if let Some(top) = all.last_mut() {
                        top.argument = top.argument.saturating_add(1);
                    }
                }
                "|" if matches!(self.before(n), "(" | ",") => {
                    let mut k = n.saturating_add(1);
                    let mut params = Vec::new();
                    while k < self.all.len() && self.word(k) != "|" {
                        if self.is_word(k) {
                            params.push(k);
                        }
                        k = k.saturating_add(1);
                    }
                    if let Some(top) = all.last_mut() {
                        top.closure = params;
                    }
                    n = k;
                }
                _ => {}
            }
            n = n.saturating_add(1);
        }
        all
    }

    /// The function in whose argument a byte lies, with the number of the argument.
    pub fn call(&self, byte: usize) -> Option<(usize, usize)> {
        let open = self.open(byte);
        let top = open.last().filter(|o| o.bracket == '(')?;
        Some((top.name?, top.argument))
    }

    /// What the text at a token is read as: the pattern of the parameter of the function that it is given to.
    pub fn text_is(&self, n: usize) -> Option<Pat> {
        let t = self.all.get(n)?;
        let (name, argument) = self.call(t.start)?;
        param(self.word(name), argument)
    }

    /// Every name and every id that the expression asks for, with the bytes of each; parameters of closures are not asked for.
    pub fn asked(&self, locals: &[&str]) -> Vec<(Range<usize>, Asked<'a>)> {
        let mut out = Vec::new();
        for (n, t) in self.all.iter().enumerate() {
            let word = self.word(n);
            if word.starts_with('"') && word.len() >= 2 {
                if let Some(pat) = self.text_is(n) {
                    let inner = t.start.saturating_add(1)..t.end.saturating_sub(1);
                    out.push((inner.clone(), Asked::Word(pat, self.text.get(inner).unwrap_or(""))));
                }
            } else if word.starts_with('`') {
                let mut from = t.start;
                for part in held(word) {
                    let Some(at) = self.text.get(from..).and_then(|r| r.find(part)).map(|n| from.saturating_add(n)) else { continue };
                    from = at;
                    let inner = Tokens::of(part);
                    let open: Vec<&str> = self.closure_names(t.start);
                    let locals: Vec<&str> = locals.iter().copied().chain(open).collect();
                    out.extend(inner.asked(&locals).into_iter().map(|(r, a)| (r.start.saturating_add(at)..r.end.saturating_add(at), a)));
                }
            } else if self.is_word(n) {
                if self.is_member(n) {
                    // `lists.own_networks`
                    if self.before(n) == "." && n.checked_sub(2).is_some_and(|b| self.word(b) == "lists" && !self.is_member(b)) {
                        out.push((t.start..t.end, Asked::Word(Pat::ListId, word)));
                    }
                    continue;
                }
                // A key of a map, `#{ name: … }`, is no name.
                let key = self.word(n.saturating_add(1)) == ":" && matches!(self.before(n), "{" | ",");
                let own = self.open(t.start).iter().any(|o| o.closure.iter().any(|c| self.word(*c) == word));
                let declares = self.declares(n);
                if !key && !own && !declares && !locals.contains(&word) {
                    out.push((t.start..t.end, Asked::Name(word)));
                }
            }
        }
        out
    }

    /// Whether a word declares a parameter of a closure.
    pub fn declares(&self, n: usize) -> bool {
        for k in (0..n).rev() {
            match self.word(k) {
                "|" => return matches!(self.before(k), "(" | ","),
                "," => {}
                _ if self.is_word(k) => {}
                _ => return false,
            }
        }
        false
    }

    fn closure_names(&self, byte: usize) -> Vec<&'a str> {
        self.open(byte).iter().flat_map(|o| o.closure.iter().map(|c| self.word(*c)).collect::<Vec<_>>()).collect()
    }
}

/// What a function reads its argument as, where all functions of this name agree on it or only one takes it as an id.
pub fn param(function: &str, argument: usize) -> Option<Pat> {
    functions::all().filter(|f| f.name == function).filter_map(|f| f.params.get(argument)).map(|p| p.1).find(|p| p.literal())
}

/// Whether a function takes a closure.
pub fn takes_closure(function: &str) -> bool {
    CLOSURES.iter().any(|c| c.0 == function)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn receiver(text: &str) -> &str {
        let t = Tokens::of(text);
        let dot = t.all.len() - 1;
        t.receiver(dot).and_then(|r| text.get(r)).unwrap_or("-")
    }

    #[test]
    fn what_stands_before_a_dot_is_found_in_broken_text() {
        assert_eq!(receiver("a && users.filter(|u| u.out(\"clicked\").len() > 0)."), "users.filter(|u| u.out(\"clicked\").len() > 0)");
        assert_eq!(receiver("users.filter(|u| u."), "u");
        assert_eq!(receiver("a[0].b?."), "a[0].b");
        assert_eq!(receiver("x == \"2h\"."), "\"2h\"");
        assert_eq!(receiver("(a || b)."), "(a || b)");
        assert_eq!(receiver("a == ."), "-");
    }

    #[test]
    fn closures_that_are_open_are_known() {
        let text = "users.some(|u| emails.filter(|m| m.x).all(|n| ";
        let t = Tokens::of(text);
        let names: Vec<&str> = t.open(text.len()).iter().flat_map(|o| o.closure.iter().map(|c| t.word(*c)).collect::<Vec<_>>()).collect();
        assert_eq!(names, ["u", "n"]);
        let text = "user.then(\"clicked\", \"";
        assert_eq!(Tokens::of(text).call(text.find(", \"").unwrap() + 2).map(|c| c.1), Some(1));
    }

    #[test]
    fn names_are_told_from_members_locals_and_texts() {
        let text = "clickers.some(|u| taken(u) && u.taken) || lists.own.has(x) && \"clickers\" == `a ${clickers.len()}` && e.has_signal(\"s\") && #{ k: v }.k";
        let asked: Vec<String> = Tokens::of(text)
            .asked(&["e"])
            .into_iter()
            .map(|(r, a)| match a {
                Asked::Name(n) => format!("{n}@{}", text.get(r).unwrap()),
                Asked::Word(p, w) => format!("{p:?} {w}@{}", text.get(r).unwrap()),
            })
            .collect();
        assert_eq!(asked, ["clickers@clickers", "taken@taken", "lists@lists", "ListId own@own", "x@x", "clickers@clickers", "Signal s@s", "v@v"]);
    }
}
