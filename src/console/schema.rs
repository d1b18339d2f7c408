//! How the domain's types look in the OpenAPI document: their names on the wire, from the types themselves.

use std::borrow::Cow;
use std::fmt::Display;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{Right, Role, Scope};
use crate::city::City;
use crate::language::Language;
use crate::store::VisitStep;
use crate::ticket::quality::{Fatal, Item, ReviewState, Why};
use crate::ticket::{
    Action, Actor, Alarm, AttachmentId, AttemptId, CallEnd, CallId, Channel, Contacted, Direction, EndedBy, EventKind,
    Means, Number, Outcome, ReasonKind, RecordingId, RecordingKind, RecordingState, RequestType, Requester, ReviewId,
    Solved, State, SupervisionId, TemplateKind, Urgency, Way,
};

/// A string that is one of these.
pub fn names<T: Display>(all: impl IntoIterator<Item = T>) -> ObjectBuilder {
    let names: Vec<String> = all.into_iter().map(|value| value.to_string()).collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names))
}

macro_rules! named {
    ($($type:ident),+ $(,)?) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                names($type::ALL.iter().copied()).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )+};
}

named!(
    Action,
    Alarm,
    CallEnd,
    Channel,
    City,
    Contacted,
    Direction,
    EndedBy,
    EventKind,
    Fatal,
    Item,
    Language,
    Means,
    Outcome,
    ReasonKind,
    RecordingKind,
    RecordingState,
    RequestType,
    Requester,
    ReviewState,
    Right,
    Role,
    Scope,
    Solved,
    State,
    TemplateKind,
    Urgency,
    VisitStep,
    Way,
    Why,
);

/// The bytes of a WAV file.
pub struct Wav;

macro_rules! text {
    ($($type:ident: $schema:expr),+ $(,)?) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text: ObjectBuilder = $schema(ObjectBuilder::new().schema_type(Type::String));
                text.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )+};
}

text! {
    Actor: |text: ObjectBuilder| text
        .description(Some("`caller`, `system`, `repair`, `operator`, `account ID` or `client ID`.")),
    AttachmentId: |text: ObjectBuilder| text.format(Some(uuid())),
    AttemptId: |text: ObjectBuilder| text.format(Some(uuid())),
    CallId: |text: ObjectBuilder| text.format(Some(uuid())),
    RecordingId: |text: ObjectBuilder| text.format(Some(uuid())),
    ReviewId: |text: ObjectBuilder| text.format(Some(uuid())),
    SupervisionId: |text: ObjectBuilder| text.format(Some(uuid())),
    Number: |text: ObjectBuilder| text
        .pattern(Some("^[1-7][0-9]{11}$"))
        .description(Some("City, day, sequence and a Luhn digit."))
        .examples(["126112200012"]),
    Wav: |text: ObjectBuilder| text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))),
}

fn uuid() -> SchemaFormat {
    SchemaFormat::Custom("uuid".to_owned())
}
