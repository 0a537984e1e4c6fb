//! `import`: entries from a list of server roots.

use super::{Files, code, records, stderr};

/// A mail instance of the iPlanet line below a root.
fn instance(files: &Files, root: &str, name: &str) {
    let folder = format!("{root}/msg-{name}");
    files.write(&format!("{folder}/imta/config/dispatcher.cnf"), "[SERVICE=SMTP]\nPORT=25\n");
    files.write(&format!("{folder}/imta/config/job_controller.cnf"), "");
    crate::support::script::write(&files.path(&format!("{folder}/configutil")), "#!/bin/sh\n").unwrap();
}

const LIST: &str =
    "# server roots of this node\r\n/usr/netscape/server4/\r\nServerRoot = \"/opt/iplanet/server5\"\r\n";

#[test]
fn what_stands_below_the_listed_roots_is_proposed_then_added_once() {
    let files = Files::new();
    instance(&files, "/usr/netscape/server4", "heron");
    instance(&files, "/opt/iplanet/server5", "stork");
    files.write("/etc/nsserver.cfg", LIST);
    let shown = files.run(&["import", "--dry-run"]);
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    let names: Vec<_> = records(&shown).iter().map(|record| record["name"].clone()).collect();
    assert_eq!(names, ["heron".into(), "stork".into(), serde_json::Value::Null]);
    assert!(records(&shown)[2]["diff"].as_str().unwrap().contains("+root = /usr/netscape/server4"));
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
    assert_eq!(records(&files.run(&["import", "/etc/nsserver.cfg"]))[2]["changed"], true);
    assert_eq!(records(&files.run(&["list"])).len(), 2);
    // What somebody has put right since stays.
    files.run(&["add", "stork", "--address", "10.0.37.10"]);
    let before = files.read("/etc/msgregistry.inf");
    assert_eq!(records(&files.run(&["import"]))[2]["changed"], false);
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
}

#[test]
fn a_root_that_is_not_here_is_told_and_hinders_no_other() {
    let files = Files::new();
    instance(&files, "/opt/iplanet/server5", "stork");
    files.write("/etc/nsserver.cfg", LIST);
    let output = files.run(&["import"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot scan /usr/netscape/server4"), "{}", stderr(&output));
    assert_eq!(records(&files.run(&["list"])).len(), 1);
    fs_err::create_dir_all(files.path("/usr/netscape/server4")).unwrap();
    assert_eq!(code(&files.run(&["import"])), 1);
}

#[test]
fn an_instance_whose_files_do_not_tell_its_address_is_added_and_told() {
    let files = Files::new();
    instance(&files, "/opt/iplanet/server5", "stork");
    files.write("/etc/nsserver.cfg", "/opt/iplanet/server5\n");
    fs_err::remove_file(files.path("/opt/iplanet/server5/msg-stork/imta/config/job_controller.cnf")).unwrap();
    let output = files.run(&["import"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot tell the addresses of stork"), "{}", stderr(&output));
    assert_eq!(records(&files.run(&["list"])).len(), 1);
}

#[test]
fn one_name_below_two_roots_is_refused_and_adds_nothing() {
    let files = Files::new();
    instance(&files, "/usr/netscape/server4", "stork");
    instance(&files, "/opt/iplanet/server5", "stork");
    files.write("/etc/nsserver.cfg", LIST);
    let output = files.run(&["import"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("stork is below /usr/netscape/server4 and below /opt/iplanet/server5"));
    assert_eq!(files.read("/etc/msgregistry.inf"), None);
    files.run(&["add", "stork", "--layout", "iplanet-5", "--server-root", "/elsewhere"]);
    files.write("/etc/nsserver.cfg", "/opt/iplanet/server5\n");
    assert_eq!(code(&files.run(&["import"])), 4);
}

#[test]
fn a_list_that_is_not_there_or_names_no_root_is_told() {
    let files = Files::new();
    assert_eq!(code(&files.run(&["import"])), 2);
    for (text, status, told) in [
        ("# none\n", 3, "/etc/nsserver.cfg names no server root"),
        ("/opt\nserver5\n", 2, "/etc/nsserver.cfg:2: not an absolute path: 'server5' (a server root is"),
    ] {
        files.write("/etc/nsserver.cfg", text);
        let output = files.run(&["import"]);
        assert_eq!(code(&output), status);
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
}
