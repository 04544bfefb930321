//! Splits a CSV file into records, and knows for each the physical line on which it begins.
//!
//! A quote that is never closed would swallow the rest of the file unnoticed. Here it ends as a fault of the record it
//! began in, and reading goes on with the line after it.

use std::io::{self, BufRead};

/// The longest record. Shops keep long descriptions in a cell, but not books.
pub const MAX_RECORD: usize = 1 << 20;

/// After so many records in a row whose quotes are broken the file is no CSV file.
const MAX_FAULTS: u32 = 20;
/// How many bytes may be read in vain beside those of the file itself. Where good and broken lines alternate, each
/// broken one costs up to [`MAX_RECORD`], and a large file would never end.
const MAX_VAIN: u64 = 64 * MAX_RECORD as u64;

/// Why a record could not be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quoted cell does not end.
    UnclosedQuote,
    /// Longer than [`MAX_RECORD`].
    TooLong,
}

/// A file that cannot be read as CSV at all.
#[derive(Debug)]
pub enum Unreadable {
    Io(io::Error),
    /// UTF-16, as some spreadsheet programs write "Unicode text".
    Utf16,
    /// Quotes are broken all over the file.
    Quotes {
        /// The line up to which it was read.
        line: u64,
    },
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads one record after the other; the cells of the current one are asked for by index.
pub struct Records<R> {
    input: R,
    /// Lines to read again before `input`, after a fault.
    again: Vec<u8>,
    again_at: usize,
    delimiter: u8,
    terminator: u8,
    next_line: u64,
    /// Broken records since the last good one.
    faults: u32,
    /// Bytes of the file so far.
    read: u64,
    /// Bytes that were read and given back.
    vain: u64,
    raw: Vec<u8>,
    line: u64,
    fault: Option<Fault>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    QuoteSeen,
}

#[derive(PartialEq, Eq)]
enum Line {
    Complete,
    TooLong,
    EndOfFile,
}

impl<R: BufRead> Records<R> {
    /// Looks at the beginning of the file: byte order mark, line ends, and the delimiter of its first line.
    ///
    /// # Errors
    /// A file that cannot be read, or is UTF-16.
    pub fn new(mut input: R) -> Result<Self, Unreadable> {
        let head = input.fill_buf()?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(Unreadable::Utf16);
        }
        let mark = if head.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
        let head = head.get(mark..).unwrap_or_default();
        let terminator = if !head.contains(&b'\n') && head.contains(&b'\r') { b'\r' } else { b'\n' };
        let delimiter = delimiter(head.split(|b| *b == terminator).next().unwrap_or_default());
        input.consume(mark);
        Ok(Self {
            input,
            again: Vec::new(),
            again_at: 0,
            delimiter,
            terminator,
            next_line: 1,
            faults: 0,
            read: 0,
            vain: 0,
            raw: Vec::new(),
            line: 0,
            fault: None,
            text: Vec::new(),
            ends: Vec::new(),
        })
    }

    /// Goes to the next record; `false` at the end of the file. Empty lines are no records.
    ///
    /// # Errors
    /// The file cannot be read, or its quotes are hopeless.
    pub fn advance(&mut self) -> Result<bool, Unreadable> {
        loop {
            self.raw.clear();
            self.text.clear();
            self.ends.clear();
            self.fault = None;
            self.line = self.next_line;
            let mut state = State::Start;
            let mut first = 0;
            loop {
                let from = self.raw.len();
                match self.read_line()? {
                    Line::EndOfFile if self.raw.is_empty() => return Ok(false),
                    Line::TooLong if from == 0 => {
                        self.skip_line()?;
                        self.next_line += 1;
                        self.fault = Some(Fault::TooLong);
                        self.split_again(self.raw.len());
                        return Ok(true);
                    }
                    Line::EndOfFile | Line::TooLong => {
                        self.give_back(first)?;
                        return Ok(true);
                    }
                    Line::Complete => self.next_line += 1,
                }
                if from == 0 {
                    first = self.raw.len();
                }
                let body = self.body_end(from, self.raw.len());
                state = self.split(state, from, body);
                if state != State::Quoted {
                    break;
                }
                self.text.extend_from_slice(self.raw.get(body..).unwrap_or_default());
            }
            self.ends.push(self.text.len());
            if self.raw.iter().any(|b| !b.is_ascii_whitespace()) {
                self.faults = 0;
                return Ok(true);
            }
        }
    }

    /// The physical line, from 1, on which the current record begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// What is wrong with the current record; its cells are then those of its first line.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a cell without its quotes.
    pub fn cell(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    /// Ends the current record after its first line and reads the others again.
    fn give_back(&mut self, first: usize) -> Result<(), Unreadable> {
        self.faults += 1;
        self.vain += self.raw.len() as u64;
        if self.faults > MAX_FAULTS || self.vain > self.read + MAX_VAIN {
            return Err(Unreadable::Quotes { line: self.line });
        }
        let mut again = self.raw.split_off(first.min(self.raw.len()));
        again.extend_from_slice(self.again.get(self.again_at..).unwrap_or_default());
        self.again = again;
        self.again_at = 0;
        self.next_line = self.line + 1;
        self.fault = Some(Fault::UnclosedQuote);
        self.split_again(first);
        Ok(())
    }

    /// The cells of a record that ends in the middle.
    fn split_again(&mut self, end: usize) {
        self.text.clear();
        self.ends.clear();
        let end = self.body_end(0, end);
        self.split(State::Start, 0, end);
        self.ends.push(self.text.len());
    }

    fn split(&mut self, mut state: State, from: usize, to: usize) -> State {
        for &byte in self.raw.get(from..to).unwrap_or_default() {
            state = match (state, byte) {
                (State::Start, b'"') => State::Quoted,
                (State::Quoted, b'"') => State::QuoteSeen,
                (State::Start | State::Plain | State::QuoteSeen, byte) if byte == self.delimiter => {
                    self.ends.push(self.text.len());
                    State::Start
                }
                (State::QuoteSeen, b'"') | (State::Quoted, _) => {
                    self.text.push(byte);
                    State::Quoted
                }
                (State::Start | State::Plain | State::QuoteSeen, _) => {
                    self.text.push(byte);
                    State::Plain
                }
            };
        }
        state
    }

    /// Where a line ends without its terminator.
    fn body_end(&self, from: usize, to: usize) -> usize {
        let line = self.raw.get(from..to).unwrap_or_default();
        let line = line.strip_suffix(&[self.terminator]).unwrap_or(line);
        let line = if self.terminator == b'\n' { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        from + line.len()
    }

    /// Appends one line with its terminator to `raw`.
    fn read_line(&mut self) -> io::Result<Line> {
        let begin = self.raw.len();
        loop {
            let again = self.again.get(self.again_at..).unwrap_or_default();
            let from_again = !again.is_empty();
            let buffer = if from_again { again } else { self.input.fill_buf()? };
            if buffer.is_empty() {
                return Ok(if self.raw.len() == begin { Line::EndOfFile } else { Line::Complete });
            }
            let end = buffer.iter().position(|b| *b == self.terminator);
            let room = MAX_RECORD - self.raw.len().min(MAX_RECORD);
            let wanted = end.map_or(buffer.len(), |end| end + 1);
            let taken = wanted.min(room);
            self.raw.extend_from_slice(buffer.get(..taken).unwrap_or_default());
            self.consume(from_again, taken);
            if taken < wanted || room == 0 {
                return Ok(Line::TooLong);
            }
            if end.is_some() {
                return Ok(Line::Complete);
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let again = self.again.get(self.again_at..).unwrap_or_default();
            let from_again = !again.is_empty();
            let buffer = if from_again { again } else { self.input.fill_buf()? };
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|b| *b == self.terminator);
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.consume(from_again, taken);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn consume(&mut self, from_again: bool, count: usize) {
        if from_again {
            self.again_at += count;
        } else {
            self.input.consume(count);
            self.read += count as u64;
        }
    }
}

/// The character that separates the headings: comma, semicolon or tab, whichever is most frequent.
fn delimiter(heading: &[u8]) -> u8 {
    let count = |delimiter: u8| {
        let mut quoted = false;
        heading
            .iter()
            .filter(|b| {
                quoted ^= **b == b'"';
                !quoted && **b == delimiter
            })
            .count()
    };
    let mut best = (count(b','), b',');
    for other in [b';', b'\t'] {
        if count(other) > best.0 {
            best = (count(other), other);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Seen = Vec<(u64, Option<Fault>, Vec<String>)>;

    fn read(bytes: &[u8]) -> Result<Seen, Unreadable> {
        let mut records = Records::new(bytes)?;
        let mut seen = Vec::new();
        while records.advance()? {
            let cells = (0..records.len()).filter_map(|i| records.cell(i));
            let cells = cells.map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            seen.push((records.line(), records.fault(), cells));
        }
        Ok(seen)
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Option<Fault>, Vec<String>) {
        (line, None, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn records_know_the_line_they_begin_on() -> Result<(), Unreadable> {
        let expected = vec![row(1, &["a", "b"]), row(2, &["x\ny", "2"]), row(5, &["3", ""]), row(6, &["", "4"])];
        assert_eq!(read(b"a,b\n\"x\ny\",2\n\n3,\n,4")?, expected);
        let crlf = read(b"\xef\xbb\xbfa,b\r\n\"x\r\ny\",2\r\n\r\n3,\r\n,4\r\n")?;
        assert_eq!(crlf.iter().map(|record| record.0).collect::<Vec<_>>(), [1, 2, 5, 6]);
        assert_eq!(crlf.first(), Some(&row(1, &["a", "b"])), "neither mark nor carriage return are part of a cell");
        assert_eq!(read(b"a,b\r1,2\r")?, vec![row(1, &["a", "b"]), row(2, &["1", "2"])]);
        Ok(())
    }

    #[test]
    fn quotes_and_delimiters_are_read_as_spreadsheets_write_them() -> Result<(), Unreadable> {
        assert_eq!(read(b"a;b\n\"1;2\";3,5")?, vec![row(1, &["a", "b"]), row(2, &["1;2", "3,5"])]);
        assert_eq!(read(b"a\tb\n1,2\t3")?, vec![row(1, &["a", "b"]), row(2, &["1,2", "3"])]);
        assert_eq!(read(b"a,b\n\"say \"\"hi\"\"\",5\" disk")?[1], row(2, &["say \"hi\"", "5\" disk"]));
        assert_eq!(read(b"a,b\n\"\",\"\"\n")?[1], row(2, &["", ""]));
        assert_eq!(read(b"\"a;b;c\",d\n1,2")?[1], row(2, &["1", "2"]));
        assert_eq!(read(b"")?, vec![]);
        Ok(())
    }

    #[test]
    fn an_unclosed_quote_costs_one_line_and_not_the_file() -> Result<(), Unreadable> {
        let seen = read(b"a,b\n1,\"open\n2,x\n3,y\n")?;
        assert_eq!(seen[1], (2, Some(Fault::UnclosedQuote), vec!["1".into(), "open".into()]));
        assert_eq!(&seen[2..], [row(3, &["2", "x"]), row(4, &["3", "y"])]);
        Ok(())
    }

    #[test]
    fn an_endless_line_is_skipped() -> Result<(), Unreadable> {
        let mut file = b"a,b\n1,".to_vec();
        file.resize(MAX_RECORD * 3, b'x');
        file.extend_from_slice(b"\n2,y\n");
        let seen = read(&file)?;
        assert_eq!((seen[1].0, seen[1].1, seen[1].2[0].as_str()), (2, Some(Fault::TooLong), "1"));
        assert_eq!(seen[2], row(3, &["2", "y"]));
        Ok(())
    }

    #[test]
    fn broken_quotes_here_and_there_cost_their_lines_only() -> Result<(), Unreadable> {
        let file = "a,b\n".to_owned() + &"1,x\ny\"z,\"w\n2,x\n".repeat(50);
        let seen = read(file.as_bytes())?;
        assert_eq!(seen.len(), 151);
        assert_eq!(seen.iter().filter(|record| record.1.is_some()).count(), 50);
        assert_eq!(seen[150], row(151, &["2", "x"]));
        Ok(())
    }

    #[test]
    fn hopeless_quotes_end_early() {
        let file = "y\"z,\"w\n".repeat(200_000);
        assert!(matches!(read(file.as_bytes()), Err(Unreadable::Quotes { line }) if line < 100));
        let mixed = "1,x\ny\"z,\"w\n".repeat(200_000);
        assert!(matches!(read(mixed.as_bytes()), Err(Unreadable::Quotes { line }) if line < 1_000));
        assert!(matches!(read(b"\xff\xfea\0"), Err(Unreadable::Utf16)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn written_cells_read_back(cells in proptest::collection::vec("[a\",\r\n ;é]{0,6}", 2..5)) {
            let line = |cells: &[String]| {
                cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n"
            };
            let heading: Vec<String> = cells.iter().map(|_| "h".to_owned()).collect();
            let seen = read((line(&heading) + &line(&cells)).as_bytes()).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
            prop_assert_eq!(&seen[1].2, &cells);
        }
    }
}
