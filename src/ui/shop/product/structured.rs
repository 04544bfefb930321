//! The product in the words of schema.org, for search engines.

use crate::{
    domain::{
        catalog::Product,
        money::{Amount, Currency},
    },
    ui::components::links::{category_href, product_href},
};
use serde_json::{Value, json};

/// JSON-LD for a script block: the product with its offers, and the way to it. `absolute` makes addresses whole.
pub fn data(product: &Product, currency: Currency, absolute: impl Fn(&str) -> String) -> String {
    let address = absolute(&product_href(&product.handle));
    let mut thing = json!({
        "@type": "Product",
        "name": product.title,
        "url": address,
        "image": product.images.iter().map(|image| absolute(&image.url)).collect::<Vec<_>>(),
        "offers": offers(product, currency, &address),
    });
    if !product.seo_description.is_empty() {
        thing["description"] = json!(product.seo_description);
    }
    if !product.brand.is_empty() {
        thing["brand"] = json!({ "@type": "Brand", "name": product.brand });
    }
    if let [variant] = product.variants.as_slice()
        && !variant.sku.is_empty()
    {
        thing["sku"] = json!(variant.sku);
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

fn offers(product: &Product, currency: Currency, address: &str) -> Value {
    let in_stock = product.variants.iter().any(|variant| variant.available > 0);
    let availability = format!("https://schema.org/{}", if in_stock { "InStock" } else { "OutOfStock" });
    let price = |amount: Option<Amount>| amount.unwrap_or_default().to_decimal(currency);
    let prices = || product.variants.iter().map(|variant| variant.price);
    let (low, high) = (prices().min(), prices().max());
    if low == high {
        return json!({
            "@type": "Offer", "url": address, "priceCurrency": currency.code(), "price": price(low), "availability": availability,
        });
    }
    json!({
        "@type": "AggregateOffer", "url": address, "priceCurrency": currency.code(), "lowPrice": price(low),
        "highPrice": price(high), "offerCount": product.variants.len(), "availability": availability,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::Variant;

    #[test]
    fn no_text_of_a_product_can_end_the_block() {
        let variant = |price| Variant {
            id: String::new(),
            sku: "S".into(),
            choices: vec![],
            price: Amount(price),
            compare_at: None,
            available: 1,
            grams: 0,
            image: None,
        };
        let mut product = Product {
            id: String::new(),
            handle: "cup".into(),
            title: "Cup</script><script>alert(1)".into(),
            brand: "A \"B\"".into(),
            description_html: String::new(),
            seo_title: String::new(),
            seo_description: "<!-- ".into(),
            tags: vec![],
            options: vec![],
            variants: vec![variant(100)],
            images: vec![],
            breadcrumbs: vec![("home".into(), "Home".into())],
            sales: 0,
        };
        let text = data(&product, Currency::CNY, |path| format!("https://shop.test{path}"));
        assert!(!text.contains('<'), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read["@graph"][0]["name"], "Cup</script><script>alert(1)");
        assert_eq!(read["@graph"][0]["offers"]["price"], "1.00");
        assert_eq!(read["@graph"][1]["itemListElement"][0]["item"], "https://shop.test/c/home");
        product.variants.push(variant(250));
        let text = data(&product, Currency::CNY, str::to_owned);
        assert!(text.contains("\"highPrice\":\"2.50\"") && text.contains("AggregateOffer"), "{text}");
    }
}
