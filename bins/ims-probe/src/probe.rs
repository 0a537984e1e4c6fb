//! One probe of one endpoint: resolve, connect, speak, judge, all before one deadline.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::{Duration, Instant};

use ims::State;
use ims::name::InstanceName;
use ims::span::millis;
use ims::sys::net::Net;

use crate::answer::{self, Answer};
use crate::ask::Ask;
use crate::dialogue::Dialogue;
use crate::dialogue::auth::hidden;
use crate::endpoint::{At, Endpoint};
use crate::engine::{Hub, Socket};
use crate::level::Level;
use crate::names::Names;
use crate::pulse::Pulse;
use crate::secrets::{Entry, Login, Secrets};
use crate::stage::{Stage, Way};
use crate::tls::{Kit, Tls};
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
    /// Who logs in where.
    pub secrets: Secrets,
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

/// What every probe of a run shares.
pub struct Prober {
    /// The loop they are polled by.
    pub hub: Hub,
    /// How they are made.
    pub how: How,
    /// Whether the prober itself is at work.
    pub pulse: Pulse,
    /// The addresses of names.
    pub names: Names,
    /// What TLS needs.
    pub kit: Kit,
    /// Whether a safety rule has kept a probe from its end.
    pub has_refused: Cell<bool>,
}

impl Prober {
    /// Probes an endpoint; `deadline` is the end of its time.
    pub async fn probe(&self, asked: Asked, deadline: Instant) -> Answer {
        let dialogue = Dialogue::with(asked.endpoint.service);
        let mut level = self.how.level.min(dialogue.deepest());
        let mut login = None;
        if level >= Level::Login {
            match self.how.secrets.of(asked.endpoint.service, asked.instance.as_ref()) {
                Some(Entry::Login(known)) => login = Some(&**known),
                Some(Entry::Nobody) => level = Level::Session,
                None => {}
            }
        }
        let lost_before = self.pulse.lost();
        let mut address = None;
        let mut way = Way::from(match asked.endpoint.at {
            At::Ip(_) => Stage::Connect,
            At::Name(_) => Stage::Resolve,
        });
        let speech = self.speak(&asked, dialogue, (level, login), deadline, &mut way, &mut address);
        let mut end = self.hub.before(deadline, pin!(speech)).await;
        if let (Some(end), Some(login)) = (&mut end, login) {
            conceal(end, login);
        }
        if let Some(Err(Trouble::Refused(_))) = end {
            self.has_refused.set(true);
        }
        // A silence is as old as the look that found nothing; that thousands end in one moment takes none of it.
        let (now, lost) = match end {
            Some(_) => (Instant::now(), self.pulse.lost()),
            None => (self.hub.now(), self.pulse.noted()),
        };
        let reached = way.stage();
        let (secured, found) = (way.secured.take(), std::mem::take(&mut way.findings));
        let (took, steps) = way.end(now);
        let clock = Clock { timeout: self.how.timeout, took, stood_still: lost.saturating_sub(lost_before) };
        let (state, words) = verdict::of(end.unwrap_or(Err(Trouble::Late)), reached, clock);
        let (state, at, words) = match (state, verdict::weigh(&found)) {
            (State::Up, Some((at, words))) => (State::Partial, Some(at), Some(words)),
            (State::Up, None) => (state, None, words),
            (State::Down | State::Partial | State::Unknown, _) => (state, Some(reached), words),
        };
        Answer {
            endpoint: asked.endpoint.to_string(),
            instance: asked.instance,
            service: asked.endpoint.service,
            address,
            level,
            state,
            stage: at,
            words,
            findings: found.iter().map(|found| found.what).collect(),
            tls: secured,
            took_ms: millis(took),
            steps,
            attempt: asked.attempt,
            time: answer::now(),
            age_ms: 0,
            window: None,
        }
    }

    async fn speak(
        &self,
        asked: &Asked,
        dialogue: Dialogue,
        (level, login): (Level, Option<&Login>),
        deadline: Instant,
        way: &mut Way,
        address: &mut Option<IpAddr>,
    ) -> Result<Option<String>, Trouble> {
        let port = asked.endpoint.port;
        let socket = match &asked.endpoint.at {
            At::Ip(ip) => {
                *address = Some(*ip);
                self.connect(SocketAddr::new(*ip, port)).await?
            }
            At::Name(name) => {
                let addresses = self.names.addresses(&self.hub, name, port, asked.attempt).await?;
                let addresses = self.of_our_family(name, addresses)?;
                way.enter(Stage::Connect);
                self.connect_any(&addresses, deadline, address).await?
            }
        };
        let me = socket.local().ip();
        let tls = Tls { kit: &self.kit, endpoint: &asked.endpoint, is_instances: asked.instance.is_some() };
        if level > Level::Connect && tls.is_wanted() {
            socket.send_at_once()?;
        }
        let is_at_home = match (login, *address) {
            (Some(_), Some(peer)) => peer == me || peer.is_loopback() || is_ours(peer)?,
            (Some(_) | None, _) => false,
        };
        let ask = Ask { level, me, login, is_at_home, tls: Some(&tls) };
        let mut wire = Wire::over(socket);
        let told = dialogue.hold(&mut wire, ask, way).await;
        wire.close();
        told
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

/// Whether an address is on a link of this node. It is asked when the connection stands: should the address go away
/// after that, so does the connection.
fn is_ours(ip: IpAddr) -> Result<bool, Trouble> {
    let assigned = Net::open().and_then(|mut net| net.assigned());
    let assigned = assigned.map_err(|fail| Trouble::Unknown(fail.to_string()))?;
    Ok(assigned.iter().any(|assigned| assigned.ip == ip))
}

/// Takes out of a server's words what it was told in confidence.
fn conceal(end: &mut Result<Option<String>, Trouble>, login: &Login) {
    match end {
        Ok(Some(words)) | Err(Trouble::SaidNo(words) | Trouble::Garbled(words)) => {
            *words = hidden(std::mem::take(words), login);
        }
        Ok(None)
        | Err(
            Trouble::Io(_)
            | Trouble::Closed
            | Trouble::TooLong(_)
            | Trouble::Itself
            | Trouble::Unknown(_)
            | Trouble::Refused(_)
            | Trouble::Late,
        ) => {}
    }
}
