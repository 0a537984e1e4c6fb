//! One probe of one endpoint: resolve, connect, speak, judge, all before one deadline.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ims::name::InstanceName;
use ims::span::millis;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::answer::{Answer, now};
use crate::dialogue::Dialogue;
use crate::endpoint::{At, Endpoint};
use crate::level::Level;
use crate::pulse::Pulse;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::verdict::{self, Clock};
use crate::wire::Wire;

/// How every probe of a run is made.
#[derive(Debug, Clone)]
pub struct How {
    /// How deeply to ask where there is a dialogue.
    pub level: Level,
    /// How long one probe may take.
    pub timeout: Duration,
    /// The prober's own address.
    pub from: Option<IpAddr>,
}

/// What is probed, and for whom.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The service and where it is.
    pub endpoint: Endpoint,
    /// The instance it belongs to.
    pub instance: Option<InstanceName>,
    /// Which probe of its target this is.
    pub attempt: u64,
}

/// Probes an endpoint; `deadline` is the end of its time.
pub async fn probe(asked: Asked, how: &How, pulse: &Pulse, deadline: Instant) -> Answer {
    let dialogue = Dialogue::with(asked.endpoint.service);
    let level = how.level.min(dialogue.deepest());
    let lost_before = pulse.lost();
    let mut address = None;
    let mut way = Way::from(match asked.endpoint.at {
        At::Ip(_) => Stage::Connect,
        At::Name(_) => Stage::Resolve,
    });
    let speech = speak(&asked.endpoint, dialogue, level, how.from, deadline, &mut way, &mut address);
    let end = timeout_at(deadline, speech).await.unwrap_or(Err(Trouble::Late));
    let reached = way.stage();
    let (took, steps) = way.end();
    let clock = Clock { timeout: how.timeout, took, stood_still: pulse.lost().saturating_sub(lost_before) };
    let (state, words) = verdict::of(end, reached, clock);
    Answer {
        endpoint: asked.endpoint.to_string(),
        instance: asked.instance,
        service: asked.endpoint.service,
        address,
        level,
        state,
        stage: (state != ims::State::Up).then_some(reached),
        words,
        took_ms: millis(took),
        steps,
        attempt: asked.attempt,
        time: now(),
    }
}

async fn speak(
    endpoint: &Endpoint,
    dialogue: Dialogue,
    level: Level,
    from: Option<IpAddr>,
    deadline: Instant,
    way: &mut Way,
    address: &mut Option<IpAddr>,
) -> Result<Option<String>, Trouble> {
    let stream = match &endpoint.at {
        At::Ip(ip) => {
            *address = Some(*ip);
            connect(SocketAddr::new(*ip, endpoint.port), from).await?
        }
        At::Name(name) => {
            let addresses = resolve(name, endpoint.port, from).await?;
            way.enter(Stage::Connect);
            connect_any(&addresses, from, deadline, address).await?
        }
    };
    let me = stream.local_addr()?;
    // Two ends of one socket: Linux lets a connection to a free local port meet itself.
    if stream.peer_addr()? == me {
        return Err(Trouble::Itself);
    }
    dialogue.hold(&mut Wire::over(stream), level, way, me.ip()).await
}

/// The addresses of a name in the resolver's order, of the family that `from` has.
async fn resolve(name: &str, port: u16, from: Option<IpAddr>) -> Result<Vec<SocketAddr>, Trouble> {
    let found = tokio::net::lookup_host((name, port))
        .await
        .map_err(|e| Trouble::Unknown(format!("cannot resolve {name}: {}", reason(&e))))?;
    let addresses: Vec<SocketAddr> =
        found.filter(|at| from.is_none_or(|from| from.is_ipv4() == at.is_ipv4())).collect();
    if addresses.is_empty() {
        return Err(Trouble::Unknown(format!("{name} has no address to go to")));
    }
    Ok(addresses)
}

/// The resolver's reason without the library's "failed to lookup address information: ".
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_lowercase()
}

/// Connects to the first address that takes the connection; each has its share of the time that is left.
async fn connect_any(
    addresses: &[SocketAddr],
    from: Option<IpAddr>,
    deadline: Instant,
    address: &mut Option<IpAddr>,
) -> Result<TcpStream, Trouble> {
    let mut trouble = Trouble::Late;
    for (index, at) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        *address = Some(at.ip());
        match timeout(share, connect(*at, from)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(why)) => trouble = why,
            Err(_) => trouble = Trouble::Late,
        }
    }
    Err(trouble)
}

async fn connect(at: SocketAddr, from: Option<IpAddr>) -> Result<TcpStream, Trouble> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(from) = from {
        socket
            .bind(SocketAddr::new(from, 0))
            .map_err(|e| Trouble::Unknown(format!("cannot probe from {from}: {e}")))?;
    }
    Ok(socket.connect(at).await?)
}
