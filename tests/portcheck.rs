//! `ims-portcheck` on configurations and live sockets.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::mail::{Directory, Mail, Ports, ServerRoot};
use crate::support::*;

const SERVER5: &str = "/opt/iplanet/server5";

/// A host whose files stand in a folder of the test, and its name.
struct Files(TempDir);

impl Files {
    /// The seed's server root, with these instances registered.
    fn seed(registered: &[&str]) -> Self {
        let files = Self(TempDir::new().unwrap());
        ServerRoot::seed().lay(files.0.path()).unwrap();
        files.register(registered);
        files
    }

    fn register(&self, names: &[&str]) {
        let text: String = names
            .iter()
            .map(|name| format!("[{name}]\nlayout = iplanet-5\nroot = {SERVER5}\nldap = elenchus\n\n"))
            .collect();
        self.write("/etc/msgregistry.inf", &text);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs_err::write(self.path(path), text).unwrap();
    }

    /// Edits a file of an instance.
    fn edit(&self, instance: &str, file: &str, from: &str, to: &str) {
        let path = self.path(&format!("{SERVER5}/msg-{instance}/{file}"));
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{}: {text}", path.display());
        fs_err::write(path, text.replace(from, to)).unwrap();
    }

    /// Binds an instance's mail servers as `ims-ipbind set` does.
    fn bind(&self, instance: &str, address: &str) {
        let interface = format!("INTERFACE_ADDRESS={address}");
        self.edit(instance, "imta/config/dispatcher.cnf", "!INTERFACE_ADDRESS=", &interface);
        self.edit(instance, "imta/config/job_controller.cnf", "secret=", &format!("{interface}\nsecret="));
        self.edit(instance, "config/msg.conf", "= INADDR_ANY", &format!("= {address}"));
    }

    fn run(&self, args: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(cargo_bin!("ims-portcheck"))
            .args(args)
            .arg("--root")
            .arg(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn records(output: &Output, status: i32) -> Vec<Value> {
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{told}");
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ports(conflicts: &[Value]) -> Vec<u64> {
    conflicts.iter().map(|conflict| conflict["port"].as_u64().unwrap()).collect()
}

fn host() -> String {
    rustix::system::uname().nodename().to_str().unwrap().to_owned()
}

#[test]
fn two_instances_that_listen_on_every_address_collide_at_each_port_with_both_lines() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1", "mail-2"]);
    let found = records(&files.run(&["--no-live"], ""), 1);
    assert_eq!(ports(&found), [25, 587, 143, 110]);
    let side = |instance: &str| {
        json!({"instance": instance, "host": host(), "server": "dispatcher", "service": "smtp",
            "address": "0.0.0.0", "at": {"file": format!("{SERVER5}/msg-{instance}/imta/config/dispatcher.cnf"), "line": 14},
            "pid": null, "command": null, "uid": null})
    };
    assert_eq!(
        found[0],
        json!({"schema": "ims.conflict/1", "host": host(), "port": 25, "protocol": "tcp", "verdict": "conflict",
            "a": side("mail-1"), "b": side("mail-2"), "why": "both listen on every IPv4 address",
            "mend": "ims-ipbind set --address ADDRESS mail-1; ims-ipbind set --address ADDRESS mail-2"})
    );
    // One of them alone is no conflict, and two of them on addresses of their own are none.
    assert_eq!(records(&files.run(&["--no-live", "mail-1"], ""), 0), Vec::<Value>::new());
    files.bind("mail-1", "10.0.37.10");
    assert_eq!(ports(&records(&files.run(&["--no-live"], ""), 1)), [25, 587, 143, 110]);
    files.bind("mail-2", "10.0.37.11");
    let output = files.run(&["--no-live", "-o", "table"], "");
    assert_eq!(records(&files.run(&["--no-live"], ""), 0), Vec::<Value>::new());
    assert_eq!(text(&output.stdout), "no conflict: 12 listeners, 2 instances\n");
}

#[test]
fn job_controllers_with_one_port_are_told_even_on_addresses_of_their_own() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1", "mail-2"]);
    files.bind("mail-1", "10.0.37.10");
    files.bind("mail-2", "10.0.37.11");
    files.edit("mail-2", "imta/config/job_controller.cnf", "27443", "27442");
    let found = records(&files.run(&["--no-live"], ""), 1);
    assert_eq!(ports(&found), [27442]);
    let place = format!("{SERVER5}/msg-mail-2/imta/config/job_controller.cnf");
    assert_eq!(found[0]["b"]["at"], json!({"file": place, "line": 2}));
    assert_eq!(found[0]["mend"], format!("give one of them another TCP_PORT in {place}:2"));
    assert_eq!(found[0]["b"]["service"], "job_controller");
}

/// The record that `ims-registry list` prints on a host.
fn instance(host: &str, name: &str, root: &str) -> String {
    format!(
        "{{\"schema\":\"ims.instance/1\",\"host\":\"{host}\",\"name\":\"{name}\",\"layout\":\"iplanet-5\",\
         \"root\":\"{root}\",\"addresses\":[],\"ldap\":null,\"mail\":true}}\n"
    )
}

#[test]
fn instances_of_several_hosts_are_compared_as_if_on_one_node() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&[]);
    let (one, two) = (instance("node-a", "mail-1", SERVER5), instance("node-b", "mail-2", SERVER5));
    let found = records(&files.run(&["-", "--no-live"], &format!("{one}{two}")), 1);
    assert_eq!(ports(&found), [25, 587, 143, 110]);
    assert_eq!((&found[0]["a"]["host"], &found[0]["b"]["host"]), (&json!("node-a"), &json!("node-b")));
    // The registry is the same on every node: the same instance twice is one.
    let twice = format!("{one}{}", instance("node-b", "mail-1", SERVER5));
    assert_eq!(records(&files.run(&["-", "--no-live"], &twice), 0), Vec::<Value>::new());
}

#[test]
fn an_instance_whose_root_is_not_here_is_unknown_and_the_others_are_compared_all_the_same() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1", "mail-2"]);
    let away = instance("node-b", "mail-3", "/global/b");
    let output = files.run(&["-", "--no-live"], &away);
    assert_eq!(records(&output, 3), Vec::<Value>::new());
    assert_eq!(
        text(&output.stderr),
        "ims-portcheck: cannot tell the ports of mail-3 of node-b: /global/b is not on this node \
         (run it where the volume is mounted)\n"
    );
    let output = files.run(&["mail-1", "-", "mail-2", "--no-live"], &away);
    assert_eq!(ports(&records(&output, 3)), [25, 587, 143, 110]);
    // A file that is not there is unknown, one that is wrong is an error with its place.
    fs_err::remove_file(files.path(&format!("{SERVER5}/msg-mail-2/imta/config/dispatcher.cnf"))).unwrap();
    let output = files.run(&["--no-live"], "");
    assert_eq!(records(&output, 3), Vec::<Value>::new());
    assert!(text(&output.stderr).starts_with("ims-portcheck: cannot tell the ports of mail-2: "));
    files.edit("mail-1", "imta/config/dispatcher.cnf", "PORT=25\n", "PORT=x25\n");
    let output = files.run(&["--no-live", "mail-1"], "");
    assert_eq!(records(&output, 2), Vec::<Value>::new());
    assert!(text(&output.stderr).contains("dispatcher.cnf:14"), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_instance_is_an_error_with_its_place() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1"]);
    for (args, stdin, message) in [
        (&["-"][..], "{\"schema\":\"ims.inst", "stdin:1: not JSON"),
        (&["-"], "\n{\"schema\":\"ims.instance/1\",\"host\":\"a\",\"name\":\"x\"}\n", "stdin:2: not a whole"),
        (&["mail-9"], "", "no instance 'mail-9' in /etc/msgregistry.inf (it knows mail-1)"),
        (&["../x"], "", "invalid value '../x'"),
    ] {
        let output = files.run(args, stdin);
        let found = records(&output, 2);
        assert_eq!(found.last().unwrap()["schema"], "ims.fail/1");
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
    files.write("/etc/msgregistry.inf", "[mail-1]\nlayout = iplanet-5\nroot");
    assert!(text(&files.run(&[], "").stderr).contains("msgregistry.inf:3: "));
    // Nothing registered is nothing that could collide.
    files.write("/etc/msgregistry.inf", "");
    assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new());
}

/// A node with a server root whose servers can be started.
struct Servers {
    node: Node,
    root: ServerRoot,
}

impl Servers {
    fn on(node: Node, root: ServerRoot, registry: &str) -> Self {
        root.lay(&node.path("/")).unwrap();
        root.settle(|words| {
            node.run(words.iter().copied()).ok();
            Ok::<(), std::io::Error>(())
        })
        .unwrap();
        node.file("/etc/msgregistry.inf", registry);
        Self { node, root }
    }

    fn start_mail(&self, name: &str) {
        let folder = self.root.mail_dir(name);
        self.node.sh(&format!("mkdir -p /run/ims/{name}/dovecot")).ok();
        self.node.run(["/usr/lib/postfix/sbin/master", "-c", &shown(&folder.join("postfix")), "-w"]).ok();
        self.node.run(["dovecot", "-c", &shown(&folder.join("dovecot/dovecot.conf"))]).ok();
    }

    fn start_directory(&self, name: &str, urls: &str) {
        let conf = shown(&self.root.directory_dir(name).join("slapd.conf"));
        self.node.sh(&format!("install -d -o openldap -g openldap /run/ims/{name}/slapd")).ok();
        self.node.run(["slapd", "-h", urls, "-f", &conf, "-u", "openldap", "-g", "openldap"]).ok();
    }

    /// Binds a mail instance as `ims-ipbind set` does.
    fn bind(&self, name: &str, address: &str) {
        let folder = shown(&self.root.mail_dir(name));
        self.node
            .sh(&format!(
                "sed -i 's/^inet_interfaces = all/inet_interfaces = {address}/' {folder}/postfix/main.cf; \
                 sed -i 's/^listen = .*/listen = {address}/' {folder}/dovecot/dovecot.conf"
            ))
            .ok();
    }

    fn check(&self, args: &[&str], status: i32) -> Vec<Value> {
        let ran = self.node.run(std::iter::once("ims-portcheck").chain(args.iter().copied()));
        ran.status_is(status).records()
    }
}

fn shown(path: &Path) -> String {
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
            "at": null, "pid": pid, "command": "/usr/bin/perl", "uid": 65534})
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
