//! The layouts on files as servers have them; what the kernel makes of them is tested with the real servers.

use std::path::Path;

use super::*;
use crate::name::InstanceName;

const ROOT: &str = "/srv/ims";

/// A host with files below `/srv/ims`, and an instance `a` with a directory server `d` on it.
fn host(layout: Layout, files: &[(&str, &str)]) -> (tempfile::TempDir, Host, Instance) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = if path.starts_with('/') { PathBuf::from(path) } else { Path::new(ROOT).join(path) };
        let path = folder.path().join(path.strip_prefix("/").unwrap());
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        file::replace(&path, text.as_bytes()).unwrap();
        if path.ends_with("configutil") {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs_err::set_permissions(&path, mode).unwrap();
        }
    }
    let host = Host::below(folder.path());
    let name: InstanceName = "a".parse().unwrap();
    let ldap = files.iter().any(|(path, _)| path.starts_with("slapd-d")).then(|| "d".parse().unwrap());
    let mail = files.iter().any(|(path, _)| path.starts_with("msg-a"));
    (folder, host, Instance { name, layout, root: ROOT.into(), addresses: Vec::new(), ldap, mail })
}

/// Each listener as `service bind port file:line`, the server root left out.
fn told(layout: Layout, files: &[(&str, &str)]) -> Result<Vec<String>, Fail> {
    let (_folder, host, instance) = host(layout, files);
    let bind = |bind| match bind {
        Bind::Any => "*".to_owned(),
        Bind::AnyV4 => "0.0.0.0".to_owned(),
        Bind::AnyV6 => "::".to_owned(),
        Bind::One(ip) => ip.to_string(),
    };
    let line = |found: Listener| {
        let at = found.at.to_string();
        let at = at.rsplit('/').next().unwrap_or_default();
        format!("{} {} {} {at}", found.service.word(), bind(found.bind), found.port)
    };
    listeners(&host, &instance).map(|found| found.into_iter().map(line).collect())
}

fn fails(layout: Layout, files: &[(&str, &str)], exit: crate::Exit, says: &str) {
    let fail = told(layout, files).unwrap_err();
    assert_eq!(fail.exit(), exit, "{fail}");
    assert!(fail.to_string().contains(says), "{fail}");
}

const SMTP: &str = "smtp inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n";

#[test]
fn postfix_listens_with_each_inet_service_on_every_interface_it_has() {
    let postfix = |main, master| {
        told(Layout::PostfixDovecot, &[("msg-a/postfix/main.cf", main), ("msg-a/postfix/master.cf", master)])
            .unwrap()
    };
    for (main, wanted) in [
        ("", &["smtp * 25 master.cf:1"][..]),
        ("inet_protocols = ipv4\n", &["smtp 0.0.0.0 25 master.cf:1"]),
        ("inet_protocols = ipv6\n", &["smtp :: 25 master.cf:1"]),
        ("inet_interfaces = loopback-only\n", &["smtp 127.0.0.1 25 master.cf:1", "smtp ::1 25 master.cf:1"]),
        ("inet_interfaces = loopback-only\ninet_protocols = ipv4\n", &["smtp 127.0.0.1 25 master.cf:1"]),
        (
            "a = 192.0.2.10\ninet_interfaces = $a,\n  [2001:db8::10]\n",
            &["smtp 192.0.2.10 25 master.cf:1", "smtp 2001:db8::10 25 master.cf:1"],
        ),
        ("master_service_disable = unix, smtp/inet\n", &[]),
        ("master_service_disable = !smtp/inet, inet\n", &["smtp * 25 master.cf:1"]),
    ] {
        assert_eq!(postfix(main, SMTP), wanted, "{main}");
    }
    let services = "587 inet n - n - - smtpd\n192.0.2.9:465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n\
                    [::1]:qmqp inet n - n - - qmqpd\nsmtp pass - - n - - smtpd\n0.0.0.0:2525 inet n - n - 1 postscreen\n";
    let services = services.replace("qmqp ", "628 ");
    assert_eq!(
        postfix("inet_interfaces = 192.0.2.10\n", &services),
        [
            "submission 192.0.2.10 587 master.cf:1",
            "smtps 192.0.2.9 465 master.cf:2",
            "other ::1 628 master.cf:4",
            "smtp 0.0.0.0 2525 master.cf:6"
        ]
    );
}

#[test]
fn a_name_is_looked_up_in_files_and_is_unknown_when_it_is_not_there() {
    let files = |main| {
        [
            ("/etc/hosts", "192.0.2.10 mail.example.test mail # ours\n2001:db8::10 mail\n"),
            ("/etc/services", "relay 2526/tcp alias\n"),
            ("msg-a/postfix/main.cf", main),
            ("msg-a/postfix/master.cf", "alias inet n - n - - smtpd\n"),
        ]
    };
    let wanted = ["smtp 192.0.2.10 2526 master.cf:1", "smtp 2001:db8::10 2526 master.cf:1"];
    assert_eq!(told(Layout::PostfixDovecot, &files("inet_interfaces = MAIL\n")).unwrap(), wanted);
    let layout = Layout::PostfixDovecot;
    fails(
        layout,
        &files("x = y\ninet_interfaces = other\n"),
        crate::Exit::Unknown,
        "main.cf:2: 'other' is not in /etc/hosts",
    );
    fails(
        layout,
        &files("inet_interfaces = ${x?y}\n"),
        crate::Exit::Unknown,
        "main.cf:1: cannot tell what inet_interfaces",
    );
    let moved = [
        ("/etc/services", "smtp 2525/tcp mail\n"),
        ("msg-a/postfix/main.cf", "inet_interfaces = 192.0.2.10\n"),
        ("msg-a/postfix/master.cf", SMTP),
    ];
    assert_eq!(told(layout, &moved).unwrap(), ["smtp 192.0.2.10 2525 master.cf:1"], "as Postfix reads it");
    let no_port =
        [("msg-a/postfix/main.cf", ""), ("msg-a/postfix/master.cf", "nobody inet n - n - - smtpd\n")];
    fails(layout, &no_port, crate::Exit::Usage, "master.cf:1: no port is known for 'nobody'");
    fails(layout, &[("msg-a/postfix/main.cf", "")], crate::Exit::Unknown, "master.cf is not there");
}

#[test]
fn dovecot_listens_for_the_protocols_it_has_where_the_last_word_says() {
    let dovecot = |text| {
        told(
            Layout::PostfixDovecot,
            &[("msg-a/dovecot/dovecot.conf", text), ("msg-a/dovecot/conf.d/10.conf", "ssl = no\n")],
        )
        .unwrap()
    };
    for (text, wanted) in [
        ("", &[][..]),
        ("protocols = imap lmtp\n", &["imap * 143 dovecot.conf:1", "imaps * 993 dovecot.conf:1"]),
        ("protocols = pop3\n!include conf.d/*.conf\n", &["pop3 * 110 dovecot.conf:1"]),
        (
            "protocols = pop3\n!include_try no.conf\nssl=no\nlisten = 192.0.2.9\nlisten = 192.0.2.10, ::\n",
            &["pop3 192.0.2.10 110 dovecot.conf:1", "pop3 :: 110 dovecot.conf:1"],
        ),
        ("protocols = pop3\nssl = no\nlisten = $listen\n", &["pop3 * 110 dovecot.conf:1"]),
        (
            "protocols = imap\nprotocols = \"$protocols\"\nprotocols = $protocols pop3\nssl = no\n",
            &["pop3 * 110 dovecot.conf:3"],
        ),
        (
            "protocols = imap\nprotocols = $protocols pop3\nssl = no\nlisten=*\n",
            &["imap 0.0.0.0 143 dovecot.conf:2", "pop3 0.0.0.0 110 dovecot.conf:2"],
        ),
        (
            "protocols = imap\nservice imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n    address = 192.0.2.10\n  }\n}\n\
             service auth {\n  inet_listener {\n    port = 999\n  }\n}\nservice lmtp {\n  inet_listener x {\n    port = 24\n  }\n}\n",
            &["other * 999 dovecot.conf:12", "imaps 192.0.2.10 993 dovecot.conf:7"],
        ),
        (
            "protocols = imap submission sieve\nssl = no\nlisten = 127.0.0.1\n",
            &[
                "imap 127.0.0.1 143 dovecot.conf:1",
                "other 127.0.0.1 4190 dovecot.conf:1",
                "submission 127.0.0.1 587 dovecot.conf:1",
            ],
        ),
    ] {
        assert_eq!(dovecot(text), wanted, "{text}");
    }
    let layout = Layout::PostfixDovecot;
    let quoted = "protocols = imap\nlisten = 192.0.2.9\nlisten = \"$listen\"\n";
    fails(
        layout,
        &[("msg-a/dovecot/dovecot.conf", quoted)],
        crate::Exit::Unknown,
        "dovecot.conf:1: '$listen' is not in /etc/hosts",
    );
    fails(
        layout,
        &[("msg-a/dovecot/dovecot.conf", "!include no.conf\n")],
        crate::Exit::Usage,
        "dovecot.conf:1: no.conf is not there",
    );
    for pattern in ["conf.d/[0-9]*.conf", "conf.d/1?.conf", "c*/10.conf", "conf.d/{10,20}.conf"] {
        let text = format!("!include_try {pattern}\n");
        let files = [("msg-a/dovecot/dovecot.conf", text.as_str()), ("msg-a/dovecot/conf.d/10.conf", "")];
        fails(layout, &files, crate::Exit::Unknown, "dovecot.conf:1: cannot tell which files");
    }
    fails(
        layout,
        &[("msg-a/dovecot/dovecot.conf", "!include dovecot.conf\n")],
        crate::Exit::Usage,
        "too deep",
    );
    fails(layout, &[("msg-a/dovecot/x", "")], crate::Exit::Unknown, "dovecot.conf is not there");
}

#[test]
fn openldap_listens_at_its_urls() {
    let slapd = |default: Option<&str>| {
        let mut files = vec![("slapd-d/slapd.conf", "database mdb\n")];
        files.extend(default.map(|text| ("slapd-d/default", text)));
        told(Layout::PostfixDovecot, &files)
    };
    assert_eq!(slapd(None).unwrap(), ["ldap * 389 default"]);
    assert_eq!(slapd(Some("SLAPD_SERVICES=\n")).unwrap(), ["ldap * 389 default"]);
    let urls = "# x\nSLAPD_SERVICES=\"ldap://192.0.2.10 ldaps://[2001:db8::10]:1636/ ldapi:/// LDAP://0.0.0.0/ ldaps:///\"\n";
    assert_eq!(
        slapd(Some(urls)).unwrap(),
        [
            "ldap 192.0.2.10 389 default:2",
            "ldaps 2001:db8::10 1636 default:2",
            "ldap 0.0.0.0 389 default:2",
            "ldaps * 636 default:2"
        ]
    );
    for (text, exit, says) in [
        ("SLAPD_SERVICES=\"ldap://$IP/\"\n", crate::Exit::Unknown, "default:1: SLAPD_SERVICES needs a shell"),
        ("SLAPD_SERVICES=x\n", crate::Exit::Usage, "default:1: not a listener URL: 'x'"),
        ("SLAPD_SERVICES=ldap://x:y/\n", crate::Exit::Usage, "not a listener URL"),
        ("SLAPD_SERVICES=http:///\n", crate::Exit::Usage, "slapd has no 'http' URLs"),
        ("SLAPD_SERVICES=ldap://other/\n", crate::Exit::Unknown, "'other' is not in /etc/hosts"),
    ] {
        let fail = slapd(Some(text)).unwrap_err();
        assert_eq!(fail.exit(), exit, "{fail}");
        assert!(fail.to_string().contains(says), "{fail}");
    }
}

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
fn an_empty_mount_point_tells_nothing_of_the_mail_servers() {
    let (_folder, host, instance) = host(Layout::PostfixDovecot, &[("lost+found/x", "")]);
    let instance = Instance { mail: true, ..instance };
    let told = "/srv/ims/msg-a has neither Postfix nor Dovecot (another node may master its volume)";
    for fail in
        [listeners(&host, &instance).unwrap_err(), programs(&host, &instance, Part::Mail).unwrap_err()]
    {
        assert_eq!((fail.exit(), fail.to_string().as_str()), (crate::Exit::Unknown, told));
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_absent() {
    let (folder, host, instance) = host(Layout::PostfixDovecot, &[("msg-a/x", "")]);
    let loops = |name: &str| std::os::unix::fs::symlink(name, folder.path().join("srv/ims/msg-a").join(name));
    for name in ["dovecot", "postfix"] {
        loops(name).unwrap();
        for fail in
            [listeners(&host, &instance).unwrap_err(), programs(&host, &instance, Part::Mail).unwrap_err()]
        {
            let told = fail.to_string();
            assert_eq!(fail.exit(), crate::Exit::Unknown, "{told}");
            let place = format!("/srv/ims/msg-a/{name}: Too many levels");
            assert!(told.starts_with("cannot look for ") && told.contains(&place), "{told}");
        }
        fs_err::remove_file(folder.path().join("srv/ims/msg-a").join(name)).unwrap();
    }
}

#[test]
fn openldap_says_in_all_of_its_files_where_its_pid_is() {
    let pid = |text: &str| {
        let files = [
            ("slapd-d/slapd.conf", text),
            ("/etc/ldap/inc.conf", "pidfile /run/inc.pid\n"),
            ("/etc/ldap/loop.conf", "include /etc/ldap/loop.conf\n"),
        ];
        let (_folder, host, instance) = host(Layout::PostfixDovecot, &files);
        openldap::program(&host, &instance)
            .map(|found| found.unwrap().pid_file.unwrap_or_default().display().to_string())
            .map_err(|fail| (fail.exit(), fail.to_string()))
    };
    for (text, wanted) in [
        ("pidfile /run/a\\\nb.pid\n", "/run/ab.pid"),
        ("pidfile /run/a.pid\ndatabase mdb\npidfile /run/b.pid\n", "/run/b.pid"),
        ("pidfile /run/a.pid\ninclude /etc/ldap/inc.conf\n", "/run/inc.pid"),
        ("include \"/etc/ldap/inc.conf\"\ndatabase mdb\npidfile /run/a.pid\n", "/run/a.pid"),
    ] {
        assert_eq!(pid(text).as_deref(), Ok(wanted), "{text}");
    }
    for (text, exit, says) in [
        ("include /etc/ldap/no.conf\n", crate::Exit::Unknown, "slapd.conf:1: /etc/ldap/no.conf is not there"),
        ("include inc.conf\n", crate::Exit::Unknown, "slapd.conf:1: cannot tell where inc.conf is"),
        (
            "include /etc/ldap/loop.conf\n",
            crate::Exit::Usage,
            "loop.conf:1: files include each other too deep",
        ),
    ] {
        let (told, words) = pid(text).unwrap_err();
        assert_eq!(told, exit, "{words}");
        assert!(words.contains(says), "{words}");
    }
}

#[test]
fn the_programs_are_described_as_they_are_typed() {
    let files = [
        ("msg-a/postfix/main.cf", "queue_directory = /srv/ims/msg-a/queue\n"),
        ("msg-a/postfix/master.cf", SMTP),
        (
            "msg-a/dovecot/dovecot.conf",
            "base_dir = /run/ims/a/dovecot\nservice lmtp {\n  unix_listener /run/ims/a/sockets/lmtp {\n    mode = 0600\n  }\n}\n",
        ),
        ("slapd-d/slapd.conf", "argsfile /run/ims/d/slapd/slapd.args\n"),
        (
            "slapd-d/default",
            "SLAPD_USER=openldap\nSLAPD_GROUP=\"openldap\"\nSLAPD_PIDFILE=/run/ims/d/slapd/slapd.pid\nSLAPD_SERVICES='ldap://192.0.2.10/'\nSLAPD_OPTIONS='-d 0'\n",
        ),
    ];
    let (folder, host, instance) = host(Layout::PostfixDovecot, &files);
    let lines = |part| -> Vec<String> {
        let root = folder.path().display().to_string();
        let line = |program: Program| {
            let folders: Vec<String> = program
                .folders
                .iter()
                .map(|(path, owner, mode)| format!("{} {owner} {mode:o}", path.display()))
                .collect();
            let pid = program.pid_file.unwrap_or_default().display().to_string();
            format!("{} | {pid} | {}", program.start.to_string().replace(&root, ""), folders.join(", "))
        };
        programs(&host, &instance, part).unwrap().into_iter().map(line).collect()
    };
    assert_eq!(
        lines(Part::Mail),
        [
            "/usr/sbin/dovecot -c /srv/ims/msg-a/dovecot/dovecot.conf | /run/ims/a/dovecot/master.pid | \
             /run/ims root 755, /run/ims/a root 755, /run/ims/a/dovecot root 755, /run/ims/a/sockets root 755",
            "/usr/lib/postfix/sbin/master -c /srv/ims/msg-a/postfix -w | /srv/ims/msg-a/queue/pid/master.pid | "
        ]
    );
    assert_eq!(
        lines(Part::Directory),
        [
            "/usr/sbin/slapd -h ldap://192.0.2.10/ -f /srv/ims/slapd-d/slapd.conf -u openldap -g openldap -d 0 | \
          /run/ims/d/slapd/slapd.pid | /run/ims root 755, /run/ims/d root 755, /run/ims/d/slapd openldap 755"
        ]
    );
    let iplanet = Instance { layout: Layout::Iplanet5, ..instance };
    let msg = programs(&host, &iplanet, Part::Mail).unwrap().remove(0);
    assert_eq!(msg.start.words(), [host.path("/srv/ims/msg-a/start-msg").into_os_string()]);
    let Stop::Command(stop) = msg.stop else { panic!("{:?}", msg.stop) };
    assert_eq!(stop.words(), [host.path("/srv/ims/msg-a/stop-msg").into_os_string()]);
    let six = Instance { layout: Layout::Messaging6, ldap: None, ..iplanet };
    let msg = programs(&host, &six, Part::Mail).unwrap().remove(0);
    assert_eq!(msg.start.words(), [host.path("/srv/ims/sbin/start-msg").into_os_string()]);
    let Stop::Command(stop) = msg.stop else { panic!("{:?}", msg.stop) };
    assert_eq!(stop.words(), [host.path("/srv/ims/sbin/stop-msg").into_os_string()]);
    assert_eq!(programs(&host, &six, Part::Directory).unwrap(), []);
}

#[test]
fn a_mail_server_behind_a_link_to_nothing_is_unknown_and_not_missing() {
    let dovecot = [("msg-a/dovecot/dovecot.conf", "protocols = imap\nlisten = 192.0.2.10\n")];
    let postfix = [("msg-a/postfix/main.cf", ""), ("msg-a/postfix/master.cf", SMTP)];
    for (files, gone) in [(&dovecot[..], "postfix"), (&postfix[..], "dovecot")] {
        let (folder, host, instance) = host(Layout::PostfixDovecot, files);
        assert!(listeners(&host, &instance).is_ok(), "{gone} was never there");
        let link = folder.path().join("srv/ims/msg-a").join(gone);
        std::os::unix::fs::symlink("/mnt/not-mounted", link).unwrap();
        let fail = listeners(&host, &instance).unwrap_err();
        assert_eq!(fail.exit(), crate::Exit::Unknown, "{fail}");
        assert!(fail.to_string().contains("is a symbolic link to /mnt/not-mounted"), "{fail}");
    }
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
