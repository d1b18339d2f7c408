//! What a line's consult menu offers: of the knowledge of its city, what its prompts can say.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::city::City;
use crate::ivr::Topic;
use crate::language::Language;
use crate::prompt::Prompts;
use crate::ticket::catalogue::{Knowledge, PromptId};

/// How the ids of the prompts begin that offer an entry and that answer.
pub const GROUPS: [&str; 2] = ["kb.", "kbans."];

/// Entries that were left out for want of their prompts, so that each is told once.
#[derive(Debug, Default)]
pub struct Unspoken(Mutex<BTreeSet<String>>);

/// The topics of a city, in the order of `entries`, as far as both prompts are spoken in both languages.
pub fn topics<'a>(
    entries: impl IntoIterator<Item = &'a Knowledge>,
    city: City,
    prompts: &Prompts,
    unspoken: &Unspoken,
) -> Vec<Topic> {
    let mut topics = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.is_spoken_in(city)) {
        let (Some(choice), Some(answer)) = (&entry.choice, &entry.prompt) else { continue };
        if missing(entry, prompts).is_none() {
            topics.push(topic(entry, choice, answer));
        } else {
            unspoken.tell(entry);
        }
    }
    topics
}

/// The first prompt of an entry that is not spoken, or that is none of the consult menu's.
pub fn missing<'a>(entry: &'a Knowledge, prompts: &Prompts) -> Option<(Language, &'a str)> {
    let named = [&entry.choice, &entry.prompt].into_iter().zip(GROUPS);
    let named = named.filter_map(|(prompt, group)| Some((prompt.as_ref()?.as_str(), group)));
    let mut missing = named
        .flat_map(|(id, group)| Language::ALL.map(|language| (language, id, group)))
        .filter(|(language, id, group)| !id.starts_with(group) || prompts.clip(*language, id).is_none());
    missing.next().map(|(language, id, _)| (language, id))
}

fn topic(entry: &Knowledge, choice: &PromptId, answer: &PromptId) -> Topic {
    Topic { id: entry.id.as_str().into(), choice: choice.as_str().into(), answer: answer.as_str().into() }
}

impl Unspoken {
    fn tell(&self, entry: &Knowledge) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(entry.id.to_string()) {
            tracing::warn!(
                knowledge.id = %entry.id,
                "an answer is not offered on the phone: its prompts are not spoken in both languages"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::Catalogue;

    fn ids(topics: &[Topic]) -> Vec<&str> {
        topics.iter().map(|topic| &*topic.id).collect()
    }

    #[test]
    fn each_city_has_six_topics_from_the_start() {
        for city in City::ALL {
            let topics = topics(&Catalogue::built_in().knowledge, city, &Prompts::embedded(), &Unspoken::default());
            assert_eq!(topics.len(), 6, "{city}");
            assert_eq!((&*topics[0].choice, &*topics[0].answer), ("kb.social", "kbans.social"));
        }
    }

    #[test]
    fn what_is_retired_of_another_city_or_unspoken_is_left_out() {
        let mut entries = Catalogue::built_in().knowledge.clone();
        let all = topics(&entries, City::Lhasa, &Prompts::embedded(), &Unspoken::default());
        entries[0].active = false;
        entries[1].city = Some(City::Ngari);
        entries[2].choice = "kb.nobody_said_this".parse().ok();
        entries[3].prompt = "greet.hello".parse().ok();
        let unspoken = Unspoken::default();
        let left = topics(&entries, City::Lhasa, &Prompts::embedded(), &unspoken);
        assert_eq!(ids(&left), ids(&all)[4..]);
        let told = unspoken.0.into_inner().expect("nobody panicked");
        assert!(told.iter().eq(BTreeSet::from([ids(&all)[2], ids(&all)[3]])), "{told:?}");
    }
}
