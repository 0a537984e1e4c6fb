//! What is to be done to take a volume, from the mount table first. Pure.

use std::path::Path;

use ims::sys::mount::Mounted;
use ims::sys::reservation::Key;
use ims::{Fail, State};
use jiff::Timestamp;

use super::Step;
use super::by_guard::by_guard;
use super::leasing;
use super::reserving::{self, Reserving};
use crate::filesystem::Filesystem;
use crate::guard::reservation::Standing;
use crate::hand::Place;
use crate::look::{Found, paths};
use crate::proof::Proof;
use crate::volume::{Volume, Wanted};
use ims::volume::Fstype;

/// How a volume is to be taken.
#[derive(Debug, Clone)]
pub struct Taking<'a> {
    /// The volume.
    pub volume: &'a Volume,
    /// What must guard it.
    pub guard: Wanted,
    /// The proof that its holder was fenced.
    pub proof: Option<&'a Proof>,
    /// Whether the disk may be taken away from a node that reserved it and may be alive.
    pub preempt: bool,
    /// The name of this node.
    pub us: &'a str,
    /// The key of this node, by which it reserves disks.
    pub key: Key,
    /// Its boot, as [`claim::boot`] tells it.
    pub boot: u32,
    /// The time.
    pub now: Timestamp,
}

/// The steps that take a volume: none when it is mounted there already.
pub fn take(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    let device = wanted.volume.device.display();
    is_not_lost(wanted, found)?;
    let disk =
        found.disk.as_ref().map_err(|why| Fail::unknown(format!("cannot read {device}")).because(why))?;
    match found.mounted() {
        State::Up => return mounted(wanted, found),
        State::Down => {}
        State::Partial | State::Unknown => return Err(in_the_way(wanted.volume, found)),
    }
    let filesystem = disk.filesystem.as_ref();
    if !Filesystem::may_be(filesystem, &wanted.volume.fstype) {
        let fail = Fail::usage(format!("no {} on {device}", wanted.volume.fstype.word()));
        return Err(match filesystem.map(Filesystem::word) {
            Some(word) => {
                fail.hint(format!("it has {word}: is it the right device? if so, say --fstype {word}"))
            }
            None => fail.hint("is it the right device? look at it with blkid"),
        });
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

/// Nobody has taken the disk away while the volume is mounted here.
fn is_not_lost(wanted: &Taking<'_>, found: &Found) -> Result<(), Fail> {
    match (found.mounted(), found.standing) {
        (State::Up, Some(Standing::Theirs(_) | Standing::Strange(_))) => {
            let who = found.reserved_by.as_deref().unwrap_or_default();
            let device = wanted.volume.device.display();
            Err(Fail::refused(format!("{device} is mounted here, and reserved for {who}"))
                .because("nothing can be written to it any more")
                .hint("release it here, then see who has it"))
        }
        (State::Up, _) if found.rival.is_some() => {
            let who = found.rival.as_deref().unwrap_or_default();
            let device = wanted.volume.device.display();
            Err(Fail::refused(format!("{device} is mounted here, and on {who}, which signs its guard too"))
                .hint("end one of the two at once, best with its power; then check it with e2fsck"))
        }
        (State::Up | State::Down | State::Partial | State::Unknown, _) => Ok(()),
    }
}

/// What is to be done for a volume that is mounted there: its lease is taken and it is reserved, if that was not done.
fn mounted(wanted: &Taking<'_>, found: &Found) -> Result<Vec<Step>, Fail> {
    if let Some(other) = found.mounted_there().and_then(|there| another_subvolume(wanted.volume, there)) {
        let mount = wanted.volume.mount.display();
        return Err(Fail::refused(format!(
            "{other} of {} is mounted on {mount}",
            wanted.volume.device.display()
        ))
        .hint("release it first, or name that subvolume"));
    }
    let mut steps = leasing::leasing(wanted, found)?;
    if found.standing == Some(Standing::Free) {
        let Reserving { before, after, .. } = reserving::reserving(wanted, found)?;
        steps.extend(before.or(after));
    }
    Ok(steps)
}

/// The subvolume of a Btrfs that is mounted in place of the one that is wanted.
fn another_subvolume<'a>(volume: &Volume, there: &'a Mounted) -> Option<std::path::Display<'a>> {
    let wanted = volume.options.as_str().split(',').find_map(|option| option.strip_prefix("subvol="))?;
    let wanted = Path::new("/").join(wanted.trim_start_matches('/'));
    (volume.fstype == Fstype::Btrfs && there.root != wanted).then(|| there.root.display())
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
        (None, None) if found.is_apart => {
            Fail::refused(format!("{device} is mounted on this node, in another mount namespace"))
                .hint("find it with: grep -l btrfs /proc/*/mountinfo")
        }
        (None, None) => {
            Fail::refused(format!("{device} is mounted on {} here already", paths(&found.mounts)))
                .hint("release it there first")
        }
    }
}
