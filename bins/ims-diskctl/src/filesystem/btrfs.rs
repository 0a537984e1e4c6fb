//! The superblock of Btrfs (`include/uapi/linux/btrfs_tree.h` of the kernel, `struct btrfs_super_block`), as it stands on each
//! of its devices.

use serde::{Deserialize, Serialize};

use super::number::{le16, le32, le64};
use super::{Uuid, Wrong, text};

/// Where the first superblock stands on a device, in bytes.
pub const OFFSET: u64 = 64 * 1024;
/// How long it is.
pub const LENGTH: usize = 4096;

const MAGIC: &[u8] = b"_BHRfS_M";
/// The checksum is the first 32 bytes, over all that follows.
const CHECKED: usize = 0x20;
/// The kind of checksum that we can reckon: CRC-32C. The others the kernel checks.
const CRC32C: u16 = 0;

/// What the superblock of one device says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superblock {
    /// The file system's own number, the same on all its devices.
    pub uuid: Uuid,
    /// Its label; empty when it has none.
    pub label: String,
    /// The number that each commit counts up; a device that missed commits is behind.
    pub generation: u64,
    /// How many devices it has.
    pub devices: u64,
    /// The number of this device among them, from 1.
    pub device: u64,
    /// How long this device is, in bytes.
    pub length: u64,
    /// This device's own number.
    pub device_uuid: Uuid,
    /// Whether what was written since the last commit is in its log, to be replayed.
    pub has_log: bool,
}

impl Superblock {
    /// Reads a superblock from its bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if bytes.get(0x40..0x48) != Some(MAGIC) {
            return Err(Wrong::AnotherKind);
        }
        Self::fields(bytes).ok_or(Wrong::Damaged("it is cut short"))?
    }

    fn fields(bytes: &[u8]) -> Option<Result<Self, Wrong>> {
        let body = bytes.get(CHECKED..LENGTH)?;
        if le16(bytes, 0xC4)? == CRC32C && le32(bytes, 0)? != crc32c::crc32c(body) {
            return Some(Err(Wrong::Damaged("its checksum is wrong")));
        }
        let uuid = |at: usize| Some(Uuid(bytes.get(at..at + 16)?.try_into().ok()?));
        Some(Ok(Self {
            uuid: uuid(0x20)?,
            label: text(bytes, 0x12B, 256)?,
            generation: le64(bytes, 0x48)?,
            devices: le64(bytes, 0x88)?,
            device: le64(bytes, 0xC9)?,
            length: le64(bytes, 0xD1)?,
            device_uuid: uuid(0x10B)?,
            has_log: le64(bytes, 0x60)? != 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::made;
    use super::*;

    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

    fn made_with(options: &str) -> Vec<u8> {
        made(&format!("mkfs.btrfs -q -f -L ims -U {UUID} {options}"), 128, OFFSET, LENGTH)
    }

    #[test]
    fn what_mkfs_makes_is_read() {
        for options in ["", "--csum xxhash"] {
            let found = Superblock::parse(&made_with(options)).unwrap();
            assert_eq!((found.uuid.to_string().as_str(), found.label.as_str()), (UUID, "ims"), "{options}");
            assert_eq!((found.devices, found.device, found.has_log), (1, 1, false), "{options}");
            assert!(found.generation > 0 && found.device_uuid != found.uuid, "{options}");
        }
    }

    #[test]
    fn what_is_not_btrfs_is_told_from_what_is_damaged() {
        let good = made_with("");
        assert_eq!(Superblock::parse(&[0; LENGTH]), Err(Wrong::AnotherKind));
        assert_eq!(Superblock::parse(&good[..1000]), Err(Wrong::Damaged("it is cut short")));
        for at in [0, 0x20, 0x48, 0x12B, 4000] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert_eq!(
                Superblock::parse(&bytes),
                Err(Wrong::Damaged("its checksum is wrong")),
                "byte {at:#x}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_they_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..4200)) {
            let mut bytes = bytes;
            let _ = Superblock::parse(&bytes);
            if let Some(magic) = bytes.get_mut(0x40..0x48) {
                magic.copy_from_slice(MAGIC);
            }
            let _ = Superblock::parse(&bytes);
        }
    }
}
