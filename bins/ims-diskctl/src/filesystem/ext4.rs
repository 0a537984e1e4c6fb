//! The superblock of ext4 (`fs/ext4/ext4.h` of the kernel, `struct ext4_super_block`).

use serde::{Deserialize, Serialize};

use super::number::{le16, le32, le64};
use super::{Uuid, Wrong, checksum, text};

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
    /// How many errors the kernel counted since the last check.
    pub error_count: u32,
    /// How often it was mounted to be written since then: each mount counts itself on the disk.
    pub mount_count: u16,
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

impl Superblock {
    /// Reads a superblock from its bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if le16(bytes, 0x38) != Some(MAGIC) {
            return Err(Wrong::AnotherKind);
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
            error_count: le32(bytes, 0x194)?,
            mount_count: le16(bytes, 0x34)?,
            checksum_seed,
            mmp,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::made;
    use super::*;

    /// The superblock of a file system that mkfs.ext4 makes with these options.
    fn made_with(options: &str) -> Vec<u8> {
        made(&format!("mkfs.ext4 -q -F {options}"), 16, OFFSET, LENGTH)
    }

    #[test]
    fn what_mkfs_makes_is_read() {
        const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";
        for (options, interval, has_checksums) in [
            ("-O mmp", Some(5), true),
            ("-O mmp -E mmp_update_interval=1 -b 4096", Some(1), true),
            ("-O mmp,^metadata_csum,^64bit -E mmp_update_interval=7", Some(7), false),
            ("-O ^mmp", None, true),
            ("-O mmp,metadata_csum_seed", Some(5), true),
        ] {
            let bytes = made_with(&format!("-L ims -U {UUID} {options}"));
            let found = Superblock::parse(&bytes).unwrap();
            assert_eq!((found.uuid.to_string().as_str(), found.label.as_str()), (UUID, "ims"), "{options}");
            assert_eq!(found.mmp.map(|place| place.interval_s), interval, "{options}");
            assert_eq!(found.checksum_seed.is_some(), has_checksums, "{options}");
            assert!(!found.needs_recovery && found.error_count == 0, "{options}");
        }
    }

    #[test]
    fn what_is_not_ext4_is_told_from_what_is_damaged() {
        let good = made_with("-O mmp");
        assert_eq!(Superblock::parse(&[0; LENGTH]), Err(Wrong::AnotherKind));
        assert_eq!(Superblock::parse(&good[..200]), Err(Wrong::Damaged("it is cut short")));
        for at in [0x18, 0x78, 0x168, 0x3FD] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert_eq!(
                Superblock::parse(&bytes),
                Err(Wrong::Damaged("its checksum is wrong")),
                "byte {at:#x}"
            );
        }
        let mut bytes = made_with("-O mmp,^metadata_csum");
        bytes[0x168 + 5] = 1;
        assert_eq!(Superblock::parse(&bytes), Err(Wrong::Damaged("its guard block is out of bounds")));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_they_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1100)) {
            let mut bytes = bytes;
            let _ = Superblock::parse(&bytes);
            for (at, value) in [(0x38, 0x53), (0x39, 0xEF), (0x65, 0)] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = Superblock::parse(&bytes);
        }
    }
}
