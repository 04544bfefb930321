//! What to pack, where it goes, what was paid for it, and what happened so far.

use super::order::Open;
use crate::{
    api::office::Reveal,
    domain::{
        Locale,
        address::{Contact, DeliveryWish},
        money::Currency,
        order::{CancelReason, Event, EventKind, OrderLine, Shipment},
        payment::Method,
        permission::Permission,
        texts::office as t,
    },
    ui::{
        components::{
            address::{phone_text, reached_by, wish_name},
            copy::CopyButton,
            icon::Icon,
            method::method_name,
            summary::{OrderLineRow, Summary},
            time::Time,
            timeline::event_text,
        },
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

/// In two columns where there is room; what is to be done (`children`) comes first.
#[component]
pub fn Details(open: Open, children: Children) -> impl IntoView {
    let l = use_locale();
    let order = open.order;
    let currency = order.with_untracked(|order| order.currency);
    let lines = Memo::new(move |_| order.with(|order| order.lines.clone()));
    let totals = Memo::new(move |_| order.with(|order| order.totals));
    let events = Memo::new(move |_| order.with(|order| order.events.clone()));
    let line = move |line: OrderLine| {
        let label = [line.label, line.sku.clone()];
        let label = label.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        view! { <OrderLineRow line={OrderLine { label, ..line }} currency links=true/> }
    };
    let pieces =
        move || l.n(t::PIECES_ONE, t::PIECES, lines.with(|lines| lines.iter().map(|line| line.quantity).sum()));
    view! {
        <div class="with-aside section-sm">
            <div class="stack">
                {children()}
                <section class="panel" aria-labelledby="to-title">
                    <Destination open/>
                </section>
                <section class="panel" aria-labelledby="lines-title">
                    <div class="panel-head">
                        <h2 class="panel-title" id="lines-title">{l.t(t::ITEMS)}</h2>
                        <span class="muted small">{pieces}</span>
                    </div>
                    <ul class="lines">{move || lines.get().into_iter().map(line).collect_view()}</ul>
                </section>
            </div>
            <aside class="stack">
                <section class="panel" aria-labelledby="sum-title">
                    <div class="panel-head"><h2 class="panel-title" id="sum-title">{l.t(t::AMOUNT)}</h2></div>
                    <Summary totals currency/>
                </section>
                <section class="panel" aria-labelledby="time-title">
                    <div class="panel-head"><h2 class="panel-title" id="time-title">{l.t(t::HISTORY)}</h2></div>
                    <History events=events.into() currency/>
                </section>
            </aside>
        </div>
    }
    .into_any()
}

/// Recipient and address, what the customer wishes, and the parcel.
#[component]
fn Destination(open: Open) -> impl IntoView {
    let l = use_locale();
    let facts = Memo::new(move |_| {
        open.order.with(|order| {
            let place = (order.contact.clone(), order.region_name.clone());
            (place, order.delivery_wish, order.note.clone(), order.payment_method, order.shipment.clone())
        })
    });
    move || {
        let ((contact, region), wish, note, method, shipment) = facts.get();
        let shown = open.shown.get();
        let label = format!("{} {}\n{} {}", contact.recipient, reached_by(&contact), region, contact.detail);
        view! {
            <div class="panel-head">
                <h2 class="panel-title" id="to-title">{l.t(t::SHIP_TO)}</h2>
                {shown.then(|| view! { <CopyButton text=label label=l.t(t::COPY_ADDRESS)/> })}
            </div>
            <div class="stack">
                <AddressLines contact region shown/>
                {(!shown && open.role.may(Permission::SeeRecipients)).then(|| view! { <RevealForm open/> })}
                <Facts wish note method shipment/>
            </div>
        }
    }
}

#[component]
fn AddressLines(contact: Contact, region: String, shown: bool) -> impl IntoView {
    let Contact { recipient, phone, email, detail, .. } = contact;
    // What is masked can be neither called nor written to.
    let reach = move |scheme: &str, address: String, text: String| {
        if shown {
            view! { <a class="link nowrap" href=format!("{scheme}:{address}")>{text}</a> }.into_any()
        } else {
            view! { <span class="nowrap">{text}</span> }.into_any()
        }
    };
    let call = phone.map(|phone| {
        let text = phone_text(&phone);
        view! { " " {reach("tel", phone, text)} }
    });
    view! {
        <address class="address">
            <Icon name="pin"/>
            <span>
                <strong>{recipient}</strong>
                {call}
                <br/>
                {format!("{region} ")}
                <span class="pre-line">{detail}</span>
                {email.map(|email| view! { <br/>{reach("mailto", email.clone(), email)} })}
            </span>
        </address>
    }
    .into_any()
}

/// The way to see who receives the order.
#[component]
fn RevealForm(open: Open) -> impl IntoView {
    let l = use_locale();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        open.reveal();
    };
    view! {
        <form class="cluster" action=Reveal::url() method="post" on:submit=submit>
            <input type="hidden" name="number" value=open.number()/>
            <button class="btn btn-secondary" type="submit" aria-busy=move || open.busy.get().then_some("true")>
                <Icon name="eye" class="icon-sm"/>
                {l.t(t::REVEAL)}
            </button>
            <span class="muted small">{l.t(t::REVEAL_HINT)}</span>
        </form>
    }
    .into_any()
}

#[component]
fn Facts(wish: DeliveryWish, note: String, method: Method, shipment: Option<Shipment>) -> impl IntoView {
    let l = use_locale();
    let fact = move |name, value: AnyView| view! { <div class="fact"><dt>{l.t(name)}</dt><dd>{value}</dd></div> };
    let parcel = shipment.map(|shipment| {
        let number = shipment.tracking_number;
        let number = view! {
            <span class="code">{number.clone()}</span>
            <CopyButton text=number label=l.t(t::COPY_TRACKING)/>
        };
        (
            fact(t::CARRIER, shipment.carrier.into_any()),
            fact(t::TRACKING_NUMBER, number.into_any()),
            fact(t::SHIPPED_AT, view! { <Time ms=shipment.shipped_at/> }.into_any()),
        )
    });
    view! {
        <dl class="facts facts-2">
            {(!note.is_empty()).then(|| fact(t::NOTE, view! { <strong class="pre-line">{note}</strong> }.into_any()))}
            {fact(t::WISH, wish_name(l, wish).into_any())}
            {fact(t::METHOD, method_name(l, method).into_any())}
            {parcel}
        </dl>
    }
    .into_any()
}

/// An event in words, as the shop's people are told.
fn event_words(l: Locale, kind: &EventKind, currency: Currency) -> String {
    match kind {
        EventKind::Cancelled { reason: CancelReason::Customer } => l.t(t::EVENT_CANCELLED).to_owned(),
        EventKind::Completed => l.t(t::EVENT_COMPLETED).to_owned(),
        kind => event_text(l, kind, currency),
    }
}

/// The history of an order, newest first. An event that arrives is added; those shown stay as they are.
#[component]
fn History(events: Signal<Vec<Event>>, currency: Currency) -> impl IntoView {
    let l = use_locale();
    let newest = Memo::new(move |_| events.with(|events| events.iter().map(|event| event.sequence).max()));
    let descending = move || {
        let mut events = events.get();
        events.sort_by_key(|event| std::cmp::Reverse(event.sequence));
        events
    };
    let item = move |event: Event| {
        let current = move || (newest.get() == Some(event.sequence)).then_some("step");
        view! {
            <li class="timeline-item" aria-current=current>
                <span class="timeline-title">{event_words(l, &event.kind, currency)}</span>
                <Time ms=event.at class="timeline-time"/>
            </li>
        }
    };
    view! { <ol class="timeline"><For each=descending key=|event| event.sequence children=item/></ol> }.into_any()
}
