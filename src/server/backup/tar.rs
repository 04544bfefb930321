//! The frame of a backup: a tar archive in the `ustar` form (POSIX.1-2017, pax, "ustar Interchange Format") of plain files,
//! which any `tar` lists and unpacks.
//!
//! Nothing in a header varies but name and size, so that the reader takes exactly what the writer makes: a changed bit in
//! a header, in the padding or at the end is found.

use super::BackupError;
use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// The longest member, in bytes: what is read of one is in memory.
pub const MAX_MEMBER: usize = 256 * 1024 * 1024;
/// The longest name.
const NAME: usize = 100;

/// The header of a member.
fn header(name: &str, size: usize) -> Option<[u8; BLOCK]> {
    if name.is_empty() || name.len() > NAME || size > MAX_MEMBER {
        return None;
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

fn padding(size: usize) -> usize {
    size.next_multiple_of(BLOCK) - size
}

/// Writes a member.
///
/// # Errors
/// When it cannot be written, or is longer than [`MAX_MEMBER`].
pub fn write(out: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    let header = header(name, bytes.len()).ok_or_else(|| io::Error::other(format!("{name} is too long")))?;
    out.write_all(&header)?;
    out.write_all(bytes)?;
    out.write_all(&[0; BLOCK][..padding(bytes.len())])
}

/// Writes the end.
///
/// # Errors
/// When it cannot be written.
pub fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Reads the next member: its name and what is in it; none at the end, behind which there is nothing.
///
/// # Errors
/// [`BackupError::Truncated`] and [`BackupError::Damaged`].
pub fn read(from: &mut impl Read) -> Result<Option<(String, Vec<u8>)>, BackupError> {
    let damaged = |what: &str| BackupError::Damaged(what.to_owned());
    let mut block = [0; BLOCK];
    from.read_exact(&mut block)?;
    if block.iter().all(|byte| *byte == 0) {
        from.read_exact(&mut block)?;
        let mut rest = [0];
        return if block.iter().all(|byte| *byte == 0) && from.read(&mut rest)? == 0 {
            Ok(None)
        } else {
            Err(damaged("there is something behind the end"))
        };
    }
    let (name, size) = read_header(&block).ok_or_else(|| damaged("a header is not what was written"))?;
    let mut bytes = Vec::new();
    if from.by_ref().take(size as u64).read_to_end(&mut bytes)? < size {
        return Err(BackupError::Truncated);
    }
    let padding = &mut [0; BLOCK][..padding(size)];
    from.read_exact(padding)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(damaged("there is something behind a part"));
    }
    Ok(Some((name, bytes)))
}

fn read_header(block: &[u8; BLOCK]) -> Option<(String, usize)> {
    let name = block.get(..NAME)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    let size = std::str::from_utf8(block.get(124..135)?).ok()?;
    let size = usize::from_str_radix(size, 8).ok()?;
    (header(name, size)? == *block).then(|| (name.to_owned(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Members = Vec<(String, Vec<u8>)>;

    fn members(mut file: &[u8]) -> Result<Members, BackupError> {
        let mut members = Vec::new();
        while let Some(member) = read(&mut file)? {
            members.push(member);
        }
        Ok(members)
    }

    #[test]
    fn members_come_back_and_nothing_else_is_taken() -> Result<(), BackupError> {
        let mut file = Vec::new();
        let written = [("a.json", vec![1; 700]), ("b/c", Vec::new()), ("d", vec![0; 512])];
        for (name, bytes) in &written {
            write(&mut file, name, bytes)?;
        }
        end(&mut file)?;
        let expected: Members = written.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec();
        assert_eq!(members(&file)?, expected);
        for length in [0, 10, 512, 700, 1_536, file.len() - 1] {
            assert!(matches!(members(&file[..length]), Err(BackupError::Truncated)), "{length} bytes");
        }
        for place in (0..file.len()).filter(|place| !(512..1_212).contains(place) && !(2_560..3_072).contains(place)) {
            let mut changed = file.clone();
            changed[place] ^= 0x10;
            assert!(members(&changed).is_err(), "byte {place}");
        }
        assert!(members(&[&file[..], b"\0"].concat()).is_err());
        Ok(())
    }
}
