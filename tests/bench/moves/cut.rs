//! The power of the node that has the mail service is cut: its volume is left dirty, its guard as of a living node.

use std::time::{Duration, Instant};

use super::super::bound;
use super::mail::GROUP;
use super::pacemaker::{Pacemaker, waits_for};
use super::seen::{Client, Seen, beside};
use super::stage::{Stage, ims_switch, timeline};
use crate::support::until;

/// How much of Pacemaker's time ours may take.
const PEER: f64 = 0.1;

const ROUNDS: usize = 3;

/// How long a fencing may take to be asked for.
const SOON: Duration = Duration::from_secs(60);

/// From the confirmed fencing to the first greeting, ours and Pacemaker's; gives what was missed.
pub fn power(ours: (&Stage, &Client), theirs: (&Stage, &Pacemaker<'_>, &Client)) -> Option<String> {
    let (stage, client) = ours;
    let switch: Vec<Seen> = (0..ROUNDS).map(|_| switch(stage, client)).collect();
    let (stage, pacemaker, client) = theirs;
    let peer = client.watches(|| {
        let (holder, other) = pacemaker.sides();
        let before = stage.bed.fence_requests().len();
        holder.power_cut();
        let fenced = asked(stage, before);
        waits_for(other);
        Some(fenced)
    });
    let pair = beside(&switch, &[peer], |seen| seen.whole);
    let names = ("ims-switch move", "Pacemaker, n = 1: its Filesystem agent waits in mount(8)");
    pair.tell("the mail service after a power cut, from the fencing to the greeting", names.0, names.1);
    println!("    where the last one's time went:\n{}", timeline(&ours.0.mail_2, GROUP));
    bound(pair.ratio() <= PEER, format!("after a power cut within {PEER} of Pacemaker"))
}

fn switch(stage: &Stage, client: &Client) -> Seen {
    ims_switch(&stage.mail_1, &["offline", GROUP]);
    ims_switch(&stage.mail_1, &["online", GROUP, "--on", "mail-1"]);
    let seen = client.watches(|| {
        let before = stage.bed.fence_requests().len();
        stage.mail_1.power_cut();
        std::thread::scope(|scope| {
            let fenced = scope.spawn(|| asked(stage, before));
            ims_switch(&stage.mail_2, &["move", GROUP, "--to", "mail-2"]);
            Some(fenced.join().unwrap())
        })
    });
    stage.mail_1.start_again();
    let answers = || stage.mail_2.run(["ssh", "root@mail-1", "true"]).is_ok();
    assert!(until(SOON, answers), "sshd of mail-1 does not answer again");
    stage.sign();
    seen
}

/// When the fencing was asked for, of a node that has no power any more: the answer comes within milliseconds.
fn asked(stage: &Stage, before: usize) -> Instant {
    assert!(until(SOON, || stage.bed.fence_requests().len() > before), "nobody is fenced");
    Instant::now()
}
