//! The record of what must not be denied: sign-ins, passwords, permissions, looks at personal data, refunds, prices and
//! stock. It is written in the transaction that does the thing, and each row is sealed over the one before it.
//!
//! Whoever can write the database but has no key can neither change a row, nor add one, nor take one out; the newest row
//! is sealed apart in the settings, so that none is cut off at the end either.

use super::{
    App,
    crypto::Keys,
    db::{DbError, Tx},
};
use crate::{args, domain::Result};

/// The setting that holds the number and seal of the newest row, sealed itself.
const HEAD: &str = "audit_head";
/// How many rows are read at once.
const BATCH: i64 = 1000;

/// What was done. The names are kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SignedIn,
    SignInRefused,
    PasswordSet,
    PasskeyAdded,
    PasskeyRemoved,
    TargetSet,
    TargetRemoved,
    StaffSet,
    StaffRemoved,
    SessionsEnded,
    RecipientSeen,
    OrderCancelled,
    RefundRequested,
    PriceSet,
    StockAdjusted,
    Imported,
    KeyRotated,
    DataExported,
    DataDownloaded,
    DeletionAsked,
    DeletionTakenBack,
    AccountErased,
    SecondFactorOn,
    SecondFactorOff,
    SecondFactorReset,
    RecoveryCodeUsed,
    RecoveryCodesRenewed,
    BookingCancelled,
    BookingMoved,
    BookingMarked,
    ReviewAnswered,
    ReviewHidden,
    ReviewShown,
    Restored,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::PasswordSet => "password_set",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::TargetSet => "target_set",
            Self::TargetRemoved => "target_removed",
            Self::StaffSet => "staff_set",
            Self::StaffRemoved => "staff_removed",
            Self::SessionsEnded => "sessions_ended",
            Self::RecipientSeen => "recipient_seen",
            Self::OrderCancelled => "order_cancelled",
            Self::RefundRequested => "refund_requested",
            Self::PriceSet => "price_set",
            Self::StockAdjusted => "stock_adjusted",
            Self::Imported => "imported",
            Self::KeyRotated => "key_rotated",
            Self::DataExported => "data_exported",
            Self::DataDownloaded => "data_downloaded",
            Self::DeletionAsked => "deletion_asked",
            Self::DeletionTakenBack => "deletion_taken_back",
            Self::AccountErased => "account_erased",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::SecondFactorReset => "second_factor_reset",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::BookingCancelled => "booking_cancelled",
            Self::BookingMoved => "booking_moved",
            Self::BookingMarked => "booking_marked",
            Self::ReviewAnswered => "review_answered",
            Self::ReviewHidden => "review_hidden",
            Self::ReviewShown => "review_shown",
            Self::Restored => "restored",
        }
    }
}

/// A row to be written. Nothing in it is personal: people are named by id or staff login.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who did it: `staff:lin`, `customer:<id>`, `provider`, `clock`; `operator` for a command on the shop's machine.
    pub actor: String,
    pub action: Action,
    /// What it was done to: `order:<number>`, `variant:<id>`.
    pub subject: String,
    /// What else belongs to it, such as the old and the new price.
    pub detail: String,
}

/// Adds a row. Whoever adds another at the same time waits until this transaction ends, so it comes last in one.
///
/// # Errors
/// When the database cannot be written.
pub async fn record(tx: &mut Tx<'_>, keys: &Keys, entry: &Entry, now: i64) -> Result<()> {
    Ok(record_all(tx, keys, std::slice::from_ref(entry), now).await?)
}

/// Adds several rows, as [`record`] does one.
///
/// # Errors
/// When the database cannot be written.
pub async fn record_all(tx: &mut Tx<'_>, keys: &Keys, entries: &[Entry], now: i64) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = "insert into setting (key, value) values ($1, '') on conflict (key) do update set key = excluded.key returning value";
    let head: String = tx.one(sql, args![HEAD]).await?.get("value")?;
    // A head that was changed is kept as it is said to be: `verify` finds it.
    let (mut sequence, mut before) = read_head(&head).unwrap_or_default();
    for entry in entries {
        let row = Row {
            sequence: sequence + 1,
            at: now,
            actor: entry.actor.clone(),
            action: entry.action.name().to_owned(),
            subject: entry.subject.clone(),
            detail: entry.detail.clone(),
        };
        let seal = row.seal(keys, &before);
        let sql = "insert into audit (sequence, at, actor, action, subject, detail, seal)
            values ($1, $2, $3, $4, $5, $6, $7)";
        let args = args![row.sequence, row.at, &row.actor, &row.action, &row.subject, &row.detail, &seal];
        tx.exec(sql, args).await?;
        (sequence, before) = (row.sequence, seal);
    }
    tx.exec("update setting set value = $2 where key = $1", args![HEAD, write_head(keys, sequence, &before)]).await?;
    Ok(())
}

/// What an examination of the record found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// So many rows, each in its place.
    Whole(i64),
    /// The first row that is not what was written, or where one is missing.
    Broken(i64),
}

/// Examines the whole record.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(app: &App) -> Result<Finding> {
    // In one statement: rows that are written meanwhile are not examined.
    let sql = "select coalesce((select value from setting where key = $1), '') as head,
        coalesce((select max(sequence) from audit), 0) as last";
    let row = app.db.one(sql, args![HEAD]).await?;
    let (head, last): (String, i64) = (row.get("head")?, row.get("last")?);
    let (mut sequence, mut before) = (0, String::new());
    loop {
        let sql = "select sequence, at, actor, action, subject, detail, seal from audit
            where sequence > $1 and sequence <= $2 order by sequence limit $3";
        let rows = app.db.all(sql, args![sequence, last, BATCH]).await?;
        for stored in &rows {
            let row = Row {
                sequence: stored.get("sequence")?,
                at: stored.get("at")?,
                actor: stored.get("actor")?,
                action: stored.get("action")?,
                subject: stored.get("subject")?,
                detail: stored.get("detail")?,
            };
            let seal = row.seal(&app.keys, &before);
            if row.sequence != sequence + 1 || seal != stored.get::<String>("seal")? {
                return Ok(Finding::Broken(sequence + 1));
            }
            (sequence, before) = (row.sequence, seal);
        }
        if rows.is_empty() {
            break;
        }
    }
    let whole = if sequence == 0 { head.is_empty() } else { head == write_head(&app.keys, sequence, &before) };
    Ok(if whole { Finding::Whole(sequence) } else { Finding::Broken(sequence + 1) })
}

struct Row {
    sequence: i64,
    at: i64,
    actor: String,
    action: String,
    subject: String,
    detail: String,
}

impl Row {
    fn seal(&self, keys: &Keys, before: &str) -> String {
        let Self { sequence, at, actor, action, subject, detail } = self;
        // With its length before each part, so that no two rows read the same.
        let parts = [before, &sequence.to_string(), &at.to_string(), actor, action, subject, detail];
        keys.lookup("audit", &parts.map(|part| format!("{}:{part}", part.len())).concat())
    }
}

fn write_head(keys: &Keys, sequence: i64, seal: &str) -> String {
    let text = format!("{sequence} {seal}");
    format!("{text} {}", keys.lookup("audit head", &text))
}

fn read_head(head: &str) -> Option<(i64, String)> {
    let mut parts = head.split(' ');
    Some((parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}
