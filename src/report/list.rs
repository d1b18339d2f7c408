//! Lists of tickets as files. They name nobody: no name of a requester, and phone numbers masked, those of shielded
//! requesters left out.

use std::fs::File;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::grid::{Cell, Column};
use super::{MAX_ROWS, Sheet, SheetError, csv};
use crate::store::{Cursor, ListError, MAX_PAGE, Store, StoreError, TicketFilter, TicketOrder};
use crate::ticket::Ticket;

/// The columns of a list of tickets; times and days are of Beijing, names of states and kinds those of the API.
pub const TICKET_COLUMNS: [Column; 31] = [
    column("number", "工单编号", 15),
    column("city", "城市", 10),
    column("channel", "渠道", 10),
    column("created_at", "受理时间", 19),
    column("language", "语言", 6),
    column("requester", "诉求人类型", 11),
    column("phone", "电话", 14),
    column("confidential", "保密", 6),
    column("type", "诉求类型", 10),
    column("urgency", "紧急程度", 10),
    column("class", "分类", 8),
    column("title", "标题", 40),
    column("place", "地点", 24),
    column("valid", "有效", 6),
    column("state", "状态", 18),
    column("lead_unit", "主办单位", 22),
    column("assisting_units", "协办单位", 22),
    column("round", "轮次", 6),
    column("dispatched_at", "派单时间", 19),
    column("contact_due_at", "联系时限", 19),
    column("contact_at", "首次联系", 19),
    column("due_day", "办理期限", 11),
    column("due_provisional", "期限暂定", 9),
    column("closed_at", "办结时间", 19),
    column("ended_at", "归档时间", 19),
    column("supervision", "督办级别", 9),
    column("excluded", "不计入原因", 18),
    column("merged_into", "并入工单", 15),
    column("contacted", "联系评价", 10),
    column("solved", "解决评价", 10),
    column("satisfaction", "满意度", 8),
];

const fn column(name: &'static str, zh: &'static str, width: u16) -> Column {
    Column { name, zh, width }
}

/// A ticket's values in [`TICKET_COLUMNS`].
pub fn ticket_cells(ticket: &Ticket) -> Vec<Cell> {
    let (matter, handling) = (&ticket.matter, &ticket.handling);
    let phone = ticket.phone.as_ref().filter(|_| !ticket.is_shielded());
    let assisting: Vec<&str> = handling.assisting.iter().map(|unit| unit.as_str()).collect();
    let level = ticket.supervision.level.map(|level| u64::from(level.get()));
    let satisfaction = ticket.visit.satisfaction.map(|given| u64::from(given.get()));
    vec![
        Cell::text(Some(ticket.number)),
        Cell::text(Some(ticket.city)),
        Cell::text(Some(ticket.channel)),
        time(Some(ticket.created_at)),
        Cell::text(Some(ticket.language)),
        Cell::text(Some(ticket.requester)),
        Cell::text(phone.map(|phone| phone.masked())),
        yes(ticket.confidential),
        Cell::text(ticket.request_type),
        Cell::text(Some(ticket.urgency)),
        Cell::text(matter.class),
        Cell::text(matter.title.as_ref()),
        Cell::text(matter.place.as_ref()),
        yes(!matter.invalid),
        Cell::text(Some(ticket.state)),
        Cell::text(handling.lead.as_ref()),
        Cell::text(Some(assisting.join(" "))),
        Cell::Number(handling.round.into()),
        time(handling.dispatched_at),
        time(handling.contact_due_at),
        time(handling.contact_at),
        Cell::text(handling.due_day),
        yes(handling.due_provisional),
        time(handling.closed_at),
        time(handling.ended_at),
        level.map_or(Cell::Nothing, Cell::Number),
        Cell::text(handling.excluded.as_ref()),
        Cell::text(handling.merged_into),
        Cell::text(ticket.visit.contacted),
        Cell::text(ticket.visit.solved),
        satisfaction.map_or(Cell::Nothing, Cell::Number),
    ]
}

fn yes(is: bool) -> Cell {
    Cell::Text(if is { "yes" } else { "no" }.to_owned())
}

/// `2026-11-22 10:00:00`, in Beijing.
fn time(at: Option<DateTime<Utc>>) -> Cell {
    let beijing = at.and_then(|at| at.checked_add_signed(TimeDelta::hours(8)));
    Cell::text(beijing.map(|at| at.format("%Y-%m-%d %H:%M:%S")))
}

/// The tickets of a filter, page by page.
struct Pages {
    store: Store,
    filter: TicketFilter,
    next: Option<Option<Cursor>>,
}

impl Pages {
    fn new(store: &Store, filter: TicketFilter) -> Pages {
        Pages { store: store.clone(), filter, next: Some(None) }
    }

    async fn next(&mut self) -> Result<Option<Vec<Ticket>>, StoreError> {
        let Some(cursor) = self.next.take() else { return Ok(None) };
        let page = self.store.tickets(&self.filter, TicketOrder::Created, MAX_PAGE, cursor.as_ref()).await;
        let page = page.map_err(|error| match error {
            ListError::Store(error) => error,
            ListError::Cursor(_) => unreachable!("the list gave the cursor out"),
        })?;
        self.next = page.next.map(Some);
        Ok(Some(page.items.into_iter().map(|listed| listed.ticket).collect()))
    }
}

/// A list of tickets as CSV, a page at a time.
pub struct CsvTickets {
    pages: Pages,
    begun: bool,
}

impl CsvTickets {
    pub fn new(store: &Store, filter: TicketFilter) -> CsvTickets {
        CsvTickets { pages: Pages::new(store, filter), begun: false }
    }

    /// The next lines of the file, the first with its head; `None` behind the last.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let Some(tickets) = self.pages.next().await? else { return Ok(None) };
        let mut lines = String::new();
        if !self.begun {
            self.begun = true;
            lines.push_str(csv::BYTE_ORDER_MARK);
            lines.push_str(&csv::head(&TICKET_COLUMNS));
        }
        lines.extend(tickets.iter().map(|ticket| csv::line(&ticket_cells(ticket))));
        Ok(Some(lines))
    }
}

/// A list of tickets as a sheet, in a file without a name below `folder`.
///
/// # Errors
/// More than `most` tickets, which is [`MAX_ROWS`] or less: said before anything is written. The store's and the disk's.
pub async fn tickets_as_sheet(
    store: &Store,
    filter: &TicketFilter,
    folder: &Path,
    most: u32,
) -> Result<File, SheetError> {
    let most = most.min(MAX_ROWS);
    let failed = |error: StoreError| SheetError::Written(error.to_string());
    if store.count_tickets(filter, TicketOrder::Created, most).await.map_err(failed)?.is_over(most) {
        return Err(SheetError::TooManyRows { most });
    }
    let (mut pages, mut sheet) = (Pages::new(store, filter.clone()), Sheet::new(folder, &TICKET_COLUMNS)?);
    while let Some(tickets) = pages.next().await.map_err(failed)? {
        // compressing is work: not on the threads that answer others
        let appended = tokio::task::spawn_blocking(move || {
            tickets.iter().try_for_each(|ticket| sheet.append(&ticket_cells(ticket))).map(|()| sheet)
        });
        sheet = appended.await.map_err(|error| SheetError::Written(error.to_string()))??;
    }
    let finished = tokio::task::spawn_blocking(move || sheet.finish());
    finished.await.map_err(|error| SheetError::Written(error.to_string()))?
}
