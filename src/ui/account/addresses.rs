//! The addresses of an account.

use super::{Done, Narrow, SignInFirst};
use crate::{
    api::{
        self,
        account::{DeleteAddress, SetDefaultAddress},
    },
    domain::{
        Error,
        address_book::{MAX_ADDRESSES, SavedAddress},
        catalog::percent_encode,
        texts::personal as t,
    },
    ui::{
        components::{
            address::{label_text, reached_by},
            form::FormState,
            icon::Icon,
            skeleton::SkeletonText,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::{ev, prelude::*, server_fn::ServerFn};

#[component]
pub fn AddressesPage() -> impl IntoView {
    let l = use_locale();
    let addresses = Resource::new(|| (), |()| api::account::addresses());
    let again = Callback::new(move |()| addresses.refetch());
    // What was posted twice, or is gone by now, is no matter.
    let posted = [
        ServerAction::<DeleteAddress>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<SetDefaultAddress>::new().value().get_untracked().and_then(Result::err),
    ];
    let posted = posted.into_iter().flatten().find(|error| *error != Error::NotFound);
    view! {
        <Narrow title=l.t(t::ADDRESSES_TITLE)>
            <Done said=&[("saved", t::ADDRESS_SAVED), ("deleted", t::ADDRESS_DELETED), ("default", t::DEFAULT_SET)]/>
            {posted.map(|error| view! { <ErrorNotice error/> })}
            <Transition fallback=|| view! { <div class="panel"><SkeletonText lines=6/></div> }>
                {move || Suspend::new(async move {
                    match addresses.await {
                        Ok(addresses) => view! { <Book addresses again/> }.into_any(),
                        Err(Error::Unauthenticated) => view! {
                            <SignInFirst to="/me/addresses" text=l.t(t::SIGN_IN_ADDRESSES)/>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorNotice error reload=true/> }.into_any(),
                    }
                })}
            </Transition>
        </Narrow>
    }
    .into_any()
}

#[component]
fn Book(addresses: Vec<SavedAddress>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let add = move || view! { <a class="btn btn-primary" href="/me/addresses/edit">{l.t(t::ADD_ADDRESS)}</a> };
    if addresses.is_empty() {
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="pin" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::ADDRESSES_EMPTY_TITLE)}</h2>
                <p class="empty-text">{l.t(t::ADDRESSES_EMPTY_TEXT)}</p>
                <div class="empty-actions">{add()}</div>
            </div>
        }
        .into_any();
    }
    let count = addresses.len();
    let room = count < MAX_ADDRESSES as usize;
    let rows = addresses.into_iter().map(|address| view! { <Row address again/> }).collect_view();
    view! {
        <ul class="stack">{rows}</ul>
        <div class="spread section-sm">
            <p class="muted small">{l.f(t::ADDRESS_COUNT, &[("n", &count), ("max", &MAX_ADDRESSES)])}</p>
            {room.then(add)}
        </div>
    }
    .into_any()
}

#[component]
fn Row(address: SavedAddress, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let state = FormState::new(None, &[]);
    let SavedAddress { id, contact, region_name, label, is_default, .. } = address;
    let reached = reached_by(&contact);
    let email = contact.email.clone().filter(|_| contact.phone.is_some());
    let label = label.map(|label| label_text(l, &label));
    let edit = format!("/me/addresses/edit?id={}", percent_encode(&id));
    let hidden = format!(" {} {}", contact.recipient, contact.detail);
    let of = move |hidden: &str| view! { <span class="visually-hidden">{hidden.to_owned()}</span> };
    let (to_default, to_delete) = (id.clone(), id.clone());
    let make_default = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::account::set_default_address(to_default.clone()), move |()| again.run(()));
    };
    let delete = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let id = to_delete.clone();
        let gone = async move {
            match api::account::delete_address(id).await {
                // By another tab, a moment ago.
                Err(Error::NotFound) => Ok(()),
                other => other,
            }
        };
        state.send(None, gone, move |()| again.run(()));
    };
    view! {
        <li class="panel stack-sm">
            <address class="address">
                <Icon name="pin"/>
                <span>
                    <strong>{contact.recipient}</strong>
                    " "
                    <span class="nowrap">{reached}</span>
                    {label.map(|label| view! { " "<span class="badge">{label}</span> })}
                    {is_default.then(|| view! { " "<span class="badge badge-ok">{l.t(t::DEFAULT)}</span> })}
                    {email.map(|email| view! { <br/>{email} })}
                    <br/>
                    {format!("{region_name} ")}
                    <span class="pre-line">{contact.detail}</span>
                </span>
            </address>
            {state.notice()}
            <div class="cluster">
                <a class="btn btn-secondary btn-sm" href=edit>{l.t(t::EDIT)}{of(&hidden)}</a>
                {(!is_default).then(|| view! {
                    <form action=SetDefaultAddress::url() method="post" on:submit=make_default>
                        <input type="hidden" name="id" value=id.clone()/>
                        <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::MAKE_DEFAULT)}{of(&hidden)}</button>
                    </form>
                })}
            </div>
            <details>
                <summary class="ask">{l.t(t::DELETE)}{of(&hidden)}</summary>
                <form class="stack-sm" action=DeleteAddress::url() method="post" on:submit=delete>
                    <input type="hidden" name="id" value=id.clone()/>
                    <p class="muted small">{l.t(t::DELETE_ADDRESS_ASK)}</p>
                    <div><button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::DELETE_YES)}{of(&hidden)}</button></div>
                </form>
            </details>
        </li>
    }
    .into_any()
}
