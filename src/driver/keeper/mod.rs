//! Keeps what a call brings. Two tasks a call: `files` opens and closes its recordings and never touches the
//! database, `rows` stores everything in its order. So a database that is slow or away holds up neither
//! signalling nor sound nor files: what could not be stored is held and tried again, and what this program does
//! not live to store, the repair at the next start rebuilds from the files.

mod files;
mod rows;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::recorder::Recorder;
use crate::call::{Ended, Input, Note, Settled};
use crate::clock::Clock;
use crate::ivr::{Draft, Spoken, Take};
use crate::live::Live;
use crate::store::{NewCall, Store};
use crate::ticket::{AttemptId, EndedBy, RecordingKind};

use files::Files;
use rows::Rows;

/// What the keeper is told, in the call's order.
#[derive(Debug)]
pub enum Keep {
    Answered(DateTime<Utc>),
    Note(Note),
    OpenTake {
        take: Take,
        kind: RecordingKind,
        random: [u8; 10],
    },
    CloseTake {
        take: Take,
        ended_by: EndedBy,
        end_frame: Option<u32>,
    },
    OpenCallRecording {
        random: [u8; 10],
    },
    /// Reads a take back for its citizen.
    Load {
        take: Take,
    },
    Draft(Box<Draft>),
    Submit {
        ask: u32,
        draft: Box<Draft>,
    },
    /// What is said and settled from now on is of this attempt at a return visit.
    Visit(AttemptId),
    /// An INVITE leaves by another trunk than the first.
    Dialled {
        trunk: Arc<str>,
    },
    Said(Spoken),
    Settled(Settled),
    Ended(Ended),
}

/// What all keepers share.
#[derive(Debug)]
pub struct Keeping {
    pub store: Store,
    pub recorder: Recorder,
    pub live: Arc<Live>,
    pub clock: Clock,
}

/// Until the call has ended and everything of it is stored. Replies go to the call's `inbox`.
pub async fn keep(
    keeping: Arc<Keeping>,
    call: NewCall,
    inbox: UnboundedSender<Input>,
    orders: UnboundedReceiver<Keep>,
) {
    let (rows, queue) = mpsc::unbounded_channel();
    let files = Files::new(Arc::clone(&keeping), call.clone(), inbox.clone(), rows);
    let rows = Rows::new(keeping, call, inbox);
    tokio::join!(files.run(orders), rows.run(queue));
}
