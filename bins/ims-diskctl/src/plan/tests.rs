//! The plans, as tables of what was found and what follows.

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
        let taking = Taking {
            volume: &volume,
            guard: wanted,
            proof: None,
            us: "mail-1",
            boot: 7,
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
            Taking { volume: &volume, guard, proof: None, us: "mail-1", boot: 7, now: Timestamp::UNIX_EPOCH };
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
