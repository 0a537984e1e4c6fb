//! What the kernel itself uses of a file system: swap files, loop devices, exports, overlays. It tells these by their
//! paths alone, so they are for people to read; nothing is done by them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Table;

/// What the kernel uses below one of these folders, in words.
pub(super) fn uses<'a>(points: &[PathBuf], tables: impl Iterator<Item = &'a Table>) -> Vec<String> {
    let is_below = |path: &str| is_below(points, path);
    let read = |path: &str| fs_err::read_to_string(path).unwrap_or_default();
    let mut found: Vec<String> = first_words(&read("/proc/swaps"))
        .filter(|path| is_below(path))
        .map(|path| format!("the swap file {path}"))
        .collect();
    for entry in fs_err::read_dir("/sys/block").into_iter().flatten().flatten() {
        let device = entry.file_name().to_string_lossy().into_owned();
        let backing = read(&format!("/sys/block/{device}/loop/backing_file"));
        if device.starts_with("loop") && is_below(backing.trim_end()) {
            found.push(format!("the loop device {device} over {}", backing.trim_end()));
        }
    }
    for path in ["/proc/fs/nfsd/exports", "/proc/fs/nfs/exports"] {
        let text = read(path);
        let exports = first_words(&text).filter(|path| is_below(path));
        found.extend(exports.map(|path| format!("the NFS export {path}")));
    }
    found.extend(overlays(points, tables));
    found.sort();
    found.dedup();
    found
}

/// The overlays that are made of folders there.
pub(super) fn overlays<'a>(points: &[PathBuf], tables: impl Iterator<Item = &'a Table>) -> Vec<String> {
    let found = tables.flat_map(|table| overlays_of(table, |path| is_below(points, path)));
    found.collect::<BTreeSet<String>>().into_iter().collect()
}

fn is_below(points: &[PathBuf], path: &str) -> bool {
    points.iter().any(|point| Path::new(path).starts_with(point))
}

fn overlays_of(table: &Table, is_below: impl Fn(&str) -> bool) -> Vec<String> {
    let overlays = table.iter().filter(|mounted| mounted.fstype == "overlay");
    let is_made_of = |options: &str| {
        let folders = options.split(',').filter_map(|option| option.split_once('='));
        folders
            .filter(|(key, _)| matches!(*key, "lowerdir" | "upperdir" | "workdir" | "lowerdir+" | "datadir+"))
            .flat_map(|(_, folders)| folders.split(':'))
            .any(&is_below)
    };
    overlays
        .filter(|mounted| is_made_of(&mounted.super_options))
        .map(|mounted| format!("the overlay at {}", mounted.point.display()))
        .collect()
}

fn first_words(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_is_found_by_the_folders_that_it_is_made_of() {
        let line = |options: &str| {
            format!("1 0 0:5 / /merged rw - overlay o rw,lowerdir={options}\n2 1 0:6 / /x rw - tmpfs t rw\n")
        };
        let is_below = |path: &str| Path::new(path).starts_with("/srv/ims");
        for (options, count) in [("/a:/srv/ims/low,upperdir=/b,workdir=/c", 1), ("/a,upperdir=/srv/imsx", 0)]
        {
            let table = Table::parse(line(options).as_bytes()).unwrap();
            assert_eq!(overlays_of(&table, is_below).len(), count, "{options}");
        }
    }
}
