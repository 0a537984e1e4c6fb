//! Group files and command lines that are not right, and nodes that do not say the same.

use assert_cmd::Command;

use super::lab::*;
use crate::support::*;

struct Host(tempfile::TempDir);

impl Host {
    fn with(group: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("etc/ims/groups")).unwrap();
        std::fs::write(folder.path().join("etc/ims/groups/IMS-RG.toml"), group).unwrap();
        Self(folder)
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ims-switch"));
        let ran = command.arg("--root").arg(self.0.path()).args(words).output().unwrap();
        let text =
            |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&*self.0.path().to_string_lossy(), "");
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }
}

fn node() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A group of this very host that needs no right.
fn own(start: &str) -> String {
    format!(
        "nodes = [\"{}\"]\n[resource.file]\ntype = \"command\"\nstart = {start}\nstop = [\"true\"]\n\
         monitor = [\"false\"]\nonline_retry_limit = 0\n",
        node()
    )
}

#[test]
fn what_is_wrong_with_a_group_file_is_told_in_one_line_with_what_was_meant() {
    for (text, words) in [
        (
            "nodes = [\"a\"]\n[resource.x]\ntype = \"nick\"\n",
            "IMS-RG.toml:3: unknown type 'nick' (did you mean 'nic'?)",
        ),
        (
            "nodes = [\"a\"]\n[resource.x]\ntype = \"nic\"\ndevcie = \"eth0\"\n",
            "IMS-RG.toml:4: unknown key 'devcie' (did you mean 'device'?)",
        ),
        (
            "nodes = [\"a\"]\n[resource.x]\ntype = \"nic\"\ndevice = \"e\"\nrequires = [\"y\"]\n\
             [resource.y]\ntype = \"nic\"\ndevice = \"e\"\nrequires = [\"x\"]\n",
            "IMS-RG.toml:5: a cycle of requirements: x -> y -> x",
        ),
        ("nodes = [\"a\"\n", "IMS-RG.toml:"),
    ] {
        let host = Host::with(text);
        for line in [
            &["check", "IMS-RG"][..],
            &["status", "IMS-RG"],
            &["online", "IMS-RG"],
            &["plan", "move", "IMS-RG"],
            &["run", "IMS-RG", "--", "true"],
        ] {
            let (status, stdout, stderr) = host.run(line);
            assert_eq!(status, 2, "{line:?}: {stderr}");
            assert!(stderr.contains(words) && stderr.lines().count() == 1, "{stderr}");
            assert!(stdout.contains("\"schema\":\"ims.fail/1\""), "{stdout}");
        }
    }
}

#[test]
fn a_misspelt_group_or_node_is_told_with_what_was_meant() {
    let host = Host::with(&own("[\"true\"]"));
    for (line, words) in [
        (&["status", "IMS-RQ"][..], "no group 'IMS-RQ' (did you mean 'IMS-RG'?)"),
        (&["online", "IMS-RG", "--on", "mail-9x"], "mail-9x is no node of IMS-RG"),
        (&["start", "IMS-RG", "fiel"], "no resource 'fiel' in IMS-RG"),
        (&["online"], "required arguments were not provided"),
        (&["online", "IMS-RG", "--timeout", "soon"], "not a length of time"),
        (&["onlin", "IMS-RG"], "unrecognized subcommand"),
    ] {
        let (status, _, stderr) = host.run(line);
        assert_eq!(status, 2, "{line:?}: {stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    let none = Host::with("");
    std::fs::remove_file(none.0.path().join("etc/ims/groups/IMS-RG.toml")).unwrap();
    let (status, _, stderr) = none.run(&["status"]);
    assert_eq!((status, stderr.contains("see ims-group(5)")), (2, true), "{stderr}");
}

#[test]
fn a_group_without_a_way_to_its_other_node_is_not_moved() {
    let host =
        Host::with("nodes = [\"mail-1\", \"mail-2\"]\n[resource.n]\ntype = \"nic\"\ndevice = \"lo\"\n");
    let (status, _, stderr) = host.run(&["status", "IMS-RG"]);
    assert_eq!(status, 2, "{stderr}");
    assert!(stderr.contains("has no reach in /etc/ims/nodes.toml"), "{stderr}");
}

#[test]
fn a_start_that_does_not_start_is_a_failure() {
    let host = Host::with(&format!("{}online_wait_limit = 0\n", own("[\"true\"]")));
    let (status, _, stderr) = host.run(&["online", "IMS-RG"]);
    assert_eq!(status, 5, "{stderr}");
    assert!(stderr.contains("file is down after its start"), "{stderr}");
    let (status, _, stderr) = Host::with(&own("[\"no-such-program\"]")).run(&["online", "IMS-RG"]);
    assert_eq!(status, 5, "{stderr}");
    assert!(stderr.contains("no-such-program is not there"), "{stderr}");
}

#[test]
fn a_start_that_ends_too_early_has_its_intervals_to_come_up() {
    let folder = tempfile::tempdir().unwrap();
    let up = folder.path().join("up");
    for (limit, status) in [(0, 5), (2, 0)] {
        let start = format!("[\"sh\", \"-c\", \"(sleep 0.5; touch {}) >/dev/null 2>&1 &\"]", up.display());
        let text = own(&start).replace("[\"false\"]", &format!("[\"test\", \"-e\", \"{}\"]", up.display()));
        let text =
            text.replace("stop = [\"true\"]", &format!("stop = [\"rm\", \"-f\", \"{}\"]", up.display()));
        let host = Host::with(&format!("{text}online_wait_limit = {limit}\nmonitor_interval = 30\n"));
        let (ended, _, stderr) = host.run(&["online", "IMS-RG"]);
        assert_eq!(ended, status, "{limit} intervals: {stderr}");
        // What was started and given up may come up a moment later.
        assert!(crate::support::until(std::time::Duration::from_secs(10), || up.exists()));
        std::fs::remove_file(&up).unwrap();
    }
}

#[test]
fn a_journal_that_cannot_be_written_keeps_from_beginning_what_it_alone_would_finish() {
    let folder = tempfile::tempdir().unwrap();
    let up = folder.path().join("up").display().to_string();
    let text = own(&format!("[\"touch\", \"{up}\"]"));
    let host = Host::with(&text.replace("[\"false\"]", &format!("[\"test\", \"-e\", \"{up}\"]")));
    std::fs::create_dir_all(host.0.path().join("var/lib/ims")).unwrap();
    std::os::unix::fs::symlink("/dev/full", host.0.path().join("var/lib/ims/journal")).unwrap();
    for (verb, expected) in [("online", 0), ("restart", 5)] {
        let (status, _, stderr) = host.run(&[verb, "IMS-RG"]);
        assert_eq!(status, expected, "{verb}: {stderr}");
        assert!(stderr.contains("cannot write the journal"), "{verb}: {stderr}");
    }
}

#[test]
fn the_examples_of_the_man_page_are_valid() {
    let page = include_str!("../../man/ims-group.5").replace("\\-", "-");
    let examples: Vec<&str> =
        page.split(".EX\n").skip(1).filter_map(|rest| Some(rest.split_once(".EE")?.0)).collect();
    let [group, nodes, spare, tests, webmail] = examples.as_slice() else { panic!("{examples:?}") };
    let parse =
        |text: &str| ims::group::Group::parse("X".parse().unwrap(), text, std::path::Path::new("man page"));
    assert_eq!(parse(group).unwrap().resources.len(), 5);
    assert_eq!(parse(&format!("{group}{webmail}")).unwrap().resources.len(), 6);
    assert_eq!(parse(tests).unwrap().bonds.apart_from, ["IMS-RG".parse().unwrap()]);
    let nodes =
        ims::nodes::Nodes::parse(&format!("{nodes}{spare}"), std::path::Path::new("man page")).unwrap();
    assert_eq!(nodes.get(&"mail-2".parse().unwrap()).unwrap().reach, ["ssh", "root@mail-2"]);
    assert_eq!(nodes.get(&"spare".parse().unwrap()).unwrap().capacity.get("groups"), 1);
}

#[test]
fn every_node_must_say_the_same() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let check = |status| lab.mail_1.run(["ims-switch", "check", "IMS-RG"]).status_is(status);
    assert_eq!(check(0).records().len(), 2);
    lab.mail_2.sh("sed -i 's/retry_limit = 0/retry_limit = 1/' /etc/ims/groups/IMS-RG.toml").ok();
    let found = record(&check(1), "ims.group-check/1");
    assert_eq!((found["node"].as_str(), found["state"].as_str()), (Some("mail-2"), Some("down")));
    assert!(found["findings"][0].as_str().unwrap().contains("differs from line 24 on"), "{found}");
    lab.group(GROUP);
    lab.mail_2.cut();
    let found = record(&check(3), "ims.group-check/1");
    assert!(found["findings"][0].as_str().unwrap().contains("cannot be reached"), "{found}");
}
