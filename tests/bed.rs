//! The test bed itself: nodes, wires, disks and power cuts behave as the real things do.

use std::time::Instant;

use crate::support::*;

#[test]
fn two_nodes_with_a_disk_come_and_go_in_a_moment() {
    if !needs_root() {
        return;
    }
    for _ in 0..5 {
        let started = Instant::now();
        let bed = Bed::new();
        let made = started.elapsed();
        let (mail_1, mail_2) = (bed.node("mail-1"), bed.node("mail-2"));
        let nodes = started.elapsed();
        let disk = bed.disk(64, "-O mmp -E mmp_update_interval=1");
        mail_1.attach(&disk);
        mail_2.attach(&disk);
        let up = started.elapsed();
        mail_1.run(["mount", "/dev/ims1", "/mnt"]).ok();
        let mounted = started.elapsed();
        drop(bed);
        println!(
            "bed {made:?}, nodes {nodes:?}, disk {up:?}, mounted {mounted:?}, gone {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn starting_a_program_is_quick() {
    let bed = Bed::new();
    let node = bed.node("mail-1");
    for pause in [0, 0, 0, 30, 30, 30, 30, 100, 100, 100] {
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let ran = node.run(["true"]);
        println!("{pause} {:?}", ran.took);
    }
}
