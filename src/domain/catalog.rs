//! What is for sale, as pages show it.

use super::{
    booking::offer::Kind,
    error::{Check, Problem, Result},
    locale::Locale,
    money::Amount,
    page::Page,
    review::Rating,
};
use serde::{Deserialize, Serialize};

/// How many products a list page shows.
pub const PER_PAGE: i64 = 24;

/// A picture in the media store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `/media/<hash>.<type>`: the content decides the name, so it can be cached for ever.
    pub url: String,
    pub alt: String,
    /// Pixels; zero where the file does not tell.
    pub width: i64,
    pub height: i64,
}

/// How wide a smaller version of a picture is. Pages ask for these widths alone, and the server makes no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Tiles, lines of a cart or an order, rows of the office, small pictures to choose by.
    Thumb,
    /// Products in a list.
    Card,
}

impl Width {
    pub const ALL: [Self; 2] = [Self::Thumb, Self::Card];

    pub const fn pixels(self) -> i64 {
        match self {
            Self::Thumb => 200,
            Self::Card => 400,
        }
    }

    /// The width that an address names, exactly as [`Image::url_at`] writes it.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|width| width.pixels().to_string() == text)
    }
}

impl Image {
    /// The address of the version this wide, `/media/<hash>.<type>/<width>`; of the picture itself where it is no wider,
    /// and where it is none of the media store.
    pub fn url_at(&self, width: Width) -> String {
        let pixels = width.pixels();
        if (1..=pixels).contains(&self.width) || !self.url.starts_with("/media/") {
            self.url.clone()
        } else {
            format!("{}/{pixels}", self.url)
        }
    }
}

/// A category in the language of the page, with its sub-categories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub id: String,
    /// The name in addresses: `/c/<handle>`.
    pub handle: String,
    pub title: String,
    pub children: Vec<Category>,
    /// The picture of its best selling product.
    pub image: Option<Image>,
    /// Active products in it and below it.
    pub products: i64,
}

/// A product in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductCard {
    pub id: String,
    /// The name in addresses: `/p/<handle>`.
    pub handle: String,
    pub title: String,
    pub brand: String,
    pub price_min: Amount,
    pub price_max: Amount,
    /// The highest price before reduction among its variants.
    pub compare_at: Option<Amount>,
    pub image: Option<Image>,
    pub in_stock: bool,
    /// Pieces sold.
    pub sales: i64,
    /// Of its reviews.
    #[serde(default, skip_serializing_if = "Rating::is_none")]
    pub rating: Rating,
    pub tags: Vec<String>,
}

/// The most favourites of one customer.
pub const MAX_FAVOURITES: u32 = 500;
/// How many of the products looked at last are remembered.
pub const MAX_VIEWED: i64 = 50;
/// How many of them a page shows.
pub const KEPT_PER_PAGE: i64 = 20;

/// A product that a customer keeps or looked at, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptProduct {
    pub card: ProductCard,
    /// Whether it is still for sale; one that is not has no page any more.
    pub sold: bool,
    /// UTC milliseconds since when it is kept, or when it was looked at last.
    pub at: i64,
}

/// The products that were looked at last, and whether that is remembered at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewed {
    pub products: Page<KeptProduct>,
    pub remembered: bool,
}

/// A product page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: String,
    pub handle: String,
    pub title: String,
    pub brand: String,
    /// Sanitised HTML.
    pub description_html: String,
    pub seo_title: String,
    pub seo_description: String,
    pub tags: Vec<String>,
    /// Empty for a product with a single variant.
    pub options: Vec<ProductOption>,
    pub variants: Vec<Variant>,
    pub images: Vec<Image>,
    /// From the top category down.
    pub breadcrumbs: Vec<(String, String)>,
    pub sales: i64,
    /// Of its reviews.
    #[serde(default, skip_serializing_if = "Rating::is_none")]
    pub rating: Rating,
    /// How it is booked; `None` for goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

/// A choice that selects a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    pub name: String,
    pub values: Vec<String>,
}

/// What is bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: String,
    pub sku: String,
    /// As the merchant wrote it; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub barcode: String,
    /// For each option of the product, the index of its value.
    pub choices: Vec<usize>,
    pub price: Amount,
    pub compare_at: Option<Amount>,
    /// What can be bought now; [`UNLIMITED`] for what is never out of stock.
    pub available: i64,
    pub grams: i64,
    /// Index into the product's images.
    pub image: Option<usize>,
}

/// The availability of a variant that is sold whether or not it is on hand.
pub const UNLIMITED: i64 = 1_000_000;

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
    /// The category asked for, with its sub-categories (or its siblings when it has none).
    pub category: Option<Category>,
    /// From the top category down to this one: handle and title.
    pub breadcrumbs: Vec<(String, String)>,
    pub products: Page<ProductCard>,
    /// The brands in the list before the brand filter, with their number of products.
    pub brands: Vec<(String, i64)>,
    /// The categories in a search before it is narrowed to one, without pictures, with the number of products found in
    /// each; those with the most come first. None on the page of a category, which leads to others by itself.
    pub categories: Vec<Category>,
}

/// The way to what is booked of a kind, of which the shop has something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    pub kind: Kind,
    /// The address of its search, or of the category that has most of it.
    pub href: String,
}

impl Way {
    /// The ways to kinds, each with the handle of a category where one is known, in the order in which they are shown.
    /// Rooms, tables and trips are searched for by date; services have no such search, and without a category no way.
    pub fn all(found: &[(Kind, Option<String>)]) -> Vec<Self> {
        let way = |kind: Kind| {
            let mut of_kind = found.iter().filter(|(other, _)| *other == kind).peekable();
            of_kind.peek()?;
            let href = match kind {
                Kind::Stay => "/stays".to_owned(),
                Kind::Table => "/tables".to_owned(),
                Kind::Trip => "/trips".to_owned(),
                Kind::Visit => format!("/c/{}", percent_encode(of_kind.find_map(|(_, category)| category.as_ref())?)),
            };
            Some(Self { kind, href })
        };
        [Kind::Stay, Kind::Table, Kind::Trip, Kind::Visit].into_iter().filter_map(way).collect()
    }
}

/// The start page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    pub categories: Vec<Category>,
    pub ways: Vec<Way>,
    pub hot: Vec<ProductCard>,
    pub new: Vec<ProductCard>,
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
    /// [`super::Error::Invalid`] with the problem of `min` or `max`: no amount of money, or bounds in the wrong order.
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

impl Product {
    /// The variant that has these choices, if it exists.
    pub fn variant(&self, choices: &[usize]) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.choices == choices)
    }

    /// Whether a variant with this value exists beside the other choices made, and whether it can be bought.
    pub fn offers(&self, choices: &[usize], option: usize, value: usize) -> (bool, bool) {
        let mut wanted = choices.to_vec();
        if let Some(choice) = wanted.get_mut(option) {
            *choice = value;
        }
        self.variant(&wanted).map_or((false, false), |variant| (true, variant.available > 0))
    }

    /// The variant shown first: the first that can be bought, else the first.
    pub fn default_variant(&self) -> Option<&Variant> {
        self.variants.iter().find(|v| v.available > 0).or_else(|| self.variants.first())
    }

    /// The choice to make when the wanted combination does not exist: the variant with this value which keeps most of
    /// the other choices, one that can be bought before one that cannot.
    pub fn nearest(&self, choices: &[usize], option: usize, value: usize) -> Option<&Variant> {
        self.variants.iter().filter(|v| v.choices.get(option) == Some(&value)).max_by_key(|v| {
            let kept = v.choices.iter().zip(choices).filter(|(a, b)| a == b).count();
            (kept, v.available > 0)
        })
    }

    /// The choices of a variant in words: `黑色 / M`.
    pub fn label(&self, variant: &Variant) -> String {
        label(&self.options, &variant.choices)
    }
}

/// Choices in words: `黑色 / M`.
pub fn label(options: &[ProductOption], choices: &[usize]) -> String {
    let names = options.iter().zip(choices).filter_map(|(option, i)| option.values.get(*i).map(String::as_str));
    names.collect::<Vec<_>>().join(" / ")
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

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whether a tag marks a product as new or as selling well, in any language of the demo data and the interface.
pub fn badge(tags: &[String], locale: Locale) -> Option<&'static str> {
    use super::texts::catalog;
    let has = |names: &[&str]| tags.iter().any(|tag| names.iter().any(|name| tag.eq_ignore_ascii_case(name)));
    if has(&["热卖", "hot", "bestseller"]) {
        Some(locale.t(catalog::BADGE_HOT))
    } else if has(&["新品", "new"]) {
        Some(locale.t(catalog::BADGE_NEW))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_to_what_there_is_and_to_nothing_else() {
        let found = |kinds: &[(Kind, Option<&str>)]| -> Vec<String> {
            let found: Vec<_> = kinds.iter().map(|(kind, category)| (*kind, category.map(str::to_owned))).collect();
            Way::all(&found).into_iter().map(|way| way.href).collect()
        };
        assert!(found(&[]).is_empty());
        let all = [
            (Kind::Visit, None),
            (Kind::Visit, Some("上门 服务")),
            (Kind::Visit, Some("beauty")),
            (Kind::Trip, None),
            (Kind::Stay, Some("hotels")),
        ];
        assert_eq!(found(&all), ["/stays", "/trips", "/c/%E4%B8%8A%E9%97%A8%20%E6%9C%8D%E5%8A%A1"]);
        assert!(found(&[(Kind::Visit, None)]).is_empty(), "services are found in their category alone");
    }

    fn variant(choices: &[usize], available: i64) -> Variant {
        Variant {
            id: format!("{choices:?}"),
            sku: String::new(),
            barcode: String::new(),
            choices: choices.to_vec(),
            price: Amount(100),
            compare_at: None,
            available,
            grams: 0,
            image: None,
        }
    }

    fn shirt() -> Product {
        Product {
            id: "p".into(),
            handle: "shirt".into(),
            title: "Shirt".into(),
            brand: String::new(),
            description_html: String::new(),
            seo_title: String::new(),
            seo_description: String::new(),
            tags: vec![],
            options: vec![
                ProductOption { name: "Colour".into(), values: vec!["Black".into(), "White".into()] },
                ProductOption { name: "Size".into(), values: vec!["S".into(), "M".into()] },
            ],
            variants: vec![variant(&[0, 0], 0), variant(&[0, 1], 3), variant(&[1, 0], 2)],
            images: vec![],
            breadcrumbs: vec![],
            sales: 0,
            rating: Rating::default(),
            kind: None,
        }
    }

    #[test]
    fn a_smaller_version_has_an_address_of_its_own() {
        for (known, thumb, card) in [
            (640, "/media/a.png/200", "/media/a.png/400"),
            (400, "/media/a.png/200", "/media/a.png"),
            (200, "/media/a.png", "/media/a.png"),
            (0, "/media/a.png/200", "/media/a.png/400"),
        ] {
            let image = Image { url: "/media/a.png".into(), alt: String::new(), width: known, height: known };
            assert_eq!((&*image.url_at(Width::Thumb), &*image.url_at(Width::Card)), (thumb, card), "{known}");
        }
        assert_eq!(Width::ALL.map(|width| Width::named(&width.pixels().to_string())), Width::ALL.map(Some));
        for text in ["", "0", "399", "0400", "+400", "400 ", "4e2"] {
            assert_eq!(Width::named(text), None, "{text}");
        }
    }

    #[test]
    fn missing_and_sold_out_combinations_are_told_apart() {
        let shirt = shirt();
        assert_eq!(shirt.offers(&[0, 1], 1, 0), (true, false), "black S is sold out");
        assert_eq!(shirt.offers(&[0, 1], 0, 1), (false, false), "white M does not exist");
        assert_eq!(shirt.nearest(&[0, 1], 0, 1).map(|v| v.choices.clone()), Some(vec![1, 0]));
        assert_eq!(shirt.default_variant().map(|v| shirt.label(v)), Some("Black / M".to_owned()));
    }

    #[test]
    fn prices_that_make_no_range_are_told_and_not_guessed() {
        use super::super::Error;
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
