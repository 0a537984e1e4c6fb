//! `release` ends whom it may, and nobody else.

use std::time::Duration;

use serde_json::Value;

use super::{Pair, record, record_of, text};
use crate::support::{Node, Running, until};

const SOON: Duration = Duration::from_secs(10);

/// A process with a file of the volume open: a script that says `up` when it has.
fn user(node: &Node, script: &str) -> Running {
    let user = node.spawn(["sh", "-c", &format!("exec 7>/srv/ims/log.$$; {script}")]);
    assert!(user.until_stdout(SOON, |out| out.contains("up\n")));
    user
}

/// A process of the instance stork, by its control group.
const OF_STORK: &str = "mkdir -p /sys/fs/cgroup/ims/IMS-RG/mail/imapd; \
    echo 0 >/sys/fs/cgroup/ims/IMS-RG/mail/imapd/cgroup.procs; ";

/// Its pid as its node sees it.
fn pid(running: &Running) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    line.split_whitespace().last().unwrap().parse().unwrap()
}

/// A file system that is frozen: who writes to it waits, whatever comes. It thaws with the end of the test.
struct Frozen<'a>(&'a Node);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.sh("fsfreeze -u /srv/other");
    }
}

fn is_alive(running: &Running) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The signals that the users in a record got, by their instance.
fn signals(volume: &Value) -> Vec<(Option<&str>, Option<&str>)> {
    let users = volume["users"].as_array().unwrap();
    users.iter().map(|user| (user["instance"].as_str(), user["signal"].as_str())).collect()
}

#[test]
fn what_is_left_of_an_instance_is_ended_and_nobody_else() {
    let pair = Pair::new();
    let node = &pair.one;
    let group = "nodes = [\"mail-1\"]\n[resource.ims]\ntype = \"volume\"\ndevice = \"/dev/ims1\"\nmount = \"/srv/ims\"\n\
                 [resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"ims\"]\n";
    node.file("/etc/ims/groups/IMS-RG.toml", group);
    let release = |more: &[&str]| pair.run(node, "release", more);
    let take = || pair.run(node, "take", &[]).ok();
    take();
    let stork = user(node, &format!("{OF_STORK} echo up; exec sleep 100"));
    let stranger = user(node, "echo up; exec sleep 100");
    for more in [&["--instance", "stork"][..], &["--instance", "stork", "-n"], &[]] {
        let ran = release(more).status_is(5);
        let of = if more.is_empty() { "" } else { " of stork" };
        assert!(ran.stderr.contains(&format!("{} (sleep){of}: file, since", pid(&stork))), "{ran}");
        let kept = if more.is_empty() {
            format!("by pids {}, {}", pid(&stork), pid(&stranger))
        } else {
            format!("by pid {} (", pid(&stranger))
        };
        assert!(ran.stderr.contains(&kept), "{kept}: {ran}");
        assert!(is_alive(&stork) && is_alive(&stranger), "nobody was ended: {ran}");
    }
    stranger.kill();
    let dry = release(&["--instance", "stork", "-n"]).ok();
    let steps: Vec<Value> = dry.records();
    let actions: Vec<&str> = steps.iter().map(|step| text(&step["action"])).collect();
    assert_eq!(actions, ["sync", "end", "unmount"], "{dry}");
    assert_eq!(
        text(&steps[1]["why"]),
        format!("SIGTERM, after 2s SIGKILL: pid {} (sleep) of stork", pid(&stork))
    );
    let ran = release(&["--instance", "stork"]).ok();
    assert_eq!(signals(&record(&ran)), [(Some("stork"), Some("TERM"))], "{ran}");
    assert!(!is_alive(&stork) && ran.took < Duration::from_millis(1500), "it ends at once: {ran}");

    // The group itself names the instance; one that is deaf to SIGTERM is killed.
    take();
    let deaf = user(node, &format!("{OF_STORK} trap '' TERM; echo up; while :; do sleep 1; done"));
    let ran = node.run(["ims-diskctl", "release", "IMS-RG", "--grace", "200ms"]).ok();
    let ended = record(&ran);
    assert!(signals(&ended).contains(&(Some("stork"), Some("KILL"))), "{ran}");
    assert!(!is_alive(&deaf) && !node.has_mounted(&pair.disk));
    let ran = release(&["--instance", "zebra"]).status_is(2);
    assert!(ran.stderr.contains("zebra"), "{ran}");
}

#[test]
fn who_runs_as_the_owner_of_the_instance_is_ended_unless_that_is_root() {
    let pair = Pair::new();
    let node = &pair.one;
    pair.run(node, "take", &[]).ok();
    node.file("/etc/msgregistry.inf", "[stork]\nlayout = postfix-dovecot\nroot = /srv/ims/server5\n");
    node.sh("mkdir -p /srv/ims/server5/msg-stork; chmod 755 /srv/ims").ok();
    let root = user(node, "echo up; exec sleep 100");
    let owners = user(node, "echo up; exec setpriv --reuid 4711 --clear-groups sleep 100");
    let uid = || std::fs::read_to_string(format!("/proc/{}/status", owners.id())).unwrap_or_default();
    assert!(until(SOON, || uid().contains("Uid:\t4711\t4711\t4711\t4711")));
    let release = || pair.run(node, "release", &["--instance", "stork"]);
    let ran = release().status_is(5);
    assert!(!ran.stderr.contains("of stork"), "root's folder is everybody's: {ran}");
    node.sh("chown 4711 /srv/ims/server5/msg-stork").ok();
    let ran = release().status_is(5);
    assert!(ran.stderr.contains(&format!("{} (sleep) of stork", pid(&owners))), "{ran}");
    assert!(ran.stderr.contains(&format!("/srv/ims is in use: by pid {} (", pid(&root))), "{ran}");
    assert!(is_alive(&owners));
    root.kill();
    let ran = release().ok();
    assert_eq!(signals(&record(&ran)), [(Some("stork"), Some("TERM"))], "{ran}");
}

#[test]
fn everybody_is_ended_when_that_is_said_but_not_what_the_run_was_started_from() {
    let pair = Pair::new();
    let node = &pair.one;
    pair.run(node, "take", &[]).ok();
    let bound = user(
        node,
        "cd /; exec 7>&-; exec socat UNIX-LISTEN:/srv/ims/socket EXEC:true & \
        while ! test -S /srv/ims/socket; do :; done; echo up; wait",
    );
    let ran = pair.run(node, "release", &[]).status_is(5);
    assert!(ran.stderr.contains("(socat): socket, since"), "a bound socket keeps it too: {ran}");
    let ran =
        node.sh("cd /srv/ims; ims-diskctl release --device /dev/ims1 --mount /srv/ims --kill-users; exit $?");
    let ran = ran.status_is(5);
    assert!(ran.stderr.contains("leave the volume with cd /"), "{ran}");
    assert!(is_alive(&bound), "{ran}");
    let ran = pair.run(node, "release", &["--kill-users"]).ok();
    assert_eq!(signals(&record(&ran)), [(None, Some("TERM"))], "{ran}");
}

#[test]
fn what_cannot_be_killed_is_unknown_and_told_with_what_it_waits_for() {
    let pair = Pair::new();
    let node = &pair.one;
    pair.run(node, "take", &[]).ok();
    let other = pair.bed.disk(16, "");
    node.attach(&other);
    node.sh("mkdir -p /srv/other; mount /dev/ims2 /srv/other; fsfreeze -f /srv/other").ok();
    let frozen = Frozen(node);
    let stuck = user(node, "echo up; echo >/srv/other/x");
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", stuck.id())).unwrap_or_default();
    assert!(until(SOON, || stat().contains(") D ")));
    let ran =
        pair.run(node, "release", &["--kill-users", "--grace", "100ms", "--timeout", "1s"]).status_is(3);
    let told =
        format!("/srv/ims was not released: pid {} was killed and has not ended: it waits", pid(&stuck));
    assert!(ran.stderr.contains(&told) && ran.stderr.contains("nothing can wake it"), "{ran}");
    assert_eq!(signals(&record_of(&ran, "ims.volume/1")), [(None, Some("KILL"))], "{ran}");
    drop(frozen);
    pair.run(node, "release", &[]).ok();
}

#[test]
fn what_keeps_it_alive_after_an_unmount_is_found_before() {
    let pair = Pair::new();
    let node = &pair.one;
    pair.run(node, "take", &[]).ok();
    // Shared among others, but not with us.
    let script = "mount --make-shared /srv/ims; echo up; exec sleep 100";
    let other = node.spawn(["unshare", "-m", "--propagation", "private", "sh", "-c", script]);
    assert!(other.until_stdout(SOON, |out| out == "up\n"));
    let ran = pair.run(node, "release", &[]).status_is(5);
    assert!(ran.stderr.contains(": namespace, since"), "{ran}");
    let ran = pair.run(node, "release", &["--kill-users"]).ok();
    assert_eq!(signals(&record(&ran)), [(None, Some("TERM"))], "{ran}");
    // The kernel's own.
    pair.run(node, "take", &[]).ok();
    node.sh(
        "mkdir -p /srv/ims/low /run/up/u /run/up/w; mount -t tmpfs x /run/up; mkdir /run/up/u /run/up/w; \
             mount -t overlay o -o lowerdir=/srv/ims/low,upperdir=/run/up/u,workdir=/run/up/w /mnt",
    )
    .ok();
    for more in [&[][..], &["-n"]] {
        let ran = pair.run(node, "release", more).status_is(5);
        assert!(ran.stderr.contains("/srv/ims is in use: by the overlay at /mnt (end that"), "{ran}");
        assert_eq!(record_of(&ran, "ims.volume/1")["kernel_users"][0], "the overlay at /mnt");
    }
    node.sh("umount /mnt").ok();
    // A lazy unmount leaves it nowhere to be seen, and yet in use.
    let lingerer = user(node, "echo up; exec sleep 100");
    node.sh("umount -l /srv/ims").ok();
    let ran = pair.run(node, "release", &[]).status_is(5);
    assert!(ran.stderr.contains(&format!("by pid {} (", pid(&lingerer))), "{ran}");
    let ran = pair.run(node, "release", &["--kill-users"]).ok();
    let released = record(&ran);
    assert_eq!(
        (signals(&released), &released["changed"]),
        (vec![(None, Some("TERM"))], &true.into()),
        "{ran}"
    );
    assert_eq!(text(&released["guard"]["state"]), "clean", "as it is at the end: {ran}");
}

#[test]
fn a_signal_after_somebody_was_ended_leaves_nothing_as_before() {
    let pair = Pair::new();
    let node = &pair.one;
    pair.run(node, "take", &[]).ok();
    let (_ends, _deaf) =
        (user(node, "echo up; exec sleep 100"), user(node, "trap '' TERM; echo up; exec sleep 100"));
    let ran = node
        .sh("ims-diskctl release --device /dev/ims1 --mount /srv/ims --kill-users --grace 3s & run=$!
         sleep 1; kill -TERM $run; wait $run");
    let ended = record_of(&ran.status_is(6), "ims.volume/1");
    assert_eq!(signals(&ended), [(None, Some("TERM")), (None, Some("TERM"))], "{ended}");
    assert!(node.has_mounted(&pair.disk));
}
