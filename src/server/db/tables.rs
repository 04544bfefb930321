//! Tables as they are, whatever they are called: for copies of a whole database from one place to another.
//!
//! Which tables there are, and what they are made of, is asked of the database itself, so that no table can be forgotten.
//! Rows come page by page in the order of their primary key, which is that of the database they are read from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Args, ColumnType, Connection, Db, DbError, Tx, Value, placeholders};
use crate::args;

/// A table that is there as long as a database is being filled by [`restore`](crate::server::backup::restore) or
/// [`transfer`](crate::server::backup::transfer): such a database is not complete, and is not served. Its rows tell how far
/// each part came.
pub const UNFINISHED: &str = "unfinished";
/// Rows of a page, and of one whose rows hold bytes: those may be long.
const PAGE: i64 = 500;
const PAGE_OF_BYTES: i64 = 64;

/// A table and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// Names and types, in the order of the table.
    pub columns: Vec<(String, ColumnType)>,
    /// The places of the primary key in `columns`.
    key: Vec<usize>,
    /// The other tables that its rows refer to.
    parents: BTreeSet<String>,
    /// Where its rows refer to others of it: the places of the column that refers and of the one it refers to.
    own: Option<(usize, usize)>,
}

impl Db {
    /// The names of all tables.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn table_names(&self) -> Result<BTreeSet<String>, DbError> {
        self.read(|tx| Box::pin(async move { names(tx).await })).await
    }

    /// Marks the database as one that is being filled; refused where it is already.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin_filling(&self) -> Result<(), DbError> {
        self.write(|tx| {
            Box::pin(async move {
                let sql = format!("create table {UNFINISHED} (part text not null primary key, done_to text not null)");
                tx.exec_once(sql).await.map(drop)
            })
        })
        .await
    }
}

/// Takes the mark of [`Db::begin_filling`] away.
///
/// # Errors
/// When the database cannot be written.
pub async fn end_filling(tx: &mut Tx<'_>) -> Result<(), DbError> {
    tx.exec_once(format!("drop table {UNFINISHED}")).await.map(drop)
}

/// The names of all tables.
///
/// # Errors
/// When the database cannot be read.
pub async fn names(tx: &mut Tx<'_>) -> Result<BTreeSet<String>, DbError> {
    let sql = match tx.connection {
        Connection::Sqlite(_) => "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
        Connection::Postgres(..) => {
            "select cast(table_name as text) as name from information_schema.tables
            where table_schema = current_schema() and table_type = 'BASE TABLE'"
        }
    };
    tx.all(sql, args![]).await?.iter().map(|row| row.get("name")).collect()
}

/// All tables but [`UNFINISHED`], each after those that its rows refer to.
///
/// # Errors
/// When the database cannot be read, or has a table that is not made as ours are.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Table>, DbError> {
    let (columns, keys, references) = match tx.connection {
        Connection::Sqlite(_) => (
            "select t.name as table_name, c.name as name, lower(c.type) as type
            from sqlite_master t join pragma_table_info(t.name) c
            where t.type = 'table' and t.name not like 'sqlite%' order by t.name, c.cid",
            "select t.name as table_name, c.name as name
            from sqlite_master t join pragma_table_info(t.name) c
            where t.type = 'table' and t.name not like 'sqlite%' and c.pk > 0 order by t.name, c.pk",
            "select t.name as table_name, f.\"table\" as parent, f.\"from\" as name, f.\"to\" as parent_name
            from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table'",
        ),
        Connection::Postgres(..) => (
            "select cast(c.table_name as text) as table_name, cast(c.column_name as text) as name,
                cast(c.data_type as text) as type
            from information_schema.columns c join information_schema.tables t
                on t.table_schema = c.table_schema and t.table_name = c.table_name
            where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
            order by c.table_name, c.ordinal_position",
            "select cast(p.table_name as text) as table_name, cast(k.column_name as text) as name
            from information_schema.table_constraints p join information_schema.key_column_usage k
                on k.constraint_schema = p.constraint_schema and k.constraint_name = p.constraint_name
                    and k.table_name = p.table_name
            where p.constraint_type = 'PRIMARY KEY' and p.table_schema = current_schema()
            order by p.table_name, k.ordinal_position",
            "select cast(t.relname as text) as table_name, cast(r.relname as text) as parent,
                cast(a.attname as text) as name, cast(b.attname as text) as parent_name
            from pg_constraint f join pg_class t on t.oid = f.conrelid join pg_class r on r.oid = f.confrelid
                join pg_namespace n on n.oid = t.relnamespace
                join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
                join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
            where f.contype = 'f' and n.nspname = current_schema()",
        ),
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in tx.all(columns, args![]).await? {
        let name: String = row.get("table_name")?;
        let kind: String = row.get("type")?;
        let kind = column_type(&kind)
            .ok_or_else(|| DbError::Other(format!("the table {name} has a column of the type {kind}")))?;
        let empty =
            || Table { name: name.clone(), columns: Vec::new(), key: Vec::new(), parents: BTreeSet::new(), own: None };
        tables.entry(name.clone()).or_insert_with(empty).columns.push((row.get("name")?, kind));
    }
    tables.remove(UNFINISHED);
    for row in tx.all(keys, args![]).await? {
        if let Some(table) = tables.get_mut(&row.get::<String>("table_name")?) {
            let place = table.place(&row.get::<String>("name")?)?;
            table.key.push(place);
        }
    }
    for row in tx.all(references, args![]).await? {
        let parent: String = row.get("parent")?;
        let Some(table) = tables.get_mut(&row.get::<String>("table_name")?) else { continue };
        if parent == table.name {
            table.own =
                Some((table.place(&row.get::<String>("name")?)?, table.place(&row.get::<String>("parent_name")?)?));
        } else {
            table.parents.insert(parent);
        }
    }
    if let Some(table) = tables.values().find(|table| table.key.is_empty()) {
        return Err(DbError::Other(format!("the table {} has no primary key", table.name)));
    }
    in_order(tables)
}

/// Each table after its parents, and otherwise by name.
fn in_order(mut tables: BTreeMap<String, Table>) -> Result<Vec<Table>, DbError> {
    let (mut ordered, mut done) = (Vec::with_capacity(tables.len()), BTreeSet::new());
    while !tables.is_empty() {
        let ready: Vec<String> =
            tables.values().filter(|table| table.parents.is_subset(&done)).map(|table| table.name.clone()).collect();
        if ready.is_empty() {
            return Err(DbError::Other("tables refer to each other in a circle".into()));
        }
        for name in ready {
            ordered.extend(tables.remove(&name));
            done.insert(name);
        }
    }
    Ok(ordered)
}

fn column_type(name: &str) -> Option<ColumnType> {
    match name {
        "text" => Some(ColumnType::Text),
        "bigint" => Some(ColumnType::Int),
        "double precision" => Some(ColumnType::Real),
        "boolean" => Some(ColumnType::Bool),
        "bytea" => Some(ColumnType::Bytes),
        _ => None,
    }
}

impl Table {
    fn place(&self, column: &str) -> Result<usize, DbError> {
        let place = self.columns.iter().position(|(name, _)| name == column);
        place.ok_or_else(|| DbError::Column { name: column.to_owned(), problem: "is not in its table" })
    }

    /// Whether [`page`](Self::page) gives all rows at once.
    pub fn is_read_at_once(&self) -> bool {
        self.own.is_some()
    }

    /// The types of the primary key.
    pub fn key_types(&self) -> Vec<ColumnType> {
        self.key.iter().filter_map(|place| self.columns.get(*place)).map(|(_, kind)| *kind).collect()
    }

    /// The primary key of a row, behind which the next page begins.
    pub fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().filter_map(|place| row.get(*place).cloned()).collect()
    }

    /// The rows that come after the one with this key, or the first ones; none at the end. Of a table whose rows refer to
    /// each other, all rows at once, each after the one it refers to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn page(&self, tx: &mut Tx<'_>, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>, DbError> {
        let list = |places: &mut dyn Iterator<Item = usize>| -> String {
            let names: Vec<_> =
                places.filter_map(|place| self.columns.get(place)).map(|(name, _)| format!("\"{name}\"")).collect();
            names.join(", ")
        };
        let (columns, key) = (list(&mut (0..self.columns.len())), list(&mut self.key.iter().copied()));
        let mut sql = format!("select {columns} from \"{}\"", self.name);
        let mut args = Args::new();
        if let Some(after) = after {
            if self.own.is_some() {
                return Ok(Vec::new());
            }
            args.extend(after.iter().cloned());
            sql.push_str(&format!(" where ({key}) > ({})", placeholders(1, args.len())));
        }
        sql.push_str(&format!(" order by {key}"));
        if self.own.is_none() {
            let of_bytes = self.columns.iter().any(|(_, kind)| *kind == ColumnType::Bytes);
            args.push(Value::Int(if of_bytes { PAGE_OF_BYTES } else { PAGE }));
            sql.push_str(&format!(" limit ${}", args.len()));
        }
        let rows = tx.all(sql, args).await?;
        let rows = rows.into_iter().map(|row| self.typed(row.into_values())).collect::<Result<Vec<_>, _>>()?;
        Ok(match self.own {
            Some(own) => parents_first(rows, own),
            None => rows,
        })
    }

    /// SQLite keeps truths as numbers, and its nulls have no type.
    fn typed(&self, row: Vec<Value>) -> Result<Vec<Value>, DbError> {
        let typed = |(value, (name, kind)): (Value, &(String, ColumnType))| match (value, kind) {
            (Value::Null(_), kind) => Ok(Value::Null(*kind)),
            (Value::Int(number @ (0 | 1)), ColumnType::Bool) => Ok(Value::Bool(number == 1)),
            (value @ Value::Text(_), ColumnType::Text)
            | (value @ Value::Int(_), ColumnType::Int)
            | (value @ Value::Real(_), ColumnType::Real)
            | (value @ Value::Bool(_), ColumnType::Bool)
            | (value @ Value::Bytes(_), ColumnType::Bytes) => Ok(value),
            _ => Err(DbError::Column { name: format!("{}.{name}", self.name), problem: "is not of its type" }),
        };
        row.into_iter().zip(&self.columns).map(typed).collect()
    }

    /// Writes rows, whose values are in the order of the columns.
    ///
    /// # Errors
    /// When one is there already, refers to what is not there, or the database cannot be written.
    pub async fn insert(&self, tx: &mut Tx<'_>, rows: &[Vec<Value>]) -> Result<(), DbError> {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let mut left = rows;
        while !left.is_empty() {
            // Few sizes, so that the statements are prepared once.
            let size = [64, 16, 4].into_iter().find(|size| *size <= left.len()).unwrap_or(1);
            let (now, later) = left.split_at(size);
            let values: Vec<_> =
                (0..size).map(|row| format!("({})", placeholders(row * columns.len() + 1, columns.len()))).collect();
            let sql = format!("insert into \"{}\" ({}) values {}", self.name, columns.join(", "), values.join(", "));
            tx.exec(sql, now.iter().flatten().cloned().collect()).await?;
            left = later;
        }
        Ok(())
    }

    /// Removes all rows.
    ///
    /// # Errors
    /// When others refer to them, or the database cannot be written.
    pub async fn clear(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        tx.exec(format!("delete from \"{}\"", self.name), args![]).await.map(drop)
    }
}

/// Each row after the one it refers to. Those that refer to none of them come last, for the database to refuse.
fn parents_first(rows: Vec<Vec<Value>>, (refers, referred): (usize, usize)) -> Vec<Vec<Value>> {
    let name = |value: Option<&Value>| match value {
        None | Some(Value::Null(_)) => None,
        Some(value) => Some(format!("{value:?}")),
    };
    let mut children: HashMap<Option<String>, Vec<Vec<Value>>> = HashMap::new();
    for row in rows {
        children.entry(name(row.get(refers))).or_default().push(row);
    }
    let mut ordered: Vec<Vec<Value>> = children.remove(&None).unwrap_or_default();
    let mut next = 0;
    while let Some(row) = ordered.get(next) {
        let below = children.remove(&name(row.get(referred))).unwrap_or_default();
        ordered.extend(below);
        next += 1;
    }
    ordered.extend(children.into_values().flatten());
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, parents: &[&str]) -> (String, Table) {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        let columns = vec![("id".to_owned(), ColumnType::Text)];
        (name.to_owned(), Table { name: name.to_owned(), columns, key: vec![0], parents, own: None })
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        let tables = [table("a", &["c"]), table("b", &[]), table("c", &["d"]), table("d", &[])];
        let ordered = in_order(tables.into_iter().collect())
            .map(|tables| tables.into_iter().map(|table| table.name).collect::<Vec<_>>());
        assert_eq!(ordered, Ok(["b", "d", "c", "a"].map(str::to_owned).to_vec()));
        assert!(in_order([table("a", &["b"]), table("b", &["a"])].into_iter().collect()).is_err());
    }

    #[test]
    fn a_row_comes_after_the_one_it_refers_to() {
        let row = |id: &str, parent: Option<&str>| args![id, parent];
        let rows = vec![row("a", Some("b")), row("b", Some("c")), row("c", None), row("d", Some("c"))];
        let ordered = parents_first(rows, (1, 0));
        let ids: Vec<_> = ordered.iter().map(|row| row[0].clone()).collect();
        assert_eq!(ids, args!["c", "b", "d", "a"]);
    }
}
