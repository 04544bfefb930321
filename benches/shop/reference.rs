//! What paid orders are measured against: the shop's own statements for them, run by one thread that does nothing else.
//!
//! They are those of `server/order/submit.rs`, `server/payment/mod.rs` and what these call; whoever changes the ones
//! changes the others. The books of the sandbox provider are not the shop's, and not here.

use rusqlite::{Connection, ToSql, params, types::Value};
use std::{path::Path, time::Instant};

const PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
    pragma temp_store = memory; pragma cache_size = -16384; pragma wal_autocheckpoint = 4000;
    pragma journal_size_limit = 67108864";

/// Two languages and a picture, as a product of the demo shop has them. A million pieces of [`VARIANT`] are there.
pub const GOODS: &str = "insert into product (id, handle, status, brand, tags, price_min, price_max, sales, created_at, updated_at)
        values ('p', 'teapot', 'active', 'Yelu', '[]', 19900, 19900, 0, 0, 0);
    insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)
        values ('p', 'zh-CN', '青瓷茶壶', '', '', '', '[{\"name\":\"容量\",\"values\":[\"300 ml\"]}]', '[]', '青瓷茶壶'),
            ('p', 'en', 'Celadon teapot', '', '', '', '[{\"name\":\"Size\",\"values\":[\"300 ml\"]}]', '[]', 'celadon teapot');
    insert into product_image (product_id, position, media, alt, width, height, source) values ('p', 1, 'm', '', 800, 800, '');
    insert into variant (id, product_id, position, sku, barcode, choices, price, grams, image_position, backorder, active, version)
        values ('v', 'p', 1, 'TEAPOT-300', '', '[0]', 19900, 600, 1, false, true, 1);
    insert into stock (variant_id, location, on_hand, held) values ('v', 'main', 1000000, 0);";

pub const VARIANT: &str = "v";

const ORDER: &str = "select o.id, o.number, o.customer_id, o.state, o.version, o.currency, o.goods, o.discount, o.shipping, o.total,
    o.quantity, o.grams, o.region, o.delivery_wish, o.payment_method, o.contact_sealed, o.note_sealed, o.placed_at, o.expires_at
    from orders o";

const CART: &str = "select v.id as variant_id, v.product_id, v.sku, v.choices, v.price, v.compare_at, v.grams, p.handle,
        coalesce((select t.title from product_text t where t.product_id = p.id and t.locale = ?1),
            (select t.title from product_text t where t.product_id = p.id order by t.locale desc limit 1), '') as title,
        coalesce((select t.options from product_text t where t.product_id = p.id and t.locale = ?1),
            (select t.options from product_text t where t.product_id = p.id order by t.locale desc limit 1), '') as options,
        coalesce((select i.media from product_image i where i.product_id = p.id and i.position = v.image_position), '') as media,
        p.image, case when v.active and p.status = 'active' then
            case when v.backorder then 1000000 else coalesce(s.on_hand - s.held, 0) end else 0 end as available,
        l.quantity, l.price_seen, l.saved, l.added_at
    from cart_line l join variant v on v.id = l.variant_id join product p on p.id = v.product_id
        left join stock s on s.variant_id = v.id
    where l.customer_id = ?2 order by l.added_at desc, l.variant_id";

const LOOK: &str = "select b.number, b.version, b.form, v.id as variant_id, l.quantity as wanted,
        coalesce((select t.title from product_text t where t.product_id = p.id and t.locale = ?1),
            (select t.title from product_text t where t.product_id = p.id order by t.locale desc limit 1), '') as title,
        case when v.active and p.status = 'active' and p.kind = 'goods' then
            case when v.backorder then 1000000 else coalesce(s.on_hand - s.held, 0) end else 0 end as available
    from (select (select o.number from orders o where o.customer_id = ?2 and o.submit_key = ?3) as number,
        (select c.version from cart c where c.customer_id = ?2) as version,
        (select c.checkout_sealed from customer c where c.id = ?2) as form) b
    left join cart_line l on l.customer_id = ?2 and not l.saved left join variant v on v.id = l.variant_id
    left join product p on p.id = v.product_id left join stock s on s.variant_id = v.id";

/// One order on its way: whose it is and what it is called.
struct Sale {
    customer: String,
    id: String,
    number: String,
    payment: String,
}

/// Orders per second, placed and paid, with the durability of the shop: a transaction each for placing, for opening the
/// payment (two) and for settling it, each of which takes the same step of `grouped` orders. They are made in a file of their
/// own in a folder, and the carts are filled before the clock runs.
pub fn paid_orders(folder: &Path, orders: usize, grouped: usize) -> f64 {
    for name in ["reference.db", "reference.db-wal", "reference.db-shm"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let db = Connection::open(folder.join("reference.db")).unwrap();
    db.execute_batch(PRAGMAS).unwrap();
    db.set_prepared_statement_cache_capacity(256);
    for migration in xiadan::server::MIGRATIONS {
        db.execute_batch(migration.sql).unwrap();
    }
    db.execute_batch(GOODS).unwrap();
    let sales: Vec<_> = (0..orders).map(Sale::new).collect();
    db.execute_batch("begin immediate").unwrap();
    for sale in &sales {
        sale.fill_cart(&db);
    }
    db.execute_batch("commit").unwrap();
    let begin = Instant::now();
    for group in sales.chunks(grouped) {
        for step in [Sale::submit, Sale::start_payment, Sale::open_payment, Sale::settle] {
            db.execute_batch("begin immediate").unwrap();
            group.iter().for_each(|sale| step(sale, &db));
            db.execute_batch("commit").unwrap();
        }
    }
    orders as f64 / begin.elapsed().as_secs_f64()
}

impl Sale {
    fn new(i: usize) -> Self {
        let id = |kind: &str| format!("{kind}-{i:028}");
        Self { customer: id("customer"), id: id("order"), number: format!("{i:016}"), payment: id("payment") }
    }

    fn fill_cart(&self, db: &Connection) {
        let sql = "insert into customer (id, created_at, checkout_sealed, region) values (?1, 0, ?2, '440305')";
        exec(db, sql, params![self.customer, vec![0u8; 400]]);
        exec(db, "insert into cart (customer_id, version, updated_at) values (?1, 2, 0)", params![self.customer]);
        let sql = "insert into cart_line (customer_id, variant_id, quantity, price_seen, saved, added_at)
            values (?1, 'v', 1, 19900, false, 0)";
        exec(db, sql, params![self.customer]);
    }

    fn submit(&self, db: &Connection) {
        let Self { customer, id, number, .. } = self;
        read(db, LOOK, params!["zh-CN", customer, "2"], 1);
        let sql = "update cart set version = version + 1, updated_at = ?3 where customer_id = ?1 and version = ?2
            returning exists (select 1 from cart_booking b where b.customer_id = cart.customer_id) as books";
        read(db, sql, params![customer, 2, 1], 1);
        read(db, CART, params!["zh-CN", customer], 1);
        let sql = "insert into orders (id, number, customer_id, submit_key, state, version, locale, currency, goods, discount, shipping,
                total, quantity, grams, region, delivery_wish, payment_method, contact_sealed, note_sealed, phone_hash, email_hash,
                words, placed_at, expires_at, changed_at)
            values (?1, ?2, ?3, '2', 'to_pay', 1, 'zh-CN', 'CNY', 19900, 0, 0, 19900, 1, 600, '440305', 'any_time', 'alipay', ?4, ?5,
                ?6, null, ?7, 1, 900001, 1)
            on conflict (number) do nothing";
        let (contact, note, words) = (vec![0u8; 220], vec![0u8; 60], format!("{number} 青瓷茶壶"));
        exec(db, sql, params![id, number, customer, contact, note, format!("{number:0>64}"), words]);
        let sql = "insert into order_line (order_id, position, variant_id, product_id, handle, title, label, sku, image, unit_price,
                compare_at, quantity, grams)
            values (?1, 0, 'v', 'p', 'teapot', '青瓷茶壶', '300 ml', 'TEAPOT-300', null, 19900, null, 1, 600)";
        exec(db, sql, params![id]);
        event(db, id, 1, "customer", "{\"kind\":\"placed\"}");
        exec(db, "delete from cart_line where customer_id = ?1 and not saved", params![customer]);
        let sql = "insert into hold (order_id, variant_id, location, quantity, state) values (?1, ?2, ?3, ?4, 'active')
            on conflict (order_id, variant_id, location) do update set quantity = excluded.quantity, state = 'active'";
        exec(db, sql, params![id, "v", "main", 1]);
        let sql = "update stock set held = held + ?3 where variant_id = ?1 and location = ?2 and on_hand - held >= ?3
            and not (select v.backorder from variant v where v.id = ?1)";
        exec(db, sql, params!["v", "main", 1]);
    }

    fn start_payment(&self, db: &Connection) {
        let Self { customer, id, number, payment } = self;
        let own = "o.number = ?1 and (o.customer_id = ?2
            or ?3 and not exists (select 1 from account a where a.customer_id = o.customer_id))";
        read(db, &format!("{ORDER} where {own}"), params![number, customer, false], 1);
        let sql = "select id, cashier_url from payment
            where order_id = ?1 and method = ?2 and amount = ?3 and state = 'pending' order by created_at desc limit 1";
        read(db, sql, params![id, "alipay", 19_900], 0);
        let sql = "update orders set version = version + 1, changed_at = ?2 where id = ?1 returning version";
        read(db, sql, params![id, 2], 1);
        event(db, id, 2, "customer", "{\"kind\":\"payment_started\",\"method\":\"alipay\"}");
        let sql = "insert into payment (id, order_id, method, provider, amount, currency, state, created_at)
            values (?1, ?2, ?3, 'sandbox', ?4, 'CNY', 'pending', ?5)";
        exec(db, sql, params![payment, id, "alipay", 19_900, 2]);
        let sql = "insert into order_sharing (order_id, sequence, receiver, name, data, at)
            select ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4, ?5 from order_sharing where order_id = ?1";
        exec(db, sql, params![id, "payment", "sandbox", "order_number amount", 2]);
    }

    fn open_payment(&self, db: &Connection) {
        let Self { number, payment, .. } = self;
        let sql =
            "update payment set provider_reference = ?2, cashier_url = ?3 where id = ?1 and provider_reference is null";
        exec(db, sql, params![payment, number, format!("http://127.0.0.1:3002/cashier/{payment}")]);
    }

    fn settle(&self, db: &Connection) {
        let Self { id, number, payment, .. } = self;
        let paid = format!("{ORDER} where o.id = (select p.order_id from payment p where p.id = ?1)");
        read(db, &paid, params![payment], 1);
        let sql = "update payment set state = 'succeeded', settled_at = ?2, provider_reference = ?3
            where id = ?1 and state <> 'succeeded' returning amount, currency, move_id";
        read(db, sql, params![payment, 3, number], 1);
        let sql = "update orders set state = ?3, version = version + 1, changed_at = ?4 where id = ?1 and version = ?2";
        exec(db, sql, params![id, 2, "to_ship", 3]);
        event(db, id, 3, "provider", "{\"kind\":\"paid\"}");
        let sql = "select l.product_id, cast(sum(case when b.state = 'cancelled' then 0 else l.quantity end) as bigint) as sold,
                count(b.position) as bookings
            from order_line l left join order_booking b on b.order_id = l.order_id and b.position = l.position
            where l.order_id = ?1 group by l.product_id order by l.product_id";
        read(db, sql, params![id], 1);
        let sql =
            "update hold set state = ?3 where order_id = ?1 and state = ?2 returning variant_id, location, quantity";
        read(db, sql, params![id, "active", "taken"], 1);
        let sql = "update product set sales = sales + ?2 where id = ?1
            returning sales, category_id, (select c.parent_id from category c where c.id = product.category_id) as above_id";
        read(db, sql, params!["p", 1], 1);
        let sql = "update stock set held = held - ?3, on_hand = on_hand - ?3 where variant_id = ?1 and location = ?2";
        exec(db, sql, params!["v", "main", 1]);
    }
}

fn event(db: &Connection, order: &str, sequence: i64, actor: &str, kind: &str) {
    let sql = "insert into order_event (order_id, sequence, kind, at, actor) values (?1, ?2, ?3, ?4, ?5)";
    exec(db, sql, params![order, sequence, kind, sequence, actor]);
}

/// Changes exactly one row.
fn exec(db: &Connection, sql: &str, values: &[&dyn ToSql]) {
    assert_eq!(db.prepare_cached(sql).unwrap().execute(values).unwrap(), 1, "{sql}");
}

/// Reads every column of exactly so many rows.
fn read(db: &Connection, sql: &str, values: &[&dyn ToSql], expected: usize) {
    let mut statement = db.prepare_cached(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query(values).unwrap();
    let mut found = 0;
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            std::hint::black_box(row.get::<_, Value>(column).unwrap());
        }
        found += 1;
    }
    assert_eq!(found, expected, "{sql}");
}
