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

    /// Whether a node is about to mount: it is clean, and signed with a claim.
    pub fn is_claim(&self) -> bool {
        self.device.starts_with(CLAIM)
    }

    /// Whether that claim is of this node, made since it was booted.
    pub fn is_claim_of(&self, node: &str, boot: u32) -> bool {
        self.node == node && self.device.starts_with(&format!("{CLAIM}{boot:08x}"))
    }

    /// Whether the same node wrote both, by the same name of the device.
    pub fn is_signed_like(&self, other: &Self) -> bool {
        (&self.node, &self.device) == (&other.node, &other.device)
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

/// The bytes of a guard block with a claim: clean for the kernel, and signed by the node that is about to mount.
///
/// The kernel overwrites both names when it has mounted, so a claim never outlives the mount that it was for.
pub fn claimed(bytes: &[u8], seed: Option<u32>, claim: &Claim) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    bytes.get_mut(4..8)?.copy_from_slice(&CLEAN.to_le_bytes());
    bytes.get_mut(8..16)?.copy_from_slice(&now.to_le_bytes());
    put(bytes.get_mut(16..80)?, &claim.node);
    put(bytes.get_mut(80..112)?, &format!("{CLAIM}{:08x}{:08x}", claim.boot, claim.number));
    if let Some(seed) = seed {
        let sum = checksum(seed, bytes.get(..CHECKSUM)?);
        bytes.get_mut(CHECKSUM..CHECKSUM + 4)?.copy_from_slice(&sum.to_le_bytes());
    }
    Some(bytes)
}

fn put(field: &mut [u8], text: &str) {
    let bytes = text.as_bytes().iter().chain(std::iter::repeat(&0));
    field.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

/// What stands in front of a claim's number, where the kernel has the name of a device.
const CLAIM: &str = "ims-claim:";

/// A claim of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name of the node.
    pub node: String,
    /// What is the same for every claim of one boot of one machine.
    pub boot: u32,
    /// A number at random, so that no two are the same.
    pub number: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A block as the kernel writes it, of a holder that counted up to 7.
    fn held(seed: Option<u32>) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&7u32.to_le_bytes());
        bytes[8..16].copy_from_slice(&1_795_373_136u64.to_le_bytes());
        put(&mut bytes[16..80], "mail-1");
        put(&mut bytes[80..112], "sdb1");
        bytes[112..114].copy_from_slice(&5u16.to_le_bytes());
        if let Some(seed) = seed {
            let sum = checksum(seed, &bytes[..CHECKSUM]);
            bytes[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn a_held_block_names_its_holder_and_its_time() {
        let block = Block::parse(&held(Some(42)), Some(42)).unwrap();
        assert_eq!(
            (block.sequence(), block.node.as_str(), block.device.as_str()),
            (Sequence::Held(7), "mail-1", "sdb1")
        );
        assert_eq!(block.last_sign().unwrap().to_string(), "2026-11-22T18:45:36Z");
        assert!(!block.is_claim());
    }

    #[test]
    fn a_claim_is_clean_and_names_who_claims() {
        for seed in [None, Some(42)] {
            let claim = Claim { node: "mail-2".into(), boot: 0xb007, number: 0xabc };
            let bytes = claimed(&held(seed), seed, &claim).unwrap();
            let block = Block::parse(&bytes, seed).unwrap();
            assert_eq!(
                (block.sequence(), block.node.as_str(), block.is_claim()),
                (Sequence::Clean, "mail-2", true)
            );
            assert_eq!(block.device, "ims-claim:0000b00700000abc");
            assert!(block.is_claim_of("mail-2", 0xb007));
            assert!(!block.is_claim_of("mail-1", 0xb007) && !block.is_claim_of("mail-2", 0xb008));
            assert_eq!(block.check_interval_s, 5, "all else is as it was");
        }
    }

    #[test]
    fn the_wait_is_the_kernels() {
        for (interval, check, seconds) in
            [(1, 0, 22), (1, 5, 22), (5, 0, 22), (5, 10, 42), (30, 0, 122), (300, 300, 720)]
        {
            let mut bytes = held(None);
            bytes[112..114].copy_from_slice(&u16::to_le_bytes(check));
            let block = Block::parse(&bytes, None).unwrap();
            assert_eq!(
                block.wait(interval),
                Duration::from_secs(seconds),
                "interval {interval}, check {check}"
            );
        }
    }

    #[test]
    fn a_block_with_one_wrong_bit_is_none() {
        for at in [0, 5, 20, 900, 1022] {
            let mut bytes = held(Some(42));
            bytes[at] ^= 1;
            assert!(Block::parse(&bytes, Some(42)).is_err(), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_they_are_read_or_refused(bytes: Vec<u8>, seed: Option<u32>) {
            let _ = Block::parse(&bytes, seed);
            let mut bytes = bytes;
            bytes.splice(0..bytes.len().min(4), MAGIC.to_le_bytes());
            if let Ok(block) = Block::parse(&bytes, None) {
                let _ = (block.wait(u16::MAX), block.last_sign(), block.sequence());
            }
            let _ = claimed(&bytes, seed, &Claim { node: "x".repeat(99), boot: 1, number: 1 });
        }
    }
}
