//! Rooms by place, dates and guests: a form that reads into an address, and the houses in which something is free, each with
//! the total of the stay.

use super::lodging::{AskForm, beds_words, facility_name, is_about_a_field, moment_words, stay_words};
use crate::{
    api,
    domain::{
        Error, Locale,
        booking::{
            lodging::{FEW_ROOMS, NearStay, StayCard, StayForm, StayList, StayOrder},
            stay::Stay,
        },
        catalog::{Width, percent_encode},
        money::Currency,
        texts::booking_stay as t,
    },
    ui::{
        components::{
            head::Head,
            icon::Icon,
            links::product_href,
            pagination::Pagination,
            picture::Picture,
            price::{Price, use_currency},
            skeleton::{Reloading, SkeletonText},
            stars::Mean,
            travel::{Main, use_asked},
        },
        error::ErrorNotice,
        set_status, use_locale,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

const PATH: &str = "/stays";
/// So many facilities stand on a card.
const SHOWN_FACILITIES: usize = 5;

#[component]
pub fn StaysPage() -> impl IntoView {
    let l = use_locale();
    let asked = use_asked(PATH, |query| StayForm::read(|name| query.get(name)));
    let places = Resource::new(|| (), |()| async { api::stay::stay_places().await.unwrap_or_default() });
    let list = Resource::new(
        move || asked.get(),
        |form| async move {
            let list = api::stay::search_stays(form.clone()).await;
            (form, list)
        },
    );
    let pending = RwSignal::new(false);
    view! {
        <Title text=l.t(t::TITLE)/>
        <Head path=PATH.to_owned() title=l.t(t::TITLE).to_owned() description=l.t(t::LEAD).to_owned()/>
        <Main class="page container">
            <div class="page-head"><h1 class="page-title">{l.t(t::TITLE)}</h1></div>
            <p class="muted">{l.t(t::LEAD)}</p>
            <div aria-busy=move || pending.get().to_string()>
                <Reloading pending fallback=|| view! { <SkeletonText lines=12/> }>
                    {move || Suspend::new(async move {
                        let places = places.await;
                        let (form, list) = list.await;
                        view! { <Search form list places/> }
                    })}
                </Reloading>
            </div>
        </Main>
    }
    .into_any()
}

/// The form with what was typed, and what was found or is wrong.
#[component]
fn Search(form: StayForm, list: Result<StayList, Error>, places: Vec<String>) -> impl IntoView {
    let path = PATH.to_owned();
    match list {
        Ok(list) => {
            let (form, today) = (list.form.clone(), Some(list.today));
            view! {
                <AskForm path form wrong=None today places=Some(places)/>
                <Found list/>
            }
            .into_any()
        }
        Err(error) if is_about_a_field(&error) => {
            view! { <AskForm path form wrong=Some(error) today=None places=Some(places)/> }.into_any()
        }
        Err(error) => {
            set_status(error.status_code());
            view! {
                <AskForm path form wrong=None today=None places=Some(places)/>
                <div class="section-sm"><ErrorNotice error reload=true/></div>
            }
            .into_any()
        }
    }
}

#[component]
fn Found(list: StayList) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let Some(stay) = list.form.check().ok().map(|search| search.stay) else { return ().into_any() };
    if list.stays.items.is_empty() {
        return view! { <Nothing list stay/> }.into_any();
    }
    let (page, pages, total) = (list.stays.page, list.stays.pages(), list.stays.total);
    let form = list.form.clone();
    let to = move |page: i64| StayForm { page: page.to_string(), ..form.clone() }.href(PATH);
    let present = StayOrder::from_name(&list.form.sort);
    let order = |order: StayOrder| {
        let text = match order {
            StayOrder::Recommended => t::ORDER_RECOMMENDED,
            StayOrder::Price => t::ORDER_PRICE,
        };
        let href = StayForm { sort: order.name().to_owned(), page: String::new(), ..list.form.clone() }.href(PATH);
        let current = (order == present).then_some("true");
        view! { <a class="chip" href=href aria-current=current data-noscroll="">{l.t(text)}</a> }
    };
    let orders = StayOrder::ALL.map(order).into_iter().collect_view();
    let cards = list.stays.items.iter().map(|card| card_view(l, currency, card, &list.form)).collect_view();
    view! {
        <section class="section-sm" aria-labelledby="stays-found">
            <div class="spread">
                <h2 class="section-title" id="stays-found">{stay_words(l, stay)}</h2>
                <nav class="chips" aria-label=l.t(t::ORDER)>{orders}</nav>
            </div>
            <p class="muted small" role="status">{l.n(t::FOUND_ONE, t::FOUND, total)}</p>
            <ul class="stay-list">{cards}</ul>
            <Pagination page pages href=to/>
        </section>
    }
    .into_any()
}

/// The page of a house that is asked for the same dates and guests, with a room type in view.
fn house_href(handle: &str, form: &StayForm, variant: &str) -> String {
    let form = StayForm { place: String::new(), sort: String::new(), page: String::new(), ..form.clone() };
    let path = form.href(&product_href(handle));
    let and = if path.contains('?') { '&' } else { '?' };
    format!("{path}{and}v={}", percent_encode(variant))
}

fn card_view(l: Locale, currency: Currency, card: &StayCard, form: &StayForm) -> AnyView {
    let StayCard { handle, title, lead, image, rating, region, facilities, variant_id, room, beds, left, .. } =
        card.clone();
    let href = house_href(&handle, form, &variant_id);
    let what = [room, beds_words(l, beds)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let facilities = facilities.into_iter().take(SHOWN_FACILITIES);
    let facilities = facilities.map(|facility| view! { <li>{l.t(facility_name(facility))}</li> }).collect_view();
    let few = (left <= FEW_ROOMS)
        .then(|| view! { <p class="stock stock-low">{l.n(t::ROOMS_LEFT_ONE, t::ROOMS_LEFT, left)}</p> });
    let free = match card.free_until {
        Some(until) => l.f(t::FREE_UNTIL, &[("time", &moment_words(l, until))]),
        None => l.t(t::NOT_FREE).to_owned(),
    };
    let per_night = l.f(t::PER_NIGHT, &[("amount", &card.per_night.display(currency))]);
    view! {
        <li class="stay-card">
            <div class="stay-media"><Picture image thumb=Width::Card/></div>
            <div class="stay-body">
                <h3 class="stay-name"><a class="stay-link" href=href>{title}</a></h3>
                <p class="with-icon muted small"><Icon name="pin" class="icon-sm"/>{region}</p>
                {(!lead.is_empty()).then(|| view! { <p class="small">{lead}</p> })}
                <ul class="stay-facts">{facilities}</ul>
                {(!rating.is_none()).then(|| view! { <p class="product-rating"><Mean rating/></p> })}
                <p class="small strong">{what}</p>
                {few}
            </div>
            <div class="stay-price">
                <p class="muted small">{l.t(t::TOTAL)}</p>
                <p><Price amount=card.total class="price-lg"/></p>
                <p class="muted small">{per_night}</p>
                <p class="muted small">{free}</p>
            </div>
        </li>
    }
    .into_any()
}

/// Nothing is free: why, and what to try next.
#[component]
fn Nothing(list: StayList, stay: Stay) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    if list.stays.total > 0 {
        let href = StayForm { page: String::new(), ..list.form }.href(PATH);
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="sort" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::PAGE_GONE)}</h2>
                <div class="empty-actions"><a class="btn btn-primary" href=href>{l.t(t::FIRST_PAGE)}</a></div>
            </div>
        }
        .into_any();
    }
    let near = (!list.near.is_empty()).then(|| {
        let near = list.near.iter().map(|near| near_view(l, currency, near, &list.form)).collect_view();
        view! {
            <h3 class="panel-title">{l.t(t::NEAR_DATES)}</h3>
            <ul class="near-list">{near}</ul>
        }
    });
    let rooms = list.rooms_needed.map(|rooms| {
        let href = StayForm { rooms: rooms.to_string(), page: String::new(), ..list.form.clone() }.href(PATH);
        view! { <a class="btn btn-primary" href=href>{l.n(t::TRY_ROOMS_ONE, t::TRY_ROOMS, rooms)}</a> }
    });
    let anywhere = (!list.form.place.trim().is_empty()).then(|| {
        let href = StayForm { place: String::new(), page: String::new(), ..list.form.clone() }.href(PATH);
        view! { <a class="btn btn-secondary" href=href>{l.t(t::ANYWHERE)}</a> }
    });
    view! {
        <div class="empty" role="status">
            <span class="empty-art"><Icon name="compass" class="icon-lg"/></span>
            <h2 class="empty-title">{l.t(t::NOTHING)}</h2>
            <p class="empty-text">{stay_words(l, stay)}</p>
            {near}
            <div class="empty-actions">{rooms}{anywhere}</div>
        </div>
    }
    .into_any()
}

/// Other dates for which something is free, as a link that asks for them.
fn near_view(l: Locale, currency: Currency, near: &NearStay, form: &StayForm) -> AnyView {
    let total = l.f(t::TOTAL_FROM, &[("amount", &near.total.display(currency))]);
    view! {
        <li>
            <a class="btn btn-secondary" href=form.on(near.stay).href(PATH)>{stay_words(l, near.stay)}" · "{total}</a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_house_is_asked_for_the_same_dates_and_guests() {
        let form = StayForm {
            place: "杭州".into(),
            arrival: "2026-12-24".into(),
            adults: "2".into(),
            page: "3".into(),
            ..StayForm::default()
        };
        assert_eq!(house_href("inn", &form, "a b"), "/p/inn?arrival=2026-12-24&adults=2&v=a%20b");
        assert_eq!(house_href("inn", &StayForm::default(), "a"), "/p/inn?v=a");
    }
}
