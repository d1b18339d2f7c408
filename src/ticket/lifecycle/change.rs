//! What differs between a ticket and the same ticket after a command: the rows of its audit.

use crate::phone::Phone;

use super::super::{Asked, Handling, Matter, Ticket};

/// A changed field: its name on the wire, what was and what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub field: &'static str,
    pub was: Option<String>,
    pub is: Option<String>,
}

impl Ticket {
    /// The fields in which `after` differs. Marks that follow from others (the version, since when) are left out.
    pub fn changes(&self, after: &Ticket) -> Vec<Change> {
        let (was, is) = (self.fields(), after.fields());
        let differing = was.into_iter().zip(is).filter(|(was, is)| was.1 != is.1);
        differing.map(|((field, was), (_, is))| Change { field, was, is }).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        let mut fields = vec![
            ("state", shown(Some(self.state))),
            ("language", shown(Some(self.language))),
            ("requester", shown(Some(self.requester))),
            ("name", shown(self.name.as_ref())),
            ("enterprise_name", shown(self.enterprise_name.as_ref())),
            ("phone", self.phone.as_ref().map(|phone| Phone::digits(phone).to_owned())),
            ("anonymous", shown(Some(self.anonymous))),
            ("confidential", shown(Some(self.confidential))),
            ("type", shown(self.request_type)),
            ("urgency", shown(Some(self.urgency))),
        ];
        fields.extend(self.matter.fields());
        fields.extend(self.handling.fields());
        fields.extend([
            ("supervision", self.supervision.level.map(|level| level.get().to_string())),
            ("contacted", shown(self.visit.contacted)),
            ("solved", shown(self.visit.solved)),
            ("satisfaction", self.visit.satisfaction.map(|given| given.get().to_string())),
        ]);
        fields
    }
}

impl Matter {
    fn fields(&self) -> [(&'static str, Option<String>); 11] {
        let position = self.position.map(|position| {
            let (latitude, longitude) = position.degrees();
            format!("{latitude:.6}, {longitude:.6}")
        });
        [
            ("title", shown(self.title.as_ref())),
            ("content", shown(self.content.as_ref())),
            ("summary", shown(self.summary.as_ref())),
            ("class", shown(self.class)),
            ("place", shown(self.place.as_ref())),
            ("position", position),
            ("complained_party", shown(self.complained_party.as_ref())),
            ("event", shown(self.event.as_ref())),
            ("media", shown(Some(self.media))),
            ("valid", shown(Some(!self.invalid))),
            ("repeat_of", shown(self.repeat_of)),
        ]
    }
}

impl Handling {
    fn fields(&self) -> [(&'static str, Option<String>); 15] {
        let assisting: Vec<&str> = self.assisting.iter().map(|unit| unit.as_str()).collect();
        [
            ("lead_unit", shown(self.lead.as_ref())),
            ("assisting_units", Some(assisting.join(" ")).filter(|names| !names.is_empty())),
            ("round", shown(Some(self.round))),
            ("contact_due_at", self.contact_due_at.map(|at| at.to_rfc3339())),
            ("contact_at", self.contact_at.map(|at| at.to_rfc3339())),
            ("due_day", shown(self.due_day)),
            ("due_provisional", shown(Some(self.due_provisional))),
            ("extended_by", shown(self.extended_by)),
            ("asked", self.asked.as_ref().map(Asked::summary)),
            ("review_day", shown(self.review_day)),
            ("returns", shown(Some(self.returns))),
            ("reason", shown(self.reason.as_ref())),
            ("reply", shown(self.reply.as_ref())),
            ("excluded", shown(self.excluded.as_ref())),
            ("merged_into", shown(self.merged_into)),
        ]
    }
}

fn shown(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}
