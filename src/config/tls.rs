//! The trusted certificates of both transports: the operating system's and the configured ones.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::ScimConfig;
use crate::error::{Error, Result};

/// Returns the certificates to trust: `None` to let the operating system verify, or its store and
/// the configured certificates if there are any.
pub(crate) fn trusted(config: &ScimConfig) -> Result<Option<Vec<CertificateDer<'static>>>> {
    if config.root_certificates.is_empty() {
        return Ok(None);
    }
    // Unreadable certificates of the system's store are skipped, as the system does.
    let mut trusted = rustls_native_certs::load_native_certs().certs;
    for pem in &config.root_certificates {
        let before = trusted.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            trusted.push(
                certificate
                    .map_err(|error| Error::invalid("a root certificate is not valid PEM").with_source(error))?,
            );
        }
        if trusted.len() == before {
            return Err(Error::invalid("a root certificate has no certificate in its PEM text"));
        }
    }
    Ok(Some(trusted))
}
