//! iPlanet Messaging Server 5.x with a directory server: the `iplanet-5` layout, `<root>/msg-<i>` and
//! `<root>/slapd-<l>`.

use std::time::Instant;

use crate::instance::Instance;
use crate::layout::messaging::{self, Files};
use crate::layout::{Listener, Part, Program, directory};
use crate::{Fail, Host};

/// The files of the mail servers.
pub fn files(instance: &Instance) -> Files {
    let folder = instance.mail_dir();
    Files {
        dispatcher: folder.join("imta/config/dispatcher.cnf"),
        job_controller: folder.join("imta/config/job_controller.cnf"),
        channels: folder.join("imta/config/imta.cnf"),
        configutil: folder.join("configutil"),
    }
}

/// The programs of one part of an instance: the product's own scripts, each of which starts all of it.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Result<Vec<Program>, Fail> {
    match part {
        Part::Mail if instance.mail => Ok(vec![messaging::program(host, &instance.mail_dir())]),
        Part::Mail => Ok(Vec::new()),
        Part::Directory => directory::program(host, instance).map(|found| found.into_iter().collect()),
    }
}

/// Every TCP listener of the mail server and of its directory server; `configutil` is given up at a moment.
pub fn listeners(host: &Host, instance: &Instance, until: Instant) -> Result<Vec<Listener>, Fail> {
    let mut listeners = messaging::listeners(host, instance, until)?;
    listeners.extend(directory::listeners(host, instance)?);
    Ok(listeners)
}
