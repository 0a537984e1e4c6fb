//! Where `OpenLDAP` listens by its files, and where its pid is.

use super::*;
use crate::layout::openldap;

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
    // Behind a proxy the same ports are the usual ones, and no client speaks LDAP there.
    let proxied = "SLAPD_SERVICES='pldap:/// PLDAPS://192.0.2.10 pldap://192.0.2.10:1389/'\n";
    assert_eq!(
        slapd(Some(proxied)).unwrap(),
        ["other * 389 default:1", "other 192.0.2.10 636 default:1", "other 192.0.2.10 1389 default:1"]
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
