//! The command lines that change something, a row each.

use super::hosts::{
    ENTRY, REGISTRY, ROOT, ROOT_6, SEED_ROOT, directory_server_5, job_controllers, messaging6,
    postfix_dovecot, registered, seed,
};
use super::lab::Lab;

/// A command line that changes something.
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// Lays the host out.
    pub lay: fn(&Lab),
    /// The folder that it works in, where its owner may plant what he likes.
    pub root: &'static str,
    /// What is read on stdin.
    pub stdin: &'static str,
    /// The command line.
    pub words: &'static [&'static str],
    /// The command line that leads back to what was laid out, from anywhere on the way, where there is one.
    pub back: Option<&'static [&'static str]>,
}

/// Stands in a command line for the name of this node.
pub const THIS_NODE: &str = "THIS-NODE";

/// Whether a directory server runs is asked of every process of the node, which takes longer than all the rest.
const UNASKED: &str = "--force-slapd-running";
const SEED_SET: &[&str] = &[
    "ims-ipbind",
    "set",
    "mail-1",
    "--address",
    "10.0.37.10",
    "--ldap",
    "elenchus",
    "--server-root",
    SEED_ROOT,
    "--layout",
    "iplanet-5",
    UNASKED,
];
const SEED_RESTORE: &[&str] = &[
    "ims-ipbind",
    "restore",
    "mail-1",
    "--ldap",
    "elenchus",
    "--server-root",
    SEED_ROOT,
    "--layout",
    "iplanet-5",
    UNASKED,
];
const DSE_SET: &[&str] = &["ims-ipbind", "set", "elenchus", "--address", "10.0.37.10", UNASKED];
const DSE_RESTORE: &[&str] = &["ims-ipbind", "restore", "elenchus", UNASKED];
const SET_6: &[&str] = &["ims-ipbind", "set", "mail-1", "--address", "10.0.37.10"];
const RESTORE_6: &[&str] = &["ims-ipbind", "restore", "mail-1"];
const SET: &[&str] =
    &["ims-ipbind", "set", "stork", "--address", "192.0.2.10", "--ldap", "mail", "--server-root", ROOT];
const RESTORE: &[&str] = &["ims-ipbind", "restore", "stork", "--ldap", "mail", "--server-root", ROOT];
const ADD: &[&str] = &[
    "ims-registry",
    "add",
    "stork",
    "--layout",
    "postfix-dovecot",
    "--server-root",
    ROOT,
    "--address",
    "192.0.2.10",
];
const ETC: &str = "/etc";

/// What another node replicates.
const SENT: &str = r#"{"schema":"ims.instance/1","host":"x","name":"stork","layout":"postfix-dovecot","root":"/global/ims/server5","addresses":["192.0.2.11"]}
{"schema":"ims.instance/1","host":"x","name":"shrike","layout":"postfix-dovecot","root":"/global/two","addresses":["192.0.2.12"]}
"#;

/// Every row; a new command that changes something is a new one.
pub const ROWS: &[Row] = &[
    Row {
        name: "ipbind set, iplanet-5",
        lay: seed,
        root: SEED_ROOT,
        stdin: "",
        words: SEED_SET,
        back: Some(SEED_RESTORE),
    },
    Row {
        name: "ipbind ask, iplanet-5",
        lay: seed,
        root: SEED_ROOT,
        stdin: "10.0.37.10\n/opt/iplanet/server5\nmail-1\nno\nno\n",
        words: &["ims-ipbind", "ask", UNASKED],
        back: Some(&[
            "ims-ipbind",
            "restore",
            "mail-1",
            "--server-root",
            SEED_ROOT,
            "--layout",
            "iplanet-5",
            UNASKED,
        ]),
    },
    Row {
        name: "ipbind set, iplanet-5, a file to be made",
        lay: |lab| {
            seed(lab);
            fs_err::remove_file(lab.path("/opt/iplanet/server5/msg-mail-1/imta/config/job_controller.cnf"))
                .unwrap();
        },
        root: SEED_ROOT,
        stdin: "",
        words: SEED_SET,
        back: Some(SEED_RESTORE),
    },
    Row {
        name: "ipbind set, iplanet-5, bound to another address before",
        lay: |lab| {
            seed(lab);
            lab.run(SEED_SET, "lay out");
        },
        root: SEED_ROOT,
        stdin: "",
        words: &[
            "ims-ipbind",
            "set",
            "mail-1",
            "--address",
            "10.0.37.11",
            "--ldap",
            "elenchus",
            "--server-root",
            SEED_ROOT,
            "--layout",
            "iplanet-5",
            UNASKED,
        ],
        back: Some(SEED_SET),
    },
    Row {
        name: "ipbind restore, iplanet-5",
        lay: |lab| {
            seed(lab);
            lab.run(SEED_SET, "lay out");
        },
        root: SEED_ROOT,
        stdin: "",
        words: SEED_RESTORE,
        back: Some(SEED_SET),
    },
    Row {
        name: "ipbind set, dse.ldif",
        lay: directory_server_5,
        root: SEED_ROOT,
        stdin: "",
        words: DSE_SET,
        back: Some(DSE_RESTORE),
    },
    Row {
        name: "ipbind restore, dse.ldif",
        lay: |lab| {
            directory_server_5(lab);
            lab.run(DSE_SET, "lay out");
        },
        root: SEED_ROOT,
        stdin: "",
        words: DSE_RESTORE,
        back: Some(DSE_SET),
    },
    Row {
        name: "ipbind set, messaging-6",
        lay: messaging6,
        root: ROOT_6,
        stdin: "",
        words: SET_6,
        back: Some(RESTORE_6),
    },
    Row {
        name: "ipbind restore, messaging-6",
        lay: |lab| {
            messaging6(lab);
            lab.run(SET_6, "lay out");
        },
        root: ROOT_6,
        stdin: "",
        words: RESTORE_6,
        back: Some(SET_6),
    },
    Row {
        name: "ipbind set, postfix-dovecot",
        lay: postfix_dovecot,
        root: ROOT,
        stdin: "",
        words: SET,
        back: Some(RESTORE),
    },
    Row {
        name: "ipbind restore, postfix-dovecot",
        lay: |lab| {
            postfix_dovecot(lab);
            lab.run(SET, "lay out");
        },
        root: ROOT,
        stdin: "",
        words: RESTORE,
        back: Some(SET),
    },
    Row {
        name: "registry add, the first",
        lay: |_| {},
        root: ETC,
        stdin: "",
        words: ADD,
        back: Some(&["ims-registry", "remove", "stork"]),
    },
    Row {
        name: "registry add, a change",
        lay: registered,
        root: ETC,
        stdin: "",
        words: &["ims-registry", "add", "stork", "--address", "192.0.2.11"],
        back: Some(&["ims-registry", "add", "stork", "--address", "192.0.2.10"]),
    },
    Row {
        name: "registry import",
        lay: |lab| {
            postfix_dovecot(lab);
            lab.write("/etc/nsserver.cfg", "/global/ims/server5\n");
        },
        root: ROOT,
        stdin: "",
        words: &["ims-registry", "import"],
        back: Some(&["ims-registry", "remove", "stork"]),
    },
    Row {
        name: "registry receive, a new one and a change",
        lay: registered,
        root: ETC,
        stdin: SENT,
        words: &["ims-registry", "receive", THIS_NODE, "--count=2", "--force-replace"],
        back: Some(&["ims-registry", "remove", "shrike"]),
    },
    Row {
        name: "registry remove, one of two",
        lay: |lab| {
            lab.write(
                REGISTRY,
                &format!("{ENTRY}\n[shrike]\nlayout = postfix-dovecot\nroot = /global/two\n"),
            );
        },
        root: ETC,
        stdin: "",
        words: &["ims-registry", "remove", "stork"],
        back: None,
    },
    Row {
        name: "registry remove, the last",
        lay: registered,
        root: ETC,
        stdin: "",
        words: &["ims-registry", "remove", "stork"],
        back: None,
    },
    Row {
        name: "portcheck assign, two instances",
        lay: job_controllers,
        root: SEED_ROOT,
        stdin: "",
        words: &["ims-portcheck", "assign"],
        back: None,
    },
];
