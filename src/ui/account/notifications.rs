//! Which messages a person wants, and what the shop may do with what it knows of them.

use super::{Done, Narrow, SignInFirst};
use crate::{
    api::{self, account::SetChoices},
    domain::{
        Error,
        choice::{Channel, Choices, Topic, box_name},
        texts::personal as t,
    },
    ui::{
        components::{form::FormState, skeleton::SkeletonText},
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};

#[component]
pub fn NotificationsPage() -> impl IntoView {
    let l = use_locale();
    let choices = Resource::new(|| (), |()| api::account::choices());
    view! {
        <Narrow title=l.t(t::NOTIFICATIONS_TITLE)>
            <Done said=&[("1", t::NOTIFICATIONS_SAVED)]/>
            <Suspense fallback=|| view! { <div class="panel"><SkeletonText lines=8/></div> }>
                {move || Suspend::new(async move {
                    match choices.await {
                        Ok(choices) => view! { <Form choices/> }.into_any(),
                        Err(Error::Unauthenticated) => view! {
                            <SignInFirst to="/me/notifications" text=l.t(t::SIGN_IN_NOTIFICATIONS)/>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Suspense>
        </Narrow>
    }
    .into_any()
}

#[component]
fn Form(choices: Choices) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<SetChoices>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(SetChoices { wanted, recommendation }) = SetChoices::from_event(&event) else { return };
        // The answer leads back here, where it says that it is done.
        state.send(None, api::account::set_choices(wanted, recommendation), |()| {});
    };
    let recommendation = choices.recommendation;
    let topic = move |topic: Topic| {
        let (title, text) = match topic {
            Topic::Order => (t::TOPIC_ORDER, t::TOPIC_ORDER_TEXT),
            Topic::Delivery => (t::TOPIC_DELIVERY, t::TOPIC_DELIVERY_TEXT),
            Topic::BackInStock => (t::TOPIC_BACK_IN_STOCK, t::TOPIC_BACK_IN_STOCK_TEXT),
            Topic::Marketing => (t::TOPIC_MARKETING, t::TOPIC_MARKETING_TEXT),
        };
        let ways = Channel::ALL.map(|channel| {
            let name = match channel {
                Channel::Phone => t::BY_PHONE,
                Channel::Email => t::BY_EMAIL,
            };
            let ticked = choices.wanted.contains(&(topic, channel));
            let unknown = !choices.reached.contains(&channel);
            view! {
                <label class="check">
                    <input type="checkbox" name=format!("wanted[{}]", box_name(topic, channel)) value="1" checked=ticked/>
                    <span>
                        {l.t(name)}
                        {unknown.then(|| view! { " "<span class="muted small">{l.t(t::NOT_REACHED)}</span> })}
                    </span>
                </label>
            }
        });
        view! {
            <fieldset class="stack-sm">
                <legend class="field-label">{l.t(title)}</legend>
                <p class="field-hint">{l.t(text)}</p>
                <div class="cluster">{ways}</div>
            </fieldset>
        }
    };
    view! {
        <form class="panel form" action=SetChoices::url() method="post" on:submit=submit>
            {state.notice()}
            <p class="muted">{l.t(t::NOTIFICATIONS_TEXT)}</p>
            {Topic::ALL.map(topic)}
            <fieldset class="stack-sm">
                <legend class="field-label">{l.t(t::RECOMMENDATION)}</legend>
                <p class="field-hint">{l.t(t::RECOMMENDATION_TEXT)}</p>
                <label class="check">
                    <input type="checkbox" name="recommendation" value="1" checked=recommendation/>
                    <span>{l.t(t::RECOMMENDATION_AGREE)}</span>
                </label>
                <p class="field-hint"><a class="link" href="/me/viewed">{l.t(t::VIEWED_CHOICE)}</a></p>
            </fieldset>
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::SAVE)}</button>
            </div>
        </form>
    }
    .into_any()
}
