//! Ours beside monitoring-plugins, which are a process a probe, and beside the bare loop, which is the floor: a prober
//! that holds this dialogue cannot be cheaper than that, nor by more cheaper than a plugin.

use std::process::Command;

use super::cost::{Cost, compare, of_a_run};
use super::talk::{self, Talk};
use super::{addresses, bare_at, bound, ours_at, stand_in};

/// Where Debian keeps the plugins.
pub const FOLDER: &str = "/usr/lib/nagios/plugins";

/// How many targets a plugin is asked for; what one costs does not change with the number.
const FEW: u32 = 60;
/// How many connections Postfix lets wait, so no more are under way at once.
pub const AT_ONCE: u32 = 100;

/// A plugin beside ours at the same level, and the least dialogue of that level.
struct Rival {
    plugin: &'static str,
    more: &'static str,
    scheme: &'static str,
    level: &'static str,
    talk: Talk,
    /// The port of the real server and of its stand-in, how many targets of each ours is asked for, and how many
    /// times cheaper than the plugin it has to be.
    servers: [(u16, u32, f64); 2],
}

const RIVALS: [Rival; 3] = [
    Rival {
        plugin: "check_smtp",
        more: "",
        scheme: "smtp",
        level: "session",
        talk: talk::SMTP,
        servers: [(25, 1000, 10.0), (stand_in::SMTP, 2000, 20.0)],
    },
    Rival {
        plugin: "check_imap",
        more: "",
        scheme: "imap",
        level: "greet",
        talk: talk::IMAP_GREET,
        servers: [(143, 100, 8.0), (stand_in::IMAP, 2000, 20.0)],
    },
    Rival {
        plugin: "check_ldap",
        more: "-3 -b dc=example,dc=test",
        scheme: "ldap",
        level: "session",
        talk: talk::LDAP,
        servers: [(389, 1000, 30.0), (stand_in::LDAP, 2000, 50.0)],
    },
];

/// Each plugin, on the real server and on its stand-in.
pub fn plugins() -> Vec<String> {
    let mut missed = Vec::new();
    for Rival { plugin, more, scheme, level, talk, servers } in &RIVALS {
        for ((port, count, least), whose) in servers.iter().zip(["the test bed", "a stand-in"]) {
            let [_, theirs, floor] = compare(
                &format!("{scheme} of {whose}, level {level}"),
                5,
                [
                    ("ims-probe", &|| ours_at(scheme, *port, level, *count, AT_ONCE)),
                    (plugin, &|| run(plugin, &format!("-p {port} {more}"))),
                    ("the same dialogue in a bare loop", &|| bare_at(*talk, *port, *count, AT_ONCE)),
                ],
            );
            println!("    the bare loop by {plugin}: {:.1}", theirs / floor);
            missed.extend(bound(
                theirs >= *least,
                format!("probes of {whose} {least} times cheaper than {plugin}"),
            ));
            // The start of the command is in ours, which tells on the hundred that a slow server is asked for.
            let nearest = if *count < 1000 { 0.4 } else { 0.5 };
            let missed_floor = format!("{scheme} of {whose} at {nearest} of its bare dialogue or more");
            missed.extend(bound(floor >= nearest, missed_floor));
        }
    }
    missed
}

/// A plugin for a few addresses, one after the other; two at once for the core that they share.
pub fn run(name: &str, more: &str) -> Cost {
    let hosts: Vec<String> = addresses(FEW).map(|ip| ip.to_string()).collect();
    let list = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(list.path(), hosts.join("\n")).unwrap();
    let mut command = Command::new("xargs");
    command.arg("-a").arg(list.path()).args(["-P", "2", "-I", "{}"]);
    command.arg(format!("{FOLDER}/{name}")).args(["-H", "{}"]).args(more.split_whitespace());
    of_a_run(FEW, &mut command)
}
