//! Where Dovecot listens by its files.

use super::*;

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
            "protocols = pop3\nssl = no\nlisten = 192.0.2.9\nlisten = 192.0.2.10, $listen\n",
            &["pop3 192.0.2.10 110 dovecot.conf:1", "pop3 192.0.2.9 110 dovecot.conf:1"],
        ),
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
    for value in ["$listen, 192.0.2.10", "192.0.2.9 $listen,", "$listen\t192.0.2.10"] {
        let text = format!("protocols = imap\nlisten = 192.0.2.9\nlisten = {value}\n");
        let says = "dovecot.conf:3: Dovecot has no variable '$listen";
        fails(layout, &[("msg-a/dovecot/dovecot.conf", &text)], crate::Exit::Usage, says);
    }
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
