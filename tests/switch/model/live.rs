//! The three models live: the files that `model` wrote, with real Postfix, Dovecot and slapd on disks of their own, under
//! a stream of messages while nodes lose their power.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::support::mail::{Directory, Ledger, Mail, ServerRoot, Stream, account_within};
use crate::support::*;

/// For what should happen soon.
pub(super) const SOON: Duration = Duration::from_secs(60);

/// An instance of a site.
pub(super) struct Placed {
    pub(super) name: &'static str,
    /// Where it usually runs.
    pub(super) home: Node,
    pub(super) address: String,
    /// The disk of its volume, or the legs of its mirror.
    pub(super) disks: Vec<Disk>,
}

impl Placed {
    pub(super) fn group(&self) -> String {
        format!("{}-RG", self.name)
    }

    fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }

    fn ip(&self) -> IpAddr {
        self.address.parse().unwrap()
    }

    /// Whether its address and its volume are on a node, both or none.
    #[track_caller]
    pub(super) fn is_on(&self, node: &Node) -> bool {
        if !node.is_up() {
            return false;
        }
        let has_volume = match &self.disks[..] {
            [disk] => node.has_mounted(disk),
            _ => node.has_mounted_at(&format!("/global/{}", self.name)), // Btrfs has no number of a device
        };
        let [address, volume] = [node.has_address(self.ip()), has_volume];
        assert_eq!(address, volume, "address and volume of {} on {}", self.name, node.name());
        address
    }

    /// Sends it a stream of messages.
    pub(super) fn stream(&self, client: &Node) -> Stream {
        client.inside(|| Stream::start(self.at(25), Duration::from_millis(50)))
    }

    /// Every message that was acknowledged is in a mailbox; after a crash it may be there twice, as SMTP allows.
    #[track_caller]
    pub(super) fn has_all(&self, client: &Node, ledger: &Ledger) {
        let account = client.inside(|| account_within(ledger, self.at(143), SOON)).unwrap();
        assert!(account.acknowledged > 5, "{}: {account:?}", self.name);
        println!("{}: {} acknowledged, twice there {:?}", self.name, account.acknowledged, account.doubled);
        assert_eq!(account.lost, [0; 0], "{}", self.name);
    }
}

/// The nodes and instances of a model.
struct Site {
    bed: Bed,
    nodes: Vec<Node>,
    instances: Vec<Placed>,
}

impl Site {
    /// Makes the nodes, has `model` write everything on each, and installs each instance where its group is to run.
    fn of(model: &str, names: &[&str], instances: &[(&'static str, &str)]) -> Self {
        let bed = Bed::with_ssh();
        let nodes: Vec<Node> = names.iter().map(|name| bed.node(name)).collect();
        let placed = |(number, (name, home)): (usize, &(&'static str, &str))| {
            let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
            for node in &nodes {
                node.attach(&disk);
            }
            let address = format!("192.0.2.{}", 50 + number);
            Placed { name, home: bed.node(home), address, disks: vec![disk] }
        };
        let instances = instances.iter().enumerate().map(placed).collect();
        let site = Self { bed, nodes, instances };
        site.sign();
        site.write(model, names);
        site.instances.iter().for_each(install);
        site
    }

    fn write(&self, model: &str, names: &[&str]) {
        let mut words = format!("ims-switch model {model} --nodes {} --to /", names.join(","));
        for one in &self.instances {
            let (name, home) = (one.name, one.home.name());
            words += &format!(" --instance {name}={}/24@{home} --ldap {name}=users-of-{name}", one.address);
            words += &format!(" --disk {name}={}", one.disks[0].device());
        }
        if model == "symmetric" {
            words += " --mirror none"; // the nodes share one kernel, which would have each array once
        }
        let fence = self.bed.fence_command();
        let way = |name: &&str| format!("[{name}]\nreach = [\"ssh\", \"root@{name}\"]\nfence = {fence:?}\n");
        let reach: String = names.iter().map(way).collect();
        for node in &self.nodes {
            node.file("/etc/ims/nodes.toml", &reach);
            node.sh(&words).ok();
            for one in &self.instances {
                node.run(["mkdir", "-p", &format!("/global/{}", one.name)]).ok();
            }
        }
    }

    /// Tells each node how the others sign the volumes' guards: to the kernel they are one machine.
    fn sign(&self) {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let mut names = String::new();
        for node in self.nodes.iter().filter(|node| node.is_up()) {
            for one in &self.instances {
                let minor = node.sh(&format!("stat -c %Lr {}", one.disks[0].device())).ok().stdout;
                names += &format!("\"{host}:loop{}\" = \"{}\"\n", minor.trim(), node.name());
            }
        }
        for node in self.nodes.iter().filter(|node| node.is_up()) {
            node.file("/etc/ims/guard-names.toml", &names);
        }
    }

    /// Checks from outside where each instance is, and that it is there alone.
    #[track_caller]
    fn runs(&self, wanted: &[&str]) {
        for (one, wanted) in self.instances.iter().zip(wanted) {
            let on: Vec<&str> = self.nodes.iter().filter(|node| one.is_on(node)).map(Node::name).collect();
            assert_eq!(on, [*wanted], "{}", one.name);
        }
    }

    fn groups(&self) -> Vec<String> {
        self.instances.iter().map(Placed::group).collect()
    }

    fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name() == name).unwrap()
    }

    /// Has a node run a verb of `ims-switch` on groups.
    fn switch(&self, node: &str, verb: &str, groups: &[String], more: &[&str]) -> Ran {
        let line = ["ims-switch", verb].into_iter().chain(groups.iter().map(String::as_str));
        self.node(node).command(line.chain(more.iter().copied())).deadline(Duration::from_secs(120)).run()
    }
}

/// Lays the server root on its volume, at its address, as an installer does, and binds it.
pub(super) fn install(one: &Placed) {
    let (node, name) = (&one.home, one.name);
    let (volume, address) = (format!("{}:mountshared", one.group()), format!("{}/24", one.address));
    node.run(["ims-diskctl", "take", &volume]).ok();
    node.run(["ims-ipbind", "up", &address, "--device", "eth0"]).ok();
    let directory = format!("users-of-{name}");
    let root = ServerRoot::postfix_dovecot(format!("/global/{name}/server5"))
        .mail(Mail::new(name, &format!("ldap://{}:389/", one.address)))
        .directory(Directory::new(&directory));
    node.enter(|| root.lay(Path::new("/"))).unwrap();
    let settled = root.settle(|words| {
        node.run(words).ok();
        Ok::<(), std::convert::Infallible>(())
    });
    settled.unwrap();
    node.run(["ims-ipbind", "set", name]).ok();
    node.run(["ims-ipbind", "down", &address, "--device", "eth0"]).ok();
    node.run(["ims-diskctl", "release", &volume]).ok();
}

#[test]
fn asymmetric_the_standby_takes_all_instances_after_a_power_cut() {
    if !needs_root() {
        return;
    }
    let site = Site::of("asymmetric", &["mail-1", "mail-2"], &[("stork", "mail-1"), ("heron", "mail-1")]);
    let client = site.bed.client();
    site.switch("mail-1", "online", &site.groups(), &[]).ok();
    site.runs(&["mail-1", "mail-1"]);
    site.node("mail-1").sh("ims-registry list | ims-portcheck -").ok();
    site.switch("mail-2", "move", &site.groups(), &["--to", "mail-2"]).ok();
    site.runs(&["mail-2", "mail-2"]);
    site.switch("mail-2", "move", &site.groups(), &["--to", "mail-1"]).ok();
    let streams: Vec<Stream> = site.instances.iter().map(|one| one.stream(&client)).collect();
    assert!(until(SOON, || streams.iter().all(|stream| stream.acknowledged() > 10)));
    site.node("mail-1").power_cut();
    site.switch("mail-2", "online", &site.groups(), &[]).ok();
    site.runs(&["mail-2", "mail-2"]);
    for (one, stream) in site.instances.iter().zip(streams) {
        let more = stream.acknowledged() + 5;
        assert!(until(SOON, || stream.acknowledged() > more), "{} serves again", one.name);
        one.has_all(&client, &stream.stop());
    }
}

#[test]
fn symmetric_one_node_runs_both_instances_after_a_power_cut_and_gives_one_back_after_the_repair() {
    if !needs_root() {
        return;
    }
    let site = Site::of("symmetric", &["mail-1", "mail-2"], &[("stork", "mail-1"), ("heron", "mail-2")]);
    let client = site.bed.client();
    site.switch("mail-1", "online", &site.groups(), &[]).ok();
    site.runs(&["mail-1", "mail-2"]);
    let streams: Vec<Stream> = site.instances.iter().map(|one| one.stream(&client)).collect();
    assert!(until(SOON, || streams.iter().all(|stream| stream.acknowledged() > 10)));
    site.node("mail-1").power_cut();
    site.switch("mail-2", "online", &site.groups()[..1], &[]).ok();
    site.runs(&["mail-2", "mail-2"]);
    site.node("mail-2").sh("ims-registry list | ims-portcheck -").ok();
    site.node("mail-1").start_again();
    assert!(until(SOON, || site.node("mail-2").run(["ssh", "root@mail-1", "true"]).is_ok()), "sshd again");
    site.sign();
    site.switch("mail-2", "move", &site.groups()[..1], &["--to", "mail-1"]).ok();
    site.runs(&["mail-1", "mail-2"]);
    for (one, stream) in site.instances.iter().zip(streams) {
        let more = stream.acknowledged() + 5;
        assert!(until(SOON, || stream.acknowledged() > more), "{} serves again", one.name);
        one.has_all(&client, &stream.stop());
    }
}

#[test]
fn n_plus_1_the_standby_takes_the_instances_of_two_primaries_that_lost_their_power_at_once() {
    if !needs_root() {
        return;
    }
    let homes = [("stork", "mail-1"), ("heron", "mail-2"), ("egret", "mail-3")];
    let site = Site::of("n+1", &["mail-1", "mail-2", "mail-3", "spare"], &homes);
    let client = site.bed.client();
    site.switch("spare", "online", &site.groups(), &[]).ok();
    site.runs(&["mail-1", "mail-2", "mail-3"]);
    let streams: Vec<Stream> = site.instances.iter().map(|one| one.stream(&client)).collect();
    assert!(until(SOON, || streams.iter().all(|stream| stream.acknowledged() > 10)));
    site.node("mail-1").power_cut();
    site.node("mail-2").power_cut();
    site.switch("spare", "online", &site.groups()[..2], &[]).ok();
    site.runs(&["spare", "spare", "mail-3"]);
    let mut fenced = site.bed.fence_requests();
    fenced.sort();
    assert_eq!(fenced, ["off mail-1", "off mail-2"]);
    for (one, stream) in site.instances.iter().zip(streams) {
        let more = stream.acknowledged() + 5;
        assert!(until(SOON, || stream.acknowledged() > more), "{} serves", one.name);
        one.has_all(&client, &stream.stop());
    }
    site.switch("spare", "status", &site.groups()[2..], &[]).ok();
}
