//! File systems other than ext4, on the kernel's own drivers: none of them guards itself.

use crate::diskctl::{record, text};
use crate::support::{Bed, Disk, Node, needs_root};

const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

struct Place {
    _bed: Bed,
    node: Node,
    disk: Disk,
}

impl Place {
    /// A node with a disk of so many MiB, on which a command makes a file system.
    fn new(mib: u64, mkfs: &str) -> Self {
        let bed = Bed::new();
        let node = bed.node("mail-1");
        let disk = bed.blank_disk(mib);
        node.attach(&disk);
        node.sh(&format!(
            "PATH=$PATH:/var/lib/ims-tests/layers/sbin; {mkfs} {}; mkdir /srv/ims",
            disk.device()
        ))
        .ok();
        Self { _bed: bed, node, disk }
    }

    fn words(&self, line: &str) -> Vec<String> {
        let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
        let device = self.disk.device();
        let fixed = ["ims-diskctl", verb, "--device", &device, "--mount", "/srv/ims"];
        fixed.into_iter().chain(more.split_whitespace()).map(ToOwned::to_owned).collect()
    }

    fn run(&self, line: &str) -> crate::support::Ran {
        self.node.run(self.words(line))
    }
}

#[test]
fn a_file_system_without_a_guard_is_taken_only_when_that_is_said() {
    if !needs_root() {
        return;
    }
    let rows = [
        ("xfs", 320, format!("mkfs.xfs -q -L ims -m uuid={UUID}")),
        ("btrfs", 128, format!("mkfs.btrfs -q -L ims -U {UUID}")),
        ("ext3", 16, format!("mkfs.ext3 -q -L ims -U {UUID}")),
    ];
    std::thread::scope(|scope| {
        for (fstype, mib, mkfs) in &rows {
            scope.spawn(move || taken_and_released(fstype, *mib, mkfs));
        }
    });
}

fn taken_and_released(fstype: &str, mib: u64, mkfs: &str) {
    let place = Place::new(mib, mkfs);
    let found = record(&place.run(&format!("look --fstype {fstype}")).status_is(1));
    assert_eq!((text(&found["uuid"]), text(&found["label"])), (UUID, "ims"), "{found}");
    assert_eq!((text(&found["state"]), text(&found["guard"]["kind"])), ("down", "none"), "{found}");

    let other = if fstype == "xfs" { "btrfs" } else { "xfs" };
    let refused = place.run(&format!("take --fstype {other}")).status_is(2);
    let said = format!("no {other} on {}", place.disk.device());
    assert!(refused.stderr.contains(&said) && refused.stderr.contains("say --fstype"), "{}", refused.stderr);
    let refused = place.run(&format!("take --fstype {fstype}")).status_is(4);
    assert!(refused.stderr.contains("has no guard against a second mount"), "{}", refused.stderr);

    let take = format!("take --fstype {fstype} --guard none");
    assert_eq!(record(&place.run(&take).ok())["changed"], true);
    place.node.sh("echo a >/srv/ims/message").ok();
    assert_eq!(record(&place.run(&take).ok())["changed"], false);
    let found = record(&place.run(&format!("look --fstype {fstype}")).ok());
    assert_eq!((text(&found["state"]), &found["mounted_at"][0]), ("up", &"/srv/ims".into()), "{found}");

    let release = format!("release --fstype {fstype}");
    assert_eq!(record(&place.run(&release).ok())["changed"], true);
    assert_eq!(record(&place.run(&release).ok())["changed"], false);
    place.run(&take).ok();
    assert_eq!(place.node.sh("cat /srv/ims/message").ok().stdout, "a\n");
}

#[test]
fn a_btrfs_is_found_where_it_is_mounted_by_whichever_subvolume() {
    if !needs_root() {
        return;
    }
    let place = Place::new(128, "mkfs.btrfs -q");
    let device = place.disk.device();
    place
        .node
        .sh(&format!(
            "PATH=$PATH:/var/lib/ims-tests/layers/bin
             mount {device} /srv/ims; btrfs -q subvolume create /srv/ims/mail; umount /srv/ims"
        ))
        .ok();
    place.run("take --fstype btrfs --guard none --options subvol=mail").ok();
    assert_eq!(text(&record(&place.run("look --fstype btrfs").ok())["state"]), "up");

    place.node.sh("mkdir /srv/ims/folder /srv/else; umount /srv/ims").ok();
    place
        .node
        .sh(&format!("mount -o subvol=mail {device} /srv/else; mount --bind /srv/else/folder /srv/ims"))
        .ok();
    let found = record(&place.run("look --fstype btrfs").status_is(3));
    assert_eq!(text(&found["state"]), "partial", "a folder of it is not the volume: {found}");
    place.run("release --fstype btrfs").status_is(4);
    place.node.sh("umount /srv/ims").ok();
    let elsewhere = place.run("take --fstype btrfs --guard none").status_is(4);
    assert!(elsewhere.stderr.contains("is mounted on /srv/else here already"), "{}", elsewhere.stderr);

    place.node.sh("umount /srv/else").ok();
    // Another mount namespace has it alone.
    let script = format!("mount {device} /srv/ims; touch /run/is-there; exec sleep 60");
    place.node.sh(&format!("unshare --mount sh -c '{script}' >/dev/null 2>&1 & ")).ok();
    place.node.sh("until [ -e /run/is-there ]; do sleep 0.01; done # the shell says so").ok();
    let found = record(&place.run("look --fstype btrfs").status_is(3));
    assert_eq!(text(&found["why"]), "it is mounted on this node, in another mount namespace");
    place.run("take --fstype btrfs --guard none").status_is(4);
    place.run("release --fstype btrfs").status_is(4);
}
