//! Fields, filled, wrong and waiting.

use super::samples;
use crate::{
    domain::{
        Error,
        address::{CheckoutForm, DeliveryWish},
        error::Problem,
        payment::Method,
        texts::{catalog, checkout, design as t, order},
    },
    ui::{
        components::{
            address::{AddressBlock, ContactFields, DeliveryFields, Divisions, field_labels},
            field::{ErrorSummary, Field, TextField, problem_of},
            method::MethodCards,
            stepper::Stepper,
        },
        use_locale,
    },
};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// The form of the checkout after a first attempt, while the cities are on their way.
pub fn address() -> AnyView {
    let l = use_locale();
    let form = CheckoutForm {
        recipient: l.t(t::RECIPIENT).into(),
        phone: "138001".into(),
        email: "ming@example".into(),
        province: "330000".into(),
        note: l.t(t::NOTE).into(),
        ..CheckoutForm::default()
    };
    let problems = [
        ("phone", Problem::Phone),
        ("email", Problem::Email),
        ("detail", Problem::Required),
        ("payment_method", Problem::Choice),
    ];
    let problems = problems.map(|(field, problem)| (field.to_owned(), problem));
    let error = Signal::stored(Some(Error::Invalid(BTreeMap::from(problems))));
    let provinces = vec![(form.province.clone(), l.t(t::PROVINCE).to_owned())];
    let divisions = Signal::stored(Divisions { provinces, ..Divisions::default() });
    view! {
        <ErrorSummary error fields=field_labels(l)/>
        <div class="panel form">
            <ContactFields prefix="form" form=form.clone() divisions loading=true error on_region=Callback::new(|_| ())/>
        </div>
        <div class="panel form"><DeliveryFields prefix="form" form error/></div>
        <div class="panel">
            <MethodCards
                name="form[payment_method]" selected={Some(Method::WechatPay)} titled=true columns=true
                error=problem_of(error, "payment_method")
            />
        </div>
        <div class="panel">
            <AddressBlock contact=samples::contact(l) region_name=l.t(t::REGION).to_owned() wish=DeliveryWish::Weekends note=l.t(t::NOTE).to_owned()/>
        </div>
    }
    .into_any()
}

pub fn fields() -> AnyView {
    let l = use_locale();
    let fine: Signal<Option<String>> = Signal::stored(None);
    let wrong = problem_of(Signal::stored(Some(Error::field("number", Problem::TooShort(16)))), "number");
    let hint = Signal::stored(l.t(order::FIND_HINT).to_owned());
    view! {
        <div class="panel form">
            <div class="form-row">
                <TextField id="f-plain" name="plain" label=l.t(order::ORDER_NUMBER) error=fine hint/>
                <TextField id="f-wrong" name="wrong" label=l.t(order::ORDER_NUMBER) value="2026" error=wrong hint/>
                <TextField id="f-optional" name="optional" label=l.t(order::CONTACT) error=fine optional=true/>
            </div>
            <div class="form-row">
                <Field id="f-off" label=l.t(checkout::RECIPIENT) error=fine>
                    <input class="input" id="f-off" disabled value=l.t(t::RECIPIENT)/>
                </Field>
                <Field id="f-affix" label=l.t(catalog::PRICE_MAX) error=fine>
                    <div class="affix">
                        <span class="affix-text">"¥"</span>
                        <input class="input" id="f-affix" inputmode="decimal" value="300"/>
                    </div>
                </Field>
                <Field id="f-sort" label=l.t(catalog::SORT) error=fine>
                    <select class="select" id="f-sort"><option>{l.t(catalog::SORT_RELEVANCE)}</option></select>
                </Field>
            </div>
            <div>
                <label class="check">
                    <input type="checkbox" checked/>
                    {l.t(t::BRAND)}
                    <span class="check-count">"14"</span>
                </label>
                <label class="check"><input type="checkbox" disabled/>{l.t(catalog::IN_STOCK)}</label>
            </div>
        </div>
    }
    .into_any()
}

/// In the middle, at the least, at the most, and switched off.
pub fn quantity() -> AnyView {
    let l = use_locale();
    let stepper = |(value, max, disabled, name): (i64, i64, bool, _)| {
        let label = Signal::stored(l.f(order::QUANTITY_OF, &[("title", &l.t(name))]));
        view! { <Stepper value=RwSignal::new(value) max=Signal::stored(max) label disabled=Signal::stored(disabled)/> }
    };
    let steppers = [(2, 9, false, t::CUP), (1, 9, false, t::SCARF), (9, 9, false, t::LAMP), (1, 9, true, t::TEA)];
    view! { <div class="cluster">{steppers.map(stepper)}</div> }.into_any()
}
