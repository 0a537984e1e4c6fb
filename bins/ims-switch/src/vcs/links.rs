//! `PARENT requires CHILD`: what a resource of a group requires. A child of which there is nothing to be started hands
//! what it requires itself on to its parent.

use std::path::Path;

use ims::name::ResourceName;

use super::syntax::{Group, Link};
use crate::import::{Draft, Remark, RemarkKind};

/// Puts the links of a group into its draft. `names` has each resource of VCS with the name that it has in the draft,
/// none when it was left out.
pub fn link(
    file: &Path,
    group: &Group,
    names: &[(&str, Option<ResourceName>)],
    draft: &mut Draft,
    remarks: &mut Vec<Remark>,
) {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for link in &group.links {
        told(file, link, remarks);
        for child in &link.children {
            let stranger =
                [&link.parent, child].into_iter().find(|name| !names.iter().any(|(known, _)| known == name));
            if let Some(stranger) = stranger {
                let what = format!(
                    "{} requires {child}: there is no {stranger} in group {}; left out",
                    link.parent, group.head.name
                );
                remarks.push(Remark::at(RemarkKind::Slip, file, link.line, what));
                continue;
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
