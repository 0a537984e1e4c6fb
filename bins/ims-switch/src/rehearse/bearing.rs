//! What the node that has a group tells of it, so that another can say whether it could have it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ims::group::{Kind, Resource};
use ims::name::{NodeName, ResourceName};
use ims::sys::exec::Line;
use ims::sys::net::Net;
use ims::{Exit, Fail};
use serde::{Deserialize, Serialize};

use super::ids::{Id, owners};
use super::record::{Point, Verdict};
use crate::resource::{Here, ask, server};

/// How long the other node's ports may take.
const PORTS: Duration = Duration::from_secs(30);

/// What the node that has a group tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bearing {
    /// The node.
    pub node: NodeName,
    /// The executables that the servers use.
    pub needs: BTreeMap<ResourceName, Vec<PathBuf>>,
    /// The users and groups that own files of the instances, or why they cannot be told.
    pub owners: Result<Vec<Id>, String>,
    /// How much memory each server uses now, in bytes; absent where that cannot be told.
    pub memory: BTreeMap<ResourceName, u64>,
    /// The number of each volume's file system.
    pub uuids: BTreeMap<ResourceName, String>,
    /// The hardware addresses of the node, by which it answers for the logical IP.
    pub hardware: Vec<String>,
    /// Whether the other node's ports are free.
    pub ports: Point,
}

/// Tells it of this node, for that one.
pub fn bearing(here: &Here<'_>, node: &NodeName, target: &NodeName) -> Result<Bearing, Fail> {
    let resources = || here.group.resources.iter();
    let servers = || resources().filter(|resource| resource.kind.instance().is_some());
    let links = Net::open().and_then(|mut net| net.links())?;
    Ok(Bearing {
        node: node.clone(),
        needs: servers().map(|server| (server.name.clone(), server::needs(here, server))).collect(),
        owners: owners(&servers().filter_map(|server| server::folder(here, server)).collect::<Vec<_>>())
            .map_err(|fail| fail.to_string()),
        memory: servers()
            .filter_map(|server| Some((server.name.clone(), server::memory(here, server)?)))
            .collect(),
        uuids: resources().filter_map(|volume| Some((volume.name.clone(), uuid(here, volume)?))).collect(),
        hardware: links.iter().filter_map(|link| link.mac).map(|mac| mac.to_string()).collect(),
        ports: ports(here, target),
    })
}

/// The number of a volume's file system as this node sees it.
pub fn uuid(here: &Here<'_>, resource: &Resource) -> Option<String> {
    #[derive(Deserialize)]
    struct Volume {
        uuid: Option<String>,
    }
    let Kind::Volume(volume) = &resource.kind else { return None };
    let line = Line::new(["ims-diskctl", "look", "--device"])
        .arg(&volume.device)
        .arg("--mount")
        .arg(&volume.mount)
        .arg("--fstype")
        .arg(volume.fstype.word());
    let (records, _) = ask::<Volume>(here, &line, PORTS).ok()?;
    records.into_iter().find_map(|volume| volume.uuid)
}

/// Whether the servers' ports are free there. The servers' files are here, the sockets there.
fn ports(here: &Here<'_>, target: &NodeName) -> Point {
    #[derive(Deserialize)]
    struct Conflict {
        verdict: String,
        why: String,
    }
    let names = here.group.resources.iter().filter_map(|resource| match &resource.kind {
        Kind::MessagingServer { instance } => Some(instance.to_string()),
        Kind::Nic { .. }
        | Kind::LogicalIp { .. }
        | Kind::DiskGroup { .. }
        | Kind::Volume(_)
        | Kind::DirectoryServer { .. }
        | Kind::Command(_)
        | Kind::Ocf(_) => None,
    });
    let names: Vec<String> = names.collect();
    let point = |verdict| Point::new(None, "ports", verdict);
    if names.is_empty() {
        return point(Verdict::NotChecked).because("no instance of the registry is in the group");
    }
    let line = names.iter().fold(Line::new(["ims-portcheck"]), Line::arg);
    let line = line.arg("--as-on").arg(target.as_str()).arg("--live");
    match ask::<Conflict>(here, &line, PORTS) {
        Ok((_, Exit::Ok)) => point(Verdict::Good),
        Ok((found, _)) => {
            let whys = |verdict: &str| {
                let of = found.iter().filter(|conflict| conflict.verdict == verdict);
                of.map(|conflict| conflict.why.as_str()).collect::<Vec<_>>().join("; ")
            };
            match (whys("conflict"), whys("unknown")) {
                (conflicts, _) if !conflicts.is_empty() => {
                    point(Verdict::Obstacle).because(format!("{conflicts} ({line} tells more)"))
                }
                (_, unknown) => point(Verdict::Unknown).because(format!("{unknown} ({line} tells more)")),
            }
        }
        Err(fail) => point(Verdict::Unknown).because(fail.to_string()),
    }
}
