//! Groups as text: what is required is indented below what requires it. What several require is shown in full the
//! first time, and named again after that.

use ims::name::ResourceName;
use ims::output::shows_unicode;

use super::record::{GroupGraph, ResourceGraph};

/// The characters of which lines are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    branch: &'static str,
    last: &'static str,
    down: &'static str,
}

impl Lines {
    /// For every terminal.
    pub const ASCII: Self = Self { branch: "|- ", last: "`- ", down: "|  " };
    /// For a terminal that knows Unicode.
    pub const UNICODE: Self = Self { branch: "├─ ", last: "└─ ", down: "│  " };

    /// Those that the locale has.
    pub fn of_locale() -> Self {
        if shows_unicode() { Self::UNICODE } else { Self::ASCII }
    }

    /// What stands before a label, and before all that is below it.
    const fn at(self, is_last: bool) -> (&'static str, &'static str) {
        if is_last { (self.last, "   ") } else { (self.branch, self.down) }
    }
}

/// The trees of all groups, a blank line between two.
pub fn tree(groups: &[GroupGraph], lines: Lines) -> String {
    let drawn = groups.iter().map(|group| of_group(group, lines).join("\n") + "\n");
    drawn.collect::<Vec<_>>().join("\n")
}

fn of_group(group: &GroupGraph, lines: Lines) -> Vec<String> {
    let mut text = vec![format!("{} ({})", group.group, group.below())];
    let required = group.requires_groups.iter().map(|name| (format!("requires group {name}"), None));
    let tops = group.tops().map(|top| (top.line(), Some(top)));
    let first: Vec<_> = required.chain(tops).collect();
    let mut said = Vec::new();
    for (index, (label, resource)) in first.iter().enumerate() {
        let (joint, margin) = lines.at(index + 1 == first.len());
        text.push(format!("{joint}{label}"));
        if let Some(resource) = resource {
            text.extend(below(group, resource, lines, margin, &mut said));
        }
    }
    text
}

/// What a resource requires, each line behind the margin.
fn below<'a>(
    group: &'a GroupGraph,
    resource: &'a ResourceGraph,
    lines: Lines,
    margin: &str,
    said: &mut Vec<&'a ResourceName>,
) -> Vec<String> {
    let mut text = Vec::new();
    for (index, name) in resource.requires.iter().enumerate() {
        let Some(required) = group.get(name) else { continue };
        let (joint, further) = lines.at(index + 1 == resource.requires.len());
        if said.contains(&name) {
            text.push(format!("{margin}{joint}{name} (above)"));
            continue;
        }
        said.push(name);
        text.push(format!("{margin}{joint}{}", required.line()));
        text.extend(below(group, required, lines, &format!("{margin}{further}"), said));
    }
    text
}
