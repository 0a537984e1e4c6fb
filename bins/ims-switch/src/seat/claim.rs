//! Room on this node, claimed by a run for its group before anything is touched: of two runs that would each find room
//! for one, only one gets it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ims::group::Group;
use ims::name::{GroupName, NodeName};
use ims::sys::lock::{self, Lock};
use ims::{Fail, Host, State};

use super::desk::{Desk, hold};
use super::wire::Say;
use crate::around::{Around, Asker};
use crate::found::{States, state_on};
use crate::marks;

/// How long other runs may take to settle their claims: as long as all groups are looked at.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long somebody may hold a claim who only looks whether it is there.
const LOOK: Duration = Duration::from_secs(2);

/// The lock that a run holds on the node that it brings the group to.
fn path(host: &Host, group: &GroupName) -> PathBuf {
    host.path(lock::FOLDER).join(format!("switch-{group}.claim.lock"))
}

/// What groups are on this node, all looked at at once. One that is down and claims room is on its way: partial.
pub fn states(host: &Host, groups: &[GroupName]) -> BTreeMap<GroupName, State> {
    std::thread::scope(|scope| {
        let look = |group| (group, scope.spawn(move || state(host, group)));
        let looks: Vec<_> = groups.iter().map(look).collect();
        let unknown = |_| State::Unknown;
        looks.into_iter().map(|(group, look)| (group.clone(), look.join().unwrap_or_else(unknown))).collect()
    })
}

/// The state of a group on this node; unknown when its file, or what was said of it, cannot be read.
fn state(host: &Host, name: &GroupName) -> State {
    let looked = || -> Result<State, Fail> {
        let mut group = Group::load(host, name)?;
        marks::file::load(host, name)?.apply(&mut group);
        let looked = Desk::new(host, group.clone())?.looked();
        let states: States = looked.into_iter().map(|(resource, (state, _))| (resource, state)).collect();
        Ok(state_on(&group, &states))
    };
    match looked().unwrap_or(State::Unknown) {
        State::Down if is_claimed(host, name) => State::Partial,
        state @ (State::Up | State::Down | State::Partial | State::Unknown) => state,
    }
}

/// Whether a run brings a group here, as far as can be seen.
fn is_claimed(host: &Host, name: &GroupName) -> bool {
    let path = path(host, name);
    // A file that is not there is nobody's; one that cannot be asked may be held.
    path.exists() && Lock::share(&path, Duration::ZERO).is_err()
}

/// Claims room for a group here, when what is around it does not forbid that. Claims are settled one after the other.
pub fn take(
    host: &Host,
    group: &Group,
    around: Around,
    asker: Asker,
    place: &OnceLock<Lock>,
) -> Result<Say, Fail> {
    let node: NodeName = host.name().parse()?;
    let turn = Lock::named(host, "switch-claims", PATIENCE)?;
    let mut around = around;
    let states = states(host, &around.asked_on(&node));
    around.found_on(&node, &states);
    if let Some(fail) = around.refusal(group, &node, asker) {
        return Err(fail);
    }
    let held = hold(place, || Lock::take(&path(host, &group.name), LOOK));
    drop(turn);
    held
}
