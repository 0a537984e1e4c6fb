//! `PARENT requires CHILD`: what a resource of a group requires. A child of which there is nothing to be started hands
//! what it requires itself on to its parent.

use std::path::Path;

use ims::Fail;
use ims::name::ResourceName;
use ims::suggest::nearest;

use super::syntax::{Group, Link};
use super::wrong;
use crate::import::{Draft, Remark, RemarkKind};

/// Puts the links of a group into its draft. `names` has each resource of VCS with the name that it has in the draft,
/// none when it was left out.
///
/// # Errors
/// Usage, with the line of a link to what is no resource of the group.
pub fn link(
    file: &Path,
    group: &Group,
    names: &[(&str, Option<ResourceName>)],
    draft: &mut Draft,
    remarks: &mut Vec<Remark>,
) -> Result<(), Fail> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for link in &group.links {
        told(file, link, remarks);
        for child in &link.children {
            for name in [&link.parent, child] {
                known(file, link.line, name, group)?;
            }
            pairs.push((&link.parent, child));
        }
    }
    for (parent, ours) in names {
        let Some(ours) = ours else { continue };
        let mut met: Vec<&str> = vec![parent];
        let mut left: Vec<&str> = children(&pairs, parent);
        left.reverse();
        while let Some(child) = left.pop() {
            let Some((name, theirs)) = names.iter().find(|(name, _)| *name == child) else { continue };
            if let Some(theirs) = theirs {
                if let Some(resource) = draft.get(ours.as_str()) {
                    resource.require(theirs);
                }
            } else if !met.contains(name) {
                met.push(name);
                left.extend(children(&pairs, name).into_iter().rev());
            }
        }
    }
    Ok(())
}

/// Refuses a name that is no resource of the group, as VCS does.
fn known(file: &Path, line: usize, name: &str, group: &Group) -> Result<(), Fail> {
    let names = || group.resources.iter().map(|block| block.name.as_str());
    if names().any(|known| known == name) {
        return Ok(());
    }
    let fail =
        wrong(file, line, format!("no resource '{}' in group {}", name.escape_debug(), group.head.name));
    Err(match nearest(name, names()) {
        Some(meant) => fail.hint(format!("did you mean '{meant}'?")),
        None => fail.hint("a resource requires those of its own group"),
    })
}

fn children<'a>(pairs: &[(&str, &'a str)], parent: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(of, _)| *of == parent).map(|(_, child)| *child).collect()
}

fn told(file: &Path, link: &Link, remarks: &mut Vec<Remark>) {
    if let Some(count) = &link.at_least {
        let what = format!("{} requires atleast {count}: it requires all of them here", link.parent);
        remarks.push(Remark::at(RemarkKind::Changed, file, link.line, what));
    }
}
