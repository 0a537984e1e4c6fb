//! The `iplanet-5` and `messaging-6` layouts: the files and commands of the line as operators knew them, short scripts that
//! start the real Postfix, Dovecot and `OpenLDAP` with what those files say.

use std::io;
use std::path::Path;

use super::config::{Tree, fill, uid_of};
use super::postfix_dovecot;
use super::root::{Directory, Mail};

/// Where a version of the product keeps what, below an instance's folder.
#[derive(Debug)]
pub struct Version {
    /// The commands.
    programs: &'static str,
    /// The way from there back to the folder.
    up: &'static str,
    /// The option files.
    config: &'static str,
    /// The mail queue.
    queue: &'static str,
}

/// iPlanet Messaging Server 5.
pub const FIVE: Version = Version { programs: "", up: "", config: "imta/config", queue: "imta/queue" };

/// Sun Messaging Server 6.
pub const SIX: Version = Version { programs: "sbin", up: "/..", config: "config", queue: "queue" };

/// Lays an instance's folder; what is Postfix's and Dovecot's own is below its `lib`.
pub fn mail(tree: &Tree, dir: &Path, version: &Version, mail: &Mail) -> io::Result<()> {
    postfix_dovecot::servers(tree, dir, &dir.join("lib"), &dir.join(version.queue), mail)?;
    let configutil = Path::new(version.programs).join("configutil").display().to_string();
    let values: &[(&str, &str)] = &[
        ("up", version.up),
        ("config", version.config),
        ("queue", version.queue),
        ("configutil", &configutil),
        ("name", &mail.name),
        ("ldap_url", &mail.ldap_url),
        ("smtp", &mail.ports.smtp.to_string()),
        ("submission", &mail.ports.submission.to_string()),
        ("job_controller", &mail.ports.job_controller.to_string()),
        ("imap", &mail.ports.imap.to_string()),
        ("pop3", &mail.ports.pop3.to_string()),
    ];
    for (path, template) in [
        ("dispatcher.cnf", include_str!("files/iplanet/dispatcher.cnf")),
        ("job_controller.cnf", include_str!("files/iplanet/job_controller.cnf")),
    ] {
        tree.file(&dir.join(version.config).join(path), &fill(template, values))?;
    }
    tree.file(&dir.join("config/msg.conf"), &fill(include_str!("files/iplanet/msg.conf"), values))?;
    for (path, script) in [
        ("configutil", include_str!("files/iplanet/configutil")),
        ("start-msg", include_str!("files/iplanet/start-msg")),
        ("stop-msg", include_str!("files/iplanet/stop-msg")),
    ] {
        tree.script(&dir.join(version.programs).join(path), &fill(script, values))?;
    }
    Ok(())
}

/// Lays `<root>/slapd-<name>`; what is `OpenLDAP`'s own is below its `lib`.
pub fn directory(tree: &Tree, dir: &Path, directory: &Directory) -> io::Result<()> {
    let pid_file = dir.join("logs/pid").display().to_string();
    postfix_dovecot::database(tree, dir, &dir.join("lib"), &directory.name, &pid_file)?;
    let values: &[(&str, &str)] =
        &[("dir", &dir.display().to_string()), ("port", &directory.port.to_string())];
    for (path, template) in [
        ("config/slapd.conf", include_str!("files/iplanet/slapd.conf")),
        ("config/slapd.at.conf", include_str!("files/iplanet/slapd.at.conf")),
        ("config/slapd.oc.conf", include_str!("files/iplanet/slapd.oc.conf")),
    ] {
        tree.file(&dir.join(path), &fill(template, values))?;
    }
    tree.folder_of(&dir.join("logs"), uid_of("openldap")?)?;
    for (path, script) in [
        ("start-slapd", include_str!("files/iplanet/start-slapd")),
        ("stop-slapd", include_str!("files/iplanet/stop-slapd")),
    ] {
        tree.script(&dir.join(path), script)?;
    }
    Ok(())
}
