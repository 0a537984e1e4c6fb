//! The `postfix-dovecot` layout: the servers' own files, read by the servers' own checkers.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::{Files, changes, records, stderr};
use crate::support::mail::{Directory, Mail, ServerRoot};

const ROOT: &str = "/global/ims/server5";
const MAIN: &str = "/global/ims/server5/msg-stork/postfix/main.cf";
const MASTER: &str = "/global/ims/server5/msg-stork/postfix/master.cf";
const DOVECOT: &str = "/global/ims/server5/msg-stork/dovecot/dovecot.conf";
const DEFAULT: &str = "/global/ims/server5/slapd-mail/default";
const SET: &[&str] = &["set", "stork", "--server-root", ROOT, "--ldap", "mail", "--address", "192.0.2.10"];
const RESTORE: &[&str] = &["restore", "stork", "--server-root", ROOT];

fn root() -> ServerRoot {
    ServerRoot::postfix_dovecot(ROOT)
        .mail(Mail::new("stork", "ldap://192.0.2.10:389/"))
        .directory(Directory::new("mail"))
}

/// A host with the servers' checkers.
fn files() -> Files {
    let files = Files::with(&root());
    for program in ["/usr/sbin/postconf", "/usr/bin/doveconf", "/usr/sbin/slaptest"] {
        fs_err::create_dir_all(files.path(program).parent().unwrap()).unwrap();
        symlink(program, files.path(program)).unwrap();
    }
    // slaptest reads the folders that slapd.conf names as this machine has them; those of the test are below it.
    let slapd = "/global/ims/server5/slapd-mail/slapd.conf";
    let text = files.read(slapd);
    let folder = format!("directory {ROOT}/slapd-mail/db");
    files.write(
        slapd,
        &text.replace(&folder, &format!("directory {}", files.path(ROOT).join("slapd-mail/db").display())),
    );
    files
}

/// A parameter as Postfix itself reads it.
fn postconf(files: &Files, parameter: &str) -> String {
    let folder = files.path(MAIN).parent().unwrap().to_owned();
    let output = Command::new("postconf").arg("-c").arg(folder).args(["-h", parameter]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A setting as Dovecot itself reads it.
fn doveconf(files: &Files, setting: &str) -> String {
    let output =
        Command::new("doveconf").arg("-c").arg(files.path(DOVECOT)).args(["-h", setting]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn every_server_is_told_the_address_and_the_bytes_come_back() {
    let files = files();
    let before = files.snapshot(ROOT);
    let output = files.answers(0, SET);
    let changed = [(MAIN, true), (MASTER, false), (DOVECOT, true), (DEFAULT, true)];
    assert_eq!(changes(&output), changed.map(|(file, is)| (file.to_owned(), is)));
    assert_eq!(postconf(&files, "inet_interfaces"), "192.0.2.10");
    assert_eq!(postconf(&files, "smtp_bind_address"), "192.0.2.10");
    assert_eq!(doveconf(&files, "listen"), "192.0.2.10");
    assert!(
        files.read(DEFAULT).contains("\nSLAPD_SERVICES=\"ldap://192.0.2.10/\"\n"),
        "{}",
        files.read(DEFAULT)
    );
    let now = files.snapshot(ROOT);
    assert!(changes(&files.answers(0, SET)).iter().all(|(_, changed)| !changed));
    assert!(files.snapshot(ROOT) == now, "a second run writes nothing at all");
    files.answers(0, RESTORE);
    assert!(files.snapshot(ROOT) == before, "the very files come back");
}

#[test]
fn two_addresses_of_both_families_are_listed_everywhere() {
    let files = files();
    let two: Vec<&str> = SET.iter().copied().chain(["--address", "2001:db8::10"]).collect();
    files.answers(0, &two);
    assert_eq!(postconf(&files, "inet_interfaces"), "192.0.2.10, 2001:db8::10");
    assert_eq!(postconf(&files, "smtp_bind_address6"), "2001:db8::10");
    assert_eq!(doveconf(&files, "listen"), "192.0.2.10, 2001:db8::10");
    assert!(files.read(DEFAULT).contains("\"ldap://192.0.2.10/ ldap://[2001:db8::10]/\""));
    let now = files.snapshot(ROOT);
    assert!(changes(&files.answers(0, &two)).iter().all(|(_, changed)| !changed));
    assert!(files.snapshot(ROOT) == now);
    // Back to one: what was the other's is taken out.
    files.answers(0, SET);
    assert_eq!(
        (postconf(&files, "smtp_bind_address6").as_str(), postconf(&files, "inet_interfaces").as_str()),
        ("", "192.0.2.10")
    );
    assert!(files.read(DEFAULT).contains("\"ldap://192.0.2.10/\""));
}

#[test]
fn listeners_with_an_address_of_their_own_are_told_and_bound_and_loopback_stays() {
    let files = files();
    let smtp = "smtp      inet  n       -       n       -       -       smtpd\n";
    let more = "192.0.2.9:submission inet n - n - - smtpd\n  -o smtpd_tls_security_level=may\n\
                127.0.0.1:10025 inet n - n - - smtpd\n[2001:db8::9]:2525 inet n - n - - smtpd\n";
    files.edit(MASTER, smtp, &format!("{smtp}{more}"));
    files.edit(DOVECOT, "    port = 110\n", "    port = 110\n    address = 192.0.2.9 # old\n");
    files.write(
        "/global/ims/server5/msg-stork/dovecot/site.conf",
        "listen = *\nservice lmtp {\n  inet_listener lmtp {\n    address = *\n    port = 24\n  }\n  inet_listener local {\n    address = 127.0.0.1\n    port = 1024\n  }\n}\n",
    );
    files.edit(DOVECOT, "log_path", "!include site.conf\nlog_path");
    files.edit(DEFAULT, "ldap:///", "ldap:/// ldaps://192.0.2.9:1636/ ldap://127.0.0.1:390/ ldapi:///");
    let output = files.answers(0, SET);
    let told = stderr(&output);
    assert!(told.contains("master.cf:3: 192.0.2.9:submission becomes 192.0.2.10:submission"), "{told}");
    assert!(told.contains("site.conf:4: lmtp lmtp address * becomes 192.0.2.10"), "{told}");
    let master = files.read(MASTER);
    assert!(master.contains("192.0.2.10:submission inet") && master.contains("\n127.0.0.1:10025 inet"));
    assert!(master.contains("\n192.0.2.10:2525 inet"), "no IPv6 address was given: {master}");
    assert!(files.read(DOVECOT).contains("    address = 192.0.2.10 # old\n"));
    assert_eq!(doveconf(&files, "listen"), "192.0.2.10");
    assert!(
        files
            .read(DEFAULT)
            .contains("\"ldap://192.0.2.10/ ldaps://192.0.2.10:1636/ ldap://127.0.0.1:390/ ldapi:///\"")
    );
    let show = ["show", "stork", "--ldap", "mail", "--server-root", ROOT, "--address", "192.0.2.10"];
    let shown: Vec<_> = records(&files.answers(0, &show))
        .iter()
        .filter(|r| r["schema"] == "ims.listener/1")
        .map(|r| {
            format!("{} {} {}", r["server"].as_str().unwrap(), r["address"].as_str().unwrap(), r["port"])
        })
        .collect();
    let wanted = [
        "postfix 192.0.2.10 25",
        "postfix 192.0.2.10 587",
        "postfix 127.0.0.1 10025",
        "postfix 192.0.2.10 2525",
        "dovecot 192.0.2.10 143",
        "dovecot 192.0.2.10 24",
        "dovecot 127.0.0.1 1024",
        "dovecot 192.0.2.10 110",
        "slapd 192.0.2.10 389",
        "slapd 192.0.2.10 1636",
        "slapd 127.0.0.1 390",
    ];
    assert_eq!(shown, wanted);
    let now = files.snapshot(ROOT);
    assert!(changes(&files.answers(0, SET)).iter().all(|(_, changed)| !changed));
    assert!(files.snapshot(ROOT) == now);
}

#[test]
fn two_services_at_one_place_are_refused() {
    for name in ["192.0.2.9:smtp", "192.0.2.9:25", "mail", "[192.0.2.10]:25", "192.0.2.10:smtp"] {
        let files = files();
        let smtp = "smtp      inet  n       -       n       -       -       smtpd\n";
        files.edit(MASTER, smtp, &format!("{smtp}{name} inet n - n - - smtpd\n"));
        let before = files.content(ROOT);
        let told = stderr(&files.answers(4, SET));
        let says = "master.cf:2 and line 3 would both listen at 192.0.2.10:25 (take one of them out)";
        assert!(told.contains(says), "{name}: {told}");
        assert_eq!(files.content(ROOT), before);
    }
}

#[test]
fn the_urls_of_a_proxy_are_bound_as_the_others_are() {
    let files = files();
    files.edit(DEFAULT, "ldap:///", "ldap:/// pldap://:1389/ PLDAPS://192.0.2.9:1636/");
    files.answers(0, SET);
    let urls = "\"ldap://192.0.2.10/ pldap://192.0.2.10:1389/ PLDAPS://192.0.2.10:1636/\"";
    assert!(files.read(DEFAULT).contains(urls), "{}", files.read(DEFAULT));
    let show = ["show", "stork", "--ldap", "mail", "--server-root", ROOT, "--address", "192.0.2.10"];
    let shown = records(&files.answers(0, &show));
    let of_slapd: Vec<_> =
        shown.iter().filter(|r| r["server"] == "slapd").map(|r| (&r["service"], &r["port"])).collect();
    assert_eq!(
        serde_json::json!(of_slapd),
        serde_json::json!([["ldap", 389], ["other", 1389], ["other", 1636]])
    );
}

#[test]
fn an_address_of_a_family_that_is_turned_off_is_refused() {
    let files = files();
    files.edit(MAIN, "inet_protocols = all", "inet_protocols = ipv4");
    let two: Vec<&str> = SET.iter().copied().chain(["--address", "2001:db8::10"]).collect();
    let told = stderr(&files.answers(2, &two));
    assert!(told.contains("inet_protocols leaves out 2001:db8::10"), "{told}");
}

#[test]
fn a_file_that_its_server_does_not_take_is_never_swapped_in() {
    for (file, from, to, says) in [
        (
            DOVECOT,
            "ssl = no",
            "sssl = no",
            "doveconf does not take /global/ims/server5/msg-stork/dovecot/dovecot.conf",
        ),
        (
            "/global/ims/server5/slapd-mail/slapd.conf",
            "database mdb",
            "databas mdb",
            "slaptest does not take",
        ),
    ] {
        let files = files();
        files.edit(file, from, to);
        let before = files.content(ROOT);
        let output = files.answers(2, SET);
        let told = stderr(&output);
        assert!(told.lines().count() == 1 && told.contains(says), "{told}");
        assert_eq!(files.content(ROOT), before);
        assert!(!files.is_there("/run/ims/check"), "no folder for checkers is left");
    }
}

#[test]
fn a_checker_that_is_not_installed_is_told_and_not_missed() {
    let files = Files::with(&root());
    let output = files.answers(0, SET);
    let told = stderr(&output);
    for program in ["/usr/sbin/postconf", "/usr/bin/doveconf", "/usr/sbin/slaptest"] {
        assert!(told.contains(&format!("{program} is not installed here")), "{told}");
    }
}

#[test]
fn files_of_the_servers_that_are_missing_or_torn_are_told() {
    let files = files();
    let whole = files.read(MAIN);
    files.write(MAIN, &format!("{whole}inet_inter"));
    let told = stderr(&files.answers(2, SET));
    assert!(told.contains("main.cf:") && told.contains("no '=' in 'inet_inter'"), "{told}");
    files.write(MAIN, &whole);
    fs_err::remove_file(files.path(MASTER)).unwrap();
    let told = stderr(&files.answers(2, SET));
    assert!(told.contains("master.cf is not there"), "{told}");
}

#[test]
fn a_default_file_is_made_when_there_is_none() {
    let files = files();
    fs_err::remove_file(files.path(DEFAULT)).unwrap();
    let before = files.content(ROOT);
    files.answers(0, SET);
    assert_eq!(files.read(DEFAULT), "SLAPD_SERVICES=\"ldap://192.0.2.10/\"\n");
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), before);
}
