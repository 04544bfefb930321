//! The reviews of a product on its page. What is looked at is in the address, so that it works with links alone.

use crate::{
    api,
    domain::{
        Error,
        review::{Cursor, MOST, PLACE, Rating, Review, ReviewList, Sort, Wanted},
        texts::review as t,
    },
    ui::{
        components::{
            links::product_href,
            skeleton::SkeletonText,
            stars::Stars,
            time::{date, iso},
            travel::use_asked,
        },
        error::ErrorNotice,
        use_locale,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The id of the heading of the reviews.
const TITLE: &str = "reviews-title";

/// Reviews with what was wanted of them.
pub type Asked = Resource<(Wanted, Result<ReviewList, Error>)>;

/// The reviews that the address wants, of the product with a handle. Asked for beside the product and not below it: what is
/// asked for within an answer is asked for twice.
pub fn use_reviews(handle: Memo<String>) -> Asked {
    let wanted = use_asked("/p/", |query| Wanted::read(|name| query.get(name)));
    Resource::new(
        move || (handle.get(), wanted.get()),
        |(handle, wanted)| async move { (wanted.clone(), ask(handle, wanted).await) },
    )
}

#[component]
pub fn Reviews(handle: String, reviews: Asked) -> impl IntoView {
    let l = use_locale();
    let body = move || {
        let path = product_href(&handle);
        Suspend::new(async move {
            match reviews.await {
                (_, Ok(list)) if list.rating().is_none() => view! {
                    <p>{l.t(t::NONE)}</p>
                    <p class="muted small">{l.t(t::NONE_TEXT)}</p>
                }
                .into_any(),
                (wanted, Ok(list)) => view! { <Found list wanted path/> }.into_any(),
                (_, Err(error)) => view! { <ErrorNotice error reload=true/> }.into_any(),
            }
        })
    };
    view! {
        <section class="section reviews" id=PLACE aria-labelledby=TITLE>
            <div class="section-head"><h2 class="section-title" id=TITLE>{l.t(t::TITLE)}</h2></div>
            <Transition fallback=|| view! { <SkeletonText lines=6/> }>{body}</Transition>
        </section>
    }
    .into_any()
}

async fn ask(handle: String, wanted: Wanted) -> Result<ReviewList, Error> {
    let Wanted { stars, sort, after } = wanted;
    api::review::list(handle, stars, Some(sort.name().to_owned()), after.map(|after| after.to_string())).await
}

/// Links to the same page with other reviews.
#[derive(Clone)]
struct Links {
    path: String,
    others: Vec<(String, String)>,
}

impl Links {
    fn new(path: String) -> Self {
        let others = use_query_map().with_untracked(|query| {
            let pairs = query.clone().into_iter().map(|(name, value)| (name.into_owned(), value));
            // Not the error of a form that was posted before.
            pairs.filter(|(name, _)| !name.starts_with("__")).collect()
        });
        Self { path, others }
    }

    fn to(&self, wanted: &Wanted) -> String {
        wanted.href(&self.path, self.others.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

#[component]
fn Found(list: ReviewList, wanted: Wanted, path: String) -> impl IntoView {
    let l = use_locale();
    let links = Links::new(path);
    let rating = list.rating();
    let ReviewList { reviews, counts, next } = list;
    let empty = reviews.is_empty().then(|| view! { <p class="muted">{l.t(t::EMPTY_FILTER)}</p> });
    let first = wanted.after.is_some().then(|| links.to(&Wanted { after: None, ..wanted.clone() }));
    let more = next.map(|after: Cursor| links.to(&Wanted { after: Some(after), ..wanted.clone() }));
    let reviews = reviews.into_iter().map(|review| view! { <li><Article review/></li> }).collect_view();
    view! {
        <Figures rating counts wanted=wanted.clone() links=links.clone()/>
        <Sorts wanted links/>
        {empty}
        <ul class="review-list">{reviews}</ul>
        <p class="cluster">
            {first.map(|href| view! { <a class="btn btn-quiet" href=href rel="nofollow" data-noscroll="">{l.t(t::FIRST)}</a> })}
            {more.map(|href| view! { <a class="btn btn-secondary" href=href rel="nofollow" data-noscroll="">{l.t(t::MORE)}</a> })}
        </p>
    }
    .into_any()
}

/// The mean, and how many gave how many stars; each a way to those alone.
#[component]
fn Figures(rating: Rating, counts: [i64; 5], wanted: Wanted, links: Links) -> impl IntoView {
    let l = use_locale();
    let all = rating.count;
    let mean = rating.mean().unwrap_or_default();
    let row = |stars: i64| {
        let count = usize::try_from(stars - 1).ok().and_then(|place| counts.get(place)).copied().unwrap_or(0);
        let name = l.n(t::STARS_ONE, t::STARS, stars);
        let chosen = wanted.stars == Some(stars);
        let to = Wanted { stars: (!chosen).then_some(stars), after: None, ..wanted.clone() };
        view! {
            <li>
                <a class="review-bar" href=links.to(&to) aria-current=chosen.then_some("true") rel="nofollow" data-noscroll="">
                    <span class="nowrap">{name}</span>
                    <progress class="progress" max=all value=count aria-hidden="true"></progress>
                    <span class="review-bar-count">{count}</span>
                </a>
            </li>
        }
    };
    view! {
        <div class="review-figures">
            <p class="review-mean">
                <span class="review-mean-figure" aria-hidden="true">{mean.clone()}</span>
                <span class="visually-hidden">{l.f(t::SUMMARY, &[("mean", &mean)])}</span>
                <span class="muted small">{l.n(t::COUNT_ONE, t::COUNT, all)}</span>
            </p>
            <ul class="review-bars" aria-label=l.t(t::BY_STARS)>{(1..=MOST).rev().map(row).collect_view()}</ul>
        </div>
    }
    .into_any()
}

#[component]
fn Sorts(wanted: Wanted, links: Links) -> impl IntoView {
    let l = use_locale();
    let chip = |sort: Sort| {
        let text = match sort {
            Sort::Newest => t::NEWEST,
            Sort::Highest => t::HIGHEST,
            Sort::Lowest => t::LOWEST,
        };
        let current = (sort == wanted.sort).then_some("true");
        let href = links.to(&Wanted { sort, after: None, ..wanted.clone() });
        view! { <a class="chip" href=href aria-current=current rel="nofollow" data-noscroll="">{l.t(text)}</a> }
    };
    let all = wanted.stars.map(|stars| {
        let href = links.to(&Wanted { stars: None, after: None, ..wanted.clone() });
        let name = l.n(t::STARS_ONE, t::STARS, stars);
        view! {
            <a class="chip" href=href rel="nofollow" data-noscroll="">{l.t(t::ALL)}</a>
            <span class="chip" aria-current="true">{name}</span>
        }
    });
    view! { <nav class="chips" aria-label=l.t(t::SORT)>{Sort::ALL.map(chip)} {all}</nav> }.into_any()
}

/// A review with what the shop says to it.
#[component]
pub fn Article(review: Review) -> impl IntoView {
    let l = use_locale();
    let Review { author, stars, body, label, person, written_at, changed, answer, .. } = review;
    let author = if author.is_empty() { l.t(t::ANONYMOUS).to_owned() } else { author };
    let person = person.map(|(name, stars)| {
        view! { <p class="muted small">{l.f(t::PERSON, &[("name", &name), ("n", &stars)])}</p> }
    });
    let label =
        (!label.is_empty()).then(|| view! { <p class="muted small">{l.f(t::BOUGHT, &[("label", &label)])}</p> });
    let body = if body.is_empty() {
        view! { <p class="muted small">{l.t(t::NO_WORDS)}</p> }.into_any()
    } else {
        view! { <p class="pre-line review-body">{body}</p> }.into_any()
    };
    let answer = answer.map(|answer| {
        view! {
            <div class="review-answer">
                <p class="strong small">{l.t(t::ANSWER)}</p>
                <p class="pre-line">{answer.text}</p>
                <p class="muted small"><time datetime=iso(answer.at)>{date(l, answer.at)}</time></p>
            </div>
        }
    });
    view! {
        <article class="review">
            <p class="review-head">
                <Stars stars/>
                <strong>{author}</strong>
                <time class="muted small" datetime=iso(written_at)>{date(l, written_at)}</time>
                {changed.then(|| view! { <span class="muted small">{l.t(t::CHANGED)}</span> })}
            </p>
            {label}
            {person}
            {body}
            {answer}
        </article>
    }
    .into_any()
}
