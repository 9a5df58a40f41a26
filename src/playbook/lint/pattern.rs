//! Regular expressions that can never be found: text before the beginning or behind the end, classes without a character.
//! Where a pattern is written in a way that this does not follow, it is taken to be right.

/// Why a pattern is never found, if that is so. `text` is known to compile.
pub(super) fn never(text: &str) -> Option<&'static str> {
    if text.contains(r"[^\s\S]") || text.contains(r"[^\w\W]") || text.contains(r"[^\d\D]") {
        return Some("a class in it holds no character");
    }
    let mut reader = Reader::new(text)?;
    let branch = reader.alternatives(0)?;
    if branch.alive { None } else { branch.why }
}

/// A letter that must be in the text and is in the wrong case: a capital where all is in lower case.
pub(super) fn letter(text: &str, lower: bool) -> Option<char> {
    let mut reader = Reader::new(text)?;
    let branch = reader.alternatives(0)?;
    branch.needs.into_iter().find(|c| if lower { c.is_uppercase() } else { c.is_lowercase() })
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

/// What a part of a pattern does.
#[derive(Clone, Default)]
struct Part {
    /// Whether it takes at least one character wherever it fits.
    takes: bool,
    /// Letters that must be there.
    needs: Vec<char>,
    /// Whether it can fit at all.
    alive: bool,
    /// Whether it ends at the end of the text.
    ended: bool,
    /// Whether it begins at the beginning of the text.
    begins: bool,
    why: Option<&'static str>,
}

const BEFORE: &str = "something stands before the beginning (`^`)";
const BEHIND: &str = "something stands behind the end (`$`)";

impl Reader {
    /// Nothing where flags change what `^`, `$` or blanks mean.
    fn new(text: &str) -> Option<Self> {
        let flags = text.match_indices("(?").any(|(at, _)| {
            let rest = text.get(at.saturating_add(2)..).unwrap_or("");
            rest.starts_with(|c: char| c == '-' || c.is_ascii_alphabetic() && c != 'P')
        });
        (!flags && !text.contains("&&") && !text.contains("[[")).then(|| Self { chars: text.chars().collect(), at: 0 })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at = self.at.saturating_add(1);
        c
    }

    /// Branches up to a closing parenthesis or the end.
    fn alternatives(&mut self, depth: usize) -> Option<Part> {
        if depth > 40 {
            return None;
        }
        let mut all = vec![self.sequence(depth)?];
        while self.peek() == Some('|') {
            self.next();
            all.push(self.sequence(depth)?);
        }
        let why = all.iter().find_map(|b| b.why);
        let alive: Vec<&Part> = all.iter().filter(|b| b.alive).collect();
        Some(Part {
            takes: !alive.is_empty() && alive.iter().all(|b| b.takes),
            needs: if all.len() == 1 { all.first().map(|b| b.needs.clone()).unwrap_or_default() } else { Vec::new() },
            alive: !alive.is_empty(),
            ended: !alive.is_empty() && alive.iter().all(|b| b.ended),
            begins: !alive.is_empty() && alive.iter().all(|b| b.begins),
            why,
        })
    }

    fn sequence(&mut self, depth: usize) -> Option<Part> {
        let mut whole = Part { alive: true, ..Part::default() };
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            let mut part = self.part(depth)?;
            let optional = match self.peek() {
                Some('*' | '?') => true,
                Some('{') => {
                    let rest: String = self.chars.iter().skip(self.at).take_while(|c| **c != '}').collect();
                    while self.next() != Some('}') {
                        self.peek()?;
                    }
                    self.at = self.at.saturating_sub(1);
                    rest.starts_with("{0")
                }
                _ => false,
            };
            if matches!(self.peek(), Some('*' | '+' | '?' | '}')) {
                self.next();
                // Lazy.
                if self.peek() == Some('?') {
                    self.next();
                }
            }
            if optional {
                part = Part { alive: true, ..Part::default() };
            }
            let wrong = if part.begins && whole.takes {
                Some(BEFORE)
            } else if whole.ended && part.takes {
                Some(BEHIND)
            } else if !part.alive {
                part.why
            } else {
                None
            };
            if let Some(why) = wrong {
                whole.alive = false;
                whole.why = whole.why.or(Some(why));
            }
            // What begins at the beginning does so only if nothing was taken before it.
            whole.begins |= part.begins && !whole.takes;
            whole.ended |= part.ended;
            whole.takes |= part.takes;
            whole.needs.extend(part.needs);
        }
        Some(whole)
    }

    fn part(&mut self, depth: usize) -> Option<Part> {
        let takes = |needs: Vec<char>| Part { takes: true, alive: true, needs, ..Part::default() };
        Some(match self.next()? {
            '^' => Part { begins: true, alive: true, ..Part::default() },
            '$' => Part { ended: true, alive: true, ..Part::default() },
            '(' => {
                if self.peek() == Some('?') {
                    // `(?:` or a name; flags were ruled out.
                    while !matches!(self.next()?, ':' | '>') {}
                }
                let inner = self.alternatives(depth.saturating_add(1))?;
                (self.next()? == ')').then_some(inner)?
            }
            '[' => {
                if self.peek() == Some('^') {
                    self.next();
                }
                if self.peek() == Some(']') {
                    self.next();
                }
                loop {
                    match self.next()? {
                        '\\' => {
                            self.next();
                        }
                        ']' => break,
                        _ => {}
                    }
                }
                takes(Vec::new())
            }
            '\\' => match self.next()? {
                'A' => Part { begins: true, alive: true, ..Part::default() },
                'z' => Part { ended: true, alive: true, ..Part::default() },
                'b' | 'B' => Part { alive: true, ..Part::default() },
                // Escapes that are longer than a letter are not followed.
                'x' | 'u' | 'U' | 'p' | 'P' => return None,
                _ => takes(Vec::new()),
            },
            c if c.is_alphabetic() => takes(vec![c]),
            _ => takes(Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{letter, never};

    #[test]
    fn patterns_that_are_never_found() {
        for text in ["a^b", "x$y", r"[^\s\S]", "(a|b)^c", "foo$.+", "^a$b", r"\w+\Ax", "a(^b|^c)"] {
            assert!(never(text).is_some(), "{text}");
            // The second opinion: nothing that could be there is found.
            let r = regex::Regex::new(text).unwrap();
            assert!(["", "a", "ab", "abc", "xy", "foo", "foobar", "ab\nc", "bc", "x"].iter().all(|t| !r.is_match(t)), "{text}");
        }
    }

    #[test]
    fn patterns_that_may_be_found() {
        for text in [
            "^a$",
            "a|^b",
            "(^|/)x",
            "x($|/)",
            "(?m)a$b",
            "(?i)a^b",
            "a*^b",
            "a?^b",
            r"a\^b",
            "[$]a",
            "[^]]a",
            r"^\d{4}$",
            "a{0,2}^b",
            "(?:a|^)b",
            "x$|y",
            r"(?i)windows.(system32|syswow64)",
            r"\bfoo\b",
            "^$",
            "(a*)^b",
            "^^a",
            "a$$",
            "",
        ] {
            assert_eq!(never(text), None, "{text}");
        }
    }

    #[test]
    fn letters_that_must_be_there() {
        assert_eq!(letter("^Ada", true), Some('A'));
        assert_eq!(letter("^(Ada|bo)", true), None);
        assert_eq!(letter("[A-Z]x?", true), None);
        assert_eq!(letter("(?i)Ada", true), None);
        assert_eq!(letter(r"\Wada\S", true), None);
        assert_eq!(letter("B*a", true), None);
    }
}
