//! `ims-portcheck` on configurations and live sockets.

mod assign;
mod live;
mod many;
mod matrix;
mod nodes;
mod servers;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::mail::ServerRoot;
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
        let entry =
            |name: &&str| format!("[{name}]\nlayout = iplanet-5\nroot = {SERVER5}\nldap = elenchus\n\n");
        let text = names.iter().map(entry).collect::<Vec<_>>().concat();
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

/// The records of a run that ended with this status; of one that failed without the last, which says so.
#[track_caller]
fn records(output: &Output, status: i32) -> Vec<Value> {
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{told}");
    let mut records: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    if status > 1 {
        let last = records.pop().expect("it says that it failed");
        assert_eq!((&last["schema"], &last["exit"]), (&json!("ims.fail/1"), &json!(status)), "{told}");
        let message = last["message"].as_str().unwrap();
        assert!(message.lines().count() == 1 && !message.is_empty(), "{told}");
    }
    records
}

fn ports(conflicts: &[Value]) -> Vec<u64> {
    conflicts.iter().map(|conflict| conflict["port"].as_u64().unwrap()).collect()
}

fn host() -> String {
    rustix::system::uname().nodename().to_str().unwrap().to_owned()
}

#[test]
fn a_registry_that_did_not_come_whole_is_not_free_of_conflicts() {
    let files = Files::seed(&["mail-1"]);
    let failed = json!({"schema": "ims.fail/1", "host": "mail-2", "exit": 3, "status": "unknown", "message": "no disk"});
    let output = files.run(&["--no-live", "-"], &format!("{failed}\n"));
    assert_eq!(output.status.code(), Some(3));
    let told = "ims-portcheck: stdin:1: the command before this one failed on mail-2: no disk\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), told);
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
            "pid": null, "command": null, "unit": null, "uid": null})
    };
    assert_eq!(
        found[0],
        json!({"schema": "ims.conflict/1", "host": host(), "node": host(), "port": 25, "protocol": "tcp", "verdict": "conflict", "kernel": "refuses",
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
    assert_eq!(
        found[0]["mend"],
        format!("ims-portcheck assign, or give one of them another TCP_PORT in {place}:2")
    );
    assert_eq!(found[0]["b"]["service"], "job_controller");
}

#[test]
fn what_a_file_includes_is_read_in_its_place_and_told_by_its_own_line() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1", "mail-2"]);
    files.bind("mail-1", "10.0.37.10");
    files.bind("mail-2", "10.0.37.11");
    let config = format!("{SERVER5}/msg-mail-2/imta/config");
    files.edit("mail-2", "imta/config/dispatcher.cnf", "PORT=25\n", "<IMTA_TABLE:site.cnf\n");
    let output = files.run(&["--no-live"], "");
    assert_eq!(records(&output, 3), Vec::<Value>::new());
    let told = format!(
        "ims-portcheck: cannot tell the ports of mail-2: {config}/dispatcher.cnf:14: what is included here may name \
         more ports: {config}/site.cnf is not there (another node may master its volume)\n"
    );
    assert_eq!(text(&output.stderr), told);
    files.write(&format!("{config}/site.cnf"), "! of the site\n</opt/deeper.cnf\n");
    files.write("/opt/deeper.cnf", "PORT=25\nINTERFACE_ADDRESS=10.0.37.10\n");
    // The section says later on where it listens, and the last word counts.
    assert_eq!(records(&files.run(&["--no-live"], ""), 0), Vec::<Value>::new());
    files.edit("mail-2", "imta/config/dispatcher.cnf", "INTERFACE_ADDRESS=10.0.37.11", "!");
    let found = records(&files.run(&["--no-live"], ""), 1);
    let smtp = found.iter().find(|conflict| conflict["port"] == 25).unwrap();
    assert_eq!(smtp["b"]["at"], json!({"file": "/opt/deeper.cnf", "line": 1}));
    assert_eq!(
        smtp["mend"],
        format!(
            "give one of them another address or port, in {SERVER5}/msg-mail-1/imta/config/dispatcher.cnf:14 or \
             /opt/deeper.cnf:1"
        )
    );
    files.write("/opt/deeper.cnf", &format!("<{config}/site.cnf\n"));
    let output = files.run(&["--no-live"], "");
    assert_eq!(records(&output, 2), Vec::<Value>::new());
    let round = format!("{config}/site.cnf includes /opt/deeper.cnf includes {config}/site.cnf\n");
    assert!(text(&output.stderr).ends_with(&round), "{}", text(&output.stderr));
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
         (run it where the volume is mounted, or pipe what ims-ipbind show says there)\n"
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
        assert_eq!(records(&output, 2), Vec::<Value>::new());
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
    files.write("/etc/msgregistry.inf", "[mail-1]\nlayout = iplanet-5\nroot");
    assert!(text(&files.run(&[], "").stderr).contains("msgregistry.inf:3: "));
    // Nothing registered is nothing that could collide.
    files.write("/etc/msgregistry.inf", "");
    assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new());
}

#[test]
fn who_may_not_look_is_told_which_path_and_gets_no_answer() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    crowd::instance(&node);
    for shut in ["/global/ims", "/global/ims/server5", "/global/ims/server5/msg-stork/postfix"] {
        node.sh(&format!("chmod 0700 {shut}")).ok();
        let words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "ims-portcheck"];
        let ran = node.run(words).status_is(3);
        let records = ran.records();
        assert_eq!(records.last().unwrap()["schema"], "ims.fail/1", "{ran}");
        for told in ["cannot tell the ports of stork", shut, "Permission denied (run as root)"] {
            assert!(ran.stderr.contains(told), "{ran}");
        }
        assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
        node.sh(&format!("chmod 0755 {shut}")).ok();
    }
}

#[test]
fn what_every_command_understands_is_understood_before_assign_too() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1"]);
    let root = files.0.path().to_str().unwrap();
    let bare = |args: &[&str]| Command::new(cargo_bin!("ims-portcheck")).args(args).output().unwrap();
    for args in [
        &["--root", root, "-o", "json", "--timeout", "5s", "assign", "-n"][..],
        &["--root", root, "assign", "-n", "-o", "json", "--timeout", "5s"],
        &["-o", "json", "assign", "--root", root, "mail-1", "-n"],
    ] {
        let told = records(&bare(args), 0);
        assert_eq!((told.len(), &told[0]["schema"]), (1, &json!("ims.change/1")), "{args:?}");
    }
    let table = bare(&["-o", "table", "--root", root, "assign"]);
    assert_eq!((table.status.code(), text(&table.stdout).as_str()), (Some(0), "Nothing to change\n"));
    // What it says nothing to is refused, and changes nothing.
    for (stray, args) in [
        ("--group", &["--group", "IMS-RG", "assign"][..]),
        ("--as-on", &["--as-on", "mail-2", "assign"]),
        ("--no-live", &["--no-live", "assign"]),
        ("--disabled-units", &["--disabled-units", "assign"]),
        ("a name", &["mail-1", "assign"]),
        ("a name", &["-", "assign"]),
    ] {
        let output = files.run(args, "");
        assert_eq!(records(&output, 2), Vec::<Value>::new());
        let told = format!("ims-portcheck: {stray} before assign (");
        assert!(text(&output.stderr).starts_with(&told), "{}", text(&output.stderr));
    }
}

#[test]
fn an_answer_that_cannot_be_printed_is_not_a_yes() {
    let files = Files(TempDir::new().unwrap());
    let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(cargo_bin!("ims-portcheck"));
    command
        .args(["-o", "table", "--root"])
        .arg(files.0.path())
        .stdout(Stdio::from(full.into_parts().0))
        .stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(3));
}
