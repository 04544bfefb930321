//! What the office sets of rooms: prices and rules of nights, how many rooms there are, and that nights open as days go by.

use crate::{
    booking::balanced,
    booking_stay::{asking, found},
    member::{exec, number as count},
    shop::{both, customer, form, staff, submit},
    venues::{self, first_day, nights as stay_in},
};
use xiadan::{
    args,
    domain::{
        Error,
        booking::{
            keeping::{RateForm, RoomsForm},
            lodging::{NightState, RoomProblem},
            offer::Policies,
            rates::StayProblem,
        },
        error::Problem,
        money::Amount,
    },
    server::{
        booking::{horizon, rates, stays, wishes},
        db::DbError,
        order,
    },
};

fn rate_form(first: i64, last: i64) -> RateForm {
    RateForm {
        first: first_day().plus(first).to_string(),
        last: first_day().plus(last).to_string(),
        ..RateForm::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_closes_days_to_arrival_and_asks_for_longer_stays() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, office) = (customer(&app).await, staff(&app));
        let problem = async |from: i64, nights: i64| {
            let house = stays::house(&ctx, "inn", asking(from, nights, 1)).await.unwrap();
            // The search and the order say the same.
            let listed = found(&ctx, asking(from, nights, 1)).await.stays.total == 1;
            let quoted = stays::quoted(&ctx, "twin", &stay_in(from, nights, 1)).await.unwrap().available;
            assert_eq!((listed, quoted), (house.rooms[0].problem.is_none(), house.rooms[0].problem.is_none()));
            house.rooms[0].problem
        };
        let rule = |problem| Some(RoomProblem::Rule(problem));
        assert_eq!(problem(2, 2).await, None);

        let closed = RateForm { arrival: "no".into(), departure: "no".into(), ..rate_form(2, 2) };
        rates::set_rates(&office, "twin", &closed).await.unwrap();
        assert_eq!(problem(2, 2).await, rule(StayProblem::ClosedToArrival));
        assert_eq!(problem(1, 3).await, None, "it can be slept through");
        assert_eq!(problem(1, 1).await, rule(StayProblem::ClosedToDeparture));
        let month = stays::nights(&ctx, "twin", &first_day().plus(2).to_string()).await.unwrap();
        let night = month.nights.iter().find(|night| night.date == first_day().plus(2)).unwrap();
        assert_eq!((night.state, night.price), (NightState::NoArrival, Some(Amount(10_000))));

        let longer = RateForm { min_nights: "3".into(), price: "150".into(), ..rate_form(5, 6) };
        rates::set_rates(&office, "twin", &longer).await.unwrap();
        rates::set_rates(&office, "twin", &longer).await.unwrap();
        assert_eq!(problem(5, 2).await, rule(StayProblem::TooShort(3)));
        let list = found(&ctx, asking(5, 3, 1)).await;
        assert_eq!(list.stays.items[0].total, Amount(2 * 15_000 + 10_000));
        let shorter = RateForm { max_nights: "2".into(), ..rate_form(5, 6) };
        let refused = rates::set_rates(&office, "twin", &shorter).await;
        assert!(refused.is_err_and(|error| error.problem("max_nights").is_some()));

        rates::set_rates(&office, "twin", &RateForm { open: "no".into(), ..rate_form(8, 8) }).await.unwrap();
        assert_eq!(problem(7, 2).await, rule(StayProblem::Closed(first_day().plus(8))));
        let month = rates::month(&office, "twin", &first_day().plus(8).to_string()).await.unwrap();
        let night = month.nights.iter().find(|night| night.date == first_day().plus(8)).unwrap();
        assert!(night.night.is_some_and(|night| night.closed));
        assert_eq!((night.total, night.claimed), (2, 0));
        assert_eq!(rates::set_rates(&office, "massage", &longer).await, Err(Error::NotFound), "no room type");
        assert_eq!(rates::set_rates(&ctx, "twin", &longer).await, Err(Error::Unauthenticated));
        let houses = rates::houses(&office, None, 1).await.unwrap();
        assert_eq!(houses.items.len(), 1);
        assert_eq!(houses.items[0].rooms, [("twin".to_owned(), "twin".to_owned())]);
        assert_eq!(rates::houses(&office, Some("推拿"), 1).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_fewer_rooms_than_are_claimed() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, office) = (customer(&app).await, staff(&app));
        order::save_checkout(&ctx, form("张三"), true).await.unwrap();
        wishes::add(&ctx, "twin", &stay_in(3, 2, 2)).await.unwrap();
        submit(&ctx).await.unwrap();
        let rooms = |from: i64, to: i64, total: &str| RoomsForm {
            from: first_day().plus(from).to_string(),
            to: first_day().plus(to).to_string(),
            on: "all".into(),
            total: total.into(),
        };
        let refused = rates::set_rooms(&office, "twin", &rooms(0, 6, "1")).await;
        assert!(
            matches!(refused, Err(ref error) if matches!(error.problem("total"), Some(Problem::Range(2, _)))),
            "{refused:?}"
        );
        let sum = "select cast(sum(total) as bigint) as n from capacity where resource_id = 'twin'";
        assert_eq!(count(&app, sum).await, 20, "nothing was changed");
        rates::set_rooms(&office, "twin", &rooms(0, 2, "1")).await.unwrap();
        rates::set_rooms(&office, "twin", &rooms(3, 4, "5")).await.unwrap();
        // Nights that had no rooms yet get some.
        rates::set_rooms(&office, "twin", &rooms(10, 11, "4")).await.unwrap();
        assert_eq!(count(&app, sum).await, 20 - 3 + 6 + 8);
        assert_eq!(balanced(&app).await, 1);
        assert_eq!(found(&ctx, asking(3, 2, 3)).await.stays.total, 1);
        assert_eq!(found(&ctx, asking(3, 2, 4)).await.stays.total, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_open_as_days_go_by_where_the_house_wants_it() {
    both(&[], async |app| {
        venues::open(&app).await;
        let now = xiadan::server::context::now();
        assert_eq!(horizon::roll(&app, now).await.unwrap(), 0, "this house does not");
        let policies = Policies { rolls_on: true, ..Policies::default() };
        let policies = Policies {
            limits: xiadan::domain::booking::schedule::Limits { horizon_days: 60, ..policies.limits },
            ..policies
        };
        let policies = serde_json::to_string(&policies).unwrap();
        app.db
            .write::<_, DbError>(move |tx| {
                let policies = policies.clone();
                Box::pin(async move {
                    tx.exec("update venue set policies = $1 where product_id = 'inn'", args![policies]).await?;
                    tx.exec("update rate set price = 77700 where variant_id = 'twin' and day % 7 = 0", args![]).await
                })
            })
            .await
            .unwrap();
        // A house that is looked at before it, and whose rules cannot be read.
        exec(&app, "update venue set policies = '{' where product_id = 'bus'").await;
        exec(&app, "update product set kind = 'stay' where id = 'bus'").await;
        // Ten nights from the thirtieth day on are there; those up to the sixtieth come, the same weekdays at the same price.
        assert_eq!(horizon::roll(&app, now).await.unwrap(), 21);
        exec(&app, "update product set kind = 'trip' where id = 'bus'").await;
        assert_eq!(horizon::roll(&app, now).await.unwrap(), 0, "doing it twice is once");
        assert_eq!(count(&app, "select count(*) as n from rate where (price = 77700) <> (day % 7 = 0)").await, 0);
        let ctx = customer(&app).await;
        assert_eq!(found(&ctx, asking(25, 3, 2)).await.stays.total, 1);
        assert!(horizon::run_due(&app, now).await.unwrap());
        assert!(!horizon::run_due(&app, now).await.unwrap(), "once on each day");
    })
    .await;
}
