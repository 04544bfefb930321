//! Hashing of passwords: argon2id with the parameters of the OWASP password storage cheat sheet (19 MiB, two passes, one
//! lane), off the threads that serve requests and never more of it at once than leaves them room.

use crate::{
    domain::{Error, Result, account, error::Problem},
    server::{config::Config, context::internal},
};
use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may wait for their turn; more are asked to come back.
const QUEUE: usize = 64;
/// In how many seconds those come back.
const COME_BACK: u32 = 2;

/// Hashing is slow on purpose; more at once than half the cores would only starve the pages.
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
    Some(Argon2::default().hash_password(password.as_bytes(), salt).ok()?.to_string())
}

fn is_of(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl Place {
    /// Whether a password is the one of a hash.
    ///
    /// # Errors
    /// When the work was stopped.
    pub async fn verify(self, password: String, hash: String) -> Result<bool> {
        self.off_thread(move || is_of(&password, &hash)).await
    }

    /// The same where there may be no hash: an unknown name costs as much time as a wrong password. `decoy` is a keyed hash
    /// of the name, from which its salt is made: the memory that argon2id walks through depends on the salt, and some walks
    /// are faster than others, so that one salt for all unknown names would tell them from the known ones.
    ///
    /// # Errors
    /// When the work was stopped.
    pub async fn verify_any(self, password: String, hash: Option<String>, decoy: String) -> Result<bool> {
        self.off_thread(move || match hash {
            Some(hash) => is_of(&password, &hash),
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
