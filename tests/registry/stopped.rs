//! A run that ends before the other nodes have answered: what reaches them ends too, and their files are old or new.

use std::time::Duration;

use rustix::process::Signal;

use super::nodes::{NODES, REGISTRY, entry, nodes};
use crate::support::{Bed, needs_root, until};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn what_reaches_a_node_does_not_outlive_the_run_that_asks_it() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    node.file("/etc/msgregistry.inf", "[stork]\nlayout = iplanet-5\nroot = /opt/iplanet/server5\n");
    // ssh waits for ever for what its ProxyCommand says.
    let lay = |proxy: &str, patience: &str| {
        let late = format!("reach_timeout = \"{patience}\"\n");
        let two = format!("reach = [\"ssh\", \"-o\", \"ProxyCommand={proxy}\", \"root@mail-2\"]\n{late}");
        let three = format!("reach = [\"sh\", \"-c\", \"exec sleep 602\"]\n{late}");
        node.file("/etc/ims/nodes.toml", format!("[mail-2]\n{two}[mail-3]\n{three}"));
    };
    let left = || node.sh("pgrep -a -x \"ssh|sleep|wc\" || true").ok().stdout;
    for (verb, signal) in [
        ("diff --with", Signal::TERM),
        ("replicate --to", Signal::INT),
        ("replicate --to", Signal::TERM),
        // Nobody is left who could end them: the kernel ends those that we started, and the others hear their end.
        ("diff --with", Signal::HUP),
        ("replicate --to", Signal::KILL),
    ] {
        let is_told = signal == Signal::TERM || signal == Signal::INT;
        lay(if is_told { "sleep 601" } else { "wc" }, "5m");
        // Who runs the tests may have turned SIGHUP off, as nohup(1) does, and a program inherits that.
        let line = format!("env --default-signal=HUP ims-registry {verb} mail-2 mail-3");
        let run = node.spawn(line.split(' '));
        assert!(until(SOON, || left().lines().count() == 3), "{line}: {}", left());
        run.signal(signal);
        let ended = run.wait(SOON);
        assert!(until(SOON, || left().is_empty()), "{line}, {signal:?}: {}", left());
        if is_told {
            let told: Vec<String> =
                ended.clone().status_is(3).records().iter().map(|r| r["message"].to_string()).collect();
            let of = |name: &str, program: &str| {
                format!(
                    "\"cannot reach {name}: {program} was killed, as a signal asks us to stop (run it again)\""
                )
            };
            assert_eq!(told, [of("mail-2", "ssh"), of("mail-3", "sh")], "{ended}");
        }
    }
    lay("sleep 601", "100ms");
    let late = node.run("ims-registry diff --timeout 100ms --with mail-2 mail-3".split(' ')).status_is(3);
    assert!(late.stderr.contains("cannot reach mail-2: ssh did not end within 200ms"), "{late}");
    assert!(until(SOON, || left().is_empty()), "{}", left());
}

#[test]
fn a_run_that_is_killed_leaves_the_other_file_old_or_new_and_the_next_finishes() {
    if !needs_root() {
        return;
    }
    let bed = Bed::with_ssh();
    let [one, two] = nodes::<2>(&bed);
    let registry =
        |address: &str| (0..300).map(|n| entry(&format!("m{n}"), address)).collect::<Vec<_>>().join("\n");
    let addresses = ["10.0.37.10", "10.0.37.11"];
    two.file(REGISTRY, registry(addresses[0]));
    let replicate = ["ims-registry", "replicate", "--to", "mail-2", "--force-replace"];
    one.file(REGISTRY, registry(addresses[1]));
    let whole = one.run(replicate).ok().took;
    let (mut old, mut new) = (0, 0);
    for round in 0..24u32 {
        let from = two.read(REGISTRY).unwrap();
        let to = registry(addresses[usize::from(from.contains(addresses[0]))]);
        one.file(REGISTRY, &to);
        if round % 2 == 0 {
            let running = one.spawn(replicate);
            // At a moment of its own in every round: no thing to wait for says where the run is.
            std::thread::sleep(whole * round / 20);
            running.kill();
        } else {
            // The other end is killed instead, by what stands before its command line.
            let reach =
                format!("[\"ssh\", \"root@mail-2\", \"timeout\", \"-s\", \"KILL\", \"0.{:03}\"]", 3 * round);
            one.file("/etc/ims/nodes.toml", format!("[mail-2]\nreach = {reach}\n"));
            let status = one.run(replicate).status;
            assert!(matches!(status, Some(0 | 3)), "{status:?}");
            one.file("/etc/ims/nodes.toml", NODES);
        }
        let now = two.read(REGISTRY).unwrap();
        assert!(now == from || now == to, "half of it");
        if now == to {
            new += 1;
        } else {
            old += 1;
        }
        one.run(replicate).ok();
        assert_eq!(two.read(REGISTRY).unwrap(), to);
    }
    println!("killed in {} rounds: {old} old, {new} new", old + new);
    let left = two.sh("ls -a /etc | grep -c 'msgregistry.inf.ims-' || true");
    assert_eq!(left.stdout, "0\n");
}
