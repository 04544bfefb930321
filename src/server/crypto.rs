//! Secrets: sealing of personal data, keyed hashes to find it, and signatures.
//!
//! One 256-bit master key (a file in the data folder or `XIADAN_MASTER_KEY`) opens the data keys, which lie wrapped in
//! the database: some that seal values, one that finds them, one that signs. The first of each is derived from the master
//! key with HMAC-SHA-256, later ones are random, see [`keys`](super::keys). Sealed values are XChaCha20-Poly1305:
//! `key id (1 byte) ‖ nonce (24) ‖ ciphertext`, bound to the place they belong to, so that a value moved to another row
//! or column does not open.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Write as _},
    path::Path,
    sync::{PoisonError, RwLock},
};
use subtle::ConstantTimeEq;

/// The id of the sealing key that is derived from the master key. Each sealed value begins with the id of its key, so
/// that keys can be rotated.
pub const FIRST_KEY: u8 = 1;
const NONCE: usize = 24;

/// The keys of a shop.
pub struct Keys {
    /// Seals the others.
    wrapping: [u8; 32],
    /// Changes while the shop runs.
    sealing: RwLock<Ring>,
    lookup: [u8; 32],
    signing: [u8; 32],
}

/// The keys that seal values, by their ids.
struct Ring {
    keys: BTreeMap<u8, [u8; 32]>,
    /// The one for new values.
    present: u8,
}

/// What a data key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Sealing,
    Lookup,
    Signing,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::Sealing, Self::Lookup, Self::Signing];

    /// The name in the database and in the derivation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealing => "sealing",
            Self::Lookup => "lookup",
            Self::Signing => "signing",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A data key as the database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub purpose: Purpose,
    pub id: u8,
    /// Sealed under the master key, bound to purpose and id.
    pub wrapped: Vec<u8>,
    /// UTC milliseconds from which new values are sealed with it.
    pub active_at: i64,
}

/// Why a sealed value does not open.
#[derive(Debug, PartialEq, Eq)]
pub struct SealError;

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed value does not open with this key in this place")
    }
}

impl std::error::Error for SealError {}

impl Keys {
    pub fn new(master: &[u8; 32]) -> Self {
        let derive = |purpose: &str| hmac(master, &[b"xiadan key v1", purpose.as_bytes()]);
        let sealing = derive(Purpose::Sealing.name());
        Self {
            wrapping: derive("wrapping"),
            sealing: RwLock::new(Ring { keys: BTreeMap::from([(FIRST_KEY, sealing)]), present: FIRST_KEY }),
            lookup: derive(Purpose::Lookup.name()),
            signing: derive(Purpose::Signing.name()),
        }
    }

    /// The keys as they are now, wrapped under this master key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn wrapped(&self) -> Result<Vec<WrappedKey>, SealError> {
        let sealing = self.ring().keys.clone();
        let sealing = sealing.into_iter().map(|(id, key)| (Purpose::Sealing, id, key));
        let others = [(Purpose::Lookup, FIRST_KEY, self.lookup), (Purpose::Signing, FIRST_KEY, self.signing)];
        sealing.chain(others).map(|(purpose, id, key)| self.wrap(purpose, id, &key)).collect()
    }

    /// A new random sealing key, wrapped under this master key. It is not used before [`use_keys`](Self::use_keys).
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new_sealing_key(&self, id: u8) -> Result<WrappedKey, SealError> {
        self.wrap(Purpose::Sealing, id, &random::<32>().map_err(|_| SealError)?)
    }

    /// The same key under another master key.
    ///
    /// # Errors
    /// When it is not wrapped under this one.
    pub fn wrap_anew(&self, key: &WrappedKey, master: &Self) -> Result<WrappedKey, SealError> {
        let anew = master.wrap(key.purpose, key.id, &self.unwrap_key(key)?)?;
        Ok(WrappedKey { active_at: key.active_at, ..anew })
    }

    /// Opens the keys of a database and takes them in place of those derived from the master key.
    ///
    /// # Errors
    /// When one of them is not wrapped under this master key; nothing is changed then.
    pub fn adopt(&mut self, keys: &[WrappedKey], now: i64) -> Result<(), SealError> {
        let opened =
            keys.iter().map(|key| Ok((key.purpose, self.unwrap_key(key)?))).collect::<Result<Vec<_>, SealError>>()?;
        self.use_keys(keys, now)?;
        for (purpose, key) in opened {
            match purpose {
                Purpose::Sealing => {}
                Purpose::Lookup => self.lookup = key,
                Purpose::Signing => self.signing = key,
            }
        }
        Ok(())
    }

    /// Takes the sealing keys of a database, and seals new values with the newest whose time has come, or else the oldest.
    ///
    /// # Errors
    /// When one of them is not wrapped under this master key, or there is none; those in use stay then.
    pub fn use_keys(&self, keys: &[WrappedKey], now: i64) -> Result<(), SealError> {
        let sealing: Vec<_> = keys.iter().filter(|key| key.purpose == Purpose::Sealing).collect();
        let active = sealing.iter().filter(|key| key.active_at <= now).map(|key| key.id).max();
        // A clock that is late still has a key to go on with.
        let present = active.or_else(|| sealing.iter().map(|key| key.id).min()).ok_or(SealError)?;
        let opened =
            sealing.into_iter().map(|key| Ok((key.id, self.unwrap_key(key)?))).collect::<Result<_, SealError>>()?;
        let mut ring = self.sealing.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Ring { keys: opened, present };
        Ok(())
    }

    /// The id of the key that seals new values.
    pub fn present(&self) -> u8 {
        self.ring().present
    }

    fn ring(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.sealing.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrap(&self, purpose: Purpose, id: u8, key: &[u8; 32]) -> Result<WrappedKey, SealError> {
        let wrapped = encrypt(&self.wrapping, key, &wrapping_place(purpose, id))?;
        Ok(WrappedKey { purpose, id, wrapped, active_at: 0 })
    }

    fn unwrap_key(&self, key: &WrappedKey) -> Result<[u8; 32], SealError> {
        let opened = decrypt(&self.wrapping, &key.wrapped, &wrapping_place(key.purpose, key.id))?;
        opened.try_into().map_err(|_| SealError)
    }

    /// Reads the master key from a file; `None` where there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold 64 hexadecimal digits.
    pub fn load(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => Self::from_hex(&text).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reads the master key from a file, or makes one that only its owner may read. Programs that do so at the same
    /// time get the same key, and one that is cut off leaves no half of a key behind.
    ///
    /// # Errors
    /// When the file cannot be read or made, or does not hold 64 hexadecimal digits.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        if let Some(keys) = Self::load(path)? {
            return Ok(keys);
        }
        create(path)?;
        Self::load(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads a master key of 64 hexadecimal digits.
    ///
    /// # Errors
    /// `InvalidData` for anything else.
    pub fn from_hex(text: &str) -> io::Result<Self> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a master key is 64 hexadecimal digits");
        Ok(Self::new(&key_from_hex(text).ok_or_else(wrong)?))
    }

    /// Seals a value for a place, such as `orders.contact:<id>`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal(&self, plain: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        let (id, key) = {
            let ring = self.ring();
            (ring.present, *ring.keys.get(&ring.present).ok_or(SealError)?)
        };
        Ok([&[id], &encrypt(&key, plain, place)?[..]].concat())
    }

    /// Opens a value sealed for a place.
    ///
    /// # Errors
    /// When it was sealed with another key or for another place, or was changed.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        let (id, rest) = sealed.split_first().ok_or(SealError)?;
        let key = *self.ring().keys.get(id).ok_or(SealError)?;
        decrypt(&key, rest, place)
    }

    /// A keyed hash under which a personal value is found; `kind` keeps phones and mails apart.
    pub fn lookup(&self, kind: &str, value: &str) -> String {
        hex(&hmac(&self.lookup, &[kind.as_bytes(), value.as_bytes()]))
    }

    /// A signature over a text for one purpose, safe in cookies and addresses.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac(&self.signing, &[purpose.as_bytes(), text.as_bytes()]))
    }

    pub fn verify(&self, purpose: &str, text: &str, signature: &str) -> bool {
        self.sign(purpose, text).as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// A secret for one purpose outside this shop, such as the one shared with the sandbox provider.
    pub fn shared_secret(&self, purpose: &str) -> String {
        hex(&hmac(&self.signing, &[b"shared", purpose.as_bytes()]))
    }
}

/// A key of 64 hexadecimal digits; none in anything else.
pub fn key_from_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    // `from_str_radix` would take a sign for a digit.
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

/// `nonce ‖ ciphertext`.
fn encrypt(key: &[u8; 32], plain: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
    let nonce = random::<NONCE>().map_err(|_| SealError)?;
    let payload = Payload { msg: plain, aad: place.as_bytes() };
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    let ciphertext = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
    Ok([&nonce[..], &ciphertext].concat())
}

fn decrypt(key: &[u8; 32], sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or(SealError)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError)?;
    let payload = Payload { msg: ciphertext, aad: place.as_bytes() };
    XChaCha20Poly1305::new(&(*key).into()).decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)
}

fn wrapping_place(purpose: Purpose, id: u8) -> String {
    format!("data_key.{}:{id}", purpose.name())
}

/// Makes a file with a new master key, unless there is one by then.
fn create(path: &Path) -> io::Result<()> {
    // Written aside and then given its name, which fails where the name is taken: whoever reads the file reads a whole
    // key, and the first one stays.
    let aside = path.with_extension(format!("{}.new", hex(&random::<8>()?)));
    let written = write_key(&aside).and_then(|()| fs::hard_link(&aside, path));
    let removed = fs::remove_file(&aside);
    match written {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    removed?;
    // The name has to survive a power cut as well as the content.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn write_key(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", hex(&random::<32>()?))?;
    file.sync_all()
}

/// HMAC-SHA-256 over parts, each with its length before it, so that no two lists of parts are the same message.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // An HMAC takes a key of any length (RFC 2104 §2), so the error has no cause.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 over one message, as other protocols sign theirs.
pub fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Random bytes from the system.
///
/// # Errors
/// When the system has no randomness.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A random token of 256 bits for cookies and addresses.
///
/// # Errors
/// When the system has no randomness.
pub fn token() -> io::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// Whether a text has the form of a [`token`]: what a browser sends need not be what it was given.
pub fn is_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_form() {
        assert!(token().is_ok_and(|token| is_token(&token)));
        for other in ["", "short", &"\"".repeat(43), &"a".repeat(44)] {
            assert!(!is_token(other), "{other}");
        }
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_unchanged() -> Result<(), SealError> {
        let keys = Keys::new(&[7; 32]);
        let sealed = keys.seal("张三".as_bytes(), "orders.contact:1")?;
        assert_eq!(keys.open(&sealed, "orders.contact:1")?, "张三".as_bytes());
        assert_eq!(keys.open(&sealed, "orders.contact:2"), Err(SealError));
        assert_eq!(Keys::new(&[8; 32]).open(&sealed, "orders.contact:1"), Err(SealError));
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(keys.open(&changed, "orders.contact:1"), Err(SealError), "byte {i}");
            assert_eq!(keys.open(&sealed[..i], "orders.contact:1"), Err(SealError), "{i} bytes");
        }
        Ok(())
    }

    #[test]
    fn old_values_open_beside_a_new_key_and_keys_survive_another_master_key() -> Result<(), SealError> {
        let keys = Keys::new(&[7; 32]);
        let old = keys.seal(b"old", "here")?;
        let mut stored = keys.wrapped()?;
        assert_eq!(stored.len(), 3);
        stored.push(WrappedKey { active_at: 100, ..keys.new_sealing_key(2)? });
        keys.use_keys(&stored, 99)?;
        assert_eq!(keys.present(), 1, "not before its time");
        keys.use_keys(&stored, 100)?;
        let new = keys.seal(b"new", "here")?;
        assert_eq!((old[0], new[0]), (1, 2));
        assert_eq!((keys.open(&old, "here")?, keys.open(&new, "here")?), (b"old".to_vec(), b"new".to_vec()));

        let master = Keys::new(&[8; 32]);
        let anew = stored.iter().map(|key| keys.wrap_anew(key, &master)).collect::<Result<Vec<_>, _>>()?;
        assert_eq!(keys.use_keys(&anew, 100), Err(SealError), "they are not this master's any more");
        assert_eq!(keys.open(&new, "here")?, b"new", "and what is in use stays");
        let mut other = Keys::new(&[8; 32]);
        other.adopt(&anew, 100)?;
        assert_eq!((other.open(&old, "here")?, other.open(&new, "here")?), (b"old".to_vec(), b"new".to_vec()));
        assert_eq!(other.lookup("phone", "1"), keys.lookup("phone", "1"));
        assert_eq!(other.sign("a", "b"), keys.sign("a", "b"));

        stored.retain(|key| key.purpose != Purpose::Sealing || key.id == 2);
        keys.use_keys(&stored, 100)?;
        assert_eq!(keys.open(&old, "here"), Err(SealError), "what was left under a key that is gone is gone");
        keys.use_keys(&stored, 99)?;
        assert_eq!(keys.present(), 2, "there is no other one");
        assert_eq!(keys.use_keys(&[], 100), Err(SealError));
        assert_eq!(keys.open(&new, "here")?, b"new");
        Ok(())
    }

    #[test]
    fn signatures_hold_for_one_purpose_and_text() {
        let keys = Keys::new(&[7; 32]);
        let signature = keys.sign("guest", "id");
        assert!(keys.verify("guest", "id", &signature));
        assert!(!keys.verify("staff", "id", &signature));
        assert!(!keys.verify("guest", "ie", &signature));
        assert!(!keys.verify("guest", "id", ""));
        assert_ne!(keys.lookup("phone", "1"), keys.lookup("email", "1"));
    }

    #[test]
    fn a_key_file_is_made_once_and_read_again() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("master.key");
        let first = Keys::load_or_create(&path)?.sign("a", "b");
        assert_eq!(Keys::load_or_create(&path)?.sign("a", "b"), first);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path)?.permissions()) & 0o777, 0o600);
        for wrong in ["short", "", &"+f".repeat(32), &"é".repeat(32)] {
            fs::write(&path, wrong)?;
            assert!(Keys::load_or_create(&path).is_err(), "{wrong:?}");
            assert_eq!(fs::read_to_string(&path)?, wrong, "it is left as it is");
        }
        Ok(())
    }

    #[test]
    fn first_starts_at_the_same_time_agree_on_a_key() -> io::Result<()> {
        for _ in 0..20 {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("master.key");
            let start = || Keys::load_or_create(&path).map(|keys| keys.sign("a", "b"));
            let signs = std::thread::scope(|scope| {
                let starts = [(); 8].map(|()| scope.spawn(start));
                starts.map(|start| start.join().unwrap_or_else(|_| Err(io::Error::other("panicked"))))
            });
            let signs = signs.into_iter().collect::<io::Result<Vec<_>>>()?;
            assert!(signs.iter().all(|sign| *sign == signs[0]));
            assert_eq!(fs::read_dir(folder.path())?.count(), 1, "nothing is left aside");
        }
        Ok(())
    }
}
