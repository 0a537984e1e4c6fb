//! Sun Java System Messaging Server 6: the `messaging-6` layout. A server root is one instance and has no directory
//! server; `<root>/config` is often a symbolic link to where the data are, such as `/var/opt/SUNWmsgsr/config`.

use std::time::Duration;

use crate::Host;
use crate::instance::Instance;
use crate::layout::messaging::Files;
use crate::layout::{Part, Program, Stop};
use crate::sys::exec::Line;

/// The files of the mail servers.
pub fn files(instance: &Instance) -> Files {
    let folder = instance.config_dir();
    Files {
        dispatcher: folder.join("dispatcher.cnf"),
        job_controller: folder.join("job_controller.cnf"),
        configutil: instance.root.join("sbin/configutil"),
    }
}

/// The mail servers, which the product's own scripts start and stop as one.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Vec<Program> {
    let script = |name: &str| Line::new([host.path(instance.root.join("sbin").join(name))]);
    match part {
        Part::Mail if instance.mail => vec![Program {
            name: "msg",
            start: script("start-msg"),
            stop: Stop::Command(script("stop-msg")),
            pid_file: None,
            executable: None,
            patience: Duration::from_secs(60),
            folders: Vec::new(),
        }],
        Part::Mail | Part::Directory => Vec::new(),
    }
}
