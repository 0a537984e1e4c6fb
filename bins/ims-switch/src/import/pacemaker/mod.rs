//! Groups from a CIB of Pacemaker, as `cibadmin -Q`, `pcs cluster cib` and `crm configure show xml` print it.
//!
//! What must be on one node is one group: the members of a group, and what is bound to them by a colocation of
//! INFINITY.

mod agent;
mod cib;
mod group;
mod policy;
mod read;

use ims::Fail;
use roxmltree::{Document, ParsingOptions};

use crate::import::{Given, Imported, Source};

pub use agent::OURS;

/// The most elements and attributes that are taken.
const NODES: u32 = 1_000_000;

/// Reads each source as a CIB of its own.
pub fn read(sources: &[Source], given: &Given) -> Result<Imported, Fail> {
    let mut imported = Imported::default();
    for source in sources {
        let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&source.text, options).map_err(|e| {
            let place = format!("{}:{}", source.file.display(), e.pos().row);
            Fail::usage(place).because(e).hint("a CIB is XML, as cibadmin -Q prints it")
        })?;
        let root = document.root_element();
        if !["cib", "configuration"].contains(&root.tag_name().name()) {
            let told = format!(
                "{}:{}: no CIB but a {}",
                source.file.display(),
                cib::line(root),
                root.tag_name().name()
            );
            return Err(Fail::usage(told).hint("print it with cibadmin -Q"));
        }
        let cib = read::read(&document, &source.file, &mut imported.remarks);
        group::all(&cib, given, &source.file, &mut imported);
    }
    imported.remarks.sort_by_key(|remark| (remark.file.clone(), remark.line));
    Ok(imported)
}
