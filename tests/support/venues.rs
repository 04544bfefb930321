//! Venues for tests: an inn, a spa, a bistro and a bus, a month from now, in a shop that sells goods as well.
#![allow(dead_code, reason = "each test takes what it needs")]

use serde::Serialize;
use std::collections::BTreeMap;
use xiadan::{
    args,
    domain::{
        booking::{
            DAY_MS, HOUR_MS, MINUTE_MS, WHOLE,
            cancellation::{Cancellation, Deadline, Fee, Step},
            date::LocalDate,
            lodging::Beds,
            offer::{AddOn, Basis, Offer, Policies, RoomType, Service, Stop},
            rates::{Charges, StayRequest},
            schedule::{Day, Hours, Schedule},
            slots::{Times, Visit},
            stay::{Guests, Occupancy, Stay},
            tables::{PartyRules, Table, Turn},
            trips::{Fare, Section, Travellers},
            wish::Wish,
        },
        money::Amount,
    },
    server::{App, context::now, db::DbError},
};

/// All clocks show this much more than UTC.
const ZONE: &str = "Asia/Shanghai";
const ZONE_MS: i64 = 8 * HOUR_MS;

/// What a statement of the fixtures takes.
type Row = (&'static str, Vec<Cell>);

#[derive(Clone)]
enum Cell {
    Text(String),
    Int(i64),
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn json(value: &impl Serialize) -> Cell {
    Cell::Text(serde_json::to_string(value).unwrap())
}

/// The first day on which everything can be booked, a month from now.
pub fn first_day() -> LocalDate {
    LocalDate::from_day((now() + ZONE_MS).div_euclid(DAY_MS) + 30)
}

/// A moment of that day, by the clocks of the venues.
pub fn at(hour: i64, minute: i64) -> i64 {
    first_day().day() * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS - ZONE_MS
}

/// Two adults in a room from the so manieth day on.
pub fn nights(from: i64, nights: i64, rooms: i64) -> Wish {
    let stay = Stay::new(first_day().plus(from), first_day().plus(from + nights)).unwrap();
    Wish::Stay(StayRequest { stay, guests: Guests { adults: 2, children: 0 }, rooms, breakfast: false })
}

pub fn massage(start: i64, person: Option<&str>) -> Wish {
    Wish::Visit { start, person: person.map(str::to_owned), add_ons: vec![], further: vec![] }
}

/// A massage with what is done after it.
pub fn visit(start: i64, person: Option<&str>, further: &[&str]) -> Wish {
    let further = further.iter().map(|variant| (*variant).to_owned()).collect();
    Wish::Visit { start, person: person.map(str::to_owned), add_ons: vec![], further }
}

pub fn dinner(start: i64, guests: i64) -> Wish {
    Wish::Table { start, guests, area: None, requests: vec![] }
}

/// Places from one stop to another, on a departure without or with chosen seats.
pub fn ride(departure: &str, (from, to): (usize, usize), seats: &[&str], adults: i64) -> Wish {
    Wish::Trip {
        departure_id: departure.into(),
        section: Section::new(from, to).unwrap(),
        travellers: Travellers { adults, children: 0, infants: 0 },
        seats: seats.iter().map(|seat| (*seat).to_owned()).collect(),
    }
}

/// Puts them into the catalogue:
///
/// - `twin`, a room type with two rooms for 100 a night, over ten nights; free to give up until three days before;
/// - `massage`, an hour for 200 by `wu` or `li`, from nine to nine;
/// - `table`, two tables for two that can be joined, without a deposit; six covers a quarter of an hour;
/// - `coach`, three places for 50 each on the departure `counted`, and three seats to choose on `mapped`, with two legs.
pub async fn open(app: &App) {
    let mut rows = Vec::new();
    inn(&mut rows);
    spa(&mut rows);
    bistro(&mut rows);
    bus(&mut rows);
    write(app, rows).await;
}

/// What can be done in one visit with `massage`: `foot`, half an hour for 100 by `li` alone, and in the salon of the same
/// house `facial`, three quarters of an hour for 150 by `bo`.
pub async fn open_salon(app: &App) {
    let mut rows = Vec::new();
    let service = |minutes: i64| {
        let times = Visit::new(Times { duration: minutes * MINUTE_MS, ..Times::default() }).unwrap();
        Offer::Visit(Service { times, add_ons: vec![], at_home: false, basis: Basis::Fixed })
    };
    variant(&mut rows, "spa", ("foot", 10_000), &service(30));
    product(&mut rows, ("salon", "service", "面部护理"), &Policies::default());
    variant(&mut rows, "salon", ("facial", 15_000), &service(45));
    resource(&mut rows, "salon", ("bo", "person"), text("{}"), &from_nine_to_nine());
    for (person, variant) in [("li", "foot"), ("bo", "facial")] {
        let sql = "insert into resource_offer (resource_id, variant_id) values ($1, $2)";
        rows.push((sql, vec![text(person), text(variant)]));
    }
    rows.push(("update venue set address = $1 where product_id in ('spa', 'salon')", vec![text("海德三道 88 号")]));
    write(app, rows).await;
}

async fn write(app: &App, rows: Vec<Row>) {
    app.db
        .write::<_, DbError>(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                for (sql, cells) in rows {
                    let mut args = args![];
                    for cell in cells {
                        args.extend(match cell {
                            Cell::Text(text) => args![text],
                            Cell::Int(number) => args![number],
                        });
                    }
                    tx.exec(sql, args).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

fn product(rows: &mut Vec<Row>, (id, kind, title): (&str, &str, &str), policies: &Policies) {
    let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at, kind)
        values ($1, $1, 'active', '', '[]', 1, 1, 0, 0, 0, $2)";
    rows.push((sql, vec![text(id), text(kind)]));
    let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
        values ($1, 'zh-CN', $2, '', '', '', '[]', '[]', $2)";
    rows.push((sql, vec![text(id), text(title)]));
    let sql =
        "insert into venue (product_id, zone, region, address, policies, version) values ($1, $2, '440300', '', $3, 1)";
    rows.push((sql, vec![text(id), text(ZONE), json(policies)]));
}

fn variant(rows: &mut Vec<Row>, product: &str, (id, price): (&str, i64), offer: &Offer) {
    let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
        values ($1, $2, 1, $1, '', '[]', $3, 0, false, true, 1)";
    rows.push((sql, vec![text(id), text(product), Cell::Int(price)]));
    let sql = "insert into offer (variant_id, detail, version) values ($1, $2, 1)";
    rows.push((sql, vec![text(id), json(offer)]));
}

fn capacity(rows: &mut Vec<Row>, resource: &str, unit: i64, total: i64) {
    let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, 0)";
    rows.push((sql, vec![text(resource), Cell::Int(unit), Cell::Int(total)]));
}

fn resource(rows: &mut Vec<Row>, product: &str, (id, kind): (&str, &str), detail: Cell, schedule: &Schedule) {
    let sql = "insert into resource (id, product_id, kind, position, active, name, detail, schedule, version)
        values ($1, $2, $3, 1, true, $1, $4, $5, 1)";
    rows.push((sql, vec![text(id), text(product), text(kind), detail, json(schedule)]));
}

fn from_nine_to_nine() -> Schedule {
    let day = Day { open: vec![Hours::parse("09:00", "21:00").unwrap()], breaks: vec![] };
    Schedule { week: std::array::from_fn(|_| day.clone()), ..Schedule::default() }
}

fn inn(rows: &mut Vec<Row>) {
    let steps = vec![Step { from: Deadline::Clock { days: 3, minute: 0 }, fee: Fee::Share(WHOLE) }];
    let policies = Policies { cancellation: Cancellation { steps }, ..Policies::default() };
    product(rows, ("inn", "stay", "客栈"), &policies);
    let occupancy = Occupancy { adults: 2, children: 1, guests: 3 };
    let charges = Charges { included_guests: 2, ..Charges::default() };
    let room = RoomType { occupancy, charges, beds: Beds::default(), square_metres: 0 };
    variant(rows, "inn", ("twin", 10_000), &Offer::Stay(room));
    for day in first_day().up_to(first_day().plus(10)) {
        let sql = "insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open)
            values ('twin', $1, 10000, 1, 9, true, true, true)";
        rows.push((sql, vec![Cell::Int(day.day())]));
        capacity(rows, "twin", day.day(), 2);
    }
}

fn spa(rows: &mut Vec<Row>) {
    product(rows, ("spa", "service", "推拿"), &Policies::default());
    let times = Visit::new(Times { duration: HOUR_MS, ..Times::default() }).unwrap();
    let add_ons =
        vec![AddOn { name: "oil".into(), names: BTreeMap::new(), price: Amount(3_000), duration_ms: 30 * MINUTE_MS }];
    variant(
        rows,
        "spa",
        ("massage", 20_000),
        &Offer::Visit(Service { times, add_ons, at_home: false, basis: Basis::Fixed }),
    );
    for person in ["wu", "li"] {
        resource(rows, "spa", (person, "person"), text("{}"), &from_nine_to_nine());
        let sql = "insert into resource_offer (resource_id, variant_id) values ($1, 'massage')";
        rows.push((sql, vec![text(person)]));
    }
}

fn bistro(rows: &mut Vec<Row>) {
    let turns = vec![Turn { up_to: 4, duration_ms: 2 * HOUR_MS }];
    let party = PartyRules { turns, largest: 4, deposit_from: None, deposit_per_guest: Amount::ZERO };
    let policies = Policies { hours: from_nine_to_nine(), party: Some(party), pacing: Some(6), ..Policies::default() };
    product(rows, ("bistro", "table", "小馆"), &policies);
    variant(rows, "bistro", ("table", 0), &Offer::Table);
    for (id, joins) in [("table-1", vec![1]), ("table-2", vec![])] {
        let table = Table { area: "hall".into(), min: 1, max: 2, joins };
        resource(rows, "bistro", (id, "table"), json(&table), &from_nine_to_nine());
    }
}

fn bus(rows: &mut Vec<Row>) {
    product(rows, ("bus", "trip", "班车"), &Policies::default());
    let fare = Fare {
        adult: Amount(5_000),
        child: Amount(2_500),
        infant: Amount::ZERO,
        quota: None,
        cancellation: Cancellation::default(),
        change: None,
        cabin_bags: 1,
        checked_grams: 0,
    };
    variant(rows, "bus", ("coach", 5_000), &Offer::Trip(fare));
    let stop = |hour| Stop {
        place: format!("x{hour}"),
        names: Default::default(),
        zone: ZONE.into(),
        arrives_at: at(hour, 0),
        leaves_at: at(hour, 5),
    };
    let stops = vec![stop(9), stop(11), stop(13)];
    for (id, seats) in [("counted", None), ("mapped", Some(["1A", "1B", "1C"]))] {
        let sql = "insert into departure (id, product_id, stops, leaves_at, arrives_at, version) values ($1, 'bus', $2, $3, $4, 1)";
        rows.push((sql, vec![text(id), json(&stops), Cell::Int(at(9, 5)), Cell::Int(at(13, 0))]));
        if let Some(seats) = seats {
            rows.push(("update departure set seats = $2 where id = $1", vec![text(id), json(&seats)]));
        } else {
            (0..2).for_each(|leg| capacity(rows, id, leg, 3));
        }
    }
}
