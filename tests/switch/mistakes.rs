//! `ims-switch` in the hands of somebody in a hurry: two terminals at once, a file copied and not edited, a name that is
//! wrong in the middle of a line.

use super::lab::*;
use crate::support::*;

const FILE: &str = "/etc/ims/groups/IMS-RG.toml";
const LOCK: &str = "/run/ims/lock/switch-IMS-RG.lock";

/// How many runs have the group's lock file of a node open: here all of them wait for it.
fn at_the_lock(node: &Node) -> usize {
    let runs = format!(
        "for p in /proc/[0-9]*; do case $(readlink $p/exe || true) in
            */ims-switch) ls -l $p/fd 2>&1 | grep {LOCK} || true ;;
        esac; done"
    );
    node.sh(&runs).ok().stdout.lines().count()
}

/// Holds the group's lock on a node until it is told to go on.
struct Held<'a> {
    node: &'a Node,
    holder: Running,
}

impl<'a> Held<'a> {
    fn hold(node: &'a Node) -> Self {
        node.sh(&format!("rm -f /run/go; mkdir -p /run/ims/lock; : >>{LOCK}")).ok();
        let holder = node.spawn(["flock", LOCK, "sh", "-c", "until [ -e /run/go ]; do sleep 0.01; done"]);
        assert!(until(SOON, || node.run(["flock", "-n", LOCK, "true"]).status == Some(1)));
        Self { node, holder }
    }

    /// Starts a run on the node that has to wait for the lock.
    fn waits(&self, words: &[&str]) -> Running {
        let before = at_the_lock(self.node);
        let run = self.node.spawn(words.iter().copied());
        assert!(until(SOON, || at_the_lock(self.node) > before), "{words:?} does not wait");
        run
    }

    fn let_go(self) {
        self.node.sh(": >/run/go").ok();
        self.holder.wait(SOON).ok();
    }
}

#[test]
fn a_run_that_waited_does_not_act_by_a_file_that_was_replaced_meanwhile() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    // A node that was taken out of the group must not get it any more.
    let without = GROUP.replace("[\"mail-1\", \"mail-2\"]", "[\"mail-2\"]");
    for (words, text) in [
        (&["ims-switch", "online", "IMS-RG"][..], Some(&without)),
        (&["ims-switch", "start", "IMS-RG", "logical_IP"], Some(&without)),
        (&["ims-switch", "freeze", "IMS-RG"], Some(&without)),
        (&["ims-switch", "online", "IMS-RG"], None),
    ] {
        lab.group(GROUP);
        let held = Held::hold(&lab.mail_1);
        let waiting = held.waits(words);
        for node in lab.nodes() {
            match text {
                Some(text) => node.file(FILE, text),
                None => drop(node.run(["rm", FILE]).ok()),
            }
        }
        held.let_go();
        let refused = waiting.wait(SOON).status_is(4);
        let why = format!("{FILE} was changed while another run was waited for");
        assert!(refused.stderr.contains(&why), "{words:?}: {refused}");
        lab.is_online_on(None);
    }
}

#[test]
fn runs_of_a_group_and_changes_of_its_file_do_not_wait_for_each_other() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    for first in ["online", "remove"] {
        lab.group(GROUP);
        let held = Held::hold(&lab.mail_1);
        let second = if first == "online" { "remove" } else { "online" };
        let waiting = [first, second].map(|verb| held.waits(&["ims-switch", verb, "IMS-RG"]));
        held.let_go();
        let told = waiting.map(|run| run.wait(SOON));
        // One of them did what it should, and the other one saw that.
        let mut codes: Vec<Option<i32>> = told.iter().map(|ran| ran.status).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(4)], "{} {}", told[0], told[1]);
        lab.group(GROUP);
        lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    }
}

#[test]
fn a_copy_of_a_group_is_refused_and_can_be_taken_away_while_the_group_is_online() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    lab.mail_1.file("/root/COPY.toml", GROUP);
    let refused = lab.mail_1.run(["ims-switch", "add", "/root/COPY.toml"]).status_is(4);
    assert!(refused.stderr.contains("logical_IP is what logical_IP of IMS-RG is, too"), "{refused}");

    // Put there by hand on one node: it is told, and what is to be told of the other group is, too.
    lab.mail_1.file("/etc/ims/groups/COPY.toml", GROUP);
    let checked = lab.mail_1.run(["ims-switch", "check"]).status_is(2);
    assert!(checked.stderr.contains("mail-2: no group 'COPY'"), "{checked}");
    let of = |checked: &Ran| -> Vec<String> {
        let records = checked.records();
        let checks = records.iter().filter(|record| record["schema"] == "ims.group-check/1");
        checks.map(|record| format!("{} {}", record["group"], record["findings"][1])).collect()
    };
    let told = "\"IMS-RG\" \"mountshared is what mountshared of COPY is, too\"";
    assert_eq!(of(&checked), [told; 2], "{checked}");
    lab.mail_2.file("/etc/ims/groups/COPY.toml", GROUP);
    assert_eq!(of(&lab.mail_1.run(["ims-switch", "check"]).status_is(1)).len(), 4);

    // What is up is the other group's as well, and stays.
    lab.mail_1.run(["ims-switch", "remove", "COPY"]).ok();
    lab.is_online_on(Some(&lab.mail_1));
    lab.mail_1.run(["ims-switch", "check"]).ok();
    lab.mail_1.run(["ims-switch", "remove", "IMS-RG"]).status_is(4);
}

#[test]
fn a_name_that_is_wrong_keeps_all_that_was_named_before_it_as_it_is() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.online();
    for words in [
        &["move", "IMS-RG", "IMS-GR"][..],
        &["offline", "IMS-RG", "IMS-GR"],
        &["online", "--on", "mail-2", "IMS-RG", "IMS-GR"],
        &["freeze", "IMS-RG", "IMS-GR"],
        &["disable", "IMS-RG:svc", "IMS-RG:scv"],
        &["disable", "IMS-RG:svc", "IMS-GR:svc"],
    ] {
        let refused = lab.mail_1.run(["ims-switch"].iter().chain(words).copied()).status_is(2);
        assert_eq!(refused.records().len(), 1, "{refused}");
        lab.is_online_on(Some(&lab.mail_1));
    }
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
}

#[test]
fn a_node_whose_name_is_written_wrong_is_not_fenced_for_it_and_one_that_nobody_knows_is_told() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_2.run(["ims-switch", "online", "IMS-RG", "--on", "mail-2"]).ok();
    lab.reach(&["ssh", "root@{}.nowhere.invalid"]);
    for words in [&["move", "IMS-RG", "--to", "mail-1"][..], &["online", "IMS-RG", "--dry-run"]] {
        let ran = lab.mail_1.run(["ims-switch"].iter().chain(words)).status_is(3);
        assert!(ran.stderr.contains("whether mail-2 is alive is unknown: "), "{ran}");
        assert!(ran.stderr.contains("Could not resolve hostname"), "{ran}");
    }
    assert_eq!(lab.bed.fence_requests(), Vec::<String>::new());
    let ran = lab.mail_1.run(["ims-switch", "fence", "mail-7"]).status_is(2);
    assert!(ran.stderr.contains("mail-7 is no node in /etc/ims/nodes.toml"), "{ran}");
    lab.is_online_on(Some(&lab.mail_2));
}

#[test]
fn a_broken_file_keeps_nothing_from_what_does_not_need_it() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    for node in lab.nodes() {
        node.file("/etc/ims/groups/OTHER-RG.toml", "nodes = [\n");
    }
    let ran = lab.mail_1.run(["ims-switch", "evacuate", "mail-1"]).status_is(2);
    assert!(ran.stderr.contains("OTHER-RG: "), "{ran}");
    lab.is_online_on(Some(&lab.mail_2));
    lab.mail_2.file("/etc/ims/nodes.toml", "[mail-1\n");
    let ran = lab.mail_2.run(["ims-switch", "offline", "IMS-RG", "--here"]).ok();
    assert!(ran.stderr.contains("/etc/ims/nodes.toml"), "{ran}");
    lab.is_online_on(None);
}
