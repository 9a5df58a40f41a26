//! A set that follows its folders: every way of saving is seen, what does not load changes nothing, and no answer mixes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use guided_response::card::{Context, respond};
use guided_response::model::Incident;
use guided_response::playbook::PlaybookSet;
use guided_response::runtime::live::{Generation, Live, Options};

use crate::random::{Random, count};
use crate::reload::one_of_many;
use crate::support::incident;

/// A folder that goes when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let at = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&at);
        fs::create_dir_all(&at).unwrap();
        Self(at)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The playbook number `k` in its `version`; it holds for the incident of [`asked`].
fn text(k: usize, version: usize) -> String {
    format!(
        r#"playbook: watched.p{k}
format: 1
version: 1.{version}.0
title: Version {version}
match: {{ entities: [user] }}
bind:
  people: users
triage:
  - {{ classify: informational, confidence: {sure}, why: "{{people}} are there" }}
investigation:
  - {{ id: card, action: user.review_mfa, for: user in people, when: user.name != "{version}", why: "{{user}} was there", priority: 40 }}
"#,
        sure = k % 100
    )
}

fn asked() -> Incident {
    incident(br#"{"schema": "guided-response/incident/1", "id": "I", "title": "t", "severity": "low", "alerts": [{"id": "a", "title": "Something", "entities": [{"ref": "user:ada@contoso.com"}]}], "entities": [{"id": "user:ada@contoso.com", "kind": "user", "name": "Ada"}]}"#)
}

/// Which version of which watched playbook answers.
fn versions(set: &PlaybookSet, incident: &Incident) -> BTreeMap<usize, usize> {
    let today = guided_response::model::time::time("2026-02-01").unwrap();
    let answer = respond(set, incident, &Context { now: None, today, actor: None, input: Vec::new(), only: None });
    let sources = answer.cards.iter().flat_map(|c| &c.sources).filter(|s| s.playbook.starts_with("watched.p"));
    sources.map(|s| (s.playbook["watched.p".len()..].parse().unwrap(), s.version.split('.').nth(1).unwrap().parse().unwrap())).collect()
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Waits until the folders give a set in which this holds.
fn until(live: &Live, what: &str, holds: impl Fn(&Generation) -> bool) -> Arc<Generation> {
    let begun = Instant::now();
    let mut now = live.now();
    while !holds(&now) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: not seen; generation {}, problems {:?}", now.number, now.problems.is_some());
        now = live.wait(now.number, Duration::from_millis(500)).unwrap_or_else(|| live.now());
    }
    now
}

/// The ways in which programs save a file. Each leaves the file with the text.
const STYLES: &[&str] = &[
    "in place",
    "in pieces",
    "atomic rename",
    "rename from elsewhere",
    "vim, with a backup",
    "sed -i",
    "removed and written",
    "hard link",
    "symbolic link",
];

fn save(style: &str, path: &Path, text: &str, elsewhere: &Path, r: &mut Random) {
    let beside = |name: &str| path.with_file_name(name);
    let other = elsewhere.join(format!("{}", r.next()));
    match style {
        "in place" => fs::write(path, text).unwrap(),
        "in pieces" => {
            let mut file = fs::File::create(path).unwrap();
            let bytes = text.as_bytes();
            for part in bytes.chunks(bytes.len() / 3 + 1) {
                file.write_all(part).unwrap();
                file.flush().unwrap();
                std::thread::sleep(Duration::from_millis(10 + r.below(40) as u64));
            }
        }
        "atomic rename" => {
            fs::write(beside(".tmp-1"), text).unwrap();
            fs::rename(beside(".tmp-1"), path).unwrap();
        }
        "rename from elsewhere" => {
            fs::write(&other, text).unwrap();
            fs::rename(&other, path).unwrap();
        }
        "vim, with a backup" => {
            fs::write(beside("4913"), "").unwrap();
            fs::remove_file(beside("4913")).unwrap();
            let backup = PathBuf::from(format!("{}~", path.display()));
            fs::rename(path, &backup).unwrap();
            fs::write(path, text).unwrap();
            fs::remove_file(&backup).unwrap();
        }
        "sed -i" => {
            // The program itself where the edit is one that it can make.
            let line = |t: &str| t.lines().nth(2).unwrap_or("").to_owned();
            let before = fs::read_to_string(path).unwrap();
            let (from, to) = (line(&before), line(text));
            let title = (before.lines().nth(3).unwrap_or("").to_owned(), text.lines().nth(3).unwrap_or("").to_owned());
            let number = |l: &str| l.split(['.', ' ']).filter_map(|w| w.parse::<usize>().ok()).next_back();
            let done = number(&title.0).zip(number(&title.1)).is_some_and(|(a, b)| {
                before.replace(&from, &to).replace(&title.0, &title.1).replace(&format!("\"{a}\""), &format!("\"{b}\"")) == text
                    && Command::new("sed")
                        .args([
                            "-i",
                            "-e",
                            &format!("s/{from}/{to}/"),
                            "-e",
                            &format!("s/{}/{}/", title.0, title.1),
                            "-e",
                            &format!("s/\"{a}\"/\"{b}\"/"),
                        ])
                        .arg(path)
                        .status()
                        .is_ok_and(|s| s.success())
            });
            if !done {
                save("atomic rename", path, text, elsewhere, r);
            }
        }
        "removed and written" => {
            fs::remove_file(path).unwrap();
            fs::write(path, text).unwrap();
        }
        "hard link" => {
            fs::write(&other, text).unwrap();
            fs::remove_file(path).unwrap();
            fs::hard_link(&other, path).unwrap();
        }
        "symbolic link" => {
            fs::write(&other, text).unwrap();
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink(&other, path).unwrap();
        }
        other => unreachable!("{other}"),
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text, "{style}");
}

/// A mounted volume: the files are links through `..data`, which is swapped at once.
fn swap(folder: &Path, number: usize, texts: &[(&str, String)]) {
    let real = folder.join(format!("..version_{number}"));
    for (name, text) in texts {
        write(&real.join(name), text);
        let link = folder.join(name);
        if link.symlink_metadata().is_err() {
            std::os::unix::fs::symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
    std::os::unix::fs::symlink(format!("..version_{number}"), folder.join("..data_tmp")).unwrap();
    let old = fs::read_link(folder.join("..data")).ok();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if let Some(old) = old {
        let _ = fs::remove_dir_all(folder.join(old));
    }
}

fn ways_of_saving(poll: bool) {
    let top = Folder::new(if poll { "poll" } else { "ways" });
    let (root, elsewhere) = (top.0.join("playbooks"), top.0.join("elsewhere"));
    fs::create_dir_all(&elsewhere).unwrap();
    write(&root.join("a/one.yaml"), &text(1, 0));
    write(&root.join("two.yaml"), &text(2, 0));
    let live = Live::start(std::slice::from_ref(&root), true, Options { poll, beside: false });
    assert!(live.now().problems.is_none());
    let incident = asked();
    let mut r = Random::new(7);
    let mut version = 0;
    let wait = |what: &str, k: usize, version: Option<usize>| {
        let g = until(&live, what, |g| versions(&g.set, &incident).get(&k).copied() == version);
        assert!(g.problems.is_none(), "{what}");
    };
    for round in 0..2 {
        for style in STYLES {
            version += 1;
            save(style, &root.join("a/one.yaml"), &text(1, version), &elsewhere, &mut r);
            wait(&format!("{style}, round {round}"), 1, Some(version));
        }
    }
    // The last style left a link: its target is another file now, then is written to.
    let target = fs::read_link(root.join("a/one.yaml")).unwrap();
    fs::write(&target, text(1, 90)).unwrap();
    wait("the target of a link, in place", 1, Some(90));
    save("atomic rename", &target, &text(1, 91), &elsewhere, &mut r);
    wait("the target of a link, replaced", 1, Some(91));
    write(&root.join("new/er/est/three.yaml"), &text(3, 1));
    wait("a nested new folder", 3, Some(1));
    fs::write(root.join("new/er/est/three.yaml"), text(3, 2)).unwrap();
    wait("a file in it", 3, Some(2));
    fs::remove_file(root.join("new/er/est/three.yaml")).unwrap();
    wait("a deletion", 3, None);
    fs::rename(root.join("a"), root.join("b")).unwrap();
    until(&live, "a folder renamed", |g| g.set.sources.iter().any(|(_, f)| f.path.contains("/b/one.yaml")));
    fs::rename(&root, top.0.join("aside")).unwrap();
    let gone = until(&live, "the folder is gone", |g| g.problems.is_some());
    assert!(!gone.problems.as_ref().unwrap().missing.is_empty() && versions(&gone.set, &incident).get(&1) == Some(&91), "the last good set stays");
    write(&root.join("one.yaml"), &text(1, 100));
    wait("the folder was made again", 1, Some(100));
    fs::write(root.join("one.yaml"), text(1, 101)).unwrap();
    wait("a file in the folder that was made again", 1, Some(101));
    fs::remove_dir_all(&root).unwrap();
    write(&root.join("one.yaml"), &text(1, 102));
    wait("the folder removed and made at once", 1, Some(102));
    fs::write(root.join("one.yaml"), text(1, 103)).unwrap();
    wait("a file in the folder that was made at once", 1, Some(103));
    for n in 0..4 {
        swap(&root.join("mounted"), n, &[("four.yaml", text(4, n)), ("five.yaml", text(5, n))]);
        let g = until(&live, "a mounted volume", |g| versions(&g.set, &incident).get(&4) == Some(&n));
        assert_eq!(versions(&g.set, &incident).get(&5), Some(&n), "one volume is one state");
    }
}

#[test]
fn every_way_of_saving_is_seen() {
    ways_of_saving(false);
}

#[test]
fn every_way_of_saving_is_seen_without_events() {
    ways_of_saving(true);
}

#[test]
fn what_is_no_change_is_no_generation() {
    let top = Folder::new("touch");
    let file = top.0.join("one.yaml");
    write(&file, &text(1, 0));
    let live = Live::start(std::slice::from_ref(&top.0), true, Options::default());
    let first = live.now().number;
    fs::File::options().append(true).open(&file).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    fs::write(&file, text(1, 0)).unwrap();
    fs::write(top.0.join("notes.txt"), "no playbook").unwrap();
    fs::write(top.0.join(".one.yaml.swp"), "of an editor").unwrap();
    fs::write(&file, text(1, 1)).unwrap();
    fs::write(&file, text(1, 0)).unwrap();
    assert!(live.wait(first, Duration::from_millis(1500)).is_none(), "nothing changed");
    let live = Live::start(std::slice::from_ref(&top.0), true, Options { poll: false, beside: true });
    fs::write(top.0.join("notes.txt"), "the incident of a test").unwrap();
    assert!(live.wait(1, Duration::from_secs(10)).is_some(), "other files matter where that is wanted");
}

#[test]
fn what_does_not_load_changes_nothing_until_it_is_mended() {
    let top = Folder::new("broken");
    let (one, two) = (top.0.join("one.yaml"), top.0.join("two.yaml"));
    write(&one, &text(1, 0));
    write(&two, &text(2, 0));
    let live = Live::start(std::slice::from_ref(&top.0), true, Options::default());
    let incident = asked();
    fs::write(&one, text(1, 1).replace("user in people", "user in peple")).unwrap();
    let g = until(&live, "an edit that does not load", |g| g.problems.is_some());
    let problems = g.problems.clone().unwrap();
    let place = problems.refused.sources.place(problems.errors()[0].labels[0].span);
    assert!(place.file.ends_with("one.yaml") && place.line == 11, "{place:?}");
    assert!(g.took < Duration::from_secs(1), "told after {:?}", g.took);
    // Another file changes meanwhile: the set is taken whole or not at all.
    fs::write(&two, text(2, 5)).unwrap();
    let g = until(&live, "told again", |n| n.number > g.number);
    assert_eq!(versions(&g.set, &incident), BTreeMap::from([(1, 0), (2, 0)]));
    fs::write(&one, text(1, 2)).unwrap();
    let g = until(&live, "mended", |g| g.problems.is_none());
    assert_eq!(versions(&g.set, &incident), BTreeMap::from([(1, 2), (2, 5)]));
    // What is mended by taking the edit back is told too, and the set is the same one.
    fs::write(&one, [0xff, 0xfe]).unwrap();
    let broken = until(&live, "no UTF-8", |g| g.problems.is_some());
    assert!(!broken.problems.as_ref().unwrap().unread().is_empty());
    fs::write(&one, text(1, 2)).unwrap();
    let back = until(&live, "taken back", |g| g.problems.is_none());
    assert!(Arc::ptr_eq(&back.set, &g.set));
    // A file that is half written is not told while it is being written.
    let mut file = fs::File::create(&one).unwrap();
    for part in text(1, 3).as_bytes().chunks(60) {
        file.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(90));
        assert_eq!(live.now().number, back.number, "half a file is nothing to tell");
    }
    drop(file);
    let g = until(&live, "written", |g| g.number > back.number);
    assert_eq!((g.problems.is_none(), versions(&g.set, &incident).get(&1)), (true, Some(&3)));
}

#[test]
fn a_file_that_does_not_load_at_the_start_is_left_out_and_named() {
    let top = Folder::new("start");
    write(&top.0.join("one.yaml"), &text(1, 0));
    write(&top.0.join("two.yaml"), "playbook: [\n");
    let live = Live::start(std::slice::from_ref(&top.0), true, Options::default());
    let first = live.now();
    assert_eq!((first.number, first.set.skipped.len(), first.problems.is_some()), (1, 1, true));
    assert_eq!(versions(&first.set, &asked()), BTreeMap::from([(1, 0)]));
    write(&top.0.join("two.yaml"), &text(2, 0));
    let g = until(&live, "mended", |g| g.problems.is_none());
    assert_eq!(versions(&g.set, &asked()), BTreeMap::from([(1, 0), (2, 0)]));
}

#[test]
fn a_checkout_of_many_files_is_one_state() {
    let top = Folder::new("checkout");
    let git = |args: &[&str]| {
        let out = Command::new("git").arg("-C").arg(&top.0).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args).output();
        out.is_ok_and(|o| o.status.success())
    };
    let n = 500;
    let at = |k: usize| top.0.join(format!("{}/{k}.yaml", k / 50));
    (0..n).for_each(|k| write(&at(k), &text(k, 1)));
    let with_git = git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "one"]) && git(&["checkout", "-qb", "two"]);
    (0..n).for_each(|k| write(&at(k), &text(k, 2)));
    let with_git = with_git && git(&["commit", "-qam", "two"]) && git(&["checkout", "-q", "-"]);
    if !with_git {
        println!("git is not at hand: the files are written instead");
        (0..n).for_each(|k| write(&at(k), &text(k, 1)));
    }
    let live = Live::start(std::slice::from_ref(&top.0), true, Options::default());
    let incident = asked();
    let all = |g: &Generation, version: usize| {
        let found = versions(&g.set, &incident);
        found.len() == n && found.values().all(|v| *v == version)
    };
    assert!(all(&live.now(), 1));
    for version in [2, 1, 2] {
        let before = live.now().number;
        if with_git {
            assert!(git(&["checkout", "-q", if version == 2 { "two" } else { "@{-1}" }]));
        } else {
            (0..n).for_each(|k| write(&at(k), &text(k, version)));
        }
        let g = until(&live, "the checkout", |g| all(g, version));
        assert!(g.problems.is_none());
        println!("a checkout of {n} files: {} generation(s), {:?}", g.number - before, g.took);
        assert!(g.number - before <= 2, "{} generations", g.number - before);
    }
}

/// What the campaign has saved, in order: the states that an answer may be of.
type States = Arc<Mutex<Vec<BTreeMap<usize, usize>>>>;

/// Edits in all styles, a third of them broken, while answers are taken; gives the times from the last write to the answer.
fn campaign(edits: usize, others: usize, seed: u64) -> Vec<Duration> {
    let top = Folder::new(&format!("campaign-{others}"));
    let (root, elsewhere) = (top.0.join("playbooks"), top.0.join("elsewhere"));
    fs::create_dir_all(&elsewhere).unwrap();
    for k in 0..others {
        // These are for other incidents, as most playbooks are.
        let text = one_of_many(k, 50).replace("url_clicked", "inbox_rule_created");
        write(&root.join(format!("many/{:03}/p{k:05}.yaml", k / 100)), &text);
    }
    let paths = [root.join("one.yaml"), root.join("a/b/two.yaml"), root.join("a/three.yml")];
    let mut state: BTreeMap<usize, usize> = (0..5).map(|k| (k, 0)).collect();
    paths.iter().enumerate().for_each(|(k, p)| write(p, &text(k, 0)));
    swap(&root.join("mounted"), 0, &[("four.yaml", text(3, 0)), ("five.yaml", text(4, 0))]);
    let live = Arc::new(Live::start(std::slice::from_ref(&root), true, Options::default()));
    let first = live.now();
    assert!(first.problems.is_none(), "{:?}", first.set.skipped);
    println!("{others} playbooks: the first set after {:?}", first.took);
    let incident = Arc::new(asked());
    let states: States = Arc::new(Mutex::new(vec![state.clone()]));
    let ended = Arc::new(AtomicBool::new(false));
    let reader = {
        let (live, incident, states, ended) = (live.clone(), incident.clone(), states.clone(), ended.clone());
        std::thread::spawn(move || {
            let (mut answers, mut last) = (0usize, 0usize);
            while !ended.load(Ordering::Relaxed) {
                let found = versions(&live.now().set, &incident);
                let states = states.lock().unwrap();
                let at = states.iter().enumerate().skip(last).find(|(_, s)| **s == found).map(|(n, _)| n);
                last = at.unwrap_or_else(|| panic!("an answer of no state, or of one before {last}: {found:?}, states {:?}", &states[last..]));
                drop(states);
                answers += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            (answers, last)
        })
    };
    let mut r = Random::new(seed);
    let (mut times, mut broken) = (Vec::new(), 0);
    let mut version = 0;
    let mut edit = 0;
    while edit < edits {
        let k = r.below(5);
        // Some edits come in quick succession: only the last of them has to be served.
        let quick = if r.chance(15) { 1 + r.below(3) } else { 0 };
        let wrong = r.chance(62);
        let mut written = Instant::now();
        for step in 0..=quick {
            version += 1;
            let bad = wrong && step == quick;
            let style = r.pick(STYLES);
            if !bad {
                state.insert(k.min(3), version);
                if k >= 3 {
                    state.insert(4, version);
                }
                states.lock().unwrap().push(state.clone());
            }
            let spoilt = |t: String, r: &mut Random| match r.below(4) {
                _ if !bad => t,
                0 => t.replace("people\n", "peple\n").replace("user in people", "user in peple"),
                1 => t.replace("match: {", "match: ["),
                2 => t.replace("action: user.review_mfa", "action: user.reviw"),
                _ => t.replace("format: 1", "format: 7"),
            };
            if k < 3 {
                let text = spoilt(text(k, version), &mut r);
                save(style, &paths[k], &text, &elsewhere, &mut r);
            } else {
                let texts = [("four.yaml", spoilt(text(3, version), &mut r)), ("five.yaml", text(4, version))];
                swap(&root.join("mounted"), version, &texts);
            }
            written = Instant::now();
            edit += 1;
            broken += usize::from(bad);
        }
        let within = |what: &str, done: &dyn Fn(&Generation) -> bool| {
            let mut now = live.now();
            while !done(&now) {
                assert!(written.elapsed() < Duration::from_secs(20), "edit {edit}, {what}: {:?}, wanted {state:?}", versions(&now.set, &incident));
                now = live.wait(now.number, Duration::from_millis(200)).unwrap_or_else(|| live.now());
            }
        };
        if wrong {
            within("what does not load is told", &|g| g.problems.is_some());
            if quick == 0 {
                assert_eq!(versions(&live.now().set, &incident), state, "edit {edit}: the last good set stays");
            }
            // It is mended at once, so that later edits count.
            version += 1;
            state.insert(k.min(3), version);
            if k >= 3 {
                state.insert(4, version);
            }
            states.lock().unwrap().push(state.clone());
            if k < 3 {
                let style = *r.pick(STYLES);
                save(style, &paths[k], &text(k, version), &elsewhere, &mut r);
            } else {
                swap(&root.join("mounted"), version, &[("four.yaml", text(3, version)), ("five.yaml", text(4, version))]);
            }
            written = Instant::now();
            edit += 1;
        }
        let within = |done: &dyn Fn(&Generation) -> bool| {
            let mut now = live.now();
            while !done(&now) {
                assert!(written.elapsed() < Duration::from_secs(20), "edit {edit} is lost: {:?}, wanted {state:?}", versions(&now.set, &incident));
                now = live.wait(now.number, Duration::from_millis(200)).unwrap_or_else(|| live.now());
            }
        };
        within(&|g| g.problems.is_none() && versions(&g.set, &incident) == state);
        times.push(written.elapsed());
    }
    ended.store(true, Ordering::Relaxed);
    let (answers, last) = reader.join().expect("every answer is of one state");
    times.sort();
    println!(
        "{others} playbooks, {edit} edits, {broken} of them broken: from the last write to the new answer median {} ms, 9 in 10 within {} ms, worst {} ms; {answers} answers meanwhile, {} states",
        times[times.len() / 2].as_millis(),
        times[times.len() * 9 / 10].as_millis(),
        times.last().unwrap().as_millis(),
        states.lock().unwrap().len(),
    );
    assert!(broken * 4 > edit && last > 0, "{broken} of {edit} broken");
    times
}

#[test]
fn no_edit_is_lost_and_no_answer_mixes() {
    let times = campaign(count("ENGINE_EDITS", 60), 50, 1);
    assert!(times[times.len() / 2] < Duration::from_millis(1000), "the median is {:?}", times[times.len() / 2]);
}

#[test]
fn no_edit_is_lost_among_many_playbooks() {
    // As many as a debug build reads in a few seconds; the long run takes thousands.
    campaign(count("ENGINE_EDITS_LARGE", 20), count("ENGINE_PLAYBOOKS_LARGE", 300), 2);
}
