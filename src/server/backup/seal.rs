//! A stream that is sealed chunk by chunk, so that a file of any length is read and written with little memory, and a
//! chunk that was changed, moved, left out or cut off does not open.
//!
//! This is the construction STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance" (CRYPTO 2015, §7), over XChaCha20-Poly1305: the nonce of a chunk is `prefix (19 bytes) ‖
//! number (4, big endian) ‖ 1 in the last chunk, else 0`. The file is `magic (16) ‖ prefix (19) ‖ check (16) ‖ chunks`, of
//! 64 KiB each but the last, with 16 bytes more for their tags; what is before the chunks is bound to each of them. Key and
//! check are derived from the key of the operator and the prefix, which is random.

use super::BackupError;
use crate::server::crypto::{hmac, key_from_hex, random};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
};
use subtle::ConstantTimeEq;

/// The first bytes of a sealed file.
pub const MAGIC: [u8; 16] = *b"xiadan sealed 1\n";
const PREFIX: usize = 19;
const CHECK: usize = 16;
const HEAD: usize = MAGIC.len() + PREFIX + CHECK;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// The key of backups, which is not the master key: whoever keeps backups need not be able to read the shop's.
#[derive(Clone)]
pub struct BackupKey([u8; 32]);

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey")
    }
}

impl BackupKey {
    /// A key of 64 hexadecimal digits; none in anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        key_from_hex(text).map(Self)
    }

    /// What seals a file with this prefix, and by what the file knows its key again.
    fn derive(&self, prefix: &[u8]) -> (XChaCha20Poly1305, [u8; CHECK]) {
        let key = hmac(&self.0, &[b"xiadan backup seal v1", prefix]);
        let check = hmac(&self.0, &[b"xiadan backup check v1", prefix]);
        (XChaCha20Poly1305::new(&key.into()), std::array::from_fn(|place| check[place]))
    }
}

/// The cipher with what the next chunk needs.
struct Chunks {
    cipher: XChaCha20Poly1305,
    head: [u8; HEAD],
    number: u32,
}

impl Chunks {
    fn nonce(&self, last: bool) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..PREFIX].copy_from_slice(&self.head[MAGIC.len()..MAGIC.len() + PREFIX]);
        nonce[PREFIX..PREFIX + 4].copy_from_slice(&self.number.to_be_bytes());
        nonce[PREFIX + 4] = u8::from(last);
        nonce.into()
    }

    /// The next nonce is never one that was used.
    fn go_on(&mut self) -> io::Result<()> {
        self.number = self.number.checked_add(1).ok_or_else(|| io::Error::other("a sealed file of 256 TiB is full"))?;
        Ok(())
    }

    fn seal(&mut self, plain: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let payload = Payload { msg: plain, aad: &self.head };
        let sealed = self.cipher.encrypt(&self.nonce(last), payload).map_err(|_| io::Error::other("sealing failed"))?;
        self.go_on()?;
        Ok(sealed)
    }

    fn open(&mut self, sealed: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let open = |last| self.cipher.decrypt(&self.nonce(last), Payload { msg: sealed, aad: &self.head }).ok();
        let plain = match open(last) {
            Some(plain) => plain,
            // A whole chunk from the middle is where the end should be.
            None if last && open(false).is_some() => return Err(BackupError::Truncated.into()),
            None => return Err(BackupError::Damaged(format!("chunk {} does not open", self.number)).into()),
        };
        self.go_on()?;
        Ok(plain)
    }
}

/// Seals what is written to it. What was written is complete after [`finish`](Self::finish) alone.
pub struct Sealer<W> {
    inner: W,
    chunks: Chunks,
    waiting: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written, or the system has no randomness.
    pub fn new(mut inner: W, key: &BackupKey) -> io::Result<Self> {
        let prefix = random::<PREFIX>()?;
        let (cipher, check) = key.derive(&prefix);
        let mut head = [0; HEAD];
        head[..MAGIC.len()].copy_from_slice(&MAGIC);
        head[MAGIC.len()..MAGIC.len() + PREFIX].copy_from_slice(&prefix);
        head[MAGIC.len() + PREFIX..].copy_from_slice(&check);
        inner.write_all(&head)?;
        Ok(Self { inner, chunks: Chunks { cipher, head, number: 0 }, waiting: Vec::with_capacity(CHUNK) })
    }

    /// Seals the last chunk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let sealed = self.chunks.seal(&self.waiting, true)?;
        self.inner.write_all(&sealed)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only now, when there is more: the last chunk is sealed as such.
        if self.waiting.len() == CHUNK && !bytes.is_empty() {
            let sealed = self.chunks.seal(&self.waiting, false)?;
            self.inner.write_all(&sealed)?;
            self.waiting.clear();
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Opens what a [`Sealer`] wrote; gives nothing of a chunk that is not what was written.
pub struct Opener<R> {
    inner: BufReader<R>,
    chunks: Chunks,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Begins behind [`MAGIC`].
    ///
    /// # Errors
    /// [`BackupError::WrongKey`] for another key, or when the file cannot be read.
    pub fn new(inner: R, key: &BackupKey) -> Result<Self, BackupError> {
        let mut inner = BufReader::with_capacity(CHUNK + TAG, inner);
        let mut head = [0; HEAD];
        head[..MAGIC.len()].copy_from_slice(&MAGIC);
        inner.read_exact(&mut head[MAGIC.len()..])?;
        let (cipher, check) = key.derive(&head[MAGIC.len()..MAGIC.len() + PREFIX]);
        if !bool::from(check[..].ct_eq(&head[MAGIC.len() + PREFIX..])) {
            return Err(BackupError::WrongKey);
        }
        Ok(Self { inner, chunks: Chunks { cipher, head, number: 0 }, plain: Vec::new(), at: 0, ended: false })
    }

    fn next(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        self.inner.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        if sealed.len() < TAG {
            return Err(BackupError::Truncated.into());
        }
        let last = self.inner.fill_buf()?.is_empty();
        self.plain = self.chunks.open(&sealed, last)?;
        (self.at, self.ended) = (0, last);
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.next()?;
        }
        let taken = out.len().min(self.plain.len() - self.at);
        out[..taken].copy_from_slice(&self.plain[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> BackupKey {
        BackupKey([byte; 32])
    }

    fn sealed(plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealer = Sealer::new(Vec::new(), &key(1))?;
        sealer.write_all(plain)?;
        sealer.finish()
    }

    fn opened(file: &[u8], key: &BackupKey) -> Result<Vec<u8>, BackupError> {
        let mut plain = Vec::new();
        Opener::new(&file[MAGIC.len()..], key)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() -> Result<(), BackupError> {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
            let plain: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            assert!(opened(&sealed(&plain)?, &key(1))? == plain, "{length} bytes");
        }
        Ok(())
    }

    #[test]
    fn what_was_changed_moved_or_cut_off_does_not_open() -> Result<(), BackupError> {
        let whole = sealed(&vec![7; 2 * CHUNK + 100])?;
        assert!(matches!(opened(&whole, &key(2)), Err(BackupError::WrongKey)));
        let chunk = |number: usize| HEAD + number * (CHUNK + TAG);
        for place in [MAGIC.len(), HEAD - 1, HEAD, chunk(1) + 5, chunk(2), whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(opened(&changed, &key(1)).is_err(), "byte {place}");
        }
        for length in [MAGIC.len() + 3, HEAD, HEAD + 3, chunk(1), chunk(2)] {
            assert!(matches!(opened(&whole[..length], &key(1)), Err(BackupError::Truncated)), "{length} bytes");
        }
        assert!(opened(&whole[..chunk(1) + 100], &key(1)).is_err());
        let swapped = [&whole[..HEAD], &whole[chunk(1)..chunk(2)], &whole[HEAD..chunk(1)], &whole[chunk(2)..]].concat();
        assert!(opened(&swapped, &key(1)).is_err());
        let longer = [&whole[..], b"x"].concat();
        assert!(opened(&longer, &key(1)).is_err());
        Ok(())
    }
}
