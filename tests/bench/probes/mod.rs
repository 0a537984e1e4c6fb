//! Probes beside those of others, on the same servers in the same run: what a probe costs who makes it.
//!
//! The servers are those of the test bed, which nobody tuned: Postfix forks, and takes a hundred connections at
//! once. So stand-ins are beside them that do nothing but answer; with them the prober is the limit.
//!
//! Prober and server are on one machine, each with a core of its own, and the kernel does much of the receiver's work
//! in the time of whoever sends. That is the same for everybody; the bare loop shows how much it is.

mod bare;
mod cost;
mod exporter;
mod identity;
mod many;
mod plugins;
mod stand_in;
mod talk;
mod tls;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cost::{Cost, of_a_run};
use talk::Talk;

use super::pair::parts_in_turn;
use super::{bound, ours};
use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::{Bed, Node, Running, until};

/// Every address from here on is the server's; the range is kept for benchmarks (RFC 2544).
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const MANY: u32 = 10_000;
const ROOT: &str = "/srv/ims/server5";

/// Runs the part that this program is asked to be; says whether it was one.
pub fn be_asked() -> bool {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [bare::WORD, talk, port, count, at_once, ref trusted @ ..] => {
            let talk = talk::ALL.into_iter().find(|known| known.word == talk).unwrap();
            let [count, at_once] = [count, at_once].map(|number| number.parse().unwrap());
            let trusted = trusted.first().map(Path::new);
            bare::hold(talk, FIRST, port.parse().unwrap(), count, at_once, trusted);
        }
        [stand_in::WORD, folder] => stand_in::serve(Path::new(folder)),
        _ => return false,
    }
    true
}

/// All of it; gives what was missed.
pub fn probes() -> Vec<String> {
    let bed = Bed::new();
    let (server, client) = (bed.node("mail-1"), bed.client());
    server.sh("ip route add local 198.18.0.0/16 dev lo").ok();
    client.sh(&format!("ip route add 198.18.0.0/16 via {}", server.address())).ok();
    let folder = tempfile::tempdir().unwrap();
    identity::make(folder.path());
    let _stand_in = begin(&server, folder.path());
    serve_mail(&server);
    client.inside(|| {
        wait_for(&[25, 143, 389]);
        wait_for(&[stand_in::SMTP, stand_in::IMAP, stand_in::LDAP, stand_in::SILENT, stand_in::IMAPS]);
        let mut missed = plugins::plugins();
        missed.extend(exporter::exporter());
        missed.extend(tls::tls(folder.path()));
        missed.extend(many::many());
        missed.extend(first_byte());
        missed
    })
}

/// Starts the stand-ins in a node, on the core of servers.
fn begin(node: &Node, identity: &Path) -> Running {
    let folder = "/srv/ims/bench";
    node.sh(&format!("mkdir -p {folder}")).ok();
    for file in fs_err::read_dir(identity).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        node.file(format!("{folder}/{name}"), fs_err::read(&path).unwrap());
    }
    let program = std::env::current_exe().unwrap();
    let core = cost::SERVER.to_string();
    node.spawn(["taskset", "-c", &core, program.to_str().unwrap(), stand_in::WORD, folder])
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

/// Ours at one level against many addresses of one service, each once, and so many at once.
fn ours_at(scheme: &str, port: u16, level: &str, count: u32, at_once: u32) -> Cost {
    let urls = addresses(count).map(|ip| format!("{scheme}://{ip}:{port}"));
    let mut command = Command::new("prlimit");
    // As many as there are descriptors beyond those that it keeps back.
    command.arg(format!("--nofile={}", at_once + 64)).arg(ours("ims-probe").get_program());
    command.args(["--level", level, "--timeout", "30s"]).args(urls);
    of_a_run(count, &mut command)
}

/// The bare loop at many addresses, each once, and so many at once.
fn bare_at(talk: Talk, port: u16, count: u32, at_once: u32) -> Cost {
    of_a_run(count, &mut bare_of(talk, port, count, at_once))
}

fn bare_of(talk: Talk, port: u16, count: u32, at_once: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([bare::WORD, talk.word]);
    command.args([u32::from(port), count, at_once].map(|number| number.to_string()));
    command
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
        let mut command = Command::new(format!("{}/check_ldap", plugins::FOLDER));
        command.args(["-H", "127.0.0.1", "-p", &port, "-3", "-b", "dc=example,dc=test"]);
        first(command)
    };
    let pair = parts_in_turn(40, mine, theirs);
    pair.tell("from a command's start to its first byte sent", "ims-probe", "check_ldap");
    bound(pair.ours() < Duration::from_millis(5), "a first byte in less than 5 ms")
}
