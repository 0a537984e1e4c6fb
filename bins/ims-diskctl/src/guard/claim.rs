//! Claiming a volume before it is mounted, so that of nodes that take it at the same moment one gets it.
//!
//! The kernel mounts a clean file system at once: it reads the guard, writes a number, reads that back. Two kernels that
//! do so within the same millisecond both find what they wrote, and both mount. So each of ours first signs the
//! guard, which stays clean for the kernel, lets that [`STANDS`], and mounts only if it still stands then; the last to sign
//! wins. This is Fischer's algorithm of mutual exclusion: it holds as long as nobody takes longer than [`SWIFT`] from the
//! look that found the guard free to the end of the write, which each measures itself, and with it the time that its machine
//! was suspended. The same write puts the number of a holder that is proven dead out of force.
//!
//! A claim keeps the others off until the kernel has written its number, which it does after it has read the group
//! descriptors: seconds on a large and slow disk. It is void after [`VOID`]. Whoever's mount took longer does not know
//! whether another has claimed over it, and has to look.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ims::sys::block::{Device, Number};
use ims::sys::clock::Moment;
use ims::sys::file;
use ims::sys::lock::{self, Lock};
use ims::sys::process::Hurry;
use ims::{Fail, Host};
use serde::{Deserialize, Serialize};

use super::mmp::{Block, Claim, Sequence, claimed};
use crate::filesystem::checksum;
use crate::filesystem::ext4::Superblock;

/// How long a look and the write that follows it may take together: the look, and a whole revolution of a disk that makes
/// 7,200 a minute and writes through, for a place that was read a moment ago has just passed.
const SWIFT: Duration = Duration::from_micros(9_900);
/// How much of it the look may take. One that took longer is done again, as the disk has it in its memory now.
const LOOKS: Duration = Duration::from_micros(1_500);
/// How long a claim must stand before it counts. Whoever found the guard free looked before this claim's write ended, and
/// has written within [`SWIFT`] of that or watches the guard: so it need not be longer, but for clocks that run unequally,
/// which is far less than a hundredth.
const STANDS: Duration = Duration::from_millis(10);
/// After how long the claim of another, which did not become a mount, is void: its node died in between, or could not
/// mount. Less than the least that the kernel watches a holder for, and far more than most mounts take.
pub const VOID: Duration = Duration::from_secs(10);

/// How long a claim waits for its turn among those of its own node.
const TURN: Duration = Duration::from_secs(1);
/// How often the guard is read at most until that is swift.
const TRIES: u32 = 5;

/// What the claims of this boot of this machine begin with. A claim of the same node and boot is void at once: the lock
/// of the device, which each hand keeps until it ends, says that nobody here is taking it any more.
pub fn boot() -> Result<u32, Fail> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = file::read_text(path)?
        .ok_or_else(|| Fail::unknown(format!("{} is not there", path.display())).hint("is /proc mounted?"))?;
    Ok(checksum(!0, text.as_bytes()))
}

/// What is to be claimed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The device.
    pub device: PathBuf,
    /// Its number, as judged.
    pub number: Number,
    /// The guard block as judged: clean, a claim that is void, or of a holder that is proven dead.
    pub judged: Block,
    /// The name of this node.
    pub node: String,
    /// Its boot, as [`boot`] tells it.
    pub boot: u32,
    /// The file by which the claims of this node take turns.
    pub turns: PathBuf,
}

/// Where the claims of a node take turns: ten at once, each reading and writing, would make one another slow.
pub fn turns(host: &Host) -> PathBuf {
    host.path(lock::FOLDER).join("claims.lock")
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Claimed {
    /// The volume is ours to mount, at once.
    Ours,
    /// The guard is not as judged any more, or another claimed it; this is how it was found.
    Moved(Block),
    /// It could not be done, and the guard is as it was.
    Failed(String),
    /// It was written, or may have been, and what became of it cannot be told.
    HalfWay(String),
}

/// The guard of an open device.
pub struct Guard<'a> {
    /// The device.
    pub device: &'a Device,
    /// What stands on it.
    pub superblock: &'a Superblock,
    /// Where its guard block is, and how often a living holder writes it.
    pub offset: u64,
    /// The same, in seconds.
    pub interval: Duration,
}

impl Guard<'_> {
    fn read(&self) -> Result<(Vec<u8>, Block), String> {
        let length = usize::try_from(self.superblock.block_size).map_err(|e| e.to_string())?;
        let bytes = self.device.read(self.offset, length).map_err(|e| crate::hand::words(&e))?;
        let block = Block::parse(&bytes, self.superblock.checksum_seed)?;
        Ok((bytes, block))
    }

    /// Reads it, and once more while that took so long that the write would come late; nothing is written yet. Gives when
    /// the reading began, too.
    fn read_swiftly(&self) -> Result<(Moment, (Vec<u8>, Block)), String> {
        let mut tries = TRIES;
        loop {
            let began = Moment::now();
            let read = self.read()?;
            tries -= 1;
            if began.elapsed() <= LOOKS || tries == 0 {
                return Ok((began, read));
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        self.device.write(self.offset, bytes).map_err(|e| crate::hand::words(&e))
    }

    /// Claims the volume for a node. An error means that nothing was written.
    pub fn claim(&self, wanted: &Wanted) -> Result<Claimed, String> {
        let [number @ .., _, _, _, _] = RandomState::new().build_hasher().finish().to_le_bytes();
        let number = u32::from_le_bytes(number);
        let claim = Claim { node: wanted.node.clone(), boot: wanted.boot, number };
        // One that hangs on its disk does not keep the others: without a turn this one is only slower.
        let turn = Lock::take(&wanted.turns, TURN).ok();
        let hurry = Hurry::begin();
        let (began, (bytes, now)) = self.read_swiftly()?;
        let is_free = now.sequence() == Sequence::Clean && !now.is_claim();
        if now != wanted.judged && !is_free {
            return Ok(Claimed::Moved(now));
        }
        let seed = self.superblock.checksum_seed;
        let bytes = claimed(&bytes, seed, &claim).ok_or("the guard block is cut short")?;
        let ours = Block::parse(&bytes, seed)?;
        if let Err(why) = self.write(&bytes) {
            // A disk that may be read and not written has told the truth; one that does neither may have written.
            return match self.read() {
                Ok((_, still)) if still == now => Err(why),
                Ok(_) | Err(_) => Ok(Claimed::HalfWay(why)),
            };
        }
        // When this node stood still in between, a holder that began meanwhile may have been overwritten; it writes
        // again within its interval.
        let was_swift = began.elapsed() <= SWIFT;
        drop((hurry, turn));
        std::thread::sleep(if was_swift { STANDS } else { self.interval + Duration::from_secs(1) });
        Ok(match self.read() {
            Ok((_, still)) if still == ours => Claimed::Ours,
            Ok((_, now)) => Claimed::Moved(now),
            Err(why) => Claimed::HalfWay(why),
        })
    }
}
