//! `/tickets/{number}`: everything about one ticket, and every command that may be given to it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::clock::Clock;
use super::history::{Act, acts};
use super::named::Named;
use super::offer::{Begun, Offering, Offers, Typed, templates};
use super::stage::{STAGES, marks, stage};
use super::{failed, give, row, seen};
use crate::access::Right;
use crate::console::Shared;
use crate::console::pages::listening::heard::Heard;
use crate::console::pages::{Frame, render};
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::segment::Segment;
use crate::console::tickets::{self, RequesterOut, TicketDetail};
use crate::console::visits::{self, VisitFile, VisitOut};
use crate::store::{Complaints, Likely, NotMatched, VisitStep};
use crate::ticket::calendar::DayLine;
use crate::ticket::supervision::Subject;
use crate::ticket::{DueReasons, Refused, Ticket};

pub const KEYS: &[&str] = &["command", "template"];

/// Why a form has come back.
pub enum Trouble {
    /// Somebody else was quicker; what they did comes after this entry of the audit.
    Changed {
        sequence: u32,
    },
    Refused(Refused),
    Unusable(Problem),
    /// A requester is shown for a reason only.
    NoReason,
    /// A person does not take the visit over.
    NotSkipped(Problem),
}

/// What a page of a ticket is made of.
pub struct Page<'a> {
    pub ticket: Ticket,
    pub trouble: Option<Trouble>,
    pub typed: Option<Typed<'a>>,
    /// Why automatic attempts were to end.
    pub skip: &'a str,
    /// The requester whole, on this answer alone.
    pub whole: Option<RequesterOut>,
    /// Command and template that its form begins with.
    pub begin: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "tickets/show.html")]
struct TicketPage {
    frame: Frame,
    named: Named,
    title: String,
    detail: TicketDetail,
    spoken: String,
    stages: Vec<(String, &'static str)>,
    clock: Option<Clock>,
    contact: Option<Clock>,
    due: Option<DueReasons>,
    map: Option<String>,
    whole: Option<RequesterOut>,
    may_reveal: bool,
    may_attach: bool,
    may_edit: bool,
    may_listen: bool,
    may_visit: bool,
    may_skip: bool,
    skip: String,
    complaints: Vec<Complaints>,
    likely: Vec<Likely>,
    visits: Option<VisitFile>,
    acts: Vec<Act>,
    offers: Offers,
    /// What is to be sent with a command.
    sequence: u32,
    notice: Option<Notice>,
    heard: Heard,
}

/// What stands over the page when a form has come back.
struct Notice {
    words: String,
    /// What others did meanwhile.
    acts: Vec<Act>,
    /// What was typed, where no form of the page has it.
    typed: Vec<(String, String)>,
}

pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(parameters): Extension<Parameters>,
    Segment(number): Segment,
) -> Result<Response, Problem> {
    let ticket = seen(&shared, &frame, &number).await?;
    let begin = parameters.text("command").zip(parameters.text("template"));
    Page { begin, ..Page::of(ticket) }.render(&shared, frame).await
}

impl<'a> Page<'a> {
    pub fn of(ticket: Ticket) -> Page<'a> {
        Page { ticket, trouble: None, typed: None, skip: "", whole: None, begin: None }
    }

    pub async fn render(self, shared: &Shared, frame: Frame) -> Result<Response, Problem> {
        let status = self.trouble.as_ref().map_or(StatusCode::OK, Trouble::status);
        let Page { ticket, trouble, typed, skip, whole, begin } = self;
        let named = Named::read(shared, &frame).await?;
        let detail = tickets::detail(shared, &frame.asking, ticket.number).await?;
        let history = acts(&frame, &named, &detail.audit);
        let templates = templates(shared, &frame, ticket.city).await?;
        let begun = begin.and_then(|(command, id)| Begun::of(command, id, &templates, &ticket));
        let left_over = typed.as_ref().map(|typed| (typed.command, typed.fields));
        let offering = Offering { shared, frame: &frame, named: &named, ticket: &ticket, templates, typed, begun };
        let offers = offering.offers().await?;
        let notice = trouble.map(|trouble| {
            let mut notice = Notice::of(&frame, &named, &ticket, trouble, &history);
            if let Some((command, fields)) = left_over.filter(|(command, _)| !offers.has(command)) {
                notice.keep(&frame, command, fields);
            }
            notice
        });
        let clocks = shared.store.clocks(std::slice::from_ref(&ticket), shared.clock.wall()).await.map_err(failed)?;
        let clocks = clocks.into_iter().next();
        let caller = &frame.asking.caller;
        let names = STAGES.map(|name| frame.name("stage", name));
        let page = TicketPage {
            title: row::title(&frame, &ticket),
            spoken: spoken(&ticket),
            stages: names.into_iter().zip(marks(stage(&ticket))).collect(),
            clock: clocks.as_ref().and_then(|clocks| clocks.limit.as_ref()).map(|time| Clock::of(&frame, time)),
            contact: clocks
                .and_then(|clocks| clocks.contact)
                .map(|(due, light)| Clock::of_contact(&frame, due, light, shared.clock.wall())),
            due: match ticket.handling.due_day {
                Some(_) => Some(shared.store.due_reasons(&ticket).await.map_err(failed)?),
                None => None,
            },
            map: map(&ticket),
            whole,
            may_reveal: frame.may(Right::Reveal) && caller.sees_requester(&ticket).is_ok(),
            may_attach: caller.may_attach(&ticket).is_ok(),
            may_edit: frame.may(Right::Receive) && ticket.state == crate::ticket::State::Received,
            may_listen: frame.may(Right::Listen),
            may_visit: frame.may(Right::Receive),
            may_skip: frame.may(Right::Supervise),
            skip: skip.to_owned(),
            complaints: shared.store.complaints_about(&ticket, shared.clock.wall()).await.map_err(failed)?,
            likely: likely(shared, &frame, &ticket).await?,
            visits: match frame.may(Right::ReadVisits) {
                true => Some(visits::file(shared, &frame.asking, &ticket).await?),
                false => None,
            },
            sequence: detail.audit.iter().map(|act| act.sequence).max().unwrap_or_default(),
            acts: history,
            offers,
            notice,
            heard: Heard::of(shared, &frame, &ticket).await?,
            detail,
            named,
            frame,
        };
        let mut response = render(&page)?;
        *response.status_mut() = status;
        Ok(response)
    }
}

impl TicketPage {
    fn day_note(&self, line: &DayLine) -> String {
        let reason = self.frame.name("day_reason", line.reason.name());
        match line.reason.by() {
            Some(scope) => format!("{reason}（{}）", self.frame.name("scope", scope)),
            None => reason,
        }
    }

    fn likely_title(&self, likely: &Likely) -> String {
        match &likely.title {
            Some(title) => title.to_string(),
            None if likely.shielded => self.frame.t("ticket.shielded").to_owned(),
            None => self.frame.t("inbox.untitled").to_owned(),
        }
    }

    /// What speaks for it.
    fn likely_because(&self, likely: &Likely) -> String {
        let parts = &likely.parts;
        let of = [("phone", parts.phone), ("class", parts.class), ("place", parts.place), ("text", parts.text)];
        let named = of.iter().filter(|(_, score)| *score > 0).map(|(part, _)| self.frame.name("likely_part", part));
        named.collect::<Vec<_>>().join(" · ")
    }

    fn visit_is_due(&self) -> bool {
        self.visits.as_ref().is_some_and(|file| file.visits.iter().any(|visit| visit.state == "due"))
    }

    /// Automatic attempts are still to come.
    fn visit_can_be_skipped(&self) -> bool {
        let automatic =
            |visit: &VisitOut| visit.state == "due" && visit.step.is_none_or(|step| step != VisitStep::Person);
        self.may_skip && self.visits.as_ref().is_some_and(|file| file.visits.iter().any(automatic))
    }

    /// Which complaints are counted together.
    fn counted(&self, of: &Complaints) -> String {
        match &of.subject {
            Subject::Matter { class, .. } => {
                self.frame.with("ticket.same_matter", self.named.class(&class.to_string()))
            }
            Subject::Unit { unit, .. } => self.frame.with("ticket.same_unit", self.named.unit(unit.as_str())),
        }
    }

    fn count(&self, of: &Complaints) -> String {
        self.frame.fill("ticket.complaints", &[&of.window_days, &of.tickets, &of.threshold])
    }

    fn lang(&self, text: &str) -> &'static str {
        row::lang(text)
    }

    fn blocked(&self, command: &str, why: &str) -> String {
        self.frame.fill("ticket.blocked", &[&command, &why])
    }

    /// A file's length as people read it.
    fn size(&self, bytes: &u64) -> String {
        match bytes {
            0..1024 => format!("{bytes} B"),
            1024..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
            _ => format!("{}.{} MB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20),
        }
    }

    fn may_merge(&self) -> bool {
        self.offers.has("merge")
    }
}

impl Offers {
    pub fn has(&self, command: &str) -> bool {
        self.offers.iter().any(|offer| offer.name == command)
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Trouble::Changed { .. } => StatusCode::CONFLICT,
            Trouble::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Trouble::Unusable(_) | Trouble::NoReason => StatusCode::BAD_REQUEST,
            Trouble::NotSkipped(problem) => problem.kind().status(),
        }
    }
}

impl Notice {
    fn of(frame: &Frame, named: &Named, ticket: &Ticket, trouble: Trouble, history: &[Act]) -> Notice {
        let (words, acts) = match trouble {
            Trouble::Changed { sequence } => {
                let meanwhile = history.iter().filter(|act| act.sequence > sequence).cloned().collect();
                (frame.t("ticket.changed").to_owned(), meanwhile)
            }
            Trouble::Refused(why) => (give::words(frame, named, why, ticket), Vec::new()),
            Trouble::Unusable(problem) => {
                let field = problem.parameter_name().unwrap_or_default();
                (frame.fill("ticket.unusable", &[&frame.name("field", field)]), Vec::new())
            }
            Trouble::NotSkipped(problem) => {
                let rule = problem.rule().and_then(|rule| frame.known_name("trouble_rule", rule));
                (rule.unwrap_or_else(|| frame.t("ticket.skip_unusable").to_owned()), Vec::new())
            }
            Trouble::NoReason => (frame.t("ticket.no_reason").to_owned(), Vec::new()),
        };
        Notice { words, acts, typed: Vec::new() }
    }

    fn keep(&mut self, frame: &Frame, command: &str, fields: &crate::console::pages::Fields) {
        let Some(form) = super::command::CommandForm::named(command) else { return };
        let typed = form.fields.iter().filter_map(|field| {
            let label = frame.name("command_field", format!("{command}_{}", field.name));
            Some((label, fields.text(field.name)?.to_owned()))
        });
        self.typed.extend(typed);
    }
}

/// In four groups of three, as it is read out.
fn spoken(ticket: &Ticket) -> String {
    let groups = ticket.number.groups();
    groups.map(|group| group.map(|digit| digit.to_string()).concat()).join(" ")
}

/// A map of elsewhere, by the coordinates alone; only who follows the link asks there.
fn map(ticket: &Ticket) -> Option<String> {
    let (latitude, longitude) = ticket.matter.position?.degrees();
    Some(format!("https://uri.amap.com/marker?position={longitude:.6},{latitude:.6}&coordinate=wgs84"))
}

/// Likely repeats, for who may merge.
async fn likely(shared: &Shared, frame: &Frame, ticket: &Ticket) -> Result<Vec<Likely>, Problem> {
    if !frame.may(Right::Receive) || !ticket.state.is_open() {
        return Ok(Vec::new());
    }
    match shared.store.likely_repeats(ticket.number, shared.clock.wall()).await {
        Ok(likely) => Ok(likely),
        Err(NotMatched::Unknown) => Ok(Vec::new()),
        Err(NotMatched::Store(error)) => Err(failed(error)),
    }
}
