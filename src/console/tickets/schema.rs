//! How the commands look in the OpenAPI document.

use std::borrow::Cow;

use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::console::schema::names;
use crate::ticket::{Alarm, Contacted, Means, Solved, Urgency};

/// The body of a command.
pub struct CommandIn;

impl ToSchema for CommandIn {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Command")
    }
}

impl PartialSchema for CommandIn {
    fn schema() -> RefOr<Schema> {
        let one_of = COMMANDS.iter().fold(OneOfBuilder::new(), |all, command| all.item(command.object()));
        Schema::from(one_of.build()).into()
    }
}

struct Shape {
    command: &'static str,
    words: &'static str,
    members: &'static [(&'static str, Kind, bool)],
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Unit,
    Units,
    Reason,
    Class,
    Day,
    Time,
    Ticket,
    Recording,
    Days,
    Flag,
    Small(u32),
    Degrees,
    NoVisit,
    RequestType,
    Requester,
    Language,
    Urgency,
    Means,
    Contacted,
    Solved,
    Alarm,
}

const NEEDED: bool = true;
const IF_WANTED: bool = false;

macro_rules! shapes {
    ($($command:literal $words:literal { $($member:literal $kind:expr, $needed:expr);* }),+ $(,)?) => {
        &[$(Shape { command: $command, words: $words, members: &[$(($member, $kind, $needed)),*] }),+]
    };
}

use Kind::{Class, Day, Days, Flag, NoVisit, Reason, Recording, Small, Text, Ticket, Time, Unit, Units};

const COMMANDS: &[Shape] = shapes! {
    "edit" "Classifies and edits what is received; an empty text takes a field away." {
        "title" Text, IF_WANTED; "content" Text, IF_WANTED; "summary" Text, IF_WANTED; "class" Class, IF_WANTED;
        "place" Text, IF_WANTED; "position" Kind::Degrees, IF_WANTED; "complained_party" Text, IF_WANTED;
        "urgency" Kind::Urgency, IF_WANTED; "type" Kind::RequestType, IF_WANTED;
        "requester" Kind::Requester, IF_WANTED; "name" Text, IF_WANTED; "enterprise_name" Text, IF_WANTED;
        "phone" Text, IF_WANTED; "anonymous" Flag, IF_WANTED; "confidential" Flag, IF_WANTED;
        "language" Kind::Language, IF_WANTED; "valid" Flag, IF_WANTED; "media" Flag, IF_WANTED;
        "event" Text, IF_WANTED; "repeat_of" Ticket, IF_WANTED
    },
    "correct" "Mends who to reach." { "phone" Text, IF_WANTED; "name" Text, IF_WANTED },
    "note" "Writes something down." { "text" Text, NEEDED },
    "answer" "直接办结" { "reply" Text, NEEDED },
    "refuse" "不予受理" { "reason" Reason, NEEDED; "note" Text, NEEDED },
    "dispatch" "交办" { "unit" Unit, NEEDED; "assisting" Units, IF_WANTED },
    "sign" "签收" {},
    "return" "退回, within a working day" { "ground" Reason, NEEDED; "note" Text, NEEDED },
    "accept_return" "The return is right: it is dispatched anew." {},
    "reject_return" "The unit has to handle it." { "why" Text, NEEDED },
    "record_contact" "The requester was contacted." { "told" Text, NEEDED; "at" Time, IF_WANTED },
    "ask_extension" "延期, once, before the due date" {
        "working_days" Days, NEEDED; "reason" Reason, NEEDED; "note" Text, NEEDED
    },
    "ask_suspension" "挂账" { "until" Day, NEEDED; "reason" Reason, NEEDED; "note" Text, NEEDED },
    "ask_exclusion" "To be left out of the rates." { "reason" Reason, NEEDED; "note" Text, NEEDED },
    "grant" "Grants what was asked; by another person." {},
    "deny" "Denies what was asked." { "why" Text, NEEDED },
    "suspend" "挂账, at once" { "until" Day, NEEDED; "reason" Reason, NEEDED; "note" Text, NEEDED },
    "resume" "Goes on after a suspension." {},
    "reply" "The unit's answer, for review." { "text" Text, NEEDED },
    "pass" "The reply passes review; a return visit is due." {},
    "fail" "The reply is not enough." { "why" Text, NEEDED },
    "visited" "The answers of a return visit; at least one." {
        "means" Kind::Means, NEEDED; "contacted" Kind::Contacted, IF_WANTED; "solved" Kind::Solved, IF_WANTED;
        "satisfaction" Small(5), IF_WANTED; "redo" Flag, IF_WANTED; "recording" Recording, IF_WANTED
    },
    "end_visit" "The return visit came to nothing." { "because" NoVisit, NEEDED },
    "uphold" "重办: the recheck finds the requester right." {},
    "dismiss" "The recheck finds the matter solved." { "why" Text, NEEDED },
    "merge" "并案" { "into" Ticket, NEEDED },
    "withdraw" "By the requester." { "why" Text, NEEDED },
    "reopen" "The requester says that it is not solved." { "why" Text, NEEDED },
    "urge" "催办, once a working day" {},
    "instruct" "By a leader." { "text" Text, NEEDED },
    "transfer" "改派" { "unit" Unit, NEEDED; "assisting" Units, IF_WANTED; "why" Text, NEEDED },
    "supervise" "督办" { "level" Small(4), NEEDED; "why" Text, NEEDED },
    "step_up" "By the clock alone." {},
    "raise" "By the clock alone." { "alarm" Kind::Alarm, NEEDED },
};

impl Shape {
    fn object(&self) -> Object {
        let mut object = ObjectBuilder::new()
            .description(Some(self.words))
            .property("command", names([self.command]))
            .required("command")
            .property("version", whole(1, u32::MAX).description(Some("Of the ticket as it was read.")))
            .required("version");
        for (name, kind, needed) in self.members {
            object = object.property(*name, kind.schema());
            if *needed {
                object = object.required(*name);
            }
        }
        object.build()
    }
}

fn whole(low: u32, high: u32) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(low)).maximum(Some(high))
}

impl Kind {
    fn schema(self) -> RefOr<Schema> {
        let text = |words: &'static str| ObjectBuilder::new().schema_type(Type::String).description(Some(words));
        let degrees = || ObjectBuilder::new().schema_type(Type::Number);
        match self {
            Kind::Text => ObjectBuilder::new().schema_type(Type::String).into(),
            Kind::Unit => text("A unit's code.").into(),
            Kind::Units => ArrayBuilder::new().items(text("A unit's code.")).into(),
            Kind::Reason => text("A reason's code.").into(),
            Kind::Class => text("A class's code.").into(),
            Kind::Day => text("A day in Beijing, YYYY-MM-DD.").into(),
            Kind::Time => text("RFC 3339.").into(),
            Kind::Ticket => Ref::from_schema_name("Number").into(),
            Kind::Recording => Ref::from_schema_name("RecordingId").into(),
            Kind::Days => whole(1, 366).into(),
            Kind::Flag => ObjectBuilder::new().schema_type(Type::Boolean).into(),
            Kind::Small(high) => whole(1, high).into(),
            Kind::Degrees => ObjectBuilder::new()
                .property("latitude", degrees())
                .property("longitude", degrees())
                .required("latitude")
                .required("longitude")
                .into(),
            Kind::NoVisit => names(["unreached", "no_phone", "declined"]).into(),
            Kind::RequestType => Ref::from_schema_name("RequestType").into(),
            Kind::Requester => names(crate::ticket::Requester::ALL).into(),
            Kind::Language => Ref::from_schema_name("Language").into(),
            Kind::Urgency => names(Urgency::ALL).into(),
            Kind::Means => names(Means::ALL).into(),
            Kind::Contacted => names(Contacted::ALL).into(),
            Kind::Solved => names(Solved::ALL).into(),
            Kind::Alarm => names(Alarm::ALL).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::Command;

    #[test]
    fn every_described_command_is_one_and_no_other_name_is() {
        for shape in COMMANDS {
            let text = serde_json::json!({ "command": shape.command, "unknown_member": 1 }).to_string();
            let error =
                serde_json::from_str::<Command>(&text).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(!error.starts_with("unknown variant"), "{}: {error}", shape.command);
        }
        let error =
            serde_json::from_str::<Command>(r#"{"command": "shout"}"#).expect_err("no such command").to_string();
        for shape in COMMANDS {
            assert!(error.contains(&format!("`{}`", shape.command)), "{error}");
        }
        assert_eq!(error.matches('`').count(), 2 * (COMMANDS.len() + 1), "{error}");
    }
}
