//! Whether a wish can be had now, for how much, and what would be claimed for it. It only reads: what it finds free may be
//! gone a moment later, and then claiming it fails.

use super::{
    claim::{Claim, What},
    row::{Services, Staff, Taken},
    store::{self, Offered, Resource, Timetable},
};
use crate::{
    domain::{
        Error, Result,
        booking::{
            cancellation::{Booked, Cancellation},
            cells::Grid,
            date::LocalDate,
            interval::Interval,
            offer::{Offer, RoomType},
            rates::StayRequest,
            schedule::{Limits, Schedule},
            slots::{Availability, Search, Times, Visit},
            tables::{Floor, Pacing, Party, PartyRules},
            trips::{ChangeRule, Fare, Section, Travellers},
            wish::Wish,
            zone::Zone,
        },
        money::Amount,
    },
    server::{context::internal, db::Tx},
};
use std::collections::HashMap;

/// What a wish comes to.
pub struct Quote {
    pub wish: Wish,
    /// `None` where nobody can say: a night without a price, a departure that was taken off.
    pub price: Option<Amount>,
    /// From when to when, in UTC milliseconds.
    pub start: i64,
    pub end: i64,
    /// By whose clocks it begins, and the date there.
    pub zone: Zone,
    pub date: LocalDate,
    /// What each night costs; empty where there are none.
    pub nights: Vec<Amount>,
    pub cancellation: Cancellation,
    /// How a trip is moved to another departure; `None` where it is not, and for anything else.
    pub change: Option<ChangeRule>,
    /// The name of whoever was chosen.
    pub person: Option<String>,
    /// Done at the address of the customer.
    pub at_home: bool,
    /// The code of the division in which it is done there; empty for anywhere.
    pub area: String,
    /// What is to be claimed; `None` where it cannot be had.
    pub claims: Option<Vec<Claim>>,
    /// A unit that is counted from the first claim of it on: resource, unit and how much there is.
    pub opens: Option<(String, i64, i64)>,
}

/// Somebody's wish for a variant.
pub struct Asked<'a> {
    pub variant_id: &'a str,
    pub wish: &'a Wish,
    /// What is to be claimed along with it: two wishes of one cart are not for the same hour.
    pub before: &'a [Claim],
    /// UTC milliseconds.
    pub now: i64,
    pub by: By<'a>,
}

/// Who asks, which decides what stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// A customer: what others have, and when customers may book.
    Customer,
    /// Who waits: when customers may book, but nothing that others have, as it may come free.
    Waiting,
    /// The office: what others have, and when the venue is open and somebody works. It may begin every five minutes and at
    /// short notice, with somebody or at a table that the office chose.
    Office(Option<&'a str>),
}

impl Asked<'_> {
    /// When something may begin for who asks.
    fn limits(&self, limits: &Limits) -> Limits {
        match self.by {
            By::Customer | By::Waiting => *limits,
            By::Office(_) => Limits { step_ms: Grid::FIVE_MINUTES.step_ms(), notice_ms: 0, ..*limits },
        }
    }

    /// What there is of each unit of a capacity for who asks.
    async fn left(&self, tx: &mut Tx<'_>, resource_id: &str, (from, until): (i64, i64)) -> Result<HashMap<i64, i64>> {
        match self.by {
            By::Waiting => store::total(tx, resource_id, from, until).await,
            By::Customer | By::Office(_) => store::left(tx, resource_id, from, until).await,
        }
    }

    /// What stands in the way of somebody's time.
    fn taken(&self) -> Taken<'_> {
        Taken { others: self.by != By::Waiting, besides: self.before }
    }

    /// Whether it may be with somebody, or at a table.
    fn allows(&self, resource: &Resource) -> bool {
        !matches!(self.by, By::Office(Some(chosen)) if resource.id != chosen)
    }
}

impl Quote {
    /// Nothing is known but when it would begin.
    fn bare(wish: &Wish, time: Interval, zone: Zone) -> Self {
        Self {
            wish: wish.clone(),
            price: None,
            start: time.start,
            end: time.end,
            date: zone.local(time.start).date,
            zone,
            nights: Vec::new(),
            cancellation: Cancellation::default(),
            change: None,
            person: None,
            at_home: false,
            area: String::new(),
            claims: None,
            opens: None,
        }
    }

    /// Of what is not offered any more.
    pub fn gone(wish: &Wish) -> Self {
        let start = match wish {
            Wish::Table { start, .. } | Wish::Visit { start, .. } => *start,
            Wish::Stay(request) => Zone::utc().at(request.stay.arrival(), 0),
            Wish::Trip { .. } => 0,
        };
        Self::bare(wish, Interval { start, end: start }, Zone::utc())
    }

    pub fn is_available(&self) -> bool {
        self.claims.is_some() && self.price.is_some()
    }

    /// Until when giving it up costs nothing once this was paid for it, in UTC milliseconds.
    pub fn free_until(&self, paid: Amount) -> i64 {
        let booked = Booked { date: self.date, start: self.start, paid, nights: &self.nights };
        self.cancellation.free_until(&booked, &self.zone)
    }
}

/// # Errors
/// [`Error::NotFound`] for a variant that is not booked, or not in this way.
pub async fn quote(tx: &mut Tx<'_>, asked: &Asked<'_>) -> Result<Quote> {
    let offered = store::offered(tx, asked.variant_id, asked.now).await?.ok_or(Error::NotFound)?;
    let mut quote = match (asked.wish, &offered.offer) {
        (Wish::Stay(request), Offer::Stay(room)) => stay(tx, &offered, asked, request, room).await?,
        (Wish::Trip { departure_id, section, travellers, seats }, Offer::Trip(fare)) => {
            let trip = Trip { departure_id, section: *section, travellers: *travellers, seats };
            trip.quote(tx, &offered, asked, fare).await?
        }
        (Wish::Table { start, guests, area, .. }, Offer::Table) => {
            table(tx, &offered, asked, *start, Party { guests: *guests, area: area.as_deref() }).await?
        }
        (Wish::Visit { start, person, add_ons, further }, Offer::Visit(service)) => {
            let wanted = WantedVisit { start: *start, person: person.as_deref(), add_ons, further };
            wanted.quote(tx, &offered, asked, service.at_home).await?
        }
        _ => return Err(Error::NotFound),
    };
    if !offered.sold {
        quote.claims = None;
    }
    Ok(quote)
}

async fn stay(
    tx: &mut Tx<'_>,
    offered: &Offered,
    asked: &Asked<'_>,
    request: &StayRequest,
    room: &RoomType,
) -> Result<Quote> {
    let (stay, policies, zone) = (request.stay, &offered.policies, &offered.zone);
    let mut quote = Quote::bare(asked.wish, stay.time(zone, policies.check_in, policies.check_out), zone.clone());
    quote.date = stay.arrival();
    quote.cancellation = policies.cancellation.clone();
    let (first, last) = (stay.arrival(), stay.departure());
    let (calendar, whole) = store::calendar(tx, &offered.variant_id, (first, last)).await?;
    if whole && let Some(price) = calendar.price(&room.charges, request) {
        quote.price = Some(price.total);
        quote.nights = price.nights;
    }
    let left = asked.left(tx, &offered.variant_id, (first.day(), last.day())).await?;
    let claim = count(&offered.variant_id, (first.day(), last.day()), request.rooms);
    let rooms = stay.rooms_left(|night| {
        let free = left.get(&night.day()).copied()?;
        Some(free - counted(asked.before, &offered.variant_id, night.day()))
    });
    let today = zone.local(asked.now).date;
    let in_time = today <= first && asked.now < quote.end && today.until(first) <= policies.limits.horizon_days;
    let fits = room.occupancy.fits(request.guests, request.rooms) && calendar.check(stay).is_ok();
    quote.claims = (in_time && fits && rooms >= request.rooms).then(|| vec![claim]);
    Ok(quote)
}

struct Trip<'a> {
    departure_id: &'a str,
    section: Section,
    travellers: Travellers,
    seats: &'a [String],
}

impl Trip<'_> {
    async fn quote(&self, tx: &mut Tx<'_>, offered: &Offered, asked: &Asked<'_>, fare: &Fare) -> Result<Quote> {
        let nothing = || Quote::bare(asked.wish, Interval { start: 0, end: 0 }, offered.zone.clone());
        let Some(timetable) = store::departure(tx, self.departure_id).await? else { return Ok(nothing()) };
        let (from, to): (usize, usize) = self.section.into();
        let (Some(first), Some(last)) = (timetable.stops.get(from), timetable.stops.get(to)) else {
            return Ok(nothing());
        };
        let time = Interval { start: first.leaves_at, end: last.arrives_at };
        let mut quote = Quote::bare(asked.wish, time, store::zone_around(&first.zone, asked.now)?);
        quote.cancellation = fare.cancellation.clone();
        quote.change = fare.change;
        quote.price = fare.price(self.travellers);
        let legs = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX));
        let notice_ms = asked.limits(&offered.policies.limits).notice_ms;
        let in_time = time.start >= asked.now.saturating_add(notice_ms);
        if timetable.product_id == offered.product_id && in_time && asked.now < time.start {
            quote.claims = self.claims(tx, offered, asked, fare, (&timetable, legs)).await?;
        }
        Ok(quote)
    }

    async fn claims(
        &self,
        tx: &mut Tx<'_>,
        offered: &Offered,
        asked: &Asked<'_>,
        fare: &Fare,
        (timetable, (from, until)): (&Timetable, (i64, i64)),
    ) -> Result<Option<Vec<Claim>>> {
        let wanted = self.travellers.seats();
        let mut claims = Vec::new();
        match &timetable.seats {
            Some(all) => {
                let chosen = self.seats.iter().all(|seat| all.contains(seat));
                if !chosen || usize::try_from(wanted).ok() != Some(self.seats.len()) {
                    return Ok(None);
                }
                let ids: Vec<_> = self.seats.iter().map(|seat| format!("{}:{seat}", self.departure_id)).collect();
                let other = |id: &String| asked.before.iter().any(|claim| claim.resource_id == *id);
                let free = asked.by == By::Waiting || store::taken_seats(tx, &ids, (from, until)).await?.is_empty();
                if !free || ids.iter().any(other) {
                    return Ok(None);
                }
                let seat = |resource_id: String| Claim { resource_id, what: What::Seat { from, until } };
                claims.extend(ids.into_iter().map(seat));
            }
            None => {
                let left = asked.left(tx, self.departure_id, (from, until)).await?;
                let free = |leg: i64| left.get(&leg).map(|free| free - counted(asked.before, self.departure_id, leg));
                if !self.seats.is_empty() || (from..until).any(|leg| free(leg).unwrap_or(0) < wanted) {
                    return Ok(None);
                }
                claims.push(count(self.departure_id, (from, until), wanted));
            }
        }
        if fare.quota.is_some() {
            let quota = format!("{}:{}", self.departure_id, offered.variant_id);
            let left = asked.left(tx, &quota, (0, 1)).await?.get(&0).copied().unwrap_or(0);
            if left - counted(asked.before, &quota, 0) < wanted {
                return Ok(None);
            }
            claims.push(count(&quota, (0, 1), wanted));
        }
        Ok(Some(claims))
    }
}

async fn table(tx: &mut Tx<'_>, offered: &Offered, asked: &Asked<'_>, start: i64, party: Party<'_>) -> Result<Quote> {
    let (policies, zone) = (&offered.policies, &offered.zone);
    let mut quote = Quote::bare(asked.wish, Interval { start, end: start }, zone.clone());
    quote.cancellation = policies.cancellation.clone();
    let Some(terms) = policies.party.as_ref().and_then(|rules: &PartyRules| rules.terms(party.guests).ok()) else {
        return Ok(quote);
    };
    quote.price = Some(terms.deposit);
    let Some(visit) = Visit::new(Times { duration: terms.duration_ms, ..Times::default() }) else { return Ok(quote) };
    quote.end = visit.shown(start).end;
    let within = moment(start);
    let reach = Availability::reach(within);
    let resources = store::resources(tx, &offered.product_id, "table", None, reach).await?;
    let tables: Vec<_> = resources
        .iter()
        .map(|table| serde_json::from_str(&table.detail))
        .collect::<Result<_, _>>()
        .map_err(|e: serde_json::Error| internal("database", &e))?;
    // Tables name those that they can be joined with by their places: none is left out of the list.
    let each = resources.iter().map(|table| match asked.allows(table) {
        true => availability(table, asked, zone, within),
        false => Availability::new(&Schedule::default(), zone, within, []),
    });
    let each: Vec<_> = each.collect();
    let venue = Availability::new(&policies.hours, zone, within, []);
    let search = Search::new(visit, &asked.limits(&policies.limits), zone, asked.now, within);
    let quarter = Pacing::quarter(start);
    let arriving = match asked.by {
        By::Waiting => 0,
        By::Customer | By::Office(_) => store::claimed(tx, &offered.product_id, quarter).await?,
    };
    let arriving = arriving + counted(asked.before, &offered.product_id, quarter);
    let pacing = Pacing::new(policies.pacing, [(quarter, arriving)]);
    let sittings = Floor::new(tables).sittings(&venue, &each, &pacing, &search, party);
    if let Some(sitting) = sittings.into_iter().find(|sitting| sitting.start == start) {
        let time = visit.claim(start, Grid::FIVE_MINUTES);
        let seated = sitting.tables.iter().filter_map(|place| resources.get(*place));
        let mut claims: Vec<_> = seated.map(|table| of_time(table, time)).collect();
        if let Some(limit) = policies.pacing {
            claims.push(count(&offered.product_id, (quarter, quarter + 1), party.guests));
            quote.opens = Some((offered.product_id.clone(), quarter, limit));
        }
        quote.claims = Some(claims);
    }
    Ok(quote)
}

/// What is wanted of a service, as [`Wish::Visit`] has it.
struct WantedVisit<'a> {
    start: i64,
    person: Option<&'a str>,
    add_ons: &'a [usize],
    further: &'a [String],
}

impl WantedVisit<'_> {
    async fn quote(&self, tx: &mut Tx<'_>, offered: &Offered, asked: &Asked<'_>, at_home: bool) -> Result<Quote> {
        let Self { start, person, add_ons, further } = *self;
        let (policies, zone) = (&offered.policies, &offered.zone);
        let mut quote = Quote::bare(asked.wish, Interval { start, end: start }, zone.clone());
        quote.cancellation = policies.cancellation.clone();
        quote.at_home = at_home;
        if at_home {
            quote.area.clone_from(&offered.region);
        }
        let services = Services::load(tx, offered, add_ons, further, asked.now).await?;
        let Some(services) = services else { return Ok(quote) };
        quote.price = Some(services.price);
        quote.end = services.visit.shown(start).end;
        let within = moment(start);
        let search = Search::new(services.visit, &asked.limits(&services.limits), zone, asked.now, within);
        // Whom the office chose does one of them, as early as may be.
        let chosen: Vec<Option<(usize, &str)>> = match asked.by {
            By::Office(Some(chosen)) => (0..services.count()).map(|place| Some((place, chosen))).collect(),
            By::Customer | By::Waiting | By::Office(None) => vec![None],
        };
        for chosen in chosen {
            let only: Vec<_> = person.map(|person| (0, person)).into_iter().chain(chosen).collect();
            let staff = Staff::load(tx, &services, within, &only).await?;
            if person.is_some() {
                quote.person = staff.begin().first().map(|person| person.name.clone());
            }
            quote.claims = staff.claims(zone, &search, asked.taken(), start);
            if quote.claims.is_some() {
                break;
            }
        }
        Ok(quote)
    }
}

/// Of slots that begin in an interval what somebody has, without what the cart claims besides.
fn availability(resource: &Resource, asked: &Asked<'_>, zone: &Zone, within: Interval) -> Availability {
    asked.taken().of(resource, zone, within)
}

/// How many of a unit are claimed by a list of claims.
fn counted(claims: &[Claim], resource_id: &str, unit: i64) -> i64 {
    let quantity = |claim: &Claim| match claim.what {
        What::Count { from, until, quantity } if claim.resource_id == resource_id && (from..until).contains(&unit) => {
            quantity
        }
        _ => 0,
    };
    claims.iter().map(quantity).sum()
}

fn count(resource_id: &str, (from, until): (i64, i64), quantity: i64) -> Claim {
    Claim { resource_id: resource_id.to_owned(), what: What::Count { from, until, quantity } }
}

fn of_time(resource: &Resource, time: Interval) -> Claim {
    Claim { resource_id: resource.id.clone(), what: What::Time(time) }
}

/// The interval in which nothing begins but what begins at this moment.
const fn moment(start: i64) -> Interval {
    Interval { start, end: start.saturating_add(1) }
}
