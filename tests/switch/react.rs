//! `ims-switch react`: probe records in, decisions out.

use super::lab::*;
use crate::support::*;

/// A record as ims-probe prints it.
pub fn answer(instance: &str, service: &str, state: &str, attempt: u32, time: &str) -> String {
    format!(
        "{{\"schema\":\"ims.answer/1\",\"host\":\"mail-1\",\"endpoint\":\"{service}://192.0.2.10:25\",\
         \"instance\":\"{instance}\",\"service\":\"{service}\",\"address\":\"192.0.2.10\",\"level\":\"greet\",\
         \"state\":\"{state}\",\"stage\":null,\"words\":\"refused\",\"took_ms\":1,\"steps\":[],\"attempt\":{attempt},\
         \"time\":\"2026-11-22T18:{time}Z\"}}\n"
    )
}

pub const SERVERS: &str = "nodes = [\"mail-1\"]\n[resource.ldap]\ntype = \"directory-server\"\ninstance = \"mail\"\n\
                       [resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"ldap\"]\n";

#[test]
fn a_recorded_stream_is_replayed_and_every_decision_told_with_its_reason() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.file("/etc/ims/groups/IMS-RG.toml", SERVERS);
    node.file(
        "/etc/msgregistry.inf",
        "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\nldap = mail\n",
    );
    let stream = [
        answer("stork", "smtp", "up", 1, "00:00"),
        answer("stork", "smtp", "down", 2, "03:00"),
        answer("stork", "imap", "down", 2, "03:00"),
        answer("stork", "smtp", "unknown", 3, "06:00"),
        answer("stork", "ldap", "down", 3, "06:00"),
        answer("other", "smtp", "down", 3, "06:00"),
        answer("stork", "smtp", "down", 4, "09:00"),
        answer("stork", "smtp", "down", 5, "12:00"),
    ]
    .concat();
    let ran = node.command(["ims-switch", "react", "IMS-RG", "--dry-run"]).stdin(stream).run().ok();
    let told: Vec<(String, String)> = ran
        .records()
        .iter()
        .map(|record| {
            let text = |key: &str| record[key].as_str().unwrap().to_owned();
            (text("resource"), text("decision"))
        })
        .collect();
    let wanted = [
        ("mail", "restart"),
        ("mail", "nothing"), // the same round of probes
        ("mail", "nothing"), // unknown decides nothing
        ("ldap", "restart"),
        ("mail", "restart"),
        ("mail", "giveover"),
    ];
    assert_eq!(told, wanted.map(|(resource, decision)| (resource.to_owned(), decision.to_owned())), "{ran}");
    assert!(ran.stderr.contains("smtp://192.0.2.10:25 is no part of IMS-RG"), "{ran}");
    node.command(["ims-switch", "react", "IMS-RG"]).stdin("not JSON\n").run().status_is(2);
}

#[test]
fn an_answer_without_an_instance_belongs_to_the_group_that_has_its_address() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let address =
        "[resource.logical_IP]\ntype = \"logical-ip\"\naddress = \"192.0.2.10/24\"\ndevice = \"eth0\"\n";
    let group = format!("{SERVERS}{address}");
    node.file("/etc/ims/groups/IMS-RG.toml", &group);
    let of_url = |service: &str, attempt| {
        answer("stork", service, "down", attempt, "03:00")
            .replace("\"instance\":\"stork\"", "\"instance\":null")
    };
    let told = |stream: String| -> Vec<String> {
        let ran = node.command(["ims-switch", "react", "IMS-RG", "--dry-run"]).stdin(stream).run().ok();
        ran.records().iter().map(|record| record["resource"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told(of_url("smtp", 1) + &of_url("ldap", 1)), ["mail", "ldap"]);
    let elsewhere = of_url("smtp", 1).replace("\"address\":\"192.0.2.10\"", "\"address\":\"192.0.2.11\"");
    let nowhere = of_url("smtp", 1).replace("\"address\":\"192.0.2.10\"", "\"address\":null");
    assert_eq!(told(elsewhere + &nowhere), [""; 0]);
    // Two that it could be: nobody can tell which.
    let second = "[resource.mail2]\ntype = \"messaging-server\"\ninstance = \"heron\"\n";
    node.file("/etc/ims/groups/IMS-RG.toml", format!("{group}{second}"));
    assert_eq!(told(of_url("smtp", 1) + &of_url("ldap", 1)), ["ldap"]);
}

#[test]
fn a_group_that_was_taken_offline_stays_so_whatever_the_prober_says() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let group = format!(
        "{GROUP}\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"svc\"]\nrestart_limit = 0\n"
    );
    lab.group(&group);
    for node in lab.nodes() {
        node.file("/etc/msgregistry.inf", "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\n");
    }
    let down = answer("stork", "smtp", "down", 1, "00:00");
    let ran = lab.mail_1.command(["ims-switch", "react", "IMS-RG"]).stdin(down).run().status_is(4);
    assert!(ran.stderr.contains("IMS-RG is online nowhere"), "{ran}");
    lab.is_online_on(None);
    let status = lab.mail_1.run(["ims-switch", "status", "IMS-RG"]).status_is(1);
    assert!(!status.stdout.contains("react"), "no fault was given up: {status}");
}

#[test]
fn a_signal_ends_it_while_it_waits_for_the_next_record() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.file("/etc/ims/groups/IMS-RG.toml", SERVERS);
    let down = answer("stork", "smtp", "down", 1, "00:00");
    node.file("/tmp/down", &down);
    node.file(
        "/etc/msgregistry.inf",
        "[stork]\nlayout = postfix-dovecot\nroot = /global/ims/server5\nldap = mail\n",
    );
    // Its stdin stays open and brings one record.
    let script =
        "mkfifo /tmp/probe; exec 0<>/tmp/probe; cat /tmp/down >&0; exec ims-switch react IMS-RG --dry-run";
    let reacting = node.spawn(["sh", "-c", script]);
    assert!(reacting.until_stdout(SOON, |text| text.contains("ims.decision/1")));
    reacting.signal(rustix::process::Signal::TERM);
    let ran = reacting.wait(std::time::Duration::from_secs(10)).ok();
    assert_eq!(ran.stderr, "ims-switch: stopped by SIGTERM\n");
}
