//! Two instances of real servers on one node: what the second one's own errors name is what was predicted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::live::{Servers, shown};
use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::*;

const ROOT: &str = "/global/ims/server5";
const INSTANCES: [(&str, &str); 2] = [("stork", "192.0.2.20"), ("heron", "192.0.2.21")];

fn ports_of(conflicts: &[Value], kernel: &str) -> BTreeSet<u64> {
    let of = conflicts.iter().filter(|conflict| conflict["kernel"] == kernel);
    of.map(|conflict| conflict["port"].as_u64().unwrap()).collect()
}

/// The ports that Dovecot's `listen(*, 143) failed: Address already in use` names.
fn named_by_dovecot(log: &str) -> BTreeSet<u64> {
    let failed = log.lines().filter(|line| line.contains("failed: Address already in use"));
    failed
        .map(|line| {
            let inside = line.split("listen(").nth(1).and_then(|rest| rest.split(')').next());
            inside
                .and_then(|inside| inside.rsplit(", ").next())
                .and_then(|port| port.parse().ok())
                .expect(line)
        })
        .collect()
}

/// Who greets at the SMTP port, asked many times.
fn greeters(node: &Node) -> BTreeSet<String> {
    let script = "for i in $(seq 40); do printf 'QUIT\\r\\n' | timeout 5 perl -e 'use IO::Socket::INET; \
                  my $s = IO::Socket::INET->new(\"127.0.0.1:25\") or die; print scalar <$s>'; done";
    let said = node.sh(script).ok().stdout;
    said.lines().filter_map(|line| line.split_whitespace().nth(1).map(ToOwned::to_owned)).collect()
}

#[test]
fn the_second_instance_fails_at_the_very_ports_that_were_predicted_and_runs_once_both_are_bound() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let mut root = ServerRoot::postfix_dovecot(ROOT);
    let mut registry = String::new();
    for (name, ip) in INSTANCES {
        root = root.mail(Mail::new(name, &format!("ldap://{ip}:389/"))).directory(Directory::new(name));
        registry +=
            &format!("[{name}]\nlayout = postfix-dovecot\nroot = {ROOT}\naddress = {ip}\nldap = {name}\n\n");
    }
    let servers = Servers::on(bed.node("mail-1"), root, &registry);
    let node = &servers.node;

    // Before the second is started: each pair of lines once, and what the kernel will say.
    servers.start_mail("stork");
    servers.start_directory("stork", "ldap:///");
    let predicted = servers.check(&[], 1);
    assert!(predicted.iter().all(|c| c["a"]["at"].is_object() && c["b"]["at"].is_object()), "{predicted:?}");
    let refused = ports_of(&predicted, "refuses");
    let shared = ports_of(&predicted, "shares");
    assert_eq!(refused.len() + shared.len(), predicted.len());

    // The second: what its servers say themselves.
    let (mail, ldap) = (format!("{ROOT}/msg-heron"), format!("{ROOT}/slapd-heron"));
    node.sh("mkdir -p /run/ims/heron/dovecot; install -d -o openldap -g openldap /run/ims/heron/slapd").ok();
    let dovecot = node.run(["dovecot", "-c", &format!("{mail}/dovecot/dovecot.conf")]);
    assert_ne!(dovecot.status, Some(0), "{dovecot}");
    let log = node.read(format!("{mail}/log/dovecot.log")).unwrap_or_default() + &dovecot.stderr;
    let mut named = named_by_dovecot(&log);
    let conf = format!("{ldap}/slapd.conf");
    let slapd =
        node.run(["slapd", "-d", "256", "-h", "ldap:///", "-f", &conf, "-u", "openldap", "-g", "openldap"]);
    assert_ne!(slapd.status, Some(0), "{slapd}");
    assert!(slapd.stderr.contains("errno=98 (Address already in use)"), "{slapd}");
    named.insert(389); // the one URL it was given
    assert_eq!(refused, named, "predicted, and named by the servers themselves: {log}{}", slapd.stderr);
    // Postfix says nothing: both have the port, and users get either.
    let postfix = format!("{mail}/postfix");
    node.run(["/usr/lib/postfix/sbin/master", "-c", &postfix, "-w"]).ok();
    assert_eq!(shared, BTreeSet::from([25]));
    assert_eq!(
        greeters(node),
        BTreeSet::from(["heron.example.test".to_owned(), "stork.example.test".to_owned()])
    );

    // All of it down; then each on its own address.
    for name in ["stork", "heron"] {
        node.sh(&format!("kill $(cat {ROOT}/msg-{name}/queue/pid/master.pid)")).ok();
    }
    node.sh("doveadm -c /global/ims/server5/msg-stork/dovecot/dovecot.conf stop").ok();
    node.sh("kill -INT $(cat /run/ims/stork/slapd/slapd.pid)").ok();
    let is_quiet = || node.run(["ss", "-Hltn"]).ok().stdout.is_empty();
    assert!(until(std::time::Duration::from_secs(20), is_quiet), "{}", node.run(["ss", "-ltnp"]));
    for (name, ip) in INSTANCES {
        node.sh(&format!("ip address add {ip}/24 dev eth0")).ok();
        node.run(["ims-ipbind", "set", name]).ok();
    }
    assert_eq!(servers.check(&["--no-live"], 0), Vec::<Value>::new());
    for (name, ip) in INSTANCES {
        servers.start_mail(name);
        servers.start_directory(name, &format!("ldap://{ip}/"));
    }
    assert_eq!(servers.check(&[], 0), Vec::<Value>::new());
    let table = node.run(["ss", "-Hltn"]).ok().stdout;
    let mut at: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    at.sort_unstable();
    let wanted = INSTANCES.map(|(_, ip)| ["110", "143", "25", "389"].map(|port| format!("{ip}:{port}")));
    assert_eq!(at, wanted.concat());
    assert!(shown(servers.root.path()).starts_with(ROOT));
}
