//! Users of this node by their numbers, through the node's own name service.

use std::time::Duration;

use crate::Fail;
use crate::sys::exec::Line;

/// How long the name service may take; it may ask a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which of its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// passwd(5).
    Users,
    /// group(5).
    Groups,
}

/// The name of the user with that number, `None` when there is none on this node.
pub fn name(uid: u32) -> Result<Option<String>, Fail> {
    Ok(entry(Base::Users, &uid.to_string())?.map(|(name, _)| name))
}

/// The name and number of a user or group that is known by either, `None` when there is none on this node.
pub fn entry(base: Base, key: &str) -> Result<Option<(String, u32)>, Fail> {
    let (list, what) = match base {
        Base::Users => ("passwd", "user"),
        Base::Groups => ("group", "group"),
    };
    let cannot = || Fail::unknown(format!("cannot tell which {what} {key} is"));
    let ended = Line::new(["getent", list]).arg(key).run(PATIENCE).map_err(|e| cannot().because(e))?;
    match ended.status {
        Some(0) => {
            let line = String::from_utf8_lossy(&ended.stdout).into_owned();
            let mut fields = line.trim_end().split(':');
            let found = fields.next().zip(fields.nth(1).and_then(|number| number.parse().ok()));
            let (name, number) =
                found.ok_or_else(|| cannot().because(format!("getent says '{}'", line.trim_end())))?;
            Ok(Some((name.to_owned(), number)))
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
