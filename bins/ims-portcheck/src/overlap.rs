//! Which two bind addresses exclude each other at one port. A pure table: whatever the kernel lets two sockets do
//! (`SO_REUSEPORT` lets two Postfix share one address without an error), clients of one would reach the other.

use ims::layout::Bind;

/// Why two listeners at one port collide, `None` when they do not.
pub fn overlap(a: Bind, b: Bind) -> Option<&'static str> {
    use Bind::{Any, AnyV4, AnyV6, One};
    match (a, b) {
        (One(a), One(b)) if a.to_canonical() == b.to_canonical() => Some("both listen on the same address"),
        (One(_), One(_)) | (AnyV4, AnyV6) | (AnyV6, AnyV4) => None,
        (One(ip), AnyV4) | (AnyV4, One(ip)) => {
            ip.to_canonical().is_ipv4().then_some("one listens on every IPv4 address, and so on the other's")
        }
        (One(ip), AnyV6) | (AnyV6, One(ip)) => {
            ip.to_canonical().is_ipv6().then_some("one listens on every IPv6 address, and so on the other's")
        }
        (One(_), Any) | (Any, One(_)) => Some("one listens on every address, and so on the other's"),
        (AnyV4, AnyV4) => Some("both listen on every IPv4 address"),
        (AnyV6, AnyV6) => Some("both listen on every IPv6 address"),
        (Any, Any) => Some("both listen on every address"),
        (Any, AnyV4) | (AnyV4, Any) => Some("one listens on every address, the other on every IPv4 address"),
        (Any, AnyV6) | (AnyV6, Any) => Some("one listens on every address, the other on every IPv6 address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};

    use socket2::{Domain, Socket, Type};

    fn one(ip: &str) -> Bind {
        Bind::One(ip.parse().unwrap())
    }

    /// Every pair once, with whether it collides.
    fn table() -> Vec<(Bind, Bind, bool)> {
        use Bind::{Any, AnyV4, AnyV6};
        let (v4, other_v4, mapped) = (one("127.0.0.1"), one("127.0.0.2"), one("::ffff:127.0.0.1"));
        let v6 = one("::1");
        vec![
            (Any, Any, true),
            (Any, AnyV4, true),
            (Any, AnyV6, true),
            (Any, v4, true),
            (Any, v6, true),
            (AnyV4, AnyV4, true),
            (AnyV4, AnyV6, false),
            (AnyV4, v4, true),
            (AnyV4, v6, false),
            (AnyV4, mapped, true),
            (AnyV6, AnyV6, true),
            (AnyV6, v4, false),
            (AnyV6, mapped, false),
            (AnyV6, v6, true),
            (v4, v4, true),
            (v4, other_v4, false),
            (v4, mapped, true),
            (v4, v6, false),
            (v6, v6, true),
        ]
    }

    #[test]
    fn two_binds_collide_as_the_table_says_in_either_order() {
        for (a, b, collide) in table() {
            assert_eq!(overlap(a, b).is_some(), collide, "{a:?} and {b:?}");
            assert_eq!(overlap(a, b), overlap(b, a), "{a:?} and {b:?}");
        }
    }

    fn listen(bind: Bind, port: u16) -> std::io::Result<TcpListener> {
        let (ip, domain, only_v6) = match bind {
            Bind::Any => ("::".parse().unwrap(), Domain::IPV6, Some(false)),
            Bind::AnyV4 => ("0.0.0.0".parse().unwrap(), Domain::IPV4, None),
            Bind::AnyV6 => ("::".parse().unwrap(), Domain::IPV6, Some(true)),
            Bind::One(ip) if ip.is_ipv4() => (ip, Domain::IPV4, None),
            Bind::One(ip) => (ip, Domain::IPV6, Some(false)),
        };
        let socket = Socket::new(domain, Type::STREAM, None)?;
        if let Some(only_v6) = only_v6 {
            socket.set_only_v6(only_v6)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(ip, port).into())?;
        socket.listen(1)?;
        Ok(socket.into())
    }

    #[test]
    fn the_kernel_refuses_the_very_same_pairs() {
        for (a, b, collide) in table() {
            let both = || {
                let first = listen(a, 0).unwrap();
                listen(b, first.local_addr().unwrap().port()).is_ok()
            };
            // Somebody else may have a port of that number at the second address, but not at every try.
            assert_eq!((0..10).any(|_| both()), !collide, "{a:?} and then {b:?}");
        }
    }
}
