//! Who travels or stays: names, and numbers of documents where a carrier or the law asks for them. Sealed like everything
//! that is personal, each to its place.

use crate::{
    args,
    domain::{
        Error, Result,
        address::text,
        booking::{
            rates::StayRequest,
            travel::{Companions, MAX_DOCUMENT, MAX_NAME},
            wish::Wish,
        },
        error::{Check, Problem},
        order::State,
    },
    server::{
        Ctx,
        booking::lines::Snapshot,
        context::{internal, unreadable},
        crypto::Keys,
        db::Tx,
        order::{own, store},
    },
};

pub use crate::domain::booking::travel::Traveller;

/// Writes who comes with a booking of an order, in place of what was written before.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking, [`Error::Invalid`] for a name that
/// is none and for more people than were booked, [`Error::OrderClosed`] when the order is over.
pub async fn set(ctx: &Ctx, number: &str, position: i64, people: &[Traveller]) -> Result<()> {
    let order = own(ctx, number).await?;
    let mut check = Check::default();
    let mut sealed = Vec::new();
    for (number, person) in (0_i64..).zip(people) {
        let name = check.take(&format!("name{number}"), text(&person.name, 1, MAX_NAME));
        let document = check.take(&format!("document{number}"), text(&person.document, 0, MAX_DOCUMENT));
        if let (Some(name), Some(document)) = (name, document) {
            let plain = serde_json::to_vec(&Traveller { name, document }).map_err(|e| unreadable("traveller", &e))?;
            let place = place(&order.id, position, number);
            sealed.push((number, ctx.app.keys.seal(&plain, &place).map_err(|e| internal("crypto", &e))?));
        }
    }
    check.finish()?;
    let order_id = order.id;
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (order_id, sealed) = (order_id.clone(), sealed.clone());
            Box::pin(async move {
                let order = store::lock(tx, &order_id).await?;
                if !matches!(order.state, State::ToPay | State::ToShip) {
                    return Err(Error::OrderClosed(order.state));
                }
                let sql = "select detail from order_booking where order_id = $1 and position = $2";
                let detail: String = tx.one(sql, args![&order_id, position]).await?.get("detail")?;
                let snapshot: Snapshot = serde_json::from_str(&detail).map_err(|e| internal("database", &e))?;
                let most = people_of(&snapshot.wish);
                if i64::try_from(sealed.len()).unwrap_or(i64::MAX) > most {
                    return Err(Error::field("travellers", Problem::Range(0, most)));
                }
                tx.exec("delete from traveller where order_id = $1 and position = $2", args![&order_id, position])
                    .await?;
                for (number, sealed) in &sealed {
                    let sql =
                        "insert into traveller (order_id, position, number, person_sealed) values ($1, $2, $3, $4)";
                    tx.exec(sql, args![&order_id, position, *number, sealed]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Who comes with a booking of one's own order, as far as it was written.
///
/// # Errors
/// [`Error::NotFound`] for the order of someone else and for a line that is no booking.
pub async fn written(ctx: &Ctx, number: &str, position: i64) -> Result<Companions> {
    let order = own(ctx, number).await?;
    let (app, order_id, state) = (ctx.app.clone(), order.id, order.state);
    ctx.app
        .db
        .read::<_, Error>(move |tx| {
            let (app, order_id) = (app.clone(), order_id.clone());
            Box::pin(async move {
                let sql = "select l.title, l.label, b.detail
                    from order_booking b join order_line l on l.order_id = b.order_id and l.position = b.position
                    where b.order_id = $1 and b.position = $2";
                let row = tx.one(sql, args![&order_id, position]).await?;
                let detail: String = row.get("detail")?;
                let snapshot: Snapshot = serde_json::from_str(&detail).map_err(|e| internal("database", &e))?;
                let all = of(tx, &app.keys, &order_id).await?;
                let here = all.into_iter().filter(|(at, ..)| *at == position);
                Ok(Companions {
                    title: row.get("title")?,
                    label: row.get("label")?,
                    most: people_of(&snapshot.wish),
                    open: matches!(state, State::ToPay | State::ToShip),
                    people: here.map(|(_, _, person)| person).collect(),
                })
            })
        })
        .await
}

/// Who comes with the bookings of an order: position, number and who, in order.
///
/// # Errors
/// When something was not sealed to its place, or with another key.
pub async fn of(tx: &mut Tx<'_>, keys: &Keys, order_id: &str) -> Result<Vec<(i64, i64, Traveller)>> {
    let sql = "select position, number, person_sealed from traveller where order_id = $1 order by position, number";
    let mut people = Vec::new();
    for row in tx.all(sql, args![order_id]).await? {
        let (position, number): (i64, i64) = (row.get("position")?, row.get("number")?);
        people.push((
            position,
            number,
            open(keys, (order_id, position, number), &row.get::<Vec<u8>>("person_sealed")?)?,
        ));
    }
    Ok(people)
}

/// Opens one of them, by order, position and number.
///
/// # Errors
/// As [`of`].
pub fn open(keys: &Keys, (order_id, position, number): (&str, i64, i64), sealed: &[u8]) -> Result<Traveller> {
    let plain = keys.open(sealed, &place(order_id, position, number)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("traveller", &e))
}

fn place(order_id: &str, position: i64, number: i64) -> String {
    format!("traveller.person:{order_id}:{position}:{number}")
}

/// How many people come at most.
const fn people_of(wish: &Wish) -> i64 {
    match wish {
        Wish::Stay(StayRequest { guests, .. }) => guests.count(),
        Wish::Trip { travellers, .. } => travellers.seats() + travellers.infants,
        Wish::Table { guests, .. } => *guests,
        Wish::Visit { .. } => 1,
    }
}
