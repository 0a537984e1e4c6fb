//! An array of Linux' software RAID as the kernel tells it, in `/sys/block/mdN/md` (md(4), Documentation/admin-guide/md.rst):
//! from memory, so this never waits for a disk.

use std::path::Path;

use ims::State;
use ims::sys::disks::{self, device_file, word};

use super::Found;
use super::record::{Leg, LegState, Resync, state};

/// What the kernel tells of the array in this folder of sysfs; none where it is no array with more than one leg alike.
pub fn look(folder: &Path) -> Option<Found> {
    let md = folder.join("md");
    let level = word(&md.join("level"))?;
    if !matches!(level.as_str(), "raid1" | "raid10" | "raid4" | "raid5" | "raid6") {
        return None;
    }
    let name = folder.file_name()?.to_string_lossy().into_owned();
    let array = word(&md.join("array_state")).unwrap_or_default();
    let mut legs: Vec<Leg> = members(&md).iter().filter_map(|member| leg(member)).collect();
    let wanted =
        word(&md.join("raid_disks")).and_then(|text| text.parse::<usize>().ok()).unwrap_or(legs.len());
    let taken: Vec<String> = legs.iter().filter_map(|leg| leg.place.clone()).collect();
    legs.extend((0..wanted).map(|slot| slot.to_string()).filter(|slot| !taken.contains(slot)).map(missing));
    legs.sort_by(|a, b| a.place.cmp(&b.place));
    let resync = resync(&md);
    let state = match (array.as_str(), state(&legs)) {
        ("clean" | "active" | "active-idle" | "write-pending" | "read-auto" | "readonly", state) => state,
        (_, _) => State::Down,
    };
    // A mirror whose copies are compared is whole; one that has not been made alike yet is not.
    let is_unlike =
        resync.as_ref().is_some_and(|resync| matches!(resync.action.as_str(), "resync" | "recover"));
    let state = if state == State::Up && is_unlike { State::Partial } else { state };
    let why = (state == State::Down).then(|| format!("the array is {array}"));
    let active = state != State::Down;
    Some(Found {
        kind: "md",
        name: device_file(&name).display().to_string(),
        state,
        active,
        legs,
        resync,
        why,
    })
}

fn members(md: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs_err::read_dir(md) else { return Vec::new() };
    let is_member = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dev-"))
    };
    entries.flatten().map(|entry| entry.path()).filter(is_member).collect()
}

/// A member; none that waits as a spare.
fn leg(member: &Path) -> Option<Leg> {
    let states = word(&member.join("state"))?;
    let has = |state: &str| states.split(',').any(|one| one == state);
    let slot = word(&member.join("slot")).filter(|slot| slot != "none");
    let state = match () {
        () if has("faulty") => LegState::Failed,
        () if has("in_sync") => LegState::Present,
        () if slot.is_some() => LegState::Rebuilding,
        () => return None,
    };
    let name = member.file_name()?.to_string_lossy().trim_start_matches("dev-").to_owned();
    let number = disks::number(&member.join("block")).ok();
    Some(Leg { place: slot, device: Some(device_file(&name)), number, uuid: None, state, generation: None })
}

fn missing(slot: String) -> Leg {
    let state = LegState::Missing;
    Leg { place: Some(slot), device: None, number: None, uuid: None, state, generation: None }
}

fn resync(md: &Path) -> Option<Resync> {
    let action =
        word(&md.join("sync_action")).filter(|action| !matches!(action.as_str(), "idle" | "frozen"))?;
    let completed = word(&md.join("sync_completed")).unwrap_or_default();
    let sectors =
        completed.split_once(" / ").and_then(|(done, total)| Some((done.parse().ok()?, total.parse().ok()?)));
    let (done, total): (u64, u64) = sectors.unwrap_or((0, 0));
    // In KiB a second; a sector is half of one.
    let speed =
        word(&md.join("sync_speed")).and_then(|text| text.parse::<u64>().ok()).filter(|speed| *speed > 0);
    let left_s = speed.filter(|_| total > 0).map(|speed| total.saturating_sub(done) / 2 / speed);
    Some(Resync::of(&action, done, total, left_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array as sysfs shows it: files and what they hold.
    fn array(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join("md0").join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            std::io::Write::write_all(&mut fs_err::File::create(path).unwrap(), text.as_bytes()).unwrap();
        }
        root
    }

    fn told(more: &[(&str, &str)]) -> (State, Vec<(String, LegState)>, Option<Resync>) {
        let mut files =
            vec![("md/level", "raid1\n"), ("md/raid_disks", "2\n"), ("md/array_state", "clean\n")];
        files.extend_from_slice(more);
        let root = array(&files);
        let found = look(&root.path().join("md0")).unwrap();
        (
            found.state,
            found.legs.iter().map(|leg| (leg.place.clone().unwrap_or_default(), leg.state)).collect(),
            found.resync,
        )
    }

    #[test]
    fn legs_are_told_as_the_kernel_has_them() {
        let one = [("md/dev-sda/state", "in_sync\n"), ("md/dev-sda/slot", "0\n")];
        let with = |more: &[(&'static str, &'static str)]| told(&[&one[..], more].concat());
        let (state, legs, _) =
            with(&[("md/dev-sdb/state", "in_sync,write_mostly\n"), ("md/dev-sdb/slot", "1\n")]);
        assert_eq!((state, legs[1].1), (State::Up, LegState::Present));
        let (state, legs, _) = with(&[]);
        assert_eq!((state, legs[1].clone()), (State::Partial, ("1".to_owned(), LegState::Missing)));
        let (state, legs, resync) = with(&[
            ("md/dev-sdb/state", "spare\n"),
            ("md/dev-sdb/slot", "1\n"),
            ("md/sync_action", "recover\n"),
            ("md/sync_completed", "1024 / 4096\n"),
            ("md/sync_speed", "512\n"),
        ]);
        assert_eq!((state, legs[1].1), (State::Partial, LegState::Rebuilding));
        assert_eq!(resync, Some(Resync { action: "recover".into(), percent: 25, left_s: Some(3) }));
        let (_, legs, _) = with(&[("md/dev-sdb/state", "faulty\n"), ("md/dev-sdb/slot", "none\n")]);
        assert_eq!(
            legs.iter().map(|leg| leg.1).collect::<Vec<_>>(),
            [LegState::Failed, LegState::Present, LegState::Missing]
        );
        let (_, legs, _) = with(&[("md/dev-sdb/state", "spare\n"), ("md/dev-sdb/slot", "none\n")]);
        assert_eq!(legs.len(), 2, "a spare that waits is no leg");
    }

    #[test]
    fn an_array_that_does_not_run_or_is_no_mirror_is_told() {
        let root =
            array(&[("md/level", "raid1\n"), ("md/raid_disks", "2\n"), ("md/array_state", "inactive\n")]);
        let found = look(&root.path().join("md0")).unwrap();
        assert_eq!((found.state, found.why.as_deref()), (State::Down, Some("the array is inactive")));
        let root = array(&[("md/level", "raid0\n")]);
        assert!(look(&root.path().join("md0")).is_none());
    }
}
