//! `model`: the files of one of the seed's three models, for nodes and instances that are named, and what a person has
//! to do besides.

mod files;
mod notes;
mod plan;
mod record;

use std::path::{Path, PathBuf};

use ims::group::Group;
use ims::name::NodeName;
use ims::nodes::{self, Nodes};
use ims::registry;
use ims::sys::lock::Lock;
use ims::sys::{file, stderr};
use ims::{Exit, Fail, Host, Out};

use crate::cli::model::Model;
use crate::put::{self, Manner, Put};
use crate::seat::desk::take_locks;
use plan::{Laid, Placed, plan};

pub use record::ModelRecord;

/// Writes a model's files, or shows what would be written.
pub fn model(host: &Host, asked: &Model, out: &mut Out) -> Result<Exit, Fail> {
    let laid = plan(asked)?;
    let to = asked.to.clone().unwrap_or_else(|| PathBuf::from("/"));
    let writes_here = to == Path::new("/") && !asked.dry_run;
    let _locks = if writes_here { locks(host, &laid, asked)? } else { Vec::new() };
    let puts = puts(&laid, &put::place(host, &to), &to, asked.force_replace || asked.dry_run)?;
    laid.instances.iter().try_for_each(|placed| out.record(&ModelRecord::of(&laid, placed)))?;
    if !laid.decided.is_empty() {
        stderr::say("ims-switch", format_args!("not said and so decided: {}", laid.decided.join("; ")));
    }
    put::all(&puts, Manner { force_replace: asked.force_replace, dry_run: asked.dry_run }, out)
}

/// This node's registry and groups are written by other runs too.
fn locks(host: &Host, laid: &Laid, asked: &Model) -> Result<Vec<Lock>, Fail> {
    let groups = laid.instances.iter().map(|placed| &placed.group);
    let mut locks = take_locks(host, groups, asked.timeout.0)?;
    locks.push(Lock::named(host, "registry", asked.timeout.0)?);
    Ok(locks)
}

/// Every file below the folder `real`, which is shown to people as `shown`.
fn puts(laid: &Laid, real: &Path, shown: &Path, may_replace: bool) -> Result<Vec<Put>, Fail> {
    let below = |path: &Path| path.strip_prefix("/").unwrap_or(path).to_owned();
    let put = |path: &Path, text: &str, same: &dyn Fn(&[u8]) -> bool| {
        Put::new((real, shown), &below(path), text, same)
    };
    let registry = Path::new(registry::PATH);
    let known = file::read(&real.join(below(registry)))?.unwrap_or_default();
    let merged = files::registry(laid, &known, may_replace)?;
    let mut puts = vec![Put::merged((real, shown), &below(registry), merged)?];
    let nodes = Path::new(nodes::PATH);
    puts.push(put(nodes, &files::nodes(laid)?, &|_| true)?);
    if let Some(old) = file::read(&real.join(below(nodes)))? {
        tell_unknown_nodes(laid, file::text(&old, nodes)?)?;
    }
    for placed in &laid.instances {
        let text = files::group(laid, placed)?;
        puts.push(put(&Group::path(&placed.group), &text, &|old| is_same_group(placed, &text, old))?);
    }
    puts.push(put(Path::new(notes::PATH), &notes::notes(laid), &|_| false)?);
    Ok(puts)
}

/// A file that means the same, in another order or with other comments, is left as it is.
fn is_same_group(placed: &Placed, wanted: &str, old: &[u8]) -> bool {
    let group = |text: &str| {
        let group = Group::parse(placed.group.clone(), text, Path::new("")).ok()?;
        Some(Group { text: String::new(), ..group })
    };
    std::str::from_utf8(old).ok().and_then(group).is_some_and(|old| Some(old) == group(wanted))
}

/// A nodes' file that is there is somebody's and stays; nodes that it does not know are told.
fn tell_unknown_nodes(laid: &Laid, text: &str) -> Result<(), Fail> {
    let path = Path::new(nodes::PATH);
    let known = Nodes::parse(text, path)?;
    let unknown: Vec<&str> =
        laid.nodes.iter().filter(|node| known.get(node).is_none()).map(NodeName::as_str).collect();
    if !unknown.is_empty() {
        let (path, unknown) = (path.display(), unknown.join(", "));
        stderr::say(
            "ims-switch",
            format_args!("{path} is there and stays; add {unknown} to it, see ims-group(5)"),
        );
    }
    Ok(())
}
