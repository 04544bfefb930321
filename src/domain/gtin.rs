//! The number of an article in the trade of the whole world (GS1), which scanners read as its barcode.

/// The GTIN that a barcode is, without spaces and hyphens; `None` for what is none: another length than 8, 12, 13 or
/// 14 digits, a wrong check digit, or a number from the ranges that shops give out by themselves and for coupons, under
/// which others know something else.
pub fn gtin(barcode: &str) -> Option<String> {
    let number: String = barcode.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !matches!(number.len(), 8 | 12 | 13 | 14) || !number.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    // Weights 3 and 1 in turn, from the digit before the check digit to the left.
    let digits = number.bytes().rev().map(|c| u32::from(c - b'0'));
    let sum: u32 = digits.enumerate().map(|(i, digit)| if i % 2 == 1 { digit * 3 } else { digit }).sum();
    // Shorter numbers are fourteen digits with zeros before them, of which the first tells the packaging.
    let own = match format!("{number:0>14}").as_bytes()[1..4] {
        _ if number.len() == 8 => number.starts_with(['0', '2']),
        [b'2', ..] | [b'0', b'2' | b'4' | b'5', _] | [b'9', b'8', b'1'..=b'4'] | [b'9', b'9', _] => true,
        _ => number.bytes().all(|c| c == b'0'),
    };
    (sum.is_multiple_of(10) && !own).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barcode_is_an_article_number_when_its_check_digit_says_so() {
        for barcode in
            ["4006381333931", "6901234567892", "036000291452", "96385074", "14006381333938", "690 1234-567892"]
        {
            let digits: String = barcode.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(gtin(barcode), Some(digits), "{barcode}");
        }
        for barcode in
            ["", "690", "4006381333932", "400638133393X", "４００６３８１３３３９３１", "40063813339310", "0"]
        {
            assert_eq!(gtin(barcode), None, "{barcode}");
        }
    }

    #[test]
    fn numbers_that_a_shop_gives_out_by_itself_are_not_the_worlds() {
        for barcode in ["2012345678903", "0212345678909", "0000000000000", "00000000", "20123451", "9912345678909"] {
            assert_eq!(gtin(barcode), None, "{barcode}");
        }
    }

    #[test]
    fn one_changed_digit_is_noticed() {
        let right = "4006381333931";
        for at in 0..right.len() {
            for digit in '0'..='9' {
                let wrong = format!("{}{digit}{}", &right[..at], &right[at + 1..]);
                assert_eq!(gtin(&wrong).is_some(), wrong == right, "{wrong}");
            }
        }
    }
}
