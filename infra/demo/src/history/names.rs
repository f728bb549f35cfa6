//! Made-up names of companies and people, with their e-mail addresses.
//!
//! Invariant: no two clients share an address, and every address is in a domain reserved for examples (RFC 2606), so
//! no real person ever gets an e-mail.

use std::collections::HashSet;

use fastrand::Rng;
use serde_json::{Map, Value, json};

const STEMS: [&str; 72] = [
    "Albrecht",
    "Almeida",
    "Andersson",
    "Aurora",
    "Baltic",
    "Bauer",
    "Bergmann",
    "Bianchi",
    "Blue Harbour",
    "Brandt",
    "Brennan",
    "Castillo",
    "Clearwater",
    "Corvus",
    "Costa",
    "Dalgaard",
    "Delacroix",
    "Dubois",
    "Eklund",
    "Evergreen",
    "Falcon",
    "Ferrari",
    "Fischer",
    "Fjord",
    "Gallagher",
    "García",
    "Granite",
    "Grünwald",
    "Hansen",
    "Hartley",
    "Helvetia",
    "Hoffmann",
    "Ivanov",
    "Jansen",
    "Juniper",
    "Kaya",
    "Keller",
    "Kestrel",
    "Kowalski",
    "Lambert",
    "Larsen",
    "Lehmann",
    "Lindqvist",
    "Lumen",
    "Marchetti",
    "Meridian",
    "Moreau",
    "Müller",
    "Nakamura",
    "Nordlicht",
    "Novák",
    "O'Connell",
    "Okafor",
    "Oliveira",
    "Papadakis",
    "Petrov",
    "Quantum",
    "Redwood",
    "Romano",
    "Rossi",
    "Sakura",
    "Schneider",
    "Silva",
    "Sørensen",
    "Summit",
    "Tanaka",
    "Valcourt",
    "Van Dijk",
    "Vega",
    "Weber",
    "Yıldız",
    "Zimmermann",
];
const TRADES: [&str; 34] = [
    "Analytics",
    "Architekten",
    "Automotive",
    "Bakery",
    "Catering",
    "Chemicals",
    "Consulting",
    "Dental",
    "Design",
    "Energy",
    "Engineering",
    "Finance",
    "Foods",
    "Gardens",
    "Health",
    "Hotels",
    "Immobilien",
    "Insurance",
    "Kitchens",
    "Legal",
    "Logistics",
    "Marine",
    "Media",
    "Medical",
    "Optics",
    "Pharma",
    "Print",
    "Robotics",
    "Schools",
    "Security",
    "Software",
    "Textiles",
    "Travel",
    "Wines",
];
const FIRST_NAMES: [&str; 40] = [
    "Aisha",
    "Alexander",
    "Amélie",
    "Anna",
    "Ayşe",
    "Ben",
    "Camille",
    "Carlos",
    "Chiara",
    "Daniel",
    "Elena",
    "Emma",
    "Erik",
    "Fatima",
    "Felix",
    "Giulia",
    "Hannah",
    "Hiroshi",
    "Ines",
    "Jakub",
    "Jonas",
    "Julia",
    "Katarzyna",
    "Lars",
    "Lena",
    "Lucas",
    "Maria",
    "Mateo",
    "Mehmet",
    "Nadia",
    "Noah",
    "Olga",
    "Paul",
    "Priya",
    "Rafael",
    "Sofia",
    "Tom",
    "Viktor",
    "Yuki",
    "Zoë",
];
const PLACES: [(&str, &str, &str); 14] = [
    ("AT", "Wien", "+43 1 5550"),
    ("BE", "Gent", "+32 9 555 0"),
    ("CH", "Zürich", "+41 44 555 0"),
    ("DE", "Bremen", "+49 421 5550"),
    ("DE", "München", "+49 89 5550"),
    ("DK", "Aarhus", "+45 5550 "),
    ("ES", "Valencia", "+34 960 55 0"),
    ("FR", "Lyon", "+33 4 5550 "),
    ("GB", "Leeds", "+44 113 496 0"),
    ("IT", "Torino", "+39 011 555 0"),
    ("NL", "Utrecht", "+31 30 555 0"),
    ("PL", "Gdańsk", "+48 58 555 0"),
    ("SE", "Göteborg", "+46 31 555 0"),
    ("US", "Portland", "+1 503 555 01"),
];
const FORMS: [(&str, &str); 11] = [
    ("AT", "GmbH"),
    ("BE", "BV"),
    ("CH", "AG"),
    ("DE", "GmbH"),
    ("DK", "ApS"),
    ("ES", "S.L."),
    ("FR", "SARL"),
    ("GB", "Ltd"),
    ("IT", "S.r.l."),
    ("NL", "B.V."),
    ("US", "Inc."),
];
const PARTNERS: [&str; 16] = [
    "Systems",
    "IT Partners",
    "Solutions",
    "Distribution",
    "Software House",
    "Networks",
    "Cloud Services",
    "Digital",
    "Resale",
    "Technologies",
    "Consult",
    "Office Systems",
    "Data Works",
    "Business IT",
    "Computing",
    "Licensing",
];

/// Makes up names, and remembers which addresses are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    clients: u32,
}

/// A random element of `of`; the default value if `of` is empty.
pub(super) fn one<T: Copy + Default>(rng: &mut Rng, of: &[T]) -> T {
    rng.choice(of).copied().unwrap_or_default()
}

impl Names {
    /// The request body for a new client: usually a company, sometimes a person.
    pub fn client(&mut self, rng: &mut Rng) -> Value {
        let (country, city, prefix) = one(rng, &PLACES);
        let (stem, first) = (one(rng, &STEMS), one(rng, &FIRST_NAMES));
        let (name, email) = if rng.u32(..100) < 18 {
            let email = self.free(&format!("{}.{}", slug(first), slug(stem)), "example.net");
            (format!("{first} {stem}"), email)
        } else {
            let trade = one(rng, &TRADES);
            let desk = one(rng, &["info", "office", "it", "billing", "licences"]);
            let email = self.free(&format!("{desk}.{}-{}", slug(stem), slug(trade)), "example.com");
            let form = FORMS.iter().find(|(at, _)| *at == country);
            let form = form.map(|(_, form)| format!(" {form}")).unwrap_or_default();
            (format!("{stem} {trade}{form}"), email)
        };
        self.clients += 1;
        let mut body = Map::new();
        body.insert("name".into(), name.into());
        body.insert("email".into(), email.into());
        if rng.u32(..100) < 60 {
            let phone = format!("{prefix}{}", rng.u32(100..1000));
            body.insert("phone".into(), phone.into());
        }
        if rng.u32(..100) < 40 {
            let number = format!("CRM-{:06}", self.clients);
            body.insert("client_id".into(), number.into());
        }
        if rng.u32(..100) < 50 {
            let metadata = json!({"country": country, "city": city, "seats": rng.u32(1..400)});
            body.insert("metadata".into(), metadata);
        }
        body.into()
    }

    pub fn reseller(&mut self, rng: &mut Rng) -> (String, String) {
        let (stem, line) = (one(rng, &STEMS), one(rng, &PARTNERS));
        let local = format!("partners.{}-{}", slug(stem), slug(line));
        (format!("{stem} {line}"), self.free(&local, "example.com"))
    }

    /// An address that is not taken yet: with a number appended if necessary.
    fn free(&mut self, local: &str, domain: &str) -> String {
        let mut address = format!("{local}@{domain}");
        let mut number = 1;
        while !self.taken.insert(address.clone()) {
            number += 1;
            address = format!("{local}{number}@{domain}");
        }
        address
    }
}

/// A name in the form it takes in an e-mail address: lower-case ASCII letters and hyphens.
fn slug(name: &str) -> String {
    let plain = name.to_lowercase();
    let letters = plain.chars().filter_map(|letter| match letter {
        'a'..='z' => Some(letter),
        'ä' | 'å' | 'á' | 'ã' => Some('a'),
        'é' | 'è' | 'ë' => Some('e'),
        'í' | 'ı' => Some('i'),
        'ö' | 'ø' | 'ó' => Some('o'),
        'ü' => Some('u'),
        'ş' => Some('s'),
        'ń' => Some('n'),
        ' ' => Some('-'),
        _ => None,
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_another_one_and_an_example() {
        let (mut names, mut rng) = (Names::default(), Rng::with_seed(1));
        let mut seen = HashSet::new();
        for _ in 0..6_000 {
            let body = names.client(&mut rng);
            let email = body["email"].as_str().unwrap().to_owned();
            let known: Result<purser_domain::basic::email::EmailAddress, _> = email.clone().try_into();
            assert!(known.is_ok(), "{email}");
            let example = email.ends_with("@example.com") || email.ends_with("@example.net");
            assert!(example && seen.insert(email.clone()), "{email}");
        }
    }
}
