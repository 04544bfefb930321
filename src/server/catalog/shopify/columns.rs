//! The headings of a product file: those that Shopify wrote for years and those it writes now.

use std::collections::HashSet;

macro_rules! columns {
    ($($column:ident: $($heading:literal)|+;)*) => {
        /// A column the import understands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Column { $($column),* }

        impl Column {
            /// How many there are.
            pub const COUNT: usize = [$(Self::$column),*].len();

            fn from_heading(heading: &str) -> Option<Self> {
                match heading { $($($heading)|+ => Some(Self::$column),)* _ => None }
            }

            /// The heading Shopify writes now, for reports about a column that is not in the file.
            pub const fn heading(self) -> &'static str {
                match self { $(Self::$column => columns!(@first $($heading)|+)),* }
            }
        }
    };
    (@first $first:literal $(| $rest:literal)*) => { $first };
}

columns! {
    Handle: "url handle" | "handle";
    Title: "title";
    Body: "description" | "body (html)" | "body html" | "body";
    Vendor: "vendor";
    Category: "product category" | "standardized product type" | "standard product type";
    Type: "type" | "product type" | "custom product type";
    Tags: "tags";
    Published: "published on online store" | "published";
    Status: "status";
    Sku: "sku" | "variant sku";
    Barcode: "barcode" | "variant barcode";
    Option1Name: "option1 name";
    Option1Value: "option1 value";
    Option2Name: "option2 name";
    Option2Value: "option2 value";
    Option3Name: "option3 name";
    Option3Value: "option3 value";
    Price: "price" | "variant price";
    CompareAt: "compare-at price" | "compare at price" | "variant compare at price";
    Tracker: "inventory tracker" | "variant inventory tracker";
    Quantity: "inventory quantity" | "variant inventory qty" | "variant inventory quantity";
    Policy: "continue selling when out of stock" | "variant inventory policy";
    Grams: "weight value (grams)" | "variant grams";
    Image: "product image url" | "image src";
    ImagePosition: "image position";
    ImageAlt: "image alt text";
    VariantImage: "variant image url" | "variant image";
    SeoTitle: "seo title";
    SeoDescription: "seo description";
}

impl Column {
    /// Name and value of the three options.
    pub const OPTIONS: [(Self, Self); 3] = [
        (Self::Option1Name, Self::Option1Value),
        (Self::Option2Name, Self::Option2Value),
        (Self::Option3Name, Self::Option3Value),
    ];

    /// The columns that make a row a variant; a row with none of them only adds a picture.
    pub const VARIANT: [Self; 6] =
        [Self::Sku, Self::Barcode, Self::Option1Value, Self::Option2Value, Self::Option3Value, Self::Price];
}

// One bit for each.
const _: () = assert!(Column::COUNT <= 64);

/// Which columns a file has. What it does not have stays as it is in the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns(u64);

impl Columns {
    /// Whether the file has this column.
    pub const fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u64) != 0
    }

    /// Whether the file has one of these columns.
    pub fn has_any(self, columns: &[Column]) -> bool {
        columns.iter().any(|column| self.has(*column))
    }

    const fn add(&mut self, column: Column) {
        self.0 |= 1 << column as u64;
    }
}

/// The first line of a file.
#[derive(Clone, Debug)]
pub struct Header {
    /// For each cell of a row, what it is.
    pub cells: Vec<Option<Column>>,
    headings: Vec<String>,
    /// Which columns there are.
    pub columns: Columns,
    /// Headings the import has no use for, as they are written.
    pub ignored: Vec<String>,
}

impl Header {
    /// Understands headings in any case; where one is there twice, the first counts.
    pub fn new(headings: Vec<String>) -> Self {
        let mut columns = Columns::default();
        let mut seen = HashSet::new();
        let mut ignored = Vec::new();
        let cells = headings
            .iter()
            .map(|heading| {
                let plain = heading.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
                let column = Column::from_heading(&plain).filter(|column| !columns.has(*column));
                match column {
                    Some(column) => columns.add(column),
                    None if !plain.is_empty() && seen.insert(plain) => ignored.push(heading.trim().to_owned()),
                    None => {}
                }
                column
            })
            .collect();
        Self { cells, headings, columns, ignored }
    }

    /// The heading of a column as this file writes it.
    pub fn heading(&self, column: Column) -> &str {
        let written = self.cells.iter().position(|c| *c == Some(column)).and_then(|i| self.headings.get(i));
        written.map_or(column.heading(), |heading| heading.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_headings_are_understood() {
        let table = [
            ("Handle", "URL handle", Column::Handle),
            ("Body (HTML)", "Description", Column::Body),
            ("Product Category", "Product category", Column::Category),
            ("Published", "Published on online store", Column::Published),
            ("Variant SKU", "SKU", Column::Sku),
            ("Variant Barcode", "Barcode", Column::Barcode),
            ("Option1 Name", "Option1 name", Column::Option1Name),
            ("Option3 Value", "Option3 value", Column::Option3Value),
            ("Variant Price", "Price", Column::Price),
            ("Variant Compare At Price", "Compare-at price", Column::CompareAt),
            ("Variant Inventory Tracker", "Inventory tracker", Column::Tracker),
            ("Variant Inventory Qty", "Inventory quantity", Column::Quantity),
            ("Variant Inventory Policy", "Continue selling when out of stock", Column::Policy),
            ("Variant Grams", "Weight value (grams)", Column::Grams),
            ("Image Src", "Product image URL", Column::Image),
            ("Image Position", "Image position", Column::ImagePosition),
            ("Image Alt Text", "Image alt text", Column::ImageAlt),
            ("Variant Image", "Variant image URL", Column::VariantImage),
            ("SEO Title", "SEO title", Column::SeoTitle),
            ("SEO Description", "SEO description", Column::SeoDescription),
        ];
        for (old, new, column) in table {
            for heading in [old.to_owned(), format!("  {} ", new.to_uppercase())] {
                let header = Header::new(vec![heading.clone()]);
                assert_eq!(header.cells, [Some(column)], "{heading}");
                assert_eq!(header.heading(column), heading.trim());
            }
        }
    }

    #[test]
    fn other_headings_are_listed_once() {
        let header = Header::new(["Title", "Cost per item", "cost per item", "title", ""].map(String::from).to_vec());
        assert_eq!(header.ignored, ["Cost per item", "title"]);
        assert!(header.columns.has(Column::Title) && !header.columns.has(Column::Price));
        assert_eq!(header.heading(Column::Price), "price");
    }
}
