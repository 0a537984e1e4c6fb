//! `show` beside servers that run: real ones, started with one set of files and shown with another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::seed::{ROOT as SERVER5, and};
use super::{Files, records, stderr, stdout};
use crate::support::mail::{Directory, Mail, ServerRoot};
use crate::support::{Bed, Node, Ran};

const ROOT: &str = "/global/ims/server5";
const OLD: &str = "192.0.2.20";
const NEW: &str = "192.0.2.21";

/// A node with both addresses, and two instances that share them: heron never runs.
fn prepared(bed: &Bed) -> Node {
    let node = bed.node("mail-1");
    node.sh(&format!("ip address add {OLD}/24 dev eth0; ip address add {NEW}/24 dev eth0")).ok();
    let root = ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", "ldap://192.0.2.20:389/"))
        .mail(Mail::new("heron", "ldap://192.0.2.20:389/"))
        .directory(Directory::new("stork"));
    root.lay(&node.path("/")).unwrap();
    root.settle(|words| if node.run(words.to_vec()).ok().is_ok() { Ok(()) } else { Err(()) }).unwrap();
    let add = ["ims-registry", "add", "--server-root", ROOT, "--address", OLD];
    node.run([&add[..], &["stork", "--ldap", "stork"]].concat()).ok();
    node.run([&add[..], &["heron"]].concat()).ok();
    node
}

fn start_dovecot(node: &Node) {
    node.sh(&format!("mkdir -p /run/ims/stork/dovecot; dovecot -c {ROOT}/msg-stork/dovecot/dovecot.conf"))
        .ok();
}

fn start_others(node: &Node) {
    let (mail, ldap) = (format!("{ROOT}/msg-stork"), format!("{ROOT}/slapd-stork"));
    node.sh(&format!(
        "install -d -o openldap -g openldap /run/ims/stork/slapd
         . {ldap}/default; slapd -h \"$SLAPD_SERVICES\" -f {ldap}/slapd.conf -u openldap -g openldap
         MAIL_CONFIG={mail}/postfix /usr/lib/postfix/sbin/master -c {mail}/postfix -w"
    ))
    .ok();
}

/// Ends the processes whose first ones these files name, and waits for the end.
fn stop(node: &Node, pid_files: &[&str]) {
    for file in pid_files {
        node.sh(&format!("read -r pid <{file}; kill $pid; tail --pid=$pid -s 0.02 -f /dev/null")).ok();
    }
}

/// What `show` says of each listener, by its server.
fn running(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in ran.records().iter().filter(|record| record["schema"] == "ims.listener/1") {
        let now: Vec<String> = record["now"]
            .as_array()
            .unwrap()
            .iter()
            .map(|now| format!(" {}:{}", text(now), now["port"]))
            .collect();
        let what = format!("{} {}{}", record["port"], record["running"].as_str().unwrap(), now.concat());
        told.entry(record["server"].as_str().unwrap().to_owned()).or_default().push(what);
    }
    told
}

fn text(record: &Value) -> &str {
    record["address"].as_str().unwrap()
}

fn all(words: [&[&str]; 3]) -> BTreeMap<String, Vec<String>> {
    let servers = ["dovecot", "postfix", "slapd"];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    servers.iter().zip(words).map(|(server, words)| ((*server).to_owned(), owned(words))).collect()
}

#[test]
fn servers_that_run_with_other_files_drift_until_they_are_started_anew() {
    let bed = Bed::new();
    let node = prepared(&bed);
    let show = |address: &str| node.run(["ims-ipbind", "show", "stork", "-o", "json", "--address", address]);
    node.run(["ims-ipbind", "set", "stork"]).ok();
    let nowhere = all([&["143 not_running", "110 not_running"], &["25 not_running"], &["389 not_running"]]);
    assert_eq!(running(&show(OLD).ok()), nowhere);

    start_dovecot(&node);
    start_others(&node);
    let agrees = all([&["143 agrees", "110 agrees"], &["25 agrees"], &["389 agrees"]]);
    assert_eq!(running(&show(OLD).ok()), agrees);

    node.run(["ims-ipbind", "set", "stork", "--address", NEW]).ok();
    let ran = show(NEW).status_is(1);
    let drift = all([
        &["143 drift 192.0.2.20:143", "110 drift 192.0.2.20:110"],
        &["25 drift 192.0.2.20:25"],
        &["389 drift 192.0.2.20:389"],
    ]);
    assert_eq!(running(&ran), drift, "{ran}");
    let smtp = ran.records().into_iter().find(|record| record["service"] == "smtp").unwrap();
    let master = format!("{ROOT}/msg-stork/postfix/master.cf");
    assert_eq!((text(&smtp), &smtp["bound"], &smtp["at"]["file"]), (NEW, &json!(true), &json!(master)));
    let pid = node.read(format!("{ROOT}/msg-stork/queue/pid/master.pid")).unwrap();
    assert_eq!(smtp["now"][0]["pid"].to_string(), pid.trim());
    let table = node.run(["ims-ipbind", "show", "stork", "-o", "table", "--address", NEW]).status_is(1);
    assert!(table.stdout.contains("drift: 192.0.2.20:25 "), "{table}");

    // Each is told on its own.
    stop(&node, &["/run/ims/stork/dovecot/master.pid"]);
    let half = all([
        &["143 not_running", "110 not_running"],
        &["25 drift 192.0.2.20:25"],
        &["389 drift 192.0.2.20:389"],
    ]);
    assert_eq!(running(&show(NEW).status_is(1)), half);
    start_dovecot(&node);
    let rest =
        all([&["143 agrees", "110 agrees"], &["25 drift 192.0.2.20:25"], &["389 drift 192.0.2.20:389"]]);
    assert_eq!(running(&show(NEW).status_is(1)), rest);
    let queue = format!("{ROOT}/msg-stork/queue/pid/master.pid");
    stop(&node, &[&queue, "/run/ims/stork/slapd/slapd.pid"]);
    start_others(&node);
    assert_eq!(running(&show(NEW).ok()), agrees);

    // The other instance has the same ports and does not run.
    node.run(["ims-ipbind", "set", "heron", "--address", NEW]).ok();
    let heron = node.run(["ims-ipbind", "show", "heron", "--address", NEW]).ok();
    assert!(heron.records().iter().all(|record| record["running"] != "drift"), "{heron}");
    assert_eq!(running(&heron).len(), 2);
    assert!(running(&heron).values().flatten().all(|what| what.ends_with("not_running")), "{heron}");

    // Who may not look at another's processes does not know.
    let words = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "ims-ipbind", "show"];
    let blind = node.run([&words[..], &["stork", "--address", NEW]].concat()).status_is(3);
    assert!(running(&blind).values().flatten().all(|what| what.ends_with("unknown")), "{blind}");
}

#[test]
fn a_port_that_no_line_asks_for_any_more_and_one_that_was_added_are_told() {
    let bed = Bed::new();
    let node = prepared(&bed);
    let master = format!("{ROOT}/msg-stork/postfix/master.cf");
    node.run(["ims-ipbind", "set", "stork"]).ok();
    node.sh(&format!("echo '2525 inet n - n - - smtpd' >>{master}; touch -d '10 seconds ago' {master}")).ok();
    start_others(&node);
    node.sh(&format!("sed -i 's/^2525 /2526 /' {master}")).ok();
    let ran = node.run(["ims-ipbind", "show", "stork"]).status_is(1);
    assert_eq!(running(&ran)["postfix"], ["25 agrees", "2526 drift 192.0.2.20:2525"]);
    node.sh(&format!("sed -i '/^2526 /d' {master}")).ok();
    let ran = node.run(["ims-ipbind", "show", "stork"]).status_is(1);
    assert_eq!(running(&ran)["postfix"], ["25 agrees"]);
    let stray = ran.records().into_iter().find(|record| record["schema"] == "ims.stray/1").unwrap();
    let pid =
        node.read(format!("{ROOT}/msg-stork/queue/pid/master.pid")).unwrap().trim().parse::<u32>().unwrap();
    assert_eq!(
        stray,
        json!({"schema": "ims.stray/1", "host": "mail-1", "instance": "stork", "server": "postfix",
            "address": OLD, "port": 2525, "pid": pid, "command": "/usr/lib/postfix/sbin/master"})
    );
}

/// Where mail leaves from: the client, its family, the address, and whether it is a logical one.
fn sent(told: &[Value]) -> Vec<(String, Value, Value)> {
    let of = |record: &Value| {
        let client = format!("{} {}", record["client"].as_str().unwrap(), record["family"].as_str().unwrap());
        (client, record["address"].clone(), record["bound"].clone())
    };
    told.iter().filter(|record| record["schema"] == "ims.outbound/1").map(of).collect()
}

#[test]
fn show_says_where_postfix_sends_from() {
    let root = ServerRoot::postfix_dovecot(ROOT).mail(Mail::new("stork", "ldap://192.0.2.20:389/"));
    let files = Files::with(&root);
    let place = ["stork", "--server-root", ROOT, "--address", OLD];
    let row = |client: &str, address: Value, bound: Value| (client.to_owned(), address, bound);
    let kernel = |client: &str| row(client, Value::Null, Value::Null);
    let before = records(&files.answers(1, &and(&["show"], &place)));
    let ways = ["smtp ipv4", "smtp ipv6", "relay ipv4", "relay ipv6"];
    assert_eq!(sent(&before), ways.map(kernel));

    files.answers(0, &and(&["set"], &place));
    let after = records(&files.answers(0, &and(&["show"], &place)));
    let ours = |client: &str| row(client, json!(OLD), json!(true));
    let v4_alone = vec![ours(ways[0]), kernel(ways[1]), ours(ways[2]), kernel(ways[3])];
    assert_eq!(sent(&after), v4_alone);
    let at = &after.iter().find(|record| record["schema"] == "ims.outbound/1").unwrap()["at"];
    let line = files.read(&format!("{ROOT}/msg-stork/postfix/main.cf"));
    let line = line.lines().position(|line| line.starts_with("smtp_bind_address =")).unwrap() + 1;
    assert_eq!(at, &json!({"file": format!("{ROOT}/msg-stork/postfix/main.cf"), "line": line}));

    // One client that is told something else is a no, although every listener is bound.
    let master = format!("{ROOT}/msg-stork/postfix/master.cf");
    files.edit(
        &master,
        "n       -       -       smtp\n",
        "n       -       -       smtp\n  -o smtp_bind_address=192.0.2.11\n",
    );
    let output = files.answers(1, &and(&["show"], &place));
    assert_eq!(sent(&records(&output))[0], row(ways[0], json!("192.0.2.11"), json!(false)));
    let table = stdout(&files.answers(1, &and(&and(&["show"], &place), &["-o", "table"])));
    assert!(table.contains("the kernel's choice") && table.contains("192.0.2.11"), "{table}");
}

#[test]
fn show_reports_the_source_address_of_each_smtp_channel() {
    let files = Files::with(&ServerRoot::seed());
    let place = ["mail-1", "--server-root", SERVER5, "--address", "10.0.37.10"];
    files.answers(0, &and(&["set"], &place));
    let imta = format!("{SERVER5}/msg-mail-1/imta/config/imta.cnf");
    let table = |source: &str| {
        format!(
            "<{SERVER5}/msg-mail-1/imta/config/internet.rules\n\nl subdirs 20\nmail-1.example.test\n\n\
             tcp_local smtp mx {source}\ntcp-daemon\n\ntcp_intranet smtp\ntcp_intranet-daemon\n"
        )
    };
    let (v4, row) =
        ("ipv4", |client: &str, address: Value, bound: Value| (client.to_owned(), address, bound));
    let intranet = row(&format!("tcp_intranet {v4}"), Value::Null, Value::Null);
    for (source, status, address, bound) in [
        ("single_sys", 0, Value::Null, Value::Null),
        ("interfaceaddress 10.0.37.10", 0, json!("10.0.37.10"), json!(true)),
        ("INTERFACEADDRESS 10.0.37.99", 1, json!("10.0.37.99"), json!(false)),
    ] {
        files.write(&imta, &table(source));
        let output = files.answers(status, &and(&["show"], &place));
        let told = records(&output);
        assert_eq!(
            sent(&told),
            [row(&format!("tcp_local {v4}"), address, bound), intranet.clone()],
            "{source}"
        );
        let way = told.iter().find(|record| record["client"] == "tcp_local").unwrap();
        assert_eq!((&way["server"], &way["at"]), (&json!("mta"), &json!({"file": imta, "line": 6})));
        assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    }
    files.write(&imta, &format!("{}\n</opt/channels\n", table("smtp")));
    let output = files.answers(3, &and(&["show"], &place));
    let why = "what is included here may name more channels: /opt/channels is not there";
    assert_eq!(
        stderr(&output),
        format!("ims-ipbind: {imta}:12: {why} (another node may master its volume)\n")
    );
    files.write("/opt/channels", "\ntcp_site smtp interfaceaddress 10.0.37.99\ntcp_site-daemon\n");
    let told = records(&files.answers(1, &and(&["show"], &place)));
    let way = told.iter().find(|record| record["client"] == "tcp_site").unwrap();
    assert_eq!(
        (&way["bound"], &way["at"]),
        (&json!(false), &json!({"file": "/opt/channels", "line": 2})),
        "what is included is told by its own line"
    );
}
