//! The type `Application`, whose programs are command lines: what a group file calls a command.
//!
//! VCS takes 0 and 110 of a `MonitorProgram` for online, 101 to 109 for online with less confidence, 1 and 100 for
//! offline, and anything else for unknown (Generic Application Agent guide). A group file's monitor says 0 for up.

use super::attributes::Attributes;
use crate::import::{DraftResource, RemarkKind, Value};

/// Turns the statuses of a `MonitorProgram` into those of a group file's monitor.
const TO_OURS: &str = "; case $? in 0|10[1-9]|110) exit 0;; 1|100) exit 1;; *) exit 3;; esac";

/// Turns statuses of a monitor into those of a `MonitorProgram`, so that no other one means online.
pub fn to_theirs(line: &str, online: &str, offline: &[i32]) -> String {
    let down: Vec<String> = offline.iter().filter(|status| **status > 0).map(ToString::to_string).collect();
    let down = if down.is_empty() { String::new() } else { format!("{}) exit 1;; ", down.join("|")) };
    shell(&format!("{line}; case $? in {online}) exit 0;; {down}*) exit 99;; esac"))
}

fn shell(script: &str) -> String {
    ims::sys::exec::Line::new(["/bin/sh", "-c", script]).to_string()
}

/// Reads an `Application` as a command; says what is missing when it cannot be one.
pub fn read(of: &mut Attributes<'_>, into: &mut DraftResource) -> Result<(), String> {
    let user = of.text("User").filter(|user| user != "root");
    let mut program = |name: &str| of.text(name).ok_or_else(|| format!("it has no {name}"));
    let (start, stop) = (program("StartProgram")?, program("StopProgram")?);
    let monitor = program("MonitorProgram").map_err(|none| {
        format!("{none}, and a group file knows no monitoring by PidFiles or MonitorProcesses")
    })?;
    let as_user = |words: Vec<String>, line: &str| match &user {
        Some(user) => ["su", "-", user, "-c", line].map(ToOwned::to_owned).to_vec(),
        None => words,
    };
    into.set("start", Value::Texts(as_user(words(&start), &start)));
    into.set("stop", Value::Texts(as_user(words(&stop), &stop)));
    let script = format!("{monitor}{TO_OURS}");
    into.set("monitor", Value::Texts(as_user(in_shell(&script), &script)));
    of.tell(
        RemarkKind::Changed,
        "a shell turns the statuses of its MonitorProgram into those of a group file's monitor",
    );
    if let Some(user) = user {
        of.tell(RemarkKind::Changed, format!("its programs run as {user} by su"));
    }
    of.lost("CleanProgram", "a stop that fails is told; write what must be killed into the stop command");
    Ok(())
}

fn in_shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec()
}

/// A command line as words; one that a shell would read otherwise than word by word is left to a shell.
fn words(line: &str) -> Vec<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+ \t".contains(c);
    let words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
    let assigns = words.first().is_some_and(|first| first.contains('='));
    if line.chars().all(is_plain) && !assigns { words } else { in_shell(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_shell_reads_is_left_to_one() {
        assert_eq!(words("/opt/x start -n 3"), ["/opt/x", "start", "-n", "3"]);
        for shells in ["/opt/x 'a b'", "A=1 /opt/x", "/opt/x > /dev/null", "/opt/x $HOME"] {
            assert_eq!(words(shells), ["/bin/sh", "-c", shells]);
        }
    }

    #[test]
    fn no_other_status_of_a_monitor_means_online_to_vcs() {
        assert_eq!(
            to_theirs("/opt/x monitor", "0", &[1, 3]),
            "/bin/sh -c '/opt/x monitor; case $? in 0) exit 0;; 1|3) exit 1;; *) exit 99;; esac'"
        );
    }
}
