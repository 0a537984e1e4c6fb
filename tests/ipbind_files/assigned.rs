//! `restore` of an instance whose Job Controller got another port by `ims-portcheck assign`.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use super::Files;
use super::seed::{JOB_CONTROLLER, ROOT};
use crate::support::mail::ServerRoot;

/// Gives each Job Controller a port of its own. What else collides, for not every instance is bound, is a no.
#[track_caller]
fn assign(files: &Files) {
    let mut command = Command::new(cargo_bin!("ims-portcheck"));
    let output = command.args(["assign", "--root"]).arg(files.0.path()).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
}

#[test]
fn a_restore_gives_back_what_was_before_the_first_of_set_and_assign_in_either_order() {
    let files = Files::with(&ServerRoot::seed());
    let entry = |name, address| format!("[{name}]\nlayout = iplanet-5\nroot = {ROOT}\naddress = {address}\n");
    let both = [entry("mail-1", "10.0.37.10"), entry("mail-2", "10.0.37.11")].concat();
    files.write("/etc/msgregistry.inf", &both);
    let theirs = JOB_CONTROLLER.replace("mail-1", "mail-2");
    files.edit(&theirs, "27443", "27442");
    let before = files.content(ROOT);
    let set = |files: &Files| drop(files.answers(0, &["set", "mail-2"]));
    for (name, steps) in [
        ("assign alone", &[assign as fn(&Files)][..]),
        ("set first", &[set, assign]),
        ("assign first", &[assign, set]),
        ("set on both sides", &[set, assign, set]),
    ] {
        for (n, step) in steps.iter().enumerate() {
            step(&files);
            let has_moved = steps[..=n].iter().any(|step| std::ptr::fn_addr_eq(*step, assign as fn(&Files)));
            assert_eq!(files.read(&theirs).contains("27443"), has_moved, "{name}: step {n}");
        }
        assert!(files.is_there(&format!("{theirs}.pre-ha")), "{name}");
        files.answers(0, &["restore", "mail-2"]);
        assert!(files.content(ROOT) == before, "{name}: something is not as it was");
        files.answers(0, &["restore", "mail-2"]);
        assert!(files.content(ROOT) == before, "{name}: a second restore has nothing to give back");
    }
}
