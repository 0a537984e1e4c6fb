//! Users of this node by their numbers, through the node's own name service.

use std::time::Duration;

use crate::Fail;
use crate::sys::exec::Line;

/// How long the name service may take; it may ask a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name of the user with that number, `None` when there is none on this node.
pub fn name(uid: u32) -> Result<Option<String>, Fail> {
    let cannot = || Fail::unknown(format!("cannot tell who has the uid {uid}"));
    let ended = Line::new(["getent", "passwd"])
        .arg(uid.to_string())
        .run(PATIENCE)
        .map_err(|e| cannot().because(e))?;
    match ended.status {
        Some(0) => {
            let line = String::from_utf8_lossy(&ended.stdout).into_owned();
            Ok(line.split(':').next().map(ToOwned::to_owned))
        }
        Some(2) => Ok(None), // getent(1): not found
        Some(_) | None => Err(cannot().because(format!("getent: {}", ended.last_words()))),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_user_is_known_by_the_number_or_not_at_all() {
        assert_eq!(name(0).unwrap().as_deref(), Some("root"));
        assert_eq!(name(3_999_999_999).unwrap(), None);
    }
}
