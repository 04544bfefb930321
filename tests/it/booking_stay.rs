//! Rooms: what a search finds is what can be had, at the total that an order asks; what is full or closed is told with what
//! is near.

use crate::{
    booking::balanced,
    guests::{rush, wanting},
    member::{exec, number as count},
    shop::{Shop, both, customer, form, later, submit},
    venues::{self, first_day, nights as stay_in},
};
use std::collections::BTreeMap;
use xiadan::{
    args,
    domain::{
        Error,
        booking::{
            date::LocalDate,
            lodging::{
                Beds, NightState, RoomNight, RoomNights, RoomProblem, STAYS_PER_PAGE, StayCard, StayForm, StayList,
            },
            offer::{Offer, Policies, RoomType},
            rates::{Charges, Night, StayRequest},
            stay::{Guests, Occupancy, Stay},
            wish::Wish,
        },
        error::Problem,
        money::Amount,
    },
    server::{
        App, Ctx,
        booking::{demo_stays, horizon, stays, wishes},
        cart,
        db::DbError,
        order,
    },
};

/// What is typed into the form for a stay from the so manieth day on.
pub fn asking(from: i64, nights: i64, rooms: i64) -> StayForm {
    StayForm {
        arrival: first_day().plus(from).to_string(),
        departure: first_day().plus(from + nights).to_string(),
        adults: (2 * rooms).to_string(),
        children: "0".into(),
        rooms: rooms.to_string(),
        ..StayForm::default()
    }
}

pub async fn found(ctx: &Ctx, form: StayForm) -> StayList {
    stays::search(ctx, form).await.unwrap()
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: i64) -> i64 {
        // Knuth's linear congruential generator (The Art of Computer Programming, volume 2).
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % below
    }

    fn one_in(&mut self, of: i64) -> bool {
        self.roll(of) == 0
    }
}

const HOUSES: i64 = 30;
const DAYS: i64 = 16;
/// Hangzhou, Xiamen and Dali, each by a district.
const REGIONS: [(&str, &str); 3] = [("330106", "杭州"), ("350203", "xiamen"), ("532901", "大理")];

/// A room type of the random houses, as the test knows it.
#[derive(Clone)]
struct Kind {
    id: String,
    house: String,
    region: usize,
    room: RoomType,
    nights: Vec<(LocalDate, Night, i64, i64)>,
}

fn random_houses() -> Vec<Kind> {
    let mut dice = Dice(20_261_126);
    let mut kinds = Vec::new();
    for house in 0..HOUSES {
        let region = usize::try_from(dice.roll(3)).unwrap();
        for kind in 0..=dice.roll(3) {
            let adults = 1 + dice.roll(3);
            let room = RoomType {
                occupancy: Occupancy { adults, children: dice.roll(3), guests: adults + dice.roll(2) },
                charges: Charges {
                    included_guests: 1 + dice.roll(2),
                    extra_adult: Amount(dice.roll(50) * 100),
                    extra_child: Amount(dice.roll(20) * 100),
                    breakfast: None,
                    tax_basis_points: dice.roll(3) * 333,
                },
                beds: Beds::default(),
                square_metres: 0,
            };
            let mut nights = Vec::new();
            for day in 0..DAYS {
                if dice.one_in(25) {
                    continue;
                }
                let night = Night {
                    price: Amount(10_000 + dice.roll(400) * 100),
                    min_nights: 1 + dice.roll(3) / 2,
                    max_nights: 3 + dice.roll(8),
                    closed_to_arrival: dice.one_in(8),
                    closed_to_departure: dice.one_in(8),
                    closed: dice.one_in(20),
                };
                let total = dice.roll(4);
                nights.push((first_day().plus(day), night, total, dice.roll(total + 1)));
            }
            kinds.push(Kind { id: format!("h{house:02}-{kind}"), house: format!("h{house:02}"), region, room, nights });
        }
    }
    kinds
}

async fn open_houses(app: &App, kinds: &[Kind]) {
    let kinds = kinds.to_vec();
    let policies = serde_json::to_string(&Policies::default()).unwrap();
    app.db
        .write::<_, DbError>(move |tx| {
            let (kinds, policies) = (kinds.clone(), policies.clone());
            Box::pin(async move {
                let mut last = String::new();
                for (place, kind) in (0i64..).zip(&kinds) {
                    if kind.house != last {
                        last.clone_from(&kind.house);
                        // Each later one sold less.
                        let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at, kind)
                            values ($1, $1, 'active', '', '[]', 1, 1, $2, 0, 0, 'stay')";
                        tx.exec(sql, args![&kind.house, 1_000 - place]).await?;
                        let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                            values ($1, 'zh-CN', $1, '', '', '', '[]', '[]', $1)";
                        tx.exec(sql, args![&kind.house]).await?;
                        let sql = "insert into venue (product_id, zone, region, address, policies, version)
                            values ($1, 'Asia/Shanghai', $2, '', $3, 1)";
                        tx.exec(sql, args![&kind.house, REGIONS[kind.region].0, &policies]).await?;
                    }
                    let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
                        values ($1, $2, $3, $1, '', '[]', 1, 0, true, true, 1)";
                    tx.exec(sql, args![&kind.id, &kind.house, place]).await?;
                    let detail = serde_json::to_string(&Offer::Stay(kind.room)).unwrap();
                    let sql = "insert into offer (variant_id, detail, version) values ($1, $2, 1)";
                    tx.exec(sql, args![&kind.id, detail]).await?;
                    for (date, night, total, claimed) in &kind.nights {
                        let sql = "insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open)
                            values ($1, $2, $3, $4, $5, $6, $7, $8)";
                        let args = args![
                            &kind.id,
                            date.day(),
                            night.price.0,
                            night.min_nights,
                            night.max_nights,
                            !night.closed_to_arrival,
                            !night.closed_to_departure,
                            !night.closed
                        ];
                        tx.exec(sql, args).await?;
                        let sql = "insert into capacity (resource_id, unit, total, claimed) values ($1, $2, $3, $4)";
                        tx.exec(sql, args![&kind.id, date.day(), *total, *claimed]).await?;
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// Of each house the lowest total, worked out night by night.
fn expected(kinds: &[Kind], region: Option<usize>, request: &StayRequest) -> BTreeMap<String, Amount> {
    let mut totals: BTreeMap<String, Amount> = BTreeMap::new();
    for kind in kinds.iter().filter(|kind| region.is_none_or(|region| kind.region == region)) {
        if !kind.room.occupancy.fits(request.guests, request.rooms) {
            continue;
        }
        let mut nights = RoomNights::default();
        for (date, night, total, claimed) in &kind.nights {
            nights.insert(*date, RoomNight { night: *night, left: total - claimed });
        }
        let Ok(prices) = nights.prices(request.stay, request.rooms) else { continue };
        let total = kind.room.charges.price(request, &prices).unwrap().total;
        totals.entry(kind.house.clone()).and_modify(|least| *least = total.min(*least)).or_insert(total);
    }
    totals
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_can_be_had_and_nothing_else() {
    both(&[], async |app| {
        let kinds = random_houses();
        open_houses(&app, &kinds).await;
        let ctx = customer(&app).await;
        let mut dice = Dice(7);
        let (mut some, mut none) = (0, 0);
        for _ in 0..60 {
            let (from, nights) = (dice.roll(DAYS - 1), 1 + dice.roll(4));
            let stay = Stay::new(first_day().plus(from), first_day().plus(from + nights)).unwrap();
            let rooms = 1 + dice.roll(2);
            let guests = Guests { adults: rooms + dice.roll(3), children: dice.roll(2) };
            let request = StayRequest { stay, guests, rooms, breakfast: false };
            let region = dice.one_in(2).then(|| usize::try_from(dice.roll(3)).unwrap());
            let asked = StayForm {
                place: region.map(|region| REGIONS[region].1.to_owned()).unwrap_or_default(),
                arrival: stay.arrival().to_string(),
                departure: stay.departure().to_string(),
                adults: guests.adults.to_string(),
                children: guests.children.to_string(),
                rooms: rooms.to_string(),
                sort: "price".into(),
                page: String::new(),
            };
            let expected = expected(&kinds, region, &request);
            let (mut shown, mut page): (Vec<StayCard>, i64) = (Vec::new(), 1);
            let total = loop {
                let list = found(&ctx, StayForm { page: page.to_string(), ..asked.clone() }).await;
                assert!(i64::try_from(list.stays.items.len()).unwrap() <= STAYS_PER_PAGE);
                let last = page >= list.stays.pages();
                shown.extend(list.stays.items);
                if last {
                    break list.stays.total;
                }
                page += 1;
            };
            let by_house: BTreeMap<_, _> = shown.iter().map(|card| (card.product_id.clone(), card.total)).collect();
            assert_eq!(by_house, expected, "{asked:?}");
            assert_eq!((total, shown.len()), (i64::try_from(expected.len()).unwrap(), expected.len()), "each once");
            assert!(shown.is_sorted_by_key(|card| card.total), "the lowest total comes first");
            if expected.is_empty() {
                none += 1;
            } else {
                some += 1;
            }
            // What an order would ask is the same.
            for card in shown.iter().take(2) {
                let quoted = stays::quoted(&ctx, &card.variant_id, &Wish::Stay(request)).await.unwrap();
                assert!(quoted.available);
                assert_eq!(quoted.price, Some(card.total));
            }
            // Where nothing is free, what is offered instead is.
            let near = found(&ctx, asked.clone()).await.near;
            assert!(near.is_empty() || expected.is_empty());
            for other in near {
                let request = StayRequest { stay: other.stay, ..request };
                let least = self::expected(&kinds, region, &request).into_values().min();
                assert_eq!(least, Some(other.total), "{other:?}");
            }
        }
        assert!(some > 10 && none > 0, "{some} found something and {none} nothing");
        let by_sales = found(&ctx, StayForm { rooms: "1".into(), adults: "1".into(), ..asking(2, 1, 1) }).await;
        assert!(by_sales.stays.items.is_sorted_by_key(|card| card.handle.clone()), "what is booked most comes first");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_found_by_its_name_in_any_language_and_a_house_by_its_words() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        for (place, houses) in [
            ("", 1),
            ("深圳", 1),
            ("shenzhen", 1),
            ("广东 深圳", 1),
            ("客栈", 1),
            ("上海", 0),
            ("nowhere%", 0),
            ("推拿", 0),
        ] {
            let list = found(&ctx, StayForm { place: place.into(), ..asking(0, 2, 1) }).await;
            assert_eq!(list.stays.total, houses, "{place}");
        }
        assert_eq!(stays::places(&ctx).await.unwrap(), ["深圳市"]);
        let card = found(&ctx, asking(0, 2, 1)).await.stays.items.remove(0);
        assert_eq!((card.handle.as_str(), card.region.as_str()), ("inn", "广东省 深圳市"));
        assert_eq!((card.total, card.per_night, card.left), (Amount(20_000), Amount(10_000), 2));
        let until = card.free_until.unwrap();
        assert_eq!((until.date, until.minute), (first_day().plus(-3), 0));
        exec(&app, "update product set status = 'archived' where id = 'inn'").await;
        assert_eq!(found(&ctx, asking(0, 2, 1)).await.stays.total, 0);
        assert_eq!(stays::house(&ctx, "inn", asking(0, 2, 1)).await, Err(Error::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_shown_tomorrow_and_what_makes_no_sense_is_told_by_its_field() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        let list = found(&ctx, StayForm::default()).await;
        assert_eq!((list.form.arrival.clone(), list.nights), (list.today.plus(1).to_string(), 1));
        assert_eq!((list.form.adults.as_str(), list.form.rooms.as_str()), ("2", "1"));
        assert_eq!(list.stays.total, 0, "nothing is sold before its first day");
        let past = StayForm { arrival: list.today.plus(-1).to_string(), ..asking(0, 2, 1) };
        let wrong = stays::search(&ctx, past.clone()).await;
        assert_eq!(wrong.map(|list| list.stays.total), Err(Error::field("arrival", Problem::Choice)));
        let house = stays::house(&ctx, "inn", past).await.unwrap();
        assert_eq!(house.wrong, Some(Error::field("arrival", Problem::Choice)));
        assert!(house.rooms.iter().all(|room| room.request.is_none()), "its rooms are shown nevertheless");
        let many = found(&ctx, StayForm { adults: "5".into(), ..asking(0, 2, 1) }).await;
        assert_eq!((many.stays.total, many.rooms_needed), (0, Some(3)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_full_is_shown_with_the_nearest_dates_that_are_free() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        wishes::add(&ctx, "twin", &stay_in(3, 2, 2)).await.unwrap();
        assert_eq!(found(&ctx, asking(3, 2, 1)).await.stays.total, 1, "a cart holds nothing");
        submit(&ctx).await.unwrap();
        let list = found(&ctx, asking(3, 2, 1)).await;
        assert_eq!(list.stays.total, 0);
        let near: Vec<_> = list.near.iter().map(|near| first_day().until(near.stay.arrival())).collect();
        assert_eq!(near, [5, 1, 6], "the nearest first, of two the later");
        let house = stays::house(&ctx, "inn", asking(4, 2, 1)).await.unwrap();
        let twin = &house.rooms[0];
        assert_eq!((twin.problem, twin.price.clone(), twin.left), (Some(RoomProblem::Left(0)), None, 0));
        assert_eq!(twin.near.iter().map(|near| first_day().until(near.stay.arrival())).collect::<Vec<_>>(), [5, 6, 7]);
        let refused = wishes::add(&ctx, "twin", &stay_in(3, 1, 1)).await;
        assert!(matches!(refused, Err(Error::SlotTaken(_))), "{refused:?}");

        let month = stays::nights(&ctx, "twin", &first_day().plus(3).to_string()).await.unwrap();
        let night = month.nights.iter().find(|night| night.date == first_day().plus(3)).unwrap();
        assert_eq!((night.state, night.left), (NightState::SoldOut, 0));
        let days: Vec<_> = month.nights.iter().map(|night| night.date.civil().2).collect();
        assert_eq!(days, (1..=i64::try_from(days.len()).unwrap()).collect::<Vec<_>>(), "a whole month");
        assert_eq!(stays::nights(&ctx, "massage", "").await, Err(Error::NotFound));
        let present = stays::nights(&ctx, "twin", "").await.unwrap();
        assert!(!present.before && present.after);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_of_rooms_that_are_gone_the_cart_offers_others_and_other_nights() {
    both(&[], async |app| {
        venues::open(&app).await;
        // Another room type, dearer, in the same nights.
        for sql in [
            "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
            select 'suite', product_id, 2, 'suite', barcode, choices, price, grams, backorder, active, version
            from variant where id = 'twin'",
            "insert into offer (variant_id, detail, version) select 'suite', detail, version from offer where variant_id = 'twin'",
            "insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open)
            select 'suite', day, price + 5000, min_nights, max_nights, arrival, departure, open from rate where variant_id = 'twin'",
            "insert into capacity (resource_id, unit, total, claimed)
            select 'suite', unit, 1, 0 from capacity where resource_id = 'twin'",
        ] {
            exec(&app, sql).await;
        }
        let (ctx, rival) = (customer(&app).await, customer(&app).await);
        wishes::add(&ctx, "twin", &stay_in(3, 2, 1)).await.unwrap();
        order::save_checkout(&rival, form("张三"), true).await.unwrap();
        wishes::add(&rival, "twin", &stay_in(3, 2, 2)).await.unwrap();
        submit(&rival).await.unwrap();

        let gone = cart::get(&ctx).await.unwrap().bookings.remove(0);
        let near: Vec<_> = gone.near.iter().map(|near| (near.variant_id.as_deref(), near.wish.clone())).collect();
        let expected = [(Some("suite"), 3), (None, 5), (None, 1), (None, 6)].map(|(room, from)| (room, stay_in(from, 2, 1)));
        assert_eq!((gone.available, near.as_slice()), (false, expected.as_slice()));
        assert_eq!(gone.near[1].label, format!("{} – {}", first_day().plus(5), first_day().plus(7)));
        let after = wishes::replace_by(&ctx, &gone.id, Some("suite"), &near[0].1).await.unwrap();
        let [room] = after.bookings.as_slice() else { panic!("one room: {after:?}") };
        assert_eq!((&room.id, room.variant_id.as_str(), room.available), (&gone.id, "suite", true));
        assert_eq!((room.price, room.price_seen), (Amount(30_000), Amount(30_000)));

        // What the cart wants already is not offered for another line of it: there is one of these.
        wishes::replace(&ctx, &gone.id, &stay_in(7, 2, 1)).await.unwrap();
        wishes::add(&later(&ctx), "twin", &stay_in(7, 2, 1)).await.unwrap();
        exec(&app, "update rate set open = false where variant_id = 'twin' and day % 2 = 0").await;
        let cart = cart::get(&ctx).await.unwrap();
        let lines: Vec<_> = cart.bookings.iter().map(|line| (line.variant_id.as_str(), line.available)).collect();
        assert_eq!(lines, [("suite", true), ("twin", false)]);
        assert!(cart.bookings[1].near.is_empty(), "{:?}", cart.bookings[1].near);
        let nobody = wishes::replace_by(&ctx, &gone.id, Some("nothing"), &stay_in(3, 2, 1)).await;
        assert!(matches!(nobody, Err(Error::SlotTaken(_))), "{nobody:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_found_the_last_rooms_as_many_get_one_as_there_are() {
    for (postgres, customers) in [(false, 40), (true, 16)] {
        let shop = Shop::open(postgres).await;
        let app = &shop.app;
        venues::open(app).await;
        let mut ready = Vec::new();
        for _ in 0..customers {
            ready.push(wanting(app, "twin", &stay_in(2, 3, 1)).await);
        }
        assert_eq!((rush(ready).await, balanced(app).await), (2, 2));
        assert_eq!(count(app, "select max(claimed) as n from capacity where resource_id = 'twin'").await, 2);
        let ctx = customer(app).await;
        assert_eq!(found(&ctx, asking(2, 3, 1)).await.stays.total, 0);
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_houses_of_the_demo_shop_can_be_booked() {
    both(&[], async |app| {
        let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        for _ in 0..2 {
            demo_stays::fill(&app, &demo).await.unwrap();
            assert_eq!(count(&app, "select count(*) as n from product where kind = 'stay'").await, 6, "once");
        }
        let sql = "select count(*) as n from category c where c.parent_id is null
            and (select count(*) from product p join category s on s.id = p.category_id where s.parent_id = c.id) = 6";
        assert_eq!(count(&app, sql).await, 1, "one category with all of them below it");
        let ctx = customer(&app).await;
        let mut seen = BTreeMap::new();
        for from in 0..40 {
            let list = found(&ctx, asking(from, 1, 1)).await;
            for card in &list.stays.items {
                assert!(card.image.is_some() && !card.lead.is_empty() && !card.facilities.is_empty(), "{card:?}");
                assert!(!card.room.is_empty() && card.total > Amount::ZERO, "{card:?}");
            }
            for card in list.stays.items {
                *seen.entry(card.handle).or_insert(0) += 1;
            }
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|days| *days > 20), "most nights can be had: {seen:?}");
        let full = count(&app, "select count(*) as n from capacity where total = 0").await;
        assert!(full > 0, "and some are full");
        assert_eq!(horizon::roll(&app, xiadan::server::context::now()).await.unwrap(), 0, "up to the horizon");
        assert_eq!(stays::places(&ctx).await.unwrap().len(), 6);
    })
    .await;
}
