//! The planner and the policy inside a model checker: every order of events on two and three nodes, with crashes,
//! partitions, frozen nodes, lost replies, failed steps and killed runs, to a stated depth.
//!
//! `IMS_MODEL_DEEPER=n` goes n events deeper than the tests do by themselves.

mod mutant;
mod rules;
mod steps;
mod system;

use std::path::Path;
use std::sync::Mutex;

use ims::State;
use ims::group::Group;
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::plan::scenarios::tell;
use crate::plan::scenarios::world::{MOST, Shape, has};
use crate::plan::{Verb, Wish};
use mutant::Mutant;
use rules::Rules;
use system::{Event, Node, Power, Shot, System};

impl Model for Rules {
    type State = System;
    type Action = Event;

    fn init_states(&self) -> Vec<System> {
        let node = |state| {
            let mut has = [State::Down; MOST];
            has[..self.shape.len()].fill(state);
            Node { power: Power::On, is_cut: false, has, doing: [None; MOST], lock: None }
        };
        let system = |first| {
            let mut nodes = vec![node(State::Down); self.shape.group.nodes.len()];
            nodes[0] = node(first);
            let runs = vec![None; nodes.len()];
            let (faults, asks) = (self.faults, self.asks);
            System { nodes, runs, heard: Vec::new(), proofs: 0, faults, asks, broken: None }
        };
        vec![system(State::Up), system(State::Down)]
    }

    fn actions(&self, system: &System, events: &mut Vec<Event>) {
        if system.broken.is_some() {
            return;
        }
        let may_fail = system.faults > 0;
        for (index, node) in system.nodes.iter().enumerate() {
            match node.power {
                Power::Off => events.push(Event::Boot(index)),
                Power::Frozen => events.push(Event::Thaw(index)),
                Power::On => self.actions_of(system, index, events),
            }
            if node.is_cut {
                events.push(Event::Mend(index));
            }
            if may_fail && node.power != Power::Off {
                events.push(Event::Crash(index));
                if !node.is_cut {
                    events.push(Event::Cut(index));
                }
            }
        }
        self.actions_of_monitor(system, events);
    }

    fn next_state(&self, last: &System, event: Event) -> Option<System> {
        let mut system = last.clone();
        let is_fault = match event {
            Event::End(_, _, succeeds, is_heard) => !(succeeds && is_heard),
            Event::Fence(_, _, shot) => shot != Shot::Confirmed,
            Event::Kill(_) | Event::Crash(_) | Event::Freeze(_) | Event::Cut(_) | Event::Die(..) => true,
            Event::Ask(..)
            | Event::Hear(_)
            | Event::Go(_)
            | Event::GiveUp(..)
            | Event::Thaw(_)
            | Event::Mend(_)
            | Event::Boot(_) => false,
        };
        if is_fault {
            system.faults = system.faults.checked_sub(1)?;
        }
        match event {
            Event::Ask(driver, wish) => return self.ask(&system, driver, wish),
            Event::Hear(heard) => return self.hear(&system, heard),
            Event::Go(driver) => {
                system.runs[driver].as_mut()?.has_begun = true;
                self.advance(&mut system, driver);
            }
            Event::End(node, resource, succeeds, is_heard) => {
                self.end(&mut system, (node, resource), succeeds, is_heard)?;
            }
            Event::GiveUp(driver, index) => self.give_up(&mut system, driver, index)?,
            Event::Fence(driver, index, shot) => self.shoot(&mut system, driver, index, shot)?,
            Event::Kill(driver) => system.end_run(driver),
            Event::Crash(node) => system.power_off(node),
            Event::Freeze(node) => system.nodes[node].power = Power::Frozen,
            Event::Thaw(node) => {
                system.nodes[node].power = Power::On;
                if system.runs[node].as_ref().is_some_and(|run| run.has_begun) {
                    self.advance(&mut system, node);
                }
            }
            Event::Cut(node) => system.nodes[node].is_cut = true,
            Event::Mend(node) => system.nodes[node].is_cut = false,
            Event::Boot(node) => system.nodes[node].power = Power::On,
            Event::Die(node, resource) => system.nodes[node].has[resource] = State::Down,
        }
        Some(system)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is up on two nodes", |rules, system: &System| {
                !system.is_double(&rules.shape.own().collect::<Vec<_>>())
            }),
            Property::always("every step keeps its rule", |_, system: &System| system.broken.is_none()),
            Property::sometimes("a group comes back after a fencing", |rules: &Self, system: &System| {
                let whole = |node: &Node| node.has[..rules.shape.len()].iter().all(|s| *s == State::Up);
                system.proofs & 1 == 1 && system.nodes[1..].iter().any(whole)
            }),
        ]
    }
}

impl Rules {
    /// The rules of a group of so many nodes: an address, a volume, and a server on both.
    fn of(nodes: usize, faults: u8, asks: u8, mutant: Option<Mutant>) -> Self {
        let nodes: Vec<String> = (1..=nodes).map(|node| format!("\"mail-{node}\"")).collect();
        let text = format!(
            "nodes = [{}]\n\
             [resource.ip]\ntype = \"logical-ip\"\naddress = \"192.0.2.10/24\"\ndevice = \"eth0\"\n\
             [resource.fs]\ntype = \"volume\"\ndevice = \"/dev/ims1\"\nmount = \"/global/ims\"\n\
             [resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\nrequires = [\"ip\", \"fs\"]\n\
             restart_limit = 1\n",
            nodes.join(", ")
        );
        let group = Group::parse("IMS-RG".parse().unwrap(), &text, Path::new("IMS-RG.toml")).unwrap();
        let restart = |name: &str| Wish::Restart(name.parse().unwrap());
        Self {
            shape: Shape::of(group),
            wishes: vec![
                Wish::Online(None),
                Wish::Move(None),
                Wish::Offline(None),
                restart("mail"),
                restart("fs"),
                Wish::Giveover,
            ],
            can_be_fenced: true,
            faults,
            asks,
            mutant,
            known: Mutex::default(),
        }
    }

    /// What a node that runs can do, and what can happen to it.
    fn actions_of(&self, system: &System, index: usize, events: &mut Vec<Event>) {
        let may_fail = system.faults > 0;
        for (resource, doing) in system.nodes[index].doing.iter().enumerate() {
            if doing.is_some() {
                events.push(Event::End(index, resource, true, true));
                if may_fail {
                    events.push(Event::End(index, resource, false, true));
                    events.push(Event::End(index, resource, true, false));
                }
            }
        }
        if may_fail {
            events.push(Event::Freeze(index));
            let top = self.shape.len() - 1;
            if system.nodes[index].has[top] == State::Up && system.nodes[index].doing[top].is_none() {
                events.push(Event::Die(index, top));
            }
        }
        let Some(run) = &system.runs[index] else {
            events.extend(
                (0..self.wishes.len()).filter(|_| system.asks > 0).map(|wish| Event::Ask(index, wish)),
            );
            return;
        };
        if may_fail {
            events.push(Event::Kill(index));
        }
        if !run.has_begun {
            events.push(Event::Go(index));
        }
        let waits = |step: &usize| has(run.begun, *step) && !has(run.done | run.failed, *step);
        for step in (0..run.jobs.len()).filter(waits) {
            let job = run.jobs[step];
            if job.verb == Verb::Fence {
                events.push(Event::Fence(index, step, Shot::Confirmed));
                if may_fail {
                    events.push(Event::Fence(index, step, Shot::Unheard));
                    events.push(Event::Fence(index, step, Shot::Missed));
                }
            } else if !system.reaches(index, job.node) || !system.is_under_way((index, step)) {
                events.push(Event::GiveUp(index, step));
            }
        }
    }

    /// What the fault monitor on the first node can hear: that no server answers, or nothing.
    fn actions_of_monitor(&self, system: &System, events: &mut Vec<Event>) {
        let may_hear = system.asks > 0 && system.heard.len() < 3 && system.runs[0].is_none();
        if !may_hear || system.nodes[0].power != Power::On {
            return;
        }
        let top = self.shape.len() - 1;
        let reached = || (0..system.nodes.len()).filter(|node| system.reaches(0, *node));
        if reached().any(|node| system.nodes[node].has[top] == State::Up) {
            return;
        }
        events.push(Event::Hear(State::Down));
        if reached().count() < system.nodes.len() {
            events.push(Event::Hear(State::Unknown));
        }
    }
}

/// Walks through everything up to a depth, and says how many states there are and which properties do not hold.
fn walk(what: &str, rules: Rules, depth: usize) -> Vec<&'static str> {
    const COMES_BACK: &str = "a group comes back after a fencing";
    let (is_mutant, faults, asks) = (rules.mutant.is_some(), rules.faults, rules.asks);
    // One thread alone goes through one depth after the other, so that nothing is left out above the last.
    let builder = rules.checker().threads(1).target_max_depth(depth);
    let builder = if is_mutant { builder.finish_when(HasDiscoveries::AnyFailures) } else { builder };
    let checker = builder.spawn_bfs().join();
    let states = checker.unique_state_count();
    // The first states are at a depth of 1.
    let events = checker.max_depth() - 1;
    tell(format_args!(
        "{what}: {states} states of {events} events, {faults} faults and {asks} runs among them"
    ));
    let mut wrong: Vec<&'static str> =
        checker.discoveries().into_keys().filter(|name| *name != COMES_BACK).collect();
    wrong.sort_unstable();
    for name in wrong.iter().filter(|_| !is_mutant) {
        tell(format_args!("not so: {name}: {:#?}", checker.discovery(name).unwrap().into_actions()));
    }
    let comes_back = checker.discovery(COMES_BACK).is_some();
    assert!(comes_back || is_mutant || what.contains("without"), "{what}: no group ever comes back");
    wrong
}

/// The depth that a test goes to.
fn depth(usual: usize) -> usize {
    usual + std::env::var("IMS_MODEL_DEEPER").map_or(0, |deeper| deeper.parse::<usize>().unwrap())
}

#[test]
fn on_two_nodes_nothing_is_ever_double_and_no_step_breaks_its_rule() {
    let wrong = walk("two nodes", Rules::of(2, 2, 2, None), depth(12));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn on_three_nodes_nothing_is_ever_double_and_no_step_breaks_its_rule() {
    let wrong = walk("three nodes", Rules::of(3, 2, 2, None), depth(9));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn without_fence_agents_nothing_is_taken_from_a_node_that_may_live() {
    let rules = Rules { can_be_fenced: false, ..Rules::of(2, 3, 2, None) };
    let wrong = walk("two nodes without agents", rules, depth(10));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_broken_rule_is_found() {
    for mutant in mutant::ALL {
        let wrong = walk(&format!("{mutant:?}"), Rules::of(2, 2, 3, Some(mutant)), 14);
        assert!(!wrong.is_empty(), "{mutant:?}");
        tell(format_args!("{mutant:?}: not so: {}", wrong.join("; ")));
    }
}
