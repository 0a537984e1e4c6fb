//! The certificate of the stand-ins, which signs itself, and who trusts it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The name that it has.
pub const NAME: &str = "mail-1.example.test";

/// Makes it in a folder.
pub fn make(folder: &Path) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs_err::write(certificate(folder), made.cert.pem()).unwrap();
    fs_err::write(key(folder), made.signing_key.serialize_pem()).unwrap();
}

/// The file that holds it.
pub fn certificate(folder: &Path) -> PathBuf {
    folder.join("cert.pem")
}

fn key(folder: &Path) -> PathBuf {
    folder.join("key.pem")
}

/// A server that has it.
pub fn server(folder: &Path) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(certificate(folder)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(key(folder)).unwrap();
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap()
}

/// A client that trusts it and nothing else. No session is taken up again: each probe is to see the certificate.
pub fn client(folder: &Path) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate(folder)).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
