//! The certificates of both transports: those to trust, the operating system's and the configured ones,
//! and the client's own.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

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

/// The provider that the application has installed, or else ring: the same choice as in ureq.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}

/// The certificates and the key of a client.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Returns the client's own certificate with those of the authorities behind it, and its key.
pub(crate) fn identity(config: &ScimConfig) -> Result<Option<Identity>> {
    let Some((pem, key)) = &config.client_certificate else { return Ok(None) };
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| Error::invalid("the client certificate is not a certificate in PEM format"))?;
    // The error is no source: it could quote the key.
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| Error::invalid("the private key of the client certificate is not in PEM format"))?;
    // ureq would panic where these do not belong together.
    CertifiedKey::from_der(certificates.clone(), key.clone_key(), &provider()).map_err(|error| {
        Error::invalid("the client certificate and its private key do not belong together").with_source(error)
    })?;
    Ok(Some((certificates, key)))
}
