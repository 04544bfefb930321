//! How customers pay.

use serde::{Deserialize, Serialize};

/// A payment method a customer can choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    #[default]
    Alipay,
    WechatPay,
    BankCard,
    Unionpay,
    Paypal,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Alipay, Self::WechatPay, Self::BankCard, Self::Unionpay, Self::Paypal];

    /// The name in forms, in the database and towards providers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::WechatPay => "wechat_pay",
            Self::BankCard => "bank_card",
            Self::Unionpay => "unionpay",
            Self::Paypal => "paypal",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}
