//! What a person lets a shop do with what it knows of them, and which messages they want.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A purpose that nobody has to agree to. Each choice is on record, with the version of the text it was made about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Telling of offers.
    Marketing,
    /// Recommending from what was looked at and bought.
    Recommendation,
    /// Remembering the products that were looked at, for the person alone.
    Viewed,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::Marketing, Self::Recommendation, Self::Viewed];

    /// The name under which a choice is on record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Recommendation => "recommendation",
            Self::Viewed => "viewed",
        }
    }

    /// The version of the text that is shown now.
    pub const fn version(self) -> &'static str {
        "2026-11-26"
    }

    /// Whether it holds for who never chose. What serves the shop is off until it is chosen; what serves the person
    /// alone is on until it is refused.
    pub const fn by_default(self) -> bool {
        matches!(self, Self::Viewed)
    }
}

/// What messages are about. Codes and what keeps an account safe are no choice: they are always sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// An order is paid, cancelled, refunded.
    Order,
    /// Goods are on their way, or have arrived.
    Delivery,
    /// Something that was waited for can be had again.
    BackInStock,
    /// Offers.
    Marketing,
}

/// The way to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Phone,
    Email,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Order, Self::Delivery, Self::BackInStock, Self::Marketing];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Delivery => "delivery",
            Self::BackInStock => "back_in_stock",
            Self::Marketing => "marketing",
        }
    }

    /// Whether its messages are sent to who never chose.
    pub const fn by_default(self) -> bool {
        !matches!(self, Self::Marketing)
    }
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Phone, Self::Email];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

/// The name of a box in the form: `order_phone`.
pub fn box_name(topic: Topic, channel: Channel) -> String {
    format!("{}_{}", topic.name(), channel.name())
}

/// What an account chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The messages that are wanted, and the way they are wanted.
    pub wanted: BTreeSet<(Topic, Channel)>,
    /// Whether recommendations may be made from what was looked at and bought.
    pub recommendation: bool,
    /// The ways on which the account is reached at present.
    pub reached: BTreeSet<Channel>,
}

impl Choices {
    /// Those of who never chose.
    pub fn by_default() -> Self {
        let all = Topic::ALL.into_iter().flat_map(|topic| Channel::ALL.map(|channel| (topic, channel)));
        Self {
            wanted: all.filter(|(topic, _)| topic.by_default()).collect(),
            recommendation: Purpose::Recommendation.by_default(),
            reached: BTreeSet::new(),
        }
    }

    /// Reads the boxes of a form that are ticked, by [`box_name`].
    pub fn read(ticked: &BTreeMap<String, String>, recommendation: bool) -> Self {
        let all = Topic::ALL.into_iter().flat_map(|topic| Channel::ALL.map(|channel| (topic, channel)));
        let wanted = all.filter(|(topic, channel)| ticked.contains_key(&box_name(*topic, *channel))).collect();
        Self { wanted, recommendation, reached: BTreeSet::new() }
    }

    /// Whether offers are wanted over any way: that is the agreement to them.
    pub fn marketing(&self) -> bool {
        self.wanted.iter().any(|(topic, _)| *topic == Topic::Marketing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serves_the_shop_is_off_until_it_is_chosen() {
        let choices = Choices::by_default();
        assert!(!choices.marketing() && !choices.recommendation);
        assert_eq!(choices.wanted.len(), 6);
        assert!(Purpose::Viewed.by_default() && !Purpose::Marketing.by_default());
    }

    #[test]
    fn a_box_that_is_not_ticked_is_a_no() {
        let ticked = BTreeMap::from([("order_phone".into(), "1".into()), ("nonsense".into(), "1".into())]);
        let choices = Choices::read(&ticked, false);
        assert_eq!(choices.wanted, BTreeSet::from([(Topic::Order, Channel::Phone)]));
        let ticked = BTreeMap::from([(box_name(Topic::Marketing, Channel::Email), "1".into())]);
        assert!(Choices::read(&ticked, true).marketing());
    }
}
