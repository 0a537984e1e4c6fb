//! Reports for other programs, read by readers that those programs' own world uses.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use super::ims_probe;
use super::servers::{Server, say_all, wait};

/// A server that greets as POP3 does, with bytes that every format has a use of its own for.
fn odd() -> Server {
    Server::start(|stream| {
        say_all(&stream, b"+OK <a|b> \"c\" & 'd' \x1b[2J ]]> \xff\r\n");
        wait(&stream);
    })
}

fn output(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = ims_probe(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or_else(|| panic!("{status:?}")), text(stdout), text(stderr))
}

/// What a script of another language makes of a text on its stdin.
fn read_by(program: &str, script: &[&str], text: &str) -> String {
    let mut command = Command::new(program);
    command.args(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} cannot read it: {said}\n{text}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_plugin_exits_with_its_own_numbers_and_one_line_for_one_endpoint() {
    let server = odd();
    let (up, down) = (server.url("pop3"), "tcp://127.0.0.1:1");
    for (target, code, word) in
        [(&*up, 0, "OK"), (down, 2, "CRITICAL"), ("tcp://nowhere.invalid:25", 3, "UNKNOWN")]
    {
        let (status, text, stderr) = output(&[target, "-o", "nagios", "--level", "greet"]);
        assert_eq!((status, stderr.as_str()), (code, ""), "{text}");
        assert!(text.starts_with(&format!("PROBE {word}: {target} ")), "{text}");
        assert_eq!((text.lines().count(), text.matches('|').count()), (1, 1), "{text}");
    }
    let (status, text, _) = output(&[&up, down, "-o", "nagios", "--level", "greet"]);
    assert_eq!(status, 2, "{text}");
    let first = format!("PROBE CRITICAL: 1 of 2 down: {down} down at connect: connection refused | ");
    assert!(text.starts_with(&first) && text.lines().count() == 3, "{text}");
}

#[test]
fn performance_data_is_what_the_monitoring_plugin_library_reads() {
    let server = odd();
    let up = server.url("pop3");
    let (_, text, _) =
        output(&[&up, "tcp://127.0.0.1:1", "-o", "nagios", "--level", "greet", "--timeout", "9s"]);
    let data = text.lines().next().unwrap().split_once(" | ").unwrap().1;
    let script = "my @p = Monitoring::Plugin::Performance->parse_perfstring(<STDIN>); \
                  print join(' ', map { defined ? $_ : '-' } $_->label, $_->uom, $_->min, $_->max), qq{\\n} for @p;";
    let read = read_by("/usr/bin/perl", &["-MMonitoring::Plugin::Performance", "-e", script], data);
    // What was not measured (U) is no number, and that library passes it over.
    assert_eq!(read, format!("{up} s 0 9\n"));
    assert!(data.contains("'tcp://127.0.0.1:1'=U;;;0;9"), "{data}");
}

#[test]
fn a_plugin_that_fails_is_unknown_and_never_critical() {
    for (args, words) in [
        (&["-o", "nagios", "--nonsense"][..], "PROBE UNKNOWN: unexpected argument '--nonsense' found"),
        (&["--output=nagios", "smpt://192.0.2.1"], "PROBE UNKNOWN: no scheme 'smpt' (did you mean smtp?)\n"),
        (
            &["-o", "nagios", "tcp://127.0.0.1:1", "--every", "1s"],
            "PROBE UNKNOWN: a plugin probes once (leave --every out; Nagios has its own interval)\n",
        ),
    ] {
        let (status, text, stderr) = output(args);
        assert_eq!(status, 3, "{text}");
        assert!(text.starts_with(words) && text.lines().count() == 1, "{text}");
        assert!(stderr.starts_with("ims-probe: "), "{stderr}");
    }
    assert_eq!(output(&["-o", "nagios", "--help"]).0, 0);
}
