//! The rules, which know nothing of how a node is chosen.

use ims::State;
use ims::name::NodeName;

use super::cases::{NODES, Place};
use crate::found::Seen;
use crate::plan::{Plan, Verb, Wish, best_holder};

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
        } else if self.found.around().unfit.contains_key(node) {
            Some("cannot take it")
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
    pub fn judge(&self, planned: &Result<Plan, ims::Fail>) -> Result<(), String> {
        let holder = best_holder(&self.group, &self.found);
        let left = match &self.wish {
            Wish::Leave(node) => Some(node.clone()),
            Wish::Move(None) | Wish::Giveover => holder.clone(),
            Wish::Move(Some(_))
            | Wish::Online(_)
            | Wish::Offline(_)
            | Wish::Restart(_)
            | Wish::Renew(_)
            | Wish::Enable(_)
            | Wish::Disable(_) => None,
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
