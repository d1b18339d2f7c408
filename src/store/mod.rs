//! Rows in SQLite or PostgreSQL, and recordings on disk.
//!
//! Times are parameters, cut to microseconds (PostgreSQL keeps no more); the SQL is one text for both databases.

mod accounts;
mod actors;
mod attachment_folder;
mod attachments;
mod audit;
mod backup;
mod board;
mod bulk;
mod calendar;
mod calls;
mod catalogue;
mod clients;
mod commands;
mod complaints;
mod database;
mod error;
mod events;
mod follow_up;
mod late;
mod listening;
mod matching;
mod meta;
mod open;
mod open_requests;
mod outbox;
mod overview;
mod page;
mod progress;
mod quality;
mod recording_file;
mod recording_folder;
mod recordings;
mod repair;
mod reports;
mod requests;
mod reschedule;
mod retention;
mod row;
mod rules;
mod saved_views;
mod seals;
mod second_factor;
mod seed;
mod sessions;
mod sidecar;
mod speech;
mod sql;
mod supervision;
mod throttle;
mod ticket_filter;
mod ticket_latest;
mod ticket_list;
mod ticket_row;
mod ticket_words;
mod tickets;
mod token;
mod verify;
mod visiting;
mod visits;
mod wav;

use std::sync::{Arc, Mutex};

use database::{Pool, Transaction, on};

pub use accounts::{
    Account, AccountError, AccountName, BadName, BadPassword, BadProfile, BadSecret, By, ClientName, NewAccount,
    OtpSecret, Password, Profile,
};
pub use actors::{ActorName, ActorNames};
pub use attachment_folder::AttachmentFolder;
pub use attachments::Attachment;
pub use audit::{AuditChange, AuditEntry, AuditFilter, Seen};
pub use backup::{BackedUp, BackupError, Checked, backup, check_backup, restore};
pub use board::NearMatter;
pub use bulk::{Bulk, BulkError, LIVES_A_TRANSACTION};
pub use calls::{Call, EndedCall, NewCall};
pub use catalogue::{Conflict, Kept, NotKept, Placed};
pub use clients::{Client, ClientError, NewClient};
pub use commands::{NotDone, Order};
pub use complaints::Complaints;
pub use error::{StoreError, SubmitError};
pub use events::{CallEvent, MAX_EVENT_TEXT};
pub use listening::{Expired, Held, LegalHold, OnDisk, Outlook, RecordingFilter, RecordingsChecked, Whose, peaks_of};
pub use matching::{Likely, NotMatched};
pub use open::{Config, DatabaseUrl, OpenError};
pub use open_requests::{MAX_OPEN_REQUESTS, OpenFilter, OpenService};
pub use outbox::{Addressee, ListedMessage, Message, MessageCounts, MessageKind, MessageState, Target};
pub use overview::{CityFigures, Overview};
pub use page::{BadCursor, Cursor, Filter, MAX_PAGE, Page};
pub use progress::{Progress, Status, Urged, Verification};
pub use quality::{NewScore, NotReviewed, Review, ReviewFile, ReviewFilter, Said, Score};
pub use recording_file::{RecordingError, RecordingWriter};
pub use recording_folder::RecordingFolder;
pub use recordings::{FinishedRecording, NewRecording, Recording};
pub use repair::{RepairError, Repaired, repair};
pub use reports::{Behind, ClassWeeks, Counted, Dimension, Hours, Name, Recounted, ReportQuery, ReportRow, TREND_DAYS};
pub use requests::{Filed, NewRequest, Once};
pub use reschedule::{Clocks, Moved};
pub use retention::Purged;
pub use rules::{Rules, Subscriber, WEBHOOK_EVENTS};
pub use saved_views::{MOST_VIEWS, NotSaved, SavedView};
pub use seals::Seal;
pub use second_factor::{NotSetUp, Stage};
pub use sessions::{Session, SignInError, SignedIn};
pub use sidecar::{Outcome, RequestFacts, Sidecar, SidecarFile};
pub use speech::{SpeechMeter, speech_ms};
pub use supervision::{Hand, NotSupervised, Supervised};
pub use throttle::AccessConfig;
pub use ticket_filter::{TicketFilter, TicketOrder};
pub use ticket_list::{Count, ListError};
pub use ticket_words::WordSearch;
pub use tickets::{NewTicket, Submitted, TicketFile, TicketWithRecordings};
pub use token::Token;
pub use verify::{Broken, Verified};
pub use visiting::{
    Ceilings, Holder, NotSkipped, OptOut, Paused, PlannedVisit, PreviewedVisit, Replied, Settled, Settlement,
    VISITS_A_PLAN, VisitAttempt, VisitCount, VisitFigures, VisitFilter, VisitStep,
};
pub use visits::{Contact, Visit};

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    read: Pool,
    write: Pool,
    rules: Arc<Rules>,
    calendar: Arc<Mutex<calendar::Known>>,
    word_search: WordSearch,
}

impl Store {
    /// The same database under these rules.
    pub fn with_rules(self, rules: Rules) -> Store {
        Store { rules: Arc::new(rules), ..self }
    }

    /// What it goes by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether the database answers, reads and takes writers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on!(&self.read, pool => sqlx::query("select name from meta limit 1").execute(pool).await.map(drop))?;
        self.write.begin().await?.commit().await
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.write.begin().await
    }
}
