//! A device that keeps passkeys, as a browser reaches it: just enough of WebAuthn level 2 to make one and to sign with it.
#![allow(dead_code, reason = "each test takes what it needs")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use xiadan::server::crypto::sha256;

// Flags of authenticator data (WebAuthn level 2 §6.1): somebody is there, the device knows who, a key is attached.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTACHED: u8 = 0x40;

/// A device with one key.
#[derive(Clone)]
pub struct Authenticator {
    /// The page that asks, as its browser says.
    pub origin: String,
    /// How often the key was used; a copy of the device counts on its own.
    pub uses: u32,
    /// Whether the device looks at its owner.
    pub looks: bool,
    pkcs8: Vec<u8>,
    id: Vec<u8>,
    user: Value,
}

impl Authenticator {
    /// A new device in front of a page of this origin.
    pub fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let mut id = vec![0; 16];
        random.fill(&mut id).unwrap();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pkcs8 = pkcs8.as_ref().to_vec();
        Self { origin: origin.to_owned(), uses: 0, looks: true, pkcs8, id, user: Value::Null }
    }

    fn key(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8, &SystemRandom::new()).unwrap()
    }

    /// What `navigator.credentials.create` comes to.
    pub fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert!(options["pubKeyCredParams"].as_array().unwrap().iter().any(|params| params["alg"] == -7));
        self.user = options["user"]["id"].clone();
        let client = self.client_data("webauthn.create", &options);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), ATTACHED);
        // A device that does not say what it is.
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.public_key());
        // CBOR (RFC 8949): {"fmt": "none", "attStmt": {}, "authData": data}.
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.push(0x58);
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        let response = json!({
            "clientDataJSON": encode(&client), "attestationObject": encode(&object), "transports": ["internal"],
        });
        self.answer(&response)
    }

    /// What `navigator.credentials.get` comes to.
    pub fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(options["userVerification"], "required");
        self.uses += 1;
        let client = self.client_data("webauthn.get", &options);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let signed = [&data[..], &sha256(&client)].concat();
        let signature = self.key().sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": encode(&client), "authenticatorData": encode(&data),
            "signature": encode(signature.as_ref()), "userHandle": self.user,
        });
        self.answer(&response)
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data =
            json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        serde_json::to_vec(&data).unwrap()
    }

    /// Authenticator data up to what may be attached.
    fn data(&self, party: &str, flags: u8) -> Vec<u8> {
        let looked = if self.looks { VERIFIED } else { 0 };
        let mut data = sha256(party.as_bytes()).to_vec();
        data.push(PRESENT | looked | flags);
        data.extend(self.uses.to_be_bytes());
        data
    }

    /// The public key as COSE writes it (RFC 9053 §7.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
    fn public_key(&self) -> Vec<u8> {
        let key = self.key();
        let point = &key.public_key().as_ref()[1..];
        let mut map = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        map.extend(&point[..32]);
        map.extend([0x22, 0x58, 0x20]);
        map.extend(&point[32..]);
        map
    }

    fn answer(&self, response: &Value) -> String {
        let id = encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
            .to_string()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
