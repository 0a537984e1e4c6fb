//! Groups in the language of Graphviz: a cluster for each group, an arrow from what requires to what is required.

use super::between;
use super::record::{GroupGraph, ResourceGraph};
use super::svg::color;

/// The whole graph.
pub fn dot(groups: &[GroupGraph]) -> String {
    let mut lines: Vec<String> = [
        "// What requires stands above what is required; dot -Tsvg draws it.",
        "digraph groups {",
        "  rankdir=TB;",
        "  compound=true;",
        "  newrank=true;",
        "  node [shape=box, style=rounded, fontname=\"Helvetica\"];",
        "  graph [fontname=\"Helvetica\"];",
    ]
    .map(ToOwned::to_owned)
    .into();
    lines.extend(groups.iter().flat_map(cluster));
    for (from, to) in between(groups) {
        let (Some(from), Some(to)) = (groups.get(from), groups.get(to)) else { continue };
        let (cluster, required) = (quoted(&cluster_name(from)), quoted(&cluster_name(to)));
        let (tail, head) = (quoted(&lowest(from)), quoted(&highest(to)));
        lines.push(format!("  {tail} -> {head} [ltail={cluster}, lhead={required}, style=dashed];"));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

fn cluster(group: &GroupGraph) -> Vec<String> {
    let title = format!("{}\n{}", group.group, group.below());
    let style = if group.is_here { "rounded" } else { "dashed" };
    let mut lines = vec![
        format!("  subgraph {} {{", quoted(&cluster_name(group))),
        format!("    label={};", quoted(&title)),
        format!("    style={style};"),
    ];
    if !group.is_here {
        lines.push(format!("    {} [style=invis, label=\"\"];", quoted(&highest(group))));
    }
    for one in &group.resources {
        let label: Vec<String> = std::iter::once(one.resource.to_string()).chain(one.lines()).collect();
        let style = if one.persistent { ", style=\"rounded,dashed\"" } else { "" };
        let color = one.state.map(|state| format!(", color={}", quoted(color(state)))).unwrap_or_default();
        let (name, label) = (quoted(&node(group, one)), quoted(&label.join("\n")));
        lines.push(format!("    {name} [label={label}{style}{color}];"));
    }
    for one in &group.resources {
        for required in one.requires.iter().filter_map(|name| group.get(name)) {
            lines.push(format!("    {} -> {};", quoted(&node(group, one)), quoted(&node(group, required))));
        }
    }
    lines.push("  }".to_owned());
    lines
}

/// Graphviz draws a frame round what is called so.
fn cluster_name(group: &GroupGraph) -> String {
    format!("cluster_{}", group.group)
}

fn node(group: &GroupGraph, resource: &ResourceGraph) -> String {
    format!("{}/{}", group.group, resource.resource)
}

/// The node that an arrow from the group hangs on: what is started first.
fn lowest(group: &GroupGraph) -> String {
    group.resources.first().map_or_else(|| highest(group), |one| node(group, one))
}

/// The node that an arrow to the group hangs on: what nothing in it requires.
fn highest(group: &GroupGraph) -> String {
    group.tops().next().map_or_else(|| format!("{}/", group.group), |one| node(group, one))
}

/// A string of the language; a backslash would begin one of its escapes.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
