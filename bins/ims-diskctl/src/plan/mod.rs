//! What is to be done: pure functions from what is wanted and what was found to steps, or to the rule that forbids them.

use std::path::PathBuf;
use std::time::Duration;

use ims::{Fail, State};
use jiff::Timestamp;

use crate::guard::mmp::{Block, Sequence};
use crate::hand::{Disk, Place};
use crate::look::{Found, paths};
use crate::proof::{Holder, Proof};
use crate::record::VolumeStep;
use crate::volume::{Volume, Wanted};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Claim the volume by its guard, which is clean, or whose holder is proven dead.
    Claim {
        /// The guard block as it was judged.
        judged: Block,
        /// For how long it must not move before.
        watch: Duration,
        /// Why.
        why: String,
    },
    /// Mount at a folder.
    Mount {
        /// The folder.
        point: PathBuf,
        /// The guard block to watch, for how long the kernel does so; absent when the kernel need not wait.
        watch: Option<(Block, Duration)>,
        /// Why.
        why: String,
    },
    /// Write out what is in memory.
    Sync(PathBuf),
    /// Unmount a folder.
    Unmount(PathBuf),
}

impl Step {
    /// The record of a step.
    pub fn record(&self, volume: &Volume) -> VolumeStep {
        let (action, wait, why) = match self {
            Self::Claim { judged, why, .. } if judged.sequence() == Sequence::Clean => {
                ("claim", Duration::ZERO, why.as_str())
            }
            Self::Claim { why, .. } => ("clear-guard", Duration::ZERO, why.as_str()),
            Self::Mount { watch, why, .. } => {
                ("mount", watch.as_ref().map_or(Duration::ZERO, |(_, wait)| *wait), why.as_str())
            }
            Self::Sync(_) => ("sync", Duration::ZERO, "so that the unmount has little left to write"),
            Self::Unmount(_) => ("unmount", Duration::ZERO, "so that another node can take it at once"),
        };
        VolumeStep {
            action,
            device: volume.device.clone(),
            mount: volume.mount.clone(),
            wait_s: wait.as_secs(),
            why: why.to_owned(),
        }
    }
}

/// How a volume is to be taken.
#[derive(Debug, Clone)]
pub struct Taking<'a> {
    /// The volume.
    pub volume: &'a Volume,
    /// What must guard it.
    pub guard: Wanted,
    /// The proof that its holder was fenced.
    pub proof: Option<&'a Proof>,
    /// The name of this node.
    pub us: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// The steps that take a volume: none when it is mounted there already.
pub fn take(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    let disk =
        found.disk.as_ref().map_err(|why| Fail::unknown(format!("cannot read {device}")).because(why))?;
    match found.mounted() {
        State::Up => return Ok(Vec::new()),
        State::Down => {}
        State::Partial | State::Unknown => return Err(in_the_way(wanted.volume, found)),
    }
    if disk.superblock.is_none() {
        let fstype = wanted.volume.fstype.word();
        return Err(Fail::usage(format!("no {fstype} on {device}"))
            .hint("is it the right device? look at it with blkid"));
    }
    let point = match &found.place {
        Place::Folder(path) => path.clone(),
        Place::Missing => {
            let mount = wanted.volume.mount.display();
            return Err(Fail::usage(format!("{mount} is not there")).hint(format!("mkdir -p {mount}")));
        }
        Place::Unusable(why) => {
            return Err(Fail::unknown(format!("cannot use {}", wanted.volume.mount.display())).because(why));
        }
    };
    by_guard(wanted, found, disk, point)
}

/// What stands in the way of a mount, on this very node.
fn in_the_way(volume: &Volume, found: &Found) -> Fail {
    let (device, mount) = (volume.device.display(), volume.mount.display());
    match (found.mounted_there(), &found.top) {
        (Some(_), _) => Fail::refused(format!("{device} is mounted read-only on {mount}"))
            .hint("release it first; mind who made it read-only, the kernel does so on errors"),
        (None, Some(top)) => {
            Fail::refused(format!("device {} ({}) is mounted on {mount}", top.device, top.fstype))
                .hint(format!("umount {mount}, or name another folder"))
        }
        (None, None) => {
            Fail::refused(format!("{device} is mounted on {} here already", paths(&found.mounts)))
                .hint("release it there first")
        }
    }
}

fn by_guard(wanted: &Taking<'_>, found: &Found, disk: &Disk, point: PathBuf) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    let mount = |watch, why: &str| Step::Mount { point, watch, why: why.to_owned() };
    let block = match &disk.guard {
        Some(Ok(block)) => block,
        Some(Err(why)) => {
            return Err(Fail::unknown(format!("cannot read the guard of {device}")).because(why));
        }
        None if wanted.guard == Wanted::None => return Ok(vec![mount(None, "no guard was asked for")]),
        None => {
            return Err(Fail::refused(format!("{device} has no guard against a second mount")).hint(
                "tune2fs -O mmp while no node has it mounted, or say --guard none where something else keeps them off",
            ));
        }
    };
    let name = found.signer.as_deref();
    let who = name.unwrap_or("a node that did not sign");
    let wait = match block.sequence() {
        Sequence::Clean => {
            let why = "so that no other node takes it at the same moment".to_owned();
            let claim = Step::Claim { judged: block.clone(), watch: Duration::ZERO, why };
            return Ok(vec![claim, mount(None, "its guard is clean")]);
        }
        Sequence::Fsck => {
            return Err(Fail::refused(format!("{device} is being checked by e2fsck on {who}, or was when that died"))
                .hint("let it end; if no node runs it any more, check the file system anew: e2fsck clears the guard"));
        }
        Sequence::Held(_) => block.wait(
            disk.superblock
                .as_ref()
                .and_then(|superblock| superblock.mmp)
                .map_or(0, |place| place.interval_s),
        ),
    };
    if let Some(proof) = wanted.proof {
        let holder = Holder { name, last_sign: block.last_sign(), us: wanted.us };
        match proof.proves(&holder, wanted.now) {
            Ok(()) => {
                let fenced = &proof.fenced;
                let why = format!("{who} was fenced by {} at {}", fenced.method, fenced.time);
                return Ok(vec![
                    Step::Claim { judged: block.clone(), watch: crate::proof::WATCH, why },
                    mount(None, "its holder is dead"),
                ]);
            }
            Err(why) if proof.was_named => {
                return Err(Fail::refused(format!("{device} is held by {who}"))
                    .because(format!("{} does not prove it dead: {why}", proof.file.display()))
                    .hint("without --proof the guard is watched for a sign of life instead"));
            }
            Err(_) => {}
        }
    }
    Ok(vec![mount(Some((block.clone(), wait)), &format!("{who} may be alive: its guard is watched"))])
}

/// The steps that give a volume up: none when it is not mounted here.
pub fn release(volume: &Volume, found: &Found) -> Result<Vec<Step>, Fail> {
    let (device, mount) = (volume.device.display(), volume.mount.display());
    let Some(there) = found.mounted_there() else {
        return match (&found.top, found.mounts.is_empty()) {
            (None, true) => Ok(Vec::new()),
            (Some(top), _) => Err(Fail::refused(format!(
                "device {} ({}) is mounted on {mount}, and not {device}",
                top.device, top.fstype
            ))
            .hint("name the volume that is meant")),
            (None, false) => Err(Fail::refused(format!(
                "{device} is mounted on {} and not on {mount}",
                paths(&found.mounts)
            ))
            .hint("name that folder")),
        };
    };
    let elsewhere: Vec<_> = found.mounts.iter().filter(|mounted| mounted.id != there.id).collect();
    if !elsewhere.is_empty() {
        return Err(Fail::refused(format!("{device} is mounted on {} too", paths(elsewhere)))
            .hint("unmount it there first: until then this node holds it"));
    }
    Ok(vec![Step::Sync(there.point.clone()), Step::Unmount(there.point.clone())])
}

#[cfg(test)]
mod tests {
    use ims::Exit;
    use ims::sys::mount::Table;

    use super::*;
    use crate::filesystem::Uuid;
    use crate::filesystem::ext4::{self, Superblock};
    use crate::guard::mmp;
    use crate::volume::Fstype;

    const DEVICE: &str = "8:17 / /global/ims rw,relatime - ext4 /dev/sdb1";

    fn volume() -> Volume {
        Volume { device: "/dev/sdb1".into(), mount: "/global/ims".into(), fstype: Fstype::Ext4 }
    }

    fn block(sequence: u32) -> Block {
        let mut bytes = vec![0; mmp::LENGTH];
        bytes[..4].copy_from_slice(b"PMM\0");
        bytes[4..8].copy_from_slice(&sequence.to_le_bytes());
        bytes[16..22].copy_from_slice(b"mail-2");
        Block::parse(&bytes, None).unwrap()
    }

    /// A volume with a guard (or none) and the lines of the mount table below /.
    fn found(guard: Option<Result<Block, String>>, mounts: &[&str]) -> Found {
        let lines = mounts.iter().enumerate().map(|(index, line)| format!("{} 1 {line} rw", index + 2));
        let lines: Vec<String> =
            std::iter::once("1 0 8:1 / / rw - ext4 /dev/sda1 rw".to_owned()).chain(lines).collect();
        let table = Table::parse(lines.join("\n").as_bytes()).unwrap();
        let number = "8:17".parse().unwrap();
        let superblock = Superblock {
            uuid: Uuid([0; 16]),
            label: String::new(),
            block_size: 4096,
            needs_recovery: false,
            has_errors: false,
            error_count: 0,
            checksum_seed: None,
            mmp: guard.is_some().then_some(ext4::Place { offset: 4096, interval_s: 1 }),
        };
        Found {
            number,
            place: Place::Folder("/global/ims".into()),
            disk: Ok(Disk { number, superblock: Some(superblock), guard }),
            mounts: table.of_device(number).cloned().collect(),
            top: table.top_at(&volume().mount).cloned(),
            nested: Vec::new(),
            signer: Some("mail-2".into()),
        }
    }

    fn actions(steps: &[Step]) -> Vec<(&'static str, u64)> {
        steps.iter().map(|step| step.record(&volume())).map(|step| (step.action, step.wait_s)).collect()
    }

    #[test]
    fn a_volume_is_taken_by_what_its_guard_and_the_mount_table_say() {
        type Row<'a> =
            (Option<Result<u32, String>>, Wanted, &'a [&'a str], Result<&'a [(&'a str, u64)], Exit>);
        let (clean, fsck) = (0xFF4D_4D50, 0xE24D_4D50);
        let rows: [Row<'_>; 13] = [
            (Some(Ok(clean)), Wanted::Auto, &[], Ok(&[("claim", 0), ("mount", 0)])),
            (Some(Ok(7)), Wanted::Auto, &[], Ok(&[("mount", 22)])),
            (Some(Ok(7)), Wanted::None, &[], Ok(&[("mount", 22)])),
            (Some(Ok(fsck)), Wanted::Auto, &[], Err(Exit::Refused)),
            (Some(Err("x".into())), Wanted::Auto, &[], Err(Exit::Unknown)),
            (Some(Err("x".into())), Wanted::None, &[], Err(Exit::Unknown)),
            (None, Wanted::Auto, &[], Err(Exit::Refused)),
            (None, Wanted::Mmp, &[], Err(Exit::Refused)),
            (None, Wanted::None, &[], Ok(&[("mount", 0)])),
            (Some(Ok(7)), Wanted::Auto, &[DEVICE], Ok(&[])),
            (Some(Ok(clean)), Wanted::Auto, &["8:17 / /global/ims ro - ext4 x"], Err(Exit::Refused)),
            (Some(Ok(clean)), Wanted::Auto, &["8:17 / /mnt rw - ext4 x"], Err(Exit::Refused)),
            (Some(Ok(clean)), Wanted::Auto, &["0:33 / /global/ims rw - tmpfs x"], Err(Exit::Refused)),
        ];
        for (guard, wanted, mounts, expected) in rows {
            let row = format!("{guard:?} {wanted:?} {mounts:?}");
            let found = found(guard.map(|guard| guard.map(block)), mounts);
            let volume = volume();
            let taking = Taking {
                volume: &volume,
                guard: wanted,
                proof: None,
                us: "mail-1",
                now: Timestamp::UNIX_EPOCH,
            };
            let steps = take(&taking, &found).map(|steps| actions(&steps)).map_err(|fail| fail.exit());
            assert_eq!(steps, expected.map(<[_]>::to_vec), "{row}");
        }
    }

    #[test]
    fn a_disk_that_can_not_be_read_is_never_taken() {
        let mut found = found(Some(Ok(block(0xFF4D_4D50))), &[]);
        found.disk = Err("Input/output error".into());
        let volume = volume();
        for guard in [Wanted::Auto, Wanted::Mmp, Wanted::None] {
            let taking =
                Taking { volume: &volume, guard, proof: None, us: "mail-1", now: Timestamp::UNIX_EPOCH };
            assert_eq!(take(&taking, &found).unwrap_err().exit(), Exit::Unknown);
        }
    }

    #[test]
    fn a_volume_is_released_only_where_it_is() {
        let clean = || Some(Ok(block(7)));
        let rows: [(&[&str], Result<usize, Exit>); 7] = [
            (&[], Ok(0)),
            (&[DEVICE], Ok(2)),
            (&["8:17 / /global/ims ro - ext4 x"], Ok(2)),
            (&["8:17 / /mnt rw - ext4 x"], Err(Exit::Refused)),
            (&[DEVICE, "8:17 / /mnt rw - ext4 x"], Err(Exit::Refused)),
            (&["8:33 / /global/ims rw - ext4 x"], Err(Exit::Refused)),
            (&["8:17 /sub /global/ims rw - ext4 x"], Err(Exit::Refused)),
        ];
        for (mounts, expected) in rows {
            let steps = release(&volume(), &found(clean(), mounts)).map(|steps| steps.len());
            assert_eq!(steps.map_err(|fail| fail.exit()), expected, "{mounts:?}");
        }
    }
}
