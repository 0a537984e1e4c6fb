//! The table on a terminal that is drawn again and again.

use std::time::{Duration, Instant};

use super::ims_probe;
use super::servers::{Server, wait};
use crate::support::{CTRL_C, Terminal, until};

const SOON: Duration = Duration::from_secs(20);

/// The lines of each frame that was drawn.
fn frames(screen: &str) -> Vec<Vec<String>> {
    let frames = screen.split("\x1b[?2026h").skip(1).map(|frame| frame.split("\x1b[?2026l").next().unwrap());
    frames.map(|frame| frame.split("\x1b[K\n").map(without_moves).collect()).collect()
}

/// A line without what moves the cursor before it.
fn without_moves(line: &str) -> String {
    let moves = |text: &str| -> Option<usize> {
        let rest = text.strip_prefix("\x1b[")?;
        Some(rest.find(|c: char| c.is_ascii_alphabetic())? + 3)
    };
    let mut line = line;
    while let Some(end) = moves(line) {
        line = &line[end..];
    }
    line.to_owned()
}

#[test]
fn a_terminal_shows_each_endpoint_in_its_place_and_is_drawn_within_bounds() {
    let server = Server::start(|stream| wait(&stream));
    let (up, down) = (server.url("tcp"), "tcp://127.0.0.1:1");
    let begin = Instant::now();
    let mut terminal = Terminal::run(&ims_probe(&[&up, down, "--every", "20ms"]), None);
    let is_drawn = until(SOON, || terminal.screen().matches("\x1b[?2026h").count() > 3);
    assert!(is_drawn, "{}", terminal.screen());
    terminal.resize(20, 40);
    let is_afresh = until(SOON, || terminal.screen().contains("\x1b[H\x1b[2J"));
    assert!(is_afresh, "a window of another size is not drawn afresh");
    terminal.press(CTRL_C);
    let (status, screen) = terminal.end();
    let took = begin.elapsed();
    assert_eq!(status.code(), Some(1), "{screen}");
    let frames = frames(&screen);
    // Four a second, one at once, and one at the end.
    let most = took.as_millis() / 250 + 2;
    assert!(frames.len() as u128 <= most, "{} frames in {took:?}", frames.len());
    let last = frames.last().unwrap();
    assert!(last[1].starts_with(&format!("{up}  up ")), "{last:?}");
    assert!(last[2].starts_with(down) && last[2].contains(" down "), "{last:?}");
    assert!(last.iter().all(|line| line.chars().count() <= 40), "{last:?}");
    assert!(frames.iter().any(|frame| frame.iter().any(|line| line.contains("!!"))), "{frames:?}");
    let end = screen.rsplit("\x1b[?2026l").next().unwrap();
    assert!(end.contains("STOPPED BY") && end.contains("SIGINT"), "{end}");
}

#[test]
fn a_run_that_ends_leaves_its_last_table() {
    let down = "tcp://127.0.0.1:1";
    let terminal = Terminal::run(&ims_probe(&[down, "--every", "20ms", "--count", "3"]), None);
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(1), "{screen}");
    let last = frames(&screen).pop().unwrap();
    assert!(last[1].starts_with(down) && last[1].contains("!!!"), "{last:?}");
}
