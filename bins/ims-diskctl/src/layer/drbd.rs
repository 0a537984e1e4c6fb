//! DRBD: a resource that two or more nodes keep alike (drbdadm(8), drbdsetup(8)).
//!
//! One node is primary. A node that cannot see the other does not know whether that is primary too, unless its disk is known
//! to be outdated, or the kernel counts a quorum (DRBD 9).

use ims::Fail;
use ims::sys::exec::Line;
use serde::Deserialize;

use super::tools::Tools;
use super::{Sight, Standing, strange};

/// A resource as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    name: String,
    /// What the kernel says of it; absent when it is not up.
    kernel: Option<Kernel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kernel {
    is_primary: bool,
    /// The states of its disks here, such as `UpToDate`.
    disks: Vec<String>,
    /// Whether the kernel counts a quorum, and has it.
    quorum: Option<bool>,
    peers: Vec<Peer>,
}

/// Another node.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    name: String,
    is_connected: bool,
    is_primary: bool,
    disks: Vec<String>,
}

/// `drbdsetup status --json` of DRBD 9.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Told {
    role: String,
    devices: Vec<ToldDevice>,
    connections: Vec<ToldConnection>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ToldDevice {
    disk_state: String,
    /// True also where none is asked for.
    quorum: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ToldConnection {
    name: String,
    connection_state: String,
    peer_role: String,
    #[serde(rename = "peer_devices", default)]
    peer_devices: Vec<ToldPeer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ToldPeer {
    peer_disk_state: String,
}

/// Looks at a resource.
pub fn look(name: &str, us: &str, tools: &mut Tools<'_>) -> Result<Resource, Fail> {
    let ours = |kernel| Resource { name: name.to_owned(), kernel };
    let dump = tools.must(&Line::new(["drbdadm", "dump", name]))?.stdout;
    let status = tools.run(&Line::new(["drbdsetup", "status", name, "--json"]))?;
    if status.is_success() && status.stdout.trim_start().starts_with('[') {
        return Ok(ours(nine(&status.stdout, asks_for_quorum(&dump))?));
    }
    // The kernel's own 8.4 knows no JSON.
    let role = tools.run(&Line::new(["drbdadm", "role", name]))?;
    if !role.is_success() {
        let words = role.words();
        let is_down = [
            "minor not allocated",
            "not configured",
            "No such resource",
            "module",
            "Could not connect to 'drbd'",
        ];
        return if is_down.iter().any(|known| words.contains(known)) {
            Ok(ours(None))
        } else {
            Err(Fail::unknown(format!("cannot tell the role of {name}")).because(words))
        };
    }
    let mut ask = |what| Ok::<String, Fail>(tools.must(&Line::new(["drbdadm", what, name]))?.stdout);
    let (dstate, cstate) = (ask("dstate")?, ask("cstate")?);
    Ok(ours(eight(&role.stdout, &dstate, &cstate, &peer(&dump, us))?))
}

/// Reads DRBD 9's JSON; absent when the resource is not up.
fn nine(text: &str, asks_for_quorum: bool) -> Result<Option<Kernel>, Fail> {
    let told: Vec<Told> = serde_json::from_str(text).map_err(|e| strange("drbdsetup", e))?;
    let Some(told) = told.into_iter().next() else { return Ok(None) };
    let peer = |connection: ToldConnection| Peer {
        name: connection.name,
        is_connected: connection.connection_state == "Connected",
        is_primary: connection.peer_role == "Primary",
        disks: connection.peer_devices.into_iter().map(|device| device.peer_disk_state).collect(),
    };
    Ok(Some(Kernel {
        is_primary: told.role == "Primary",
        quorum: asks_for_quorum.then(|| told.devices.iter().all(|device| device.quorum)),
        disks: told.devices.into_iter().map(|device| device.disk_state).collect(),
        peers: told.connections.into_iter().map(peer).collect(),
    }))
}

/// Reads what `drbdadm role`, `dstate` (a line a volume) and `cstate` say of 8.4: `Secondary/Primary`, `UpToDate/UpToDate`.
fn eight(role: &str, dstate: &str, cstate: &str, peer: &str) -> Result<Option<Kernel>, Fail> {
    let pair = |text: &str| {
        let (ours, theirs) = text.trim().split_once('/')?;
        Some((ours.to_owned(), theirs.to_owned()))
    };
    let wrong = || strange("drbdadm", format!("{role:?} {dstate:?} {cstate:?}"));
    if role.trim().starts_with("Unconfigured") {
        return Ok(None);
    }
    let (ours, theirs) = pair(role).ok_or_else(wrong)?;
    let disks: Option<Vec<(String, String)>> = dstate.lines().map(pair).collect();
    let (disks, peers) = disks.ok_or_else(wrong)?.into_iter().unzip();
    let states = [
        "Connected",
        "SyncSource",
        "SyncTarget",
        "VerifyS",
        "VerifyT",
        "PausedSyncS",
        "PausedSyncT",
        "Ahead",
        "Behind",
    ];
    let is_connected = cstate.lines().all(|line| states.contains(&line.trim()));
    let is_primary = theirs == "Primary";
    let peer = Peer { name: peer.to_owned(), is_connected, is_primary, disks: peers };
    Ok(Some(Kernel { is_primary: ours == "Primary", disks, quorum: None, peers: vec![peer] }))
}

/// The other node in `drbdadm dump`'s lines `on NAME {`.
fn peer(dump: &str, us: &str) -> String {
    let hosts = dump.lines().filter_map(|line| line.trim().strip_prefix("on ")?.split_whitespace().next());
    hosts.map(|host| host.trim_matches('"')).find(|host| *host != us).unwrap_or("the peer").to_owned()
}

fn asks_for_quorum(dump: &str) -> bool {
    let mut words = dump.lines().filter_map(|line| line.trim().strip_prefix("quorum "));
    words.any(|value| !matches!(value.trim().trim_end_matches(';'), "off" | "no"))
}

impl Sight for Resource {
    fn standing(&self) -> Standing {
        // Once it is up it sees the other node, and is looked at again.
        let Some(kernel) = &self.kernel else { return Standing::Free };
        let is_usable = kernel.disks.iter().all(|disk| disk == "UpToDate") && kernel.quorum != Some(false);
        if kernel.is_primary {
            return if is_usable { Standing::Active } else { Standing::Partly };
        }
        if let Some(peer) = kernel.peers.iter().find(|peer| peer.is_primary) {
            return Standing::Theirs(peer.name.clone());
        }
        let may_be_primary =
            |peer: &&Peer| !peer.is_connected && !peer.disks.iter().all(|disk| disk == "Outdated");
        match kernel.peers.iter().find(may_be_primary) {
            Some(peer) if kernel.quorum != Some(true) => {
                Standing::Unsure(format!("it is not connected to {}, which may be primary", peer.name))
            }
            Some(_) | None => Standing::Free,
        }
    }

    fn why(&self) -> Option<String> {
        let kernel = self.kernel.as_ref()?;
        let disk = kernel.disks.iter().find(|disk| *disk != "UpToDate");
        let alone = || kernel.peers.iter().find(|peer| !peer.is_connected);
        match (kernel.quorum, disk) {
            (Some(false), _) => Some("it has no quorum".to_owned()),
            (_, Some(disk)) => Some(format!("its disk here is {disk}")),
            (_, None) => alone().map(|peer| format!("it is not connected to {}", peer.name)),
        }
    }

    fn up(&self, _degraded: bool) -> Vec<Line> {
        let word = if self.kernel.is_none() { "up" } else { "primary" };
        vec![Line::new(["drbdadm", word, self.name.as_str()])]
    }

    fn down(&self) -> Vec<Line> {
        let is_primary = self.kernel.as_ref().is_some_and(|kernel| kernel.is_primary);
        is_primary.then(|| Line::new(["drbdadm", "secondary", self.name.as_str()])).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kernel: Option<Kernel>) -> Resource {
        Resource { name: "ims".into(), kernel }
    }

    #[test]
    fn drbd_9_stands_as_its_json_says() {
        let recorded = include_str!("../../../../tests/data/layers/drbd/status.json");
        let secondary = nine(recorded, true).unwrap();
        assert_eq!(of(secondary.clone()).standing(), Standing::Theirs("mail-2".into()));
        assert_eq!(nine("[]", false).unwrap(), None);
        let with = |change: &dyn Fn(&mut Kernel)| {
            let mut kernel = secondary.clone().unwrap();
            kernel.peers[0].is_primary = false;
            change(&mut kernel);
            of(Some(kernel)).standing()
        };
        assert_eq!(with(&|_| ()), Standing::Free);
        assert_eq!(with(&|kernel| kernel.is_primary = true), Standing::Active);
        assert_eq!(
            with(&|kernel| (kernel.is_primary, kernel.quorum) = (true, Some(false))),
            Standing::Partly
        );
        let cut = |kernel: &mut Kernel| kernel.peers[0].is_connected = false;
        assert_eq!(with(&cut), Standing::Free, "it has the quorum");
        let unsure = Standing::Unsure("it is not connected to mail-2, which may be primary".into());
        assert_eq!(with(&|kernel| (cut(kernel), kernel.quorum = None).1), unsure);
        assert_eq!(with(&|kernel| (cut(kernel), kernel.quorum = Some(false)).1), unsure);
    }

    #[test]
    fn the_kernels_own_drbd_stands_as_drbdadm_says() {
        let standing = |role: &str, dstate: &str, cstate: &str| {
            of(eight(role, dstate, cstate, "mail-2").unwrap()).standing()
        };
        let unsure = Standing::Unsure("it is not connected to mail-2, which may be primary".into());
        let both = "UpToDate/UpToDate\n";
        assert_eq!(standing("Secondary/Secondary\n", both, "Connected\n"), Standing::Free);
        assert_eq!(standing("Primary/Secondary\n", both, "Connected\n"), Standing::Active);
        assert_eq!(standing("Primary/Unknown\n", "UpToDate/DUnknown\n", "WFConnection\n"), Standing::Active);
        assert_eq!(standing("Secondary/Primary\n", both, "Connected\n"), Standing::Theirs("mail-2".into()));
        assert_eq!(standing("Secondary/Unknown\n", "UpToDate/DUnknown\n", "WFConnection\n"), unsure);
        assert_eq!(standing("Secondary/Unknown\n", "UpToDate/Outdated\n", "WFConnection\n"), Standing::Free);
        assert!(eight("x", "", "", "mail-2").is_err());
    }

    #[test]
    fn the_other_node_and_the_quorum_stand_in_the_configuration() {
        let dump = "resource ims {\n    on mail-1 {\n    }\n    on \"mail-2\" {\n    }\n options {\n  quorum majority;\n";
        assert_eq!((peer(dump, "mail-1").as_str(), asks_for_quorum(dump)), ("mail-2", true));
        assert!(!asks_for_quorum("quorum off;\n") && !asks_for_quorum(""));
    }
}
