use super::*;
use crate::domain::booking::{
    DAY_MINUTES, HOUR_MS, MINUTE_MS,
    date::LocalDate,
    samples::*,
    schedule::{Day, Hours},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const GRID: Grid = Grid::FIVE_MINUTES;

/// A person, as the reference sees one.
#[derive(Clone, Debug)]
struct Person {
    schedule: Schedule,
    /// On the grid, and none overlaps another.
    claims: Vec<Interval>,
}

/// A question with all that the answer depends on.
#[derive(Clone, Debug)]
struct Case {
    zone: Zone,
    first: LocalDate,
    people: Vec<Person>,
    search: Search,
}

fn visits() -> impl Strategy<Value = Visit> {
    (1i64..24, 0i64..4, 0i64..4, 0i64..12).prop_filter_map("a visit", |(duration, before, after, travel)| {
        Visit::new(Times {
            duration: duration * TICK,
            before: before * TICK,
            after: after * TICK,
            travel: travel * TICK,
        })
    })
}

fn people(first: LocalDate, zone: Zone) -> impl Strategy<Value = Vec<Person>> {
    let claims = claims(first, zone, (-288..4 * 288, 1..40), 12);
    let person = (schedules(first.plus(-1)), claims).prop_map(|(schedule, claims)| Person { schedule, claims });
    prop::collection::vec(person, 1..4)
}

fn cases() -> impl Strategy<Value = Case> {
    (zones(), days(), visits(), prop::sample::select(vec![3i64, 6, 9, 12]), 0i64..72).prop_flat_map(
        |(zone, first, visit, step, late)| {
            // The beginning is somewhere in the first day, as notice may have it.
            let within = Interval { start: zone.at(first, 0) + late * 17 * MINUTE_MS, end: zone.at(first.plus(3), 0) };
            let search = Search { visit, grid: GRID, step_ms: step * TICK, within };
            people(first, zone.clone()).prop_map(move |people| Case { zone: zone.clone(), first, people, search })
        },
    )
}

impl Case {
    fn availabilities(&self) -> Vec<Availability> {
        let make = |person: &Person| {
            Availability::new(&person.schedule, &self.zone, self.search.within, person.claims.iter().copied())
        };
        self.people.iter().map(make).collect()
    }
}

/// The moment of a wall time, found by looking at the clock every five minutes.
fn moment(zone: &Zone, date: LocalDate, minute: i64) -> i64 {
    let wanted = date.day() * DAY_MS + minute * MINUTE_MS;
    let mut moment = wanted - 26 * HOUR_MS;
    while moment + zone.offset(moment) < wanted {
        moment += TICK;
    }
    moment
}

/// Every slot of a person's hours, with whether it can be booked: judged tick by tick.
fn reference(case: &Case, person: &Person) -> Vec<(i64, bool)> {
    let (mut open, mut breaks) = (Vec::new(), Vec::new());
    for date in case.first.plus(-2).up_to(case.first.plus(6)) {
        let Some(day) = person.schedule.day(date) else { continue };
        let on = |hours: &Hours| Interval {
            start: moment(&case.zone, date, hours.begin()),
            end: moment(&case.zone, date, hours.end()),
        };
        open.extend(day.open.iter().map(on));
        breaks.extend(day.breaks.iter().map(on));
    }
    let has = |list: &[Interval], tick: i64| list.iter().any(|interval| interval.contains(tick));
    let ticks = |from: i64, until: i64| (0..(until - from) / TICK).map(move |n| from + n * TICK);
    let times = case.search.visit.times();
    let mut judged = Vec::new();
    for hours in &open {
        let mut start = hours.start;
        while start < hours.end {
            if case.search.within.contains(start) {
                let (begin, end) = (start - times.before, start + times.duration + times.after);
                let works = ticks(begin, end).all(|tick| has(&open, tick) && !has(&breaks, tick));
                let free = ticks(begin, end + times.travel).all(|tick| !has(&person.claims, tick));
                judged.push((start, works && free));
            }
            start += case.search.step_ms;
        }
    }
    judged.sort_unstable();
    judged.dedup();
    judged
}

fn visit(duration: i64, before: i64, after: i64, travel: i64) -> Visit {
    let times = [duration, before, after, travel].map(|minutes| minutes * MINUTE_MS);
    let [duration, before, after, travel] = times;
    match Visit::new(Times { duration, before, after, travel }) {
        Some(visit) => visit,
        None => panic!("{times:?} is no visit"),
    }
}

/// Every day from nine to five, with a break at noon.
fn nine_to_five() -> Schedule {
    let day = Day {
        open: Hours::parse("09:00", "17:00").into_iter().collect(),
        breaks: Hours::parse("12:00", "12:30").into_iter().collect(),
    };
    Schedule { week: std::array::from_fn(|_| day.clone()), ..Schedule::default() }
}

/// What clocks show of the slots of a day of one person.
fn of_a_day(zone: &Zone, day: &str, visit: Visit, step: i64, claims: &[(i64, i64)]) -> Vec<String> {
    let within = zone.day(date(day));
    let claims = claims
        .iter()
        .map(|(from, until)| Interval { start: zone.at(date(day), *from), end: zone.at(date(day), *until) });
    let person = Availability::new(&nine_to_five(), zone, within, claims);
    let search = Search { visit, grid: GRID, step_ms: step * MINUTE_MS, within };
    person.starts(&search).into_iter().map(|start| zone.local(start).clock()).collect()
}

#[test]
fn slots_leave_room_for_breaks_claims_and_buffers() {
    let day = "2026-05-04";
    let plain = of_a_day(&shanghai(), day, visit(90, 0, 0, 0), 60, &[]);
    assert_eq!(plain, ["09:00", "10:00", "13:00", "14:00", "15:00"]);
    let buffers = of_a_day(&shanghai(), day, visit(90, 10, 20, 0), 60, &[]);
    assert_eq!(buffers, ["10:00", "13:00", "14:00", "15:00"], "nine has nothing before it");
    // Taken from 13:40 to 14:00; what merely touches that is free.
    let claimed = of_a_day(&shanghai(), day, visit(40, 0, 0, 0), 20, &[(820, 840)]);
    assert_eq!(claimed.iter().filter(|at| at.starts_with("13") || at.starts_with("14")).count(), 1 + 3);
    assert!(claimed.contains(&"13:00".to_owned()) && claimed.contains(&"14:00".to_owned()));
    // The way to the next customer may be gone after hours and in the break, but not while somebody is served.
    let travel = of_a_day(&shanghai(), day, visit(60, 0, 0, 45), 60, &[(900, 960)]);
    assert_eq!(travel, ["09:00", "10:00", "11:00", "13:00", "16:00"]);
}

#[test]
fn slots_of_a_day_are_where_they_were_when_clocks_are_changed() {
    for zone in [berlin(), lord_howe(), kathmandu(), st_johns()] {
        let usual = of_a_day(&zone, "2026-02-10", visit(60, 0, 0, 0), 30, &[]);
        assert_eq!(usual.len(), 5 + 8, "{}", zone.name());
        for day in ["2026-03-08", "2026-03-29", "2026-03-30", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"] {
            assert_eq!(of_a_day(&zone, day, visit(60, 0, 0, 0), 30, &[]), usual, "{day} in {}", zone.name());
        }
    }
}

#[test]
fn a_night_has_the_slots_of_its_length() {
    let bar = Day { open: Hours::parse("22:00", "04:00").into_iter().collect(), breaks: Vec::new() };
    let schedule = Schedule { week: std::array::from_fn(|_| bar.clone()), ..Schedule::default() };
    let zone = berlin();
    let of = |day: &str| {
        let evening = zone.at(date(day), 20 * 60);
        let within = Interval { start: evening, end: zone.at(date(day).plus(1), 12 * 60) };
        let search = Search { visit: visit(60, 0, 0, 0), grid: GRID, step_ms: HOUR_MS, within };
        let starts = Availability::new(&schedule, &zone, within, []).starts(&search);
        starts.into_iter().map(|start| zone.local(start).clock()).collect::<Vec<_>>()
    };
    assert_eq!(of("2026-03-27"), ["22:00", "23:00", "00:00", "01:00", "02:00", "03:00"]);
    assert_eq!(of("2026-03-28"), ["22:00", "23:00", "00:00", "01:00", "03:00"]);
    assert_eq!(of("2026-10-24"), ["22:00", "23:00", "00:00", "01:00", "02:00", "02:00", "03:00"]);
}

#[test]
fn nothing_is_offered_within_the_notice_or_beyond_the_horizon() {
    let zone = berlin();
    let (first, now) = (date("2026-05-04"), zone.at(date("2026-05-04"), 10 * 60 + 30));
    let limits = Limits { step_ms: HOUR_MS, notice_ms: 2 * HOUR_MS, horizon_days: 1 };
    let month = Interval { start: zone.at(first.plus(-3), 0), end: zone.at(first.plus(28), 0) };
    let search = Search::new(visit(60, 0, 0, 0), &limits, &zone, now, month);
    let starts = Availability::new(&nine_to_five(), &zone, search.within, []).starts(&search);
    let shown: Vec<_> = starts.iter().map(|start| zone.local(*start)).collect();
    let hours = |day: LocalDate| -> Vec<i64> {
        shown.iter().filter(|local| local.date == day).map(|local| local.minute / 60).collect()
    };
    assert_eq!(hours(first), [13i64, 14, 15, 16]);
    assert_eq!(hours(first.plus(1)), [9i64, 10, 11, 13, 14, 15, 16]);
    assert_eq!(shown.len(), 4 + 7);
}

#[test]
fn visits_have_bounds_and_make_one_in_a_row() {
    let row = Visit::in_a_row(&[visit(30, 5, 10, 0), visit(60, 10, 0, 20)]);
    assert_eq!(row, Some(visit(90, 10, 10, 20)));
    assert_eq!(Visit::in_a_row(&[]), None);
    assert_eq!(Visit::new(Times::default()), None);
    let day = Times { duration: DAY_MINUTES * MINUTE_MS, ..Times::default() };
    assert!(Visit::new(day).is_some());
    assert_eq!(Visit::new(Times { after: 1, ..day }), None);
    assert_eq!(Visit::new(Times { before: -1, ..day }), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_slot_that_can_be_claimed_is_offered_and_no_other(case in cases()) {
        let availabilities = case.availabilities();
        for (person, availability) in case.people.iter().zip(&availabilities) {
            // The rows that the database has, and what it says to more.
            let rows: BTreeSet<i64> = person.claims.iter().flat_map(|claim| GRID.cells(*claim)).collect();
            let offered = availability.starts(&case.search);
            let judged = reference(&case, person);
            let expected: Vec<_> = judged.iter().filter(|(_, can)| *can).map(|(start, _)| *start).collect();
            prop_assert_eq!(&offered, &expected);
            for start in &offered {
                let claim = case.search.visit.claim(*start, GRID);
                prop_assert!(GRID.cells(claim).all(|cell| !rows.contains(&cell)), "{start} is taken");
            }
            for (start, can) in &judged {
                prop_assert_eq!(availability.can(case.search.visit, GRID, *start), *can, "{}", start);
            }
        }
        // Anyone: the slots of all, each with everybody who has it.
        let mut anyone: Vec<(i64, usize)> = Vec::new();
        for (person, availability) in availabilities.iter().enumerate() {
            anyone.extend(availability.starts(&case.search).into_iter().map(|start| (start, person)));
        }
        anyone.sort_unstable();
        let slots = slots(&availabilities, &case.search);
        let flat: Vec<_> = slots.iter().flat_map(|slot| slot.people.iter().map(|person| (slot.start, *person))).collect();
        prop_assert_eq!(flat, anyone);
        prop_assert!(slots.iter().all(|slot| slot.end - slot.start == case.search.visit.times().duration));
        prop_assert!(slots.iter().zip(slots.iter().skip(1)).all(|(a, b)| a.start < b.start));
    }

    #[test]
    fn claiming_what_is_offered_never_claims_twice(case in cases(), picks in prop::collection::vec(0usize..1000, 1..12)) {
        let mut case = case;
        let mut rows: Vec<BTreeSet<i64>> =
            case.people.iter().map(|person| person.claims.iter().flat_map(|claim| GRID.cells(*claim)).collect()).collect();
        for pick in picks {
            let slots = slots(&case.availabilities(), &case.search);
            let Some(slot) = slots.get(pick % slots.len().max(1)) else { return Ok(()) };
            let person = slot.people[pick % slot.people.len()];
            let claim = case.search.visit.claim(slot.start, GRID);
            for cell in GRID.cells(claim) {
                prop_assert!(rows[person].insert(cell), "{cell} of {person} is claimed twice");
            }
            case.people[person].claims.push(claim);
        }
    }

    #[test]
    fn a_day_has_the_slots_that_the_month_shows_for_it(case in cases(), by in 0i64..3) {
        let within = case.search.within.and(case.zone.day(case.first.plus(by)));
        let day = Search { within, ..case.search };
        for (person, wide) in case.people.iter().zip(case.availabilities()) {
            let narrow = Availability::new(&person.schedule, &case.zone, within, person.claims.iter().copied());
            let of_month: Vec<_> =
                wide.starts(&case.search).into_iter().filter(|start| within.contains(*start)).collect();
            prop_assert_eq!(narrow.starts(&day), of_month);
        }
    }

    #[test]
    fn a_thing_goes_along_where_it_is_free(case in cases()) {
        let all = case.availabilities();
        let Some((things, people)) = all.split_first() else { return Ok(()) };
        let slots = slots(people, &case.search);
        let both = with_a_thing(slots.clone(), std::slice::from_ref(things), &case.search);
        let visit = Visit(Times { travel: 0, ..case.search.visit.times() });
        let expected: Vec<_> = slots.into_iter().filter(|slot| things.can(visit, GRID, slot.start)).collect();
        prop_assert_eq!(both.into_iter().map(|(slot, _)| slot).collect::<Vec<_>>(), expected);
    }
}
