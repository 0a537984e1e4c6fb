//! Why each resource on each node is or is not touched by a plan. Pure, and told from the plan itself.

use ims::group::{Group, Resource};
use ims::name::{GroupName, NodeName, ResourceName};
use ims::{Fail, Record, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Plan, Step, Verb, Wish};
use crate::found::{Found, Seen};

/// What becomes of a resource on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It stays as it is.
    None,
    /// The node is fenced.
    Fence,
    /// It is stopped.
    Stop,
    /// It is started.
    Start,
    /// It is stopped and started again.
    Restart,
}

impl Action {
    /// The word for people and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fence => "fence",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Restart => "restart",
        }
    }
}

/// A resource on a node, and why it is or is not touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explained {
    /// The group.
    pub group: GroupName,
    /// What is wished of it, as on the command line.
    pub wish: String,
    /// The node.
    pub node: NodeName,
    /// The resource; absent where it is about the whole node, which is fenced.
    pub resource: Option<ResourceName>,
    /// Its state there as it was found; unknown on a node that cannot be reached.
    pub state: State,
    /// What becomes of it.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Its steps, by their numbers in the plan, from 1.
    pub steps: Vec<usize>,
}

impl Record for Explained {
    const SCHEMA: &'static str = "ims.explain/1";

    fn columns() -> &'static [&'static str] {
        &["group", "node", "resource", "state", "action", "steps", "reason"]
    }

    fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let steps: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
        vec![
            self.group.to_string(),
            self.node.to_string(),
            self.resource.as_ref().map_or_else(dash, ToString::to_string),
            self.state.to_string(),
            self.action.word().to_owned(),
            if steps.is_empty() { dash() } else { steps.join(",") },
            self.reason.clone(),
        ]
    }
}

/// Says of every resource on every node why the plan touches it or not, and of every node that is fenced why.
///
/// Of a plan that was refused nothing is touched, and the refusal is the reason.
pub fn explain(group: &Group, found: &Found, wish: &Wish, planned: &Result<Plan, Fail>) -> Vec<Explained> {
    let mut rows = Vec::new();
    for (node, seen) in found.nodes() {
        let row = |resource: Option<&ResourceName>, state, (action, reason, steps)| Explained {
            group: group.name.clone(),
            wish: wish.words(),
            node: node.clone(),
            resource: resource.cloned(),
            state,
            action,
            reason,
            steps,
        };
        if let Ok(plan) = planned
            && let (action @ Action::Fence, reason, steps) = touched(plan, node, None)
        {
            rows.push(row(None, State::Unknown, (action, reason, steps)));
        }
        let aside = passed_over(group, found, wish, planned, node);
        for resource in &group.resources {
            let state = found.state(node, &resource.name);
            let told = match planned {
                Err(fail) => (Action::None, format!("refused: {fail}"), Vec::new()),
                Ok(plan) => match touched(plan, node, Some(&resource.name)) {
                    (Action::None, _, steps) => {
                        let why = untouched(plan, wish, node, seen, resource, state);
                        (Action::None, format!("{why}{aside}"), steps)
                    }
                    touched => touched,
                },
            };
            rows.push(row(Some(&resource.name), state, told));
        }
    }
    rows
}

/// What forbids a node that is not the target, or is not known of one that does not answer; nothing where the wish
/// chooses none.
fn passed_over(
    group: &Group,
    found: &Found,
    wish: &Wish,
    planned: &Result<Plan, Fail>,
    node: &NodeName,
) -> String {
    let (Some(asker), Ok(plan)) = (wish.asker(), planned) else { return String::new() };
    if plan.target.as_ref().is_none_or(|target| target == node) {
        return String::new();
    }
    if !matches!(found.get(node), Some(Seen::Reached(_))) {
        let is_limited = found.around().capacity.contains_key(node);
        return if is_limited { "; its load is unknown".to_owned() } else { String::new() };
    }
    let against = found.around().standing(group, node, asker).against;
    against.into_iter().flat_map(|against| ["; ".to_owned(), against.why]).collect()
}

/// What the plan's steps do with a resource, or with the node itself.
fn touched(plan: &Plan, node: &NodeName, resource: Option<&ResourceName>) -> (Action, String, Vec<usize>) {
    let is_its = |step: &&(usize, &Step)| &step.1.node == node && step.1.resource.as_ref() == resource;
    let numbered: Vec<(usize, &Step)> = plan.steps.iter().enumerate().collect();
    let steps: Vec<&(usize, &Step)> = numbered.iter().filter(is_its).collect();
    let action = steps.iter().fold(Action::None, |action, (_, step)| match (action, step.verb) {
        (_, Verb::Fence) => Action::Fence,
        (Action::None | Action::Fence, Verb::Stop) => Action::Stop,
        (Action::None | Action::Fence, Verb::Start) => Action::Start,
        (Action::Stop | Action::Start | Action::Restart, Verb::Stop | Verb::Start) => Action::Restart,
    });
    let reason = steps.first().map_or_else(String::new, |(_, step)| step.why.clone());
    (action, reason, steps.iter().map(|(index, _)| index + 1).collect())
}

/// Why nothing is done about a resource.
fn untouched(
    plan: &Plan,
    wish: &Wish,
    node: &NodeName,
    seen: &Seen,
    resource: &Resource,
    state: State,
) -> String {
    match seen {
        Seen::Fenced => return format!("{node} was fenced, so it is not up there"),
        Seen::Lost { why, .. } => {
            let is_fenced = plan.steps.iter().any(|step| step.verb == Verb::Fence && &step.node == node);
            return match (is_fenced, &plan.target) {
                (true, _) => format!("{node} cannot be reached ({why}) and is fenced first"),
                (false, Some(_)) => {
                    format!("{node} cannot be reached ({why}); nothing is started that it could hold")
                }
                (false, None) => format!("{node} cannot be reached ({why}); nothing can be stopped there"),
            };
        }
        Seen::Reached(_) => {}
    }
    if resource.kind.is_persistent() {
        return format!("a {} is only looked at", resource.kind.word());
    }
    if let Some(alone) = wish.alone().filter(|alone| *alone != node) {
        return format!("only {alone} is asked about");
    }
    if resource.is_disabled {
        return format!("it is disabled, and {state}");
    }
    match (wish, &plan.target) {
        (Wish::Restart(name), Some(target)) if target == node => {
            format!("only {name} and what cannot run without it is restarted")
        }
        (Wish::Restart(name), _) => format!("{name} is restarted where it is"),
        (_, Some(target)) if target == node => format!("it is {state} where the group is wanted"),
        (_, Some(target)) => format!("it is {state}, and the group is wanted on {target}"),
        (_, None) => format!("it is {state} already"),
    }
}
