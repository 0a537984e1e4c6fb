//! The authorities that are trusted: those of the system, or those of a file instead.

use std::path::Path;

use ims::Fail;
use ims::sys::file::read;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificates that may stand behind a server's.
#[derive(Debug)]
pub struct Trust {
    /// What is known of each as an authority.
    pub roots: RootCertStore,
    /// Those of a file, any of which may be a server's own.
    pub own: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The system's store, as the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` or the distribution have it. What of it
    /// cannot be read or used is as good as not there; when nothing is left, these words tell why. It may hang.
    pub fn of_the_system() -> Result<Self, String> {
        let read = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(read.certs);
        if roots.is_empty() {
            let why = read.errors.first().map_or_else(
                || "no certificate authority is known here".to_owned(),
                |error| format!("the system's certificate authorities cannot be read: {error}"),
            );
            return Err(format!("{why} (install ca-certificates or give --ca)"));
        }
        Ok(Self { roots, own: Vec::new() })
    }

    /// The certificates of a PEM file; there is at least one.
    pub fn from_file(path: &Path) -> Result<Self, Fail> {
        let bad = |why: &str| Fail::usage(format!("{}: {why}", path.display()));
        let text = read(path)?.ok_or_else(|| bad("no such file"))?;
        let own: Vec<CertificateDer> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|error| bad(&format!("not a PEM file: {error}")))?;
        let mut roots = RootCertStore::empty();
        if own.is_empty() {
            return Err(bad("no certificate in it").hint("-----BEGIN CERTIFICATE----- begins one"));
        }
        for certificate in &own {
            roots
                .add(certificate.clone())
                .map_err(|error| bad(&format!("not a certificate of an authority: {error}")))?;
        }
        Ok(Self { roots, own })
    }
}
