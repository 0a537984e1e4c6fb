//! Postfix, Dovecot and `OpenLDAP` themselves, on a node of their own and asked from another.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{stood_still, verdict};
use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::{Bed, Node, needs_root, until};

const ROOT: &str = "/srv/ims/server5";
pub(super) const STORK: &str = "/srv/ims/server5/msg-stork";
pub(super) const SLAPD: &str = "/srv/ims/server5/slapd-mail";

/// A node on which an instance and its directory run at 192.0.2.10.
pub(super) fn serving(bed: &Bed) -> Node {
    let node = laid(bed);
    start(&node);
    node
}

/// The same before any server runs.
pub(super) fn laid(bed: &Bed) -> Node {
    let node = bed.node("mail-1");
    node.sh("ip address add 192.0.2.10/24 dev eth0; mkdir -p /srv/ims/server5 /run/ims/stork/dovecot /run/ims/mail/slapd")
        .ok();
    node.sh("chown openldap:openldap /run/ims/mail/slapd").ok();
    let root = ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", "ldap://192.0.2.10:389/"))
        .directory(Directory::new("mail"));
    settled(&node, &root);
    node.run([
        "ims-registry",
        "add",
        "stork",
        "--layout",
        "postfix-dovecot",
        "--server-root",
        ROOT,
        "--address",
        "192.0.2.10",
        "--ldap",
        "mail",
    ])
    .ok();
    node
}

/// Starts the servers of such a node.
pub(super) fn start(node: &Node) {
    node.sh(&format!("slapd -h ldap:/// -f {SLAPD}/slapd.conf -u openldap -g openldap")).ok();
    node.sh(&format!("dovecot -c {STORK}/dovecot/dovecot.conf")).ok();
    node.sh(&format!("/usr/lib/postfix/sbin/master -c {STORK}/postfix -w")).ok();
}

/// Lays a server root on a node, with its queues and its directory filled.
fn settled(node: &Node, root: &ServerRoot) {
    root.lay(&node.path("/")).unwrap();
    let settled: Result<(), ()> = root.settle(|words| {
        node.run(words.iter().copied()).ok();
        Ok(())
    });
    settled.unwrap();
}

/// The answers of a run, sorted by endpoint; of another one where the prober itself stood still.
pub(super) fn answers(node: &Node, words: &[&str], status: i32) -> Vec<Value> {
    let run = || node.run(words.iter().copied());
    let mut ran = run();
    for _ in 0..9 {
        if !ran.records().iter().any(stood_still) {
            break;
        }
        ran = run();
    }
    let mut records = ran.status_is(status).records();
    records.sort_by_key(|record| record["endpoint"].as_str().unwrap().to_owned());
    records
}

/// Signals every process of the node that runs this program.
pub(super) fn signal(node: &Node, program: &str, signal: Signal) {
    for pid in node.processes() {
        let name = fs_err::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if name.trim() == program {
            kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
            // Its threads stop one after the other, and one that has not yet may answer once more.
            let stops = signal == Signal::STOP;
            assert!(!stops || until(Duration::from_secs(10), || is_stopped(pid)), "{program} does not stop");
        }
    }
}

/// Whether every thread of a process is stopped.
fn is_stopped(pid: u32) -> bool {
    let threads = fs_err::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.map(|thread| fs_err::read_to_string(thread.unwrap().path().join("stat")).unwrap_or_default()).all(
        |stat| {
            let state = stat.rsplit(") ").next().unwrap_or_default();
            state.starts_with('T')
        },
    )
}

#[test]
fn real_servers_are_up_at_every_level_and_down_at_the_stage_that_breaks() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    let client = bed.client();

    let mail = ["imap://192.0.2.10:143", "pop3://192.0.2.10:110", "smtp://192.0.2.10:25"];
    let greetings = ["* OK [CAPABILITY ", "+OK ", "220 "];
    for level in ["greet", "session"] {
        let found = answers(&client, &[&["ims-probe", "--level", level][..], &mail].concat(), 0);
        for ((answer, url), greeting) in found.iter().zip(mail).zip(greetings) {
            let words = answer["words"].as_str().unwrap();
            assert_eq!((answer["endpoint"].as_str(), answer["level"].as_str()), (Some(url), Some(level)));
            assert!(words.starts_with(greeting), "{url}: {words}");
        }
    }
    let found = answers(&client, &["ims-probe", "ldap://192.0.2.10"], 0);
    assert!(found[0]["words"].as_str().unwrap().starts_with("namingContexts: dc="), "{}", found[0]);

    // By name and by pipe, on the node that has the configuration.
    let by_name = answers(&node, &["ims-probe", "stork"], 0);
    let by_pipe = answers(&node, &["sh", "-c", "ims-registry list | ims-probe - "], 0);
    let endpoints = |found: &[Value]| -> Vec<String> {
        found.iter().map(|answer| answer["endpoint"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(endpoints(&by_name), [mail[0], "ldap://192.0.2.10:389", mail[1], mail[2]]);
    assert_eq!(endpoints(&by_name), endpoints(&by_pipe));
    let directory = answers(&node, &["ims-probe", "stork", "--part", "directory"], 0);
    assert_eq!(endpoints(&directory), ["ldap://192.0.2.10:389"]);
    assert_eq!(endpoints(&answers(&node, &["ims-probe", "stork", "--part", "mail"], 0)), mail);

    // A server that hangs still takes connections: the kernel does.
    signal(&node, "slapd", Signal::STOP);
    let found = answers(&client, &["ims-probe", "ldap://192.0.2.10", "-t", "1s"], 1);
    assert_eq!(verdict(&found[0]), ("down", "bind", "timed out after 1s"));
    let found = answers(&client, &["ims-probe", "ldap://192.0.2.10", "-l", "connect"], 0);
    assert_eq!(verdict(&found[0]).0, "up");
    signal(&node, "slapd", Signal::CONT);
    answers(&client, &["ims-probe", "ldap://192.0.2.10"], 0);

    // A server that ended refuses; the others go on.
    signal(&node, "dovecot", Signal::TERM);
    assert!(until(Duration::from_secs(10), || {
        let found = node.run(["ims-probe", "stork", "--part", "mail"]).records();
        found.iter().all(|answer| match answer["service"].as_str().unwrap() {
            "imap" | "pop3" => verdict(answer) == ("down", "connect", "connection refused"),
            _ => verdict(answer).0 == "up",
        })
    }));

    // The volume goes to another node: not a word about the services is known here.
    node.sh("mv /srv/ims/server5 /srv/ims/elsewhere").ok();
    let found = answers(&node, &["ims-probe", "stork"], 3);
    assert_eq!((verdict(&found[0]).0, verdict(&found[0]).1, found.len()), ("unknown", "config", 1));
    assert_eq!(found[0]["endpoint"], format!("file://{STORK}"));
}

#[test]
fn an_address_that_nobody_has_is_unknown_and_one_that_is_cut_off_is_down() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let (node, client) = (bed.node("mail-1"), bed.client());
    let nobody = answers(&client, &["ims-probe", "smtp://192.0.2.99", "-t", "8s"], 3);
    assert_eq!(verdict(&nobody[0]), ("unknown", "connect", "no route to host"));
    let url = format!("tcp://{}:9", node.address());
    assert_eq!(verdict(&answers(&client, &["ims-probe", &url], 1)[0]).2, "connection refused");
    node.cut();
    let cut = answers(&client, &["ims-probe", &url, "-t", "1s"], 1);
    assert_eq!(verdict(&cut[0]), ("down", "connect", "timed out after 1s"));
}

#[test]
fn the_seeds_instance_is_probed_at_each_of_its_listeners_as_deep_as_its_protocol_is_known() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("ip address add 10.0.37.10/24 dev eth0").ok();
    settled(&node, &ServerRoot::seed());
    node.sh("ims-registry scan /opt/iplanet/server5 | ims-registry add -").ok();
    node.run(["ims-ipbind", "set", "--address", "10.0.37.10", "mail-1", "--ldap", "elenchus"]).ok();
    node.sh("cd /opt/iplanet/server5; slapd-elenchus/start-slapd; msg-mail-1/start-msg").ok();

    let found = answers(&node, &["ims-probe", "mail-1"], 0);
    let told: Vec<[&str; 3]> = found
        .iter()
        .map(|answer| ["endpoint", "service", "level"].map(|key| answer[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["imap://10.0.37.10:143", "imap", "session"],
            ["ldap://10.0.37.10:389", "ldap", "session"],
            ["pop3://10.0.37.10:110", "pop3", "session"],
            ["smtp://10.0.37.10:25", "smtp", "session"],
            ["submission://10.0.37.10:587", "submission", "session"],
            ["tcp://10.0.37.10:27442", "job_controller", "connect"],
        ]
    );
    node.sh("cd /opt/iplanet/server5; msg-mail-1/stop-msg").ok();
    let found = answers(&node, &["ims-probe", "mail-1"], 1);
    let up: Vec<&str> = found
        .iter()
        .filter(|answer| verdict(answer).0 == "up")
        .map(|answer| answer["service"].as_str().unwrap())
        .collect();
    assert_eq!((up, found.len()), (vec!["ldap"], 6));
}
