//! Four nodes, the disks of the guide's groups, and what must hold of these groups after every step, seen from outside.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::mail::running;
use crate::support::mail::ServerRoot;
use crate::support::*;

/// The logical host names of the examples, and what they stand for here.
pub const HOSTS: [(&str, &str); 2] = [("mail", "192.0.2.10"), ("ldap", "192.0.2.9")];

/// The nodes of the examples; the first is where an operator sits.
const NODES: [&str; 4] = ["mail-1", "mail-2", "ldap-1", "ldap-2"];

pub const SLAPD: &str = "/usr/sbin/slapd";
pub const MAIL: [&str; 3] = ["/usr/lib/postfix/sbin/master", "/usr/sbin/dovecot", SLAPD];

/// A group as the example means it.
#[derive(Clone)]
pub struct Placed {
    pub name: &'static str,
    nodes: Vec<Node>,
    address: IpAddr,
    disks: Vec<(&'static str, Disk)>,
    /// The first process of each of its servers.
    servers: &'static [&'static str],
}

/// What an example names of a group: its nodes, its logical host, its mount points and its servers.
pub struct Named {
    pub name: &'static str,
    pub nodes: [&'static str; 2],
    pub host: &'static str,
    pub mounts: &'static [&'static str],
    pub servers: &'static [&'static str],
}

impl Placed {
    /// Whether a node has its address, all of its volumes and its servers; a node without power has nothing.
    fn is_on(&self, node: &Node) -> bool {
        if !node.is_up() {
            return false;
        }
        let mut has = vec![("address", node.has_address(self.address))];
        has.extend(self.disks.iter().map(|(mount, disk)| (*mount, node.has_mounted(disk))));
        if self.nodes.iter().any(|own| own.name() == node.name()) {
            has.extend(self.servers.iter().map(|server| (*server, !running(node, server).is_empty())));
        }
        assert!(
            has.iter().all(|(_, is_here)| *is_here == has[0].1),
            "{} on {}: {has:?}",
            self.name,
            node.name()
        );
        has[0].1
    }

    /// Whether the volumes of the group or its address are on two nodes at once.
    fn is_double(&self) -> bool {
        let [one, two] = &self.nodes[..] else { unreachable!() };
        self.disks.iter().any(|(_, disk)| {
            // The first is looked at again: between the looks the group may have moved.
            let looks = [one, two, one].map(|node| node.holds(disk, self.address));
            (0..2).any(|part| looks.iter().all(|held| held[part]))
        })
    }
}

/// The nodes and groups of an example.
pub struct Site {
    pub bed: Bed,
    pub nodes: Vec<Node>,
    pub groups: Vec<Placed>,
    over: Arc<AtomicBool>,
    watch: Option<JoinHandle<()>>,
}

impl Site {
    /// Makes the nodes and the disks; no node knows a group or an instance.
    pub fn of(named: &[Named]) -> Self {
        let bed = Bed::with_ssh();
        let nodes: Vec<Node> = NODES.iter().map(|name| bed.node(name)).collect();
        let place = |group: &Named| {
            let own: Vec<Node> = group.nodes.iter().map(|name| bed.node(name)).collect();
            let disk = |mount: &&'static str| {
                let disk = bed.disk(48, "-O mmp -E mmp_update_interval=1");
                for node in &own {
                    node.attach(&disk);
                    node.run(["mkdir", "-p", mount]).ok();
                }
                (*mount, disk)
            };
            let disks = group.mounts.iter().map(disk).collect();
            let (_, address) = HOSTS.iter().find(|(host, _)| *host == group.host).unwrap();
            Placed {
                name: group.name,
                nodes: own,
                address: address.parse().unwrap(),
                disks,
                servers: group.servers,
            }
        };
        let groups: Vec<Placed> = named.iter().map(place).collect();
        let over = Arc::new(AtomicBool::new(false));
        let watch = std::thread::spawn({
            let (groups, over) = (groups.clone(), Arc::clone(&over));
            move || {
                while !over.load(Ordering::Relaxed) {
                    groups
                        .iter()
                        .for_each(|group| assert!(!group.is_double(), "two nodes have {}", group.name));
                    std::thread::sleep(Duration::from_millis(5)); // a look costs time that the servers are to have
                }
            }
        });
        let site = Self { bed, nodes, groups, over, watch: Some(watch) };
        site.describe();
        site
    }

    /// Tells every node how the others are reached and fenced, and how they sign the guards of the volumes: to the
    /// kernel they are one machine.
    fn describe(&self) {
        let fence = self.bed.fence_command();
        let way = |name: &&str| {
            format!(
                "[{name}]\nreach = [\"ssh\", \"root@{name}\"]\nreach_timeout = 3\nfence = {fence:?}\n\
                 fence_timeout = 5\n"
            )
        };
        let reach: String = NODES.iter().map(way).collect();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let mut names = String::new();
        for group in &self.groups {
            for (node, (_, disk)) in
                group.nodes.iter().flat_map(|node| group.disks.iter().map(move |d| (node, d)))
            {
                let minor = node.sh(&format!("stat -c %Lr {}", disk.device())).ok().stdout;
                names += &format!("\"{host}:loop{}\" = \"{}\"\n", minor.trim(), node.name());
            }
        }
        for node in &self.nodes {
            node.file("/etc/ims/nodes.toml", &reach);
            node.file("/etc/ims/guard-names.toml", &names);
        }
    }

    pub fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name() == name).unwrap()
    }

    /// The options that tell `import` what the commands leave to other files of their nodes.
    pub fn options(&self) -> Vec<String> {
        let mut options = vec!["--interface".to_owned(), "eth0".to_owned()];
        for (host, address) in HOSTS {
            options.extend(["--address".to_owned(), format!("{host}={address}/24")]);
        }
        for (mount, disk) in self.groups.iter().flat_map(|group| &group.disks) {
            options.extend(["--volume".to_owned(), format!("{mount}={}", disk.device())]);
        }
        options
    }

    /// Has the operator run a command line.
    #[track_caller]
    pub fn run(&self, line: &str) -> Ran {
        let words = line.split_whitespace();
        self.nodes[0].command(words).deadline(Duration::from_secs(120)).run()
    }

    /// Checks from outside that every group is as a whole on this node, or nowhere.
    #[track_caller]
    pub fn runs(&self, wanted: &[&str]) {
        self.has_no_harm();
        for (group, wanted) in self.groups.iter().zip(wanted) {
            let on: Vec<&str> = self.nodes.iter().filter(|node| group.is_on(node)).map(Node::name).collect();
            assert_eq!(on.join("+"), *wanted, "{}", group.name);
        }
    }

    /// Checks what must hold after every step, complete or not: nothing is on two nodes, and no server runs without
    /// its address and its volumes.
    #[track_caller]
    pub fn has_no_harm(&self) {
        assert!(!self.watch.as_ref().is_some_and(JoinHandle::is_finished), "two nodes had the same thing");
        for group in &self.groups {
            let holders = |has: &dyn Fn(&Node) -> bool| {
                self.nodes.iter().filter(|node| node.is_up() && has(node)).count()
            };
            assert!(holders(&|node| node.has_address(group.address)) <= 1, "the address of {}", group.name);
            for (mount, disk) in &group.disks {
                assert!(holders(&|node| node.has_mounted(disk)) <= 1, "{mount}");
            }
            for node in group.nodes.iter().filter(|node| node.is_up()) {
                // Of the mail group's servers only the directory server can do without all of its volumes.
                let runs = group.servers.iter().any(|server| !running(node, server).is_empty());
                let (_, first) = &group.disks[0];
                let stands = node.has_address(group.address) && node.has_mounted(first);
                assert!(
                    !runs || stands,
                    "a server of {} runs on {} without what it needs",
                    group.name,
                    node.name()
                );
            }
        }
    }

    /// Installs a server root where its volumes are mounted now, and binds it.
    pub fn install(&self, node: &Node, root: &ServerRoot, instance: &str) {
        node.enter(|| root.lay(Path::new("/"))).unwrap();
        let settled = root.settle(|words| {
            node.run(words).ok();
            Ok::<(), std::convert::Infallible>(())
        });
        settled.unwrap();
        node.run(["ims-ipbind", "set", instance]).ok();
    }

    /// Ends the watch; the test fails when two nodes ever had the same thing.
    pub fn end(mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.watch.take().unwrap().join().unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // A test that failed before tells why itself.
        let _ = self.watch.take().map(JoinHandle::join);
    }
}
