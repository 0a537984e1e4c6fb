use super::*;

const HEAD: &str = "nodes = [\"mail-1\", \"mail-2\"]\n";

fn parse(text: &str) -> Result<Group, Fail> {
    Group::parse("IMS-RG".parse().unwrap(), text, Path::new("IMS-RG.toml"))
}

#[test]
fn the_documented_group_is_read_in_the_order_it_starts() {
    let text = r#"
nodes = ["mail-1", "mail-2"]
requires_groups = ["LDAP-USER-RG"]
failback = false
[resource.mail]
type = "messaging-server"
instance = "stork"
requires = ["ldap"]
restart_limit = 2
[resource.network]
type = "nic"
device = "eth0"
[resource.logical_IP]
type = "logical-ip"
address = "10.0.37.10/24"
device = "eth0"
requires = ["network"]
[resource.mountshared]
type = "volume"
device = "/dev/disk/by-label/ims"
mount = "/global/ims"
fstype = "ext4"
[resource.ldap]
type = "directory-server"
instance = "mail"
requires = ["logical_IP", "mountshared"]
monitor_interval = 60
"#;
    let group = parse(text).unwrap();
    let order: Vec<&str> = group.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(order, ["network", "logical_IP", "mountshared", "ldap", "mail"]);
    let ldap = group.get(&"ldap".parse().unwrap()).unwrap();
    assert_eq!(ldap.policy.monitor_interval, Duration::from_secs(60));
    assert_eq!(ldap.policy.restart_limit, 2);
    assert_eq!(group.requires_groups, ["LDAP-USER-RG".parse().unwrap()]);
}

#[test]
fn a_mirror_is_started_without_all_its_legs_only_where_that_is_said() {
    for (key, expected) in [("", false), ("degraded_start = false", false), ("degraded_start = true", true)] {
        let volume = format!("type = \"volume\"\ndevice = \"/dev/x\"\nmount = \"/x\"\n{key}\n");
        let group = parse(&format!("{HEAD}[resource.v]\n{volume}")).unwrap();
        let Kind::Volume(volume) = &group.resources[0].kind else { panic!("{group:?}") };
        assert_eq!(volume.degraded_start, expected, "{key}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_was_meant() {
    let nic = "[resource.n]\ntype = \"nic\"\ndevice = \"eth0\"\n";
    for (text, message) in [
        (format!("nodse = []\n{nic}"), "IMS-RG.toml:1: unknown key 'nodse' (did you mean 'nodes'?)"),
        (nic.to_owned(), "IMS-RG.toml:1: nodes is missing (the nodes in the order of preference)"),
        (HEAD.to_owned(), "IMS-RG.toml:1: no [resource.NAME] in it"),
        (format!("{HEAD}[resource.n]\ndevice = \"eth0\"\n"), "IMS-RG.toml:2: type is missing"),
        (
            format!("{HEAD}[resource.n]\ntype = \"nik\"\n"),
            "IMS-RG.toml:3: unknown type 'nik' (did you mean 'nic'?)",
        ),
        (
            format!("{HEAD}[resource.n]\ntype = \"zebra\"\n"),
            "IMS-RG.toml:3: unknown type 'zebra' (there are nic, logical-ip, disk-group, volume, \
             directory-server, messaging-server, command, ocf:<provider>:<agent>)",
        ),
        (
            format!("{HEAD}[resource.n]\ntype = \"nic\"\ndevcie = \"eth0\"\n"),
            "IMS-RG.toml:4: unknown key 'devcie' (did you mean 'device'?)",
        ),
        (
            format!("{HEAD}{nic}online_timeout = 9223372036854775807\n"),
            "IMS-RG.toml:5: online_timeout: longer than a year (8760h is the longest)",
        ),
        (
            format!("{HEAD}{nic}online_timeout = 99999999999999999999\n"),
            "IMS-RG.toml:5: online_timeout: longer than a year (8760h is the longest)",
        ),
        (format!("{HEAD}{nic}online_timeout = 0\n"), "IMS-RG.toml:5: online_timeout: no time is left by 0"),
        (
            format!("{HEAD}{nic}monitor_timeout = \"0s\"\n"),
            "IMS-RG.toml:5: monitor_timeout: no time is left by 0",
        ),
        (
            format!("{HEAD}{nic}offline_timeout = \"8761h\"\n"),
            "IMS-RG.toml:5: offline_timeout: longer than a year (8760h is the longest)",
        ),
        (
            format!("{HEAD}[resource.n]\ntype = \"nic\"\ndevice = 7\n"),
            "IMS-RG.toml:4: device is integer, not a text in quotes",
        ),
        (
            format!("{HEAD}{nic}requires = [\"m\"]\n"),
            "IMS-RG.toml:5: no resource 'm' in this group (did you mean 'n'?)",
        ),
        (
            format!(
                "{HEAD}{nic}requires = [\"b\"]\n[resource.a]\ntype = \"nic\"\ndevice = \"x\"\nrequires = [\"n\"]\n\
                 [resource.b]\ntype = \"nic\"\ndevice = \"x\"\nrequires = [\"a\"]\n"
            ),
            "IMS-RG.toml:5: a cycle of requirements: n -> b -> a -> n",
        ),
        (format!("{HEAD}{nic}requires = [\"n\"]\n"), "IMS-RG.toml:5: a cycle of requirements: n -> n"),
        (
            format!("{HEAD}[resource.v]\ntype = \"volume\"\ndevice = \"sda\"\nmount = \"/m\"\n"),
            "IMS-RG.toml:4: device is not an absolute path without '..': 'sda'",
        ),
        (
            format!(
                "{HEAD}[resource.v]\ntype = \"volume\"\ndevice = \"/dev/sda\"\nmount = \"/m\"\nfstype = \"auto\"\n"
            ),
            "IMS-RG.toml:6: not a type of file system: 'auto' (ext4, xfs, btrfs or another that /proc/filesystems has)",
        ),
        (
            format!(
                "{HEAD}[resource.v]\ntype = \"volume\"\ndevice = \"/dev/sda\"\nmount = \"/m\"\noptions = \"ro\"\n"
            ),
            "IMS-RG.toml:6: not for a volume: 'ro': a volume is taken to be written, and its guard works only then",
        ),
        (
            format!(
                "{HEAD}[resource.v]\ntype = \"volume\"\ndevice = \"/dev/sda\"\nmount = \"/m\"\n\
                 [resource.w]\ntype = \"volume\"\ndevice = \"/dev/sdb\"\nmount = \"/m/\"\n"
            ),
            "IMS-RG.toml:9: the mount /m is that of v too",
        ),
        (
            format!("{HEAD}[resource.c]\ntype = \"command\"\nstart = [\"x\"]\nstop = [\"x\"]\n"),
            "IMS-RG.toml:2: monitor is missing (a list of words, the program first)",
        ),
        (
            format!("{HEAD}[resource.c]\ntype = \"command\"\nstart = [\"\", \"x\"]\n"),
            "IMS-RG.toml:4: start is missing (a list of words, the program first)",
        ),
        (
            format!("{HEAD}[resource.o]\ntype = \"ocf:heartbeat\"\n"),
            "IMS-RG.toml:3: not an OCF agent: 'ocf:heartbeat' (like ocf:heartbeat:IPaddr2)",
        ),
        (
            format!(
                "{HEAD}[resource.a]\ntype = \"logical-ip\"\naddress = \"192.0.2.10\"\ndevice = \"eth0\"\n"
            ),
            "IMS-RG.toml:4: not an address with its prefix length: '192.0.2.10' (like 10.0.37.10/24)",
        ),
        ("nodes = [\"a\", \"b\", \"a\"]\n".to_owned(), "IMS-RG.toml:1: a stands twice in nodes"),
    ] {
        let fail = parse(&text).unwrap_err();
        assert_eq!(fail.to_string(), message, "{text}");
        assert_eq!(fail.exit(), crate::Exit::Usage);
    }
}

#[test]
fn broken_toml_is_told_in_one_line_with_its_place() {
    let fail = parse("nodes = [\"a\"\n[resource.x\n").unwrap_err().to_string();
    assert!(fail.starts_with("IMS-RG.toml:") && !fail.contains('\n'), "{fail}");
}

#[test]
fn where_a_group_may_be_is_read_and_what_contradicts_itself_is_told() {
    let nic = "[resource.n]\ntype = \"nic\"\ndevice = \"eth0\"\n";
    let text = format!(
        "{HEAD}requires_groups = [\"A\"]\ntogether_with = [\"B\", \"A\"]\napart_from = [\"C\"]\n\
         load = {{ memory_gb = 8 }}\npingpong_interval = \"30m\"\n{nic}"
    );
    let group = parse(&text).unwrap();
    let needed: Vec<&str> = group.needed_groups().map(GroupName::as_str).collect();
    assert_eq!(needed, ["A", "B"]);
    assert_eq!(group.bonds.apart_from, ["C".parse().unwrap()]);
    assert_eq!(group.load.to_string(), "groups 1, memory_gb 8");
    assert_eq!(group.pingpong_interval, Duration::from_secs(1800));
    let usual = parse(&format!("{HEAD}{nic}")).unwrap();
    assert_eq!((usual.load.to_string().as_str(), usual.pingpong_interval.as_secs()), ("groups 1", 3600));
    for (line, message) in [
        ("apart_from = [\"IMS-RG\"]", "IMS-RG.toml:2: IMS-RG stands in its own apart_from"),
        ("apart_from = [\"A\", \"A\"]", "IMS-RG.toml:2: A stands twice"),
        ("together_with = [\"A\"]\napart_from = [\"A\"]", "IMS-RG.toml:3: A stands in together_with already"),
        ("load = { memory_gb = 1.5 }", "IMS-RG.toml:2: memory_gb is float, not a whole number"),
        ("pingpong_interval = -1", "IMS-RG.toml:2: pingpong_interval is below 0"),
    ] {
        let fail = parse(&format!("{HEAD}{line}\n{nic}")).unwrap_err();
        assert_eq!(fail.to_string(), message, "{line}");
    }
}
