//! A ZIP file whose entries are stored as they are, after PKWARE's APPNOTE.TXT 6.3.10: local file headers (§4.3.7), the
//! central directory (§4.3.12) and its end (§4.3.16). What is copied here is small text, so nothing is compressed, and
//! there is no ZIP64: a file of 4 GiB is refused.

use std::io;

/// "Names are UTF-8", bit 11 of the general purpose flags (§4.4.4).
const UTF8: u16 = 1 << 11;
/// What a reader must know: 2.0, for folders in names (§4.4.3).
const VERSION: u16 = 20;
/// Readable and writable by its owner alone, where names come from Unix (§4.4.2, §4.4.15).
const UNIX: u16 = 3 << 8;
const MODE: u32 = 0o100_600 << 16;

/// A ZIP file that is being written.
#[derive(Default)]
pub struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// Date and time of an entry as MS-DOS has them (§4.4.6).
#[derive(Clone, Copy)]
pub struct DosTime {
    time: u16,
    date: u16,
}

impl DosTime {
    /// Local year, month, day, hour, minute and second; years before 1980 and after 2107 become the nearest there is.
    pub fn new((year, month, day): (i16, i8, i8), (hour, minute, second): (i8, i8, i8)) -> Self {
        let part = |value: i8| u16::try_from(value).unwrap_or_default();
        let year = u16::try_from(year.clamp(1980, 2107) - 1980).unwrap_or_default();
        Self {
            time: (part(hour) << 11) | (part(minute) << 5) | (part(second) / 2),
            date: year << 9 | part(month) << 5 | part(day),
        }
    }
}

impl Zip {
    /// Adds an entry. Folders in its name end with `/`.
    ///
    /// # Errors
    /// When the file would be too large, or has too many entries.
    pub fn add(&mut self, name: &str, content: &[u8], at: DosTime) -> io::Result<()> {
        let too_large = |_| io::Error::new(io::ErrorKind::FileTooLarge, "a ZIP file ends at 4 GiB");
        let size = u32::try_from(content.len()).map_err(too_large)?;
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let length = u16::try_from(name.len()).map_err(too_large)?;
        self.entries = self.entries.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        // Method 0 (stored), time, date, sum, packed and plain size, length of the name, no extra field: in both headers.
        let mut common = Vec::new();
        for half in [UTF8, 0, at.time, at.date] {
            common.extend(half.to_le_bytes());
        }
        for word in [crc32fast::hash(content), size, size] {
            common.extend(word.to_le_bytes());
        }
        for half in [length, 0] {
            common.extend(half.to_le_bytes());
        }
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(VERSION.to_le_bytes());
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(content);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend((UNIX | VERSION).to_le_bytes());
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(&common);
        // No comment, first disk, no internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend(MODE.to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// When it would be too large.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        let too_large = |_| io::Error::new(io::ErrorKind::FileTooLarge, "a ZIP file ends at 4 GiB");
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let size = u32::try_from(self.directory.len()).map_err(too_large)?;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06");
        // This disk, the disk of the directory, and its entries here and in all.
        for half in [0, 0, self.entries, self.entries] {
            self.bytes.extend(half.to_le_bytes());
        }
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        // No comment.
        self.bytes.extend(0u16.to_le_bytes());
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> usize {
        bytes.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    #[test]
    fn what_was_added_is_found_by_the_directory() -> io::Result<()> {
        let at = DosTime::new((2026, 11, 26), (14, 5, 58));
        let entries: [(&str, &[u8]); 3] = [("a.txt", b"hello"), ("茶/b.json", b"{}"), ("empty", b"")];
        let mut zip = Zip::default();
        for (name, content) in entries {
            zip.add(name, content, at)?;
        }
        let file = zip.finish()?;
        let end = &file[file.len() - 22..];
        assert_eq!(&end[..4], b"PK\x05\x06");
        assert_eq!((number(&end[8..10]), number(&end[10..12])), (3, 3));
        let mut entry = number(&end[16..20]);
        assert_eq!(entry + number(&end[12..16]), file.len() - 22, "the directory ends where its end begins");
        for (name, content) in entries {
            let head = &file[entry..];
            assert_eq!(&head[..4], b"PK\x01\x02");
            assert_eq!(
                (number(&head[12..14]), number(&head[14..16])),
                (14 << 11 | 5 << 5 | 29, 46 << 9 | 11 << 5 | 26)
            );
            assert_eq!(number(&head[16..20]), crc32fast::hash(content) as usize);
            let length = number(&head[28..30]);
            assert_eq!(&head[46..46 + length], name.as_bytes());
            let local = &file[number(&head[42..46])..];
            assert_eq!(&local[..4], b"PK\x03\x04");
            assert_eq!(&local[6..26], &head[8..28], "both headers say the same");
            let begins = 30 + number(&local[26..28]) + number(&local[28..30]);
            assert_eq!(&local[begins..begins + number(&local[22..26])], content);
            entry += 46 + length;
        }
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926, "the check value of CRC-32");
        Ok(())
    }
}
