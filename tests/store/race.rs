//! Many at once: one wins, the others hear what has changed.

use hotline::store::{NotDone, Order};
use hotline::ticket::Number;
use serde_json::json;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, morning, on_each_database};
use crate::life::{command, complaint, now_is, order};

on_each_database!(of_a_hundred_commands_at_once_one_wins_each_version);

const COMMANDS: u32 = 100;
const WAVES: u32 = 4;

async fn of_a_hundred_commands_at_once_one_wins_each_version(fixture: Fixture) {
    let number = complaint(&fixture, 1, morning()).await;
    let nodes = [fixture.store.clone(), fixture.reopen().await.expect("opened")];
    for version in 1..=WAVES {
        let mut waiting = JoinSet::new();
        for at in 0..COMMANDS {
            let (node, order) = (nodes[at as usize % 2].clone(), noted(number, version, at));
            waiting.spawn(async move { node.execute(&order, morning()).await });
        }
        let mut won = 0;
        while let Some(done) = waiting.join_next().await {
            match done.expect("no panic") {
                Ok(ticket) => {
                    assert_eq!(ticket.version, version + 1);
                    won += 1;
                }
                Err(NotDone::Changed(ticket)) => assert_eq!(ticket.version, version + 1),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, 1, "version {version}");
    }
    assert_eq!(now_is(&fixture.store, number).await.version, WAVES + 1);
    let notes = fixture.rows("select subject from audit where action = 'noted'").await;
    assert_eq!(notes.len(), WAVES as usize);
}

fn noted(number: Number, version: u32, at: u32) -> Order {
    let note = command(json!({ "command": "note", "text": format!("note {at}") }));
    Order { version: Some(version), ..order(number, note) }
}
