//! A DRBD device: its copy on this node and on the others, by `/proc/drbd` of the kernel's own 8.4 and by
//! `drbdsetup status --json` of DRBD 9 (drbdsetup(8)).

use std::time::Duration;

use ims::sys::exec::{self, Line};
use ims::{Fail, Host};
use serde::Deserialize;

use super::Found;
use super::record::{Leg, LegState, Resync, state};

/// The major number of DRBD's devices.
pub const MAJOR: u32 = 147;

/// Asks for the device with this minor number.
pub fn look(host: &Host, minor: u32, timeout: Duration) -> Result<Found, Fail> {
    let path = host.path("/proc/drbd");
    let proc = fs_err::read_to_string(&path).unwrap_or_default();
    if let Some(found) = eight(&proc, minor) {
        return Ok(found);
    }
    if exec::is_there("drbdsetup") {
        let ended = Line::new(["drbdsetup", "status", "--json"]).run(timeout)?;
        if let Some(found) = nine(&ended.stdout, minor)? {
            return Ok(found);
        }
    }
    Err(Fail::unknown(format!("cannot tell the state of /dev/drbd{minor}"))
        .because("neither /proc/drbd nor drbdsetup status knows it"))
}

/// What `/proc/drbd` says of a device: ` 0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----` and,
/// while it is made alike, `sync'ed: 19.5% (…)` and `finish: 0:00:12 speed: …` below.
fn eight(text: &str, minor: u32) -> Option<Found> {
    let head = format!("{minor}: ");
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with(&head));
    let line = lines.next()?;
    let of = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
    let (connection, disks) = (of("cs:")?, of("ds:"));
    let (ours, theirs) = disks.and_then(|disks| disks.split_once('/')).unwrap_or(("Diskless", "DUnknown"));
    let below: Vec<&str> = lines.take_while(|line| !line.contains(": cs:")).collect();
    let after = |word: &str| below.iter().find_map(|line| line.split_once(word)).map(|(_, rest)| rest.trim());
    let percent = after("sync'ed:").and_then(|rest| rest.split('.').next()?.parse().ok());
    let resync = percent.map(|percent| Resync {
        action: "sync".to_owned(),
        percent,
        left_s: after("finish:").and_then(|rest| clock(rest.split_whitespace().next()?)),
    });
    let is_syncing = resync.is_some();
    let legs = vec![leg("here", ours, is_syncing), leg("the other node", theirs, is_syncing)];
    Some(found(minor, legs, resync, connection))
}

/// Seconds of `0:01:12`.
fn clock(text: &str) -> Option<u64> {
    text.split(':').try_fold(0u64, |seconds, part| Some(seconds * 60 + part.parse::<u64>().ok()?))
}

fn leg(place: &str, disk: &str, is_syncing: bool) -> Leg {
    let state = match disk {
        "UpToDate" => LegState::Present,
        "Inconsistent" if is_syncing => LegState::Rebuilding,
        "Diskless" | "DUnknown" => LegState::Missing,
        "Failed" | "Detaching" => LegState::Failed,
        // Inconsistent, Outdated, Consistent, Attaching, Negotiating: there, and not known to be like the newest.
        _ => LegState::Stale,
    };
    Leg { place: Some(place.to_owned()), device: None, number: None, uuid: None, state, generation: None }
}

fn found(minor: u32, legs: Vec<Leg>, resync: Option<Resync>, connection: &str) -> Found {
    let why = (connection == "StandAlone").then(|| {
        "it does not look for the other node: it was told so, or the two were written apart (split brain)"
            .to_owned()
    });
    let name = format!("/dev/drbd{minor}");
    Found { kind: "drbd", name, state: state(&legs), active: true, legs, resync, why }
}

/// What DRBD 9 says, in JSON.
fn nine(text: &[u8], minor: u32) -> Result<Option<Found>, Fail> {
    let strange = |e| Fail::unknown("drbdsetup answers something that is not understood").because(e);
    let all: Vec<Resource> = serde_json::from_slice(text).map_err(strange)?;
    for resource in all {
        let Some(device) = resource.devices.iter().find(|device| device.minor == minor) else { continue };
        let mut legs = vec![leg("here", &device.disk_state, resource.is_syncing())];
        let mut percent: Option<f64> = None;
        let mut connection = "";
        for peer in &resource.connections {
            let theirs = peer.peer_devices.iter().find(|theirs| theirs.volume == device.volume);
            let disk = theirs.map_or("DUnknown", |theirs| theirs.peer_disk_state.as_str());
            legs.push(leg(&peer.name, disk, resource.is_syncing()));
            let syncing = theirs.filter(|theirs| theirs.replication_state.starts_with("Sync"));
            if let Some(theirs) = syncing {
                percent =
                    Some(percent.map_or(theirs.percent_in_sync, |least| least.min(theirs.percent_in_sync)));
            }
            if peer.state == "StandAlone" {
                connection = "StandAlone";
            }
        }
        let whole = |percent: f64| format!("{:.0}", percent.floor()).parse().unwrap_or(0);
        let resync = percent.map(|percent| Resync {
            action: "sync".to_owned(),
            percent: whole(percent),
            left_s: None,
        });
        return Ok(Some(found(minor, legs, resync, connection)));
    }
    Ok(None)
}

/// `drbdsetup status --json`: the part that is looked at.
#[derive(Debug, Deserialize)]
struct Resource {
    devices: Vec<Device>,
    connections: Vec<Connection>,
}

impl Resource {
    fn is_syncing(&self) -> bool {
        let mut all = self.connections.iter().flat_map(|peer| &peer.peer_devices);
        all.any(|theirs| theirs.replication_state.starts_with("Sync"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Device {
    volume: u32,
    minor: u32,
    disk_state: String,
}

#[derive(Debug, Deserialize)]
struct Connection {
    name: String,
    #[serde(rename = "connection-state")]
    state: String,
    #[serde(default)]
    peer_devices: Vec<PeerDevice>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PeerDevice {
    volume: u32,
    replication_state: String,
    peer_disk_state: String,
    percent_in_sync: f64,
}

#[cfg(test)]
mod tests {
    use ims::State;

    use super::*;

    /// From the DRBD 8.4 User's Guide, "Checking resource synchronization progress".
    const EIGHT: &str = "version: 8.4.0 (api:1/proto:86-100)\n\
        \x20 1: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----\n\
        \x20   ns:65664 nr:0 dw:0 dr:70624 al:0 bm:4 lo:0 pe:15 ua:310 ap:0 ep:1 wo:f oos:983040\n\
        \t[>...................] sync'ed:  6.3% (960/1024)M\n\
        \tfinish: 0:01:12 speed: 13,132 (13,132) K/sec\n\
        \x20 2: cs:StandAlone ro:Primary/Unknown ds:UpToDate/DUnknown   r-----\n\
        \x20   ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n";

    #[test]
    fn the_kernels_own_drbd_tells_its_two_copies() {
        let found = eight(EIGHT, 1).unwrap();
        assert_eq!(found.resync, Some(Resync { action: "sync".into(), percent: 6, left_s: Some(72) }));
        let states: Vec<LegState> = found.legs.iter().map(|leg| leg.state).collect();
        assert_eq!((found.state, states), (State::Partial, vec![LegState::Present, LegState::Rebuilding]));
        let alone = eight(EIGHT, 2).unwrap();
        assert_eq!(
            (alone.state, alone.legs[1].state, alone.resync),
            (State::Partial, LegState::Missing, None)
        );
        assert!(alone.why.unwrap().contains("split brain"));
        assert!(eight(EIGHT, 0).is_none());
    }

    #[test]
    fn drbd_9_tells_every_node() {
        let text = br#"[{"name":"ims","node-id":0,"role":"Primary","devices":[{"volume":0,"minor":3,"disk-state":"UpToDate","client":false,"quorum":true,"size":1048576}],
            "connections":[{"peer-node-id":1,"name":"mail-2","connection-state":"Connected","peer-role":"Secondary",
            "peer_devices":[{"volume":0,"replication-state":"SyncSource","peer-disk-state":"Inconsistent","peer-client":false,"out-of-sync":1000,"percent-in-sync":91.70}]}]}]"#;
        let found = nine(text, 3).unwrap().unwrap();
        assert_eq!(
            (found.legs[1].place.as_deref(), found.legs[1].state),
            (Some("mail-2"), LegState::Rebuilding)
        );
        assert_eq!(found.resync.unwrap().percent, 91);
        assert!(nine(text, 0).unwrap().is_none());
        assert!(nine(b"", 0).is_err());
    }
}
