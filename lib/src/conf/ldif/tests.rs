//! A `dse.ldif` as the servers write it, and any text.

use super::*;
use proptest::prelude::*;

const DSE: &str = "# written by the server\n version 5\ndn: cn=config\nobjectClass: top\ncn: config\nnsslapd-port: 389\n\
    nsslapd-rootpw: {SSHA}0123456789012345678901234567890123456789012345678901234567\n 89\nnsslapd-referral:: bGRhcDovL8Op\n\n\
    dn: cn=monitor, CN=config\naci: (target =\"ldap:///cn=monitor*\")(targetattr != \"aci || connection\")(versio\n n 3.0;)\n\
    nsslapd-listenhost: 192.0.2.9\n";
const CONFIG: &str = "CN = config";

fn parse(text: &str) -> Ldif {
    Ldif::parse(text, Path::new("dse.ldif")).unwrap()
}

#[test]
fn values_are_read_over_their_lines_and_from_base64() {
    let ldif = parse(DSE);
    assert_eq!(ldif.get(CONFIG, "NSSLAPD-PORT"), Some(Value { text: "389".to_owned(), line: 6 }));
    assert!(ldif.get(CONFIG, "nsslapd-rootpw").unwrap().text.ends_with("456789"));
    assert_eq!(ldif.get(CONFIG, "nsslapd-referral"), Some(Value { text: "ldap://é".to_owned(), line: 9 }));
    assert_eq!(ldif.get(CONFIG, "nsslapd-listenhost"), None, "it is of another entry");
    assert_eq!(ldif.get("cn=monitor,cn=config", "nsslapd-listenhost").unwrap().line, 14);
    assert!(ldif.get("cn=monitor,cn=config", "aci").unwrap().text.ends_with("(version 3.0;)"));
    assert_eq!(parse("version: 1\ndn:: Y249Y29uZmln\na:1\n").get(CONFIG, "a").unwrap().text, "1");
}

#[test]
fn a_set_attribute_leaves_every_other_byte() {
    let mut ldif = parse(DSE);
    assert!(ldif.set(CONFIG, "nsslapd-listenhost", "192.0.2.10"));
    let new = DSE.replace("bGRhcDovL8Op\n", "bGRhcDovL8Op\nnsslapd-listenhost: 192.0.2.10\n");
    assert_eq!(ldif.to_string(), new);
    ldif.set(CONFIG, "NSSLAPD-LISTENHOST", "192.0.2.10");
    assert_eq!(ldif.to_string(), new);
    ldif.unset(CONFIG, "nsslapd-listenhost");
    assert_eq!(ldif.to_string(), DSE);
    assert!(!ldif.set("cn=x", "a", "b"));
    for (old, new) in [
        ("dn: cn=config\r\nA:: eA==\r\nb: 1\r\n", "dn: cn=config\r\nA: n\r\nb: 1\r\n"),
        ("dn: cn=config\na: 192.\n 0.2.9\n\ndn: x", "dn: cn=config\na: n\n\ndn: x"),
        ("dn: cn=con\n fig", "dn: cn=con\n fig\na: n"),
        ("dn: cn=config\na: 1\na: 2\n", "dn: cn=config\na: n\na: n\n"),
        ("dn: cn=config\nb: 1\n# the end\n of it\n\n", "dn: cn=config\nb: 1\na: n\n# the end\n of it\n\n"),
    ] {
        let mut ldif = parse(old);
        assert!(ldif.set("cn=config", "a", "n"));
        assert_eq!(ldif.to_string(), new, "{old:?}");
    }
}

#[test]
fn a_torn_file_is_refused_with_its_line() {
    for (text, place) in [
        ("dn: cn=config\nnsslapd-po", "dse.ldif:2: no ':' in 'nsslapd-po'"),
        ("dn: cn=config\n\n more\n", "dse.ldif:3: nothing to continue"),
        ("dn: cn=config\na:: b\n", "dse.ldif:2: a is not Base64"),
    ] {
        let fail = Ldif::parse(text, Path::new("dse.ldif")).unwrap_err();
        assert!(fail.to_string().starts_with(place), "{fail}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_prints_back(text in "(([ #]?(dn|a|b)?:?[: ]?[a-z= ]{0,4})(\n|\r\n)?){0,8}") {
        if let Ok(ldif) = Ldif::parse(&text, Path::new("dse.ldif")) {
            prop_assert_eq!(ldif.to_string(), text);
        }
    }

    #[test]
    fn what_was_set_is_read_and_taken_out_again(
        text in "((#c|b: 1|b: 2\n 3|)(\n|\r\n)){0,3}dn: cn=config((\n|\r\n)(#c|b: 1|b: 2\n 3|)){0,5}",
    ) {
        let mut ldif = parse(&text);
        prop_assert!(ldif.set("cn=config", "a", "new"));
        prop_assert_eq!(ldif.get("cn=config", "a").unwrap().text, "new");
        ldif.unset("cn=config", "a");
        prop_assert_eq!(ldif.to_string(), text);
    }
}
