//! What can be looked at on the node that would get the group.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ims::group::{Kind, Resource};
use ims::name::ResourceName;
use ims::sys::exec::Line;
use ims::sys::memory;
use ims::sys::mount;
use ims::{Exit, State};
use serde::Deserialize;

use super::bearing::{Bearing, uuid};
use super::record::{Point, Verdict};
use crate::plan::line;
use crate::resource::{Here, ask};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long somebody who has the address may take to answer.
const ANSWER: &str = "500ms";
/// Folders of the node itself that servers and these commands write to.
const FOLDERS: [&str; 4] = ["/run", "/tmp", "/var/lib", "/var/log"];
/// What must be free in each, in bytes.
const ROOM: u64 = 64 << 20;

/// Looks at everything, each resource beside the others.
pub fn points(here: &Here<'_>, bearing: Option<&Bearing>) -> Vec<Point> {
    let resources: Vec<Point> = std::thread::scope(|scope| {
        let threads: Vec<_> = here
            .group
            .resources
            .iter()
            .map(|resource| (resource, scope.spawn(move || of(here, resource, bearing))))
            .collect();
        let lost =
            |resource: &Resource| vec![Point::new(Some(&resource.name), "all of it", Verdict::Unknown)];
        threads
            .into_iter()
            .flat_map(|(resource, thread)| thread.join().unwrap_or_else(|_| lost(resource)))
            .collect()
    });
    let room = FOLDERS.iter().filter_map(|folder| space(Path::new(folder)));
    resources.into_iter().chain(bearing.into_iter().flat_map(borne)).chain(room).collect()
}

/// What is needed of one resource.
fn of(here: &Here<'_>, resource: &Resource, bearing: Option<&Bearing>) -> Vec<Point> {
    let name = &resource.name;
    let none = Vec::new();
    let needs = bearing.and_then(|bearing| bearing.needs.get(name)).unwrap_or(&none);
    let obstacles = here.obstacles(resource, needs);
    let point = |subject: &str, verdict| Point::new(Some(name), subject, verdict);
    let mut told: Vec<Point> =
        obstacles.iter().map(|what| point("what it needs", Verdict::Obstacle).because(what)).collect();
    if told.is_empty() {
        told.push(point("what it needs", Verdict::Good));
    }
    let only_then = |what: &str, why: &str| point(what, Verdict::NotChecked).because(why);
    match &resource.kind {
        Kind::Nic { .. } => {}
        Kind::LogicalIp { .. } => {
            told.push(address(here, resource, bearing));
            told.push(only_then("announcement", "whether neighbours and routers heed it, only a move shows"));
        }
        Kind::Volume(volume) if volume.layers.is_empty() => {
            told.extend(same_disk(here, resource, bearing));
            told.push(guard(here, resource, bearing));
            told.push(only_then("mount", "only a mount reads the journal and all of the file system"));
        }
        Kind::Volume(_) | Kind::DiskGroup { .. } => {
            told.push(only_then("layers", "what it stands on is activated only by a take"));
        }
        Kind::DirectoryServer { .. } | Kind::MessagingServer { .. } => {
            told.push(only_then("start", "its configuration and data are where the group is"));
        }
        Kind::Command(_) | Kind::Ocf(_) => {
            told.push(only_then("start", "what its program does is not known"));
        }
    }
    told
}

/// Whether nobody answers for the address but the node that has the group.
fn address(here: &Here<'_>, resource: &Resource, bearing: Option<&Bearing>) -> Point {
    #[derive(Deserialize)]
    struct Address {
        state: Option<State>,
        answered_by: Option<String>,
        why: Option<String>,
    }
    let point = |verdict| Point::new(Some(&resource.name), "address", verdict);
    let Some(line) = line::look(here.group, resource) else { return point(Verdict::Unknown) };
    let (records, exit) = match ask::<Address>(here, &line.arg("--probe-wait").arg(ANSWER), PATIENCE) {
        Ok(told) => told,
        Err(fail) => return point(Verdict::Unknown).because(fail.to_string()),
    };
    let Some(found) = records.into_iter().find(|record| record.state.is_some()) else {
        return point(Verdict::Unknown).because(format!("ims-ipbind ended with {}", exit.word()));
    };
    match (found.answered_by, bearing, found.state) {
        (Some(mac), Some(bearing), _) if bearing.hardware.contains(&mac) => {
            point(Verdict::Good).because(format!("{} answers for it", bearing.node))
        }
        (Some(mac), Some(bearing), _) => {
            point(Verdict::Obstacle).because(format!("{mac} answers for it, which is not {}", bearing.node))
        }
        (Some(mac), None, _) => point(Verdict::Obstacle).because(format!("{mac} answers for it")),
        (None, Some(bearing), Some(State::Down)) => point(Verdict::Unknown)
            .because(format!("{} has it and was not heard here within {ANSWER}", bearing.node)),
        (None, None, Some(State::Down)) => point(Verdict::Good).because("nobody answers for it"),
        (None, _, _) => {
            point(Verdict::Obstacle).because(found.why.unwrap_or_else(|| "it is up here".to_owned()))
        }
    }
}

/// Whether the device is the same disk that the other node has.
fn same_disk(here: &Here<'_>, resource: &Resource, bearing: Option<&Bearing>) -> Option<Point> {
    let point = |verdict| Point::new(Some(&resource.name), "disk", verdict);
    let there = bearing?.uuids.get(&resource.name)?;
    Some(match uuid(here, resource) {
        Some(ours) if ours == *there => point(Verdict::Good).because(format!("the file system {ours}")),
        Some(ours) => point(Verdict::Obstacle).because(format!("here it is {ours}, there {there}")),
        None => point(Verdict::Unknown).because("which file system is on it cannot be told"),
    })
}

/// Whether the volume has a guard to go by, and only the node that has the group holds it.
fn guard(here: &Here<'_>, resource: &Resource, bearing: Option<&Bearing>) -> Point {
    #[derive(Deserialize)]
    struct Guard {
        kind: Option<String>,
        held_by: Option<String>,
        #[serde(default)]
        chosen: bool,
    }
    let point = |verdict| Point::new(Some(&resource.name), "guard", verdict);
    let Kind::Volume(volume) = &resource.kind else { return point(Verdict::Unknown) };
    if volume.guard.as_deref() == Some("none") {
        return point(Verdict::NotChecked)
            .because("the group file says that something else keeps other nodes off");
    }
    let called = format!("{}:{}", here.group.name, resource.name);
    let line = Line::new(["ims-diskctl", "guard", &called]);
    let (records, exit) = match ask::<Guard>(here, &line, PATIENCE) {
        Ok(told) => told,
        Err(fail) => return point(Verdict::Unknown).because(fail.to_string()),
    };
    let holder = bearing.map(|bearing| bearing.node.as_str());
    match (records.into_iter().find(|guard| guard.chosen), exit) {
        (Some(Guard { kind, held_by, .. }), Exit::Ok) => {
            let kind = kind.unwrap_or_default();
            match held_by {
                Some(by) if Some(by.as_str()) != holder => {
                    point(Verdict::Obstacle).because(format!("{kind}: {by} holds it"))
                }
                Some(by) => point(Verdict::Good).because(format!("{kind}, held by {by}")),
                None => point(Verdict::Good).because(format!("{kind}, held by nobody")),
            }
        }
        (_, Exit::No) => point(Verdict::Obstacle).because("it has none that a take would go by"),
        (_, exit) => point(Verdict::Unknown).because(format!("{line} ended with {}", exit.word())),
    }
}

/// Users, groups and memory, beside what the other node tells.
fn borne(bearing: &Bearing) -> Vec<Point> {
    let mut told = Vec::new();
    match &bearing.owners {
        Ok(owners) => {
            let before = told.len();
            for id in owners {
                let point = |verdict| Point::new(None, id.word(), verdict);
                match id.difference() {
                    Ok(None) => {}
                    Ok(Some(what)) => told.push(point(Verdict::Obstacle).because(what)),
                    Err(fail) => told.push(point(Verdict::Unknown).because(fail.to_string())),
                }
            }
            if told.len() == before {
                let words: Vec<String> = owners.iter().map(super::ids::Id::word).collect();
                let same = Point::new(None, "users and groups", Verdict::Good);
                told.push(same.because(format!("the same: {}", words.join(", "))));
            }
        }
        Err(why) => told.push(Point::new(None, "users and groups", Verdict::Unknown).because(why)),
    }
    if !bearing.memory.is_empty() {
        told.push(enough(&bearing.memory));
    }
    told
}

fn enough(used: &BTreeMap<ResourceName, u64>) -> Point {
    let names: Vec<&str> = used.keys().map(ResourceName::as_str).collect();
    let needed = used.values().sum();
    let point = |verdict| Point::new(None, "memory", verdict);
    match memory::available() {
        Err(fail) => point(Verdict::Unknown).because(fail.to_string()),
        Ok(free) => {
            let words = format!("{} need {}, {} are available", names.join(", "), mib(needed), mib(free));
            point(if needed < free { Verdict::Good } else { Verdict::Obstacle }).because(words)
        }
    }
}

/// Whether a folder of the node has room; a folder that is not there needs none.
fn space(folder: &Path) -> Option<Point> {
    let point = |verdict| Point::new(None, format!("room in {}", folder.display()), verdict);
    let (bytes, inodes) = match mount::room(folder) {
        Ok(room) => room,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => return Some(point(Verdict::Unknown).because(e.to_string())),
    };
    let has_inodes = inodes.total == 0 || inodes.available > 0;
    let words = format!("{} free", mib(bytes.available));
    Some(match (bytes.available >= ROOM, has_inodes) {
        (true, true) => point(Verdict::Good).because(words),
        (false, _) => point(Verdict::Obstacle).because(words),
        (true, false) => point(Verdict::Obstacle).because("no inode is free"),
    })
}

/// Bytes for people.
fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
