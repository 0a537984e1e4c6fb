//! `check`: entries beside the disk and beside each other.

use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::{Files, STORK, code, records, stderr};
use crate::support::mail::{Directory, Mail, Ports, ServerRoot};
use crate::support::{Bed, needs_root};

/// An instance `stork` with its directory server on the disk and in the registry.
fn stork() -> Files {
    let files = Files::new();
    fs_err::create_dir_all(files.path("/global/ims")).unwrap();
    let root =
        ServerRoot::postfix_dovecot("/global/ims/server5").mail(Mail::new("stork", "ldap://10.0.37.10/"));
    root.directory(Directory::new("mail")).lay(&files.path("/")).unwrap();
    assert_eq!(code(&files.run(STORK)), 0);
    files
}

/// The entry's state, and what the findings are about: state, aspect, place.
fn told(files: &Files, status: i32) -> (String, Vec<String>) {
    let output = files.run(&["check", "stork"]);
    assert_eq!(code(&output), status, "{}{}", stderr(&output), String::from_utf8_lossy(&output.stdout));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut state = String::new();
    let mut findings = Vec::new();
    for record in records(&output) {
        assert_eq!(record["name"], "stork");
        if record["schema"] == "ims.registry-check/1" {
            state = text(&record["state"]);
        } else {
            let file = text(&record["at"]["file"]).replace(files.0.path().to_str().unwrap(), "");
            let line = record["at"]["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
            assert!(!text(&record["mend"]).is_empty() && !text(&record["what"]).is_empty());
            findings.push(format!("{} {} {file}{line}", text(&record["state"]), text(&record["aspect"])));
        }
    }
    (state, findings)
}

#[test]
fn an_entry_that_fits_is_up() {
    if needs_root() {
        assert_eq!(told(&stork(), 0), ("up".to_owned(), vec![]));
    }
}

#[test]
fn an_address_that_the_servers_cannot_be_bound_to_is_down() {
    if !needs_root() {
        return;
    }
    let files = Files::new();
    ServerRoot::seed().lay(&files.path("/")).unwrap();
    let add = ["add", "mail-1", "--server-root", "/opt/iplanet/server5", "--address"];
    for (address, is_wrong) in [("10.0.37.10", false), ("2001:db8::10", true)] {
        assert_eq!(code(&files.run(&[&add[..], &[address]].concat())), 0);
        let output = files.run(&["check", "mail-1"]);
        let told = "an instance of iplanet-5 is bound to one IPv4 address, not to 2001:db8::10";
        let is_told =
            records(&output).iter().any(|record| record["aspect"] == "address" && record["what"] == told);
        assert_eq!(is_told, is_wrong, "{address}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(!is_wrong || code(&output) == 1, "{}", stderr(&output));
    }
}

#[test]
fn a_root_that_is_not_here_is_unknown_and_one_that_cannot_be_is_down() {
    let files = Files::new();
    files.run(STORK);
    let registry = "/etc/msgregistry.inf:1";
    let unknown = || ("unknown".to_owned(), vec![format!("unknown root {registry}")]);
    assert_eq!(told(&files, 3), unknown(), "another node may master its volume");
    fs_err::create_dir_all(files.path("/global/ims/server5")).unwrap();
    assert_eq!(told(&files, 3), unknown(), "an empty folder is a mount point");
    fs_err::remove_dir(files.path("/global/ims/server5")).unwrap();
    symlink("/mnt/gone", files.path("/global/ims/server5")).unwrap();
    assert_eq!(told(&files, 3), unknown(), "a link to what is not mounted");
    fs_err::remove_file(files.path("/global/ims/server5")).unwrap();
    files.write("/global/ims/server5", "");
    assert_eq!(told(&files, 1), ("down".to_owned(), vec![format!("down root {registry}")]));
}

#[test]
fn a_volume_of_a_group_tells_whether_its_root_is_elsewhere_or_nowhere() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let volume = "[resource.disk]\ntype = \"volume\"\ndevice = \"/dev/ims1\"\nmount = \"/global/ims\"\nfstype = \"ext4\"\n";
    node.file("/etc/ims/groups/IMS-RG.toml", format!("nodes = [\"mail-1\", \"mail-2\"]\n{volume}"));
    node.run(["ims-registry"].iter().chain(STORK).copied()).ok();
    let told = |status, what: &str| {
        let ran = node.run(["ims-registry", "check"]).status_is(status);
        assert_eq!(ran.records()[0]["what"], what, "{ran}");
    };
    let offline = "/global/ims/server5 is on the volume /global/ims of IMS-RG, which is not mounted here";
    told(3, offline);
    // What somebody left below the mount point is not the volume.
    node.sh("mkdir -p /global/ims/server5/msg-stork").ok();
    told(3, offline);
    node.sh("mount -t tmpfs none /global/ims").ok();
    told(1, "the volume /global/ims is mounted here, and /global/ims/server5 is not on it");
}

#[test]
fn what_is_missing_on_the_disk_or_laid_out_otherwise_is_down() {
    if !needs_root() {
        return;
    }
    let files = stork();
    let registry = "/etc/msgregistry.inf:1";
    fs_err::rename(files.path("/global/ims/server5/slapd-mail"), files.path("/global/ims/server5/slapd-x"))
        .unwrap();
    assert_eq!(told(&files, 1).1, [format!("down folder {registry}")]);
    fs_err::rename(files.path("/global/ims/server5/slapd-x"), files.path("/global/ims/server5/slapd-mail"))
        .unwrap();
    let folder = files.path("/global/ims/server5/msg-stork");
    for server in ["postfix", "dovecot"] {
        fs_err::rename(folder.join(server), folder.join(format!("{server}.old"))).unwrap();
    }
    assert_eq!(told(&files, 1).1, [format!("down layout {registry}")]);
    fs_err::create_dir_all(folder.join("imta/config")).unwrap();
    assert_eq!(told(&files, 1).1, [format!("down layout {registry}")]);
}

#[test]
fn a_line_that_does_not_parse_is_told_with_its_place() {
    if !needs_root() {
        return;
    }
    let files = stork();
    let file = "/global/ims/server5/msg-stork/postfix/master.cf";
    files.write(file, "smtp inet n - n - - smtpd\nnonsense\n");
    assert_eq!(told(&files, 1).1, [format!("down config {file}:2")]);
}

#[test]
fn links_to_nothing_are_told_and_what_they_lead_to_may_be_elsewhere() {
    if !needs_root() {
        return;
    }
    let files = stork();
    let file = "/global/ims/server5/msg-stork/postfix/main.cf";
    for (to, state, status) in [("main.cf.old", "down", 1), ("/mnt/gone/main.cf", "unknown", 3)] {
        fs_err::remove_file(files.path(file)).unwrap();
        symlink(to, files.path(file)).unwrap();
        assert_eq!(told(&files, status), (state.to_owned(), vec![format!("{state} link {file}")]));
    }
}

#[test]
fn files_of_nobody_of_this_node_or_open_to_anyone_are_down() {
    if !needs_root() {
        return;
    }
    let files = stork();
    let file = "/global/ims/server5/msg-stork/postfix/main.cf";
    let mode = |mode| fs_err::set_permissions(files.path(file), PermissionsExt::from_mode(mode)).unwrap();
    mode(0o666);
    assert_eq!(told(&files, 1).1, [format!("down owner {file}")]);
    mode(0o644);
    chown(files.path(file), Some(1), None).unwrap();
    assert_eq!(told(&files, 1).1, [format!("down owner {file}")], "read by root, written by daemon");
    chown(files.path(file), Some(0), None).unwrap();
    let queue = "/global/ims/server5/msg-stork/queue";
    chown(files.path(queue), Some(777), None).unwrap();
    assert_eq!(told(&files, 1).1, [format!("down owner {queue}")]);
}

#[test]
fn two_entries_with_one_address_one_directory_server_or_one_port_are_told_both() {
    if !needs_root() {
        return;
    }
    let files = stork();
    let root =
        ServerRoot::postfix_dovecot("/global/ims/server5").mail(Mail::new("heron", "ldap://10.0.37.10/"));
    root.lay(&files.path("/")).unwrap();
    let heron = ["add", "heron", "--layout", "postfix-dovecot", "--server-root", "/global/ims/server5"];
    files.run(&[&heron[..], &["--address", "10.0.37.10", "--ldap", "mail"]].concat());
    let (state, findings) = told(&files, 1);
    let kinds: Vec<&str> = findings.iter().map(|finding| finding.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(state, "down");
    for kind in ["down address", "down directory", "down port"] {
        assert!(kinds.contains(&kind), "{kind}: {findings:?}");
    }
    let smtp = "down port /global/ims/server5/msg-stork/postfix/master.cf:";
    assert!(findings.iter().any(|finding| finding.starts_with(smtp)), "{findings:?}");
    let both = records(&files.run(&["check"]));
    let states: Vec<_> = both.iter().filter(|r| r["schema"] == "ims.registry-check/1").collect();
    assert!(states.len() == 2 && states.iter().all(|record| record["state"] == "down"), "{both:?}");
}

#[test]
fn a_mail_server_and_another_entrys_directory_server_may_share_an_address() {
    if !needs_root() {
        return;
    }
    let files = Files::new();
    let ports = Ports::default();
    let root = ServerRoot::postfix_dovecot("/srv").mail(Mail::new("stork", "ldap://10.0.37.10/").on(ports));
    root.directory(Directory::new("mail")).lay(&files.path("/")).unwrap();
    let add =
        ["add", "stork", "--layout", "postfix-dovecot", "--server-root", "/srv", "--address", "10.0.37.10"];
    assert_eq!(code(&files.run(&add)), 0);
    let add =
        ["add", "mail", "--layout", "postfix-dovecot", "--server-root", "/srv", "--address", "10.0.37.10"];
    assert_eq!(code(&files.run(&[&add[..], &["--ldap", "mail", "--no-mail"]].concat())), 0);
    assert_eq!(told(&files, 0), ("up".to_owned(), vec![]));
}

#[test]
fn a_name_that_is_not_registered_is_a_usage_error() {
    let files = Files::new();
    files.run(STORK);
    assert_eq!(code(&files.run(&["check", "heron"])), 2);
}

#[test]
fn a_servers_folder_behind_a_link_to_nothing_is_unknown() {
    let files = stork();
    let folder = "/global/ims/server5/msg-stork/dovecot";
    fs_err::rename(files.path(folder), files.path("/global/ims/elsewhere")).unwrap();
    symlink("/mnt/not-mounted", files.path(folder)).unwrap();
    let (state, findings) = told(&files, 3);
    assert_eq!(state, "unknown");
    assert!(findings.contains(&format!("unknown link {folder}")), "{findings:?}");
}
