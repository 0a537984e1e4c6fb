//! TLS, from the first byte or by STARTTLS. The handshake is made with whatever certificate the server shows; what is
//! wrong with it is found afterwards, all of it, and told.
//!
//! Revocation is not asked for. TLS before 1.2 is not spoken.

mod authorities;
mod certificate;
mod channel;
mod kit;
mod trust;
mod words;

use std::fmt;
use std::time::Instant;

use clap::ValueEnum;
use ims::layout::Service;
use rustls::ClientConnection;
use rustls::pki_types::{ServerName, UnixTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::{At, Endpoint};
use crate::engine::Hub;
use crate::finding::{Finding, Found};
use crate::stage::{Stage, Way};
use crate::trouble::Trouble;
use crate::wire::{Stream, Wire};

pub use channel::Channel;
pub use kit::Kit;
pub use words::trouble;

/// Whether and how strictly TLS is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A server without STARTTLS, and a certificate that does not verify, are down
    Require,
    /// STARTTLS where it is offered; what is wrong with the certificate is a finding
    Try,
    /// No STARTTLS
    Off,
}

/// What was agreed with the server, and what is to be thought of its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secured {
    /// The version of TLS, such as `TLS1.3`.
    pub version: String,
    /// The cipher suite by its name in the standard.
    pub cipher: String,
    /// Whether a trusted authority stands behind the certificate; null when none is known here.
    pub trusted: Option<bool>,
    /// Whether the certificate is for the name or address that was asked for; null when no name was given.
    pub name_ok: Option<bool>,
    /// Whole days until the certificate expires, below 0 when it has; null when it does not tell.
    pub days_left: Option<i64>,
}

/// TLS as one probe is to speak it.
pub struct Tls<'a> {
    /// What all probes share.
    pub kit: &'a Kit,
    /// The loop on which the authorities are waited for.
    pub hub: &'a Hub,
    /// Which probe of its target it is.
    pub round: u64,
    /// The end of the probe's time.
    pub deadline: Instant,
    /// What is probed.
    pub endpoint: &'a Endpoint,
    /// Whether the endpoint comes from an instance, which does not tell the name by which its clients come.
    pub is_instances: bool,
}

impl fmt::Debug for Tls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("kit", self.kit).field("endpoint", self.endpoint).finish_non_exhaustive()
    }
}

impl Tls<'_> {
    /// Whether the service begins with TLS.
    pub const fn is_from_first_byte(&self) -> bool {
        is_from_first_byte(self.endpoint.service)
    }

    /// Whether TLS is wanted at all.
    pub const fn is_wanted(&self) -> bool {
        self.is_from_first_byte() || self.wants_starttls()
    }

    /// Whether the user has asked for no TLS, and so for passwords in the clear where it does not come first.
    pub fn is_off(&self) -> bool {
        self.kit.mode == Some(Mode::Off)
    }

    /// Whether nothing is said but over TLS.
    pub fn is_required(&self) -> bool {
        self.is_from_first_byte() || self.kit.mode == Some(Mode::Require)
    }

    /// Whether STARTTLS is wanted.
    pub const fn wants_starttls(&self) -> bool {
        !self.is_from_first_byte() && matches!(self.kit.mode, Some(Mode::Require | Mode::Try))
    }

    /// Whether to ask a server for STARTTLS that offers it, or does not.
    pub fn asks(&self, offered: bool, way: &mut Way) -> Result<bool, Trouble> {
        if self.wants_starttls() && !offered && self.kit.mode == Some(Mode::Require) {
            if way.stage() != Stage::Tls {
                way.enter(Stage::Tls);
            }
            return Err(Trouble::SaidNo("STARTTLS is not offered".to_owned()));
        }
        Ok(self.wants_starttls() && offered)
    }

    /// The server offers STARTTLS and said no to it; the dialogue goes on without where that is allowed.
    pub fn refused(&self, words: String, way: &mut Way) -> Result<(), Trouble> {
        if self.kit.mode == Some(Mode::Require) {
            return Err(Trouble::SaidNo(words));
        }
        way.found(Found { what: Finding::StarttlsRefused, stage: Stage::Tls, words });
        Ok(())
    }

    /// The name that was given for all targets, or the endpoint's own.
    fn name(&self) -> Result<ServerName<'static>, Trouble> {
        match (&self.kit.name, &self.endpoint.at) {
            (Some(name), _) => Ok(name.clone()),
            (None, At::Ip(ip)) => Ok(ServerName::from(*ip)),
            (None, At::Name(name)) => server_name(name)
                .ok_or_else(|| Trouble::Unknown(format!("{name} is not a name that a certificate can have"))),
        }
    }

    /// The host and the port that are asked for: a server may say no to another name than the one in its TLS (RFC 9110
    /// §7.4).
    pub fn authority(&self) -> String {
        match &self.kit.name {
            Some(ServerName::DnsName(name)) => format!("{}:{}", name.as_ref(), self.endpoint.port),
            Some(_) | None => self.endpoint.authority(),
        }
    }

    /// Begins TLS on a connection and looks at the server's certificate.
    pub async fn begin<S: Stream>(&self, wire: &mut Wire<S>, way: &mut Way) -> Result<(), Trouble> {
        let name = self.name()?;
        let connection = ClientConnection::new(self.kit.config()?, name.clone());
        // It is large, and what waits holds the room for it also where no TLS is spoken.
        wire.secure(connection.map(Box::new).map_err(|error| trouble(&error))?).await?;
        let trust = self.kit.authorities.get(self.hub, self.round, self.deadline).await;
        let Some(connection) = wire.tls() else { return Err(Trouble::Closed) };
        let checks_name = self.kit.name.is_some() || !self.is_instances;
        let name = checks_name.then_some(&name);
        let chain = connection.peer_certificates().unwrap_or_default();
        let judged =
            certificate::judge(chain, name, trust.as_deref().map_err(String::as_str), UnixTime::now());
        way.secure(Secured {
            version: connection.protocol_version().map_or_else(String::new, words::version),
            cipher: connection.negotiated_cipher_suite().map_or_else(String::new, words::cipher),
            trusted: judged.trusted,
            name_ok: judged.name_ok,
            days_left: judged.days_left,
        });
        if self.kit.mode != Some(Mode::Require) || judged.found.is_empty() {
            judged.found.into_iter().for_each(|found| way.found(found));
            return Ok(());
        }
        let nobody_known = judged.found.iter().all(|found| found.what == Finding::TrustUnknown);
        let words: Vec<String> = judged.found.into_iter().map(|found| found.words).collect();
        let words = words.join("; ");
        Err(if nobody_known { Trouble::Unknown(words) } else { Trouble::SaidNo(words) })
    }
}

/// A name as certificates have them, without the dot that ends an absolute one.
pub fn server_name(name: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(name.trim_end_matches('.').to_owned()).ok()
}

/// Whether TLS begins with the first byte of a service.
pub const fn is_from_first_byte(service: Service) -> bool {
    match service {
        Service::Smtps | Service::Imaps | Service::Pop3s | Service::Ldaps | Service::Https => true,
        Service::Smtp
        | Service::Submission
        | Service::Lmtp
        | Service::Imap
        | Service::Pop3
        | Service::Http
        | Service::Ldap
        | Service::JobController
        | Service::Other => false,
    }
}
