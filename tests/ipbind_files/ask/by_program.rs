//! The answers typed by a program: through a pipe, a line each.

use std::process::Stdio;

use super::super::seed::{ROOT, SET, and};
use super::super::{Files, records, stderr, stdout};
use super::{ANSWERS, SAMPLE, answers, paragraphs, typed};
use crate::support::Terminal;
use crate::support::mail::ServerRoot;

#[test]
fn a_program_may_type_the_answers_and_gets_the_records_of_set() {
    let files = Files::with(&ServerRoot::seed());
    let output = typed(&files, &["ask", "-n"], &answers());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let dry = stdout(&output);
    assert_eq!(dry, stdout(&files.answers(0, &and(SET, &["-n"]))), "the same plan");
    let before = files.content(ROOT);

    let output = typed(&files, &["ask"], &answers());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        dry.replace("\"dry_run\":true", "\"dry_run\":false"),
        "records and nothing else"
    );
    let asked = SAMPLE.split("Updating").next().unwrap();
    assert_eq!(paragraphs(&stderr(&output)), paragraphs(asked), "the same dialogue, the answers in it");
    assert!(files.content(ROOT) != before);

    // At a terminal, too, records are on stdout.
    let mut terminal = Terminal::run(&files.command(&["ask", "-o", "json"]), Some(Stdio::null()));
    for (question, answer) in ANSWERS {
        terminal.answer(question, answer);
    }
    let (status, screen) = terminal.end();
    assert_eq!((status.code(), screen.contains("schema")), (Some(0), false), "{screen}");
}

#[test]
fn an_input_that_ends_early_or_never_has_an_end_changes_nothing() {
    let files = Files::with(&ServerRoot::seed());
    let before = files.snapshot("/");
    for lines in ["", "10.0.37.10\n", "10.0.37.10\n/opt/iplanet/server5\nmail-1\nyes\nelenchus\n"] {
        let output = typed(&files, &["ask"], lines);
        assert_eq!(output.status.code(), Some(5), "{lines:?}: {}", stderr(&output));
        assert!(stderr(&output).ends_with("the answers ended before the questions (nothing was changed)\n"));
        assert_eq!(records(&output).pop().unwrap()["schema"], "ims.fail/1");
    }
    let output = typed(&files, &["ask"], &"y\n".repeat(100_000));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let says = "20 answers to 'Logical IP address' and none of them can be used (nothing was changed)\n";
    assert!(stderr(&output).ends_with(says), "{}", stderr(&output));
    let output = typed(&files, &["ask"], &"x".repeat(10_000));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("a line of more than 4096 bytes"), "{}", stderr(&output));
    assert!(files.snapshot("/") == before);
}
