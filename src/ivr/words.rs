//! What is said, put together from what is known.

use super::event::{Take, Topic, Utterance};
use super::flow::Choice;
use super::line::{Line, What, city_prompt, language_prompt};
use super::state::Known;
use crate::language::Language;
use crate::ticket::Number;

impl Known {
    pub(super) fn utterances(&self, lines: &[Line]) -> Vec<Utterance> {
        let holding = lines.iter().filter(|line| line.when.is_none_or(|fact| self.holds(fact)));
        holding.filter_map(|line| self.utterance(line)).collect()
    }

    /// "To report a matter, press 1."
    pub(super) fn choice_utterances(&self, choice: &Choice) -> Vec<Utterance> {
        let (mut utterances, voice) = match (&choice.say, self.topic_of(choice)) {
            (Some(line), _) => (self.utterances(std::slice::from_ref(line)), self.voice(line)),
            (None, Some(topic)) => (vec![Utterance::Prompt(self.language, topic.choice.clone())], self.language),
            (None, None) => return Vec::new(),
        };
        if !utterances.is_empty() {
            let press = format!("press.{}", choice.key).into();
            utterances.push(Utterance::Prompt(voice, press));
        }
        utterances
    }

    pub(super) fn offers(&self, choice: &Choice) -> bool {
        let is_there = choice.topic.is_none() || self.topic_of(choice).is_some();
        is_there && choice.when.is_none_or(|fact| self.holds(fact))
    }

    pub(super) fn topic_of(&self, choice: &Choice) -> Option<&Topic> {
        self.topics.get(choice.topic?)
    }

    fn voice(&self, line: &Line) -> Language {
        match line.what {
            What::OtherLanguage => self.language.other(),
            _ => line.language.unwrap_or(self.language),
        }
    }

    /// `None` when what it would tell is not known.
    fn utterance(&self, line: &Line) -> Option<Utterance> {
        let voice = self.voice(line);
        Some(match &line.what {
            What::Prompt(id) => Utterance::Prompt(voice, id.clone()),
            What::City => Utterance::Prompt(voice, city_prompt(self.caller.city)),
            What::Ticket => Utterance::TicketNumber(voice, self.ticket?),
            What::LastFour => Utterance::Digits(voice, last_four(self.ticket?)),
            What::Phone => Utterance::Phone(voice, self.contact()?.clone()),
            What::Stage => Utterance::Prompt(voice, self.status.as_ref()?.stage.prompt()),
            What::Due => Utterance::Date(voice, self.status.as_ref()?.due?),
            What::Filed => Utterance::Date(voice, self.filed_on()?),
            What::Unit => Utterance::Prompt(voice, self.caller.features.event.as_ref()?.unit.clone()?),
            What::Answer => Utterance::Prompt(voice, self.answer.clone()?),
            What::Recording => Utterance::Recording(self.takes()?),
            What::OtherLanguage => Utterance::Prompt(voice, language_prompt(voice)),
            What::Digits(digits) => Utterance::Digits(voice, digits.clone()),
            What::Pause(ms) => Utterance::Pause { ms: *ms },
        })
    }

    fn takes(&self) -> Option<Vec<Take>> {
        let takes: Vec<Take> = self.matter.takes.iter().map(|(take, _)| *take).collect();
        Some(takes).filter(|takes| !takes.is_empty())
    }
}

fn last_four(number: Number) -> String {
    number.last_four().into_iter().map(|digit| char::from(b'0' + digit)).collect()
}
