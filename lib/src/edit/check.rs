//! The servers' own checkers, which read the new files before these count. One that is not installed is told and
//! not missed: a standby node may do without the servers.

use std::path::{Path, PathBuf};

use crate::Fail;
use crate::conf::slapd::SlapdConf;
use crate::conf::text;
use crate::layout::{Layout, dovecot, postfix};
use crate::sys::exec::Line;
use crate::sys::file::{self, Staged};
use crate::sys::scratch::Scratch;
use crate::sys::stderr;

use super::{Transaction, Way};

/// Has every new file read by its server's checker; the first that is not taken is a failure with status 2.
///
/// Directory Server and the MTA of iPlanet and Sun have no such program.
pub fn new_files(on: &Transaction<'_>, staged: &[(&Path, &Staged)]) -> Result<(), Fail> {
    let Transaction { instance, plan, .. } = on;
    match plan.layout {
        Layout::PostfixDovecot if plan.way == Way::Set => {}
        Layout::Iplanet5 | Layout::Messaging6 | Layout::PostfixDovecot => return Ok(()),
    }
    let is_new = |path: &Path| staged.iter().any(|(new, _)| *new == path);
    let folder = postfix::folder(instance);
    if ["main.cf", "master.cf"].iter().any(|name| is_new(&folder.join(name))) {
        let files = ["main.cf", "master.cf"];
        postfix(on, &folder, files, staged)?;
    }
    let config = dovecot::config_file(instance);
    if let Some((_, staged)) = staged.iter().find(|(new, _)| *new == config) {
        run(on, "/usr/bin/doveconf", &config, |line| line.arg("-n").arg("-c").arg(staged.at()))?;
    }
    if let Some(folder) = instance.ldap_dir().filter(|folder| is_new(&folder.join("default"))) {
        slapd(on, &folder.join("slapd.conf"))?;
    }
    Ok(())
}

/// slaptest wants the folders of slapd's pid file, which a node has once slapd was started there; so it reads a copy
/// that names others. `-u`: the database is not opened, so it need not be there nor free.
fn slapd(on: &Transaction<'_>, config: &Path) -> Result<(), Fail> {
    let program = "/usr/sbin/slaptest";
    if !is_installed(on, program, config)? {
        return Ok(());
    }
    let scratch = Scratch::new(on.host)?;
    let bytes = file::read(&on.host.path(config))?.unwrap_or_default();
    let mut slapd = SlapdConf::parse(&text::decoded(&bytes, config)?, config)?;
    for directive in ["pidfile", "argsfile"] {
        if slapd.get(directive).is_some() {
            slapd.set(directive, &scratch.path().join(directive).display().to_string());
        }
    }
    scratch.write("slapd.conf", &text::encoded(&slapd.to_string(), &bytes, config)?)?;
    let copy = scratch.path().join("slapd.conf");
    run(on, program, config, |line| line.arg("-u").arg("-f").arg(copy))
}

/// Postfix reads a folder, so both files are put into one. `postfix check` is not used: it dies of an address that
/// is not on the node yet, and makes folders in the queue.
fn postfix(
    on: &Transaction<'_>,
    folder: &Path,
    files: [&str; 2],
    staged: &[(&Path, &Staged)],
) -> Result<(), Fail> {
    let program = "/usr/sbin/postconf";
    if !is_installed(on, program, &folder.join("main.cf"))? {
        return Ok(());
    }
    let scratch = Scratch::new(on.host)?;
    for name in files {
        let path = folder.join(name);
        let new = staged.iter().find(|(file, _)| *file == path).map(|(_, staged)| staged.at());
        let bytes = file::read(&new.unwrap_or_else(|| on.host.path(&path)))?.unwrap_or_default();
        scratch.write(name, &bytes)?;
    }
    for (name, option) in files.into_iter().zip(["-n", "-M"]) {
        run(on, program, &folder.join(name), |line| line.arg("-c").arg(scratch.path()).arg(option))?;
    }
    Ok(())
}

fn is_installed(on: &Transaction<'_>, program: &str, reads: &Path) -> Result<bool, Fail> {
    let is_there = file::is_there(&on.host.path(program))?;
    if !is_there {
        stderr::say(
            on.command,
            format_args!("{program} is not installed here: {} is not checked", reads.display()),
        );
    }
    Ok(is_there)
}

fn run(
    on: &Transaction<'_>,
    program: &str,
    reads: &Path,
    with: impl FnOnce(Line) -> Line,
) -> Result<(), Fail> {
    if !is_installed(on, program, reads)? {
        return Ok(());
    }
    let ended = with(Line::new([on.host.path(PathBuf::from(program))])).run(on.timeout)?;
    if ended.is_success() {
        return Ok(());
    }
    Err(Fail::usage(format!("{program} does not take {}", reads.display()))
        .because(crate::conf::secret::masked(&ended.last_words()))
        .hint("nothing was changed"))
}
