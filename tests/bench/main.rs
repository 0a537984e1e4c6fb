//! Figures, each beside a peer or the floor in the same run.
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

mod pair;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use pair::in_turn;
use support::{Bed, Node};

/// A command of ours as it was built for this run.
fn ours(name: &str) -> Command {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_ims-registry")).parent().unwrap();
    let mut command = Command::new(folder.join(name));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn main() {
    if !support::needs_root() {
        return;
    }
    println!("min / median / max of each, in turn; the ratio is of the medians\n");
    registry();
    probe();
    let bed = Bed::with_ssh();
    let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
    address(&mail_1);
    let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
    for node in [&mail_1, &mail_2] {
        node.attach(&disk);
        node.sh("mkdir -p /srv/ims").ok();
    }
    sockets(&bed.node("mail-3"));
    volume(&mail_1, &disk.device());
    switchover(&mail_1, &mail_2, &disk.device());
}

/// Ten thousand entries listed, beside printing the file.
fn registry() {
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
    in_turn(
        20,
        || {
            assert!(
                ours("ims-registry").args(["list", "--root"]).arg(folder.path()).status().unwrap().success()
            );
        },
        || assert!(Command::new("cat").arg(&file).stdout(Stdio::null()).status().unwrap().success()),
    )
    .tell("10,000 instances listed", "ims-registry list", "cat of the file");
}

/// Two hundred SMTP dialogues with a server each, beside the same by one plain blocking loop in this process.
fn probe() {
    let ports: Vec<u16> = (0..200).map(|_| server()).collect();
    let targets: Vec<String> = ports.iter().map(|port| format!("smtp://127.0.0.1:{port}")).collect();
    in_turn(
        20,
        || assert!(ours("ims-probe").args(&targets).status().unwrap().success()),
        || ports.iter().for_each(|port| ask(*port)),
    )
    .tell("200 SMTP sessions (EHLO, QUIT)", "ims-probe, start included", "a blocking loop, no start");
}

/// A little SMTP server on a port of its own.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || dialogue(stream.unwrap()));
        }
    });
    port
}

fn dialogue(stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut stream = stream;
    stream.write_all(b"220 mail.example.test ESMTP\r\n").ok()?;
    while let Some(Ok(line)) = lines.next() {
        let answer: &[u8] = if line == "QUIT" { b"221 bye\r\n" } else { b"250 mail.example.test\r\n" };
        stream.write_all(answer).ok()?;
    }
    Some(())
}

fn ask(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    lines.next().unwrap().unwrap();
    stream.write_all(b"EHLO bench.example.test\r\n").unwrap();
    lines.next().unwrap().unwrap();
    stream.write_all(b"QUIT\r\n").unwrap();
    lines.next().unwrap().unwrap();
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

/// Ports compared with what listens while 100,000 sockets are open, beside the bare list of listeners and `ss -tlnp`.
fn sockets(node: &Node) {
    support::crowd::instance(node);
    let _crowd = support::crowd::crowd(node, 50_000);
    let open = node.sh("ss -Htan | wc -l").ok().stdout;
    let times = |count: u32, command: &str| {
        node.sh(&format!("for i in $(seq {count}); do {command} >/dev/null || test $? = 1; done")).ok();
    };
    let what = format!("ports compared, {} sockets open, 20 times", open.trim());
    let bare = in_turn(10, || times(20, "ims-portcheck"), || times(20, "ss -Htln"));
    assert!(bare.ratio() <= 3.0, "{}", bare.ratio());
    bare.tell(&what, "ims-portcheck, the holder named", "ss -tln, nobody named");
    let full = in_turn(5, || times(5, "ims-portcheck"), || times(5, "ss -Htlnp"));
    assert!(full.ratio() <= 1.0 / 20.0, "{}", full.ratio());
    full.tell("the same, 5 times", "ims-portcheck, the holder named", "ss -tlnp, every holder named");
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
    mail_1.run(["ims-switch", "online", "BENCH-RG", "--on", "mail-1"]).ok();
    let up = format!("mount -t ext4 {device} /srv/ims && ip address add 192.0.2.50/24 dev eth0");
    let down = "umount /srv/ims && ip address del 192.0.2.50/24 dev eth0";
    let by_hand = format!("{down} && ssh root@mail-2 '{up}' && ssh root@mail-2 '{down}' && {up}");
    in_turn(
        5,
        || {
            mail_1.run(["ims-switch", "move", "BENCH-RG", "--to", "mail-2"]).ok();
            mail_1.run(["ims-switch", "move", "BENCH-RG", "--to", "mail-1"]).ok();
        },
        || {
            mail_1.sh(&by_hand).ok();
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
