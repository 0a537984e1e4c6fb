//! CIBs of Pacemaker read: what becomes a group, and what it cannot hold.

use super::*;

#[test]
fn a_cib_is_groups_and_what_they_cannot_hold_is_listed() {
    let host = Host::new();
    let said = host.import("pacemaker", &data("pacemaker-mail.xml"), &[]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let wanted = "\
nodes = [\"mail-2\", \"mail-1\"]

[resource.logical_IP]
type = \"logical-ip\"
address = \"192.0.2.10/24\"
device = \"eth0\"
online_timeout = 20
monitor_interval = 10
monitor_timeout = 20

[resource.spool]
type = \"volume\"
device = \"/dev/disk/by-label/ims\"
mount = \"/srv/ims\"
fstype = \"xfs\"
offline_timeout = 120
monitor_interval = 30
monitor_timeout = 40
restart_limit = 2
requires = [\"logical_IP\"]

[resource.postfix]
type = \"ocf:heartbeat:postfix\"
parameters = { config_dir = \"/srv/ims/msg-stork/postfix\" }
requires = [\"logical_IP\", \"spool\"]
";
    assert_eq!(host.group("IMS-RG"), wanted);
    let webmail = host.group("webmail");
    assert!(webmail.contains("requires_groups = [\"IMS-RG\"]\napart_from = [\"IMS-RG\"]\n"), "{webmail}");
    let apart = "65 webmail with IMS-RG: -INFINITY is apart_from of webmail: the one that comes later is refused, and \
                 none is stopped for another";
    assert!(said.remarks("changed").iter().any(|told| told == apart), "{}", said.stdout);
    assert_eq!(
        said.remarks("lost"),
        [
            "15 fence-1: say fence for each node in /etc/ims/nodes.toml",
            "29 arp_count of logical_IP: logical-ip has no such key",
            "33 on-fail=standby of monitor of logical_IP: no counterpart",
            "57 clone ping-clone: a resource is up on one node, once",
            "69 with-ping: a rule in a rsc_location",
            "73 site: a rsc_ticket",
        ]
    );
    assert!(!said.stdout.contains("not-to-be-shown"));
}

#[test]
fn sets_and_templates_of_a_cib_are_read() {
    let host = Host::new();
    assert_eq!(host.import("pacemaker", &data("pacemaker-sets.xml"), &[]).status, 0);
    let group = host.group("ldap-ip");
    assert!(group.contains("address = \"192.0.2.20/24\"\ndevice = \"eth1\""), "{group}");
    assert!(
        group.contains("requires = [\"ldap-ip\"]") && group.contains("requires = [\"ldap-disk\"]"),
        "{group}"
    );
    assert!(host.group("home").contains("type = \"ocf:heartbeat:Filesystem\""));
}

#[test]
fn what_a_cib_asks_of_nodes_and_would_rather_have_is_carried_over() {
    let host = Host::new();
    let primitive = |id: &str, more: &str| {
        format!(
            "<primitive id=\"{id}\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\">{more}</primitive>"
        )
    };
    let memory = "<utilization id=\"u\"><nvpair id=\"n\" name=\"memory\" value=\"512\"/></utilization>";
    let cib = format!(
        "<cib><configuration><nodes><node id=\"1\" uname=\"mail-1\">{memory}</node></nodes><resources>{}{}{}</resources>\n\
         <constraints><rsc_colocation id=\"c\" rsc=\"a\" with-rsc=\"b\" score=\"50\"/>\n\
         <rsc_colocation id=\"d\" rsc=\"c\" with-rsc=\"b\" score=\"-50\"/></constraints></configuration></cib>",
        primitive("a", memory),
        primitive("b", ""),
        primitive("c", "")
    );
    let said = host.import("pacemaker", &cib, &[]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(
        host.group("a").contains("load = { memory = 512 }\nrather_with = [\"b\"]\n"),
        "{}",
        host.group("a")
    );
    assert!(host.group("c").contains("rather_apart_from = [\"b\"]\n"), "{}", host.group("c"));
    let lost = said.remarks("lost");
    assert!(lost.iter().any(|told| told.contains("say capacity = { memory = 512 } of it")), "{lost:?}");
}
