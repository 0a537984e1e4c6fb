//! Claiming a volume before it is mounted, so that of nodes that take it at the same moment one gets it.
//!
//! The kernel mounts a clean file system at once: it reads the guard, writes a number, reads that back. Two kernels that
//! do so within the same millisecond both find what they wrote, and both mount. So each of ours first signs the
//! guard, which stays clean for the kernel, lets that [`STANDS`], and mounts only if it still stands then; the last to sign
//! wins. This is Fischer's algorithm of mutual exclusion: it holds as long as nobody takes longer than [`SWIFT`] from the
//! look that found the guard free to the end of the write, which each measures itself. The same write puts the number of a
//! holder that is proven dead out of force.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ims::sys::block::{Device, Number};
use serde::{Deserialize, Serialize};

use super::mmp::{Block, Claim, Sequence, claimed};
use crate::filesystem::ext4::Superblock;

/// How long a look and the write that follows it may take together.
const SWIFT: Duration = Duration::from_millis(20);
/// How long a claim must stand before it counts: longer than anybody who looked before it may still write.
const STANDS: Duration = Duration::from_millis(30);
/// After how long the claim of another, which did not become a mount, is void: its node died in between.
const VOID: Duration = Duration::from_millis(500);

/// What is to be claimed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The device.
    pub device: PathBuf,
    /// Its number, as judged.
    pub number: Number,
    /// The guard block as judged: clean, or of a holder that is proven dead.
    pub judged: Block,
    /// For how long it must not move before.
    pub watch: Duration,
    /// The name of this node.
    pub node: String,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Claimed {
    /// The volume is ours to mount, at once.
    Ours,
    /// The guard is not as judged any more, or another claimed it; this is how it was found.
    Moved(Block),
    /// It could not be done.
    Failed(String),
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

    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        self.device.write(self.offset, bytes).map_err(|e| crate::hand::words(&e))
    }

    /// Lets time pass, then looks; gives how it is found when it is not as it was. A disk tells nobody that it was
    /// written, and what was written once stays: one look at the end sees as much as many.
    fn moved(&self, from: &Block, within: Duration) -> Result<Option<Block>, String> {
        std::thread::sleep(within);
        let (_, now) = self.read()?;
        Ok((now != *from).then_some(now))
    }

    /// Claims the volume for a node.
    pub fn claim(&self, wanted: &Wanted) -> Result<Claimed, String> {
        if let Some(now) = self.moved(&wanted.judged, wanted.watch)? {
            return Ok(Claimed::Moved(now));
        }
        let claim = Claim { node: wanted.node.clone(), number: RandomState::new().build_hasher().finish() };
        loop {
            let (_, seen) = self.read()?;
            if seen.is_claim() && self.moved(&seen, VOID)?.is_some() {
                continue;
            }
            let began = Instant::now();
            let (bytes, now) = self.read()?;
            if now != seen {
                continue;
            }
            if now.sequence() != Sequence::Clean && now != wanted.judged {
                return Ok(Claimed::Moved(now));
            }
            let bytes = claimed(&bytes, self.superblock.checksum_seed, &claim)
                .ok_or("the guard block is cut short")?;
            self.write(&bytes)?;
            // When this node stood still in between, a holder that began meanwhile may have been overwritten; it
            // writes again within its interval.
            let was_swift = began.elapsed() <= SWIFT;
            let stands = if was_swift { STANDS } else { self.interval + Duration::from_secs(1) };
            let ours = Block::parse(&bytes, self.superblock.checksum_seed)?;
            return Ok(self.moved(&ours, stands)?.map_or(Claimed::Ours, Claimed::Moved));
        }
    }
}
