//! The `postfix-dovecot` layout: the servers' own files, one folder an instance.

use std::io;
use std::path::Path;

use super::config::{MAIL_UID, Tree, fill, uid_of};
use super::root::{Directory, Mail};
use super::users;

/// Lays `<root>/msg-<name>`.
pub fn mail(tree: &Tree, dir: &Path, mail: &Mail) -> io::Result<()> {
    let queue = mail.queue.clone().unwrap_or_else(|| dir.join("queue"));
    servers(tree, dir, dir, &queue, mail)
}

/// Lays Postfix's and Dovecot's files below `conf`, and the folders of an instance for what they must not lose.
pub(super) fn servers(tree: &Tree, dir: &Path, conf: &Path, queue: &Path, mail: &Mail) -> io::Result<()> {
    let shown = |path: &Path| path.display().to_string();
    let (data, log) = (dir.join("data"), dir.join("log"));
    let mailboxes = mail.store.clone().unwrap_or_else(|| dir.join("mail"));
    let domains = match &mail.config_url {
        Some(_) => format!("ldap:{}/postfix/domains.cf", shown(conf)),
        None => users::DOMAIN.to_owned(),
    };
    let smtp_service = if mail.ports.smtp == 25 { "smtp".to_owned() } else { mail.ports.smtp.to_string() };
    let values: &[(&str, &str)] = &[
        ("name", &mail.name),
        ("conf", &shown(conf)),
        ("queue", &shown(queue)),
        ("data", &shown(&data)),
        ("log", &shown(&log)),
        ("mailboxes", &shown(&mailboxes)),
        ("run", &format!("/run/ims/{}", mail.name)),
        ("ldap_url", &mail.ldap_url),
        ("config_url", mail.config_url.as_ref().unwrap_or(&mail.ldap_url)),
        ("domains", &domains),
        ("mail_uid", &MAIL_UID.to_string()),
        ("smtp_service", &smtp_service),
        ("imap", &mail.ports.imap.to_string()),
        ("pop3", &mail.ports.pop3.to_string()),
    ];
    for (path, template) in [
        ("postfix/main.cf", include_str!("files/mail/main.cf")),
        ("postfix/master.cf", include_str!("files/mail/master.cf")),
        ("postfix/users.cf", include_str!("files/mail/users.cf")),
        ("postfix/domains.cf", include_str!("files/mail/domains.cf")),
        ("dovecot/dovecot.conf", include_str!("files/mail/dovecot.conf")),
        ("dovecot/ldap.conf", include_str!("files/mail/ldap.conf")),
    ] {
        tree.file(&conf.join(path), &fill(template, values))?;
    }
    tree.folder(&log)?;
    tree.folder(queue)?;
    tree.folder_of(&mailboxes, MAIL_UID)?;
    tree.folder_of(&data, uid_of("postfix")?)
}

/// Lays `<root>/slapd-<name>`.
pub fn directory(tree: &Tree, dir: &Path, directory: &Directory) -> io::Result<()> {
    let port_part = if directory.port == 389 { String::new() } else { format!(":{}", directory.port) };
    // Pid files are of the node: on the shared volume they would outlive it.
    let pid_file = format!("/run/ims/{}/slapd/slapd.pid", directory.name);
    database(tree, dir, dir, &directory.name, &pid_file)?;
    let values: &[(&str, &str)] =
        &[("dir", &dir.display().to_string()), ("pid_file", &pid_file), ("port_part", &port_part)];
    tree.file(&dir.join("default"), &fill(include_str!("files/directory/default"), values))
}

/// Lays `OpenLDAP`'s own file below `conf`, its empty database, and the entries that fill it.
pub(super) fn database(tree: &Tree, dir: &Path, conf: &Path, name: &str, pid_file: &str) -> io::Result<()> {
    let values: &[(&str, &str)] =
        &[("name", name), ("dir", &dir.display().to_string()), ("pid_file", pid_file)];
    tree.file(&conf.join("slapd.conf"), &fill(include_str!("files/directory/slapd.conf"), values))?;
    tree.file(&dir.join("users.ldif"), &users::ldif())?;
    tree.folder_of(&dir.join("db"), uid_of("openldap")?)
}
