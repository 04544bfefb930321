//! What customers say of what they bought: who may say it, until when, under which name, and what all of it comes to.

use super::{
    catalog::{Image, percent_encode},
    error::{Check, Problem, Result},
    order::{BookingState, State},
};
use serde::{Deserialize, Serialize};
use std::fmt;

const DAY_MS: i64 = 24 * 60 * 60_000;
/// How long after an order was completed its lines can be reviewed, in milliseconds: half a year.
pub const WRITE_MS: i64 = 180 * DAY_MS;
/// How long after it was written a review can be changed, in milliseconds: 30 days.
pub const EDIT_MS: i64 = 30 * DAY_MS;
/// The most characters of a review. A Chinese character is one, as a letter is.
pub const MAX_BODY: u32 = 500;
/// The most characters of the shop's answer.
pub const MAX_ANSWER: u32 = 500;
/// The most characters of the reason for which a review is hidden.
pub const MAX_REASON: u32 = 200;
/// How many reviews the page of a product shows at once.
pub const PER_PAGE: i64 = 10;
/// How many a page of the office shows.
pub const OFFICE_PER_PAGE: i64 = 20;
/// The most stars.
pub const MOST: i64 = 5;
/// At most so many stars are few, for the office.
pub const FEW: i64 = 2;

/// What the stars of some reviews come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// All stars together.
    pub sum: i64,
    /// Of how many reviews.
    pub count: i64,
}

impl Rating {
    /// Whether there are no reviews.
    pub const fn is_none(&self) -> bool {
        self.count <= 0
    }

    /// The mean in tenths of a star, halves rounded up; none without reviews.
    pub fn tenths(self) -> Option<i64> {
        let twice = self.sum.checked_mul(20)?.checked_add(self.count)?;
        (!self.is_none()).then(|| twice.div_euclid(2 * self.count))
    }

    /// The mean as it is shown: `4.8`; none without reviews.
    pub fn mean(self) -> Option<String> {
        self.tenths().map(|tenths| format!("{}.{}", tenths / 10, tenths % 10))
    }
}

/// Where a line of an order stands with its review, as its customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineReview {
    /// It can be written.
    Open,
    Written {
        stars: i64,
        /// Whether it can still be changed.
        editable: bool,
    },
}

/// A review that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub stars: i64,
    /// UTC milliseconds.
    pub at: i64,
}

/// Where the review of a line stands; none for a line that cannot be reviewed, or not yet, or not any more. Only who got
/// what they bought has something to say of it: the order is complete, and a booking was kept.
pub fn of_line(
    order: State,
    booking: Option<BookingState>,
    completed_at: Option<i64>,
    written: Option<Written>,
    now: i64,
) -> Option<LineReview> {
    if let Some(Written { stars, at }) = written {
        return Some(LineReview::Written { stars, editable: now < at.saturating_add(EDIT_MS) });
    }
    let got = order == State::Completed && matches!(booking, None | Some(BookingState::Done));
    let in_time = completed_at.is_some_and(|at| now < at.saturating_add(WRITE_MS));
    (got && in_time).then_some(LineReview::Open)
}

/// The name under which a review is shown: the first character of the customer's, and always as many stars, which do not
/// tell how long it is. Empty for a name that has no letter.
pub fn shown_name(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|first| format!("{first}**")).unwrap_or_default()
}

/// A review as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// From 1 to [`MOST`]; zero where none were chosen.
    pub stars: i64,
    pub body: String,
    /// Shown under no name.
    pub anonymous: bool,
    /// What is thought of the person who came; zero for nothing.
    pub person_stars: i64,
}

impl Draft {
    /// What is kept of it. `person` tells whether somebody came of whom something can be thought.
    ///
    /// # Errors
    /// [`super::Error::Invalid`] with the problems of `stars`, `body` and `person_stars`.
    pub fn check(&self, person: bool) -> Result<Self> {
        let mut check = Check::default();
        match self.stars {
            0 => check.add("stars", Problem::Required),
            1..=MOST => {}
            _ => check.add("stars", Problem::Choice),
        }
        let body = check.take("body", text(&self.body, MAX_BODY)).unwrap_or_default();
        let person_stars = if person { self.person_stars } else { 0 };
        if !(0..=MOST).contains(&person_stars) {
            check.add("person_stars", Problem::Choice);
        }
        check.finish()?;
        Ok(Self { stars: self.stars, body, anonymous: self.anonymous, person_stars })
    }
}

/// A text as it is kept and shown: without spaces around it, without more than one empty line in a row, and without
/// characters that nobody sees and that turn the text around them.
///
/// # Errors
/// [`Problem::TooLong`].
pub fn text(typed: &str, most: u32) -> Result<String, Problem> {
    let (mut kept, mut breaks) = (String::new(), 0);
    for c in typed.trim().replace("\r\n", "\n").chars().filter(|c| !is_unseen(*c)) {
        breaks = if c == '\n' { breaks + 1 } else { 0 };
        if breaks <= 2 {
            kept.push(c);
        }
    }
    let kept = kept.trim().to_owned();
    if u32::try_from(kept.chars().count()).is_ok_and(|count| count <= most) {
        Ok(kept)
    } else {
        Err(Problem::TooLong(most))
    }
}

/// The same of a text that there has to be.
///
/// # Errors
/// [`Problem::Required`], [`Problem::TooLong`].
pub fn needed_text(typed: &str, most: u32) -> Result<String, Problem> {
    let kept = text(typed, most)?;
    if kept.is_empty() { Err(Problem::Required) } else { Ok(kept) }
}

/// Control characters but the line feed, and those of Unicode that change the direction of what follows (UAX #9).
fn is_unseen(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The form of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewForm {
    pub title: String,
    /// What was bought of it.
    pub label: String,
    pub image: Option<Image>,
    /// The name under which it would be shown; empty where there is none to show.
    pub name: String,
    /// Who came.
    pub person: Option<String>,
    /// What was written, or what was typed and refused.
    pub draft: Draft,
    /// Where it stands; none where nothing can be written.
    pub standing: Option<LineReview>,
    /// Why the shop hides it, if it does.
    pub hidden: Option<String>,
}

/// The shop's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    /// UTC milliseconds.
    pub at: i64,
}

/// A review as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: String,
    /// Empty for somebody without a name.
    pub author: String,
    pub stars: i64,
    /// Plain text, which may be empty.
    pub body: String,
    /// What was bought, in the language of the page; empty for what has no choices.
    pub label: String,
    /// Who came, and what was thought of them.
    pub person: Option<(String, i64)>,
    /// UTC milliseconds.
    pub written_at: i64,
    /// Whether it was changed after that.
    pub changed: bool,
    pub answer: Option<Answer>,
}

/// Some reviews of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewList {
    pub reviews: Vec<Review>,
    /// How many there are with one star, with two, and so on, whatever is asked for.
    pub counts: [i64; 5],
    /// After which review the next ones come; none where these are the last.
    pub next: Option<Cursor>,
}

impl ReviewList {
    /// What all of them come to.
    pub fn rating(&self) -> Rating {
        let stars = self.counts.iter().zip(1..);
        Rating { sum: stars.map(|(count, stars)| count * stars).sum(), count: self.counts.iter().sum() }
    }
}

/// In which order reviews come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    Newest,
    Highest,
    Lowest,
}

impl Sort {
    pub const ALL: [Self; 3] = [Self::Newest, Self::Highest, Self::Lowest];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Highest => "highest",
            Self::Lowest => "lowest",
        }
    }

    /// Reads the name in an address; an unknown one is the usual order.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.name() == name).unwrap_or_default()
    }
}

/// A place in a list of reviews: after one of them, whether or not it is still there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    pub stars: i64,
    /// When it was written, in UTC milliseconds.
    pub at: i64,
    pub id: String,
}

impl Cursor {
    /// Reads one as it is written in an address.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (stars, at, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let known = id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        known.then(|| Self { stars, at, id: id.to_owned() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.stars, self.at, self.id)
    }
}

/// What is asked of the reviews of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wanted {
    /// With so many stars alone.
    pub stars: Option<i64>,
    pub sort: Sort,
    pub after: Option<Cursor>,
}

/// Where a page of a product says what is wanted of its reviews.
const STARS: &str = "stars";
const SORT: &str = "reviews";
const AFTER: &str = "after";
/// The place of the reviews on that page.
pub const PLACE: &str = "reviews";

impl Wanted {
    /// Reads it from the parameters of an address; what makes no sense is nothing.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let stars = get(STARS).and_then(|stars| stars.parse().ok());
        Self::asked(stars, get(SORT).as_deref(), get(AFTER).as_deref())
    }

    /// Reads it from its parts; what makes no sense is nothing.
    pub fn asked(stars: Option<i64>, sort: Option<&str>, after: Option<&str>) -> Self {
        Self {
            stars: stars.filter(|stars| (1..=MOST).contains(stars)),
            sort: sort.map(Sort::from_name).unwrap_or_default(),
            after: after.and_then(Cursor::parse),
        }
    }

    /// The address of a page with these reviews, with what else its parameters say.
    pub fn href<'a>(&self, path: &str, others: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let others = others.filter(|(name, _)| ![STARS, SORT, AFTER].contains(name));
        let mut pairs: Vec<_> = others.map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
        pairs.extend(self.stars.map(|stars| format!("{STARS}={stars}")));
        if self.sort != Sort::default() {
            pairs.push(format!("{SORT}={}", self.sort.name()));
        }
        pairs.extend(self.after.as_ref().map(|after| format!("{AFTER}={after}")));
        if pairs.is_empty() { format!("{path}#{PLACE}") } else { format!("{path}?{}#{PLACE}", pairs.join("&")) }
    }
}

/// Which reviews the office looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeFilter {
    #[default]
    All,
    /// Shown, without an answer.
    Unanswered,
    /// Shown, with at most [`FEW`] stars.
    Low,
    Hidden,
}

impl OfficeFilter {
    pub const ALL: [Self; 4] = [Self::All, Self::Unanswered, Self::Low, Self::Hidden];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Unanswered => "unanswered",
            Self::Low => "low",
            Self::Hidden => "hidden",
        }
    }

    /// Reads the name in an address; an unknown one is all of them.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|filter| filter.name() == name).unwrap_or_default()
    }
}

/// A review as the office sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeReview {
    pub review: Review,
    /// Of the product.
    pub handle: String,
    pub title: String,
    /// Why it is hidden, if it is.
    pub hidden: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    #[test]
    fn a_mean_is_rounded_to_tenths_without_floats() {
        let mean = |sum, count| Rating { sum, count }.mean();
        assert_eq!(mean(0, 0), None);
        assert_eq!(mean(5, 1).as_deref(), Some("5.0"));
        assert_eq!(mean(14, 3).as_deref(), Some("4.7"), "4.67");
        assert_eq!(mean(13, 3).as_deref(), Some("4.3"), "4.33");
        assert_eq!(mean(93, 20).as_deref(), Some("4.7"), "4.65: halves go up");
        assert_eq!(mean(1, 1).as_deref(), Some("1.0"));
        assert_eq!(Rating { sum: i64::MAX, count: 1 }.tenths(), None, "no sum of stars");
    }

    #[test]
    fn a_line_is_reviewed_by_who_got_it_and_in_time() {
        let day = DAY_MS;
        let open = Some(LineReview::Open);
        let table = [
            (State::Completed, None, Some(0), 0, open),
            (State::Completed, None, Some(0), 180 * day - 1, open),
            (State::Completed, None, Some(0), 180 * day, None),
            (State::Completed, None, None, 0, None),
            (State::Completed, Some(BookingState::Done), Some(0), 1, open),
            (State::Completed, Some(BookingState::NoShow), Some(0), 1, None),
            (State::Completed, Some(BookingState::Cancelled), Some(0), 1, None),
            (State::Shipped, None, None, 1, None),
            (State::ToShip, Some(BookingState::Done), None, 1, None),
            (State::Cancelled, None, Some(0), 1, None),
        ];
        for (order, booking, completed_at, now, expected) in table {
            assert_eq!(of_line(order, booking, completed_at, None, now), expected, "{order:?} {booking:?} {now}");
        }
        let written = Some(Written { stars: 4, at: 100 * day });
        let at = |now| of_line(State::Completed, None, Some(0), written, now);
        assert_eq!(at(130 * day - 1), Some(LineReview::Written { stars: 4, editable: true }));
        assert_eq!(at(130 * day), Some(LineReview::Written { stars: 4, editable: false }));
    }

    #[test]
    fn a_name_is_shown_by_its_first_letter() {
        assert_eq!(shown_name("王小明"), "王**");
        assert_eq!(shown_name("  Li Lei"), "L**");
        assert_eq!(shown_name("𠮷野"), "𠮷**");
        assert_eq!(shown_name("·—"), "");
        assert_eq!(shown_name(""), "");
    }

    #[test]
    fn a_text_is_counted_by_characters_and_kept_plain() {
        assert_eq!(text(&"好".repeat(500), MAX_BODY), Ok("好".repeat(500)));
        assert_eq!(text(&"好".repeat(501), MAX_BODY), Err(Problem::TooLong(500)));
        assert_eq!(text(" a\r\n\r\n\r\n\r\nb\u{0}\u{202e}c ", 9), Ok("a\n\nbc".to_owned()));
        assert_eq!(text("<b>1</b>", 9), Ok("<b>1</b>".to_owned()));
        assert_eq!(needed_text(" \n", 9), Err(Problem::Required));
    }

    #[test]
    fn a_draft_says_all_that_is_wrong_with_it() {
        let draft = Draft { body: "好".repeat(501), person_stars: 6, ..Draft::default() };
        let wrong = draft.check(true).err();
        let problem = |field| wrong.as_ref().and_then(|wrong| wrong.problem(field));
        assert_eq!(problem("stars"), Some(Problem::Required));
        assert_eq!(problem("body"), Some(Problem::TooLong(500)));
        assert_eq!(problem("person_stars"), Some(Problem::Choice));
        let other = Draft { stars: 6, ..Draft::default() }.check(false);
        assert_eq!(other, Err(Error::field("stars", Problem::Choice)));
        let alone = Draft { stars: 5, person_stars: 9, ..Draft::default() }.check(false);
        assert_eq!(alone, Ok(Draft { stars: 5, ..Draft::default() }), "nobody came");
    }

    #[test]
    fn what_is_wanted_stands_in_the_address_beside_the_rest() {
        let cursor = Cursor { stars: 4, at: 17, id: "0193-a".into() };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor.clone()));
        for wrong in ["", "4.17", "x.17.a", "4.17.a'b", "4.17.a.b"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
        let wanted = Wanted { stars: Some(4), sort: Sort::Lowest, after: Some(cursor) };
        let href = wanted.href("/p/mug", [("v", "红 1"), ("stars", "2")].into_iter());
        assert_eq!(href, "/p/mug?v=%E7%BA%A2%201&stars=4&reviews=lowest&after=4.17.0193-a#reviews");
        let read = Wanted::read(|name| {
            let pairs = [("stars", "4"), ("reviews", "lowest"), ("after", "4.17.0193-a")];
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(read, wanted);
        assert_eq!(Wanted::default().href("/p/mug", std::iter::empty()), "/p/mug#reviews");
        assert_eq!(Wanted::read(|_| Some("9".to_owned())), Wanted::default());
    }

    #[test]
    fn the_distribution_has_the_mean_in_it() {
        let list = ReviewList { counts: [1, 0, 2, 0, 3], ..ReviewList::default() };
        assert_eq!(list.rating(), Rating { sum: 22, count: 6 });
        assert_eq!(ReviewList::default().rating().mean(), None);
    }
}
