//! The houses of the demo shop: their words and pictures are in its folder, their nights are counted from today.

use super::{
    demo_venue::text,
    horizon::{self, Like},
};
use crate::{
    args,
    domain::{
        Locale, Result,
        booking::{
            date::LocalDate,
            offer::{Offer, Policies, RoomType},
            stay::MAX_NIGHTS,
        },
        catalog::{Image, ProductOption},
    },
    server::{
        App,
        context::{internal, new_id, now},
        db::Tx,
        media::Stored,
    },
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// The file in the folder of the demo.
const FILE: &str = "stays.json";
/// Some nights before today are there as well: those that open later are like them.
const BEFORE_DAYS: i64 = 14;

#[derive(Clone, Deserialize)]
struct Demo {
    category: Category,
    houses: Vec<House>,
}

#[derive(Clone, Deserialize)]
struct Category {
    handle: String,
    /// By locale.
    texts: BTreeMap<String, String>,
    #[serde(default)]
    below: Vec<Category>,
}

#[derive(Clone, Deserialize)]
struct House {
    handle: String,
    /// The handle of one of the lower categories.
    category: String,
    brand: String,
    region: String,
    zone: String,
    address: String,
    sales: i64,
    since_days: i64,
    policies: Policies,
    seasons: Vec<Season>,
    /// By locale.
    texts: BTreeMap<String, Words>,
    /// Files of the folder.
    pictures: Vec<String>,
    rooms: Vec<Room>,
}

#[derive(Clone, Deserialize)]
struct Words {
    title: String,
    lead: String,
    html: String,
    /// What the choice of a room type is called.
    room: String,
    tags: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Room {
    sku: String,
    /// By locale.
    names: BTreeMap<String, String>,
    /// In minor units; of the nights from Friday and from Saturday on.
    price: i64,
    weekend: i64,
    rooms: i64,
    min_nights: i64,
    room: RoomType,
}

/// Some days of every year: from `10-01` to `10-07`, over the new year where it ends before it begins.
#[derive(Clone, Deserialize)]
struct Season {
    from: String,
    to: String,
    /// Of the price of other nights.
    percent: i64,
    min_nights: i64,
}

impl Season {
    fn has(&self, date: LocalDate) -> bool {
        let (_, month, day) = date.civil();
        let day = format!("{month:02}-{day:02}");
        if self.from <= self.to { self.from <= day && day <= self.to } else { self.from <= day || day <= self.to }
    }
}

/// Puts the houses into the catalogue that are not in it yet, where the folder has any.
///
/// # Errors
/// A file that cannot be read; when the database cannot be written.
pub async fn fill(app: &App, folder: &Path) -> Result<()> {
    let Ok(text) = std::fs::read_to_string(folder.join(FILE)) else { return Ok(()) };
    let demo: Demo = serde_json::from_str(&text).map_err(|e| internal("demo", &e))?;
    for house in demo.houses {
        let mut pictures = Vec::new();
        for picture in &house.pictures {
            let (media, path) = (app.media.clone(), folder.join(picture));
            let stored = tokio::task::spawn_blocking(move || media.put(&std::fs::read(path)?)).await;
            pictures.push(stored.map_err(|e| internal("demo", &e))?.map_err(|e| internal("demo", &e))?);
        }
        let (category, house) = (demo.category.clone(), house);
        let time = now();
        app.db
            .write::<_, crate::domain::Error>(move |tx| {
                let (category, house, pictures) = (category.clone(), house.clone(), pictures.clone());
                Box::pin(async move { put(tx, &category, &house, &pictures, time).await })
            })
            .await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx<'_>, category: &Category, house: &House, pictures: &[Stored], now: i64) -> Result<()> {
    if tx.optional("select id from product where handle = $1", args![&house.handle]).await?.is_some() {
        return Ok(());
    }
    let category = in_category(tx, category, &house.category).await?;
    let product = new_id();
    let image = pictures.first().map(|stored| Image {
        url: format!("/media/{}", stored.name),
        alt: String::new(),
        width: stored.width,
        height: stored.height,
    });
    let image = image.as_ref().map(text).transpose()?;
    let least = house.rooms.iter().map(|room| room.price).min().unwrap_or(0);
    let most = house.rooms.iter().map(|room| room.price).max().unwrap_or(0);
    let main = house.texts.get(Locale::default().tag());
    let tags = text(&main.map(|words| words.tags.clone()).unwrap_or_default())?;
    let made = now - house.since_days * crate::domain::booking::DAY_MS;
    let sql = "insert into product (id, handle, status, brand, category_id, tags, price_min, price_max, compare_at, image, sales,
            created_at, updated_at, kind)
        values ($1, $2, 'active', $3, $4, $5, $6, $7, null, $8, $9, $10, $11, 'stay')";
    let args = args![&product, &house.handle, &house.brand, category, tags, least, most, image, house.sales, made, now];
    tx.exec(sql, args).await?;
    for (locale, words) in &house.texts {
        let values = house.rooms.iter().filter_map(|room| room.names.get(locale).cloned()).collect();
        let options = [ProductOption { name: words.room.clone(), values }];
        let mut found = vec![words.title.to_lowercase(), house.brand.to_lowercase()];
        found.extend(words.tags.iter().map(|tag| tag.to_lowercase()));
        found.extend(house.rooms.iter().map(|room| room.sku.to_lowercase()));
        let sql = "insert into product_text (product_id, locale, title, description_html, seo_title, seo_description, options,
                tags, words)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let args = args![
            &product,
            locale,
            &words.title,
            &words.html,
            &words.title,
            &words.lead,
            text(&options)?,
            text(&words.tags)?,
            found.join(" ")
        ];
        tx.exec(sql, args).await?;
    }
    for (position, stored) in (1i64..).zip(pictures) {
        let sql = "insert into product_image (product_id, position, media, alt, width, height, source)
            values ($1, $2, $3, $4, $5, $6, $7)";
        let source = house.pictures.get(usize::try_from(position - 1).unwrap_or_default()).cloned().unwrap_or_default();
        let alt = main.map(|words| words.title.clone()).unwrap_or_default();
        tx.exec(sql, args![&product, position, &stored.name, alt, stored.width, stored.height, source]).await?;
    }
    let sql = "insert into venue (product_id, zone, region, address, policies, version) values ($1, $2, $3, $4, $5, 1)";
    let policies = text(&house.policies)?;
    tx.exec(sql, args![&product, &house.zone, &house.region, &house.address, policies]).await?;
    let today = super::store::zone_around(&house.zone, now)?.local(now).date;
    for (place, room) in house.rooms.iter().enumerate() {
        put_room(tx, &product, house, room, (i64::try_from(place).unwrap_or(0), today)).await?;
    }
    Ok(())
}

/// The category of a house, made with the one above it where they are not there.
async fn in_category(tx: &mut Tx<'_>, top: &Category, handle: &str) -> Result<Option<String>> {
    let above = make_category(tx, top, None).await?;
    for category in &top.below {
        if category.handle == handle {
            return Ok(Some(make_category(tx, category, Some(&above)).await?));
        }
    }
    Ok(None)
}

async fn make_category(tx: &mut Tx<'_>, category: &Category, above: Option<&str>) -> Result<String> {
    let row = tx.one("select coalesce(max(position), 0) + 1 as next from category", args![]).await?;
    let next: i64 = row.get("next")?;
    let sql = "insert into category (id, handle, parent_id, position) values ($1, $2, $3, $4) on conflict (handle) do nothing";
    tx.exec(sql, args![new_id(), &category.handle, above, next]).await?;
    let row = tx.one("select id from category where handle = $1", args![&category.handle]).await?;
    let id: String = row.get("id")?;
    for (locale, title) in &category.texts {
        let sql = "insert into category_text (category_id, locale, title) values ($1, $2, $3)
            on conflict (category_id, locale) do nothing";
        tx.exec(sql, args![&id, locale, title]).await?;
    }
    Ok(id)
}

async fn put_room(
    tx: &mut Tx<'_>,
    product: &str,
    house: &House,
    room: &Room,
    (place, today): (i64, LocalDate),
) -> Result<()> {
    let variant = new_id();
    // Sold whether or not it is on a shelf: what is free is counted by the night.
    let sql = "insert into variant (id, product_id, position, sku, barcode, choices, price, grams, image_position, backorder, active,
            version)
        values ($1, $2, $3, $4, '', $5, $6, 0, 2, true, true, 1)";
    tx.exec(sql, args![&variant, product, place + 1, &room.sku, text(&[place])?, room.price]).await?;
    let offer = text(&Offer::Stay(room.room))?;
    tx.exec("insert into offer (variant_id, detail, version) values ($1, $2, 1)", args![&variant, offer]).await?;
    let last = today.plus(house.policies.limits.horizon_days + 1);
    let nights: Vec<_> = today.plus(-BEFORE_DAYS).up_to(last).map(|date| night(house, room, date)).collect();
    horizon::write(tx, &variant, &nights).await
}

/// A night: dearer at weekends and in seasons, and with fewer rooms on some, which other shops sold.
fn night(house: &House, room: &Room, date: LocalDate) -> (i64, Like) {
    let weekend = matches!(date.weekday(), 4 | 5);
    let season = house.seasons.iter().find(|season| season.has(date));
    let price = if weekend { room.weekend } else { room.price };
    // To whole units, as houses write prices.
    let price = season.map_or(price, |season| price * season.percent / 10_000 * 100);
    let min_nights = season.map_or(room.min_nights, |season| season.min_nights.max(room.min_nights));
    // The same nights on every run: the number of a day and the SKU, mixed.
    let seed = room.sku.bytes().fold(date.day(), |seed, byte| (seed * 31 + i64::from(byte)) % 1_000_003);
    let sold = match seed % 10 {
        0 => room.rooms,
        1..=3 if weekend || season.is_some() => room.rooms - 1,
        4..=6 => room.rooms / 2,
        _ => 0,
    };
    let arrival = !(season.is_some() && weekend && seed % 4 == 0);
    (date.day(), (price, min_nights, MAX_NIGHTS.min(28), arrival, true, true, Some(room.rooms - sold)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_houses_of_the_demo_have_words_in_every_language() -> std::io::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        let demo: Demo = serde_json::from_str(&std::fs::read_to_string(folder.join(FILE))?)?;
        assert_eq!(demo.houses.len(), 6);
        for house in &demo.houses {
            for locale in Locale::ALL {
                let words = house.texts.get(locale.tag());
                assert!(
                    words.is_some_and(|words| !words.title.is_empty() && !words.lead.is_empty()),
                    "{}",
                    house.handle
                );
                assert!(house.rooms.iter().all(|room| room.names.contains_key(locale.tag())), "{}", house.handle);
            }
            for picture in &house.pictures {
                assert!(folder.join(picture).is_file(), "{picture}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_season_may_go_over_the_new_year() {
        let date = |text: &str| LocalDate::parse(text).unwrap_or(LocalDate::MIN);
        let season = |from: &str, to: &str| Season { from: from.into(), to: to.into(), percent: 100, min_nights: 1 };
        assert!(season("12-30", "01-02").has(date("2027-01-02")) && season("12-30", "01-02").has(date("2026-12-30")));
        assert!(!season("12-30", "01-02").has(date("2027-01-03")));
        assert!(season("10-01", "10-07").has(date("2026-10-07")) && !season("10-01", "10-07").has(date("2026-10-08")));
    }
}
