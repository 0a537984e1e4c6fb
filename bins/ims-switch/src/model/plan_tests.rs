use clap::Parser;

use super::*;
use crate::cli::{Args, Verb};

fn asked(line: &str) -> Model {
    let words = ["ims-switch", "model", "-n"].into_iter().chain(line.split_whitespace());
    let Verb::Model(model) = Args::try_parse_from(words).unwrap().verb else { panic!("{line}") };
    model
}

/// Each instance with its nodes and its Job Controller's port.
fn placed(line: &str) -> Vec<String> {
    let laid = plan(&asked(line)).unwrap();
    let told = laid.instances.iter().map(|one| {
        let nodes: Vec<&str> = one.nodes.iter().map(NodeName::as_str).collect();
        format!("{} {} {}", one.instance.name, nodes.join(","), one.job_controller.unwrap_or(0))
    });
    told.collect()
}

const A: &str = "--instance a=192.0.2.10/24";
const B: &str = "--instance b=192.0.2.11/24";
const C: &str = "--instance c=192.0.2.12/24";

#[test]
fn each_model_has_its_primaries_and_backups() {
    for (line, wanted) in [
        (format!("asymmetric --nodes p,q {A} {B}"), vec!["a p,q 0", "b p,q 0"]),
        (format!("asymmetric --nodes p,q {A}@q {B}@q"), vec!["a q,p 0", "b q,p 0"]),
        (format!("symmetric --nodes p,q {A} {B} {C}"), vec!["a p,q 0", "b q,p 0", "c p,q 0"]),
        (format!("symmetric --nodes p,q {A}@q {B}@p"), vec!["a q,p 0", "b p,q 0"]),
        (format!("n+1 --nodes p,q,r,s {A} {B} {C}"), vec!["a p,s 0", "b q,s 0", "c r,s 0"]),
        (
            format!("n+1 --nodes p,q,s {A}@q {B}@p {C}@p --layout iplanet-5"),
            vec!["a q,s 27442", "b p,s 27443", "c p,s 27444"],
        ),
    ] {
        assert_eq!(placed(&line), wanted, "{line}");
    }
}

#[test]
fn what_does_not_fit_the_model_is_told_with_what_would() {
    for (line, words) in [
        (format!("asymmetric --nodes p {A}"), "asymmetric has two nodes, not 1"),
        (format!("symmetric --nodes p,q,r {A} {B}"), "symmetric has two nodes, not 3"),
        (format!("n+1 --nodes p,q {A}"), "n+1 has two primaries and a standby at least"),
        (format!("asymmetric --nodes p,p {A}"), "p stands twice in --nodes"),
        (format!("asymmetric --nodes p,q {A} {A}"), "a stands twice in --instance"),
        (format!("asymmetric --nodes p,q {A} --instance b=192.0.2.10/24"), "192.0.2.10 stands twice"),
        (
            format!("asymmetric --nodes p,q {A}@p {B}@q"),
            "only one node of asymmetric runs instances (with both",
        ),
        (format!("symmetric --nodes p,q {A}"), "q runs no instance (add --instance NAME=ADDRESS/PREFIX@q"),
        (format!("n+1 --nodes p,q,s {A} {B}@s"), "s is no node for b (it is the standby"),
        (format!("asymmetric --nodes mail-1,mail-2 {A}@mail-11"), "(did you mean 'mail-1'?)"),
        (format!("asymmetric --nodes p,q {A} {B} --ldap mail"), "--ldap does not say whose it is"),
        (format!("asymmetric --nodes p,q {A} --ldap b=mail"), "no --instance is called b"),
        (format!("asymmetric --nodes p,q {A} {B} --ldap a=x --ldap b=x"), "x stands twice in --ldap"),
        (format!("asymmetric --nodes p,q {A} --disk b=/dev/x"), "no --instance is called b"),
        (format!("asymmetric --nodes p,q {A} --layout messaging-6 --ldap x"), "messaging-6 has no directory"),
        (
            "asymmetric --nodes p,q --instance a=192.0.2.10/24,2001:db8::10/64 --layout iplanet-5".to_owned(),
            "a: servers of iplanet-5 are bound to one IPv4 address",
        ),
        (
            "asymmetric --nodes p,q --instance the-mail-of-all-people=192.0.2.10/24".to_owned(),
            "too long for a label of ext4, at most 16 bytes (say --disk the-mail-of-all-people=DEVICE)",
        ),
    ] {
        let fail = plan(&asked(&line)).unwrap_err();
        assert_eq!(fail.exit(), ims::Exit::Usage, "{line}");
        assert!(fail.to_string().contains(words), "{line}: {fail}");
    }
}

#[test]
fn instances_that_may_meet_on_a_node_share_neither_an_address_nor_a_job_controllers_port() {
    for line in [
        format!("symmetric --nodes p,q {A} {B} {C} --layout iplanet-5"),
        format!("n+1 --nodes p,q,r,s {A} {B} {C} --layout messaging-6"),
        format!("asymmetric --nodes p,q {A} {B} {C} --layout iplanet-5"),
    ] {
        let laid = plan(&asked(&line)).unwrap();
        for (index, one) in laid.instances.iter().enumerate() {
            for other in &laid.instances[index + 1..] {
                assert!(one.nodes.iter().any(|node| other.nodes.contains(node)), "{line}: they may meet");
                assert_ne!(one.job_controller, other.job_controller, "{line}");
                assert_ne!(one.instance.addresses, other.instance.addresses, "{line}");
                assert_ne!((&one.mount, &one.stand.device), (&other.mount, &other.stand.device), "{line}");
            }
        }
    }
}

#[test]
fn what_mirrors_is_by_the_model_unless_it_was_said() {
    for (line, layer, device) in [
        (format!("asymmetric --nodes p,q {A}"), None, "/dev/disk/by-label/a"),
        (format!("symmetric --nodes p,q {A} {B}"), Some("md:/dev/md/a"), "/dev/md/a"),
        (format!("symmetric --nodes p,q {A} {B} --mirror drbd"), Some("drbd:a"), "/dev/drbd/by-res/a/0"),
        (format!("symmetric --nodes p,q {A} {B} --mirror btrfs"), None, "/dev/disk/by-label/a"),
        (format!("symmetric --nodes p,q {A} {B} --mirror none"), None, "/dev/disk/by-label/a"),
        (format!("asymmetric --nodes p,q {A} --disk a=/dev/mapper/x"), None, "/dev/mapper/x"),
    ] {
        let laid = plan(&asked(&line)).unwrap();
        let one = &laid.instances[0];
        assert_eq!(one.stand.layers.first().map(ToString::to_string).as_deref(), layer, "{line}");
        assert_eq!(one.stand.device, Path::new(device), "{line}");
    }
}

#[test]
fn what_has_no_guard_of_its_own_is_told() {
    for (words, told) in [
        ("", false),
        ("--fstype xfs", true),
        ("--fstype xfs --leases /dev/l", false),
        ("--fstype xfs --mirror drbd", false),
        ("--mirror btrfs", true),
        ("--mirror btrfs --leases /dev/l", false),
        ("--fstype btrfs", true),
    ] {
        let laid = plan(&asked(&format!("asymmetric --nodes p,q {A} {words}"))).unwrap();
        assert_eq!(super::super::notes::notes(&laid).contains("no guard of its own"), told, "{words}");
    }
}

#[test]
fn each_volume_gets_a_lease_of_its_own_on_the_disk_of_leases() {
    let laid =
        plan(&asked(&format!("symmetric --nodes p,q {A} {B} --mirror btrfs --leases /dev/l"))).unwrap();
    let leases: Vec<String> =
        laid.instances.iter().map(|one| one.stand.lease.as_ref().unwrap().to_string()).collect();
    assert_eq!(leases, ["ims:a:/dev/l:8388608", "ims:b:/dev/l:16777216"]);
    let fail = plan(&asked(&format!("asymmetric --nodes p,q {A} --mirror btrfs --fstype xfs"))).unwrap_err();
    assert_eq!(fail.to_string(), "a mirror of Btrfs has Btrfs on it (leave --fstype out)");
}
