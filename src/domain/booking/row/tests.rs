use super::*;
use crate::domain::booking::{
    WHOLE,
    cancellation::{Deadline, Fee, Step},
    date::LocalDate,
    samples::*,
    schedule::{Day, Hours, Schedule},
    slots::Times,
    zone::Zone,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const GRID: Grid = Grid::FIVE_MINUTES;

/// Somebody or something with hours and claims, none of which overlaps another.
#[derive(Clone, Debug)]
struct Somebody {
    schedule: Schedule,
    claims: Vec<Interval>,
}

#[derive(Clone, Debug)]
struct Case {
    zone: Zone,
    people: Vec<Somebody>,
    things: Vec<Somebody>,
    parts: Vec<Part>,
    search: Search,
}

fn visit(duration: i64, before: i64, after: i64, travel: i64) -> Visit {
    let [duration, before, after, travel] = [duration, before, after, travel].map(|ticks| ticks * TICK);
    match Visit::new(Times { duration, before, after, travel }) {
        Some(visit) => visit,
        None => panic!("no visit"),
    }
}

fn visits() -> impl Strategy<Value = Visit> {
    (1i64..13, 0i64..3, 0i64..3, 0i64..7)
        .prop_map(|(duration, before, after, travel)| visit(duration, before, after, travel))
}

fn somebody(first: LocalDate, zone: Zone) -> impl Strategy<Value = Somebody> {
    let claims = claims(first, zone, (-60..400, 1..30), 6);
    (schedules(first.plus(-1)), claims).prop_map(|(schedule, claims)| Somebody { schedule, claims })
}

/// Some of the first so many places.
fn places(of: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<bool>(), of).prop_map(|chosen| {
        chosen.into_iter().enumerate().filter_map(|(place, chosen)| chosen.then_some(place)).collect()
    })
}

fn cases() -> impl Strategy<Value = Case> {
    (zones(), days(), 1usize..4, 0usize..2, prop::sample::select(vec![3i64, 6, 12])).prop_flat_map(
        |(zone, first, people, things, step)| {
            let part = (visits(), places(people), places(things)).prop_map(|(visit, people, things)| Part {
                visit,
                people,
                things,
            });
            (
                prop::collection::vec(somebody(first, zone.clone()), people),
                prop::collection::vec(somebody(first, zone.clone()), things),
                prop::collection::vec(part, 2..4),
            )
                .prop_map(move |(people, things, parts)| {
                    let within = zone.day(first);
                    let visit = visit(1, 0, 0, 0);
                    let search = Search { visit, grid: GRID, step_ms: step * TICK, within };
                    Case { zone: zone.clone(), people, things, parts, search }
                })
        },
    )
}

impl Case {
    fn availabilities(&self, of: &[Somebody]) -> Vec<Availability> {
        let make = |one: &Somebody| {
            Availability::new(&one.schedule, &self.zone, self.search.within, one.claims.iter().copied())
        };
        of.iter().map(make).collect()
    }
}

/// The rows that the database has of some people or things.
fn rows_of(all: &[Somebody]) -> BTreeSet<(usize, i64)> {
    let of = |(place, one): (usize, &Somebody)| {
        let cells: Vec<_> = one.claims.iter().flat_map(|claim| GRID.cells(*claim)).collect();
        cells.into_iter().map(move |cell| (place, cell))
    };
    all.iter().enumerate().flat_map(of).collect()
}

/// Writes what runs claim as rows; false where one of them is there already.
fn claim(case: &Case, runs: &[Run]) -> bool {
    let (mut people, mut things) = (rows_of(&case.people), rows_of(&case.things));
    runs.iter().all(|run| {
        GRID.cells(run.of_person(GRID)).all(|cell| people.insert((run.person, cell)))
            && run.thing.is_none_or(|thing| GRID.cells(run.of_thing(GRID)).all(|cell| things.insert((thing, cell))))
    })
}

/// Everybody works while they do it, and knows how to; what is needed is there.
fn works(case: &Case, (people, things): (&[Availability], &[Availability]), runs: &[Run]) -> bool {
    // Without claims all that is left of them is when they are there.
    let mut from = 0;
    runs.iter().all(|run| {
        let parts: Vec<_> = case.parts.iter().skip(from).collect();
        let mut length = 0;
        let mine = parts.iter().take_while(|part| {
            let more = length < run.visit.times().duration;
            length += part.visit.times().duration;
            more
        });
        let mine: Vec<_> = mine.collect();
        from += mine.len();
        let knows = mine.iter().all(|part| part.people.contains(&run.person));
        let has = mine
            .iter()
            .filter(|part| !part.things.is_empty())
            .all(|part| run.thing.is_some_and(|thing| part.things.contains(&thing)));
        let there = people[run.person].can(run.visit, GRID, run.start)
            && run.thing.is_none_or(|thing| things[thing].can(run.visit.without_travel(), GRID, run.start));
        knows && has && there
    }) && from == case.parts.len()
}

/// Whether a visit can begin at a moment by whatever way there is to divide it among people and things.
fn possible(case: &Case, hours: (&[Availability], &[Availability]), start: i64) -> bool {
    fn ways(
        case: &Case,
        hours: (&[Availability], &[Availability]),
        from: usize,
        start: i64,
        runs: &mut Vec<Run>,
    ) -> bool {
        if from == case.parts.len() {
            return works(case, hours, runs) && claim(case, runs);
        }
        for until in from + 1..=case.parts.len() {
            let visits: Vec<_> = case.parts[from..until].iter().map(|part| part.visit).collect();
            let Some(visit) = Visit::in_a_row(&visits) else { continue };
            let needs = case.parts[from..until].iter().any(|part| !part.things.is_empty());
            let things: Vec<_> = if needs { (0..case.things.len()).map(Some).collect() } else { vec![None] };
            for person in 0..case.people.len() {
                for thing in &things {
                    runs.push(Run { visit, start, person, thing: *thing });
                    if ways(case, hours, until, visit.shown(start).end, runs) {
                        return true;
                    }
                    runs.pop();
                }
            }
        }
        false
    }
    ways(case, hours, 0, start, &mut Vec::new())
}

/// Somebody or something there every day from nine to six.
fn always() -> Availability {
    let day = Day { open: Hours::parse("09:00", "18:00").into_iter().collect(), breaks: Vec::new() };
    let schedule = Schedule { week: std::array::from_fn(|_| day.clone()), ..Schedule::default() };
    let zone = shanghai();
    Availability::new(&schedule, &zone, zone.day(date("2026-05-04")), [])
}

/// Of a day from nine to six, by the step of half an hour.
fn of_a_day(parts: &[Part], people: &[Availability], things: &[Availability]) -> Vec<(String, Vec<usize>)> {
    let zone = shanghai();
    let within = zone.day(date("2026-05-04"));
    let search = Search { visit: visit(1, 0, 0, 0), grid: GRID, step_ms: 6 * TICK, within };
    let slots = Row { parts, people, things, grid: GRID }.slots(&search);
    slots.into_iter().map(|slot| (zone.local(slot.start).clock(), slot.people)).collect()
}

#[test]
fn what_is_done_in_one_visit_is_at_one_place_and_given_up_by_the_same_rules() {
    let (free, step) = (Cancellation::default(), Step { from: Deadline::Before { ms: 1 }, fee: Fee::Share(WHOLE) });
    let strict = Cancellation { steps: vec![step] };
    let studio = Place {
        product_id: "massage",
        zone: "Asia/Shanghai",
        region: "440305",
        address: "88 Haide Road",
        at_home: false,
        basis: Basis::Fixed,
        cancellation: &free,
    };
    let other = Place { product_id: "facial", ..studio };
    let home = Place { at_home: true, address: "", ..studio };
    for (first, second, together) in [
        (studio, other, true),
        (studio, studio, true),
        (studio, Place { basis: Basis::Hour, ..other }, true),
        (studio, Place { basis: Basis::Hour, ..studio }, false),
        (studio, Place { address: "89 Haide Road", ..other }, false),
        (Place { address: "", ..studio }, Place { address: "", ..other }, false),
        (studio, Place { zone: "Asia/Kathmandu", ..other }, false),
        (studio, Place { cancellation: &strict, ..other }, false),
        (studio, Place { at_home: true, ..other }, false),
        (home, Place { product_id: "facial", ..home }, true),
        (home, Place { product_id: "facial", region: "440100", ..home }, false),
    ] {
        assert_eq!(first.goes_with(&second), together, "{first:?} {second:?}");
        assert_eq!(second.goes_with(&first), together, "{second:?} {first:?}");
    }
}

#[test]
fn one_person_does_as_much_as_they_can_and_comes_once() {
    let people = [always(), always()];
    let part = |visit: Visit, people: &[usize]| Part { visit, people: people.to_vec(), things: vec![] };
    let start = shanghai().at(date("2026-05-04"), 10 * 60);
    // An hour and half an hour; each with half an hour of travel.
    let both = [part(visit(12, 1, 0, 6), &[0, 1]), part(visit(6, 0, 2, 6), &[1])];
    let row = Row { parts: &both, people: &people, things: &[], grid: GRID };
    let Some(runs) = row.runs(start, Some(0)) else { panic!("everybody is free") };
    let [first, second] = runs.as_slice() else { panic!("one cannot do both: {runs:?}") };
    assert_eq!((first.person, second.person, second.start), (0, 1, start + 12 * TICK));
    let Some(runs) = row.runs(start, None) else { panic!("one of them can do both") };
    let [only] = runs.as_slice() else { panic!("one does all: {runs:?}") };
    let claimed = Interval { start: start - TICK, end: start + (18 + 2 + 6) * TICK };
    assert_eq!((only.person, only.of_person(GRID)), (1, claimed), "one way to the next customer");
    assert_eq!(only.of_thing(GRID).end, start + (18 + 2) * TICK);
    assert_eq!(row.runs(start, Some(1)), Some(runs));
    assert_eq!(row.runs(start, Some(2)), None);
    assert_eq!(Row { parts: &[], ..row }.runs(start, None), None);

    let times = of_a_day(&both, &people, &[]);
    assert_eq!(times.first(), Some(&("09:30".to_owned(), vec![0, 1])), "prepared for from nine on");
    // Until six all is done and tidied up.
    assert_eq!(times.last(), Some(&("16:00".to_owned(), vec![0, 1])));
}

#[test]
fn a_thing_is_had_by_one_at_a_time() {
    let (people, chairs) = ([always(), always()], [always(), always()]);
    let part = |place: usize, things: &[usize]| Part {
        visit: visit(6, 0, 1, 0),
        people: vec![place],
        things: things.to_vec(),
    };
    let free = |things: &[usize]| !of_a_day(&[part(0, things), part(1, things)], &people, &chairs).is_empty();
    assert!(!free(&[0]), "it is tidied up when the next one needs it");
    assert!(free(&[0, 1]) && free(&[]));
    assert!(!free(&[1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_time_of_a_visit_that_can_be_claimed_is_offered_and_no_other(case in cases()) {
        let (people, things) = (case.availabilities(&case.people), case.availabilities(&case.things));
        let row = Row { parts: &case.parts, people: &people, things: &things, grid: GRID };
        let offered = row.slots(&case.search);
        for slot in &offered {
            prop_assert!(!slot.people.is_empty());
            for person in &slot.people {
                let Some(runs) = row.runs(slot.start, Some(*person)) else { panic!("{slot:?} is offered") };
                prop_assert_eq!((runs[0].person, runs[0].start), (*person, slot.start));
                prop_assert!(works(&case, (&people, &things), &runs), "{:?}", runs);
                prop_assert!(claim(&case, &runs), "{:?} is taken", runs);
                let lasts: i64 = runs.iter().map(|run| run.visit.times().duration).sum();
                prop_assert_eq!(slot.end - slot.start, lasts);
            }
        }
        // Whoever begins, all the times of their hours; whether they are free then is said by the rows.
        let bare = |one: &Somebody| Availability::new(&one.schedule, &case.zone, case.search.within, []);
        let hours: (Vec<_>, Vec<_>) = (case.people.iter().map(bare).collect(), case.things.iter().map(bare).collect());
        for place in &case.parts[0].people {
            for start in hours.0[*place].starts(&case.search) {
                let mine = offered.iter().any(|slot| slot.start == start && slot.people.contains(place));
                if !mine {
                    let only = Part { people: vec![*place], ..case.parts[0].clone() };
                    let rest = case.parts[1..].iter().cloned();
                    let theirs = Case { parts: std::iter::once(only).chain(rest).collect(), ..case.clone() };
                    prop_assert!(!possible(&theirs, (&hours.0, &hours.1), start), "{} is not offered", start);
                }
            }
        }
    }
}
