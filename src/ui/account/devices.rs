//! Where the account is signed in.

use crate::{
    api::{
        self,
        account::{EndDevice, EndOtherDevices, SignOut},
    },
    domain::{account::Device, texts::account as t},
    ui::{
        components::{
            form::{FormState, load},
            icon::Icon,
            loaded::Loaded,
            shell::use_toasts,
            time::Time,
        },
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

#[component]
pub fn Devices() -> impl IntoView {
    let l = use_locale();
    let devices = Resource::new(|| (), |()| api::account::devices());
    let again = Callback::new(move |()| devices.refetch());
    view! {
        <section class="panel section-sm" aria-labelledby="devices-title">
            <div class="panel-head"><h2 class="panel-title" id="devices-title">{l.t(t::DEVICES_TITLE)}</h2></div>
            <Loaded data=devices lines=3 inside=true let:devices>
                <List devices again/>
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn List(devices: Vec<Device>, again: Callback<()>) -> impl IntoView {
    let several = devices.len() > 1;
    view! {
        <ul class="devices">{devices.into_iter().map(|device| view! { <Row device again/> }).collect_view()}</ul>
        {several.then(|| view! { <Others again/> })}
    }
    .into_any()
}

#[component]
fn Row(device: Device, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let Device { id, name, signed_in_at, seen_at, present } = device;
    let name = if name.is_empty() { l.t(t::UNKNOWN_DEVICE).to_owned() } else { name };
    let end = if present {
        view! { <SignOutButton/> }.into_any()
    } else {
        let sent = id.clone();
        let submit = move |event: ev::SubmitEvent| {
            event.prevent_default();
            state.send(None, api::account::end_device(sent.clone()), move |()| {
                toasts.show(l.t(t::DEVICES_ENDED));
                again.run(());
            });
        };
        let hidden = format!(" {name}");
        view! {
            <form action=EndDevice::url() method="post" on:submit=submit>
                <input type="hidden" name="id" value=id/>
                <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>
                    {l.t(t::SIGN_OUT)}<span class="visually-hidden">{hidden}</span>
                </button>
            </form>
        }
        .into_any()
    };
    view! {
        <li class="device">
            <Icon name="phone"/>
            <div class="grow">
                <p><strong>{name}</strong>{present.then(|| view! { " "<span class="badge badge-ok">{l.t(t::THIS_DEVICE)}</span> })}</p>
                <p class="muted small">{l.t(t::SEEN)} " " <Time ms=seen_at/></p>
                <p class="muted small">{l.t(t::SIGNED_IN)} " " <Time ms=signed_in_at/></p>
                {state.notice()}
            </div>
            {end}
        </li>
    }
    .into_any()
}

#[component]
fn Others(again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::account::end_other_devices(), move |()| {
            toasts.show(l.t(t::DEVICES_ENDED));
            again.run(());
        });
    };
    view! {
        <form class="form-actions section-sm" action=EndOtherDevices::url() method="post" on:submit=submit>
            {state.notice()}
            <button class="btn btn-secondary" type="submit" aria-busy=state.busy()>{l.t(t::END_OTHERS)}</button>
        </form>
    }
    .into_any()
}

/// Signs out here; the next page is loaded anew.
#[component]
pub fn SignOutButton() -> impl IntoView {
    let l = use_locale();
    let state = FormState::new(None, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::account::sign_out(), |page| load(&page));
    };
    view! {
        <form action=SignOut::url() method="post" on:submit=submit>
            {state.notice()}
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::SIGN_OUT)}</button>
        </form>
    }
    .into_any()
}
