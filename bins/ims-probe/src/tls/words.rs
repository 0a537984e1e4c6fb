//! What rustls says, in the words of records.

#![allow(clippy::wildcard_enum_match_arm)] // the library's enums, to which it may add

use rustls::{AlertDescription, CertificateError, Error, ProtocolVersion, SupportedCipherSuite};

use crate::trouble::Trouble;

/// What ended a handshake or a connection. That nothing is spoken that both know is not the server's doing alone; but a
/// server whose certificate is lost, and one that takes none of our ciphers, say the same (`handshake_failure`, RFC 8446
/// §6.2), and that is a no.
pub fn trouble(error: &Error) -> Trouble {
    match error {
        Error::PeerIncompatible(_)
        | Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity) => {
            Trouble::Unknown(format!("ims-probe speaks TLS 1.2 and 1.3 with modern ciphers alone: {error}"))
        }
        Error::AlertReceived(alert) => Trouble::SaidNo(format!("TLS alert {alert:?}")),
        Error::InvalidCertificate(CertificateError::Other(why)) => {
            Trouble::Unknown(format!("ims-probe cannot use such a certificate: {why}"))
        }
        Error::InvalidMessage(_) => Trouble::Garbled("what came is not TLS".to_owned()),
        other => Trouble::Garbled(format!("TLS went wrong: {other}")),
    }
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
