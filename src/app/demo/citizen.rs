//! A citizen of the tour: calls, or is called back, listens a while at each node of the flow, presses the key that
//! leads on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::teller::Teller;
use super::tickets::Matter;
use super::{Stuck, seeded};
use crate::city::City;
use crate::clock::{Clock, Mono};
use crate::driver::caller::{self, CallError, Order, Plan, Progress, Report, Telephone};
use crate::driver::media::ports::PortRange;
use crate::language::Language;
use crate::live::{Live, LiveCall, LiveEvent};
use crate::media::clip::Clip;
use crate::media::command::Digits;
use crate::prompt::Prompts;
use crate::sip::{Side, Uri};

/// Nothing may take longer than this: the longest thing is a ticket's number, read twice.
const PATIENCE: Duration = Duration::from_secs(40);
/// Nobody is called back in the last minute before midnight and the half before it.
const PATIENCE_AT_NIGHT: Duration = Duration::from_secs(140);
/// A citizen takes so long to the telephone.
const RINGS: Duration = Duration::from_millis(1_500);
const LONGEST_CALL: Duration = Duration::from_secs(180);
pub const RTP_PORTS: (u16, u16) = (10_000, 11_999);

/// One caller.
#[derive(Clone, Copy, Debug)]
pub struct Citizen {
    pub language: Language,
    pub city: City,
    /// The number that is called.
    pub line: &'static str,
    pub phone: &'static str,
    language_key: &'static str,
    type_key: &'static str,
    type_name: [&'static str; 2],
    /// What is said, in the prompts' voices.
    request: &'static [&'static str],
    /// What an agent hears in it, and the unit that gets it.
    pub matter: Matter,
    /// What is pressed when the hotline calls back.
    pub answers: &'static [Stop],
}

pub const CITIZENS: [Citizen; 2] = [
    Citizen {
        language: Language::Bo,
        city: City::Lhasa,
        line: "089112345",
        phone: "13908910001",
        language_key: "1",
        type_key: "3",
        type_name: ["投诉", "complaint"],
        request: &["office.transport", "type.complaint", "kb.traffic", "office.city"],
        matter: Matter { title: "公交站牌被撞坏", class: "0201", unit: "lhasa-transport" },
        answers: &CONTENT,
    },
    Citizen {
        language: Language::Zh,
        city: City::Chamdo,
        line: "089512345",
        phone: "13908950002",
        language_key: "2",
        type_key: "2",
        type_name: ["求助", "help"],
        request: &["office.housing", "type.help", "kb.home", "office.city"],
        matter: Matter { title: "楼道路灯不亮", class: "0102", unit: "chamdo-housing" },
        answers: &NOT_SOLVED,
    },
];

/// What is heard at a node of a flow, and what the citizen does there after listening a while.
#[derive(Debug)]
pub struct Stop {
    node: &'static str,
    prompt: &'static str,
    zh: &'static str,
    en: &'static str,
    deed: Option<(u64, Deed)>,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Language,
    Type,
    Key(&'static str, &'static str, &'static str),
    HangUp,
}

const fn stop(node: &'static str, prompt: &'static str, zh: &'static str, en: &'static str) -> Stop {
    Stop { node, prompt, zh, en, deed: None }
}

impl Stop {
    const fn then(self, after_ms: u64, deed: Deed) -> Stop {
        Stop { deed: Some((after_ms, deed)), ..self }
    }
}

static WALK: [Stop; 12] = [
    stop("greeting", "greet.hello", "问候", "greeting in both languages").then(3_500, Deed::Language),
    stop("notice", "notice.record", "录音告知", "recording notice, which no key skips"),
    stop("notice_more", "notice.emergency", "紧急情况提示", "emergency numbers")
        .then(2_000, Deed::Key("1", "反映问题", "report something, typed over the prompt")),
    stop("main", "menu.head", "主菜单", "main menu"),
    stop("who", "who.citizen", "身份", "citizen or enterprise").then(1_500, Deed::Key("1", "市民", "citizen")),
    stop("type", "type.consult", "诉求类型", "type of request").then(2_000, Deed::Type),
    stop("record", "rec.intro", "录音说明", "how to record")
        .then(3_000, Deed::Key("#", "跳过说明", "straight to the beep")),
    stop("review_play", "rec.review", "回放录音", "the recording is played back")
        .then(2_500, Deed::Key("1", "确认提交", "submit")),
    stop("confidential", "conf.ask", "是否保密", "confidential or not").then(2_000, Deed::Key("2", "不保密", "no")),
    stop("phone_is", "phone.is", "联系电话", "the phone to call back")
        .then(2_000, Deed::Key("1", "就用此号", "this one")),
    stop("created", "tk.created", "播报工单号", "the ticket's number, read twice"),
    stop("promise", "tk.contact1h", "承诺时限", "when somebody will call").then(2_500, Deed::HangUp),
];

/// In `prompts/flows/visit.toml`, when all is well.
static CONTENT: [Stop; 8] = [
    stop("hello", "rv.purpose", "回访问候", "greeting, and why we call"),
    stop("notice", "notice.record", "录音告知", "recording notice, which no key skips"),
    stop("gate", "opt.rv_start", "确认本人", "the gate: only a key shows that the right person is there")
        .then(2_000, Deed::Key("1", "现在开始", "go on")),
    stop("matter_filed", "rv.matter2", "回访事项", "which matter it is about")
        .then(4_500, Deed::Key("1", "及时联系", "contacted in time")),
    stop("q1", "rv.q1", "是否联系", "was contacted?"),
    stop("q2", "rv.q2", "是否解决", "is it solved?").then(2_000, Deed::Key("1", "已解决", "solved")),
    stop("q3", "rv.q3", "是否满意", "how satisfied?").then(2_000, Deed::Key("1", "非常满意", "very satisfied")),
    stop("thanks", "rv.thanks", "致谢", "thanks"),
];

/// The same, when it is not.
static NOT_SOLVED: [Stop; 11] = [
    stop("hello", "rv.purpose", "回访问候", "greeting, and why we call"),
    stop("notice", "notice.record", "录音告知", "recording notice, which no key skips"),
    stop("gate", "opt.rv_start", "确认本人", "the gate").then(2_000, Deed::Key("1", "现在开始", "go on")),
    stop("matter_filed", "rv.matter2", "回访事项", "which matter it is about")
        .then(4_500, Deed::Key("2", "联系较晚", "contacted late")),
    stop("q1", "rv.q1", "是否联系", "was contacted?"),
    stop("q2", "rv.q2", "是否解决", "is it solved?").then(2_000, Deed::Key("3", "未解决", "not solved")),
    stop("q3", "rv.q3", "是否满意", "how satisfied?").then(2_000, Deed::Key("4", "不满意", "unsatisfied")),
    stop("why", "rv.why", "说明原因", "why? The answer is recorded")
        .then(1_500, Deed::Key("#", "跳过说明", "straight to the beep")),
    stop("again_wanted", "rv.reopen", "是否重办", "is it to be handled again?")
        .then(2_000, Deed::Key("1", "重新办理", "yes")),
    stop("reopened", "rv.reopened", "登记重办", "it will be"),
    stop("thanks", "rv.thanks", "致谢", "thanks"),
];

/// One citizen's way through the service.
pub struct Tour<'a> {
    pub citizen: Citizen,
    pub teller: &'a Teller,
    pub live: &'a Live,
    pub prompts: &'a Arc<Prompts>,
}

/// What is known of the call on its way.
struct Way {
    clock: Clock,
    stops: &'static [Stop],
    orders: UnboundedSender<Order>,
    call: Option<String>,
    node: String,
    recording: bool,
    spoken: bool,
    next: Option<(Mono, Deed)>,
    patience: Mono,
    ticket: Option<String>,
}

impl Tour<'_> {
    /// Calls and walks; the number of the ticket.
    ///
    /// # Errors
    /// The node where it went no further.
    pub async fn calls(&self, sip: SocketAddr) -> Result<String, Stuck> {
        let live = self.live.subscribe();
        let (mut way, ordered, tell, progress) = Way::new(&WALK, PATIENCE);
        let seed = seeded().map_err(|error| self.stuck("call", error))?.random();
        let plan = self.plan(sip).map_err(|why| self.stuck("call", why))?;
        let call = caller::call(plan, way.clock, seed, ordered, tell);
        let report = self.follow(&mut way, call, live, progress).await?;
        self.tell_end(&report);
        way.ticket.ok_or_else(|| self.stuck(&way.node, "the call ended without a ticket"))
    }

    /// Waits for the hotline's call and answers its questions.
    ///
    /// # Errors
    /// The node where it went no further.
    pub async fn is_called(&self, telephone: &mut Telephone) -> Result<(), Stuck> {
        let live = self.live.subscribe();
        let (mut way, ordered, tell, progress) = Way::new(self.citizen.answers, PATIENCE_AT_NIGHT);
        let call = async {
            let taken = telephone.take_call(RINGS, LONGEST_CALL, ordered, tell).await;
            taken.map(|taken| taken.map(|(_, report)| report))
        };
        let call = async { call.await.transpose().unwrap_or(Err(CallError::Nowhere)) };
        let report = self.follow(&mut way, call, live, progress).await?;
        self.tell_end(&report);
        Ok(())
    }

    fn plan(&self, sip: SocketAddr) -> Result<Plan, String> {
        let uri: Uri = Uri::sip(Some(self.citizen.line), sip);
        let rtp_ports = PortRange::new(RTP_PORTS.0, RTP_PORTS.1).map_err(|error| error.to_string())?;
        Ok(Plan { uri, from: self.citizen.phone.to_owned(), script: Vec::new(), talk: LONGEST_CALL, rtp_ports })
    }

    async fn follow(
        &self,
        way: &mut Way,
        call: impl Future<Output = Result<Report, CallError>>,
        mut live: broadcast::Receiver<LiveEvent>,
        mut progress: UnboundedReceiver<Progress>,
    ) -> Result<Report, Stuck> {
        let mut call = std::pin::pin!(call);
        loop {
            let deed_at = way.next.map(|(at, _)| way.clock.instant(at));
            tokio::select! {
                report = &mut call => {
                    let report = report.map_err(|why| self.stuck("call", why))?;
                    return match report.answered {
                        Some(_) => Ok(report),
                        None => Err(self.stuck("answer", super::unanswered(&report))),
                    };
                }
                event = live.recv() => match event {
                    Ok(event) => self.moved(way, event)?,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(self.stuck(&way.node, "the service is gone")),
                },
                Some(progress) = progress.recv() => self.progressed(way, progress),
                () = crate::driver::sleep_until(deed_at) => self.act(way)?,
                () = crate::driver::sleep_until(Some(way.clock.instant(way.patience))) => {
                    return Err(self.stuck(&way.node, format!("nothing happened for {} s", PATIENCE.as_secs())));
                }
            }
        }
    }

    fn moved(&self, way: &mut Way, event: LiveEvent) -> Result<(), Stuck> {
        match event {
            LiveEvent::CallStarted { call } | LiveEvent::CallMoved { call } if call.city == self.citizen.city => {
                self.arrived(way, call)?;
            }
            LiveEvent::TicketCreated { call, number } if way.call.as_ref() == Some(&call) => {
                way.patience = way.clock.mono() + PATIENCE;
                self.tell("created", "工单已生成", &format!("ticket {number}"), json!({"number": number}));
                way.ticket = Some(number);
            }
            _ => {}
        }
        Ok(())
    }

    fn arrived(&self, way: &mut Way, call: LiveCall) -> Result<(), Stuck> {
        way.patience = way.clock.mono() + PATIENCE;
        way.call = Some(call.id);
        if call.recording && !way.recording && !way.spoken {
            let speech = self.speech().map_err(|id| self.stuck("record", format!("no prompt {id}")))?;
            let seconds = f64::from(speech.duration_ms()) / 1e3;
            self.tell(
                "speak",
                "录音中",
                &format!("speaks for {seconds:.1} s"),
                json!({"speech_ms": speech.duration_ms()}),
            );
            way.order(Order::Play(Arc::new(speech)));
        }
        way.recording = call.recording;
        if call.node == way.node {
            return Ok(());
        }
        way.node = call.node;
        let Some(stop) = way.stops.iter().find(|stop| stop.node == way.node) else { return Ok(()) };
        let text = self.prompts.text(self.citizen.language, stop.prompt).unwrap_or_default();
        let facts = json!({"node": stop.node, "prompt": stop.prompt, "text": text});
        self.tell("node", stop.zh, &format!("{}\n“{text}”", stop.en), facts);
        way.next = stop.deed.map(|(after, deed)| (way.clock.mono() + Duration::from_millis(after), deed));
        Ok(())
    }

    fn progressed(&self, way: &mut Way, progress: Progress) {
        match progress {
            Progress::Answered(answered) => {
                let ms = (answered.at.as_secs_f64() * 1e4).round() / 10.0;
                self.tell("answered", "接通", &format!("answered after {ms} ms"), json!({"answer_ms": ms}));
            }
            Progress::Played => {
                way.spoken = true;
                way.next = Some((way.clock.mono(), Deed::Key("#", "录音结束", "ends the recording")));
            }
            _ => {}
        }
    }

    fn act(&self, way: &mut Way) -> Result<(), Stuck> {
        let Some((_, deed)) = way.next.take() else { return Ok(()) };
        let (key, zh, en) = match deed {
            Deed::HangUp => {
                way.order(Order::HangUp);
                return Ok(());
            }
            Deed::Key(key, zh, en) => (key, zh, en),
            Deed::Type => {
                let [zh, en] = self.citizen.type_name;
                (self.citizen.type_key, zh, en)
            }
            Deed::Language => match self.citizen.language {
                Language::Bo => (self.citizen.language_key, "藏语", "Tibetan"),
                Language::Zh => (self.citizen.language_key, "普通话", "Mandarin"),
            },
        };
        let digits = Digits::parse(key).ok_or_else(|| self.stuck(&way.node, format!("{key} is no key")))?;
        self.tell("key", zh, &format!("presses {key}: {en}"), json!({"keys": key, "node": way.node}));
        way.order(Order::Press(digits));
        Ok(())
    }

    fn speech(&self) -> Result<Clip, &'static str> {
        let mut alaw = Vec::new();
        for id in self.citizen.request {
            alaw.extend_from_slice(self.prompts.clip(self.citizen.language, id).ok_or(*id)?.alaw());
        }
        Ok(Clip::from_alaw(alaw))
    }

    fn tell_end(&self, report: &Report) {
        let by = if report.ended.side == Side::Local { "hangs up" } else { "the line hangs up" };
        let (seconds, sound) = (report.lasted.as_secs_f64(), report.heard.sound_ms() as f64 / 1e3);
        let rtp = report.rtp.unwrap_or_default();
        let told = format!(
            "{by} after {seconds:.1} s: heard {sound:.1} s of sound, {} of {} packets lost, jitter {:.1} ms",
            rtp.lost,
            rtp.lost + rtp.packets_in,
            rtp.jitter_ms
        );
        let facts = json!({
            "lasted_ms": report.lasted.as_millis() as u64, "sound_ms": report.heard.sound_ms(),
            "packets_in": rtp.packets_in, "lost": rtp.lost,
        });
        self.tell("ended", "挂机", &told, facts);
    }

    fn tell(&self, step: &str, zh: &str, en: &str, facts: Value) {
        self.teller.tell(self.citizen.language.code(), step, zh, en, facts);
    }

    fn stuck(&self, step: &str, why: impl ToString) -> Stuck {
        Stuck::new(format!("{} ({})", step, self.citizen.language), why)
    }
}

impl Way {
    /// With what it orders, whom it hears by, and what it hears.
    fn new(
        stops: &'static [Stop],
        patience: Duration,
    ) -> (Way, UnboundedReceiver<Order>, impl FnMut(Progress), UnboundedReceiver<Progress>) {
        let clock = Clock::start();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (told, progress) = mpsc::unbounded_channel();
        let tell = move |progress| {
            // who walks away hears no more
            let _ = told.send(progress);
        };
        let way = Way {
            clock,
            stops,
            orders,
            call: None,
            node: "call".to_owned(),
            recording: false,
            spoken: false,
            next: None,
            patience: clock.mono() + patience,
            ticket: None,
        };
        (way, ordered, tell, progress)
    }

    fn order(&self, order: Order) {
        // a call that is over takes no orders, and says itself that it is
        let _ = self.orders.send(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ivr::Flow;

    #[test]
    fn every_citizen_speaks_long_enough_for_a_request() {
        let prompts = Prompts::embedded();
        let (teller, live) = (Teller::new(true, Clock::start()), Live::default());
        for citizen in CITIZENS {
            let tour = Tour { citizen, teller: &teller, live: &live, prompts: &prompts };
            let ms = tour.speech().expect("prompts").duration_ms();
            assert!((4_000..10_000).contains(&ms), "{}: {ms}", citizen.language);
        }
    }

    #[test]
    fn every_stop_is_a_node_of_the_flow_and_has_its_prompt() {
        let inbound = include_str!("../../../prompts/flows/inbound.toml");
        let visit = include_str!("../../../prompts/flows/visit.toml");
        for (text, stops) in [(inbound, &WALK[..]), (visit, &CONTENT), (visit, &NOT_SOLVED)] {
            let spoken = Flow::parse(text, "flow.toml").expect("the flow").prompts();
            for stop in stops {
                assert!(text.lines().any(|line| line.ends_with(&format!(".{}]", stop.node))), "{}", stop.node);
                for language in Language::ALL {
                    assert!(spoken.iter().any(|(one, id)| *one == language && **id == *stop.prompt), "{}", stop.prompt);
                }
            }
        }
    }
}
