//! Dovecot's grammar, line by line, and any text.

use super::*;
use proptest::prelude::*;

const CONF: &str = "# ours\nprotocols = imap pop3 # both\n#listen = *, ::\nservice imap-login {\n  inet_listener imap {\n    \
        address = 192.0.2.9\n    port = 143\n  }\n}\n!include_try local.conf\nlog_path = \"/x # y\"\n";

fn parse(text: &str) -> DovecotConf {
    DovecotConf::parse(text, Path::new("dovecot.conf")).unwrap()
}

fn settings(conf: &DovecotConf) -> Vec<(usize, String, String)> {
    conf.items()
        .iter()
        .filter_map(|item| match item {
            Item::Setting { within, key, value, line, .. } => {
                let path: Vec<&str> = within.iter().map(|block| block.kind.as_str()).collect();
                Some((*line, format!("{}/{key}", path.join("/")), value.clone()))
            }
            Item::Open { .. } | Item::Close { .. } | Item::Include { .. } => None,
        })
        .collect()
}

#[test]
fn settings_are_read_within_their_blocks() {
    let wanted = [
        (2, "/protocols", "imap pop3"),
        (6, "service/inet_listener/address", "192.0.2.9"),
        (7, "service/inet_listener/port", "143"),
        (11, "/log_path", "/x # y"),
    ];
    let wanted = wanted.map(|(line, key, value)| (line, key.to_owned(), value.to_owned()));
    assert_eq!(settings(&parse(CONF)), wanted);
    assert_eq!(
        settings(&parse("a = 1 \\\n  2\nb=3\n")),
        [(1, "/a".to_owned(), "1 2".to_owned()), (3, "/b".to_owned(), "3".to_owned())]
    );
}

/// As `doveconf` of Dovecot 2.3.19 reads these lines.
#[test]
fn the_first_word_and_the_quotes_say_what_a_line_is() {
    for (line, value) in [
        ("x = a#b", Some("a")),
        ("x =# b", Some("")),
        ("x = it's # b", Some("it's # b")),
        ("x = a\"b#c\"d # e", Some("a\"b#c\"d")),
        ("x = 'a\\' # b' # c", Some("a' # b")),
        ("x = a {", Some("a {")),
        ("x y = z", None),
        ("!includex", None),
    ] {
        let read = DovecotConf::parse(line, Path::new("dovecot.conf"));
        let read = read.ok().map(|conf| settings(&conf).into_iter().map(|(.., value)| value).collect());
        assert_eq!(read, value.map(|value| vec![value.to_owned()]), "{line}");
    }
}

#[test]
fn a_changed_setting_leaves_every_other_byte() {
    let mut conf = parse(CONF);
    conf.set_at(6, "192.0.2.10");
    conf.set_at(2, "imap");
    assert_eq!(conf.to_string(), CONF.replace("192.0.2.9", "192.0.2.10").replace("imap pop3 ", "imap "));
    let mut conf = parse("a =\nb=1\\\n 2\r\n");
    conf.set_at(2, "3");
    conf.set_at(1, "x");
    assert_eq!(conf.to_string(), "a = x\nb=3\n");
}

#[test]
fn a_new_setting_stands_where_nothing_later_overrules_it() {
    let mut conf = parse(CONF);
    conf.add("listen", "192.0.2.10");
    assert_eq!(
        conf.to_string(),
        format!("{CONF}listen = 192.0.2.10\n"),
        "an include comes after the placeholder"
    );
    let mut conf = parse("#listen = *, ::\na = 1");
    conf.add("listen", "192.0.2.10");
    assert_eq!(conf.to_string(), "#listen = *, ::\nlisten = 192.0.2.10\na = 1");
    let mut conf = parse("service x {\n#listen = *\n}\n");
    conf.add("listen", "192.0.2.10");
    assert_eq!(conf.to_string(), "service x {\n#listen = *\n}\nlisten = 192.0.2.10\n");
}

#[test]
fn a_torn_file_is_refused_with_its_line() {
    for (text, place) in [
        ("a = 1\nservice imap-login {\n  port = 1\n", "dovecot.conf:2: the block 'service'"),
        ("a = 1\n}\n", "dovecot.conf:2: a '}'"),
        ("a = 1\nliste", "dovecot.conf:2: neither"),
    ] {
        let fail = DovecotConf::parse(text, Path::new("dovecot.conf")).unwrap_err();
        assert!(fail.to_string().starts_with(place), "{fail}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_prints_back(text in "(([# ]?[a-c]?[ ={}]{0,2}[a-z\"\\\\]{0,3})(\n|\r\n)?){0,8}") {
        if let Ok(conf) = DovecotConf::parse(&text, Path::new("dovecot.conf")) {
            prop_assert_eq!(conf.to_string(), text);
        }
    }
}
