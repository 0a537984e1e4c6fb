//! The superblock of ext4 (`fs/ext4/ext4.h` of the kernel, `struct ext4_super_block`).

use serde::{Deserialize, Serialize};

use super::number::{le16, le32, le64};
use super::{Uuid, checksum, text};

/// Where the superblock stands on the device, in bytes.
pub const OFFSET: u64 = 1024;
/// How long it is.
pub const LENGTH: usize = 1024;

const MAGIC: u16 = 0xEF53;
const INCOMPAT_RECOVER: u32 = 0x4;
const INCOMPAT_64BIT: u32 = 0x80;
const INCOMPAT_MMP: u32 = 0x100;
const INCOMPAT_CSUM_SEED: u32 = 0x2000;
const RO_COMPAT_METADATA_CSUM: u32 = 0x400;
const STATE_ERROR: u16 = 0x2;

/// What a superblock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superblock {
    /// The file system's own number.
    pub uuid: Uuid,
    /// Its label; empty when it has none.
    pub label: String,
    /// The size of a block, in bytes.
    pub block_size: u32,
    /// Whether the journal holds what is not in its place yet: it is mounted somewhere, or was when its node died.
    pub needs_recovery: bool,
    /// Whether the kernel found it damaged since the last check.
    pub has_errors: bool,
    /// How many errors the kernel counted since the last check.
    pub error_count: u32,
    /// What its checksums start with, if its metadata has any.
    pub checksum_seed: Option<u32>,
    /// Where its guard block stands.
    pub mmp: Option<Place>,
}

/// Where the guard block stands, and how often a living node writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// In bytes from the start of the device.
    pub offset: u64,
    /// How often a living node writes it, in seconds.
    pub interval_s: u16,
}

/// Why bytes are no superblock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// There is no ext4 here.
    NotExt4,
    /// There is one, but what it says can not be.
    Damaged(&'static str),
}

impl Superblock {
    /// Reads a superblock from its bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if le16(bytes, 0x38) != Some(MAGIC) {
            return Err(Wrong::NotExt4);
        }
        Self::fields(bytes).ok_or(Wrong::Damaged("it is cut short"))?
    }

    fn fields(bytes: &[u8]) -> Option<Result<Self, Wrong>> {
        let (incompat, ro_compat) = (le32(bytes, 0x60)?, le32(bytes, 0x64)?);
        let uuid: [u8; 16] = bytes.get(0x68..0x78)?.try_into().ok()?;
        let has_checksums = ro_compat & RO_COMPAT_METADATA_CSUM != 0;
        if has_checksums && le32(bytes, 0x3FC)? != checksum(!0, bytes.get(..0x3FC)?) {
            return Some(Err(Wrong::Damaged("its checksum is wrong")));
        }
        let checksum_seed = if !has_checksums {
            None
        } else if incompat & INCOMPAT_CSUM_SEED != 0 {
            Some(le32(bytes, 0x270)?)
        } else {
            Some(checksum(!0, &uuid))
        };
        let log_block_size = le32(bytes, 0x18)?;
        if log_block_size > 6 {
            return Some(Err(Wrong::Damaged("its blocks are larger than 64 KiB")));
        }
        let block_size = 1024u32 << log_block_size;
        let mmp = if incompat & INCOMPAT_MMP == 0 {
            None
        } else {
            let high = if incompat & INCOMPAT_64BIT == 0 { 0 } else { le32(bytes, 0x150)? };
            let blocks = u64::from(high) << 32 | u64::from(le32(bytes, 0x04)?);
            let block = le64(bytes, 0x168)?;
            let offset = block.checked_mul(block_size.into());
            match offset.filter(|_| block > u64::from(le32(bytes, 0x14).unwrap_or(0)) && block < blocks) {
                // Without a value of its own the kernel takes 5 s (EXT4_MMP_UPDATE_INTERVAL).
                Some(offset) => {
                    let interval_s = le16(bytes, 0x166).filter(|interval| *interval > 0).unwrap_or(5);
                    Some(Place { offset, interval_s })
                }
                None => return Some(Err(Wrong::Damaged("its guard block is out of bounds"))),
            }
        };
        Some(Ok(Self {
            uuid: Uuid(uuid),
            label: text(bytes, 0x78, 16)?,
            block_size,
            needs_recovery: incompat & INCOMPAT_RECOVER != 0,
            has_errors: le16(bytes, 0x3A)? & STATE_ERROR != 0,
            error_count: le32(bytes, 0x194)?,
            checksum_seed,
            mmp,
        }))
    }
}
