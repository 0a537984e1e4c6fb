//! Groups as a test makes them: every type, with names, texts and limits that VCS has no word for.

use std::path::Path;

use ims::group::Group;
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9._-]{0,6}"
}

/// A text as TOML has it.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| crate::import::Value::Text(text).to_string())
}

fn program() -> impl Strategy<Value = String> {
    (word(), prop::collection::vec(text(), 0..3)).prop_map(|(first, mut words)| {
        words.insert(0, format!("\"{first}\""));
        format!("[{}]", words.join(", "))
    })
}

fn layers() -> impl Strategy<Value = String> {
    let layer = prop::sample::select(vec![
        "\"md:/dev/md/ims\"",
        "\"lvm:shared\"",
        "\"lvm:shared/mail\"",
        "\"drbd:r0\"",
        "\"zfs:tank\"",
        "\"vxvm:imsdg\"",
    ]);
    prop::collection::vec(layer, 1..3).prop_map(|layers| format!("layers = [{}]", layers.join(", ")))
}

fn of_volume() -> impl Strategy<Value = String> {
    let fixed = [
        "",
        "guard = \"mmp\"",
        "guard = \"sanlock\"\nlease = \"ims:mail:/dev/sdb:0\"",
        "options = \"noatime,data=\\\"x y\\\"\"",
        "fstype = \"xfs\"",
    ];
    prop_oneof![prop::sample::select(fixed.map(ToOwned::to_owned).to_vec()), layers()]
}

/// What a resource says of its type; `@` stands for what no other resource of the group has.
fn kind() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9]{0,10}".prop_map(|device| format!("type = \"nic\"\ndevice = \"{device}\"")),
        (8_u8..25).prop_map(|bits| format!(
            "type = \"logical-ip\"\naddress = \"192.0.2.1@/{bits}\"\ndevice = \"eth0\""
        )),
        Just("type = \"logical-ip\"\naddress = \"2001:db8::1@/64\"\ndevice = \"eth0\"".to_owned()),
        layers().prop_map(|layers| format!("type = \"disk-group\"\n{layers}")),
        ("/[a-z0-9 \"\\\\]{1,8}", of_volume()).prop_map(|(path, further)| {
            let (device, mount) = (path.clone(), format!("{path}@"));
            let [device, mount] = [device, mount].map(crate::import::Value::Text);
            format!("type = \"volume\"\ndevice = {device}\nmount = {mount}\n{further}")
        }),
        word().prop_map(|name| format!("type = \"directory-server\"\ninstance = \"{name}\"")),
        word().prop_map(|name| format!("type = \"messaging-server\"\ninstance = \"{name}\"")),
        (program(), program(), program(), prop::collection::vec(any::<i32>(), 0..3)).prop_map(
            |(start, stop, monitor, down)| format!(
                "type = \"command\"\nstart = {start}\nstop = {stop}\nmonitor = {monitor}\noffline_status = {down:?}"
            )
        ),
        (word(), text()).prop_map(|(name, text)| format!(
            "type = \"ocf:heartbeat:Dummy\"\nparameters = {{ \"{name}\" = {text} }}"
        )),
    ]
}

fn limits() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (0_u32..9, 0_u32..9).prop_map(|(restarts, tolerated)| format!(
            "restart_limit = {restarts}\ntolerance_limit = {tolerated}"
        )),
        (1_u32..5000).prop_map(|ms| format!("monitor_interval = \"{ms}ms\"\nonline_timeout = {ms}")),
    ]
}

/// A group of up to five resources, each of which may require those before it.
pub fn group(name: &'static str) -> impl Strategy<Value = Group> {
    let resources = prop::collection::btree_map(word(), (kind(), limits(), any::<u8>()), 1..5);
    let bonds = prop::collection::vec(
        prop::sample::select(vec![
            "together_with = [\"LEADER\"]",
            "apart_from = [\"TEST\", \"BATCH\"]",
            "rather_with = [\"DNS\"]",
            "load = { gb = 4, groups = 2 }",
            "pingpong_interval = 1800",
        ]),
        0..2,
    );
    (prop::collection::btree_set(word(), 1..4), any::<bool>(), any::<bool>(), bonds, resources).prop_map(
        move |(nodes, failback, requires, bonds, resources)| {
            let nodes: Vec<String> = nodes.into_iter().collect();
            let others = if requires { "[\"OTHER\"]" } else { "[]" };
            let head = format!("nodes = {nodes:?}\nfailback = {failback}\nrequires_groups = {others}\n");
            let mut lines = vec![head];
            lines.extend(bonds.iter().map(|line| format!("{line}\n")));
            let mut before: Vec<String> = Vec::new();
            for (of, (kind, limits, mask)) in resources {
                let required: Vec<&String> = before
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| mask & (1 << bit) != 0)
                    .map(|(_, name)| name)
                    .collect();
                let kind = if kind.starts_with("type = \"volume") || kind.starts_with("type = \"logical") {
                    kind.replace('@', &before.len().to_string())
                } else {
                    kind
                };
                lines.push(format!("[resource.\"{of}\"]\n{kind}\n{limits}\nrequires = {required:?}\n"));
                before.push(of);
            }
            let text = lines.concat();
            Group::parse(name.parse().unwrap(), &text, Path::new("made.toml"))
                .unwrap_or_else(|fail| panic!("{fail}\n{text}"))
        },
    )
}
