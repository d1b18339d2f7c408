//! `/api/v1/exports`: lists as files, sent while they are read; who took them is on record.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use super::Shared;
use super::asking::Asking;
use super::guard::busy;
use super::problem::{Kind, Problem};
use super::query::Parameters;
use super::tickets::{filter, seen};
use crate::clock::beijing_day;
use crate::report::{CsvTickets, MAX_ROWS, SheetError, tickets_as_sheet};
use crate::store::{Count, Seen, TicketOrder};
use crate::ticket::Action;

/// Those of the list, without pages; and the form.
pub const KEYS: &[&str] = &[
    "format",
    "q",
    "number",
    "phone",
    "city",
    "state",
    "open",
    "overdue",
    "due_before",
    "unit",
    "class",
    "type",
    "channel",
    "language",
    "urgency",
    "supervised",
    "alarm",
    "needs_tibetan_speaker",
    "repeat_of",
    "merged_into",
    "from",
    "to",
];

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Csv,
    Xlsx,
}

impl Form {
    pub const ALL: [Form; 2] = [Form::Csv, Form::Xlsx];

    const fn name(self) -> &'static str {
        match self {
            Form::Csv => "csv",
            Form::Xlsx => "xlsx",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Form::Csv => "text/csv; charset=utf-8",
            Form::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file is csv or xlsx")]
pub struct UnknownForm;

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Form, UnknownForm> {
        Form::ALL.into_iter().find(|form| form.name() == text).ok_or(UnknownForm)
    }
}

/// Tickets as a file: CSV (UTF-8 with a byte order mark) or XLSX.
///
/// Narrowed as `/api/v1/tickets`. Times are of Beijing, phone numbers masked, those of confidential, anonymous and reporting
/// requesters left out; names of requesters are in none. XLSX holds 1,048,575 rows; a list with more is refused.
#[utoipa::path(
    get,
    path = "/api/v1/exports/tickets",
    operation_id = "export_tickets",
    tag = "reports",
    responses((status = 200, body = String, content_type = "text/csv"))
)]
pub async fn tickets(
    State(shared): State<Arc<Shared>>,
    asking: Asking,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let form = query.value("format")?.unwrap_or(Form::Csv);
    let filter = seen(filter(&query, beijing_day(shared.clock.wall()))?, &asking.caller);
    let permit = Arc::clone(&shared.transfers).try_acquire_owned().map_err(|_| busy())?;
    let rows = shared.store.count_tickets(&filter, TicketOrder::Created, MAX_ROWS).await;
    let rows = rows.map_err(|error| Problem::internal("export", &error))?;
    if form == Form::Xlsx && rows.is_over(MAX_ROWS) {
        return Err(too_many(&SheetError::TooManyRows { most: MAX_ROWS }));
    }
    took(&shared, &asking, "tickets".to_owned(), words(&query, form, rows)).await?;
    match form {
        Form::Csv => {
            let (sending, lines) = mpsc::channel(2);
            let mut export = CsvTickets::new(&shared.store, filter);
            tokio::spawn(async move {
                let _permit = permit;
                while let Some(part) = export.next().await.transpose() {
                    let part = part.map(Bytes::from).map_err(io::Error::other);
                    let failed = part.is_err();
                    if sending.send(part).await.is_err() || failed {
                        return;
                    }
                }
            });
            let lines = Lines { lines, rest: Bytes::new() };
            Ok(file(form, "tickets", Body::from_stream(ReaderStream::new(lines))))
        }
        Form::Xlsx => {
            let sheet = tickets_as_sheet(&shared.store, &filter, &shared.recordings, MAX_ROWS).await;
            let sheet = sheet.map_err(|error| match error {
                SheetError::TooManyRows { .. } => too_many(&error),
                _ => Problem::internal("export", &error),
            })?;
            let stream = ReaderStream::new(tokio::fs::File::from_std(sheet));
            Ok(file(form, "tickets", Body::from_stream(stream)))
        }
    }
}

/// Writes down who takes what; comes before the first byte.
pub async fn took(shared: &Shared, asking: &Asking, subject: String, what: String) -> Result<(), Problem> {
    let (actor, address) = (asking.caller.actor, asking.address.clone());
    let seen = Seen { subject, action: Action::Exported, actor, reason: Some(what), address };
    let kept = shared.store.record_seen(&seen, shared.clock.wall()).await;
    kept.map_err(|error| Problem::internal("audit", &error))
}

/// A file to be saved under a name of letters, digits and `-`.
pub fn file(form: Form, name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let disposition = format!("attachment; filename=\"{name}.{form}\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    let disposition = HeaderValue::try_from(disposition).expect("names of ours are visible ASCII");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}

/// A filter has room for one city: who has several names one. A unit takes no list along.
/// For the audit, which shows no phone number.
fn words(query: &Parameters, form: Form, rows: Count) -> String {
    let mut words =
        vec![form.to_string(), format!("{} rows{}", rows.tickets, if rows.more { " and more" } else { "" })];
    for key in KEYS.iter().filter(|key| !["format", "phone", "q"].contains(key)) {
        words.extend(query.text(key).map(|value| format!("{key} {value}")));
    }
    for key in ["phone", "q"] {
        words.extend(query.text(key).map(|_| format!("by {key}")));
    }
    words.join(", ")
}

fn too_many(error: &SheetError) -> Problem {
    Problem::new(Kind::Refused, format!("{error}."))
}

/// What is written elsewhere, part by part. A failure breaks the transfer off: half a file never looks whole.
struct Lines {
    lines: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl AsyncRead for Lines {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.lines.poll_recv(cx)) {
                Some(part) => self.rest = part?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let size = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(size));
        Poll::Ready(Ok(()))
    }
}
