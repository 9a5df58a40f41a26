//! Every key that a file can have: the one table that parser, JSON Schema, formatter, hover and completion read.
//! The order of a table is the order in which the formatter writes its keys.

use super::holds::Holds::{
    Any, Day, Either, Expression, Flag, Id, Ids, ListOf, Map, MapOf, New, Number, Query, Sentence, Target, Test, Text, Texts, Version, Word,
};
use super::holds::{Holds, Key, Of, may, must};
use super::set::{IMPACTS, Status};
use crate::model::{Classification, Level, Phase, Verdict};
use crate::script::lists::ListKind;

/// 0–100.
const PERCENT: Holds = Number(0, 100);
/// A kind, which is the name as well, or kinds by name.
const WITH: Holds = Either(&Id(Of::Kind), &MapOf(Of::Parameter, &Id(Of::Kind)));
/// `bind:`
const BIND: Holds = MapOf(Of::Binding, &Expression);
/// `conditions:`
const CONDITIONS: Holds = MapOf(Of::Condition, &Map(CONDITION));
/// A section of cards.
const CARDS: Holds = ListOf(&Map(CARD));

/// `playbook:` files.
pub const PLAYBOOK: &[Key] = &[
    must("playbook", New(Of::Playbook), "the id: dotted, lower case").like("acme.credential_link"),
    must("format", Number(1, 1), "the version of this format: 1").like("1"),
    must("version", Version, "the version of the content, as in 1.4.0").like("1.0.0"),
    must("title", Text, "what it is about").like("Credential phishing link clicked"),
    may("status", Word(statuses), "experimental, test, stable or deprecated"),
    may("owner", Text, "who looks after it").like("soc@example.com"),
    may("tags", Texts, "labels such as attack.t1566.002").like("[attack.t1566.002]"),
    may("references", Texts, "addresses to read on").like("[https://attack.mitre.org/techniques/T1566/002/]"),
    may("description", Text, "what it is about, in some sentences"),
    may("use", Ids(Of::Library), "libraries whose bindings and conditions it uses").like("[identity]"),
    may("match", Map(MATCH), "what must be in the incident, or no expression runs").like("{ signals: [url_clicked] }"),
    may("bind", BIND, "named values, in order"),
    may("conditions", CONDITIONS, "named clauses with their two sentences"),
    may("triage", ListOf(&Map(ARM)), "what the incident is, first arm that holds"),
    may("containment", CARDS, "cards that stop it"),
    may("investigation", CARDS, "cards that look further"),
    may("remediation", CARDS, "cards that repair it"),
    may("hunts", MapOf(Of::Hunt, &Map(HUNT)), "queries"),
    may("exceptions", ListOf(&Map(EXCEPTION)), "for whom a card does not apply"),
    may("tests", ListOf(&Map(TEST)), "incidents and what is expected of them"),
];

/// `library:` files.
pub const LIBRARY: &[Key] = &[
    must("library", New(Of::Library), "the id").like("acme_people"),
    may("title", Text, "what it is about"),
    may("description", Text, "what it is about, in some sentences"),
    may("bind", BIND, "named values, in order"),
    may("conditions", CONDITIONS, "named clauses with their two sentences"),
];

/// `match:`
pub const MATCH: &[Key] = &[
    may("types", Ids(Of::Type), "any of these incident types").like("[phishing]"),
    may("signals", Ids(Of::Signal), "any of these signals").like("[url_clicked]"),
    may("techniques", Ids(Of::Technique), "any of these techniques or their sub-techniques").like("[T1566]"),
    may("entities", Ids(Of::Kind), "all of these kinds").like("[user, email]"),
    may("severity", Word(levels), "at least this severity"),
];

/// A condition.
pub const CONDITION: &[Key] = &[
    may("with", WITH, "the parameter's kind, or parameters by name").like("user"),
    must("if", Test, "the expression").like("'user.has_role(\"compromised\")'"),
    may("pass", Sentence, "the sentence when it holds").like("'{user} is used by someone else'"),
    may("fail", Sentence, "the sentence when it does not").like("'nothing says that {user} is used by someone else'"),
];

/// An arm of `triage:`.
pub const ARM: &[Key] = &[
    must("classify", Word(classifications), "true_positive, informational, false_positive or undetermined"),
    may("determination", Text, "of which kind").like("compromised_account"),
    must("confidence", PERCENT, "0–100").like("80"),
    may("when", Test, "the expression"),
    must("why", Sentence, "the sentence"),
];

/// A card.
pub const CARD: &[Key] = &[
    must("id", New(Of::Card), "its id in the playbook").like("revoke_sessions"),
    must("action", Id(Of::Action), "the verb of the catalogue").like("user.revoke_sessions"),
    may("title", Sentence, "a title in place of the action's"),
    may("for", Target, "NAME in EXPRESSION: one card for each").like("user in users"),
    may("for_all", Target, "NAME in EXPRESSION: one card with all").like("mails in emails"),
    may("when", Test, "the expression"),
    must("why", Sentence, "the sentence"),
    may("priority", PERCENT, "0–100; 50 if not given").like("50"),
    may("confidence", PERCENT, "0–100; 70 if not given").like("70"),
    may("params", MapOf(Of::Param, &Text), "parameters of the action"),
    may("after", Ids(Of::Card), "ids of cards to apply before"),
    may("hunt", Id(Of::Hunt), "the query that belongs to it"),
];

/// A hunt.
pub const HUNT: &[Key] = &[
    must("title", Sentence, "what it looks for").like("Messages from the sender of {mail}"),
    may("with", WITH, "the parameter's kind, or parameters by name").like("{ mail: email }"),
    must("kql", Query, "the query"),
];

/// An exception.
pub const EXCEPTION: &[Key] = &[
    must("id", New(Of::Exception), "its id").like("red_team_2026"),
    may("cards", Ids(Of::Card), "the cards that it is about; all if not given"),
    must("for", MapOf(Of::Kind, &Texts), "kinds with ids or aliases").like("{ user: [rt-01@example.com] }"),
    must("reason", Text, "why").like("CHG-4411"),
    may("owner", Text, "who answers for it").like("soc@example.com"),
    must("expires", Day, "the last day").like("2026-12-31"),
];

/// A test.
pub const TEST: &[Key] = &[
    must("name", New(Of::Test), "what it shows").like("clicked, then a foreign sign-in"),
    may("incident", Text, "a file").like("fixtures/phish-clicked.json"),
    may("given", Holds::Incident, "an incident in our own format"),
    may("from", Id(Of::Test), "another test of this file to start from"),
    may("patch", ListOf(&Map(PATCH)), "changes to the incident").like("[{ op: remove, alert: a-3 }]"),
    may("todo", Text, "whether it is known to fail: true, or why"),
    may("lists", MapOf(Of::List, &Texts), "what named lists hold in this test").like("{ own_domains: [contoso.com] }"),
    may("now", Day, "the moment for `now()`"),
    must("expect", Map(EXPECT), "what must come out").like("{ matched: false }"),
];

/// `expect:` of a test.
pub const EXPECT: &[Key] = &[
    may("matched", Flag, "whether `match:` holds"),
    may("triage", Text, "the classification, and the determination if one is meant").like("true_positive phishing"),
    may("confidence", PERCENT, "how certain triage is, 0–100").like("80"),
    may("cards", Ids(Of::Wanted), "these cards at least, each as `card_id` or `card_id entity`").like("[revoke_sessions user:ada@example.com]"),
    may("only_cards", Ids(Of::Wanted), "these cards and no others"),
    may("no_cards", Ids(Of::Wanted), "none of these cards"),
    may("completed", Ids(Of::Wanted), "these cards, which the source says are done"),
    may("unavailable", Ids(Of::Wanted), "these cards, which cannot be applied"),
    may("failed", MapOf(Of::Wanted, &Ids(Of::Clause)), "cards that are not there, with the clauses that fail: { card: [conditions] }"),
    may("hunts", Texts, "these hunts, by id or a part of their title"),
    may("diagnostics", Texts, "these codes among the diagnostics of the answer").like("[GR802]"),
];

/// A change of `patch:`.
pub const PATCH: &[Key] = &[
    must("op", Word(operations), "what is done"),
    may("incident", Any, "set: fields of the incident").like("{ severity: low }"),
    may("alert", Any, "an alert: its id; to add one, all of it").like("a-3"),
    may("entity", Any, "an entity: its id; to add one, all of it").like("user:ada@example.com"),
    may("relation", Any, "a relation: { from, relation, to, alerts }"),
    may("to", Any, "set: what it becomes, a deep merge in which null removes"),
    may("path", Text, "RFC 6902: the place").like("/alerts/0/title"),
    may("from", Text, "RFC 6902: the place to take it from"),
    may("value", Any, "RFC 6902: the value"),
];

/// A file of signals.
pub const SIGNALS: &[Key] = &[must("signals", MapOf(Of::Signal, &Map(SIGNAL)), "signals by id")];

/// A signal.
pub const SIGNAL: &[Key] = &[
    must("title", Text, "what it says").like("Someone followed a malicious link"),
    may("description", Text, "more of it"),
    may("techniques", Ids(Of::Technique), "the techniques it stands for").like("[T1204.001]"),
    may("benign", Flag, "whether it is a test or simulation; then it matches by id only"),
    must("any", ListOf(&Map(SIGNAL_RULE)), "how products word it; any entry"),
    may("says", Either(&Map(SAYS), &ListOf(&Map(SAYS))), "what it says of the entities of that alert"),
];

/// An entry of a signal's `any:`.
pub const SIGNAL_RULE: &[Key] = &[
    may("detectors", Texts, "detector, alert type or rule ids, or globs over them"),
    may("titles", Texts, "globs over the title").like("[\"*malicious url click*\"]"),
    may("products", Texts, "globs over the product").like("[\"*defender*\"]"),
    may("categories", Texts, "words of the source's category"),
    may("if", Test, "an expression over `alert`").like("'alert.has_technique(\"T1204.001\")'"),
];

/// An entry of `says:`.
pub const SAYS: &[Key] = &[
    may("if", Test, "an expression over `alert`"),
    may("relations", Texts, "as in \"user clicked url\"").like("[user clicked url]"),
    may("roles", MapOf(Of::Kind, &Texts), "kind: role").like("{ user: victim }"),
    may("verdicts", MapOf(Of::Kind, &Word(verdicts)), "kind: verdict").like("{ url: malicious }"),
    may("properties", MapOf(Of::Kind, &MapOf(Of::Property, &Texts)), "kind: {property: value}").like("{ email: { was_delivered: true } }"),
    may("tags", MapOf(Of::Kind, &Texts), "kind: [tags]").like("{ device: [domain-controller] }"),
];

/// A file of actions.
pub const ACTIONS: &[Key] = &[must("actions", MapOf(Of::Action, &Map(ACTION)), "actions by id")];

/// An action.
pub const ACTION: &[Key] = &[
    must("title", Text, "the verb for people").like("Isolate device"),
    may("description", Text, "what it does"),
    must("phase", Word(phases), "triage, containment, investigation or remediation"),
    must("kinds", Ids(Of::KindOrIncident), "the kinds of entity it applies to; `incident` for the whole").like("[device]"),
    may("permissions", Ids(Of::Permission), "what it needs").like("[response:manage]"),
    may("impact", Word(impacts), "low, medium or high"),
    may("undo", Id(Of::Action), "the action that takes it back").like("device.release_isolation"),
    may("params", MapOf(Of::Param, &Map(PARAM)), "parameters"),
    may("prerequisites", Texts, "what must be so before"),
    may("effects", Texts, "what else it does"),
    may("never", ListOf(&Map(GUARD)), "guards that no playbook overrides"),
    may("done_when", Test, "typed source state that makes a card completed").like("'target.isolation == \"isolated\"'"),
    may("d3fend", Texts, "D3FEND techniques").like("[D3-NI]"),
    may("react", Texts, "RE&CT actions").like("[RA3601]"),
];

/// A parameter of an action.
pub const PARAM: &[Key] =
    &[may("title", Text, "what it is"), may("values", Texts, "the values that it takes"), may("default", Text, "the value if none is given")];

/// A guard.
pub const GUARD: &[Key] = &[must("if", Test, "an expression over `target` and `params`"), must("why", Sentence, "the sentence")];

/// A file of lists.
pub const LISTS: &[Key] = &[must("lists", MapOf(Of::List, &Map(LIST)), "lists by id")];

/// A list.
pub const LIST: &[Key] = &[
    may("title", Text, "what it is"),
    must("kind", Word(ListKind::words), "what the values are: ip, domain, url, hash, name, pattern, text, or a kind of entity"),
    may("tag", Text, "the tag that an entity in it gets").like("own-network"),
    must("values", Texts, "the values").like("[203.0.113.0/24]"),
];

/// A file of incident types.
pub const TYPES: &[Key] = &[must("incident_types", MapOf(Of::Type, &Map(TYPE)), "incident types by id")];

/// An incident type.
pub const TYPE: &[Key] = &[
    must("title", Text, "what it is called").like("Phishing"),
    may("description", Text, "what it is"),
    must("any", ListOf(&Map(TYPE_RULE)), "what speaks for it, with weights"),
];

/// An entry of an incident type's `any:`.
pub const TYPE_RULE: &[Key] = &[
    may("signals", Ids(Of::Signal), "any of these"),
    may("techniques", Ids(Of::Technique), "any of these or their sub-techniques"),
    may("if", Test, "an expression"),
    must("weight", PERCENT, "0–100").like("40"),
];

/// A file of permissions.
pub const PERMISSIONS_FILE: &[Key] = &[must("permissions", Map(PERMISSIONS), "roles and users")];

/// `permissions:`
pub const PERMISSIONS: &[Key] = &[
    may("roles", MapOf(Of::Role, &Ids(Of::Permission)), "permissions by role").like("{ responder: [alerts:manage, response:manage] }"),
    may("users", MapOf(Of::User, &Ids(Of::Role)), "roles by user").like("{ ada@example.com: [responder] }"),
];

/// `overlay:` files.
pub const OVERLAY: &[Key] = &[
    must("overlay", Id(Of::Thing), "the id of what it changes").like("email.credential_phishing"),
    may("base", Text, "the versions that it fits, as in ^1.4").like("^1.0"),
    may("set", MapOf(Of::Path, &Any), "values by path").like("{ containment.revoke_sessions.priority: 99 }"),
    may("add", MapOf(Of::Path, &Any), "items by path"),
    may("disable", Ids(Of::Path), "paths of what is left out").like("[investigation.ask_clicker]"),
];

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct FileKind {
    /// Its first key.
    pub key: &'static str,
    /// All of its keys.
    pub keys: &'static [Key],
    /// What it holds.
    pub doc: &'static str,
}

/// The kinds of file, by their first key.
pub const FILES: &[FileKind] = &[
    FileKind { key: "playbook", keys: PLAYBOOK, doc: "one playbook: when it is asked, what it concludes, what it recommends" },
    FileKind { key: "library", keys: LIBRARY, doc: "bindings and conditions that playbooks share" },
    FileKind { key: "signals", keys: SIGNALS, doc: "what alerts say, in words that no vendor owns" },
    FileKind { key: "actions", keys: ACTIONS, doc: "the verbs that cards can recommend" },
    FileKind { key: "incident_types", keys: TYPES, doc: "kinds of attack" },
    FileKind { key: "lists", keys: LISTS, doc: "named lists of values" },
    FileKind { key: "permissions", keys: PERMISSIONS_FILE, doc: "roles and users" },
    FileKind { key: "overlay", keys: OVERLAY, doc: "changes to something that another file declares" },
];

/// The tables of maps that stand in files, by the name of one such map.
pub const MAPS: &[(&str, &[Key])] = &[
    ("match", MATCH),
    ("condition", CONDITION),
    ("arm", ARM),
    ("card", CARD),
    ("hunt", HUNT),
    ("exception", EXCEPTION),
    ("test", TEST),
    ("expect", EXPECT),
    ("patch", PATCH),
    ("signal", SIGNAL),
    ("signal_rule", SIGNAL_RULE),
    ("says", SAYS),
    ("action", ACTION),
    ("param", PARAM),
    ("guard", GUARD),
    ("list", LIST),
    ("incident_type", TYPE),
    ("type_rule", TYPE_RULE),
    ("permissions", PERMISSIONS),
];

/// The first keys, in order.
pub fn first_keys() -> impl Iterator<Item = &'static str> + Clone {
    FILES.iter().map(|f| f.key)
}

/// The kind of file with this first key.
pub fn file(key: &str) -> Option<&'static FileKind> {
    FILES.iter().find(|f| f.key == key)
}

fn statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|s| s.word()).collect()
}

fn levels() -> Vec<&'static str> {
    Level::ALL.iter().map(|l| l.word()).collect()
}

fn classifications() -> Vec<&'static str> {
    Classification::ALL.iter().map(|c| c.word()).collect()
}

fn phases() -> Vec<&'static str> {
    Phase::ALL.iter().map(|p| p.word()).collect()
}

fn impacts() -> Vec<&'static str> {
    IMPACTS.to_vec()
}

/// Verdicts that a signal can give.
fn verdicts() -> Vec<&'static str> {
    [Verdict::Suspicious, Verdict::Malicious].iter().map(|v| v.word()).collect()
}

fn operations() -> Vec<&'static str> {
    vec!["set", "add", "remove", "replace", "test", "move", "copy"]
}
