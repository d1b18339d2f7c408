//! Lists that people keep under a name.

use hotline::store::{MOST_VIEWS, NotSaved, SavedView};
use hotline::ticket::{AccountId, ViewId};

use crate::accounts;
use crate::fixture::{Fixture, morning, on_each_database};

on_each_database!(a_view_is_kept_under_its_name_and_is_its_accounts_own, an_account_keeps_so_many_views_and_no_more,);

async fn account(fixture: &Fixture, name: &str) -> AccountId {
    accounts::add(fixture, name, accounts::agent()).await.expect("added").id
}

fn view(account: AccountId, number: u8, name: &str, query: &str) -> SavedView {
    SavedView {
        id: ViewId::new(morning(), [number; 10]),
        account,
        name: name.parse().expect("a name"),
        path: "/tickets".to_owned(),
        query: query.to_owned(),
        created_at: morning(),
    }
}

async fn a_view_is_kept_under_its_name_and_is_its_accounts_own(fixture: Fixture) {
    let store = &fixture.store;
    let (one, other) = (account(&fixture, "pema").await, account(&fixture, "tashi").await);
    let late = view(one, 1, "超期", "overdue=true");
    store.save_view(&late).await.expect("kept");
    store.save_view(&view(one, 2, "投诉", "type=complaint&q=%E6%B0%B4")).await.expect("kept");
    store.save_view(&SavedView { path: "/recordings".to_owned(), ..view(one, 3, "超期", "") }).await.expect("kept");
    store
        .save_view(&SavedView { query: "overdue=true&city=lhasa".to_owned(), ..view(one, 4, "超期", "") })
        .await
        .expect("changed");
    let found = store.saved_views(one, "/tickets").await.expect("read");
    let shown: Vec<(&str, &str)> = found.iter().map(|view| (view.name.as_str(), view.query.as_str())).collect();
    assert_eq!(shown, [("投诉", "type=complaint&q=%E6%B0%B4"), ("超期", "overdue=true&city=lhasa")]);
    assert_eq!(found[1].id, late.id);
    assert_eq!(store.saved_views(other, "/tickets").await, Ok(Vec::new()));
    assert_eq!(store.remove_view(other, late.id).await, Ok(false), "it is somebody else's");
    assert_eq!(store.remove_view(one, late.id).await, Ok(true));
    assert_eq!(store.saved_views(one, "/tickets").await.expect("read").len(), 1);
}

async fn an_account_keeps_so_many_views_and_no_more(fixture: Fixture) {
    let store = &fixture.store;
    let (one, other) = (account(&fixture, "pema").await, account(&fixture, "tashi").await);
    for number in 1..=u8::try_from(MOST_VIEWS).expect("a few") {
        store.save_view(&view(one, number, &format!("view {number}"), "")).await.expect("kept");
    }
    assert_eq!(store.save_view(&view(one, 99, "one more", "")).await, Err(NotSaved::TooMany));
    store.save_view(&view(one, 98, "view 1", "open=true")).await.expect("an old one changes");
    store.save_view(&view(other, 97, "one more", "")).await.expect("another account's");
}
