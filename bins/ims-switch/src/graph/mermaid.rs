//! Groups in the language of Mermaid, which many wikis draw.

use super::between;
use super::record::GroupGraph;

/// The whole graph.
pub fn mermaid(groups: &[GroupGraph]) -> String {
    let mut text = String::from("flowchart TB\n");
    for (index, group) in groups.iter().enumerate() {
        let title = [group.group.to_string(), group.below()];
        text += &format!("  subgraph g{index}[\"{}\"]\n", escaped(&title));
        if !group.is_here {
            text += &format!("    g{index}r0[\" \"]\n");
        }
        for (place, one) in group.resources.iter().enumerate() {
            let label: Vec<String> = std::iter::once(one.resource.to_string()).chain(one.lines()).collect();
            let class = if one.persistent { ":::persistent" } else { "" };
            text += &format!("    g{index}r{place}[\"{}\"]{class}\n", escaped(&label));
        }
        for (place, one) in group.resources.iter().enumerate() {
            for name in &one.requires {
                let Some(required) = group.resources.iter().position(|r| &r.resource == name) else {
                    continue;
                };
                text += &format!("    g{index}r{place} --> g{index}r{required}\n");
            }
        }
        text += "  end\n";
    }
    for (from, to) in between(groups) {
        text += &format!("  g{from} -.-> g{to}\n");
    }
    for (index, group) in groups.iter().enumerate() {
        for (place, one) in group.resources.iter().enumerate() {
            if let Some(state) = one.state {
                text += &format!("  style g{index}r{place} stroke:{}\n", super::svg::color(state));
            }
        }
    }
    if groups.iter().any(|group| group.resources.iter().any(|one| one.persistent)) {
        text += "  classDef persistent stroke-dasharray:4 3\n";
    }
    text
}

/// Lines as one label. What is not plain is written as a code, for the label is read as HTML and as Markdown.
fn escaped(lines: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || " -_./:,()@+=".contains(c);
    let line = |line: &String| {
        line.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
    };
    lines.iter().map(line).collect::<Vec<String>>().join("<br/>")
}
