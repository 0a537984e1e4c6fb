use std::path::Path;

use ims::group::Group;

use super::super::layered::tests::crossings_on_paper;
use super::*;

fn group(name: &str, text: &str) -> GroupGraph {
    GroupGraph::of(&Group::parse(name.parse().unwrap(), text, Path::new(name)).unwrap(), None)
}

fn seed() -> Vec<GroupGraph> {
    vec![
        group("IMS-RG", include_str!("../../../../tests/data/graph/IMS-RG.toml")),
        group("LDAP-USER-RG", include_str!("../../../../tests/data/graph/LDAP-USER-RG.toml")),
        group("simple", include_str!("../../../../tests/data/group/IMS-RG.toml")),
    ]
}

#[test]
fn no_line_of_the_seeds_groups_crosses_another() {
    for group in &seed() {
        let frame = frame(group);
        assert!(!frame.laid.lines.is_empty());
        assert_eq!(crossings_on_paper(&frame.laid), 0, "{}: {:?}", group.group, frame.laid);
    }
}

#[test]
fn every_text_fits_its_box_and_every_box_its_frame() {
    for group in &seed() {
        let frame = frame(group);
        for ((one, size), at) in group.resources.iter().zip(&frame.boxes).zip(&frame.laid.corners) {
            for line in lines(one) {
                // 0.602 em is what a character of the widest of the usual fixed-width fonts takes.
                assert!(number(line.chars().count()) * 12.0 * 0.602 + 2.0 * 6.0 <= size.width, "{line}");
            }
            assert!(at.0 + size.width <= frame.laid.size.width + 0.1, "{}", one.resource);
            assert!(at.1 + size.height <= frame.laid.size.height + 0.1, "{}", one.resource);
        }
        assert!(frame.laid.size.width + 2.0 * FRAME <= frame.size.width);
        let title = number(group.below().chars().count()) * 12.0 * 0.602;
        assert!(title <= frame.size.width, "{}", group.below());
    }
}

#[test]
fn groups_that_require_each_other_are_drawn_all_the_same() {
    let edges = [(0, 1), (1, 2), (2, 0), (1, 0)];
    assert_eq!(without_rings(&edges), (vec![(0, 1), (1, 2)], vec![(0, 2), (0, 1)]));
}

#[test]
fn what_a_file_says_is_no_markup() {
    let path = "nodes = [\"a\"]\n[resource.x]\ntype = \"volume\"\ndevice = \"/dev/<&\\\">\\u0007\"\nmount = \"/m\"\n";
    let drawn = svg(&[group("X", path)]);
    assert!(drawn.contains("/dev/&lt;&amp;&quot;&gt;\u{fffd}</text>"), "{drawn}");
    assert!(!drawn.contains("<&"), "{drawn}");
}
