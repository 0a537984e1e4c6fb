//! What all probes of a run share to speak TLS.

use std::cell::OnceCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::authorities::Authorities;
use super::trust::Source;
use super::{Mode, certificate, trouble};
use crate::trouble::Trouble;

/// The wishes of the command line, and what is made when the first handshake needs it.
#[derive(Debug)]
pub struct Kit {
    /// Whether TLS is wanted where the scheme does not say so.
    pub mode: Option<Mode>,
    /// The name that is asked for and checked, in place of each target's own.
    pub name: Option<ServerName<'static>>,
    /// Whom to trust.
    pub authorities: Authorities,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Kit {
    /// Trusts a file's authorities when one is given.
    pub fn new(mode: Option<Mode>, name: Option<ServerName<'static>>, file: Option<PathBuf>) -> Self {
        let authorities = Authorities::of(file.map_or(Source::System, Source::File));
        Self { mode, name, authorities, config: OnceCell::new() }
    }

    /// How connections are made. Each handshake is a whole one: a session taken up again would show no certificate.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Trouble> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| trouble(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TakesAny(provider)))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

/// A signature by such a key is not looked at here, so nobody can tell whether it is a good one.
fn too_short() -> Error {
    let why = io::Error::other("its RSA key has less than 2048 bits");
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

/// Takes any certificate, as long as the server has its key. What is wrong with it is found after the handshake, when
/// all of it can be told.
#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
            .map_err(|error| if certificate::has_short_key(certificate) { too_short() } else { error })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
            .map_err(|error| if certificate::has_short_key(certificate) { too_short() } else { error })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
