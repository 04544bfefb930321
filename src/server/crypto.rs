//! Secrets: sealing of personal data, keyed hashes to find it, and signatures.
//!
//! One 256-bit master key (a file in the data folder or `XIADAN_MASTER_KEY`) from which a key for each purpose is
//! derived with HMAC-SHA-256. Sealed values are XChaCha20-Poly1305: `key id (1 byte) ‖ nonce (24) ‖ ciphertext`, bound
//! to the place they belong to, so that a value moved to another row or column does not open.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::{Digest, Sha256};
use std::{
    fmt, fs,
    io::{self, Write as _},
    path::Path,
};
use subtle::ConstantTimeEq;

/// The id of the only sealing key so far; it is in each sealed value, so that keys can be rotated.
const KEY_ID: u8 = 1;
const NONCE: usize = 24;

/// The keys of a shop.
pub struct Keys {
    sealing: XChaCha20Poly1305,
    lookup: [u8; 32],
    signing: [u8; 32],
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
        Self {
            sealing: XChaCha20Poly1305::new(&derive("sealing").into()),
            lookup: derive("lookup"),
            signing: derive("signing"),
        }
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
        let text = text.trim();
        // `from_str_radix` would take a sign for a digit.
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut master = [0; 32];
        for (i, byte) in master.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self::new(&master))
    }

    /// Seals a value for a place, such as `orders.contact:<id>`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal(&self, plain: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        let nonce = random::<NONCE>().map_err(|_| SealError)?;
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let ciphertext = self.sealing.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok([&[KEY_ID], &nonce[..], &ciphertext].concat())
    }

    /// Opens a value sealed for a place.
    ///
    /// # Errors
    /// When it was sealed with another key or for another place, or was changed.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<Vec<u8>, SealError> {
        let (&[KEY_ID], rest) = sealed.split_at_checked(1).ok_or(SealError)? else { return Err(SealError) };
        let (nonce, ciphertext) = rest.split_at_checked(NONCE).ok_or(SealError)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError)?;
        self.sealing
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: place.as_bytes() })
            .map_err(|_| SealError)
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
