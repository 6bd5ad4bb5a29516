//! What both transports trust: the operating system's certificates, and those of the configuration.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::ScimConfig;
use crate::error::{Error, Result};

/// The certificates to trust: `None` for the operating system's own judgement, or else its store
/// and those that the configuration adds.
pub(crate) fn trusted(config: &ScimConfig) -> Result<Option<Vec<CertificateDer<'static>>>> {
    if config.root_certificates.is_empty() {
        return Ok(None);
    }
    // What of the system's store cannot be read is left out, as the system itself does.
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
            return Err(Error::invalid("there is no certificate in the PEM text of a root certificate"));
        }
    }
    Ok(Some(trusted))
}
