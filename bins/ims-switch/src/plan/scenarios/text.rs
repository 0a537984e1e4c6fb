//! The stored scenarios as text: what is asked is written by hand or generated, what is answered is compared.

use std::fmt::Write;

use ims::group::Group;
use ims::name::NodeName;
use ims::{Fail, State};

use super::world::{MOST, Shape, Side, World};
use crate::plan::explain::{Action, explain};
use crate::plan::{Plan, Step, Verb, Wish};

/// Every situation of a node that is told apart: its word, and what it says.
pub const SITUATIONS: [(&str, &str); 11] = [
    ("whole", "everything is up"),
    ("empty", "nothing is up but what is only looked at"),
    ("low", "the lower half of the group is up"),
    ("holed", "everything is up but the first volume"),
    ("hung", "everything is up but the last resource, which is partial"),
    ("dim", "everything is up but the last resource, which is unknown"),
    ("bare", "everything is up but what is only looked at"),
    ("blind", "the node answers, and nothing can be found out"),
    ("lost", "the node does not answer, and has no fence agent"),
    ("lost+fence", "the node does not answer, and has a fence agent"),
    ("fenced", "the node was fenced"),
];

/// A node by the word of a situation, or by a letter for each resource: up, down, partial, `?`.
pub fn side(shape: &Shape, word: &str) -> Side {
    let own: Vec<usize> = shape.own().collect();
    let first_volume = shape.volumes.iter().position(|is_volume| *is_volume);
    let reached = |state: &dyn Fn(usize) -> State| {
        let mut states = [State::Down; MOST];
        (0..shape.len()).for_each(|resource| states[resource] = state(resource));
        Side::Reached(states)
    };
    let either = |is_up: bool| if is_up { State::Up } else { State::Down };
    let but = |other: Option<usize>, state| move |r| if Some(r) == other { state } else { State::Up };
    match word {
        "whole" => reached(&|_| State::Up),
        "empty" => reached(&|r| either(shape.persistent[r])),
        "low" => reached(&|r| either(shape.persistent[r] || own[..own.len() / 2].contains(&r))),
        "holed" => reached(&but(first_volume, State::Down)),
        "hung" => reached(&but(own.last().copied(), State::Partial)),
        "dim" => reached(&but(own.last().copied(), State::Unknown)),
        "bare" => reached(&|r| either(!shape.persistent[r])),
        "blind" => reached(&|_| State::Unknown),
        "lost" => Side::Lost { can_be_fenced: false },
        "lost+fence" => Side::Lost { can_be_fenced: true },
        "fenced" => Side::Fenced,
        letters => {
            assert_eq!(letters.len(), shape.len(), "a letter for each resource: {letters}");
            let letters: Vec<char> = letters.chars().collect();
            reached(&|r| match letters[r] {
                'u' => State::Up,
                'd' => State::Down,
                'p' => State::Partial,
                '?' => State::Unknown,
                other => panic!("no state '{other}' in {word}"),
            })
        }
    }
}

/// A world by a word for each node, `mail-1=whole mail-2=empty`.
pub fn world(shape: &Shape, words: &str) -> World {
    let words: Vec<&str> = words.split_whitespace().collect();
    let of = |node: &NodeName| {
        let (_, word) = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| *name == node.as_str())
            .unwrap_or_else(|| panic!("nothing of {node} in {words:?}"));
        side(shape, word)
    };
    shape.group.nodes.iter().map(of).collect()
}

/// A wish from its words.
pub fn wish(words: &str) -> Wish {
    match words.split_whitespace().collect::<Vec<_>>()[..] {
        ["online"] => Wish::Online(None),
        ["online", "--on", node] => Wish::Online(Some(node.parse().unwrap())),
        ["offline"] => Wish::Offline(None),
        ["offline", "on", node, "alone"] => Wish::Offline(Some(node.parse().unwrap())),
        ["move"] => Wish::Move(None),
        ["move", "--to", node] => Wish::Move(Some(node.parse().unwrap())),
        ["giveover"] => Wish::Giveover,
        ["restart"] => Wish::Renew(Vec::new()),
        ["leave", node] => Wish::Leave(node.parse().unwrap()),
        ["enable", resource] => Wish::Enable(vec![resource.parse().unwrap()]),
        ["disable", resource] => Wish::Disable(vec![resource.parse().unwrap()]),
        ["restart", resource] => Wish::Restart(resource.parse().unwrap()),
        _ => panic!("no wish: {words}"),
    }
}

/// Every wish that the vocabulary allows of a group.
pub fn wishes(group: &Group) -> Vec<Wish> {
    let mut wishes = vec![Wish::Online(None), Wish::Offline(None), Wish::Move(None), Wish::Giveover];
    for node in &group.nodes {
        wishes.push(Wish::Online(Some(node.clone())));
        wishes.push(Wish::Offline(Some(node.clone())));
        wishes.push(Wish::Move(Some(node.clone())));
    }
    wishes.push(Wish::Renew(Vec::new()));
    wishes.extend(group.nodes.iter().map(|node| Wish::Leave(node.clone())));
    for resource in &group.resources {
        let name = || resource.name.clone();
        wishes.extend([Wish::Restart(name()), Wish::Enable(vec![name()]), Wish::Disable(vec![name()])]);
    }
    wishes
}

/// What a file of plans begins with.
pub fn head(shape: &Shape) -> String {
    let names: Vec<&str> = shape.group.resources.iter().map(|resource| resource.name.as_str()).collect();
    let mut text = format!(
        "# What is planned for {}, from what is found and wished. IMS_BLESS=1 writes this file.\n#\n\
         # The resources, in their order: {}.\n\
         # A node is told by their letters (u up, d down, p partial, ? unknown) or by a word:\n",
        shape.group.name,
        names.join(" ")
    );
    for (word, meaning) in SITUATIONS {
        writeln!(text, "#   {word:<10} {meaning}").unwrap();
    }
    text + "#\n# Steps in one line: -node:resource is stopped, +node:resource is started, !node is fenced; <1,2 waits for\n\
            # the first and the second step.\n"
}

/// A refusal in one line.
fn refusal(fail: &Fail) -> String {
    format!("{}: {fail}", fail.exit().word())
}

/// A named scenario with all its steps, and why the rest is left alone.
pub fn in_full(shape: &Shape, world: &World, wish: &Wish, planned: &Result<Plan, Fail>) -> String {
    let mut text = String::new();
    match planned {
        Err(fail) => return format!("  => {}\n", refusal(fail)),
        Ok(plan) => {
            let end = plan.target.as_ref().map_or("offline".to_owned(), |target| format!("on {target}"));
            writeln!(text, "  => {end}, {} steps", plan.steps.len()).unwrap();
            for (index, step) in plan.steps.iter().enumerate() {
                writeln!(text, "  {:>3} {:<40} {}", index + 1, in_short(step), step.command).unwrap();
            }
        }
    }
    for row in explain(&shape.group, &shape.found(world), wish, planned) {
        let what = row.resource.as_ref().map_or("", |resource| resource.as_str());
        let action = if row.action == Action::None { "-" } else { row.action.word() };
        writeln!(text, "      {:<8} {what:<14} {action:<8} {}", row.node.as_str(), row.reason).unwrap();
    }
    text
}

fn in_short(step: &Step) -> String {
    let after: Vec<String> = step.after.iter().map(|other| (other + 1).to_string()).collect();
    let after = if after.is_empty() { String::new() } else { format!("<{}", after.join(",")) };
    let resource = step.resource.as_ref().map_or("", |resource| resource.as_str());
    match step.verb {
        Verb::Fence => format!("!{}{after}", step.node),
        Verb::Stop => format!("-{}:{resource}{after}", step.node),
        Verb::Start => format!("+{}:{resource}{after}", step.node),
    }
}

/// A plan or a refusal in one line.
pub fn in_one_line(planned: &Result<Plan, Fail>) -> String {
    match planned {
        Err(fail) => refusal(fail),
        Ok(plan) => {
            let steps: Vec<String> = plan.steps.iter().map(in_short).collect();
            let steps = if steps.is_empty() { "nothing to do".to_owned() } else { steps.join(" ") };
            match &plan.target {
                Some(target) => format!("on {target}: {steps}"),
                None => steps,
            }
        }
    }
}
