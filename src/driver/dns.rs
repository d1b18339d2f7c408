//! The DNS questions of a target (RFC 3263), put to the system's resolver.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::timeout;

use crate::sip::Uri;
use crate::sip::target::{Answer, Destination, Naptr, NoTarget, Question, Resolution, Srv, Step};

/// All lookups of one step together.
const LIMIT: Duration = Duration::from_secs(5);

/// Asks the name servers of the system.
#[derive(Debug)]
pub struct Dns {
    /// `None` when the system names no server: then only addresses lead anywhere.
    resolver: Option<TokioResolver>,
}

impl Dns {
    pub fn of_the_system() -> Dns {
        let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        Dns { resolver: resolver.inspect_err(|error| tracing::warn!(%error, "no name server is known")).ok() }
    }

    /// The places a URI leads to, best first; none when its names lead nowhere.
    ///
    /// # Errors
    /// The URI can't be sent to at all.
    pub async fn resolve(&self, uri: &Uri, seed: [u8; 32]) -> Result<Vec<Destination>, NoTarget> {
        let mut resolution = Resolution::new(uri, seed)?;
        loop {
            match resolution.step() {
                Step::Done(destinations) => return Ok(destinations),
                Step::Ask(questions) => {
                    let answers = timeout(LIMIT, self.ask_all(&questions)).await.unwrap_or_default();
                    resolution.answer(answers);
                }
            }
        }
    }

    async fn ask_all(&self, questions: &[Question]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(self.ask(question).await);
        }
        answers
    }

    async fn ask(&self, question: &Question) -> Answer {
        match question {
            Question::Naptr(name) => Answer::Naptr(self.records(name, RecordType::NAPTR, naptr).await),
            Question::Srv(name) => Answer::Srv(self.records(name, RecordType::SRV, srv).await),
            Question::Addresses(name) => {
                let Some(resolver) = &self.resolver else { return Answer::Addresses(Vec::new()) };
                let found = resolver.lookup_ip(name.as_str()).await;
                Answer::Addresses(found.map(|found| found.iter().collect()).unwrap_or_default())
            }
        }
    }

    async fn records<T>(&self, name: &str, kind: RecordType, read: fn(&RData) -> Option<T>) -> Vec<T> {
        let Some(resolver) = &self.resolver else { return Vec::new() };
        match resolver.lookup(name, kind).await {
            Ok(found) => found.answers().iter().filter_map(|record| read(&record.data)).collect(),
            Err(_) => Vec::new(),
        }
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else { return None };
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
        services: String::from_utf8_lossy(&naptr.services).into_owned(),
        replacement: name(&naptr.replacement),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(srv) = data else { return None };
    Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target: name(&srv.target) })
}

fn name(name: &hickory_resolver::proto::rr::Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}
