//! Endpoints of which nothing is heard any more: a prober that is frozen, starved or gone says nothing about a server,
//! and that is told once.

use std::collections::BTreeMap;

use ims::group::Resource;
use ims::name::ResourceName;
use ims::span::Span;
use jiff::{SignedDuration, Timestamp};

/// When each endpoint was heard of last.
#[derive(Debug, Default)]
pub struct Silence(BTreeMap<String, Last>);

#[derive(Debug)]
struct Last {
    resource: ResourceName,
    heard: Timestamp,
    is_told: bool,
}

/// An endpoint that nothing is heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The endpoint.
    pub endpoint: String,
    /// The resource it belongs to.
    pub resource: ResourceName,
    /// Since when, by the clock of the run.
    pub since: Timestamp,
    /// Why that is too long.
    pub reason: String,
}

impl Silence {
    /// Notes that something was heard of an endpoint.
    pub fn broken(&mut self, endpoint: &str, resource: &ResourceName, heard: Timestamp) {
        self.0.insert(endpoint.to_owned(), Last { resource: resource.clone(), heard, is_told: false });
    }

    /// The endpoints that were not heard of for longer than a probe may take to come, each once.
    pub fn too_long(&mut self, resources: &[Resource], now: Timestamp) -> Vec<Silent> {
        let find = |name: &ResourceName| resources.iter().find(|resource| resource.name == *name);
        let mut silent = Vec::new();
        for (endpoint, last) in self.0.iter_mut().filter(|(_, last)| !last.is_told) {
            let Some(policy) = find(&last.resource).map(|resource| &resource.policy) else { continue };
            let limit = policy.monitor_interval.saturating_add(policy.monitor_timeout);
            let limit_signed = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
            if now.duration_since(last.heard) > limit_signed {
                last.is_told = true;
                silent.push(Silent {
                    endpoint: endpoint.clone(),
                    resource: last.resource.clone(),
                    since: last.heard,
                    reason: format!(
                        "no probe of it came for {} (monitor_interval and monitor_timeout), which decides nothing",
                        Span(limit)
                    ),
                });
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ims::group::Group;

    use super::*;

    #[test]
    fn what_is_silent_for_too_long_is_told_once_until_it_is_heard_again() {
        let text = "nodes = [\"a\"]\n[resource.mail]\ntype = \"messaging-server\"\ninstance = \"stork\"\n\
                    monitor_interval = 10\nmonitor_timeout = 5\n";
        let group = Group::parse("IMS-RG".parse().unwrap(), text, Path::new("x")).unwrap();
        let mail = group.resources[0].name.clone();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut silence = Silence::default();
        silence.broken("smtp://192.0.2.10:25", &mail, at(0));
        let told = |silence: &mut Silence, second| silence.too_long(&group.resources, at(second)).len();
        assert_eq!([15, 16, 17].map(|second| told(&mut silence, second)), [0, 1, 0]);
        silence.broken("smtp://192.0.2.10:25", &mail, at(20));
        assert_eq!([35, 36, 99].map(|second| told(&mut silence, second)), [0, 1, 0]);
    }
}
