//! Whether the folders and files of an instance whose root is here are what its entry says.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ims::instance::Instance;
use ims::layout::{Layout, detect, directory, dovecot, messaging, openldap, postfix};
use ims::place::Place;
use ims::{Exit, Fail, Host};

use super::record::{Aspect, Finding, what_and_mend};

/// The configuration files that the layout has, whether they are there or not.
pub fn config(instance: &Instance) -> Vec<PathBuf> {
    match instance.layout {
        Layout::Iplanet5 | Layout::Messaging6 => {
            let mail = messaging::files(instance).map(|files| [files.dispatcher, files.job_controller]);
            let directory = instance.ldap_dir().map(|folder| directory::candidates(&folder));
            let directory = directory.into_iter().flatten().map(|config| config.file().to_owned());
            mail.into_iter().flatten().chain(directory).collect()
        }
        Layout::PostfixDovecot => {
            let folder = postfix::folder(instance);
            let mail = [folder.join("main.cf"), folder.join("master.cf"), dovecot::config_file(instance)];
            mail.into_iter().filter(|_| instance.mail).chain(openldap::default_file(instance)).collect()
        }
    }
}

/// The folders of an instance.
pub fn folders(instance: &Instance) -> Vec<PathBuf> {
    let mail = instance.mail.then(|| [instance.mail_dir(), instance.config_dir()]);
    let mut folders: Vec<PathBuf> = mail.into_iter().flatten().chain(instance.ldap_dir()).collect();
    folders.dedup();
    folders
}

/// What is missing, leads nowhere or is laid out otherwise.
pub fn findings(host: &Host, instance: &Instance, entry: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let config = config(instance);
    let around = config.iter().filter_map(|path| path.parent().map(Path::to_owned));
    let mut links: Vec<PathBuf> = folders(instance).into_iter().chain(around).collect();
    links.sort();
    links.dedup();
    for path in links.iter().chain(&config) {
        findings.extend(dangling(host, instance, path));
    }
    for folder in folders(instance) {
        findings.extend(missing(host, instance, entry, &folder));
    }
    if !findings.is_empty() || !instance.mail {
        return findings;
    }
    let folder = instance.mail_dir();
    match detect::layout(host, &instance.root, &instance.name) {
        Ok(Some(layout)) if layout == instance.layout => {}
        Ok(Some(layout)) => {
            let what = format!("{} is laid out as {layout}", folder.display());
            let mend = format!("ims-registry add {} --layout {layout}", instance.name);
            findings.push(Finding::down(instance, Aspect::Layout, entry.clone(), what, mend));
        }
        Err(fail) => {
            let (what, mend) = what_and_mend(&fail, "correct that, and run it again");
            findings.push(Finding::unknown(instance, Aspect::Layout, Place::file(&folder), what, mend));
        }
        Ok(None) => {
            let what = format!("{} has nothing of {}", folder.display(), instance.layout);
            let mend = "install the instance there, or correct the entry";
            findings.push(Finding::down(instance, Aspect::Layout, entry.clone(), what, mend));
        }
    }
    findings
}

/// A folder that is not there, or that cannot be looked at.
fn missing(host: &Host, instance: &Instance, entry: &Place, folder: &Path) -> Option<Finding> {
    let error = host.path(folder).symlink_metadata().err()?;
    if error.kind() == ErrorKind::NotFound {
        let what = format!("{} is not there", folder.display());
        let mend = format!("ims-registry scan {} shows what is", instance.root.display());
        return Some(Finding::down(instance, Aspect::Folder, entry.clone(), what, mend));
    }
    Some(unseen(instance, Aspect::Folder, folder, &error))
}

/// What there is no telling of.
pub fn unseen(instance: &Instance, aspect: Aspect, path: &Path, error: &std::io::Error) -> Finding {
    let fail = Fail::io(Exit::Unknown, format!("cannot look at {}", path.display()), error);
    let (what, mend) = what_and_mend(&fail, "correct that, and run it again");
    Finding::unknown(instance, aspect, Place::file(path), what, mend)
}

/// A symbolic link to nothing. What it leads to below the root is certainly not there; what lies elsewhere may be on a
/// volume that another node masters.
fn dangling(host: &Host, instance: &Instance, path: &Path) -> Option<Finding> {
    let real = host.path(path);
    let to = fs_err::read_link(&real).ok()?;
    match real.metadata() {
        Ok(_) => return None,
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Some(unseen(instance, Aspect::Link, path, &e)),
    }
    let target = path.parent().unwrap_or(path).join(&to);
    let is_ours = target.starts_with(&instance.root) && !to.components().any(|part| part.as_os_str() == "..");
    let what = format!("{} is a symbolic link to {}, which is not there", path.display(), to.display());
    let new = if is_ours { Finding::down } else { Finding::unknown };
    Some(new(
        instance,
        Aspect::Link,
        Place::file(path),
        what,
        "mount what it leads to, or put the file itself there",
    ))
}
