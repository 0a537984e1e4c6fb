//! Where the servers of the iPlanet line listen by their files and their store.

use super::*;

const STORE: &str = "#!/bin/sh\ncase $2 in service.listenaddr) echo 10.0.37.10 ;; service.pop.enable) echo no ;;\n\
                     service.imap.enablesslport | service.http.enable) echo yes ;; service.http.port) echo 8990 ;; esac\n";

#[test]
fn the_iplanet_servers_listen_where_their_files_and_their_store_say() {
    let dispatcher = "INTERFACE_ADDRESS=10.0.37.9\n[SERVICE=SMTP]\nport=25,16%1A\ntls_port=465\ninterface_address = 10.0.37.10\n\
                      [SERVICE=SMTP_SUBMIT]\n[SERVICE=LMTPSS]\nPORT=225\n![SERVICE=X]\n!PORT=1\n[SERVICE=Y]\nIMAGE=z\n";
    let slapd = "port 1389\nsecurity on\nsecure-port\t1636\n";
    let files = [
        ("msg-a/imta/config/dispatcher.cnf", dispatcher),
        ("msg-a/imta/config/job_controller.cnf", "secret=x\n[POOL=P]\ntcp_port=1\n"),
        ("msg-a/configutil", STORE),
        ("slapd-d/config/slapd.conf", slapd),
    ];
    assert_eq!(
        told(Layout::Iplanet5, &files).unwrap(),
        [
            "smtp 10.0.37.10 25 dispatcher.cnf:3",
            "smtp 10.0.37.10 26 dispatcher.cnf:3",
            "smtps 10.0.37.10 465 dispatcher.cnf:4",
            "submission 10.0.37.9 587 dispatcher.cnf:6",
            "lmtp 10.0.37.9 225 dispatcher.cnf:8",
            "job_controller 0.0.0.0 27442 job_controller.cnf",
            "imap 10.0.37.10 143 configutil",
            "imaps 10.0.37.10 993 configutil",
            "http 10.0.37.10 8990 configutil",
            "ldap 0.0.0.0 1389 slapd.conf:1",
            "ldaps 0.0.0.0 1636 slapd.conf:3"
        ]
    );
    let six = [
        ("config/dispatcher.cnf", "[SERVICE=SMTP]\nINTERFACE_ADDRESS=10.0.37.9\n"),
        ("config/job_controller.cnf", "tcp_port=1\n"),
        ("sbin/configutil", STORE),
        ("msg-a/x", ""),
    ];
    assert_eq!(
        told(Layout::Messaging6, &six).unwrap()[..3],
        [
            "smtp 10.0.37.9 25 dispatcher.cnf:1",
            "job_controller 0.0.0.0 1 job_controller.cnf:1",
            "imap 10.0.37.10 143 configutil"
        ]
    );
    let with = |path, text| {
        let mut files = files;
        for file in &mut files {
            if file.0 == path {
                file.1 = text;
            }
        }
        files
    };
    let port = "[SERVICE=SMTP]\nPORT=x25\n";
    fails(
        Layout::Iplanet5,
        &with("msg-a/imta/config/dispatcher.cnf", port),
        crate::Exit::Usage,
        "dispatcher.cnf:2: not a port: 'x25'",
    );
    let large = "tcp_port=65536\n";
    fails(
        Layout::Iplanet5,
        &with("msg-a/imta/config/job_controller.cnf", large),
        crate::Exit::Usage,
        "job_controller.cnf:1: not a port",
    );
    for file in ["msg-a/imta/config/dispatcher.cnf", "msg-a/imta/config/job_controller.cnf"] {
        fails(
            Layout::Iplanet5,
            &with(file, "! site\n<site.cnf\n"),
            crate::Exit::Unknown,
            &format!("{file}:2: what is included here may name more ports"),
        );
    }
    fails(
        Layout::Iplanet5,
        &with("msg-a/configutil", "#!/bin/sh\ncase $2 in service.pop.enable) echo maybe ;; esac\n"),
        crate::Exit::Unknown,
        "configutil: service.pop.enable is neither yes nor no: 'maybe'",
    );
    let broken = "#!/bin/sh\necho no directory >&2; exit 1\n";
    fails(
        Layout::Iplanet5,
        &with("msg-a/configutil", broken),
        crate::Exit::Unknown,
        "configutil: no directory",
    );
    fails(
        Layout::Iplanet5,
        &files[1..],
        crate::Exit::Unknown,
        "dispatcher.cnf is not there (another node may master its volume)",
    );
}

#[test]
fn a_store_that_says_neither_yes_nor_no_is_unknown() {
    let tool = "#!/bin/sh\ncase $2 in *enable) echo ERROR: no directory ;; *) echo ;; esac\n";
    let files = [
        ("msg-a/imta/config/dispatcher.cnf", "[SERVICE=SMTP]\n"),
        ("msg-a/imta/config/job_controller.cnf", ""),
        ("msg-a/configutil", tool),
    ];
    fails(Layout::Iplanet5, &files, crate::Exit::Unknown, "neither yes nor no: 'error: no directory'");
}
