//! `ims-portcheck` beside real servers and strangers.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::ports;
use crate::support::mail::{Directory, Mail, Ports, ServerRoot};
use crate::support::*;

/// A node with a server root whose servers can be started.
pub struct Servers {
    /// The node.
    pub node: Node,
    /// Its server root.
    pub root: ServerRoot,
}

impl Servers {
    pub fn on(node: Node, root: ServerRoot, registry: &str) -> Self {
        root.lay(&node.path("/")).unwrap();
        root.settle(|words| {
            node.run(words.iter().copied()).ok();
            Ok::<(), std::io::Error>(())
        })
        .unwrap();
        node.file("/etc/msgregistry.inf", registry);
        Self { node, root }
    }

    pub fn start_mail(&self, name: &str) {
        let folder = self.root.mail_dir(name);
        self.node.sh(&format!("mkdir -p /run/ims/{name}/dovecot")).ok();
        self.node.run(["/usr/lib/postfix/sbin/master", "-c", &shown(&folder.join("postfix")), "-w"]).ok();
        self.node.run(["dovecot", "-c", &shown(&folder.join("dovecot/dovecot.conf"))]).ok();
    }

    pub fn start_directory(&self, name: &str, urls: &str) {
        let conf = shown(&self.root.directory_dir(name).join("slapd.conf"));
        self.node.sh(&format!("install -d -o openldap -g openldap /run/ims/{name}/slapd")).ok();
        self.node.run(["slapd", "-h", urls, "-f", &conf, "-u", "openldap", "-g", "openldap"]).ok();
    }

    /// Binds a mail instance as `ims-ipbind set` does.
    pub fn bind(&self, name: &str, address: &str) {
        let folder = shown(&self.root.mail_dir(name));
        self.node
            .sh(&format!(
                "sed -i 's/^inet_interfaces = all/inet_interfaces = {address}/' {folder}/postfix/main.cf; \
                 sed -i 's/^listen = .*/listen = {address}/' {folder}/dovecot/dovecot.conf"
            ))
            .ok();
    }

    pub fn check(&self, args: &[&str], status: i32) -> Vec<Value> {
        let ran = self.node.run(std::iter::once("ims-portcheck").chain(args.iter().copied()));
        ran.status_is(status).records()
    }
}

pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn two_instances(node: Node) -> Servers {
    let root = ServerRoot::postfix_dovecot("/global/ims/server5")
        .mail(Mail::new("stork", "ldap://192.0.2.20:389/"))
        .mail(Mail::new("heron", "ldap://192.0.2.20:389/"))
        .directory(Directory::new("mail"));
    let section = |name: &str, ip: &str, more: &str| {
        format!("[{name}]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = {ip}\n{more}\n")
    };
    // Both ask the same directory server, and either may start it.
    let registry =
        section("stork", "192.0.2.20", "ldap = mail\n") + &section("heron", "192.0.2.21", "ldap = mail\n");
    Servers::on(node, root, &registry)
}

#[test]
fn the_servers_of_an_instance_that_runs_are_no_conflict_with_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let servers = two_instances(bed.node("mail-1"));
    servers.start_mail("stork");
    servers.start_directory("mail", "ldap:///");
    assert_eq!(servers.check(&["stork"], 0), Vec::<Value>::new());
    // Both on every address: told once each, from the configuration, and the directory server that they share is not.
    let found = servers.check(&[], 1);
    assert_eq!(ports(&found), [25, 143, 110]);
    assert_eq!(
        found[0]["mend"],
        "ims-ipbind set --address 192.0.2.20 stork; ims-ipbind set --address 192.0.2.21 heron"
    );
    // Bound apart, but stork still runs as it was started: its sockets take heron's ports.
    servers.bind("stork", "192.0.2.20");
    servers.bind("heron", "192.0.2.21");
    let found = servers.check(&["heron"], 1);
    assert_eq!(ports(&found), [25, 143, 110]);
    for conflict in &found {
        assert_eq!(
            (&conflict["a"]["instance"], &conflict["b"]["instance"]),
            (&json!("heron"), &json!("stork"))
        );
        assert!(conflict["b"]["pid"].is_u64() && conflict["b"]["at"].is_null(), "{conflict}");
    }
    assert_eq!(found[0]["b"]["command"], "/usr/lib/postfix/sbin/master");
    assert_eq!(servers.check(&["heron", "--no-live"], 0), Vec::<Value>::new());
}

#[test]
fn two_instances_that_are_bound_apart_run_beside_each_other() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let servers = two_instances(bed.node("mail-1"));
    for (name, address) in [("stork", "192.0.2.20"), ("heron", "192.0.2.21")] {
        servers
            .node
            .run(["ims-ipbind", "up", &format!("{address}/24"), "--device", "eth0", "--probe-wait", "0s"])
            .ok();
        servers.bind(name, address);
        servers.start_mail(name);
    }
    servers.start_directory("mail", "ldap://192.0.2.20:389/");
    servers
        .node
        .sh("sed -i 's|ldap:///|ldap://192.0.2.20:389/|' /global/ims/server5/slapd-mail/default")
        .ok();
    assert_eq!(servers.check(&[], 0), Vec::<Value>::new());
}

#[test]
fn a_stranger_at_a_configured_port_is_named_with_pid_program_and_user() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let root = ServerRoot::postfix_dovecot("/global/ims/server5")
        .mail(Mail::new("stork", "ldap://192.0.2.20:389/").on(Ports { imap: 1143, ..Ports::default() }));
    let registry = "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\naddress = 192.0.2.20\n";
    let servers = Servers::on(node.clone(), root, registry);
    let script = "use IO::Socket::INET; $> = 65534; \
         my $s = IO::Socket::INET->new(LocalAddr => '192.0.2.11', LocalPort => 1143, Listen => 1) or die; \
         $| = 1; print \"pid $$\\n\"; sleep 60";
    let stranger = node.spawn(["perl", "-e", script]);
    assert!(
        stranger.until_stdout(Duration::from_secs(10), |said| said.contains("pid")),
        "{}",
        stranger.stderr()
    );
    let pid: u64 = stranger.stdout().trim().trim_start_matches("pid ").parse().unwrap();
    let found = servers.check(&[], 1);
    assert_eq!(ports(&found), [1143]);
    assert_eq!(found[0]["verdict"], "conflict");
    assert_eq!(
        found[0]["b"],
        json!({"instance": null, "host": "mail-1", "server": null, "service": null, "address": "192.0.2.11",
            "at": null, "pid": pid, "command": "/usr/bin/perl", "unit": null, "uid": 65534})
    );
    assert_eq!(
        found[0]["mend"],
        format!("stop /usr/bin/perl (pid {pid}), or bind it to an address of its own")
    );
    // Who cannot see whose it is does not know.
    let words = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "ims-portcheck"];
    let unknown = node.run(words).status_is(3).records();
    assert_eq!((&unknown[0]["verdict"], &unknown[0]["b"]["pid"]), (&json!("unknown"), &Value::Null));
    assert_eq!(servers.check(&["--no-live"], 0), Vec::<Value>::new());
    assert_eq!(servers.check(&["--no-live", "--live"], 1).len(), 1);
    stranger.kill();
    assert_eq!(servers.check(&[], 0), Vec::<Value>::new());
    // Neither does anybody know who holds a socket from outside the node.
    let _outside = node.inside(|| TcpListener::bind("192.0.2.11:1143")).unwrap();
    assert_eq!(servers.check(&[], 3)[0]["verdict"], "unknown");
}
