//! The same rules as somebody would write them in Rust: closures over plain structs, tried one by one, or only where an
//! index of their triggers leads.

use std::collections::HashMap;

use regex::Regex;

use super::incident::{Device, Email, Entity, File, Incident, Ip, Kind, Level, Process, Url, User};
use super::rule::{Condition, Nested, Of, Op, Rule, Test};

type Holds = Box<dyn Fn(&Incident) -> bool>;

/// Rules as closures.
pub struct Native {
    rules: Vec<(Rule, Vec<Holds>)>,
    index: Index,
}

impl Native {
    pub fn new(rules: &[Rule]) -> Self {
        Self { rules: rules.iter().map(|r| (r.clone(), r.conditions.iter().map(condition).collect())).collect(), index: Index::new(rules) }
    }

    /// The rules that match, every rule tried in turn.
    pub fn one_by_one(&self, i: &Incident) -> Vec<usize> {
        self.rules.iter().filter(|(r, all)| triggered(r, i) && all.iter().all(|c| c(i))).map(|(r, _)| r.number).collect()
    }

    /// The same, only those rules tried that the index leads to.
    pub fn indexed(&self, i: &Incident) -> Vec<usize> {
        let mut out = Vec::new();
        self.index.candidates(i, |n| {
            if self.rules[n].1.iter().all(|c| c(i)) {
                out.push(n);
            }
        });
        out
    }

    /// How many rules could match, by their triggers alone.
    pub fn candidates(&self, i: &Incident) -> usize {
        let mut n = 0;
        self.index.candidates(i, |_| n += 1);
        n
    }
}

fn triggered(r: &Rule, i: &Incident) -> bool {
    (r.categories.is_empty() || r.categories.contains(&i.category.as_str()))
        && r.severity.is_none_or(|s| i.severity >= s)
        && (r.techniques.is_empty() || i.techniques.iter().any(|t| r.techniques.iter().any(|w| covers(w, t))))
}

/// A technique covers itself and what is below it.
fn covers(wanted: &str, found: &str) -> bool {
    found.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Which rules a category, a technique and a severity lead to, a bit for each rule.
struct Index {
    words: usize,
    categories: HashMap<&'static str, Vec<u64>>,
    no_category: Vec<u64>,
    techniques: HashMap<&'static str, Vec<u64>>,
    no_technique: Vec<u64>,
    severities: Vec<Vec<u64>>,
}

impl Index {
    fn new(rules: &[Rule]) -> Self {
        let words = rules.len().div_ceil(64);
        let none = || vec![0u64; words];
        let mut index = Self {
            words,
            categories: HashMap::new(),
            no_category: none(),
            techniques: HashMap::new(),
            no_technique: none(),
            severities: Level::all().map(|_| none()).collect(),
        };
        for (n, r) in rules.iter().enumerate() {
            let put = |bits: &mut Vec<u64>| bits[n / 64] |= 1 << (n % 64);
            r.categories.iter().for_each(|c| put(index.categories.entry(c).or_insert_with(none)));
            r.techniques.iter().for_each(|t| put(index.techniques.entry(t).or_insert_with(none)));
            if r.categories.is_empty() {
                put(&mut index.no_category);
            }
            if r.techniques.is_empty() {
                put(&mut index.no_technique);
            }
            Level::all().filter(|l| r.severity.is_none_or(|s| *l >= s)).for_each(|l| put(&mut index.severities[l.0 as usize]));
        }
        index
    }

    fn candidates(&self, i: &Incident, mut take: impl FnMut(usize)) {
        let category = self.categories.get(i.category.as_str());
        let mut techniques: Vec<&Vec<u64>> = Vec::new();
        for t in &i.techniques {
            techniques.extend(self.techniques.get(t.as_str()));
            techniques.extend(t.split_once('.').and_then(|(base, _)| self.techniques.get(base)));
        }
        let severity = &self.severities[i.severity.0 as usize];
        for w in 0..self.words {
            let mut bits = severity[w] & (self.no_category[w] | category.map_or(0, |c| c[w]));
            if bits != 0 {
                bits &= techniques.iter().fold(self.no_technique[w], |all, t| all | t[w]);
            }
            while bits != 0 {
                take(w * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }
}

fn condition(c: &Condition) -> Holds {
    match c {
        Condition::Any(kind, tests) => entities(*kind, tests, None),
        Condition::Count(kind, test, least) => entities(*kind, std::slice::from_ref(test), Some(*least)),
        Condition::Incident(of) => field(of.clone()),
        Condition::Nested(n) => nested(n.clone()),
    }
}

fn field(of: Of) -> Holds {
    match of {
        Of::Severity(l) => Box::new(move |i| i.severity >= l),
        Of::Status(all) => Box::new(move |i| all.contains(&i.status.as_str())),
        Of::Title(part) => Box::new(move |i| i.title.contains(part)),
        Of::TitleMatches(pattern) => {
            let pattern = Regex::new(&pattern).unwrap();
            Box::new(move |i| pattern.is_match(&i.title))
        }
        Of::Alerts(n) => Box::new(move |i| i.alerts.len() >= n),
        Of::Technique(t) => Box::new(move |i| i.techniques.iter().any(|x| x == t)),
        Of::Tag(t) => Box::new(move |i| i.tags.iter().any(|x| x == t)),
    }
}

fn nested(n: Nested) -> Holds {
    match n {
        Nested::RiskyPair(a, b) => {
            Box::new(move |i| i.users.iter().any(|u| u.risk >= a && i.devices.iter().any(|d| d.rbac_group == u.department && d.risk >= b)))
        }
        Nested::AlertProcess(l, part) => {
            Box::new(move |i| i.alerts.iter().any(|a| a.severity >= l && a.of::<Process>(i).any(|p| p.elevated && p.command_line.contains(part))))
        }
        Nested::InsideSenders(department, least) => {
            Box::new(move |i| i.emails.iter().filter(|m| i.users.iter().any(|u| u.upn == m.sender && u.department == department)).count() >= least)
        }
        Nested::ForeignAlerts(countries, least) => Box::new(move |i| {
            i.alerts.iter().filter(|a| a.of::<Ip>(i).any(|x| !x.internal && countries.contains(&x.country.as_str()))).count() >= least
        }),
        Nested::AllUsers(l) => {
            Box::new(move |i| i.users.iter().all(|u| i.alerts.iter().any(|a| a.severity >= l && a.of::<User>(i).any(|x| x.id == u.id))))
        }
        Nested::RunningFile(size) => Box::new(move |i| i.processes.iter().any(|p| i.files.iter().any(|f| f.name == p.image_name && f.size >= size))),
    }
}

/// What is made of a test of one entity, each test a type of its own, so that nothing is called through a pointer within a
/// loop.
trait Sink<T> {
    type Out;
    fn put(self, test: impl Fn(&T) -> bool + 'static) -> Self::Out;
}

/// Asked of every entity of a kind: whether there is any, or so many.
struct Quantified(Option<usize>);

impl<T: Entity> Sink<T> for Quantified {
    type Out = Holds;
    fn put(self, test: impl Fn(&T) -> bool + 'static) -> Holds {
        match self.0 {
            None => Box::new(move |i| T::all(i).iter().any(&test)),
            Some(least) => Box::new(move |i| T::all(i).iter().filter(|x| test(x)).count() >= least),
        }
    }
}

/// Kept by itself.
struct Alone;

impl<T: 'static> Sink<T> for Alone {
    type Out = Box<dyn Fn(&T) -> bool>;
    fn put(self, test: impl Fn(&T) -> bool + 'static) -> Self::Out {
        Box::new(test)
    }
}

/// How a property of a type is tested.
trait Tested: Sized {
    fn test<T, S: Sink<T>>(get: impl Fn(&T) -> &Self + 'static, op: &Op, sink: S) -> S::Out;
}

impl Tested for String {
    fn test<T, S: Sink<T>>(get: impl Fn(&T) -> &Self + 'static, op: &Op, sink: S) -> S::Out {
        match op.clone() {
            Op::Is(v) => sink.put(move |x| get(x) == v),
            Op::In(all) => sink.put(move |x| all.contains(&get(x).as_str())),
            Op::Contains(part) => sink.put(move |x| get(x).contains(part)),
            Op::Matches(pattern) => {
                let pattern = Regex::new(&pattern).unwrap();
                sink.put(move |x| pattern.is_match(get(x)))
            }
            other => panic!("{other:?} of a text"),
        }
    }
}

impl Tested for i64 {
    fn test<T, S: Sink<T>>(get: impl Fn(&T) -> &Self + 'static, op: &Op, sink: S) -> S::Out {
        match *op {
            Op::AtLeast(n) => sink.put(move |x| *get(x) >= n),
            Op::AtMost(n) => sink.put(move |x| *get(x) <= n),
            ref other => panic!("{other:?} of a number"),
        }
    }
}

impl Tested for bool {
    fn test<T, S: Sink<T>>(get: impl Fn(&T) -> &Self + 'static, _: &Op, sink: S) -> S::Out {
        sink.put(move |x| *get(x))
    }
}

impl Tested for Level {
    fn test<T, S: Sink<T>>(get: impl Fn(&T) -> &Self + 'static, op: &Op, sink: S) -> S::Out {
        match *op {
            Op::Level(l) => sink.put(move |x| *get(x) >= l),
            ref other => panic!("{other:?} of a level"),
        }
    }
}

macro_rules! tested {
    ($($kind:ident { $($field:ident)+ })+) => {
        fn entities(kind: Kind, tests: &[Test], least: Option<usize>) -> Holds {
            match kind {
                $(Kind::$kind => {
                    fn one<S: Sink<$kind>>(test: &Test, sink: S) -> S::Out {
                        match test.field {
                            $(stringify!($field) => Tested::test(|x: &$kind| &x.$field, &test.op, sink),)+
                            other => panic!("no field {other}"),
                        }
                    }
                    match tests {
                        [only] => one(only, Quantified(least)),
                        [a, b] => {
                            let (a, b) = (one(a, Alone), one(b, Alone));
                            Sink::<$kind>::put(Quantified(least), move |x| a(x) && b(x))
                        }
                        _ => panic!("one test or two"),
                    }
                })+
            }
        }
    };
}

tested! {
    User { upn domain display_name department job_title account_status risk is_domain_joined files_encrypted malicious }
    Device { fqdn os health av_status rbac_group manufacturer risk internal files_encrypted malicious }
    Ip { address country city carrier asn risk internal malicious }
    Process { image_name image_path command_line detection_status pid elevated malicious }
    File { sha256 folder file_type publisher signer size malicious }
    Url { url host domain port malicious }
    Email { subject sender sender_name recipient delivery_action language antispam_direction attachment_count url_count malicious }
}
