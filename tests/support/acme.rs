//! A small authority that speaks ACME (RFC 8555) and validates names as RFC 8737 says. What is out of order is a panic
//! here and a broken connection there.

use super::authority::Authority;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, head, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509CertificationRequest};
use xiadan::server::http::{
    listen::{self, Limits},
    tls::{Files, Source, Tls},
};

/// The identifier of the extension in which the answer to a challenge lies (RFC 8737, 3).
const ACME_IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";

/// A running authority; it ends with this value.
pub struct Acme {
    pub directory: String,
    books: Arc<Books>,
    served: JoinHandle<()>,
}

impl Drop for Acme {
    fn drop(&mut self) {
        self.served.abort();
    }
}

struct Books {
    url: String,
    authority: Arc<Authority>,
    /// Where the names are, whatever the world thinks of them.
    shop: SocketAddr,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    nonces: HashSet<String>,
    accounts: Vec<Value>,
    orders: Vec<Order>,
    authorizations: Vec<Authorization>,
}

struct Order {
    names: Vec<String>,
    authorizations: Vec<usize>,
    certificate: Option<String>,
}

struct Authorization {
    name: String,
    token: String,
    valid: bool,
}

impl Acme {
    /// Serves at an address, as `localhost`; names are validated at the address of the shop.
    pub async fn start(at: SocketAddr, authority: Arc<Authority>, shop: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { certificate: folder.path().join("certificate.pem"), key: folder.path().join("key.pem") };
        authority.certify(&["localhost"], &files.certificate, &files.key);
        let (tls, _) = Tls::open(&Source::Files(files), folder.path()).unwrap();
        let url = format!("https://localhost:{}", at.port());
        let books = Arc::new(Books { url: url.clone(), authority, shop, entries: Mutex::default() });
        let router = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", head(nonce))
            .route("/account", post(account))
            .route("/order", post(new_order))
            .route("/order/{id}", post(order))
            .route("/authorization/{id}", post(authorization))
            .route("/challenge/{id}", post(challenge))
            .route("/finalize/{id}", post(finalize))
            .route("/certificate/{id}", post(certificate))
            .with_state(books.clone());
        let listener = TcpListener::bind(at).await.unwrap();
        let served =
            tokio::spawn(listen::serve(listener, Some(tls), router, Limits::default(), std::future::pending()));
        Self { directory: format!("{url}/directory"), books, served }
    }

    /// The names of each order that ended with a certificate.
    pub fn certified(&self) -> Vec<Vec<String>> {
        let entries = self.books.entries.lock().unwrap();
        entries.orders.iter().filter(|order| order.certificate.is_some()).map(|order| order.names.clone()).collect()
    }

    /// The newest certificate, without the authority's own.
    pub fn newest(&self) -> CertificateDer<'static> {
        let entries = self.books.entries.lock().unwrap();
        let certificate = entries.orders.iter().rev().find_map(|order| order.certificate.as_ref()).unwrap();
        CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
    }

    /// How many accounts were opened, and the contacts of the first.
    pub fn accounts(&self) -> (usize, Value) {
        let entries = self.books.entries.lock().unwrap();
        (entries.accounts.len(), entries.accounts[0]["contact"].clone())
    }
}

/// A request whose signature, nonce and address are right (RFC 8555, 6).
struct Signed {
    payload: Value,
    /// The account's key, as its thumbprint is made of.
    jwk: Value,
    /// The address of the account, when it has one.
    account: Option<usize>,
}

impl Books {
    fn check(&self, path: &str, body: &[u8]) -> Signed {
        let body: Value = serde_json::from_slice(body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap();
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let protected: Value = serde_json::from_slice(&bytes(text("protected"))).unwrap();
        assert_eq!(protected["alg"], "ES256");
        assert_eq!(protected["url"], format!("{}{path}", self.url));
        let mut entries = self.entries.lock().unwrap();
        assert!(entries.nonces.remove(protected["nonce"].as_str().unwrap()), "a nonce of ours, once");
        let account = protected["kid"].as_str().map(|kid| {
            assert!(protected["jwk"].is_null(), "one or the other");
            kid.strip_prefix(&format!("{}/account/", self.url)).unwrap().parse::<usize>().unwrap()
        });
        let jwk = match account {
            Some(id) => entries.accounts[id]["jwk"].clone(),
            None => protected["jwk"].clone(),
        };
        let point = [vec![4], bytes(jwk["x"].as_str().unwrap()), bytes(jwk["y"].as_str().unwrap())].concat();
        let signed = format!("{}.{}", text("protected"), text("payload"));
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed.as_bytes(), &bytes(text("signature"))).expect("the account's signature");
        let payload = bytes(text("payload"));
        let payload = if payload.is_empty() { Value::Null } else { serde_json::from_slice(&payload).unwrap() };
        Signed { payload, jwk, account }
    }

    fn order(&self, id: usize) -> Value {
        let entries = self.entries.lock().unwrap();
        let order = &entries.orders[id];
        let valid = order.authorizations.iter().all(|id| entries.authorizations[*id].valid);
        let url = |kind: &str, id: usize| format!("{}/{kind}/{id}", self.url);
        let mut answer = json!({
            "status": if order.certificate.is_some() { "valid" } else if valid { "ready" } else { "pending" },
            "authorizations": order.authorizations.iter().map(|id| url("authorization", *id)).collect::<Vec<_>>(),
            "finalize": url("finalize", id),
        });
        if order.certificate.is_some() {
            answer["certificate"] = url("certificate", id).into();
        }
        answer
    }

    fn nonce(&self) -> HeaderValue {
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(random());
        self.entries.lock().unwrap().nonces.insert(nonce.clone());
        HeaderValue::from_str(&nonce).unwrap()
    }
}

fn random() -> [u8; 16] {
    [getrandom::u64().unwrap().to_le_bytes(), getrandom::u64().unwrap().to_le_bytes()].concat().try_into().unwrap()
}

type Shared = State<Arc<Books>>;

async fn directory(State(books): Shared) -> Json<Value> {
    let url = |path: &str| format!("{}/{path}", books.url);
    Json(json!({ "newNonce": url("nonce"), "newAccount": url("account"), "newOrder": url("order") }))
}

async fn nonce(State(books): Shared) -> Response {
    ([(HeaderName::from_static("replay-nonce"), books.nonce())], StatusCode::OK).into_response()
}

/// An account of a key is the same whenever it is asked for (RFC 8555, 7.3).
async fn account(State(books): Shared, body: Bytes) -> Response {
    let signed = books.check("/account", &body);
    assert_eq!(signed.payload["termsOfServiceAgreed"], true);
    let mut entries = books.entries.lock().unwrap();
    let known = entries.accounts.iter().position(|account| account["jwk"] == signed.jwk);
    let id = known.unwrap_or(entries.accounts.len());
    if known.is_none() {
        entries.accounts.push(json!({ "jwk": signed.jwk, "contact": signed.payload["contact"] }));
    }
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("{}/account/{id}", books.url);
    (status, [(LOCATION, place)], Json(json!({ "status": "valid" }))).into_response()
}

async fn new_order(State(books): Shared, body: Bytes) -> Response {
    let signed = books.check("/order", &body);
    signed.account.expect("an account");
    let id = {
        let mut entries = books.entries.lock().unwrap();
        let names = signed.payload["identifiers"].as_array().unwrap().iter().map(|identifier| {
            assert_eq!(identifier["type"], "dns");
            identifier["value"].as_str().unwrap().to_owned()
        });
        let names: Vec<_> = names.collect();
        let first = entries.authorizations.len();
        for name in &names {
            let token = BASE64_URL_SAFE_NO_PAD.encode(random());
            entries.authorizations.push(Authorization { name: name.clone(), token, valid: false });
        }
        let authorizations = (first..entries.authorizations.len()).collect();
        entries.orders.push(Order { names, authorizations, certificate: None });
        entries.orders.len() - 1
    };
    let place = format!("{}/order/{id}", books.url);
    (StatusCode::CREATED, [(LOCATION, place)], Json(books.order(id))).into_response()
}

async fn order(State(books): Shared, Path(id): Path<usize>, body: Bytes) -> Json<Value> {
    assert_eq!(books.check(&format!("/order/{id}"), &body).payload, Value::Null);
    Json(books.order(id))
}

async fn authorization(State(books): Shared, Path(id): Path<usize>, body: Bytes) -> Json<Value> {
    assert_eq!(books.check(&format!("/authorization/{id}"), &body).payload, Value::Null);
    let entries = books.entries.lock().unwrap();
    let Authorization { name, token, valid } = &entries.authorizations[id];
    let challenge = json!({ "type": "tls-alpn-01", "url": format!("{}/challenge/{id}", books.url), "token": token });
    Json(json!({
        "status": if *valid { "valid" } else { "pending" },
        "identifier": { "type": "dns", "value": name },
        "challenges": [{ "type": "dns-01", "url": books.url, "token": token }, challenge],
    }))
}

async fn challenge(State(books): Shared, Path(id): Path<usize>, body: Bytes) -> Json<Value> {
    let signed = books.check(&format!("/challenge/{id}"), &body);
    assert_eq!(signed.payload, json!({}));
    let (name, token) = {
        let entries = books.entries.lock().unwrap();
        (entries.authorizations[id].name.clone(), entries.authorizations[id].token.clone())
    };
    let part = |name: &str| signed.jwk[name].as_str().unwrap();
    let jwk = format!(r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#, part("crv"), part("kty"), part("x"), part("y"));
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(jwk));
    let expected = Sha256::digest(format!("{token}.{thumbprint}"));
    validate(books.shop, &name, &expected).await;
    books.entries.lock().unwrap().authorizations[id].valid = true;
    Json(
        json!({ "type": "tls-alpn-01", "status": "valid", "url": format!("{}/challenge/{id}", books.url), "token": token }),
    )
}

async fn finalize(State(books): Shared, Path(id): Path<usize>, body: Bytes) -> Json<Value> {
    let signed = books.check(&format!("/finalize/{id}"), &body);
    assert_eq!(books.order(id)["status"], "ready");
    let request = BASE64_URL_SAFE_NO_PAD.decode(signed.payload["csr"].as_str().unwrap()).unwrap();
    let (_, request) = X509CertificationRequest::from_der(&request).unwrap();
    let key = Key(request.certification_request_info.subject_pki.subject_public_key.data.to_vec());
    {
        let mut entries = books.entries.lock().unwrap();
        // The first certificate is in the last third of its life already, so that a second one is wanted at once.
        let first = entries.orders.iter().all(|order| order.certificate.is_none());
        let until =
            if first { i32::from(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year()) + 1 } else { 3000 };
        let order = &mut entries.orders[id];
        assert_eq!(names(request.requested_extensions().unwrap()), order.names);
        let names: Vec<_> = order.names.iter().map(String::as_str).collect();
        order.certificate = Some(books.authority.sign(&names, &key, until));
    }
    Json(books.order(id))
}

async fn certificate(State(books): Shared, Path(id): Path<usize>, body: Bytes) -> String {
    assert_eq!(books.check(&format!("/certificate/{id}"), &body).payload, Value::Null);
    books.entries.lock().unwrap().orders[id].certificate.clone().unwrap()
}

/// The names that an extension lists.
fn names<'a>(extensions: impl Iterator<Item = &'a ParsedExtension<'a>>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in extensions {
        if let ParsedExtension::SubjectAlternativeName(listed) = extension {
            names.extend(listed.general_names.iter().map(|name| match name {
                GeneralName::DNSName(name) => (*name).to_owned(),
                other => panic!("not a name: {other:?}"),
            }));
        }
    }
    names
}

/// Looks whether who answers for a name knows what only the account's owner does (RFC 8737, 3).
async fn validate(shop: SocketAddr, name: &str, expected: &[u8]) {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().dangerous();
    let mut config = config.with_custom_certificate_verifier(Arc::new(Anything)).with_no_client_auth();
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let stream = TcpStream::connect(shop).await.unwrap();
    let server_name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(server_name, stream).await.expect("a validation");
    let tls = stream.get_ref().1;
    assert_eq!(tls.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    let (_, shown) = X509Certificate::from_der(&tls.peer_certificates().unwrap()[0]).unwrap();
    assert_eq!(names(shown.extensions().iter().map(|extension| extension.parsed_extension())), [name]);
    let mut answers = shown.extensions().iter().filter(|extension| extension.oid.to_id_string() == ACME_IDENTIFIER);
    let answer = answers.next().expect("an answer");
    assert!(answer.critical && answers.next().is_none());
    assert_eq!(answer.value, [&[4, 32][..], expected].concat(), "an octet string of the digest");
}

/// Believes every certificate, and only looks whether its key is in use.
#[derive(Debug)]
struct Anything;

impl Anything {
    fn verify(
        message: &[u8],
        certificate: &[u8],
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &certificate.public_key().subject_public_key.data);
        key.verify(message, signed.signature()).map_err(|_| Error::General("another key".into()))?;
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::verify(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// The public key of a request, a point of P-256.
struct Key(Vec<u8>);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
