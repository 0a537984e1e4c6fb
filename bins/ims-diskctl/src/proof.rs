//! Whether a fencing proves that the holder of a volume writes no more.
//!
//! The proof and the last sign of life were timed by two clocks. Nodes of a cluster keep the same time, but a second
//! is granted, for the guard's own seconds are whole ones. A clock that is further off can make an old proof look
//! new: so a proof counts for a short while only, times from the future count for nothing, and the guard is watched
//! before it is cleared.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::fencing::{FOLDER, Fenced};
use ims::name::NodeName;
use ims::sys::{file, stderr};
use ims::{Fail, Host};
use jiff::{SignedDuration, Timestamp};

use crate::NAME;

/// How far two clocks of one cluster may be apart.
const APART: SignedDuration = SignedDuration::from_secs(1);
/// For how long a proof counts: the node may have come back since.
const COUNTS_FOR: SignedDuration = SignedDuration::from_mins(10);
/// For how long a guard must not move before it is cleared on a proof.
pub const WATCH: Duration = Duration::from_millis(200);

/// A proof, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it says.
    pub fenced: Fenced,
    /// The file.
    pub file: PathBuf,
    /// Whether the operator named it, so that one which does not count is an error.
    pub was_named: bool,
}

impl Proof {
    /// The proof that was named, or the one of the holder in this node's folder, if there is one.
    pub fn find(host: &Host, named: Option<&Path>, holder: Option<&str>) -> Result<Option<Self>, Fail> {
        if let Some(path) = named {
            let text = file::read_text(path)?
                .ok_or_else(|| Fail::usage(format!("{} is not there", path.display())))?;
            return Ok(Some(Self { fenced: parse(&text, path)?, file: path.to_owned(), was_named: true }));
        }
        // A holder whose name is no node name has no file here, and must not lead out of the folder.
        let Some(holder) = holder.and_then(|holder| holder.parse::<NodeName>().ok()) else { return Ok(None) };
        let path = host.path(FOLDER).join(format!("{holder}.json"));
        let found = file::read_text(&path).and_then(|text| text.map(|text| parse(&text, &path)).transpose());
        match found {
            Ok(fenced) => Ok(fenced.map(|fenced| Self { fenced, file: path, was_named: false })),
            Err(fail) => {
                stderr::say(NAME, format_args!("{fail}; it is passed over"));
                Ok(None)
            }
        }
    }

    /// Whether it proves that `holder`, whose last sign of life is given, writes no more. Else: why not.
    pub fn proves(&self, holder: &Holder<'_>, now: Timestamp) -> Result<(), String> {
        let Fenced { node, time, .. } = &self.fenced;
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
}

/// Who holds a volume.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// When it last wrote, by its clock.
    pub last_sign: Option<Timestamp>,
    /// The name of this node.
    pub us: &'a str,
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
        };
        Proof { fenced, file: "/p".into(), was_named: true }
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
            let holder = Holder { name: Some("mail-2"), last_sign, us: "mail-1" };
            let answer = proof(node, time).proves(&holder, now);
            assert_eq!(answer.is_ok(), proves, "{what}: {answer:?}");
        }
        let nobody = Holder { name: None, last_sign: None, us: "mail-1" };
        assert!(proof("mail-2", sign).proves(&nobody, now).is_err());
        let ourselves = Holder { name: Some("mail-1"), last_sign: Some(sign.parse().unwrap()), us: "mail-1" };
        assert!(proof("mail-1", "2026-11-22T10:00:03Z").proves(&ourselves, now).is_err());
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
