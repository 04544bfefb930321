//! Dates and times of venues in words, by their own clocks.

use super::{DAY_MS, HOUR_MS, MINUTE_MS, date::LocalDate, zone::Zone};
use crate::domain::{Locale, time};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const WEEKDAYS_ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];

fn english_month(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|place| MONTHS.get(place)).copied().unwrap_or_default()
}

/// A day of the week by its place, Monday first: `周四`, `Thu`.
pub fn weekday(l: Locale, place: usize) -> &'static str {
    let names = match l {
        Locale::ZhCn => WEEKDAYS_ZH,
        Locale::En => WEEKDAYS,
    };
    names.get(place).copied().unwrap_or_default()
}

/// `12月24日 周四`, `Thu 24 Dec`.
pub fn date(l: Locale, date: LocalDate) -> String {
    let (_, month, day) = date.civil();
    let weekday = weekday(l, date.weekday());
    match l {
        Locale::ZhCn => format!("{month}月{day}日 {weekday}"),
        Locale::En => format!("{weekday} {day} {}", english_month(month).chars().take(3).collect::<String>()),
    }
}

/// `2026年12月24日 周四`, `Thu, 24 Dec 2026`.
pub fn full_date(l: Locale, date: LocalDate) -> String {
    let weekday = weekday(l, date.weekday());
    // Midnight at Greenwich is within the date by the clock of the shop.
    let date = time::date(l, date.day() * DAY_MS);
    match l {
        Locale::ZhCn => format!("{date} {weekday}"),
        Locale::En => format!("{weekday}, {date}"),
    }
}

/// `2026年12月`, `December 2026`.
pub fn month(l: Locale, date: LocalDate) -> String {
    let (year, month, _) = date.civil();
    match l {
        Locale::ZhCn => format!("{year}年{month}月"),
        Locale::En => format!("{} {year}", english_month(month)),
    }
}

/// A moment (UTC milliseconds) by the clocks of a zone: `12月24日 周四 14:00`.
pub fn moment(l: Locale, zone: &Zone, ms: i64) -> String {
    let local = zone.local(ms);
    format!("{} {}", date(l, local.date), local.clock())
}

/// From one moment to another: `12月24日 周四 14:00–16:00`; with both dates where they differ.
pub fn span(l: Locale, zone: &Zone, start: i64, end: i64) -> String {
    let (from, until) = (zone.local(start), zone.local(end));
    if from.date == until.date {
        format!("{}–{}", moment(l, zone, start), until.clock())
    } else {
        format!("{} – {}", moment(l, zone, start), moment(l, zone, end))
    }
}

/// How far the clocks of a zone are from UTC at a moment: `UTC+8`, `UTC+5:45`, `UTC`.
pub fn utc(zone: &Zone, ms: i64) -> String {
    let minutes = zone.local(ms).offset_minutes;
    let (sign, minutes) = (if minutes < 0 { '−' } else { '+' }, minutes.abs());
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A length of time in milliseconds, to the minute: `1 小时 30 分钟`, `1 h 30 min`; `2 天`, `2 days`.
pub fn length(l: Locale, ms: i64) -> String {
    let ms = ms.max(0);
    let (hours, minutes) = (ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
    if ms >= DAY_MS && ms % DAY_MS == 0 {
        let days = ms / DAY_MS;
        return match (l, days) {
            (Locale::ZhCn, _) => format!("{days} 天"),
            (Locale::En, 1) => "1 day".to_owned(),
            (Locale::En, _) => format!("{days} days"),
        };
    }
    let (hour, minute) = match l {
        Locale::ZhCn => ("小时", "分钟"),
        Locale::En => ("h", "min"),
    };
    match (hours, minutes) {
        (0, minutes) => format!("{minutes} {minute}"),
        (hours, 0) => format!("{hours} {hour}"),
        (hours, minutes) => format!("{hours} {hour} {minutes} {minute}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::samples::{berlin, date as day, kathmandu, shanghai, st_johns, utc as at};

    #[test]
    fn days_and_months_are_named() {
        assert_eq!(date(Locale::ZhCn, day("2026-12-24")), "12月24日 周四");
        assert_eq!(date(Locale::En, day("2026-12-24")), "Thu 24 Dec");
        assert_eq!(full_date(Locale::En, day("2026-12-24")), "Thu, 24 Dec 2026");
        assert_eq!(full_date(Locale::ZhCn, day("2026-11-26")), "2026年11月26日 周四");
        assert_eq!(month(Locale::ZhCn, day("2026-05-01")), "2026年5月");
        assert_eq!(month(Locale::En, day("2026-05-01")), "May 2026");
    }

    #[test]
    fn moments_are_told_by_the_clocks_of_the_venue() {
        let start = at("2026-12-24", 22 * 60 + 30);
        assert_eq!(moment(Locale::ZhCn, &shanghai(), start), "12月25日 周五 06:30");
        assert_eq!(span(Locale::En, &berlin(), start, start + HOUR_MS / 4), "Thu 24 Dec 23:30–23:45");
        assert_eq!(span(Locale::En, &berlin(), start, start + HOUR_MS), "Thu 24 Dec 23:30 – Fri 25 Dec 00:30");
    }

    #[test]
    fn zones_are_told_by_their_distance() {
        let noon = at("2026-01-15", 12 * 60);
        let told = [shanghai(), kathmandu(), st_johns(), Zone::utc()].map(|zone| utc(&zone, noon));
        assert_eq!(told, ["UTC+8", "UTC+5:45", "UTC−3:30", "UTC"]);
    }

    #[test]
    fn lengths_are_told_to_the_minute() {
        assert_eq!(length(Locale::ZhCn, 90 * MINUTE_MS), "1 小时 30 分钟");
        assert_eq!(length(Locale::En, 2 * HOUR_MS), "2 h");
        assert_eq!(length(Locale::En, 45 * MINUTE_MS), "45 min");
        assert_eq!((length(Locale::En, DAY_MS), length(Locale::ZhCn, 2 * DAY_MS)), ("1 day".into(), "2 天".into()));
        assert_eq!(length(Locale::En, 26 * HOUR_MS), "26 h");
    }
}
