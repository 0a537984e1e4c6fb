//! The servers' own checkers, which read the new files before these count. One that is not installed is told and
//! not missed: a standby node may do without the servers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::conf::slapd::SlapdConf;
use ims::instance::Instance;
use ims::layout::{Layout, dovecot, postfix};
use ims::sys::exec::Line;
use ims::sys::file::{self, Staged};
use ims::sys::scratch::Scratch;
use ims::sys::stderr;
use ims::{Fail, Host};

use super::NAME;
use super::plan::{Plan, Way};

/// Has every new file read by its server's checker; the first that is not taken is a failure with status 2.
///
/// Directory Server 4.x and the MTA of iPlanet and Sun had no such program.
pub fn new_files(
    host: &Host,
    instance: &Instance,
    plan: &Plan,
    staged: &[(&Path, &Staged)],
    timeout: Duration,
) -> Result<(), Fail> {
    match plan.layout {
        Layout::PostfixDovecot if plan.way == Way::Set => {}
        Layout::Iplanet5 | Layout::Messaging6 | Layout::PostfixDovecot => return Ok(()),
    }
    let is_new = |path: &Path| staged.iter().any(|(new, _)| *new == path);
    let folder = postfix::folder(instance);
    if ["main.cf", "master.cf"].iter().any(|name| is_new(&folder.join(name))) {
        let files = ["main.cf", "master.cf"];
        postfix(host, &folder, files, staged, timeout)?;
    }
    let config = dovecot::config_file(instance);
    if let Some((_, staged)) = staged.iter().find(|(new, _)| *new == config) {
        run(host, "/usr/bin/doveconf", &config, timeout, |line| line.arg("-n").arg("-c").arg(staged.at()))?;
    }
    if let Some(folder) = instance.ldap_dir().filter(|folder| is_new(&folder.join("default"))) {
        slapd(host, &folder.join("slapd.conf"), timeout)?;
    }
    Ok(())
}

/// slaptest wants the folders of slapd's pid file, which a node has once slapd was started there; so it reads a copy
/// that names others. `-u`: the database is not opened, so it need not be there nor free.
fn slapd(host: &Host, config: &Path, timeout: Duration) -> Result<(), Fail> {
    let program = "/usr/sbin/slaptest";
    if !is_installed(host, program, config) {
        return Ok(());
    }
    let scratch = Scratch::new(host)?;
    let text = file::read_text(&host.path(config))?.unwrap_or_default();
    let mut slapd = SlapdConf::parse(&text, config)?;
    for directive in ["pidfile", "argsfile"] {
        if slapd.get(directive).is_some() {
            slapd.set(directive, &scratch.path().join(directive).display().to_string());
        }
    }
    scratch.write("slapd.conf", &slapd.to_string())?;
    let copy = scratch.path().join("slapd.conf");
    run(host, program, config, timeout, |line| line.arg("-u").arg("-f").arg(copy))
}

/// Postfix reads a folder, so both files are put into one. `postfix check` is not used: it dies of an address that
/// is not on the node yet, and makes folders in the queue.
fn postfix(
    host: &Host,
    folder: &Path,
    files: [&str; 2],
    staged: &[(&Path, &Staged)],
    timeout: Duration,
) -> Result<(), Fail> {
    let program = "/usr/sbin/postconf";
    if !is_installed(host, program, &folder.join("main.cf")) {
        return Ok(());
    }
    let scratch = Scratch::new(host)?;
    for name in files {
        let path = folder.join(name);
        let new = staged.iter().find(|(file, _)| *file == path).map(|(_, staged)| staged.at());
        let text = file::read_text(&new.unwrap_or_else(|| host.path(&path)))?.unwrap_or_default();
        scratch.write(name, &text)?;
    }
    for (name, option) in files.into_iter().zip(["-n", "-M"]) {
        run(host, program, &folder.join(name), timeout, |line| {
            line.arg("-c").arg(scratch.path()).arg(option)
        })?;
    }
    Ok(())
}

fn is_installed(host: &Host, program: &str, reads: &Path) -> bool {
    let is_there = host.path(program).is_file();
    if !is_there {
        stderr::say(
            NAME,
            format_args!("{program} is not installed here: {} is not checked", reads.display()),
        );
    }
    is_there
}

fn run(
    host: &Host,
    program: &str,
    reads: &Path,
    timeout: Duration,
    with: impl FnOnce(Line) -> Line,
) -> Result<(), Fail> {
    if !is_installed(host, program, reads) {
        return Ok(());
    }
    let ended = with(Line::new([host.path(PathBuf::from(program))])).run(timeout)?;
    if ended.is_success() {
        return Ok(());
    }
    Err(Fail::usage(format!("{program} does not take {}", reads.display()))
        .because(ims::conf::secret::masked(&ended.last_words()))
        .hint("nothing was changed"))
}
