//! What is on the shelf, and for how much: a list of all variants in which both can be changed.

use super::{
    parts::{Failure, LoadFailed},
    search::{ListSearch, Wanted, use_wanted},
    stock_row::{Row, problem_words},
};
use crate::{
    api::{
        self,
        office::{AdjustStock, SetPrice},
    },
    domain::{
        Error,
        catalog::UNLIMITED,
        live::{self, Topic, VariantState},
        office::OfficeVariant,
        page::Page,
        texts::office as t,
    },
    ui::{
        components::{
            icon::Icon,
            pagination::Pagination,
            skeleton::{Reloading, SkeletonText},
            travel::Main,
        },
        live::use_live,
        use_locale,
    },
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use std::{collections::BTreeSet, time::Duration};

const PATH: &str = "/office/stock";

async fn load(wanted: &Wanted) -> Result<Page<OfficeVariant>, Error> {
    api::office::variants(wanted.words(), wanted.page).await
}

/// The rows of the page, which are brought up to date in place, so that nothing moves and nothing typed is lost.
#[derive(Clone, Copy)]
pub struct Rows(StoredValue<Shelf>);

struct Shelf {
    wanted: Wanted,
    rows: Vec<(String, RwSignal<OfficeVariant>)>,
    /// How often the rows were asked for. Only the last answer counts: an earlier one may be older.
    asked: usize,
    /// News has come, and the rows will be asked for in a moment.
    news: bool,
}

/// News that come within this time are answered by one question.
const MOMENT: Duration = Duration::from_millis(250);

impl Rows {
    /// Follows stock and prices of all products of the page.
    fn follow(self) {
        let live = use_live();
        let rows = self.0.with_value(|shelf| shelf.rows.clone());
        let products: BTreeSet<_> =
            rows.iter().map(|(_, row)| row.with_untracked(|variant| variant.product_id.clone())).collect();
        for product in products {
            let updates = live.subscribe(Topic::Product(product));
            let rows = rows.clone();
            Effect::new(move |before: Option<bool>| {
                let Some(live::Update::Product { variants, .. }) = updates.get() else { return false };
                // The first message only says what is so; later ones may tell of pieces that are held or taken, which
                // changes nothing for customers.
                if before == Some(true) || rows.iter().any(|(_, row)| row.with_untracked(|row| differs(row, &variants)))
                {
                    self.refresh_soon();
                }
                true
            });
        }
    }

    fn refresh_soon(self) {
        let waits = self.0.try_update_value(|shelf| std::mem::replace(&mut shelf.news, true));
        if waits == Some(false) {
            let ask = move || {
                self.0.try_update_value(|shelf| shelf.news = false);
                spawn_local(self.refresh());
            };
            set_timeout(ask, MOMENT);
        }
    }

    /// Asks for all rows of the page again.
    pub async fn refresh(self) {
        let asked = self.0.try_update_value(|shelf| {
            shelf.asked += 1;
            (shelf.wanted.clone(), shelf.asked)
        });
        let Some((wanted, asked)) = asked else { return };
        let Ok(page) = load(&wanted).await else { return };
        let rows = self.0.try_with_value(|shelf| (shelf.asked == asked).then(|| shelf.rows.clone()));
        let Some(Some(rows)) = rows else { return };
        for variant in page.items {
            if let Some((_, row)) = rows.iter().find(|(id, _)| *id == variant.variant_id)
                && row.try_with_untracked(|shown| *shown != variant) == Some(true)
            {
                row.try_set(variant);
            }
        }
    }
}

/// Whether a row shows something else than customers see. What is sold without stock says nothing of its stock.
fn differs(row: &OfficeVariant, variants: &[VariantState]) -> bool {
    variants.iter().find(|variant| variant.id == row.variant_id).is_some_and(|variant| {
        let pieces = variant.available != UNLIMITED && variant.available != row.on_hand - row.held;
        pieces || (variant.price, variant.compare_at) != (row.price, row.compare_at)
    })
}

#[component]
pub fn StockPage() -> impl IntoView {
    let l = use_locale();
    let wanted = use_wanted(PATH);
    let variants = Resource::new(
        move || wanted.get(),
        |wanted| async move {
            let found = load(&wanted).await;
            (wanted, found)
        },
    );
    let stock = ServerAction::<AdjustStock>::new().value().get_untracked().and_then(Result::err);
    let price = ServerAction::<SetPrice>::new().value().get_untracked().and_then(Result::err);
    let posted = stock.or(price);
    let pending = RwSignal::new(false);
    view! {
        <Title text=l.t(t::STOCK_TITLE)/>
        <Main class="office-main">
            <div class="page-head"><h1 class="page-title">{l.t(t::STOCK)}</h1></div>
            {posted.map(|error| view! { <NotSaved error/> })}
            <ListSearch path=PATH wanted placeholder=t::SEARCH_STOCK_PLACEHOLDER label=t::SEARCH_STOCK/>
            <div aria-busy=move || pending.get().to_string()>
                <Reloading fallback=Loading pending>
                    {move || Suspend::new(async move {
                        match variants.await {
                            (wanted, Ok(variants)) => view! { <List wanted variants/> }.into_any(),
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
fn Loading() -> impl IntoView {
    view! { <section class="panel"><SkeletonText lines=8/></section> }
}

/// What went wrong with a form that was posted without script: the address does not tell of which row.
#[component]
fn NotSaved(error: Error) -> impl IntoView {
    let l = use_locale();
    if !matches!(error, Error::Invalid(_) | Error::Conflict) {
        return view! { <Failure error/> }.into_any();
    }
    view! {
        <div class="notice notice-danger" role="alert">
            <Icon name="error"/>
            <div class="notice-body">
                <p class="notice-title">{l.t(t::NOT_SAVED)}</p>
                <p>{problem_words(l, &error)}</p>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn List(wanted: Wanted, variants: Page<OfficeVariant>) -> impl IntoView {
    let l = use_locale();
    if variants.items.is_empty() {
        return view! { <Nothing wanted/> }.into_any();
    }
    let (page, pages, total) = (variants.page, variants.pages(), variants.total);
    let signals: Vec<_> =
        variants.items.into_iter().map(|variant| (variant.variant_id.clone(), RwSignal::new(variant))).collect();
    let rows = Rows(StoredValue::new(Shelf { wanted: wanted.clone(), rows: signals.clone(), asked: 0, news: false }));
    rows.follow();
    let shown = signals.into_iter().map(|(_, variant)| view! { <Row variant rows/> }).collect_view();
    let href = move |page| Wanted { page, ..wanted.clone() }.href(PATH);
    let column = |text| view! { <th scope="col">{l.t(text)}</th> };
    let number = |text| view! { <th scope="col" class="is-num">{l.t(text)}</th> };
    view! {
        <p class="muted small">{l.n(t::VARIANTS_ONE, t::VARIANTS, total)}</p>
        <div class="table-wrap">
            <table class="table table-cards">
                <caption class="visually-hidden">{l.t(t::STOCK)}</caption>
                <thead>
                    <tr>
                        {column(t::PRODUCT)}
                        {number(t::AVAILABLE)}
                        {number(t::HELD)}
                        {column(t::ON_HAND)}
                        {column(t::PRICE)}
                    </tr>
                </thead>
                <tbody>{shown}</tbody>
            </table>
        </div>
        <Pagination page pages href/>
    }
    .into_any()
}

#[component]
fn Nothing(wanted: Wanted) -> impl IntoView {
    let l = use_locale();
    let (title, text) = match wanted.q.as_str() {
        "" => (l.t(t::EMPTY_STOCK_TITLE).to_owned(), l.t(t::EMPTY_STOCK_TEXT)),
        q => (l.f(t::EMPTY_SEARCH_TITLE, &[("q", &q)]), l.t(t::EMPTY_STOCK_SEARCH_TEXT)),
    };
    let back = wanted.is_part().then(|| view! { <a class="btn btn-primary" href=PATH>{l.t(t::SHOW_ALL_STOCK)}</a> });
    view! {
        <div class="empty">
            <span class="empty-art"><Icon name="stock" class="icon-lg"/></span>
            <h2 class="empty-title">{title}</h2>
            <p class="empty-text">{text}</p>
            <div class="empty-actions">{back}</div>
        </div>
    }
    .into_any()
}
