//! What a mounted XFS knows of its own damage.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// The parts of the file system that the kernel has found damaged and not yet seen repaired: the bits
/// `XFS_FSOP_GEOM_SICK_*` of the kernel's `xfs_fs.h`. It answers from memory.
///
/// # Errors
/// Whatever the kernel answers; one that is no XFS does not know the request.
pub fn sick(point: &Path) -> io::Result<u32> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(point, flags, Mode::empty())?;
    let mut geometry = kernel::Geometry { before: [0; 28], sick: 0, after: [0; 35] };
    // SAFETY: the kernel writes one structure of the size that is part of the request's number, which lives meanwhile.
    #[allow(unsafe_code)]
    unsafe { kernel::geometry(folder.as_raw_fd(), &raw mut geometry) }.map_err(io::Error::from)?;
    Ok(geometry.sick)
}

/// The request, from the kernel's `fs/xfs/libxfs/xfs_fs.h`.
#[allow(unsafe_code)]
mod kernel {
    /// `struct xfs_fsop_geom`, 256 bytes; what comes before and after `sick` is not looked at.
    #[repr(C, align(8))]
    pub struct Geometry {
        pub before: [u32; 28],
        pub sick: u32,
        pub after: [u32; 35],
    }

    nix::ioctl_read!(
        /// `XFS_IOC_FSGEOMETRY`.
        geometry,
        b'X',
        126,
        Geometry
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_the_kernels_and_another_file_system_does_not_know_the_request() {
        assert_eq!((size_of::<kernel::Geometry>(), std::mem::offset_of!(kernel::Geometry, sick)), (256, 112));
        assert!(sick(Path::new("/proc")).is_err());
    }
}
