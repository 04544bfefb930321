//! What people may ask of this shop about their own data: a copy of it, its erasure, and whom it was handed to. Here the
//! rooms meet that know it.

mod collect;
mod copy;
mod deletion;
mod files;
mod store;
mod zip;

pub use collect::COVERED;
pub use copy::{Download, ask, discard, download};
pub use deletion::{ask as ask_deletion, is_asked, take_back};

use super::{App, Ctx, account::proof, config::Config};
use crate::domain::{
    Result,
    privacy::{Overview, Proof, Receiver},
};

/// What the page of one's own data shows.
///
/// # Errors
/// [`Unauthenticated`](crate::domain::Error::Unauthenticated) when nobody is signed in.
pub async fn overview(ctx: &Ctx) -> Result<Overview> {
    let session = ctx.session()?;
    let proof = match session.proved(ctx.now) {
        true => Proof::Given,
        false if proof::password_hash(&ctx.app.db, &session.customer_id).await?.is_some() => Proof::Password,
        false => Proof::Code,
    };
    Ok(Overview {
        copy: store::newest_copy(&ctx.app.db, &session.customer_id, ctx.now).await?,
        deletion: store::deletion(&ctx.app.db, &session.customer_id).await?,
        proof,
        fresh: session.fresh(ctx.now),
    })
}

/// Who receives personal data from a shop with these settings.
pub fn receivers(config: &Config) -> Vec<Receiver> {
    let used = |receiver: &Receiver| match receiver {
        Receiver::Carrier | Receiver::Payment => true,
        Receiver::Mail => config.mail.is_some(),
        Receiver::Sms => config.sms.is_some(),
    };
    Receiver::ALL.into_iter().filter(used).collect()
}

/// Makes copies that were asked for, removes those that are over, and erases accounts whose time has come. Answers with
/// how much was done.
///
/// # Errors
/// When the database cannot be reached. A copy or an erasure that fails does not keep the others from their turn.
pub async fn run_due(app: &App, now: i64) -> Result<usize> {
    copy::expire(app, now).await?;
    Ok(copy::make_due(app, now).await? + deletion::erase_due(app, now).await?)
}
