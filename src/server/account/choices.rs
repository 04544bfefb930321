//! Which messages an account wants, and what it lets the shop do with what it knows.

use super::{consent, profile};
use crate::{
    args,
    domain::{
        Error, Result,
        choice::{Channel, Choices, Purpose, Topic},
    },
    server::{Ctx, db::Tx},
};

/// What the account chose; what it never chose follows the rule.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn get(ctx: &Ctx) -> Result<Choices> {
    let customer = ctx.session()?.customer_id.clone();
    let targets = profile::targets(ctx, &customer).await?;
    let reached = Channel::ALL.into_iter().filter(|way| targets.iter().any(|target| target.kind() == way.name()));
    let choices = ctx
        .app
        .db
        .read::<_, Error>(move |tx| {
            let customer = customer.clone();
            Box::pin(async move { load(tx, &customer).await })
        })
        .await?;
    Ok(Choices { reached: reached.collect(), ..choices })
}

/// Sets all of it, at once for everything that is done from now on.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub async fn set(ctx: &Ctx, choices: Choices) -> Result<()> {
    let (customer, now) = (ctx.session()?.customer_id.clone(), ctx.now);
    ctx.app
        .db
        .write::<_, Error>(move |tx| {
            let (customer, choices) = (customer.clone(), choices.clone());
            Box::pin(async move {
                consent::choose(tx, &customer, Purpose::Marketing, choices.marketing(), now).await?;
                consent::choose(tx, &customer, Purpose::Recommendation, choices.recommendation, now).await?;
                for (topic, channel) in all() {
                    let sql = "insert into notification_choice (customer_id, topic, channel, wanted, changed_at)
                        values ($1, $2, $3, $4, $5)
                        on conflict (customer_id, topic, channel) do update
                        set wanted = excluded.wanted, changed_at = excluded.changed_at
                        where notification_choice.wanted <> excluded.wanted";
                    let wanted = choices.wanted.contains(&(topic, channel));
                    tx.exec(sql, args![&customer, topic.name(), channel.name(), wanted, now]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Whether a message may be sent to a customer this way: who makes it asks in the same transaction.
///
/// # Errors
/// When the database cannot be read.
pub async fn wants(tx: &mut Tx<'_>, customer: &str, topic: Topic, channel: Channel) -> Result<bool> {
    Ok(load(tx, customer).await?.wanted.contains(&(topic, channel)))
}

async fn load(tx: &mut Tx<'_>, customer: &str) -> Result<Choices> {
    let mut choices = Choices::by_default();
    let sql = "select topic, channel, wanted from notification_choice where customer_id = $1";
    for row in tx.all(sql, args![customer]).await? {
        let (topic, channel): (String, String) = (row.get("topic")?, row.get("channel")?);
        let Some(known) = all().find(|(t, c)| (t.name(), c.name()) == (topic.as_str(), channel.as_str())) else {
            continue;
        };
        if row.get("wanted")? {
            choices.wanted.insert(known);
        } else {
            choices.wanted.remove(&known);
        }
    }
    if !consent::holds(tx, customer, Purpose::Marketing).await? {
        choices.wanted.retain(|(topic, _)| *topic != Topic::Marketing);
    }
    choices.recommendation = consent::holds(tx, customer, Purpose::Recommendation).await?;
    Ok(choices)
}

fn all() -> impl Iterator<Item = (Topic, Channel)> {
    Topic::ALL.into_iter().flat_map(|topic| Channel::ALL.map(|channel| (topic, channel)))
}
