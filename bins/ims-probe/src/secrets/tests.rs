//! Files of secrets: who logs in where, and which files are refused.

use super::*;

const TEXT: &str = r#"
[default]
user = "probe"
password = "one"
[smtp]
login = false
[imap]
user = "imap-probe"
password = "two"
[ldap]
user = "uid=probe,dc=example"
password = "three"
filter = "(mail=*)"
[instance.stork]
user = "stork-probe"
password = "four"
[instance.stork.pop3]
user = "pop-probe"
password = "five"
"#;

fn who(secrets: &Secrets, service: Service, instance: Option<&str>) -> String {
    let instance = instance.map(|name| name.parse().unwrap());
    match secrets.of(service, instance.as_ref()) {
        Some(Entry::Login(login)) => format!("{} {}", login.user, login.password.reveal()),
        Some(Entry::Nobody) => "nobody".to_owned(),
        None => "not known".to_owned(),
    }
}

#[test]
fn the_nearest_table_says_who_logs_in() {
    let secrets = Secrets::parse(TEXT, Path::new("s")).unwrap();
    for (service, instance, wanted) in [
        (Service::Submission, None, "probe one"),
        (Service::Smtp, None, "nobody"),
        (Service::Imap, None, "imap-probe two"),
        (Service::Imaps, None, "imap-probe two"),
        (Service::Ldap, None, "uid=probe,dc=example three"),
        (Service::Other, None, "not known"),
        (Service::Imap, Some("stork"), "stork-probe four"),
        (Service::Pop3, Some("stork"), "pop-probe five"),
        (Service::Pop3s, Some("stork"), "pop-probe five"),
        (Service::Ldaps, Some("stork"), "uid=probe,dc=example three"),
        (Service::Pop3, Some("heron"), "probe one"),
    ] {
        assert_eq!(who(&secrets, service, instance), wanted, "{service:?} of {instance:?}");
    }
    let without = Secrets::parse("[default]\nuser = 'u'\npassword = 'p'", Path::new("s")).unwrap();
    assert_eq!(who(&without, Service::Ldap, None), "not known");
}

#[test]
fn a_wrong_table_is_told_by_its_line_and_no_secret_is() {
    for (text, told) in [
        ("[imap]\nuser = 'u'\n", "s:1: password is missing"),
        ("[imap]\nuser = 'u'\npassword = ''\n", "s:3: password is empty"),
        ("[imap]\nuser = 'u'\npassword = \"hunter2\\n\"\n", "s:3: password holds a line end or a NUL"),
        (
            "[imap]\nuser = 'u'\npasword = 'hunter2'\n",
            "s:3: unknown key 'pasword' (did you mean 'password'?)",
        ),
        ("[imap]\nuser = 'u'\npassword = ['hunter2']\n", "s:3: password is array, not a text in quotes"),
        ("[imap]\npassword = hunter2\n", "s:2: string values must be quoted, expected literal string"),
        ("default = 'hunter2'\n", "s:1: default is string, not a table"),
        ("[impa]\n", "s:1: unknown key 'impa' (did you mean 'imap'?)"),
        ("[imap]\nlogin = false\npassword = 'hunter2'\n", "s:3: unknown key 'password' (there are login)"),
        (
            "[imap]\nuser = 'u'\npassword = 'hunter2'\nbase = 'x'\n",
            "s:4: unknown key 'base' (there are login, user, password)",
        ),
        ("[deliver]\nfrom = 'a@b'\n", "s:1: to is missing"),
        ("[deliver]\nto = 'a@b> x'\n", "s:2: to is not an address of mail"),
        (
            "[deliver]\nto = 'a@b'\nfetch = 'http://192.0.2.10'\n",
            "s:3: fetch is not an imap, imaps, pop3 or pop3s URL",
        ),
        (
            "[ldap]\nuser = 'probe'\npassword = 'hunter2'\n",
            "s:2: user of a directory is not a DN (like uid=probe,dc=example)",
        ),
        (
            "[ldap]\nuser = 'uid=u'\npassword = 'hunter2'\nfilter = 'uid'\n",
            "s:4: filter is not an LDAP filter (like (uid=probe))",
        ),
    ] {
        assert_eq!(Secrets::parse(text, Path::new("s")).unwrap_err().to_string(), told, "{text}");
    }
    let secrets = Secrets::parse(TEXT, Path::new("s")).unwrap();
    let shown = format!("{secrets:?}");
    assert!(
        ["one", "two", "three", "four", "five"].iter().all(|secret| !shown.contains(&format!("{secret}\"")))
    );
    assert!(shown.contains("***"));
}
