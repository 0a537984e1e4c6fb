//! The layouts on files as servers have them; what the kernel makes of them is tested with the real servers.

mod dovecot;
mod messaging;
mod openldap;
mod postfix;
mod programs;

use std::path::{Path, PathBuf};

use super::*;
use crate::name::InstanceName;

const ROOT: &str = "/srv/ims";

/// A host with files below `/srv/ims`, and an instance `a` with a directory server `d` on it.
fn host(layout: Layout, files: &[(&str, &str)]) -> (tempfile::TempDir, Host, Instance) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = if path.starts_with('/') { PathBuf::from(path) } else { Path::new(ROOT).join(path) };
        let path = folder.path().join(path.strip_prefix("/").unwrap());
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        file::replace(&path, text.as_bytes()).unwrap();
        if path.ends_with("configutil") {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs_err::set_permissions(&path, mode).unwrap();
        }
    }
    let host = Host::below(folder.path());
    let name: InstanceName = "a".parse().unwrap();
    let ldap = files.iter().any(|(path, _)| path.starts_with("slapd-d")).then(|| "d".parse().unwrap());
    let mail = files.iter().any(|(path, _)| path.starts_with("msg-a"));
    (folder, host, Instance { name, layout, root: ROOT.into(), addresses: Vec::new(), ldap, mail })
}

/// Each listener as `service bind port file:line`, the server root left out.
fn told(layout: Layout, files: &[(&str, &str)]) -> Result<Vec<String>, Fail> {
    let (_folder, host, instance) = host(layout, files);
    let bind = |bind| match bind {
        Bind::Any => "*".to_owned(),
        Bind::AnyV4 => "0.0.0.0".to_owned(),
        Bind::AnyV6 => "::".to_owned(),
        Bind::One(ip) => ip.to_string(),
    };
    let line = |found: Listener| {
        let at = found.at.to_string();
        let at = at.rsplit('/').next().unwrap_or_default();
        format!("{} {} {} {at}", found.service.word(), bind(found.bind), found.port)
    };
    listeners(&host, &instance).map(|found| found.into_iter().map(line).collect())
}

fn fails(layout: Layout, files: &[(&str, &str)], exit: crate::Exit, says: &str) {
    let fail = told(layout, files).unwrap_err();
    assert_eq!(fail.exit(), exit, "{fail}");
    assert!(fail.to_string().contains(says), "{fail}");
}

const SMTP: &str = "smtp inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n";

#[test]
fn an_empty_mount_point_tells_nothing_of_the_mail_servers() {
    let (_folder, host, instance) = host(Layout::PostfixDovecot, &[("lost+found/x", "")]);
    let instance = Instance { mail: true, ..instance };
    let told = "/srv/ims/msg-a has neither Postfix nor Dovecot (another node may master its volume)";
    for fail in
        [listeners(&host, &instance).unwrap_err(), programs(&host, &instance, Part::Mail).unwrap_err()]
    {
        assert_eq!((fail.exit(), fail.to_string().as_str()), (crate::Exit::Unknown, told));
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_absent() {
    let (folder, host, instance) = host(Layout::PostfixDovecot, &[("msg-a/x", "")]);
    let loops = |name: &str| std::os::unix::fs::symlink(name, folder.path().join("srv/ims/msg-a").join(name));
    for name in ["dovecot", "postfix"] {
        loops(name).unwrap();
        for fail in
            [listeners(&host, &instance).unwrap_err(), programs(&host, &instance, Part::Mail).unwrap_err()]
        {
            let told = fail.to_string();
            assert_eq!(fail.exit(), crate::Exit::Unknown, "{told}");
            let place = format!("/srv/ims/msg-a/{name}: Too many levels");
            assert!(told.starts_with("cannot look for ") && told.contains(&place), "{told}");
        }
        fs_err::remove_file(folder.path().join("srv/ims/msg-a").join(name)).unwrap();
    }
}

#[test]
fn a_mail_server_behind_a_link_to_nothing_is_unknown_and_not_missing() {
    let dovecot = [("msg-a/dovecot/dovecot.conf", "protocols = imap\nlisten = 192.0.2.10\n")];
    let postfix = [("msg-a/postfix/main.cf", ""), ("msg-a/postfix/master.cf", SMTP)];
    for (files, gone) in [(&dovecot[..], "postfix"), (&postfix[..], "dovecot")] {
        let (folder, host, instance) = host(Layout::PostfixDovecot, files);
        assert!(listeners(&host, &instance).is_ok(), "{gone} was never there");
        let link = folder.path().join("srv/ims/msg-a").join(gone);
        std::os::unix::fs::symlink("/mnt/not-mounted", link).unwrap();
        let fail = listeners(&host, &instance).unwrap_err();
        assert_eq!(fail.exit(), crate::Exit::Unknown, "{fail}");
        assert!(fail.to_string().contains("is a symbolic link to /mnt/not-mounted"), "{fail}");
    }
}
