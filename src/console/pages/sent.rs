//! What a form sends, once it is certain that the form is one of ours.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};

use super::frame::Visitor;
use crate::console::Shared;
use crate::console::problem::{Kind, Problem};

/// The fields of a form.
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// What was typed, without the spaces around it; `None` when nothing was.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.trim()).find(|value| !value.is_empty())
    }

    /// With this value in place of what was typed there.
    pub fn with(mut self, key: &str, value: String) -> Fields {
        self.0.retain(|(name, _)| name != key);
        self.0.push((key.to_owned(), value));
        self
    }

    /// Exactly what was typed.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of a field that is there more than once, such as boxes that are ticked.
    pub fn all<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f str> + 'f {
        let of_key = self.0.iter().filter(move |(name, _)| name == key);
        of_key.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A value whose error text says what is allowed, such as a city.
    pub fn value<T: FromStr<Err: std::fmt::Display>>(&self, key: &str) -> Result<Option<T>, Problem> {
        let read = |text: &str| text.parse().map_err(|error| bad(key, format!("`{key}`: {error}.")));
        self.text(key).map(read).transpose()
    }

    /// As [`Fields::value`], of a field that has to be filled.
    pub fn needed<T: FromStr<Err: std::fmt::Display>>(&self, key: &str) -> Result<T, Problem> {
        self.value(key)?.ok_or_else(|| bad(key, format!("`{key}` has to be filled in.")))
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    fn read(bytes: &[u8]) -> Result<Fields, Problem> {
        let fields = serde_urlencoded::from_bytes(bytes);
        fields.map(Fields).map_err(|_| Problem::new(Kind::BadBody, "The form is not encoded as forms are."))
    }
}

/// A field of the form is to blame.
pub fn bad(key: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Kind::BadBody, detail).parameter(key)
}

/// A form that was sent from one of our pages, by who looks at it.
pub struct Sent(pub Fields);

impl FromRequest<Arc<Shared>> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Sent, Problem> {
        ours(request.headers(), shared.config.public_url.as_deref())?;
        let csrf = request.extensions().get::<Visitor>().map(|visitor| Arc::clone(&visitor.csrf));
        if !is(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Problem::new(Kind::MediaType, "A form is sent as application/x-www-form-urlencoded."));
        }
        let bytes = Bytes::from_request(request, shared).await;
        let bytes = bytes.map_err(|_| Problem::new(Kind::BodyTooLarge, "The form is too long."))?;
        let fields = Fields::read(&bytes)?;
        proven(&fields, csrf.as_deref())?;
        Ok(Sent(fields))
    }
}

/// A file and its name, as the browser tells them: neither is to be believed.
pub struct File {
    pub name: String,
    pub media_type: String,
    pub bytes: Bytes,
}

/// As [`Sent`], with the file of the field `file`, if one was chosen.
pub struct Uploaded {
    pub fields: Fields,
    pub file: Option<File>,
}

impl FromRequest<Arc<Shared>> for Uploaded {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Uploaded, Problem> {
        ours(request.headers(), shared.config.public_url.as_deref())?;
        let csrf = request.extensions().get::<Visitor>().map(|visitor| Arc::clone(&visitor.csrf));
        let form = Multipart::from_request(request, shared).await;
        let mut form = form.map_err(|_| Problem::new(Kind::MediaType, "A form with a file is multipart/form-data."))?;
        let (mut fields, mut file) = (Fields::default(), None);
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                proven(&fields, csrf.as_deref())?;
                let media_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
                let name = field.file_name().unwrap_or_default().to_owned();
                let bytes = field.bytes().await.map_err(broken)?;
                file = (!bytes.is_empty()).then_some(File { name, media_type, bytes });
            } else {
                fields.0.push((name, field.text().await.map_err(broken)?));
            }
        }
        proven(&fields, csrf.as_deref())?;
        Ok(Uploaded { fields, file })
    }
}

fn broken(error: axum::extract::multipart::MultipartError) -> Problem {
    match error.status().as_u16() {
        413 => Problem::new(Kind::BodyTooLarge, "The file is larger than this page takes."),
        _ => Problem::new(Kind::BadBody, "The form did not arrive whole."),
    }
}

/// Browsers say which site a form is on: `Sec-Fetch-Site`, or the older `Origin`, whose host has to be the one that is
/// asked, or the public one.
fn ours(headers: &HeaderMap, public: Option<&str>) -> Result<(), Problem> {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let same = match (of("sec-fetch-site"), of("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            (host.is_some() && host == of("host")) || public.is_some_and(|url| url.trim_end_matches('/') == origin)
        }
        (None, None) => true,
    };
    if same { Ok(()) } else { Err(Problem::new(Kind::Forbidden, "This form was on a page of another site.")) }
}

/// Whoever has signed in sends what their pages hold.
fn proven(fields: &Fields, csrf: Option<&str>) -> Result<(), Problem> {
    let Some(csrf) = csrf else { return Ok(()) };
    let sent = fields.raw("csrf").unwrap_or_default();
    // every byte is looked at, whichever differs
    let differs = sent.bytes().zip(csrf.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other));
    if sent.len() == csrf.len() && differs == 0 {
        Ok(())
    } else {
        Err(Problem::new(Kind::Forbidden, "The page is from another session: load it anew and send it again."))
    }
}

fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(headers: &[(&'static str, &'static str)]) -> bool {
        let named = |(name, value): &(&'static str, &'static str)| {
            (name.parse::<axum::http::HeaderName>().expect("a name"), HeaderValue::from_static(value))
        };
        ours(&headers.iter().map(named).collect(), Some("https://12345.example/")).is_ok()
    }

    #[test]
    fn a_form_of_another_site_is_not_taken() {
        let host = ("host", "hotline.example:8443");
        assert!(from(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!from(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!from(&[host, ("sec-fetch-site", "same-site"), ("origin", "https://hotline.example:8443")]));
        assert!(from(&[host, ("origin", "https://hotline.example:8443")]));
        assert!(from(&[host, ("origin", "https://12345.example")]), "the proxy has changed the host");
        for origin in ["https://hotline.example", "https://evil.example", "null", "https://hotline.example:8443.evil"] {
            assert!(!from(&[host, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn only_the_sessions_own_proof_is_taken() {
        let fields = |text: &str| Fields::read(text.as_bytes()).expect("a form");
        assert!(proven(&fields("csrf=abc"), Some("abc")).is_ok());
        for wrong in ["", "csrf=", "csrf=ab", "csrf=abd", "csrf=abcd", "other=abc"] {
            assert!(proven(&fields(wrong), Some("abc")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_are_read_once_or_many_times() {
        let fields = Fields::read("ticket=1&ticket=2&note=+two+words+&empty=".as_bytes()).expect("a form");
        assert_eq!(fields.all("ticket").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((fields.text("note"), fields.text("empty"), fields.text("none")), (Some("two words"), None, None));
        assert_eq!(fields.value::<u32>("ticket").expect("a number"), Some(1));
        assert!(fields.needed::<u32>("empty").is_err() && fields.value::<u32>("note").is_err());
    }
}
