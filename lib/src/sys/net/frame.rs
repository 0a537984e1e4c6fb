//! The frames that are sent and understood: ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861), byte by
//! byte. Pure: nothing here touches the network.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Mac;

/// Ethernet type of ARP.
pub(super) const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// The override flag of an advertisement: caches that know another card for the address take this one.
const OVERRIDE: u32 = 0x2000_0000;
/// Options that hold a hardware address: of the one who asks, of the one who has it.
const SOURCE_CARD: u8 = 1;
const TARGET_CARD: u8 = 2;
/// Option with a number that the asker chose (RFC 3971 §5.3.2, RFC 7527).
const NONCE: u8 = 14;

/// What an ARP packet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Request,
    Reply,
}

fn ethernet(to: Mac, from: Mac, kind: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(86);
    frame.extend(to.0);
    frame.extend(from.0);
    frame.extend(kind.to_be_bytes());
    frame
}

/// An ARP packet to everybody on the link.
pub(super) fn arp(op: Op, from: (Mac, Ipv4Addr), to: (Mac, Ipv4Addr)) -> Vec<u8> {
    let mut frame = ethernet(Mac::EVERYBODY, from.0, ARP);
    frame.extend([0, 1, 8, 0, 6, 4]); // Ethernet, IPv4, the lengths of their addresses
    frame.extend([0, if op == Op::Request { 1 } else { 2 }]);
    for (mac, ip) in [from, to] {
        frame.extend(mac.0);
        frame.extend(ip.octets());
    }
    frame
}

/// Who claims the address with this ARP frame: has it, or is about to take it (RFC 5227 §2.1.1).
pub(super) fn arp_claim(frame: &[u8], ip: Ipv4Addr) -> Option<Mac> {
    let packet = frame.get(14..42)?;
    let (head, rest) = packet.split_first_chunk::<8>()?;
    let [0, 1, 8, 0, 6, 4, 0, op] = *head else { return None };
    let (sender, rest) = rest.split_first_chunk::<6>()?;
    let (sender_ip, rest) = rest.split_first_chunk::<4>()?;
    let target_ip = rest.get(6..10)?;
    let has_it = *sender_ip == ip.octets();
    let wants_it = op == 1 && *sender_ip == [0; 4] && target_ip == ip.octets();
    (has_it || wants_it).then_some(Mac(*sender))
}

/// The multicast address at which the holder of an address hears questions for it.
pub(super) fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = ip.octets();
    let low = u16::from_be_bytes([b, c]);
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), low)
}

/// The question for duplicates, RFC 4862 §5.4.2: a solicitation from nobody yet, with a nonce, RFC 7527.
pub(super) fn solicitation(from: Mac, target: Ipv6Addr, nonce: [u8; 6]) -> Vec<u8> {
    icmp(from, Ipv6Addr::UNSPECIFIED, solicited_node(target), SOLICITATION, 0, target, (NONCE, nonce))
}

/// An unsolicited advertisement to all nodes, RFC 4861 §7.2.6.
pub(super) fn advertisement(from: Mac, target: Ipv6Addr) -> Vec<u8> {
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    icmp(from, target, all_nodes, ADVERTISEMENT, OVERRIDE, target, (TARGET_CARD, from.0))
}

fn icmp(
    card: Mac,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    kind: u8,
    flags: u32,
    target: Ipv6Addr,
    (option, value): (u8, [u8; 6]),
) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend(flags.to_be_bytes());
    message.extend(target.octets());
    message.extend([option, 1]); // one unit of eight bytes
    message.extend(value);
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let sum = checksum(source, destination, &message);
    if let Some(place) = message.get_mut(2..4) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    let [.., a, b, c, d] = destination.octets();
    let mut frame = ethernet(Mac([0x33, 0x33, a, b, c, d]), card, IPV6);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([ICMPV6, 255]); // a hop limit of 255 proves that no router passed it on
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(message);
    frame
}

/// The Internet checksum over the pseudo-header (RFC 8200 §8.1) and the message, whose own checksum is still 0.
fn checksum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut all = Vec::with_capacity(40 + message.len());
    all.extend(source.octets());
    all.extend(destination.octets());
    all.extend(length.to_be_bytes());
    all.extend([0, 0, 0, ICMPV6]);
    all.extend(message);
    let mut sum: u32 = all
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u32::from(u16::from_be_bytes([high, low])),
            [high] => u32::from(u16::from_be_bytes([high, 0])),
            _ => 0,
        })
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// What an `ICMPv6` message says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Somebody has it; the card is known when the message says it.
    Has(Option<Mac>),
    /// Somebody asks whether anybody has it; a question for duplicates names no card, perhaps a nonce.
    Asks(Option<[u8; 6]>),
}

/// Reads an `ICMPv6` message, from its type on, that speaks of an address.
pub(super) fn icmp_claim(message: &[u8], ip: Ipv6Addr) -> Option<Said> {
    let kind = *message.first()?;
    let target = message.get(8..24)?;
    if target != ip.octets() {
        return None;
    }
    let mut options = message.get(24..)?;
    let (mut asker, mut holder, mut nonce) = (None, None, None);
    while let [option, units, rest @ ..] = options {
        let length = usize::from(*units) * 8;
        let value = rest.first_chunk::<6>().copied();
        match *option {
            SOURCE_CARD => asker = value,
            TARGET_CARD => holder = value.map(Mac),
            NONCE => nonce = value,
            _ => {}
        }
        if length == 0 {
            break;
        }
        options = options.get(length..).unwrap_or_default();
    }
    match kind {
        ADVERTISEMENT => Some(Said::Has(holder)),
        // With its card it is an ordinary question for the holder's card; without, one for duplicates.
        SOLICITATION if asker.is_none() => Some(Said::Asks(nonce)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const THEM: Mac = Mac([2, 0, 0, 0, 0, 2]);

    #[test]
    fn an_arp_frame_claims_an_address_by_having_or_probing_it() {
        let (ip, other) = (Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 8));
        let zero = Ipv4Addr::UNSPECIFIED;
        for (frame, claim, row) in [
            (arp(Op::Reply, (THEM, ip), (US, zero)), Some(THEM), "a reply of the holder"),
            (arp(Op::Request, (THEM, ip), (Mac::NOBODY, ip)), Some(THEM), "an announcement"),
            (arp(Op::Request, (THEM, ip), (Mac::NOBODY, other)), Some(THEM), "the holder asks for another"),
            (arp(Op::Request, (THEM, zero), (Mac::NOBODY, ip)), Some(THEM), "somebody else probes for it"),
            (arp(Op::Request, (THEM, other), (Mac::NOBODY, ip)), None, "somebody looks for it"),
            (arp(Op::Reply, (THEM, other), (US, ip)), None, "a reply of another"),
            (vec![0; 41], None, "a short frame"),
            (vec![0; 60], None, "no ARP of Ethernet and IPv4"),
        ] {
            assert_eq!(arp_claim(&frame, ip), claim, "{row}");
        }
    }

    #[test]
    fn an_advertisement_names_the_card_of_the_holder() {
        let ip: Ipv6Addr = "2001:db8::a:b0c".parse().unwrap();
        let frame = advertisement(THEM, ip);
        assert_eq!(icmp_claim(&frame[54..], ip), Some(Said::Has(Some(THEM))));
        assert_eq!(icmp_claim(&frame[54..], "2001:db8::1".parse().unwrap()), None);
        assert_eq!(frame[21], 255, "the hop limit");
        assert_eq!(icmp_claim(&solicitation(THEM, ip, [7; 6])[54..], ip), Some(Said::Asks(Some([7; 6]))));
        assert_eq!(solicited_node(ip).to_string(), "ff02::1:ff0a:b0c");
        for cut in 54..frame.len() - 8 {
            // Cut messages say less, and never go wrong.
            let _ = icmp_claim(&frame[54..cut], ip);
        }
        assert_eq!(icmp_claim(&[&frame[54..78], &[7, 0, 1]].concat(), ip), Some(Said::Has(None)));
    }

    #[test]
    fn the_checksum_of_a_whole_message_is_right() {
        let ip: Ipv6Addr = "2001:db8::7".parse().unwrap();
        for frame in [advertisement(US, ip), solicitation(US, ip, [7; 6])] {
            let source = Ipv6Addr::from(<[u8; 16]>::try_from(&frame[22..38]).unwrap());
            let destination = Ipv6Addr::from(<[u8; 16]>::try_from(&frame[38..54]).unwrap());
            assert_eq!(checksum(source, destination, &frame[54..]), 0);
        }
    }
}
