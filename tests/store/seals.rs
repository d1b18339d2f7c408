//! The audit under seal: whatever is done to it by hand is found.

use chrono::{DateTime, TimeDelta, Utc};
use hotline::store::{Broken, Verified};

use crate::fixture::{Fixture, morning, on_each_database, ticket};

on_each_database!(
    rows_are_sealed_when_they_have_settled,
    an_untouched_audit_is_whole,
    an_altered_row_breaks_its_seal_and_no_other,
    a_deleted_row_is_missed,
    a_row_put_under_a_seal_is_found,
    an_altered_seal_breaks_the_chain,
    a_missing_seal_is_found,
    a_row_deleted_before_its_seal_leaves_a_gap,
    a_row_of_no_known_subject_is_found,
    a_chain_made_anew_lacks_the_hash_that_was_written_down,
    two_nodes_seal_every_row_once,
    many_rows_get_several_seals,
);

/// So many tickets, each with a row in the audit, sealed in groups of two.
async fn sealed(fixture: &Fixture, tickets: u32) -> DateTime<Utc> {
    let mut now = morning();
    for number in 1..=tickets {
        let call = fixture.call(number).await;
        fixture.store.submit_ticket(&ticket(&call), now).await.expect("submitted");
        now += TimeDelta::seconds(30);
        if number % 2 == 0 {
            fixture.store.seal_audit(now).await.expect("sealed");
        }
    }
    now
}

async fn verified(fixture: &Fixture) -> Verified {
    fixture.store.verify_audit(None).await.expect("verified")
}

async fn broken(fixture: &Fixture) -> Vec<Broken> {
    verified(fixture).await.broken
}

async fn subject_of_seal(fixture: &Fixture, seal: u64) -> String {
    let sql = format!("select subject from audit where seal = {seal} order by sequence, subject");
    fixture.rows(&sql).await.first().expect("a row").clone()
}

async fn rows_are_sealed_when_they_have_settled(fixture: Fixture) {
    let call = fixture.call(1).await;
    fixture.store.submit_ticket(&ticket(&call), morning()).await.expect("submitted");
    let early = morning() + TimeDelta::milliseconds(4_999);
    assert_eq!(fixture.store.seal_audit(early).await, Ok(0));
    let unsealed = verified(&fixture).await;
    assert_eq!((unsealed.seals, unsealed.rows, unsealed.unsealed, unsealed.last), (0, 0, 1, None));
    let settled = morning() + TimeDelta::seconds(5);
    assert_eq!(fixture.store.seal_audit(settled).await, Ok(1));
    assert_eq!(fixture.store.seal_audit(settled).await, Ok(0), "nothing is sealed twice");
    let seal = fixture.store.last_seal().await.expect("read").expect("a seal");
    assert_eq!((seal.id, seal.at, seal.entries), (1, settled, 1));
}

async fn an_untouched_audit_is_whole(fixture: Fixture) {
    sealed(&fixture, 7).await;
    let verified = verified(&fixture).await;
    assert!(verified.is_whole(), "{:?}", verified.broken);
    assert_eq!((verified.seals, verified.rows, verified.unsealed), (3, 6, 1));
    assert_eq!(verified.last, fixture.store.last_seal().await.expect("read"));
}

async fn an_altered_row_breaks_its_seal_and_no_other(fixture: Fixture) {
    sealed(&fixture, 6).await;
    let subject = subject_of_seal(&fixture, 2).await;
    let row = format!("where subject = '{subject}' and sequence = 1");
    for (altered, back) in [
        ("action = 'noted'", "action = 'created'"),
        ("actor = 'system'", "actor = 'caller'"),
        ("reason = ''", "reason = null"),
        ("address = 'x'", "address = null"),
        ("changes = '[]'", "changes = null"),
    ] {
        assert_eq!(fixture.execute(&format!("update audit set {altered} {row}")).await, 1);
        assert_eq!(broken(&fixture).await, [Broken::Altered { seal: 2 }], "{altered}");
        fixture.execute(&format!("update audit set {back} {row}")).await;
        assert_eq!(broken(&fixture).await, [], "{back}");
    }
    let earlier = "(select min(at) from audit)";
    fixture.execute(&format!("update audit set at = {earlier} {row}")).await;
    assert_eq!(broken(&fixture).await, [Broken::Altered { seal: 2 }]);
}

async fn a_deleted_row_is_missed(fixture: Fixture) {
    sealed(&fixture, 4).await;
    let subject = subject_of_seal(&fixture, 1).await;
    fixture.execute(&format!("delete from audit where subject = '{subject}'")).await;
    let deleted = Broken::Deleted { seal: 1, entries: 2, found: 1 };
    let gap = Broken::Gap { subject: subject.clone(), last: 1, found: 0, newest: 0 };
    assert_eq!(broken(&fixture).await, [deleted.clone(), gap]);
    fixture.execute(&format!("delete from audit_subject where subject = '{subject}'")).await;
    assert_eq!(broken(&fixture).await, [deleted], "the seal still counts it");
}

async fn a_row_put_under_a_seal_is_found(fixture: Fixture) {
    sealed(&fixture, 4).await;
    let subject = subject_of_seal(&fixture, 1).await;
    fixture
        .execute("update audit_subject set last = 2 where subject in (select subject from audit where seal = 1)")
        .await;
    fixture
        .execute(&format!(
            "insert into audit (subject, sequence, at, actor, action, seal) \
             select subject, 2, at, actor, 'noted', 1 from audit where subject = '{subject}'"
        ))
        .await;
    let broken = broken(&fixture).await;
    assert_eq!(broken[0], Broken::Inserted { seal: 1, entries: 2, found: 3 });
    assert!(matches!(broken[1..], [Broken::Gap { last: 2, found: 1, .. }]), "{broken:?}");
}

async fn an_altered_seal_breaks_the_chain(fixture: Fixture) {
    sealed(&fixture, 6).await;
    fixture.execute(&format!("update audit_seal set hash = '{}' where id = 2", "0".repeat(64))).await;
    assert_eq!(broken(&fixture).await, [Broken::Altered { seal: 2 }, Broken::Altered { seal: 3 }]);
    fixture.execute("update audit_seal set hash = 'nonsense' where id = 2").await;
    assert_eq!(broken(&fixture).await, [Broken::Altered { seal: 2 }]);
}

async fn a_missing_seal_is_found(fixture: Fixture) {
    sealed(&fixture, 8).await;
    fixture.execute("delete from audit_seal where id = 2").await;
    let missing = Broken::SealMissing { seal: 2 };
    assert_eq!(broken(&fixture).await, [missing, Broken::SealUnknown { seal: 2, rows: 2 }]);
    fixture.execute("delete from audit_seal where id = 4").await;
    let broken = broken(&fixture).await;
    assert!(broken.contains(&Broken::SealUnknown { seal: 4, rows: 2 }), "the last one too: {broken:?}");
}

async fn a_row_deleted_before_its_seal_leaves_a_gap(fixture: Fixture) {
    sealed(&fixture, 3).await;
    let subject = fixture.rows("select subject from audit where seal is null").await.remove(0);
    fixture.execute("delete from audit where seal is null").await;
    assert_eq!(broken(&fixture).await, [Broken::Gap { subject, last: 1, found: 0, newest: 0 }]);
}

async fn a_row_of_no_known_subject_is_found(fixture: Fixture) {
    sealed(&fixture, 2).await;
    fixture
        .execute(
            "insert into audit (subject, sequence, at, actor, action) \
             select 'calendar', 1, at, actor, 'imported' from audit where seal = 1 order by subject limit 1",
        )
        .await;
    assert_eq!(broken(&fixture).await, [Broken::SubjectUnknown { subject: "calendar".to_owned(), rows: 1 }]);
}

async fn a_chain_made_anew_lacks_the_hash_that_was_written_down(fixture: Fixture) {
    let now = sealed(&fixture, 4).await;
    let written_down = fixture.store.last_seal().await.expect("read").expect("a seal").hash;
    let expected = async || fixture.store.verify_audit(Some(&written_down)).await.expect("verified");
    assert!(expected().await.expected_found);
    fixture.execute("delete from audit_seal").await;
    fixture.execute("update audit set seal = null, actor = 'system'").await;
    assert_eq!(fixture.store.seal_audit(now).await, Ok(4));
    let forged = expected().await;
    assert!(forged.is_whole() && !forged.expected_found, "{forged:?}");
}

async fn two_nodes_seal_every_row_once(fixture: Fixture) {
    let now = sealed(&fixture, 1).await;
    let other = fixture.reopen().await.expect("the store opens");
    for number in 2..40 {
        let call = fixture.call(number).await;
        fixture.store.submit_ticket(&ticket(&call), now).await.expect("submitted");
    }
    let later = now + TimeDelta::minutes(1);
    let (one, two) = tokio::join!(fixture.store.seal_audit(later), other.seal_audit(later));
    assert_eq!(one.expect("sealed") + two.expect("sealed"), 39);
    let verified = verified(&fixture).await;
    assert!(verified.is_whole(), "{:?}", verified.broken);
    assert_eq!((verified.rows, verified.unsealed), (39, 0));
}

async fn many_rows_get_several_seals(fixture: Fixture) {
    sealed(&fixture, 2).await;
    let numbers =
        "(with recursive n (i) as (select 1 union all select i + 1 from n where i < 10001) select i from n) n";
    let at = "(select min(at) from audit)";
    let rows = format!(
        "insert into audit (subject, sequence, at, actor, action) select 'calendar', i, {at}, 'system', 'noted' from {numbers}"
    );
    fixture.execute(&rows).await;
    fixture.execute("insert into audit_subject (subject, last) values ('calendar', 10001)").await;
    let later = morning() + TimeDelta::hours(1);
    assert_eq!(fixture.store.seal_audit(later).await, Ok(10_001));
    let verified = verified(&fixture).await;
    assert!(verified.is_whole(), "{:?}", verified.broken);
    assert_eq!((verified.seals, verified.rows), (3, 10_003));
}
