//! The groups of a cluster as group files: their properties, and what requires what.

use std::collections::HashMap;

use ims::Fail;
use ims::instance::Instance;
use ims::name::ResourceName;

use super::action::list;
use super::cluster::{Cluster, Made};
use super::resource::{self, Became};
use crate::import::{Draft, Given, Imported, Remark, RemarkKind};

/// Turns what the commands have made into drafts.
pub fn all(cluster: &Cluster<'_>, given: &Given, imported: &mut Imported) {
    for group in &cluster.groups {
        if let Some(draft) = one(cluster, group, given, imported) {
            imported.groups.push(draft);
        }
    }
}

fn one(cluster: &Cluster<'_>, group: &Made, given: &Given, imported: &mut Imported) -> Option<Draft> {
    let remarks = &mut imported.remarks;
    let mut draft = match group.name.parse() {
        Ok(name) => Draft::new(name),
        Err(fail) => {
            remarks.push(group.remark(RemarkKind::Missing, Fail::to_string(&fail)));
            return None;
        }
    };
    properties(group, &mut draft, given, remarks);
    let mut became: HashMap<&str, Became> = HashMap::new();
    for made in cluster.of(&group.name) {
        became.insert(&made.name, resource::became(made, given, remarks));
    }
    let addresses: Vec<(&str, ResourceName)> = cluster
        .of(&group.name)
        .filter_map(|made| Some((made.name.as_str(), became.get(made.name.as_str())?)))
        .flat_map(|(name, parts)| parts.resources.iter().map(move |part| (name, part)))
        .filter(|(_, part)| part.kind == "logical-ip")
        .map(|(name, part)| (name, part.name.clone()))
        .collect();
    let implied = group.get("Implicit_network_dependencies").is_none_or(is_true);
    let mut waits = false;
    for made in cluster.of(&group.name) {
        let required = required(cluster, made, &mut draft, remarks);
        let mut names: Vec<ResourceName> = Vec::new();
        for name in &required {
            let parts = became.get(name.as_str()).map(|parts| parts.resources.as_slice()).unwrap_or_default();
            names.extend(parts.iter().map(|part| part.name.clone()));
        }
        let Some(own) = became.get(made.name.as_str()) else { continue };
        if own.is_server && made.get("Network_resources_used").is_none() && implied {
            // What it requires has the addresses up before it already.
            let is_waited_for =
                required.iter().any(|name| became.get(name.as_str()).is_some_and(|it| it.is_server));
            if !is_waited_for {
                names.extend(addresses.iter().map(|(_, address)| address.clone()));
                waits |= !addresses.is_empty();
            }
        }
        for part in &own.resources {
            let mut part = part.clone();
            for name in &names {
                part.require(name);
            }
            draft.resources.push(part);
        }
        if !made.enabled && !own.resources.is_empty() {
            let parts: Vec<String> =
                own.resources.iter().map(|part| format!("{}:{}", group.name, part.name)).collect();
            let what = format!(
                "{} is not enabled at the end: a group file starts all that it has (ims-switch disable {})",
                made.name,
                parts.join(" ")
            );
            remarks.push(made.remark(RemarkKind::Changed, what));
        }
    }
    if waits {
        let what =
            format!("{}: its servers require its addresses, as the types of servers imply", group.name);
        remarks.push(group.remark(RemarkKind::Note, what));
    }
    instances(cluster, group, &became, &draft, &mut imported.instances);
    if draft.resources.is_empty() {
        imported.remarks.push(group.remark(RemarkKind::Lost, format!("{} has no resource", draft.name)));
        return None;
    }
    Some(draft)
}

fn properties(group: &Made, draft: &mut Draft, given: &Given, remarks: &mut Vec<Remark>) {
    for node in group.get("Nodelist").map(list).unwrap_or_default() {
        // NODE:ZONE names a zone of Solaris.
        match node.split(':').next().unwrap_or_default().parse() {
            Ok(node) => draft.nodes.push(node),
            Err(fail) => remarks.push(group.remark(RemarkKind::Missing, Fail::to_string(&fail))),
        }
    }
    if draft.nodes.is_empty() {
        draft.nodes.clone_from(&given.nodes);
    }
    if draft.nodes.is_empty() {
        let what = format!("{} has every node of the cluster: name them with --nodes", draft.name);
        remarks.push(group.remark(RemarkKind::Missing, what));
    }
    for (file, property) in &group.properties {
        let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, property.line, what));
        let told = format!("{}={} of {}", property.name, property.value, group.name);
        match property.name.to_lowercase().as_str() {
            "nodelist" | "implicit_network_dependencies" => {}
            "failback" => draft.failback = is_true(&property.value),
            "rg_dependencies" => {
                for name in list(&property.value) {
                    match name.parse() {
                        Ok(name) => draft.requires_groups.push(name),
                        Err(fail) => say(RemarkKind::Missing, Fail::to_string(&fail)),
                    }
                }
            }
            "pingpong_interval" => match property.value.parse::<u64>() {
                Ok(seconds) => draft.keys.push(("pingpong_interval".to_owned(), seconds.into())),
                Err(_) => say(RemarkKind::Missing, format!("{told}: not a number of seconds")),
            },
            "rg_affinities" => affinities(&property.value, draft, &mut say),
            "maximum_primaries" | "desired_primaries" if property.value == "1" => {}
            "rg_mode" if property.value.eq_ignore_ascii_case("failover") => {}
            "maximum_primaries" | "desired_primaries" | "rg_mode" => {
                say(RemarkKind::Lost, format!("{told}: a group is up on one node"));
            }
            "auto_start_on_new_cluster" => {
                say(RemarkKind::Lost, format!("{told}: nothing starts by itself when a node boots"));
            }
            "rg_description" => say(RemarkKind::Lost, format!("{told}: write it as a comment")),
            _ => say(RemarkKind::Lost, format!("{told}: no counterpart")),
        }
    }
}

/// `++RG` and its like, by `rg_properties(5)`: strong or weak, together or apart. Nothing is stopped here for another group,
/// and what `+++` delegates stays with the group that fails.
fn affinities(value: &str, draft: &mut Draft, say: &mut impl FnMut(RemarkKind, String)) {
    for word in list(value) {
        let name = word.trim_start_matches(['+', '-']);
        let sign = word.strip_suffix(name).unwrap_or_default();
        let key = match sign {
            "++" | "+++" => "together_with",
            "--" => "apart_from",
            "+" => "rather_with",
            "-" => "rather_apart_from",
            _ => {
                say(
                    RemarkKind::Missing,
                    format!("RG_affinities has {word}, which begins with no sign of one"),
                );
                continue;
            }
        };
        match name.parse() {
            Ok(group) => draft.name_in(key, &group),
            Err(fail) => say(RemarkKind::Missing, Fail::to_string(&fail)),
        }
        let what = match sign {
            "+++" => "a fault of this group does not move that one",
            "--" => "the one that comes later is refused, and none is stopped for another",
            _ => continue,
        };
        say(RemarkKind::Changed, format!("RG_affinities {word} of {} is {key}: {what}", draft.name));
    }
}

fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

/// The resources of the same group that a resource requires; a requirement of another group's makes the group require
/// that one.
fn required(cluster: &Cluster<'_>, made: &Made, draft: &mut Draft, remarks: &mut Vec<Remark>) -> Vec<String> {
    let mut required = Vec::new();
    for (file, property) in &made.properties {
        let name = property.name.to_lowercase();
        let is_strong = ["resource_dependencies", "network_resources_used"].contains(&name.as_str());
        if !is_strong && !name.starts_with("resource_dependencies_") {
            continue;
        }
        for wanted in list(&property.value) {
            let wanted = wanted.split('{').next().unwrap_or_default().to_owned();
            let mut say = |kind, what: String| remarks.push(Remark::at(kind, file, property.line, what));
            let Some(other) = cluster.resources.iter().find(|known| known.name == wanted) else {
                say(RemarkKind::Lost, format!("{} requires {wanted}, which is not there", made.name));
                continue;
            };
            if !is_strong {
                let what =
                    format!("{}: {} on {wanted} became one that always counts", made.name, property.name);
                say(RemarkKind::Changed, what);
            }
            if other.group == made.group {
                required.push(wanted);
            } else if let Ok(group) = other.group.parse() {
                say(
                    RemarkKind::Changed,
                    format!("{} requires {wanted}: its group requires {group}", made.name),
                );
                if !draft.requires_groups.contains(&group) {
                    draft.requires_groups.push(group);
                }
            }
        }
    }
    required
}

/// What the registry should know: a mail server has the directory server that it requires below its own root.
fn instances(
    cluster: &Cluster<'_>,
    group: &Made,
    became: &HashMap<&str, Became>,
    draft: &Draft,
    instances: &mut Vec<Instance>,
) {
    let addresses: Vec<ims::address::Address> = draft
        .resources
        .iter()
        .flat_map(|resource| &resource.keys)
        .filter(|(key, _)| key == "address")
        .filter_map(|(_, value)| value.to_string().trim_matches('"').parse::<ims::address::LogicalIp>().ok())
        .map(ims::address::LogicalIp::address)
        .collect();
    let found: Vec<Instance> = cluster
        .of(&group.name)
        .filter_map(|made| became.get(made.name.as_str())?.instance.clone())
        .map(|instance| Instance { addresses: addresses.clone(), ..instance })
        .collect();
    let (mail, directories): (Vec<Instance>, Vec<Instance>) = found.into_iter().partition(|found| found.mail);
    let is_below = |directory: &Instance| mail.iter().any(|mail| mail.root == directory.root);
    instances.extend(directories.iter().filter(|directory| !is_below(directory)).cloned());
    for mut mail in mail {
        mail.ldap =
            directories.iter().find(|known| known.root == mail.root).and_then(|known| known.ldap.clone());
        instances.push(mail);
    }
}
