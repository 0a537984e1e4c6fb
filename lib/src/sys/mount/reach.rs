//! The mount namespaces of a node, and which of them an unmount in ours reaches.
//!
//! An unmount is passed on to the peers and slaves of the mount that the file system stands on (`mount_namespaces(7)`):
//! what stands there at the same place goes too, and every other mount of it stays and keeps the file system alive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Mounted, Table};
use crate::sys::block::Number;
use crate::{Exit, Fail};

/// The tables of every mount namespace that one of this node's processes is in.
#[derive(Debug)]
pub struct Namespaces {
    ours: Table,
    /// Each by one of its processes.
    others: Vec<(u32, Table)>,
}

impl Namespaces {
    /// Reads them all from the kernel's memory. A namespace without a process is not seen.
    pub fn load() -> Result<Self, Fail> {
        let link = |process: &str, name: &str| fs_err::read_link(format!("/proc/{process}/{name}")).ok();
        let own = link("self", "ns/mnt");
        // Who has another root sees a part of the table only.
        let mut chosen: BTreeMap<PathBuf, (bool, u32)> = BTreeMap::new();
        for pid in pids()? {
            let process = pid.to_string();
            let Some(namespace) = link(&process, "ns/mnt").filter(|found| Some(found) != own.as_ref()) else {
                continue;
            };
            let sees_part = link(&process, "root").is_none_or(|root| root != Path::new("/"));
            let best = chosen.entry(namespace).or_insert((sees_part, pid));
            *best = (*best).min((sees_part, pid));
        }
        let others =
            chosen.into_values().filter_map(|(_, pid)| Some((pid, Table::of(&pid.to_string()).ok()?)));
        Ok(Self { ours: Table::load()?, others: others.collect() })
    }

    /// Every table, ours first.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        std::iter::once(&self.ours).chain(self.others.iter().map(|(_, table)| table))
    }

    /// The namespaces, each by one of its processes, in which a device is mounted so that an unmount of it at a folder
    /// of ours leaves it there.
    pub fn apart(&self, device: Number, point: &Path) -> Vec<u32> {
        let mine = self.ours.top_at(point).filter(|mine| mine.device == device);
        let on = mine.and_then(|mine| Some((mine, self.ours.get(mine.parent)?)));
        let groups = on.and_then(|(_, parent)| parent.group("shared")).map(|first| self.reached(first));
        let goes_too = |theirs: &Mounted, table: &Table| {
            let (Some((mine, parent)), Some(groups)) = (on, &groups) else { return false };
            table.get(theirs.parent).is_some_and(|its_parent| {
                let is_reached = ["shared", "master"]
                    .iter()
                    .any(|kind| its_parent.group(kind).is_some_and(|group| groups.contains(&group)));
                is_reached
                    && place(theirs, its_parent) == place(mine, parent)
                    && table.on(theirs.id).next().is_none()
            })
        };
        let stays =
            |(_, table): &&(u32, Table)| table.of_device(device).any(|theirs| !goes_too(theirs, table));
        self.others.iter().filter(stays).map(|(pid, _)| *pid).collect()
    }

    /// The peer groups that an event in the first one reaches: its slaves may have peers and slaves of their own.
    fn reached(&self, first: u32) -> BTreeSet<u32> {
        let mut groups = BTreeSet::from([first]);
        loop {
            let further: Vec<u32> = self
                .tables()
                .flat_map(Table::iter)
                .filter(|mounted| mounted.group("master").is_some_and(|master| groups.contains(&master)))
                .filter_map(|mounted| mounted.group("shared"))
                .filter(|group| !groups.contains(group))
                .collect();
            if further.is_empty() {
                return groups;
            }
            groups.extend(further);
        }
    }
}

/// The folder of the parent's file system that a mount stands on.
fn place(mounted: &Mounted, parent: &Mounted) -> Option<PathBuf> {
    Some(parent.root.join(mounted.point.strip_prefix(&parent.point).ok()?))
}

/// The processes of this node.
pub(super) fn pids() -> Result<Vec<u32>, Fail> {
    let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, "cannot read /proc", e);
    let mut pids = Vec::new();
    for entry in fs_err::read_dir("/proc").map_err(|e| cannot(&e))? {
        let name = entry.map_err(|e| cannot(&e))?.file_name();
        pids.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    pids.sort_unstable();
    Ok(pids)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Number = Number { major: 8, minor: 17 };

    /// A table: the root with its peers, and the volume with its own at a place.
    fn table(root: &str, point: &str, volume: &str) -> Table {
        let text = format!("1 0 8:1 / / rw {root} - ext4 x rw\n2 1 8:17 / {point} rw {volume} - ext4 y rw\n");
        Table::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_unmount_reaches_what_stands_at_the_same_place_of_a_peer_or_a_slave() {
        let ours = table("shared:1", "/ims", "shared:5");
        for (root, point, volume, is_apart, what) in [
            ("shared:1", "/ims", "shared:5", false, "a peer"),
            ("master:1", "/ims", "master:5", false, "a slave"),
            ("shared:3", "/ims", "shared:7", false, "a peer of a slave"),
            ("master:3", "/ims", "", false, "a slave of a slave's peers"),
            ("", "/ims", "", true, "a private copy"),
            ("", "/ims", "shared:5", true, "a copy on a private root: its own peers do not count"),
            ("shared:9", "/ims", "shared:9", true, "shared among others, and not with us"),
            ("shared:1", "/other", "shared:5", true, "at another place"),
        ] {
            let slave = table("master:1 shared:3", "/ims", "master:5 shared:7");
            let others = vec![(40, slave), (41, table(root, point, volume))];
            let namespaces = Namespaces { ours: ours.clone(), others };
            let expected = if is_apart { vec![41] } else { vec![] };
            assert_eq!(namespaces.apart(DEVICE, Path::new("/ims")), expected, "{what}");
        }
        let others = vec![(41, table("shared:1", "/ims", ""))];
        let namespaces = Namespaces { ours: table("", "/ims", "shared:5"), others };
        assert_eq!(namespaces.apart(DEVICE, Path::new("/ims")), [41], "ours stands on a private root");
        let namespaces = Namespaces { ours: Table::default(), ..namespaces };
        assert_eq!(namespaces.apart(DEVICE, Path::new("/ims")), [41], "it is not mounted here at all");
    }
}
