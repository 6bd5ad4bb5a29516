//! A TLS server with a self-signed certificate.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

pub(crate) struct TlsServer {
    base_url: String,
    certificate: String,
    pub(crate) received: Receiver<String>,
}

/// An authority that certifies clients.
pub(crate) struct ClientAuthority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl ClientAuthority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// The certificate of a client and its key, in PEM.
    pub(crate) fn client(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.example.com".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

impl TlsServer {
    pub(crate) fn start() -> Self {
        Self::answering(None, 200)
    }

    /// A server that accepts only clients that this authority has certified.
    pub(crate) fn for_clients_of(authority: &ClientAuthority) -> Self {
        Self::answering(Some(authority), 200)
    }

    /// A server that answers with this status.
    pub(crate) fn answering(authority: Option<&ClientAuthority>, status: u16) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = own.cert.pem();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = match authority {
            None => builder.unwrap().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.unwrap().with_client_cert_verifier(verifier.unwrap())
            }
        };
        let config = builder.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let config = Arc::new(config);
        let (heads, received) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
                let mut head = Vec::new();
                let mut bytes = [0; 4096];
                // A client that does not trust the certificate closes the connection here.
                while !head.ends_with(b"\r\n\r\n")
                    && let Ok(read @ 1..) = tls.read(&mut bytes)
                {
                    head.extend(&bytes[..read]);
                }
                if head.ends_with(b"\r\n\r\n") {
                    let _ = heads.send(String::from_utf8_lossy(&head).into_owned());
                    let body = r#"{"id":"over TLS"}"#;
                    let length = body.len();
                    let _ = write!(
                        tls,
                        "HTTP/1.1 {status} OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            }
        });
        Self { base_url, certificate, received }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }
}
