//! Reports for other programs, read by readers that those programs' own world uses.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use super::{Going, ims_probe};
use crate::support::until;

use super::servers::{Server, say_all, wait};

/// How long a file may take to be written.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

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

/// Every sample that the Python client of Prometheus reads from a page, as `name label=value,… value`.
fn samples(module: &str, page: &str) -> Vec<String> {
    let script = format!(
        "import sys\n\
         from {module} import text_string_to_metric_families as families\n\
         for family in families(sys.stdin.read()):\n\
         \x20   for s in family.samples:\n\
         \x20       print(s.name, ','.join(f'{{k}}={{v}}' for k, v in sorted(s.labels.items())), float(s.value), s.timestamp)\n"
    );
    read_by("/usr/bin/python3", &["-c", &script], page).lines().map(ToOwned::to_owned).collect()
}

#[test]
fn metrics_are_what_the_readers_of_prometheus_and_openmetrics_read() {
    let server = odd();
    let up = server.url("pop3");
    let mut names = Vec::new();
    for (format, module) in
        [("prometheus", "prometheus_client.parser"), ("openmetrics", "prometheus_client.openmetrics.parser")]
    {
        let (status, page, _) = output(&[&up, "tcp://127.0.0.1:1", "-o", format, "--level", "greet"]);
        assert_eq!(status, 1, "{page}");
        let samples = samples(module, &page);
        let labels = format!("endpoint={up},ims_instance=,level=greet,service=pop3");
        for sample in [
            "ims_probe_targets  2.0 None".to_owned(),
            format!("ims_probe_state {labels},state=up 1.0 None"),
            format!("ims_probe_state {labels},state=unknown 0.0 None"),
            format!("ims_probe_attempts_total {labels} 1.0 None"),
            "ims_probe_failed_stage endpoint=tcp://127.0.0.1:1,ims_instance=,level=connect,service=other,\
             stage=connect 1.0 None"
                .to_owned(),
        ] {
            assert!(samples.contains(&sample), "{format}: no {sample} in {samples:#?}");
        }
        assert_eq!(page.ends_with("# EOF\n"), format == "openmetrics");
        names.push(samples.iter().map(|s| s.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(names[0], names[1], "both formats hold the same");
}

#[test]
fn a_textfile_is_replaced_whole_and_kept_up_to_date() {
    let server = odd();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ims.prom");
    let path = file.to_str().unwrap();
    fs_err::write(&file, "old\n").unwrap();
    let line = [&*server.url("pop3"), "-o", "prometheus", "--to", path, "--level", "greet"];
    let (status, text, stderr) = output(&line);
    assert_eq!((status, text.as_str(), stderr.as_str()), (0, "", ""));
    assert!(!samples("prometheus_client.parser", &fs_err::read_to_string(&file).unwrap()).is_empty());

    fs_err::remove_file(&file).unwrap();
    let going = Going::start(&[&line[..], &["--every", "50ms"]].concat());
    let attempts = || -> Option<u64> {
        let page = fs_err::read_to_string(&file).ok()?;
        let sample = page.lines().find(|line| line.starts_with("ims_probe_attempts_total"))?;
        assert!(page.ends_with('\n'), "half a file: {page}");
        sample.rsplit(' ').next()?.parse().ok()
    };
    assert!(until(SOON, || attempts().is_some()), "no file");
    let first = attempts().unwrap();
    assert!(until(SOON, || attempts().unwrap() > first), "it is not kept up to date");
    let before = attempts().unwrap();
    going.signal(Signal::TERM);
    let (status, told) = going.end();
    assert_eq!((status, told.as_str()), (0, "ims-probe: stopped by SIGTERM; 1 of 1 targets had answered\n"));
    assert!(attempts().unwrap() >= before);
    let left: Vec<_> = fs_err::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [file], "nothing but the file is left");
}

#[test]
fn a_textfile_that_cannot_be_written_ends_the_run_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let symbolic = folder.path().join("link.prom");
    fs_err::os::unix::fs::symlink("/etc/hostname", &symbolic).unwrap();
    let missing = folder.path().join("no/such/ims.prom");
    for path in [&symbolic, &missing] {
        let path = path.to_str().unwrap();
        for more in [&[][..], &["--every", "50ms"]] {
            let line = ["tcp://127.0.0.1:1", "-o", "prometheus", "--to", path];
            let (status, text, stderr) = output(&[&line[..], more].concat());
            assert_eq!(status, 5, "{stderr}");
            assert_eq!(text, "");
            assert!(stderr.starts_with("ims-probe: ") && stderr.contains(path), "{stderr}");
        }
    }
}

#[test]
fn a_test_report_is_what_the_python_reader_of_junit_reads() {
    let server = odd();
    let up = server.url("pop3");
    let targets = [&*up, "tcp://127.0.0.1:1", "tcp://nowhere.invalid:25"];
    let line =
        [&targets[..], &["-o", "junit", "--level", "greet", "--every", "50ms", "--count", "2"]].concat();
    let (status, xml, _) = output(&line);
    assert_eq!(status, 3, "{xml}");
    let script = "import sys\n\
         from junitparser import JUnitXml\n\
         for suite in JUnitXml.fromstring(sys.stdin.buffer.read()):\n\
         \x20   print(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped)\n\
         \x20   for case in suite:\n\
         \x20       print(case.name, [(type(r).__name__, r.type, r.message) for r in case.result])\n";
    let read = read_by("/usr/bin/python3", &["-c", script], &xml);
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(lines[0], "ims-probe 6 2 2 0", "{read}");
    assert_eq!(lines[1..3], [format!("{up} greet []"), format!("{up} greet, attempt 2 []")]);
    let refused = "[('Failure', 'down', 'connect: connection refused')]";
    assert_eq!(lines[3], format!("tcp://127.0.0.1:1 connect {refused}"));
    assert!(
        lines[5].starts_with("tcp://nowhere.invalid:25 connect [('Error', 'unknown', 'resolve: "),
        "{read}"
    );

    let (_, xml, _) = output(&[&server.url("smtp"), "-o", "junit"]);
    let read = read_by("/usr/bin/python3", &["-c", script], &xml);
    // As Python shows what it has read.
    let words = r#"[('Failure', 'down', 'greet: not a reply: +OK <a|b> "c" & \'d\' \\u{1b}[2J ]]> \\xff')]"#;
    assert!(read.contains(words), "{read}");
}

#[test]
fn options_that_make_no_sense_together_are_refused_before_anything_is_probed() {
    for (line, words) in [
        ("-o json --to /tmp/x", "--to is for a report (with -o prometheus, openmetrics or junit)"),
        ("-o nagios --to /tmp/x", "--to is for a report (with -o prometheus, openmetrics or junit)"),
        ("-o prometheus --every 1s", "metrics again and again need a file (name it with --to)"),
        ("-o openmetrics --every 1s", "metrics again and again need a file (name it with --to)"),
        ("-o junit --every 1s", "a test report needs an end (say --count)"),
        (
            "--every 1s --count 0",
            "invalid value '0' for '--count <N>': not a number of probes (at least 1) (see ims-probe --help)",
        ),
    ] {
        let args: Vec<&str> = line.split(' ').chain(["tcp://127.0.0.1:1"]).collect();
        let (status, _, stderr) = output(&args);
        let wanted = if line.contains("nagios") { 3 } else { 2 };
        assert_eq!((status, stderr), (wanted, format!("ims-probe: {words}\n")), "{line}");
    }
}
