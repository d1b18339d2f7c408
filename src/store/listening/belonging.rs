//! Which ticket a recording belongs to, and what of that ticket it is found by.

use crate::store::{StoreError, Transaction, on};
use crate::ticket::{AttemptId, CallId, Ticket};

const OWNER: &str = "update recording set owner = coalesce(ticket, \
     (select ticket.number from ticket where ticket.call = recording.call), \
     (select min(attempt.ticket) from attempt where attempt.call = recording.call)), \
     answered = exists (select 1 from attempt where attempt.call = recording.call and \
     (attempt.contacted is not null or attempt.solved is not null or attempt.satisfaction is not null)) \
     where call = $1";

/// Whether a ticket's requester is for named people only, as `Ticket::is_shielded` and `Ticket::anonymous` say it.
pub(super) const SHIELDED: &str = "(ticket.confidential or ticket.anonymous or ticket.request_type = 'report')";

/// What a recording is found by.
fn facts_of_owner() -> String {
    format!(
        "update recording set \
         unit = (select ticket.lead_unit from ticket where ticket.number = recording.owner), \
         shielded = exists (select 1 from ticket where ticket.number = recording.owner and {SHIELDED}), \
         satisfaction = (select ticket.satisfaction from ticket where ticket.number = recording.owner) \
         where call = $1 and owner is not null"
    )
}

/// After a recording, a ticket or an answer of the call has come: its recordings are the ticket's from now on.
pub(in crate::store) async fn belong_to_ticket(transaction: &mut Transaction, call: CallId) -> Result<(), StoreError> {
    settle(transaction, &call.to_string()).await
}

/// The same of the call that an attempt is made in.
pub(in crate::store) async fn belong_to_attempt(
    transaction: &mut Transaction,
    attempt: AttemptId,
) -> Result<(), StoreError> {
    const CALL: &str = "select call from attempt where id = $1";
    let call: Option<Option<String>> = on!(transaction, transaction => sqlx::query_scalar(CALL)
        .bind(attempt.to_string())
        .fetch_optional(&mut **transaction)
        .await)?;
    match call.flatten() {
        Some(call) => settle(transaction, &call).await,
        None => Ok(()),
    }
}

async fn settle(transaction: &mut Transaction, call: &str) -> Result<(), StoreError> {
    for sql in [OWNER, &facts_of_owner()] {
        let sql = sqlx::AssertSqlSafe(sql);
        on!(transaction, transaction => sqlx::query(sql).bind(call).execute(&mut **transaction).await.map(drop))?;
    }
    Ok(())
}

/// After a ticket has changed: its recordings are found by what it is now.
pub(in crate::store) async fn follow_ticket(
    transaction: &mut Transaction,
    was: &Ticket,
    is: &Ticket,
) -> Result<(), StoreError> {
    const SQL: &str = "update recording set unit = $2, shielded = $3, satisfaction = $4 where owner = $1";
    let facts = |ticket: &Ticket| {
        let shielded = ticket.is_shielded() || ticket.anonymous;
        (ticket.handling.lead.clone(), shielded, ticket.visit.satisfaction.map(|given| i64::from(given.get())))
    };
    let (unit, shielded, satisfaction) = facts(is);
    if facts(was) == (unit.clone(), shielded, satisfaction) {
        return Ok(());
    }
    on!(transaction, transaction => sqlx::query(SQL)
        .bind(is.number.to_string())
        .bind(unit.as_ref().map(|unit| unit.as_str()))
        .bind(shielded)
        .bind(satisfaction)
        .execute(&mut **transaction)
        .await
        .map(drop))?;
    Ok(())
}
