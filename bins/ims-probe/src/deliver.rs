//! The second half of a delivery: the mailbox that the message must come to.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ims::layout::Service;

use crate::ask::{Ask, Who};
use crate::dialogue::Dialogue;
use crate::dialogue::mailbox::Waits;
use crate::dialogue::mailbox::imap;
use crate::dialogue::mailbox::pop3::{Look, Maildrop};
use crate::dialogue::pop3::hasty;
use crate::endpoint::{At, Endpoint};
use crate::level::Level;
use crate::parcel::{Mark, Route};
use crate::probe::{Asked, Prober};
use crate::reach::is_at_home;
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::Wire;

/// The port of IMAP where nobody says another.
const IMAP: u16 = 143;

/// How long to wait from one session of POP3 to the next.
const SESSIONS: Waits = Waits::of(100, 2000);

/// The server of mailboxes that an instance has at the address of another of its services.
pub fn mailbox_beside<'e>(endpoint: &Endpoint, all: &'e [Endpoint]) -> Option<&'e Endpoint> {
    let with = |service| all.iter().find(move |other| other.service == service && other.at == endpoint.at);
    [Service::Imap, Service::Imaps, Service::Pop3, Service::Pop3s].into_iter().find_map(with)
}

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
        let here = |ip| Endpoint { service: Service::Imap, at: At::Ip(ip), port: IMAP };
        let unknown = || Trouble::Unknown("the mailbox has no address".to_owned());
        let said = route.fetch.clone().or_else(|| asked.beside.clone());
        let endpoint = said.or_else(|| beside.map(here)).ok_or_else(unknown)?;
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

    /// Waits for a message in its mailbox and deletes it: by IMAP in one session, by POP3 in as many as it takes.
    pub async fn fetch(
        &self,
        mailbox: Mailbox<'_>,
        mark: &Mark,
        asked: &Asked,
        deadline: Instant,
        way: &mut Way,
    ) -> Result<(), Trouble> {
        let mut told = self.look(&mailbox, mark, asked, deadline, way).await;
        if let (Err(trouble), Some(login)) = (&mut told, mailbox.who.login()) {
            trouble.conceal(login);
        }
        told
    }

    async fn look(
        &self,
        Mailbox { endpoint, who }: &Mailbox<'_>,
        mark: &Mark,
        asked: &Asked,
        deadline: Instant,
        way: &mut Way,
    ) -> Result<(), Trouble> {
        let tls = self.tls(endpoint, asked, deadline);
        let (mut drop, mut waits) = (Maildrop::default(), SESSIONS);
        loop {
            if way.stage() != drop.stage() {
                way.enter(drop.stage());
            }
            let mut address = None;
            let socket = self.reach(endpoint, asked.attempt, deadline, || (), &mut address).await?;
            let me = socket.local().ip();
            let is_at_home = address.map_or(Ok(false), |peer| is_at_home(*who, peer))?;
            if tls.is_wanted() {
                socket.send_at_once()?;
            }
            let ask = Ask { level: Level::Login, me, who: *who, is_at_home, tls: Some(&tls), parcel: None };
            let mut wire = Wire::over(socket);
            let told = if Dialogue::with(endpoint.service) == Dialogue::Pop3 {
                drop.look(&mut wire, ask, way, mark).await
            } else {
                imap::hold(&mut wire, ask, way, mark, async |time| self.nap(time).await)
                    .await
                    .map(|()| Look::Over)
            };
            wire.close();
            let wait = waits.longer();
            match told? {
                Look::Over => return Ok(()),
                Look::Deleted => {}
                // Who has the mailbox all the time is told, and not the time alone.
                Look::Busy(words) if self.hub.now() + wait >= deadline => {
                    return Err(hasty(Trouble::SaidNo(words)));
                }
                Look::NotYet | Look::Busy(_) => self.nap(wait).await,
            }
        }
    }

    async fn nap(&self, time: Duration) {
        let until = self.hub.now() + time;
        poll_fn(|_| self.hub.until(until)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mailbox_of_an_instance_is_at_the_address_that_takes_its_mail() {
        let all = |urls: &[&str]| urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<Endpoint>>();
        for (endpoints, beside) in [
            (&["smtp://192.0.2.10", "pop3://192.0.2.10", "imap://192.0.2.10:1143"][..], Some(2)),
            (&["smtp://192.0.2.10", "imap://192.0.2.11", "pop3s://192.0.2.10"], Some(2)),
            (&["smtp://192.0.2.10", "imap://192.0.2.11"], None),
        ] {
            let all = all(endpoints);
            assert_eq!(mailbox_beside(&all[0], &all), beside.map(|at| &all[at]), "{endpoints:?}");
        }
    }
}
