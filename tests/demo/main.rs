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
use stage::{GROUP, INSTANCE, IP, Stage};
use teller::Teller;
use users::Users;

/// The most that a planned switchover may cost a client.
const PLANNED: Duration = Duration::from_millis(1500);

/// How long the service is watched before something is done to it.
const STEADY: usize = 40;

fn main() {
    let teller = Teller::begin();

    teller.step(1, "two nodes and a client on one bridge, a shared disk with ext4 and MMP");
    let stage = Stage::set();
    let (mail_1, mail_2) = (&stage.mail_1, &stage.mail_2);

    teller.step(2, "a server root on the disk: Postfix and Dovecot, OpenLDAP with five users");
    stage.lay_the_server_root();
    teller.ran(&mail_1.sh("ims-registry scan /global/ims/server5 | ims-registry add -").ok());
    teller.ran(&mail_1.run(["ims-ipbind", "set", "--address", IP, INSTANCE]).ok());
    teller.ran(&mail_1.sh("ims-registry list | ssh root@mail-2 ims-registry add -").ok());
    teller
        .ran(&mail_1.sh("{ ims-registry list; ssh root@mail-2 ims-registry list; } | ims-portcheck -").ok());
    stage.give_the_disk_up();
    stage.describe_the_group();
    properties::none_is_online(&stage);

    teller.step(3, "online on mail-1: address, disk, directory, mail");
    teller.ran(&mail_1.run(["ims-switch", "online", GROUP]).ok());
    properties::is_online_on(&stage, mail_1);
    let users = Users::of(&stage);
    let read = users.send_and_read("bob");
    teller.say(format!("bob, a user in LDAP, read over IMAP what was sent over SMTP: {read:?}"));

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

    teller.step(5, "power cut of mail-2");
    let began = Instant::now();
    mail_2.power_cut();
    let watch = Watch::begin(&stage);
    teller.ran(&mail_1.run(["ims-switch", "move", GROUP, "--to", "mail-1"]).ok());
    assert_eq!(stage.bed.fence_requests().last().map(String::as_str), Some("off mail-2"));
    let unplanned = traffic.outage_since(began).expect("no greeting after the failover");
    watch.end();
    properties::is_online_on(&stage, mail_1);
    timeline::tell(&teller, mail_1, &unplanned);
    assert!(traffic.until_acknowledged(STEADY), "no steady stream after the failover");

    teller.step(6, "the account");
    let account = traffic.end();
    teller.say(format!("planned switchover: the client saw no greeting for {:?}", planned.length()));
    teller.say(format!("power cut: the client saw no greeting for {:?}", unplanned.length()));
    teller.account(&account);
    assert_eq!(account.lost, [0; 0], "messages that got a 250 are in no mailbox");
    assert!(planned.length() < PLANNED, "the planned switchover took more than {PLANNED:?}");
    teller.end();
}
