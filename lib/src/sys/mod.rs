//! The wall to the kernel: every effect of the commands is in here, and each wait has a deadline.

pub mod block;
pub mod btrfs;
pub mod cgroup;
pub mod clock;
pub mod disks;
pub mod exec;
pub mod file;
pub mod folder;
pub mod hand;
pub mod kept;
pub mod lock;
pub mod memory;
pub mod mount;
pub mod net;
pub mod process;
pub mod prompt;
pub mod reservation;
pub mod sample;
pub mod scratch;
pub mod server;
pub mod sock;
pub mod stderr;
pub mod stdout;
pub mod stop;
pub mod user;
pub mod xfs;
