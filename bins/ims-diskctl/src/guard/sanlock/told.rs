//! What sanlock's command prints, read. Pure: text → facts.

use std::collections::BTreeMap;

use ims::lease::Lease;

use super::{Here, Owner};

/// A record on the disk as `sanlock direct read_leader` prints it: a name and a value a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Who has it.
    pub owner: Owner,
    /// The name of the lockspace.
    pub space: String,
    /// The name of the lease; in the place of a host the name of that.
    pub name: String,
    /// How long a read or a write may take, in seconds.
    pub io_timeout_s: u64,
}

/// Reads a record.
pub fn leader(text: &str) -> Option<Leader> {
    let values: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.trim().split_once(' ')).collect();
    let number = |name| values.get(name)?.parse().ok();
    let word = |name| values.get(name).map(|word| (*word).to_owned());
    let owner = Owner {
        id: number("owner_id")?,
        generation: number("owner_generation")?,
        timestamp: number("timestamp")?,
    };
    Some(Leader {
        owner,
        space: word("space_name")?,
        name: word("resource_name")?,
        io_timeout_s: number("io_timeout")?,
    })
}

/// What `sanlock client status -D` says of the lockspace of a lease and of that, and the daemon's clock.
///
/// A line of no indent begins something (`s` a lockspace, `r` a lease), the lines below it are its values. An error says
/// that the lockspace is not joined.
pub fn status(text: &str, lease: &Lease) -> Result<(Here, u64), String> {
    let mut has_watchdog = None;
    let mut clock = None;
    let mut generation = None;
    let mut has_lease = false;
    let mut place: Option<(u64, String, u64)> = None;
    let mut is_ours = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            let mut words = line.split(' ');
            let (kind, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let parts: Vec<&str> = what.split(':').collect();
            is_ours = false;
            match (kind, parts.as_slice()) {
                ("s", [space, id, path, offset]) if *space == lease.space => {
                    let number = |text: &str| text.parse().map_err(|_| format!("what is this? {line}"));
                    // `ADD` and `REM` follow while it is joined and left.
                    if words.any(|word| matches!(word, "ADD" | "REM")) {
                        return Err(format!("the lockspace {space} is being joined or left this moment"));
                    }
                    place = Some((number(id)?, (*path).to_owned(), number(offset)?));
                    is_ours = true;
                }
                ("r", [space, name, ..]) => has_lease |= (*space, *name) == (&lease.space, &lease.name),
                _ => {}
            }
            continue;
        }
        match line.trim().split_once('=') {
            Some(("use_watchdog", value)) => has_watchdog = Some(value == "1"),
            Some(("monotime", value)) => clock = value.parse().ok(),
            Some(("host_generation", value)) if is_ours => generation = value.parse().ok(),
            Some(_) | None => {}
        }
    }
    let Some((id, path, offset)) = place else {
        return Err(format!(
            "its lockspace is not joined here: sanlock client add_lockspace -s {}:NUMBER:PATH:OFFSET",
            lease.space
        ));
    };
    let (Some(has_watchdog), Some(clock), Some(generation)) = (has_watchdog, clock, generation) else {
        return Err("sanlock's daemon does not say how it stands".to_owned());
    };
    Ok((Here { id, generation, has_watchdog, has_lease, path, offset }, clock))
}

/// When the daemon last saw a host renew its place, by the daemon's clock, as `sanlock client host_status -D` says: what
/// it saw as that host's own timestamp, and when.
pub fn last_live(text: &str, host: u64) -> Option<(u64, u64)> {
    let mut is_its = false;
    let mut values = BTreeMap::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            is_its = line.split(' ').next() == Some(&host.to_string());
        } else if let Some((name, value)) = line.trim().split_once('=').filter(|_| is_its) {
            values.insert(name, value);
        }
    }
    let number = |name| values.get(name)?.parse::<u64>().ok();
    Some((number("timestamp")?, number("last_live")?)).filter(|(_, live)| *live > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sanlock 3.8.5 of Debian 12 printed for two hosts of a lockspace.
    const STATUS: &str = include_str!("../../../../../tests/data/sanlock/status");
    const HOSTS: &str = include_str!("../../../../../tests/data/sanlock/host_status");
    const LEADER: &str = include_str!("../../../../../tests/data/sanlock/read_leader");

    fn lease(text: &str) -> Lease {
        text.parse().unwrap()
    }

    #[test]
    fn a_record_is_read() {
        let owner = Owner { id: 1, generation: 1, timestamp: 16 };
        let expected = Leader { owner, space: "ims".into(), name: "vol".into(), io_timeout_s: 0 };
        assert_eq!(leader(LEADER), Some(expected));
        assert_eq!(leader("read_leader done -223\n"), None);
    }

    #[test]
    fn what_the_daemon_says_of_a_lease_and_its_lockspace_is_read() {
        let (here, clock) = status(STATUS, &lease("ims:vol:/dev/ubda:1048576")).unwrap();
        let expected = Here {
            id: 1,
            generation: 1,
            has_watchdog: true,
            has_lease: true,
            path: "/dev/ubda".into(),
            offset: 0,
        };
        assert_eq!((here, clock), (expected.clone(), 20));
        let (here, _) = status(STATUS, &lease("ims:other:/dev/ubda:2097152")).unwrap();
        assert_eq!(here, Here { has_lease: false, ..expected });
        let why = status(STATUS, &lease("mail:vol:/dev/ubda:1048576")).unwrap_err();
        assert!(why.contains("not joined"), "{why}");
        let adding = STATUS.replace("s ims:1:/dev/ubda:0", "s ims:1:/dev/ubda:0 ADD");
        assert!(status(&adding, &lease("ims:vol:/dev/ubda:1048576")).unwrap_err().contains("this moment"));
        assert!(status("daemon x\n", &lease("ims:vol:/dev/ubda:1048576")).is_err());
    }

    #[test]
    fn when_a_host_was_last_seen_is_read() {
        assert_eq!(last_live(HOSTS, 2), Some((18, 19)));
        assert_eq!(last_live(HOSTS, 3), None);
        assert_eq!(last_live("hosts not ready\n", 1), None);
    }
}
