//! The power switch that nodes can reach: a fence agent in every node, which asks the bed through two FIFOs, as
//! those cross network namespaces and need no program but sh.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::fs::{CWD, FileType, Mode};

use super::lock;
use super::must::Must;
use super::node::Node;
use super::rack::Rack;
use super::script;

/// The agent's path in every node.
pub const AGENT: &str = "/run/ims-bed/fence_bed";

/// As fence agents do, it takes its options from stdin, or from the arguments when there are any.
const SCRIPT: &str = r#"#!/bin/sh
# A fence agent: asks the test bed to cut a node's power.
action=reboot plug=
[ $# -gt 0 ] || while IFS='=' read -r key value; do set -- "$@" "--$key=$value"; done
while [ $# -gt 0 ]; do
    case $1 in
        --action=*) action=${1#*=} ;;
        --plug=* | --port=*) plug=${1#*=} ;;
        -o | --action) action=$2; shift ;;
        -n | --plug) plug=$2; shift ;;
    esac
    shift
done
reply=/run/ims-bed/fence/$(hostname).$$
trap 'rm -f "$reply"' EXIT
mkfifo "$reply" && exec 3<>"$reply" && echo "$action ${plug:--} ${reply##*/}" >/run/ims-bed/fence/requests || exit 1
read -r status words <&3
[ -z "$words" ] || echo "$words" >&2
exit "$status"
"#;

/// How the power switch behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It does what it is asked to.
    Works,
    /// It answers that it cannot: a wrong password, a dead management controller behind a living one.
    Refuses,
    /// It never answers: a management controller without power.
    Hangs,
}

/// The bed's side.
pub struct Fence {
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

struct Shared {
    rack: Arc<Rack>,
    nodes: Arc<Mutex<Vec<Node>>>,
    switch: Mutex<Switch>,
    asked: Mutex<Vec<String>>,
}

impl Fence {
    /// Lays the agent in every node's reach and serves it.
    pub fn serve(rack: &Arc<Rack>, nodes: &Arc<Mutex<Vec<Node>>>) -> Self {
        let agent = rack.path("shared/fence_bed");
        script::write(&agent, SCRIPT).must("write the fence agent");
        fs::create_dir(rack.path("shared/fence")).must("make a folder for the fence agent");
        let requests = rack.path("shared/fence/requests");
        rustix::fs::mknodat(CWD, &requests, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .must("make the fence agent's FIFO");
        // Open for writing too: so it never ends, and opening it waits for nobody.
        let requests =
            File::options().read(true).write(true).open(requests).must("open the fence agent's FIFO");
        let shared = Arc::new(Shared {
            rack: Arc::clone(rack),
            nodes: Arc::clone(nodes),
            switch: Mutex::new(Switch::Works),
            asked: Mutex::new(Vec::new()),
        });
        let server = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for line in BufReader::new(requests).lines() {
                    let line = line.must("read from the fence agent's FIFO");
                    if line == "stop" {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || shared.answer(&line));
                }
            })
        };
        Self { shared, server: Some(server) }
    }

    /// Says how the power switch behaves from now on.
    pub fn set(&self, switch: Switch) {
        *lock(&self.shared.switch) = switch;
    }

    /// What was asked of it until now, such as `off mail-2`.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        let requests = File::options().write(true).open(self.shared.rack.path("shared/fence/requests"));
        let stopped = requests.and_then(|mut requests| requests.write_all(b"stop\n")).is_ok();
        if let (true, Some(server)) = (stopped, self.server.take()) {
            let _ = server.join(); // it has said what it had to say
        }
    }
}

impl Shared {
    fn answer(&self, line: &str) {
        let mut words = line.split(' ');
        let (action, plug) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        lock(&self.asked).push(format!("{action} {plug}"));
        let answer = match *lock(&self.switch) {
            Switch::Hangs => return,
            Switch::Refuses => "1 the power switch refuses".to_owned(),
            Switch::Works => self.act(action, plug),
        };
        let reply = self.rack.path("shared/fence").join(words.next().unwrap_or_default());
        let reply = File::options().write(true).custom_flags(nix::libc::O_NONBLOCK).open(reply);
        // Who asked may be gone, even by what was asked.
        let _ = reply.and_then(|mut reply| writeln!(reply, "{answer}"));
    }

    fn act(&self, action: &str, plug: &str) -> String {
        let node = lock(&self.nodes).iter().find(|node| node.name() == plug).cloned();
        match (action, node) {
            ("monitor", _) => "0".to_owned(),
            ("status", Some(node)) => if node.is_up() { "0" } else { "2" }.to_owned(),
            ("off", Some(node)) => {
                node.power_cut();
                "0".to_owned()
            }
            ("on", Some(node)) => {
                node.start_again();
                "0".to_owned()
            }
            ("reboot", Some(node)) => {
                node.power_cut();
                node.start_again();
                "0".to_owned()
            }
            (_, None) => format!("1 no such plug: {plug}"),
            (_, Some(_)) => format!("1 no such action: {action}"),
        }
    }
}
