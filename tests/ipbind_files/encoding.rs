//! Files in the encodings that people left: Latin-1 in comments and values, which stays byte for byte.

use super::seed::{DISPATCHER, JOB_CONTROLLER, RESTORE, ROOT, SET, SLAPD};
use super::{Files, records, stderr};
use crate::support::mail::{Directory, Mail, ServerRoot};

/// Puts bytes before what a file has.
fn put_before(files: &Files, path: &str, bytes: &[u8]) {
    let old = fs_err::read(files.path(path)).unwrap();
    fs_err::write(files.path(path), [bytes, &old].concat()).unwrap();
}

/// Each line of a file, whatever is in it.
fn lines(files: &Files, path: &str) -> Vec<Vec<u8>> {
    let bytes = fs_err::read(files.path(path)).unwrap();
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The lines of a file after a change that are not those of before, which are all there in their order.
fn added(before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<String> {
    let mut left = before.iter().peekable();
    let is_new = |line: &&Vec<u8>| left.next_if_eq(line).is_none();
    let new: Vec<String> =
        after.iter().filter(is_new).map(|line| String::from_utf8(line.clone()).unwrap()).collect();
    assert_eq!(left.next(), None, "a line is missing");
    new
}

#[test]
fn iplanet_files_with_latin_1_are_changed_and_stay_as_they_are_elsewhere() {
    let files = Files::with(&ServerRoot::seed());
    put_before(&files, DISPATCHER, b"! Zugang f\xfcr \xc4mter\xa0\x85\r\n");
    put_before(&files, JOB_CONTROLLER, b"! m\xe9moire\n");
    files.write(SLAPD, "port 389\n");
    put_before(&files, SLAPD, b"# \xe9l\xe8ve\nsuffix \"o=Caf\xe9\xa0\"\n");
    let all = [DISPATCHER, JOB_CONTROLLER, SLAPD];
    let before = all.map(|file| lines(&files, file));
    let snapshot = files.content(ROOT);
    let told = files.answers(0, SET);
    assert!(records(&told)[2]["diff"].as_str().unwrap().contains(" # \u{e9}l\u{e8}ve\n"), "{told:?}");
    let interface = "INTERFACE_ADDRESS=10.0.37.10".to_owned();
    let wanted = [
        vec![format!("{interface}\r"), format!("{interface}\r")],
        vec![interface],
        vec!["listenhost 10.0.37.10".to_owned()],
    ];
    for ((file, before), wanted) in all.iter().zip(&before).zip(wanted) {
        assert_eq!(added(before, &lines(&files, file)), wanted, "{file}");
    }
    files.answers(
        0,
        &["show", "mail-1", "--server-root", ROOT, "--ldap", "elenchus", "--address", "10.0.37.10"],
    );
    files.answers(0, RESTORE);
    assert_eq!(files.content(ROOT), snapshot);
}

#[test]
fn postfix_and_dovecot_files_with_latin_1_are_changed_and_checked() {
    let root = "/global/ims/server5";
    let laid = ServerRoot::postfix_dovecot(root)
        .mail(Mail::new("stork", "ldap://192.0.2.10/"))
        .directory(Directory::new("mail"));
    let files = Files::with(&laid);
    let all = [
        "msg-stork/postfix/main.cf",
        "msg-stork/postfix/master.cf",
        "msg-stork/dovecot/dovecot.conf",
        "slapd-mail/default",
    ];
    for file in all {
        put_before(&files, &format!("{root}/{file}"), b"# \xe9l\xe8ve\xa0\n");
    }
    put_before(&files, &format!("{root}/slapd-mail/slapd.conf"), b"# \xe9l\xe8ve\n");
    let snapshot = files.content(root);
    let set = ["set", "stork", "--server-root", root, "--ldap", "mail", "--address", "192.0.2.10"];
    for checker in ["/usr/sbin/postconf", "/usr/bin/doveconf"] {
        files.script(checker, &format!("#!/bin/sh\nexec {checker} \"$@\"\n"));
    }
    files.answers(0, &set);
    for file in all {
        let text = fs_err::read(files.path(format!("{root}/{file}"))).unwrap();
        assert!(text.starts_with(b"# \xe9l\xe8ve\xa0\n"), "{file}");
    }
    files.answers(0, &["show", "stork", "--server-root", root, "--ldap", "mail", "--address", "192.0.2.10"]);
    files.answers(0, &["restore", "stork", "--server-root", root, "--ldap", "mail"]);
    assert_eq!(files.content(root), snapshot);
}

#[test]
fn what_is_no_text_is_told_with_its_line_and_left() {
    let files = Files::with(&ServerRoot::seed());
    fs_err::write(
        files.path(SLAPD),
        "# port\nport 389\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    )
    .unwrap();
    let before = files.snapshot("/opt");
    let said = stderr(&files.answers(2, SET));
    assert!(
        said.contains("slapd.conf:1: a NUL byte: this is no text (convert the file with iconv)"),
        "{said}"
    );
    assert!(files.snapshot("/opt") == before);
}
