//! One group of an address, a volume and a trivial server.

use std::time::Duration;

use super::super::bound;
use super::floor::Floor;
use super::pacemaker::{self, Pacemaker, primitive};
use super::seen::{Client, Seen, beside};
use super::server::{self, Words};
use super::stage::{self, MOUNT, Stage, at, ims_switch};

/// How many times the floor's gap ours may have. The script does without the 10 ms that a claim on the volume's guard stands
/// before it counts, and beside it the 12 ms in which somebody else may object to the address: by these, no volume is
/// mounted twice and no address is up twice, whoever else takes them at that moment. All else that ours does, the looks
/// before and after each step too, takes less than the script.
const FLOOR: f64 = 1.2;
/// How much of Pacemaker's.
const PEER: f64 = 0.25;

const PORT: u16 = 2525;
/// Moves beside the script, which differ by some ten milliseconds among themselves.
const ROUNDS: usize = 21;
/// Moves beside Pacemaker.
const PEER_ROUNDS: usize = 7;

const OURS: &str = "ims-switch move";

/// Moves it in turn with each peer; gives what was missed.
pub fn group() -> Vec<String> {
    let stage = Stage::set();
    let words = server::words(&at(PORT).to_string(), MOUNT);
    stage.group("BENCH-RG", &(stage.base() + &resource(&words)));
    let client = Client::new(stage.bed.client(), at(PORT), Duration::from_millis(1));
    let missed = [beside_the_floor(&stage, &words, &client), beside_pacemaker(&stage, &words, &client)];
    missed.into_iter().flatten().collect()
}

fn beside_the_floor(stage: &Stage, words: &Words, client: &Client) -> Option<String> {
    let floor = Floor::new(stage, words);
    let (mut ours, mut bare): (Vec<Seen>, Vec<Seen>) = Default::default();
    let mut timeline = String::new();
    for round in 0..=ROUNDS {
        let seen = moved(stage, client);
        timeline = stage::timeline(&stage.mail_1, "BENCH-RG");
        ims_switch(&stage.mail_1, &["offline", "BENCH-RG"]);
        floor.begin(&stage.mail_1);
        let script = client.watches(|| {
            floor.moves(&stage.mail_1);
            None
        });
        floor.end(&stage.mail_2);
        if round > 0 {
            ours.push(seen);
            bare.push(script);
        }
    }
    let missed = told(&ours, &bare, "umount, mount, ip, send_arp over open ssh", FLOOR, "the floor");
    println!("    where the last move's time went:\n{timeline}");
    missed
}

fn beside_pacemaker(stage: &Stage, words: &Words, client: &Client) -> Option<String> {
    let theirs = Stage::set();
    let pacemaker = Pacemaker::start(&theirs, &(pacemaker::base(&theirs) + &stock(words)));
    let other = Client::new(theirs.bed.client(), at(PORT), Duration::from_millis(1));
    assert!(other.is_greeted());
    let (mut ours, mut peer): (Vec<Seen>, Vec<Seen>) = Default::default();
    for round in 0..=PEER_ROUNDS {
        let seen = moved(stage, client);
        ims_switch(&stage.mail_1, &["offline", "BENCH-RG"]);
        pacemaker.settle();
        let moved = other.watches(|| {
            pacemaker.moves();
            None
        });
        if round > 0 {
            ours.push(seen);
            peer.push(moved);
        }
    }
    told(&ours, &peer, "Pacemaker: Filesystem, IPaddr2, anything", PEER, "Pacemaker")
}

/// A move of ours from mail-1 to mail-2.
fn moved(stage: &Stage, client: &Client) -> Seen {
    ims_switch(&stage.mail_1, &["online", "BENCH-RG", "--on", "mail-1"]);
    client.watches(|| {
        ims_switch(&stage.mail_1, &["move", "BENCH-RG", "--to", "mail-2"]);
        None
    })
}

/// Tells both times of each; gives what was missed.
fn told(ours: &[Seen], peer: &[Seen], name: &str, share: f64, short: &str) -> Option<String> {
    let gap = beside(ours, peer, |seen| seen.gap);
    gap.tell("an address, a volume and a trivial server moved, the client's gap", OURS, name);
    beside(ours, peer, |seen| seen.whole).tell("the same, all of the move", OURS, name);
    bound(gap.ratio() <= share, format!("the gap of a trivial group within {share} of {short}"))
}

/// The server as a resource of ours.
fn resource(words: &Words) -> String {
    let Words { start, stop, look, .. } = words;
    format!(
        "[resource.server]\ntype = \"command\"\nstart = {start:?}\nstop = {stop:?}\nmonitor = {look:?}\n\
         requires = [\"logical_IP\", \"mountshared\"]\n"
    )
}

/// The server under the stock agent for programs that have none of their own.
fn stock(words: &Words) -> String {
    let options = words.serve[1..].join(" ");
    let parameters = [
        ("binfile", words.serve[0].as_str()),
        ("cmdline_options", options.as_str()),
        ("pidfile", "/run/anything.pid"),
    ];
    primitive("server", "anything", &parameters, "10s")
}
