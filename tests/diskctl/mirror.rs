//! `mirror`, and mirrors that are taken: Btrfs on the kernel's own driver, MD and DRBD in a machine.

use serde_json::Value;

use super::{record, record_of, text};
use crate::support::{Bed, Disk, Node, Ran, needs_root};

const TOOLS: &str = "PATH=$PATH:/var/lib/ims-tests/layers/bin:/var/lib/ims-tests/layers/sbin\n";

/// Replaces device 2 by /dev/ims2 and waits for the end: `BTRFS_IOC_DEV_REPLACE`. The tool would ask the loop devices for their
/// files, which no node has, and call them the same.
const REPLACE: &str = r#"use Fcntl; sysopen(my $fd, "/srv/ims", O_RDONLY|O_DIRECTORY) or die $!;
    my $asked = pack("Q4 a1025 a1025 x6 x512", 0, 0, 2, 0, "", "/dev/ims2");
    ioctl($fd, 0xCA289435, $asked) or die $!; exit(unpack("x8 Q", $asked));"#;

/// A mirror of two disks, each of which can be taken away from the node, as by the loss of an array.
struct Mirror {
    _bed: Bed,
    node: Node,
    _disks: [Disk; 2],
}

impl Mirror {
    fn new() -> Self {
        let bed = Bed::new();
        let node = bed.node("mail-1");
        let disks = [bed.blank_disk(256), bed.blank_disk(256)];
        for disk in &disks {
            node.attach(disk);
        }
        let mirror = Self { _bed: bed, node, _disks: disks };
        mirror.sh("mknod /dev/btrfs-control c 10 234; mkdir /srv/ims
             mkfs.btrfs -q -d raid1 -m raid1 /dev/ims1 /dev/ims2");
        mirror
    }

    fn sh(&self, script: &str) -> Ran {
        self.node.sh(&format!("{TOOLS}{script}")).ok()
    }

    /// `ims-diskctl VERB` with the leg of this number as its device.
    fn run(&self, leg: u8, line: &str) -> Ran {
        let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
        let guard = if verb == "take" { "--guard none" } else { "" };
        self.node.sh(&format!(
            "exec ims-diskctl {verb} --device /dev/ims{leg} --mount /srv/ims --fstype btrfs {guard} {more}"
        ))
    }

    /// A leg is lost, or there again.
    fn pull(&self, leg: u8) {
        self.sh(&format!(
            "name=$(stat -c loop%Lr /dev/ims{leg}); btrfs device scan --forget /dev/ims{leg} || true
             mkdir -p /run/away; mv /dev/ims{leg} /dev/$name /run/away; ln -s $name /run/away/leg{leg}"
        ));
    }

    fn plug(&self, leg: u8) {
        self.sh(&format!("cd /run/away; mv ims{leg} $(readlink leg{leg}) /dev; rm leg{leg}"));
    }

    fn states(&self, leg: u8, status: i32) -> (String, Vec<(Option<u64>, String)>) {
        let found = record(&self.run(leg, "mirror").status_is(status));
        (text(&found["state"]).to_owned(), states(&found))
    }
}

/// The place and the state of each leg.
fn states(mirror: &Value) -> Vec<(Option<u64>, String)> {
    let one = |leg: &Value| {
        (leg["place"].as_str().and_then(|place| place.parse().ok()), text(&leg["state"]).to_owned())
    };
    mirror["legs"].as_array().unwrap().iter().map(one).collect()
}

fn legs(states: [&str; 2]) -> Vec<(Option<u64>, String)> {
    vec![(Some(1), states[0].to_owned()), (Some(2), states[1].to_owned())]
}

#[test]
fn a_mirror_is_taken_whole_and_without_a_leg_only_by_word_and_never_from_a_stale_one() {
    if !needs_root() {
        return;
    }
    let mirror = Mirror::new();
    assert_eq!(mirror.states(1, 0), ("up".into(), legs(["present", "present"])));
    mirror.run(1, "take").ok();
    mirror.sh("echo before >/srv/ims/mail");
    let mounted = record(&mirror.run(2, "mirror").ok());
    assert_eq!((&mounted["active"], states(&mounted)), (&true.into(), legs(["present", "present"])));
    mirror.run(2, "release").ok();

    // An array is lost. The other is started by word alone, and that is remembered.
    mirror.pull(2);
    assert_eq!(mirror.states(1, 3), ("partial".into(), legs(["present", "missing"])));
    let refused = mirror.run(1, "take").status_is(4);
    assert!(
        refused.stderr.contains("a leg of /dev/ims1 is missing") && refused.stderr.contains("--degraded"),
        "{refused}"
    );
    let taken = mirror.run(1, "take --degraded").ok();
    let remembered = record_of(&taken, "ims.degraded/1");
    assert_eq!((remembered["missing"].as_u64(), remembered["legs"].as_array().unwrap().len()), (Some(1), 1));
    mirror.sh("test $(cat /srv/ims/mail) = before; echo acknowledged >/srv/ims/mail; sync");
    assert_eq!(mirror.states(1, 3), ("partial".into(), legs(["present", "missing"])));
    mirror.run(1, "release").ok();

    // It comes back: it is stale, and it is never used without a word, alone or beside the other.
    mirror.plug(2);
    let (state, found) = mirror.states(1, 3);
    assert_eq!((state.as_str(), found), ("partial", legs(["present", "stale"])));
    let refused = mirror.run(1, "take").status_is(4);
    assert!(refused.stderr.contains("a leg of /dev/ims1 lacks what was written since"), "{refused}");
    let shown = mirror.run(1, "take --degraded --dry-run").ok().records();
    let actions: Vec<&str> = shown.iter().map(|step| text(&step["action"])).collect();
    assert_eq!(actions, ["leave-out", "mount"], "{shown:?}");
    for line in ["take", "take --degraded"] {
        let refused = mirror.run(2, line).status_is(4);
        assert!(refused.stderr.contains("this leg of /dev/ims2 lacks what was written"), "{refused}");
    }
    mirror.pull(1);
    assert_eq!(mirror.states(2, 1), ("down".into(), legs(["missing", "stale"]).into_iter().rev().collect()));
    let refused = mirror.run(2, "take --degraded").status_is(4);
    assert!(refused.stderr.contains("this leg of /dev/ims2 lacks what was written since"), "{refused}");
    mirror.plug(1);

    // Without it, though the kernel has heard of it; and then it is made alike.
    mirror.sh("btrfs device scan /dev/ims1 /dev/ims2");
    let again = mirror.run(1, "take --degraded").ok();
    assert!(
        again.records().iter().all(|record| record["schema"] != "ims.degraded/1"),
        "it is remembered: {again}"
    );
    mirror.sh("test $(cat /srv/ims/mail) = acknowledged");
    mirror.sh(&format!("wipefs -q -a /dev/ims2; perl -e '{REPLACE}'"));
    // What was written meanwhile may stand on one leg alone.
    let mended = record(&mirror.run(1, "mirror").status_is(3));
    assert_eq!(states(&mended), legs(["present", "present"]), "{mended}");
    assert!(text(&mended["why"]).contains("there is one copy (btrfs balance start"), "{mended}");
    mirror
        .sh("btrfs balance start -f -dconvert=raid1,soft -mconvert=raid1,soft -sconvert=raid1,soft /srv/ims");
    let whole = record(&mirror.run(1, "mirror --wait 30s").ok());
    assert_eq!((states(&whole), &whole["resync"]), (legs(["present", "present"]), &Value::Null), "{whole}");
    mirror.sh("test -z \"$(ls /var/lib/ims/degraded)\"");
    mirror.run(1, "release").ok();
    mirror.run(2, "take").ok();
    mirror.sh("test $(cat /srv/ims/mail) = acknowledged");
    mirror.run(2, "release").ok();
}

#[test]
fn legs_that_were_written_apart_are_never_started_together() {
    if !needs_root() {
        return;
    }
    let mirror = Mirror::new();
    // Each is started alone, and neither knows of the other: two nodes, each with its own array.
    for (leg, other) in [(1, 2), (2, 1)] {
        mirror.pull(other);
        mirror.run(leg, "take --degraded").ok();
        mirror.sh(&format!("echo {leg} >/srv/ims/mail; sync"));
        mirror.run(leg, "release").ok();
        mirror.plug(other);
        mirror.sh("mv /var/lib/ims/degraded /var/lib/ims/degraded-of-another");
        if leg == 1 {
            mirror.sh("mv /var/lib/ims/degraded-of-another /run/first");
        }
    }
    mirror.sh("mv /run/first /var/lib/ims/degraded");
    assert_eq!(mirror.states(1, 1), ("down".into(), legs(["split", "split"])));
    for leg in [1, 2] {
        for line in ["take", "take --degraded", "take --dry-run"] {
            let refused = mirror.run(leg, line).status_is(4);
            assert!(refused.stderr.contains(" were written apart: "), "{line}: {refused}");
        }
    }
    // One is said to win.
    let taken = mirror.run(2, "take --force-stale-leg").ok();
    assert_eq!(mirror.sh("cat /srv/ims/mail").stdout, "2\n", "{taken}");
    mirror.run(2, "release").ok();
}

#[test]
fn a_volume_that_is_no_mirror_is_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.attach(&bed.disk(16, "-O mmp"));
    let ran =
        node.run(["ims-diskctl", "mirror", "--device", "/dev/ims1", "--mount", "/srv/ims"]).status_is(2);
    assert!(ran.stderr.contains("/dev/ims1 stands on no mirror"), "{ran}");
}
