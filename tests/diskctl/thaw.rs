//! A holder that stood still, kernel and all, while another took its volume, and then goes on: what it can write.

use std::time::Duration;

use super::{record, text};
use crate::support::stamps::{self, interleavings};
use crate::support::{Bed, Disk, Machine, Node, Ran, needs_root, until};

const MIB: u64 = 32;

/// A machine with a kernel of its own, which stands still with the volume mounted and a writer at work, and a node that
/// sees the same disk.
struct Pair {
    _bed: Bed,
    one: Machine,
    two: Node,
    disk: Disk,
}

impl Pair {
    fn with_a_frozen_holder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bed = Bed::new();
        let disk =
            bed.disk(MIB, &format!("-L ims -O mmp -E mmp_update_interval=1 {}", stamps::layout(&folder)));
        let mut one = Machine::boot("mail-1", &[&disk]);
        let two = bed.node("mail-2");
        two.attach(&disk);
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let names = format!("\"{host}\" = \"mail-2\"\n\"mail-1\" = \"mail-1\"\n");
        two.sh("mkdir -p /srv/ims").ok();
        two.file("/etc/ims/guard-names.toml", &names);
        let writer = stamps::words("/srv/ims", "mail-1").join(" ");
        one.sh(&format!(
            "mkdir -p /srv/ims /etc/ims; echo '{names}' >/etc/ims/guard-names.toml
             ims-diskctl take --device /dev/ubda --mount /srv/ims
             {writer} </dev/null >/run/written 2>/run/stopped &
             while [ ! -s /run/written ]; do sleep 0.01; done # it writes by itself"
        ))
        .ok();
        one.freeze();
        Self { _bed: bed, one, two, disk }
    }

    fn two(&self, verb: &str) -> Ran {
        self.two.run(["ims-diskctl", verb, "--device", "/dev/ims1", "--mount", "/srv/ims"])
    }

    fn one(&mut self, verb: &str) -> Ran {
        self.one.sh(&format!("ims-diskctl {verb} --device /dev/ubda --mount /srv/ims"))
    }
}

/// The kernel compares the block with its own copy of it and goes on (fs/ext4/mmp.c, kmmpd): so this guard is ranked below
/// those that stop a holder, and what can be done is to tell.
#[test]
fn a_holder_that_thaws_is_not_stopped_by_its_guard_block_and_both_nodes_tell_of_it() {
    if !needs_root() {
        return;
    }
    let mut pair = Pair::with_a_frozen_holder();
    let ran = pair.two("take").ok();
    assert!((20..40).contains(&ran.took.as_secs()), "{ran}");
    assert!(ran.stderr.contains("note: mail-1 had /dev/ims1, gave no sign of life for 22 s"), "{ran}");
    assert_eq!(text(&record(&pair.two("look").ok())["state"]), "up");
    let second = stamps::write(&pair.two, "/srv/ims");
    assert_eq!(interleavings(&stamps::read(&pair.disk, MIB)), [""; 0], "as long as it stands still");

    pair.one.thaw();
    for node in [1, 2] {
        let mut told = String::new();
        let is_told = until(Duration::from_secs(60), || {
            let ran = if node == 1 { pair.one("look") } else { pair.two("look") };
            told = record(&ran)["why"].as_str().unwrap_or_default().to_owned();
            !told.is_empty() && ran.status == Some(3)
        });
        let other = 3 - node;
        assert!(
            is_told && told == format!("mail-{other} signs its guard too: two nodes have it mounted"),
            "{told}"
        );
    }
    stamps::some_more(&second, 5);
    let found = interleavings(&stamps::read(&pair.disk, MIB));
    println!("{found:?}");
    assert!(!found.is_empty(), "were it stopped, the man page would have to say so");
    second.kill();
}
