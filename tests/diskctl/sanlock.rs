//! sanlock's leases, by its own daemons with their watchdog: two machines, each with a kernel of its own, that share the
//! disk of the volume and that of the leases.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Disk, Machine, Ran, needs_root};

/// Starts the daemons; a read or a write may take 2 s, so that a busy host is not taken for a hung disk.
const DAEMONS: &str = r#"
modprobe softdog
modprobe dm-mod
# A disk that can be cut off.
dmsetup create leases --table "0 16384 linear /dev/ubdb 0"
dmsetup mknodes
mkdir -p /run/sanlock /run/wdmd /dev/shm /srv/ims /var/lib/ims/fenced
mount -t tmpfs shm /dev/shm
wdmd -H 0 -S 0 -G root
sanlock daemon -w WATCHDOG -h 0 -l 0 -U root -G root -e $(hostname)
tries=0
until sanlock client version | grep -q 'daemon version [1-9]' && [ -S /run/wdmd/wdmd.sock ]; do tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02; done
"#;
/// Makes the lockspace and the lease, as the manual says.
const LEASES: &str = "
sanlock direct init -s ims:0:/dev/mapper/leases:0 -o 2
sanlock direct init -r ims:vol:/dev/mapper/leases:1048576
";
/// Where the tools are.
const PATH: &str =
    "PATH=$PATH:/var/lib/ims-tests/sanlock/usr/sbin:/var/lib/ims-tests/layers/sbin; export PATH\n";
const LEASE: &str = "ims:vol:/dev/mapper/leases:1048576";

/// Two machines; a volume without any guard but its lease.
pub(super) struct Pair {
    pub(super) one: Machine,
    pub(super) two: Machine,
    pub(super) disk: Disk,
    /// A machine opens its disks anew now and then.
    pub(super) leases: Disk,
}

impl Pair {
    fn new(watchdog: u8) -> Self {
        Self::with(watchdog, "")
    }

    /// With more options of mkfs.ext4.
    pub(super) fn with(watchdog: u8, options: &str) -> Self {
        let disk = Disk::ext4("volume".into(), 32, &format!("-O ^mmp {options}"));
        let leases = Disk::blank("leases".into(), None, 8);
        let boot = |name| Machine::boot(name, &[&disk, &leases]);
        let daemons = DAEMONS.replace("WATCHDOG", &watchdog.to_string());
        let (mut one, mut two) = (boot("mail-1"), boot("mail-2"));
        sh(&mut one, &format!("{daemons}{LEASES}")).ok();
        let join = |id| format!("sanlock client add_lockspace -s ims:{id}:/dev/mapper/leases:0 -o 2");
        std::thread::scope(|scope| {
            scope.spawn(|| sh(&mut two, &format!("{daemons}{}", join(2))).ok());
            sh(&mut one, &join(1)).ok();
        });
        Self { one, two, disk, leases }
    }

    /// `ims-diskctl VERB` on a node.
    fn run(&mut self, node: u8, line: &str) -> Ran {
        run(if node == 1 { &mut self.one } else { &mut self.two }, line)
    }

    /// How the lease stands to a node, and who has it.
    fn leased(&mut self, node: u8) -> (String, Value) {
        let lease = self.run(node, "look").records().remove(0)["lease"].clone();
        (lease["state"].as_str().unwrap().to_owned(), lease["held_by"].clone())
    }
}

/// Tells a node that another was fenced, just now.
fn fenced(machine: &mut Machine, dead: &str) {
    let tell = format!(
        r#"printf '{{"schema":"ims.fenced/1","node":"{dead}","method":"fence_x","confirmed_by":"agent","time":"%s"}}' \
            "$(date -u +%FT%TZ)" >/var/lib/ims/fenced/{dead}.json"#
    );
    machine.sh(&tell).ok();
}

/// Runs a script that finds the tools.
pub(super) fn sh(machine: &mut Machine, script: &str) -> Ran {
    machine.sh(&format!("{PATH}{script}"))
}

/// `ims-diskctl VERB` of the volume.
pub(super) fn run(machine: &mut Machine, line: &str) -> Ran {
    let (verb, more) = line.split_once(' ').unwrap_or((line, ""));
    let volume = format!("--device /dev/ubda --mount /srv/ims --lease {LEASE}");
    sh(machine, &format!("ims-diskctl {verb} {volume} {more}"))
}

fn actions(ran: &Ran) -> Vec<(String, u64)> {
    let steps = ran.records();
    let step = |step: &Value| (step["action"].as_str().unwrap().to_owned(), step["wait_s"].as_u64().unwrap());
    steps.iter().map(step).collect()
}

fn step(action: &str) -> (String, u64) {
    (action.to_owned(), 0)
}

#[test]
fn a_lease_outlives_the_command_and_goes_from_node_to_node() {
    if !needs_root() {
        return;
    }
    let mut pair = Pair::new(1);
    assert_eq!(pair.leased(1), ("free".into(), Value::Null));
    assert_eq!(actions(&pair.run(1, "take --dry-run").ok()), [step("lease"), step("mount")]);
    let taken = pair.run(1, "take").ok();
    println!("taken by a lease that was free: {:?}", taken.took);
    assert_eq!(pair.leased(1), ("ours".into(), "mail-1".into()));
    assert_eq!(pair.leased(2), ("held".into(), "mail-1".into()));
    assert_eq!(pair.run(1, "take").ok().records()[0]["changed"], false);

    let shown = pair.run(2, "guard").ok().records();
    let [reservation, lease, mmp] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!((&reservation["state"], &mmp["state"]), (&"absent".into(), &"absent".into()));
    assert_eq!((&lease["state"], &lease["held_by"]), (&"held".into(), &"mail-1".into()));
    assert_eq!((&lease["chosen"], &lease["keeps_thawed_off"]), (&true.into(), &true.into()));
    assert!(lease["age_s"].as_i64().unwrap() < 30, "{lease}");

    assert_eq!(actions(&pair.run(1, "release -n").ok()), [step("sync"), step("unmount"), step("unlease")]);
    pair.run(1, "release").ok();
    assert_eq!(pair.leased(1), ("free".into(), Value::Null));
    pair.run(2, "take").ok();
    assert_eq!(pair.leased(1), ("held".into(), "mail-2".into()));

    // A take that fails leaves no lease behind, nor a release that finds the volume not mounted.
    pair.run(2, "release").ok();
    pair.run(1, "take --options nosuchoption").status_is(5);
    assert_eq!(pair.leased(2), ("free".into(), Value::Null));
    sh(&mut pair.one, &format!("sanlock client command -r {LEASE} -P 1 -c /bin/true")).ok();
    assert_eq!(pair.leased(1).0, "ours");
    pair.run(1, "release").ok();
    assert_eq!(pair.leased(1).0, "free");

    // Its holder dies: without a proof the lease has to run out, with one it is set free.
    pair.run(2, "take").ok();
    let Pair { mut one, two, disk: _disk, leases: _leases } = pair;
    two.power_cut();
    let dry = run(&mut one, "take --dry-run").ok();
    let [(action, wait), mount] = &actions(&dry)[..] else { panic!("{dry}") };
    assert_eq!((action.as_str(), mount), ("lease", &step("mount")));
    assert!((50..=76).contains(wait), "8 times 2 s, and 60 s for the watchdog: {wait}");
    let late = run(&mut one, "take --timeout 10s").status_is(3);
    assert!(late.stderr.contains("give --timeout more"), "{}", late.stderr);
    fenced(&mut one, "mail-2");
    let steps = [("free-lease".to_owned(), 5), step("lease"), step("mount")]; // a renewal and a second
    assert_eq!(actions(&run(&mut one, "take --dry-run").ok()), steps);
    let taken = run(&mut one, "take").ok();
    println!("taken from a node that was fenced: {:?}", taken.took);
    assert!(taken.took < Duration::from_secs(40), "a lease runs out after 76 s: {:?}", taken.took);
    assert_eq!(taken.records()[0]["lease"]["state"], "ours");
}

#[test]
fn a_lease_without_a_watchdog_is_taken_only_by_its_name() {
    if !needs_root() {
        return;
    }
    let mut pair = Pair::new(0);
    let shown = pair.run(1, "guard").status_is(1).records();
    assert_eq!((&shown[1]["kind"], &shown[1]["chosen"]), (&"sanlock".into(), &false.into()));
    let refused = pair.run(1, "take").status_is(4);
    assert!(refused.stderr.contains("has a guard without teeth, sanlock"), "{}", refused.stderr);
    pair.run(1, "take --guard sanlock").ok();
    assert_eq!(pair.leased(2), ("held".into(), "mail-1".into()));
    // What cannot be told is neither taken nor refused for good.
    sh(&mut pair.two, "sanlock client rem_lockspace -s ims:2:/dev/mapper/leases:0").ok();
    let unknown = pair.run(2, "take --guard sanlock").status_is(3);
    assert!(unknown.stderr.contains("its lockspace is not joined here"), "{}", unknown.stderr);
    sh(&mut pair.two, "sanlock client shutdown -f 1 -w 1").ok();
    let unknown = pair.run(2, "take --guard sanlock").status_is(3);
    assert!(unknown.stderr.contains("(does its daemon run?)"), "{}", unknown.stderr);
    pair.run(1, "release").ok();
}
