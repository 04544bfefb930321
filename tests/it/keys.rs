//! Keys are replaced while the shop serves: everything can be read before, meanwhile and after.

use crate::{
    authenticator::Authenticator,
    member::{Member, columns, exec, member, number},
    privacy::fetched,
    second,
    shop::{Piece, Shop, both, form, place, submit},
    venues::{self, at, massage},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::fs;
use xiadan::{
    args,
    domain::{Error, account::Target, address_book::AddressInput},
    server::{
        App,
        account::{addresses, code, passkey, profile},
        audit::{self, Finding},
        booking::{
            travellers::{self, Traveller},
            wishes,
        },
        context::now,
        crypto::Keys,
        keys::{self, ANNOUNCED_MS, COLUMNS, GRACE_MS, Progress},
        message, order, privacy, start,
    },
};

const MUG: Piece = Piece("mug", 5_000, 1_000);
const LI: &str = "+8613800138000";
/// More than are sealed anew at once.
const ORDERS: usize = 55;

struct Filled {
    li: Member,
    device: Authenticator,
    orders: Vec<String>,
    code: String,
    copy: String,
}

/// A shop in which every column that holds sealed values has some.
async fn fill(app: &App) -> Filled {
    let li = member(app, LI).await;
    profile::set(&li.ctx, "李雷雷", "lilei").await.unwrap();
    let address = AddressInput { contact: form("张三"), ..Default::default() };
    addresses::save(&li.ctx, address.clone(), false).await.unwrap();
    addresses::save(&li.ctx, address, true).await.unwrap();
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(place(&li.ctx, "mug", 1).await.unwrap());
    }
    venues::open(app).await;
    wishes::add(&li.ctx, "massage", &massage(at(14, 0), None)).await.unwrap();
    let people = [Traveller { name: "韩梅梅".into(), document: String::new() }];
    travellers::set(&li.ctx, &submit(&li.ctx).await.unwrap(), 0, &people).await.unwrap();
    let change = xiadan::domain::order::OrderChange { version: 9, ..Default::default() };
    assert_eq!(order::change_form(&li.ctx, &orders[0], change, false).await, Err(Error::Conflict));
    let code = code::send(&li.ctx, Target::Email("li@example.com".into())).await.unwrap().id;
    let copy = privacy::ask(&li.ctx).await.unwrap().id;
    assert_eq!(privacy::run_due(app, li.ctx.now).await, Ok(1));
    exec(
        app,
        "insert into account_target (customer_id, kind, target_hash, target_sealed, verified_at)
        select customer_id, 'email', 'x', target_sealed, 0 from account_target",
    )
    .await;
    // Sealed to its own place.
    let sealed = profile::seal_target(&app.keys, &li.id, &Target::Email("li@example.com".into())).unwrap();
    app.db
        .write::<_, Error>(move |tx| {
            let sealed = sealed.clone();
            Box::pin(async move {
                let sql = "update account_target set target_sealed = $1 where kind = 'email'";
                Ok(tx.exec(sql, args![sealed]).await?)
            })
        })
        .await
        .unwrap();
    second::turn_on(&li.ctx).await;
    let mut device = Authenticator::new("http://localhost:3000");
    let begun = passkey::begin_registration(&li.ctx, String::new()).await.unwrap();
    passkey::finish_registration(&li.ctx, &begun.id, &device.create(&begun.options)).await.unwrap();
    passkey::begin_sign_in(&li.ctx).await.unwrap();
    for column in COLUMNS {
        let sql = format!("select count({}) as n from {}", column.column, column.table);
        assert_ne!(app.db.one(sql, args![]).await.unwrap().get::<i64>("n").unwrap(), 0, "{column:?} is tried");
    }
    Filled { li, device, orders, code, copy }
}

/// Opens everything.
async fn read(app: &App, filled: &Filled) {
    let Filled { li, device, orders, code, copy } = filled;
    let ctx = xiadan::server::Ctx { app: app.clone(), ..li.ctx.clone() };
    for number in orders {
        let order = order::get(&ctx, number).await.unwrap();
        assert_eq!((&*order.contact.recipient, &*order.note), ("张三", "放门口"));
    }
    let row = app.db.one("select order_id, person_sealed from traveller", args![]).await.unwrap();
    let (order, sealed): (String, Vec<u8>) = (row.get("order_id").unwrap(), row.get("person_sealed").unwrap());
    assert_eq!(travellers::open(&app.keys, (&order, 0, 0), &sealed).unwrap().name, "韩梅梅");
    assert_eq!(profile::name(&ctx, &li.id).await.unwrap(), "李雷雷");
    let saved = addresses::list(&ctx).await.unwrap();
    assert_eq!(saved.iter().map(|address| &*address.contact.recipient).collect::<Vec<_>>(), ["张三"]);
    assert_eq!(addresses::page(&ctx, None, true).await.unwrap().input.contact.recipient, "张三");
    let targets = profile::targets(&ctx, &li.id).await.unwrap();
    assert_eq!(targets, [Target::Email("li@example.com".into()), Target::Phone(LI.into())]);
    assert_eq!(order::checkout(&ctx, None).await.unwrap().form.recipient, "张三");
    assert!(order::edit(&ctx, &orders[0], true).await.is_ok());
    assert_eq!(passkey::list(&ctx).await.unwrap().keys.len(), 1);
    let begun = passkey::begin_sign_in(&ctx).await.unwrap();
    let shown = passkey::show(&ctx, &begun.id, &device.clone().get(&begun.options)).await.unwrap();
    assert_eq!(shown.customer, li.id);
    // It was looked at only, which counts as a try.
    exec(app, "delete from attempt").await;
    assert_eq!(code::show(&ctx, code).await.unwrap().masked, "l***@example.com");
    for row in app.db.all("select payload from outbox where kind = 'message'", args![]).await.unwrap() {
        let message = message::open(app, &row.get::<String>("payload").unwrap()).unwrap();
        assert_eq!(message.to.value(), "li@example.com");
    }
    assert!(fetched(&ctx, copy).await.starts_with(b"PK"));
    assert_eq!(second::codes(&ctx).await.len(), 10);
    let row = app.db.one("select owner, secret_sealed from second_factor", args![]).await.unwrap();
    let place = format!("second_factor.secret:{}", row.get::<String>("owner").unwrap());
    assert_eq!(app.keys.open(&row.get::<Vec<u8>>("secret_sealed").unwrap(), &place).unwrap().len(), 20);
}

/// The ids of the keys under which values lie.
async fn in_use(app: &App) -> Vec<u8> {
    let mut ids = Vec::new();
    for column in COLUMNS {
        let (table, name) = (column.table, column.column);
        let sql = format!("select {name} as value from {table} where {name} is not null");
        for row in app.db.all(sql, args![]).await.unwrap() {
            ids.push(match row.get::<Vec<u8>>("value") {
                Ok(sealed) => sealed[0],
                Err(_) => match STANDARD_NO_PAD.decode(row.get::<String>("value").unwrap()) {
                    Ok(sealed) => sealed[0],
                    Err(_) => continue,
                },
            });
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Takes steps until something else than a batch comes.
async fn steps(app: &App, now: i64) -> Progress {
    loop {
        match keys::step(app, now).await.unwrap() {
            Progress::Resealed(_) => {}
            other => return other,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_readable_during_and_after_a_rotation_and_none_is_left_behind() {
    both(&[MUG], async |app| {
        let mut filled = fill(&app).await;
        assert_eq!(in_use(&app).await, [1]);
        let old = Keys::load(&app.config.data.join("master.key")).unwrap().unwrap();
        // In the past, so that a shop that opens meanwhile uses the new key by its own clock.
        let begin = now() - ANNOUNCED_MS - GRACE_MS - 60_000;
        assert_eq!(keys::step(&app, begin).await, Ok(Progress::Done), "nothing to do");
        assert_eq!(keys::rotate(&app, begin).await, Ok(2));
        assert_eq!(keys::rotate(&app, begin).await, Ok(2), "twice is once");
        let active = begin + ANNOUNCED_MS;
        assert_eq!(keys::step(&app, active - 1).await, Ok(Progress::Announced(active)));
        assert_eq!(app.keys.present(), 1);

        // A few steps, with customers in between; then this process is gone.
        for _ in 0..4 {
            assert!(matches!(keys::step(&app, active).await, Ok(Progress::Resealed(_))));
            read(&app, &filled).await;
            filled.orders.push(place(&filled.li.ctx, "mug", 1).await.unwrap());
        }
        assert_eq!(app.keys.present(), 2);
        assert_eq!(in_use(&app).await, [1, 2], "in the middle of it");
        let mark: String =
            app.db.one("select done_to from data_key where id = 2", args![]).await.unwrap().get("done_to").unwrap();
        let other = start::open(app.config.clone()).await.unwrap();
        read(&other, &filled).await;
        assert!(matches!(keys::step(&other, active).await, Ok(Progress::Resealed(_))));
        let next: String =
            app.db.one("select done_to from data_key where id = 2", args![]).await.unwrap().get("done_to").unwrap();
        assert_ne!(mark, next, "it goes on where the first one was");

        // Two nodes at once, up to the end of the first pass.
        let (one, two) = tokio::join!(steps(&app, active), steps(&other, active));
        let waiting = Progress::Waiting(active + GRACE_MS);
        assert_eq!((one, two), (waiting.clone(), waiting));
        assert_eq!(in_use(&app).await, [2]);
        read(&app, &filled).await;
        // A node that was late had still sealed under the old key.
        let row = app.db.one("select id from orders where number = $1", args![&filled.orders[7]]).await.unwrap();
        let id: String = row.get("id").unwrap();
        let note = old.seal("放门口".as_bytes(), &format!("orders.note:{id}")).unwrap();
        app.db
            .write::<_, Error>(move |tx| {
                let (id, note) = (id.clone(), note.clone());
                Box::pin(async move {
                    Ok(tx.exec("update orders set note_sealed = $2 where id = $1", args![id, note]).await?)
                })
            })
            .await
            .unwrap();
        read(&other, &filled).await;

        assert_eq!(steps(&other, active + GRACE_MS).await, Progress::Done);
        assert_eq!(steps(&app, active + GRACE_MS).await, Progress::Done);
        assert_eq!(in_use(&app).await, [2], "nothing is under the old key");
        assert_eq!(number(&app, "select count(*) as n from data_key where purpose = 'sealing'").await, 1);
        for shop in [&app, &other] {
            read(shop, &filled).await;
        }
        let fresh = start::open(app.config.clone()).await.unwrap();
        read(&fresh, &filled).await;
        assert!(matches!(audit::verify(&fresh).await, Ok(Finding::Whole(_))));
        assert_eq!(fresh.keys.open(&old.seal(b"x", "y").unwrap(), "y").ok(), None, "the old key is no longer known");

        assert_eq!(keys::rotate(&app, active + GRACE_MS).await, Ok(3), "and again");
        for shop in [other, fresh] {
            shop.db.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_stays_while_something_does_not_open() {
    both(&[MUG], async |app| {
        let li = member(&app, LI).await;
        let order = place(&li.ctx, "mug", 1).await.unwrap();
        let begin = now();
        keys::rotate(&app, begin).await.unwrap();
        exec(&app, "update customer set checkout_sealed = (select note_sealed from orders)").await;
        let after = begin + ANNOUNCED_MS + GRACE_MS;
        let Progress::Stuck { unreadable: 1, next } = steps(&app, after).await else { panic!("it went on") };
        assert_eq!(number(&app, "select count(*) as n from data_key where purpose = 'sealing'").await, 2);
        assert_eq!(order::get(&li.ctx, &order).await.unwrap().note, "放门口");
        exec(&app, "update customer set checkout_sealed = null").await;
        assert!(matches!(keys::step(&app, next - 1).await, Ok(Progress::Stuck { .. })));
        assert_eq!(steps(&app, next).await, Progress::Done);
        assert_eq!(order::get(&li.ctx, &order).await.unwrap().note, "放门口");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_opens_what_the_first_one_sealed() {
    for postgres in [false, true] {
        let shop = Shop::open(postgres).await;
        shop.sell(&[MUG]).await;
        let app = shop.app.clone();
        let filled = fill(&app).await;
        let (file, other) = (app.config.data.join("master.key"), app.config.data.join("other.key"));
        let master = Keys::load_or_create(&other).unwrap();
        keys::rotate(&app, now()).await.unwrap();
        assert_eq!(keys::wrap_anew(&app, &master, now()).await, Err(Error::Conflict), "not during a rotation");
        let later = now() + ANNOUNCED_MS + GRACE_MS;
        assert_eq!(steps(&app, later).await, Progress::Done);
        keys::wrap_anew(&app, &master, now()).await.unwrap();
        read(&app, &filled).await;

        let failure = start::open(app.config.clone()).await.err().unwrap().to_string();
        assert!(failure.contains("is not the database's: put the key file"), "{failure}");
        fs::rename(&other, &file).unwrap();
        let again = start::open(app.config.clone()).await.unwrap();
        read(&again, &filled).await;
        // What is found and signed by keys is found and signed as before.
        assert_eq!(again.keys.sign("guest", "x"), app.keys.sign("guest", "x"));
        assert!(matches!(audit::verify(&again).await, Ok(Finding::Whole(_))));
        again.db.close().await;
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_with_sealed_values_is_sealed_anew() {
    both(&[], async |app| {
        for (table, column) in columns(&app).await {
            let listed = COLUMNS.iter().any(|known| known.table == table && known.column == column);
            assert!(listed || !column.ends_with("_sealed"), "{table}.{column} would be lost with its key");
        }
    })
    .await;
}
