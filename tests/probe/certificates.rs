//! Certificates that a test makes for itself: an authority, and servers with whatever is to be wrong with them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// The name that the servers of these tests have.
pub const NAME: &str = "mail.example.org";
pub const DAY: i64 = 24 * 60 * 60;

/// What a server's certificate says.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Its names and addresses.
    pub names: &'static [&'static str],
    /// When it begins and ends, in seconds from now.
    pub from: i64,
    pub until: i64,
    /// Whether it signs itself.
    pub own: bool,
}

/// A certificate with nothing wrong.
pub const GOOD: Wanted =
    Wanted { names: &[NAME, "127.0.0.1", "192.0.2.10"], from: -DAY, until: 30 * DAY + 3600, own: false };

/// An authority, and its file for `--ca`.
pub struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Server {
    pub certificate: Certificate,
    pub key: KeyPair,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// The file that holds it.
    pub fn file(&self) -> String {
        self.folder.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    /// A file beside it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        path
    }

    pub fn issue(&self, wanted: &Wanted) -> Server {
        let names: Vec<String> = wanted.names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a server of the tests");
        (params.not_before, params.not_after) = (moment(wanted.from).into(), moment(wanted.until).into());
        let key = KeyPair::generate().unwrap();
        let certificate =
            if wanted.own { params.self_signed(&key) } else { params.signed_by(&key, &self.issuer) };
        Server { certificate: certificate.unwrap(), key }
    }
}

impl Server {
    /// A rustls server with it.
    pub fn config(&self) -> rustls::ServerConfig {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![self.certificate.der().clone()];
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap()
    }
}

fn moment(from_now: i64) -> SystemTime {
    let span = Duration::from_secs(from_now.unsigned_abs());
    if from_now < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}
