//! The addresses of an account: sealed, each to its row and its owner, and found by nobody else.

use crate::{
    args,
    domain::{
        Error, Result,
        address::Contact,
        address_book::{AddressInput, AddressPage, Label, MAX_ADDRESSES, SavedAddress},
        error::Problem,
    },
    server::{
        App, Ctx,
        context::{internal, new_id, unreadable},
        crypto::Keys,
        db::{Row, Tx},
    },
};
use serde::{Deserialize, Serialize};

/// What is sealed of an address.
#[derive(Clone, Serialize, Deserialize)]
struct Content {
    contact: Contact,
    label: Option<Label>,
}

/// Those of the account, the default first, then the one changed last. There are [`MAX_ADDRESSES`] at most.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn list(ctx: &Ctx) -> Result<Vec<SavedAddress>> {
    of(ctx, &ctx.session()?.customer_id).await
}

/// Those of any account, for whoever may read them.
///
/// # Errors
/// When they cannot be read or opened.
pub async fn of(ctx: &Ctx, customer: &str) -> Result<Vec<SavedAddress>> {
    let sql = "select a.id, a.sealed, coalesce(a.id = c.default_address_id, false) as is_default
        from address a join account c on c.customer_id = a.customer_id
        where a.customer_id = $1 order by a.changed_at desc, a.id desc";
    let rows = ctx.app.db.all(sql, args![customer]).await?;
    let mut addresses = rows.iter().map(|row| saved(ctx, customer, row)).collect::<Result<Vec<_>>>()?;
    addresses.sort_by_key(|address| !address.is_default);
    Ok(addresses)
}

fn saved(ctx: &Ctx, customer: &str, row: &Row) -> Result<SavedAddress> {
    let id: String = row.get("id")?;
    let sealed: Vec<u8> = row.get("sealed")?;
    let plain = ctx.app.keys.open(&sealed, &place(customer, &id)).map_err(|e| internal("crypto", &e))?;
    let Content { contact, label } = serde_json::from_slice(&plain).map_err(|e| unreadable("address", &e))?;
    // A code that is no district any more leaves the selects empty.
    let (province, city) = ctx.app.divisions.path(&contact.region).unwrap_or_default();
    let region_name = ctx.app.divisions.name(&contact.region, ctx.locale);
    Ok(SavedAddress { id, contact, province, city, region_name, label, is_default: row.get("is_default")? })
}

/// The form of a new address or, with an id, of one of the account; with `draft` as it was typed last.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
pub async fn page(ctx: &Ctx, id: Option<&str>, draft: bool) -> Result<AddressPage> {
    let id = id.unwrap_or_default();
    let addresses = list(ctx).await?;
    let present = addresses.iter().find(|address| address.id == id);
    if present.is_none() && !id.is_empty() {
        return Err(Error::NotFound);
    }
    let typed = if draft { kept(ctx).await? } else { None };
    let mut input = match (typed.filter(|typed| typed.id == id), present) {
        (Some(typed), _) => typed,
        (None, Some(address)) => address.input(),
        (None, None) => AddressInput::default(),
    };
    let (provinces, cities, districts) = ctx.app.divisions.choices(&mut input.contact, ctx.locale);
    let is_default = present.map_or(addresses.is_empty(), |address| address.is_default);
    Ok(AddressPage { input, is_default, provinces, cities, districts })
}

/// Saves an address as its form says. Sent again it is the same address, and two that became the same are one. With
/// `region_only` what was typed is only kept, so that the form offers the cities and districts of the choice made; it is
/// kept as well when it cannot be saved.
///
/// # Errors
/// [`Error::Invalid`] with the problems by field, `Full` of `book` when there are as many as there can be;
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
pub async fn save(ctx: &Ctx, mut input: AddressInput, region_only: bool) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    input.clip();
    if region_only {
        return keep_draft(ctx, &input).await;
    }
    let checked = input.check(|code| ctx.app.divisions.is_path(&input.contact.province, &input.contact.city, code));
    let done = match checked {
        Ok((contact, label)) => {
            let change = Change {
                id: Some(input.id.clone()).filter(|id| !id.is_empty()),
                content: Content { contact, label },
                keep_present: false,
                make_default: !input.is_default.is_empty(),
            };
            put(ctx, customer, change).await
        }
        Err(wrong) => Err(wrong),
    };
    // The log tells what could not be kept; the answer is what became of the address.
    let _ = match &done {
        Ok(()) => forget_draft(ctx).await,
        Err(Error::NotFound) => Ok(()),
        Err(_) => keep_draft(ctx, &input).await,
    };
    done
}

/// Keeps the recipient of an order with the account, unless the account has it.
///
/// # Errors
/// `Full` of `save_address` when there are as many as there can be.
pub async fn keep(ctx: &Ctx, contact: &Contact) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    let content = Content { contact: contact.clone(), label: None };
    let kept = put(ctx, customer, Change { id: None, content, keep_present: true, make_default: false }).await;
    kept.map_err(|error| match error.problem("book") {
        Some(full) => Error::field("save_address", full),
        None => error,
    })
}

/// Deletes an address. Another one becomes the default in its place.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
pub async fn delete(ctx: &Ctx, id: &str) -> Result<()> {
    let (customer, id) = (ctx.session()?.customer_id.clone(), id.to_owned());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, id) = (customer.clone(), id.clone());
            Box::pin(async move {
                take_turn(tx, &customer).await?;
                let sql = "delete from address where id = $1 and customer_id = $2";
                if tx.exec(sql, args![&id, &customer]).await? == 0 {
                    return Err(Error::NotFound);
                }
                let sql = "update account set default_address_id = (select a.id from address a
                        where a.customer_id = $1 order by a.changed_at desc, a.id desc limit 1)
                    where customer_id = $1 and default_address_id = $2";
                tx.exec(sql, args![customer, id]).await?;
                Ok(())
            })
        })
        .await
}

/// Makes an address the one to begin with.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id and for the address of someone else alike.
pub async fn set_default(ctx: &Ctx, id: &str) -> Result<()> {
    let (customer, id) = (ctx.session()?.customer_id.clone(), id.to_owned());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, id) = (customer.clone(), id.clone());
            Box::pin(async move {
                let sql = "update account set default_address_id = $2 where customer_id = $1
                    and exists (select 1 from address a where a.id = $2 and a.customer_id = $1)";
                match tx.exec(sql, args![customer, id]).await? {
                    0 => Err(Error::NotFound),
                    _ => Ok(()),
                }
            })
        })
        .await
}

/// An address on its way into the database.
#[derive(Clone)]
struct Change {
    /// The address that is changed; none for a new one.
    id: Option<String>,
    content: Content,
    /// Leaves one that is the same as it is, with its label.
    keep_present: bool,
    make_default: bool,
}

async fn put(ctx: &Ctx, customer: String, change: Change) -> Result<()> {
    let (app, now, new) = (ctx.app.clone(), ctx.now, new_id());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, customer, change, new) = (app.clone(), customer.clone(), change.clone(), new.clone());
            Box::pin(async move { put_in(tx, &app, &customer, change, new, now).await })
        })
        .await
}

async fn put_in(tx: &mut Tx<'_>, app: &App, customer: &str, change: Change, new: String, now: i64) -> Result<()> {
    take_turn(tx, customer).await?;
    if let Some(id) = &change.id {
        tx.one("select id from address where id = $1 and customer_id = $2", args![id, customer]).await?;
    }
    let hash = hash_of(&app.keys, customer, &change.content.contact)?;
    let sql = "select id from address where customer_id = $1 and contact_hash = $2";
    let same = tx.optional(sql, args![customer, &hash]).await?.map(|row| row.get::<String>("id")).transpose()?;
    if change.keep_present && same.is_some() {
        return Ok(());
    }
    let id = match (change.id, &same) {
        (Some(id), Some(same)) if id != *same => {
            // Two became one: what the other was goes on in this one.
            tx.exec("delete from address where id = $1", args![same]).await?;
            let sql = "update account set default_address_id = $3 where customer_id = $1 and default_address_id = $2";
            tx.exec(sql, args![customer, same, &id]).await?;
            id
        }
        (Some(id), _) => id,
        (None, Some(same)) => same.clone(),
        (None, None) => {
            let row = tx.one("select count(*) as n from address where customer_id = $1", args![customer]).await?;
            if row.get::<i64>("n")? >= i64::from(MAX_ADDRESSES) {
                return Err(Error::field("book", Problem::Full(MAX_ADDRESSES)));
            }
            new
        }
    };
    let plain = serde_json::to_vec(&change.content).map_err(|e| unreadable("address", &e))?;
    let sealed = app.keys.seal(&plain, &place(customer, &id)).map_err(|e| internal("crypto", &e))?;
    let sql = "insert into address (id, customer_id, contact_hash, sealed, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (id) do update set contact_hash = excluded.contact_hash, sealed = excluded.sealed,
        changed_at = excluded.changed_at";
    tx.exec(sql, args![&id, customer, hash, sealed, now]).await?;
    let sql = "update account set default_address_id = $2
        where customer_id = $1 and ($3 or default_address_id is null)";
    tx.exec(sql, args![customer, id, change.make_default]).await?;
    Ok(())
}

/// One change of a book at a time, so that none is counted past.
async fn take_turn(tx: &mut Tx<'_>, customer: &str) -> Result<()> {
    let sql = "update account set default_address_id = default_address_id where customer_id = $1";
    match tx.exec(sql, args![customer]).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Stands for a recipient and an address of one customer, without telling them.
fn hash_of(keys: &Keys, customer: &str, contact: &Contact) -> Result<String> {
    let text = serde_json::to_string(contact).map_err(|e| unreadable("address", &e))?;
    Ok(keys.lookup("address", &format!("{customer}:{text}")))
}

async fn keep_draft(ctx: &Ctx, input: &AddressInput) -> Result<()> {
    let customer = &ctx.session()?.customer_id;
    let plain = serde_json::to_vec(input).map_err(|e| unreadable("address", &e))?;
    let sealed = ctx.app.keys.seal(&plain, &draft_place(customer)).map_err(|e| internal("crypto", &e))?;
    set_draft(ctx, Some(sealed)).await
}

async fn forget_draft(ctx: &Ctx) -> Result<()> {
    set_draft(ctx, None).await
}

async fn set_draft(ctx: &Ctx, sealed: Option<Vec<u8>>) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, sealed) = (customer.clone(), sealed.clone());
            Box::pin(async move {
                let sql = "update account set address_draft_sealed = $2 where customer_id = $1";
                tx.exec(sql, args![customer, sealed]).await?;
                Ok(())
            })
        })
        .await
}

async fn kept(ctx: &Ctx) -> Result<Option<AddressInput>> {
    let customer = &ctx.session()?.customer_id;
    let sql = "select address_draft_sealed as sealed from account where customer_id = $1";
    let Some(row) = ctx.app.db.optional(sql, args![customer]).await? else { return Ok(None) };
    let Some(sealed) = row.get::<Option<Vec<u8>>>("sealed")? else { return Ok(None) };
    let plain = ctx.app.keys.open(&sealed, &draft_place(customer)).map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map(Some).map_err(|e| unreadable("address", &e))
}

fn place(customer: &str, id: &str) -> String {
    format!("address:{customer}:{id}")
}

fn draft_place(customer: &str) -> String {
    format!("account.address_draft:{customer}")
}
