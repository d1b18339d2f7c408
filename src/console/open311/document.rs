//! A document that is written as JSON and as XML alike: what GeoReport v2 calls a response.

use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The two formats of GeoReport v2: XML is required, JSON optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Xml,
}

impl Format {
    /// The format of a path's last part, and the part without it.
    pub fn split(segment: &str) -> Option<(&str, Format)> {
        let (name, ending) = segment.rsplit_once('.')?;
        match ending {
            "json" => Some((name, Format::Json)),
            "xml" => Some((name, Format::Xml)),
            _ => None,
        }
    }
}

/// One thing with its members in their order; a member without a value is left out in JSON and empty in XML.
#[derive(Clone, Debug, Default)]
pub struct Element(Vec<(&'static str, Member)>);

#[derive(Clone, Debug)]
enum Member {
    Text(Option<String>),
    Number(Option<f64>),
    Flag(bool),
    /// The name of an item in XML, and the items.
    List(&'static str, Vec<Element>),
}

impl Element {
    pub fn text(mut self, name: &'static str, value: impl Into<Option<String>>) -> Element {
        self.0.push((name, Member::Text(value.into())));
        self
    }

    pub fn number(mut self, name: &'static str, value: Option<f64>) -> Element {
        self.0.push((name, Member::Number(value)));
        self
    }

    pub fn flag(mut self, name: &'static str, value: bool) -> Element {
        self.0.push((name, Member::Flag(value)));
        self
    }

    pub fn list(mut self, name: &'static str, item: &'static str, items: Vec<Element>) -> Element {
        self.0.push((name, Member::List(item, items)));
        self
    }

    fn json(&self) -> Value {
        let members = self.0.iter().filter_map(|(name, member)| Some(((*name).to_owned(), member.json()?)));
        Value::Object(members.collect::<Map<_, _>>())
    }

    fn xml(&self, out: &mut String) {
        for (name, member) in &self.0 {
            match member {
                Member::Text(value) => tag(out, name, value.as_deref().unwrap_or_default()),
                Member::Number(value) => tag(out, name, &value.map(|value| value.to_string()).unwrap_or_default()),
                Member::Flag(value) => tag(out, name, if *value { "true" } else { "false" }),
                Member::List(item, items) => {
                    let _ = write!(out, "<{name}>");
                    for element in items {
                        wrapped(out, item, element);
                    }
                    let _ = write!(out, "</{name}>");
                }
            }
        }
    }
}

impl Member {
    fn json(&self) -> Option<Value> {
        match self {
            Member::Text(value) => value.as_ref().map(|value| json!(value)),
            Member::Number(value) => value.map(|value| json!(value)),
            Member::Flag(value) => Some(json!(value)),
            Member::List(_, items) => Some(items.iter().map(Element::json).collect()),
        }
    }
}

/// The root of a document.
#[derive(Clone, Debug)]
pub enum Root {
    /// Items of one name in a list of another: an array in JSON.
    List {
        list: &'static str,
        item: &'static str,
        items: Vec<Element>,
    },
    One {
        name: &'static str,
        element: Element,
    },
}

impl Root {
    pub fn respond(&self, format: Format, status: StatusCode) -> Response {
        let (media_type, body) = match format {
            Format::Json => ("application/json; charset=utf-8", self.json().to_string()),
            Format::Xml => ("text/xml; charset=utf-8", self.xml()),
        };
        let mut response = (status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }

    fn json(&self) -> Value {
        match self {
            Root::List { items, .. } => items.iter().map(Element::json).collect(),
            Root::One { element, .. } => element.json(),
        }
    }

    fn xml(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        match self {
            Root::List { list, item, items } => {
                let _ = write!(out, "<{list}>");
                for element in items {
                    wrapped(&mut out, item, element);
                }
                let _ = write!(out, "</{list}>");
            }
            Root::One { name, element } => wrapped(&mut out, name, element),
        }
        out
    }
}

fn wrapped(out: &mut String, name: &str, element: &Element) {
    let _ = write!(out, "<{name}>");
    element.xml(out);
    let _ = write!(out, "</{name}>");
}

fn tag(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "<{name}>");
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // what XML 1.0 can't hold (§2.2)
            c if (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    let _ = write!(out, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let inner = Element::default().text("key", "a".to_owned()).flag("flag", true);
        let element = Element::default()
            .text("name", "路灯 <坏> & \u{1}གློག".to_owned())
            .text("nothing", None)
            .number("lat", Some(29.65))
            .list("values", "value", vec![inner]);
        let root = Root::List { list: "services", item: "service", items: vec![element] };
        assert_eq!(
            root.xml(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<services><service><name>路灯 &lt;坏&gt; &amp; གློག</name>\
             <nothing></nothing><lat>29.65</lat><values><value><key>a</key><flag>true</flag></value></values>\
             </service></services>"
        );
        assert_eq!(root.json()[0]["values"][0]["flag"], true);
        assert!(root.json()[0].get("nothing").is_none());
    }

    #[test]
    fn the_format_is_the_last_parts_ending() {
        assert_eq!(Format::split("0101.json"), Some(("0101", Format::Json)));
        assert_eq!(Format::split("a.b.xml"), Some(("a.b", Format::Xml)));
        assert_eq!(Format::split("0101"), None);
        assert_eq!(Format::split("0101.html"), None);
    }
}
