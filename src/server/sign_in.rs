//! The way in: shows who someone is, opens a session, and lets what a guest had here join the account. The rooms each
//! know their part; this is where the parts meet.

mod second;

pub use second::{begin_passkey, by_second, by_second_passkey, takes_passkey};

use super::{
    App, Ctx,
    account::{
        self,
        attempt::{self, Guarded},
        code::{self, Tried},
        consent, passkey, password,
        pending::NewPending,
        profile,
        second_factor::{self, Owner},
        session::{NewSession, forget},
        targets,
    },
    audit::{self, Action, Entry},
    cart,
    catalog::{favourites, viewed},
    context::new_id,
    crypto::Keys,
    db::Tx,
    http, order,
    refusal::{self, Method},
    risk::{self, Browser},
};
use crate::{
    args,
    domain::{
        Error, Result,
        account::{SentCode, Target, login},
        error::{Check, Problem},
        live::Topic,
    },
};

/// Sends a code to whom a person says they are reached by; with or without an account, nothing tells which.
///
/// # Errors
/// [`Error::Invalid`] for what is neither phone nor e-mail, [`Error::TooMany`] over the limits.
pub async fn send_code(ctx: &Ctx, country_code: &str, typed: &str) -> Result<SentCode> {
    code::send(ctx, code::target(ctx, country_code, typed)?).await
}

/// What came of the first factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// The customer is signed in.
    In(String),
    /// The second factor is awaited.
    Waits,
}

/// Signs in whoever holds the target of a code, or awaits the second factor. Who has no account gets one, and has agreed to
/// the terms.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code and without agreement.
pub async fn by_code(ctx: &Ctx, id: &str, typed: &str, agreed: bool) -> Result<Entered> {
    let mut check = Check::default();
    if typed.trim().is_empty() {
        check.add("code", Problem::Required);
    }
    if !agreed {
        check.add("agreed", Problem::Consent);
    }
    check.finish()?;
    if targets::is_for_account(id) {
        return Err(Error::field("code", Problem::CodeOver));
    }
    let (session, pending) = (NewSession::new(ctx, true)?, NewPending::new(ctx, true)?);
    let (id, typed, new_customer) = (id.to_owned(), typed.to_owned(), new_id());
    let (app, guest, open, now) = (ctx.app.clone(), ctx.guest.clone(), session.clone(), ctx.now);
    let (asker, before, browser) = (ctx.asker.clone(), replaced(ctx), Browser::of(ctx)?);
    let waiting = pending.clone();
    let entered = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, guest, session) = (app.clone(), guest.clone(), open.clone());
            let (asker, before, browser, waiting) = (asker.clone(), before.clone(), browser.clone(), waiting.clone());
            let (id, typed, new_customer) = (id.clone(), typed.clone(), new_customer.clone());
            Box::pin(async move {
                let (target_hash, target) =
                    match code::attempt(tx, &app.keys, (&id, &typed), browser.hash(), now).await? {
                        Tried::Proved { target_hash, target } => (target_hash, target),
                        // Committed: the try counts.
                        Tried::Refused { problem, target_hash } => return Ok(Err((problem, target_hash))),
                    };
                let customer = match owner(tx, &target_hash).await? {
                    Some(customer) => customer,
                    None => {
                        account::ensure_customer(tx, &new_customer, now).await?;
                        let sql = "insert into account (customer_id, created_at) values ($1, $2)";
                        tx.exec(sql, args![&new_customer, now]).await?;
                        let sealed = profile::seal_target(&app.keys, &new_customer, &target)?;
                        profile::set_target(tx, &new_customer, (target.kind(), &target_hash, &sealed), now).await?;
                        new_customer
                    }
                };
                attempt::succeeded(tx, &Guarded::new(&app.keys, &asker, &password_of(&target_hash))).await?;
                reopen(tx, &app.keys, &customer).await?;
                if awaits_second(tx, &customer, &waiting).await? {
                    return Ok(Ok(Entered::Waits));
                }
                consent::agree(tx, &customer, now).await?;
                let seat = (&session, before.as_deref(), &browser);
                enter(tx, &app, seat, guest.as_deref(), &customer, second_factor::by(true, None), now).await?;
                Ok(Ok(Entered::In(customer)))
            })
        })
        .await?;
    let entered = entered.map_err(|(problem, target_hash)| {
        let subject = target_hash.unwrap_or_default();
        refusal::note(ctx, "a one-time code was refused", Method::Code, &subject);
        Error::field("code", problem)
    })?;
    go_on(ctx, &entered, &session, &pending);
    Ok(entered)
}

/// Signs in with a user name, phone or e-mail and the password, or awaits the second factor.
///
/// # Errors
/// `Credentials` for an unknown name and a wrong password alike, after the same work; [`Error::TooMany`] after failures in
/// a row, and `PasswordClosed` after a hundred, whether or not there is such an account.
pub async fn by_password(ctx: &Ctx, country_code: &str, name: &str, password: String) -> Result<Entered> {
    let mut check = Check::default();
    if name.trim().is_empty() {
        check.add("name", Problem::Required);
    }
    if password.is_empty() {
        check.add("password", Problem::Required);
    }
    check.finish()?;
    let keys = &ctx.app.keys;
    let target = Target::read(country_code, name).ok();
    let login = login(name).ok();
    let target_hash = target.as_ref().map(|target| code::hash_of(keys, target));
    let device = risk::asking_device(ctx);
    let sql = "select a.customer_id, a.password_hash,
            (select d.device_hash from known_device d where d.customer_id = a.customer_id and d.device_hash = $3)
                is not null as is_known
        from account a
        where a.login = $1 or a.customer_id = (select t.customer_id from account_target t where t.target_hash = $2)";
    let row = ctx.app.db.optional(sql, args![login.clone(), target_hash.clone(), device.clone()]).await?;
    let (customer, hash, known) = match row {
        Some(row) => (
            Some(row.get::<String>("customer_id")?),
            row.get::<Option<String>>("password_hash")?,
            device.filter(|_| row.get("is_known").unwrap_or(false)),
        ),
        None => (None, None, None),
    };
    // Each name has a count of its own: one for the account would tell which names belong together.
    let tried = target_hash.or(login).unwrap_or_else(|| name.to_owned());
    let guarded = Guarded::new(keys, &ctx.asker, &password_of(&tried)).closing().known(known.as_deref());
    let place = password::place()?;
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let checked = hash.clone();
    let subject = guarded.subject().to_owned();
    let valid = place.verify_any(password, hash, subject.clone()).await?;
    let (Some(customer), Some(checked), true) = (customer, checked, valid) else {
        return Err(refused(ctx, &subject));
    };
    let (session, pending) = (NewSession::new(ctx, false)?, NewPending::new(ctx, false)?);
    let waiting = pending.clone();
    let (app, guest, open, now) = (ctx.app.clone(), ctx.guest.clone(), session.clone(), ctx.now);
    let (before, browser) = (replaced(ctx), Browser::of(ctx)?);
    let entered = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, guest, session) = (app.clone(), guest.clone(), open.clone());
            let (customer, checked, waiting) = (customer.clone(), checked.clone(), waiting.clone());
            let (guarded, before, browser) = (guarded.clone(), before.clone(), browser.clone());
            Box::pin(async move {
                // Waits for whoever is replacing the password, and is too late then.
                let sql =
                    "update account set password_hash = password_hash where customer_id = $1 and password_hash = $2";
                if tx.exec(sql, args![&customer, checked]).await? == 0 {
                    return Ok(None);
                }
                attempt::succeeded(tx, &guarded).await?;
                if awaits_second(tx, &customer, &waiting).await? {
                    return Ok(Some(Entered::Waits));
                }
                let seat = (&session, before.as_deref(), &browser);
                enter(tx, &app, seat, guest.as_deref(), &customer, second_factor::by(false, None), now).await?;
                Ok(Some(Entered::In(customer)))
            })
        })
        .await?;
    let Some(entered) = entered else { return Err(refused(ctx, &subject)) };
    go_on(ctx, &entered, &session, &pending);
    Ok(entered)
}

/// Lets a sign-in wait where there is a second factor to be shown, and tells whether it does.
async fn awaits_second(tx: &mut Tx<'_>, customer: &str, waiting: &NewPending) -> Result<bool> {
    let owner = Owner::Customer(customer.to_owned());
    if !second_factor::is_on(tx, &owner).await? {
        return Ok(false);
    }
    waiting.insert(tx, &owner).await?;
    Ok(true)
}

/// Gives the browser what goes on after the first factor.
fn go_on(ctx: &Ctx, entered: &Entered, session: &NewSession, pending: &NewPending) {
    match entered {
        Entered::In(customer) => entered_as(ctx, session, customer.clone()),
        Entered::Waits => pending.set_cookie(&ctx.app, http::PENDING_COOKIE),
    }
}

/// Signs in with a passkey, see [`passkey::show`]; answers with the customer. The device made sure of its owner, so that
/// no other factor is asked for.
///
/// # Errors
/// Those of [`passkey::show`].
pub async fn by_passkey(ctx: &Ctx, id: &str, answer: &str) -> Result<String> {
    let shown = passkey::show(ctx, id, answer).await?;
    let subject = shown.guarded.subject().to_owned();
    let session = NewSession::new(ctx, true)?;
    let (app, guest, open, now) = (ctx.app.clone(), ctx.guest.clone(), session.clone(), ctx.now);
    let (customer, before, browser) = (shown.customer.clone(), replaced(ctx), Browser::of(ctx)?);
    let entered = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, guest, session, shown) = (app.clone(), guest.clone(), open.clone(), shown.clone());
            let (before, browser) = (before.clone(), browser.clone());
            Box::pin(async move {
                // Waits for whoever is removing it.
                if !shown.note(tx, &app.keys, now).await? {
                    return Ok(false);
                }
                attempt::succeeded(tx, &shown.guarded).await?;
                reopen(tx, &app.keys, &shown.customer).await?;
                let seat = (&session, before.as_deref(), &browser);
                enter(tx, &app, seat, guest.as_deref(), &shown.customer, "passkey", now).await?;
                Ok(true)
            })
        })
        .await?;
    if !entered {
        return Err(passkey::refused(ctx, &subject, &"it was removed meanwhile"));
    }
    entered_as(ctx, &session, customer.clone());
    Ok(customer)
}

/// Signs out on this browser, which forgets what it keeps of this shop.
///
/// # Errors
/// When the database cannot be written.
pub async fn out(ctx: &Ctx) -> Result<()> {
    if let Some(session) = &ctx.session {
        account::session::end(ctx, &session.id.clone()).await?;
    }
    forget(ctx);
    account::forget(ctx);
    Ok(())
}

/// The account that a target belongs to.
async fn owner(tx: &mut Tx<'_>, target_hash: &str) -> Result<Option<String>> {
    let row = tx.optional("select customer_id from account_target where target_hash = $1", args![target_hash]).await?;
    Ok(row.map(|row| row.get("customer_id")).transpose()?)
}

/// Lets passwords be tried again under every name of an account whose owner has shown who this is in another way.
async fn reopen(tx: &mut Tx<'_>, keys: &Keys, customer: &str) -> Result<()> {
    let sql = "select target_hash as name from account_target where customer_id = $1
        union select login as name from account where customer_id = $1 and login is not null order by name";
    for row in tx.all(sql, args![customer]).await? {
        attempt::reopened(tx, keys, &password_of(&row.get::<String>("name")?)).await?;
    }
    Ok(())
}

/// Under which failed tries of a password are counted.
fn password_of(name: &str) -> String {
    format!("password:{name}")
}

/// The session that this browser had and will not use any more.
fn replaced(ctx: &Ctx) -> Option<String> {
    ctx.session.as_ref().map(|session| session.id.clone())
}

/// Opens the session in place of the one before, and lets what the guest of this browser had join the account. The record
/// says `by` what it was opened.
async fn enter(
    tx: &mut Tx<'_>,
    app: &App,
    (session, before, browser): (&NewSession, Option<&str>, &Browser),
    guest: Option<&str>,
    customer: &str,
    by: &str,
    now: i64,
) -> Result<()> {
    if let Some(guest) = guest.filter(|guest| *guest != customer) {
        cart::join(tx, guest, customer, now).await?;
        order::join(tx, &app.keys, guest, customer).await?;
        consent::join(tx, guest, customer).await?;
        favourites::join(tx, guest, customer).await?;
        viewed::join(tx, guest, customer).await?;
    }
    session.open(tx, customer, before).await?;
    browser.note(tx, app, customer, now).await?;
    let actor = format!("customer:{customer}");
    let entry = Entry { subject: actor.clone(), actor, action: Action::SignedIn, detail: by.to_owned() };
    audit::record(tx, &app.keys, &entry, now).await
}

/// Tells the browser, and the account's other devices that its cart may have grown.
fn entered_as(ctx: &Ctx, session: &NewSession, customer: String) {
    session.set_cookie(&ctx.app);
    // There may be a mail to send.
    ctx.app.wake.notify_waiters();
    ctx.app.live.changed(Topic::Cart(customer));
    tracing::info!("a customer signed in");
}

fn refused(ctx: &Ctx, subject: &str) -> Error {
    refusal::note(ctx, "a sign-in failed", Method::Password, subject);
    Error::field("password", Problem::Credentials)
}
