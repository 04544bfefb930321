//! The question whether new terms and a new privacy notice are agreed to, and the way on whatever the answer is.

use super::{Narrow, SignInFirst};
use crate::{
    api::{self, privacy::Agree},
    domain::{account::NOTICES, page::local_path, privacy::QUESTION, texts::consent as t},
    ui::{
        components::{
            form::{FormState, load},
            loaded::Loaded,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn ConsentPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let to = Memo::new(move |_| {
        let to = query.with(|query| query.get("to"));
        to.as_deref().and_then(local_path).unwrap_or("/me").to_owned()
    });
    let agreed = Resource::new(|| (), |()| api::privacy::agreed());
    view! {
        <Narrow title=l.t(t::TITLE)>
            <Loaded data=agreed lines=5 let:agreed>
                {match agreed {
                    Some(false) => view! { <Question to/> }.into_any(),
                    Some(true) => view! {
                        <div class="panel stack">
                            <p>{l.t(t::AGREED)}</p>
                            <div class="form-actions">
                                <a class="btn btn-primary" href=move || to.get()>{l.t(t::GO_ON)}</a>
                            </div>
                        </div>
                    }
                    .into_any(),
                    None => view! { <SignInFirst to=QUESTION text=l.t(t::SIGN_IN_FIRST)/> }.into_any(),
                }}
            </Loaded>
        </Narrow>
    }
    .into_any()
}

#[component]
fn Question(to: Memo<String>) -> impl IntoView {
    let l = use_locale();
    let posted = ServerAction::<Agree>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let Ok(Agree { to }) = Agree::from_event(&event) else { return };
        state.send(None, api::privacy::agree(to), |page| load(&page));
    };
    let [(_, terms), (_, privacy)] = NOTICES;
    view! {
        <form class="panel form" action=Agree::url() method="post" on:submit=submit>
            {state.notice()}
            <p>{l.t(t::TEXT)}</p>
            <ul class="stack-sm">
                <li><a class="link" href="/terms" target="_blank">{l.f(t::TERMS, &[("date", &terms)])}</a></li>
                <li><a class="link" href="/privacy" target="_blank">{l.f(t::PRIVACY, &[("date", &privacy)])}</a></li>
            </ul>
            <input type="hidden" name="to" value=move || to.get()/>
            <div class="form-actions">
                <button class="btn btn-primary" type="submit" aria-busy=state.busy()>{l.t(t::AGREE)}</button>
                <a class="btn btn-secondary" href=move || to.get()>{l.t(t::LATER)}</a>
            </div>
            <p class="field-hint">{l.t(t::LATER_HINT)}</p>
        </form>
    }
    .into_any()
}
