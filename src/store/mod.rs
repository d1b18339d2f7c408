//! Rows in SQLite or PostgreSQL, and recordings on disk.
//!
//! Times are parameters, cut to microseconds (PostgreSQL keeps no more); the SQL is one text for both databases.

mod calls;
mod database;
mod error;
mod events;
mod meta;
mod open;
mod page;
mod progress;
mod recording_file;
mod recording_folder;
mod recordings;
mod repair;
mod row;
mod sidecar;
mod speech;
mod tickets;
mod wav;

use database::{Pool, Transaction, on};

pub use calls::{Call, EndedCall, NewCall};
pub use error::{StoreError, SubmitError};
pub use events::{CallEvent, MAX_EVENT_TEXT};
pub use open::{Config, DatabaseUrl, OpenError};
pub use page::{BadCursor, Cursor, Filter, MAX_PAGE, Page};
pub use progress::{Progress, Status, Urged, Verification};
pub use recording_file::{RecordingError, RecordingWriter};
pub use recording_folder::RecordingFolder;
pub use recordings::{FinishedRecording, NewRecording, Recording};
pub use repair::{RepairError, Repaired, repair};
pub use sidecar::{Outcome, RequestFacts, Sidecar, SidecarFile};
pub use speech::{SpeechMeter, speech_ms};
pub use tickets::{NewTicket, Submitted, TicketFile, TicketWithRecordings};

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    read: Pool,
    write: Pool,
}

impl Store {
    /// Whether the database answers, reads and takes writers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on!(&self.read, pool => sqlx::query("select name from meta limit 1").execute(pool).await.map(drop))?;
        self.write.begin().await?.commit().await
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.write.begin().await
    }
}
