//! How the catalogue's entries look on the wire.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::City;
use crate::store::Placed;
use crate::ticket::catalogue::{
    self, Class, Group, Knowledge, KnowledgeId, PromptId, Reason, ReasonCode, ReasonKind, ReplyTemplate, Subject,
    TemplateId, TemplateKind, Title, Unit, UnitCode, UnitPhone,
};

/// Entries, in the order they are shown in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entries<T> {
    pub items: Vec<T>,
}

/// A class or a group of classes, but for its code.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClassIn)]
pub struct ClassIn {
    #[schema(value_type = String)]
    pub zh: Title,
    #[schema(value_type = String)]
    pub bo: Title,
    /// Words of a request that speak for the class, in either language. A group has none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub keywords: Vec<Title>,
    /// A retired entry stays with the tickets that have it and is offered for no other; so in every entry.
    #[serde(default = "active")]
    pub active: bool,
}

/// A class (four digits) or the group of classes (two digits) that its first two digits name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Class)]
pub struct ClassOut {
    #[schema(examples("0103"))]
    pub code: String,
    #[serde(flatten)]
    pub class: ClassIn,
}

/// A handling unit (承办单位), but for its code.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UnitIn)]
pub struct UnitIn {
    pub city: City,
    #[schema(value_type = String)]
    pub zh: Title,
    #[schema(value_type = String)]
    pub bo: Title,
    /// The public number of its desk.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub phone: Option<UnitPhone>,
    /// Classes and groups that it usually handles.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub classes: Vec<Subject>,
    #[serde(default = "active")]
    pub active: bool,
}

/// A handling unit (承办单位).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unit)]
pub struct UnitOut {
    #[schema(value_type = String, examples("lhasa-housing"))]
    pub code: UnitCode,
    #[serde(flatten)]
    pub unit: UnitIn,
}

/// A reason that a person picks, but for its kind and code.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickedReasonIn)]
pub struct ReasonIn {
    #[schema(value_type = String)]
    pub zh: Title,
    #[schema(value_type = String)]
    pub bo: Title,
    /// A refusal's: what the requester is told, with the place to go to instead; in Chinese. Null for other kinds.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub told_to_requester: Option<catalogue::Body>,
    #[serde(default = "active")]
    pub active: bool,
}

/// A reason that a person picks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickedReason)]
pub struct ReasonOut {
    pub kind: ReasonKind,
    #[schema(value_type = String, examples("litigation"))]
    pub code: ReasonCode,
    #[serde(flatten)]
    pub reason: ReasonIn,
}

/// An answer to a common question (知识库), but for its id.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KnowledgeIn)]
pub struct KnowledgeIn {
    /// Null: every city.
    #[serde(default)]
    pub city: Option<City>,
    /// Who wrote it and reads it again.
    #[schema(value_type = String)]
    pub unit: UnitCode,
    /// Lower ones come first. Left out, the entry stays where it is; a new one comes last.
    #[serde(default)]
    pub position: Option<u32>,
    #[schema(value_type = String)]
    pub title_zh: Title,
    #[schema(value_type = String)]
    pub title_bo: Title,
    #[schema(value_type = String)]
    pub text_zh: catalogue::Body,
    #[schema(value_type = String)]
    pub text_bo: catalogue::Body,
    /// The day it has to be read again.
    pub review_on: NaiveDate,
    /// The prompt that offers it in the consult menu; it and `prompt` are there together or not at all.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub choice: Option<PromptId>,
    /// The prompt that reads it out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub prompt: Option<PromptId>,
    #[serde(default = "active")]
    pub active: bool,
}

/// An answer to a common question (知识库).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Knowledge)]
pub struct KnowledgeOut {
    #[schema(value_type = String, examples("social-insurance"))]
    pub id: KnowledgeId,
    #[serde(flatten)]
    pub entry: KnowledgeIn,
}

/// A text that somebody begins with and then changes, but for its id.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplyTemplateIn)]
pub struct TemplateIn {
    /// Null: every city.
    #[serde(default)]
    pub city: Option<City>,
    /// Whose it is; of that city, if there is one. Null: everybody's.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub unit: Option<UnitCode>,
    pub kind: TemplateKind,
    /// In Chinese.
    #[schema(value_type = String)]
    pub title: Title,
    #[schema(value_type = String)]
    pub text_zh: catalogue::Body,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub text_bo: Option<catalogue::Body>,
    #[serde(default = "active")]
    pub active: bool,
}

/// A text that somebody begins with and then changes (模板).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplyTemplate)]
pub struct TemplateOut {
    #[schema(value_type = String, examples("contact-first"))]
    pub id: TemplateId,
    #[serde(flatten)]
    pub template: TemplateIn,
}

const fn active() -> bool {
    true
}

impl From<Group> for ClassOut {
    fn from(group: Group) -> ClassOut {
        let Group { code, zh, bo, active } = group;
        ClassOut { code: code.to_string(), class: ClassIn { zh, bo, keywords: Vec::new(), active } }
    }
}

impl From<Class> for ClassOut {
    fn from(class: Class) -> ClassOut {
        let Class { code, zh, bo, keywords, active } = class;
        ClassOut { code: code.to_string(), class: ClassIn { zh, bo, keywords, active } }
    }
}

impl From<Unit> for UnitOut {
    fn from(unit: Unit) -> UnitOut {
        let Unit { code, city, zh, bo, phone, classes, active } = unit;
        UnitOut { code, unit: UnitIn { city, zh, bo, phone, classes, active } }
    }
}

impl From<Reason> for ReasonOut {
    fn from(reason: Reason) -> ReasonOut {
        let Reason { kind, code, zh, bo, told_to_requester, active } = reason;
        ReasonOut { kind, code, reason: ReasonIn { zh, bo, told_to_requester, active } }
    }
}

impl From<Placed> for KnowledgeOut {
    fn from(placed: Placed) -> KnowledgeOut {
        let Placed { entry, position } = placed;
        let Knowledge { id, city, unit, title_zh, title_bo, text_zh, text_bo, review_on, choice, prompt, active } =
            entry;
        let position = Some(position);
        KnowledgeOut {
            id,
            entry: KnowledgeIn {
                city,
                unit,
                position,
                title_zh,
                title_bo,
                text_zh,
                text_bo,
                review_on,
                choice,
                prompt,
                active,
            },
        }
    }
}

impl KnowledgeIn {
    pub fn entry(&self, id: KnowledgeId) -> Knowledge {
        Knowledge {
            id,
            city: self.city,
            unit: self.unit.clone(),
            title_zh: self.title_zh.clone(),
            title_bo: self.title_bo.clone(),
            text_zh: self.text_zh.clone(),
            text_bo: self.text_bo.clone(),
            review_on: self.review_on,
            choice: self.choice.clone(),
            prompt: self.prompt.clone(),
            active: self.active,
        }
    }
}

impl From<ReplyTemplate> for TemplateOut {
    fn from(template: ReplyTemplate) -> TemplateOut {
        let ReplyTemplate { id, city, unit, kind, title, text_zh, text_bo, active } = template;
        TemplateOut { id, template: TemplateIn { city, unit, kind, title, text_zh, text_bo, active } }
    }
}

impl TemplateIn {
    pub fn template(self, id: TemplateId) -> ReplyTemplate {
        let TemplateIn { city, unit, kind, title, text_zh, text_bo, active } = self;
        ReplyTemplate { id, city, unit, kind, title, text_zh, text_bo, active }
    }
}
