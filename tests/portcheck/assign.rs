//! `ims-portcheck assign`: a Job Controller port for each instance.

use std::process::Output;

use serde_json::Value;

use super::{Files, SERVER5, ports, records, text};
use crate::support::needs_root;

const FILE: &str = "imta/config/job_controller.cnf";

fn job_controller(files: &Files, instance: &str) -> String {
    let path = files.path(&format!("{SERVER5}/msg-{instance}/{FILE}"));
    fs_err::read_to_string(path).unwrap()
}

fn changed(output: &Output, status: i32) -> Vec<bool> {
    let all = records(output, status);
    let changes = all.into_iter().filter(|record| record["schema"] == "ims.change/1");
    changes.map(|record| record["changed"].as_bool().unwrap()).collect()
}

/// Two bound instances with one Job Controller port.
fn alike() -> Files {
    let files = Files::seed(&["mail-1", "mail-2"]);
    files.bind("mail-1", "10.0.37.10");
    files.bind("mail-2", "10.0.37.11");
    files.edit("mail-2", FILE, "27443", "27442");
    files
}

#[test]
fn the_second_of_two_gets_the_next_port_and_nothing_else_changes() {
    if !needs_root() {
        return;
    }
    let files = alike();
    let (one, two) = (job_controller(&files, "mail-1"), job_controller(&files, "mail-2"));
    let output = files.run(&["assign", "-n"], "");
    let shown = records(&output, 0);
    let diff = shown[1]["diff"].as_str().unwrap();
    let lines: Vec<&str> =
        diff.lines().filter(|l| l.starts_with(['+', '-']) && !l[1..].starts_with(['+', '-'])).collect();
    assert_eq!(lines.len(), 2, "{diff}");
    assert!(lines[0].starts_with('-') && lines[0].ends_with("27442"), "{diff}");
    assert_eq!(lines[1][1..], lines[0][1..].replace("27442", "27443"));
    assert_eq!(
        (job_controller(&files, "mail-1"), job_controller(&files, "mail-2")),
        (one.clone(), two.clone())
    );

    assert_eq!(changed(&files.run(&["assign"], ""), 0), [false, true]);
    assert_eq!(job_controller(&files, "mail-1"), one);
    assert_eq!(job_controller(&files, "mail-2"), two.replace("27442", "27443"));
    let kept = files.path(&format!("{SERVER5}/msg-mail-2/{FILE}.pre-ha"));
    assert_eq!(fs_err::read_to_string(kept).unwrap(), two, "the original is kept");
    assert_eq!(records(&files.run(&["--no-live"], ""), 0), Vec::<Value>::new());
    assert_eq!(changed(&files.run(&["assign"], ""), 0), [false, false], "a second run changes nothing");
}

#[test]
fn what_collides_and_may_not_move_is_told_beside_the_change() {
    if !needs_root() {
        return;
    }
    let files = Files::seed(&["mail-1", "mail-2"]);
    files.edit("mail-2", FILE, "27443", "27442");
    let found = records(&files.run(&["assign"], ""), 1);
    let conflicts: Vec<Value> =
        found.into_iter().filter(|record| record["schema"] == "ims.conflict/1").collect();
    assert_eq!(ports(&conflicts), [25, 587, 143, 110]);
}

#[test]
fn all_files_are_changed_or_none() {
    if !needs_root() {
        return;
    }
    let files = alike();
    files.register(&["mail-1", "mail-2", "mail-3"]);
    // Another instance's files are not here: which ports are free is unknown.
    let before = job_controller(&files, "mail-2");
    let output = files.run(&["assign", "mail-1", "mail-2"], "");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(job_controller(&files, "mail-2"), before);
    // A file that cannot be kept makes the others stay as they were.
    files.register(&["mail-1", "mail-2"]);
    files.edit("mail-1", FILE, "27442", "27500");
    files.edit("mail-2", FILE, "27442", "27500");
    let third = files.path(&format!("{SERVER5}/msg-mail-3"));
    let mut copy = std::process::Command::new("cp");
    copy.arg("-r").arg(files.path(&format!("{SERVER5}/msg-mail-2"))).arg(&third);
    assert!(copy.status().unwrap().success());
    files.register(&["mail-1", "mail-2", "mail-3"]);
    fs_err::create_dir(third.join("ims-ipbind.pending")).unwrap();
    let before = ["mail-1", "mail-2", "mail-3"].map(|name| job_controller(&files, name));
    let output = files.run(&["assign"], "");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(["mail-1", "mail-2", "mail-3"].map(|name| job_controller(&files, name)), before);
    assert!(!files.path(&format!("{SERVER5}/msg-mail-2/ims-ipbind.pending")).exists());
    fs_err::remove_dir(third.join("ims-ipbind.pending")).unwrap();
    assert_eq!(changed(&files.run(&["assign"], ""), 1), [false, true, true]);
}

#[test]
fn a_socket_unit_that_cannot_be_told_leaves_the_ports_as_they_are() {
    if !needs_root() {
        return;
    }
    let files = alike();
    let folder = files.path("/etc/systemd/system");
    fs_err::create_dir_all(folder.join("sockets.target.wants")).unwrap();
    fs_err::write(folder.join("odd.socket"), "[Socket]\nListenStream=%i\n").unwrap();
    std::os::unix::fs::symlink("../odd.socket", folder.join("sockets.target.wants/odd.socket")).unwrap();
    let before = job_controller(&files, "mail-2");
    let output = files.run(&["assign"], "");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("odd.socket:2"), "{}", text(&output.stderr));
    assert_eq!(job_controller(&files, "mail-2"), before);
    fs_err::write(folder.join("odd.socket"), "[Socket]\nListenStream=/run/odd\n").unwrap();
    assert_eq!(changed(&files.run(&["assign"], ""), 0), [false, true]);
}

#[test]
fn an_instance_that_another_run_changes_is_busy() {
    if !needs_root() {
        return;
    }
    let files = alike();
    files.write("/run/ims/lock/ipbind-mail-2.lock", "");
    let lock = std::fs::File::open(files.path("/run/ims/lock/ipbind-mail-2.lock")).unwrap();
    lock.lock().unwrap();
    let output = files.run(&["assign", "--timeout", "100ms"], "");
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("ipbind-mail-2.lock is held"));
}

#[test]
fn two_runs_for_two_instances_do_not_give_both_the_same_free_port() {
    if !needs_root() {
        return;
    }
    let files = alike();
    files.write("/run/ims/lock/portcheck-assign.lock", "");
    let lock = std::fs::File::open(files.path("/run/ims/lock/portcheck-assign.lock")).unwrap();
    lock.lock().unwrap();
    let output = files.run(&["assign", "mail-2", "--timeout", "100ms"], "");
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("portcheck-assign.lock is held"));
}

#[test]
fn a_port_that_a_socket_unit_of_systemd_opens_at_boot_is_left_to_it() {
    if !needs_root() {
        return;
    }
    let files = alike();
    files.write("/usr/lib/systemd/system/x.socket", "[Socket]\nListenStream=10.0.37.10:27442\n");
    files.write("/etc/systemd/system/sockets.target.wants/x.socket", "");
    assert_eq!(ports(&records(&files.run(&[], ""), 1)), [27442, 27442], "the other's, and systemd's");
    assert_eq!(changed(&files.run(&["assign"], ""), 0), [true, false], "then the other is alone at its own");
    for (name, port) in [("mail-1", 27443), ("mail-2", 27442)] {
        assert!(job_controller(&files, name).contains(&format!("={port}\n")), "{name}");
    }
    assert_eq!(records(&files.run(&[], ""), 0), Vec::<Value>::new());
    assert_eq!(changed(&files.run(&["assign"], ""), 0), [false, false]);
}

#[test]
fn a_tailor_file_that_may_name_the_port_too_is_told() {
    if !needs_root() {
        return;
    }
    let files = alike();
    let tailor = format!("{SERVER5}/msg-mail-2/imta/config/imta_tailor");
    files.write(&tailor, "! where things are\nIMTA_JBC_SERVICE=PORT=27442\n");
    let told = format!(
        "ims-portcheck: {tailor}:2: IMTA_JBC_SERVICE is PORT=27442, which may have to follow the new port, and is left\n"
    );
    for args in [&["assign", "-n"][..], &["assign"]] {
        let output = files.run(args, "");
        assert_eq!(changed(&output, 0), [false, true]);
        assert!(text(&output.stderr).ends_with(&told), "{}", text(&output.stderr));
    }
    assert!(files.run(&["assign"], "").stderr.is_empty(), "nothing moves any more");
}

#[test]
fn a_port_in_an_included_file_stays_and_the_other_moves() {
    if !needs_root() {
        return;
    }
    let site = format!("{SERVER5}/msg-mail-2/imta/config/site.cnf");
    let including = || {
        let files = alike();
        files.write(&site, "tcp_port=27442\n");
        files.edit("mail-2", FILE, "27442", "27442\n<IMTA_TABLE:site.cnf");
        files
    };
    let files = including();
    let before = job_controller(&files, "mail-2");
    assert_eq!(changed(&files.run(&["assign"], ""), 0), [true], "of mail-1 alone");
    assert!(job_controller(&files, "mail-1").contains("=27443\n"), "{}", job_controller(&files, "mail-1"));
    assert_eq!(job_controller(&files, "mail-2"), before);
    assert_eq!(fs_err::read_to_string(files.path(&site)).unwrap(), "tcp_port=27442\n");

    // Two of that kind: neither may move.
    let files = including();
    files.write(&site.replace("mail-2", "mail-1"), "tcp_port=27442\n");
    files.edit("mail-1", FILE, "27442", "27442\n<IMTA_TABLE:site.cnf");
    let before = ["mail-1", "mail-2"].map(|name| job_controller(&files, name));
    let output = files.run(&["assign"], "");
    let told = records(&output, 1);
    assert_eq!(ports(&told), [27442]);
    assert_eq!(told[0]["b"]["at"], serde_json::json!({"file": site, "line": 1}));
    assert_eq!(["mail-1", "mail-2"].map(|name| job_controller(&files, name)), before);
}

#[test]
fn a_link_in_place_of_a_file_or_no_port_that_is_left_changes_nothing() {
    if !needs_root() {
        return;
    }
    let files = alike();
    let path = files.path(&format!("{SERVER5}/msg-mail-2/{FILE}"));
    let aside = path.with_file_name("real.cnf");
    fs_err::rename(&path, &aside).unwrap();
    std::os::unix::fs::symlink("real.cnf", &path).unwrap();
    let before = job_controller(&files, "mail-2");
    let output = files.run(&["assign"], "");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("is a symbolic link"), "{}", text(&output.stderr));
    assert_eq!(job_controller(&files, "mail-2"), before);

    let files = alike();
    for name in ["mail-1", "mail-2"] {
        files.edit(name, FILE, "27442", "65535");
    }
    let output = files.run(&["assign"], "");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no port above 65535 is free"), "{}", text(&output.stderr));
    assert!(job_controller(&files, "mail-2").contains("65535"));
}
