//! What is not as it should be though the level was reached: it makes an answer partial.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stage::Stage;

/// What was found on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The server's certificate has expired.
    CertificateExpired,
    /// The server's certificate is not valid yet.
    CertificateNotYetValid,
    /// The server's certificate is for other names.
    CertificateName,
    /// No authority that is trusted here stands behind the server's certificate.
    CertificateNotTrusted,
    /// No authority is known here, so that nobody can be trusted.
    TrustUnknown,
    /// The server offers STARTTLS and says no to it.
    StarttlsRefused,
    /// A message came to its mailbox more than once.
    DeliveredTwice,
}

/// A finding, where it was made, and what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub what: Finding,
    /// Where.
    pub stage: Stage,
    /// The words for people, fit for a record.
    pub words: String,
}
