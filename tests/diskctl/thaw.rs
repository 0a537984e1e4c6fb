//! A holder that stood still, kernel and all, while another took its volume, and then goes on: what it can write.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Pair, record, text};
use crate::support::stamps::{self, interleavings};
use crate::support::{Bed, Machine, Ran, needs_root, until};

fn look_at(options: &str, more: &str) {
    let folder = tempfile::tempdir().unwrap();
    let bed = Bed::new();
    let two = bed.node("mail-2");
    let disk = bed.disk(32, &format!("-L ims -O mmp -E mmp_update_interval=1 {}", stamps::layout(&folder)));
    let mut one = Machine::boot("mail-1", &[&disk]);
    two.attach(&disk);
    two.sh("mkdir -p /srv/ims").ok();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    two.file("/etc/ims/guard-names.toml", format!("\"{host}\" = \"mail-2\"\n"));
    let ran = one.sh(&format!("mkdir -p /srv/ims; ims-diskctl take --device /dev/ubda --mount /srv/ims {options}")).ok();
    println!("{ran}");
    let words = stamps::words("/srv/ims", "mail-1").join(" ");
    one.sh(&format!("{words} </dev/null >/run/out 2>/run/err & echo $! >/run/writer; while [ ! -s /run/out ]; do sleep 0.01; done")).ok();
    one.freeze();
    two.file("/tmp/proof", format!(r#"{{"schema":"ims.fenced/1","host":"mail-2","node":"mail-1","method":"x","confirmed_by":"agent","time":"{}"}}"#, jiff::Timestamp::now()));
    std::thread::sleep(Duration::from_secs(7));
    let ran = two.run(["sh", "-c", &format!("exec ims-diskctl take --device /dev/ims1 --mount /srv/ims {more}")]).ok();
    println!("{ran}");
    let second = stamps::write(&two, "/srv/ims");
    let at = jiff::Timestamp::now();
    one.thaw();
    let thawed = Instant::now();
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(500));
        let ran = one.sh("kill -0 $(cat /run/writer) && echo lives; tail -n1 /run/out; cat /run/err; grep /srv /proc/mounts; dmesg | tail -n 3");
        println!("{:?} {}{}", thawed.elapsed(), ran.stdout, ran.stderr);
    }
    second.kill();
    println!("thawed at {at}");
    println!("{:?}", interleavings(&stamps::read(&disk, 32)));
    let look = two.run(["ims-diskctl", "look", "--device", "/dev/ims1", "--mount", "/srv/ims"]);
    println!("{look}");
}

#[test]
fn x_default() {
    look_at("", "--proof /tmp/proof");
}

#[test]
fn x_remount() {
    look_at("--options errors=remount-ro", "--proof /tmp/proof");
}

#[test]
fn x_clock() {
    let mut one = Machine::boot("mail-1", &[]);
    let ask = "cat /proc/uptime; date +%s.%N; grep -m1 jiffies: /proc/timer_list || :; perl -MTime::HiRes=clock_gettime -e 'print join(q( ), clock_gettime(1), clock_gettime(7), clock_gettime(4)), qq(\n)'";
    println!("{}", one.sh(ask));
    one.freeze();
    std::thread::sleep(Duration::from_secs(7));
    one.thaw();
    println!("{}", one.sh(ask));
    std::thread::sleep(Duration::from_secs(2));
    println!("{}", one.sh(ask));
}
