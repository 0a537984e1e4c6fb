//! The `messaging-6` layout: one instance a root, and no directory server.

use super::{Files, changes, records, stderr};
use crate::support::mail::{Mail, ServerRoot};

const ROOT: &str = "/opt/mail-1/SUNWmsgsr";
const SET: &[&str] = &["set", "mail-1", "--address", "10.0.37.10", "--server-root", ROOT];

fn laid() -> Files {
    Files::with(&ServerRoot::messaging6(ROOT, Mail::new("mail-1", "ldap://10.0.37.10:389/")))
}

fn config(name: &str) -> String {
    format!("{ROOT}/config/{name}")
}

#[test]
fn three_settings_are_made_and_given_back() {
    let files = laid();
    let before = files.content("/");
    let [dispatcher, job_controller] = ["dispatcher.cnf", "job_controller.cnf"].map(config);
    let old = [&dispatcher, &job_controller].map(|file| files.read(file));
    let all = |changed: bool| {
        [dispatcher.clone(), job_controller.clone(), format!("{ROOT}/sbin/configutil")]
            .map(|file| (file, changed))
            .to_vec()
    };
    assert_eq!(changes(&files.answers(0, SET)), all(true));
    let live = "!INTERFACE_ADDRESS=\nINTERFACE_ADDRESS=10.0.37.10\n";
    assert_eq!(files.read(&dispatcher), old[0].replacen("!INTERFACE_ADDRESS=\n", live, 2));
    assert!(files.read(&job_controller).contains("\nINTERFACE_ADDRESS=10.0.37.10\n!\n[POOL=DEFAULT]"));
    assert!(files.read(&config("msg.conf")).contains("service.listenaddr = 10.0.37.10\n"));
    assert!(files.is_there(&config("ims-ipbind.pre-ha")), "it is with the volume");
    assert_eq!(changes(&files.answers(0, SET)), all(false));

    files.write(
        "/etc/msgregistry.inf",
        &format!("[mail-1]\nlayout = messaging-6\nroot = {ROOT}\naddress = 10.0.37.10\n"),
    );
    let shown = records(&files.answers(0, &["show", "mail-1"]));
    assert_eq!(shown.len(), 5, "{shown:?}");
    assert!(shown.iter().all(|record| record["address"] == "10.0.37.10"));
    files.answers(0, &["restore", "mail-1"]);
    fs_err::remove_file(files.path("/etc/msgregistry.inf")).unwrap();
    fs_err::remove_dir_all(files.path("/run")).unwrap();
    assert_eq!(files.content("/"), before);
}

#[test]
fn what_it_cannot_have_is_refused_and_what_is_elsewhere_is_unknown() {
    let files = laid();
    let output = files.answers(2, &[SET, &["--ldap", "elenchus"]].concat());
    assert!(stderr(&output).contains("messaging-6 has no directory server below its root"), "{output:?}");
    files.write("/etc/msgregistry.inf", &format!("[m]\nlayout = messaging-6\nroot = {ROOT}\nldap = x\n"));
    let output = files.answers(2, &["show", "m"]);
    assert!(stderr(&output).contains("msgregistry.inf:1: m: messaging-6 has no directory"), "{output:?}");
    fs_err::remove_file(files.path("/etc/msgregistry.inf")).unwrap();
    fs_err::rename(files.path(ROOT).join("config"), files.path(ROOT).join("away")).unwrap();
    let output = files.answers(3, SET);
    assert!(stderr(&output).contains("SUNWmsgsr/config is not there (another node"), "{output:?}");
}
