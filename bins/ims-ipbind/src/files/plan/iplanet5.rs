//! The four settings of the original's script `ha_ip_config`: `INTERFACE_ADDRESS` of the SMTP and SMTP Submit services
//! and of the Job Controller, `listenhost` of the directory server, and `service.listenaddr`.

use std::net::IpAddr;
use std::path::Path;

use ims::Fail;
use ims::conf::option_file::{OptionFile, Scope};
use ims::conf::slapd::SlapdConf;
use ims::instance::Instance;
use ims::layout::iplanet5::slapd_file;
use ims::layout::messaging::{LISTENADDR, files};

use super::{Edit, Plan, Target, Wanted, at, edit};
use crate::files::look::Found;

/// The option with the address of a service, and of the Job Controller.
const OPTION: &str = "INTERFACE_ADDRESS";

/// The services that the original's script binds.
const SERVICES: [&str; 2] = ["SMTP", "SMTP_SUBMIT"];

/// Plans the settings.
pub fn set(instance: &Instance, wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Fail> {
    let [IpAddr::V4(address)] = wanted.all() else {
        return Err(Fail::usage(format!(
            "an instance of {} is bound to one IPv4 address, not to {}",
            instance.layout,
            wanted.list()
        )));
    };
    let address = address.to_string();
    if let Some(files) = files(instance) {
        let file = files.dispatcher;
        let old = found.text(&file)?;
        let new = dispatcher(old, &address, &file, &mut plan.notes)?;
        plan.edits.push(edit(&file, old, new));
        let file = files.job_controller;
        let old = found.text(&file)?;
        let mut options = OptionFile::parse(old.unwrap_or_default(), &file)?;
        options.set(Scope::Global, OPTION, &address);
        plan.edits.push(edit(&file, old, options.to_string()));
    }
    if let Some(file) = slapd_file(instance) {
        let old = found.text(&file)?;
        let mut slapd = SlapdConf::parse(old.unwrap_or_default(), &file)?;
        slapd.set("listenhost", &address);
        plan.edits.push(edit(&file, old, slapd.to_string()));
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
    for line in options.includes() {
        notes.push(format!("{}: what is included here is not changed", at(file, line)));
    }
    for section in options.sections().filter(|section| section.kind.eq_ignore_ascii_case("SERVICE")) {
        let scope = Scope::Section(&section.kind, &section.name);
        let value = options.get(scope, OPTION).or_else(|| options.get(Scope::Global, OPTION));
        if value.is_none_or(|value| value.text != address) {
            let place = at(file, section.line);
            notes.push(format!(
                "{place}: {} is not bound to {address}; set its {OPTION} if it is to be",
                section.name
            ));
        }
    }
    Ok(options.to_string())
}

/// The change of the message store's parameter.
pub fn parameter(instance: &Instance, old: &str, new: &str) -> Option<Edit> {
    let line = |value: &str| Some(format!("{LISTENADDR} = {value}\n").into_bytes());
    let tool = files(instance)?.configutil;
    Some(Edit { target: Target::Parameter { name: LISTENADDR, tool }, old: line(old), new: line(new) })
}
