//! Waiting for what somebody else has booked: what comes free is held for the first in line, and then for the next.

use crate::{
    booking::balanced,
    booking_after::{LI, of_field, owner, paid, states, taken},
    guests::guest,
    member::{Member, exec, number as count, posted},
    privacy::fetched,
    shop::{both, later, staff, submit},
    venues::{self, at, dinner, massage, nights, ride},
};
use futures::future::join_all;
use xiadan::{
    args,
    domain::{
        Error,
        booking::{HOUR_MS, after::OFFER_MS, interval::Interval},
        error::Problem,
        money::Amount,
        order::BookingState,
    },
    server::{
        App,
        booking::{after, agenda, claim, waiting, wishes},
        cart,
        db::DbError,
        order, privacy,
    },
};

const HAN: &str = "+8613900139000";

/// How many were told of a place that came free.
async fn told(app: &App) -> usize {
    posted(app).await.iter().filter(|(_, text)| text.contains("/me/waiting")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_free_is_held_for_the_first_in_line_and_then_for_the_next() {
    both(&[], async |app| {
        venues::open(&app).await;
        let wish = massage(at(14, 0), Some("wu"));
        let (li, han) = (owner(&app, LI, "li@example.com").await, owner(&app, HAN, "han@example.com").await);
        let ctx = guest(&app).await;
        assert_eq!(waiting::wait(&li.ctx, "massage", &wish).await, Err(Error::Conflict), "it can be had");
        wishes::add(&ctx, "massage", &wish).await.unwrap();
        let number = paid(&ctx).await;
        assert_eq!(waiting::wait(&ctx, "massage", &wish).await, Err(Error::Unauthenticated));
        assert_eq!(waiting::wait(&li.ctx, "mug", &wish).await, Err(Error::NotFound));
        let past = massage(1, None);
        let refused = waiting::wait(&li.ctx, "massage", &past).await;
        assert_eq!(refused, of_field("wish", Problem::BookingOver));
        for member in [&li, &li, &han] {
            waiting::wait(&later(&member.ctx), "massage", &wish).await.unwrap();
        }
        let line = async |member: &Member| waiting::list(&member.ctx).await.unwrap();
        assert_eq!((line(&li).await.len(), line(&han).await.len()), (1, 1));
        assert_eq!(line(&li).await[0].held_until, None);

        let now = later(&ctx);
        after::cancel(&now, &number, 0, Amount(20_000)).await.unwrap();
        assert_eq!(line(&li).await[0].held_until, Some(now.now + OFFER_MS), "in the same transaction");
        assert_eq!(line(&han).await[0].held_until, None);
        assert_eq!(balanced(&app).await, 1);
        let told = |email: &'static str| {
            let app = app.clone();
            async move {
                let free = |(to, text): &(String, String)| {
                    to == email && text.contains("推拿") && text.contains("/me/waiting")
                };
                posted(&app).await.iter().filter(|message| free(message)).count()
            }
        };
        assert_eq!((told("li@example.com").await, told("han@example.com").await), (1, 0));
        for (of, free) in [(&ctx, false), (&han.ctx, false), (&li.ctx, true)] {
            let added = wishes::add(&later(of), "massage", &wish).await;
            assert_eq!(added.is_ok(), free, "{:?}", added.err());
        }
        assert!(taken(&wishes::add(&later(&li.ctx), "massage", &wish).await), "once");
        // While the hold lasts it is nobody else's.
        assert_eq!(waiting::run_due(&app, now.now + OFFER_MS - 1).await, Ok(0));

        let over = now.now + OFFER_MS;
        assert_eq!(waiting::run_due(&app, over).await, Ok(1));
        assert_eq!(waiting::run_due(&app, over).await, Ok(0));
        assert_eq!((line(&li).await.len(), line(&han).await[0].held_until), (0, Some(over + OFFER_MS)));
        assert_eq!((told("li@example.com").await, told("han@example.com").await), (1, 1));
        assert!(!cart::get(&li.ctx).await.unwrap().bookings[0].available, "it was not taken in time");

        wishes::add(&later(&han.ctx), "massage", &wish).await.unwrap();
        let theirs = submit(&later(&han.ctx)).await.unwrap();
        assert_eq!((balanced(&app).await, line(&han).await.len()), (1, 0));
        assert_eq!(waiting::run_due(&app, over + OFFER_MS).await, Ok(0), "it is the order's now");
        assert_eq!(states(&han.ctx, &theirs).await, [BookingState::Booked]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_can_be_waited_for_unless_nobody_could_ever_have_it() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, li) = (guest(&app).await, owner(&app, LI, "li@example.com").await);
        let all = [
            ("twin", nights(0, 1, 2)),
            ("massage", massage(at(14, 0), Some("wu"))),
            ("massage", massage(at(14, 0), Some("li"))),
            ("table", dinner(at(18, 0), 4)),
            ("coach", ride("counted", (0, 1), &[], 3)),
        ];
        for (variant, wish) in &all {
            wishes::add(&later(&ctx), variant, wish).await.unwrap();
        }
        let number = paid(&ctx).await;
        for (variant, wish) in [
            ("twin", nights(9, 2, 1)),
            ("massage", massage(at(3, 0), None)),
            ("massage", massage(at(14, 1), None)),
            ("table", dinner(at(3, 0), 2)),
            ("table", dinner(at(18, 0), 5)),
            ("coach", ride("counted", (0, 1), &[], 4)),
            ("coach", ride("mapped", (0, 1), &[], 1)),
        ] {
            let refused = waiting::wait(&li.ctx, variant, &wish).await;
            assert_eq!(refused, of_field("wish", Problem::Choice), "{variant} {wish:?}");
        }
        let wanted = [
            ("twin", nights(0, 1, 1)),
            ("massage", massage(at(14, 15), None)),
            ("table", dinner(at(18, 0), 2)),
            ("coach", ride("counted", (0, 1), &[], 2)),
        ];
        for (variant, wish) in &wanted {
            assert_eq!(waiting::wait(&later(&li.ctx), variant, wish).await, Ok(()), "{variant}");
        }
        order::cancel(&ctx, &number).await.unwrap();
        waiting::look(&app, later(&li.ctx).now).await.unwrap();
        let line = waiting::list(&li.ctx).await.unwrap();
        assert_eq!((line.len(), line.iter().filter(|one| one.held_until.is_some()).count()), (4, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_no_longer_makes_way_and_what_is_unblocked_is_offered() {
    both(&[], async |app| {
        venues::open(&app).await;
        let wish = massage(at(14, 0), Some("wu"));
        let (li, han) = (owner(&app, LI, "li@example.com").await, owner(&app, HAN, "han@example.com").await);
        let block = app.db.write::<_, Error>(move |tx| {
            let time = Interval { start: at(14, 0), end: at(14, 0) + HOUR_MS };
            Box::pin(async move { claim::block(tx, "wu", time, "").await })
        });
        let block = block.await.unwrap().unwrap();
        for member in [&li, &han] {
            waiting::wait(&later(&member.ctx), "massage", &wish).await.unwrap();
        }
        let now = later(&li.ctx).now;
        waiting::look(&app, now).await.unwrap();
        assert_eq!(waiting::list(&li.ctx).await.unwrap()[0].held_until, None);
        let freed = app.db.write::<_, Error>(move |tx| {
            let block = block.clone();
            Box::pin(async move { claim::unblock(tx, &block).await })
        });
        freed.await.unwrap();
        for _ in 0..2 {
            waiting::look(&app, now).await.unwrap();
        }
        let of = async |member: &Member| waiting::list(&member.ctx).await.unwrap().first().map(|one| one.held_until);
        assert_eq!((of(&li).await, of(&han).await), (Some(Some(now + OFFER_MS)), Some(None)));
        let id = waiting::list(&li.ctx).await.unwrap()[0].id.clone();
        waiting::stop(&han.ctx, &id).await.unwrap();
        assert_eq!(of(&li).await, Some(Some(now + OFFER_MS)), "only one's own");
        for _ in 0..2 {
            waiting::stop(&later(&li.ctx), &id).await.unwrap();
        }
        assert_eq!((of(&li).await, balanced(&app).await), (None, 1));
        assert!(matches!(of(&han).await, Some(Some(_))), "the next in line has it");
        // An account that is gone leaves a hold that ends like any other.
        exec(&app, "delete from waiting").await;
        let over = now + 3 * OFFER_MS;
        assert_eq!((waiting::run_due(&app, over).await, balanced(&app).await), (Ok(1), 0));
        wishes::add(&han.ctx, "massage", &wish).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_waited_for_is_in_the_copy_of_an_account_and_goes_with_it() {
    both(&[], async |app| {
        venues::open(&app).await;
        let ctx = guest(&app).await;
        let li = owner(&app, LI, "li@example.com").await;
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        paid(&ctx).await;
        waiting::wait(&li.ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        let copy = privacy::ask(&li.ctx).await.unwrap();
        assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(1));
        let file = String::from_utf8_lossy(&fetched(&li.ctx, &copy.id).await).into_owned();
        assert!(privacy::COVERED.contains(&"waiting"));
        for told in ["json/waiting.json", "sku,wish,asked_at,offered_at,expires_at", "massage"] {
            assert!(file.contains(told), "{told} is not in the copy");
        }
        assert_eq!(count(&app, "select count(*) as n from waiting").await, 1);
        exec(&app, "delete from account").await;
        exec(&app, "delete from customer where id not in (select customer_id from orders)").await;
        assert_eq!(count(&app, "select count(*) as n from waiting").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_held_once_however_many_offer_it_and_is_not_given_back_as_blocked_time() {
    both(&[], async |app| {
        venues::open(&app).await;
        let (ctx, li) = (guest(&app).await, owner(&app, LI, "li@example.com").await);
        wishes::add(&ctx, "twin", &nights(0, 1, 2)).await.unwrap();
        paid(&ctx).await;
        waiting::wait(&li.ctx, "twin", &nights(0, 1, 1)).await.unwrap();
        exec(&app, "update capacity set total = 4 where resource_id = 'twin'").await;
        let now = later(&li.ctx).now;
        let looked = join_all((0..6).map(|_| waiting::look(&app, now))).await;
        assert!(looked.iter().all(Result::is_ok), "{looked:?}");
        let held = "select count(*) as n from claim where waiting_id is not null and state = 'active'";
        assert_eq!((count(&app, held).await, told(&app).await, balanced(&app).await), (1, 1, 2));
        let id = app.db.one("select id from claim where waiting_id is not null", args![]).await.unwrap();
        agenda::unblock(&staff(&app), &id.get::<String>("id").unwrap()).await.unwrap();
        assert_eq!((count(&app, held).await, balanced(&app).await), (1, 2));
        assert_eq!(waiting::run_due(&app, now + OFFER_MS).await, Ok(1));
        assert_eq!(balanced(&app).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_for_something_else_keeps_nobody_from_a_place() {
    both(&[], async |app| {
        venues::open(&app).await;
        let wish = massage(at(14, 0), Some("wu"));
        let (li, han) = (owner(&app, LI, "li@example.com").await, owner(&app, HAN, "han@example.com").await);
        let ctx = guest(&app).await;
        wishes::add(&ctx, "massage", &wish).await.unwrap();
        let number = paid(&ctx).await;
        // Nothing begins then, so that nothing comes free.
        let others: Vec<_> = (1..=120).map(|n| (format!("other-{n}"), massage(at(14, 0) + n, None).text())).collect();
        let person = han.id.clone();
        let written = app.db.write::<_, DbError>(move |tx| {
            let (others, person) = (others.clone(), person.clone());
            Box::pin(async move {
                for (id, wish) in others {
                    let sql = "insert into waiting (id, customer_id, variant_id, wish, locale, asked_at, until_at)
                        values ($1, $2, 'massage', $3, 'zh-CN', 0, $4)";
                    tx.exec(sql, args![id, &person, wish, at(14, 0)]).await?;
                }
                Ok(())
            })
        });
        written.await.unwrap();
        waiting::wait(&later(&li.ctx), "massage", &wish).await.unwrap();
        let now = later(&ctx);
        after::cancel(&now, &number, 0, Amount(20_000)).await.unwrap();
        waiting::look(&app, now.now).await.unwrap();
        let line = waiting::list(&li.ctx).await.unwrap();
        assert_eq!(line[0].held_until, Some(now.now + OFFER_MS));
        assert_eq!((told(&app).await, balanced(&app).await), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_told_keeps_nobody_from_giving_up_and_nobody_from_a_place() {
    both(&[], async |app| {
        venues::open(&app).await;
        let wish = massage(at(14, 0), Some("wu"));
        let (li, han) = (owner(&app, LI, "li@example.com").await, owner(&app, HAN, "han@example.com").await);
        let ctx = guest(&app).await;
        wishes::add(&ctx, "massage", &wish).await.unwrap();
        let number = paid(&ctx).await;
        for member in [&li, &han] {
            waiting::wait(&later(&member.ctx), "massage", &wish).await.unwrap();
        }
        let person = li.id.clone();
        let spoilt = app.db.write::<_, DbError>(move |tx| {
            let person = person.clone();
            Box::pin(async move {
                let sql = "update account_target set target_sealed = (select note_sealed from orders limit 1)
                    where customer_id = $1";
                tx.exec(sql, args![person]).await
            })
        });
        assert!(spoilt.await.unwrap() > 0);
        let now = later(&ctx);
        after::cancel(&now, &number, 0, Amount(20_000)).await.unwrap();
        assert_eq!(waiting::list(&li.ctx).await.unwrap()[0].held_until, Some(now.now + OFFER_MS));
        let over = now.now + OFFER_MS;
        assert_eq!(waiting::run_due(&app, over).await, Ok(1));
        assert_eq!(waiting::list(&han.ctx).await.unwrap()[0].held_until, Some(over + OFFER_MS));
        assert_eq!((told(&app).await, balanced(&app).await), (1, 1));
    })
    .await;
}
