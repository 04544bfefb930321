//! An authority of the test's own: it certifies names, and its friends believe it.
#![allow(dead_code, reason = "each test takes what it needs")]

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData,
    date_time_ymd,
};
use reqwest::Client;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

pub struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "An authority for tests");
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for names and a key from the year 2000 until a year, followed by the authority's own.
    pub fn sign(&self, names: &[&str], key: &impl PublicKeyData, until: i32) -> String {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(until, 1, 1));
        params.distinguished_name.push(DnType::CommonName, "A shop for tests");
        params.use_authority_key_identifier_extension = true;
        params.signed_by(key, &self.certificate, &self.key).unwrap().pem() + &self.pem()
    }

    /// Writes a new certificate and its key into two files.
    pub fn certify(&self, names: &[&str], certificate: &Path, key: &Path) {
        let pair = KeyPair::generate().unwrap();
        std::fs::write(certificate, self.sign(names, &pair, 3000)).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
    }

    /// A client that believes this authority alone, and finds a name at an address.
    pub fn client(&self, at: Option<(&str, SocketAddr)>) -> Client {
        let _ = ring::default_provider().install_default();
        let trusted = reqwest::Certificate::from_pem(self.pem().as_bytes()).unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_only([trusted]);
        at.into_iter().fold(client, |client, (name, address)| client.resolve(name, address)).build().unwrap()
    }

    /// Makes a connection secure that offers to speak these protocols.
    pub async fn connect(&self, address: SocketAddr, name: &str, protocols: &[&str]) -> std::io::Result<Secure> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

pub type Secure = TlsStream<TcpStream>;

/// The certificate that the other side showed.
pub fn shown(stream: &Secure) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}
