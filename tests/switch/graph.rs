//! `graph` as a program: every drawing of the seed's groups, byte by byte, and names that would be markup.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use super::lab::*;
use crate::support::*;

/// A host with these groups.
pub struct Host(tempfile::TempDir);

impl Host {
    pub fn with(groups: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("etc/ims/groups")).unwrap();
        for (name, text) in groups {
            std::fs::write(folder.path().join(format!("etc/ims/groups/{name}.toml")), text).unwrap();
        }
        Self(folder)
    }

    /// The groups of the seed's figure A-5.
    pub fn seed() -> Self {
        Self::with(&[
            ("IMS-RG", include_str!("../data/graph/IMS-RG.toml")),
            ("LDAP-USER-RG", include_str!("../data/graph/LDAP-USER-RG.toml")),
        ])
    }

    fn run(&self, locale: &str, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ims-switch"));
        command.env_clear().env("LANG", locale).arg("--root").arg(self.0.path()).arg("graph").args(words);
        let ran = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }

    /// What is printed, when nothing else is said.
    pub fn drawn(&self, words: &[&str]) -> String {
        let (status, stdout, stderr) = self.run("C.UTF-8", words);
        assert_eq!((status, stderr.as_str()), (0, ""));
        stdout
    }
}

/// Compares with a file of `tests/data/graph`; `IMS_BLESS=1` writes it.
fn same(file: &str, found: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/graph").join(file);
    if std::env::var_os("IMS_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}

#[test]
fn the_seeds_groups_are_drawn_in_every_format() {
    let host = Host::seed();
    for (format, file) in [
        ("tree", "figure-a5.txt"),
        ("dot", "figure-a5.dot"),
        ("mermaid", "figure-a5.mmd"),
        ("svg", "figure-a5.svg"),
    ] {
        let drawn = host.drawn(&["--format", format]);
        assert_eq!(drawn, host.drawn(&["IMS-RG", "--format", format]), "what it requires is drawn with it");
        same(file, &drawn);
    }
    same("figure-a5.ascii.txt", &host.run("C", &["--format", "tree"]).1);
    let simple = Host::with(&[("iMS5", include_str!("../data/group/IMS-RG.toml"))]);
    same("simple.txt", &simple.drawn(&["--format", "tree"]));
    same("simple.svg", &simple.drawn(&["--format", "svg"]));
}

#[test]
fn elsewhere_than_on_a_terminal_the_graph_is_a_record_for_each_group() {
    let host = Host::seed();
    let records: Vec<serde_json::Value> =
        host.drawn(&[]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named: Vec<&str> = records.iter().map(|record| record["group"].as_str().unwrap()).collect();
    assert_eq!(named, ["IMS-RG", "LDAP-USER-RG"]);
    assert_eq!(records[0]["requires_groups"], serde_json::json!(["LDAP-USER-RG"]));
    assert_eq!(host.drawn(&["-o", "table"]), host.drawn(&["--format", "tree"]));
    let (status, _, stderr) = host.run("C", &["--format", "dot", "-o", "json"]);
    assert_eq!(status, 2);
    assert!(stderr.contains("--format does not go with --output json"), "{stderr}");
}

#[test]
fn a_required_group_that_is_described_elsewhere_is_drawn_as_that() {
    let host = Host::with(&[("IMS-RG", include_str!("../data/graph/IMS-RG.toml"))]);
    for format in ["tree", "dot", "mermaid", "svg"] {
        let drawn = host.drawn(&["--format", format]);
        assert!(drawn.contains("LDAP-USER-RG") && drawn.contains("no file on this node"), "{drawn}");
    }
    let (status, _, stderr) = host.run("C", &["LDAP-USER-RQ"]);
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("no group 'LDAP-USER-RQ'"), "{stderr}");
}

#[test]
fn what_a_group_file_says_is_text_in_every_format() {
    let host = Host::with(&[(
        "X",
        "nodes = [\"a\"]\n[resource.x]\ntype = \"volume\"\ndevice = \"/dev/\\\"];<b>&#\\\\n`\\u001b[2J\"\nmount = \"/m\"\n",
    )]);
    for (format, said) in [
        ("tree", "/dev/\"];<b>&#\\n`\u{fffd}[2J at /m"),
        ("dot", "/dev/\\\"];<b>&#\\\\n`\u{fffd}[2J\\nat /m"),
        ("mermaid", "/dev/#34;#93;#59;#60;b#62;#38;#35;#92;n#96;#65533;#91;2J<br/>at /m"),
        ("svg", "/dev/&quot;];&lt;b&gt;&amp;#\\n`\u{fffd}[2J</text>"),
    ] {
        let drawn = host.drawn(&["--format", format]);
        assert!(drawn.contains(said), "{format}: {drawn}");
        assert!(!drawn.contains('\u{1b}'), "{format}: {drawn}");
    }
}

#[test]
fn parameters_and_arguments_are_not_shown_for_they_may_be_secrets() {
    let host = Host::with(&[(
        "X",
        "nodes = [\"a\"]\n[resource.x]\ntype = \"ocf:heartbeat:db\"\nparameters = { password = \"wombat\" }\n\
         [resource.y]\ntype = \"command\"\nstart = [\"/bin/begin\", \"--pw=wombat\"]\nstop = [\"true\"]\nmonitor = [\"true\"]\n",
    )]);
    for words in [&["--format", "tree"][..], &["--format", "dot"], &["--format", "svg"], &[]] {
        let drawn = host.drawn(words);
        assert!(drawn.contains("/bin/begin") && !drawn.contains("wombat"), "{drawn}");
    }
}

#[test]
fn with_state_it_says_what_is_up_where() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let drawn = lab.mail_1.run(["ims-switch", "graph", "--state"]);
    let record = record(&drawn.ok(), "ims.graph/1");
    let up: Vec<(&str, &str)> = record["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["resource"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert!(!up.is_empty() && up.iter().all(|(_, state)| *state == "up"), "{record}");
    let tree = lab.mail_1.run(["ims-switch", "graph", "--state", "--format", "tree"]).ok().stdout;
    assert!(tree.contains("up on mail-1"), "{tree}");
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    lab.mail_2.run(["ims-switch", "graph", "--state"]).status_is(1);
}
