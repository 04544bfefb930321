//! The addresses that an account keeps: what is typed into their form, and what is left of it after the checks.

use super::{
    address::{CheckoutForm, Contact, text},
    error::{Check, Problem, Result},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most addresses of one account.
pub const MAX_ADDRESSES: u32 = 20;
/// The choice of an address that is not among the account's, in the form of the checkout. An empty value would be read
/// as no choice at all.
pub const ANOTHER: &str = "another";
/// The longest label in one's own words, in characters.
pub const LABEL: u32 = 10;

/// What an address is called by its owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Home,
    Company,
    /// In their own words.
    Own(String),
}

impl Label {
    /// The name of a choice of label in a form: `home`, `company`, or `own`, which has a text beside it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Company => "company",
            Self::Own(_) => "own",
        }
    }
}

/// The form of an address as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressInput {
    /// The address that is changed; empty for a new one.
    pub id: String,
    /// Recipient and address; its wishes stay empty.
    pub contact: CheckoutForm,
    /// A choice of label, see [`Label::name`]; empty for none.
    pub label: String,
    /// The label in one's own words, for that choice.
    pub label_text: String,
    /// `1` where it is to be the one to begin with.
    pub is_default: String,
}

/// The form of an address with what its selects offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPage {
    pub input: AddressInput,
    /// Whether it is the default already, which it stays until another one is.
    pub is_default: bool,
    /// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city.
    pub provinces: Vec<(String, String)>,
    pub cities: Vec<(String, String)>,
    pub districts: Vec<(String, String)>,
}

/// An address of an account. Personal: sealed in the database, never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAddress {
    pub id: String,
    pub contact: Contact,
    /// The division codes that the district is in.
    pub province: String,
    pub city: String,
    /// The names of province, city and district in the language of the page.
    pub region_name: String,
    pub label: Option<Label>,
    pub is_default: bool,
}

impl fmt::Debug for SavedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SavedAddress({})", self.id)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({})", self.name())
    }
}

impl SavedAddress {
    /// The form that says the same.
    pub fn form(&self) -> CheckoutForm {
        CheckoutForm::of_contact(&self.contact, self.province.clone(), self.city.clone())
    }

    /// The form to change it with.
    pub fn input(&self) -> AddressInput {
        let text = match &self.label {
            Some(Label::Own(text)) => text.clone(),
            _ => String::new(),
        };
        AddressInput {
            id: self.id.clone(),
            contact: self.form(),
            label: self.label.as_ref().map(Label::name).unwrap_or_default().to_owned(),
            label_text: text,
            is_default: if self.is_default { "1".to_owned() } else { String::new() },
        }
    }
}

impl AddressInput {
    /// Checks all fields at once; recipient and address by the rules of the checkout.
    ///
    /// # Errors
    /// [`super::Error::Invalid`] with the problem of each field by its name.
    pub fn check(&self, is_district: impl Fn(&str) -> bool) -> Result<(Contact, Option<Label>)> {
        let mut check = Check::default();
        let contact = self.contact.contact(&mut check, is_district);
        let label = match self.label.as_str() {
            "" => Some(None),
            "home" => Some(Some(Label::Home)),
            "company" => Some(Some(Label::Company)),
            "own" => check.take("label_text", text(&self.label_text, 1, LABEL)).map(|text| Some(Label::Own(text))),
            _ => check.take("label", Err(Problem::Choice)),
        };
        check.finish()?;
        match (contact, label) {
            (Some(contact), Some(label)) => Ok((contact, label)),
            _ => Err(super::Error::Conflict),
        }
    }

    /// Cuts what nobody would type, before it is kept.
    pub fn clip(&mut self) {
        self.contact.clip();
        for field in [&mut self.id, &mut self.label, &mut self.label_text, &mut self.is_default] {
            if let Some((end, _)) = field.char_indices().nth(64) {
                field.truncate(end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    fn input(label: &str, label_text: &str) -> AddressInput {
        let contact = CheckoutForm {
            recipient: "李雷".into(),
            phone: "13800138000".into(),
            district: "440305".into(),
            detail: "科技园路1号".into(),
            ..CheckoutForm::default()
        };
        AddressInput { contact, label: label.into(), label_text: label_text.into(), ..AddressInput::default() }
    }

    #[test]
    fn a_label_is_one_of_two_or_some_words() {
        let read = |label: &str, text: &str| input(label, text).check(|_| true).map(|(_, label)| label);
        assert_eq!(read("", "unused"), Ok(None));
        assert_eq!(read("home", ""), Ok(Some(Label::Home)));
        assert_eq!(read("own", " 爸妈家 "), Ok(Some(Label::Own("爸妈家".into()))));
        assert_eq!(read("own", ""), Err(Error::field("label_text", Problem::Required)));
        assert_eq!(read("own", "一二三四五六七八九十一"), Err(Error::field("label_text", Problem::TooLong(LABEL))));
        assert_eq!(read("cave", ""), Err(Error::field("label", Problem::Choice)));
    }

    #[test]
    fn all_problems_are_told_at_once_by_the_rules_of_the_checkout() {
        let wrong = AddressInput { label: "own".into(), ..AddressInput::default() };
        let Err(Error::Invalid(fields)) = wrong.check(|_| true) else { panic!("the form is wrong") };
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["detail", "district", "label_text", "phone", "recipient"]);
    }

    #[test]
    fn an_address_fills_the_form_it_came_from_and_shows_in_no_log() {
        let (contact, label) = input("own", "爸妈家").check(|_| true).unwrap_or_else(|error| panic!("{error}"));
        let saved = SavedAddress {
            id: "a".into(),
            contact: contact.clone(),
            province: "440000".into(),
            city: "440300".into(),
            region_name: String::new(),
            label: label.clone(),
            is_default: true,
        };
        assert_eq!(saved.input().check(|_| true), Ok((contact, label)));
        assert_eq!((saved.input().id.as_str(), saved.input().is_default.as_str()), ("a", "1"));
        assert_eq!(format!("{saved:?} {:?}", saved.label), "SavedAddress(a) Some(Label(own))");
    }
}
