//! The SQL of one product: its page, and the stock and prices that open pages are told.

use super::{AVAILABLE, in_locale, json, rating};
use crate::{
    args,
    domain::{
        Locale, Result,
        booking::offer::Kind,
        catalog::{Image, Product, ProductOption, UNLIMITED, Variant},
        live::VariantState,
        money::Amount,
    },
    server::db::Tx,
};

pub async fn product(tx: &mut Tx<'_>, locale: Locale, handle: &str) -> Result<Product> {
    let sql = concat!(
        "select p.id, p.handle, p.brand, p.category_id, p.sales, p.rating_sum, p.rating_count, p.kind, (select max(t.locale) from product_text t where t.product_id = p.id) as main_locale, ",
        in_locale!("title"),
        " as title, ",
        in_locale!("description_html"),
        " as description_html, ",
        in_locale!("seo_title"),
        " as seo_title, ",
        in_locale!("seo_description"),
        " as seo_description, ",
        in_locale!("options"),
        " as options, ",
        in_locale!("tags"),
        " as tags ",
        "from product p where p.handle = $2 and p.status = 'active'"
    );
    let row = tx.one(sql, args![locale.tag(), handle]).await?;
    let id: String = row.get("id")?;
    let title: String = row.get("title")?;
    let options: Vec<ProductOption> = json(&row.get::<String>("options")?);

    let pictures = tx
        .all(
            "select position, media, alt, width, height from product_image where product_id = $1 order by position",
            args![&id],
        )
        .await?;
    // Texts beside pictures are in the product's first language; in another one its title says it better.
    let described = row.get::<Option<String>>("main_locale")?.as_deref() == Some(locale.tag());
    let mut images = Vec::new();
    let mut positions = Vec::new();
    for picture in &pictures {
        positions.push(picture.get::<i64>("position")?);
        let alt: String = picture.get("alt")?;
        images.push(Image {
            url: format!("/media/{}", picture.get::<String>("media")?),
            alt: if alt.is_empty() || !described { title.clone() } else { alt },
            width: picture.get("width")?,
            height: picture.get("height")?,
        });
    }

    let sql = format!(
        "select v.id, v.sku, v.barcode, v.choices, v.price, v.compare_at, v.grams, v.image_position, {AVAILABLE} as available
        from variant v left join stock s on s.variant_id = v.id where v.product_id = $1 and v.active order by v.position, v.id"
    );
    let mut variants = Vec::new();
    for variant in tx.all(sql, args![&id]).await? {
        let position = variant.get::<Option<i64>>("image_position")?;
        variants.push(Variant {
            id: variant.get("id")?,
            sku: variant.get("sku")?,
            barcode: variant.get("barcode")?,
            choices: json(&variant.get::<String>("choices")?),
            price: Amount(variant.get("price")?),
            compare_at: variant.get::<Option<i64>>("compare_at")?.map(Amount),
            available: variant.get::<i64>("available")?.clamp(0, UNLIMITED),
            grams: variant.get("grams")?,
            image: position.and_then(|position| positions.iter().position(|p| *p == position)),
        });
    }

    let mut breadcrumbs = Vec::new();
    if let Some(category) = row.get::<Option<String>>("category_id")? {
        let sql = "select c.handle, coalesce(t.title, d.title, c.handle) as title
            from category c
            left join category_text t on t.category_id = c.id and t.locale = $1
            left join category_text d on d.category_id = c.id and d.locale = (select max(m.locale) from category_text m where m.category_id = c.id)
            where c.id = $2 or c.id = (select k.parent_id from category k where k.id = $2)
            order by case when c.parent_id is null then 0 else 1 end";
        for row in tx.all(sql, args![locale.tag(), category]).await? {
            breadcrumbs.push((row.get("handle")?, row.get("title")?));
        }
    }
    Ok(Product {
        id,
        handle: row.get("handle")?,
        brand: row.get("brand")?,
        description_html: row.get("description_html")?,
        seo_title: row.get("seo_title")?,
        seo_description: row.get("seo_description")?,
        tags: json(&row.get::<String>("tags")?),
        sales: row.get("sales")?,
        rating: rating(&row)?,
        kind: Kind::from_name(&row.get::<String>("kind")?),
        title,
        options,
        variants,
        images,
        breadcrumbs,
    })
}

/// Stock and price of what is sold of a product; nothing when it is withdrawn.
pub async fn variant_states(tx: &mut Tx<'_>, product_id: &str) -> Result<Vec<VariantState>> {
    let sql = format!(
        "select v.id, v.price, v.compare_at, {AVAILABLE} as available
        from variant v join product p on p.id = v.product_id left join stock s on s.variant_id = v.id
        where v.product_id = $1 and v.active and p.status = 'active' order by v.position, v.id"
    );
    let rows = tx.all(sql, args![product_id]).await?;
    rows.iter()
        .map(|row| {
            Ok(VariantState {
                id: row.get("id")?,
                available: row.get::<i64>("available")?.clamp(0, UNLIMITED),
                price: Amount(row.get("price")?),
                compare_at: row.get::<Option<i64>>("compare_at")?.map(Amount),
            })
        })
        .collect()
}
