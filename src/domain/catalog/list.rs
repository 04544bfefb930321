//! Lists of products: what a list asks for, how its address says so, and what comes back.

use super::{Category, ProductCard, percent_encode};
use crate::domain::{
    error::{Check, Problem, Result},
    money::Amount,
    page::Page,
};
use serde::{Deserialize, Serialize};

/// How many products a list page shows.
pub const PER_PAGE: i64 = 24;

/// How many products of a search are counted and paged through at most, in whole pages: who is shown more of them needs
/// other words, not more pages.
pub const MOST_FOUND: i64 = 100 * PER_PAGE;

/// The order of a product list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    #[default]
    Relevance,
    PriceAsc,
    PriceDesc,
    Newest,
    Sales,
}

/// The most characters of a search; the rest is left out.
pub const MAX_SEARCH: usize = 100;
/// The most brands that a list is filtered by; the rest is left out.
pub const MAX_BRANDS: usize = 20;
/// How many brands a list offers to filter by.
pub const OFFERED_BRANDS: i64 = 300;
/// How many categories a search offers to be narrowed to, and how many of each one's own.
pub const OFFERED_CATEGORIES: usize = 30;

/// What a list page asks for: read from the address, so that every list can be linked, reloaded and used without script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListQuery {
    /// The handle of a category; its sub-categories are included.
    #[serde(default)]
    pub category: Option<String>,
    /// Words to search for.
    #[serde(default)]
    pub q: Option<String>,
    #[serde(default)]
    pub brand: Vec<String>,
    /// Inclusive bounds.
    #[serde(default)]
    pub price_min: Option<Amount>,
    #[serde(default)]
    pub price_max: Option<Amount>,
    #[serde(default)]
    pub in_stock: bool,
    #[serde(default)]
    pub sort: Sort,
    /// From 1.
    #[serde(default)]
    pub page: i64,
}

/// The price fields of a list's filters, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceRange {
    pub min: String,
    pub max: String,
}

/// A list page with what its filters can offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductList {
    /// The category asked for, with its sub-categories (or its siblings when it has none), without pictures.
    pub category: Option<Category>,
    /// From the top category down to this one: handle and title.
    pub breadcrumbs: Vec<(String, String)>,
    pub products: Page<ProductCard>,
    /// The brands in the list before the brand filter, with their number of products.
    pub brands: Vec<(String, i64)>,
    /// The categories in a search before it is narrowed to one, without pictures, with the number of products found in
    /// each; those with the most come first. None on the page of a category, which leads to others by itself.
    pub categories: Vec<Category>,
    /// Whether a search found more than [`MOST_FOUND`]: the total is that then.
    #[serde(default)]
    pub more: bool,
    /// Whether brands and categories are those of the products that sell best alone, with numbers that are too low: a
    /// search found more than [`MOST_FOUND`] before it was narrowed to some of them.
    #[serde(default)]
    pub partial: bool,
}

impl Sort {
    pub const ALL: [Self; 5] = [Self::Relevance, Self::Sales, Self::Newest, Self::PriceAsc, Self::PriceDesc];

    /// The name in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::PriceAsc => "price-asc",
            Self::PriceDesc => "price-desc",
            Self::Newest => "newest",
            Self::Sales => "sales",
        }
    }

    /// Reads the name in an address; an unknown one is the default order.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.name() == name).unwrap_or_default()
    }
}

impl PriceRange {
    /// Reads the bounds; an empty field is none.
    ///
    /// # Errors
    /// [`crate::domain::Error::Invalid`] with the problem of `min` or `max`: no amount of money, or bounds in the wrong
    /// order.
    pub fn read(&self) -> Result<(Option<Amount>, Option<Amount>)> {
        let mut check = Check::default();
        let mut bound = |field: &str, text: &str| {
            let amount = Amount::parse(text, Default::default()).map_err(|_| Problem::Number);
            if text.trim().is_empty() { None } else { check.take(field, amount) }
        };
        let (min, max) = (bound("min", &self.min), bound("max", &self.max));
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            check.add("max", Problem::Bounds);
        }
        check.finish().map(|()| (min, max))
    }
}

impl ListQuery {
    /// The category whose page this list is.
    pub fn page_of(&self) -> Option<&str> {
        self.category.as_deref().filter(|_| self.q.is_none())
    }

    /// The category that a search is narrowed to.
    pub fn narrowed_to(&self) -> Option<&str> {
        self.category.as_deref().filter(|_| self.q.is_some())
    }
}

/// A link to a list with a query, leaving out what is default; the one place that knows the parameters' names. The path
/// of a category's page says which category that is; in a search it is a parameter.
pub fn list_href(path: &str, query: &ListQuery) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let amount = |a: Amount| a.to_decimal(Default::default()).trim_end_matches(".00").to_owned();
    if let Some(q) = &query.q {
        pairs.push(("q", q.clone()));
    }
    pairs.extend(query.narrowed_to().map(|category| ("category", category.to_owned())));
    pairs.extend(query.brand.iter().map(|brand| ("brand", brand.clone())));
    pairs.extend(query.price_min.map(|a| ("min", amount(a))));
    pairs.extend(query.price_max.map(|a| ("max", amount(a))));
    if query.in_stock {
        pairs.push(("stock", "1".to_owned()));
    }
    if query.sort != Sort::default() {
        pairs.push(("sort", query.sort.name().to_owned()));
    }
    if query.page > 1 {
        pairs.push(("page", query.page.to_string()));
    }
    let text: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    if text.is_empty() { path.to_owned() } else { format!("{path}?{}", text.join("&")) }
}

/// Reads a list's query from the parameters of an address, and the category in its path if there is one; what makes no
/// sense is ignored, and so are both prices where one is wrong.
pub fn parse_list_query<'a>(category: Option<String>, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> ListQuery {
    let mut query = ListQuery { category, page: 1, ..ListQuery::default() };
    let mut prices = PriceRange::default();
    for (key, value) in pairs {
        let value = value.trim();
        match key {
            "category" if query.category.is_none() && !value.is_empty() => query.category = Some(value.to_owned()),
            "q" if !value.is_empty() => query.q = Some(value.chars().take(MAX_SEARCH).collect()),
            "brand" if !value.is_empty() && query.brand.len() < MAX_BRANDS => query.brand.push(value.to_owned()),
            "min" => prices.min = value.to_owned(),
            "max" => prices.max = value.to_owned(),
            "stock" => query.in_stock = value == "1",
            "sort" => query.sort = Sort::from_name(value),
            "page" => query.page = value.parse().unwrap_or(1).clamp(1, 10_000),
            _ => {}
        }
    }
    (query.price_min, query.price_max) = prices.read().unwrap_or_default();
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    #[test]
    fn prices_that_make_no_range_are_told_and_not_guessed() {
        let read = |min: &str, max: &str| PriceRange { min: min.into(), max: max.into() }.read();
        assert_eq!(read(" ", ""), Ok((None, None)));
        assert_eq!(read("1,000", "2000.5"), Ok((Some(Amount(100_000)), Some(Amount(200_050)))));
        assert_eq!(read("5", "5"), Ok((Some(Amount(500)), Some(Amount(500)))));
        assert_eq!(read("300", "100"), Err(Error::field("max", Problem::Bounds)));
        assert_eq!(read("abc", "100"), Err(Error::field("min", Problem::Number)));
        let query = parse_list_query(None, [("min", "abc"), ("max", "100"), ("stock", "1")].into_iter());
        assert_eq!(query, ListQuery { in_stock: true, page: 1, ..ListQuery::default() });
    }

    #[test]
    fn an_address_reads_back_as_the_query_it_was_made_from() {
        let query = ListQuery {
            category: Some("home".into()),
            q: Some("茶 杯".into()),
            brand: vec!["山间".into(), "A&B".into()],
            price_min: Some(Amount(1050)),
            price_max: Some(Amount(20_000)),
            in_stock: true,
            sort: Sort::PriceDesc,
            page: 3,
        };
        let href = list_href("/search", &query);
        assert!(
            href.starts_with("/search?q=%E8%8C%B6%20%E6%9D%AF&category=home&brand=")
                && href.ends_with("&min=10.50&max=200&stock=1&sort=price-desc&page=3"),
            "{href}"
        );
        let pairs = [
            ("q", "茶 杯"),
            ("category", "home"),
            ("brand", "山间"),
            ("brand", "A&B"),
            ("min", "10.50"),
            ("max", "200"),
            ("stock", "1"),
            ("sort", "price-desc"),
            ("page", "3"),
        ];
        assert_eq!(parse_list_query(None, pairs.into_iter()), query);
        assert_eq!(parse_list_query(Some("tea".into()), pairs.into_iter()).category.as_deref(), Some("tea"));
        let page = ListQuery { q: None, ..query };
        let href = list_href("/c/home", &page);
        assert!(href.starts_with("/c/home?brand=") && !href.contains("category"), "{href}");
    }
}
