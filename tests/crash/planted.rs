//! What the owner of a server root may have put there for root to stumble over: links that lead out of it, FIFOs,
//! devices, folders in place of files; and a folder that is swapped while the command runs.

use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::lab::{Lab, Tree, same};
use super::rows::{ROWS, Row};
use super::{Act, Moment, OWN, Traced, tell};
use crate::support::tracer::{Watch, traced};

/// The user that mail servers run as.
const OWNER: u32 = 65534;

/// Gives the folder that a row works in to the user, as the installer of a server does.
fn give(lab: &Lab, row: &Row) {
    let mut folders = vec![lab.path(row.root)];
    while let Some(folder) = folders.pop() {
        chown(&folder, Some(OWNER), Some(OWNER)).unwrap();
        for entry in fs_err::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                std::os::unix::fs::lchown(entry.path(), Some(OWNER), Some(OWNER)).unwrap();
            }
        }
    }
}

/// A way to put something under a name; what is there before may be moved outside.
type Plant = fn(&Lab, &Path);

fn node(path: &Path, kind: SFlag, device: u64) {
    mknod(path, kind, Mode::from_bits_truncate(0o666), device).unwrap();
}

/// Moves a file outside, or makes one there; gives its place.
fn outside(lab: &Lab, path: &Path) -> PathBuf {
    let precious = lab.outside().join("precious");
    if path.exists() {
        fs_err::rename(path, &precious).unwrap();
    } else {
        fs_err::write(&precious, "root:*:19000:0:99999:7:::\n").unwrap();
    }
    chown(&precious, Some(0), Some(0)).unwrap();
    precious
}

fn gone(path: &Path) {
    if path.exists() {
        fs_err::remove_file(path).unwrap();
    }
}

const PLANTS: [(&str, Plant); 8] = [
    ("a symbolic link", |lab, path| symlink(outside(lab, path), path).unwrap()),
    ("a symbolic link to nothing", |lab, path| {
        gone(path);
        symlink(lab.outside().join("new"), path).unwrap();
    }),
    ("a hard link", |lab, path| fs_err::hard_link(outside(lab, path), path).unwrap()),
    ("a FIFO", |_, path| {
        gone(path);
        node(path, SFlag::S_IFIFO, 0);
    }),
    ("an endless device", |_, path| {
        gone(path);
        node(path, SFlag::S_IFCHR, makedev(1, 5));
    }),
    ("a full device", |_, path| {
        gone(path);
        node(path, SFlag::S_IFCHR, makedev(1, 7));
    }),
    ("a socket", |_, path| {
        gone(path);
        drop(UnixListener::bind(path).unwrap());
    }),
    ("a folder", |_, path| {
        gone(path);
        fs_err::create_dir(path).unwrap();
    }),
];

/// What a run may answer, and what it says: a line that names the thing.
#[track_caller]
fn answers_clearly(ran: &Traced, row: &Row, why: &str) {
    let status = ran.status.unwrap_or_else(|| panic!("{why}: it was killed: {}", ran.stderr));
    assert!((0..=7).contains(&status) && status != 1, "{why}: status {status}: {}", ran.stderr);
    if status != 0 {
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("ims-") && last.contains(row.root), "{why}: {}", ran.stderr);
        // A hard link is the file itself; the kernel (protected_hardlinks) lets nobody make one who cannot write it.
        let is_told = ran.stderr.contains("19000:0") && !why.contains("hard link");
        assert!(!is_told, "{why}: what nobody else may read is told");
    }
}

fn watched(
    lab: &Lab,
    words: &[&str],
    judge: impl FnMut(&crate::support::tracer::Call, Moment) -> Act + Send,
) -> Traced {
    traced(&mut lab.command(words), Watch { looks: true, ..OWN }, judge)
}

/// Every file that a row's command looks at or makes below its root, by its name on the host.
fn names(row: &Row) -> Vec<PathBuf> {
    let lab = Lab::of(row);
    let mut names = Vec::new();
    let host = lab.host();
    watched(&lab, row.words, |call, moment| {
        for path in [Some(&call.path), call.to.as_ref()].into_iter().flatten() {
            let is_file = path.is_file() || !path.exists();
            if moment == Moment::Before
                && is_file
                && path.starts_with(lab.path(row.root))
                && !super::lab::is_left_over(path)
                && !path.ends_with("configutil")
            {
                names.push(Path::new("/").join(path.strip_prefix(&host).unwrap()));
            }
        }
        Act::Go
    });
    names.retain(|name| lab.path(name.parent().unwrap()).is_dir());
    names.sort();
    names.dedup();
    names
}

#[test]
fn nothing_that_is_planted_in_place_of_a_file_leads_out_of_the_root() {
    let mut all = 0;
    for row in ROWS {
        let names = names(row);
        assert!(!names.is_empty(), "{}", row.name);
        for (name, (what, plant)) in names.iter().flat_map(|name| PLANTS.map(|plant| (name, plant))) {
            let lab = Lab::of(row);
            give(&lab, row);
            plant(&lab, &lab.path(name));
            let others = lab.others();
            let why = format!("{}: {what} in place of {}", row.name, name.display());
            let ran = traced(&mut lab.command(row.words), OWN, |_, _| Act::Go);
            answers_clearly(&ran, row, &why);
            same(&lab.others(), &others, &why);
        }
        let runs = names.len() * PLANTS.len();
        tell(format_args!("planted: {}: {runs} runs", row.name));
        all += runs;
    }
    tell(format_args!("planted: {all} runs"));
    assert!(all > 300, "only {all}");
}

/// The folders of a root that have something in them which a row's command uses.
fn folders(row: &Row) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = names(row)
        .iter()
        .flat_map(|name| {
            name.ancestors()
                .skip(1)
                .take_while(|folder| *folder != Path::new(row.root))
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// A copy of everything in a folder, with nobody's owner but root.
fn copy(from: &Path, to: &Path) {
    fs_err::create_dir(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs_err::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_folder_that_is_swapped_at_any_moment_leads_nobody_out() {
    let mut all = 0;
    for row in ROWS {
        let points: usize = folders(row).iter().map(|folder| swap_everywhere(row, folder)).sum();
        tell(format_args!("swapped: {}: {points} points", row.name));
        all += points;
    }
    tell(format_args!("swapped: {all} points"));
    assert!(all > 500, "only {all}");
}

fn swap_everywhere(row: &Row, folder: &Path) -> usize {
    let mut n = 0;
    loop {
        n += 1;
        let lab = Lab::of(row);
        give(&lab, row);
        let (place, away) = (lab.path(folder), lab.outside().join("folder"));
        copy(&place, &away);
        let others = lab.others();
        let real = place.with_extension("real");
        let (mut at, mut is_swapped) = (0, false);
        let ran = watched(&lab, row.words, |call, moment| {
            if moment == Moment::Before && call.is_below(&place) {
                at += 1;
                if at == n {
                    fs_err::rename(&place, &real).unwrap();
                    symlink(&away, &place).unwrap();
                    is_swapped = true;
                    return Act::Leave;
                }
            }
            Act::Go
        });
        if !is_swapped {
            return n - 1;
        }
        let why = format!("{}: {} swapped before use {n}: {}", row.name, folder.display(), ran.stderr);
        answers_clearly(&ran, row, &why);
        untouched(&lab.others(), &others, &why);
        fs_err::remove_file(&place).unwrap();
        fs_err::rename(&real, &place).unwrap();
        // That the next run finishes is what `kill` is about: a third of the points will do.
        if n.is_multiple_of(3) {
            lab.run(row.words, &why);
        }
    }
}

#[track_caller]
fn untouched(now: &Tree, before: &Tree, why: &str) {
    same(now, before, &format!("{why}: outside"));
}
