//! The code beside the password: asked for at the door, and set up there or at `/account/second-factor`.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use qrcodegen::{QrCode, QrCodeEcc};

use super::frame::{Doorway, Frame};
use super::home::local;
use super::sent::{Fields, Sent};
use super::sign_in::enter;
use super::{cookie, done, form, open, page, read, render, see, send};
use crate::access::Right;
use crate::console::Shared;
use crate::console::accounts::failed;
use crate::console::asking::Address;
use crate::console::problem::Problem;
use crate::console::query::Parameters;
use crate::console::routes::{CREDENTIAL_BYTES, Route};
use crate::store::{AccountName, NotSetUp, OtpSecret, SignInError, Stage};

/// As of the door.
const KEYS: &[&str] = &["next", "check"];

pub fn routes() -> Vec<Route> {
    let sent = || open(&[], Some(CREDENTIAL_BYTES));
    vec![
        read("/sign-in/code", open(KEYS, None), get(ask)),
        send("/sign-in/code", sent(), post(prove)),
        read("/sign-in/set-up", open(KEYS, None), get(set_up_at_the_door)),
        send("/sign-in/set-up", sent(), post(keep_at_the_door)),
        read("/account/second-factor", page(Right::Own, &[]), get(set_up)),
        send("/account/second-factor", form(Right::Own), post(keep)),
        send("/account/second-factor/remove", form(Right::Own), post(remove)),
    ]
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    frame: Doorway,
    next: String,
    /// A key of what went wrong.
    wrong: Option<&'static str>,
}

/// Whose half session the cookie is of, if this is what it waits for.
async fn half(shared: &Shared, headers: &HeaderMap, stage: Stage) -> Result<Option<(String, AccountName)>, Problem> {
    let Some(token) = cookie::session(headers) else { return Ok(None) };
    let found = shared.store.half_session(token, shared.clock.wall()).await;
    let found = found.map_err(|error| Problem::internal("session", &error))?;
    Ok(found.filter(|(_, waits_for)| *waits_for == stage).map(|(account, _)| (token.to_owned(), account.name)))
}

fn next_of(text: Option<&str>) -> String {
    local(text.unwrap_or("/")).to_owned()
}

async fn ask(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    headers: HeaderMap,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    match half(&shared, &headers, Stage::Code).await? {
        Some(_) => render(&CodePage { frame, next: next_of(query.text("next")), wrong: None }),
        None => see("/sign-in?check=1"),
    }
}

async fn prove(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    headers: HeaderMap,
    Extension(Address(address)): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let next = next_of(fields.text("next"));
    let Some((token, _)) = half(&shared, &headers, Stage::Code).await? else { return see("/sign-in") };
    let (code, now, secret) = (fields.text("code").unwrap_or_default(), shared.clock.wall(), shared.secrets.token());
    let (status, wrong) = match shared.store.prove_code(&token, code, address, now, secret).await {
        Ok(signed_in) => return enter(&signed_in, &next),
        Err(SignInError::Wrong) => (StatusCode::UNAUTHORIZED, "code.wrong"),
        Err(SignInError::Throttled { .. }) => (StatusCode::TOO_MANY_REQUESTS, "account.throttled"),
        Err(SignInError::Store(error)) => return Err(Problem::internal("second factor", &error)),
    };
    let mut response = render(&CodePage { frame, next, wrong: Some(wrong) })?;
    *response.status_mut() = status;
    Ok(response)
}

/// A secret to be set up, as a telephone reads it.
struct Offer {
    secret: String,
    /// The same for people who type: groups of four.
    typed: String,
    /// The dark modules of a QR code, as an SVG path; `side` modules with the quiet zone of four.
    path: String,
    side: i32,
}

impl Offer {
    fn new(secret: &OtpSecret, account: &AccountName) -> Result<Offer, Problem> {
        let secret = secret.reveal();
        let url = format!("otpauth://totp/12345:{account}?secret={secret}&issuer=12345");
        let code =
            QrCode::encode_text(&url, QrCodeEcc::Medium).map_err(|error| Problem::internal("QR code", &error))?;
        let size = code.size();
        let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| code.get_module(*x, *y));
        let path = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + 4, y + 4)).collect();
        let letters: Vec<char> = secret.chars().collect();
        let typed = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
        Ok(Offer { secret, typed, path, side: size + 8 })
    }

    fn fresh(shared: &Shared, account: &AccountName) -> Result<Offer, Problem> {
        let mut random = [0; 20];
        random.copy_from_slice(&shared.secrets.token()[..20]);
        Offer::new(&OtpSecret::new(random), account)
    }
}

#[derive(Template)]
#[template(path = "set_up_at_the_door.html")]
struct DoorPage {
    frame: Doorway,
    offer: Offer,
    next: String,
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    offer: Offer,
    wrong: Option<&'static str>,
}

async fn set_up_at_the_door(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    headers: HeaderMap,
    Extension(query): Extension<Parameters>,
) -> Result<Response, Problem> {
    let Some((_, account)) = half(&shared, &headers, Stage::Setup).await? else { return see("/sign-in?check=1") };
    let offer = Offer::fresh(&shared, &account)?;
    render(&DoorPage { frame, offer, next: next_of(query.text("next")), wrong: None })
}

async fn keep_at_the_door(
    State(shared): State<Arc<Shared>>,
    frame: Doorway,
    headers: HeaderMap,
    Extension(Address(address)): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let next = next_of(fields.text("next"));
    let Some((token, account)) = half(&shared, &headers, Stage::Setup).await? else { return see("/sign-in") };
    let secret: OtpSecret = given(&fields)?;
    let (code, now, random) = (fields.text("code").unwrap_or_default(), shared.clock.wall(), shared.secrets.token());
    match shared.store.set_up_second_factor(&token, &secret, code, address, now, random).await {
        Ok(signed_in) => enter(&signed_in, &next),
        Err(NotSetUp::NoSession) => see("/sign-in"),
        Err(NotSetUp::Store(error)) => Err(Problem::internal("second factor", &error)),
        Err(NotSetUp::WrongCode) => {
            let offer = Offer::new(&secret, &account)?;
            render(&DoorPage { frame, offer, next, wrong: Some("code.not_yet") })
        }
    }
}

fn given(fields: &Fields) -> Result<OtpSecret, Problem> {
    let text = fields.text("secret").unwrap_or_default();
    OtpSecret::parse(text).map_err(|error| super::sent::bad("secret", format!("`secret`: {error}.")))
}

async fn set_up(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Response, Problem> {
    let offer = Offer::fresh(&shared, &frame.visitor.account.name)?;
    render(&SetUpPage { frame, offer, wrong: None })
}

/// A key of what is wrong when it is not this account's password.
async fn proven(
    shared: &Shared,
    frame: &Frame,
    fields: &Fields,
    address: Address,
) -> Result<Option<&'static str>, Problem> {
    let (name, password) = (&frame.visitor.account.name, fields.raw("current").unwrap_or_default());
    match shared.store.check_password(name, password, address.0, shared.clock.wall()).await {
        Ok(_) => Ok(None),
        Err(SignInError::Wrong) => Ok(Some("account.wrong")),
        Err(SignInError::Throttled { .. }) => Ok(Some("account.throttled")),
        Err(SignInError::Store(error)) => Err(Problem::internal("password", &error)),
    }
}

async fn keep(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    headers: HeaderMap,
    Extension(address): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    let secret = given(&fields)?;
    let again = |frame: Frame, wrong| {
        let offer = Offer::new(&secret, &frame.visitor.account.name)?;
        render(&SetUpPage { frame, offer, wrong: Some(wrong) })
    };
    if let Some(wrong) = proven(&shared, &frame, &fields, address).await? {
        return again(frame, wrong);
    }
    let token = cookie::session(&headers).unwrap_or_default();
    let (code, now, random) = (fields.text("code").unwrap_or_default(), shared.clock.wall(), shared.secrets.token());
    match shared.store.set_up_second_factor(token, &secret, code, address.0, now, random).await {
        Ok(signed_in) => enter(&signed_in, "/account?done=second_factor"),
        Err(NotSetUp::WrongCode) => again(frame, "code.not_yet"),
        Err(NotSetUp::NoSession) => see("/sign-in"),
        Err(NotSetUp::Store(error)) => Err(Problem::internal("second factor", &error)),
    }
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Extension(address): Extension<Address>,
    Sent(fields): Sent,
) -> Result<Response, Problem> {
    if let Some(wrong) = proven(&shared, &frame, &fields, address).await? {
        let offer = Offer::fresh(&shared, &frame.visitor.account.name)?;
        return render(&SetUpPage { frame, offer, wrong: Some(wrong) });
    }
    let (name, now) = (&frame.visitor.account.name, shared.clock.wall());
    let removed = shared.store.remove_second_factor(name, &frame.asking.by(), now).await;
    removed.map_err(|error| failed(&error))?;
    done("/sign-in", "second_factor_removed")
}
