//! What 20,000 files that are in memory alone cost a release, and what is left of that after they were written out while
//! the servers ran.

use super::super::pair::parts_in_turn;
use super::Volume;
use crate::support::{Bed, Node};

/// Writes files of 4 KiB: how many, and where.
fn write(node: &Node, count: u32, folder: &str) {
    let script = r#"my ($count, $folder) = @ARGV; mkdir $folder; for my $i (1..$count) {
        open my $file, ">", "$folder/$i" or die $!; print $file "x" x 4096; close $file or die $!; }"#;
    node.run(["perl", "-e", script, &count.to_string(), folder]).ok();
}

/// Both, in turn.
pub fn files(bed: &Bed, node: &Node) {
    let volume = Volume::new(bed, node, 512, "-O mmp -N 65536");
    let folder = format!("{}/queue", volume.mount);
    let begin = || {
        volume.run(node, "take", &[]).ok();
        node.sh(&format!("rm -rf {folder}; sync -f {}", volume.mount)).ok();
        write(node, 20_000, &folder);
    };
    parts_in_turn(
        3,
        || {
            begin();
            let written = volume.run(node, "release", &["--presync"]).ok();
            println!("    (written out meanwhile in {:.0?})", written.took);
            write(node, 20, &format!("{folder}/last")); // what the servers write until they have stopped
            volume.run(node, "release", &[]).ok().took
        },
        || {
            begin();
            volume.run(node, "release", &[]).ok().took
        },
    )
    .tell(
        "released with 20,000 files of 4 KiB",
        "written out before, but for 20",
        "all of them in memory",
    );
}
