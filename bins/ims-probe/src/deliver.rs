//! The second half of a delivery: the mailbox that the message must come to.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ims::layout::Service;

use crate::ask::{Ask, Who};
use crate::dialogue::mailbox;
use crate::endpoint::{At, Endpoint};
use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::probe::{Asked, Prober, is_at_home};
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::Wire;

/// The port of IMAP where nobody says another.
const IMAP: u16 = 143;

/// Where a message must come to, and who looks there.
#[derive(Debug)]
pub struct Mailbox<'a> {
    endpoint: Endpoint,
    who: Who<'a>,
}

impl Prober {
    /// The mailbox at the end of a route, if it may be looked into; without a word on where that is, it is at the
    /// address that takes the message. It is found before anything is sent, for what nobody may delete would stay.
    pub async fn mailbox(
        &self,
        asked: &Asked,
        route: &Route,
        beside: Option<IpAddr>,
        deadline: Instant,
        way: &mut Way,
    ) -> Result<Mailbox<'_>, Trouble> {
        let here = |ip| {
            let port = asked.imap.unwrap_or(IMAP);
            Endpoint { service: Service::Imap, at: At::Ip(ip), port }
        };
        let unknown = || Trouble::Unknown("the mailbox has no address".to_owned());
        let endpoint = route.fetch.clone().or_else(|| beside.map(here)).ok_or_else(unknown)?;
        let addresses = match &endpoint.at {
            At::Ip(ip) => vec![*ip],
            At::Name(name) => {
                way.enter(Stage::Resolve);
                let found = self.names.addresses(&self.hub, name, endpoint.port, asked.attempt).await?;
                found.iter().map(SocketAddr::ip).collect()
            }
        };
        let who = self.who(endpoint.service, asked);
        let tls = self.tls(&endpoint, asked, deadline);
        let is_safe = tls.is_off() || tls.is_required();
        let at_home = addresses.iter().try_fold(true, |all, ip| is_at_home(who, *ip).map(|is| all && is));
        if let Err(trouble) = at_home.and_then(|is_at_home| who.safely(is_at_home || is_safe)) {
            way.enter(Stage::Fetch);
            return Err(trouble);
        }
        Ok(Mailbox { endpoint, who })
    }

    /// Waits for a message in its mailbox and deletes it.
    pub async fn fetch(
        &self,
        Mailbox { endpoint, who }: Mailbox<'_>,
        mark: &Mark,
        asked: &Asked,
        deadline: Instant,
        way: &mut Way,
    ) -> Result<(), Trouble> {
        way.enter(Stage::Fetch);
        let mut address = None;
        let socket = self.reach(&endpoint, asked.attempt, deadline, || (), &mut address).await?;
        let me = socket.local().ip();
        let is_at_home = address.map_or(Ok(false), |peer| is_at_home(who, peer))?;
        let tls = self.tls(&endpoint, asked, deadline);
        if tls.is_wanted() {
            socket.send_at_once()?;
        }
        let ask = Ask { level: Level::Login, me, who, is_at_home, tls: Some(&tls), parcel: None };
        let mut wire = Wire::over(socket);
        let nap = async |time| self.nap(time).await;
        let mut told = mailbox::hold(&mut wire, ask, way, mark, nap).await;
        wire.close();
        if let (Err(trouble), Some(login)) = (&mut told, who.login()) {
            trouble.conceal(login);
        }
        told
    }

    async fn nap(&self, time: Duration) {
        let until = self.hub.now() + time;
        poll_fn(|_| self.hub.until(until)).await;
    }
}
