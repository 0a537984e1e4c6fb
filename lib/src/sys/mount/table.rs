//! The mount table of this process's mount namespace, `/proc/self/mountinfo` (see `proc_pid_mountinfo(5)`).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::sys::block::Number;
use crate::{Exit, Fail};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Its number in this table.
    pub id: u32,
    /// The number of the mount it stands on.
    pub parent: u32,
    /// The number of the file system, which is that of its device where it has one of its own.
    pub device: Number,
    /// The folder of the file system that is seen at `point`; `/` unless it is a bind mount.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// The options of this mount, separated by commas.
    pub options: String,
    /// Whether an unmount here reaches other mount namespaces, or one there reaches here (`shared:1`, `master:1`).
    pub peers: Vec<String>,
    /// The type of the file system.
    pub fstype: String,
    /// What it was mounted from, as its driver tells: for a file system on a device one path of that.
    pub source: PathBuf,
    /// The options of the file system, shared by all its mounts.
    pub super_options: String,
}

impl Mounted {
    /// Whether it can be written: neither this mount nor its file system is read-only. Since Linux 6.15 an ext4 that met
    /// errors says so by options of its own, beside its `rw`.
    pub fn is_writable(&self) -> bool {
        let has = |options: &str, wanted: &str| options.split(',').any(|option| option == wanted);
        let is_out_of_order = self.fstype == "ext4"
            && ["emergency_ro", "shutdown"].iter().any(|word| has(&self.super_options, word));
        has(&self.options, "rw") && has(&self.super_options, "rw") && !is_out_of_order
    }

    /// The options of this mount and of its file system, each once.
    pub fn all_options(&self) -> String {
        let mut all: Vec<&str> = Vec::new();
        for option in self.options.split(',').chain(self.super_options.split(',')) {
            if !all.contains(&option) {
                all.push(option);
            }
        }
        all.join(",")
    }

    /// The number of the peer group of a kind (`shared`, `master`) that it is in.
    pub fn group(&self, kind: &str) -> Option<u32> {
        let number = |peer: &String| peer.strip_prefix(kind)?.strip_prefix(':')?.parse().ok();
        self.peers.iter().find_map(number)
    }

    /// Whether it is a whole file system and not a folder of one: of Btrfs, a whole subvolume.
    pub fn is_whole(&self) -> bool {
        let subvolume = || self.super_options.split_once("subvol=").map(|(_, path)| Path::new(path));
        self.root == Path::new("/") || self.fstype == "btrfs" && subvolume() == Some(self.root.as_path())
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let mut text = || words.next().map(|word| String::from_utf8_lossy(word).into_owned());
        let (id, parent, device) = (text()?, text()?, text()?);
        let (root, point) = (unescaped(words.next()?), unescaped(words.next()?));
        let mut text = || words.next().map(|word| String::from_utf8_lossy(word).into_owned());
        let options = text()?;
        let mut peers = Vec::new();
        loop {
            let word = text()?;
            if word == "-" {
                break;
            }
            peers.push(word);
        }
        let fstype = text()?;
        let source = unescaped(words.next()?);
        let super_options = String::from_utf8_lossy(words.next()?).into_owned();
        Some(Self {
            id: id.parse().ok()?,
            parent: parent.parse().ok()?,
            device: device.parse().ok()?,
            root,
            point,
            options,
            peers,
            fstype,
            source,
            super_options,
        })
    }
}

/// A path without the kernel's `\040` for a space and the like.
fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    OsString::from_vec(bytes).into()
}

/// Every mount of a mount namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table(Vec<Mounted>);

impl Table {
    /// Reads this process's own table; the kernel answers from memory, so this never hangs.
    pub fn load() -> Result<Self, Fail> {
        Self::of("self")
    }

    /// Reads the table of a process, by its pid.
    pub fn of(process: &str) -> Result<Self, Fail> {
        let path = format!("/proc/{process}/mountinfo");
        let cannot = |e: &std::io::Error| Fail::io(Exit::Unknown, format!("cannot read {path}"), e);
        Self::parse(&fs_err::read(&path).map_err(|e| cannot(&e))?)
    }

    /// Reads the text of a table.
    pub fn parse(text: &[u8]) -> Result<Self, Fail> {
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                Mounted::parse(line).ok_or_else(|| {
                    let line = String::from_utf8_lossy(line).into_owned();
                    Fail::unknown(format!("not a line of a mount table: '{}'", line.escape_debug()))
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Every mount, in the order of mounting.
    pub fn iter(&self) -> impl Iterator<Item = &Mounted> {
        self.0.iter()
    }

    /// The mount of a number.
    pub fn get(&self, id: u32) -> Option<&Mounted> {
        self.0.iter().find(|mounted| mounted.id == id)
    }

    /// Where a device is mounted, in the order of mounting.
    pub fn of_device(&self, device: Number) -> impl Iterator<Item = &Mounted> {
        self.0.iter().filter(move |mounted| mounted.device == device)
    }

    /// What is seen at a path that is itself a mount point: the topmost of what is mounted there, unless something that
    /// was mounted on a folder above it later covers it.
    pub fn top_at(&self, point: &Path) -> Option<&Mounted> {
        let is_here = |mounted: &&Mounted| same(&mounted.point, point) && !self.is_covered(mounted);
        let here = || self.0.iter().filter(is_here);
        here().rfind(|mounted| here().all(|other| other.parent != mounted.id))
    }

    /// Whether a mount, or one that it stands on, cannot be reached by its path: that crosses another on the same mount
    /// before.
    fn is_covered(&self, mounted: &Mounted) -> bool {
        let covers = |other: &Mounted, below: &Mounted| {
            other.parent == below.parent
                && ![&below.point, Path::new("/")].contains(&other.point.as_path())
                && below.point.starts_with(&other.point)
        };
        let mut below = mounted;
        // Mounts that stand on each other are no more than there are.
        for _ in &self.0 {
            if self.on(below.parent).any(|other| covers(other, below)) {
                return true;
            }
            match self.get(below.parent).filter(|parent| parent.id != below.id) {
                Some(parent) => below = parent,
                None => break,
            }
        }
        false
    }

    /// What is mounted below a mount, directly.
    pub fn on(&self, mount: u32) -> impl Iterator<Item = &Mounted> {
        self.0.iter().filter(move |mounted| mounted.parent == mount && mounted.id != mount)
    }
}

fn same(one: &Path, other: &Path) -> bool {
    one.as_os_str().as_bytes() == other.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 21 8:17 / /global/ims rw,nodev - ext4 /dev/sdb1 rw,errors=remount-ro\n\
        31 21 8:33 / /with\\040space\\134x ro master:1 propagate_from:2 - ext4 /dev/sdc1 rw\n\
        32 30 0:44 / /global/ims rw - tmpfs tmpfs rw\n";

    #[test]
    fn a_mount_is_found_by_its_device_and_by_its_place() {
        let table = Table::parse(TEXT).unwrap();
        let sdb1: Vec<_> = table.of_device("8:17".parse().unwrap()).collect();
        assert_eq!((sdb1.len(), sdb1[0].point.as_path()), (1, Path::new("/global/ims")));
        assert!(sdb1[0].is_writable());
        assert_eq!(sdb1[0].all_options(), "rw,nodev,errors=remount-ro");
        let top = table.top_at(Path::new("/global/ims")).unwrap();
        assert_eq!(top.fstype, "tmpfs", "the topmost of what is mounted there");
        assert_eq!(table.on(30).count(), 1);
        let read_only = table.of_device("8:33".parse().unwrap()).next().unwrap();
        assert_eq!((read_only.point.to_str(), read_only.is_writable()), (Some("/with space\\x"), false));
        assert_eq!(read_only.peers, ["master:1", "propagate_from:2"]);
        assert_eq!(table.top_at(Path::new("/global")), None);
    }

    #[test]
    fn what_a_later_mount_on_a_folder_above_covers_is_not_seen() {
        let covered = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 8:2 / /a/b rw - ext4 /dev/sda2 rw\n\
            23 22 8:3 / /a/b/c rw - ext4 /dev/sda3 rw\n24 21 8:4 / /a rw - ext4 /dev/sda4 rw\n";
        let seen = |text: &str, point: &str| {
            let table = Table::parse(text.as_bytes()).unwrap();
            table.top_at(Path::new(point)).map(|top| top.id)
        };
        for (point, top) in [("/", Some(21)), ("/a", Some(24)), ("/a/b", None), ("/a/b/c", None)] {
            assert_eq!(seen(covered, point), top, "{point}");
        }
        let in_order = covered.replace("22 21", "22 24");
        for (point, top) in [("/a", Some(24)), ("/a/b", Some(22)), ("/a/b/c", Some(23))] {
            assert_eq!(seen(&in_order, point), top, "{point}");
        }
        let again = format!("{covered}25 24 8:2 / /a/b rw - ext4 /dev/sda2 rw\n");
        assert_eq!(seen(&again, "/a/b"), Some(25), "mounted once more, where it is seen");
    }

    #[test]
    fn an_ext4_that_met_errors_is_not_writable_though_it_says_rw() {
        for (kind, options, is_writable) in [
            ("ext4", "rw,errors=remount-ro", true),
            ("ext4", "rw,abort,emergency_ro", false),
            ("ext4", "rw,shutdown", false),
            ("ext4", "ro,emergency_ro", false),
            ("tmpfs", "rw,shutdown", true),
        ] {
            let table = Table::parse(format!("21 1 8:1 / /a rw - {kind} /dev/sda1 {options}").as_bytes());
            let is = table.unwrap().top_at(Path::new("/a")).unwrap().is_writable();
            assert_eq!(is, is_writable, "{kind} {options}");
        }
    }

    #[test]
    fn a_folder_of_a_file_system_is_not_the_whole() {
        for (line, is_whole) in [
            ("21 1 8:1 / /a rw - ext4 /dev/sda1 rw", true),
            ("21 1 8:1 /mail /a rw - ext4 /dev/sda1 rw", false),
            ("21 1 0:40 / /a rw - btrfs /dev/sda1 rw,subvolid=5,subvol=/", true),
            ("21 1 0:40 /mail /a rw - btrfs /dev/sda1 rw,subvolid=256,subvol=/mail", true),
            ("21 1 0:40 /mail/x /a rw - btrfs /dev/sda1 rw,subvolid=256,subvol=/mail", false),
        ] {
            let table = Table::parse(line.as_bytes()).unwrap();
            let mounted = table.top_at(Path::new("/a")).unwrap();
            assert_eq!(
                (mounted.is_whole(), mounted.source.as_path()),
                (is_whole, Path::new("/dev/sda1")),
                "{line}"
            );
        }
    }

    #[test]
    fn a_line_that_is_none_is_an_error_and_not_an_empty_table() {
        for bad in
            [&b"21 1 8:1 / / rw"[..], b"x", b"21 1 8:1 / / rw - ext4 /dev/sda1", b"a b c d e f - g h i"]
        {
            assert_eq!(Table::parse(bad).unwrap_err().exit(), Exit::Unknown);
        }
    }

    #[test]
    fn our_own_table_has_a_root() {
        assert!(Table::load().unwrap().top_at(Path::new("/")).is_some());
    }
}
