//! The passkeys of an account (WebAuthn level 2): added by its owner, used to sign in or to complete a sign-in, named and
//! removed.
//!
//! The library examines what browsers answer; here it is decided whose it is. A passkey is asked for only with the
//! device's own look at its owner (user verification), which makes it both factors.

use super::{
    attempt::{self, Guarded},
    ceremony, profile, proof,
    session::Session,
};
use crate::{
    args,
    domain::{
        Error, Result,
        error::Problem,
        passkey::{self, Ceremony, MAX_PASSKEYS, Passkeys},
        texts::passkey as t,
    },
    server::{
        Ctx,
        audit::{self, Action, Entry},
        config::Config,
        context::{internal, new_id, unreadable},
        crypto::{self, Keys},
        db::{Row, Tx},
        message::What,
        refusal::{self, Method},
        risk,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, CredentialID, DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
};

/// The longest answer of a browser, in bytes: some of them add certificates that nobody asked for.
const ANSWER: usize = 32 * 1024;

/// The passkeys of the account that is signed in.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is.
pub async fn list(ctx: &Ctx) -> Result<Passkeys> {
    let keys = of(ctx, &ctx.session()?.customer_id).await?;
    let origin = Config::passkeys_at(&ctx.app.config.public_url).map(|origin| origin.origin().ascii_serialization());
    Ok(Passkeys { keys, origin })
}

/// The passkeys of a customer, the oldest first.
///
/// # Errors
/// When they cannot be read or opened.
pub async fn of(ctx: &Ctx, customer: &str) -> Result<Vec<passkey::Passkey>> {
    let sql = "select id, name_sealed, created_at, last_used_at from passkey
        where customer_id = $1 order by created_at, id";
    let keys = &ctx.app.keys;
    let read = |row: &Row| -> Result<passkey::Passkey> {
        let id: String = row.get("id")?;
        let plain =
            keys.open(&row.get::<Vec<u8>>("name_sealed")?, &name_place(&id)).map_err(|e| internal("crypto", &e))?;
        Ok(passkey::Passkey {
            name: String::from_utf8(plain).map_err(|e| internal("crypto", &e.utf8_error()))?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
            id,
        })
    };
    ctx.app.db.all(sql, args![customer]).await?.iter().map(read).collect()
}

/// Begins to add a passkey, once it is sure who asks.
///
/// # Errors
/// Those of [`proof::prove`]; [`Error::Invalid`] about `passkey`: `PasskeyPlace` where there are none, `Full` when there
/// are as many as there may be.
pub async fn begin_registration(ctx: &Ctx, password: String) -> Result<Ceremony> {
    let session = ctx.session()?.clone();
    let party = ceremony::party(ctx)?;
    if let Some(guarded) = proof::prove(ctx, &session, password).await? {
        attempt::over(&ctx.app, &guarded).await?;
    }
    let customer = session.customer_id.as_str();
    let sql = "select id, credential_sealed from passkey where customer_id = $1";
    let rows = ctx.app.db.all(sql, args![customer]).await?;
    if rows.len() >= MAX_PASSKEYS as usize {
        return Err(full());
    }
    // A device that has one already says so instead of making another.
    let known = |row: &Row| -> Result<CredentialID> { Ok(credential(&ctx.app.keys, row)?.cred_id().clone()) };
    let known = rows.iter().map(known).collect::<Result<Vec<_>>>()?;
    let user = Uuid::parse_str(customer).map_err(|e| internal("passkeys", &e))?;
    let (name, called) = names(ctx).await?;
    let (options, state) = party
        .start_passkey_registration(user, &name, &called, Some(known))
        .map_err(|error| internal("passkeys", &error))?;
    let mut options = serde_json::to_value(options).map_err(|e| internal("passkeys", &e))?;
    // Signing in asks for no name, so the device has to know the account by itself.
    let selection = &mut options["publicKey"]["authenticatorSelection"];
    selection["residentKey"] = "required".into();
    selection["requireResidentKey"] = true.into();
    let id = ceremony::keep(ctx, Some(customer), &state).await?;
    Ok(Ceremony { id, options: options["publicKey"].to_string() })
}

/// Under which the person's devices list the account: what tells it from others of the same person, and what the person
/// is called.
async fn names(ctx: &Ctx) -> Result<(String, String)> {
    let profile = profile::get(ctx).await?.ok_or(Error::Unauthenticated)?;
    let name = profile.login.or(profile.email).or(profile.phone).unwrap_or_default();
    let called = if profile.name.is_empty() { name.clone() } else { profile.name };
    Ok((name, called))
}

/// Adds the passkey that the browser made. The owner is told.
///
/// # Errors
/// [`Error::Invalid`] about `passkey`: `PasskeyOver` for a ceremony that is over, `Passkey` for an answer that is not
/// right, `Taken` for one that is there already, `Full` when there are as many as there may be.
pub async fn finish_registration(ctx: &Ctx, id: &str, answer: &str) -> Result<()> {
    let session = ctx.session()?.clone();
    let party = ceremony::party(ctx)?;
    let state: PasskeyRegistration = ceremony::take(ctx, Some(&session.customer_id), id).await?;
    let answer: RegisterPublicKeyCredential = read(ctx, answer)?;
    let credential = party.finish_passkey_registration(&answer, &state).map_err(|error| refused(ctx, "", &error))?;

    let keys = &ctx.app.keys;
    let id = new_id();
    let device = ctx.asker.device.clone();
    let name = if device.is_empty() { ctx.locale.t(t::SOME_PASSKEY) } else { &*device };
    let row = NewPasskey {
        hash: hash_of(keys, credential.cred_id()),
        sealed: seal(keys, &id, &credential)?,
        name_sealed: keys.seal(name.as_bytes(), &name_place(&id)).map_err(|e| internal("crypto", &e))?,
        id,
    };
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, row, device) = (app.clone(), session.clone(), row.clone(), device.clone());
            Box::pin(async move {
                let customer = &session.customer_id;
                // Those who add one at the same time wait here, so that all count.
                tx.exec("update account set created_at = created_at where customer_id = $1", args![customer]).await?;
                still_in(tx, &session).await?;
                let sql = "select count(*) as n from passkey where customer_id = $1";
                if tx.one(sql, args![customer]).await?.get::<i64>("n")? >= i64::from(MAX_PASSKEYS) {
                    return Err(full());
                }
                row.insert(tx, customer, now).await?;
                let page = risk::security_page(&app);
                risk::tell(tx, &app, customer, What::PasskeyAdded { device, page }, locale, now).await?;
                audit::record(tx, &app.keys, &entry(customer, Action::PasskeyAdded, row.id.clone()), now).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

#[derive(Clone)]
struct NewPasskey {
    id: String,
    hash: String,
    sealed: Vec<u8>,
    name_sealed: Vec<u8>,
}

impl NewPasskey {
    async fn insert(&self, tx: &mut Tx<'_>, customer: &str, now: i64) -> Result<()> {
        let sql = "insert into passkey (id, customer_id, credential_hash, credential_sealed, name_sealed, created_at)
            values ($1, $2, $3, $4, $5, $6) on conflict (credential_hash) do nothing";
        match tx.exec(sql, args![&self.id, customer, &self.hash, &self.sealed, &self.name_sealed, now]).await? {
            0 => Err(Error::field("passkey", Problem::Taken)),
            _ => Ok(()),
        }
    }
}

/// Calls a passkey by another name.
///
/// # Errors
/// [`Error::Invalid`] about `name`; [`Error::NotFound`] for an unknown passkey and for that of someone else alike.
pub async fn rename(ctx: &Ctx, id: &str, name: &str) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    let name = passkey::name(name).map_err(|problem| Error::field("name", problem))?;
    let sealed = ctx.app.keys.seal(name.as_bytes(), &name_place(id)).map_err(|e| internal("crypto", &e))?;
    let id = id.to_owned();
    let renamed = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, id, sealed) = (customer.clone(), id.clone(), sealed.clone());
            Box::pin(async move {
                let sql = "update passkey set name_sealed = $3 where id = $1 and customer_id = $2";
                Ok(tx.exec(sql, args![id, customer, sealed]).await?)
            })
        })
        .await?;
    if renamed == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Removes a passkey, once it is sure who asks: it opens the account no more. The owner is told.
///
/// # Errors
/// Those of [`proof::prove`]; [`Error::NotFound`] for an unknown passkey and for that of someone else alike.
pub async fn remove(ctx: &Ctx, id: &str, password: String) -> Result<()> {
    let session = ctx.session()?.clone();
    let proved = proof::prove(ctx, &session, password).await?;
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let (id, device) = (id.to_owned(), ctx.asker.device.clone());
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, session, id, device) = (app.clone(), session.clone(), id.clone(), device.clone());
            let proved = proved.clone();
            Box::pin(async move {
                let customer = &session.customer_id;
                still_in(tx, &session).await?;
                let sql = "delete from passkey where id = $1 and customer_id = $2";
                if tx.exec(sql, args![&id, customer]).await? == 0 {
                    return Err(Error::NotFound);
                }
                if let Some(guarded) = proved {
                    attempt::succeeded(tx, &guarded).await?;
                }
                let page = risk::security_page(&app);
                risk::tell(tx, &app, customer, What::PasskeyRemoved { device, page }, locale, now).await?;
                audit::record(tx, &app.keys, &entry(customer, Action::PasskeyRemoved, id), now).await
            })
        })
        .await?;
    ctx.app.wake.notify_waiters();
    Ok(())
}

/// Not with a session that was ended meanwhile.
async fn still_in(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    match tx.optional("select id from session where id = $1", args![&session.id]).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unauthenticated),
    }
}

/// Begins a sign-in with whatever passkey the browser has for this shop.
///
/// # Errors
/// [`Error::Invalid`] with `PasskeyPlace` where there are none.
pub async fn begin_sign_in(ctx: &Ctx) -> Result<Ceremony> {
    let (options, state) =
        ceremony::party(ctx)?.start_discoverable_authentication().map_err(|error| internal("passkeys", &error))?;
    let options = serde_json::to_string(&options.public_key).map_err(|e| internal("passkeys", &e))?;
    Ok(Ceremony { id: ceremony::keep(ctx, None, &state).await?, options })
}

/// A passkey that was just shown to be here, with its owner.
#[derive(Clone)]
pub struct Shown {
    pub customer: String,
    /// The count of failures to be forgotten with the sign-in.
    pub guarded: Guarded,
    id: String,
    result: AuthenticationResult,
}

/// Examines what a browser answers to [`begin_sign_in`].
///
/// # Errors
/// [`Error::Invalid`] about `passkey`: `PasskeyOver` for a ceremony that is over, `Passkey` for one that is unknown or
/// not right, alike; [`Error::TooMany`] after failures in a row.
pub async fn show(ctx: &Ctx, id: &str, answer: &str) -> Result<Shown> {
    let party = ceremony::party(ctx)?;
    let state: DiscoverableAuthentication = ceremony::take(ctx, None, id).await?;
    let answer: PublicKeyCredential = read(ctx, answer)?;
    let (user, credential_id) =
        party.identify_discoverable_authentication(&answer).map_err(|error| refused(ctx, "", &error))?;
    let hash = hash_of(&ctx.app.keys, credential_id);
    let guarded = Guarded::new(&ctx.app.keys, &ctx.asker, &format!("passkey:{hash}"));
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let sql = "select id, credential_sealed from passkey where credential_hash = $1 and customer_id = $2";
    let customer = user.to_string();
    let Some(row) = ctx.app.db.optional(sql, args![hash, &customer]).await? else {
        return Err(refused(ctx, guarded.subject(), &"there is no such passkey"));
    };
    examine(ctx, &party, (&answer, state), &row, (customer, guarded))
}

/// Examines an answer by the passkey of a row with `id` and `credential_sealed`.
fn examine(
    ctx: &Ctx,
    party: &Webauthn,
    (answer, state): (&PublicKeyCredential, DiscoverableAuthentication),
    row: &Row,
    (customer, guarded): (String, Guarded),
) -> Result<Shown> {
    let credential = credential(&ctx.app.keys, row)?;
    // Also refuses a count of uses that did not grow: there may be a copy of the key.
    let result = party
        .finish_discoverable_authentication_v2(answer, state, &credential)
        .map_err(|error| refused(ctx, guarded.subject(), &error))?;
    Ok(Shown { customer, guarded, id: row.get("id")?, result })
}

/// What is kept of a question that completes a sign-in: which sign-in it is for, by the keyed hash of its token.
#[derive(Serialize, Deserialize)]
struct Completion {
    pending: String,
    state: DiscoverableAuthentication,
}

/// Whether a customer's sign-in that waits for the second factor can be completed with a passkey.
///
/// # Errors
/// When the database cannot be read.
pub async fn completes(ctx: &Ctx, customer: &str) -> Result<bool> {
    if Config::passkeys_at(&ctx.app.config.public_url).is_none() {
        return Ok(false);
    }
    let sql = "select id from passkey where customer_id = $1 limit 1";
    Ok(ctx.app.db.optional(sql, args![customer]).await?.is_some())
}

/// Begins to complete a customer's sign-in that waits, with a passkey of that customer: the browser is asked for no
/// other one.
///
/// # Errors
/// [`Error::Invalid`] about `passkey`: `PasskeyPlace` where there are none, `Passkey` where the customer has none.
pub async fn begin_completion(ctx: &Ctx, customer: &str, pending: &str) -> Result<Ceremony> {
    let party = ceremony::party(ctx)?;
    let sql = "select id, credential_sealed from passkey where customer_id = $1";
    let mut allowed = Vec::new();
    for row in ctx.app.db.all(sql, args![customer]).await? {
        let credential = credential(&ctx.app.keys, &row)?;
        let id: &[u8] = credential.cred_id();
        allowed.push(serde_json::json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) }));
    }
    if allowed.is_empty() {
        return Err(refused(ctx, "", &"the account has none"));
    }
    let (options, state) = party.start_discoverable_authentication().map_err(|error| internal("passkeys", &error))?;
    let mut options = serde_json::to_value(&options.public_key).map_err(|e| internal("passkeys", &e))?;
    // So that keys are found that their device does not list by itself, and those of other accounts are not offered.
    options["allowCredentials"] = allowed.into();
    let state = Completion { pending: pending.to_owned(), state };
    Ok(Ceremony { id: ceremony::keep(ctx, Some(customer), &state).await?, options: options.to_string() })
}

/// Examines what a browser answers to [`begin_completion`], for the same sign-in of the same customer. Failures count with
/// those of other second factors.
///
/// # Errors
/// As [`show`]; `PasskeyOver` also for the question of another sign-in.
pub async fn complete(
    ctx: &Ctx,
    (customer, pending): (&str, &str),
    guarded: Guarded,
    (id, answer): (&str, &str),
) -> Result<Shown> {
    let party = ceremony::party(ctx)?;
    let asked: Completion = ceremony::take(ctx, Some(customer), id).await?;
    if asked.pending != pending {
        return Err(Error::field("passkey", Problem::PasskeyOver));
    }
    let answer: PublicKeyCredential = read(ctx, answer)?;
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let user = Uuid::parse_str(customer).map_err(|e| internal("passkeys", &e))?;
    // Devices need not say whose key it is where they were told which key; those that do must agree (WebAuthn level 2
    // §7.2, step 6).
    if answer.get_user_unique_id().is_some_and(|said| said != user.as_bytes().as_slice()) {
        return Err(refused(ctx, guarded.subject(), &"it is another account's"));
    }
    let hash = hash_of(&ctx.app.keys, answer.get_credential_id());
    let sql = "select id, credential_sealed from passkey where credential_hash = $1 and customer_id = $2";
    let Some(row) = ctx.app.db.optional(sql, args![hash, customer]).await? else {
        return Err(refused(ctx, guarded.subject(), &"there is no such passkey"));
    };
    examine(ctx, &party, (&answer, asked.state), &row, (customer.to_owned(), guarded))
}

impl Shown {
    /// Notes the use; not of a passkey that was removed meanwhile.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note(&self, tx: &mut Tx<'_>, keys: &Keys, now: i64) -> Result<bool> {
        let sql = "update passkey set last_used_at = $3 where id = $1 and customer_id = $2
            returning id, credential_sealed";
        let Some(row) = tx.optional(sql, args![&self.id, &self.customer, now]).await? else { return Ok(false) };
        let mut credential = credential(keys, &row)?;
        // The count of its uses, and whether the device keeps a copy elsewhere.
        if credential.update_credential(&self.result) == Some(true) {
            let sql = "update passkey set credential_sealed = $2 where id = $1";
            tx.exec(sql, args![&self.id, seal(keys, &self.id, &credential)?]).await?;
        }
        Ok(true)
    }
}

/// Reads the answer of a browser. What is in it is not logged.
fn read<A: DeserializeOwned>(ctx: &Ctx, answer: &str) -> Result<A> {
    if answer.len() > ANSWER {
        return Err(refused(ctx, "", &"its answer is too long"));
    }
    serde_json::from_str(answer).map_err(|e| refused(ctx, "", &format!("its answer is wrong: {:?}", e.classify())))
}

/// A refusal tells nobody why; the log does. `subject` is a keyed hash of the passkey, empty where it is not known.
pub fn refused(ctx: &Ctx, subject: &str, why: &dyn std::fmt::Display) -> Error {
    refusal::note_why(ctx, "a passkey was refused", Method::Passkey, subject, why);
    Error::field("passkey", Problem::Passkey)
}

fn full() -> Error {
    Error::field("passkey", Problem::Full(MAX_PASSKEYS))
}

fn entry(customer: &str, action: Action, id: String) -> Entry {
    let actor = format!("customer:{customer}");
    Entry { subject: actor.clone(), actor, action, detail: format!("passkey:{id}") }
}

/// A keyed hash under which a credential is found.
fn hash_of(keys: &Keys, credential_id: &[u8]) -> String {
    keys.lookup("passkey", &crypto::hex(credential_id))
}

fn seal(keys: &Keys, id: &str, credential: &Credential) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(credential).map_err(|e| internal("passkeys", &e))?;
    keys.seal(&plain, &credential_place(id)).map_err(|e| internal("crypto", &e))
}

/// The credential of a row with `id` and `credential_sealed`.
fn credential(keys: &Keys, row: &Row) -> Result<Credential> {
    let id: String = row.get("id")?;
    let plain = keys
        .open(&row.get::<Vec<u8>>("credential_sealed")?, &credential_place(&id))
        .map_err(|e| internal("crypto", &e))?;
    serde_json::from_slice(&plain).map_err(|e| unreadable("passkey", &e))
}

fn credential_place(id: &str) -> String {
    format!("passkey.credential:{id}")
}

fn name_place(id: &str) -> String {
    format!("passkey.name:{id}")
}
