//! What other channels may see (Open311): services are active classes, requests are tickets that shield nobody.

use chrono::{DateTime, Utc};

use super::row::{micros, text};
use super::ticket_row::{self, TicketRow};
use super::{Store, StoreError, on};
use crate::city::City;
use crate::ticket::catalogue::ClassCode;
use crate::ticket::{Number, RequestType, State, Ticket};

/// The most rows that one answer holds (GeoReport v2, GET Service Requests).
pub const MAX_OPEN_REQUESTS: i64 = 1_000;

/// A class, as a service that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenService {
    pub code: ClassCode,
    pub zh: String,
    pub bo: String,
    /// The group's name in Chinese.
    pub group: String,
    pub keywords: Vec<String>,
}

/// Which requests; those of one city.
#[derive(Clone, Debug)]
pub struct OpenFilter {
    pub city: City,
    pub numbers: Vec<Number>,
    pub classes: Vec<ClassCode>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// Only open ones, or only those at their end.
    pub open: Option<bool>,
}

impl Store {
    /// Active classes of active groups, by their codes.
    pub async fn open_services(&self) -> Result<Vec<OpenService>, StoreError> {
        const SQL: &str = "select class.code, class.zh, class.bo, parent.zh, class.keywords from class \
             join class as parent on parent.code = class.parent where class.active and parent.active \
             order by class.code";
        let rows: Vec<(String, String, String, String, String)> =
            on!(&self.read, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
        let service = |(code, zh, bo, group, keywords): (String, String, String, String, String)| {
            let keywords = keywords.lines().map(str::to_owned).collect();
            Ok(OpenService { code: text("class.code", &code)?, zh, bo, group, keywords })
        };
        rows.into_iter().map(service).collect()
    }

    /// Newest first, at most [`MAX_OPEN_REQUESTS`]. Confidential tickets, reports of wrongdoing and those of an unknown
    /// type are not among them, whoever asks.
    pub async fn open_requests(&self, filter: &OpenFilter) -> Result<Vec<Ticket>, StoreError> {
        let rows: Vec<TicketRow> = on!(&self.read, pool => {
            let mut query = sqlx::QueryBuilder::new(ticket_row::SELECT.as_str());
            query.push(" and city = ").push_bind(filter.city.slug());
            query.push(" and not confidential and not anonymous and request_type <> ");
            query.push_bind(RequestType::Report.name());
            if filter.numbers.is_empty() {
                query.push(" and created_at >= ").push_bind(micros(filter.from));
                query.push(" and created_at < ").push_bind(micros(filter.to));
            } else {
                let mut list = query.push(" and number in (").separated(", ");
                for number in &filter.numbers {
                    list.push_bind(number.to_string());
                }
                query.push(")");
            }
            if !filter.classes.is_empty() {
                let mut list = query.push(" and class in (").separated(", ");
                for class in &filter.classes {
                    list.push_bind(class.to_string());
                }
                query.push(")");
            }
            if let Some(open) = filter.open {
                query.push(if open { " and state not in (" } else { " and state in (" });
                let mut list = query.separated(", ");
                for state in State::ALL.iter().filter(|state| !state.is_open()) {
                    list.push_bind(state.name());
                }
                query.push(")");
            }
            query.push(" order by created_at desc, number desc limit ").push_bind(MAX_OPEN_REQUESTS);
            query.build_query_as().fetch_all(pool).await
        })?;
        rows.into_iter().map(Ticket::try_from).collect()
    }
}
