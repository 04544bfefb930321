//! What an import has to say about a row, for people (in two languages) and for programs.

use crate::domain::Locale;
use serde::Serialize;

/// One finding: where it is and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The physical line of the file on which the record begins, from 1.
    pub line: u64,
    /// The heading of the column as the file writes it; empty when it is about the whole row.
    pub column: String,
    /// The product it belongs to; empty when the row does not tell.
    pub handle: String,
    #[serde(flatten)]
    pub kind: ProblemKind,
}

/// The reason. All but the notices keep the product out of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum ProblemKind {
    UnclosedQuote,
    RowTooLong,
    CellCount {
        expected: usize,
        found: usize,
    },
    NotUtf8,
    ControlCharacter,
    NoHandle,
    BadHandle,
    NoTitle,
    NoPrice,
    TooLong {
        limit: usize,
    },
    NotAnAmount {
        value: String,
    },
    TooManyDecimals {
        value: String,
    },
    AmountOutOfRange {
        value: String,
    },
    NotANumber {
        value: String,
    },
    NumberOutOfRange {
        value: String,
    },
    UnknownValue {
        value: String,
        expected: &'static str,
    },
    OptionWithoutName,
    OptionWithoutValue {
        option: String,
    },
    VariantTwice {
        first: u64,
    },
    SkuTwice {
        sku: String,
        product: String,
    },
    SkuTaken {
        sku: String,
        product: String,
    },
    TooManyRows {
        limit: usize,
    },
    /// Texts only: there is no such product in the shop.
    UnknownProduct,
    /// Texts only: options or values differ in number from the product in the shop.
    OptionsDiffer,
    /// Texts only: variants do not fit those in the shop.
    VariantsDiffer,
    /// The database refused this product.
    Database {
        message: String,
    },
    // Notices
    CompareAtIgnored,
    NegativeQuantity {
        value: i64,
    },
    StockHeld {
        wanted: i64,
        kept: i64,
    },
    /// Pieces on hand in the shop were replaced by another figure.
    StockSet {
        sku: String,
        from: i64,
        to: i64,
    },
    PicturesInDescription {
        count: usize,
    },
    Unlisted,
    PictureMissing {
        source: String,
        fault: PictureFault,
    },
    CategoryTextDiffers {
        kept: String,
        value: String,
    },
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", content = "detail", rename_all = "snake_case")]
pub enum PictureFault {
    /// No file of this name beside the CSV file.
    NoFile,
    /// The path leads out of the folder of the CSV file.
    OutsideFolder,
    /// Neither `http(s)` nor a file.
    BadAddress,
    /// The host is on a private network, where pictures of an import have no business.
    PrivateHost,
    /// The host did not answer several times and is not asked any more.
    HostGivenUp,
    Unreachable,
    TimedOut,
    /// The host answered with this HTTP status.
    Status(u16),
    /// More bytes than this.
    TooLarge(u64),
    /// Not PNG, JPEG, WebP, GIF or AVIF (nor SVG, for a file).
    NotAPicture,
    /// Reading or writing a file failed.
    Storage(String),
}

impl ProblemKind {
    /// Whether the product is imported nevertheless.
    pub const fn is_notice(&self) -> bool {
        matches!(
            self,
            Self::CompareAtIgnored
                | Self::NegativeQuantity { .. }
                | Self::StockHeld { .. }
                | Self::StockSet { .. }
                | Self::PicturesInDescription { .. }
                | Self::Unlisted
                | Self::PictureMissing { .. }
                | Self::CategoryTextDiffers { .. }
        )
    }

    /// The reason in words, and what to do where that is not obvious.
    pub fn text(&self, locale: Locale) -> String {
        let (zh, en) = match self {
            Self::UnclosedQuote => ("引号没有结束".into(), "a quote is never closed".into()),
            Self::RowTooLong => ("这一行太长".into(), "the row is too long".into()),
            Self::CellCount { expected, found } => (
                format!("应有 {expected} 列，实有 {found} 列"),
                format!("{found} cells where the headings ask for {expected}"),
            ),
            Self::NotUtf8 => {
                ("不是 UTF-8 文字，请另存为“CSV UTF-8”".into(), "not UTF-8: save the file as “CSV UTF-8”".into())
            }
            Self::ControlCharacter => ("含有控制字符".into(), "contains a control character".into()),
            Self::NoHandle => {
                ("缺少 Handle，无法确定属于哪个商品".into(), "no handle, so the row belongs to no product".into())
            }
            Self::BadHandle => {
                ("Handle 不能含空格和 / \\ ? # %".into(), "a handle has no spaces and none of / \\ ? # %".into())
            }
            Self::NoTitle => ("缺少商品名称".into(), "the product has no title".into()),
            Self::NoPrice => ("缺少价格".into(), "no price".into()),
            Self::TooLong { limit } => (format!("超过 {limit} 个字符"), format!("more than {limit} characters")),
            Self::NotAnAmount { value } => {
                (format!("“{value}”不是金额"), format!("“{value}” is not an amount of money"))
            }
            Self::TooManyDecimals { value } => {
                (format!("“{value}”的小数位太多"), format!("“{value}” has more decimals than the currency"))
            }
            Self::AmountOutOfRange { value } => {
                (format!("“{value}”超出价格范围"), format!("“{value}” is negative or too high for a price"))
            }
            Self::NotANumber { value } => (format!("“{value}”不是整数"), format!("“{value}” is not a whole number")),
            Self::NumberOutOfRange { value } => (format!("“{value}”超出范围"), format!("“{value}” is out of range")),
            Self::UnknownValue { value, expected } => {
                (format!("“{value}”无效，可用：{expected}"), format!("“{value}” is none of {expected}"))
            }
            Self::OptionWithoutName => ("选项有值但没有名称".into(), "an option has values but no name".into()),
            Self::OptionWithoutValue { option } => {
                (format!("选项“{option}”没有值"), format!("no value for the option “{option}”"))
            }
            Self::VariantTwice { first } => {
                (format!("与第 {first} 行的选项相同"), format!("the same choices as on line {first}"))
            }
            Self::SkuTwice { sku, product } => (
                format!("SKU {sku} 在文件中已被商品 {product} 使用"),
                format!("the file already uses SKU {sku} for the product {product}"),
            ),
            Self::SkuTaken { sku, product } => (
                format!("SKU {sku} 已属于店里的商品 {product}"),
                format!("SKU {sku} belongs to the product {product} in the shop"),
            ),
            Self::TooManyRows { limit } => {
                (format!("一个商品超过 {limit} 行"), format!("more than {limit} rows for one product"))
            }
            Self::UnknownProduct => (
                "店里没有这个商品，请先导入主语言的文件".into(),
                "not in the shop: import the file of the main language first".into(),
            ),
            Self::OptionsDiffer => (
                "选项或选项值的数量与店里的商品不同".into(),
                "options or their values differ in number from the product in the shop".into(),
            ),
            Self::VariantsDiffer => {
                ("规格与店里的商品不一致".into(), "the variants do not fit those of the product in the shop".into())
            }
            Self::Database { message } => {
                (format!("数据库拒绝：{message}"), format!("the database refused: {message}"))
            }
            Self::CompareAtIgnored => (
                "划线价不高于价格，未采用".into(),
                "the compare-at price is not above the price and was left out".into(),
            ),
            Self::NegativeQuantity { value } => {
                (format!("库存 {value} 按 0 处理"), format!("the quantity {value} was taken as 0"))
            }
            Self::StockHeld { wanted, kept } => (
                format!("未付款订单占用 {kept} 件，库存保持 {kept} 而不是 {wanted}"),
                format!("unpaid orders hold {kept}, so the stock stays at {kept} instead of {wanted}"),
            ),
            Self::StockSet { sku, from, to } if sku.is_empty() => {
                (format!("库存由 {from} 改为 {to}"), format!("the stock was set from {from} to {to}"))
            }
            Self::StockSet { sku, from, to } => (
                format!("SKU {sku} 的库存由 {from} 改为 {to}"),
                format!("the stock of SKU {sku} was set from {from} to {to}"),
            ),
            Self::PicturesInDescription { count } => (
                format!("描述中的 {count} 张图片已去掉"),
                format!("{count} pictures inside the description were left out"),
            ),
            Self::Unlisted => ("unlisted 按草稿处理".into(), "unlisted is taken as draft".into()),
            Self::PictureMissing { source, fault } => (
                format!("图片 {source} 未导入：{}", fault.text(Locale::ZhCn)),
                format!("the picture {source} was left out: {}", fault.text(Locale::En)),
            ),
            Self::CategoryTextDiffers { kept, value } => (
                format!("分类已译为“{kept}”，未采用“{value}”"),
                format!("the category is already called “{kept}”, not “{value}”"),
            ),
        };
        match locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }
}

impl PictureFault {
    fn text(&self, locale: Locale) -> String {
        let (zh, en): (String, String) = match self {
            Self::NoFile => ("没有这个文件".into(), "there is no such file".into()),
            Self::OutsideFolder => {
                ("路径不在 CSV 文件夹内".into(), "the path leads out of the folder of the CSV file".into())
            }
            Self::BadAddress => ("不是 http(s) 地址".into(), "not an http(s) address".into()),
            Self::PrivateHost => ("内网地址，不予访问".into(), "the host is on a private network".into()),
            Self::HostGivenUp => {
                ("服务器多次没有响应，不再尝试".into(), "the host failed several times and is not asked again".into())
            }
            Self::Unreachable => ("无法连接".into(), "the host cannot be reached".into()),
            Self::TimedOut => ("超时".into(), "timed out".into()),
            Self::Status(status) => (format!("服务器返回 {status}"), format!("the host answered {status}")),
            Self::TooLarge(limit) => (format!("超过 {} MiB", limit >> 20), format!("larger than {} MiB", limit >> 20)),
            Self::NotAPicture => ("不是可用的图片格式".into(), "not a picture of a known format".into()),
            Self::Storage(why) => (format!("读写失败：{why}"), format!("reading or writing failed: {why}")),
        };
        match locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }
}

impl Problem {
    /// One line for a terminal: where, which product, what.
    pub fn line_of_text(&self, locale: Locale) -> String {
        let mut text = match locale {
            Locale::ZhCn => format!("第 {} 行", self.line),
            Locale::En => format!("line {}", self.line),
        };
        for (part, open, close) in [(&self.column, " [", "]"), (&self.handle, " ", "")] {
            if !part.is_empty() {
                text.push_str(open);
                text.push_str(part);
                text.push_str(close);
            }
        }
        text.push_str(if locale == Locale::ZhCn { "：" } else { ": " });
        text.push_str(&self.kind.text(locale));
        text
    }
}
