//! What can go wrong with a query.

/// A query's failure. Says nothing of the rows: no phone number reaches a log through it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or refused the statement (the environment's fault).
    #[error("database: {0}")]
    Database(String),
    /// A row was written by a newer version or by hand.
    #[error("{column} holds {text:?}, which this version does not know")]
    UnknownText { column: &'static str, text: String },
    /// A number in a row is outside its range.
    #[error("{column} holds a value outside its range")]
    OutOfRange { column: &'static str },
}

/// Why a request became no ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// `insert_call` comes first.
    #[error("the ticket's call is not in the database")]
    UnknownCall,
    #[error("all ticket numbers of the city are used up for {0} days")]
    NumbersUsedUp(u32),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for StoreError {
    // only the message: PostgreSQL puts whole rows into the detail, which Debug would print
    fn from(error: sqlx::Error) -> StoreError {
        StoreError::Database(error.to_string())
    }
}
