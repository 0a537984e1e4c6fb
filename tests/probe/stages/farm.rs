//! A node on which all of Postfix, Dovecot and `OpenLDAP` works: every protocol they speak, with TLS and without, a
//! mailbox for messages, and in front of it a proxy that ends a connection where it is told to.

use rustix::process::Signal;

use super::super::certificates::{Authority, GOOD, Wanted};
use super::super::login::{ALICE, let_in, tell};
use super::super::real::{SLAPD, STORK, laid, signal};
use super::super::real_tls::{certify, configure, end, start, start_directory};
use super::{Farm, Row};
use crate::support::{Bed, Node, needs_root};

/// The directory server, which all logins are looked up in, answers nothing.
pub const HANGS: &str = "kill -STOP $(pgrep -x slapd)";
/// It goes on.
pub const GOES_ON: &str = "kill -CONT $(pgrep -x slapd)";
pub const MAIN: &str = "/srv/ims/server5/msg-stork/postfix/main.cf";
pub const MASTER: &str = "/srv/ims/server5/msg-stork/postfix/master.cf";
pub const DOVECOT: &str = "/srv/ims/server5/msg-stork/dovecot/dovecot.conf";
pub const DIRECTORY: &str = "/srv/ims/server5/slapd-mail/slapd.conf";
/// What the proxy does to the lines of clients, as sed(1) reads it.
pub const PROXY: &str = "/srv/ims/proxy.sed";
/// Who logs in.
pub const SECRETS: &str = "/srv/ims/probe.toml";

/// With the secrets and the authority that all of it needs.
pub const OPTIONS: [&str; 4] = ["--secrets", SECRETS, "--ca", "/srv/ims/ca.pem"];

/// The same, and TLS everywhere.
pub const TLS: [&str; 6] = [OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3], "--tls", "require"];

/// Drives rows on a farm of their own, after a script has made it as they need it.
pub fn drive(rows: &[Row], options: &[&str], set_up: &str) {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = farm(&bed);
    node.sh(set_up).ok();
    Farm { node: &node, asker: &node, options, renew: &renew }.drive(rows);
}

/// Lays all of it out and starts it.
pub fn farm(bed: &Bed) -> Node {
    let node = laid(bed);
    let_in(&node);
    let authority = Authority::new();
    certify(&node, &authority, &GOOD);
    node.file("/srv/ims/tls/other.pem", authority.issue(&GOOD).key.serialize_pem());
    let expired = authority.issue(&Wanted { until: -3600, ..GOOD });
    node.file("/srv/ims/tls/expired.pem", expired.key.serialize_pem() + &expired.certificate.pem());
    node.file("/srv/ims/ca.pem", fs_err::read(authority.file()).unwrap());
    configure(&node);
    node.sh(&format!(
        "echo '587 inet n - n - - smtpd' >>{MASTER}
         echo 'service_throttle_time = 1s' >>{MAIN}
         cat >>{DOVECOT} <<'X'
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
doveadm_password = a-secret
service doveadm {{
  inet_listener http {{
    port = 80
  }}
}}
service doveadm-tls {{
  executable = doveadm-server
  inet_listener http {{
    port = 443
    ssl = yes
  }}
}}
X
         :>{PROXY}
         echo '/^QUIT/ BYE' >/srv/ims/commands
         echo '/^X-IMS-Probe:/ REJECT' >/srv/ims/header_checks
         echo 'INBOX owner lr' >/srv/ims/acl"
    ))
    .ok();
    tell(&node, &format!("{ALICE}[deliver]\nto = 'alice@example.test'\nfetch = 'imap://192.0.2.10:2143'\n"));
    start(&node);
    let tls = "OPENSSL-LISTEN:2%d,cert=/srv/ims/tls/cert.pem,key=/srv/ims/tls/key.pem,verify=0";
    for (listen, behind) in [
        ("TCP-LISTEN:2024", 24),
        ("TCP-LISTEN:2110", 110),
        ("TCP-LISTEN:2143", 143),
        (&tls.replace("%d", "993"), 143),
        (&tls.replace("%d", "995"), 110),
    ] {
        node.sh(&format!(
            "setsid socat {listen},fork,reuseaddr \
                 SYSTEM:'sed -u -f {PROXY} | socat - TCP\\:192.0.2.10\\:{behind}' </dev/null >/dev/null 2>&1 &"
        ))
        .ok();
    }
    node
}

/// Has the server that a file belongs to read it.
fn renew(node: &Node, file: &str) {
    if file.starts_with(SLAPD) {
        end(node, "slapd");
        start_directory(node);
    } else if file.starts_with(&format!("{STORK}/postfix")) {
        signal(node, "master", Signal::HUP);
    } else if file.starts_with(&format!("{STORK}/dovecot")) {
        signal(node, "dovecot", Signal::HUP);
    }
}
