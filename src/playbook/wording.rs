//! Which rules of signals could fit an alert: a way from what an alert says to the few rules that are worth comparing,
//! however many there are.

use std::collections::HashMap;
use std::sync::Arc;

use super::set::Signal;
use crate::script::glob::Glob;

/// A rule of a signal: the signal's position in the set, and the rule's in the signal.
pub type RuleAt = (u32, u32);

/// A glob of a rule: the rule, and the glob's position in it.
type GlobAt = (RuleAt, u32);

/// The rules of all signals, by what an alert must have in it for them to fit.
#[derive(Debug, Default)]
pub struct Wording {
    titles: Grams,
    families: Grams,
    detectors: HashMap<Box<str>, Vec<RuleAt>>,
    /// Rules that ask for neither title nor detector.
    always: Vec<RuleAt>,
}

impl Wording {
    /// The way to the rules of these signals.
    pub fn of(signals: &[Arc<Signal>]) -> Self {
        let mut wording = Self::default();
        let (mut titles, mut families) = (Vec::new(), Vec::new());
        for (s, signal) in (0u32..).zip(signals) {
            for (r, rule) in (0u32..).zip(&signal.rules) {
                let at = (s, r);
                if !rule.titles.is_empty() {
                    titles.extend(rule.titles.iter().zip(0..).map(|(g, n)| (g, (at, n))));
                } else if !rule.detectors.is_empty() || !rule.families.is_empty() {
                    families.extend(rule.families.iter().zip(0..).map(|(g, n)| (g, (at, n))));
                    rule.detectors.iter().for_each(|d| wording.detectors.entry(d.as_str().into()).or_default().push(at));
                } else {
                    wording.always.push(at);
                }
            }
        }
        wording.titles = Grams::of(&titles);
        wording.families = Grams::of(&families);
        wording
    }

    /// The rules whose titles fit this one, as it is compared, or whose detectors fit one of these, where they ask for no
    /// title; and those that ask for neither. In order.
    pub fn could_fit<'d>(&self, signals: &[Arc<Signal>], title: &str, detectors: impl IntoIterator<Item = &'d str>) -> Vec<RuleAt> {
        let rule = |(s, r): RuleAt| signals.get(s as usize).and_then(|s| s.rules.get(r as usize));
        let mut found = self.always.clone();
        found.extend(self.titles.that_fit(title, |at, n| rule(at)?.titles.get(n)));
        for d in detectors {
            found.extend(self.detectors.get(d).into_iter().flatten());
            found.extend(self.families.that_fit(d, |at, n| rule(at)?.families.get(n)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Globs under three letters in a row that a text must have somewhere.
#[derive(Debug, Default)]
struct Grams {
    /// Where the globs of each place begin; one more than there are places.
    starts: Vec<u32>,
    globs: Vec<GlobAt>,
    /// Globs without three letters in a row.
    loose: Vec<GlobAt>,
}

/// How many places there are, as a power of two.
const BITS: u32 = 12;

/// The places of all three letters in a row.
fn places(text: &str) -> impl Iterator<Item = usize> {
    text.as_bytes().windows(3).map(|w| {
        let gram = w.iter().fold(0u32, |n, b| n << 8 | u32::from(*b));
        (gram.wrapping_mul(0x9e37_79b1) >> 32u32.saturating_sub(BITS)) as usize
    })
}

impl Grams {
    fn of(globs: &[(&Glob, GlobAt)]) -> Self {
        if globs.is_empty() {
            return Self::default();
        }
        let mut common = vec![0u32; 1 << BITS];
        for place in globs.iter().flat_map(|(g, _)| g.literals().flat_map(places)) {
            if let Some(n) = common.get_mut(place) {
                *n = n.saturating_add(1);
            }
        }
        let mut grams = Self::default();
        let mut placed: Vec<(usize, GlobAt)> = Vec::with_capacity(globs.len());
        for (glob, at) in globs {
            // The rarest of its letters leads to it.
            match glob.literals().flat_map(places).min_by_key(|p| common.get(*p)) {
                Some(place) => placed.push((place, *at)),
                None => grams.loose.push(*at),
            }
        }
        placed.sort_unstable();
        let mut all = placed.iter().peekable();
        for place in 0..=1usize << BITS {
            grams.starts.push(u32::try_from(grams.globs.len()).unwrap_or(u32::MAX));
            while let Some((_, at)) = all.next_if(|(p, _)| *p == place) {
                grams.globs.push(*at);
            }
        }
        grams
    }

    /// The rules of which a glob fits a text.
    fn that_fit<'g>(&self, text: &str, glob: impl Fn(RuleAt, usize) -> Option<&'g Glob>) -> impl Iterator<Item = RuleAt> {
        let mut found = self.loose.clone();
        for place in places(text).filter(|_| !self.globs.is_empty()) {
            if let Some([from, to]) = self.starts.get(place..).and_then(|s| s.first_chunk::<2>())
                && from < to
            {
                found.extend(self.globs.get(*from as usize..*to as usize).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter(move |(at, n)| glob(*at, *n as usize).is_some_and(|g| g.fits(text))).map(|(at, _)| at)
    }
}
