//! What a shop that is being tried would send, so that a newcomer can read a code without setting up mail.

use super::Narrow;
use crate::{
    api,
    domain::{Error, texts::message as t},
    ui::{
        components::skeleton::SkeletonText,
        error::{ErrorNotice, ErrorPage},
        use_locale,
    },
};
use leptos::prelude::*;

#[component]
pub fn OutboxPage() -> impl IntoView {
    let l = use_locale();
    let posted = Resource::new(|| (), |()| api::account::outbox());
    view! {
        <Suspense fallback=|| view! { <SkeletonText lines=6/> }>
            {move || Suspend::new(async move {
                let messages = match posted.await {
                    Ok(messages) => messages,
                    Err(Error::NotFound) => return view! { <ErrorPage error=Error::NotFound/> }.into_any(),
                    Err(error) => return view! { <Narrow title=l.t(t::OUTBOX_TITLE)><ErrorNotice error reload=true/></Narrow> }.into_any(),
                };
                let none = messages.is_empty().then(|| view! { <p class="muted">{l.t(t::OUTBOX_EMPTY)}</p> });
                let message = move |message: crate::domain::account::Posted| {
                    let files = (!message.files.is_empty()).then(|| message.files.join(", "));
                    let files = files.map(|names| view! { <p class="muted small">{l.f(t::OUTBOX_FILES, &[("names", &names)])}</p> });
                    view! {
                        <li class="panel stack-sm">
                            <p class="spread"><strong>{message.subject}</strong><span class="muted num">{message.to}</span></p>
                            <p class="pre-line">{message.text}</p>
                            {files}
                        </li>
                    }
                };
                view! {
                    <Narrow title=l.t(t::OUTBOX_TITLE)>
                        <p class="muted">{l.t(t::OUTBOX_TEXT)}</p>
                        <ol class="stack section-sm">{messages.into_iter().map(message).collect_view()}</ol>
                        {none}
                        <p class="section-sm"><a class="btn btn-secondary" href="/outbox" rel="external">{l.t(t::OUTBOX_RELOAD)}</a></p>
                    </Narrow>
                }
                .into_any()
            })}
        </Suspense>
    }
    .into_any()
}
