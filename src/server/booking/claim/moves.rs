//! Claims of a booking that moves: what it has is set aside to see what it can have elsewhere, and what it will need there is
//! held beside it until the move is paid.

use super::{Claim, Wanted, free, get, get_or_forget, insert};
use crate::{
    args,
    domain::Result,
    server::{context::internal, db::Tx},
};

/// What one line of an order had a moment ago.
pub struct Aside(Vec<Wanted>);

impl Aside {
    pub fn claims(&self) -> Vec<Claim> {
        self.0.iter().map(|wanted| wanted.claim.clone()).collect()
    }
}

/// Frees what one line of an order has, as [`release_line`](super::release_line) does, of a line that may get it back in
/// this transaction by [`put_back`].
///
/// # Errors
/// When the database cannot be written.
pub async fn set_aside(tx: &mut Tx<'_>, order_id: &str, position: i64) -> Result<Aside> {
    let sql = "select id, resource_id, kind, start_at, end_at, quantity from claim
        where order_id = $1 and position = $2 and state <> 'released' order by resource_id, start_at, id";
    let rows = tx.all(sql, args![order_id, position]).await?;
    let present = rows.iter().map(Wanted::read).collect::<Result<Vec<_>>>()?;
    free(tx, &present).await?;
    Ok(Aside(present))
}

/// Takes again what was set aside of a line that is paid for. Nobody can have it: no transaction was in between.
///
/// # Errors
/// When the database cannot be written.
pub async fn put_back(tx: &mut Tx<'_>, aside: &Aside) -> Result<()> {
    if !get(tx, &aside.0).await?.is_empty() {
        return Err(internal("booking", &"what was set aside is gone"));
    }
    for Wanted { id, .. } in &aside.0 {
        tx.exec("update claim set state = 'taken' where id = $1 and state = 'released'", args![id]).await?;
    }
    Ok(())
}

/// Holds all of these for a move of a line of an order, beside what the line has, or none of them and false. The caller has
/// locked the order.
///
/// # Errors
/// As [`hold`].
pub async fn hold_move(
    tx: &mut Tx<'_>,
    (order_id, position): (&str, i64),
    move_id: &str,
    claims: &[Claim],
) -> Result<bool> {
    let wanted = Wanted::fresh(claims)?;
    for row in &wanted {
        insert(tx, row, (Some(order_id), Some(position)), "active", "").await?;
        tx.exec("update claim set move_id = $2 where id = $1", args![&row.id, move_id]).await?;
    }
    Ok(get_or_forget(tx, &wanted).await?.is_empty())
}

/// Frees what is held for a move. Freeing it twice is once.
///
/// # Errors
/// When the database cannot be written.
pub async fn release_move(tx: &mut Tx<'_>, move_id: &str) -> Result<()> {
    let sql = "select id, resource_id, kind, start_at, end_at, quantity from claim
        where move_id = $1 and state = 'active' order by resource_id, start_at, id";
    let rows = tx.all(sql, args![move_id]).await?;
    free(tx, &rows.iter().map(Wanted::read).collect::<Result<Vec<_>>>()?).await
}
