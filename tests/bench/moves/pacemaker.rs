//! Pacemaker on two nodes, as Debian packages it, with its stock agents: what `tests/setup bench` unpacked is laid into
//! each node, and its configuration is there before its first start.

use std::time::{Duration, Instant};

use super::stage::{IP, MOUNT, Stage};
use crate::support::Node;

/// What the packages do when they are installed.
const INSTALL: &str = include_str!("pacemaker/install.sh");
/// Membership: the defaults, but for what namespaces on one machine need.
const COROSYNC: &str = include_str!("pacemaker/corosync.conf");
/// An agent that asks the bed's power switch.
const FENCE: &str = include_str!("pacemaker/fence_ims.sh");

/// How long a cluster may take to come up, and a group to move.
const PATIENCE: Duration = Duration::from_secs(90);

/// Both nodes under its rule.
pub struct Pacemaker<'a> {
    stage: &'a Stage,
}

/// A resource for the configuration: its name, its agent, its parameters, how often it is looked at.
pub fn primitive(id: &str, agent: &str, parameters: &[(&str, &str)], every: &str) -> String {
    let mut text = format!("<primitive id=\"{id}\" class=\"ocf\" provider=\"heartbeat\" type=\"{agent}\">");
    text += &attributes(id, parameters);
    text += &format!(
        "<operations><op id=\"{id}-start\" name=\"start\" interval=\"0\" timeout=\"90s\"/>\
         <op id=\"{id}-stop\" name=\"stop\" interval=\"0\" timeout=\"60s\"/>\
         <op id=\"{id}-monitor\" name=\"monitor\" interval=\"{every}\" timeout=\"40s\"/></operations></primitive>"
    );
    text
}

/// The address and the volume.
pub fn base(stage: &Stage) -> String {
    let device = stage.disk.device();
    let disk = [("device", device.as_str()), ("directory", MOUNT), ("fstype", "ext4")];
    let ip = [("ip", IP), ("cidr_netmask", "24"), ("nic", "eth0")];
    primitive("disk", "Filesystem", &disk, "10s") + &primitive("ip", "IPaddr2", &ip, "10s")
}

fn attributes(id: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = format!("<instance_attributes id=\"{id}-attributes\">");
    for (name, value) in pairs {
        let value = value.replace('&', "&amp;").replace('"', "&quot;");
        text += &format!("<nvpair id=\"{id}-{name}\" name=\"{name}\" value=\"{value}\"/>");
    }
    text + "</instance_attributes>"
}

/// One fence device for each node, which never runs on the node that it fences.
fn fencing(stage: &Stage) -> (String, String) {
    let (mut devices, mut places) = (String::new(), String::new());
    for node in stage.nodes().map(Node::name) {
        let id = format!("fence-{node}");
        devices += &format!("<primitive id=\"{id}\" class=\"stonith\" type=\"fence_ims\">");
        devices +=
            &attributes(&id, &[("pcmk_host_list", node), ("pcmk_host_check", "static-list"), ("plug", node)]);
        devices += "</primitive>";
        places +=
            &format!("<rsc_location id=\"not-{id}\" rsc=\"{id}\" node=\"{node}\" score=\"-INFINITY\"/>");
    }
    (devices, places)
}

impl<'a> Pacemaker<'a> {
    /// Lays it into both nodes and starts it there, with the group `service` of these resources, in their order, online
    /// on mail-1.
    pub fn start(stage: &'a Stage, resources: &str) -> Self {
        let (devices, places) = fencing(stage);
        let cib = format!(
            include_str!("pacemaker/cib.xml"),
            devices = devices,
            resources = resources,
            places = places,
        );
        for node in stage.nodes() {
            node.sh(INSTALL).ok();
            node.script("/usr/sbin/fence_ims", FENCE);
            node.file("/etc/corosync/corosync.conf", COROSYNC);
            node.file("/var/lib/pacemaker/cib/cib.xml", &cib);
            node.sh("chown hacluster:haclient /var/lib/pacemaker/cib/cib.xml; chmod 600 /var/lib/pacemaker/cib/cib.xml")
                .ok();
        }
        for node in stage.nodes() {
            start(node);
        }
        let cluster = Self { stage };
        assert!(
            until_seldom(PATIENCE, || has(&stage.mail_1)),
            "{}\n{}",
            stage.mail_1.run(["crm_mon", "-1rf"]),
            stage.mail_1.sh("tail -n 80 /var/log/pacemaker/pacemaker.log"),
        );
        cluster
    }

    /// Moves the group to the other node as an operator would, and returns when that has its address.
    pub fn moves(&self) {
        let (_, target) = self.sides();
        let line = ["crm_resource", "--move", "--resource", "service", "--node", target.name()];
        self.stage.mail_1.run(line).ok();
        waits_for(target);
    }

    /// The node that has the address, and the other.
    pub fn sides(&self) -> (&Node, &Node) {
        let Stage { mail_1, mail_2, .. } = self.stage;
        if has(mail_1) { (mail_1, mail_2) } else { (mail_2, mail_1) }
    }

    /// Waits until it has nothing left to do, so that the next move begins alone.
    pub fn settle(&self) {
        let idle = || self.stage.mail_1.run(["crmadmin", "-S", "mail-1"]).is_ok();
        assert!(until_seldom(PATIENCE, idle));
        let line = ["crm_resource", "--wait", "--timeout", "60s"];
        self.stage.mail_1.command(line).deadline(PATIENCE).run().ok();
    }
}

/// Waits until a node has the address.
pub fn waits_for(node: &Node) {
    assert!(until_seldom(PATIENCE, || has(node)), "{}", node.run(["crm_mon", "-1rf"]));
}

fn has(node: &Node) -> bool {
    node.has_address(IP.parse().unwrap())
}

fn start(node: &Node) {
    node.spawn(["corosync", "-f"]).stay();
    let is_up = || node.run(["corosync-cfgtool", "-s"]).is_ok();
    assert!(until_seldom(PATIENCE, is_up), "corosync does not come up");
    node.spawn(["pacemakerd"]).stay();
}

/// Waits for something with pauses that leave the machine to the cluster.
fn until_seldom(at_most: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + at_most;
    while !holds() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50)); // what asks all the time would take from what is measured
    }
    true
}
