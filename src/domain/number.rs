//! Order numbers: date, nine random digits and a check digit, as `2611 2304 8271 9364`.
//!
//! Digits only and in groups of four, so that they can be read aloud in any language; the random part makes them hard
//! to guess; the check digit (Damm's algorithm, H. Michael Damm, 2004) finds every wrong digit and every swap of two
//! neighbours.

/// A quasigroup of order 10 that is totally anti-symmetric; from Damm's thesis.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The number of an order placed on a local date; `random` is uniform over all `u64`.
pub fn make(year: i16, month: i8, day: i8, random: u64) -> String {
    let digits = format!("{:02}{month:02}{day:02}{:09}", year.rem_euclid(100), random % 1_000_000_000);
    let check = check_digit(&digits);
    format!("{digits}{check}")
}

/// Reads a number as a person types it, with spaces or dashes; `None` if a digit is wrong.
pub fn parse(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let valid = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit()) && check_digit(&digits) == 0;
    valid.then_some(digits)
}

/// What was typed for a number, if it may stand in an address: a number with a slip in it perhaps, but nothing that could
/// be somebody's phone or e-mail, typed into the wrong field. A Chinese phone has 13 digits with its
/// country code, or begins with the zeros in front of it.
pub fn to_show(text: &str) -> Option<&str> {
    let text = text.trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'));
    (plain && (14..=20).contains(&digits) && text.len() <= 40 && !text.starts_with('0')).then_some(text)
}

/// In groups of four, to be read aloud.
pub fn display(number: &str) -> String {
    let groups: Vec<_> = number.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

fn check_digit(digits: &str) -> u8 {
    digits.bytes().fold(0, |state, digit| DAMM[usize::from(state)][usize::from(digit.wrapping_sub(b'0') % 10)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_example_of_damm() {
        assert_eq!(check_digit("572"), 4);
        assert_eq!(check_digit("5724"), 0);
    }

    #[test]
    fn only_what_looks_like_a_number_is_shown_again() {
        for slip in ["2611 2304 8271 9364", "2611-2304-8271-9365", " 261123048271936 "] {
            assert_eq!(to_show(slip), Some(slip.trim()), "{slip}");
        }
        for other in ["", "138 0013 8000", "+86 138 0013 8000", "8613800138000", "008613800138000", "wang@example.com"]
        {
            assert_eq!(to_show(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_back_and_a_slip_is_found(random: u64, at in 0usize..16, digit in 0u8..10) {
            let number = make(2026, 11, 23, random);
            prop_assert_eq!(parse(&display(&number)), Some(number.clone()));
            let mut wrong = number.clone().into_bytes();
            wrong[at] = b'0' + digit;
            let wrong = String::from_utf8_lossy(&wrong).into_owned();
            prop_assert_eq!(parse(&wrong).is_some(), wrong == number);
            let mut swapped = number.clone().into_bytes();
            if at > 0 && swapped[at] != swapped[at - 1] {
                swapped.swap(at, at - 1);
                prop_assert_eq!(parse(&String::from_utf8_lossy(&swapped)), None);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
