use super::page;
use crate::card::render::{Look, sample};
use crate::diag::human::hidden;

fn plain(width: usize) -> String {
    page(&[sample::response()], Look { width, colour: false })
}

#[test]
fn the_incident_takes_three_lines() {
    let text = plain(100);
    let lines: Vec<&str> = text.lines().take(4).collect();
    assert_eq!(lines[0], "Credential phishing link clicked, then a sign-in from an unfamiliar address");
    assert_eq!(lines[1], "INC-2041 · high severity · in progress · from microsoft-graph · 2026-01-12 09:12:40 to 10:02:11 UTC");
    assert_eq!(lines[2], "6 alerts · 12 entities · looks like phishing (92), account takeover (74)");
    assert_eq!(lines[3], "");
}

#[test]
fn no_line_is_wider_than_the_page_apart_from_queries() {
    let query = sample::response().hunts[0].query.clone();
    for width in [0, 40, 61, 80, 100, 140] {
        let text = plain(width);
        for line in text.lines().filter(|l| !query.contains(l.trim_start())) {
            assert!(line.chars().count() <= width.max(40), "{width}: {line}");
        }
    }
}

#[test]
fn cards_are_told_by_number_and_never_by_hash() {
    let text = plain(100);
    assert!(text.contains("  1  Revoke sessions "));
    assert!(text.contains("  8  Purge similar messages "));
    assert!(text.contains("After        card 1, Revoke sessions\n"));
    assert!(text.contains("a card that is not shown here (c-gone)"));
    assert!(!text.contains("c-revoke"));
    assert!(text.contains("priority 98, confidence 90\n"));
    assert!(text.contains("for card 5, View similar emails"));
}

#[test]
fn states_are_said_in_words() {
    let text = plain(100);
    assert!(text.contains("Quarantine message [completed]"));
    assert!(text.contains("Unavailable  policy: a domain controller is isolated selectively, with its owner"));
    assert!(text.contains("Unavailable  permission: `users:write`, which the role `mail_admin` has"));
    assert!(text.contains("Ask first    Ada Moreno is on the list `vip`"));
    assert!(text.contains("Undo         nothing takes it back"));
    assert!(text.contains("user:ada@contoso.com — risk is not recorded"));
    assert!(text.contains("user:ada@contoso.com —consented_to→ nothing recorded"));
}

#[test]
fn evidence_is_short_and_shown_once() {
    let text = plain(100);
    assert!(text.contains("and 3 more (use --format json)"));
    assert_eq!(text.matches("roles = compromised").count(), 1);
    assert!(text.contains("(evidence: see triage)"));
}

#[test]
fn an_answer_without_cards_says_so() {
    let text = page(&[sample::quiet()], Look::default());
    assert_eq!(text.matches("No playbook recommends an action here.").count(), 3);
    assert!(text.contains("What would decide it"));
    assert!(text.contains("no known type of attack"));
}

#[test]
fn hostile_text_neither_steers_the_terminal_nor_starts_a_line() {
    let text = page(&[sample::hostile()], Look::default());
    assert!(!text.chars().any(|c| c != '\n' && hidden(c)));
    assert!(text.contains("\\u{1b}[2J\\u{202e}gpj.exe\\u{200b}"));
    // The query apart, which is shown line by line.
    assert!(text.lines().all(|l| !l.starts_with("# heading")));
}

#[test]
fn colour_is_only_there_when_asked_for() {
    assert!(!plain(100).contains('\u{1b}'));
    let coloured = page(&[sample::response()], Look { width: 100, colour: true });
    assert!(coloured.contains("\u{1b}[1m"));
    let mut stripped = coloured;
    for code in ["[0m", "[1m", "[2m", "[36m", "[1;34m", "[32m", "[33m"] {
        stripped = stripped.replace(&format!("\u{1b}{code}"), "");
    }
    assert_eq!(stripped, plain(100));
}
