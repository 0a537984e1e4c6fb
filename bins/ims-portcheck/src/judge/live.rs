//! Configured listeners beside the sockets that listen now.

use ims::Host;
use ims::instance::Instance;
use ims::sys::sock::{Listening, Owner};
use ims::whose::{Whose, whose};

use super::{add, bound, conflict, socket};
use crate::kernel::{Socket, answer};
use crate::look::{Configured, Taken};
use crate::overlap::overlap;
use crate::record::{Conflict, Side, Verdict};
use crate::units::UnitSocket;

/// The conflicts of configured listeners with sockets of this node that are not their instance's own.
pub fn live(
    host: &Host,
    listeners: &[Configured],
    taken: &[Taken],
    units: &[UnitSocket],
    known: &[&Instance],
    told: &[Conflict],
) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for a in listeners {
        for now in taken.iter().filter(|taken| taken.socket.port == a.listener.port) {
            let owner = now.owners.first();
            let kernel = answer(&socket(a), &standing(&now.socket, owner));
            let Some(why) = overlap(a.listener.bind, now.socket.bind) else { continue };
            let mut b = Side::live(host.name(), &now.socket, owner);
            if owner.is_some_and(is_systemd) {
                b.unit = opener(units, &now.socket).map(|unit| unit.unit.clone());
            }
            let stop = match (owner, &b.unit) {
                (None, _) => "stop whoever has it".to_owned(),
                (Some(owner), Some(unit)) if is_systemd(owner) => format!("systemctl disable --now {unit}"),
                (Some(owner), None) if is_systemd(owner) => {
                    "stop the unit that has it, which systemctl list-sockets names".to_owned()
                }
                (Some(owner), Some(unit)) => format!("stop {} (pid {} of {unit})", owner.command, owner.pid),
                (Some(owner), None) => format!("stop {} (pid {})", owner.command, owner.pid),
            };
            let (verdict, mend) = match whose(host, &a.of.record, known, &now.owners) {
                Whose::Own => continue,
                Whose::Other(other) if is_told(told, a, other) => continue,
                Whose::Foreign if is_told_of_systemd(told, a, owner) => continue,
                Whose::Other(other) => {
                    b.instance = Some(other.name.clone());
                    let mend = format!("restart {} with its new configuration, or {stop}", other.name);
                    (Verdict::Conflict, mend)
                }
                Whose::Foreign => (Verdict::Conflict, format!("{stop}, or bind it to an address of its own")),
                Whose::Unknown => (Verdict::Unknown, "run it as root, or look who has the port".to_owned()),
            };
            let why = format!("the port is taken now: {why}");
            add(&mut conflicts, conflict(host.name(), a, b, verdict, kernel, &why, mend));
        }
    }
    conflicts
}

/// The socket that listens now. Whether it has `SO_REUSEPORT` is not told by the kernel; Postfix sets it.
fn standing(socket: &Listening, owner: Option<&Owner>) -> Socket {
    let is_postfix =
        |owner: &Owner| owner.command.contains("/postfix/") && owner.command.ends_with("/master");
    bound(socket.bind, owner.is_some_and(is_postfix), socket.uid)
}

/// Whether a unit of systemd is told already for what systemd itself listens on.
fn is_told_of_systemd(told: &[Conflict], a: &Configured, owner: Option<&Owner>) -> bool {
    owner.is_some_and(is_systemd)
        && told.iter().any(|conflict| {
            conflict.port == a.listener.port
                && conflict.b.unit.is_some()
                && conflict.a.instance.as_ref() == Some(&a.of.record.name)
        })
}

/// Whether a socket is one that systemd opened for a unit; one that was handed on is held by its service too.
fn is_systemd(owner: &Owner) -> bool {
    owner.pid == 1 && owner.command.ends_with("/systemd")
}

/// The unit that systemd opened a socket for, an enabled one first.
fn opener<'a>(units: &'a [UnitSocket], socket: &Listening) -> Option<&'a UnitSocket> {
    let here = units.iter().filter(|unit| unit.port == socket.port && unit.bind == socket.bind);
    here.max_by_key(|unit| unit.is_enabled)
}

/// Whether the configurations say already that the two collide at this port.
fn is_told(told: &[Conflict], a: &Configured, other: &Instance) -> bool {
    let is = |side: &Side, name| side.instance.as_ref() == Some(name);
    told.iter().filter(|conflict| conflict.port == a.listener.port).any(|conflict| {
        let (us, them) = (&a.of.record.name, &other.name);
        (is(&conflict.a, us) && is(&conflict.b, them)) || (is(&conflict.a, them) && is(&conflict.b, us))
    })
}
