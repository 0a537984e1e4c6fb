use std::path::Path;

use ims::Exit;

use super::*;
use crate::found::States;

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn name(name: &str) -> ResourceName {
    name.parse().unwrap()
}

fn group() -> Group {
    let text = include_str!("../../../../tests/data/group/IMS-RG.toml");
    Group::parse("IMS-RG".parse().unwrap(), text, Path::new("IMS-RG.toml")).unwrap()
}

/// The states of the group's resources in the order they start; `u`, `d`, `p`, `?`.
fn states(group: &Group, letters: &str) -> States {
    assert_eq!(letters.len(), group.resources.len(), "{letters}");
    group
        .resources
        .iter()
        .zip(letters.chars())
        .map(|(resource, letter)| {
            let state = match letter {
                'u' => State::Up,
                'd' => State::Down,
                'p' => State::Partial,
                _ => State::Unknown,
            };
            (resource.name.clone(), state)
        })
        .collect()
}

/// What was found: letters of states, `lost`, `lost+fence` or `fenced`.
fn seen(group: &Group, word: &str) -> Seen {
    match word {
        "lost" | "lost+fence" => {
            Seen::Lost { why: "no answer within 5s".to_owned(), can_be_fenced: word == "lost+fence" }
        }
        "fenced" => Seen::Fenced,
        letters => Seen::Reached(states(group, letters)),
    }
}

fn found(group: &Group, one: &str, two: &str) -> Found {
    Found::new(vec![(node("mail-1"), seen(group, one)), (node("mail-2"), seen(group, two))])
}

fn shown(steps: &[Step]) -> Vec<String> {
    steps
        .iter()
        .map(|step| {
            let what = step.resource.as_ref().map_or_else(String::new, |r| format!(" {r}"));
            let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
            format!("{}:{}{what} <{}>", step.node, step.verb.word(), after.join(","))
        })
        .collect()
}

#[test]
fn a_switchover_stops_from_the_top_and_starts_from_the_bottom() {
    let group = group();
    let plan = plan(&group, &found(&group, "uuuuu", "udddd"), &Wish::Move(None)).unwrap();
    assert_eq!(plan.target, Some(node("mail-2")));
    assert_eq!(
        shown(&plan.steps),
        [
            "mail-1:stop mail <>",
            "mail-1:stop ldap <0>",
            "mail-1:stop mountshared <1>",
            "mail-1:stop logical_IP <1>",
            "mail-2:start logical_IP <3>",
            "mail-2:start mountshared <2>",
            "mail-2:start ldap <1,4,5>",
            "mail-2:start mail <0,6>",
        ]
    );
    let lines: Vec<&str> = plan.steps.iter().map(|step| step.command.as_str()).collect();
    assert_eq!(
        lines,
        [
            "ims-switch stop IMS-RG mail",
            "ims-switch stop IMS-RG ldap",
            "ims-diskctl release --device /dev/disk/by-label/ims --mount /global/ims --fstype ext4",
            "ims-ipbind down 10.0.37.10/24 --device eth0",
            "ims-ipbind up 10.0.37.10/24 --device eth0 --probe-wait 12ms",
            "ims-diskctl take --device /dev/disk/by-label/ims --mount /global/ims --fstype ext4",
            "ims-switch start IMS-RG ldap",
            "ims-switch start IMS-RG mail",
        ]
    );
}

#[test]
fn a_mirror_is_started_without_a_leg_where_that_was_said() {
    let mut group = group();
    for resource in &mut group.resources {
        if let ims::group::Kind::Volume(volume) = &mut resource.kind {
            volume.degraded_start = true;
        }
    }
    let plan = plan(&group, &found(&group, "uuuuu", "udddd"), &Wish::Move(None)).unwrap();
    let said: Vec<&str> = plan.steps.iter().map(|step| step.command.as_str()).collect();
    let said: Vec<&&str> = said.iter().filter(|line| line.contains("--degraded")).collect();
    assert_eq!(
        said,
        [&"ims-diskctl take --device /dev/disk/by-label/ims --mount /global/ims --fstype ext4 --degraded"]
    );
    assert_eq!(plan.steps.iter().filter(|step| step.hints.degraded).count(), 1, "for a node elsewhere");
}

#[test]
fn what_is_planned_depends_on_what_is_found_and_wished() {
    let group = group();
    let mail_1 = || Some(node("mail-1"));
    let mail_2 = || Some(node("mail-2"));
    for (one, two, wish, target, steps) in [
        ("udddd", "udddd", Wish::Online(None), mail_1(), 4),
        ("udddd", "udddd", Wish::Online(mail_2()), mail_2(), 4),
        ("uuuuu", "udddd", Wish::Online(None), mail_1(), 0),
        ("udddd", "uuuuu", Wish::Online(None), mail_2(), 0),
        ("uuddd", "uuuud", Wish::Online(None), mail_2(), 2),
        ("uuuuu", "udddd", Wish::Move(mail_1()), mail_1(), 0),
        ("uuuuu", "udddd", Wish::Move(mail_2()), mail_2(), 8),
        ("udddd", "udddd", Wish::Move(mail_2()), mail_2(), 4),
        ("uuuuu", "udddd", Wish::Offline(None), None, 4),
        ("uuuuu", "uuddd", Wish::Offline(None), None, 5),
        ("uuuuu", "uuddd", Wish::Offline(mail_2()), None, 1),
        ("udddd", "udddd", Wish::Offline(None), None, 0),
        ("uuuup", "udddd", Wish::Online(None), mail_1(), 1),
        ("ddddd", "udddd", Wish::Online(None), mail_1(), 5),
        ("lost+fence", "uuuuu", Wish::Online(None), mail_2(), 0),
        ("lost", "uuuuu", Wish::Online(None), mail_2(), 0),
        ("lost+fence", "udddd", Wish::Online(None), mail_2(), 5),
        ("lost+fence", "udddd", Wish::Move(mail_2()), mail_2(), 5),
        ("fenced", "udddd", Wish::Online(None), mail_2(), 4),
        ("uuuuu", "lost", Wish::Offline(None), None, 4),
        // the volume went away under its servers: they are stopped before it is mounted again
        ("uuduu", "udddd", Wish::Online(None), mail_1(), 5),
        ("uuuuu", "udddd", Wish::Restart(name("mail")), mail_1(), 2),
    ] {
        let found = found(&group, one, two);
        let plan = plan(&group, &found, &wish).unwrap_or_else(|e| panic!("{one} {two} {wish:?}: {e}"));
        assert_eq!(plan.target, target, "{one} {two} {wish:?}");
        assert_eq!(plan.steps.len(), steps, "{one} {two} {wish:?}: {:#?}", shown(&plan.steps));
    }
}

#[test]
fn a_group_with_failback_goes_back_to_the_most_preferred_node_that_answers() {
    let group = Group { failback: true, ..group() };
    for (one, two, target, steps) in [
        ("udddd", "uuuuu", "mail-1", 8),
        ("uuuuu", "udddd", "mail-1", 0),
        ("lost", "uuuuu", "mail-2", 0),
        ("udddd", "udddd", "mail-1", 4),
    ] {
        let plan = plan(&group, &found(&group, one, two), &Wish::Online(None)).unwrap();
        assert_eq!((plan.target, plan.steps.len()), (Some(node(target)), steps), "{one} {two}");
    }
}

#[test]
fn what_may_not_be_is_refused_with_the_way_out() {
    let group = group();
    for (one, two, wish, exit, words) in [
        ("lost", "udddd", Wish::Online(None), Exit::Refused, "--confirm-fenced mail-1"),
        ("lost", "udddd", Wish::Move(Some(node("mail-2"))), Exit::Refused, "cannot be reached"),
        ("uuuuu", "lost", Wish::Move(None), Exit::Refused, "no other node"),
        ("uuuuu", "lost+fence", Wish::Move(Some(node("mail-2"))), Exit::Unknown, "cannot be reached"),
        ("uuuuu", "fenced", Wish::Move(Some(node("mail-2"))), Exit::Refused, "was fenced"),
        ("lost", "lost", Wish::Online(None), Exit::Unknown, "no node"),
        ("uuuuu", "udddd", Wish::Online(Some(node("mail-2"))), Exit::Refused, "is online on mail-1"),
        ("uuuuu", "udddd", Wish::Move(Some(node("mail-3"))), Exit::Usage, "did you mean"),
        ("udddd", "udddd", Wish::Restart(name("mail")), Exit::Refused, "online nowhere"),
        ("uuuuu", "udddd", Wish::Restart(name("network")), Exit::Usage, "only looked at"),
        ("uuuuu", "udddd", Wish::Restart(name("male")), Exit::Usage, "no resource 'male'"),
    ] {
        let fail = plan(&group, &found(&group, one, two), &wish).unwrap_err();
        assert_eq!(fail.exit(), exit, "{one} {two} {wish:?}: {fail}");
        assert!(fail.to_string().contains(words), "{fail}");
    }
}

#[test]
fn a_volume_is_taken_once_the_lost_node_is_fenced_by_whatever_proof_is_found() {
    let group = group();
    let plan = plan(&group, &found(&group, "lost+fence", "udddd"), &Wish::Online(None)).unwrap();
    assert_eq!(shown(&plan.steps).first().unwrap(), "mail-1:fence <>");
    let take = plan.steps.iter().find(|step| step.command.starts_with("ims-diskctl")).unwrap();
    assert!(!take.command.contains("--proof"), "{}", take.command);
    assert!(take.after.contains(&0));
}

#[test]
fn the_way_back_undoes_what_was_done_and_nothing_else() {
    let group = group();
    let before = found(&group, "uuuuu", "udddd");
    let now = found(&group, "udddd", "uuudd");
    let plan = back(&group, &before, &now).unwrap();
    assert_eq!(
        shown(&plan.steps),
        [
            "mail-2:stop mountshared <>",
            "mail-2:stop logical_IP <>",
            "mail-1:start logical_IP <1>",
            "mail-1:start mountshared <0>",
            "mail-1:start ldap <2,3>",
            "mail-1:start mail <4>",
        ]
    );
    assert_eq!(back(&group, &before, &before).unwrap().steps, []);
    let lost = |word| found(&group, "udddd", word);
    assert_eq!(back(&group, &before, &lost("lost")).unwrap_err().exit(), Exit::Refused);
    assert_eq!(back(&group, &before, &lost("lost+fence")).unwrap().steps[0].verb, Verb::Fence);
}

#[test]
fn the_way_back_makes_nothing_double() {
    let group = group();
    for (before, now, steps) in [
        // what was up twice is left on one node
        (["uuuuu", "uuuuu"], ["uuuuu", "uuuud"], &[][..]),
        // what is half up on the other node is stopped before it is started here again
        (["uuuuu", "udddp"], ["uuuud", "udddp"], &["mail-2:stop mail <>", "mail-1:start mail <0>"]),
        // what ran without its directory is not started without it
        (["uuudu", "udddd"], ["uuudd", "udddd"], &[]),
        // a node that came back with all of it gives that up first
        (
            ["lost", "uuudd"],
            ["uuuuu", "uuddd"],
            &[
                "mail-1:stop mail <>",
                "mail-1:stop ldap <0>",
                "mail-1:stop mountshared <1>",
                "mail-2:start mountshared <2>",
            ],
        ),
    ] {
        let found = |[one, two]: [&str; 2]| found(&group, one, two);
        let plan = back(&group, &found(before), &found(now)).unwrap();
        assert_eq!(shown(&plan.steps), steps, "{before:?} {now:?}");
    }
}

#[test]
fn a_restart_takes_along_what_cannot_stay_and_refuses_what_another_node_has() {
    let group = group();
    let plan = |one, two, resource| plan(&group, &found(&group, one, two), &Wish::Restart(name(resource)));
    for (one, two, resource, steps) in [
        (
            "uuuuu",
            "udddd",
            "ldap",
            &[
                "mail-1:stop mail <>",
                "mail-1:stop ldap <0>",
                "mail-1:start ldap <0,1>",
                "mail-1:start mail <0,2>",
            ][..],
        ),
        ("uuudu", "udddd", "ldap", &["mail-1:start ldap <>"]),
        ("uuudd", "udddd", "mail", &["mail-1:start ldap <>", "mail-1:start mail <0>"]),
        ("uuuud", "lost", "mail", &["mail-1:start mail <>"]),
        ("uuddd", "lost+fence", "mountshared", &["mail-2:fence <>", "mail-1:start mountshared <0>"]),
    ] {
        assert_eq!(shown(&plan(one, two, resource).unwrap().steps), steps, "{one} {two} {resource}");
    }
    for (one, two, resource, words) in [
        ("uuuuu", "ddddu", "mail", "mail is up on mail-2 (ims-switch online IMS-RG"),
        ("uuuuu", "d?ddd", "logical_IP", "logical_IP is unknown on mail-2"),
        ("uuddd", "lost", "mountshared", "--confirm-fenced mail-2"),
    ] {
        let fail = plan(one, two, resource).unwrap_err();
        assert_eq!(fail.exit(), Exit::Refused, "{one} {two} {resource}");
        assert!(fail.to_string().contains(words), "{fail}");
    }
}

#[test]
fn a_node_is_not_fenced_for_an_interface_that_is_only_looked_at() {
    let group = group();
    for other in ["lost", "lost+fence"] {
        let found = found(&group, "duuuu", other);
        let plan = plan(&group, &found, &Wish::Online(None)).unwrap();
        assert_eq!(shown(&plan.steps), ["mail-1:start network <>"], "{other}");
    }
}

#[test]
fn nothing_is_stopped_before_a_node_that_must_be_fenced_is_off() {
    let group = group();
    let mut want = steps::Want::default();
    for resource in ["ldap", "mail"] {
        want.down(&node("mail-2"), &name(resource), "so that it is down");
    }
    let (lost, found) = (node("mail-1"), found(&group, "lost+fence", "uuuuu"));
    assert_eq!(
        shown(&steps::ordered(&group, &found, &want, &[&lost])),
        ["mail-1:fence <>", "mail-2:stop mail <0>", "mail-2:stop ldap <1>"]
    );
}
