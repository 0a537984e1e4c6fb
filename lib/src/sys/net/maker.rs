//! Whose an address is: the mark that the kernel keeps with it, or else its label.

use super::Assigned;

/// `IFA_PROTO` of the addresses we put on: who did it. Kernels before 5.18 do not keep it.
pub const OURS: u8 = 73;

/// Ends the label of the IPv4 addresses we put on where the kernel does not keep `IFA_PROTO`.
const LABEL: &str = ":ims";

/// Bytes that a label can have: `IFNAMSIZ` without its zero.
const LABEL_ROOM: usize = 15;

/// Who put an address on, as far as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// We did.
    Us,
    /// Somebody else did.
    Other,
    /// The kernel keeps nothing that would tell.
    Untold,
}

/// The label that marks an address on this link as ours, when there is room for it.
pub(super) fn label(link: &str) -> Option<String> {
    (link.len() + LABEL.len() <= LABEL_ROOM).then(|| format!("{link}{LABEL}"))
}

/// Whether the kernel keeps who put an address on: from 5.18 on it marks its own, which are on every node.
pub fn keeps_makers(all: &[Assigned]) -> bool {
    all.iter().any(|assigned| assigned.protocol.is_some())
}

impl Assigned {
    /// Who put it on. Where the kernel keeps no `IFA_PROTO` the label tells, if there was room for ours.
    pub fn maker(&self, keeps_makers: bool) -> Maker {
        match (&self.label, self.protocol) {
            (_, Some(OURS)) => Maker::Us,
            _ if keeps_makers => Maker::Other,
            (Some(label), _) if label.ends_with(LABEL) => Maker::Us,
            (Some(name), _) if label(name).is_some() => Maker::Other,
            (Some(_) | None, _) => Maker::Untold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    #[test]
    fn who_put_an_address_on_is_told_by_the_protocol_or_else_by_the_label() {
        use Maker::{Other, Untold, Us};
        for (protocol, label, keeps_makers, maker) in [
            (Some(OURS), Some("eth0"), true, Us),
            (Some(OURS), None, true, Us),
            (Some(3), Some("eth0"), true, Other),
            (None, Some("eth0"), true, Other),
            (None, Some("eth0:ims"), true, Other),
            (None, None, true, Other),
            (None, Some("eth0:ims"), false, Us),
            (None, Some("eth0"), false, Other),
            (None, Some("eth0:x"), false, Other),
            (None, Some("enp129s0f0"), false, Other),
            (None, Some("enp129s0f0np0"), false, Untold),
            (None, None, false, Untold),
        ] {
            let assigned = Assigned {
                link: 1,
                ip: "192.0.2.7".parse().unwrap(),
                prefix: 24,
                standing: Standing::Usable,
                protocol,
                label: label.map(str::to_owned),
            };
            assert_eq!(assigned.maker(keeps_makers), maker, "{assigned:?}, {keeps_makers}");
        }
    }
}
