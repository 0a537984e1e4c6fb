//! `graph`: what a group is made of and what needs what, as text, as a picture, or in a language that others draw.
//!
//! Everything is drawn with what requires above what is required, as the trees of a cluster's documents are.

mod crossings;
mod dot;
mod layered;
mod mermaid;
mod record;
mod svg;
mod tree;

use ims::group::Group;
use ims::name::GroupName;
use ims::nodes::Nodes;
use ims::output::Format;
use ims::{Exit, Fail, Host, Out};

use crate::cli::graph::{Drawing, Graph};
use crate::drive::team::Team;
use crate::status::{chosen, judge};

pub use record::{GroupGraph, ResourceGraph};

/// Draws the groups. With `--state` the status is that of `status`.
pub fn graph(host: &Host, graph: &Graph, output: Option<Format>, out: &mut Out) -> Result<Exit, Fail> {
    if graph.format.is_some() && output == Some(Format::Json) {
        return Err(
            Fail::usage("--format does not go with --output json").hint("records are drawn by nothing")
        );
    }
    let mut exit = Exit::Ok;
    let mut drawn: Vec<GroupGraph> = Vec::new();
    let mut waiting = chosen(host, &graph.groups)?;
    let named = waiting.clone();
    let known = Group::names(host)?;
    while !waiting.is_empty() {
        let name = waiting.remove(0);
        if drawn.iter().any(|one| one.group == name) {
            continue;
        }
        // What was asked for must be there; what is only required may be described on other nodes alone.
        if !named.contains(&name) && !known.contains(&name) {
            drawn.push(GroupGraph::elsewhere(name));
            continue;
        }
        let group = Group::load(host, &name)?;
        waiting.extend(group.requires_groups.iter().cloned());
        if graph.state {
            let team = Team::gather(host, group, Nodes::load(host)?, None)?;
            let (found, details) = team.look();
            exit = exit.gravest(judge(&team.group, &found).1);
            drawn.push(GroupGraph::of(&team.group, Some(&details)));
        } else {
            drawn.push(GroupGraph::of(&group, None));
        }
    }
    let drawing = match (graph.format, out.format()) {
        (Some(drawing), _) => drawing,
        (None, Format::Table) => Drawing::Tree,
        (None, Format::Json) => {
            drawn.iter().try_for_each(|one| out.record(one))?;
            return Ok(exit);
        }
    };
    out.document(&match drawing {
        Drawing::Tree => tree::tree(&drawn, tree::Lines::of_locale()),
        Drawing::Dot => dot::dot(&drawn),
        Drawing::Svg => svg::svg(&drawn),
        Drawing::Mermaid => mermaid::mermaid(&drawn),
    })?;
    Ok(exit)
}

/// The edges between the drawn groups, as places in the list, from the one that requires to the one that is required.
fn between(groups: &[GroupGraph]) -> Vec<(usize, usize)> {
    let place = |name: &GroupName| groups.iter().position(|one| &one.group == name);
    let of = |(from, group): (usize, &GroupGraph)| {
        let to: Vec<usize> = group.requires_groups.iter().filter_map(place).collect();
        to.into_iter().map(move |to| (from, to)).collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of).collect()
}
