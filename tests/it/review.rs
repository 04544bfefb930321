//! Reviews, rule by rule: who writes one, until when, what everybody sees of it, and that its stars always add up.

use crate::{
    door::Door,
    member::{exec, member, number as count, posted, reached_by},
    order::charge,
    privacy::fetched,
    shop::{Piece, both, customer, form, later, place, staff, submit},
    venues::{self, at, massage},
};
use futures::future::join_all;
use xiadan::{
    args,
    domain::{
        Error, Locale,
        booking::after::Mark,
        catalog::ListQuery,
        error::Problem,
        order::State,
        permission::Role,
        privacy::WAY_BACK_MS,
        review::{Draft, EDIT_MS, LineReview, OfficeFilter, Rating, ReviewList, Sort, WRITE_MS, Wanted},
    },
    server::{
        App, Ctx,
        audit::{self, Finding},
        booking::{self, after, wishes},
        catalog, order,
        payment::{self, Settled},
        privacy, review,
    },
};

const MUG: Piece = Piece("mug", 5_000, 100);
const LI: &str = "+8613800138000";

fn draft(stars: i64, body: &str) -> Draft {
    Draft { stars, body: body.to_owned(), ..Draft::default() }
}

/// The same browser at another moment.
fn moment(ctx: &Ctx, now: i64) -> Ctx {
    Ctx { now, ..ctx.clone() }
}

/// A paid order of goods.
async fn paid(ctx: &Ctx) -> String {
    let number = place(ctx, "mug", 1).await.unwrap();
    let money = charge(&ctx.app, &number, None).await;
    assert_eq!(payment::settle(&ctx.app, &money).await, Ok(Settled::Paid));
    number
}

/// The same when the goods have arrived.
async fn received(ctx: &Ctx) -> String {
    let number = paid(ctx).await;
    order::ship(&staff(&ctx.app), &number, "顺丰速运", "SF1234567890").await.unwrap();
    order::complete(ctx, &number).await.unwrap();
    number
}

/// The reviews of the mug, read anew.
async fn shown(ctx: &Ctx, wanted: &Wanted) -> ReviewList {
    review::list(&later(ctx), "mug", wanted).await.unwrap()
}

async fn bodies(ctx: &Ctx, wanted: &Wanted) -> Vec<String> {
    shown(ctx, wanted).await.reviews.into_iter().map(|review| review.body).collect()
}

/// The stars of each product are those of its reviews that are shown, and what its page and the lists say.
async fn add_up(app: &App) -> Rating {
    let sql = "select count(*) as n from product p where
            p.rating_sum <> (select coalesce(sum(r.stars), 0) from review r where r.product_id = p.id and r.hidden_at is null)
            or p.rating_count <> (select count(*) from review r where r.product_id = p.id and r.hidden_at is null)";
    assert_eq!(count(app, sql).await, 0, "the stars do not add up");
    let ctx = Ctx::system(app);
    let rating = catalog::product(&ctx, "mug").await.unwrap().rating;
    let list =
        catalog::list(&ctx, &ListQuery { page: 1, q: Some("马克杯".into()), ..ListQuery::default() }).await.unwrap();
    assert_eq!(list.products.items[0].rating, rating);
    assert_eq!(shown(&ctx, &Wanted::default()).await.rating(), rating);
    rating
}

fn closed() -> Result<(), Error> {
    Err(Error::field("stars", Problem::ReviewClosed))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_got_it_reviews_it_once() {
    both(&[MUG], async |app| {
        let (ctx, stranger) = (customer(&app).await, customer(&app).await);
        let number = place(&ctx, "mug", 1).await.unwrap();
        let early = review::write(&ctx, &number, 0, draft(5, "好")).await;
        assert_eq!(early, Err(Error::OrderClosed(State::ToPay)));
        let money = charge(&app, &number, None).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Paid));
        assert_eq!(review::write(&ctx, &number, 0, draft(5, "好")).await, Err(Error::OrderClosed(State::ToShip)));
        order::ship(&staff(&app), &number, "顺丰速运", "SF1234567890").await.unwrap();
        assert_eq!(review::write(&ctx, &number, 0, draft(5, "好")).await, Err(Error::OrderClosed(State::Shipped)));
        assert_eq!(order::get(&ctx, &number).await.unwrap().lines[0].review, None);
        assert_eq!(review::form(&ctx, &number, 0).await.unwrap().standing, None);
        order::complete(&ctx, &number).await.unwrap();
        let ctx = later(&ctx);

        let form = review::form(&ctx, &number, 0).await.unwrap();
        assert_eq!((form.standing, &*form.name, &form.person), (Some(LineReview::Open), "张**", &None));
        assert_eq!(review::write(&stranger, &number, 0, draft(1, "坏")).await, Err(Error::NotFound));
        assert_eq!(review::form(&stranger, &number, 0).await.err(), Some(Error::NotFound));
        assert_eq!(review::remove(&stranger, &number, 0).await, Err(Error::NotFound));
        assert_eq!(review::write(&ctx, &number, 1, draft(1, "")).await, Err(Error::NotFound), "there is no such line");
        let wrong = review::write(&ctx, &number, 0, draft(0, &"好".repeat(501))).await.unwrap_err();
        assert_eq!(
            (wrong.problem("stars"), wrong.problem("body")),
            (Some(Problem::Required), Some(Problem::TooLong(500)))
        );
        assert_eq!(add_up(&app).await, Rating::default());

        // However often and wherever it is sent.
        let sent = join_all((0..6).map(|_| review::write(&ctx, &number, 0, draft(4, " 好用 ")))).await;
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
        assert_eq!(count(&app, "select count(*) as n from review").await, 1);
        assert_eq!(add_up(&app).await, Rating { sum: 4, count: 1 });
        let list = shown(&stranger, &Wanted::default()).await;
        let one = &list.reviews[0];
        assert_eq!((&*one.author, one.stars, &*one.body, one.changed), ("张**", 4, "好用", false));
        let summary = order::list(&ctx, None, None, 1).await.unwrap();
        let written = LineReview::Written { stars: 4, editable: true };
        assert_eq!(summary.items[0].lines[0].review, Some(written));
        for (table, row) in crate::member::dump(&app).await {
            assert!(!row.contains("张三"), "{table}: {row}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_changed_for_a_while_and_removed_at_any_time() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let (number, other) = (received(&ctx).await, received(&ctx).await);
        let late = moment(&ctx, later(&ctx).now + WRITE_MS);
        assert_eq!(review::write(&late, &other, 0, draft(5, "")).await, closed(), "half a year later");
        let ctx = later(&ctx);
        review::write(&ctx, &number, 0, draft(5, "很好")).await.unwrap();
        review::write(&ctx, &other, 0, draft(2, "一般")).await.unwrap();
        assert_eq!(add_up(&app).await, Rating { sum: 7, count: 2 });
        let last = moment(&ctx, ctx.now + EDIT_MS - 1);
        let anonymous = Draft { anonymous: true, ..draft(3, "用久了一般") };
        review::write(&last, &number, 0, anonymous.clone()).await.unwrap();
        assert_eq!(add_up(&app).await, Rating { sum: 5, count: 2 });
        let list = shown(&ctx, &Wanted { stars: Some(3), ..Wanted::default() }).await;
        assert_eq!((&*list.reviews[0].author, list.reviews[0].changed), ("", true));
        let over = moment(&ctx, ctx.now + EDIT_MS);
        assert_eq!(review::write(&over, &number, 0, draft(1, "坏了")).await, closed());
        assert_eq!(review::write(&over, &number, 0, anonymous).await, Ok(()), "it is written already");
        for _ in 0..2 {
            review::remove(&over, &number, 0).await.unwrap();
        }
        assert_eq!(add_up(&app).await, Rating { sum: 2, count: 1 });
        // While there is time it can be written again.
        review::write(&over, &number, 0, draft(4, "再写一次")).await.unwrap();
        assert_eq!(add_up(&app).await, Rating { sum: 6, count: 2 });
        // Of two who change and remove at the same moment the stars add up.
        let write = review::write(&over, &number, 0, draft(1, "两个标签页"));
        let both = futures::future::join(review::remove(&over, &number, 0), write).await;
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
        add_up(&app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_answers_and_hides_and_its_author_is_told() {
    both(&[MUG], async |app| {
        let li = member(&app, LI).await;
        reached_by(&li, "li@example.com").await;
        let number = received(&li.ctx).await;
        let ctx = later(&li.ctx);
        review::write(&ctx, &number, 0, draft(1, "<a href=\"https://x.test\">便宜货</a>")).await.unwrap();
        let lin = staff(&app);
        let warehouse =
            Ctx { staff: lin.staff.clone().map(|staff| xiadan::domain::office::Staff { role: Role::Warehouse, ..staff }), ..lin.clone() };
        assert_eq!(review::office_list(&ctx, OfficeFilter::All, 1).await.err(), Some(Error::Unauthenticated));
        assert_eq!(review::office_list(&warehouse, OfficeFilter::All, 1).await.err(), Some(Error::Forbidden));
        let of = async |filter| review::office_list(&lin, filter, 1).await.unwrap().items.len();
        assert_eq!((of(OfficeFilter::Unanswered).await, of(OfficeFilter::Low).await), (1, 1));
        let id = review::office_list(&lin, OfficeFilter::All, 1).await.unwrap().items[0].review.id.clone();

        assert_eq!(review::answer(&warehouse, &id, "x").await, Err(Error::Forbidden));
        assert_eq!(review::answer(&lin, &id, " ").await, Err(Error::field("answer", Problem::Required)));
        assert_eq!(review::answer(&lin, "nothing", "x").await, Err(Error::NotFound));
        for _ in 0..2 {
            review::answer(&lin, &id, "我们来看看").await.unwrap();
        }
        review::answer(&lin, &id, "已联系你").await.unwrap();
        let answer = shown(&ctx, &Wanted::default()).await.reviews[0].answer.clone().unwrap();
        assert_eq!((&*answer.text, of(OfficeFilter::Unanswered).await), ("已联系你", 0));

        assert_eq!(review::hide(&lin, &id, "").await, Err(Error::field("reason", Problem::Required)));
        let hidden = join_all((0..4).map(|_| review::hide(&lin, &id, "广告链接"))).await;
        assert!(hidden.iter().all(Result::is_ok), "{hidden:?}");
        assert_eq!(add_up(&app).await, Rating::default());
        assert!(shown(&ctx, &Wanted::default()).await.reviews.is_empty());
        assert_eq!((of(OfficeFilter::Hidden).await, of(OfficeFilter::Low).await), (1, 0));
        let told = posted(&app).await;
        let told: Vec<_> = told.iter().filter(|(to, _)| to == "li@example.com").collect();
        assert_eq!(told.len(), 1, "once: {told:?}");
        assert!(told[0].1.contains("广告链接") && told[0].1.contains(&format!("/orders/{number}/review/0")));
        assert_eq!(review::form(&ctx, &number, 0).await.unwrap().hidden.as_deref(), Some("广告链接"));

        // Changed while it is hidden it stays so, and counts as it is when it is shown again.
        review::write(&ctx, &number, 0, draft(3, "便宜货")).await.unwrap();
        assert_eq!(add_up(&app).await, Rating::default());
        for _ in 0..2 {
            review::show(&lin, &id).await.unwrap();
        }
        assert_eq!((add_up(&app).await, bodies(&ctx, &Wanted::default()).await), (Rating { sum: 3, count: 1 }, vec!["便宜货".to_owned()]));

        // Nobody gets rid of being hidden by removing it.
        review::hide(&lin, &id, "辱骂").await.unwrap();
        review::remove(&ctx, &number, 0).await.unwrap();
        assert_eq!(count(&app, "select count(*) as n from review where body = '' and author = ''").await, 1);
        assert!(review::show(&lin, &id).await.is_err(), "there is nothing to show");
        review::write(&ctx, &number, 0, draft(5, "又来了")).await.unwrap();
        assert_eq!(add_up(&app).await, Rating::default());
        let sql = "select count(*) as n from audit where action in ('review_hidden', 'review_shown', 'review_answered')";
        assert_eq!(count(&app, sql).await, 5);
        let sql = "select count(*) as n from audit where action = 'review_hidden' and detail = '广告链接' and actor = 'staff:lin'";
        assert_eq!(count(&app, sql).await, 1);
        assert!(matches!(audit::verify(&app).await, Ok(Finding::Whole(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_is_rated_by_those_who_were_visited() {
    both(&[MUG], async |app| {
        venues::open(&app).await;
        let ctx = customer(&app).await;
        order::save_checkout(&ctx, form("李雷"), true).await.unwrap();
        wishes::add(&ctx, "massage", &massage(at(14, 0), Some("wu"))).await.unwrap();
        wishes::add(&later(&ctx), "massage", &massage(at(16, 0), Some("li"))).await.unwrap();
        let number = submit(&ctx).await.unwrap();
        let money = charge(&app, &number, None).await;
        assert_eq!(payment::settle(&app, &money).await, Ok(Settled::Paid));
        let done = moment(&staff(&app), at(18, 0));
        after::mark(&done, &number, 0, Mark::Done).await.unwrap();
        assert_eq!(
            review::write(&done_by(&ctx), &number, 0, draft(5, "")).await,
            Err(Error::OrderClosed(State::ToShip))
        );
        after::mark(&done, &number, 1, Mark::NoShow).await.unwrap();
        let ctx = done_by(&ctx);
        assert_eq!(review::form(&ctx, &number, 0).await.unwrap().person.as_deref(), Some("wu"));
        let rated = Draft { person_stars: 4, ..draft(5, "舒服") };
        review::write(&ctx, &number, 0, rated).await.unwrap();
        assert_eq!(review::write(&ctx, &number, 1, draft(1, "")).await, closed(), "nobody was there");
        let list = review::list(&ctx, "spa", &Wanted::default()).await.unwrap();
        assert_eq!((&list.reviews[0].person, &*list.reviews[0].label), (&Some(("wu".to_owned(), 4)), ""), "not when");
        let ratings = async || {
            let choice = booking::choice(&Ctx::system(&app), "massage", Default::default()).await.unwrap();
            let mut rated: Vec<_> =
                choice.workers.into_iter().map(|worker| (worker.id, worker.rating.mean())).collect();
            rated.sort();
            rated
        };
        assert_eq!(ratings().await, [("li".to_owned(), None), ("wu".to_owned(), Some("4.0".to_owned()))]);
        let id = list.reviews[0].id.clone();
        review::hide(&done, &id, "x").await.unwrap();
        assert_eq!(ratings().await[1].1, None, "what is hidden is not counted there either");
        add_up(&app).await;
    })
    .await;
}

/// The customer, when the bookings are over.
fn done_by(ctx: &Ctx) -> Ctx {
    moment(ctx, at(19, 0))
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_are_read_page_by_page_in_the_order_that_is_asked_for() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        for n in 0..23_i64 {
            app.db
                .write::<_, Error>(move |tx| {
                    Box::pin(async move {
                        let sql = "insert into review (id, product_id, variant_id, author, stars, body, written_at,
                                changed_at, version) values ($1, 'p', 'mug', '', $2, $3, $4, $4, 1)";
                        // Some at the same moment.
                        tx.exec(sql, args![format!("r-{n:02}"), n % 5 + 1, n.to_string(), n / 2]).await?;
                        let sql = "update product set rating_sum = rating_sum + $1, rating_count = rating_count + 1
                            where id = 'p'";
                        tx.exec(sql, args![n % 5 + 1]).await?;
                        Ok(())
                    })
                })
                .await
                .unwrap();
        }
        assert_eq!(add_up(&app).await.count, 23);
        assert_eq!(shown(&ctx, &Wanted::default()).await.counts, [5, 5, 5, 4, 4]);
        for sort in Sort::ALL {
            for stars in [None, Some(2)] {
                let (mut seen, mut after) = (Vec::new(), None);
                loop {
                    let list = shown(&ctx, &Wanted { stars, sort, after }).await;
                    assert!(list.reviews.len() <= 10);
                    seen.extend(list.reviews.iter().map(|review| (review.stars, review.written_at, review.id.clone())));
                    after = list.next;
                    if after.is_none() {
                        break;
                    }
                }
                let mut expected = seen.clone();
                expected.sort_by(|a, b| {
                    let newest = (b.1, &b.2).cmp(&(a.1, &a.2));
                    match sort {
                        Sort::Newest => newest,
                        Sort::Highest => b.0.cmp(&a.0).then(newest),
                        Sort::Lowest => a.0.cmp(&b.0).then(newest),
                    }
                });
                assert_eq!(seen, expected, "{sort:?}");
                assert_eq!(seen.len(), if stars.is_some() { 5 } else { 23 });
            }
        }
        let gone = review::list(&ctx, "nothing", &Wanted::default()).await;
        assert_eq!(gone.err(), Some(Error::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_has_them_and_with_the_account_name_and_words_go() {
    both(&[MUG], async |app| {
        let li = member(&app, LI).await;
        let number = received(&li.ctx).await;
        let ctx = later(&li.ctx);
        review::write(&ctx, &number, 0, draft(4, "送给住在科技园的妈妈")).await.unwrap();
        let id = review::office_list(&staff(&app), OfficeFilter::All, 1).await.unwrap().items[0].review.id.clone();
        review::answer(&staff(&app), &id, "祝妈妈安康").await.unwrap();
        let copy = privacy::ask(&li.ctx).await.unwrap();
        assert_eq!(privacy::run_due(&app, li.ctx.now).await, Ok(1));
        let file = String::from_utf8_lossy(&fetched(&li.ctx, &copy.id).await).into_owned();
        for told in ["json/reviews.json", "送给住在科技园的妈妈", "祝妈妈安康", "张**"] {
            assert!(file.contains(told), "{told} is not in the copy");
        }
        privacy::ask_deletion(&li.ctx, String::new()).await.unwrap();
        let over = li.ctx.now + WAY_BACK_MS;
        assert_eq!(privacy::run_due(&app, over).await, Ok(1));
        assert_eq!(count(&app, "select count(*) as n from account").await, 0);
        assert_eq!(add_up(&app).await, Rating { sum: 4, count: 1 }, "the stars are not the person's alone");
        let list = shown(&customer(&app).await, &Wanted::default()).await;
        let left = &list.reviews[0];
        assert_eq!((&*left.author, &*left.body, &left.answer), ("", "", &None));
        assert_eq!(
            count(&app, "select count(*) as n from review where order_id is null and position is null").await,
            1
        );
        for (table, row) in crate::member::dump(&app).await {
            assert!(!row.contains("妈妈") && !row.contains("张**"), "{table}: {row}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_wrote_is_the_accounts_after_signing_in() {
    both(&[MUG], async |app| {
        let (guest, li) = (customer(&app).await, member(&app, LI).await);
        let number = received(&guest).await;
        review::write(&later(&guest), &number, 0, draft(5, "好")).await.unwrap();
        let (shop, from, to) = (app.clone(), guest.customer.clone().unwrap(), li.id.clone());
        app.db
            .write::<_, Error>(move |tx| {
                let (app, from, to) = (shop.clone(), from.clone(), to.clone());
                Box::pin(async move { order::join(tx, &app.keys, &from, &to).await })
            })
            .await
            .unwrap();
        assert_eq!(review::remove(&guest, &number, 0).await, Err(Error::NotFound));
        review::remove(&later(&li.ctx), &number, 0).await.unwrap();
        assert_eq!(add_up(&app).await, Rating::default());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_product_tells_them_as_text_and_without_script() {
    both(&[MUG], async |app| {
        let ctx = customer(&app).await;
        let door = Door::open(&app).await;
        let page = async |path: &str| door.get(path).await.text().await.unwrap();
        let before = page("/p/mug?lang=zh-CN").await;
        assert!(!before.contains("aggregateRating") && !before.contains('★'), "no stars where nobody gave any");
        let number = received(&ctx).await;
        let ctx = later(&ctx);
        review::write(&ctx, &number, 0, draft(4, "<script>alert(1)</script> https://x.test")).await.unwrap();
        let after = page("/p/mug?lang=zh-CN").await;
        assert!(after.contains("&lt;script&gt;alert(1)") && !after.contains("<script>alert(1)"), "{after}");
        assert!(!after.contains("href=\"https://x.test"), "it is no link");
        for told in ["\"ratingValue\":\"4.0\"", "\"reviewCount\":1", "张**", "★ 4.0 (1)"] {
            assert!(after.contains(told), "{told} is not on the page");
        }
        assert!(page("/search?q=马克杯&lang=zh-CN").await.contains("★ 4.0 (1)"));
        let none = page("/p/mug?stars=1&lang=zh-CN").await;
        assert!(!none.contains("alert(1)"), "not those with other stars");

        // What is refused without script stands in the form again, and in no address.
        let id = ctx.customer().unwrap();
        let cookie = format!("xiadan_guest={id}.{}", app.keys.sign("guest", id));
        let other = received(&ctx).await;
        let path = format!("/orders/{other}/review/0");
        let post = async |form: String| {
            let request = door.client.post(format!("{}/api/review/write", door.url)).header("cookie", &cookie);
            let request = request.header("accept", "text/html").header("origin", &door.url);
            let request = request.header("referer", format!("{}{path}", door.url));
            request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
        };
        let refused = post(format!("number={other}&position=0&body=typed+before")).await;
        assert_eq!(refused.status(), 302);
        let address = refused.headers()["location"].to_str().unwrap().to_owned();
        assert!(address.contains(&path) && !address.contains("typed"), "{address}");
        let kept = refused.headers().get_all("set-cookie").iter().filter_map(|set| set.to_str().ok());
        let kept = kept.filter_map(|set| set.split(';').next()).find(|set| set.starts_with("xiadan_typed=")).unwrap();
        let address = if address.starts_with('/') { format!("{}{address}", door.url) } else { address };
        let request =
            door.client.get(&address).header("accept", "text/html").header("cookie", format!("{cookie}; {kept}"));
        let shown = request.send().await.unwrap().text().await.unwrap();
        assert!(shown.contains("typed before"), "{shown}");
        assert!(shown.contains(Locale::default().t(xiadan::domain::texts::problem::REQUIRED)), "{shown}");
        let sent = post(format!("number={other}&position=0&stars=5&body=typed+before&anonymous=true")).await;
        assert_eq!(sent.status(), 302);
        assert!(sent.headers()["location"].to_str().unwrap().starts_with(&format!("/orders/{other}?done=review")));
        assert_eq!(add_up(&app).await, Rating { sum: 9, count: 2 });
        exec(&app, "update product set status = 'archived'").await;
        app.live.all_changed();
        assert_eq!(door.get("/api/review/list?handle=mug").await.status(), 404);
    })
    .await;
}
