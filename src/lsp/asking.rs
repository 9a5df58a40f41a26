//! An expression under the cursor: its text, what it may speak of there, and the types of its parts.

use std::ops::Range;
use std::sync::Arc;

use super::tokens::{Tokens, takes_closure};
use crate::playbook::speech::Speech;
use crate::script::Ty;

/// Parameters with their types, outermost first.
pub type Locals = Vec<(Arc<str>, Ty)>;

/// What can be asked of an expression, also of one that does not parse as a whole.
pub struct Asking<'a> {
    /// The expression.
    pub tokens: Tokens<'a>,
    /// What its file can speak of.
    pub speech: &'a Speech,
    /// The parameters of its condition, card or hunt.
    pub locals: Locals,
}

impl<'a> Asking<'a> {
    /// Over a text.
    pub fn new(text: &'a str, speech: &'a Speech, locals: Locals) -> Self {
        Self { tokens: Tokens::of(text), speech, locals }
    }

    /// All parameters at a byte, those of the closures that are open there included.
    pub fn locals_at(&self, byte: usize) -> Locals {
        let mut all = self.locals.clone();
        for open in self.tokens.open(byte) {
            let Some(param) = open.closure.first() else { continue };
            let list = open.name.filter(|n| takes_closure(self.tokens.word(*n))).and_then(|n| self.before_dot(n, &all));
            let item = match list {
                Some(Ty::List(of)) => *of,
                _ => Ty::Unknown,
            };
            all.push((self.tokens.word(*param).into(), item));
        }
        all
    }

    /// The type of what stands before the dot of a member, with these parameters.
    fn before_dot(&self, member: usize, locals: &[(Arc<str>, Ty)]) -> Option<Ty> {
        if !self.tokens.is_member(member) {
            return None;
        }
        self.type_of(self.tokens.receiver(member.checked_sub(1)?)?, locals)
    }

    /// The type of what stands before the dot of the member at a token.
    pub fn receiver_type(&self, member: usize) -> Option<Ty> {
        let at = self.tokens.all.get(member)?.start;
        self.before_dot(member, &self.locals_at(at))
    }

    /// The type of a part.
    fn type_of(&self, range: Range<usize>, locals: &[(Arc<str>, Ty)]) -> Option<Ty> {
        self.speech.type_of(self.tokens.text.get(range)?, locals)
    }

    /// Whether a member is the name of a list, behind `lists.`.
    pub fn of_lists(&self, member: usize) -> bool {
        self.tokens.is_member(member)
            && member.checked_sub(2).is_some_and(|n| self.tokens.word(n) == "lists" && !self.tokens.is_member(n))
            && !self.locals.iter().any(|(n, _)| &**n == "lists")
    }
}
