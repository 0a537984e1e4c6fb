//! `ims-switch react` beside real servers: the end of one is seen at once, what a person does is no fault, and one that
//! stood still, or whose part it is not, does nothing.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::lab::*;
use super::mail::{self, SERVERS, running, servers_are_on};
use super::react::{answer_now, answer_of};
use crate::support::*;

/// The most that the end of a server may cost until it greets again, on a machine that is not far slower than it
/// should be.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Longer than a run of `react` may stand still unnoticed.
const STILL: Duration = Duration::from_secs(7);

/// What is decided by what was probed before a run.
const TOO_LATE: (&str, &str) = ("nothing", "it was probed before the last run of the group ended");

/// A run of `react` whose stdin stays open.
struct Reacting<'a> {
    node: &'a Node,
    running: Running,
}

impl<'a> Reacting<'a> {
    /// Starts it on a node, and waits until it listens.
    fn start(node: &'a Node) -> Self {
        node.sh("rm -f /tmp/probe; mkfifo /tmp/probe").ok();
        let running = node.spawn(["sh", "-c", "exec 0<>/tmp/probe; exec ims-switch react IMS-RG"]);
        let reacting = Self { node, running };
        reacting.hears(&answer_now("stork", "smtp", "unknown", 0));
        reacting
    }

    /// Says something to it.
    fn say(&self, records: &str) {
        self.node.file("/tmp/said", records);
        self.node.sh("cat /tmp/said >/tmp/probe").ok();
    }

    /// Says something to it, and gives what it decides: the first decision that follows.
    #[track_caller]
    fn hears(&self, record: &str) -> serde_json::Value {
        let before = self.decisions().len();
        self.say(record);
        self.decides(before)
    }

    /// The same of what is probed now, and again while it learns only then that a run of the group has ended.
    #[track_caller]
    fn hears_in_time(&self, record: impl Fn() -> String) -> serde_json::Value {
        let mut heard = self.hears(&record());
        until(SOON, || {
            let is_in_time = told(&heard) != TOO_LATE;
            if !is_in_time {
                heard = self.hears(&record());
            }
            is_in_time
        });
        heard
    }

    /// The decision that follows so many.
    #[track_caller]
    fn decides(&self, before: usize) -> serde_json::Value {
        let is_there =
            self.running.until_stdout(SOON, |text| text.matches("ims.decision/1").count() > before);
        assert!(is_there, "{} {}", self.running.stdout(), self.running.stderr());
        self.decisions().swap_remove(before)
    }

    /// What it has decided until now.
    fn decisions(&self) -> Vec<serde_json::Value> {
        let text = self.running.stdout();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let records = whole.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        records.filter(|record| record["schema"] == "ims.decision/1").collect()
    }

    /// How long servers that had been started accepted connections and said nothing, as its steps tell.
    fn waited_for_silence(&self) -> Duration {
        let text = self.running.stdout();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let records = whole.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let parts = records.flat_map(|record| record["parts"].as_array().cloned().unwrap_or_default());
        let silent = parts.filter(|part| part["name"].as_str().unwrap().contains("://"));
        let silent: Vec<serde_json::Value> = silent.inspect(|part| println!("silent: {part}")).collect();
        Duration::from_millis(silent.iter().map(|part| part["took_ms"].as_u64().unwrap()).sum())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.running.id().cast_signed()).unwrap(), signal).unwrap();
    }
}

/// What was decided, and why.
fn told(decision: &serde_json::Value) -> (&str, &str) {
    (decision["decision"].as_str().unwrap(), decision["reason"].as_str().unwrap())
}

/// Kills the first process of a server.
fn kill(node: &Node, program: &str) -> Vec<u32> {
    let found = running(node, program);
    let first = Pid::from_raw(found[0].cast_signed()).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    found
}

#[test]
fn a_server_that_ends_is_started_again_at_once_without_a_probe() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let restart = lab.mail_1.run(["ims-switch", "restart", "IMS-RG", "mail"]).ok();
    // Where a restart by hand takes that long already, it is the machine.
    let at_most = AT_ONCE.max(2 * restart.took);
    let reacting = Reacting::start(&lab.mail_1);
    let watch = lab.watch();
    let mut silence = Duration::ZERO;
    for (number, (program, name, resource)) in
        [(SERVERS[1], "dovecot", "mail"), (SERVERS[0], "postfix", "mail"), (SERVERS[2], "slapd", "ldap")]
            .into_iter()
            .enumerate()
    {
        let master = running(&lab.mail_1, SERVERS[0]);
        let began = Instant::now();
        let killed = kill(&lab.mail_1, program);
        let is_back = || running(&lab.mail_1, program).iter().any(|pid| !killed.contains(pid));
        assert!(until(SOON, is_back), "{}", reacting.running.stdout());
        let decided = reacting.decides(number + 1);
        let took = began.elapsed();
        // What a server of somebody else's takes to say its first word is not ours.
        let waited = reacting.waited_for_silence();
        let took = took.saturating_sub(waited.saturating_sub(silence));
        silence = waited;
        println!(
            "{name} was there again, and that told, after {took:?} (a restart by hand: {:?})",
            restart.took
        );
        assert!(
            took < at_most,
            "{took:?}, and a restart by hand takes {:?}: {}",
            restart.took,
            reacting.running.stdout()
        );
        assert_eq!(decided["resource"], resource);
        assert_eq!(decided["endpoint"], format!("process:{name}"));
        assert_eq!(
            (&decided["decision"], &decided["status"]),
            (&"restart".into(), &"ok".into()),
            "{decided}"
        );
        if resource == "ldap" {
            assert_eq!(running(&lab.mail_1, SERVERS[0]), master, "what stands on it was left alone");
        }
        servers_are_on(&lab, Some(&lab.mail_1));
    }
    // Two restarts were the mail servers' share: now the group goes to the next node.
    kill(&lab.mail_1, SERVERS[0]);
    let decided = reacting.decides(4);
    assert_eq!((&decided["decision"], &decided["status"]), (&"giveover".into(), &"ok".into()), "{decided}");
    servers_are_on(&lab, Some(&lab.mail_2));
    watch.end();
    reacting.running.signal(Signal::TERM);
    reacting.running.wait(SOON).ok();
}

#[test]
fn what_a_person_does_is_no_fault() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let reacting = Reacting::start(&lab.mail_1);
    let run = |words: &[&str]| {
        lab.mail_2.run(["ims-switch"].iter().chain(words).copied()).ok();
    };
    run(&["restart", "IMS-RG", "mail"]);
    run(&["disable", "IMS-RG:mail"]);
    run(&["enable", "IMS-RG:mail"]);
    run(&["move", "IMS-RG", "--to", "mail-2"]);
    run(&["move", "IMS-RG", "--to", "mail-1"]);
    lab.mail_1.run(["ims-switch", "stop", "IMS-RG", "mail"]).ok();
    lab.mail_1.run(["ims-switch", "start", "IMS-RG", "mail"]).ok();
    let master = running(&lab.mail_1, SERVERS[0]);
    lab.mail_1.sh("postfix -c /global/ims/server5/msg-stork/postfix reload").ok();
    lab.mail_1.sh("doveadm -c /global/ims/server5/msg-stork/dovecot/dovecot.conf reload").ok();
    assert_eq!(running(&lab.mail_1, SERVERS[0]), master);
    // What is decided next is the first that is decided at all.
    let heard = reacting.hears(&answer_now("stork", "smtp", "unknown", 1));
    assert_eq!(told(&heard).0, "nothing");
    assert_eq!(reacting.decisions().len(), 2, "{:#?}", reacting.decisions());

    run(&["freeze", "IMS-RG", "--reason", "a new kernel"]);
    kill(&lab.mail_1, SERVERS[1]);
    let frozen = reacting.decides(2);
    assert_eq!(frozen["endpoint"], "process:dovecot");
    assert!(told(&frozen).0 == "nothing" && told(&frozen).1.contains("IMS-RG is frozen by"), "{frozen}");
    run(&["unfreeze", "IMS-RG"]);
    // Its fault is answered when a probe tells of it.
    let heard = reacting.hears_in_time(|| answer_now("stork", "imap", "down", 2));
    assert_eq!((told(&heard).0, &heard["status"]), ("restart", &"ok".into()), "{heard}");
    servers_are_on(&lab, Some(&lab.mail_1));

    // While another run is at work nothing is decided, and afterwards only by what is found then.
    lab.mail_1.file("/run/hold", "");
    let holds = "exec 9>>/run/ims/lock/switch-IMS-RG.lock; flock 9; : >/run/holds; while [ -e /run/hold ]; do sleep 0.01; done";
    let holder = lab.mail_1.spawn(["sh", "-c", holds]);
    assert!(until(SOON, || lab.mail_1.path("/run/holds").exists()));
    let heard = reacting.hears(&answer_now("stork", "smtp", "down", 3));
    assert_eq!(told(&heard), ("nothing", "another run changes IMS-RG"));
    let killed = kill(&lab.mail_1, SERVERS[1]);
    let decided = reacting.decisions().len();
    let old = answer_now("stork", "smtp", "down", 4);
    assert!(!until(Duration::from_millis(300), || reacting.decisions().len() > decided)); // nothing is to happen
    lab.mail_1.sh("rm /run/hold").ok();
    holder.wait(SOON).ok();
    let seen = reacting.decides(decided);
    assert_eq!((&seen["endpoint"], told(&seen).0), (&"process:dovecot".into(), "restart"), "{seen}");
    assert!(running(&lab.mail_1, SERVERS[1]).iter().all(|pid| !killed.contains(pid)));
    let heard = reacting.hears(&old);
    // Where that run waited so long for a server's first word that the answer is too old by itself, that is told.
    if reacting.waited_for_silence().is_zero() || !told(&heard).1.ends_with("it counts as unknown") {
        assert_eq!(told(&heard), TOO_LATE, "{}", reacting.running.stdout());
    }
    servers_are_on(&lab, Some(&lab.mail_1));
}

#[test]
fn one_that_stood_still_decides_nothing_by_what_was_probed_meanwhile() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let servers = || SERVERS.map(|server| running(&lab.mail_1, server));
    let before = servers();
    let reacting = Reacting::start(&lab.mail_1);
    let at = |seconds: i64| {
        let then = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        answer_of("stork", "smtp", "down", 1, &then.to_string())
    };
    // A clock that was set, or is another's.
    for (seconds, reason) in [(-30, "it was probed 30s ago"), (600, "ahead of this node's clock")] {
        let heard = reacting.hears(&at(seconds));
        assert!(told(&heard).0 == "nothing" && told(&heard).1.contains(reason), "{heard}");
    }
    reacting.signal(Signal::STOP);
    let down = at(0) + &answer_now("stork", "imap", "down", 2);
    let decided = reacting.decisions().len();
    reacting.say(&down);
    std::thread::sleep(STILL); // standing still for so long is what is tested
    reacting.signal(Signal::CONT);
    for number in 0..2 {
        let heard = reacting.decides(decided + number);
        assert!(told(&heard).0 == "nothing" && told(&heard).1.contains("had stood still for"), "{heard}");
    }
    assert!(reacting.running.stderr().contains("this run stood still for"), "{}", reacting.running.stderr());
    assert_eq!(servers(), before);
    let heard = reacting.hears(&answer_now("stork", "smtp", "down", 3));
    assert_eq!(
        (told(&heard).0, &heard["status"]),
        ("restart", &"ok".into()),
        "what is fresh decides: {heard}"
    );
    assert_ne!(servers(), before);
}

#[test]
fn a_prober_or_a_whole_node_that_was_frozen_costs_no_restart() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let servers = || SERVERS.map(|server| running(&lab.mail_1, server));
    let before = servers();
    let pipe = "ims-probe stork --every 300ms --timeout 1s | tee /tmp/probed | ims-switch react IMS-RG";
    let reacting = lab.mail_1.spawn(["sh", "-c", pipe]);
    let probed = || lab.mail_1.read("/tmp/probed").unwrap_or_default().lines().count();
    let goes_on = || {
        let more = probed() + 10;
        assert!(until(SOON, || probed() > more));
    };
    goes_on();
    lab.mail_1.freeze();
    std::thread::sleep(STILL); // standing still for so long is what is tested
    lab.mail_1.thaw();
    goes_on();
    let signal = |signal: Signal| {
        let is_prober = |pid: &u32| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .unwrap_or_default()
                .starts_with(b"ims-probe\0stork\0")
        };
        let pid = lab.mail_1.processes().into_iter().find(is_prober).unwrap();
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
    };
    signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(2)); // longer than its timeout
    signal(Signal::CONT);
    goes_on();
    let acted =
        |text: &str| text.contains("\"decision\":\"restart\"") || text.contains("\"decision\":\"giveover\"");
    assert!(!acted(&reacting.stdout()), "{}", reacting.stdout());
    assert!(reacting.is_running());
    assert_eq!(servers(), before);
    // It sees all the same what really happens.
    kill(&lab.mail_1, SERVERS[1]);
    assert!(reacting.until_stdout(SOON, acted));
}

#[test]
fn of_two_that_see_the_same_fault_the_one_where_the_group_is_acts() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let here = Reacting::start(&lab.mail_1);
    let twin = lab.mail_1.run(["ims-switch", "react", "IMS-RG"]).status_is(7);
    assert!(twin.stderr.contains("another ims-switch react watches IMS-RG on this node"), "{twin}");
    let there = Reacting::start(&lab.mail_2);
    let heard = there.hears(&answer_now("stork", "smtp", "down", 1));
    assert_eq!(told(&heard), ("nothing", "IMS-RG is on mail-1, where another run reacts"));
    let heard = here.hears(&answer_now("stork", "smtp", "down", 1));
    assert_eq!((told(&heard).0, &heard["status"]), ("restart", &"ok".into()), "{heard}");
    // Once nobody reacts there, it is the other's part.
    here.running.signal(Signal::TERM);
    here.running.wait(SOON).ok();
    let master = running(&lab.mail_1, SERVERS[0]);
    let heard = there.hears(&answer_now("stork", "smtp", "down", 2));
    assert_eq!((told(&heard).0, &heard["status"]), ("restart", &"ok".into()), "{heard}");
    assert_ne!(running(&lab.mail_1, SERVERS[0]), master);
    servers_are_on(&lab, Some(&lab.mail_1));

    // And when that node is gone there is nothing to restart: the group is taken over at the first failed probe.
    lab.mail_1.power_cut();
    let heard = there.hears(&answer_now("stork", "smtp", "down", 3));
    let reason = "no node that answers has IMS-RG, and mail-1 does not answer";
    assert_eq!((told(&heard), &heard["status"]), (("giveover", reason), &"ok".into()), "{heard}");
    assert_eq!(lab.bed.fence_requests(), ["off mail-1"]);
    servers_are_on(&lab, Some(&lab.mail_2));
}
