//! Calls of the last hours, written as a call writes itself: its row, what happened in it, two recordings, a ticket.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;

use crate::app::demo::Stuck;
use crate::city::City;
use crate::clock::Clock;
use crate::config::Config;
use crate::language::Language;
use crate::phone::Phone;
use crate::prompt::Prompts;
use crate::store::{CallEvent, EndedCall, NewCall, NewTicket, RecordingFolder, RequestFacts, Sidecar, Store};
use crate::ticket::{
    Actor, CallEnd, CallId, Direction, EndedBy, EventKind, RecordingId, RecordingKind, RequestType, Requester, Urgency,
};

const CALLS: usize = 60;
/// They began so long ago, one every few minutes.
const BEGAN: TimeDelta = TimeDelta::hours(5);

/// What a citizen says, in the prompts' voices, and what kind of request it is.
const SAID: [(RequestType, Urgency, &[&str]); 5] = [
    (RequestType::Complaint, Urgency::Normal, &["office.transport", "type.complaint", "kb.traffic", "office.city"]),
    (RequestType::Help, Urgency::Urgent, &["office.housing", "type.help", "kb.home", "office.city"]),
    (RequestType::Consult, Urgency::Normal, &["type.consult", "kb.home", "office.housing"]),
    (RequestType::Report, Urgency::Normal, &["type.report", "office.city", "kb.traffic"]),
    (RequestType::Suggest, Urgency::Normal, &["type.suggest", "office.transport", "kb.traffic"]),
];
/// What the hotline says before the citizen speaks.
const HEARD: [(&str, &str); 4] =
    [("greeting", "greet.hello"), ("notice", "notice.record"), ("main", "menu.head"), ("record", "rec.intro")];

/// Writes them; gives their number.
pub async fn calls(store: &Store, config: &Config, random: &mut impl RngExt) -> Result<usize, Stuck> {
    let folder = RecordingFolder::open(config.data.join("recordings")).map_err(|error| Stuck::new("folder", error))?;
    let now = Clock::start().wall();
    for at in 0..CALLS {
        let started_at = now - BEGAN + BEGAN / i32::try_from(CALLS).expect("a few") * i32::try_from(at).expect("a few");
        let past = Past::new(at, started_at, &config.node, random);
        past.write(store, &folder).await.map_err(|error| Stuck::new(format!("call {at}"), error))?;
    }
    Ok(CALLS)
}

/// One call.
struct Past {
    call: NewCall,
    language: Language,
    request: RequestFacts,
    /// A-law of what is said and of what is heard before it.
    said: Vec<u8>,
    heard: Vec<u8>,
    events: Vec<(u64, EventKind, String)>,
    recordings: [RecordingId; 2],
}

impl Past {
    fn new(at: usize, started_at: DateTime<Utc>, node: &str, random: &mut impl RngExt) -> Past {
        let language = Language::ALL[at % 2];
        let (request_type, urgency, words) = SAID[at % SAID.len()];
        let city = City::ALL[at % City::ALL.len()];
        // 019 is no place in China: nobody has such a number
        let phone = Phone::parse(&format!("019{:08}", random.random_range(0..100_000_000_u32)));
        let prompts = Prompts::embedded();
        let sound = |id: &str| prompts.clip(language, id).map(|clip| clip.alaw().to_vec()).unwrap_or_default();
        let mut events = vec![(0, EventKind::Sip, "<- INVITE".to_owned()), (1, EventKind::Sip, "-> 200 OK".to_owned())];
        let mut heard = Vec::new();
        for (node, prompt) in HEARD {
            let ms = milliseconds(heard.len());
            events.push((ms, EventKind::Node, node.to_owned()));
            events.push((ms, EventKind::Prompt, format!("{language} {prompt}")));
            heard.extend(sound(prompt));
            if node == "greeting" || node == "main" {
                events.push((milliseconds(heard.len()), EventKind::Key, format!("{} rtp", 1 + at % 2)));
            }
        }
        let said: Vec<u8> = words.iter().flat_map(|id| sound(id)).collect();
        let call = NewCall {
            id: CallId::new(started_at, random.random()),
            node: node.to_owned(),
            direction: Direction::Inbound,
            sip_call_id: None,
            city,
            line: format!("{}12345", city.area_code()),
            phone: phone.clone(),
            language: Some(language),
            started_at,
            answered_at: Some(started_at),
        };
        let request = RequestFacts {
            language,
            requester: Requester::Citizen,
            request_type: Some(request_type),
            urgency,
            confidential: request_type == RequestType::Report,
            phone,
            other_phone: None,
            confirmed: true,
            discarded: false,
        };
        let recordings = [RecordingId::new(started_at, random.random()), RecordingId::new(started_at, random.random())];
        Past { call, language, request, said, heard, events, recordings }
    }

    async fn write(mut self, store: &Store, folder: &RecordingFolder) -> Result<(), Box<dyn std::error::Error>> {
        let (started_at, id) = (self.call.started_at, self.call.id);
        let speaks_at = milliseconds(self.heard.len());
        let ends_at = speaks_at + milliseconds(self.said.len());
        store.insert_call(&self.call).await?;
        let [request, whole] = self.recordings;
        let begun = started_at + TimeDelta::milliseconds(i64::try_from(speaks_at)?);
        self.record(store, folder, request, RecordingKind::Request, begun).await?;
        self.record(store, folder, whole, RecordingKind::Call, started_at).await?;
        let new = NewTicket {
            call: id,
            recordings: vec![request],
            city: self.call.city,
            line: self.call.line.clone(),
            language: self.language,
            requester: self.request.requester,
            phone: self.request.phone.clone(),
            other_phone: None,
            confidential: self.request.confidential,
            request_type: self.request.request_type,
            urgency: self.request.urgency,
            confirmed: true,
            actor: Actor::Caller,
        };
        let ended_at = started_at + TimeDelta::milliseconds(i64::try_from(ends_at)?);
        let submitted = store.submit_ticket(&new, ended_at).await?;
        self.events.push((speaks_at, EventKind::Recording, format!("{request} begins")));
        self.events.push((ends_at, EventKind::Ticket, submitted.number.to_string()));
        self.events.push((ends_at, EventKind::Sip, "<- BYE".to_owned()));
        let figures = format!(
            r#"{{"packets_in":{0},"packets_out":{0},"lost":{1},"late":0,"jitter_ms":1.4,"round_trip_ms":18.0}}"#,
            ends_at / 20,
            ends_at / 20_000
        );
        self.events.push((ends_at, EventKind::Rtp, figures));
        store.append_events(&self.events(started_at)).await?;
        let end = EndedCall { id, answered_at: None, language: None, ended_at, ended_by: CallEnd::Caller };
        store.close_call(&end).await?;
        Ok(())
    }

    fn events(&self, started_at: DateTime<Utc>) -> Vec<CallEvent> {
        let event = |(sequence, (offset_ms, kind, text)): (u32, &(u64, EventKind, String))| CallEvent {
            call: self.call.id,
            sequence,
            at: started_at + TimeDelta::milliseconds(offset_ms.cast_signed()),
            offset_ms: *offset_ms,
            kind: *kind,
            text: text.clone(),
        };
        (0..).zip(&self.events).map(event).collect()
    }

    async fn record(
        &self,
        store: &Store,
        folder: &RecordingFolder,
        recording: RecordingId,
        kind: RecordingKind,
        started_at: DateTime<Utc>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let request = (kind == RecordingKind::Request).then(|| self.request.clone());
        let sidecar = Sidecar { recording, kind, started_at, call: self.call.clone(), request, outcome: None };
        let (mut writer, mut beside) = folder.create(sidecar)?;
        store.begin_recording(&beside.sidecar().new_recording(writer.path())).await?;
        match kind {
            RecordingKind::Call => {
                // A-law of silence, while the hotline speaks
                let silence = vec![0xd5; self.heard.len()];
                writer.append(&silence, &self.heard)?;
                writer.append(&self.said, &[])?;
            }
            _ => writer.append(&self.said, &[])?,
        }
        let finished = writer.finish(EndedBy::Hangup)?;
        store.finish_recording(&finished).await?;
        beside.finish(&finished)?;
        Ok(())
    }
}

/// Of A-law.
fn milliseconds(octets: usize) -> u64 {
    u64::try_from(octets / 8).expect("minutes of sound")
}
