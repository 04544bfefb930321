//! The second factor of customers and of staff: codes of an authenticator app, and recovery codes.
//!
//! What is here knows nothing of requests: [`mine`] asks for it on behalf of customers, [`office`] for staff, and each
//! shows before who asks. A code is accepted once, by a condition on the newest time step that was (RFC 6238 §5.2); who
//! guesses has to wait, see [`attempt`](super::attempt) (OWASP ASVS 5 §6.5 and §6.6).

pub mod mine;
pub mod office;
pub mod totp;

use super::attempt;
use crate::{
    args,
    domain::{
        Error, Result,
        error::Problem,
        second_factor::{On, RECOVERY_CODES, RECOVERY_DIGITS, SET_UP_MS, SHOWN_MS, SecondFactor, Typed, grouped},
    },
    server::{
        App,
        audit::{self, Action, Entry},
        context::{internal, unreadable},
        crypto::{self, Keys},
        db::{Db, Row, Tx},
    },
};

/// Whose second factor it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A customer's id.
    Customer(String),
    /// Id and login of a member of staff.
    Staff { id: String, login: String },
}

impl Owner {
    /// The key of its row.
    pub fn key(&self) -> String {
        match self {
            Self::Customer(id) => format!("customer:{id}"),
            Self::Staff { id, .. } => format!("staff:{id}"),
        }
    }

    /// How the record names this person.
    fn actor(&self) -> String {
        match self {
            Self::Customer(id) => format!("customer:{id}"),
            Self::Staff { login, .. } => format!("staff:{login}"),
        }
    }

    /// Under which failed tries are counted.
    pub fn guarded(&self) -> String {
        format!("second:{}", self.key())
    }

    fn entry(&self, action: Action, detail: String) -> Entry {
        Entry { actor: self.actor(), action, subject: self.actor(), detail }
    }

    const fn ids(&self) -> (Option<&String>, Option<&String>) {
        match self {
            Self::Customer(id) => (Some(id), None),
            Self::Staff { id, .. } => (None, Some(id)),
        }
    }
}

/// Whether a sign-in of this person has to show it.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_on(tx: &mut Tx<'_>, owner: &Owner) -> Result<bool> {
    let sql = "select owner from second_factor where owner = $1 and confirmed_at is not null";
    Ok(tx.optional(sql, args![owner.key()]).await?.is_some())
}

/// The same outside of a transaction.
///
/// # Errors
/// When the database cannot be read.
pub async fn known(db: &Db, owner: &Owner) -> Result<bool> {
    let sql = "select owner from second_factor where owner = $1 and confirmed_at is not null";
    Ok(db.optional(sql, args![owner.key()]).await?.is_some())
}

/// Where it stands, as the session `shown_to` may see it. `issuer` and `name` are what an app calls the shop and the
/// person.
///
/// # Errors
/// When it cannot be read or opened.
async fn state(
    app: &App,
    owner: &Owner,
    shown_to: &str,
    (issuer, name): (&str, &str),
    now: i64,
) -> Result<SecondFactor> {
    let Some(row) = read(&app.db, owner).await? else { return Ok(SecondFactor::Off) };
    let shown = row.get::<String>("shown_to")? == shown_to && row.get::<i64>("shown_until")? > now;
    let Some(since) = row.get::<Option<i64>>("confirmed_at")? else {
        return match shown {
            true => Ok(SecondFactor::SettingUp(totp::set_up(&secret(&app.keys, owner, &row)?, issuer, name)?)),
            false => Ok(SecondFactor::Off),
        };
    };
    let codes = match row.get::<Option<Vec<u8>>>("codes_sealed")? {
        Some(sealed) if shown => {
            let plain = app.keys.open(&sealed, &codes_place(owner)).map_err(|e| internal("crypto", &e))?;
            serde_json::from_slice(&plain).map_err(|e| unreadable("recovery codes", &e))?
        }
        _ => Vec::new(),
    };
    Ok(SecondFactor::On(On { since, left: row.get("codes_left")?, codes }))
}

async fn read(db: &Db, owner: &Owner) -> Result<Option<Row>> {
    let sql = "select secret_sealed, confirmed_at, codes_sealed, shown_to, shown_until,
            (select count(*) from recovery_code r where r.owner = f.owner and r.used_at is null) as codes_left
        from second_factor f where f.owner = $1";
    Ok(db.optional(sql, args![owner.key()]).await?)
}

fn secret(keys: &Keys, owner: &Owner, row: &Row) -> Result<Vec<u8>> {
    let sealed: Vec<u8> = row.get("secret_sealed")?;
    keys.open(&sealed, &secret_place(owner)).map_err(|e| internal("crypto", &e))
}

fn secret_place(owner: &Owner) -> String {
    format!("second_factor.secret:{}", owner.key())
}

fn codes_place(owner: &Owner) -> String {
    format!("second_factor.codes:{}", owner.key())
}

/// Begins to set it up, or goes on with what this session began.
///
/// # Errors
/// [`Error::Conflict`] where it is on.
async fn begin(tx: &mut Tx<'_>, keys: &Keys, owner: &Owner, shown_to: &str, now: i64) -> Result<()> {
    let secret = totp::new_secret()?;
    let sealed = keys.seal(&secret, &secret_place(owner)).map_err(|e| internal("crypto", &e))?;
    let (customer, staff) = owner.ids();
    // Sent twice, the secret that an app may have by now stays.
    let sql = "insert into second_factor
            (owner, customer_id, staff_id, secret_sealed, last_step, shown_to, shown_until)
        values ($1, $2, $3, $4, 0, $5, $6)
        on conflict (owner) do update set
            secret_sealed = case when second_factor.shown_to = excluded.shown_to and second_factor.shown_until > $7
                then second_factor.secret_sealed else excluded.secret_sealed end,
            shown_to = excluded.shown_to, shown_until = excluded.shown_until
        where second_factor.confirmed_at is null";
    let args = args![owner.key(), customer.cloned(), staff.cloned(), sealed, shown_to, now + SET_UP_MS, now];
    match tx.exec(sql, args).await? {
        0 => Err(Error::Conflict),
        _ => Ok(()),
    }
}

/// Turns it on with a code of the app, and makes the recovery codes, which the session `next` may see for a while.
///
/// # Errors
/// `SecondFactor` of `code` for a wrong one; [`Error::Conflict`] where it is on, or is not being set up by this session.
async fn confirm(
    tx: &mut Tx<'_>,
    app: &App,
    owner: &Owner,
    typed: &Typed,
    (shown_to, next): (&str, &str),
    now: i64,
) -> Result<()> {
    let wrong = || Error::field("code", Problem::SecondFactor);
    let Typed::Code(code) = typed else { return Err(wrong()) };
    // Waits for whoever else does something about it.
    let sql = "update second_factor set last_step = last_step
        where owner = $1 and confirmed_at is null and shown_to = $2 and shown_until > $3 returning secret_sealed";
    let row = tx.optional(sql, args![owner.key(), shown_to, now]).await?.ok_or(Error::Conflict)?;
    let step = totp::accepted(&secret(&app.keys, owner, &row)?, code, 0, now)?.ok_or_else(wrong)?;
    let sql = "update second_factor set confirmed_at = $2, last_step = $3 where owner = $1";
    tx.exec(sql, args![owner.key(), now, step]).await?;
    make_codes(tx, &app.keys, owner, next, now).await?;
    audit::record(tx, &app.keys, &owner.entry(Action::SecondFactorOn, String::new()), now).await
}

/// Makes new recovery codes in place of those before.
///
/// # Errors
/// [`Error::Conflict`] where it is off.
async fn renew(tx: &mut Tx<'_>, app: &App, owner: &Owner, shown_to: &str, now: i64) -> Result<()> {
    make_codes(tx, &app.keys, owner, shown_to, now).await?;
    audit::record(tx, &app.keys, &owner.entry(Action::RecoveryCodesRenewed, String::new()), now).await
}

async fn make_codes(tx: &mut Tx<'_>, keys: &Keys, owner: &Owner, shown_to: &str, now: i64) -> Result<()> {
    tx.exec("delete from recovery_code where owner = $1", args![owner.key()]).await?;
    let codes = (0..RECOVERY_CODES).map(|_| draw()).collect::<Result<Vec<_>>>()?;
    for code in &codes {
        let sql = "insert into recovery_code (owner, code_hash) values ($1, $2)";
        tx.exec(sql, args![owner.key(), code_hash(keys, owner, code)]).await?;
    }
    let shown: Vec<_> = codes.iter().map(|code| grouped(code, "-")).collect();
    let plain = serde_json::to_vec(&shown).map_err(|e| internal("recovery codes", &e))?;
    let sealed = keys.seal(&plain, &codes_place(owner)).map_err(|e| internal("crypto", &e))?;
    let sql = "update second_factor set codes_sealed = $2, shown_to = $3, shown_until = $4
        where owner = $1 and confirmed_at is not null";
    match tx.exec(sql, args![owner.key(), sealed, shown_to, now + SHOWN_MS]).await? {
        0 => Err(Error::Conflict),
        _ => Ok(()),
    }
}

/// Shows the new recovery codes no more.
async fn keep(tx: &mut Tx<'_>, owner: &Owner) -> Result<()> {
    let sql = "update second_factor set codes_sealed = null, shown_until = 0
        where owner = $1 and confirmed_at is not null";
    tx.exec(sql, args![owner.key()]).await?;
    Ok(())
}

/// Removes it, with all that waits for it; false where there is none.
async fn remove(tx: &mut Tx<'_>, keys: &Keys, owner: &Owner) -> Result<bool> {
    let (customer, staff) = owner.ids();
    let sql = "delete from pending_sign_in where customer_id = $1 or staff_id = $2";
    tx.exec(sql, args![customer.cloned(), staff.cloned()]).await?;
    attempt::replaced(tx, keys, &owner.guarded()).await?;
    Ok(tx.exec("delete from second_factor where owner = $1", args![owner.key()]).await? > 0)
}

/// By what somebody showed the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Code,
    /// How many recovery codes are left after this one.
    Recovery(i64),
    /// A passkey of the account, see [`complete`](super::passkey::complete).
    Passkey,
}

/// By what somebody signs in, as the record says it: with a code or a password first, and perhaps with a second factor.
pub const fn by(code: bool, second: Option<Shown>) -> &'static str {
    match (code, second) {
        (true, None) => "code",
        (true, Some(Shown::Code)) => "code and app",
        (true, Some(Shown::Recovery(_))) => "code and recovery code",
        (true, Some(Shown::Passkey)) => "code and passkey",
        (false, None) => "password",
        (false, Some(Shown::Code)) => "password and app",
        (false, Some(Shown::Recovery(_))) => "password and recovery code",
        (false, Some(Shown::Passkey)) => "password and passkey",
    }
}

/// Accepts what was typed, once; none where it is wrong, was used, or there is no second factor. What was done with it is
/// followed by [`record`].
///
/// # Errors
/// When the database cannot be written.
pub async fn accept(tx: &mut Tx<'_>, app: &App, owner: &Owner, typed: &Typed, now: i64) -> Result<Option<Shown>> {
    match typed {
        Typed::Code(code) => {
            let sql =
                "select secret_sealed, last_step from second_factor where owner = $1 and confirmed_at is not null";
            let Some(row) = tx.optional(sql, args![owner.key()]).await? else { return Ok(None) };
            let secret = secret(&app.keys, owner, &row)?;
            let Some(step) = totp::accepted(&secret, code, row.get("last_step")?, now)? else { return Ok(None) };
            // Two who typed it at the same time: the second finds it used.
            let sql = "update second_factor set last_step = $2 where owner = $1 and last_step < $2";
            let first = tx.exec(sql, args![owner.key(), step]).await? == 1;
            Ok(first.then_some(Shown::Code))
        }
        Typed::Recovery(code) => {
            let sql = "update recovery_code set used_at = $3
                where owner = $1 and code_hash = $2 and used_at is null
                and exists (select 1 from second_factor f where f.owner = $1 and f.confirmed_at is not null)";
            let hash = code_hash(&app.keys, owner, code);
            if tx.exec(sql, args![owner.key(), hash, now]).await? == 0 {
                return Ok(None);
            }
            let sql = "select count(*) as n from recovery_code where owner = $1 and used_at is null";
            let left: i64 = tx.one(sql, args![owner.key()]).await?.get("n")?;
            Ok(Some(Shown::Recovery(left)))
        }
    }
}

/// Removes what was shown for a while, whether or not anybody said that it was kept, and what was never confirmed.
///
/// # Errors
/// When the database cannot be written.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    let sql = "update second_factor set codes_sealed = null where codes_sealed is not null and shown_until <= $1";
    tx.exec(sql, args![now]).await?;
    tx.exec("delete from second_factor where confirmed_at is null and shown_until <= $1", args![now]).await?;
    Ok(())
}

/// Puts on record that a recovery code was used, if one was; last in a transaction, see [`audit::record`].
///
/// # Errors
/// When the database cannot be written.
pub async fn record(tx: &mut Tx<'_>, app: &App, owner: &Owner, shown: Shown, now: i64) -> Result<()> {
    let Shown::Recovery(left) = shown else { return Ok(()) };
    audit::record(tx, &app.keys, &owner.entry(Action::RecoveryCodeUsed, format!("{left} left")), now).await
}

fn code_hash(keys: &Keys, owner: &Owner, code: &str) -> String {
    keys.lookup("recovery code", &format!("{}:{code}", owner.key()))
}

/// A recovery code drawn evenly: a byte that would make the first digits likelier is passed over.
fn draw() -> Result<String> {
    let mut code = String::new();
    while code.len() < RECOVERY_DIGITS {
        let random = crypto::random::<RECOVERY_DIGITS>().map_err(|e| internal("random source", &e))?;
        let even = random.iter().filter(|byte| **byte < 250).map(|byte| char::from(b'0' + byte % 10));
        code.extend(even.take(RECOVERY_DIGITS - code.len()));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_read_back_and_differ() {
        let drawn: Vec<_> = (0..200).filter_map(|_| draw().ok()).collect();
        assert_eq!(drawn.iter().collect::<std::collections::HashSet<_>>().len(), 200);
        for code in drawn {
            let shown = grouped(&code, "-");
            assert_eq!(shown.len(), 24, "{shown}");
            assert!(Typed::read(&shown) == Ok(Typed::Recovery(code)), "{shown}");
        }
    }

    #[test]
    fn what_one_owner_has_is_nothing_to_another() {
        let keys = Keys::new(&[7; 32]);
        let (li, han) = (Owner::Customer("1".into()), Owner::Staff { id: "1".into(), login: "han".into() });
        assert_ne!(code_hash(&keys, &li, "x"), code_hash(&keys, &han, "x"));
        assert_ne!(secret_place(&li), secret_place(&han));
        assert_eq!((li.actor(), han.actor()), ("customer:1".into(), "staff:han".into()));
    }
}
