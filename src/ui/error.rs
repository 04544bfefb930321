//! Errors in the words of the page: a sentence, a notice where it happened, or a whole page.

use super::{
    components::travel::{Main, use_travel},
    set_status, use_locale,
};
use crate::domain::{
    Error, Locale,
    error::{Problem, Shortage, TakenSlot},
    number,
    order::State,
    texts::{error as t, problem as p},
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::{use_location, use_url};

/// What happened and what to do, in one sentence.
pub fn message(locale: Locale, error: &Error) -> String {
    let text = match error {
        Error::Shortage(short) => return shortage_text(locale, short),
        Error::SlotTaken(taken) => return taken_text(locale, taken),
        Error::OrdersUnderWay(numbers) => return orders_text(locale, numbers),
        Error::TooMany { retry_after } => return locale.n(t::TOO_MANY_ONE, t::TOO_MANY, i64::from(*retry_after)),
        Error::Invalid(fields) => match fields.values().next() {
            Some(problem) if fields.len() == 1 => return problem_text(locale, *problem),
            _ => t::INVALID,
        },
        Error::NotFound => t::NOT_FOUND,
        Error::Unauthenticated => t::UNAUTHENTICATED,
        Error::Forbidden => t::FORBIDDEN,
        Error::PasswordFirst => t::PASSWORD_FIRST,
        Error::CartEmpty => t::CART_EMPTY,
        Error::PriceChanged(_) => t::PRICE_CHANGED,
        Error::OrderClosed(State::ToPay) => t::CLOSED_TO_PAY,
        Error::OrderClosed(State::ToShip) => t::CLOSED_TO_SHIP,
        Error::OrderClosed(State::Shipped) => t::CLOSED_SHIPPED,
        Error::OrderClosed(State::Completed) => t::CLOSED_COMPLETED,
        Error::OrderClosed(State::Cancelled) => t::CLOSED_CANCELLED,
        Error::Conflict => t::CONFLICT,
        Error::NoPayment => t::NO_PAYMENT,
        Error::ProviderUnavailable => t::PROVIDER,
        Error::Offline => t::OFFLINE,
        Error::Internal(_) => t::INTERNAL,
    };
    locale.t(text).to_owned()
}

fn shortage_text(locale: Locale, short: &[Shortage]) -> String {
    let Some(first) = short.first() else { return locale.t(t::CONFLICT).to_owned() };
    let text = if first.available > 0 { t::SHORTAGE } else { t::SOLD_OUT };
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("title", &first.title), ("wanted", &first.wanted), ("available", &first.available)];
    let first = locale.f(text, &values);
    match short.len() - 1 {
        0 => first,
        n => {
            let text = if n == 1 { t::SHORTAGE_MORE_ONE } else { t::SHORTAGE_MORE };
            locale.f(text, &[("first", &first), ("n", &n)])
        }
    }
}

/// Names the booking that somebody else has, or the first of them.
fn taken_text(locale: Locale, taken: &[TakenSlot]) -> String {
    let Some(first) = taken.first() else { return locale.t(t::CONFLICT).to_owned() };
    let (title, more) = (&first.title, taken.len() - 1);
    let text = match more {
        0 => t::SLOT_TAKEN,
        1 => t::SLOT_TAKEN_MORE_ONE,
        _ => t::SLOT_TAKEN_MORE,
    };
    if more == 0 { locale.f(text, &[("title", title)]) } else { locale.f(text, &[("title", title), ("n", &more)]) }
}

/// Names the order that is in the way, or the first of them.
fn orders_text(locale: Locale, numbers: &[String]) -> String {
    let first = numbers.first().map(|number| number::display(number)).unwrap_or_default();
    let more = i64::try_from(numbers.len()).unwrap_or(i64::MAX) - 1;
    let text = if more > 0 { t::ORDERS_UNDER_WAY_MORE } else { t::ORDERS_UNDER_WAY };
    locale.f(text, &[("number", &first), ("n", &more.max(0))])
}

/// What is wrong with a field, for the line below it.
pub fn problem_text(locale: Locale, problem: Problem) -> String {
    let text = match problem {
        Problem::TooLong(n) => return locale.f(p::TOO_LONG, &[("n", &n)]),
        Problem::TooShort(n) => return locale.f(p::TOO_SHORT, &[("n", &n)]),
        Problem::Range(from, to) => return locale.f(p::RANGE, &[("from", &from), ("to", &to)]),
        Problem::Full(n) => return locale.f(p::FULL, &[("n", &n)]),
        Problem::Required => p::REQUIRED,
        Problem::Phone => p::PHONE,
        Problem::Email => p::EMAIL,
        Problem::PhoneOrEmail => p::PHONE_OR_EMAIL,
        Problem::Number => p::NUMBER_EXPECTED,
        Problem::Bounds => p::BOUNDS,
        Problem::Choice => p::CHOICE,
        Problem::Region => p::REGION,
        Problem::Area => p::AREA,
        Problem::Contact => p::CONTACT,
        Problem::Credentials => p::CREDENTIALS,
        Problem::PasswordClosed => p::PASSWORD_CLOSED,
        Problem::Login => p::LOGIN,
        Problem::Taken => p::TAKEN,
        Problem::PasswordCommon => p::PASSWORD_COMMON,
        Problem::PasswordOwn => p::PASSWORD_OWN,
        Problem::PasswordSame => p::PASSWORD_SAME,
        Problem::Code => p::CODE,
        Problem::CodeOver => p::CODE_OVER,
        Problem::CodeClosed => p::CODE_CLOSED,
        Problem::SecondFactor => p::SECOND_FACTOR,
        Problem::SignInOver => p::SIGN_IN_OVER,
        Problem::Unreachable => p::UNREACHABLE,
        Problem::Consent => p::CONSENT,
        Problem::Proof => p::PROOF,
        Problem::Passkey => p::PASSKEY,
        Problem::PasskeyOver => p::PASSKEY_OVER,
        Problem::PasskeyPlace => p::PASSKEY_PLACE,
        Problem::LastTarget => p::LAST_TARGET,
        Problem::BookingOver => p::BOOKING_OVER,
        Problem::NotYet => p::NOT_YET,
        Problem::MoveCosts => p::MOVE_COSTS,
        Problem::MoveOver => p::MOVE_OVER,
        Problem::ReviewClosed => p::REVIEW_CLOSED,
    };
    locale.t(text).to_owned()
}

/// The number under which the log tells more, where there is one.
fn request_id(error: &Error) -> Option<String> {
    match error {
        Error::Internal(id) if !id.is_empty() => Some(id.clone()),
        _ => None,
    }
}

/// Whether the same thing may work a little later.
fn worth_repeating(error: &Error) -> bool {
    matches!(error, Error::Internal(_) | Error::Offline | Error::ProviderUnavailable | Error::Conflict)
}

/// An error, shown where it happened.
#[component]
pub fn ErrorNotice(
    error: Error,
    /// Offers to load the page again; not beside a form, whose button is the way to try again and whose text would go.
    #[prop(optional)]
    reload: bool,
) -> impl IntoView {
    let l = use_locale();
    let id = request_id(&error);
    let again = reload && worth_repeating(&error);
    view! {
        <div class="notice notice-danger" role="alert">
            <svg class="icon" aria-hidden="true"><use href="/icons.svg#error"></use></svg>
            <div class="notice-body">
                <p class="notice-title">{message(l, &error)}</p>
                {id.map(|id| view! { <p>{l.t(t::NUMBER)}<span class="code">{id}</span></p> })}
                {again.then(|| view! { <div class="notice-actions"><RetryLink small=true/></div> })}
            </div>
        </div>
    }
    .into_any()
}

/// Loads the page again, with or without JavaScript.
#[component]
fn RetryLink(#[prop(optional)] small: bool) -> impl IntoView {
    let l = use_locale();
    let location = use_location();
    let here = move || format!("{}{}", location.pathname.get(), query(&location.search.get()));
    let class = if small { "btn btn-secondary btn-sm" } else { "btn btn-primary" };
    view! {
        <a class=class href=here rel="external">
            <svg class="icon icon-sm" aria-hidden="true"><use href="/icons.svg#refresh"></use></svg>
            {l.t(t::RETRY)}
        </a>
    }
}

/// The query of the present address as it goes into a link, without the error of a form posted before.
pub(crate) fn query(search: &str) -> String {
    let kept = search.trim_start_matches('?').split('&');
    let kept: Vec<_> =
        kept.filter(|pair| !pair.is_empty() && !pair.starts_with("__path=") && !pair.starts_with("__err=")).collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

/// An error that leaves nothing of a page to show. Sets the status of the answer.
#[component]
pub fn ErrorPage(error: Error) -> impl IntoView {
    set_status(error.status_code());
    if error == Error::Offline {
        // The service worker may have the page as it was seen last.
        let (travel, url) = (use_travel(), use_url());
        Effect::new(move |_| travel.to_the_saved_page(&url.get_untracked()));
    }
    match error {
        Error::NotFound => view! { <NotFound/> }.into_any(),
        error => view! { <Broken error/> }.into_any(),
    }
}

/// "There is no such page", without the status; [`ErrorPage`] and the route table's fallback set it.
#[component]
pub fn NotFound() -> impl IntoView {
    let l = use_locale();
    view! {
        <Title text=l.t(t::NOT_FOUND_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container">
            <div class="empty">
                <span class="empty-art">
                    <svg class="icon icon-lg" aria-hidden="true"><use href="/icons.svg#compass"></use></svg>
                </span>
                <h1 class="empty-title">{l.t(t::NOT_FOUND_TITLE)}</h1>
                <p class="empty-text">{l.t(t::NOT_FOUND_TEXT)}</p>
                <div class="empty-actions">
                    <a class="btn btn-primary" href="/">{l.t(t::TO_HOME)}</a>
                    <a class="btn btn-secondary" href="/categories">{l.t(t::TO_CATEGORIES)}</a>
                </div>
            </div>
        </Main>
    }
    .into_any()
}

/// "Something broke", with the number of the request.
#[component]
fn Broken(error: Error) -> impl IntoView {
    let l = use_locale();
    let id = request_id(&error);
    let ours = matches!(error, Error::Internal(_));
    let (title, text) =
        if ours { (l.t(t::BROKEN_TITLE).to_owned(), l.t(t::BROKEN_TEXT)) } else { (message(l, &error), "") };
    view! {
        <Title text=title.clone()/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container">
            <div class="empty" role="alert">
                <span class="empty-art">
                    <svg class="icon icon-lg" aria-hidden="true"><use href="/icons.svg#warning"></use></svg>
                </span>
                <h1 class="empty-title">{title}</h1>
                <p class="empty-text">{text}</p>
                {id.map(|id| view! { <p class="empty-text">{l.t(t::NUMBER)}<span class="code">{id}</span></p> })}
                <div class="empty-actions">
                    <RetryLink/>
                    <a class="btn btn-secondary" href="/">{l.t(t::TO_HOME)}</a>
                </div>
            </div>
        </Main>
    }
    .into_any()
}

/// Shown by the service worker in place of a page that was never visited, under that page's address; so trying again
/// means the present address, whatever it is, and the client stays out of it.
#[component]
pub fn OfflinePage() -> impl IntoView {
    let l = use_locale();
    view! {
        <Title text=l.t(t::OFFLINE_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container">
            <div class="empty">
                <span class="empty-art">
                    <svg class="icon icon-lg" aria-hidden="true"><use href="/icons.svg#offline"></use></svg>
                </span>
                <h1 class="empty-title">{l.t(t::OFFLINE_TITLE)}</h1>
                <p class="empty-text">{l.t(t::OFFLINE_TEXT)}</p>
                <div class="empty-actions">
                    <a class="btn btn-primary" href="">
                        <svg class="icon icon-sm" aria-hidden="true"><use href="/icons.svg#refresh"></use></svg>
                        {l.t(t::RETRY)}
                    </a>
                    <a class="btn btn-secondary" href="/cart">{l.t(t::TO_CART)}</a>
                </div>
            </div>
        </Main>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_present_page_leaves_the_error_of_the_last_form_behind() {
        assert_eq!(query("?q=a%20b&__path=%2Fapi%2Fcart%2Fadd&__err=abc&page=2"), "?q=a%20b&page=2");
        assert_eq!(query("__err=abc"), "");
        assert_eq!(query(""), "");
    }

    #[test]
    fn a_shortage_names_what_is_left_and_how_many_more_are_short() {
        let short =
            |title: &str, available| Shortage { variant_id: String::new(), title: title.into(), wanted: 3, available };
        let one = Error::Shortage(vec![short("Mug", 1)]);
        assert_eq!(message(Locale::En, &one), "Not enough in stock: you want 3 of Mug, 1 left");
        let two = Error::Shortage(vec![short("Mug", 0), short("Pot", 1)]);
        assert_eq!(message(Locale::En, &two), "Mug is sold out; 1 more item is short");
        let three = Error::Shortage(vec![short("Mug", 0), short("Pot", 1), short("Pan", 1)]);
        assert_eq!(message(Locale::En, &three), "Mug is sold out; 2 more items are short");
        assert!(!message(Locale::ZhCn, &Error::Shortage(vec![])).is_empty());
    }

    #[test]
    fn a_slot_that_was_taken_is_named_and_others_are_counted() {
        let taken = |title: &str| TakenSlot { line: String::new(), title: title.into() };
        let text = |titles: &[&str]| message(Locale::En, &Error::SlotTaken(titles.iter().map(|t| taken(t)).collect()));
        assert_eq!(text(&["Massage"]), "Massage was just taken by somebody else. Please choose another time");
        assert!(text(&["Massage", "Room"]).contains("1 more booking was taken"), "{}", text(&["Massage", "Room"]));
        assert!(text(&["Massage", "Room", "Table"]).contains("2 more bookings were taken"));
        assert!(!message(Locale::ZhCn, &Error::SlotTaken(vec![])).is_empty());
    }

    #[test]
    fn a_single_wrong_field_is_named_and_several_are_summed_up() {
        let mut fields = std::collections::BTreeMap::from([("a".to_owned(), Problem::TooLong(5))]);
        assert_eq!(message(Locale::En, &Error::Invalid(fields.clone())), "At most 5 characters");
        fields.insert("b".to_owned(), Problem::Required);
        assert_eq!(message(Locale::En, &Error::Invalid(fields)), "Some fields need a correction");
    }
}
