//! The made servers are real: mail sent by SMTP is read by IMAP, after stops and starts too.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::support::{Bed, Node, until};

const SOON: Duration = Duration::from_secs(60);

/// Lays a server root in a node and does what its installer would do.
fn laid(node: &Node, root: &ServerRoot) {
    node.enter(|| root.lay(Path::new("/"))).unwrap();
    root.settle(|words| {
        node.run(words).ok();
        Ok::<(), ()>(())
    })
    .unwrap();
}

/// Sends a message to each user and waits until all are in their mailboxes.
fn mail_goes_through(client: &Node, ip: IpAddr) {
    let (smtp, imap) = (SocketAddr::new(ip, 25), SocketAddr::new(ip, 143));
    let account = client.inside(|| {
        let stream = Stream::start(smtp, Duration::from_millis(1));
        assert!(until(SOON, || stream.acknowledged() > User::ALL.len()), "no message was acknowledged");
        account_within(&stream.stop(), imap, SOON).unwrap()
    });
    assert_eq!((account.lost, account.doubled), (vec![], vec![]));
}

/// The local addresses that are listened at, one a line, such as `192.0.2.10:25`.
fn listened_at(node: &Node) -> Vec<String> {
    let text = node.run(["ss", "-Hltn"]).ok().stdout;
    let mut at: Vec<String> =
        text.lines().filter_map(|line| Some(line.split_whitespace().nth(3)?.to_owned())).collect();
    at.sort();
    at
}

#[test]
fn a_postfix_dovecot_root_serves_mail_for_users_in_ldap() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 11));
    let root = ServerRoot::postfix_dovecot("/global/ims/server5")
        .mail(Mail::new("stork", "ldap://192.0.2.11:389/"))
        .directory(Directory::new("mail"));
    laid(&node, &root);
    let (mail, ldap) = ("/global/ims/server5/msg-stork", "/global/ims/server5/slapd-mail");
    node.sh("mkdir -p /run/ims/stork/dovecot; install -d -o openldap -g openldap /run/ims/mail/slapd").ok();
    let started = Instant::now();
    node.run([
        "slapd",
        "-h",
        "ldap:///",
        "-u",
        "openldap",
        "-g",
        "openldap",
        "-f",
        &format!("{ldap}/slapd.conf"),
    ])
    .ok();
    node.run(["dovecot", "-c", &format!("{mail}/dovecot/dovecot.conf")]).ok();
    node.run(["/usr/lib/postfix/sbin/master", "-c", &format!("{mail}/postfix"), "-w"]).ok();
    println!("three servers started in {:?}", started.elapsed());
    mail_goes_through(&bed.client(), ip);
}

#[test]
fn the_seed_s_root_serves_mail_where_its_files_say_on_two_addresses_beside_each_other() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let root = ServerRoot::seed();
    laid(&node, &root);
    node.sh("ip address add 10.0.37.10/24 dev eth0; ip address add 10.0.37.11/24 dev eth0").ok();
    for (instance, ip) in [("mail-1", "10.0.37.10"), ("mail-2", "10.0.37.11")] {
        let dir = root.mail_dir(instance).display().to_string();
        node.sh(&format!(
            "sed -i 's/^!INTERFACE_ADDRESS=/INTERFACE_ADDRESS={ip}/' {dir}/imta/config/dispatcher.cnf
             sed -i 's/^tcp_port/INTERFACE_ADDRESS={ip}\\ntcp_port/' {dir}/imta/config/job_controller.cnf
             {dir}/configutil -o service.listenaddr -v {ip}"
        ))
        .ok();
    }
    node.sh("cd /opt/iplanet/server5; echo listenhost 10.0.37.10 >>slapd-elenchus/config/slapd.conf").ok();

    let start =
        "cd /opt/iplanet/server5; slapd-elenchus/start-slapd; msg-mail-1/start-msg; msg-mail-2/start-msg";
    let stop = "cd /opt/iplanet/server5; msg-mail-2/stop-msg; msg-mail-1/stop-msg; slapd-elenchus/stop-slapd";
    let client = bed.client();
    client.sh("ip address add 10.0.37.100/24 dev eth0").ok();
    for _ in 0..2 {
        node.sh(start).ok();
        assert_eq!(
            listened_at(&node),
            [
                "10.0.37.10:110",
                "10.0.37.10:143",
                "10.0.37.10:25",
                "10.0.37.10:27442",
                "10.0.37.10:389",
                "10.0.37.10:587",
                "10.0.37.11:110",
                "10.0.37.11:143",
                "10.0.37.11:25",
                "10.0.37.11:27443",
                "10.0.37.11:587",
            ]
        );
        for ip in ["10.0.37.10", "10.0.37.11"] {
            mail_goes_through(&client, ip.parse().unwrap());
        }
        let stopped = Instant::now();
        node.sh(stop).ok();
        println!("stopped in {:?}", stopped.elapsed());
        assert_eq!(listened_at(&node), [""; 0]);
        assert_eq!(node.run(["pgrep", "-c", "-f", "/opt/iplanet|postfix|dovecot"]).stdout.trim(), "0");
    }
}
