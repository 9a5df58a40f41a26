//! Answers to try the pages on: a credential phishing case with an account taken over, and one whose every text is hostile.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::card::response::{
    Availability, Because, Card, CardSource, Considered, EntityRef, Evidence, Headline, Hunt, Names, Response, SCHEMA, SetInfo, Skipped, Status,
    Triage, TriageSource, TypeScore, UnrecognisedAlert,
};
use crate::diag::{Severity, Wire};
use crate::model::{Classification, Level, Phase, Text};

/// A text that tries to leave every format.
pub const HOSTILE: &str =
    "\"><script>alert(1)</script>](javascript:x) ``` `` | <!-- \x1b[2J\u{202e}gpj.exe\u{200b}\n# heading\n\"; } @team https://evil.example/a";

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|t| (*t).to_owned()).collect()
}

fn entity(id: &str, name: &str) -> EntityRef {
    EntityRef { id: id.to_owned(), kind: id.split(':').next().unwrap().to_owned(), name: name.to_owned() }
}

fn property(entity: &str, property: &'static str, value: Option<&str>, basis: &'static str, alerts: &[&str]) -> Evidence {
    Evidence::Property { entity: entity.into(), property, value: value.map(str::to_owned), basis, alerts: shared(alerts) }
}

fn edge(from: &str, relation: &'static str, to: Option<&str>, basis: &'static str, at: Option<&str>, alerts: &[&str]) -> Evidence {
    let at = at.map(|t| format!("2026-01-12T{t}Z"));
    Evidence::Edge { from: from.into(), relation, to: to.map(Text::from), basis, first_seen: at.clone(), last_seen: at, alerts: shared(alerts) }
}

fn shared(all: &[&str]) -> Vec<Text> {
    all.iter().map(|t| Text::from(*t)).collect()
}

fn because(condition: &str, text: &str, evidence: Vec<Evidence>) -> Arc<Because> {
    Arc::new(Because { condition: condition.to_owned(), text: text.to_owned(), evidence, more: false })
}

fn card(id: &str, phase: Phase, action: &str, title: &str, on: Option<EntityRef>, why: &str, priority: u8, line: usize) -> Card {
    Card {
        id: id.to_owned(),
        phase,
        action: action.to_owned(),
        title: title.to_owned(),
        params: BTreeMap::new(),
        entity: on,
        entities: Vec::new(),
        why: why.to_owned(),
        because: Vec::new(),
        priority,
        confidence: 90,
        status: Status::Recommended,
        confirm_first: None,
        availability: Availability { state: "available", cause: None, need: None },
        permissions: texts(&["response:manage"]),
        impact: "medium".to_owned(),
        effects: Vec::new(),
        prerequisites: Vec::new(),
        blast_radius: Vec::new(),
        undo: None,
        after: Vec::new(),
        hunts: Vec::new(),
        d3fend: Vec::new(),
        react: Vec::new(),
        origin: "rules",
        sources: vec![CardSource {
            playbook: "phishing.credential_link".to_owned(),
            card: action.split('.').next_back().unwrap().to_owned(),
            version: "1.4.0".to_owned(),
            file: "playbooks/phishing/credential_link.yaml".to_owned(),
            line,
        }],
    }
}

const ADA: &str = "user:ada@contoso.com";
const URL: &str = "url:https://sign-in.example.net/session/renew?id=4821";
const MAIL: &str = "email:<4f1d7c2a@mail.example.net>|ada@contoso.com";
const DC: &str = "device:7a90d8c1e4";

fn clicked() -> Arc<Because> {
    because(
        "someone_clicked",
        "Ada Moreno clicked a malicious link",
        vec![
            edge(ADA, "clicked", Some(URL), "signal", Some("09:14:02"), &["a-1"]),
            property(URL, "malicious", Some("true"), "signal", &["a-1", "a-2"]),
            property(MAIL, "was_delivered", Some("true"), "record", &["a-2"]),
        ],
    )
}

fn taken_over() -> Arc<Because> {
    let mut evidence = vec![
        edge(ADA, "signed_in_from", Some("ip:203.0.113.77"), "record", Some("09:20:25"), &["a-3"]),
        property("ip:203.0.113.77", "suspicious", Some("true"), "record", &["a-3"]),
        property(ADA, "roles", Some("compromised"), "record", &["a-3", "a-4", "a-5"]),
        property(ADA, "risk", None, "record", &[]),
        edge(ADA, "consented_to", None, "none", None, &[]),
    ];
    for minute in 21..25 {
        evidence.push(edge(ADA, "acted_from", Some("ip:203.0.113.77"), "record", Some(&format!("09:{minute}:00")), &["a-4"]));
    }
    because("taken_over", "Ada Moreno clicked and was then used by someone else", evidence)
}

/// Credential phishing, an account taken over, a domain controller touched: nine cards in every state.
pub fn response() -> Response {
    let ada = || Some(entity(ADA, "Ada Moreno"));
    let cards = vec![
        Card {
            because: vec![clicked(), taken_over()],
            priority: 98,
            undo: Some("user.sign_in_again".to_owned()),
            effects: texts(&["Ada has to sign in again on every device, phones included"]),
            d3fend: texts(&["D3-ACH"]),
            react: texts(&["RA3601"]),
            ..card(
                "c-revoke",
                Phase::Containment,
                "user.revoke_sessions",
                "Revoke sessions",
                ada(),
                "Ada Moreno clicked the lure and, six minutes later, the account was used from 203.0.113.77, an address that nobody at Contoso had used before. Whoever holds the session token keeps access until it is revoked.",
                98,
                38,
            )
        },
        Card {
            status: Status::Completed,
            because: vec![because(
                "delivered",
                "the message had reached the mailbox",
                vec![property(MAIL, "location", Some("quarantine"), "record", &["a-2"])],
            )],
            permissions: texts(&["email:advanced_actions"]),
            impact: "low".to_owned(),
            undo: Some("email.release".to_owned()),
            ..card(
                "c-quarantine",
                Phase::Containment,
                "email.quarantine",
                "Quarantine message",
                Some(entity(MAIL, "Your session has expired")),
                "The message carries the link that Ada Moreno followed.",
                85,
                47,
            )
        },
        Card {
            entities: vec![entity(URL, "sign-in.example.net/session/renew"), entity("url:http://sign-in.example.net/", "sign-in.example.net")],
            because: vec![clicked()],
            permissions: texts(&["indicators:manage"]),
            impact: "low".to_owned(),
            undo: Some("url.allow".to_owned()),
            params: BTreeMap::from([("scope".to_owned(), "tenant".into()), ("days".to_owned(), 30.into())]),
            ..card(
                "c-block",
                Phase::Containment,
                "url.block",
                "Block address",
                None,
                "Both addresses serve the same page, and others may have got the message.",
                80,
                55,
            )
        },
        Card {
            availability: Availability {
                state: "unavailable",
                cause: Some("policy"),
                need: Some("a domain controller is isolated selectively, with its owner".to_owned()),
            },
            params: BTreeMap::from([("type".to_owned(), "full".into())]),
            permissions: texts(&["response:manage", "devices:isolate"]),
            because: vec![because(
                "signed_in_on_dc",
                "someone signed in as Ada Moreno on DC-01",
                vec![edge(ADA, "logged_on", Some(DC), "record", Some("10:02:11"), &["a-6"])],
            )],
            impact: "high".to_owned(),
            blast_radius: texts(&["214 accounts authenticate against it", "2 services run on it"]),
            effects: texts(&["Hyper-V guests on it are cut off too"]),
            undo: Some("device.release_isolation".to_owned()),
            d3fend: texts(&["D3-NI"]),
            ..card(
                "c-isolate",
                Phase::Containment,
                "device.isolate",
                "Isolate device",
                Some(entity(DC, "DC-01")),
                "The stolen account reached DC-01.",
                70,
                63,
            )
        },
        Card {
            hunts: texts(&["h-similar"]),
            permissions: texts(&["hunting:read"]),
            impact: "low".to_owned(),
            because: vec![clicked()],
            ..card(
                "c-similar",
                Phase::Investigation,
                "email.find_similar",
                "View similar emails",
                Some(entity(MAIL, "Your session has expired")),
                "Find out who else got the message, and who clicked.",
                75,
                71,
            )
        },
        Card {
            confirm_first: Some("Ada Moreno is on the list `vip`; ask the service desk before calling".to_owned()),
            impact: "low".to_owned(),
            permissions: Vec::new(),
            because: vec![because(
                "vip",
                "Ada Moreno is on a list of people to treat with care",
                vec![property(ADA, "tags", Some("vip"), "list", &[])],
            )],
            ..card(
                "c-contact",
                Phase::Investigation,
                "user.contact",
                "Ask the user",
                ada(),
                "Ada Moreno can say whether the sign-in was hers.",
                60,
                80,
            )
        },
        Card {
            after: texts(&["c-revoke"]),
            because: vec![taken_over()],
            prerequisites: texts(&["a way to reach Ada that is not her mailbox"]),
            availability: Availability {
                state: "unavailable",
                cause: Some("permission"),
                need: Some("`users:write`, which the role `mail_admin` has".to_owned()),
            },
            permissions: texts(&["users:write"]),
            ..card(
                "c-reset",
                Phase::Remediation,
                "user.reset_password",
                "Reset password",
                ada(),
                "The password was typed into the attacker's page.",
                85,
                88,
            )
        },
        Card {
            after: texts(&["c-similar", "c-gone"]),
            impact: "medium".to_owned(),
            permissions: texts(&["email:advanced_actions"]),
            effects: texts(&["Copies in shared mailboxes are removed as well"]),
            ..card(
                "c-purge",
                Phase::Remediation,
                "email.purge_similar",
                "Purge similar messages",
                None,
                "Messages that were found alike should not be clicked by anybody else.",
                60,
                96,
            )
        },
    ];
    Response {
        schema: SCHEMA,
        engine: "0.1.0",
        incident: Headline {
            id: "INC-2041".to_owned(),
            title: "Credential phishing link clicked, then a sign-in from an unfamiliar address".to_owned(),
            severity: Some(Level::High),
            status: "in_progress".to_owned(),
            source: "microsoft-graph".to_owned(),
            first_activity: Some("2026-01-12T09:12:40Z".to_owned()),
            last_activity: Some("2026-01-12T10:02:11.5Z".to_owned()),
            types: vec![TypeScore { id: "phishing".to_owned(), score: 92 }, TypeScore { id: "account_takeover".to_owned(), score: 74 }],
            alert_count: 6,
            entity_count: 12,
            unrecognised_alerts: vec![UnrecognisedAlert { id: "a-6".to_owned(), title: "Rare interactive logon on a server".to_owned() }],
        },
        triage: Triage {
            classification: Classification::TruePositive,
            determination: Some("compromised_account".to_owned()),
            confidence: 95,
            why: "Ada Moreno clicked a malicious link and an account was taken over".to_owned(),
            because: vec![clicked(), taken_over()],
            source: TriageSource {
                origin: "rules",
                playbook: Some("phishing.credential_link".to_owned()),
                file: Some("playbooks/phishing/credential_link.yaml".to_owned()),
                line: Some(31),
            },
            considered: vec![Considered {
                classification: Classification::TruePositive,
                determination: Some("phishing".to_owned()),
                confidence: 80,
                why: "a malicious link was delivered and clicked".to_owned(),
                source: TriageSource { origin: "rules", playbook: Some("phishing.credential_link".to_owned()), file: Some("playbooks/phishing/credential_link.yaml".to_owned()), line: Some(32) },
            }],
            missing: Vec::new(),
        },
        cards,
        hunts: vec![Hunt {
            id: "h-similar".to_owned(),
            title: "Messages like \u{201c}Your session has expired\u{201d}".to_owned(),
            language: "kql",
            query: "EmailEvents\n| where Timestamp between (datetime(2025-12-29T09:12:40Z) .. datetime(2026-01-15T10:02:11Z))\n| where SenderFromAddress =~ \"no-reply@example.net\" or Subject =~ \"Your session has expired\"\n| project Timestamp, RecipientEmailAddress, SenderFromAddress, Subject, DeliveryAction, LatestDeliveryLocation\n".to_owned(),
            cards: texts(&["c-similar"]),
            rules: texts(&["similar_mail"]),
        }],
        similar: Vec::new(),
        summary: BTreeMap::new(),
        diagnostics: vec![Wire {
            code: "GR205",
            severity: Severity::Warning,
            message: "the hunt `sign_ins` is left out: `user.object_id` is not recorded".to_owned(),
            file: Some("playbooks/identity/takeover.yaml".to_owned()),
            line: Some(102),
            column: Some(14),
            path: None,
            help: Some("export the incident with `$expand=alerts`".to_owned()),
            playbook: Some("identity.takeover".to_owned()),
            card: None,
        }],
        playbooks: SetInfo {
            revision: "9f2c1a7b".to_owned(),
            loaded: 42,
            skipped: vec![Skipped { file: "playbooks/team/draft.yaml".to_owned(), reason: "unknown key `mach`; did you mean `match`?".to_owned() }],
        },
        names: Names::default(),
    }
}

/// Nothing matched: an answer without cards.
pub fn quiet() -> Response {
    let mut r = response();
    r.cards.clear();
    r.hunts.clear();
    r.diagnostics.clear();
    r.playbooks.skipped.clear();
    r.incident.types.clear();
    r.triage = Triage {
        classification: Classification::Undetermined,
        determination: None,
        confidence: 0,
        why: "no playbook decides it".to_owned(),
        because: Vec::new(),
        source: TriageSource { origin: "none", ..TriageSource::default() },
        considered: Vec::new(),
        missing: texts(&["whether anybody clicked the link", "where Ada Moreno signed in from afterwards"]),
    };
    r
}

/// The same, with [`HOSTILE`] for every text that an incident or a file could bring.
pub fn hostile() -> Response {
    let mut r = response();
    let h = || HOSTILE.to_owned();
    r.incident = Headline { id: h(), title: h(), status: h(), source: h(), first_activity: Some(h()), last_activity: Some(h()), ..r.incident };
    r.incident.types.push(TypeScore { id: h(), score: 50 });
    r.incident.unrecognised_alerts = vec![UnrecognisedAlert { id: h(), title: h() }];
    r.triage.determination = Some(h());
    r.triage.why = h();
    r.triage.missing = vec![h()];
    r.triage.source = TriageSource { origin: "rules", playbook: Some(h()), file: Some(h()), line: Some(1) };
    for c in &mut r.triage.considered {
        (c.determination, c.why) = (Some(h()), h());
    }
    let poison = |all: &mut Vec<Arc<Because>>| {
        for b in all.iter_mut().map(Arc::make_mut) {
            (b.condition, b.text) = (h(), h());
            for e in &mut b.evidence {
                match e {
                    Evidence::Property { entity, property, value, alerts, .. } => {
                        (*entity, *property, *value, *alerts) = (HOSTILE.into(), HOSTILE, Some(h()), vec![HOSTILE.into()])
                    }
                    Evidence::Edge { from, relation, to, alerts, first_seen, .. } => {
                        (*from, *relation, *to, *alerts, *first_seen) =
                            (HOSTILE.into(), HOSTILE, Some(HOSTILE.into()), vec![HOSTILE.into()], Some(h()));
                    }
                }
            }
        }
    };
    poison(&mut r.triage.because);
    for c in &mut r.cards {
        poison(&mut c.because);
        c.params.insert(h(), h().into());
        for e in c.entity.iter_mut().chain(&mut c.entities) {
            (e.id, e.name, e.kind) = (h(), h(), h());
        }
        (c.action, c.title, c.why, c.impact) = (h(), h(), h(), h());
        (c.confirm_first, c.undo) = (Some(h()), Some(h()));
        if c.availability.need.is_some() {
            c.availability.need = Some(h());
        }
        for list in [&mut c.permissions, &mut c.effects, &mut c.prerequisites, &mut c.blast_radius, &mut c.d3fend, &mut c.react] {
            *list = vec![h()];
        }
        c.after.push(h());
        for s in &mut c.sources {
            (s.playbook, s.version, s.file) = (h(), h(), h());
        }
    }
    for hunt in &mut r.hunts {
        (hunt.title, hunt.query) = (h(), h());
    }
    for d in &mut r.diagnostics {
        (d.message, d.file, d.path, d.help, d.playbook) = (h(), Some(h()), Some(h()), Some(h()), Some(h()));
    }
    r.playbooks.revision = h();
    r.playbooks.skipped = vec![Skipped { file: h(), reason: h() }];
    r
}
