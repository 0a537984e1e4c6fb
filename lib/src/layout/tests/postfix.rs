//! Where Postfix listens by its files.

use super::*;

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
