//! Why the mail servers of the tests keep no cache of headers: real Dovecot, whose index is on the disk after a power
//! cut and whose dovecot.index.cache is that of some messages before.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, chown};

use crate::support::{must::Must, needs_root};

/// What the tests' own configuration says of it.
const KEPT_OFF: &str = "mail_cache_min_mail_count = 4294967295\n";
const OWNER: &str = "dovecot";

struct Mailbox<'a>(&'a Path);

impl<'a> Mailbox<'a> {
    fn new(folder: &'a Path, setting: &str) -> Self {
        let owner = User::from_name(OWNER).unwrap().unwrap();
        chown(folder, Some(owner.uid), Some(owner.gid)).unwrap();
        let at = folder.display();
        let conf = format!(
            "protocols =\nssl = no\nmail_location = sdbox:{at}/mail\nmail_fsync = optimized\n\
             base_dir = {at}/run\nstate_dir = {at}/run\nlog_path = {at}/log\n\
             mail_uid = {OWNER}\nmail_gid = {OWNER}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n{setting}"
        );
        fs_err::write(folder.join("dovecot.conf"), conf).unwrap();
        Self(folder)
    }

    /// doveadm(1) as the mailbox's owner.
    fn doveadm(&self, words: &[&str], input: &str) -> String {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups", "doveadm", "-c"]);
        command.arg(self.0.join("dovecot.conf")).args(words).env("USER", OWNER).env("HOME", self.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().must("start setpriv");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "doveadm {words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn save(&self, numbers: impl Iterator<Item = u32>) {
        for number in numbers {
            let message =
                format!("From: a@example.test\r\nMessage-ID: <{number}@example.test>\r\n\r\ntext\r\n");
            self.doveadm(&["save"], &message);
        }
    }

    /// The Message-ID of each message, in order, as doveadm(1) and IMAP list them.
    fn listed(&self) -> Vec<String> {
        let told = self.doveadm(&["-f", "tab", "fetch", "hdr.message-id", "all"], "");
        told.lines().skip(1).map(|line| line.trim_matches(['<', '>']).replace("@example.test", "")).collect()
    }

    /// Saves twelve messages, of which the cache knows six after the cut, and six more; lists them all.
    fn after_a_cut(&self) -> Vec<String> {
        self.save(1..=5);
        self.listed(); // from now on Dovecot keeps this header of new messages
        self.save(6..=6);
        let cache = self.0.join("mail/mailboxes/INBOX/dbox-Mails/dovecot.index.cache");
        let kept = fs_err::read(&cache).ok();
        self.save(7..=12);
        if let Some(kept) = kept {
            fs_err::write(&cache, kept).unwrap();
        }
        self.save(13..=18);
        self.listed()
    }
}

#[test]
fn an_older_cache_of_headers_shows_new_messages_for_old_ones_and_so_there_is_none() {
    if !needs_root() {
        return;
    }
    assert!(include_str!("files/mail/dovecot.conf").contains(KEPT_OFF));
    let numbers = |range: std::ops::RangeInclusive<u32>| range.map(|number| number.to_string());
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("with")).unwrap();
    fs_err::create_dir(folder.path().join("without")).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(folder.path(), open).unwrap();

    let with = Mailbox::new(&folder.path().join("with"), "").after_a_cut();
    let wrong: Vec<String> = numbers(1..=6).chain(numbers(13..=18)).chain(numbers(13..=18)).collect();
    assert_eq!(with, wrong, "this Dovecot no longer shows what the setting is for");
    let without = Mailbox::new(&folder.path().join("without"), KEPT_OFF).after_a_cut();
    assert_eq!(without, numbers(1..=18).collect::<Vec<_>>());
}
