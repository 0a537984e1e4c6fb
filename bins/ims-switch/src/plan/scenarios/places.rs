//! Where a group goes among others: every case of a bond, a capacity or a fault, with every whereabouts of the other
//! group and every wish, stored beside its answer and judged by rules that know nothing of how a node is chosen.

use std::fmt::Write;
use std::path::Path;

use ims::State;
use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::nodes::Nodes;
use ims::sys::file;

use super::{folder, tell, text};
use crate::around::{Around, Bond};
use crate::found::{Found, Seen};
use crate::marks::Mark;
use crate::plan::{Plan, Verb, Wish, best_holder, plan};

/// The nodes, in the order of preference.
const NODES: [&str; 3] = ["mail-1", "mail-2", "mail-3"];

/// A case: its name, further lines of the group's file, those of the other's, of the nodes', and where it failed.
const CASES: [(&str, &str, &str, &str, &[&str]); 9] = [
    ("together", "together_with = [\"OTHER-RG\"]", "", "", &[]),
    ("followed", "", "together_with = [\"MAIL-RG\"]", "", &[]),
    ("apart", "apart_from = [\"OTHER-RG\"]", "", "", &[]),
    ("kept apart", "", "apart_from = [\"MAIL-RG\"]", "", &[]),
    ("rather with", "rather_with = [\"OTHER-RG\"]", "", "", &[]),
    ("rather apart", "rather_apart_from = [\"OTHER-RG\"]\nfailback = true", "", "", &[]),
    (
        "room for one",
        "",
        "",
        "[mail-2]\ncapacity = { groups = 1 }\n[mail-3]\ncapacity = { groups = 1 }\n",
        &[],
    ),
    (
        "room for both",
        "load = { gb = 3 }",
        "load = { gb = 4 }",
        "[mail-2]\ncapacity = { gb = 6 }\n[mail-3]\ncapacity = { gb = 7 }\n",
        &[],
    ),
    ("failed", "", "", "", &["mail-1", "mail-2"]),
];

/// Where the group itself is: a word for each node.
const HOMES: [&str; 4] =
    ["whole empty empty", "empty empty empty", "empty low empty", "lost+fence empty empty"];

const WISHES: [&str; 6] =
    ["online", "online --on mail-2", "move", "move --to mail-2", "giveover", "leave mail-1"];

/// One question to the planner.
struct Place {
    group: Group,
    /// What the nodes have to give, by their names and that of the amount.
    capacity: Nodes,
    other: Group,
    found: Found,
    words: String,
    wish: Wish,
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

fn all() -> Vec<Place> {
    let mut places = Vec::new();
    for (case, ours, theirs, nodes, failed) in CASES {
        let (mail, other) = (group("MAIL-RG", ours), group("OTHER-RG", theirs));
        let capacity = Nodes::parse(nodes, Path::new("nodes.toml")).unwrap();
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
                around.faults = failed.iter().map(mark).collect();
                places.extend(WISHES.map(|wish| Place {
                    group: mail.clone(),
                    capacity: capacity.clone(),
                    other: other.clone(),
                    found: found(&mail, home).amid(around.clone()),
                    words: format!("{case} | {home} | {letters}"),
                    wish: text::wish(wish),
                }));
            }
        }
    }
    places
}

impl Place {
    /// The other group's state on a node, as the letters have it.
    fn other_on(&self, node: &NodeName) -> Option<State> {
        let letters = self.words.rsplit(' ').next().unwrap();
        let place = self.group.nodes.iter().position(|known| known == node).unwrap();
        match letters.as_bytes()[place] {
            b'u' => Some(State::Up),
            b'd' => Some(State::Down),
            _ => None,
        }
    }

    /// The rule that would be broken if the group came to a node that it is not whole on.
    fn broken_on(&self, node: &NodeName) -> Option<&'static str> {
        let (ours, theirs) = (&self.group.bonds, &self.other.bonds);
        let state = self.other_on(node);
        let is_apart =
            ours.apart_from.contains(&self.other.name) || theirs.apart_from.contains(&self.group.name);
        let (limits, fault) = (self.capacity.get(node), self.wish == Wish::Giveover);
        let is_full = limits.is_some_and(|limits| {
            limits.capacity.amounts().any(|(name, limit)| {
                let there = if state == Some(State::Down) { 0 } else { self.other.load.get(name) };
                there + self.group.load.get(name) > limit
            })
        });
        let is_behind = |at: &NodeName| at != node && self.other_on(at) == Some(State::Up);
        if ours.together_with.contains(&self.other.name) && state != Some(State::Up) {
            Some("not together")
        } else if is_apart && state != Some(State::Down) {
            Some("not apart")
        } else if is_full {
            Some("too full")
        } else if fault && self.found.around().faults.contains_key(node) {
            Some("back where it failed")
        } else if !fault
            && theirs.together_with.contains(&self.group.name)
            && state != Some(State::Up)
            && self.group.nodes.iter().any(is_behind)
        {
            Some("another is left behind")
        } else {
            None
        }
    }

    /// How much a node is liked by what is only rather so.
    fn liking(&self, node: &NodeName) -> i32 {
        let (bonds, state) = (&self.group.bonds, self.other_on(node));
        let is_liked = bonds.rather_with.contains(&self.other.name) && state == Some(State::Up);
        let is_not = bonds.rather_apart_from.contains(&self.other.name) && state != Some(State::Down);
        i32::from(is_liked) - i32::from(is_not)
    }

    fn is_whole_on(&self, node: &NodeName) -> bool {
        let names = ["low", "top"].map(|name| name.parse().unwrap());
        names.iter().all(|name| self.found.state(node, name) == State::Up)
    }

    /// Judges what was planned.
    fn judge(&self, planned: &Result<Plan, ims::Fail>) -> Result<(), String> {
        let holder = best_holder(&self.group, &self.found);
        let goes_elsewhere = matches!(self.wish, Wish::Move(None) | Wish::Giveover);
        let left = if let Wish::Leave(node) = &self.wish {
            Some(node.clone())
        } else {
            holder.clone().filter(|_| goes_elsewhere)
        };
        let named =
            if let Wish::Online(named) | Wish::Move(named) = &self.wish { named.clone() } else { None };
        let may_have = |node: &&NodeName| {
            Some(*node) != left.as_ref()
                && named.as_ref().is_none_or(|named| named == *node)
                && (self.broken_on(node).is_none() || self.is_whole_on(node))
        };
        let open: Vec<&NodeName> = self.found.reached().map(|(node, _)| node).filter(may_have).collect();
        match planned {
            Ok(plan) => {
                let Some(target) = &plan.target else { return Ok(()) };
                let starts = plan.steps.iter().any(|step| step.verb == Verb::Start);
                if let (true, Some(rule)) = (starts && !self.is_whole_on(target), self.broken_on(target)) {
                    return Err(rule.to_owned());
                }
                let is_chosen = named.is_none() && holder.as_ref() != Some(target);
                let fault = |node: &NodeName| self.found.around().faults.contains_key(node);
                let is_better = |node: &&&NodeName| {
                    (fault(node), -self.liking(node)) < (fault(target), -self.liking(target))
                };
                match open.iter().find(is_better).filter(|_| is_chosen) {
                    Some(better) => Err(format!("{better} is liked better than {target}")),
                    None => Ok(()),
                }
            }
            Err(fail) if fail.exit() == ims::Exit::Refused && fail.way_out().is_none() => {
                Err(format!("no way out is told: {fail}"))
            }
            Err(fail) => {
                let is_elsewhere = named.is_some()
                    && matches!(self.wish, Wish::Online(_))
                    && NODES.iter().any(|node| self.is_whole_on(&node.parse().unwrap()));
                let is_nowhere = self.wish == Wish::Giveover && holder.is_none();
                let is_lost = matches!(&self.wish, Wish::Leave(node) if !matches!(self.found.get(node), Some(Seen::Reached(_))));
                if open.is_empty() || is_elsewhere || is_nowhere || is_lost {
                    Ok(())
                } else {
                    Err(format!("refused though {} can have it: {fail}", open[0]))
                }
            }
        }
    }
}

#[test]
fn where_a_group_goes_among_others_is_stored_and_keeps_every_rule() {
    let mut told = String::from(
        "# Where MAIL-RG goes, among others: the case | what each node has of it | where OTHER-RG is, a letter for each\n\
         # node. The cases are in bins/ims-switch/src/plan/scenarios/places.rs. IMS_BLESS=1 writes this file.\n",
    );
    let places = all();
    for group in places.chunk_by(|one, two| one.words == two.words) {
        write!(told, "\n{}\n", group[0].words).unwrap();
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for place in group {
            let planned = plan(&place.group, &place.found, &place.wish);
            let verdict = place.judge(&planned);
            assert!(verdict.is_ok(), "{} | {}: {verdict:?} by {planned:#?}", place.words, place.wish.words());
            let line = text::in_one_line(&planned);
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, wishes)) => wishes.push(place.wish.words()),
                None => lines.push((line, vec![place.wish.words()])),
            }
        }
        for (line, wishes) in lines {
            write!(told, "  {}\n    => {line}\n", wishes.join(" | ")).unwrap();
        }
    }
    let path = folder().join("places.plans");
    if std::env::var_os("IMS_BLESS").is_some() {
        file::replace(&path, told.as_bytes()).unwrap();
    }
    let stored = file::read_text(&path).unwrap().unwrap_or_default();
    let differs = stored.lines().zip(told.lines()).find(|(stored, told)| stored != told);
    assert!(stored == told, "places.plans differs (IMS_BLESS=1 writes it): {differs:?}");
    tell(format_args!("{} places stored and judged", places.len()));
}

/// A way to see less than there is.
type Blindness = Box<dyn Fn(&mut Around)>;

#[test]
fn a_choice_that_breaks_a_rule_is_caught() {
    let forget = |bond: &'static [Bond]| {
        move |around: &mut Around| {
            around.neighbours.iter_mut().for_each(|other| other.bonds.retain(|known| !bond.contains(known)));
        }
    };
    let mutants: [(&str, &str, Blindness); 8] = [
        ("no leader is waited for", "not together", Box::new(forget(&[Bond::With]))),
        ("followers are forgotten", "another is left behind", Box::new(forget(&[Bond::Followed]))),
        ("groups are not kept apart", "not apart", Box::new(forget(&[Bond::Apart]))),
        ("only one side keeps apart", "not apart", Box::new(forget(&[Bond::KeptApart]))),
        ("nothing is liked", "is liked better", Box::new(forget(&[Bond::RatherWith, Bond::RatherApart]))),
        ("there is room without end", "too full", Box::new(|around: &mut Around| around.capacity.clear())),
        (
            "faults are forgotten",
            "back where it failed",
            Box::new(|around: &mut Around| around.faults.clear()),
        ),
        ("unknown taken for down", "", Box::new(unknown_is_down)),
    ];
    let places = all();
    for (name, wanted, mutant) in mutants {
        let caught = |place: &&Place| {
            let mut around = place.found.around().clone();
            mutant(&mut around);
            let planned = plan(&place.group, &place.found.clone().amid(around), &place.wish);
            place.judge(&planned).is_err_and(|wrong| wrong.contains(wanted))
        };
        let caught = places.iter().filter(caught).count();
        tell(format_args!("{name}: caught in {caught} of {} places", places.len()));
        assert!(caught > 0, "{name}");
    }
}

fn unknown_is_down(around: &mut Around) {
    for other in &mut around.neighbours {
        for node in other.nodes.clone() {
            other.on.entry(node).or_insert(State::Down);
        }
    }
}
