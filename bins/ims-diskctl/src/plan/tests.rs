//! The plans, as tables of what was found and what follows.

use ims::Exit;
use ims::sys::mount::Table;
use ims::sys::reservation::{Held, Key, Kind, Seen};
use jiff::Timestamp;

use super::*;
use crate::filesystem::ext4::{self, Superblock};
use crate::filesystem::{Filesystem, Uuid, btrfs};
use crate::guard::choice::{Kind as Guard, choose};
use crate::guard::mmp;
use crate::guard::offers::offers;
use crate::guard::reservation::{key, standing};
use crate::hand::{Disk, Place};
use crate::look::Found;
use crate::volume::Wanted;
use ims::volume::{Fstype, Options};

const DEVICE: &str = "8:17 / /global/ims rw,relatime - ext4 /dev/sdb1";

fn volume() -> Volume {
    Volume {
        name: None,
        layers: Vec::new(),
        device: "/dev/sdb1".into(),
        mount: "/global/ims".into(),
        fstype: Fstype::Ext4,
        options: Options::default(),
        guard: Wanted::Auto,
        lease: None,
        degraded_start: false,
    }
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
        error_count: 0,
        mount_count: 3,
        checksum_seed: None,
        mmp: guard.is_some().then_some(ext4::Place { offset: 4096, interval_s: 1 }),
    };
    Found {
        us: "mail-1".into(),
        number,
        place: Place::Folder("/global/ims".into()),
        disk: Ok(Disk { number, filesystem: Some(Filesystem::Ext4(superblock)), guard }),
        mounts: table.of_device(number).cloned().collect(),
        is_apart: false,
        top: table.top_at(&volume().mount).cloned(),
        nested: Vec::new(),
        signer: Some("mail-2".into()),
        reserved: Ok(None),
        standing: None,
        reserved_by: None,
        rival: None,
        layers: Vec::new(),
        lease: None,
    }
}

/// How mail-1 takes a volume, without a proof.
fn taking(volume: &Volume, guard: Wanted) -> Taking<'_> {
    let (us, now) = ("mail-1", Timestamp::UNIX_EPOCH);
    Taking { volume, guard, proof: None, preempt: false, us, key: key(us), boot: 7, now }
}

fn actions(steps: &[Step]) -> Vec<(&'static str, u64)> {
    steps.iter().map(|step| step.record(&volume())).map(|step| (step.action, step.wait_s)).collect()
}

#[test]
fn a_volume_is_taken_by_what_its_guard_and_the_mount_table_say() {
    type Row<'a> = (Option<Result<u32, String>>, Wanted, &'a [&'a str], Result<&'a [(&'a str, u64)], Exit>);
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
        let taking = taking(&volume, wanted);
        let steps = take(&taking, &found).map(|steps| actions(&steps)).map_err(|fail| fail.exit());
        assert_eq!(steps, expected.map(<[_]>::to_vec), "{row}");
    }
}

/// A row: who is registered and holds, what the guard block says, whether `--preempt` was said, and what follows.
type Row<'a> = (&'a [&'a str], Option<&'a str>, Option<u32>, bool, Result<&'a [(&'a str, u64)], Exit>);

#[test]
fn a_disk_that_can_be_reserved_is_taken_by_whom_it_is_reserved_for() {
    let clean = 0xFF4D_4D50;
    let rows: [Row<'_>; 14] = [
        (&[], None, Some(clean), false, Ok(&[("reserve", 0), ("claim", 0), ("mount", 0)])),
        (&[], None, None, false, Ok(&[("reserve", 0), ("mount", 0)])),
        // It may be alive and know nothing of reservations: to reserve now would take the disk away from it.
        (&[], None, Some(7), false, Ok(&[("mount", 22), ("reserve", 0)])),
        (
            &["mail-1"],
            Some("mail-1"),
            Some(7),
            false,
            Ok(&[("reserve", 0), ("clear-guard", 0), ("mount", 0)]),
        ),
        (&["mail-1", "mail-3"], Some("mail-1"), Some(7), false, Ok(&[("reserve", 0), ("mount", 22)])),
        (&["mail-2"], Some("mail-2"), Some(7), false, Err(Exit::Refused)),
        (&["mail-2"], Some("mail-2"), Some(clean), false, Err(Exit::Refused)),
        (&["mail-2"], Some("mail-2"), Some(7), true, Ok(&[("preempt", 0), ("clear-guard", 0), ("mount", 0)])),
        (&["mail-2"], Some("mail-2"), None, true, Ok(&[("preempt", 0), ("mount", 0)])),
        (&["mail-2", "mail-3"], Some("mail-2"), Some(7), true, Ok(&[("preempt", 0), ("mount", 22)])),
        (&["fence_scsi"], Some("fence_scsi"), Some(clean), true, Err(Exit::Refused)),
        (&["fence_scsi"], None, Some(clean), true, Err(Exit::Refused)),
        (&["mail-1", "fence_scsi"], Some("mail-1"), Some(clean), false, Err(Exit::Refused)),
        (&["mail-2", "fence_scsi"], Some("mail-2"), Some(7), true, Err(Exit::Refused)),
    ];
    let key = |who: &str| if who == "fence_scsi" { Key(0x1234) } else { key(who) };
    for (keys, held, guard, preempt, expected) in rows {
        let row = format!("{keys:?} {held:?} {guard:?} {preempt}");
        let mut found = found(guard.map(|guard| Ok(block(guard))), &[]);
        let held = held.map(|who| Held { key: key(who), kind: Kind::RegistrantsWrite });
        let seen = Seen { generation: 1, keys: keys.iter().map(|who| key(who)).collect(), held };
        found.standing = Some(standing(&seen, key("mail-1")));
        found.reserved_by = keys.first().map(ToString::to_string);
        found.reserved = Ok(Some(seen));
        let volume = volume();
        let taking = Taking { preempt, ..taking(&volume, Wanted::Auto) };
        let steps = take(&taking, &found).map(|steps| actions(&steps)).map_err(|fail| fail.exit());
        assert_eq!(steps, expected.map(<[_]>::to_vec), "{row}");
    }
}

#[test]
fn a_reservation_without_a_guard_block_is_taken_over_by_a_fresh_proof_about_its_holder() {
    for (node, age_s, expected) in [
        ("mail-2", 5, Ok(vec![("preempt", 0), ("mount", 0)])),
        ("mail-2", 3600, Err(Exit::Refused)),
        ("mail-3", 5, Err(Exit::Refused)),
    ] {
        let mut found = found(None, &[]);
        let held = Some(Held { key: key("mail-2"), kind: Kind::RegistrantsWrite });
        let seen = Seen { generation: 1, keys: vec![key("mail-2")], held };
        found.standing = Some(standing(&seen, key("mail-1")));
        found.reserved_by = Some("mail-2".into());
        found.reserved = Ok(Some(seen));
        let mut proof = crate::proof::Proof::by_word(&node.parse().unwrap());
        let now = Timestamp::now();
        proof.fenced.time = now - jiff::SignedDuration::from_secs(age_s);
        let volume = volume();
        let taking = Taking { proof: Some(&proof), now, ..taking(&volume, Wanted::Auto) };
        let steps = take(&taking, &found).map(|steps| actions(&steps)).map_err(|fail| fail.exit());
        assert_eq!(steps, expected, "{node}, {age_s} s ago");
    }
}

#[test]
fn what_a_disk_says_of_its_reservations_must_be_known_unless_another_guard_was_named() {
    let mut found = found(Some(Ok(block(0xFF4D_4D50))), &[]);
    found.reserved = Err("Input/output error".into());
    let volume = volume();
    let exit =
        |guard| take(&taking(&volume, guard), &found).map(|steps| steps.len()).map_err(|fail| fail.exit());
    assert_eq!((exit(Wanted::Auto), exit(Wanted::Mmp)), (Err(Exit::Unknown), Ok(2)));
    found.reserved = Ok(None);
    let exit =
        |guard| take(&taking(&volume, guard), &found).map(|steps| steps.len()).map_err(|fail| fail.exit());
    assert_eq!((exit(Wanted::Auto), exit(Wanted::Reservation)), (Ok(2), Err(Exit::Refused)));
}

#[test]
fn a_disk_that_can_not_be_read_is_never_taken() {
    let mut found = found(Some(Ok(block(0xFF4D_4D50))), &[]);
    found.disk = Err("Input/output error".into());
    let volume = volume();
    for guard in [Wanted::Auto, Wanted::Mmp, Wanted::None] {
        let taking = taking(&volume, guard);
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

#[test]
fn a_reservation_of_one_device_guards_no_btrfs_on_several() {
    for (devices, expected) in [(1, Ok(Some(Guard::Reservation))), (2, Err(Exit::Refused))] {
        let mut found = found(None, &[]);
        let superblock = btrfs::Superblock {
            uuid: Uuid([7; 16]),
            label: String::new(),
            generation: 9,
            devices,
            device: 1,
            length: 0,
            device_uuid: Uuid([1; 16]),
            has_log: false,
        };
        let (number, filesystem) = (found.number, Some(Filesystem::Btrfs(superblock)));
        found.disk = Ok(Disk { number, filesystem, guard: None });
        found.reserved = Ok(Some(Seen { generation: 1, keys: Vec::new(), held: None }));
        let chosen = choose(Wanted::Auto, &offers(&found), "/dev/sdb").map_err(|fail| fail.exit());
        assert_eq!(chosen, expected, "{devices} devices");
    }
}
