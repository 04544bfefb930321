//! Who may call what: a table of all server functions, each called by each kind of person.

use crate::{
    http::{World, in_world},
    shop::{books, customer},
};
use std::collections::{BTreeMap, BTreeSet};
use xiadan::{
    domain::{
        order::State,
        permission::{
            Permission::{
                self, AdjustStock, Cancel, ManageStaff, SeeOrders, SeeRecipients, SeeStock, SetPrices, Ship,
                TendReviews,
            },
            Role,
        },
    },
    server::{context, order},
};

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    /// Anybody, about the browser's own data at most.
    Anybody,
    /// Who is signed in to an account.
    Account,
    /// Who owns the order `{n}`.
    Owner,
    /// Anybody who works here.
    AnyStaff,
    /// Staff in a role with this permission.
    Staff(Permission),
}
use Who::{Account, AnyStaff, Anybody, Owner, Staff};

/// Method, name and input.
type Function = (&'static str, &'static str, &'static str);

const TABLE: &[(Function, Who)] = &[
    (("GET", "catalog/home", ""), Anybody),
    (("GET", "catalog/ways", ""), Anybody),
    (("GET", "catalog/categories", ""), Anybody),
    (("GET", "catalog/menu", ""), Anybody),
    (("JSON", "catalog/list", r#"{"query":{}}"#), Anybody),
    (("GET", "catalog/product", "handle=mug"), Anybody),
    (("GET", "catalog/related", "handle=mug"), Anybody),
    (("GET", "catalog/is_favourite", "handle=mug"), Anybody),
    (("GET", "catalog/favourites", "page=1"), Anybody),
    (("POST", "catalog/set_favourite", "product_id=p&wanted=true"), Anybody),
    (("GET", "catalog/viewed", "page=1"), Anybody),
    (("POST", "catalog/clear_viewed", ""), Anybody),
    (("POST", "catalog/remember_viewed", "wanted=true"), Anybody),
    (("GET", "cart/get", ""), Anybody),
    (("GET", "cart/count", ""), Anybody),
    (("POST", "cart/add", "variant_id=mug&quantity=1"), Anybody),
    (("POST", "cart/set_quantity", "variant_id=mug&quantity=1"), Anybody),
    (("POST", "cart/save_for_later", "variant_id=mug&saved=true"), Anybody),
    (("POST", "cart/restore", "variant_id=mug&quantity=1&price_seen=1&saved=false&added_at=1"), Anybody),
    (("POST", "cart/accept_prices", "prices=mug%3A1"), Anybody),
    (("POST", "cart/take_available", ""), Anybody),
    (("GET", "booking/slots", "variant_id=mug&date=2026-12-24&days=1"), Anybody),
    (("GET", "booking/sittings", "variant_id=mug&guests=2"), Anybody),
    (("GET", "booking/restaurants", "guests=2"), Anybody),
    (("GET", "booking/offer", "product_id=p"), Anybody),
    (("GET", "booking/trips", "from=x&to=y"), Anybody),
    (
        (
            "POST",
            "booking/add_trip",
            "choice[travellers][adults]=1&choice[travellers][children]=0&choice[travellers][infants]=0&\
             choice[there][departure_id]=x&choice[there][variant_id]=mug&choice[there][from]=0&choice[there][to]=1",
        ),
        Anybody,
    ),
    (("GET", "booking/travellers", "number={n}&position=0"), Owner),
    (("POST", "booking/set_travellers", "number={n}&position=0&people[0][name]=x"), Owner),
    (("POST", "booking/add", "variant_id=mug&wish=x"), Anybody),
    (("GET", "booking/visit", "variant_id=mug"), Anybody),
    (("POST", "booking/replace", "id=x&wish=x"), Anybody),
    (("POST", "booking/remove", "id=x"), Anybody),
    (("GET", "booking/choices", "number={n}&position=0"), Owner),
    (("POST", "booking/cancel", "number={n}&position=0&expected_refund=0"), Owner),
    (("POST", "booking/move", "number={n}&position=0&date=2026-12-24&time=18%3A30"), Owner),
    (("GET", "booking/move_times", "number={n}&position=0&date=2026-12-24"), Owner),
    (("GET", "booking/quote_move", "number={n}&position=0&date=2026-12-24&time=18%3A30"), Owner),
    (("POST", "booking/hold_move", "number={n}&position=0&date=2026-12-24&time=18%3A30&expected_due=1"), Owner),
    (("POST", "booking/pay_move", "number={n}&position=0"), Owner),
    (("POST", "booking/give_up_move", "number={n}&position=0"), Owner),
    (("POST", "booking/wait", "variant_id=mug&wish=x"), Account),
    (("POST", "booking/stop_waiting", "id=x"), Account),
    (("GET", "booking/waiting", ""), Account),
    (("GET", "stay/search", "form[adults]=2"), Anybody),
    (("GET", "stay/places", ""), Anybody),
    (("GET", "stay/house", "product_id=p&form[adults]=2"), Anybody),
    (("GET", "stay/nights", "variant_id=mug"), Anybody),
    (("GET", "stay/quote", "variant_id=mug&wish=x"), Anybody),
    (("GET", "order/checkout", ""), Anybody),
    (("POST", "order/save_checkout", "form[recipient]=x&step=draft"), Anybody),
    (("GET", "order/review", ""), Anybody),
    (("POST", "order/submit", "cart_version=1&total=1&reviewed=x"), Anybody),
    (("GET", "order/list", "page=1"), Anybody),
    (("GET", "order/counts", ""), Anybody),
    (("GET", "order/divisions", "province=440000&city=440300"), Anybody),
    (("POST", "order/find", "number={n}&contact=13900000000"), Anybody),
    (("GET", "order/get", "number={n}"), Owner),
    (("GET", "order/edit", "number={n}&draft=false"), Owner),
    (("POST", "order/change", "number={n}&change[version]=1"), Owner),
    (("POST", "order/cancel", "number={n}"), Owner),
    (("POST", "order/complete", "number={n}"), Owner),
    (("POST", "order/again", "number={n}"), Owner),
    (("POST", "order/pay", "number={n}"), Owner),
    (("GET", "review/list", "handle=mug"), Anybody),
    (("GET", "review/form", "number={n}&position=0"), Owner),
    (("POST", "review/write", "number={n}&position=0&stars=5&body=x"), Owner),
    (("POST", "review/remove", "number={n}&position=0"), Owner),
    (("POST", "account/forget", ""), Anybody),
    (("GET", "account/me", ""), Anybody),
    (("POST", "account/send_code", "target=x"), Anybody),
    (("POST", "account/resend_code", "id=x"), Anybody),
    (("GET", "account/code", "id=x"), Anybody),
    (("POST", "account/enter", "id=x&code=000000&agreed=1"), Anybody),
    (("POST", "account/sign_in", "name=nobody&password=x"), Anybody),
    (("POST", "account/sign_out", ""), Anybody),
    // In development alone.
    (("GET", "account/outbox", ""), Anybody),
    (("GET", "account/second_factor", ""), Anybody),
    (("GET", "account/second_awaited", ""), Anybody),
    (("POST", "account/second_enter", "code=000000"), Anybody),
    (("POST", "account/second_begin", "password=x"), Account),
    (("POST", "account/second_confirm", "code=000000"), Account),
    (("POST", "account/second_keep", ""), Account),
    (("POST", "account/second_renew", "code=000000"), Account),
    (("POST", "account/second_off", "code=000000"), Account),
    (("POST", "account/set_profile", "name=x&login=lilei"), Account),
    (("POST", "account/set_password", "old=&new=correct+horse"), Account),
    (("POST", "account/add_target", "target=x&password=x"), Account),
    (("POST", "account/resend_target", "id=x"), Account),
    (("POST", "account/confirm_target", "id=x&code=000000"), Account),
    (("POST", "account/remove_target", "kind=phone&password=x"), Account),
    (("GET", "account/devices", ""), Account),
    (("POST", "account/end_device", "id=x"), Account),
    (("POST", "account/end_other_devices", ""), Account),
    (("GET", "account/addresses", ""), Account),
    (("GET", "account/address", "draft=false"), Account),
    (("POST", "account/save_address", "address[label]=home"), Account),
    (("POST", "account/delete_address", "id=x"), Account),
    (("POST", "account/set_default_address", "id=x"), Account),
    (("GET", "account/choices", ""), Account),
    (("POST", "account/set_choices", "wanted[order_phone]=1"), Account),
    (("GET", "passkey/list", ""), Account),
    (("POST", "passkey/begin_registration", "password=x"), Account),
    (("POST", "passkey/finish_registration", "id=x&credential=x"), Account),
    (("POST", "passkey/begin_sign_in", ""), Anybody),
    (("POST", "passkey/finish_sign_in", "id=x&credential=x"), Anybody),
    (("GET", "passkey/completes", ""), Anybody),
    (("POST", "passkey/begin_second", ""), Anybody),
    (("POST", "passkey/finish_second", "id=x&credential=x"), Anybody),
    (("POST", "passkey/rename", "id=x&name=x"), Account),
    (("POST", "passkey/remove", "id=x&password=x"), Account),
    (("GET", "privacy/overview", ""), Anybody),
    (("POST", "privacy/ask_copy", ""), Account),
    (("POST", "privacy/discard_copy", "id=x"), Account),
    (("POST", "privacy/delete_account", "password=x"), Account),
    (("POST", "privacy/keep_account", ""), Account),
    (("GET", "privacy/agreed", ""), Anybody),
    (("POST", "privacy/agree", ""), Account),
    (("GET", "privacy/receivers", ""), Anybody),
    (("GET", "privacy/shared", "page=1"), Anybody),
    (("POST", "office/sign_in", "login=nobody&password=x"), Anybody),
    (("POST", "office/sign_out", ""), Anybody),
    (("GET", "office/second_factor", ""), Anybody),
    (("GET", "office/session_over", ""), Anybody),
    (("GET", "office/own_password", ""), Anybody),
    (("POST", "office/second_enter", "code=000000"), Anybody),
    // Of one who waits at the door too.
    (("POST", "office/second_begin", ""), AnyStaff),
    (("POST", "office/second_confirm", "code=000000"), AnyStaff),
    (("POST", "office/second_renew", "code=000000"), AnyStaff),
    (("POST", "office/second_keep", ""), AnyStaff),
    (("POST", "office/set_password", "old=&new=battery+staple"), AnyStaff),
    (("GET", "office/people", ""), Staff(ManageStaff)),
    (("POST", "office/end_sessions", "login=nobody"), Staff(ManageStaff)),
    (("POST", "office/remove_staff", "login=nobody"), Staff(ManageStaff)),
    (("GET", "office/me", ""), AnyStaff),
    (("GET", "office/orders", "page=1"), Staff(SeeOrders)),
    (("GET", "office/counts", ""), Staff(SeeOrders)),
    (("GET", "office/order", "number={n}"), Staff(SeeOrders)),
    (("POST", "office/reveal", "number={n}"), Staff(SeeRecipients)),
    (("POST", "office/ship", "number={n}&carrier=DHL&tracking_number=12345"), Staff(Ship)),
    (("POST", "office/complete", "number={n}"), Staff(Ship)),
    (("POST", "office/cancel", "number={n}"), Staff(Cancel)),
    (("GET", "office/bookings", "days=1"), Staff(SeeOrders)),
    (("POST", "office/block", "resource_id=x&date=2026-12-24&from=09%3A00&until=10%3A00"), Staff(AdjustStock)),
    (("POST", "office/unblock", "id=x"), Staff(AdjustStock)),
    (
        (
            "POST",
            "office/move_booking",
            "form[number]={n}&form[position]=0&form[version]=1&form[date]=2026-12-24&form[time]=18%3A30",
        ),
        Staff(AdjustStock),
    ),
    (("GET", "office/departures", "number={n}&position=0&date=2026-12-24"), Staff(AdjustStock)),
    (("POST", "office/move_elsewhere", "number={n}&position=0&seen=0&date=2026-12-24"), Staff(AdjustStock)),
    (("POST", "office/check_in", "number={n}&position=0"), Staff(Ship)),
    (("POST", "office/booking_done", "number={n}&position=0"), Staff(Ship)),
    (("POST", "office/no_show", "number={n}&position=0"), Staff(Ship)),
    (("GET", "office/reviews", "page=1"), Staff(TendReviews)),
    (("POST", "office/answer_review", "id=x&answer=x"), Staff(TendReviews)),
    (("POST", "office/hide_review", "id=x&reason=x"), Staff(TendReviews)),
    (("POST", "office/show_review", "id=x"), Staff(TendReviews)),
    (("GET", "office/variants", "page=1"), Staff(SeeStock)),
    (("POST", "office/set_price", "variant_id=mug&version=9&price=0.01&compare_at="), Staff(SetPrices)),
    (("POST", "office/adjust_stock", "variant_id=mug&version=9&seen=10&on_hand=99"), Staff(AdjustStock)),
    (("GET", "office/stays", "page=1"), Staff(SeeStock)),
    (("GET", "office/stay_nights", "variant_id=mug"), Staff(SeeStock)),
    (("POST", "office/set_rates", "variant_id=mug&form[price]=1"), Staff(SetPrices)),
    (("POST", "office/set_rooms", "variant_id=mug&form[total]=1"), Staff(AdjustStock)),
];

/// The functions for which one has to work here, and the permission each asks for.
pub fn office() -> impl Iterator<Item = (Function, Option<Permission>)> {
    TABLE.iter().filter_map(|(function, who)| match who {
        AnyStaff => Some((*function, None)),
        Staff(permission) => Some((*function, Some(*permission))),
        _ => None,
    })
}

#[test]
fn every_function_is_in_the_table() {
    let all: BTreeMap<_, _> = server_fn::axum::server_fn_paths()
        .filter_map(|(path, method)| Some((path.strip_prefix("/api/")?, method.to_string())))
        .collect();
    let tested: BTreeSet<_> = TABLE.iter().map(|((_, name, _), _)| *name).collect();
    assert_eq!(all.keys().copied().collect::<BTreeSet<_>>(), tested);
    assert_eq!(tested.len(), TABLE.len(), "each once");
    for ((method, name, _), _) in TABLE {
        assert_eq!(all[name] == "GET", *method == "GET", "{name}");
    }
}

async fn status(world: &World, function: Function, cookie: &str) -> u16 {
    world.call(function, cookie).await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_may_do_what_the_table_says_and_nothing_else() {
    in_world(async |world| {
        let mut roles = Vec::new();
        for role in Role::ALL {
            let cookie = world.staff_as(role.name(), Some(role), context::now()).await;
            roles.push((role, cookie));
        }
        let stranger = world.guest(&customer(&world.app).await);
        // The owner's list of orders stays the owner's, whoever asks.
        for cookie in [&stranger, &roles[5].1] {
            let list = world.call(("GET", "order/list", "page=1"), cookie).await.text().await.unwrap();
            assert!(!list.contains(&world.number), "{cookie}");
        }
        for (function, who) in TABLE {
            match who {
                Anybody => {
                    let got = status(&world, *function, &stranger).await;
                    assert!(![401, 403].contains(&got), "{function:?} for anybody: {got}");
                }
                Account => {
                    for cookie in ["", &stranger, &roles[5].1] {
                        assert_eq!(status(&world, *function, cookie).await, 401, "{function:?} without an account");
                    }
                }
                Owner => {
                    for cookie in ["", &stranger, &roles[5].1] {
                        let got = status(&world, *function, cookie).await;
                        // Not even whether there is such an order.
                        assert_eq!(got, 404, "{function:?} for {cookie}");
                    }
                }
                AnyStaff | Staff(_) => {
                    for cookie in ["", &stranger] {
                        assert_eq!(status(&world, *function, cookie).await, 401, "{function:?} for a customer");
                    }
                    for (role, cookie) in &roles {
                        let allowed = match who {
                            Staff(permission) => role.may(*permission),
                            _ => true,
                        };
                        // Those who may not come first, so that the order is untouched for them.
                        if !allowed {
                            assert_eq!(status(&world, *function, cookie).await, 403, "{function:?} for {role:?}");
                        }
                    }
                    assert_eq!(
                        order::get(&world.owner, &world.number).await.unwrap().state,
                        State::ToPay,
                        "{function:?} did something for somebody"
                    );
                }
            }
        }
        assert_eq!(books(&world.app, "mug").await, (10, 2, 0));
        for (role, cookie) in &roles {
            for (function, permission) in office() {
                if permission.is_none_or(|permission| role.may(permission)) {
                    let got = status(&world, function, cookie).await;
                    assert!(![401, 403].contains(&got), "{function:?} for {role:?}: {got}");
                }
            }
        }
    })
    .await;
}
