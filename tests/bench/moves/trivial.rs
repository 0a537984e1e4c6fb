//! One group of an address, a volume and a trivial server.

use std::time::Duration;

use super::super::bound;
use super::floor::Floor;
use super::pacemaker::{self, Pacemaker, primitive};
use super::seen::{Client, Seen, beside};
use super::server::{self, Words};
use super::stage::{self, MOUNT, Stage, at, ims_switch};

/// How many times the floor's gap ours may have. The script does without the 19 ms that a claim on the volume's guard stands
/// before it counts, and beside it the 20 ms in which somebody else may object to the address: by these, no volume is
/// mounted twice and no address is up twice, whoever else takes them at that moment. All else that ours does, the looks
/// before and after each step too, takes less than the script.
const FLOOR: f64 = 1.6;
/// How much of Pacemaker's.
const PEER: f64 = 0.25;

const PORT: u16 = 2525;
const ROUNDS: usize = 7;

/// Moves it in turn; gives what was missed.
pub fn group() -> Vec<String> {
    let (ours, theirs) = (Stage::set(), Stage::set());
    let words = server::words(&at(PORT).to_string(), MOUNT);
    ours.group("BENCH-RG", &(ours.base() + &resource(&words)));
    let floor = Floor::new(&ours, &words);
    let pacemaker = Pacemaker::start(&theirs, &(pacemaker::base(&theirs) + &stock(&words)));
    let client = |stage: &Stage| Client::new(stage.bed.client(), at(PORT), Duration::from_millis(1));
    let (client, other) = (client(&ours), client(&theirs));
    assert!(other.is_greeted());
    let mut seen: [Vec<Seen>; 3] = Default::default();
    let mut timeline = String::new();
    for round in 0..=ROUNDS {
        ims_switch(&ours.mail_1, &["online", "BENCH-RG", "--on", "mail-1"]);
        let switch = client.watches(|| {
            ims_switch(&ours.mail_1, &["move", "BENCH-RG", "--to", "mail-2"]);
            None
        });
        timeline = stage::timeline(&ours.mail_1, "BENCH-RG");
        ims_switch(&ours.mail_1, &["offline", "BENCH-RG"]);
        floor.begin(&ours.mail_1);
        let bare = client.watches(|| {
            floor.moves(&ours.mail_1);
            None
        });
        floor.end(&ours.mail_2);
        pacemaker.settle();
        let peer = other.watches(|| {
            pacemaker.moves();
            None
        });
        if round > 0 {
            seen.iter_mut().zip([switch, bare, peer]).for_each(|(all, one)| all.push(one));
        }
    }
    let [switch, bare, peer] = seen;
    let ours = "ims-switch move";
    let peers = [
        (&bare, "umount, mount, ip, send_arp over open ssh", FLOOR, "the floor"),
        (&peer, "Pacemaker: Filesystem, IPaddr2, anything", PEER, "Pacemaker"),
    ];
    let mut missed = Vec::new();
    for (peer, name, share, short) in peers {
        let gap = beside(&switch, peer, |seen| seen.gap);
        gap.tell("an address, a volume and a trivial server moved, the client's gap", ours, name);
        beside(&switch, peer, |seen| seen.whole).tell("the same, all of the move", ours, name);
        let holds = gap.ratio() <= share;
        missed.extend(bound(holds, format!("the gap of a trivial group within {share} of {short}")));
    }
    println!("    where the last move's time went:\n{timeline}");
    missed
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
