//! TLS and STARTTLS with Postfix, Dovecot and `OpenLDAP` themselves.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::certificates::{Authority, DAY, GOOD, NAME, Wanted};
use super::real::{SLAPD, STORK, answers, serving, signal};
use super::verdict;
use crate::support::{Bed, Node, needs_root, until};

const PLAIN: [&str; 5] = ["imap", "ldap", "lmtp", "pop3", "smtp"];
const SECRET: [&str; 4] = ["imaps", "ldaps", "pop3s", "smtps"];

/// Has Dovecot take LMTP by TCP, and the servers do what is asked of them about TLS.
pub(super) fn configure(node: &Node, tls: bool) {
    let ssl =
        if tls { "yes\\nssl_cert = </srv/ims/tls/cert.pem\\nssl_key = </srv/ims/tls/key.pem" } else { "no" };
    let (imaps, pop3s) = if tls { (993, 995) } else { (0, 0) };
    node.sh(&format!(
        "cd {STORK}/dovecot
         [ -e plain.conf ] || cp dovecot.conf plain.conf
         sed -e 's!^ssl = no!ssl = {ssl}!' \
             -e '/listener imaps/,/}}/s/port = 0/port = {imaps}\\nssl = yes/' \
             -e '/listener pop3s/,/}}/s/port = 0/port = {pop3s}\\nssl = yes/' \
             -e '/^service lmtp/a inet_listener lmtp {{\\nport = 24\\n}}' plain.conf >dovecot.conf"
    ))
    .ok();
    let ldaps = if tls { " ldaps:///" } else { "" };
    node.sh(&format!("sed -i 's!^SLAPD_SERVICES=.*!SLAPD_SERVICES=\"ldap:///{ldaps}\"!' {SLAPD}/default"))
        .ok();
    if tls {
        let postfix = format!("{STORK}/postfix");
        node.sh(&format!(
            "cat >>{postfix}/main.cf <<'X'
smtpd_tls_cert_file = /srv/ims/tls/cert.pem
smtpd_tls_key_file = /srv/ims/tls/key.pem
smtpd_tls_security_level = may
X
             echo '465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes' >>{postfix}/master.cf
             printf 'TLSCertificateFile /srv/ims/tls/cert.pem\\nTLSCertificateKeyFile /srv/ims/tls/key.pem\\n' |
                 cat - {SLAPD}/slapd.conf >/tmp/slapd.conf && cat /tmp/slapd.conf >{SLAPD}/slapd.conf"
        ))
        .ok();
    }
}

/// Ends the servers and starts them again, as they are configured now.
pub(super) fn restart(node: &Node) {
    for program in ["dovecot", "slapd", "master"] {
        end(node, program);
    }
    start(node);
}

/// Ends a program, and waits until that is so.
pub(super) fn end(node: &Node, program: &str) {
    signal(node, program, Signal::TERM);
    let gone = until(Duration::from_secs(20), || {
        !node.processes().iter().any(|pid| {
            fs_err::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim() == program
        })
    });
    assert!(gone, "{program} does not end");
}

/// Starts the servers.
pub(super) fn start(node: &Node) {
    start_directory(node);
    node.sh(&format!("dovecot -c {STORK}/dovecot/dovecot.conf")).ok();
    node.sh(&format!("/usr/lib/postfix/sbin/master -c {STORK}/postfix -w")).ok();
}

/// Starts the directory where its configuration says.
pub(super) fn start_directory(node: &Node) {
    node.sh(&format!(
        ". {SLAPD}/default; slapd -h \"$SLAPD_SERVICES\" -f {SLAPD}/slapd.conf -u openldap -g openldap"
    ))
    .ok();
}

/// Gives the node a certificate.
pub(super) fn certify(node: &Node, authority: &Authority, wanted: &Wanted) {
    let server = authority.issue(wanted);
    node.sh("mkdir -p /srv/ims/tls").ok();
    node.file("/srv/ims/tls/cert.pem", server.certificate.pem());
    node.file("/srv/ims/tls/key.pem", server.key.serialize_pem());
}

/// Asks every service, and has each answer judged.
pub(super) fn ask(
    client: &Node,
    schemes: &[&str],
    options: &[&str],
    status: i32,
    judge: impl Fn(&str, &Value),
) {
    let urls: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://192.0.2.10")).collect();
    let mut words = vec!["ims-probe"];
    words.extend(urls.iter().map(String::as_str));
    words.extend(options);
    let found = answers(client, &words, status);
    assert_eq!(found.len(), schemes.len());
    for answer in &found {
        judge(answer["service"].as_str().unwrap(), answer);
    }
}

#[test]
fn real_servers_speak_tls_and_what_is_wrong_with_it_is_found() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = serving(&bed);
    let client = bed.client();
    let authority = Authority::new();
    let soon = Wanted { until: 3 * DAY + 3600, ..GOOD };
    client.file("/srv/ca.pem", fs_err::read(authority.file()).unwrap());
    let ca = ["--ca", "/srv/ca.pem"];

    // Servers without TLS: who insists on it has none, and who does not is served.
    configure(&node, false);
    restart(&node);
    ask(&client, &PLAIN, &["--tls", "require"], 1, |service, answer| {
        assert_eq!(verdict(answer), ("down", "tls", "STARTTLS is not offered"), "{service}");
    });
    ask(&client, &PLAIN, &["--tls", "try"], 0, |_, answer| assert_eq!(answer["tls"], Value::Null));
    ask(&client, &["imaps", "pop3s", "smtps"], &[], 1, |service, answer| {
        assert_eq!(verdict(answer), ("down", "connect", "connection refused"), "{service}");
    });

    certify(&node, &authority, &soon);
    configure(&node, true);
    restart(&node);
    for (schemes, mode) in [(&PLAIN[..], "require"), (&PLAIN, "try"), (&SECRET, "require")] {
        for level in ["greet", "session"] {
            let options = [&ca[..], &["--tls", mode, "--level", level]].concat();
            ask(&client, schemes, &options, 0, |service, answer| {
                let tls = &answer["tls"];
                let told = json!([tls["trusted"], tls["name_ok"], tls["days_left"], answer["findings"]]);
                assert_eq!(told, json!([true, true, 3, []]), "{service}");
                let version = tls["version"].as_str().unwrap();
                assert!(["TLS1.2", "TLS1.3"].contains(&version), "{service}: {tls}");
            });
        }
    }
    ask(&client, &SECRET, &ca, 0, |service, answer| assert_eq!(verdict(answer).0, "up", "{service}"));
    ask(&client, &PLAIN, &[], 0, |_, answer| assert_eq!(answer["tls"], Value::Null));

    // Another name than was asked for, and an authority that the system does not know.
    let options = [&ca[..], &["--name", NAME, "--tls", "require"]].concat();
    ask(&client, &SECRET, &options, 0, |_, _| ());
    let options = [&ca[..], &["--name", "other.example.org", "--tls", "try"]].concat();
    ask(&client, &[&PLAIN[..], &SECRET].concat(), &options, 3, |service, answer| {
        assert_eq!(
            (verdict(answer).0, &answer["findings"]),
            ("partial", &json!(["certificate_name"])),
            "{service}"
        );
    });
    ask(&client, &[&PLAIN[..], &SECRET].concat(), &["--tls", "require"], 1, |service, answer| {
        let words = "the certificate is not trusted: its issuer is not known here";
        assert_eq!(verdict(answer), ("down", "tls", words), "{service}");
    });

    // The instance's own services, whose name nobody has told.
    node.file("/srv/ca.pem", fs_err::read(authority.file()).unwrap());
    let found = answers(&node, &["ims-probe", "stork", "--ca", "/srv/ca.pem"], 0);
    let services: Vec<&str> = found.iter().map(|answer| answer["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["imap", "imaps", "ldap", "ldaps", "lmtp", "pop3", "pop3s", "smtp", "smtps"]);
    assert_eq!(found[1]["tls"]["name_ok"], Value::Null);

    // It has expired, which is no reason to call the service down unless it was asked for.
    certify(&node, &authority, &Wanted { until: -3600, ..GOOD });
    restart(&node);
    let options = [&ca[..], &["--tls", "try"]].concat();
    ask(&client, &[&PLAIN[..], &SECRET].concat(), &options, 3, |service, answer| {
        let told = (verdict(answer).0, verdict(answer).1, &answer["findings"], &answer["tls"]["days_left"]);
        assert_eq!(told, ("partial", "tls", &json!(["certificate_expired"]), &json!(-1)), "{service}");
    });

    // The key is gone: Postfix goes on to offer what it cannot do.
    node.sh("mv /srv/ims/tls/key.pem /srv/ims/tls/elsewhere").ok();
    signal(&node, "smtpd", Signal::TERM);
    let found = answers(&client, &["ims-probe", "smtp://192.0.2.10", "--tls", "try"], 3);
    assert_eq!(found[0]["findings"], json!(["starttls_refused"]), "{}", found[0]);
    let found = answers(&client, &["ims-probe", "smtps://192.0.2.10"], 1);
    assert_eq!((verdict(&found[0]).0, verdict(&found[0]).1), ("down", "tls"), "{}", found[0]);
}
