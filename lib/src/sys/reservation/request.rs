//! The requests that ask a disk for its registrations: of SCSI by `SG_IO`, of `NVMe` by its own.

use std::io;

use super::super::block::Device;
use super::{Seen, is_unknown_to_disk, is_whole, report};

/// The most that is asked for: a thousand registrations of SCSI, some two hundred of `NVMe`.
const LONGEST: usize = 16 * 1024;

impl Device {
    /// What the disk says; none where it, or its driver, knows no reservations, and for a part of a disk.
    pub fn reservations(&self) -> io::Result<Option<Seen>> {
        if !is_whole(self.number())? {
            return Ok(None);
        }
        match scsi_seen(self) {
            Err(e) if is_unknown_to_disk(&e) => {}
            other => return other,
        }
        match self.nvme_report() {
            Err(e) if is_unknown_to_disk(&e) => Ok(None),
            Err(e) => Err(e),
            Ok(bytes) => report::nvme(&bytes).map(Some).ok_or_else(cut_short),
        }
    }

    fn nvme_report(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; LONGEST];
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut request = kernel::NvmeCommand {
            opcode: 0x0E,
            namespace: self.nvme_namespace()?,
            address: u64::try_from(bytes.as_mut_ptr().addr()).map_err(io::Error::other)?,
            length,
            words: [length / 4 - 1, 1, 0, 0, 0, 0], // the number of dwords less one; the extended form
            timeout_ms: kernel::TIMEOUT_MS,
            ..kernel::NvmeCommand::default()
        };
        // SAFETY: the kernel writes at most `length` bytes at `address`, which is `bytes` and lives during the call.
        #[allow(unsafe_code)]
        match unsafe { kernel::nvme_io(self.raw(), &raw mut request) }.map_err(io::Error::from)? {
            0 => Ok(bytes),
            status => Err(io::Error::other(format!("the disk answered with status {status:#x}"))),
        }
    }

    fn nvme_namespace(&self) -> io::Result<u32> {
        // SAFETY: NVME_IOCTL_ID takes no argument and touches no memory.
        #[allow(unsafe_code)]
        let number = unsafe { kernel::nvme_id(self.raw()) }.map_err(io::Error::from)?;
        u32::try_from(number).map_err(io::Error::other)
    }

    /// PERSISTENT RESERVE IN with this service action; none where the disk does not know it.
    fn reserve_in(&self, action: u8, again: u8) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; LONGEST];
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        let [high, low] = length.to_be_bytes();
        let mut command = [0x5E, action, 0, 0, 0, 0, 0, high, low, 0];
        let mut sense = [0; 32];
        let mut request = kernel::SgIo {
            interface: i32::from(b'S'),
            direction: kernel::FROM_DEVICE,
            command_length: 10,
            sense_length: 32,
            scatter: 0,
            length: length.into(),
            data: bytes.as_mut_ptr().cast(),
            command: command.as_mut_ptr(),
            sense: sense.as_mut_ptr(),
            timeout_ms: kernel::TIMEOUT_MS,
            ..kernel::SgIo::default()
        };
        // SAFETY: the three buffers are as long as is said and live during the call.
        #[allow(unsafe_code)]
        unsafe { kernel::sg_io(self.raw(), &raw mut request) }.map_err(io::Error::from)?;
        match (request.host_status, request.status, sense_key(&sense)) {
            (0, 0, _) => Ok(Some(bytes)),
            (0, 2, Some(5)) => Ok(None), // ILLEGAL REQUEST
            (0, 2, Some(6)) if again > 0 => self.reserve_in(action, again - 1), // UNIT ATTENTION: told once
            (host, status, _) => Err(io::Error::other(format!(
                "the disk answered with status {status:#x}, its path with {host:#x}"
            ))),
        }
    }
}

fn scsi_seen(device: &Device) -> io::Result<Option<Seen>> {
    let (Some(keys), Some(held)) = (device.reserve_in(0, 3)?, device.reserve_in(1, 3)?) else {
        return Ok(None);
    };
    report::scsi(&keys, &held).map(Some).ok_or_else(cut_short)
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what the disk says of its reservations is cut short")
}

/// The sense key, of either format (SPC-4 §4.5).
fn sense_key(sense: &[u8]) -> Option<u8> {
    let at = match sense.first()? & 0x7F {
        0x70 | 0x71 => 2,
        0x72 | 0x73 => 1,
        _ => return None,
    };
    Some(sense.get(at)? & 0x0F)
}

/// The requests of `scsi/sg.h` and `linux/nvme_ioctl.h`.
#[allow(unsafe_code)]
mod kernel {
    use std::ptr::null_mut;

    /// `SG_DXFER_FROM_DEV`.
    pub const FROM_DEVICE: i32 = -3;
    /// How long the disk may take; whoever asks has a deadline of its own.
    pub const TIMEOUT_MS: u32 = 60_000;

    #[repr(C)]
    pub struct SgIo {
        pub interface: i32,
        pub direction: i32,
        pub command_length: u8,
        pub sense_length: u8,
        pub scatter: u16,
        pub length: u32,
        pub data: *mut u8,
        pub command: *mut u8,
        pub sense: *mut u8,
        pub timeout_ms: u32,
        pub flags: u32,
        pub pack_id: i32,
        pub user: *mut u8,
        pub status: u8,
        pub masked_status: u8,
        pub message_status: u8,
        pub sense_written: u8,
        pub host_status: u16,
        pub driver_status: u16,
        pub residual: i32,
        pub duration: u32,
        pub info: u32,
    }

    impl Default for SgIo {
        fn default() -> Self {
            Self {
                interface: 0,
                direction: 0,
                command_length: 0,
                sense_length: 0,
                scatter: 0,
                length: 0,
                data: null_mut(),
                command: null_mut(),
                sense: null_mut(),
                timeout_ms: 0,
                flags: 0,
                pack_id: 0,
                user: null_mut(),
                status: 0,
                masked_status: 0,
                message_status: 0,
                sense_written: 0,
                host_status: 0,
                driver_status: 0,
                residual: 0,
                duration: 0,
                info: 0,
            }
        }
    }

    /// `struct nvme_passthru_cmd`.
    #[repr(C)]
    #[derive(Default)]
    pub struct NvmeCommand {
        pub opcode: u8,
        pub flags: u8,
        pub reserved: u16,
        pub namespace: u32,
        pub words_2_3: [u32; 2],
        pub metadata: u64,
        pub address: u64,
        pub metadata_length: u32,
        pub length: u32,
        pub words: [u32; 6],
        pub timeout_ms: u32,
        pub result: u32,
    }

    nix::ioctl_readwrite_bad!(
        /// `SG_IO`.
        sg_io,
        0x2285,
        SgIo
    );
    nix::ioctl_none!(
        /// `NVME_IOCTL_ID`.
        nvme_id,
        b'N',
        0x40
    );
    nix::ioctl_readwrite!(
        /// `NVME_IOCTL_IO_CMD`.
        nvme_io,
        b'N',
        0x43,
        NvmeCommand
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_structures_are_as_long_as_its_headers_say() {
        assert_eq!(size_of::<kernel::SgIo>(), if usize::BITS == 64 { 88 } else { 64 });
        assert_eq!(size_of::<kernel::NvmeCommand>(), 72);
    }
}
