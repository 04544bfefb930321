//! The form of a review: stars, words, a name or none. The browser's own checks stand in for ours until the script is there;
//! what is refused after all stands in the form again.

use crate::{
    api::{
        self,
        review::{Remove, Write},
    },
    domain::{
        Error,
        catalog::Width,
        locale::Text,
        review::{LineReview, MAX_BODY, MOST, ReviewForm},
        texts::review as t,
    },
    ui::{
        components::{
            field::{FieldError, described_by, invalid, problem_of},
            form::FormState,
            loaded::Loaded,
            picture::Picture,
            shell::use_toasts,
            travel::Main,
        },
        use_locale,
    },
};
use leptos::{ev, form::FromFormData, prelude::*, server_fn::ServerFn};
use leptos_meta::{Meta, Title};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map},
};

/// The fields, which are the ids of their first controls too.
const FIELDS: &[&str] = &["stars", "person_stars", "body"];

/// What so many stars say, the fewest first.
const WORDS: [Text; 5] = [t::STAR_1, t::STAR_2, t::STAR_3, t::STAR_4, t::STAR_5];

#[component]
pub fn WriteReviewPage() -> impl IntoView {
    let (l, params) = (use_locale(), use_params_map());
    let of = Memo::new(move |_| {
        params.with(|params| {
            let position = params.get("position").and_then(|position| position.parse::<i64>().ok()).unwrap_or(-1);
            (params.get("number").unwrap_or_default(), position)
        })
    });
    let form =
        Resource::new(move || of.get(), |(number, position)| async move { api::review::form(number, position).await });
    view! {
        <Title text=l.t(t::WRITE_TITLE)/>
        <Meta name="robots" content="noindex"/>
        <Main class="page container container-narrow">
            <Loaded data=form lines=8 let:form>
                <Body form of=of.get_untracked()/>
            </Loaded>
        </Main>
    }
    .into_any()
}

#[component]
fn Body(form: ReviewForm, of: (String, i64)) -> impl IntoView {
    let l = use_locale();
    let written = matches!(form.standing, Some(LineReview::Written { .. }));
    let open = matches!(form.standing, Some(LineReview::Open | LineReview::Written { editable: true, .. }));
    let order = format!("/orders/{}", of.0);
    let heading = if written { t::CHANGE_TITLE } else { t::WRITE_TITLE };
    let what = view! {
        <div class="cluster">
            <span class="line-media"><Picture image=form.image.clone() thumb=Width::Thumb size=144/></span>
            <div>
                <p class="strong">{form.title.clone()}</p>
                {(!form.label.is_empty()).then(|| view! { <p class="muted small">{form.label.clone()}</p> })}
            </div>
        </div>
    };
    let hidden = form.hidden.clone().map(|reason| {
        view! {
            <div class="notice notice-warn" role="note">
                <div class="notice-body"><p>{l.f(t::HIDDEN_NOTE, &[("reason", &reason)])}</p></div>
            </div>
        }
    });
    let remove = written.then(|| view! { <RemoveForm of=of.clone()/> });
    let form = if open {
        view! { <Form form of written/> }.into_any()
    } else {
        view! {
            <div class="panel">
                <p class="strong">{l.t(t::CLOSED_TITLE)}</p>
                <p class="muted">{l.t(t::CLOSED_TEXT)}</p>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="page-head"><h1 class="page-title">{l.t(heading)}</h1></div>
        {what}
        {hidden}
        {form}
        {remove}
        <p><a class="link" href=order>{l.t(t::TO_ORDER)}</a></p>
    }
    .into_any()
}

#[component]
fn Form(form: ReviewForm, of: (String, i64), written: bool) -> impl IntoView {
    let l = use_locale();
    let ReviewForm { name, person, draft, .. } = form;
    let (number, position) = of;
    let posted = ServerAction::<Write>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, FIELDS);
    // Without script the browser checks; with it we say beside the field what is wrong.
    let scripted = RwSignal::new(false);
    Effect::new(move |_| scripted.set(true));
    let (toasts, navigate, next) = (use_toasts(), use_navigate(), format!("/orders/{number}"));
    let submit = move |event: ev::SubmitEvent| {
        // The browser sends by itself what cannot be read.
        let Ok(Write { number, position, stars, body, anonymous, person_stars }) = Write::from_event(&event) else {
            return;
        };
        event.prevent_default();
        let (navigate, next) = (navigate.clone(), next.clone());
        let answer = api::review::write(number, position, stars, body, anonymous, person_stars);
        state.send(None, answer, move |()| {
            toasts.show(l.t(t::SENT));
            navigate(&next, NavigateOptions::default());
        });
    };
    let error = Signal::derive(move || state.error.get());
    let body_error = problem_of(error, "body");
    let described = described_by("body", true, body_error);
    let person = person.map(|name| {
        let label = l.f(t::PERSON_LABEL, &[("name", &name)]);
        view! { <StarField id="person_stars" label chosen=draft.person_stars optional=true error/> }
    });
    let shown = if name.is_empty() { l.t(t::NO_NAME_HINT).to_owned() } else { l.f(t::NAME_HINT, &[("name", &name)]) };
    let anonymously = (!name.is_empty()).then(|| {
        view! {
            <label class="check">
                <input type="checkbox" name="anonymous" value="true" checked=draft.anonymous/>
                <span>{l.t(t::ANONYMOUSLY)}</span>
            </label>
        }
    });
    let send = if written { t::SAVE } else { t::SEND };
    view! {
        <form
            class="panel form section-sm"
            action=Write::url()
            method="post"
            novalidate=move || scripted.get()
            on:submit=submit
        >
            {state.notice()}
            <input type="hidden" name="number" value=number/>
            <input type="hidden" name="position" value=position.to_string()/>
            <StarField id="stars" label=l.t(t::STARS_LABEL) chosen=draft.stars optional=false error/>
            {person}
            <div class="field">
                <label class="field-label" for="body">{l.t(t::BODY)}</label>
                <textarea
                    class="textarea"
                    id="body"
                    name="body"
                    rows="5"
                    maxlength=move || (!scripted.get()).then(|| MAX_BODY.to_string())
                    aria-invalid=invalid(body_error)
                    aria-describedby=described
                >
                    {draft.body}
                </textarea>
                <p class="field-hint" id="body-hint">{l.f(t::BODY_HINT, &[("n", &MAX_BODY)])}</p>
                <FieldError id="body" error=body_error/>
            </div>
            <p class="muted small">{shown}</p>
            {anonymously}
            <button class="btn btn-primary btn-lg" type="submit" aria-busy=state.busy()>{l.t(send)}</button>
        </form>
    }
    .into_any()
}

/// Radio buttons that look like stars: those up to the chosen one are full. The style sheet does that alone.
#[component]
fn StarField(
    id: &'static str,
    #[prop(into)] label: String,
    chosen: i64,
    /// Whether none is a choice too.
    optional: bool,
    error: Signal<Option<Error>>,
) -> impl IntoView {
    let l = use_locale();
    let problem = problem_of(error, id);
    let described = described_by(id, false, problem);
    let star = |(stars, text): (i64, Text)| {
        view! {
            <label class="star" title=l.t(text)>
                <input
                    type="radio"
                    // The first one takes the focus when something is wrong.
                    id=(stars == 1).then_some(id)
                    name=id
                    value=stars.to_string()
                    required={!optional}
                    checked={stars == chosen}
                />
                <span class="star-mark" aria-hidden="true">"★"</span>
                <span class="visually-hidden">{l.t(text)}</span>
            </label>
        }
    };
    let none = optional.then(|| {
        view! {
            <label class="star-none">
                <input type="radio" name=id value="0" checked={!(1..=MOST).contains(&chosen)}/>
                <span>{l.t(t::PERSON_NONE)}</span>
            </label>
        }
    });
    view! {
        <fieldset class="field" role="radiogroup" aria-invalid=invalid(problem) aria-describedby=described>
            <legend class="field-label">{label}</legend>
            <div class="star-row">{(1..).zip(WORDS).map(star).collect_view()} {none}</div>
            <FieldError id error=problem/>
        </fieldset>
    }
    .into_any()
}

/// It cannot be undone, so it asks.
#[component]
fn RemoveForm(of: (String, i64)) -> impl IntoView {
    let l = use_locale();
    let (number, position) = of;
    let posted = ServerAction::<Remove>::new().value().get_untracked().and_then(Result::err);
    let state = FormState::new(posted, &[]);
    let (toasts, navigate, sent) = (use_toasts(), use_navigate(), number.clone());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (navigate, next) = (navigate.clone(), format!("/orders/{sent}"));
        state.send(None, api::review::remove(sent.clone(), position), move |()| {
            toasts.show(l.t(t::REMOVED));
            navigate(&next, NavigateOptions::default());
        });
    };
    view! {
        <details>
            <summary class="ask">{l.t(t::REMOVE)}</summary>
            <form class="stack-sm" action=Remove::url() method="post" on:submit=submit>
                {state.notice()}
                <p>{l.t(t::REMOVE_TEXT)}</p>
                <input type="hidden" name="number" value=number/>
                <input type="hidden" name="position" value=position.to_string()/>
                <div>
                    <button class="btn btn-danger btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::REMOVE_DO)}</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}
