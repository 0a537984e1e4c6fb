//! Whether a fencing proves that the holder of a volume writes no more.
//!
//! A proof that names the guard of the volume, as it was when the fencing had been confirmed, counts as long as the guard
//! is still so: a node that came back would have written it. Without that, the times are compared. The proof and the
//! last sign of life were timed by two clocks. Nodes of a cluster keep the same time, but a second is granted, for the
//! guard's own seconds are whole ones. A clock that is further off can make an old proof look new: so such a proof counts
//! for a short while only, times from the future count for nothing, and the guard is watched before it is cleared.

use std::path::Path;
use std::time::Duration;

use ims::fencing::{FOLDER, Fenced, SeenGuard};
use ims::name::NodeName;
use ims::sys::{file, stderr};
use ims::{Fail, Host};
use jiff::{SignedDuration, Timestamp};

use crate::NAME;
use crate::guard::mmp::Block;
use crate::look::Found;

/// How far two clocks of one cluster may be apart.
const APART: SignedDuration = SignedDuration::from_secs(1);
/// For how long a proof counts: the node may have come back since.
const COUNTS_FOR: SignedDuration = SignedDuration::from_mins(10);
/// For how long a guard must not move before it is cleared.
pub const WATCH: Duration = Duration::from_millis(200);
/// For how much longer than its interval, when a person may have taken one node for another: a living holder writes then.
const LONGER: Duration = Duration::from_secs(1);

/// A proof, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it says.
    pub fenced: Fenced,
    /// The file, or the option, that it is from.
    pub from: String,
    /// Whether the operator named it, so that one which does not count is an error.
    pub was_named: bool,
}

impl Proof {
    /// The proof that was named, or the one of the holder in this node's folder, if there is one.
    pub fn find(host: &Host, named: Option<&Path>, holder: Option<&str>) -> Result<Option<Self>, Fail> {
        if let Some(path) = named {
            let text = file::read_text(path)?
                .ok_or_else(|| Fail::usage(format!("{} is not there", path.display())))?;
            let from = path.display().to_string();
            return Ok(Some(Self { fenced: parse(&text, path)?, from, was_named: true }));
        }
        // A holder whose name is no node name has no file here, and must not lead out of the folder.
        let Some(holder) = holder.and_then(|holder| holder.parse::<NodeName>().ok()) else { return Ok(None) };
        let path = host.path(FOLDER).join(format!("{holder}.json"));
        let found = file::read_text(&path).and_then(|text| text.map(|text| parse(&text, &path)).transpose());
        match found {
            Ok(fenced) => Ok(fenced.map(|fenced| {
                let from = path.display().to_string();
                Self { fenced, from, was_named: false }
            })),
            Err(fail) => {
                stderr::say(NAME, format_args!("{fail}; it is passed over"));
                Ok(None)
            }
        }
    }

    /// The word of the person who runs the command.
    pub fn by_word(node: &NodeName) -> Self {
        Self { fenced: Fenced::by_word(node), from: format!("--confirm-fenced {node}"), was_named: true }
    }

    /// Whether it proves that `holder`, whose last sign of life is given, writes no more. Else: why not.
    pub fn proves(&self, holder: &Holder<'_>, now: Timestamp) -> Result<(), String> {
        let Fenced { node, time, guards, .. } = &self.fenced;
        let Some(name) = holder.name else { return Err("the guard does not name its holder".to_owned()) };
        let Some(last_sign) = holder.last_sign else {
            return Err(format!("the guard does not say when {name} was alive"));
        };
        if node.as_str() == holder.us {
            return Err("it is about this node, which is alive".to_owned());
        }
        if node.as_str() != name {
            return Err(format!("it is about {node}, and {name} holds the volume"));
        }
        if let Some((then, now)) = holder.guard.as_ref().and_then(|now| {
            let then = guards.iter().find(|then| then.uuid == now.uuid)?;
            Some((then, now))
        }) {
            return if then == now {
                Ok(())
            } else {
                Err(format!(
                    "the guard was written since {name} was fenced (then {} by {}, now {} by {})",
                    then.sequence, then.written_by, now.sequence, now.written_by
                ))
            };
        }
        if last_sign.duration_since(now) > APART {
            return Err(format!(
                "the clock of {name} is ahead of ours ({last_sign}), so the two cannot be compared"
            ));
        }
        if time.duration_since(now) > APART {
            return Err(format!("it is from the future ({time})"));
        }
        if last_sign.duration_since(*time) > APART {
            return Err(format!(
                "{name} was fenced at {time} and gave a sign of life at {last_sign}, after that"
            ));
        }
        if now.duration_since(*time) > COUNTS_FOR {
            return Err(format!(
                "it is from {time}, and {name} may have come back since; confirm the fencing anew"
            ));
        }
        Ok(())
    }

    /// For how long a guard with this interval must not move before it is cleared. What names the guard itself has seen it
    /// stand still already; a time alone may be of a clock that is off, and a person may take one node for another: then a
    /// living holder must have had the time to write.
    pub fn watch(&self, interval: Duration, holder: &Holder<'_>) -> Duration {
        let is_named = |guard: &SeenGuard| self.fenced.guards.iter().any(|then| then.uuid == guard.uuid);
        let is_bound = holder.guard.as_ref().is_some_and(is_named);
        if self.fenced.is_by_agent() && is_bound { WATCH } else { interval + LONGER }
    }

    /// Why the holder is dead, for people.
    pub fn told(&self) -> String {
        let Fenced { node, method, confirmed_by, time, .. } = &self.fenced;
        if self.fenced.is_by_agent() {
            format!("{node} was fenced by {method} at {time}")
        } else {
            format!("{node} is off, as {confirmed_by} confirmed at {time}")
        }
    }
}

/// Who holds a volume.
#[derive(Debug, Clone)]
pub struct Holder<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// When it last wrote, by its clock.
    pub last_sign: Option<Timestamp>,
    /// The name of this node.
    pub us: &'a str,
    /// What the volume's guard says, where it has one.
    pub guard: Option<SeenGuard>,
}

impl<'a> Holder<'a> {
    /// The holder of a volume as it was found, by this name.
    pub fn of(found: &'a Found, name: Option<&'a str>, us: &'a str) -> Self {
        let last_sign = found.guard().and_then(Block::last_sign);
        let guard = seen(found);
        Self { name, last_sign, us, guard }
    }
}

/// What the guard of a volume says, if it has one that was ever written.
fn seen(found: &Found) -> Option<SeenGuard> {
    let superblock = found.disk.as_ref().ok()?.filesystem.as_ref()?.ext4()?;
    let block = found.guard()?;
    Some(SeenGuard {
        uuid: superblock.uuid.to_string(),
        written_by: found.signer.clone()?,
        mounts: superblock.mount_count,
        sequence: block.number(),
        last_sign: block.last_sign()?,
    })
}

/// What every record begins with.
#[derive(serde::Deserialize)]
struct Head {
    schema: String,
}

/// Reads a proof: a file with one record in it.
fn parse(text: &str, path: &Path) -> Result<Fenced, Fail> {
    let wrong = |e: &dyn std::fmt::Display| {
        Fail::usage(format!("{} is no ims.fenced/1 record", path.display())).because(e)
    };
    let head: Head = serde_json::from_str(text).map_err(|e| wrong(&e))?;
    if head.schema != <Fenced as ims::Record>::SCHEMA {
        return Err(wrong(&head.schema.escape_debug()));
    }
    serde_json::from_str(text).map_err(|e| wrong(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(node: &str, time: &str) -> Proof {
        let fenced = Fenced {
            node: node.parse().unwrap(),
            method: "fence_x".into(),
            confirmed_by: "agent".into(),
            time: time.parse().unwrap(),
            guards: Vec::new(),
        };
        Proof { fenced, from: "/p".into(), was_named: true }
    }

    #[test]
    fn only_a_fresh_fencing_of_the_holder_after_its_last_sign_proves_anything() {
        let now: Timestamp = "2026-11-22T10:05:00Z".parse().unwrap();
        let sign = "2026-11-22T10:00:00Z";
        for (node, time, last_sign, proves, what) in [
            ("mail-2", "2026-11-22T10:00:03Z", sign, true, "just after"),
            ("mail-2", "2026-11-22T10:00:00.2Z", sign, true, "in the same second"),
            ("mail-2", "2026-11-22T09:59:59Z", sign, true, "within what clocks may be apart"),
            ("mail-2", "2026-11-22T09:59:58Z", sign, false, "before"),
            ("mail-2", "2026-11-22T10:00:03Z", "2026-11-22T10:04:00Z", false, "alive since"),
            ("mail-1", "2026-11-22T10:00:03Z", sign, false, "this node itself"),
            ("mail-3", "2026-11-22T10:00:03Z", sign, false, "another node"),
            ("mail-2", "2026-11-22T10:05:02Z", sign, false, "from the future"),
            ("mail-2", "2026-11-22T09:54:00Z", "2026-11-22T09:53:00Z", false, "too old"),
            ("mail-2", "2026-11-22T10:05:00Z", "2026-11-22T10:06:00Z", false, "a clock ahead"),
        ] {
            let last_sign = Some(last_sign.parse().unwrap());
            let holder = Holder { name: Some("mail-2"), last_sign, us: "mail-1", guard: None };
            let answer = proof(node, time).proves(&holder, now);
            assert_eq!(answer.is_ok(), proves, "{what}: {answer:?}");
        }
        let nobody = Holder { name: None, last_sign: None, us: "mail-1", guard: None };
        assert!(proof("mail-2", sign).proves(&nobody, now).is_err());
        let last_sign = Some(sign.parse().unwrap());
        let ourselves = Holder { name: Some("mail-1"), last_sign, us: "mail-1", guard: None };
        assert!(proof("mail-1", "2026-11-22T10:00:03Z").proves(&ourselves, now).is_err());
    }

    #[test]
    fn a_proof_that_names_the_guard_counts_as_long_as_that_is_the_same_whatever_the_clocks_say() {
        let now: Timestamp = "2026-11-22T10:05:00Z".parse().unwrap();
        let (sign, later) = ("2026-11-22T10:00:00Z", "2026-11-22T10:00:09Z");
        let seen = |uuid: &str, mounts, sequence, sign: &str| SeenGuard {
            uuid: uuid.into(),
            mounts,
            written_by: "mail-2".into(),
            sequence,
            last_sign: sign.parse().unwrap(),
        };
        for (then, time, proves, what) in [
            (seen("v", 3, 7, sign), "2026-11-22T10:00:03Z", true, "the same"),
            (seen("v", 3, 7, sign), "2026-11-20T00:00:00Z", true, "of a clock that lags, or of long ago"),
            (seen("v", 3, 7, sign), "2026-11-23T00:00:00Z", true, "of a clock that is ahead"),
            (seen("v", 3, 6, sign), "2026-11-22T10:00:03Z", false, "it was counted up"),
            (seen("v", 2, 7, sign), "2026-11-22T10:00:03Z", false, "it was mounted, and counts anew"),
            (seen("v", 3, 7, later), "2026-11-22T10:00:12Z", false, "it was written at another time"),
            (seen("w", 3, 6, sign), "2026-11-22T10:00:03Z", true, "another volume: by the times"),
            (seen("w", 3, 6, sign), "2026-11-22T09:59:00Z", false, "another volume: by the times"),
        ] {
            let guard = Some(seen("v", 3, 7, sign));
            let holder =
                Holder { name: Some("mail-2"), last_sign: Some(sign.parse().unwrap()), us: "mail-1", guard };
            let mut proof = proof("mail-2", time);
            proof.fenced.guards = vec![then];
            let answer = proof.proves(&holder, now);
            assert_eq!(answer.is_ok(), proves, "{what}: {answer:?}");
            proof.fenced.node = "mail-3".parse().unwrap();
            assert!(proof.proves(&holder, now).is_err(), "{what}: it is about another node");
        }
    }

    #[test]
    fn the_word_of_a_person_is_checked_for_as_long_as_a_living_holder_writes_in() {
        let mut proof = proof("mail-2", "2026-11-22T10:00:03Z");
        let (five, six) = (Duration::from_secs(5), Duration::from_secs(6));
        let guard = SeenGuard {
            uuid: "v".into(),
            written_by: "mail-2".into(),
            mounts: 3,
            sequence: 7,
            last_sign: Timestamp::UNIX_EPOCH,
        };
        let holder =
            Holder { name: Some("mail-2"), last_sign: None, us: "mail-1", guard: Some(guard.clone()) };
        assert_eq!(proof.watch(five, &holder), six, "by a time alone");
        proof.fenced.guards = vec![guard];
        assert_eq!(proof.watch(five, &holder), WATCH);
        proof.fenced.confirmed_by = "ada".into();
        assert_eq!(proof.watch(five, &holder), six);
    }

    #[test]
    fn a_file_that_is_no_proof_is_told() {
        for bad in
            ["", "{}", "[]", r#"{"schema":"ims.instance/1","host":"x"}"#, r#"{"schema":"ims.fenced/1"}"#]
        {
            assert_eq!(parse(bad, Path::new("/p")).unwrap_err().exit(), ims::Exit::Usage, "{bad}");
        }
    }
}
