//! A call in the hands of a test.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dialog::{Dialog, Ended, Manners};
use super::media::{Cue, Media, Shared};
use super::net::rtp_pair;
use super::phone::{Incoming, Inner, Phone, token};
use super::rtp::Press;
use super::sdp::{Description, Offer};
use super::signal;
use super::sip::{Sip, uri_of};
use super::time::{millis, now, seconds};
use super::tones::{Heard, Sound};

/// Whom to call and how.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The next hop: the service, or a proxy before it.
    pub hop: SocketAddr,
    /// `sip:12345@…`; the hop's own address when none is given.
    pub uri: Option<String>,
    /// The user part of From: a phone number, or `anonymous`.
    pub from: String,
    /// None: an INVITE without an offer.
    pub offer: Option<Offer>,
    /// Headers beside the usual ones: P-Asserted-Identity, Supported, Session-Expires …
    pub headers: Vec<(String, String)>,
    pub manners: Manners,
}

impl Dial {
    pub fn new(hop: SocketAddr, from: &str) -> Dial {
        let offer = Some(Offer::default());
        Dial { hop, uri: None, from: from.into(), offer, headers: Vec::new(), manners: Manners::default() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Dial {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn offer(self, offer: Offer) -> Dial {
        Dial { offer: Some(offer), ..self }
    }
}

/// One call. Dropping it hangs up without waiting; its audio stays readable until then.
pub struct Call {
    inner: Arc<Inner>,
    id: String,
    pub media: Media,
    started: Instant,
    heard: std::cell::Cell<usize>,
}

impl Phone {
    /// Sends the INVITE.
    pub fn call(&self, dial: &Dial) -> Call {
        let (rtp, rtcp) = rtp_pair(self.inner.settings.address);
        self.call_with(dial, rtp, rtcp)
    }

    /// The same with given sockets for RTP and RTCP.
    pub fn call_with(&self, dial: &Dial, rtp: UdpSocket, rtcp: UdpSocket) -> Call {
        let inner = self.inner.clone();
        let media = Media::start(rtp, rtcp, inner.settings.book.clone(), inner.settings.strict);
        let uri = dial.uri.clone().unwrap_or_else(|| format!("sip:12345@{}", dial.hop));
        let mut invite = self.request("INVITE", &uri, &dial.from).with("Contact", inner.contact(&dial.from));
        for (name, value) in &dial.headers {
            invite = invite.with(name, value.clone());
        }
        if let Some(offer) = &dial.offer {
            invite = invite.with_body("application/sdp", offer.text(media.shared.local, 1));
        }
        let id = invite.call_id().to_owned();
        let header = |name| invite.header(name).unwrap_or_default().to_owned();
        let dialog = Dialog {
            user: dial.from.clone(),
            caller: true,
            local: header("From"),
            remote: header("To"),
            target: uri,
            routes: Vec::new(),
            hop: dial.hop,
            cseq: 1,
            remote_cseq: 0,
            offer: dial.offer.clone(),
            manners: dial.manners.clone(),
            media: media.shared.clone(),
            version: 1,
            ack: None,
            answered: None,
            ended: None,
            description: None,
            requests: Vec::new(),
            repeated_answers: 0,
            provisional: Vec::new(),
            invite: invite.clone(),
        };
        inner.lock().dialogs.insert(id.clone(), dialog);
        inner.send_request(&invite, dial.hop, true);
        Call { inner, id, media, started: now(), heard: std::cell::Cell::new(0) }
    }

    /// Waits for an INVITE and answers it: 180, 200, and (unless the peer stays away) its ACK.
    #[track_caller]
    pub fn answer(&self, offer: &Offer, within: Duration) -> Call {
        let incoming = self.incoming(within, |request| request.method() == Some("INVITE"));
        let incoming = incoming.unwrap_or_else(|| panic!("no INVITE came within {within:?}:\n{}", self.ladder()));
        self.accept(&incoming, offer)
    }

    pub fn accept(&self, incoming: &Incoming, offer: &Offer) -> Call {
        let inner = self.inner.clone();
        let (rtp, rtcp) = rtp_pair(inner.settings.address);
        let media = Media::start(rtp, rtcp, inner.settings.book.clone(), inner.settings.strict);
        let invite = incoming.request.clone();
        let tag = token("t");
        let user = "12345".to_owned();
        let local = format!("{};tag={tag}", invite.header("To").unwrap_or_default());
        let description = Description::parse(&invite.body).ok();
        let mut offer = offer.clone();
        if let Some(theirs) = &description {
            offer.codecs.retain(|codec| theirs.formats.contains(codec));
            offer.telephone_event = offer.telephone_event.and(theirs.telephone_event);
            media.shared.connect(&Description { formats: offer.codecs.clone(), ..theirs.clone() });
        }
        let contact = invite.list("Contact").first().map(|contact| uri_of(contact).to_owned()).unwrap_or_default();
        let dialog = Dialog {
            user: user.clone(),
            caller: false,
            local,
            remote: invite.header("From").unwrap_or_default().to_owned(),
            target: contact,
            routes: invite.list("Record-Route"),
            hop: incoming.source,
            cseq: 0,
            remote_cseq: invite.cseq().0,
            offer: Some(offer.clone()),
            manners: Manners::default(),
            media: media.shared.clone(),
            version: 1,
            ack: None,
            answered: None,
            ended: None,
            description,
            requests: Vec::new(),
            repeated_answers: 0,
            provisional: Vec::new(),
            invite: invite.clone(),
        };
        let id = invite.call_id().to_owned();
        let mut state = inner.lock();
        state.dialogs.insert(id.clone(), dialog);
        let answer = Sip::response(&invite, 200, "OK", &tag)
            .with("Contact", inner.contact(&user))
            .with_body("application/sdp", offer.text(media.shared.local, 1));
        inner.respond(&mut state, &invite, &answer, incoming.source);
        drop(state);
        Call { inner, id, media, started: now(), heard: std::cell::Cell::new(0) }
    }
}

/// What is said before a call is answered. Ends with the value.
pub struct Early(Media);

impl Early {
    pub fn say(&self, sound: Vec<i16>) {
        self.0.shared.cue(Cue::Sound(sound));
    }

    #[track_caller]
    pub fn said_all(&self, within: Duration) {
        assert!(self.0.shared.all_said(within), "still talking after {within:?}");
    }
}

impl Phone {
    /// Answers an INVITE by 183 with a session description, over which something can be said already. `tag` is that of
    /// To in all responses.
    pub fn speaks_early(&self, incoming: &Incoming, tag: &str) -> Early {
        let inner = &self.inner;
        let (rtp, rtcp) = rtp_pair(inner.settings.address);
        let media = Media::start(rtp, rtcp, inner.settings.book.clone(), inner.settings.strict);
        if let Ok(theirs) = Description::parse(&incoming.request.body) {
            media.shared.connect(&theirs);
        }
        let progress = Sip::response(&incoming.request, 183, "Session Progress", tag)
            .with("Contact", inner.contact("12345"))
            .with_body("application/sdp", Offer::default().text(media.shared.local, 1));
        self.respond(incoming, &progress);
        Early(media)
    }
}

impl Call {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits for the 200 (or, as the called side, for the ACK); the time since the INVITE.
    #[track_caller]
    pub fn answered(&self, within: Duration) -> Duration {
        let answered = self.inner.wait(within, |state| {
            let dialog = &state.dialogs[&self.id];
            dialog.answered.map(Ok).or(dialog.ended.clone().map(Err))
        });
        match answered {
            Some(Ok(at)) => at - self.started,
            other => panic!("not answered within {within:?}: {other:?}\n{}", self.trace()),
        }
    }

    /// Waits for the end of the call.
    #[track_caller]
    pub fn ended(&self, within: Duration) -> Ended {
        let ended = self.inner.wait(within, |state| state.ended(&self.id));
        ended.unwrap_or_else(|| panic!("the call goes on after {within:?}\n{}", self.trace()))
    }

    pub fn is_ended(&self) -> bool {
        self.inner.lock().ended(&self.id).is_some()
    }

    /// Sends BYE and waits for its answer.
    #[track_caller]
    pub fn hang_up(&self) {
        let bye = self.request("BYE");
        let answer = self.transact(&bye);
        assert_eq!(answer.status(), Some(200), "the answer to BYE\n{}", self.trace());
    }

    /// Sends CANCEL and waits for its 200 and the INVITE's final response.
    #[track_caller]
    pub fn cancel(&self) -> Ended {
        let (invite, hop) = {
            let state = self.inner.lock();
            (state.dialogs[&self.id].invite.clone(), state.dialogs[&self.id].hop)
        };
        let cancel = Sip::request("CANCEL", invite.uri())
            .with("Via", invite.list("Via")[0].clone())
            .with("Max-Forwards", "70")
            .with("From", invite.header("From").unwrap_or_default())
            .with("To", invite.header("To").unwrap_or_default())
            .with("Call-ID", invite.call_id())
            .with("CSeq", format!("{} CANCEL", invite.cseq().0));
        self.inner.send_request(&cancel, hop, true);
        let answer = self.inner.final_response(&cancel, seconds(5));
        assert!(answer.is_some(), "no answer to CANCEL\n{}", self.trace());
        match self.inner.final_response(&invite, seconds(5)).and_then(|response| response.status()) {
            Some(200..300) => {
                self.hang_up();
                Ended::ByUs
            }
            Some(status) => Ended::Refused(status),
            None => panic!("no final response after CANCEL\n{}", self.trace()),
        }
    }

    /// A request inside the dialog, not sent yet.
    pub fn request(&self, method: &str) -> Sip {
        let mut state = self.inner.lock();
        let dialog = state.dialogs.get_mut(&self.id).expect("a call has a dialog");
        if method == "BYE" {
            dialog.ended.get_or_insert(Ended::ByUs);
        }
        dialog.request(&self.inner, method, None)
    }

    /// Sends a request of the dialog and waits 5 s for its final response.
    #[track_caller]
    pub fn transact(&self, request: &Sip) -> Sip {
        let hop = self.inner.lock().dialogs[&self.id].next_hop();
        self.inner.send_request(request, hop, true);
        let answer = self.inner.final_response(request, seconds(5));
        answer.unwrap_or_else(|| panic!("{} is not answered\n{}", request.step(), self.trace()))
    }

    /// Sends the ACK that `Manners` held back.
    pub fn acknowledge(&self) {
        let mut state = self.inner.lock();
        let invite = state.dialogs[&self.id].invite.clone();
        let offerless = invite.body.is_empty();
        let (ack, hop) = self.inner.acknowledge(&mut state, &invite, offerless);
        self.inner.send_request_locked(&mut state, &ack, hop, false);
    }

    /// A new offer by re-INVITE; the final response.
    #[track_caller]
    pub fn reinvite(&self, offer: Offer) -> Sip {
        let request = self.offer_request("INVITE", offer);
        self.transact(&request)
    }

    /// A request with a new offer, which the phone keeps to.
    pub fn offer_request(&self, method: &str, offer: Offer) -> Sip {
        let request = self.request(method);
        let mut state = self.inner.lock();
        let dialog = state.dialogs.get_mut(&self.id).expect("a call has a dialog");
        dialog.offer = Some(offer);
        request.with_body("application/sdp", dialog.description_text())
    }

    #[track_caller]
    pub fn hold(&self) {
        let answer = self.reinvite(Offer { direction: "sendonly", ..Offer::default() });
        assert_eq!(answer.status(), Some(200), "{}", self.trace());
        self.media.shared.send(false);
    }

    #[track_caller]
    pub fn resume(&self) {
        let answer = self.reinvite(Offer::default());
        assert_eq!(answer.status(), Some(200), "{}", self.trace());
        self.media.shared.send(true);
    }

    /// A key by SIP INFO: `application/dtmf-relay`.
    #[track_caller]
    pub fn info_key(&self, digit: char) {
        let body = format!("Signal={digit}\r\nDuration=160\r\n");
        let answer = self.transact(&self.request("INFO").with_body("application/dtmf-relay", body));
        assert_eq!(answer.status(), Some(200), "{}", self.trace());
    }

    /// Keys as telephone events, after what is being said.
    pub fn press(&self, digits: &str) {
        self.press_as(digits, Press::default());
    }

    pub fn press_as(&self, digits: &str, press: Press) {
        digits.chars().for_each(|digit| self.media.shared.cue(Cue::Key(digit, press)));
    }

    /// Keys as tones in the audio.
    pub fn press_in_band(&self, digits: &str) {
        for digit in digits.chars() {
            let mut sound = signal::key(digit, 100);
            sound.extend(signal::silence(100));
            self.say(sound);
        }
    }

    /// Says `sound`, after what is being said.
    pub fn say(&self, sound: Vec<i16>) {
        self.media.shared.cue(Cue::Sound(sound));
    }

    #[track_caller]
    pub fn said_all(&self, within: Duration) {
        assert!(self.media.shared.all_said(within), "still talking after {within:?}\n{}", self.trace());
    }

    /// Waits for the next prompts, each after the other, none left out and none between.
    #[track_caller]
    pub fn hear(&self, prompts: &[&str]) {
        for prompt in prompts {
            let (found, place) = (self.hear_next(seconds(10)), self.heard.get());
            assert_eq!(name(&found.sound), *prompt, "as sound {place} of the call\n{}", self.trace());
        }
    }

    /// Waits until `prompt` comes, whatever comes before it; what was skipped.
    #[track_caller]
    pub fn hear_until(&self, prompt: &str, within: Duration) -> Vec<String> {
        let deadline = now() + within;
        let mut skipped = Vec::new();
        loop {
            let found = self.hear_next(deadline.saturating_duration_since(now()));
            if name(&found.sound) == prompt {
                return skipped;
            }
            skipped.push(name(&found.sound).to_owned());
        }
    }

    /// Waits for the next sound that no earlier call of `hear…` took.
    #[track_caller]
    pub fn hear_next(&self, within: Duration) -> Heard {
        let at = self.heard.get();
        let found = self.media.shared.wait_heard(within, |heard| heard.get(at).cloned());
        self.heard.set(at + 1);
        found.unwrap_or_else(|| panic!("nothing more heard within {within:?}\n{}", self.trace()))
    }

    /// The prompts heard so far, whether taken by `hear…` or not.
    pub fn heard_names(&self) -> Vec<String> {
        self.media.shared.heard().iter().map(|heard| name(&heard.sound).to_owned()).collect()
    }

    /// Waits until nothing has been heard for `pause`: the prompt has come to its end.
    #[track_caller]
    pub fn hear_silence(&self, pause: Duration, within: Duration) {
        let pause = u64::try_from(pause.as_millis()).expect("a short pause");
        let deadline = now() + within;
        loop {
            let heard = self.media.shared.heard_audio().len() as u64 / 8;
            let last = self.media.shared.heard().last().map_or(0, |last| last.at_ms + last.lasted_ms);
            if heard > last + pause {
                return;
            }
            assert!(now() < deadline, "no silence within {within:?}\n{}", self.trace());
            self.media.shared.wait_audio(heard + 20, millis(100));
        }
    }

    /// The other side's session description.
    pub fn description(&self) -> Option<Description> {
        self.inner.lock().dialogs[&self.id].description.clone()
    }

    /// Waits for a request of the other side inside the dialog.
    pub fn peer_request(&self, method: &str, within: Duration) -> Option<Sip> {
        self.inner.wait(within, |state| {
            let requests = &state.dialogs[&self.id].requests;
            requests.iter().find(|request| request.method() == Some(method)).cloned()
        })
    }

    pub fn provisional(&self) -> Vec<u16> {
        self.inner.lock().dialogs[&self.id].provisional.clone()
    }

    /// How often the 2xx came again.
    pub fn repeated_answers(&self) -> u32 {
        self.inner.lock().dialogs[&self.id].repeated_answers
    }

    pub fn wait_repeated_answer(&self, within: Duration) -> bool {
        self.inner.wait(within, |state| (state.dialogs[&self.id].repeated_answers > 0).then_some(())).is_some()
    }

    pub fn final_response(&self, within: Duration) -> Option<Sip> {
        let invite = self.inner.lock().dialogs[&self.id].invite.clone();
        self.inner.final_response(&invite, within)
    }

    /// The INVITE as it was sent.
    pub fn invite(&self) -> Sip {
        self.inner.lock().dialogs[&self.id].invite.clone()
    }

    /// The other side is gone: nothing more is sent.
    pub fn abandon(&self) {
        self.media.shared.send(false);
        if let Some(dialog) = self.inner.lock().dialogs.get_mut(&self.id) {
            dialog.ended.get_or_insert(Ended::ByPeer);
        }
    }

    pub fn audio(&self) -> &Shared {
        &self.media.shared
    }

    /// What happened so far: for a failing test.
    pub fn trace(&self) -> String {
        let state = self.inner.lock();
        format!("heard: {:?}\n{}", self.heard_names(), state.ladder_text())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let media_faults = self.media.shared.faults();
        let mut state = self.inner.lock();
        for fault in media_faults {
            Inner::fault(&mut state, fault);
        }
        let Some(dialog) = state.dialogs.get_mut(&self.id) else { return };
        if dialog.answered.is_some() && dialog.ended.is_none() {
            dialog.ended = Some(Ended::ByUs);
            let bye = dialog.request(&self.inner, "BYE", None);
            let hop = dialog.next_hop();
            self.inner.send_request_locked(&mut state, &bye, hop, false);
        }
    }
}

/// `bo/greet.hello`, or `beep`.
pub fn name(sound: &Sound) -> &str {
    match sound {
        Sound::Prompt(name) => name,
        Sound::Beep => "beep",
    }
}
