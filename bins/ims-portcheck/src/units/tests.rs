//! Units as they stand on a node, and what they open.

use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
}

/// A node's units, told as `unit address port line`.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    let units = units(&Host::below(root.path())).unwrap();
    let mut told: Vec<String> = units
        .sockets
        .iter()
        .map(|s| {
            let state = if s.is_enabled { "enabled" } else { "disabled" };
            format!("{} {state} {:?} {} {}", s.unit, s.bind, s.port, s.at)
        })
        .collect();
    told.extend(units.unknown.iter().map(ToString::to_string));
    told
}

const UNIT: &str = "usr/lib/systemd/system/d.socket";
const DROP: &str = "etc/systemd/system/d.socket.d/a.conf";
const WANT: (&str, &str) = ("etc/systemd/system/sockets.target.wants/d.socket", "");

#[test]
fn a_unit_opens_what_its_files_say_in_their_order() {
    let unit = "[Unit]\nListenStream=1\n[Socket]\n# ListenStream=2\nListenStream=/run/d\nListenStream=143\n";
    let at = |line: &str, enabled: &str, bind: &str, file: &str| {
        vec![format!("d.socket {enabled} {bind} {line} /{file}")]
    };
    let one = "[Socket]\nListenStream=192.0.2.7:25\n";
    for (files, wanted) in [
        (vec![(UNIT, unit)], at("143", "disabled", "Any", &format!("{UNIT}:6"))),
        (vec![(UNIT, unit), WANT], at("143", "enabled", "Any", &format!("{UNIT}:6"))),
        (
            vec![(UNIT, unit), (DROP, "[Socket]\nBindIPv6Only=ipv6-only\n")],
            at("143", "disabled", "AnyV6", &format!("{UNIT}:6")),
        ),
        (
            vec![(UNIT, unit), (DROP, "[Socket]\nListenStream=\nListenStream=0.0.0.0:25\n")],
            at("25", "disabled", "AnyV4", &format!("{DROP}:3")),
        ),
        (
            vec![(UNIT, unit), ("run/systemd/system/d.socket", one)],
            at("25", "disabled", "One(192.0.2.7)", "run/systemd/system/d.socket:2"),
        ),
        (
            vec![(UNIT, unit), ("proc/sys/net/ipv6/bindv6only", "1\n")],
            at("143", "disabled", "AnyV6", &format!("{UNIT}:6")),
        ),
        (
            vec![(UNIT, "[Socket]\nListenStream=\\\n [2001:db8::7]:25\n")],
            at("25", "disabled", "One(2001:db8::7)", &format!("{UNIT}:2")),
        ),
        (vec![(UNIT, unit), ("etc/systemd/system/d.socket", "")], Vec::new()),
        (vec![("usr/lib/systemd/system/d@.socket", one)], Vec::new()),
        (
            vec![(UNIT, "[Socket]\nListenStream=%i:25\n"), WANT],
            vec![format!(
                "/{UNIT}:2: cannot tell what ListenStream=%i:25 opens (write an address and a port)"
            )],
        ),
    ] {
        assert_eq!(told(&files), wanted, "{files:?}");
    }
}

#[test]
fn a_masked_unit_opens_nothing() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), UNIT, "[Socket]\nListenStream=143\n");
    fs_err::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
    std::os::unix::fs::symlink("/dev/null", root.path().join("etc/systemd/system/d.socket")).unwrap();
    assert_eq!(units(&Host::below(root.path())).unwrap().sockets, []);
}

const TEMPLATE: &str = "usr/lib/systemd/system/d@.socket";

#[test]
fn an_instance_of_a_template_opens_what_the_template_says_for_it() {
    let wants = "etc/systemd/system/sockets.target.wants/d@1143.socket";
    let template = (TEMPLATE, "[Socket]\nListenStream=192.0.2.7:%i\n");
    let line =
        |enabled: &str, place: &str| vec![format!("d@1143.socket {enabled} One(192.0.2.7) 1143 /{place}")];
    assert_eq!(told(&[template, (wants, "")]), line("enabled", &format!("{TEMPLATE}:2")));
    let own = "etc/systemd/system/d@1143.socket";
    assert_eq!(told(&[template, (own, template.1)]), line("disabled", &format!("{own}:2")));
    // Its own drop-in before that of the template, and the template's before that of all sockets.
    let drop = |folder: &str, port: u16| {
        let text = format!("[Socket]\nListenStream=\nListenStream={port}\n");
        (format!("run/systemd/system/{folder}.d/x.conf"), text, port)
    };
    let drops = [drop("socket", 1), drop("d@.socket", 2), drop("d@1143.socket", 3)];
    let mut files = vec![template, (wants, "")];
    for (path, text, port) in &drops {
        files.push((path, text));
        assert_eq!(told(&files), [format!("d@1143.socket enabled Any {port} /{path}:3")]);
    }
}

#[test]
fn drop_ins_count_in_the_order_of_their_names_wherever_they_stand() {
    let unit = ("usr/lib/systemd/system/a-b.socket", "[Socket]\nListenStream=1\n");
    let late = ("usr/lib/systemd/system/socket.d/90.conf", "[Socket]\nListenStream=\nListenStream=90\n");
    let early = ("etc/systemd/system/a-b.socket.d/10.conf", "[Socket]\nListenStream=\nListenStream=10\n");
    let dash = ("run/systemd/system/a-.socket.d/95.conf", "[Socket]\nListenStream=\nListenStream=95\n");
    let at = |port: u16, path: &str| vec![format!("a-b.socket disabled Any {port} /{path}:3")];
    assert_eq!(told(&[unit, early]), at(10, early.0));
    assert_eq!(told(&[unit, early, late]), at(90, late.0));
    assert_eq!(told(&[unit, early, late, dash]), at(95, dash.0));
}

#[test]
fn a_comment_is_neither_continued_nor_in_the_way_of_a_line_that_is() {
    let text = "[Socket]\n# all of \\\nListenStream=143\nListenStream=\\\n; the other\n110\n";
    let at = |port, line| format!("d.socket disabled Any {port} /{UNIT}:{line}");
    assert_eq!(told(&[(UNIT, text)]), [at(143, 3), at(110, 4)]);
}

#[test]
fn units_that_were_made_at_run_time_count_and_a_masked_one_does_not_for_all_its_drop_ins() {
    let one = "[Socket]\nListenStream=143\n";
    for folder in ["run/systemd/generator", "run/systemd/transient", "etc/systemd/system.control"] {
        let (path, want) = (format!("{folder}/d.socket"), format!("{folder}/sockets.target.wants/d.socket"));
        assert_eq!(
            told(&[(path.as_str(), one), (want.as_str(), "")]),
            [format!("d.socket enabled Any 143 /{path}:2")]
        );
    }
    assert_eq!(told(&[(UNIT, one), ("etc/systemd/system/d.socket", ""), (DROP, one)]), Vec::<String>::new());
}
