//! The tree of roots of a Btrfs, as one leg of a mirror of two has it: what tells legs that are alike from legs that were
//! written apart, however many commits each has seen.
//!
//! Legs that were written apart may have the same generation and the same places of their roots, for the file system puts
//! them down in the same way. The tree of roots has the time of the last change of each subvolume in it, to the nanosecond.
//! Blocks, keys and items: `include/uapi/linux/btrfs_tree.h` of the kernel.

use std::collections::VecDeque;
use std::io;

use crate::filesystem::number::{le16, le32, le64};

/// The most blocks that are read; a tree of roots is far smaller.
const MOST: usize = 512;
/// Kinds of chunks whose stripes are each a whole copy: on one place, or mirrored.
const STRIPED: u64 = 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8; // RAID0, RAID10, RAID5, RAID6
/// The header of a block, and what follows it: a key with a place and a length, or a key with a block.
const HEADER: usize = 101;
const ITEM: usize = 25;
const POINTER: usize = 33;
const KEY: usize = 17;
/// A chunk's item: its head, and what each of its stripes takes.
const CHUNK: usize = 48;
const STRIPE: usize = 32;
const CHUNK_ITEM: u8 = 228;

/// A run of logical addresses, and where it stands on this leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    logical: u64,
    length: u64,
    physical: u64,
}

/// A checksum of all blocks of the tree of roots; `read` gives so many bytes at a place of the leg.
///
/// None where this leg does not have a whole copy of it, or what stands there is no such tree.
pub fn digest(
    superblock: &[u8],
    read: &dyn Fn(u64, usize) -> io::Result<Vec<u8>>,
) -> io::Result<Option<u32>> {
    let (Some(root), Some(chunks), Some(size), Some(leg)) =
        (le64(superblock, 0x50), le64(superblock, 0x58), le32(superblock, 0x94), le64(superblock, 0xC9))
    else {
        return Ok(None);
    };
    let size = usize::try_from(size).unwrap_or(0);
    if !(4096..=65536).contains(&size) {
        return Ok(None);
    }
    let array = le32(superblock, 0xA0).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut runs = system_runs(superblock.get(0x32B..0x32B + array.min(2048)).unwrap_or_default(), leg);
    let mut found = Vec::new();
    let walk = |block: u64, runs: &[Run], see: &mut dyn FnMut(&[u8])| walk(block, size, runs, read, see);
    if !walk(chunks, &runs, &mut |block| found.extend(runs_of(block, leg)))? {
        return Ok(None);
    }
    runs.extend(found);
    let mut sum = 0;
    // Each block begins with its checksum, of whatever kind.
    let is_whole = walk(root, &runs, &mut |block| {
        sum = crc32c::crc32c_append(sum, block.get(..32).unwrap_or_default());
    })?;
    Ok(is_whole.then_some(sum))
}

/// Shows each block of a tree; says whether all of them could be found.
fn walk(
    root: u64,
    size: usize,
    runs: &[Run],
    read: &dyn Fn(u64, usize) -> io::Result<Vec<u8>>,
    see: &mut dyn FnMut(&[u8]),
) -> io::Result<bool> {
    let mut left = VecDeque::from([root]);
    let mut count = 0;
    while let Some(logical) = left.pop_front() {
        let run = runs.iter().find(|run| run.logical <= logical && logical - run.logical < run.length);
        let place = run.and_then(|run| run.physical.checked_add(logical - run.logical));
        count += 1;
        let Some(place) = place.filter(|_| count <= MOST) else { return Ok(false) };
        let block = read(place, size)?;
        if le64(&block, 48) != Some(logical) {
            return Ok(false);
        }
        see(&block);
        if block.get(100).is_some_and(|level| *level > 0) {
            let items = usize::try_from(le32(&block, 96).unwrap_or(0)).unwrap_or(0).min(size / POINTER);
            left.extend((0..items).filter_map(|item| le64(&block, HEADER + item * POINTER + KEY)));
        }
    }
    Ok(true)
}

/// The chunks in the superblock, by which the tree of chunks is found: a key and an item each.
fn system_runs(array: &[u8], leg: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut rest = array;
    while let (Some(logical), Some(item)) = (le64(rest, 9), rest.get(KEY..)) {
        let Some(stripes) = le16(item, 44) else { break };
        runs.extend(run(logical, item, leg));
        rest = item.get(CHUNK + usize::from(stripes) * STRIPE..).unwrap_or_default();
    }
    runs
}

/// The chunks in a leaf of the tree of chunks.
fn runs_of(block: &[u8], leg: u64) -> Vec<Run> {
    if block.get(100) != Some(&0) {
        return Vec::new();
    }
    let items = usize::try_from(le32(block, 96).unwrap_or(0)).unwrap_or(0).min(block.len() / ITEM);
    let one = |item: usize| {
        let at = HEADER + item * ITEM;
        let logical = le64(block, at + 9).filter(|_| block.get(at + 8) == Some(&CHUNK_ITEM))?;
        let place = usize::try_from(le32(block, at + KEY)?).ok()?;
        run(logical, block.get(HEADER + place..)?, leg)
    };
    (0..items).filter_map(one).collect()
}

/// Where a chunk stands on this leg, if it has a whole copy of it.
fn run(logical: u64, item: &[u8], leg: u64) -> Option<Run> {
    let (length, kind, stripes) = (le64(item, 0)?, le64(item, 24)?, le16(item, 44)?);
    let stripe = |index: u16| {
        let at = CHUNK + usize::from(index) * STRIPE;
        (le64(item, at)? == leg).then(|| le64(item, at + 8))?
    };
    let physical = (0..stripes).find_map(stripe).filter(|_| kind & STRIPED == 0)?;
    Some(Run { logical, length, physical })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mirror_has_the_same_tree_on_both_legs_and_another_has_another() {
        let made = |uuid: &str| {
            let legs = [tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap()];
            // Unpacked there by tests/setup.
            let path = format!("{}:/var/lib/ims-tests/layers/sbin", std::env::var("PATH").unwrap());
            let words = ["mkfs.btrfs", "-q", "-f", "-m", "raid1", "-d", "raid1", "-U", uuid];
            let mut line = ims::sys::exec::Line::new(words).env("PATH", path);
            for leg in &legs {
                leg.as_file().set_len(128 << 20).unwrap();
                line = line.arg(leg.path());
            }
            let ended = line.run(std::time::Duration::from_secs(60)).unwrap();
            assert!(ended.is_success(), "{}", ended.last_words());
            legs.map(|leg| {
                let read = |at: u64, length: usize| {
                    let mut bytes = vec![0; length];
                    std::os::unix::fs::FileExt::read_exact_at(leg.as_file(), &mut bytes, at)?;
                    Ok(bytes)
                };
                digest(&read(64 * 1024, 4096).unwrap(), &read).unwrap()
            })
        };
        let one = made("123e4567-e89b-12d3-a456-426614174000");
        assert!(one[0].is_some() && one[0] == one[1], "{one:?}");
        assert_ne!(made("123e4567-e89b-12d3-a456-426614174001")[0], one[0]);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_there_is_an_end(bytes in proptest::collection::vec(any::<u8>(), 4096)) {
            let mut superblock = bytes.clone();
            superblock[0x94..0x98].copy_from_slice(&4096u32.to_le_bytes());
            let _ = digest(&superblock, &|_, _| Ok(bytes.clone()));
        }
    }
}
