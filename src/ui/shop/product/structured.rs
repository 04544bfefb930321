//! The product in the words of schema.org, for search engines.

use crate::{
    domain::{
        catalog::{Product, Variant},
        gtin::gtin,
        money::Currency,
        review::MOST,
    },
    ui::components::links::category_href,
};
use serde_json::{Value, json};

/// JSON-LD for a script block: the product with its offers, and the way to it.
///
/// A single variant is the product itself; several are a group, each with an offer and an address of its own. `address`
/// is the full address of the page, `absolute` makes local ones full.
pub fn data(product: &Product, currency: Currency, address: &str, absolute: impl Fn(&str) -> String) -> String {
    let mut thing = match product.variants.as_slice() {
        [variant] => sold(product, variant, currency, address, &absolute),
        variants => {
            let mark = if address.contains('?') { '&' } else { '?' };
            let variants = variants.iter().map(|variant| {
                let address = format!("{address}{mark}v={}", variant.id);
                let mut thing = sold(product, variant, currency, &address, &absolute);
                thing["name"] = json!(format!("{} {}", product.title, product.label(variant)).trim());
                thing["url"] = json!(address);
                thing
            });
            json!({ "@type": "ProductGroup", "productGroupID": product.id, "hasVariant": variants.collect::<Vec<_>>() })
        }
    };
    thing["name"] = json!(product.title);
    thing["url"] = json!(address);
    thing["image"] = product.images.iter().map(|image| absolute(&image.url)).collect();
    if !product.seo_description.is_empty() {
        thing["description"] = json!(product.seo_description);
    }
    if !product.brand.is_empty() {
        thing["brand"] = json!({ "@type": "Brand", "name": product.brand });
    }
    if let Some(mean) = product.rating.mean() {
        thing["aggregateRating"] = json!({
            "@type": "AggregateRating", "ratingValue": mean, "reviewCount": product.rating.count,
            "bestRating": MOST, "worstRating": 1,
        });
    }
    let mut graph = vec![thing];
    if !product.breadcrumbs.is_empty() {
        let steps = product.breadcrumbs.iter().enumerate().map(|(i, (handle, title))| {
            json!({ "@type": "ListItem", "position": i + 1, "name": title, "item": absolute(&category_href(handle)) })
        });
        graph.push(json!({ "@type": "BreadcrumbList", "itemListElement": steps.collect::<Vec<_>>() }));
    }
    let text = json!({ "@context": "https://schema.org", "@graph": graph }).to_string();
    // The data ends where the browser sees an end tag, wherever that stands; JSON can write it otherwise.
    text.replace('<', "\\u003c")
}

/// What tells a variant from others, and its offer.
fn sold(
    product: &Product,
    variant: &Variant,
    currency: Currency,
    address: &str,
    absolute: impl Fn(&str) -> String,
) -> Value {
    let availability = if variant.available > 0 { "InStock" } else { "OutOfStock" };
    let mut thing = json!({
        "@type": "Product",
        "offers": {
            "@type": "Offer", "url": address, "priceCurrency": currency.code(),
            "price": variant.price.to_decimal(currency), "availability": format!("https://schema.org/{availability}"),
        },
    });
    if !variant.sku.is_empty() {
        thing["sku"] = json!(variant.sku);
    }
    if let Some(gtin) = gtin(&variant.barcode) {
        thing["gtin"] = json!(gtin);
    }
    let image = variant.image.and_then(|i| product.images.get(i)).or(product.images.first());
    if let Some(image) = image {
        thing["image"] = json!(absolute(&image.url));
    }
    thing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        catalog::{Image, ProductOption},
        money::Amount,
        review::Rating,
    };

    fn variant(id: &str, choice: usize, price: i64, available: i64, barcode: &str) -> Variant {
        Variant {
            id: id.into(),
            sku: format!("S-{id}"),
            barcode: barcode.into(),
            choices: vec![choice],
            price: Amount(price),
            compare_at: None,
            available,
            grams: 0,
            image: Some(choice),
        }
    }

    fn product(variants: Vec<Variant>) -> Product {
        let image = |name: &str| Image { url: format!("/media/{name}"), alt: String::new(), width: 0, height: 0 };
        Product {
            id: "p1".into(),
            handle: "cup".into(),
            title: "Cup".into(),
            brand: "A \"B\"".into(),
            description_html: String::new(),
            seo_title: String::new(),
            seo_description: "A cup".into(),
            tags: vec![],
            options: vec![ProductOption { name: "Colour".into(), values: vec!["Black".into(), "White".into()] }],
            variants,
            images: vec![image("black.webp"), image("white.webp")],
            breadcrumbs: vec![("home".into(), "Home".into())],
            sales: 0,
            rating: Default::default(),
            kind: None,
        }
    }

    fn read(product: &Product, address: &str) -> Value {
        let text = data(product, Currency::CNY, address, |path| format!("https://shop.test{path}"));
        assert!(!text.contains('<'), "{text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    #[test]
    fn no_text_of_a_product_can_end_the_block() {
        let mut product = product(vec![variant("a", 0, 100, 1, "")]);
        product.title = "Cup</script><script>alert(1)".into();
        product.seo_description = "<!-- ".into();
        let read = read(&product, "https://shop.test/p/cup");
        assert_eq!(read["@graph"][0]["name"], "Cup</script><script>alert(1)");
        assert_eq!(read["@graph"][1]["itemListElement"][0]["item"], "https://shop.test/c/home");
    }

    #[test]
    fn a_product_with_one_variant_is_that_variant() {
        let read = read(&product(vec![variant("a", 0, 100, 0, "4006381333931")]), "https://shop.test/p/cup");
        let thing = &read["@graph"][0];
        assert_eq!((&thing["@type"], &thing["name"], &thing["sku"]), (&json!("Product"), &json!("Cup"), &json!("S-a")));
        assert_eq!(thing["gtin"], "4006381333931");
        assert_eq!(thing["brand"]["name"], "A \"B\"");
        assert_eq!(thing["image"], json!(["https://shop.test/media/black.webp", "https://shop.test/media/white.webp"]));
        let offer = json!({
            "@type": "Offer", "url": "https://shop.test/p/cup", "priceCurrency": "CNY", "price": "1.00",
            "availability": "https://schema.org/OutOfStock",
        });
        assert_eq!(thing["offers"], offer);
    }

    #[test]
    fn what_customers_gave_is_told_where_there_is_any() {
        let mut product = product(vec![variant("a", 0, 100, 1, "")]);
        assert!(read(&product, "https://shop.test/p/cup")["@graph"][0].get("aggregateRating").is_none());
        product.rating = Rating { sum: 14, count: 3 };
        let rating = json!({
            "@type": "AggregateRating", "ratingValue": "4.7", "reviewCount": 3, "bestRating": 5, "worstRating": 1,
        });
        assert_eq!(read(&product, "https://shop.test/p/cup")["@graph"][0]["aggregateRating"], rating);
    }

    #[test]
    fn each_of_several_variants_has_its_own_offer() {
        let variants = vec![variant("a", 0, 100, 0, "4006381333932"), variant("b", 1, 250, 3, "")];
        let read = read(&product(variants), "https://shop.test/p/cup?lang=en");
        let group = &read["@graph"][0];
        assert_eq!((&group["@type"], &group["productGroupID"]), (&json!("ProductGroup"), &json!("p1")));
        assert_eq!(group["url"], "https://shop.test/p/cup?lang=en");
        assert!(group.get("offers").is_none() && group.get("sku").is_none(), "a group is not sold: {group}");
        let [black, white] = group["hasVariant"].as_array().map(Vec::as_slice).unwrap_or_default() else {
            panic!("two variants: {group}")
        };
        assert_eq!((&black["name"], &white["name"]), (&json!("Cup Black"), &json!("Cup White")));
        assert_eq!(white["image"], "https://shop.test/media/white.webp");
        assert_eq!(white["url"], "https://shop.test/p/cup?lang=en&v=b");
        assert_eq!(white["offers"]["url"], white["url"]);
        assert_eq!((&black["offers"]["price"], &white["offers"]["price"]), (&json!("1.00"), &json!("2.50")));
        assert_eq!(black["offers"]["availability"], "https://schema.org/OutOfStock");
        assert_eq!(white["offers"]["availability"], "https://schema.org/InStock");
        assert!(black.get("gtin").is_none(), "a wrong check digit: {black}");
    }
}
