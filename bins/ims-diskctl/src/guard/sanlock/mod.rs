//! A lease of sanlock(8) as a guard: one node at a time has it, and a machine that lost it is reset by its watchdog.
//!
//! A lease belongs to a process, and ends with it; a volume stays mounted when the command that mounted it has ended. So
//! the lease is taken as a persistent one: when its process ends, the daemon keeps it as an orphan. The lockspace is told
//! that orphans use it, so that a machine that cannot renew its place there is reset as if the process would not die
//! (sanlock(8), Expiration; `USED_BY_ORPHANS`). Giving it up is to adopt the orphan by a process that ends.
//!
//! What is on the disk is read by `sanlock direct`, what this node's daemon knows is asked of it; nothing waits for a lease.

mod told;
mod tool;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use tool::{Came, Deed, Wanted, carry_out, look};

/// What sanlock grants the watchdog of a machine that lost its place before another gets its leases
/// (`DEFAULT_WATCHDOG_FIRE_TIMEOUT`), in seconds.
const WATCHDOG: u64 = 60;

/// What is known of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its own record on the disk.
    pub owner: Owner,
    /// What this node's daemon says, or why it is not of the lockspace.
    pub here: Result<Here, String>,
    /// The place of the owner in the lockspace; absent when nobody has the lease or that could not be read.
    pub host: Option<Host>,
}

/// Who has a lease, as its record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The number of the host that had it last.
    pub id: u64,
    /// How often that host had joined the lockspace then.
    pub generation: u64,
    /// When it was taken, by the seconds that its host counts since it was booted; 0 when nobody has it.
    pub timestamp: u64,
}

/// What the daemon of this node says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// The number of this node in the lockspace.
    pub id: u64,
    /// How often it has joined it.
    pub generation: u64,
    /// Whether the daemon works with the watchdog: without, nothing stops a machine that lost its leases.
    pub has_watchdog: bool,
    /// Whether it keeps this lease.
    pub has_lease: bool,
    /// Where the lockspace is.
    pub path: String,
    /// Where on it, in bytes.
    pub offset: u64,
}

/// The place of a host in a lockspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its number.
    pub id: u64,
    /// The name by which its daemon signs.
    pub name: String,
    /// How often it has joined.
    pub generation: u64,
    /// When it last renewed its place, by the seconds that it counts since it was booted; 0 when it left.
    pub timestamp: u64,
    /// How long a read or a write may take there, in seconds: what every other time of it follows from.
    pub io_timeout_s: u64,
    /// How long ago this node's daemon saw that it had renewed its place, in seconds; absent when it has not looked yet.
    pub age_s: Option<u64>,
}

impl Host {
    /// The node's name: without `-e` or `our_host_name` the daemon puts a UUID before it.
    pub fn node(&self) -> &str {
        match self.name.split_once('.') {
            Some((uuid, node)) if uuid.len() == 36 && !node.is_empty() => node,
            Some(_) | None => &self.name,
        }
    }

    /// How often a living host renews its place (`calc_id_renewal_seconds`).
    pub const fn renews_every(&self) -> Duration {
        Duration::from_secs(self.io_timeout_s.saturating_mul(2))
    }

    /// For how long it must not have renewed its place before others get its leases (`calc_host_dead_seconds`).
    pub const fn dead_after(&self) -> Duration {
        Duration::from_secs(self.io_timeout_s.saturating_mul(8).saturating_add(WATCHDOG))
    }

    /// How much of that is left.
    pub fn wait(&self) -> Duration {
        self.dead_after().saturating_sub(Duration::from_secs(self.age_s.unwrap_or(0)))
    }
}

/// How a lease stands to this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has it, or a host that left the lockspace or joined it anew since.
    Free,
    /// This node has it.
    Ours,
    /// Another node has it.
    Theirs(Host),
}

impl Seen {
    /// How the lease stands to this node, or why that cannot be told.
    pub fn standing(&self) -> Result<Standing, String> {
        if self.owner.timestamp == 0 {
            return Ok(Standing::Free);
        }
        let here = self.here.as_ref().map_err(Clone::clone)?;
        let is_same = |generation| self.owner.generation == generation;
        if self.owner.id == here.id {
            return Ok(if is_same(here.generation) { Standing::Ours } else { Standing::Free });
        }
        match &self.host {
            Some(host) if host.timestamp == 0 || !is_same(host.generation) => Ok(Standing::Free),
            Some(host) => Ok(Standing::Theirs(host.clone())),
            None => Err(format!("the place of host {} in the lockspace cannot be read", self.owner.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(id: u64, generation: u64, timestamp: u64) -> Host {
        Host { id, name: "mail-2".into(), generation, timestamp, io_timeout_s: 10, age_s: Some(20) }
    }

    #[test]
    fn a_lease_stands_as_its_record_and_the_place_of_its_owner_say() {
        let here = Ok(Here {
            id: 1,
            generation: 4,
            has_watchdog: true,
            has_lease: false,
            path: "/dev/x".into(),
            offset: 0,
        });
        let theirs = host(2, 7, 99);
        for (id, generation, timestamp, host, expected) in [
            (2, 7, 0, None, Ok(Standing::Free)),
            (1, 4, 50, None, Ok(Standing::Ours)),
            (1, 3, 50, None, Ok(Standing::Free)),
            (2, 7, 50, Some(theirs.clone()), Ok(Standing::Theirs(theirs.clone()))),
            (2, 6, 50, Some(theirs.clone()), Ok(Standing::Free)),
            (2, 7, 50, Some(Host { timestamp: 0, ..theirs.clone() }), Ok(Standing::Free)),
            (2, 7, 50, None, Err(())),
        ] {
            let owner = Owner { id, generation, timestamp };
            let seen = Seen { owner, here: here.clone(), host };
            assert_eq!(seen.standing().map_err(drop), expected, "{seen:?}");
        }
        let owner = Owner { id: 2, generation: 7, timestamp: 50 };
        assert!(Seen { owner, here: Err("no daemon".into()), host: None }.standing().is_err());
    }

    #[test]
    fn a_host_is_named_by_its_node_and_waited_for_as_sanlock_does() {
        let named = |name: &str| Host { name: name.into(), ..host(2, 7, 99) };
        for (name, node) in [
            ("mail-2", "mail-2"),
            ("mail-2.example", "mail-2.example"),
            ("f505635b-08df-4d96-a4ef-9c0334627ef8.mail-2", "mail-2"),
            ("f505635b-08df-4d96-a4ef-9c0334627ef8", "f505635b-08df-4d96-a4ef-9c0334627ef8"),
        ] {
            assert_eq!(named(name).node(), node);
        }
        assert_eq!(host(2, 7, 99).wait(), Duration::from_secs(8 * 10 + 60 - 20));
        assert_eq!(Host { age_s: Some(500), ..host(2, 7, 99) }.wait(), Duration::ZERO);
    }
}
