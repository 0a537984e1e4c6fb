//! Groups of other cluster managers read as ours. A reader is a pure function from texts to [`Imported`]; here the
//! texts are read, and what came of them is told and written.

pub mod draft;
mod left;
pub mod pacemaker;
pub mod remark;
mod sun_cluster;

use std::io::Read;
use std::path::{Path, PathBuf};

use ims::address::LogicalIp;
use ims::group::{FOLDER, Group};
use ims::instance::Instance;
use ims::layout::Layout;
use ims::name::NodeName;
use ims::nodes::Nodes;
use ims::registry::Registry;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::cli::import::{Import, Language, NamedVolume};
use crate::put::{self, Manner, Put};
use crate::seat::desk::take_locks;
use crate::vcs;
pub use draft::{Draft, DraftResource, Value};
pub use remark::{Remark, RemarkKind};

/// The longest configuration that is taken from stdin, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A text to be read, and the name that places in it are told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file as it was named; `stdin` for `-`.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

/// What the command line says of things that a configuration leaves to other files of its node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Addresses by the host names they stand for.
    pub addresses: Vec<(String, LogicalIp)>,
    /// The interface of addresses for which none is named.
    pub interface: Option<String>,
    /// Devices by their mount points.
    pub volumes: Vec<NamedVolume>,
    /// The nodes of groups for which none are named.
    pub nodes: Vec<NodeName>,
    /// The layout of instances, where it is not the one that their resource type runs.
    pub layout: Option<Layout>,
}

/// What came of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The groups, in the order in which they were met.
    pub groups: Vec<Draft>,
    /// What the registry should know, as far as it was said.
    pub instances: Vec<Instance>,
    /// What was not carried over as it was.
    pub remarks: Vec<Remark>,
}

impl Given {
    /// The address of a host name; a host name that is an address with its prefix length stands for itself.
    pub fn address(&self, name: &str) -> Option<LogicalIp> {
        let told = self.addresses.iter().find(|(known, _)| known == name).map(|(_, address)| *address);
        told.or_else(|| name.parse().ok())
    }

    /// What was said of a mount point.
    pub fn volume(&self, mount: &Path) -> Option<&NamedVolume> {
        self.volumes.iter().find(|volume| volume.mount == mount)
    }
}

/// Reads a configuration and writes its groups.
pub fn import(host: &Host, asked: &Import, out: &mut Out) -> Result<Exit, Fail> {
    let mut sources: Vec<Source> =
        asked.files.iter().map(|file| source(host, file)).collect::<Result<_, _>>()?;
    if asked.language == Language::Vcs {
        add_included(host, &mut sources)?;
    }
    let given = Given {
        addresses: asked.addresses.iter().map(|named| (named.name.clone(), named.address)).collect(),
        interface: asked.interface.clone(),
        volumes: asked.volumes.clone(),
        nodes: asked.nodes.clone(),
        layout: asked.layout,
    };
    let mut imported = read(asked.language, &sources, &given)?;
    let to = asked.to.as_deref().unwrap_or(Path::new(FOLDER));
    let left = left::to_do(&imported, &Registry::load(host)?, &Nodes::load(host)?, to);
    imported.remarks.extend(left);
    imported.remarks.iter().try_for_each(|remark| out.record(remark))?;
    if let Some(counts) = remark::counted(&imported.remarks) {
        stderr::say("ims-switch", counts);
    }
    complete(&imported)?;
    imported.instances.iter().try_for_each(|instance| out.record(instance))?;
    write(host, asked, to, &imported.groups, out)
}

/// Writes the groups' files; one that says the same, in another order or with comments, stays as it is.
fn write(host: &Host, asked: &Import, to: &Path, drafts: &[Draft], out: &mut Out) -> Result<Exit, Fail> {
    let writes_here = asked.to.is_none() && !asked.dry_run;
    let names = drafts.iter().map(|draft| &draft.name);
    let _locks = if writes_here { take_locks(host, names, asked.timeout.0)? } else { Vec::new() };
    let folder = if asked.to.is_some() { put::folder(host, to)? } else { put::place(host, to) };
    if writes_here {
        let cannot = |e: &_| Fail::io(Exit::Failed, format!("cannot make {}", to.display()), e);
        fs_err::create_dir_all(&folder).map_err(|e| cannot(&e))?;
    }
    let mut puts = Vec::new();
    for draft in drafts {
        let file = Group::path(&draft.name);
        let name = Path::new(file.file_name().unwrap_or_default());
        let mut wanted = draft.parse(&to.join(name))?;
        let text = wanted.text.clone();
        let same = |there: &[u8]| {
            let there = std::str::from_utf8(there).ok();
            let there = there.and_then(|text| Group::parse(draft.name.clone(), text, name).ok());
            there.is_some_and(|there| {
                wanted.text.clone_from(&there.text);
                wanted == there
            })
        };
        puts.push(Put::new((&folder, to), name, &text, same)?);
    }
    put::all(&puts, Manner { force_replace: asked.force_replace, dry_run: asked.dry_run }, out)
}

/// Reads the texts of one configuration.
pub fn read(language: Language, sources: &[Source], given: &Given) -> Result<Imported, Fail> {
    let keepalived = sources.iter().find(|source| is_keepalived(&source.text));
    if let Some(source) = keepalived {
        return Err(no_group_manager(&source.file));
    }
    match language {
        Language::Vcs => vcs::read(sources, given),
        Language::SunCluster => Ok(sun_cluster::read(sources, given)),
        Language::Pacemaker => pacemaker::read(sources, given),
        Language::Keepalived => Err(no_group_manager(
            sources.first().map_or_else(|| Path::new("keepalived.conf"), |source| &source.file),
        )),
    }
}

fn is_keepalived(text: &str) -> bool {
    text.lines().any(|line| {
        let first = line.split_whitespace().next();
        matches!(first, Some("vrrp_instance" | "vrrp_sync_group" | "virtual_server"))
    })
}

fn no_group_manager(file: &Path) -> Fail {
    Fail::usage(format!("{}: keepalived is no group manager", file.display())).hint(
        "it moves addresses alone and knows neither volumes nor the order of servers; write the group by hand, \
         see ims-group(5)",
    )
}

/// Refuses a configuration without groups, and one that leaves out what a group needs.
fn complete(imported: &Imported) -> Result<(), Fail> {
    let missing = imported.remarks.iter().filter(|remark| remark.kind == RemarkKind::Missing);
    let told: Vec<String> = missing.map(|remark| format!("{}: {}", remark.place(), remark.what)).collect();
    match told.split_first() {
        None if imported.groups.is_empty() => Err(Fail::usage("no group in it").hint("nothing was written")),
        None => Ok(()),
        Some((only, [])) => Err(Fail::usage(only).hint("nothing was written")),
        Some((first, rest)) => {
            Err(Fail::usage(first).hint(format!("and {} more like it; nothing was written", rest.len())))
        }
    }
}

/// Adds the files that a `main.cf` includes and that stand beside it.
fn add_included(host: &Host, sources: &mut Vec<Source>) -> Result<(), Fail> {
    for given in sources.clone() {
        for name in vcs::included(&given) {
            let beside = given.file.with_file_name(&name);
            let is_named = sources.iter().any(|source| source.file.file_name() == beside.file_name());
            let path = if beside.is_absolute() { host.path(&beside) } else { beside.clone() };
            if !is_named && path.is_file() {
                sources.push(source(host, &beside)?);
            }
        }
    }
    Ok(())
}

fn source(host: &Host, named: &Path) -> Result<Source, Fail> {
    if named == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(LONGEST)
            .read_to_end(&mut bytes)
            .map_err(|e| Fail::io(Exit::Unknown, "cannot read stdin", &e))?;
        let file = PathBuf::from("stdin");
        let text = file::text(&bytes, &file)?.to_owned();
        return Ok(Source { file, text });
    }
    let text = file::read_text(&put::place(host, named))?
        .ok_or_else(|| Fail::usage(format!("{} is not there", named.display())).hint("name the file"))?;
    Ok(Source { file: named.to_owned(), text })
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use proptest::prelude::*;

    use super::*;

    /// Words of the languages and what may come between them.
    const WORDS: &str = "(scrgadm |clrs create |scswitch |-a |-j |-g |-y |-L |-l |a|b|=|,|\\$|\\{|\\}|\"|'|\\\\|\n|# |\
                         <cib>|<primitive |id=|<group |</|/>|>|&|é| ){0,40}";

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_is_told_with_lines_it_has(text in WORDS) {
            let source = Source { file: "x".into(), text: text.clone() };
            for language in Language::value_variants() {
                let Ok(imported) = read(*language, std::slice::from_ref(&source), &Given::default()) else { continue };
                let lines = text.lines().count().max(1);
                prop_assert!(imported.remarks.iter().all(|remark| remark.line.is_none_or(|line| line <= lines)));
            }
        }
    }
}
