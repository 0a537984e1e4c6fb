//! The volume of a node whose power was cut, taken with and without the proof of its fencing.

use std::thread;
use std::time::Duration;

use super::super::bound;
use crate::support::Bed;

/// How much of the time without a proof it may take with one.
const SHARE: f64 = 0.1;

/// With the guard's shortest interval and with the usual one, side by side; gives what was missed.
pub fn takeover() -> Vec<String> {
    let threads = [1, 5].map(|interval| thread::spawn(move || with_interval(interval)));
    threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
}

fn with_interval(interval: u32) -> Option<String> {
    let bed = Bed::new();
    let (one, two) = (bed.node("mail-1"), bed.node("mail-2"));
    let options = format!("-O mmp -E mmp_update_interval={interval}");
    let disks = [(); 2].map(|()| bed.disk(64, &options));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names = String::new();
    for (node, disk) in [&one, &two].into_iter().flat_map(|node| disks.iter().map(move |disk| (node, disk))) {
        node.attach(disk);
        let minor = node.sh(&format!("mkdir -p /srv{0}; stat -c %Lr {0}", disk.device())).ok().stdout;
        names += &format!("\"{host}:loop{}\" = \"{}\"\n", minor.trim(), node.name());
    }
    for node in [&one, &two] {
        node.file("/etc/ims/guard-names.toml", &names);
    }
    let take = |node: &crate::support::Node, disk: &crate::support::Disk, more: &[&str]| {
        let (device, mount) = (disk.device(), format!("/srv{}", disk.device()));
        let fixed = ["ims-diskctl", "take", "--device", &device, "--mount", &mount];
        node.command(fixed.iter().chain(more).copied()).deadline(Duration::from_secs(120)).run().ok().took
    };
    for disk in &disks {
        take(&one, disk, &[]);
        one.sh(&format!("cp -r /etc /srv{0}; sync -f /srv{0}", disk.device())).ok();
    }
    one.power_cut();
    // As ims-switch makes it once the fence agent has ended.
    let guards: Vec<serde_json::Value> = disks
        .iter()
        .map(|disk| {
            let (device, mount) = (disk.device(), format!("/srv{}", disk.device()));
            let look = two.run(["ims-diskctl", "look", "--device", &device, "--mount", &mount]).status_is(1);
            let seen = look.records().pop().unwrap();
            let guard = &seen["guard"];
            serde_json::json!({
                "uuid": seen["uuid"], "mounts": seen["mounts"], "written_by": guard["written_by"],
                "sequence": guard["sequence"], "last_sign": guard["last_sign"],
            })
        })
        .collect();
    let proof = serde_json::json!({
        "schema": "ims.fenced/1", "host": "mail-2", "node": "mail-1", "method": "fence_bed",
        "confirmed_by": "agent", "time": jiff::Timestamp::now(), "guards": guards,
    });
    two.file("/run/proof.json", format!("{proof}\n"));
    let with = take(&two, &disks[0], &["--proof", "/run/proof.json"]);
    let without = take(&two, &disks[1], &[]);
    let share = with.as_secs_f64() / without.as_secs_f64();
    println!("a volume taken after a power cut, its guard written every {interval} s  (n = 1)");
    println!("    with the proof of the fencing {with:.2?}, without {without:.2?}: ratio {share:.3}");
    bound(
        share <= SHARE,
        format!("taken with a proof within {SHARE} of the time without, interval {interval} s"),
    )
}
