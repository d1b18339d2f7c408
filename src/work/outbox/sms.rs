//! The SMS gateway: any provider's HTTP interface, as a template in the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::request::{BadWay, Request, address};
use crate::clock::beijing_day;
use crate::language::Language;
use crate::secret::Secret;
use crate::store::{Addressee, Message};
use crate::ticket::Number;

/// The text of tickets of which nothing may be told.
const CONFIDENTIAL: &str = "confidential";

/// The gateway. `{phone}`, `{text}`, `{number}` (the ticket's) and `{secret}` are replaced in `url`, `headers` and
/// `body`; all other braces stay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub url: String,
    #[serde(default)]
    pub method: Method,
    /// How values are escaped in `body`, and its content type. In `url` they are always percent-encoded.
    #[serde(default)]
    pub encoding: Encoding,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    /// What `{secret}` stands for: from the environment, or from `secret_file`; never in the configuration file.
    #[serde(default)]
    pub secret: Option<Secret>,
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Words in the answer without which a status of 2xx is no success.
    #[serde(default)]
    pub answer_contains: Option<String>,
    /// In place of the built-in ones, by what is told: `accepted`, `extended` … or `confidential`.
    #[serde(default)]
    pub texts: BTreeMap<String, Texts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Post,
    Get,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Json,
    Form,
}

/// One text in both languages, with `{number}`, `{due}`, `{unit}` and `{day}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    pub zh: String,
    pub bo: String,
}

/// What an SMS's row says beside its event.
#[derive(Debug, Default, Deserialize)]
struct Facts {
    due_day: Option<NaiveDate>,
}

/// A gateway that can be asked.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    texts: BTreeMap<String, Texts>,
}

impl Gateway {
    /// # Errors
    /// The key below `sms` that can't be used.
    pub fn new(config: &Config) -> Result<Gateway, BadWay> {
        address(&filled(&config.url, &[("phone", "1"), ("text", "1"), ("number", "1"), ("secret", "1")]))?;
        let places = [&config.url, &config.body].into_iter().chain(config.headers.values());
        if config.secret.is_none() && places.clone().any(|place| place.contains("{secret}")) {
            let what = "{secret} stands for one: set HOTLINE__SMS__SECRET, or secret_file";
            return Err(BadWay::new("secret", what));
        }
        for needed in ["{phone}", "{text}"] {
            if !config.url.contains(needed) && !config.body.contains(needed) {
                return Err(BadWay::new("body", format!("neither body nor url has {needed}")));
            }
        }
        let mut texts = built_in().clone();
        for (event, replaced) in &config.texts {
            let key = format!("texts.{event}");
            if !texts.contains_key(event) {
                let names: Vec<&str> = texts.keys().map(String::as_str).collect();
                return Err(BadWay::new(key, format!("there are {}", names.join(", "))));
            }
            for text in [&replaced.zh, &replaced.bo] {
                usable(event, text).map_err(|what| BadWay::new(key.clone(), what))?;
            }
            texts.insert(event.clone(), replaced.clone());
        }
        Ok(Gateway { config: config.clone(), texts })
    }

    /// `None` for an event without a text.
    pub(super) fn request(&self, message: &Message, ticket: Number, to: &Addressee) -> Option<Request> {
        let config = &self.config;
        let text = self.text(message, ticket, to)?;
        let number = ticket.to_string();
        let secret = config.secret.as_ref().map_or("", |secret| secret.reveal());
        let values = |escape: fn(&str) -> String| {
            [("phone", to.phone.digits()), ("text", &text), ("number", &number), ("secret", secret)]
                .map(|(name, value)| (name, escape(value)))
        };
        let fill = |template: &str, values: [(&str, String); 4]| {
            filled(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
        };
        let (escape, content_type): (fn(&str) -> String, _) = match config.encoding {
            Encoding::Json => (json, "application/json"),
            Encoding::Form => (percent, "application/x-www-form-urlencoded; charset=utf-8"),
        };
        let mut headers = Vec::new();
        if config.method == Method::Post && !config.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        headers.extend(config.headers.iter().map(|(name, value)| (name.clone(), fill(value, values(str::to_owned)))));
        Some(Request {
            method: match config.method {
                Method::Post => "POST",
                Method::Get => "GET",
            },
            url: fill(&config.url, values(percent)),
            headers,
            body: fill(&config.body, values(escape)),
            answer_contains: config.answer_contains.clone(),
        })
    }

    fn text(&self, message: &Message, ticket: Number, to: &Addressee) -> Option<String> {
        let told: Facts = serde_json::from_str(&message.body).unwrap_or_default();
        let texts = self.texts.get(if to.confidential { CONFIDENTIAL } else { message.event.as_str() })?;
        let template = match to.language {
            Language::Zh => &texts.zh,
            Language::Bo => &texts.bo,
        };
        let date = |day: Option<NaiveDate>| day.map_or_else(|| "—".to_owned(), |day| date(day, to.language));
        let values = [
            ("number", ticket.to_string()),
            ("due", date(told.due_day)),
            ("unit", to.unit.clone().unwrap_or_else(|| "—".to_owned())),
            ("day", date(Some(beijing_day(message.created_at)))),
        ];
        Some(filled(template, &values.each_ref().map(|(name, value)| (*name, value.as_str()))))
    }
}

/// As it is written in that language.
fn date(day: NaiveDate, language: Language) -> String {
    let (year, month, day) = (day.year(), day.month(), day.day());
    match language {
        Language::Zh => format!("{year}年{month}月{day}日"),
        Language::Bo => format!("{year} ལོའི་སྤྱི་ཟླ {month} ཚེས {day}"),
    }
}

fn built_in() -> &'static BTreeMap<String, Texts> {
    static BUILT_IN: LazyLock<BTreeMap<String, Texts>> = LazyLock::new(|| {
        toml::from_str(include_str!("../../../seed/sms.toml")).expect("a test reads the embedded file")
    });
    &BUILT_IN
}

/// Whether a text names only what it may.
fn usable(event: &str, text: &str) -> Result<(), String> {
    let allowed: &[&str] = if event == CONFIDENTIAL { &["number", "day"] } else { &["number", "due", "unit", "day"] };
    for part in text.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        if !allowed.contains(&name) {
            return Err(format!("{{{name}}} stands for nothing here; there are {}", allowed.join(", ")));
        }
    }
    Ok(())
}

/// Puts values in the place of their names, once: what a value holds is not looked at.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 200);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found =
            values.iter().find(|(name, _)| rest[1..].strip_prefix(name).is_some_and(|behind| behind.starts_with('}')));
        match found {
            Some((name, value)) => {
                out.push_str(value);
                rest = &rest[name.len() + 2..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Between the quotes of a JSON string.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}

/// For forms and addresses (RFC 3986 §2.3: all but unreserved characters).
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Phone;
    use crate::ticket::Told;

    fn config(body: &str, encoding: Encoding) -> Config {
        Config {
            url: "http://127.0.0.1:1/send".to_owned(),
            method: Method::Post,
            encoding,
            headers: BTreeMap::from([("X-Key".to_owned(), "key {secret}".to_owned())]),
            body: body.to_owned(),
            secret: Some(Secret::from("a&b".to_owned())),
            secret_file: None,
            answer_contains: None,
            texts: BTreeMap::new(),
        }
    }

    fn number() -> Number {
        "126112200012".parse().expect("a number")
    }

    fn message(event: &str) -> Message {
        Message {
            id: "1-2-sms".to_owned(),
            ticket: Some(number()),
            event: event.to_owned(),
            body: "{\"due_day\":\"2026-11-27\",\"reason\":null}".to_owned(),
            created_at: "2026-11-22T16:30:00Z".parse().expect("a time"),
            attempts: 1,
        }
    }

    fn addressee(language: Language) -> Addressee {
        let phone = Phone::parse("13800000001").expect("a phone");
        Addressee { phone, language, confidential: false, unit: Some("住建局\"A\"".to_owned()) }
    }

    fn text(event: &str, to: &Addressee) -> String {
        Gateway::new(&config("{phone}{text}", Encoding::Json))
            .expect("usable")
            .text(&message(event), number(), to)
            .expect("a text")
    }

    #[test]
    fn every_event_has_a_text_in_both_languages_that_names_the_ticket() {
        for name in Told::ALL.map(Told::name).into_iter().chain([CONFIDENTIAL]) {
            let texts = built_in().get(name).unwrap_or_else(|| panic!("{name} has no text"));
            for text in [&texts.zh, &texts.bo] {
                assert_eq!(usable(name, text), Ok(()), "{name}");
                assert!(text.contains("{number}"), "{name}");
            }
        }
        assert_eq!(built_in().len(), Told::ALL.len() + 1, "and no text without its event");
    }

    #[test]
    fn the_text_is_in_the_tickets_language_with_unit_and_date() {
        let zh = text("accepted", &addressee(Language::Zh));
        assert_eq!(zh, "12345：您的诉求（工单126112200012）已转交住建局\"A\"办理，预计办结日期是2026年11月27日。");
        let bo = text("accepted", &addressee(Language::Bo));
        assert!(bo.contains("126112200012") && bo.contains("2026 ལོའི་སྤྱི་ཟླ 11 ཚེས 27"), "{bo}");
    }

    #[test]
    fn of_a_confidential_ticket_number_and_date_are_all_that_is_told() {
        let to = Addressee { confidential: true, ..addressee(Language::Zh) };
        let texts: Vec<String> = Told::ALL.iter().map(|told| text(told.name(), &to)).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(texts[0], "12345：工单126112200012于2026年11月23日有新的进展，详情请拨打12345查询。");
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        let template = "{\"to\":\"{phone}\",\"say\":\"{text}\",\"n\":{number},\"x\":{}}";
        let gateway = Gateway::new(&config(template, Encoding::Json)).expect("usable");
        let request = gateway.request(&message("accepted"), number(), &addressee(Language::Zh)).expect("a request");
        let body = request.body.replace("\"x\":{}", "\"x\":1");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&body["to"], &body["n"]), (&"13800000001".into(), &126_112_200_012_u64.into()));
        assert!(body["say"].as_str().expect("a text").contains("\"A\""));
        assert!(request.headers.contains(&("X-Key".to_owned(), "key a&b".to_owned())));

        let form = config("mobile={phone}&content={text}&key={secret}", Encoding::Form);
        let gateway = Gateway::new(&form).expect("usable");
        let request = gateway.request(&message("withdrawn"), number(), &addressee(Language::Zh)).expect("a request");
        assert!(request.body.starts_with("mobile=13800000001&content=12345%EF%BC%9A%E6"), "{}", request.body);
        assert!(request.body.ends_with("&key=a%26b"), "{}", request.body);
    }

    #[test]
    fn what_a_value_holds_is_not_replaced_again() {
        assert_eq!(filled("{a}{b}{c}{", &[("a", "{b}"), ("b", "2")]), "{b}2{c}{");
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_key() {
        let key = |change: fn(&mut Config)| {
            let mut config = config("{phone}{text}", Encoding::Json);
            change(&mut config);
            Gateway::new(&config).err().map(|bad| bad.key)
        };
        let texts = |zh: &str| Texts { zh: zh.to_owned(), bo: "{number}".to_owned() };
        assert_eq!(key(|_| {}), None);
        assert_eq!(key(|config| config.secret = None).as_deref(), Some("secret"));
        assert_eq!(key(|config| config.body = "{phone}".to_owned()).as_deref(), Some("body"));
        assert_eq!(key(|config| config.url = "nowhere".to_owned()).as_deref(), Some("url"));
        for (event, text) in [("acceptd", "x"), ("accepted", "{duo}"), ("confidential", "{unit}")] {
            let mut config = config("{phone}{text}", Encoding::Json);
            config.texts.insert(event.to_owned(), texts(text));
            assert_eq!(Gateway::new(&config).err().map(|bad| bad.key), Some(format!("texts.{event}")));
        }
    }
}
