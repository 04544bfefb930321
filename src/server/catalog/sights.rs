//! What a page shows of the catalogue with each answer: whether it changes with an order, and with which. The other way
//! round, what an order does not change is in none of them, and changes with all pages: see
//! [`Changes`](crate::server::live::Changes).
//!
//! Whoever changes what a list is made of, or in which order, looks here whether that can change by an order.

use super::Related;
use crate::{
    domain::catalog::{Home, ListQuery, Product, ProductCard, ProductList, Sort},
    server::live::{Ranking, Sight, WHOLE},
};

/// Of an answer that no order changes, of those whom pages are shared with: they have no cart and no favourites.
pub fn nothing<T>(_: &T) -> Sight {
    Sight::default()
}

/// Of the start page: what sells best, and the pictures of categories.
pub fn home(home: &Home) -> Sight {
    Sight { products: ids(home.hot.iter().chain(&home.new)), ..pictures(&home.categories) }
}

/// Of categories with pictures, each that of its best selling product.
pub fn pictures<T>(_: &T) -> Sight {
    Sight { sales: Some(Ranking { category: WHOLE.to_owned(), least: 0 }), ..Sight::default() }
}

/// Of a page of a list.
pub fn list(query: &ListQuery, list: &ProductList) -> Sight {
    let cards = &list.products.items;
    let searched = query.q.as_ref().is_some_and(|q| !q.trim().is_empty());
    // What a search finds at all, and how much of what it offers, may be that of the products which sell best.
    let sales = match query.sort {
        _ if searched => Some(Ranking { category: WHOLE.to_owned(), least: 0 }),
        Sort::Relevance | Sort::Sales => {
            let category = list.category.as_ref().map_or(WHOLE, |category| category.id.as_str());
            Some(Ranking { category: category.to_owned(), least: least(cards) })
        }
        // Not even an order that is paid changes a price or the age of a product.
        Sort::PriceAsc | Sort::PriceDesc | Sort::Newest => None,
    };
    Sight { products: ids(cards), stock: query.in_stock, sales }
}

/// Of one product.
pub fn product(product: &Product) -> Sight {
    Sight { products: vec![product.id.clone()], ..Sight::default() }
}

/// Of the products beside it.
pub fn related(related: &Related) -> Sight {
    let category = related.category.as_deref().unwrap_or(WHOLE).to_owned();
    let sales = Some(Ranking { category, least: least(&related.products) });
    Sight { products: ids(&related.products), stock: false, sales }
}

/// How many are sold of the last product of a page by sales; one that sells less is on no page up to this one, whether it is
/// full or not.
fn least(cards: &[ProductCard]) -> i64 {
    cards.last().map_or(0, |card| card.sales)
}

fn ids<'a>(cards: impl IntoIterator<Item = &'a ProductCard>) -> Vec<String> {
    cards.into_iter().map(|card| card.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{catalog::Category, money::Amount, page::Page, review::Rating};

    fn card(id: &str, sales: i64) -> ProductCard {
        ProductCard {
            id: id.to_owned(),
            handle: id.to_owned(),
            title: String::new(),
            brand: String::new(),
            price_min: Amount::ZERO,
            price_max: Amount::ZERO,
            compare_at: None,
            image: None,
            in_stock: true,
            sales,
            rating: Rating::default(),
            tags: Vec::new(),
        }
    }

    fn by(category: &str, least: i64) -> Option<Ranking> {
        Some(Ranking { category: category.to_owned(), least })
    }

    #[test]
    fn a_list_depends_on_stock_and_sales_where_it_is_made_by_them() {
        let tea = Category {
            id: "c1".to_owned(),
            handle: "tea".to_owned(),
            title: String::new(),
            children: Vec::new(),
            image: None,
            products: 9,
        };
        let page = |category: Option<&Category>| ProductList {
            category: category.cloned(),
            breadcrumbs: Vec::new(),
            products: Page { items: vec![card("a", 9), card("b", 4)], total: 9, page: 1, per_page: 2 },
            brands: Vec::new(),
            categories: Vec::new(),
            more: false,
            partial: false,
        };
        let all = ListQuery::default();
        let sight = list(&all, &page(None));
        assert_eq!(sight, Sight { products: vec!["a".into(), "b".into()], stock: false, sales: by(WHOLE, 4) });
        assert_eq!(list(&all, &page(Some(&tea))).sales, by("c1", 4));
        let newest = ListQuery { sort: Sort::Newest, ..ListQuery::default() };
        assert_eq!(list(&newest, &page(None)).sales, None);
        let found = ListQuery { q: Some(" wood ".to_owned()), ..newest.clone() };
        assert_eq!(list(&found, &page(Some(&tea))).sales, by(WHOLE, 0), "which are found may depend on sales");
        let blank = ListQuery { q: Some(" ".to_owned()), ..newest };
        assert_eq!(list(&blank, &page(None)).sales, None);
        let in_stock = ListQuery { in_stock: true, ..ListQuery::default() };
        assert!(list(&in_stock, &page(None)).stock && !sight.stock);
    }

    #[test]
    fn what_is_beside_a_product_depends_on_the_sales_of_its_category() {
        let products = vec![card("a", 9), card("b", 0)];
        let tea = Related { category: Some("c1".to_owned()), products: products.clone() };
        assert_eq!(related(&tea).sales, by("c1", 0));
        assert_eq!(related(&Related { category: None, products: products.clone() }).sales, by(WHOLE, 0));
        assert_eq!(related(&Related::default()), Sight { sales: by(WHOLE, 0), ..Sight::default() });
        let start = Home { categories: Vec::new(), ways: Vec::new(), hot: products, new: vec![card("c", 1)] };
        assert_eq!(home(&start).products, ["a", "b", "c"]);
        assert_eq!(home(&start).sales, by(WHOLE, 0));
    }
}
