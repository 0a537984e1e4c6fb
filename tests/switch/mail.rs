//! Real Postfix, Dovecot and slapd in a group: moved under a stream of messages, killed, hung, started by hand.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::lab::*;
use super::react::answer_now;
use crate::support::mail::{Banner, Stream, account_within, service};
use crate::support::*;

/// The most that a planned switchover may cost a client on a machine that is not far slower than it should be.
const PLANNED: Duration = Duration::from_millis(1500);

/// The first process of each server.
pub const SERVERS: [&str; 3] = ["/usr/lib/postfix/sbin/master", "/usr/sbin/dovecot", "/usr/sbin/slapd"];

/// The group with real servers in place of the script.
pub fn group() -> String {
    let (head, _) = GROUP.split_once("[resource.svc]").unwrap();
    format!("{head}{}", service::RESOURCES)
}

/// A lab with a server root on the disk, bound to the logical IP and known to both nodes.
pub fn lab() -> Lab {
    let lab = Lab::new();
    service::lay(&lab.nodes(), "/dev/ims1", "/global/ims", IP);
    lab.group(&group());
    lab
}

/// The processes of a node that run a program, as the host sees them; not those that one of them has just forked, which
/// will run another.
pub fn running(node: &Node, program: &str) -> Vec<u32> {
    let runs = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == Path::new(program))
    };
    let parent = |pid: &u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    let found: Vec<u32> = node.processes().into_iter().filter(runs).collect();
    let is_first = |pid: &u32| parent(pid).is_none_or(|parent| !found.contains(&parent));
    found.iter().copied().filter(is_first).collect()
}

#[track_caller]
pub fn servers_are_on(lab: &Lab, owner: Option<&Node>) {
    for node in lab.nodes().into_iter().filter(|node| node.is_up()) {
        let wanted = owner.is_some_and(|owner| owner.name() == node.name());
        assert_eq!(lab.has(node)[..2], [wanted; 2], "address and volume of {}", node.name());
        for server in SERVERS {
            assert_eq!(!running(node, server).is_empty(), wanted, "{server} on {}", node.name());
        }
    }
}

pub fn at(port: u16) -> SocketAddr {
    SocketAddr::new(IP.parse().unwrap(), port)
}

#[test]
fn a_mail_service_moves_under_a_stream_of_messages_and_none_is_lost_or_repeated() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    let client = lab.bed.client();
    let online = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    // Where starting alone takes that long already, it is the machine.
    let at_most = PLANNED.max(2 * online.took);
    servers_are_on(&lab, Some(&lab.mail_1));
    let (stream, banner) = client.inside(|| {
        (Stream::start(at(25), Duration::from_millis(30)), Banner::start(at(25), Duration::from_millis(10)))
    });
    let watch = lab.watch();
    let mut outages = Vec::new();
    for target in [&lab.mail_2, &lab.mail_1, &lab.mail_2] {
        let more = stream.acknowledged() + 10;
        assert!(until(SOON, || stream.acknowledged() > more), "no steady stream");
        let began = Instant::now();
        let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG", "--to", target.name()]).ok();
        servers_are_on(&lab, Some(target));
        let now = Instant::now();
        assert!(until(SOON, || banner.has_greeted_since(now)));
        let outage = banner.outage_since(began).map_or(Duration::ZERO, |outage| outage.length());
        println!("gap {} ms, the client saw {outage:?}", record(&ran, "ims.run/1")["gap_ms"]);
        outages.push(outage);
    }
    // The one in the middle: what is at fault costs time each time.
    outages.sort();
    assert!(outages[1] < at_most, "{outages:?} of at most {at_most:?}");
    watch.end();
    let line = ["ims-switch", "history", "IMS-RG", "--last", "1", "--timeline", "-o", "table"];
    println!("{}", lab.mail_1.run(line).ok().stdout);
    banner.stop();
    let ledger = stream.stop();
    let account = client.inside(|| account_within(&ledger, at(143), SOON)).unwrap();
    assert!(account.acknowledged > 30, "{account:?}");
    assert_eq!((account.lost, account.doubled), (vec![], vec![]));
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    servers_are_on(&lab, None);
}

#[test]
fn a_server_that_died_is_seen_and_started_again_where_the_group_is() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let slapd = running(&lab.mail_1, SERVERS[2]);
    for pid in running(&lab.mail_1, SERVERS[1]) {
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(),
            rustix::process::Signal::KILL,
        )
        .ok();
    }
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    let mail =
        status.records().into_iter().find(|r| r["resource"] == "mail" && r["node"] == "mail-1").unwrap();
    assert_eq!(mail["state"], "partial", "{mail}");
    lab.mail_1.run(["ims-switch", "run", "IMS-RG", "--", "true"]).status_is(3);
    let ran = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let steps: Vec<_> = ran.records().into_iter().filter(|r| r["schema"] == "ims.step/1").collect();
    assert_eq!(steps.len(), 1, "only what is missing is started: {ran}");
    servers_are_on(&lab, Some(&lab.mail_1));
    assert_eq!(running(&lab.mail_1, SERVERS[2]), slapd, "slapd was left alone");

    // The same by a probe's record: a restart where it is, then the other node.
    lab.group(&group().replace("instance = \"stork\"", "instance = \"stork\"\nrestart_limit = 1"));
    let master = running(&lab.mail_1, SERVERS[0]);
    let stream = answer_now("stork", "smtp", "down", 1) + &answer_now("stork", "smtp", "down", 2);
    let ran = lab.mail_1.command(["ims-switch", "react", "IMS-RG"]).stdin(stream).run().ok();
    let told: Vec<_> = ran
        .records()
        .into_iter()
        .filter(|r| r["schema"] == "ims.decision/1")
        .map(|r| (r["decision"].as_str().unwrap().to_owned(), r["status"].as_str().map(ToOwned::to_owned)))
        .collect();
    // The second was probed before the first was answered by a restart.
    assert_eq!(told, [("restart".to_owned(), Some("ok".to_owned())), ("nothing".to_owned(), None)], "{ran}");
    assert_ne!(running(&lab.mail_1, SERVERS[0]), master);
    servers_are_on(&lab, Some(&lab.mail_1));
}

#[test]
fn a_server_that_hangs_is_killed_and_others_are_left_alone() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    // Somebody else's process with the pid that a stale pid file names.
    let other = lab.mail_1.sh("sleep 300 >/dev/null 2>&1 & echo $!").ok();
    lab.mail_1.sh("ims-switch stop IMS-RG mail").ok();
    lab.mail_1
        .sh(&format!(
            "mkdir -p /run/ims/stork/dovecot; echo {} >/run/ims/stork/dovecot/master.pid",
            other.stdout.trim()
        ))
        .ok();
    let stale = lab
        .mail_1
        .sh(&format!("echo {} >/global/ims/server5/msg-stork/queue/pid/master.pid", other.stdout.trim()));
    stale.ok();
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    let mail =
        status.records().into_iter().find(|r| r["resource"] == "mail" && r["node"] == "mail-1").unwrap();
    assert_eq!(mail["state"], "down", "a stale pid is no server: {mail}");
    lab.mail_1.sh(&format!("rm /run/ims/stork/dovecot/master.pid; kill -0 {}", other.stdout.trim())).ok();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();

    for pid in running(&lab.mail_1, "/usr/lib/postfix/sbin/qmgr") {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    }
    let ran = lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    assert!(ran.took > Duration::from_secs(4), "it had its time: {ran}");
    servers_are_on(&lab, Some(&lab.mail_2));
    lab.mail_1.sh(&format!("kill -0 {}", other.stdout.trim())).ok();
}

#[test]
fn servers_that_were_started_by_hand_are_known_and_stopped() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "start", "IMS-RG", "logical_IP"]).ok();
    lab.mail_1.run(["ims-switch", "start", "IMS-RG", "mountshared"]).ok();
    lab.mail_1
        .sh("install -d -o openldap -g openldap /run/ims /run/ims/mail /run/ims/mail/slapd; . /global/ims/server5/slapd-mail/default; \
             slapd -h \"$SLAPD_SERVICES\" -u openldap -g openldap -f /global/ims/server5/slapd-mail/slapd.conf")
        .ok();
    let by_hand = running(&lab.mail_1, SERVERS[2]);
    assert_eq!(by_hand.len(), 1);
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    assert_eq!(running(&lab.mail_1, SERVERS[2]), by_hand, "it was not started twice");
    lab.mail_1.run(["ims-switch", "offline", "IMS-RG"]).ok();
    servers_are_on(&lab, None);
}

#[test]
fn a_server_that_does_not_start_gives_the_group_back() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    // Somebody on the target has the port already, on every address.
    let squatter = lab.mail_2.inside(|| std::net::TcpListener::bind(("0.0.0.0", 25)).unwrap());
    let ran = lab
        .mail_1
        .command(["ims-switch", "move", "IMS-RG"])
        .deadline(Duration::from_secs(120))
        .run()
        .status_is(5);
    assert!(ran.stderr.contains("cannot start mail on mail-2"), "{ran}");
    servers_are_on(&lab, Some(&lab.mail_1));
    drop(squatter);
    lab.mail_1.run(["ims-switch", "move", "IMS-RG"]).ok();
    servers_are_on(&lab, Some(&lab.mail_2));
}

#[test]
fn a_server_that_takes_its_time_to_greet_is_waited_for_and_told_by_name() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let postconf = "postconf -c /global/ims/server5/msg-stork/postfix -e";
    // Longer than one question is waited for, and over when a second one is under way.
    lab.mail_1.sh(&format!("{postconf} smtpd_delay_reject=no 'smtpd_client_restrictions = sleep 30'")).ok();
    let master = || running(&lab.mail_1, SERVERS[0]);
    let before = master();
    let restart = lab.mail_1.spawn(["ims-switch", "restart", "IMS-RG", "mail"]);
    assert!(until(SOON, || master() != before && master().len() == 1), "it is started anew");
    std::thread::sleep(Duration::from_millis(2500)); // what it is late for is time itself
    lab.mail_1.sh(&format!("{postconf} smtpd_client_restrictions=")).ok();
    lab.mail_1.sh("postfix -c /global/ims/server5/msg-stork/postfix reload").ok();
    let ran = restart.wait(SOON).ok();
    let start = ran.records().into_iter().find(|record| record["verb"] == "start").unwrap();
    let parts = start["parts"].as_array().unwrap();
    let is_silent = |part: &&serde_json::Value| {
        part["name"].as_str().unwrap().starts_with(&format!("smtp://{IP}:25: "))
            && part["took_ms"].as_u64().unwrap() >= 2000
    };
    assert!(parts.iter().any(|part| is_silent(&part)), "{start}");
    servers_are_on(&lab, Some(&lab.mail_1));
}
