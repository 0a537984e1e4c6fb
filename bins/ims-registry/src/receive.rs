//! The other end of `replicate` and `diff`: entries from stdin, judged under the lock, all taken in or none.

use std::path::Path;

use ims::registry::PATH;
use ims::{Exit, Fail, Host, Out};
use jiff::Timestamp;

use crate::act::{piped, tell};
use crate::cli::Receive;
use crate::draft::Draft;
use crate::replica::{Outcome, Replica, outcomes};

/// Takes in what another node sends.
pub fn receive(host: &Host, receive: &Receive, out: &mut Out) -> Result<Exit, Fail> {
    if receive.node.as_str() != host.name() {
        let fail = Fail::usage(format!("reach of {} leads to {}", receive.node, host.name()));
        return Err(fail.hint(format!("correct it in {}", ims::nodes::PATH)));
    }
    let sent = if receive.count == 0 { Vec::new() } else { piped()? };
    if sent.len() != receive.count {
        return Err(Fail::unknown(format!("{} of {} records came", sent.len(), receive.count))
            .hint("nothing was changed; run it again"));
    }
    let mut draft = Draft::open(host, &receive.change)?;
    let written = written(&host.path(PATH));
    let mut refused = Vec::new();
    for (name, outcome, differences) in outcomes(&draft.registry, &sent, receive.force_replace) {
        if outcome == Outcome::Refused {
            refused.push(name.to_string());
        }
        let (node, dry_run) = (receive.node.clone(), receive.change.dry_run);
        out.record(&Replica { node, name, outcome, dry_run, differences, written })?;
    }
    if !refused.is_empty() && !receive.change.dry_run {
        return Err(Fail::refused(format!("{} is another here; nothing was changed", refused.join(", "))));
    }
    if refused.is_empty() {
        for instance in &sent {
            draft.registry.put(instance);
        }
    }
    tell(&draft.commit()?, out)
}

/// When a file was last written, by this node's clock.
pub fn written(path: &Path) -> Option<Timestamp> {
    fs_err::metadata(path).ok()?.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}
