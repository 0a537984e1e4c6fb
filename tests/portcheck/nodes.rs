//! What a node has of its own, and the question to each node of a group.

use serde_json::{Value, json};

use super::{Files, SERVER5, instance, ports, records, text};
use crate::support::*;

const UNIT: &str = "/usr/lib/systemd/system/imap.socket";

/// A node with the seed's instance `mail-1`, bound to an address of its own.
fn node_with(files: &[(&str, &str)]) -> Files {
    let all = Files::seed(&["mail-1"]);
    all.bind("mail-1", "10.0.37.10");
    for (path, content) in files {
        all.write(path, content);
    }
    all
}

#[test]
fn a_socket_unit_of_systemd_at_a_configured_port_is_named_with_its_line() {
    if !needs_root() {
        return;
    }
    let files = node_with(&[(UNIT, "[Socket]\nListenStream=143\n")]);
    assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new(), "it is not enabled");
    let told = records(&files.run(&["--disabled-units"], ""), 0);
    assert_eq!(
        (&told[0]["verdict"], &told[0]["mend"]),
        (&json!("warning"), &json!("systemctl mask imap.socket"))
    );
    files.write("/etc/systemd/system/sockets.target.wants/imap.socket", "");
    let told = records(&files.run(&[], ""), 1);
    assert_eq!(ports(&told), [143]);
    assert_eq!(told[0]["a"]["at"]["file"], format!("{SERVER5}/msg-mail-1/configutil"));
    assert_eq!(
        (&told[0]["b"]["unit"], &told[0]["b"]["at"], &told[0]["b"]["address"]),
        (&json!("imap.socket"), &json!({"file": UNIT, "line": 2}), &json!("*"))
    );
    assert_eq!(
        told[0]["mend"],
        format!("systemctl disable --now imap.socket, or give it another ListenStream= ({UNIT}:2)")
    );
    assert_eq!(records(&files.run(&["--no-live"], ""), 0), Vec::<Value>::new());
    // IPv6 alone, or another address: both listen.
    for more in ["BindIPv6Only=ipv6-only\n", "ListenStream=\nListenStream=10.0.37.99:143\n"] {
        files.write("/etc/systemd/system/imap.socket.d/ours.conf", &format!("[Socket]\n{more}"));
        assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new(), "{more}");
    }
    files.write("/etc/systemd/system/imap.socket.d/ours.conf", "[Socket]\nListenStream=mail:143\n");
    let output = files.run(&[], "");
    assert_eq!(ports(&records(&output, 3)), Vec::<u64>::new());
    assert!(
        text(&output.stderr).contains("cannot tell what ListenStream=mail:143 opens"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_port_of_outgoing_connections_is_a_warning_with_the_way_out() {
    if !needs_root() {
        return;
    }
    let folder = "/proc/sys/net/ipv4";
    let files = node_with(&[(&format!("{folder}/ip_local_port_range"), "20000\t60999\n")]);
    let told = records(&files.run(&[], ""), 0);
    assert_eq!(ports(&told), [27442]);
    assert_eq!(
        (&told[0]["verdict"], &told[0]["kernel"], &told[0]["b"]["at"]["file"]),
        (&json!("warning"), &json!("refuses"), &json!(format!("{folder}/ip_local_port_range")))
    );
    assert_eq!(
        told[0]["mend"],
        "sysctl -w net.ipv4.ip_local_reserved_ports=27442, and the same in a file of /etc/sysctl.d"
    );
    files.write(&format!("{folder}/ip_local_reserved_ports"), "27000-28000\n");
    assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new());
}

#[test]
fn listeners_that_were_read_on_another_node_stand_for_files_that_are_not_here() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1"]);
    let away = instance("node-b", "mail-3", "/global/b");
    let listener = json!({"schema": "ims.listener/1", "host": "node-b", "instance": "mail-3", "server": "store",
        "service": "imap", "address": "*", "port": 143, "at": {"file": "/global/b/msg-mail-3/configutil", "line": null},
        "bound": false});
    let told = records(&files.run(&["-", "mail-1", "--no-live"], &format!("{away}{listener}\n")), 1);
    assert_eq!(ports(&told), [143]);
    assert_eq!(told[0]["a"]["host"], "node-b");
    // Whether it is bound may be unknown there, and is no matter here.
    let unknown = listener.to_string().replace("\"bound\":false", "\"bound\":null");
    assert_ne!(unknown, listener.to_string());
    let told = records(&files.run(&["-", "mail-1", "--no-live"], &format!("{away}{unknown}\n")), 1);
    assert_eq!(ports(&told), [143]);
    // Of an instance that nobody knows, nothing can be said.
    let output = files.run(&["-", "--no-live"], &format!("{listener}\n"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a listener of mail-3 came on stdin"), "{}", text(&output.stderr));
}

#[test]
fn a_way_to_a_node_that_leads_to_nobody_is_no_yes() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1"]);
    for end in [
        "exit 0",
        "exit 1",
        "exit 3",
        "echo '{\\\"schema\\\":\\\"ims.note/1\\\"}'",
        ": | exec \\\"$@\\\" --root /x",
    ] {
        files.write(
            "/etc/ims/nodes.toml",
            &format!("[mail-9]\nreach = [\"sh\", \"-c\", \"{end}\", \"sh\"]\n"),
        );
        let output = files.run(&["mail-1", "--as-on", "mail-9"], "");
        let told = records(&output, 3);
        assert_eq!((told.len(), &told[0]["fits"]), (1, &json!("unknown")), "{end}: {told:?}");
        assert!(
            text(&output.stderr).starts_with("ims-portcheck: cannot ask mail-9: "),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn each_node_of_a_group_is_asked_as_if_it_had_to_host_them_all() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let nodes = [bed.node("mail-1"), bed.node("mail-2")];
    let instance = |name: &str| {
        let folder = format!("/global/{name}/msg-{name}/postfix");
        [
            (format!("{folder}/main.cf"), "inet_interfaces = 192.0.2.20\nmyhostname = x.example.test\n"),
            (format!("{folder}/master.cf"), "smtp inet n - n - - smtpd\n"),
        ]
    };
    let registry =
        "[a]\nlayout = postfix-dovecot\nroot = /global/a\n[b]\nlayout = postfix-dovecot\nroot = /global/b\n";
    for node in &nodes {
        node.file("/etc/msgregistry.inf", registry);
        node.file(
            "/etc/ims/groups/IMS-RG.toml",
            "nodes = [\"mail-1\", \"mail-2\", \"mail-3\"]\n[resource.n]\ntype = \"nic\"\ndevice = \"eth0\"\n",
        );
        node.file(
            "/etc/ims/nodes.toml",
            "[mail-1]\nreach = [\"ssh\", \"root@mail-1\"]\n[mail-2]\nreach = [\"ssh\", \"root@mail-2\"]\n",
        );
    }
    for (node, name) in nodes.iter().zip(["a", "b"]) {
        for (path, content) in instance(name) {
            node.file(path, content);
        }
    }
    let fits = |records: &[Value]| -> Vec<(String, String)> {
        let of = |record: &Value| {
            (record["node"].as_str().unwrap().to_owned(), record["fits"].as_str().unwrap().to_owned())
        };
        records.iter().filter(|record| record["schema"] == "ims.fit/1").map(of).collect()
    };
    let told = |words: &str, status: i32| nodes[0].sh(words).status_is(status);
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };

    // The instances as each node knows them, and the listeners that each can read.
    let all = "{ ims-registry list; ims-ipbind show a -o json || true; ssh root@mail-2 ims-ipbind show b -o json || true; }";
    let ran = told(&format!("{all} | ims-portcheck - --group IMS-RG --no-live"), 1);
    let records = ran.records();
    assert_eq!(fits(&records), pairs(&[("mail-1", "no"), ("mail-2", "no"), ("mail-3", "no")]));
    assert_eq!(
        (&records[0]["node"], &records[0]["port"], &records[0]["kernel"]),
        (&json!("mail-1"), &json!(25), &json!("shares"))
    );

    // Each is looked at itself; the one that nobody can ask is unknown, but what the files say is known of it too.
    nodes[1].sh("sed -i s/192.0.2.20/192.0.2.21/ /global/b/msg-b/postfix/main.cf").ok();
    let ran = told(&format!("{all} | ims-portcheck - --group IMS-RG"), 3);
    assert_eq!(fits(&ran.records()), pairs(&[("mail-1", "yes"), ("mail-2", "yes"), ("mail-3", "unknown")]));
    assert!(ran.stderr.contains("cannot ask mail-3: it has no reach in /etc/ims/nodes.toml"), "{ran}");

    // Somebody else has the port on one of them.
    let stranger = crowd::server(&nodes[1], 25);
    let ran = told(&format!("{all} | ims-portcheck - --as-on mail-1 --as-on mail-2"), 1);
    let records = ran.records();
    assert_eq!(fits(&records), pairs(&[("mail-1", "yes"), ("mail-2", "no")]));
    assert!(
        records
            .iter()
            .filter(|r| r["schema"] == "ims.conflict/1")
            .all(|r| r["node"] == "mail-2" && r["b"]["command"] == "/usr/bin/perl")
    );

    // Without the listeners of the other, this node does not know; the other does know its own.
    let ran = told("ims-portcheck a b --as-on mail-1", 3);
    assert_eq!(fits(&ran.records()), pairs(&[("mail-1", "unknown")]));
    assert!(ran.stderr.contains("cannot tell the ports of b: /global/b is not on this node"), "{ran}");
    // A node that is down answers nothing.
    stranger.kill();
    nodes[1].power_cut();
    let ran = told(
        &format!(
            "{} | ims-portcheck - --as-on mail-2 --timeout 5s",
            "{ ims-registry list; ims-ipbind show a -o json || true; }"
        ),
        3,
    );
    assert_eq!(fits(&ran.records()), pairs(&[("mail-2", "unknown")]));
}

#[test]
fn what_reaches_a_node_does_not_outlive_the_run_that_asks_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.file("/etc/msgregistry.inf", "[stork]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\n");
    let reach = "[\"ssh\", \"-o\", \"ProxyCommand=sleep 601\", \"root@mail-2\"]";
    node.file("/etc/ims/nodes.toml", format!("[mail-2]\nreach = {reach}\n"));
    let left = || node.sh("pgrep -a -x \"ssh|sleep\" || true").ok().stdout;
    let run = node.spawn("ims-portcheck --timeout 5m --as-on mail-2".split(' '));
    let soon = std::time::Duration::from_secs(10);
    assert!(until(soon, || left().lines().count() == 2), "{}", left());
    run.signal(rustix::process::Signal::TERM);
    assert_eq!(run.wait(soon).signal, Some(15));
    assert!(until(soon, || left().is_empty()), "{}", left());
}
