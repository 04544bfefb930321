//! The table of all pages.

use crate::ui::parts::{Account, Catalog, Office, Ordering, Page};
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::{
    NestedRoute, PartialPathMatch, PathSegment, PossibleRouteMatch, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute},
};
use std::borrow::Cow;

/// The pages of the shop, in one frame; the first that fits is shown.
const SHOP: &[(&str, Page)] = &[
    ("", Page::Home),
    ("categories", Page::Catalog(Catalog::Categories)),
    ("c/:handle", Page::Catalog(Catalog::Category)),
    ("search", Page::Catalog(Catalog::Search)),
    ("p/:handle", Page::Catalog(Catalog::Product)),
    ("stays", Page::Catalog(Catalog::Stays)),
    ("tables", Page::Catalog(Catalog::Tables)),
    ("trips", Page::Catalog(Catalog::Trips)),
    ("cart", Page::Ordering(Ordering::Cart)),
    ("checkout", Page::Ordering(Ordering::Checkout)),
    ("checkout/review", Page::Ordering(Ordering::Review)),
    ("pay/:number", Page::Ordering(Ordering::Pay)),
    ("orders", Page::Ordering(Ordering::Orders)),
    ("orders/find", Page::Ordering(Ordering::FindOrder)),
    ("orders/:number", Page::Ordering(Ordering::Order)),
    ("orders/:number/edit", Page::Ordering(Ordering::OrderEdit)),
    ("orders/:number/review/:position", Page::Ordering(Ordering::WriteReview)),
    ("orders/:number/travellers/:position", Page::Ordering(Ordering::Travellers)),
    ("sign-in", Page::Account(Account::SignIn)),
    ("sign-in/code", Page::Account(Account::Code)),
    ("sign-in/second", Page::Account(Account::SecondSignIn)),
    ("me", Page::Ordering(Ordering::Me)),
    ("me/addresses", Page::Account(Account::Addresses)),
    ("me/addresses/edit", Page::Account(Account::AddressEdit)),
    ("me/consent", Page::Account(Account::Consent)),
    ("me/favourites", Page::Account(Account::Favourites)),
    ("me/notifications", Page::Account(Account::Notifications)),
    ("me/privacy", Page::Account(Account::MyData)),
    ("me/security", Page::Account(Account::Security)),
    ("me/security/second", Page::Account(Account::SecondFactor)),
    ("me/security/target", Page::Account(Account::TargetCode)),
    ("me/viewed", Page::Account(Account::Viewed)),
    ("me/waiting", Page::Account(Account::Waiting)),
    ("outbox", Page::Account(Account::Outbox)),
    ("terms", Page::Account(Account::Terms)),
    ("privacy", Page::Account(Account::Privacy)),
    ("privacy/shared", Page::Account(Account::Shared)),
    ("offline", Page::Offline),
];

/// The pages of the shop's staff, in a frame of their own.
const OFFICE: &[(&str, Page)] = &[
    ("", Page::Office(Office::Orders)),
    ("orders/:number", Page::Office(Office::Order)),
    ("bookings", Page::Office(Office::Bookings)),
    ("stock", Page::Office(Office::Stock)),
    ("people", Page::Office(Office::People)),
    ("reviews", Page::Office(Office::Reviews)),
    ("stays", Page::Office(Office::Stays)),
    ("stays/:id", Page::Office(Office::StayNights)),
];

/// All pages.
///
/// They wait for their data on the server, so that they are whole without JavaScript and carry the right status.
pub fn all() -> StaticVec<AnyNestedRoute> {
    vec![
        within("", Page::Shell, SHOP),
        alone("office/sign-in", Page::Office(Office::SignIn)),
        alone("office/second", Page::Office(Office::Second)),
        alone("office/password", Page::Office(Office::Password)),
        within("office", Page::Office(Office::Frame), OFFICE),
    ]
    .into()
}

fn alone(path: &'static str, page: Page) -> AnyNestedRoute {
    NestedRoute::new(Path(path), page).ssr_mode(SsrMode::Async).into_any_nested_route()
}

fn within(path: &'static str, frame: Page, pages: &[(&'static str, Page)]) -> AnyNestedRoute {
    let pages: Vec<_> = pages.iter().map(|&(path, page)| alone(path, page)).collect();
    NestedRoute::new(Path(path), frame).ssr_mode(SsrMode::Async).child(StaticVec::from(pages)).into_any_nested_route()
}

/// A path below its frame's: names between slashes, and after a colon the name of a parameter. One type for all of them
/// keeps the router small: it is compiled for each type of path anew.
#[derive(Clone, Copy)]
struct Path(&'static str);

impl Path {
    fn segments(self) -> impl Iterator<Item = &'static str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl PossibleRouteMatch for Path {
    fn optional(&self) -> bool {
        false
    }

    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        let mut rest = path;
        let mut parameters = Vec::new();
        for segment in self.segments() {
            let here = rest.strip_prefix('/')?;
            let (value, after) = here.split_at(here.find('/').unwrap_or(here.len()));
            match segment.strip_prefix(':') {
                Some(name) if !value.is_empty() => parameters.push((Cow::Borrowed(name), value.to_owned())),
                None if value == segment => {}
                _ => return None,
            }
            rest = after;
        }
        Some(PartialPathMatch::new(rest, parameters, &path[..path.len() - rest.len()]))
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        path.extend(self.segments().map(|segment| match segment.strip_prefix(':') {
            Some(name) => PathSegment::Param(name.into()),
            None => PathSegment::Static(segment.into()),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &'static str, address: &str) -> Option<(String, String, Vec<String>)> {
        let found = Path(path).test(address)?;
        let (rest, matched) = (found.remaining().to_owned(), found.matched().to_owned());
        Some((matched, rest, found.params().into_iter().map(|(name, value)| format!("{name}={value}")).collect()))
    }

    fn matched(matched: &str, rest: &str, parameters: &[&str]) -> Option<(String, String, Vec<String>)> {
        Some((matched.into(), rest.into(), parameters.iter().map(|&parameter| parameter.into()).collect()))
    }

    #[test]
    fn a_path_takes_what_it_names_and_leaves_the_rest() {
        assert_eq!(found("", "/cart"), matched("", "/cart", &[]));
        assert_eq!(found("", ""), matched("", "", &[]));
        assert_eq!(found("cart", "/cart/"), matched("/cart", "/", &[]));
        assert_eq!(found("office", "/office/orders/7"), matched("/office", "/orders/7", &[]));
        assert_eq!(found("p/:handle", "/p/茶 杯"), matched("/p/茶 杯", "", &["handle=茶 杯"]));
        assert_eq!(found("orders/:number/edit", "/orders/7/edit"), matched("/orders/7/edit", "", &["number=7"]));
    }

    #[test]
    fn a_path_takes_nothing_else() {
        for (path, address) in [
            ("cart", "/carts"),
            ("carts", "/cart"),
            ("cart", "//cart"),
            ("cart", "cart"),
            ("cart", ""),
            ("p/:handle", "/p"),
            ("p/:handle", "/p/"),
            ("orders/:number/edit", "/orders/7"),
            ("orders/:number/edit", "/orders//edit"),
        ] {
            assert_eq!(found(path, address), None, "{path} took {address}");
        }
    }

    #[test]
    fn no_page_hides_a_later_one() {
        for pages in [SHOP, OFFICE] {
            for (index, (path, _)) in pages.iter().enumerate() {
                let address: String = Path(path).segments().map(|segment| format!("/{segment}")).collect();
                let whole = |path| Path(path).test(&address).is_some_and(|found| found.is_complete());
                assert_eq!(pages.iter().position(|&(path, _)| whole(path)), Some(index), "{address}");
            }
        }
    }
}
