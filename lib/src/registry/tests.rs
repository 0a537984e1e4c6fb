use proptest::prelude::*;

use super::*;

const TWO: &str = "# ours\n[mail-1]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\naddress = 10.0.37.10\nldap = elenchus\n\
                   owner = postmaster ; keep\n\n# the other\n[mail-2]\nroot=/opt/iplanet/server5\nlayout=iplanet-5\n";

fn parse(text: &str) -> Result<Registry, Fail> {
    Registry::parse(text, Path::new("/etc/msgregistry.inf"))
}

fn text(registry: &Registry) -> String {
    String::from_utf8(registry.bytes()).unwrap()
}

#[test]
fn a_registry_prints_as_it_was_read() {
    for text in ["", "# only a comment\n", TWO, TWO.trim_end()] {
        assert_eq!(self::text(&parse(text).unwrap()), text);
    }
}

#[test]
fn changing_one_key_leaves_every_other_byte() {
    let mut registry = parse(TWO).unwrap();
    let mut instance = registry.get(&"mail-1".parse().unwrap()).unwrap().clone();
    assert!(!registry.put(&instance), "the same again is no change");
    instance.addresses = vec!["10.0.37.11".parse().unwrap()];
    assert!(registry.put(&instance));
    assert_eq!(text(&registry), TWO.replace("10.0.37.10", "10.0.37.11"));
}

#[test]
fn what_was_added_is_taken_out_again() {
    let mut registry = parse(TWO).unwrap();
    let instance =
        Instance { name: "mail-3".parse().unwrap(), ..registry.instances().next().unwrap().clone() };
    assert!(registry.put(&instance));
    let again = parse(&self::text(&registry)).unwrap();
    assert_eq!(again.get(&instance.name), Some(&instance));
    assert!(registry.remove(&[instance.name]));
    assert_eq!(text(&registry), TWO);
}

#[test]
fn a_torn_registry_is_refused_with_its_line() {
    for (text, place) in [
        ("layout = iplanet-5\n", ":1: a key before"),
        ("[mail-1\nlayout = iplanet-5\n", ":1: a section without"),
        ("[mail-1]\nlayout = iplanet-5\nroot = /opt/ipl", ""),
        ("[mail-1]\nlayout = iplanet-5\nro", ":3: neither"),
        ("[mail-1]\nlayout = iplanet-5\n", ":1: [mail-1] has no root"),
        ("[a]\nlayout = x\nroot = /a\n", ":2: no layout 'x'"),
        ("[a]\nlayout = iplanet-5\nroot = a\n", ":3: not an absolute path"),
        ("[a]\nlayout = iplanet-5\nroot = /a\nroot = /b\n", ":4: root stands twice"),
        (
            "[a]\nlayout = iplanet-5\nroot = /a\n[a]\nlayout = iplanet-5\nroot = /a\n",
            ":4: [a] stands there twice",
        ),
    ] {
        match parse(text) {
            Ok(_) => assert!(place.is_empty(), "{text:?} was taken"),
            Err(fail) => {
                assert_eq!(fail.exit(), Exit::Usage);
                let told = fail.to_string();
                assert!(!place.is_empty() && told.contains(place), "{text:?}: {told}");
            }
        }
    }
}

#[test]
fn an_entry_goes_with_its_own_lines_and_the_comments_around_it_stay() {
    let text = "# all of them\n\n[a]\nroot = /a\n# inside\nlayout = iplanet-5\nowner = joe\n# about b\n[b]\nlayout = iplanet-5\n\
                root = /b\n\n# about c\n[c]\nlayout = iplanet-5\nroot = /c\n";
    let c = "# about c\n[c]\nlayout = iplanet-5\nroot = /c\n";
    for (gone, left) in [
        (&["a"][..], text.replace("[a]\nroot = /a\n# inside\nlayout = iplanet-5\nowner = joe\n", "")),
        (&["b"], text.replace("[b]\nlayout = iplanet-5\nroot = /b\n\n", "")),
        (&["a", "b"], format!("# all of them\n\n# about b\n{c}")),
        (
            &["c", "a"],
            "# all of them\n\n# about b\n[b]\nlayout = iplanet-5\nroot = /b\n\n# about c\n".to_owned(),
        ),
    ] {
        let mut registry = parse(text).unwrap();
        let names: Vec<InstanceName> = gone.iter().map(|name| name.parse().unwrap()).collect();
        assert!(registry.remove(&names) && !registry.remove(&names));
        assert_eq!(self::text(&registry), left, "without {gone:?}");
    }
}

#[test]
fn the_form_of_a_line_whose_value_changes_stays_and_that_of_the_others_too() {
    let text =
        "[a]\r\n  root=/a  \r\nlayout =iplanet-5\r\naddress = 10.0.37.10,10.0.37.11\r\nmail=yes\r\nldap=\r\n";
    let mut registry = parse(text).unwrap();
    let mut instance = registry.instances().next().unwrap().clone();
    instance.root = "/b c".into();
    assert!(registry.put(&instance));
    assert_eq!(self::text(&registry), text.replace("=/a", "=/b c"));
    instance.ldap = Some("x".parse().unwrap());
    assert!(registry.put(&instance));
    assert_eq!(self::text(&registry), text.replace("=/a", "=/b c").replace("ldap=", "ldap = x"));
}

/// Lines of somebody's: comments, blank lines, keys that are not ours, some of them no UTF-8.
fn somebodys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"".to_vec()),
        Just(b" \t".to_vec()),
        "[#;][ -~]{0,12}".prop_map(String::into_bytes),
        Just(b"# caf\xe9 \xff".to_vec()),
    ]
}

fn key_lines(number: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let ours = (0..3u8, proptest::bool::ANY).prop_map(|(addresses, ldap)| {
        let mut lines = vec![b"layout = iplanet-5".to_vec(), b"  root=/srv".to_vec()];
        let all = ["address = 192.0.2.7", "address=192.0.2.7,2001:db8::7 "];
        lines.extend(addresses.checked_sub(1).map(|at| all[usize::from(at)].into()));
        lines.extend(ldap.then(|| b"ldap\t=\tx".to_vec()));
        lines
    });
    let own = prop_oneof![Just(b"owner = joe".to_vec()), Just(b"x-caf\xe9 = \xff=".to_vec())];
    (ours, proptest::option::of(own), proptest::collection::vec(somebodys(), 0..3)).prop_flat_map(
        move |(mut lines, own, comments)| {
            lines.extend(own.into_iter().chain(comments));
            Just(lines)
                .prop_shuffle()
                .prop_map(move |lines| [vec![format!("[m{number}]").into_bytes()], lines].concat())
        },
    )
}

/// A whole file: its lines ended in one of two ways, the last one perhaps not at all.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let entries = (0..4usize).prop_flat_map(|count| (0..count).map(key_lines).collect::<Vec<_>>());
    let head = proptest::collection::vec(somebodys(), 0..3);
    (head, entries, proptest::bool::ANY, proptest::bool::ANY).prop_map(|(head, entries, crlf, open)| {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let lines: Vec<Vec<u8>> = head.into_iter().chain(entries.into_iter().flatten()).collect();
        let mut text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), end].concat()).collect();
        if open {
            text.truncate(text.len().saturating_sub(end.len()));
        }
        text
    })
}

/// The lines that an edit of one entry must leave: all but blank ones, our keys in that entry, and line ends; without
/// the entry's own when it is removed.
fn left(text: &[u8], edited: &str, removed: bool) -> Vec<Vec<u8>> {
    let ours: [&[u8]; 5] = [b"layout", b"root", b"address", b"ldap", b"mail"];
    let registry = Registry::parse(text, Path::new("x")).unwrap();
    let section = |section: &Section| -> Vec<Vec<u8>> {
        let is_it = section.instance.name.as_str() == edited;
        let keeps = |line: &&[u8]| {
            !is_it || !(removed || matches!(Line::of(line), Line::Key(k, _) if ours.contains(&k)))
        };
        let body = section.body.split_inclusive(|b| *b == b'\n').filter(keeps);
        body.chain(section.tail.split_inclusive(|b| *b == b'\n')).map(<[u8]>::to_vec).collect()
    };
    let head = registry.head.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec);
    let lines = head.chain(registry.sections.iter().flat_map(section));
    let bare = lines.map(|line| {
        line.strip_suffix(b"\n").map_or(line.clone(), |l| l.strip_suffix(b"\r").unwrap_or(l).to_vec())
    });
    bare.filter(|line| !line.trim_ascii().is_empty()).collect()
}

proptest! {
    #[test]
    fn any_registry_prints_as_it_was_read(text in files()) {
        prop_assert_eq!(Registry::parse(&text, Path::new("x")).unwrap().bytes(), text);
    }

    #[test]
    fn whatever_is_not_the_entry_edited_survives(
        text in files(),
        number in 0..4usize,
        addresses in 0..3u8,
        with_ldap in proptest::bool::ANY,
        mail in proptest::bool::ANY,
    ) {
        let before = Registry::parse(&text, Path::new("x")).unwrap();
        let name = format!("m{number}");
        let instance = Instance {
            name: name.parse().unwrap(),
            layout: crate::layout::Layout::PostfixDovecot,
            root: "/elsewhere".into(),
            addresses: (0..addresses).map(|n| format!("192.0.2.{}", n + 1).parse().unwrap()).collect(),
            ldap: with_ldap.then(|| "y".parse().unwrap()),
            mail,
        };
        let mut put = before.clone();
        prop_assert!(put.put(&instance));
        let again = Registry::parse(put.bytes(), Path::new("x")).unwrap();
        prop_assert_eq!(again.get(&instance.name), Some(&instance));
        let title = format!("[{name}]").into_bytes();
        let without_title = |lines: Vec<Vec<u8>>| lines.into_iter().filter(|l| *l != title).collect::<Vec<_>>();
        prop_assert_eq!(
            without_title(left(&put.bytes(), &name, false)),
            without_title(left(&text, &name, false))
        );
        let mut removed = put.clone();
        prop_assert!(removed.remove(std::slice::from_ref(&instance.name)));
        prop_assert_eq!(left(&removed.bytes(), &name, true), left(&text, &name, true));
        let was_there = before.get(&instance.name).is_some();
        if !was_there && text.ends_with(b"\n") && !ends_blank(&text) {
            prop_assert_eq!(removed.bytes(), text);
        }
    }
}
