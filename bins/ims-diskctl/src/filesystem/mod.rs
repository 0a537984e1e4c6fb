//! File systems as they stand on a disk, read without mounting them.

pub mod ext4;

use std::fmt;

/// Little-endian numbers at a place in a block; a place beyond its end is `None`.
pub(crate) mod number {
    /// 16 bits.
    pub fn le16(block: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(block.get(at..at + 2)?.try_into().ok()?))
    }

    /// 32 bits.
    pub fn le32(block: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(block.get(at..at + 4)?.try_into().ok()?))
    }

    /// 64 bits.
    pub fn le64(block: &[u8], at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(block.get(at..at + 8)?.try_into().ok()?))
    }
}

/// Text in a field of a block, up to the first zero byte; what is not UTF-8 is replaced.
pub(crate) fn text(block: &[u8], at: usize, length: usize) -> Option<String> {
    let field = block.get(at..at + length)?;
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
    Some(String::from_utf8_lossy(field.get(..end)?).into_owned())
}

/// The checksum of ext4's metadata: CRC-32C without the usual inversions, from a seed.
pub(crate) fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

/// A UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_as_everywhere() {
        let uuid = Uuid([
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0,
        ]);
        assert_eq!(uuid.to_string(), "123e4567-e89b-12d3-a456-426614174000");
    }

    #[test]
    fn a_field_ends_at_its_zero_and_a_place_beyond_the_block_is_none() {
        assert_eq!(text(b"mail-1\0xx", 0, 9).as_deref(), Some("mail-1"));
        assert_eq!((text(b"abc", 1, 3), number::le32(b"abc", 0)), (None, None));
    }
}
