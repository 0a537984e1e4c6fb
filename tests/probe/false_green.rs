//! No false green: what is asked last at each level of each protocol fails alone in a row of `stages`, where the answer
//! is not *up* while one level less deep it is. Here it is seen that none of these rows is missing.

use serde_json::Value;

use super::stages::{Row, TABLES};

const MAIL: &[&str] = &["smtp", "submission", "smtps", "lmtp", "imap", "imaps", "pop3", "pop3s"];
const SMTP: &[&str] = &["smtp", "submission", "smtps"];
const IMAP: &[&str] = &["imap", "imaps"];
const POP3: &[&str] = &["pop3", "pop3s"];
const LDAP: &[&str] = &["ldap", "ldaps"];
const HTTP: &[&str] = &["http", "https"];
const LMTP: &[&str] = &["lmtp"];

/// Where each level of a protocol ends: the last of what it asks for besides the level below.
const ENDS: &[(&str, &str, &[&[&str]])] = &[
    ("connect", "connect", &[MAIL, LDAP, HTTP, &["tcp"]]),
    ("greet", "greet", &[MAIL]),
    ("greet", "bind", &[LDAP]),
    ("greet", "get", &[HTTP]),
    ("greet", "tls", &[MAIL, LDAP, &["https"]]),
    ("session", "quit", &[SMTP, LMTP, POP3]),
    ("session", "logout", &[IMAP]),
    ("session", "search", &[LDAP]),
    ("session", "get", &[HTTP]),
    ("login", "auth", &[SMTP, IMAP, POP3]),
    ("login", "search", &[LDAP]),
    ("deliver", "delete", &[SMTP, LMTP]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.into_iter().flatten()
}

#[test]
fn each_level_of_each_protocol_is_seen_to_fail_at_its_end_alone() {
    let is_there = |level: &str, stage: &str, scheme: &str| {
        let asks = |row: &Row| row.asked.iter().any(|url| url.starts_with(&format!("{scheme}://")));
        rows().any(|row| (row.level, row.told.1) == (level, stage) && asks(row))
    };
    let missing: Vec<String> = ENDS
        .iter()
        .flat_map(|(level, stage, families)| {
            families.concat().into_iter().map(move |it| (*level, *stage, it))
        })
        .filter(|(level, stage, scheme)| !is_there(level, stage, scheme))
        .map(|(level, stage, scheme)| format!("{scheme} at {level}, broken at {stage}"))
        .collect();
    assert!(missing.is_empty(), "no row for\n{}", missing.join("\n"));
}

#[test]
fn every_stage_that_a_probe_can_be_in_is_broken_somewhere() {
    let schema: Value = serde_json::from_str(include_str!("../../lib/schemas/ims.answer.v1.json")).unwrap();
    let stages = schema["$defs"]["Stage"]["oneOf"].as_array().unwrap();
    let stages: Vec<&str> = stages.iter().map(|stage| stage["const"].as_str().unwrap()).collect();
    assert!(stages.contains(&"fetch"), "{stages:?}");
    let missing: Vec<&str> =
        stages.into_iter().filter(|stage| !rows().any(|row| row.told.1 == *stage)).collect();
    assert!(missing.is_empty(), "no row breaks {missing:?}");
}

#[test]
fn no_row_is_content_with_a_server_that_is_up() {
    let green: Vec<&str> =
        rows().filter(|row| !["down", "unknown"].contains(&row.told.0)).map(|row| row.what).collect();
    assert!(green.is_empty(), "{green:?}");
}
