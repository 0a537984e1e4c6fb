//! What a disk tells of its registrations: PERSISTENT RESERVE IN of SCSI (SPC-4 §6.15), Reservation Report of `NVMe` (NVM
//! Express Base Specification 2.0 §7.6). Pure readers, and the two requests.

use std::io;

use super::super::block::Device;
use super::{Held, Key, Kind, Seen, is_unknown_to_disk, is_whole};

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
            Ok(bytes) => nvme(&bytes).map(Some).ok_or_else(cut_short),
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
    fn reserve_in(&self, action: u8) -> io::Result<Option<Vec<u8>>> {
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
            (host, status, _) => Err(io::Error::other(format!(
                "the disk answered with status {status:#x}, its path with {host:#x}"
            ))),
        }
    }
}

fn scsi_seen(device: &Device) -> io::Result<Option<Seen>> {
    let (Some(keys), Some(held)) = (device.reserve_in(0)?, device.reserve_in(1)?) else { return Ok(None) };
    scsi(&keys, &held).map(Some).ok_or_else(cut_short)
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

/// Reads the answers to READ KEYS and READ RESERVATION.
pub fn scsi(keys: &[u8], held: &[u8]) -> Option<Seen> {
    let generation = be32(keys, 0)?;
    let length = usize::try_from(be32(keys, 4)?).ok()?;
    let keys = keys
        .get(8..)?
        .get(..length)?
        .chunks_exact(8)
        .map(|key| be64(key, 0).map(Key))
        .collect::<Option<_>>()?;
    let held = match be32(held, 4)? {
        0 => None,
        _ => Some(Held { key: Key(be64(held, 8)?), kind: kind(held.get(21)? & 0x0F) }),
    };
    Some(Seen { generation, keys, held })
}

/// Reads a Reservation Report in its extended form.
pub fn nvme(report: &[u8]) -> Option<Seen> {
    let generation = u32::from_le_bytes(report.get(..4)?.try_into().ok()?);
    let number = usize::from(u16::from_le_bytes(report.get(5..7)?.try_into().ok()?));
    let mut seen = Seen { generation, keys: Vec::new(), held: None };
    // NVMe counts the kinds as it likes: 3 is the one that SPC-4 has as 5.
    let kind = match report.get(4)? {
        0 => None,
        3 => Some(Kind::RegistrantsWrite),
        other => Some(Kind::Other(*other)),
    };
    for registrant in report.get(64..)?.get(..number * 64)?.chunks_exact(64) {
        let key = Key(u64::from_le_bytes(registrant.get(8..16)?.try_into().ok()?));
        seen.keys.push(key);
        if registrant.get(2)? & 1 == 1 {
            seen.held = kind.map(|kind| Held { key, kind });
        }
    }
    // One that belongs to all registrants, or to nobody who is registered still.
    seen.held = seen.held.or(kind.map(|kind| Held { key: Key(0), kind }));
    Some(seen)
}

const fn kind(of_scsi: u8) -> Kind {
    match of_scsi {
        5 => Kind::RegistrantsWrite,
        other => Kind::Other(other),
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
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

    /// As `sg_persist -i -k -H` and `-r -H` print them of a Linux target with two registrants, the first of which holds.
    const KEYS: [u8; 24] = [0, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x22];
    const HELD: [u8; 24] = [0, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 5, 0, 0];

    #[test]
    fn the_answers_of_scsi_are_read() {
        let held = Held { key: Key(0x11), kind: Kind::RegistrantsWrite };
        let seen = Seen { generation: 2, keys: vec![Key(0x11), Key(0x22)], held: Some(held) };
        assert_eq!(scsi(&KEYS, &HELD), Some(seen));
        let nobody = scsi(&[0; 8], &[0; 8]).unwrap();
        assert_eq!((nobody.keys, nobody.held), (Vec::new(), None));
        for cut in [&KEYS[..7], &KEYS[..20]] {
            assert_eq!(scsi(cut, &HELD), None);
        }
        assert_eq!(scsi(&KEYS, &HELD[..21]), None);
    }

    #[test]
    fn the_report_of_nvme_is_read() {
        let mut report = vec![0; 64 + 2 * 64];
        report[..7].copy_from_slice(&[7, 0, 0, 0, 3, 2, 0]);
        report[64 + 2] = 1;
        report[64 + 8] = 0x11;
        report[128 + 8] = 0x22;
        let held = Held { key: Key(0x11), kind: Kind::RegistrantsWrite };
        let seen = Seen { generation: 7, keys: vec![Key(0x11), Key(0x22)], held: Some(held) };
        assert_eq!(nvme(&report), Some(seen));
        assert_eq!(nvme(&report[..190]), None);
        assert_eq!(nvme(&[0; 64]), Some(Seen { generation: 0, keys: Vec::new(), held: None }));
    }

    #[test]
    fn the_kernel_s_structures_are_as_long_as_its_headers_say() {
        assert_eq!(size_of::<kernel::SgIo>(), if usize::BITS == 64 { 88 } else { 64 });
        assert_eq!(size_of::<kernel::NvmeCommand>(), 72);
    }
}
