//! Times as people of the shop read them. The shop's zone is UTC+8, which has no daylight saving.

use super::Locale;

const ZONE_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// Year, month, day, hour and minute in the shop's zone.
fn local(ms: i64) -> (i64, i64, i64, i64, i64) {
    let local = ms + ZONE_MS;
    let (day, in_day) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
    let (year, month, date) = civil(day);
    (year, month, date, in_day / 3_600_000, in_day / 60_000 % 60)
}

/// The Gregorian date of a day counted from 1970-01-01. Years begin in March here, so that the leap day comes last:
/// the days of months from March on are then a straight line, rounded down.
pub(super) fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, date)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2026年11月23日`, `23 Nov 2026`; takes UTC milliseconds.
pub fn date(l: Locale, ms: i64) -> String {
    let (year, month, date, ..) = local(ms);
    match l {
        Locale::ZhCn => format!("{year}年{month}月{date}日"),
        Locale::En => {
            let name = usize::try_from(month - 1).ok().and_then(|i| MONTHS.get(i)).unwrap_or(&"");
            format!("{date} {name} {year}")
        }
    }
}

/// `14:05`; takes UTC milliseconds.
pub fn clock(ms: i64) -> String {
    let (.., hour, minute) = local(ms);
    format!("{hour:02}:{minute:02}")
}

/// `2026年11月23日 14:05`, `23 Nov 2026, 14:05 UTC+8`; takes UTC milliseconds. Who reads English may be elsewhere.
pub fn date_time(l: Locale, ms: i64) -> String {
    match l {
        Locale::ZhCn => format!("{} {}", date(l, ms), clock(ms)),
        Locale::En => format!("{}, {} UTC+8", date(l, ms), clock(ms)),
    }
}

/// For machines, as in `<time datetime>`: `2026-11-23T14:05+08:00`; takes UTC milliseconds.
pub fn iso(ms: i64) -> String {
    let (year, month, date, ..) = local(ms);
    format!("{year}-{month:02}-{date:02}T{}+08:00", clock(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_shop() {
        assert_eq!(iso(0), "1970-01-01T08:00+08:00");
        assert_eq!(iso(1_795_413_900_000), "2026-11-23T14:05+08:00");
        assert_eq!(date_time(Locale::ZhCn, 1_795_413_900_000), "2026年11月23日 14:05");
        assert_eq!(date_time(Locale::En, 1_795_413_900_000), "23 Nov 2026, 14:05 UTC+8");
        let date = |ms| iso(ms).split_once('T').map(|(date, _)| date.to_owned()).unwrap_or_default();
        assert_eq!(date(951_753_600_000), "2000-02-29", "a leap day of a century");
        assert_eq!(date(951_840_000_000), "2000-03-01");
        assert_eq!(date(-2_203_920_000_000), "1900-03-01", "a century without one");
        assert_eq!(date(1_735_574_399_999), "2024-12-30");
    }
}
