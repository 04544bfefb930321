//! Hashing of passwords: argon2id with the parameters of the OWASP password storage cheat sheet (19 MiB, two passes, one
//! lane), off the threads that serve requests and never more of it at once than leaves them room.

use crate::{
    domain::{Error, Result, account, error::Problem},
    server::{config::Config, context::internal},
};
use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::{Output, ParamsString, Salt, SaltString, rand_core::OsRng},
};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may wait for their turn; more are asked to come back.
const QUEUE: usize = 64;
/// In how many seconds those come back.
const COME_BACK: u32 = 2;

/// Hashing is slow on purpose; more at once than half the cores of this machine would only starve its pages.
static HASHING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))))
});
/// The length of a salt in bytes, as recommended for passwords in RFC 9106, section 3.1.
const SALT: usize = 16;
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(QUEUE)));

/// The most common passwords that are long enough to be chosen, in lower case.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Checks a new password: its length, that it is neither what the person nor what the shop is called, and that it is not
/// one of the most common ones.
///
/// # Errors
/// What is wrong with it.
pub fn check(config: &Config, password: &str, names: &[&str]) -> Result<(), Problem> {
    account::password(password, names)?;
    let url = url::Url::parse(&config.public_url).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let words: Vec<_> = host.split(['.', '-']).filter(|part| part.len() > 3).chain(account::SHOP_WORDS).collect();
    let common = COMMON.contains(&*password.to_lowercase()) || account::is_made_of(password, &words);
    if common { Err(Problem::PasswordCommon) } else { Ok(()) }
}

/// A place among those who wait for a hash. It is taken before a try is counted: who is turned away has not tried.
pub struct Place(#[expect(dead_code, reason = "held while it waits")] OwnedSemaphorePermit);

/// Takes a place.
///
/// # Errors
/// [`Error::TooMany`] when too many wait already.
pub fn place() -> Result<Place> {
    let permit = PLACES.clone().try_acquire_owned().map_err(|_| Error::TooMany { retry_after: COME_BACK })?;
    Ok(Place(permit))
}

/// The hash of a new password, in PHC form.
///
/// # Errors
/// [`Error::TooMany`] when too many wait already.
pub async fn hash(password: String) -> Result<String> {
    place()?.off_thread(move || make(&password)).await?.ok_or_else(|| internal("argon2", &"no hash"))
}

fn make(password: &str) -> Option<String> {
    with_salt(password, &SaltString::generate(&mut OsRng))
}

fn with_salt(password: &str, salt: &SaltString) -> Option<String> {
    let (argon, salt) = (Argon2::default(), salt.as_salt());
    let (mut raw, mut out) = ([0; Salt::MAX_LENGTH], [0; Params::DEFAULT_OUTPUT_LEN]);
    hash_into(&argon, password, salt.decode_b64(&mut raw).ok()?, &mut out).ok()?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon.params()).ok()?,
        salt: Some(salt),
        hash: Some(Output::new(&out).ok()?),
    };
    Some(hash.to_string())
}

/// Whether a password is the one of a hash in PHC form; none for what is no such hash.
fn is_of(password: &str, hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from).ok()?;
    let argon = Argon2::new(Algorithm::try_from(hash.algorithm).ok()?, version, Params::try_from(&hash).ok()?);
    let (expected, mut raw) = (hash.hash?, [0; Salt::MAX_LENGTH]);
    let mut out = vec![0; expected.len()];
    hash_into(&argon, password, hash.salt?.decode_b64(&mut raw).ok()?, &mut out).ok()?;
    // Takes as long wherever they differ.
    Some(Output::new(&out).ok()? == expected)
}

/// The memory of hashes that are done, for those to come: to have it from the system page by page took two thirds as long
/// again as the hashing. There is as much of it as is hashed at once.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Hashes in memory that was used before, which argon2id overwrites before it reads it.
fn hash_into(argon: &Argon2<'_>, password: &str, salt: &[u8], out: &mut [u8]) -> argon2::Result<()> {
    let spare = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = spare().pop().unwrap_or_default();
    memory.resize(argon.params().block_count(), Block::default());
    let done = argon.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory);
    spare().push(memory);
    done
}

impl Place {
    /// Whether a password is the one of a hash.
    ///
    /// # Errors
    /// When the work was stopped.
    pub async fn verify(self, password: String, hash: String) -> Result<bool> {
        self.off_thread(move || is_of(&password, &hash).unwrap_or(false)).await
    }

    /// The same where there may be no hash: an unknown name costs as much time as a wrong password. `decoy` is a keyed hash
    /// of the name, from which its salt is made: the way that argon2id takes through its memory depends on the salt, and what
    /// is the same each time for all unknown names, and for no known one, could tell them apart.
    ///
    /// # Errors
    /// When the work was stopped.
    pub async fn verify_any(self, password: String, hash: Option<String>, decoy: String) -> Result<bool> {
        self.off_thread(move || match hash {
            Some(hash) => is_of(&password, &hash).unwrap_or(false),
            None => {
                let salt = decoy.as_bytes().first_chunk::<SALT>().unwrap_or(&[0; SALT]);
                // As slow as if it were somebody's; what comes of it is nothing.
                std::hint::black_box(SaltString::encode_b64(salt).ok().and_then(|salt| with_salt(&password, &salt)));
                false
            }
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = HASHING.clone().acquire_owned().await.map_err(|e| internal("hashing", &e))?;
        // The work goes on when the request is given up, so the permits belong to the work.
        let work = move || {
            let _permits = (self, permit);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| internal("hashing", &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{PasswordHasher, PasswordVerifier};

    #[test]
    fn a_hash_is_the_one_that_the_library_makes_by_itself() {
        let salt = SaltString::encode_b64(b"sixteen bytes of").unwrap_or_else(|error| panic!("{error}"));
        // More than once, so that memory is used again.
        for password in ["correct horse", "battery staple", "correct horse"] {
            let theirs = Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string());
            let ours = with_salt(password, &salt).unwrap_or_default();
            assert_eq!(theirs.as_deref(), Ok(&*ours));
            let parsed = PasswordHash::new(&ours).unwrap_or_else(|error| panic!("{error}"));
            assert!(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
            assert_eq!(is_of(password, &ours), Some(true));
            assert_eq!(is_of("another one", &ours), Some(false));
        }
        // With other costs than ours, as after they were raised.
        let costs = Params::new(1024, 1, 1, Some(16)).unwrap_or_default();
        let costly = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        let hash = costly.hash_password(b"correct horse", &salt).map(|hash| hash.to_string()).unwrap_or_default();
        assert_eq!((is_of("correct horse", &hash), is_of("battery staple", &hash)), (Some(true), Some(false)));
        assert_eq!(is_of("correct horse", "no hash"), None);
    }

    #[test]
    fn common_passwords_are_refused_however_they_are_written() {
        assert!(COMMON.len() > 5_000, "{}", COMMON.len());
        let shortest = COMMON.iter().map(|password| password.chars().count()).min();
        assert!(shortest >= Some(account::PASSWORD_MIN as usize), "shorter ones are refused anyway");
        for common in ["password", "12345678", "Password", "qwertyuiop", "1q2w3e4r"] {
            assert_eq!(check(&Config::default(), common, &[]), Err(Problem::PasswordCommon), "{common}");
        }
        assert_eq!(check(&Config::default(), "correct horse battery", &[]), Ok(()));
        let config = Config { public_url: "https://www.tea-house.example".to_owned(), ..Config::default() };
        for called in ["House2026", "house.shop!", "house.example"] {
            assert_eq!(check(&config, called, &[]), Err(Problem::PasswordCommon), "{called}");
        }
        assert_eq!(check(&config, "a house of tea", &[]), Ok(()));
    }
}
