//! The superblock of XFS (`fs/xfs/libxfs/xfs_format.h` of the kernel, `struct xfs_dsb`); its numbers are big-endian.

use serde::{Deserialize, Serialize};

use super::number::{be16, be32, le32};
use super::{Uuid, Wrong, text};

/// Where the superblock stands on the device, in bytes.
pub const OFFSET: u64 = 0;
/// How much of it is read: as long as the longest sector in use.
pub const LENGTH: usize = 4096;

const MAGIC: u32 = 0x5846_5342;
const CHECKSUM: usize = 224;

/// What a superblock says. Whether the log has to be replayed stands in the log alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superblock {
    /// The file system's own number.
    pub uuid: Uuid,
    /// Its label; empty when it has none.
    pub label: String,
}

impl Superblock {
    /// Reads a superblock from its bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if be32(bytes, 0) != Some(MAGIC) {
            return Err(Wrong::AnotherKind);
        }
        Self::fields(bytes).ok_or(Wrong::Damaged("it is cut short"))?
    }

    fn fields(bytes: &[u8]) -> Option<Result<Self, Wrong>> {
        let version = be16(bytes, 100)? & 0xF;
        let sector = usize::from(be16(bytes, 102)?);
        // Version 5 has a checksum over its sector, reckoned with zeros in its own place, and little-endian.
        if version == 5 && sector <= bytes.len() {
            let (before, after) = (bytes.get(..CHECKSUM)?, bytes.get(CHECKSUM + 4..sector)?);
            let sum = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]), after);
            if le32(bytes, CHECKSUM)? != sum {
                return Some(Err(Wrong::Damaged("its checksum is wrong")));
            }
        }
        if *bytes.get(126)? != 0 {
            return Some(Err(Wrong::Damaged("mkfs.xfs did not end")));
        }
        let uuid: [u8; 16] = bytes.get(32..48)?.try_into().ok()?;
        Some(Ok(Self { uuid: Uuid(uuid), label: text(bytes, 108, 12)? }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::made;
    use super::*;

    const UUID: &str = "123e4567-e89b-12d3-a456-426614174000";

    fn made_with(options: &str) -> Vec<u8> {
        made(&format!("mkfs.xfs -q -f -L ims -m uuid={UUID} {options}"), 320, OFFSET, LENGTH)
    }

    #[test]
    fn what_mkfs_makes_is_read() {
        for options in ["-m crc=1", "-m crc=0", "-s size=4096"] {
            let found = Superblock::parse(&made_with(options)).unwrap();
            assert_eq!((found.uuid.to_string().as_str(), found.label.as_str()), (UUID, "ims"), "{options}");
        }
    }

    #[test]
    fn what_is_not_xfs_is_told_from_what_is_damaged() {
        let good = made_with("");
        assert_eq!(Superblock::parse(&[0; LENGTH]), Err(Wrong::AnotherKind));
        assert_eq!(Superblock::parse(&good[..100]), Err(Wrong::Damaged("it is cut short")));
        for at in [4, 40, 110, 226, 500] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert_eq!(Superblock::parse(&bytes), Err(Wrong::Damaged("its checksum is wrong")), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_they_are_read_or_refused(mut bytes: Vec<u8>) {
            let _ = Superblock::parse(&bytes);
            bytes.splice(0..bytes.len().min(4), MAGIC.to_be_bytes());
            let _ = Superblock::parse(&bytes);
        }
    }
}
