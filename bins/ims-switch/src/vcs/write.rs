//! Groups written as `main.cf` and `MsgSrvTypes.cf`. What VCS has a type for is a resource of that type, anything else
//! an `Application` that runs the command lines of a plan's steps. What VCS has no attribute for stands in comments,
//! from which an import takes it back.

use ims::Fail;
use ims::group::Group;
use ims::instance::Instance;

use super::apart::Apart;
use super::kept;
use super::print::is_bare;
use super::resource;
use super::syntax::{self, Attribute, Block, Entry, GroupLink, Item, Link, Scalar, Tree, Value};
use crate::export::{Exported, ExportedFile};
use crate::import::{Remark, RemarkKind, Value as Said};

/// The types file, as the guide of the Messaging Server has it, its misspelt `static` put right.
const TYPES: &str = include_str!("MsgSrvTypes.cf");

/// Writes groups; `known` is what the registry says of their instances.
///
/// # Errors
/// Usage, when a group's own text is not valid.
pub fn write(groups: &[Group], known: &[Instance]) -> Result<Exported, Fail> {
    let include = |file: &str| Item::Include { line: 0, file: file.to_owned() };
    let mut tree = Tree { items: vec![include("types.cf"), include("MsgSrvTypes.cf")], slips: Vec::new() };
    let mut remarks = Vec::new();
    tree.items.push(Item::Block(Block::new(0, "cluster", "ims")));
    let mut systems: Vec<&str> = Vec::new();
    for node in groups.iter().flat_map(|group| &group.nodes) {
        if !systems.contains(&node.as_str()) {
            systems.push(node.as_str());
            tree.items.push(Item::Block(Block::new(0, "system", node.as_str())));
        }
    }
    let mut taken: Vec<String> = Vec::new();
    for group in groups {
        tree.items.push(Item::Group(one(group, groups, known, &mut taken, &mut remarks)?));
    }
    let file =
        |file: &str, text: &str| ExportedFile { file: file.into(), text: format!("// {file}\n{text}") };
    let files = vec![file("main.cf", &tree.to_string()), file("MsgSrvTypes.cf", TYPES)];
    Ok(Exported { files, remarks })
}

fn one(
    group: &Group,
    groups: &[Group],
    known: &[Instance],
    taken: &mut Vec<String>,
    remarks: &mut Vec<Remark>,
) -> Result<syntax::Group, Fail> {
    let file = Group::path(&group.name);
    let mut tell = |kind, what: String| remarks.push(Remark::of(kind, &file, what));
    let apart = Apart::of(group)?;
    let mut head = Block::new(0, "group", group.name.as_str());
    let systems = group.nodes.iter().zip(0_usize..).map(|(node, priority)| Entry {
        key: Scalar(node.to_string()),
        value: Some(Scalar(priority.to_string())),
    });
    let list = Value::Many(systems.collect());
    head.attributes.push(Attribute { line: 0, name: "SystemList".to_owned(), system: None, value: list });
    let amounts: Vec<Entry> = group
        .load
        .amounts()
        .filter(|amount| *amount != (ims::load::GROUPS, 1))
        .map(|(name, amount)| Entry { key: Scalar(name.to_owned()), value: Some(Scalar(amount.to_string())) })
        .collect();
    if !amounts.is_empty() {
        let value = Value::Many(amounts);
        head.attributes.push(Attribute { line: 0, name: "Prerequisites".to_owned(), system: None, value });
        tell(
            RemarkKind::Note,
            "its load is Prerequisites: give the systems Limits of the same names".to_owned(),
        );
    }
    if group.failback {
        head.kept.push(kept::said("failback", &Said::Flag(true)));
    }
    head.kept.extend(apart.head);
    for (_, kept) in &head.kept {
        tell(RemarkKind::Lost, format!("{kept}: VCS has no attribute for it; it stands in a comment"));
    }
    let names: Vec<String> = group.resources.iter().map(|of| name(group, of.name.as_str(), taken)).collect();
    let mut blocks = Vec::new();
    for (of, name) in group.resources.iter().zip(&names) {
        let mut block = resource::block(group, of, name, known, &mut tell);
        if *name != of.name.as_str() {
            let told =
                format!("resource {} is called {name}: a name of VCS stands once in the cluster", of.name);
            tell(RemarkKind::Changed, told);
            block.kept.push(kept::said("name", &Said::Text(of.name.to_string())));
        }
        for (_, kept) in apart.resources.iter().filter(|(resource, _)| resource == of.name.as_str()) {
            tell(RemarkKind::Lost, format!("{kept}: VCS has no attribute for it; it stands in a comment"));
            block.kept.push((0, kept.clone()));
        }
        blocks.push(block);
    }
    let ours = || group.resources.iter().zip(&names);
    let child = |required: &_| ours().find(|(of, _)| of.name == *required).map(|(_, name)| name.clone());
    let links = ours().flat_map(|(of, name)| {
        of.requires.iter().filter_map(child).map(|child| Link {
            line: 0,
            parent: name.clone(),
            children: vec![child],
            at_least: None,
        })
    });
    let links = links.collect();
    for required in group.needed_groups() {
        if !groups.iter().any(|other| other.name == *required) {
            tell(
                RemarkKind::Note,
                format!("{required} is required and not among these groups; VCS wants it in main.cf"),
            );
        }
    }
    // VCS takes one link between two groups: that on the same system says more.
    let together = &group.bonds.together_with;
    let global = group.requires_groups.iter().filter(|name| !together.contains(name));
    let links_to = |names: Vec<&ims::name::GroupName>, words: [&str; 3]| {
        let link = move |name: &ims::name::GroupName| GroupLink {
            line: 0,
            group: name.to_string(),
            words: words.map(ToOwned::to_owned).to_vec(),
        };
        names.into_iter().map(link).collect::<Vec<_>>()
    };
    let requires = [
        links_to(global.collect(), ["online", "global", "soft"]),
        links_to(together.iter().collect(), ["online", "local", "soft"]),
    ]
    .concat();
    let apart = group.bonds.apart_from.iter().map(|name| GroupLink {
        line: 0,
        group: name.to_string(),
        words: ["offline", "local"].map(ToOwned::to_owned).to_vec(),
    });
    let requires = requires.into_iter().chain(apart).collect();
    Ok(syntax::Group { head, resources: blocks, requires, links })
}

/// The name of a resource in VCS, where it stands once in the whole cluster and has no dots.
fn name(group: &Group, name: &str, taken: &mut Vec<String>) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
    };
    let is_free = |name: &String| is_bare(name) && name != "requires" && !taken.contains(name);
    let mut free = name.to_owned();
    if !is_free(&free) {
        free = format!("{}_{}", plain(group.name.as_str()), plain(name));
        if !is_bare(&free) {
            free.insert_str(0, "ims_");
        }
        while !is_free(&free) {
            free.push('_');
        }
    }
    taken.push(free.clone());
    free
}
