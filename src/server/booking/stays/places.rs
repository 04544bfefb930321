//! Where houses are: regions by the names that people give them.

use crate::{
    args,
    domain::{Locale, Result},
    server::{Ctx, db::Tx, divisions::Divisions},
};

/// The places in which there are houses, as people name them, for a field that suggests them.
///
/// # Errors
/// When the database cannot be read.
pub async fn places(ctx: &Ctx) -> Result<Vec<String>> {
    let sql = "select distinct e.region from venue e cross join product p
        where p.id = e.product_id and p.kind = 'stay' and p.status = 'active' order by e.region";
    let mut names: Vec<String> = Vec::new();
    for row in ctx.app.db.all(sql, args![]).await? {
        let name = city(&ctx.app.divisions, &row.get::<String>("region")?, ctx.locale);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The city that a region is in, by its name alone.
fn city(divisions: &Divisions, region: &str, locale: Locale) -> String {
    let code = divisions.path(region).map_or_else(|| region.to_owned(), |(_, city)| city);
    let name = divisions.name(&code, locale);
    let own = match locale {
        Locale::ZhCn => name.rsplit(' ').next(),
        Locale::En => name.split(", ").next(),
    };
    own.filter(|name| !name.is_empty()).unwrap_or(region).to_owned()
}

/// A region without the province it is in, where it has a city: `杭州市 西湖区`. What is no code is a name itself.
pub(super) fn region_name(divisions: &Divisions, region: &str, locale: Locale) -> String {
    let name = divisions.name(region, locale);
    let separator = match locale {
        Locale::ZhCn => " ",
        Locale::En => ", ",
    };
    let parts: Vec<_> = name.split(separator).collect();
    match (parts.as_slice(), locale) {
        ([""], _) => region.to_owned(),
        ([_, city, district], Locale::ZhCn) | ([city, district, _], Locale::En) => [*city, *district].join(separator),
        _ => name.clone(),
    }
}

/// The regions of venues whose names have all words of a place in them, in any language.
pub(super) async fn regions(tx: &mut Tx<'_>, divisions: &Divisions, place: &str) -> Result<Vec<String>> {
    let place = place.to_lowercase();
    let words: Vec<_> = place.split([' ', ',', '，', '、']).filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for row in tx.all("select distinct region from venue", args![]).await? {
        let region: String = row.get("region")?;
        let is_meant = |locale: Locale| {
            let name = divisions.name(&region, locale);
            let name = if name.is_empty() { region.to_lowercase() } else { name.to_lowercase() };
            words.iter().all(|word| name.contains(*word))
        };
        if Locale::ALL.into_iter().any(is_meant) {
            found.push(region);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_named_as_people_name_them() -> Result<(), serde_json::Error> {
        let divisions = Divisions::load()?;
        assert_eq!(region_name(&divisions, "440305", Locale::ZhCn), "深圳市 南山区");
        assert_eq!(region_name(&divisions, "440305", Locale::En), "Nanshan, Shenzhen");
        assert_eq!(region_name(&divisions, "110101", Locale::ZhCn), "北京市 东城区");
        assert_eq!(region_name(&divisions, "Kyoto", Locale::En), "Kyoto");
        assert_eq!(city(&divisions, "440305", Locale::ZhCn), "深圳市");
        assert_eq!(city(&divisions, "440305", Locale::En), "Shenzhen");
        assert_eq!(city(&divisions, "110101", Locale::ZhCn), "北京市");
        assert_eq!(city(&divisions, "Kyoto", Locale::En), "Kyoto");
        Ok(())
    }
}
