//! What an import leaves to its operator: instances that the registry does not know, nodes that nobody described, and
//! files that the other nodes do not have yet. Pure.

use std::path::Path;

use ims::group::Group;
use ims::instance::Instance;
use ims::nodes::{self, Nodes};
use ims::registry::{self, Registry};

use super::{Imported, Remark, RemarkKind};

/// Says what is left to do, in the order in which it is done; `to` is the folder that the group files go to.
pub fn to_do(imported: &Imported, registry: &Registry, nodes: &Nodes, to: &Path) -> Vec<Remark> {
    let note = |file: &Path, what: String| Remark::of(RemarkKind::Note, file, what);
    let mut left = Vec::new();
    let mut names: Vec<_> = imported.groups.iter().flat_map(|group| &group.nodes).collect();
    names.sort();
    names.dedup();
    for node in names.into_iter().filter(|node| nodes.get(node).is_none()) {
        let what = format!("left to do: say how {node} is reached and fenced, see ims-group(5)");
        left.push(note(Path::new(nodes::PATH), what));
    }
    for instance in imported.instances.iter().filter(|wanted| registry.get(&wanted.name) != Some(wanted)) {
        left.push(note(Path::new(registry::PATH), register(instance)));
    }
    left.extend(imported.groups.iter().map(|group| {
        let file = to.join(Group::path(&group.name).file_name().unwrap_or_default());
        let what = format!("left to do, for every node: ims-switch add {}", file.display());
        note(&file, what)
    }));
    left
}

fn register(instance: &Instance) -> String {
    let name = &instance.name;
    let bind = if instance.addresses.is_empty() {
        String::new()
    } else {
        let addresses: Vec<String> = instance.addresses.iter().map(ToString::to_string).collect();
        format!(
            "; once its servers are installed, ims-ipbind set {name} binds them to {}",
            addresses.join(", ")
        )
    };
    format!("left to do: ims-registry add - takes {name} from its record, on every node{bind}")
}

#[cfg(test)]
mod tests {
    use super::super::Draft;
    use super::*;

    #[test]
    fn what_is_done_already_is_not_told() {
        let mut group = Draft::new("IMS-RG".parse().unwrap());
        group.nodes = vec!["mail-1".parse().unwrap(), "mail-2".parse().unwrap()];
        let text = "[stork]\nlayout = iplanet-5\nroot = /r\naddress = 10.0.37.10\n";
        let known = Registry::parse(text, Path::new("x")).unwrap();
        let instances = known.instances().cloned().collect();
        let imported = Imported { groups: vec![group], instances, remarks: Vec::new() };
        let told = |registry: &Registry, nodes: &str| {
            let nodes = Nodes::parse(nodes, Path::new("x")).unwrap();
            let left = to_do(&imported, registry, &nodes, Path::new("/root/groups"));
            left.into_iter().map(|remark| format!("{}: {}", remark.place(), remark.what)).collect::<Vec<_>>()
        };
        let add =
            "/root/groups/IMS-RG.toml: left to do, for every node: ims-switch add /root/groups/IMS-RG.toml";
        assert_eq!(told(&known, "[mail-1]\n[mail-2]\n"), [add]);
        assert_eq!(
            told(&Registry::default(), "[mail-1]\n"),
            [
                "/etc/ims/nodes.toml: left to do: say how mail-2 is reached and fenced, see ims-group(5)",
                "/etc/msgregistry.inf: left to do: ims-registry add - takes stork from its record, on every node; once \
                 its servers are installed, ims-ipbind set stork binds them to 10.0.37.10",
                add,
            ]
        );
    }
}
