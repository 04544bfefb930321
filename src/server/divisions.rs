//! China's administrative divisions (GB/T 2260), as addresses use them. `public/divisions/README.md` tells the format.

use crate::domain::{Locale, address::CheckoutForm};
use serde::Deserialize;
use std::collections::HashMap;

const SOURCE: &str = include_str!("../../public/divisions/divisions.json");

/// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city.
pub type Choices = (Vec<(String, String)>, Vec<(String, String)>, Vec<(String, String)>);

/// The tree of provinces, cities and districts, found by code.
pub struct Divisions {
    /// In the order of the standard.
    provinces: Vec<usize>,
    /// Codes of districts, and of what lies above them. A city without districts is its own single district: there the
    /// code names the city in `above` and the district in `districts`.
    above: HashMap<String, usize>,
    districts: HashMap<String, usize>,
    places: Vec<Place>,
}

struct Place {
    code: String,
    name: String,
    latin: String,
    parent: Option<usize>,
    children: Vec<usize>,
}

#[derive(Deserialize)]
struct File {
    divisions: Vec<Province>,
}

#[derive(Deserialize)]
struct Province(String, String, String, Vec<City>);

#[derive(Deserialize)]
struct City(String, String, String, Vec<District>);

#[derive(Deserialize)]
struct District(String, String, String);

impl Divisions {
    /// Reads the list that is part of the program.
    ///
    /// # Errors
    /// When that list is malformed; a test sees to it that it is not.
    pub fn load() -> Result<Self, serde_json::Error> {
        let file: File = serde_json::from_str(SOURCE)?;
        let mut this =
            Self { provinces: Vec::new(), above: HashMap::new(), districts: HashMap::new(), places: Vec::new() };
        for Province(code, name, latin, cities) in file.divisions {
            let province = this.add(code, name, latin, None);
            for City(code, name, latin, districts) in cities {
                let city = this.add(code, name, latin, Some(province));
                for District(code, name, latin) in districts {
                    let district = this.add(code, name, latin, Some(city));
                    this.districts.insert(this.places[district].code.clone(), district);
                }
            }
        }
        Ok(this)
    }

    fn add(&mut self, code: String, name: String, latin: String, parent: Option<usize>) -> usize {
        let place = self.places.len();
        match parent {
            None => self.provinces.push(place),
            Some(parent) => self.places[parent].children.push(place),
        }
        self.above.entry(code.clone()).or_insert(place);
        self.places.push(Place { code, name, latin, parent, children: Vec::new() });
        place
    }

    /// Whether these codes name a district, the city it is in, and the province that city is in.
    pub fn is_path(&self, province: &str, city: &str, district: &str) -> bool {
        let above = |place: usize| self.places[place].parent.map(|parent| (parent, self.places[parent].code.as_str()));
        let city_of = self.districts.get(district).and_then(|place| above(*place));
        city_of.is_some_and(|(place, code)| code == city && above(place).is_some_and(|(_, code)| code == province))
    }

    /// The codes of the province and the city that a district is in; `None` for any other code.
    pub fn path(&self, district: &str) -> Option<(String, String)> {
        let city = self.places[*self.districts.get(district)?].parent?;
        let province = self.places[city].parent?;
        Some((self.places[province].code.clone(), self.places[city].code.clone()))
    }

    /// Code and name of all provinces.
    pub fn provinces(&self, locale: Locale) -> Vec<(String, String)> {
        self.list(&self.provinces, locale)
    }

    /// Code and name of the cities of a province or the districts of a city; none for any other code.
    pub fn children(&self, code: &str, locale: Locale) -> Vec<(String, String)> {
        self.above.get(code).map(|place| self.list(&self.places[*place].children, locale)).unwrap_or_default()
    }

    /// Code and name of all provinces, of the cities of the chosen province, of the districts of the chosen city: what the
    /// selects of an address offer. A select that lost its choice must not keep a code that no longer fits.
    pub fn choices(&self, form: &mut CheckoutForm, locale: Locale) -> Choices {
        let cities = self.children(&form.province, locale);
        if !cities.iter().any(|(code, _)| *code == form.city) {
            form.city.clear();
        }
        let districts = if form.city.is_empty() { Vec::new() } else { self.children(&form.city, locale) };
        if !districts.iter().any(|(code, _)| *code == form.district) {
            form.district.clear();
        }
        (self.provinces(locale), cities, districts)
    }

    fn list(&self, places: &[usize], locale: Locale) -> Vec<(String, String)> {
        places
            .iter()
            .map(|place| &self.places[*place])
            .map(|place| (place.code.clone(), place.name(locale).to_owned()))
            .collect()
    }

    /// A district with what it lies in, or a city or province: `广东省 深圳市 南山区`, `Nanshan, Shenzhen, Guangdong`.
    /// A name that repeats (municipalities, cities without districts) is written once. Empty for an unknown code.
    pub fn name(&self, code: &str, locale: Locale) -> String {
        let mut next = self.districts.get(code).or_else(|| self.above.get(code)).copied();
        let mut names: Vec<&str> = Vec::new();
        while let Some(place) = next {
            let place = &self.places[place];
            let name = place.name(locale);
            if names.last() != Some(&name) {
                names.push(name);
            }
            next = place.parent;
        }
        match locale {
            Locale::ZhCn => {
                names.reverse();
                names.join(" ")
            }
            Locale::En => names.join(", "),
        }
    }
}

impl Place {
    fn name(&self, locale: Locale) -> &str {
        match locale {
            Locale::ZhCn => &self.name,
            Locale::En => &self.latin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_is_named_with_what_it_lies_in() -> Result<(), serde_json::Error> {
        let divisions = Divisions::load()?;
        assert_eq!(divisions.name("440305", Locale::ZhCn), "广东省 深圳市 南山区");
        assert_eq!(divisions.name("440305", Locale::En), "Nanshan, Shenzhen, Guangdong");
        assert_eq!(divisions.name("110101", Locale::ZhCn), "北京市 东城区");
        assert_eq!(divisions.name("441900", Locale::ZhCn), "广东省 东莞市");
        assert_eq!(divisions.name("440300", Locale::En), "Shenzhen, Guangdong");
        assert_eq!(divisions.name("999999", Locale::ZhCn), "");
        Ok(())
    }

    #[test]
    fn every_district_is_reached_from_its_province() -> Result<(), serde_json::Error> {
        let divisions = Divisions::load()?;
        let mut districts = 0;
        for (province, _) in divisions.provinces(Locale::ZhCn) {
            for (city, _) in divisions.children(&province, Locale::ZhCn) {
                for (district, name) in divisions.children(&city, Locale::En) {
                    assert!(divisions.is_path(&province, &city, &district) && !name.is_empty(), "{district}");
                    assert_eq!(divisions.path(&district), Some((province.clone(), city.clone())));
                    districts += 1;
                }
            }
        }
        assert_eq!(districts, divisions.districts.len());
        assert!(divisions.is_path("440000", "441900", "441900") && !divisions.is_path("440000", "440300", "440300"));
        assert!(!divisions.is_path("440000", "440100", "440305") && divisions.is_path("500000", "500100", "500229"));
        assert!(divisions.children("440305", Locale::ZhCn).is_empty());
        Ok(())
    }
}
