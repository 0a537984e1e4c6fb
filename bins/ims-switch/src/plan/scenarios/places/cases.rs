//! The cases: every bond, capacity or fault, with every whereabouts of the other group, of the group itself, and every wish.

use std::path::Path;

use ims::State;
use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;

use crate::around::Around;
use crate::found::{Found, Seen};
use crate::marks::Mark;
use crate::plan::Wish;
use crate::plan::scenarios::text;

/// The nodes, in the order of preference.
pub const NODES: [&str; 3] = ["mail-1", "mail-2", "mail-3"];

/// What is around the group, and what is known of its nodes.
struct Case {
    name: &'static str,
    /// Further lines of the group's file.
    ours: &'static str,
    /// Further lines of the other's.
    theirs: &'static str,
    /// The nodes' file.
    nodes: &'static str,
    /// Where it failed of late.
    failed: &'static [&'static str],
    /// Which nodes said that they cannot take it.
    unfit: &'static [&'static str],
}

const PLAIN: Case = Case { name: "", ours: "", theirs: "", nodes: "", failed: &[], unfit: &[] };

const CASES: [Case; 10] = [
    Case { name: "together", ours: "together_with = [\"OTHER-RG\"]", ..PLAIN },
    Case { name: "followed", theirs: "together_with = [\"MAIL-RG\"]", ..PLAIN },
    Case { name: "apart", ours: "apart_from = [\"OTHER-RG\"]", ..PLAIN },
    Case { name: "kept apart", theirs: "apart_from = [\"MAIL-RG\"]", ..PLAIN },
    Case { name: "rather with", ours: "rather_with = [\"OTHER-RG\"]", ..PLAIN },
    Case { name: "rather apart", ours: "rather_apart_from = [\"OTHER-RG\"]\nfailback = true", ..PLAIN },
    Case {
        name: "room for one",
        nodes: "[mail-2]\ncapacity = { groups = 1 }\n[mail-3]\ncapacity = { groups = 1 }\n",
        ..PLAIN
    },
    Case {
        name: "room for both",
        ours: "load = { gb = 3 }",
        theirs: "load = { gb = 4 }",
        nodes: "[mail-2]\ncapacity = { gb = 6 }\n[mail-3]\ncapacity = { gb = 7 }\n",
        ..PLAIN
    },
    Case { name: "failed", failed: &["mail-1", "mail-2"], ..PLAIN },
    Case { name: "unfit", unfit: &["mail-2"], ..PLAIN },
];

/// Where the group itself is: a word for each node.
const HOMES: [&str; 4] =
    ["whole empty empty", "empty empty empty", "empty low empty", "lost+fence empty empty"];

const WISHES: [&str; 6] =
    ["online", "online --on mail-2", "move", "move --to mail-2", "giveover", "leave mail-1"];

/// One question to the planner.
pub struct Place {
    /// The group that goes somewhere.
    pub group: Group,
    /// What the nodes have to give, by their names and that of the amount.
    pub capacity: Nodes,
    /// The group that is around it.
    pub other: Group,
    pub found: Found,
    /// The case, for people.
    pub words: String,
    pub wish: Wish,
}

fn group(name: &str, lines: &str) -> Group {
    let command = "type = \"command\"\nstart = [\"s\"]\nstop = [\"s\"]\nmonitor = [\"s\"]\n";
    let text = format!(
        "nodes = {NODES:?}\n{lines}\n[resource.low]\n{command}[resource.top]\n{command}requires = [\"low\"]\n"
    );
    Group::parse(name.parse().unwrap(), &text, Path::new(name)).unwrap()
}

/// What is found of the group where it is so on the nodes.
fn found(group: &Group, home: &str) -> Found {
    let seen = |word: &str| {
        let states = |low, top| {
            Seen::Reached(
                [("low", low), ("top", top)].map(|(name, state)| (name.parse().unwrap(), state)).into(),
            )
        };
        match word {
            "whole" => states(State::Up, State::Up),
            "low" => states(State::Up, State::Down),
            "empty" => states(State::Down, State::Down),
            _ => Seen::Lost { why: "no answer".to_owned(), can_be_fenced: true },
        }
    };
    Found::new(group.nodes.iter().cloned().zip(home.split_whitespace().map(seen)).collect())
}

/// Every whereabouts of the other group: a letter for each node, `u` for one at most, `d` or `?`.
fn whereabouts() -> Vec<String> {
    let longer = |words: Vec<String>| {
        words.iter().flat_map(|word| ["u", "d", "?"].map(|letter| format!("{word}{letter}"))).collect()
    };
    let mut words: Vec<String> = (0..NODES.len()).fold(vec![String::new()], |words, _| longer(words));
    words.retain(|word| word.matches('u').count() < 2);
    words
}

/// All questions.
pub fn all() -> Vec<Place> {
    let mut places = Vec::new();
    for case in CASES {
        let (mail, other) = (group("MAIL-RG", case.ours), group("OTHER-RG", case.theirs));
        let capacity = Nodes::parse(case.nodes, Path::new("nodes.toml")).unwrap();
        let named: Vec<(GroupName, Option<Group>)> = vec![(other.name.clone(), Some(other.clone()))];
        for home in HOMES {
            for letters in whereabouts() {
                let mut around = Around::of(&mail, &named, &capacity);
                for (node, letter) in mail.nodes.iter().zip(letters.chars()) {
                    let state = match letter {
                        'u' => State::Up,
                        'd' => State::Down,
                        _ => continue, // nobody could say
                    };
                    around.found_on(node, &[(other.name.clone(), state)].into());
                }
                let mark = |node: &&str| {
                    let mark = Mark {
                        by: "react".to_owned(),
                        node: node.parse().unwrap(),
                        time: jiff::Timestamp::UNIX_EPOCH,
                        reason: None,
                    };
                    (node.parse::<NodeName>().unwrap(), mark)
                };
                around.faults = case.failed.iter().map(mark).collect();
                around.unfit =
                    case.unfit.iter().map(|node| (node.parse().unwrap(), format!("{node} cannot"))).collect();
                places.extend(WISHES.map(|wish| Place {
                    group: mail.clone(),
                    capacity: capacity.clone(),
                    other: other.clone(),
                    found: found(&mail, home).amid(around.clone()),
                    words: format!("{} | {home} | {letters}", case.name),
                    wish: text::wish(wish),
                }));
            }
        }
    }
    places
}
