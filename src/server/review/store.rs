//! The SQL of reviews.

use crate::{
    args,
    domain::{
        Error, Locale, Result,
        catalog::{Image, ProductOption, label},
        order::{BookingState, State},
        page::{Page, offset},
        review::{
            Answer, Cursor, Draft, FEW, LineReview, OFFICE_PER_PAGE, OfficeFilter, OfficeReview, PER_PAGE, Review,
            ReviewList, Sort, Wanted, Written, of_line,
        },
    },
    server::{
        catalog::{image, in_locale, json},
        db::{Args, Row, ToValue, Tx},
    },
};

/// A line of an order, with what its review needs.
pub struct Line {
    pub product_id: String,
    pub variant_id: String,
    pub title: String,
    pub label: String,
    pub image: Option<Image>,
    booking: Option<BookingState>,
    completed_at: Option<i64>,
    /// Who came: id and name.
    pub person: Option<(String, String)>,
    pub written: Option<Kept>,
}

/// A review that was written.
pub struct Kept {
    pub id: String,
    pub draft: Draft,
    /// UTC milliseconds.
    pub at: i64,
    /// Why it is hidden, if it is.
    pub hidden: Option<String>,
    /// Whether its author removed it, and only the row is left.
    pub removed: bool,
}

impl Line {
    /// Where its review stands.
    pub fn standing(&self, order: State, now: i64) -> Option<LineReview> {
        let written = self.written.as_ref().map(|written| Written { stars: written.draft.stars, at: written.at });
        of_line(order, self.booking, self.completed_at, written, now)
    }
}

/// A line of an order.
///
/// # Errors
/// [`Error::NotFound`] where there is none.
pub async fn line(tx: &mut Tx<'_>, order_id: &str, position: i64) -> Result<Line> {
    let sql = "select l.product_id, l.variant_id, l.title, l.label, l.image, b.state as booking_state,
            (select max(e.at) from order_event e where e.order_id = l.order_id and e.kind = '{\"kind\":\"completed\"}')
                as completed_at,
            r.id as review, r.author, r.stars, r.body, r.person_stars, r.written_at, r.hidden_at, r.hidden_reason,
            r.removed_at
        from order_line l
            left join order_booking b on b.order_id = l.order_id and b.position = l.position
            left join review r on r.order_id = l.order_id and r.position = l.position
        where l.order_id = $1 and l.position = $2";
    let row = tx.one(sql, args![order_id, position]).await?;
    let written = row.get::<Option<String>>("review")?.map(|id| kept(&row, id)).transpose()?;
    let sql = "select s.id, s.name from claim c join resource s on s.id = c.resource_id
        where c.order_id = $1 and c.position = $2 and c.state = 'taken' and s.kind = 'person'
        order by c.start_at, s.position, s.id limit 1";
    let person = tx.optional(sql, args![order_id, position]).await?;
    let person = person.map(|row| Ok::<_, Error>((row.get("id")?, row.get("name")?))).transpose()?;
    Ok(Line {
        product_id: row.get("product_id")?,
        variant_id: row.get("variant_id")?,
        title: row.get("title")?,
        label: row.get("label")?,
        image: image(&row, "image")?,
        booking: row.get::<Option<String>>("booking_state")?.as_deref().and_then(BookingState::from_name),
        completed_at: row.get("completed_at")?,
        person,
        written,
    })
}

fn kept(row: &Row, id: String) -> Result<Kept> {
    let author: String = row.get("author")?;
    let draft = Draft {
        stars: row.get("stars")?,
        body: row.get("body")?,
        anonymous: author.is_empty(),
        person_stars: row.get::<Option<i64>>("person_stars")?.unwrap_or(0),
    };
    let hidden = row.get::<Option<i64>>("hidden_at")?.is_some();
    let reason: String = row.get("hidden_reason")?;
    let removed = row.get::<Option<i64>>("removed_at")?.is_some();
    Ok(Kept { id, draft, at: row.get("written_at")?, hidden: hidden.then_some(reason), removed })
}

/// A review whose row nobody else changes until the transaction ends.
pub struct Held {
    pub product_id: String,
    pub stars: i64,
    pub hidden: bool,
    pub removed: bool,
}

/// Takes the row of a review, if there is one.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold(tx: &mut Tx<'_>, id: &str) -> Result<Option<Held>> {
    let sql = "update review set version = version where id = $1 returning product_id, stars, hidden_at, removed_at";
    let row = tx.optional(sql, args![id]).await?;
    let held = |row: Row| {
        let hidden = row.get::<Option<i64>>("hidden_at")?.is_some();
        let removed = row.get::<Option<i64>>("removed_at")?.is_some();
        Ok(Held { product_id: row.get("product_id")?, stars: row.get("stars")?, hidden, removed })
    };
    row.map(held).transpose()
}

/// Adds to the stars and the number of reviews of a product. That it changed is seen by other processes too, by its time.
///
/// # Errors
/// When the database cannot be written.
pub async fn count(tx: &mut Tx<'_>, product_id: &str, (stars, reviews): (i64, i64), now: i64) -> Result<()> {
    let sql = "update product set rating_sum = rating_sum + $2, rating_count = rating_count + $3,
        updated_at = case when updated_at < $4 then $4 else updated_at end where id = $1";
    tx.exec(sql, args![product_id, stars, reviews, now]).await?;
    Ok(())
}

/// The columns of [`review`], of a statement over `review r` and `product p`, and what belongs to them.
const COLUMNS: &str = concat!(
    "r.id, r.author, r.stars, r.body, r.person_stars, r.written_at, r.changed_at, r.answer, r.answered_at,
    s.name as person, v.choices, ",
    in_locale!("options"),
    " as options"
);
const BESIDE: &str = "left join variant v on v.id = r.variant_id left join resource s on s.id = r.resource_id";

fn review(row: &Row) -> Result<Review> {
    let choices: Option<Vec<usize>> = row.get::<Option<String>>("choices")?.map(|text| json(&text));
    let person: (Option<String>, Option<i64>) = (row.get("person")?, row.get("person_stars")?);
    let answer: (Option<String>, Option<i64>) = (row.get("answer")?, row.get("answered_at")?);
    let written_at: i64 = row.get("written_at")?;
    Ok(Review {
        id: row.get("id")?,
        author: row.get("author")?,
        stars: row.get("stars")?,
        body: row.get("body")?,
        // As the product calls it today and not as the order did, which of a booking tells when somebody was where.
        label: label(&json::<Vec<ProductOption>>(&row.get::<String>("options")?), &choices.unwrap_or_default()),
        person: person.0.zip(person.1),
        written_at,
        changed: row.get::<i64>("changed_at")? > written_at,
        answer: answer.0.zip(answer.1).map(|(text, at)| Answer { text, at }),
    })
}

pub async fn list(tx: &mut Tx<'_>, locale: Locale, handle: &str, wanted: &Wanted) -> Result<ReviewList> {
    let sql = "select id, rating_count from product where handle = $1 and status = 'active'";
    let row = tx.one(sql, args![handle]).await?;
    if row.get::<i64>("rating_count")? == 0 {
        return Ok(ReviewList::default());
    }
    let product: String = row.get("id")?;
    let sql = "select stars, count(*) as n from review where product_id = $1 and hidden_at is null group by stars";
    let mut counts = [0; 5];
    for row in tx.all(sql, args![&product]).await? {
        let place = usize::try_from(row.get::<i64>("stars")? - 1).ok();
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count = row.get("n")?;
        }
    }
    let mut args = args![locale.tag(), &product, wanted.stars, PER_PAGE + 1];
    let (after, order) = places(wanted, &mut args);
    let sql = format!(
        "select {COLUMNS} from review r join product p on p.id = r.product_id {BESIDE}
        where r.product_id = $2 and r.hidden_at is null and ($3 is null or r.stars = $3){after}
        order by {order} limit $4"
    );
    let mut reviews: Vec<Review> = tx.all(sql, args).await?.iter().map(review).collect::<Result<_>>()?;
    let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let more = reviews.len() > most;
    reviews.truncate(most);
    let last = reviews.last().filter(|_| more);
    let next = last.map(|last| Cursor { stars: last.stars, at: last.written_at, id: last.id.clone() });
    Ok(ReviewList { reviews, counts, next })
}

/// What comes after a place, and in which order.
fn places(wanted: &Wanted, args: &mut Args) -> (&'static str, &'static str) {
    let after = wanted.after.as_ref();
    if let Some(Cursor { stars, at, id }) = after {
        args.extend([at.to_value(), id.to_value()]);
        if wanted.sort != Sort::Newest {
            args.push(stars.to_value());
        }
    }
    let (clause, order) = match wanted.sort {
        Sort::Newest => (" and (r.written_at, r.id) < ($5, $6)", "r.written_at desc, r.id desc"),
        Sort::Highest => {
            let clause = " and (r.stars < $7 or (r.stars = $7 and (r.written_at, r.id) < ($5, $6)))";
            (clause, "r.stars desc, r.written_at desc, r.id desc")
        }
        Sort::Lowest => {
            let clause = " and (r.stars > $7 or (r.stars = $7 and (r.written_at, r.id) < ($5, $6)))";
            (clause, "r.stars, r.written_at desc, r.id desc")
        }
    };
    (if after.is_some() { clause } else { "" }, order)
}

/// A page of all reviews for the office, the newest first.
pub async fn office_list(
    tx: &mut Tx<'_>,
    locale: Locale,
    filter: OfficeFilter,
    page: i64,
) -> Result<Page<OfficeReview>> {
    let clause = match filter {
        OfficeFilter::All => "1 = 1".to_owned(),
        OfficeFilter::Unanswered => "r.hidden_at is null and r.answer is null".to_owned(),
        OfficeFilter::Low => format!("r.hidden_at is null and r.stars <= {FEW}"),
        OfficeFilter::Hidden => "r.hidden_at is not null".to_owned(),
    };
    let sql = format!("select count(*) as total from review r where {clause}");
    let total = tx.one(sql, args![]).await?.get("total")?;
    let (page, skip) = offset(page, OFFICE_PER_PAGE);
    let sql = format!(
        "select {COLUMNS}, p.handle, r.hidden_at, r.hidden_reason, {title} as title
        from review r join product p on p.id = r.product_id {BESIDE}
        where {clause} order by r.written_at desc, r.id desc limit $2 offset $3",
        title = in_locale!("title"),
    );
    let rows = tx.all(sql, args![locale.tag(), OFFICE_PER_PAGE, skip]).await?;
    let item = |row: &Row| {
        let hidden = row.get::<Option<i64>>("hidden_at")?.is_some();
        let reason: String = row.get("hidden_reason")?;
        let (handle, title) = (row.get("handle")?, row.get("title")?);
        Ok(OfficeReview { review: review(row)?, handle, title, hidden: hidden.then_some(reason) })
    };
    Ok(Page { items: rows.iter().map(item).collect::<Result<_>>()?, total, page, per_page: OFFICE_PER_PAGE })
}
