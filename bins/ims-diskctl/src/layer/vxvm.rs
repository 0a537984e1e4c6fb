//! A disk group of the Veritas volume manager (vxdg(1M)): imported by one host, whose name stands on its disks until it is
//! deported. Host locks are never cleared.

use ims::Fail;
use ims::sys::exec::Line;

use super::tools::Tools;
use super::{Sight, Standing};

/// A disk group as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
    is_imported: bool,
}

/// Looks at a disk group.
pub fn look(name: &str, tools: &mut Tools<'_>) -> Result<Group, Fail> {
    let listed = tools.run(&Line::new(["vxdg", "-q", "list"]))?;
    if !listed.is_success() {
        return Err(Fail::unknown(format!("cannot tell whether {name} is imported")).because(listed.words()));
    }
    let is_imported = is_listed(&listed.stdout, name);
    Ok(Group { name: name.to_owned(), is_imported })
}

/// Whether a group stands in `vxdg -q list`: a line each, its name, state and id.
fn is_listed(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().next() == Some(name))
}

impl Sight for Group {
    fn standing(&self) -> Standing {
        if self.is_imported { Standing::Active } else { Standing::Free }
    }

    fn up(&self, _degraded: bool) -> Vec<Line> {
        // Not to be imported again at boot; an import that another host's lock forbids fails by itself.
        let import = Line::new(["vxdg", "-t", "import", self.name.as_str()]);
        vec![import, Line::new(["vxvol", "-g", self.name.as_str(), "startall"])]
    }

    fn down(&self) -> Vec<Line> {
        let stop = Line::new(["vxvol", "-g", self.name.as_str(), "stopall"]);
        let deport = Line::new(["vxdg", "deport", self.name.as_str()]);
        if self.is_imported { vec![stop, deport] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_imported_when_it_is_listed() {
        let listed = include_str!("../../../../tests/data/layers/vxvm/vxdg-list.txt");
        assert!(is_listed(listed, "imsdg") && !is_listed(listed, "ims") && !is_listed("", "imsdg"));
    }
}
