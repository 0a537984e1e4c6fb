//! The way to an endpoint: the addresses of its name, and a connection to the first of them that takes it.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Instant;

use ims::sys::net::Net;

use crate::ask::Who;
use crate::endpoint::{At, Endpoint};
use crate::engine::Socket;
use crate::probe::Prober;
use crate::trouble::Trouble;

impl Prober {
    /// Connects to an endpoint; `resolved` is told when its addresses are known, if it has a name.
    pub async fn reach(
        &self,
        endpoint: &Endpoint,
        attempt: u64,
        deadline: Instant,
        resolved: impl FnOnce(),
        address: &mut Option<IpAddr>,
    ) -> Result<Socket<'_>, Trouble> {
        match &endpoint.at {
            At::Ip(ip) => {
                *address = Some(*ip);
                self.connect(SocketAddr::new(*ip, endpoint.port)).await
            }
            At::Name(name) => {
                let addresses = self.names.addresses(&self.hub, name, endpoint.port, attempt).await?;
                let addresses = self.of_our_family(name, addresses)?;
                resolved();
                self.connect_any(&addresses, deadline, address).await
            }
        }
    }

    /// Those of the family that the prober's own address has.
    fn of_our_family(&self, name: &str, mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Trouble> {
        found.retain(|at| self.how.from.is_none_or(|from| from.is_ipv4() == at.is_ipv4()));
        if found.is_empty() {
            return Err(Trouble::Unknown(format!("{name} has no address to go to")));
        }
        Ok(found)
    }

    /// Connects to the first address that takes the connection; each has its share of the time that is left.
    async fn connect_any(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
        address: &mut Option<IpAddr>,
    ) -> Result<Socket<'_>, Trouble> {
        let mut trouble = Trouble::Late;
        for (index, at) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            let now = self.hub.now();
            let share = deadline.saturating_duration_since(now) / left;
            *address = Some(at.ip());
            match self.hub.before(now + share, pin!(self.connect(*at))).await {
                Some(Ok(socket)) => return Ok(socket),
                Some(Err(why)) => trouble = why,
                None => trouble = Trouble::Late,
            }
        }
        Err(trouble)
    }

    async fn connect(&self, at: SocketAddr) -> Result<Socket<'_>, Trouble> {
        Socket::connect(&self.hub, at, self.how.from).await
    }
}

/// Whether a password would stay on this node, in so far as one would be sent to this address.
pub fn is_at_home(who: Who<'_>, peer: IpAddr) -> Result<bool, Trouble> {
    match who {
        Who::Login(_) => Ok(peer.is_loopback() || is_ours(peer)?),
        Who::Nobody | Who::NotKnown => Ok(false),
    }
}

/// Whether an address is on a link of this node. It is asked when the connection stands: should the address go away
/// after that, so does the connection.
fn is_ours(ip: IpAddr) -> Result<bool, Trouble> {
    let assigned = Net::open().and_then(|mut net| net.assigned());
    let assigned = assigned.map_err(|fail| Trouble::Unknown(fail.to_string()))?;
    Ok(assigned.iter().any(|assigned| assigned.ip == ip))
}
