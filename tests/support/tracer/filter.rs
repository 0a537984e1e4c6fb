//! The filter (seccomp(2)) by which the kernel stops a program at the watched system calls alone: every other one
//! costs what it costs without a tracer.

use nix::libc;

use super::Watch;
use super::call::{Does, TABLE};

/// A program for the kernel's filter.
pub struct Filter(Vec<libc::sock_filter>);

/// What it may look at (include/uapi/linux/seccomp.h, `struct seccomp_data`): the number of the call, the machine,
/// and the lower half of an argument.
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH_X86_64`: calls of 32-bit programs have other numbers.
const X86_64: u32 = 0xC000_003E;

impl Filter {
    /// Stops at what is to be watched.
    pub fn of(watch: Watch) -> Self {
        let mut program = vec![
            load(MACHINE),
            jump(libc::BPF_JEQ, X86_64, 1, 0),
            answer(libc::SECCOMP_RET_ALLOW),
            load(NUMBER),
        ];
        for (number, _, does, _) in TABLE {
            // Those that open a file say in their flags whether they make it.
            let flags = match *number {
                libc::SYS_open if !watch.looks => Some(1),
                libc::SYS_openat if !watch.looks => Some(2),
                libc::SYS_openat2 => None,
                _ if *does == Does::Look && !watch.looks => continue,
                _ => None,
            };
            let number = u32::try_from(*number).unwrap();
            if let Some(argument) = flags {
                let makes = (libc::O_CREAT | libc::O_TRUNC).cast_unsigned();
                program.extend([
                    jump(libc::BPF_JEQ, number, 0, 4),
                    load(ARGUMENTS + 8 * argument),
                    jump(libc::BPF_JSET, makes, 0, 1),
                    answer(libc::SECCOMP_RET_TRACE),
                    answer(libc::SECCOMP_RET_ALLOW),
                ]);
            } else {
                program.extend([jump(libc::BPF_JEQ, number, 0, 1), answer(libc::SECCOMP_RET_TRACE)]);
            }
        }
        program.push(answer(libc::SECCOMP_RET_ALLOW));
        Self(program)
    }

    /// Puts it on the calling thread and all that it starts, for good. Allocates nothing and takes no lock.
    #[allow(unsafe_code)]
    pub fn put_on(&mut self) -> std::io::Result<()> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.0.len()).unwrap_or_default(), // of none, the kernel says that it is not valid
            filter: self.0.as_mut_ptr(),
        };
        // SAFETY: the first call takes numbers alone; the second reads the program, which lives until it is over.
        let is_on = unsafe {
            // Whoever is not root may have a filter only when nothing that it starts gains rights.
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
        };
        if is_on { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

/// Skips so many instructions when the test holds, and so many when it does not.
fn jump(test: u32, value: u32, holds: u8, does_not: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | test | libc::BPF_K, value, holds, does_not)
}

fn answer(action: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k }
}
