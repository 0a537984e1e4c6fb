//! What every command promises: exit statuses, records, an answer that cannot be printed.

use std::process::{Command, Output, Stdio};

use fs_err::OpenOptions;

use crate::documents::commands;

/// A command of ours, by its name.
fn ims(name: &str) -> Command {
    let folder =
        std::path::Path::new(assert_cmd::cargo::cargo_bin!("ims-registry")).parent().unwrap().to_owned();
    let mut command = Command::new(folder.join(name));
    command.stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn last_record(output: &Output) -> serde_json::Value {
    serde_json::from_str(text(&output.stdout).lines().last().unwrap_or_default()).unwrap()
}

#[test]
fn a_wrong_command_line_is_status_2_and_one_line() {
    for command in commands() {
        for args in [&["--no-such-option"][..], &["no/such verb or name"]] {
            let output = ims(command.get_name()).args(args).output().unwrap();
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{} {args:?}: {told}", command.get_name());
            assert_eq!(told.lines().count(), 1, "{} {args:?}: {told}", command.get_name());
            assert!(told.starts_with(&format!("{}: ", command.get_name())), "{told}");
            let record = last_record(&output);
            assert_eq!((record["schema"].as_str(), record["exit"].as_u64()), (Some("ims.fail/1"), Some(2)));
        }
    }
}

#[test]
fn help_and_version_are_answers() {
    for command in commands() {
        for args in [&["--help"][..], &["--version"]] {
            let output = ims(command.get_name()).args(args).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{} {args:?}", command.get_name());
            assert!(text(&output.stdout).contains(command.get_name()), "{} {args:?}", command.get_name());
        }
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let output = ims(command.get_name()).args([verb.get_name(), "--help"]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{} {}", command.get_name(), verb.get_name());
        }
    }
}

#[test]
fn an_answer_that_cannot_be_printed_is_not_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("etc")).unwrap();
    let stork = "[stork]\nlayout = postfix-dovecot\nroot = /x\naddress = 192.0.2.10\nmail = no\n";
    fs_err::write(folder.path().join("etc/msgregistry.inf"), stork).unwrap();
    for (name, args) in [
        ("ims-registry", &["list"][..]),
        ("ims-ipbind", &["look", "--device", "lo"]),
        ("ims-probe", &["tcp://127.0.0.1:9"]),
        ("ims-diskctl", &["--help"]),
        ("ims-portcheck", &["--help"]),
        ("ims-switch", &["--help"]),
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = ims(name)
            .args(args)
            .arg("--root")
            .arg(folder.path())
            .stdout(full.into_file())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{name} {args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn an_answer_that_nobody_can_hear_is_not_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("etc")).unwrap();
    let stork = "[stork]\nlayout = postfix-dovecot\nroot = /x\naddress = 192.0.2.10\nmail = no\n";
    fs_err::write(folder.path().join("etc/msgregistry.inf"), stork).unwrap();
    for (line, status) in [
        ("ims-registry list", 3),
        ("ims-registry add stork --address 192.0.2.11", 3),
        ("ims-registry list -o table", 3),
        ("ims-ipbind look --device lo", 3),
        ("ims-probe tcp://127.0.0.1:9", 3),
        ("ims-diskctl --version", 3),
        ("ims-portcheck --help", 3),
        // Graver as it is.
        ("ims-switch status no/such", 2),
    ] {
        let (name, args) = line.split_once(' ').unwrap();
        let output = Command::new("sh")
            .args(["-c", "exec \"$@\" >&-", "sh"])
            .arg(ims(name).get_program())
            .args(args.split(' '))
            .arg("--root")
            .arg(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{line}: {told}");
        let lost = format!("{name}: cannot write to stdout: Bad file descriptor\n");
        assert_eq!(told.matches(&lost).count(), 1, "{line}: {told}");
        assert!(told.ends_with(&lost), "{line}: {told}");
    }
    // A stdout that somebody threw away is one.
    let thrown =
        ims("ims-registry").args(["list", "--root"]).arg(folder.path()).stdout(Stdio::null()).status();
    assert_eq!(thrown.unwrap().code(), Some(0));
}

#[test]
fn what_is_not_for_typing_is_not_spoken_of() {
    for (name, args, told) in [
        (
            "ims-registry",
            &[][..],
            "nothing is said to be done (say list, add, remove, scan, import, check, diff or replicate; see \
             ims-registry --help)",
        ),
        (
            "ims-switch",
            &["plan"],
            "nothing is said to be done (say online, offline, move or evacuate; see ims-switch --help)",
        ),
        ("ims-registry", &["recieve"], "unrecognized subcommand 'recieve' (see ims-registry --help)"),
        (
            "ims-registry",
            &["list", "--roott", "/"],
            "unexpected argument '--roott' found (see ims-registry --help)",
        ),
        (
            "ims-registry",
            &["lst"],
            "unrecognized subcommand 'lst' tip: a similar subcommand exists: 'list' (see ims-registry --help)",
        ),
    ] {
        let output = ims(name).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name} {args:?}");
        assert_eq!(text(&output.stderr), format!("{name}: {told}\n"));
    }
    for command in commands() {
        let name = command.get_name();
        let hidden = command.get_subcommands().filter(|verb| verb.is_hide_set()).map(clap::Command::get_name);
        for word in hidden.chain(["--root"]) {
            let file = format!("completions/{name}.bash");
            let script = fs_err::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            assert!(
                script.split([' ', '"', ')', ',']).all(|offered| offered != word),
                "{file} offers {word}"
            );
        }
    }
}

#[test]
fn a_failed_run_in_a_table_says_it_on_stderr_alone() {
    let output = ims("ims-registry").args(["scan", "/no/such/root", "-o", "table"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]));
    assert_eq!(text(&output.stderr), "ims-registry: cannot scan /no/such/root: No such file or directory\n");
}

#[test]
fn no_command_ever_prints_without_the_one_way_out() {
    let sources =
        ["bins", "lib/src"].map(|folder| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    for source in sources.iter().flat_map(|folder| rust_files(folder)) {
        let code = fs_err::read_to_string(&source).unwrap();
        for word in ["println!", "process::exit", "todo!", "unimplemented!"] {
            assert!(!code.contains(word), "{} has {word}", source.display());
        }
    }
}

/// Every Rust source below a folder.
pub fn rust_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The command lines that read records.
const READERS: [(&str, &[&str]); 6] = [
    ("ims-portcheck", &["-"]),
    ("ims-ipbind", &["show", "-"]),
    ("ims-ipbind", &["set", "-"]),
    ("ims-probe", &["-"]),
    ("ims-registry", &["add", "-"]),
    ("ims-registry", &["remove", "-"]),
];

#[test]
fn a_line_that_does_not_end_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    for (name, args) in READERS {
        let zero = OpenOptions::new().read(true).open("/dev/zero").unwrap().into_file();
        let output = ims(name).args(args).arg("--root").arg(folder.path()).stdin(zero).output().unwrap();
        let told = format!("{name}: stdin:1: a line of more than 16 MiB (one record a line)\n");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), told), "{args:?}");
    }
}

#[test]
fn a_pipe_through_which_nothing_came_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    for (name, args) in READERS {
        let output = ims(name).args(args).arg("--root").arg(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name} {args:?}: {}", text(&output.stderr));
    }
}
