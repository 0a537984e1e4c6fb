//! A server whose first process died and left others behind, which hold its port and greet nobody.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::lab::*;
use super::mail::{SERVERS, at, lab, running, servers_are_on};
use crate::support::mail::{Stream, account_within};
use crate::support::*;

/// What outlives its master as long as a client is there.
const CHILD: &str = "/usr/lib/postfix/sbin/smtpd";

#[test]
fn what_a_dead_master_left_behind_is_ended_and_the_server_started_anew_at_once() {
    if !needs_root() {
        return;
    }
    let lab = lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let client = lab.bed.client();
    let stream = client.inside(|| Stream::start(at(25), Duration::from_millis(50)));
    assert!(until(SOON, || stream.acknowledged() > 10), "no steady stream");
    for pid in running(&lab.mail_1, SERVERS[0]) {
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }
    assert!(until(SOON, || running(&lab.mail_1, SERVERS[0]).is_empty()));
    assert!(!running(&lab.mail_1, CHILD).is_empty(), "nobody is left behind");
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(3);
    assert!(status.stdout.contains("\"partial\""), "{status}");
    // Its time to come up is 20 s, and whoever waits for those that are left waits all of it.
    let ran = lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    assert!(ran.took < Duration::from_secs(10), "{ran}");
    let start = ran.records().into_iter().find(|record| record["resource"] == "mail").unwrap();
    let parts: Vec<&str> =
        start["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(parts, ["postfix ends", "postfix", "greeting"], "Dovecot was left alone: {ran}");
    servers_are_on(&lab, Some(&lab.mail_1));
    let more = stream.acknowledged() + 10;
    assert!(until(SOON, || stream.acknowledged() > more), "no mail is taken");
    let ledger = stream.stop();
    let account = client.inside(|| account_within(&ledger, at(143), SOON)).unwrap();
    assert_eq!(account.lost, [0; 0], "{account:?}");
}
