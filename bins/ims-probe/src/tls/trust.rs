//! The authorities that are trusted: those of the system, or those of a file instead.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ims::Fail;
use ims::sys::file::read;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Where authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The system's store, as the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` or the distribution have it.
    System,
    /// A PEM file, which may be replaced meanwhile.
    File(PathBuf),
}

/// Certificates that may stand behind a server's.
#[derive(Debug)]
pub struct Trust {
    /// What is known of each as an authority.
    pub roots: RootCertStore,
    /// Those of a file, any of which may be a server's own.
    pub own: Vec<CertificateDer<'static>>,
    /// The file as it was when it was read.
    stamp: Option<Stamp>,
}

/// What is another when a file was written or replaced: its device and number, its size, and the time of its last
/// change in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

impl Source {
    /// Reads them, or gives what was read before when nothing has changed since. It may hang.
    pub fn read(&self, last: Option<Arc<Trust>>) -> Result<Arc<Trust>, Fail> {
        match self {
            Self::System => last.map_or_else(|| of_the_system().map(Arc::new), Ok),
            Self::File(path) => {
                // Before it is read: a change meanwhile is seen the next time.
                let stamp = stamp(path);
                match last.filter(|last| stamp.is_some() && last.stamp == stamp) {
                    Some(last) => Ok(last),
                    None => from_file(path, stamp).map(Arc::new),
                }
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.size(), found.ctime(), found.ctime_nsec()))
}

/// What of the system's store cannot be read or used is as good as not there; when nothing is left, the words tell why.
fn of_the_system() -> Result<Trust, Fail> {
    let read = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.certs);
    if roots.is_empty() {
        let why = read.errors.first().map_or_else(
            || "no certificate authority is known here".to_owned(),
            |error| format!("the system's certificate authorities cannot be read: {error}"),
        );
        return Err(Fail::unknown(why).hint("install ca-certificates or give --ca"));
    }
    Ok(Trust { roots, own: Vec::new(), stamp: None })
}

/// The certificates of a PEM file; there is at least one.
fn from_file(path: &Path, stamp: Option<Stamp>) -> Result<Trust, Fail> {
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
    Ok(Trust { roots, own, stamp })
}
