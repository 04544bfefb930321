//! The services of one visit, with everybody who does them and everything they need: that of a page with its add-ons, and
//! what else is done in a row with it. A single service is a row of one.

use super::{
    claim::{Claim, What},
    store::{self, Offered, Resource},
    wishes,
};
use crate::{
    args,
    domain::{
        Locale, Result,
        booking::{
            interval::Interval,
            offer::{Offer, Service},
            row::{Part, Place, Row, Run, are_few},
            schedule::Limits,
            slots::{self, Availability, Search, Slot, Visit},
            visit::Further,
            wish::Wish,
            zone::Zone,
        },
        money::Amount,
    },
    server::{
        catalog::in_locale,
        db::{Row as DbRow, Tx},
    },
};

/// The most services that are offered to be done with one.
const MOST: i64 = 50;

/// The services of a visit.
pub(super) struct Services {
    /// Of all of them, with the add-ons of the first.
    pub price: Amount,
    /// As one visit.
    pub visit: Visit,
    /// When all of them can be booked; times are counted as those of the first are.
    pub limits: Limits,
    each: Vec<One>,
}

/// One of them.
struct One {
    variant_id: String,
    product_id: String,
    visit: Visit,
}

impl One {
    fn new(offered: &Offered, visit: Visit) -> Self {
        Self { variant_id: offered.variant_id.clone(), product_id: offered.product_id.clone(), visit }
    }
}

impl Services {
    /// `None` where there is no such add-on, where others are not done in the same visit, and where all is too long.
    pub fn new(first: &Offered, add_ons: &[usize], further: &[&Offered]) -> Option<Self> {
        let Offer::Visit(service) = &first.offer else { return None };
        let (extra, visit) = service.with(add_ons)?;
        let (mut price, mut limits, mut each) =
            (first.price + extra, first.policies.limits, vec![One::new(first, visit)]);
        for other in further {
            let Offer::Visit(service) = &other.offer else { return None };
            if !go_together(first, other) {
                return None;
            }
            let theirs = other.policies.limits;
            price = price + other.price;
            limits.notice_ms = limits.notice_ms.max(theirs.notice_ms);
            limits.horizon_days = limits.horizon_days.min(theirs.horizon_days);
            each.push(One::new(other, service.times));
        }
        let visit = Visit::in_a_row(&each.iter().map(|one| one.visit).collect::<Vec<_>>())?;
        Some(Self { price, visit, limits, each })
    }

    /// The same, of which the others are known by their variants alone; `None` for too many of them as well.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(
        tx: &mut Tx<'_>,
        first: &Offered,
        add_ons: &[usize],
        further: &[String],
        now: i64,
    ) -> Result<Option<Self>> {
        if !are_few(further) {
            return Ok(None);
        }
        let mut others = Vec::new();
        for variant in further {
            let Some(other) = store::offered(tx, variant, now).await? else { return Ok(None) };
            others.push(other);
        }
        Ok(Self::new(first, add_ons, &others.iter().collect::<Vec<_>>()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.each.len()
    }
}

/// Whether two offers are services that are done in one visit.
fn go_together(first: &Offered, other: &Offered) -> bool {
    let places = place(first).zip(place(other));
    let near = places.is_some_and(|(first, other)| first.goes_with(&other));
    near && other.sold && first.variant_id != other.variant_id
}

/// Where a service is done; `None` for what is none.
fn place(offered: &Offered) -> Option<Place<'_>> {
    let Offer::Visit(service) = &offered.offer else { return None };
    Some(Place {
        product_id: &offered.product_id,
        zone: offered.zone.name(),
        region: &offered.region,
        address: &offered.address,
        at_home: service.at_home,
        basis: service.basis,
        cancellation: &offered.policies.cancellation,
    })
}

/// What else can be done in a visit that begins with a service, each with its title.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn beside(tx: &mut Tx<'_>, first: &Offered, locale: Locale) -> Result<Vec<(Offered, String)>> {
    let sql = format!(
        "select v.id, v.product_id, v.price, v.choices, e.region, e.address, e.policies, f.detail,
            {title} as title, {options} as options
        from variant v join product p on p.id = v.product_id join venue e on e.product_id = v.product_id
            join offer f on f.variant_id = v.id
        where p.kind = 'service' and p.status = 'active' and v.active and v.id <> $2 and e.zone = $3 and e.region = $4
            and e.address = $5
        order by p.sales desc, p.id, v.position, v.id limit {MOST}",
        title = in_locale!("title"),
        options = in_locale!("options"),
    );
    let args = args![locale.tag(), &first.variant_id, first.zone.name(), &first.region, &first.address];
    let read = |row: &DbRow| -> Result<(Offered, String)> {
        let offered = Offered {
            variant_id: row.get("id")?,
            product_id: row.get("product_id")?,
            price: Amount(row.get("price")?),
            sold: true,
            zone: first.zone.clone(),
            region: row.get("region")?,
            address: row.get("address")?,
            policies: store::json(row, "policies")?,
            offer: store::json(row, "detail")?,
        };
        Ok((offered, wishes::title(row)?))
    };
    let all: Vec<_> = tx.all(sql, args).await?.iter().map(read).collect::<Result<_>>()?;
    Ok(all.into_iter().filter(|(other, _)| go_together(first, other)).collect())
}

/// Another service as a page offers it; `None` for what is none.
pub(super) fn told(other: &Offered, title: &str) -> Option<Further> {
    let Offer::Visit(Service { times, .. }) = &other.offer else { return None };
    Some(Further {
        variant_id: other.variant_id.clone(),
        title: title.to_owned(),
        price: other.price,
        duration_ms: times.times().duration,
    })
}

/// What is booked, with what else is done in the same visit.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn title_with(tx: &mut Tx<'_>, title: String, wish: &Wish, locale: Locale) -> Result<String> {
    let mut titles = vec![title];
    if let Wish::Visit { further, .. } = wish {
        for variant in further {
            titles.extend(wishes::known_title(tx, variant, locale).await?);
        }
    }
    Ok(titles.join(" + "))
}

/// What is taken of people and things.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    /// Whether others have what they have.
    pub others: bool,
    /// What the cart claims besides.
    pub besides: &'a [Claim],
}

impl Taken<'_> {
    /// As if nobody had anything.
    pub const NOTHING: Self = Self { others: false, besides: &[] };

    /// Of slots that begin in an interval what somebody has.
    pub fn of(self, resource: &Resource, zone: &Zone, within: Interval) -> Availability {
        let besides = self.besides.iter().filter(|claim| claim.resource_id == resource.id);
        let besides = besides.filter_map(|claim| match claim.what {
            What::Time(time) => Some(time),
            What::Seat { .. } | What::Count { .. } => None,
        });
        let taken = resource.taken.iter().copied().filter(|_| self.others);
        Availability::new(&resource.schedule, zone, within, taken.chain(besides))
    }
}

/// The people and the things of the services of a visit, with what is taken of them.
pub(super) struct Staff {
    people: Vec<Resource>,
    things: Vec<Resource>,
    parts: Vec<Part>,
}

impl Staff {
    /// With what matters to slots that begin in an interval. `only` names who alone does which of the services, by its place.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(tx: &mut Tx<'_>, services: &Services, within: Interval, only: &[(usize, &str)]) -> Result<Self> {
        let reach = Availability::reach(within);
        let mut staff = Self { people: Vec::new(), things: Vec::new(), parts: Vec::new() };
        for (place, one) in services.each.iter().enumerate() {
            let variant = Some(one.variant_id.as_str());
            let mut people = store::resources(tx, &one.product_id, "person", variant, reach).await?;
            people.retain(|person| only.iter().all(|(of, id)| *of != place || *id == person.id));
            let things = store::resources(tx, &one.product_id, "thing", variant, reach).await?;
            let (people, things) = (join(&mut staff.people, people), join(&mut staff.things, things));
            staff.parts.push(Part { visit: one.visit, people, things });
        }
        Ok(staff)
    }

    /// Those who do the first service, in their order; slots name people by their places in this list.
    pub fn begin(&self) -> &[Resource] {
        let count = self.parts.first().map_or(0, |part| part.people.len());
        self.people.get(..count).unwrap_or_default()
    }

    /// The same, where nothing else of it is needed.
    pub fn into_begin(mut self) -> Vec<Resource> {
        let count = self.begin().len();
        self.people.truncate(count);
        self.people
    }

    /// The slots of a search, within the interval for which this was loaded.
    pub fn slots(&self, zone: &Zone, search: &Search, taken: Taken<'_>) -> Vec<Slot> {
        let (people, things) = self.available(zone, search, taken);
        self.slots_of(&people, &things, search)
    }

    /// What is to be claimed for a visit that begins at a moment, for which alone this was loaded; `None` where it is no
    /// slot. As few people come as can.
    pub fn claims(&self, zone: &Zone, search: &Search, taken: Taken<'_>, start: i64) -> Option<Vec<Claim>> {
        let (people, things) = self.available(zone, search, taken);
        let slot = self.slots_of(&people, &things, search).into_iter().find(|slot| slot.start == start)?;
        let row = Row { parts: &self.parts, people: &people, things: &things, grid: search.grid };
        let ways = slot.people.iter().filter_map(|person| row.runs(start, Some(*person)));
        let runs = ways.min_by_key(Vec::len)?;
        let claim = |run: &Run| {
            let of = |resource: &Resource, time| Claim { resource_id: resource.id.clone(), what: What::Time(time) };
            let mut claims = vec![of(self.people.get(run.person)?, run.of_person(search.grid))];
            if let Some(thing) = run.thing {
                claims.push(of(self.things.get(thing)?, run.of_thing(search.grid)));
            }
            Some(claims)
        };
        Some(runs.iter().map(claim).collect::<Option<Vec<_>>>()?.concat())
    }

    fn available(&self, zone: &Zone, search: &Search, taken: Taken<'_>) -> (Vec<Availability>, Vec<Availability>) {
        let all = |resources: &[Resource]| resources.iter().map(|one| taken.of(one, zone, search.within)).collect();
        (all(&self.people), all(&self.things))
    }

    fn slots_of(&self, people: &[Availability], things: &[Availability], search: &Search) -> Vec<Slot> {
        if self.parts.len() > 1 {
            return Row { parts: &self.parts, people, things, grid: search.grid }.slots(search);
        }
        let found = slots::slots(people, search);
        if things.is_empty() {
            return found;
        }
        slots::with_a_thing(found, things, search).into_iter().map(|(slot, _)| slot).collect()
    }
}

/// Adds those to a list that are not in it; answers with the places there of all of them.
fn join(list: &mut Vec<Resource>, more: Vec<Resource>) -> Vec<usize> {
    let place = |one: Resource| match list.iter().position(|known| known.id == one.id) {
        Some(place) => place,
        None => {
            list.push(one);
            list.len() - 1
        }
    };
    more.into_iter().map(place).collect()
}
