//! Rooms: how long it takes to know what is free for some nights, in one place and everywhere.

use crate::load::{goal, median, quantile};
use std::{collections::BTreeMap, time::Instant};
use xiadan::{
    args,
    domain::{
        Error, Locale,
        booking::{
            date::LocalDate,
            lodging::{Beds, StayForm},
            offer::{Offer, Policies, RoomType},
            rates::{Charges, StayRequest},
            stay::{Guests, Occupancy},
            wish::Wish,
        },
        money::Amount,
    },
    server::{
        App, Ctx,
        booking::{
            quote::{Asked, By, quote},
            stays,
        },
        config::Config,
        context::now,
        db::DbError,
        start,
    },
};

const HOUSES: i64 = 1_000;
const ROOM_TYPES: i64 = 5;
const NIGHTS: i64 = 365;
const PLACES: usize = 20;
const SEARCHES: usize = 300;
const EVERYWHERE: usize = 30;
/// The reference is slow: fewer tell enough.
const REFERENCES: usize = 10;

pub async fn all() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let config = Config { data: folder.path().to_owned(), database_url: url, sandbox: true, ..Config::default() };
    let app = start::open(config).await.unwrap();
    let places = places(&app);
    let begin = Instant::now();
    fill(&app, &places).await;
    println!(
        "stays: {HOUSES} houses × {ROOM_TYPES} room types × {NIGHTS} nights made in {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    let ctx = Ctx { locale: Locale::ZhCn, ..Ctx::system(&app) };
    let mut state = 1u64;
    let mut random = |below: i64| {
        // Knuth's linear congruential generator (The Art of Computer Programming, volume 2): the same searches in each run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % below
    };
    let today = LocalDate::from_day(now().div_euclid(86_400_000));
    let mut ask = |place: &str| {
        let arrival = today.plus(2 + random(NIGHTS - 20));
        let (nights, rooms) = (1 + random(5), 1 + random(2));
        StayForm {
            place: place.to_owned(),
            arrival: arrival.to_string(),
            departure: arrival.plus(nights).to_string(),
            adults: (rooms + random(3)).to_string(),
            children: random(2).to_string(),
            rooms: rooms.to_string(),
            sort: "price".into(),
            page: String::new(),
        }
    };
    let here: Vec<_> = (0..SEARCHES).map(|number| ask(&places[number % PLACES].1)).collect();
    let everywhere: Vec<_> = (0..EVERYWHERE).map(|_| ask("")).collect();

    // Each once before, as a shop that runs has its pages in memory.
    stays::search(&ctx, everywhere[0].clone()).await.unwrap();
    let (mut ours, found) = timed(&ctx, &here).await;
    let (mut all, _) = timed(&ctx, &everywhere).await;
    let mut plain = Vec::new();
    for (number, form) in here.iter().enumerate().take(REFERENCES) {
        let begin = Instant::now();
        let expected = reference(&ctx, &places[number % PLACES].0, form).await;
        plain.push(begin.elapsed().as_secs_f64() * 1000.0);
        let list = stays::search(&ctx, form.clone()).await.unwrap();
        let totals: Vec<_> = list.stays.items.iter().map(|card| card.total).collect();
        assert_eq!(totals, expected[..expected.len().min(totals.len())], "both know the same totals");
        assert_eq!(list.stays.total, i64::try_from(expected.len()).unwrap());
    }
    let (p50, p99, plain) = (median(&mut ours), quantile(&mut ours, 0.99), median(&mut plain));
    println!(
        "search of a place: {p50:.1} ms (median of {SEARCHES} that found {found} houses, p99 {p99:.1} ms; {}: 5 ms), {:.3} of asking for the price of every room type as an order does ({plain:.1} ms)",
        goal(p99, 0.0..=5.0),
        p50 / plain,
    );
    println!(
        "search everywhere: {:.1} ms (median of {EVERYWHERE}, p99 {:.1} ms)",
        median(&mut all),
        quantile(&mut all, 0.99)
    );
    app.db.close().await;
}

/// How long each search takes, in milliseconds, and how many houses all of them found.
async fn timed(ctx: &Ctx, forms: &[StayForm]) -> (Vec<f64>, i64) {
    let (mut figures, mut found) = (Vec::new(), 0);
    for form in forms {
        let begin = Instant::now();
        let list = stays::search(ctx, form.clone()).await.unwrap();
        figures.push(begin.elapsed().as_secs_f64() * 1000.0);
        found += list.stays.total;
    }
    (figures, found)
}

/// The lowest total of each house of a region, in order: every room type is asked for as an order asks.
async fn reference(ctx: &Ctx, region: &str, form: &StayForm) -> Vec<Amount> {
    let asked = form.check().unwrap();
    let request = StayRequest { stay: asked.stay, guests: asked.guests, rooms: asked.rooms, breakfast: false };
    let (wish, region, now) = (Wish::Stay(request), region.to_owned(), ctx.now);
    let totals = ctx.app.db.read::<_, Error>(move |tx| {
        let (wish, region) = (wish.clone(), region.clone());
        Box::pin(async move {
            let sql = "select v.id, v.product_id from venue e join variant v on v.product_id = e.product_id where e.region = $1";
            let mut totals: BTreeMap<String, Amount> = BTreeMap::new();
            for row in tx.all(sql, args![region]).await? {
                let variant: String = row.get("id")?;
                let quote = quote(tx, &Asked { variant_id: &variant, wish: &wish, before: &[], now, by: By::Customer }).await?;
                if let Some(total) = quote.price.filter(|_| quote.is_available()) {
                    let least = totals.entry(row.get("product_id")?).or_insert(total);
                    *least = total.min(*least);
                }
            }
            Ok(totals)
        })
    });
    let mut totals: Vec<_> = totals.await.unwrap().into_values().collect();
    totals.sort_unstable();
    totals
}

/// Districts of as many provinces: code and name.
fn places(app: &App) -> Vec<(String, String)> {
    let locale = Locale::ZhCn;
    let first = |code: &str| app.divisions.children(code, locale).into_iter().next();
    let districts = app.divisions.provinces(locale).into_iter().filter_map(|(province, _)| {
        let (city, _) = first(&province)?;
        let (district, _) = first(&city)?;
        let name = app.divisions.name(&district, locale);
        Some((district, name))
    });
    let places: Vec<_> = districts.take(PLACES).collect();
    assert_eq!(places.len(), PLACES);
    places
}

async fn fill(app: &App, places: &[(String, String)]) {
    let (regions, policies) = (
        places.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>(),
        serde_json::to_string(&Policies::default()).unwrap(),
    );
    let first = now().div_euclid(86_400_000);
    app.db
        .write::<_, DbError>(move |tx| {
            let (regions, policies) = (regions.clone(), policies.clone());
            Box::pin(async move {
                for house in 0..HOUSES {
                    let product = format!("01990000-0000-7000-8000-{house:012}");
                    let sql = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at, kind)
                        values ($1, $1, 'active', '', '[]', 1, 1, $2, 0, 0, 'stay')";
                    tx.exec(sql, args![&product, house * 7919 % HOUSES]).await?;
                    let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
                        values ($1, 'zh-CN', $2, $3, '', $2, '[]', '[]', $2)";
                    let description = "窗外就是芦苇和水。".repeat(40);
                    tx.exec(sql, args![&product, format!("酒店 {house}"), description]).await?;
                    let region = &regions[usize::try_from(house).unwrap() % regions.len()];
                    let sql = "insert into venue (product_id, zone, region, address, policies, version)
                        values ($1, 'Asia/Shanghai', $2, '', $3, 1)";
                    tx.exec(sql, args![&product, region, &policies]).await?;
                    for kind in 0..ROOM_TYPES {
                        let variant = format!("01990001-0000-7000-8000-{:012}", house * ROOM_TYPES + kind);
                        let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, backorder, active, version)
                            values ($1, $2, $3, $1, '', '[]', 1, 0, true, true, 1)";
                        tx.exec(sql, args![&variant, &product, house * ROOM_TYPES + kind]).await?;
                        let guests = Guests { adults: 1 + kind % 3, children: kind % 2 };
                        let room = RoomType {
                            occupancy: Occupancy {
                                adults: guests.adults,
                                children: guests.children,
                                guests: guests.count(),
                            },
                            charges: Charges {
                                included_guests: 2,
                                extra_adult: Amount(8_000),
                                extra_child: Amount(4_000),
                                breakfast: Some(Amount(3_800)),
                                tax_basis_points: 600,
                            },
                            beds: Beds::default(),
                            square_metres: 30,
                        };
                        let detail = serde_json::to_string(&Offer::Stay(room)).unwrap();
                        let sql = "insert into offer (variant_id, detail, version) values ($1, $2, 1)";
                        tx.exec(sql, args![&variant, detail]).await?;
                    }
                }
                // Some nights are full, some closed, and on some nobody may arrive.
                let days = "with recursive d (day) as (select $1 union all select day + 1 from d where day < $2)";
                let sql = format!(
                    "{days} insert into rate (variant_id, day, price, min_nights, max_nights, arrival, departure, open)
                    select v.id, d.day, 30000 + (d.day * 7919 + v.position * 104729) % 400 * 100,
                        case when (d.day + v.position) % 11 = 0 then 2 else 1 end, 28, (d.day + v.position) % 9 > 0,
                        (d.day + v.position) % 13 > 0, (d.day * 31 + v.position) % 29 > 0
                    from variant v cross join d"
                );
                tx.exec(sql, args![first, first + NIGHTS - 1]).await?;
                let sql = format!(
                    "{days} insert into capacity (resource_id, unit, total, claimed)
                    select v.id, d.day, 4, (d.day * 13 + v.position * 17) % 5 from variant v cross join d"
                );
                tx.exec(sql, args![first, first + NIGHTS - 1]).await
            })
        })
        .await
        .unwrap();
}
