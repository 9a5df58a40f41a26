//! Rhai's own interpreter as the oracle: on random well-typed expressions over random incidents, it and our evaluator give
//! the same value. The interpreter gets the same table of functions; where it needs help, and only there, it is given it:
//!
//! 1. Nothing recorded is `()`. Comparisons with it (all six, on both sides, `()` with `()` too) are registered as false,
//!    `!=` as true; arithmetic with it, a property of it and a function of it are registered as "nothing of that type".
//! 2. `&&`, `||` and `if` take no `()`, and cannot be taught to: flags are therefore never absent in the oracle either. An
//!    item of an empty list of flags or lists is made false or empty by `flag(…)` and `items(…)` around it.
//! 3. `?.` ends a chain at `()`, where ours reads on (a flag of nothing is false): the oracle is given `.`.
//! 4. Levels, times and durations are types of their own with all six comparisons, also beside a text; Rhai's `switch`
//!    hashes values and cannot hash those, so that the oracle is given `switch word(…)`.
//! 5. `${x}` shows a value for people: the oracle is given `${show(x)}`.
//! 6. A captured variable is shared, and a shared receiver cannot be read inside its own call: the names that every
//!    expression has come from a resolver, and closures' parameters stand in `copy(…)`.
//! 7. Rhai compares fractions within a relative epsilon, which makes `0 != 1.0 / 0.0` false: the oracle compares them as they are.
//! 8. Bindings and clauses are put in where they are named; a clause about nothing is false.

use std::collections::BTreeMap;
use std::sync::Arc;

use guided_response::eval;
use guided_response::model::kind::{PROPS, PropType, RELATIONS};
use guided_response::model::{Kind, Kinds, Level, Prop, PropValue, Rel, Time, Verdict};
use guided_response::playbook::PlaybookSet;
use guided_response::script::eval::display;
use guided_response::script::expr::Node;
use guided_response::script::fields::{AlertField, EdgeField, EntityField, IncidentField, PairField};
use guided_response::script::functions::{self, Function, Pat, Ret};
use guided_response::script::limits::{FINDINGS, LOOKED_FOR};
use guided_response::script::literal;
use guided_response::script::trace::Seen;
use guided_response::script::ty::Ends;
use guided_response::script::{Condition, Cx, Expr, Facts, Questions, Ty, Value};
use jiff::SignedDuration;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, NativeCallContext};
use serde_json::json;

use crate::random::{Random, count};
use crate::support::{Names, example_set, incident};

// ---------------------------------------------------------------- incidents

const KINDS: &[Kind] = &[Kind::User, Kind::Device, Kind::Url, Kind::Ip, Kind::File, Kind::Process, Kind::Email, Kind::Mailbox];
const WORDS: &[&str] =
    &["finance", "Ada", "powershell -enc dwBoAG8AYQBtAGkA", "C:\\Windows\\x.exe", "a;b;c", "", "ümlaut", "203.0.113.9", "bad.example"];
const TECHNIQUES: &[&str] = &["T1566.002", "T1204.001", "T1078", "T1078.004", "T1059.001"];

fn id_of(kind: Kind, n: usize) -> String {
    match kind {
        Kind::User => format!("user:u{n}@contoso.com"),
        Kind::Device => format!("device:d{n}.contoso.com"),
        Kind::Url => format!("url:https://h{n}.bad.example/a"),
        Kind::Ip => format!("ip:203.0.113.{n}"),
        Kind::File => format!("file:{:064x}", n + 1),
        Kind::Mailbox => format!("mailbox:u{n}@contoso.com"),
        k => format!("{k}:k{n}"),
    }
}

/// A moment of one day, or none.
fn moment(r: &mut Random) -> serde_json::Value {
    if r.chance(15) { serde_json::Value::Null } else { json!(format!("2026-01-12T{:02}:{:02}:00Z", 8 + r.below(4), r.below(60))) }
}

/// A small incident in our own format; every kind of thing may be missing from it.
pub fn random_incident(r: &mut Random) -> serde_json::Value {
    let mut ids = Vec::new();
    let mut entities = Vec::new();
    for kind in KINDS {
        for n in 0..r.below(4) {
            let id = id_of(*kind, n);
            let mut props = serde_json::Map::new();
            for p in PROPS.iter().filter(|p| p.kinds.has(*kind)) {
                // What identifies is left alone, so that entities stay apart.
                let strong = matches!(
                    p.name,
                    "upn"
                        | "sid"
                        | "object_id"
                        | "fqdn"
                        | "sha256"
                        | "sha1"
                        | "md5"
                        | "url"
                        | "message_id"
                        | "vm_id"
                        | "address"
                        | "internet_message_id"
                );
                if strong || r.chance(60) {
                    continue;
                }
                props.insert(
                    p.name.to_owned(),
                    match p.ty {
                        PropType::Text => json!(r.pick(WORDS)),
                        PropType::Int => json!(r.below(9)),
                        PropType::Bool => json!(r.chance(50)),
                        PropType::Level => json!(r.pick(Level::ALL).word()),
                        PropType::Time => moment(r),
                        PropType::Texts => json!([r.pick(WORDS), r.pick(WORDS)]),
                    },
                );
            }
            entities.push(json!({
                "id": id, "kind": kind.word(), "name": r.pick(WORDS), "verdict": r.pick(Verdict::ALL).word(), "properties": props,
                "tags": if r.chance(30) { json!(["vip"]) } else { json!([]) },
                "fields": if r.chance(30) { json!({"costCentre": "4711"}) } else { json!({}) },
            }));
            ids.push((*kind, id));
        }
    }
    let mut alerts = Vec::new();
    let count = r.below(4);
    for n in 0..count {
        let mut named = Vec::new();
        for (_, id) in &ids {
            if r.chance(40) {
                named.push(json!({"ref": id, "roles": if r.chance(30) { json!(["victim"]) } else { json!([]) }}));
            }
        }
        let titles = ["Malicious URL was clicked", "Sign-in from an address that is new", "Other"];
        let severity = if r.chance(80) { json!(r.pick(Level::ALL).word()) } else { serde_json::Value::Null };
        alerts.push(json!({
            "id": format!("a-{n}"), "title": r.pick(&titles), "severity": severity, "product": r.pick(WORDS), "detector": r.pick(WORDS),
            "techniques": [r.pick(TECHNIQUES)], "first": moment(r), "last": moment(r), "created": moment(r), "entities": named,
            "extra": if r.chance(50) { json!({"rule": "mail-7"}) } else { json!({}) },
        }));
    }
    let mut relations = Vec::new();
    for _ in 0..r.below(14) {
        if ids.is_empty() {
            break;
        }
        let ((k, a), (l, b)) = (r.pick(&ids).clone(), r.pick(&ids).clone());
        let fits: Vec<&str> = RELATIONS.iter().filter(|s| s.from.has(k) && s.to.has(l)).map(|s| s.name).collect();
        if fits.is_empty() || a == b {
            continue;
        }
        let alerts = if count > 0 && r.chance(70) { json!([format!("a-{}", r.below(count))]) } else { json!([]) };
        relations.push(json!({"from": a, "relation": r.pick(&fits), "to": b, "alerts": alerts, "first": moment(r), "last": moment(r)}));
    }
    json!({
        "schema": "guided-response/incident/1", "id": "INC-1", "title": r.pick(WORDS), "severity": r.pick(Level::ALL).word(), "status": "active",
        "created": moment(r), "tags": ["drill"], "alerts": alerts, "entities": entities, "relations": relations,
    })
}

// ---------------------------------------------------------------- expressions

/// An expression as ours and as the oracle's, with its type.
#[derive(Clone, Debug)]
struct E {
    ours: String,
    oracle: String,
    ty: Ty,
}

fn e(text: impl Into<String>, ty: Ty) -> E {
    let text = text.into();
    E { ours: text.clone(), oracle: text, ty }
}

/// A closure's parameter. A variable that an inner closure captures is shared in Rhai, and a shared receiver cannot be read
/// again inside its own call: the oracle gets a copy.
fn local(v: &(String, Ty)) -> E {
    E { ours: v.0.clone(), oracle: format!("copy({})", v.0), ty: v.1.clone() }
}

/// Puts expressions into a text at each `@`.
fn put(text: &str, parts: &[&E], ty: Ty) -> E {
    let (mut ours, mut oracle) = (String::new(), String::new());
    let mut parts = parts.iter();
    for c in text.chars() {
        if c == '@' {
            let p = parts.next().expect("a part for each @");
            ours.push_str(&p.ours);
            oracle.push_str(&p.oracle);
        } else {
            ours.push(c);
            oracle.push(c);
        }
    }
    assert!(parts.next().is_none(), "a place for each part: {text}");
    E { ours, oracle, ty }
}

impl E {
    /// What may be an item of an empty list is never absent if it is a flag or a list (2 above).
    fn item(mut self) -> Self {
        match self.ty {
            Ty::Bool => self.oracle = format!("flag({})", self.oracle),
            Ty::List(_) => self.oracle = format!("items({})", self.oracle),
            _ => {}
        }
        self
    }
}

struct Clause {
    name: String,
    kind: Kind,
    oracle: String,
}

struct Gen {
    r: Random,
    vars: Vec<(String, Ty)>,
    fresh: usize,
    bindings: Vec<(String, Ty, String)>,
    clauses: Vec<Clause>,
}

const COMPARE: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
const DURATIONS: &[&str] = &["90s", "15m", "2h", "1d", "0s"];
const TIMES: &[&str] = &["2026-01-12T09:30:00Z", "2026-01-12", "2026-01-12T10:00:00Z"];

impl Gen {
    fn new(seed: u64) -> Self {
        Self { r: Random::new(seed), vars: Vec::new(), fresh: 0, bindings: Vec::new(), clauses: Vec::new() }
    }

    /// A simple type, for which there is always a value.
    fn plain(&mut self) -> Ty {
        self.r
            .pick(&[Ty::Bool, Ty::Int, Ty::Int, Ty::Float, Ty::Text, Ty::Text, Ty::Level, Ty::Time, Ty::Duration, Ty::Alert, Ty::entity(Kind::User)])
            .clone()
    }

    fn any(&mut self, d: usize) -> E {
        if self.r.chance(25) {
            return self.list(d);
        }
        match self.r.below(7) {
            0 => self.entity(d),
            1 => self.edge(d),
            2 => self.pair(d),
            _ => {
                let ty = self.plain();
                self.value(&ty, d)
            }
        }
    }

    /// A value of a type, or of one that can stand in for it.
    fn value(&mut self, ty: &Ty, d: usize) -> E {
        let made = self.unadorned(ty, d);
        // A remark says nothing; `(…)` neither. Only ours gets the remark.
        match self.r.below(40) {
            0 => E { ours: format!("/* , }} | ) \" */ {}", made.ours), ..made },
            1 => put("(@)", &[&made], made.ty.clone()),
            _ => made,
        }
    }

    fn unadorned(&mut self, ty: &Ty, d: usize) -> E {
        let fitting: Vec<E> = self.vars.iter().filter(|v| v.1 == *ty).map(local).collect();
        if !fitting.is_empty() && self.r.chance(35) {
            return self.r.pick(&fitting).clone();
        }
        let bound: Vec<E> =
            self.bindings.iter().filter(|b| b.1 == *ty).map(|b| E { ours: b.0.clone(), oracle: format!("({})", b.2), ty: b.1.clone() }).collect();
        if !bound.is_empty() && self.r.chance(15) {
            return self.r.pick(&bound).clone();
        }
        if d > 0 && self.r.chance(14) {
            return self.choice(ty, d - 1);
        }
        match ty {
            Ty::Bool => self.boolean(d),
            Ty::Int => self.int(d),
            Ty::Float => self.float(d),
            Ty::Text => self.text(d),
            Ty::Level => self.level(d),
            Ty::Time => self.time(d),
            Ty::Duration => self.duration(d),
            Ty::Alert => self.alert(d),
            Ty::Entity(k) => self.entity_of(*k, d),
            Ty::Edge(_) => self.edge(d),
            Ty::Pair(..) => self.pair(d),
            Ty::List(of) => self.list_of(of, d),
            other => panic!("no value of {other:?}"),
        }
    }

    /// `if`, `switch`, `??`, an item of a list, a key of a map: for every type.
    fn choice(&mut self, ty: &Ty, d: usize) -> E {
        let (a, b) = (self.value(ty, d), self.value(ty, d));
        let Some(both) = a.ty.join(&b.ty) else { return a };
        match self.r.below(8) {
            6 => {
                let list = self.list_of(ty, d);
                let of = item(&list.ty);
                let (name, body) = self.closure(&of, Some(&Ty::Bool), d);
                match self.r.below(3) {
                    0 => put(&format!("@.first(|{name}| @)"), &[&list, &body], of).item(),
                    1 => put(&format!("@.filter(|{name}| @).first()"), &[&list, &body], of).item(),
                    _ => put(&format!("@.filter(|{name}| @).last()"), &[&list, &body], of).item(),
                }
            }
            7 => {
                let map = put("#{a: @}", &[&a], Ty::Unknown);
                let c = self.value(&Ty::Bool, d);
                self.fresh += 1;
                put(&format!("[@].filter(|v{}| @).first().a", self.fresh), &[&map, &c], a.ty.clone()).item()
            }
            0 => {
                let c = self.value(&Ty::Bool, d);
                put("if @ { @ } else { @ }", &[&c, &a, &b], both).wrapped()
            }
            1 => {
                let (c, g) = (self.value(&Ty::Bool, d), self.value(&Ty::Bool, d));
                put("if @ { @ } else if @ { @ } else { @ }", &[&c, &a, &g, &b, &a], both).wrapped()
            }
            2 if matches!(ty, Ty::Level | Ty::Duration) => {
                let word = if *ty == Ty::Level { "high" } else { "2h" };
                let made = put(&format!("(@ ?? \"{word}\")"), &[&a.wrapped()], ty.clone());
                let read = if *ty == Ty::Level { "level" } else { "duration" };
                E { oracle: made.oracle.replace(&format!("?? \"{word}\")"), &format!("?? {read}(\"{word}\"))")), ..made }
            }
            2 => put("(@ ?? @)", &[&a.clone().wrapped(), &b.wrapped()], both),
            3 => self.switch(&a, &b, both, d),
            4 => {
                let list = put("[@, @]", &[&a, &b], Ty::list(both.clone()));
                let at = *self.r.pick(&["0", "1", "-1", "-2", "2"]);
                put(&format!("@[{at}]"), &[&list], both).item()
            }
            _ => {
                let key = *self.r.pick(&["a", "b"]);
                let ty = if key == "a" { a.ty.clone() } else { b.ty.clone() };
                put(&format!("#{{a: @, b: @}}.{key}"), &[&a, &b], ty)
            }
        }
    }

    fn switch(&mut self, a: &E, b: &E, ty: Ty, d: usize) -> E {
        let on = self.r.pick(&[Ty::Int, Ty::Text, Ty::Bool, Ty::Level]).clone();
        let of = self.value(&on, d).wrapped();
        let arms = match on {
            Ty::Int => *self.r.pick(&["1 | 2 => @, 3..7 => @,", "0 => @, -1 | 5 => @,", "0..=2 => @, 5..9 => @,"]),
            Ty::Text => *self.r.pick(&["\"finance\" => @, \"a, }b\" | \"\" => @,", "\"x\\\"y\" => @, \"Ada\" => @,"]),
            Ty::Bool => "true => @, false => @,",
            _ => *self.r.pick(&["\"high\" => @, \"low\" | \"medium\" => @,", "\"informational\" => @, \"critical\" => @,"]),
        };
        let guarded = self.r.chance(30);
        let arms = if guarded { arms.replacen(" => @", " if @ => @", 1) } else { arms.to_owned() };
        let guard = self.value(&Ty::Bool, d);
        let mut parts = vec![&of];
        if guarded {
            parts.push(&guard);
        }
        parts.extend([a, b, b]);
        let mut out = put(&format!("(switch @ {{ {arms} _ => @ }})"), &parts, ty);
        if on == Ty::Level {
            out.oracle = put(&format!("(switch word(@) {{ {arms} _ => @ }})"), &parts, Ty::Unknown).oracle;
        }
        out
    }

    fn boolean(&mut self, d: usize) -> E {
        if d == 0 {
            return match self.r.below(4) {
                0 => e("true", Ty::Bool),
                1 => e("false", Ty::Bool),
                2 => e("alerts.is_empty()", Ty::Bool),
                _ => e("incident.severity >= \"medium\"", Ty::Bool).wrapped(),
            };
        }
        let d = d - 1;
        match self.r.below(16) {
            0 => {
                let (a, b) = (self.value(&Ty::Bool, d), self.value(&Ty::Bool, d));
                put("(@ && @)", &[&a.wrapped(), &b.wrapped()], Ty::Bool)
            }
            1 => {
                let (a, b, c) = (self.value(&Ty::Bool, d), self.value(&Ty::Bool, d), self.value(&Ty::Bool, d));
                let sign = *self.r.pick(&["(@ || @ || @)", "(@ && @ || @)", "(@ || @ && @)"]);
                put(sign, &[&a.wrapped(), &b.wrapped(), &c.wrapped()], Ty::Bool)
            }
            2 => {
                let a = self.value(&Ty::Bool, d);
                put("!@", &[&a.wrapped()], Ty::Bool)
            }
            3..=5 => self.comparison(d),
            6 | 7 => self.membership(d),
            8 | 9 => self.quantifier(d),
            10 => {
                let x = self.any(d);
                put("known(@)", &[&x], Ty::Bool)
            }
            11 if !self.clauses.is_empty() => {
                let n = self.r.below(self.clauses.len());
                let kind = self.clauses[n].kind;
                let x = self.entity_of(Kinds::one(kind), d);
                let c = &self.clauses[n];
                let body = c.oracle.replace("$p", &format!("({})", x.oracle));
                E { ours: format!("{}({})", c.name, x.ours), oracle: format!("(if known({}) {{ {body} }} else {{ false }})", x.oracle), ty: Ty::Bool }
            }
            12 => self.field(&Ty::Bool, d),
            _ => self.function(&[Ret::Bool], d),
        }
    }

    fn comparison(&mut self, d: usize) -> E {
        let sign = *self.r.pick(COMPARE);
        let equal = *self.r.pick(&["==", "!="]);
        match self.r.below(12) {
            0 => {
                let (a, b) = (self.value(&Ty::Int, d), self.value(&Ty::Float, d));
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Bool)
            }
            1 => {
                let a = self.value(&Ty::Level, d);
                let word = format!("\"{}\"", self.r.pick(Level::ALL));
                let text = if self.r.chance(50) { format!("(@ {sign} {word})") } else { format!("({word} {sign} @)") };
                put(&text, &[&a.wrapped()], Ty::Bool)
            }
            2 => {
                let a = self.value(&Ty::Time, d);
                put(&format!("(@ {sign} \"{}\")", self.r.pick(TIMES)), &[&a.wrapped()], Ty::Bool)
            }
            3 => {
                let a = self.value(&Ty::Duration, d);
                put(&format!("(@ {sign} \"{}\")", self.r.pick(DURATIONS)), &[&a.wrapped()], Ty::Bool)
            }
            4 => {
                let (a, b) = (self.entity(d), self.entity(d));
                if a.ty.alike(&b.ty) {
                    put(&format!("(@ {equal} @)"), &[&a, &b], Ty::Bool)
                } else {
                    put(&format!("(@ {equal} @)"), &[&a, &a], Ty::Bool)
                }
            }
            5 => {
                let a = self.list(d);
                let b = self.value(&a.ty.clone(), d);
                if a.ty.alike(&b.ty) {
                    put(&format!("(@ {equal} @)"), &[&a, &b], Ty::Bool)
                } else {
                    put(&format!("(@ {equal} @)"), &[&a, &a], Ty::Bool)
                }
            }
            6 => {
                let ty = self.r.pick(&[Ty::Bool, Ty::Alert]).clone();
                let (a, b) = (self.value(&ty, d), self.value(&ty, d));
                put(&format!("(@ {equal} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Bool)
            }
            7 => {
                let (a, b) = (self.edge(d), self.edge(d));
                put(&format!("(@ {equal} @)"), &[&a, &b], Ty::Bool)
            }
            _ => {
                let ty = self.r.pick(&[Ty::Int, Ty::Float, Ty::Text, Ty::Level, Ty::Time, Ty::Duration]).clone();
                let (a, b) = (self.value(&ty, d), self.value(&ty, d));
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Bool)
            }
        }
    }

    fn membership(&mut self, d: usize) -> E {
        match self.r.below(8) {
            0 => {
                let (a, b, c) = (self.value(&Ty::Int, d), self.value(&Ty::Int, d), self.value(&Ty::Int, d));
                let sign = *self.r.pick(&["..", "..="]);
                put(&format!("(@ in @{sign}@)"), &[&a.wrapped(), &b.wrapped(), &c.wrapped()], Ty::Bool)
            }
            1 => {
                let (a, b) = (self.value(&Ty::Text, d), self.value(&Ty::Text, d));
                put("(@ in @)", &[&a.wrapped(), &b.wrapped()], Ty::Bool)
            }
            2 => {
                let a = self.value(&Ty::Level, d);
                put("(@ in [\"high\", \"low\"])", &[&a.wrapped()], Ty::Bool)
            }
            3 => {
                let a = if self.r.chance(50) { self.value(&Ty::Text, d) } else { self.entity(d) };
                let list = *self.r.pick(&["board", "partner_networks", "bad_domains"]);
                put(&format!("(@ in lists.{list})"), &[&a.wrapped()], Ty::Bool)
            }
            4 => {
                let (a, b) = (self.value(&Ty::Text, d), self.any(d));
                put("(@ in #{finance: @, \"a b\": 1})", &[&a.wrapped(), &b], Ty::Bool)
            }
            5 => {
                let (a, b, c) = (self.value(&Ty::Text, d), self.value(&Ty::Text, d), self.value(&Ty::Text, d));
                put("(@ in [@, @, \"finance\"])", &[&a.wrapped(), &b, &c], Ty::Bool)
            }
            _ => {
                let list = self.list(d);
                let Ty::List(of) = list.ty.clone() else { unreachable!() };
                let x = self.value(&of, d);
                if !x.ty.alike(&of) {
                    return put("@.is_empty()", &[&list], Ty::Bool);
                }
                match self.r.below(3) {
                    0 => put("@.contains(@)", &[&list, &x], Ty::Bool),
                    1 => put("(@ !in @)", &[&x.wrapped(), &list], Ty::Bool),
                    _ => put("(@ in @)", &[&x.wrapped(), &list], Ty::Bool),
                }
            }
        }
    }

    /// A closure over an item of this type, and its body.
    fn closure(&mut self, item: &Ty, body: Option<&Ty>, d: usize) -> (String, E) {
        self.fresh += 1;
        let name = format!("v{}", self.fresh);
        self.vars.push((name.clone(), item.clone()));
        let made = match body {
            Some(ty) => self.value(ty, d),
            None => self.any(d),
        };
        self.vars.pop();
        (name, made)
    }

    fn quantifier(&mut self, d: usize) -> E {
        let list = self.list(d);
        let Ty::List(of) = list.ty.clone() else { unreachable!() };
        let (name, body) = self.closure(&of, Some(&Ty::Bool), d);
        let word = *self.r.pick(&["some", "any", "all"]);
        put(&format!("@.{word}(|{name}| @)"), &[&list, &body], Ty::Bool)
    }

    fn int(&mut self, d: usize) -> E {
        if d == 0 {
            return match self.r.below(12) {
                0 => e("9223372036854775807", Ty::Int),
                1 => e("users.len()", Ty::Int),
                n => e((n as i64 - 4).to_string(), Ty::Int).wrapped(),
            };
        }
        let d = d - 1;
        match self.r.below(8) {
            0 | 1 => {
                let (a, b) = (self.value(&Ty::Int, d), self.value(&Ty::Int, d));
                let sign = *self.r.pick(&["+", "-", "*", "/", "%"]);
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Int)
            }
            2 => {
                let a = self.value(&Ty::Int, d);
                put("(-@)", &[&a.wrapped()], Ty::Int)
            }
            3 => {
                let list = self.list(d);
                let Ty::List(of) = list.ty.clone() else { unreachable!() };
                let (name, body) = self.closure(&of, Some(&Ty::Bool), d);
                put(&format!("@.count(|{name}| @)"), &[&list, &body], Ty::Int)
            }
            4 => self.field(&Ty::Int, d),
            _ => self.function(&[Ret::Int], d),
        }
    }

    fn float(&mut self, d: usize) -> E {
        if d == 0 {
            return e(*self.r.pick(&["0.0", "1.5", "100.25"]), Ty::Float);
        }
        let d = d - 1;
        let (a, b) = (self.value(&Ty::Float, d), self.value(&Ty::Int, d));
        let sign = *self.r.pick(&["+", "-", "*", "/", "%"]);
        match self.r.below(4) {
            0 => put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Float),
            1 => put(&format!("(@ {sign} @)"), &[&b.wrapped(), &a.wrapped()], Ty::Float),
            2 => put("(-@)", &[&a.wrapped()], Ty::Float),
            _ => {
                let c = self.value(&Ty::Float, d);
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &c.wrapped()], Ty::Float)
            }
        }
    }

    fn text(&mut self, d: usize) -> E {
        if d == 0 {
            return if self.r.chance(30) { e("incident.title", Ty::Text) } else { e(format!("{:?}", self.r.pick(WORDS)), Ty::Text) };
        }
        let d = d - 1;
        match self.r.below(7) {
            0 => {
                let (a, b) = (self.value(&Ty::Text, d), self.value(&Ty::Text, d));
                put("(@ + @)", &[&a.wrapped(), &b.wrapped()], Ty::Text)
            }
            1 => {
                let (a, b) = (self.any(d), self.any(d));
                E {
                    ours: format!("`x{{${{{}}} and ${{{}}}}}`", a.ours, b.ours),
                    oracle: format!("`x{{${{show({})}} and ${{show({})}}}}`", a.oracle, b.oracle),
                    ty: Ty::Text,
                }
            }
            2 | 3 => self.field(&Ty::Text, d),
            _ => self.function(&[Ret::Text], d),
        }
    }

    fn level(&mut self, d: usize) -> E {
        if d == 0 || self.r.chance(40) {
            return match self.r.below(2) {
                0 => e(format!("level(\"{}\")", self.r.pick(Level::ALL)), Ty::Level),
                _ => e("incident.severity", Ty::Level),
            };
        }
        self.field(&Ty::Level, d - 1)
    }

    fn time(&mut self, d: usize) -> E {
        if d == 0 {
            return e(*self.r.pick(&["now()", "incident.created", "incident.first_activity", "incident.last_activity"]), Ty::Time);
        }
        let d = d - 1;
        let sign = *self.r.pick(&["+", "-"]);
        match self.r.below(5) {
            0 => {
                let (a, b) = (self.value(&Ty::Time, d), self.value(&Ty::Duration, d));
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Time)
            }
            1 => {
                let a = self.value(&Ty::Time, d);
                put(&format!("(@ {sign} \"{}\")", self.r.pick(DURATIONS)), &[&a.wrapped()], Ty::Time)
            }
            2 => self.function(&[Ret::Time], d),
            _ => self.field(&Ty::Time, d),
        }
    }

    fn duration(&mut self, d: usize) -> E {
        if d == 0 {
            return e(format!("duration(\"{}\")", self.r.pick(DURATIONS)), Ty::Duration);
        }
        let d = d - 1;
        let sign = *self.r.pick(&["+", "-"]);
        match self.r.below(6) {
            0 => {
                let (a, b) = (self.value(&Ty::Time, d), self.value(&Ty::Time, d));
                put("(@ - @)", &[&a.wrapped(), &b.wrapped()], Ty::Duration)
            }
            1 => {
                let (a, b) = (self.value(&Ty::Duration, d), self.value(&Ty::Duration, d));
                put(&format!("(@ {sign} @)"), &[&a.wrapped(), &b.wrapped()], Ty::Duration)
            }
            2 => {
                let a = self.value(&Ty::Duration, d);
                put(&format!("(\"1h\" {sign} @)"), &[&a.wrapped()], Ty::Duration)
            }
            3 => {
                let a = self.value(&Ty::Duration, d);
                put("(-@)", &[&a.wrapped()], Ty::Duration)
            }
            4 => {
                let p = self.pair(d);
                put("@.gap", &[&p], Ty::Duration)
            }
            _ => self.function(&[Ret::Duration], d),
        }
    }

    fn alert(&mut self, d: usize) -> E {
        if d > 0 && self.r.chance(25) {
            let x = self.edge(d - 1);
            return put("@.alert", &[&x], Ty::Alert);
        }
        let list = self.list_of(&Ty::Alert, d.saturating_sub(1));
        let last = *self.r.pick(&["first", "last"]);
        put(&format!("@.{last}()"), &[&list], Ty::Alert)
    }

    fn entity(&mut self, d: usize) -> E {
        let known: Vec<E> = self.vars.iter().filter(|v| matches!(v.1, Ty::Entity(_))).map(local).collect();
        if !known.is_empty() && self.r.chance(50) {
            return self.r.pick(&known).clone();
        }
        if d > 0 && self.r.chance(40) {
            let x = self.edge(d - 1);
            let Ty::Edge(ends) = x.ty else { unreachable!() };
            return if self.r.chance(50) { put("@.from", &[&x], Ty::Entity(ends.from)) } else { put("@.to", &[&x], Ty::Entity(ends.to)) };
        }
        let kind = *self.r.pick(KINDS);
        self.entity_of(Kinds::one(kind), d)
    }

    fn entity_of(&mut self, kinds: Kinds, d: usize) -> E {
        let ty = Ty::Entity(kinds);
        let known: Vec<E> = self.vars.iter().filter(|v| v.1 == ty).map(local).collect();
        if !known.is_empty() && self.r.chance(60) {
            return self.r.pick(&known).clone();
        }
        let list = self.list_of(&ty, d.saturating_sub(1));
        if d > 0 && self.r.chance(25) {
            let Ty::List(of) = list.ty.clone() else { unreachable!() };
            let (name, body) = self.closure(&of, Some(&Ty::Bool), d - 1);
            return put(&format!("@.first(|{name}| @)"), &[&list, &body], *of);
        }
        let of = item(&list.ty);
        let how = *self.r.pick(&[".first()", ".last()", ".first()", "[0]"]);
        put(&format!("@{how}"), &[&list], of)
    }

    fn edge(&mut self, d: usize) -> E {
        let known: Vec<E> = self.vars.iter().filter(|v| matches!(v.1, Ty::Edge(_))).map(local).collect();
        if !known.is_empty() && self.r.chance(60) {
            return self.r.pick(&known).clone();
        }
        if d > 0 && self.r.chance(20) {
            let p = self.pair(d - 1);
            let Ty::Pair(a, b) = p.ty else { unreachable!() };
            return if self.r.chance(50) { put("@.first", &[&p], Ty::Edge(a)) } else { put("@.second", &[&p], Ty::Edge(b)) };
        }
        let list = self.edges(d);
        let of = item(&list.ty);
        put("@.first()", &[&list], of)
    }

    fn edges(&mut self, d: usize) -> E {
        let x = self.entity(d.saturating_sub(1));
        let name = *self.r.pick(&["edges", "edges", "possible", "path_to"]);
        let f = functions::all().find(|f| f.name == name).unwrap();
        self.invoke(f, x, d.saturating_sub(1))
    }

    fn pair(&mut self, d: usize) -> E {
        let known: Vec<E> = self.vars.iter().filter(|v| matches!(v.1, Ty::Pair(..))).map(local).collect();
        if !known.is_empty() && self.r.chance(70) {
            return self.r.pick(&known).clone();
        }
        let x = self.entity_of(Kinds::one(Kind::User), d.saturating_sub(1));
        let f = functions::all().find(|f| f.name == "then").unwrap();
        let list = self.invoke(f, x, d);
        let of = item(&list.ty);
        put("@.first()", &[&list], of)
    }

    fn list(&mut self, d: usize) -> E {
        let known: Vec<E> = self.vars.iter().filter(|v| matches!(v.1, Ty::List(_))).map(local).collect();
        if !known.is_empty() && self.r.chance(40) {
            return self.r.pick(&known).clone();
        }
        if d == 0 {
            let kind = *self.r.pick(KINDS);
            return match self.r.below(4) {
                0 => e("alerts", Ty::list(Ty::Alert)),
                1 => e("[3, 1, 2, 1]", Ty::list(Ty::Int)),
                2 => e("incident.entities", Ty::list(Ty::Entity(Kinds::ANY))),
                _ => e(kind.collection(), Ty::list(Ty::entity(kind))),
            };
        }
        let d = d - 1;
        match self.r.below(12) {
            0 | 1 => {
                let list = self.list(d);
                let (name, body) = self.closure(&item(&list.ty), None, d);
                put(&format!("@.map(|{name}| @)"), &[&list, &body], Ty::list(body.ty.clone()))
            }
            2 => self.edges(d),
            3 => {
                let inner = self.list(d);
                let other = self.value(&inner.ty.clone(), d);
                match inner.ty.join(&other.ty) {
                    Some(ty) => put("[@, @].flatten()", &[&inner, &other], ty),
                    None => inner,
                }
            }
            4 | 5 => {
                let rets = [Ret::Texts, Ret::Alerts, Ret::OfKind, Ret::Out, Ret::Into, Ret::Pairs, Ret::Entities, Ret::Same, Ret::Flat];
                let ret = *self.r.pick(&rets);
                self.function(&[ret], d)
            }
            6 => {
                let ty = self.r.pick(&[Ty::list(Ty::Text), Ty::list(Ty::Alert)]).clone();
                self.field(&ty, d)
            }
            _ => {
                let ty = self.plain();
                self.list_of(&ty, d)
            }
        }
    }

    /// A list whose items are of a type, or can stand in for it.
    fn list_of(&mut self, of: &Ty, d: usize) -> E {
        let base = match of {
            Ty::Alert => e("alerts", Ty::list(Ty::Alert)),
            Ty::Entity(kinds) => {
                let kinds: Vec<Kind> = kinds.iter().filter(|k| KINDS.contains(k)).collect();
                let kind = if kinds.is_empty() { Kind::User } else { *self.r.pick(&kinds) };
                if self.r.chance(15) {
                    e(format!("entities(\"{kind}\")"), Ty::list(Ty::entity(kind)))
                } else {
                    e(kind.collection(), Ty::list(Ty::entity(kind)))
                }
            }
            Ty::Edge(_) => self.edges(d),
            Ty::Pair(..) => {
                let p = self.pair(d);
                put("[@]", &[&p], Ty::list(p.ty.clone()))
            }
            other => {
                let (a, b) = (self.value(other, d.saturating_sub(1)), self.value(other, d.saturating_sub(1)));
                match a.ty.join(&b.ty) {
                    Some(ty) => put("[@, @]", &[&a, &b], Ty::list(ty)),
                    None => put("[@]", &[&a], Ty::list(a.ty.clone())),
                }
            }
        };
        if d == 0 {
            return base;
        }
        let d = d - 1;
        match self.r.below(6) {
            0 | 1 => {
                let (name, body) = self.closure(&item(&base.ty), Some(&Ty::Bool), d);
                put(&format!("@.filter(|{name}| @)"), &[&base, &body], base.ty.clone())
            }
            2 => put("@.unique()", &[&base], base.ty.clone()),
            3 => put("(@ + @)", &[&base, &base], base.ty.clone()),
            _ => base,
        }
    }

    /// A field of this type of something.
    fn field(&mut self, ty: &Ty, d: usize) -> E {
        let dot = if self.r.chance(20) { "?." } else { "." };
        let with = |x: &E, name: &str| E { ours: format!("{}{dot}{name}", x.ours), oracle: format!("{}.{name}", x.oracle), ty: ty.clone() };
        match self.r.below(4) {
            0 => {
                let names: Vec<&str> = AlertField::all().iter().filter(|f| f.2 == *ty).map(|f| f.1).collect();
                if !names.is_empty() {
                    let x = self.alert(d);
                    let name = *self.r.pick(&names);
                    return with(&x, name);
                }
            }
            1 => {
                let names: Vec<&str> = EdgeField::all().iter().filter(|f| f.2 == *ty).map(|f| f.1).collect();
                if !names.is_empty() {
                    let x = self.edge(d);
                    let name = *self.r.pick(&names);
                    return with(&x, name);
                }
            }
            2 if self.r.chance(40) => {
                let names: Vec<&str> = IncidentField::all().iter().filter(|f| f.2 == *ty).map(|f| f.1).collect();
                if !names.is_empty() {
                    let name = *self.r.pick(&names);
                    return with(&e("incident", Ty::Incident), name);
                }
            }
            _ => {}
        }
        let x = self.entity(d);
        let Ty::Entity(kinds) = x.ty else { unreachable!() };
        let own = PROPS.iter().filter(|p| !p.kinds.and(kinds).is_none() && Ty::of_prop(p.ty) == *ty).map(|p| p.name);
        let names: Vec<&str> = own.chain(EntityField::all().iter().filter(|f| f.2 == *ty).map(|f| f.1)).collect();
        if names.is_empty() {
            return match ty {
                Ty::Int => e("2", Ty::Int),
                Ty::Level => e("incident.severity", Ty::Level),
                other => panic!("no field of {other}"),
            };
        }
        let name = *self.r.pick(&names);
        with(&x, name)
    }

    /// A call of a function of the table that gives this.
    fn function(&mut self, rets: &[Ret], d: usize) -> E {
        let all: Vec<&'static Function> = functions::all().filter(|f| rets.contains(&f.ret)).collect();
        let f = *self.r.pick(&all);
        let receiver = match f.on {
            Pat::Free => e("", Ty::Unknown),
            Pat::Text => self.value(&Ty::Text, d),
            Pat::Time => self.value(&Ty::Time, d),
            Pat::Alert => self.alert(d),
            Pat::Incident => e("incident", Ty::Incident),
            Pat::Entity => self.entity(d),
            Pat::List => self.list(d),
            Pat::Texts => self.list_of(&Ty::Text, d),
            Pat::Alerts => self.list_of(&Ty::Alert, d),
            Pat::Ordered => {
                let of = self.r.pick(&[Ty::Int, Ty::Text, Ty::Level, Ty::Time, Ty::Duration, Ty::Float]).clone();
                self.list_of(&of, d)
            }
            Pat::Nested => {
                let inner = self.list(d);
                put("[@]", &[&inner], Ty::list(inner.ty.clone()))
            }
            other => panic!("no receiver for {other:?}"),
        };
        self.invoke(f, receiver, d)
    }

    fn invoke(&mut self, f: &'static Function, receiver: E, d: usize) -> E {
        let mut args: Vec<E> = Vec::new();
        let mut constants: Vec<Option<Value>> = Vec::new();
        for (_, pat) in f.params {
            let mut constant = None;
            let arg = match pat {
                Pat::Relation => {
                    let Ty::Entity(kinds) = receiver.ty else { unreachable!() };
                    let fits: Vec<Rel> = (0..RELATIONS.len())
                        .map(|n| Rel(n as u8))
                        .filter(|r| {
                            let (from, to) = (!r.spec().from.and(kinds).is_none(), !r.spec().to.and(kinds).is_none());
                            match f.name {
                                "into" => to,
                                "edges" | "possible" => from || to,
                                _ => from,
                            }
                        })
                        .collect();
                    if fits.is_empty() {
                        return put("@.path_to(users.first())", &[&receiver], Ty::list(Ty::Edge(Ends { from: Kinds::ANY, to: Kinds::ANY })));
                    }
                    let rel = *self.r.pick(&fits);
                    constant = Some(Value::Rel(rel));
                    e(format!("{:?}", rel.spec().name), Ty::Text)
                }
                Pat::KindName => {
                    let kind = *self.r.pick(KINDS);
                    constant = Some(Value::Kind(kind));
                    e(format!("\"{kind}\""), Ty::Text)
                }
                Pat::Regex => e(*self.r.pick(&["\"^[a-z]+$\"", "\"(?i)ADA\"", "\"\\\\d{2,}\""]), Ty::Text),
                Pat::Glob => e(*self.r.pick(&["\"*.exe\"", "\"?da\"", "\"*\""]), Ty::Text),
                Pat::Network => e(*self.r.pick(&["\"203.0.113.0/24\"", "\"::/0\""]), Ty::Text),
                Pat::Technique => e(*self.r.pick(&["\"T1566\"", "\"T1078.004\"", "\"T1204\""]), Ty::Text),
                Pat::Tactic => e(*self.r.pick(&["\"initial-access\"", "\"impact\""]), Ty::Text),
                Pat::Signal => e(*self.r.pick(&["\"url_clicked\"", "\"foreign_sign_in\""]), Ty::Text),
                Pat::ListId => e(*self.r.pick(&["\"board\"", "\"partner_networks\"", "\"bad_domains\""]), Ty::Text),
                Pat::LevelWord => e(format!("\"{}\"", self.r.pick(Level::ALL)), Ty::Text),
                Pat::Duration if f.name == "duration" || self.r.chance(70) => e(format!("{:?}", self.r.pick(DURATIONS)), Ty::Text),
                Pat::Duration => self.value(&Ty::Duration, d),
                Pat::Text if f.name == "extra" => e("\"rule\"", Ty::Text),
                Pat::Text if f.name == "field" => e("\"costCentre\"", Ty::Text),
                Pat::Text if matches!(f.name, "has_role" | "has_tag") => e(*self.r.pick(&["\"victim\"", "\"vip\"", "\"partner\""]), Ty::Text),
                Pat::Text => self.value(&Ty::Text, d),
                Pat::Texts => self.list_of(&Ty::Text, d),
                Pat::Int => self.value(&Ty::Int, d),
                Pat::Entity => self.entity(d),
                Pat::Any => self.any(d),
                Pat::Item => {
                    let of = item(&receiver.ty);
                    let x = self.value(&of, d);
                    if !x.ty.alike(&of) {
                        return put("@.is_empty()", &[&receiver], Ty::Bool);
                    }
                    x
                }
                Pat::Same => {
                    let x = self.value(&receiver.ty.clone(), d);
                    if x.ty.alike(&receiver.ty) { x } else { receiver.clone() }
                }
                other => panic!("no argument for {other:?}"),
            };
            args.push(arg);
            constants.push(constant);
        }
        let given: Vec<Option<&Value>> = constants.iter().map(Option::as_ref).collect();
        let ty = f.result(&receiver.ty, &given);
        let mut parts: Vec<&E> = Vec::new();
        let mut text = String::new();
        if f.on != Pat::Free {
            parts.push(&receiver);
            text.push_str("@.");
        }
        text.push_str(f.name);
        text.push('(');
        text.push_str(&vec!["@"; args.len()].join(", "));
        text.push(')');
        parts.extend(&args);
        let made = put(&text, &parts, ty);
        if f.ret == Ret::Item { made.item() } else { made }
    }
}

impl E {
    /// In parentheses, where it stands beside an operator.
    fn wrapped(self) -> Self {
        E { ours: format!("({})", self.ours), oracle: format!("({})", self.oracle), ty: self.ty }
    }
}

fn item(list: &Ty) -> Ty {
    match list {
        Ty::List(of) => (**of).clone(),
        other => panic!("{other} is no list"),
    }
}

// ---------------------------------------------------------------- the oracle

/// What Rhai does not have: an alert, entity, edge, pair, list of values, the incident.
#[derive(Clone)]
struct Thing(Value);
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Lvl(Level);
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Time);
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span(SignedDuration);

type Res<T> = Result<T, Box<EvalAltResult>>;

fn to_rhai(v: &Value) -> Dynamic {
    match v {
        Value::Absent => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Float(x) => (*x).into(),
        Value::Text(t) => Dynamic::from(ImmutableString::from(&**t)),
        Value::Level(l) => Dynamic::from(Lvl(*l)),
        Value::Time(t) => Dynamic::from(Moment(*t)),
        Value::Duration(d) => Dynamic::from(Span(*d)),
        Value::List(all) => Dynamic::from_array(all.iter().map(to_rhai).collect()),
        Value::Map(all) => Dynamic::from_map(all.iter().map(|(k, v)| ((&**k).into(), to_rhai(v))).collect()),
        other => Dynamic::from(Thing(other.clone())),
    }
}

fn from_rhai(d: &Dynamic) -> Value {
    let d = d.flatten_clone();
    if d.is_unit() {
        return Value::Absent;
    }
    if let Ok(b) = d.as_bool() {
        return b.into();
    }
    if let Ok(n) = d.as_int() {
        return Value::Int(n);
    }
    if let Ok(x) = d.as_float() {
        return Value::Float(x);
    }
    if d.is_string() {
        return d.into_string().unwrap().into();
    }
    if d.is_array() {
        return Value::list(d.into_array().unwrap().iter().map(from_rhai));
    }
    if d.is_map() {
        let map = d.cast::<rhai::Map>();
        return Value::Map(map.iter().map(|(k, v)| (Arc::from(k.as_str()), from_rhai(v))).collect());
    }
    if let Some(l) = d.clone().try_cast::<Lvl>() {
        return Value::Level(l.0);
    }
    if let Some(t) = d.clone().try_cast::<Moment>() {
        return Value::Time(t.0);
    }
    if let Some(s) = d.clone().try_cast::<Span>() {
        return Value::Duration(s.0);
    }
    if let Some(r) = d.clone().try_cast::<std::ops::Range<i64>>() {
        return Value::Range(r.start, r.end, false);
    }
    if let Some(r) = d.clone().try_cast::<std::ops::RangeInclusive<i64>>() {
        return Value::Range(*r.start(), *r.end(), true);
    }
    d.try_cast::<Thing>().expect("a value that we know").0
}

/// A text beside a level, time or duration is read as one.
fn read_beside(text: &str, other: &Value) -> Value {
    let ty = match other {
        Value::Level(_) => Ty::Level,
        Value::Time(_) => Ty::Time,
        Value::Duration(_) => Ty::Duration,
        _ => return Value::text(text),
    };
    literal::read_as(&ty, text).unwrap().unwrap()
}

/// Equality by the rules of the design, written again: nothing equals what is absent.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Absent, _) | (_, Value::Absent) => false,
        (Value::Int(x), Value::Float(y)) | (Value::Float(y), Value::Int(x)) => *x as f64 == *y,
        (Value::Int(x), Value::Int(y)) => x == y,
        (Value::Float(x), Value::Float(y)) => x == y,
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Text(x), Value::Text(y)) => x == y,
        (Value::Text(t), other @ (Value::Level(_) | Value::Time(_) | Value::Duration(_)))
        | (other @ (Value::Level(_) | Value::Time(_) | Value::Duration(_)), Value::Text(t)) => equal(&read_beside(t, other), other),
        (Value::Level(x), Value::Level(y)) => x == y,
        (Value::Time(x), Value::Time(y)) => x == y,
        (Value::Duration(x), Value::Duration(y)) => x == y,
        (Value::List(x), Value::List(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| equal(a, b)),
        (Value::Entity(x), Value::Entity(y)) => x == y,
        (Value::Alert(x), Value::Alert(y)) => x == y,
        (Value::Edge(x), Value::Edge(y)) => x == y,
        (Value::Pair(a, b), Value::Pair(c, d)) => (a, b) == (c, d),
        (Value::Map(x), Value::Map(y)) => x.len() == y.len() && x.iter().all(|(k, v)| y.iter().any(|(l, w)| k == l && equal(v, w))),
        _ => false,
    }
}

/// The same value, where two absent ones and two that are no number count as the same.
fn agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Absent, Value::Absent) => true,
        (Value::Float(x), Value::Float(y)) => x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(),
        (Value::List(x), Value::List(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| agree(a, b)),
        (Value::Map(x), Value::Map(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| a.0 == b.0 && agree(&a.1, &b.1)),
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => false,
        _ => equal(a, b),
    }
}

/// What a field of nothing is: false, no items, or nothing.
fn nothing(ty: &Ty) -> Dynamic {
    match ty {
        Ty::Bool => false.into(),
        Ty::List(_) => Array::new().into(),
        _ => Dynamic::UNIT,
    }
}

fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(all.into_iter().map(Value::text))
}

/// A field, read from the model by code that shares nothing with the evaluator.
fn read(facts: &Facts<'_>, v: &Value, name: &str) -> Value {
    let incident = facts.incident;
    match v {
        Value::Entity(ix) => {
            let x = facts.entity(*ix).unwrap();
            let verdict = facts.verdict(*ix);
            match name {
                "id" => x.id.as_ref().into(),
                "kind" => x.kind.word().into(),
                "name" => x.name.as_ref().into(),
                "aliases" => texts(x.aliases.iter().map(|t| &**t)),
                "verdict" => verdict.word().into(),
                "malicious" => (verdict == Verdict::Malicious).into(),
                "suspicious" => matches!(verdict, Verdict::Malicious | Verdict::Suspicious).into(),
                "roles" => texts(facts.roles(*ix)),
                "tags" => texts(facts.tags(*ix)),
                "remediation_status" => x.remediation_status.as_ref().into(),
                "signals" => {
                    let said: std::collections::BTreeSet<&str> = x.alerts.iter().flat_map(|a| facts.signals_of(*a)).map(|s| &**s).collect();
                    texts(said)
                }
                "alerts" => Value::list(x.alerts.iter().map(|a| Value::Alert(*a))),
                "first_seen" => x.first_seen.into(),
                "last_seen" => x.last_seen.into(),
                _ => {
                    let prop = Prop::named(name).unwrap_or_else(|| panic!("no property {name}"));
                    match (facts.prop(*ix, prop), prop.spec().ty) {
                        (Some(PropValue::Text(t)), _) => t.as_ref().into(),
                        (Some(PropValue::Int(n)), _) => Value::Int(*n),
                        (Some(PropValue::Bool(b)), _) => (*b).into(),
                        (Some(PropValue::Level(l)), _) => (*l).into(),
                        (Some(PropValue::Time(t)), _) => (*t).into(),
                        (Some(PropValue::Texts(l)), _) => texts(l.iter().map(|t| &**t)),
                        (None, PropType::Bool) => false.into(),
                        (None, PropType::Texts) => Value::list([]),
                        (None, _) => Value::Absent,
                    }
                }
            }
        }
        Value::Alert(ix) => {
            let a = incident.alert(*ix).unwrap();
            match name {
                "id" => a.id.as_ref().into(),
                "title" => a.title.as_ref().into(),
                "description" => a.description.as_ref().into(),
                "severity" => a.severity.into(),
                "status" => a.status.as_ref().into(),
                "detector" => a.detectors.first().map(|t| &**t).into(),
                "detectors" => texts(a.detectors.iter().map(|t| &**t)),
                "product" => a.product.as_ref().into(),
                "category" => a.category.as_ref().into(),
                "techniques" => texts(a.techniques.iter().map(|t| &**t)),
                "tactics" => texts(a.tactics.iter().map(|t| &**t)),
                "first" => a.first.into(),
                "last" => a.last.into(),
                "created" => a.created.into(),
                "signals" => texts(facts.signals_of(*ix).map(|s| &**s)),
                other => panic!("no field {other} of an alert"),
            }
        }
        Value::Incident => {
            let all = |pick: fn(&guided_response::model::Alert) -> &guided_response::model::Set<guided_response::model::Text>| {
                texts(incident.alerts.iter().flat_map(pick).map(|t| &**t).collect::<std::collections::BTreeSet<_>>())
            };
            match name {
                "id" => incident.id.as_ref().into(),
                "title" => incident.title.as_ref().into(),
                "description" => incident.description.as_ref().into(),
                "severity" => incident.severity.into(),
                "status" => incident.status.as_ref().into(),
                "source" => incident.source.as_ref().into(),
                "created" => incident.created.into(),
                "first_activity" => incident.first_activity.into(),
                "last_activity" => incident.last_activity.into(),
                "tags" => texts(incident.tags.iter().map(|t| &**t)),
                "signals" => texts(facts.signals().iter().map(|s| &**s)),
                "techniques" => all(|a| &a.techniques),
                "tactics" => all(|a| &a.tactics),
                "types" => texts(facts.types.iter().map(|t| &*t.0)),
                "entities" => Value::list(incident.entities().map(|(ix, _)| Value::Entity(ix))),
                "alerts" => Value::list(incident.alerts().map(|(ix, _)| Value::Alert(ix))),
                other => panic!("no field {other} of the incident"),
            }
        }
        Value::Edge(ix) => {
            let r = facts.graph.edge(*ix).unwrap();
            match name {
                "from" => Value::Entity(r.from),
                "to" => Value::Entity(r.to),
                "relation" => r.rel.spec().name.into(),
                "first_seen" => r.first.into(),
                "last_seen" => r.last.into(),
                "alert" => r.alerts.iter().next().copied().into(),
                "alerts" => Value::list(r.alerts.iter().map(|a| Value::Alert(*a))),
                "basis" => r.basis.word().into(),
                other => panic!("no field {other} of an edge"),
            }
        }
        Value::Pair(a, b) => match name {
            "first" => Value::Edge(*a),
            "second" => Value::Edge(*b),
            "gap" => match (facts.graph.edge(*a).unwrap().first, facts.graph.edge(*b).unwrap().first) {
                (Some(x), Some(y)) => Value::Duration(y.duration_since(x).max(SignedDuration::ZERO)),
                _ => Value::Absent,
            },
            other => panic!("no field {other} of a pair"),
        },
        other => panic!("no field {name} of {other:?}"),
    }
}

/// The argument as the function's code wants it: what is read at load is read here.
fn argument(pat: Pat, v: Value, names: &Names) -> Value {
    match (&v, pat.literal()) {
        (Value::Text(t), true) => literal::read_param(pat, t, &names.env(Vec::new()), &mut Questions::default()).unwrap(),
        (Value::Text(t), false) if pat == Pat::Duration => read_beside(t, &Value::Duration(SignedDuration::ZERO)),
        _ => v,
    }
}

fn fits(f: &Function, first: &Value) -> bool {
    matches!(
        (f.on, first),
        (Pat::Text, Value::Text(_))
            | (Pat::Time, Value::Time(_))
            | (Pat::Alert, Value::Alert(_))
            | (Pat::Incident, Value::Incident)
            | (Pat::Entity, Value::Entity(_))
            | (Pat::List | Pat::Texts | Pat::Alerts | Pat::Ordered | Pat::Nested, Value::List(_))
    )
}

fn call(name: &str, facts: &'static Facts<'static>, names: &'static Names, args: &[Dynamic]) -> Res<Dynamic> {
    let args: Vec<Value> = args.iter().map(from_rhai).collect();
    let named = || functions::all().filter(|f| f.name == name);
    let free = named().find(|f| f.on == Pat::Free && f.params.len() == args.len());
    let method: Vec<&'static Function> = named().filter(|f| f.on != Pat::Free && f.params.len() + 1 == args.len()).collect();
    let method = method.iter().copied().find(|f| args.first().is_some_and(|v| fits(f, v))).or_else(|| method.first().copied());
    let (f, skip) = match (free, method) {
        (_, Some(m)) => (m, 1),
        (Some(f), None) => (f, 0),
        (None, None) => panic!("no function {name} of {}", args.len()),
    };
    if name == "known" {
        return Ok((!args[0].is_absent()).into());
    }
    if args.iter().any(Value::is_absent) {
        return Ok(match f.ret {
            Ret::Bool => false.into(),
            Ret::Int | Ret::Text | Ret::Level | Ret::Time | Ret::Duration | Ret::Item => Dynamic::UNIT,
            _ => Array::new().into(),
        });
    }
    let ready: Vec<Value> = args.into_iter().enumerate().map(|(n, v)| if n < skip { v } else { argument(f.params[n - skip].1, v, names) }).collect();
    let mut cx = Cx::new(facts, 0);
    (f.run)(&mut cx, &ready).map(|v| to_rhai(&v)).map_err(|s| format!("{s:?}").into())
}

fn contains(facts: &Facts<'_>, of: &Dynamic, wanted: &Dynamic) -> bool {
    let (of, wanted) = (from_rhai(of), from_rhai(wanted));
    match (&of, &wanted) {
        (_, Value::Absent) => false,
        (Value::List(all), x) => all.iter().any(|y| equal(x, y)),
        (Value::Text(whole), Value::Text(part)) => whole.contains(&**part),
        (Value::Map(all), Value::Text(k)) => all.iter().any(|(n, _)| n == k),
        (Value::Range(a, b, false), Value::Int(n)) => (*a..*b).contains(n),
        (Value::Range(a, b, true), Value::Int(n)) => (*a..=*b).contains(n),
        (Value::Named(n), Value::Text(t)) => facts.lists[*n as usize].has_text(t),
        (Value::Named(n), Value::Entity(e)) => facts.lists[*n as usize].has_entity(facts.entity(*e).unwrap()),
        _ => false,
    }
}

macro_rules! six {
    ($engine:ident, $a:ty, $b:ty, |$x:ident, $y:ident| $order:expr) => {
        $engine.register_fn("==", |$x: $a, $y: $b| -> bool { $order == Some(std::cmp::Ordering::Equal) });
        $engine.register_fn("!=", |$x: $a, $y: $b| -> bool { $order != Some(std::cmp::Ordering::Equal) });
        $engine.register_fn("<", |$x: $a, $y: $b| -> bool { $order == Some(std::cmp::Ordering::Less) });
        $engine.register_fn("<=", |$x: $a, $y: $b| -> bool { matches!($order, Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)) });
        $engine.register_fn(">", |$x: $a, $y: $b| -> bool { $order == Some(std::cmp::Ordering::Greater) });
        $engine.register_fn(">=", |$x: $a, $y: $b| -> bool { matches!($order, Some(std::cmp::Ordering::Greater | std::cmp::Ordering::Equal)) });
    };
}

macro_rules! absent {
    ($engine:ident, $($t:ty),+) => {$(
        six!($engine, (), $t, |_a, _b| None::<std::cmp::Ordering>);
        six!($engine, $t, (), |_a, _b| None::<std::cmp::Ordering>);
        for sign in ["+", "-", "*", "/", "%"] {
            $engine.register_fn(sign, |_: (), _: $t| ());
            $engine.register_fn(sign, |_: $t, _: ()| ());
        }
    )+};
}

fn large() -> Box<EvalAltResult> {
    "too large".into()
}

/// Rhai's interpreter with the same table of functions.
fn oracle(facts: &'static Facts<'static>, names: &'static Names) -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine.set_fast_operators(false);
    engine.set_max_expr_depths(0, 0);
    engine.set_max_call_levels(200);
    engine.register_type_with_name::<Thing>("Thing").register_type_with_name::<Lvl>("Level");
    engine.register_type_with_name::<Moment>("Time").register_type_with_name::<Span>("Duration");

    six!(engine, (), (), |_a, _b| None::<std::cmp::Ordering>);
    absent!(engine, i64, f64, bool, ImmutableString, Lvl, Moment, Span, Thing, Array, rhai::Map);
    for sign in ["+", "-", "*", "/", "%"] {
        engine.register_fn(sign, |_: (), _: ()| ());
    }
    engine.register_fn("-", |_: ()| ());
    // A raw engine has the binary operators of its own types and no unary ones.
    engine.register_fn("!", |b: bool| !b).register_fn("-", |x: f64| -x);
    engine.register_fn("-", |n: i64| n.checked_neg().ok_or_else(large));
    engine.register_fn("..", |_: (), _: i64| 0i64..0i64).register_fn("..", |_: i64, _: ()| 0i64..0i64).register_fn("..", |_: (), _: ()| 0i64..0i64);
    engine
        .register_fn("..=", |_: (), _: i64| 0i64..0i64)
        .register_fn("..=", |_: i64, _: ()| 0i64..0i64)
        .register_fn("..=", |_: (), _: ()| 0i64..0i64);

    six!(engine, f64, f64, |a, b| a.partial_cmp(&b));
    six!(engine, i64, f64, |a, b| (a as f64).partial_cmp(&b));
    six!(engine, f64, i64, |a, b| a.partial_cmp(&(b as f64)));
    six!(engine, Lvl, Lvl, |a, b| Some(a.cmp(&b)));
    six!(engine, Moment, Moment, |a, b| Some(a.cmp(&b)));
    six!(engine, Span, Span, |a, b| Some(a.cmp(&b)));
    fn level(t: &str) -> Lvl {
        Lvl(Level::parse(t).unwrap())
    }
    fn time(t: &str) -> Moment {
        Moment(guided_response::model::time::time(t).unwrap())
    }
    fn span(t: &str) -> Span {
        Span(guided_response::model::time::duration(t).unwrap())
    }
    six!(engine, Lvl, ImmutableString, |a, b| Some(a.cmp(&level(&b))));
    six!(engine, ImmutableString, Lvl, |a, b| Some(level(&a).cmp(&b)));
    six!(engine, Moment, ImmutableString, |a, b| Some(a.cmp(&time(&b))));
    six!(engine, ImmutableString, Moment, |a, b| Some(time(&a).cmp(&b)));
    six!(engine, Span, ImmutableString, |a, b| Some(a.cmp(&span(&b))));
    six!(engine, ImmutableString, Span, |a, b| Some(span(&a).cmp(&b)));
    engine.register_fn("==", |a: Thing, b: Thing| equal(&a.0, &b.0)).register_fn("!=", |a: Thing, b: Thing| !equal(&a.0, &b.0));
    engine.register_fn("==", |a: Array, b: Array| equal(&from_rhai(&a.into()), &from_rhai(&b.into())));
    engine.register_fn("!=", |a: Array, b: Array| !equal(&from_rhai(&a.into()), &from_rhai(&b.into())));

    engine.register_fn("+", |a: Array, b: Array| -> Array { a.into_iter().chain(b).collect() });
    engine.register_fn("-", |a: Moment, b: Moment| Span(a.0.duration_since(b.0)));
    engine.register_fn("+", |a: Moment, b: Span| a.0.checked_add(b.0).map(Moment).map_err(|_| large()));
    engine.register_fn("-", |a: Moment, b: Span| a.0.checked_sub(b.0).map(Moment).map_err(|_| large()));
    engine.register_fn("+", |a: Moment, b: ImmutableString| a.0.checked_add(span(&b).0).map(Moment).map_err(|_| large()));
    engine.register_fn("-", |a: Moment, b: ImmutableString| a.0.checked_sub(span(&b).0).map(Moment).map_err(|_| large()));
    engine.register_fn("+", |a: Span, b: Span| a.0.checked_add(b.0).map(Span).ok_or_else(large));
    engine.register_fn("-", |a: Span, b: Span| a.0.checked_sub(b.0).map(Span).ok_or_else(large));
    engine.register_fn("+", |a: ImmutableString, b: Span| span(&a).0.checked_add(b.0).map(Span).ok_or_else(large));
    engine.register_fn("-", |a: ImmutableString, b: Span| span(&a).0.checked_sub(b.0).map(Span).ok_or_else(large));
    engine.register_fn("-", |a: Span| a.0.checked_neg().map(Span).ok_or_else(large));

    // Properties: of things, and of nothing.
    let mut fields: BTreeMap<&'static str, Ty> = BTreeMap::new();
    let mut field = |name: &'static str, ty: Ty| {
        if let Some(old) = fields.insert(name, ty.clone()) {
            assert_eq!(from_rhai(&nothing(&old)).is_absent(), from_rhai(&nothing(&ty)).is_absent(), "`{name}` is empty in two ways");
        }
    };
    EntityField::all().into_iter().for_each(|f| field(f.1, f.2));
    AlertField::all().into_iter().for_each(|f| field(f.1, f.2));
    IncidentField::all().into_iter().for_each(|f| field(f.1, f.2));
    EdgeField::all().into_iter().for_each(|f| field(f.1, f.2));
    PairField::all().into_iter().for_each(|f| field(f.1, f.2));
    PROPS.iter().for_each(|p| field(p.name, Ty::of_prop(p.ty)));
    for (name, ty) in fields {
        engine.register_get(name, move |t: &mut Thing| to_rhai(&read(facts, &t.0, name)));
        engine.register_get(name, move |_: &mut ()| nothing(&ty));
    }

    // The table of functions, each name once for each number of arguments.
    let mut seen = std::collections::BTreeSet::new();
    for f in functions::all() {
        let (name, n) = (f.name, f.params.len() + usize::from(f.on != Pat::Free));
        if name == "contains" || !seen.insert((name, n)) {
            continue;
        }
        match n {
            0 => engine.register_fn(name, move || call(name, facts, names, &[])),
            1 => engine.register_fn(name, move |a: Dynamic| call(name, facts, names, &[a])),
            2 => engine.register_fn(name, move |a: Dynamic, b: Dynamic| call(name, facts, names, &[a, b])),
            3 => engine.register_fn(name, move |a: Dynamic, b: Dynamic, c: Dynamic| call(name, facts, names, &[a, b, c])),
            4 => engine.register_fn(name, move |a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic| call(name, facts, names, &[a, b, c, d])),
            more => panic!("{name} takes {more}"),
        };
    }
    engine.register_fn("contains", move |of: Dynamic, x: Dynamic| contains(facts, &of, &x));

    // Closures.
    fn hold(cx: &NativeCallContext<'_>, f: &FnPtr, x: &Dynamic) -> Res<bool> {
        f.call_within_context::<bool>(cx, (x.clone(),))
    }
    engine.register_fn("filter", |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<Array> {
        let mut out = Array::new();
        for x in list {
            if hold(&cx, &f, &x)? {
                out.push(x);
            }
        }
        Ok(out)
    });
    engine.register_fn("map", |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<Array> {
        let mut out = Array::new();
        for x in list {
            let made = f.call_within_context::<Dynamic>(&cx, (x,))?;
            if !made.is_unit() {
                out.push(made);
            }
        }
        Ok(out)
    });
    for name in ["some", "any"] {
        engine.register_fn(name, |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<bool> {
            for x in list {
                if hold(&cx, &f, &x)? {
                    return Ok(true);
                }
            }
            Ok(false)
        });
    }
    engine.register_fn("all", |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<bool> {
        for x in list {
            if !hold(&cx, &f, &x)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
    engine.register_fn("count", |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<i64> {
        let mut n = 0;
        for x in list {
            n += i64::from(hold(&cx, &f, &x)?);
        }
        Ok(n)
    });
    engine.register_fn("first", |cx: NativeCallContext<'_>, list: Array, f: FnPtr| -> Res<Dynamic> {
        for x in list {
            if hold(&cx, &f, &x)? {
                return Ok(x);
            }
        }
        Ok(Dynamic::UNIT)
    });

    // The help of the list above.
    engine.register_get("a", |_: &mut ()| ());
    engine.register_fn("copy", |x: Dynamic| x.flatten());
    engine.register_fn("flag", |x: Dynamic| if x.is_unit() { false.into() } else { x });
    engine.register_fn("items", |x: Dynamic| if x.is_unit() { Array::new().into() } else { x });
    engine.register_fn("word", |x: Lvl| x.0.word().to_owned()).register_fn("word", |_: ()| ());
    engine.register_fn("show", move |x: Dynamic| display(facts, &from_rhai(&x)));
    engine
}

/// The names that every expression has.
fn globals(facts: &Facts<'_>, set: &PlaybookSet) -> BTreeMap<&'static str, Dynamic> {
    let mut scope = BTreeMap::new();
    scope.insert("incident", to_rhai(&Value::Incident));
    scope.insert("alerts", to_rhai(&Value::list(facts.incident.alerts().map(|(ix, _)| Value::Alert(ix)))));
    for kind in Kind::ALL {
        scope.insert(
            kind.collection(),
            to_rhai(&Value::list(facts.incident.entities().filter(|(_, e)| e.kind == *kind).map(|(ix, _)| Value::Entity(ix)))),
        );
    }
    let lists: rhai::Map = (0u32..).zip(&set.lists).map(|(n, l)| (l.id.as_ref().into(), to_rhai(&Value::Named(n)))).collect();
    scope.insert("lists", Dynamic::from_map(lists));
    scope
}

// ---------------------------------------------------------------- the comparison

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    pairs: usize,
    values: usize,
    absent: usize,
    errors: usize,
}

/// One incident and a batch of expressions that share memo places, compared pair by pair.
fn batch(seed: u64, wanted: usize, tally: &mut Tally) -> Result<(), String> {
    let mut r = Random::new(seed);
    let set: &'static PlaybookSet = Box::leak(Box::new(example_set()));
    let read: &'static _ = Box::leak(Box::new(incident(random_incident(&mut r).to_string().as_bytes())));
    let (facts, failed) = eval::facts(set, read, None);
    assert!(failed.is_empty());
    let facts: &'static Facts<'static> = Box::leak(Box::new(facts));
    let plain: &'static Names = Box::leak(Box::new(Names::of(set)));
    let mut engine = oracle(facts, plain);
    let globals = globals(facts, set);
    #[expect(deprecated, reason = "the resolver of variables is marked as one that may change")]
    engine.on_var(move |name, _, _| Ok(globals.get(name).cloned()));

    let mut names = Names::of(set);
    let mut questions = Questions::default();
    let mut g = Gen::new(r.next());
    let describe = |text: &str, d: &dyn std::fmt::Debug| format!("seed {seed}: {text}\n  {d:?}");
    // Bindings and clauses, each of which may use those before it.
    for n in 0..3 {
        let made = g.any(3);
        let expr = names.compile(&made.ours, &mut questions).map_err(|d| describe(&made.ours, &d))?;
        let name = format!("b{n}");
        names.bindings.insert(name.as_str().into(), Arc::new(expr));
        g.bindings.push((name, made.ty, made.oracle));
    }
    for n in 0..2 {
        let kind = *r.pick(KINDS);
        g.vars.push(("p0".into(), Ty::entity(kind)));
        let made = g.value(&Ty::Bool, 3);
        g.vars.pop();
        let scalar = guided_response::source::Scalar::plain(guided_response::source::FileId(0), &made.ours, 0);
        let mut out = Vec::new();
        let body = guided_response::script::Lowering::compile(
            guided_response::source::Snippet::whole(&scalar),
            names.env(vec![("p0".into(), Ty::entity(kind))]),
            &mut questions,
            &mut out,
        )
        .ok_or_else(|| describe(&made.ours, &out))?;
        let name = format!("c{n}");
        let span = body.span;
        names.clauses.insert(
            name.as_str().into(),
            Arc::new(Condition { name: name.as_str().into(), body, params: vec![("p0".into(), kind)], pass: None, fail: None, span }),
        );
        g.clauses.push(Clause { name, kind, oracle: replace_word(&made.oracle, "p0", "$p") });
    }
    let mut all = Vec::new();
    while all.len() < wanted {
        let depth = 1 + r.below(5);
        let made = if r.chance(60) { g.value(&Ty::Bool, depth) } else { g.any(depth) };
        if made.ours.len() > 4000 || made.oracle.len() > 200_000 {
            continue;
        }
        let expr = names.compile(&made.ours, &mut questions).map_err(|d| describe(&made.ours, &d))?;
        if expr.ty != made.ty {
            return Err(format!("seed {seed}: {}\n  is {:?} and should be {:?}", made.ours, expr.ty, made.ty));
        }
        all.push((made, expr));
    }
    let mut cx = Cx::new(facts, questions.len());
    for (made, expr) in &all {
        let ours = cx.value(expr, &[]);
        if matches!(ours, Err(guided_response::script::Stop::Budget(_))) {
            continue;
        }
        // A plan costs what its expression costs.
        let (mut quick, mut slow) = (Cx::new(facts, questions.len()), Cx::new(facts, questions.len()));
        slow.observe();
        let _ = (quick.value(expr, &[]), slow.value(expr, &[]));
        let mut named = false;
        expr.each(&mut |x| named |= matches!(x.node, Node::Binding(..) | Node::Clause(..)));
        // What has a name is a step more than what it stands for, and the two share an answer.
        if slow.cost() != quick.cost() && !named {
            return Err(format!("seed {seed}: {}\n  costs {} steps, and {} node by node", made.ours, quick.cost(), slow.cost()));
        }
        let (traced, _) = cx.traced(expr, &[]);
        let (fresh, _) = Cx::new(facts, questions.len()).traced(expr, &[]);
        for other in [&traced, &fresh] {
            let same = match (&ours, other) {
                (Ok(a), Ok(b)) => agree(a, b),
                (Err(a), Err(b)) => a.parts().1 == b.parts().1,
                _ => false,
            };
            if !same {
                return Err(format!("seed {seed}: {}\n  untraced {ours:?}, traced {other:?}", made.ours));
            }
        }
        // A plan finds the evidence that is found node by node.
        let [planned, by_node] = [expr, &by_node(expr)].map(|e| Cx::new(facts, questions.len()).traced(e, &[]).1);
        let missing = |from: &[Seen], of: &[Seen]| from.iter().find(|s| !of.contains(s)).cloned();
        if planned.len().max(by_node.len()) <= LOOKED_FOR
            && let Some(only) = missing(&planned, &by_node).or_else(|| missing(&by_node, &planned))
        {
            return Err(format!("seed {seed}: {}\n  {only:?} is seen only once:\n  {planned:?}\n  {by_node:?}", made.ours));
        }
        let theirs = engine.eval_expression::<Dynamic>(&made.oracle);
        tally.pairs += 1;
        match (&ours, &theirs) {
            (Ok(a), Ok(b)) if agree(a, &from_rhai(b)) => {
                tally.values += 1;
                tally.absent += usize::from(a.is_absent());
            }
            // What cannot be computed is an error in both: overflow, division by zero, a position outside a list.
            (Err(_), Err(why)) if computed_wrongly(why) => tally.errors += 1,
            _ => {
                let theirs = theirs.as_ref().map(from_rhai);
                return Err(format!("seed {seed}\n  ours:   {}\n  oracle: {}\n  {ours:?}\n  {theirs:?}", made.ours, made.oracle));
            }
        }
        // Flags are never absent and lists are never absent, whatever is asked.
        if let (Ok(v), Ty::Bool | Ty::List(_)) = (&ours, &expr.ty)
            && v.is_absent()
        {
            return Err(format!("seed {seed}: {} is {} and absent", made.ours, expr.ty));
        }
    }
    Ok(())
}

/// The same without any plan.
fn by_node(e: &Expr) -> Expr {
    let (one, boxed, all) = (by_node, |x: &Expr| Box::new(by_node(x)), |all: &[Expr]| all.iter().map(by_node).collect::<Vec<_>>());
    let node = match &e.node {
        Node::Binding(name, body) => Node::Binding(name.clone(), Arc::new(one(body))),
        Node::Clause(c, args) => {
            let clause = Condition { name: c.name.clone(), body: one(&c.body), params: c.params.clone(), pass: None, fail: None, span: c.span };
            Node::Clause(Arc::new(clause), all(args))
        }
        Node::Field(x, f) => Node::Field(boxed(x), *f),
        Node::Key(x, k) => Node::Key(boxed(x), k.clone()),
        Node::Not(x) => Node::Not(boxed(x)),
        Node::Negate(x) => Node::Negate(boxed(x)),
        Node::And(xs) => Node::And(all(xs)),
        Node::Or(xs) => Node::Or(all(xs)),
        Node::Coalesce(xs) => Node::Coalesce(all(xs)),
        Node::Array(xs) => Node::Array(all(xs)),
        Node::Interpolate(xs) => Node::Interpolate(all(xs)),
        Node::Call(f, xs) => Node::Call(f, all(xs)),
        Node::Compare(op, a, b) => Node::Compare(*op, boxed(a), boxed(b)),
        Node::Arith(op, a, b) => Node::Arith(*op, boxed(a), boxed(b)),
        Node::In(a, b) => Node::In(boxed(a), boxed(b)),
        Node::Index(a, b) => Node::Index(boxed(a), boxed(b)),
        Node::Range(a, b, closed) => Node::Range(boxed(a), boxed(b), *closed),
        Node::Each(op, a, b) => Node::Each(*op, boxed(a), boxed(b)),
        Node::If(a, b, c) => Node::If(boxed(a), boxed(b), boxed(c)),
        // What is looked at in the others is found node by node in any case.
        other => other.clone(),
    };
    Expr { node, plan: None, ..e.clone() }
}

/// Whether the oracle's error is one that arithmetic or an index makes, and no gap in what it was given.
fn computed_wrongly(e: &EvalAltResult) -> bool {
    match e {
        EvalAltResult::ErrorArithmetic(..) | EvalAltResult::ErrorArrayBounds(..) | EvalAltResult::ErrorRuntime(..) => true,
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => computed_wrongly(inner),
        _ => false,
    }
}

fn replace_word(text: &str, word: &str, by: &str) -> String {
    text.split(word).collect::<Vec<_>>().join(by)
}

#[test]
fn both_evaluators_agree() {
    let total = count("ENGINE_ORACLE", 2_000);
    let first = count("ENGINE_ORACLE_SEED", 1) as u64;
    let started = std::time::Instant::now();
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let mut seed = first;
    while tally.pairs < total {
        if let Err(why) = batch(seed, 40, &mut tally) {
            wrong.push(why);
            assert!(wrong.len() < 10, "{} of {tally:?}\n{}", wrong.len(), wrong.join("\n\n"));
        }
        seed += 1;
    }
    println!("{tally:?} in {:?}", started.elapsed());
    assert!(wrong.is_empty(), "{} of {tally:?}\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(tally.values * 2 > tally.pairs, "most expressions have a value: {tally:?}");
}

/// What is found by the places that were kept while a question was answered is what is found node by node: with few items
/// and with more than are shown or kept, for what is shown and for what decides.
#[test]
fn evidence_of_many_items_is_that_of_every_node() {
    let set = example_set();
    let names = Names::of(&set);
    for many in [3, 20, 21, 22, 41, 42, 60, 450] {
        let users: Vec<_> = (0..many)
            .map(|n| {
                let id = format!("user:u{n}@contoso.com");
                let department = ["finance", "sales", "finance"][n % 3];
                let tags = if n % 2 == 0 { json!(["vip"]) } else { json!([]) };
                json!({"id": id, "kind": "user", "name": format!("U{n}"), "verdict": "suspicious", "properties": {"department": department}, "tags": tags})
            })
            .collect();
        let read = incident(json!({"schema": "guided-response/incident/1", "id": "INC-1", "entities": users}).to_string().as_bytes());
        let (facts, failed) = eval::facts(&set, &read, None);
        assert!(failed.is_empty());
        let mut questions = Questions::default();
        let asked = [
            r#"users.count(|u| u.department == "finance") > 1"#,
            r#"users.count(|u| u.department == "finance") > 2"#,
            r#"users.count(|u| u.department != "finance") > 0"#,
            r#"users.count(|u| u.department == "law") == 0"#,
            r#"users.count(|u| u.verdict == "suspicious") > 1"#,
            r#"users.count(|u| u.department == "finance" && u.has_tag("vip")) > 0"#,
            r#"users.count(|u| u.has_tag("vip") || u.has_tag("new")) > 0"#,
            r#"users.count(|u| users.any(|o| o.department == u.department && o.id != u.id)) > 0"#,
            r#"users.all(|u| u.department != "law")"#,
            r#"users.all(|u| u.department != "law" && !u.has_tag("new"))"#,
            r#"users.some(|u| u.department == "sales" && u.has_tag("vip"))"#,
            r#"!users.some(|u| u.department == "sales" && u.has_tag("new"))"#,
        ];
        let asked: Vec<Expr> = asked.iter().map(|text| names.compile(text, &mut questions).unwrap_or_else(|d| panic!("{text}: {d:?}"))).collect();
        let plan = |e: &Expr| e.plan.as_ref().map(|p| p.ops().to_vec()).unwrap();
        let asked: Vec<_> = asked.iter().map(|e| (e, plan(e), Cx::new(&facts, questions.len()).holds(e, &[]).unwrap())).collect();
        let mut memory = guided_response::script::Memory::new(questions.len());
        // The second turn finds nothing of the first one.
        for turn in 0..2 {
            let mut cx = Cx::with(&facts, std::mem::take(&mut memory));
            if turn == 1 {
                // Asked before, as playbooks are.
                asked.iter().for_each(|(e, _, yes)| assert_eq!(cx.holds(e, &[]), Ok(*yes)));
            }
            // Each is asked twice, and what was found for one is still there when the others are looked into.
            let found: Vec<_> = asked.iter().chain(&asked).map(|(e, plan, yes)| cx.looked(e, Some(plan), &[], *yes)).collect();
            let decided: Vec<Vec<Seen>> = asked
                .iter()
                .map(|(e, plan, yes)| {
                    cx.passing(|cx| {
                        let looked = cx.deciding(|cx| cx.looked(e, Some(plan), &[], *yes));
                        cx.seen(looked).to_vec()
                    })
                })
                .collect();
            for (n, found) in found.iter().enumerate() {
                let (e, ..) = asked[n % asked.len()];
                let all = Cx::new(&facts, questions.len()).deciding(|cx| cx.traced(&by_node(e), &[]).1);
                let found = cx.seen(*found);
                assert_eq!(decided[n % asked.len()], all, "{n} of {many}, turn {turn}, to decide");
                if all.len() <= FINDINGS {
                    assert_eq!(found, all, "{n} of {many}, turn {turn}");
                } else {
                    assert!(found.len() > FINDINGS && all.starts_with(found), "{n} of {many}, turn {turn}: {found:?}\n{all:?}");
                }
            }
            memory = cx.into_memory();
        }
    }
}

// ---------------------------------------------------------------- what must not compile

impl Gen {
    /// A type whose values can never stand where one of `ty` belongs, and a value of it.
    fn wrong_for(&mut self, ty: &Ty, d: usize) -> E {
        let read = |t: &Ty| matches!(t, Ty::Level | Ty::Time | Ty::Duration);
        loop {
            let other = self
                .r
                .pick(&[
                    Ty::Bool,
                    Ty::Int,
                    Ty::Float,
                    Ty::Text,
                    Ty::Level,
                    Ty::Time,
                    Ty::Duration,
                    Ty::Alert,
                    Ty::entity(Kind::User),
                    Ty::list(Ty::Text),
                ])
                .clone();
            // A text beside a level, time or duration may be one that is meant.
            let meant = read(ty) && other == Ty::Text || read(&other) && *ty == Ty::Text;
            if !meant && !other.alike(ty) {
                return self.value(&other, d).wrapped();
            }
        }
    }

    /// An expression that is right but for the type of one operand.
    fn mistyped(&mut self, d: usize) -> E {
        let b = self.value(&Ty::Bool, d).wrapped();
        match self.r.below(14) {
            0 => {
                let w = self.wrong_for(&Ty::Bool, d);
                put(self.r.pick::<&str>(&["(@ && @)", "(@ || @)", "(@ && @ && true)"]), &[&b, &w], Ty::Bool)
            }
            1 => {
                let w = self.wrong_for(&Ty::Bool, d);
                put(
                    self.r.pick::<&str>(&[
                        "!@",
                        "if @ { true } else { false }",
                        "users.filter(|x| @).is_empty()",
                        "alerts.some(|x| @)",
                        "alerts.all(|x| @)",
                        "(switch 1 { 1 if @ => true, _ => false })",
                    ]),
                    &[&w],
                    Ty::Bool,
                )
            }
            2 => {
                let ty = self.plain();
                let (a, w) = (self.value(&ty, d).wrapped(), self.wrong_for(&ty, d));
                put(
                    self.r.pick::<&str>(&["(@ == @)", "(@ != @)", "(@ in [@])", "known(if true { @ } else { @ })", "known([@, @])", "known(@ ?? @)"]),
                    &[&a, &w],
                    Ty::Bool,
                )
            }
            3 => {
                let ty = self.r.pick(&[Ty::Int, Ty::Float, Ty::Text, Ty::Level, Ty::Time, Ty::Duration]).clone();
                let (a, w) = (self.value(&ty, d).wrapped(), self.wrong_for(&ty, d));
                let sign = *self.r.pick(&["<", "<=", ">", ">="]);
                put(&format!("(@ {sign} @)"), &[&a, &w], Ty::Bool)
            }
            4 => {
                let ty = self.r.pick(&[Ty::Bool, Ty::Alert, Ty::entity(Kind::User), Ty::list(Ty::Int)]).clone();
                let (a, c) = (self.value(&ty, d).wrapped(), self.value(&ty, d).wrapped());
                put("(@ < @)", &[&a, &c], Ty::Bool)
            }
            5 => {
                let a = self.value(&Ty::Int, d).wrapped();
                let w = self.wrong_for(&Ty::Int, d);
                let sign = *self.r.pick(&["+", "-", "*", "/", "%"]);
                put(&format!("known(@ {sign} @)"), &[&a, &w], Ty::Bool)
            }
            6 => {
                let a = self.value(&Ty::Text, d).wrapped();
                let w = self.wrong_for(&Ty::Text, d);
                put(self.r.pick::<&str>(&["@.contains(@)", "@.starts_with(@)", "known(@.split(@))", "@.ends_with(@)"]), &[&a, &w], Ty::Bool)
            }
            7 => {
                let a = self.entity(d);
                let w = self.wrong_for(&Ty::Int, d);
                put("known(@.within(@))", &[&a, &w], Ty::Bool)
            }
            8 => {
                let a = self.entity(d);
                let w = self.wrong_for(&Ty::entity(Kind::User), d);
                put(self.r.pick::<&str>(&["@.reaches(@)", "@.shares_alert(@)"]), &[&a, &w], Ty::Bool)
            }
            9 => {
                let w = self.wrong_for(&Ty::Text, d);
                put(self.r.pick::<&str>(&["known(@.lower())", "@.matches(\"a\")", "@.is_ip()", "known(@.trim().host())"]), &[&w], Ty::Bool)
            }
            10 => {
                let w = self.wrong_for(&Ty::Int, d);
                put(self.r.pick::<&str>(&["known(users[@])", "(1 in 0..@)", "(1 in @..=9)"]), &[&w], Ty::Bool)
            }
            11 => {
                let w = self.value(&Ty::Int, d).wrapped();
                put(
                    self.r.pick::<&str>(&["known(@.filter(|x| true))", "@.some(|x| true)", "known(@[0])", "known(@.malicious)", "known(@.len())"]),
                    &[&w],
                    Ty::Bool,
                )
            }
            12 => {
                let ty = self.r.pick(&[Ty::Bool, Ty::Text, Ty::Level, Ty::Time, Ty::Alert, Ty::list(Ty::Int)]).clone();
                let w = self.value(&ty, d).wrapped();
                put("known(-@)", &[&w], Ty::Bool)
            }
            _ => {
                let w = self.wrong_for(&Ty::Text, d);
                put(self.r.pick::<&str>(&["(@ in \"abc\")", "(@ in #{a: 1})"]), &[&w], Ty::Bool)
            }
        }
    }
}

/// A well-typed expression, true or false, for other tests.
pub fn random_expression(seed: u64) -> String {
    let mut g = Gen::new(seed);
    let depth = 1 + g.r.below(3);
    g.value(&Ty::Bool, depth).ours
}

#[test]
fn no_mistyped_expression_reaches_the_evaluator() {
    let set = example_set();
    let mut names = Names::of(&set);
    names.bindings.clear();
    let mut wrong = Vec::new();
    for seed in 0..count("ENGINE_MISTYPED", 2_000) as u64 {
        let mut g = Gen::new(seed.wrapping_add(77_000));
        let depth = g.r.below(3);
        let bad = g.mistyped(depth);
        let fine = g.value(&Ty::Bool, 1).wrapped();
        let text = match g.r.below(4) {
            0 => bad.ours.clone(),
            1 => format!("({} && {})", fine.ours, bad.ours),
            2 => format!("users.some(|x9| {} || {})", fine.ours, bad.ours),
            _ => format!("if {} {{ {} }} else {{ {} }}", fine.ours, bad.ours, fine.ours),
        };
        let mut questions = Questions::default();
        match names.compile(&text, &mut questions) {
            Ok(expr) => wrong.push(format!("seed {seed}: {text}\n  compiles as {}", expr.ty)),
            Err(all) => {
                let end = text.len() as u32;
                if !all.iter().any(|d| d.severity == guided_response::diag::Severity::Error && d.labels.first().is_some_and(|l| l.span.end <= end)) {
                    wrong.push(format!("seed {seed}: {text}\n  is refused without a place: {all:?}"));
                }
                // It is refused for what it means, not because the test wrote it badly.
                // Rhai's parser itself refuses what can be no flag.
                if all.iter().any(|d| d.code == guided_response::diag::codes::SYNTAX && !d.message.contains("expecting a boolean")) {
                    wrong.push(format!("seed {seed}: {text}\n  does not parse: {all:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n"));
}

/// What the comparison found once, each as short as it can be.
#[test]
fn what_the_oracle_found_stays_mended() {
    let set = example_set();
    let incident = crate::support::example();
    let (facts, _) = eval::facts(&set, &incident, None);
    let names = Names::of(&set);
    let mut questions = Questions::default();
    let mut compiled = Vec::new();
    for (text, wanted) in [
        // An item of an empty list of flags or lists is false or empty, so that `!` and `&&` are asked of flags alone.
        ("!([true].filter(|x| !x).first()) && ([true].first(|x| !x) == false)", "true"),
        ("[[1]].filter(|l| l.len() > 5).first()", "[]"),
        ("[#{a: true}].filter(|m| !m.a).first().a", "false"),
        // Remarks and texts in a `switch` hold no arm.
        ("switch 1 { 1 => /* , _ => } */ \"a\", // 2 => \"b\",\n _ => \"c\" }", "\"a\""),
        ("switch 2 { 1 => `${`,}`}`, _ => \"c\" }", "\"c\""),
        // A word beside a level is a level, in `??` and in `if` too.
        ("(users.last().risk ?? \"low\") < (if true { \"high\" } else { users.last().risk })", "true"),
        // Maps whose keys read alike when run together are not one question.
        ("\"c\" in #{\"a b\": 1, c: 2}", "true"),
        ("\"c\" in #{a: 1, \"b c\": 2}", "false"),
    ] {
        let expr = names.compile(text, &mut questions).unwrap_or_else(|d| panic!("{text}: {d:?}"));
        compiled.push((text, wanted, expr));
    }
    let mut cx = Cx::new(&facts, questions.len());
    for (text, wanted, expr) in compiled {
        let v = cx.value(&expr, &[]).unwrap();
        assert_eq!(crate::support::shown(&facts, &v), wanted, "{text}");
    }
}

/// Random well-typed tests, as an author would write them, over the lists and signals of the examples.
pub fn random_tests(seed: u64, many: usize) -> Vec<String> {
    let mut g = Gen::new(seed);
    let mut out = Vec::new();
    while out.len() < many {
        let depth = 1 + g.r.below(4);
        let made = g.value(&Ty::Bool, depth);
        if made.ours.len() < 2000 {
            out.push(made.ours);
        }
    }
    out
}
