//! iPlanet Messaging Server 5.x with Directory Server 4.x: the `iplanet-5` layout, `<root>/msg-<i>` and
//! `<root>/slapd-<l>`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::conf::slapd::SlapdConf;
use crate::instance::Instance;
use crate::layout::messaging::{self, Files, bind, port};
use crate::layout::{Listener, Part, Program, Service, Stop, text_of};
use crate::place::Place;
use crate::sys::exec::Line;
use crate::{Fail, Host};

/// The files of the mail servers.
pub fn files(instance: &Instance) -> Files {
    let folder = instance.mail_dir();
    Files {
        dispatcher: folder.join("imta/config/dispatcher.cnf"),
        job_controller: folder.join("imta/config/job_controller.cnf"),
        configutil: folder.join("configutil"),
    }
}

/// The directory server's configuration.
pub fn slapd_file(instance: &Instance) -> Option<PathBuf> {
    instance.ldap_dir().map(|folder| folder.join("config/slapd.conf"))
}

/// The programs of one part of an instance: the product's own scripts, each of which starts all of it.
pub fn programs(host: &Host, instance: &Instance, part: Part) -> Vec<Program> {
    let script = |folder: &Path, name: &str| Line::new([host.path(folder.join(name))]);
    let program = |name, folder: &Path, start: &str, stop: &str, pid_file, patience| Program {
        name,
        start: script(folder, start),
        stop: Stop::Command(script(folder, stop)),
        pid_file,
        executable: None,
        patience,
        folders: Vec::new(),
    };
    match part {
        Part::Mail if instance.mail => {
            let folder = instance.mail_dir();
            vec![program("msg", &folder, "start-msg", "stop-msg", None, Duration::from_secs(60))]
        }
        Part::Mail => Vec::new(),
        Part::Directory => instance
            .ldap_dir()
            .map(|folder| {
                let pid_file = Some(folder.join("logs/pid"));
                program("slapd", &folder, "start-slapd", "stop-slapd", pid_file, Duration::from_secs(60))
            })
            .into_iter()
            .collect(),
    }
}

/// Every TCP listener of the mail server and of its directory server.
pub fn listeners(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let mut listeners = messaging::listeners(host, instance)?;
    listeners.extend(directory(host, instance)?);
    Ok(listeners)
}

fn directory(host: &Host, instance: &Instance) -> Result<Vec<Listener>, Fail> {
    let Some(file) = slapd_file(instance) else { return Ok(Vec::new()) };
    let slapd = SlapdConf::parse(&text_of(host, &file)?, &file)?;
    let bind = bind(host, &file, slapd.get("listenhost").as_ref())?;
    let mut listeners = Vec::new();
    let is_secure = slapd.get("security").is_some_and(|value| value.text.eq_ignore_ascii_case("on"));
    for (key, service, usual, is_open) in
        [("port", Service::Ldap, 389, true), ("secure-port", Service::Ldaps, 636, is_secure)]
    {
        let value = slapd.get(key);
        let line = value.as_ref().map(|value| value.line);
        let at = Place { file: file.clone(), line };
        let port = value.map_or(Ok(usual), |value| port(&value.text, &at))?;
        if is_open && port != 0 {
            listeners.push(Listener { server: "slapd", service, bind, port, at });
        }
    }
    Ok(listeners)
}
