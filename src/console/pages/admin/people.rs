//! Accounts of people, and other systems that use the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::catalogue::unit_choices;
use super::refused::Refused;
use super::sheet::{Button, Cell, Field, Form, Input, Member, Sheet, Table, body, choices, show};
use crate::access::{Role, Scope};
use crate::city::City;
use crate::console::Shared;
use crate::console::pages::{Fields, Frame, Sent, done};
use crate::console::problem::{Kind, Problem};
use crate::console::segment::Segment;
use crate::console::{accounts, clients as systems};
use crate::store::{Account, AccountName, Client};

pub async fn users(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    users_page(&shared, &frame, None).await
}

async fn users_page(shared: &Shared, frame: &Frame, refused: Option<&Refused>) -> Result<Response, Problem> {
    let accounts = shared.store.accounts().await.map_err(|error| Problem::internal("accounts", &error))?;
    let row = |account: &Account| {
        let profile = &account.profile;
        let cities: Vec<String> = profile.cities().iter().map(|city| frame.name("city", *city)).collect();
        vec![
            Cell::link(&account.name, format!("/admin/users/{}", account.name)),
            Cell::text(profile.display_name()),
            Cell::text(frame.name("role", profile.role())),
            Cell::text(profile.unit().map(ToString::to_string).unwrap_or_default()),
            Cell::text(cities.join(" ")),
            Cell::text(if profile.named() { frame.t("admin.yes") } else { "" }),
            Cell::text(if account.second_factor { frame.t("admin.yes") } else { "" }),
            Cell::active(frame, account.active),
        ]
    };
    let title = frame.t("admin.users").to_owned();
    let columns = ["name", "display_name", "role", "unit", "cities", "named", "second_factor", "active"];
    let table = Table {
        caption: title.clone(),
        columns: columns.iter().map(|name| frame.name("column", *name)).collect(),
        rows: accounts.iter().map(row).collect(),
    };
    let mut fields = vec![Field::line(frame, "name", "").needed().hint(frame.t("admin.name_hint"))];
    fields.extend(profile_fields(shared, frame, None).await?);
    fields.push(Field::new(frame, "password", Input::Line("password", String::new())).needed());
    let form = Form {
        title: frame.t("admin.add_user").to_owned(),
        action: "/admin/users".to_owned(),
        fields,
        button: frame.t("admin.add").to_owned(),
        ..Form::default()
    };
    let forms = vec![form.after(frame, refused)];
    show(frame, Sheet { title, tables: vec![table], forms, ..Sheet::default() }.after(refused))
}

async fn profile_fields(shared: &Shared, frame: &Frame, account: Option<&Account>) -> Result<Vec<Field>, Problem> {
    let profile = account.map(|account| &account.profile);
    let name = profile.map(|profile| profile.display_name().to_string()).unwrap_or_default();
    let roles = choices(frame, "role", Role::ALL, |role| profile.is_some_and(|profile| profile.role() == *role));
    let unit = profile.and_then(|profile| profile.unit()).map(ToString::to_string).unwrap_or_default();
    let cities = choices(frame, "city", &City::ALL, |city| profile.is_some_and(|of| of.cities().contains(city)));
    Ok(vec![
        Field::line(frame, "display_name", name).needed(),
        Field::new(frame, "role", Input::One(roles)).needed(),
        Field::new(frame, "unit", Input::One(unit_choices(shared, frame, &unit).await?))
            .hint(frame.t("admin.unit_hint")),
        Field::new(frame, "cities", Input::Many(cities)),
        Field::new(frame, "named", Input::Tick(profile.is_some_and(|profile| profile.named()))),
    ])
}

pub async fn add_user(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let added = add(Arc::clone(&shared), &frame, &fields).await;
    match Refused::of(added, fields)? {
        None => done("/admin/users", "saved"),
        Some(refused) => users_page(&shared, &frame, Some(&refused)).await,
    }
}

async fn add(shared: Arc<Shared>, frame: &Frame, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Many, Text};
    let members = [
        ("name", Text),
        ("display_name", Text),
        ("role", Text),
        ("unit", Text),
        ("cities", Many),
        ("named", Flag),
        ("password", Text),
    ];
    accounts::add(State(shared), frame.asking.clone(), body(fields, &members)?).await.map(drop)
}

pub async fn user(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    user_page(&shared, &frame, &name, None).await
}

async fn user_page(shared: &Shared, frame: &Frame, name: &str, refused: Option<&Refused>) -> Result<Response, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "There is no such account.");
    let name: AccountName = name.parse().map_err(|_| unknown())?;
    let account = shared.store.account(&name).await.map_err(|error| Problem::internal("accounts", &error))?;
    let account = account.ok_or_else(unknown)?;
    let mut fields = profile_fields(shared, frame, Some(&account)).await?;
    fields.push(Field::new(frame, "active", Input::Tick(account.active)));
    let password = Field::new(frame, "password", Input::Line("password", String::new()));
    fields.push(password.hint(frame.t("admin.password_hint")));
    let change = Form {
        action: format!("/admin/users/{name}"),
        fields,
        button: frame.t("admin.save").to_owned(),
        ..Form::default()
    };
    let one = |title: &str, path: &str| Form {
        title: frame.t(title).to_owned(),
        action: format!("/admin/users/{name}/{path}"),
        button: frame.t(title).to_owned(),
        ..Form::default()
    };
    let mut forms = vec![change.after(frame, refused), one("admin.end_sessions", "sessions/end")];
    if account.second_factor {
        forms.push(one("admin.remove_second_factor", "second-factor/remove"));
    }
    let title = format!("{} · {name}", frame.t("admin.users"));
    let hint = frame.t("admin.user_hint").to_owned();
    show(frame, Sheet { title, hint, forms, ..Sheet::default() }.after(refused))
}

pub async fn change_user(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(name): Segment,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let changed = change(Arc::clone(&shared), &frame, &name, &fields).await;
    match Refused::of(changed, fields)? {
        None => done(&format!("/admin/users/{name}"), "saved"),
        Some(refused) => user_page(&shared, &frame, &name, Some(&refused)).await,
    }
}

async fn change(shared: Arc<Shared>, frame: &Frame, name: &str, fields: &Fields) -> Result<(), Problem> {
    use Member::{Flag, Many, Text};
    let members = [
        ("display_name", Text),
        ("role", Text),
        ("unit", Text),
        ("cities", Many),
        ("named", Flag),
        ("active", Flag),
        ("password", Text),
    ];
    let name = Segment(name.to_owned());
    accounts::change(State(shared), frame.asking.clone(), name, body(fields, &members)?).await.map(drop)
}

pub async fn end_sessions(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(name): Segment,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    let back = format!("/admin/users/{name}");
    accounts::end_sessions(State(shared), frame.asking, Segment(name)).await?;
    done(&back, "saved")
}

pub async fn remove_second_factor(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(name): Segment,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    let back = format!("/admin/users/{name}");
    accounts::remove_second_factor(State(shared), frame.asking, Segment(name)).await?;
    done(&back, "saved")
}

pub async fn clients(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    systems_page(&shared, &frame, None, None).await
}

async fn systems_page(
    shared: &Shared,
    frame: &Frame,
    secret: Option<String>,
    refused: Option<&Refused>,
) -> Result<Response, Problem> {
    let clients = shared.store.clients().await.map_err(|error| Problem::internal("clients", &error))?;
    let row = |client: &Client| {
        let scopes: Vec<String> = client.scopes.iter().map(|scope| frame.name("scope", scope)).collect();
        let cities: Vec<String> = client.cities.iter().map(|city| frame.name("city", *city)).collect();
        let revoke = Button {
            action: format!("/admin/clients/{}/revoke", client.name),
            label: frame.t("admin.revoke").to_owned(),
            danger: true,
            hidden: Vec::new(),
            asks: None,
        };
        vec![
            Cell::text(&client.name),
            Cell::text(scopes.join(" ")),
            Cell::text(if cities.is_empty() { frame.t("admin.every_city").to_owned() } else { cities.join(" ") }),
            Cell::text(frame.time(client.created_at)),
            match client.revoked_at {
                Some(at) => Cell::badge(frame.fill("admin.revoked", &[&frame.time(at)]), "quiet"),
                None => Cell::button(revoke),
            },
        ]
    };
    let title = frame.t("admin.clients").to_owned();
    let table = Table {
        caption: title.clone(),
        columns: ["name", "scopes", "cities", "created", "active"].iter().map(|of| frame.name("column", *of)).collect(),
        rows: clients.iter().map(row).collect(),
    };
    let cities = choices(frame, "city", &City::ALL, |_| false);
    let form = Form {
        title: frame.t("admin.add_client").to_owned(),
        action: "/admin/clients".to_owned(),
        fields: vec![
            Field::line(frame, "name", "").needed().hint(frame.t("admin.name_hint")),
            Field::new(frame, "scopes", Input::Many(choices(frame, "scope", Scope::ALL, |_| false))),
            Field::new(frame, "cities", Input::Many(cities)).hint(frame.t("admin.every_city_hint")),
        ],
        button: frame.t("admin.add").to_owned(),
        ..Form::default()
    };
    let forms = vec![form.after(frame, refused)];
    show(frame, Sheet { title, secret, tables: vec![table], forms, ..Sheet::default() }.after(refused))
}

/// Answers with the page itself: the token is not to be in an address.
pub async fn add_client(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    use Member::{Many, Text};
    let added = match body(&fields, &[("name", Text), ("scopes", Many), ("cities", Many)]) {
        Ok(sent) => systems::add(State(Arc::clone(&shared)), frame.asking.clone(), sent).await,
        Err(problem) => Err(problem),
    };
    let (token, added) = match added {
        Ok((_, Json(let_in))) => (Some(let_in.token), Ok(())),
        Err(problem) => (None, Err(problem)),
    };
    let refused = Refused::of(added, fields)?;
    systems_page(&shared, &frame, token, refused.as_ref()).await
}

pub async fn revoke_client(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Segment(name): Segment,
    Sent(_): Sent,
) -> Result<Response, Problem> {
    systems::revoke(State(shared), frame.asking, Segment(name)).await?;
    done("/admin/clients", "saved")
}
