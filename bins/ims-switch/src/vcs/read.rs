//! `main.cf` and its types files read as groups. What VCS has and a group file has not is told, each with its line.

use std::path::Path;

use ims::Fail;
use ims::name::ResourceName;

use super::attributes::Attributes;
use super::kinds::{self, World};
use super::parser;
use super::syntax::{Block, Group, GroupLink, Item, Tree, Value};
use super::types::Types;
use super::{included, links, wrong};
use crate::import::{Draft, Given, Imported, Remark, RemarkKind, Source, Value as Said};

/// Reads the files of one configuration.
///
/// # Errors
/// Usage, with the file and the line of what is not valid.
pub fn read(sources: &[Source], given: &Given) -> Result<Imported, Fail> {
    let files: Vec<(&Path, Tree)> = sources
        .iter()
        .map(|source| Ok((source.file.as_path(), parser::parse(&source.text, &source.file)?)))
        .collect::<Result<_, Fail>>()?;
    let mut imported = Imported::default();
    let remarks = &mut imported.remarks;
    for (file, tree) in &files {
        let slips = tree.slips.iter();
        remarks.extend(slips.map(|slip| Remark::at(RemarkKind::Slip, file, slip.line, &slip.what)));
    }
    included::told(&files, remarks);
    let types = Types::of(&files, remarks);
    outside(&files, remarks);
    let groups: Vec<(&Path, &Group)> = all(&files).collect();
    unique(&groups, remarks)?;
    let resources = groups.iter().flat_map(|(_, group)| &group.resources).collect();
    let world = World { given, types, resources };
    for (file, group) in &groups {
        imported.groups.extend(one(file, group, &world, &mut imported.remarks)?);
    }
    groups_left_out(&mut imported.groups, &groups, &mut imported.remarks);
    let order = |remark: &Remark| files.iter().position(|(file, _)| *file == remark.file);
    imported.remarks.sort_by_key(|remark| (order(remark), remark.line));
    Ok(imported)
}

fn all<'a>(files: &'a [(&'a Path, Tree)]) -> impl Iterator<Item = (&'a Path, &'a Group)> {
    files.iter().flat_map(|(file, tree)| {
        tree.items.iter().filter_map(move |item| match item {
            Item::Group(group) => Some((*file, group)),
            Item::Include { .. } | Item::Block(_) | Item::Type(_) => None,
        })
    })
}

/// Tells what stands outside of groups and means nothing here. Values are not told: there are passwords among them.
fn outside(files: &[(&Path, Tree)], remarks: &mut Vec<Remark>) {
    for (file, tree) in files {
        for item in &tree.items {
            let Item::Block(block) = item else { continue };
            let is_plain = matches!(block.word.as_str(), "cluster" | "system");
            if !is_plain {
                let what = format!("{} {} has no counterpart", block.word, block.name);
                remarks.push(Remark::at(RemarkKind::Lost, file, block.line, what));
                continue;
            }
            let mut of = Attributes::new(block, file, &[]);
            of.lost("Limits", "say capacity = { NAME = AMOUNT } of the node in /etc/ims/nodes.toml");
            of.lost("Capacity", "say capacity = { Load = AMOUNT } of the node in /etc/ims/nodes.toml");
            of.rest();
            remarks.append(&mut of.remarks);
        }
    }
}

/// Refuses a group or, in one group, a resource that stands twice. Resources of two groups with one name, which VCS does
/// not take, are told: in group files a name stands for itself in each.
fn unique(groups: &[(&Path, &Group)], remarks: &mut Vec<Remark>) -> Result<(), Fail> {
    let mut seen: Vec<(&Path, &str, &Block)> = Vec::new();
    for (file, group) in groups {
        for block in std::iter::once(&group.head).chain(&group.resources) {
            let is_group = block.word == "group";
            let first = seen
                .iter()
                .find(|(.., other)| other.name == block.name && (other.word == "group") == is_group);
            if let Some((there, within, other)) = first {
                let what = format!("{} stands at {}:{} already", block.name, there.display(), other.line);
                if is_group || *within == group.head.name {
                    return Err(wrong(file, block.line, what).hint("give one of them another name"));
                }
                remarks.push(Remark::at(RemarkKind::Slip, file, block.line, what));
            }
            seen.push((file, &group.head.name, block));
        }
    }
    Ok(())
}

/// Reads one group; none when a group file cannot say what it is.
fn one(
    file: &Path,
    group: &Group,
    world: &World<'_>,
    remarks: &mut Vec<Remark>,
) -> Result<Option<Draft>, Fail> {
    let head = &group.head;
    let at = |e: Fail| wrong(file, head.line, e);
    let mut of = Attributes::new(head, file, &[]);
    let is_parallel = of.text("Parallel").is_some_and(|parallel| parallel != "0");
    let nodes = nodes(of.value("SystemList"));
    let left_out = if is_parallel {
        Some("it runs on several systems at once (Parallel), and a group of ims-switch on one; left out")
    } else if nodes.is_empty() {
        Some("it has no SystemList; left out")
    } else if group.resources.is_empty() {
        Some("it has no resources; left out")
    } else {
        None
    };
    if let Some(why) = left_out {
        of.tell(RemarkKind::Lost, why);
        remarks.append(&mut of.remarks);
        return Ok(None);
    }
    let mut draft = Draft::new(head.name.parse().map_err(at)?);
    draft.nodes = nodes.iter().map(|node| node.parse()).collect::<Result<_, _>>().map_err(at)?;
    for (key, value) in of.kept() {
        match (key.as_str(), value) {
            ("failback", Said::Flag(failback)) => draft.failback = failback,
            (_, value) => draft.keys.push((key, value)),
        }
    }
    load(&mut of, &mut draft);
    of.lost("AutoStartList", "ims-switch brings nothing online by itself when a node starts");
    of.usual("AutoFailOver", "1", "ims-switch react gives the group over when a fault asks for it");
    of.usual("Frozen", "0", "the group is not frozen here");
    of.rest();
    remarks.append(&mut of.remarks);
    let mut names: Vec<(&str, Option<ResourceName>)> = Vec::new();
    for block in &group.resources {
        let mut of = Attributes::new(block, file, &nodes);
        let told = of.kept().into_iter().find_map(|(key, value)| match (key.as_str(), value) {
            ("name", Said::Text(name)) => Some(name),
            _ => None,
        });
        of.remarks.clear();
        let name: ResourceName =
            told.as_ref().unwrap_or(&block.name).parse().map_err(|e: Fail| wrong(file, block.line, e))?;
        let resource = kinds::resource(&mut of, name.clone(), world);
        names.push((&block.name, resource.is_some().then_some(name)));
        draft.resources.extend(resource);
        remarks.append(&mut of.remarks);
    }
    links::link(file, group, &names, &mut draft, remarks)?;
    required(file, &group.requires, &mut draft, remarks).map_err(at)?;
    Ok(Some(draft))
}

/// What a group asks of its system: `Prerequisites` by their names, and `Load`, which VCS keeps apart from these.
fn load(of: &mut Attributes<'_>, draft: &mut Draft) {
    let mut amounts: Vec<(String, u64)> = Vec::new();
    if let Some(Value::Many(entries)) = of.value("Prerequisites") {
        for entry in entries {
            match entry.value.as_ref().and_then(|value| value.0.parse().ok()) {
                Some(amount) => amounts.push((entry.key.0.clone(), amount)),
                None => of.tell(RemarkKind::Lost, format!("Prerequisites: {} is not a number", entry.key.0)),
            }
        }
    }
    if let Some(text) = of.text("Load") {
        match text.parse() {
            Ok(amount) => amounts.push(("Load".to_owned(), amount)),
            Err(_) => of.tell(RemarkKind::Lost, "Load is not a number"),
        }
    }
    if !amounts.is_empty() {
        let what = "Prerequisites and Load are load: give the nodes a capacity of the same names in nodes.toml \
                    (Limits, Capacity)";
        of.tell(RemarkKind::Changed, what);
        draft.keys.push(("load".to_owned(), Said::Amounts(amounts)));
    }
}

/// The systems by their priority: one without a number has that of the one before it and 1 more, the first 0.
fn nodes(list: Option<&Value>) -> Vec<String> {
    let Some(Value::Many(entries)) = list else {
        return list.map(Value::text).into_iter().collect();
    };
    let mut next: i64 = 0;
    let mut systems: Vec<(i64, String)> = Vec::new();
    for entry in entries {
        let priority = entry.value.as_ref().and_then(|value| value.0.parse().ok()).unwrap_or(next);
        next = priority.saturating_add(1);
        systems.push((priority, entry.key.0.clone()));
    }
    systems.sort_by_key(|(priority, _)| *priority);
    systems.into_iter().map(|(_, system)| system).collect()
}

/// What a group requires of others: `online global soft` is what `requires_groups` means.
fn required(
    file: &Path,
    links: &[GroupLink],
    draft: &mut Draft,
    remarks: &mut Vec<Remark>,
) -> Result<(), Fail> {
    for link in links {
        let words: Vec<&str> = link.words.iter().map(String::as_str).collect();
        let told = words.join(" ");
        let mut tell = |kind, what: &str| {
            let what = format!("requires group {} {told}: {what}", link.group);
            remarks.push(Remark::at(kind, file, link.line, what));
        };
        let group = link.group.parse()?;
        let comes_later = "the one that comes later is refused, and none is stopped for another";
        if words.contains(&"offline") {
            tell(RemarkKind::Changed, &format!("is apart_from here: {comes_later}"));
            draft.name_in("apart_from", &group);
            continue;
        }
        if words.contains(&"remote") {
            tell(RemarkKind::Changed, &format!("is apart_from here, too: {comes_later}"));
            draft.name_in("apart_from", &group);
        }
        if !words.contains(&"soft") {
            tell(RemarkKind::Changed, "when it goes offline later, this group is left as it is here");
        }
        if words.contains(&"local") {
            draft.name_in("together_with", &group);
        } else if !draft.requires_groups.contains(&group) {
            draft.requires_groups.push(group);
        }
    }
    Ok(())
}

/// Takes out requirements of groups that were left out, and tells those of groups that no file has.
fn groups_left_out(drafts: &mut [Draft], groups: &[(&Path, &Group)], remarks: &mut Vec<Remark>) {
    let names: Vec<_> = drafts.iter().map(|draft| draft.name.clone()).collect();
    for draft in drafts {
        let name = draft.name.clone();
        let links = groups.iter().filter(|(_, group)| group.head.name == name.as_str());
        let links = links.flat_map(|(file, group)| group.requires.iter().map(move |link| (*file, link)));
        for (file, link) in links {
            if !draft.names(&link.group) || names.iter().any(|name| name.as_str() == link.group) {
                continue;
            }
            let (kind, what) = if groups.iter().any(|(_, other)| other.head.name == link.group) {
                draft.forget(&link.group);
                let is_of_link = |told: &Remark| told.file == file && told.line == Some(link.line);
                remarks.retain(|told| !is_of_link(told));
                (
                    RemarkKind::Lost,
                    format!("{} was left out; {} no longer depends on it", link.group, draft.name),
                )
            } else {
                (RemarkKind::Note, format!("no group {} stands in the files; it must be there", link.group))
            };
            remarks.push(Remark::at(kind, file, link.line, what));
        }
    }
}
