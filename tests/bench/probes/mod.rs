//! Probes beside those of others, on the same servers in the same run: what a probe costs who makes it.
//!
//! The servers are those of the test bed, which nobody tuned: Postfix forks, and takes a hundred connections at
//! once. So a second server stands beside them that does nothing but greet; with it the prober is the limit.

pub mod bare;
mod cost;
mod exporter;

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cost::{Cost, of_programs, pinned};
use exporter::Exporter;

use super::pair::parts_in_turn;
use super::{bound, ours};
use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::{Bed, Node, Running, until};

/// Every address from here on is the server's; the range is kept for benchmarks (RFC 2544).
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const GREETER: u16 = 2525;
const SILENT: u16 = 2526;
const MANY: u32 = 10_000;
/// How many connections Postfix lets wait.
const FEW: u32 = 100;
const PLUGINS: &str = "/usr/lib/nagios/plugins";
const ROOT: &str = "/srv/ims/server5";

/// The words that make this program be a part of the bench and nothing else.
const WORDS: [&str; 3] = ["connect-read-close", "greet", "listen"];

/// Runs the part that this program is asked to be; says whether it was one.
pub fn be_asked() -> bool {
    let asked = std::env::args().nth(1);
    match WORDS.iter().position(|word| asked.as_deref() == Some(word)) {
        Some(0) => bare::probe(FIRST, GREETER, MANY),
        Some(1) => bare::serve(GREETER, false),
        Some(2) => bare::serve(SILENT, true),
        Some(_) | None => return false,
    }
    true
}

/// All of it; gives what was missed.
pub fn probes() -> Vec<String> {
    let bed = Bed::new();
    let (server, client) = (bed.node("mail-1"), bed.client());
    server.sh("ip route add local 198.18.0.0/16 dev lo").ok();
    client.sh(&format!("ip route add 198.18.0.0/16 via {}", server.address())).ok();
    let _greeters = WORDS[1..].iter().map(|word| begin(&server, word)).collect::<Vec<_>>();
    serve_mail(&server);
    client.inside(|| {
        wait_for(&[25, 143, 389, GREETER, SILENT]);
        let mut missed: Vec<String> = real().into_iter().flatten().collect();
        missed.extend(floor());
        missed.extend(in_flight());
        missed.extend(first_byte());
        missed
    })
}

/// Starts a part of the bench in a node, on the core of servers.
fn begin(node: &Node, word: &str) -> Running {
    let program = std::env::current_exe().unwrap();
    node.spawn(["taskset", "-c", cost::SERVER, program.to_str().unwrap(), word])
}

/// Postfix, Dovecot and `OpenLDAP`, as the tests run them.
fn serve_mail(node: &Node) {
    let folders = "mkdir -p /srv/ims/server5 /run/ims/stork/dovecot /run/ims/mail/slapd";
    node.sh(&format!("{folders}; chown openldap:openldap /run/ims/mail/slapd")).ok();
    let root = ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", "ldap://192.0.2.11:389/"))
        .directory(Directory::new("mail"));
    root.lay(&node.path("/")).unwrap();
    let settled: Result<(), ()> = root.settle(|words| {
        node.run(words.iter().copied()).ok();
        Ok(())
    });
    settled.unwrap();
    for server in [
        &*format!("slapd -h ldap:/// -f {ROOT}/slapd-mail/slapd.conf -u openldap -g openldap"),
        &format!("dovecot -c {ROOT}/msg-stork/dovecot/dovecot.conf"),
        &format!("/usr/lib/postfix/sbin/master -c {ROOT}/msg-stork/postfix -w"),
    ] {
        node.sh(&format!("taskset -c {} {server}", cost::SERVER)).ok();
    }
}

fn wait_for(ports: &[u16]) {
    for port in ports {
        let is_there = || std::net::TcpStream::connect((FIRST, *port)).is_ok();
        assert!(until(Duration::from_secs(10), is_there), "nothing listens at port {port}");
    }
}

fn addresses(count: u32) -> impl Iterator<Item = Ipv4Addr> {
    (0..count).map(|number| Ipv4Addr::from_bits(FIRST.to_bits() + number))
}

/// Ours at one level against many addresses of one service, each once.
fn probe(scheme: &str, port: u16, level: &str, count: u32) -> Cost {
    let urls = addresses(count).map(|ip| format!("{scheme}://{ip}:{port}"));
    let mut command = pinned(ours("ims-probe").get_program());
    command.args(["--level", level, "--timeout", "30s"]).args(urls);
    run(count, &mut command)
}

/// A plugin, which is a process a probe; two at once for the core that they share.
fn plugin(name: &str, more: &str, count: u32) -> Cost {
    let hosts: Vec<String> = addresses(count).map(|ip| ip.to_string()).collect();
    let list = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(list.path(), hosts.join("\n")).unwrap();
    let mut command = pinned("xargs");
    command.arg("-a").arg(list.path()).args(["-P", "2", "-I", "{}"]);
    command.arg(format!("{PLUGINS}/{name}")).args(["-H", "{}"]).args(more.split_whitespace());
    run(count, &mut command)
}

fn run(probes: u32, command: &mut Command) -> Cost {
    of_programs(probes, || {
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{command:?}: {}", told.lines().last().unwrap_or_default());
    })
}

/// The real servers at the same level, beside the plugins and the exporter.
fn real() -> Vec<Option<String>> {
    let mut missed = Vec::new();
    for (name, scheme, port, level, more) in [
        ("check_smtp", "smtp", 25, "session", ""),
        ("check_imap", "imap", 143, "greet", ""),
        ("check_ldap", "ldap", 389, "session", "-3 -b dc=example,dc=test"),
    ] {
        let ratio = cost::compare(
            &format!("{scheme} of the test bed, level {level}"),
            5,
            ["ims-probe", name],
            || probe(scheme, port, level, FEW),
            || plugin(name, more, FEW),
        );
        // Most of ours is the kernel's own work for a connection, and the start of a command for a hundred of them.
        missed.push(bound(ratio >= 10.0, format!("probes 10 times cheaper than {name}")));
    }
    let exporter = Exporter::start();
    for (module, port, count) in [("smtp", 25, FEW), ("imap", 143, FEW), ("smtp", GREETER, 2000)] {
        let targets: Vec<String> = addresses(count).map(|ip| format!("{ip}:{port}")).collect();
        let who = if port == GREETER { "a server that only greets" } else { "the test bed" };
        let ratio = cost::compare(
            &format!("{module} of {who}, level greet"),
            5,
            ["ims-probe", "prometheus-blackbox-exporter"],
            || probe(module, port, "greet", count),
            || exporter.probe(module, &targets),
        );
        missed.push(bound(ratio >= 3.0, "probes 3 times cheaper than prometheus-blackbox-exporter"));
    }
    missed
}

/// Ten thousand at once, beside a loop that does no more than connect, read and close.
fn floor() -> Option<String> {
    let bare = std::env::current_exe().unwrap();
    let ratio = cost::compare(
        "10,000 servers that only greet, level greet",
        5,
        ["ims-probe", "a bare loop: connect, read, close"],
        || probe("smtp", GREETER, "greet", MANY),
        || run(MANY, pinned(&bare).arg(WORDS[0])),
    );
    bound(ratio >= 0.5, "probes within twice a bare loop")
}

/// The memory of ten thousand probes under way at once, whose servers are silent.
fn in_flight() -> Option<String> {
    let urls = addresses(MANY).map(|ip| format!("smtp://{ip}:{SILENT}"));
    let mut command = ours("ims-probe");
    command.args(["--timeout", "8s", "--every", "1h"]).args(urls).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().take(MANY as usize);
    let late = answers.filter(|line| line.as_ref().unwrap().contains("\"timed out after 8s\"")).count();
    let status = fs_err::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u32 = peak.split_whitespace().next().unwrap().parse().unwrap();
    println!("10,000 probes in flight: {} MiB at the peak, {late} of them down on time", peak / 1024);
    bound(peak < 64 * 1024 && late == MANY as usize, "10,000 probes in flight in 64 MiB")
}

/// The time from a command's start to its first byte on the wire; in LDAP the client speaks first.
fn first_byte() -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let first = |mut command: Command| {
        let started = Instant::now();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        let took = started.elapsed();
        drop(stream);
        child.wait().unwrap();
        took
    };
    let mine = || {
        let mut command = ours("ims-probe");
        command.arg(format!("ldap://127.0.0.1:{port}"));
        first(command)
    };
    let theirs = || {
        let mut command = Command::new(format!("{PLUGINS}/check_ldap"));
        command.args(["-H", "127.0.0.1", "-p", &port, "-3", "-b", "dc=example,dc=test"]);
        first(command)
    };
    let pair = parts_in_turn(40, mine, theirs);
    pair.tell("from a command's start to its first byte sent", "ims-probe", "check_ldap");
    bound(pair.ours() < Duration::from_millis(5), "a first byte in less than 5 ms")
}
