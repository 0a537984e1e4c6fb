//! What was said of a group and holds until it is taken back: frozen, a resource disabled, a fault that was given up.
//! It is kept on every node of the group; of two nodes that differ the one that counts more changes is right.

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
    /// Counts the changes: the milliseconds of the clock when the last was said, or one more than before.
    pub version: u64,
    /// The group is neither moved, started nor stopped.
    pub frozen: Option<Mark>,
    /// Resources that are neither started nor watched.
    pub disabled: BTreeMap<ResourceName, Mark>,
    /// Resources whose fault was given up.
    pub faulted: BTreeMap<ResourceName, Mark>,
    /// Nodes that the group was given over from, or could not be started on when it was given over to them.
    #[serde(default)]
    pub failed: BTreeMap<NodeName, Mark>,
}

impl Marks {
    fn says_the_same(&self, other: &Self) -> bool {
        let Self { version: _, frozen, disabled, faulted, failed } = self;
        (frozen, disabled, faulted, failed) == (&other.frozen, &other.disabled, &other.faulted, &other.failed)
    }

    /// What two nodes say together. Where both count the same and differ, they were told apart from each other: all
    /// that was said counts.
    fn with(self, other: Self) -> Self {
        if self.version != other.version {
            return if self.version > other.version { self } else { other };
        }
        if self.says_the_same(&other) {
            return self;
        }
        Self {
            version: self.version + 1,
            frozen: self.frozen.or(other.frozen),
            disabled: other.disabled.into_iter().chain(self.disabled).collect(),
            faulted: other.faulted.into_iter().chain(self.faulted).collect(),
            failed: latest(self.failed, other.failed),
        }
    }

    /// The same, counted as a change of what was before if it is one. The count is never behind the clock: a node that
    /// forgot what it knew, as one that restarted, must not say less than one that was told nothing of late.
    fn after(self, before: &Self, now: Timestamp) -> Self {
        let clock = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let version = if self.says_the_same(before) { before.version } else { clock.max(before.version + 1) };
        Self { version, ..self }
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

    /// The same, counted as a change of what was before if it is one.
    #[must_use]
    pub fn after(self, before: &Self, now: Timestamp) -> Self {
        Self {
            until_restart: self.until_restart.after(&before.until_restart, now),
            lasting: self.lasting.after(&before.lasting, now),
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

    fn frozen(version: u64, node: Option<&str>) -> Marks {
        Marks { version, frozen: node.map(mark), ..Marks::default() }
    }

    #[test]
    fn a_mark_says_who_where_when_and_why() {
        assert_eq!(mark("mail-1").to_string(), "by root on mail-1 since 1970-01-01T00:00:00Z: a new kernel");
    }

    #[test]
    fn the_node_that_counts_more_changes_is_right_and_of_equals_all_is_kept() {
        for (one, two, version, node) in [
            (frozen(0, None), frozen(0, None), 0, None),
            (frozen(3, None), frozen(2, Some("mail-2")), 3, None),
            (frozen(3, Some("mail-1")), frozen(2, None), 3, Some("mail-1")),
            (frozen(0, None), frozen(2, Some("mail-2")), 2, Some("mail-2")),
            (frozen(2, None), frozen(2, Some("mail-2")), 3, Some("mail-2")),
            (frozen(2, Some("mail-1")), frozen(2, Some("mail-2")), 3, Some("mail-1")),
        ] {
            let both = one.clone().with(two.clone());
            let told = both.frozen.as_ref().map(|mark| mark.node.as_str());
            assert_eq!((both.version, told), (version, node), "{one:?} and {two:?}");
        }
    }

    #[test]
    fn only_a_change_is_counted_and_what_was_said_first_stays() {
        let resources = ["mail".parse().unwrap()];
        let before = Kept::default();
        let mut once = before.clone();
        once.set_disabled(&resources, Some(&mark("mail-1")));
        let early = Timestamp::UNIX_EPOCH;
        let once = once.after(&before, early);
        assert_eq!((once.lasting.version, once.until_restart.version), (1, 0));
        let mut twice = once.clone();
        twice.set_disabled(&resources, Some(&mark("mail-2")));
        assert_eq!(twice.after(&once, early), once);
        let mut back = once.clone();
        back.set_disabled(&resources, None);
        let back = back.after(&once, early);
        assert_eq!((back.lasting.version, back.lasting.disabled.len()), (2, 0));
        assert_eq!(once.clone().with(back.clone()), back);
    }

    #[test]
    fn what_a_node_says_that_forgot_all_else_is_not_behind_what_was_said_before() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let said = |frozen| Kept { until_restart: Marks { frozen, ..Marks::default() }, ..Kept::default() };
        let mut other = Kept::default();
        for second in 0..9 {
            let frozen = (second % 2 == 0).then(|| mark("mail-2"));
            other = said(frozen).after(&other, at(second));
        }
        let thawed = said(None).after(&other, at(10));
        let frozen = said(Some(mark("mail-1"))).after(&Kept::default(), at(60));
        assert_eq!(thawed.clone().with(frozen.clone()), frozen);
        assert_eq!(frozen.with(thawed.clone()).frozen(), Some(&mark("mail-1")));
        let with_a_slow_clock = said(Some(mark("mail-2"))).after(&thawed, at(5));
        assert_eq!(with_a_slow_clock.until_restart.version, thawed.until_restart.version + 1);
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
        assert_eq!((both.lasting.version, both.lasting.failed[&one].time), (1, at(4000).time));
        kept.set_failed(&one, at(7200), hour);
        assert_eq!(kept.lasting.failed.len(), 1, "what is over is forgotten");
        kept.set_failed(&two, at(7200), Duration::ZERO);
        assert_eq!(kept.lasting.failed.len(), 0, "without an interval nothing is noted");
    }

    #[test]
    fn marks_of_a_version_that_knew_no_failed_nodes_are_read() {
        let marks: Marks =
            serde_json::from_str(r#"{"version":3,"frozen":null,"disabled":{},"faulted":{}}"#).unwrap();
        assert_eq!(marks, Marks { version: 3, ..Marks::default() });
    }
}
