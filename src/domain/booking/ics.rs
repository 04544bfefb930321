//! A booking as a file that every calendar reads: iCalendar (RFC 5545), with the clocks of the venue along with it, so that
//! no calendar has to know its zone.

use super::{DAY_MS, date::LocalDate, zone::Zone};

/// The longest line in octets, without its break (RFC 5545 §3.1).
const WIDTH: usize = 75;

/// What a calendar is told of a booking.
#[derive(Clone, Copy, Debug)]
pub struct CalendarEvent<'a> {
    /// The same for ever, so that a calendar that has the booking knows it again (§3.8.4.7).
    pub uid: &'a str,
    /// When this was said, in UTC milliseconds.
    pub stamp: i64,
    /// Grows with each change of the booking (§3.8.7.4).
    pub sequence: i64,
    /// From when to when, in UTC milliseconds; one that ends as it begins has no length.
    pub start: i64,
    pub end: i64,
    /// By whose clocks it begins.
    pub zone: &'a Zone,
    pub summary: &'a str,
    /// Empty where it is not known.
    pub place: &'a str,
    /// Empty for none.
    pub note: &'a str,
    /// Of the page that tells more.
    pub url: &'a str,
    pub cancelled: bool,
}

/// A text of folded lines.
#[derive(Default)]
struct Lines(String);

impl CalendarEvent<'_> {
    /// The whole file.
    pub fn file(&self) -> String {
        self.written(None)
    }

    /// The file as it goes along with a mail whose type says `method=PUBLISH`: told to somebody who answers nothing, and both
    /// say so or neither (RFC 6047 §2.4).
    pub fn published(&self) -> String {
        self.written(Some("PUBLISH"))
    }

    fn written(&self, method: Option<&str>) -> String {
        let mut lines = Lines::default();
        lines.raw("BEGIN", "VCALENDAR");
        lines.raw("VERSION", "2.0");
        lines.raw("PRODID", "-//Xiadan//Bookings//EN");
        lines.raw("CALSCALE", "GREGORIAN");
        if let Some(method) = method {
            lines.raw("METHOD", method);
        }
        if !is_utc(self.zone) {
            lines.zone(self.zone);
        }
        lines.raw("BEGIN", "VEVENT");
        lines.text("UID", self.uid);
        lines.raw("DTSTAMP", &utc(self.stamp));
        lines.raw("SEQUENCE", &self.sequence.max(0).to_string());
        lines.moment("DTSTART", self.start, self.zone);
        // An end has to be later than the beginning (§3.8.2.2).
        if self.start < self.end {
            lines.moment("DTEND", self.end, self.zone);
        }
        lines.text("SUMMARY", self.summary);
        for (name, text) in [("LOCATION", self.place), ("DESCRIPTION", self.note)] {
            if !text.is_empty() {
                lines.text(name, text);
            }
        }
        lines.raw("URL", self.url);
        lines.raw("STATUS", if self.cancelled { "CANCELLED" } else { "CONFIRMED" });
        lines.raw("END", "VEVENT");
        lines.raw("END", "VCALENDAR");
        lines.0
    }
}

impl Lines {
    /// A property whose value stands as it is.
    fn raw(&mut self, name: &str, value: &str) {
        self.fold(&format!("{name}:{value}"));
    }

    /// A property whose value is a text (§3.3.11).
    fn text(&mut self, name: &str, value: &str) {
        self.raw(name, &escape(value));
    }

    /// A moment by the clocks of a zone. One that clocks show for the second time is given in UTC, as a local time that
    /// comes twice is its first coming (§3.3.5); so is one between two minutes.
    fn moment(&mut self, name: &str, moment: i64, zone: &Zone) {
        let shown = zone.local(moment);
        if is_utc(zone) || zone.at(shown.date, shown.minute) != moment {
            self.raw(name, &utc(moment));
        } else {
            self.raw(&format!("{name};TZID={}", zone.name()), &written(moment.saturating_add(zone.offset(moment))));
        }
    }

    /// The clocks of a zone (§3.6.5). What they showed before the first change that is known is given from 1970 on, and
    /// clocks that are put forward are said to be those of the summer: it changes no time.
    fn zone(&mut self, zone: &Zone) {
        self.raw("BEGIN", "VTIMEZONE");
        self.raw("TZID", zone.name());
        let mut before = zone.offset(i64::MIN);
        self.observance("STANDARD", 0, (before, before));
        for change in zone.changes() {
            let kind = if change.offset > before { "DAYLIGHT" } else { "STANDARD" };
            self.observance(kind, change.at.saturating_add(before), (before, change.offset));
            before = change.offset;
        }
        self.raw("END", "VTIMEZONE");
    }

    /// From when by the clocks before it which offset counts in place of which, in milliseconds.
    fn observance(&mut self, kind: &str, from: i64, (before, after): (i64, i64)) {
        self.raw("BEGIN", kind);
        self.raw("DTSTART", &written(from));
        self.raw("TZOFFSETFROM", &offset(before));
        self.raw("TZOFFSETTO", &offset(after));
        self.raw("END", kind);
    }

    /// Adds a line, and breaks it where it is too long, never inside of a character.
    fn fold(&mut self, line: &str) {
        let mut width = 0;
        for c in line.chars() {
            if width + c.len_utf8() > WIDTH {
                self.0.push_str("\r\n ");
                // The space that says that the line goes on is a part of it.
                width = 1;
            }
            self.0.push(c);
            width += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

fn is_utc(zone: &Zone) -> bool {
    zone.name() == "UTC"
}

/// Backslashes before what has a meaning (§3.3.11). Other control characters than tabs and line breaks cannot be said.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push(c),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// What a clock shows, in milliseconds since 1970 by this clock, as `20261224T193000` (§3.3.5).
fn written(wall: i64) -> String {
    let (year, month, day) = LocalDate::from_day(wall.div_euclid(DAY_MS)).civil();
    let second = wall.rem_euclid(DAY_MS) / 1_000;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// A moment in UTC milliseconds.
fn utc(moment: i64) -> String {
    written(moment) + "Z"
}

/// The distance from UTC as `+0530`, with seconds only where there are some (§3.3.14).
fn offset(ms: i64) -> String {
    let (sign, seconds) = (if ms < 0 { '-' } else { '+' }, ms.abs() / 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let seconds = if seconds == 0 { String::new() } else { format!("{seconds:02}") };
    format!("{sign}{hours:02}{minutes:02}{seconds}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::{
        HOUR_MS, MINUTE_MS,
        samples::{berlin, date, kathmandu, new_york, utc as at, zones},
        zone::Change,
    };
    use proptest::prelude::*;

    fn event(zone: &Zone) -> CalendarEvent<'_> {
        CalendarEvent {
            uid: "2026112600000017-0@shop.example",
            stamp: at("2026-11-26", 13 * 60),
            sequence: 0,
            start: at("2026-12-24", 18 * 60 + 30),
            end: at("2026-12-24", 20 * 60),
            zone,
            summary: "Dinner",
            place: "",
            note: "",
            url: "https://shop.example/orders/2026112600000017",
            cancelled: false,
        }
    }

    /// The lines as a reader has them: what was broken is whole again (§3.1).
    fn unfolded(file: &str) -> Vec<String> {
        assert!(file.ends_with("\r\n"));
        file.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_text_is_escaped_as_in_the_example() {
        // §3.3.11
        let text = "Project XYZ Final Review\nConference Room - 3B\nCome Prepared.";
        assert_eq!(escape(text), "Project XYZ Final Review\\nConference Room - 3B\\nCome Prepared.");
        assert_eq!(escape("a\\b; c, d\r\n\u{7}\te:\"f\""), "a\\\\b\\; c\\, d\\n\te:\"f\"");
    }

    #[test]
    fn a_long_line_is_broken_and_reads_as_in_the_example() {
        // §3.1
        let text = "This is a long description that exists on a long line, much longer than seventy-five octets.";
        let mut lines = Lines::default();
        lines.text("DESCRIPTION", text);
        assert!(lines.0.split("\r\n").all(|line| line.len() <= WIDTH), "{}", lines.0);
        assert_eq!(lines.0.matches("\r\n ").count(), 1);
        assert_eq!(unfolded(&lines.0), [format!("DESCRIPTION:{}", text.replace(',', "\\,"))]);
        let mut exact = Lines::default();
        exact.raw("X", &"y".repeat(WIDTH - 2));
        assert!(!exact.0.contains("\r\n "), "what fits is not broken");
    }

    #[test]
    fn the_clocks_of_new_york_are_those_of_the_example() {
        // §3.6.5: the last rules of the zone database of 2007.
        let changes = vec![
            Change { at: at("2007-03-11", 7 * 60), offset: -4 * HOUR_MS },
            Change { at: at("2007-11-04", 6 * 60), offset: -5 * HOUR_MS },
        ];
        let Some(zone) = Zone::new("America/New_York", -5 * HOUR_MS, changes) else { panic!("no zone") };
        let mut lines = Lines::default();
        lines.zone(&zone);
        let told = unfolded(&lines.0).join("\n");
        for expected in [
            "BEGIN:VTIMEZONE\nTZID:America/New_York\n",
            "BEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD",
            "BEGIN:DAYLIGHT\nDTSTART:20070311T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nEND:DAYLIGHT",
        ] {
            assert!(told.contains(expected), "{told}");
        }
        assert!(told.ends_with("END:VTIMEZONE"));
    }

    #[test]
    fn a_booking_is_told_by_the_clocks_of_the_venue() {
        let zone = berlin();
        let file = CalendarEvent { place: "Am Markt 3, Jena", note: "2 guests · Terrace", ..event(&zone) }.file();
        let lines = unfolded(&file);
        assert_eq!(lines.first().map(String::as_str), Some("BEGIN:VCALENDAR"));
        assert_eq!(lines.last().map(String::as_str), Some("END:VCALENDAR"));
        for line in [
            "UID:2026112600000017-0@shop.example",
            "DTSTAMP:20261126T130000Z",
            "DTSTART;TZID=Europe/Berlin:20261224T193000",
            "DTEND;TZID=Europe/Berlin:20261224T210000",
            "LOCATION:Am Markt 3\\, Jena",
            "DESCRIPTION:2 guests · Terrace",
            "STATUS:CONFIRMED",
        ] {
            assert!(lines.iter().any(|told| told == line), "{line} is not in {file}");
        }
        let cancelled = CalendarEvent { cancelled: true, sequence: 2, end: 0, ..event(&zone) }.file();
        assert!(cancelled.contains("STATUS:CANCELLED\r\n") && cancelled.contains("SEQUENCE:2\r\n"));
        assert!(!cancelled.contains("DTEND") && !cancelled.contains("LOCATION"));
    }

    #[test]
    fn a_file_for_a_mail_says_that_it_asks_for_no_answer() {
        let zone = berlin();
        let (file, published) = (event(&zone).file(), event(&zone).published());
        assert!(!file.contains("METHOD"));
        assert_eq!(published.replace("METHOD:PUBLISH\r\n", ""), file);
        assert_eq!(published.matches("METHOD:PUBLISH\r\n").count(), 1);
    }

    #[test]
    fn of_a_time_that_comes_twice_the_second_coming_is_told_in_utc() {
        let zone = berlin();
        let change = at("2026-10-25", 60);
        let told = |start: i64| CalendarEvent { start, end: start, ..event(&zone) }.file();
        assert!(told(change - 30 * MINUTE_MS).contains("DTSTART;TZID=Europe/Berlin:20261025T023000\r\n"));
        assert!(told(change + 30 * MINUTE_MS).contains("DTSTART:20261025T013000Z\r\n"));
    }

    #[test]
    fn half_hours_and_utc() {
        let file = event(&kathmandu()).file();
        assert!(
            file.contains("TZOFFSETTO:+0545\r\n") && file.contains("DTSTART;TZID=Asia/Kathmandu:20261225T001500\r\n")
        );
        let file = event(&Zone::utc()).file();
        assert!(file.contains("DTSTART:20261224T183000Z\r\n") && !file.contains("VTIMEZONE"));
        assert_eq!([offset(0), offset(-12_600_000), offset(-2_001_000)], ["+0000", "-0330", "-003321"]);
    }

    /// The moment that a reader has for a local time, by the rule of §3.6.5: the latest observance that had begun by then.
    fn read(lines: &[String], wall: i64) -> i64 {
        let (mut found, mut from): (Option<(i64, i64)>, i64) = (None, 0);
        for line in lines {
            if let Some(text) = line.strip_prefix("DTSTART:").filter(|text| !text.ends_with('Z')) {
                from = wall_of(text);
            }
            if let Some(text) = line.strip_prefix("TZOFFSETTO:")
                && from <= wall
                && found.is_none_or(|(begun, _)| begun <= from)
            {
                let minutes = text[1..3].parse::<i64>().unwrap_or(0) * 60 + text[3..5].parse::<i64>().unwrap_or(0);
                found = Some((from, if text.starts_with('-') { -minutes } else { minutes }));
            }
        }
        wall - found.map_or(0, |(_, minutes)| minutes * MINUTE_MS)
    }

    fn wall_of(text: &str) -> i64 {
        let number = |from: usize, to: usize| text.get(from..to).and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
        let Some(date) = LocalDate::new(number(0, 4), number(4, 6), number(6, 8)) else { panic!("{text}") };
        date.day() * DAY_MS + number(9, 11) * HOUR_MS + number(11, 13) * MINUTE_MS
    }

    #[test]
    fn readers_agree_on_either_side_of_a_change() {
        let zone = new_york();
        for day in ["2026-03-07", "2026-03-09", "2026-10-31", "2026-11-02"] {
            let start = zone.at(date(day), 12 * 60);
            let lines = unfolded(&CalendarEvent { start, end: start, ..event(&zone) }.file());
            let told = lines.iter().find_map(|line| line.strip_prefix("DTSTART;TZID=America/New_York:"));
            assert_eq!(told.map(|text| read(&lines, wall_of(text))), Some(start), "{day}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_told_in_lines_that_are_short_enough_and_whole_again(
            summary in "\\PC{0,120}", note in "(.|\n){0,200}", zone in zones(), minute in 0i64..365 * 1440,
        ) {
            let start = at("2026-01-01", minute);
            let file = CalendarEvent { summary: &summary, note: &note, start, end: start + HOUR_MS, ..event(&zone) }.file();
            for line in file.split("\r\n") {
                prop_assert!(line.len() <= WIDTH, "{line}");
                prop_assert!(!line.contains(['\r', '\n']), "{line:?}");
            }
            let summary = format!("SUMMARY:{}", escape(&summary));
            prop_assert!(unfolded(&file).contains(&summary));
            prop_assert_eq!(file.matches("BEGIN:").count(), file.matches("END:").count());
        }
    }
}
