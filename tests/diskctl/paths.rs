//! The life of a key where each node has two paths to the disk (dm-multipath over iSCSI to the kernel's own target): lost
//! paths, a node that comes back by others, a target that loses power, other programs' keys.

use serde_json::Value;

use super::reservation::TARGET;
use super::text;
use crate::support::{Machine, Ran, needs_root};

/// mail-1 has `one` of sda and sdb, mail-2 `two` of sdc and sdd.
const PATHS: &str = r#"
PATH=$PATH:/var/lib/ims-tests/layers/sbin
modprobe dm-multipath
login 1 1 /dev/sda; login 1 2 /dev/sdb; login 2 3 /dev/sdc; login 2 4 /dev/sdd
mkdir -p /srv/1 /srv/2 /etc/ims
printf '"mail:dm-0" = "mail-1"\n"mail:dm-1" = "mail-2"\n' >/etc/ims/guard-names.toml
"#;

/// `pr DEVICE NUMBER PACKING WORDS`: a request of linux/pr.h, as another program makes it.
const OTHERS: &str = r#"
PATH=$PATH:/var/lib/ims-tests/layers/sbin
mpath() {
    dmsetup create $1 --uuid mpath-$1 --noudevsync \
        --table "0 131072 multipath 0 0 1 1 round-robin 0 2 1 /dev/$2 1 /dev/$3 1"
    dmsetup mknodes $1
}
pr() {
    perl -e 'my ($disk, $number, $packing, @words) = @ARGV; open my $d, "+<", $disk or die "$disk: $!";
        my $all = pack $packing, map { /^0x/ ? hex : $_ } @words;
        my $came = ioctl $d, hex $number, $all; die "$disk: $!" unless defined $came; exit $came + 0' "$@"
}
register() { pr $1 0x401870c8 QQLL $2 $3 1 0; }
unregister() { pr $1 0x401870c8 QQLL $2 0 0 0 || pr $1 0x401870c8 QQLL $2 0 0 0; }
forget() { pr $1 0x401070cd QLL $2 0 0; }
"#;

/// What mail-1 registers.
const OURS: &str = "0x696dc9c1a01d4ab4";
const STRANGER: &str = "0x0000000012345678";

struct Paths(Machine);

impl Paths {
    fn new() -> Self {
        let mut machine = Machine::boot("mail", &[]);
        machine.sh(&format!("{TARGET}{PATHS}")).ok();
        let mut paths = Self(machine);
        paths.sh("mpath one sda sdb; mpath two sdc sdd; mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/mapper/one");
        paths
    }

    #[track_caller]
    fn sh(&mut self, script: &str) -> String {
        self.0.sh(&format!("{OTHERS}{script}")).ok().stdout
    }

    fn run(&mut self, node: u8, line: &str) -> Ran {
        let disk = if node == 1 { "one" } else { "two" };
        let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
        self.0.sh(&format!(
            "unshare --uts sh -c 'hostname mail-{node}; \
             exec ims-diskctl {verb} --device /dev/mapper/{disk} --mount /srv/{node} {more}'"
        ))
    }

    /// Who holds the disk, and the keys that are registered, as a node sees it.
    fn held(&mut self, node: u8) -> (Value, Vec<String>) {
        let reservation = &self.run(node, "look").records().remove(0)["reservation"];
        let keys = reservation["keys"].as_array().unwrap();
        (reservation["held_by"].clone(), keys.iter().map(|key| text(key).to_owned()).collect())
    }

    /// mail-1 holds it by so many paths.
    #[track_caller]
    fn is_ours(&mut self, paths: usize) {
        let expected: (Value, _) = ("mail-1".into(), vec![OURS.to_owned(); paths]);
        assert_eq!((self.held(1), self.held(2)), (expected.clone(), expected));
    }

    #[track_caller]
    fn is_refused(&mut self, node: u8, line: &str, word: &str) {
        let refused = self.run(node, line).status_is(4);
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }

    /// The target loses power; what it wrote down of its registrations is read again, or is not.
    fn power_cut_of_the_target(&mut self, is_kept: bool) {
        let kept = if is_kept { "echo $line >$disk/pr/res_aptpl_metadata" } else { ":" };
        self.sh(&format!(
            r#"cat /run/target/pr/* >/run/kept
             target=/sys/kernel/config/target disk=$target/core/fileio_0/disk
             group=$target/iscsi/iqn.2026-11.test.example:disk/tpgt_1
             for acl in $group/acls/*; do rm $acl/lun_0/disk; rmdir $acl/lun_0; done
             rm $group/lun/lun_0/port; rmdir $group/lun/lun_0 $disk; mkdir $disk
             echo fd_dev_name=/run/disk,fd_dev_size=67108864 >$disk/control
             echo ims-1 >$disk/wwn/vpd_unit_serial
             echo 1 >$disk/enable
             tr -d ' ' </run/kept | awk '/^PR_REG_END/ {{ print line; line = "" }} /^[a-z]/ {{ line = line (line ? "," : "") $0 }}' |
                 while read -r line; do {kept}; done
             mkdir $group/lun/lun_0; ln -s $disk $group/lun/lun_0/port
             for acl in $group/acls/*; do mkdir $acl/lun_0; ln -s $group/lun/lun_0 $acl/lun_0/disk; done"#
        ));
    }
}

#[test]
fn a_key_lives_as_long_as_its_node_has_the_volume_whatever_becomes_of_paths_and_target() {
    if !needs_root() {
        return;
    }
    let mut paths = Paths::new();
    strangers(&mut paths);
    forgotten(&mut paths);
    power_cuts(&mut paths);
    lost_path(&mut paths);
    comes_back(&mut paths);
}

/// Other programs' keys, alone and beside ours, are refused and stay.
fn strangers(paths: &mut Paths) {
    paths.sh(&format!("register /dev/sdc 0 {STRANGER}"));
    for line in ["take", "take --preempt", "take --confirm-fenced mail-2"] {
        paths.is_refused(1, line, STRANGER);
        assert_eq!(paths.held(1), (Value::Null, vec![STRANGER.to_owned()]), "{line}");
    }
    paths.sh(&format!("unregister /dev/sdc {STRANGER}"));
    paths.run(1, "take").ok();
    paths.is_ours(2);
    paths.sh(&format!("register /dev/sdc 0 {STRANGER}"));
    for line in ["take --preempt", "take --confirm-fenced mail-1"] {
        paths.is_refused(2, line, STRANGER);
    }
    let (holder, mut keys) = paths.held(2);
    keys.sort();
    assert_eq!(
        (holder, keys),
        ("mail-1".into(), vec![STRANGER.to_owned(), OURS.to_owned(), OURS.to_owned()])
    );
    paths.run(1, "release").ok();
    assert_eq!(paths.held(1), (Value::Null, vec![STRANGER.to_owned()]), "it gives up its own keys");
    paths.sh(&format!("unregister /dev/sdc {STRANGER}"));
}

/// An array that forgot the reservation of a mounted volume: the guard block keeps the other off, `take` reserves again.
fn forgotten(paths: &mut Paths) {
    paths.run(1, "take").ok();
    paths.is_refused(2, "take", "reserved for mail-1");
    paths.sh(&format!("forget /dev/mapper/one {OURS}"));
    assert_eq!(paths.held(1), (Value::Null, Vec::new()));
    paths.is_refused(2, "take", "mail-1");
    assert_eq!(paths.run(1, "take").ok().records()[0]["changed"], true);
    paths.is_ours(2);

    // A disk that may not be asked: with a guard block that is told, and no reason to fail.
    let asked = "unshare --uts setpriv --bounding-set=-sys_rawio --inh-caps=-all sh -c 'hostname mail-1; \
        exec ims-diskctl release --device /dev/mapper/one --mount /srv/1'";
    let released = paths.0.sh(asked).ok();
    assert!(released.stderr.contains("may be reserved for this node"), "{released}");
    paths.is_ours(2);
}

/// The reservation outlives a power cut of the target that keeps it, and is asked to (APTPL); one that does not forgets it.
fn power_cuts(paths: &mut Paths) {
    let active = paths.sh("cat /sys/kernel/config/target/core/fileio_0/disk/pr/res_aptpl_active");
    assert!(active.contains("Activated"), "{active}");
    paths.power_cut_of_the_target(true);
    paths.is_ours(2);
    paths.is_refused(2, "take", "reserved for mail-1");
    paths.run(1, "take").ok();
    paths.is_ours(2);
    paths.sh("umount /srv/1");
    paths.power_cut_of_the_target(false);
    assert_eq!((paths.held(1), paths.held(2)), ((Value::Null, Vec::new()), (Value::Null, Vec::new())));
    paths.run(1, "take").ok();
    paths.is_ours(2);
}

/// A path is lost while the volume is mounted: the other does all, also the giving up of both keys.
fn lost_path(paths: &mut Paths) {
    paths.sh("echo 1 >/sys/block/sda/device/delete
              dd if=/dev/zero of=/srv/1/later bs=4096 count=64 oflag=direct
              dmsetup status one | grep '8:0 F'");
    paths.is_ours(2);
    assert_eq!(paths.run(1, "take").ok().records()[0]["changed"], false);
    paths.is_refused(2, "take", "reserved for mail-1");
    paths.run(1, "release").ok();
    assert_eq!(paths.held(2), (Value::Null, Vec::new()));
    // The kernel registers on all paths of the table or on none.
    let failed = paths.run(1, "take").status_is(5);
    assert!(failed.stderr.contains("path"), "{failed}");
    assert_eq!(paths.held(2), (Value::Null, Vec::new()));
    paths.run(2, "take").ok();
    paths.run(2, "release").ok();
}

/// The holder crashes and comes back by new sessions with names of their own: it has the disk still, and needs no proof.
fn comes_back(paths: &mut Paths) {
    paths.sh("dmsetup remove one
        /var/lib/ims-tests/disks/sbin/iscsistart -i iqn.2026-11.test.example:mail-1 -t iqn.2026-11.test.example:disk -g 1 -a 127.0.0.5 -p 3260
        ls /sys/block >&2
        disk=sda; until [ -b /dev/$disk ]; do sleep 0.02; done # the kernel scans by itself
        mpath one sdb $disk");
    paths.run(1, "take").ok();
    paths.is_ours(2);
    // What a crash leaves: the guard block as it was while the volume was mounted.
    paths.sh("block=$(dumpe2fs -h /dev/mapper/one 2>/dev/null | sed -n 's/^MMP block number: *//p')
        size=$(dumpe2fs -h /dev/mapper/one 2>/dev/null | sed -n 's/^Block size: *//p')
        dd if=/dev/mapper/one iflag=direct of=/run/block bs=$size skip=$block count=1
        umount /srv/1
        dd if=/run/block of=/dev/mapper/one oflag=direct bs=$size seek=$block count=1
        dmsetup remove one
        echo 1 >/sys/block/sda/device/delete; echo 1 >/sys/block/sdb/device/delete
        /var/lib/ims-tests/disks/sbin/iscsistart -i iqn.2026-11.test.example:mail-1 -t iqn.2026-11.test.example:disk -g 1 -a 127.0.0.6 -p 3260
        until [ -b /dev/sda ]; do sleep 0.02; done # as above
        dmsetup create one --uuid mpath-one --noudevsync --table '0 131072 multipath 0 0 1 1 round-robin 0 1 1 /dev/sda 1'
        dmsetup mknodes one");
    paths.is_ours(2);
    paths.is_refused(2, "take", "reserved for mail-1");
    let taken = paths.run(1, "take").ok();
    println!("taken by its owner after a crash: {:?}", taken.took);
    assert!(taken.took.as_secs() < 10, "the guard block was watched: {:?}", taken.took);
    paths.is_ours(1);
    paths.run(1, "release").ok();
    assert_eq!(paths.held(2), (Value::Null, Vec::new()));
}
