//! Which users of a volume are to be ended. Pure.

use ims::sys::process::Process;

use crate::record::User;
use crate::users::Right;

/// Those who are to be ended: all of them. Else those who keep it, and then nobody is.
///
/// `spared` are those who are never ended, whatever is allowed: this run, what it was started from, and pid 1.
pub fn ending<'a>(
    users: &'a [(Process, User)],
    right: &Right,
    spared: &[u32],
) -> Result<Vec<Process>, Vec<&'a User>> {
    let may_be_ended = |user: &User| {
        let is_meant = match right {
            Right::Everybody => true,
            Right::Instances(_) => user.instance.is_some(),
        };
        is_meant && !spared.contains(&user.process.pid)
    };
    let kept: Vec<&User> = users.iter().map(|(_, user)| user).filter(|user| !may_be_ended(user)).collect();
    if kept.is_empty() { Ok(users.iter().map(|(process, _)| *process).collect()) } else { Err(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(pid: u32, instance: Option<&str>) -> (Process, User) {
        let process = ims::sys::mount::User { pid, command: "x".into(), since: None, uses: Vec::new() };
        let user = User { process, instance: instance.map(ToOwned::to_owned), signal: None };
        (Process { pid: i32::try_from(pid).unwrap(), began: 7 }, user)
    }

    #[test]
    fn all_who_use_it_are_ended_or_none() {
        let (stork, stranger) = (user(10, Some("stork")), user(11, None));
        let (ourselves, shell) = (user(20, None), user(21, Some("stork")));
        let instances = || Right::Instances(Vec::new());
        for (users, right, expected, what) in [
            (vec![], instances(), Ok(vec![]), "nobody"),
            (vec![stork.clone()], instances(), Ok(vec![10]), "an instance's own"),
            (vec![stork.clone(), stranger.clone()], instances(), Err(vec![11]), "a stranger keeps it"),
            (vec![stork.clone(), stranger.clone()], Right::Everybody, Ok(vec![10, 11]), "everybody"),
            (vec![stork.clone(), ourselves], Right::Everybody, Err(vec![20]), "never ourselves"),
            (vec![stork, shell], instances(), Err(vec![21]), "nor the shell that we were started from"),
        ] {
            let pids =
                |processes: Vec<Process>| processes.iter().map(|found| found.pid.unsigned_abs()).collect();
            let kept = |users: Vec<&User>| users.iter().map(|user| user.process.pid).collect();
            let got: Result<Vec<u32>, Vec<u32>> =
                ending(&users, &right, &[1, 20, 21]).map(pids).map_err(kept);
            assert_eq!(got, expected, "{what}");
        }
    }
}
