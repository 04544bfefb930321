//! What people agreed to: purpose, version and time, in rows that are only ever added.
//!
//! Who signs in with a code agrees to the present terms with it. Everybody else is asked after signing in, and once in a
//! session that is open when new ones come; who does not agree goes on under those agreed to before.

use crate::{
    args,
    domain::{Error, Result, account::NOTICES, choice::Purpose},
    server::{App, Ctx, context::new_id, db::Tx},
};

/// Records that the present terms and privacy notice were agreed to, unless that is on record.
///
/// # Errors
/// When the database cannot be written.
pub async fn agree(tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<()> {
    for (purpose, version) in NOTICES {
        let sql = "insert into consent (id, customer_id, purpose, version, granted, at)
            select $1, $2, $3, $4, true, $5
            where not exists
                (select 1 from consent where customer_id = $2 and purpose = $3 and version = $4 and granted)";
        tx.exec(sql, args![new_id(), customer, purpose, version, now]).await?;
    }
    Ok(())
}

/// Records that somebody agreed to the present terms and privacy notice on the page that asks.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn accept(ctx: &Ctx) -> Result<()> {
    let (customer, now) = (ctx.session()?.customer_id.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move { agree(tx, &customer, now).await })
        })
        .await
}

/// What is on record of somebody about the present terms and privacy notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Agreed to.
    Agreed,
    /// Asked about, and not agreed to.
    Asked,
    /// New since somebody was here.
    New,
}

/// Where somebody stands.
///
/// # Errors
/// When the database cannot be read.
pub async fn standing(app: &App, customer: &str) -> Result<Standing> {
    let [(first, first_version), (second, second_version)] = NOTICES;
    let sql = "select count(distinct purpose) as asked, count(distinct case when granted then purpose end) as agreed
        from consent where customer_id = $1
            and (purpose = $2 and version = $3 or purpose = $4 and version = $5)";
    let row = app.db.one(sql, args![customer, first, first_version, second, second_version]).await?;
    let all = |name: &str| Ok::<_, Error>(usize::try_from(row.get::<i64>(name)?).unwrap_or(0) >= NOTICES.len());
    Ok(match (all("agreed")?, all("asked")?) {
        (true, _) => Standing::Agreed,
        (false, true) => Standing::Asked,
        (false, false) => Standing::New,
    })
}

/// Records that somebody is asked now, so that nobody is asked twice who goes on without an answer.
///
/// # Errors
/// When the database cannot be written.
pub async fn note_asked(app: &App, customer: &str, now: i64) -> Result<()> {
    let customer = customer.to_owned();
    app.db
        .write::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move {
                for (purpose, version) in NOTICES {
                    let sql = "insert into consent (id, customer_id, purpose, version, granted, at)
                        select $1, $2, $3, $4, false, $5
                        where not exists
                            (select 1 from consent where customer_id = $2 and purpose = $3 and version = $4)";
                    tx.exec(sql, args![new_id(), &customer, purpose, version, now]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Records what somebody chose for a purpose, unless that is on record as the newest choice about the present text.
///
/// # Errors
/// When the database cannot be written.
pub async fn choose(tx: &mut Tx<'_>, customer: &str, purpose: Purpose, granted: bool, now: i64) -> Result<()> {
    let known = match newest(tx, customer, purpose).await? {
        Some(newest) => newest.granted == granted && newest.version == purpose.version(),
        // Nothing was chosen, and nothing is.
        None => granted == purpose.by_default(),
    };
    if known {
        return Ok(());
    }
    add(tx, customer, purpose, purpose.version(), granted, now).await
}

/// Whether a purpose holds for somebody: by the newest choice, or else by the rule.
///
/// # Errors
/// When the database cannot be read.
pub async fn holds(tx: &mut Tx<'_>, customer: &str, purpose: Purpose) -> Result<bool> {
    Ok(newest(tx, customer, purpose).await?.map_or(purpose.by_default(), |newest| newest.granted))
}

/// Lets what a guest chose hold for an account, where it is the newer choice.
///
/// # Errors
/// When the database cannot be written.
pub async fn join(tx: &mut Tx<'_>, guest: &str, account: &str) -> Result<()> {
    for purpose in Purpose::ALL {
        let Some(brought) = newest(tx, guest, purpose).await? else { continue };
        let present = newest(tx, account, purpose).await?;
        if present.is_none_or(|present| present.at < brought.at) {
            add(tx, account, purpose, &brought.version, brought.granted, brought.at).await?;
        }
    }
    Ok(())
}

struct Choice {
    version: String,
    granted: bool,
    at: i64,
}

async fn newest(tx: &mut Tx<'_>, customer: &str, purpose: Purpose) -> Result<Option<Choice>> {
    let sql = "select version, granted, at from consent where customer_id = $1 and purpose = $2
        order by at desc, id desc limit 1";
    let Some(row) = tx.optional(sql, args![customer, purpose.name()]).await? else { return Ok(None) };
    Ok(Some(Choice { version: row.get("version")?, granted: row.get("granted")?, at: row.get("at")? }))
}

async fn add(tx: &mut Tx<'_>, customer: &str, purpose: Purpose, version: &str, granted: bool, at: i64) -> Result<()> {
    let sql = "insert into consent (id, customer_id, purpose, version, granted, at) values ($1, $2, $3, $4, $5, $6)";
    tx.exec(sql, args![new_id(), customer, purpose.name(), version, granted, at]).await?;
    Ok(())
}
