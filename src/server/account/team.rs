//! Who works in the office: seen, signed out and removed by whoever may, and by the operator of the machine.

use super::{attempt, code, second_factor::Owner, staff};
use crate::{
    args,
    domain::{
        Error, Result,
        account::Target,
        office::{Colleague, Staff},
        permission::{Permission, Role},
    },
    server::{
        App, Ctx,
        audit::{self, Action, Entry},
        context::{internal, now},
        db::{Row, Tx},
    },
};

/// How many are listed: more than work in a shop of one office.
const LISTED: i64 = 500;

/// Everybody who works here, by login.
///
/// # Errors
/// [`Error::Unauthenticated`] for anyone but staff, [`Error::Forbidden`] without the permission.
pub async fn list(ctx: &Ctx) -> Result<Vec<Colleague>> {
    let asking = ctx.require(Permission::ManageStaff)?;
    let sql = "select s.login, s.role, s.signed_in_at,
            (select f.owner from second_factor f where f.staff_id = s.id and f.confirmed_at is not null) is not null as has_second,
            (select count(*) from staff_session t where t.staff_id = s.id and t.expires_at > $1 and t.seen_at > $2) as sessions
        from staff s order by s.login limit $3";
    let rows = ctx.app.db.all(sql, args![ctx.now, ctx.now - staff::IDLE_MS, LISTED]).await?;
    let read = |row: &Row| -> Result<Colleague> {
        let (login, role): (String, String) = (row.get("login")?, row.get("role")?);
        Ok(Colleague {
            own: login == asking.login,
            role: Role::from_name(&role).ok_or_else(|| internal("database", &"an unknown role"))?,
            signed_in_at: row.get("signed_in_at")?,
            second_factor: row.get("has_second")?,
            sessions: row.get("sessions")?,
            login,
        })
    };
    rows.iter().map(read).collect()
}

/// Removes somebody else from the office: all sessions end. What the record says of the person stays.
///
/// # Errors
/// [`Error::Forbidden`] without the permission, and for oneself; [`Error::NotFound`] for an unknown login.
pub async fn remove(ctx: &Ctx, login: &str) -> Result<()> {
    remove_as(&ctx.app, login, asking(ctx, login)?, ctx.now).await
}

/// Ends all sessions of somebody else, also those that wait for the second factor.
///
/// # Errors
/// As [`remove`].
pub async fn end_sessions(ctx: &Ctx, login: &str) -> Result<()> {
    end_as(&ctx.app, login, asking(ctx, login)?, ctx.now).await
}

/// Who asks; about nobody but others.
fn asking(ctx: &Ctx, login: &str) -> Result<By> {
    let staff = ctx.require(Permission::ManageStaff)?;
    if staff.login == named(login) { Err(Error::Forbidden) } else { Ok(By::Staff(staff.clone())) }
}

/// Who has somebody removed or signed out.
#[derive(Clone)]
enum By {
    Operator,
    Staff(Staff),
}

impl By {
    /// How the record names them.
    fn actor(&self) -> String {
        match self {
            Self::Operator => operator(),
            Self::Staff(staff) => staff.actor(),
        }
    }

    /// Makes sure that they still may: of two who remove each other at the same time one stays.
    async fn take_turn(&self, tx: &mut Tx<'_>) -> Result<()> {
        let Self::Staff(staff) = self else { return Ok(()) };
        let sql = "update staff set login = login where login = $1 returning role";
        let row = tx.optional(sql, args![&staff.login]).await?.ok_or(Error::Unauthenticated)?;
        match Role::from_name(&row.get::<String>("role")?) {
            Some(role) if role.may(Permission::ManageStaff) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }
}

/// The same as [`remove`], for the operator.
///
/// # Errors
/// [`Error::NotFound`] for an unknown login.
pub async fn remove_by_operator(app: &App, login: &str) -> Result<()> {
    remove_as(app, login, By::Operator, now()).await
}

/// The same as [`end_sessions`], for the operator.
///
/// # Errors
/// [`Error::NotFound`] for an unknown login.
pub async fn end_by_operator(app: &App, login: &str) -> Result<()> {
    end_as(app, login, By::Operator, now()).await
}

/// Ends all sessions of a customer, for the operator.
///
/// # Errors
/// [`Error::Invalid`] for what is neither phone nor e-mail, [`Error::NotFound`] where no account has it.
pub async fn end_of_customer(app: &App, typed: &str) -> Result<()> {
    let target = Target::read("+86", typed).map_err(|problem| Error::field("target", problem))?;
    let (shop, hash, now) = (app.clone(), code::hash_of(&app.keys, &target), now());
    app.db
        .write::<_, Error>(move |tx| {
            let (app, hash) = (shop.clone(), hash.clone());
            Box::pin(async move {
                let sql = "select customer_id from account_target where target_hash = $1";
                let customer: String = tx.one(sql, args![hash]).await?.get("customer_id")?;
                let ended = tx.exec("delete from session where customer_id = $1", args![&customer]).await?;
                tx.exec("delete from pending_sign_in where customer_id = $1", args![&customer]).await?;
                record(tx, &app, (operator(), format!("customer:{customer}")), ended, now).await
            })
        })
        .await
}

/// Ends all sessions there are, of customers and of staff, for the operator.
///
/// # Errors
/// When the database cannot be written.
pub async fn end_all(app: &App) -> Result<()> {
    let (shop, now) = (app.clone(), now());
    app.db
        .write::<_, Error>(move |tx| {
            let app = shop.clone();
            Box::pin(async move {
                let mut ended = 0;
                for sql in ["delete from session", "delete from staff_session"] {
                    ended += tx.exec(sql, args![]).await?;
                }
                tx.exec("delete from pending_sign_in", args![]).await?;
                record(tx, &app, (operator(), "everybody".to_owned()), ended, now).await
            })
        })
        .await
}

async fn remove_as(app: &App, login: &str, by: By, now: i64) -> Result<()> {
    let (shop, login) = (app.clone(), named(login));
    app.db
        .write::<_, Error>(move |tx| {
            let (app, login, by) = (shop.clone(), login.clone(), by.clone());
            Box::pin(async move {
                by.take_turn(tx).await?;
                // Sessions, second factor and what waits for it go with the row.
                let row = tx.one("delete from staff where login = $1 returning id, role", args![&login]).await?;
                let owner = Owner::Staff { id: row.get("id")?, login: login.clone() };
                for guarded in [staff::guarded(&login), owner.guarded()] {
                    attempt::replaced(tx, &app.keys, &guarded).await?;
                }
                let entry = Entry { actor: by.actor(), ..staff::entry(&login, Action::StaffRemoved, row.get("role")?) };
                audit::record(tx, &app.keys, &entry, now).await
            })
        })
        .await
}

async fn end_as(app: &App, login: &str, by: By, now: i64) -> Result<()> {
    let (shop, login) = (app.clone(), named(login));
    app.db
        .write::<_, Error>(move |tx| {
            let (app, login, by) = (shop.clone(), login.clone(), by.clone());
            Box::pin(async move {
                by.take_turn(tx).await?;
                let id: String = tx.one("select id from staff where login = $1", args![&login]).await?.get("id")?;
                let ended = tx.exec("delete from staff_session where staff_id = $1", args![&id]).await?;
                tx.exec("delete from pending_sign_in where staff_id = $1", args![id]).await?;
                record(tx, &app, (by.actor(), format!("staff:{login}")), ended, now).await
            })
        })
        .await
}

async fn record(tx: &mut Tx<'_>, app: &App, (actor, subject): (String, String), ended: u64, now: i64) -> Result<()> {
    let entry = Entry { actor, action: Action::SessionsEnded, subject, detail: format!("{ended} ended") };
    audit::record(tx, &app.keys, &entry, now).await
}

fn operator() -> String {
    "operator".to_owned()
}

/// A login as it is stored.
fn named(login: &str) -> String {
    login.trim().to_lowercase()
}
