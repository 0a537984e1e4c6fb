//! Multiple mount protection of ext4 (`fs/ext4/mmp.c` of the kernel, `struct mmp_struct`).
//!
//! A node that has the file system mounted counts a sequence up in one block, every `interval_s`. A node that wants
//! to mount finds the block clean, or watches it for so long that a living holder would have written.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::filesystem::number::{le16, le32, le64};
use crate::filesystem::{checksum, text};

/// How much of the block is the guard's.
pub const LENGTH: usize = 1024;

const MAGIC: u32 = 0x004D_4D50;
const CLEAN: u32 = 0xFF4D_4D50;
const FSCK: u32 = 0xE24D_4D50;
/// The kernel waits as if the interval were at least this (`EXT4_MMP_MIN_CHECK_INTERVAL`), in seconds.
const SHORTEST_CHECK: u16 = 5;
const CHECKSUM: usize = 1020;

/// What the sequence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// The last holder unmounted.
    Clean,
    /// A checker has it, or had it when its node died.
    Fsck,
    /// A node has it mounted, or had it when it died.
    Held(u32),
}

/// What a guard block says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    sequence: u32,
    /// When it was last written, by the clock of the node that wrote it, in seconds since 1970.
    pub time: u64,
    /// The name of the node that wrote it last, as its kernel was named.
    pub node: String,
    /// The name that the device has there.
    pub device: String,
    /// How long the holder lets a newcomer watch for at least, in seconds.
    pub check_interval_s: u16,
}

impl Block {
    /// Reads a guard block from its bytes, with the checksum's seed if the file system has checksums.
    pub fn parse(bytes: &[u8], seed: Option<u32>) -> Result<Self, &'static str> {
        if le32(bytes, 0) != Some(MAGIC) {
            return Err("it is no guard block");
        }
        if let Some(seed) = seed {
            let body = bytes.get(..CHECKSUM).ok_or("it is cut short")?;
            if le32(bytes, CHECKSUM) != Some(checksum(seed, body)) {
                return Err("its checksum is wrong");
            }
        }
        Self::fields(bytes).ok_or("it is cut short")
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            sequence: le32(bytes, 4)?,
            time: le64(bytes, 8)?,
            node: text(bytes, 16, 64)?,
            device: text(bytes, 80, 32)?,
            check_interval_s: le16(bytes, 112)?,
        })
    }

    /// What its sequence says.
    pub const fn sequence(&self) -> Sequence {
        match self.sequence {
            CLEAN => Sequence::Clean,
            FSCK => Sequence::Fsck,
            held => Sequence::Held(held),
        }
    }

    /// The number in its sequence, whatever it means.
    pub const fn number(&self) -> u32 {
        self.sequence
    }

    /// When it was last written, by the clock of the node that wrote it.
    pub fn last_sign(&self) -> Option<Timestamp> {
        i64::try_from(self.time).ok().and_then(|time| Timestamp::from_second(time).ok())
    }

    /// How long the kernel watches before it mounts, in two halves of which it writes only after the first.
    pub fn wait(&self, interval_s: u16) -> Duration {
        match self.sequence() {
            Sequence::Clean | Sequence::Fsck => Duration::ZERO,
            Sequence::Held(_) => {
                let check = u64::from(interval_s.max(SHORTEST_CHECK).max(self.check_interval_s));
                Duration::from_secs(2 * (check * 2 + 1).min(check + 60))
            }
        }
    }
}

/// The bytes of a guard block made clean, all else as it was.
pub fn cleared(bytes: &[u8], seed: Option<u32>) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    bytes.get_mut(4..8)?.copy_from_slice(&CLEAN.to_le_bytes());
    if let Some(seed) = seed {
        let sum = checksum(seed, bytes.get(..CHECKSUM)?);
        bytes.get_mut(CHECKSUM..CHECKSUM + 4)?.copy_from_slice(&sum.to_le_bytes());
    }
    Some(bytes)
}
