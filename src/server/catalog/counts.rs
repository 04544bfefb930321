//! How many products are for sale of each brand in each category. What a whole category offers to be narrowed to is told
//! from this, which each node keeps (see [`search`](super::search)), instead of counting all products for each who looks.

use super::filter::Filter;
use crate::{
    args,
    domain::Result,
    server::db::{Args, Db, Row, Tx},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

/// The products of one brand in one category.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    brand: String,
    category: Option<String>,
    products: i64,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(Vec<Count>);

impl Counts {
    /// Counts all products that are for sale.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn read(db: &Db) -> Result<Self> {
        let sql = "select brand, category_id, count(*) as products from product where status = 'active'
            group by brand, category_id";
        Self::of(&db.all(sql, args![]).await?)
    }

    /// Counts what a filter leaves, all at once: for the whole, for each brand and for each category; as far as
    /// [`Filter::found`] goes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn left_by(tx: &mut Tx<'_>, filter: &Filter) -> Result<Self> {
        let mut args = Args::new();
        let found = filter.found("p.brand, p.category_id", &mut args);
        let sql =
            format!("select p.brand, p.category_id, count(*) as products from {found} group by p.brand, p.category_id");
        Self::of(&tx.all(sql, args).await?)
    }

    fn of(rows: &[Row]) -> Result<Self> {
        let counts = rows.iter().map(|row| {
            let (brand, category) = (row.get("brand")?, row.get("category_id")?);
            Ok(Count { brand, category, products: row.get("products")? })
        });
        Ok(Self(counts.collect::<Result<_>>()?))
    }

    /// How many there are in some categories; in all without any.
    pub fn total(&self, within: Option<&[String]>) -> i64 {
        self.within(within).map(|count| count.products).sum()
    }

    /// The brands of those, the ones with the most products first, and how many there are of each.
    pub fn brands(&self, within: Option<&[String]>, most: usize) -> Vec<(String, i64)> {
        let mut brands = BTreeMap::<&str, i64>::new();
        for count in self.within(within).filter(|count| !count.brand.is_empty()) {
            *brands.entry(&count.brand).or_default() += count.products;
        }
        let mut brands: Vec<_> = brands.into_iter().map(|(brand, products)| (brand.to_owned(), products)).collect();
        brands.sort_by_key(|(_, products)| Reverse(*products));
        brands.truncate(most);
        brands
    }

    /// How many there are in each category itself, by its id.
    pub fn by_category(&self) -> HashMap<&str, i64> {
        let mut categories = HashMap::new();
        for count in &self.0 {
            if let Some(category) = &count.category {
                *categories.entry(category.as_str()).or_default() += count.products;
            }
        }
        categories
    }

    fn within(&self, categories: Option<&[String]>) -> impl Iterator<Item = &Count> {
        self.0.iter().filter(move |count| {
            categories.is_none_or(|within| count.category.as_ref().is_some_and(|category| within.contains(category)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_once_answers_for_every_category() {
        let count = |brand: &str, category: Option<&str>, products| Count {
            brand: brand.to_owned(),
            category: category.map(str::to_owned),
            products,
        };
        let counts = Counts(vec![
            count("Yelu", Some("tea"), 3),
            count("Yelu", Some("home"), 2),
            count("Anka", Some("tea"), 5),
            count("Bodo", Some("tea"), 3),
            count("", Some("tea"), 7),
            count("Yelu", None, 1),
        ]);
        let tea = ["tea".to_owned()];
        assert_eq!((counts.total(None), counts.total(Some(&tea)), counts.total(Some(&[]))), (21, 18, 0));
        let brands = |within, most| -> Vec<(String, i64)> { counts.brands(within, most) };
        let named = |names: &[(&str, i64)]| -> Vec<(String, i64)> {
            names.iter().map(|(name, products)| ((*name).to_owned(), *products)).collect()
        };
        assert_eq!(brands(None, 9), named(&[("Yelu", 6), ("Anka", 5), ("Bodo", 3)]));
        assert_eq!(brands(Some(&tea), 2), named(&[("Anka", 5), ("Bodo", 3)]), "equals by their names");
        assert_eq!(counts.by_category(), HashMap::from([("tea", 18), ("home", 2)]));
    }
}
