//! What happens to the files of folders, told by the kernel (inotify(7)): nobody asks again and again.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

use crate::{Exit, Fail};

/// What happens to the files of some folders. Its descriptor is readable when something has.
#[derive(Debug)]
pub struct News {
    fd: OwnedFd,
    folders: Vec<(i32, PathBuf)>,
}

/// What happened since it was asked last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happened {
    /// The files that were closed by the last who had them open to be written, put there or taken away.
    pub files: Vec<PathBuf>,
    /// Whether more happened than the kernel kept: any file may be concerned.
    pub is_not_all: bool,
}

impl Happened {
    /// Whether this may have happened to a file.
    pub fn to(&self, file: &Path) -> bool {
        self.is_not_all || self.files.iter().any(|path| path == file)
    }
}

impl News {
    /// News of no folder yet.
    pub fn new() -> Result<Self, Fail> {
        let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .map_err(|e| Fail::io(Exit::Unknown, "cannot watch folders", &e.into()))?;
        Ok(Self { fd, folders: Vec::new() })
    }

    /// Tells from now on what happens to the files of a folder, which is made unless it is there.
    pub fn follow(&mut self, folder: &Path) -> Result<(), Fail> {
        let cannot = |e: &io::Error| Fail::io(Exit::Unknown, format!("cannot watch {}", folder.display()), e);
        fs_err::create_dir_all(folder).map_err(|e| cannot(&e))?;
        let what =
            WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::DELETE;
        let number = add_watch(&self.fd, folder, what).map_err(|e| cannot(&e.into()))?;
        self.folders.push((number, folder.to_owned()));
        Ok(())
    }

    /// What happened since the last time; it does not wait.
    pub fn read(&self) -> io::Result<Happened> {
        let mut happened = Happened::default();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(happened),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
            };
            happened.is_not_all |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            let folder = self.folders.iter().find(|(number, _)| *number == event.wd());
            if let (Some((_, folder)), Some(name)) = (folder, event.file_name()) {
                happened.files.push(folder.join(OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
}

impl AsFd for News {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sys::{exec, file};

    #[test]
    fn what_happens_to_a_file_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("a/one"), folder.path().join("a/two"));
        let mut news = News::new().unwrap();
        news.follow(&folder.path().join("a")).unwrap();
        assert_eq!(news.read().unwrap(), Happened::default());
        let open = std::fs::File::create(&one).unwrap();
        assert!(!news.read().unwrap().to(&one), "it is open still");
        drop(open);
        assert!(exec::wait_readable(&news, Duration::from_secs(10)).unwrap());
        let happened = news.read().unwrap();
        assert!(happened.to(&one) && !happened.to(&two));
        file::replace(&two, b"x").unwrap();
        assert!(news.read().unwrap().to(&two));
        std::fs::remove_file(&one).unwrap();
        assert_eq!(news.read().unwrap().files, std::slice::from_ref(&one));
        std::fs::File::open(&two).unwrap();
        assert_eq!(news.read().unwrap(), Happened::default(), "it was only read");
    }
}
