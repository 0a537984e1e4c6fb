//! The main job, end to end, on real servers: a mail service moves between two nodes, by plan and by power cut.
//!
//! It tells each step in a line with its time, and ends with 0 only if all held.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm
)]

mod properties;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod teller;
mod timeline;
mod users;

use std::time::{Duration, Instant};

use properties::Watch;
use stage::{GROUP, INSTANCE, IP, ROOT, Stage};
use teller::Teller;
use users::Users;

/// The most that a planned switchover may cost a client.
const PLANNED: Duration = Duration::from_millis(1500);

/// How many messages are to be acknowledged before something is done to the service, and after it.
const STEADY: usize = 40;

/// Neither a message lost nor one told twice.
const NONE: (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());

fn main() {
    let teller = Teller::begin();

    teller.step(1, "two nodes and a client on one bridge, a shared disk with ext4 and MMP");
    let stage = Stage::set();
    let (mail_1, mail_2) = (&stage.mail_1, &stage.mail_2);

    teller.step(2, "a server root on the disk: Postfix and Dovecot, OpenLDAP with five users");
    stage.lay_the_server_root();
    teller.ran(&mail_1.sh(&format!("ims-registry scan {ROOT} | ims-registry add -")).ok());
    teller.ran(&mail_1.run(["ims-ipbind", "set", "--address", IP, INSTANCE]).ok());
    teller.ran(&mail_1.sh("ims-registry list | ssh root@mail-2 ims-registry add -").ok());
    let both = "{ ims-registry list; ssh root@mail-2 ims-registry list; } | ims-portcheck -";
    teller.ran(&mail_1.sh(both).ok());
    stage.give_the_disk_up();
    stage.describe_the_group();
    properties::none_is_online(&stage);

    teller.step(3, "online on mail-1: address, disk, directory, mail");
    teller.ran(&mail_1.run(["ims-switch", "online", GROUP]).ok());
    properties::is_online_on(&stage, mail_1);
    let users = Users::of(&stage);
    let read = users.send_and_read("bob");
    teller.say(format!("bob, a user in LDAP, reads over IMAP what was sent over SMTP: {read:?}"));

    teller.step(4, "planned switchover to mail-2, under a stream of messages");
    let traffic = users.begin();
    assert!(traffic.until_acknowledged(STEADY), "no steady stream before the move");
    let began = Instant::now();
    let watch = Watch::begin(&stage);
    teller.ran(&mail_1.run(["ims-switch", "move", GROUP, "--to", "mail-2"]).ok());
    let planned = traffic.outage_since(began).expect("no greeting after the move");
    watch.end();
    properties::is_online_on(&stage, mail_2);
    timeline::tell(&teller, mail_1, &planned);
    assert!(traffic.until_acknowledged(STEADY), "no steady stream after the move");
    let account = traffic.account();
    teller.account(&account);
    assert_eq!((account.lost, account.doubled), NONE, "a planned switchover loses none and tells none twice");

    teller.step(5, "power cut of mail-2, which is fenced, and failover to mail-1");
    let began = Instant::now();
    mail_2.power_cut();
    teller.say("mail-2 has no power: its disk writes and its network ended in the middle");
    let watch = Watch::begin(&stage);
    teller.ran(&mail_1.run(["ims-switch", "move", GROUP, "--to", "mail-1"]).ok());
    let unplanned = traffic.outage_since(began).expect("no greeting after the failover");
    watch.end();
    let fenced = stage.bed.fence_requests();
    assert!(fenced.iter().any(|request| request == "off mail-2"), "mail-2 was not fenced: {fenced:?}");
    properties::is_online_on(&stage, mail_1);
    timeline::tell(&teller, mail_1, &unplanned);
    assert!(traffic.until_acknowledged(STEADY), "no steady stream after the failover");

    teller.step(6, "the account");
    let account = traffic.end();
    properties::is_online_on(&stage, mail_1);
    teller.say("address, volume and servers are on mail-1 and on no other node");
    teller.account(&account);
    teller.say(format!("planned switchover: no greeting for {} ms", planned.length().as_millis()));
    teller.say(format!("power cut and failover: no greeting for {} ms", unplanned.length().as_millis()));
    if account.lost != NONE.0 {
        teller.say(format!(
            "lost: {:?}; told twice: {:?}\n{}",
            account.lost,
            account.doubled,
            stage.evidence()
        ));
    }
    assert_eq!(account.lost, NONE.0, "messages that got a 250 are in no mailbox");
    assert!(planned.length() < PLANNED, "the planned switchover took more than {PLANNED:?}");
    teller.end();
}
