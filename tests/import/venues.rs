//! The restaurants and lines of the demo shop: whoever looks today finds a table tomorrow, and something that leaves.

use super::*;
use xiadan::{
    domain::booking::{
        date::LocalDate,
        seating::TableAsk,
        travel::{DepartureList, TripAsk},
    },
    server::{
        Ctx,
        booking::{demo_tables, demo_trips, tables, trips},
        context::now,
    },
};

/// Imports products of a kind in both languages, and what a file of products cannot say.
async fn filled(shop: &Shop, kind: &str) -> String {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    for locale in [Locale::ZhCn, Locale::En] {
        let file = demo.join(format!("{kind}.{}.csv", locale.tag()));
        let report = shop.run(&file, ImportOptions { locale, ..ImportOptions::default() }).await;
        assert!(report.products == 6 && report.problems.is_empty(), "{kind}: {}", report.text(Locale::En));
    }
    fs::read_to_string(demo.join(format!("{kind}.json"))).unwrap()
}

#[tokio::test]
async fn the_restaurants_of_the_demo_shop_have_tables_and_guests() {
    both(|shop| async move {
        let list = filled(&shop, "tables").await;
        let mut before = 0;
        for again in [false, true] {
            demo_tables::take_over(&shop.app, &list).await.unwrap();
            let claims = shop.rows("select id from claim").await.len();
            assert!(claims > 50 && (!again || claims == before), "no table is taken twice: {before}, {claims}");
            before = claims;
        }
        let ctx = Ctx { locale: Locale::En, ..Ctx::system(&shop.app) };
        // On a Wednesday all of them are open.
        let today = LocalDate::from_day((now() + 8 * 3_600_000).div_euclid(86_400_000));
        let day = today.up_to(today.plus(8)).skip(1).find(|day| day.weekday() == 2).unwrap();
        let asked = TableAsk { date: Some(day), ..TableAsk::default() };
        let list = tables::restaurants(&ctx, &asked).await.unwrap();
        assert_eq!((list.restaurants.len(), list.places.len()), (6, 6));
        for restaurant in &list.restaurants {
            assert!(!restaurant.times.is_empty(), "{}: nothing is free on {day}", restaurant.handle);
            assert!(!restaurant.address.is_empty() && restaurant.image.is_some(), "{}", restaurant.handle);
        }
        assert!(list.places.iter().any(|(_, name)| name == "Hangzhou"), "{:?}", list.places);
    })
    .await;
}

#[tokio::test]
async fn the_lines_of_the_demo_shop_leave_within_a_week() {
    both(|shop| async move {
        let list = filled(&shop, "trips").await;
        let mut before = 0;
        for again in [false, true] {
            demo_trips::take_over(&shop.app, &list).await.unwrap();
            let departures = shop.rows("select id from departure").await.len();
            assert!(departures > 300 && (!again || departures == before), "{before}, {departures}");
            before = departures;
        }
        let ctx = Ctx { locale: Locale::En, ..Ctx::system(&shop.app) };
        for row in shop.rows("select id, handle from product order by handle").await {
            let (id, handle): (String, String) = (row.get("id").unwrap(), row.get("handle").unwrap());
            let on = async |date: Option<LocalDate>| -> DepartureList {
                trips::departures(&ctx, &id, &TripAsk { date, ..TripAsk::default() }).await.unwrap()
            };
            let today = on(None).await;
            // What leaves within the notice cannot be had any more, so a day later is looked at as well.
            let mut open = 0;
            for day in today.date.up_to(today.date.plus(9)) {
                let list = on(Some(day)).await;
                open += list.voyages.iter().flat_map(|voyage| &voyage.fares).filter(|fare| fare.left > 0).count();
            }
            assert!(open > 0, "{handle}: nothing leaves");
            assert!(
                today.places.len() >= 2 && today.places.iter().all(|(_, name)| name.is_ascii() || name.contains('’'))
            );
        }
        let shown =
            shop.rows("select v.id from variant v where not exists (select 1 from offer f where f.variant_id = v.id)");
        assert!(shown.await.is_empty(), "each variant is a fare");
    })
    .await;
}
