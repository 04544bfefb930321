//! What belongs to somebody else: every function that is told which thing to work on, called by another customer and by a
//! guest with the id of a thing that is not theirs; and every function that changes something, called by a page of another
//! site. Which functions there are is taken from the program, and which of them take an id from their source.

use crate::{
    account::{World, in_world},
    client::Buyer,
    http::staff_cookie,
    member::dump,
};
use reqwest::header;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use xiadan::{
    domain::{number, permission::Role},
    server::{context, db::DbError},
};

const LI: &str = "13800138000";
const HAN: &str = "han@example.com";
/// What the owner's things say, and what nobody else may read.
const TELLING: [&str; 5] = ["欧阳晓蕾", "13800138000", "科技园一路", "爸妈家", "SHX-4471"];

/// What becomes of the id of a thing that belongs to somebody else.
enum Told {
    /// The same as of an id that nothing has.
    AsOfNothing,
    /// The id is itself what has to be known: random, and given to one browser alone. It tells nothing in clear.
    Knowing,
    /// It names what everybody sees, such as a product, in what belongs to whoever asks.
    ForAll,
    /// Only those who work here may ask at all.
    Staff,
}
use Told::{AsOfNothing, ForAll, Knowing, Staff};

/// Functions that take an id: name, method, input, and what becomes of it. The last ones destroy what those before need.
const TABLE: &[(&str, &str, &str, Told)] = &[
    ("booking/slots", "GET", "variant_id=mug&date=2026-12-24&days=1", ForAll),
    ("booking/sittings", "GET", "variant_id=mug&guests=2", ForAll),
    ("booking/offer", "GET", "product_id=p", ForAll),
    ("booking/travellers", "GET", "number={order}&position=9", AsOfNothing),
    ("booking/set_travellers", "POST", "number={order}&position=9&people[0][name]=x", AsOfNothing),
    ("booking/add", "POST", "variant_id=mug&wish=x", ForAll),
    ("booking/visit", "GET", "variant_id=mug", ForAll),
    ("booking/replace", "POST", "id={booking}&wish=%7B%22kind%22%3A%22visit%22%2C%22start%22%3A1%7D", AsOfNothing),
    ("booking/remove", "POST", "id={booking}", AsOfNothing),
    ("booking/choices", "GET", "number={order}&position=0", AsOfNothing),
    ("booking/cancel", "POST", "number={order}&position=0&expected_refund=0", AsOfNothing),
    ("booking/move", "POST", "number={order}&position=0&date=2026-12-24&time=18%3A30", AsOfNothing),
    ("booking/move_times", "GET", "number={order}&position=0&date=2026-12-24", AsOfNothing),
    ("booking/quote_move", "GET", "number={order}&position=0&date=2026-12-24&time=18%3A30", AsOfNothing),
    ("booking/hold_move", "POST", "number={order}&position=0&date=2026-12-24&time=18%3A30&expected_due=1", AsOfNothing),
    ("booking/pay_move", "POST", "number={order}&position=0", AsOfNothing),
    ("booking/give_up_move", "POST", "number={order}&position=0", AsOfNothing),
    ("booking/wait", "POST", "variant_id=mug&wish=x", ForAll),
    ("booking/stop_waiting", "POST", "id={waiting}", AsOfNothing),
    ("stay/house", "GET", "product_id=p&form[adults]=2", ForAll),
    ("stay/nights", "GET", "variant_id=mug", ForAll),
    ("stay/quote", "GET", "variant_id=mug&wish=x", ForAll),
    ("cart/add", "POST", "variant_id=mug&quantity=1", ForAll),
    ("cart/set_quantity", "POST", "variant_id=mug&quantity=1", ForAll),
    ("cart/save_for_later", "POST", "variant_id=mug&saved=true", ForAll),
    ("cart/restore", "POST", "variant_id=mug&quantity=1&price_seen=1&saved=false&added_at=1", ForAll),
    ("catalog/set_favourite", "POST", "product_id=p&wanted=true", ForAll),
    ("review/form", "GET", "number={order}&position=0", AsOfNothing),
    ("review/write", "POST", "number={order}&position=0&stars=5&body=x", AsOfNothing),
    ("review/remove", "POST", "number={order}&position=0", AsOfNothing),
    ("order/get", "GET", "number={order}", AsOfNothing),
    ("order/edit", "GET", "number={order}&draft=false", AsOfNothing),
    ("order/find", "POST", "number={order}&contact=13911112222", AsOfNothing),
    ("order/find", "POST", "number={order}&contact=13800138000", AsOfNothing),
    ("order/change", "POST", "number={order}&change[version]=1", AsOfNothing),
    ("order/complete", "POST", "number={order}", AsOfNothing),
    ("order/again", "POST", "number={order}", AsOfNothing),
    ("order/pay", "POST", "number={order}", AsOfNothing),
    ("order/cancel", "POST", "number={order}", AsOfNothing),
    ("order/save_checkout", "POST", "step=address&address={address}&form[recipient]=x", AsOfNothing),
    ("account/code", "GET", "id={code}", Knowing),
    ("account/resend_code", "POST", "id={code}", Knowing),
    ("account/enter", "POST", "id={code}&code=000000&agreed=1", Knowing),
    ("account/resend_target", "POST", "id={code}", Knowing),
    ("account/confirm_target", "POST", "id={code}&code=000000", Knowing),
    ("account/address", "GET", "id={address}&draft=false", AsOfNothing),
    (
        "account/save_address",
        "POST",
        "address[id]={address}&address[contact][recipient]=x&address[contact][country_code]=%2B86&\
         address[contact][phone]=13911112222&address[contact][province]=440000&address[contact][city]=440300&\
         address[contact][district]=440305&address[contact][detail]=nanhai+2",
        AsOfNothing,
    ),
    ("account/set_default_address", "POST", "id={address}", AsOfNothing),
    ("account/delete_address", "POST", "id={address}", AsOfNothing),
    ("account/end_device", "POST", "id={device}", AsOfNothing),
    ("privacy/discard_copy", "POST", "id={copy}", AsOfNothing),
    ("passkey/finish_registration", "POST", "id=x&credential=x", Knowing),
    ("passkey/finish_sign_in", "POST", "id=x&credential=x", Knowing),
    ("passkey/finish_second", "POST", "id=x&credential=x", Knowing),
    ("passkey/rename", "POST", "id={passkey}&name=x", AsOfNothing),
    ("passkey/remove", "POST", "id={passkey}", AsOfNothing),
    ("office/order", "GET", "number={order}", Staff),
    ("office/reveal", "POST", "number={order}", Staff),
    ("office/ship", "POST", "number={order}&carrier=DHL&tracking_number=12345", Staff),
    ("office/complete", "POST", "number={order}", Staff),
    ("office/cancel", "POST", "number={order}", Staff),
    ("office/bookings", "GET", "product_id=p&days=1", Staff),
    ("office/block", "POST", "resource_id=x&date=2026-12-24&from=09%3A00&until=10%3A00", Staff),
    ("office/unblock", "POST", "id=x", Staff),
    ("office/check_in", "POST", "number={order}&position=0", Staff),
    ("office/booking_done", "POST", "number={order}&position=0", Staff),
    ("office/no_show", "POST", "number={order}&position=0", Staff),
    ("office/departures", "GET", "number={order}&position=0&date=2026-12-24", Staff),
    ("office/move_elsewhere", "POST", "number={order}&position=0&seen=0&date=2026-12-24&time=07%3A00", Staff),
    ("office/answer_review", "POST", "id=x&answer=x", Staff),
    ("office/hide_review", "POST", "id=x&reason=x", Staff),
    ("office/show_review", "POST", "id=x", Staff),
    ("office/set_price", "POST", "variant_id=mug&version=1&price=0.01&compare_at=", Staff),
    ("office/adjust_stock", "POST", "variant_id=mug&version=1&seen=1&on_hand=9", Staff),
    ("office/stay_nights", "GET", "variant_id=mug", Staff),
    ("office/set_rates", "POST", "variant_id=mug&form[price]=1", Staff),
    ("office/set_rooms", "POST", "variant_id=mug&form[total]=1", Staff),
];

/// The registered functions with their methods.
fn registered() -> BTreeMap<String, String> {
    let paths = server_fn::axum::server_fn_paths();
    paths.filter_map(|(path, method)| Some((path.strip_prefix("/api/")?.to_owned(), method.to_string()))).collect()
}

/// The arguments of every server function, as its source declares them.
fn declared() -> BTreeMap<String, Vec<String>> {
    let mut functions = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    for file in files(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        // Examples in comments are no functions.
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.collect::<Vec<_>>().join("\n");
        for function in code.split("endpoint = \"").skip(1) {
            let (name, rest) = function.split_once('"').unwrap();
            let signature = rest.split_once("pub async fn ").unwrap().1.split_once('(').unwrap().1;
            assert!(functions.insert(name.to_owned(), names(signature)).is_none(), "{name} twice");
        }
    }
    functions
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// The names of the arguments up to the bracket that closes the list.
fn names(signature: &str) -> Vec<String> {
    let (mut depth, mut argument, mut arguments) = (0, String::new(), Vec::new());
    for c in signature.chars() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => arguments.push(std::mem::take(&mut argument)),
            _ if depth == 0 => argument.push(c),
            _ => {}
        }
    }
    arguments.push(argument);
    let name = |argument: &String| Some(argument.split_once(':')?.0.trim_matches(['#', ' ', '\n']).to_owned());
    arguments.iter().filter_map(name).collect()
}

/// Whether an argument says which thing to work on. An address that is saved has its id in it.
fn is_id(name: &str) -> bool {
    matches!(name, "id" | "number" | "address") || name.ends_with("_id") || name.ends_with("_ids")
}

#[test]
fn every_function_that_takes_an_id_is_in_the_table() {
    let (registered, declared) = (registered(), declared());
    assert!(registered.keys().eq(declared.keys()), "the source was not understood: {registered:?} {declared:?}");
    let taking = declared.iter().filter(|(_, arguments)| arguments.iter().any(|name| is_id(name)));
    let taking: Vec<_> = taking.map(|(name, _)| name.as_str()).collect();
    let mut tested: Vec<_> = TABLE.iter().map(|(name, ..)| *name).collect();
    tested.sort_unstable();
    // One may be called in more than one way.
    tested.dedup();
    assert_eq!(taking, tested);
    for (name, method, ..) in TABLE {
        assert_eq!(registered[*name], *method, "{name}");
    }
}

/// The ids in place of `{order}`, `{address}`, …
type Ids = [(&'static str, String); 8];

async fn call(world: &World, cookie: &str, (name, method, input): (&str, &str, &str), ids: &Ids) -> (u16, String) {
    let input = ids.iter().fold(input.to_owned(), |input, (of, id)| input.replace(&format!("{{{of}}}"), id));
    let url = format!("{}/api/{name}", world.url);
    let request = match method {
        "GET" => world.client.get(format!("{url}?{input}")),
        _ => world.client.post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(input),
    };
    let answer = request.header(header::COOKIE, cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn cookie(browser: &Buyer) -> String {
    let named = |name| browser.cookie(name).map(|value| format!("{name}={value}"));
    named("xiadan_session").or_else(|| named("xiadan_guest")).unwrap()
}

async fn value(browser: &Buyer, path: &str, pointer: &str) -> String {
    let answer = browser.get(path).await.unwrap();
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{path}: {answer}")).to_owned()
}

/// Somebody with an order that is not paid, an address, two devices, a copy of their data and a code on its way.
async fn owner(world: &World) -> (Buyer, Ids) {
    let mut li = world.browser();
    world.enter(&mut li, LI).await;
    let mut other_device = world.browser();
    world.enter(&mut other_device, LI).await;
    let address = [
        ("address[contact][recipient]", "欧阳晓蕾"),
        ("address[contact][country_code]", "+86"),
        ("address[contact][phone]", LI),
        ("address[contact][province]", "440000"),
        ("address[contact][city]", "440300"),
        ("address[contact][district]", "440305"),
        ("address[contact][detail]", "科技园一路 1 号 SHX-4471"),
        ("address[label]", "own"),
        ("address[label_text]", "爸妈家"),
    ];
    assert_eq!(li.post("/api/account/save_address", &address).await.unwrap().0, 200);
    let seen = li.prepare("mug", 2).await.unwrap();
    let order = li.submit(&seen).await.unwrap().unwrap();
    assert_eq!(li.post("/api/privacy/ask_copy", &[]).await.unwrap().0, 200);
    while value(&li, "/api/privacy/overview", "/copy/state").await != "ready" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let copy = value(&li, "/api/privacy/overview", "/copy/id").await;
    let address = value(&li, "/api/account/addresses", "/0/id").await;
    let device = value(&li, "/api/account/devices", "/1/id").await;
    world.later(61_000).await;
    let code = world.ask(&mut li, LI).await;
    // Named and removed by its id alone; what opens with it is tried elsewhere.
    let passkey = context::new_id();
    let sql = "insert into passkey (id, customer_id, credential_hash, credential_sealed, name_sealed, created_at)
        select $1, customer_id, $1, $2, $2, 1 from orders";
    let insert = xiadan::args![&passkey, vec![0u8; 4]];
    let made = world.app.db.write::<_, DbError>(move |tx| {
        let insert = insert.clone();
        Box::pin(async move { tx.exec(sql, insert).await })
    });
    assert_eq!(made.await.unwrap(), 1);
    let booking = context::new_id();
    let insert = xiadan::args![&booking];
    let made = world.app.db.write::<_, DbError>(move |tx| {
        let insert = insert.clone();
        Box::pin(async move {
            let sql = "insert into cart_booking (id, customer_id, variant_id, wish, price_seen, added_at)
                select $1, customer_id, 'mug', '{\"kind\":\"visit\",\"start\":1}', 1, 1 from orders";
            tx.exec(sql, insert).await
        })
    });
    assert_eq!(made.await.unwrap(), 1);
    let waiting = context::new_id();
    let insert = xiadan::args![&waiting];
    let made = world.app.db.write::<_, DbError>(move |tx| {
        let insert = insert.clone();
        Box::pin(async move {
            let sql = "insert into waiting (id, customer_id, variant_id, wish, locale, asked_at, until_at)
                select $1, customer_id, 'mug', '{\"kind\":\"visit\",\"start\":1}', 'en', 1, 9999999999999 from orders";
            tx.exec(sql, insert).await
        })
    });
    assert_eq!(made.await.unwrap(), 1);
    // The order has a booking as well, on a line of its own.
    let made = world.app.db.write::<_, DbError>(move |tx| {
        Box::pin(async move {
            let sql = "insert into order_line (order_id, position, variant_id, product_id, handle, title, label, sku,
                    unit_price, quantity, grams)
                select l.order_id, 9, l.variant_id, l.product_id, l.handle, l.title, l.label, l.sku, 0, 1, 0
                from order_line l where l.position = 0";
            tx.exec(sql, xiadan::args![]).await?;
            let detail = r#"{"wish":{"kind":"table","start":1,"guests":2},"nights":[],"cancellation":{"steps":[]},"person":null}"#;
            let sql = "insert into order_booking (order_id, position, kind, zone, start_at, end_at, local_date, detail,
                    free_until, state, version)
                select id, 9, 'table', 'UTC', 1, 2, '2026-12-24', $1, 1, 'booked', 1 from orders";
            tx.exec(sql, xiadan::args![detail]).await
        })
    });
    assert_eq!(made.await.unwrap(), 1);
    (
        li,
        [
            ("order", order),
            ("address", address),
            ("device", device),
            ("copy", copy),
            ("code", code),
            ("passkey", passkey),
            ("booking", booking),
            ("waiting", waiting),
        ],
    )
}

/// Every row that tells of a customer; what waits to be sent and what is counted tells of nobody.
async fn rows_of(world: &World, customer: &str, order: &str) -> Vec<(String, String)> {
    let mut rows = dump(&world.app).await;
    rows.retain(|(table, row)| {
        !matches!(&**table, "outbox" | "attempt" | "audit") && (row.contains(customer) || row.contains(order))
    });
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_somebody_elses_thing_is_an_id_of_nothing() {
    in_world(async |world| {
        let (li, theirs) = owner(&world).await;
        let nothing = [
            ("order", number::make(2020, 1, 1, 7)),
            ("address", context::new_id()),
            ("device", context::new_id()),
            ("copy", context::new_id()),
            ("code", "A".repeat(43)),
            ("passkey", context::new_id()),
            ("booking", context::new_id()),
            ("waiting", context::new_id()),
        ];
        let sql = "select customer_id as id from orders";
        let row = world.app.db.one(sql, xiadan::args![]).await.unwrap();
        let id: String = row.get("id").unwrap();
        let (mut han, mut guest) = (world.browser(), world.browser());
        world.enter(&mut han, HAN).await;
        guest.post("/api/cart/add", &[("variant_id", "cup"), ("quantity", "1")]).await.unwrap();
        let before = rows_of(&world, &id, &theirs[0].1).await;
        assert!(before.len() > 8, "{before:?}");

        for (name, method, input, told) in TABLE {
            for asker in [&han, &guest] {
                let (cookie, function) = (cookie(asker), (*name, *method, *input));
                let of_theirs = call(&world, &cookie, function, &theirs).await;
                for telling in TELLING {
                    assert!(!of_theirs.1.contains(telling), "{name} tells {telling}");
                }
                match told {
                    AsOfNothing => {
                        let of_nothing = call(&world, &cookie, function, &nothing).await;
                        assert_eq!(of_theirs, of_nothing, "{name} for {cookie}");
                    }
                    Staff => assert_eq!(of_theirs.0, 401, "{name} for {cookie}"),
                    Knowing | ForAll => assert!(of_theirs.0 < 500, "{name}: {of_theirs:?}"),
                }
            }
            if matches!(told, AsOfNothing | Staff) {
                assert_eq!(rows_of(&world, &id, &theirs[0].1).await, before, "{name} changed something");
            }
        }

        let [(_, order), (_, address), _, (_, copy), ..] = &theirs;
        for path in [
            format!("/orders/{order}"),
            format!("/orders/{order}/edit"),
            format!("/orders/{order}/review/0"),
            format!("/pay/{order}"),
            format!("/orders/{order}/0.ics"),
            format!("/orders?q={order}"),
            format!("/checkout?address={address}"),
            format!("/me/addresses/edit?id={address}"),
            format!("/me/privacy/copy/{copy}"),
            format!("/live?topics=order:{order}"),
            format!("/live?topics=cart:{id},order:{order}"),
        ] {
            for asker in [&han, &guest] {
                let request = world.client.get(format!("{}{path}", world.url)).header(header::COOKIE, cookie(asker));
                let page = request.send().await.unwrap().text().await.unwrap();
                for telling in TELLING {
                    assert!(!page.contains(telling), "{path} tells {telling}");
                }
            }
        }

        // The refusals were for those persons alone.
        for (name, method, input, told) in TABLE {
            let function = (*name, *method, *input);
            // A device that is signed out already stays so, and a wrong contact is wrong for everybody.
            if matches!(told, AsOfNothing) && !matches!(*name, "account/end_device" | "order/find") {
                let own = call(&world, &cookie(&li), function, &theirs).await;
                assert_ne!(own.0, 404, "{name}: {own:?}");
            }
        }
        assert_eq!(li.get("/api/account/devices").await.unwrap().as_array().unwrap().len(), 2);
        call(&world, &cookie(&li), ("account/end_device", "POST", "id={device}"), &theirs).await;
        assert_eq!(li.get("/api/account/devices").await.unwrap().as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_calls_a_function_that_changes_something() {
    in_world(async |world| {
        let mut li = world.browser();
        world.enter(&mut li, LI).await;
        let staff = staff_cookie(&world.app, "lin", Some(Role::Owner), context::now()).await;
        let cookies = format!("{}; {staff}", cookie(&li));
        let sibling = format!("{}.evil.example", world.url);
        let origins = ["https://evil.example", "null", "", "http://127.0.0.1:1", &*sibling];
        let mut changing = 0;
        for (name, method) in registered().iter().filter(|(_, method)| *method != "GET") {
            changing += 1;
            let url = format!("{}/api/{name}", world.url);
            for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json"] {
                let post = || {
                    let request = world.client.post(&url).header(header::COOKIE, &cookies);
                    request.header(header::CONTENT_TYPE, kind).body("variant_id=mug&quantity=1&id=x&page=1")
                };
                for origin in origins {
                    let answer = post().header(header::ORIGIN, origin).send().await.unwrap();
                    assert_eq!(answer.status(), 403, "{method} {name} from {origin:?}");
                    assert!(!answer.headers().contains_key(header::SET_COOKIE), "{name}");
                }
                for site in ["cross-site", "same-site"] {
                    let answer = post().header("sec-fetch-site", site).send().await.unwrap();
                    assert_eq!(answer.status(), 403, "{name} {site}");
                }
            }
            // Nor is it a link.
            let link =
                world.client.get(format!("{url}?variant_id=mug&quantity=1&id=x")).header(header::COOKIE, &cookies);
            assert_eq!(link.send().await.unwrap().status(), 405, "{name}");
        }
        assert!(changing > 30, "{changing}");
        assert_ne!(li.get("/api/account/me").await.unwrap(), Value::Null, "still signed in");
        let office = world.client.get(format!("{}/api/office/me", world.url)).header(header::COOKIE, &staff);
        assert_eq!(office.send().await.unwrap().status(), 200, "in the office too");
        assert_eq!(li.get("/api/cart/get").await.unwrap()["lines"], Value::Array(Vec::new()));
    })
    .await;
}
