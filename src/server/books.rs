//! The books: whether everything that the tables say of stock, orders, money and bookings agrees, read in one state of the
//! data while the shop serves.
//!
//! Each [`Rule`] is a statement that finds what breaks it: a subject, the figure that was found, and the one it should be.
//! The history of every order is gone through by [`replay`]. Nothing is changed here.

mod rules;

use super::{
    context::unreadable,
    db::{Db, Tx, lists},
};
use crate::{
    args,
    domain::{
        Result,
        order::{EventKind, State, path::replay},
    },
};
use std::{collections::BTreeMap, fmt};

/// A thing that has to hold, and the statement that finds where it does not.
struct Rule {
    /// What holds, as a sentence.
    says: &'static str,
    /// Gives `subject` (text), `found` and `expected` (bigint).
    sql: &'static str,
}

/// So many orders are looked at together.
const ORDERS: i64 = 250;
/// So many problems of a rule are told.
const TOLD: usize = 50;

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What should hold.
    pub rule: &'static str,
    /// What it is about: the id of a variant, the number of an order.
    pub subject: String,
    pub found: i64,
    pub expected: i64,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, subject, found, expected } = self;
        write!(f, "{subject}: {found} where {expected} should be ({rule})")
    }
}

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Variants with stock that were looked at.
    pub stocks: i64,
    pub orders: i64,
    /// Claims that hold.
    pub claims: i64,
    /// Units of claims that are not counted in any capacity any more: nights that are long over.
    pub uncounted: i64,
    /// At most [`TOLD`] of each rule.
    pub problems: Vec<Problem>,
}

impl Report {
    pub fn balances(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Examines all books.
///
/// # Errors
/// When the database cannot be read.
pub async fn check(db: &Db) -> Result<Report> {
    db.read(|tx| {
        Box::pin(async move {
            let mut report = claims(tx).await?;
            for rule in rules::STOCK.iter().chain(&rules::MONEY).chain(&rules::BOOKED) {
                follow(tx, rule, &mut report).await?;
            }
            histories(tx, &mut report).await?;
            report.stocks = count(tx, "select count(*) as n from stock").await?;
            Ok(report)
        })
    })
    .await
}

/// Examines only whether claims, their cells and what is counted of each capacity agree.
///
/// # Errors
/// When the database cannot be read.
pub async fn check_claims(db: &Db) -> Result<Report> {
    db.read(|tx| Box::pin(async move { claims(tx).await })).await
}

async fn claims(tx: &mut Tx<'_>) -> Result<Report> {
    let mut report = Report::default();
    for rule in &rules::CLAIMS {
        follow(tx, rule, &mut report).await?;
    }
    report.claims = count(tx, "select count(*) as n from claim where state <> 'released'").await?;
    report.uncounted = count(tx, rules::UNCOUNTED).await?;
    Ok(report)
}

async fn count(tx: &mut Tx<'_>, sql: &'static str) -> Result<i64> {
    Ok(tx.one(sql, args![]).await?.get("n")?)
}

async fn follow(tx: &mut Tx<'_>, rule: &Rule, report: &mut Report) -> Result<()> {
    let found = tx.all(format!("{} limit {TOLD}", rule.sql), args![]).await?;
    for row in &found {
        report.problems.push(Problem {
            rule: rule.says,
            subject: row.get("subject")?,
            found: row.get("found")?,
            expected: row.get("expected")?,
        });
    }
    Ok(())
}

const IN_ORDER: &str = "events of an order are numbered from 1 to its version";
const LEGAL: &str = "the events of an order lead to its state, each from the one before";

/// Goes through the history of every order.
async fn histories(tx: &mut Tx<'_>, report: &mut Report) -> Result<()> {
    let (mut after, mut told) = (String::new(), 0);
    loop {
        let sql = "select id, number, state, version from orders where id > $1 order by id limit $2";
        let orders = tx.all(sql, args![&after, ORDERS]).await?;
        let ids = orders.iter().map(|row| row.get("id")).collect::<std::result::Result<Vec<String>, _>>()?;
        let Some(last) = ids.last() else { return Ok(()) };
        after.clone_from(last);
        let mut events: BTreeMap<String, Vec<(i64, EventKind)>> = BTreeMap::new();
        for (list, args) in lists(&ids) {
            let sql = format!(
                "select order_id, sequence, kind from order_event where order_id in {list} order by order_id, sequence"
            );
            for row in tx.all(sql, args).await? {
                let kind = serde_json::from_str(&row.get::<String>("kind")?)
                    .map_err(|error| unreadable("an event of an order", &error))?;
                events.entry(row.get("order_id")?).or_default().push((row.get("sequence")?, kind));
            }
        }
        for row in &orders {
            report.orders += 1;
            let events = events.remove(&row.get::<String>("id")?).unwrap_or_default();
            let (state, version): (String, i64) = (row.get("state")?, row.get("version")?);
            let Some((rule, found, expected)) = judge(&state, version, &events) else { continue };
            told += 1;
            if told <= TOLD {
                report.problems.push(Problem { rule, subject: row.get("number")?, found, expected });
            }
        }
    }
}

/// What is wrong with the history of an order, if anything is.
fn judge(state: &str, version: i64, events: &[(i64, EventKind)]) -> Option<(&'static str, i64, i64)> {
    if let Some(((found, _), expected)) = events.iter().zip(1..).find(|((sequence, _), place)| sequence != place) {
        return Some((IN_ORDER, *found, expected));
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if count != version {
        return Some((IN_ORDER, count, version));
    }
    match replay(events.iter().map(|(_, kind)| kind)) {
        Ok(reached) if State::from_name(state) == Some(reached) => None,
        // The figures are the numbers of events: so many of so many lead there.
        Ok(_) => Some((LEGAL, 0, count)),
        Err(place) => Some((LEGAL, i64::try_from(place).unwrap_or(i64::MAX), count)),
    }
}
