//! Records from another command: taken whole, or not at all.

use super::{Files, STORK, code, stderr};

#[test]
fn what_list_prints_add_takes_on_the_other_node() {
    let (here, there) = (Files::new(), Files::new());
    here.run(STORK);
    let added = there.feed(&["add", "-"], &here.run(&["list"]).stdout);
    assert_eq!(code(&added), 0);
    assert_eq!(here.read("/etc/msgregistry.inf"), there.read("/etc/msgregistry.inf"));
}

#[test]
fn a_line_that_is_no_record_is_an_error_with_its_number_and_changes_nothing() {
    let files = Files::new();
    let good = files.run(STORK);
    assert_eq!(code(&good), 0);
    let line = files.run(&["list"]).stdout;
    let mut stdin = b"{\"schema\":\"ims.answer/1\",\"host\":\"x\"}\n".to_vec();
    stdin.extend(String::from_utf8(line).unwrap().replace("stork", "heron").bytes());
    let mut torn = stdin.clone();
    torn.extend(b"{\"schema\":\"ims.inst");
    let before = files.read("/etc/msgregistry.inf");
    let output = files.feed(&["add", "-"], &torn);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("stdin:1: ims.answer/1 records are passed over"), "{}", stderr(&output));
    assert!(stderr(&output).contains("stdin:3: not JSON"), "{}", stderr(&output));
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
    assert_eq!(code(&files.feed(&["add", "-"], &stdin)), 0);
}

#[test]
fn what_a_failed_run_or_another_version_prints_is_not_taken_for_the_whole() {
    let files = Files::new();
    files.run(STORK);
    let listed = String::from_utf8(files.run(&["list"]).stdout).unwrap().replace("stork", "heron");
    let failed = r#"{"schema":"ims.fail/1","host":"mail-2","exit":3,"status":"unknown","message":"no disk"}"#;
    let newer = listed.replace("ims.instance/1", "ims.instance/2");
    let before = files.read("/etc/msgregistry.inf");
    for (stdin, status, told) in [
        (
            format!("{failed}\n{listed}").as_bytes(),
            3,
            "stdin:1: the command before this one failed on mail-2: no disk",
        ),
        (
            newer.as_bytes(),
            2,
            "stdin:1: a record of another version: ims.instance/2 (this is for ims.instance/1)",
        ),
        (b"\n\xff\xfe{}\n", 2, "stdin:2: not JSON"),
    ] {
        let output = files.feed(&["add", "-"], stdin);
        assert_eq!(code(&output), status, "{}", stderr(&output));
        assert!(stderr(&output).starts_with(&format!("ims-registry: {told}")), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    assert_eq!(files.read("/etc/msgregistry.inf"), before);
}

#[test]
fn a_pipe_cannot_bring_an_entry_that_the_registry_could_not_hold() {
    let files = Files::new();
    for root in ["relative", "/x/../y", "/x\\n[evil]\\nlayout = iplanet-5\\nroot = /y"] {
        let record = format!(
            "{{\"schema\":\"ims.instance/1\",\"host\":\"x\",\"name\":\"stork\",\"layout\":\"iplanet-5\",\"root\":\"{root}\"}}\n"
        );
        let output = files.feed(&["add", "-"], record.as_bytes());
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains("stdin:1: "), "{}", stderr(&output));
        assert_eq!(files.read("/etc/msgregistry.inf"), None);
    }
}
