//! The real mail service: address, ext4, slapd, Dovecot and Postfix, moved by plan and taken after a power cut.

use std::time::Duration;

use super::super::bound;
use super::cut;
use super::pacemaker::{self, Pacemaker, primitive};
use super::seen::{Client, Seen, beside};
use super::stage::{IP, MOUNT, Stage, at, ims_switch, timeline};
use crate::support::Node;
use crate::support::mail::service::{self, ROOT};

/// How much of Pacemaker's gap ours may have.
const PEER: f64 = 0.2;

const ROUNDS: usize = 4;

/// The group of it, on both sides.
pub const GROUP: &str = "MAIL-RG";

/// How often a client asks for the greeting: each is a process of Postfix's time, which is the service's.
const EVERY: Duration = Duration::from_millis(5);

/// Moves it in turn, then cuts the power; gives what was missed.
pub fn service() -> Vec<String> {
    let (ours, theirs) = (Stage::set(), Stage::set());
    for stage in [&ours, &theirs] {
        service::lay(&stage.nodes(), &stage.disk.device(), MOUNT, IP);
    }
    ours.group(GROUP, &(ours.base() + service::RESOURCES));
    theirs.nodes().into_iter().for_each(prepare);
    let pacemaker = Pacemaker::start(&theirs, &(pacemaker::base(&theirs) + &stock()));
    let client = |stage: &Stage| Client::new(stage.bed.client(), at(25), EVERY);
    let (client, other) = (client(&ours), client(&theirs));
    assert!(other.is_greeted());
    ims_switch(&ours.mail_1, &["online", GROUP, "--on", "mail-1"]);
    let (mut switch, mut peer): (Vec<Seen>, Vec<Seen>) = Default::default();
    for round in 0..=ROUNDS {
        let target = if round % 2 == 0 { "mail-2" } else { "mail-1" };
        let ours = client.watches(|| {
            ims_switch(&ours.mail_1, &["move", GROUP, "--to", target]);
            None
        });
        pacemaker.settle();
        let theirs = other.watches(|| {
            pacemaker.moves();
            None
        });
        if round > 0 {
            switch.push(ours);
            peer.push(theirs);
        }
    }
    let gap = beside(&switch, &peer, |seen| seen.gap);
    let names = ("ims-switch move", "Pacemaker: Filesystem, IPaddr2, slapd, dovecot, postfix");
    gap.tell("the mail service moved, the client's gap until the greeting of SMTP", names.0, names.1);
    beside(&switch, &peer, |seen| seen.whole).tell("the same, all of the move", names.0, names.1);
    println!("    where the last move's time went:\n{}", timeline(&ours.mail_1, GROUP));
    let mut missed = Vec::new();
    missed.extend(bound(
        gap.ratio() <= PEER,
        format!("the gap of the mail service within {PEER} of Pacemaker"),
    ));
    pacemaker.settle();
    missed.extend(cut::power((&ours, &client), (&theirs, &pacemaker, &other)));
    missed
}

/// What the stock agents expect of a node: the folders that are not on the volume, and leave for the instance.
fn prepare(node: &Node) {
    node.sh(&format!(
        "mkdir -p /run/ims/stork /run/ims/mail; install -d -o openldap -g openldap /run/ims/mail/slapd
         test -e /etc/postfix/main.cf || cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
         postconf -e alternate_config_directories={ROOT}/msg-stork/postfix"
    ))
    .ok();
}

fn stock() -> String {
    let url = format!("ldap://{IP}:389/");
    let slapd = format!("{ROOT}/slapd-mail/slapd.conf");
    let dovecot = format!("-c {ROOT}/msg-stork/dovecot/dovecot.conf");
    let postfix = format!("{ROOT}/msg-stork/postfix");
    let slapd = [
        ("services", url.as_str()),
        ("config", slapd.as_str()),
        ("user", "openldap"),
        ("group", "openldap"),
        ("pidfile", "/run/ims/mail/slapd/slapd.pid"),
        ("watch_suffix", "dc=example,dc=test"),
    ];
    // Its parameter config_file is read by nobody.
    let dovecot = [("parameters", dovecot.as_str()), ("pid_file", "/run/ims/stork/dovecot/master.pid")];
    primitive("ldap", "slapd", &slapd, "10s")
        + &primitive("imap", "dovecot", &dovecot, "10s")
        + &primitive("smtp", "postfix", &[("config_dir", &postfix)], "10s")
}
