//! Reading and changing the headers of a message by name.

use rsip::headers::{Header, Headers};

use super::header;
use super::value::{
    BadValue, CSeq, MediaType, NameAddr, RAck, RetryAfter, SessionExpires, Via, delta_seconds, list, max_forwards,
};

/// Access to rsip's [`Headers`]. Names are compared without case and given in full (`"Call-ID"`, not `"i"`): compact
/// forms are expanded when a message is read.
///
/// A typed read gives `None` both for a header that isn't there and for one that can't be read;
/// `try_…` tells them apart. Via, From, To, Call-ID and CSeq of a received message are there and sound.
#[expect(clippy::wrong_self_convention, reason = "From is the header's name")]
pub trait Fields {
    /// The value of the first header of that name.
    fn find(&self, name: &str) -> Option<&str>;
    /// The value of every header of that name, in order, commas not split.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str>;
    /// Puts the header in the place of every one of that name, or at the end.
    fn put(&mut self, name: &str, value: impl Into<String>);
    /// Adds a header after all others.
    fn add(&mut self, name: &str, value: impl Into<String>);
    /// Adds a header before all others.
    fn add_first(&mut self, name: &str, value: impl Into<String>);
    fn remove(&mut self, name: &str);

    fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The elements of every header of that name, commas split (RFC 3261 §7.3.1).
    fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).flat_map(list).filter(|one| !one.is_empty())
    }

    /// Whether a list of tokens (Supported, Require, Allow …) holds this one.
    fn lists(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|one| one.eq_ignore_ascii_case(token))
    }

    fn call_id(&self) -> Option<&str> {
        self.find("Call-ID")
    }

    fn cseq(&self) -> Option<CSeq> {
        CSeq::parse(self.find("CSeq")?).ok()
    }

    fn from_header(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.find("From")?).ok()
    }

    fn to_header(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.find("To")?).ok()
    }

    fn from_tag(&self) -> Option<&str> {
        self.from_header()?.tag()
    }

    fn to_tag(&self) -> Option<&str> {
        self.to_header()?.tag()
    }

    /// The topmost Via.
    fn via(&self) -> Option<Via<'_>> {
        self.vias().next()
    }

    fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.elements("Via").map_while(|text| Via::parse(text).ok())
    }

    /// The first Contact; `None` for `*`.
    fn contact(&self) -> Option<NameAddr<'_>> {
        self.contacts().next()
    }

    fn contacts(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.elements("Contact").filter_map(|text| NameAddr::parse(text).ok())
    }

    /// The route set of a request, topmost first, each value as written.
    fn routes(&self) -> impl Iterator<Item = &str> {
        self.elements("Route")
    }

    fn record_routes(&self) -> impl Iterator<Item = &str> {
        self.elements("Record-Route")
    }

    fn try_max_forwards(&self) -> Option<Result<u8, BadValue>> {
        self.find("Max-Forwards").map(max_forwards)
    }

    fn expires(&self) -> Option<u32> {
        delta_seconds(self.find("Expires")?).ok()
    }

    fn try_session_expires(&self) -> Option<Result<SessionExpires, BadValue>> {
        self.find("Session-Expires").map(SessionExpires::parse)
    }

    fn session_expires(&self) -> Option<SessionExpires> {
        self.try_session_expires()?.ok()
    }

    /// Min-SE in seconds.
    fn min_se(&self) -> Option<u32> {
        let text = self.find("Min-SE")?;
        delta_seconds(text.split(';').next().unwrap_or(text)).ok()
    }

    fn rseq(&self) -> Option<u32> {
        delta_seconds(self.find("RSeq")?).ok()
    }

    fn rack(&self) -> Option<RAck> {
        RAck::parse(self.find("RAck")?).ok()
    }

    fn retry_after(&self) -> Option<RetryAfter> {
        RetryAfter::parse(self.find("Retry-After")?).ok()
    }

    fn content_type(&self) -> Option<MediaType<'_>> {
        MediaType::parse(self.find("Content-Type")?).ok()
    }

    /// Elements of a list of option tags that are not among `ours` (for 420 and Unsupported).
    fn unknown_options<'a>(&'a self, name: &'a str, ours: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.elements(name).filter(|one| !ours.iter().any(|our| our.eq_ignore_ascii_case(one)))
    }
}

impl Fields for Headers {
    fn find(&self, name: &str) -> Option<&str> {
        self.iter().find(|one| header::name(one).eq_ignore_ascii_case(name)).map(header::value)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |one| header::name(one).eq_ignore_ascii_case(name)).map(header::value)
    }

    fn put(&mut self, name: &str, value: impl Into<String>) {
        let mut value = Some(header::make(name, value));
        let mut headers: Vec<Header> = std::mem::take(self).into();
        headers.retain_mut(|one| {
            if !header::name(one).eq_ignore_ascii_case(name) {
                return true;
            }
            match value.take() {
                Some(new) => {
                    *one = new;
                    true
                }
                None => false,
            }
        });
        headers.extend(value);
        *self = headers.into();
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.push(header::make(name, value));
    }

    fn add_first(&mut self, name: &str, value: impl Into<String>) {
        let mut headers: Vec<Header> = std::mem::take(self).into();
        headers.insert(0, header::make(name, value));
        *self = headers.into();
    }

    fn remove(&mut self, name: &str) {
        self.retain(|one| !header::name(one).eq_ignore_ascii_case(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.add(name, *value);
        }
        headers
    }

    #[test]
    fn lists_over_several_headers_are_one_list() {
        let headers =
            headers(&[("Supported", "timer, 100rel"), ("k", "path"), ("Via", "SIP/2.0/UDP a"), ("Supported", "")]);
        assert_eq!(headers.elements("supported").collect::<Vec<_>>(), ["timer", "100rel", "path"]);
        assert!(headers.lists("Supported", "Path") && !headers.lists("Supported", "gruu"));
        let unknown: Vec<&str> = headers.unknown_options("Supported", &["timer"]).collect();
        assert_eq!(unknown, ["100rel", "path"]);
    }

    #[test]
    fn put_leaves_one_header_in_its_place() {
        let mut headers = headers(&[("Via", "a"), ("X-A", "1"), ("To", "b"), ("x-a", "2")]);
        headers.put("X-a", "3");
        headers.put("Via", "c");
        headers.put("CSeq", "1 BYE");
        headers.add_first("Route", "r");
        let lines: Vec<(&str, &str)> = headers.iter().map(|one| (header::name(one), header::value(one))).collect();
        assert_eq!(lines, [("Route", "r"), ("Via", "c"), ("X-a", "3"), ("To", "b"), ("CSeq", "1 BYE")]);
        headers.remove("VIA");
        assert!(!headers.has("Via"));
    }
}
