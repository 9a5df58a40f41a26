//! Which named clauses a playbook puts to an incident: worked out once for the playbook, then asked of each incident.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::EntityIx;
use crate::playbook::set::{Playbook, Target};
use crate::script::expr::{Condition, Expr, Key, Node};
use crate::script::plan::{Op, begun, operands, parts};
use crate::script::{Cx, Value};

/// How many items of one list are gone through.
const ITEMS: usize = 200;
/// How many clauses and items a playbook's walk over one incident may take.
const VISITS: usize = 20_000;

/// How often a clause was asked, and held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// For how many things.
    pub asked: u64,
    /// For how many of them it held.
    pub held: u64,
}

impl Answered {
    fn add(&mut self, holds: bool) {
        self.asked = self.asked.saturating_add(1);
        self.held = self.held.saturating_add(u64::from(holds));
    }
}

/// The plans of parts of `&&` where they stand within that of the whole, which is asked before them.
fn within(playbook: &Playbook) -> BTreeMap<*const Expr, &[Op]> {
    let whens = playbook.triage.iter().map(|a| &a.when).chain(playbook.cards.iter().map(|c| &c.when)).flatten();
    let parts = whens.filter_map(|when| match (&when.node, &when.plan) {
        (Node::And(all), Some(plan)) => Some(all.iter().map(std::ptr::from_ref).zip(parts(operands(plan.ops())))),
        _ => None,
    });
    parts.flatten().collect()
}

/// A step of the walk; what holds no clause is left out.
enum Ask<'p> {
    /// What is asked once an incident, wherever it stands: the place of its mark.
    Once(usize, Vec<Ask<'p>>),
    /// The steps of a named value or of a clause, by their place.
    Shared(usize),
    /// A clause: its number, the expression that asks it, what it is about, and the steps of its own question.
    Clause(usize, &'p Expr, &'p [Expr], usize),
    /// The same for each item of a list.
    Each(&'p Expr, Vec<Ask<'p>>),
}

/// What begins a walk.
enum Root<'p> {
    Arm(Vec<Ask<'p>>),
    Each(&'p Expr, Vec<Ask<'p>>),
    All(&'p Expr, Vec<Ask<'p>>),
}

/// The clauses that a playbook's triage and cards ask of an incident. Unlike in the answer itself, a part of `&&` is asked
/// also where an earlier part settles it, so that a rate does not depend on the order of writing.
pub struct Asks<'p> {
    /// Where all of them are about the incident, and are not asked of items: each once, and there is nothing to walk.
    plain: Option<Vec<(usize, &'p [Op])>>,
    roots: Vec<Root<'p>>,
    shared: Vec<Vec<Ask<'p>>>,
    clauses: usize,
    /// How many questions are asked once an incident.
    once: usize,
}

/// The marks of one walk. They are numbered, so that the next one, of whatever playbook, need not clear them.
#[derive(Default)]
pub struct Walk {
    number: u32,
    once: Vec<u32>,
    /// By clause, and in it for no entity and each one.
    about: Vec<u32>,
    entities: usize,
    /// What was asked about several entities together.
    several: BTreeSet<(usize, Vec<EntityIx>)>,
    left: usize,
}

impl<'p> Asks<'p> {
    /// The walk of a playbook, or what is asked in its place where there is nothing to walk.
    pub fn of(playbook: &'p Playbook) -> Self {
        let all = Self::walked(playbook);
        match all.plainly(&within(playbook)) {
            None => all,
            plain => Self { plain, roots: Vec::new(), shared: Vec::new(), ..all },
        }
    }

    fn walked(playbook: &'p Playbook) -> Self {
        let mut plan = Plan { names: playbook.conditions.keys().collect(), once: BTreeMap::new(), places: BTreeMap::new(), shared: Vec::new() };
        let mut roots = Vec::new();
        for when in playbook.triage.iter().filter_map(|a| a.when.as_ref()) {
            roots.push(Root::Arm(plan.steps(when)));
        }
        for card in &playbook.cards {
            let when = |plan: &mut Plan<'p>| card.when.as_ref().map(|w| plan.steps(w)).unwrap_or_default();
            match &card.target {
                Target::Incident => roots.push(Root::Arm(when(&mut plan))),
                Target::Each(_, list) => {
                    roots.push(Root::Arm(plan.steps(list)));
                    roots.push(Root::Each(list, when(&mut plan)));
                }
                Target::All(_, list) => {
                    roots.push(Root::Arm(plan.steps(list)));
                    roots.push(Root::All(list, when(&mut plan)));
                }
            }
        }
        roots.retain(|r| !matches!(r, Root::Arm(s) | Root::Each(_, s) | Root::All(_, s) if s.is_empty()));
        Self { plain: None, roots, shared: plan.shared, clauses: playbook.conditions.len(), once: plan.once.len() }
    }

    /// The clauses in the order in which they are asked, if all of them are about the incident.
    fn plainly(&self, within: &BTreeMap<*const Expr, &'p [Op]>) -> Option<Vec<(usize, &'p [Op])>> {
        let (mut out, mut left) = (Vec::new(), VISITS);
        for root in &self.roots {
            let Root::Arm(steps) = root else { return None };
            self.plain_steps(steps, within, &mut left, &mut out)?;
        }
        Some(out)
    }

    fn plain_steps(
        &self,
        steps: &[Ask<'p>],
        within: &BTreeMap<*const Expr, &'p [Op]>,
        left: &mut usize,
        out: &mut Vec<(usize, &'p [Op])>,
    ) -> Option<()> {
        for step in steps {
            *left = left.checked_sub(1)?;
            match step {
                Ask::Once(_, inner) => self.plain_steps(inner, within, left, out)?,
                Ask::Shared(place) => self.plain_steps(self.shared.get(*place)?, within, left, out)?,
                Ask::Clause(n, e, [], below) => {
                    if !out.iter().any(|(known, _)| known == n) {
                        out.push((*n, within.get(&std::ptr::from_ref(*e)).copied().or_else(|| e.plan.as_ref().map(|p| p.ops()))?));
                        self.plain_steps(self.shared.get(*below)?, within, left, out)?;
                    }
                }
                Ask::Clause(..) | Ask::Each(..) => return None,
            }
        }
        Some(())
    }

    /// Asks an incident, and adds to the answers of each clause, in the order of their names.
    pub fn ask(&self, cx: &mut Cx<'_>, walk: &mut Walk, answers: &mut [Answered]) {
        if let Some(plain) = &self.plain {
            for (n, plan) in plain {
                if let (Some(holds), Some(a)) = (begun(plan).and_then(|b| cx.gate(b)), answers.get_mut(*n)) {
                    a.add(holds);
                }
            }
            return;
        }
        walk.number = walk.number.wrapping_add(1);
        walk.entities = cx.facts.incident.entities.len();
        walk.left = VISITS;
        walk.several.clear();
        if walk.number == 0 {
            walk.once.iter_mut().chain(&mut walk.about).for_each(|m| *m = 0);
            walk.number = 1;
        }
        let room = self.clauses.saturating_mul(walk.entities.saturating_add(1));
        walk.about.resize(room.max(walk.about.len()), 0);
        walk.once.resize(self.once.max(walk.once.len()), 0);
        let mut run = Run { cx, shared: &self.shared, walk, answers, params: Vec::new() };
        for root in &self.roots {
            match root {
                Root::Arm(steps) => run.steps(steps),
                Root::Each(list, steps) => run.each(list, steps),
                Root::All(list, steps) => {
                    let list = run.value(list);
                    if !list.items().is_empty() {
                        run.with(list, steps);
                    }
                }
            }
        }
    }
}

struct Plan<'p> {
    /// In order, as their numbers are.
    names: Vec<&'p Arc<str>>,
    /// The mark of a question.
    once: BTreeMap<Key, usize>,
    /// Where the steps of a named value or a clause are, by its address.
    places: BTreeMap<*const Expr, usize>,
    shared: Vec<Vec<Ask<'p>>>,
}

impl<'p> Plan<'p> {
    fn steps(&mut self, e: &'p Expr) -> Vec<Ask<'p>> {
        let mut out = Vec::new();
        self.add(e, &mut out);
        out
    }

    fn add(&mut self, e: &'p Expr, out: &mut Vec<Ask<'p>>) {
        if e.memo.is_none() {
            return self.node(e, out);
        }
        let mut inner = Vec::new();
        self.node(e, &mut inner);
        if !inner.is_empty() {
            let next = self.once.len();
            out.push(Ask::Once(*self.once.entry(e.key).or_insert(next), inner));
        }
    }

    fn node(&mut self, e: &'p Expr, out: &mut Vec<Ask<'p>>) {
        match &e.node {
            Node::Binding(_, body) => {
                let place = self.place(body);
                if self.shared.get(place).is_some_and(|s| !s.is_empty()) {
                    out.push(Ask::Shared(place));
                }
            }
            Node::Clause(clause, args) => {
                args.iter().for_each(|a| self.add(a, out));
                let Condition { name, body, .. } = &**clause;
                let place = self.place(body);
                // A name that the playbook does not have cannot be told of.
                match self.names.binary_search(&name) {
                    Ok(n) => out.push(Ask::Clause(n, e, args, place)),
                    Err(_) => out.push(Ask::Shared(place)),
                }
            }
            Node::Each(_, list, body) => {
                self.add(list, out);
                let steps = self.steps(body);
                if !steps.is_empty() {
                    out.push(Ask::Each(list, steps));
                }
            }
            _ => e.parts(&mut |x| self.add(x, out)),
        }
    }

    fn place(&mut self, body: &'p Expr) -> usize {
        if let Some(known) = self.places.get(&std::ptr::from_ref(body)) {
            return *known;
        }
        let steps = self.steps(body);
        let place = self.shared.len();
        self.shared.push(steps);
        self.places.insert(body, place);
        place
    }
}

struct Run<'r, 'c, 'f, 'p> {
    cx: &'c mut Cx<'f>,
    shared: &'r [Vec<Ask<'p>>],
    walk: &'r mut Walk,
    answers: &'r mut [Answered],
    params: Vec<Value>,
}

impl<'p> Run<'_, '_, '_, 'p> {
    fn value(&mut self, e: &Expr) -> Value {
        self.cx.value(e, &self.params).unwrap_or(Value::Absent)
    }

    fn steps(&mut self, steps: &[Ask<'p>]) {
        for step in steps {
            if self.walk.left == 0 {
                return;
            }
            self.walk.left = self.walk.left.saturating_sub(1);
            match step {
                Ask::Once(mark, inner) => {
                    if let Some(m) = self.walk.once.get_mut(*mark)
                        && std::mem::replace(m, self.walk.number) != self.walk.number
                    {
                        self.steps(inner);
                    }
                }
                Ask::Shared(place) => self.framed(Vec::new(), *place),
                Ask::Clause(n, e, args, below) => self.clause(*n, e, args, *below),
                Ask::Each(list, inner) => self.each(list, inner),
            }
        }
    }

    /// The steps of a named value or a clause, which see their own parameters alone.
    fn framed(&mut self, params: Vec<Value>, place: usize) {
        let shared = self.shared;
        if let Some(steps) = shared.get(place).filter(|s| !s.is_empty()) {
            let outer = std::mem::replace(&mut self.params, params);
            self.steps(steps);
            self.params = outer;
        }
    }

    fn each(&mut self, list: &Expr, steps: &[Ask<'p>]) {
        let list = self.value(list);
        for item in list.items().iter().take(ITEMS) {
            self.with(item.clone(), steps);
        }
    }

    fn with(&mut self, item: Value, steps: &[Ask<'p>]) {
        self.params.push(item);
        self.steps(steps);
        self.params.pop();
    }

    fn clause(&mut self, n: usize, e: &Expr, args: &[Expr], below: usize) {
        let args: Vec<Value> = args.iter().map(|a| self.value(a)).collect();
        if args.iter().any(Value::is_absent) {
            return;
        }
        let mut about = args.iter().filter_map(|v| if let Value::Entity(e) = v { Some(*e) } else { None });
        let first = if args.len() > 1 {
            self.walk.several.insert((n, about.collect()))
        } else {
            let entity = about.next().map_or(0, |e| (e.0 as usize).saturating_add(1));
            let place = n.saturating_mul(self.walk.entities.saturating_add(1)).saturating_add(entity);
            self.walk.about.get_mut(place).is_some_and(|m| std::mem::replace(m, self.walk.number) != self.walk.number)
        };
        if !first {
            return;
        }
        if let Ok(holds) = self.cx.holds(e, &self.params)
            && let Some(a) = self.answers.get_mut(n)
        {
            a.add(holds);
        }
        self.framed(args, below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::{Input, compile};
    use crate::{eval, intake};

    /// Where clauses stand in one another, in `!` and `||`, and on several cards.
    const PAGE: &str = "
playbook: a.b
format: 1
version: 1.0.0
title: T
status: test
owner: soc@example.com
description: A playbook.
bind:
  severe: 'alerts.some(|a| a.severity >= \"high\")'
conditions:
  named: { if: 'users.some(|u| u.name == \"ada\" && u.risk >= \"low\")', pass: p, fail: f }
  both: { if: 'named && severe', pass: p, fail: f }
  large: { if: 'users.count(|u| u.risk >= \"medium\") >= 2', pass: p, fail: f }
  never: { if: 'incident.title.contains(\"nothing\")', pass: p, fail: f }
triage:
  - { classify: true_positive, confidence: 80, when: '!large && both', why: w }
investigation:
  - { id: one, action: incident.collect_evidence, when: 'never || both && !named', why: w, priority: 10 }
  - { id: two, action: incident.collect_evidence, when: 'both && large', why: w, priority: 10 }
";

    #[test]
    fn clauses_that_need_no_walk_are_answered_as_by_the_walk() {
        let action =
            "actions:\n  incident.collect_evidence:\n    title: T\n    phase: investigation\n    kinds: [incident]\n    permissions: [a:b]\n";
        let file = |path: &str, text: &str| Input { path: path.into(), text: text.into(), layer: 1 };
        let set = compile(&[file("a.yaml", action), file("p.yaml", PAGE)]);
        assert_eq!(set.playbooks.len(), 1, "{:?}", set.diagnostics);
        let (plain, walked) = (Asks::of(&set.playbooks[0]), Asks::walked(&set.playbooks[0]));
        assert!(plain.plain.is_some() && plain.roots.is_empty() && !walked.roots.is_empty());
        let user = |name: &str, risk: &str| format!(r#"{{"id":"user:{name}","kind":"user","name":"{name}","properties":{{"risk":"{risk}"}}}}"#);
        let (mut quick, mut slow) = (vec![Answered::default(); 4], vec![Answered::default(); 4]);
        for (users, severity) in [(vec![], "low"), (vec![user("ada", "high"), user("bob", "high")], "low"), (vec![user("ada", "low")], "high")] {
            let text = format!(
                r#"{{"schema":"guided-response/incident/1","id":"i","title":"t","severity":"low","entities":[{}],"alerts":[{{"id":"a","title":"t","severity":"{severity}","entities":{{}}}}]}}"#,
                users.join(",")
            );
            let read = intake::read(text.as_bytes(), None).unwrap();
            let (facts, _) = eval::facts(&set, &read[0].incident, None);
            plain.ask(&mut Cx::new(&facts, set.questions), &mut Walk::default(), &mut quick);
            walked.ask(&mut Cx::new(&facts, set.questions), &mut Walk::default(), &mut slow);
            assert_eq!(quick, slow, "{text}");
        }
        let of = |asked, held| Answered { asked, held };
        // In the order of their names: both, large, named, never.
        assert_eq!(quick, [of(3, 1), of(3, 1), of(3, 2), of(3, 0)]);
    }
}
