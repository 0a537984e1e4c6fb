//! Volumes on layers of devices, by the real tools on kernels that have them: LVM on MD on two shared disks that two
//! machines see, DRBD, a Btrfs of two devices.

use std::time::Duration;

use serde_json::Value;

use crate::diskctl::{record, text};
use crate::support::{Disk, Machine, Ran, needs_root};

/// What the tools need that a machine without udev lacks. A node's LVM system ID is its host name.
const TOOLS: &str = r#"
for module in dm-mod raid1 btrfs drbd; do modprobe $module; done
mkdir -p /etc/lvm /run/lvm /run/lock/lvm /run/drbd /var/lib/drbd /lib/drbd /srv/ims
cp /var/lib/ims-tests/layers/lib/drbd/drbd* /lib/drbd/
cat >/etc/lvm/lvm.conf <<END
global { system_id_source = "uname" use_lvmlockd = 0 }
activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 0 }
devices { obtain_device_list_from_udev = 0 use_devicesfile = 0 scan = ["/dev"] }
backup { backup = 0 archive = 0 }
END
"#;

const PATH: &str = "PATH=$PATH:/var/lib/ims-tests/layers/sbin:/var/lib/ims-tests/layers/bin\n";

fn sh(machine: &mut Machine, script: &str) -> Ran {
    machine.sh(&format!("{PATH}{script}"))
}

fn boot(name: &str, disks: &[&Disk]) -> Machine {
    let mut machine = Machine::boot(name, disks);
    sh(&mut machine, TOOLS).ok();
    machine
}

/// `ims-diskctl VERB` of the mail volume on a machine: ext4 in a logical volume on a mirror of two disks.
fn run(machine: &mut Machine, line: &str) -> Ran {
    let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
    let layers = "--layer md:/dev/md/ims --layer lvm:shared/mail";
    sh(machine, &format!("ims-diskctl {verb} {layers} --device /dev/shared/mail --mount /srv/ims {more}"))
}

/// The states of the layers, bottom up, and their holders.
fn layers(record: &Value) -> Vec<(&str, &Value)> {
    let layers = record["layers"].as_array().unwrap();
    layers.iter().map(|layer| (text(&layer["state"]), &layer["held_by"])).collect()
}

/// How often the array was changed, by its own count on a disk.
fn events(machine: &mut Machine) -> String {
    sh(machine, "mdadm --examine --export /dev/ubda | grep MD_EVENTS").ok().stdout
}

/// Disks of so many MiB.
fn disks(mib: u64) -> [Disk; 2] {
    ["one", "two"].map(|name| Disk::blank(name.to_owned(), None, mib))
}

/// Two machines that see the same disks, with the volume made on them and let go.
fn pair(disks: &[Disk; 2]) -> (Machine, Machine) {
    let disks: Vec<&Disk> = disks.iter().collect();
    let (mut one, two) = (boot("mail-1", &disks), boot("mail-2", &disks));
    let make = "
        mdadm --create /dev/md/ims --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean \\
            --homehost=mail --name=ims /dev/ubda /dev/ubdb
        pvcreate -q /dev/md/ims; vgcreate -q shared /dev/md/ims; lvcreate -q -n mail -L 40M shared
        mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/shared/mail
        vgchange -q -an shared; vgexport -q shared; mdadm --stop /dev/md/ims";
    sh(&mut one, make).ok();
    (one, two)
}

#[test]
fn a_volume_is_taken_with_all_it_stands_on_and_let_go_with_it() {
    if !needs_root() {
        return;
    }
    let disks = disks(64);
    let (mut one, mut two) = pair(&disks);
    let found = record(&run(&mut one, "look").status_is(1));
    assert_eq!(layers(&found), [("down", &Value::Null), ("down", &Value::Null)], "{found}");
    assert_eq!(&found["number"], &Value::Null);
    let steps = run(&mut one, "take --dry-run").ok().records();
    let steps: Vec<(&str, &str)> =
        steps.iter().map(|step| (text(&step["action"]), text(&step["layer"]))).collect();
    let md = ("activate", "md:/dev/md/ims");
    assert_eq!(steps, [md, md, ("activate", "lvm:shared/mail")]);
    assert_eq!(record(&run(&mut one, "look").status_is(1)), found, "a dry run changes nothing");

    let taken = record(&run(&mut one, "take").ok());
    let ours = Value::from("mail-1");
    assert_eq!((&taken["changed"], layers(&taken)), (&Value::from(true), vec![("up", &ours), ("up", &ours)]));
    assert_eq!(record(&run(&mut one, "take").ok())["changed"], false);
    sh(&mut one, "echo acknowledged >/srv/ims/message; sync").ok();
    assert_eq!(text(&record(&run(&mut one, "look").ok())["state"]), "up");

    assert_eq!(guard(&run(&mut one, "guard"), "lvm"), (ours, false), "a guard block is stronger");

    // The other one looks at it, and writes nothing to it.
    let refused = run(&mut two, "take").status_is(4);
    assert!(refused.stderr.contains("lvm:shared/mail belongs to mail-1"), "{}", refused.stderr);
    assert_eq!(
        sh(&mut two, "cat /proc/mdstat | grep -c ^md || true").ok().stdout,
        "0\n",
        "the array is let go"
    );
    let written = sh(&mut two, "awk '$3 ~ /^ubd/ { print $8 }' /proc/diskstats").ok().stdout;
    assert_eq!(written, "0\n0\n", "writes to each disk");
    let released = record(&run(&mut one, "release").ok());
    assert_eq!(layers(&released), [("down", &Value::Null), ("down", &Value::Null)], "{released}");
    assert_eq!(record(&run(&mut one, "release").ok())["changed"], false);

    // Whoever takes it next has what was acknowledged. Its power is cut.
    run(&mut two, "take").ok();
    assert_eq!(sh(&mut two, "cat /srv/ims/message").ok().stdout, "acknowledged\n");
    sh(&mut two, "echo more >/srv/ims/message; sync").ok();
    two.power_cut();
    let refused = run(&mut one, "take").status_is(4);
    assert!(refused.stderr.contains("belongs to mail-2"), "{}", refused.stderr);
    let before = events(&mut one);
    let fenced = r#"mkdir -p /var/lib/ims/fenced
        printf '{"schema":"ims.fenced/1","node":"mail-2","method":"fence_x","confirmed_by":"agent","time":"%s"}' "TIME" \
            >/var/lib/ims/fenced/mail-2.json"#;
    let proof = |time: &str| fenced.replace("TIME", time);
    sh(&mut one, &proof("$(date -u +%FT%TZ -d '-1 hour')")).ok();
    let refused = run(&mut one, "take").status_is(4);
    assert!(refused.stderr.contains("does not prove it dead"), "{}", refused.stderr);
    assert_eq!(events(&mut one), before, "who is refused has written nothing to the array");
    sh(&mut one, &proof("$(date -u +%FT%TZ)")).ok();
    let taken = run(&mut one, "take").ok();
    println!("taken over with a proof: {:?}", taken.took);
    assert!(taken.took < Duration::from_secs(40), "{:?}", taken.took);
    assert_eq!(sh(&mut one, "cat /srv/ims/message").ok().stdout, "more\n");
    killed_anywhere(&mut one);
}

/// Who holds the volume by a guard of this kind, and whether a take goes by it.
fn guard(ran: &Ran, kind: &str) -> (Value, bool) {
    let guards = ran.records();
    let found =
        guards.iter().find(|guard| guard["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {ran}"));
    (found["held_by"].clone(), found["chosen"].as_bool().unwrap())
}

/// A run that is killed is finished by the next.
fn killed_anywhere(machine: &mut Machine) {
    for (verb, state, status) in [("release", "down", 1), ("take", "up", 0)] {
        for after in ["0.2", "0.5"] {
            let other = if verb == "take" { "release" } else { "take" };
            run(machine, other).ok();
            // What it had started goes on to its end, and keeps the lock until then.
            sh(
                machine,
                &format!(
                    "sh -c '{PATH} timeout -s KILL {after} ims-diskctl {verb} --layer md:/dev/md/ims --layer \
                lvm:shared/mail --device /dev/shared/mail --mount /srv/ims' || true"
                ),
            )
            .ok();
            run(machine, verb).ok();
            let found = record(&run(machine, "look").status_is(status));
            assert_eq!(text(&found["state"]), state, "{verb} killed after {after} s");
        }
    }
}

/// Two nodes of one kernel, each with its own disk, and the resource between them: `/dev/drbd1` on mail-1.
const RESOURCE: &str = r#"
ip address add 127.0.0.2/8 dev lo
for node in 1 2; do
    cat >/etc/drbd.$node <<END
global { usage-count no; }
resource ims-$node {
    protocol C;
    on mail-1 { device /dev/drbd$node minor $node; disk /dev/ubda; meta-disk internal; address 127.0.0.1:7789; }
    on mail-2 { device /dev/drbd$node minor $node; disk /dev/ubdb; meta-disk internal; address 127.0.0.2:7789; }
}
END
    mkdir -p /srv/$node
done
printf '"mail:drbd1" = "mail-1"\n"mail:drbd2" = "mail-2"\n' >/etc/ims/guard-names.toml
"#;

/// Runs a script as a node of the two.
fn on(machine: &mut Machine, node: u8, script: &str) -> Ran {
    let script = format!("hostname mail-{node}\ncp /etc/drbd.{node} /etc/drbd.conf\n{script}");
    sh(machine, &format!("unshare --uts sh -eu <<'SCRIPT'\n{script}\nSCRIPT"))
}

fn drbd(machine: &mut Machine, node: u8, line: &str) -> Ran {
    let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
    let volume = format!("--layer drbd:ims-{node} --device /dev/drbd{node} --mount /srv/{node}");
    on(machine, node, &format!("ims-diskctl {verb} {volume} {more}"))
}

#[test]
fn drbd_is_primary_on_one_node_and_a_node_that_sees_no_other_is_not_sure() {
    if !needs_root() {
        return;
    }
    let disks = disks(32);
    let mut machine = boot("mail", &disks.iter().collect::<Vec<_>>());
    sh(&mut machine, "mkdir -p /etc/ims").ok();
    sh(&mut machine, RESOURCE).ok();
    for node in [1, 2] {
        on(
            &mut machine,
            node,
            &format!("drbdadm create-md --force ims-{node} >/dev/null 2>&1; drbdadm up ims-{node}"),
        )
        .ok();
    }
    let made =
        "drbdadm wait-connect ims-1; drbdadm -- --clear-bitmap new-current-uuid ims-1; drbdadm primary ims-1
        mkfs.ext4 -q -O mmp -E mmp_update_interval=1 /dev/drbd1; drbdadm secondary ims-1";
    on(&mut machine, 1, made).ok();

    drbd(&mut machine, 1, "take").ok();
    assert_eq!(guard(&drbd(&mut machine, 1, "guard"), "drbd"), ("mail-1".into(), true));
    let there = record(&drbd(&mut machine, 2, "look").status_is(1));
    assert_eq!(layers(&there), [("down", &Value::from("mail-1"))], "{there}");
    let refused = drbd(&mut machine, 2, "take").status_is(4);
    assert!(refused.stderr.contains("drbd:ims-2 belongs to mail-1"), "{}", refused.stderr);
    drbd(&mut machine, 1, "release").ok();
    drbd(&mut machine, 2, "take").ok();
    sh(&mut machine, "echo a >/srv/2/message; sync").ok();
    drbd(&mut machine, 2, "release").ok();

    // It has just been booted, and sees the other one after a moment.
    on(&mut machine, 1, "drbdadm down ims-1").ok();
    drbd(&mut machine, 1, "take").ok();
    assert_eq!(sh(&mut machine, "cat /srv/1/message").ok().stdout, "a\n");
    drbd(&mut machine, 1, "release").ok();

    on(&mut machine, 1, "drbdadm disconnect ims-1").ok();
    let alone = record(&drbd(&mut machine, 1, "look").status_is(3));
    assert_eq!(text(&alone["state"]), "unknown", "{alone}");
    let refused = drbd(&mut machine, 1, "take").status_is(4);
    assert!(refused.stderr.contains("not connected to mail-2, which may be primary"), "{}", refused.stderr);
    drbd(&mut machine, 1, "take --guard none").ok();
    drbd(&mut machine, 1, "release").ok();
}

#[test]
fn a_btrfs_is_mounted_when_the_kernel_knows_all_its_devices() {
    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";
    if !needs_root() {
        return;
    }
    let disks = disks(128);
    let mut machine = boot("mail-1", &disks.iter().collect::<Vec<_>>());
    let made =
        format!("mkfs.btrfs -q -d raid1 -m raid1 -U {UUID} /dev/ubda /dev/ubdb; btrfs device scan --forget");
    sh(&mut machine, &made).ok();
    let mut run = |line: &str| {
        let volume = "--device /dev/ubda --mount /srv/ims --fstype btrfs --guard none";
        sh(&mut machine, &format!("ims-diskctl {line} {volume}"))
    };
    let with = format!("take --layer btrfs:{UUID}");
    let taken = record(&run(&with).ok());
    assert_eq!(layers(&taken), [("up", &Value::Null)], "{taken}");
    assert_eq!(record(&run(&with).ok())["changed"], false);
    run(&with.replace("take", "release")).ok();

    sh(
        &mut machine,
        "dd if=/dev/zero of=/dev/ubdb bs=1M seek=0 count=1 2>/dev/null; btrfs device scan --forget",
    )
    .ok();
    let line = format!("ims-diskctl {with} --device /dev/ubda --mount /srv/ims --fstype btrfs --guard none");
    let refused = sh(&mut machine, &line).status_is(5);
    assert!(refused.stderr.contains("1 of its 2 devices are missing"), "{}", refused.stderr);
}
