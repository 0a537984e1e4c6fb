//! Figures, each beside a peer or the floor in the same run. Words name the parts that are wanted, such as `cargo
//! bench --bench figures probes`; without any, it is all of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::format_push_string,
    clippy::assigning_clones
)]

mod floor;
mod moves;
mod pair;
mod probes;
#[path = "../support/mod.rs"]
mod support;
mod volumes;

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use pair::{in_turn, parts_in_turn};
use support::{Bed, Node};

/// A command of ours as it was built for this run.
fn ours(name: &str) -> Command {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_ims-registry")).parent().unwrap();
    let mut command = Command::new(folder.join(name));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// How long all of it may take; some ten minutes are usual.
const LONGEST: Duration = Duration::from_secs(20 * 60);

fn main() {
    if floor::is_asked() {
        return floor::dump();
    }
    if probes::be_asked() || volumes::be_asked() || moves::be_asked() {
        return;
    }
    if !support::needs_root() {
        return;
    }
    thread::spawn(|| {
        thread::sleep(LONGEST);
        eprintln!("not over after {LONGEST:?}"); // what was started ends with this process
        std::process::exit(1);
    });
    println!("min / median / max of each, in turn; the ratio is of the medians\n");
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = PARTS.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|word| word == name));
    let missed: Vec<String> = wanted.flat_map(|(_, part)| part()).collect();
    assert!(missed.is_empty(), "missed: {}", missed.join("; "));
}

/// A part by its name; it gives what was missed.
type Part = (&'static str, fn() -> Vec<String>);

const PARTS: [Part; 7] = [
    ("registry", || registry().into_iter().collect()),
    ("probes", probes::probes),
    ("nodes", nodes),
    ("volumes", volumes::volumes),
    ("moves", moves::trivial),
    ("ten", moves::ten),
    ("service", moves::service),
];

/// What is done on a node, or on two.
fn nodes() -> Vec<String> {
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    address(&mail_1);
    down(&mail_1, "an address with no connection taken down");
    let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
    for node in [&mail_1, &mail_2] {
        node.attach(&disk);
        node.sh("mkdir -p /srv/ims").ok();
    }
    let missed = crowded(&bed.node("mail-3"));
    volume(&mail_1, &disk.device());
    switchover(&mail_1, &mail_2, &disk.device());
    missed
}

/// What is missed when a bound does not hold.
fn bound(holds: bool, what: impl Into<String>) -> Option<String> {
    (!holds).then(|| what.into())
}

/// What a registry of ten thousand entries may take to be listed, the median of the run.
const LISTED: Duration = Duration::from_millis(20);

/// Ten thousand entries listed, beside printing the file.
fn registry() -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for number in 0..10_000 {
        text += &format!(
            "[mail-{number}]\nlayout = iplanet-5\nroot = /opt/iplanet/{number}\naddress = 10.0.37.10\n"
        );
    }
    let file = folder.path().join("etc/msgregistry.inf");
    fs_err::create_dir(folder.path().join("etc")).unwrap();
    fs_err::write(&file, text).unwrap();
    let listed = in_turn(
        40,
        || {
            assert!(
                ours("ims-registry").args(["list", "--root"]).arg(folder.path()).status().unwrap().success()
            );
        },
        || assert!(Command::new("cat").arg(&file).stdout(Stdio::null()).status().unwrap().success()),
    );
    listed.tell("10,000 instances listed", "ims-registry list", "cat of the file");
    bound(listed.ours() < LISTED, format!("10,000 instances listed in less than {LISTED:?}"))
}

/// An address put on an interface, told to the neighbours and taken off again, beside ip(8), which tells nobody.
fn address(node: &Node) {
    in_turn(
        20,
        || {
            node.sh("ims-ipbind up 192.0.2.50/24 --device eth0 --probe-wait 0s; ims-ipbind down 192.0.2.50/24 --device eth0")
                .ok();
        },
        || {
            node.sh("ip address add 192.0.2.50/24 dev eth0; ip address del 192.0.2.50/24 dev eth0").ok();
        },
    )
    .tell("an address up and down", "ims-ipbind, neighbours told", "ip(8), nobody told");
}

/// An address taken down, its connections looked for, beside ip(8), which looks for none.
fn down(node: &Node, what: &str) {
    let gone = |up: &str, down: &str| {
        node.sh(up).ok();
        node.sh(down).ok().took
    };
    let ip = "ip address del 192.0.2.50/24 dev eth0";
    parts_in_turn(
        20,
        || {
            gone(
                "ims-ipbind up 192.0.2.50/24 --device eth0 --probe-wait 0s",
                "ims-ipbind down 192.0.2.50/24 --device eth0",
            )
        },
        || gone("ip address add 192.0.2.50/24 dev eth0", ip),
    )
    .tell(what, "ims-ipbind down", "ip address del");
}

/// A node with 100,000 sockets open.
fn crowded(node: &Node) -> Vec<String> {
    support::crowd::instance(node);
    let mut crowd = support::crowd::crowd(node, 50_000);
    drop(crowd.remove(0)); // the server, which comes back when its holder is asked for
    let open: u32 = node.sh("ss -Htan | wc -l").ok().stdout.trim().parse().unwrap();
    assert!(open >= 100_000, "{open}");
    println!("a node with {open} sockets open");
    let missed = ports(node);
    down(node, "there, an address with no connection taken down");
    missed
}

/// Ports compared with what listens, beside the bare dump of the listeners, `ss -tln` and `ss -tlnp`.
fn ports(node: &Node) -> Vec<String> {
    let times = |count: u32, command: &str| {
        node.sh(&format!("for i in $(seq {count}); do {command} >/dev/null || test $? = 1; done")).ok();
    };
    let ours = "ims-portcheck, nobody in question";
    let floor = floor::command();
    let bare = in_turn(20, || times(20, "ims-portcheck"), || times(20, &floor));
    bare.tell("there, ports compared, 20 times", ours, "a bare dump of the listeners, not read");
    let listed = in_turn(20, || times(20, "ims-portcheck"), || times(20, "ss -Htln"));
    listed.tell("the same", ours, "ss -tln, nobody named");
    let _server = support::crowd::server(node, 25);
    let ours = "ims-portcheck, the holder named";
    let full = in_turn(5, || times(5, "ims-portcheck"), || times(5, "ss -Htlnp"));
    full.tell("there, ports compared, 5 times", ours, "ss -tlnp, every holder named");
    let bounds = [
        bound(bare.ratio() <= 3.0, "ports compared within 3 times a bare dump"),
        bound(full.ratio() <= 1.0 / 20.0, "ports compared 20 times faster than ss -tlnp"),
    ];
    bounds.into_iter().flatten().collect()
}

/// A clean volume taken and released, beside mount(8) and umount(8).
fn volume(node: &Node, device: &str) {
    let volume = format!("--device {device} --mount /srv/ims --fstype ext4");
    in_turn(
        10,
        || {
            node.sh(&format!("ims-diskctl take {volume}; ims-diskctl release {volume}")).ok();
        },
        || {
            node.sh(&format!("mount -t ext4 {device} /srv/ims; umount /srv/ims")).ok();
        },
    )
    .tell("a clean volume taken and released", "ims-diskctl take, release", "mount(8), umount(8)");
}

/// An address and a volume moved to the other node and back, beside a script of bare programs over ssh.
fn switchover(mail_1: &Node, mail_2: &Node, device: &str) {
    let group = format!(
        "nodes = [\"mail-1\", \"mail-2\"]\n\
         [resource.ip]\ntype = \"logical-ip\"\naddress = \"192.0.2.50/24\"\ndevice = \"eth0\"\n\
         [resource.disk]\ntype = \"volume\"\ndevice = \"{device}\"\nmount = \"/srv/ims\"\nfstype = \"ext4\"\n"
    );
    let reach =
        "[mail-1]\nreach = [\"ssh\", \"root@mail-1\"]\n[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\n";
    for node in [mail_1, mail_2] {
        node.file("/etc/ims/groups/BENCH-RG.toml", &group);
        node.file("/etc/ims/nodes.toml", reach);
    }
    let up = format!("mount -t ext4 {device} /srv/ims && ip address add 192.0.2.50/24 dev eth0");
    let down = "umount /srv/ims && ip address del 192.0.2.50/24 dev eth0";
    let by_hand = format!("{down} && ssh root@mail-2 '{up}' && ssh root@mail-2 '{down}' && {up}");
    // Each begins with nothing up: `ims-ipbind` takes down no address that ip(8) put on.
    parts_in_turn(
        5,
        || {
            mail_1.run(["ims-switch", "online", "BENCH-RG", "--on", "mail-1"]).ok();
            let there = mail_1.run(["ims-switch", "move", "BENCH-RG", "--to", "mail-2"]).ok().took;
            let back = mail_1.run(["ims-switch", "move", "BENCH-RG", "--to", "mail-1"]).ok().took;
            mail_1.run(["ims-switch", "offline", "BENCH-RG"]).ok();
            there + back
        },
        || {
            mail_1.sh(&up).ok();
            let took = mail_1.sh(&by_hand).ok().took;
            mail_1.sh(down).ok();
            took
        },
    )
    .tell(
        "an address and a volume there and back",
        "ims-switch move, both looked at",
        "mount, umount, ip over ssh, unseen",
    );
    let gaps: Vec<u64> = mail_1
        .run(["ims-switch", "history", "BENCH-RG"])
        .ok()
        .records()
        .iter()
        .filter(|record| record["wish"].as_str().is_some_and(|wish| wish.starts_with("move")))
        .filter_map(|record| record["gap_ms"].as_u64())
        .collect();
    println!("    of it the gap between the first stop and the last start, each move: {gaps:?} ms");
}
