//! Option files as the iPlanet MTA ships them, and any text.

use super::*;
use proptest::prelude::*;

const DISPATCHER: &str = "! dispatcher.cnf\nMIN_PROCS=0\nMAX_PROCS = 5\n\n[SERVICE=SMTP]\nPORT=25\nIMAGE=IMTA_BIN:tcp_smtp_server\n\
        ! in an HA environment:\n!INTERFACE_ADDRESS=\n\n[service=smtp_submit]\nport=587\n!TLS_PORT=465\nPARAMETER=CHANNEL=tcp_submit\n\n\
        ![SERVICE=LMTPSS]\n!PORT=225\n!INTERFACE_ADDRESS=\n";
const SMTP: Scope<'_> = Scope::Section("SERVICE", "SMTP");
const SUBMIT: Scope<'_> = Scope::Section("SERVICE", "SMTP_SUBMIT");

fn parse(text: &str) -> OptionFile {
    OptionFile::parse(text, Path::new("dispatcher.cnf")).unwrap()
}

#[test]
fn options_are_read_in_their_scope_and_in_either_case() {
    let file = parse(DISPATCHER);
    assert_eq!(file.get(Scope::Global, "max_procs"), Some(Value { text: "5".to_owned(), line: 3 }));
    assert_eq!(file.get(SMTP, "PORT").unwrap().line, 6);
    assert_eq!(file.get(SUBMIT, "PORT").unwrap().text, "587");
    assert_eq!(file.get(SUBMIT, "PARAMETER").unwrap().text, "CHANNEL=tcp_submit");
    assert_eq!(file.get(SUBMIT, "TLS_PORT"), None);
    assert_eq!(file.get(Scope::Global, "PORT"), None);
    let long = parse("secret=never\\\n! not this\n mind\nx=1\n");
    assert_eq!(long.get(Scope::Global, "SECRET").unwrap().text, "never mind");
    assert_eq!(long.get(Scope::Global, "x").unwrap().line, 4);
}

#[test]
fn a_live_line_stands_beside_its_placeholder_and_nowhere_else() {
    let mut file = parse(DISPATCHER);
    assert!(file.set(SMTP, "INTERFACE_ADDRESS", "10.0.37.10"));
    assert!(file.set(SUBMIT, "INTERFACE_ADDRESS", "10.0.37.10"));
    assert!(!file.set(Scope::Section("SERVICE", "LMTPSS"), "INTERFACE_ADDRESS", "10.0.37.10"));
    let new = DISPATCHER
        .replacen("!INTERFACE_ADDRESS=\n", "!INTERFACE_ADDRESS=\nINTERFACE_ADDRESS=10.0.37.10\n", 1)
        .replace("tcp_submit\n", "tcp_submit\nINTERFACE_ADDRESS=10.0.37.10\n");
    assert_eq!(file.to_string(), new);
    let again = file.clone();
    file.set(SMTP, "interface_address", "10.0.37.10");
    assert_eq!(file, again);
}

#[test]
fn a_global_option_stands_before_the_first_section() {
    for (old, new) in [
        ("! x\ntcp_port=1\n\n[POOL=A]\n", "! x\ntcp_port=1\nK=v\n\n[POOL=A]\n"),
        ("! x\n\n[POOL=A]\nk=1\n", "! x\nK=v\n\n[POOL=A]\nk=1\n"),
        ("[POOL=A]\r\nk=1\r\n", "K=v\r\n[POOL=A]\r\nk=1\r\n"),
        ("k = 1 \n[POOL=A]", "k = v \n[POOL=A]"),
        ("k=1\\\n2\nk=3", "k=v\nk=v"),
        ("a=1\\\n!k=\n2\n", "a=1\\\n!k=\n2\nK=v\n"),
        ("", "K=v\n"),
    ] {
        let mut file = parse(old);
        assert!(file.set(Scope::Global, "K", "v"));
        assert_eq!(file.to_string(), new, "{old:?}");
    }
}

#[test]
fn a_new_option_stands_before_an_included_file_that_may_begin_another_section() {
    for (scope, old, new) in [
        (
            SMTP,
            "[SERVICE=SMTP]\nPORT=25\n<more.cnf\nA=1\n!K=\n",
            "[SERVICE=SMTP]\nPORT=25\nK=v\n<more.cnf\nA=1\n!K=\n",
        ),
        (SMTP, "[SERVICE=SMTP]\n<more.cnf\n", "[SERVICE=SMTP]\nK=v\n<more.cnf\n"),
        (SMTP, "<x\n[SERVICE=SMTP]\nPORT=25\n", "<x\n[SERVICE=SMTP]\nPORT=25\nK=v\n"),
        (Scope::Global, "tcp_port=1\n<pools.cnf\n[POOL=A]\n", "tcp_port=1\nK=v\n<pools.cnf\n[POOL=A]\n"),
        (Scope::Global, "! x\n\n<pools.cnf\na=1\n", "! x\n\nK=v\n<pools.cnf\na=1\n"),
    ] {
        let mut file = parse(old);
        assert!(file.set(scope, "K", "v"));
        assert_eq!(file.to_string(), new, "{old:?}");
    }
}

#[test]
fn no_line_that_is_set_is_longer_than_the_mta_reads() {
    let blank = " ".repeat(LONGEST);
    let mut file = parse(&format!("a=1\n k{blank}= x\n!{blank}\nb={blank}\n"));
    assert_eq!(file.too_long().collect::<Vec<_>>(), [2, 4]);
    file.set(Scope::Global, "K", "v");
    assert_eq!(file.to_string(), format!("a=1\nk=v\n!{blank}\nb={blank}\n"));
    let mut continued = parse("[SERVICE=SMTP]\r\ninterface_address=\\\r\n! between\r\n10.0.37.9\r\nPORT=25");
    continued.set(SMTP, "INTERFACE_ADDRESS", "10.0.37.10");
    assert_eq!(
        continued.to_string(),
        "[SERVICE=SMTP]\r\ninterface_address=10.0.37.10\r\n! between\r\nPORT=25"
    );
}

#[test]
fn a_torn_file_is_refused_with_its_line() {
    for (text, place) in [
        ("[SERVICE=SMTP]\nINTERFACE_ADD", "dispatcher.cnf:2: neither"),
        ("a=1\n[SERVICE=SM", "dispatcher.cnf:2: not a section"),
        ("a=1\\\n", "dispatcher.cnf:1: a continued line"),
    ] {
        let fail = OptionFile::parse(text, Path::new("dispatcher.cnf")).unwrap_err();
        assert!(fail.to_string().starts_with(place), "{fail}");
    }
}

#[test]
fn a_number_may_have_its_base_in_front() {
    for (text, n) in [("25", Some(25)), ("16%FF", Some(255)), ("8%9", None), ("x25", None), ("1%1", None)] {
        assert_eq!(number(text), n, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_prints_back(text in "(([!\\[]?[a-c]?[ =]{0,2}[a-z\\]\\\\]{0,3})(\n|\r\n)?){0,8}") {
        if let Ok(file) = OptionFile::parse(&text, Path::new("x.cnf")) {
            prop_assert_eq!(file.to_string(), text);
        }
    }

    #[test]
    fn what_was_set_is_read_and_the_former_value_gives_back_the_bytes(
        text in "((([a-c] ?= ?[a-z]{1,3} ?)|(![a-c]=)|(\\[SERVICE=[ST]\\])|)(\n|\r\n)){0,8}",
        key in "[a-c]",
    ) {
        let mut file = parse(&text);
        for scope in [Scope::Global, Scope::Section("SERVICE", "S")] {
            let values = file.within(scope).filter_map(|item| item.option(&key)).count();
            let old = file.get(scope, &key);
            if !file.set(scope, &key, "new") {
                continue;
            }
            prop_assert_eq!(file.get(scope, &key).unwrap().text, "new");
            if let (Some(old), 1) = (old, values) {
                file.set(scope, &key, &old.text);
                prop_assert_eq!(file.to_string(), text.as_str());
            } else {
                file = parse(&text);
            }
        }
    }
}
