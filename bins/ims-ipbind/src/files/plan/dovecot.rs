//! Dovecot: `listen`, and listeners with an address of their own.

use std::collections::BTreeMap;

use ims::Fail;
use ims::conf::dovecot::DovecotConf;
use ims::instance::Instance;
use ims::layout::dovecot::{Setting, config_file, last};

use super::{Plan, Wanted, is_loopback, must};
use crate::files::look::Found;

/// Plans the settings; an instance without Dovecot has none.
///
/// Only `dovecot.conf` itself is changed: what an included file says is overruled at its end, for there the last
/// word counts.
pub fn set(instance: &Instance, wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Fail> {
    let file = config_file(instance);
    if !found.files.iter().any(|(path, _)| path == &file) {
        return Ok(());
    }
    let old = must(found, &file)?;
    let mut conf = DovecotConf::parse(&old, &file)?;
    let value = wanted.list();
    let mut behind = Vec::new();
    // From the last line to the first: an edit may take lines away, and with them the numbers of those behind.
    let mut here = Vec::new();
    for setting in overruled(&found.dovecot, wanted) {
        if setting.at.file == file {
            here.push(setting);
        } else {
            behind.extend(block(setting, &value));
        }
        plan.notes.push(format!("{}: {} {} becomes {value}", setting.at, name(setting), setting.value));
    }
    let listen = last(&found.dovecot, "listen");
    if let Some(listen) = listen.filter(|listen| listen.at.file == file) {
        here.push(listen);
    }
    here.sort_by_key(|setting| std::cmp::Reverse(setting.at.line));
    for setting in here {
        if !is_same(&setting.value, wanted) {
            conf.set_at(setting.at.line.unwrap_or_default(), &value);
        }
    }
    match listen {
        None => conf.add("listen", &value),
        Some(listen) if listen.at.file != file && !is_same(&listen.value, wanted) => {
            behind.insert(0, format!("listen = {value}"));
        }
        Some(_) => {}
    }
    conf.append(&behind);
    plan.edits.push(found.edit(&file, &conf.to_string())?);
    Ok(())
}

/// Whether a value lists the wanted addresses already.
fn is_same(value: &str, wanted: &Wanted) -> bool {
    let listed: Vec<&str> = value.split([',', ' ', '\t']).filter(|word| !word.is_empty()).collect();
    let ips: Vec<String> = wanted.all().iter().map(ToString::to_string).collect();
    listed == ips
}

/// The addresses of listeners that say otherwise: of each listener the one that counts. The node's own loopback
/// stays.
fn overruled<'a>(settings: &'a [Setting], wanted: &Wanted) -> Vec<&'a Setting> {
    let mut counts: BTreeMap<(&str, &str), &Setting> = BTreeMap::new();
    for setting in settings {
        if let [service, inet] = setting.within.as_slice()
            && service.kind == "service"
            && inet.kind == "inet_listener"
            && setting.key == "address"
        {
            counts.insert((&service.title, &inet.title), setting);
        }
    }
    let is_other = |setting: &&Setting| {
        let words: Vec<&str> =
            setting.value.split([',', ' ', '\t']).filter(|word| !word.is_empty()).collect();
        !words.iter().all(|word| is_loopback(word)) && !is_same(&setting.value, wanted)
    };
    counts.into_values().filter(is_other).collect()
}

fn name(setting: &Setting) -> String {
    let titles: Vec<&str> = setting.within.iter().map(|block| block.title.as_str()).collect();
    format!("{} {}", titles.join(" "), setting.key).trim().to_owned()
}

/// The lines that overrule a setting of an included file.
fn block(setting: &Setting, value: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (depth, block) in setting.within.iter().enumerate() {
        let title = if block.title.is_empty() { String::new() } else { format!("{} ", block.title) };
        lines.push(format!("{}{} {title}{{", "  ".repeat(depth), block.kind));
    }
    lines.push(format!("{}{} = {value}", "  ".repeat(setting.within.len()), setting.key));
    for depth in (0..setting.within.len()).rev() {
        lines.push(format!("{}}}", "  ".repeat(depth)));
    }
    lines
}
