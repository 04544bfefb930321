//! What is for sale, as pages show it.

mod list;

pub use list::{
    ListQuery, MAX_BRANDS, MAX_SEARCH, MOST_FOUND, OFFERED_BRANDS, OFFERED_CATEGORIES, PER_PAGE, PriceRange,
    ProductList, Sort, list_href, parse_list_query,
};

use super::{booking::offer::Kind, locale::Locale, money::Amount, page::Page, review::Rating};
use serde::{Deserialize, Serialize};

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
    /// The picture of its best selling product, where pictures are shown: on the start page and on that of all categories.
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
    use super::texts::start;
    let has = |names: &[&str]| tags.iter().any(|tag| names.iter().any(|name| tag.eq_ignore_ascii_case(name)));
    if has(&["热卖", "hot", "bestseller"]) {
        Some(locale.t(start::BADGE_HOT))
    } else if has(&["新品", "new"]) {
        Some(locale.t(start::BADGE_NEW))
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
}
