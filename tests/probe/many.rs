//! Many targets at once in one process, against servers in a network of the test's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};

use super::servers::{Say, Server, play};
use super::{Going, run};

const MANY: u16 = 1000;

/// Runs in a thread with a network of its own, where all of 127.0.0.0/8 is one host.
fn in_own_network(test: fn()) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        test();
    });
    thread.join().unwrap();
}

fn listener() -> TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(4096).unwrap();
    socket.into()
}

fn urls(port: u16) -> Vec<String> {
    let [first, last] = [0, MANY - 1].map(|i| u32::from(Ipv4Addr::new(127, 9, 0, 1)) + u32::from(i));
    (first..=last).map(|host| format!("smtp://{}:{port}", Ipv4Addr::from(host))).collect()
}

/// How long a run took to answer for all of them, and its memory at the peak; nothing when it stood still itself.
fn silent(args: &[&str]) -> Option<(Duration, u64)> {
    let start = Instant::now();
    let mut going = Going::start(args);
    for _ in 0..MANY {
        let answer = going.record();
        if super::stood_still(&answer) {
            return None;
        }
        assert_eq!(super::verdict(&answer), ("down", "greet", "timed out after 5s"), "{answer}");
    }
    Some((start.elapsed(), going.peak_kib()))
}

#[test]
fn a_thousand_silent_targets_take_one_deadline_and_little_memory() {
    in_own_network(|| {
        // Never accepted from: the kernel takes the connections, and nobody speaks.
        let listener = listener();
        let urls = urls(listener.local_addr().unwrap().port());
        let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
        args.extend(["--timeout", "5s", "--every", "1h"]);
        let (took, peak) =
            (0..6).find_map(|_| silent(&args)).expect("the machine let the prober stand still");
        println!("{MANY} silent targets: {took:?}, {peak} KiB at the peak");
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert!(peak < 32 * 1024, "{peak} KiB");
    });
}

#[test]
fn a_thousand_sessions_are_held_at_once() {
    in_own_network(|| {
        let server = Server::on(listener(), |stream| {
            play(
                &stream,
                &[
                    ("", Say::Bytes(b"220 mail-1 ESMTP\r\n")),
                    ("EHLO", Say::Bytes(b"250 mail-1\r\n")),
                    ("QUIT", Say::Bytes(b"221 bye\r\n")),
                ],
            );
        });
        let urls = urls(server.port());
        let args: Vec<&str> = urls.iter().map(String::as_str).collect();
        let answer = run(&args);
        println!("{MANY} sessions: {:?}", answer.took);
        assert_eq!((answer.code, answer.records.len()), (0, usize::from(MANY)));
    });
}
