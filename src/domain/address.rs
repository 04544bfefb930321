//! Who receives an order and where: what a customer types at checkout, and what is left of it after the checks.

mod fields;

pub use fields::{CALLING_CODES, email, lines, mask_email, mask_name, mask_phone, phone, split_phone, text};

use super::{
    error::{Check, Problem, Result},
    payment::Method,
};
use serde::{Deserialize, Serialize};

/// The checkout form as typed. It is kept whole, also when something in it is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckoutForm {
    pub recipient: String,
    /// The country's calling code, `+86` unless chosen otherwise.
    pub country_code: String,
    /// Optional where an e-mail address is given, which in its turn is optional beside a phone number.
    pub phone: String,
    pub email: String,
    /// Division codes of six digits, each below the one before it.
    pub province: String,
    pub city: String,
    pub district: String,
    pub detail: String,
    /// A wish for the delivery time, see [`DeliveryWish::name`].
    pub delivery_wish: String,
    pub note: String,
    pub payment_method: String,
    /// `1` where the address is to be saved with the account.
    pub save_address: String,
}

/// A checked checkout form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub contact: Contact,
    pub delivery_wish: DeliveryWish,
    pub note: String,
    pub payment_method: Method,
}

/// The longest text of a field that is kept as typed, in characters; more than any check allows.
const KEPT: usize = 400;

/// A recipient with an address: personal data, sealed in the database and never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub recipient: String,
    /// E.164: `+8613800138000`. Phone, e-mail or both are there.
    pub phone: Option<String>,
    pub email: Option<String>,
    /// The division code of the district.
    pub region: String,
    pub detail: String,
}

/// When the customer would like to receive the parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWish {
    #[default]
    AnyTime,
    Workdays,
    Weekends,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl Contact {
    /// As the office sees it before it asks: enough to know an order again, and no more.
    pub fn cover(self) -> Self {
        Self {
            recipient: mask_name(&self.recipient),
            phone: self.phone.as_deref().map(mask_phone),
            email: self.email.as_deref().map(mask_email),
            region: self.region,
            detail: "***".to_owned(),
        }
    }

    /// How the recipient is reached, as the office's lists show it: the masked phone, or else the masked e-mail.
    pub fn masked(&self) -> String {
        let phone = self.phone.as_deref().map(mask_phone);
        phone.or_else(|| self.email.as_deref().map(mask_email)).unwrap_or_default()
    }
}

impl DeliveryWish {
    pub const ALL: [Self; 3] = [Self::AnyTime, Self::Workdays, Self::Weekends];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AnyTime => "any_time",
            Self::Workdays => "workdays",
            Self::Weekends => "weekends",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.name() == name)
    }
}

impl CheckoutForm {
    /// The form that says who a contact is; province and city are those its district is in.
    pub fn of_contact(contact: &Contact, province: String, city: String) -> Self {
        let (country_code, phone) = contact.phone.as_deref().map(split_phone).unwrap_or_default();
        Self {
            recipient: contact.recipient.clone(),
            country_code,
            phone,
            email: contact.email.clone().unwrap_or_default(),
            province,
            city,
            district: contact.region.clone(),
            detail: contact.detail.clone(),
            ..Self::default()
        }
    }

    /// Takes recipient and address from another form and leaves the wishes as they are.
    pub fn take_contact(&mut self, from: &Self) {
        *self = Self {
            delivery_wish: std::mem::take(&mut self.delivery_wish),
            note: std::mem::take(&mut self.note),
            payment_method: std::mem::take(&mut self.payment_method),
            save_address: std::mem::take(&mut self.save_address),
            ..from.clone()
        };
    }

    /// A form for another recipient than those that are known: empty, and not [untouched](Self::is_untouched).
    pub fn for_another() -> Self {
        Self { country_code: CALLING_CODES[0].to_owned(), ..Self::default() }
    }

    /// Whether nothing was typed or chosen of recipient and address: the calling code is there as soon as the fields
    /// were sent once.
    pub fn is_untouched(&self) -> bool {
        self.country_code.is_empty() && self.contact_fields().iter().all(|field| field.trim().is_empty())
    }

    /// Whether two forms name the same recipient and address, however their lines end.
    pub fn same_contact(&self, other: &Self) -> bool {
        let code = |form: &Self| match form.country_code.trim() {
            "" => CALLING_CODES[0].to_owned(),
            code => code.to_owned(),
        };
        let fields = |form: &Self| form.contact_fields().map(|field| field.trim().replace("\r\n", "\n"));
        fields(self) == fields(other) && (self.phone.trim().is_empty() || code(self) == code(other))
    }

    const fn contact_fields(&self) -> [&String; 7] {
        [&self.recipient, &self.phone, &self.email, &self.province, &self.city, &self.district, &self.detail]
    }

    /// Cuts what nobody would type, before it is kept.
    pub fn clip(&mut self) {
        for field in [
            &mut self.recipient,
            &mut self.country_code,
            &mut self.phone,
            &mut self.email,
            &mut self.province,
            &mut self.city,
            &mut self.district,
            &mut self.detail,
            &mut self.delivery_wish,
            &mut self.note,
            &mut self.payment_method,
            &mut self.save_address,
        ] {
            if let Some((end, _)) = field.char_indices().nth(KEPT) {
                field.truncate(end);
            }
        }
    }

    /// Checks all fields at once. `is_district` tells whether a code names a district of the chosen city.
    ///
    /// # Errors
    /// [`super::Error::Invalid`] with the problem of each field by its name.
    pub fn check(&self, is_district: impl Fn(&str) -> bool) -> Result<Checkout> {
        self.checked(|check| self.contact(check, is_district))
    }

    /// The same for what nobody sends anywhere: the contact has no address then, whatever was typed.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_without_address(&self) -> Result<Checkout> {
        self.checked(|check| {
            let (recipient, phone, email) = self.person(check)?;
            Some(Contact { recipient, phone, email, region: String::new(), detail: String::new() })
        })
    }

    /// Whether nothing was typed or chosen of an address.
    pub fn has_no_address(&self) -> bool {
        [&self.province, &self.city, &self.district, &self.detail].iter().all(|field| field.trim().is_empty())
    }

    fn checked(&self, contact: impl FnOnce(&mut Check) -> Option<Contact>) -> Result<Checkout> {
        let mut check = Check::default();
        let contact = contact(&mut check);
        let wish = if self.delivery_wish.is_empty() {
            Some(DeliveryWish::AnyTime)
        } else {
            DeliveryWish::from_name(&self.delivery_wish)
        };
        let wish = check.take("delivery_wish", wish.ok_or(Problem::Choice));
        let note = check.take("note", lines(&self.note, 0, 200));
        let method = check.take("payment_method", Method::from_name(&self.payment_method).ok_or(Problem::Choice));
        check.finish()?;
        match (contact, wish, note, method) {
            (Some(contact), Some(delivery_wish), Some(note), Some(payment_method)) => {
                Ok(Checkout { contact, delivery_wish, note, payment_method })
            }
            _ => Err(super::Error::Conflict),
        }
    }

    /// Checks who receives it, and how they are reached: name, phone and e-mail.
    fn person(&self, check: &mut Check) -> Option<(String, Option<String>, Option<String>)> {
        let recipient = check.take("recipient", text(&self.recipient, 1, 50));
        let email = match self.email.trim() {
            "" => Some(None),
            typed => check.take("email", email(typed)).map(Some),
        };
        let phone = match phone(&self.country_code, &self.phone) {
            Err(Problem::Required) if email == Some(None) => check.take("phone", Err(Problem::PhoneOrEmail)),
            Err(Problem::Required) => Some(None),
            phone => check.take("phone", phone).map(Some),
        };
        Some((recipient?, phone?, email?))
    }

    /// Checks the recipient and the address.
    pub fn contact(&self, check: &mut Check, is_district: impl Fn(&str) -> bool) -> Option<Contact> {
        let person = self.person(check);
        let region = check.take(
            "district",
            match self.district.as_str() {
                "" => Err(Problem::Required),
                code if is_district(code) => Ok(code.to_owned()),
                _ => Err(Problem::Region),
            },
        );
        let detail = check.take("detail", lines(&self.detail, 4, 200));
        let (recipient, phone, email) = person?;
        Some(Contact { recipient, phone, email, region: region?, detail: detail? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    #[test]
    fn a_contact_fills_a_form_that_reads_as_the_same_contact() {
        let contact = Contact {
            recipient: "李雷".into(),
            phone: Some("+85261234567".into()),
            email: None,
            region: "440305".into(),
            detail: "科技园路1号\n2 栋".into(),
        };
        let form = CheckoutForm::of_contact(&contact, "440000".into(), "440300".into());
        let mut check = Check::default();
        assert_eq!(form.contact(&mut check, |code| code == "440305"), Some(contact));
        assert!(!form.is_untouched() && CheckoutForm { note: "x".into(), ..CheckoutForm::default() }.is_untouched());
        assert!(!CheckoutForm::for_another().is_untouched());

        let posted =
            CheckoutForm { detail: "科技园路1号\r\n2 栋 ".into(), note: "放门口".into(), ..form.clone() };
        assert!(posted.same_contact(&form));
        assert!(!CheckoutForm { country_code: "+86".into(), ..form.clone() }.same_contact(&form));
        let mut typed =
            CheckoutForm { note: "放门口".into(), recipient: "韩梅梅".into(), ..CheckoutForm::default() };
        typed.take_contact(&form);
        assert_eq!((typed.note.as_str(), typed.recipient.as_str()), ("放门口", "李雷"));
    }

    #[test]
    fn all_problems_of_the_form_are_told_at_once() {
        let form = CheckoutForm {
            phone: "1".into(),
            district: "440305".into(),
            city: "440100".into(),
            province: "440000".into(),
            ..CheckoutForm::default()
        };
        let Err(Error::Invalid(fields)) = form.check(|_| false) else { panic!("the form is wrong") };
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["detail", "district", "payment_method", "phone", "recipient"]);
        assert_eq!(fields["district"], Problem::Region, "the district is not in that city");
    }

    #[test]
    fn a_phone_or_an_e_mail_is_enough() {
        let reached = |phone: &str, email: &str| {
            let form = CheckoutForm {
                recipient: "李雷".into(),
                phone: phone.into(),
                email: email.into(),
                district: "440305".into(),
                detail: "科技园路1号".into(),
                payment_method: "alipay".into(),
                ..CheckoutForm::default()
            };
            form.check(|_| true).map(|checkout| (checkout.contact.phone, checkout.contact.email))
        };
        let (phone, email) = (Some("+8613800138000".to_owned()), Some("li@example.com".to_owned()));
        assert_eq!(reached("13800138000", ""), Ok((phone.clone(), None)));
        assert_eq!(reached(" ", "li@example.com"), Ok((None, email.clone())));
        assert_eq!(reached("13800138000", "li@example.com"), Ok((phone, email)));
        assert_eq!(reached("", ""), Err(Error::field("phone", Problem::PhoneOrEmail)));
        assert_eq!(reached("1", "li@example.com"), Err(Error::field("phone", Problem::Phone)));
        assert_eq!(reached("", "li"), Err(Error::field("email", Problem::Email)), "one problem, told once");
    }
}
