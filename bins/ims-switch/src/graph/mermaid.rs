//! Groups in the language of Mermaid, which many wikis draw.

use super::between;
use super::record::GroupGraph;
use super::svg::color;

/// The whole graph.
pub fn mermaid(groups: &[GroupGraph]) -> String {
    let mut lines = vec!["flowchart TB".to_owned()];
    for (index, group) in groups.iter().enumerate() {
        lines.extend(subgraph(index, group));
    }
    lines.extend(between(groups).into_iter().map(|(from, to)| format!("  g{from} -.-> g{to}")));
    for (index, group) in groups.iter().enumerate() {
        let states = group.resources.iter().enumerate().filter_map(|(place, one)| Some((place, one.state?)));
        lines
            .extend(states.map(|(place, state)| format!("  style g{index}r{place} stroke:{}", color(state))));
    }
    if groups.iter().any(|group| group.resources.iter().any(|one| one.persistent)) {
        lines.push("  classDef persistent stroke-dasharray:4 3".to_owned());
    }
    lines.join("\n") + "\n"
}

fn subgraph(index: usize, group: &GroupGraph) -> Vec<String> {
    let title = [group.group.to_string(), group.below()];
    let mut lines = vec![format!("  subgraph g{index}[\"{}\"]", escaped(&title))];
    if !group.is_here {
        lines.push(format!("    g{index}r0[\" \"]"));
    }
    for (place, one) in group.resources.iter().enumerate() {
        let label: Vec<String> = std::iter::once(one.resource.to_string()).chain(one.lines()).collect();
        let class = if one.persistent { ":::persistent" } else { "" };
        lines.push(format!("    g{index}r{place}[\"{}\"]{class}", escaped(&label)));
    }
    for (place, one) in group.resources.iter().enumerate() {
        let at = |name| group.resources.iter().position(|other| &other.resource == name);
        let required = one.requires.iter().filter_map(at);
        lines.extend(required.map(|required| format!("    g{index}r{place} --> g{index}r{required}")));
    }
    lines.push("  end".to_owned());
    lines
}

/// Lines as one label. What is not plain is written as a code, for the label is read as HTML and as Markdown.
fn escaped(lines: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || " -_./:,()@+=".contains(c);
    let line = |line: &String| {
        line.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
    };
    lines.iter().map(line).collect::<Vec<String>>().join("<br/>")
}
