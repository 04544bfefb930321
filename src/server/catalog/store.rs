//! The SQL of the catalogue's pages.

mod product;

pub use product::{product, variant_states};

use crate::{
    args,
    domain::{
        Error, Locale, Result,
        booking::offer::Kind,
        catalog::{
            Category, Image, KEPT_PER_PAGE, KeptProduct, ListQuery, MAX_BRANDS, MAX_SEARCH, MOST_FOUND, OFFERED_BRANDS,
            OFFERED_CATEGORIES, PER_PAGE, ProductCard, ProductList, Sort, Way,
        },
        money::Amount,
        page::{Page, offset},
        review::Rating,
    },
    server::{
        catalog::{
            Related,
            counts::Counts,
            filter::{Filter, IN_STOCK, has_variant, like},
        },
        db::{Args, Row, ToValue, Tx},
    },
};
use serde::de::DeserializeOwned;
use std::{cmp::Reverse, collections::HashMap};

/// The text of a product in the page's language ($1), else in the first language it has; Chinese comes before others.
macro_rules! in_locale {
    ($column:literal) => {
        concat!(
            "coalesce((select t.",
            $column,
            " from product_text t where t.product_id = p.id and t.locale = $1), ",
            "(select t.",
            $column,
            " from product_text t where t.product_id = p.id order by t.locale desc limit 1), '')"
        )
    };
}
pub(crate) use in_locale;

/// What can be bought of a variant `v` with stock `s`.
pub(crate) const AVAILABLE: &str = "case when v.backorder then 1000000 else coalesce(s.on_hand - s.held, 0) end";

/// Reads a JSON column; what does not parse is the empty value.
pub(crate) fn json<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

/// Reads the JSON of a picture, which may be null; the row's title, in the language of the page, describes it.
pub(crate) fn image(row: &Row, column: &str) -> Result<Option<Image>> {
    let alt = row.get::<String>("title")?;
    let text = row.get::<Option<String>>(column)?;
    Ok(text.and_then(|text| serde_json::from_str::<Image>(&text).ok()).map(|image| Image { alt, ..image }))
}

/// What a card and the orders of lists need of a product.
const CARD: &str = "p.id, p.handle, p.brand, p.price_min, p.price_max, p.compare_at, p.image, p.sales, p.created_at,
    p.rating_sum, p.rating_count";

pub async fn products(
    tx: &mut Tx<'_>,
    locale: Locale,
    filter: &Filter,
    sort: Sort,
    limit: i64,
    skip: i64,
) -> Result<Vec<ProductCard>> {
    let mut args = args![locale.tag()];
    // Whose titles have the words is not in any index: of a search that finds very many, it is asked of those that sell best.
    let from = match sort {
        Sort::Relevance => filter.found(CARD, &mut args),
        _ => format!("product p where {}", filter.sql(&mut args)),
    };
    let relevance;
    // An order that an index has: of a large shop no more is looked at than is shown. Ids grow with time.
    let order = match sort {
        Sort::Relevance if !filter.words.is_empty() => {
            args.push(like(&filter.words.join(" ")).to_value());
            relevance = format!(
                "case when lower({title}) like ${pattern} escape '\\' then 0 else 1 end, p.sales desc, p.id",
                title = in_locale!("title"),
                pattern = args.len(),
            );
            relevance.as_str()
        }
        Sort::Relevance | Sort::Sales => "p.sales desc, p.id desc",
        Sort::Newest => "p.created_at desc, p.id desc",
        Sort::PriceAsc => "p.price_min, p.id",
        Sort::PriceDesc => "p.price_min desc, p.id desc",
    };
    args.push(limit.to_value());
    args.push(skip.to_value());
    let (limit, skip) = (args.len() - 1, args.len());
    // Texts and stock are looked up of those alone that are shown.
    let sql = format!(
        "select p.*, {in_stock} as in_stock, {title} as title, {tags} as tags from (
            select {CARD} from {from} order by {order} limit ${limit} offset ${skip}) p
        order by {order}",
        in_stock = has_variant(IN_STOCK),
        title = in_locale!("title"),
        tags = in_locale!("tags"),
    );
    tx.all(sql, args).await?.iter().map(card).collect()
}

/// Where products that a customer comes back to are kept, each with a time.
#[derive(Clone, Copy)]
pub enum Shelf {
    Favourites,
    Viewed,
}

/// A page of them, the newest first, and how many there are.
pub async fn kept(
    tx: &mut Tx<'_>,
    locale: Locale,
    shelf: Shelf,
    customer: &str,
    page: i64,
) -> Result<Page<KeptProduct>> {
    let (table, at) = match shelf {
        Shelf::Favourites => ("favourite", "added_at"),
        Shelf::Viewed => ("viewed", "viewed_at"),
    };
    let sql = format!("select count(*) as total from {table} where customer_id = $1");
    let total = tx.one(sql, args![customer]).await?.get("total")?;
    let (page, skip) = offset(page, KEPT_PER_PAGE);
    let sql = format!(
        "select x.*, {in_stock} as in_stock from (
            select p.id, p.handle, p.brand, p.price_min, p.price_max, p.compare_at, p.image, p.sales, k.{at} as kept_at,
                p.rating_sum, p.rating_count, p.status = 'active' as sold, {title} as title, {tags} as tags
            from {table} k join product p on p.id = k.product_id where k.customer_id = $2) x
        order by x.kept_at desc, x.id desc limit $3 offset $4",
        in_stock = has_variant(IN_STOCK).replace("p.id", "x.id"),
        title = in_locale!("title"),
        tags = in_locale!("tags"),
    );
    let rows = tx.all(sql, args![locale.tag(), customer, KEPT_PER_PAGE, skip]).await?;
    let kept = |row: &Row| Ok(KeptProduct { card: card(row)?, sold: row.get("sold")?, at: row.get("kept_at")? });
    Ok(Page { items: rows.iter().map(kept).collect::<Result<_>>()?, total, page, per_page: KEPT_PER_PAGE })
}

/// What the reviews of a product come to, by its columns.
pub(crate) fn rating(row: &Row) -> Result<Rating> {
    Ok(Rating { sum: row.get("rating_sum")?, count: row.get("rating_count")? })
}

fn card(row: &Row) -> Result<ProductCard> {
    Ok(ProductCard {
        id: row.get("id")?,
        handle: row.get("handle")?,
        title: row.get("title")?,
        brand: row.get("brand")?,
        price_min: Amount(row.get("price_min")?),
        price_max: Amount(row.get("price_max")?),
        compare_at: row.get::<Option<i64>>("compare_at")?.map(Amount),
        image: image(row, "image")?,
        in_stock: row.get("in_stock")?,
        sales: row.get("sales")?,
        rating: rating(row)?,
        tags: json(&row.get::<String>("tags")?),
    })
}

/// The words that are searched for. The limits of addresses again: this is also asked for without one.
pub fn words(query: &ListQuery) -> Vec<String> {
    let words: String = query.q.iter().flat_map(|q| q.chars()).take(MAX_SEARCH).collect();
    words.split_whitespace().take(5).map(str::to_owned).collect()
}

/// A page of a list; `among` are the only products that may have the words that are searched for, where that is known, and
/// `counts` is how many products there are without any filter but the category, where that is.
pub async fn list(
    tx: &mut Tx<'_>,
    locale: Locale,
    query: &ListQuery,
    among: Option<Vec<String>>,
    counts: Option<&Counts>,
) -> Result<ProductList> {
    let mut filter = Filter {
        words: words(query),
        among,
        price_min: query.price_min,
        price_max: query.price_max,
        in_stock: query.in_stock,
        ..Filter::default()
    };
    let narrowed = !filter.words.is_empty()
        || filter.price_min.is_some()
        || filter.price_max.is_some()
        || filter.in_stock
        || !query.brand.is_empty();
    // A search offers the categories of what it found: then all that is counted is counted in one go. Not so where brands are
    // chosen, because they narrow down some of it alone.
    let counted;
    let of_all = match counts.filter(|_| !narrowed) {
        None if query.page_of().is_none() && query.brand.is_empty() => {
            counted = Counts::left_by(tx, &filter).await?;
            Some(&counted)
        }
        counts => counts,
    };
    let partial = filter.is_bounded()
        && match of_all {
            Some(counts) => counts.total(None) > MOST_FOUND,
            None => count(tx, &filter).await? > MOST_FOUND,
        };
    let (mut category, mut breadcrumbs, mut within) = (None, Vec::new(), None);
    if let Some(handle) = &query.category {
        let tree = categories(tx, locale, false, counts).await?;
        let (path, found) = find(&tree, handle).ok_or(Error::NotFound)?;
        filter.category_id = Some(found.id.clone());
        let below = found.children.iter().map(|child| child.id.clone());
        within = Some(below.chain([found.id.clone()]).collect::<Vec<_>>());
        breadcrumbs = path.iter().map(|c| (c.handle.clone(), c.title.clone())).collect();
        let mut shown = found.clone();
        if let (true, Some(parent)) = (shown.children.is_empty(), path.iter().rev().nth(1)) {
            shown.children = parent.children.clone();
        }
        category = Some(shown);
    }

    let within = within.as_deref();
    // What was counted in part does not tell how many of a category there are.
    let of_these = of_all.filter(|_| !partial || within.is_none());
    let mut offered = match of_these {
        Some(counts) => counts.brands(within, usize::try_from(OFFERED_BRANDS).unwrap_or_default()),
        None => brands(tx, &filter).await?,
    };
    filter.brands = query.brand.iter().take(MAX_BRANDS).cloned().collect();
    // A brand that was chosen is there to be given up again, however few of it there are; the page adds one of which
    // nothing is left.
    let mut others = filter.clone();
    others.brands.retain(|chosen| !offered.iter().any(|(brand, _)| brand == chosen));
    if !others.brands.is_empty() {
        offered.extend(brands(tx, &others).await?);
    }
    let categories = match query.page_of() {
        Some(_) => Vec::new(),
        None => narrowing(tx, locale, &filter, query.narrowed_to(), of_all).await?,
    };

    let total = match of_these {
        Some(counts) => counts.total(within),
        None => count(tx, &filter).await?,
    };
    let more = filter.is_bounded() && total > MOST_FOUND;
    let total = if more { MOST_FOUND } else { total };
    let (page, skip) = offset(query.page, PER_PAGE);
    // Behind the last page nothing is looked for: that would take the longest.
    let items = if filter.is_bounded() && skip >= total {
        Vec::new()
    } else {
        products(tx, locale, &filter, query.sort, PER_PAGE, skip).await?
    };
    Ok(ProductList {
        category,
        breadcrumbs,
        products: Page { items, total, page, per_page: PER_PAGE },
        brands: offered,
        categories,
        more,
        partial,
    })
}

/// How many products a filter leaves, as far as [`Filter::found`] goes.
async fn count(tx: &mut Tx<'_>, filter: &Filter) -> Result<i64> {
    let mut args = Args::new();
    let sql = format!("select count(*) as total from {}", filter.found("p.id", &mut args));
    Ok(tx.one(sql, args).await?.get("total")?)
}

/// The brands of the products that a filter leaves, those with the most first, and how many there are of each.
async fn brands(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<(String, i64)>> {
    let mut args = Args::new();
    let found = filter.found("p.brand", &mut args);
    let sql = format!(
        "select p.brand, count(*) as products from {found}
        group by p.brand having p.brand <> '' order by 2 desc, 1 limit {OFFERED_BRANDS}"
    );
    tx.all(sql, args).await?.iter().map(|row| Ok((row.get("brand")?, row.get("products")?))).collect()
}

/// The categories among what a search finds, those with the most first. The one it is narrowed to is always among them.
async fn narrowing(
    tx: &mut Tx<'_>,
    locale: Locale,
    filter: &Filter,
    chosen: Option<&str>,
    of_all: Option<&Counts>,
) -> Result<Vec<Category>> {
    let filter = Filter { category_id: None, ..filter.clone() };
    let mut top = tree(tx, locale, &filter, false, of_all).await?;
    let is_chosen = |category: &Category| Some(category.handle.as_str()) == chosen;
    for category in &mut top {
        keep_most(&mut category.children, is_chosen);
    }
    keep_most(&mut top, |category| is_chosen(category) || category.children.iter().any(is_chosen));
    Ok(top)
}

/// Leaves those with the most products, and what is chosen; equals stay in the shop's order.
fn keep_most(categories: &mut Vec<Category>, is_chosen: impl Fn(&Category) -> bool) {
    categories.sort_by_key(|category| Reverse(category.products));
    let mut seen = 0;
    categories.retain(|category| {
        seen += 1;
        is_chosen(category) || (category.products > 0 && seen <= OFFERED_CATEGORIES)
    });
}

/// The path from the top of the tree down to a handle, and the category itself.
fn find<'a>(tree: &'a [Category], handle: &str) -> Option<(Vec<&'a Category>, &'a Category)> {
    for category in tree {
        if category.handle == handle {
            return Some((vec![category], category));
        }
        if let Some((mut path, found)) = find(&category.children, handle) {
            path.insert(0, category);
            return Some((path, found));
        }
    }
    None
}

/// The tree of categories with active products; with pictures where they are wanted.
pub async fn categories(
    tx: &mut Tx<'_>,
    locale: Locale,
    pictures: bool,
    counts: Option<&Counts>,
) -> Result<Vec<Category>> {
    let mut top = tree(tx, locale, &Filter::default(), pictures, counts).await?;
    for category in &mut top {
        category.children.retain(|child| child.products > 0);
        if category.image.is_none() {
            category.image = category.children.iter().find_map(|child| child.image.clone());
        }
    }
    top.retain(|category| category.products > 0);
    Ok(top)
}

/// The ways to what is booked. Every product of such a kind has a venue, and shops have far fewer of these than products.
pub async fn ways(tx: &mut Tx<'_>) -> Result<Vec<Way>> {
    let sql = "select p.kind, coalesce(u.handle, c.handle) as category
        from venue e join product p on p.id = e.product_id left join category c on c.id = p.category_id
            left join category u on u.id = c.parent_id
        where p.status = 'active' group by p.kind, coalesce(u.handle, c.handle) order by count(*) desc, p.kind, category";
    let mut found = Vec::new();
    for row in tx.all(sql, args![]).await? {
        if let Some(kind) = Kind::from_name(&row.get::<String>("kind")?) {
            found.push((kind, row.get("category")?));
        }
    }
    Ok(Way::all(&found))
}

/// All categories, with the number of products that a filter leaves in each and below it, and with their own pictures
/// where they are wanted. What the filter leaves is counted here unless `counts` tells it.
async fn tree(
    tx: &mut Tx<'_>,
    locale: Locale,
    filter: &Filter,
    pictures: bool,
    counts: Option<&Counts>,
) -> Result<Vec<Category>> {
    let mut args = args![locale.tag()];
    let counted = match counts {
        Some(_) => "select cast(null as text) as category_id, cast(0 as bigint) as products".to_owned(),
        None => {
            let found = filter.found("p.category_id", &mut args);
            format!("select p.category_id, count(*) as products from {found} group by p.category_id")
        }
    };
    let sql = format!(
        "select c.id, c.handle, c.parent_id, coalesce(t.title, d.title, c.handle) as title, coalesce(n.products, 0) as products,
            {image} as image
        from category c
        left join category_text t on t.category_id = c.id and t.locale = $1
        left join category_text d on d.category_id = c.id and d.locale = (select max(m.locale) from category_text m where m.category_id = c.id)
        left join ({counted}) n on n.category_id = c.id
        order by c.position, c.id",
        image = if pictures { PICTURE } else { "cast(null as text)" },
    );
    let counts = counts.map(Counts::by_category);
    let mut top: Vec<Category> = Vec::new();
    let mut below: HashMap<String, Vec<Category>> = HashMap::new();
    for row in tx.all(sql, args).await? {
        let id: String = row.get("id")?;
        let products = match &counts {
            Some(counts) => counts.get(id.as_str()).copied().unwrap_or_default(),
            None => row.get("products")?,
        };
        let category = Category {
            id,
            handle: row.get("handle")?,
            title: row.get("title")?,
            children: Vec::new(),
            image: image(&row, "image")?,
            products,
        };
        match row.get::<Option<String>>("parent_id")? {
            Some(parent) => below.entry(parent).or_default().push(category),
            None => top.push(category),
        }
    }
    for category in &mut top {
        category.children = below.remove(&category.id).unwrap_or_default();
        category.products += category.children.iter().map(|child| child.products).sum::<i64>();
    }
    Ok(top)
}

/// The picture of the best selling product of a category `c`.
const PICTURE: &str =
    "(select p.image from product p where p.category_id = c.id and p.status = 'active' and p.image is not null
    order by p.sales desc, p.id limit 1)";

pub async fn related(tx: &mut Tx<'_>, locale: Locale, handle: &str, limit: i64) -> Result<Related> {
    let sql = "select p.id, coalesce(c.parent_id, c.id) as category_id from product p left join category c on c.id = p.category_id where p.handle = $1";
    let Some(row) = tx.optional(sql, args![handle]).await? else { return Ok(Related::default()) };
    let category: Option<String> = row.get("category_id")?;
    let filter = Filter { category_id: category.clone(), without_product: Some(row.get("id")?), ..Filter::default() };
    Ok(Related { category, products: products(tx, locale, &filter, Sort::Sales, limit, 0).await? })
}
