//! What is wrong with a server's certificate. Each question is answered for itself, so that one that has expired
//! hides no other name.

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;

use super::trust::Trust;
use super::words;
use crate::finding::{Finding, Found};
use crate::stage::Stage;
use crate::words::printable;

const DAY: i64 = 24 * 60 * 60;
/// `rsaEncryption` (RFC 8017 §C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What is to be thought of a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Whether an authority stands behind it; nothing when none is known.
    pub trusted: Option<bool>,
    /// Whether it is for the name; nothing when none was given.
    pub name_ok: Option<bool>,
    /// Whole days until it expires.
    pub days_left: Option<i64>,
    /// All that is wrong with it.
    pub found: Vec<Found>,
}

/// Judges the certificates that a server has shown, its own first.
pub fn judge(
    chain: &[CertificateDer<'_>],
    name: Option<&ServerName<'_>>,
    trust: Result<&Trust, &str>,
    now: UnixTime,
) -> Judged {
    let mut judged = Judged::default();
    let Some((own, others)) = chain.split_first() else {
        judged.trusted = Some(false);
        judged.note(Finding::CertificateNotTrusted, "the server has shown no certificate");
        return judged;
    };
    let at = judged.dates(own, now);
    judged.trust(own, others, trust, at);
    if let Some(name) = name {
        judged.name(own, name);
    }
    judged
}

impl Judged {
    fn note(&mut self, what: Finding, words: &str) {
        self.found.push(Found { what, stage: Stage::Tls, words: printable(words.as_bytes()) });
    }

    /// Notes when it is valid, and gives a time at which it is: at that its issuers are judged, so that an old
    /// certificate of a good authority is told from one of a stranger.
    fn dates(&mut self, own: &CertificateDer<'_>, now: UnixTime) -> UnixTime {
        let Ok(parsed) = Certificate::from_der(own) else { return now };
        let validity = parsed.tbs_certificate.validity;
        let (first, last) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        let left = seconds(last.as_secs()) - seconds(now.as_secs());
        self.days_left = Some(left.div_euclid(DAY));
        if left < 0 {
            self.note(
                Finding::CertificateExpired,
                &format!("the certificate expired on {}", validity.not_after),
            );
            return UnixTime::since_unix_epoch(last);
        }
        if now.as_secs() < first.as_secs() {
            let words = format!("the certificate is not valid before {}", validity.not_before);
            self.note(Finding::CertificateNotYetValid, &words);
            return UnixTime::since_unix_epoch(first);
        }
        now
    }

    fn trust(
        &mut self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        trust: Result<&Trust, &str>,
        at: UnixTime,
    ) {
        let trust = match trust {
            Ok(trust) => trust,
            Err(words) => return self.note(Finding::TrustUnknown, words),
        };
        // One that has signed itself and is given by --ca is trusted for what it is.
        let verified = trust.own.contains(own).then_some(()).ok_or(()).or_else(|()| {
            let algorithms = ring::default_provider().signature_verification_algorithms.all;
            let parsed = ParsedCertificate::try_from(own)?;
            verify_server_cert_signed_by_trust_anchor(&parsed, &trust.roots, others, at, algorithms)
        });
        self.trusted = Some(verified.is_ok());
        if let Err(error) = verified {
            let why =
                if signed_itself(own) { "it has signed itself".to_owned() } else { words::untrusted(&error) };
            self.note(Finding::CertificateNotTrusted, &format!("the certificate is not trusted: {why}"));
        }
    }

    fn name(&mut self, own: &CertificateDer<'_>, name: &ServerName<'_>) {
        let verified = ParsedCertificate::try_from(own).and_then(|own| verify_server_name(&own, name));
        self.name_ok = Some(verified.is_ok());
        if let Err(error) = verified {
            let mut names = Vec::new();
            if let Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) =
                error
            {
                names = presented;
            }
            let names = if names.is_empty() {
                "names nobody".to_owned()
            } else {
                format!("is for {}", names.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", "))
            };
            self.note(
                Finding::CertificateName,
                &format!("the certificate {names} and not for {}", name.to_str()),
            );
        }
    }
}

fn signed_itself(own: &CertificateDer<'_>) -> bool {
    Certificate::from_der(own).is_ok_and(|own| own.tbs_certificate.issuer == own.tbs_certificate.subject)
}

/// How long an RSA key of 2048 bits is as a certificate holds it (RFC 8017 §A.1.1): its modulus, the shortest exponent,
/// and what tells their lengths.
const RSA_2048: usize = 268;

/// Whether a certificate has an RSA key that is shorter than the library reads.
pub fn has_short_key(own: &CertificateDer<'_>) -> bool {
    Certificate::from_der(own).is_ok_and(|own| {
        let key = own.tbs_certificate.subject_public_key_info;
        key.algorithm.oid == RSA && key.subject_public_key.raw_bytes().len() < RSA_2048
    })
}

/// A name out of the library's `DnsName("mail-1")`.
fn bare(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")).unwrap_or(name)
}

fn seconds(since_1970: u64) -> i64 {
    i64::try_from(since_1970).unwrap_or(i64::MAX)
}
