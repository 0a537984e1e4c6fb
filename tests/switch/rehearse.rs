//! Rehearsals: each thing that would keep a group from a node is found beforehand, and nothing is touched.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lab::*;
use super::mail;
use crate::support::*;

/// The verdicts by resource and subject; of several the last.
fn verdicts(ran: &Ran) -> BTreeMap<(String, String), (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let records = ran.records().into_iter().filter(|record| record["schema"] == "ims.rehearsal/1");
    records
        .map(|record| {
            let key = (text(&record["resource"]), text(&record["subject"]));
            (key, (text(&record["verdict"]), text(&record["reason"])))
        })
        .collect()
}

fn rehearse(lab: &Lab) -> Ran {
    lab.mail_2.run(["ims-switch", "rehearse", "IMS-RG", "--to", "mail-2"])
}

#[track_caller]
fn is(ran: &Ran, key: (&str, &str), verdict: &str, words: &str) {
    let found = verdicts(ran);
    let found = found.get(&(key.0.to_owned(), key.1.to_owned()));
    assert!(found.is_some_and(|(is, why)| is == verdict && why.contains(words)), "{key:?}: {found:?}\n{ran}");
}

#[test]
fn what_would_keep_a_mail_service_from_a_node_is_found_without_an_outage() {
    if !needs_root() {
        return;
    }
    let lab = mail::lab();
    lab.mail_1.run(["ims-switch", "online", "IMS-RG"]).ok();
    let good = rehearse(&lab).status_is(0);
    for (key, words) in [
        (("-", "group file and registry"), ""),
        (("-", "plan"), "move --to mail-2 in "),
        (("logical_IP", "address"), "mail-1 answers for it"),
        (("mountshared", "disk"), "the file system "),
        (("mountshared", "guard"), "mmp, held by mail-1"),
        (("-", "ports"), ""),
        (("-", "users and groups"), "user postfix"),
        (("-", "memory"), "ldap, mail need "),
        (("mail", "what it needs"), ""),
    ] {
        is(&good, key, "good", words);
    }
    is(&good, ("mail", "start"), "not-checked", "");
    assert_eq!(verdicts(&good).len(), good.records().len(), "each subject once: {good}");
    mail::servers_are_on(&lab, Some(&lab.mail_1));

    // Each of these would have made the move fail, or worse.
    let listen = "my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 25) or die; $| = 1; print qq(up\n); sleep 300";
    let other = lab.mail_2.spawn(["perl", "-MIO::Socket::INET", "-e", listen]);
    assert!(other.until_stdout(SOON, |out| out == "up\n"));
    lab.mail_2.sh("cp -p /etc/passwd /run/passwd && sed 's/^postfix:x:[0-9]*/postfix:x:64999/' /run/passwd >/run/other && mount --bind /run/other /etc/passwd").ok();
    lab.mail_2.sh("rmdir /global/ims").ok();
    let bad = rehearse(&lab).status_is(1);
    is(&bad, ("-", "ports"), "obstacle", "");
    is(&bad, ("mountshared", "what it needs"), "obstacle", "the mount point /global/ims is not there");
    let found = verdicts(&bad);
    let user = found.iter().find(|((_, subject), _)| subject.starts_with("user postfix ("));
    assert!(user.is_some_and(|(_, (is, why))| is == "obstacle" && why == "here postfix is 64999"), "{bad}");
    other.kill();
    mail::servers_are_on(&lab, Some(&lab.mail_1));
}

#[test]
fn somebody_else_with_the_address_and_another_disk_are_found() {
    if !needs_root() {
        return;
    }
    let lab = Lab::new();
    let offline = rehearse(&lab).status_is(0);
    is(&offline, ("logical_IP", "address"), "good", "nobody answers");
    is(&offline, ("mountshared", "guard"), "good", "held by nobody");
    is(&offline, ("-", "programs, users, memory and ports"), "not-checked", "online nowhere");
    let stranger = lab.bed.node("stranger");
    stranger.run(["ip", "address", "add", "192.0.2.10/24", "dev", "eth0"]).ok();
    let taken = rehearse(&lab).status_is(1);
    is(&taken, ("logical_IP", "address"), "obstacle", " answers for it");
    stranger.run(["ip", "address", "del", "192.0.2.10/24", "dev", "eth0"]).ok();

    lab.online();
    lab.mail_2.file(
        "/etc/ims/groups/IMS-RG.toml",
        GROUP.replace("online_retry_limit = 0", "online_retry_limit = 1"),
    );
    let differs = rehearse(&lab).status_is(1);
    is(&differs, ("-", "group file and registry"), "obstacle", "differs from line");
    lab.group(GROUP);
    lab.mail_1.run(["ims-switch", "rehearse", "IMS-RG", "--to", "mail-1"]).status_is(2);
    lab.mail_1.run(["ims-switch", "rehearse", "IMS-RG", "--to", "mail-3"]).status_is(2);
    lab.mail_2.power_cut();
    let cut = lab.mail_1.run(["ims-switch", "rehearse", "IMS-RG", "--to", "mail-2"]);
    assert_ne!(cut.status, Some(0), "{cut}");
    lab.is_online_on(Some(&lab.mail_1));
}
