//! What is the prober's own: its network, its resolver, its time. None of it is ever *down*.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use rustix::process::Signal;

use super::servers::{Say, Server, wait};
use super::{Going, finish, run, run_all, verdict};

#[test]
fn a_refusal_is_down_at_connect() {
    // The port is kept by a socket that does not listen, so that nobody else gets it.
    let kept = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    kept.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let port = kept.local_addr().unwrap().as_socket().unwrap().port();
    for scheme in ["tcp", "smtp", "imap", "pop3", "ldap", "lmtp"] {
        let answer = run(&[&format!("{scheme}://127.0.0.1:{port}")]);
        assert_eq!(verdict(&answer.records[0]), ("down", "connect", "connection refused"), "{scheme}");
        assert_eq!(answer.code, 1);
    }
}

#[test]
fn what_is_the_probers_own_fault_is_unknown() {
    let server = Server::start(|stream| wait(&stream));
    for (args, stage, words) in [
        (&["tcp://nowhere.invalid:25"][..], "resolve", "cannot resolve nowhere.invalid: "),
        (&["tcp://127.0.0.1:25", "--from", "192.0.2.77"], "connect", "cannot probe from 192.0.2.77: "),
        (&[&server.url("tcp"), "--from", "::1"], "connect", "::1"),
    ] {
        let answer = run(&[args, &["--timeout", "10s"]].concat());
        let (state, at, told) = verdict(&answer.records[0]);
        assert_eq!((state, at, answer.code), ("unknown", stage, 3), "{args:?}: {told}");
        assert!(told.contains(words), "{args:?}: {told}");
    }
}

/// The shell runs its words in a network of its own, where the loopback is up.
fn in_own_network(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-euc", &format!("ip link set lo up; {script}"), "sh"]);
    command.arg(cargo_bin!("ims-probe")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_host_without_a_way_is_unknown() {
    let answer = finish(&mut in_own_network("exec \"$1\" smtp://192.0.2.10:25"));
    assert_eq!(verdict(&answer.records[0]), ("unknown", "connect", "network is unreachable"));
    assert_eq!(answer.code, 3);
    let silent = "ip link add d0 type veth peer d1; ip link set d1 up; ip link set d0 up; \
                  ip address add 192.0.2.1/24 dev d0;";
    let black_hole = format!("{silent} ip neighbour add 192.0.2.10 lladdr 02:00:00:00:00:01 dev d0; ");
    let answer = finish(&mut in_own_network(&format!("{black_hole} exec \"$1\" smtp://192.0.2.10:25 -t 1s")));
    assert_eq!(verdict(&answer.records[0]), ("down", "connect", "timed out after 1s"));
    assert_eq!(answer.code, 1);
}

#[test]
fn a_free_port_that_meets_itself_is_no_server() {
    let answer = finish(&mut in_own_network(
        "echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range; exec \"$1\" tcp://127.0.0.1:40000",
    ));
    let words = "nothing listens there; the connection met itself";
    assert_eq!(verdict(&answer.records[0]), ("down", "connect", words));
    assert_eq!(answer.code, 1);
}

#[test]
fn the_source_address_and_ipv6_are_used() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let server =
        Server::on(listener, |stream| super::servers::play(&stream, &[("", Say::Bytes(b"+OK\r\n"))]));
    let answer = run(&[&server.url("pop3"), "--level", "greet", "--from", "::1"]);
    assert_eq!((verdict(&answer.records[0]).0, answer.code), ("up", 0));
    let server = Server::start(|stream| {
        let from = stream.peer_addr().unwrap().ip();
        super::servers::say_all(&stream, format!("+OK {from}\r\n").as_bytes());
        wait(&stream);
    });
    let answer = run(&[&server.url("pop3"), "--level", "greet", "--from", "127.0.0.9"]);
    assert_eq!(verdict(&answer.records[0]).2, "+OK 127.0.0.9");
}

#[test]
fn a_prober_that_was_frozen_knows_nothing() {
    let (reached, is_reached) = std::sync::mpsc::channel();
    let server = Server::start(move |stream| {
        reached.send(()).unwrap();
        wait(&stream);
    });
    let mut going = Going::start(&[&server.url("smtp"), "--timeout", "2s"]);
    is_reached.recv_timeout(Duration::from_secs(10)).unwrap();
    going.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(3)); // frozen beyond its deadline of 2s is what is tested
    going.signal(Signal::CONT);
    let answer = going.record();
    let (state, at, words) = verdict(&answer);
    assert_eq!((state, at), ("unknown", "greet"), "{words}");
    assert!(words.starts_with("ims-probe itself stood still for "), "{words}");
    assert_eq!(going.end().0, 3);
}

#[test]
fn a_prober_that_was_frozen_before_its_deadline_does_not_blame_the_server() {
    let (reached, is_reached) = std::sync::mpsc::channel();
    let server = Server::start(move |stream| {
        reached.send(()).unwrap();
        wait(&stream);
    });
    let mut going = Going::start(&[&server.url("smtp"), "--timeout", "5s"]);
    is_reached.recv_timeout(Duration::from_secs(10)).unwrap();
    going.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(1)); // frozen, but not to its deadline of 5s, is what is tested
    going.signal(Signal::CONT);
    let answer = going.record();
    assert_eq!(verdict(&answer).0, "unknown", "{answer}");
    assert_eq!(going.end().0, 3);
}

#[test]
fn one_deadline_holds_for_all_targets_together() {
    let server = Server::start(|stream| wait(&stream));
    let schemes = ["smtp", "lmtp", "imap", "pop3", "ldap", "submission"];
    let urls: Vec<String> = schemes.map(|scheme| server.url(scheme)).into();
    let answer = run_all(&urls, &["--timeout", "1s"]);
    assert!(answer.took < Duration::from_secs(6), "one after the other: {:?}", answer.took);
    for answer in &answer.records {
        assert_eq!(verdict(answer).2, "timed out after 1s", "{answer}");
        assert!(answer["took_ms"].as_u64().unwrap() >= 1000, "{answer}");
    }
    assert_eq!(run(&["--timeout", "0s", "tcp://127.0.0.1:1"]).code, 2);
}
