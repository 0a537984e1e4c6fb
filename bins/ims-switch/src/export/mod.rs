//! Groups written in the languages of other cluster managers. A writer is a pure function from groups and registry
//! entries to [`Exported`]; here the groups are read, and the texts are printed or written.

pub mod common;
mod pacemaker;
mod sun_cluster;

use std::path::PathBuf;

use ims::group::Group;
use ims::instance::Instance;
use ims::output::Format;
use ims::registry::Registry;
use ims::sys::stderr;
use ims::{Exit, Fail, Host, Out, Record};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::export::{Export, Language};
use crate::import::{Remark, remark};
use crate::put::{self, Manner, Put};
use crate::vcs;

/// What came of groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// The files that belong together, in the order in which they are read.
    pub files: Vec<ExportedFile>,
    /// What was not carried over as it was; the places are those of the group files.
    pub remarks: Vec<Remark>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportedFile {
    /// Its name, without a folder.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

impl Record for ExportedFile {
    const SCHEMA: &'static str = "ims.exported-file/1";
}

/// Writes groups in another language. What is not carried over is told on stderr, and as records where the files
/// are not what is printed.
pub fn export(host: &Host, asked: &Export, out: &mut Out) -> Result<Exit, Fail> {
    let groups: Vec<Group> =
        asked.groups.iter().map(|name| Group::load(host, name)).collect::<Result<_, _>>()?;
    let registry = Registry::load(host)?;
    let known: Vec<Instance> = registry.instances().cloned().collect();
    let exported = write(asked.language, &groups, &known)?;
    let prints_text = asked.to.is_none() && out.format() == Format::Table;
    for remark in &exported.remarks {
        if prints_text {
            stderr::say(
                "ims-switch",
                format_args!("{}: {}: {}", remark.place(), remark.kind.word(), remark.what),
            );
        } else {
            out.record(remark)?;
        }
    }
    if let Some(counts) = remark::counted(&exported.remarks) {
        stderr::say("ims-switch", counts);
    }
    let Some(to) = &asked.to else {
        for file in &exported.files {
            out.text(file.text.trim_end_matches('\n'))?;
            out.record(file)?;
        }
        return Ok(Exit::Ok);
    };
    let folder = put::folder(host, to)?;
    let put = |new: &ExportedFile| Put::new((&folder, to), &new.file, &new.text, |_| false);
    let puts: Vec<Put> = exported.files.iter().map(put).collect::<Result<_, _>>()?;
    put::all(&puts, Manner { force_replace: asked.force_replace, dry_run: asked.dry_run }, out)
}

/// Writes groups as the files of another cluster manager; `known` is what the registry says of their instances.
pub fn write(language: Language, groups: &[Group], known: &[Instance]) -> Result<Exported, Fail> {
    match language {
        Language::Vcs => vcs::write(groups, known),
        Language::Scrgadm => sun_cluster::write(sun_cluster::Dialect::Scrgadm, groups, known),
        Language::Clrg => sun_cluster::write(sun_cluster::Dialect::Clrg, groups, known),
        Language::Crmsh => pacemaker::write(pacemaker::Dialect::Crmsh, groups),
        Language::Pcs => pacemaker::write(pacemaker::Dialect::Pcs, groups),
    }
}
