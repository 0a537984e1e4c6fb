//! Many targets at once in one process, against servers in a network of the test's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use rustls::ServerConnection;

use super::certificates::{Authority, GOOD};
use super::servers::{Say, Server, play, wait};
use super::{Going, run};

const MANY: u16 = 1000;

/// Runs in a thread with a network of its own, where all of 127.0.0.0/8 is one host.
pub(super) fn in_own_network(test: fn()) {
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        test();
    });
    thread.join().unwrap();
}

/// Takes the connections of thousands at once, at every address.
pub(super) fn listener() -> TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    socket.listen(4096).unwrap();
    socket.into()
}

/// So many targets, each at an address of its own.
pub(super) fn urls(scheme: &str, port: u16, many: u16) -> Vec<String> {
    let [first, last] = [0, many - 1].map(|i| u32::from(Ipv4Addr::new(127, 9, 0, 1)) + u32::from(i));
    (first..=last).map(|host| format!("{scheme}://{}:{port}", Ipv4Addr::from(host))).collect()
}

/// How long a run took to answer for all of them, and its memory at the peak; nothing when it stood still itself.
fn silent(args: &[&str], many: u16, stage: &str) -> Option<(Duration, u64)> {
    let start = Instant::now();
    let mut going = Going::start(args);
    for _ in 0..many {
        let answer = going.record();
        if super::stood_still(&answer) {
            return None;
        }
        assert_eq!(super::verdict(&answer), ("down", stage, "timed out after 5s"), "{answer}");
    }
    Some((start.elapsed(), going.peak_kib()))
}

#[test]
fn a_thousand_silent_targets_take_one_deadline_and_little_memory() {
    in_own_network(|| {
        // Never accepted from: the kernel takes the connections, and nobody speaks.
        let listener = listener();
        let urls = urls("smtp", listener.local_addr().unwrap().port(), MANY);
        let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
        args.extend(["--timeout", "5s", "--every", "1h"]);
        let (took, peak) = (0..6)
            .find_map(|_| silent(&args, MANY, "greet"))
            .expect("the machine let the prober stand still");
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
        let urls = urls("smtp", server.port(), MANY);
        let args: Vec<&str> = urls.iter().map(String::as_str).collect();
        let answer = run(&args);
        println!("{MANY} sessions: {:?}", answer.took);
        assert_eq!((answer.code, answer.records.len()), (0, usize::from(MANY)));
    });
}

/// What a connection may take in which TLS has begun, in KiB.
const TLS_KIB: u64 = 20;
/// So many have a thread each on the other side, which shakes hands with them in a debug build.
const FEWER: u16 = 200;

#[test]
fn connections_in_tls_take_little_memory_each() {
    in_own_network(|| {
        let unspoken = listener();
        let config = Arc::new(Authority::new().issue(&GOOD).config());
        let spoken = Server::on(listener(), move |mut stream| {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // After the handshake it is silent.
            let _ = connection.complete_io(&mut stream);
            wait(&stream);
        });
        let plain = unspoken.local_addr().unwrap().port();
        let peak = |scheme, port, stage| {
            let urls = urls(scheme, port, FEWER);
            let mut args: Vec<&str> = urls.iter().map(String::as_str).collect();
            args.extend(["--timeout", "5s", "--every", "1h", "--tls", "off"]);
            let found = (0..6).find_map(|_| silent(&args, FEWER, stage));
            found.expect("the machine let the prober stand still").1
        };
        let bare = peak("imap", plain, "greet");
        for (what, port, stage) in [("begun", plain, "tls"), ("done", spoken.port(), "greet")] {
            let each = peak("imaps", port, stage).saturating_sub(bare) / u64::from(FEWER);
            println!("{FEWER} connections, handshake {what}: {each} KiB each more than in the clear");
            assert!(each < TLS_KIB, "{what}: {each} KiB");
        }
    });
}
