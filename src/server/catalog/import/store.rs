//! What the shop has of some products, and a batch of changes to it: few statements for many rows.

use crate::{
    args,
    domain::catalog::ProductOption,
    server::{
        audit::{Action, Entry},
        catalog::json,
        db::{Args, DbError, Row, Tx, lists},
        media::Stored,
        stock::LOCATION,
    },
};
use std::collections::HashMap;

/// A product in the shop.
pub struct Existing {
    pub id: String,
    pub row: ProductRow,
    /// By locale.
    pub texts: HashMap<String, TextRow>,
    pub images: Vec<ImageRow>,
    pub variants: Vec<ExistingVariant>,
}

/// The columns of a product that an import sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductRow {
    pub status: String,
    pub brand: String,
    pub category_id: Option<String>,
    pub tags: String,
    pub price_min: i64,
    pub price_max: i64,
    pub compare_at: Option<i64>,
    pub image: Option<String>,
}

/// The texts of a product in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRow {
    pub title: String,
    pub description_html: String,
    pub seo_title: String,
    pub seo_description: String,
    pub options: String,
    pub tags: String,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    pub stored: Stored,
    pub alt: String,
    pub source: String,
}

#[derive(Clone, Debug)]
pub struct ExistingVariant {
    pub id: String,
    pub row: VariantRow,
    /// On hand and held, when there is a row.
    pub stock: Option<(i64, i64)>,
}

/// The columns of a variant that an import sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantRow {
    pub position: i64,
    pub sku: String,
    pub barcode: String,
    pub choices: String,
    pub price: i64,
    pub compare_at: Option<i64>,
    pub grams: i64,
    pub image_position: Option<i64>,
    pub backorder: bool,
    pub active: bool,
    /// What was chosen when it was withdrawn, as [`chosen`](super::matching::chosen) writes it; empty while it is sold.
    pub withdrawn_as: String,
}

/// Who has a SKU.
pub struct Holder {
    pub variant_id: String,
    pub handle: String,
    pub active: bool,
}

impl TextRow {
    pub fn options(&self) -> Vec<ProductOption> {
        json(&self.options)
    }
}

impl VariantRow {
    pub fn choices(&self) -> Vec<usize> {
        json(&self.choices)
    }
}

/// Takes these products until the transaction ends, and those that may have to give away one of these SKUs, so that what is
/// read of them and their variants after this still holds when it is written; see [`stock`](crate::server::stock) for the
/// order in which that goes.
pub async fn lock(tx: &mut Tx<'_>, handles: &[String], skus: &[String]) -> Result<(), DbError> {
    let mut products = rows_in(tx, "select id from product where handle in ", "", handles).await?;
    let sql = "select distinct product_id as id from variant where sku <> '' and sku in ";
    products.extend(rows_in(tx, sql, "", skus).await?);
    let ids = products.iter().map(|row| row.get::<String>("id")).collect::<Result<Vec<_>, _>>()?;
    tx.lock("product", &ids).await
}

/// The products with these handles, by handle.
pub async fn load(tx: &mut Tx<'_>, handles: &[String]) -> Result<HashMap<String, Existing>, DbError> {
    let mut products: HashMap<String, Existing> = HashMap::new();
    let mut handle_of: HashMap<String, String> = HashMap::new();
    let sql = "select id, handle, status, brand, category_id, tags, price_min, price_max, compare_at, image from product where handle in ";
    for row in rows_in(tx, sql, "", handles).await? {
        let (id, handle): (String, String) = (row.get("id")?, row.get("handle")?);
        handle_of.insert(id.clone(), handle.clone());
        let row = ProductRow {
            status: row.get("status")?,
            brand: row.get("brand")?,
            category_id: row.get("category_id")?,
            tags: row.get("tags")?,
            price_min: row.get("price_min")?,
            price_max: row.get("price_max")?,
            compare_at: row.get("compare_at")?,
            image: row.get("image")?,
        };
        products.insert(handle, Existing { id, row, texts: HashMap::new(), images: Vec::new(), variants: Vec::new() });
    }
    let mut ids: Vec<String> = handle_of.keys().cloned().collect();
    ids.sort();
    let of = |row: &Row| -> Result<String, DbError> {
        Ok(handle_of.get(&row.get::<String>("product_id")?).cloned().unwrap_or_default())
    };
    let sql = "select product_id, locale, title, description_html, seo_title, seo_description, options, tags, words
        from product_text where product_id in ";
    for row in rows_in(tx, sql, "", &ids).await? {
        let Some(product) = products.get_mut(&of(&row)?) else { continue };
        let text = TextRow {
            title: row.get("title")?,
            description_html: row.get("description_html")?,
            seo_title: row.get("seo_title")?,
            seo_description: row.get("seo_description")?,
            options: row.get("options")?,
            tags: row.get("tags")?,
            words: row.get("words")?,
        };
        product.texts.insert(row.get("locale")?, text);
    }
    let sql = "select product_id, media, alt, width, height, source from product_image where product_id in ";
    for row in rows_in(tx, sql, " order by product_id, position", &ids).await? {
        let Some(product) = products.get_mut(&of(&row)?) else { continue };
        product.images.push(ImageRow { stored: stored(&row)?, alt: row.get("alt")?, source: row.get("source")? });
    }
    let sql = format!(
        "select v.id, v.product_id, v.position, v.sku, v.barcode, v.choices, v.price, v.compare_at, v.grams,
            v.image_position, v.backorder, v.active, v.withdrawn_as, s.on_hand, s.held
        from variant v left join stock s on s.variant_id = v.id and s.location = '{LOCATION}' where v.product_id in "
    );
    for row in rows_in(tx, &sql, " order by v.product_id, v.position, v.id", &ids).await? {
        let Some(product) = products.get_mut(&of(&row)?) else { continue };
        let stock = row.get::<Option<i64>>("on_hand")?.zip(row.get::<Option<i64>>("held")?);
        let id = row.get("id")?;
        let row = VariantRow {
            position: row.get("position")?,
            sku: row.get("sku")?,
            barcode: row.get("barcode")?,
            choices: row.get("choices")?,
            price: row.get("price")?,
            compare_at: row.get("compare_at")?,
            grams: row.get("grams")?,
            image_position: row.get("image_position")?,
            backorder: row.get("backorder")?,
            active: row.get("active")?,
            withdrawn_as: row.get("withdrawn_as")?,
        };
        product.variants.push(ExistingVariant { id, row, stock });
    }
    Ok(products)
}

/// Which variants have these SKUs.
pub async fn holders(tx: &mut Tx<'_>, skus: &[String]) -> Result<HashMap<String, Holder>, DbError> {
    let mut holders = HashMap::new();
    let sql = "select v.id, v.sku, v.active, p.handle from variant v join product p on p.id = v.product_id where v.sku <> '' and v.sku in ";
    for row in rows_in(tx, sql, "", skus).await? {
        let holder = Holder { variant_id: row.get("id")?, handle: row.get("handle")?, active: row.get("active")? };
        holders.insert(row.get("sku")?, holder);
    }
    Ok(holders)
}

/// The pictures these products have, by source.
pub async fn pictures(tx: &mut Tx<'_>, handles: &[String]) -> Result<HashMap<String, Stored>, DbError> {
    let mut pictures = HashMap::new();
    let sql = "select i.media, i.width, i.height, i.source from product_image i join product p on p.id = i.product_id where p.handle in ";
    for row in rows_in(tx, sql, "", handles).await? {
        pictures.insert(row.get("source")?, stored(&row)?);
    }
    Ok(pictures)
}

fn stored(row: &Row) -> Result<Stored, DbError> {
    Ok(Stored { name: row.get("media")?, width: row.get("width")?, height: row.get("height")? })
}

/// Rows whose key is in a list of any length, with few different statements.
async fn rows_in(tx: &mut Tx<'_>, before: &str, after: &str, keys: &[String]) -> Result<Vec<Row>, DbError> {
    let mut rows = Vec::new();
    for (list, args) in lists(keys) {
        rows.extend(tx.all(format!("{before}{list}{after}"), args).await?);
    }
    Ok(rows)
}

/// What is to be written, in an order that no constraint minds.
#[derive(Default)]
pub struct Changes {
    pub categories: Vec<Args>,
    pub category_texts: Vec<Args>,
    pub category_renames: Vec<Args>,
    /// Variants that give their SKU away.
    pub free_skus: Vec<Args>,
    pub products: Vec<Args>,
    pub product_updates: Vec<Args>,
    pub texts: Vec<Args>,
    pub text_updates: Vec<Args>,
    /// Products of which nothing but texts is written, so that those who keep something of them hear of it.
    pub translated: Vec<Args>,
    /// Products whose pictures are replaced.
    pub image_deletes: Vec<Args>,
    pub images: Vec<Args>,
    pub variant_updates: Vec<Args>,
    pub variants: Vec<Args>,
    pub stock: Vec<Args>,
    /// Variants that are in the shop, and how many pieces are wanted on hand.
    pub stock_updates: Vec<(String, i64)>,
    /// Variants that are in the shop, with the price before and the price to be: what goes on record, beside their rows
    /// above.
    pub prices: Vec<(String, i64, i64)>,
}

impl Changes {
    /// How many statements there are; a product for which none was added is unchanged.
    pub fn len(&self) -> usize {
        self.free_skus.len()
            + self.category_renames.len()
            + self.products.len()
            + self.product_updates.len()
            + self.texts.len()
            + self.text_updates.len()
            + self.image_deletes.len()
            + self.images.len()
            + self.variant_updates.len()
            + self.variants.len()
            + self.stock.len()
            + self.stock_updates.len()
    }

    /// Writes everything. Answers with what is to go on record of it, in the words in which the office's own changes do.
    ///
    /// # Errors
    /// See [`DbError`]; the transaction is then to be given up.
    pub async fn write(mut self, tx: &mut Tx<'_>) -> Result<Vec<Entry>, DbError> {
        insert(tx, "category (id, handle, parent_id, position)", "", self.categories).await?;
        insert(tx, "category_text (category_id, locale, title)", "", self.category_texts).await?;
        let rename = " on conflict (category_id, locale) do update set title = excluded.title";
        for row in self.category_renames {
            insert(tx, "category_text (category_id, locale, title)", rename, vec![row]).await?;
        }
        each(tx, "update variant set sku = '' where id = $1", self.free_skus).await?;
        let into = "product (id, handle, status, brand, category_id, tags, price_min, price_max, compare_at, image, sales, created_at, updated_at)";
        insert(tx, into, "", self.products).await?;
        let into = "product_text (product_id, locale, title, description_html, seo_title, seo_description, options, tags, words)";
        insert(tx, into, "", self.texts).await?;
        let sql = "update product_text set title = $3, description_html = $4, seo_title = $5, seo_description = $6, options = $7,
            tags = $8, words = $9 where product_id = $1 and locale = $2";
        each(tx, sql, self.text_updates).await?;
        each(tx, "delete from product_image where product_id = $1", self.image_deletes).await?;
        let into = "product_image (product_id, position, media, alt, width, height, source)";
        insert(tx, into, "", self.images).await?;
        let sql = "update variant set position = $2, sku = $3, barcode = $4, choices = $5,
            version = version + case when price <> $6 then 1 else 0 end, price = $6, compare_at = $7, grams = $8,
            image_position = $9, backorder = $10, active = $11, withdrawn_as = $12 where id = $1";
        each(tx, sql, self.variant_updates).await?;
        let into = "variant (id, product_id, position, sku, barcode, choices, price, compare_at, grams, image_position, backorder, active, version)";
        insert(tx, into, "", self.variants).await?;
        insert(
            tx,
            "stock (variant_id, location, on_hand, held, imported)",
            " on conflict (variant_id, location) do nothing",
            self.stock,
        )
        .await?;
        // In the order in which orders go through stock. The products were taken before all of it.
        self.stock_updates.sort();
        let prices = self.prices.into_iter();
        let mut entries: Vec<_> = prices
            .map(|(variant, before, price)| entry(&variant, Action::PriceSet, format!("{before} -> {price}")))
            .collect();
        for (variant, wanted) in self.stock_updates {
            if let Some(difference) = set_on_hand(tx, &variant, wanted).await? {
                entries.push(entry(&variant, Action::StockAdjusted, format!("{difference:+}")));
            }
        }
        let sql =
            "update product set status = $2, brand = $3, category_id = $4, tags = $5, price_min = $6, price_max = $7,
            compare_at = $8, image = $9, updated_at = $10 where id = $1";
        each(tx, sql, self.product_updates).await?;
        each(tx, "update product set updated_at = $2 where id = $1", self.translated).await?;
        Ok(entries)
    }
}

/// Sets the pieces on hand, but to no fewer than orders hold by now. Answers by how many they changed, if they did.
async fn set_on_hand(tx: &mut Tx<'_>, variant: &str, wanted: i64) -> Result<Option<i64>, DbError> {
    // Takes the row first: what is sold in this moment is no part of the difference.
    let sql = "update stock set version = version + 1 where variant_id = $1 and location = $2 returning on_hand";
    let Some(row) = tx.optional(sql, args![variant, LOCATION]).await? else { return Ok(None) };
    let before: i64 = row.get("on_hand")?;
    let sql = "update stock set on_hand = case when held > $3 then held else $3 end,
            imported = imported + case when held > $3 then held else $3 end - on_hand
        where variant_id = $1 and location = $2 returning on_hand";
    let after: i64 = tx.one(sql, args![variant, LOCATION, wanted]).await?.get("on_hand")?;
    Ok(Some(after - before).filter(|difference| *difference != 0))
}

fn entry(variant: &str, action: Action, detail: String) -> Entry {
    Entry { actor: "operator".to_owned(), action, subject: format!("variant:{variant}"), detail }
}

async fn each(tx: &mut Tx<'_>, sql: &'static str, rows: Vec<Args>) -> Result<(), DbError> {
    for args in rows {
        tx.exec(sql, args).await?;
    }
    Ok(())
}

/// Inserts rows of the same columns, many with one statement.
async fn insert(tx: &mut Tx<'_>, into: &str, after: &str, rows: Vec<Args>) -> Result<(), DbError> {
    let mut rows = rows.into_iter().peekable();
    let mut left = rows.len();
    while let Some(columns) = rows.peek().map(Vec::len) {
        // Few sizes, so that the statements are prepared once.
        let size = [64, 16, 4].into_iter().find(|size| *size <= left).unwrap_or(1);
        left -= size;
        let values: Vec<_> =
            (0..size).map(|row| format!("({})", crate::server::db::placeholders(row * columns + 1, columns))).collect();
        let args: Args = rows.by_ref().take(size).flatten().collect();
        tx.exec(format!("insert into {into} values {}{after}", values.join(", ")), args).await?;
    }
    Ok(())
}
