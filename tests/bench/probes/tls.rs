//! TLS: the cost of a whole handshake, and the memory of many.

use std::path::Path;
use std::process::Command;

use super::cost::{Cost, compare, of_a_run};
use super::{addresses, bare_of, bound, identity, many, ours, plugins, stand_in, talk};

const COUNT: u32 = 1000;

/// Ours beside a plugin and a bare loop that makes the same handshakes with the same library and trusts the same
/// certificate. Nobody takes a session up again: then no certificate would be shown.
pub fn tls(trusted: &Path) -> Vec<String> {
    let [_, theirs, floor] = compare(
        "imap over TLS of a stand-in, level greet",
        5,
        [
            ("ims-probe, certificate checked", &|| greet(trusted)),
            ("check_imap -S, certificate not checked", &|| {
                plugins::run("check_imap", &format!("-S -p {}", stand_in::IMAPS))
            }),
            ("the same in a bare loop of rustls", &|| {
                let folder = trusted.to_str().unwrap();
                of_a_run(
                    COUNT,
                    bare_of(talk::IMAP_GREET, stand_in::IMAPS, COUNT, plugins::AT_ONCE).arg(folder),
                )
            }),
        ],
    );
    println!("    the bare loop by check_imap: {:.1}", theirs / floor);
    let bounds = [
        bound(theirs >= 5.0, "probes over TLS 5 times cheaper than check_imap"),
        bound(floor >= 0.5, "probes over TLS within twice a bare handshake"),
        many::in_flight("imaps", stand_in::SILENT_TLS, "greet", 160),
        many::in_flight("imaps", stand_in::SILENT, "tls", 96),
    ];
    bounds.into_iter().flatten().collect()
}

fn greet(trusted: &Path) -> Cost {
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={}", plugins::AT_ONCE + 64)).arg(ours("ims-probe").get_program());
    command.args(["--level", "greet", "--timeout", "30s", "--name", identity::NAME, "--ca"]);
    command.arg(identity::certificate(trusted));
    command.args(addresses(COUNT).map(|ip| format!("imaps://{ip}:{}", stand_in::IMAPS)));
    of_a_run(COUNT, &mut command)
}
