//! What customers write of what they got: answered in public, or hidden for a reason. The address is the state of the page.

use super::parts::{Failure, LoadFailed};
use crate::{
    api::{
        self,
        review::{AnswerReview, HideReview, ShowReview},
    },
    domain::{
        locale::Text,
        page::Page,
        review::{MAX_ANSWER, MAX_REASON, OfficeFilter, OfficeReview, Review},
        texts::review as t,
    },
    ui::{
        components::{
            form::FormState,
            icon::Icon,
            links::product_href,
            pagination::Pagination,
            shell::use_toasts,
            skeleton::{Reloading, SkeletonText},
            stars::Stars,
            time::{Time, date_time},
            travel::{Main, use_asked},
        },
        error::problem_text,
        use_locale,
    },
};
use leptos::{ev, html, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

const PATH: &str = "/office/reviews";

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    filter: OfficeFilter,
    page: i64,
}

impl Wanted {
    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            filter: get("filter").map(|name| OfficeFilter::from_name(&name)).unwrap_or_default(),
            page: get("page").and_then(|page| page.parse().ok()).unwrap_or(1).max(1),
        }
    }

    fn href(self) -> String {
        let mut pairs = Vec::new();
        if self.filter != OfficeFilter::default() {
            pairs.push(format!("filter={}", self.filter.name()));
        }
        if self.page > 1 {
            pairs.push(format!("page={}", self.page));
        }
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }
}

#[component]
pub fn ReviewsPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_asked(PATH, |query| Wanted::read(|name| query.get(name)));
    let reviews = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let filter = Some(wanted.filter.name().to_owned());
            (wanted, api::review::office_reviews(filter, wanted.page).await)
        },
    );
    let again = Callback::new(move |()| reviews.refetch());
    let pending = RwSignal::new(false);
    let posted = [
        ServerAction::<AnswerReview>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<HideReview>::new().value().get_untracked().and_then(Result::err),
        ServerAction::<ShowReview>::new().value().get_untracked().and_then(Result::err),
    ];
    let posted = posted.into_iter().flatten().next();
    let chip = move |filter: OfficeFilter| {
        let text = match filter {
            OfficeFilter::All => t::OFFICE_ALL,
            OfficeFilter::Unanswered => t::OFFICE_UNANSWERED,
            OfficeFilter::Low => t::OFFICE_LOW,
            OfficeFilter::Hidden => t::OFFICE_HIDDEN,
        };
        let current = move || wanted.with(|wanted| wanted.filter == filter).then_some("true");
        view! { <a class="chip" href=Wanted { filter, page: 1 }.href() aria-current=current>{l.t(text)}</a> }
    };
    view! {
        <Title text=l.t(t::OFFICE_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::OFFICE_TITLE)}</h1></div>
            {posted.map(|error| view! { <Failure error/> })}
            <nav class="chips" aria-label=l.t(t::OFFICE_FILTER)>{OfficeFilter::ALL.map(chip)}</nav>
            <div aria-busy=move || pending.get().to_string()>
                <Reloading pending fallback=|| view! { <section class="panel"><SkeletonText lines=8/></section> }>
                    {move || Suspend::new(async move {
                        match reviews.await {
                            (wanted, Ok(reviews)) => view! { <List wanted reviews again/> }.into_any(),
                            (_, Err(error)) => view! { <LoadFailed error/> }.into_any(),
                        }
                    })}
                </Reloading>
            </div>
        </Main>
    }
    .into_any()
}

#[component]
fn List(wanted: Wanted, reviews: Page<OfficeReview>, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    if reviews.items.is_empty() {
        let back = (wanted != Wanted { filter: OfficeFilter::All, page: 1 })
            .then(|| view! { <a class="btn btn-secondary" href=PATH>{l.t(t::OFFICE_ALL)}</a> });
        return view! {
            <div class="empty">
                <span class="empty-art"><Icon name="note" class="icon-lg"/></span>
                <h2 class="empty-title">{l.t(t::OFFICE_EMPTY)}</h2>
                <p class="empty-text">{l.t(t::OFFICE_EMPTY_TEXT)}</p>
                <div class="empty-actions">{back}</div>
            </div>
        }
        .into_any();
    }
    let (page, pages) = (reviews.page, reviews.pages());
    let href = move |page| Wanted { page, ..wanted }.href();
    let rows = reviews.items.into_iter().map(|review| view! { <Row review again/> }).collect_view();
    view! {
        <ul class="stack">{rows}</ul>
        <Pagination page pages href/>
    }
    .into_any()
}

#[component]
fn Row(review: OfficeReview, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let OfficeReview { review, handle, title, hidden } = review;
    let Review { id, author, stars, body, label, person, written_at, changed, answer } = review;
    let author = if author.is_empty() { l.t(t::ANONYMOUS).to_owned() } else { author };
    let name = format!("review-{id}");
    let person = person.map(|(name, stars)| {
        view! { <p class="muted small">{l.f(t::PERSON, &[("name", &name), ("n", &stars)])}</p> }
    });
    let label =
        (!label.is_empty()).then(|| view! { <p class="muted small">{l.f(t::BOUGHT, &[("label", &label)])}</p> });
    let body = if body.is_empty() { l.t(t::NO_WORDS).to_owned() } else { body };
    let said = answer.as_ref().map(|answer| {
        view! {
            <div class="review-answer">
                <p class="strong small">{l.t(t::ANSWER)}" "<span class="muted">{date_time(l, answer.at)}</span></p>
                <p class="pre-line">{answer.text.clone()}</p>
            </div>
        }
    });
    let heading = if answer.is_some() { t::OFFICE_ANSWER_CHANGE } else { t::OFFICE_ANSWER };
    let text = answer.map(|answer| answer.text).unwrap_or_default();
    let hiding = match hidden {
        Some(reason) => view! {
            <p><span class="badge badge-warn">{l.f(t::OFFICE_IS_HIDDEN, &[("reason", &reason)])}</span></p>
            <ShowForm id=id.clone() again/>
        }
        .into_any(),
        None => {
            let form = view! { <TextForm what=What::Hide id=id.clone() text=String::new() again/> };
            view! { <details><summary class="ask">{l.t(t::OFFICE_HIDE)}</summary>{form}</details> }.into_any()
        }
    };
    view! {
        <li>
            <article class="panel review" aria-labelledby=name>
                <h2 class="small" id=name.clone()><a class="link link-quiet" href=product_href(&handle)>{title}</a></h2>
                <p class="review-head">
                    <Stars stars/>
                    <strong>{author}</strong>
                    <Time ms=written_at class="muted small"/>
                    {changed.then(|| view! { <span class="muted small">{l.t(t::CHANGED)}</span> })}
                </p>
                {label}
                {person}
                <p class="pre-line review-body">{body}</p>
                {said}
                <details>
                    <summary class="ask">{l.t(heading)}</summary>
                    <TextForm what=What::Answer id text again/>
                </details>
                {hiding}
            </article>
        </li>
    }
    .into_any()
}

/// What is done with a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Answer,
    Hide,
}

impl What {
    const fn field(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Hide => "reason",
        }
    }

    const fn most(self) -> u32 {
        match self {
            Self::Answer => MAX_ANSWER,
            Self::Hide => MAX_REASON,
        }
    }

    /// Its label, its button, and what is said when it is done.
    const fn texts(self) -> (Text, Text, Text) {
        match self {
            Self::Answer => (t::ANSWER, t::OFFICE_ANSWER_SEND, t::OFFICE_ANSWERED),
            Self::Hide => (t::OFFICE_REASON, t::OFFICE_HIDE_DO, t::OFFICE_HID),
        }
    }

    fn url(self) -> &'static str {
        match self {
            Self::Answer => AnswerReview::url(),
            Self::Hide => HideReview::url(),
        }
    }
}

/// Answering and hiding: a text, and a button. Both can be undone, by another answer and by showing it again.
#[component]
fn TextForm(what: What, id: String, text: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &["answer", "reason"]);
    let field = NodeRef::<html::Textarea>::new();
    let (label, send, said) = what.texts();
    let sent = id.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let (id, typed) = (sent.clone(), field.get_untracked().map(|field| field.value()).unwrap_or_default());
        let answer = async move {
            match what {
                What::Answer => api::review::answer_review(id, typed).await,
                What::Hide => api::review::hide_review(id, typed).await,
            }
        };
        state.send(None, answer, move |()| {
            toasts.show(l.t(said));
            again.run(());
        });
    };
    // Unlike those of other forms these fields are there once for each review.
    let control = format!("{}-{id}", what.field());
    let error_id = format!("{control}-error");
    let problem = move || state.error.with(|error| error.as_ref()?.problem(what.field()));
    let wrong = {
        let error_id = error_id.clone();
        move || {
            problem().map(|problem| {
                let text = problem_text(l, problem);
                view! {
                    <p class="field-error" id=error_id.clone()><Icon name="error" class="icon-sm"/><span>{text}</span></p>
                }
            })
        }
    };
    let hint = (what == What::Hide).then(|| view! { <p class="muted small">{l.t(t::OFFICE_HIDE_TEXT)}</p> });
    view! {
        <form class="stack-sm" action=what.url() method="post" on:submit=submit>
            {state.notice()}
            {hint}
            <input type="hidden" name="id" value=id/>
            <div class="field">
                <label class="field-label" for=control.clone()>{l.t(label)}</label>
                <textarea
                    class="textarea"
                    id=control
                    name=what.field()
                    rows="3"
                    required
                    maxlength=what.most().to_string()
                    node_ref=field
                    aria-invalid=move || problem().map(|_| "true")
                    aria-describedby=move || problem().map(|_| error_id.clone())
                >
                    {text}
                </textarea>
                {wrong}
            </div>
            <div><button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(send)}</button></div>
        </form>
    }
    .into_any()
}

/// It can be hidden again, so that it does not ask.
#[component]
fn ShowForm(id: String, again: Callback<()>) -> impl IntoView {
    let l = use_locale();
    let toasts = use_toasts();
    let state = FormState::new(None, &[]);
    let sent = id.clone();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        state.send(None, api::review::show_review(sent.clone()), move |()| {
            toasts.show(l.t(t::OFFICE_SHOWN));
            again.run(());
        });
    };
    view! {
        <form action=ShowReview::url() method="post" on:submit=submit>
            {state.notice()}
            <input type="hidden" name="id" value=id/>
            <button class="btn btn-secondary btn-sm" type="submit" aria-busy=state.busy()>{l.t(t::OFFICE_SHOW)}</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_was_looked_at() {
        let read = |pairs: &'static [(&str, &str)]| {
            Wanted::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        let wanted = read(&[("filter", "hidden"), ("page", "3")]);
        assert_eq!(wanted, Wanted { filter: OfficeFilter::Hidden, page: 3 });
        assert_eq!(wanted.href(), "/office/reviews?filter=hidden&page=3");
        assert_eq!(read(&[("filter", "nonsense"), ("page", "-4")]).href(), PATH);
    }
}
