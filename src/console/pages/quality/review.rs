//! One review: the recordings, the form, the scores, the appeal.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::access::Right;
use crate::console::Shared;
use crate::console::pages::listening::heard::Heard;
use crate::console::pages::listening::player::Player;
use crate::console::pages::{Fields, Frame, Sent, done, render};
use crate::console::problem::{Kind, Problem};
use crate::console::reviews::{FileOut, Words, give_appeal, give_decision, give_score, may_appeal, seen};
use crate::console::segment::Segment;
use crate::store::{ActorNames, ReviewFile, StoreError};
use crate::ticket::quality::{Fatal, Item, Points, ReviewState};
use crate::ticket::{Actor, Ticket};

#[derive(Template)]
#[template(path = "quality/review.html")]
struct ReviewPage {
    frame: Frame,
    file: FileOut,
    names: ActorNames,
    /// Title, class and summary; `None` when this person does not see the ticket.
    ticket: Option<Ticket>,
    players: Vec<Player>,
    may_score: bool,
    may_appeal: bool,
    may_decide: bool,
}

impl ReviewPage {
    fn actor(&self, actor: &Actor) -> String {
        self.names.get(actor).map_or_else(|| actor.to_string(), |name| name.name.clone())
    }

    fn person(&self) -> String {
        let person = self.file.review.person.map(Actor::Account);
        person.map_or_else(|| "—".to_owned(), |person| self.actor(&person))
    }

    fn title(&self) -> &str {
        let title = self.ticket.as_ref().and_then(|ticket| ticket.matter.title.as_ref());
        title.map_or("", |title| title.as_str())
    }

    fn summary(&self) -> &str {
        let matter = self.ticket.as_ref().map(|ticket| &ticket.matter);
        let text = matter.and_then(|matter| matter.summary.as_ref().or(matter.content.as_ref()));
        text.map_or("", |text| text.as_str())
    }
}

pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Segment(id): Segment) -> Result<Response, Problem> {
    let file = seen(&shared, &frame.asking, &id).await?;
    let ticket = shared.store.ticket_alone(file.review.ticket).await.map_err(failed)?;
    let caller = &frame.asking.caller;
    // what is drawn may have gone to another unit since, or be for named people only
    let ticket = ticket.filter(|ticket| caller.sees(ticket) && caller.sees_requester(ticket).is_ok());
    let players = match &ticket {
        Some(ticket) => Heard::of(&shared, &frame, ticket).await?.players,
        None => Vec::new(),
    };
    let names = shared.store.actor_names(acted(&file)).await.map_err(failed)?;
    let own = file.review.person.is_some_and(|person| caller.actor == Actor::Account(person));
    let scored_by = |at: usize| file.scores.get(at).is_some_and(|score| score.scorer == caller.actor);
    let open = file.review.state != ReviewState::Decided && file.scores.len() < 2;
    let may_score = caller.has(Right::Score) && ticket.is_some() && open && !own && !scored_by(0);
    let may_appeal = file.review.state == ReviewState::Scored && may_appeal(&file.review, caller);
    let may_decide = caller.has(Right::Score) && file.review.state == ReviewState::Appealed && !scored_by(0);
    let file = FileOut::new(file, caller);
    render(&ReviewPage { frame, file, names, ticket, players, may_score, may_appeal, may_decide })
}

fn acted(file: &ReviewFile) -> Vec<Actor> {
    let said = [&file.review.appeal, &file.review.decision].into_iter().flatten().map(|said| said.actor);
    let scored = file.scores.iter().map(|score| score.scorer);
    said.chain(scored).chain(file.review.person.map(Actor::Account)).collect()
}

pub async fn score(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let point = |item: &Item| Ok(Points { item: *item, points: fields.needed(item.name())? });
    let points = Item::ALL.iter().map(point).collect::<Result<Vec<Points>, Problem>>()?;
    let fatal = fields.all("fatal").map(str::parse).collect::<Result<Vec<Fatal>, _>>();
    let fatal = fatal.map_err(|wrong| Problem::new(Kind::BadBody, format!("{wrong}.")).parameter("fatal"))?;
    let note: Option<Words> = text(&fields, "note")?;
    let note = note.map(String::from).unwrap_or_default();
    let file = give_score(&shared, &frame.asking, &id, points, fatal, note).await?;
    done(&format!("/quality/{}", file.review.id), "scored")
}

pub async fn appeal(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let words = text(&fields, "text")?.unwrap_or_default();
    let file = give_appeal(&shared, &frame.asking, &id, &words).await?;
    done(&format!("/quality/{}", file.review.id), "appealed")
}

pub async fn decide(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(id): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let words = text(&fields, "text")?.unwrap_or_default();
    let upheld = fields.text("upheld") == Some("yes");
    let file = give_decision(&shared, &frame.asking, &id, upheld, &words).await?;
    done(&format!("/quality/{}", file.review.id), "decided")
}

fn text(fields: &Fields, key: &str) -> Result<Option<Words>, Problem> {
    let read = |text: &str| Words::try_from(text.to_owned());
    let wrong = |wrong| Problem::new(Kind::BadBody, format!("{wrong}.")).parameter(key);
    fields.text(key).map(read).transpose().map_err(wrong)
}

fn failed(error: StoreError) -> Problem {
    Problem::internal("review", &error)
}
