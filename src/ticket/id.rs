//! Ids: UUIDs that sort by time (version 7, RFC 9562 §5.7).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// An id of that millisecond; `random` makes it unique, 74 bits of it are used.
            pub fn new(at: DateTime<Utc>, random: [u8; 10]) -> $name {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
                $name(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<$name, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<$name, BadId> {
                // one spelling only: the id is also a key in the database and a file's name
                let id = Uuid::try_parse(text).map_err(|_| BadId)?;
                if $name(id).to_string() == text { Ok($name(id)) } else { Err(BadId) }
            }
        }
    };
}

id! {
    /// One call, in or out; the same in the database, in sidecars and in logs.
    CallId
}

id! {
    /// A person's account.
    AccountId
}

id! {
    /// Another system that uses the API.
    ClientId
}

id! {
    /// A file that belongs to a ticket.
    AttachmentId
}

id! {
    /// One try to reach a requester for a return visit.
    AttemptId
}

id! {
    /// The supervision of a matter or a unit.
    SupervisionId
}

id! {
    /// A list that somebody keeps under a name.
    ViewId
}

id! {
    /// A ticket that is looked at for its quality (质检).
    ReviewId
}

id! {
    /// One recording; also the name of its file.
    RecordingId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_their_text() {
        let early = CallId::new("2026-11-22T01:02:03Z".parse().expect("a time"), [255; 10]);
        let late = CallId::new("2026-11-22T01:02:03.001Z".parse().expect("a time"), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = RecordingId::new("2026-11-22T01:02:03Z".parse().expect("a time"), [171; 10]).to_string();
        assert_eq!(id.to_uppercase().parse::<RecordingId>(), Err(BadId));
        assert_eq!(id.replace('-', "").parse::<RecordingId>(), Err(BadId));
        assert_eq!("../../etc/passwd".parse::<RecordingId>(), Err(BadId));
    }
}
