//! What may be a sign of abuse: recorded as it happens, for whoever weighs it, and told to the person where it concerns
//! one.

use crate::{
    args,
    domain::{Locale, Result, account::Target},
    server::{
        App, Ctx,
        account::targets,
        context::{Asker, internal, new_id, unreadable},
        crypto::{self, Keys},
        db::Tx,
        http,
        message::{self, Message, What},
    },
};

/// How long events are kept, in milliseconds: 90 days.
const KEEP_MS: i64 = 90 * 24 * 60 * 60_000;
/// How long a browser keeps the cookie by which it is known again, in seconds: 400 days, the longest that browsers allow.
const DEVICE_SECONDS: i64 = 400 * 24 * 60 * 60;
/// The most devices that are remembered of an account.
const DEVICES: i64 = 50;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account that was signed in elsewhere before was signed in on a browser that it did not know.
    NewDevice,
    /// Something was guessed at until it began to take pauses.
    ManyFailures,
    /// So many codes were asked for that no more are sent for a while.
    ManyCodes,
    /// An account was signed in with a recovery code in place of its app.
    RecoveryCodeUsed,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::ManyFailures => "many_failures",
            Self::ManyCodes => "many_codes",
            Self::RecoveryCodeUsed => "recovery_code_used",
        }
    }
}

/// Records an event.
///
/// # Errors
/// When the database cannot be written.
pub async fn record(tx: &mut Tx<'_>, kind: Kind, subject: &str, network_hash: &str, now: i64) -> Result<()> {
    let sql = "insert into risk_event (id, at, kind, subject, network_hash) values ($1, $2, $3, $4, $5)";
    tx.exec(sql, args![new_id(), now, kind.name(), subject, network_hash]).await?;
    Ok(())
}

/// A keyed hash that stands for the network of who asks.
pub fn network_hash(keys: &Keys, asker: &Asker) -> String {
    keys.lookup("asker", &asker.network())
}

/// A keyed hash that stands for a browser, by the token of its cookie.
fn device_hash(keys: &Keys, token: &str) -> String {
    keys.lookup("device", token)
}

/// The keyed hash of the browser that asks, if it has the cookie by which it is known again.
pub fn asking_device(ctx: &Ctx) -> Option<String> {
    ctx.device.as_deref().map(|token| device_hash(&ctx.app.keys, token))
}

/// The same, if this account was signed in on it before.
///
/// # Errors
/// When the database cannot be read.
pub async fn known_device(ctx: &Ctx, customer: &str) -> Result<Option<String>> {
    let sql = "select device_hash from known_device where customer_id = $1 and device_hash = $2";
    found(ctx, sql, customer).await
}

/// The same for a member of staff, by id.
///
/// # Errors
/// When the database cannot be read.
pub async fn known_staff_device(ctx: &Ctx, staff_id: &str) -> Result<Option<String>> {
    let sql = "select device_hash from staff_device where staff_id = $1 and device_hash = $2";
    found(ctx, sql, staff_id).await
}

async fn found(ctx: &Ctx, sql: &'static str, owner: &str) -> Result<Option<String>> {
    let Some(hash) = asking_device(ctx) else { return Ok(None) };
    Ok(ctx.app.db.optional(sql, args![owner, &hash]).await?.map(|_| hash))
}

/// The browser that is signing in.
#[derive(Clone)]
pub struct Browser {
    hash: String,
    network_hash: String,
    /// In words, see [`device_name`](crate::domain::account::device_name).
    name: String,
    locale: Locale,
}

impl Browser {
    /// The one that asks, known by its cookie or by one that it is given now.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn of(ctx: &Ctx) -> Result<Self> {
        let token = match &ctx.device {
            Some(token) => token.clone(),
            None => crypto::token().map_err(|e| internal("random source", &e))?,
        };
        http::set_cookie(&ctx.app, http::DEVICE_COOKIE, &token, DEVICE_SECONDS);
        Ok(Self {
            hash: device_hash(&ctx.app.keys, &token),
            network_hash: network_hash(&ctx.app.keys, &ctx.asker),
            name: ctx.asker.device.clone(),
            locale: ctx.locale,
        })
    }

    /// A keyed hash that stands for it.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Notes that a member of staff is signed in here.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_staff(&self, tx: &mut Tx<'_>, staff_id: &str, now: i64) -> Result<()> {
        let sql = "insert into staff_device (staff_id, device_hash, first_at, seen_at) values ($1, $2, $3, $3)
            on conflict (staff_id, device_hash) do update set seen_at = excluded.seen_at";
        tx.exec(sql, args![staff_id, &self.hash, now]).await?;
        let sql = "delete from staff_device where staff_id = $1 and device_hash not in
            (select device_hash from staff_device where staff_id = $1 order by seen_at desc, device_hash limit $2)";
        tx.exec(sql, args![staff_id, DEVICES]).await?;
        Ok(())
    }

    /// Notes that an account is signed in here. Where it was signed in elsewhere before and never here, that is an event,
    /// and its owner is told by mail.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note(&self, tx: &mut Tx<'_>, app: &App, customer: &str, now: i64) -> Result<()> {
        let sql = "update known_device set seen_at = $3 where customer_id = $1 and device_hash = $2";
        if tx.exec(sql, args![customer, &self.hash, now]).await? > 0 {
            return Ok(());
        }
        let known = "select device_hash from known_device where customer_id = $1 limit 1";
        let elsewhere = tx.optional(known, args![customer]).await?.is_some();
        let sql = "insert into known_device (customer_id, device_hash, first_at, seen_at) values ($1, $2, $3, $3)
            on conflict (customer_id, device_hash) do nothing";
        tx.exec(sql, args![customer, &self.hash, now]).await?;
        let sql = "delete from known_device where customer_id = $1 and device_hash not in
            (select device_hash from known_device where customer_id = $1 order by seen_at desc, device_hash limit $2)";
        tx.exec(sql, args![customer, DEVICES]).await?;
        if elsewhere {
            record(tx, Kind::NewDevice, &format!("customer:{customer}"), &self.network_hash, now).await?;
            let what = What::NewDevice { device: self.name.clone(), page: security_page(app) };
            tell(tx, app, customer, what, self.locale, now).await?;
        }
        Ok(())
    }

    /// Notes that a recovery code stood for the app of an account here: an event, of which its owner is told by mail.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_recovery(&self, tx: &mut Tx<'_>, app: &App, customer: &str, left: i64, now: i64) -> Result<()> {
        let subject = format!("customer:{customer}");
        record(tx, Kind::RecoveryCodeUsed, &subject, &self.network_hash, now).await?;
        let what = What::RecoveryCode { device: self.name.clone(), left, page: security_page(app) };
        tell(tx, app, customer, what, self.locale, now).await
    }
}

/// Tells the owner of an account by mail what happened to it, where there is an address. A phone is not told: what
/// providers let pass are codes. Whoever calls wakes the outbox after the transaction.
///
/// # Errors
/// When the database cannot be written, or the address does not open.
pub async fn tell(tx: &mut Tx<'_>, app: &App, customer: &str, what: What, locale: Locale, now: i64) -> Result<()> {
    let sql = "select target_sealed from account_target where customer_id = $1 and kind = 'email'";
    let Some(row) = tx.optional(sql, args![customer]).await? else { return Ok(()) };
    let place = super::account::profile::target_place(customer, "email");
    let plain = app.keys.open(&row.get::<Vec<u8>>("target_sealed")?, &place).map_err(|e| internal("crypto", &e))?;
    let to: Target = serde_json::from_slice(&plain).map_err(|e| unreadable("target", &e))?;
    let message = Message::news(to, what, locale, now);
    message::enqueue(tx, &message::sealed(app, &message)?, now).await
}

/// Tells everybody whom an account is reached by what happens to that: by mail, and by a text message where the provider
/// has a template for it. To be called before the change, and as [`tell`].
///
/// # Errors
/// As [`tell`].
pub async fn tell_all(tx: &mut Tx<'_>, app: &App, customer: &str, what: What, locale: Locale, now: i64) -> Result<()> {
    for target in targets::all(tx, &app.keys, customer).await? {
        // Nobody would ever send what has no way out; in development it is read on the page of the outbox.
        if matches!(target, Target::Phone(_)) && !app.post.tells_news(&target) && !app.config.development {
            continue;
        }
        let message = Message::news(target, what.clone(), locale, now);
        message::enqueue(tx, &message::sealed(app, &message)?, now).await?;
    }
    Ok(())
}

/// The page where an account's devices and ways in are seen and ended.
pub fn security_page(app: &App) -> String {
    format!("{}/me/security", app.config.public_url)
}

/// Removes events that nobody will weigh any more.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec("delete from risk_event where at < $1", args![now - KEEP_MS]).await?;
    Ok(())
}
