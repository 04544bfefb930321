//! Payment methods: their names, their marks, and the cards to choose one.

use super::field::FieldError;
use crate::{
    domain::{Locale, payment::Method, texts::payment as t},
    ui::use_locale,
};
use leptos::prelude::*;

/// The name of a payment method.
pub fn method_name(locale: Locale, method: Method) -> &'static str {
    locale.t(match method {
        Method::Alipay => t::ALIPAY,
        Method::WechatPay => t::WECHAT_PAY,
        Method::BankCard => t::BANK_CARD,
        Method::Unionpay => t::UNIONPAY,
        Method::Paypal => t::PAYPAL,
    })
}

/// The mark of a payment method, beside its name.
#[component]
pub fn MethodMark(method: Method) -> impl IntoView {
    let mark = match method {
        Method::Alipay => "/icons.svg#pay-alipay",
        Method::WechatPay => "/icons.svg#pay-wechat",
        Method::BankCard => "/icons.svg#pay-card",
        Method::Unionpay => "/icons.svg#pay-quickpass",
        Method::Paypal => "/icons.svg#pay-paypal",
    };
    view! { <svg class="pay-mark" aria-hidden="true"><use href=mark></use></svg> }.into_any()
}

/// Radio cards for all methods, inside a form.
#[component]
pub fn MethodCards(
    /// The name in the form.
    #[prop(into)]
    name: String,
    /// What is chosen at first; none when `None`.
    selected: Option<Method>,
    /// Whether the legend is shown as the title of the panel; otherwise only to those who listen.
    #[prop(optional)]
    titled: bool,
    /// In two columns where there is room.
    #[prop(optional)]
    columns: bool,
    #[prop(optional, into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let l = use_locale();
    let card = move |method: Method| {
        let hint = (method == Method::BankCard).then(|| l.t(t::BANK_CARD_HINT));
        view! {
            <label class="choice">
                <input type="radio" name=name.clone() value=method.name() checked={selected == Some(method)}/>
                <MethodMark method/>
                <span class="choice-body">
                    <span class="choice-title">{method_name(l, method)}</span>
                    {hint.map(|hint| view! { <span class="choice-hint">{hint}</span> })}
                </span>
            </label>
        }
    };
    view! {
        <fieldset id="payment_method" tabindex="-1" aria-describedby=move || error.with(Option::is_some).then_some("payment_method-error")>
            <legend class=if titled { "panel-title" } else { "visually-hidden" }>{l.t(t::METHOD)}</legend>
            <div class=if columns { "choices choices-2" } else { "choices" }>{Method::ALL.map(card)}</div>
            <FieldError id="payment_method" error/>
        </fieldset>
    }
    .into_any()
}
