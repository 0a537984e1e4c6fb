//! Real servers, started with what the files say: what counts is the kernel's socket table.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::mail::{Directory, Mail, Ports, ServerRoot};
use crate::support::{Bed, Node, until};

/// The addresses and ports that the node listens on, its own resolver and the like there is none.
fn sockets(node: &Node) -> BTreeSet<String> {
    let table = node.run(["ss", "-Hltn"]).ok();
    table.stdout.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned()).collect()
}

/// What `show` says, in the same words.
pub fn shown(node: &Node, args: &[&str]) -> BTreeSet<String> {
    let ran = node.run([&["ims-ipbind", "show", "-o", "json"], args].concat()).ok();
    let of = |record: &serde_json::Value| {
        assert_eq!((&record["bound"], &record["running"]), (&true.into(), &"agrees".into()), "{record}");
        format!("{}:{}", record["address"].as_str().unwrap(), record["port"])
    };
    ran.records().iter().filter(|record| record["schema"] == "ims.listener/1").map(of).collect()
}

pub fn listed(address: &str, ports: &[u16]) -> BTreeSet<String> {
    ports.iter().map(|port| format!("{address}:{port}")).collect()
}

/// Waits for the table, so that a server that is slow to bind is not a failure and a wrong one is.
#[track_caller]
pub fn listens(node: &Node, wanted: &BTreeSet<String>) {
    until(Duration::from_secs(20), || sockets(node) == *wanted);
    assert_eq!(&sockets(node), wanted);
}

#[test]
fn two_iplanet_instances_on_one_node_listen_on_their_own_address_only() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("ip address add 10.0.37.10/24 dev eth0; ip address add 10.0.37.11/24 dev eth0").ok();
    let root = ServerRoot::seed();
    root.lay(&node.path("/")).unwrap();
    root.settle(|words| if node.run(words.to_vec()).ok().is_ok() { Ok(()) } else { Err(()) }).unwrap();
    let path = "/opt/iplanet/server5";
    let set = |name: &str, address: &str, more: &[&str]| {
        let words = ["ims-ipbind", "set", name, "--address", address, "--server-root", path];
        node.run([&words, more].concat())
    };
    set("mail-1", "10.0.37.10", &["--ldap", "elenchus"]).ok();
    set("mail-2", "10.0.37.11", &[]).ok();
    for script in ["slapd-elenchus/start-slapd", "msg-mail-1/start-msg", "msg-mail-2/start-msg"] {
        node.run([format!("{path}/{script}")]).ok();
    }
    let mut wanted = listed("10.0.37.10", &[25, 587, 143, 110, 389, 27442]);
    wanted.extend(listed("10.0.37.11", &[25, 587, 143, 110, 27443]));
    listens(&node, &wanted);
    let mut told =
        shown(&node, &["mail-1", "--ldap", "elenchus", "--server-root", path, "--address", "10.0.37.10"]);
    told.extend(shown(&node, &["mail-2", "--server-root", path, "--address", "10.0.37.11"]));
    assert_eq!(told, wanted, "show says what the kernel says");

    // The real slapd runs now: its slapd.conf is not to be changed.
    let ran = set("mail-1", "10.0.37.12", &["--ldap", "elenchus"]).status_is(4);
    assert!(ran.stderr.contains("slapd runs below /opt/iplanet/server5/slapd-elenchus"), "{ran}");
    for script in ["msg-mail-2/stop-msg", "msg-mail-1/stop-msg", "slapd-elenchus/stop-slapd"] {
        node.run([format!("{path}/{script}")]).ok();
    }
    listens(&node, &BTreeSet::new());
    set("mail-1", "10.0.37.12", &["--ldap", "elenchus"]).ok();
}

#[test]
fn two_messaging_6_roots_on_one_node_listen_on_their_own_address_only() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let both = [("mail-1", "10.0.37.10", 27442), ("mail-2", "10.0.37.11", 27443)];
    let mut wanted = BTreeSet::new();
    for (name, address, job_controller) in both {
        node.sh(&format!("ip address add {address}/24 dev eth0")).ok();
        let path = format!("/opt/{name}/SUNWmsgsr");
        let ports = Ports { job_controller, ..Ports::default() };
        let root = ServerRoot::messaging6(&path, Mail::new(name, "ldap://10.0.37.10:389/").on(ports));
        root.lay(&node.path("/")).unwrap();
        // As the product's set-up leaves it: the programs on the node, the data and the configuration elsewhere.
        node.sh(&format!(
            "mkdir -p /var{path}; mv {path}/config /var{path}/; ln -s /var{path}/config {path}/config"
        ))
        .ok();
        node.sh(&format!("ims-registry scan {path} | ims-registry add -")).ok();
        node.run(["ims-ipbind", "set", name, "--address", address]).ok();
        node.sh(&format!("ims-registry scan {path} | ims-registry add -")).ok();
        node.sh(&format!("test -L {path}/config && test -f /var{path}/config/ims-ipbind.pre-ha")).ok();
        let group = format!(
            "nodes = [\"mail-1\"]\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"{name}\"\n"
        );
        node.file(format!("/etc/ims/groups/{name}.toml"), group);
        node.run(["ims-switch", "online", name]).ok();
        wanted.extend(listed(address, &[25, 587, 143, 110, job_controller]));
    }
    listens(&node, &wanted);
    assert_eq!(shown(&node, &[]), wanted, "show says what the kernel says");
    node.run(["ims-portcheck", "mail-1", "mail-2"]).ok();
    for (name, ..) in both {
        node.run(["ims-probe", name, "--level", "connect"]).ok();
        node.run(["ims-switch", "offline", name]).ok();
    }
    listens(&node, &BTreeSet::new());
}

#[test]
fn two_postfix_dovecot_instances_on_one_node_listen_on_their_own_address_only() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.sh("ip address add 192.0.2.20/24 dev eth0; ip address add 192.0.2.21/24 dev eth0").ok();
    let path = "/global/ims/server5";
    let root = ServerRoot::postfix_dovecot(path)
        .mail(Mail::new("stork", "ldap://192.0.2.20:389/"))
        .mail(Mail::new("heron", "ldap://192.0.2.21:389/").on(Ports { pop3: 1110, ..Ports::default() }))
        .directory(Directory::new("stork"))
        .directory(Directory::new("heron"));
    root.lay(&node.path("/")).unwrap();
    root.settle(|words| if node.run(words.to_vec()).ok().is_ok() { Ok(()) } else { Err(()) }).unwrap();
    for (name, address) in [("stork", "192.0.2.20"), ("heron", "192.0.2.21")] {
        let add = ["ims-registry", "add", name, "--server-root", path, "--ldap", name, "--address", address];
        node.run(add).ok();
        let ran = node.run(["ims-ipbind", "set", name]).ok();
        assert!(ran.stderr.is_empty(), "every checker is here, and the registry agrees: {ran}");
        let (mail, ldap) = (format!("{path}/msg-{name}"), format!("{path}/slapd-{name}"));
        node.sh(&format!(
            "mkdir -p /run/ims/{name}/dovecot; install -d -o openldap -g openldap /run/ims/{name}/slapd
             . {ldap}/default; slapd -h \"$SLAPD_SERVICES\" -f {ldap}/slapd.conf -u openldap -g openldap
             dovecot -c {mail}/dovecot/dovecot.conf
             MAIL_CONFIG={mail}/postfix /usr/lib/postfix/sbin/master -c {mail}/postfix -w"
        ))
        .ok();
    }
    let mut wanted = listed("192.0.2.20", &[25, 143, 110, 389]);
    wanted.extend(listed("192.0.2.21", &[25, 143, 1110, 389]));
    listens(&node, &wanted);
    assert_eq!(shown(&node, &[]), wanted, "show says what the kernel says");
    for port in [25, 143, 389] {
        let answers = node.inside(|| std::net::TcpStream::connect(("192.0.2.11", port)).is_ok());
        assert!(!answers, "nothing of theirs is on the node's own address");
    }
}
