//! What was said of a group and holds until it is taken back: frozen, a resource disabled, a fault that was given up.
//! It is kept on every node of the group; of two nodes that differ the one is right that knows all that the other was
//! told, and where each was told something that the other does not know, all of it counts.

pub mod change;
pub mod file;
mod record;

use std::collections::BTreeMap;
use std::time::Duration;

use ims::Fail;
use ims::group::Group;
use ims::name::{GroupName, NodeName, ResourceName};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use record::{MarkRecord, Sort};

/// Who said something, where, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The person, or `react`.
    pub by: String,
    /// The node it was said on.
    pub node: NodeName,
    /// When, by that node's clock.
    pub time: Timestamp,
    /// Why, when that was told.
    pub reason: Option<String>,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "by {} on {} since {:.0}", self.by, self.node, self.time)?;
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// What is kept in one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// When something was last said on each node: the milliseconds of its clock, or one more than before.
    #[serde(default)]
    pub said: BTreeMap<NodeName, u64>,
    /// The group is neither moved, started nor stopped.
    pub frozen: Option<Mark>,
    /// Resources that are neither started nor watched.
    pub disabled: BTreeMap<ResourceName, Mark>,
    /// Resources whose fault was given up.
    pub faulted: BTreeMap<ResourceName, Mark>,
    /// Nodes that a fault moved the group away from, or that it did not start on when a fault moved it there.
    #[serde(default)]
    pub failed: BTreeMap<NodeName, Mark>,
}

impl Marks {
    fn says_the_same(&self, other: &Self) -> bool {
        let Self { said: _, frozen, disabled, faulted, failed } = self;
        (frozen, disabled, faulted, failed) == (&other.frozen, &other.disabled, &other.faulted, &other.failed)
    }

    /// Whether it knows all that the other was told.
    fn knows(&self, other: &Self) -> bool {
        other.said.iter().all(|(node, when)| self.said.get(node) >= Some(when))
    }

    /// What two nodes say together. Where they were told apart from each other, all that was said counts: a freeze is not
    /// lost for what was said elsewhere.
    fn with(self, other: Self) -> Self {
        match (self.knows(&other), other.knows(&self)) {
            (true, false) => return self,
            (false, true) => return other,
            (true, true) if self.says_the_same(&other) => return self,
            (true, true) | (false, false) => {}
        }
        let mut said = self.said;
        for (node, when) in other.said {
            let known = said.entry(node).or_default();
            *known = when.max(*known);
        }
        Self {
            said,
            frozen: self.frozen.or(other.frozen),
            disabled: other.disabled.into_iter().chain(self.disabled).collect(),
            faulted: other.faulted.into_iter().chain(self.faulted).collect(),
            failed: latest(self.failed, other.failed),
        }
    }

    /// The same, said on a node if it is a change of what was before. By the clock, not by a count: a node that forgot what
    /// it knew, as one that restarted, would begin to count anew.
    fn after(self, before: &Self, node: &NodeName, now: Timestamp) -> Self {
        let mut said = before.said.clone();
        if !self.says_the_same(before) {
            let clock = u64::try_from(now.as_millisecond()).unwrap_or_default();
            let last = said.entry(node.clone()).or_default();
            *last = clock.max(*last + 1);
        }
        Self { said, ..self }
    }
}

/// All that was said of a group, as a node keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Forgotten when the node restarts.
    pub until_restart: Marks,
    /// Kept until it is taken back.
    pub lasting: Marks,
}

impl Kept {
    /// What two nodes say together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            until_restart: self.until_restart.with(other.until_restart),
            lasting: self.lasting.with(other.lasting),
        }
    }

    /// The same, said on a node if it is a change of what was before.
    #[must_use]
    pub fn after(self, before: &Self, node: &NodeName, now: Timestamp) -> Self {
        Self {
            until_restart: self.until_restart.after(&before.until_restart, node, now),
            lasting: self.lasting.after(&before.lasting, node, now),
        }
    }

    /// Who froze the group; a freeze that lasts is told first.
    pub fn frozen(&self) -> Option<&Mark> {
        self.lasting.frozen.as_ref().or(self.until_restart.frozen.as_ref())
    }

    /// Refuses to touch a group that is frozen.
    pub fn refuse_frozen(&self, group: &GroupName) -> Result<(), Fail> {
        let Some(mark) = self.frozen() else { return Ok(()) };
        let persistent = if self.lasting.frozen.is_some() { " --persistent" } else { "" };
        Err(Fail::refused(format!("{group} is frozen {mark}"))
            .hint(format!("ims-switch unfreeze {group}{persistent}")))
    }

    /// Tells the group which of its resources are disabled.
    pub fn apply(&self, group: &mut Group) {
        for resource in &mut group.resources {
            resource.is_disabled = self.lasting.disabled.contains_key(&resource.name);
        }
    }

    /// The nodes that the group failed on within its ping-pong interval, by the clock of whoever noted that. A time that
    /// far in the future is that of a clock that was wrong.
    pub fn failed_of_late(&self, interval: Duration, now: Timestamp) -> BTreeMap<NodeName, Mark> {
        let mut failed = self.lasting.failed.clone();
        failed.retain(|_, mark| is_of_late(mark, interval, now));
        failed
    }

    /// Notes that the group failed on a node, and forgets what is no longer of late.
    pub fn set_failed(&mut self, node: &NodeName, said: Mark, interval: Duration) {
        self.lasting.failed.retain(|_, mark| is_of_late(mark, interval, said.time));
        if !interval.is_zero() {
            self.lasting.failed.insert(node.clone(), said);
        }
    }

    /// Disables resources, or takes that back.
    pub fn set_disabled(&mut self, resources: &[ResourceName], said: Option<&Mark>) {
        set(&mut self.lasting.disabled, resources, said);
    }

    /// Notes that the fault of resources was given up, or takes that back.
    pub fn set_faulted(&mut self, resources: &[ResourceName], said: Option<&Mark>) {
        set(&mut self.lasting.faulted, resources, said);
    }
}

/// Whether something was said less than an interval ago.
fn is_of_late(mark: &Mark, interval: Duration, now: Timestamp) -> bool {
    let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
    now.duration_since(mark.time).abs() < interval
}

/// Of two that were said of the same node the later.
fn latest(one: BTreeMap<NodeName, Mark>, other: BTreeMap<NodeName, Mark>) -> BTreeMap<NodeName, Mark> {
    let mut latest = one;
    for (node, mark) in other {
        if latest.get(&node).is_none_or(|known| known.time < mark.time) {
            latest.insert(node, mark);
        }
    }
    latest
}

/// What was said first stays.
fn set(marks: &mut BTreeMap<ResourceName, Mark>, resources: &[ResourceName], said: Option<&Mark>) {
    for resource in resources {
        match said {
            Some(said) => drop(marks.entry(resource.clone()).or_insert_with(|| said.clone())),
            None => drop(marks.remove(resource)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(node: &str) -> Mark {
        Mark {
            by: "root".to_owned(),
            node: node.parse().unwrap(),
            time: Timestamp::UNIX_EPOCH,
            reason: Some("a new kernel".to_owned()),
        }
    }

    /// What was said until these moments on mail-1 and mail-2.
    fn frozen(until: [u64; 2], node: Option<&str>) -> Marks {
        let said = [1, 2].map(|number| format!("mail-{number}").parse().unwrap()).into_iter().zip(until);
        Marks {
            said: said.filter(|(_, when)| *when > 0).collect(),
            frozen: node.map(mark),
            ..Marks::default()
        }
    }

    #[test]
    fn a_mark_says_who_where_when_and_why() {
        assert_eq!(mark("mail-1").to_string(), "by root on mail-1 since 1970-01-01T00:00:00Z: a new kernel");
    }

    #[test]
    fn who_knows_all_that_the_other_was_told_is_right_and_of_what_was_said_apart_all_is_kept() {
        for (one, two, until, node) in [
            (frozen([0, 0], None), frozen([0, 0], None), [0, 0], None),
            (frozen([3, 2], None), frozen([2, 2], Some("mail-2")), [3, 2], None),
            (frozen([2, 3], Some("mail-1")), frozen([2, 0], None), [2, 3], Some("mail-1")),
            (frozen([0, 0], None), frozen([0, 2], Some("mail-2")), [0, 2], Some("mail-2")),
            // Said apart: a freeze stays, whichever came first.
            (frozen([9, 0], None), frozen([2, 2], Some("mail-2")), [9, 2], Some("mail-2")),
            (frozen([2, 0], Some("mail-1")), frozen([0, 9], None), [2, 9], Some("mail-1")),
            (frozen([2, 2], None), frozen([2, 2], Some("mail-2")), [2, 2], Some("mail-2")),
        ] {
            for (one, two) in [(&one, &two), (&two, &one)] {
                let both = one.clone().with(two.clone());
                let told = both.frozen.as_ref().map(|mark| mark.node.as_str());
                assert_eq!((&both.said, told), (&frozen(until, None).said, node), "{one:?} and {two:?}");
            }
        }
    }

    #[test]
    fn only_a_change_is_noted_and_what_was_said_first_stays() {
        let (resources, node) = (["mail".parse().unwrap()], "mail-1".parse().unwrap());
        let before = Kept::default();
        let mut once = before.clone();
        once.set_disabled(&resources, Some(&mark("mail-1")));
        let early = Timestamp::UNIX_EPOCH;
        let once = once.after(&before, &node, early);
        assert_eq!((once.lasting.said[&node], once.until_restart.said.len()), (1, 0));
        let mut twice = once.clone();
        twice.set_disabled(&resources, Some(&mark("mail-2")));
        assert_eq!(twice.after(&once, &node, early), once);
        let mut back = once.clone();
        back.set_disabled(&resources, None);
        let back = back.after(&once, &node, early);
        assert_eq!((back.lasting.said[&node], back.lasting.disabled.len()), (2, 0));
        assert_eq!(once.clone().with(back.clone()), back);
    }

    #[test]
    fn what_a_node_says_that_forgot_all_else_is_not_behind_what_was_said_before() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let [one, two]: [NodeName; 2] = ["mail-1", "mail-2"].map(|name| name.parse().unwrap());
        let said = |frozen| Kept { until_restart: Marks { frozen, ..Marks::default() }, ..Kept::default() };
        let mut other = Kept::default();
        for second in 0..9 {
            let frozen = (second % 2 == 0).then(|| mark("mail-2"));
            other = said(frozen).after(&other, if second < 5 { &one } else { &two }, at(second));
        }
        let thawed = said(None).after(&other, &two, at(10));
        for second in [60, 1] {
            // The second by a clock that is slow, on a node that the other has not heard of since it restarted.
            let frozen =
                said(Some(mark("mail-3"))).after(&Kept::default(), &"mail-3".parse().unwrap(), at(second));
            assert_eq!(thawed.clone().with(frozen.clone()).frozen(), Some(&mark("mail-3")));
            assert_eq!(frozen.with(thawed.clone()).frozen(), Some(&mark("mail-3")));
        }
        let frozen = said(Some(mark("mail-1"))).after(&Kept::default(), &one, at(60));
        assert_eq!(thawed.clone().with(frozen).frozen(), Some(&mark("mail-1")));
        let with_a_slow_clock = said(Some(mark("mail-2"))).after(&thawed, &two, at(5));
        assert_eq!(with_a_slow_clock.until_restart.said[&two], thawed.until_restart.said[&two] + 1);
    }

    #[test]
    fn a_node_that_it_failed_on_is_told_until_the_interval_is_over_and_the_later_of_two_counts() {
        let at = |second| Mark { time: Timestamp::from_second(second).unwrap(), ..mark("mail-1") };
        let (one, two): (NodeName, NodeName) = ("mail-1".parse().unwrap(), "mail-2".parse().unwrap());
        let hour = Duration::from_secs(3600);
        let mut kept = Kept::default();
        kept.set_failed(&one, at(0), hour);
        kept.set_failed(&two, at(1800), hour);
        for (second, wanted) in [(1800, 2), (3599, 2), (3600, 1), (5400, 0), (-3599, 1), (-9000, 0)] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(kept.failed_of_late(hour, now).len(), wanted, "{second}");
            assert_eq!(kept.failed_of_late(Duration::ZERO, now).len(), 0);
        }
        let mut later = kept.clone();
        later.set_failed(&one, at(4000), hour);
        assert_eq!(later.lasting.failed.len(), 2);
        let both = later.with(kept.clone());
        assert_eq!(both.lasting.failed[&one].time, at(4000).time);
        kept.set_failed(&one, at(7200), hour);
        assert_eq!(kept.lasting.failed.len(), 1, "what is over is forgotten");
        kept.set_failed(&two, at(7200), Duration::ZERO);
        assert_eq!(kept.lasting.failed.len(), 0, "without an interval nothing is noted");
    }

    #[test]
    fn marks_of_a_version_that_knew_no_failed_nodes_are_read() {
        let marks: Marks = serde_json::from_str(r#"{"frozen":null,"disabled":{},"faulted":{}}"#).unwrap();
        assert_eq!(marks, Marks::default());
    }
}
