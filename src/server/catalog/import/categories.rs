//! Finds the category of a product by the titles on its way, and makes those that are missing.

use super::{super::shopify::slug, store::Changes};
use crate::{
    args,
    domain::Locale,
    server::{
        context::new_id,
        db::{Args, DbError, Tx},
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// All categories as an import knows them.
#[derive(Clone, Default)]
pub struct Categories {
    by_title: HashMap<(Option<String>, String), String>,
    known: HashMap<String, Known>,
    handles: HashSet<String>,
    next_position: i64,
}

#[derive(Clone)]
struct Known {
    handle: String,
    parent: Option<String>,
    titles: HashMap<String, String>,
}

impl Categories {
    /// Reads them; titles are looked up in the shop's main language.
    pub async fn load(tx: &mut Tx<'_>) -> Result<Self, DbError> {
        let mut categories = Self::default();
        let sql = "select id, handle, parent_id, position from category order by position, id";
        for row in tx.all(sql, args![]).await? {
            let (id, handle): (String, String) = (row.get("id")?, row.get("handle")?);
            categories.handles.insert(handle.clone());
            categories.next_position = categories.next_position.max(row.get::<i64>("position")? + 1);
            categories.known.insert(id, Known { handle, parent: row.get("parent_id")?, titles: HashMap::new() });
        }
        for row in tx.all("select category_id, locale, title from category_text order by category_id", args![]).await? {
            let (id, locale, title): (String, String, String) =
                (row.get("category_id")?, row.get("locale")?, row.get("title")?);
            let Some(known) = categories.known.get_mut(&id) else { continue };
            if locale == Locale::default().tag() {
                categories.by_title.entry((known.parent.clone(), title.clone())).or_insert(id);
            }
            known.titles.insert(locale, title);
        }
        Ok(categories)
    }

    /// The category on this way from the top, made where it is missing.
    pub fn find_or_make(this: &mut Arc<Self>, path: &[String], changes: &mut Changes) -> Option<String> {
        let mut parent: Option<String> = None;
        for title in path {
            let key = (parent.clone(), title.clone());
            let id = match this.by_title.get(&key) {
                Some(id) => id.clone(),
                None => Arc::make_mut(this).make(key, changes),
            };
            parent = Some(id);
        }
        parent
    }

    fn make(&mut self, (parent, title): (Option<String>, String), changes: &mut Changes) -> String {
        let id = new_id();
        let handle = self.handle(parent.as_deref(), &title);
        let locale = Locale::default().tag();
        changes.categories.push(args![&id, &handle, &parent, self.next_position]);
        changes.category_texts.push(args![&id, locale, &title]);
        self.next_position += 1;
        self.handles.insert(handle.clone());
        let titles = HashMap::from([(locale.to_owned(), title.clone())]);
        self.known.insert(id.clone(), Known { handle, parent: parent.clone(), titles });
        self.by_title.insert((parent, title), id.clone());
        id
    }

    /// Made from the title, in front of it the parent's when there is such a one already. It never changes later.
    fn handle(&self, parent: Option<&str>, title: &str) -> String {
        let plain = Some(slug(title)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| "category".to_owned());
        if !self.handles.contains(&plain) {
            return plain;
        }
        let full = match parent.and_then(|parent| self.known.get(parent)) {
            Some(parent) => format!("{}-{plain}", parent.handle),
            None => plain,
        };
        let numbered = (2..).map(|n| format!("{full}-{n}"));
        std::iter::once(full.clone()).chain(numbered).find(|handle| !self.handles.contains(handle)).unwrap_or(full)
    }

    /// A category and those above it, from the top down.
    pub fn way(&self, id: &str) -> Vec<String> {
        let mut way = vec![id.to_owned()];
        let mut next = self.known.get(id).and_then(|known| known.parent.clone());
        while let Some(parent) = next.filter(|parent| !way.contains(parent)) {
            next = self.known.get(&parent).and_then(|known| known.parent.clone());
            way.insert(0, parent);
        }
        way
    }

    /// What a category is called in this language.
    pub fn title(&self, id: &str, locale: Locale) -> Option<&str> {
        self.known.get(id)?.titles.get(locale.tag()).map(String::as_str)
    }

    /// Calls a category so in a further language.
    pub fn rename(this: &mut Arc<Self>, id: &str, locale: Locale, title: &str, changes: &mut Changes) {
        if let Some(known) = Arc::make_mut(this).known.get_mut(id) {
            known.titles.insert(locale.tag().to_owned(), title.to_owned());
            let row: Args = args![id, locale.tag(), title];
            changes.category_renames.push(row);
        }
    }
}
