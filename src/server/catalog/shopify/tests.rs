use super::*;
use crate::domain::{catalog::ProductOption, money::Amount};
use proptest::prelude::*;

fn read_as(file: &[u8], purpose: Purpose) -> Result<Vec<Product>, FileError> {
    let products = Products::open(|| Ok(file), Currency::CNY, purpose)?;
    products.collect::<Result<_, _>>().map_err(FileError::Unreadable)
}

fn read(file: &str) -> Vec<Product> {
    match read_as(file.as_bytes(), Purpose::Products) {
        Ok(products) => products,
        Err(error) => panic!("{error:?}"),
    }
}

/// The only product of a file, without problems.
fn only(file: &str) -> ProductDraft {
    let mut products = read(file);
    assert_eq!(products.len(), 1, "{products:?}");
    let product = products.remove(0);
    assert_eq!(product.problems, []);
    product.draft.unwrap_or_else(|| panic!("no draft"))
}

/// Where the problems of a file are and what they are.
fn problems(file: &str) -> Vec<(u64, String, ProblemKind)> {
    read(file).into_iter().flat_map(|p| p.problems).map(|p| (p.line, p.column, p.kind)).collect()
}

const OLD: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,Image Alt Text,SEO Title,SEO Description,Variant Image,Status";
const NEW: &str = "URL handle,Title,Description,Vendor,Product category,Type,Tags,Published on online store,Option1 name,Option1 value,Option2 name,Option2 value,Option3 name,Option3 value,SKU,Weight value (grams),Inventory tracker,Inventory quantity,Continue selling when out of stock,Price,Compare-at price,Barcode,Product image URL,Image position,Image alt text,SEO title,SEO description,Variant image URL,Status";
const TEE: &str = "
tee,T恤,<p>Soft</p>,Brand,服装 > 男装 > T恤,上衣,\"夏日, 新品，夏日\",TRUE,颜色,黑,尺码,M,面料,棉,'T-1,200.4,shopify,7,deny,\"1,299.00\",1499,'690,b.webp,2,back,SEO,About,c.webp,active
tee,,,,,,,,,黑,,L,,棉,T-2,200,shopify,-2,continue,1299,1299,,a.webp,1,,,,,
tee,,,,,,,,,白,,M,,麻,T-3,,shopify,,DENY,0,,,,,,,,,
";

#[test]
fn old_and_new_headings_give_the_same_product() {
    for headings in [OLD, NEW] {
        let mut products = read(&format!("\u{feff}{headings}{}", TEE.replace('\n', "\r\n")));
        let product = products.remove(0);
        assert_eq!((product.handle.as_str(), product.rows), ("tee", 3));
        assert_eq!(product.problems.len(), 1, "the negative quantity: {:?}", product.problems);
        let Some(draft) = product.draft else { panic!("no draft") };
        assert_eq!(draft.title, "T恤");
        assert_eq!(draft.description_html, "<p>Soft</p>");
        assert_eq!(draft.category, ["服装", "男装"]);
        assert_eq!((draft.kind.as_str(), draft.brand.as_str()), ("上衣", "Brand"));
        assert_eq!(draft.tags, ["夏日", "新品"]);
        assert_eq!(draft.status, Status::Active);
        assert_eq!((draft.seo_title.as_str(), draft.seo_description.as_str()), ("SEO", "About"));
        let option = |name: &str, values: &[&str]| ProductOption {
            name: name.into(),
            values: values.iter().map(|value| (*value).into()).collect(),
        };
        let options = vec![option("颜色", &["黑", "白"]), option("尺码", &["M", "L"]), option("面料", &["棉", "麻"])];
        assert_eq!(draft.options, Some(options));
        let sources: Vec<_> = draft.images.iter().map(|image| (image.source.as_str(), image.alt.as_str())).collect();
        assert_eq!(sources, [("a.webp", ""), ("b.webp", "back"), ("c.webp", "")]);
        let variants: Vec<_> = (draft.variants.iter())
            .map(|v| {
                (
                    v.line,
                    v.sku.as_str(),
                    v.choices.as_slice(),
                    v.price,
                    v.compare_at,
                    v.grams,
                    v.quantity,
                    v.backorder,
                    v.image,
                )
            })
            .collect();
        let yuan = |yuan: i64| Some(Amount(yuan * 100));
        assert_eq!(
            variants,
            [
                (2, "T-1", &[0, 0, 0][..], yuan(1299), yuan(1499), 200, Some(7), false, Some(2)),
                (3, "T-2", &[0, 1, 0][..], yuan(1299), None, 200, Some(0), true, None),
                (4, "T-3", &[1, 0, 1][..], yuan(0), None, 0, None, false, None),
            ]
        );
        assert_eq!(draft.variants[0].barcode, "690");
    }
}

#[test]
fn a_product_with_nothing_to_choose_has_no_options() {
    for row in ["a,A,Title,Default Title,1", "a,A,,,1"] {
        let draft = only(&format!("Handle,Title,Option1 Name,Option1 Value,Variant Price\n{row}\n"));
        assert_eq!((draft.options, draft.variants[0].choices.len()), (Some(vec![]), 0), "{row}");
    }
    let draft = only("Handle,Title,Variant Price\na,A,1\n");
    assert_eq!((draft.options, draft.variants.len()), (None, 1));
}

#[test]
fn quoted_line_breaks_belong_to_the_cell_and_lines_are_those_of_the_file() {
    let file = "Handle,Title,Description,Price\na,A,\"one\n\ntwo, \"\"three\"\"\",1\nb,B,\"x\n\",oops\n";
    let products = read(file);
    let body = products[0].draft.as_ref().map(|draft| draft.description_html.as_str());
    assert_eq!(body, Some("<p>one</p><p>two, \"three\"</p>"));
    let problem = &products[1].problems[0];
    assert_eq!((problem.line, problem.column.as_str(), problem.handle.as_str()), (5, "Price", "b"));
}

#[test]
fn other_delimiters_are_noticed() {
    for delimiter in [";", "\t"] {
        let file = "Handle,Title,Price\na,A,1.50\n".replace(',', delimiter);
        assert_eq!(only(&file).variants[0].price, Some(Amount(150)));
    }
}

#[test]
fn a_row_only_adds_a_picture_when_it_says_nothing_else() {
    let file = "Handle,Title,SKU,Price,Inventory quantity,Image Src,Image Position\na,A,S,1,5,1.png,\na,,,,,2.png,\na,,,,0,1.png,\n";
    let draft = only(file);
    assert_eq!((draft.variants.len(), draft.images.len()), (1, 2));
}

#[test]
fn bad_cells_are_told_with_line_column_and_reason() {
    let value = |value: &str| value.to_owned();
    let sku = |sku: &str, handle: &str| ProblemKind::SkuTwice { sku: sku.into(), product: handle.into() };
    let unknown = |value: &str, expected| ProblemKind::UnknownValue { value: value.into(), expected };
    let table = [
        ("a,A,,,,oops,,", "Price", ProblemKind::NotAnAmount { value: value("oops") }),
        ("a,A,,,,\"19,99\",,", "Price", ProblemKind::NotAnAmount { value: value("19,99") }),
        ("a,A,,,,1.234,,", "Price", ProblemKind::TooManyDecimals { value: value("1.234") }),
        ("a,A,,,,-5,,", "Price", ProblemKind::AmountOutOfRange { value: value("-5") }),
        ("a,A,,,S,,,", "Price", ProblemKind::NoPrice),
        ("a,,,,,5,,", "Title", ProblemKind::NoTitle),
        ("a b,A,,,,5,,", "Handle", ProblemKind::BadHandle),
        ("a/b,A,,,,5,,", "Handle", ProblemKind::BadHandle),
        (",,,,,5,,", "Handle", ProblemKind::NoHandle),
        ("a,A,,,,5,many,", "Inventory quantity", ProblemKind::NotANumber { value: value("many") }),
        (
            "a,A,,,,5,99999999999999999999,",
            "Inventory quantity",
            ProblemKind::NumberOutOfRange { value: value("99999999999999999999") },
        ),
        ("a,A,,,,5,,sold", "Status", unknown("sold", "active, draft, archived, unlisted")),
        ("a,A,,红,,5,,", "Option1 Name", ProblemKind::OptionWithoutName),
        ("a,A,色,红,,5,,\na,,,红,,5,,", "Option1 Value", ProblemKind::VariantTwice { first: 2 }),
        ("a,A,色,红,S,5,,\na,,,白,S,5,,", "SKU", sku("S", "a")),
        ("a,A,,,S,5,,\nb,B,,,S,5,,", "SKU", sku("S", "a")),
        ("a,A,,,,5,,,x", "", ProblemKind::CellCount { expected: 8, found: 9 }),
        ("a,A", "", ProblemKind::CellCount { expected: 8, found: 2 }),
        ("a,A\0,,,,5,,", "Title", ProblemKind::ControlCharacter),
        ("a,A,,,\"S,5,,", "", ProblemKind::UnclosedQuote),
    ];
    for (rows, column, kind) in table {
        let file = format!("Handle,Title,Option1 Name,Option1 Value,SKU,Price,Inventory quantity,Status\n{rows}\n");
        let line = if rows.contains("\n") { 3 } else { 2 };
        assert_eq!(problems(&file), [(line, column.to_owned(), kind)], "{rows}");
        for locale in crate::domain::Locale::ALL {
            assert!(read(&file).iter().flat_map(|p| &p.problems).all(|p| !p.line_of_text(locale).is_empty()));
        }
    }
    let missing = "Handle,Title,Option1 Name,Option1 Value,Price\na,A,色,红,5\na,,,,5\n";
    assert_eq!(problems(missing)[0].2, ProblemKind::OptionWithoutValue { option: "色".into() });
}

#[test]
fn text_that_is_not_utf8_is_reported_and_the_rest_goes_on() -> Result<(), FileError> {
    let file = b"Handle,Title,Price,Other\na,\xb7\xfe\xd7\xb0,1,x\nb,B,1,\xff\n";
    let products = read_as(file, Purpose::Products)?;
    assert_eq!((products[0].problems[0].line, &products[0].problems[0].kind), (2, &ProblemKind::NotUtf8));
    assert!(products[0].draft.is_none());
    assert!(products[1].draft.is_some(), "columns nobody reads may hold anything");
    Ok(())
}

#[test]
fn a_product_comes_whole_or_not_at_all_and_its_neighbours_come() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Price\na,A,色,红,5\nb,B,色,红,5\nb,,,白,x\nb,,,黑,5\n,,,,,\nc,C,色,红,5\n,,,,9\n";
    let products = read(file);
    let drafts: Vec<_> = products.iter().map(|product| (product.handle.as_str(), product.draft.is_some())).collect();
    assert_eq!(drafts, [("a", true), ("b", false), ("c", false)], "the row without a handle is most likely one of c");
}

#[test]
fn a_sku_of_a_rejected_product_is_free() {
    let products = read("Handle,Title,SKU,Price\na,A,S,x\nb,B,S,1\n");
    assert!(products[0].draft.is_none() && products[1].draft.is_some());
}

#[test]
fn rows_of_a_product_that_are_apart_are_put_together() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Price\na,A,色,红,5\nb,B,,,5\na,,,白,6\nc,C,,,5\n";
    let products = read(file);
    let handles: Vec<_> = products.iter().map(|product| product.handle.as_str()).collect();
    assert_eq!(handles, ["b", "c", "a"]);
    let lines = products[2].draft.iter().flat_map(|draft| &draft.variants).map(|v| v.line).collect::<Vec<_>>();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn a_row_without_a_handle_is_taken_for_one_of_the_row_before_it() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Price\na,A,色,红,5\nb,B,,,5\na,,,白,6\n,,,黑,7\n";
    let products = read(file);
    let drafts: Vec<_> = products.iter().map(|product| (product.handle.as_str(), product.draft.is_some())).collect();
    assert_eq!(drafts, [("b", true), ("a", false)]);
    let found: Vec<_> = products[1].problems.iter().map(|problem| (problem.line, &problem.kind)).collect();
    assert_eq!(found, [(5, &ProblemKind::NoHandle)]);
}

#[test]
fn a_handle_is_made_from_the_title_where_there_is_none() {
    let products = read("Title,Price\nMen's Wool  Coat!,5\n陶瓷 茶壶,6\n");
    let handles: Vec<_> = products.iter().map(|product| product.handle.as_str()).collect();
    assert_eq!(handles, ["mens-wool-coat", "陶瓷-茶壶"]);
}

#[test]
fn what_is_not_shown_is_a_draft() {
    let status = |published: &str, status: &str| {
        let file = format!("Handle,Title,Price,Published,Status\na,A,1,{published},{status}\n");
        read(&file).remove(0).draft.map(|draft| draft.status)
    };
    let table = [
        (("", ""), Status::Active),
        (("TRUE", "active"), Status::Active),
        (("false", ""), Status::Draft),
        (("false", "Active"), Status::Draft),
        (("true", "draft"), Status::Draft),
        (("false", "archived"), Status::Archived),
        (("", "unlisted"), Status::Draft),
    ];
    for ((published, state), expected) in table {
        assert_eq!(status(published, state), Some(expected), "{published} {state}");
    }
}

#[test]
fn what_nobody_counts_never_runs_out() {
    let backorder = |tracker: &str, quantity: &str, policy: &str| {
        let file = format!(
            "Handle,Title,Price,Inventory tracker,Inventory quantity,Variant Inventory Policy\na,A,1,{tracker},{quantity},{policy}\n"
        );
        only(&file).variants[0].backorder
    };
    assert!(backorder("", "", "deny") && backorder("", "0", "") && backorder("shopify", "0", "continue"));
    assert!(!backorder("shopify", "0", "deny") && !backorder("", "5", "deny"));
}

#[test]
fn texts_need_no_prices() -> Result<(), FileError> {
    let products = read_as(b"Handle,Title,SKU,Price,Image Src\na,A,S,,x.png\n", Purpose::Texts)?;
    assert!(products[0].draft.as_ref().is_some_and(|draft| draft.images.is_empty()));
    Ok(())
}

#[test]
fn a_file_of_something_else_is_refused() {
    assert!(
        matches!(read_as(b"Name,Cost\nx,1\n", Purpose::Products), Err(FileError::NotProducts { headings }) if headings == ["Name", "Cost"])
    );
    assert!(matches!(read_as(b"", Purpose::Products), Err(FileError::NotProducts { .. })));
}

#[test]
fn a_product_with_endless_rows_is_refused_and_costs_no_memory() {
    let mut file = String::from("Handle,Title,Option1 Name,Option1 Value,Price\n");
    for row in 0..MAX_ROWS + 10 {
        file.push_str(&format!("a,A,n,{row},1\n"));
    }
    let kinds: Vec<_> = problems(&file).into_iter().map(|problem| problem.2).collect();
    assert_eq!(kinds, [ProblemKind::TooManyRows { limit: MAX_ROWS }]);
    file.push_str(&"a,A,n\n".repeat(5_000));
    file.push_str(&",,,,1\n".repeat(5_000));
    assert_eq!(problems(&file).len(), 1, "problems beyond the limit are one");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_as(&bytes, Purpose::Products);
    }

    /// What gets past the headings: quotes, commas, ends of lines, zeros, broken UTF-8, figures and tags in any order.
    #[test]
    fn arbitrary_bytes_below_headings_never_panic(
        bytes in proptest::collection::vec(
            prop_oneof![
                4 => prop::sample::select(&b"\",\r\n"[..]),
                1 => prop::sample::select(&[0u8, 0xff, 0xc3, 0xe4, 0x80][..]),
                3 => prop::sample::select(&b"019.-<>/ a"[..]),
            ],
            0..800,
        ),
    ) {
        let mut file = OLD.as_bytes().to_vec();
        file.push(b'\n');
        file.extend_from_slice(&bytes);
        for purpose in [Purpose::Products, Purpose::Texts] {
            let _ = read_as(&file, purpose);
        }
    }

    #[test]
    fn arbitrary_cells_never_panic(cells in proptest::collection::vec("\\PC{0,12}|[-0-9.,]{0,20}|[a\",;\n\r]{0,8}|<[a-z/ ]{0,9}>?", 0..90)) {
        let mut file = OLD.as_bytes().to_vec();
        for (index, cell) in cells.iter().enumerate() {
            file.extend_from_slice(if index % 29 == 0 { b"\n" } else { b"," });
            file.extend_from_slice(cell.as_bytes());
        }
        for purpose in [Purpose::Products, Purpose::Texts] {
            for product in read_as(&file, purpose).into_iter().flatten() {
                let errors = product.problems.iter().any(|problem| !problem.kind.is_notice());
                prop_assert_eq!(product.draft.is_some(), !errors, "a product is there or there is a reason: {:?}", product);
            }
        }
    }
}
