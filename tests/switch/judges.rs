//! What is exported, taken by the programs it is written for: crm of crmsh and pcs make a CIB of it, Pacemaker's own
//! checker passes that, its scheduler places the groups as the files say, and the CIB is read back as the same groups.

use std::path::Path;
use std::time::Duration;

use ims::group::Group;

use crate::support::*;

/// Makes the programs part of a node, where the cluster is the file `/root/cib.xml`: pcs gets it from there and puts it
/// back there. The agents of this project are what Pacemaker has to know of them, their names and parameters.
const SEAT: &str = r#"
agents=/run/judges/lib/ocf/resource.d/ims
mkdir -p $agents /run/judges/local/sbin /var/log/crmsh /var/lib/pacemaker/cib
for agent in directory-server messaging-server; do
    cat >$agents/$agent <<END
#!/bin/sh
[ "\$1" = meta-data ] || exit 3
cat <<METADATA
<?xml version="1.0"?>
<resource-agent name="$agent"><version>1.0</version>
<longdesc lang="en">A server.</longdesc><shortdesc lang="en">A server.</shortdesc>
<parameters><parameter name="instance" required="1"><longdesc lang="en">Its name.</longdesc>
<shortdesc lang="en">Its name.</shortdesc><content type="string"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="10s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>
METADATA
END
done
cat >/run/judges/local/sbin/pcs <<'END'
#!/bin/sh
case "$1 $2" in
    'cluster cib') cp /root/cib.xml "$3" ;;
    'cluster cib-push') cp "$3" /root/cib.xml ;;
    *) exec /usr/sbin/pcs "$@" ;;
esac
END
chmod +x $agents/* /run/judges/local/sbin/pcs
echo haclient:x:989: >>/etc/group
echo hacluster:x:989:989::/:/bin/false >>/etc/passwd
tests=/var/lib/ims-tests
mount -t overlay judges -o "lowerdir=/run/judges:$tests/judges/usr:$tests/agents/usr:/usr" /usr
"#;

/// A directory, and a chain of everything that a cluster of Pacemaker can have, with values that shells, XML and
/// crm have words for.
const GROUPS: [(&str, &str); 2] = [
    (
        "LDAP-USER-RG",
        r#"nodes = ["mail-2", "mail-1"]
failback = true

[resource.ldap]
type = "directory-server"
instance = "ldap"
online_timeout = 90
"#,
    ),
    (
        "IMS-RG",
        r#"nodes = ["mail-1", "mail-2"]
requires_groups = ["LDAP-USER-RG"]

[resource.logical_IP]
type = "logical-ip"
address = "192.0.2.10/24"
device = "eth0"

[resource.mountshared]
type = "volume"
device = "/dev/disk/by-label/ims"
mount = "/global/ims"
fstype = "xfs"
options = "noatime,nodiratime"
offline_timeout = 120
requires = ["logical_IP"]

[resource.web]
type = "ocf:heartbeat:anything"
parameters = { binfile = "/opt/the web/bin", cmdline_options = "-x 'a b' -y $HOME #1 <&> \\n \"q\" ü", user = "www" }
restart_limit = 4
conf_interval = 900
requires = ["mountshared"]

[resource.mail]
type = "messaging-server"
instance = "stork"
monitor_interval = 60
monitor_timeout = 30
requires = ["web"]
"#,
    ),
];

/// The options of the cluster: without fencing nothing would be placed, and that is no group's matter.
const OPTIONS: &str = r#"<cluster_property_set id="o"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set>"#;
const NODES: &str = r#"<node id="1" uname="mail-1"/><node id="2" uname="mail-2"/>"#;

/// A node with the programs, the groups, and a CIB of two nodes.
fn seated(groups: &[(&str, String)]) -> Option<(Bed, Node)> {
    let is_there = Path::new("/var/lib/ims-tests/judges").exists();
    if !needs_root() || !needs("crmsh, pcs and Pacemaker's tools (tests/setup)", is_there) {
        return None;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh(SEAT).ok();
    for (name, text) in groups {
        node.file(format!("/etc/ims/groups/{name}.toml"), text);
    }
    node.sh(&format!(
        "cibadmin --empty | sed 's|<nodes/>|<nodes>{NODES}</nodes>|; \
         s|<crm_config/>|<crm_config>{OPTIONS}</crm_config>|' >/root/cib.xml; grep -q mail-2 /root/cib.xml"
    ))
    .ok();
    Some((bed, node))
}

fn parse(name: &str, text: &str) -> Group {
    let mut group = Group::parse(name.parse().unwrap(), text, Path::new(name)).unwrap();
    group.text.clear();
    group
}

/// Has Pacemaker check the CIB and start all of it, and reads it back.
#[track_caller]
fn is_judged_right(node: &Node, groups: &[(&str, String)]) {
    let checked = node.run(["crm_verify", "-V", "--xml-file", "/root/cib.xml"]).ok();
    assert_eq!((checked.stdout.as_str(), checked.stderr.as_str()), ("", ""), "{checked}");
    let simulate =
        "crm_simulate --xml-file /root/cib.xml --quorum true --node-up mail-1 --node-up mail-2 --simulate";
    let simulated = node.sh(simulate).ok();
    let started: Vec<Vec<&str>> = simulated
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("* Resource action: "))
        .map(|line| line.split_whitespace().collect())
        .filter(|words: &Vec<&str>| words[1] == "start")
        .collect();
    let wanted = [
        ["ldap", "start", "on", "mail-2"],
        ["logical_IP", "start", "on", "mail-1"],
        ["mountshared", "start", "on", "mail-1"],
        ["web", "start", "on", "mail-1"],
        ["mail", "start", "on", "mail-1"],
    ];
    assert_eq!(started, wanted, "{simulated}");

    node.run(["mkdir", "-p", "/root/back"]).ok();
    let read = node.run(["ims-switch", "import", "pacemaker", "/root/cib.xml", "--to", "/root/back"]).ok();
    let lost: Vec<_> = read.records().into_iter().filter(|record| record["kind"] == "lost").collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0]["what"], "stonith-enabled=false of the whole cluster");
    for (name, text) in groups {
        let back = node.read(format!("/root/back/{name}.toml")).unwrap();
        assert_eq!(parse(name, &back), parse(name, text), "{back}");
    }
}

#[test]
fn crm_takes_what_is_exported_for_it_and_pacemaker_finds_nothing_wrong() {
    let groups = GROUPS.map(|(name, text)| (name, text.replace(" ü\"", "\"")));
    let Some((_bed, node)) = seated(&groups) else { return };
    node.sh("ims-switch export crmsh IMS-RG LDAP-USER-RG >/root/ims-groups.crm").ok();
    let crm = ["crm", "configure", "load", "update", "/root/ims-groups.crm"];
    node.command(crm).env("CIB_file", "/root/cib.xml").run().ok();
    is_judged_right(&node, &groups);
}

#[test]
fn pcs_takes_what_is_exported_for_it_and_pacemaker_finds_nothing_wrong() {
    let groups = GROUPS.map(|(name, text)| (name, text.to_owned()));
    let Some((_bed, node)) = seated(&groups) else { return };
    node.sh("ims-switch export pcs IMS-RG LDAP-USER-RG >/root/ims-groups.sh").ok();
    // Every one of its eleven lines is a Python program that starts anew.
    node.command(["sh", "-c", "cd /root; sh ims-groups.sh"]).deadline(Duration::from_secs(180)).run().ok();
    is_judged_right(&node, &groups);
}
