use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::call::line::Line;
use crate::callback::dial_plan::Why;
use crate::city::City;
use crate::driver::route::Route;
use crate::phone::Phone;
use crate::sip::Transport;

/// `[trunk.NAME]` as it stands in a file.
fn config(text: &str) -> Config {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

const STATIC: &str = "peer = \"sip:192.0.2.1:5070\"\ncalls_out = true\nchannels = 4\nnumber = \"12345\"\n";

fn trunk(name: &str, text: &str) -> Trunk {
    Trunk::new(name, &config(text)).unwrap_or_else(|bad| panic!("{}: {bad}", bad.key))
}

fn hop(last: u8) -> Hop {
    let local = "192.0.2.9:5060".parse().expect("an address");
    Hop { transport: Transport::Udp, local, peer: format!("192.0.2.{last}:5070").parse().expect("an address") }
}

/// All of them found, lines of Lhasa and Chamdo.
fn ways(trunks: &[Trunk]) -> (WaysOut, UnboundedReceiver<(Arc<str>, Verdict)>) {
    let lines = [("12345", City::Lhasa), ("089512345", City::Chamdo)].map(|(number, city)| Line {
        number: number.to_owned(),
        city,
        ..Line::default()
    });
    let (ways, told) = WaysOut::new(trunks, plan(Default::default(), &lines, trunks), 30_000, [5; 32], Clock::start());
    for at in 0..trunks.len() {
        ways.set_hops(at, vec![hop(u8::try_from(at).expect("few")), hop(100)]);
    }
    (ways, told)
}

fn phone(digits: &str) -> Phone {
    Phone::parse(digits).expect("a number")
}

fn names(routes: &[Route]) -> Vec<&str> {
    routes.iter().map(|route| &*route.trunk).collect()
}

fn mobile() -> Phone {
    phone("13812345678")
}

#[test]
fn a_static_trunk_needs_no_account() {
    let (ways, _told) = ways(&[trunk("telecom", STATIC)]);
    let routes = ways.routes(City::Lhasa, &mobile()).expect("a way");
    let [route] = &routes[..] else { panic!("{routes:?}") };
    assert_eq!(route.uri.to_string(), "sip:13812345678@192.0.2.1:5070");
    assert_eq!(route.to, route.uri);
    assert_eq!(route.from.uri.to_string(), "sip:12345@192.0.2.1");
    assert_eq!((&route.asserted, &route.credentials, route.ring_timeout_ms), (&None, &None, 30_000));
    assert_eq!(route.hops, [hop(0), hop(100)]);
    assert!(!format!("{route:?}").contains("1381234"), "{route:?}");
}

#[test]
fn a_call_shows_the_number_of_its_city() {
    let text = format!(
        "{STATIC}domain = \"ims.example\"\nassert = true\nnumber_format = \"e164\"\n\
         [caller_id]\ndefault = \"12345\"\nchamdo = \"+8689512345\"\n"
    );
    let (ways, _told) = ways(&[trunk("telecom", &text)]);
    for (city, shown) in [(City::Lhasa, "sip:12345@ims.example"), (City::Chamdo, "sip:+8689512345@ims.example")] {
        let routes = ways.routes(city, &phone("08916323111")).expect("a way");
        assert_eq!(routes[0].from.uri.to_string(), shown);
        assert_eq!(routes[0].asserted.as_ref().map(|party| party.uri.to_string()).as_deref(), Some(shown));
        assert_eq!(routes[0].uri.to_string(), "sip:+868916323111@ims.example");
    }
}

#[test]
fn an_account_answers_challenges_of_calls_too() {
    let text = "registrar = \"sip:registrar.example\"\nusername = \"089112345\"\nrealm = \"r\"\npassword = \"p\"\n\
                proxy = \"sip:192.0.2.7\"\ncalls_out = true\nchannels = 4\n";
    let (ways, _told) = ways(&[trunk("telecom", text)]);
    assert_eq!(ways.routes(City::Lhasa, &mobile()).err(), Some(NoRoute::NoChannel), "it is not registered yet");
    ways.change(0, |condition| condition.set_registered(true));
    let routes = ways.routes(City::Lhasa, &mobile()).expect("a way");
    assert_eq!(routes[0].credentials.as_ref().map(|account| account.realm.as_str()), Some("r"));
    assert_eq!(routes[0].uri.to_string(), "sip:13812345678@registrar.example");
    assert_eq!(routes[0].from.uri.to_string(), "sip:089112345@registrar.example");
}

#[test]
fn channels_that_are_kept_for_callers_are_not_taken() {
    for (kept, free) in [("1", 3), ("\"50%\"", 2), ("\"30%\"", 2), ("0", 4)] {
        let (ways, _told) = ways(&[trunk("telecom", &format!("{STATIC}kept_for_inbound = {kept}\n"))]);
        let mut taken: Vec<Vec<Route>> =
            std::iter::from_fn(|| ways.routes(City::Lhasa, &mobile()).ok()).take(10).collect();
        assert_eq!(taken.len(), free, "{kept}");
        assert_eq!(ways.calls().collect::<Vec<_>>(), [("telecom", free)]);
        assert_eq!(ways.routes(City::Lhasa, &mobile()).err(), Some(NoRoute::NoChannel));
        taken.pop();
        assert!(ways.routes(City::Lhasa, &mobile()).is_ok(), "a channel came free");
    }
}

#[test]
fn trunks_are_tried_by_priority_and_those_alike_by_weight() {
    let of = |priority: u16, weight: u16| format!("{STATIC}priority = {priority}\nweight = {weight}\n");
    let trunks = [trunk("spare", &of(20, 9)), trunk("heavy", &of(10, 3)), trunk("light", &of(10, 1))];
    let (ways, _told) = ways(&trunks);
    let mut heavy = 0;
    for _ in 0..4_000 {
        let routes = ways.routes(City::Lhasa, &mobile()).expect("a way");
        let names = names(&routes);
        assert_eq!(names[2], "spare", "{names:?}");
        heavy += u32::from(names[0] == "heavy");
    }
    assert!((2_850..3_150).contains(&heavy), "{heavy}");
}

#[test]
fn trunks_that_are_down_paused_or_full_are_passed_over() {
    let of = |priority: u16, more: &str| format!("{STATIC}priority = {priority}\nkept_for_inbound = 3\n{more}");
    let trunks = [trunk("one", &of(1, "keep_alive_s = 30\n")), trunk("two", &of(2, "")), trunk("three", &of(3, ""))];
    let (ways, _told) = ways(&trunks);
    let order = || ways.routes(City::Lhasa, &mobile()).map(|routes| names(&routes).join(" "));
    assert_eq!(order().as_deref(), Ok("two three"), "nobody has heard of the first");
    ways.change(0, |condition| condition.heard(true));
    assert_eq!(order().as_deref(), Ok("one two three"));
    for _ in 0..2 {
        ways.change(0, |condition| condition.heard(false));
    }
    assert_eq!(order().as_deref(), Ok("two three"));
    let pauses: Vec<bool> = (0..5).map(|_| ways.judge("two", Verdict::Trouble { status: 503 }).is_some()).collect();
    assert_eq!(pauses, [false, false, false, false, true]);
    assert_eq!(order().as_deref(), Ok("three"));
    let taken = ways.routes(City::Lhasa, &mobile());
    assert_eq!(order(), Err(NoRoute::NoChannel));
    drop(taken);
    ways.judge("two", Verdict::Carried);
    assert_eq!(order().as_deref(), Ok("two three"));
}

#[test]
fn a_number_that_may_not_be_dialled_takes_no_channel() {
    let text = format!("{STATIC}[caller_id]\nlhasa = \"08916320000\"\n");
    let (ways, _told) = ways(&[trunk("telecom", &text)]);
    for (number, why) in [
        ("110", Why::Emergency),
        ("+86 120", Why::Emergency),
        ("12345", Why::Own),
        ("0891 12345", Why::Own),
        ("0895 12345", Why::Own),
        ("+86 891 6320 000", Why::Own),
        ("0893 12345", Why::Service),
        ("16812345", Why::Denied),
        ("+1 315 555 1234", Why::Foreign),
        ("12212345678", Why::NotInPlan),
    ] {
        assert_eq!(ways.routes(City::Lhasa, &phone(number)).err(), Some(NoRoute::Undialable(why)), "{number}");
    }
    assert_eq!(ways.calls().collect::<Vec<_>>(), [("telecom", 0)]);
}

#[test]
fn a_route_tells_how_its_call_went() {
    let (ways, mut told) = ways(&[trunk("telecom", STATIC)]);
    let routes = ways.routes(City::Lhasa, &mobile()).expect("a way");
    routes[0].tell(Verdict::Trouble { status: 500 });
    assert_eq!(told.try_recv().ok(), Some(("telecom".into(), Verdict::Trouble { status: 500 })));
}

#[test]
fn a_silent_hop_gives_way_to_the_next() {
    let (ways, _told) = ways(&[trunk("telecom", STATIC)]);
    ways.turn_hops(0);
    assert_eq!(ways.hops(0), [hop(100), hop(0)]);
    ways.set_hops(0, vec![hop(0), hop(50), hop(100)]);
    assert_eq!(ways.hops(0), [hop(100), hop(0), hop(50)], "what answers stays first when the name is looked up again");
    ways.set_hops(0, vec![hop(7)]);
    assert_eq!(ways.hops(0), [hop(7)]);
}

#[test]
fn every_mistake_names_its_key() {
    let registered = "registrar = \"sip:r\"\nusername = \"u\"\nrealm = \"r\"\npassword = \"p\"\n";
    let without = |key: &str| STATIC.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
    for (text, key) in [
        (String::new(), "registrar"),
        ("registrar = \"nowhere\"".to_owned(), "registrar"),
        ("peer = \"tel:12345\"".to_owned(), "peer"),
        ("peer = \"sip:a;transport=tls\"".to_owned(), "peer"),
        (format!("{registered}peer = \"sip:a\""), "peer"),
        ("registrar = \"sip:r\"".to_owned(), "username"),
        ("registrar = \"sip:r\"\nusername = \"u\"".to_owned(), "realm"),
        ("registrar = \"sip:r\"\nusername = \"u\"\nrealm = \"r\"".to_owned(), "password_file"),
        (format!("{STATIC}proxy = \"x y\""), "proxy"),
        (format!("{STATIC}domain = \"x y\""), "domain"),
        (format!("{STATIC}weight = 0"), "weight"),
        (format!("{STATIC}kept_for_inbound = 4"), "kept_for_inbound"),
        (format!("{STATIC}kept_for_inbound = \"100%\""), "kept_for_inbound"),
        (format!("{STATIC}mobile_prefix = \"a\""), "mobile_prefix"),
        (format!("{STATIC}mobile_prefix = \"0\"\nnumber_format = \"e164\""), "mobile_prefix"),
        (format!("{STATIC}local_without_area_code = true\nnumber_format = \"e164\""), "local_without_area_code"),
        (format!("{STATIC}[caller_id]\nlhasa = \"city\""), "caller_id.lhasa"),
        (without("channels"), "channels"),
        (without("number"), "caller_id"),
    ] {
        let found = Trunk::new("telecom", &config(&text)).map_err(|bad| bad.key).err();
        assert_eq!(found.as_deref(), Some(key), "{text}");
    }
    assert!(Trunk::new("telecom", &config(registered)).is_ok());
}

#[test]
fn an_address_outside_the_allowed_networks_is_a_mistake() {
    let allow = ["192.0.2.0/24".parse().expect("a network")];
    let found = |text: &str| trunk("telecom", text).is_heard(&allow).map_err(|bad| bad.key).err();
    assert_eq!(found(STATIC), None);
    assert_eq!(found("peer = \"sip:198.51.100.1\""), Some("peer".to_owned()));
    assert_eq!(found("peer = \"sip:provider.example\""), None, "only a name server knows");
    assert_eq!(found(&format!("{STATIC}proxy = \"sip:198.51.100.1\"")), Some("proxy".to_owned()));
}

#[test]
fn what_is_kept_is_a_number_or_a_share() {
    for text in ["kept_for_inbound = \"thirty\"", "kept_for_inbound = \"130%\"", "kept_for_inbound = -1"] {
        let error = toml::from_str::<Config>(text).expect_err(text).to_string();
        assert!(error.contains("a number of channels, or a share such as \"30%\""), "{error}");
    }
    let error = toml::from_str::<Config>("[caller_id]\nbeijing = \"12345\"").expect_err("no city").to_string();
    assert!(error.contains("a city is lhasa") && error.contains("or default"), "{error}");
}

#[test]
fn the_operator_reads_what_is_wrong_with_which_trunk() {
    assert_eq!(told(&[]), Words::new("all can be used").said("trunks_well", &[]));
    let ailing =
        [(Ailment::Silent, "a"), (Ailment::NotRegistered, "b"), (Ailment::Silent, "c"), (Ailment::Paused, "d")];
    let words = Words::new("not registered: b; not answering: a, c; paused for troubles with calls out: d");
    let words = words.said("not_registered", &[&"b"]).said("silent", &[&"a, c"]).said("paused", &[&"d"]);
    assert_eq!(told(&ailing), words);
}
