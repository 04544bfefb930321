//! The fields of the checkout form: who receives, where, when, and a note. Part of any form that sends a
//! [`CheckoutForm`]; `prefix` is what its fields are called there (`form`, so that one is `form[phone]`).

use super::field::{Field, FieldError, TextAreaField, TextField, described_by, focus, invalid, problem_of};
use crate::{
    domain::{
        Error, Locale,
        address::{CALLING_CODES, CheckoutForm, Contact, DeliveryWish},
        address_book::Label,
        texts::{checkout as t, personal as book},
    },
    ui::{components::icon::Icon, use_locale},
};
use leptos::{ev, html, prelude::*};

/// The most characters of a note.
const NOTE: usize = 200;

/// Code and name of what the three selects of an address offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Divisions {
    pub provinces: Vec<(String, String)>,
    pub cities: Vec<(String, String)>,
    pub districts: Vec<(String, String)>,
}

/// The group of the three selects. A district that is missing is told of there: which select is to blame depends on the
/// choices made.
const REGION_ID: &str = "region";

/// The names, ids and labels of all fields here and of the payment method, for an
/// [`ErrorSummary`](super::field::ErrorSummary).
pub fn field_labels(l: Locale) -> Vec<(&'static str, &'static str, &'static str)> {
    let field = |name: &'static str, label| (name, name, l.t(label));
    vec![
        field("recipient", t::RECIPIENT),
        field("phone", t::PHONE),
        field("email", t::EMAIL),
        ("district", REGION_ID, l.t(t::REGION)),
        field("detail", t::DETAIL),
        field("delivery_wish", t::WISH),
        field("note", t::NOTE),
        ("payment_method", "payment_method", l.t(crate::domain::texts::payment::METHOD)),
        field("save_address", t::SAVE_ADDRESS),
    ]
}

/// Recipient, phone, e-mail and address.
///
/// `on_region` is told the province and the city whenever one of them is chosen; who listens then fills `divisions`
/// with what can be chosen below. Without script a button sends the form with `step=region` instead.
#[component]
pub fn ContactFields(
    prefix: &'static str,
    /// What the fields hold at first.
    form: CheckoutForm,
    #[prop(into)] divisions: Signal<Divisions>,
    /// Whether what can be chosen below the last choice is on its way.
    #[prop(into)]
    loading: Signal<bool>,
    #[prop(into)] error: Signal<Option<Error>>,
    on_region: Callback<(String, String)>,
    /// Whether an address is asked for as well.
    #[prop(default = true)]
    address: bool,
) -> impl IntoView {
    let l = use_locale();
    let name = move |field: &str| format!("{prefix}[{field}]");
    let problem = move |field| problem_of(error, field);
    view! {
        <div class="form-row">
            <TextField
                id="recipient" name=name("recipient") label=l.t(t::RECIPIENT) value=form.recipient.clone()
                error=problem("recipient") autocomplete="name"
            />
            <PhoneField prefix code=form.country_code.clone() value=form.phone.clone() error=problem("phone")/>
        </div>
        <TextField
            id="email" name=name("email") label=l.t(t::EMAIL) value=form.email.clone() error=problem("email")
            kind="email" inputmode="email" autocomplete="email" one_of_two=true hint=Signal::stored(l.t(t::EMAIL_HINT).to_owned())
        />
        {address.then(|| view! {
            <RegionSelects prefix form=form.clone() divisions loading error=problem("district") on_region/>
            <TextAreaField
                id="detail" name=name("detail") label=l.t(t::DETAIL) value=form.detail error=problem("detail")
                autocomplete="street-address"
            />
        })}
    }
    .into_any()
}

#[component]
fn PhoneField(prefix: &'static str, code: String, value: String, error: Signal<Option<String>>) -> impl IntoView {
    let l = use_locale();
    let chosen = if code.is_empty() { CALLING_CODES[0].to_owned() } else { code };
    let unusual = (!CALLING_CODES.contains(&chosen.as_str())).then(|| chosen.clone());
    let codes = CALLING_CODES.map(|code| {
        view! { <option value=code selected={code == chosen}>{code}</option> }
    });
    view! {
        <Field id="phone" label=l.t(t::PHONE) error>
            <div class="affix">
                <select class="select" name=format!("{prefix}[country_code]") aria-label=l.t(t::COUNTRY_CODE) autocomplete="tel-country-code">
                    {codes}
                    {unusual.map(|code| view! { <option value=code.clone() selected=true>{code.clone()}</option> })}
                </select>
                <input
                    class="input"
                    id="phone"
                    name=format!("{prefix}[phone]")
                    type="tel"
                    inputmode="tel"
                    autocomplete="tel-national"
                    value=value
                    aria-invalid=invalid(error)
                    aria-describedby=described_by("phone", false, error)
                />
            </div>
        </Field>
    }
    .into_any()
}

/// Province, city and district, each offering what belongs to the choice above.
#[component]
fn RegionSelects(
    prefix: &'static str,
    form: CheckoutForm,
    divisions: Signal<Divisions>,
    loading: Signal<bool>,
    error: Signal<Option<String>>,
    on_region: Callback<(String, String)>,
) -> impl IntoView {
    let l = use_locale();
    let (province, city, district) =
        (RwSignal::new(form.province), RwSignal::new(form.city), RwSignal::new(form.district));
    let tell = move || on_region.run((province.get_untracked(), city.get_untracked()));
    let choose_province = move |code: String| {
        if code != province.get_untracked() {
            province.set(code);
            city.set(String::new());
            district.set(String::new());
            tell();
        }
    };
    let choose_city = move |code: String| {
        if code != city.get_untracked() {
            city.set(code);
            district.set(String::new());
            tell();
        }
    };
    // The first that is empty is to blame: those below it have nothing to offer yet.
    let to_blame = Memo::new(move |_| {
        if province.with(String::is_empty) {
            "province"
        } else if city.with(String::is_empty) {
            "city"
        } else {
            "district"
        }
    });
    let blame = move |id| Signal::derive(move || error.get().filter(|_| to_blame.get() == id));
    let waits = move |above: RwSignal<String>| Signal::derive(move || loading.get() && !above.with(String::is_empty));
    let pass_on = move |_| {
        focus(to_blame.get_untracked());
    };
    view! {
        <div class="form-row" id=REGION_ID role="group" aria-label=l.t(t::REGION) tabindex="-1" on:focus=pass_on>
            <DivisionSelect
                id="province" prefix label=l.t(t::PROVINCE) autocomplete="address-level1" chosen=province error=blame("province") loading=Signal::stored(false)
                options=Signal::derive(move || divisions.with(|d| d.provinces.clone())) on_choice=Callback::new(choose_province)
            />
            <DivisionSelect
                id="city" prefix label=l.t(t::CITY) autocomplete="address-level2" chosen=city error=blame("city") loading=waits(province)
                options=Signal::derive(move || divisions.with(|d| d.cities.clone())) on_choice=Callback::new(choose_city)
            />
            <DivisionSelect
                id="district" prefix label=l.t(t::DISTRICT) autocomplete="address-level3" chosen=district error=blame("district") loading=waits(city)
                options=Signal::derive(move || divisions.with(|d| d.districts.clone())) on_choice=Callback::new(move |code| district.set(code))
            />
        </div>
        <div class="only-no-script">
            <button class="btn btn-secondary btn-sm" type="submit" name="step" value="region">{l.t(t::SHOW_DIVISIONS)}</button>
        </div>
    }
    .into_any()
}

#[component]
fn DivisionSelect(
    id: &'static str,
    prefix: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    chosen: RwSignal<String>,
    options: Signal<Vec<(String, String)>>,
    loading: Signal<bool>,
    error: Signal<Option<String>>,
    on_choice: Callback<String>,
) -> impl IntoView {
    let l = use_locale();
    let element = NodeRef::<html::Select>::new();
    // A choice made before the page came alive, or restored by the browser, counts like any other.
    Effect::new(move |_| {
        if let Some(select) = element.get() {
            let value = select.value();
            if value != chosen.get_untracked() {
                on_choice.run(value);
            }
        }
    });
    let waiting = Memo::new(move |_| loading.get() && options.with(Vec::is_empty));
    let option = move |(code, name): (String, String)| {
        let is_chosen = chosen.get_untracked() == code;
        view! { <option value=code selected=is_chosen>{name}</option> }
    };
    view! {
        <Field id label error>
            <select
                class="select"
                id=id
                name=format!("{prefix}[{id}]")
                autocomplete=autocomplete
                node_ref=element
                aria-required="true"
                aria-busy=move || waiting.get().then_some("true")
                aria-invalid=invalid(error)
                aria-describedby=described_by(id, false, error)
                on:change=move |event: ev::Event| on_choice.run(event_target_value(&event))
            >
                <option value="">{move || l.t(if waiting.get() { t::LOADING_DIVISIONS } else { t::PLEASE_CHOOSE })}</option>
                <For each=move || options.get() key=|(code, _)| code.clone() children=option/>
            </select>
        </Field>
    }
    .into_any()
}

/// The wish for the delivery time, and the note with the number of characters left.
#[component]
pub fn DeliveryFields(
    prefix: &'static str,
    /// What the fields hold at first.
    form: CheckoutForm,
    #[prop(into)] error: Signal<Option<Error>>,
    /// Whether anything is delivered; else there is the note alone.
    #[prop(default = true)]
    delivered: bool,
) -> impl IntoView {
    let l = use_locale();
    let wish = DeliveryWish::from_name(&form.delivery_wish).unwrap_or_default();
    let card = move |choice: DeliveryWish| {
        view! {
            <label class="choice">
                <input type="radio" name=format!("{prefix}[delivery_wish]") value=choice.name() checked={choice == wish}/>
                <span class="choice-body"><span class="choice-title">{wish_name(l, choice)}</span></span>
            </label>
        }
    };
    let written = RwSignal::new(form.note.chars().count());
    let count = move |event: ev::Event| written.set(event_target_value(&event).chars().count());
    let hint = Signal::derive(move || match written.get() {
        0 => l.f(t::NOTE_HINT, &[("n", &NOTE)]),
        n => l.f(t::NOTE_COUNT, &[("n", &n), ("max", &NOTE)]),
    });
    view! {
        {delivered.then(|| view! {
            <fieldset id="delivery_wish" tabindex="-1">
                <legend class="field-label">{l.t(t::WISH)}</legend>
                <div class="choices choices-2">{DeliveryWish::ALL.map(card)}</div>
                <FieldError id="delivery_wish" error=problem_of(error, "delivery_wish")/>
            </fieldset>
        })}
        <div on:input=count>
            <TextAreaField
                id="note" name=format!("{prefix}[note]") label=l.t(t::NOTE) value=form.note error=problem_of(error, "note")
                optional=true hint
            />
        </div>
    }
    .into_any()
}

/// A wish for the delivery time in words.
pub fn wish_name(l: Locale, wish: DeliveryWish) -> &'static str {
    l.t(match wish {
        DeliveryWish::AnyTime => t::WISH_ANY_TIME,
        DeliveryWish::Workdays => t::WISH_WORKDAYS,
        DeliveryWish::Weekends => t::WISH_WEEKENDS,
    })
}

/// A phone number as people read it: `+86 138 0013 8000`. Takes E.164.
pub fn phone_text(phone: &str) -> String {
    match phone.strip_prefix("+86") {
        Some(mobile) if mobile.len() == 11 && mobile.is_ascii() => {
            format!("+86 {} {} {}", &mobile[..3], &mobile[3..7], &mobile[7..])
        }
        Some(national) => format!("+86 {national}"),
        None => phone.to_owned(),
    }
}

/// How a recipient is reached: the phone, or else the e-mail.
pub fn reached_by(contact: &Contact) -> String {
    contact.phone.as_deref().map(phone_text).or_else(|| contact.email.clone()).unwrap_or_default()
}

/// What an address is called by its owner.
pub fn label_text(l: Locale, label: &Label) -> String {
    match label {
        Label::Home => l.t(book::HOME).to_owned(),
        Label::Company => l.t(book::COMPANY).to_owned(),
        Label::Own(text) => text.clone(),
    }
}

/// Recipient and address with the delivery wish and the note, only to be read.
#[component]
pub fn AddressBlock(contact: Contact, region_name: String, wish: DeliveryWish, note: String) -> impl IntoView {
    let l = use_locale();
    let reached = reached_by(&contact);
    let email = contact.email.filter(|_| contact.phone.is_some());
    let wish = (wish != DeliveryWish::AnyTime).then(|| wish_name(l, wish).to_owned());
    let note = (!note.is_empty()).then_some(note);
    let extra: Vec<_> = wish.into_iter().chain(note).collect();
    view! {
        <address class="address">
            <Icon name="pin"/>
            <span>
                <strong>{contact.recipient}</strong>
                " "
                <span class="nowrap">{reached}</span>
                {email.map(|email| view! { <br/>{email} })}
                <br/>
                {format!("{region_name} ")}
                <span class="pre-line">{contact.detail}</span>
                {(!extra.is_empty()).then(|| view! { <br/><span class="muted small pre-line">{extra.join(" · ")}</span> })}
            </span>
        </address>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_grouped_as_people_read_them() {
        assert_eq!(phone_text("+8613800138000"), "+86 138 0013 8000");
        assert_eq!(phone_text("+8675526001234"), "+86 755 2600 1234", "eleven digits are grouped alike");
        assert_eq!(phone_text("+8610626001"), "+86 10626001");
        assert_eq!(phone_text("+85261234567"), "+85261234567");
    }
}
