//! Configurations of VERITAS Cluster Server read into group files and written from them. VCS itself is not to be had:
//! what it would run is run by a shell here, and its own checker is not asked.

use std::path::Path;

use assert_cmd::Command;
use ims::group::Group;
use serde_json::Value;

struct Ran {
    status: i32,
    records: Vec<Value>,
    stderr: String,
}

fn ims_switch(words: &[&str], within: &Path) -> Ran {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ims-switch"));
    let ran = command.args(words).args(["--output", "json"]).current_dir(within).output().unwrap();
    let lines = String::from_utf8(ran.stdout).unwrap();
    Ran {
        status: ran.status.code().unwrap(),
        records: lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        stderr: String::from_utf8(ran.stderr).unwrap(),
    }
}

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vcs").join(name)
}

/// The remarks of an import and the files that it wrote, as one text; the folder is called FOLDER.
fn told(ran: &Ran, to: &Path) -> String {
    let mut text = String::new();
    for record in ran.records.iter().filter(|record| record["schema"] == "ims.import-remark/1") {
        let part = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        text.push_str(&format!("{}:{} {}: {}\n", part("file"), record["line"], part("kind"), part("what")));
    }
    let mut files: Vec<_> = std::fs::read_dir(to).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    text = text.replace(to.to_str().unwrap(), "FOLDER");
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy();
        text.push_str(&format!("\n== {name}\n{}", std::fs::read_to_string(&file).unwrap()));
    }
    text
}

#[test]
fn the_groups_of_a_cluster_are_written_and_all_that_is_lost_is_told_with_its_line() {
    for (name, files) in [("seed", &["main.cf", "MsgSvrType.cf"][..]), ("cluster", &["main.cf"])] {
        let to = tempfile::tempdir().unwrap();
        let words = [&["import", "vcs"], files, &["--to", to.path().to_str().unwrap()]].concat();
        let ran = ims_switch(&words, &data(name));
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let (found, expected) = (told(&ran, to.path()), data(name).join("expected"));
        if std::env::var_os("IMS_BLESS").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&expected).unwrap(), "{name}");
        assert!(!found.contains("dKKiKMkLMj") && !found.contains("hush"), "a password is told");
        let again = ims_switch(&words, &data(name));
        let changed = |record: &&Value| record["changed"] == true;
        assert_eq!((again.status, again.records.iter().filter(changed).count()), (0, 0));
    }
}

#[test]
fn a_file_that_is_not_valid_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("to")).unwrap();
    for (text, message) in [
        ("group G (\n", "main.cf:1: group G has no ')'"),
        ("cluster c\n", "no group in it"),
        ("group G (\nSystemList = { a }\n)\nNIC n (\n)\n", "main.cf:4: NIC n: NIC names no interface"),
    ] {
        std::fs::write(folder.path().join("main.cf"), text).unwrap();
        let ran = ims_switch(&["import", "vcs", "main.cf", "--to", "to"], folder.path());
        assert_eq!(ran.status, 2, "{text}");
        assert!(ran.stderr.contains(message), "{text}\n{}", ran.stderr);
        assert_eq!(std::fs::read_dir(folder.path().join("to")).unwrap().count(), 0);
    }
}

/// A host with these groups.
fn host(groups: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let groups_folder = folder.path().join("etc/ims/groups");
    std::fs::create_dir_all(&groups_folder).unwrap();
    for (name, text) in groups {
        std::fs::write(groups_folder.join(format!("{name}.toml")), text).unwrap();
    }
    folder
}

#[test]
fn what_was_exported_is_imported_as_the_same_groups() {
    let mail = include_str!("../data/group/IMS-RG.toml");
    let users = "nodes = [\"ldap-1\", \"ldap-2\"]\nfailback = true\n[resource.network]\ntype = \"nic\"\n\
                 device = \"eth0\"\n[resource.agent]\ntype = \"ocf:heartbeat:Dummy\"\nparameters = { a = \"b c\" }\n";
    let host = host(&[("IMS-RG", mail), ("LDAP-USER-RG", users)]);
    let root = host.path().to_str().unwrap();
    for folder in ["out", "back"] {
        std::fs::create_dir(host.path().join(folder)).unwrap();
    }
    let words = ["--root", root, "export", "vcs", "IMS-RG", "LDAP-USER-RG", "--to", "out"];
    let ran = ims_switch(&words, host.path());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    // The types file is found beside the one that includes it.
    let ran = ims_switch(&["import", "vcs", "out/main.cf", "--to", "back"], host.path());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let is_missing = |record: &&Value| record["what"].to_string().contains("MsgSrvTypes.cf is not there");
    assert_eq!(ran.records.iter().find(is_missing), None);
    for (name, text) in [("IMS-RG", mail), ("LDAP-USER-RG", users)] {
        let path = host.path().join(format!("back/{name}.toml"));
        let parse = |text: &str| Group::parse(name.parse().unwrap(), text, &path).unwrap();
        let mut back = parse(&std::fs::read_to_string(&path).unwrap());
        text.clone_into(&mut back.text);
        assert_eq!(back, parse(text));
    }
}

#[test]
fn a_monitor_that_dies_of_itself_is_not_online_to_vcs() {
    let group = "nodes = [\"a\"]\n[resource.file]\ntype = \"command\"\nstart = [\"true\"]\nstop = [\"true\"]\n\
                 monitor = [\"/bin/sh\", \"-c\", \"exit \\\"$STATUS\\\" # it's\"]\noffline_status = [1, 3]\n";
    let host = host(&[("G", group)]);
    let ran = ims_switch(&["--root", host.path().to_str().unwrap(), "export", "vcs", "G"], host.path());
    let main =
        ran.records.iter().find(|record| record["file"] == "main.cf").unwrap()["text"].as_str().unwrap();
    let line = main.lines().find_map(|line| line.trim().strip_prefix("MonitorProgram = \"")).unwrap();
    let program = line.strip_suffix('"').unwrap().replace("\\\"", "\"").replace("\\\\", "\\");
    for (says, to_vcs) in [(0, 0), (1, 1), (3, 1), (2, 99), (101, 99), (110, 99)] {
        let mut shell = Command::new("/bin/sh");
        let ran = shell.arg("-c").arg(&program).env("STATUS", says.to_string()).output().unwrap();
        assert_eq!(ran.status.code(), Some(to_vcs), "{says}: {program}");
    }
}
