//! Which products a list is about, as the `where` of its statements.

use super::search;
use crate::{
    domain::{
        catalog::{MAX_SEARCH, MOST_FOUND},
        money::Amount,
    },
    server::db::{Args, ToValue, Value, placeholders},
};

/// Which products a list is about.
#[derive(Clone, Default)]
pub struct Filter {
    pub category_id: Option<String>,
    pub words: Vec<String>,
    /// The only products that may have these words, where that is known.
    pub among: Option<Vec<String>>,
    pub brands: Vec<String>,
    pub price_min: Option<Amount>,
    pub price_max: Option<Amount>,
    pub in_stock: bool,
    pub without_product: Option<String>,
}

impl Filter {
    /// Whether it is a search that may find so many products that not all of them are looked at.
    pub fn is_bounded(&self) -> bool {
        !self.words.is_empty() && self.among.is_none()
    }

    /// What is left, as `p` behind a `from`; of a bounded search with some columns alone, and of more than [`MOST_FOUND`]
    /// those that sell best and one more, which tells that there are more.
    pub fn found(&self, columns: &str, args: &mut Args) -> String {
        let filter = self.sql(args);
        if !self.is_bounded() {
            return format!("product p where {filter}");
        }
        // An order that an index has: no more is looked at than is needed to find so many.
        format!(
            "(select {columns} from product p where {filter} order by p.sales desc, p.id desc limit {most}) p",
            most = MOST_FOUND + 1,
        )
    }

    /// The `where` clause; its placeholders follow `$1`, the language.
    pub fn sql(&self, args: &mut Args) -> String {
        let mut sql = String::from(match &self.among {
            // Without statistics SQLite takes any index for better than a list of keys, and would go through all products.
            Some(_) => "case when p.status = 'active' then true else false end",
            None => "p.status = 'active'",
        });
        let mut and = |clause: &str, value: Value| {
            args.push(value);
            sql.push_str(" and ");
            sql.push_str(&clause.replace('?', &format!("${}", args.len())));
        };
        if let Some(id) = &self.category_id {
            and("p.category_id in (select c.id from category c where c.id = ? or c.parent_id = ?)", id.to_value());
        }
        for word in &self.words {
            let clause =
                "exists (select 1 from product_text w where w.product_id = p.id and w.words like ? escape '\\')";
            and(clause, like(word).to_value());
        }
        if let Some(id) = &self.without_product {
            and("p.id <> ?", id.to_value());
        }
        if let Some(among) = &self.among {
            sql.push_str(&one_of("p.id", among, args));
        }
        // What is asked of price and stock must be true of one and the same variant. The range of the product's prices
        // only leaves most products out at once.
        let mut variant = String::new();
        let bounds = [(self.price_min, "p.price_max", ">="), (self.price_max, "p.price_min", "<=")];
        for (bound, of_product, compare) in bounds {
            if let Some(price) = bound {
                args.push(price.0.to_value());
                let n = args.len();
                sql.push_str(&format!(" and {of_product} {compare} ${n}"));
                variant.push_str(&format!(" and v.price {compare} ${n}"));
            }
        }
        if self.in_stock {
            variant.push_str(IN_STOCK);
        }
        if !variant.is_empty() {
            sql.push_str(&format!(" and {}", has_variant(&variant)));
        }
        if !self.brands.is_empty() {
            let start = args.len() + 1;
            args.extend(self.brands.iter().map(|brand| brand.to_value()));
            sql.push_str(&format!(" and p.brand in ({})", placeholders(start, self.brands.len())));
        }
        sql
    }
}

/// That a column is one of some keys; in few sizes, so that the statements are prepared once.
fn one_of(column: &str, keys: &[String], args: &mut Args) -> String {
    let Some(first) = keys.first() else { return " and 1 = 0".to_owned() };
    let size = [1, 8, 64, 512, search::MOST].into_iter().find(|size| keys.len() <= *size).unwrap_or(keys.len());
    let start = args.len() + 1;
    args.extend(keys.iter().map(|key| key.to_value()));
    // A key that is there twice finds the same rows once.
    args.resize(start + size - 1, first.to_value());
    format!(" and {column} in ({})", placeholders(start, size))
}

/// More of a variant `v` with stock `s`: that it can be had.
pub const IN_STOCK: &str = " and (v.backorder or s.on_hand > s.held)";

/// Whether a product has a variant on sale of which some more is true.
pub fn has_variant(more: &str) -> String {
    format!(
        "exists (select 1 from variant v left join stock s on s.variant_id = v.id where v.product_id = p.id and v.active{more})"
    )
}

/// A pattern that finds a word anywhere, with the wildcards in it taken literally. Nobody types more than
/// [`MAX_SEARCH`] characters, and databases refuse patterns that are very long.
pub(crate) fn like(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.to_lowercase().chars().take(MAX_SEARCH) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_search_whose_products_are_not_named_is_bounded() {
        let all = Filter::default();
        let search = Filter { words: vec!["wood".to_owned()], ..Filter::default() };
        let named = Filter { among: Some(vec!["stool".to_owned()]), ..search.clone() };
        assert_eq!([&all, &search, &named].map(Filter::is_bounded), [false, true, false]);
        let found = |filter: &Filter| filter.found("p.id", &mut Args::new());
        let limit = format!("limit {}) p", MOST_FOUND + 1);
        assert_eq!([&all, &search, &named].map(|filter| found(filter).ends_with(&limit)), [false, true, false]);
    }
}
