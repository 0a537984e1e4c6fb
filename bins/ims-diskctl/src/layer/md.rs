//! Linux' software RAID: an array by its name (mdadm(8), md(4)).
//!
//! Nothing in an array says which node has it, so it is assembled so that the kernel writes nothing to it until somebody
//! writes to the device (`read-auto`): the guard of what stands on it can be read and judged first.

use std::path::Path;

use ims::Fail;
use ims::sys::exec::Line;

use super::tools::Tools;
use super::{Sight, Standing};

/// An array as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    path: String,
    /// Its UUID, as mdadm writes it.
    uuid: String,
    /// The disks that have a part of it; none is told of one that is assembled.
    disks: Vec<String>,
    /// What the kernel says of it; absent when it is not assembled.
    kernel: Option<Kernel>,
}

/// What the kernel says of an assembled array, in `/sys/class/block/mdN/md`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kernel {
    /// Its device, such as `/dev/md127`.
    device: String,
    /// `array_state`.
    state: String,
    /// `degraded`.
    missing: u32,
    /// `raid_disks`.
    disks: u32,
}

/// Looks at an array.
pub fn look(path: &str, tools: &mut Tools<'_>) -> Result<Array, Fail> {
    let name = path.trim_start_matches("/dev/md/");
    let active = tools.must(&Line::new(["mdadm", "--detail", "--scan"]))?;
    if let Some(Known { device, uuid, disks }) = arrays(&active.stdout, name).into_iter().next() {
        return Ok(Array { path: path.to_owned(), uuid, disks, kernel: Some(kernel(&device)?) });
    }
    let seen = tools.run(&Line::new(["mdadm", "--examine", "--scan", "--verbose", "--config=partitions"]))?;
    let mut found = arrays(&seen.stdout, name).into_iter();
    match (found.next(), found.next()) {
        (Some(Known { uuid, disks, .. }), None) => {
            Ok(Array { path: path.to_owned(), uuid, disks, kernel: None })
        }
        (None, _) => Err(Fail::unknown(format!("no disk here has a part of an array {name}"))
            .hint("are its disks attached to this node? mdadm --examine --scan lists them")),
        (Some(one), Some(other)) => Err(Fail::refused(format!("there are two arrays {name}"))
            .because(format!("{} and {}", one.uuid, other.uuid))
            .hint("rename one: mdadm --assemble --update=name")),
    }
}

/// An array as mdadm lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    device: String,
    uuid: String,
    disks: Vec<String>,
}

/// The arrays of that name in mdadm's lines `ARRAY DEVICE … UUID=… name=HOST:NAME devices=…`; a line that begins with a space
/// goes on with the one before.
fn arrays(text: &str, name: &str) -> Vec<Known> {
    let named = |word: &&str| {
        word.strip_prefix("name=")
            .is_some_and(|full| full.rsplit_once(':').map_or(full, |(_, name)| name) == name)
    };
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_array = words.first().is_some_and(|word| matches!(*word, "ARRAY" | "INACTIVE-ARRAY"));
        let uuid = words.iter().find_map(|word| word.strip_prefix("UUID="))?;
        words.iter().find(|word| named(word)).filter(|_| is_array)?;
        let disks = words.iter().find_map(|word| word.strip_prefix("devices=")).unwrap_or_default();
        Some(Known {
            device: (*words.get(1)?).to_owned(),
            uuid: uuid.to_owned(),
            disks: disks.split(',').filter(|disk| !disk.is_empty()).map(ToOwned::to_owned).collect(),
        })
    };
    text.replace("\n ", " ").lines().filter_map(one).collect()
}

/// Asks the kernel, which answers from memory.
fn kernel(device: &str) -> Result<Kernel, Fail> {
    let cannot =
        |e: &std::io::Error| Fail::io(ims::Exit::Unknown, format!("cannot tell the state of {device}"), e);
    let node = fs_err::canonicalize(device).map_err(|e| cannot(&e))?;
    let name = node.file_name().unwrap_or_default();
    let folder = Path::new("/sys/class/block").join(name).join("md");
    let read = |file: &str| {
        fs_err::read_to_string(folder.join(file)).map(|text| text.trim().to_owned()).map_err(|e| cannot(&e))
    };
    // A file that only arrays with redundancy have.
    let missing = read("degraded").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let disks = read("raid_disks")?.parse().unwrap_or(0);
    Ok(Kernel { device: node.display().to_string(), state: read("array_state")?, missing, disks })
}

impl Sight for Array {
    fn standing(&self) -> Standing {
        match self.kernel.as_ref().map(|kernel| kernel.state.as_str()) {
            None | Some("clear") => Standing::Free,
            Some("clean" | "active" | "active-idle" | "write-pending" | "read-auto") => Standing::Active,
            Some(_) => Standing::Partly,
        }
    }

    fn is_guard(&self) -> bool {
        false
    }

    fn missing(&self) -> u32 {
        self.kernel.as_ref().map_or(0, |kernel| kernel.missing)
    }

    fn why(&self) -> Option<String> {
        let kernel = self.kernel.as_ref()?;
        match (self.standing(), kernel.missing) {
            (Standing::Partly, _) => Some(format!("{} is {}", kernel.device, kernel.state)),
            (_, missing) if missing > 0 => {
                Some(format!("{missing} of its {} legs are missing", kernel.disks))
            }
            _ => None,
        }
    }

    fn up(&self, degraded: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        match self.kernel.as_ref().map(|kernel| kernel.state.as_str()) {
            None => {
                // Whoever names its disks is told when there are fewer than the array had last, and those may be stale;
                // who names none has it started with whatever there is.
                let uuid = format!("--uuid={}", self.uuid);
                let fixed = ["mdadm", "--assemble", &self.path, "--readonly", "--config=none", &uuid];
                let assemble = self.disks.iter().fold(Line::new(fixed), Line::arg);
                lines.push(if degraded { assemble.arg("--run") } else { assemble });
            }
            // To be made writable would start it, with whatever legs it has.
            Some("inactive") => return self.down(),
            Some(_) => {}
        }
        let script = r#"echo read-auto >"/sys/class/block/$(basename "$(readlink -f "$1")")/md/array_state""#;
        lines.push(Line::new(["sh", "-c", script, "sh", &self.path]));
        lines
    }

    fn down(&self) -> Vec<Line> {
        self.kernel.iter().map(|kernel| Line::new(["mdadm", "--stop", &kernel.device])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_found_by_its_name_whatever_its_host() {
        let examined = include_str!("../../../../tests/data/layers/mdadm/examine-scan.txt");
        let found = arrays(examined, "ims");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].device.as_str(), found[0].uuid.len()), ("/dev/md/ims", 35));
        assert_eq!(found[0].disks, ["/dev/ubdb", "/dev/ubda"]);
        assert_eq!(arrays(examined, "other"), []);
    }

    #[test]
    fn an_array_stands_as_its_kernel_says() {
        let array = |state: Option<&str>| Array {
            path: "/dev/md/ims".into(),
            uuid: "a:b:c:d".into(),
            disks: vec!["/dev/sda".into(), "/dev/sdb".into()],
            kernel: state.map(|state| Kernel {
                device: "/dev/md127".into(),
                state: state.into(),
                missing: 1,
                disks: 2,
            }),
        };
        for (state, standing, lines) in [
            (None, Standing::Free, 0),
            (Some("read-auto"), Standing::Active, 1),
            (Some("clean"), Standing::Active, 1),
            (Some("inactive"), Standing::Partly, 1),
            (Some("readonly"), Standing::Partly, 1),
        ] {
            assert_eq!((array(state).standing(), array(state).down().len()), (standing, lines), "{state:?}");
        }
        let up: Vec<String> = array(None).up(true).iter().map(ToString::to_string).collect();
        assert_eq!(
            up[0],
            "mdadm --assemble /dev/md/ims --readonly --config=none --uuid=a:b:c:d /dev/sda /dev/sdb --run"
        );
        let up: Vec<String> = array(Some("inactive")).up(false).iter().map(ToString::to_string).collect();
        assert_eq!(up, ["mdadm --stop /dev/md127"], "it is assembled anew");
        assert_eq!(array(Some("clean")).why().unwrap(), "1 of its 2 legs are missing");
    }
}
