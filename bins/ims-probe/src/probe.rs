//! One probe of one endpoint: resolve, connect, speak, judge, all before one deadline.

use std::net::IpAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use ims::State;
use ims::layout::Service;
use ims::name::InstanceName;
use ims::span::millis;

use crate::answer::{self, Answer};
use crate::ask::{Ask, Who};
use crate::dialogue::Dialogue;
use crate::dialogue::auth::hidden;
use crate::endpoint::{At, Endpoint};
use crate::engine::Hub;
use crate::level::Level;
use crate::names::Names;
use crate::parcel::{Mark, Route};
use crate::pulse::Pulse;
use crate::reach::is_at_home;
use crate::secrets::{Entry, Secrets};
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
    /// The name of this node.
    pub host: String,
}

/// What is probed, and for whom.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The service and where it is.
    pub endpoint: Endpoint,
    /// The instance it belongs to.
    pub instance: Option<InstanceName>,
    /// The server with the instance's mailboxes at the same address.
    pub beside: Option<Endpoint>,
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
}

impl Prober {
    /// Probes an endpoint; `deadline` is the end of its time.
    pub async fn probe(&self, asked: Asked, deadline: Instant) -> Answer {
        let dialogue = Dialogue::with(asked.endpoint.service);
        let mut level = dialogue.depth(self.how.level);
        let mut who = Who::Nobody;
        if level >= Level::Login && dialogue != Dialogue::Lmtp {
            who = self.who(asked.endpoint.service, &asked);
            if matches!(who, Who::Nobody) && level == Level::Login {
                level = Level::Session;
            }
        }
        let lost_before = self.pulse.lost();
        let mut address = None;
        let mut way = Way::from(match asked.endpoint.at {
            At::Ip(_) => Stage::Connect,
            At::Name(_) => Stage::Resolve,
        });
        let speech = self.speak(&asked, dialogue, (level, who), deadline, &mut way, &mut address);
        let mut end = self.hub.before(deadline, pin!(speech)).await;
        match (&mut end, who.login()) {
            (Some(Ok(Some(words))), Some(login)) => *words = hidden(std::mem::take(words), login),
            (Some(Err(trouble)), Some(login)) => trouble.conceal(login),
            (Some(Ok(None)) | None, _) | (_, None) => {}
        }
        let is_refused = matches!(end, Some(Err(Trouble::Refused(_))));
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
            is_refused,
        }
    }

    async fn speak(
        &self,
        asked: &Asked,
        dialogue: Dialogue,
        (level, who): (Level, Who<'_>),
        deadline: Instant,
        way: &mut Way,
        address: &mut Option<IpAddr>,
    ) -> Result<Option<String>, Trouble> {
        let resolved = || way.enter(Stage::Connect);
        let socket = self.reach(&asked.endpoint, asked.attempt, deadline, resolved, address).await?;
        let me = socket.local().ip();
        let is_at_home = address.map_or(Ok(false), |peer| is_at_home(who, peer))?;
        let tls = self.tls(&asked.endpoint, asked, deadline);
        if level > Level::Connect && tls.is_wanted() {
            socket.send_at_once()?;
        }
        let ask = Ask { level, me, who, is_at_home, tls: Some(&tls), parcel: None };
        let mut wire = Wire::over(socket);
        let Some(route) = self.route(level, asked) else {
            let told = dialogue.hold(&mut wire, ask, way).await;
            wire.close();
            return told;
        };
        // Of the many probes that deliver nothing, none takes the room for this.
        Box::pin(async {
            let mailbox = self.mailbox(asked, route, *address, deadline, way).await?;
            let left = deadline.saturating_duration_since(self.hub.now());
            let mark = Mark::new(&self.how.host, left);
            let ask = Ask { parcel: Some((route, &mark)), ..ask };
            let words = dialogue.hold(&mut wire, ask, way).await?;
            wire.close();
            drop(wire);
            self.fetch(mailbox, &mark, asked, deadline, way).await?;
            Ok(words)
        })
        .await
    }

    /// TLS as it is to be spoken with a service of what is asked.
    pub const fn tls<'a>(&'a self, endpoint: &'a Endpoint, asked: &Asked, deadline: Instant) -> Tls<'a> {
        let is_instances = asked.instance.is_some();
        Tls { kit: &self.kit, hub: &self.hub, round: asked.attempt, deadline, endpoint, is_instances }
    }

    /// Who logs in to a service.
    pub fn who(&self, service: Service, asked: &Asked) -> Who<'_> {
        match self.how.secrets.of(service, asked.instance.as_ref()) {
            Some(Entry::Login(login)) => Who::Login(login),
            Some(Entry::Nobody) => Who::Nobody,
            None => Who::NotKnown,
        }
    }

    /// Where a message goes, if one is wanted and it is known.
    fn route(&self, level: Level, asked: &Asked) -> Option<&Route> {
        let route = self.how.secrets.route(asked.instance.as_ref()).filter(|_| level >= Level::Deliver);
        route.map(|route| &**route)
    }
}
