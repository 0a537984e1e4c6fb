//! What cannot be found out is neither yes nor no, and what keeps it to itself is named.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::seed::{CONFIGUTIL, RESTORE, ROOT, SET, and};
use super::{Files, records, stderr, stdout};
use crate::support::mail::{Mail, ServerRoot};

const SHOW: &[&str] = &["show", "mail-1", "--ldap", "elenchus", "--server-root", ROOT];

#[test]
fn a_folder_that_may_not_be_entered_is_not_an_empty_one() {
    let bare = ["set", "mail-1", "--address", "10.0.37.10", "--server-root", ROOT];
    let dry = and(SET, &["-n"]);
    let of_the_seed = [&dry[..], SHOW, &bare[..], SET, RESTORE];
    let other = "/global/ims/server5";
    let show = ["show", "stork", "--server-root", other];
    let set = ["set", "stork", "--server-root", other, "--address", "192.0.2.10"];
    let laid = [&show[..], &["--layout", "postfix-dovecot"]].concat();
    let of_the_other = [&show[..], &set[..], &laid[..]];
    let stork = ServerRoot::postfix_dovecot(other).mail(Mail::new("stork", "ldap://192.0.2.10:389/"));
    for (root, folder, instance, all) in [
        (ServerRoot::seed(), ROOT, "msg-mail-1", &of_the_seed[..]),
        (stork, other, "msg-stork", &of_the_other[..]),
    ] {
        let files = Files::with(&root);
        for closed in [folder.to_owned(), format!("{folder}/{instance}")] {
            let path = files.path(&closed);
            let open = fs_err::metadata(&path).unwrap().permissions();
            fs_err::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
            // Those that are told the layout come as far as the lock, which root alone can take.
            let all = all
                .iter()
                .filter(|args| closed == folder || !args.ends_with(SET) && !args.ends_with(RESTORE));
            for args in all {
                let output = files.run_as_nobody(args);
                let told = stderr(&output);
                assert_eq!(output.status.code(), Some(3), "{closed}: {args:?}: {told}");
                let last = told.lines().last().unwrap();
                assert!(last.contains(folder), "{closed}: {args:?}: {told}");
                assert!(last.ends_with(": Permission denied (run as root)"), "{closed}: {args:?}: {told}");
            }
            fs_err::set_permissions(&path, open).unwrap();
        }
    }
}

/// The `bound` of each record.
fn bound(files: &Files, status: i32, args: &[&str]) -> Vec<Value> {
    records(&files.answers(status, args)).iter().map(|record| record["bound"].clone()).collect()
}

#[test]
fn what_is_bound_is_unknown_where_no_logical_address_is_and_what_is_open_is_a_no_all_the_same() {
    let files = Files::with(&ServerRoot::seed());
    assert_eq!(bound(&files, 1, SHOW), vec![Value::Bool(false); 6]);
    files.answers(0, SET);
    assert_eq!(bound(&files, 3, SHOW), vec![Value::Null; 6]);
    let table = files.answers(3, &and(SHOW, &["-o", "table"]));
    assert!(stdout(&table).lines().nth(1).unwrap().contains(" unknown "), "{}", stdout(&table));
    assert!(stderr(&table).contains("mail-1: its logical address is not known; add --address ADDRESS"));
    assert_eq!(bound(&files, 0, &and(SHOW, &["--address", "10.0.37.10"])), vec![Value::Bool(true); 6]);
    assert_eq!(bound(&files, 1, &and(SHOW, &["--address", "10.0.37.11"])), vec![Value::Bool(false); 6]);

    // The same holds for where mail leaves from.
    let root = "/global/ims/server5";
    let stork = Mail::new("stork", "ldap://192.0.2.10:389/");
    let files = Files::with(&ServerRoot::postfix_dovecot(root).mail(stork));
    files.answers(0, &["set", "stork", "--server-root", root, "--address", "192.0.2.10"]);
    let output = files.answers(3, &["show", "stork", "--server-root", root]);
    let sent: Vec<Value> =
        records(&output).into_iter().filter(|record| record["address"] == "192.0.2.10").collect();
    assert!(sent.iter().any(|record| record["schema"] == "ims.outbound/1"), "{sent:?}");
    assert!(sent.iter().all(|record| record["bound"].is_null()), "{sent:?}");
}

#[test]
fn one_deadline_holds_for_all_that_a_message_store_is_asked() {
    let files = Files::with(&ServerRoot::seed());
    let real = files.read(CONFIGUTIL);
    // It takes its time with each question, and none of them takes too long alone.
    files.script(CONFIGUTIL, &real.replacen("set -eu\n", "set -eu\nsleep 0.2\n", 1));
    let started = Instant::now();
    let output = files.answers(3, &and(SHOW, &["--timeout", "500ms"]));
    let told = stderr(&output);
    assert!(told.contains("cannot tell service.") && told.contains("of mail-1: "), "{told}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    files.answers(1, SHOW);
}
