//! Completing a sign-in that waits for the second factor: by a code of the app, a recovery code, or a passkey of the
//! account.

use super::{enter, entered_as, replaced};
use crate::{
    domain::{Error, Result, error::Problem, passkey::Ceremony, second_factor::Typed},
    server::{
        Ctx,
        account::{
            attempt::{self, Guarded},
            consent, passkey,
            pending::{self, Pending},
            second_factor::{self, Owner, Shown},
            session::NewSession,
        },
        http,
        refusal::{self, Method},
        risk::{self, Browser},
    },
};

/// A customer's sign-in of this browser that waits.
#[derive(Clone)]
struct Waiting {
    token: String,
    customer: String,
    /// Whether it began with a code and not with a password.
    by_code: bool,
}

impl Waiting {
    /// The one of this browser.
    ///
    /// # Errors
    /// `SignInOver` of a field of the form where nothing waits any more.
    async fn of(ctx: &Ctx, field: &str) -> Result<Self> {
        let over = || Error::field(field, Problem::SignInOver);
        let token = ctx.pending.clone().ok_or_else(over)?;
        match pending::find(&ctx.app, Some(&token), ctx.now).await? {
            Some(Pending { owner: Owner::Customer(customer), by_code }) => Ok(Self { token, customer, by_code }),
            _ => Err(over()),
        }
    }

    fn owner(&self) -> Owner {
        Owner::Customer(self.customer.clone())
    }

    /// Under which its failures are counted, whatever the second factor is.
    ///
    /// # Errors
    /// When the database cannot be read.
    async fn guarded(&self, ctx: &Ctx) -> Result<Guarded> {
        let known = risk::known_device(ctx, &self.customer).await?;
        Ok(Guarded::new(&ctx.app.keys, &ctx.asker, &self.owner().guarded()).known(known.as_deref()))
    }

    /// The hash that names it in what is kept of a passkey's question.
    fn hash(&self, ctx: &Ctx) -> String {
        pending::hash_of(&ctx.app, &self.token)
    }
}

/// What was shown as the second factor, and is not accepted yet.
#[derive(Clone)]
enum By {
    Typed(Typed),
    Passkey(Box<passkey::Shown>),
}

impl By {
    /// The field of a form that it comes from.
    const fn field(&self) -> &'static str {
        match self {
            Self::Typed(_) => "code",
            Self::Passkey(_) => "passkey",
        }
    }
}

/// Completes a sign-in with a code of the app, or a recovery code. Answers with the customer, and by what it was shown.
///
/// # Errors
/// `SecondFactor` of `code` for a wrong one and for one that was used alike, `SignInOver` where nothing waits any more;
/// [`Error::TooMany`] after failures in a row.
pub async fn by_second(ctx: &Ctx, typed: &str) -> Result<(String, Shown)> {
    let typed = Typed::read(typed).map_err(|problem| Error::field("code", problem))?;
    let waiting = Waiting::of(ctx, "code").await?;
    let guarded = waiting.guarded(ctx).await?;
    let (subject, method) = (guarded.subject().to_owned(), Method::of(&typed));
    attempt::begin(&ctx.app, &guarded, ctx.now).await?;
    let Some(shown) = complete(ctx, &waiting, By::Typed(typed), guarded).await? else {
        refusal::note(ctx, "a second factor was refused", method, &subject);
        return Err(Error::field("code", Problem::SecondFactor));
    };
    Ok((waiting.customer, shown))
}

/// Whether the sign-in of this browser that waits can be completed with a passkey.
///
/// # Errors
/// When the database cannot be read.
pub async fn takes_passkey(ctx: &Ctx) -> Result<bool> {
    match pending::find(&ctx.app, ctx.pending.as_deref(), ctx.now).await? {
        Some(Pending { owner: Owner::Customer(customer), .. }) => passkey::completes(ctx, &customer).await,
        _ => Ok(false),
    }
}

/// Begins to complete the sign-in of this browser that waits with a passkey, see [`passkey::begin_completion`].
///
/// # Errors
/// Those of [`passkey::begin_completion`]; `SignInOver` of `passkey` where nothing waits any more.
pub async fn begin_passkey(ctx: &Ctx) -> Result<Ceremony> {
    let waiting = Waiting::of(ctx, "passkey").await?;
    passkey::begin_completion(ctx, &waiting.customer, &waiting.hash(ctx)).await
}

/// Completes a sign-in with a passkey of the account; answers with the customer.
///
/// # Errors
/// Those of [`passkey::complete`]; `SignInOver` of `passkey` where nothing waits any more.
pub async fn by_second_passkey(ctx: &Ctx, id: &str, answer: &str) -> Result<String> {
    let waiting = Waiting::of(ctx, "passkey").await?;
    let (guarded, hash) = (waiting.guarded(ctx).await?, waiting.hash(ctx));
    let subject = guarded.subject().to_owned();
    let shown = passkey::complete(ctx, (&waiting.customer, &hash), guarded.clone(), (id, answer)).await?;
    match complete(ctx, &waiting, By::Passkey(Box::new(shown)), guarded).await? {
        Some(_) => Ok(waiting.customer),
        None => Err(passkey::refused(ctx, &subject, &"it was removed meanwhile")),
    }
}

/// Signs in, once what was shown is accepted; none where it is not.
async fn complete(ctx: &Ctx, waiting: &Waiting, second: By, guarded: Guarded) -> Result<Option<Shown>> {
    // With a passkey the device made sure of its owner, as with a sign-in by passkey alone.
    let proved = waiting.by_code || matches!(second, By::Passkey(_));
    let session = NewSession::new(ctx, proved)?;
    let (app, guest, open, now) = (ctx.app.clone(), ctx.guest.clone(), session.clone(), ctx.now);
    let (before, browser, of) = (replaced(ctx), Browser::of(ctx)?, waiting.clone());
    let shown = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, guest, session) = (app.clone(), guest.clone(), open.clone());
            let (waiting, second, guarded) = (of.clone(), second.clone(), guarded.clone());
            let (before, browser) = (before.clone(), browser.clone());
            Box::pin(async move {
                let (owner, customer) = (waiting.owner(), &waiting.customer);
                let turn = pending::take_turn(tx, &app, &waiting.token, now).await?;
                if turn.is_none_or(|pending| pending.owner != owner) {
                    return Err(Error::field(second.field(), Problem::SignInOver));
                }
                let shown = match &second {
                    By::Typed(typed) => second_factor::accept(tx, &app, &owner, typed, now).await?,
                    // Waits for whoever is removing it.
                    By::Passkey(passkey) => passkey.note(tx, &app.keys, now).await?.then_some(Shown::Passkey),
                };
                let Some(shown) = shown else { return Ok(None) };
                pending::end(tx, &app, &waiting.token).await?;
                attempt::succeeded(tx, &guarded).await?;
                if waiting.by_code {
                    // Without which there would be no such sign-in.
                    consent::agree(tx, customer, now).await?;
                }
                if let Shown::Recovery(left) = shown {
                    browser.note_recovery(tx, &app, customer, left, now).await?;
                }
                let seat = (&session, before.as_deref(), &browser);
                let by = second_factor::by(waiting.by_code, Some(shown));
                enter(tx, &app, seat, guest.as_deref(), customer, by, now).await?;
                second_factor::record(tx, &app, &owner, shown, now).await?;
                Ok(Some(shown))
            })
        })
        .await?;
    if shown.is_some() {
        http::set_cookie(&ctx.app, http::PENDING_COOKIE, "", 0);
        entered_as(ctx, &session, waiting.customer.clone());
    }
    Ok(shown)
}
