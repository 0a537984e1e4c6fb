//! A run that ends before the other nodes have answered: what reaches them ends too.

use std::time::Duration;

use rustix::process::Signal;

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
    let nodes = |proxy: &str, patience: &str| {
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
        nodes(if is_told { "sleep 601" } else { "wc" }, "5m");
        let line = format!("ims-registry {verb} mail-2 mail-3");
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
    nodes("sleep 601", "100ms");
    let late = node.run("ims-registry diff --timeout 100ms --with mail-2 mail-3".split(' ')).status_is(3);
    assert!(late.stderr.contains("cannot reach mail-2: ssh did not end within 200ms"), "{late}");
    assert!(until(SOON, || left().is_empty()), "{}", left());
}
