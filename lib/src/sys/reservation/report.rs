//! What a disk tells of its registrations. Pure: bytes → what is registered.
//!
//! SCSI: PERSISTENT RESERVE IN (SPC-4 §6.15). `NVMe`: Reservation Report (NVM Express Base Specification 2.0 §7.6).

use super::{Held, Key, Kind, Seen};

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
}
