//! File systems as they stand on a disk, read without mounting them.

pub mod btrfs;
pub mod ext4;
pub mod xfs;

use std::fmt;

use ims::sys::block::Device;
use ims::volume::Fstype;
use serde::{Deserialize, Serialize};

/// A file system as its superblock tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Filesystem {
    /// ext4, or one of its elders.
    Ext4(ext4::Superblock),
    /// XFS.
    Xfs(xfs::Superblock),
    /// Btrfs.
    Btrfs(btrfs::Superblock),
}

/// Why bytes are no superblock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// There is no file system of this kind here.
    AnotherKind,
    /// There is one, but what it says can not be.
    Damaged(&'static str),
}

impl Filesystem {
    /// Reads what stands on a device; absent when it is none that we know.
    pub fn read(device: &Device) -> Result<Option<Self>, String> {
        let ext4 = one(device, ext4::OFFSET, ext4::LENGTH, ext4::Superblock::parse, Self::Ext4)?;
        let or_xfs = || one(device, xfs::OFFSET, xfs::LENGTH, xfs::Superblock::parse, Self::Xfs);
        let or_btrfs = || one(device, btrfs::OFFSET, btrfs::LENGTH, btrfs::Superblock::parse, Self::Btrfs);
        Ok(match ext4 {
            Some(ext4) => Some(ext4),
            None => or_xfs()?.map_or_else(or_btrfs, |xfs| Ok(Some(xfs)))?,
        })
    }

    /// Its name, as the kernel knows it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ext4(_) => "ext4",
            Self::Xfs(_) => "xfs",
            Self::Btrfs(_) => "btrfs",
        }
    }

    /// Whether what was found on a device, if anything, may be of a type; what we do not know may be any other.
    pub fn may_be(found: Option<&Self>, fstype: &Fstype) -> bool {
        match (fstype, found) {
            (Fstype::Ext4, Some(Self::Ext4(_)))
            | (Fstype::Xfs, Some(Self::Xfs(_)))
            | (Fstype::Btrfs, Some(Self::Btrfs(_)))
            | (Fstype::Other(_), None) => true,
            // Its elders have its superblock.
            (Fstype::Other(word), Some(Self::Ext4(_))) => matches!(word.as_str(), "ext2" | "ext3"),
            (Fstype::Ext4 | Fstype::Xfs | Fstype::Btrfs | Fstype::Other(_), _) => false,
        }
    }

    /// Its own number.
    pub const fn uuid(&self) -> Uuid {
        match self {
            Self::Ext4(ext4) => ext4.uuid,
            Self::Xfs(xfs) => xfs.uuid,
            Self::Btrfs(btrfs) => btrfs.uuid,
        }
    }

    /// Its label; empty when it has none.
    pub fn label(&self) -> &str {
        match self {
            Self::Ext4(ext4) => &ext4.label,
            Self::Xfs(xfs) => &xfs.label,
            Self::Btrfs(btrfs) => &btrfs.label,
        }
    }

    /// Whether what was written last waits in its journal: it is mounted somewhere, or was when its node died. Absent
    /// where the superblock does not tell.
    pub const fn needs_recovery(&self) -> Option<bool> {
        match self {
            Self::Ext4(ext4) => Some(ext4.needs_recovery),
            // Between two commits it may have none and be in use all the same.
            Self::Btrfs(btrfs) if btrfs.has_log => Some(true),
            Self::Btrfs(_) | Self::Xfs(_) => None,
        }
    }

    /// How many errors the kernel counted on it, where the superblock tells.
    pub const fn error_count(&self) -> Option<u32> {
        match self {
            Self::Ext4(ext4) => Some(ext4.error_count),
            Self::Btrfs(_) | Self::Xfs(_) => None,
        }
    }

    /// The superblock of ext4.
    pub const fn ext4(&self) -> Option<&ext4::Superblock> {
        match self {
            Self::Ext4(ext4) => Some(ext4),
            Self::Btrfs(_) | Self::Xfs(_) => None,
        }
    }
}

/// Reads one kind of superblock, once more if it looks damaged: its holder may just have been writing it.
fn one<S>(
    device: &Device,
    offset: u64,
    length: usize,
    parse: impl Fn(&[u8]) -> Result<S, Wrong>,
    of: impl Fn(S) -> Filesystem,
) -> Result<Option<Filesystem>, String> {
    let mut tries = 0;
    loop {
        let bytes = match device.read(offset, length) {
            Ok(bytes) => bytes,
            // A device that ends before has no such file system.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(e) => return Err(crate::hand::words(&e)),
        };
        tries += 1;
        match parse(&bytes) {
            Ok(superblock) => return Ok(Some(of(superblock))),
            Err(Wrong::AnotherKind) => return Ok(None),
            Err(Wrong::Damaged(_)) if tries < 2 => {}
            Err(Wrong::Damaged(why)) => return Err(format!("the superblock is damaged: {why}")),
        }
    }
}

/// Numbers at a place in a block; a place beyond its end is `None`.
pub(crate) mod number {
    /// 16 bits, big-endian.
    pub fn be16(block: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(block.get(at..at + 2)?.try_into().ok()?))
    }

    /// 32 bits, big-endian.
    pub fn be32(block: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(block.get(at..at + 4)?.try_into().ok()?))
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// The first bytes at a place of a file system of so many MiB that a command makes.
#[cfg(test)]
pub(crate) fn made(command: &str, mib: u64, offset: u64, length: usize) -> Vec<u8> {
    use std::io::{Read, Seek, SeekFrom};

    use ims::sys::exec::Line;

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(mib << 20).unwrap();
    // The tools of file systems that the tests need and the system lacks are unpacked there by tests/setup.
    let path = format!("{}:/var/lib/ims-tests/layers/sbin", std::env::var("PATH").unwrap());
    let line = Line::new(command.split_whitespace()).arg(file.path()).env("PATH", path);
    let ended = line.run(std::time::Duration::from_secs(60)).unwrap();
    assert!(ended.is_success(), "{command}: {}", ended.last_words());
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes
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
    fn what_is_not_known_may_be_any_other_type() {
        let xfs = Filesystem::Xfs(xfs::Superblock { uuid: Uuid([0; 16]), label: String::new() });
        let other = Fstype::Other("f2fs".into());
        assert!(
            Filesystem::may_be(Some(&xfs), &Fstype::Xfs) && !Filesystem::may_be(Some(&xfs), &Fstype::Ext4)
        );
        assert!(Filesystem::may_be(None, &other) && !Filesystem::may_be(Some(&xfs), &other));
        assert!(!Filesystem::may_be(None, &Fstype::Xfs));
    }

    #[test]
    fn a_field_ends_at_its_zero_and_a_place_beyond_the_block_is_none() {
        assert_eq!(text(b"mail-1\0xx", 0, 9).as_deref(), Some("mail-1"));
        assert_eq!((text(b"abc", 1, 3), number::le32(b"abc", 0)), (None, None));
    }
}
