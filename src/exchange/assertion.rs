//! Signed assertions of a client (RFC 7523), with the cryptography of rustls.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use serde_json::json;

use crate::config::{PrivateKey, tls};
use crate::error::{Error, Result, Secret};

/// A key that signs assertions.
pub(crate) struct Signer {
    key: Arc<dyn SigningKey>,
    algorithm: &'static Algorithm,
    key_id: Option<String>,
}

/// An algorithm of RFC 7518 §3.1 or RFC 8037 §3.1.
struct Algorithm {
    name: &'static str,
    scheme: SignatureScheme,
    /// The size of a number of an ECDSA signature.
    number: Option<usize>,
}

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm { name: "RS256", scheme: SignatureScheme::RSA_PKCS1_SHA256, number: None },
    Algorithm { name: "ES256", scheme: SignatureScheme::ECDSA_NISTP256_SHA256, number: Some(32) },
    Algorithm { name: "ES384", scheme: SignatureScheme::ECDSA_NISTP384_SHA384, number: Some(48) },
    Algorithm { name: "EdDSA", scheme: SignatureScheme::ED25519, number: None },
];

impl Signer {
    /// How long an assertion is valid, in seconds.
    const LIFETIME: u64 = 60;

    pub(crate) fn new(key: &PrivateKey) -> Result<Self> {
        // Neither error is a source: it could quote the key.
        let der = PrivateKeyDer::from_pem_slice(key.pem.expose().as_bytes())
            .map_err(|_| Error::invalid("the private key of the client credentials is not in PEM format"))?;
        let unsupported = || {
            Error::invalid(
                "the private key of the client credentials is neither an RSA, a P-256, a P-384 nor an Ed25519 key",
            )
        };
        let signing = tls::provider().key_provider.load_private_key(der).map_err(|_| unsupported())?;
        let algorithm = ALGORITHMS
            .iter()
            .find(|algorithm| signing.choose_scheme(&[algorithm.scheme]).is_some())
            .ok_or_else(unsupported)?;
        Ok(Self { key: signing, algorithm, key_id: key.key_id.clone() })
    }

    /// An assertion that the client is this one, for this audience.
    pub(crate) fn assertion(&self, client: &str, audience: &str, now: SystemTime, random: [u64; 2]) -> Result<Secret> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let head = match &self.key_id {
            Some(key_id) => json!({ "alg": self.algorithm.name, "typ": "JWT", "kid": key_id }),
            None => json!({ "alg": self.algorithm.name, "typ": "JWT" }),
        };
        let claims = json!({
            "iss": client, "sub": client, "aud": audience, "jti": format!("{:016x}{:016x}", random[0], random[1]),
            "iat": now, "exp": now.saturating_add(Self::LIFETIME),
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&head), encode(&claims));
        let failed = || Error::invalid("the private key of the client credentials cannot sign");
        let signer = self.key.choose_scheme(&[self.algorithm.scheme]).ok_or_else(failed)?;
        let signature = signer.sign(text.as_bytes()).map_err(|error| failed().with_source(error))?;
        let signature = match self.algorithm.number {
            Some(size) => plain_numbers(&signature, size).ok_or_else(failed)?,
            None => signature,
        };
        Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm.name).finish_non_exhaustive()
    }
}

/// The two numbers of an ECDSA signature without their ASN.1, each in `size` bytes (RFC 7518 §3.4).
fn plain_numbers(der: &[u8], size: usize) -> Option<Vec<u8>> {
    // SEQUENCE { INTEGER, INTEGER }, in which every length fits into one byte.
    let (&[0x30, length], mut rest) = der.split_first_chunk::<2>()? else { return None };
    if usize::from(length) != rest.len() {
        return None;
    }
    let mut plain = Vec::with_capacity(size.saturating_mul(2));
    for _ in 0..2 {
        let (&[0x02, length], after) = rest.split_first_chunk::<2>()? else { return None };
        let (number, after) = after.split_at_checked(length.into())?;
        // A number whose first bit is set has a zero before it.
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        plain.extend(std::iter::repeat_n(0, size.checked_sub(number.len())?));
        plain.extend_from_slice(number);
        rest = after;
    }
    rest.is_empty().then_some(plain)
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    fn signer(pem: &str) -> Result<Signer> {
        Signer::new(&PrivateKey { pem: pem.into(), key_id: Some("k1".into()), audience: None })
    }

    #[test]
    fn an_assertion_names_the_client_and_is_signed_with_the_algorithm_of_the_key() {
        for (kind, name, length) in [
            (&PKCS_ECDSA_P256_SHA256, "ES256", 64),
            (&PKCS_ECDSA_P384_SHA384, "ES384", 96),
            (&PKCS_ED25519, "EdDSA", 64),
        ] {
            let pem = KeyPair::generate_for(kind).unwrap().serialize_pem();
            let signer = signer(&pem).unwrap();
            let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000);
            // The numbers of an ECDSA signature are often shorter than the largest one.
            for random in 0..20 {
                let assertion = signer.assertion("me", "https://x/token", now, [0, random]).unwrap();
                let parts: Vec<Vec<u8>> =
                    assertion.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
                let [head, claims, signature] = &parts[..] else { panic!("{parts:?}") };
                let [head, claims] =
                    [head, claims].map(|part| serde_json::from_slice::<serde_json::Value>(part).unwrap());
                assert_eq!(head, json!({ "alg": name, "typ": "JWT", "kid": "k1" }));
                assert_eq!(claims["jti"], format!("{random:032x}"));
                assert_eq!(
                    (&claims["iss"], &claims["sub"], &claims["aud"]),
                    (&json!("me"), &json!("me"), &json!("https://x/token"))
                );
                assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1000), &json!(1060)));
                assert_eq!(signature.len(), length, "{name}");
            }
        }
    }

    #[test]
    fn an_unusable_key_is_rejected_and_not_repeated() {
        for pem in ["canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"] {
            let error = signer(pem).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5") && text.contains("private key"), "{text}");
        }
    }

    #[test]
    fn the_numbers_of_a_signature_are_padded() {
        assert_eq!(plain_numbers(&[0x30, 7, 2, 1, 5, 2, 2, 0, 0x80], 2), Some(vec![0, 5, 0, 0x80]));
        for wrong in [&[][..], &[0x30, 3, 2, 1, 5], &[0x30, 6, 2, 1, 5, 2, 1], &[0x30, 8, 2, 3, 1, 2, 3, 2, 1, 1]] {
            assert_eq!(plain_numbers(wrong, 2), None, "{wrong:?}");
        }
    }
}
