//! What a browser keeps: the session's cookie, and the proof that its forms send back.

use ureq::http::StatusCode;

use crate::people::PASSWORD;
use crate::service::{Reply, Service};

/// A browser in which somebody has signed in.
pub struct Browser<'s> {
    service: &'s Service,
    pub cookie: String,
    pub csrf: String,
}

impl Service {
    /// Signs in by the form; the account has the password of `people::person`.
    pub fn browser(&self, name: &str) -> Browser<'_> {
        let reply = self.submit("/sign-in", &[], &[("account", name), ("password", PASSWORD)]);
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
        let cookie = reply.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
        let mut browser = Browser { service: self, cookie, csrf: String::new() };
        let account = browser.page("/account");
        browser.csrf = hidden(&account, "csrf").expect("a proof").to_owned();
        browser
    }

    /// A form, with exactly these headers.
    pub fn submit(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let form = serde_urlencoded::to_string(fields).expect("a form");
        let headers = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
        self.send_bytes("POST", path, &headers, form.as_bytes())
    }
}

impl Browser<'_> {
    pub fn get(&self, path: &str) -> Reply {
        self.service.ask("GET", path, &[("cookie", &self.cookie)])
    }

    /// A page that has to be there.
    pub fn page(&self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    /// A form of one of our pages.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.service.submit(path, &[("cookie", &self.cookie)], &fields)
    }

    /// A form that takes a file, with one or without; a file has a name and a media type.
    pub fn hand_in(&self, path: &str, fields: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> Reply {
        let mut body = Vec::new();
        for (name, value) in [&[("csrf", self.csrf.as_str())], fields].concat() {
            let part = format!("--line\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        if let Some((name, of, bytes)) = file {
            let disposition = format!("form-data; name=\"file\"; filename=\"{}\"", name.replace('"', "%22"));
            body.extend(
                format!("--line\r\ncontent-disposition: {disposition}\r\ncontent-type: {of}\r\n\r\n").into_bytes(),
            );
            body.extend(bytes);
            body.extend(*b"\r\n");
        }
        body.extend(*b"--line--\r\n");
        let headers = [("cookie", self.cookie.as_str()), ("content-type", "multipart/form-data; boundary=line")];
        self.service.send_bytes("POST", path, &headers, &body)
    }

    /// A form that is taken; gives where it leads.
    pub fn sent(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let reply = self.post(path, fields);
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path}: {}", reply.text());
        reply.header("location").expect("a place").to_owned()
    }
}

/// The value of a hidden field.
pub fn hidden<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let start = page.find(&format!("name=\"{name}\" value=\""))?;
    let value = &page[start..];
    let value = &value[value.find("value=\"")? + 7..];
    value.split('"').next()
}
