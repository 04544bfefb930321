//! Claims: who has which night, seat, table or hour.
//!
//! What there is a number of is counted by conditional updates of `capacity`, whose affected rows are looked at. What
//! there is one of has a row for each of its cells in `calendar_cell`, whose primary key two claims cannot share. The
//! table `claim` tells what was claimed; it is what people are shown, and the other two are what holds.
//!
//! Every transaction touches these rows in one order, so that two of them never wait for each other in a circle: first
//! the goods of an order, then its capacity by resource and unit, then its cells by resource and time.

mod beyond;
mod moves;

pub use beyond::beyond;
pub use moves::{Aside, hold_move, put_back, release_move, set_aside};

use crate::{
    args,
    domain::{
        Result,
        booking::{cells::Grid, interval::Interval},
    },
    server::{
        context::{internal, new_id},
        db::{Args, Row, Tx, placeholders},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most cells of one claim: somebody who is away for a month.
pub const MAX_CELLS: i64 = 31 * 24 * 12;
/// The most units of one claim: nights of a stay, legs of a route.
pub const MAX_UNITS: i64 = 366;
/// How many rows of three columns go into one statement: both databases take many more arguments than these.
const ROWS: usize = 300;

/// What is claimed of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub resource_id: String,
    pub what: What,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The time of somebody or something, rounded outwards to cells of five minutes.
    Time(Interval),
    /// A seat on some legs of its departure, the last one not included.
    Seat { from: i64, until: i64 },
    /// So many of each unit of a capacity, the last unit not included.
    Count { from: i64, until: i64, quantity: i64 },
}

/// A claim with the id of its row.
struct Wanted {
    id: String,
    claim: Claim,
}

impl What {
    const fn kind(self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Seat { .. } => "seat",
            Self::Count { .. } => "count",
        }
    }

    /// As it is kept: on the grid.
    fn span(self) -> (i64, i64) {
        match self {
            Self::Time(time) => {
                let Interval { start, end } = Grid::FIVE_MINUTES.around(time);
                (start, end)
            }
            Self::Seat { from, until } | Self::Count { from, until, .. } => (from, until),
        }
    }

    const fn quantity(self) -> i64 {
        match self {
            Self::Time(_) | Self::Seat { .. } => 1,
            Self::Count { quantity, .. } => quantity,
        }
    }

    /// Whether it is something, and no more than anybody would want.
    fn is_possible(self) -> bool {
        let (start, end) = self.span();
        let (step, most) = match self {
            Self::Time(_) => (Grid::FIVE_MINUTES.step_ms(), MAX_CELLS),
            Self::Seat { .. } | Self::Count { .. } => (1, MAX_UNITS),
        };
        start < end && end.saturating_sub(start) / step <= most && self.quantity() > 0
    }

    /// The beginnings of its cells; none where it is a count.
    fn cells(self) -> Vec<i64> {
        match self {
            Self::Time(time) => Grid::FIVE_MINUTES.cells(time).collect(),
            Self::Seat { from, until } => (from..until).collect(),
            Self::Count { .. } => Vec::new(),
        }
    }
}

impl Wanted {
    fn read(row: &Row) -> Result<Self> {
        let (from, until) = (row.get("start_at")?, row.get("end_at")?);
        let what = match row.get::<String>("kind")?.as_str() {
            "time" => What::Time(Interval { start: from, end: until }),
            "seat" => What::Seat { from, until },
            "count" => What::Count { from, until, quantity: row.get("quantity")? },
            other => return Err(internal("database", &format!("a claim of the kind {other}"))),
        };
        Ok(Self { id: row.get("id")?, claim: Claim { resource_id: row.get("resource_id")?, what } })
    }

    /// Rows for new claims.
    ///
    /// # Errors
    /// When one of them is of nothing.
    fn fresh<'c>(claims: impl IntoIterator<Item = &'c Claim>) -> Result<Vec<Self>> {
        let fresh = |claim: &Claim| {
            if claim.what.is_possible() {
                Ok(Self { id: new_id(), claim: claim.clone() })
            } else {
                Err(internal("booking", &format!("nothing to claim: {:?}", claim.what)))
            }
        };
        claims.into_iter().map(fresh).collect()
    }
}

/// Lets a unit be counted from its first claim on: its resource, the unit, and how much there is of it. Of one that is
/// counted already there is that much from now on, as far as no more of it is claimed.
///
/// # Errors
/// When the database cannot be written.
pub async fn open_unit(tx: &mut Tx<'_>, (resource, unit, total): &(String, i64, i64)) -> Result<()> {
    let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, 0)
        on conflict (resource_id, unit) do nothing";
    if tx.exec(sql, args![resource, *unit, *total]).await? == 0 {
        // Rarely anything: a row that stays as it is is not locked before its turn.
        let sql =
            "update capacity set total = $3 where resource_id = $1 and unit = $2 and total <> $3 and claimed <= $3";
        tx.exec(sql, args![resource, *unit, *total]).await?;
    }
    Ok(())
}

/// Claims all of these for an order, or none of them; each comes with the position of its line. Answers with the positions
/// of the lines that cannot be had, in order: empty where all are held.
///
/// # Errors
/// When the database cannot be written, or a claim is of nothing.
pub async fn hold(tx: &mut Tx<'_>, order_id: &str, claims: &[(i64, Claim)]) -> Result<Vec<i64>> {
    let wanted = Wanted::fresh(claims.iter().map(|(_, claim)| claim))?;
    // The order's own rows first: those that others want are touched last.
    for (row, (position, _)) in wanted.iter().zip(claims) {
        insert(tx, row, (Some(order_id), Some(*position)), "active", "").await?;
    }
    let taken = get_or_forget(tx, &wanted).await?;
    let positions = taken.iter().filter_map(|place| claims.get(*place)).map(|(position, _)| *position);
    Ok(positions.collect::<BTreeSet<_>>().into_iter().collect())
}

/// Blocks time of somebody or something, for a reason that the office sees; answers with the id of the claim, and with
/// `None` where some of that time is taken.
///
/// # Errors
/// When the database cannot be written, or the time is none, or longer than [`MAX_CELLS`].
pub async fn block(tx: &mut Tx<'_>, resource_id: &str, time: Interval, reason: &str) -> Result<Option<String>> {
    let claim = Claim { resource_id: resource_id.to_owned(), what: What::Time(time) };
    if !claim.what.is_possible() {
        return Err(internal("booking", &"nothing to block"));
    }
    let wanted = Wanted { id: new_id(), claim };
    insert(tx, &wanted, (None, None), "taken", reason).await?;
    let taken = get_or_forget(tx, std::slice::from_ref(&wanted)).await?;
    Ok(taken.is_empty().then_some(wanted.id))
}

/// Frees what [`block`] took. Freeing it twice is once.
///
/// # Errors
/// When the database cannot be written.
pub async fn unblock(tx: &mut Tx<'_>, claim_id: &str) -> Result<()> {
    // Not what is held for somebody in a waiting list, which has no order either and counts elsewhere.
    let sql = "update claim set state = 'released'
        where id = $1 and order_id is null and waiting_id is null and state <> 'released'";
    if tx.exec(sql, args![claim_id]).await? == 1 {
        tx.exec("delete from calendar_cell where claim_id = $1", args![claim_id]).await?;
    }
    Ok(())
}

/// Frees everything that an order has, held or paid for. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn release(tx: &mut Tx<'_>, order_id: &str) -> Result<()> {
    let present = of_order(tx, order_id, "c.state <> 'released'").await?;
    if present.is_empty() {
        return Ok(());
    }
    tx.exec("update claim set state = 'released' where order_id = $1 and state <> 'released'", args![order_id]).await?;
    for (resource, unit, quantity, _) in units(&present) {
        give_back(tx, resource, unit, quantity).await?;
    }
    remove_cells(tx, &present).await
}

/// Frees what one line of an order has, held or paid for. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn release_line(tx: &mut Tx<'_>, order_id: &str, position: i64) -> Result<()> {
    set_aside(tx, order_id, position).await.map(drop)
}

/// Whose time one line of an order has, without what is held for a move: the ids of people, tables and things.
///
/// # Errors
/// When the database cannot be read.
pub async fn with_whom(tx: &mut Tx<'_>, order_id: &str, position: i64) -> Result<Vec<String>> {
    let sql = "select resource_id from claim
        where order_id = $1 and position = $2 and kind = 'time' and state <> 'released' and move_id is null
        order by resource_id";
    tx.all(sql, args![order_id, position]).await?.iter().map(|row| Ok(row.get("resource_id")?)).collect()
}

/// Holds all of these for the first in a waiting list until a moment (UTC milliseconds), or none of them and false.
///
/// # Errors
/// As [`hold`].
pub async fn hold_for(tx: &mut Tx<'_>, waiting_id: &str, claims: &[Claim], until: i64) -> Result<bool> {
    let wanted = Wanted::fresh(claims)?;
    for row in &wanted {
        insert(tx, row, (None, None), "active", "waiting list").await?;
        let sql = "update claim set waiting_id = $2, expires_at = $3 where id = $1";
        tx.exec(sql, args![&row.id, waiting_id, until]).await?;
    }
    Ok(get_or_forget(tx, &wanted).await?.is_empty())
}

/// What is held for somebody in a waiting list.
///
/// # Errors
/// When the database cannot be read.
pub async fn held_for(tx: &mut Tx<'_>, waiting_id: &str) -> Result<Vec<Claim>> {
    Ok(of_waiting(tx, waiting_id).await?.into_iter().map(|wanted| wanted.claim).collect())
}

/// Frees what is held for somebody in a waiting list. Freeing it twice is once.
///
/// # Errors
/// When the database cannot be written.
pub async fn release_for(tx: &mut Tx<'_>, waiting_id: &str) -> Result<()> {
    let held = of_waiting(tx, waiting_id).await?;
    free(tx, &held).await
}

async fn of_waiting(tx: &mut Tx<'_>, waiting_id: &str) -> Result<Vec<Wanted>> {
    let sql = "select id, resource_id, kind, start_at, end_at, quantity from claim
        where waiting_id = $1 and state = 'active' order by resource_id, start_at, id";
    tx.all(sql, args![waiting_id]).await?.iter().map(Wanted::read).collect()
}

/// Frees claims that were there a moment ago, each once.
async fn free(tx: &mut Tx<'_>, claims: &[Wanted]) -> Result<()> {
    let mut present = Vec::new();
    for Wanted { id, claim } in claims {
        let sql = "update claim set state = 'released' where id = $1 and state <> 'released'";
        if tx.exec(sql, args![id]).await? == 1 {
            present.push(Wanted { id: id.clone(), claim: claim.clone() });
        }
    }
    for (resource, unit, quantity, _) in units(&present) {
        give_back(tx, resource, unit, quantity).await?;
    }
    remove_cells(tx, &present).await
}

/// What an order holds is paid for: it is the customer's. What is held for a move is paid for by itself.
///
/// # Errors
/// When the database cannot be written.
pub async fn take(tx: &mut Tx<'_>, order_id: &str) -> Result<()> {
    let sql = "update claim set state = 'taken' where order_id = $1 and state = 'active' and move_id is null";
    tx.exec(sql, args![order_id]).await?;
    Ok(())
}

/// Holds what an expired order had again: all of it, or nothing and false. The caller has locked the order.
///
/// # Errors
/// When the database cannot be written.
pub async fn hold_again(tx: &mut Tx<'_>, order_id: &str) -> Result<bool> {
    let before = of_order(tx, order_id, "c.state = 'released'").await?;
    if before.is_empty() {
        return Ok(true);
    }
    if !get(tx, &before).await?.is_empty() {
        return Ok(false);
    }
    tx.exec("update claim set state = 'active' where order_id = $1 and state = 'released'", args![order_id]).await?;
    Ok(true)
}

/// The claims of an order that are in a state.
async fn of_order(tx: &mut Tx<'_>, order_id: &str, state: &'static str) -> Result<Vec<Wanted>> {
    let sql = format!(
        "select c.id, c.resource_id, c.kind, c.start_at, c.end_at, c.quantity from claim c
        where c.order_id = $1 and {state} order by c.resource_id, c.start_at, c.id"
    );
    tx.all(sql, args![order_id]).await?.iter().map(Wanted::read).collect()
}

/// As [`get`]; rows of claims that were not got go.
async fn get_or_forget(tx: &mut Tx<'_>, wanted: &[Wanted]) -> Result<BTreeSet<usize>> {
    let taken = get(tx, wanted).await?;
    if !taken.is_empty() {
        for Wanted { id, .. } in wanted {
            tx.exec("delete from claim where id = $1", args![id]).await?;
        }
    }
    Ok(taken)
}

/// Gets all of these or none. Answers with the places in the list of those that somebody else has, or that there are not.
async fn get(tx: &mut Tx<'_>, wanted: &[Wanted]) -> Result<BTreeSet<usize>> {
    let (mut taken, mut counted) = (BTreeSet::new(), Vec::new());
    // One unit after the other: a statement over several would lock them in an order of its own.
    for unit @ (resource, number, quantity, place) in units(wanted) {
        if taken.contains(&place) {
            continue;
        }
        let sql = "update capacity set claimed = claimed + $3
            where resource_id = $1 and unit = $2 and claimed + $3 <= total";
        if tx.exec(sql, args![resource, number, quantity]).await? == 1 {
            counted.push(unit);
        } else {
            taken.insert(place);
        }
    }
    taken.extend(insert_cells(tx, wanted).await?);
    if !taken.is_empty() {
        for (resource, number, quantity, _) in counted {
            give_back(tx, resource, number, quantity).await?;
        }
        remove_cells(tx, wanted).await?;
    }
    Ok(taken)
}

/// The units of all counts in the order in which they are claimed: resource, unit, quantity and the place in the list.
fn units(wanted: &[Wanted]) -> Vec<(&str, i64, i64, usize)> {
    let mut units = Vec::new();
    for (place, Wanted { claim, .. }) in wanted.iter().enumerate() {
        if let What::Count { from, until, quantity } = claim.what {
            units.extend((from..until).map(|unit| (claim.resource_id.as_str(), unit, quantity, place)));
        }
    }
    units.sort_unstable();
    units
}

/// Inserts all cells, in the order of their key; answers with the places of the claims that did not get all of theirs.
async fn insert_cells(tx: &mut Tx<'_>, wanted: &[Wanted]) -> Result<Vec<usize>> {
    let mut cells: Vec<(&str, i64, &str)> = Vec::new();
    for Wanted { id, claim } in wanted {
        cells.extend(claim.what.cells().into_iter().map(|cell| (claim.resource_id.as_str(), cell, id.as_str())));
    }
    cells.sort_unstable();
    let mut inserted = 0;
    for rows in cells.chunks(ROWS) {
        let mut args = Args::new();
        let mut values = Vec::with_capacity(rows.len());
        for (resource, cell, id) in rows {
            values.push(format!("({})", placeholders(args.len() + 1, 3)));
            args.extend(args![*resource, *cell, *id]);
        }
        let sql = format!(
            "insert into calendar_cell (resource_id, cell_start, claim_id) values {}
            on conflict (resource_id, cell_start) do nothing",
            values.join(", ")
        );
        inserted += tx.exec(sql, args).await?;
    }
    if u64::try_from(cells.len()).is_ok_and(|all| all == inserted) {
        return Ok(Vec::new());
    }
    let mut taken = Vec::new();
    for (place, Wanted { id, claim }) in wanted.iter().enumerate() {
        let all = i64::try_from(claim.what.cells().len()).unwrap_or(i64::MAX);
        if all > 0 {
            let sql = "select count(*) as cells from calendar_cell where claim_id = $1";
            if tx.one(sql, args![id]).await?.get::<i64>("cells")? < all {
                taken.push(place);
            }
        }
    }
    Ok(taken)
}

async fn remove_cells(tx: &mut Tx<'_>, claims: &[Wanted]) -> Result<()> {
    for Wanted { id, claim } in claims {
        if !matches!(claim.what, What::Count { .. }) {
            tx.exec("delete from calendar_cell where claim_id = $1", args![id]).await?;
        }
    }
    Ok(())
}

/// Gives some of a unit back. A unit whose row is gone has nothing to count any more.
async fn give_back(tx: &mut Tx<'_>, resource: &str, unit: i64, quantity: i64) -> Result<()> {
    let sql = "update capacity set claimed = claimed - $3 where resource_id = $1 and unit = $2";
    tx.exec(sql, args![resource, unit, quantity]).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx<'_>,
    Wanted { id, claim }: &Wanted,
    (order_id, position): (Option<&str>, Option<i64>),
    state: &'static str,
    reason: &str,
) -> Result<()> {
    let (start, end) = claim.what.span();
    let sql = "insert into claim (id, order_id, position, resource_id, kind, start_at, end_at, quantity, state, reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let args = args![
        id,
        order_id,
        position,
        &claim.resource_id,
        claim.what.kind(),
        start,
        end,
        claim.what.quantity(),
        state,
        reason
    ];
    tx.exec(sql, args).await?;
    Ok(())
}
