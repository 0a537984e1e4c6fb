//! Real programs: their ends, their outputs, their deadlines.

use rustix::process::{Pid, Signal};

use super::*;
use crate::sys::lock::Lock;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_program_ends_with_its_status_and_its_words() {
    let ended = Line::new(["sh", "-c", "cat; echo oops >&2; exit 4"]).run_with(b"hello", SOON).unwrap();
    assert_eq!(
        (ended.status, ended.stdout.as_slice(), ended.last_words().as_str()),
        (Some(4), &b"hello"[..], "oops")
    );
}

#[test]
fn a_program_that_hangs_is_ended_with_all_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.lock");
    let lock = Lock::take(&path, Duration::ZERO).unwrap();
    // Whoever of them lives has the lock.
    let line = Line::new(["sh", "-c", "exec 3<&0; sleep 60 & sleep 60"]);
    let fail = line.run_holding(lock.file().file(), Duration::from_millis(50)).unwrap_err();
    assert_eq!(fail.exit(), Exit::Unknown);
    drop(lock);
    assert!(Lock::take(&path, SOON).is_ok(), "a child lives");
}

#[test]
fn a_program_that_never_stops_printing_is_ended_too() {
    let started = Instant::now();
    let fail = Line::new(["cat", "/dev/zero"]).run(Duration::from_millis(50)).unwrap_err();
    assert_eq!(fail.exit(), Exit::Unknown);
    assert!(started.elapsed() < SOON);
}

#[test]
fn a_daemon_left_behind_does_not_hold_its_starter() {
    let ended = Line::new(["sh", "-c", "sleep 60 & echo $!"]).run(SOON).unwrap();
    end(&ended.stdout);
}

#[test]
fn what_is_held_on_stdin_is_held_while_a_line_runs_and_not_by_its_daemons() {
    let folder = tempfile::tempdir().unwrap();
    let (path, go) = (folder.path().join("x.lock"), folder.path().join("go"));
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let lock = Lock::take(&path, Duration::ZERO).unwrap();
    let script = r#"sleep 60 >/dev/null & echo $!; read -r x; read -r x <"$0""#;
    let line = Line::new(["sh", "-c", script]).arg(&go).waited_for();
    let held = lock.file().file().try_clone().unwrap();
    let child = line.spawn(held.into(), Stdio::piped(), Stdio::null()).unwrap();
    drop(lock);
    assert!(Lock::take(&path, Duration::ZERO).is_err(), "the line runs");
    let mut go = std::fs::File::options().read(true).write(true).open(&go).unwrap();
    std::io::Write::write_all(&mut go, b"\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(Lock::take(&path, SOON).is_ok(), "its daemon holds it");
    end(&ended.stdout);
}

/// Ends the daemon that printed its pid, which must be there still.
fn end(printed: &[u8]) {
    let pid = std::str::from_utf8(printed).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn endless_output_is_bounded() {
    let ended = Line::new(["sh", "-c", "head -c 3000000 /dev/zero"]).run(SOON).unwrap();
    assert_eq!(ended.stdout.len(), KEPT);
}

#[test]
fn a_line_is_shown_as_a_shell_takes_it() {
    assert_eq!(Line::new(["ls", "-l", "a b", "it's"]).to_string(), r"ls -l 'a b' 'it'\''s'");
}

#[test]
fn a_program_that_waits_begins_when_it_is_told_and_has_ended_when_it_says_so() {
    let end = r#"{"schema":"ims.ended/1","host":"mail-1","exit":4}"#;
    let folder = tempfile::tempdir().unwrap();
    let line = |last: &str| {
        let script = format!("echo ready; read word || exit 5; touch $1; echo '{end}'; {last}");
        Line::new(["sh", "-c", &script, "sh", &folder.path().join("done").to_string_lossy()])
    };
    let mut waiting = line("sleep 2").ahead(None).unwrap();
    let began = Instant::now();
    assert!(waiting.is_ready(began + SOON) && waiting.is_there());
    assert!(!folder.path().join("done").exists());
    assert_eq!(waiting.run(SOON).unwrap().status, Some(4));
    assert!(folder.path().join("done").exists() && began.elapsed() < Duration::from_secs(2));
    // One that is let go ends without having done anything, and is not waited for long.
    fs_err::remove_file(folder.path().join("done")).unwrap();
    drop(line("").ahead(None).unwrap());
    assert!(!folder.path().join("done").exists());
}

#[test]
fn a_shell_waits_for_the_word_with_what_its_line_is_to_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (path, done) = (folder.path().join("x.lock"), folder.path().join("done"));
    let script = r#"touch "$0"; sleep 60 >/dev/null 2>&1 & echo $!; ls /proc/self/fd >&2; exit 4"#;
    let line = Line::new(["sh", "-c", script]).arg(&done);
    let waits = || {
        let lock = Lock::take(&path, SOON).unwrap();
        let mut waiting = line.waited_for_ahead(lock.file().file()).unwrap();
        assert!(waiting.is_ready(Instant::now() + SOON) && waiting.is_there());
        drop(lock);
        assert!(Lock::take(&path, Duration::ZERO).is_err(), "it holds the lock while it waits");
        assert!(!done.exists());
        waiting
    };
    drop(waits());
    assert!(Lock::take(&path, SOON).is_ok() && !done.exists(), "let go, it does nothing");
    // One that is told, or let go, before it has begun to wait.
    let lock = Lock::take(&path, SOON).unwrap();
    drop(line.waited_for_ahead(lock.file().file()).unwrap());
    assert!(!done.exists());
    let ended = line.waited_for_ahead(lock.file().file()).unwrap().run(SOON).unwrap();
    assert!(done.exists());
    end(ended.stdout.strip_prefix(b"ready\n").unwrap());
    fs_err::remove_file(&done).unwrap();
    drop(lock);
    let ended = waits().run(SOON).unwrap();
    assert!(Lock::take(&path, Duration::ZERO).is_ok(), "its daemon holds it");
    assert_eq!((ended.status, ended.last_words().as_str(), done.exists()), (Some(4), "3", true));
    end(&ended.stdout);
}
