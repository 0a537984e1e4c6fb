//! The file of a report on a disk that is full, takes no writes, or does not answer.

use std::time::{Duration, Instant};

use crate::support::{Bed, Node, needs_root, until};

const REPORT: &str = "/srv/ims/ims.prom";

/// A node whose `/srv/ims` is such a file system.
fn node(bed: &Bed, mount: &str) -> Node {
    let node = bed.node("mail-1");
    node.sh(&format!("mkdir -p /srv/ims; {mount} /srv/ims")).ok();
    node.file(REPORT, "old\n");
    node
}

const PROBE: [&str; 6] = ["ims-probe", "tcp://127.0.0.1:1", "-o", "prometheus", "--to", REPORT];

/// A server at port 7 that closes each connection, of which the kernel keeps a trace for a minute.
const CLOSES: &str = "use IO::Socket::INET; \
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 7, Listen => 99) or die; \
    while (my $c = $s->accept) { close $c }";

#[test]
fn a_disk_that_is_full_or_takes_no_writes_is_told_and_keeps_the_old_report() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = node(&bed, "mount -t tmpfs -o size=8k tmpfs");
    for (sickness, words) in [
        ("head -c 4096 /dev/zero >/srv/ims/much", "No space left on device"),
        ("rm /srv/ims/much; mount -o remount,ro /srv/ims", "Read-only file system"),
    ] {
        node.sh(sickness).ok();
        let ran = node.run(PROBE).status_is(5);
        assert!(ran.stderr.starts_with("ims-probe: ") && ran.stderr.contains(words), "{}", ran.stderr);
        assert!(ran.stderr.contains(REPORT), "{}", ran.stderr);
        assert_eq!((node.read(REPORT).unwrap().as_str(), ran.stdout.as_str()), ("old\n", ""));
        assert_eq!(node.sh("ls -A /srv/ims | grep -v much").ok().stdout, "ims.prom\n");
    }
}

#[test]
fn a_disk_that_does_not_answer_holds_up_neither_the_probes_nor_the_end() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let disk = bed.disk(16, "");
    let node = bed.node("mail-1");
    node.attach(&disk);
    node.sh("mkdir -p /srv/ims; mount /dev/ims1 /srv/ims").ok();
    node.file(REPORT, "old\n");
    node.sh("fsfreeze -f /srv/ims").ok();
    let thawed = Thaw(&node);

    let start = Instant::now();
    let once = node.command(PROBE).deadline(Duration::from_secs(40)).run().status_is(3);
    assert!(once.stderr.contains("cannot tell whether /srv/ims/ims.prom was written"), "{}", once.stderr);
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());

    // Again and again: what hangs is written once, and the probes go on.
    let server = node.spawn(["perl", "-e", CLOSES]);
    let probe = ["ims-probe", "tcp://127.0.0.1:7", "-o", "prometheus", "--to", REPORT, "--every", "50ms"];
    let going = node.spawn(probe);
    let closed = || {
        let traces = node.sh("ss -Htn state time-wait '( sport = 7 or dport = 7 )' | wc -l").ok().stdout;
        traces.trim().parse::<u32>().unwrap()
    };
    assert!(until(Duration::from_secs(20), || closed() > 40), "the probes stand still: {}", closed());
    assert!(going.is_running());
    drop(thawed);
    let is_written = || node.read(REPORT).is_ok_and(|page| page.contains("ims_probe_attempts_total"));
    assert!(until(Duration::from_secs(20), is_written), "it is not written when the disk answers again");
    going.signal(rustix::process::Signal::TERM);
    going.wait(Duration::from_secs(20)).ok();
    server.kill();
}

/// A frozen file system would keep its node from its end.
struct Thaw<'n>(&'n Node);

impl Drop for Thaw<'_> {
    fn drop(&mut self) {
        self.0.sh("fsfreeze -u /srv/ims");
    }
}
