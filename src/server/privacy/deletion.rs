//! The erasure of an account: asked for, taken back within a week, and after it carried out by a job.

use super::store;
use crate::{
    domain::{
        Error, Result,
        live::Topic,
        privacy::{DAY_MS, WAY_BACK_MS},
    },
    server::{
        App, Ctx,
        account::{attempt, proof},
        audit::{self, Action, Entry},
        message::What,
        order, risk,
    },
};

/// How many orders lose their recipient in one transaction.
const ORDERS: i64 = 50;

/// Lets the account be erased in a week: unpaid orders are cancelled and all sessions end. The owner is told. Asking
/// twice is once.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in; [`Error::Invalid`] for a wrong password, or `Proof` where
/// there is none and no code was given just now; [`Error::OrdersUnderWay`] while something is paid and not shipped.
pub async fn ask(ctx: &Ctx, typed: String) -> Result<()> {
    let session = ctx.session()?.clone();
    let proved = proof::prove(ctx, &session, typed).await?;
    let (app, now, locale) = (ctx.app.clone(), ctx.now, ctx.locale);
    let (customer, session) = (session.customer_id, session.id);
    let (until, page) = (now + WAY_BACK_MS, format!("{}/me/privacy", app.config.public_url));
    let news = What::DeletionAsked { device: ctx.asker.device.clone(), until, page };
    let cancelled = ctx
        .app
        .db
        .write::<_, Error>(move |tx| {
            let (app, customer, proved) = (app.clone(), customer.clone(), proved.clone());
            let (session, news) = (session.clone(), news.clone());
            Box::pin(async move {
                if let Some(guarded) = proved {
                    attempt::succeeded(tx, &guarded).await?;
                }
                // Orders before accounts, as a sign-in with a guest's orders does.
                let cancelled = order::cancel_unpaid(tx, &app, &customer, now).await?;
                store::lock(tx, &customer).await?;
                let new = store::ask_deletion(tx, &customer, now, until).await?;
                // Not by a session that its owner ended meanwhile; asking twice is once.
                if new && !store::is_open(tx, &session).await? {
                    return Err(Error::Unauthenticated);
                }
                store::end_sessions(tx, &customer).await?;
                if new {
                    risk::tell(tx, &app, &customer, news, locale, now).await?;
                    audit::record(tx, &app.keys, &entry(&customer, Action::DeletionAsked), now).await?;
                }
                Ok(cancelled)
            })
        })
        .await?;
    for changed in &cancelled {
        order::announce(&ctx.app, changed);
    }
    ctx.app.wake.notify_waiters();
    crate::server::account::session::forget(ctx);
    tracing::info!("an account is to be erased");
    Ok(())
}

/// Keeps the account after all.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Conflict`] when it is too late.
pub async fn take_back(ctx: &Ctx) -> Result<()> {
    let customer = ctx.session()?.customer_id.clone();
    if store::deletion(&ctx.app.db, &customer).await?.is_none() {
        // Done before.
        return Ok(());
    }
    let (app, now) = (ctx.app.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (app, customer) = (app.clone(), customer.clone());
            Box::pin(async move {
                if !store::take_back(tx, &customer, now).await? {
                    return Err(Error::Conflict);
                }
                audit::record(tx, &app.keys, &entry(&customer, Action::DeletionTakenBack), now).await
            })
        })
        .await
}

/// Whether an account is to be erased.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_asked(app: &App, customer: &str) -> Result<bool> {
    Ok(store::deletion(&app.db, customer).await?.is_some())
}

/// Erases the accounts whose time has come; answers with how many. One of which something is still under way waits for
/// another day.
pub(super) async fn erase_due(app: &App, now: i64) -> Result<usize> {
    let mut erased = 0;
    for customer in store::due_deletions(&app.db, now).await? {
        match erase(app, &customer, now).await {
            Ok(true) => {
                tracing::info!("an account was erased");
                erased += 1;
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%customer, %error, "an account could not be erased"),
        }
    }
    Ok(erased)
}

/// Erases an account a part at a time, so that nobody waits long behind it; whoever comes after a crash goes on.
async fn erase(app: &App, customer: &str, now: i64) -> Result<bool> {
    loop {
        let (shop, customer) = (app.clone(), customer.to_owned());
        let step = app
            .db
            .write::<_, Error>(move |tx| {
                let (app, customer) = (shop.clone(), customer.clone());
                Box::pin(async move {
                    if !store::may_erase(tx, &customer, now).await? {
                        // With as much time to take it back.
                        store::postpone(tx, &customer, now, now + DAY_MS).await?;
                        return Ok(Step::Waits);
                    }
                    // No way in from here on: the account is as good as gone.
                    store::end_sessions(tx, &customer).await?;
                    let erased = order::erase_some(tx, &app.keys, &customer, ORDERS).await?;
                    if erased.orders > 0 {
                        return Ok(Step::More(erased.products));
                    }
                    store::erase(tx, &customer).await?;
                    audit::record(tx, &app.keys, &entry(&customer, Action::AccountErased), now).await?;
                    Ok(Step::Done)
                })
            })
            .await?;
        match step {
            // What they wrote must not be read on from memory.
            Step::More(products) => products.into_iter().for_each(|id| app.live.changed(Topic::Product(id))),
            Step::Done => return Ok(true),
            Step::Waits => return Ok(false),
        }
    }
}

enum Step {
    /// There are more orders; of these products reviews lost their words.
    More(Vec<String>),
    Done,
    Waits,
}

fn entry(customer: &str, action: Action) -> Entry {
    let actor = format!("customer:{customer}");
    Entry { subject: actor.clone(), actor, action, detail: String::new() }
}
