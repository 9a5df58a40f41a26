//! Microsoft's regorus: one policy for its register machine, each different condition a helper rule, so that it is asked
//! once an incident.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};

use crate::workload::rule::{Condition, Of, Op, Rule, Test};
use crate::workload::yaml::quoted;
use crate::{Peer, covered, listed};

const ENTRY: &str = "data.workload.matching";

/// A compiled policy and its machine.
pub struct Machine {
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Machine {
    pub fn new(rules: &[Rule], plain: &[serde_json::Value]) -> Self {
        // Room for every pattern: they are compiled when they are first met.
        regorus::cache::configure(regorus::cache::Config { regex: regorus::cache::Config::MAX_CAPACITY, ..Default::default() });
        let mut engine = Engine::new();
        engine.add_policy("workload.rego".into(), policy(rules)).unwrap();
        let entry: Arc<str> = ENTRY.into();
        let compiled = engine.compile_with_entrypoint(&entry).unwrap();
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY]).unwrap();
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.load_program(program);
        machine.set_data(Value::new_object()).unwrap();
        machine.set_max_instructions(1_000_000_000);
        Self { machine, inputs: plain.iter().map(|p| Value::from(p.clone())).collect() }
    }
}

impl Peer for Machine {
    fn name(&self) -> &'static str {
        "regorus 0.14, register machine"
    }

    fn matching(&mut self, at: usize) -> Vec<usize> {
        self.machine.set_input(self.inputs[at].clone());
        let found = self.machine.execute_entry_point_by_index(0).unwrap();
        found.as_set().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
    }
}

fn policy(rules: &[Rule]) -> String {
    let mut out = String::from("package workload\nimport rego.v1\n");
    let mut names: HashMap<&Condition, usize> = HashMap::new();
    for c in rules.iter().flat_map(|r| &r.conditions) {
        let next = names.len();
        let n = *names.entry(c).or_insert(next);
        if n == next {
            let _ = writeln!(out, "c{n} if {{ {} }}", condition(c));
        }
    }
    for r in rules {
        let mut parts = Vec::new();
        if !r.categories.is_empty() {
            parts.push(format!("input.category in {{{}}}", listed(&r.categories)));
        }
        if let Some(least) = r.severity {
            parts.push(format!("input.severity >= {}", least.0));
        }
        if !r.techniques.is_empty() {
            parts.push(format!("some t in input.techniques; t in {{{}}}", listed(&covered(&r.techniques))));
        }
        parts.extend(r.conditions.iter().map(|c| format!("c{}", names[c])));
        let _ = writeln!(out, "matching contains {} if {{ {} }}", r.number, parts.join("; "));
    }
    out
}

fn condition(c: &Condition) -> String {
    match c {
        Condition::Any(kind, tests) => {
            let tests: Vec<String> = tests.iter().map(test).collect();
            format!("some x in input.{}; {}", kind.collection(), tests.join("; "))
        }
        Condition::Count(kind, t, least) => format!("count([1 | some x in input.{}; {}]) >= {least}", kind.collection(), test(t)),
        Condition::Incident(of) => match of {
            Of::Severity(l) => format!("input.severity >= {}", l.0),
            Of::Status(all) => format!("input.status in {{{}}}", listed(all)),
            Of::Title(part) => format!("contains(input.title, {})", quoted(part)),
            Of::TitleMatches(pattern) => format!("regex.match({}, input.title)", quoted(pattern)),
            Of::Alerts(n) => format!("input.alert_count >= {n}"),
            Of::Technique(t) => format!("{} in input.techniques", quoted(t)),
            Of::Tag(t) => format!("{} in input.tags", quoted(t)),
        },
        Condition::Nested(_) => panic!("not measured here"),
    }
}

fn test(t: &Test) -> String {
    let f = format!("x.{}", t.field);
    match &t.op {
        Op::Is(v) => format!("{f} == {}", quoted(v)),
        Op::In(all) => format!("{f} in {{{}}}", listed(all)),
        Op::Contains(part) => format!("contains({f}, {})", quoted(part)),
        Op::Matches(pattern) => format!("regex.match({}, {f})", quoted(pattern)),
        Op::AtLeast(n) => format!("{f} >= {n}"),
        Op::AtMost(n) => format!("{f} <= {n}"),
        Op::Flag => format!("{f} == true"),
        Op::Level(l) => format!("{f} >= {}", l.0),
    }
}
