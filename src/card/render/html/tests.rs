use super::page;
use crate::card::render::sample;
use crate::diag::human::hidden;

#[test]
fn the_page_stands_alone() {
    let html = page(&[sample::response()]);
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert!(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    for forbidden in ["<script", "src=", "url(", "@import", "http-equiv=\"refresh\"", "<form", "<iframe", " on"] {
        let found = html.match_indices(forbidden).map(|(at, _)| &html[at..at + 12]).find(|f| forbidden != " on" || f.contains('='));
        assert!(found.is_none(), "{forbidden}: {found:?}");
    }
}

#[test]
fn hostile_text_makes_no_element_and_no_address() {
    let (mine, theirs) = (page(&[sample::response()]), page(&[sample::hostile()]));
    for element in ["<script", "<!--", "<img", "<a "] {
        let extra = theirs.matches(element).count();
        // The hostile answer has one undo more for each card, and no element that the other does not have.
        assert!(extra <= mine.matches(element).count() + 8, "{element}");
    }
    assert!(!theirs.contains("<script") && !theirs.contains("<!--"));
    for (at, _) in theirs.match_indices("href=\"") {
        assert!(theirs[at..].starts_with("href=\"#"), "{}", &theirs[at..at + 30]);
    }
    assert!(!theirs.chars().any(|c| c != '\n' && hidden(c)));
    assert!(theirs.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn every_element_is_closed_and_every_link_leads_somewhere() {
    for html in [page(&[sample::response()]), page(&[sample::hostile(), sample::quiet()]), page(&[])] {
        let body = &html[html.find("<body").unwrap()..];
        let mut open: Vec<&str> = Vec::new();
        for part in body.split('<').skip(1) {
            let name = part.split(['>', ' ']).next().unwrap();
            match name.strip_prefix('/') {
                Some("html") => {}
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None if name == "br" => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
        for link in html.split("href=\"#").skip(1) {
            let anchor = link.split('"').next().unwrap();
            assert!(html.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
    }
}

#[test]
fn cards_say_where_they_stand() {
    let html = page(&[sample::response()]);
    assert!(html.contains("<span class=\"chip good\">completed</span>"));
    assert!(html.contains("<span class=\"chip warn\">ask first</span>"));
    assert_eq!(html.matches("class=\"card off\"").count(), 2);
    assert!(html.contains("<b>Unavailable</b>: policy: a domain controller is isolated selectively"));
    assert!(html.contains("<a href=\"#i1-card-1\">card 1, Revoke sessions</a>"));
    assert!(html.contains("<i style=\"width:95%\">"));
}

#[test]
fn several_incidents_start_with_a_table() {
    let html = page(&[sample::response(), sample::quiet()]);
    assert!(html.contains("<h1 class=\"title\">2 incidents</h1>"));
    assert_eq!(html.matches("<h1").count(), 1);
    assert!(html.contains("id=\"i2-top\""));
}
