//! What a fault is answered with: a pure count of failed probes and restarts, with the seed's parameters.

use std::collections::BTreeMap;

use ims::State;
use ims::group::Policy;
use ims::name::ResourceName;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Nothing: all is well, or nothing is known.
    Nothing,
    /// A failed probe that does not make a fault yet.
    Tolerate,
    /// The resource is restarted where it is.
    Restart,
    /// The group goes to the next node.
    Giveover,
}

/// What a probe said of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The state of one of its endpoints.
    pub state: State,
    /// The round of probes it belongs to; several endpoints of a resource fail together in one.
    pub round: Option<u64>,
    /// When it was heard.
    pub time: Timestamp,
}

/// What is remembered of one resource.
#[derive(Debug, Clone, Default)]
struct Count {
    tolerated: u32,
    restarts: u32,
    last_fault: Option<Timestamp>,
    round: Option<u64>,
    /// What was heard before this is about servers that are no more.
    deaf_until: Option<Timestamp>,
}

/// The counts of all resources.
#[derive(Debug, Clone, Default)]
pub struct Counts(BTreeMap<ResourceName, Count>);

impl Counts {
    /// Decides what is done about what was heard, and why.
    pub fn decide(&mut self, resource: &ResourceName, policy: &Policy, heard: &Heard) -> (Choice, String) {
        let count = self.0.entry(resource.clone()).or_default();
        if count.deaf_until.is_some_and(|until| heard.time < until) {
            return (Choice::Nothing, "it was probed before the last action ended".to_owned());
        }
        let quiet = SignedDuration::try_from(policy.conf_interval).unwrap_or(SignedDuration::MAX);
        if count.last_fault.is_some_and(|last| heard.time.duration_since(last) >= quiet) {
            *count = Count { round: count.round, ..Count::default() };
        }
        match heard.state {
            State::Up => return (Choice::Nothing, "it answers".to_owned()),
            State::Unknown | State::Partial => {
                return (Choice::Nothing, format!("it is {}, which decides nothing", heard.state));
            }
            State::Down => {}
        }
        if heard.round.is_some() && heard.round == count.round {
            return (Choice::Nothing, "this round of probes is counted already".to_owned());
        }
        count.round = heard.round;
        count.last_fault = Some(heard.time);
        if count.tolerated < policy.tolerance_limit {
            count.tolerated += 1;
            let why =
                format!("failed probe {} of {} that are tolerated", count.tolerated, policy.tolerance_limit);
            return (Choice::Tolerate, why);
        }
        count.tolerated = 0;
        if count.restarts < policy.restart_limit {
            count.restarts += 1;
            let why = format!(
                "restart {} of {} within {} s",
                count.restarts,
                policy.restart_limit,
                policy.conf_interval.as_secs()
            );
            return (Choice::Restart, why);
        }
        (Choice::Giveover, format!("{} restarts did not help", count.restarts))
    }

    /// Notes that an action ended: what was heard before is about what is no more.
    pub fn acted(&mut self, resource: &ResourceName, choice: Choice, time: Timestamp) {
        match choice {
            Choice::Giveover => {
                for count in self.0.values_mut() {
                    *count = Count { deaf_until: Some(time), ..Count::default() };
                }
            }
            Choice::Restart => self.0.entry(resource.clone()).or_default().deaf_until = Some(time),
            Choice::Nothing | Choice::Tolerate => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn policy(tolerance_limit: u32, restart_limit: u32) -> Policy {
        Policy {
            monitor_interval: Duration::from_secs(180),
            monitor_timeout: Duration::from_secs(180),
            online_retry_limit: 1,
            online_wait_limit: 1,
            tolerance_limit,
            restart_limit,
            conf_interval: Duration::from_secs(600),
        }
    }

    fn heard(state: State, second: i64) -> Heard {
        Heard { state, round: None, time: Timestamp::from_second(second).unwrap() }
    }

    fn choices(policy: &Policy, stream: &[Heard]) -> Vec<Choice> {
        let mut counts = Counts::default();
        let mail = "mail".parse().unwrap();
        stream.iter().map(|heard| counts.decide(&mail, policy, heard).0).collect()
    }

    #[test]
    fn the_seeds_policy_restarts_twice_and_then_gives_over() {
        use Choice::{Giveover, Nothing, Restart, Tolerate};
        use State::{Down, Unknown, Up};
        for (tolerance, restarts, stream, wanted) in [
            (0, 2, vec![(Down, 0), (Down, 180), (Down, 360)], vec![Restart, Restart, Giveover]),
            (
                0,
                2,
                vec![(Down, 0), (Up, 180), (Down, 360), (Down, 540)],
                vec![Restart, Nothing, Restart, Giveover],
            ),
            // 600 s without a fault, and the counts begin again
            (
                0,
                1,
                vec![(Down, 0), (Up, 180), (Down, 600), (Down, 780)],
                vec![Restart, Nothing, Restart, Giveover],
            ),
            (
                3,
                1,
                vec![(Down, 0), (Down, 1), (Down, 2), (Down, 3)],
                vec![Tolerate, Tolerate, Tolerate, Restart],
            ),
            (0, 0, vec![(Down, 0)], vec![Giveover]),
            (0, 2, vec![(Unknown, 0), (Unknown, 1), (Unknown, 2)], vec![Nothing, Nothing, Nothing]),
        ] {
            let stream: Vec<Heard> = stream.iter().map(|(state, second)| heard(*state, *second)).collect();
            assert_eq!(choices(&policy(tolerance, restarts), &stream), wanted, "{stream:?}");
        }
    }

    #[test]
    fn servers_that_fail_together_in_a_round_are_one_fault() {
        let round = |round, second| Heard { round: Some(round), ..heard(State::Down, second) };
        let got = choices(&policy(0, 2), &[round(1, 0), round(1, 0), round(1, 1), round(2, 180)]);
        assert_eq!(got, [Choice::Restart, Choice::Nothing, Choice::Nothing, Choice::Restart]);
    }

    #[test]
    fn what_was_probed_before_an_action_ended_decides_nothing() {
        let mut counts = Counts::default();
        let mail: ResourceName = "mail".parse().unwrap();
        let policy = policy(0, 2);
        assert_eq!(counts.decide(&mail, &policy, &heard(State::Down, 0)).0, Choice::Restart);
        counts.acted(&mail, Choice::Restart, Timestamp::from_second(30).unwrap());
        assert_eq!(counts.decide(&mail, &policy, &heard(State::Down, 20)).0, Choice::Nothing);
        assert_eq!(counts.decide(&mail, &policy, &heard(State::Down, 40)).0, Choice::Restart);
    }
}
