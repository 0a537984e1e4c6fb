//! Exim and Cyrus IMAP as Debian configures them, on a node that took in what `tests/setup` unpacked. Exim takes mail
//! for `alice@example.test` and gives it to Cyrus by LMTP. What differs from Debian's own files stands in the scripts.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::certificates::{Authority, Wanted};
use super::login::tell;
use super::real::signal;
use super::real_tls;
use crate::support::{Bed, Node, needs, needs_root, until};

/// What the packages do when they are installed.
const INSTALL: &str = include_str!("unpacked/install.sh");
/// What an administrator says then.
const CONFIGURE: &str = include_str!("unpacked/configure.sh");
/// What begins TLS.
const SECURE: &str = include_str!("unpacked/secure.sh");

pub const EXIM: &str = "/etc/exim4/update-exim4.conf.conf";
pub const MACROS: &str = "/etc/exim4/conf.d/main/000_macros";
pub const IMAPD: &str = "/etc/imapd.conf";
pub const CYRUS: &str = "/etc/cyrus.conf";
/// Who logs in, and where a message goes.
pub const SECRETS: &str = "/srv/ims/probe.toml";

/// Whether there is all that these tests need.
pub fn is_there() -> bool {
    needs_root() && needs("Exim and Cyrus IMAP (tests/setup)", Path::new("/var/lib/ims-tests/cyrus").exists())
}

/// A node where both are configured.
pub fn laid(bed: &Bed) -> Node {
    let node = bed.node("mail-1");
    node.sh("ip address add 192.0.2.10/24 dev eth0").ok();
    node.sh(INSTALL).ok();
    node.sh(CONFIGURE).ok();
    trust(&node, "imap://192.0.2.10");
    node
}

/// Tells a prober who logs in, and where the message comes to.
pub fn trust(node: &Node, fetch: &str) {
    tell(
        node,
        &format!(
            "[default]\nuser = 'alice'\npassword = 'alice-secret'\n\
             [deliver]\nto = 'alice@example.test'\nfetch = '{fetch}'\n"
        ),
    );
}

/// Has both speak TLS, with a certificate of their own.
pub fn secure(node: &Node, authority: &Authority, wanted: &Wanted) {
    node.sh(SECURE).ok();
    certify(node, authority, wanted);
}

/// Gives both another certificate.
pub fn certify(node: &Node, authority: &Authority, wanted: &Wanted) {
    real_tls::certify(node, authority, wanted);
    node.sh(
        "cd /srv/ims/tls; install -o cyrus -m 600 key.pem /etc/ssl/cyrus.key
         install -o Debian-exim -m 600 key.pem /etc/exim4/exim.key; install -m 644 cert.pem /etc/exim4/exim.crt",
    )
    .ok();
}

/// Starts both.
pub fn start(node: &Node) {
    start_cyrus(node);
    start_exim(node);
    let serve =
        || node.inside(|| [25, 143].iter().all(|port| TcpStream::connect(("192.0.2.10", *port)).is_ok()));
    assert!(until(Duration::from_secs(20), serve), "Exim and Cyrus do not listen");
}

/// Has the server that a file belongs to go by it as it is now.
pub fn renew(node: &Node, file: &str) {
    if file.starts_with("/etc/exim4/") {
        end(node, "exim4");
        start_exim(node);
    } else {
        end(node, "cyrmaster");
        start_cyrus(node);
    }
}

fn start_cyrus(node: &Node) {
    node.sh("cyrmaster -d -l 32 -C /etc/imapd.conf -M /etc/cyrus.conf").ok();
}

fn start_exim(node: &Node) {
    node.sh("update-exim4.conf && exim4 -bd -q30m").ok();
}

fn end(node: &Node, program: &str) {
    signal(node, program, Signal::TERM);
    let is_over = || node.sh(&format!("pgrep -x {program} || true")).stdout.is_empty();
    if !until(Duration::from_secs(2), is_over) {
        // Now and then Cyrus's master goes round and round, with its children dead and not reaped.
        signal(node, program, Signal::KILL);
        assert!(until(Duration::from_secs(20), is_over), "{program} does not end");
    }
}
