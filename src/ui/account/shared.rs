//! Whom personal data is shared with and why, and the record of it for one's own orders.

use super::Narrow;
use crate::{
    api,
    domain::{
        Locale,
        locale::Text,
        number,
        page::Page,
        privacy::{Datum, Receiver, Sharing},
        texts::privacy as t,
    },
    ui::{
        components::{loaded::Loaded, pagination::Pagination, time::Time},
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The provider of a shop that is being tried, by its name in the database.
const SANDBOX: &str = "sandbox";

fn receiver_name(receiver: Receiver) -> Text {
    match receiver {
        Receiver::Carrier => t::RECEIVER_CARRIER,
        Receiver::Payment => t::RECEIVER_PAYMENT,
        Receiver::Mail => t::RECEIVER_MAIL,
        Receiver::Sms => t::RECEIVER_SMS,
    }
}

fn why(receiver: Receiver) -> Text {
    match receiver {
        Receiver::Carrier => t::WHY_CARRIER,
        Receiver::Payment => t::WHY_PAYMENT,
        Receiver::Mail => t::WHY_MAIL,
        Receiver::Sms => t::WHY_SMS,
    }
}

fn datum_name(datum: Datum) -> Text {
    match datum {
        Datum::OrderNumber => t::DATA_ORDER_NUMBER,
        Datum::Amount => t::DATA_AMOUNT,
        Datum::Recipient => t::DATA_RECIPIENT,
        Datum::Phone => t::DATA_PHONE,
        Datum::Email => t::DATA_EMAIL,
        Datum::Address => t::DATA_ADDRESS,
        Datum::Message => t::DATA_MESSAGE,
    }
}

/// Kinds of data as a list in a sentence.
fn list(l: Locale, data: &[Datum]) -> String {
    let names: Vec<_> = data.iter().map(|datum| l.t(datum_name(*datum))).collect();
    names.join(l.t(t::LIST_SEPARATOR))
}

#[component]
pub fn SharedPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let page = Memo::new(move |_| {
        query.with(|query| query.get("page")).and_then(|page| page.parse::<i64>().ok()).unwrap_or(1).max(1)
    });
    let receivers = Resource::new(|| (), |()| api::privacy::receivers());
    let records = Resource::new(move || page.get(), api::privacy::shared);
    view! {
        <Narrow title=l.t(t::SHARED_TITLE)>
            <p>{l.t(t::SHARED_TEXT)}</p>
            <section class="panel section-sm stack" aria-labelledby="receivers-title">
                <h2 class="panel-title" id="receivers-title">{l.t(t::RECEIVERS_TITLE)}</h2>
                <Loaded data=receivers lines=4 inside=true let:receivers>
                    <Receivers receivers/>
                </Loaded>
            </section>
            <section class="panel section-sm stack" aria-labelledby="records-title">
                <h2 class="panel-title" id="records-title">{l.t(t::RECORDS_TITLE)}</h2>
                <p class="muted">{l.t(t::RECORDS_TEXT)}</p>
                <Loaded data=records lines=4 inside=true let:records>
                    <Records records/>
                </Loaded>
            </section>
            <div class="form-actions section-sm">
                <a class="btn btn-secondary" href=api::privacy::PAGE>{l.t(t::TITLE)}</a>
                <a class="btn btn-secondary" href="/privacy">{l.t(t::NOTICE_LINK)}</a>
            </div>
        </Narrow>
    }
    .into_any()
}

#[component]
fn Receivers(receivers: Vec<Receiver>) -> impl IntoView {
    let l = use_locale();
    let row = move |receiver: Receiver| {
        view! {
            <li class="device">
                <div class="grow">
                    <p><strong>{l.t(receiver_name(receiver))}</strong></p>
                    <p>{l.t(why(receiver))}</p>
                    <p class="muted small">{l.t(t::DATA)}{list(l, receiver.data())}</p>
                </div>
            </li>
        }
    };
    view! { <ul>{receivers.into_iter().map(row).collect_view()}</ul> }.into_any()
}

#[component]
fn Records(records: Page<Sharing>) -> impl IntoView {
    let l = use_locale();
    if records.items.is_empty() {
        return view! { <p class="muted">{l.t(t::RECORDS_EMPTY)}</p> }.into_any();
    }
    let (page, pages) = (records.page, records.pages());
    let row = move |Sharing { number, receiver, name, data, at }: Sharing| {
        let name = if name == SANDBOX { l.t(t::SANDBOX).to_owned() } else { name };
        view! {
            <li class="device">
                <div class="grow">
                    <p>
                        <strong>{l.t(receiver_name(receiver))}</strong> " " <span class="muted">{name}</span>
                    </p>
                    <p><a class="link code" href=format!("/orders/{number}")>{number::display(&number)}</a></p>
                    <p class="muted small">{l.t(t::DATA)}{list(l, &data)}</p>
                    <p class="muted small"><Time ms=at/></p>
                </div>
            </li>
        }
    };
    view! {
        <ul>{records.items.into_iter().map(row).collect_view()}</ul>
        <Pagination page pages href=|page| format!("/privacy/shared?page={page}")/>
    }
    .into_any()
}
