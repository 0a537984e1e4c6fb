//! What rustls says, in the words of records.

#![allow(clippy::wildcard_enum_match_arm)] // the library's enums, to which it may add

use std::io;

use rustls::{AlertDescription, CertificateError, Error, ProtocolVersion, SupportedCipherSuite};

use crate::trouble::Trouble;

/// What ended a handshake or a connection. That nothing is spoken that both know is not the server's doing alone.
pub fn trouble(error: &Error) -> Trouble {
    match error {
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            too_old(error)
        }
        Error::AlertReceived(alert) => Trouble::SaidNo(format!("TLS alert {alert:?}")),
        Error::InvalidCertificate(CertificateError::Other(why)) => {
            Trouble::Unknown(format!("ims-probe cannot use such a certificate: {why}"))
        }
        Error::InvalidMessage(_) => Trouble::Garbled("what came is not TLS".to_owned()),
        other => Trouble::Garbled(format!("TLS went wrong: {other}")),
    }
}

/// What ended a handshake. These two alerts mean that the server takes nothing of what was offered (RFC 8446 §6.2):
/// another client may offer more.
pub fn unshaken(error: io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(
            error @ Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            ),
        ) => too_old(error),
        Some(_) | None => error.into(),
    }
}

fn too_old(error: &Error) -> Trouble {
    Trouble::Unknown(format!("ims-probe speaks TLS 1.2 and 1.3 with modern ciphers alone: {error}"))
}

/// Why no authority stands behind a certificate.
pub fn untrusted(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its issuer is not known here".to_owned()
        }
        Error::InvalidCertificate(CertificateError::Other(why)) => why.to_string(),
        Error::InvalidCertificate(why) => why.to_string(),
        other => other.to_string(),
    }
}

/// A version as it is usually written.
pub fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLS1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A cipher suite by its registered name.
pub fn cipher(suite: SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    name.strip_prefix("TLS13_").map_or_else(|| name.clone(), |rest| format!("TLS_{rest}"))
}
