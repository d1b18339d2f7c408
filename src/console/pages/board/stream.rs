//! `/live/stream`: the board as server-sent events. A reader gets the whole board first, whenever it comes, so that
//! nothing is missing after a break; then the calls whenever they change, and the figures when they do.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::Serialize;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::io::ReaderStream;

use super::now::{Calls, Figures};
use crate::clock::Mono;
use crate::console::Shared;
use crate::console::guard::busy;
use crate::console::pages::Frame;
use crate::console::problem::Problem;
use crate::live::LiveEvent;

const PIPE_BYTES: usize = 64 * 1024;
/// Changes of calls that come close together are shown together.
const GATHERED: Duration = Duration::from_millis(250);
/// How often figures are counted where nothing happens; a new call or ticket has them counted, once a second at most.
const COUNTED: Duration = Duration::from_secs(5);
const COUNTED_AT_MOST: Duration = Duration::from_secs(1);
/// How often what is near supervision is looked for.
const NEAR: Duration = Duration::from_secs(60);
/// A comment after this long without anything else.
const HEARTBEATS: u32 = 3;
/// Then the reader comes again, which asks anew whether its session is still good.
const LASTS: Duration = Duration::from_secs(600);
const RETRY_MS: u32 = 1_000;

pub async fn stream(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let permit = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| busy())?;
    let (reading, writing) = tokio::io::duplex(PIPE_BYTES);
    // ids go on counting over breaks: whoever reads sees that the board is a newer one
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let happening = shared.live.subscribe();
    let teller = Teller {
        to: writing,
        next: last.unwrap_or(0_u64).wrapping_add(1),
        shown: Figures::default(),
        counted_at: shared.clock.mono(),
        near_at: None,
    };
    tokio::spawn(async move {
        let _permit = permit;
        tokio::select! {
            // ends with an error when the reader has gone
            _ = teller.tell(&shared, &frame, happening) => {}
            () = sleep(LASTS) => {}
            () = shared.closing.cancelled() => {}
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(ReaderStream::new(reading))))
}

struct Teller {
    to: DuplexStream,
    next: u64,
    shown: Figures,
    counted_at: Mono,
    /// When what is near supervision was looked for.
    near_at: Option<Mono>,
}

impl Teller {
    async fn tell(
        mut self,
        shared: &Shared,
        frame: &Frame,
        mut happening: Receiver<LiveEvent>,
    ) -> std::io::Result<Infallible> {
        self.to.write_all(format!("retry: {RETRY_MS}\n\n").as_bytes()).await?;
        self.calls(shared, frame).await?;
        self.figures(shared, frame).await?;
        let mut counting = interval(COUNTED);
        counting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        counting.reset();
        let mut quiet = 0;
        loop {
            tokio::select! {
                event = happening.recv() => {
                    let recount = self.gathered(event, &mut happening).await?;
                    self.calls(shared, frame).await?;
                    if recount {
                        counting.reset_after(COUNTED_AT_MOST.saturating_sub(shared.clock.mono().since(self.counted_at)));
                    }
                }
                _ = counting.tick() => {
                    quiet += 1;
                    if self.figures(shared, frame).await? {
                        quiet = 0;
                    } else if quiet >= HEARTBEATS {
                        quiet = 0;
                        self.to.write_all(b":\n\n").await?;
                    }
                }
            }
        }
    }

    /// Waits for what comes right behind; whether figures may have changed.
    async fn gathered(
        &mut self,
        first: Result<LiveEvent, RecvError>,
        happening: &mut Receiver<LiveEvent>,
    ) -> std::io::Result<bool> {
        let until = sleep(GATHERED);
        tokio::pin!(until);
        let mut recount = false;
        let mut event = Ok(first);
        while let Ok(one) = event {
            recount |= match one {
                Ok(event) => counts(&event),
                // what was missed is in the whole board that follows
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            };
            event = tokio::select! {
                event = happening.recv() => Ok(event),
                () = &mut until => Err(()),
            };
        }
        Ok(recount)
    }

    async fn calls(&mut self, shared: &Shared, frame: &Frame) -> std::io::Result<()> {
        self.send("calls", &Calls::now(shared, frame)).await
    }

    /// If they differ from those that were sent last; whether they do.
    async fn figures(&mut self, shared: &Shared, frame: &Frame) -> std::io::Result<bool> {
        // a database that is away has been logged; the board goes on with the calls
        let now = shared.clock.mono();
        self.counted_at = now;
        let is_known = self.near_at.is_some_and(|at| now.since(at) < NEAR);
        let near = is_known.then(|| self.shown.near.clone());
        if !is_known {
            self.near_at = Some(now);
        }
        let Ok(figures) = Figures::read(shared, frame, near).await else { return Ok(false) };
        if figures == self.shown {
            return Ok(false);
        }
        self.send("figures", &figures).await?;
        self.shown = figures;
        Ok(true)
    }

    async fn send(&mut self, event: &str, data: &impl Serialize) -> std::io::Result<()> {
        // JSON has no line breaks of its own, so one `data` line holds it
        let json = serde_json::to_string(data).expect("plain data has a JSON form");
        let frame = format!("id: {}\nevent: {event}\ndata: {json}\n\n", self.next);
        self.next = self.next.wrapping_add(1);
        self.to.write_all(frame.as_bytes()).await
    }
}

fn counts(event: &LiveEvent) -> bool {
    matches!(event, LiveEvent::TicketCreated { .. } | LiveEvent::VisitSettled { .. } | LiveEvent::CallStarted { .. })
}
