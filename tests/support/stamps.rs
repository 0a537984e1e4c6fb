//! Writers that stamp the blocks of a volume, and the reader that finds out whether two nodes ever wrote at once.
//!
//! Each node has a region of one file, made with the file system. A stamp says who wrote it, in which session, the how
//! manieth it is, and which stamp of the other node the writer had read just before. So what came after what is told by
//! the blocks alone, and by no clock: a session that saw the other go on, or after which the other's older session went
//! on, was not alone. The reader looks at the disk and not at any file system.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::disk::Disk;
use super::must::Must;
use super::node::Node;
use super::running::Running;
use super::until;

/// The writer, in Perl: a program for every node, also of another kernel.
pub const WRITER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/stamps/writer.pl");
/// How many stamps a region holds; the last ones, when more are written.
pub const SLOTS: usize = 2048;
const SECTOR: usize = 512;
const HEAD: &str = "IMS-STAMP ";

/// Options of mkfs.ext4 which put the file for stamps into a new file system; it is emptied of what it holds by the first
/// stamps. The folder must live until the file system is made.
pub fn layout(folder: &tempfile::TempDir) -> String {
    // Not zeros, which mkfs leaves out.
    let empty = format!("{HEAD}none\n");
    let sector: Vec<u8> = empty.bytes().chain(std::iter::repeat(0)).take(SECTOR).collect();
    fs_err::write(folder.path().join("stamps"), sector.repeat(2 * SLOTS)).must("lay out a file for stamps");
    format!("-d {}", folder.path().display())
}

/// The words that start a writer for a mounted volume; region 0 is that of `mail-1`.
pub fn words(mount: &str, node: &str) -> Vec<String> {
    let (own, other) = if node == "mail-1" { ("0", "1") } else { ("1", "0") };
    let file = Path::new(mount).join("stamps").display().to_string();
    ["perl", WRITER, &file, node, own, other, &SLOTS.to_string()].map(ToOwned::to_owned).into()
}

/// Starts a writer in a node that has the volume mounted, and waits until it has written.
pub fn write(node: &Node, mount: &str) -> Running {
    // A node may not see the folder that this program was built in.
    let [_, _, arguments @ ..] = &words(mount, node.name())[..] else { unreachable!("it has arguments") };
    let program = ["perl", "-e", include_str!("stamps/writer.pl")].map(ToOwned::to_owned);
    let writer = node.spawn(program.iter().chain(arguments));
    assert!(
        writer.until_stdout(Duration::from_secs(30), |out| out.lines().count() > 2),
        "{}",
        writer.stderr()
    );
    writer
}

/// Waits until a writer has written so many more, or has stopped.
pub fn some_more(writer: &Running, count: usize) {
    let written = || writer.stdout().lines().count();
    let wanted = written() + count;
    assert!(until(Duration::from_secs(30), || written() >= wanted || !writer.is_running()));
}

/// A stamp, as it stands on the disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Who wrote it.
    pub node: String,
    /// The how manieth stamp of that node it is.
    pub number: u64,
    /// The session of that node's writer.
    pub session: String,
    /// When, by the writer's clock; for people.
    pub time: String,
    /// The last stamp of the other node that the writer had read: its session, and its number; 0 for none.
    pub saw: (String, u64),
}

impl Stamp {
    fn parse(sector: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(sector).ok()?.strip_prefix(HEAD)?;
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().map(ToOwned::to_owned);
        let (node, session, number, time) = (word()?, word()?, word()?.parse().ok()?, word()?);
        Some(Self { node, number, session, time, saw: (word()?, word()?.parse().ok()?) })
    }
}

/// Every stamp on a disk, wherever the file system has put it.
pub fn read(disk: &Disk, mib: u64) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    for part in 0..mib {
        let bytes = disk.read(part << 20, 1 << 20);
        stamps.extend(bytes.chunks(SECTOR).filter_map(Stamp::parse));
    }
    stamps.sort();
    stamps
}

/// Every place where two nodes wrote at once: none if each session was alone from its first stamp to its last.
pub fn interleavings(stamps: &[Stamp]) -> Vec<String> {
    let mut sessions: BTreeMap<&str, Vec<&Stamp>> = BTreeMap::new();
    for stamp in stamps {
        sessions.entry(&stamp.session).or_default().push(stamp);
    }
    let mut found = Vec::new();
    for of in sessions.values_mut() {
        of.sort_by_key(|stamp| stamp.number);
        let Some(first) = of.first() else { continue };
        if let Some(next) = of.iter().find(|stamp| stamp.saw != first.saw) {
            found.push(format!(
                "the other wrote between {} {} and {} (it had seen {}, and saw {})",
                first.node, first.number, next.number, first.saw.1, next.saw.1
            ));
        }
        // Whom it followed wrote no more.
        let (session, number) = &first.saw;
        let last = sessions_last(stamps, session);
        if let Some(last) = last.filter(|last| last.number > *number) {
            found.push(format!(
                "{} went on to {} (at {}) after {} had begun with {} (at {})",
                last.node, last.number, last.time, first.node, first.number, first.time
            ));
        }
    }
    found
}

fn sessions_last<'a>(stamps: &'a [Stamp], session: &str) -> Option<&'a Stamp> {
    stamps.iter().filter(|stamp| stamp.session == session).max_by_key(|stamp| stamp.number)
}

#[test]
fn two_who_wrote_at_once_are_found_by_what_each_had_seen() {
    /// Who wrote, in which session, the number, and what it had seen.
    type Row = (char, u32, u64, (u32, u64));
    let rows: [(&str, &[Row], usize); 6] = [
        ("nobody wrote", &[], 0),
        (
            "one after the other",
            &[('a', 1, 1, (0, 0)), ('a', 1, 2, (0, 0)), ('b', 2, 1, (1, 2)), ('b', 2, 2, (1, 2))],
            0,
        ),
        (
            "there and back",
            &[('a', 1, 1, (0, 0)), ('b', 2, 1, (1, 1)), ('a', 3, 2, (2, 1)), ('a', 3, 3, (2, 1))],
            0,
        ),
        // a wrote 2 while b was at it.
        (
            "one stamp in between",
            &[('a', 1, 1, (0, 0)), ('b', 2, 1, (1, 1)), ('a', 1, 2, (0, 0)), ('b', 2, 2, (1, 2))],
            2,
        ),
        // The one that thaws has seen nothing of b, and b nothing of it.
        (
            "one stamp after the end",
            &[('a', 1, 1, (0, 0)), ('b', 2, 1, (1, 1)), ('b', 2, 2, (1, 1)), ('a', 1, 2, (0, 0))],
            1,
        ),
        (
            "both from the beginning",
            &[('a', 1, 1, (0, 0)), ('b', 2, 1, (0, 0)), ('a', 1, 2, (2, 1)), ('b', 2, 2, (1, 2))],
            2,
        ),
    ];
    for (what, stamps, expected) in rows {
        let stamps: Vec<Stamp> = stamps
            .iter()
            .map(|(node, session, number, saw)| Stamp {
                node: node.to_string(),
                session: session.to_string(),
                number: *number,
                time: String::new(),
                saw: (saw.0.to_string(), saw.1),
            })
            .collect();
        let found = interleavings(&stamps);
        assert_eq!(found.len(), expected, "{what}: {found:?}");
    }
}
