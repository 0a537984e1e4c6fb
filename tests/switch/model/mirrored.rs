//! The symmetric model on real mirrors: each volume a Btrfs over a disk of each of two arrays, guarded by a lease on a
//! disk of its own, all as `model` wrote it. Nodes lose their power, and an array is lost with one.

use std::time::Duration;

use serde_json::Value;

use super::live::{Placed, SOON, install};
use crate::support::mail::Stream;
use crate::support::*;

/// What a node needs whenever it boots. It has no watchdog of its own, for the nodes share a kernel (`-w 0`), and may not
/// lift its limits.
const BOOT: &str = r"
mknod /dev/btrfs-control c 10 234
mkdir -p /run/sanlock /dev/disk/by-label
for tool in sanlock/usr/sbin/sanlock layers/bin/btrfs layers/sbin/mkfs.btrfs; do
    ln -sf /var/lib/ims-tests/$tool /usr/sbin/
done
SANLOCK_PRIVILEGED=0 sanlock daemon -w 0 -h 0 -l 0 -U root -G root -e $(hostname)
tries=0
until sanlock client version | grep -q 'daemon version [1-9]'; do tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02; done
";

/// Joins the lockspace as the notes of the model say; a read or a write may take 2 s, which makes that quick.
const JOIN: &str = r#"eval "$(sed -n "s/# $(hostname)\$/-o 2/p" /etc/ims/model.txt | grep add_lockspace)""#;

/// Makes the leases and the mirrors as the notes say. `$stork` are the disks of that instance, and so on.
const MAKE: &str = r#"
eval "$(sed -n 's/^  \(sanlock direct init -s .*\)/\1 -o 2/p; s/^  \(sanlock direct init -r .*\)/\1/p' /etc/ims/model.txt)"
eval "$(sed -n '/^  mkfs.btrfs/,/ARRAY$/p' /etc/ims/model.txt |
    sed 's/DISK-OF-\([a-z]*\)-IN-THE-FIRST-ARRAY DISK-OF-.*/-q $\1/')"
"#;

/// Replaces device 1 of the Btrfs at a folder by a disk and waits for the end: `BTRFS_IOC_DEV_REPLACE`. The tool would ask the
/// loop devices for their files, which no node has, and call them the same.
const REPLACE: &str = r#"use Fcntl; sysopen(my $fd, $ARGV[0], O_RDONLY|O_DIRECTORY) or die $!;
    my $asked = pack("Q4 a1025 a1025 x6 x512", 0, 0, 1, 0, "", $ARGV[1]);
    ioctl($fd, 0xCA289435, $asked) or die $!; exit(unpack("x8 Q", $asked));"#;

/// Two nodes, two arrays, and an instance at home on each node.
struct Site {
    bed: Bed,
    nodes: [Node; 2],
    instances: [Placed; 2],
}

impl Site {
    fn new() -> Self {
        let bed = Bed::with_ssh();
        let nodes = ["mail-1", "mail-2"].map(|name| bed.node(name));
        let leases = bed.blank_disk(32);
        let placed = |name, home: &Node, address: &str| Placed {
            name,
            home: home.clone(),
            address: address.to_owned(),
            disks: vec![bed.blank_disk(256), bed.blank_disk(256)],
        };
        let instances = [placed("stork", &nodes[0], "192.0.2.50"), placed("heron", &nodes[1], "192.0.2.51")];
        let disks = || instances.iter().flat_map(|one| &one.disks).chain([&leases]);
        for node in &nodes {
            for disk in disks() {
                node.attach(disk);
            }
        }
        let mut words = format!(
            "ims-switch model symmetric --mirror btrfs --nodes mail-1,mail-2 --to / --leases {}",
            leases.device()
        );
        let mut legs = String::new();
        for one in &instances {
            let (name, home) = (one.name, one.home.name());
            words += &format!(" --instance {name}={}/24@{home} --ldap {name}=users-of-{name}", one.address);
            legs += &format!("{name}='{} {}'\n", one.disks[0].device(), one.disks[1].device());
        }
        let fence = bed.fence_command();
        let way = |node: &Node| {
            let name = node.name();
            format!("[{name}]\nreach = [\"ssh\", \"root@{name}\"]\nfence = {fence:?}\n")
        };
        let reach: String = nodes.iter().map(way).collect();
        let site = Self { bed, nodes, instances };
        for node in &site.nodes {
            node.file("/etc/ims/nodes.toml", &reach);
            node.sh(&words).ok();
            node.sh("mkdir -p /global/stork /global/heron").ok();
            node.sh(BOOT).ok();
        }
        site.node(1).sh(&format!("{legs}{MAKE}")).ok();
        site.nodes.iter().for_each(|node| site.label(node, 0));
        std::thread::scope(|scope| {
            site.nodes.iter().for_each(|node| drop(scope.spawn(|| node.sh(JOIN).ok())));
        });
        site
    }

    /// The node of this number, from 1 on.
    fn node(&self, number: usize) -> &Node {
        &self.nodes[number - 1]
    }

    /// Names a leg of each volume by its label, as udev does: one of an array that is there.
    fn label(&self, node: &Node, array: usize) {
        for one in &self.instances {
            node.run(["ln", "-sfn", &one.disks[array].device(), &format!("/dev/disk/by-label/{}", one.name)])
                .ok();
        }
    }

    /// A node gets its power again, and joins the lockspace.
    fn repaired(&self, number: usize) {
        let node = self.node(number);
        node.start_again();
        node.sh(BOOT).ok();
        self.label(node, 0);
        node.sh(JOIN).ok();
        let other = self.node(3 - number);
        let reached = || other.run(["ssh", &format!("root@{}", node.name()), "true"]).is_ok();
        assert!(until(SOON, reached), "sshd again");
    }

    /// `ims-switch` on a node.
    fn switch(&self, number: usize, line: &str) -> Ran {
        let words = std::iter::once("ims-switch").chain(line.split(' '));
        self.node(number).command(words).deadline(Duration::from_secs(120)).run()
    }

    /// How the legs of an instance's mirror are to a node, by their places.
    fn legs(&self, number: usize, name: &str, status: i32) -> Vec<String> {
        let ran = self.node(number).run(["ims-diskctl", "mirror", &format!("{name}-RG")]).status_is(status);
        let record = ran.records().remove(0);
        record["legs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|leg| leg["state"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Each instance is up on the node of that number and on no other.
    #[track_caller]
    fn runs(&self, wanted: [usize; 2]) {
        for (one, wanted) in self.instances.iter().zip(wanted) {
            let on: Vec<&str> = self.nodes.iter().filter(|node| one.is_on(node)).map(Node::name).collect();
            assert_eq!(on, [self.node(wanted).name()], "{}", one.name);
        }
    }
}

/// Each stream has more acknowledged than now.
#[track_caller]
fn go_on(streams: &[Stream]) {
    for stream in streams {
        let more = stream.acknowledged() + 5;
        assert!(until(SOON, || stream.acknowledged() > more), "mail goes on");
    }
}

#[test]
fn symmetric_on_mirrors_one_node_runs_both_without_the_others_array_and_gives_one_back_when_all_is_mended() {
    if !needs_root() {
        return;
    }
    let site = Site::new();
    // What the model wrote wants the watchdog that these nodes cannot have.
    let toothless = site.node(1).run(["ims-diskctl", "take", "stork-RG:mountshared"]).status_is(4);
    assert!(toothless.stderr.contains("a guard without teeth, sanlock"), "{toothless}");
    for node in &site.nodes {
        node.sh(r#"sed -i 's/^lease = .*/&\nguard = "sanlock"/' /etc/ims/groups/*.toml"#).ok();
    }
    site.instances.iter().for_each(install);
    site.switch(1, "online stork-RG heron-RG").ok();
    site.runs([1, 2]);
    let client = site.bed.client();
    let streams = site.instances.iter().map(|one| one.stream(&client)).collect::<Vec<_>>();
    go_on(&streams);

    // A node alone is lost: its volume is whole, and nothing has to be said.
    site.node(1).power_cut();
    site.switch(2, "online stork-RG").ok();
    site.runs([2, 2]);
    go_on(&streams);
    site.repaired(1);
    site.switch(2, "move stork-RG --to mail-1").ok();
    site.runs([1, 2]);
    go_on(&streams);
    assert_eq!(site.legs(2, "heron", 0), ["present", "present"]);

    with_its_array(&site, &streams);
    for (one, stream) in site.instances.iter().zip(streams) {
        one.has_all(&client, &stream.stop());
    }
}

/// A node is lost with the first array, and both are repaired.
fn with_its_array(site: &Site, streams: &[Stream]) {
    let lost: Vec<&Disk> = site.instances.iter().map(|one| &one.disks[0]).collect();
    let fenced = site.bed.fence_requests().len();
    for disk in &lost {
        site.node(2).pull(disk);
    }
    site.node(1).power_cut();
    site.label(site.node(2), 1);
    go_on(&streams[1..]);
    site.node(2).sh("sync -f /global/heron").ok();
    assert_eq!(site.legs(2, "heron", 3), ["present", "missing"]);
    // Without one of its legs a volume is started by word alone.
    for line in ["online stork-RG", "online stork-RG --dry-run"] {
        let refused = site.switch(2, line).status_is(4);
        assert!(refused.stderr.contains("a leg is missing"), "{refused}");
        assert!(refused.stderr.contains("--degraded"), "{refused}");
    }
    assert_eq!(site.bed.fence_requests().len(), fenced, "nothing was touched");
    let shown = site.switch(2, "online stork-RG --degraded --dry-run").ok().records();
    let take = shown.iter().find(|step| step["resource"] == "mountshared").unwrap();
    assert!(take["command"].as_str().unwrap().ends_with(" --degraded"), "{take}");
    let taken = site.switch(2, "online stork-RG --degraded").ok();
    println!("online without a leg: {:?}", taken.took);
    site.runs([2, 2]);
    let kept = site.node(2).sh("cat /var/lib/ims/degraded/*.json").ok().stdout;
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["missing"], 1, "{kept}");
    go_on(streams);
    assert_eq!(site.legs(2, "stork", 3), ["present", "missing"]);

    // Both are there again, the legs as they were: no node starts from them.
    for disk in &lost {
        site.node(2).plug(disk);
    }
    site.repaired(1);
    site.node(2).sh("sync -f /global/heron").ok();
    assert_eq!(site.legs(2, "heron", 3), ["stale", "present"]);
    assert_eq!(site.legs(1, "stork", 3), ["stale", "present"]);
    let refused = site.switch(2, "move stork-RG --to mail-1").status_is(4);
    assert!(refused.stderr.contains("a leg lacks what was written"), "{refused}");
    site.runs([2, 2]);
    go_on(streams);
    mend(site);
    for node in [1, 2] {
        assert_eq!(site.legs(node, "stork", 0), ["present", "present"]);
        assert_eq!(site.legs(node, "heron", 0), ["present", "present"]);
    }
    site.switch(2, "move stork-RG --to mail-1").ok();
    site.runs([1, 2]);
    go_on(streams);
}

/// Makes the legs alike, while mail goes on.
fn mend(site: &Site) {
    let leg = site.instances[0].disks[0].device();
    let node = site.node(2);
    node.run(["wipefs", "-q", "-a", &leg]).ok();
    let replacing = node.spawn(["perl", "-e", REPLACE, "/global/stork", &leg]);
    let whole = node.run(["ims-diskctl", "mirror", "stork-RG", "--wait", "60s"]);
    replacing.wait(SOON).ok();
    println!("{whole}");
    node.sh(
        "btrfs balance start -f -dconvert=raid1,soft -mconvert=raid1,soft -sconvert=raid1,soft /global/stork",
    )
    .ok();
    node.sh("btrfs scrub start -B /global/heron; btrfs device stats -z /global/heron").ok();
    node.run(["ims-diskctl", "mirror", "stork-RG", "--wait", "30s"]).ok();
}
