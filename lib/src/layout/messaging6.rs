//! Sun Java System Messaging Server 6: the `messaging-6` layout. A server root is one instance and has no directory
//! server; `<root>/config` is often a symbolic link to where the data are, such as `/var/opt/SUNWmsgsr/config`.

use crate::Host;
use crate::instance::Instance;
use crate::layout::messaging::{self, Files};
use crate::layout::{Part, Program};

/// The files of the mail servers.
pub fn files(instance: &Instance) -> Files {
    let folder = instance.config_dir();
    Files {
        dispatcher: folder.join("dispatcher.cnf"),
        job_controller: folder.join("job_controller.cnf"),
        channels: folder.join("imta.cnf"),
        configutil: instance.root.join("sbin/configutil"),
    }
}

/// The mail servers.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Vec<Program> {
    match part {
        Part::Mail if instance.mail => vec![messaging::program(host, &instance.root.join("sbin"))],
        Part::Mail | Part::Directory => Vec::new(),
    }
}
