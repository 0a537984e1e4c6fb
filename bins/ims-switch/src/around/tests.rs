//! What forbids a node, what makes it liked, and what nobody knows.

use std::path::Path;

use ims::State::{self, Down, Partial, Unknown, Up};
use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;

use super::{Around, Asker};
use crate::marks::Mark;

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

/// A group on `nodes` with further lines of its file.
fn group(name: &str, nodes: &[&str], lines: &str) -> Group {
    let text = format!("nodes = {nodes:?}\n{lines}\n[resource.n]\ntype = \"nic\"\ndevice = \"eth0\"\n");
    Group::parse(name.parse().unwrap(), &text, Path::new(name)).unwrap()
}

const BOTH: &[&str] = &["a", "b"];

/// What is around the group `MAIL` among others, with the states of each on `a` and `b`.
fn around(mail: &Group, nodes: &str, others: &[(Group, State, State)]) -> Around {
    let named: Vec<(GroupName, Option<Group>)> =
        others.iter().map(|(other, ..)| (other.name.clone(), Some(other.clone()))).collect();
    let mut around = Around::of(mail, &named, &Nodes::parse(nodes, Path::new("nodes")).unwrap());
    for (other, a, b) in others {
        for (node, state) in [(node("a"), a), (node("b"), b)] {
            around.found_on(&node, &[(other.name.clone(), *state)].into());
        }
    }
    around
}

/// The reasons against each node, or how well it is liked.
fn told(around: &Around, mail: &Group, asker: Asker) -> [String; 2] {
    ["a", "b"].map(|name| {
        let standing = around.standing(mail, &node(name), asker);
        let against: Vec<String> =
            standing.against.iter().map(|against| format!("{} ({})", against.why, against.way_out)).collect();
        if against.is_empty() { standing.liking.to_string() } else { against.join("; ") }
    })
}

#[test]
fn a_group_is_only_where_those_are_that_it_must_be_together_with() {
    let mail = group("MAIL", BOTH, "together_with = [\"LDAP\"]");
    let ldap = || group("LDAP", BOTH, "");
    let on = |a, b| told(&around(&mail, "", &[(ldap(), a, b)]), &mail, Asker::Person);
    assert_eq!(
        on(Down, Up),
        [
            "MAIL must be together with LDAP, which is down on a (ims-switch move LDAP MAIL --to a moves both)",
            "0"
        ]
    );
    assert_eq!(
        on(Down, Down)[0],
        "MAIL must be together with LDAP, which is down on a (ims-switch online LDAP --on a)"
    );
    for state in [Partial, Unknown] {
        assert!(on(state, Down)[0].contains(&format!("which is {state} on a")), "{state}");
    }
    let missing = told(&around(&mail, "", &[]), &mail, Asker::Person);
    assert_eq!(
        missing[0],
        "MAIL must be together with LDAP, which is unknown on a (its file must stand here, in /etc/ims/groups)"
    );
}

#[test]
fn a_group_leaves_none_behind_that_must_be_with_it_but_for_a_fault() {
    let mail = group("MAIL", BOTH, "");
    let web = || group("WEB", BOTH, "together_with = [\"MAIL\"]");
    let around = around(&mail, "", &[(web(), Up, Down)]);
    let wanted = "WEB must be together with MAIL and is up on a (ims-switch move MAIL WEB --to b moves both)";
    assert_eq!(told(&around, &mail, Asker::Person), ["0", wanted]);
    assert_eq!(told(&around, &mail, Asker::Fault), ["0", "0"]);
    let along = around.without_bonds_with(&["WEB".parse().unwrap()]);
    assert_eq!(told(&along, &mail, Asker::Person), ["0", "0"], "both are moved");
}

#[test]
fn groups_that_are_apart_are_so_whichever_says_it_and_what_may_be_there_is_there() {
    let (says, silent) = (r#"apart_from = ["TEST"]"#, "");
    for (ours, theirs, words) in [
        (says, silent, "MAIL must be apart from TEST"),
        (silent, r#"apart_from = ["MAIL"]"#, "TEST must be apart from MAIL"),
    ] {
        let mail = group("MAIL", BOTH, ours);
        let test = || group("TEST", BOTH, theirs);
        let on = |a, b| told(&around(&mail, "", &[(test(), a, b)]), &mail, Asker::Fault);
        assert_eq!(
            on(Down, Up),
            ["0".to_owned(), format!("{words}, and TEST is up on b (ims-switch move TEST)")]
        );
        assert_eq!(
            on(Unknown, Down)[0],
            format!("{words}, and TEST is unknown on a (ims-switch status TEST)")
        );
        assert!(on(Partial, Down)[0].starts_with(words));
    }
    // It is known where a group never is, even when nobody could ask.
    let mail = group("MAIL", BOTH, says);
    let elsewhere =
        Around::of(&mail, &[("TEST".parse().unwrap(), Some(group("TEST", &["c"], "")))], &Nodes::default());
    assert_eq!(told(&elsewhere, &mail, Asker::Person), ["0", "0"]);
}

#[test]
fn what_is_only_rather_so_forbids_nothing_and_is_counted() {
    let mail = group("MAIL", BOTH, "rather_with = [\"LDAP\", \"DNS\"]\nrather_apart_from = [\"TEST\"]");
    let other = |name| group(name, BOTH, "");
    let around = around(
        &mail,
        "",
        &[(other("LDAP"), Up, Down), (other("DNS"), Up, Unknown), (other("TEST"), Unknown, Down)],
    );
    assert_eq!(told(&around, &mail, Asker::Person), ["1", "0"]);
}

#[test]
fn a_node_has_no_more_than_its_capacity() {
    let nodes = "[b]\ncapacity = { groups = 2, gb = 10 }\n";
    let mail = group("MAIL", BOTH, "load = { gb = 4 }");
    let full = |other: &str, load: &str, state| {
        let others = [
            (group(other, BOTH, load), Down, state),
            (group("SMALL", BOTH, "load = { groups = 0 }"), Down, Up),
            (group("ELSEWHERE", &["a", "c"], "load = { gb = 99 }"), Up, Down),
        ];
        told(&around(&mail, nodes, &others), &mail, Asker::Person)
    };
    let way_out = "(move a group away, or give b more capacity in /etc/ims/nodes.toml)";
    for (load, state, wanted) in [
        ("", Up, "0".to_owned()),
        ("load = { gb = 6 }", Up, "0".to_owned()),
        ("load = { gb = 7 }", Down, "0".to_owned()),
        (
            "load = { gb = 7 }",
            Up,
            format!("b has a capacity of 10 gb, and there would be OTHER 7 and MAIL 4 {way_out}"),
        ),
        (
            "load = { gb = 7 }",
            Unknown,
            format!(
                "b has a capacity of 10 gb, and there would be OTHER 7 (unknown whether it is there) and MAIL 4 {way_out}"
            ),
        ),
        (
            "load = { groups = 2 }",
            Partial,
            format!("b has a capacity of 2 groups, and there would be OTHER 2 and MAIL 1 {way_out}"),
        ),
    ] {
        assert_eq!(full("OTHER", load, state), ["0".to_owned(), wanted], "{load} {state}");
    }
    // Of a group whose file cannot be read it is not known what it asks for, nor where it is: it counts as one.
    let unread = [("BAD".parse().unwrap(), None), ("ALSO".parse().unwrap(), None)];
    let nodes = Nodes::parse(nodes, Path::new("nodes")).unwrap();
    let around = Around::of(&mail, &unread, &nodes);
    assert!(told(&around, &mail, Asker::Person)[1].contains("capacity of 2 groups"));
    assert!(
        around.standing(&mail, &node("a"), Asker::Person).against.is_empty(),
        "no capacity is said there"
    );
}

#[test]
fn without_bonds_and_capacity_nobody_is_asked() {
    let mail = group("MAIL", BOTH, "");
    let around = around(&mail, "", &[(group("OTHER", BOTH, "together_with = [\"THIRD\"]"), Up, Up)]);
    assert!(!around.is_shared());
    assert!(around.asked_on(&node("a")).is_empty());
}

#[test]
fn a_fault_of_late_keeps_a_fault_away_and_no_person() {
    let mail = group("MAIL", BOTH, "");
    let mark =
        Mark { by: "react".to_owned(), node: node("a"), time: jiff::Timestamp::UNIX_EPOCH, reason: None };
    let around = Around { faults: [(node("a"), mark.clone())].into(), ..Around::default() };
    let wanted = "MAIL failed on a (by react on a since 1970-01-01T00:00:00Z), and its ping-pong interval is not over \
                  (ims-switch clear MAIL)";
    assert_eq!(told(&around, &mail, Asker::Fault), [wanted, "0"]);
    let standing = around.standing(&mail, &node("a"), Asker::Person);
    assert_eq!((standing.against.len(), standing.fault), (0, Some(mark)));
}

#[test]
fn a_node_that_cannot_take_it_is_passed_over_whoever_asks() {
    let mail = group("MAIL", BOTH, "");
    let around = Around { unfit: [(node("a"), "a cannot take MAIL".to_owned())].into(), ..Around::default() };
    for asker in [Asker::Fault, Asker::Person] {
        let wanted = "a cannot take MAIL (ims-switch rehearse MAIL --to a)";
        assert_eq!(told(&around, &mail, asker), [wanted, "0"]);
    }
}
