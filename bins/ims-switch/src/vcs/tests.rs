//! Whole configurations read, and groups written and read back.

mod made;

use std::path::Path;

use ims::group::Group;
use made::group;
use proptest::prelude::*;

use super::syntax::{Block, Item};
use super::{parser, read, write};
use crate::import::{Given, Imported, Remark, RemarkKind, Source};

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(file, text)| Source { file: file.into(), text: (*text).to_owned() }).collect()
}

fn told(remarks: &[Remark]) -> Vec<String> {
    remarks
        .iter()
        .map(|remark| format!("{} {} {}", remark.place(), remark.kind.word(), remark.what))
        .collect()
}

/// A main.cf of one group on two nodes, with these lines in it.
fn imported(lines: &str) -> Result<Imported, String> {
    let main = format!("group G (\nSystemList = {{ a, b }}\n)\n{lines}");
    read(&sources(&[("main.cf", &main)]), &Given::default()).map_err(|fail| fail.to_string())
}

#[test]
fn the_slips_of_the_guide_are_named_with_their_place_and_put_right() {
    let types = include_str!("../../../../tests/data/vcs/seed/MsgSvrType.cf");
    let main = include_str!("../../../../tests/data/vcs/seed/main.cf");
    let imported = read(&sources(&[("main.cf", main), ("MsgSvrType.cf", types)]), &Given::default()).unwrap();
    let slips: Vec<Remark> =
        imported.remarks.into_iter().filter(|remark| remark.kind == RemarkKind::Slip).collect();
    assert_eq!(
        told(&slips),
        [
            "main.cf:2 slip MsgSrvTypes.cf is included and MsgSvrType.cf was given; taken as one file",
            "MsgSvrType.cf:3 slip 'statis' declares nothing; taken as static",
        ]
    );
}

#[test]
fn what_is_not_valid_is_told_with_its_line() {
    for (text, message) in [
        ("clustr x (\n)\n", "main.cf:1: 'clustr' is no statement (did you mean 'cluster'?)"),
        ("Mount m (\n)\n", "main.cf:1: 'Mount' is no statement (a resource stands behind its group)"),
        ("group G (\nSystemList = { a, b\n", "main.cf:2: the file ends where ',' or '}' is expected"),
        ("group G (\nSystemList = { a b }\n)\n", "main.cf:2: ',' or '}' expected, not 'b'"),
        ("group G (\n", "main.cf:1: group G has no ')'"),
        ("group G (\nFrozen 1\n)\n", "main.cf:2: '=' behind Frozen expected, not '1'"),
        ("a requires b\n", "main.cf:1: this stands outside of a group"),
        ("include\n", "main.cf:1: the file ends where the name of a file is expected"),
        (
            "type T (\nzebra int X\n)\n",
            "main.cf:2: 'zebra' declares nothing (there are static, temp, str, i18nstr, int, boolean, keylist, \
             NameRule)",
        ),
        (
            "group G (\nSystemList = { a }\n)\nNIC n (\nDevice = e\n)\nIP i (\nDevice = e\n)\ni requires m\n",
            "main.cf:10: no resource 'm' in group G (did you mean 'n'?)",
        ),
        (
            "group G (\nSystemList = { a }\n)\nNIC n (\nDevice = e\n)\nNIC n (\nDevice = f\n)\n",
            "main.cf:7: n stands at main.cf:4 already (give one of them another name)",
        ),
        ("group \"a/b\" (\nSystemList = { a }\n)\nNIC n (\n)\n", "main.cf:1: not a group name: 'a/b'"),
    ] {
        let fail = read(&sources(&[("main.cf", text)]), &Given::default()).unwrap_err();
        assert_eq!(fail.exit(), ims::Exit::Usage);
        let fail = fail.to_string();
        assert!(fail.starts_with(message), "{text}\n{fail}");
    }
}

#[test]
fn systems_have_the_priority_of_the_one_before_them_and_one_more() {
    for (list, nodes) in [
        ("A, B = 2, C", ["A", "B", "C"]),
        ("A, B = 0, C", ["A", "B", "C"]),
        ("A = 2, B = 1, C = 0", ["C", "B", "A"]),
        ("A = 5, B, C = 1", ["C", "A", "B"]),
    ] {
        let main = format!("group G (\nSystemList = {{ {list} }}\n)\nNIC n (\nDevice = e\n)\n");
        let imported = read(&sources(&[("main.cf", &main)]), &Given::default()).unwrap();
        let order: Vec<&str> = imported.groups[0].nodes.iter().map(ims::name::NodeName::as_str).collect();
        assert_eq!(order, nodes, "{list}");
    }
}

#[test]
fn what_nothing_can_say_is_missing_and_an_option_says_it() {
    let lines =
        "NIC n (\n)\nIP i (\nDevice = e\nAddress = \"192.0.2.10\"\n)\nMount m (\nMountPoint = \"/m\"\n)\n";
    let missing: Vec<Remark> = imported(lines)
        .unwrap()
        .remarks
        .into_iter()
        .filter(|remark| remark.kind == RemarkKind::Missing)
        .collect();
    assert_eq!(
        told(&missing),
        [
            "main.cf:4 missing NIC n: NIC names no interface: say it with --interface",
            "main.cf:6 missing IP i: no NetMask: say it with --address 192.0.2.10=192.0.2.10/PREFIX",
            "main.cf:10 missing Mount m: no BlockDevice: say it with --volume /m=DEVICE",
        ]
    );
    let given = Given {
        addresses: vec![("192.0.2.10".to_owned(), "192.0.2.10/25".parse().unwrap())],
        interface: Some("eth7".to_owned()),
        volumes: vec!["/m=/dev/sdb1:xfs".parse().unwrap()],
        ..Given::default()
    };
    let main = format!("group G (\nSystemList = {{ a }}\n)\n{lines}");
    let imported = read(&sources(&[("main.cf", &main)]), &given).unwrap();
    assert!(told(&imported.remarks).is_empty(), "{:?}", told(&imported.remarks));
    let text = imported.groups[0].to_string();
    assert!(text.contains("eth7") && text.contains("192.0.2.10/25") && text.contains("xfs"), "{text}");
}

#[test]
fn nothing_is_started_in_place_of_what_has_no_counterpart() {
    let imported =
        imported("Oracle db (\nSid = S\nPword = hush\n)\nNIC n (\nDevice = e\n)\nn requires db\n").unwrap();
    let told = told(&imported.remarks);
    assert_eq!(
        told,
        [
            "main.cf:4 lost Oracle db: type Oracle has no counterpart; a command whose state is unknown stands for \
             it, write its command lines"
        ]
    );
    let group = imported.groups[0].parse(Path::new("G.toml")).unwrap();
    assert_eq!(group.resources[1].requires, ["db".parse().unwrap()]);
    assert!(!format!("{imported:?}").contains("hush"), "a password is told");
}

/// Writes groups, reads what was written, and compares all but the text.
fn comes_back(groups: &[Group]) {
    let exported = write(groups, &[]).unwrap();
    let sources: Vec<Source> =
        exported.files.into_iter().map(|file| Source { file: file.file, text: file.text }).collect();
    let back = read(&sources, &Given::default()).unwrap_or_else(|fail| panic!("{fail}\n{}", sources[0].text));
    let slips: Vec<&Remark> = back.remarks.iter().filter(|remark| remark.kind == RemarkKind::Slip).collect();
    assert!(slips.is_empty(), "{slips:?}\n{}", sources[0].text);
    assert_eq!(back.groups.len(), groups.len());
    for (group, draft) in groups.iter().zip(&back.groups) {
        let mut again = draft.parse(Path::new("again.toml")).unwrap_or_else(|fail| panic!("{fail}\n{draft}"));
        again.text.clone_from(&group.text);
        assert_eq!(&again, group);
    }
}

#[test]
fn groups_of_the_collection_come_back_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/group");
    let mut groups = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().parse().unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        groups.extend(Group::parse(name, &text, &path));
    }
    assert!(!groups.is_empty());
    for group in &groups {
        comes_back(std::slice::from_ref(group));
    }
    comes_back(&groups);
}

proptest! {
    #[test]
    fn any_group_comes_back_as_it_was(first in group("IMS-RG"), second in group("4.x")) {
        comes_back(&[first, second]);
    }

    #[test]
    fn any_tree_is_printed_as_it_is_read(first in group("IMS-RG")) {
        let exported = write(&[first], &[]).unwrap();
        let tree = parser::parse(&exported.files[0].text, Path::new("main.cf")).unwrap();
        let printed = tree.to_string();
        let again = parser::parse(&printed, Path::new("main.cf")).unwrap();
        prop_assert_eq!(&again.to_string(), &printed);
        prop_assert_eq!(format!("// main.cf\n{printed}"), exported.files[0].text.clone());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[A-Za-z0-9 \\n\"(){}=,;@/*#\\\\-]{0,200}") {
        let _ = read(&sources(&[("main.cf", &text)]), &Given::default());
    }
}

#[test]
fn types_are_printed_in_the_form_of_their_files() {
    let text = "type T (\n\tstatic int MonitorInterval = 180\n\ttemp str x = INVALID\n\tstatic str ArgList[] = { State }\n\
                \tNameRule = \"IP_\" + resource.Address\n\tkeylist Keys = { \"a.b\", c }\n\tstr Hints{} = { a = 1 }\n\
                \tboolean On\n)\n\n";
    let tree = parser::parse(text, Path::new("types.cf")).unwrap();
    assert_eq!(tree.to_string().trim_start(), text);
    assert!(tree.slips.is_empty());
    let bare = |item: &Item| matches!(item, Item::Block(Block { attributes, .. }) if attributes.is_empty());
    let old = parser::parse("cluster c\nsystem s\nsystem t (\n)\n", Path::new("main.cf")).unwrap();
    assert!(old.items.iter().all(bare));
}
