//! Asks sanlock's command for a lease, and has it taken, given up, or set free for a host that is proven dead.

use std::time::{Duration, Instant};

use ims::lease::Lease;
use ims::sys::exec::{Ended, Line};
use serde::{Deserialize, Serialize};

use super::told::{last_live, leader, status};
use super::{Host, Seen, Standing};

/// How long one request may take; whoever asks has a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the daemon may take to write that a lease was given up: it does so when the process is gone.
const GIVES_UP: Duration = Duration::from_secs(10);
/// A program that ends at once: the lease is left by it.
const NOTHING: [&str; 2] = ["-c", "/bin/true"];

/// What is to be done about a lease.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The lease.
    pub lease: Lease,
    /// What is to be done.
    pub deed: Deed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Take the lease, which nobody has.
    Take,
    /// Set the place of a host in the lockspace free, whose node is proven dead; its leases are free with it.
    SetFree(Host),
    /// Give the lease up.
    GiveUp,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Came {
    /// It is as wanted, as the disk says after it.
    Done,
    /// Another was faster, or the host renewed its place; this is what the disk says.
    Another(Seen),
}

/// What is known of a lease.
pub fn look(lease: &Lease) -> Result<Seen, String> {
    let record = read_leader("-r", &lease.to_string())?;
    if (&record.space, &record.name) != (&lease.space, &lease.name) {
        return Err(format!("{}:{} is the lease there", record.space, record.name));
    }
    let owner = record.owner;
    let answer = run(&["client", "status", "-D"]).map_err(|why| format!("{why} (does its daemon run?)"));
    let (here, clock) = match answer.and_then(|answer| status(&answer, lease)) {
        Ok((here, clock)) => (Ok(here), clock),
        Err(why) => (Err(why), 0),
    };
    let host = match &here {
        Ok(here) if owner.timestamp != 0 => {
            let place = format!("{}:{}:{}:{}", lease.space, owner.id, here.path, here.offset);
            Some(host_at(&place, &lease.space, clock)?)
        }
        Ok(_) | Err(_) => None,
    };
    Ok(Seen { owner, here, host })
}

/// The host of a place in a lockspace, and how long ago the daemon, whose clock is given, saw it renew that.
fn host_at(place: &str, space: &str, clock: u64) -> Result<Host, String> {
    let record = read_leader("-s", place)?;
    let known = run(&["client", "host_status", "-s", space, "-D"]).unwrap_or_default();
    // What the disk says now may be younger than what the daemon saw last.
    let age_s = last_live(&known, record.owner.id)
        .map(|(seen, live)| if seen == record.owner.timestamp { clock.saturating_sub(live) } else { 0 });
    Ok(Host {
        id: record.owner.id,
        name: record.name,
        generation: record.owner.generation,
        timestamp: record.owner.timestamp,
        io_timeout_s: record.io_timeout_s,
        age_s,
    })
}

/// Does it, and asks the disk whether it is done.
pub fn carry_out(wanted: &Wanted) -> Result<Came, String> {
    let Wanted { lease, deed } = wanted;
    match deed {
        Deed::Take => take(lease),
        Deed::SetFree(host) => set_free(lease, host),
        Deed::GiveUp => give_up(lease),
    }
}

fn take(lease: &Lease) -> Result<Came, String> {
    // Before there is an orphan: from then on the watchdog is responsible for it.
    run(&["client", "set_config", "-s", &lease.space, "-O", "1"])?;
    let before = look(lease)?;
    let done = match &before.here {
        Ok(here) if here.has_lease => Ok(String::new()),
        Ok(_) => with_nothing(&["-r", &lease.to_string(), "-P", "1"]),
        Err(why) => return Err(why.clone()),
    };
    let now = look(lease)?;
    match (now.standing()?, done) {
        (Standing::Ours, _) => Ok(Came::Done),
        (Standing::Theirs(_), _) => Ok(Came::Another(now)),
        (Standing::Free, Ok(_)) => Err("nobody has it afterwards".to_owned()),
        (Standing::Free, Err(why)) => Err(why),
    }
}

fn set_free(lease: &Lease, host: &Host) -> Result<Came, String> {
    let now = look(lease)?;
    let is_same =
        |now: &Host| (now.id, now.generation, now.timestamp) == (host.id, host.generation, host.timestamp);
    if !now.host.as_ref().is_some_and(is_same) {
        return Ok(Came::Another(now));
    }
    let here = now.here?;
    // Not in sanlock(8), and made for this. A host that is alive all the same finds its place changed when it next renews
    // it, and is reset.
    let place = format!("{}:{}:{}:{}", lease.space, host.id, here.path, here.offset);
    run(&["direct", "release_id", "-s", &place])?;
    let now = look(lease)?;
    if now.standing()? == Standing::Free { Ok(Came::Done) } else { Ok(Came::Another(now)) }
}

fn give_up(lease: &Lease) -> Result<Came, String> {
    let seen = look(lease)?;
    if seen.standing()? != Standing::Ours {
        return Ok(Came::Done);
    }
    let words = lease.to_string();
    if seen.here?.has_lease {
        with_nothing(&["-r", &words, "-O", "1"])?;
    } else {
        // The daemon lost track of it; it is taken anew, and ends with the process.
        with_nothing(&["-r", &words])?;
    }
    let end = Instant::now() + GIVES_UP;
    while look(lease)?.standing()? == Standing::Ours {
        if Instant::now() >= end {
            return Err("sanlock keeps it".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20)); // the daemon writes in its own time, and tells nobody
    }
    Ok(Came::Done)
}

/// Has the daemon take leases for a process that ends at once.
fn with_nothing(words: &[&str]) -> Result<String, String> {
    run(&[&["client", "command"], words, &NOTHING].concat())
}

fn read_leader(what: &str, place: &str) -> Result<super::told::Leader, String> {
    let answer = run(&["direct", "read_leader", what, place])?;
    leader(&answer).ok_or_else(|| format!("sanlock does not tell what is at {place}"))
}

fn run(words: &[&str]) -> Result<String, String> {
    let ended =
        Line::new(["sanlock"].iter().chain(words).copied()).run(PATIENCE).map_err(|e| e.to_string())?;
    if ended.is_success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(why(&ended))
}

/// Why a request failed, in words: sanlock tells a number (`sanlock_rv.h`, and errno below 200).
fn why(ended: &Ended) -> String {
    let said = [&ended.stdout[..], &ended.stderr[..]].concat();
    let Some((request, number)) = told(&String::from_utf8_lossy(&said)) else {
        // Where no daemon answers, it says nothing at all.
        return format!("sanlock: {}", ended.last_words());
    };
    let meaning = match number {
        28 => "its lockspace is not joined here",
        202 => "sanlock could not read or write in time",
        223 => "there is no lease",
        226 => "it is of another lockspace",
        227 => "it has another name",
        228 => "its checksum is wrong",
        243 => "another host has it, and is alive",
        1..200 => return format!("{request}: {}", std::io::Error::from_raw_os_error(number)),
        _ => return format!("{request}: sanlock's error {number}"),
    };
    format!("{request}: {meaning}")
}

/// The request that failed, and the number of why: `acquire done -243`.
fn told(said: &str) -> Option<(String, i32)> {
    let line = said.lines().find(|line| line.contains(" done -"))?;
    let (request, number) = line.split_once(" done -")?;
    Some((request.trim().to_owned(), number.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_request_failed_is_told_in_words() {
        for (stdout, words) in [
            (
                "register\nregister done 3\nacquire fd 3\nacquire done -243\n",
                "acquire: another host has it, and is alive",
            ),
            ("read_leader done -223\nmagic 0x0\n", "read_leader: there is no lease"),
            ("read_leader done -2\n", "read_leader: No such file or directory (os error 2)"),
            ("add_lockspace_timeout done -203\n", "add_lockspace_timeout: sanlock's error 203"),
            ("", "sanlock: exit status 1"),
        ] {
            let ended = Ended { status: Some(1), signal: None, stdout: stdout.into(), stderr: Vec::new() };
            assert_eq!(why(&ended), words);
        }
    }
}
