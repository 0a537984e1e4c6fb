//! The attributes of VCS's agent framework, which the group file has under the same names in its own spelling.

use std::time::Duration;

use ims::group::{Limits, Policy, Resource};

use super::attributes::Attributes;
use super::syntax::{Block, Value};
use super::types::Types;
use crate::import::{DraftResource, RemarkKind};

/// An attribute: its name in VCS, its key in a group file, and its value when a group file says none (seconds or a
/// count). The last are those of the seed's type `MsgSrv`, and of VCS where that says nothing.
struct Limit(&'static str, &'static str, u64);

const ALL: [Limit; 9] = [
    Limit("OnlineTimeout", "online_timeout", 300),
    Limit("OfflineTimeout", "offline_timeout", 300),
    Limit("MonitorInterval", "monitor_interval", 180),
    Limit("MonitorTimeout", "monitor_timeout", 180),
    Limit("OnlineRetryLimit", "online_retry_limit", 1),
    Limit("OnlineWaitLimit", "online_wait_limit", 1),
    Limit("ToleranceLimit", "tolerance_limit", 0),
    Limit("RestartLimit", "restart_limit", 2),
    Limit("ConfInterval", "conf_interval", 600),
];

/// Takes over what a resource says, and what its type says otherwise than a group file's defaults.
pub fn read(of: &mut Attributes<'_>, types: &Types<'_>, into: &mut DraftResource) {
    for Limit(name, key, usual) in ALL {
        let own = of.text(name);
        let Some(text) = own.clone().or_else(|| types.said(&of.block.word, name).map(Value::text)) else {
            continue;
        };
        match text.parse::<u32>() {
            Ok(number) if own.is_some() || u64::from(number) != usual => into.set(key, u64::from(number)),
            Ok(_) => {}
            Err(_) => of.tell(RemarkKind::Lost, format!("{name} is not a number")),
        }
    }
}

/// Says what is otherwise than a group file's defaults; all of it where VCS's own defaults would count.
pub fn write(resource: &Resource, says_all: bool, block: &mut Block) {
    let Limits { online_timeout, offline_timeout } = resource.limits;
    let Policy {
        monitor_interval,
        monitor_timeout,
        online_retry_limit,
        online_wait_limit,
        tolerance_limit,
        restart_limit,
        conf_interval,
    } = resource.policy;
    let count = |count: u32| (u64::from(count), None);
    let values = [
        seconds(online_timeout),
        seconds(offline_timeout),
        seconds(monitor_interval),
        seconds(monitor_timeout),
        count(online_retry_limit),
        count(online_wait_limit),
        count(tolerance_limit),
        count(restart_limit),
        seconds(conf_interval),
    ];
    for (Limit(name, key, usual), (value, exact)) in ALL.into_iter().zip(values) {
        if says_all || value != usual || exact.is_some() {
            block.say(name, &value);
        }
        block.kept.extend(exact.map(|exact| (0, format!("{key} = \"{exact}\""))));
    }
}

/// A length of time in whole seconds, rounded up, and as it is where those are not exact.
fn seconds(time: Duration) -> (u64, Option<String>) {
    if time.subsec_nanos() == 0 {
        return (time.as_secs(), None);
    }
    (time.as_secs().saturating_add(1), Some(ims::span::Span(time).to_string()))
}
