//! A variant in the stock list, with its two forms.
//!
//! A form knows what it was filled from (`seen`). As long as nobody typed into it, it follows what the server says of the
//! variant; from then on it keeps both what was typed and what it was typed against, so that a change means what its
//! author meant.

use super::stock::Rows;
use crate::{
    api::{
        self,
        office::{AdjustStock, SetPrice},
    },
    domain::{
        Error, Locale,
        catalog::Width,
        error::Problem,
        money::{Amount, Currency},
        office::OfficeVariant,
        texts::office as t,
    },
    ui::{
        components::{icon::Icon, picture::Picture, price::use_currency},
        error::{message, problem_text},
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, html, prelude::*, server_fn::ServerFn, task::spawn_local};

/// So few are worth a look.
const FEW: i64 = 5;

#[component]
pub fn Row(variant: RwSignal<OfficeVariant>, rows: Rows) -> impl IntoView {
    let l = use_locale();
    let OfficeVariant { handle, title, label, sku, image, .. } = variant.get_untracked();
    let available = Memo::new(move |_| variant.with(|variant| variant.on_hand - variant.held));
    let held = Memo::new(move |_| variant.with(|variant| variant.held));
    let badge = move || match available.get() {
        ..=0 => "badge badge-danger",
        1..=FEW => "badge badge-warn",
        _ => "",
    };
    let name = [title.as_str(), &label, &sku].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let dot = (!label.is_empty() && !sku.is_empty()).then_some(" · ");
    view! {
        <tr>
            <th scope="row" class="is-wide">
                <div class="table-product">
                    <Picture image thumb=Width::Thumb size=96/>
                    <span>
                        <a class="link link-quiet" href=format!("/p/{handle}")>{title}</a>
                        <br/>
                        <span class="muted">{label}{dot}<span class="mono">{sku}</span></span>
                    </span>
                </div>
            </th>
            <td class="is-num" data-label=l.t(t::AVAILABLE)><span class=badge>{available}</span></td>
            <td class="is-num" data-label=l.t(t::HELD)>{held}</td>
            <td class="is-wide" data-label=l.t(t::ON_HAND)><StockForm variant rows name=name.clone()/></td>
            <td class="is-wide" data-label=l.t(t::PRICE)><PriceForm variant rows name/></td>
        </tr>
    }
    .into_any()
}

/// How the last attempt to save ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Saved,
    /// The field it is about, if it is about one, and what is wrong.
    Failed(Option<&'static str>, String),
}

/// What is going on in a form.
#[derive(Clone, Copy)]
struct Progress {
    busy: RwSignal<bool>,
    outcome: RwSignal<Option<Outcome>>,
}

impl Progress {
    fn new() -> Self {
        Self { busy: RwSignal::new(false), outcome: RwSignal::new(None) }
    }

    /// Whether nothing is on its way yet.
    fn begin(self) -> bool {
        if self.busy.get_untracked() {
            return false;
        }
        self.busy.set(true);
        self.outcome.set(None);
        true
    }

    fn end(self, outcome: Outcome) {
        self.busy.try_set(false);
        self.outcome.try_set(Some(outcome));
    }

    fn fail(self, l: Locale, error: &Error) {
        self.end(Outcome::Failed(field_of(error), problem_words(l, error)));
    }

    /// `aria-invalid` of a field.
    fn invalid(self, field: &'static str) -> impl Fn() -> Option<&'static str> + Copy {
        let wrong = move |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Failed(Some(wrong), _)) if *wrong == field);
        move || self.outcome.with(wrong).then_some("true")
    }

    /// `aria-busy` of the button.
    fn waiting(self) -> impl Fn() -> Option<&'static str> + Copy {
        move || self.busy.get().then_some("true")
    }
}

const FIELDS: [&str; 3] = ["on_hand", "price", "compare_at"];

fn field_of(error: &Error) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| error.problem(field).is_some())
}

/// What is wrong with a change of stock or price, in the words of the office.
pub fn problem_words(l: Locale, error: &Error) -> String {
    match field_of(error).and_then(|field| Some((field, error.problem(field)?))) {
        Some(("on_hand", Problem::Range(from, _))) if from > 0 => l.f(t::FEWER_THAN_HELD, &[("n", &from)]),
        Some(("price" | "compare_at", Problem::Number)) => l.t(t::NO_PRICE).to_owned(),
        Some((_, problem)) => problem_text(l, problem),
        None => match error {
            Error::Conflict => l.t(t::CONFLICT).to_owned(),
            Error::Unauthenticated => l.t(t::SESSION_ENDED).to_owned(),
            error => message(l, error),
        },
    }
}

/// How the last attempt ended, beside the form.
#[component]
fn Said(id: String, progress: Progress) -> impl IntoView {
    let l = use_locale();
    let error = move || match progress.outcome.get() {
        Some(Outcome::Failed(_, text)) => Some(view! {
            <span class="field-error">
                <Icon name="error" class="icon-sm"/>
                <span>{text}</span>
            </span>
        }),
        _ => None,
    };
    let saved = move || {
        let saved = progress.outcome.with(|outcome| *outcome == Some(Outcome::Saved));
        saved.then(|| view! { <span class="field-hint"><Icon name="check" class="icon-sm"/>{l.t(t::SAVED)}</span> })
    };
    view! {
        <span id=id role="alert">{error}</span>
        <span role="status">{saved}</span>
    }
    .into_any()
}

/// Without script the browser checks what it can; with it the page says what is wrong in its own words.
fn use_own_checks() -> RwSignal<bool> {
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    alive
}

fn value_of(input: NodeRef<html::Input>) -> Option<String> {
    input.try_get_untracked().flatten().map(|input| input.value())
}

fn fill(input: NodeRef<html::Input>, text: &str) {
    if let Some(input) = input.try_get_untracked().flatten() {
        input.set_value(text);
    }
}

/// What a stock form was filled from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pieces {
    version: i64,
    on_hand: i64,
}

impl Pieces {
    fn of(variant: &OfficeVariant) -> Self {
        Self { version: variant.stock_version, on_hand: variant.on_hand }
    }
}

/// The pieces on hand. What is sent is the difference to what was seen, so that sales in between are not undone.
#[component]
fn StockForm(variant: RwSignal<OfficeVariant>, rows: Rows, name: String) -> impl IntoView {
    let l = use_locale();
    let id = variant.with_untracked(|variant| variant.variant_id.clone());
    let now = Memo::new(move |_| variant.with(Pieces::of));
    let first = now.get_untracked().on_hand;
    let seen = RwSignal::new(now.get_untracked());
    let input = NodeRef::<html::Input>::new();
    let progress = Progress::new();
    let alive = use_own_checks();
    Effect::new(move |_| {
        let now = now.get();
        let before = seen.get_untracked();
        if before != now && value_of(input) == Some(before.on_hand.to_string()) {
            fill(input, &now.on_hand.to_string());
            seen.set(now);
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(form) = AdjustStock::from_event(&event) else {
            return progress.outcome.set(Some(Outcome::Failed(Some("on_hand"), problem_text(l, Problem::Number))));
        };
        if !progress.begin() {
            return;
        }
        let typed = value_of(input);
        spawn_local(async move {
            let AdjustStock { variant_id, version, seen: before, on_hand } = form;
            match api::office::adjust_stock(variant_id, version, before, on_hand).await {
                Ok(()) => {
                    if value_of(input) == typed {
                        fill(input, &on_hand.to_string());
                    }
                    seen.try_set(Pieces { version: version + 1, on_hand });
                    variant.try_update(|variant| {
                        variant.stock_version = version + 1;
                        variant.on_hand += on_hand - before;
                    });
                    progress.end(Outcome::Saved);
                    rows.refresh().await;
                }
                Err(Error::Conflict) => {
                    rows.refresh().await;
                    let Some(now) = now.try_get_untracked() else { return };
                    // What was typed stays; saving it again counts from the pieces that are shown here.
                    seen.try_set(now);
                    let text = l.f(t::STOCK_CONFLICT_NOW, &[("n", &now.on_hand)]);
                    progress.end(Outcome::Failed(Some("on_hand"), text));
                }
                Err(error) => {
                    progress.fail(l, &error);
                    // Others may hold or have bought some meanwhile.
                    rows.refresh().await;
                }
            }
        });
    };
    let said = format!("said-stock-{id}");
    let held = move || variant.with(|variant| variant.held);
    view! {
        <form
            class="inline-form"
            action=AdjustStock::url()
            method="post"
            novalidate=move || alive.get()
            on:submit=submit
            on:input=move |_| progress.outcome.set(None)
        >
            <input type="hidden" name="variant_id" value=id/>
            <input type="hidden" name="version" value=move || seen.get().version/>
            <input type="hidden" name="seen" value=move || seen.get().on_hand/>
            <input
                class="input"
                type="number"
                inputmode="numeric"
                name="on_hand"
                value=first
                min=held
                step="1"
                required
                autocomplete="off"
                aria-label=l.f(t::ON_HAND_OF, &[("name", &name)])
                aria-invalid=progress.invalid("on_hand")
                aria-describedby=said.clone()
                node_ref=input
            />
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=progress.waiting()>
                {l.t(t::SAVE)}
                <span class="visually-hidden">{format!(" {}", l.f(t::ON_HAND_OF, &[("name", &name)]))}</span>
            </button>
            <Said id=said progress/>
        </form>
    }
    .into_any()
}

/// What a price form was filled from, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Prices {
    version: i64,
    price: String,
    compare_at: String,
}

impl Prices {
    fn of(variant: &OfficeVariant, currency: Currency) -> Self {
        Self {
            version: variant.version,
            price: variant.price.to_decimal(currency),
            compare_at: variant.compare_at.map(|amount| amount.to_decimal(currency)).unwrap_or_default(),
        }
    }
}

/// The price, and the price before a reduction.
#[component]
fn PriceForm(variant: RwSignal<OfficeVariant>, rows: Rows, name: String) -> impl IntoView {
    let l = use_locale();
    let currency = use_currency();
    let now = Memo::new(move |_| variant.with(|variant| Prices::of(variant, currency)));
    let first = now.get_untracked();
    let seen = RwSignal::new(first.clone());
    let (price, compare_at) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let progress = Progress::new();
    let alive = use_own_checks();
    let typed = move || value_of(price).zip(value_of(compare_at));
    Effect::new(move |_| {
        let now = now.get();
        let untouched = typed() == Some(seen.with_untracked(|seen| (seen.price.clone(), seen.compare_at.clone())));
        if untouched && seen.with_untracked(|seen| *seen != now) {
            fill(price, &now.price);
            fill(compare_at, &now.compare_at);
            seen.set(now);
        }
    });
    let id = variant.with_untracked(|variant| variant.variant_id.clone());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(form) = SetPrice::from_event(&event) else { return };
        if let Some(error) = check(&form, currency) {
            return progress.fail(l, &error);
        }
        if !progress.begin() {
            return;
        }
        spawn_local(async move {
            let SetPrice { variant_id, version, price, compare_at } = form;
            match api::office::set_price(variant_id, version, price.clone(), compare_at.clone()).await {
                Ok(()) => {
                    let saved = Amount::parse(&price, currency).unwrap_or_default();
                    let before = Amount::parse(&compare_at, currency).ok();
                    seen.try_set(Prices { version: version + 1, price, compare_at });
                    variant.try_update(|variant| {
                        variant.version = version + 1;
                        variant.price = saved;
                        variant.compare_at = before;
                    });
                    progress.end(Outcome::Saved);
                    rows.refresh().await;
                }
                Err(Error::Conflict) => {
                    rows.refresh().await;
                    let Some(now) = now.try_get_untracked() else { return };
                    // What was typed stays; saving it again replaces the price that is shown here.
                    seen.try_update(|seen| seen.version = now.version);
                    let amount = variant.try_with_untracked(|variant| variant.price).unwrap_or_default();
                    let text = l.f(t::PRICE_CONFLICT_NOW, &[("price", &amount.display(currency))]);
                    progress.end(Outcome::Failed(Some("price"), text));
                }
                Err(error) => progress.fail(l, &error),
            }
        });
    };
    let said = format!("said-price-{id}");
    let sign = currency.symbol();
    view! {
        <form
            class="inline-form"
            action=SetPrice::url()
            method="post"
            novalidate=move || alive.get()
            on:submit=submit
            on:input=move |_| progress.outcome.set(None)
        >
            <input type="hidden" name="variant_id" value=id/>
            <input type="hidden" name="version" value=move || seen.with(|seen| seen.version)/>
            <span class="affix">
                <span class="affix-text">{sign}</span>
                <input
                    class="input"
                    type="text"
                    inputmode="decimal"
                    name="price"
                    value=first.price
                    required
                    autocomplete="off"
                    aria-label=l.f(t::PRICE_OF, &[("name", &name)])
                    aria-invalid=progress.invalid("price")
                    aria-describedby=said.clone()
                    node_ref=price
                />
            </span>
            <span class="affix">
                <span class="affix-text">{format!("{} {sign}", l.t(t::COMPARE_AT))}</span>
                <input
                    class="input"
                    type="text"
                    inputmode="decimal"
                    name="compare_at"
                    value=first.compare_at
                    autocomplete="off"
                    aria-label=l.f(t::COMPARE_AT_OF, &[("name", &name)])
                    aria-invalid=progress.invalid("compare_at")
                    aria-describedby=said.clone()
                    node_ref=compare_at
                />
            </span>
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=progress.waiting()>
                {l.t(t::SAVE)}
                <span class="visually-hidden">{format!(" {}", l.f(t::PRICE_OF, &[("name", &name)]))}</span>
            </button>
            <Said id=said progress/>
        </form>
    }
    .into_any()
}

/// What can be told without asking.
fn check(form: &SetPrice, currency: Currency) -> Option<Error> {
    let wrong =
        |field, text: &str| Amount::parse(text, currency).is_err().then(|| Error::field(field, Problem::Number));
    let before = (!form.compare_at.trim().is_empty()).then_some(&form.compare_at);
    wrong("price", &form.price).or_else(|| wrong("compare_at", before?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(price: &str, compare_at: &str) -> SetPrice {
        SetPrice { variant_id: String::new(), version: 1, price: price.into(), compare_at: compare_at.into() }
    }

    #[test]
    fn a_price_that_is_none_is_told_before_it_is_sent() {
        assert_eq!(check(&form("1,299", " "), Currency::CNY), None);
        assert_eq!(check(&form("", ""), Currency::CNY), Some(Error::field("price", Problem::Number)));
        assert_eq!(check(&form("9.999", ""), Currency::CNY), Some(Error::field("price", Problem::Number)));
        assert_eq!(check(&form("9", "x"), Currency::CNY), Some(Error::field("compare_at", Problem::Number)));
    }

    #[test]
    fn fewer_than_held_says_how_many_are_held() {
        let error = Error::field("on_hand", Problem::Range(3, 10));
        assert_eq!(problem_words(Locale::En, &error), "Customers hold 3; enter at least that many");
    }
}
