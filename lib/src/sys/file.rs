//! Files replaced whole: old or new, never half, with owner, mode and extended attributes as before.
//!
//! No symbolic link is crossed below a folder that somebody other than root can write.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, XattrFlags, renameat_with};
use rustix::io::Errno;

use crate::{Exit, Fail};

/// The largest file that is read whole; configuration is far smaller, and a device or a FIFO has no end.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a text file, `None` when it is not there; anything but a regular file of UTF-8 is an error.
pub fn read_text(path: &Path) -> Result<Option<String>, Fail> {
    read(path)?.map(|bytes| text(&bytes, path).map(ToOwned::to_owned)).transpose()
}

/// The text that a file holds; one that is not UTF-8 is an error with its line.
pub fn text<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, Fail> {
    std::str::from_utf8(bytes).map_err(|e| {
        let good = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        Fail::usage(format!("{}:{line}: not UTF-8 text", path.display())).hint("convert the file with iconv")
    })
}

/// Reads a file, `None` when it is not there. A symbolic link to nothing is not nothing: it is an error.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Fail> {
    match rustix::fs::open(path, LOOK, Mode::empty()) {
        Ok(fd) => whole(&fd, path).map(Some),
        Err(Errno::NOENT | Errno::NOTDIR) => match rustix::fs::readlink(path, Vec::new()) {
            Ok(to) => Err(leads_nowhere(path, &to.to_string_lossy())),
            Err(_) => Ok(None),
        },
        Err(e) => Err(cannot_read(path, &e.into())),
    }
}

/// Whether something stands under a path. A symbolic link to nothing, or a folder on the way that does not tell, is
/// neither yes nor no.
pub fn is_there(path: &Path) -> Result<bool, Fail> {
    match rustix::fs::stat(path) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT | Errno::NOTDIR) => match rustix::fs::readlink(path, Vec::new()) {
            Ok(to) => Err(leads_nowhere(path, &to.to_string_lossy())),
            Err(_) => Ok(false),
        },
        Err(e) => Err(Fail::io(Exit::Unknown, format!("cannot look for {}", path.display()), &e.into())),
    }
}

/// Reads a file that is to be replaced by something made of it: found as [`folder_of`] finds it, so that what root
/// alone may read does not come by a link into a file of somebody else's. `None` when it is not there.
pub fn read_own(path: &Path) -> Result<Option<Vec<u8>>, Fail> {
    let (folder, name) = match Place::of(path) {
        Ok(place) if place.is_roots_alone => return read(path),
        Ok(place) => (place.folder, place.name),
        Err((Errno::NOENT | Errno::NOTDIR, _)) => return Ok(None),
        Err((_, fail)) => return Err(fail),
    };
    match rustix::fs::openat(&folder, name, LOOK | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) if is_link(fd.as_fd(), OsStr::new("")) => Err(link(path)),
        Ok(fd) => whole(&fd, path).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(cannot_read(path, &e.into())),
    }
}

/// Opens nothing yet: to open a FIFO may wait for ever, and to open a device may set it off.
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// All of a regular file that was looked up.
fn whole(fd: &OwnedFd, path: &Path) -> Result<Vec<u8>, Fail> {
    let cannot = |e: &io::Error| cannot_read(path, e);
    let file = opened(fd).map_err(|e| cannot(&e))?.ok_or_else(|| not_regular(path))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| cannot(&e))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Fail::usage(format!("{} is larger than 64 MiB", path.display())));
    }
    Ok(bytes)
}

/// Opens a file that was looked up, `None` when it is not a regular one.
fn opened(fd: &OwnedFd) -> io::Result<Option<std::fs::File>> {
    if !FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode).is_file() {
        return Ok(None);
    }
    let same = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let file = rustix::fs::open(same, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some(file.into()))
}

fn cannot_read(path: &Path, e: &io::Error) -> Fail {
    Fail::io(Exit::Unknown, format!("cannot read {}", path.display()), e)
}

fn not_regular(path: &Path) -> Fail {
    Fail::usage(format!("{} is not a regular file", path.display()))
}

fn leads_nowhere(path: &Path, to: &str) -> Fail {
    Fail::unknown(format!(
        "{} is a symbolic link to {}, which is not there",
        path.display(),
        to.escape_debug()
    ))
    .hint("mount what it leads to, or put the file itself there")
}

/// Replaces or creates a file: a temporary one beside it, owner, mode and extended attributes, fsync, both exchanged,
/// fsync of the folder. On failure the old file is as it was and the temporary one is gone; where even that fails,
/// the failure is `broken`.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Fail> {
    Staged::write(path, bytes)?.commit()
}

/// A file's new content, safely on the disk beside it but not yet in its place.
#[derive(Debug)]
pub struct Staged {
    folder: OwnedFd,
    path: PathBuf,
    temporary: PathBuf,
    /// The file that stood there when it was written.
    old: Option<Inode>,
    is_in_place: bool,
}

/// A file itself, whatever it is called.
type Inode = (u64, u64);

impl Staged {
    /// Writes and syncs the new content beside the file.
    pub fn write(path: &Path, bytes: &[u8]) -> Result<Self, Fail> {
        let cannot = |e: &io::Error| Fail::io(Exit::Failed, format!("cannot write {}", path.display()), e);
        let (folder, name) = folder_of(path)?;
        let temporary = temporary(name);
        if is_link(folder.as_fd(), name) {
            return Err(link(path));
        }
        let old = match existing(folder.as_fd(), name).map_err(|e| cannot(&e))? {
            Existing::Nothing => None,
            Existing::Regular(old) => Some(old),
            Existing::Other => return Err(not_regular(path)),
        };
        match rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {} // left by a run that was killed, under a pid used again
            Err(e) => return Err(cannot(&e.into())),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&folder, &temporary, flags, Mode::from_raw_mode(0o600))
            .map_err(|e| cannot(&e.into()))?;
        let mut staged = Self { folder, path: path.to_owned(), temporary, old: None, is_in_place: false };
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes).map_err(|e| cannot(&e))?;
        match old {
            Some(old) => {
                like(&file, &old).map_err(|e| cannot(&e))?;
                staged.old = Some(inode(&rustix::fs::fstat(&old).map_err(|e| cannot(&e.into()))?));
            }
            None => rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).map_err(|e| cannot(&e.into()))?,
        }
        file.sync_all().map_err(|e| cannot(&e))?;
        Ok(staged)
    }

    /// Where the new content stands until then, for a checker to read.
    pub fn at(&self) -> PathBuf {
        self.path.with_file_name(&self.temporary)
    }

    /// Puts the new content in its place and syncs the folder. The old file stays beside it until the new one is
    /// sure to last, and is put back when it is not, or when it is not the file that was there before.
    pub fn commit(mut self) -> Result<(), Fail> {
        let cannot =
            |e: Errno| Fail::io(Exit::Failed, format!("cannot write {}", self.path.display()), &e.into());
        let name = self.path.file_name().unwrap_or_default();
        let swap = |flags| renameat_with(&self.folder, &self.temporary, &self.folder, name, flags);
        let way = if self.old.is_some() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match swap(way) {
            Ok(()) => {}
            // A file system that cannot, NFS for one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::renameat(&self.folder, &self.temporary, &self.folder, name).map_err(cannot)?;
                self.is_in_place = true;
                return rustix::fs::fsync(&self.folder)
                    .map_err(|e| cannot(e).with_exit(Exit::Broken).hint("it is written and may not last"));
            }
            Err(Errno::NOENT | Errno::EXIST) => return Err(changed(&self.path)),
            Err(e) => return Err(cannot(e)),
        }
        let found = match self.old {
            Some(_) => inode_of(self.folder.as_fd(), self.temporary.as_os_str()),
            None => Ok(None),
        };
        let lasts = found.map_err(cannot).and_then(|found| {
            if found != self.old {
                return Err(changed(&self.path));
            }
            rustix::fs::fsync(&self.folder).map_err(cannot)
        });
        let Err(fail) = lasts else { return Ok(()) }; // the old file goes with us
        let undone = match self.old {
            Some(_) => swap(way),
            None => renameat_with(&self.folder, name, &self.folder, &self.temporary, way),
        };
        self.is_in_place = undone.is_err(); // then the old one is all there is of it
        match undone.map_err(cannot) {
            Ok(()) => Err(fail),
            Err(undo) => Err(fail.and_undo_failed(undo)),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_in_place {
            // Best effort: the name says whose it is, and the next run takes it away.
            let _ = rustix::fs::unlinkat(&self.folder, &self.temporary, AtFlags::empty());
        }
    }
}

/// Takes a file away and syncs its folder; says whether it was there. A symbolic link is not a file of ours.
pub fn remove(path: &Path) -> Result<bool, Fail> {
    let cannot = |e: Errno| Fail::io(Exit::Failed, format!("cannot remove {}", path.display()), &e.into());
    let (folder, name) = folder_of(path)?;
    let found = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(false),
        Err(e) => return Err(cannot(e)),
    };
    if found.is_symlink() {
        return Err(link(path));
    }
    if found.is_dir() {
        return Err(Fail::failed(format!("{} is a folder", path.display())));
    }
    // Out of the way first, so that it can come back when that is not sure to last.
    let aside = temporary(name);
    rustix::fs::renameat(&folder, name, &folder, &aside).map_err(cannot)?;
    if let Err(e) = rustix::fs::fsync(&folder) {
        return Err(match rustix::fs::renameat(&folder, &aside, &folder, name) {
            Ok(()) => cannot(e),
            Err(undo) => cannot(e).and_undo_failed(cannot(undo)),
        });
    }
    // Best effort, as above.
    let _ = rustix::fs::unlinkat(&folder, &aside, AtFlags::empty());
    Ok(true)
}

/// What we call a file of ours beside one of somebody's, until it is in its place or out of it.
pub(super) fn temporary(name: &OsStr) -> PathBuf {
    PathBuf::from(format!(".{}.ims-{}", name.display(), std::process::id()))
}

fn inode(stat: &rustix::fs::Stat) -> Inode {
    (stat.st_dev, stat.st_ino)
}

fn inode_of(folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<Option<Inode>> {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Some(inode(&stat)))
}

fn changed(path: &Path) -> Fail {
    Fail::failed(format!("{} was changed by somebody else just now", path.display())).hint("run it again")
}

/// The path of a folder without symbolic links on the way, `None` when nothing is there.
///
/// This may hang on a dead disk or server, as every look at a path may.
pub fn real_folder(path: &Path) -> io::Result<Option<PathBuf>> {
    let real = match std::fs::canonicalize(path) {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if real.metadata()?.is_dir() { Ok(Some(real)) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Opens the folder of a path, so that what follows happens in that very folder, and gives the last name in it.
///
/// Symbolic links on the way are followed only while every folder up to them belongs to root and can be
/// written by root alone; below anything else none is crossed.
pub fn folder_of(path: &Path) -> Result<(OwnedFd, &OsStr), Fail> {
    Place::of(path).map(|place| (place.folder, place.name)).map_err(|(_, fail)| fail)
}

/// Where a file stands, or would.
struct Place<'a> {
    folder: OwnedFd,
    name: &'a OsStr,
    /// Whether nobody but root can put something there or on the way to it.
    is_roots_alone: bool,
}

impl<'a> Place<'a> {
    fn of(path: &'a Path) -> Result<Self, (Errno, Fail)> {
        let cannot = |e: Errno| {
            let what = format!("cannot open the folder of {}", path.display());
            let fail = Fail::io(Exit::Failed, what, &e.into());
            (
                e,
                if e == Errno::LOOP {
                    fail.hint("a symbolic link stands where others can write")
                } else {
                    fail
                },
            )
        };
        let bad = |what| (Errno::INVAL, Fail::usage(format!("{} {what}", path.display())));
        let name = path.file_name().ok_or_else(|| bad("names no file"))?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let start = if parent.is_absolute() { "/" } else { "." };
        let mut folder = rustix::fs::open(start, flags, Mode::empty()).map_err(cannot)?;
        let mut is_roots_alone = belongs_to_root(folder.as_fd()).map_err(cannot)?;
        for part in parent.components() {
            let std::path::Component::Normal(part) = part else {
                if matches!(part, std::path::Component::ParentDir) {
                    return Err(bad("leads through '..'"));
                }
                continue;
            };
            let resolve =
                if is_roots_alone { ResolveFlags::NO_MAGICLINKS } else { ResolveFlags::NO_SYMLINKS };
            folder = rustix::fs::openat2(&folder, part, flags, Mode::empty(), resolve).map_err(cannot)?;
            is_roots_alone = is_roots_alone && belongs_to_root(folder.as_fd()).map_err(cannot)?;
        }
        Ok(Self { folder, name, is_roots_alone })
    }
}

fn belongs_to_root(folder: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let stat = rustix::fs::fstat(folder)?;
    Ok(stat.st_uid == 0 && stat.st_mode & 0o022 == 0)
}

fn is_link(folder: BorrowedFd<'_>, name: &OsStr) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink())
}

fn link(path: &Path) -> Fail {
    Fail::failed(format!("{} is a symbolic link", path.display())).hint("put the file itself there")
}

/// What stands under a name; a symbolic link is not followed.
pub(super) enum Existing {
    Nothing,
    Regular(std::fs::File),
    Other,
}

pub(super) fn existing(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<Existing> {
    match rustix::fs::openat(folder, name, LOOK | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) => Ok(opened(&fd)?.map_or(Existing::Other, Existing::Regular)),
        Err(Errno::NOENT) => Ok(Existing::Nothing),
        Err(e) => Err(e.into()),
    }
}

/// Gives a new file the owner, mode and extended attributes of the old one.
pub(super) fn like(new: &std::fs::File, old: &std::fs::File) -> io::Result<()> {
    let meta = old.metadata()?;
    let mine = new.metadata()?;
    if (meta.uid(), meta.gid()) != (mine.uid(), mine.gid()) {
        std::os::unix::fs::fchown(new, Some(meta.uid()), Some(meta.gid()))?;
    }
    let mut names = vec![0u8; 65536];
    let length = match rustix::fs::flistxattr(old, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(e) => return Err(e.into()),
    };
    for name in names.get(..length).unwrap_or_default().split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0u8; 65536];
        let length = rustix::fs::fgetxattr(old, name, &mut value)?;
        rustix::fs::fsetxattr(new, name, value.get(..length).unwrap_or_default(), XattrFlags::empty())?;
    }
    rustix::fs::fchmod(new, Mode::from_raw_mode(meta.mode() & 0o7777))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_replaced_file_keeps_its_mode_and_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.cf");
        std::fs::File::create(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let labelled = rustix::fs::setxattr(&path, "user.note", b"x", XattrFlags::empty()).is_ok();
        replace(&path, b"new\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        if labelled {
            let mut value = [0u8; 8];
            assert_eq!(rustix::fs::getxattr(&path, "user.note", &mut value).unwrap(), 1);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_where_others_can_write_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        let secret = folder.path().join("secret");
        std::fs::create_dir(&secret).unwrap();
        symlink(&secret, open.join("config")).unwrap();
        let fail = replace(&open.join("config/slapd.conf"), b"x").unwrap_err();
        assert!(fail.to_string().contains("symbolic link"), "{fail}");
        symlink(secret.join("passwd"), open.join("file")).unwrap();
        assert!(replace(&open.join("file"), b"x").is_err());
        assert_eq!(std::fs::read_dir(&secret).unwrap().count(), 0);
    }

    #[test]
    fn a_fifo_in_place_of_a_file_is_told_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("not a regular file"));
        assert!(replace(&path, b"x").is_err());
    }
}
