//! The four settings of the original's script `ha_ip_config`: `INTERFACE_ADDRESS` of the SMTP and SMTP Submit services
//! and of the Job Controller, `listenhost` of the directory server, and `service.listenaddr`.

use std::path::Path;

use ims::Fail;
use ims::conf::ldif::Ldif;
use ims::conf::option_file::{LONGEST, OptionFile, Scope};
use ims::conf::slapd::SlapdConf;
use ims::conf::text;
use ims::instance::Instance;
use ims::layout::directory::{Config, ENTRY, HOSTS};
use ims::layout::messaging::{self, LISTENADDR, Outbound, files};

use super::{Edit, Plan, Target, Wanted, at};
use crate::files::look::Found;

/// The option with the address of a service, and of the Job Controller.
const OPTION: &str = "INTERFACE_ADDRESS";

/// The services that the original's script binds.
const SERVICES: [&str; 2] = ["SMTP", "SMTP_SUBMIT"];

/// Plans the settings.
pub fn set(instance: &Instance, wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Fail> {
    let config = found.directory.as_ref();
    let address = messaging::address(instance, config, wanted.all())?.to_string();
    if let Some(files) = files(instance) {
        let file = files.dispatcher;
        let old = found.text(&file)?;
        let new = dispatcher(old.as_deref(), &address, &file, &mut plan.notes)?;
        plan.edits.push(found.edit(&file, &new)?);
        let file = files.job_controller;
        let old = found.text(&file)?;
        let mut options = OptionFile::parse(old.as_deref().unwrap_or_default(), &file)?;
        options.set(Scope::Global, OPTION, &address);
        not_changed(&options, &file, &mut plan.notes);
        plan.edits.push(found.edit(&file, &options.to_string())?);
    }
    tell_source(found, &address, &mut plan.notes);
    if let Some(config) = config {
        let old = found.text(config.file())?.unwrap_or_default();
        let new = directory(config, &old, &address)?;
        plan.edits.push(found.edit(config.file(), &new)?);
    }
    if let Some(now) = &found.listenaddr {
        plan.edits.extend(parameter(instance, now, &address));
        plan.listenaddr = Some(address);
    }
    Ok(())
}

fn dispatcher(
    old: Option<&str>,
    address: &str,
    file: &Path,
    notes: &mut Vec<String>,
) -> Result<String, Fail> {
    let Some(old) = old else {
        return Ok(SERVICES.map(|name| format!("[SERVICE={name}]\n{OPTION}={address}\n")).concat());
    };
    let mut options = OptionFile::parse(old, file)?;
    for name in SERVICES {
        if !options.set(Scope::Section("SERVICE", name), OPTION, address) {
            notes.push(format!("{}: there is no [SERVICE={name}] to bind", file.display()));
        }
    }
    not_changed(&options, file, notes);
    let mut is_any_bound = false;
    for section in options.sections().filter(|section| section.kind.eq_ignore_ascii_case("SERVICE")) {
        let scope = Scope::Section(&section.kind, &section.name);
        let value = options.get(scope, OPTION).or_else(|| options.get(Scope::Global, OPTION));
        if value.is_none_or(|value| value.text != address) {
            let place = at(file, section.line);
            notes.push(format!(
                "{place}: {} is not bound to {address}; set its {OPTION} if it is to be",
                section.name
            ));
        } else {
            is_any_bound = true;
        }
    }
    if !is_any_bound {
        let [one, other] = SERVICES;
        return Err(Fail::usage(format!(
            "{}: there is neither [SERVICE={one}] nor [SERVICE={other}], and no other service is bound to {address}",
            file.display()
        ))
        .hint("write the section, or take the file away and it is made"));
    }
    Ok(options.to_string())
}

/// What a person should know of an option file.
fn not_changed(options: &OptionFile, file: &Path, notes: &mut Vec<String>) {
    for line in options.includes() {
        notes.push(format!("{}: what is included here is not changed", at(file, line)));
    }
    for line in options.too_long() {
        notes.push(format!("{}: longer than the {LONGEST} columns that the MTA reads", at(file, line)));
    }
}

/// The source addresses of outgoing mail, which are somebody's decision: told where they differ, and left.
fn tell_source(found: &Found, address: &str, notes: &mut Vec<String>) {
    for source in found.outbound.iter().filter(|source| source.address != address) {
        let Outbound { channel, address: other, at } = source;
        notes.push(format!("{at}: {channel} has interfaceaddress {other}, which is left as it is"));
    }
}

fn directory(config: &Config, old: &str, address: &str) -> Result<String, Fail> {
    match config {
        Config::Slapd(file) => {
            let mut slapd = SlapdConf::parse(old, file)?;
            slapd.set("listenhost", address);
            Ok(slapd.to_string())
        }
        Config::Dse(file) => {
            let mut dse = Ldif::parse(old, file)?;
            for name in HOSTS {
                if !dse.set(ENTRY, name, address) {
                    return Err(Fail::usage(format!("{}: there is no entry {ENTRY}", file.display())));
                }
            }
            Ok(dse.to_string())
        }
    }
}

/// What `restore` makes of a file: the original, or of a `dse.ldif` that its server has written since `set` did, that
/// one with the addresses of the original, for the rest of it is the server's: indexes, replicas, passwords.
pub fn given_back(file: &Path, original: &[u8], now: Option<&[u8]>) -> Vec<u8> {
    let written_since = || {
        let now = now.filter(|_| file.ends_with("dse.ldif"))?;
        let parse = |bytes| Ldif::parse(&text::decoded(bytes, file).ok()?, file).ok();
        let (before, mut dse) = (parse(original)?, parse(now)?);
        let mut made = before.clone();
        for name in HOSTS {
            match dse.get(ENTRY, name) {
                Some(value) => drop(made.set(ENTRY, name, &value.text)),
                None => made.unset(ENTRY, name),
            }
        }
        if made == dse {
            return None;
        }
        for name in HOSTS {
            match before.get(ENTRY, name) {
                Some(value) => drop(dse.set(ENTRY, name, &value.text)),
                None => dse.unset(ENTRY, name),
            }
        }
        text::encoded(&dse.to_string(), now, file).ok()
    };
    written_since().unwrap_or_else(|| original.to_vec())
}

/// The change of the message store's parameter.
pub fn parameter(instance: &Instance, old: &str, new: &str) -> Option<Edit> {
    let line = |value: &str| Some(format!("{LISTENADDR} = {value}\n").into_bytes());
    let tool = files(instance)?.configutil;
    Some(Edit { target: Target::Parameter { name: LISTENADDR, tool }, old: line(old), new: line(new) })
}
