//! Bookings: how long it takes to know every free slot of a month.

use crate::load::{goal, median, quantile};
use std::{collections::BTreeMap, hint::black_box, time::Instant};
use xiadan::{
    domain::booking::{
        DAY_MS, HOUR_MS, MINUTE_MS,
        cells::Grid,
        date::LocalDate,
        interval::Interval,
        schedule::{Day, Hours, Schedule},
        slots::{Availability, Search, Slot, Times, Visit, slots},
        zone::Zone,
    },
    server::booking::zone,
};

const STAFF: usize = 50;
const RUNS: usize = 30;
/// Claims of a person's day; some of them fall into others and are none.
const CLAIMS: usize = 5;

/// A person: hours, and what is taken.
struct Person {
    schedule: Schedule,
    claims: Vec<Interval>,
}

pub fn all() {
    // The month in which clocks are put back.
    let first = LocalDate::new(2026, 10, 1).unwrap();
    let place = zone("Europe/Berlin", first.day() * DAY_MS - 40 * DAY_MS, first.day() * DAY_MS + 80 * DAY_MS).unwrap();
    let within = Interval { start: place.at(first, 0), end: place.at(first.plus(31), 0) };
    let times = Times { duration: HOUR_MS, before: 5 * MINUTE_MS, after: 10 * MINUTE_MS, travel: 30 * MINUTE_MS };
    let visit = Visit::new(times).unwrap();
    let search = Search { visit, grid: Grid::FIVE_MINUTES, step_ms: 15 * MINUTE_MS, within };
    let people: Vec<_> = (0..STAFF).map(|number| person(number, first, &place)).collect();
    let claims: usize = people.iter().map(|person| person.claims.len()).sum();
    let (mut ours, mut plain, mut found) = (Vec::new(), Vec::new(), 0);
    for run in 0..RUNS {
        let begin = Instant::now();
        let month = month(black_box(&people), &place, &search);
        ours.push(begin.elapsed().as_secs_f64() * 1000.0);
        let begin = Instant::now();
        let reference = reference(black_box(&people), &place, first, &search);
        plain.push(begin.elapsed().as_secs_f64() * 1000.0);
        if run == 0 {
            let flat = |slots: &[Slot]| -> Vec<_> {
                slots.iter().flat_map(|slot| slot.people.iter().map(|person| (slot.start, *person))).collect()
            };
            assert_eq!(flat(&month), reference, "both know the same slots");
            found = reference.len();
        }
    }
    let (p50, p99) = (median(&mut ours), quantile(&mut ours, 0.99));
    let plain = median(&mut plain);
    println!(
        "slots of a month: {found} of {STAFF} people with {claims} claims in {p50:.1} ms (median of {RUNS}, p99 {p99:.1} ms; {}: 20 ms), {:.3} of a search that looks at every claim for every slot ({plain:.1} ms)",
        goal(p99, 0.0..=20.0),
        p50 / plain,
    );
}

/// Everything, from hours of the week to slots with everybody who has them.
fn month(people: &[Person], zone: &Zone, search: &Search) -> Vec<Slot> {
    let availability =
        |person: &Person| Availability::new(&person.schedule, zone, search.within, person.claims.iter().copied());
    let all: Vec<_> = people.iter().map(availability).collect();
    slots(&all, search)
}

/// The same without lists in order: each slot of the hours is held against all hours, breaks and claims of the person.
fn reference(people: &[Person], zone: &Zone, first: LocalDate, search: &Search) -> Vec<(i64, usize)> {
    let times = search.visit.times();
    let mut found = Vec::new();
    for (number, person) in people.iter().enumerate() {
        let (mut open, mut breaks) = (Vec::new(), Vec::new());
        for date in first.plus(-1).up_to(first.plus(32)) {
            let day = person.schedule.day(date).unwrap();
            open.extend(day.open.iter().map(|hours| hours.on(date, zone)));
            breaks.extend(day.breaks.iter().map(|hours| hours.on(date, zone)));
        }
        for hours in &open {
            let mut start = hours.start;
            while start < hours.end {
                let work = Interval { start: start - times.before, end: start + times.duration + times.after };
                let claim = search.visit.claim(start, search.grid);
                let works = open.iter().any(|hours| hours.start <= work.start && work.end <= hours.end)
                    && !breaks.iter().any(|pause| pause.overlaps(work));
                if search.within.contains(start) && works && !person.claims.iter().any(|other| other.overlaps(claim)) {
                    found.push((start, number));
                }
                start += search.step_ms;
            }
        }
    }
    found.sort_unstable();
    found
}

/// Works five days of the week from eight, nine or ten for nine hours with an hour's break, is away for some days, and has
/// visits of half an hour to two hours.
fn person(number: usize, first: LocalDate, zone: &Zone) -> Person {
    let mut state = number as u64 + 1;
    let mut random = |below: i64| {
        // Knuth's linear congruential generator (The Art of Computer Programming, volume 2): the same month in each run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % below
    };
    let begin = 8 * 60 + 60 * random(3);
    let day = Day {
        open: Hours::new(begin, begin + 9 * 60).into_iter().collect(),
        breaks: Hours::new(begin + 4 * 60, begin + 5 * 60).into_iter().collect(),
    };
    let free = [random(7) as usize, random(7) as usize];
    let week = std::array::from_fn(|weekday| if free.contains(&weekday) { Day::default() } else { day.clone() });
    let exceptions: BTreeMap<_, _> = (0..2).map(|_| (first.plus(random(31)), Day::default())).collect();
    let mut claims: Vec<Interval> = Vec::new();
    for date in first.up_to(first.plus(31)) {
        for _ in 0..CLAIMS {
            let start = zone.at(date, begin + 5 * random(100));
            let claim = Interval { start, end: start + 5 * MINUTE_MS * (6 + random(18)) };
            if claims.iter().rev().take(2 * CLAIMS).all(|other| !other.overlaps(claim)) {
                claims.push(claim);
            }
        }
    }
    claims.sort_unstable();
    Person { schedule: Schedule { week, exceptions }, claims }
}
